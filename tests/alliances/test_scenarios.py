"""Scenario files: what they may hold, what is said of mistakes, and that shipped ones are sound."""

from __future__ import annotations

import json
import tomllib

import jsonschema
import numpy as np
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from deterrence.alliances.scenarios.loader import entry_problems, names, parse, read_source
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import json_schema
from deterrence.games.errors import GameError, ParameterError, ScenarioError
from deterrence.games.expressions import ExpressionError, evaluate, names_in
from deterrence.games.paths import paths_of, value_at

TEXT = """
schema_version = 1
name = "small"
title = "Small"
[sources]
S = "a source"
[parameters]
resolve = { value = 0, illustrative = true, range = [-1, 1] }
[defence]
base = 2
[aggressor]
prize = { family = "uniform", location = 0, scale = 2 }
[[attacks]]
name = "full"
strength = 4
window = 10
share = 1
cost = 0.1
[[members]]
name = "A"
capability = 3
delay = 1
stake = 1
obligation = "0.5 * stake"
cost = { family = "normal", location = "1 + resolve", scale = 0.5 }
[[members]]
name = "B"
capability = 1
delay = 0
stake = 0
cost = { family = "uniform", location = 0, scale = 1 }
"""


@pytest.mark.parametrize("name", names())
class TestShipped:
    def test_every_number_has_a_source_or_is_illustrative_with_a_range(self, name):
        where, text = read_source(name)
        assert entry_problems(parse(text, where)) == []

    def test_round_trip_is_unchanged(self, name):
        scenario = Scenario.load(name)
        assert Scenario.loads(scenario.dumps()).table == scenario.table

    def test_a_variant_written_and_read_back_is_the_same_game(self, name):
        variant = Scenario.load(name).with_changes({"decisiveness": "*1.25"})
        again = Scenario.loads(variant.dumps()).game()
        assert again == variant.game()
        assert again.decisiveness == pytest.approx(1.25 * Scenario.load(name).game().decisiveness)

    def test_the_json_schema_accepts_it_and_refuses_a_slip(self, name):
        data = tomllib.loads(Scenario.load(name).text)
        jsonschema.validate(data, json_schema())
        wrong = {**data, "defence": {**data["defence"], "bse": 1}}
        with pytest.raises(jsonschema.ValidationError, match="bse"):
            jsonschema.validate(wrong, json_schema())

    def test_likelihoods_of_all_kinds_sum_to_one(self, name):
        scenario = Scenario.load(name)
        kinds = [e for e in scenario.events if e not in ("attack", "regretted attack", "unwanted war", "defence holds")]
        answer = scenario.answer({}, events=("attack", *kinds))
        if answer.count[0] == 1:
            assert sum(answer.low[k][0] for k in kinds) == pytest.approx(1, abs=1e-9)
        assert answer.low["attack"][0] <= answer.high["attack"][0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "capability = 3",
            "capabilty = 3",
            r"small:\d+: members\[0\]\.capabilty: unknown key.*did you mean 'capability'",
        ),
        ("base = 2", "", r"defence\.base: missing"),
        ("base = 2", "base = -2", r"small:10: defence\.base: expected a number of at least 0, got -2"),
        ("base = 2", "base = nan", r"defence\.base: expected a finite number, got nan"),
        ("stake = 1\n", "", r"small:\d+: members\[0\]\.stake: missing"),
        ("cost = 0.1\n", "", r"attacks\[0\]\.cost: missing"),
        ("[defence]", "[treaty]\nrule = { threshold = true }\n[defence]", r"treaty\.rule\.threshold: .*integer"),
        ("base = 2", "base = true", r"defence\.base: expected a number, an expression or a table"),
        ("base = 2", 'base = { value = 2, source = "T" }', r"defence\.base.*'T' is not in \[sources\]"),
        ("base = 2", "base = { value = 2, range = [3, 4] }", r"expected a value within its own range"),
        ('name = "B"', 'name = "A"', r"members\[1\]\.name: member 'A' is named twice"),
        (
            "[defence]",
            "[treaty]\nrule = { threshold = 3 }\n[defence]",
            r"treaty\.rule\.threshold: .*number of members, 2, got 3",
        ),
        ("[defence]", '[treaty]\nrule = { lead = "C" }\n[defence]', r"'C' is no member"),
        ("[defence]", "[treaty]\nshared_intelligence = 1.5\n[defence]", r"expected a number in \[0, 1\], got 1.5"),
        ('"0.5 * stake"', '"0.5 * stak"', r"members\[0\]\.obligation: .*uses 'stak'"),
        ('"0.5 * stake"', "\"__import__('os')\"", r"holds more than arithmetic"),
        (
            'family = "uniform", location = 0, scale = 1',
            'family = "unifrm", location = 0',
            r"members\[1\].cost: .*unifrm",
        ),
        ("value = 0, ill", 'value = "resolve + 1", ill', r"is defined by itself: resolve"),
        ("[defence]", "[perception.Nobody]\nbase = 1\n[defence]", r"Nobody"),
        ("schema_version = 1", "schema_version = 2", r"schema_version: input should be 1, got 2"),
    ],
)
def test_a_mistake_names_place_and_mend(old, new, said):
    assert old in TEXT
    with pytest.raises(ScenarioError, match=said):
        Scenario.loads(TEXT.replace(old, new, 1), "small")


def test_every_mistake_is_reported_at_once_in_order_of_lines():
    text = (
        TEXT.replace("base = 2", "base = -2")
        .replace("capability = 3", "capabilty = 3")
        .replace('name = "B"', 'name = "A"')
    )
    with pytest.raises(ScenarioError) as caught:
        Scenario.loads(text, "small")
    assert len(caught.value.problems) == 4  # the misspelt key, and the key that is missing for it
    lines = [int(problem.split(":")[1]) for problem in caught.value.problems]
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "binary"),
        (b"abc\x00def", "binary"),
        (b"x = " + b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b".".join([b"[a"] + [b"a"] * 10_000) + b"]", "unknown key|nested too deeply|missing"),
        (b"# " + b"x" * 10_000_000, "at most 1,000,000 bytes"),
        (b"a = 1\na = 2\n", "not valid TOML.*line 2"),
    ],
    ids=["empty", "binary", "zero bytes", "nested array", "nested table", "10 MB", "key given twice"],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path, content, said):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError, match=said):
        Scenario.load(path)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ScenarioError, match="did you mean 'baltic-2017'"):
        Scenario.load("baltic-2071")


def test_arithmetic_uses_the_record_and_the_parameters():
    game = Scenario.loads(TEXT).game()
    assert game.members[0].obligation == 0.5
    assert game.members[0].cost.location == 1.0
    assert Scenario.loads(TEXT).at_values({"resolve": 0.25}).members[0].cost.location == 1.25


def test_a_parameter_is_changed_by_name():
    scenario = Scenario.loads(TEXT)
    firmer = scenario.with_changes({"resolve": "-0.5"})
    assert firmer.game() == scenario.at_values({"resolve": -0.5})
    assert firmer.with_changes({"resolve": 3}).table.parameters["resolve"].range == (-1, 3)
    assert firmer.table.parameters["resolve"].illustrative
    with pytest.raises(ScenarioError, match="the change of 'resolve' must be a number"):
        scenario.with_changes({"resolve": "much"})


def test_a_parameter_seen_differently_changes_every_number_that_depends_on_it():
    scenario = Scenario.loads(TEXT + "\n[perception.Aggressor]\nresolve = '+0.5'\n")
    assert scenario.game().perceived_by("Aggressor").members[0].cost.location == 1.5
    assert scenario.game().members[0].cost.location == 1.0


def test_values_by_path_are_absolute_or_relative():
    scenario = Scenario.loads(TEXT)
    assert scenario.at_values({"members.A.capability": 5.0}).members[0].capability == 5.0
    assert scenario.at_values({"+members.*.capability": 1.0}).members[1].capability == 2.0
    assert scenario.at_values({"*members.*.capability": 2.0}).members[0].capability == 6.0
    with pytest.raises(ParameterError, match="capability"):
        scenario.at_values({"members.A.capabilty": 5.0})
    with pytest.raises(ParameterError, match="names no player"):
        scenario.at_values({"perception.Nobody.base": 5.0})


def test_a_block_of_points_equals_its_points_one_by_one():
    scenario = Scenario.load("baltic-2017")
    dial, shifts = "perception.Russia.resolve", np.array([-0.5, 0.0, 0.6, 1.2])
    events = ("attack", "limited", "unwanted war")
    block = scenario.answer({dial: shifts}, events=events)
    for i, shift in enumerate(shifts):
        single = scenario.with_changes({}, {"Russia": {"resolve": float(shift)}})
        game = single.game()
        assert block.low["attack"][i] == pytest.approx(float(game.attack_probabilities().likelihood[0]), abs=1e-9)
        assert block.high["unwanted war"][i] == pytest.approx(float(game.regret_probability("highest")), abs=1e-9)


VARIANTS = """
[variants.other]
mechanism = "any"
isolates = "Several things at once."
changes = { resolve = 0.5, "members.A.stake" = "*2" }
perception = { Aggressor = { base = 1 } }
[variants.other.tables.treaty]
rule = { lead = "A" }
[[variants.other.tables.members]]
name = "A"
support = "words"
[[variants.other.tables.members]]
name = "C"
capability = 1
delay = 0
stake = 1
cost = { family = "degenerate", location = 0 }
[variants.other.tables.support.words]
strength = 0.5
[variants.wrong]
mechanism = "any"
isolates = "Nothing."
changes = { "members.A.capabilty" = 2 }
[variants.slip]
mechanism = "any"
isolates = "Nothing."
changes = { resolve = "0,5" }
"""


def test_a_variant_lays_tables_and_changes_over_the_scenario():
    scenario = Scenario.loads(TEXT + VARIANTS, "small")
    assert scenario.variants == ("other", "wrong", "slip")
    other = scenario.variant("other")
    game = other.game()
    assert other.name == "small.other"
    assert other.variants == ()
    assert game.names == ("A", "B", "C")
    assert game.members[0].support.strength == 0.5
    assert game.members[0].stake == 2
    assert game.members[0].cost.location == 1.5
    assert game.treaty.rule.lead == "A"
    assert game.perceived_by("Aggressor").base == 1
    assert other.table.parameters["resolve"].illustrative
    assert Scenario.loads(other.dumps()).game() == game


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("othr", "small: no variant 'othr'; known are other, wrong, slip; did you mean 'other'"),
        ("wrong", "did you mean 'capability'"),
        ("slip", "variants.slip.changes: the change of 'resolve' must be a number"),
    ],
)
def test_a_slip_in_a_variant_is_named(name, said):
    with pytest.raises(ScenarioError, match=said):
        Scenario.loads(TEXT + VARIANTS, "small").variant(name)


def test_a_variant_is_loaded_by_name_or_by_path(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(TEXT + VARIANTS, "utf-8")
    assert Scenario.load(f"{path}:other").name == "small.other"
    assert Scenario.load("textbook:believed").name == "textbook.believed"
    with pytest.raises(ScenarioError, match=r"no variant 'beleived'; .*did you mean 'believed'"):
        Scenario.load("textbook:beleived")


def test_a_slip_in_any_key_suggests_the_nearest_one():
    """Every table of the schema that has a place in a file: each key misspelt, the nearest must be named."""
    schema = json_schema()
    places = {
        "DefenceTable": "[defence]", "TreatyTable": "[treaty]", "AggressorTable": "[aggressor]",
        "AttackTable": "[[attacks]]", "MemberTable": "[[members]]", "SupportTable": "[support.aid]",
        "TargetTable": "[target]", "DistributionTable": "[aggressor.prize]", "ShockTable": "[shock]",
        "StateTable": "[[shock.states]]", "StageTable": "[posture]", "TypeTable": "[[posture.types]]",
        "PostureTable": "[[posture.postures]]", "VariantTable": "[variants.v]", "RuleTable": "[treaty.rule]",
        "AutomationTable": "[automation]", "UncertaintyTable": "[uncertainty]",
        "CorrelationTable": "[[uncertainty.correlate]]", "EvidenceTable": "[[evidence]]",
        "HorizonTable": "[horizon]", "OptionTable": "[options.o]", "BudgetTable": "[budget]",
    }  # fmt: skip
    assert set(places) == set(schema["$defs"])
    tables = {
        "": schema["properties"],
        **{head: schema["$defs"][table]["properties"] for table, head in places.items()},
    }
    for head, keys in tables.items():
        for key in keys:
            slip = key[:2] + key[3:] if len(key) > 3 else key + "e"
            with pytest.raises(ScenarioError, match=f"did you mean '{key}'"):
                Scenario.loads(f"{head}\n{slip} = 1\n")


def test_an_unknown_event_lists_the_known_ones():
    with pytest.raises(GameError, match="'attack', 'hybrid'"):
        Scenario.load("baltic-2017").answer({}, events=("invasion",))


def test_the_json_schema_knows_the_keys_of_the_tables():
    schema = json_schema()
    assert "capability" in schema["$defs"]["MemberTable"]["properties"]
    assert schema["additionalProperties"] is False
    json.dumps(schema)


@given(
    st.dictionaries(
        st.text(max_size=8), st.one_of(st.integers(-99, 99), st.booleans(), st.text(), st.floats(-9, 9)), max_size=5
    )
)
def test_plain_data_survive_writing_and_reading(data):
    assert tomllib.loads(tomli_w.dumps({"table": data, "rows": [{"k": 1}, {"k": 2}]})) == {
        "table": data,
        "rows": [{"k": 1}, {"k": 2}],
    }


@given(a=st.floats(-50, 50), b=st.floats(0.5, 50))
def test_arithmetic_agrees_with_python(a, b):
    assert evaluate("(a - 2 * b) / b + min(a, b) ** 2", {"a": a, "b": b}) == pytest.approx(
        (a - 2 * b) / b + min(a, b) ** 2
    )


@pytest.mark.parametrize(
    "text",
    ["a.b", "[1]", "f(1)", "lambda: 1", "a if a else b", "'x'", "True", "1/0", "9**9**9", "9" * 400, "-" * 200 + "1"],
)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(ExpressionError):
        evaluate(text, {"a": 1.0, "b": 2.0})


def test_names_of_functions_are_no_parameters():
    assert names_in("min(a, exp(b)) * 2") == {"a", "b"}


def test_every_path_of_a_game_can_be_read():
    game = Scenario.load("baltic-2017").game()
    for path in paths_of(game):
        assert np.isfinite(value_at(game, path)).all(), path


def test_values_true_and_perceived_are_changed_by_name():
    textbook = Scenario.load("textbook")
    assert textbook.probability() == pytest.approx((2 / 3, 2 / 3), abs=1e-12)
    assert textbook.with_changes({"resolve": 0.1}).probability() == textbook.probability()
    seen = textbook.with_changes({"perception.Aggressor.resolve": 0.6})
    assert seen.probability()[0] == pytest.approx(0.25, abs=1e-12)  # v (1 - q') > q' for v uniform on [0, 2]
    assert seen.probability("refrain")[0] == pytest.approx(0.75, abs=1e-12)
    with pytest.raises(GameError, match="no event 'atack'"):
        textbook.probability("atack")
    with pytest.raises(ParameterError, match="names no player"):
        textbook.with_changes({"perception.Agressor.resolve": 0.6})

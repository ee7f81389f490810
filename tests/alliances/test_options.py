"""Options of a scenario file: what is refused, triggers, and which policies can be afforded."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.alliances.scenarios.options import policies, trigger
from deterrence.alliances.scenarios.schema import json_schema
from deterrence.alliances.scenarios.uncertainty import draw_uncertainty

TEXT = dt.Scenario.load("textbook").text
OPTION = """
[options.brigade]
changes = { "members.Ally.forward" = "+1" }
cost = { value = 2, illustrative = true, range = [1, 3] }
unit = "billion"
"""


def loaded(*parts: str) -> dt.Scenario:
    return dt.Scenario.loads("\n".join((TEXT, *parts)), "file.toml")


# ---------------------------------------------------------------- what a file may say


def test_options_are_none_of_the_game_and_none_of_its_numbers():
    plain, with_option = dt.Scenario.loads(TEXT), loaded(OPTION)
    assert with_option.probability("attack") == plain.probability("attack")
    a, b = (draw_uncertainty(one, draws=16, seed=1) for one in (plain, with_option))
    assert [n.name for n in a.numbers] == [n.name for n in b.numbers]
    assert a.low["attack"].tolist() == b.low["attack"].tolist()


def test_an_option_of_a_variant_keeps_the_changes_of_the_variant_that_it_names():
    text = '[options.say]\nchanges = "believed"\ncost = 1\nunit = "x"'
    direct, inside = (one.table.options["say"] for one in (loaded(text), loaded(text).variant("half-believed")))
    assert direct.changes == "believed"
    assert inside.perception == {"Aggressor": {}}


def test_the_schema_describes_options():
    schema = json_schema()
    assert {"changes", "cost", "when", "requires", "excludes"} <= set(schema["$defs"]["OptionTable"]["properties"])
    assert "amount" in schema["$defs"]["BudgetTable"]["required"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[options.a]\nchanges = "beleived"', "changes", "'beleived' is no variant; .*did you mean 'believed'"),
        ("[options.a]\ncost = 1\nunit = 'x'", "options.a", "changes nothing"),
        ('[options.a]\nchanges = { "members.Aly.stake" = 1 }', "changes", "has no 'Aly'.*did you mean 'Ally'"),
        ('[options.a]\nchanges = { "members.Ally.delay" = -1 }', "changes", "expected a number from 0 to inf, got -1"),
        ('[options.a]\nchanges = { "treaty.integration" = "x" }', "changes", "must be a number, '.x', '-x' or"),
        ("[options.a]\nchanges = { base = true }", "changes", "expected a number or a change such as"),
        ('[options.a]\nperception = { Agressor = {} }', "perception", "'Agressor' is no player.*mean 'Aggressor'"),
        ('[options.a]\nchanges = { base = 1 }\nrequires = ["b"]', "requires", "'b' is no option; there are a"),
        ('[options.a]\nchanges = { base = 1 }\nexcludes = ["a"]', "excludes", "'a' excludes itself"),
        ('[options.a]\nchanges = { base = 1 }\nsource = "THX"', "source", "'THX' is not in \\[sources\\]"),
        ("[options.a]\nchanges = { base = 1 }\ncost = 1", "cost", "has no unit"),
        ("[options.a]\nchanges = { base = 1 }\ncost = -1\nunit = 'x'", "cost", "expected a number of at least 0"),
        ('[options.a]\nchanges = { base = 1 }\nwhen = "resolve is low"', "when", "expected a quantity, one of below"),
        ('[options.a]\nchanges = { base = 1 }\nwhen = "resolv < 1"', "when", "'resolv'.*did you mean 'resolve'"),
        ('[options.a]\nchanges = { base = 1 }\ncosts = 1', "costs", "unknown key.*did you mean 'cost'"),
        ("[budget]\namount = 1\nunit = 'x'", "budget", "a budget without costs"),
        (OPTION + "[budget]\namount = 1\nunit = 'billion'\nconfidence = 0", "confidence", "greater"),
        (OPTION + "[budget]\namount = 1\nunit = 'euros'", "unit", "costs in 'billion', but budget.unit is in 'euros'"),
        (OPTION + OPTION.replace("brigade", "two").replace("billion", "million"), "unit", "costs in 'million', but"),
    ],
)  # fmt: skip
def test_what_an_option_may_not_say_is_refused_with_line_and_key(text: str, line: str, message: str):
    with pytest.raises(dt.ScenarioError, match=message) as caught:
        loaded(text)
    (problem, *_) = caught.value.problems
    number = int(problem.split(":")[1])
    written = f"{TEXT}\n{text}".splitlines()[number - 1]
    assert line.rpartition(".")[2] in written


def test_options_that_contradict_each_other_are_refused_all_at_once():
    text = """
[options.a]
changes = { base = 1 }
requires = ["b"]
excludes = ["c"]
[options.b]
changes = { base = 2 }
requires = ["c"]
[options.c]
changes = { decay = 3 }
"""
    with pytest.raises(dt.ScenarioError) as caught:
        loaded(text)
    told = "\n".join(caught.value.problems)
    assert "'a' requires 'c', which exclude each other: it could never be taken" in told
    assert "'b' sets 'base' to 2, 'a' to 1: they contradict each other" in told
    assert len(caught.value.problems) == 2


def test_options_that_exclude_each_other_may_set_one_number_to_different_values():
    both = '[options.a]\nchanges = { base = 1 }\n[options.b]\nchanges = { base = 2 }\nexcludes = ["a"]'
    assert list(loaded(both).table.options) == ["a", "b"]


# ---------------------------------------------------------------- triggers


def test_and_binds_closer_than_or():
    values = {"a": np.array([0.0, 1.0, 0.0, 1.0]), "b": np.array([0.0, 0.0, 1.0, 1.0])}
    assert trigger("a above 0.5 and b is below 0.5 or b >= 1").holds(values).tolist() == [False, True, True, True]
    assert trigger("a at least 1 and b at most 0").holds(values).tolist() == [False, True, False, False]


def test_a_quantity_that_is_not_known_triggers_nothing():
    assert not trigger("a below 1").holds({"a": np.array([np.nan])}).any()


@pytest.mark.parametrize(
    "text", ["", "a", "a below", "a below b", "a below 1 and", "__import__('os') < 1 and x", "a < nan"]
)
def test_what_is_no_trigger_is_refused(text: str):
    with pytest.raises(dt.ParameterError, match="expected a quantity, one of below, above"):
        trigger(text)


# ---------------------------------------------------------------- what can be afforded


@given(st.data())
def test_affordable_policies_are_those_of_brute_force(data):
    count, n = data.draw(st.integers(1, 5)), 4
    costs = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=count, max_size=count)), float
    )
    budget = np.array(data.draw(st.lists(st.integers(0, 8), min_size=n, max_size=n)), float)
    confidence = data.draw(st.sampled_from([0.25, 0.5, 1.0]))
    pairs = [(i, j) for i in range(count) for j in range(count) if i != j]
    excludes = data.draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    requires = {i: [j] for i, j in (data.draw(st.lists(st.sampled_from(pairs), max_size=2)) if pairs else [])}

    def fits(policy: tuple[int, ...]) -> bool:
        whole = all(j in policy for i in policy for j in requires.get(i, ()))
        apart = not any(i in policy and j in policy for i, j in excludes)
        spent = costs[list(policy)].sum(axis=0) if policy else np.zeros(n)
        return whole and apart and (spent <= budget).mean() >= confidence

    every = [p for k in range(count + 1) for p in itertools.combinations(range(count), k)]
    found = policies(
        count, requires=requires, excludes=excludes, costs=costs, budget=budget, confidence=confidence, most=100
    )  # fmt: skip
    assert found == [p for p in every if fits(p)]


def test_more_than_the_most_is_said_and_not_cut():
    few = {"requires": {}, "excludes": (), "costs": np.zeros((4, 1)), "budget": None}
    assert policies(4, **few, most=15) is None
    assert len(policies(4, **few, most=16)) == 16

"""Each number of an alliance is declared once, and files of an earlier release still load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.attacks import Attack, AttackOption
from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.members import Member, Support
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import ScenarioTable, json_schema
from deterrence.alliances.target import Target
from deterrence.alliances.treaty import Treaty
from deterrence.alliances.warning import Automation
from deterrence.games.errors import ParameterError, ScenarioError

TABLES = {
    "MemberTable": Member,
    "SupportTable": Support,
    "AttackTable": AttackOption,
    "TreatyTable": Treaty,
    "AutomationTable": Automation,
    "TargetTable": Target,
    "AggressorTable": Aggressor,
    "DefenceTable": CollectiveDefence,
}


@pytest.mark.parametrize("table", TABLES)
def test_the_keys_of_a_table_are_the_numbers_of_its_record(table: str) -> None:
    known = json_schema()["$defs"][table]["properties"]
    for name, said in numbers_declared(TABLES[table]).items():
        assert known[name]["description"] == said.meaning
        plain = known[name]["anyOf"][0]
        plain = plain["anyOf"][0] if "anyOf" in plain else plain
        assert plain["exclusiveMinimum" if said.strict else "minimum"] == said.low
        assert plain.get("maximum", np.inf) == said.high
        if not said.required:
            assert known[name]["default"] == said.default


@pytest.mark.parametrize("table", TABLES)
def test_every_number_says_what_it_is_and_checks_its_range(table: str) -> None:
    kind: Any = TABLES[table]
    needed = {"Member": {"name": "a"}, "AttackOption": {"name": "a", "strength": 1}}.get(kind.__name__, {})
    if kind is CollectiveDefence:
        needed = {"members": (Member(name="a"),), "attacks": (AttackOption(name="x", strength=1),)}
    for name, said in numbers_declared(kind).items():
        assert said.unit, name
        assert said.meaning, name
        below = said.low if said.strict else said.low - 1
        with pytest.raises(ParameterError, match=rf"^{name}.* must be .*, got"):
            kind(**{**needed, name: below})
        if said.high < np.inf:
            with pytest.raises(ParameterError, match=rf"^{name}.* must be"):
                kind(**{**needed, name: said.high + 0.5})


def test_members_numbers_belong_to_groups_of_a_comparison() -> None:
    assert {said.group for said in numbers_declared(Member).values()} == {"forces", "resolve", "treaty and recognition"}


OLD = """
schema_version = 1
name = "old"
title = "keys of an earlier release"

[defence]
base = 2

[treaty]
rule = "majority"
talk = 0.5

[aggressor]
prize = { family = "uniform", location = 0, scale = 1 }

[support.arms]
discharges = 0.4

[[attacks]]
name = "hybrid"
strength = 3
window = 10
share = 0.5
cost = 0.1
at_stake = 0.6
blur = 0.1
threshold = 0.2

[[members]]
name = "A"
capability = 2
delay = 1
stake = 1
cost = { family = "normal", location = 1, scale = 0.3 }
support = "arms"

[changes]
"treaty.talk" = 0.7

[perception.Aggressor]
"attacks.hybrid.at_stake" = 0.5

[variants.quiet]
mechanism = "none"
isolates = "nothing"
tables.treaty.talk = 0.1
"""


def test_a_file_with_keys_of_an_earlier_release_loads_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="is now .* the old name goes"):
        old = Scenario.loads(OLD)
    game = old.game()
    assert game.treaty.cheap_talk == 0.7
    assert game.attacks[0].stake_share == 0.6
    assert game.attacks[0].threshold_noise == 0.1
    assert game.members[0].support.obligation_met == 0.4
    assert game.perceived_by("Aggressor").attacks[0].stake_share == 0.5
    with pytest.warns(DeprecationWarning, match="the old name goes"):
        assert old.variant("quiet").table.treaty.cheap_talk.value == 0.1
    with (
        pytest.warns(DeprecationWarning, match="the old name goes"),
        pytest.raises(ScenarioError, match="holds both 'talk' and 'cheap_talk'"),
    ):
        Scenario.loads(OLD.replace("talk = 0.5", "talk = 0.5\ncheap_talk = 0.5"))
    assert isinstance(old.table, ScenarioTable)


def test_old_names_of_fields_work_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="'talk' of Treaty is now 'cheap_talk'"):
        treaty = Treaty(talk=0.3)
    assert treaty == Treaty(cheap_talk=0.3)
    with pytest.warns(DeprecationWarning, match="cheap_talk"):
        assert treaty.talk == 0.3
    with pytest.warns(DeprecationWarning, match="stake_share"):
        assert Attack(name="x", strength=1, at_stake=0.4) == Attack(name="x", strength=1, stake_share=0.4)
    game = ParticipationGame(members=(Member(name="a"),), attacks=(Attack(name="x", strength=1),))
    with pytest.warns(DeprecationWarning, match=r"'consultation' of ParticipationGame is now 'treaty\.consultation'"):
        assert game.at(consultation=3) == replace(game, treaty=Treaty(consultation=3))
    with pytest.warns(DeprecationWarning, match="is now 'treaty"):
        older = ParticipationGame(members=game.members, attacks=game.attacks, rule="majority", integration=0.1)
    assert older.treaty == Treaty(rule="majority", integration=0.1)
    with (
        pytest.warns(DeprecationWarning, match="the old name goes"),
        pytest.raises(TypeError, match="both 'talk' and 'cheap_talk'"),
    ):
        Treaty(talk=0.3, cheap_talk=0.3)

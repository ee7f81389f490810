"""Each mechanism of collective defence is a key of a scenario file, and moves the likelihood of attack as it should."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jsonschema
import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.alliances.attacks import Attack
from deterrence.alliances.cheap_talk import pivotal_bias
from deterrence.alliances.collective_defence import (
    Aggressor,
    AttackOption,
    CollectiveDefence,
    Member,
    Treaty,
)
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import json_schema
from deterrence.alliances.solving.participation import participation
from deterrence.alliances.treaty import InvocationRule
from deterrence.games.distributions import degenerate, two_point, uniform
from deterrence.games.errors import GameError, ScenarioError
from deterrence.models.crawford_sobel_1982 import most_informative
from deterrence.models.noisy_attribution import equilibria
from deterrence.perception.detection import warning_threshold
from deterrence.solvers.cheap_talk import told_share

COST = {"family": "normal", "location": 1.0, "scale": 0.5}
SMALL: dict[str, Any] = {  # three allies of whom two are near; one doubtful attack
    "schema_version": 1,
    "name": "small",
    "title": "Small",
    "defence": {"base": 2, "decisiveness": 2, "decay": 5},
    "treaty": {"rule": "unanimity", "consultation": 4},
    "aggressor": {"punishment": 0.04, "prize": {"family": "uniform", "location": 0, "scale": 1.5}},
    "attacks": [{"name": "hybrid", "strength": 5, "window": 12, "share": 0.8, "cost": 0.1}],
    "members": [
        {"name": n, "capability": k, "delay": d, "stake": 1.5, "obligation": 0.8, "recognition": 0.8, "cost": COST}
        for n, k, d in (("East", 2, 2), ("West", 4, 12), ("South", 3, 20))
    ],
}


def with_keys(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the small scenario with values at dotted keys; ``members.*`` stands for every one of them."""
    data = copy.deepcopy(SMALL)
    for dotted, value in keys.items():
        head, *steps = dotted.split(".")
        if not steps:
            data[head] = copy.deepcopy(value)
            continue
        tables = [data.setdefault(head, {})]
        if isinstance(tables[0], list):
            name = steps.pop(0)
            tables = [one for one in tables[0] if name in ("*", one["name"])]
        for step in steps[:-1]:
            tables = [one.setdefault(step, {}) for one in tables]
        for one in tables:
            one[steps[-1]] = copy.deepcopy(value)
    return data


def scenario(keys: Mapping[str, Any]) -> Scenario:
    return Scenario.loads(tomli_w.dumps(with_keys(keys)), "small")


SOLVED: dict[str, Any] = {}  # most mechanisms are held against the same plain scenario


def attack_chance(keys: Mapping[str, Any], kind: str = "") -> float:
    if (key := repr(keys)) not in SOLVED:
        SOLVED[key] = scenario(keys).game().attack_probabilities()
    found = SOLVED[key]
    low, high = found.by_kind[kind] if kind else found.likelihood
    assert low == pytest.approx(high, abs=1e-9)
    return float(low)


MORE, LESS = 1, -1
CHEAP = {"strength": 0.25, "cost": 0.3, "obligation_met": 1.0}
DOUBT = {"target": {"cost": {"family": "normal", "location": 0.4, "scale": 0.2}}}
SPLIT = {"members.East.bias": 0.1, "members.West.bias": 0.2, "members.South.bias": 0.05}
ALARMS = {"members.*.false_alarm": 0.6}
CRISIS = {
    "states": [
        {"name": "calm", "probability": 0.5, "changes": {"members.*.cost.location": "-0.5"}},
        {"name": "crisis", "probability": 0.5, "changes": {"members.*.cost.location": "+0.5"}},
    ]
}
MACHINES = {"level": 1.0, "loss": 0.0, "sensitivity": 2.5}  # as sharp as people, and faster
SURE = {"members.*.obligation": 1.5, "members.*.recognition": 1.0}
WEAK = {"defence.base": 0.3, "defence.decisiveness": 4}
ALONE = {"members.East.cost.location": "+2", "members.South.cost.location": "+2"}
TWO = [
    {**SMALL["attacks"][0], "steps": 8, "threshold": 0.3},
    {"name": "full", "strength": 6, "window": 12, "share": 1, "cost": 0.1},
]
SLICES = {"attacks.hybrid.steps": 8, "attacks.hybrid.threshold": 0.3}

MECHANISMS: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    # commitment and its scope: help that is worth less deters less; help that does not honour the treaty is owed again
    "scope of support": ({}, {"support.words": CHEAP, "members.*.support": "words"}, MORE),
    "support that costs more": (
        {"support.words": CHEAP, "members.*.support": "words"},
        {"support.words": {**CHEAP, "cost": 1.0}, "members.*.support": "words"},
        MORE,
    ),
    "support that does not discharge": (
        {"support.words": CHEAP, "members.*.support": "words"},
        {"support.words": {**CHEAP, "obligation_met": 0.1}, "members.*.support": "words"},
        MORE,
    ),
    # threat perception: who has less at stake, or sees less of an attack, comes less
    "stakes": ({}, {"members.*.stake": 0.2}, MORE),
    "recognition": ({}, {"members.South.recognition": 0.3}, MORE),
    # what is put at risk: members fight less for a part
    "what is at stake": ({}, {"attacks.hybrid.stake_share": 0.2}, MORE),
    # heterogeneous priors among members, as far as the aggressor knows of them: West expects nobody else to come, and
    # where the defence is weak contributions are complements, so it stays out
    "priors of members, known": (WEAK, {**WEAK, "perception": {"Aggressor": {"believes": {"West": ALONE}}}}, MORE),
    # credibility and misperception: resolve that is underestimated invites attack, overestimated deters
    "underestimated resolve": ({}, {"perception": {"Aggressor": {"members.*.cost.location": "+0.5"}}}, MORE),
    "overestimated resolve": ({}, {"perception": {"Aggressor": {"members.*.cost.location": "-0.5"}}}, LESS),
    # doubt of the protege: who expects no help yields, and conquest without a fight is cheap
    "a target that may yield": ({}, DOUBT, MORE),
    "doubt of the protege": (DOUBT, {**DOUBT, "perception": {"Target": {"members.*.obligation": 0.0}}}, MORE),
    # invocation: the fewer must agree, the likelier it is
    "majority": ({}, {"treaty.rule": "majority"}, LESS),
    "k of N": ({}, {"treaty.rule": {"threshold": 1}}, LESS),
    "lead nation": ({}, {"treaty.rule": {"lead": "East"}}, LESS),
    "weighted votes": ({}, {"treaty.rule": {"votes": {"East": 1, "West": 2, "South": 1}, "quota": 3}}, LESS),
    # consultation: it eats the window; one shared assessment is surer than three to agree under unanimity (0.8 > 0.8^3)
    "consultation": ({}, {"treaty.consultation": 12}, MORE),
    "deliberation": ({}, {"treaty.deliberation": 6}, MORE),
    "shared intelligence": ({}, {"treaty.shared_intelligence": 1.0}, LESS),
    # talk tells what members saw, the less the further apart they want the answer; beyond a bias of 1/4 nothing
    "cheap talk": ({}, {"treaty.cheap_talk": 1.0}, LESS),
    "biased talk": ({"treaty.cheap_talk": 1.0}, {"treaty.cheap_talk": 1.0, **SPLIT}, MORE),
    # integration: strength that works together, and forces that need no decision of their own
    "interoperability": ({}, {"treaty.integration": 0.5}, LESS),
    "integrated command": ({}, {"treaty.integrated_command": 0.9}, LESS),
    # procedure and sovereignty
    "automaticity": ({}, {"treaty.automaticity": 0.5}, LESS),
    "opt-out": ({}, {"members.*.opt_out": 0.9}, MORE),
    # presence: strength in place, tied hands, high readiness, a second promise
    "forward presence": ({}, {"members.West.forward": 1.0}, LESS),
    "tripwire": ({"members.West.forward": 1.0}, {"members.West.forward": 1.0, "defence.tripwire": 0.8}, LESS),
    "rapid response": ({}, {"members.South.rapid": 2.0, "members.South.rapid_delay": 2}, LESS),
    "rapid response that is slow": (
        {"members.South.rapid": 2.0, "members.South.rapid_delay": 2},
        {"members.South.rapid": 2.0, "members.South.rapid_delay": 15},
        MORE,
    ),
    "bilateral agreement": ({}, {"members.West.bilateral": 0.8}, LESS),
    # domestic politics
    "obligation": ({}, {"members.*.obligation": 1.5}, LESS),
    "audience costs": ({}, {"members.*.audience": 0.5}, LESS),
    "opposition": ({}, {"members.*.opposition": 0.5}, MORE),
    # correlated resolve: where most would come, a crisis takes away more than a calm adds; and where the defence is
    # strong H is concave, so that strengths that bunch are worth less
    "common shock": (SURE, {**SURE, "shock": CRISIS}, MORE),
    "one factor": ({"defence.base": 6}, {"defence.base": 6, "shock.correlation": 0.8}, MORE),
    # logistics
    "delay": ({}, {"members.*.delay": 25}, MORE),
    "decay": ({}, {"defence.decay": 30}, LESS),
    "lift": ({}, {"members.*.days_per_unit": 5}, MORE),
    "window": ({}, {"attacks.hybrid.window": 3}, MORE),
    # hybrid and cyber: who cannot be named, or stays below the line, meets nobody
    "attribution": ({}, {"attacks.hybrid.attribution": 0.3}, MORE),
    "small steps": ({"attacks.hybrid.threshold": 0.3}, SLICES, MORE),
    "a line drawn lower": (SLICES, {**SLICES, "attacks.hybrid.threshold": 0.05}, LESS),
    # with memory the slices stop short of the line, so that keener aggressors choose the full attack in their place
    "steps remembered, kind hybrid": ({"attacks": TWO}, {"attacks": TWO, "attacks.hybrid.memory": 1.0}, LESS),
    # a target that may yield gives the prize away; what mounting the attack costs is lost all the same
    "cost of mounting": (DOUBT, {**DOUBT, "attacks.hybrid.mounting": 1.0}, LESS),
    "a toll on each step": (SLICES, {**SLICES, "attacks.hybrid.step_cost": 0.06}, LESS),
    "a blurred line": (SLICES, {**SLICES, "attacks.hybrid.threshold_noise": 0.3}, LESS),
    # false alarms make restraint less safe, and so attack more likely
    "false alarms": ({"treaty.incidents": 0.8}, {"treaty.incidents": 0.8, **ALARMS}, MORE),
    "incidents of a kind": (ALARMS, {**ALARMS, "attacks.hybrid.incidents": 0.8}, MORE),
    # machines: the days they save deter; what they misjudge, and what is hidden from them, invites
    "automation": ({"automation": {**MACHINES, "level": 0.0}}, {"automation": MACHINES}, LESS),
    "mobilisation by machine": ({"automation": MACHINES}, {"automation": {**MACHINES, "mobilisation": 0.8}}, LESS),
    "automation of weak judgment": ({"automation": MACHINES}, {"automation": {**MACHINES, "loss": 0.9}}, MORE),
    "spoofing": ({"automation": MACHINES}, {"automation": {**MACHINES, "spoofing": 0.6}}, MORE),
}


@pytest.mark.parametrize("name", MECHANISMS)
def test_each_mechanism_moves_the_likelihood_of_attack(name: str) -> None:
    off, on, direction = MECHANISMS[name]
    kind = name.partition(", kind ")[2]
    assert direction * (attack_chance(on, kind) - attack_chance(off, kind)) > 1e-3


def test_every_key_of_the_tables_is_in_a_mechanism_or_is_no_mechanism() -> None:
    """A key that is added to a scenario file is also added above, with the direction of what it does."""
    text = tomli_w.dumps({str(i): on for i, (_, on, _) in enumerate(MECHANISMS.values())})
    plain = {"name", "capability", "cost", "strength", "share", "window", "prior", "cost_miss", "cost_false"}
    schema = json_schema()["$defs"]
    for table in ("MemberTable", "AttackTable", "TreatyTable", "AutomationTable"):
        for key in set(schema[table]["properties"]) - plain - {"attack", "speed", "sensitivity"}:
            assert key in text, (table, key)
            assert schema[table]["properties"][key].get("description") or key in ("rule", "name"), (table, key)


def test_a_member_that_doubts_the_others_changes_what_happens_not_what_is_expected() -> None:
    doubt = {**WEAK, "perception": {"West": ALONE}}
    plain, doubtful = scenario(WEAK).game(), scenario(doubt).game()
    assert doubtful.response().holds[0, 0] < plain.response().holds[0, 0] - 1e-3
    assert attack_chance(doubt) == attack_chance(WEAK)


# -- cheap talk --------------------------------------------------------------------------------------------------------


def partition_by_indifference(bias: float) -> np.ndarray:
    """Add cells while the sender's indifference, a_(j+1) - a_j = a_j - a_(j-1) + 4 b, has an increasing solution."""
    cuts = np.array([0.0, 1.0])
    while True:
        inner = len(cuts) - 1  # cutpoints between the ends, with one cell more
        system = np.diag(np.full(inner, -2.0)) + np.diag(np.ones(inner - 1), 1) + np.diag(np.ones(inner - 1), -1)
        right = np.full(inner, 4.0 * bias)
        right[-1] -= 1.0
        finer = np.concatenate([[0.0], np.linalg.solve(system, right), [1.0]])
        if np.diff(finer).min() <= 1e-12:
            return cuts
        cuts = finer


@settings(max_examples=60, deadline=None)
@given(bias=st.floats(1e-4, 0.6))
def test_what_talk_tells_is_the_most_informative_partition(bias: float) -> None:
    """Crawford and Sobel 1982: cutpoints i/N + 2 b i (i - N); EU_receiver = -(1 - share) / 12."""
    known = most_informative(bias)
    cuts = partition_by_indifference(bias)
    assert cuts == pytest.approx(known["cutpoints"], abs=1e-8)
    assert 1 - (np.diff(cuts) ** 3).sum() == pytest.approx(float(told_share(bias)), abs=1e-8)
    assert -(1 - float(told_share(bias))) / 12 == pytest.approx(known["EU_receiver"], abs=1e-8)
    answers = 0.5 * (cuts[1:] + cuts[:-1])  # at a cutpoint the sender's ideal is halfway between the answers beside it
    assert 0.5 * (answers[1:] + answers[:-1]) == pytest.approx(cuts[1:-1] + bias, abs=1e-10)
    assert float(told_share(bias * 1.1)) <= float(told_share(bias)) + 1e-12


def test_ends_of_talk() -> None:
    assert told_share([0.0, 0.25, 1.0]) == pytest.approx([1, 0, 0], abs=1e-12)
    assert told_share([0.05, 0.1, 0.3]) == pytest.approx([1 - 12 * 0.015925926, 1 - 12 * 0.030833333, 0], abs=1e-7)


@pytest.mark.parametrize(
    ("rule", "decides"),
    [("unanimity", 0.0), ("majority", 0.3), ({"threshold": 1}, 0.9), ({"lead": "b"}, 0.9),
     ({"votes": {"a": 5, "b": 1, "c": 1}, "quota": 4}, 0.0)],
)  # fmt: skip
def test_the_pivotal_member_decides(rule: Any, decides: float) -> None:
    votes, quota = InvocationRule.of(rule).ballot(["a", "b", "c"])
    assert pivotal_bias(np.array([0.0, 0.9, 0.3]), votes, quota) == pytest.approx([decides])


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 5), seed=st.integers(0, 10**6), kind=st.sampled_from(["unanimity", "majority", "threshold"]))
def test_invocation_after_talk_is_the_sum_over_all_that_may_be_said(n: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    members = tuple(
        Member(name=f"m{i}", capability=1, cost=uniform(0, 1), obligation=0.5, recognition=rng.random(),
               bias=rng.random() * 0.3)
        for i in range(n)
    )  # fmt: skip
    reach, k = rng.random(), int(rng.integers(1, n + 1))
    game = ParticipationGame(
        members=members, attacks=(Attack(name="x", strength=1),),
        treaty=Treaty(
            rule={"threshold": k} if kind == "threshold" else kind, cheap_talk=reach, shared_intelligence=0.2
        ),
    )  # fmt: skip
    votes, quota = game.treaty.rule.ballot(game.names)
    e = np.array([m.recognition for m in members])
    told = game.heard()
    assert told.max() == pytest.approx(reach)  # the member who decides
    total, both = 0.0, np.zeros(n)
    for bits in np.ndindex(*(2,) * (2 * n + 1)):
        common, heard, own = bits[0], np.array(bits[1 : n + 1]), np.array(bits[n + 1 :])
        chance = np.where(common, e.mean(), 1 - e.mean())
        chance = chance * np.where(heard, told, 1 - told).prod() * np.where(own, e, 1 - e).prod()
        sees = np.where(heard, common, own)
        total += chance * (votes @ sees >= quota - 1e-9)
        both += chance * sees * (votes @ sees < quota - 1e-9)
    found = game.invocation()
    invoked = 0.2 * e.mean() + 0.8 * total
    assert float(found.probability) == pytest.approx(invoked, abs=1e-12)
    assert found.recognition_if_not * (1 - invoked) == pytest.approx(0.8 * both, abs=1e-12)
    assert len(participation(game)) >= 1  # certified by code of its own


def test_talk_makes_false_alarms_common_too() -> None:
    silent, talking = (scenario({**ALARMS, "treaty.cheap_talk": t}).game().participation_game() for t in (0.0, 1.0))
    assert float(silent.false_invocation()) == pytest.approx(0.6**3)
    assert float(talking.false_invocation()) == pytest.approx(0.6)


# -- arrival, alarms, machines -----------------------------------------------------------------------------------------


def test_rapid_forces_and_the_rest_in_closed_form() -> None:
    """2 of 5 units after 3 + 1 days, the rest from day 9 + 1 at 2 days a unit; window 8, decay 4."""
    ally = Member(
        name="ally", capability=5, delay=9, rapid=2, rapid_delay=3, days_per_unit=2, cost=degenerate(0.0), obligation=1
    )
    game = ParticipationGame(
        members=(ally,),
        attacks=(Attack(name="x", strength=3, window=8),),
        decay=4,
        treaty=Treaty(consultation=1),
        base=1,
    )
    late = 4 * (np.exp(-2 / 4) - np.exp(-8 / 4)) / 6
    assert float(game.stage(invoked=True).weights[0]) == pytest.approx(2 + 3 * late, abs=1e-12)
    assert len(participation(game)) == 1
    whole = ParticipationGame(
        members=(Member(name="ally", capability=5, rapid=9, delay=99, cost=degenerate(0.0), obligation=1),),
        attacks=(Attack(name="x", strength=3),),
    )
    assert float(whole.stage(invoked=True).weights[0]) == 5.0


def test_false_alarms_by_kind_of_attack() -> None:
    """Each kind has its own incidents and its own alarms: 0.2 * 0.5 * 0.8 and 0.1 * 0.9 * 0.8 units act."""
    ally = Member(
        name="ally", capability=1, cost=two_point(0, 9, 0.8), obligation=1, false_alarm={"cyber": 0.5, "raid": 0.9}
    )
    game = CollectiveDefence(
        members=(ally,),
        attacks=(
            AttackOption(name="cyber", strength=1e12, incidents=0.05),
            AttackOption(name="raid", strength=1e12, share=0.5, incidents=0.1),
        ),
        aggressor=Aggressor(prize=uniform(0, 4), punishment=2),
        treaty=Treaty(rule={"threshold": 1}, incidents=0.15),
    )
    acting = 0.2 * 0.5 * 0.8 + 0.1 * 0.9 * 0.8
    assert float(game.false_alarm_response()) == pytest.approx(acting, abs=1e-12)
    assert float(game.aggressor_choice().threshold) == pytest.approx(2 * 0.8 - 2 * acting, abs=1e-9)
    with pytest.raises(GameError, match="false alarm of ally has no attack 'x'"):
        ally.mistakes("x")


def test_automation_is_signal_detection_and_time_saved() -> None:
    table = {"attack": "hybrid", "level": 0.5, "speed": 0.8, "sensitivity": 2.0, "loss": 0.4, "spoofing": 0.3}
    table["mobilisation"] = 0.6
    game = scenario({"automation": table, "treaty.deliberation": 2, "treaty.rule": "majority"}).game()
    inner = game.participation_game()
    seen = warning_threshold(0.2, 5, 1, 1.6)
    assert inner.treaty.consultation_days == pytest.approx(4 * 0.6)
    assert inner.treaty.deliberation_days == pytest.approx(2 * 0.6)
    assert [one.delay for one in inner.members] == pytest.approx([2 * 0.7, 12 * 0.7, 20 * 0.7])
    assert inner.members[0].recognises("hybrid") == pytest.approx(float(seen.hit) * 0.85)
    assert inner.members[0].mistakes("hybrid") == pytest.approx(float(seen.false_alarm))
    levels = np.array([0.0, 0.5])
    batch = game.at(**{"automation.level": levels}).attack_probabilities().likelihood[0]
    assert batch[1] == pytest.approx(float(game.attack_probabilities().likelihood[0]), abs=1e-9)


# -- attribution as an inspection game ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "B", "F"), [(0.1, 2, 1), (0.3, 2, 1), (0.05, 0.7, 1.9)])
def test_attribution_is_the_inspection_game(f: float, B: float, F: float) -> None:
    """One ally that sees an alarm with probability h or f; an incident whenever the aggressor refrains.

    The attacker is indifferent where the ally retaliates after an alarm with probability g / (R (h - f)), a two-point
    cost here; who attacks is a two-point prize around g. Then all that the closed form states follows.
    """
    g, R, h = 1.0, 3.0, 0.8
    known = equilibria(g, R, h, f, B, F)["equilibria"]["deterrence"]
    attack, share = known["P_attack"], known["retaliate_after_alarm"]
    ally = Member(
        name="ally", capability=1, recognition=h, false_alarm=f, cost=two_point(0.0, 9.0, share), obligation=1
    )
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=1e12),),
        aggressor=Aggressor(prize=two_point(g - 1e-6, g + 1e-6, 1 - attack), punishment=R),
        treaty=Treaty(incidents=1.0),
    )
    assert float(game.aggressor_choice().threshold) == pytest.approx(g, abs=1e-8)
    likelihood = float(game.attack_probabilities().likelihood[0])
    assert likelihood == pytest.approx(attack, abs=1e-8)
    assert (1 - likelihood) * float(game.false_alarm_response()) == pytest.approx(
        known["P_unjust_retaliation"], abs=1e-8
    )
    assert likelihood * float(game.response().nobody[0, 0]) == pytest.approx(known["P_unpunished_attack"], abs=1e-8)
    sure = game.at(**{"members.ally.cost.shape.probability": 1.0})  # deterrable iff g <= R (h - f)
    assert float(sure.aggressor_choice().threshold) == pytest.approx(R * (h - f), abs=1e-8)
    belief = attack * h / (attack * h + (1 - attack) * f)  # after an alarm; the ally is indifferent at F / (F + B)
    assert belief == pytest.approx(F / (F + B), abs=1e-8)


def test_machines_mobilise_what_is_at_high_readiness_too_and_leave_lift_as_it_was() -> None:
    """Delays of 6 and 2 days at two thirds: as if they were 4 and 4/3; a machine at level 0 saves nothing."""
    ally = {
        "members.West.delay": 6,
        "members.West.rapid": 1,
        "members.West.days_per_unit": 3,
        "attacks.hybrid.window": 7,
    }
    table = {**MACHINES, "level": 0.5, "speed": 0.0, "mobilisation": 2 / 3}
    saved = attack_chance({**ally, "members.West.rapid_delay": 2, "automation": table})
    by_hand = {**ally, "members.West.delay": 4, "members.West.rapid_delay": 4 / 3}
    by_hand |= {"members.East.delay": 2 * 2 / 3, "members.South.delay": 20 * 2 / 3}
    assert saved == pytest.approx(attack_chance({**by_hand, "automation": {**table, "mobilisation": 0.0}}), abs=1e-10)
    none = {**ally, "members.West.rapid_delay": 2, "automation": {**table, "level": 0.0}}
    assert attack_chance(none) == pytest.approx(
        attack_chance({**none, "automation": {**table, "level": 0.0, "mobilisation": 0.0}}), abs=1e-12
    )
    assert saved < attack_chance(none) - 1e-3


# -- scenario files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"attacks.hybrid.stpes": 4}, r"small:\d+: attacks\[0\]\.stpes: unknown key.*did you mean 'steps'"),
        ({"attacks.hybrid.steps": 2.5}, r"attacks\[0\]: steps of hybrid must be a whole number, got 2.5"),
        ({"attacks.hybrid.steps": 0}, r"attacks\[0\]\.steps: expected a number in \[1, 100\], got 0"),
        ({"treaty.cheap_tlak": 1}, r"treaty\.cheap_tlak: unknown key.*did you mean 'cheap_talk'"),
        ({"treaty.cheap_talk": 2}, r"treaty\.cheap_talk: expected a number in \[0, 1\], got 2"),
        ({"members.East.bais": 1}, r"members\[0\]\.bais: unknown key.*did you mean 'bias'"),
        ({"members.East.rapid_delya": 1}, r"unknown key.*did you mean 'rapid_delay'"),
        ({"automation.levl": 1}, r"automation\.levl: unknown key.*did you mean 'level'"),
        ({"automation.attack": "hybird"}, r"automation\.attack: 'hybird' is no attack; .*did you mean 'hybrid'"),
        (
            {"members.East.false_alarm": {"hybrd": 0.1}},
            r"members\[0\]\.false_alarm: expected a probability for .*'hybrid'",
        ),
        ({"members.East.false_alarm": {"hybrd": 0.1}}, r"'hybrd' is no attack of this scenario; did you mean 'hybrid'"),
        (
            {"shock.states": [{"name": "calm", "probability": 0.5}, {"name": "crisis", "probability": 0.4}]},
            r"small:\d+: shock\.states: expected probabilities that sum to 1, got 0.9 \(calm 0.5, crisis 0.4\); change",
        ),
        (
            {"posture": {"types": [{"name": "firm", "probability": 0.6}], "postures": [{"name": "words"}]}},
            r"posture\.types: expected probabilities that sum to 1, got 0.6 \(firm 0.6\)",
        ),
        (
            {"perception": {"Aggressor": {"base": [1]}}},
            r"perception\.Aggressor: expected a number or a change such as '\+0.5' for 'base'",
        ),
        (
            {"perception": {"Aggressor": {"believes": {"West": 1}}}},
            r"perception\.Aggressor: expected a table of changes by path, got 1",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mechanism_names_place_and_mend(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario(keys)


NESTED = {"Aggressor": {"base": "*0.9", "believes": {"West": {**ALONE, "believes": {"East": {"base": 1.0}}}}}}


@pytest.mark.parametrize("place", ["perception", "variants"])
def test_nested_beliefs_load_survive_writing_and_are_in_the_schema(place: str) -> None:
    def tables(nested: dict[str, Any]) -> dict[str, Any]:
        if place == "perception":
            return {"perception": nested}
        return {"variants": {"told": {"mechanism": "beliefs", "isolates": "Who thinks what.", "perception": nested}}}

    keys = {**WEAK, **tables(NESTED)}
    text = tomli_w.dumps(with_keys(keys))
    assert re.search(r"^\[(.*\.)?perception\.Aggressor\.believes\.West\.believes\.East\]$", text, re.MULTILINE)
    loaded = Scenario.loads(text, "small")
    one = loaded.variant("told") if place == "variants" else loaded
    by_hand = scenario(WEAK).game()
    assert one.game() == replace(by_hand, perception=NESTED)
    assert one.game().attack_probabilities().likelihood[0] > by_hand.attack_probabilities().likelihood[0] + 1e-3
    assert Scenario.loads(one.text, "small").game() == one.game()
    data, schema = tomllib.loads(text), json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    wrong = tables({"Aggressor": {"believes": {"West": {"believes": {"East": {"base": [1]}}}}}})
    with pytest.raises(jsonschema.ValidationError, match=r"\[1\] is not valid"):
        jsonschema.validate({**data, **wrong}, schema)


def test_mechanisms_survive_writing_and_can_be_swept() -> None:
    keys = {
        **SLICES,
        "treaty.cheap_talk": 0.5,
        "members.East.bias": 0.1,
        "automation": MACHINES,
        "members.West.rapid": 1.0,
    }
    one = scenario(keys)
    assert Scenario.loads(tomli_w.dumps(with_keys(keys))).game() == one.game()
    for path, values in (
        ("attacks.hybrid.steps", [1.0, 3.0]),
        ("treaty.cheap_talk", [0.0, 1.0]),
        ("members.East.bias", [0.05, 0.2]),
        ("automation.level", [0.0, 1.0]),
        ("automation.mobilisation", [0.0, 0.9]),
    ):
        found = one.answer({path: np.array(values)}).low["attack"]
        assert found == pytest.approx(
            [float(one.at_values({path: v}).attack_probabilities().likelihood[0]) for v in values], abs=1e-8
        )
    assert dt.Scenario.load("textbook").table.automation is None

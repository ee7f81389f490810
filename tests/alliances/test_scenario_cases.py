"""What each shipped case is there to show."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from deterrence.alliances.scenarios.comparison import GROUPS, compare_scenarios
from deterrence.alliances.scenarios.loader import entry_problems
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import MemberTable, ScenarioTable
from deterrence.alliances.treaty import InvocationRule


@functools.cache
def shipped(name: str, variant: str = "") -> Scenario:
    """Return a shipped scenario or one of its variants, read once."""
    return shipped(name).variant(variant) if variant else Scenario.load(name)


def chances(name: str, at: dict[str, float] | None = None) -> dict[str, float]:
    """Return the lowest likelihood of each choice of the aggressor."""
    found = shipped(name).at_values(at or {}).attack_probabilities()
    return {kind: float(low) for kind, (low, _) in found.by_kind.items()}


def test_baltic_2014_capability_beyond_the_window_is_worth_little() -> None:
    case = shipped("baltic-2014")
    before = case.game()
    assert all(member.forward == 0 for member in before.members)
    resolute = case.at_values({"resolve": -2.0})
    near = case.at_values({"*members.*.delay": 0.1, "treaty.consultation": 0.25})
    limited = [a.name for a in before.attacks].index("limited")
    gain = [game.response().holds[0, limited] - before.response().holds[0, limited] for game in (resolute, near)]
    assert gain[0] < 0.15 < gain[1]
    assert chances("baltic-2014")["refrain"] < chances("baltic-2017")["refrain"] < chances("baltic-2024")["refrain"]


def test_baltic_2024_brigades_in_place_and_the_rest_of_the_posture() -> None:
    back = {"members.Germany.forward": 0.15, "members.Canada.forward": 0.15}
    assert chances("baltic-2024")["refrain"] > chances("baltic-2024", back)["refrain"]
    words = shipped("baltic-2024").at_values({"tripwire": 0.0})
    assert words.response().comes[0, 1].sum() < shipped("baltic-2024").game().response().comes[0, 1].sum()


def test_article5_2001_cheap_support_honours_the_treaty_and_adds_little_strength() -> None:
    case = shipped("article5-2001")
    met = case.game().response()
    cheap = [i for i, m in enumerate(case.game().members) if m.support.kind != "military"]
    assert met.comes[0, 0, cheap].min() > 0.75 * met.invoked[0]
    capability = sum(m.capability for m in case.game().members)
    assert met.strength[0, 0] < 0.4 * capability
    unmet = case.at_values({"members.*.support.obligation_met": 0.3}).response()
    assert unmet.comes[0, 0, cheap].mean() < 0.5 * met.comes[0, 0, cheap].mean()
    unnamed = case.at_values({"attacks.terror.attribution": 0.4}).response()
    assert unnamed.invoked[0] == pytest.approx(0.4 / 0.95 * met.invoked[0])


def test_crimea_2014_an_obligation_alone_comes_too_late() -> None:
    case = shipped("crimea-2014")
    seizure = [a.name for a in case.game().attacks].index("seizure")

    def met(at: dict[str, float]) -> tuple[float, float]:
        found = case.at_values(at).response()
        return float(found.holds[0, seizure]), float(found.strength[0, seizure])

    owed = {"membership": 1.0}
    quick = {"treaty.consultation": 1.0, "members.*.delay": 3.0, "attacks.seizure.attribution": 1.0}
    assert met({})[1] < 0.1
    assert met(owed)[0] - met({})[0] < 0.05
    assert met({**owed, **quick})[0] - met({})[0] > 0.2
    assert met({**owed, **quick})[0] > met(quick)[0] + 0.1
    assert chances("crimea-2014")["seizure"] > chances("crimea-2014")["open"]


def test_ukraine_2022_unexpected_support_and_what_membership_would_have_changed() -> None:
    case = shipped("ukraine-2022")
    game = case.game()
    assert game.perceived_response().holds[0, 0] < game.response().holds[0, 0] - 0.1
    assert float(game.regret_probability()) > 0.05
    alone = case.at_values({"members.*.support.strength": 0.0})
    assert game.response().holds[0, 0] > alone.response().holds[0, 0] + 0.02
    assert abs(chances("ukraine-2022")["refrain"] - float(alone.attack_probabilities().by_kind["refrain"][0])) < 0.05
    attack = case.answer({"membership": np.array([0.0, 0.5, 1.0])}).low["attack"]
    assert (np.diff(attack) < 0).all()


def test_cyber_threshold_attribution_and_automation() -> None:
    unnamed, named = (chances("cyber-threshold", {"attacks.severe.attribution": x}) for x in (0.2, 1.0))
    assert named["severe"] < unnamed["severe"]
    slow, fast, sharp = (
        chances("cyber-threshold", at) for at in ({}, {"automation": 1.0}, {"automation": 1.0, "loss": 0.0})
    )
    assert fast["severe"] < slow["severe"]
    assert fast["nuisance"] > slow["nuisance"]
    assert fast["refrain"] < sharp["refrain"]
    case = shipped("cyber-threshold")
    alarm = [float(case.at_values({"automation": x}).participation_game().false_invocation()) for x in (0.0, 1.0)]
    assert alarm[1] > alarm[0]


def test_bilateral_guarantee_carries_where_the_treaty_may_not_be_invoked() -> None:
    case = shipped("bilateral-guarantee")
    none = {"members.Patron.bilateral": 0.0}
    assert chances("bilateral-guarantee")["refrain"] > chances("bilateral-guarantee", none)["refrain"] + 0.1
    met = case.game().response()
    assert met.comes[0, 0, 0] > met.invoked[0]  # the patron comes more often than the treaty is invoked
    spread = case.answer({"shock.correlation": np.array([0.0, 0.4, 0.8])}, events=("defence holds",)).low[
        "defence holds"
    ]
    assert (np.diff(spread) < 0).all()


def test_fractured_alliance_is_attacked_where_unanimity_fails() -> None:
    case = shipped("fractured-alliance")
    game = case.game()
    assert game.response().invoked[0] < 0.05
    assert chances("fractured-alliance")["hybrid"] > 0.5  # stability and instability: the full attack is deterred
    assert chances("fractured-alliance")["full"] < 0.01
    shared = chances("fractured-alliance", {"treaty.shared_intelligence": 1.0})
    assert shared["refrain"] > 0.9
    few = replace(game, treaty=replace(game.treaty, rule=InvocationRule.of({"threshold": 3})))
    assert float(few.attack_probabilities().by_kind["refrain"][0]) > 0.9


# -- variants --------------------------------------------------------------------------------------------------------

MECHANISMS = (
    "mutual commitment and its scope",
    "threat perception",
    "credibility",
    "misperception and doubt",
    "Article 5: response, consultation, integration",
    "treaty procedure and sovereignty",
    "Baltic forward presence",
    "inconsistent members and domestic politics",
    "logistics and operations",
    "hybrid and cyber",
    "AI and autonomous systems",
    "readiness, dialogue, adaptation",
    "signals of resolve",
)


VARIANTS = [(name, variant) for name in Scenario.names() for variant in shipped(name).variants]


@functools.cache
def kinds(name: str, variant: str = "") -> np.ndarray:
    """Return the likelihood of attack and of each kind, solved as a batch of one."""
    case = shipped(name, variant)
    answer = case.answer(
        {},
        events=[event for event in case.events if event not in NO_LIKELIHOOD],
    )
    return np.array([answer.low[event][0] for event in answer.low])


NO_LIKELIHOOD = ("regretted attack", "unwanted war", "defence holds")


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_variant_visibly_changes_the_likelihood_of_attack(name: str, variant: str) -> None:
    assert np.abs(kinds(name, variant) - kinds(name)).max() > 0.009
    changed = shipped(name, variant).table
    assert entry_problems(changed) == []
    assert changed.shows == shipped(name).table.variants[variant].isolates


def test_every_mechanism_has_a_variant_that_isolates_it() -> None:
    found = {shipped(name).table.variants[variant].mechanism for name, variant in VARIANTS}
    assert found == set(MECHANISMS)


@pytest.mark.parametrize(
    ("name", "variant", "more"),
    [
        ("article5-2001", "words-do-not-count", True),
        ("article5-2001", "reserved", True),
        ("baltic-2014", "lift", True),
        ("baltic-2014", "dialogue", False),
        ("baltic-2017", "seen-rightly", False),
        ("baltic-2017", "resolute", False),
        ("baltic-2017", "no-forward-presence", True),
        ("baltic-2017", "no-tripwire", True),
        ("baltic-2017", "rapid-response", False),
        ("baltic-2017", "bilateral-agreement", False),
        ("baltic-2017", "long-consultation", True),
        ("baltic-2017", "integrated-command", False),
        ("baltic-2017", "slow-agreement", True),
        ("baltic-2017", "automatic", False),
        ("baltic-2024", "battlegroups-only", True),
        ("bilateral-guarantee", "no-guarantee", True),
        ("bilateral-guarantee", "opposition", True),
        ("bilateral-guarantee", "audience", False),
        ("bilateral-guarantee", "doubting-protege", True),
        ("crimea-2014", "quick-obligation", False),
        ("cyber-threshold", "named", False),
        ("cyber-threshold", "automated", False),
        ("cyber-threshold", "quick-mobilisation", False),
        ("cyber-threshold", "spoofed", True),
        ("fractured-alliance", "one-view", False),
        ("fractured-alliance", "shared-intelligence", False),
        ("fractured-alliance", "five-of-eight", False),
        ("fractured-alliance", "distrust", False),
        ("fractured-alliance", "talk", False),
        ("baltic-2017", "delegated-authority", False),
        ("fractured-alliance", "weighted-votes", False),
        ("textbook", "believed", False),
        ("ukraine-2022", "membership", False),
        ("ukraine-2022", "no-support", True),
    ],
)
def test_the_direction_of_a_mechanism(name: str, variant: str, more: bool) -> None:
    before, after = kinds(name)[0], kinds(name, variant)[0]
    assert after > before if more else after < before


def test_a_bluff_works_as_resolve_would() -> None:
    case, bluff = shipped("baltic-2017"), shipped("baltic-2017", "bluff")
    assert kinds("baltic-2017", "bluff") == pytest.approx(kinds("baltic-2017", "seen-rightly"), abs=1e-9)
    events = ("defence holds",)
    assert bluff.answer({}, events=events).low["defence holds"] < case.answer({}, events=events).low["defence holds"]


def test_small_steps_undo_what_a_tolerant_rule_had_won() -> None:
    whole, steps = (kinds("fractured-alliance", name)[0] for name in ("five-of-eight", "salami"))
    assert whole < 0.01
    assert steps > 0.5


def test_a_protege_that_doubts_is_taken_without_a_fight() -> None:
    quick = shipped("bilateral-guarantee", "doubting-protege").at_values({"base": np.array([1.5])})
    assert quick.conquest_without_fight()[0] > 0.1
    trusting = quick.at(base=np.array([1.5])).at(**{"target.stake": 50.0})
    assert trusting.conquest_without_fight()[0] == pytest.approx(0, abs=1e-9)


# -- comparison ------------------------------------------------------------------------------------------------------


def test_a_comparison_adds_up_and_names_what_changed() -> None:
    found = compare_scenarios("baltic-2014", "baltic-2017")
    assert sum(c.shapley for c in found.contributions) == pytest.approx(found.change, abs=1e-12)
    assert found.contributions[0].group == "forces"
    assert found.contributions[0].shapley < -0.1
    for name, likelihood in (("baltic-2014", found.likelihood_before), ("baltic-2017", found.likelihood_after)):
        assert likelihood == pytest.approx(1 - chances(name)["refrain"], abs=1e-8)
    assert {c.group for c in found.contributions} <= set(GROUPS)
    assert "forces" in str(found)
    assert found.to_markdown().count("|") > 10
    assert found.to_dict()["contributions"][0]["group"] == "forces"
    assert "<table>" in found._repr_html_()


def test_one_group_that_changes_has_the_whole_change() -> None:
    before = shipped("textbook")
    after = Scenario.loads(before.text.replace("resolve = 0.4", "resolve = 0.6"))
    found = compare_scenarios(before, after)
    (only,) = found.contributions
    assert only.group == "perception"
    assert only.shapley == only.alone == only.last == found.change
    assert found.change == pytest.approx((1 - 0.6 / 0.4 / 2) - (1 - 0.4 / 0.6 / 2), abs=1e-8)
    assert compare_scenarios(before, before).contributions == ()


def test_two_groups_share_their_interaction_equally() -> None:
    before = shipped("textbook")
    text = before.text.replace("resolve = 0.4", "resolve = 0.6").replace(
        "scale = { value = 2, source", "scale = { value = 3, source", 1
    )
    found = compare_scenarios(before, Scenario.loads(text))
    assert len(found.contributions) == 2
    for one in found.contributions:
        assert one.shapley == pytest.approx((one.alone + one.last) / 2, abs=1e-12)


POSTURE = """
[posture]
sender = "Ally"
quantiles = 4
types = [
    { name = "firm", probability = 0.5 },
    { name = "soft", probability = 0.5, changes = { "members.Ally.cost.shape.probability" = 0.1 } },
]
postures = [POSTURES]
"""


def test_a_posture_stage_is_a_group_of_its_own() -> None:
    plain = shipped("textbook")
    text = plain.text.split("[variants.")[0]
    said, sent = '{ name = "words" }', '{ name = "troops", cost = 0.1, forward = { Ally = 2 } }'
    words, troops = (Scenario.loads(text + POSTURE.replace("POSTURES", one)) for one in (said, f"{said}, {sent}"))
    found = compare_scenarios(words, troops)
    (only,) = found.contributions
    assert only.group == "posture"
    assert only.shapley == found.change < -0.1
    for scenario, stated in ((words, found.likelihood_before), (troops, found.likelihood_after)):
        calm = [e.probability_range("refrain") for e in scenario.solve()]
        assert stated == pytest.approx(1 - (min(x for x, _ in calm) + max(x for _, x in calm)) / 2)
    alone = compare_scenarios(plain, troops)
    assert [c.group for c in alone.contributions] == ["posture"]
    assert alone.likelihood_before == pytest.approx(2 / 3)


def test_every_table_and_key_of_a_scenario_belongs_to_a_group() -> None:
    """What no group holds would be left out of a comparison without a word."""
    said_only = {
        *("schema_version", "name", "title", "description", "shows", "does_not_show", "sources", "variants"),
        *("options", "budget", "uncertainty", "evidence", "horizon"),
    }
    handled = {
        *("parameters", "defence", "treaty", "automation", "aggressor", "attacks", "members", "support", "shock"),
        *("target", "posture", "perception", "changes"),
    }
    assert set(ScenarioTable.model_fields) == said_only | handled
    assert set(MemberTable.model_fields) == {"name", *(key for keys in GROUPS.values() for key in keys)}


def test_what_signals_tell_in_the_baltic_and_what_survives_d1() -> None:
    """What was deployed in 2017 pools the types: it deters by strength, and leaves the belief where it was."""
    signals = shipped("baltic-2017", "signals")
    found = {e.kind: e for e in signals.solve()}
    assert signals.solve().complete
    assert set(found) == {"pooling on battlegroups", "pooling on words"}
    assert found["pooling on battlegroups"].survives("d1")
    assert not found["pooling on words"].survives("d1")
    assert (
        found["pooling on battlegroups"].probability("attack") < found["pooling on words"].probability("attack") - 0.05
    )
    assert "Russia" not in signals.game().perception or not signals.game().perception["Russia"]
    for play in signals.game().posture_plays():
        (lesson,) = play.lessons
        assert lesson.belief == {"firm": 0.5, "soft": 0.5}

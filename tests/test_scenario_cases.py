"""What each shipped case is there to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deterrence.games.invocation import InvocationRule
from deterrence.scenarios.comparison import GROUPS, compare_scenarios
from deterrence.scenarios.scenario import Scenario


def chances(name: str, at: dict[str, float] | None = None) -> dict[str, float]:
    """Return the lowest likelihood of each choice of the aggressor."""
    found = Scenario.load(name).at_values(at or {}).attack_probabilities()
    return {kind: float(low) for kind, (low, _) in found.by_kind.items()}


def test_baltic_2014_capability_beyond_the_window_is_worth_little() -> None:
    case = Scenario.load("baltic-2014")
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
    words = Scenario.load("baltic-2024").at_values({"tripwire": 0.0})
    assert words.response().comes[0, 1].sum() < Scenario.load("baltic-2024").game().response().comes[0, 1].sum()


def test_article5_2001_cheap_support_honours_the_treaty_and_adds_little_strength() -> None:
    case = Scenario.load("article5-2001")
    met = case.game().response()
    cheap = [i for i, m in enumerate(case.game().members) if m.support.kind != "military"]
    assert met.comes[0, 0, cheap].min() > 0.75 * met.invoked[0]
    capability = sum(m.capability for m in case.game().members)
    assert met.strength[0, 0] < 0.4 * capability
    unmet = case.at_values({"members.*.support.discharges": 0.3}).response()
    assert unmet.comes[0, 0, cheap].mean() < 0.5 * met.comes[0, 0, cheap].mean()
    unnamed = case.at_values({"attacks.terror.attribution": 0.4}).response()
    assert unnamed.invoked[0] == pytest.approx(0.4 / 0.95 * met.invoked[0])


def test_crimea_2014_an_obligation_alone_comes_too_late() -> None:
    case = Scenario.load("crimea-2014")
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
    case = Scenario.load("ukraine-2022")
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
    case = Scenario.load("cyber-threshold")
    alarm = [float(case.at_values({"automation": x}).participation_game().false_invocation()) for x in (0.0, 1.0)]
    assert alarm[1] > alarm[0]


def test_bilateral_guarantee_carries_where_the_treaty_may_not_be_invoked() -> None:
    case = Scenario.load("bilateral-guarantee")
    none = {"members.Patron.bilateral": 0.0}
    assert chances("bilateral-guarantee")["refrain"] > chances("bilateral-guarantee", none)["refrain"] + 0.1
    met = case.game().response()
    assert met.comes[0, 0, 0] > met.invoked[0]  # the patron comes more often than the treaty is invoked
    spread = case.answer({"shock.correlation": np.array([0.0, 0.4, 0.8])}, events=("defence holds",)).low[
        "defence holds"
    ]
    assert (np.diff(spread) < 0).all()


def test_fractured_alliance_is_attacked_where_unanimity_fails() -> None:
    case = Scenario.load("fractured-alliance")
    game = case.game()
    assert game.response().invoked[0] < 0.05
    assert chances("fractured-alliance")["hybrid"] > 0.5  # stability and instability: the full attack is deterred
    assert chances("fractured-alliance")["full"] < 0.01
    shared = chances("fractured-alliance", {"treaty.shared_intelligence": 1.0})
    assert shared["refrain"] > 0.9
    few = replace(game, treaty=replace(game.treaty, rule=InvocationRule.of({"threshold": 3})))
    assert float(few.attack_probabilities().by_kind["refrain"][0]) > 0.9


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
    before = Scenario.load("textbook")
    after = Scenario.loads(before.text.replace("resolve = 0.4", "resolve = 0.6"))
    found = compare_scenarios(before, after)
    (only,) = found.contributions
    assert only.group == "perception"
    assert only.shapley == only.alone == only.last == found.change
    assert found.change == pytest.approx((1 - 0.6 / 0.4 / 2) - (1 - 0.4 / 0.6 / 2), abs=1e-8)
    assert compare_scenarios(before, before).contributions == ()


def test_two_groups_share_their_interaction_equally() -> None:
    before = Scenario.load("textbook")
    text = before.text.replace("resolve = 0.4", "resolve = 0.6").replace(
        "scale = { value = 2, source", "scale = { value = 3, source", 1
    )
    found = compare_scenarios(before, Scenario.loads(text))
    assert len(found.contributions) == 2
    for one in found.contributions:
        assert one.shapley == pytest.approx((one.alone + one.last) / 2, abs=1e-12)

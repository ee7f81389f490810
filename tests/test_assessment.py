"""What an assessment must show (properties 1, 2, 3 and 5 of the collective-defence game), and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from deterrence.scenarios.dials import likelihood, perceived_resolve_dial
from deterrence.scenarios.scenario import Scenario


@pytest.fixture(scope="module")
def baltic():
    return Scenario.load("baltic-2017")


@pytest.fixture(scope="module")
def textbook():
    return Scenario.load("textbook").assess()


def test_likelihood_of_attack_falls_as_perceived_resolve_rises(baltic):
    shifts = np.linspace(-1.0, 1.5, 6)  # a higher cost is a lower resolve
    game = baltic.at_values({perceived_resolve_dial(baltic).name: shifts})
    attack = game.attack_probabilities().likelihood[0]
    assert (np.diff(attack) > 0).all()
    assert (np.diff(game.perceived_response().holds[0], axis=0) < 0).all()


def test_likelihood_of_attack_responds_to_perceived_not_to_true_resolve(baltic):
    seen = baltic.game().perceived_by("Russia")
    same_view = {m.name: m.cost.location for m in seen.members}
    overlay = {f"members.{name}.cost.location": value for name, value in same_view.items()}
    weaker = baltic.with_changes({"members.*.cost.location": "+0.5"}, {"Russia": overlay})
    before, after = baltic.game(), weaker.game()
    assert after.attack_probabilities().likelihood == pytest.approx(before.attack_probabilities().likelihood, abs=1e-9)
    assert (after.response().holds < before.response().holds).all()


def test_underestimated_resolve_brings_attacks_that_the_aggressor_regrets(baltic):
    dial = perceived_resolve_dial(baltic).name
    answer = baltic.answer({dial: [-0.5, 0.0, 0.6, 1.2]}, events=("unwanted war", "attack"))
    regret = answer.high["unwanted war"]
    assert regret[:2] == pytest.approx([0, 0], abs=1e-12)
    assert 0 < regret[2] < regret[3]
    assert answer.low["attack"][0] < answer.low["attack"][1]  # overestimated resolve deters: a bluff that works


def test_forward_presence_deters_by_strength_and_by_tied_hands(baltic):
    seen_rightly = {"Russia": {}}
    present = baltic.with_changes({}, seen_rightly).game()
    no_tripwire = baltic.with_changes({"tripwire": 0}, seen_rightly).game()
    absent = baltic.with_changes({"tripwire": 0, "members.*.forward": 0}, seen_rightly).game()
    attack = [float(g.attack_probabilities().likelihood[0]) for g in (present, no_tripwire, absent)]
    assert attack[0] < attack[1] < attack[2]
    stationed = [i for i, m in enumerate(present.members) if m.forward > 0]  # the others may ride free on them
    tied, free = present.response().comes[..., stationed], no_tripwire.response().comes[..., stationed]
    assert (tied > free).all()


def test_what_comes_after_the_window_deters_little_however_resolute(baltic):
    late = baltic.with_changes({"members.*.delay": 60, "members.*.forward": 0, "decay": 2}, {"Russia": {}})
    resolute = late.with_changes({"members.*.cost.location": -50.0})
    limited = 1  # the fait accompli
    for game in (late.game(), resolute.game()):
        assert game.response().strength[..., limited] == pytest.approx(0, abs=1e-6)
    comes = resolute.game().response().comes[..., limited, :]
    assert (comes > 0.9).all()  # all who see the attack as one
    alone = baltic.game().base ** 2 / (baltic.game().base ** 2 + 6.0**2)
    assert resolute.game().response().holds[..., limited] == pytest.approx(alone, abs=1e-6)


def test_the_textbook_scenario_is_the_textbook_threshold():
    scenario = Scenario.load("textbook")
    for q in (0.1, 0.4, 0.55):
        game = scenario.at_values({"perception.Aggressor.resolve": q})
        threshold = q / (1 - q)  # v (1 - q) = loss q
        assert game.attack_probabilities().thresholds[0] == pytest.approx(threshold, rel=1e-9)
        assert game.attack_probabilities().likelihood[0] == pytest.approx(max(0.0, 1 - threshold / 2), abs=1e-9)


def test_the_textbook_tips_where_algebra_says(textbook):
    turns = {t.dial.name: t for t in textbook.turns}
    assert turns["perception.Aggressor.resolve"].tipping == pytest.approx((0.5,), abs=1e-3)
    assert turns["loss"].tipping == pytest.approx((1.5,), abs=1e-3)


def test_an_assessment_says_in_words_what_it_computed(textbook):
    words = textbook.in_words()
    assert "The likelihood of attack is 66.7%" in words
    assert "misperception adds 66.7 points" in words
    assert textbook.to_dict()["likelihood_of_attack"] == pytest.approx([2 / 3, 2 / 3])
    assert "66.7%" in textbook.to_markdown()
    assert "<table" in textbook.to_html()
    assert "Who would come" in str(textbook)


def test_labels_are_escaped_in_html():
    text = Scenario.load("textbook").text.replace('name = "Ally"', 'name = "<b>Ally"')
    assert "<b>Ally" not in Scenario.loads(text).assess().to_html()


def test_the_slope_of_a_dial_is_the_difference_quotient(textbook):
    scenario = textbook.scenario
    turn = next(t for t in textbook.turns if t.dial.name == "loss")
    step = 1e-4
    left, right = likelihood(scenario, "loss", np.array([1 - step, 1 + step]))
    assert turn.slope == pytest.approx((right - left) / (2 * step) * (turn.dial.high - turn.dial.low), rel=1e-2)


def test_the_figure_is_written_twice(tmp_path):
    paths = Scenario.load("textbook").assess().figure(tmp_path / "sub" / "curve")
    assert [p.suffix for p in paths] == [".png", ".svg"]
    assert all(p.stat().st_size > 5_000 for p in paths)

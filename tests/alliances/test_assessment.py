"""What an assessment must show (properties 1, 2, 3 and 5 of the collective-defence game), and what it says."""

from __future__ import annotations

import json

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.scenarios.main_attack import main_attack
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.sensitivity import (
    adds_to_costs,
    driving_parameters,
    likelihood,
    one_at_a_time_sensitivity,
    perceived_resolve_parameter,
    scenario_parameters,
)
from deterrence.games.errors import ScenarioError


@pytest.fixture(scope="module")
def baltic():
    return Scenario.load("baltic-2017")


@pytest.fixture(scope="module")
def textbook():
    return Scenario.load("textbook").assess(uncertainty=False)


def test_likelihood_of_attack_falls_as_perceived_resolve_rises(baltic):
    shifts = np.linspace(-1.0, 1.5, 6)  # a higher cost is a lower resolve
    game = baltic.at_values({perceived_resolve_parameter(baltic).name: shifts})
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
    parameter = perceived_resolve_parameter(baltic).name
    answer = baltic.answer({parameter: [-0.5, 0.0, 0.6, 1.2]}, events=("unwanted war", "attack"))
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
    sensitivities = {t.parameter.name: t for t in textbook.sensitivities}
    assert sensitivities["perception.Aggressor.resolve"].tipping == pytest.approx((0.5,), abs=1e-3)
    assert sensitivities["loss"].tipping == pytest.approx((1.5,), abs=1e-3)


def test_an_assessment_says_in_words_what_it_computed(textbook):
    words = textbook.in_words()
    assert "The likelihood of attack is 66.7%" in words
    assert "misperception adds 66.7 points" in words
    assert textbook.to_dict()["likelihood_of_attack"] == pytest.approx([2 / 3, 2 / 3])
    assert "66.7%" in textbook.to_markdown()
    assert "<table" in textbook.to_html()
    assert "Who would come" in str(textbook)


def test_all_that_an_assessment_must_say_is_said(textbook):
    """Likelihood by kind, who comes and when, resolve true and perceived, unwanted war, tipping points and the rest."""
    said = textbook.to_dict()
    assert said["attacks"][0]["defence_holds"] == pytest.approx([0.7, 0.7])
    assert said["attacks"][0]["perceived_defence_holds"] == pytest.approx([0.4, 0.4])
    assert said["members"][0]["comes"]["full"] == pytest.approx([0.7, 0.7])
    assert said["members"][0]["perceived_comes"]["full"] == pytest.approx([0.4, 0.4])
    assert said["members"][0]["days"] == 0
    assert said["unwanted_war"] == pytest.approx([2 / 3, 2 / 3])
    assert said["conquest_without_fight"] == said["false_alarm"] == [0, 0]
    json.dumps(said, allow_nan=False)
    text = str(textbook)
    for title in ("Attacks", "Who would come, and when", "What drives the answer", "Tipping points", "elasticities"):
        assert title in text
        assert title in textbook.to_markdown()
        assert title in textbook.to_html()


def test_elasticities_are_those_of_the_closed_form(textbook):
    """The likelihood is 1 - loss q / (2 (1 - q)) at q = 0.4: elasticity -1/2 in loss, -5/6 in q."""
    found = {t.parameter.name: t.elasticity for t in textbook.sensitivities}
    assert found["loss"] == pytest.approx(-0.5, rel=1e-2)
    assert found["perception.Aggressor.resolve"] == pytest.approx(-0.4 / (2 * 0.6**2) / (2 / 3), rel=1e-2)
    ranked = [abs(t.elasticity) for t in textbook.elasticities]
    assert ranked == sorted(ranked, reverse=True)
    assert all(np.isfinite(x) for x in ranked)


def test_the_tipping_points_come_by_distance_to_the_threshold(textbook):
    distances = [t.distance_to_threshold for t in textbook.tipping_points]
    assert distances == sorted(distances)
    assert textbook.tipping_points[0].parameter.name == "perception.Aggressor.resolve"
    assert textbook.tipping_points[0].distance_to_threshold == pytest.approx(0.1, abs=1e-3)


COORDINATION = """
schema_version = 1
name = "coordination"
title = "Two allies who come if the other comes"
[defence]
base = 1
decisiveness = 8
[aggressor]
punishment = 0.0073
prize = { family = "uniform", location = 0.1, scale = 1 }
[[attacks]]
name = "full"
strength = 5
window = 10
share = 1
cost = { value = 0.02, illustrative = true, range = [0, 1] }
[[members]]
name = "A"
capability = 3
delay = 0
stake = 1
cost = { family = "normal", location = { value = 0.4, illustrative = true, range = [0, 1.5] }, scale = 0.05 }
[[members]]
name = "B"
capability = 3
delay = 0
stake = 1
cost = { family = "normal", location = 0.4, scale = 0.05 }
"""


def test_the_deterrence_equilibrium_has_an_existence_threshold_of_its_own():
    """Where one equilibrium deters and another does not, the middle of their likelihoods crosses one half elsewhere."""
    found = Scenario.loads(COORDINATION).assess(uncertainty=False)
    assert found.likelihood[1] - found.likelihood[0] > 0.5
    parameter = next(t for t in found.sensitivities if t.parameter.name == "+members.*.cost.location")
    assert parameter.tipping != parameter.existence_thresholds
    name, beyond = parameter.parameter.name, max(parameter.existence_thresholds)
    low = found.scenario.answer({name: [beyond - 0.01, beyond + 0.01]}).low["attack"]
    assert low[0] < 0.5 < low[1]
    assert "existence threshold of the deterrence equilibrium" in str(found)


@pytest.mark.parametrize(
    "name",
    ["cyber-threshold", *(pytest.param(n, marks=pytest.mark.slow) for n in ("baltic-2017", "bilateral-guarantee"))],
)
def test_all_parameters_in_one_batch_are_the_parameters_one_by_one(name):
    scenario = Scenario.load(name)
    parameters = scenario_parameters(scenario)[::4]
    for one in one_at_a_time_sensitivity(scenario, parameters):
        curve = likelihood(scenario, one.parameter.name, np.linspace(one.parameter.low, one.parameter.high, 25))
        assert one.lowest == pytest.approx(
            min(curve.min(), likelihood(scenario, one.parameter.name, [one.parameter.value])[0])
        )
        for x in one.tipping:
            assert likelihood(scenario, one.parameter.name, np.array([x]))[0] == pytest.approx(0.5, abs=2e-3)


TARGET = """
[target]
name = "Protege"
stake = 1
cost = { family = "uniform", location = 0, scale = 1 }
[perception.Protege]
resolve = 0.8
"""


def test_a_false_alarm_and_a_conquest_without_a_fight_are_reported():
    alarmed = Scenario.load("cyber-threshold").assess(uncertainty=False)
    game = alarmed.scenario.game()
    chance = float(game.treaty.incidents * game.participation_game().false_invocation())
    assert alarmed.false_alarm[0] == pytest.approx((1 - alarmed.likelihood[0]) * chance)
    assert alarmed.false_alarm_strength[0] > 0
    assert "on a false alarm" in alarmed.in_words()
    doubtful = Scenario.load("textbook").text + TARGET
    protege = Scenario.loads(doubtful).assess(uncertainty=False)
    assert protege.conquest_without_fight[0] == pytest.approx(0.2 * protege.likelihood[0])
    assert "With probability 15.3% the target is taken without a fight" in protege.in_words()
    assert "target resists" in str(protege)
    assert protege.attacks[0].resists == pytest.approx((0.8, 0.8))


DEAR = """
[[attacks]]
name = "slices that nobody can afford"
strength = 1
window = 30
share = 1
cost = 1000
step_cost = 1000
steps = 3
threshold = 0.5
"""


def test_false_alarms_are_those_of_each_state_of_the_shock():
    """Calm, with probability 0.75: an incident is never mistaken; tense: 0.4 of incidents, one in two of them."""
    shock = """
[treaty]
incidents = 0.4
[shock]
states = [
    { name = "calm", probability = 0.75 },
    { name = "tense", probability = 0.25, changes = { "members.*.false_alarm" = 0.5 } },
]
"""
    found = Scenario.loads(COORDINATION.replace("[aggressor]", f"{shock}[aggressor]")).assess()
    game = found.scenario.game()
    chance = 0.25 * 0.4 * float(game.at(**{"members.*.false_alarm": 0.5}).participation_game().false_invocation())
    assert chance > 0
    assert found.false_alarm == pytest.approx(tuple((1 - x) * chance for x in found.likelihood[::-1]), abs=1e-9)


@pytest.mark.parametrize(
    ("attack", "target", "said", "column"),
    [
        ("", TARGET, "because it doubts that help would come", "target resists"),
        ("", DEAR + TARGET, "because it doubts that help would come", "some step answered"),
        ("steps = 3\nthreshold = 0.5", "", "because no step of it is answered as an attack", "some step answered"),
        (
            "steps = 3\nthreshold = 0.4\nthreshold_noise = 0.2",
            TARGET,
            "because no step is answered as an attack, or the target yields where one is",
            "some step answered",
        ),
    ],
)
def test_a_conquest_without_a_fight_has_its_causes_named(attack, target, said, column, monkeypatch):
    monkeypatch.setattr(
        "deterrence.alliances.scenarios.assessment.one_at_a_time_sensitivity", lambda *_: ()
    )  # the parameters say nothing on this
    text = Scenario.load("textbook").text.split("[variants.")[0]
    found = Scenario.loads(text.replace("[[attacks]]\n", f"[[attacks]]\n{attack}\n") + target).assess()
    assert found.conquest_without_fight[1] > 1e-3
    assert f"{said}." in found.in_words()
    assert column in str(found)


@pytest.mark.slow
def test_an_attack_in_steps_may_be_answered_by_nobody():
    salami = Scenario.load("fractured-alliance").variant("salami").assess(uncertainty=False)
    assert "because no step of it is answered as an attack" in salami.in_words()
    assert "some step answered" in str(salami)
    assert salami.conquest_without_fight[0] > 0.1


def test_members_arrive_after_council_agreement_and_lift():
    treaty = "[treaty]\nrule = { threshold = 1 }\nconsultation = 2\ndeliberation = 6\nintegrated_command = 0.5\n"
    text = COORDINATION.replace("[aggressor]", f"{treaty}[aggressor]")
    text = text.replace('name = "A"\n', 'name = "A"\ndays_per_unit = 2\nrapid = 1\nrapid_delay = 0.5\n')
    first, second = Scenario.loads(text.replace("delay = 0\n", "delay = 4\n")).assess().members
    council = (2 + 6 / 2) / 2  # the first of two to agree; an integrated command saves half
    assert (first.days, first.all_days) == pytest.approx((council + 0.5, council + 4 + 2 * 2))
    assert (second.days, second.all_days) == pytest.approx((council + 4, council + 4))


def test_labels_are_escaped_in_html():
    text = Scenario.load("textbook").text.replace('name = "Ally"', 'name = "<b>Ally"')
    assert "<b>Ally" not in Scenario.loads(text).assess(draws=16).to_html()


def test_the_slope_of_a_dial_is_the_difference_quotient(textbook):
    scenario = textbook.scenario
    sensitivity = next(t for t in textbook.sensitivities if t.parameter.name == "loss")
    step = 1e-4
    left, right = likelihood(scenario, "loss", np.array([1 - step, 1 + step]))
    assert sensitivity.slope == pytest.approx(
        (right - left) / (2 * step) * (sensitivity.parameter.high - sensitivity.parameter.low), rel=1e-2
    )


def test_the_figure_is_written_twice_and_into_no_folder_that_is_missing(tmp_path, textbook):
    with pytest.raises(ScenarioError, match=r"the folder .*sub does not exist; make it first"):
        textbook.figure(tmp_path / "sub" / "curve")
    paths = textbook.figure(tmp_path / "curve")
    assert [p.suffix for p in paths] == [".png", ".svg"]
    assert all(p.stat().st_size > 5_000 for p in paths)


def test_regretted_attacks_and_unwanted_war_are_the_same_everywhere() -> None:
    """An unwanted war is a regretted attack that the target resists: 0.0947 and 0.0614 where the protege may yield."""
    scenario = Scenario.load("bilateral-guarantee:doubting-protege")
    game = scenario.game()
    by_kind = game.regretted_attacks()
    assert float((by_kind * game.resistance()).sum()) == pytest.approx(0.0614397744, abs=1e-9)
    assert float(by_kind.sum()) == pytest.approx(0.0946658119, abs=1e-9)
    said, played = scenario.assess(uncertainty=False), dt.subjective(scenario, truth={}, beliefs={})
    assert said.regretted_attack == pytest.approx((0.0946658119,) * 2, abs=1e-8)
    for known in (said.unwanted_war, scenario.probability("unwanted war"), played.unwanted_war):
        assert known == pytest.approx((0.0614397744,) * 2, abs=1e-8)
    assert "9.5% is the probability of an attack that it would regret, 6.1% that of one that is resisted" in str(
        said.in_words()
    )


def test_regretted_attacks_are_unwanted_wars_where_the_target_resists_for_certain(baltic: Scenario) -> None:
    assert baltic.probability("regretted attack") == baltic.probability("unwanted war")


@pytest.mark.parametrize(
    ("case", "bound"), [("crimea-2014", False), ("ukraine-2022", False), ("textbook", False), ("article5-2001", True)]
)
def test_nothing_says_that_a_treaty_is_invoked_where_nobody_owes_anything(case: str, bound: bool) -> None:
    made = Scenario.load(case).assess(uncertainty=False)
    said = made.in_words()
    assert ("treaty would be invoked" in said) is bound
    assert ("coalition would act together" in said) is not bound
    assert ("acts together" in str(made)) is not bound


@pytest.mark.parametrize(
    ("old", "new"), [("turns", "sensitivities"), ("likelihood_if_seen_rightly", "likelihood_correct_beliefs")]
)
def test_attributes_of_an_assessment_have_their_old_names_for_one_release(textbook, old, new):
    with pytest.warns(DeprecationWarning, match=f"'{old}' of Assessment is now '{new}'"):
        assert getattr(textbook, old) == getattr(textbook, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [("dial", "parameter"), ("way", "distance_to_threshold"), ("last_deterring", "existence_thresholds")],
)
def test_attributes_of_a_sensitivity_have_their_old_names_for_one_release(textbook, old, new):
    first = textbook.tipping_points[0]
    with pytest.warns(DeprecationWarning, match=f"'{old}' of ParameterSensitivity is now '{new}'"):
        assert getattr(first, old) == getattr(first, new)


def test_plain_data_of_an_assessment_is_read_by_old_keys_and_holds_new_ones_only(textbook):
    data = textbook.to_dict()
    with pytest.warns(DeprecationWarning, match="'dials' of .* is now 'parameters'"):
        assert data["dials"] == data["parameters"]
    with pytest.warns(DeprecationWarning, match="is now 'likelihood_correct_beliefs'"):
        assert data["likelihood_if_seen_rightly"] == data["likelihood_correct_beliefs"]
    with pytest.warns(DeprecationWarning, match="is now 'existence_thresholds'"):
        assert data["parameters"][0]["last_deterring_equilibrium"] == data["parameters"][0]["existence_thresholds"]
    assert not {"dials", "likelihood_if_seen_rightly", "last_deterring_equilibrium"} & set(json.loads(json.dumps(data)))
    with pytest.raises(KeyError, match="nothing of the kind"):
        data["nothing of the kind"]


@pytest.mark.parametrize("name", Scenario.names())
def test_no_number_is_listed_twice_and_no_conversion_of_units_is_a_driver(name: str) -> None:
    """Resolve, its relative view and the group of costs are one number: they had one curve, and three rows."""
    scenario = Scenario.load(name)
    found = {one.name: one for one in driving_parameters(scenario)}
    assert "brigade" not in found
    if adds_to_costs(scenario):
        assert "+members.*.cost.location" not in found
        resolve = [one for name, one in found.items() if name.endswith("resolve")]
        assert [one.label for one in resolve] == ["members' cost of fighting as the aggressor sees it"]
        assert resolve[0].unit == "utility, added"


def test_resolve_that_runs_upward_keeps_its_name() -> None:
    textbook = Scenario.load("textbook")
    assert not adds_to_costs(textbook)
    labels = {one.name: one.label for one in scenario_parameters(textbook)}
    assert labels["resolve"] == "resolve"
    assert labels["perception.Aggressor.resolve"] == "resolve as the aggressor sees it"


@pytest.mark.parametrize("name", ["baltic-2017", "crimea-2014", "textbook"])
def test_text_and_figure_speak_of_the_same_attack(name: str) -> None:
    scenario = Scenario.load(name)
    main = scenario.game().attacks[main_attack(scenario.game())].name
    assert f"({main}: the attack most often chosen)" in dt.attack_curve(scenario).get_xlabel()
    chosen = scenario.game().attack_probabilities().by_kind
    assert max(chosen, key=lambda kind: chosen[kind][1] if kind != "refrain" else -1) == main

"""Draws of uncertain numbers: their distributions, intervals over draws, what drives them, common random numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import deterrence as dt
from deterrence.alliances.scenarios.building import build
from deterrence.alliances.scenarios.marginals import linear_pool, marginal_of_quantiles, marginal_of_range
from deterrence.alliances.scenarios.uncertainty import (
    draw_difference,
    draw_uncertainty,
    first_order,
    latin_hypercube,
    percent,
    solve_draws,
    total_order,
    uncertain_numbers,
)

GRID = (np.arange(20_000) + 0.5) / 20_000

# ---------------------------------------------------------------- distributions


def test_pert_has_the_mean_and_the_law_of_its_definition():
    law = marginal_of_range(2, 14, 4)
    assert law.quantile(GRID).mean() == pytest.approx((2 + 4 * 4 + 14) / 6, abs=1e-4)
    exact = stats.beta(1 + 4 * 2 / 12, 1 + 4 * 10 / 12, loc=2, scale=12)
    assert law.quantile(GRID) == pytest.approx(exact.ppf(GRID), abs=1e-9)


def test_triangular_and_uniform_are_those_of_scipy():
    assert marginal_of_range(2, 14, 4, "triangular").quantile(GRID) == pytest.approx(
        stats.triang(2 / 12, loc=2, scale=12).ppf(GRID), abs=1e-9
    )
    assert marginal_of_range(2, 14, 4, "uniform").quantile(GRID) == pytest.approx(2 + 12 * GRID)


@pytest.mark.parametrize(
    ("shape", "parameters"), [("normal", {}), ("lognormal", {}), ("gamma", {"a": 2.0}), ("laplace", {})]
)
def test_the_range_of_an_unbounded_shape_is_its_central_interval(shape: str, parameters: dict[str, float]):
    assert marginal_of_range(1, 3, 2, shape, parameters).interval(0.9) == pytest.approx((1, 3))


@given(st.floats(0.02, 0.2), st.floats(0.5, 2), st.floats(-5, 5))
def test_a_metalog_meets_its_quantiles(tail: float, skew: float, shift: float):
    levels, values = np.array([tail, 0.5, 1 - tail]), shift + np.array([-1, 0, skew])
    law = marginal_of_quantiles(dict(zip(levels.tolist(), values.tolist(), strict=True)))
    assert law.quantile(levels) == pytest.approx(values, abs=1e-7)


def test_a_metalog_keeps_the_bounds_of_its_number():
    law = marginal_of_quantiles({0.05: 0.1, 0.5: 0.3, 0.95: 0.9}, low=0, high=1)
    drawn = law.quantile(GRID)
    assert 0 < drawn.min() < drawn.max() < 1
    assert (np.diff(drawn) > 0).all()


def test_a_pool_is_the_mixture_of_its_experts():
    low, high = (marginal_of_range(a, a + 1, a + 0.5, "uniform") for a in (0, 1))
    law = linear_pool({"A": low, "B": high}, {"A": 3, "B": 1})
    assert law.quantile(np.array([0.375, 0.75, 0.875])) == pytest.approx([0.5, 1.0, 1.5], abs=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: marginal_of_range(3, 1, 2), r"a range is \[low, high\], got \[3, 1\]; did you mean \[1, 3\]"),
        (lambda: marginal_of_range(-1, 1, 0, "lognormal"), "a lognormal number is positive"),
        (lambda: marginal_of_range(0, 1, 0, "betta"), "unknown shape 'betta'.*did you mean 'beta'"),
        (lambda: marginal_of_range(0, 1, 0, "gamma"), "the shape 'gamma' has the parameters a, got none"),
        (lambda: marginal_of_quantiles({0.5: 1}), "quantiles are two at least"),
        (lambda: marginal_of_quantiles({0.05: 2, 0.5: 1}), "quantiles must rise, got 2 at 0.05 and 1 at 0.5"),
        (lambda: marginal_of_quantiles({0.0: 1, 0.5: 2}), "between 0 and 1, got 0"),
        (lambda: marginal_of_quantiles({0.1: -1, 0.5: 2}, low=0), "lie within the number's bounds"),
        (lambda: marginal_of_quantiles({0.05: 0, 0.5: 0.01, 0.95: 9}), "no metalog distribution has the quantiles"),
        (lambda: linear_pool({"A": marginal_of_range(0, 1, 0)}, {"B": 1}), "a weight is of no expert: 'B'"),
        (lambda: linear_pool({"A": marginal_of_range(0, 1, 0)}, {"A": 0}), "weights of experts are above 0, got 0"),
    ],
)
def test_what_is_no_distribution_is_refused(make, message: str):
    with pytest.raises(dt.ParameterError, match=message):
        make()


# ---------------------------------------------------------------- draws


def test_dimensions_of_the_draws_do_not_explain_each_other():
    points = latin_hypercube(117, 1000, 1)
    rank = (points * 16).astype(int)
    means = np.stack([[points[rank[:, i] == c].mean(axis=0) for c in range(16)] for i in range(117)])
    explained = means.var(axis=1) / points.var(axis=0)
    np.fill_diagonal(explained, 0)
    assert explained.max() < 0.07  # of a Sobol' sequence, four fifths


def test_the_law_of_the_likelihood_follows_by_change_of_variables():
    scenario = dt.Scenario.load("textbook")
    numbers = uncertain_numbers(scenario)
    u = draw_uncertainty(scenario, draws=400, seed=3)
    assert u.inputs.shape == (400, len(numbers))
    single = next(n for n in numbers if not n.derived)
    values = np.linspace(*single.marginal.interval(0.9), 9)
    low, _ = solve_draws(scenario, [single], values[:, None], ("attack",))
    for value, chance in zip(values, low["attack"], strict=True):
        name = single.name.removeprefix("parameters.").removeprefix("defence.")
        assert scenario.answer({name: np.array([value])}).low["attack"][0] == pytest.approx(chance, abs=1e-12)


def test_each_draw_is_the_game_at_its_numbers():
    scenario = dt.Scenario.load("baltic-2017:seen-rightly")
    u = draw_uncertainty(scenario, draws=16, seed=5)
    plain = {n.name: i for i, n in enumerate(u.numbers) if not n.derived}
    for k in (0, 7, 15):
        changes = {
            name.removeprefix("defence.").removeprefix("parameters."): float(u.inputs[k, i])
            for name, i in plain.items()
        }
        for n, x in zip(u.numbers, u.inputs[k], strict=True):
            if n.derived:  # what is added to the arithmetic on [parameters]
                shift = 0.0 if n.name.startswith("parameters") else float(u.inputs[k, plain["parameters.resolve"]])
                changes[n.name] = n.value + shift + x
        found = scenario.answer({name: np.array([value]) for name, value in changes.items()}, events=("attack", "full"))
        for event in ("attack", "full"):
            assert found.low[event][0] == pytest.approx(u.low[event][k], abs=1e-9), (k, event)


def test_what_is_seen_moves_with_what_is_drawn():
    scenario = dt.Scenario.load("baltic-2017")  # Russia takes every member's cost of fighting for 0.6 higher
    numbers = uncertain_numbers(scenario)
    points = latin_hypercube(len(numbers), 8, 2)
    game = build(scenario.table, drawn={n.location: n.at(points[:, i]) for i, n in enumerate(numbers)})
    for member, seen in zip(game.members, game.perceived_by("Russia").members, strict=True):
        assert np.ptp(member.cost.location) > 0.5
        assert seen.cost.location - member.cost.location == pytest.approx(np.full(8, 0.6), abs=1e-12)


def test_the_same_seed_gives_the_same_draws():
    scenario = dt.Scenario.load("textbook")
    one, two, other = (draw_uncertainty(scenario, draws=64, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(one.inputs, two.inputs)
    assert (one.inputs != other.inputs).any()


@pytest.mark.parametrize(("option", "value"), [("draws", 1), ("draws", 2.5), ("draws", True), ("seed", -1)])
def test_draws_and_seed_are_whole_numbers(option: str, value: object):
    with pytest.raises(dt.ParameterError, match=f"{option} must be a whole number"):
        draw_uncertainty(dt.Scenario.load("textbook"), **{option: value})


# ---------------------------------------------------------------- what a user reads


@pytest.fixture(scope="module")
def baltic() -> dt.Assessment:
    return dt.Scenario.load("baltic-2017").assess(draws=1000, seed=1)


def test_an_assessment_leads_with_what_the_draws_say(baltic: dt.Assessment):
    u = baltic.uncertainty
    low, high = u.interval(0.9)["attack"]
    assert 0 < low < 0.01
    assert 0.93 < high < 0.99
    assert 0.34 < sum(u.median()["attack"]) / 2 < 0.41
    assert str(baltic).splitlines()[2].startswith("Likelihood of attack: median")
    assert "117 of the 142 numbers are illustrative" in baltic.in_words()
    assert baltic.to_dict()["uncertainty"]["interval_90"]["attack"] == [low, high]
    assert baltic.likelihood == pytest.approx(dt.Scenario.load("baltic-2017").probability("attack"), abs=1e-12)


def test_draws_are_made_by_default_and_when_they_are_asked_for():
    assessment = dt.Scenario.load("textbook").assess(seed=4)
    assert "uncertainty" not in vars(assessment)
    assert (assessment.uncertainty.draws, assessment.uncertainty.seed) == (1000, 4)
    assert assessment.uncertainty is assessment.uncertainty
    assert "1,000 draws (seed 4)" in str(assessment)


def test_an_assessment_of_the_numbers_of_the_file_alone_draws_nothing():
    assessment = dt.Scenario.load("textbook").assess(uncertainty=False)
    assert assessment.uncertainty is None
    assert assessment.in_words().startswith("The likelihood of attack is 66.7%")


def test_where_nothing_is_uncertain_draws_are_refused_and_not_made_by_default():
    text = dt.Scenario.load("textbook").text
    certain = dt.Scenario.loads(re.sub(r"illustrative = true, range = \[.*?\]", 'source = "THR"', text))
    assert certain.assess().uncertainty is None
    with pytest.raises(dt.ParameterError, match="no number of textbook is uncertain: give numbers a range"):
        certain.assess(draws=10)


def test_intervals_are_nested_and_the_shortest_is_no_longer_than_the_central_one(baltic: dt.Assessment):
    u = baltic.uncertainty
    for event in u.events:
        (a, b), (c, d) = u.interval(0.5)[event], u.interval(0.9)[event]
        assert c <= a <= b <= d
        shortest = u.hdi(0.9)[event]
        assert shortest[1] - shortest[0] <= d - c + 1e-12
    for mass in (0, 1):
        with pytest.raises(dt.ParameterError, match="mass of an interval"):
            u.interval(mass)


def test_shares_of_draws_above_a_level_fall(baltic: dt.Assessment):
    shares = [baltic.uncertainty.probability_above(level)[0] for level in (0, 0.25, 0.5, 0.75, 1)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0
    with pytest.raises(dt.GameError, match=r"no event 'atack'; .*did you mean 'attack'"):
        baltic.uncertainty.probability_above(0.5, "atack")


def test_the_value_of_the_prize_drives_the_likelihood_and_what_does_nothing_does_not(baltic: dt.Assessment):
    drivers = baltic.uncertainty.drivers(total=3, draws=128)
    assert drivers.index[0] == "aggressor.prize.location"
    assert drivers["first"].iloc[0] > 0.3
    idle = drivers.loc["members.Spain.recognition.full"]
    assert idle["swing"] < 1e-3
    assert idle["first"] < 0.06


def test_draws_become_a_labelled_dataset(baltic: dt.Assessment):
    data = baltic.uncertainty.to_dataset()
    assert data.sizes == {"draw": 1000, "number": 117}
    np.testing.assert_array_equal(data["attack_low"], baltic.uncertainty.low["attack"])
    assert data.attrs["seed"] == 1


def test_draws_go_to_arviz(baltic: dt.Assessment):
    data = baltic.uncertainty.to_inference_data()
    np.testing.assert_array_equal(data["prior"]["aggressor.prize.location"][0], baltic.uncertainty.inputs[:, 8])
    np.testing.assert_array_equal(data["prior_predictive"]["attack (lowest)"][0], baltic.uncertainty.low["attack"])


@pytest.mark.parametrize(
    ("value", "width", "text"),
    [
        (0.2345, 0.5, "23 %"),
        (0.2345, 0.01, "23.4 %"),
        (0.2345, 0.0005, "23.45 %"),
        (0.001, 0.9, "< 1 %"),
        (0.9991, 0.9, "> 99 %"),
    ],
)
def test_a_probability_has_no_more_digits_than_its_uncertainty_leaves(value: float, width: float, text: str):
    assert percent(value, width) == text


# ---------------------------------------------------------------- indices and differences


def test_indices_of_a_linear_function_are_shares_of_its_variance():
    rng = np.random.default_rng(0)
    x, again = latin_hypercube(3, 4000, 1), latin_hypercube(3, 4000, 2)
    weights = np.array([3.0, 2.0, 0.0])
    exact = weights**2 / (weights**2).sum()
    y = x @ weights
    for i in range(3):
        assert first_order(x[:, i], y, rng)[0] == pytest.approx(exact[i], abs=0.02)
        moved = np.where(np.arange(3) == i, again, x)
        assert total_order(y, moved @ weights, float(y.var()), rng)[0] == pytest.approx(exact[i], abs=0.03)


def test_indices_of_the_ishigami_function_are_those_published():
    def ishigami(u: np.ndarray) -> np.ndarray:
        a = np.pi * (2 * u - 1)
        return np.sin(a[:, 0]) + 7 * np.sin(a[:, 1]) ** 2 + 0.1 * a[:, 2] ** 4 * np.sin(a[:, 0])

    rng = np.random.default_rng(0)
    x, again = latin_hypercube(3, 16_000, 1), latin_hypercube(3, 16_000, 2)
    y = ishigami(x)
    published = [(0.3139, 0.5576), (0.4424, 0.4424), (0.0, 0.2437)]  # Saltelli et al. 2008, table of section 4.6
    for i, (first, total) in enumerate(published):
        value, low, high = first_order(x[:, i], y, rng)
        assert value == pytest.approx(first, abs=0.03)
        assert low <= value <= high
        moved = ishigami(np.where(np.arange(3) == i, again, x))
        assert total_order(y, moved, float(y.var()), rng)[0] == pytest.approx(total, abs=0.03)


def test_without_forward_presence_attack_is_likelier_in_nearly_every_draw():
    found = dt.compare_scenarios("baltic-2017", "baltic-2017:no-forward-presence", draws=1000, seed=1).difference
    assert found.share_higher > 0.9
    assert found.share_lower < 0.005
    low, high = found.interval(0.5)
    assert 0.005 < low < high < 0.15
    assert found.to_dict()["share_higher"] == found.share_higher
    assert "likelier in" in str(found)


def test_a_scenario_does_not_differ_from_itself():
    scenario = dt.Scenario.load("textbook")
    found = draw_difference(scenario, scenario, draws=64, seed=2)
    assert (found.share_equal, found.share_higher, found.share_lower) == (1, 0, 0)
    with pytest.raises(dt.GameError, match="no event 'invasion' in textbook"):
        draw_difference(scenario, scenario, event="invasion", draws=64)
    assert dt.compare_scenarios("textbook", "textbook").difference is None

"""Evidence on a scenario: its probability in each form, weights and moves, prior and posterior, what is refused."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

import deterrence as dt
from deterrence.alliances.scenarios.conditioning import Conditioned
from deterrence.alliances.scenarios.evidence import counts_log_likelihood, judgment_log_likelihood, over_period
from deterrence.alliances.scenarios.importance import (
    largest_shape,
    pareto_shape,
    smoothed_weights,
    tempered_draws,
)
from deterrence.alliances.scenarios.uncertainty import Uncertainty, draw_uncertainty, weighted_quantile

TEXTBOOK = dt.Scenario.load("textbook").text
ONE_INPUT = re.sub(r"illustrative = true, range = \[[^]]*\]", 'source = "THR"', TEXTBOOK)


def textbook(evidence: str = "", loss: str = "{ value = 1, illustrative = true, range = [0.1, 5] }") -> dt.Scenario:
    """Return the textbook case with one uncertain number, the aggressor's loss, and evidence."""
    text = re.sub(r"^loss = .*$", f"loss = {loss}", ONE_INPUT, flags=re.MULTILINE)
    return dt.Scenario.loads(text.replace("[variants.believed]", f"{evidence}\n[variants.believed]"), "case.toml")


FLAT = '{ value = 1, illustrative = true, range = [0, 3], shape = "uniform" }'
UNIFORM = '{ value = 1, illustrative = true, range = [0.1, 5], shape = "uniform" }'
# v (1 - q) > loss q with q = 0.4 and v uniform on [0, 2]: attack is best for v > loss q / (1 - q), so p = 1 - loss / 3


# ---------------------------------------------------------------- the probability of evidence


def test_one_uniform_input_gives_the_density_of_the_likelihood_by_change_of_variables():
    u = textbook(loss=UNIFORM).assess(draws=4000, seed=1).uncertainty
    p = (u.low["attack"] + u.high["attack"]) / 2
    assert p == pytest.approx(np.clip(1 - u.inputs[:, 0] / 3, 0, 1), abs=1e-9)
    # the loss is uniform on [0.1, 5]: p has the density 3 / 4.9 on (0, 1 - 0.1 / 3), and an atom of 2 / 4.9 at 0
    assert np.mean(p <= 1e-12) == pytest.approx(2 / 4.9, abs=1e-3)
    for level in (0.2, 0.5, 0.8):
        assert np.mean(p <= level) == pytest.approx((2 + 3 * level) / 4.9, abs=1e-3)
    assert u.interval(0.9)["attack"] == pytest.approx((0.0, (0.95 * 4.9 - 2) / 3), abs=2e-3)


def test_beta_binomial_counts_are_those_of_scipy():
    p = np.array([0.05, 0.3, 0.9])
    for phi in (0.5, 4.0, 50.0):
        exact = stats.betabinom(58, phi * p, phi * (1 - p)).logpmf(24)
        assert counts_log_likelihood(p, 24, 58, np.full(3, phi)) == pytest.approx(exact, abs=1e-9)
    assert counts_log_likelihood(p, 24, 58) == pytest.approx(stats.binom(58, p).logpmf(24), abs=1e-9)
    assert counts_log_likelihood(p, 24, 58, np.full(3, 1e7)) == pytest.approx(stats.binom(58, p).logpmf(24), abs=1e-3)


def test_what_is_certain_has_the_likelihood_of_certainty():
    ends = np.array([0.0, 1.0])
    np.testing.assert_array_equal(counts_log_likelihood(ends, 0, 5, np.ones(2)), [0, -np.inf])
    np.testing.assert_array_equal(counts_log_likelihood(ends, 5, 5, np.ones(2)), [-np.inf, 0])
    np.testing.assert_array_equal(counts_log_likelihood(ends, 0, 5), [0, -np.inf])


def test_over_a_period_something_happens_at_least_once():
    assert over_period(0.1, 3) == pytest.approx(1 - 0.9**3)
    assert over_period(1e-12, 10) == pytest.approx(1e-11, rel=1e-9)
    np.testing.assert_array_equal(over_period(np.array([0.0, 1.0, 1.0]), np.array([5.0, 2.0, 0.0])), [0, 1, 0])


def test_counts_of_the_situation_itself_give_the_beta_posterior():
    """With p uniform, k of n make it beta with 1 + k and 1 + n - k; the scenario's p is 1 - loss / 3."""
    scenario = textbook('[[evidence]]\nevent = "attack"\ncount = 3\nof = 10\n', FLAT)
    found = scenario.condition(draws=4000, seed=2)
    exact = stats.beta(1 + 3, 1 + 7)
    assert found.method == "importance"
    assert found.posterior.mean()["attack"][0] == pytest.approx(exact.mean(), abs=5e-3)
    assert found.interval(0.9)["attack"] == pytest.approx(exact.interval(0.9), abs=0.01)
    assert np.exp(found.log_evidence) == pytest.approx(1 / 11, rel=0.02)  # every count is as probable as any other
    moved = found.moved().loc["parameters.loss"]
    assert moved["shift"] == pytest.approx(-float(ndtri(exact.rvs(40_000, random_state=1)).mean()), abs=0.05)
    assert moved["bits"] == pytest.approx(-exact.entropy() / np.log(2), abs=0.06)


def test_sequential_monte_carlo_gives_the_beta_posterior_too():
    scenario = textbook('[[evidence]]\nevent = "attack"\ncount = 3\nof = 10\n', FLAT)
    found = scenario.condition(draws=2000, seed=2, method="sequential")
    assert found.tempered.powers[-1] == 1
    assert found.interval(0.9)["attack"] == pytest.approx(stats.beta(4, 8).interval(0.9), abs=0.03)
    assert np.exp(found.log_evidence) == pytest.approx(1 / 11, rel=0.1)


def test_a_record_of_years_weighs_by_the_stated_hazard():
    scenario = textbook('[[evidence]]\nevent = "no attack"\nyears = 4\nopportunities = 0.5\n', UNIFORM)
    found = scenario.condition(draws=500, seed=1)
    np.testing.assert_array_equal(found.prior.inputs, draw_uncertainty(scenario, draws=500, seed=1).inputs)
    p = found.prior.low["attack"]
    assert found.likelihoods[0] == pytest.approx(2 * np.log1p(-p), abs=1e-12)
    once = textbook('[[evidence]]\nevent = "attack"\n', UNIFORM).condition(draws=500, seed=1, method="importance")
    with np.errstate(divide="ignore"):
        assert once.likelihoods[0] == pytest.approx(np.log(p), abs=1e-12)


def test_opportunities_that_are_uncertain_are_learnt_with_the_rest():
    evidence = (
        '[[evidence]]\nevent = "no attack"\nyears = 2\nopportunities = '
        "{ value = 1, illustrative = true, range = [0.01, 3] }\n"
    )
    moved = textbook(evidence, FLAT).condition(draws=1000, seed=1).moved()
    assert moved.loc["parameters.loss", "shift"] > 0.3
    assert moved.loc["evidence.0.opportunities", "shift"] < -0.2


def test_an_ordering_and_a_judgment_move_towards_what_they_say():
    scenario = dt.Scenario.load("baltic-2024:seen-rightly")
    text = scenario.text + '\n[[evidence]]\nlikelier = "full"\nthan = "limited"\nconfidence = 0.9\n'
    (_, _, ordering) = dt.Scenario.loads(text).condition(draws=200, seed=0, method="importance").likelihoods
    assert set(np.round(np.exp(ordering), 12)) <= {0.1, 0.5, 0.9}
    judged = textbook('[[evidence]]\nevent = "attack"\nprobability = 0.9\nerror = 0.02\n', UNIFORM)
    found = judged.condition(draws=2000, seed=0, method="importance")
    assert sum(found.median()["attack"]) / 2 == pytest.approx(0.9, abs=0.01)


# ---------------------------------------------------------------- weights and moves


def test_a_pareto_tail_is_found_again():
    for k in (0.2, 0.5, 0.9):
        u = (np.arange(400) + 0.5) / 400
        shape, scale = pareto_shape(np.expm1(-k * np.log1p(-u)) / k)
        assert shape == pytest.approx(k, abs=0.02)
        assert scale == pytest.approx(1, abs=0.01)


def test_shape_and_scale_are_those_of_another_implementation():
    """The 95 largest of 1,000 lognormal weights; ArviZ-stats 1.x fits the shapes below to the same exceedances."""
    for seed, spread, shape in ARVIZ:
        weights = np.sort(np.exp(spread * np.random.default_rng(seed).standard_normal(1000)))
        assert pareto_shape(weights[-95:] - weights[-96])[0] == pytest.approx(shape, abs=1e-9)


ARVIZ = ((1, 1.0, 0.32774043331962227), (2, 2.0, 1.0526745117130016))


def test_weights_that_are_alike_or_bounded_stay_as_they_are():
    flat = smoothed_weights(np.full(100, -3.0))
    assert flat.effective == pytest.approx(100)
    assert flat.log_evidence == pytest.approx(-3)
    assert flat.reliable
    half = smoothed_weights(np.where(np.arange(1000) < 500, 0.0, -np.inf))
    assert half.effective == pytest.approx(500)
    assert half.reliable
    few = smoothed_weights(np.where(np.arange(1000) < 3, 0.0, -np.inf))
    assert not few.reliable
    assert largest_shape(1000) == pytest.approx(2 / 3)


def test_smoothing_makes_a_heavy_tail_lighter_and_keeps_the_order():
    log = 4 * np.random.default_rng(4).standard_normal(1000)
    found = smoothed_weights(log)
    assert not found.reliable
    raw = np.exp(log - log.max())
    assert found.values.max() < (raw / raw.sum()).max() * 1.5
    order = np.argsort(log)
    assert (np.diff(found.values[order]) >= -1e-15).all()
    assert found.values.sum() == pytest.approx(1)


def test_a_linear_model_with_a_normal_judgment_has_the_normal_posterior():
    """Y = a z with z standard normal in three dimensions, and a stated value y with error s: precisions add."""
    a, stated, error = np.array([0.6, -0.8, 0.0]), 2.0, 0.5
    variance = 1 / (1 + 1 / error**2)
    mean = variance * stated / error**2

    def log_likelihood(z):
        return judgment_log_likelihood(z @ a, stated, error)

    z = np.random.default_rng(0).standard_normal((4000, 3))
    weights = smoothed_weights(log_likelihood(z)).values
    assert weights @ (z @ a) == pytest.approx(mean, abs=0.05)
    assert weights @ (z @ a - mean) ** 2 == pytest.approx(variance, abs=0.03)
    moved = tempered_draws(z[:2000], log_likelihood, np.random.default_rng(1), moves=8)
    assert (moved.scores @ a).mean() == pytest.approx(mean, abs=0.06)
    assert (moved.scores @ a).var() == pytest.approx(variance, abs=0.04)
    assert moved.scores[:, 2].var() == pytest.approx(1, abs=0.1)  # what the evidence is not of stays as it was
    exact = stats.norm(0, np.sqrt(1 + error**2)).logpdf(stated)
    assert moved.log_evidence == pytest.approx(exact, abs=0.15)


def test_sequential_monte_carlo_takes_over_where_weights_cannot_be_relied_on():
    """Forty numbers pulled by two standard deviations each: no draw of the prior is near."""
    z = np.random.default_rng(0).standard_normal((1000, 40))

    def log_likelihood(scores):
        return -0.5 * ((scores - 2) ** 2).sum(axis=-1)

    assert not smoothed_weights(log_likelihood(z)).reliable
    moved = tempered_draws(z, log_likelihood, np.random.default_rng(1), moves=10)
    assert moved.scores.mean() == pytest.approx(1, abs=0.05)
    assert len(moved.powers) > 3


# ---------------------------------------------------------------- what a user reads


@pytest.fixture(scope="module")
def baltic() -> Conditioned:
    return dt.Scenario.load("baltic-2017").condition(draws=1000, seed=1)


def test_evidence_narrows_the_baltic_case(baltic):
    before, after = baltic.prior.interval(0.9)["attack"], baltic.interval(0.9)["attack"]
    assert before[0] < after[0] < after[1] < before[1]
    assert baltic.method == "importance"
    assert baltic.pareto_k < largest_shape(1000)
    assert baltic.effective > 300
    assert set(baltic.moved().index[:2]) == {"aggressor.prize.location", "horizon.opportunities"}
    assert not baltic.warnings


def test_prior_and_posterior_stand_side_by_side(baltic):
    said = str(baltic)
    assert "Before the evidence the likelihood of attack has the median" in said
    assert "no limited or full attack on a Baltic member, June 2017 to December 2024" in said
    assert "effective sample" in " ".join(said.split())
    plain = json.loads(json.dumps(baltic.to_dict()))
    assert plain["posterior"]["interval_90"]["attack"] == list(baltic.interval(0.9)["attack"])
    assert plain["method"] == "importance"
    assert [period["years"] for period in plain["period"]] == [10, 10]


def test_the_period_rises_above_one_opportunity_by_the_stated_link():
    scenario = textbook("[horizon]\nyears = 10\nopportunities = { value = 0.2, range = [0.1, 0.5] }\n", UNIFORM)
    point = scenario.assess(uncertainty=False)
    assert point.period.point[0] == pytest.approx(1 - (1 - point.likelihood[0]) ** 2)
    assert "Over 10 years with 0.2 opportunities a year" in point.in_words()
    assert "1 - (1 - p)^2 = 88.9 %" in point.in_words()
    drawn = scenario.assess(draws=500)
    low, high = drawn.period.interval(0.9)
    once = drawn.uncertainty.interval(0.9)["attack"]
    assert low == once[0] == 0
    assert high > once[1]
    assert drawn.to_dict()["period"]["interval_90"] == [low, high]
    assert dt.Scenario.load("textbook").assess(uncertainty=False).period is None


def test_evidence_that_moves_nothing_is_said_to_move_nothing():
    flat = textbook('[[evidence]]\nevent = "no attack"\nyears = 1\nopportunities = 0.0001\n', UNIFORM)
    found = flat.condition(draws=300, seed=1)
    assert "moves nothing: it is about as probable under every draw" in found.in_words()


def test_evidence_that_no_draw_allows_is_refused_with_its_line():
    never = textbook(
        '[[evidence]]\nevent = "attack"\n', '{ value = 4, illustrative = true, range = [3.5, 5], shape = "uniform" }'
    )
    with pytest.raises(
        dt.ScenarioError, match=r"case.toml:\d+: evidence\[0\]: the evidence 'attack' has probability 0"
    ):
        never.condition(draws=50)


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ('event = "no atack"', r"evidence\[0\]: no event 'atack'.*did you mean 'attack'"),
        ('event = "no attack"\nyears = 3', "expected opportunities = N a year beside years"),
        ('event = "attack"\ncount = 3', "missing key 'of'"),
        ('event = "attack"\ncount = 3\nof = 2', "expected a count of at most 2, got 3"),
        ('event = "attack"\ncount = 3\nof = 9\nreference_class = "crises"', "concentration together"),
        ('event = "attack"\nprobability = 0.2', "missing key 'error'"),
        ('event = "no attack"\nprobability = 0.2\nerror = 0.1', "expected events, or in a record 'no EVENT'"),
        ('likelier = "full"\nthan = "full"\nconfidence = 0.9', "expected two events, got 'full' twice"),
        ('likelier = "full"\nthan = "attack"', "missing key 'confidence'"),
        ('likelier = "full"\nthan = "attack"\nconfidence = 0.9\nyears = 3', "has no 'years'"),
        ('event = "attack"\nprobability = 1.2\nerror = 0.1', "less than or equal to 1"),
        ('event = "attack"\nsource = "NOBODY"', r"evidence\[0\]\.source: 'NOBODY' is not in \[sources\]"),
    ],
)
def test_what_is_no_evidence_is_refused(evidence: str, message: str):
    with pytest.raises(dt.ScenarioError, match=message):
        textbook(f"[[evidence]]\n{evidence}\n")


def test_a_scenario_without_evidence_says_how_to_state_it():
    with pytest.raises(dt.ParameterError, match=r"textbook states no evidence; add \[\[evidence\]\]"):
        textbook().condition()
    with pytest.raises(dt.ParameterError, match="method must be 'auto'"):
        textbook('[[evidence]]\nevent = "attack"\n').condition(method="mcmc")


# ---------------------------------------------------------------- hand-over to other samplers


def test_a_problem_hands_likelihood_and_prior_to_other_samplers():
    scenario = textbook('[[evidence]]\nevent = "attack"\ncount = 3\nof = 10\n', UNIFORM)
    problem = scenario.inference_problem()
    assert problem.names == ("parameters.loss",)
    u = np.array([[0.25], [0.5]])
    values = problem.prior_transform(u)
    assert values[:, 0] == pytest.approx(0.1 + 4.9 * u[:, 0])
    exact = stats.binom(10, 1 - values[:, 0] / 3).logpmf(3)
    assert problem.log_likelihood(values) == pytest.approx(exact, abs=1e-9)
    z = ndtri(u)
    assert problem.log_probability(z) == pytest.approx(exact - 0.5 * z[:, 0] ** 2, abs=1e-9)
    assert problem.log_probability(z[0]).shape == ()


def test_a_posterior_goes_to_arviz(baltic):
    data = baltic.to_inference_data()
    assert {"prior", "posterior", "prior_predictive", "posterior_predictive"} <= set(data.children)
    after = data["posterior_predictive"]["attack"].values
    assert np.median(after) == pytest.approx(sum(baltic.median()["attack"]) / 2, abs=0.02)


def test_weighted_quantiles_are_those_of_repeated_draws():
    values, counts = np.array([3.0, 1.0, 2.0, np.nan]), np.array([1, 2, 5, 4])
    repeated = np.repeat(values[:3], counts[:3] * 1000)
    for level in (0.1, 0.5, 0.9):
        found = weighted_quantile(values, level, counts / counts.sum())
        assert abs(found - np.quantile(repeated, level)) <= 1
    assert weighted_quantile(np.arange(5.0), 0.5, np.full(5, 0.2)) == pytest.approx(2)


def test_weighed_draws_have_no_drivers(baltic):
    with pytest.raises(dt.ParameterError, match="ask what it moved"):
        baltic.posterior.drivers()
    same = baltic.posterior.resampled()
    assert isinstance(same, Uncertainty)
    assert same.weights is None
    assert same.mean()["attack"][0] == pytest.approx(baltic.posterior.mean()["attack"][0], abs=0.01)


ISLAND = """schema_version = 1
name = "synthetic"
title = "A synthetic case"
[defence]
base = {{ value = {base:.3f}, range = [{base_low:.3f}, {base_high:.3f}] }}
[aggressor]
prize = {{ family = "normal", location = {{ value = {v:.3f}, range = [{v_low:.3f}, {v_high:.3f}] }}, scale = 0.4 }}
[[attacks]]
name = "full"
strength = {{ value = {a:.3f}, range = [{a_low:.3f}, {a_high:.3f}], shape = "{shape}" }}
window = 10
share = 1
cost = {{ value = 0.3, range = [0.1, 0.5], shape = "uniform" }}
[[members]]
name = "A"
capability = 3
delay = 2
stake = 1
cost = {{ family = "normal", location = {{ value = {c:.3f}, range = [{c_low:.3f}, {c_high:.3f}] }}, scale = 0.5 }}
"""


def synthetic(rng: np.random.Generator) -> dt.Scenario:
    """Return a scenario whose numbers and ranges are drawn."""
    numbers: dict[str, object] = {"shape": rng.choice(["pert", "uniform", "lognormal", "triangular"])}
    for name, (low, high) in {"base": (1, 4), "v": (0.3, 1.2), "a": (2, 6), "c": (0.5, 2)}.items():
        value = rng.uniform(low, high)
        numbers |= {
            name: value,
            f"{name}_low": value * rng.uniform(0.3, 0.9),
            f"{name}_high": value * rng.uniform(1.1, 3),
        }
    return dt.Scenario.loads(ISLAND.format(**numbers))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_intervals_cover_the_truth_as_often_as_they_say():
    """500 synthetic scenarios: the truth is drawn from each one's own ranges, the interval from other draws."""
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(500):
        scenario = synthetic(rng)
        truth = draw_uncertainty(scenario, draws=2, seed=int(rng.integers(2**19)))
        low, high = draw_uncertainty(scenario, draws=200, seed=int(rng.integers(2**19))).interval(0.9)["attack"]
        covered.append(low <= truth.low["attack"][0] and truth.high["attack"][0] <= high)
    assert 0.88 <= np.mean(covered) <= 0.92


@pytest.mark.slow
@pytest.mark.parametrize("name", dt.Scenario.names())
def test_every_variant_that_is_shipped_can_be_drawn(name):
    for variant in ("", *(f":{one}" for one in dt.Scenario.load(name).variants)):
        assert draw_uncertainty(dt.Scenario.load(name + variant), draws=16, seed=0).unsolved == 0, variant

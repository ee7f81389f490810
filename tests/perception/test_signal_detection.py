"""Learning resolve: signal detection, several indicators, warnings, statements, and watching at a cost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deterrence.games.errors import ParameterError
from deterrence.perception.detection import (
    combined_sensitivity,
    exceedance_probability,
    most_dangerous_signal,
    signal_detection,
    warning_threshold,
)
from deterrence.perception.indicators import mobilisation, observe, statements
from deterrence.perception.watching import watch

inside = st.floats(0.05, 0.95)


@pytest.mark.parametrize(
    ("rho", "d_prime", "expect"),
    [
        (0.4, 1, (0.90546511, 0.46234213, 0.81739048, 0.67537114, 0.18493685)),  # SDT-1
        (0.6, 1, (0.094534892, 0.18260952, 0.53765787, 0.32462886, 0.10956571)),  # SDT-2
        (0.4, 3, (1.635155, 0.086150892, 0.94899172, 0.60385539, 0.034460357)),  # SDT-3
    ],
)
def test_signal_detection_known_answers(rho, d_prime, expect):
    found = signal_detection(rho, 0.5, d_prime)
    got = (found.cutoff, found.attack_given_resolved, found.attack_given_irresolute, found.attack, found.war)
    assert got == pytest.approx(expect, abs=1e-6)


@given(rho=inside, mu=inside)
def test_limits_of_signal_quality(rho, mu):
    blind, perfect = signal_detection(rho, mu, 0.0), signal_detection(rho, mu, np.inf)
    assert blind.attack == (1.0 if rho < mu else 0.0)
    assert blind.war == pytest.approx(rho * blind.attack)
    assert perfect.attack == pytest.approx(1 - rho, abs=1e-8)
    assert perfect.war == 0.0
    assert signal_detection(rho, mu, 60.0).attack == pytest.approx(1 - rho, abs=1e-8)
    if abs(rho - mu) > 0.01:
        assert signal_detection(rho, mu, 1e-5).attack == pytest.approx(blind.attack, abs=1e-8)


@given(rho=inside, mu=inside, d=st.floats(0.1, 4))
def test_no_other_cutoff_pays_the_aggressor_more(rho, mu, d):
    """An attack is worth mu* on the irresolute and mu* - 1 on the resolved type."""

    def worth(bias):
        found = signal_detection(rho, mu, d, bias=bias)
        return (1 - rho) * found.attack_given_irresolute * mu + found.war * (mu - 1)

    best = worth(0.0)
    assert best >= max(worth(b) for b in (-0.5, -0.1, 0.1, 0.5)) - 1e-12


def test_any_signal_lowers_war_where_the_prior_does_not_deter():
    war = signal_detection(0.4, 0.5, np.linspace(0.05, 6, 200)).war
    assert (np.diff(war) < 0).all()
    assert (signal_detection(0.4, 0.5, np.linspace(0.05, 6, 200)).attack < 1).all()


@given(rho=inside, mu=inside)
def test_most_dangerous_signal_is_where_a_grid_says(rho, mu):
    d, war = most_dangerous_signal(rho, mu)
    grid = signal_detection(rho, mu, np.linspace(1e-4, 12, 4001)).war
    assert war >= grid.max() - 1e-12
    if rho > mu + 0.01:
        assert war == pytest.approx(signal_detection(rho, mu, d).war, abs=1e-12)


def test_most_dangerous_signal_known_answer():  # SDT-6
    assert most_dangerous_signal(0.6, 0.5) == pytest.approx((0.90051664, 0.11035361), abs=1e-6)


def test_simulation_agrees_with_signal_detection():
    rng, n = np.random.default_rng(3), 200_000
    resolved = rng.random(n) < 0.4
    attacks = rng.normal(size=n) + 1.0 * resolved < signal_detection(0.4, 0.5, 1.0).cutoff
    assert attacks.mean() == pytest.approx(0.67537114, abs=0.005)


@given(n=st.integers(1, 6), r=st.floats(-0.15, 0.9), d=st.floats(0.1, 3))
def test_several_indicators(n, r, d):
    sigma = np.full((n, n), r) + (1 - r) * np.eye(n)
    found = combined_sensitivity(np.full(n, d), sigma)
    assert found == pytest.approx(d * np.sqrt(n / (1 + (n - 1) * r)), rel=1e-9)
    assert combined_sensitivity(np.full(n, d), np.eye(n)) == pytest.approx(d * np.sqrt(n))


def test_correlated_indicators_by_simulation():
    sigma, delta = np.array([[1.0, 0.6], [0.6, 2.0]]), np.array([1.0, 0.5])
    d = float(combined_sensitivity(delta, sigma))
    rng, n = np.random.default_rng(5), 200_000
    resolved = rng.random(n) < 0.4
    x = rng.multivariate_normal([0, 0], sigma, size=n) + resolved[:, None] * delta
    weights = np.linalg.solve(sigma, delta)
    logs = (x - delta / 2) @ weights  # log likelihood ratio of resolved to irresolute
    attacks = logs < np.log(0.6 / 0.4)
    assert attacks.mean() == pytest.approx(float(signal_detection(0.4, 0.5, d).attack), abs=0.005)


def test_warning_threshold_known_answer():  # DET-1
    found = warning_threshold(0.2, 5, 1, 1.5)
    assert (found.criterion, found.hit, found.false_alarm) == pytest.approx(
        (0.60123763, 0.81561038, 0.27384086), abs=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "expect"),
    [
        ((0.4, 0.5, 0.8, 0.3), (0.64, 0.16, 0.5, 0.08)),  # BSIG-1
        ((0.6, 0.5, 0.7, 0.2), (0.84, 0.36, 0.5, 0.18)),  # BSIG-2
    ],
)
def test_mobilisation_known_answers(arguments, expect):
    found = mobilisation(*arguments)
    assert (found.posterior_mobilised, found.posterior_not, found.attack, found.war) == pytest.approx(expect, abs=1e-6)


def test_statements_known_answers():
    assert statements(0.4, 0.6, 0.7, 3, 0) == pytest.approx((0.89439374, 0), abs=1e-6)  # MSG-1
    assert statements(0.4, 0.6, 0.7, 3, 3) == pytest.approx((0.4, 1), abs=1e-6)  # MSG-2


@given(rho=inside, a=st.floats(0.51, 0.95), n=st.integers(0, 5), m=st.integers(0, 5))
def test_statements_are_bayes_rule(rho, a, n, m):
    firm, not_firm = rho * a**n * (1 - a) ** m, (1 - rho) * (1 - a) ** n * a**m
    assert statements(rho, 0.5, a, n, m)[0] == pytest.approx(firm / (firm + not_firm), rel=1e-9)


@given(rho=inside, likelihood=st.lists(st.floats(0.05, 0.95), min_size=2, max_size=2))
def test_observation_is_bayes_rule_and_pays(rho, likelihood):
    table = [[x, 1 - x] for x in likelihood]
    payoffs = np.array([[0.0, -1.0], [0.0, 1.0]])
    seen = observe([rho, 1 - rho], table, payoffs)
    assert seen.chance.sum() == pytest.approx(1)
    assert (seen.posterior * seen.chance[:, None]).sum(axis=0) == pytest.approx(
        [rho, 1 - rho]
    )  # beliefs are a martingale
    assert seen.joint.sum() == pytest.approx(1)
    blind = max(0.0, 1 - 2 * rho)
    assert (seen.joint * payoffs).sum() >= blind - 1e-12


# ---------------------------------------------------------------- watching

TABLE = [[0.7, 0.3], [0.4, 0.6]]


def exhaustive(rho, payoffs, table, cost, horizon):
    """The best value over all plans, by recursion over the sequences of what is seen, not over counts."""
    table = np.asarray(table)

    def best(weights, looks):
        stop = max(float(weights @ payoffs), 0.0)
        if looks == horizon:
            return stop
        return max(
            stop, sum(best(weights * table[:, x], looks + 1) for x in range(table.shape[1])) - cost * weights.sum()
        )

    return best(np.array([rho, 1 - rho]), 0)


@given(rho=inside, cost=st.floats(0, 0.1), horizon=st.integers(0, 5), war=st.floats(-3, -0.2))
def test_watching_attains_the_best_value(rho, cost, horizon, war):
    found = watch(rho, (war, 1.0), TABLE, cost=cost, horizon=horizon)
    assert found.value == pytest.approx(exhaustive(rho, np.array([war, 1.0]), TABLE, cost, horizon), abs=1e-10)
    assert found.value == pytest.approx(found.war * war + (found.attack - found.war) - cost * found.delay, abs=1e-10)
    assert found.by_period.sum() == pytest.approx(found.attack)
    assert 0 <= found.war <= rho + 1e-12


def test_watching_without_looks_is_the_prior_and_a_costly_look_is_not_taken():
    assert watch(0.4, (-1.0, 1.0), TABLE, cost=0.0, horizon=0).attack == 1.0
    assert watch(0.6, (-1.0, 1.0), TABLE, cost=0.0, horizon=0).attack == 0.0
    assert watch(0.4, (-1.0, 1.0), TABLE, cost=5.0, horizon=10).delay == 0.0


def test_many_free_looks_reveal_the_type():
    found = watch(0.4, (-1.0, 1.0), TABLE, cost=0.0, horizon=150)
    assert found.attack == pytest.approx(0.6, abs=5e-3)
    assert found.war == pytest.approx(0, abs=2e-3)
    perfect = watch(0.4, (-1.0, 1.0), [[1.0, 0.0], [0.0, 1.0]], cost=0.01, horizon=1)
    assert (perfect.attack, perfect.war, perfect.delay) == (pytest.approx(0.6), 0.0, 1.0)


def test_watching_follows_what_a_fresh_solution_of_the_rest_would_do():
    """Play on every sequence of three indicators, solving anew from the belief reached: the same chances come out."""
    table = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    found = watch(0.55, (-1.0, 1.0), table, cost=0.02, horizon=4)
    attack = war = 0.0
    for seen in itertools.product(range(3), repeat=4):
        weights, rest = np.array([0.55, 0.45]), watch(0.55, (-1.0, 1.0), table, cost=0.02, horizon=4)
        for looks in range(4):
            if rest.delay == 0:
                break
            weights = weights * table[:, seen[looks]]
            rest = watch(float(weights[0] / weights.sum()), (-1.0, 1.0), table, cost=0.02, horizon=3 - looks)
        if rest.by_period[0] > 0.5:
            whole = np.array([0.55, 0.45]) * table[:, list(seen)].prod(axis=1)  # stopped before: the rest sums out
            attack, war = attack + whole.sum(), war + whole[0]
    assert (attack, war) == pytest.approx((found.attack, found.war), abs=1e-10)


@given(intensity=st.floats(-2, 2), threshold=st.floats(-2, 2), noise=st.floats(0.01, 3), seed=st.integers(0, 99))
def test_an_intensity_exceeds_a_noisy_threshold_as_often_as_draws_say(intensity, threshold, noise, seed):
    draws = np.random.default_rng(seed).normal(threshold, noise, 40_000)
    share = float(exceedance_probability(intensity, threshold, noise))
    assert share == pytest.approx(np.mean(draws <= intensity), abs=0.0125)  # five standard errors
    assert share == pytest.approx(1 - float(exceedance_probability(threshold, intensity, noise)), abs=1e-12)


def test_a_threshold_without_noise_is_a_step():
    assert exceedance_probability([0.3, 0.5, 0.7], 0.5, 0).tolist() == [0, 1, 1]
    assert exceedance_probability(0.5 - 1e-13, 0.5, 0) == 0
    assert exceedance_probability(0.5 - 1e-13, 0.5, 0, rounding=1e-12) == 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: signal_detection(1.2, 0.5, 1), "rho must lie strictly between 0 and 1"),
        (lambda: signal_detection(0.5, 0.5, -1), "d_prime must not be negative"),
        (lambda: combined_sensitivity([1, 1], [[1, 1], [1, 1]]), "positive definite"),
        (lambda: combined_sensitivity([1, 1], [[1, 0.5], [0.2, 1]]), "symmetric"),
        (lambda: combined_sensitivity([1], [[1, 0], [0, 1]]), "shape"),
        (lambda: warning_threshold(0.2, -5, 1, 1.5), "must be positive"),
        (lambda: warning_threshold(0.2, 5, 1, 0), "d_prime must be positive"),
        (lambda: exceedance_probability(1, 0, -0.1), "noise of a threshold must not be negative"),
        (lambda: observe([0.5, 0.4], [[1], [1]], [[0], [1]]), "prior must hold distributions"),
        (lambda: observe([0.5, 0.5], [[1]], [[0], [1]]), "must have shapes"),
        (lambda: mobilisation(0.5, 0.5, 1.5, 0.1), "hit must be a probability"),
        (lambda: statements(0.5, 0.5, 0.7, -1, 0), "must not be negative"),
        (lambda: watch(0.5, (-1, 1), [[0.5, 0.4], [1, 0]], cost=0, horizon=1), "two distributions"),
        (lambda: watch(0.5, (-1, 1), TABLE, cost=-1, horizon=1), "cost of a look"),
        (lambda: watch(0.5, (-1, 1), TABLE, cost=0, horizon=1.5), "whole number"),
        (lambda: watch(0.5, (-1, 1), [[0.2] * 5] * 2, cost=0, horizon=200), "too many"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(ParameterError, match=match):
        call()

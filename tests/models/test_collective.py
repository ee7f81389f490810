"""What the models of collective response claim: coordination, voting, volunteering, burden sharing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import deterrence as dt
from deterrence.solvers.algebra.thresholds import best_response_iteration, maximum
from tests.model_comparison import quantities as ask

both_routes = pytest.mark.parametrize("route", ["closed_form", "solved"])


def falls(values) -> bool:
    return all(b <= a + 1e-9 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


def rises(values) -> bool:
    return falls([-x for x in values])


# ---------------------------------------------------------------- global games


@both_routes
def test_two_allies_assist_where_it_is_risk_dominant(route):
    assert ask("GG2", route)["threshold"] == pytest.approx(0.5, abs=1e-9)
    for loss in (0.4, 3):  # at the threshold an even chance of being alone is just worth it
        x = ask("GG2", route, loss=loss)["threshold"]
        assert 0.5 * x + 0.5 * (x - loss) == pytest.approx(0, abs=1e-9)


@both_routes
def test_with_a_flat_prior_noise_moves_the_signal_and_not_the_strength_that_is_beaten(route):
    found = [ask("GGC", route, c=0.3, sigma=s) for s in (0.01, 0.1, 1)]
    assert [f["theta_star"] for f in found] == pytest.approx([0.7] * 3)
    assert rises([f["x_star"] for f in found])
    assert found[0]["x_star"] == pytest.approx(0.7, abs=0.01)
    assert rises([ask("GGC", route, c=c, sigma=0.1)["P_attack"] for c in (0.1, 0.3, 0.6, 0.9)])


@both_routes
def test_fear_of_abandonment_selects_failure_where_both_outcomes_were_possible(route):
    """With complete information, attacks in (0, 1) may be beaten or not; here only those below 1 - c are."""
    mode = "attacker knows theta, pays kappa=0, sigma->0"
    assert ask("GGC", route, c=0.3, theta="U[0,1]", mode=mode)["P_attack"] == pytest.approx(0.3)


@both_routes
def test_public_information_that_is_too_precise_brings_multiplicity_back(route):
    bound = np.sqrt(2 * np.pi)
    for ratio, count in ((0.98 * bound, 1), (1.05 * bound, 3)):
        sigma = 0.5
        found = ask("GGN", route, c=0.5, sigma=sigma, y=0.5, tau=float(np.sqrt(sigma / ratio)))
        assert found["uniqueness_ratio"] == pytest.approx(ratio)
        assert found["unique"] == int(count == 1)
        assert len(found["theta_star"]) == len(found["x_star"]) == len(found["P_response"]) == count
        assert found["theta_star"] == sorted(found["theta_star"])
    # beyond the bound, a prior far from the middle still leaves one
    assert len(ask("GGN", route, c=0.5, sigma=0.5, y=2, tau=0.3)["theta_star"]) == 1


@both_routes
def test_the_member_at_the_cutoff_is_indifferent(route):
    c, sigma, y, tau = 0.35, 0.4, 0.6, 0.45
    for theta, x in zip(*(ask("GGN", route, c=c, sigma=sigma, y=y, tau=tau)[n] for n in ("theta_star", "x_star"))):
        grid = np.linspace(-4, 5, 200_001)
        density = norm.pdf(grid, y, tau) * norm.pdf(x, grid, sigma)
        assert density[grid <= theta].sum() / density.sum() == pytest.approx(c, abs=1e-4)
        assert norm.cdf((x - theta) / sigma) == pytest.approx(theta, abs=1e-8)


@both_routes
def test_vague_public_information_gives_the_flat_prior(route):
    far = ask("GGN", route, c=0.3, sigma=0.1, y=0.5, tau=100)
    assert far["theta_star"] == pytest.approx([ask("GGC", route, c=0.3, sigma=0.1)["theta_star"]], abs=1e-4)


@both_routes
def test_the_more_members_a_response_needs_the_more_goes_unanswered(route):
    thresholds = [ask("GGK", route, N=5, k=k, c=0.2)["threshold"] for k in range(1, 6)]
    assert rises(thresholds)
    assert (thresholds[0], thresholds[-1]) == pytest.approx((0.2, 1.0))
    # under consensus larger alliances leave more; if one is enough, size does not matter
    assert rises([ask("GGK", route, N=N, k=N, c=0.05)["threshold"] for N in (2, 5, 10, 30)])
    assert np.ptp([ask("GGK", route, N=N, k=1, c=0.05)["threshold"] for N in (2, 5, 10, 30)]) < 1e-9


@both_routes
def test_the_free_bite_is_capped(route):
    mode = "largest unpunished severity"
    assert ask("GGK", route, N=10, k=10, c=0.05, cap=0.4, mode=mode)["free_bite"] == pytest.approx(0.4)
    assert ask("GGK", route, N=10, k=10, c=0.05, cap=0.9, mode=mode)["free_bite"] == pytest.approx(0.5)


def test_at_the_cutoff_every_rank_is_equally_likely():
    rng = np.random.default_rng(1)
    N, width = 4, 40.0
    theta = rng.uniform(-width, width, size=400_000)  # a wide prior stands for a flat one
    signals = theta + rng.normal(size=(N, theta.size))
    near = np.abs(signals[0]) < 2
    above = (signals[1:, near] > signals[0, near]).sum(axis=0)
    assert np.bincount(above, minlength=N) / near.sum() == pytest.approx(np.full(N, 1 / N), abs=0.02)


# ---------------------------------------------------------------- votes


@both_routes
def test_unanimity_is_the_product_and_every_vote_more_is_less_likely(route):
    p = [0.9, 0.8, 0.7, 0.6, 0.5]
    tails = [ask("CONS", route, p=p, k=k)["P_invoke"] for k in range(6)]
    assert falls(tails)
    assert tails[0] == pytest.approx(1)
    assert tails[-1] == pytest.approx(np.prod(p))


@both_routes
def test_unanimity_errs_both_ways_however_many_members(route):
    found = [ask("FP", route, n=n, accuracy=0.8, q=0.9, prior=0.5) for n in (12, 100, 1000, 20_000, "infinity")]
    assert all(f["P_fail_given_threat"] > 0.6 for f in found)
    assert all(f["P_respond_given_none"] > 0.006 for f in found)
    for name in ("P_fail_given_threat", "P_respond_given_none"):
        assert rises([f[name] for f in found])  # no better with more members
        assert found[-2][name] == pytest.approx(found[-1][name], abs=1e-3)


@given(seed=st.integers(0, 10**6))
def test_the_pivotal_member_is_indifferent(seed):
    values = dt.models.get("FP").draw(np.random.default_rng(seed))
    found = ask("FP", "solved", **values)
    n, accuracy, q, prior = (values[x] for x in ("n", "accuracy", "q", "prior"))
    if np.isinf(n) or not 1e-6 < found["sigma"] < 1 - 1e-6:
        return
    threat = prior * (1 - accuracy) * found["vote_respond_given_threat"] ** (n - 1)
    none = (1 - prior) * accuracy * found["vote_respond_given_none"] ** (n - 1)
    assert threat / (threat + none) == pytest.approx(q, abs=1e-7)


@both_routes
def test_members_eager_enough_always_vote_to_respond_and_cautious_ones_only_on_a_threat(route):
    eager = ask("FP", route, n=5, accuracy=0.7, q=0.1, prior=0.5)
    assert (eager["sigma"], eager["P_respond_given_none"], eager["P_fail_given_threat"]) == pytest.approx((1, 1, 0))
    endless = ask("FP", route, n="infinity", accuracy=0.7, q=0.1, prior=0.5)
    assert (endless["P_respond_given_none"], endless["P_fail_given_threat"]) == pytest.approx((1, 0))
    cautious = ask("FP", route, n=3, accuracy=0.7, q=0.92, prior=0.5)
    assert cautious["sigma"] == 0
    assert cautious["P_respond_given_none"] == pytest.approx(0.3**3)


# ---------------------------------------------------------------- volunteers


@both_routes
def test_larger_alliances_leave_an_attack_unanswered_more_often(route):
    found = [ask("VD", route, N=N, b=1, c=0.3) for N in (2, 3, 5, 10, 100, "infinity")]
    assert rises([f["P_nobody"] for f in found])
    assert falls([f["p"] for f in found])
    assert found[-1]["P_nobody"] == pytest.approx(0.3)
    assert all(f["P_nobody"] < f["limit_P_nobody"] for f in found[:-1])


@both_routes
def test_members_to_whom_acting_is_cheap_act_less(route):
    found = ask("VDA", route, cost_benefit=[0.5, 0.3, 0.4])
    order = np.argsort([0.5, 0.3, 0.4])
    assert rises([found["volunteer"][i] for i in order])
    waits = 1 - np.array(found["volunteer"])
    assert found["P_nobody"] == pytest.approx(waits.prod())
    assert [waits.prod() / w for w in waits] == pytest.approx([0.5, 0.3, 0.4])  # each is indifferent
    same = ask("VDA", route, cost_benefit=[0.3] * 5)
    assert same["P_nobody"] == pytest.approx(ask("VD", route, N=5, b=1, c=0.3)["P_nobody"])


@both_routes
def test_members_too_unequal_do_not_all_mix(route):
    found = ask("VDA", route, cost_benefit=[0.05, 0.9, 0.9])
    assert (found["interior"], found["volunteer"], found["P_nobody"]) == (0, None, None)


@both_routes
def test_a_threshold_of_volunteers_has_two_mixed_equilibria_or_none(route):
    two = ask("VDK", route, N=5, k=3, b=1, c=0.2)
    assert len(two["roots"]) == 2
    assert rises(two["P_provision"])
    assert ask("VDK", route, N=5, k=3, b=1, c=0.4)["roots"] == []
    lone = ask("VDK", route, N=5, k=1, b=1, c=0.3)
    assert lone["roots"] == pytest.approx([ask("VD", route, N=5, b=1, c=0.3)["p"]])
    assert lone["P_provision"] == pytest.approx([1 - ask("VD", route, N=5, b=1, c=0.3)["P_nobody"]])
    assert ask("VDK", route, N=5, k=5, b=1, c=0.3)["roots"] == pytest.approx([0.3**0.25])


# ---------------------------------------------------------------- burden sharing


@both_routes
def test_the_rich_give_more_than_in_proportion_and_the_small_nothing(route):
    found = ask("OZ", route, incomes=[10, 9, 8, 3], beta=0.5)
    assert falls(found["shares_of_income"])
    assert found["contributions"][-1] == 0
    assert found["contributors"] == 3
    assert found["X"] < found["X_efficient"]
    order = ask("OZ", route, incomes=[3, 8, 10, 9], beta=0.5)
    assert order["contributions"] == pytest.approx([found["contributions"][i] for i in (3, 2, 0, 1)])


@both_routes
def test_a_member_gives_nothing_below_a_share_of_the_common_defence(route):
    X = ask("OZ", route, incomes=[10, 9], beta=0.5)["X"]
    below, above = (
        ask("OZ", route, incomes=[10, 9, X / 0.5 + d], beta=0.5)["contributions"][-1] for d in (-0.01, 0.01)
    )
    assert below == 0
    assert above > 0


@given(seed=st.integers(0, 10**6))
def test_contributions_are_best_replies(seed):
    values = dt.models.get("OZ").draw(np.random.default_rng(seed))
    incomes, beta = np.array(values["incomes"]), values["beta"]
    found = ask("OZ", "solved", **values)
    given = np.array(found["contributions"])
    i = int(np.argmax(incomes))
    best, _ = maximum(
        lambda x: np.log(incomes[i] - x) + beta * np.log(x + given.sum() - given[i]), 0, incomes[i] * (1 - 1e-9)
    )
    assert best == pytest.approx(given[i], abs=1e-6 * incomes[i])


def test_repeated_best_replies_lead_to_the_equilibrium():
    incomes, beta = np.array([10.0, 9.0, 8.0]), 0.5

    def reply(x):  # to what the others give now, a third of the way
        others = x.sum() - x
        return x + (np.maximum(0, (beta * incomes - others) / (1 + beta)) - x) / 3

    found = ask("OZ", incomes=incomes.tolist(), beta=beta)["contributions"]
    assert best_response_iteration(reply, [1.0, 1.0, 1.0]) == pytest.approx(found, abs=1e-9)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("id", "params", "message"),
    [
        ("GG2", {"loss": 0}, "loss must lie in"),
        ("GG2", {"payoffs": "other"}, "payoffs must be one of"),
        ("GGC", {"c": 1.2}, "c must lie in"),
        ("GGC", {"sigma": 0}, "sigma must lie in"),
        ("GGC", {"c": 0.3, "mode": "nobody knows"}, "has no mode"),
        ("GGN", {"tau": 0}, "tau must lie in"),
        ("GGK", {"N": 3, "k": 5}, "GGK requires k <= N"),
        ("GGK", {"N": 5, "k": 2.5}, "k must be a whole number"),
        ("CONS", {"p": [0.5, 1.5], "k": 1}, r"p must hold numbers in \[0, 1\]"),
        ("CONS", {"p": [0.5, 0.5], "k": 3}, "k <= N"),
        ("FP", {"accuracy": 0.4}, "accuracy must lie in"),
        ("FP", {"accuracy": 0.5}, "FP requires 0.5 < accuracy < 1"),
        ("FP", {"n": 2, "accuracy": 0.6, "q": 0.95}, "nobody ever votes to respond"),
        ("VD", {"b": 0.2, "c": 0.3}, "VD requires c < b"),
        ("VD", {"N": 1}, "N must lie in"),
        ("VDA", {"cost_benefit": [0.3]}, "at least two members"),
        ("VDA", {"cost_benefit": [0.3, 1.2]}, "cost_benefit must hold numbers"),
        ("VDK", {"N": 3, "k": 4}, "VDK requires k <= N"),
        ("OZ", {"incomes": [10, -1]}, "incomes must hold numbers"),
        ("OZ", {"beta": 0}, "beta must lie in"),
    ],
)
@both_routes
def test_inadmissible_parameters_are_refused(route, id, params, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(id, route, **params)

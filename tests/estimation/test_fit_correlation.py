"""Errors correlated between two stages: the bivariate normal, its derivatives, recovery, selection, clear errors."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import dblquad
from scipy.stats import multivariate_normal, norm

import deterrence as dt
from deterrence.estimation.correlation import log_bivariate_normal
from tests.estimation.tree_games import FOUR, SPEC, TRUTH, WAR, crisis, published, simulated, two_by_two, war_data


def integral_in_30_digits(h: float, k: float, r: float) -> float:
    """Return log Pr(X <= h, Y <= k) by quadrature over X, cut finely where the integrand may fall off."""
    with mp.workdps(30):
        a, b, c = mp.mpf(h), mp.mpf(k), mp.mpf(r)
        spread = mp.sqrt(1 - c * c)
        steps = [1e-4, 1e-3, 4e-3, 0.015, 0.05, 0.2, 0.5, 1, 2, 3, 5, 8, 12, 16, 20]
        bends = [b / c + d * spread for d in (-8, -3, 0, 3, 8)]
        points = sorted({a - 40, a, *(a - mp.mpf(d) for d in steps), *(p for p in bends if a - 20 < p < a)})
        return float(mp.log(mp.quad(lambda x: mp.npdf(x) * mp.ncdf((b - c * x) / spread), points)))


@pytest.mark.parametrize("r", [-0.995, -0.6, 1e-9, 0.3, 0.9, 0.9999])
@pytest.mark.parametrize(("h", "k"), [(0.3, -0.7), (-2.0, 1.5), (-9.0, -4.0), (6.0, -6.0), (1.0, 1.0)])
def test_the_bivariate_normal_keeps_its_digits_in_the_tails(h, k, r):
    own = log_bivariate_normal(*(np.array([x]) for x in (h, k, r)))[0]
    assert own == pytest.approx(integral_in_30_digits(h, k, r), rel=1e-10, abs=1e-12)


def test_without_correlation_the_moves_are_independent():
    h, k = np.random.default_rng(0).normal(0, 3, (2, 50))
    assert log_bivariate_normal(h, k, np.zeros(50)) == pytest.approx(norm.logcdf(h) + norm.logcdf(k), rel=1e-12)
    data = simulated(150, 2)
    for errors in ("agent", "private"):
        plain = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors)
        known = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors, correlation=0.0)
        assert known.llf == pytest.approx(plain.llf, abs=1e-8)
        assert known.theta == pytest.approx(plain.theta, abs=1e-5)


def likelihood(errors, data=None, game=None, utilities=None, **options):
    options = {"correlation": "1", "starts": 1, "iterations": 1, **options}
    data = simulated(60, 1) if data is None else data
    return dt.fit(
        game or crisis(), data, outcome="outcome", utilities=utilities or SPEC, errors=errors, **options
    ).likelihood


@pytest.mark.parametrize("errors", ["agent", "private"])
def test_ends_have_leemanns_probabilities(errors):
    own = likelihood(errors)
    theta = np.array([*TRUTH, np.arctanh(0.5)])
    u = {name: values[0] for name, values in own.symbol_values(theta).items()}
    second = u["u2_war"] / np.sqrt(2)
    p = norm.cdf(second)
    divisor = np.sqrt(2 if errors == "agent" else 1 + p**2 + (1 - p) ** 2)
    first = ((1 - p) * u["u1_capit"] + p * u["u1_war"] - u["u1_sq"]) / divisor
    both = multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]])
    war = both.cdf([first, second])
    expected = [1 - norm.cdf(first), norm.cdf(first) - war, war]
    assert own.probabilities(theta)[0] == pytest.approx(expected, abs=1e-8)
    integrated = dblquad(lambda y, x: both.pdf([x, y]), -9, first, -9, second, epsabs=1e-10)[0]
    assert own.probabilities(theta)[0, 2] == pytest.approx(integrated, abs=1e-9)


def test_ends_of_a_tree_with_two_second_movers():
    generator = np.random.default_rng(3)
    data = pd.DataFrame(generator.normal(size=(20, 8)), columns=[*"abcdefgh"])
    data["outcome"] = generator.choice(["LL", "LR", "RL", "RR"], 20)
    utilities = {"a1": "a + b", "a2": "c", "a3": 0, "a4": "d + e - 1", "b2": "f", "b4": "g + h"}
    own = likelihood("private", data, two_by_two(), utilities)
    theta = generator.normal(0, 0.5, own.size)
    theta[-1] = np.arctanh(-0.7)
    u = {name: values[0] for name, values in own.symbol_values(theta).items()}
    left, right = u["b2"] / np.sqrt(2), u["b4"] / np.sqrt(2)
    p, q = norm.cdf(left), norm.cdf(right)
    gap = (1 - q) * u["a3"] + q * u["a4"] - (1 - p) * u["a1"] - p * u["a2"]
    go = gap / np.sqrt(p**2 + (1 - p) ** 2 + q**2 + (1 - q) ** 2)
    both = multivariate_normal([0, 0], [[1, -0.7], [-0.7, 1]])
    rr, rl_rr = both.cdf([go, right]), norm.cdf(go)
    lr = norm.cdf(left) - both.cdf([go, left])  # the first mover left, the second took its second action
    assert own.probabilities(theta)[0] == pytest.approx([1 - rl_rr - lr, lr, rl_rr - rr, rr], abs=1e-7)


@pytest.mark.parametrize(
    ("errors", "options"),
    [("agent", {}), ("private", {}), ("private", {"correlation": "~ z"}), ("agent", {"scale": {"Defender": "w - 1"}})],
)
def test_derivatives_are_those_of_the_likelihood(errors, options):
    own = likelihood(errors, **options)
    theta = np.random.default_rng(4).normal(0, 0.5, own.size)
    step = 1e-5
    value, gradient, hessian = own.evaluate(theta)
    assert value == pytest.approx(own.value(theta), rel=1e-12)
    assert own.scores(theta).sum(axis=0) == pytest.approx(gradient, rel=1e-9, abs=1e-9)
    for k in range(own.size):
        e = np.eye(own.size)[k] * step
        assert gradient[k] == pytest.approx((own.value(theta + e) - own.value(theta - e)) / (2 * step), abs=1e-6)
        bend = (own.evaluate(theta + e)[1] - own.evaluate(theta - e)[1]) / (2 * step)
        assert hessian[k] == pytest.approx(bend, rel=1e-5, abs=1e-5)
        change = (own.probabilities(theta + e) - own.probabilities(theta - e)) / (2 * step)
        assert own.probability_derivatives(theta)[..., k] == pytest.approx(change, abs=1e-7)
    assert own.probabilities(theta).sum(axis=1) == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize(("errors", "truth", "seed"), [("agent", 0.6, 0), ("private", -0.5, 1)])
def test_the_correlation_is_recovered_from_errors_drawn_move_by_move(errors, truth, seed):
    """Outcomes are drawn from the two correlated shocks themselves, not from the likelihood's own probabilities."""
    generator = np.random.default_rng(seed)
    data = pd.DataFrame(generator.normal(size=(4000, 3)), columns=[*"xzw"])
    u1_sq, u1_capit, u1_war = 0.8 * data.x, 0.6, -0.4 + 0.7 * data.w
    resolve = (0.3 - 0.9 * data.z) / np.sqrt(2)
    p = norm.cdf(resolve)
    divisor = np.sqrt(2 if errors == "agent" else 1 + p**2 + (1 - p) ** 2)
    shocks = generator.multivariate_normal([0, 0], [[1, truth], [truth, 1]], len(data))
    escalates = ((1 - p) * u1_capit + p * u1_war - u1_sq) / divisor + shocks[:, 0] > 0
    resists = resolve + shocks[:, 1] > 0
    data["outcome"] = np.where(~escalates, "sq", np.where(resists, "war", "capit"))
    result = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors, correlation="1")
    assert result.status == "converged"
    assert "correlated between stages" in str(result)
    z = (result.theta - [*TRUTH, np.arctanh(truth)]) / result.bse.to_numpy()
    assert np.abs(z).max() < 3.5
    assert abs(result.theta[-1] / result.bse.iloc[-1]) > 3
    ignoring = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors)
    assert result.llf > ignoring.llf + 5
    # Of those whom the first mover provokes, more resist than of all if the shocks go together.
    resist = result.predict(kind="actions")["escalate: resist"]
    assert np.sign(
        (resist - norm.cdf(result.likelihood.symbol_values(result.theta)["u2_war"] / np.sqrt(2))).mean()
    ) == (np.sign(truth))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("errors", "truth"), [("agent", 0.5), ("private", -0.4)])
def test_intervals_of_95_percent_cover_the_truth(errors, truth):
    base, theta = simulated(1500, 0, errors), np.array([*TRUTH, np.arctanh(truth)])
    own = likelihood(errors, base)
    generator = np.random.default_rng(7)
    covered = []
    for _ in range(500):
        outcomes = own.simulate(theta, generator).outcome_frame()["outcome"].to_numpy()
        options = {"outcome": "outcome", "utilities": SPEC, "errors": errors, "correlation": "1", "starts": 1}
        low, high = dt.fit(crisis(), base.assign(outcome=outcomes), **options).conf_int().to_numpy().T
        covered.append((low <= theta) & (theta <= high))
    assert np.mean(covered, axis=0) == pytest.approx(0.95, abs=0.03)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)


def test_unseen_moves_and_bootstrap_and_simulation():
    data = simulated(200, 6)
    moves = pd.DataFrame({
        "esc": (data.outcome != "sq").astype(float),
        "war": np.where(data.outcome == "sq", np.nan, (data.outcome == "war").astype(float)),
    })  # fmt: skip
    options = {"utilities": SPEC, "correlation": "1", "starts": 1}
    full = dt.fit(crisis(), data.join(moves), outcome=["esc", "war"], **options)
    assert full.llf == pytest.approx(dt.fit(crisis(), data, outcome="outcome", **options).llf, abs=1e-8)
    hidden = moves.assign(war=moves.war.mask(np.arange(200) % 4 == 0))
    part = dt.fit(crisis(), data.join(hidden), outcome=["esc", "war"], **options)
    p = part.predict()
    unseen = (np.arange(200) % 4 == 0) & (data.outcome != "sq")
    rows = [
        np.log(1 - q.sq if lost else q[y]) for y, lost, (_, q) in zip(data.outcome, unseen, p.iterrows(), strict=True)
    ]
    assert part.llf == pytest.approx(sum(rows), abs=1e-8)
    assert set(full.simulate(1).esc.unique()) == {0.0, 1.0}


def test_disputes_of_the_nineteenth_century():
    """The likelihood ratio of a correlation on war1800; no correlation gives the known value."""
    for errors, without, value in (("agent", -286.12375472, -282.41668498), ("private", -286.11817424, -282.55582873)):
        options = {"outcome": "outcome", "utilities": WAR, "errors": errors}
        assert dt.fit(crisis(), war_data(), **options, correlation=0).llf == pytest.approx(without, abs=1e-7)
        result = dt.fit(crisis(), war_data(), **options, correlation="1")
        assert (result.status, result.distinct_optima) == ("converged", 1)
        assert result.llf == pytest.approx(value, abs=1e-6)
        assert np.abs(result.optimum.gradient).max() < 1e-6


def test_one_regressor_too_few_identifies_no_correlation():
    data = simulated(100, 5)
    constants = {"u1_sq": "0", "u1_capit": "1", "u1_war": 0, "u2_war": "1"}
    with pytest.raises(dt.ParameterError, match="'atanh correlation:Intercept' cannot be told apart"):
        dt.fit(crisis(), data, outcome="outcome", utilities=constants, correlation="1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"correlation": 1.0}, "correlation must be a number between -1 and 1 or a formula"),
        ({"correlation": True}, "correlation must be a number between -1 and 1 or a formula"),
        ({"correlation": "zz"}, "no column .formula of 'atanh correlation'. 'zz'"),
        ({"correlation": "1", "link": "logit"}, "correlation= needs link='probit'"),
    ],
)
def test_slips_are_named(options, message):
    with pytest.raises(dt.ParameterError, match=message):
        dt.fit(crisis(), simulated(50, 5), outcome="outcome", utilities=SPEC, **options)


def test_trees_of_other_shapes_are_refused():
    a, b = dt.symbols("a b")
    wide = dt.ExtensiveGame(("A",), dt.move("A", {n: dt.end(n, A=x) for n, x in (("0", 0), ("1", a), ("2", b))}))
    frame = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": ["0", "1", "2", "0"]})
    with pytest.raises(dt.GameError, match="takes moves with two actions, but 'start' has 3"):
        dt.fit(wide, frame, outcome="y", utilities={"a": "x", "b": "x"}, correlation="1")
    last = dt.move("A", {"x": dt.end("3", A=a, B=0), "y": dt.end("2", A=0, B=0)})
    middle = dt.move("B", {"l": dt.end("1", A=0, B=0), "r": last})
    long = dt.ExtensiveGame(("A", "B"), dt.move("A", {"l": dt.end("0", A=0, B=0), "r": middle}))
    with pytest.raises(dt.GameError, match="two stages, but 3 moves lie on the way"):
        dt.fit(long, frame, outcome="y", utilities={"a": "x"}, correlation="1")
    with pytest.raises(dt.ParameterError, match="has no option 'correlation'"):
        dt.fit(dt.UltimatumGame(10), frame, outcome="x", utilities={"R1": "1"}, correlation="1")


def test_the_published_four_ends_take_a_correlation():
    data = published("data_122")
    options = {"outcome": "y", "utilities": FOUR, "starts": 1}
    tied = dt.fit(two_by_two(), data, **options, correlation="1")
    assert tied.status == "converged"
    assert tied.llf >= dt.fit(two_by_two(), data, **options).llf

"""Estimation of the ultimatum game: density, derivatives, recovery, honest status, published data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deterrence as dt
from deterrence.estimation.ultimatum import UltimatumLikelihood

DATA = Path(__file__).parents[3] / "shared" / "data"
GAME = dt.UltimatumGame(10)
UTILITIES = {"R1": "x", "R2": "z"}
TRUTH = np.array([2.0, -1.0, 4.0, 1.5, 0.7, -0.2])  # R1: constant, x; R2: constant, z; log s1; log s2
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the data of the package games are not distributed with this")


def fit(frame, **options):
    return dt.fit(GAME, frame, outcome=("offer", "accept"), utilities=UTILITIES, **options)


@pytest.fixture(scope="module")
def likelihood() -> UltimatumLikelihood:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=800), "z": rng.normal(size=800), "offer": 5.0, "accept": 1})
    frame.loc[::2, "offer"] = 3.0
    frame.loc[::3, "accept"] = 0
    return fit(frame, iterations=1).likelihood.simulate(TRUTH, rng)


def test_the_density_of_offers_integrates_to_one(likelihood):
    nodes, weights = np.polynomial.legendre.leggauss(120)
    offers = np.concatenate([5 + 5 * nodes, [0.0, 10.0]])
    masses = np.concatenate([5 * weights, [1.0, 1.0]])
    chances = []
    for reply in (0, 1):
        rows = likelihood.at(pd.DataFrame({"x": 0.3, "z": -0.4, "offer": offers, "accept": reply}))
        chances.append(float(masses @ np.exp(rows.loglik(TRUTH))))
    assert sum(chances) == pytest.approx(1, abs=1e-10)
    assert rows.probabilities(TRUTH)[0] == pytest.approx([chances[1], chances[0]], abs=1e-8)


def test_derivatives_agree_with_differences(likelihood):
    point = TRUTH + 0.1
    _, gradient, hessian = likelihood.evaluate(point)
    for k in range(6):
        step = np.eye(6)[k] * 1e-5
        ahead, behind = likelihood.evaluate(point + step), likelihood.evaluate(point - step)
        assert gradient[k] == pytest.approx((ahead[0] - behind[0]) / 2e-5, rel=1e-6, abs=1e-4)
        np.testing.assert_allclose(hessian[k], (ahead[1] - behind[1]) / 2e-5, rtol=1e-5, atol=1e-3)


def test_drawn_offers_follow_the_distribution(likelihood):
    values = likelihood.equation_values(TRUTH)
    u = likelihood.offered_below(values, likelihood.offers)
    inner = (likelihood.offers > 0) & (likelihood.offers < 10)
    low, high = likelihood.offered_below(values, 0.0), likelihood.offered_below(values, 10.0)
    scaled = ((u - low) / (high - low))[inner]
    grid = np.linspace(0.1, 0.9, 9)
    assert np.abs(np.searchsorted(np.sort(scaled), grid) / inner.sum() - grid).max() < 0.06
    assert (likelihood.offers == 0).mean() == pytest.approx(low.mean(), abs=0.05)


def test_estimates_lie_near_the_truth(likelihood):
    frame = likelihood.outcome_frame().assign(
        x=likelihood.designs[0].matrix[:, 1], z=likelihood.designs[1].matrix[:, 1]
    )
    result = fit(frame)
    assert result.status == "converged"
    assert (np.abs(result.theta - TRUTH) < 4 * result.bse.to_numpy()).all()
    known = fit(frame, scale={"s1": float(np.exp(0.7)), "s2": float(np.exp(-0.2))})
    assert len(known.theta) == 4
    assert known.llf <= result.llf + 1e-9


@needs_data
def test_published_ultimatum_data():
    frame = pd.read_csv(DATA / "data_ult.csv")
    formulas = {"R1": "x1 + x2 + x3 + x4 + w1 + w2", "R2": "z1 + z2 + z3 + z4 + w1 + w2"}
    result = dt.fit(dt.UltimatumGame(15), frame, outcome=("offer", "accept"), utilities=formulas)
    assert result.llf == pytest.approx(-3717.67922570, abs=1e-6)
    assert result.status == "converged"


@needs_data
def test_a_scale_that_runs_off_is_said_to():
    frame = pd.read_csv(DATA / "student_offers.csv")
    formulas = {"R1": "gender1", "R2": "gender2"}
    result = dt.fit(dt.UltimatumGame(100), frame, outcome=("offer", "accept"), utilities=formulas)
    assert result.status == "at infinity"
    fixed = dt.fit(dt.UltimatumGame(100), frame, outcome=("offer", "accept"), utilities=formulas, scale={"s2": 5.0})
    assert fixed.status == "converged"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"utilities": {"R3": "x"}}, "R3"),
        ({"outcome": ("x", "accept")}, "offers must lie in"),
        ({"outcome": ("offer", "x")}, "must hold 1"),
        ({"scale": {"s1": -1.0}}, "scale of s1 must be above 0"),
        ({"equilibrium": "best"}, "has no option 'equilibrium'"),
    ],
)
def test_slips_are_named(change, message):
    frame = pd.DataFrame({"x": [-1.0, 2.0, 3.0], "offer": [1.0, 5.0, 4.0], "accept": [0, 1, 1]})
    options = {"outcome": ("offer", "accept"), "utilities": {"R1": "x"}, **change}
    with pytest.raises(dt.ParameterError, match=message):
        dt.fit(GAME, frame, **options)


def test_bounds_must_be_in_order():
    with pytest.raises(dt.GameError, match="smallest < largest"):
        dt.UltimatumGame(1, 2)

"""Estimation of the crisis-signaling game: derivatives, recovery, rules, comparison of estimators, published data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import ndtri

import deterrence as dt
from deterrence.estimation.crisis_signaling import CrisisLikelihood, PseudoLikelihood, row_terms
from deterrence.solvers.crisis_signaling import crisis_equilibria

SANCTIONS = Path(__file__).parents[3] / "shared" / "data" / "sanctions.csv"
COUNTS = {"status quo": "sq", "concession": "cd", "stand firm": "sf", "back down": "bd"}
PAYOFFS = {"V_A": "1", "W_A": "1", "W_B": "x", "a": "1", "V_B": "1"}
SEVERAL = {"V_A": 1.0, "W_A": -1.9, "W_B": (-2.95, 0.1), "a": -1.2, "V_B": 1.0}
UNIQUE = {"V_A": 1.0, "W_A": -1.7, "W_B": (-2.0, 1.0), "a": -1.2, "V_B": 1.0}


def simulated(truth: dict, seed: int, games: int = 60, plays: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    """Return games that play the equilibrium with most resistance where x is below a half, and the coefficients."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, games)
    level, slope = truth["W_B"]
    found = crisis_equilibria(**{**truth, "S_A": 0, "C_B": 0, "W_B": level + slope * x})
    place = np.where(x > 0.5, 0, found.count - 1)
    counts = np.array([rng.multinomial(plays, p / p.sum()) for p in found.outcomes[np.arange(games), place]])
    frame = pd.DataFrame(counts, columns=list(COUNTS.values())).assign(x=x, high=(x <= 0.5).astype(int))
    return frame, np.array([truth["V_A"], truth["W_A"], level, slope, truth["a"], truth["V_B"]])


def fit(frame, **options):
    return dt.fit(dt.models.get("LS"), frame, outcome=COUNTS, utilities=PAYOFFS, **options)


# ---------------------------------------------------------------- derivatives


def test_derivatives_of_a_row_agree_with_differences():
    rng = np.random.default_rng(0)
    point = np.vstack([rng.normal(size=(7, 9)), rng.uniform(-1, 1.5, size=9)])
    counts = rng.integers(0, 4, size=(4, 9)).astype(float)

    def at(x):
        return row_terms(x[:7], x[7], counts)

    rows, _, H, gain, _, gain_H = at(point)
    for k in range(8):
        ahead, behind = point.copy(), point.copy()
        ahead[k] += 1e-6
        behind[k] -= 1e-6
        for before, after in ((0, 1), (1, 2), (3, 4), (4, 5)):
            slope = (at(ahead)[before] - at(behind)[before]) / 2e-6
            np.testing.assert_allclose(at(point)[after][k], slope, atol=2e-6 * max(1, np.abs(slope).max()))
    assert rows.shape == gain.shape == (9,)
    np.testing.assert_allclose(H, H.transpose(1, 0, 2), rtol=1e-12)
    np.testing.assert_allclose(gain_H, gain_H.transpose(1, 0, 2), atol=1e-12)


def test_the_gain_at_the_cutpoint_is_zero_at_every_equilibrium_and_nowhere_else():
    payoffs = np.array([[0.0], [1.0], [0.0], [-1.9], [-2.85], [-1.2], [1.0]])
    found = crisis_equilibria(**dict(zip(("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B"), payoffs[:, 0], strict=True)))
    for z in found.quantile:
        assert row_terms(payoffs, np.array([z]), np.ones((4, 1)))[3][0] == pytest.approx(0, abs=1e-13)
        assert abs(row_terms(payoffs, np.array([z + 0.1]), np.ones((4, 1)))[3][0]) > 1e-4


def test_log_likelihood_is_that_of_the_outcome_probabilities():
    frame, theta = simulated(UNIQUE, 0, games=12)
    likelihood = fit(frame).likelihood
    counts = frame[list(COUNTS.values())].to_numpy()
    expected = (counts * np.log(likelihood.probabilities(theta))).sum()
    assert likelihood.value(theta) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("truth", [SEVERAL, UNIQUE])
def test_scores_and_hessian_hold_the_equilibrium(truth):
    frame, theta = simulated(truth, 1, games=20)
    likelihood = fit(frame).likelihood
    value, gradient, hessian = likelihood.evaluate(theta)
    assert value == likelihood.value(theta)
    for k in range(len(theta)):
        step = np.eye(len(theta))[k] * 1e-6
        ahead, behind = likelihood.evaluate(theta + step), likelihood.evaluate(theta - step)
        assert gradient[k] == pytest.approx((ahead[0] - behind[0]) / 2e-6, rel=1e-5, abs=1e-3)
        np.testing.assert_allclose(hessian[k], (ahead[1] - behind[1]) / 2e-6, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(likelihood.scores(theta).sum(axis=0), gradient, rtol=1e-9, atol=1e-9)


# ---------------------------------------------------------------- recovery


@pytest.mark.parametrize("truth", [SEVERAL, UNIQUE])
def test_estimates_lie_near_the_truth(truth):
    frame, theta = simulated(truth, 2)
    result = fit(frame)
    assert result.status == "converged"
    assert result.llf >= result.likelihood.value(theta) - 1e-9
    assert (np.abs(result.theta - theta) < 4 * result.bse.to_numpy()).all()
    assert np.abs(result.optimum.gradient).max() < 1e-4


def test_a_second_optimiser_finds_nothing_better_nearby():
    frame, _ = simulated(UNIQUE, 3, games=30)
    result = fit(frame)
    own = result.likelihood
    other = minimize(
        lambda x: -own.value(x), result.theta + 0.02, jac=lambda x: -own.scores(x).sum(axis=0), method="BFGS"
    )
    assert -other.fun <= result.llf + 1e-7
    assert -other.fun > result.llf - 1e-3


def test_the_rule_is_part_of_the_model_and_printed():
    frame, _ = simulated(SEVERAL, 4, games=24)
    best, column = fit(frame), fit(frame, equilibrium="high")
    assert best.llf - 5 < column.llf <= best.llf + 1e-6  # the data were made by the column; the best rule is freer
    assert fit(frame, equilibrium="lowest", iterations=10).llf < best.llf - 50
    assert "high" in str(column.summary())
    assert best.notes["Equilibrium"] == "best"
    free = fit(frame, charge=False)  # the plain maximum over all choices, which a charged one cannot exceed
    assert free.llf == max(run.value for run in free.search.runs if run.converged)
    assert free.llf >= best.llf - 1e-9


def test_standard_errors_come_in_all_kinds():
    frame, _ = simulated(UNIQUE, 5, games=80)
    plain = fit(frame).bse
    clustered = fit(frame.assign(group=np.arange(80) // 2), cluster="group").bse
    assert (clustered / plain).between(0.3, 3).all()


def test_the_pseudo_likelihood_is_maximised_at_given_responses():
    frame, theta = simulated(UNIQUE, 6)
    two_step, npl, full = (fit(frame, method=m) for m in ("two-step", "npl", "ml"))
    assert two_step.converged
    assert "first step" in two_step.notes["Note"]
    assert np.abs(full.theta - theta).max() < 1
    if npl.converged:  # a fixed point of responses is an equilibrium, so that it cannot beat full likelihood
        values = npl.likelihood.equation_values(npl.theta)
        found = crisis_equilibria(**dict(zip(("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B"), values, strict=True)))
        gaps = np.nanmin(np.abs(found.p_R - npl.likelihood.resist[:, None]), axis=1)
        assert gaps.max() < 1e-7
        assert npl.llf <= full.llf + 1e-6


def test_derivatives_of_the_pseudo_likelihood():
    frame, theta = simulated(UNIQUE, 7, games=15)
    full = fit(frame).likelihood
    pseudo = PseudoLikelihood.of(full, *full.first_step())
    _, gradient, hessian = pseudo.evaluate(theta)
    for k in range(len(theta)):
        step = np.eye(len(theta))[k] * 1e-6
        ahead, behind = pseudo.evaluate(theta + step), pseudo.evaluate(theta - step)
        assert gradient[k] == pytest.approx((ahead[0] - behind[0]) / 2e-6, rel=1e-5, abs=1e-3)
        np.testing.assert_allclose(hessian[k], (ahead[1] - behind[1]) / 2e-6, rtol=1e-4, atol=1e-2)


def test_a_fitted_row_is_a_game():
    frame, _ = simulated(UNIQUE, 8)
    result = fit(frame)
    game = result.game({"x": 0.5})
    model = dt.models.get("LS")
    assert type(game) is type(model.game())
    values = result.values({"x": 0.5})
    assert values["S_A"] == 0
    equilibrium = model.closed_form(**values)["equilibria"][0]
    chances = result.likelihood.at(pd.DataFrame({"x": [0.5]})).probabilities(result.theta)[0]
    assert chances[2] == pytest.approx(equilibrium["P_standfirm_war"], rel=1e-10)


def test_predictions_at_other_rows_and_simulation():
    frame, _ = simulated(UNIQUE, 8)
    result = fit(frame)
    np.testing.assert_allclose(result.likelihood.probabilities(result.theta).sum(axis=1), 1, atol=1e-12)
    bare = result.likelihood.at(pd.DataFrame({"x": [0.2, 0.9]}))
    assert bare.counts is None
    assert bare.probabilities(result.theta).shape == (2, 4)
    drawn = result.likelihood.simulate(result.theta, np.random.default_rng(0))
    assert (drawn.counts.sum(axis=0) == 200).all()


def test_single_plays_may_be_named_by_outcome():
    frame, _ = simulated(UNIQUE, 9, games=15, plays=30)
    long = pd.DataFrame([
        {"x": row.x, "end": end} for row in frame.itertuples() for end, column in COUNTS.items()
        for _ in range(getattr(row, column))
    ])  # fmt: skip
    plays = dt.fit(dt.models.get("LS"), long, outcome="end", utilities=PAYOFFS, method="two-step").likelihood
    assert plays.counts.sum(axis=1).tolist() == frame[list(COUNTS.values())].sum().tolist()
    assert plays.nobs == frame[list(COUNTS.values())].to_numpy().sum()


@pytest.mark.slow
@pytest.mark.parametrize(("truth", "limit"), [(SEVERAL, 0.29), (UNIQUE, 0.15)])
def test_monte_carlo_recovers_the_payoffs(truth, limit):
    errors, converged = [], []
    for seed in range(40):
        frame, theta = simulated(truth, seed, games=200)
        result = fit(frame)
        errors.append(result.theta - theta)
        converged.append(result.converged)
    assert np.mean(converged) > 0.95
    assert np.sqrt(np.mean(np.square(errors))) < limit


# ---------------------------------------------------------------- published data


@pytest.mark.skipif(
    not SANCTIONS.exists(), reason="the data of Crisman-Cox and Gibilisco are not distributed with this"
)
def test_sanctions():
    frame = pd.read_csv(SANCTIONS)
    formulas = {
        "S_A": "sqrt(senderecondep) + senderdemocracy + contig + ally - 1",
        "V_A": "anticipatedsendercosts",
        "C_B": "sqrt(targetecondep) + anticipatedtargetcosts + contig + ally",
        "W_A": "sqrt(senderecondep) + senderdemocracy + lncaprat",
        "W_B": "targetdemocracy + lncaprat",
        "a": "senderdemocracy",
        "V_B": "-1",
    }
    game = dt.models.get("LS")
    result = dt.fit(game, frame, outcome=COUNTS, utilities=formulas, cluster="dyadID")
    assert result.llf == pytest.approx(-3927.909511276, abs=1e-6)
    assert result.status == "converged"
    npl = dt.fit(game, frame, outcome=COUNTS, utilities=formulas, method="npl")
    assert npl.llf == pytest.approx(-3932.447, abs=1e-3)
    first = dt.fit(game, frame, outcome=COUNTS, utilities=formulas, first_step=("PRhat", "PFhat"))
    assert first.llf == pytest.approx(result.llf, abs=1e-7)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"utilities": {"W_C": "x"}}, "W_C"),
        ({"outcome": {"sq": "sq", "cd": "cd"}}, "outcome needs a column for each"),
        ({"outcome": ["sq", "cd"]}, "four columns"),
        ({"utilities": {"S_A": "1", "V_A": "1", "W_A": "1", "a": "1"}}, "'Intercept' stands in all payoffs of A"),
        ({"equilibrium": "x"}, "must hold 'lowest' and 'highest'"),
        ({"method": "em"}, "method must be"),
        ({"utilities": {"V_A": 1.0}}, "nothing is left to estimate"),
    ],
)
def test_slips_are_named(change, message):
    frame, _ = simulated(UNIQUE, 10, games=10)
    options = {"outcome": COUNTS, "utilities": PAYOFFS, **change}
    with pytest.raises(dt.ParameterError, match=message):
        dt.fit(dt.models.get("LS"), frame, **options)


def test_a_row_without_plays_is_refused():
    frame, _ = simulated(UNIQUE, 11, games=10)
    frame.loc[3, list(COUNTS.values())] = 0
    with pytest.raises(dt.ParameterError, match="row 3 holds no outcome"):
        fit(frame)


def test_a_row_that_is_impossible_makes_the_likelihood_zero():
    frame, _ = simulated(UNIQUE, 12, games=10)
    likelihood = fit(frame).likelihood
    assert isinstance(likelihood, CrisisLikelihood)
    never = np.array([-1.0, -1.0, 0.0, 0.0, 1.0, -1.0])  # V_A < 0, W_A < a, V_B < 0: the limit equilibrium exists
    found = likelihood.equilibria(likelihood.equation_values(never))
    assert np.isneginf(found.quantile[:, 0]).all()
    assert ndtri(0.5) == 0
    assert likelihood.value(never) == -np.inf or (found.count > 1).any()

"""Precision of quantal responses from counts: closed form, Gambit, derivatives, recovery, slips."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import deterrence as dt

PENNIES = dt.StrategicGame([[2, -1], [0, 1]], [[-1, 2], [1, 0]])
NFG = b'NFG 1 R "pennies" { "Row" "Column" } { 2 2 }\n\n2 -1 0 1 -1 2 1 0\n'
OUTCOME = {"Row": {"1": "r1", "2": "r2"}, "Column": {"1": "c1", "2": "c2"}}
BY_PLAYER = {"Row": "1", "Column": "1"}
COUNTS = pd.DataFrame({"r1": [30], "r2": [70], "c1": [35], "c2": [65]})


def test_one_decision_has_a_closed_form():
    game = dt.StrategicGame([[1.0], [0.0]], [[0.0], [0.0]])
    frame = pd.DataFrame({"r1": [80], "r2": [20]})
    result = dt.fit(game, frame, outcome={"Row": {"1": "r1", "2": "r2"}})
    assert result.status == "converged"
    assert np.exp(result.theta[0]) == pytest.approx(np.log(4), rel=1e-6)
    assert result.bse.iloc[0] == pytest.approx(1 / np.log(4) / np.sqrt(100 * 0.8 * 0.2), rel=1e-4)


def test_each_player_responds_at_its_own_precision():
    result = dt.fit(PENNIES, COUNTS, outcome=OUTCOME, precision=BY_PLAYER)
    p, q = result.likelihood.probabilities(result.theta)[0, [0, 2]]
    row, column = np.exp(result.theta)
    assert np.log(p / (1 - p)) == pytest.approx(row * (4 * q - 2), abs=1e-8)
    assert np.log(q / (1 - q)) == pytest.approx(column * (1 - 4 * p), abs=1e-8)
    one = dt.fit(PENNIES, COUNTS, outcome=OUTCOME)
    assert result.llf > one.llf
    assert len(one.theta) == 1


def test_a_row_is_a_game_with_precisions():
    frame = pd.DataFrame({"r1": [30, 40], "r2": [70, 60], "c1": [35, 20], "c2": [65, 80], "x": [0.0, 1.0]})
    result = dt.fit(PENNIES, frame, outcome=OUTCOME, precision={"Row": "x", "Column": "1"})
    precision = result.values({"x": 1.0})
    assert precision["Row"] == pytest.approx(np.exp(result.theta[:2].sum()))
    found = dt.qre(result.game({"x": 1.0}), precision=precision)[0]
    assert found.strategies["Row"]["start"]["1"] == pytest.approx(result.predict()["Row: 1"].iloc[1], abs=1e-9)
    table = dt.sweep(result, over={"x": [0.0, 1.0]}, event="Row: 1", progress=False)
    assert table.Row_1_high.values == pytest.approx(result.predict()["Row: 1"].to_numpy(), abs=1e-9)


def test_gambit_estimates_the_same_precision():
    gbt = pytest.importorskip("pygambit")
    data = gbt.read_nfg(BytesIO(NFG)).mixed_strategy_profile([[30, 70], [35, 65]])
    theirs = gbt.qre.logit_estimate(data)
    ours = dt.fit(PENNIES, COUNTS, outcome=OUTCOME)
    assert np.exp(ours.theta[0]) == pytest.approx(theirs.lam, rel=1e-4)
    assert ours.llf == pytest.approx(theirs.log_like, abs=1e-6)


@pytest.mark.slow  # some 20 s: many equilibria for each step of the search
def test_precision_may_depend_on_covariates_and_is_recovered():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"practice": [0, 1, 2, 3], "r1": 0, "r2": 400, "c1": 0, "c2": 400})
    blank = dt.fit(PENNIES, frame, outcome=OUTCOME, precision={"Row": "practice", "Column": "1"}, iterations=1)
    truth = np.array([-0.5, 0.4, 0.2])
    drawn = blank.likelihood.simulate(truth, rng).outcome_frame().assign(practice=frame["practice"])
    assert (drawn[["r1", "r2"]].sum(axis=1) == 400).all()
    result = dt.fit(PENNIES, drawn, outcome=OUTCOME, precision={"Row": "practice", "Column": "1"})
    assert result.status == "converged"
    assert (np.abs(result.theta - truth) < 4 * result.bse.to_numpy()).all()


def test_derivatives_by_differences_are_those_of_the_equilibrium():
    likelihood = dt.fit(PENNIES, COUNTS, outcome=OUTCOME, precision=BY_PLAYER).likelihood
    point = np.array([0.3, 0.8])
    _, gradient, hessian = likelihood.evaluate(point)
    for k in range(2):
        step = np.eye(2)[k] * 1e-4
        ahead, behind = likelihood.evaluate(point + step), likelihood.evaluate(point - step)
        assert gradient[k] == pytest.approx((ahead[0] - behind[0]) / 2e-4, abs=1e-5)
        np.testing.assert_allclose(hessian[k], (ahead[1] - behind[1]) / 2e-4, atol=1e-2)


def test_trees_with_hidden_moves_are_fitted_too():
    def reply(low, high):
        return dt.move("D", {"l": dt.end(A=low, D=1 - low), "r": dt.end(A=high, D=1 - high)}, infoset="d")

    game = dt.ExtensiveGame(("A", "D"), dt.move("A", {"L": reply(1, 0), "R": reply(0, 2)}))
    outcome = {"A": {"L": "L", "R": "R"}, "D": {"d": {"l": "l", "r": "r"}}}
    result = dt.fit(game, {"L": [40], "R": [60], "l": [57], "r": [43]}, outcome=outcome)
    assert result.status == "converged"
    own = dt.qre(game, precision=float(np.exp(result.theta[0])))[0].strategies
    assert result.likelihood.probabilities(result.theta)[0, 2] == pytest.approx(own["D"]["d"]["l"], abs=1e-10)


def test_play_against_all_payoffs_has_no_precision():
    game = dt.StrategicGame([[1.0], [0.0]], [[0.0], [0.0]])
    result = dt.fit(game, {"r1": [20], "r2": [80]}, outcome={"Row": {"1": "r1", "2": "r2"}})
    assert result.status != "converged"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": {"Ro": {"1": "r1"}}}, "Ro"),
        ({"outcome": {"Row": {"3": "r1"}}}, "0 information sets with action '3'"),
        ({"outcome": {"Row": {"1": "rr"}}}, "rr"),
        ({"precision": {"Row": "1"}}, "Column"),
        ({"precision": -1.0}, "a known precision must be above 0"),
        ({"utilities": {"a": "1"}}, "known payoffs"),
        ({"precision": 1.0}, "nothing is left to estimate"),
    ],
)
def test_slips_are_named(change, message):
    with pytest.raises(dt.ParameterError, match=message):
        dt.fit(PENNIES, COUNTS, **{"outcome": OUTCOME, **change})

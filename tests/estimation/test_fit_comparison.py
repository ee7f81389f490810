"""Fits beside other fits: Vuong, Clarke, a plain logit, scores out of sample, goodness of fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

import deterrence as dt
from deterrence.estimation import clarke, cross_validate, goodness_of_fit, plain_logit, vuong
from tests.estimation.tree_games import SPEC, crisis, simulated


@pytest.fixture(scope="module")
def result():
    data = simulated(1500, 21)
    return dt.fit(crisis(), data, outcome="outcome", utilities=SPEC)


@pytest.fixture(scope="module")
def wrong(result):
    """The same crisis, but nobody's utility depends on anything."""
    utilities = {"u1_sq": "0", "u1_capit": "1", "u1_war": "0", "u2_war": "1"}
    return dt.fit(crisis(), result.frame, outcome="outcome", utilities=utilities)


def test_vuong_is_the_standardised_sum_of_differences(result, wrong):
    m = result.likelihood.loglik(result.theta) - wrong.likelihood.loglik(wrong.theta)
    charge = 0.5 * (6 - 2) * np.log(1500)
    z = (m.sum() - charge) / (np.sqrt(1500) * m.std())
    test = vuong(result, wrong)
    assert test.statistic == pytest.approx(z)
    assert test.pvalue == pytest.approx(2 * norm.sf(abs(z)))
    assert test.better == "first"
    assert vuong(wrong, result).statistic == pytest.approx(-z)
    assert vuong(wrong, result).better == "second"


def test_clarke_is_the_sign_test(result, wrong):
    m = result.likelihood.loglik(result.theta) - wrong.likelihood.loglik(wrong.theta)
    wins = int((m > 0).sum())
    test = clarke(result, wrong, correction="none")
    assert test.statistic == wins
    assert test.pvalue == pytest.approx(binomtest(wins, 1500).pvalue, rel=1e-9)


def test_tests_need_the_same_rows(result):
    other = dt.fit(crisis(), result.frame.head(900), outcome="outcome", utilities=SPEC, starts=1)
    with pytest.raises(dt.ParameterError, match="needs the same rows, got 1500 observations"):
        vuong(result, other)
    with pytest.raises(dt.ParameterError, match="predict every row alike"):
        vuong(result, result)
    with pytest.raises(dt.ParameterError, match="correction must be"):
        clarke(result, other.__class__(**{**other.__dict__, "likelihood": result.likelihood}), correction="hqc")


def test_a_plain_logit_of_two_outcomes_is_a_logistic_regression():
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=300)})
    frame["y"] = (generator.uniform(size=300) < 1 / (1 + np.exp(-0.5 - frame.x))).astype(int)
    a = dt.symbols("a")
    game = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("0", A=0), "yes": dt.end("1", A=a)}))
    logit = plain_logit(dt.fit(game, frame, outcome="y", utilities={"a": "x"}))
    beta = np.zeros(2)
    design = np.column_stack([np.ones(300), frame.x])
    for _ in range(20):  # iteratively reweighted least squares
        p = 1 / (1 + np.exp(-design @ beta))
        beta += np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]), design.T @ (frame.y - p))
    assert logit.theta == pytest.approx(beta, abs=1e-8)


def test_the_true_model_scores_best_out_of_sample(result):
    table = cross_validate(result, folds=5)
    assert table["log score"].idxmax() == "this fit"
    assert table["Brier"].idxmin() == "this fit"
    assert (table["log score"] < 0).all()
    assert (table["failed"] == 0).all()
    assert table.loc["this fit", "log score"] < result.llf / result.nobs  # in sample all looks better
    with pytest.raises(dt.ParameterError, match="folds must lie between 2"):
        cross_validate(result, folds=1)


def test_scores_of_bare_shares_are_those_by_hand(result):
    y = result.frame.outcome.to_numpy()
    fold = np.random.default_rng(0).permutation(np.arange(1500) % 2)
    total, brier = 0.0, 0.0
    for f in (0, 1):
        train = pd.Series(y[fold != f]).value_counts(normalize=True)
        total += np.log(train[y[fold == f]]).sum()
        for outcome in y[fold == f]:
            brier += sum((train[z] - (z == outcome)) ** 2 for z in train.index)
    table = cross_validate(result, folds=2)
    assert table.loc["shares", "log score"] == pytest.approx(total / 1500)
    assert table.loc["shares", "Brier"] == pytest.approx(brier / 1500)


def test_a_true_model_is_not_rejected_and_a_wrong_one_is(result):
    good = goodness_of_fit(result, 39)
    assert good.pvalue > 0.05
    bent = result.frame.assign(z2=result.frame.z)
    bent["outcome"] = np.where(np.abs(bent.z) > 1.2, "war", bent.outcome)  # not monotone in z
    bad = dt.fit(crisis(), bent, outcome="outcome", utilities=SPEC)
    assert goodness_of_fit(bad, 39).pvalue <= 0.05
    with pytest.raises(dt.ParameterError, match="at least 19 draws"):
        goodness_of_fit(result, 5)


def test_partly_seen_outcomes_have_no_scores(result):
    moves = pd.DataFrame({
        "esc": (result.frame.outcome != "sq").astype(float),
        "war": np.where(np.arange(1500) % 2, np.nan, (result.frame.outcome == "war").astype(float)),
    })  # fmt: skip
    part = dt.fit(crisis(), result.frame.join(moves), outcome=["esc", "war"], utilities=SPEC, starts=1)
    for ask in (plain_logit, cross_validate, goodness_of_fit):
        with pytest.raises(dt.ParameterError, match="every outcome to be observed"):
            ask(part)

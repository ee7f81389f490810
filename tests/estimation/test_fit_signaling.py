"""Signaling games from repeated plays: the mixture by hand, derivatives, recovery by another sampler, clear errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deterrence as dt
from deterrence.estimation.signaling import plays_of

p, k = dt.symbols("p k")
GAME = dt.SignalingGame(
    types=("resolute", "irresolute"),
    messages=("mobilise", "wait"),
    responses=("attack", "refrain"),
    prior=[p, 1 - p],
    sender_payoffs=[[[1, 3], [0, 2]], [[-k, 2 - k], [1, 3]]],
    receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    players=("Patron", "Aggressor"),
)
CELLS = ("mobilise/attack", "mobilise/refrain", "wait/attack", "wait/refrain")
UTILITIES = {"p": "x", "k": "1"}
SELECTION = {"pooling on mobilise": "1"}
TRUTH = np.array([-0.3, 0.8, -0.2, -2.5, 1.0])  # p: constant, x; k; log odds of a mistake; weight of a kind
NAMES = ("p:Intercept", "p:x", "k:Intercept", "logit tremble:Intercept", "selection of pooling on mobilise:Intercept")
SWING = (-1.5, -0.5, 0.2, 1.0)


def chance(log_odds: float) -> float:
    return 1 / (1 + np.exp(-log_odds))


def played(sessions: int, plays: int, seed: int, theta: np.ndarray = TRUTH) -> pd.DataFrame:
    """Return plays drawn move by move from equilibria of dt.pbe: nature, sender, receiver, mistakes."""
    generator = np.random.default_rng(seed)
    equilibria = {x: list(dt.pbe(GAME.at(p=chance(theta[0] + theta[1] * x), k=theta[2]))) for x in SWING}
    rows = []
    for s in range(sessions):
        x = SWING[s % len(SWING)]
        weights = np.array([np.exp(theta[4]) if e.kind in SELECTION else 1.0 for e in equilibria[x]])
        e = equilibria[x][generator.choice(len(weights), p=weights / weights.sum())]
        for _ in range(plays):
            if generator.uniform() < chance(theta[3]):
                m, r = generator.integers(2), generator.integers(2)
            else:
                t = int(generator.uniform() > chance(theta[0] + theta[1] * x))
                m = generator.choice(2, p=np.asarray(e.profile.sender[t], float))
                r = generator.choice(2, p=np.asarray(e.profile.receiver[0, m], float))
            rows.append((s, x, GAME.messages[m], GAME.responses[r], e.kind))
    return pd.DataFrame(rows, columns=["session", "x", "message", "response", "kind"])


def fit(data: pd.DataFrame, **options) -> dt.estimation.Fit:
    given = {"outcome": ("message", "response"), "session": "session", "utilities": UTILITIES, "selection": SELECTION}
    return dt.fit(GAME, data, **{**given, **options})


@pytest.fixture(scope="module")
def data():
    return played(80, 15, 0)


@pytest.fixture(scope="module")
def result(data):
    return fit(data)


def test_the_likelihood_is_the_mixture_over_equilibria(result, data):
    total = 0.0
    for _, plays in data.groupby("session"):
        x = plays.x.iloc[0]
        prior = chance(TRUTH[0] + TRUTH[1] * x)
        equilibria = list(dt.pbe(GAME.at(p=prior, k=TRUTH[2])))
        weights = np.array([np.exp(TRUTH[4]) if e.kind in SELECTION else 1.0 for e in equilibria])
        parts = []
        for e in equilibria:
            sender, receiver = np.asarray(e.profile.sender, float), np.asarray(e.profile.receiver[0], float)
            right = (prior * sender[0] + (1 - prior) * sender[1])[:, None] * receiver
            seen = (1 - chance(TRUTH[3])) * right + chance(TRUTH[3]) / 4
            places = zip(plays.message.map(GAME.messages.index), plays.response.map(GAME.responses.index), strict=True)
            parts.append(np.prod([seen[place] for place in places]))
        total += np.log((weights / weights.sum()) @ parts)
    assert result.likelihood.value(TRUTH) == pytest.approx(total, abs=1e-8)


def test_derivatives_follow_the_equilibria(result):
    likelihood, theta, step = result.likelihood, TRUTH + 0.02, 1e-5
    value, gradient, hessian = likelihood.evaluate(theta)
    assert value == pytest.approx(likelihood.value(theta), abs=1e-10)
    for i in range(5):
        e = np.eye(5)[i] * step
        ahead, behind = likelihood.evaluate(theta + e), likelihood.evaluate(theta - e)
        assert gradient[i] == pytest.approx((ahead[0] - behind[0]) / (2 * step), rel=1e-6, abs=1e-5)
        np.testing.assert_allclose(hessian[i], (ahead[1] - behind[1]) / (2 * step), rtol=1e-5, atol=1e-3)


def test_an_equilibrium_that_is_followed_is_the_one_that_pbe_finds():
    before, after = (plays_of(GAME.at(p=q, k=c))[0] for q, c in ((0.3, -0.2), (0.4, 0.1)))
    assert before.kind == after.kind == "semi-separating: irresolute mixes"
    game = GAME.at(p=0.4, k=0.1)
    payoffs = [np.asarray(a, dtype=float)[None] for a in (game.sender_payoffs, game.receiver_payoffs, game.prior)]
    assert before.pattern.solve(*payoffs, before.solution[None])[0] == pytest.approx(after.solution, abs=1e-12)


def test_parameters_are_recovered(result, data):
    assert result.names == NAMES
    assert result.status == "converged"
    assert result.llf >= result.likelihood.value(TRUTH)
    assert np.abs((result.theta - TRUTH) / result.bse.to_numpy()).max() < 3.5
    kinds = data.groupby("session").kind.first().to_numpy()
    told = result.likelihood.equilibria(result.theta)
    assert (told.columns[told.to_numpy().argmax(axis=1)] == kinds).mean() > 0.95
    before = result.likelihood.equilibria(result.theta, given_plays=False)
    assert before.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert before.to_numpy().max(axis=0).min() > 0.1


@pytest.mark.slow
def test_intervals_cover_the_truth_in_many_data_sets():
    covered = []
    for seed in range(60):
        result = fit(played(80, 15, seed + 100), starts=1)
        if result.converged:
            covered.append(np.abs(result.theta - TRUTH) < 1.96 * result.bse.to_numpy())
    assert len(covered) >= 57
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def test_counts_are_plays(result, data):
    counts = pd.crosstab(data.session, data.message + "/" + data.response).reindex(columns=CELLS, fill_value=0)
    counts["x"] = data.groupby("session").x.first()
    own = fit(counts, outcome={c: c for c in CELLS}, session=None, starts=result.theta)
    assert own.llf == pytest.approx(result.llf, abs=1e-8)
    by_pair = fit(counts, outcome={tuple(c.split("/")): c for c in CELLS}, session=None, starts=result.theta)
    assert by_pair.llf == pytest.approx(result.llf, abs=1e-8)
    assert own.nobs == len(data)


def test_what_a_game_with_numbers_leaves_to_estimate(data):
    """One session's plays say nothing of selection in others: with 20 of 40 sessions of a kind, its weight is zero."""
    game = GAME.at(p=0.7, k=0.0)
    sessions = [(s, "mobilise" if s < 20 else "wait") for s in range(40) for _ in range(6)]
    frame = pd.DataFrame(sessions, columns=["session", "message"]).assign(response="refrain")
    result = dt.fit(game, frame, outcome=("message", "response"), session="session", selection=SELECTION, tremble=0.05)
    assert result.status == "converged"
    assert result.theta[0] == pytest.approx(0, abs=1e-6)
    assert result.bse.iloc[0] == pytest.approx(1 / np.sqrt(40 / 4), rel=1e-3)  # of the log odds of 20 of 40


def test_payoffs_that_change_nothing_are_a_ridge():
    frame = pd.DataFrame({"message": ["mobilise"] * 30 + ["wait"] * 30, "response": "refrain"})
    frame.loc[::9, "response"] = "attack"
    result = dt.fit(GAME, frame, outcome=("message", "response"), utilities={"p": 0.7, "k": "1"}, tremble="1", starts=1)
    assert result.status in ("ridge", "at infinity")
    assert "k:Intercept" in result.message


def test_predictions_simulation_and_the_way_back_to_games(result, data):
    predicted = result.predict(data.head(20), bands="delta")
    assert predicted.xs("estimate", axis=1, level=1).sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert result.effects("x")["effect"].sum() == pytest.approx(0, abs=1e-8)
    again = result.simulate(3)
    columns = [c for c in again if c.startswith("plays that ended in")]
    assert again[columns].sum(axis=1).tolist() == [15] * 80
    game = result.game({"x": -0.5})
    assert dt.pbe(game).kinds == ("semi-separating: irresolute mixes",)
    free = result.game({"x": -0.5}, free=["p"])
    assert free.parameters == ("p",)
    table = dt.sweep(free, over={"p": [0.2, 0.8]}, event="attack", progress=False)
    assert table.attack_low.values[0] > table.attack_low.values[1]
    table = dt.sweep(result, over={"x": [-1.0, 1.0]}, event="wait/refrain", progress=False)
    assert table["wait_refrain_high"].values.shape == (2,)
    errors = result.bootstrap(6, seed=1).bse
    assert (errors / result.bse).between(0.3, 3).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"utilities": {"p": "x"}}, "needs a value for 'k'"),
        ({"utilities": {"p": "x", "k": "1", "q": "1"}}, "'q'"),
        ({"utilities": {"p": 1.5, "k": "1"}}, "'p' of a prior must be a formula of its log odds or a number between"),
        ({"utilities": {"p": "zz", "k": "1"}}, "no column .* 'zz'"),
        ({"tremble": 0.0}, "tremble must be a formula of its log odds or a number between 0 and 1"),
        ({"selection": "best"}, "selection must be 'uniform' or map kinds"),
        ({"selection": {"pooling on mobilize": "1"}}, "pooling on mobilize.*did you mean 'pooling on mobilise'"),
        ({"outcome": "message"}, "outcome must name the columns of message and response"),
        ({"outcome": {"mobilise/attack": "x"}}, "outcome maps 'message/response' to columns of counts"),
        ({"outcome": ("message", "kind")}, "is no message and response of the game"),
        ({"outcome": ("message", "kind"), "session": None}, "holds .* in row 0, which is no response"),
        ({"session": "sessions"}, "no column .* 'sessions'.*did you mean 'session'"),
        ({"session": "kind"}, "'x' takes several values in session"),
        ({"errors": "private"}, "has no option 'errors'"),
        ({"utilities": {"p": 0.5, "k": 0}, "selection": "uniform", "tremble": 0.1}, "nothing is left to estimate"),
    ],
)
def test_slips_are_named(data, change, message):
    with pytest.raises(dt.ParameterError, match=message):
        fit(data, **change)


def test_other_shapes_are_refused(data):
    three = dt.SignalingGame(
        types=("a", "b", "c"), messages=("m", "n"), responses=("l", "r"), prior=[0.2, 0.3, 0.5],
        sender_payoffs=np.zeros((3, 2, 2)), receiver_payoffs=np.zeros((3, 2, 2)),
    )  # fmt: skip
    with pytest.raises(dt.GameError, match="two sender types and no receiver types, got 3 types"):
        dt.fit(three, data, outcome=("message", "response"))

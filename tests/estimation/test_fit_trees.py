"""Fits of trees: published values, derivatives, invariance, recovery, and clear errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm

import deterrence as dt
from tests.estimation.tree_games import (
    FOUR,
    LEBLANG,
    NAMES,
    SPEC,
    THREE,
    TRUTH,
    WAR,
    crisis,
    market,
    published,
    random_tree,
    simulated,
    three_players,
    two_by_two,
    war_data,
)

# ---------------------------------------------------------------- published data


@pytest.mark.parametrize(("errors", "value"), [("agent", -286.12375472), ("private", -286.11817424)])
def test_war_1800(errors, value):
    result = dt.fit(crisis(), war_data(), outcome="outcome", utilities=WAR, errors=errors)
    assert result.llf == pytest.approx(value, abs=1e-7)
    assert result.status == "converged"
    assert (result.nobs, result.dropped) == (282, 31)


@pytest.mark.parametrize(("errors", "value"), [("private", -482.01548452), ("agent", -481.63892864)])
def test_leblang(errors, value):
    result = dt.fit(market(), published("leblang2003"), outcome="outcome", utilities=LEBLANG, errors=errors)
    assert result.llf == pytest.approx(value, abs=1e-7)
    assert result.status == "converged"


@pytest.mark.parametrize("outcome", ["y", ["a1", "a2"]])
def test_two_players_four_ends(outcome):
    result = dt.fit(two_by_two(), published("data_122"), outcome=outcome, utilities=FOUR)
    assert result.llf == pytest.approx(-1239.23399135, abs=1e-7)


@pytest.mark.parametrize("outcome", ["y", ["a1", "a2", "a3"]])
def test_three_players(outcome):
    result = dt.fit(three_players(), published("data_123"), outcome=outcome, utilities=THREE, errors="private")
    assert result.llf == pytest.approx(-559.30884709, abs=1e-7)


def test_moves_that_are_not_reached_are_not_looked_at():
    data = published("data_123")
    other = data.assign(a2=data.a2.where(data.a1 == 1, 1 - data.a2))
    kwargs = {"outcome": ["a1", "a2", "a3"], "utilities": THREE, "starts": 1}
    assert dt.fit(three_players(), data, **kwargs).llf == dt.fit(three_players(), other, **kwargs).llf


# ---------------------------------------------------------------- derivatives, and a second optimiser


def _likelihood(errors="private", link="probit", **options):
    return dt.fit(
        crisis(), simulated(200, 1), outcome="outcome", utilities=SPEC, errors=errors, link=link, starts=1, **options
    ).likelihood


def _many_actions(errors, link):
    a, b, c, d = dt.symbols("a b c d")
    second = {
        "x": dt.end("1", P1=a, P2=c),
        "y": dt.end("2", P1=0, P2=0),
        "z": dt.end("3", P1=b, P2=d),
    }
    game = dt.ExtensiveGame(("P1", "P2"), dt.move("P1", {"stop": dt.end("0", P1=0, P2=0), "go": dt.move("P2", second),
                                                        "run": dt.end("4", P1=a * b, P2=0)}))  # fmt: skip
    generator = np.random.default_rng(3)
    frame = pd.DataFrame({name: generator.normal(size=60) for name in ("x", "z")})
    frame["y"] = generator.integers(0, 5, 60)
    utilities = {"a": "x", "b": "z - 1", "c": "x + z", "d": "1"}
    return dt.fit(game, frame, outcome="y", utilities=utilities, errors=errors, link=link, starts=1).likelihood


CASES = {
    "agent": lambda: _likelihood("agent"),
    "private": lambda: _likelihood("private"),
    "logit": lambda: _likelihood("agent", "logit"),
    "scale": lambda: _likelihood("private", scale="z - 1"),
    "scale by player": lambda: _likelihood("agent", scale={"Defender": "w - 1", "Challenger": 2.0}),
    "three actions, logit, nonlinear": lambda: _many_actions("agent", "logit"),
    "three actions, probit, agent": lambda: _many_actions("agent", "probit"),
    "three actions, probit, private": lambda: _many_actions("private", "probit"),
}


@pytest.mark.parametrize("case", CASES)
def test_derivatives_are_those_of_the_likelihood(case):
    likelihood = CASES[case]()
    theta = np.random.default_rng(0).normal(0, 0.4, likelihood.size)
    step = 1e-5
    value, gradient, hessian = likelihood.evaluate(theta)
    assert value == pytest.approx(likelihood.value(theta), rel=1e-12)
    assert likelihood.scores(theta).sum(axis=0) == pytest.approx(gradient, rel=1e-9, abs=1e-9)
    for k in range(likelihood.size):
        e = np.eye(likelihood.size)[k] * step
        slope = (likelihood.value(theta + e) - likelihood.value(theta - e)) / (2 * step)
        assert gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        bend = (likelihood.evaluate(theta + e)[1] - likelihood.evaluate(theta - e)[1]) / (2 * step)
        assert hessian[k] == pytest.approx(bend, rel=1e-6, abs=1e-5)
        change = (likelihood.probabilities(theta + e) - likelihood.probabilities(theta - e)) / (2 * step)
        assert likelihood.probability_derivatives(theta)[..., k] == pytest.approx(change, abs=1e-8)
    assert likelihood.probabilities(theta).sum(axis=1) == pytest.approx(1, abs=1e-9)


def test_a_second_optimiser_ends_at_the_same_point():
    result = dt.fit(crisis(), simulated(400, 5), outcome="outcome", utilities=SPEC)
    likelihood = result.likelihood
    other = minimize(
        lambda t: -likelihood.value(t), np.zeros(6), jac=lambda t: -likelihood.scores(t).sum(axis=0), method="BFGS",
        options={"gtol": 1e-7},
    )  # fmt: skip
    assert other.x == pytest.approx(result.theta, abs=1e-6)
    assert np.abs(result.optimum.gradient).max() < 1e-8


# ---------------------------------------------------------------- the formulas of the literature


def test_private_information_with_four_ends_has_signorinos_denominator():
    data = published("data_122")
    likelihood = dt.fit(two_by_two(), data, outcome="y", utilities=FOUR, errors="private", starts=1).likelihood
    theta = np.random.default_rng(1).normal(0, 0.5, likelihood.size)
    u = likelihood.symbol_values(theta)
    p4, p6 = norm.cdf(u["b2"] / np.sqrt(2)), norm.cdf(u["b4"] / np.sqrt(2))
    p3, p5 = 1 - p4, 1 - p6
    gap = p5 * u["a3"] + p6 * u["a4"] - p3 * u["a1"] - p4 * u["a2"]
    p2 = norm.cdf(gap / np.sqrt(p3**2 + p4**2 + p5**2 + p6**2))
    expected = np.column_stack([(1 - p2) * p3, (1 - p2) * p4, p2 * p5, p2 * p6])
    assert likelihood.probabilities(theta) == pytest.approx(expected, abs=1e-13)


def test_probit_of_three_actions_is_the_integral():
    likelihood = _many_actions("private", "probit")
    theta = np.random.default_rng(2).normal(0, 1, likelihood.size)
    u = {name: values[0] for name, values in likelihood.symbol_values(theta).items()}
    v = [u["c"], 0.0, u["d"]]

    def of(values, sds, a):
        others = [b for b in range(len(values)) if b != a]

        def integrand(e):
            x = [norm.cdf((values[a] - values[b] + sds[a] * e) / sds[b]) for b in others]
            return norm.pdf(e) * np.prod(x)

        return quad(integrand, -12, 12, epsabs=1e-13, epsrel=1e-12, limit=200)[0]

    p = np.array([of(v, [1, 1, 1], a) for a in range(3)])
    go = p[0] * u["a"] + p[2] * u["b"]
    q = [of([0.0, go, u["a"] * u["b"]], [1, np.sqrt((p**2).sum()), 1], a) for a in range(3)]
    expected = [q[0], *(q[1] * p), q[2]]
    assert likelihood.probabilities(theta)[0] == pytest.approx(expected, abs=1e-9)


def test_two_actions_by_softmax_are_the_logit():
    a = dt.symbols("a")
    frame = pd.DataFrame({"x": np.linspace(-2, 2, 40), "y": [0, 1] * 20})
    two = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("0", A=0), "yes": dt.end("1", A=a)}))
    result = dt.fit(two, frame, outcome="y", utilities={"a": "x"}, link="logit")
    p = 1 / (1 + np.exp(-result.likelihood.symbol_values(result.theta)["a"] / np.sqrt(2)))
    assert result.predict()["1"].to_numpy() == pytest.approx(p, abs=1e-13)


# ---------------------------------------------------------------- invariance


@pytest.mark.parametrize("errors", ["agent", "private"])
def test_a_regressor_may_be_zero_wherever_a_player_is_seen_to_move(errors):
    """The start of that player alone once divided by the size of the regressor in these rows, zero."""
    data = simulated(120, 9)
    data["f"] = np.where((data.outcome == "sq") & (np.arange(120) % 3 == 0), 1.0, 0.0)
    result = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC | {"u2_war": "z + f"}, errors=errors)
    assert np.isfinite(result.theta).all()
    assert np.isfinite(result.llf)
    draws = dt.fit(crisis(), data.drop(columns="f"), outcome="outcome", utilities=SPEC, errors=errors).bootstrap(4)
    assert draws.draws.shape == (4, 6)


def test_counts_are_repeated_rows():
    data = simulated(150, 2)
    data["x"], data["z"], data["w"] = (data[c].round() for c in "xzw")
    table = data.groupby(["x", "z", "w", "outcome"]).size().unstack(fill_value=0).reset_index()
    rows = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC)
    columns = {"sq": "sq", "capit": "capit", "war": "war"}
    counts = dt.fit(crisis(), table, outcome=columns, utilities=SPEC)
    assert counts.llf == pytest.approx(rows.llf, abs=1e-8)
    assert counts.bse.to_numpy() == pytest.approx(rows.bse.to_numpy(), rel=1e-6)
    assert counts.nobs == rows.nobs == 150


def test_weights_are_repeated_rows():
    data = simulated(150, 2)
    twice = pd.concat([data, data.iloc[:40]])
    weighted = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, weights=[2] * 40 + [1] * 110)
    assert weighted.llf == pytest.approx(dt.fit(crisis(), twice, outcome="outcome", utilities=SPEC).llf, abs=1e-8)


def test_units_of_a_regressor_do_not_matter():
    data = simulated(300, 4)
    result = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC)
    other = dt.fit(crisis(), data.assign(x=data.x * 1e6), outcome="outcome", utilities=SPEC)
    assert other.llf == pytest.approx(result.llf, abs=1e-8)
    assert other.params["u1_sq:x"] * 1e6 == pytest.approx(result.params["u1_sq:x"], rel=1e-6)


def test_unseen_later_moves_are_summed_over():
    data = simulated(400, 6)
    moves = pd.DataFrame({
        "esc": (data.outcome != "sq").astype(float),
        "war": np.where(data.outcome == "sq", np.nan, (data.outcome == "war").astype(float)),
    })  # fmt: skip
    full = dt.fit(crisis(), data.join(moves), outcome=["esc", "war"], utilities=SPEC)
    assert full.llf == pytest.approx(dt.fit(crisis(), data, outcome="outcome", utilities=SPEC).llf, abs=1e-9)
    blurred = moves.assign(war=moves.war.mask(np.arange(400) % 3 == 0))
    part = dt.fit(crisis(), data.join(blurred), outcome={"Challenger": "esc", "Defender": "war"}, utilities=SPEC)
    p = part.predict()
    seen = data.outcome.where(~((np.arange(400) % 3 == 0) & (data.outcome != "sq")), "escalated")
    rows = [np.log(1 - q.sq if y == "escalated" else q[y]) for y, (_, q) in zip(seen, p.iterrows(), strict=True)]
    assert part.llf == pytest.approx(sum(rows), abs=1e-9)
    assert part.bse["u2_war:z"] > full.bse["u2_war:z"]


def test_an_action_with_one_label_is_no_choice():
    a = dt.symbols("a")
    frame = pd.DataFrame({"x": np.linspace(-2, 2, 40), "y": [0, 1] * 20})
    long = dt.ExtensiveGame(
        ("A", "B"),
        dt.move("A", {"no": dt.end("0", A=0, B=0), "yes": dt.move("B", {"must": dt.end("1", A=a, B=0)})}),
    )
    two = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("0", A=0), "yes": dt.end("1", A=a)}))
    fits = [dt.fit(game, frame, outcome="y", utilities={"a": "x"}) for game in (long, two)]
    assert fits[0].llf == pytest.approx(fits[1].llf, abs=1e-10)


def test_chance_moves_are_averaged_over():
    a = dt.symbols("a")
    frame = pd.DataFrame({"x": np.linspace(-2, 2, 40), "y": (["none"] * 2 + ["win", "lose"]) * 10})
    lottery = dt.chance({"w": ("1/4", dt.end("win", A=a)), "l": ("3/4", dt.end("lose", A=0))})
    game = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("none", A=0), "yes": lottery}))
    result = dt.fit(game, frame, outcome="y", utilities={"a": "x"})
    simple = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("none", A=0), "yes": dt.end("some", A=a / 4)}))
    merged = frame.assign(y=frame.y.replace({"win": "some", "lose": "some"}))
    other = dt.fit(simple, merged, outcome="y", utilities={"a": "x"})
    assert result.params.to_numpy() == pytest.approx(other.params.to_numpy(), abs=1e-7)
    assert result.llf == pytest.approx(other.llf + 10 * np.log(1 / 4) + 10 * np.log(3 / 4), abs=1e-8)


# ---------------------------------------------------------------- recovery


@pytest.mark.parametrize(("errors", "link"), [("agent", "probit"), ("private", "probit"), ("agent", "logit")])
def test_coefficients_are_recovered(errors, link):
    data = simulated(3000, 8, errors, link)
    result = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors, link=link)
    assert result.status == "converged"
    assert result.names == NAMES
    assert np.abs((result.theta - TRUTH) / result.bse.to_numpy()).max() < 3.5


@pytest.mark.parametrize(
    ("players", "ends", "seed", "errors"),
    [
        (2, 4, 0, "agent"),
        (3, 7, 1, "agent"),
        (4, 9, 2, "agent"),
        (5, 12, 3, "agent"),
        (2, 4, 0, "private"),
        pytest.param(3, 7, 1, "private", marks=pytest.mark.slow),
        pytest.param(4, 9, 2, "private", marks=pytest.mark.slow),
        pytest.param(5, 12, 3, "private", marks=pytest.mark.slow),
    ],
)
def test_random_trees_are_recovered(players, ends, seed, errors):
    generator = np.random.default_rng(seed)
    game, utilities = random_tree(generator, players, ends)
    size = 1000
    frame = pd.DataFrame({f"x{i}": generator.normal(size=size) for i in range(1, 9)})
    names = [label for label in game.topology.end_labels if label]
    frame["y"] = generator.choice(names, size)
    given = {s: f for s, f in utilities.items() if _matters(game, s)}
    link = "logit" if errors == "agent" else "probit"
    kwargs = {"outcome": "y", "utilities": given, "errors": errors, "link": link, "starts": 1}
    likelihood = dt.fit(game, frame, **kwargs, iterations=1).likelihood
    truth = generator.normal(0, 0.8, likelihood.size)
    frame["y"] = likelihood.simulate(truth, generator).outcome_frame()["y"].to_numpy()
    result = dt.fit(game, frame, **kwargs)
    assert result.status == "converged"
    error = result.theta - truth
    chi2 = error @ np.linalg.solve(result.covariance, error)
    assert chi2 < likelihood.size + 4 * np.sqrt(2 * likelihood.size)


def _matters(game, symbol):
    player, _, end = symbol.partition("_")
    z = game.topology.end_labels.index(f"end {end}")
    node = int(game.topology.terminal[z])
    while node > 0:
        node = int(game.topology.parent[node])
        if game.players[game.topology.owner[node]] == player:
            return True
    return False


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("errors", "link"), [("agent", "probit"), ("private", "probit"), ("agent", "logit")])
def test_intervals_of_95_percent_cover_the_truth(errors, link):
    base = simulated(600, 0, errors, link)
    likelihood = dt.fit(
        crisis(), base, outcome="outcome", utilities=SPEC, errors=errors, link=link, starts=1
    ).likelihood
    covered = []
    generator = np.random.default_rng(11)
    for _ in range(500):
        drawn = likelihood.simulate(np.array(TRUTH), generator).outcome_frame()["outcome"].to_numpy()
        data = base.assign(outcome=drawn)
        result = dt.fit(crisis(), data, outcome="outcome", utilities=SPEC, errors=errors, link=link, starts=1)
        assert result.status == "converged"
        low, high = result.conf_int().to_numpy().T
        covered.append((low <= TRUTH) & (np.array(TRUTH) <= high))
    share = np.mean(covered, axis=0)
    assert share == pytest.approx(0.95, abs=0.03)
    assert share.mean() == pytest.approx(0.95, abs=0.02)

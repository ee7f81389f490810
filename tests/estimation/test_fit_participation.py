"""Costs of fighting from who came: likelihood by hand, derivatives, recovery by another solver, several equilibria."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import logistic, lognorm, norm

import deterrence as dt

NAMES = ("Ana", "Bor", "Cid")
TRUTH = np.array([0.9, 0.5, -0.4])  # mean cost: constant, x; log scale
PATTERNS = ((-1.0, 0.0, 1.0), (1.0, 1.0, -1.0), (0.5, -1.5, 0.0), (0.0, 1.5, 1.5))
STRENGTHS = (3.0, 6.0, 9.0)
OPTIONS = {
    "outcome": "came",
    "occasion": "crisis",
    "member": "member",
    "utilities": {"cost": "x"},
    "scale": "1",
    "given": {"attacks.*.strength": "strength"},
}


def alliance(locations=(1.0, 1.0, 1.0), scale=0.7, strength=6.0, family="normal", **options) -> dt.ParticipationGame:
    members = tuple(
        dt.Member(
            name=name, capability=capability, delay=0, stake=stake, obligation=0.3,
            cost=dt.Distribution(family=family, location=float(location), scale=float(scale)), **options,
        )
        for name, capability, stake, location in zip(NAMES, (4.0, 3.0, 5.0), (2.0, 3.0, 2.5), locations, strict=True)
    )  # fmt: skip
    attack = dt.Attack(name="full", strength=strength)
    return dt.ParticipationGame(members=members, attacks=(attack,), base=2.0, decisiveness=2.0)


@lru_cache
def thresholds(pattern: tuple[float, ...], strength: float) -> tuple[float, ...]:
    """Return the cutpoints that dt.participation finds at the truth; there is one equilibrium."""
    found = dt.participation(alliance(TRUTH[0] + TRUTH[1] * np.array(pattern), np.exp(TRUTH[2]), strength))
    assert len(found) == 1
    return tuple(found[0].profile.cutpoints[0])


def crises(number: int, seed: int) -> pd.DataFrame:
    """Return crises in which members draw their costs and compare them with their cutpoints."""
    generator = np.random.default_rng(seed)
    rows = []
    for crisis in range(number):
        pattern, strength = PATTERNS[generator.integers(4)], STRENGTHS[generator.integers(3)]
        costs = generator.normal(TRUTH[0] + TRUTH[1] * np.array(pattern), np.exp(TRUTH[2]))
        for i, cut in enumerate(thresholds(pattern, strength)):
            rows.append((crisis, NAMES[i], pattern[i], strength, int(costs[i] <= cut)))
    return pd.DataFrame(rows, columns=["crisis", "member", "x", "strength", "came"])


@pytest.fixture(scope="module")
def data():
    return crises(200, 0)


@pytest.fixture(scope="module")
def result(data):
    return dt.fit(alliance(), data, **OPTIONS)


def test_the_likelihood_is_that_of_the_threshold_equilibrium(result, data):
    total = 0.0
    for _, rows in data.groupby("crisis"):
        cuts = np.array(thresholds(tuple(rows.x), rows.strength.iloc[0]))
        q = norm.cdf(cuts, TRUTH[0] + TRUTH[1] * rows.x, np.exp(TRUTH[2]))
        total += np.log(np.where(rows.came == 1, q, 1 - q)).sum()
    assert result.likelihood.value(TRUTH) == pytest.approx(total, abs=1e-8)
    assert result.likelihood.loglik(TRUTH)[1::3].tolist() == [0.0] * 200  # an occasion's stands in its first row


def test_parameters_are_recovered(result, data):
    assert result.names == ("cost:Intercept", "cost:x", "log scale:Intercept")
    assert (result.status, result.nobs, result.distinct_optima) == ("converged", 600, 1)
    assert np.abs((result.theta - TRUTH) / result.bse.to_numpy()).max() < 3.5
    shuffled = dt.fit(alliance(), data.sample(frac=1, random_state=1), **OPTIONS, starts=1)
    assert shuffled.llf == pytest.approx(result.llf, abs=1e-8)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_many_data_sets():
    fits = [dt.fit(alliance(), crises(250, seed + 50), **OPTIONS, starts=1) for seed in range(80)]
    assert all(f.converged for f in fits)
    covered = [np.abs(f.theta - TRUTH) < 1.96 * f.bse.to_numpy() for f in fits]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def derivatives_agree(likelihood, theta):
    value, gradient, hessian = likelihood.evaluate(theta)
    assert value == pytest.approx(likelihood.value(theta), abs=1e-10)
    for k in range(likelihood.size):
        e = np.eye(likelihood.size)[k] * 1e-5
        assert gradient[k] == pytest.approx(
            (likelihood.value(theta + e) - likelihood.value(theta - e)) / 2e-5, abs=1e-5
        )
        ahead, behind = (likelihood.scores(theta + sign * e).sum(axis=0) for sign in (1, -1))
        np.testing.assert_allclose(hessian[k], (ahead - behind) / 2e-5, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("family", ["normal", "logistic", "lognormal"])
def test_derivatives_hold_the_equilibrium(family, data):
    few = data.head(90)
    game = alliance(family=family, recognition=0.7)  # the treaty is invoked with a probability between 0 and 1
    own = dt.fit(game, few, **OPTIONS, starts=1, iterations=1).likelihood
    assert len(own.stages) == 2
    derivatives_agree(own, np.array([0.2, 0.3, -0.2]))


@pytest.mark.parametrize(
    ("family", "cdf"),
    [
        ("logistic", lambda x, location, scale: logistic.cdf(x, location, scale)),
        ("lognormal", lambda x, location, scale: lognorm.cdf(x, scale, scale=np.exp(location))),
    ],
)
def test_states_of_the_treaty_are_averaged_over(family, cdf, data):
    few, game = data.head(6), alliance(family=family, recognition=0.7)
    own = dt.fit(game, few, **OPTIONS, starts=1, iterations=1).likelihood
    theta = np.array([0.1, 0.2, -0.3])
    total = 0.0
    for _, rows in few.groupby("crisis"):
        locations = theta[0] + theta[1] * rows.x.to_numpy()
        there = alliance(locations, np.exp(theta[2]), rows.strength.iloc[0], family, recognition=0.7)
        profile = dt.participation(there)[0].profile
        chance = float(there.invocation().probability)
        q = [cdf(cut, locations, np.exp(theta[2])) for cut in profile.cutpoints]
        q[1] = q[1] * there.invocation().recognition_if_not
        came = rows.came.to_numpy()
        parts = [np.prod(np.where(came == 1, p, 1 - p)) for p in q]
        total += np.log(chance * parts[0] + (1 - chance) * parts[1])
    assert own.value(theta) == pytest.approx(total, abs=1e-8)
    seen = dt.fit(game, few.assign(inv=1), **OPTIONS, invoked="inv", starts=1, iterations=1).likelihood
    assert len(seen.stages) == 1
    assert seen.value(theta) != pytest.approx(total, abs=1e-3)


# ---------------------------------------------------------------- several equilibria


def complements(location=0.8, scale=0.3) -> dt.ParticipationGame:
    """Return three allies who are of use only together: nobody comes, or everybody, or something unstable between."""
    members = tuple(
        dt.Member(name=n, capability=5.0, delay=0, stake=4.0,
                  cost=dt.Distribution(family="normal", location=location, scale=scale)) for n in NAMES
    )  # fmt: skip
    return dt.ParticipationGame(members=members, attacks=(dt.Attack(name="full", strength=12.0),), decisiveness=6.0)


TOGETHER = {**OPTIONS, "utilities": {"cost": "1"}, "scale": 0.3, "given": None}


def together(number: int, seed: int, highest: float) -> pd.DataFrame:
    """Return occasions in the lowest equilibrium of dt.participation, or with a given chance in the highest."""
    generator = np.random.default_rng(seed)
    found = [e.profile.cutpoints[0] for e in dt.participation(complements())]
    assert len(found) == 3
    rows = []
    for o in range(number):
        cuts = found[-1] if generator.uniform() < highest else found[0]
        came = generator.normal(0.8, 0.3, 3) <= cuts
        rows += [(o, name, int(c)) for name, c in zip(NAMES, came, strict=True)]
    return pd.DataFrame(rows, columns=["crisis", "member", "came"])


def test_which_equilibrium_is_played_is_estimated():
    data = together(200, 3, highest=0.3)
    result = dt.fit(complements(), data, **TOGETHER, selection="1")
    assert result.status == "converged"
    assert result.names == ("cost:Intercept", "selection of the highest:Intercept")
    truth = np.array([0.8, np.log(0.3 / 0.7)])
    assert np.abs((result.theta - truth) / result.bse.to_numpy()).max() < 3.5
    derivatives_agree(result.likelihood, truth)
    half = dt.fit(complements(), data, **TOGETHER)
    assert half.llf < result.llf - 5
    lowest = dt.fit(complements(), data, **TOGETHER, selection="lowest", starts=1, iterations=10)
    assert lowest.llf < result.llf - 20


def test_all_equilibria_are_averaged_over():
    data = together(4, 5, highest=0.5)
    own = dt.fit(complements(), data, **TOGETHER, equilibria="all", starts=1, iterations=1).likelihood
    location = 0.85
    found = dt.participation(complements(location))
    q = np.array([e.profile.probabilities[0] for e in found])
    assert len(q) == 3
    came = data.came.to_numpy().reshape(4, 3)
    each = np.where(came[:, None] == 1, q, 1 - q).prod(axis=2)
    assert own.value(np.array([location])) == pytest.approx(np.log(each.mean(axis=1)).sum(), abs=1e-8)
    derivatives_agree(own, np.array([location]))


# ---------------------------------------------------------------- what comes with it


def test_what_was_not_seen_says_nothing(result, data):
    hidden = data.assign(came=data.came.where(data.index % 5 > 0))
    part = dt.fit(alliance(), hidden, **OPTIONS, starts=1)
    assert part.nobs == 480
    assert np.linalg.slogdet(part.covariance)[1] > np.linalg.slogdet(result.covariance)[1]
    none = data.assign(came=data.came.where(data.crisis < 100))
    half = dt.fit(alliance(), data[data.crisis < 100], **OPTIONS, starts=1)
    assert dt.fit(alliance(), none, **OPTIONS, starts=1).llf == pytest.approx(half.llf, abs=1e-8)


def test_occasions_are_dropped_whole(data):
    gaps = data.assign(x=data.x.mask(data.index == 4))
    assert dt.fit(alliance(), gaps, **OPTIONS, starts=1, iterations=1).dropped == 3
    with pytest.raises(dt.ParameterError, match="row 4 lacks a value"):
        dt.fit(alliance(), gaps, **OPTIONS, missing="raise")


def test_predictions_and_the_way_back_to_games(result, data):
    mixed = data.sample(frac=1, random_state=2)
    predicted = result.predict(mixed)
    assert predicted.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-12)
    assert predicted.loc[data.index, "comes"].to_numpy() == pytest.approx(result.predict(data)["comes"], abs=1e-12)
    assert result.predict()["comes"].mean() == pytest.approx(data.came.mean(), abs=0.05)
    assert result.effects("x").loc["comes", "effect"] < 0
    game = result.game({"x": 0.5, "strength": 6.0})
    assert game.members[0].cost.location == pytest.approx(
        result.params["cost:Intercept"] + 0.5 * result.params["cost:x"]
    )
    own = dt.participation(game)[0].profile.probabilities[0].mean()
    at = result.sweep("x", [0.5], at={"strength": 6.0}, bands=None)
    assert at["comes"].iloc[0] == pytest.approx(own, abs=1e-9)
    table = dt.sweep(result, over={"strength": [3.0, 9.0]}, event="comes", progress=False)
    assert table.comes_high.values.shape == (2,)
    again = result.simulate(seed=4)
    assert again.came.mean() == pytest.approx(data.came.mean(), abs=0.08)
    errors = result.bootstrap(6, seed=2)
    assert "6 draws" in errors.notes["Bootstrap"]
    assert (errors.bse / result.bse).between(0.2, 3).all()
    logit = dt.estimation.plain_logit(result)
    assert logit.llf < 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"utilities": {"costs": "x"}}, "costs"),
        ({"utilities": {"cost": "zz"}}, "no column .* 'zz'"),
        ({"outcome": "x"}, r"must hold 1 .came. and 0 .stayed out., got .* in row \d"),
        ({"outcome": "member"}, "must hold 1 .came. and 0 .stayed out., got words"),
        ({"member": "x"}, "who is no member; they are Ana, Bor, Cid"),
        ({"occasion": "member"}, "occasion 'Ana' lacks the member 'Bor'"),
        ({"scale": -1.0}, "scale of the costs must be a number above 0"),
        ({"selection": 0.5}, "selection must be 'uniform', 'lowest', 'highest' or a formula"),
        ({"selection": "x"}, "regressor 'selection of the highest:x' must be the same for all members of an occasion"),
        ({"equilibria": "every"}, "equilibria must be 'extreme' or 'all'"),
        ({"equilibria": "all", "selection": "lowest"}, "takes selection='uniform'"),
        ({"given": {"attacks.*.strength": "x"}}, "column 'x' must be the same for all members of an occasion"),
        ({"given": {"attacks.*.power": "strength"}}, "power"),
        ({"invoked": "x"}, "'x' must be the same for all members of an occasion"),
        ({"weights": "x"}, "at least 0"),
        ({"utilities": {"cost": 1.0}, "scale": 0.5}, "nothing is left to estimate"),
        ({"link": "logit"}, "has no option 'link'"),
    ],
)
def test_slips_are_named(data, change, message):
    with pytest.raises((dt.ParameterError, dt.GameError), match=message):
        dt.fit(alliance(), data.head(30), **{**OPTIONS, **change})


def test_members_missing_or_twice_are_named(data):
    with pytest.raises(dt.ParameterError, match="occasion 0 lacks the member 'Bor'"):
        dt.fit(alliance(), data.drop(index=1), **OPTIONS)
    with pytest.raises(dt.ParameterError, match="occasion 0 has the member 'Ana' twice"):
        dt.fit(alliance(), pd.concat([data, data.head(1)]), **OPTIONS)


def test_costs_that_jump_are_refused(data):
    with pytest.raises(
        dt.GameError, match="costs of one family, normal, logistic, lognormal; members' costs are uniform"
    ):
        dt.fit(alliance(family="uniform"), data, **OPTIONS)

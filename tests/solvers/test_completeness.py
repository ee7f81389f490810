"""Claims of completeness, uniqueness and isolation, each put to games made to break it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import nnls

from deterrence.alliances.attacks import Attack
from deterrence.alliances.members import Member
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.solving.expected_defence import expected_defence
from deterrence.alliances.solving.participation import participation, participation_batch, stage_equilibria
from deterrence.games.distributions import normal, uniform
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.nash import nash
from deterrence.solvers.pbe import pbe
from deterrence.solvers.qre import qre
from deterrence.solvers.verify import verify


def integer_game(seed, most):
    """Two types, messages and responses; few different payoffs, so that ties abound."""
    rng = np.random.default_rng(seed)
    u, v = (rng.integers(0, most, (2, 2, 2)).astype(float) for _ in range(2))
    return SignalingGame(("a", "b"), ("x", "y"), ("r", "s"), [0.5, 0.5], u, v)


def quarter_profiles():
    """Every profile whose probabilities are 0, 1/2 or 1, and beliefs quarters: 3^4 strategies times 25 beliefs."""
    halves = (0.0, 0.5, 1.0)
    for s1, s2, r1, r2 in product(halves, repeat=4):
        for b1, b2 in product(np.linspace(0, 1, 5), repeat=2):
            yield SignalingProfile(
                sender=np.array([[s1, 1 - s1], [s2, 1 - s2]]),
                receiver=np.array([[[r1, 1 - r1], [r2, 1 - r2]]]),
                posterior=np.array([[[b1, 1 - b1], [b2, 1 - b2]]]),
            )


def lies_on(found, profile):
    """Whether strategies are a point of a component, whose vertices are all of it (a product of polytopes)."""
    for e in found:
        inside = True
        for part in ("sender", "receiver", "posterior"):
            corners = np.array([np.ravel(getattr(v, part)) for v in e.vertices], dtype=float)
            point = np.ravel(getattr(profile, part))
            if part == "posterior":  # Bayes' rule and free beliefs: all of them are vertices
                continue
            _, residual = nnls(np.vstack([corners.T, np.ones(len(corners))]), np.r_[point, 1.0])
            inside = inside and residual < 1e-9
        if inside:
            return True
    return False


@pytest.mark.parametrize(("seed", "most"), [(seed, most) for seed in range(3) for most in (2, 4)])
def test_no_equilibrium_of_a_grid_is_missing_from_a_complete_set(seed, most):
    game = integer_game(seed, most)
    found = pbe(game)
    assert found.complete
    hits = 0
    for profile in quarter_profiles():
        certificate = verify(game, profile, tol=0.0)
        if certificate.sequentially_rational and certificate.max_belief_error == 0:
            hits += 1
            assert lies_on(found, profile)
    assert hits > 0


def test_a_set_cut_short_is_not_called_complete():
    game = integer_game(0, 2)
    assert pbe(game).complete
    assert not pbe(game, time_limit=1e-9).complete


def allies(n, cost, **changes):
    member = {"capability": 2.0, "stake": 1.5, "obligation": 0.3, "cost": cost, **changes}
    members = tuple(Member(name=f"m{i}", **member) for i in range(n))
    return ParticipationGame(members=members, attacks=(Attack(name="x", strength=2.1),), base=0.5, decisiveness=5)


@pytest.mark.parametrize("width", [0.02, 0.2, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("n", [2, 3])
def test_a_unique_equilibrium_is_reached_from_everywhere(n, width):
    """Where one only is claimed, the map of replies leads from 30 random profiles to it."""
    game = allies(n, uniform(0.9 - width / 2, 0.9 + width / 2))
    stage = game.stage("x", invoked=True)
    found = stage_equilibria(stage)
    batch = participation_batch(replace(game, base=np.array([0.5])).stage("x", invoked=True))
    claimed = (found.complete and len(found.holds) == 1) or bool(batch.unique[0])
    assert not (batch.unique[0] and len(found.holds) > 1)
    defence = expected_defence(stage)
    rng = np.random.default_rng(0)
    limits = set()
    for q in rng.random((30, n)):
        for _ in range(60):
            for i in range(n):  # one at a time: a potential climbs
                cut = stage.stakes * defence.gains(q) + stage.penalties
                q[i] = (stage.position * stage.costs.cdf(cut))[i]
        limits.add(tuple(q.round(5)))
    known = {tuple(row.round(5)) for row in found.probabilities}
    if found.complete:
        assert all(min(np.abs(np.subtract(one, other)).max() for other in known) < 1e-4 for one in limits)
    if claimed:
        assert len(limits) == 1


def test_three_identical_allies_who_may_differ_are_never_called_complete():
    for spread in (0.01, 0.05, 0.1):
        found = participation(allies(3, normal(0.9, spread)))
        differ = any(np.ptp(e.profile.probabilities[0]) > 1e-6 for e in found)
        assert not (found.complete and differ)


def test_uniform_play_is_unique_only_where_everyone_is_blind():
    hunt = StrategicGame([[2, 0], [1.2, 1.2]], [[2, 1.2], [0, 1.2]])
    assert qre(hunt, 0.0).complete
    assert not qre(hunt, {"Row": 0.0, "Column": 9.0}).complete
    assert not qre(hunt, 9.0).complete


def segment():
    """Three players, 2 x 2 x 2: the third gains nothing by anything, and the two others coordinate at its even mixture.

    Row is indifferent iff the third mixes evenly whatever Column does, and Column alike: a continuum with three mixing.
    """
    payoffs = np.zeros((2, 2, 2, 3))
    payoffs[0, :, 0, 0] = payoffs[1, :, 1, 0] = 1.0
    payoffs[:, 0, 0, 1] = payoffs[:, 1, 1, 1] = 1.0
    payoffs[0, 0, 0, 2] = payoffs[1, 1, 1, 2] = 1.0
    payoffs[0, 0, 1, 2] = payoffs[1, 1, 0, 2] = 1.0
    return StrategicGame(payoffs)


def test_a_point_of_a_continuum_is_not_called_isolated():
    game = segment()
    found = nash(game)
    even = np.array([0.5, 0.5])
    for x, y in ((0.3, 0.6), (0.7, 0.2)):  # both are equilibria: nobody is better off by anything else
        profile = type(found[0].profile)((np.array([x, 1 - x]), np.array([y, 1 - y]), even))
        assert verify(game, profile).equilibrium
    for e in found:
        if all(0 < m[0] < 1 for m in e.profile.mixed):
            assert not e.isolated
    assert not found.complete

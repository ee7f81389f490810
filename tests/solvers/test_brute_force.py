"""Every equilibrium that a search finds lies in a component of ``dt.pbe``, and every vertex verifies."""

from __future__ import annotations

import numpy as np
import pytest

from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.solvers.pbe import pbe
from deterrence.solvers.verify import verify
from tests.brute_force import (
    Found,
    grid_equilibria,
    in_component,
    sample_equilibria,
    unexpected_everywhere,
)


def random_game(rng, shape, high, *, receiver_types=1, priors=1, zeros=False):
    """A game with small integer payoffs (ties are common); one prior, or three that differ."""
    types, messages, responses = shape
    full = (types, receiver_types, messages, responses)
    joint = [_prior(rng, types, receiver_types, zeros) for _ in range(priors)]
    several = {"receiver_types": [f"q{i}" for i in range(receiver_types)]} if receiver_types > 1 else {}
    payoffs = [_without_q(rng.integers(0, high, full).astype(float), several) for _ in range(2)]
    believed = dict(zip(("sender_prior", "receiver_prior"), [_without_q(j, several) for j in joint[1:]]))
    return SignalingGame(
        [f"t{i}" for i in range(types)], [f"m{i}" for i in range(messages)], [f"r{i}" for i in range(responses)],
        _without_q(joint[0], several), *payoffs, **several, **believed,
    )  # fmt: skip


def _prior(rng, types, receiver_types, zeros):
    weights = rng.integers(0 if zeros else 1, 6, (types, receiver_types)).astype(float)
    weights[rng.integers(types), rng.integers(receiver_types)] += 1
    return weights / weights.sum()


def _without_q(array, several):
    return array if several else array[:, 0]


def check_vertices(game, found):
    for e in found:
        certificate = verify(game, e)
        assert certificate.sequentially_rational, f"{e.kind} has regret {certificate.max_regret} in {as_data(game)}"
        assert certificate.max_belief_error <= 1e-9, f"{e.kind} misses Bayes' rule in {as_data(game)}"


def check_covered(game, searched, found):
    """Each found equilibrium lies in a component that leaves the same messages unexpected."""
    off_path = [unexpected_everywhere(game, e.vertices) for e in found]
    for point in searched:
        assert any(
            np.array_equal(point.unexpected, off) and in_component(point, e.vertices) for off, e in zip(off_path, found)
        ), f"missed {point} of {as_data(game)}"


def check(game, rng, tries):
    found = pbe(game)
    assert found.complete
    assert len(found) >= 1, f"no equilibrium of {as_data(game)}"
    check_vertices(game, found)
    searched = sample_equilibria(game, rng, tries)
    check_covered(game, searched, found)
    return len(searched)


def as_data(game):
    return {name: np.asarray(getattr(game, name)).tolist()
            for name in ("prior", "sender_prior", "receiver_prior", "sender_payoffs", "receiver_payoffs")}  # fmt: skip


def shapes(rng):
    """Mostly small games, some with receiver types, unlike priors or types of prior zero."""
    shape = tuple(int(x) for x in rng.integers(2, 4, 3))
    receiver_types = int(rng.choice([1, 1, 1, 2])) if max(shape) < 4 else 1
    return {"shape": shape, "high": int(rng.choice([2, 3, 5, 100])), "receiver_types": receiver_types,
            "priors": int(rng.choice([1, 1, 3])), "zeros": bool(rng.random() < 0.1)}  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_sampled_equilibria_lie_in_components(seed):
    rng = np.random.default_rng(seed)
    assert sum(check(random_game(rng, **shapes(rng)), rng, tries=15) for _ in range(50)) > 20


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("seed", range(10))
def test_sampled_equilibria_of_5000_games_lie_in_components(seed):
    rng = np.random.default_rng(1000 + seed)
    assert sum(check(random_game(rng, **shapes(rng)), rng, tries=25) for _ in range(500)) > 250


def test_every_equilibrium_on_a_grid_lies_in_a_component():
    grid_search(np.random.default_rng(0), games=30, steps=12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_equilibrium_on_a_grid_lies_in_a_component_for_1000_games():
    grid_search(np.random.default_rng(1), games=1000, steps=12)


def grid_search(rng, games, steps):
    hits = 0
    for _ in range(games):
        game = random_game(rng, (2, 2, 2), int(rng.choice([2, 3, 4])))
        found = pbe(game)
        check_vertices(game, found)
        searched = grid_equilibria(game, steps)
        hits += len(searched)
        if len(searched) > 60:
            searched = [searched[i] for i in rng.choice(len(searched), 60, replace=False)]
        check_covered(game, searched, found)
    assert hits > 10 * games


# -- the textbook, found by search ---------------------------------------------------------------------------


def beer_quiche(strong):
    return SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[strong, 1 - strong],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def spence(share):
    """Two productivities, two levels of education, a wage for each conditional mean (Spence 1973, discrete)."""
    theta, wages = np.array([1.0, 2.0]), np.array([1.0, 1 + share, 2.0])
    pay = wages[None, None] - np.array([0.0, 1.0])[None, :, None] / theta[:, None, None]
    loss = np.broadcast_to(-((wages[None, None] - theta[:, None, None]) ** 2), (2, 2, 3))
    return SignalingGame(("low", "high"), ("none", "degree"), ("1", "mean", "2"), [1 - share, share], pay, loss)


@pytest.mark.parametrize("game", [beer_quiche(0.9), beer_quiche(0.1), beer_quiche(0.5), spence(0.3), spence(0.7)])
def test_textbook_games_are_covered(game):
    rng = np.random.default_rng(5)
    found = pbe(game)
    check_vertices(game, found)
    searched = sample_equilibria(game, rng, 400)
    assert len(searched) >= 1
    check_covered(game, searched, found)


def test_beer_quiche_by_search_has_the_outcomes_of_the_paper():
    """With many strong types two pooling outcomes and a duel of at least 1/2 off the path; with few, one hybrid."""
    rng = np.random.default_rng(0)
    many = sample_equilibria(beer_quiche(0.9), rng, 150)
    assert {tuple(np.round(e.sender[:, 0], 9)) for e in many} == {(1, 1), (0, 0)}
    for e in many:
        assert e.receiver[0, int(e.sender[0, 0] == 1), 0] >= 0.5 - 1e-9
    few = sample_equilibria(beer_quiche(0.1), rng, 300)
    assert len(few) >= 1
    for e in few:
        assert e.sender[:, 0] == pytest.approx([1, 1 / 9])
        assert e.receiver[0, :, 0] == pytest.approx([0.5, 1])


# -- the search and the membership test can fail -------------------------------------------------------------


def test_what_the_search_finds_is_an_equilibrium():
    rng = np.random.default_rng(11)
    for _ in range(20):
        game = random_game(rng, **shapes(rng))
        for e in sample_equilibria(game, rng, 10):
            arrays = [a / a.sum(axis=-1, keepdims=True) for a in (e.sender, e.receiver, e.posterior)]
            certificate = verify(game, SignalingProfile(*arrays))
            assert certificate.sequentially_rational
            assert certificate.max_belief_error < 1e-9


def test_membership_tells_inside_from_outside():
    off = np.array([[False, True]])

    def point(duel, belief):
        return Found(
            np.array([[1.0, 0], [1, 0]]),
            np.array([[[0, 1.0], [duel, 1 - duel]]]),
            np.array([[[0.9, 0.1], [belief, 1 - belief]]]),
            off,
        )

    corners = [SignalingProfile(p.sender, p.receiver, p.posterior) for p in (point(1, 0), point(1, 0.5))]
    assert in_component(point(1, 0.25), corners)
    assert not in_component(point(1, 0.51), corners)
    assert not in_component(point(0.9, 0.25), corners)
    expected = Found(
        *(getattr(point(1, 0.51), n) for n in ("sender", "receiver", "posterior")), np.array([[False, False]])
    )
    assert in_component(expected, corners)  # beliefs after expected messages follow from the strategies

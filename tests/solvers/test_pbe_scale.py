"""Perfect Bayesian equilibria at every scale: ties are ties of the numbers compared, in floats as in rationals."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import symbols
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.tree import chance, end, move
from deterrence.solvers.pbe import pbe
from deterrence.solvers.predicates import read
from deterrence.solvers.refinements import REFINEMENTS
from deterrence.solvers.verify import verify


def stationing(w, offset=0.0):
    """The game of the README: a patron stations forces or stays home, an aggressor attacks or refrains."""

    def attacked(stake, paid):
        if stake > 1:
            return end("war", Patron=-w - paid + offset, Aggressor=-1 + offset)
        return end("conquest", Patron=-stake - paid + offset, Aggressor=1 + offset)

    def aggressor(stake, paid, sees):
        refrain = end(Patron=-paid + offset, Aggressor=offset)
        return move("Aggressor", {"refrain": refrain, "attack": attacked(stake, paid)}, infoset=sees)

    def patron(stake):
        station, home = aggressor(stake, 0.6, "forces"), aggressor(stake, 0, "none")
        return move("Patron", {"station": station, "stay home": home})

    return ExtensiveGame(("Patron", "Aggressor"), chance({"resolute": (0.3, patron(2)), "not": (0.7, patron(0.4))}))


def patrons(w, offset=0.0):
    """The same as a signaling game, by tables: resolute or not; forces or none; refrain or attack."""
    sender = [[[-0.6, -w - 0.6], [0.0, -w]], [[-0.6, -1.0], [0.0, -0.4]]]
    receiver = [[[0, -1], [0, -1]], [[0, 1], [0, 1]]]
    return SignalingGame(
        ("resolute", "not"), ("forces", "none"), ("refrain", "attack"), [0.3, 0.7],
        np.array(sender) + offset, np.array(receiver, dtype=float) + offset,
    )  # fmt: skip


def outlines(found):
    """Kinds, supports of sender and receiver, numbers of vertices, and the range of each response."""
    return [
        (e.kind, (e.profile.sender > 0).tolist(), (e.profile.receiver > 0).tolist(), len(e.vertices)) for e in found
    ]


def assert_as_exact(game):
    floats, exact = pbe(game), pbe(game, exact=True)
    assert outlines(floats) == outlines(exact)
    for response in game.responses:
        assert floats.probability(response) == pytest.approx([float(x) for x in exact.probability(response)], abs=1e-9)
    return floats


@pytest.mark.parametrize("k", [*range(31), 50, 100, 200, 300])
def test_a_huge_cost_of_war_hides_no_stake(k):
    found = assert_as_exact(patrons(float(f"1e{k}")))
    kinds = [e.kind for e in found]
    if k:
        assert kinds.count("separating") == 1
        assert found.where(kind="separating").probability("attack") == pytest.approx((0.7, 0.7), abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("k", range(301))
def test_a_huge_cost_of_war_hides_no_stake_at_any_power(k):
    assert_as_exact(patrons(float(f"1e{k}")))


@pytest.mark.parametrize("w", [1.0, 1e9])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9, 1e12, 1e13])
def test_a_constant_added_to_every_payoff_changes_no_equilibrium(w, offset):
    """Up to 1e13 floats still hold the differences of 0.1 as decimals."""
    base, moved = pbe(patrons(w)), pbe(patrons(w, offset))
    if w + offset < 1e14:
        assert outlines(base) == outlines(moved)
    assert_as_exact(patrons(w, offset))


@pytest.mark.parametrize("offset", [1e14, 1e15])
def test_floats_far_from_zero_are_read_as_they_print(offset):
    assert_as_exact(patrons(1.0, offset))
    assert_as_exact(patrons(1e9, offset))


@pytest.mark.parametrize("w", [1.0, 1e6, 1e9, 1e12])
def test_the_tree_of_the_readme_has_the_separating_equilibrium(w):
    found = pbe(stationing(w))
    separating = found.where(kind="separating")
    assert len(separating) == 1
    assert separating.probability("attack") == pytest.approx((0.7, 0.7), abs=1e-12)
    assert [e.kind for e in found] == [e.kind for e in pbe(stationing(w), exact=True)]


def mixed_magnitudes(rng, shape):
    """Payoffs of one to three digits at magnitudes from 1e-9 to 1e12, ties among them."""

    def table():
        digits = rng.choice([0, 1, 1, 2, 2, 5, 3, 7, 12, 125], shape)
        signs, powers = rng.choice([-1, 1], shape), rng.integers(-9, 11, shape)
        few = rng.choice([-9, 0, 0, 10], shape)
        powers = powers if rng.random() < 0.5 else few
        return [float(f"{s * d}e{p}") for s, d, p in zip(signs.ravel(), digits.ravel(), powers.ravel())]

    weights = rng.integers(1, 5, shape[0])
    prior = [Fraction(int(x), int(weights.sum())) for x in weights]
    u, v = (np.array(table()).reshape(shape) for _ in range(2))
    labels = [[f"{x}{i}" for i in range(n)] for x, n in zip("tmr", shape)]
    return SignalingGame(*labels, [float(p) for p in prior], u, v)


def check_random_games(count, seed):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        shape = [(2, 2, 2), (2, 2, 2), (2, 2, 3), (2, 3, 2), (3, 2, 2)][rng.integers(5)]
        game = mixed_magnitudes(rng, shape)
        found = assert_as_exact(game)
        assert all(e.certificate.sequentially_rational for e in found)


def test_random_games_of_mixed_magnitude_are_solved_as_in_rationals():
    check_random_games(150, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_random_games_of_mixed_magnitude_are_solved_as_in_rationals():
    check_random_games(10_000, seed=1)


def test_a_wrong_equilibrium_fails_its_certificate_however_large_the_war():
    """The resolute patron stays home though the aggressor then attacks, and would refrain: 0.4 lost."""
    for w in (1e3, 1e9, 1e15, 1e300):
        wrong = SignalingProfile(
            sender=np.array([[0.0, 1.0], [0.0, 1.0]]),
            receiver=np.array([[[1.0, 0.0], [1.0, 0.0]]]),
            posterior=np.array([[[1.0, 0.0], [0.3, 0.7]]]),
        )
        certificate = verify(patrons(w), wrong)
        assert not certificate.sequentially_rational
        assert certificate.max_regret == pytest.approx(0.4)  # the aggressor's, who should attack at 0.3


@pytest.mark.parametrize("strong", [0.9, 0.3])
@pytest.mark.parametrize("offset", [1e9, 1e12, 1e13])
def test_refinements_do_not_depend_on_a_constant_added_to_payoffs(offset, strong):
    def beer_quiche(c):
        return SignalingGame(
            ("strong", "weak"), ("beer", "quiche"), ("duel", "not"), [strong, 1 - strong],
            np.array([[[1, 3], [0, 2]], [[0, 2], [1, 3]]]) + c, [[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
        )  # fmt: skip

    for near, far in zip(pbe(beer_quiche(0.0)), pbe(beer_quiche(offset)), strict=True):
        for name in REFINEMENTS:
            assert near.survives(name) == far.survives(name), name


def test_refinements_of_a_huge_war_are_those_of_rationals():
    for w in (1.0, 1e9, 1e15):
        for near, far in zip(pbe(patrons(w)), pbe(patrons(w), exact=True), strict=True):
            for name in REFINEMENTS:
                assert near.survives(name) == far.survives(name), name


def test_a_tolerance_is_for_computed_payoffs_and_says_when_it_matters():
    """Quiche paid 0.1 + 0.2 in one cell and 0.3 in another ties for the weak only with a tolerance."""

    def game(x):
        return SignalingGame(
            ("a",), ("x", "y"), ("r",), [1.0], [[[0.3], [x]]], [[[0.0], [0.0]]],
        )  # fmt: skip

    strict, merged = pbe(game(0.1 + 0.2)), pbe(game(0.1 + 0.2), tol=1e-12)
    assert [e.kind for e in strict] == ["pooling on y"]
    assert [e.kind for e in merged] == ["pooling on x", "pooling on y", "semi-separating: a mixes"]
    assert merged.options["tolerance_matters"]
    assert not pbe(game(0.4), tol=1e-12).options["tolerance_matters"]
    assert read(0.1 + 0.2) != read(0.3)


def test_ties_of_formulas_at_written_values_are_ties_alone_and_in_batches():
    """The sender is paid a + b or c; at 0.1, 0.2 and 0.3 these tie, though floats say 0.30000000000000004."""
    a, b, c = symbols("a b c")
    game = SignalingGame(
        ("t", "u"), ("x", "y"), ("r", "s"), [0.25, 0.75],
        [[[a + b] * 2, [c] * 2]] * 2, [[[1, 0]] * 2, [[0, 1]] * 2],
    )  # fmt: skip
    points = {"a": 0.1, "b": 0.2, "c": 0.3}
    alone = pbe(game, at=points)
    assert "semi-separating: t, u mix" in alone.kinds
    batch = pbe(game, at={name: np.array([value, value]) for name, value in points.items()})
    assert batch.kinds["semi-separating: t, u mix"].all()
    assert (batch.count == len(alone)).all()
    apart = pbe(game, at={**points, "c": float(np.nextafter(0.3, 1))})
    assert "semi-separating: t, u mix" not in apart.kinds

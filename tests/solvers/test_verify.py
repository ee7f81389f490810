"""Certificates of signaling equilibria: what is accepted, what is caught, and by how much."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.solvers.nash import nash
from deterrence.solvers.verify import verify

HALF = Fraction(1, 2)


def beer_quiche(strong=0.9):
    return SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[strong, 1 - strong],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def profile(sender, receiver, posterior, dtype=float):
    return SignalingProfile(*(np.array(a, dtype=dtype) for a in (sender, receiver, posterior)))


def on_beer(duel, belief, strong=0.9, dtype=float):
    """All drink beer and are left alone; after quiche a duel with this chance, at this belief in strong."""
    one, zero = (Fraction(1), Fraction(0)) if dtype is object else (1, 0)
    return profile(
        [[one, zero], [one, zero]],
        [[[zero, one], [duel, 1 - duel]]],
        [[[strong, 1 - strong], [belief, 1 - belief]]],
        dtype,
    )


def test_pooling_on_beer_is_certified():
    certificate = verify(beer_quiche(), on_beer(1, 0))
    assert certificate.max_regret == 0
    assert certificate.max_belief_error == pytest.approx(0, abs=1e-16)  # the float 0.9 beside the decimal 0.9
    assert certificate.sequentially_rational
    assert not certificate.exact


def test_an_incredible_duel_off_the_path_is_caught():
    certificate = verify(beer_quiche(), on_beer(1, 0.75))  # nobody orders quiche, but the threat to duel is empty
    assert certificate.max_regret == pytest.approx(0.5)  # not 0.75, duel 0.25
    assert not certificate.sequentially_rational


def test_a_sender_who_would_rather_deviate_is_caught():
    certificate = verify(beer_quiche(), on_beer(Fraction(1, 4), 0.5))
    assert certificate.max_regret == pytest.approx(0.5)  # weak: 3 - 2/4 = 2.5 with quiche against 2
    assert not certificate.sequentially_rational


def test_beliefs_that_forget_bayes_are_caught_and_do_not_count_as_regret():
    certificate = verify(beer_quiche(), on_beer(1, 0, strong=0.8))
    assert certificate.max_belief_error == pytest.approx(0.1)
    assert certificate.sequentially_rational


def test_exact_profiles_are_held_to_equality():
    game = beer_quiche(Fraction(9, 10))
    certificate = verify(game, on_beer(HALF, HALF, strong=Fraction(9, 10), dtype=object))
    assert certificate.exact
    assert certificate.sequentially_rational
    assert certificate.max_regret == 0 == certificate.max_belief_error
    assert isinstance(certificate.max_regret, Fraction)
    tiny = Fraction(1, 10**30)
    certificate = verify(game, on_beer(HALF - tiny, HALF, strong=Fraction(9, 10), dtype=object))
    assert certificate.max_regret == 2 * tiny
    assert not certificate.sequentially_rational


def test_floats_in_an_exact_game_are_certified_as_floats():
    assert not verify(beer_quiche(Fraction(9, 10)), on_beer(1, 0)).exact


def test_the_certificate_of_a_component_is_that_of_its_worst_vertex():
    vertices = (on_beer(1, 0), on_beer(1, 0.5), on_beer(1, 0.6))
    component = Equilibrium(
        game=beer_quiche(), concept="pbe", kind="pooling on beer", profile=vertices[0], vertices=vertices
    )
    assert verify(component.game, component).max_regret == pytest.approx(0.2)
    wrong_inside = Equilibrium(
        game=component.game, concept="pbe", kind="pooling on beer", profile=vertices[2], vertices=vertices[:2]
    )
    assert verify(component.game, wrong_inside).max_regret == pytest.approx(0.2)


def test_rounding_is_no_regret_where_payoffs_are_all_the_same():
    flat = SignalingGame(("a", "b"), ("x", "y"), ("r", "s"), [0.625, 0.375], np.ones((2, 2, 2)), np.ones((2, 2, 2)))
    mixing = profile([[0.4, 0.6]] * 2, [[[0.9, 0.1], [1 / 3, 2 / 3]]], [[[0.625, 0.375]] * 2])
    certificate = verify(flat, mixing)
    assert certificate.sequentially_rational
    assert certificate.max_regret < 1e-15


def test_a_type_of_prior_zero_is_held_to_its_best_message():
    game = beer_quiche(1.0)
    after_beer = profile([[1, 0], [1, 0]], [[[0, 1], [0, 1]]], [[[1, 0], [1, 0]]])
    assert verify(game, after_beer).max_regret == pytest.approx(1)  # weak: quiche in peace 3, beer 2
    after_quiche = profile([[1, 0], [0, 1]], [[[0, 1], [0, 1]]], [[[1, 0], [1, 0]]])
    assert verify(game, after_quiche).sequentially_rational  # quiche comes from a type of prior zero: belief is free


def two_receivers():
    """The receiver's type tells it something of the sender's; priors differ."""
    rng = np.random.default_rng(3)
    return SignalingGame(
        types=("a", "b"), messages=("x", "y"), responses=("r", "s"), receiver_types=("p", "q"),
        prior=[[0.4, 0.1], [0.2, 0.3]],
        sender_prior=[[0.1, 0.4], [0.3, 0.2]], receiver_prior=[[0.25, 0.25], [0.4, 0.1]],
        sender_payoffs=rng.integers(0, 5, (2, 2, 2, 2)), receiver_payoffs=rng.integers(0, 5, (2, 2, 2, 2)),
    )  # fmt: skip


def test_each_player_reckons_with_its_own_prior():
    """Regrets and posteriors of a mixed profile, computed again with arrays."""
    game = two_receivers()
    sender = np.array([[0.3, 0.7], [0.6, 0.4]])
    receiver = np.array([[[0.2, 0.8], [0.5, 0.5]], [[0.9, 0.1], [0.4, 0.6]]])
    weights = np.array(game.receiver_prior).T[:, None, :] * sender.T[None]  # (Q, M, T)
    bayes = weights / weights.sum(axis=2, keepdims=True)
    sender_view = np.array(game.sender_prior) / np.array(game.sender_prior).sum(axis=1, keepdims=True)
    by_message = np.einsum("tq,qmr,tqmr->tm", sender_view, receiver, game.sender_payoffs)
    by_response = np.einsum("qmt,tqmr->qmr", bayes, game.receiver_payoffs)
    expected = max(
        (by_message.max(axis=1) - (sender * by_message).sum(axis=1)).max(),
        (by_response.max(axis=2) - (receiver * by_response).sum(axis=2)).max(),
    )
    certificate = verify(game, SignalingProfile(sender, receiver, bayes))
    assert certificate.max_regret == pytest.approx(expected)
    assert certificate.max_belief_error == pytest.approx(0, abs=1e-15)
    swapped = SignalingProfile(sender, receiver, bayes[::-1].copy())
    assert verify(game, swapped).max_belief_error == pytest.approx(np.abs(bayes - bayes[::-1]).max())


@given(scale=st.sampled_from([Fraction(1, 3), Fraction(7), Fraction(10**6)]), shift=st.integers(-50, 50))
def test_regret_scales_with_the_units_of_payoff(scale, shift):
    game = beer_quiche(Fraction(9, 10)).exact()
    other = SignalingGame(
        game.types,
        game.messages,
        game.responses,
        game.prior,
        scale * game.sender_payoffs + shift,
        scale * game.receiver_payoffs - shift,
    )
    wrong = on_beer(Fraction(1, 4), HALF, strong=Fraction(9, 10), dtype=object)
    assert verify(other, wrong).max_regret == scale * verify(game, wrong).max_regret


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"sender": np.array([[0.5, 0.4], [1, 0]])}, r"sender\[0\] of the profile must be a distribution"),
        ({"receiver": np.array([[[0, 1], [1.5, -0.5]]])}, r"receiver\[0, 1\] of the profile must be a distribution"),
        (
            {"posterior": np.array([[[0.9, 0.1], [np.nan, 1]]])},
            r"posterior\[0, 1\] of the profile must be a distribution",
        ),
        ({"sender": np.ones((2, 3)) / 3}, r"sender of the profile must have shape \(2, 2\), got \(2, 3\)"),
    ],
)
def test_infeasible_profiles_are_refused(changed, match):
    good = on_beer(1, 0)
    arrays = {"sender": good.sender, "receiver": good.receiver, "posterior": good.posterior} | changed
    with pytest.raises(GameError, match=match):
        verify(beer_quiche(), SignalingProfile(**arrays))


def test_games_that_are_no_single_game_with_numbers_are_refused():
    game = beer_quiche()
    batch = SignalingGame(
        game.types,
        game.messages,
        game.responses,
        game.prior,
        np.stack([game.sender_payoffs] * 2),
        game.receiver_payoffs,
    )
    with pytest.raises(GameError, match="one game at a time"):
        verify(batch, on_beer(1, 0))
    import sympy

    w = sympy.Symbol("w", real=True)
    symbolic = SignalingGame(
        game.types, game.messages, game.responses, [w, 1 - w], game.sender_payoffs, game.receiver_payoffs
    )
    with pytest.raises(GameError, match="free parameters w"):
        verify(symbolic, on_beer(1, 0))
    with pytest.raises(GameError, match="verify knows no game of type dict"):
        verify({}, on_beer(1, 0))


@pytest.mark.parametrize("war", [1e3, 1e9, 1e15, 1e300])
def test_a_wrong_profile_of_a_table_fails_however_large_the_war(war):
    """Chicken with a dear crash: both yielding is no equilibrium, for either gains 1 by daring."""
    game = StrategicGame([[0, -1], [1, -war]], [[0, 1], [-1, -war]], strategies=[["yield", "dare"]] * 2)
    both = verify(game, MixedProfile((np.array([1.0, 0]), np.array([1.0, 0]))))
    assert both.max_regret == 1
    assert not both.equilibrium
    one = verify(game, MixedProfile((np.array([1.0, 0]), np.array([0.0, 1]))))
    assert one.equilibrium
    dare = 1 / war  # 1 - dare at yield: -dare = (1 - dare) - dare * war
    mix = np.array([1 - dare, dare])
    assert verify(game, MixedProfile((mix, mix))).equilibrium
    assert not verify(game, MixedProfile((np.array([1 - 2 * dare, 2 * dare]), mix))).equilibrium
    exact = nash(game)
    assert all(verify(exact.game, e).equilibrium for e in exact)


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12, 1e15])
def test_a_constant_added_to_payoffs_excuses_nothing_in_a_table(offset):
    row, column = np.array([[2.0, 0], [0, 1]]), np.array([[1.0, 0], [0, 2]])
    game = StrategicGame(row + offset, column + offset)
    assert verify(game, MixedProfile((np.array([1.0, 0]), np.array([1.0, 0])))).equilibrium
    assert not verify(game, MixedProfile((np.array([1.0, 0]), np.array([0, 1.0])))).equilibrium
    assert verify(game, MixedProfile((np.array([2 / 3, 1 / 3]), np.array([1 / 3, 2 / 3])))).equilibrium
    assert not verify(game, MixedProfile((np.array([0.6667, 0.3333]), np.array([1 / 3, 2 / 3])))).equilibrium

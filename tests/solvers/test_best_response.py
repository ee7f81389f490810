"""The most that a player can expect: one pass over the tree against every reduced strategy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import best_response, best_response_values, expected_payoffs
from deterrence.games.reductions import to_strategic
from deterrence.games.strategic import MixedProfile
from deterrence.games.tree import end, move
from tests.tree_strategies import behaviors, trees

few = settings(max_examples=30, deadline=None)


def pure_strategies(game, behavior, player):
    """Yield the profiles in which one player plays a reduced pure strategy, and the others as they do."""
    reduction = to_strategic(game)
    for k in range(reduction.game.shape[player]):
        mixed = [np.eye(n)[k if i == player else 0] for i, n in enumerate(reduction.game.shape)]
        pure = reduction.lift(MixedProfile(tuple(mixed))).actions
        changed = behavior.copy()
        for s in game.infosets:
            if s.player == player:
                changed[s.slots] = pure[s.slots]
        yield changed


@few
@given(data=st.data(), exact=st.booleans())
def test_no_strategy_pays_more_than_the_best_response(data, exact):
    game = data.draw(trees(players=3, depth=4, nodes=18, exact=exact))
    behavior = data.draw(behaviors(game, exact=exact))
    values = best_response_values(game, behavior)
    for player in range(3):
        value, actions = best_response(game, behavior, player)
        assert value == values[player]
        assert expected_payoffs(game, actions)[player] == pytest.approx(value, abs=1e-12)
        best = max(expected_payoffs(game, pure)[player] for pure in pure_strategies(game, behavior, player))
        assert float(best) == pytest.approx(float(value), abs=1e-12)
        for s in game.infosets:
            if s.player != player:
                assert (actions[s.slots] == behavior[s.slots]).all()
            else:
                assert sorted(actions[s.slots]) == [0] * (len(s.actions) - 1) + [1]


@few
@given(data=st.data(), game=trees(players=2, depth=4, nodes=25))
def test_many_strategies_are_answered_at_once(data, game):
    several = np.stack([data.draw(behaviors(game)) for _ in range(3)])
    for player in range(2):
        values, actions = best_response(game, several, player)
        for i in range(3):
            value, alone = best_response(game, several[i], player)
            assert values[i] == pytest.approx(value, abs=1e-12)
            assert np.array_equal(actions[i], alone)


def test_a_best_response_to_rationals_is_rational():
    reply = move("B", {"l": end(A=Fraction(1, 3), B=0), "r": end(A=0, B=0)}, infoset="B")
    game = ExtensiveGame(("A", "B"), move("A", {"in": reply, "out": end(A=Fraction(1, 7), B=0)}))
    half = np.array([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 2)], dtype=object)
    value, actions = best_response(game, half, "A")
    assert value == Fraction(1, 6)
    assert actions[:2].tolist() == [1, 0]


def test_only_players_with_recall_have_best_responses():
    game = ExtensiveGame(("A",), move("A", {"l": end(A=0), "r": end(A=1)}))
    with pytest.raises(GameError, match=r"no player 'Z'; players are \['A'\]"):
        best_response(game, np.array([1.0, 0.0]), "Z")
    later = {x: move("A", {"c": end(A=0), "d": end(A=1)}, infoset="later") for x in "ab"}
    with pytest.raises(GameError, match="a best response needs perfect recall"):
        best_response_values(ExtensiveGame(("A",), move("A", later)), np.full(4, 0.5))

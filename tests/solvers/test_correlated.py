"""Correlated equilibria: Aumann's numbers, Nash equilibria among them, and what commitment adds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.correlated import correlated, largest_gain
from deterrence.solvers.nash import nash

CHICKEN = StrategicGame([[6, 2], [7, 0]], [[6, 7], [2, 0]], strategies=[["yield", "dare"]] * 2)


def random_table(seed, shape):
    return StrategicGame(np.random.default_rng(seed).integers(-9, 10, (*shape, len(shape))).astype(float))


def test_chicken_of_aumann():
    """Aumann (1974): (yield, yield), (dare, yield), (yield, dare) with 1/2, 1/4, 1/4 pays 5.25 each."""
    solved = correlated(CHICKEN)
    assert solved.recommendations == pytest.approx(
        {("yield", "yield"): 0.5, ("dare", "yield"): 0.25, ("yield", "dare"): 0.25}
    )
    assert solved.value == pytest.approx(10.5)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([(2, 2), (3, 3), (2, 2, 2)]))
def test_every_nash_equilibrium_is_correlated_and_every_correlated_one_is_coarse(seed, shape):
    game = random_table(seed, shape)
    best, coarse = correlated(game), correlated(game, coarse=True)
    assert coarse.value >= best.value - 1e-6
    for e in nash(game):
        cells = e.profile._cells()
        assert largest_gain(game, cells) <= 1e-9
        assert largest_gain(game, cells, coarse=True) <= 1e-9
        assert sum(e.payoffs.values()) <= best.value + 1e-6
    assert largest_gain(game, best.probabilities, coarse=True) <= 1e-5


def test_commitment_adds_equilibria():
    """Moulin and Vial (1978): in this game coarse recommendations pay more than any correlated equilibrium."""
    game = StrategicGame([[3, 1, 4], [1, 3, 4], [4, 4, 1]], [[3, 1, 4], [1, 3, 4], [4, 4, 1]])
    assert correlated(game, coarse=True).value >= correlated(game).value
    rock = np.array([[0, -3, 1], [1, 0, -3], [-3, 1, 0.0]])
    strict = StrategicGame(rock, rock.T)
    assert correlated(strict, coarse=True).value > correlated(strict).value + 0.1


def test_players_and_events_can_be_maximised():
    assert correlated(CHICKEN, maximise="Row").payoffs["Row"] == pytest.approx(7)
    peace = correlated(CHICKEN, maximise=lambda path: path == ("yield", "yield"))
    assert peace.value == pytest.approx(0.5)
    with pytest.raises(ParameterError, match="maximise must be 'welfare', a player or an event, got 'Rwo'"):
        correlated(CHICKEN, maximise="Rwo")


def test_a_disobedient_recommendation_has_a_regret():
    assert largest_gain(CHICKEN, np.array([[1.0, 0.0], [0.0, 0.0]])) == 1.0


def test_trees_go_by_their_strategic_form():
    reply = move("D", {"fight": end(A=-1, D=-1), "yield": end(A=2, D=1)})
    tree = ExtensiveGame(("A", "D"), move("A", {"out": end(A=0, D=2), "in": reply}))
    assert correlated(tree, maximise="A").payoffs["A"] == pytest.approx(2)
    assert correlated(tree, maximise="D").payoffs["D"] == pytest.approx(2)

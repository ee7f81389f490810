"""Ties are decided by the numbers compared: results in floats equal those in rationals at every scale."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg
from deterrence.games.play import expected_payoffs
from deterrence.games.quantities import as_float, symbols
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import chance, end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.sequential import sequential
from deterrence.solvers.spe import spe, spe_batch


def entry(war, offset=0):
    """Entry deterrence: fighting is a war that costs both; yielding pays the entrant 2 and the incumbent 1."""
    reply = move("I", {"fight": end(E=offset - 1, I=offset + war), "yield": end(E=offset + 2, I=offset + 1)})
    return ExtensiveGame(("E", "I"), move("E", {"out": end(E=offset, I=offset + 2), "attack": reply}))


def vectors(solved):
    return [np.round(as_float(e.profile.actions), 12).tolist() for e in solved]


def test_a_dear_war_does_not_hide_the_stakes():
    solved = spe(entry(-3e9))
    assert [e.kind for e in solved] == ["attack, yield"]
    assert solved.probability("attack") == (1.0, 1.0)


@pytest.mark.parametrize("solve", [spe, sequential, nash])
@pytest.mark.parametrize("k", [0, 3, 9, 10, 17, 100, 300])
def test_a_war_of_any_size_is_the_same_war(solve, k):
    game = entry(-(10.0**k))
    assert vectors(solve(game)) == vectors(solve(game, exact=True)) == vectors(solve(entry(-1.0)))


@pytest.mark.parametrize("solve", [spe, sequential, nash])
@pytest.mark.parametrize("offset", [1e6, 1e12, 1e15])
def test_what_is_added_to_every_payoff_changes_nothing(solve, offset):
    assert vectors(solve(entry(-1.0, offset))) == vectors(solve(entry(-1.0)))


def test_batches_are_decided_by_the_numbers_compared():
    w = symbols("w")
    reply = move("I", {"fight": end(E=-1, I=w), "yield": end(E=2, I=1)})
    game = ExtensiveGame(("E", "I"), move("E", {"out": end(E=0, I=2), "attack": reply}))
    points = np.array([*(-(10.0 ** np.arange(0, 300, 25))), 1.0, 1 + 2**-52, 1 - 2**-53])
    batch = spe_batch(game, at={"w": points})
    assert batch.flagged.tolist() == [False] * 12 + [True, False, False]
    for k, point in enumerate(points):
        if not batch.flagged[k]:
            assert batch.actions[k].tolist() == spe(game, at={"w": point})[0].profile.actions.tolist()


def test_chance_that_adds_up_to_a_tie_is_a_tie_in_a_batch_too():
    """0.1 * 3 + 0.9 * 0 is 0.3 in decimals, and not in floats."""
    x = symbols("x")
    gamble = chance({"win": ("0.1", end(A=3)), "lose": ("0.9", end(A=0))})
    game = ExtensiveGame(("A",), move("A", {"sure": end(A=x), "gamble": gamble}))
    batch = spe_batch(game, at={"x": np.array([0.3, 0.30000000000000004, 0.29999999999999993])})
    assert batch.flagged.tolist() == [True, False, False]
    assert batch.actions[:, 0].tolist() == [1.0, 1.0, 0.0]
    assert len(spe(game, at={"x": 0.3})) == 2


def test_rationals_of_twenty_digits_are_not_rounded():
    """Payoffs near 1e19 that differ by one: the last digit decides."""
    text = """EFG 2 R "" { "A" "B" }
p "" 1 1 "a" { "l" "r" } 0
p "" 2 1 "b" { "L" "R" } 0
t "" 1 "" { 10000000000000000001, 0 }
t "" 2 "" { 10000000000000000000, 1 }
p "" 2 1 0
t "" 3 "" { 10000000000000000000, 0 }
t "" 4 "" { 10000000000000000001, 1 }
"""
    game = read_efg(text)
    for solve in (nash, sequential):
        solved = solve(game, exact=True)
        assert [[Fraction(x) for x in e.profile.actions] for e in solved] == [[0, 1, 0, 1]]


magnitudes = st.builds(lambda m, k: float(f"{m}e{k}"), st.integers(-99, 99), st.integers(-9, 12))


@settings(max_examples=60)
@given(st.lists(magnitudes, min_size=18, max_size=18))
def test_tables_of_mixed_magnitude_have_the_equilibria_of_their_decimals(numbers):
    game = StrategicGame(np.array(numbers).reshape(3, 3, 2))
    floats, exact = nash(game), nash(game, exact=True)
    assert [len(e.vertices) for e in floats] == [len(e.vertices) for e in exact]
    for one, other in zip(floats, exact, strict=True):
        for mine, theirs in zip(one.vertices, other.vertices, strict=True):
            for a, b in zip(mine.mixed, theirs.mixed, strict=True):
                assert np.array_equal(a, as_float(b))


@settings(max_examples=40)
@given(st.lists(magnitudes, min_size=12, max_size=12), st.sampled_from([spe, sequential]))
def test_trees_of_mixed_magnitude_have_the_equilibria_of_their_decimals(numbers, solve):
    pay = [end(A=a, B=b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
    replies = [move("B", {"x": pay[k], "y": pay[k + 1]}, infoset="seen" if k < 4 else "other") for k in (0, 2, 4)]
    nature = chance({"u": ("0.3", replies[0]), "v": ("0.7", replies[1])})
    game = ExtensiveGame(("A", "B"), move("A", {"l": nature, "r": replies[2]}))
    floats, exact = solve(game), solve(game, exact=True)
    assert [e.kind for e in floats] == [e.kind for e in exact]
    for one, other in zip(floats, exact, strict=True):
        assert np.array_equal(one.profile.actions, as_float(other.profile.actions))
        assert max(float(x) for x in expected_payoffs(other.game, other.profile.actions)) < 1e15

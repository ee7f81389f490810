"""Nash equilibria: counts that theory fixes, continua, rationals, and which threats are incredible."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.algebra.bimatrix import _by_reverse_search, all_equilibria
from deterrence.solvers.engine import set_engine
from deterrence.solvers.nash import nash
from deterrence.solvers.trees.threats import incredible_threats
from deterrence.solvers.verification.strategic import verify_strategic
from tests.textbook_trees import entry, horse, kuhn_poker, outside_option


def tables(players: int, most: int = 3):
    shapes = st.tuples(*[st.integers(1, most)] * players)
    return shapes.flatmap(lambda s: arrays(np.float64, (*s, players), elements=st.integers(-4, 4).map(float)))


@given(table=tables(2, 4))
def test_every_equilibrium_is_certified(table):
    solved = nash(StrategicGame(table))
    assert len(solved) >= 1
    assert solved.complete
    for e in solved:
        assert verify_strategic(solved.game, e).sequentially_rational


@given(table=tables(2, 3))
def test_rationals_find_the_same_components(table):
    floats, exact = nash(StrategicGame(table)), nash(StrategicGame(table), exact=True)
    assert [len(e.vertices) for e in floats] == [len(e.vertices) for e in exact]
    for one, other in zip(floats, exact, strict=True):
        assert other.certificate.exact
        assert other.certificate.max_regret == 0
        for mine, theirs in zip(one.profile.mixed, other.profile.mixed, strict=True):
            assert np.allclose(mine, theirs.astype(float), atol=1e-7)


@settings(max_examples=25)
@given(table=tables(3, 2))
def test_three_players_are_certified(table):
    solved = nash(StrategicGame(table))
    assert len(solved) >= 1
    assert all(verify_strategic(solved.game, e, 1e-8).sequentially_rational for e in solved)


@given(seed=st.integers(0, 10_000))
def test_nondegenerate_games_have_an_odd_number(seed):
    rng = np.random.default_rng(seed)
    solved = nash(StrategicGame(*rng.normal(size=(2, 4, 4))))
    assert not solved.options["degenerate"]
    assert len(solved) % 2 == 1


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_generic_three_player_games_have_an_odd_number(seed):
    rng = np.random.default_rng(seed)
    solved = nash(StrategicGame(rng.normal(size=(2, 2, 2, 3))))
    assert solved.complete
    assert len(solved) % 2 == 1


def test_equilibria_that_nashpy_loses_are_noticed():
    """Support enumeration of Nashpy 0.0.43 loses some; the polytopes do not."""
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(150):
        solved = nash(StrategicGame(*rng.integers(0, 10, (2, 3, 3)).astype(float)), method="support")
        assert solved.complete
        missed += solved.options["missed"]
    assert missed > 0


def outline(found):
    return found.degenerate, [(list(map(tuple, c.rows)), list(map(tuple, c.columns))) for c in found.components]


@pytest.mark.parametrize("most", [1, 2, 9, 999])
def test_the_search_in_floats_finds_what_whole_numbers_do(most):
    """Components, vertices and degeneracy, tied tables and decimals among them; where it cannot be sure it gives up."""
    rng = np.random.default_rng(most)
    answered = 0
    for k in range(40):
        shape = tuple(rng.integers(1, 6, 2))
        row, column = rng.integers(0, most + 1, (2, *shape)) / (1, 7, 10)[k % 3]
        found = _by_reverse_search(row, column, lambda: True)
        answered += found is not None
        if found is not None:
            set_engine("numpy")
            assert outline(found) == outline(all_equilibria(row, column))
            set_engine(None)
    assert answered >= 30


def test_a_tie_in_floats_that_is_none_is_left_to_whole_numbers():
    """Two columns that differ by 1e-14 against the first row: floats see a tie, and the game has none."""
    row = np.array([[3.0, 1.0], [2.0, 2.5]])
    column = np.array([[1.0, 1.0 + 1e-14], [2.0, 1.0]])
    assert _by_reverse_search(row, column, lambda: True) is None
    found = nash(StrategicGame(row, column))
    assert not found.options["degenerate"]
    assert len(found) == 1


def test_vertices_beyond_the_budget_are_not_searched_for():
    rng = np.random.default_rng(1)
    row, column = rng.normal(size=(2, 13, 13))
    assert _by_reverse_search(row, column, lambda: False) is None
    assert len(_by_reverse_search(row, column, lambda: True).components) % 2 == 1


def test_fourteen_strategies_each_are_solved_whole():
    """Too many vertices for whole numbers; the number of equilibria is odd, as theory demands."""
    rng = np.random.default_rng(7)
    set_engine("numba")
    solved = nash(StrategicGame(*rng.normal(size=(2, 12, 14))))
    set_engine(None)
    assert solved.complete
    assert solved.options["odd"]
    assert all(e.certificate.max_regret == 0 for e in solved)


@pytest.mark.parametrize("size", [2, 3, 4, 8])
def test_coordination_games_have_two_to_the_n_minus_one(size):
    assert len(nash(StrategicGame(np.eye(size), np.eye(size)))) == 2**size - 1


def test_nine_equilibria_of_a_three_player_game():
    """McKelvey and McLennan's 2x2x2 game: 4 pure, 3 where two mix, 2 totally mixed (Gambit's list)."""
    table = np.zeros((2, 2, 2, 3))
    table[0, 0, 0], table[1, 1, 0], table[0, 1, 1], table[1, 0, 1] = (9, 8, 12), (9, 8, 2), (3, 4, 6), (3, 4, 4)
    solved = nash(StrategicGame(table))
    assert solved.complete
    assert len(solved) == 9
    totally_mixed = [e for e in solved if all((m > 0.01).all() for m in e.profile.mixed)]
    assert sorted(tuple(round(float(m[0]), 6) for m in e.profile.mixed) for e in totally_mixed) == [
        (0.25, 0.5, round(1 / 3, 6)),
        (0.5, round(1 / 3, 6), 0.25),
    ]


def test_three_mixers_are_certified():
    rng = np.random.default_rng(4)
    solved = nash(StrategicGame(rng.integers(0, 50, (2, 2, 2, 3)).astype(float)))
    assert solved.complete
    assert all(e.certificate.max_regret <= 1e-8 * solved.game.span for e in solved)


def test_continua_are_kept_with_their_vertices():
    solved = nash(StrategicGame([[1, 1], [0, 1]], [[1, 1], [0, 0]]), exact=True)
    assert [e.isolated for e in solved] == [False, False]
    assert solved.options["degenerate"]
    assert solved.probability("2") == (0, 1)


def test_a_component_that_is_a_square():
    found = all_equilibria(np.zeros((2, 2)), np.zeros((2, 2)))
    (component,) = found.components
    assert len(component.rows) == len(component.columns) == 2


def test_lemke_howson_is_a_sample():
    solved = nash(StrategicGame(np.eye(3), np.eye(3)), method="lemke-howson")
    assert not solved.complete
    assert 1 <= len(solved) <= 7


def test_the_incredible_threat_of_the_entry_game_is_named():
    solved = nash(entry())
    credible, rest = [e for e in solved if e.kind == "sequential"], [e for e in solved if e.kind != "sequential"]
    assert [e.payoffs for e in credible] == [{"E": 1, "I": 1}]
    assert all(e.payoffs == {"E": 0, "I": 2} for e in rest)
    assert all(re.match("not subgame perfect: I would not (mix )?fight", e.kind) for e in rest)
    (threat,) = incredible_threats(solved.game, rest[0])
    assert (threat.player, threat.infoset, threat.better) == ("I", "enter", "accommodate")
    assert threat.regret > 0


def test_the_horse_has_two_families_and_one_is_incredible():
    solved = nash(horse())
    assert solved.complete
    by_payoff = {tuple(e.payoffs.values()): e for e in solved}
    assert set(by_payoff) == {(3, 3, 2), (1, 1, 1)}
    one, two = by_payoff[3, 3, 2], by_payoff[1, 1, 1]
    assert min(v.strategies(solved.game)["2"]["C"]["c"] for v in one.vertices) == pytest.approx(1 / 3)
    assert max(v.strategies(solved.game)["3"]["3"]["L"] for v in two.vertices) == pytest.approx(1 / 4)
    assert one.kind.startswith("subgame perfect, not sequential: 2 would not")
    assert two.kind == "sequential"


def test_an_outside_option_can_be_taken_in_fear_of_a_subgame_equilibrium():
    kinds = {(round(float(e.payoffs["A"]), 3), e.kind) for e in nash(outside_option()) if e.isolated}
    assert (3.0, "sequential") in kinds


def test_a_tree_too_large_for_its_strategic_form_goes_by_the_sequence_form():
    solved = nash(kuhn_poker())
    assert solved.method.startswith("sequence form")
    assert solved[0].payoffs["A"] == pytest.approx(-1 / 18)


def test_exact_trees():
    reply = move("D", {"fight": end(A=-1, D="1/3"), "yield": end(A=1, D="1/3")})
    game = ExtensiveGame(("A", "D"), move("A", {"hold": end(A=0, D=1), "attack": reply}))
    solved = nash(game, exact=True)
    assert solved[0].certificate.exact
    assert all(isinstance(v, int | Fraction) for e in solved for v in e.payoffs.values())


def test_bad_requests():
    with pytest.raises(
        ParameterError, match="method must be one of 'vertices', 'support', 'lemke-howson', got 'magic'"
    ):
        nash(StrategicGame(np.eye(2), np.eye(2)), method="magic")
    game = entry()
    with pytest.raises(GameError, match="index the batch"):
        nash(ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2)))


def test_a_point_of_a_nonlinear_continuum_is_not_called_isolated():
    """Each of three players is indifferent iff the product of the others' leanings is zero: a curve, not a point.

    With leanings x, y, z in [-1, 1] each player gains x y z; all that have two leanings at zero are equilibria.
    """
    payoffs = np.array([[[[s * t * u] * 3 for u in (-1, 1)] for t in (-1, 1)] for s in (-1, 1)], dtype=float)
    solved = nash(StrategicGame(payoffs))
    inner = [e for e in solved if all((m > 0).all() for m in e.profile.mixed)]
    assert inner
    assert not any(e.isolated for e in inner)
    assert not solved.complete

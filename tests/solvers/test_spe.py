"""Subgame perfection: known answers, ties, batches, and decomposition."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg, write_efg
from deterrence.games.play import node_values
from deterrence.games.quantities import symbols
from deterrence.games.tree import chance, end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.sequential import sequential
from deterrence.solvers.spe import spe, spe_batch
from deterrence.solvers.verification.tree import verify_tree
from tests.textbook_trees import centipede, crisis, entry, horse, outside_option
from tests.tree_strategies import trees

CRISES = [  # models.md, CID: threats must be capable and credible
    ({"sq": 0, "win": 1, "back": -0.3, "war": -0.6}, {"sq": 1, "win": 0.9, "war": -0.5}, "SQ"),
    ({"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": -0.5}, "CONCESSION"),
    ({"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": 0.2}, "SQ"),
    ({"sq": 0, "win": 1, "back": 0.2, "war": -0.6}, {"sq": 1, "win": 0.9, "war": -0.5}, "BACKDOWN"),
]


@pytest.mark.parametrize(("A", "D", "outcome"), CRISES)
@pytest.mark.parametrize("exact", [False, True])
def test_deterrence_under_complete_information(A, D, outcome, exact):
    solved = spe(crisis(A, {**D, "yield": 0}), exact=exact)
    assert len(solved) == 1
    assert solved.complete
    assert solved[0].probability(outcome) == 1
    assert solved[0].certificate.exact == exact


def test_centipede_ends_at_once():
    solved = spe(centipede(9))
    assert len(solved) == 1
    assert solved[0].kind == "take"


def test_a_threat_that_is_not_credible_is_no_equilibrium():
    assert [e.kind for e in spe(entry())] == ["enter, accommodate"]


def _brute_force(game):
    """Pure profiles in which every mover's action is best given what follows."""
    found = []
    for choice in product(*(range(len(s.actions)) for s in game.infosets)):
        actions = np.zeros(game.topology.action_count)
        actions[[s.first + k for s, k in zip(game.infosets, choice, strict=True)]] = 1
        values = node_values(game, actions)
        if all(
            values[s.nodes[0], s.player] >= max(values[c, s.player] for c in game.topology.children[s.nodes[0]]) - 1e-9
            for s in game.infosets
        ):
            found.append(tuple(actions))
    return sorted(found)


@given(game=trees(players=3, perfect_information=True, nodes=14, depth=4))
def test_every_pure_equilibrium_is_found_ties_included(game):
    solved = spe(game)
    assert sorted(tuple(e.profile.actions) for e in solved) == _brute_force(game)
    assert all(verify_tree(game, e).sequentially_rational for e in solved)


@given(game=trees(players=3, perfect_information=True, nodes=14, depth=4), exact=st.booleans())
def test_certificates_are_those_of_the_independent_check(game, exact):
    for e in spe(game, exact=exact):
        checked = verify_tree(e.game, e)
        assert float(e.certificate.max_regret) == pytest.approx(float(checked.max_regret), abs=1e-12 * game.span)
        assert e.certificate.sequentially_rational == checked.sequentially_rational
        assert e.certificate.exact == checked.exact


@given(game=trees(perfect_information=True, exact=True, nodes=14, depth=4))
def test_exact_arithmetic_finds_the_same(game):
    floats, exact = spe(game.floats()), spe(game, exact=True)
    assert [tuple(map(float, e.profile.actions)) for e in exact] == [tuple(e.profile.actions) for e in floats]
    assert all(e.certificate.exact and e.certificate.max_regret == 0 for e in exact)


def test_a_tie_decides_what_is_best_before():
    game = crisis({"sq": 0, "win": 1, "back": 0, "war": 0}, {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0})
    solved = spe(game)
    assert {e.kind for e in solved} == {"hold", "attack, resist, back", "attack, yield"}
    assert solved.options["ties"] == ("start", "attack/resist")


def test_ties_beyond_the_limit_are_left_out_and_said():
    node = end(A=0)
    for _ in range(10):
        node = move("A", {"left": node, "right": end(A=0)})
    game = ExtensiveGame(("A",), node)
    solved = spe(game, limit=20)
    assert len(solved) == 20
    assert not solved.complete
    assert "all but 20 of the ways to break ties" in solved.options["unsearched"][0]
    whole = spe(game)
    assert len(whole) == 2**10
    assert whole.complete
    assert {e.profile.actions.tobytes() for e in solved} < {e.profile.actions.tobytes() for e in whole}


def test_batches_agree_with_single_games():
    w = symbols("w")
    reply = move("D", {"fight": end("war", A=-1, D=w), "yield": end(A=1, D=0)})
    game = ExtensiveGame(("A", "D"), move("A", {"refrain": end(A=0, D=1), "attack": reply}))
    values = np.array([-1.0, -0.2, 0.0, 0.7])
    batch = spe_batch(game, at={"w": values})
    assert batch.flagged.tolist() == [False, False, True, False]
    for i in (0, 1, 3):
        assert batch.probability("attack")[i] == spe(game, at={"w": values[i]})[0].probability("attack")
    assert batch.payoffs()["A"][3] == 0


@given(game=trees(players=3, perfect_information=True, nodes=16, depth=4))
def test_a_batch_of_one_game_is_that_game(game):
    batch = ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs, -game.payoffs]))
    solved = spe_batch(batch)
    for i in (0, 1):
        singles = [tuple(e.profile.actions) for e in spe(batch[i])]
        assert tuple(solved.actions[i]) in singles
        assert bool(solved.flagged[i]) == (len(singles) > 1) or bool(spe(batch[i]).options["ties"])


def test_subgames_of_imperfect_information_are_solved_as_games():
    solved = spe(outside_option())
    outcomes = sorted(round(float(e.payoffs["A"]), 6) for e in solved)
    assert outcomes == [2, 2, 3]  # out before (bottom, bottom) and before the mixture, in before (top, top)
    assert solved.complete


@given(game=trees(players=2, nodes=12, depth=3))
def test_subgame_perfect_equilibria_are_certified(game):
    for e in spe(game):
        assert e.certificate.max_regret <= 1e-8 * game.span


@given(game=trees(players=2, nodes=10, depth=3, payoffs=st.integers(-500, 500)))
def test_sequential_outcomes_are_subgame_perfect(game):
    perfect = {tuple(round(float(v), 6) for v in e.payoffs.values()) for e in spe(game)}
    for e in sequential(game):
        if e.isolated and all((p == 0) | (p == 1) for p in e.profile.actions):
            assert tuple(round(float(v), 6) for v in e.payoffs.values()) in perfect


def test_a_game_without_moves_has_one_equilibrium():
    game = ExtensiveGame(("A",), chance({"x": (Fraction(1, 3), end(A=3)), "y": (Fraction(2, 3), end(A=0))}))
    assert len(spe(game)) == 1
    assert spe(game)[0].payoffs["A"] == 1


def test_a_batch_is_refused():
    game = entry()
    batch = ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2))
    with pytest.raises(GameError, match="spe_batch"):
        spe(batch)
    with pytest.raises(GameError, match="perfect information"):
        spe_batch(horse())


def near_ties(moves, step):
    """A's moves each lose a little more than the one before; going on to the end loses nothing."""
    node = end(A=0.0, B=0.0)
    for k in range(moves):
        node = move("A", {"on": node, "off": end(A=-(k + 1) * step, B=k)})
    return ExtensiveGame(("A", "B"), move("B", {"leave": end(A=1.0, B=-1.0), "stay": node}))


@pytest.mark.parametrize("step", [1e-9, 1e-15, 1e-300])
@pytest.mark.parametrize("moves", [2, 3, 4])
def test_what_costs_anything_is_no_tie(moves, step):
    assert [e.kind for e in spe(near_ties(moves, step))] == ["stay, " + ", ".join(["on"] * moves)]


def test_a_tolerance_is_a_choice_that_is_flagged():
    """0.3 - 0.1 is not 0.2 in floats; a tolerance makes them one number, and says so."""
    game = ExtensiveGame(("A",), move("A", {"l": end(A=0.3 - 0.1), "r": end(A=0.2)}))
    assert len(spe(game)) == 1
    merged = spe(game, tol=1e-12)
    assert len(merged) == 2
    assert merged.options["merged"] == 1


def test_parameters_that_were_computed_tie_by_a_tolerance_only():
    """A formula at written values is freed from rounding; a value that was computed before is what it is."""
    a, b, c = symbols("a b c")
    formula = ExtensiveGame(("A",), move("A", {"l": end(A=a - b), "r": end(A=0.2)}))
    assert len(spe(formula, at={"a": 0.3, "b": 0.1})) == 2
    given = ExtensiveGame(("A",), move("A", {"l": end(A=c), "r": end(A=0.2)}))
    assert len(spe(given, at={"c": 0.3 - 0.1})) == 1
    for solve in (spe, nash, sequential):
        merged = solve(given, at={"c": 0.3 - 0.1}, tol=1e-12)
        assert merged.options["merged"] == 1
        assert sum(len(e.vertices) for e in merged) >= 2


def test_equilibria_that_do_not_fit_into_memory_are_left_out(monkeypatch):
    monkeypatch.setattr("deterrence.solvers.trees.backward_induction._MOST_ENTRIES", 100)
    solved = spe(full_tree(3))
    assert len(solved) == 100 // 15
    assert not solved.complete


def full_tree(depth):
    node = end(A=0, B=0)
    for k in range(depth):
        node = move("AB"[k % 2], {"l": node, "r": node})
    return ExtensiveGame(("A", "B"), node)


def test_large_trees_are_solved_or_refused_but_never_run_on():
    game = full_tree(13)  # 16,383 nodes; every action ties
    tied = spe(game, limit=100)
    assert len(tied) == 100
    assert not tied.complete
    with pytest.raises(SolverError, match="8,191 information sets, more than 5,000"):
        sequential(game)
    payoffs = np.random.default_rng(0).random(game.payoffs.shape)
    solved = spe(ExtensiveGame.of(game.topology, game.chance, payoffs))
    found = nash(ExtensiveGame.of(game.topology, game.chance, payoffs))
    assert not found.complete
    assert "other than the subgame-perfect ones" in found.options["unsearched"][0]
    assert found[0].profile.actions.tolist() == solved[0].profile.actions.tolist()
    assert len(solved) == 1
    assert solved[0].certificate.sequentially_rational


@pytest.mark.slow
def test_a_tree_of_a_million_nodes():
    game = full_tree(19)
    assert game.topology.size == 1_048_575
    again = read_efg(write_efg(game))
    assert np.array_equal(again.topology.parent, game.topology.parent)
    payoffs = np.random.default_rng(0).random(game.payoffs.shape)
    solved = spe(ExtensiveGame.of(game.topology, game.chance, payoffs))
    assert len(solved) == 1
    with pytest.raises(SolverError, match="too many to hold"):
        spe(game)

"""Large two-player trees: values that are known, duality, and Lemke's method."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import as_exact
from deterrence.games.tree import chance, end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.sequence_form import complementary, sequence_form
from deterrence.solvers.verification.tree import certify, plan_regrets
from tests.textbook_trees import entry, horse, kuhn_poker, typed_tree
from tests.tree_strategies import trees


def test_kuhn_poker_is_worth_minus_one_eighteenth():
    solved = sequence_form(kuhn_poker())
    assert solved.options["value"] == pytest.approx(-1 / 18, abs=1e-9)
    assert solved[0].payoffs["A"] == pytest.approx(-1 / 18, abs=1e-9)


@given(game=trees(players=2, nodes=16, depth=4, zero_sum=True))
def test_zero_sum_values_agree_with_the_strategic_form(game):
    solved = sequence_form(game)
    assert solved.options["value"] == pytest.approx(float(nash(game)[0].payoffs["A"]), abs=1e-6)
    assert max(plan_regrets(game, solved[0].profile)) <= 1e-7 * game.span


@given(game=trees(players=2, nodes=16, depth=4))
def test_general_sums_are_certified(game):
    solved = sequence_form(game)
    assert max(plan_regrets(game, solved[0].profile)) <= 1e-7 * game.span


@settings(max_examples=10)
@given(seed=st.integers(0, 1000), zero_sum=st.booleans())
def test_trees_with_private_types(seed, zero_sum):
    game = typed_tree(3, 2, 3, seed, zero_sum=zero_sum)
    solved = sequence_form(game)
    assert solved.method == f"sequence form, {'linear program' if zero_sum else 'Lemke'}"
    assert max(plan_regrets(game, solved[0].profile)) <= 1e-7 * game.span


@given(game=trees(players=2, nodes=16, depth=4, zero_sum=True))
def test_certificates_are_those_of_the_independent_check(game):
    e = sequence_form(game)[0]
    checked = certify(e.game, [e.profile], 1e-7)
    assert e.certificate.max_regret == pytest.approx(checked.max_regret, abs=1e-12 * game.span)
    assert e.certificate.sequentially_rational == checked.sequentially_rational


def test_the_sum_may_be_any_constant():
    inside = move("B", {"l": end(A=3, B=2), "r": end(A=1, B=4)}, infoset="B")
    other = move("B", {"l": end(A=0, B=5), "r": end(A=2, B=3)}, infoset="B")
    solved = sequence_form(ExtensiveGame(("A", "B"), move("A", {"t": inside, "b": other})))
    assert solved.options["constant_sum"]
    assert solved.options["value"] == pytest.approx(1.5)


def test_a_complementarity_problem_with_a_known_solution():
    solution = complementary(np.array([[2.0, 1.0], [1.0, 2.0]]), np.array([-5.0, -6.0]))
    assert solution == pytest.approx([4 / 3, 7 / 3])
    with pytest.raises(SolverError, match="ended on a ray"):
        complementary(np.array([[-1.0, 0.0], [0.0, -1.0]]), np.array([-1.0, -1.0]))


def any_tree(seed):
    """A general-sum tree of 20 to 500 nodes: private types, moves seen or hidden, ends at any depth, ties."""
    rng = np.random.default_rng(seed)
    types, depth = int(rng.integers(1, 4)), int(rng.integers(3, 6))
    hidden, early = rng.random() < 0.5, rng.uniform(0, 0.3)
    scale = 10.0 ** rng.integers(-3, 4)
    cut = {}

    def after(seen, own):
        if len(seen) == depth or (len(seen) > 1 and cut.setdefault(seen, rng.random() < early)):
            a, b = rng.integers(-5, 6, 2)
            return end(A=float(a * scale), B=float(b))
        mover = len(seen) % 2
        shown = seen[:-1] + ("?" if hidden and len(seen) == 1 else seen[-1]) if seen else seen
        if hidden and len(seen) > 1:
            shown = seen[mover::2] + "|" + seen[1 - mover :: 2][:-1]
        actions = {str(k): after(seen + str(k), own) for k in range(2 + (len(seen) == 0))}
        return move("AB"[mover], actions, infoset=f"{own[mover]} {len(seen)} {shown}")

    hands = {f"{i}{j}": (1 / types**2, after("", (i, j))) for i in range(types) for j in range(types)}
    return ExtensiveGame(("A", "B"), chance({**hands, "00": (1 - (types**2 - 1) / types**2, hands["00"][1])}))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_lemke_ends_in_a_certified_equilibrium_on_two_hundred_trees():
    sizes = []
    for seed in range(300):
        game = any_tree(seed)
        if not 20 <= game.topology.size <= 500:
            continue
        solved = sequence_form(game)
        assert solved.method == "sequence form, Lemke"
        assert solved[0].certificate.max_regret <= 1e-7 * game.span
        assert max(plan_regrets(game, solved[0].profile)) <= 1e-7 * game.span
        sizes.append(game.topology.size)
    assert len(sizes) >= 200
    assert max(sizes) > 300


@pytest.mark.parametrize("seed", [8, 12, 15, 19])
def test_trees_that_once_ran_out_of_pivots(seed):
    game = typed_tree(2, 3, 3, seed, zero_sum=False)
    solved = sequence_form(game)
    assert solved[0].certificate.max_regret <= 1e-7 * game.span


def test_a_problem_full_of_ties_is_solved_in_floats_and_rationals():
    """Most of the right side is zero, as in the sequence form; w = M z + q holds at the solution."""
    matrix = np.array([[0, 0, -1, 1], [0, 0, 1, -1], [1, -1, 0, 0], [-1, 1, 0, 0]]) + np.eye(4)
    right = np.array([-1.0, 0, 0, 0])
    z = complementary(matrix, right, perturbed=1e-6, rng=np.random.default_rng(0))
    exact = complementary(as_exact(matrix), as_exact(right))
    assert all(isinstance(x, Fraction) for x in exact)
    for m, q, x in ((matrix, right, z), (as_exact(matrix), as_exact(right), exact)):
        w = m @ x + q
        assert min(*w, *x) >= -1e-12
        assert abs(w @ x) < 1e-12


def test_two_players_are_needed():
    with pytest.raises(GameError, match="two players"):
        sequence_form(horse())


def test_a_batch_is_refused():
    game = entry()
    with pytest.raises(GameError, match="batch"):
        sequence_form(ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2)))

"""Large two-player trees: values that are known, duality, and Lemke's method."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_trees import entry, horse, kuhn_poker, typed_tree
from tree_strategies import trees

from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.tree import end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.sequence_form import complementary, sequence_form
from deterrence.solvers.verification.tree import certify, plan_regrets


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


def test_two_players_are_needed():
    with pytest.raises(GameError, match="two players"):
        sequence_form(horse())


def test_a_batch_is_refused():
    game = entry()
    with pytest.raises(GameError, match="batch"):
        sequence_form(ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2)))

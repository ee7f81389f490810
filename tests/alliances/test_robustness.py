"""Regret, satisficing, dominance, Pareto fronts and the value of information, against what can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deterrence.alliances.scenarios.robustness import (
    dominates,
    partial_information,
    perfect_information,
    regret,
    satisficing,
    undominated,
)

TABLES = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 8)), elements=st.integers(0, 4).map(float))
SAVAGE = np.array([[0.0, 6.0], [4.0, 4.0], [6.0, 0.0], [3.0, 3.5]])  # two states, four actions


def test_minimax_regret_by_hand():
    # least losses are 0 and 0, so regrets are the losses themselves: the largest are 6, 4, 6 and 3.5
    assert regret(SAVAGE).max(axis=1).tolist() == [6, 4, 6, 3.5]
    # of three actions the largest are 0.5 and 3 (against losses of 4 and 0): adding an action moves the choice
    assert regret(SAVAGE[1:3]).max(axis=1).tolist() == [4, 2]


@given(TABLES)
def test_at_every_draw_some_policy_has_no_regret_and_none_has_less(table):
    found = regret(table)
    assert (found.min(axis=0) == 0).all()
    assert (found >= 0).all()


def test_satisficing_is_a_share_of_draws_strictly_below_a_level():
    losses = [[0.1, 0.2, 0.3, 0.4]]
    assert satisficing(losses, [0.1, 0.3, 0.35, 1.0]).tolist() == [[0, 0.5, 0.75, 1]]


def test_dominance_by_hand():
    losses = [[1, 4, 2], [2, 4, 3], [3, 2, 4], [2.5, 2.5, 2.5], [4, 1, 2]]
    statewise = {(int(p), int(q)) for p, q in np.argwhere(dominates(losses))}
    assert statewise == {(0, 1)}  # 1 <= 2, 4 <= 4, 2 <= 3
    # sorted: 124, 234, 234, 2.5 2.5 2.5, 124. The last is the first in another order: they are equal in law
    first = {(int(p), int(q)) for p, q in np.argwhere(dominates(losses, "first order"))}
    assert first == {(0, 1), (0, 2), (4, 1), (4, 2)}
    # the certain 2.5 has partial sums 2.5, 5, 7.5, against 4, 7, 9 of the second and third and 4, 6, 7 of the first
    second = {(int(p), int(q)) for p, q in np.argwhere(dominates(losses, "second order"))}
    assert second == first | {(3, 1), (3, 2)}


@given(TABLES)
def test_statewise_dominance_implies_the_first_order_and_that_the_second(table):
    statewise, first, second = (dominates(table, kind) for kind in ("statewise", "first order", "second order"))
    assert not (statewise & ~first).any()
    assert not (first & ~second).any()
    assert not (second & second.T).any()


@given(TABLES)
def test_the_front_is_what_no_point_beats_by_brute_force(table):
    points = table.tolist()
    beaten = [any(all(a <= b for a, b in zip(p, q, strict=True)) and p != q for p in points) for q in points]
    assert undominated(table).tolist() == [not one for one in beaten]


@pytest.mark.parametrize("chance", [0.2, 0.5, 0.8])
def test_value_of_information_with_two_actions_and_two_states(chance: float):
    """Act (loss 3) or wait (loss 10 in the bad state): without information min(3, 10 p), with it 3 p."""
    n = 10_000
    bad = np.arange(n) < chance * n
    bad = bad[np.random.default_rng(1).permutation(n)]
    losses = np.stack([np.full(n, 3.0), 10.0 * bad])
    exact = min(3, 10 * chance) - 3 * chance
    assert perfect_information(losses)[0] == pytest.approx(exact)
    value, error, in_sample = partial_information(losses, bad.astype(float))
    assert value == pytest.approx(exact)  # the state is the only thing that there is to know
    assert in_sample == pytest.approx(exact)
    assert 0 < error < 0.05
    noise = np.random.default_rng(2).random(n)
    assert partial_information(losses, noise)[0] == pytest.approx(
        0, abs=3 * partial_information(losses, noise)[1] + 1e-12
    )


def test_value_of_one_of_two_inputs_by_integration():
    """Wait loses X + Y - 1/2, acting 1/2, X and Y uniform: knowing X is worth E max(0, 1/2 - X) = 1/8."""
    rng = np.random.default_rng(5)
    x, y = rng.random((2, 20_000))
    losses = np.stack([np.full(x.size, 0.5), x + y - 0.5])
    value, error, in_sample = partial_information(losses, x)
    assert value == pytest.approx(1 / 8, abs=3 * error)
    assert error < 0.003
    assert value <= in_sample + 1e-3


def test_a_rule_is_judged_on_draws_that_it_was_not_fitted_to():
    """Policies are equal and the input says nothing: a rule that is judged on its own draws seems to gain."""
    rng = np.random.default_rng(3)
    honest, flattering = [], []
    for _ in range(40):
        losses, x = rng.random((8, 200)), rng.random(200)
        value, _, in_sample = partial_information(losses, x)
        honest.append(value)
        flattering.append(in_sample)
    assert np.mean(flattering) > 0.05
    assert np.mean(honest) < 0.01


@given(TABLES)
def test_information_is_worth_nothing_where_one_policy_is_always_best(table):
    best = np.concatenate([table.min(axis=0, keepdims=True), table])
    assert perfect_information(best)[0] == 0


def test_no_other_dominance():
    with pytest.raises(ValueError, match="statewise, first order or second order, got 'third'"):
        dominates(SAVAGE, "third")

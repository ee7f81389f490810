"""Whether some belief makes a plan optimal at information sets that play does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.quantities import Array
from deterrence.solvers.algebra.rational_lp import minimise

_MOST_RATIONAL = 600  # gains up to which linear programs are solved in rationals
_ROUNDING = 1e-9  # of a linear program in floats


def is_excused(sets: Array, nodes: Array, slots: Array, gains: Array, most: int) -> bool:
    r"""Return whether at each information set some belief :math:`w` leaves no action :math:`a` a gain.

    That is, with the gain :math:`g_{xa}` of an action at a node over what is played there, whether

    .. math:: \min_w \max_a \sum_x w_x g_{xa} \le 0

    Most sets are settled by looking: at a node where nothing gains; by an action that gains everywhere; by having two
    actions (where play gains nothing at each node, so that each action needs but one node where it does not gain). The
    others take a linear program each: in rationals, if gains are rational and few; else HiGHS solves all of them as one
    sparse program, and a least gain within 1e-9 of the largest number in its set counts as none.

    Parameters
    ----------
    sets, nodes, slots : ndarray of int, shape (E,)
        Information set, node and action of each gain; for every action at every node of a set.
    gains : ndarray, shape (E,)
        Floats or rationals, in any unit that is the same throughout a set.
    most : int
        Gains up to which linear programs are put up; if there are more, the answer is False, for none is shown.
    """
    if not len(sets):
        return True
    _, node = np.unique(nodes, return_inverse=True)
    gainful = np.asarray(gains > 0, dtype=bool)
    bad = np.zeros(node.max() + 1, dtype=bool)
    bad[node[gainful]] = True
    settled = np.zeros(sets.max() + 1, dtype=bool)
    settled[sets[~bad[node]]] = True
    left = ~settled[sets]
    if not left.any():
        return True
    slot_names, slot = np.unique(slots[left], return_inverse=True)
    everywhere = np.ones(len(slot_names), dtype=bool)
    everywhere[slot[~gainful[left]]] = False
    if everywhere.any():
        return False
    width = np.bincount(sets[left][np.unique(slot, return_index=True)[1]], minlength=sets.max() + 1)
    left &= width[sets] > 2
    if not left.any():
        return True
    if left.sum() > most:
        return False
    if gains.dtype == object and left.sum() <= _MOST_RATIONAL:
        return all(_is_excused(nodes[mine], slots[mine], gains[mine]) for mine in _by_set(sets, left))
    near = np.zeros(len(gains))
    for mine in _by_set(sets, left):
        size = np.abs(gains[mine]).max()
        near[mine] = (gains[mine] / size).astype(np.float64) if size else 0.0
    return bool((_least_gains(sets[left], nodes[left], slots[left], near[left]) <= _ROUNDING).all())


def _by_set(sets: Array, left: Array) -> Iterator[Array]:
    """Yield the entries of each information set that is left."""
    for one in np.unique(sets[left]):
        yield np.flatnonzero(left & (sets == one))


def _is_excused(nodes: Array, slots: Array, gains: Array) -> bool:
    """Decide one information set in rationals."""
    names, node = np.unique(nodes, return_inverse=True)
    rows = []
    for slot in np.unique(slots):
        row = [Fraction(0)] * len(names)
        for k in np.flatnonzero(slots == slot):
            row[node[k]] = gains[k]
        rows.append((row, Fraction(0)))
    return minimise([0] * len(names), at_most=rows, equal=[([1] * len(names), 1)]) is not None


def _least_gains(sets: Array, nodes: Array, slots: Array, gains: Array) -> Array:
    """Return the least over beliefs of the largest gain, a number for each information set."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    names, first, node = np.unique(nodes, return_index=True, return_inverse=True)
    slot_names, slot_first, row = np.unique(slots, return_index=True, return_inverse=True)
    _, home = np.unique(sets, return_inverse=True)
    n, m, k = len(names), len(slot_names), int(home.max()) + 1
    scale = max(float(np.abs(gains).max()), np.finfo(float).tiny)
    rows, columns = np.r_[row, np.arange(m)], np.r_[node, n + home[slot_first]]
    upper = csr_array((np.r_[gains / scale, np.full(m, -1.0)], (rows, columns)), shape=(m, n + k))
    equal = csr_array((np.ones(n), (home[first], np.arange(n))), shape=(k, n + k))
    solved: Any = linprog(
        np.r_[np.zeros(n), np.ones(k)],
        A_ub=cast("Any", upper),
        b_ub=np.zeros(m),
        A_eq=cast("Any", equal),
        b_eq=np.ones(k),
        bounds=cast("Any", np.column_stack([np.r_[np.zeros(n), np.full(k, -np.inf)], np.full(n + k, np.inf)])),
        method="highs-ds",
    )
    if solved.status != 0:
        raise SolverError(f"HiGHS did not find beliefs off the path: {solved.message}")
    least: Array = solved.x[n:] * scale
    return least

"""Whether some belief makes a plan optimal at information sets that play does not reach."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.quantities import Array


def excused(sets: Array, nodes: Array, slots: Array, gains: Array, bound: float, most: int) -> bool:
    r"""Return whether at each information set some belief :math:`w` leaves no action :math:`a` a gain.

    That is, with the gain :math:`g_{xa}` of an action at a node over what is played there, whether

    .. math:: \\min_w \\max_a \\sum_x w_x g_{xa} \\le bound

    Most sets are settled by looking: at a node where nothing gains; by an action that gains everywhere; by having two
    actions (where play gains nothing at each node, so that each action needs but one node where it does not gain). One
    sparse linear program settles the others.

    Parameters
    ----------
    sets, nodes, slots : ndarray of int, shape (E,)
        Information set, node and action of each gain; for every action at every node of a set.
    gains : ndarray, shape (E,)
        In units of the player's payoff span.
    bound : float
    most : int
        Gains up to which the linear program is put up; if it were larger, the answer is False, for none is shown.
    """
    if not len(sets):
        return True
    _, node = np.unique(nodes, return_inverse=True)
    top = np.full(node.max() + 1, -np.inf)
    np.maximum.at(top, node, gains)
    settled = np.zeros(sets.max() + 1, dtype=bool)
    settled[sets[top[node] <= bound]] = True
    left = ~settled[sets]
    if not left.any():
        return True
    slot_names, slot = np.unique(slots[left], return_inverse=True)
    least = np.full(len(slot_names), np.inf)
    np.minimum.at(least, slot, gains[left])
    if (least > bound).any():
        return False
    width = np.bincount(sets[left][np.unique(slot, return_index=True)[1]], minlength=sets.max() + 1)
    left &= width[sets] > 2
    if not left.any():
        return True
    if left.sum() > most:
        return False
    return bool((_least_gains(sets[left], nodes[left], slots[left], gains[left]) <= bound).all())


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

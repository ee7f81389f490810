r"""The vertices of best-response polytopes by lexicographic reverse search in floats, checked in whole numbers.

:math:`\{v \ge 0 : C v \le 1\}`, C positive, is searched from the origin. Its right side is thought of as :math:`1 +
\varepsilon^k` in row k, so that every vertex lies on as many constraints as there are coordinates [2]_. Every vertex
but the origin then has one parent, to which a simplex step of a generic objective leads that is best at the origin; the
vertices form a tree, and a vertex's children are those of its neighbours whose step leads back to it [1]_. Nothing is
stored but the path from the origin, whose tableaux are kept: rounding adds up along a path, of some dozen steps, and
never from one branch to the next.

A comparison (which constraint an edge meets first, whether a vertex lies on one more) is a tie if it is closer than
`TIED`, and sure if it is further than `NEAR`. The search gives up if one lies between, or if a vertex satisfies the
constraints as given to less than `TIED`. Vertices on which it saw a tie are then solved for in whole numbers: unless
exactly their labels are tight, the search gives up, too. What it returns is therefore complete, as the graph of a
simple polytope is connected, up to a rounding error a hundred times larger than any seen.

References
----------
.. [1] D. Avis and K. Fukuda, "A Pivoting Algorithm for Convex Hulls and Vertex Enumeration of Arrangements and
   Polyhedra", Discrete & Computational Geometry 8 (1992), 295-313.
.. [2] D. Avis, "A Revised Implementation of the Reverse Search Vertex Enumeration Algorithm", in Polytopes -
   Combinatorics and Computation (2000), 177-198.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.engine import kernel

NEAR = 1e-10  # of numbers of size one
TIED = 1e-12
ROOM, MOST_ROOM = 1 << 14, 1 << 23  # vertices that there is room for, at first and at most
BATCH = 5_000  # vertices that count as one unit of work
MOST_TIES = 2_000  # vertices with ties that are checked one by one
WEIGHTS = np.modf(np.arange(1, 63) * 0.6180339887498949)[0] + 1.0  # of the objective: nothing special

Labels = tuple[Array, Array]  # of each player's vertices, as bit sets: rows' strategies, then columns'


def labels_of_vertices(row: Array, column: Array, spend: Callable[[], bool]) -> Labels | None:
    """Return the labels of all vertices but the origins; None if the search gave up.

    Parameters
    ----------
    row, column : ndarray of float64, shape (m, n)
        Of no more than 62 strategies in all.
    spend : callable
        Asked after every 5,000 vertices; False ends the search.

    Returns
    -------
    pair of ndarray of int64
        Of the rows' mixtures, and of the columns'. Bit i says that row i is unplayed, or best; bit m + j column j.
    """
    m, n = row.shape
    x = _search(column.T, np.arange(m), np.arange(m, m + n), spend)
    if x is None:
        return None
    y = _search(row, np.arange(m, m + n), np.arange(m), spend)
    return None if y is None else (x, y)


def _search(table: Array, own: Array, other: Array, spend: Callable[[], bool]) -> Array | None:
    """Return the labels of one player's vertices, those of its own strategies and of the other's given."""
    span = np.ptp(table)
    scaled = np.ascontiguousarray((table - table.min()) / (span if span > 0 else 1.0) + 1.0)
    room = ROOM
    while room <= MOST_ROOM:
        masks = np.empty(room, dtype=np.int64)
        found = _vertices(scaled, WEIGHTS[: own.size].copy(), np.concatenate([own, other]), masks, NEAR, TIED)
        if found < 0 or not all(spend() for _ in range(min(found, room) // BATCH)):
            return None
        if found <= room:
            origin = int((1 << own).sum())
            labels: Array = np.unique(masks[:found])  # a vertex with ties comes once for each of its bases
            others: Array = labels[labels != origin]
            return others
        room <<= 3
    return None


@kernel
def _vertices(C: Any, weights: Any, labels: Any, masks: Any, near: float, tied: float) -> int:
    """Fill in the labels of the bases of {v >= 0 : C v <= 1}; return their number, -1 if a comparison is too close.

    Variables are the c coordinates, then the r slacks; those that are zero at a vertex give it their labels. A number
    larger than there is room for says that there is no room for all.
    """
    r, c = C.shape
    deepest = 8 * (r + c)
    T = np.empty((deepest, r + 1, c + 1))  # basic variables are T[:, c] - T[:, :c] @ free ones; last the objective
    basic = np.empty((deepest, r), dtype=np.int64)
    free = np.empty((deepest, c), dtype=np.int64)
    following = np.zeros(deepest, dtype=np.int64)
    place = np.empty(r + c, dtype=np.int64)  # of a free variable
    least_ones = np.empty(r, dtype=np.int64)
    v = np.empty(c)
    for j in range(c):
        for i in range(r):
            T[0, i, j] = C[i, j]
        T[0, r, j] = weights[j]
        free[0, j] = j
    for i in range(r):
        T[0, i, c] = 1.0
        basic[0, i] = c + i
    T[0, r, c] = 0.0
    found, depth = 1, 0
    masks[0] = 0
    for j in range(c):
        masks[0] |= 1 << labels[j]
    while depth >= 0:
        j = following[depth]
        if j == c:
            depth -= 1
            continue
        following[depth] = j + 1
        cost = T[depth, r, j]
        if abs(cost) < near:
            return -1
        if cost < 0.0:
            continue
        # the constraints that the edge meets first
        best = np.inf
        for i in range(r):
            size = T[depth, i, j]
            if size > tied:
                if size < near and T[depth, i, c] == 0.0:
                    return -1
                best = min(best, T[depth, i, c] / size)
            elif size < -tied and size > -near and T[depth, i, c] == 0.0:
                return -1
        ties = 0
        for i in range(r):
            if T[depth, i, j] > tied:
                gap = T[depth, i, c] / T[depth, i, j] - best
                if gap < near:
                    if gap > tied:
                        return -1
                    least_ones[ties] = i
                    ties += 1
        if ties == 0:
            return -1
        if ties > 1:  # the one that it meets first with the right side moved a little
            for k in range(r + c):
                place[k] = -1
            for k in range(c):
                place[free[depth, k]] = k
            for k in range(r):
                column = place[c + k]
                best = np.inf
                for h in range(ties):
                    i = least_ones[h]
                    value = T[depth, i, column] if column >= 0 else (1.0 if basic[depth, i] == c + k else 0.0)
                    best = min(best, value / T[depth, i, j])
                left = 0
                for h in range(ties):
                    i = least_ones[h]
                    value = T[depth, i, column] if column >= 0 else (1.0 if basic[depth, i] == c + k else 0.0)
                    gap = value / T[depth, i, j] - best
                    if gap < near:
                        if gap > tied * 10:
                            return -1
                        least_ones[left] = i
                        left += 1
                ties = left
                if ties == 1:
                    break
            if ties > 1:
                return -1
        pivot = least_ones[0]
        p = T[depth, pivot, j]
        if p < near:
            return -1
        # whether the neighbour's step leads back
        step = cost / p
        least = np.inf
        for k in range(c):
            if k != j:
                least = min(least, T[depth, r, k] - step * T[depth, pivot, k])
        if abs(least + step) < near:
            return -1
        if least < -step:
            continue
        if depth + 1 == deepest:
            return -1
        # the neighbour's tableau
        inverse = 1.0 / p
        for i in range(r + 1):
            if i == pivot:
                for k in range(c + 1):
                    T[depth + 1, i, k] = T[depth, i, k] * inverse
                T[depth + 1, i, j] = inverse
            else:
                factor = T[depth, i, j] * inverse
                for k in range(c + 1):
                    T[depth + 1, i, k] = T[depth, i, k] - factor * T[depth, pivot, k]
                T[depth + 1, i, j] = -factor
        depth += 1
        following[depth] = 0
        for i in range(r):
            basic[depth, i] = basic[depth - 1, i]
        for k in range(c):
            free[depth, k] = free[depth - 1, k]
        basic[depth, pivot], free[depth, j] = free[depth - 1, j], basic[depth - 1, pivot]
        # whether it is what its labels say
        mask = 0
        for k in range(c):
            v[k] = 0.0
            mask |= 1 << labels[free[depth, k]]
        for i in range(r):
            place[basic[depth, i]] = i
            value = T[depth, i, c]
            if value < near:
                if abs(value) > tied:
                    return -1
                T[depth, i, c] = 0.0
                mask |= 1 << labels[basic[depth, i]]
            elif basic[depth, i] < c:
                v[basic[depth, i]] = value
        for k in range(c):
            place[free[depth, k]] = -1
        for i in range(r):
            slack = 1.0
            for k in range(c):
                slack -= C[i, k] * v[k]
            known = T[depth, place[c + i], c] if place[c + i] >= 0 else 0.0
            if abs(slack - known) > tied:
                return -1
        if found < masks.shape[0]:
            masks[found] = mask
        found += 1
        if found > masks.shape[0]:
            return found
    return found


def mixture_at(table: Sequence[Sequence[int]], labels: int, own: int, other: int) -> list[Fraction] | None:
    """Return the mixture at the vertex with some labels; None unless there is one at which just these are tight.

    Parameters
    ----------
    table : list of rows of int
        Positive payoffs of the other player's strategies (rows) against the mixing player's (columns).
    labels : int
        Bit set.
    own, other : int
        The bits at which the strategies of the player who mixes begin, and those of the other.
    """
    played = [j for j in range(len(table[0])) if not labels >> (own + j) & 1]
    best = [i for i in range(len(table)) if labels >> (other + i) & 1]
    system = [[*(table[i][j] for j in played), 1] for i in best]
    size, last = len(played), 1
    for k in range(size):  # Bareiss: fraction-free, and every division comes out even
        swap = next((i for i in range(k, len(system)) if system[i][k]), None)
        if swap is None:
            return None
        system[k], system[swap] = system[swap], system[k]
        head = system[k]
        pivot = head[k]
        for i, line in enumerate(system):
            if i != k:
                factor = line[k]
                system[i] = [(pivot * x - factor * y) // last for x, y in zip(line, head)]
        last = pivot
    if any(line[-1] for line in system[size:]):
        return None
    weights = [line[-1] for line in system[:size]]  # over ``last``, which is the diagonal throughout
    if last < 0:
        last, weights = -last, [-w for w in weights]
    if not weights or min(weights) <= 0:
        return None
    tight = set(best)
    for i, payoffs in enumerate(table):
        value = sum([payoffs[j] * w for j, w in zip(played, weights)])
        if value > last or (value == last) != (i in tight):
            return None
    total = sum(weights)
    mixture = [Fraction(0)] * len(table[0])
    for j, w in zip(played, weights):
        mixture[j] = Fraction(w, total)
    return mixture


def complementary(x: Array, y: Array, m: int, n: int) -> list[tuple[int, int]]:
    """Return the pairs of vertices that together carry every label, by their own labels."""
    full = (1 << (m + n)) - 1
    shared = np.intersect1d(x, full ^ y, assume_unique=True)
    pairs = {(mask, full ^ mask) for mask in shared.tolist()}
    for one, others, own, turn in ((x, y, m, False), (y, x, n, True)):
        for mask in one[np.bitwise_count(one) > own].tolist():
            for partner in others[(others | mask) == full].tolist():
                pairs.add((partner, mask) if turn else (mask, partner))
    return sorted(pairs)


def ties_hold(x: Array, y: Array, x_table: Sequence[Sequence[int]], y_table: Sequence[Sequence[int]]) -> bool:
    """Return whether all vertices that carry more labels than they must do so in whole numbers, too."""
    m, n = len(x_table[0]), len(y_table[0])
    tied_x, tied_y = x[np.bitwise_count(x) > m].tolist(), y[np.bitwise_count(y) > n].tolist()
    if len(tied_x) + len(tied_y) > MOST_TIES:
        return False
    return all(mixture_at(x_table, mask, 0, m) is not None for mask in tied_x) and all(
        mixture_at(y_table, mask, m, 0) is not None for mask in tied_y
    )

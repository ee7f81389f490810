"""The logit equations of one game along a branch: residual, Jacobian and regret in one pass over index arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg.lapack import dgesv
from scipy.sparse import csr_array

from deterrence.games.quantities import Array
from deterrence.solvers.logit.system import Layout, LogitSystem

_MOST_DENSE = 60_000  # entries up to which a table of paths is quicker dense


@dataclass(frozen=True, eq=False)
class _Tables:
    """Log probabilities of nodes, and of ends after an action, as linear maps of those of actions."""

    nodes: Any  # (X, A)
    pairs: Any  # (E, A): the path to the end of each pair, its action left out
    home: Array  # information set of each pair's action


@lru_cache(maxsize=32)
def _tables(layout: Layout) -> _Tables:
    slot, end, _ = layout.pairs
    pairs = _members(layout.end_slots[:, end], layout.count)
    pairs[np.arange(len(slot)), slot] -= 1
    return _Tables(_linear(_members(layout.node_slots, layout.count)), _linear(pairs), layout.set_of[slot])


def _members(slots: Array, count: int) -> Array:
    """Return how often each action stands in each column of slots, shape (columns, A)."""
    table = np.zeros((slots.shape[1], count + 1))
    for line in slots:
        table[np.arange(slots.shape[1]), line] += 1
    return table[:, :count]


def _linear(table: Array) -> Any:
    return np.ascontiguousarray(table) if table.size <= _MOST_DENSE else csr_array(table)


class Equations:
    """The equations of one game, precisions in fixed proportion, bordered by a direction.

    Parameters
    ----------
    system : LogitSystem
        A single game.
    ratio : ndarray, shape (I,)
        Precision of each information set is ``ratio`` times the last coordinate of a point.
    """

    def __init__(self, system: LogitSystem, ratio: Array) -> None:
        layout = self.layout = system.layout
        self.tables = _tables(layout)
        self.rate = ratio[layout.free_set]
        self.utility = system.utility
        self.node_chance = system.node_chance
        self.pair_chance = system.end_chance[layout.pairs[1]]
        n, count = system.unknowns, layout.count
        self.full = np.zeros(count)
        self.gradient = np.zeros((count, count))
        self.above = np.zeros((len(layout.first), count))
        self.matrix = np.zeros((n + 1, n + 1))
        self.right = np.zeros((n + 1, 2))
        self.right[-1, 1] = 1.0

    def bordered(self, point: Array, direction: Array) -> tuple[Array, Array, float]:
        """Return the Jacobian with the direction as last row, the right sides of ``step``, and the regret.

        All three are overwritten by the next call.
        """
        layout = self.layout
        first, set_of, free, against = layout.first, layout.set_of, layout.free, layout.against
        y, rate = point[:-1], self.rate * point[-1]
        n = len(y)
        full = self.full
        full[free] = y
        top = np.maximum.reduceat(full, first)
        logs = full - (np.log(np.add.reduceat(np.exp(full - top[set_of]), first)) + top)[set_of]
        shares = np.exp(logs)
        reach = self.tables.nodes @ logs
        reach += self.node_chance
        top = np.maximum.reduceat(reach, layout.node_first)
        beliefs = np.exp(reach - top[layout.node_set_of])
        mass = np.add.reduceat(beliefs, layout.node_first)
        beliefs /= mass[layout.node_set_of]
        weights = self.tables.pairs @ logs
        weights += self.pair_chance
        weights -= (np.log(mass) + top)[self.tables.home]
        np.exp(np.minimum(weights, 700.0, out=weights), out=weights)
        weights *= self.utility
        q = np.add.reduceat(weights, layout.pairs[2])
        gaps = q[free] - q[against]
        gradient, above = self.gradient, self.above
        member, starts, groups = layout.triples
        gradient.fill(0.0)
        gradient.reshape(-1)[groups] = np.add.reduceat(weights[member], starts)
        gradient.reshape(-1)[:: layout.count + 1] -= q
        member, starts, groups = layout.node_pairs
        if len(member):
            above.reshape(-1)[groups] = np.add.reduceat(beliefs[member], starts)
            gradient -= q[:, None] * above[set_of]
        rows = gradient[free] - gradient[against]
        within = np.add.reduceat(rows, first, axis=1)
        turned = rows[:, free]
        turned -= within[:, layout.free_set] * shares[free]
        turned *= rate[:, None]
        matrix = self.matrix
        np.negative(turned, out=matrix[:n, :n])
        matrix.reshape(-1)[: n * (n + 1) : n + 2] += 1
        np.multiply(gaps, -self.rate, out=matrix[:n, n])
        matrix[n] = direction
        self.right[:n, 0] = y - rate * gaps
        shares *= q
        regret = (np.maximum.reduceat(q, first) - np.add.reduceat(shares, first)).max()
        return matrix, self.right, float(regret)

    def step(self, point: Array, direction: Array) -> tuple[Array, Array, float, float]:
        """Return Newton's step across the direction, the tangent (not normed), the sign of the determinant, the regret.

        The step is NaN where the matrix is singular.
        """
        matrix, right, regret = self.bordered(point, direction)
        factors, pivots, solved, info = dgesv(matrix, right)
        if info != 0:
            nowhere = np.full(len(point), np.nan)
            return nowhere, nowhere, 0.0, regret
        swaps = np.count_nonzero(pivots != np.arange(len(pivots))) + np.count_nonzero(factors.diagonal() < 0)
        return solved[:, 0], solved[:, 1], -1.0 if swaps % 2 else 1.0, regret

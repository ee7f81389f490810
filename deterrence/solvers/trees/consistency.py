r"""Consistent beliefs in the sense of Kreps and Wilson, decided, with the trembles that generate them as witness.

An assessment (strategies and beliefs) is consistent iff it is the limit of fully mixed strategies with the beliefs that
Bayes' rule gives them. That is so iff there are integers :math:`\kappa(a) \ge 1` for the actions of probability zero
(0 for the others) and positive numbers :math:`\pi(a)` (the probabilities themselves where positive) such that at
every information set the nodes believed in are those whose path has the least sum of :math:`\kappa`, and beliefs
among them are proportional to the product of :math:`\pi` and chance along the path [1]_ [2]_. The first condition is
a linear program in integers, the second linear in :math:`\log \pi`; the strategies
:math:`\pi(a)\,\varepsilon^{\kappa(a)}`, normalised, then have the beliefs as limit.

A chance move of probability zero is treated as a tremble of nature.

References
----------
.. [1] D. Kreps and R. Wilson, "Sequential Equilibria", Econometrica 50 (1982), 863-894, appendix.
.. [2] P. Streufert, "Characterizing Consistency by Monomials and by Product Dispersions", 2012 (a gap in [1]_ closed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import reach_by_slots
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import Topology

_MOST_ORDER = 10_000  # orders beyond this are not sought
_RAISED = 40  # orders are raised one at a time before an integer program is solved
_SELDOM = 1e-200  # sets reached less often are looked at by logarithms


@dataclass(frozen=True, eq=False)
class Witness:
    """Trembles whose beliefs tend to those of an assessment.

    Attributes
    ----------
    orders : ndarray of int, shape (S,)
        By slot (actions, then chance): the power of epsilon with which its probability vanishes; 0 if it does not.
    coefficients : ndarray, shape (S,)
        The positive factor in front; the probability itself where the order is 0.
    """

    orders: Array
    coefficients: Array

    def strategies(self, game: ExtensiveGame, epsilon: float) -> Array:
        """Return the fully mixed strategies at an epsilon, shape (A,)."""
        raw = self.coefficients * float(epsilon) ** self.orders
        result = raw[: game.topology.action_count].astype(np.float64)
        for s in game.infosets:
            result[s.slots] /= result[s.slots].sum()
        return result

    def beliefs(self, game: ExtensiveGame, epsilon: float) -> Array:
        """Return the beliefs that Bayes' rule gives the strategies at an epsilon, shape (n,); by logarithms."""
        logs = np.log(self.coefficients.astype(np.float64)) + self.orders * np.log(float(epsilon))
        topology = game.topology
        for s in game.infosets:
            mine = logs[s.slots]
            logs[s.slots] = mine - (mine.max() + np.log(np.exp(mine - mine.max()).sum()))
        reach = np.zeros(topology.size)
        for level in topology.levels[1:]:
            reach[level] = reach[topology.parent[level]] + logs[topology.slot[level]]
        beliefs = np.full(topology.size, np.nan)
        for s in game.infosets:
            nodes = list(s.nodes)
            weight = np.exp(reach[nodes] - reach[nodes].max())
            beliefs[nodes] = weight / weight.sum()
        return beliefs


def tremble_witness(game: ExtensiveGame, actions: Array, beliefs: Array, tol: float = 1e-9) -> Witness | None:
    """Return trembles that generate an assessment, or None if it is not consistent.

    Parameters
    ----------
    game : ExtensiveGame
        A single game with numbers and perfect recall.
    actions : ndarray, shape (A,)
    beliefs : ndarray, shape (n,)
        Over the nodes of each information set.
    tol : float
        Beliefs must be met within a thousand times ``tol``; off the path one up to ``tol`` may count as zero.
    """
    topology = game.topology
    slots = np.concatenate([as_float(np.asarray(actions)), as_float(game.chance)])
    given = as_float(np.asarray(beliefs))
    zero = slots <= 0
    plain = Witness(zero.astype(np.int64), np.where(zero, 1.0, slots))
    if _is_bayes(topology, reach_by_slots(topology, slots), given, 1e3 * tol):
        return plain  # play leads everywhere: any trembles will do
    number, logs = np.zeros(topology.size, dtype=np.int64), np.zeros(topology.size)  # of zeros on the path; of the rest
    step = np.log(np.where(zero, 1.0, slots))
    for level in topology.levels[1:]:
        slot, above = topology.slot[level], topology.parent[level]
        number[level], logs[level] = number[above] + zero[slot], logs[above] + step[slot]
    reached = (number == 0) & (topology.infoset >= 0)
    met = np.zeros(len(topology.infosets), dtype=bool)
    met[topology.infoset[reached]] = True
    nodes, _ = topology.set_nodes
    for least in (0.0, tol):  # a belief is small because chance is, or by rounding
        believed = np.zeros(topology.size, dtype=bool)
        believed[nodes] = np.where(met[topology.infoset[nodes]], reached[nodes], given[nodes] > least)
        if (given[nodes][~believed[nodes]] > 1e3 * tol).any():
            continue
        orders: Array | None = np.ones(int(zero.sum()), dtype=np.int64)
        if not _first_come(topology, number, believed):
            orders = labelling(topology, path_usage(topology, zero), zero, believed)
        factors = None if orders is None else _factors(topology, zero, believed, given, logs, 1e3 * tol)
        if orders is not None and factors is not None:
            coefficients, whole = slots.copy(), np.zeros(len(slots), dtype=np.int64)
            coefficients[zero], whole[zero] = np.exp(factors), orders
            return Witness(whole, coefficients)
    return None


def _is_bayes(topology: Topology, reached: Array, beliefs: Array, tol: float) -> bool:
    """Whether every information set is reached, and beliefs are those of Bayes' rule."""
    nodes, starts = topology.set_nodes
    if not len(nodes):
        return True
    total = np.add.reduceat(reached[nodes], starts)
    if not (total > _SELDOM).all():
        return False
    bayes = reached[nodes] / np.repeat(total, np.diff(np.append(starts, len(nodes))))
    return bool(np.abs(bayes - beliefs[nodes]).max() <= tol)


def _factors(topology: Topology, zero: Array, believed: Array, beliefs: Array, logs: Array, tol: float) -> Array | None:
    """Return logarithms of tremble coefficients whose beliefs over the believed nodes are the given ones, or None."""
    nodes, _ = topology.set_nodes
    nodes = nodes[believed[nodes]]
    nodes = nodes[np.bincount(topology.infoset[nodes], minlength=len(topology.infosets))[topology.infoset[nodes]] > 1]
    factors: Array = np.zeros(int(zero.sum()))
    if not len(nodes):
        return factors
    index, usage, at = np.cumsum(zero) - 1, np.zeros((len(nodes), len(factors))), nodes.copy()
    while (at > 0).any():
        slot = topology.slot[at]
        hit = np.flatnonzero((at > 0) & zero[slot])
        usage[hit, index[slot[hit]]] = 1
        at = np.maximum(topology.parent[at], 0)
    _, starts, which = np.unique(topology.infoset[nodes], return_index=True, return_inverse=True)
    likely = starts.copy()  # the most likely node of each set, against which the others are measured
    for k, b in enumerate(beliefs[nodes]):
        likely[which[k]] = k if b > beliefs[nodes[likely[which[k]]]] else likely[which[k]]
    matrix = usage - usage[likely[which]]
    if matrix.any():
        gap = np.log(np.maximum(beliefs[nodes], 1e-300)) - logs[nodes]
        right = gap - gap[likely[which]]
        moved = matrix.any(axis=1)
        factors = np.linalg.lstsq(matrix[moved], right[moved], rcond=None)[0]
    weight = logs[nodes] + usage @ factors
    mass = np.exp(weight - np.maximum.reduceat(weight, starts)[which])
    limit = mass / np.add.reduceat(mass, starts)[which]
    return factors if np.abs(limit - beliefs[nodes]).max() <= tol else None


def path_usage(topology: Topology, zero: Array) -> Array:
    """Return which slots of probability zero lie on the path to each node, shape (n, number of them)."""
    index = np.cumsum(zero) - 1
    usage = np.zeros((topology.size, int(zero.sum())), dtype=np.int8)
    for level in topology.levels[1:]:
        usage[level] = usage[topology.parent[level]]
        slot = topology.slot[level]
        hit = zero[slot]
        usage[level[hit], index[slot[hit]]] = 1
    return usage


def labelling(topology: Topology, usage: Array, zero: Array, believed: Array) -> Array | None:
    """Return integer orders of the slots of probability zero that let just the believed nodes come first, or None."""
    count = int(zero.sum())
    if _first_come(topology, usage.sum(axis=1, dtype=np.int64), believed):
        return np.ones(count, dtype=np.int64)
    equal: set[tuple[int, ...]] = set()
    above: set[tuple[int, ...]] = set()
    for s in topology.infosets:
        if len(s.nodes) == 1:
            continue
        nodes = np.array(s.nodes)
        mine = nodes[believed[nodes]]
        if not len(mine):
            return None
        apart = usage[nodes].astype(np.int64) - usage[mine[0]]
        inside = believed[nodes]
        equal.update(map(tuple, apart[inside].tolist()))
        above.update(map(tuple, apart[~inside].tolist()))
    nothing = (0,) * count
    equal.discard(nothing)
    if not count or nothing in above:
        return None
    raised = _raised(np.array(sorted(equal)).reshape(-1, count), np.array(sorted(above)).reshape(-1, count))
    if raised is not None:
        return raised
    from scipy.optimize import LinearConstraint, milp

    constraints = []
    if equal:
        constraints.append(LinearConstraint(np.array(sorted(equal)), 0, 0))
    if above:
        constraints.append(LinearConstraint(np.array(sorted(above)), 1, np.inf))
    solved = milp(
        np.ones(count), constraints=constraints, integrality=np.ones(count, dtype=np.int64), bounds=_bounds(count)
    )
    return np.round(solved.x).astype(np.int64) if solved.success else None


def _raised(equal: Array, above: Array) -> Array | None:
    """Look for orders with equal @ orders == 0 and above @ orders >= 1 by raising them one at a time from 1."""
    orders = np.ones(equal.shape[1], dtype=np.int64)
    for _ in range(_RAISED):
        low, even = above @ orders < 1, equal @ orders
        row = above[np.argmax(low)] if low.any() else None
        if row is None:
            if not even.any():
                return orders
            k = int(np.argmax(even != 0))
            row = equal[k] if even[k] < 0 else -equal[k]
        gain = np.flatnonzero(row > 0)
        if not len(gain):
            return None
        # the slot that spoils least of what is in order
        harm = [(above[:, j] < 0).sum() + (equal[:, j] != 0).sum() for j in gain]
        orders[gain[int(np.argmin(harm))]] += 1
    return None


def _first_come(topology: Topology, orders: Array, believed: Array) -> bool:
    """Whether just the believed nodes of each information set have its least order."""
    nodes = np.flatnonzero(topology.infoset >= 0)
    sets = topology.infoset[nodes]
    least = np.full(len(topology.infosets), np.iinfo(np.int64).max)
    np.minimum.at(least, sets, orders[nodes])
    return bool(((orders[nodes] == least[sets]) == believed[nodes]).all())


def _bounds(count: int) -> Any:
    from scipy.optimize import Bounds

    return Bounds(np.ones(count), np.full(count, _MOST_ORDER))


def is_unrestricted(topology: Topology, usage: Array, sets: list[int]) -> bool:
    """Whether a choice of the trembles gives the nodes of some information sets any log-odds that one likes."""
    rows = [
        usage[x].astype(np.int64) - usage[s.nodes[0]] for s in (topology.infosets[i] for i in sets) for x in s.nodes[1:]
    ]
    return not rows or int(np.linalg.matrix_rank(np.array(rows, dtype=np.float64))) == len(rows)

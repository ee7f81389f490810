r"""The logit equations of one game along a branch: residual, Jacobian and slope in one pass over index arrays.

With two branches of a path apart, the gap of an unknown u (a free action against the first of its set h) is a sum over
*cells*: one for each end z after either action, signed, of :math:`w = \rho(z) u(z) / (p_a D_h)`. Paths are linear in
the log-odds y, the log normalisers of the sets and the logs of :math:`D_h`, so that one product gives the logs of all
cells. No path meets a set twice, hence a gap does not depend on its own set's play, and elsewhere

.. math:: \partial g_u / \partial y_b = \sum_z V_{uz} K_{zb} - g_u \sum_{x \in h} \mu(x) K_{xb},

with V the cells as a table, :math:`\mu` beliefs, and :math:`K_{zb}` the derivative of :math:`\log \rho(z)`: whether b
is on the path, less :math:`p_b` where its set is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.linalg.blas import daxpy, dgemm
from scipy.linalg.lapack import dgesv
from scipy.sparse import csr_array

from deterrence.games.errors import GameError
from deterrence.games.quantities import Array
from deterrence.solvers.logit.system import Layout, LogitSystem

_MOST_DENSE = 60_000  # entries up to which a linear map is quicker dense
_LOGSUM, _SUM = np.logaddexp.reduceat, np.add.reduceat
_IDLE = 1e-9  # proportion of the largest precision below which log-odds say little of payoffs
_MOST_PRODUCT = 150_000  # multiplications up to which V times K is


@dataclass(frozen=True, eq=False)
class _Tables:
    """What all games of one layout share, with U unknowns, I sets, Z ends, X nodes of sets, and C cells.

    Attributes
    ----------
    nodes : linear map, shape (X, A + I)
        Log probability of each node from the actions' log-odds and the log normalisers of sets.
    entries : linear map, shape (C + B + U, A + 2 I)
        Logs of the cells' weights, then of B beliefs, one for each unknown and node of its set, then of the unknowns'
        probabilities, from those and the logs of the sets' probabilities.
    end, sign, starts : ndarray, shapes (C,), (C,), (U,)
        End of each cell, whether it counts for or against, and the first cell of each unknown.
    owner : ndarray of int, shape (C,)
        Player of each cell.
    free : ndarray of int, or slice
        The unknowns' actions.
    believed, believer : ndarray of int, shape (B,)
        Node and unknown of each belief.
    slots : ndarray of int, shape (C + B,)
        Place of each entry in the flat table (U, Z + X).
    met, own : ndarray, shape (Z + X, U)
        Whether each unknown is on a path, and whether its set is; with a minus for paths to nodes.
    rows : tuple of ndarray or None
        Order, columns and row pointer that make the entries a sparse table; None where it is quicker dense.
    sums : ndarray, shape (U, C), or None
        Which cells belong to each unknown; None where sums over runs of them are quicker.
    mask : ndarray, shape (U, U)
        -1 where an unknown belongs to another set, else 0.
    set_starts, sets, players : ndarray of int
        First unknown of each set that has any, that set, and its player.
    others : ndarray, shape (S, A + 2 I)
        Log probability with which chance and the other players lead to each such set, from the logs of ``entries``.
    recalls : bool
        Whether a player's own actions on the way are the same for all nodes of a set, as perfect recall implies.
    """

    nodes: Any
    entries: Any
    end: Array
    sign: Array
    starts: Array
    owner: Array
    free: Array | slice
    believed: Array
    believer: Array
    slots: Array
    met: Array
    own: Array
    rows: tuple[Array, Array, Array] | None
    sums: Array | None
    mask: Array
    set_starts: Array
    sets: Array
    players: Array
    others: Array
    recalls: bool


@lru_cache(maxsize=32)
def _tables(layout: Layout) -> _Tables:
    free, sets = layout.free, len(layout.first)
    n, ends = len(free), layout.end_slots.shape[1]
    on_end, on_node = _members(layout.end_slots, layout.count), _members(layout.node_slots, layout.count)
    end_sets, node_sets = (np.add.reduceat(t, layout.first, axis=1) for t in (on_end, on_node))
    slot, end, _ = layout.pairs
    first = np.searchsorted(slot, np.arange(layout.count + 1))
    chosen, unknown, sign = [], [], []
    for u in range(n):
        for action, side in ((free[u], 1.0), (layout.against[u], -1.0)):
            pairs = np.arange(first[action], first[action + 1])
            chosen.append(pairs)
            unknown.append(np.full(len(pairs), u))
            sign.append(np.full(len(pairs), side))
    pair, of = (np.concatenate(x).astype(np.int64) if x else np.zeros(0, np.int64) for x in (chosen, unknown))
    cell_end, home = end[pair], layout.free_set[of]
    believer, believed = np.nonzero(layout.free_set[:, None] == layout.node_set_of)
    nodes = np.hstack([on_node, -node_sets])
    cells = np.hstack([on_end[cell_end], -end_sets[cell_end], np.zeros((len(pair), sets))])
    beliefs = np.hstack([nodes[believed], np.zeros((len(believed), sets))])
    shares = np.zeros((n, layout.count + 2 * sets))
    shares[np.arange(n), free] = 1
    shares[np.arange(n), layout.count + layout.free_set] = -1
    line = np.arange(len(pair))
    cells[line, slot[pair]] -= 1
    cells[line, layout.count + home] += 1
    cells[line, layout.count + sets + home] -= 1
    beliefs[np.arange(len(believed)), layout.count + sets + layout.free_set[believer]] -= 1
    width = ends + len(on_node)
    slots = np.concatenate([of * width + cell_end, believer * width + ends + believed])
    rows = None
    if n * n * width > _MOST_PRODUCT:
        order = np.argsort(slots, kind="stable")
        rows = order, slots[order] % width, np.searchsorted(slots[order] // width, np.arange(n + 1))
    set_starts = np.flatnonzero(np.diff(layout.free_set, prepend=-1))
    chosen_sets = layout.free_set[set_starts]
    own_actions = layout.player[layout.set_of] == layout.player[layout.node_set_of][:, None]
    own_sets = layout.player == layout.player[layout.node_set_of][:, None]
    plans = np.hstack([on_node * own_actions, -node_sets * own_sets])
    return _Tables(
        nodes=_linear(nodes),
        entries=_linear(np.vstack([cells, beliefs, shares])),
        end=cell_end,
        sign=np.concatenate(sign) if sign else np.zeros(0),
        starts=np.searchsorted(of, np.arange(n)),
        owner=layout.player[home],
        free=_even(free),
        believed=believed,
        believer=believer,
        slots=slots,
        met=np.asfortranarray(np.vstack([on_end, -on_node])[:, free]),
        own=np.asfortranarray(np.vstack([end_sets, -node_sets])[:, layout.free_set]),
        rows=rows,
        sums=(np.arange(n)[:, None] == of).astype(float) if n * len(of) <= _MOST_DENSE else None,
        mask=np.asfortranarray(-(layout.free_set[:, None] != layout.free_set).astype(float)),
        set_starts=set_starts,
        sets=chosen_sets,
        players=layout.player[chosen_sets],
        others=np.hstack([-plans[layout.node_first[chosen_sets]], np.eye(sets)[chosen_sets]]),
        recalls=bool((plans == plans[layout.node_first[layout.node_set_of]]).all()),
    )


def _members(slots: Array, count: int) -> Array:
    """Return how often each action stands in each column of slots, shape (columns, A)."""
    table = np.zeros((slots.shape[1], count + 1))
    for line in slots:
        table[np.arange(slots.shape[1]), line] += 1
    return table[:, :count]


def _linear(table: Array) -> Any:
    return np.ascontiguousarray(table) if table.size <= _MOST_DENSE else csr_array(table)


def _apply(table: Any, vector: Array, result: Array) -> None:
    """Write a linear map's image of a vector."""
    if type(table) is np.ndarray:
        table.dot(vector, result)
    else:
        result[:] = table.dot(vector)


@lru_cache(maxsize=32)
def _counted(n: int) -> Array:
    counted = np.arange(n)
    counted.setflags(write=False)
    return counted


def _even(free: Array) -> Array | slice:
    """Return indices as a slice where they are evenly apart, as where all sets have two actions."""
    if len(free) > 1 and (np.diff(free) == free[1] - free[0]).all():
        return slice(free[0], free[-1] + 1, free[1] - free[0])
    return free


class Equations:
    """The equations of one game, precisions in fixed proportion, and what was found where they were last asked.

    Parameters
    ----------
    system : LogitSystem
        A single game with at least one unknown.
    ratio : ndarray, shape (I,)
        Precision of each information set is ``ratio`` times the common precision.
    everywhere : bool
        Whether regret is the largest gain at any information set, reached or not; else it is at least what any
        player gains from any plan for the game.
    """

    def __init__(self, system: LogitSystem, ratio: Array, *, everywhere: bool = True) -> None:
        layout = system.layout
        tables = self.tables = _tables(layout)
        self.layout = layout
        self.everywhere = everywhere
        if not (everywhere or tables.recalls):
            raise GameError("the gain from a plan needs perfect recall; ask for the regret everywhere")
        self.rate = ratio[layout.free_set]
        rates = self.rate[tables.set_starts]
        self.idle = np.flatnonzero(rates < _IDLE) if rates.min() < _IDLE else None
        self.inverse_rate = np.divide(1.0, rates, out=np.zeros_like(rates), where=rates >= _IDLE)
        self.node_chance = system.node_chance
        n, count, sets = system.unknowns, layout.count, len(layout.first)
        cells, most = len(tables.end), len(tables.slots)
        self.chance = np.zeros(most + n)
        system.end_chance.take(tables.end, out=self.chance[:cells], mode="clip")
        system.node_chance.take(tables.believed, out=self.chance[cells:most], mode="clip")
        self.worth = system.worth[tables.owner, tables.end]
        self.worth *= tables.sign
        self.logs = np.zeros(count + 2 * sets)  # log-odds (first actions 0), normalisers, probabilities of sets
        self.odds, self.norms = self.logs[:count], self.logs[count : count + sets]
        self.masses, self.to_nodes = self.logs[count + sets :], self.logs[: count + sets]
        self.entries = np.zeros(most + n)
        self.held = self.entries[:most]
        self.weights, self.beliefs, self.shares = self.entries[:cells], self.entries[cells:most], self.entries[most:]
        self.reach, self.gaps, self.change = np.zeros(len(self.node_chance)), np.zeros(n), np.empty_like(tables.met)
        self.table = np.zeros((n, len(tables.met)))
        self.flat = self.table.reshape(-1)
        self.sides = self.table.T
        self.steepness = tables.mask * self.rate[:, None]
        self.matrix = np.zeros((n, n), order="F")
        self.diagonal = self.matrix.T.reshape(-1)[:: n + 1]
        self.right = np.zeros((n, 2), order="F")
        self.residual, self.push = self.right.T
        self.unmoved = _counted(n)
        self.first, self.node_first = layout.first, layout.node_first
        self.free = tables.free
        self.asked: Array | None = None

    def parts(self, y: Array, precision: float) -> tuple[Array, Array]:
        """Return the Jacobian dF/dy, and F beside -dF/dprecision as columns; the next call overwrites them."""
        tables, entries, gaps = self.tables, self.entries, self.gaps
        self.asked = y
        self.odds[self.free] = y
        _LOGSUM(self.odds, self.first, 0, None, self.norms)
        _apply(tables.nodes, self.to_nodes, self.reach)
        self.reach += self.node_chance
        _LOGSUM(self.reach, self.node_first, 0, None, self.masses)
        _apply(tables.entries, self.logs, entries)
        entries += self.chance
        np.exp(entries, entries)
        weights = self.weights
        weights *= self.worth
        if tables.sums is None:
            _SUM(weights, tables.starts, 0, None, gaps)
        else:
            tables.sums.dot(weights, gaps)
        self.beliefs *= gaps.take(tables.believer)
        change = self.change
        np.multiply(tables.own, self.shares, change)
        np.subtract(tables.met, change, change)
        matrix, residual, push = self.matrix, self.residual, self.push
        if tables.rows is None:
            self.flat[tables.slots] = self.held
            dgemm(precision, self.sides, change, 0.0, matrix, True, False, True)
            matrix *= self.steepness
        else:
            order, column, pointer = tables.rows
            product = csr_array((self.held[order], column, pointer), shape=self.table.shape).dot(change)
            np.multiply(product, self.steepness, matrix)
            matrix *= precision
        self.diagonal += 1.0
        np.multiply(gaps, self.rate, push)
        residual[:] = y
        daxpy(push, residual, len(y), -precision)
        return self.matrix, self.right

    def upward(self, y: Array, precision: float) -> tuple[Array, Array]:
        """Return Newton's step at fixed precision and the slope dy/dprecision; NaN where the Jacobian is singular."""
        matrix, right = self.parts(y, precision)
        _, self.pivots, solved, info = dgesv(matrix, right, overwrite_a=1)  # its factors overwrite the matrix
        if info != 0:
            nowhere = np.full(len(y), np.nan)
            return nowhere, nowhere
        return solved[:, 0], solved[:, 1]

    def side(self) -> float:
        """Return the sign of the Jacobian's determinant where ``upward`` was last asked."""
        return _sign(self.diagonal, self.pivots, self.unmoved)

    def polish(self, y: Array, precision: float, within: float, rounds: int = 12) -> tuple[Array, float]:
        """Return log-odds improved by Newton's method at fixed precision, and the residual over 1 + precision."""
        best, least = y, np.inf
        for _ in range(rounds):
            matrix, right = self.parts(y, precision)
            error = float(np.abs(right[:, 0]).max()) / (1 + precision)
            if error < least:
                best, least = y, error
            elif least < 1e3 * within or not np.isfinite(error):
                break
            if error <= within:
                break
            step, info = dgesv(matrix, right[:, :1], overwrite_a=1)[2:]
            if info != 0:
                break
            y = y - step[:, 0]
        return best, least

    def play(self, y: Array) -> tuple[Array, Array]:
        """Return probabilities, shape (A,), and beliefs over nodes of information sets, shape (X,), at log-odds."""
        if self.asked is not y:
            self.parts(y, 0.0)
        layout = self.layout
        return np.exp(self.odds - self.norms[layout.set_of]), np.exp(self.reach - self.masses[layout.node_set_of])

    def regret(self) -> float:
        """Return the regret, as a share of the payoff span, where ``parts`` was last asked."""
        return self._largest(self._shortfall(self.gaps))

    def solved_regret(self, y: Array, precision: float) -> float:
        """Return about what the regret is at a solution near to where ``parts`` was last asked.

        At a solution payoffs differ by log-odds over precision, and these are known better than the payoffs where
        actions are all but indifferent.
        """
        short = self._shortfall(y)
        short *= self.inverse_rate
        short /= precision
        if self.idle is not None:
            short[self.idle] = self._shortfall(self.gaps)[self.idle]
        return self._largest(short)

    def _largest(self, short: Array) -> float:
        """Of gains at sets the largest, or by player what other plans gain at most.

        The gain from a plan is the sum of its gains at sets, times the probability that it reaches them, which is at
        most the probability that the others' play does.
        """
        if self.everywhere:
            return float(np.maximum.reduce(short))
        tables = self.tables
        short *= np.exp(tables.others.dot(self.logs))
        gains: list[float] = np.bincount(tables.players, short).tolist()
        return max(gains)

    def _shortfall(self, values: Array) -> Array:
        """By how much the mean value falls short of the greatest at each set; first actions have value 0."""
        starts = self.tables.set_starts
        short = np.maximum.reduceat(values, starts)
        np.maximum(short, 0.0, out=short)
        short -= np.add.reduceat(self.shares * values, starts)
        return short

    def bordered_system(self, point: Array, direction: Array) -> tuple[Array, Array]:
        """Return the Jacobian with the direction as last row, and the right sides of ``step``."""
        n = len(point) - 1
        matrix, right = np.zeros((n + 1, n + 1), order="F"), np.zeros((n + 1, 2), order="F")
        inner, sides = self.parts(point[:-1], float(point[-1]))
        matrix[:n, :n] = inner
        matrix[:n, n] = -sides[:, 1]
        matrix[n] = direction
        right[:n, 0] = sides[:, 0]
        right[n, 1] = 1.0
        return matrix, right

    def step(self, point: Array, direction: Array) -> tuple[Array, Array, float]:
        """Return Newton's step across the direction, the tangent (not normed), and the sign of the determinant.

        The step is NaN where the matrix is singular.
        """
        matrix, right = self.bordered_system(point, direction)
        factors, pivots, solved, info = dgesv(matrix, right, overwrite_a=1)
        if info != 0:
            nowhere = np.full(len(point), np.nan)
            return nowhere, nowhere, 0.0
        return solved[:, 0], solved[:, 1], _sign(factors.diagonal(), pivots, np.arange(len(pivots)))


def _sign(diagonal: Array, pivots: Array, unmoved: Array) -> float:
    """Sign of the determinant, from the diagonal of its factors and the row swaps."""
    odd = (diagonal < 0).tobytes().count(1) + (pivots != unmoved).tobytes().count(1)
    return -1.0 if odd % 2 else 1.0

r"""The equations of agent logit equilibrium, with their analytic Jacobian, in logarithms.

At each information set h the player of h plays :math:`p_a = e^{\lambda_h q_a} / \sum_b e^{\lambda_h q_b}`, with
:math:`q_a` the expected payoff of action a there, by Bayes' rule from the profile itself [1]_. The unknowns are the
log-odds :math:`y_a = \log p_a - \log p_{a_0}` against the first action of each set, and the equations
:math:`F_a(y, \lambda) = y_a - \lambda_h (q_a - q_{a_0}) = 0`. In logarithms, probabilities that vanish as
:math:`\lambda` grows stay exact [2]_.

With :math:`\rho` the probability of an end z or a node x, :math:`D_h = \sum_{x \in h} \rho(x)`, and M the 0/1 matrix of
actions on paths, :math:`q_a = \sum_{z \ni a} W_{az}`, :math:`W_{az} = \rho(z) u(z) / (p_a D_h)`, and
:math:`\partial q_a / \partial \log p_b = (W M^T)_{ab} - [a = b] q_a - q_a \sum_{x \in h, b \in x} \rho(x) / D_h`.

References
----------
.. [1] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Extensive Form Games", Exp. Econ. 1 (1998), 9-41.
.. [2] T. Turocy, "A dynamic homotopy interpretation of the logistic quantal response equilibrium correspondence", Games
   Econ. Behav. 51 (2005), 243-263.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.strategic import StrategicGame
from deterrence.games.topology import Topology

_TINY = float(np.finfo(float).tiny)
_NEVER = 1e-300  # stands for a chance probability of zero, so that what follows still has (limit) beliefs


@dataclass(frozen=True, eq=False)
class Layout:
    """Which actions lead to which ends and nodes, and which of them belong to which information set.

    Attributes
    ----------
    count : int
        Number of actions A.
    end_slots, node_slots : ndarray of int, shapes (D, Z), (D, X)
        The actions on the path to each end, and to each node of an information set (X counts those set by set);
        A where the path is shorter.
    first, node_first : ndarray of int, shape (I,)
        First action, and first of the X nodes, of each information set.
    player : ndarray of int, shape (I,)
    nodes : ndarray of int, shape (X,)
        Nodes of information sets, set by set.
    """

    count: int
    end_slots: Array
    node_slots: Array
    first: Array
    node_first: Array
    player: Array
    nodes: Array

    @cached_property
    def set_of(self) -> Array:
        """Information set of each action, shape (A,)."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.r_[self.first, self.count]))

    @cached_property
    def node_set_of(self) -> Array:
        """Information set of each of the X nodes."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.r_[self.node_first, self.node_slots.shape[1]]))

    @cached_property
    def pairs(self) -> tuple[Array, Array, Array]:
        """Actions and the ends after them, sorted by action: action and end of each pair, first pair of each action."""
        depth, end = np.nonzero(self.end_slots < self.count)
        slot = self.end_slots[depth, end]
        order = np.lexsort((end, slot))
        slot, end = slot[order], end[order]
        return slot, end, np.searchsorted(slot, np.arange(self.count))

    @cached_property
    def triples(self) -> tuple[Array, Array, Array]:
        """Pairs with each action before their end, by (action, other action): pair; first of each group; groups."""
        slot, end, _ = self.pairs
        others = self.end_slots[:, end]  # (D, E)
        depth, pair = np.nonzero(others < self.count)
        return self._grouped(pair, slot[pair] * self.count + others[depth, pair])

    @cached_property
    def node_pairs(self) -> tuple[Array, Array, Array]:
        """Nodes with each action before them, by (set, action): node of each; first of each group; groups."""
        depth, node = np.nonzero(self.node_slots < self.count)
        return self._grouped(node, self.node_set_of[node] * self.count + self.node_slots[depth, node])

    @staticmethod
    def _grouped(member: Array, group: Array) -> tuple[Array, Array, Array]:
        order = np.argsort(group, kind="stable")
        groups, starts = np.unique(group[order], return_index=True)
        return member[order], starts, groups

    @cached_property
    def free(self) -> Array:
        """Actions that are not the first of their information set: the unknowns."""
        return np.setdiff1d(np.arange(self.count), self.first)

    @cached_property
    def free_set(self) -> Array:
        """Information set of each unknown."""
        return self.set_of[self.free]

    @cached_property
    def against(self) -> Array:
        """The action that each unknown is compared with."""
        return self.first[self.free_set]


@dataclass(frozen=True, eq=False)
class LogitSystem:
    """A tree, or a table, as its agents see it.

    Attributes
    ----------
    layout : Layout
    end_chance, node_chance : ndarray, shapes (..., Z), (..., X)
        Log probability of chance on the way.
    worth : ndarray, shape (..., P, Z)
        Payoff of each player at each end, centred and divided by ``scale``.
    scale : ndarray, shape (..., P)
        Span of each player's payoffs.
    """

    layout: Layout
    end_chance: Array
    node_chance: Array
    worth: Array
    scale: Array

    @property
    def unknowns(self) -> int:
        """Number of unknowns: actions less information sets."""
        return len(self.layout.free)

    @cached_property
    def utility(self) -> Array:
        """Payoff of an action's player at an end after it, by pair of action and end, shape (..., E)."""
        slot, end, _ = self.layout.pairs
        utility: Array = self.worth[..., self.layout.player[self.layout.set_of[slot]], end]
        return utility

    def take(self, chosen: Array | int) -> LogitSystem:
        """Return the systems of some games of a flat batch, or the system of one."""
        return replace(
            self,
            end_chance=self.end_chance[chosen],
            node_chance=self.node_chance[chosen],
            worth=self.worth[chosen],
            scale=self.scale[chosen],
        )

    def flat(self) -> LogitSystem:
        """Return the batch with its dimensions made one."""
        return replace(
            self,
            end_chance=self.end_chance.reshape(-1, self.end_chance.shape[-1]),
            node_chance=self.node_chance.reshape(-1, self.node_chance.shape[-1]),
            worth=self.worth.reshape(-1, *self.worth.shape[-2:]),
            scale=self.scale.reshape(-1, self.scale.shape[-1]),
        )

    def logs(self, y: Array) -> Array:
        """Return log probabilities, shape (..., A), from log-odds, shape (..., A - I)."""
        full = np.zeros((*y.shape[:-1], self.layout.count))
        full[..., self.layout.free] = y
        return full - _logsum(full, self.layout.first, self.layout.set_of)[..., self.layout.set_of]

    def shares(self, y: Array) -> Array:
        """Return probabilities, shape (N, A), of a flat batch of log-odds, shape (N, A - I)."""
        layout = self.layout
        full = np.zeros((layout.count, len(y)))  # games stand together
        full[layout.free] = y.T
        if layout.count:
            full -= np.maximum.reduceat(full, layout.first, axis=0)[layout.set_of]
            np.exp(full, out=full)
            full /= np.add.reduceat(full, layout.first, axis=0)[layout.set_of]
        return np.ascontiguousarray(full.T)

    def values(self, logs: Array) -> tuple[Array, Array, Array]:
        """Return q of shape (..., A), W by pair of action and end, and beliefs over the X nodes."""
        layout = self.layout
        slot, end, starts = layout.pairs
        padded = np.concatenate([logs, np.zeros((*logs.shape[:-1], 1))], axis=-1)
        beliefs, total = self._believed(padded)
        ends = self.end_chance.copy()
        for line in layout.end_slots:
            ends = ends + padded[..., line]
        relative = ends[..., end] - logs[..., slot] - total[..., layout.set_of[slot]]
        weights = np.exp(np.minimum(relative, 700.0)) * self.utility
        return np.add.reduceat(weights, starts, axis=-1), weights, beliefs

    def beliefs(self, logs: Array) -> Array:
        """Return beliefs over the X nodes, by Bayes' rule from log probabilities, shape (..., X)."""
        return self._believed(np.concatenate([logs, np.zeros((*logs.shape[:-1], 1))], axis=-1))[0]

    def _believed(self, padded: Array) -> tuple[Array, Array]:
        """Beliefs, and the log probability of each information set, from log probabilities with a zero behind."""
        layout = self.layout
        reach = self.node_chance
        for line in layout.node_slots:
            reach = reach + padded[..., line]
        total = _logsum(reach, layout.node_first, layout.node_set_of)
        return np.exp(reach - total[..., layout.node_set_of]), total

    def residual(self, y: Array, precision: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Return F, q, W, beliefs and log probabilities; ``precision`` by information set, shape (..., I)."""
        logs = self.logs(y)
        q, weights, beliefs = self.values(logs)
        return y - self.gaps(q) * precision[..., self.layout.free_set], q, weights, beliefs, logs

    def jacobian(self, precision: Array, q: Array, weights: Array, beliefs: Array, logs: Array) -> Array:
        """Return dF/dy, shape (..., A - I, A - I), at what ``residual`` returned."""
        layout = self.layout
        gradient = self._value_gradient(q, weights, beliefs)
        rows = gradient[..., layout.free, :] - gradient[..., layout.against, :]
        # d log p_a / d y_b = [a = b] - p_b within a set: subtract from column b the set's row sum times p_b
        within = np.add.reduceat(rows, layout.first, axis=-1)[..., layout.free_set]
        turned = rows[..., layout.free] - within * np.exp(logs)[..., None, layout.free]
        result: Array = -precision[..., layout.free_set, None] * turned
        diagonal = np.arange(self.unknowns)
        result[..., diagonal, diagonal] += 1
        return result

    def regret(self, q: Array, logs: Array) -> Array:
        """Return the largest gain at any information set as a share of the player's payoff span, shape (...)."""
        if not len(self.layout.first):
            return np.zeros(logs.shape[:-1])
        mean = np.add.reduceat(np.exp(logs) * q, self.layout.first, axis=-1)
        best = np.maximum.reduceat(q, self.layout.first, axis=-1)
        result: Array = (best - mean).max(axis=-1)
        return result

    def gaps(self, q: Array) -> Array:
        """Return each unknown's payoff against the first action of its set, shape (..., A - I)."""
        gaps: Array = q[..., self.layout.free] - q[..., self.layout.against]
        return gaps

    def _value_gradient(self, q: Array, weights: Array, beliefs: Array) -> Array:
        """dq_a / d log p_b, shape (..., A, A)."""
        layout = self.layout
        count, batch = layout.count, q.shape[:-1]
        member, starts, groups = layout.triples
        gradient = np.zeros((*batch, count * count))
        gradient[..., groups] = np.add.reduceat(weights[..., member], starts, axis=-1)
        gradient = gradient.reshape(*batch, count, count)
        diagonal = np.arange(count)
        gradient[..., diagonal, diagonal] -= q
        member, starts, groups = layout.node_pairs
        if len(member):
            above = np.zeros((*batch, len(layout.first) * count))
            above[..., groups] = np.add.reduceat(beliefs[..., member], starts, axis=-1)
            above = above.reshape(*batch, len(layout.first), count)
            gradient -= q[..., :, None] * above[..., layout.set_of, :]
        return gradient


def tree_system(game: ExtensiveGame) -> LogitSystem:
    """Return the logit equations of a tree (or of a batch of trees of one shape)."""
    topology = game.topology
    layout = _layout(topology)
    payoffs, chance = as_float(game.payoffs), as_float(game.chance)
    batch = game.batch_shape
    nodes = layout.nodes
    if not batch:
        worth, scale = _worth(payoffs)
        logs = np.zeros(len(chance) + 1)
        np.log(np.maximum(chance, _NEVER), logs[:-1])
        log_chance = np.add.reduce(logs[_chance_paths(topology)], 0)
        ends = len(topology.terminal)
        return LogitSystem(layout, log_chance[:ends], log_chance[ends:], worth, scale)
    table = np.ascontiguousarray(np.moveaxis(payoffs, (-2, -1), (0, 1)))  # (Z, P, ...): games stand together
    top, bottom = table.max(axis=0), table.min(axis=0)
    scale = np.maximum(top - bottom, _TINY)
    shifted = table - (top + bottom) / 2  # payoffs centred: smaller rounding
    shifted /= scale
    worth = np.moveaxis(shifted, (0, 1), (-1, -2))
    scale = np.moveaxis(scale, 0, -1)
    log_chance = _chance(topology, chance)
    return LogitSystem(
        layout=layout,
        end_chance=np.broadcast_to(log_chance[..., topology.terminal], (*batch, len(topology.terminal))),
        node_chance=np.broadcast_to(log_chance[..., nodes], (*batch, len(nodes))),
        worth=np.broadcast_to(worth, (*batch, *worth.shape[-2:])),
        scale=np.broadcast_to(scale, (*batch, scale.shape[-1])),
    )


def table_system(game: StrategicGame) -> LogitSystem:
    """Return the logit equations of a strategic form."""
    payoffs = as_float(game.payoffs).reshape(-1, len(game.players))
    worth, scale = _worth(payoffs)
    cells = np.indices(game.shape).reshape(len(game.shape), -1)
    first = np.concatenate([[0], np.cumsum(game.shape)[:-1]]).astype(np.int64)
    players = np.arange(len(game.shape))
    layout = Layout(
        count=sum(game.shape),
        end_slots=cells + first[:, None],
        node_slots=np.zeros((0, len(players)), dtype=np.int64),
        first=first,
        node_first=players,
        player=players,
        nodes=np.zeros(0, dtype=np.int64),
    )
    return LogitSystem(
        layout=layout,
        end_chance=np.zeros(len(payoffs)),
        node_chance=np.zeros(len(players)),
        worth=worth,
        scale=scale,
    )


def _worth(payoffs: Array) -> tuple[Array, Array]:
    """Return payoffs (Z, P) centred and divided by their spans, shape (P, Z), and the spans."""
    top, bottom = np.maximum.reduce(payoffs, 0), np.minimum.reduce(payoffs, 0)
    scale = np.maximum(top - bottom, _TINY)
    worth = payoffs.T - ((top + bottom) / 2)[:, None]
    worth /= scale[:, None]
    return worth, scale


def _logsum(logs: Array, starts: Array, groups: Array) -> Array:
    """Log of the sum of exponentials over groups that begin at ``starts``; ``groups`` is the group of each entry."""
    top = np.maximum.reduceat(logs, starts, axis=-1)
    return top + np.log(np.add.reduceat(np.exp(logs - top[..., groups]), starts, axis=-1))


@lru_cache(maxsize=64)
def _layout(topology: Topology) -> Layout:
    slots, nodes = _paths(topology), np.array([n for s in topology.infosets for n in s.nodes], dtype=np.int64)
    return Layout(
        count=topology.action_count,
        end_slots=_trimmed(slots[topology.terminal].T, topology.action_count),
        node_slots=_trimmed(slots[nodes].T, topology.action_count),
        first=np.array([s.first for s in topology.infosets], dtype=np.int64),
        node_first=np.cumsum([0, *(len(s.nodes) for s in topology.infosets)], dtype=np.int64)[:-1],
        player=np.array([s.player for s in topology.infosets], dtype=np.int64),
        nodes=nodes,
    )


@lru_cache(maxsize=64)
def _chance_paths(topology: Topology) -> Array:
    """Branches of chance on the way to each end, then each node of a set, (D, Z + X), padded with their number."""
    count = topology.action_count
    branches = len(topology.labels) - count
    slots = _paths(topology, chance=True)[np.r_[topology.terminal, _layout(topology).nodes]].T
    return _trimmed(slots, branches)


def _paths(topology: Topology, *, chance: bool = False) -> Array:
    """Actions (or branches of chance) on the path to each node, shape (n, D), padded with their number."""
    actions = topology.action_count
    count = len(topology.labels) - actions if chance else actions
    slots = np.full((topology.size, len(topology.levels)), count)
    met = np.zeros(topology.size, dtype=np.int64)
    for level in topology.levels[1:]:
        above, slot = topology.parent[level], topology.slot[level]
        slots[level], met[level] = slots[above], met[above]
        mine = slot >= actions if chance else slot < actions
        moved = level[mine]
        slots[moved, met[moved]] = slot[mine] - (actions if chance else 0)
        met[moved] += 1
    return slots


def _chance(topology: Topology, chance: Array) -> Array:
    """Log probability of chance on the path to each node, shape (..., n)."""
    count = topology.action_count
    total = np.zeros((*chance.shape[:-1], topology.size))
    logs = np.log(np.maximum(chance, _NEVER))
    for level in topology.levels[1:]:
        slot = topology.slot[level]
        total[..., level] = total[..., topology.parent[level]]
        random = slot >= count
        total[..., level[random]] += logs[..., slot[random] - count]
    return total


def _trimmed(slots: Array, count: int) -> Array:
    """Drop lines that hold no action."""
    return np.ascontiguousarray(slots[(slots < count).any(axis=1)])

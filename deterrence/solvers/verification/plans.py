"""What a player could get by its best plan in a tree, settled from its last moves up in one pass over the nodes.

Under perfect recall a plan is best iff it is best at each of a player's information sets given what it does later, so
sets are settled by their own depth (how many of the player's moves stand before them), the deepest first; between
them values flow up edge by edge. Nodes of a set count by weights: beliefs, or how likely the others and chance lead
there. Every edge is looked at once for each player.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subgame_roots
from deterrence.games.quantities import Array

_SAME = 1e-12  # beliefs that differ by no more are the same, but for rounding
_SELDOM = 1e-200  # in floats a set reached less often counts as not reached: its Bayes' rule would be noise


@dataclass(frozen=True, eq=False)
class _Phase:
    """Edges from nodes of one own depth: those of the player, slot by slot, then the others', the deepest first."""

    own: Array
    slots: Array  # where slots begin among the own edges
    sets: Array  # where information sets begin among the slots
    steps: list[tuple[Array, Array]]  # edges of one level, and where the children of each node begin


class TreeShape:
    """What all profiles of one tree share."""

    def __init__(self, game: ExtensiveGame) -> None:
        topology = game.topology
        self.game, self.topology = game, topology
        self.mover = np.full(topology.size, -3)  # who chooses the edge to a node
        self.mover[1:] = topology.owner[topology.parent[1:]]
        self.inner = topology.levels[1:]
        self.above = [topology.parent[level] for level in self.inner]
        self.heads = [_starts(above) for above in self.above]  # first children
        order, starts = topology.slot_nodes
        self.moves = order[: starts[topology.action_count]]  # edges that players choose, slot after slot
        self.firsts = np.array([s.first for s in topology.infosets], dtype=np.int64)
        self.owners = np.array([s.player for s in topology.infosets], dtype=np.int64)
        widths = [
            int(np.diff(np.append(heads, len(level))).max())
            for heads, level in zip(self.heads, self.inner, strict=True)
        ]
        self.operations = 4 + sum(width + 3 for width in widths)  # roundings behind a value in floats, at most
        self._phases: dict[int, list[_Phase]] = {}

    @cached_property
    def roots(self) -> Array:
        """Where subgames begin."""
        return np.array(subgame_roots(self.game), dtype=np.int64)

    @cached_property
    def again(self) -> tuple[bool, ...]:
        """By player, whether it moves twice on some path."""
        topology = self.topology
        return tuple(bool((topology.last_own[topology.owner == i] >= 0).any()) for i in range(len(topology.players)))

    def phases(self, player: int) -> list[_Phase]:
        """Return the edges of the tree in the order in which a player's best plan is settled."""
        if player not in self._phases:
            self._phases[player] = list(self._ordered(player))
        return self._phases[player]

    def _ordered(self, player: int) -> list[_Phase]:
        topology = self.topology
        depth = np.zeros(topology.size, dtype=np.int32)  # own moves before each node
        for level, above in zip(self.inner, self.above, strict=True):
            depth[level] = depth[above] + (self.mover[level] == player)
        edges = np.concatenate([*reversed(self.inner), np.zeros(0, dtype=np.int64)])
        parts = []
        for mine in (self.moves[self.mover[self.moves] == player], edges[self.mover[edges] != player]):
            before = depth[topology.parent[mine]]
            order = np.argsort(-before, kind="stable")
            parts.append((mine[order], -before[order]))
        result = []
        for d in range(int(depth.max()), -1, -1):
            mine, rest = (e[slice(*np.searchsorted(k, [-d, 1 - d]))] for e, k in parts)
            slots = _starts(topology.slot[mine])
            sets = _starts(topology.infoset[topology.parent[mine[slots]]])
            levels = np.split(rest, _starts(topology.depth[rest])[1:]) if len(rest) else []
            result.append(_Phase(mine, slots, sets, [(x, _starts(topology.parent[x])) for x in levels]))
        return result

    def sum_up(self, values: Array, factor: Array) -> None:
        """Add to every node, from the last level up, what its children hold times the factor of the edge to them."""
        for level, above, heads in zip(reversed(self.inner), reversed(self.above), reversed(self.heads), strict=True):
            part = values[level] * (factor[level] if values.ndim == 1 else factor[level][:, None])
            width = len(level) // len(heads)
            if bool((np.diff(heads) == width).all()) and width * len(heads) == len(level):  # all have as many children
                values[above[heads]] += sum(part[k::width] for k in range(width))
            else:
                values[above[heads]] += np.add.reduceat(part, heads, axis=0)

    def best_values(self, player: int, payoffs: Array, edge: Array, weights: Array) -> tuple[Array, Array]:
        """Return what each node is worth to a player if it follows its best plan, and how far payoffs spread below.

        Parameters
        ----------
        player : int
        payoffs : ndarray, shape (z,)
            Of the player, by end.
        edge : ndarray, shape (n,)
            Probability of the edge to each node; the player's own are not read.
        weights : ndarray, shape (n,)
            How much each of the player's nodes counts within its information set.

        Returns
        -------
        worth, spread : ndarray, shape (n,)
            The spread as ``spread_below`` has it, with the best plan for the player's own edges.
        """
        parent = self.topology.parent
        worth = np.zeros(self.topology.size, dtype=np.result_type(payoffs.dtype, edge.dtype, weights.dtype))
        spread = worth.copy()
        worth[self.topology.terminal] = payoffs
        for phase in self.phases(player):
            if len(phase.own):
                own, above = phase.own, parent[phase.own]
                totals = np.add.reduceat(weights[above] * worth[own], phase.slots)
                sizes = np.diff(np.append(phase.sets, len(totals)))
                top = np.repeat(np.maximum.reduceat(totals, phase.sets), sizes)
                place = np.where(np.asarray(totals == top, dtype=bool), np.arange(len(totals)), len(totals))
                chosen = np.zeros(len(totals), dtype=bool)
                chosen[np.minimum.reduceat(place, phase.sets)] = True
                taken = np.repeat(chosen, np.diff(np.append(phase.slots, len(own))))
                worth[above[taken]] = worth[own[taken]]
                spread[above[taken]] = spread[own[taken]]
            for edges, heads in phase.steps:
                worth[parent[edges[heads]]] = np.add.reduceat(worth[edges] * edge[edges], heads)
                apart = np.abs(worth[edges] - worth[parent[edges]])
                spread[parent[edges[heads]]] = np.add.reduceat((spread[edges] + apart) * edge[edges], heads)
        return worth, spread

    def spread_below(self, worth: Array, edge: Array) -> Array:
        r"""Return how far apart the payoffs lie that play leads to from each node, shape (n, P).

        :math:`S(x) = \sum_y p_y (S(y) + |v(y) - v(x)|)` over the children y of x, which is at least the mean distance
        of payoffs from their mean v(x), at most twice the depth times that, and zero where a single payoff is met.
        """
        parent = self.topology.parent
        spread = 0 * worth
        for level, above, heads in zip(reversed(self.inner), reversed(self.above), reversed(self.heads), strict=True):
            part = (spread[level] + np.abs(worth[level] - worth[above])) * edge[level][:, None]
            spread[parent[level[heads]]] = np.add.reduceat(part, heads, axis=0)
        return spread

    def stage_weights(self, player: int, edge: Array) -> Array:
        """Return how likely the others lead to each node from where the smallest subgame around it begins."""
        first = np.zeros(self.topology.size, dtype=bool)
        first[self.roots] = True
        one = edge.dtype.type(1) if edge.dtype != object else 1
        weights = np.array([one] * 1, dtype=edge.dtype).repeat(self.topology.size)
        for level, above in zip(self.inner, self.above, strict=True):
            step = np.where(self.mover[level] == player, one, edge[level])
            weights[level] = np.where(first[level], one, weights[above] * step)
        return weights

    def forgetful(self, player: int, edge: Array, beliefs: Array) -> Array:
        """Return the player's information sets below which a belief does not follow from the belief there.

        A plan from such a set on has to be sought with the belief there alone; from any other set on the plan that is
        best by the beliefs of all later sets is best.
        """
        topology = self.topology
        seg = np.ones(topology.size, dtype=edge.dtype)  # how likely the others lead here from the last own move
        origin = np.full(topology.size, -1, dtype=np.int64)
        for level, above in zip(self.inner, self.above, strict=True):
            own = self.mover[level] == player
            seg[level] = np.where(own, seg[level], seg[above] * edge[level])
            origin[level] = np.where(own, above, origin[above])
        later = np.flatnonzero((topology.owner == player) & (origin >= 0))
        carried = beliefs[origin[later]] * seg[later]
        sets = topology.infoset[later]
        total = sum_by_index(carried, sets, len(topology.infosets))
        exact = edge.dtype == object
        met = np.asarray(total > (0 if exact else _SELDOM), dtype=bool)[sets]
        off = np.abs(carried[met] / total[sets[met]] - beliefs[later[met]]) > (0 if exact else _SAME)
        odd = np.zeros(len(topology.infosets), dtype=bool)
        wrong = np.unique(sets[met][np.asarray(off, dtype=bool)]).tolist()
        while wrong:
            slot = int(topology.last_own[topology.infosets[wrong.pop()].nodes[0]])
            if slot >= 0 and not odd[before := int(topology.slot_infoset[slot])]:
                odd[before] = True
                wrong.append(before)
        return np.flatnonzero(odd)

    def weights_from(self, player: int, start: Array, weights: Array, edge: Array) -> Array:
        """Return how likely the others lead to each node from some nodes with weights, shape (n,)."""
        result = np.zeros(self.topology.size, dtype=edge.dtype)
        result[start] = weights
        for level, above in zip(self.inner, self.above, strict=True):
            result[level] = result[level] + result[above] * np.where(self.mover[level] == player, 1, edge[level])
        return result


def sum_by_index(values: Array, index: Array, size: int) -> Array:
    """Return sums of values by index, shape (size,)."""
    if values.dtype != object:
        return np.bincount(index, weights=values, minlength=size)
    total = np.zeros(size, dtype=object)
    np.add.at(total, index, values)
    return total


def _starts(values: Array) -> Array:
    """Return where runs of equal values begin."""
    return np.flatnonzero(np.r_[True, np.diff(values) != 0])[: len(values)]

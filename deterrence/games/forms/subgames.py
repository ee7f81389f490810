"""Parts of trees: subgames, and trees with some nodes cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import array_of
from deterrence.games.topology import CHANCE, TERMINAL, InformationSet, Ints, Topology
from deterrence.games.values import Value


@dataclass(frozen=True, eq=False)
class Carving:
    """A part of a tree, with the way back.

    Attributes
    ----------
    topology : Topology
        The part, as a tree of its own.
    nodes : ndarray of int
        The node of the whole tree behind each node of the part.
    slots : ndarray of int
        The slot of the whole tree behind each slot of the part (actions first, then chance, as always).
    """

    topology: Topology
    nodes: Ints
    slots: Ints

    @property
    def action_slots(self) -> Ints:
        """The action slots of the whole tree behind those of the part."""
        return self.slots[: self.topology.action_count]

    @property
    def ends(self) -> Ints:
        """The nodes of the whole tree that are ends of the part."""
        return self.nodes[self.topology.terminal]


@dataclass(frozen=True, eq=False)
class Subgame(Value):
    """A part of a game that begins at one node and shares no information set with the rest.

    Attributes
    ----------
    root : int
        The node of the whole game where it begins.
    game : ExtensiveGame
        The part as a game of its own; its information sets keep their names.
    carving : Carving
        Which nodes and slots of the whole game it holds.
    """

    root: int
    game: ExtensiveGame
    carving: Carving


def subgame_roots(game: ExtensiveGame) -> tuple[int, ...]:
    """Return the nodes at which subgames begin, in preorder; the first is the root of the game.

    A subgame begins at a node that is no end, stands alone in its information set (or is a move of chance), and below
    which every information set lies entirely [1]_. Linear in the number of nodes.

    References
    ----------
    .. [1] R. Selten, "Spieltheoretische Behandlung eines Oligopolmodells mit Nachfrageträgheit", 1965.
    """
    topology = game.topology
    first = np.arange(topology.size)
    last = np.arange(topology.size)
    alone = topology.owner != TERMINAL
    order, starts = topology.set_nodes
    sizes = np.diff(np.append(starts, len(order)))
    first[order], last[order] = np.repeat(order[starts], sizes), np.repeat(order[starts + sizes - 1], sizes)
    alone[order] = np.repeat(sizes == 1, sizes)
    beyond = subtree_ends(topology)
    for level in reversed(topology.levels[1:]):
        np.minimum.at(first, topology.parent[level], first[level])
        np.maximum.at(last, topology.parent[level], last[level])
    nodes = np.arange(topology.size)
    return tuple(int(r) for r in np.flatnonzero(alone & (first >= nodes) & (last < beyond)))


def subgames(game: ExtensiveGame) -> tuple[Subgame, ...]:
    """Return every subgame, the game itself first, in preorder of their roots."""
    return tuple(subgame_at(game, root) for root in subgame_roots(game))


def subgame_at(game: ExtensiveGame, root: int) -> Subgame:
    """Return the subgame that begins at a node.

    Raises
    ------
    GameError
        If an information set lies partly outside, so that no subgame begins there.
    """
    topology = game.topology
    beyond = int(subtree_ends(topology)[root])
    for s in topology.infosets:
        inside = [n for n in s.nodes if root <= n < beyond]
        if inside and (len(inside) < len(s.nodes) or (root in inside and len(inside) > 1)):
            raise GameError(
                f"no subgame begins at {topology.name(root)!r}: information set {s.key!r} lies partly outside, "
                "or holds more than its root"
            )
    keep = np.zeros(topology.size, dtype=bool)
    keep[root:beyond] = True
    carving = carve(topology, keep)
    return Subgame(root, _with_numbers(game, carving), carving)


def truncate(game: ExtensiveGame, ends: Mapping[int, Sequence[object]]) -> tuple[ExtensiveGame, Carving]:
    """Return the game with an end in place of some nodes, and what is left of the tree.

    Parameters
    ----------
    game : ExtensiveGame
        No batch.
    ends : mapping of int to sequence of P numbers
        Payoffs by node that becomes an end; what lies below is cut off.

    Raises
    ------
    GameError
        If the game is a batch.
    """
    if game.batch_shape:
        raise GameError("a batch of games cannot be truncated as one; index it first, as in game[0]")
    topology = game.topology
    beyond = subtree_ends(topology)
    keep = np.ones(topology.size, dtype=bool)
    for node in ends:
        keep[node + 1 : beyond[node]] = False
    carving = carve(topology, keep)
    known = {int(node): z for z, node in enumerate(topology.terminal)}
    payoffs = [ends[n] if n in ends else list(game.payoffs[known[n]]) for n in map(int, carving.ends)]
    chance = game.chance[..., carving.slots[carving.topology.action_count :] - topology.action_count]
    return ExtensiveGame.of(carving.topology, chance, array_of(payoffs, "payoffs"), game.title), carving


def subtree_ends(topology: Topology) -> Ints:
    """Return, for each node, the number after the last node below it: in preorder a subtree is one interval."""
    beyond = np.arange(1, topology.size + 1)
    for level in reversed(topology.levels[1:]):
        np.maximum.at(beyond, topology.parent[level], beyond[level])
    return beyond


def carve(
    topology: Topology,
    keep: NDArray[np.bool_],
    *,
    dropped: frozenset[int] = frozenset(),
    end_labels: Mapping[int, str | None] | None = None,
) -> Carving:
    """Return the part of a tree that consists of some nodes.

    Parameters
    ----------
    topology : Topology
    keep : ndarray of bool, shape (n,)
        The nodes that stay: all children of a node or none, but for those on a dropped action. The first node kept is
        the root, and the parent of each other node kept is kept. A node that loses all its children becomes an end.
    dropped : frozenset of int
        Action slots that no information set of the part has.
    end_labels : mapping of int to str or None, optional
        Labels of the nodes that become ends.
    """
    nodes = np.flatnonzero(keep)
    new = np.full(topology.size, -1, dtype=np.int64)
    new[nodes] = np.arange(len(nodes))
    inner = np.zeros(topology.size, dtype=bool)
    inner[topology.parent[nodes[1:]]] = True

    slots: list[int] = []
    infosets: list[InformationSet] = []
    infoset = np.full(len(nodes), -1, dtype=np.int64)
    order, _ = topology.set_nodes
    kept = order[inner[order] & keep[order]]
    bounds = np.searchsorted(topology.infoset[kept], np.arange(len(topology.infosets) + 1))
    left = [(new[kept[a:b]], s) for (a, b), s in zip(pairwise(bounds.tolist()), topology.infosets, strict=True)]
    for members, s in sorted(((m, s) for m, s in left if len(m)), key=lambda pair: int(pair[0][0])):
        mine = [slot for slot in range(s.slots.start, s.slots.stop) if slot not in dropped]
        actions = tuple(topology.labels[slot] for slot in mine)
        infoset[members] = len(infosets)
        infosets.append(InformationSet(s.player, s.name, s.key, actions, tuple(members.tolist()), len(slots)))
        slots += mine
    actions_end = len(slots)
    chance_sets: list[slice] = []
    for node, group in zip(np.flatnonzero(topology.owner == CHANCE), topology.chance_sets, strict=True):
        if keep[node] and inner[node]:
            start = len(slots) - actions_end
            slots += range(topology.action_count + group.start, topology.action_count + group.stop)
            chance_sets.append(slice(start, len(slots) - actions_end))

    new_slot = np.full(len(topology.labels), -1, dtype=np.int64)
    new_slot[slots] = np.arange(len(slots))
    ends = nodes[~inner[nodes]]
    old_labels = dict(zip(topology.terminal.tolist(), topology.end_labels, strict=True))
    given = end_labels or {}
    parent = np.where(topology.parent[nodes] >= 0, new[topology.parent[nodes]], -1)
    parent[0] = -1
    slot = np.where(topology.slot[nodes] >= 0, new_slot[topology.slot[nodes]], -1)
    slot[0] = -1
    part = Topology(
        players=topology.players,
        infosets=tuple(infosets),
        parent=parent,
        slot=slot,
        owner=np.where(inner[nodes], topology.owner[nodes], TERMINAL),
        infoset=infoset,
        terminal=new[ends],
        labels=tuple(topology.labels[i] for i in slots),
        end_labels=tuple(given[n] if n in given else old_labels.get(n) for n in map(int, ends)),
        chance_sets=tuple(chance_sets),
    )
    return Carving(part, nodes, np.array(slots, dtype=np.int64))


def _with_numbers(game: ExtensiveGame, carving: Carving) -> ExtensiveGame:
    """Return the part with the numbers of the whole; every end of the part is one of the whole."""
    topology = game.topology
    chance = game.chance[..., carving.slots[carving.topology.action_count :] - topology.action_count]
    payoffs = game.payoffs[..., np.searchsorted(topology.terminal, carving.ends), :]
    return ExtensiveGame.of(carving.topology, chance, payoffs, game.title)

"""The shape of a tree without its numbers: nodes in preorder, information sets, slots of actions and chance.

Every node but the root hangs on a *slot*: an action of an information set, or a branch of a chance node. Slots of
actions come first (information set after information set), then those of chance. A behaviour strategy profile is
one array over action slots; with the chance probabilities behind it, it is one array over all slots, and the
probability of reaching a node is the product of its slots along the path.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError
from deterrence.games.quantities import Quantity
from deterrence.games.tree import Chance, End, Move, Node
from deterrence.games.values import Value

CHANCE, TERMINAL = -1, -2  # in ``owner``, beside the players' indices
MOST_NODES = 5_000_000

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class InformationSet(Value):
    """Nodes that one player cannot tell apart.

    Attributes
    ----------
    player : int
        Index of the player.
    name : str
        As given, or the path to the node if it was not named.
    key : str
        The name, made unique across players (``"player: name"`` where two players use one name).
    actions : tuple of str
        Labels of the actions.
    nodes : tuple of int
        Indices of the nodes, in preorder.
    first : int
        Slot of the first action.
    """

    player: int
    name: str
    key: str
    actions: tuple[str, ...]
    nodes: tuple[int, ...]
    first: int

    @property
    def slots(self) -> slice:
        """The slots of the actions."""
        return slice(self.first, self.first + len(self.actions))


@dataclass(frozen=True, eq=False)
class Topology:
    """A tree as arrays over its n nodes in preorder (a parent stands before its children).

    Attributes
    ----------
    players : tuple of str
    infosets : tuple of InformationSet
        In order of their first node.
    parent : ndarray of int, shape (n,)
        -1 for the root.
    slot : ndarray of int, shape (n,)
        Slot that leads to the node; -1 for the root.
    owner : ndarray of int, shape (n,)
        Index of the player who moves; ``CHANCE`` or ``TERMINAL``.
    infoset : ndarray of int, shape (n,)
        Index of the information set; -1 where no player moves.
    terminal : ndarray of int, shape (z,)
        Nodes that are ends.
    labels : tuple of str
        Label of each slot.
    end_labels : tuple of (str or None)
        Label of each end.
    chance_sets : tuple of slice
        Slots (counted from the first chance slot) of each chance node.
    """

    players: tuple[str, ...]
    infosets: tuple[InformationSet, ...]
    parent: Ints
    slot: Ints
    owner: Ints
    infoset: Ints
    terminal: Ints
    labels: tuple[str, ...]
    end_labels: tuple[str | None, ...]
    chance_sets: tuple[slice, ...]

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.parent)

    @cached_property
    def action_count(self) -> int:
        """Number of action slots, over all information sets."""
        return sum(len(s.actions) for s in self.infosets)

    def same_as(self, other: Topology) -> bool:
        """Whether two trees have the same nodes, information sets and labels."""
        if self is other:
            return True
        labels = (self.players, self.infosets, self.labels, self.end_labels, self.chance_sets)
        theirs = (other.players, other.infosets, other.labels, other.end_labels, other.chance_sets)
        return labels == theirs and np.array_equal(self.parent, other.parent) and np.array_equal(self.slot, other.slot)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The children of each node, in order of their actions."""
        lists: list[list[int]] = [[] for _ in range(self.size)]
        for node, above in enumerate(self.parent.tolist()):
            if node:
                lists[above].append(node)
        return tuple(map(tuple, lists))

    @cached_property
    def depth(self) -> Ints:
        """Number of moves before each node."""
        return depth_of(self.parent)

    @cached_property
    def levels(self) -> tuple[Ints, ...]:
        """Nodes by depth, the root's level first."""
        order = np.argsort(self.depth, kind="stable")
        return tuple(np.split(order, np.flatnonzero(np.diff(self.depth[order])) + 1))

    @cached_property
    def slot_infoset(self) -> Ints:
        """The information set of each action slot, shape (action_count,)."""
        return np.repeat(np.arange(len(self.infosets)), [len(s.actions) for s in self.infosets])

    def path(self, node: int) -> tuple[str, ...]:
        """Return the labels from the root to a node, an end's own label last."""
        labels: list[str] = []
        if self.owner[node] == TERMINAL:
            own = self.end_labels[int(np.searchsorted(self.terminal, node))]
            if own is not None:
                labels.append(own)
        while node > 0:
            labels.append(self.labels[self.slot[node]])
            node = int(self.parent[node])
        return tuple(reversed(labels))

    def name(self, node: int) -> str:
        """Return a readable name of a node: the actions that lead to it."""
        return node_name(self, node)

    @cached_property
    def end_paths(self) -> tuple[tuple[str, ...], ...]:
        """The path of labels to each end."""
        return tuple(self.path(int(z)) for z in self.terminal)

    def ends_after(self, label: str) -> NDArray[np.bool_]:
        """Return whether a label stands on the way to each end, or is its own, shape (z,)."""
        leads = np.array([text == label for text in self.labels], dtype=bool)
        after = np.zeros(self.size, dtype=bool)
        for level in self.levels[1:]:
            after[level] = after[self.parent[level]] | leads[self.slot[level]]
        own = np.array([text == label for text in self.end_labels], dtype=bool)
        return np.asarray(after[self.terminal] | own)

    @cached_property
    def set_nodes(self) -> tuple[Ints, Ints]:
        """Decision nodes, information set after information set, and where each set begins among them."""
        moved = np.flatnonzero(self.owner >= 0)
        order = moved[np.argsort(self.infoset[moved], kind="stable")]
        return order, np.cumsum([0, *(len(s.nodes) for s in self.infosets)])[:-1]

    @cached_property
    def slot_nodes(self) -> tuple[Ints, Ints]:
        """All nodes but the root, slot after slot, and where each slot begins among them, the end behind the last."""
        order = 1 + np.argsort(self.slot[1:], kind="stable")
        return order, np.searchsorted(self.slot[order], np.arange(len(self.labels) + 1))

    def after(self, s: InformationSet) -> Ints:
        """Return what each action leads to at each node of an information set, shape (nodes, actions)."""
        order, starts = self.slot_nodes
        below = order[starts[s.first] : starts[s.first + len(s.actions)]]
        return below.reshape(len(s.actions), len(s.nodes)).T

    @cached_property
    def last_own(self) -> Ints:
        """For each decision node, its player's previous action slot on the path; -1 if there is none; else -2."""
        result = np.full(self.size, -2, dtype=np.int64)
        for player in range(len(self.players)):
            last = np.full(self.size, -1, dtype=np.int64)
            for level in self.levels[1:]:
                above = self.parent[level]
                last[level] = np.where(self.owner[above] == player, self.slot[level], last[above])
            mine = self.owner == player
            result[mine] = last[mine]
        return result

    @cached_property
    def recall_violation(self) -> tuple[int, int] | None:
        """Two nodes of one information set that the player could tell apart by its own past, or None.

        A tree has perfect recall iff at every information set all nodes have the same previous own action [1]_.

        References
        ----------
        .. [1] H. W. Kuhn, "Extensive Games and the Problem of Information", 1953.
        """
        order, starts = self.set_nodes
        first = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
        odd = np.flatnonzero(self.last_own[order] != self.last_own[first])
        return (int(first[odd[0]]), int(order[odd[0]])) if len(odd) else None

    def require_perfect_recall(self, concept: str) -> None:
        """Raise GameError, naming two nodes, if the tree lacks perfect recall."""
        if self.recall_violation is None:
            return
        a, b = self.recall_violation
        s = self.infosets[self.infoset[a]]
        raise GameError(
            f"{concept} needs perfect recall, but {self.players[s.player]} forgets its own past at information set "
            f"{s.name!r}: it contains {self.name(a)!r} and {self.name(b)!r}, which follow different own moves"
        )


def node_name(topology: Topology, node: int) -> str:
    """Return the labels to a node joined by ``/``; ``"start"`` for the root."""
    return "/".join(topology.path(node)) or "start"


def depth_of(parent: Ints) -> Ints:
    """Return the number of moves before each node, by doubling the way back to the root."""
    above = np.maximum(parent, 0)
    depth = (parent >= 0).astype(np.int64)
    while above.any():
        depth += depth[above]
        above = above[above]
    return depth


def from_arrays(
    players: Sequence[str],
    parent: Ints,
    mover: Ints,
    infoset: Ints,
    labels: Sequence[str],
    end_labels: Sequence[str | None] | None,
) -> tuple[Topology, Ints]:
    """Return the shape of a tree that is given as arrays, and the nodes of its chance branches in order of their slots.

    See `ExtensiveGame.from_arrays`.
    """
    n = len(parent)
    for name, given in (("mover", mover), ("infoset", infoset), ("labels", labels)):
        if len(given) != n:
            raise GameError(f"{name} must have one entry for each of the {n} nodes of parent, got {len(given)}")
    if n == 0 or parent[0] != -1:
        raise GameError("parent must begin with the root, -1")
    wrong = np.flatnonzero((parent[1:] < 0) | (parent[1:] >= np.arange(1, n)))
    if wrong.size:
        node = int(wrong[0]) + 1
        raise GameError(f"parent[{node}] must be an earlier node, from 0 to {node - 1}, got {parent[node]}")
    wrong = np.flatnonzero((mover < TERMINAL) | (mover >= len(players)))
    if wrong.size:
        raise GameError(
            f"mover[{wrong[0]}] must be the index of one of {len(players)} players, {CHANCE} for chance or {TERMINAL} "
            f"for an end, got {mover[wrong[0]]}"
        )
    below = np.bincount(parent[1:], minlength=n)
    wrong = np.flatnonzero((below == 0) != (mover == TERMINAL))
    if wrong.size:
        what = "ends the game but has branches" if below[wrong[0]] else "has no branches but does not end the game"
        raise GameError(f"node {wrong[0]} {what}")
    children = 1 + np.argsort(parent[1:], kind="stable")
    starts = np.concatenate([[0], np.cumsum(below)])
    rank = np.zeros(n, dtype=np.int64)
    rank[children] = np.arange(n - 1) - starts[parent[children]]
    _require_preorder(parent, children, rank)
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(label, len(codes)) for label in labels], dtype=np.int64)
    moved = np.flatnonzero(mover >= 0)
    _, first_of, inverse = np.unique(
        np.stack([mover[moved], infoset[moved]]), axis=1, return_index=True, return_inverse=True
    )
    in_order = np.argsort(first_of)
    place = np.empty_like(in_order)
    place[in_order] = np.arange(len(in_order))
    which = np.full(n, -1, dtype=np.int64)
    which[moved] = place[np.asarray(inverse).ravel()]
    heads = moved[first_of[in_order]]
    first = np.concatenate([[0], np.cumsum(below[heads])])
    odd = np.flatnonzero(below[moved] != below[heads][which[moved]])
    if odd.size:
        _refuse_actions(
            players, labels, mover, infoset, children, starts, int(moved[odd[0]]), int(heads[which[moved[odd[0]]]])
        )
    count = int(first[-1])
    chances = np.flatnonzero(mover == CHANCE)
    chance_first = np.concatenate([[0], np.cumsum(below[chances])])
    begin = np.zeros(n, dtype=np.int64)
    begin[moved], begin[chances] = first[which[moved]], count + chance_first[:-1]
    slot = begin[parent] + rank
    slot[0] = -1
    leads = np.empty(count + int(chance_first[-1]), dtype=np.int64)  # a node behind each slot
    leads[slot[1:][::-1]] = np.arange(1, n)[::-1]
    other = 1 + np.flatnonzero(code[1:] != code[leads[slot[1:]]])
    if other.size:
        node = int(parent[other[0]])
        _refuse_actions(players, labels, mover, infoset, children, starts, node, int(heads[which[node]]))
    groups = np.concatenate(
        [
            np.repeat(np.arange(len(heads)), below[heads]),
            len(heads) + np.repeat(np.arange(len(chances)), below[chances]),
        ]
    )
    pairs = groups * len(codes) + code[leads]
    if len(np.unique(pairs)) != len(pairs):
        repeated = np.setdiff1d(np.arange(len(pairs)), np.unique(pairs, return_index=True)[1])[0]
        node = int(leads[repeated])
        raise GameError(
            f"branches of one node must have distinct labels, got {labels[node]!r} twice at node {parent[node]}"
        )
    ends = np.flatnonzero(mover == TERMINAL)
    if end_labels is not None and len(end_labels) != len(ends):
        raise GameError(f"end_labels must have one entry for each of the {len(ends)} ends, got {len(end_labels)}")
    slot_labels = tuple([labels[node] for node in leads.tolist()])
    bounds = chance_first.tolist()
    bare = Topology(
        players=tuple(players),
        infosets=(),
        parent=parent,
        slot=slot,
        owner=mover,
        infoset=which,
        terminal=ends,
        labels=slot_labels,
        end_labels=tuple(end_labels) if end_labels is not None else (None,) * len(ends),
        chance_sets=tuple(slice(a, b) for a, b in itertools.pairwise(bounds)),
    )
    in_sets = moved[np.argsort(which[moved], kind="stable")].tolist()
    sizes = np.concatenate([[0], np.cumsum(np.bincount(which[moved], minlength=len(heads)))]).tolist()
    offsets = first.tolist()
    sets = [
        (
            int(mover[head]),
            str(infoset[head]),
            slot_labels[offsets[i] : offsets[i + 1]],
            in_sets[sizes[i] : sizes[i + 1]],
        )
        for i, head in enumerate(heads.tolist())
    ]
    object.__setattr__(bare, "infosets", _information_sets(bare, sets, offsets[:-1]))
    return bare, leads[count:]


def _require_preorder(parent: Ints, children: Ints, rank: Ints) -> None:
    """Raise GameError unless each subtree follows its root without a gap."""
    n = len(parent)
    size = np.ones(n, dtype=np.int64)
    depth = depth_of(parent)
    by_depth = np.argsort(depth, kind="stable")
    for level in reversed(np.split(by_depth, np.flatnonzero(np.diff(depth[by_depth])) + 1)[1:]):
        np.add.at(size, parent[level], size[level])
    expected = np.where(rank[children] == 0, parent[children] + 1, 0)
    later = np.flatnonzero(rank[children] > 0)
    expected[later] = children[later - 1] + size[children[later - 1]]
    wrong = np.flatnonzero(expected != children)
    if wrong.size:
        node = int(children[wrong].min())
        raise GameError(f"nodes must stand in preorder, each followed by all that lies below it; node {node} does not")


def _refuse_actions(
    players: Sequence[str],
    labels: Sequence[str],
    mover: Ints,
    infoset: Ints,
    children: Ints,
    starts: Ints,
    node: int,
    head: int,
) -> None:
    mine, theirs = ([labels[c] for c in children[starts[k] : starts[k + 1]]] for k in (node, head))
    raise GameError(
        f"information set {infoset[head]} of {players[mover[head]]} has actions {theirs} at node {head} and {mine} at "
        f"node {node}; they must be the same, in the same order"
    )


def flatten(players: Sequence[str], root: Node) -> tuple[Topology, list[Quantity], list[list[Quantity]]]:
    """Return the shape of a tree, its chance probabilities by slot, and its payoffs by end and player.

    Raises
    ------
    GameError
        If an unknown player moves or is paid, an end lacks a payoff, nodes of one information set differ in their
        actions, a node contains itself, or the tree is larger than ``MOST_NODES``.
    """
    walk = _Walk(tuple(players))
    walk.run(root)
    return walk.topology(), walk.chance, walk.payoffs


class _Walk:
    """One depth-first pass over the nodes, without recursion."""

    def __init__(self, players: tuple[str, ...]) -> None:
        self.players = players
        self.index = {p: i for i, p in enumerate(players)}
        self.parent: list[int] = []
        self.branch: list[tuple[int, int]] = []  # (information set or ~chance node, position)
        self.owner: list[int] = []
        self.infoset: list[int] = []
        self.ends: list[int] = []
        self.end_labels: list[str | None] = []
        self.payoffs: list[list[Quantity]] = []
        self.chance: list[Quantity] = []
        self.chance_first: list[int] = []
        self.chance_labels: list[str] = []
        self.sets: list[tuple[int, str | None, tuple[str, ...], list[int]]] = []
        self.set_index: dict[tuple[int, str], int] = {}

    def run(self, root: Node) -> None:
        stack: list[tuple[Any, int, tuple[int, int]]] = [(root, -1, (0, -1))]
        open_nodes: list[tuple[int, int]] = []  # (id, depth) of the path, to notice a node inside itself
        depth: dict[int, int] = {-1: -1}
        on_path: set[int] = set()
        while stack:
            node, parent, branch = stack.pop()
            here = len(self.parent)
            if here >= MOST_NODES:
                raise GameError(f"the tree has more than {MOST_NODES:,} nodes; split it into subgames")
            level = depth[here] = depth[parent] + 1
            while open_nodes and open_nodes[-1][1] >= level:
                on_path.discard(open_nodes.pop()[0])
            if id(node) in on_path:
                raise GameError("a node contains itself: the tree has a cycle")
            self.parent.append(parent)
            self.branch.append(branch)
            if isinstance(node, End):
                self._end(node, here)
                continue
            on_path.add(id(node))
            open_nodes.append((id(node), level))
            if isinstance(node, Move):
                which = self._move(node, here)
                below = list(node.actions.values())
            else:
                which = self._chance(node)
                below = [child for _, child in node.branches.values()]
            stack.extend((child, here, (which, i)) for i, child in reversed(list(enumerate(below))))

    def _end(self, node: End, here: int) -> None:
        for player in node.payoffs:
            if player not in self.index:
                raise GameError(f"{_named(node)} pays {player!r}, who is no player; players are {list(self.players)}")
        missing = [p for p in self.players if p not in node.payoffs]
        if missing:
            raise GameError(f"{_named(node)} has no payoff for {missing[0]!r}; give one for every player")
        self.owner.append(TERMINAL)
        self.infoset.append(-1)
        self.ends.append(here)
        self.end_labels.append(node.label)
        self.payoffs.append([node.payoffs[p] for p in self.players])

    def _move(self, node: Move, here: int) -> int:
        if node.player not in self.index:
            raise GameError(f"{node.player!r} moves but is no player; players are {list(self.players)}")
        player, actions = self.index[node.player], tuple(node.actions)
        which = -1 if node.infoset is None else self.set_index.get((player, node.infoset), -1)
        if which < 0:
            which = len(self.sets)
            self.sets.append((player, node.infoset, actions, [here]))
            if node.infoset is not None:
                self.set_index[player, node.infoset] = which
        else:
            known = self.sets[which][2]
            if known != actions:
                raise GameError(
                    f"information set {node.infoset!r} of {node.player} has actions {list(known)} at one node and "
                    f"{list(actions)} at another; they must be the same, in the same order"
                )
            self.sets[which][3].append(here)
        self.owner.append(player)
        self.infoset.append(which)
        return which

    def _chance(self, node: Chance) -> int:
        self.owner.append(CHANCE)
        self.infoset.append(-1)
        self.chance_first.append(len(self.chance))
        self.chance.extend(probability for probability, _ in node.branches.values())
        self.chance_labels.extend(node.branches)
        return ~(len(self.chance_first) - 1)

    def topology(self) -> Topology:
        first: list[int] = []
        count = 0
        for _, _, actions, _ in self.sets:
            first.append(count)
            count += len(actions)
        slot = [
            -1 if i < 0 else (first[which] + i if which >= 0 else count + self.chance_first[~which] + i)
            for which, i in self.branch
        ]
        labels = (*(label for _, _, actions, _ in self.sets for label in actions), *self.chance_labels)
        bounds = [*self.chance_first, len(self.chance)]
        bare = Topology(
            players=self.players,
            infosets=(),
            parent=np.array(self.parent, dtype=np.int64),
            slot=np.array(slot, dtype=np.int64),
            owner=np.array(self.owner, dtype=np.int64),
            infoset=np.array(self.infoset, dtype=np.int64),
            terminal=np.array(self.ends, dtype=np.int64),
            labels=labels,
            end_labels=tuple(self.end_labels),
            chance_sets=tuple(slice(a, b) for a, b in itertools.pairwise(bounds)),
        )
        object.__setattr__(bare, "infosets", _information_sets(bare, self.sets, first))
        return bare


def _information_sets(
    bare: Topology, sets: Sequence[tuple[int, str | None, tuple[str, ...], list[int]]], first: Sequence[int]
) -> tuple[InformationSet, ...]:
    """Return information sets by player, name if there is one, actions and nodes, with names that tell them apart."""
    names = [name if name is not None else node_name(bare, nodes[0]) for _, name, _, nodes in sets]
    owners: dict[str, set[int]] = {}
    taken: dict[int, set[str]] = {}
    for i, (player, given, _, _) in enumerate(sets):
        while given is None and names[i] in taken.get(player, ()):
            names[i] += "'"
        taken.setdefault(player, set()).add(names[i])
        owners.setdefault(names[i], set()).add(player)
    return tuple(
        InformationSet(
            player=player,
            name=name,
            key=name if len(owners[name]) == 1 else f"{bare.players[player]}: {name}",
            actions=actions,
            nodes=tuple(nodes),
            first=start,
        )
        for name, start, (player, _, actions, nodes) in zip(names, first, sets, strict=True)
    )


def _named(node: End) -> str:
    if node.label is not None:
        return f"end {node.label!r}"
    return f"the end without a name (payoffs {', '.join(f'{p}={v}' for p, v in node.payoffs.items()) or 'none'})"

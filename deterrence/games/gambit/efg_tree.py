"""What a tree file holds, whichever way it is read, and the game that it makes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from operator import add
from typing import Any

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.text import Number, distinct
from deterrence.games.quantities import Array
from deterrence.games.topology import CHANCE, TERMINAL, InformationSet, Ints, Topology

LONGEST_NAME = 20  # moves on the path that names an unnamed information set; beyond, it gets a number


@dataclass(kw_only=True)
class FileTree:
    """The nodes of a file in preorder, and what they refer to.

    Attributes
    ----------
    players : tuple of str
    parent, owner, infoset : sequence of int
        By node, as in ``Topology``.
    outcome : sequence of int
        By node, its place in ``names`` and ``payoffs``; 0 where there is none.
    sets : list
        Of each information set: player, name, actions, nodes, number in the file.
    chance : list
        Of each move of chance, in preorder: labels and probabilities of its branches.
    names : list of str
        Of outcomes; the first stands for none.
    payoffs : list of number
        Of outcomes, those of one behind those of the other; the first pays nothing.
    """

    players: tuple[str, ...]
    parent: Sequence[int] | Ints
    owner: Sequence[int] | Ints
    infoset: Sequence[int] | Ints
    outcome: Sequence[int] | Ints
    sets: list[tuple[int, str, tuple[str, ...], tuple[int, ...], int]]
    chance: list[tuple[tuple[str, ...], tuple[Number, ...]]]
    names: list[str]
    payoffs: list[Number]

    def game(self, title: str) -> ExtensiveGame:
        """Return the game that has been read."""
        first = np.cumsum([0, *(len(s[2]) for s in self.sets)])
        bounds = first[-1] + np.cumsum([0, *(len(labels) for labels, _ in self.chance)])
        parent = np.array(self.parent, dtype=np.int64)
        owner = np.array(self.owner, dtype=np.int64)
        infoset = np.array(self.infoset, dtype=np.int64)
        outcome = np.array(self.outcome, dtype=np.int64)
        terminal = np.flatnonzero(owner == TERMINAL)
        names = [name or None for name in self.names]
        topology = Topology(
            players=self.players,
            infosets=(),
            parent=parent,
            slot=_slots(parent, owner, infoset, first, bounds),
            owner=owner,
            infoset=infoset,
            terminal=terminal,
            labels=(*(a for s in self.sets for a in s[2]), *(label for labels, _ in self.chance for label in labels)),
            end_labels=tuple(map(names.__getitem__, outcome[terminal].tolist())),
            chance_sets=tuple(slice(a, b) for a, b in pairwise((bounds - first[-1]).tolist())),
        )
        object.__setattr__(topology, "infosets", self._information_sets(topology, first))
        return ExtensiveGame.of(topology, self._chance(), self._payoffs(parent, outcome, terminal), title)

    def _information_sets(self, topology: Topology, first: Array) -> tuple[InformationSet, ...]:
        names = [name for _, name, _, _, _ in self.sets]
        for i, (_, name, _, nodes, number) in enumerate(self.sets):
            if not name:
                names[i] = topology.name(nodes[0]) if topology.depth[nodes[0]] <= LONGEST_NAME else f"_{number}"
        for player in range(len(self.players)):
            mine = [i for i, s in enumerate(self.sets) if s[0] == player]
            for i, name in zip(mine, distinct([names[i] for i in mine]), strict=True):
                names[i] = name
        owners: dict[str, set[int]] = {}
        for name, s in zip(names, self.sets, strict=True):
            owners.setdefault(name, set()).add(s[0])
        return tuple(
            InformationSet(
                player=player,
                name=name,
                key=name if len(owners[name]) == 1 else f"{self.players[player]}: {name}",
                actions=actions,
                nodes=tuple(nodes),
                first=int(start),
            )
            for name, start, (player, _, actions, nodes, _) in zip(names, first[:-1], self.sets, strict=True)
        )

    def _chance(self) -> Any:
        weights = [w for _, ws in self.chance for w in ws]
        exact = all(sum(ws) == 1 for _, ws in self.chance)
        return _numbers(weights, exact=exact)

    def _payoffs(self, parent: Ints, outcome: Ints, terminal: Ints) -> Array:
        """Payoffs at ends, with all that is paid on the way there."""
        players = len(self.players)
        inner = outcome != 0
        inner[terminal] = False
        if not inner.any():
            return _numbers(self.payoffs).reshape(-1, players)[outcome[terminal]]
        paid = list(zip(*[iter(self.payoffs)] * players, strict=True))
        rows = [paid[number] for number in outcome.tolist()]
        for node, above in enumerate(parent.tolist()[1:], start=1):
            if any(rows[above]):
                rows[node] = tuple(map(add, rows[above], rows[node]))
        sums = [x for node in terminal.tolist() for x in rows[node]]
        if max(map(abs, sums)) > sys.float_info.max:
            raise GameError("payoffs along a path add up to more than a float can hold, 1e308; rescale them")
        return _numbers(sums).reshape(-1, players)


def _slots(parent: Ints, owner: Ints, infoset: Ints, first: Ints, bounds: Ints) -> Ints:
    """Return the slot that leads to each node: the first of its parent, and on by its place among the children."""
    start = np.where(infoset >= 0, first[np.maximum(infoset, 0)], 0)
    start[owner == CHANCE] = bounds[:-1]
    slot = np.full(len(parent), -1, dtype=np.int64)
    order = 1 + np.argsort(parent[1:], kind="stable")
    above = parent[order]
    new = np.flatnonzero(np.diff(above, prepend=-2))
    place = np.arange(len(order)) - np.repeat(new, np.diff(new, append=len(order)))
    slot[order] = start[above] + place
    return slot


def _numbers(values: Sequence[Number], *, exact: bool = True) -> Array:
    """Return numbers as floats where all are whole (and small enough to lose nothing), else as Fractions."""
    array = np.array(values)
    if not exact or (array.dtype.kind == "i" and np.abs(array).max(initial=0) <= 2**53) or not values:
        return array.astype(np.float64)
    array = np.empty(len(values), dtype=object)
    array[:] = [x if isinstance(x, Fraction) else Fraction(x) for x in values]
    return array

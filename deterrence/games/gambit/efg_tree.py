"""What a tree file holds, whichever way it is read, and the game that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.text import Number, distinct
from deterrence.games.quantities import Array
from deterrence.games.topology import CHANCE, TERMINAL, InformationSet, Ints, Topology

LONGEST_NAME = 20  # moves on the path that names an unnamed information set; beyond, it gets a number


@dataclass
class FileTree:
    """The nodes of a file in preorder, and what they refer to.

    Attributes
    ----------
    players : tuple of str
    parent, owner, infoset, outcome : list of int
        By node: as in ``Topology``, and the number of its outcome (0: none).
    sets : list
        Of each information set: player, name, actions, nodes, number in the file.
    chance : list
        Of each move of chance, in preorder: labels and probabilities of its branches.
    outcomes : dict
        Name and payoffs by number.
    """

    players: tuple[str, ...]
    parent: list[int] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    infoset: list[int] = field(default_factory=list)
    outcome: list[int] = field(default_factory=list)
    sets: list[tuple[int, str, tuple[str, ...], list[int], int]] = field(default_factory=list)
    chance: list[tuple[tuple[str, ...], tuple[Number, ...]]] = field(default_factory=list)
    outcomes: dict[int, tuple[str, tuple[Number, ...]]] = field(default_factory=dict)

    def game(self, title: str) -> ExtensiveGame:
        """Return the game that has been read."""
        first = np.cumsum([0, *(len(s[2]) for s in self.sets)])
        bounds = first[-1] + np.cumsum([0, *(len(labels) for labels, _ in self.chance)])
        parent = np.array(self.parent, dtype=np.int64)
        owner = np.array(self.owner, dtype=np.int64)
        infoset = np.array(self.infoset, dtype=np.int64)
        terminal = np.flatnonzero(owner == TERMINAL)
        names = {number: name or None for number, (name, _) in self.outcomes.items()}
        topology = Topology(
            players=self.players,
            infosets=(),
            parent=parent,
            slot=_slots(parent, owner, infoset, first, bounds),
            owner=owner,
            infoset=infoset,
            terminal=terminal,
            labels=(*(a for s in self.sets for a in s[2]), *(label for labels, _ in self.chance for label in labels)),
            end_labels=tuple(names.get(self.outcome[z]) for z in terminal.tolist()),
            chance_sets=tuple(slice(a, b) for a, b in pairwise((bounds - first[-1]).tolist())),
        )
        object.__setattr__(topology, "infosets", self._information_sets(topology, first))
        return ExtensiveGame.of(topology, self._chance(), self._payoffs(terminal), title)

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

    def _payoffs(self, terminal: Ints) -> Array:
        zero = (0,) * len(self.players)
        paid = {0: zero, **{number: payoffs for number, (_, payoffs) in self.outcomes.items()}}
        inner = np.array(self.outcome, dtype=object)[np.array(self.owner) != TERMINAL]
        if not inner.any():
            return _numbers([x for node in terminal.tolist() for x in paid[self.outcome[node]]]).reshape(-1, len(zero))
        rows = [paid[number] for number in self.outcome]
        for node in range(1, len(rows)):
            above, own = rows[self.parent[node]], rows[node]
            rows[node] = tuple(a + b for a, b in zip(above, own, strict=True)) if any(above) else own
        return _numbers([x for node in terminal.tolist() for x in rows[node]]).reshape(-1, len(zero))


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

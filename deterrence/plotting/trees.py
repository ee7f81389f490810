"""Pictures of game trees, as SVG: information sets, chance, payoffs, and an equilibrium drawn on the tree.

Time runs from left to right; each end has a row of its own, with its payoffs in a table at the right. Nodes of one
information set stand in one column and are joined by a dashed bracket. With an equilibrium, the width of a line is
the probability that the action is taken, lines off the path are pale, mixtures and beliefs stand beside what they
belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subtree_ends
from deterrence.games.play import reach
from deterrence.games.quantities import Array, as_float
from deterrence.games.tables import quantity_text
from deterrence.games.topology import CHANCE
from deterrence.plotting.scene import (
    COLORS,
    INK,
    Dot,
    Label,
    Line,
    Part,
    Scene,
    diamond,
    probability_text,
    shorten,
    width_of,
)
from deterrence.plotting.svg import svg_text

FANNED = 22.0  # pixels in which lines spread from a node
WHOLE = 120  # characters of texts whose parts are cut already
LANE = 9.0  # pixels between brackets of information sets


def tree_svg(game: ExtensiveGame, equilibrium: Any = None, *, themed: bool = True, **options: Any) -> str:
    """Return a picture of a tree as SVG text; see ``tree_scene`` for the options."""
    return svg_text(tree_scene(game, equilibrium, **options), themed=themed)


def tree_scene(
    game: ExtensiveGame,
    equilibrium: Any = None,
    *,
    colors: Sequence[str] = COLORS,
    font_size: float = 12,
    most_ends: int = 150,
) -> Scene:
    """Return a picture of a tree.

    Parameters
    ----------
    game : ExtensiveGame
        With numbers or parameters; of a batch, numbers are shown as ranges.
    equilibrium : Equilibrium or BehaviorProfile, optional
        What to draw on the tree; of a continuum, its ``profile``.
    colors : sequence of str
        A colour for each player, in order, and again from the start if there are more players.
    font_size : float
        Pixels.
    most_ends : int
        Rows; of a larger tree only the first moves are drawn, with the number of nodes behind each.

    Raises
    ------
    GameError
        If the equilibrium is none of a tree of this shape.
    """
    profile = getattr(equilibrium, "profile", equilibrium)
    if profile is not None and getattr(profile, "actions", np.zeros(0)).shape != (game.topology.action_count,):
        raise GameError(
            f"the profile has not the shape of this tree, which has {game.topology.action_count} actions; solve this "
            "game, or lift the profile to it (see Reduction.lift)"
        )
    layout = _Layout(game, _leaves(game, most_ends), float(font_size))
    return _Drawing(game, profile, layout, tuple(colors)).scene()


def _leaves(game: ExtensiveGame, most: int) -> Array:
    """Return the nodes that get a row: the ends, or the nodes at which a large tree is cut."""
    topology = game.topology
    if len(topology.terminal) <= most:
        return topology.terminal
    ends_at = np.bincount(topology.depth[topology.terminal], minlength=len(topology.levels))
    rows = [len(level) + int(ends_at[:d].sum()) for d, level in enumerate(topology.levels)]
    depth = max(d for d, count in enumerate(rows) if count <= max(most, 1))
    cut = (topology.depth == depth) | (np.isin(np.arange(topology.size), topology.terminal) & (topology.depth < depth))
    return np.flatnonzero(cut)


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where each node stands."""

    game: ExtensiveGame
    leaves: Array
    size: float

    @cached_property
    def drawn(self) -> list[int]:
        """The nodes that are drawn, in preorder."""
        hidden = np.zeros(self.game.topology.size, dtype=bool)
        beyond = subtree_ends(self.game.topology)
        for leaf in self.leaves:
            hidden[leaf + 1 : beyond[leaf]] = True
        return [int(n) for n in np.flatnonzero(~hidden)]

    @cached_property
    def is_leaf(self) -> frozenset[int]:
        """The nodes with a row of their own."""
        return frozenset(int(n) for n in self.leaves)

    @cached_property
    def sets(self) -> list[tuple[int, list[int]]]:
        """Information sets with several nodes that are drawn with their moves: index and nodes."""
        found = []
        for i, s in enumerate(self.game.infosets):
            nodes = [n for n in s.nodes if n in self.column and n not in self.is_leaf]
            if len(nodes) > 1:
                found.append((i, nodes))
        return found

    @cached_property
    def column(self) -> dict[int, int]:
        """The column of each node: its depth, or more, so that the nodes of an information set stand in one column."""
        topology = self.game.topology
        column = {n: int(topology.depth[n]) for n in self.drawn}
        groups = [[n for n in s.nodes if n in column] for s in self.game.infosets]
        groups = [g for g in groups if len(g) > 1 and not self._in_line(g)]
        widest = 2 * len(topology.levels)
        for _ in range(len(groups) + 2):
            before = dict(column)
            for group in groups:
                at = max(column[n] for n in group)
                for n in group:
                    column[n] = at
            for n in self.drawn[1:]:
                column[n] = max(column[n], column[int(topology.parent[n])] + 1)
            if column == before or max(column.values()) > widest:
                break
        return column

    def _in_line(self, group: list[int]) -> bool:
        """Whether one node of a set is below another (an absent-minded player)."""
        beyond = subtree_ends(self.game.topology)
        return any(b < beyond[a] for a, b in pairwise(group))

    @cached_property
    def y(self) -> dict[int, float]:
        """Heights: rows for ends, a little apart where the mover changes; other nodes in the middle of theirs."""
        topology = self.game.topology
        y: dict[int, float] = {}
        at, before = 3.2 * self.size, -1
        for leaf in map(int, self.leaves):
            above = int(topology.parent[leaf])
            if y:
                alone = before >= 0 and len(topology.children[before]) == 1
                at += self.size * (1.9 if above == before else 3.5 if alone else 2.9)
            y[leaf], before = at, above
        for n in reversed(self.drawn):
            if n not in y:
                below = topology.children[n]
                y[n] = (y[below[0]] + y[below[-1]]) / 2
        return y

    @cached_property
    def lanes(self) -> dict[int, int]:
        """The lane of each bracket, counted leftward from its column: brackets in one lane do not overlap."""
        taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
        lanes: dict[int, int] = {}
        for i, nodes in self.sets:
            low, high = self.y[nodes[0]] - 2, self.y[nodes[-1]] + 2
            column, lane = self.column[nodes[0]], 0
            while any(a < high and low < b for a, b in taken.get((column, lane), ())):
                lane += 1
            taken.setdefault((column, lane), []).append((low, high))
            lanes[i] = lane
        return lanes

    def x(self, widths: dict[int, float]) -> dict[int, float]:
        """Return the position of each column, from the width of the labels before it."""
        last = max(self.column.values())
        lanes = {
            c: 1 + max((self.lanes[i] for i, nodes in self.sets if self.column[nodes[0]] == c), default=-1)
            for c in range(last + 1)
        }
        x = {0: 14 + max(widths.get(0, 0), 0.0) + LANE * lanes[0]}
        for c in range(1, last + 1):
            x[c] = x[c - 1] + FANNED + widths.get(c, 0.0) + 13 + LANE * lanes[c]
        return x


class _Drawing:
    """The parts of one picture."""

    def __init__(self, game: ExtensiveGame, profile: Any, layout: _Layout, colors: tuple[str, ...]) -> None:
        self.game, self.layout = game, layout
        self.colors = [colors[i % len(colors)] for i in range(len(game.players))]
        self.play = None if profile is None else as_float(profile.actions)
        self.exact_play = None if profile is None else profile.actions
        self.beliefs = None if profile is None else profile.nodes
        self.reach = None if self.play is None else reach(game.floats(), self.play)
        widths: dict[int, float] = {}
        for n in layout.drawn:
            c = layout.column[n]
            wide = [width_of(self.edge_text(n), layout.size, WHOLE, bold=self.mixes(n))]
            wide += [width_of(w, layout.size, WHOLE, bold=k == 0) for k, w in enumerate(self.node_texts(n))]
            widths[c] = max(widths.get(c, 0.0), *wide)
        self.x = layout.x(widths)
        self.table = max(self.x.values()) + 12

    def scene(self) -> Scene:
        """Return the whole picture."""
        layout = self.layout
        rows, width = self.rows()
        parts: list[Part] = [*self.brackets()]
        for n in layout.drawn:
            parts += self.edge(n)
        for n in layout.drawn:
            parts += self.node(n)
        height = max(layout.y.values()) + 3 * layout.size
        return Scene(width, height, self.name(), (*parts, *rows), layout.size)

    def name(self) -> str:
        """Return what the picture shows, in words."""
        game = self.game
        title = f"{game.title}: " if game.title else ""
        drawn = "" if self.play is None else ", with an equilibrium"
        return f"{title}game tree of {', '.join(game.players)}, {game.topology.size} nodes{drawn}"

    # -- words -------------------------------------------------------------------------------------------------

    def mixes(self, node: int) -> bool:
        """Return whether the move to a node is taken with a probability between zero and one."""
        slot = int(self.game.topology.slot[node])
        return self.play is not None and 0 <= slot < self.game.topology.action_count and bool(0 < self.play[slot] < 1)

    def edge_text(self, node: int) -> str:
        """Return the label of the move to a node, with its probability."""
        topology = self.game.topology
        slot = int(topology.slot[node])
        if slot < 0:
            return ""
        if slot >= topology.action_count:
            chance = self.game.chance[..., slot - topology.action_count]
            return f"{shorten(topology.labels[slot])} ({quantity_text(np.asarray(chance))})"
        if self.exact_play is not None and 0 < self.exact_play[slot] < 1:
            return f"{shorten(topology.labels[slot])} {probability_text(self.exact_play[slot])}"
        return shorten(topology.labels[slot])

    def node_texts(self, node: int) -> list[str]:
        """Return who moves at a node, with a belief, and the name of its information set where it is told once."""
        topology = self.game.topology
        if node in self.layout.is_leaf or topology.owner[node] < 0:
            return []
        s = topology.infosets[topology.infoset[node]]
        words = [shorten(self.game.players[s.player])]
        if self.beliefs is not None and len(s.nodes) > 1:
            words[0] += f" [{probability_text(self.beliefs[node])}]"
        if node == s.nodes[0] and s.name != topology.name(node):
            words.append(shorten(s.name))
        return words

    # -- lines -------------------------------------------------------------------------------------------------

    def at(self, node: int) -> tuple[float, float]:
        """Return the place of a node."""
        return self.x[self.layout.column[node]], self.layout.y[node]

    def edge(self, node: int) -> list[Part]:
        """Return the line to a node with its label, and on from an end to its row of the table."""
        topology, layout = self.game.topology, self.layout
        x, y = self.at(node)
        parts: list[Part] = []
        if node in layout.is_leaf:
            parts.append(Line((x, y), ((self.table - 4, y),), width=0.8, opacity=0.3))
        if node == 0:
            return parts
        parent = int(topology.parent[node])
        x0, y0 = self.at(parent)
        slot = int(topology.slot[node])
        color = self.colors[topology.owner[parent]] if topology.owner[parent] >= 0 else INK
        width, opacity = 1.4, 1.0
        if self.play is not None and self.reach is not None:
            taken = float(self.play[slot]) if slot < topology.action_count else 0.25
            width = 0.9 + 3.6 * taken
            opacity = 1.0 if self.reach[node] > 0 else 0.4
        parts.append(Line((x0, y0), ((x0 + FANNED, y), (x, y)), width=width, color=color, opacity=opacity))
        parts.append(Label(x0 + FANNED + 3, y - 4, self.edge_text(node), bold=self.mixes(node), longest=WHOLE))
        return parts

    def brackets(self) -> list[Part]:
        """Return the dashed lines that join the nodes of information sets."""
        parts: list[Part] = []
        for i, nodes in self.layout.sets:
            color = self.colors[self.game.infosets[i].player]
            for a, b in pairwise(nodes):
                (xa, ya), (xb, yb) = self.at(a), self.at(b)
                lane = min(xa, xb) - 10 - LANE * self.layout.lanes[i]
                bend = min(12.0, abs(yb - ya) / 2)
                steps = ((lane, ya, lane, ya + bend), (lane, yb - bend), (lane, yb, xb, yb))
                parts.append(Line((xa, ya), steps, width=1.6, color=color, dashed=True))
        return parts

    def node(self, node: int) -> list[Part]:
        """Return the mark of a node and who moves there."""
        topology, size = self.game.topology, self.layout.size
        x, y = self.at(node)
        if node in self.layout.is_leaf:
            return [Dot(x, y, 2.2, INK)]
        if topology.owner[node] == CHANCE:
            return [diamond(x, y, 5)]
        i = int(topology.infoset[node])
        player = topology.infosets[i].player
        lanes = [
            self.layout.lanes[j]
            for j, nodes in self.layout.sets
            if self.layout.column[nodes[0]] == self.layout.column[node]
        ]
        left = x - 7 - (LANE * (max(lanes) + 1) + 4 if lanes else 0)
        color = self.colors[player]
        return [
            Dot(x, y, 4.2, color),
            *(
                Label(left, y + (1.15 + 1.05 * k) * size, words, "end", color, bold=k == 0, longest=WHOLE)
                for k, words in enumerate(self.node_texts(node))
            ),
        ]

    # -- table -------------------------------------------------------------------------------------------------

    def rows(self) -> tuple[list[Part], float]:
        """Return the table of ends, and where it ends at the right."""
        game, layout, size = self.game, self.layout, self.layout.size
        known = {int(n): z for z, n in enumerate(game.topology.terminal)}
        beyond = subtree_ends(game.topology)
        columns: list[tuple[str, str, dict[int, str]]] = []
        for i, player in enumerate(game.players):
            cells = {n: quantity_text(np.asarray(game.payoffs[..., known[n], i])) for n in layout.is_leaf if n in known}
            columns.append((player, self.colors[i], cells))
        if self.reach is not None:
            cells = {n: probability_text(self.reach[n]) for n in layout.is_leaf if self.reach[n] > 0}
            columns.append(("Pr", INK, cells))
        names = {n: game.topology.end_labels[known[n]] or "" for n in layout.is_leaf if n in known}
        names |= {n: f"… {beyond[n] - n - 1} more nodes" for n in layout.is_leaf if n not in known}
        if any(names.values()):
            columns.append(("", INK, names))
        parts: list[Part] = []
        x = self.table
        head = min(layout.y.values()) - 1.7 * size
        for title, color, cells in columns:
            wide = max([width_of(title, size, bold=True), *(width_of(c, size) for c in cells.values())])
            left = not title
            place = x if left else x + wide
            parts.append(Label(place, head, title, anchor="start" if left else "end", color=color, bold=True))
            for n, content in cells.items():
                y = layout.y[n] + 0.35 * size
                parts.append(Label(place, y, content, anchor="start" if left else "end", color=color))
            x += wide + 14
        return parts, x

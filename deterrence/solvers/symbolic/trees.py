"""Trees with symbols: backward induction by cases, down to the outcome or to a signaling game.

A choice can be settled when all that follows it is settled, and the player knows where it stands, or could have come
there by chance alone (so that its belief is the prior). Each action is best in some cases of the parameters; each case
leaves a smaller tree. What cannot be settled this way must have the shape of a signaling game.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.reductions import to_signaling
from deterrence.games.signaling import SignalingGame
from deterrence.games.topology import CHANCE, TERMINAL
from deterrence.games.tree import Chance, End, Move, Node, chance, end, move
from deterrence.solvers.symbolic.conditions import Assumptions, Conjunction, Frac

_BRANCHES = 400


@dataclass(frozen=True, eq=False)
class Branch:
    """A tree after some choices are settled, in one case of the parameters.

    Attributes
    ----------
    case : conjunction
    choices : dict of int to int
        The action (by its number) at each information set that is settled.
    signaling : SignalingGame or None
        What is left; None if nothing is.
    reasons : dict
        Of an atom, the constraints that it comes from.
    """

    case: Conjunction
    choices: Mapping[int, int]
    signaling: SignalingGame | None
    reasons: Mapping[Any, Sequence[str]]


@dataclass(eq=False)
class TreeRegimes:
    """Backward induction of one symbolic tree.

    Parameters
    ----------
    game : ExtensiveGame
    assumptions : Assumptions
    """

    game: ExtensiveGame
    assumptions: Assumptions

    def __post_init__(self) -> None:
        topology, fraction = self.game.topology, self.assumptions.fraction
        self.paid = {int(node): [fraction(x) for x in self.game.payoffs[z]] for z, node in enumerate(topology.terminal)}
        self.chance = [fraction(x) for x in self.game.chance]
        self.ties: list[str] = []
        self.reasons: dict[Any, list[str]] = {}
        self.count = 0

    def branches(self) -> Iterator[Branch]:
        """Yield every case.

        Raises
        ------
        GameError
            If there are too many cases, or what is left has no closed form here.
        """
        yield from self._settle({}, frozenset())

    def values(self, choices: Mapping[int, int]) -> list[list[Frac] | None]:
        """Return what each player expects from each node on; None where that is not settled."""
        topology = self.game.topology
        values: list[list[Frac] | None] = [None] * topology.size
        for node in range(topology.size - 1, -1, -1):
            owner, children = topology.owner[node], topology.children[node]
            if owner == TERMINAL:
                values[node] = self.paid[node]
            elif owner == CHANCE:
                below = [values[c] for c in children]
                weights = [self.chance_of(c) for c in children]
                values[node] = (
                    _mean(weights, [b for b in below if b is not None]) if all(b is not None for b in below) else None
                )
            else:
                chosen = choices.get(int(topology.infoset[node]))
                values[node] = None if chosen is None else values[children[chosen]]
        return values

    def chance_of(self, node: int) -> Frac:
        """Return the probability of a branch of chance."""
        topology = self.game.topology
        return self.chance[topology.slot[node] - topology.action_count]

    def reach(self, node: int, choices: Mapping[int, int]) -> Frac | None:
        """Return the probability of a node if chance and settled choices alone lead there; None otherwise."""
        topology, result = self.game.topology, self.assumptions.domain.one
        while node:
            parent = int(topology.parent[node])
            if topology.owner[parent] == CHANCE:
                result = result * self.chance_of(node)
            elif choices.get(int(topology.infoset[parent])) != topology.children[parent].index(node):
                return None
            node = parent
        return result

    def _settle(self, choices: dict[int, int], case: Conjunction) -> Iterator[Branch]:
        values = self.values(choices)
        ready = self._ready(choices, values)
        if ready is None:
            self.count += 1
            if self.count > _BRANCHES:
                raise GameError(
                    f"the tree has more than {_BRANCHES} cases; assume some signs, or solve it with numbers"
                )
            yield Branch(case, dict(choices), self._rest(choices), self.reasons)
            return
        which, weights = ready
        s, topology, assume = self.game.infosets[which], self.game.topology, self.assumptions
        worth = []
        for a in range(len(s.actions)):
            below = [values[topology.children[node][a]] for node in s.nodes]
            worth.append(_mean(weights, [b for b in below if b is not None])[s.player])
        for a, label in enumerate(s.actions):
            demands = []
            for b, other in enumerate(s.actions):
                if b == a:
                    continue
                if worth[a] == worth[b]:
                    self._note_tie(
                        f"{self.game.players[s.player]} is indifferent at {s.key!r} between {label!r} and {other!r}"
                    )
                cases = assume.cases(worth[a] - worth[b])
                why = f"{self.game.players[s.player]} prefers {label} to {other} at {s.name}"
                for found in cases:
                    for atom in found:
                        if why not in self.reasons.setdefault(atom, []):
                            self.reasons[atom].append(why)
                demands.append(cases)
            for found in assume.conjoin([[case], *demands]):
                if assume.holds_somewhere(found) is not False:
                    yield from self._settle({**choices, which: a}, found)

    def _ready(self, choices: Mapping[int, int], values: Sequence[list[Frac] | None]) -> tuple[int, list[Frac]] | None:
        topology = self.game.topology
        for which in range(len(self.game.infosets) - 1, -1, -1):
            s = self.game.infosets[which]
            if which in choices or not all(values[c] is not None for node in s.nodes for c in topology.children[node]):
                continue
            if len(s.nodes) == 1:
                return which, [self.assumptions.domain.one]
            weights = [self.reach(node, choices) for node in s.nodes]
            if all(w is not None for w in weights):
                return which, [w for w in weights if w is not None]
        return None

    def _rest(self, choices: Mapping[int, int]) -> SignalingGame | None:
        if len(choices) == len(self.game.infosets):
            return None
        pruned = ExtensiveGame(self.game.players, self._pruned(self.game.root, [0], choices), self.game.title)
        try:
            return to_signaling(pruned).game
        except GameError as error:
            raise GameError(
                f"no closed form for this tree: after backward induction {error}; give its parameters numbers"
            ) from None

    def _pruned(self, node: Node, counter: list[int], choices: Mapping[int, int]) -> Node:
        """Return the tree with settled actions alone; nodes are counted in preorder."""
        topology, here = self.game.topology, counter[0]
        counter[0] += 1
        if isinstance(node, End):
            return end(node.label, dict(node.payoffs))
        if isinstance(node, Chance):
            return chance({label: (p, self._pruned(n, counter, choices)) for label, (p, n) in node.branches.items()})
        assert isinstance(node, Move)
        below = {label: self._pruned(n, counter, choices) for label, n in node.actions.items()}
        which = int(topology.infoset[here])
        s = self.game.infosets[which]
        if which in choices:
            kept = s.actions[choices[which]]
            below = {kept: below[kept]}
        return move(node.player, below, infoset=s.name if len(s.nodes) > 1 else node.infoset)

    def _note_tie(self, note: str) -> None:
        if note not in self.ties:
            self.ties.append(note)


def _mean(weights: Sequence[Frac], rows: Sequence[Sequence[Frac]]) -> list[Frac]:
    return [
        sum((w * row[i] for w, row in zip(weights[1:], rows[1:], strict=True)), weights[0] * rows[0][i])
        for i in range(len(rows[0]))
    ]

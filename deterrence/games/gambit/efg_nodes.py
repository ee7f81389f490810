"""Nodes of a tree file, token by token: everything that the format allows, with the place of every mistake."""

from __future__ import annotations

import warnings
from fractions import Fraction

from deterrence.games.gambit.efg_tree import FileTree
from deterrence.games.gambit.text import Number, Tokens, distinct
from deterrence.games.quantities import SUM_TOLERANCE
from deterrence.games.topology import CHANCE, MOST_NODES, TERMINAL


def read_head(tokens: Tokens) -> tuple[str, list[str]]:
    """Read what stands before the nodes: return title and players."""
    if tokens.peek() != "EFG":
        tokens.fail(f"a tree file starts with EFG, got {tokens.peek() or 'nothing'!r}", at=tokens.at)
    tokens.at += 1
    if tokens.take("the version, 2") != "2":
        tokens.fail(f"only version 2 of the format is known, got {tokens.all[tokens.at - 1]!r}")
    if tokens.take("the letter R or D") not in ("R", "D"):
        tokens.fail(f"expected the letter R or D, got {tokens.all[tokens.at - 1]!r}")
    title = tokens.string("the title") if tokens.peek() != "{" else ""
    players = tokens.strings("names of players")
    if not players:
        tokens.fail("a game needs at least one player, got none")
    if tokens.peek().startswith('"'):
        tokens.string("the description")
    return title, distinct(players)


def read_branches(tokens: Tokens) -> tuple[tuple[str, ...], tuple[Number, ...]]:
    """Read the branches of a move of chance, from brace to brace: return labels and probabilities."""
    start = tokens.at
    tokens.expect("{", "before the branches of chance")
    labels: list[str] = []
    weights: list[Number] = []
    while tokens.peek() != "}":
        labels.append(tokens.string("the name of a chance branch"))
        weights.append(tokens.number(f"the probability of {labels[-1]!r}"))
        if weights[-1] < 0:
            tokens.fail(f"the probability of {labels[-1]!r} must not be negative, got {weights[-1]}")
    tokens.at += 1
    total = Fraction(sum(weights))
    if abs(total - 1) > SUM_TOLERANCE:
        tokens.fail(f"the probabilities of chance must sum to 1, got {total}", at=start)
    return tuple(distinct(labels)), tuple(weights)


def read_nodes(tokens: Tokens, players: list[str]) -> FileTree:
    """Read the nodes, in preorder, until every branch has one; what follows is ignored."""
    walk = _Walk(tokens, tuple(players))
    walk.nodes()
    if walk.unnumbered:
        warnings.warn(
            f"{walk.unnumbered} outcomes are numbered 0, which stands for no payoffs, and pay; each is read as an "
            "outcome of its own (strict=True refuses them)",
            stacklevel=3,
        )
    return walk.tree()


class _Walk:
    """One pass over the nodes of a file."""

    def __init__(self, tokens: Tokens, players: tuple[str, ...]) -> None:
        self.tokens = tokens
        self.players = players
        self.parent: list[int] = []
        self.owner: list[int] = []
        self.infoset: list[int] = []
        self.outcome: list[int] = []
        self.sets: list[tuple[int, str, tuple[str, ...], list[int], int]] = []
        self.chance: list[tuple[tuple[str, ...], tuple[Number, ...]]] = []
        self.outcomes: dict[int, tuple[str, tuple[Number, ...]]] = {0: ("", (0,) * len(players))}
        self.set_index: dict[tuple[int, int], int] = {}
        self.chance_index: dict[int, tuple[str, tuple[str, ...], tuple[Number, ...]]] = {}
        self.unnumbered = 0  # outcomes 0 that pay
        self.awaited: dict[int, int] = {}  # outcomes referred to before they are defined: where

    def tree(self) -> FileTree:
        """Return what has been read."""
        place = {number: k for k, number in enumerate(self.outcomes)}
        return FileTree(
            players=self.players,
            parent=self.parent,
            owner=self.owner,
            infoset=self.infoset,
            outcome=[place[number] for number in self.outcome],
            sets=[(player, name, actions, tuple(nodes), number) for player, name, actions, nodes, number in self.sets],
            chance=self.chance,
            names=[name for name, _ in self.outcomes.values()],
            payoffs=[x for _, payoffs in self.outcomes.values() for x in payoffs],
        )

    def nodes(self) -> None:
        """Read nodes until every branch has one; what follows is ignored."""
        tokens = self.tokens
        waiting = [-1]  # parents of the nodes to come, the next one last
        while waiting:
            here = len(self.parent)
            if here >= MOST_NODES:
                tokens.fail(f"the tree has more than {MOST_NODES:,} nodes; split it into subgames")
            kind = tokens.take("a node (c, p or t)")
            if kind not in ("c", "p", "t"):
                tokens.fail(f"expected a node (c, p or t), got {kind!r}")
            tokens.string("the name of the node")
            self.parent.append(waiting.pop())
            if kind == "t":
                self.owner.append(TERMINAL)
                self.infoset.append(-1)
            else:
                waiting += [here] * (self._personal(here) if kind == "p" else self._nature())
            self.outcome.append(self._outcome())
        for number, at in self.awaited.items():
            if number not in self.outcomes:
                tokens.fail(f"outcome {number} has no payoffs anywhere in the file", at=at)

    def _personal(self, here: int) -> int:
        tokens = self.tokens
        player = tokens.integer("the number of the player")
        if not 1 <= player <= len(self.players):
            tokens.fail(f"player {player} does not exist; there are {len(self.players)}")
        number = tokens.integer("the number of the information set")
        at = tokens.at
        name = tokens.string("the name of the information set") if tokens.peek().startswith('"') else None
        actions = tuple(distinct(tokens.strings("names of actions"))) if tokens.peek() == "{" else None
        which = self.set_index.get((player, number), -1)
        if which < 0:
            if not actions:
                tokens.fail(
                    f"information set {number} of player {player} has no actions here, where it is first met", at=at
                )
            which = self.set_index[player, number] = len(self.sets)
            self.sets.append((player - 1, name or "", actions, [], number))
        _, known_name, known, nodes, _ = self.sets[which]
        if (name is not None and name != known_name) or (actions is not None and actions != known):
            tokens.fail(
                f"information set {number} of player {player} is {known_name!r} with actions {list(known)} above, "
                f"and {name!r} with {list(actions or known)} here",
                at=at,
            )
        nodes.append(here)
        self.owner.append(player - 1)
        self.infoset.append(which)
        return len(known)

    def _nature(self) -> int:
        tokens = self.tokens
        number = tokens.integer("the number of the chance event")
        at = tokens.at
        name = tokens.string("the name of the chance event") if tokens.peek().startswith('"') else None
        given = read_branches(tokens) if tokens.peek() == "{" else None
        known = self.chance_index.get(number)
        if known is None:
            if given is None:
                tokens.fail(f"chance event {number} has no branches here, where it is first met", at=at)
            known = self.chance_index[number] = (name or "", *given)
        elif (name is not None and name != known[0]) or (given is not None and given != known[1:]):
            tokens.fail(f"chance event {number} differs from its definition above", at=at)
        self.owner.append(CHANCE)
        self.infoset.append(-1)
        self.chance.append(known[1:])
        return len(known[1])

    def _outcome(self) -> int:
        tokens = self.tokens
        number = tokens.integer("the number of the outcome")
        at = tokens.at
        token = tokens.peek()
        if token[:1] != '"' and token != "{":
            if number not in self.outcomes:
                self.awaited.setdefault(number, at - 1)
            return number
        name = tokens.string("the name of the outcome") if token[0] == '"' else ""
        tokens.expect("{", "before the payoffs")
        payoffs: list[Number] = []
        while tokens.peek() != "}":
            payoffs.append(tokens.number("a payoff"))
        tokens.at += 1
        if len(payoffs) != len(self.players):
            tokens.fail(f"outcome {number} needs {len(self.players)} payoffs, one a player, got {len(payoffs)}", at=at)
        here = (name, tuple(payoffs))
        if number == 0:
            if any(payoffs) and tokens.strict:
                tokens.fail("outcome 0 stands for no payoffs, so it cannot pay; number it otherwise", at=at)
            if any(payoffs):  # an outcome of its own, as most programs that write such files mean it
                number = -1 - len(self.outcomes)
                self.outcomes[number] = here
                self.unnumbered += 1
        elif self.outcomes.setdefault(number, here) != here:
            tokens.fail(f"outcome {number} is {self.outcomes[number]} above, and {here} here", at=at)
        return number

"""Nodes of a tree file, token by token: everything that the format allows, with the place of every mistake."""

from __future__ import annotations

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
    walk = _Walk(tokens, FileTree(tuple(players)))
    walk.nodes()
    return walk.tree


class _Walk:
    """One pass over the nodes of a file."""

    def __init__(self, tokens: Tokens, tree: FileTree) -> None:
        self.tokens = tokens
        self.tree = tree
        self.set_index: dict[tuple[int, int], int] = {}
        self.chance_index: dict[int, tuple[str, tuple[str, ...], tuple[Number, ...]]] = {}
        self.awaited: dict[int, int] = {}  # outcomes referred to before they are defined: where

    def nodes(self) -> None:
        """Read nodes until every branch has one; what follows is ignored."""
        tokens, tree = self.tokens, self.tree
        waiting = [-1]  # parents of the nodes to come, the next one last
        while waiting:
            here = len(tree.parent)
            if here >= MOST_NODES:
                tokens.fail(f"the tree has more than {MOST_NODES:,} nodes; split it into subgames")
            kind = tokens.take("a node (c, p or t)")
            if kind not in ("c", "p", "t"):
                tokens.fail(f"expected a node (c, p or t), got {kind!r}")
            tokens.string("the name of the node")
            tree.parent.append(waiting.pop())
            if kind == "t":
                tree.owner.append(TERMINAL)
                tree.infoset.append(-1)
            else:
                waiting += [here] * (self._personal(here) if kind == "p" else self._nature())
            tree.outcome.append(self._outcome())
        for number, at in self.awaited.items():
            if number not in tree.outcomes:
                tokens.fail(f"outcome {number} has no payoffs anywhere in the file", at=at)

    def _personal(self, here: int) -> int:
        tokens = self.tokens
        player = tokens.integer("the number of the player")
        if not 1 <= player <= len(self.tree.players):
            tokens.fail(f"player {player} does not exist; there are {len(self.tree.players)}")
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
            which = self.set_index[player, number] = len(self.tree.sets)
            self.tree.sets.append((player - 1, name or "", actions, [], number))
        _, known_name, known, nodes, _ = self.tree.sets[which]
        if (name is not None and name != known_name) or (actions is not None and actions != known):
            tokens.fail(
                f"information set {number} of player {player} is {known_name!r} with actions {list(known)} above, "
                f"and {name!r} with {list(actions or known)} here",
                at=at,
            )
        nodes.append(here)
        self.tree.owner.append(player - 1)
        self.tree.infoset.append(which)
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
        self.tree.owner.append(CHANCE)
        self.tree.infoset.append(-1)
        self.tree.chance.append(known[1:])
        return len(known[1])

    def _outcome(self) -> int:
        tokens = self.tokens
        number = tokens.integer("the number of the outcome")
        at = tokens.at
        token = tokens.peek()
        if token[:1] != '"' and token != "{":
            if number and number not in self.tree.outcomes:
                self.awaited.setdefault(number, at - 1)
            return number
        name = tokens.string("the name of the outcome") if token[0] == '"' else ""
        tokens.expect("{", "before the payoffs")
        payoffs: list[Number] = []
        while tokens.peek() != "}":
            payoffs.append(tokens.number("a payoff"))
        tokens.at += 1
        if len(payoffs) != len(self.tree.players):
            tokens.fail(
                f"outcome {number} needs {len(self.tree.players)} payoffs, one a player, got {len(payoffs)}", at=at
            )
        here = (name, tuple(payoffs))
        if number == 0:
            if any(payoffs):
                tokens.fail("outcome 0 stands for no payoffs, so it cannot pay; number it otherwise", at=at)
        elif self.tree.outcomes.setdefault(number, here) != here:
            tokens.fail(f"outcome {number} is {self.tree.outcomes[number]} above, and {here} here", at=at)
        return number

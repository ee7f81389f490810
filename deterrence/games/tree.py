"""The three kinds of node. A subtree is a value: build it with plain functions, use it as often as you like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from deterrence.games.errors import GameError
from deterrence.games.quantities import Quantity, quantity
from deterrence.games.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class End(Value):
    """A terminal node with a payoff for every player."""

    label: str | None
    payoffs: Mapping[str, Quantity]

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[object, ...]]:
        return _from_table, (_table_of(self),)


@dataclass(frozen=True, slots=True, eq=False)
class Move(Value):
    """A decision of a player, who cannot tell apart its nodes of one information set."""

    player: str
    actions: Mapping[str, Node]
    infoset: str | None

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[object, ...]]:
        return _from_table, (_table_of(self),)


@dataclass(frozen=True, slots=True, eq=False)
class Chance(Value):
    """A move of nature, with known probabilities."""

    branches: Mapping[str, tuple[Quantity, Node]]

    def __reduce__(self) -> tuple[Callable[..., Node], tuple[object, ...]]:
        return _from_table, (_table_of(self),)


Node: TypeAlias = End | Move | Chance


def _table_of(root: Node) -> list[tuple[Any, ...]]:
    """Return a tree as a table in which nodes name those below them by their numbers, the root last.

    So trees of any depth go through pickle and copy, and subtrees that are used more than once stay shared.
    """
    rows: list[tuple[Any, ...]] = []
    numbers: dict[int, int] = {}
    waiting: list[Node] = [root]
    while waiting:
        node = waiting[-1]
        missing = [child for child in _below(node) if id(child) not in numbers]
        if missing and id(node) not in numbers:
            waiting += missing
            continue
        waiting.pop()
        if id(node) in numbers:
            continue
        match node:
            case End():
                rows.append(("end", node.label, dict(node.payoffs)))
            case Move():
                actions = {label: numbers[id(child)] for label, child in node.actions.items()}
                rows.append(("move", node.player, actions, node.infoset))
            case Chance():
                branches = {label: (p, numbers[id(child)]) for label, (p, child) in node.branches.items()}
                rows.append(("chance", branches))
        numbers[id(node)] = len(rows) - 1
    return rows


def _below(node: Node) -> list[Node]:
    match node:
        case Move():
            return list(node.actions.values())
        case Chance():
            return [child for _, child in node.branches.values()]
        case _:
            return []


def _from_table(rows: list[tuple[Any, ...]]) -> Node:
    made: list[Node] = []
    for kind, *content in rows:
        match kind:
            case "end":
                made.append(End(content[0], MappingProxyType(content[1])))
            case "move":
                actions = {label: made[number] for label, number in content[1].items()}
                made.append(Move(content[0], MappingProxyType(actions), content[2]))
            case "chance":
                branches = {label: (p, made[number]) for label, (p, number) in content[0].items()}
                made.append(Chance(MappingProxyType(branches)))
    return made[-1]


def chance(branches: Mapping[str, tuple[object, Node]]) -> Chance:
    """Return a move of nature.

    Parameters
    ----------
    branches : mapping of str to (probability, node)
        Probabilities may be numbers, rationals or expressions; they must sum to one.

    Raises
    ------
    GameError
        If a branch is malformed.
    """
    if not branches:
        raise GameError("a chance node needs at least one branch, got none")
    clean: dict[str, tuple[Quantity, Node]] = {}
    for label, branch in branches.items():
        where = f"chance branch {_label(label, 'chance branch')!r}"
        if not (isinstance(branch, tuple) and len(branch) == 2):
            raise GameError(f"{where} must be a pair (probability, subtree), got {type(branch).__name__}")
        clean[label] = (quantity(branch[0], f"probability of {where}"), _node(branch[1], where))
    return Chance(MappingProxyType(clean))


def move(player: str, actions: Mapping[str, Node], infoset: str | None = None) -> Move:
    """Return a decision of a player.

    Parameters
    ----------
    player : str
        Who moves.
    actions : mapping of str to node
        What each action leads to.
    infoset : str, optional
        Nodes of one player with the same name are one information set; a node without a name stands alone.

    Raises
    ------
    GameError
        If there is no action, or one leads to something that is no node.
    """
    if not isinstance(player, str) or not player:
        raise GameError(f"a move needs the name of its player, got {player!r}")
    if infoset is not None and not isinstance(infoset, str):
        raise GameError(f"the information set of a move of {player} must be a string, got {infoset!r}")
    if not actions:
        raise GameError(f"a move of {player} needs at least one action, got none")
    clean = {
        _label(label, f"action of {player}"): _node(node, f"action {label!r} of {player}")
        for label, node in actions.items()
    }
    return Move(player, MappingProxyType(clean), infoset)


def end(label: str | None = None, payoffs: Mapping[str, object] | None = None, **payoffs_by_player: object) -> End:
    """Return a terminal node.

    Parameters
    ----------
    label : str, optional
        Name of the outcome, to ask for as an event (``"war"``); several ends may share it.
    payoffs : mapping of str to number, optional
        Payoffs by player, for names that are no Python identifiers.
    **payoffs_by_player
        Payoffs by player.

    Raises
    ------
    GameError
        If a payoff is given twice or is no finite number.
    """
    if label is not None:
        _label(label, "label of an end")
    twice = set(payoffs or ()) & set(payoffs_by_player)
    if twice:
        raise GameError(f"end {label!r} has two payoffs for {min(twice)!r}; give it once")
    both = {**(payoffs or {}), **payoffs_by_player}
    clean = {player: quantity(value, f"payoff of {player!r} at end {label!r}") for player, value in both.items()}
    return End(label, MappingProxyType(clean))


def _label(label: object, what: str) -> str:
    if not isinstance(label, str):
        raise GameError(f"{what} must be a string, got {type(label).__name__} {label!r}")
    return label


def _node(node: object, where: str) -> Node:
    if not isinstance(node, End | Move | Chance):
        raise GameError(f"{where} must lead to a node (dt.move, dt.chance or dt.end), got {type(node).__name__}")
    return node

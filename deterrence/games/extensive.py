"""Extensive-form games: trees of moves with chance and information sets, numbers or symbols at their ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from deterrence.games.display import Display
from deterrence.games.errors import GameError
from deterrence.games.events import Event, resolve_event
from deterrence.games.formulas import tree_latex
from deterrence.games.immutable import Immutable
from deterrence.games.quantities import (
    Array,
    Kind,
    array_of,
    as_exact,
    as_float,
    cast_alike,
    check_distribution,
    check_names,
    exact_distribution,
    kind_of,
    parameter_names,
    substitute,
)
from deterrence.games.services import service
from deterrence.games.topology import InformationSet, Ints, Topology, flatten, from_arrays
from deterrence.games.tree import Chance, End, Move, Node

if TYPE_CHECKING:
    from deterrence.games.signaling import SignalingGame
    from deterrence.games.strategic import StrategicGame


class ExtensiveGame(Immutable, Display):
    """A finite game tree, or a batch of trees of one shape.

    Parameters
    ----------
    players : sequence of str
        Names, all distinct; each must be paid at every end.
    root : node
        Made of ``chance``, ``move`` and ``end``.
    title : str, optional
        What the game is.

    Attributes
    ----------
    topology : Topology
        The shape of the tree: nodes, information sets, slots.
    chance : ndarray, shape (..., C)
        Probabilities of the chance slots. Leading dimensions make a batch.
    payoffs : ndarray, shape (..., Z, P)
        Payoffs by end and player. Leading dimensions make a batch.

    Raises
    ------
    GameError
        If the tree is malformed; the message names the place.

    Examples
    --------
    >>> import deterrence as dt
    >>> w = dt.symbols("w")
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> game.parameters
    ('w',)
    >>> game.at(w=0.5)
    ExtensiveGame(2 players, 5 nodes, 2 information sets)
    """

    def __init__(self, players: Sequence[str], root: Node, title: str = "") -> None:
        names = checked_players(players)
        if not isinstance(root, End | Move | Chance):
            raise GameError(f"root must be a node (dt.move, dt.chance or dt.end), got {type(root).__name__}")
        topology, chance, payoffs = flatten(names, root)
        self._set(topology, array_of(chance, "chance"), array_of(payoffs, "payoffs"), title)
        self.__dict__["root"] = root

    @classmethod
    def of(cls, topology: Topology, chance: object, payoffs: object, title: str = "") -> ExtensiveGame:
        """Return a game of a known shape with other numbers; leading dimensions of the arrays make a batch.

        Parameters
        ----------
        topology : Topology
        chance : array_like, shape (..., C)
        payoffs : array_like, shape (..., Z, P)

        Raises
        ------
        GameError
            If a shape does not fit or a chance node's probabilities do not sum to one.
        """
        game = cls.__new__(cls)
        game._set(topology, array_of(chance, "chance"), array_of(payoffs, "payoffs"), title)
        return game

    @classmethod
    def from_arrays(
        cls,
        players: Sequence[str],
        parent: object,
        mover: object,
        infoset: object,
        labels: Sequence[str],
        payoffs: object,
        *,
        probability: object = None,
        end_labels: Sequence[str | None] | None = None,
        title: str = "",
    ) -> ExtensiveGame:
        """Return a tree of n nodes from arrays over its nodes in preorder: each followed by all that lies below it.

        Parameters
        ----------
        players : sequence of str
        parent : array_like of int, shape (n,)
            The node above each; -1 for the root, which comes first.
        mover : array_like of int, shape (n,)
            Index of the player who moves; -1 for chance, -2 for an end.
        infoset : array_like of int, shape (n,)
            Number of the information set where a player moves: its nodes with one number belong together, and the
            number is its name. Elsewhere without meaning.
        labels : sequence of str, length n
            Action or chance branch that leads to each node; the root's has no meaning.
        payoffs : array_like, shape (..., Z, P)
            Of each end, in preorder, to each player.
        probability : array_like, shape (..., n), optional
            Of the branch that leads to a node; read where chance moves above it.
        end_labels : sequence of str or None, length Z, optional
        title : str

        Raises
        ------
        GameError
            If an array does not fit or the tree is malformed; the message names the node.

        Examples
        --------
        >>> game = ExtensiveGame.from_arrays(
        ...     ("A", "D"), parent=[-1, 0, 0, 2, 2], mover=[0, -2, 1, -2, -2], infoset=[0, 0, 0, 0, 0],
        ...     labels=["", "refrain", "attack", "fight", "yield"], payoffs=[[0, 1], [-1, -1], [1, 0]],
        ...     end_labels=["peace", "war", "conquest"])
        >>> game.infoset("D", "0").actions
        ('fight', 'yield')
        """
        names = checked_players(players)
        above, moves, sets = (
            whole_array(values, what) for values, what in ((parent, "parent"), (mover, "mover"), (infoset, "infoset"))
        )
        topology, branches = from_arrays(names, above, moves, sets, labels, end_labels)
        if branches.size and probability is None:
            raise GameError("chance moves, so probability must be given")
        chance = np.zeros(0) if probability is None else array_of(probability, "probability")
        if probability is not None and chance.shape[-1:] != (topology.size,):
            raise GameError(f"probability must have shape (..., {topology.size}), got {chance.shape}")
        return cls.of(topology, chance[..., branches], payoffs, title)

    def _set(self, topology: Topology, chance: Array, payoffs: Array, title: str) -> None:
        slots, ends = len(topology.labels) - topology.action_count, len(topology.terminal)
        chance = chance.reshape(0) if slots == 0 and chance.size == 0 else chance
        if chance.shape[-1:] != (slots,):
            raise GameError(f"chance must have shape (..., {slots}), got {chance.shape}")
        if payoffs.shape[-2:] != (ends, len(topology.players)):
            raise GameError(f"payoffs must have shape (..., {ends}, {len(topology.players)}), got {payoffs.shape}")
        for group in topology.chance_sets:
            labels = ", ".join(topology.labels[topology.action_count + i] for i in range(group.start, group.stop))
            check_distribution(chance[..., group], f"the probabilities of chance branches {labels}")
        try:
            self.batch_shape = np.broadcast_shapes(chance.shape[:-1], payoffs.shape[:-2])
        except ValueError:
            raise GameError(f"batch dimensions do not agree: {chance.shape[:-1]} and {payoffs.shape[:-2]}") from None
        settled = cast_alike({"chance": chance, "payoffs": payoffs}, batch=bool(self.batch_shape))
        self.topology = topology
        self.chance = settled["chance"]
        self.payoffs = settled["payoffs"]
        self.title = title
        if self.batch_shape and self.kind != "float":
            raise GameError("a batch of games needs floats; solve exact or symbolic games one at a time")
        self._freeze()

    # -- shape and kind ------------------------------------------------------------------------------------------

    @property
    def players(self) -> tuple[str, ...]:
        """Names of the players."""
        return self.topology.players

    @property
    def infosets(self) -> tuple[InformationSet, ...]:
        """The information sets, in preorder of their first nodes."""
        return self.topology.infosets

    @cached_property
    def kind(self) -> Kind:
        """``"float"``, ``"exact"`` (some rationals, no symbols) or ``"symbolic"``."""
        kinds = {kind_of(a) for a in (self.chance, self.payoffs) if a.size}
        return "symbolic" if "symbolic" in kinds else "exact" if "exact" in kinds else "float"

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Sorted names of the symbols in payoffs and chance probabilities."""
        return parameter_names((self.chance, self.payoffs))

    @cached_property
    def perfect_information(self) -> bool:
        """Whether every information set is a single node."""
        return all(len(s.nodes) == 1 for s in self.infosets)

    @cached_property
    def perfect_recall(self) -> bool:
        """Whether no player forgets what it knew or did."""
        return self.topology.recall_violation is None

    @cached_property
    def span(self) -> float:
        """Largest difference between payoffs of one player, never zero: the scale of ties."""
        payoffs = as_float(self.payoffs)
        spans = payoffs.max(axis=-2) - payoffs.min(axis=-2)
        return float(max(spans.max(), np.finfo(float).tiny))

    @cached_property
    def root(self) -> Node:
        """The tree as nodes."""
        return _rebuild(self)

    def infoset(self, player: str, name: str) -> InformationSet:
        """Return one information set by player and name.

        Raises
        ------
        GameError
            If there is none; the message lists the player's.
        """
        mine = [s for s in self.infosets if self.players[s.player] == player]
        for s in mine:
            if s.name == name:
                return s
        raise GameError(f"{player!r} has no information set {name!r}; it has {[s.name for s in mine]}")

    def __eq__(self, other: object) -> bool:
        """Whether shape, labels and numbers are the same."""
        if not isinstance(other, ExtensiveGame):
            return NotImplemented
        return (
            self.topology.same_as(other.topology)
            and np.array_equal(self.chance, other.chance)
            and np.array_equal(self.payoffs, other.payoffs)
        )

    def __hash__(self) -> int:
        return hash((self.players, self.topology.labels, self.topology.end_labels))

    def __repr__(self) -> str:
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        parameters = f", parameters {', '.join(self.parameters)}" if self.parameters else ""
        title = f"{self.title!r}, " if self.title else ""
        return (
            f"ExtensiveGame({title}{len(self.players)} players, {self.topology.size} nodes, "
            f"{len(self.infosets)} information sets{batch}{parameters})"
        )

    # -- the same game, otherwise ----------------------------------------------------------------------------------

    def at(self, **values: object) -> ExtensiveGame:
        """Return the game with numbers for its parameters; array values make a batch.

        Raises
        ------
        ParameterError
            If a name is unknown or missing.
        """
        check_names(values, self.parameters, "this game")
        if not self.parameters:
            return self
        new = [
            substitute(a, {n: values[n] for n in parameter_names([a])}, what)
            for a, what in ((self.chance, "chance"), (self.payoffs, "payoffs"))
        ]
        return ExtensiveGame.of(self.topology, new[0], new[1], self.title)

    def exact(self) -> ExtensiveGame:
        """Return the game in rational arithmetic; a float counts as the decimal that it prints as.

        Probabilities of a chance node that then miss one are divided by their sum.
        """
        self.require_numbers()
        chance = np.empty(self.chance.shape, dtype=object)
        for group in self.topology.chance_sets:
            chance[..., group] = exact_distribution(self.chance[..., group])
        return ExtensiveGame.of(self.topology, chance, as_exact(self.payoffs), self.title)

    def floats(self) -> ExtensiveGame:
        """Return the game in float64."""
        self.require_numbers()
        if self.kind == "float":
            return self
        return ExtensiveGame.of(self.topology, as_float(self.chance), as_float(self.payoffs), self.title)

    def require_numbers(self) -> None:
        """Raise GameError if parameters have no values yet."""
        if self.parameters:
            raise GameError(
                f"the game has free parameters {', '.join(self.parameters)}; give their values in at={{...}}"
            )

    def __getitem__(self, index: int | tuple[int, ...]) -> ExtensiveGame:
        """Return one game of a batch."""
        if not self.batch_shape:
            raise GameError("the game is no batch, so it cannot be indexed")
        index = index if isinstance(index, tuple) else (index,)
        chance = np.broadcast_to(self.chance, self.batch_shape + self.chance.shape[-1:])[index]
        payoffs = np.broadcast_to(self.payoffs, self.batch_shape + self.payoffs.shape[-2:])[index]
        return ExtensiveGame.of(self.topology, chance, payoffs, self.title)

    def to_signaling(self) -> SignalingGame:
        """Return the game as a signaling game, if it has that shape once last movers who know all are folded back.

        Raises
        ------
        GameError
            If it has not; the message says what stands in the way.
        """
        game: SignalingGame = service("to signaling")(self).game
        return game

    def to_strategic(self) -> StrategicGame:
        """Return the reduced strategic form.

        Raises
        ------
        GameError
            If the game lacks perfect recall, or has too many strategies to list.
        """
        game: StrategicGame = service("to strategic")(self).game
        return game

    # -- events ---------------------------------------------------------------------------------------------------

    @cached_property
    def event_names(self) -> tuple[str, ...]:
        """Every label that can be asked for as an event."""
        ends = (label for label in self.topology.end_labels if label is not None)
        return tuple(dict.fromkeys((*ends, *self.topology.labels)))

    def event_ends(self, event: Event) -> Array:
        """Whether an event happens on the way to each end, shape (Z,) of 0 and 1.

        Raises
        ------
        GameError
            If the event is not known; the message lists the known ones.
        """
        happens = resolve_event(event, self.event_names)
        if isinstance(event, str):
            return self.topology.ends_after(event).astype(np.float64)
        return np.array([1.0 if happens(path) else 0.0 for path in self.topology.end_paths])

    def _repr_html_(self) -> str:
        return str(service("draw")(self)._repr_html_())

    def _repr_svg_(self) -> str:
        return str(service("draw")(self).svg())

    def _repr_latex_(self) -> str:
        return tree_latex(self)


def checked_players(players: Sequence[str]) -> tuple[str, ...]:
    """Return the names of players; raise GameError unless there is one, and all are distinct, non-empty strings."""
    names = (players,) if isinstance(players, str) else tuple(players)
    for name in names:
        if not isinstance(name, str) or not name:
            raise GameError(f"players must be non-empty strings, got {name!r}")
        if names.count(name) > 1:
            raise GameError(f"players must be distinct, got {name!r} twice")
    if not names:
        raise GameError("a game needs at least one player, got none")
    return names


def whole_array(values: object, what: str) -> Ints:
    """Return a flat array of whole numbers of its own; raise GameError if the values are none."""
    array = np.array(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise GameError(f"{what} must be a flat array of whole numbers, got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


def _rebuild(game: ExtensiveGame) -> Node:
    """Return the nodes of a game that was made from arrays."""
    topology = game.topology
    if game.batch_shape:
        raise GameError("a batch of games has no single root; index it first, as in game[0]")
    built: dict[int, Node] = {}
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    for node in range(topology.size - 1, -1, -1):
        if node in ends:
            z = ends[node]
            payoffs: Mapping[str, object] = dict(zip(game.players, game.payoffs[z], strict=True))
            built[node] = End(topology.end_labels[z], payoffs)
            continue
        below = topology.children[node]
        labels = [topology.labels[topology.slot[c]] for c in below]
        if topology.owner[node] >= 0:
            s = topology.infosets[topology.infoset[node]]
            actions = {label: built.pop(c) for label, c in zip(labels, below, strict=True)}
            built[node] = Move(game.players[s.player], actions, s.name)
        else:
            offset = topology.action_count
            built[node] = Chance(
                {
                    label: (game.chance[topology.slot[c] - offset], built.pop(c))
                    for label, c in zip(labels, below, strict=True)
                }
            )
    return built[0]

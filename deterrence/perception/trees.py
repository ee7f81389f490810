"""Any finite game as a tree, and what is played in it as one array: the common ground of all mistaken play.

Players who are wrong about a game still move in one and the same tree: only its numbers differ. So a strategy is
kept as one array over the action slots of the tree (see ``games.topology``), whatever the form in which the game was
written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Strategies
from deterrence.games.errors import GameError
from deterrence.games.events import Event, resolve_event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.tree import Node, end, move


def tree_of(game: Any, player: str | None = None) -> ExtensiveGame:
    """Return a game with numbers as a tree of floats.

    Parameters
    ----------
    game : ExtensiveGame, SignalingGame or StrategicGame
        One game, without free parameters. A strategic form becomes a tree in which nobody sees the others move.
    player : str, optional
        Of a signaling game whose players hold different priors: whose prior the tree has; the true one if not given.

    Raises
    ------
    GameError
        If the game has free parameters, is a batch, or has no tree.
    """
    if not isinstance(game, ExtensiveGame | SignalingGame | StrategicGame):
        raise GameError(f"perception needs a tree, a signaling game or a strategic form, got a {type(game).__name__}")
    game.require_numbers()
    if getattr(game, "batch_shape", ()):
        raise GameError("perception takes one game at a time here; index the batch first, as in game[0]")
    if isinstance(game, StrategicGame):
        return _tree_of_table(game.floats())
    if isinstance(game, ExtensiveGame):
        return game.floats()
    return with_one_prior(game, player).to_extensive().floats()


def with_one_prior(game: SignalingGame, player: str | None = None) -> SignalingGame:
    """Return a signaling game in which both players hold one prior: the true one, or that of a player."""
    priors = {None: game.prior, game.players[0]: game.sender_prior, game.players[1]: game.receiver_prior}
    return SignalingGame(
        game.types,
        game.messages,
        game.responses,
        prior=priors[player],
        sender_payoffs=game.sender_payoffs,
        receiver_payoffs=game.receiver_payoffs,
        receiver_types=game.receiver_types,
        events=game.events,
        players=game.players,
    )


def behavior_of(profile: Any, tree: ExtensiveGame) -> Array:
    """Return a profile as probabilities of the tree's actions, shape (A,).

    Raises
    ------
    GameError
        If profiles of that form cannot be read.
    """
    if isinstance(profile, BehaviorProfile):
        return np.array(as_float(profile.actions))
    if isinstance(profile, MixedProfile):
        return np.concatenate([np.asarray(mix, dtype=np.float64) for mix in profile.mixed])
    if not isinstance(profile, SignalingProfile):
        raise GameError(
            f"perception cannot read a {type(profile).__name__}; it reads profiles of trees and signaling games"
        )
    actions = np.empty(tree.topology.action_count)
    sender, receiver = as_float(np.asarray(profile.sender)), as_float(np.asarray(profile.receiver))
    responders = [rows for q in range(receiver.shape[0]) for rows in receiver[q]]
    names = list(range(sender.shape[0]))
    own = [s for s in tree.infosets if s.player == 0]
    for t in names:
        actions[own[t].slots] = sender[t]
    replies = [s for s in tree.infosets if s.player == 1]
    for s, row in zip(replies, responders, strict=True):
        actions[s.slots] = row
    return actions


def strategies_of(tree: ExtensiveGame, actions: Array) -> Strategies:
    """Return probabilities by player, information set and action."""
    return BehaviorProfile(actions).strategies(tree)


def own_slots(tree: ExtensiveGame, player: str) -> Array:
    """Return which action slots are a player's, shape (A,) of bool.

    Raises
    ------
    GameError
        If the tree has no such player.
    """
    if player not in tree.players:
        raise GameError(f"no player {player!r}; players are {', '.join(tree.players)}")
    mine = np.zeros(tree.topology.action_count, dtype=bool)
    for s in tree.infosets:
        if tree.players[s.player] == player:
            mine[s.slots] = True
    return mine


@dataclass(frozen=True, eq=False)
class Ends:
    """The Z ways in which a game can end, and what is asked about them.

    Attributes
    ----------
    paths : tuple of tuple of str
        Labels on the way to each end, nature's moves among them.
    public : tuple of tuple of str
        What everyone sees of it: the players' actions, the end's label, named events that come about.
    named : mapping of str to ndarray, shape (Z,)
        Probability of each named event at each end.
    """

    paths: Sequence[tuple[str, ...]]
    public: Sequence[tuple[str, ...]]
    named: Mapping[str, Array]

    @classmethod
    def of(cls, game: Any, tree: ExtensiveGame) -> Ends:
        """Return the ends of a game and its tree."""
        paths = tree.topology.end_paths
        seen = _public_labels(tree)
        if not isinstance(game, SignalingGame):
            return cls(paths, seen, {})
        named = {
            name: np.array(as_float(np.broadcast_to(game.event_weights(name), game.shape))).ravel()
            for name in game.events
        }
        certain = {name: w for name, w in named.items() if bool(np.isin(w, (0.0, 1.0)).all())}
        actions = [path[:2] for path in seen]
        public = [(*a, *(name for name, w in certain.items() if w[z] == 1)) for z, a in enumerate(actions)]
        return cls(paths, public, named)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every label or named event that can be asked for."""
        return tuple(dict.fromkeys((*self.named, *(label for path in self.paths for label in path))))

    def weights(self, event: Event) -> Array:
        """Return the probability of an event at each end, shape (Z,).

        Raises
        ------
        GameError
            If the event is not known; the message lists the known ones.
        """
        if isinstance(event, str) and event in self.named:
            return self.named[event]
        happens = resolve_event(event, self.names)
        return np.array([1.0 if happens(path) else 0.0 for path in self.paths])

    @cached_property
    def outcomes(self) -> tuple[tuple[str, ...], ...]:
        """The distinct public outcomes, in order."""
        return tuple(dict.fromkeys(self.public))

    def public_distribution(self, ends: Array) -> Array:
        """Return the distribution of public outcomes, shape (..., O), from one over ends, shape (..., Z)."""
        where = {outcome: i for i, outcome in enumerate(self.outcomes)}
        index = np.array([where[outcome] for outcome in self.public])
        result = np.zeros((*ends.shape[:-1], len(where)))
        for i in range(len(where)):
            result[..., i] = ends[..., index == i].sum(axis=-1)
        return result


def _public_labels(tree: ExtensiveGame) -> list[tuple[str, ...]]:
    """Return the players' actions on the way to each end, and its label."""
    topology = tree.topology
    result = []
    for z, node in enumerate(topology.terminal):
        labels: list[str] = []
        at = int(node)
        while at > 0:
            if topology.slot[at] < topology.action_count:
                labels.append(topology.labels[topology.slot[at]])
            at = int(topology.parent[at])
        own = topology.end_labels[z]
        result.append((*reversed(labels), *(() if own is None else (own,))))
    return result


def _tree_of_table(game: StrategicGame) -> ExtensiveGame:
    def node(chosen: tuple[int, ...]) -> Node:
        depth = len(chosen)
        if depth == len(game.players):
            return end(None, dict(zip(game.players, game.payoffs[chosen].tolist(), strict=True)))
        below = {label: node((*chosen, i)) for i, label in enumerate(game.strategies[depth])}
        return move(game.players[depth], below, infoset="start")

    return ExtensiveGame(game.players, node(()), game.title)


def paths_through(tree: ExtensiveGame, slots: Iterable[int]) -> Array:
    """Return whether the way to each end leads through any of some slots, shape (Z,) of bool."""
    topology = tree.topology
    through = np.zeros(topology.size, dtype=bool)
    wanted = set(slots)
    for node in range(1, topology.size):
        through[node] = through[topology.parent[node]] or int(topology.slot[node]) in wanted
    return through[topology.terminal]

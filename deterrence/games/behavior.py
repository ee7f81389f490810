"""What the players of a tree do and believe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Beliefs, Strategies
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import end_probabilities, expected_payoffs
from deterrence.games.quantities import Array
from deterrence.games.values import Value


@dataclass(frozen=True, eq=False)
class BehaviorProfile(Value):
    """A behaviour strategy profile with beliefs.

    Attributes
    ----------
    actions : ndarray, shape (A,)
        Probability of each action, information set after information set (see ``topology``).
    nodes : ndarray, shape (n,), or None
        Belief over the nodes of each information set (entries at other nodes mean nothing); None if the concept has
        no beliefs.
    """

    actions: Array
    nodes: Array | None = None

    def strategies(self, game: ExtensiveGame) -> Strategies:
        """Return probabilities by player, information set and action."""
        result: dict[str, dict[Any, dict[str, Any]]] = {player: {} for player in game.players}
        for s in game.infosets:
            mine = dict(zip(s.actions, (_plain(x) for x in self.actions[s.slots]), strict=True))
            result[game.players[s.player]][s.name] = mine
        return result

    def beliefs(self, game: ExtensiveGame) -> Beliefs:
        """Return beliefs by information set and node; a node is named by the path to it. Empty if there are none."""
        if self.nodes is None:
            return {}
        return {s.key: {game.topology.name(n): _plain(self.nodes[n]) for n in s.nodes} for s in game.infosets}

    def payoffs(self, game: ExtensiveGame) -> Mapping[str, Any]:
        """Return each player's expected payoff."""
        return dict(zip(game.players, (_plain(x) for x in expected_payoffs(game, self.actions)), strict=True))

    def probability(self, game: ExtensiveGame, event: Event) -> Any:
        """Return the probability of an event."""
        ends = end_probabilities(game, self.actions)
        happens = game.event_ends(event)
        return _plain(ends[happens > 0].sum()) if happens.any() else 0.0


def _plain(x: Any) -> Any:
    return float(x) if isinstance(x, np.floating | int) else x

"""What sender and receiver of a signaling game do and believe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Beliefs, Strategies
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value


@dataclass(frozen=True, eq=False)
class SignalingProfile(Value):
    """Strategies and beliefs of a signaling game.

    Attributes
    ----------
    sender : ndarray, shape (T, M)
        Probability of each message, by sender type.
    receiver : ndarray, shape (Q, M, R)
        Probability of each response, by receiver type and message.
    posterior : ndarray, shape (Q, M, T)
        Belief about the sender's type, by receiver type and message.
    """

    sender: Array
    receiver: Array
    posterior: Array

    def strategies(self, game: SignalingGame) -> Strategies:
        """Return probabilities by player, type or (message[, receiver type]), and action."""
        sender = {
            t: dict(zip(game.messages, _plain(row), strict=True))
            for t, row in zip(game.types, self.sender, strict=True)
        }
        receiver = {
            key: dict(zip(game.responses, _plain(self.receiver[q, m]), strict=True))
            for key, q, m in _receiver_sets(game)
        }
        return {game.players[0]: sender, game.players[1]: receiver}

    def beliefs(self, game: SignalingGame) -> Beliefs:
        """Return beliefs over sender types, by message (or (message, receiver type))."""
        return {
            key: dict(zip(game.types, _plain(self.posterior[q, m]), strict=True)) for key, q, m in _receiver_sets(game)
        }

    def payoffs(self, game: SignalingGame) -> Mapping[str, Any]:
        """Return both players' expected payoffs under the true prior."""
        outcome = game.outcome(self.sender, self.receiver)
        return {
            game.players[0]: _number((outcome * game.U).sum()),
            game.players[1]: _number((outcome * game.V).sum()),
        }

    def type_payoffs(self, game: SignalingGame) -> dict[str, Any]:
        """Return each sender type's expected payoff, by its own view of the receiver's types."""
        given_message = (game.sender_view[:, :, None, None] * self.receiver[None] * game.U).sum(axis=(1, 3))
        values = (self.sender * given_message).sum(axis=1)
        return dict(zip(game.types, _plain(values), strict=True))

    def probability(self, game: SignalingGame, event: Event) -> Any:
        """Return the probability of an event under the true prior."""
        weights = game.event_weights(event)
        outcome = game.outcome(self.sender, self.receiver)
        if outcome.dtype == object and weights.dtype != object:
            weights = weights.astype(int) if bool((weights == weights.astype(int)).all()) else weights
        return _number((outcome * weights).sum())


def _receiver_sets(game: SignalingGame) -> list[tuple[Any, int, int]]:
    if game.receiver_types is None:
        return [(m, 0, j) for j, m in enumerate(game.messages)]
    return [((m, q), i, j) for j, m in enumerate(game.messages) for i, q in enumerate(game.receiver_types)]


def _plain(values: Array) -> list[Any]:
    return [_number(x) for x in np.asarray(values).ravel()]


def _number(x: Any) -> Any:
    return float(x) if isinstance(x, np.floating) else x

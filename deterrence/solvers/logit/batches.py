"""Strategies of many games of one tree at once, as one array."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import end_probabilities, expected_payoffs
from deterrence.games.quantities import Array
from deterrence.games.values import Value


@dataclass(frozen=True, kw_only=True, eq=False)
class BehaviorBatch(Value):
    """One behaviour strategy profile for each game of a batch.

    Attributes
    ----------
    game : ExtensiveGame
        The batch.
    concept : str
        What was looked for.
    actions : ndarray, shape (..., A)
        Probability of each action, information set after information set; NaN where ``failed``.
    flagged : ndarray of bool, shape (...)
        Where the answer needs care: ties (``spe_batch``), or a branch that was followed one game at a time
        (``qre_batch``).
    failed : ndarray of bool, shape (...)
        Where no answer could be certified.
    """

    game: ExtensiveGame = field(repr=False)
    concept: str
    actions: Array = field(repr=False)
    flagged: Array = field(repr=False)
    failed: Array = field(repr=False)

    def probability(self, event: Event) -> Array:
        """Return the probability of an event in each game, shape (...)."""
        happens = self.game.event_ends(event) > 0
        result: Array = end_probabilities(self.game, self.actions)[..., happens].sum(axis=-1)
        return result

    def payoffs(self) -> dict[str, Array]:
        """Return each player's expected payoff in each game, arrays of shape (...)."""
        values = expected_payoffs(self.game, self.actions)
        return {player: values[..., i] for i, player in enumerate(self.game.players)}

    def probabilities(self, player: str, infoset: str) -> dict[str, Array]:
        """Return the probability of each action at one information set, arrays of shape (...)."""
        s = self.game.infoset(player, infoset)
        return {label: self.actions[..., s.first + i] for i, label in enumerate(s.actions)}

    def __getitem__(self, index: int | tuple[int, ...]) -> BehaviorProfile:
        """Return the profile of one game.

        Raises
        ------
        GameError
            If that game has no certified answer.
        """
        if np.any(self.failed[index]):
            raise GameError(f"game {index} of the batch has no certified {self.concept} profile")
        return BehaviorProfile(self.actions[index])

    def __len__(self) -> int:
        return len(self.actions)

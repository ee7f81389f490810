"""The ultimatum game: one player offers a share of a prize, the other accepts or refuses."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from deterrence.games.errors import GameError
from deterrence.games.values import Value


@dataclass(frozen=True, eq=False)
class UltimatumGame(Value):
    """An offer y between bounds: the proposer keeps ``largest - y`` if it is accepted.

    If it is refused, both have their reservation values.

    Attributes
    ----------
    largest : float
        The prize, and the largest feasible offer.
    smallest : float
        The smallest feasible offer.
    """

    largest: float
    smallest: float = 0.0

    def __post_init__(self) -> None:
        if not (isfinite(self.smallest) and isfinite(self.largest) and self.smallest < self.largest):
            raise GameError(
                f"an ultimatum game needs finite bounds with smallest < largest, got {self.smallest}, {self.largest}"
            )

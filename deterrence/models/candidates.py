"""A proposed equilibrium: a game with a profile, to be certified and refined rather than searched for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """A profile of a game that a paper calls an equilibrium.

    Attributes
    ----------
    game : SignalingGame
    profile : SignalingProfile
        Strategies and beliefs, off the path too.
    kind : str
        What the paper calls it.
    """

    game: Any
    profile: Any
    kind: str

    def _repr_html_(self) -> str:
        return f"<p>{self.kind} of {self.game!r}</p>"

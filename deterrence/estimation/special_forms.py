"""Which games other than trees of perfect information can be estimated, and the function that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from deterrence.estimation.crisis_signaling import PAYOFFS, fit_crisis
from deterrence.estimation.result import Fit

Fitter: TypeAlias = Callable[..., Fit]


def special_form(game: Any) -> Fitter | None:
    """Return the function ``fitter(game, data, **options)`` for a game with a likelihood of its own, or None."""
    if getattr(game, "id", None) == "LS":
        return _crisis
    return None


@dataclass(frozen=True)
class ParametricModel:
    """A published model as a game with symbols: ``at`` gives the game at payoffs."""

    model: Any
    parameters: tuple[str, ...]

    def at(self, **values: float) -> Any:
        """Return the model's game at parameter values."""
        return self.model.game(**values)


def _crisis(game: Any, data: Any, **options: Any) -> Fit:
    return fit_crisis(data, game=ParametricModel(game, PAYOFFS), **options)

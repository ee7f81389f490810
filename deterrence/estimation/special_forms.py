"""Which games other than trees of perfect information can be estimated, and the function that does it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from deterrence.alliances.participation import ParticipationGame
from deterrence.estimation.crisis_signaling import PAYOFFS, fit_crisis
from deterrence.estimation.participation import fit_participation
from deterrence.estimation.quantal_response import fit_quantal_response
from deterrence.estimation.result import Fit
from deterrence.estimation.signaling import fit_signaling
from deterrence.estimation.ultimatum import fit_ultimatum
from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.ultimatum import UltimatumGame

Fitter: TypeAlias = Callable[..., Fit]


def special_form(game: Any) -> Fitter | None:
    """Return the function ``fitter(game, data, asked, **options)`` for a game with a likelihood of its own, or None.

    ``asked`` are the names of options that the user gave; one that the function does not know is refused.
    """
    if getattr(game, "id", None) == "LS":
        return partial(_called, _crisis, fit_crisis)
    if isinstance(game, UltimatumGame):
        return partial(_called, fit_ultimatum, fit_ultimatum)
    if isinstance(game, SignalingGame):
        return partial(_called, fit_signaling, fit_signaling)
    if isinstance(game, ParticipationGame):
        return partial(_called, fit_participation, fit_participation)
    if isinstance(game, StrategicGame) or (isinstance(game, ExtensiveGame) and not game.parameters):
        return partial(_called, fit_quantal_response, fit_quantal_response)
    return None


def _called(function: Fitter, described: Fitter, game: Any, data: Any, asked: Sequence[str], **options: Any) -> Fit:
    known = inspect.signature(described).parameters
    for name in asked:
        if name not in known:
            raise ParameterError(f"fit of this game has no option {name!r}; it has {', '.join(list(known)[2:])}")
    return function(game, data, **options)


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

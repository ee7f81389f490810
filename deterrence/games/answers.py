"""Whatever has parameters and can be asked for the probability of an event, and its answer at many points at once.

Games with symbols, models, scenarios and fits are asked in one way, by ``Answerable``; sweeps, sensitivities, pictures
and the explorer know nothing else of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deterrence.games.values import Value

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Status(IntEnum):
    """What became of one point."""

    OK = 0
    NO_EQUILIBRIUM = 1
    NOT_CONVERGED = 2
    INVALID = 3  # the parameters are not admissible there
    FAILED = 4  # any other error; see ``reasons``


@dataclass(frozen=True, eq=False)
class BlockAnswer(Value):
    """Answers at n points.

    Attributes
    ----------
    low, high : mapping of event to ndarray, shape (n,)
        Lowest and highest probability of the event over all equilibria; NaN where ``status`` is not OK.
    count : ndarray of int, shape (n,)
        Number of equilibria (components).
    kinds : mapping of kind to ndarray of bool, shape (n,)
        Whether an equilibrium of that kind exists.
    status : ndarray of uint8, shape (n,)
        Codes of ``Status``.
    reasons : mapping of int to str
        What went wrong at a point, by its index in the block.
    degenerate : ndarray of bool, shape (n,)
        Whether a comparison that matters is within the tolerance of a tie; empty where that is not asked.
    """

    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    count: NDArray[np.int64]
    kinds: Mapping[str, Flags]
    status: NDArray[np.uint8]
    reasons: Mapping[int, str] = field(default_factory=dict)
    degenerate: Flags = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


@runtime_checkable
class Answerable(Protocol):
    """What has parameters and can be asked for the probability of an event."""

    @property
    def sweep_names(self) -> tuple[str, ...]:
        """Names of the parameters that may take many values."""

    @property
    def events(self) -> tuple[str, ...]:
        """What the probability of may be asked."""

    def answer(
        self, values: Mapping[str, Floats], *, at: Mapping[str, object], events: Sequence[Any], concept: Any = None
    ) -> BlockAnswer:
        """Return the answers at n points.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
            One value per point of each parameter that takes many.
        at : mapping of str to value
            Parameters that are the same at all points.
        events : sequence of event
        concept : str or ChosenConcept, optional
            By default its own.
        """

    def spec(self) -> dict[str, Any]:
        """Return what identifies it, JSON-able, so that a stored result can be told to be its own."""

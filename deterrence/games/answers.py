"""The answer of a model, scenario or game to a question at a whole block of parameter values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

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
class BlockAnswer:
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

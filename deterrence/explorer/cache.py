"""What the explorer has solved already, and how long solving took."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

_KEPT = 8  # answers of each kind that are remembered, so that what a slider does not change is not solved again

T = TypeVar("T")


@dataclass(eq=False)
class Cache:
    """The last answers of each kind.

    Attributes
    ----------
    seconds : float
        Spent on solving; who asks sets it to 0 and reads it.
    """

    seconds: float = 0.0
    _shelves: dict[str, OrderedDict[Any, Any]] = field(default_factory=dict)

    def remember(self, key: tuple[Any, ...], work: Callable[[], T]) -> T:
        """Return what is remembered under a key, whose first entry is the kind of answer, or else do the work."""
        shelf = self._shelves.setdefault(key[0], OrderedDict())
        if key in shelf:
            shelf.move_to_end(key)
            known: T = shelf[key]
            return known
        begun = time.perf_counter()
        done = work()
        self.seconds += time.perf_counter() - begun
        shelf[key] = done
        while len(shelf) > _KEPT:
            shelf.popitem(last=False)
        return done

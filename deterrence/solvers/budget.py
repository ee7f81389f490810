"""How much work a search may do: units of work, seconds, and what is said of the part that was not searched.

A search that may be long asks ``spend`` before each piece of work and stops when the answer is False; it then returns
what it has, not complete, with ``unsearched`` in the options of the result. Between two questions no more than some
tenths of a second should pass, so that a time limit is kept and an interrupt is heard. After a second a bar shows how
far the search has come, on a terminal only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from deterrence.games.errors import ParameterError

T = TypeVar("T")

_HEARD = 0.1  # seconds after which an interrupt is heard, at most
_PATIENCE = 1.0  # seconds before a bar is drawn
_ASKED = 0.1  # seconds between two strokes of it


class OutOfWork(Exception):
    """Raised in the middle of a search whose budget has ended, by ``Budget.require``, and caught where it began."""


class Budget:
    """Work that a search may do.

    Parameters
    ----------
    concept : str
        Who searches; named on the bar and in errors.
    limit : int or None
        Most units of work; None: no bound.
    time_limit : float or None
        Most seconds of wall time; None: no bound.
    unit : str
        What a unit is, in the plural.

    Attributes
    ----------
    spent : int
        Units so far.
    unsearched : list of str
        What was left out, in words.

    Raises
    ------
    ParameterError
        If a bound is not positive.

    Examples
    --------
    >>> budget = Budget("nash", limit=3, unit="supports")
    >>> [budget.spend() for _ in range(5)]
    [True, True, True, False, False]
    >>> budget.reason
    'limit=3 supports'
    """

    def __init__(
        self, concept: str, *, limit: int | None = None, time_limit: float | None = None, unit: str = "supports"
    ) -> None:
        if limit is not None and not limit >= 1:
            raise ParameterError(f"limit must be at least 1 ({unit}), got {limit!r}")
        if time_limit is not None and not time_limit > 0:
            raise ParameterError(f"time_limit must be a positive number of seconds, got {time_limit!r}")
        self.concept, self.limit, self.time_limit, self.unit = concept, limit, time_limit, unit
        self.spent = 0
        self.reason = ""
        self.unsearched: list[str] = []
        self._start = self._asked = time.monotonic()
        self._bar: Any = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing left."""
        return bool(self.reason)

    def spend(self, units: int = 1) -> bool:
        """Take some units; return whether they were there. Once they were not, none are."""
        if self.reason:
            return False
        if self.limit is not None and self.spent + units > self.limit:
            self._end(f"limit={self.limit:,} {self.unit}")
            return False
        now = time.monotonic()
        if self.time_limit is not None and now - self._start > self.time_limit:
            self._end(f"time_limit={self.time_limit:g} seconds")
            return False
        self.spent += units
        if now - self._asked > _ASKED and now - self._start > _PATIENCE:
            self._asked = now
            self._show()
        return True

    def require(self, units: int = 1) -> None:
        """Take some units; raise OutOfWork if they were not there."""
        if not self.spend(units):
            raise OutOfWork(self.reason)

    def stop(self) -> None:
        """Raise OutOfWork: another program has kept the bounds on seconds or iterations that were left."""
        self._end(f"time_limit={self.time_limit:g} seconds" if self.time_limit else f"limit={self.limit:,} {self.unit}")
        raise OutOfWork(self.reason)

    def seconds_left(self) -> float | None:
        """Return how many seconds are left; None if there is no bound."""
        if self.time_limit is None:
            return None
        return max(self.time_limit - (time.monotonic() - self._start), 1e-3)

    def work_left(self, most: int) -> int:
        """Return how many units a part of the search may spend: those that are left, at least one, at most so many."""
        return most if self.limit is None else max(1, min(most, self.limit - self.spent))

    def skip(self, what: str) -> None:
        """Record something that is not searched."""
        if what not in self.unsearched:
            self.unsearched.append(what)

    def options(self) -> dict[str, object]:
        """Return what a result says of the search: its bounds, what it cost, and what it left out."""
        self.close()
        found: dict[str, object] = {"limit": self.limit, "time_limit": self.time_limit, "work": self.spent}
        if self.unsearched:
            found["unsearched"] = tuple(self.unsearched)
        return found

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _end(self, reason: str) -> None:
        self.reason = reason
        self.close()

    def _show(self) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=self.limit,
                unit=f" {self.unit}",
                unit_scale=True,
                desc=self.concept,
                leave=False,
                disable=None,
                dynamic_ncols=True,
            )
        self._bar.update(self.spent - self._bar.n)


def interruptible(call: Callable[[], T]) -> T:
    """Return what a call into compiled code gives, so that an interrupt is heard while it runs.

    It runs in a thread of its own. On an interrupt it is left alone, so that its own bound on seconds should be set.
    """
    if threading.current_thread() is not threading.main_thread():
        return call()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # handed on to the caller
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_HEARD)
    if errors:
        raise errors[0]
    return results[0]

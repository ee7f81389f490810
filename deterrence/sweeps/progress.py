"""Progress of a sweep: points, points per second and time left, in a terminal and in a notebook alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Self

_PATIENCE = 1.0  # seconds before a bar is drawn
Told = Callable[[int, int], None]


class Progress:
    """A bar, a function that is told (done, total), or nothing."""

    def __init__(self, shown: bool | Told, total: int, done: int, label: str = "sweep", unit: str = "points") -> None:
        self.total, self.done = total, done
        self._tell = shown if callable(shown) else None
        self._bar: Any = None
        if shown is True:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a notebook without widgets gets a bar of text
                from tqdm.auto import tqdm

                self._bar = tqdm(
                    total=total,
                    initial=done,
                    unit=f" {unit}",
                    unit_scale=True,
                    delay=_PATIENCE,
                    desc=label,
                    dynamic_ncols=True,
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, points: int) -> None:
        """Note that some more points are done."""
        self.done += points
        if self._bar is not None:
            self._bar.update(points)
        if self._tell is not None:
            self._tell(self.done, self.total)

"""How many points a curve or a map may have: as many as the reader need not wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from deterrence.explorer.subjects import Subject

_AT_ONCE = 0.25  # seconds that the first map may take
_PATIENCE = 2.5  # seconds that the last map may take
_SIZES = (8, 12, 24, 40, 60, 90, 120)  # of maps
_POINTS = (31, 61, 121)  # of curves
_PROBED = (4, 64, 256, 1024, 4096)  # points that are timed
_VALUES = (90, 89)  # of the two axes that are timed: pairs of them repeat only after 8,010 points


def seconds_of_a_point(subject: Subject, axes: tuple[str, ...]) -> float:
    """Return what one of many points over one or two parameters takes of the processor, in seconds."""
    sliders = {slider.name: slider for slider in subject.sliders}
    start = {name: slider.value for name, slider in sliders.items()}

    def took(size: int) -> float:
        swept = {name: np.resize(sliders[name].points(n), size) for name, n in zip(axes, _VALUES, strict=False)}
        begun = time.process_time()  # what else the machine does is left out
        subject.likelihood({**start, **swept}, size, subject.events[0], subject.concepts[0], settle=False)
        return time.process_time() - begun

    took(_PROBED[0])  # imports and first uses are not what a point takes
    seconds = [took(_PROBED[0])]
    each = seconds[0] / _PROBED[0]
    for fewer, size in pairwise(_PROBED):  # solved as arrays, many take less time each
        if seconds[-1] > _AT_ONCE / 2:
            break
        seconds.append(took(size))
        each = max(seconds[-1] - seconds[-2], seconds[-1] / 20) / (size - fewer)
    return each


def sizes_of_map(each: float, power: int = 2) -> tuple[int, ...]:
    """Return the points along each side of the first map, and of a finer one, if a point takes ``each`` seconds.

    With ``power`` 1 only the points of each side are solved for, and combined.

    Examples
    --------
    >>> sizes_of_map(1e-6), sizes_of_map(3e-4)
    ((120,), (24, 90))
    """
    first, last = (_largest(_SIZES, t, lambda n: n**power * each) for t in (_AT_ONCE, _PATIENCE))
    return (first,) if first == last else (first, last)


def points_of_curve(each: float) -> int:
    """Return the points of a curve, if a point takes ``each`` seconds."""
    return _largest(_POINTS, _AT_ONCE / 2, lambda n: n * each)


def _largest(sizes: Sequence[int], limit: float, takes: Callable[[int], float]) -> int:
    return max([n for n in sizes if takes(n) <= limit] or [min(sizes)])

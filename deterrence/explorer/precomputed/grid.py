"""Which parameters a page can move, and at which values."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.explorer.subjects import Slider
from deterrence.explorer.views import Views
from deterrence.games.answers import BlockAnswer
from deterrence.games.errors import ParameterError

Floats = NDArray[np.float64]

MOST_AXES = 4
_USUAL = 3  # axes, if the reader does not name them
_SCREENED = 33  # points along each parameter when influence is measured


def movable_parameters(explorer: Views, over: Sequence[str] | None) -> list[str]:
    """Return the parameters that the page can move.

    By default these are the explorer's axes and the parameters along which the likelihood varies most, three in all.

    Raises
    ------
    ParameterError
        If ``over`` names no parameter, one twice, or more than four.
    """
    subject = explorer.subject
    sliders = {slider.name: slider for slider in subject.sliders}
    if over is not None:
        return _checked([over] if isinstance(over, str) else list(over), sliders)
    influence = {}
    for name, slider in sliders.items():
        values = slider.points(_SCREENED)
        answer = likelihood(explorer, {name: values}, len(values), subject.events[0])
        influence[name] = _spread(answer, subject.events[0])
    others = sorted((name for name in sliders if name not in subject.axes), key=lambda name: -influence[name])
    return [*subject.axes, *others][: max(_USUAL, len(subject.axes))]


def pace(explorer: Views, names: Sequence[str]) -> float:
    """Return the seconds that the likelihood of one event takes at a point, in blocks as they will be asked."""
    sliders = {slider.name: slider for slider in explorer.subject.sliders}
    rng = np.random.default_rng(0)
    size, took = 16, 0.0
    while took < 0.05 and size < 8192:
        size *= 4
        values = {name: rng.choice(sliders[name].points(_SCREENED), size) for name in names}
        started = time.perf_counter()
        likelihood(explorer, values, size, explorer.subject.events[0])
        took = time.perf_counter() - started
    return took / size


def likelihood(
    explorer: Views, swept: Mapping[str, Any], size: int, event: str, *, settle: bool = False
) -> BlockAnswer:
    """Return the likelihood of an event at many points; what is not swept stands at its start."""
    state = explorer.initial_state
    return explorer.subject.likelihood({**state["values"], **swept}, size, event, state["concept"], settle=settle)


def grid_of(slider: Slider, most: int) -> Floats:
    """Return at most so many evenly spaced values of a parameter, its starting value among them.

    The ends of the range are among them wherever a number of points down to two thirds of ``most`` allows it.

    Examples
    --------
    >>> grid_of(Slider("p", 0, 1, value=0.3, step=0.01), 12).tolist()
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    >>> grid_of(Slider("k", 0, 1.2, value=0.6, step=0.01), 31)[0].item()
    0.0
    """
    low, high, value = slider.low, slider.high, slider.value
    step = (high - low) / (most - 1)
    if slider.whole:
        step = max(math.ceil(step), 1)
    else:
        for count in range(most, max(2 * most // 3, 2), -1):
            share = (value - low) / (high - low) * (count - 1)
            if abs(share - round(share)) < 1e-9:
                step = (high - low) / (count - 1)
                break
    below, above = (math.floor(abs(end - value) / step + 1e-9) for end in (low, high))
    least = 10.0 ** (math.floor(math.log10(high - low)) - 12)  # what is smaller than this is rounding, next to 0 too
    places = (round((value + k * step) / least) * least for k in range(-below, above + 1))
    values = [float(f"{place:.12g}") for place in places]
    return np.array([min(max(v, low), high) for v in values])


def _checked(names: list[str], sliders: Mapping[str, Slider]) -> list[str]:
    unknown = [name for name in names if name not in sliders]
    if unknown:
        raise ParameterError(f"over names {unknown[0]!r}, which is no parameter; there are {', '.join(sliders)}")
    if len(set(names)) < len(names) or not 1 <= len(names) <= MOST_AXES:
        raise ParameterError(f"over takes 1 to {MOST_AXES} different parameters, got {', '.join(names) or 'none'}")
    return names


def _spread(answer: BlockAnswer, event: str) -> float:
    """Return by how much the ends of the likelihood vary along a parameter."""
    ends = [values[np.isfinite(values)] for values in (answer.low[event], answer.high[event])]
    return float(sum(np.ptp(end) for end in ends if end.size))

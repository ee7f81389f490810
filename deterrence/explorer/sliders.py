"""Sliders from tables of parameters: ranges that fit a screen, steps that are round numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deterrence.explorer.subjects import Slider
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter

STEPS = 100  # at least so many from end to end

_WIDE = 8.0  # a range more than so many times as long as the default is large is cut around the default


def slider_of(parameter: Parameter, given: tuple[float, float] | None = None, *, group: str = "") -> Slider:
    """Return the slider of a parameter: its admissible range, or as much of it around the default as is of interest.

    Parameters
    ----------
    parameter : Parameter
    given : pair of float, optional
        The range asked for; it must lie within the parameter's.
    group : str
        By default what stands before the dot of a dotted name.

    Raises
    ------
    ParameterError
        If the range asked for is none.
    """
    whole = parameter.unit == "count"
    value = float(parameter.default)
    low, high = _checked(parameter, given) if given is not None else _window(parameter, whole)
    if given is not None:
        value = min(max(value, low), high)
    if given is None and not whole:
        low, high = _off_the_edge(low, high, value)
    first, dot, rest = parameter.name.partition(".")
    return Slider(
        name=parameter.name,
        low=low,
        high=high,
        value=value,
        step=1.0 if whole else step_of(low, high),
        label=rest if dot and not group else parameter.name,
        unit=parameter.unit,
        meaning=parameter.meaning,
        group=group or (first if dot else ""),
        whole=whole,
    )


def step_of(low: float, high: float) -> float:
    """Return the largest step of 1, 2 or 5 times a power of ten that takes ``STEPS`` steps or more from end to end.

    Examples
    --------
    >>> step_of(0, 1), step_of(-2, 2), step_of(0, 30)
    (0.01, 0.02, 0.2)
    """
    most = (high - low) / STEPS * (1 + 1e-9)
    power = 10.0 ** math.floor(math.log10(most))
    return round(max(k for k in (1, 2, 5) if k * power <= most) * power, 12)


def range_of(name: str, given: Any) -> tuple[float, float]:
    """Return a range as a pair of numbers.

    Raises
    ------
    ParameterError
        If it is no pair of numbers, low before high.
    """
    try:
        low, high = (float(x) for x in given)
    except OverflowError:
        raise ParameterError(f"the range of {name} must lie within the range of floats, up to 1e308") from None
    except (TypeError, ValueError):
        raise ParameterError(f"the range of {name} must be a pair of numbers (low, high), got {given!r}") from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ParameterError(f"the range of {name} must be finite with low < high, got ({low:g}, {high:g})")
    return low, high


def known_only(ranges: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise ParameterError if a range is given of what is no parameter."""
    for name in ranges:
        if name not in known:
            raise ParameterError(f"a range is given of {name!r}; the parameters are {', '.join(known)}")


def _checked(parameter: Parameter, given: tuple[float, float]) -> tuple[float, float]:
    low, high = range_of(parameter.name, given)
    parameter.check(low)
    parameter.check(high)
    return low, high


def _off_the_edge(low: float, high: float, value: float) -> tuple[float, float]:
    """Return a range whose ends, where they are next to nothing, are a step away from it."""
    step = step_of(low, high)
    low = step if 0 < low < step <= value else low
    high = -step if -value >= step > -high > 0 else high
    return low, high


def _window(parameter: Parameter, whole: bool) -> tuple[float, float]:
    value, low, high = float(parameter.default), float(parameter.low), float(parameter.high)
    size = max(abs(value), 0.5)
    if whole:
        return max(low, 0.0), min(high, max(10.0, math.ceil(3 * value)))
    if math.isfinite(low) and math.isfinite(high) and high - low <= _WIDE * size:
        return low, high
    reach = 10.0 ** math.floor(math.log10(size))
    reach *= next(k for k in (1, 2, 5, 10) if k * reach >= size)
    cut_low, cut_high = value - 2 * reach, value + 2 * reach
    if low >= 0:  # a size: from nothing to some times what it is
        cut_low = 0.0
    return max(low, round(cut_low, 9)), min(high, round(cut_high, 9))

"""Parameters that are no single number, and the way from a table of parameters to values and back.

An entry of a structured parameter has a dotted name: ``Parameter("A.war", ...)`` is given as ``A={"war": -0.5}``, or
alone as ``{"A.war": -0.5}``, which leaves the other entries of ``A`` at their defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.games.quantities import check_names, real_number
from deterrence.games.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Series(Value):
    """A parameter that is a list of numbers, or a table of them.

    Attributes
    ----------
    name : str
    default : tuple
        Numbers, or rows of numbers.
    low, high : float
        Admissible range of every number, ends included.
    unit, meaning : str
        As for ``Parameter``.
    """

    name: str
    default: tuple[Any, ...]
    low: float = float("-inf")
    high: float = float("inf")
    unit: str = ""
    meaning: str = ""

    def check(self, value: Any) -> None:
        """Raise ParameterError unless the value is a list (of lists) of numbers within the range."""
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(f"{self.name} must be a list of numbers, got {value!r}") from None
        if array.ndim != np.ndim(self.default) or array.size == 0:
            raise ParameterError(f"{self.name} must be a list of {np.ndim(self.default)} dimension(s), got {value!r}")
        if not bool(((array >= self.low) & (array <= self.high)).all()):
            raise ParameterError(
                f"{self.name} must hold numbers in [{self.low:g}, {self.high:g}] {self.unit}, got {value!r}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Choice(Value):
    """A parameter that names one of several forms.

    Attributes
    ----------
    name, default : str
    options : tuple of str
        What it may be.
    meaning : str
    """

    name: str
    default: str
    options: tuple[str, ...]
    meaning: str = ""
    unit: str = ""

    def check(self, value: Any) -> None:
        """Raise ParameterError unless the value is one of the options."""
        if value not in self.options:
            raise ParameterError(f"{self.name} must be one of {list(self.options)}, got {value!r}")


Entry: TypeAlias = Parameter | Series | Choice


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values under dotted names."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            result.update({f"{name}.{key}": x for key, x in flat(value).items()})
        else:
            result[name] = value
    return result


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values under dotted names as nested mappings."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        *groups, key = name.split(".")
        place = result
        for group in groups:
            place = place.setdefault(group, {})
        place[key] = value
    return result


def group_names(table: Iterable[Entry]) -> tuple[str, ...]:
    """Return the names as keyword arguments, a structured parameter once."""
    return tuple(dict.fromkeys(entry.name.split(".")[0] for entry in table))


def complete(table: Sequence[Entry], given: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return all values of a table, nested, with defaults for what is not given; each is checked against its range.

    Raises
    ------
    ParameterError
        If a name is unknown or a value out of its range; the message names it.
    """
    known = [entry.name for entry in table]
    values = flat(given)
    check_names(values, known, what, complete=False)
    chosen = {entry.name: _clean(entry, values.get(entry.name, entry.default)) for entry in table}
    return nest(chosen)


def _clean(entry: Entry, value: Any) -> Any:
    if isinstance(entry, Choice | Series):
        entry.check(value)
        return value if isinstance(entry, Choice) else np.array(value, dtype=np.float64).tolist()
    if isinstance(value, str) and value.lower() in ("infinity", "inf"):
        value = float("inf")
    if isinstance(value, np.ndarray) and value.ndim:
        inside = (value >= entry.low) & (value <= entry.high)
        if not bool(inside.all()):
            entry.check(float(value[~inside].ravel()[0]))
            raise ParameterError(f"{entry.name} must be a number, got {value[~inside].ravel()[0]}")
        return value.astype(np.float64)
    if not isinstance(value, Real | np.ndarray):
        raise ParameterError(f"{entry.name} must be a number, got {type(value).__name__} {value!r}")
    entry.check(real_number(value, entry.name))
    return value

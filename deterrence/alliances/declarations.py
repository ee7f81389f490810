"""How the records of an alliance are checked: numbers within their range, names, distinct parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from deterrence.games.errors import GameError, ParameterError


def number_in(value: Any, low: float, high: float, what: str, *, strict: bool = False) -> Any:
    """Return a number (or a read-only array of them) that lies in a range; ``strict`` leaves out the lower end.

    Raises
    ------
    ParameterError
        If it does not; the message names ``what`` and the value.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{what} must be a number, got {value!r}") from None
    bad = ~np.isfinite(array) | (array > high) | ((array <= low) if strict else (array < low))
    if bad.any():
        expected = (
            f"in [{low:g}, {high:g}]"
            if np.isfinite(high)
            else f"{'above' if strict else 'at least'} {low:g} and finite"
        )
        raise ParameterError(f"{what} must be {expected}, got {array[bad].flat[0]:g}")
    if array.ndim == 0:
        return float(array)
    array = array.copy()
    array.setflags(write=False)
    return array


def check_name(name: Any, what: str) -> None:
    """Raise GameError unless a name is a string that a path can hold."""
    if not isinstance(name, str) or not name or name == "*" or '"' in name:
        raise GameError(
            f"the name of a {what} must be a string other than '' and '*', without double quotes; got {name!r}"
        )


def distinct(records: Any, kind: type, what: str) -> tuple[Any, ...]:
    """Return named records as a tuple.

    Raises
    ------
    GameError
        If there is none, one is of another kind, or a name stands twice.
    """
    found = tuple(records)
    if not found:
        raise GameError(f"{what} must hold at least one, got none")
    names = []
    for record in found:
        if not isinstance(record, kind):
            raise GameError(f"{what} must hold {kind.__name__}, got {type(record).__name__}")
        if record.name in names:  # type: ignore[attr-defined]
            raise GameError(f"{what} must have distinct names, got {record.name!r} twice")  # type: ignore[attr-defined]
        names.append(record.name)  # type: ignore[attr-defined]
    return found

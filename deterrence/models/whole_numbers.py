"""Counts among parameters: a number of members, of votes, of challengers."""

from __future__ import annotations

from deterrence.games.errors import ParameterError


def whole(name: str, value: float) -> int:
    """Return a count as an integer.

    Raises
    ------
    ParameterError
        If it is no whole number.

    Examples
    --------
    >>> whole("N", 5.0)
    5
    """
    if value != int(value):
        raise ParameterError(f"{name} must be a whole number, got {value:g}")
    return int(value)

"""How the numbers of an alliance are declared: once each, where the record that holds it is defined.

A record writes ``delay: Any = number(0.0, unit="days", meaning="days until it can be there", group="forces")``. What is
said there is read by the check of its range (``check_numbers``), the batch dimensions, the tables of scenario files and
their JSON schema (``scenarios.schema``), the building of the game, the labels of sensitivities, the groups of a
comparison, and the reference page of scenario files. To add a number is to declare it, to use it and to test it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.errors import GameError, ParameterError

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Number:
    """The declaration of a number.

    Attributes
    ----------
    default : float or None
        None if it must be given.
    low, high : float
        Range, ends included.
    strict : bool
        Whether ``low`` itself is left out.
    whole : bool
        Whether it must be a whole number.
    unit : str
        For example ``"days"``, ``"probability"``, ``"prize"``.
    meaning : str
        In a line; it stands in the JSON schema and on the reference page.
    label : str
        What a table of sensitivities calls it; empty for its name.
    group : str
        Of members' numbers: the group of a comparison that holds it.
    required : bool
        Whether a scenario file must give it, although the record has a default.
    by_attack : bool
        Whether it may be given for each kind of attack.
    """

    default: float | None
    low: float = 0.0
    high: float = INFINITY
    strict: bool = False
    whole: bool = False
    unit: str = ""
    meaning: str = ""
    label: str = ""
    group: str = ""
    required: bool = False
    by_attack: bool = False


def number(default: float | None = None, **said: Any) -> Any:
    """Return a dataclass field that holds a number, or a batch of them; see ``Number`` for what may be said of it."""
    metadata = {"number": Number(default, **said)}
    if default is None:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def number_like(kind: type, name: str) -> Any:
    """Return a field that holds the number of another record, as it is declared there."""
    (one,) = (one for one in dataclasses.fields(kind) if one.name == name)
    if one.default is dataclasses.MISSING:
        return dataclasses.field(metadata=one.metadata)
    return dataclasses.field(default=one.default, metadata=one.metadata)


def numbers_declared(kind: Any) -> Mapping[str, Number]:
    """Return the declarations of a record's numbers by name, in order."""
    return {one.name: one.metadata["number"] for one in dataclasses.fields(kind) if "number" in one.metadata}


def check_numbers(record: Any, of: str = "") -> None:
    """Check the numbers of a frozen record, and set them as floats or read-only arrays.

    Parameters
    ----------
    record : dataclass
    of : str
        Whose numbers they are, for messages.

    Raises
    ------
    ParameterError
        If one is out of its range.
    """
    whose = f" of {of}" if of else ""
    for key, said in numbers_declared(type(record)).items():
        value = getattr(record, key)
        if said.by_attack and isinstance(value, Mapping):
            what = key.replace("_", " ")
            checked: Any = {
                attack: number_in(x, said.low, said.high, f"{what} of {attack} by {of}") for attack, x in value.items()
            }
        else:
            checked = number_in(value, said.low, said.high, f"{key}{whose}", strict=said.strict)
            if said.whole and np.any(np.asarray(checked) % 1):
                raise ParameterError(f"{key}{whose} must be a whole number, got {value}")
        object.__setattr__(record, key, checked)


def number_shapes(record: Any, kind: type | None = None, leave_out: Sequence[str] = ()) -> list[tuple[int, ...]]:
    """Return the shapes of a record's numbers (of those that a base class declares), but for those given by attack."""
    declared = numbers_declared(kind or type(record))
    return [
        np.shape(getattr(record, key)) for key, said in declared.items() if not (said.by_attack or key in leave_out)
    ]


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
    named = tuple(records)
    if not named:
        raise GameError(f"{what} must hold at least one, got none")
    names: list[str] = []
    for record in named:
        if not isinstance(record, kind):
            raise GameError(f"{what} must hold {kind.__name__}, got {type(record).__name__}")
        name: str = record.name  # type: ignore[attr-defined]
        if name in names:
            raise GameError(f"{what} must have distinct names, got {name!r} twice")
        names.append(name)
    return named

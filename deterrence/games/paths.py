"""Changes to frozen records by path: the grammar of perception overlays, sweeps and variants.

A *path* names a number inside a record, with dots between its steps. A step is a field of the record
(``treaty.integration``), a name within a tuple of named records (``members.Estonia.stake``), or a key of a mapping
(``members.Estonia.recognition.hybrid``); ``*`` stands for every name or key. A name that holds a dot
stands in double quotes (``members."St. Lucia".stake``).

A *change* is a number or array (the value is set), a string that begins with ``+``, ``-`` or ``*`` (added,
subtracted, multiplied: ``"+0.8"``, ``"-0.8"``, ``"*1.5"``), or ``{"set": x}``, ``{"add": x}``, ``{"multiply":
x}`` with numbers or arrays. Paths are applied in the order given, and the outcome is checked once. Mind that a
bare -0.8 *sets*; only the string ``"-0.8"`` subtracts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.renaming import present_path

Record = TypeVar("Record")
Change = Any  # number | array | "+x" | "-x" | "*x" | {"set" | "add" | "multiply": x}
Overlay = Mapping[str, Change]

_STEP = re.compile(r'"([^"]+)"|([^."]+)')


def apply_overlay(record: Record, overlay: Overlay) -> Record:
    """Return a record with the values at some paths changed.

    Parameters
    ----------
    record : frozen dataclass
        It and its parts are validated anew.
    overlay : mapping of path to change
        See the module's docstring.

    Raises
    ------
    ParameterError
        If a path leads nowhere (the nearest name is suggested) or a change is none.
    """
    errands = [(split_path(path), path, _operation(change, path)) for path, change in overlay.items()]
    fresh: Record = _descend(record, errands)
    return fresh


def value_at(record: Any, path: str) -> Any:
    """Return what stands at a path (of the first match, where the path holds ``*``).

    Raises
    ------
    ParameterError
        If the path leads nowhere.
    """
    found: list[Any] = []

    def note(value: Any) -> Any:
        found.append(value)
        return value

    _descend(record, [(split_path(path), path, note)])
    return found[0]


def apply_change(change: Change, current: Any, path: str) -> Any:
    """Return a number after a change.

    Raises
    ------
    ParameterError
        If the change is none; the message names ``path``.
    """
    return _operation(change, path)(current)


def paths_of(record: Any) -> Iterator[str]:
    """Yield the path of every number in a record."""
    return (path for path, _ in numbers_of(record))


def numbers_of(record: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, number) of every number in a record."""
    for key, value in _steps(record):
        step = f'"{key}"' if "." in key else key
        if dataclasses.is_dataclass(value) or isinstance(value, Mapping) or _is_named_tuple(value):
            yield from numbers_of(value, f"{prefix}{step}.")
        elif _is_number(value):
            yield f"{prefix}{step}", value


def split_path(path: str) -> tuple[str, ...]:
    """Return the steps of a path.

    Raises
    ------
    ParameterError
        If it is no path.
    """
    steps: list[str] = []
    position = 0
    while isinstance(path, str) and position <= len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        steps.append(match[1] or match[2])
        position = match.end()
        if position == len(path):
            return tuple(steps)
        if path[position] != ".":
            break
        position += 1
    raise ParameterError(f"{path!r} is no path; write steps with dots between them, such as 'members.*.cost.location'")


Errand = tuple[tuple[str, ...], str, Callable[[Any], Any]]  # the steps still to go, the whole path, what to do there


def _descend(record: Any, errands: list[Errand]) -> Any:
    """Return the record with all errands done in order; each part is made anew, and so validated, once."""
    parts = dict(_steps(record))
    below: dict[str, list[Errand]] = {}
    for given, path, operate in errands:
        steps = present_path(record, given)
        if not steps:
            if dataclasses.is_dataclass(record) or isinstance(record, Mapping) or _is_named_tuple(record):
                raise ParameterError(f"path {path!r} stops short of a number; it goes on with {_some(parts)}")
            record = operate(record)
            continue
        for key in _chosen(record, parts, steps[0], path):
            below.setdefault(key, []).append((steps[1:], path, operate))
    if not below:
        return record
    fresh = {key: _descend(parts[key], some) for key, some in below.items()}
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return dataclasses.replace(record, **fresh)
    if isinstance(record, Mapping):
        return {**record, **fresh}
    return tuple(fresh.get(part.name, part) for part in record)


def _chosen(record: Any, parts: Mapping[str, Any], step: str, path: str) -> tuple[str, ...]:
    """Return the names that a step of a path means."""
    if not parts:
        raise ParameterError(f"path {path!r} goes on with {step!r} after a plain value")
    if step == "*" and dataclasses.is_dataclass(record):
        raise ParameterError(f"path {path!r} holds '*' where a field is due; the fields are {_some(parts)}")
    if step != "*" and step not in parts:
        hint = did_you_mean(step, parts)
        raise ParameterError(f"path {path!r} has no {step!r}; known here are {_some(parts)}{hint}")
    return tuple(parts) if step == "*" else (step,)


def _steps(record: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(record):
        yield from ((f.name, getattr(record, f.name)) for f in dataclasses.fields(record) if f.init)
    elif isinstance(record, Mapping):
        yield from ((str(key), value) for key, value in record.items())
    elif _is_named_tuple(record):
        yield from ((part.name, part) for part in record)


def _is_named_tuple(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(hasattr(part, "name") for part in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.ndarray | np.number) and not isinstance(value, bool)


def _some(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"


def _operation(change: Change, path: str) -> Callable[[Any], Any]:
    if isinstance(change, str):
        match = re.fullmatch(r"\s*([+\-*])\s*([0-9.eE+\-]+)\s*", change)
        try:
            amount = float(match[2]) if match else None
        except ValueError:
            amount = None
        if match is None or amount is None:
            raise ParameterError(f"the change of {path!r} must be a number, '+x', '-x' or '*x', got {change!r}")
        sign, kind = (-amount if match[1] == "-" else amount), ("multiply" if match[1] == "*" else "add")
        return _arithmetic(kind, sign, path)
    if isinstance(change, Mapping):
        if len(change) != 1 or not set(change) <= {"set", "add", "multiply"}:
            raise ParameterError(
                f"the change of {path!r} must hold one of 'set', 'add', 'multiply', got {dict(change)!r}"
            )
        ((kind, value),) = change.items()
        return _arithmetic(kind, value, path)
    return _arithmetic("set", change, path)


def _arithmetic(kind: str, value: Any, path: str) -> Callable[[Any], Any]:
    try:
        amount = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"the change of {path!r} must be a number or an array, got {value!r}") from None
    except OverflowError:
        raise ParameterError(
            f"the change of {path!r} must be at most 1e308 in size, got one beyond the range of floats"
        ) from None
    number: Any = float(amount) if amount.ndim == 0 else amount

    def operate(current: Any) -> Any:
        if not _is_number(current):
            raise ParameterError(f"path {path!r} holds {current!r}, which is no number that could change")
        if kind == "set":
            return number
        return current + number if kind == "add" else current * number

    return operate

"""Values: objects that are equal if they are of one class and hold the same, whatever they hold.

Arrays are compared by shape and elements, tables by content, functions of one module by identity, ``functools.partial``
by its parts; not-a-number equals itself, so that a copy of a thing equals the thing. What an object has only computed
and kept (``functools.cached_property``) is no part of it.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

_ATOMS = (str, bytes, bool, type(None), complex, type, FunctionType, ModuleType, frozenset, set)

_UNEQUAL: Any = object.__eq__  # what classes compare by that say nothing of it: identity


class Value:
    """A base whose instances are equal if they are of one class and hold the same, arrays included."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return same(self, other)

    def __hash__(self) -> int:
        return hash((type(self).__qualname__, *map(_coarse, _parts_of_object(self).values())))


def same(one: Any, other: Any) -> bool:
    """Return whether two things are of one kind and hold the same; graphs of any depth and with circles are walked.

    Examples
    --------
    >>> import numpy as np
    >>> same({"x": [np.array([1.0, np.nan])]}, {"x": [np.array([1.0, np.nan])]})
    True
    >>> same((1, 2), [1, 2])
    False
    """
    waiting = [(one, other)]
    met: dict[tuple[int, int], tuple[Any, Any]] = {}  # keeps what it names alive, so that no number is used twice
    while waiting:
        a, b = waiting.pop()
        if a is b or (id(a), id(b)) in met:
            continue
        met[id(a), id(b)] = (a, b)
        found = _compared(a, b)
        if found is False:
            return False
        if found is not True:
            waiting += found
    return True


def parts_of(thing: Any) -> list[Any]:
    """Return what a thing holds, as ``same`` walks it; nothing of numbers, texts, functions, tables and arrays."""
    if isinstance(thing, (*_ATOMS, numbers.Number)) or hasattr(thing, "__array_interface__"):
        return []
    if isinstance(thing, Mapping):
        return list(thing.values())
    if isinstance(thing, tuple | list):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, MethodType | BuiltinFunctionType):
        return [thing.__self__]
    return list(_parts_of_object(thing).values()) if _by_parts(thing) else []


def _by_parts(thing: Any) -> bool:
    """Return whether an object is compared by its parts, rather than by a comparison of its own."""
    return dataclasses.is_dataclass(thing) or isinstance(thing, Value) or type(thing).__eq__ is _UNEQUAL


def _compared(a: Any, b: Any) -> bool | list[tuple[Any, Any]]:
    """Return whether two things are the same, or the pairs of parts that decide it."""
    if isinstance(a, numbers.Number) and isinstance(b, numbers.Number):
        return bool(a == b or (a != a and b != b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return [(value, b[key]) for key, value in a.items()] if a.keys() == b.keys() else False
    if type(a) is not type(b):
        return False
    if isinstance(a, _ATOMS):
        return bool(a == b)
    if isinstance(a, tuple | list):
        return list(zip(a, b, strict=True)) if len(a) == len(b) else False
    if isinstance(a, functools.partial):
        return [(a.func, b.func), (a.args, b.args), (a.keywords, b.keywords)]
    if isinstance(a, MethodType | BuiltinFunctionType):
        return [(a.__name__, b.__name__), (a.__self__, b.__self__)]
    if hasattr(a, "__array_interface__"):
        return _arrays(a, b)
    for method in ("equals", "identical"):  # of tables: pandas, xarray
        if hasattr(a, method) and type(a).__module__.partition(".")[0] in ("pandas", "xarray"):
            return bool(getattr(a, method)(b))
    if _by_parts(a):
        mine, its = _parts_of_object(a), _parts_of_object(b)
        return [(value, its[key]) for key, value in mine.items()] if mine.keys() == its.keys() else False
    return bool(a == b)


def _arrays(a: Any, b: Any) -> bool | list[tuple[Any, Any]]:
    if a.shape != b.shape or a.dtype.kind != b.dtype.kind:
        return False
    if a.dtype.kind == "O":
        return list(zip(a.flat, b.flat, strict=True))
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _parts_of_object(thing: Any) -> dict[Any, Any]:
    """Return what decides what an object is: its fields, else what pickle would keep of it but for what is cached."""
    cls = type(thing)
    if dataclasses.is_dataclass(thing):
        return {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing) if field.compare}
    function, arguments, *rest = thing.__reduce_ex__(4)
    state = rest[0] if rest else None
    slots: dict[str, Any] = {}
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state[0] or {}, state[1] or {}
    if isinstance(state, Mapping):
        state = {
            name: value
            for name, value in {**state, **slots}.items()
            if not isinstance(getattr(cls, str(name), None), functools.cached_property)
        }
    return {"function": function, "arguments": arguments, "state": state, "others": rest[1:]}


def _coarse(part: Any) -> Any:
    """Return what is cheap to hash of a part and the same for parts that are the same."""
    if isinstance(part, str | bool):
        return part
    if hasattr(part, "__array_interface__"):
        return part.shape
    if isinstance(part, tuple | list | Mapping):
        return len(part)
    return None

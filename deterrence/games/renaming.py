"""Names of an earlier release that still work for one more: each use warns and says the present name.

A record's class keeps its old field names in ``RENAMED``, where ``games.paths`` and the readers of files look them up,
so that a path or a key of a file may hold an old name wherever the present one could stand.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Kind = TypeVar("Kind", bound=type)


def warn_renamed(what: str, old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that a name has another one now."""
    warnings.warn(
        f"{old!r} of {what} is now {new!r}; the old name goes with the next release",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


def renamed_fields(**names: str) -> Callable[[Kind], Kind]:
    """Let a dataclass take and give fields by their old names, too.

    Parameters
    ----------
    **names : str
        Present name of each old one; ``"treaty.rule"`` for a field of a part.
    """

    def apply(cls: Kind) -> Kind:
        kind: Any = cls
        made: Callable[..., None] = kind.__init__

        @functools.wraps(made)
        def init(self: Any, *args: Any, **given: Any) -> None:
            for old, new in names.items():
                if old in given:
                    warn_renamed(kind.__name__, old, new)
                    part, _, field = new.partition(".")
                    value = given.pop(old)
                    if field:
                        given[part] = replace(given[part] if part in given else _default(kind, part), **{field: value})
                    elif part in given:
                        raise TypeError(f"{kind.__name__} got both {old!r} and {new!r}, which is its name now")
                    else:
                        given[part] = value
            made(self, *args, **given)

        kind.__init__ = init
        kind.RENAMED = names
        for old, new in names.items():
            setattr(kind, old, _former(old, new))
        return cls

    return apply


def renamed_attributes(**names: str) -> Callable[[Kind], Kind]:
    """Let a class give attributes by their old names, too; present name of each old one."""

    def apply(cls: Kind) -> Kind:
        kind: Any = cls
        for old, new in names.items():
            setattr(kind, old, _former(old, new))
        return cls

    return apply


def renamed_arguments(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keyword arguments by their old names, too; present name of each old one."""

    def apply(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **given: P.kwargs) -> R:
            for old, new in names.items():
                if old in given:
                    if new in given:
                        raise TypeError(f"{function.__name__} got both {old!r} and {new!r}, which is its name now")
                    warn_renamed(function.__name__, old, new)
                    given[new] = given.pop(old)
            return function(*args, **given)

        return call

    return apply


def moved_names(module: str, **places: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module whose names stand elsewhere now.

    Parameters
    ----------
    module : str
        The old one, ``__name__``.
    **places : str
        Present place of each old name: ``"deterrence.package.module.name"``.
    """

    def get(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(module, name, places[name])
        place, _, present = places[name].rpartition(".")
        return getattr(importlib.import_module(place), present)

    return get


class RenamedKeys(dict[str, Any]):
    """Plain data, whose keys of an earlier release may still be read.

    Parameters
    ----------
    data : mapping
    what : str
        What a warning says the data is of.
    **names : str
        Present key of each old one.
    """

    def __init__(self, data: Mapping[str, Any], what: str, **names: str) -> None:
        super().__init__(data)
        self._what = what
        self._names = names

    def __missing__(self, key: str) -> Any:
        if key not in self._names:
            raise KeyError(key)
        warn_renamed(self._what, key, self._names[key])
        return self[self._names[key]]


def present_path(record: Any, steps: tuple[str, ...]) -> tuple[str, ...]:
    """Return the steps of a path into a record, with an old first step replaced by its present name."""
    renamed: Mapping[str, str] = getattr(type(record), "RENAMED", {})
    if not steps or steps[0] not in renamed:
        return steps
    new = renamed[steps[0]]
    warn_renamed(type(record).__name__, steps[0], new, stacklevel=2)
    return (*new.split("."), *steps[1:])


def present_keys(data: Mapping[str, Any], names: Mapping[str, str], what: str) -> dict[str, Any]:
    """Return a mapping with old keys replaced by their present names, in place.

    Raises
    ------
    ValueError
        If a key stands there by both names.
    """
    for old, new in names.items():
        if old in data:
            warn_renamed(what, old, new, stacklevel=2)
            if new in data:
                raise ValueError(f"holds both {old!r} and {new!r}, which is its name now")
    return {names.get(key, key): value for key, value in data.items()}


def _former(old: str, new: str) -> property:
    """Return the property of an old name; without a text of its own it would show that of ``partial``."""
    return property(functools.partial(_value, old=old, new=new), doc=f"Earlier name of ``{new}``; warns.")


def _value(record: Any, old: str, new: str) -> Any:
    warn_renamed(type(record).__name__, old, new)
    return functools.reduce(getattr, new.split("."), record)


def _default(kind: Any, name: str) -> Any:
    (one,) = (one for one in fields(kind) if one.name == name)
    return one.default_factory() if callable(one.default_factory) else one.default

"""Options of the alliance: what each changes and costs, which of them go together, and when one is taken.

A *policy* is a set of options that are taken together; the empty one is the status quo. An option with a *trigger*
(``when = "perceived resolve below 0.4"``) is taken only where the trigger holds of what would be without any option.
A trigger is comparisons of named quantities with numbers, joined by ``and`` and ``or`` (``and`` binds closer); nothing
else is understood, and nothing is run as Python.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError, did_you_mean

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Location = tuple[str | int, ...]

_SENSES: dict[str, Callable[[Any, Any], Any]] = {
    "below": operator.lt,
    "above": operator.gt,
    "at most": operator.le,
    "at least": operator.ge,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_COMPARISON = re.compile(r"(.+?)\s*(?:\bis\s+)?(\bbelow\b|\babove\b|\bat most\b|\bat least\b|<=|>=|<|>)\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A quantity compared with a number.

    Attributes
    ----------
    quantity, sense : str
    level : float
    """

    quantity: str
    sense: str
    level: float

    def holds(self, values: Mapping[str, Floats]) -> Flags:
        """Return where it holds; nowhere, where the quantity is not known (NaN)."""
        return np.asarray(_SENSES[self.sense](values[self.quantity], self.level))


@dataclass(frozen=True, slots=True)
class Trigger:
    """When an option is taken: any of some conjunctions of comparisons.

    Attributes
    ----------
    text : str
    any_of : tuple of tuple of Comparison
    """

    text: str
    any_of: tuple[tuple[Comparison, ...], ...]

    @property
    def quantities(self) -> tuple[str, ...]:
        """What it depends on, in order."""
        return tuple(dict.fromkeys(one.quantity for every in self.any_of for one in every))

    def holds(self, values: Mapping[str, Floats]) -> Flags:
        """Return where it holds, from the values of its quantities, arrays of shape (n,)."""
        every = [np.logical_and.reduce([one.holds(values) for one in some]) for some in self.any_of]
        return np.asarray(np.logical_or.reduce(every))


def trigger(text: str) -> Trigger:
    """Return the trigger that a text describes.

    Raises
    ------
    ParameterError
        If the text is none.

    Examples
    --------
    >>> found = trigger("perceived resolve below 0.4 and attack above 0.2")
    >>> found.quantities
    ('perceived resolve', 'attack')
    >>> found.holds({"perceived resolve": np.array([0.3, 0.3, 0.5]), "attack": np.array([0.1, 0.3, 0.3])})
    array([False,  True, False])
    """
    every = [re.split(r"\s+and\s+", part) for part in re.split(r"\s+or\s+", text.strip())]
    return Trigger(text, tuple(tuple(_comparison(one, text) for one in some) for some in every))


def _comparison(text: str, whole: str) -> Comparison:
    match = _COMPARISON.fullmatch(text.strip())
    try:
        level = float(match[3]) if match else float("nan")
    except ValueError:
        level = float("nan")
    if match is None or not np.isfinite(level):
        raise ParameterError(
            f"expected a quantity, one of {', '.join(_SENSES)}, and a number, as in 'perceived resolve below 0.4', "
            f"got {text!r}" + (f" in {whole!r}" if text != whole else "")
        )
    return Comparison(match[1].strip(), match[2], level)


def policies(
    count: int,
    *,
    requires: Mapping[int, Iterable[int]],
    excludes: Iterable[tuple[int, int]],
    costs: Floats,
    budget: Floats | None,
    confidence: float = 0.5,
    most: int,
) -> list[tuple[int, ...]] | None:
    """Return every affordable policy, the smallest first, or None if there are more than ``most``.

    Costs are not negative, so that what cannot be afforded, or holds two options that exclude each other, need not be
    built on.

    Parameters
    ----------
    count : int
        Number O of options.
    requires : mapping of int to iterable of int
        By option: those that must be taken with it.
    excludes : iterable of pair of int
        Options that cannot be taken together.
    costs : ndarray, shape (O, n)
        Over n draws.
    budget : ndarray, shape (n,), or None
    confidence : float
        Share of draws in which a policy must cost no more than the budget.
    most : int
    """
    apart: dict[int, set[int]] = {}
    for a, b in excludes:
        apart.setdefault(a, set()).add(b)
        apart.setdefault(b, set()).add(a)
    found: list[tuple[int, ...]] = []
    stack: list[tuple[tuple[int, ...], Floats]] = [((), np.zeros(costs.shape[1]))]
    while stack:
        chosen, spent = stack.pop()
        if all(set(requires.get(i, ())) <= set(chosen) for i in chosen):
            found.append(chosen)
            if len(found) > most:
                return None
        for i in range(chosen[-1] + 1 if chosen else 0, count):
            total = spent + costs[i]
            if not apart.get(i, set()) & set(chosen) and affordable(total, budget, confidence):
                stack.append(((*chosen, i), total))
    return sorted(found, key=lambda policy: (len(policy), policy))


def affordable(costs: Floats, budget: Floats | None, confidence: float) -> bool:
    """Return whether costs keep to the budget in a share of draws."""
    return budget is None or bool(np.mean(costs <= budget * (1 + 1e-12)) >= confidence - 1e-12)


# -- what is wrong with a file's options ------------------------------------------------------------------------------


def option_problems(data: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield the mistakes in a file's options that can be seen without its game."""
    tables = {str(key): one for key, one in _table(data.get("options")).items() if isinstance(one, Mapping)}
    budget = _table(data.get("budget"))
    if budget and not any("cost" in one for one in tables.values()):
        yield ("budget",), "a budget without costs: no option has one; give options a cost, or leave the budget out"
    for name, one in tables.items():
        yield from _reference_problems(name, one, tables, data)
    yield from _unit_problems(tables, budget)
    yield from _contradictions(tables, data)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _reference_problems(
    name: str, one: Mapping[str, Any], tables: Mapping[str, Any], data: Mapping[str, Any]
) -> Iterator[tuple[Location, str]]:
    place = ("options", name)
    for key in ("requires", "excludes"):
        for other in _listed(one, key):
            if other == name:
                yield (*place, key), f"{name!r} {key} itself"
            elif other not in tables:
                known = ", ".join(tables)
                yield (*place, key), f"{other!r} is no option; there are {known}{did_you_mean(other, tables)}"
    changes = one.get("changes")
    variants = _table(data.get("variants"))
    if isinstance(changes, str) and changes not in variants:
        known = ", ".join(variants) or "none"
        yield (
            (*place, "changes"),
            f"{changes!r} is no variant; there are {known}, or give a table{did_you_mean(changes, variants)}",
        )
    if not any(one.get(key) for key in ("changes", "perception", "tables")):
        yield place, 'changes nothing; give it changes, as in { "members.USA.forward" = "+1" }, or a variant\'s name'
    source, sources = one.get("source"), _table(data.get("sources"))
    if isinstance(source, str) and source and source not in sources:
        yield (*place, "source"), f"{source!r} is not in [sources]{did_you_mean(source, sources)}"
    if isinstance(one.get("when"), str) and one["when"]:
        try:
            trigger(one["when"])
        except ParameterError as error:
            yield (*place, "when"), str(error)


def _unit_problems(
    tables: Mapping[str, Mapping[str, Any]], budget: Mapping[str, Any]
) -> Iterator[tuple[Location, str]]:
    units: dict[str, Location] = {}
    if isinstance(budget.get("unit"), str):
        units[budget["unit"]] = ("budget", "unit")
    for name, one in tables.items():
        unit = one.get("unit")
        if "cost" not in one:
            if budget and not units:
                continue
            if budget:
                yield ("options", name), "has no cost, although there is a budget; give it one (0 if it is free)"
            continue
        if not isinstance(unit, str) or not unit:
            if not budget:
                yield ("options", name, "cost"), 'has no unit; give the option one, as in unit = "million euros a year"'
            continue
        if units and unit not in units:
            (first, at), *_ = units.items()
            yield (
                ("options", name, "unit"),
                f"costs in {unit!r}, but {'.'.join(map(str, at))} is in {first!r}; costs that are added have one unit",
            )
        units.setdefault(unit, ("options", name, "unit"))


def _contradictions(tables: Mapping[str, Mapping[str, Any]], data: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield options that require what they exclude, and pairs that set one number to different values."""
    apart = {frozenset((name, other)) for name, one in tables.items() for other in _listed(one, "excludes")}
    for name in tables:
        needed = _needed(name, tables)
        for a, b in ((a, b) for i, a in enumerate(needed) for b in needed[i + 1 :]):
            if a != b and frozenset((a, b)) in apart:
                what = f"requires {b!r}" if a == name else f"requires {a!r} and {b!r}"
                yield (
                    ("options", name, "requires"),
                    f"{name!r} {what}, which exclude each other: it could never be taken",
                )
    values = {name: _set_by(one, _table(data.get("variants"))) for name, one in tables.items()}
    names = list(tables)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if frozenset((a, b)) in apart:
                continue
            for path in sorted(set(values[a]) & set(values[b])):
                if values[a][path] != values[b][path]:
                    here, there = values[b][path], values[a][path]
                    wrong = f"{b!r} sets {path!r} to {here:g}, {a!r} to {there:g}: they contradict each other; write "
                    yield (
                        ("options", b, "changes", path),
                        wrong + f'excludes = ["{a}"], or a relative change such as "+0.5"',
                    )


def _needed(name: str, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return an option and all that it requires, directly or not."""
    found = [name]
    for one in found:
        found += [other for other in _listed(tables[one], "requires") if other in tables and other not in found]
    return found


def _set_by(one: Mapping[str, Any], variants: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers that an option sets, whatever they were."""
    changes = one.get("changes")
    if isinstance(changes, str):
        changes = _table(variants.get(changes)).get("changes")
    if not isinstance(changes, Mapping):
        return {}
    return {str(path): float(x) for path, x in changes.items() if isinstance(x, int | float)}


def _listed(one: Mapping[str, Any], key: str) -> Sequence[str]:
    value = one.get(key)
    return [str(x) for x in value] if isinstance(value, list) else []


__all__ = ["Comparison", "Trigger", "affordable", "option_problems", "policies", "trigger"]

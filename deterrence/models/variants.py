"""The forms that a model comes in: a plain one, and others asked for by name (``mode``) or by their own parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.continuous import ContinuousGame
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.parameter_table import Choice, Entry, Series, complete, flat, group_names, nested
from deterrence.models.requirements import holds, names_in, require

Values: TypeAlias = dict[str, Any]

MOST_DRAWS = 20_000  # random parameter sets tried before a model is told to bring its own ``draw``


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One form of a model.

    Attributes
    ----------
    name : str
        What ``mode`` says to ask for it; ``""`` if it is told by its parameters alone.
    words : tuple of str
        Words that all stand in a ``mode`` that means this variant (the name itself always does).
    takes : tuple of str
        Names of its parameters, a structured one once; empty: all of the model's.
    game : callable
        The game at parameter values: a game object, or a mapping of several.
    table : tuple of entries
        Entries that replace the model's of the same name (a list in place of a number, say).
    closed_form : callable, optional
        The quantities at parameter values, by formula.
    read : callable, optional
        ``read(solution, params)``: the same quantities, off what the solver found.
    critical : callable, optional
        A ``ContinuousGame`` of the parameters whose unknowns are values at which somebody is indifferent; they join
        what
        ``read`` returns under their names (None where there is no such value).
    concept : str
        The solution concept; empty: the one that fits the form of the game (see ``Model``).
    requires : tuple of str
        Orderings beside the model's own.
    draw : callable, optional
        ``draw(rng)``: random admissible parameters; by default uniform within the table's ranges.
    arrays : bool
        Whether ``game`` takes arrays and returns a batch of games.
    """

    game: Callable[..., Any]
    name: str = ""
    words: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    table: tuple[Entry, ...] = ()
    closed_form: Callable[..., Values] | None = None
    read: Callable[[Any, Values], Values] | None = None
    critical: Callable[..., ContinuousGame] | None = None
    concept: str = ""
    requires: tuple[str, ...] = ()
    draw: Callable[[np.random.Generator], Values] | None = field(default=None, repr=False)
    arrays: bool = False


def pick(variants: Sequence[Variant], table: Sequence[Entry], given: Mapping[str, Any], what: str) -> Variant:
    """Return the variant that a mode or the names of the given parameters ask for.

    Raises
    ------
    ParameterError
        If there is no such mode, or no variant has all the given names.
    """
    mode = given.get("mode")
    names = {name.split(".")[0] for name in given if name != "mode"}
    if mode is not None:
        for variant in variants:
            if variant.name and (
                variant.name == mode or (variant.words and all(w in str(mode) for w in variant.words))
            ):
                return variant
        if not str(mode).startswith("sweep"):  # a plain sweep needs no variant of its own: lists say what is swept
            modes = [variant.name for variant in variants if variant.name]
            raise ParameterError(f"{what} has no mode {mode!r}; its modes are {modes}")
    plain = [variant for variant in variants if not variant.words]
    for variant in plain:
        if names <= set(groups(variant, table)):
            return variant
    known = group_names(table)
    unknown = sorted(names - set(known))
    if not unknown:
        forms = "; ".join(", ".join(groups(variant, table)) for variant in plain)
        raise ParameterError(f"{what} has no form with all of {sorted(names)}; its forms take {forms}")
    complete(table, {name: given[name] for name in unknown}, what)
    raise ParameterError(f"{what} has no parameter {unknown[0]!r}; it has {', '.join(known)}")


def groups(variant: Variant, table: Sequence[Entry]) -> tuple[str, ...]:
    """Return the names that a variant takes as keyword arguments."""
    return variant.takes or group_names(table)


def entries(variant: Variant, table: Sequence[Entry]) -> list[Entry]:
    """Return the entries of a variant's own table."""
    mine = groups(variant, table)
    replaced = {entry.name: entry for entry in variant.table}
    return [replaced.get(entry.name, entry) for entry in table if entry.name.split(".")[0] in mine]


def values_of(
    variant: Variant, table: Sequence[Entry], requires: Sequence[str], given: Mapping[str, Any], what: str
) -> Values:
    """Return all parameter values of a variant, checked against ranges and orderings.

    Raises
    ------
    ParameterError
        If a value is out of its range, or an ordering fails; the message states the ordering.
    """
    mine = groups(variant, table)
    values = complete(entries(variant, table), {name: value for name, value in given.items() if name != "mode"}, what)
    relevant = tuple(r for r in (*requires, *variant.requires) if names_in(r) <= set(mine))
    require(relevant, values, what)
    return values


def fitting(
    variant: Variant, table: Sequence[Entry], requires: Sequence[str], given: Mapping[str, Any], size: int
) -> NDArray[np.bool_]:
    """Return where given parameter values, arrays of ``size`` among them, are within ranges and orderings, (size,)."""
    own = entries(variant, table)
    values = {entry.name: given.get(entry.name, entry.default) for entry in own}
    fine = np.ones(size, dtype=np.bool_)
    for entry in own:
        if isinstance(entry, Parameter):
            value = np.asarray(values[entry.name], dtype=np.float64)
            fine &= (value >= entry.low) & (value <= entry.high)
    nest = nested(values)
    for ordering in (*requires, *variant.requires):
        if names_in(ordering) <= set(nest):
            fine &= holds(ordering, nest)
    return fine


def random_values(
    variant: Variant, table: Sequence[Entry], requires: Sequence[str], rng: np.random.Generator, what: str
) -> Values:
    """Return random admissible parameters of a variant.

    Raises
    ------
    ParameterError
        If the table's ranges hardly ever meet the orderings; the model then needs a ``draw`` of its own.
    """
    if variant.draw is not None:
        return variant.draw(rng)
    own = entries(variant, table)
    reason = ""
    for _ in range(MOST_DRAWS):
        drawn = {entry.name: _random(entry, rng) for entry in own}
        try:
            return values_of(variant, table, requires, drawn, what)
        except ParameterError as error:
            reason = str(error)
    raise ParameterError(f"no admissible parameters in {MOST_DRAWS} draws; give {what} a draw of its own ({reason})")


def swept_names(variant: Variant, table: Sequence[Entry], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the scalar parameters that are given as lists: a sweep, point by point."""
    scalars = {entry.name for entry in entries(variant, table) if isinstance(entry, Parameter)}
    return tuple(n for n, v in flat(given).items() if n in scalars and isinstance(v, list | tuple))


def check_symbols(game: Any, table: Sequence[Entry], name: str) -> None:
    """Raise GameError unless the symbols of a game are the parameters of its table."""
    known = {entry.name for entry in table}
    for symbol in game.parameters:
        if symbol not in known:
            raise GameError(f"the game of {name!r} has the symbol {symbol!r}, which is not in the table of parameters")
    unused = sorted(known - set(game.parameters))
    if unused:
        symbols = list(game.parameters)
        raise GameError(f"parameter {unused[0]!r} of {name!r} is no symbol of its game; symbols are {symbols}")


def _random(entry: Entry, rng: np.random.Generator) -> Any:
    if isinstance(entry, Choice):
        return str(rng.choice(entry.options))
    if isinstance(entry, Series):
        return _between(entry, np.asarray(entry.default), rng).tolist()
    if entry.unit == "count":
        return int(rng.integers(int(entry.low), int(entry.high), endpoint=True))
    return float(_between(entry, np.asarray(entry.default), rng))


def _between(entry: Parameter | Series, default: Any, rng: np.random.Generator) -> Any:
    low = entry.low if np.isfinite(entry.low) else float(np.min(default)) - 2
    high = entry.high if np.isfinite(entry.high) else float(np.max(default)) + 2
    return rng.uniform(low, high, size=np.shape(default))

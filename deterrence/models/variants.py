"""The forms that a model comes in: a plain one, and others asked for by name (``mode``) or by their own parameters.

What must hold between parameters is written as text: ``"v_I < w < v_R"`` checks, explains and documents itself.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.continuous import ContinuousGame
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.parameters import Parameter
from deterrence.games.values import Value
from deterrence.models.parameter_table import Choice, Entry, Series, complete, flat, group_names, nest

Values: TypeAlias = dict[str, Any]

MOST_DRAWS = 20_000  # random parameter sets tried before a model must bring its own ``draw``

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.NotEq: operator.ne,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant(Value):
    """One form of a model.

    Attributes
    ----------
    name : str
        What ``mode`` says to ask for it; ``""`` if its parameters alone tell it apart.
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
        named = {variant.name: variant for variant in variants if variant.name}
        if mode not in named:
            modes = f"its modes are {', '.join(map(repr, named))}" if named else "it has no modes"
            raise ParameterError(f"{what} has no mode {mode!r}; {modes}{did_you_mean(mode, named)}")
        return named[mode]
    plain = [variant for variant in variants if not variant.name]
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
    tables = nest(values)
    for ordering in (*requires, *variant.requires):
        if names_in(ordering) <= set(tables):
            fine &= holds(ordering, tables)
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


# ---------------------------------------------------------------- orderings of parameters


def holds(requirement: str, values: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return whether a chain of inequalities holds at parameter values, elementwise where these are arrays.

    Parameters
    ----------
    requirement : str
        Comparisons of arithmetic on parameter names and numbers; ``A.war`` is the entry ``war`` of the parameter ``A``.
    values : mapping
        Numbers or arrays by name; nested mappings for structured parameters.

    Raises
    ------
    ParameterError
        If the text is no chain of comparisons, or names what is no parameter.
    """
    try:
        chain = ast.parse(requirement, mode="eval").body
    except SyntaxError:
        raise ParameterError(
            f"a requirement must be a chain of comparisons such as 'a < b', got {requirement!r}"
        ) from None
    if not isinstance(chain, ast.Compare):
        raise ParameterError(f"a requirement must be a chain of comparisons such as 'a < b', got {requirement!r}")
    terms = [_value(term, values, requirement) for term in (chain.left, *chain.comparators)]
    result: NDArray[np.bool_] = np.asarray(True)
    for compare, left, right in zip(chain.ops, terms, terms[1:], strict=False):
        if type(compare) not in _COMPARE:
            raise ParameterError(f"a requirement compares with <, <=, >, >= or !=, got {requirement!r}")
        result = result & np.asarray(_COMPARE[type(compare)](left, right))
    return result


def names_in(requirement: str) -> frozenset[str]:
    """Return the parameter names that a requirement speaks of (of structured ones, the name before the dot)."""
    tree = ast.parse(requirement, mode="eval")
    return frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def require(requirements: tuple[str, ...], values: Mapping[str, Any], what: str) -> None:
    """Raise ParameterError, stating the ordering and the values, unless every requirement holds everywhere."""
    for requirement in requirements:
        if not bool(np.all(holds(requirement, values))):
            shown = ", ".join(f"{name} = {_show(values[name])}" for name in sorted(names_in(requirement)))
            raise ParameterError(f"{what} requires {requirement}, got {shown}")


def _value(term: ast.expr, values: Mapping[str, Any], whole: str) -> Any:
    match term:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, values, whole)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](_value(left, values, whole), _value(right, values, whole))
        case ast.Name(id=name) if name in values:
            return _number(values[name])
        case ast.Attribute(value=ast.Name(id=name), attr=entry) if (
            isinstance(values.get(name), Mapping) and entry in values[name]
        ):
            return _number(values[name][entry])
    raise ParameterError(
        f"cannot read {ast.unparse(term)!r} in the requirement {whole!r}; parameters are {sorted(values)}"
    )


def _number(value: Any) -> Any:
    return np.asarray(value, dtype=np.float64) if isinstance(value, list | tuple) else value


def _show(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_show(x)}" for key, x in value.items()) + "}"
    return f"{value:g}" if isinstance(value, int | float | np.floating) else str(value)

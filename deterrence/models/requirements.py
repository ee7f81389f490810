"""What must hold between parameters, as text: ``"v_I < w < v_R"`` checks, explains and documents itself."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError

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
            shown = ", ".join(f"{name} = {_shown(values[name])}" for name in sorted(names_in(requirement)))
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


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(x)}" for key, x in value.items()) + "}"
    return f"{value:g}" if isinstance(value, int | float | np.floating) else str(value)

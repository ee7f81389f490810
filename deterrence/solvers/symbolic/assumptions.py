"""Assumptions about parameters as people write them: ``"0 < p < 1"``, ``v_I < w``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

from deterrence.games.errors import ParameterError
from deterrence.games.expressions import ExpressionError, names_in, parse

HIGHEST_DEGREE = 100  # of a power in an assumption: beyond, exact arithmetic would not end


def read_assumption(statement: Any, symbols: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return an assumption as pairs (smaller, larger).

    Parameters
    ----------
    statement : str or SymPy relation
    symbols : sequence of sympy.Symbol
        What may stand in it; symbols of the same name count as these.

    Raises
    ------
    ParameterError
        If it cannot be read, or names something else.
    """
    import sympy

    names = {str(s): s for s in symbols}
    if isinstance(statement, str):
        sides, signs = chain_of(statement, names)
        pairs = zip(sides, signs, sides[1:], strict=False)
        return [(a, b) if sign in ("<", "<=") else (b, a) for a, sign, b in pairs]
    if isinstance(statement, sympy.And):
        return [pair for part in statement.args for pair in read_assumption(part, symbols)]
    if isinstance(statement, sympy.StrictLessThan | sympy.LessThan):
        pair = (statement.lhs, statement.rhs)
    elif isinstance(statement, sympy.StrictGreaterThan | sympy.GreaterThan):
        pair = (statement.rhs, statement.lhs)
    else:
        raise ParameterError(f"an assumption must be an inequality such as '0 < p < 1', got {statement!r}")
    for symbol in statement.free_symbols:
        _check_known(str(symbol), names, statement)
    renamed = {s: names[str(s)] for s in statement.free_symbols}
    return [(pair[0].xreplace(renamed), pair[1].xreplace(renamed))]


def chain_of(statement: str, names: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """Return the sides of a chain of inequalities such as ``"0 < p < 1"``, and the signs between them.

    Raises
    ------
    ParameterError
        If it is none, or names what is not among ``names``.
    """
    parts = re.split(r"(<=|>=|<|>)", statement)
    if len(parts) < 3:
        raise ParameterError(f"an assumption must be an inequality such as '0 < p < 1', got {statement!r}")
    return [_side(text, names, statement) for text in parts[::2]], parts[1::2]


def _side(text: str, names: Mapping[str, Any], statement: str) -> Any:
    if not re.fullmatch(r"[\w\s.+\-*/()^]+", text):
        raise ParameterError(f"the assumption {statement!r} has {text!r}, which is no expression in the parameters")
    written = text.replace("^", "**")
    try:
        for name in sorted(names_in(written)):
            _check_known(name, names, statement)
        return _expression(parse(written).body, names, HIGHEST_DEGREE)
    except ExpressionError as error:
        raise ParameterError(f"the assumption {statement!r} has {text!r}, which cannot be read: {error}") from None


def _expression(node: ast.expr, names: Mapping[str, Any], degree: float) -> Any:
    """Return a parsed expression in exact arithmetic, its powers multiplying to at most ``degree``."""
    import sympy

    match node:
        case ast.Constant(value=value):
            return sympy.Rational(str(value))
        case ast.Name(id=name):
            return names[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _expression(operand, names, degree)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _expression(right, names, 1)
            if not exponent.is_Rational or abs(exponent) > degree:
                raise ExpressionError(f"powers may multiply to {HIGHEST_DEGREE} at most, and must be numbers")
            return _expression(left, names, degree / max(1, abs(exponent))) ** exponent
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _expression(left, names, degree), _expression(right, names, degree)
            if isinstance(op, ast.Div) and second.is_zero:
                raise ExpressionError("it divides by zero")
            return _OPERATIONS[type(op)](first, second)
        case _:
            raise ExpressionError("an assumption holds numbers, parameters, + - * / ** and parentheses")


_OPERATIONS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _check_known(name: str, names: Mapping[str, Any], statement: Any) -> None:
    if name not in names:
        raise ParameterError(
            f"the assumption {str(statement)!r} names {name!r}; the game's parameters are {', '.join(names)}"
        )

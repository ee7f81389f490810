"""Arithmetic on parameter names, in files and options: parsed by a whitelist over ``ast``, never run as Python."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

LONGEST = 500  # characters
DEEPEST = 50  # nested operations
LARGEST = 1e300  # absolute value of a number

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.Pow: np.power,
}
_FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "min": (np.minimum, 2),
    "max": (np.maximum, 2),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "sqrt": (np.sqrt, 1),
}


class ExpressionError(ValueError):
    """Text is no arithmetic on known names."""


def names_in(text: str) -> frozenset[str]:
    """Return the parameter names that an expression uses.

    Raises
    ------
    ExpressionError
        If it is no arithmetic.
    """
    tree = parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called)


def evaluate(text: str, values: Mapping[str, Any]) -> Any:
    """Return the value of an expression; values may be numbers or arrays.

    Parameters
    ----------
    text : str
        Numbers, names, ``+ - * / **``, parentheses, and ``min max exp log sqrt``.
    values : mapping of str to float or ndarray

    Raises
    ------
    ExpressionError
        If the text holds anything else, a name is unknown, or the result is not finite.

    Examples
    --------
    >>> float(evaluate("0.5 * stake + 1", {"stake": 4.0}))
    3.0
    """
    with np.errstate(all="ignore"):
        result = _value(parse(text).body, values, text)
    if not np.all(np.isfinite(result)):
        raise ExpressionError(f"{text!r} is not finite")
    return result


def parse(text: str) -> ast.Expression:
    """Return the syntax tree of an expression that holds nothing but arithmetic.

    Raises
    ------
    ExpressionError
        If it holds anything else, or is too long or too deep.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression may have at most {LONGEST} characters, got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"{text!r} is no arithmetic expression") from None
    _check(tree.body, text, 0)
    return tree


def _check(node: ast.expr, text: str, depth: int) -> None:
    if depth > DEEPEST:
        raise ExpressionError(f"{text[:40]!r}... is nested more than {DEEPEST} deep")
    match node:
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) > LARGEST:
                raise ExpressionError(
                    f"numbers in expressions may be at most {LARGEST:g} in size, got one in {text[:40]!r}"
                )
        case ast.Name():
            return
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, text, depth + 1)
            _check(right, text, depth + 1)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, text, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            wanted = _FUNCTIONS[name][1]
            if len(args) != wanted:
                raise ExpressionError(f"{name} takes {wanted} argument(s), got {len(args)} in {text!r}")
            for argument in args:
                _check(argument, text, depth + 1)
        case _:
            allowed = "numbers, names, + - * / **, parentheses, min max exp log sqrt"
            raise ExpressionError(f"{text!r} holds more than arithmetic; allowed are {allowed}")


def _value(node: ast.expr, values: Mapping[str, Any], text: str) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            if name not in values:
                raise ExpressionError(
                    f"{text!r} uses {name!r}; names known here are {', '.join(sorted(values)) or 'none'}"
                )
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_value(left, values, text), _value(right, values, text))
        case ast.UnaryOp(op=op, operand=operand):
            inner = _value(operand, values, text)
            return -inner if isinstance(op, ast.USub) else inner
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name][0](*(_value(a, values, text) for a in args))
        case _:
            raise ExpressionError(f"{text!r} is no arithmetic expression")

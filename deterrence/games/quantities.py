"""Numbers as games hold them: floats, exact rationals, or SymPy expressions in named parameters.

An array of a game is one of three kinds. ``"float"``: float64. ``"exact"``: objects, all ``Fraction``.
``"symbolic"``: objects, all SymPy expressions. Batch dimensions come first and need floats.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError, ParameterError, did_you_mean

Quantity: TypeAlias = Any  # int | float | Fraction | sympy.Expr
Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal["float", "exact", "symbolic"]

SUM_TOLERANCE = 1e-12  # how far a distribution may be from one


def symbols(names: str) -> Any:
    """Return SymPy symbols (real) for the parameters of a game, one or a tuple.

    Parameters
    ----------
    names : str
        Names separated by spaces or commas.

    Examples
    --------
    >>> symbols("p w")
    (p, w)
    """
    import sympy

    return sympy.symbols(names, real=True)


def quantity(value: object, what: str) -> Quantity:
    """Return one number as int, float, Fraction or SymPy expression.

    Parameters
    ----------
    value : object
        A number, a SymPy expression, or a rational in a string such as ``"1/3"`` or ``"0.25"``.
    what : str
        What the number is; named in errors.

    Raises
    ------
    GameError
        If the value is no finite number.
    """
    if isinstance(value, bool | np.bool_):
        return int(value)
    if isinstance(value, np.ma.MaskedArray | np.timedelta64):
        raise GameError(f"{what} must be a number, got {type(value).__name__} {value!r}")
    if isinstance(value, int | Fraction):
        return _within_floats(value, what)
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            raise GameError(f"{what} must be a finite number, got {value}")
        return float(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, str):
        try:
            return _within_floats(Fraction(value.strip()), what)
        except (ValueError, ZeroDivisionError):
            raise GameError(
                f"{what} must be a number or a rational such as '1/3', got {value!r}; make parameters with dt.symbols"
            ) from None
    sympy = sys.modules.get("sympy")
    if sympy is not None and isinstance(value, sympy.Expr):
        return _sympy_quantity(value, what)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return quantity(value.item(), what)
    raise GameError(f"{what} must be a number, a rational or a SymPy expression, got {type(value).__name__} {value!r}")


def real_number(value: object, what: str) -> float:
    """Return any real number (of Python, NumPy, ``fractions`` or ``decimal``) as a float.

    Raises
    ------
    ParameterError
        If it is none, or lies beyond the range of floats.

    Examples
    --------
    >>> real_number(Fraction(3, 2), "loss")
    1.5
    """
    if isinstance(value, np.ndarray) and value.ndim == 0 and not isinstance(value, np.ma.MaskedArray):
        value = value.item()
    if not isinstance(value, numbers.Real | Decimal | np.bool_):
        raise ParameterError(f"{what} must be a number, got {type(value).__name__} {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ParameterError(f"{what} must be at most 1e308 in size, got one beyond the range of floats") from None


def array_of(values: object, what: str) -> Array:
    """Return values as a read-only array of one kind (see the module's docstring).

    Raises
    ------
    GameError
        If the values are ragged, not finite, masked, or no numbers.
    """
    if unfit := _unfit(values):
        raise GameError(f"{what} must be numbers, got {unfit}")
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        array = np.array(values, dtype=np.float64, order="C")
    else:
        try:
            objects = np.array(values, dtype=object, order="C")
        except ValueError as error:
            raise GameError(f"{what} must be a rectangular array: {error}") from None
        flat = objects.ravel().tolist()
        if all(type(x) is Fraction for x in flat):
            return _read_only(objects)
        array = _homogeneous([_checked(x, what, objects.shape, i) for i, x in enumerate(flat)], objects.shape)
    if array.dtype != object and not np.isfinite(array).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise GameError(f"{what}{list(bad)} must be a finite number, got {array[bad]}")
    array.setflags(write=False)
    return array


def kind_of(array: Array) -> Kind:
    """Return the kind of an array: ``"float"``, ``"exact"`` or ``"symbolic"``."""
    if array.dtype != object:
        return "float"
    return "exact" if all(isinstance(x, Fraction) for x in array.ravel()) else "symbolic"


def parameter_names(arrays: Iterable[Array]) -> tuple[str, ...]:
    """Return the sorted names of all symbols in some arrays."""
    found: set[str] = set()
    for array in arrays:
        if array.dtype == object:
            for x in array.ravel().tolist():
                if type(x) is not Fraction:
                    found.update(str(s) for s in getattr(x, "free_symbols", ()))
    return tuple(sorted(found))


def substitute(array: Array, values: Mapping[str, object], what: str) -> Array:
    """Return a symbolic array at parameter values; values that are arrays become leading batch dimensions.

    Exact values (int, Fraction, SymPy rationals, strings) in an expression without floats give exact results.

    Raises
    ------
    GameError
        If the result is not finite and real.
    """
    if kind_of(array) != "symbolic":
        return array
    clean = {name: _value(value, name) for name, value in values.items()}
    if all(isinstance(v, Fraction) for v in clean.values()):
        exact = _substitute_exactly(array, clean)
        if exact is not None:
            return exact
    numeric = {name: np.asarray(v, dtype=np.float64) for name, v in clean.items()}
    shape = np.broadcast_shapes(*(v.shape for v in numeric.values()))
    evaluate = _compiled(tuple(array.ravel()), tuple(sorted(numeric)))
    with np.errstate(all="ignore"):
        columns = evaluate(*(numeric[name] for name in sorted(numeric)))
    result = np.empty((*shape, array.size))
    for j, (column, expression) in enumerate(zip(columns, array.ravel(), strict=True)):
        if np.iscomplexobj(column):
            raise GameError(f"{what} is not real at {dict(values)}: {expression}")
        result[..., j] = restore_decimals(np.asarray(column)) if getattr(expression, "args", ()) else column
    return array_of(result.reshape(*shape, *array.shape), what)


def restore_decimals(computed: Array) -> Array:
    """Return floats that a formula gave, short decimals among them freed from the rounding of a few operations.

    A number within four units of its last place of a decimal of up to twelve digits becomes that decimal, so that
    0.3 - 0.1 is 0.2, and numbers that are equal by their formulas, at values as a user writes them, are equal. Sizes
    from 1e-10 to 1e12; others, and all longer numbers, stay what they are.

    Examples
    --------
    >>> restore_decimals(np.array([0.3 - 0.1, 0.1 + 0.2, 1 / 3, 1 - 0.8])).tolist()
    [0.2, 0.3, 0.3333333333333333, 0.2]
    """
    size = np.abs(computed)
    with np.errstate(all="ignore"):
        places = np.clip(11 - np.floor(np.log10(np.where(size > 0, size, 1.0))), 0, 22)
        scale = 10.0**places
        decimal = np.rint(computed * scale) / scale
        near = (np.abs(decimal - computed) <= 4 * np.finfo(np.float64).eps * size) & (size > 1e-10) & (size < 1e12)
    return np.where(near, decimal, computed)


def check_names(given: Iterable[str], known: Sequence[str], what: str, *, complete: bool = True) -> None:
    """Raise ParameterError unless the given names are known ones (and all of them, if ``complete``)."""
    given = list(given)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ParameterError(f"{what} has no parameter {name!r}; it has {_listed(known)}{hint}")
    missing = [name for name in known if name not in given]
    if complete and missing:
        raise ParameterError(f"{what} needs a value for {_listed(missing)}; its parameters are {_listed(known)}")


def rational(value: Quantity) -> Fraction:
    """Return a number as a Fraction; a float as the decimal that it prints as (0.1 is 1/10)."""
    if type(value) is Fraction:
        return value
    if isinstance(value, float | np.floating):
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:  # beyond, its decimal may be another whole number
            return Fraction(int(number))
        return Fraction(repr(number))
    return Fraction(value)


def as_exact(array: Array) -> Array:
    """Return a float or exact array as Fractions."""
    exact = np.empty(array.size, dtype=object)
    exact[:] = [rational(x) for x in array.ravel().tolist()]
    return _read_only(exact.reshape(array.shape))


def exact_distribution(array: Array, axes: int = 1) -> Array:
    """Return probabilities as Fractions that sum to exactly one over the last ``axes`` axes.

    A float counts as the decimal that it prints as. Where these miss one by rounding (as 0.8 and 1 - 0.8 do, and
    thirds), the nearest rationals with denominators up to a million are tried; last, all are divided by their sum.
    """
    axis = tuple(range(-axes, 0))
    exact = as_exact(array)
    total = np.asarray(exact.sum(axis=axis, keepdims=True), dtype=object)
    if bool((total == 1).all()):
        return exact
    simple = np.vectorize(lambda x: x.limit_denominator(1_000_000), otypes=[object])(exact)
    near = bool((np.abs(simple - exact) < Fraction(1, 10**14)).all())
    if near and bool((np.asarray(simple.sum(axis=axis), dtype=object) == 1).all()):
        return _read_only(simple)
    return _read_only(np.asarray(exact / total, dtype=object))


def as_float(array: Array) -> Array:
    """Return a float or exact array as float64."""
    if array.dtype != object:
        return array
    flat = array.ravel().tolist()
    result = np.array([x.numerator / x.denominator if type(x) is Fraction else float(x) for x in flat])
    return _read_only(result.reshape(array.shape))


def cast_alike(arrays: Mapping[str, Array], *, batch: bool) -> dict[str, Array]:
    """Return arrays of one game with one kind of number: exact beside float becomes float.

    Floats that are all whole numbers do not spoil exactness; a batch is always float.
    """
    kinds = {kind_of(a) for a in arrays.values() if a.size}
    if "symbolic" in kinds or "exact" not in kinds:
        return dict(arrays)
    whole = all(bool((a == np.round(a)).all()) for a in arrays.values() if a.dtype != object)
    return dict(arrays) if whole and not batch else {key: as_float(a) for key, a in arrays.items()}


def check_distribution(array: Array, what: str, axes: int = 1) -> None:
    """Raise GameError unless the last ``axes`` axes hold probabilities that sum to one.

    Symbolic entries are checked as far as SymPy's expansion decides; the rest when numbers are put in.
    """
    kind = kind_of(array)
    axis = tuple(range(-axes, 0))
    if kind == "symbolic":
        _check_symbolic_sum(array, what, axis)
        return
    if array.size and bool((array < 0).any()):
        where = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise GameError(f"{what} must not be negative, got {array[where]} at {list(where)}")
    total = np.asarray(array.sum(axis=axis), dtype=array.dtype).ravel()
    tolerance = 0 if kind == "exact" else SUM_TOLERANCE
    for value in total[np.asarray(np.abs(total - 1) > tolerance, dtype=bool)][:1]:
        raise GameError(f"{what} must sum to 1 within {SUM_TOLERANCE:g}, got {value}")


def _unfit(values: object) -> str:
    """Return what arrays of no numbers values are or hold, in words; nothing if there is none."""
    if isinstance(values, list | tuple):
        return next((found for inner in values if (found := _unfit(inner))), "")
    if isinstance(values, np.ma.MaskedArray):
        return "a masked array; fill it, or leave the masked entries out"
    if isinstance(values, np.ndarray) and values.dtype.kind in "mMUSV":
        return f"an array of {values.dtype}"
    return ""


def _within_floats(value: int | Fraction, what: str) -> int | Fraction:
    try:
        float(value)
    except OverflowError:
        raise GameError(f"{what} must be at most 1e308 in size, got one beyond the range of floats") from None
    return value


def _sympy_quantity(value: Any, what: str) -> Quantity:
    if value.is_Rational:
        return _within_floats(Fraction(int(value.p), int(value.q)), what)
    if value.free_symbols:
        return value
    if not value.is_finite or value.is_real is False:
        raise GameError(f"{what} must be a finite real number, got {value}")
    return float(value) if value.is_Float else value


def _homogeneous(flat: list[Quantity], shape: tuple[int, ...]) -> Array:
    sympy = sys.modules.get("sympy")
    if sympy is not None and any(isinstance(x, sympy.Expr) for x in flat):
        flat = [x if isinstance(x, sympy.Expr) else sympy.sympify(x) for x in flat]
        flat = [sympy.Rational(x.numerator, x.denominator) if isinstance(x, Fraction) else x for x in flat]
        if not any(x.free_symbols for x in flat):  # constants such as sqrt(2)
            return np.array([float(x) for x in flat], dtype=np.float64).reshape(shape)
    elif any(isinstance(x, Fraction) for x in flat) and not any(isinstance(x, float) for x in flat):
        flat = [x if isinstance(x, Fraction) else Fraction(x) for x in flat]
    else:
        return np.array([float(x) for x in flat], dtype=np.float64).reshape(shape)
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    array = array.reshape(shape)
    array.setflags(write=False)
    return array


def _checked(x: object, what: str, shape: tuple[int, ...], i: int) -> Quantity:
    if type(x) is int and -(2**53) < x < 2**53:
        return x
    place = f"{what}{[int(j) for j in np.unravel_index(i, shape)]}" if shape else what
    return quantity(x, place)


def _read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _value(value: object, name: str) -> Fraction | Array:
    if isinstance(value, str | Fraction | int) and not isinstance(value, bool):
        exact = quantity(value, f"parameter {name}")
        return Fraction(exact)
    if isinstance(value, np.ndarray | list | tuple):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            array = as_float(array_of(value, f"parameter {name}"))
        if not np.isfinite(array).all():
            raise ParameterError(f"parameter {name} must be finite, got {array}")
        return array.astype(np.float64)
    single = quantity(value, f"parameter {name}")
    if parameter_names([np.array(single, dtype=object)]):
        raise ParameterError(f"parameter {name} must be a number, got the expression {single}")
    return single if isinstance(single, Fraction) else np.asarray(float(single))


def _substitute_exactly(array: Array, values: Mapping[str, Any]) -> Array | None:
    import sympy

    numbers_ = {name: sympy.Rational(v.numerator, v.denominator) for name, v in values.items()}
    results: list[Fraction] = []
    for x in array.ravel():
        y = x.xreplace({s: numbers_[str(s)] for s in x.free_symbols})
        if not y.is_Rational:
            return None
        results.append(Fraction(int(y.p), int(y.q)))
    return _homogeneous(results, array.shape)


@lru_cache(maxsize=512)
def _compiled(expressions: tuple[Any, ...], names: tuple[str, ...]) -> Callable[..., Any]:
    import sympy

    arguments = [sympy.Symbol(name) for name in names]
    plain = [x.xreplace({s: sympy.Symbol(str(s)) for s in x.free_symbols}) for x in expressions]
    result: Callable[..., Any] = sympy.lambdify(arguments, plain, modules="numpy", cse=True)
    return result


def _check_symbolic_sum(array: Array, what: str, axis: tuple[int, ...]) -> None:
    for total in np.asarray(array.sum(axis=axis)).ravel():
        rest = (total - 1).expand()
        if rest.is_number and abs(float(rest)) > SUM_TOLERANCE:
            raise GameError(f"{what} must sum to 1, got {total}")
    for x in array.ravel():
        if x.is_number and float(x) < 0:
            raise GameError(f"{what} must not be negative, got {x}")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(n) for n in names) if names else "none"

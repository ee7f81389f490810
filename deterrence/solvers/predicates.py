r"""Which of two numbers is larger, and when they tie: exact answers at the speed of floats.

A comparison of payoffs is the sign of a polynomial in the numbers of a game: ``u(a) - u(b)`` where nothing is mixed,
``sum p (u - u')`` for expected payoffs, determinants for indifferences. It is judged as the exact predicates of
computational geometry are [1]_: the polynomial is computed in floats together with a bound on its rounding error; where
the value is larger than the bound its sign is certain, and elsewhere the same polynomial is computed in whole numbers
of unlimited length. So two numbers tie if and only if they are equal; nothing depends on the other numbers of the game.

*What a float says.* A float counts as the decimal that it prints as (the shortest one that names it): 0.1 is 1/10. That
is what a user wrote, it is what ``exact=True`` reads, it keeps the order of floats, and it makes ties of decimals ties.
A rational number is itself.

*Payoffs that were computed* carry rounding errors that no reading undoes: 0.3 - 0.1 is 0.19999999999999998. There a
user may state a tolerance, and ``merge`` makes numbers one that differ by no more than that share of their own size.

Meant for use: ``sign`` for arrays, ``whole_numbers`` for code that computes with Python's integers throughout,
``read`` for one number, ``merge`` for a tolerance.

References
----------
.. [1] J. R. Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", Discrete &
   Computational Geometry 18 (1997), 305-363.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np

from deterrence.games.quantities import Array, rational

UNIT = 2.0**-53  # relative error of one operation, and half the distance of a decimal from the float that it names
_WHOLE = 2.0**53  # up to here floats that are whole numbers add and multiply without error
_LEAST = 2.0**-1074  # error of an operation that underflows
_ACCIDENT = Fraction(1, 1000)  # chance that some number lies as close to a rational as simple
_SAFE = 1 + 2.0**-20  # what the rounding of the bounds themselves may amount to


def read(number: Any) -> Fraction:
    """Return a number as a rational: a float as the decimal that it prints as.

    Examples
    --------
    >>> read(0.1), read("1/3"), read(2)
    (Fraction(1, 10), Fraction(1, 3), Fraction(2, 1))
    """
    if isinstance(number, np.generic):
        number = number.item()
    return rational(number)


def whole_numbers(numbers: Iterable[Any]) -> list[int]:
    """Return numbers times one positive rational that makes all of them whole, without a common divisor.

    Every comparison that is homogeneous in the numbers (of differences, of weighted sums) is the same for both.

    Examples
    --------
    >>> whole_numbers([0.5, 0.25, 3])
    [2, 1, 12]
    """
    rationals = [x if type(x) is Fraction else read(x) for x in numbers]
    denominator = lcm(*[x.denominator for x in rationals])
    whole = [x.numerator * (denominator // x.denominator) for x in rationals]
    common = gcd(*whole)
    return [x // common for x in whole] if common > 1 else whole


def sign(polynomial: Callable[..., Any], *operands: Any) -> Array:
    """Return the signs of a polynomial at arrays of numbers, as int8: -1, 0 or 1, exactly.

    Parameters
    ----------
    polynomial : callable
        Of as many arguments as there are operands; it may add, subtract and multiply them and whole numbers, index
        them, and call ``.sum(axis=...)``. Its result has the broadcast shape of the operands, or that shape without the
        axes that it sums over if they are the last.
    *operands : array_like
        Floats, or objects that are whole numbers or Fractions; of shapes that broadcast.

    Examples
    --------
    Expected payoffs 0.1 * 3 and 0.3 * 1 tie, which floats do not see; a mixture of 1e300 and 1 is no tie.

    >>> sign(lambda p, u: (p * u).sum(axis=-1), [[0.1, -0.3], [1e-300, 1]], [[3, 1], [1e300, -1]])
    array([0, 0], dtype=int8)
    >>> sign(lambda p, u: (p * u).sum(axis=-1), [0.5, 0.5], [1e300, -1])
    array(1, dtype=int8)
    """
    arrays = [_numbers(x) for x in operands]
    if any(a.dtype == object for a in arrays):
        return _signs(polynomial(*(_exact(a) for a in arrays)))
    with np.errstate(all="ignore"):
        computed = polynomial(*(Bounded.read(a) for a in arrays))
        value = np.asarray(computed.value)
        sure = np.abs(value) > computed.error * _SAFE
        signs = np.where(sure, np.sign(value), 0).astype(np.int8)
        # zero without error is zero; an infinite bound or a NaN is no answer
        unsure = ~(sure | (computed.error == 0)) | ~np.isfinite(value)
    if unsure.any():
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        full = [np.broadcast_to(a, shape) for a in arrays]
        where = np.nonzero(unsure) if unsure.ndim else ()
        signs[unsure] = _signs(polynomial(*(_exact(a[where]) for a in full)))
    return signs


class Bounded:
    """Floats with bounds on their distance from the exact results, carried along by +, - and *.

    Attributes
    ----------
    value, error : ndarray
        The exact result lies within ``error`` of ``value``; error 0 says that it is ``value``, a whole number.
    """

    __slots__ = ("error", "value")
    __array_ufunc__ = None  # an ndarray on the left leaves the operation to this class

    def __init__(self, value: Any, error: Any) -> None:
        self.value = value
        self.error = error

    @classmethod
    def read(cls, array: Array) -> Bounded:
        """Read floats as the decimals that they print as, at most half a unit of the last place away."""
        whole = (array == np.rint(array)) & (np.abs(array) <= _WHOLE)
        return cls(array, np.where(whole, 0.0, UNIT * np.abs(array) + _LEAST))

    def _with(self, other: Bounded, value: Any, carried: Any) -> Bounded:
        exact = (self.error == 0) & (other.error == 0) & (np.abs(value) <= _WHOLE)
        return Bounded(value, np.where(exact, 0.0, (carried + UNIT * np.abs(value) + 4 * _LEAST) * (1 + 8 * UNIT)))

    def __add__(self, other: Any) -> Bounded:
        """Return the sum."""
        other = _bounded(other)
        return self._with(other, self.value + other.value, self.error + other.error)

    def __sub__(self, other: Any) -> Bounded:
        """Return the difference."""
        other = _bounded(other)
        return self._with(other, self.value - other.value, self.error + other.error)

    def __mul__(self, other: Any) -> Bounded:
        """Return the product."""
        other = _bounded(other)
        carried = np.abs(self.value) * other.error + self.error * (np.abs(other.value) + other.error)
        return self._with(other, self.value * other.value, carried)

    def __neg__(self) -> Bounded:
        """Return the negative."""
        return Bounded(-self.value, self.error)

    def __rsub__(self, other: Any) -> Bounded:
        """Return the difference from a number."""
        return _bounded(other) - self

    __radd__ = __add__
    __rmul__ = __mul__

    def __getitem__(self, index: Any) -> Bounded:
        """Return some of the numbers."""
        return Bounded(self.value[index], np.broadcast_to(self.error, np.shape(self.value))[index])

    def sum(self, axis: int = -1) -> Bounded:
        """Return the sum over an axis."""
        value, error = np.broadcast_arrays(self.value, self.error)
        terms, size = value.shape[axis], np.abs(value).sum(axis=axis)
        carried = error.sum(axis=axis)
        exact = (error == 0).all(axis=axis) & (size <= _WHOLE)
        total = (carried + terms * UNIT * size + _LEAST) * (1 + 8 * terms * UNIT)
        return Bounded(value.sum(axis=axis), np.where(exact, 0.0, total))


def merge(payoffs: Array, tol: float) -> Array:
    """Return payoffs as rationals, those within a tolerance of each other made one number.

    Sorted, payoffs that follow each other within ``tol`` times the larger size of the two belong together and become
    one number: the simplest rational (the one of least denominator d) within ``tol`` of their middle, if it is so
    simple that this is no accident (``tol * d**2 < 0.001``), else the least of them. So numbers that were computed
    from simple ones become these again, 0.19999999999999998 is 1/5, and numbers without neighbours or a simple form
    stay what they are.

    Parameters
    ----------
    payoffs : ndarray
        Floats or Fractions.
    tol : float
        Relative to the numbers themselves; 0 merges nothing.

    Examples
    --------
    >>> merge(np.array([0.3 - 0.1, 0.2, 1e9, 1e9 + 1, 0.0]), 1e-12).tolist()
    [Fraction(1, 5), Fraction(1, 5), Fraction(1000000000, 1), Fraction(1000000001, 1), Fraction(0, 1)]
    """
    numbers = [read(x) for x in np.asarray(payoffs).ravel().tolist()]
    if tol:
        share = Fraction(repr(float(tol)))
        ordered = sorted(set(numbers))
        groups: list[list[Fraction]] = []
        for x in ordered:
            near = groups and x - groups[-1][-1] <= share * max(abs(x), abs(groups[-1][-1]))
            if near:
                groups[-1].append(x)
            else:
                groups.append([x])
        one = {x: _representative(group, share) for group in groups for x in group}
        numbers = [one[x] for x in numbers]
    result = np.empty(len(numbers), dtype=object)
    result[:] = numbers
    return result.reshape(np.shape(payoffs))


def _representative(group: list[Fraction], share: Fraction) -> Fraction:
    """Return the number that close ones become."""
    middle = (group[0] + group[-1]) / 2
    size = abs(middle)
    if not size:
        return middle
    simple = _simplest_between(size * (1 - share), size * (1 + share))
    if share * simple.denominator**2 >= _ACCIDENT:
        return group[0]
    return simple if middle > 0 else -simple


def _simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """Return the rational of least denominator in [low, high], 0 < low, by continued fractions."""
    whole = low.numerator // low.denominator
    if whole == low:
        return low
    if whole < high.numerator // high.denominator:
        return Fraction(whole + 1)
    return whole + 1 / _simplest_between(1 / (high - whole), 1 / (low - whole))


def _bounded(x: Any) -> Bounded:
    return x if isinstance(x, Bounded) else Bounded.read(np.asarray(x, dtype=np.float64))


def _numbers(x: Any) -> Array:
    array = np.asarray(x)
    return array if array.dtype == object else array.astype(np.float64, copy=False)


def _signs(exact: Any) -> Array:
    return np.asarray(np.sign(exact)).astype(np.int8)


def _exact(array: Array) -> Array:
    """Return numbers as Fractions in an array of objects."""
    result = np.empty(np.shape(array), dtype=object)
    flat = [read(x) for x in np.asarray(array).ravel().tolist()]
    result.ravel()[:] = flat
    return result

"""Arrays that carry their first and second derivatives: exact gradients and Hessians of a tree, row by row.

A ``Jet`` is a value in each of n rows with its derivatives in the few of the m quantities that vary (the utilities and
log scales that have coefficients) on which it depends. Derivatives that are zero are not stored, so that a subgame
costs what its own utilities cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from deterrence.estimation.likelihood import Floats

Value: TypeAlias = Floats | float  # a number where it is the same in all rows
Pair: TypeAlias = tuple[int, int]  # i <= j
Key = TypeVar("Key")


@dataclass(frozen=True, eq=False, slots=True)
class Jet:
    """A quantity in n rows with its derivatives.

    Attributes
    ----------
    value : ndarray, shape (n,), or float
    slope : mapping of int to ndarray or float
        The first derivatives that are not zero.
    bend : mapping of (int, int) to ndarray or float
        The second derivatives that are not zero, with i <= j.
    order : int
        How many derivatives it carries: 0, 1 or 2.
    """

    value: Value
    slope: Mapping[int, Value]
    bend: Mapping[Pair, Value]
    order: int

    def __add__(self, other: Jet) -> Jet:
        return Jet(self.value + other.value, _sum(self.slope, other.slope), _sum(self.bend, other.bend), self.order)

    def __neg__(self) -> Jet:
        return self.times(-1.0)

    def __sub__(self, other: Jet) -> Jet:
        return self + other.times(-1.0)

    def times(self, factor: float) -> Jet:
        """Return the jet times a constant."""
        slope = {i: factor * s for i, s in self.slope.items()}
        return Jet(factor * self.value, slope, {k: factor * b for k, b in self.bend.items()}, self.order)

    def __mul__(self, other: Jet) -> Jet:
        slope = {i: other.value * s for i, s in self.slope.items()}
        for i, s in other.slope.items():
            slope[i] = slope[i] + self.value * s if i in slope else self.value * s
        bend: dict[Pair, Value] = {}
        if self.order == 2:
            bend = {k: other.value * b for k, b in self.bend.items()}
            for k, b in other.bend.items():
                bend[k] = bend[k] + self.value * b if k in bend else self.value * b
            for i, s in self.slope.items():
                for j, t in other.slope.items():
                    k = (i, j) if i <= j else (j, i)
                    term = s * t if i != j else 2.0 * s * t
                    bend[k] = bend[k] + term if k in bend else term
        return Jet(self.value * other.value, slope, bend, self.order)

    def apply(self, value: Floats, first: Floats, second: Floats) -> Jet:
        """Return a function of the jet, from its value and derivatives there."""
        return compose([self], value, [first], [[second]])

    def exp(self) -> Jet:
        """Return the exponential."""
        value = np.exp(self.value)
        return self.apply(value, value, value)

    def power(self, exponent: float) -> Jet:
        """Return a power of a positive quantity."""
        value = np.asarray(self.value**exponent)
        first = exponent * value / self.value
        return self.apply(value, first, (exponent - 1) * first / self.value)


def constant(value: Value, order: int) -> Jet:
    """Return what depends on nothing."""
    return Jet(value, {}, {}, order)


def variable(value: Floats, index: int, order: int) -> Jet:
    """Return one of the quantities that vary."""
    return Jet(value, {index: 1.0} if order else {}, {}, order)


def compose(inputs: Sequence[Jet], value: Floats, first: Sequence[Value], second: Sequence[Sequence[Value]]) -> Jet:
    """Return a function of several jets, from its value, gradient and Hessian in them.

    Parameters
    ----------
    inputs : sequence of k Jet
    value : ndarray, shape (n,)
    first : sequence of k ndarray, shape (n,)
    second : k sequences of ndarray, shape (n,)
        Only entries ``[i][j]`` with ``j <= i`` are read.
    """
    order = inputs[0].order
    slope: dict[int, Value] = {}
    bend: dict[Pair, Value] = {}
    if order == 0:
        return Jet(value, slope, bend, 0)
    for jet, weight in zip(inputs, first, strict=True):
        for i, s in jet.slope.items():
            term = weight * s
            slope[i] = slope[i] + term if i in slope else term
        for k, b in jet.bend.items():
            term = weight * b
            bend[k] = bend[k] + term if k in bend else term
    if order == 2:
        for a, jet in enumerate(inputs):
            _add_products(bend, jet.slope, jet.slope, second[a][a], same=True)
            for b in range(a):
                _add_products(bend, jet.slope, inputs[b].slope, second[a][b], same=False)
    return Jet(value, slope, bend, order)


def _add_products(
    bend: dict[Pair, Value], a: Mapping[int, Value], b: Mapping[int, Value], weight: Value, *, same: bool
) -> None:
    """Add ``weight`` times the symmetric product of two gradients; half of it where they are the same."""
    for i, s in a.items():
        scaled = weight * s
        for j, t in b.items():
            if same and j < i:
                continue
            term = scaled * t
            if not same and i == j:
                term = 2.0 * term
            k = (i, j) if i <= j else (j, i)
            bend[k] = bend[k] + term if k in bend else term


def _sum(a: Mapping[Key, Value], b: Mapping[Key, Value]) -> dict[Key, Value]:
    if not b:
        return dict(a)
    result = dict(a)
    for key, value in b.items():
        result[key] = result[key] + value if key in result else value
    return result

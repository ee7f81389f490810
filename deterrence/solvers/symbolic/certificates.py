"""Proofs that a polynomial is nonnegative: nonnegative combinations of products of polynomials known to be so.

See ``regime_conditions`` for what they are used for, and for the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from deterrence.solvers.algebra.rational_lp import minimise

Poly = Any  # element of a SymPy polynomial ring over the rationals

_COLUMNS = 600  # most products in one certificate


class Certificates:
    """The search for proofs in one polynomial ring; remembers products."""

    def __init__(self, ring: Any) -> None:
        self.ring = ring
        self._products: dict[Any, list[Poly]] = {}

    def proves(self, poly: Poly, known: Sequence[Poly]) -> bool:
        """Return whether ``poly`` is a nonnegative combination of products of ``known``.

        Of the zero polynomial a nontrivial combination is sought: it shows that not all of ``known`` can be positive.
        """
        degree = max([total_degree(p) for p in (poly, *known) if p] + [1])
        lower = max(total_degree(poly) if poly else degree, 1)
        bounds = sorted({lower, min(lower + 1, degree + 1), degree, degree + 1}) if poly else (degree, degree + 1)
        return any(self._combination(poly, self._generated(poly, known, bound)) for bound in bounds)

    def _generated(self, poly: Poly, known: Sequence[Poly], bound: int) -> list[Poly]:
        """Return products of what is known, up to a total degree, of what shares parameters with the target."""
        wanted = variables(poly) if poly else set().union(*[variables(p) for p in known])
        near: list[Poly] = []
        for _ in range(2):
            near = [p for p in known if variables(p) & wanted]
            wanted = wanted.union(*[variables(p) for p in near])
        key = frozenset(near), bound
        if key not in self._products:
            sizes = {p: total_degree(p) for p in near}
            found = {self.ring.one: None, **dict.fromkeys(near)}
            for count in (2, 3):
                for group in combinations_with_replacement(near, count):
                    if sum(sizes[p] for p in group) <= bound and len(found) < _COLUMNS:
                        result = self.ring.one
                        for p in group:
                            result = result * p
                        found[result] = None
            self._products[key] = list(found)
        return self._products[key]

    def _combination(self, poly: Poly, generated: Sequence[Poly]) -> bool:
        from scipy.optimize import linprog

        index: dict[Any, int] = {}
        columns = [_indexed(p, index) for p in generated]
        target = _indexed(poly, index)
        trivial = not poly
        rows = len(index) + trivial
        matrix, goal = np.zeros((rows, len(columns))), np.zeros(rows)
        for j, column in enumerate(columns):
            for i, c in column.items():
                matrix[i, j] = float(c)
        for i, c in target.items():
            goal[i] = float(c)
        if trivial:
            matrix[-1], goal[-1] = 1, 1
        cost = np.array([1.0 + 0.01 * len(c) for c in columns])
        result = linprog(cost, A_eq=matrix, b_eq=goal, bounds=(0, None), method="highs-ds")
        if result.status != 0:
            return False
        support = [int(j) for j in np.flatnonzero(np.asarray(result.x) > 1e-10)]
        exact = [
            ([columns[j].get(i, Fraction(0)) for j in support], target.get(i, Fraction(0))) for i in range(len(index))
        ]
        exact = [(row, b) for row, b in exact if b or any(row)]
        if trivial:
            exact.append(([Fraction(1)] * len(support), Fraction(1)))
        return minimise([Fraction(0)] * len(support), equal=exact) is not None


def total_degree(poly: Poly) -> int:
    """Return the total degree."""
    return max((sum(exponents) for exponents in poly.itermonoms()), default=0)


def variables(poly: Poly) -> set[int]:
    """Return the numbers of the parameters in a polynomial."""
    return {i for exponents in poly.itermonoms() for i, e in enumerate(exponents) if e}


def _indexed(poly: Poly, index: dict[Any, int]) -> dict[int, Fraction]:
    return {index.setdefault(e, len(index)): Fraction(int(c.numerator), int(c.denominator)) for e, c in poly.terms()}

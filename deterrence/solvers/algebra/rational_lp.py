"""Linear programs in rational arithmetic, for the small polytopes on which a yes or no must be exact.

Two-phase simplex with Bland's rule, which cannot cycle, on a tableau of integers with one common denominator (Edmonds'
integer pivoting: every division is exact). Meant for some tens of variables and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import TypeAlias

Row: TypeAlias = Sequence[Fraction | int]
Constraint: TypeAlias = tuple[Row, Fraction | int]


def minimise(
    cost: Row, at_most: Sequence[Constraint] = (), equal: Sequence[Constraint] = ()
) -> tuple[Fraction, list[Fraction]] | None:
    """Minimise ``cost . x`` over ``x >= 0`` with ``a . x <= b`` and ``a . x = b``.

    Parameters
    ----------
    cost : sequence of n rationals
    at_most, equal : sequence of (row of n rationals, rational)

    Returns
    -------
    (Fraction, list of Fraction) or None
        The minimum and a vertex that attains it; None if no x is feasible.

    Raises
    ------
    ValueError
        If the minimum is unbounded.

    Examples
    --------
    >>> minimise([-1, -1], at_most=[([2, 1], 2), ([1, 2], 2)])
    (Fraction(-4, 3), [Fraction(2, 3), Fraction(2, 3)])
    """
    tableau = _Tableau(len(cost), at_most, equal)
    if not tableau.reach_feasibility():
        return None
    return tableau.minimise(cost)


class _Tableau:
    """Rows of ``A x = b >= 0`` with slacks and artificials: integers over a common denominator, and the basis."""

    def __init__(self, n: int, at_most: Sequence[Constraint], equal: Sequence[Constraint]) -> None:
        self.n = n
        self.denominator = 1
        self.rows: list[list[int]] = []
        self.basis: list[int] = []
        constraints = [(row, bound, True) for row, bound in at_most] + [(row, bound, False) for row, bound in equal]
        needs = [not slack or bound < 0 for _, bound, slack in constraints]
        first_artificial = n + len(at_most)
        width = first_artificial + sum(needs)
        artificial = first_artificial
        for i, (row, bound, slack) in enumerate(constraints):
            whole = _integers([*row, bound])
            if bound < 0:
                whole = [-x for x in whole]
            full = [*whole[:-1], *[0] * (width - n), whole[-1]]
            if slack:
                full[n + i] = -1 if bound < 0 else 1
            if needs[i]:
                full[artificial] = 1
                self.basis.append(artificial)
                artificial += 1
            else:
                self.basis.append(n + i)
            self.rows.append(full)
        self.first_artificial, self.width = first_artificial, width

    def reach_feasibility(self) -> bool:
        """Drive the artificials to zero and out of the basis; False if they cannot be."""
        if self.width == self.first_artificial:
            return True
        objective = [0] * (self.width + 1)
        for row, j in zip(self.rows, self.basis, strict=True):
            if j >= self.first_artificial:
                objective = [x - y for x, y in zip(objective, row, strict=True)]
        objective[self.first_artificial : self.width] = [0] * (self.width - self.first_artificial)
        if self._optimise(objective)[-1] < 0:  # the objective row holds minus the value
            return False
        for i in reversed(range(len(self.rows))):
            if self.basis[i] >= self.first_artificial:
                row = self.rows[i]
                entering = next((j for j in range(self.first_artificial) if row[j]), None)
                if entering is None:  # redundant
                    del self.rows[i], self.basis[i]
                    continue
                if row[entering] < 0:  # the right-hand side is 0
                    self.rows[i] = [-x for x in row]
                self._pivot(i, entering, None)
        for row in self.rows:
            del row[self.first_artificial : self.width]
        self.width = self.first_artificial
        return True

    def minimise(self, cost: Row) -> tuple[Fraction, list[Fraction]]:
        scaled = _integers([*cost, 1])
        objective = [self.denominator * c for c in scaled[:-1]] + [0] * (self.width + 1 - self.n)
        for row, j in zip(self.rows, self.basis, strict=True):
            if j < self.n and scaled[j]:
                objective = [x - scaled[j] * y for x, y in zip(objective, row, strict=True)]
        objective = self._optimise(objective)
        x = [Fraction(0)] * self.n
        for row, j in zip(self.rows, self.basis, strict=True):
            if j < self.n:
                x[j] = Fraction(row[-1], self.denominator)
        return Fraction(-objective[-1], self.denominator * scaled[-1]), x

    def _optimise(self, objective: list[int]) -> list[int]:
        while True:
            entering = next((j for j in range(self.width) if objective[j] < 0), None)
            if entering is None:
                return objective
            leaving = None
            for i, row in enumerate(self.rows):
                if row[entering] > 0:
                    if leaving is None:
                        leaving = i
                        continue
                    best = self.rows[leaving]
                    gap = row[-1] * best[entering] - best[-1] * row[entering]
                    if gap < 0 or (gap == 0 and self.basis[i] < self.basis[leaving]):
                        leaving = i
            if leaving is None:
                raise ValueError("the linear program is unbounded")
            objective = self._pivot(leaving, entering, objective)

    def _pivot(self, leaving: int, entering: int, objective: list[int] | None) -> list[int]:
        row, old = self.rows[leaving], self.denominator
        new = row[entering]
        for i, other in enumerate(self.rows):
            if i != leaving:
                self.rows[i] = _eliminated(other, row, new, other[entering], old)
        self.basis[leaving], self.denominator = entering, new
        return [] if objective is None else _eliminated(objective, row, new, objective[entering], old)


def _eliminated(other: list[int], row: list[int], new: int, factor: int, old: int) -> list[int]:
    if factor:
        return [(x * new - factor * y) // old for x, y in zip(other, row, strict=True)]
    return other[:] if new == old else [x * new // old for x in other]


def _integers(values: Sequence[Fraction | int]) -> list[int]:
    """Multiply by the least common denominator."""
    scale = lcm(*(x.denominator for x in values))
    return [x.numerator * (scale // x.denominator) for x in values]

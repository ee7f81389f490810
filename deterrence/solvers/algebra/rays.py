r"""Extreme rays of cones in whole numbers: the vertices of every polytope that a solver of tables and trees meets.

The polytope :math:`\{x \ge 0 : E x = e, G x \ge g\}` is the slice :math:`t = 1` of the cone
:math:`\{(x, t) \ge 0 : E x - e t = 0, G x - g t \ge 0\}`, and its vertices are the extreme rays of that cone. They are
kept up to date row by row by the double-description method [1]_: a row keeps the rays on its right side and adds one
on every two-dimensional face that it crosses; two rays span such a face iff no third one is tight in all constraints
that are tight at both. Everything is a whole number of unlimited length, so that ties are ties and there is no
tolerance; at the sizes of games this is faster than solving all bases in floats.

References
----------
.. [1] T. Motzkin, H. Raiffa, G. Thompson and R. Thrall, "The Double Description Method", 1953; K. Fukuda and A. Prodon,
   "Double Description Method Revisited", 1996.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd
from typing import TypeAlias

from deterrence.solvers.predicates import whole_numbers

Ray: TypeAlias = tuple[tuple[int, ...], int]  # coordinates, and the bit set of constraints that are tight
_ROUND = 5_000  # rays looked at between two questions to the budget


class TooManyRays(ArithmeticError):
    """The budget ended before all rays were known."""


def extreme_rays(
    width: int,
    at_least: Sequence[Sequence[int]],
    equal: Sequence[Sequence[int]] = (),
    spend: Callable[[], bool] = lambda: True,
) -> list[Ray]:
    """Return the extreme rays of {x >= 0 : E x = 0, A x >= 0}.

    Parameters
    ----------
    width : int
        Number of coordinates.
    at_least, equal : sequence of rows of whole numbers
    spend : callable
        Asked after every 5,000 rays that are looked at; False ends the search.

    Returns
    -------
    list of (tuple of int, int)
        Coordinates without a common divisor; and as a bit set what is tight: bit i for ``x[i] == 0``, bit ``width + j``
        for row j of ``at_least``.

    Raises
    ------
    TooManyRays
        If ``spend`` said no.

    Examples
    --------
    >>> [ray for ray, _ in extreme_rays(3, [[-1, -2, 1]])]
    [(0, 0, 1), (1, 0, 1), (0, 1, 2)]
    """
    full = (1 << width) - 1
    rays: list[Ray] = [(tuple(int(i == k) for i in range(width)), full & ~(1 << k)) for k in range(width)]
    least = width - 2  # constraints that are tight on a face of two dimensions, at least
    looked_at = 0
    rows = [(row, 0) for row in equal] + [(row, 1 << (width + j)) for j, row in enumerate(at_least)]
    for row, bit in rows:
        sparse = [(i, c) for i, c in enumerate(row) if c]
        values = [sum(c * ray[i] for i, c in sparse) for ray, _ in rays]
        above = [k for k, v in enumerate(values) if v > 0]
        below = [k for k, v in enumerate(values) if v < 0]
        kept = [rays[k] for k in above] if bit else []
        kept += [(rays[k][0], rays[k][1] | bit) for k, v in enumerate(values) if v == 0]
        if not bit:
            least -= 1
        tight = [mask for _, mask in rays]
        for i in above:
            p, p_mask = rays[i]
            looked_at += len(below)
            for j in below:
                common = p_mask & rays[j][1]
                if common.bit_count() < least:
                    continue
                looked_at += len(tight)
                while looked_at >= _ROUND:
                    looked_at -= _ROUND
                    if not spend():
                        raise TooManyRays
                if _is_shared(common, tight):
                    continue
                a, b = -values[j], values[i]
                ray = [a * x + b * y for x, y in zip(p, rays[j][0], strict=True)]
                divisor = gcd(*ray)
                kept.append((tuple([x // divisor for x in ray]) if divisor > 1 else tuple(ray), common | bit))
        rays = kept
    return rays


def polytope_vertices(
    equal: Sequence[Sequence[Fraction]],
    right: Sequence[Fraction],
    at_least: Sequence[Sequence[Fraction]],
    bounds: Sequence[Fraction],
    spend: Callable[[], bool] = lambda: True,
) -> list[tuple[Fraction, ...]]:
    """Return the vertices of {x >= 0 : E x = e, G x >= g}, a bounded set, in descending order; none if it is empty.

    Parameters
    ----------
    equal, right : rows of n rationals, rationals
    at_least, bounds : rows of n rationals, rationals
    spend : callable
        As in ``extreme_rays``.

    Raises
    ------
    TooManyRays
        If ``spend`` said no.

    Examples
    --------
    >>> polytope_vertices([[1, 1]], [1], [[1, 0]], [Fraction(1, 3)])
    [(Fraction(1, 1), Fraction(0, 1)), (Fraction(1, 3), Fraction(2, 3))]
    """
    width = len(equal[0]) if len(equal) else len(at_least[0])
    rows = [whole_numbers([*row, -value]) for row, value in zip(equal, right, strict=True)]
    more = [whole_numbers([*row, -value]) for row, value in zip(at_least, bounds, strict=True)]
    rays = extreme_rays(width + 1, more, rows, spend)
    found = {tuple(Fraction(x, ray[-1]) for x in ray[:-1]) for ray, _ in rays if ray[-1]}
    return sorted(found, reverse=True)


def _is_shared(common: int, tight: list[int]) -> bool:
    """Whether more than two rays are tight in all of some constraints."""
    count = 0
    for mask in tight:
        if common & mask == common:
            count += 1
            if count > 2:
                return True
    return False

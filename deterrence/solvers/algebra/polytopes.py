r"""Vertices of polytopes and extreme rays of cones in whole numbers, by one double-description method.

The polytope :math:`\{x \ge 0 : E x = e, G x \ge g\}` is the slice :math:`t = 1` of the cone
:math:`\{(x, t) \ge 0 : E x - e t = 0, G x - g t \ge 0\}`, and its vertices are the extreme rays of that cone: a point
has whole coordinates and a common denominator, its last entry (homogeneous coordinates). The rays are kept up to date
row by row [1]_: a hyperplane keeps the rays on its right side and adds one on every two-dimensional face that it
crosses; two rays span such a face iff no third one is tight in all constraints that are tight at both.

Everything is a whole number of unlimited length, so that ties are ties of the numbers given and there is no tolerance;
at the sizes of games this is faster than solving all bases in floats. A solver of tables or trees knows all rows at
once (``extreme_rays``, ``polytope_vertices``); a solver of signaling games starts from a product of simplices, in which
strategies and beliefs live, and cuts it as its search goes on (``Polytope``).

References
----------
.. [1] T. Motzkin, H. Raiffa, G. Thompson and R. Thrall, "The Double Description Method", 1953; K. Fukuda and A. Prodon,
   "Double Description Method Revisited", 1996.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import TypeAlias

from deterrence.solvers.predicates import whole_numbers

Point: TypeAlias = tuple[int, ...]  # whole coordinates, then their common denominator
Row: TypeAlias = Sequence[tuple[int, int]]  # sparse coefficients (index, value) of a linear form
Ray: TypeAlias = tuple[tuple[int, ...], int]  # coordinates, and the bit set of constraints that are tight
_ROUND = 5_000  # rays looked at between two questions to the budget


class TooManyRays(ArithmeticError):
    """The budget ended before all rays were known."""


class Polytope:
    """A polytope in the nonnegative orthant, by its vertices; each cut changes it in place.

    Parameters
    ----------
    blocks : sequence of sequence of int
        The coordinates of each simplex; all coordinates in no block are zero throughout.
    size : int
        Number of coordinates. A row may name the denominator by this index: a constant term.

    Examples
    --------
    >>> segment = Polytope([[0, 1, 2]], 3)
    >>> segment.cut([(0, 1), (1, -1)], equality=True)
    True
    >>> segment.points
    [(0, 0, 1, 1), (1, 1, 0, 2)]
    """

    __slots__ = ("_edge", "_next", "vertices")

    def __init__(self, blocks: Sequence[Sequence[int]], size: int) -> None:
        points: list[list[int]] = [[*[0] * size, 1]]
        for block in blocks:
            if len(block) == 1:
                for p in points:
                    p[block[0]] = 1
            else:
                points = [_with_one(p, i) for p in points for i in block]
        full = (1 << size) - 1
        self.vertices: list[Ray] = [(tuple(p), full & ~support(p)) for p in points]
        self._next = 1 << size
        self._edge = size - len(blocks) - 1  # constraints that are tight along an edge, at least

    @property
    def points(self) -> list[Point]:
        """The coordinates of the vertices, each with its denominator."""
        return [point for point, _ in self.vertices]

    @property
    def support(self) -> int:
        """The bit set of coordinates that are positive somewhere."""
        mask = 0
        for point, _ in self.vertices:
            mask |= support(point)
        return mask

    def copy(self) -> Polytope:
        """Return a polytope that can be cut apart from this one."""
        other = object.__new__(Polytope)
        other.vertices, other._next, other._edge = self.vertices, self._next, self._edge
        return other

    def cut(self, row: Row, *, equality: bool = False) -> bool:
        """Keep the part where ``row . x >= 0`` (or ``= 0``, the hyperplane itself); return whether anything is left."""
        vertices = self.vertices
        values = [form(row, point) for point, _ in vertices]
        low, high = min(values, default=0), max(values, default=0)
        if low >= 0 and (not equality or high <= 0):
            if not equality and low == 0:
                bit = self._bit()
                self.vertices = [(p, z) if x else (p, z | bit) for (p, z), x in zip(vertices, values, strict=True)]
            return bool(vertices)
        if high < 0 or (equality and low > 0):
            self.vertices = []
            return False
        self.vertices = _divide(vertices, values, self._bit(), self._edge, keep=not equality)
        if equality:
            self._edge -= 1
        return bool(self.vertices)

    def _bit(self) -> int:
        bit = self._next
        self._next = bit << 1
        return bit


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

    def count(more: int) -> None:
        nonlocal looked_at
        looked_at += more
        while looked_at >= _ROUND:
            looked_at -= _ROUND
            if not spend():
                raise TooManyRays

    rows = [(row, 0) for row in equal] + [(row, 1 << (width + j)) for j, row in enumerate(at_least)]
    for row, bit in rows:
        sparse = [(i, c) for i, c in enumerate(row) if c]
        values = [form(sparse, ray) for ray, _ in rays]
        rays = _divide(rays, values, bit, least, keep=bool(bit), count=count)
        least -= not bit
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


def _divide(
    rays: Sequence[Ray],
    values: Sequence[int],
    bit: int,
    least: int,
    *,
    keep: bool,
    count: Callable[[int], None] | None = None,
) -> list[Ray]:
    """Return the extreme rays of what a hyperplane leaves of a cone.

    Parameters
    ----------
    rays : sequence of Ray
    values : sequence of int
        Value of the hyperplane's form at each.
    bit : int
        Marks the constraint in the bit sets; 0 marks nothing.
    least : int
        How many constraints are tight on a face of two dimensions, at least.
    keep : bool
        Keep the rays above the hyperplane, too, not only those on it.
    count : callable, optional
        Told how many rays have been looked at since it was last called.
    """
    above = [k for k, x in enumerate(values) if x > 0]
    below = [k for k, x in enumerate(values) if x < 0]
    kept = [rays[k] for k in above] if keep else []
    kept += [(ray, mask | bit) for (ray, mask), x in zip(rays, values, strict=True) if not x]
    tight = [mask for _, mask in rays]
    for i in above:
        p, p_mask = rays[i]
        if count:
            count(len(below))
        for j in below:
            q, q_mask = rays[j]
            common = p_mask & q_mask
            if common.bit_count() < least:
                continue
            if count:
                count(len(tight))
            if _is_shared(common, tight):
                continue  # no face of two dimensions: the smallest one with both is larger
            a, b = -values[j], values[i]
            crossing = [a * x + b * y for x, y in zip(p, q, strict=True)]
            divisor = gcd(*crossing)
            kept.append((tuple([x // divisor for x in crossing]), common | bit))
    return kept


def _is_shared(common: int, tight: Sequence[int]) -> bool:
    """Return whether more than two rays are tight in all of some constraints."""
    found = 0
    for mask in tight:
        if common & mask == common:
            found += 1
            if found > 2:
                return True
    return False


def form(row: Row, point: Point) -> int:
    """Return the value of a linear form at the whole coordinates of a point: the true value times its denominator."""
    value = 0
    for i, c in row:
        x = point[i]
        if x:
            value += c * x
    return value


def mean(points: Sequence[Point]) -> Point:
    """Return the average of the vertices of a polytope: a point in its relative interior."""
    if len(points) == 1:
        return points[0]
    common = lcm(*(point[-1] for point in points))
    scaled = [point if point[-1] == common else _times(point, common // point[-1]) for point in points]
    total = [sum(column) for column in zip(*scaled, strict=True)]
    total[-1] = common * len(points)
    divisor = gcd(*total)
    return tuple([x // divisor for x in total])


def support(point: Sequence[int]) -> int:
    """Return the bit set of the coordinates of a point that are positive."""
    mask = 0
    bit = 1
    for x in point[:-1]:
        if x:
            mask |= bit
        bit <<= 1
    return mask


def members(mask: int) -> list[int]:
    """Return the elements of a bit set, in order."""
    found = []
    i = 0
    while mask:
        if mask & 1:
            found.append(i)
        mask >>= 1
        i += 1
    return found


def intersections(masks: Iterable[int]) -> list[int]:
    """Return all nonempty intersections of some bit sets (themselves among them), sorted."""
    family = {mask for mask in masks if mask}
    fresh = list(family)
    while fresh:
        a = fresh.pop()
        for b in list(family):
            c = a & b
            if c and c not in family:
                family.add(c)
                fresh.append(c)
    return sorted(family)


def _with_one(point: list[int], i: int) -> list[int]:
    copy = point.copy()
    copy[i] = 1
    return copy


def _times(point: Point, factor: int) -> Point:
    return tuple([x * factor for x in point])

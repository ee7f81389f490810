"""Vertices of small polytopes: a product of simplices, cut by hyperplanes and half-spaces.

Every set that a solver of signaling games meets has this form: strategies and beliefs live in products of
simplices, and optimality cuts them by linear constraints. The vertices are kept up to date cut by cut by the
double-description method (Motzkin et al. 1953; Fukuda and Prodon 1996): a hyperplane keeps the vertices on
its right side and adds one on every edge that it crosses; two vertices span an edge iff no third one is tight
in all constraints that are tight at both.

Numbers are floats, with a tolerance, or ``Fraction`` with tolerance 0; the code is the same. A vertex on an
edge is a convex combination of two others, so coordinates that are zero at both stay exactly zero and
supports are never blurred by rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Point: TypeAlias = tuple[Any, ...]
Row: TypeAlias = Sequence[tuple[int, Any]]  # sparse coefficients (index, value) of a linear form
Vertex: TypeAlias = tuple[Point, int]  # coordinates, and the bit set of constraints that are tight


class Polytope:
    """A polytope in the nonnegative orthant, by its vertices; each cut changes it in place.

    Parameters
    ----------
    blocks : sequence of sequence of int
        The coordinates of each simplex; all coordinates in no block are zero throughout.
    size : int
        Number of coordinates.
    zero, one : number
        0 and 1 in the arithmetic to be used.
    tol : number
        A linear form within ``tol`` of zero is zero; 0 for exact numbers.

    Examples
    --------
    >>> segment = Polytope([[0, 1, 2]], 3, 0.0, 1.0, 1e-9)
    >>> segment.cut([(0, 1.0), (1, -1.0)], equality=True)
    True
    >>> segment.points
    [(0.0, 0.0, 1.0), (0.5, 0.5, 0.0)]
    """

    __slots__ = ("_edge", "_next", "tol", "vertices")

    def __init__(self, blocks: Sequence[Sequence[int]], size: int, zero: Any, one: Any, tol: Any) -> None:
        points: list[list[Any]] = [[zero] * size]
        for block in blocks:
            if len(block) == 1:
                for p in points:
                    p[block[0]] = one
            else:
                points = [_with_one(p, i, one) for p in points for i in block]
        full = (1 << size) - 1
        self.vertices: list[Vertex] = [(tuple(p), full & ~_support(p)) for p in points]
        self.tol = tol
        self._next = 1 << size
        self._edge = size - len(blocks) - 1  # constraints that are tight along an edge, at least

    @property
    def points(self) -> list[Point]:
        """The coordinates of the vertices."""
        return [point for point, _ in self.vertices]

    @property
    def support(self) -> int:
        """The bit set of coordinates that are positive somewhere."""
        mask = 0
        for point, _ in self.vertices:
            mask |= _support(point)
        return mask

    def copy(self) -> Polytope:
        """Return a polytope that can be cut apart from this one."""
        other = object.__new__(Polytope)
        other.vertices, other.tol, other._next, other._edge = self.vertices, self.tol, self._next, self._edge
        return other

    def cut(self, row: Row, *, equality: bool = False, mass: Row | None = None) -> bool:
        """Keep the part where ``row . x >= 0`` (or ``= 0``); return whether anything is left.

        Parameters
        ----------
        row : sequence of (int, number)
        equality : bool
            Keep the hyperplane itself.
        mass : sequence of (int, number), optional
            A nonnegative linear form; the sign of ``row . x`` is judged after division by it (``row . x`` is
            zero where it is zero). A posterior is judged alike, however improbable its message.
        """
        vertices = self.vertices
        values = [form(row, point) for point, _ in vertices]
        judged = values if mass is None else _relative(values, mass, vertices)
        tol = self.tol
        low, high = min(judged, default=0), max(judged, default=0)
        if low >= -tol and (not equality or high <= tol):
            if not equality and low <= tol:
                bit = self._bit()
                self.vertices = [(p, z | bit) if x <= tol else (p, z) for (p, z), x in zip(vertices, judged)]
            return bool(vertices)
        if high < -tol or (equality and low > tol):
            self.vertices = []
            return False
        self.vertices = self._divided(values, judged, equality)
        return bool(self.vertices)

    def _divided(self, values: list[Any], judged: list[Any], equality: bool) -> list[Vertex]:
        tol, vertices = self.tol, self.vertices
        bit, least = self._bit(), self._edge
        above = [i for i, x in enumerate(judged) if x > tol]
        below = [i for i, x in enumerate(judged) if x < -tol]
        kept = [] if equality else [vertices[i] for i in above]
        kept += [(p, z | bit) for (p, z), x in zip(vertices, judged) if -tol <= x <= tol]
        if equality:
            self._edge -= 1
        tight = [z for _, z in vertices]
        for i in above:
            p, zp = vertices[i]
            for j in below:
                q, zq = vertices[j]
                common = zp & zq
                if common.bit_count() < least or _is_shared(common, tight):
                    continue  # no edge: the smallest face with both is larger
                span = values[i] - values[j]
                weight, rest = values[i] / span, -values[j] / span  # of q and p, each to full relative precision
                kept.append((tuple([rest * x + weight * y for x, y in zip(p, q)]), common | bit))
        return kept

    def _bit(self) -> int:
        bit = self._next
        self._next = bit << 1
        return bit


def form(row: Row, point: Point) -> Any:
    """Return the value of a linear form at a point."""
    value: Any = 0
    for i, c in row:
        x = point[i]
        if x:
            value += c * x
    return value


def mean(points: Sequence[Point]) -> Point:
    """Return the average of the vertices of a polytope: a point in its relative interior."""
    n = len(points)
    return points[0] if n == 1 else tuple([sum(column) / n for column in zip(*points)])


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


def _with_one(point: list[Any], i: int, one: Any) -> list[Any]:
    copy = point.copy()
    copy[i] = one
    return copy


def _support(point: Sequence[Any]) -> int:
    mask = 0
    bit = 1
    for x in point:
        if x:
            mask |= bit
        bit <<= 1
    return mask


def _is_shared(common: int, tight: list[int]) -> bool:
    """Whether more than two vertices are tight in all of some constraints."""
    found = 0
    for mask in tight:
        if common & mask == common:
            found += 1
            if found > 2:
                return True
    return False


def _relative(values: list[Any], mass: Row, vertices: list[Vertex]) -> list[Any]:
    judged = []
    for value, (point, _) in zip(values, vertices):
        weight = form(mass, point)
        judged.append(value / weight if weight else value)
    return judged

"""Vertices of small polytopes: a product of simplices, cut by hyperplanes and half-spaces, in whole numbers.

Every set that a solver of signaling games meets has this form: strategies and beliefs live in products of
simplices, and optimality cuts them by linear constraints. The vertices are kept up to date cut by cut by the
double-description method (Motzkin et al. 1953; Fukuda and Prodon 1996): a hyperplane keeps the vertices on
its right side and adds one on every edge that it crosses; two vertices span an edge iff no third one is tight
in all constraints that are tight at both.

All arithmetic is exact: a point has whole coordinates and a common denominator, its last entry (homogeneous
coordinates), and rows have whole coefficients, so that a sign is a sign and every tie is a tie of the numbers given.
For numbers of usual length Python's integers are about as fast as its floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import gcd, lcm
from typing import TypeAlias

Point: TypeAlias = tuple[int, ...]  # whole coordinates, then their common denominator
Row: TypeAlias = Sequence[tuple[int, int]]  # sparse coefficients (index, value) of a linear form
Vertex: TypeAlias = tuple[Point, int]  # coordinates, and the bit set of constraints that are tight


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
        self.vertices: list[Vertex] = [(tuple(p), full & ~support(p)) for p in points]
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
        self.vertices = self._divided(values, equality)
        return bool(self.vertices)

    def _divided(self, values: list[int], equality: bool) -> list[Vertex]:
        vertices = self.vertices
        bit, least = self._bit(), self._edge
        above = [i for i, x in enumerate(values) if x > 0]
        below = [i for i, x in enumerate(values) if x < 0]
        kept = [] if equality else [vertices[i] for i in above]
        kept += [(p, z | bit) for (p, z), x in zip(vertices, values, strict=True) if not x]
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
                of_p, of_q = -values[j], values[i]
                crossing = [of_p * x + of_q * y for x, y in zip(p, q, strict=True)]
                divisor = gcd(*crossing)
                kept.append((tuple([x // divisor for x in crossing]), common | bit))
        return kept

    def _bit(self) -> int:
        bit = self._next
        self._next = bit << 1
        return bit


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


def _is_shared(common: int, tight: list[int]) -> bool:
    """Whether more than two vertices are tight in all of some constraints."""
    found = 0
    for mask in tight:
        if common & mask == common:
            found += 1
            if found > 2:
                return True
    return False

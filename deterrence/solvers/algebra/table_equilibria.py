r"""Nash equilibria of tables with three or more players: pure ones at once, mixed ones support by support.

Supports are taken from small to large [1]_. One is left out where a strategy in it cannot be as good as another against
anything that the others' supports allow, which is looked up in bit sets of the others' profiles: if it is worse
everywhere, or nowhere better and somewhere worse (the others give weight to all of their supports). What is left is
solved by how many players mix:

one
    all conditions are linear in the one mixture;
two
    the indifference of each is linear in the other's mixture, so that the mixtures form a product of two polytopes, cut
    by the conditions of the players who do not mix, bilinear ones: they hold on the product iff they hold at its
    vertices;
three or more
    a multilinear system (``multilinear``).

The first two are solved in rationals. The results of one support are its closure: supports with zero weights too.

References
----------
.. [1] R. Porter, E. Nudelman and Y. Shoham, "Simple Search Methods for Finding a Nash Equilibrium", Games Econ. Behav.
   63 (2008), 642-662.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, islice, product
from math import prod

import numpy as np

from deterrence.games.quantities import Array, as_float
from deterrence.solvers.algebra.multilinear import Multilinear, all_roots, sampled_roots
from deterrence.solvers.algebra.polytopes import TooManyRays, extreme_rays
from deterrence.solvers.budget import Budget
from deterrence.solvers.predicates import whole_numbers

Support = tuple[tuple[int, ...], ...]  # by player, the strategies used
Mixtures = tuple[Array, ...]  # by player, a distribution

_MOST_UNKNOWNS = 8  # up to so many the unit box is searched exhaustively
_STARTS = 24
_POSITIVE = 1e-9  # least weight of a strategy in a solution by Newton's method
_LOOKED_UP = 100  # supports that are left out by looking at bit sets cost as much as one that is solved
_SINGULAR = 1e-5  # multiple roots are found to about the root of the rounding error only
_MOST_BITS = 2**60  # differences still fit


@dataclass(frozen=True, eq=False)
class Part:
    """Equilibria of one support: the vertices of a product of polytopes, or one point.

    Not ``whole`` is a point of a continuum that conditions which are not linear bound.
    """

    support: Support
    corners: tuple[Mixtures, ...]
    exact: bool
    whole: bool = True


def pure_equilibria(tables: Sequence[Array], most: int | None = None) -> Array:
    """Return the pure equilibria of some tables, one for each player, as cells, shape (K, P).

    Floats compare as the decimals that they print as, so that this is exact.

    Parameters
    ----------
    tables : sequence of ndarray, shape (s_1, ..., s_P)
    most : int, optional
        Stop after so many.
    """
    stable = np.ones(tables[0].shape, dtype=bool)
    for player, table in enumerate(tables):
        near = as_float(table)
        stable &= near == near.max(axis=player, keepdims=True)
    cells = np.argwhere(stable)
    if all(table.dtype != object for table in tables):
        return cells[:most]
    best = (cell for cell in cells if all(_is_best(table, cell, player) for player, table in enumerate(tables)))
    return np.array(list(islice(best, most)), dtype=np.int64).reshape(-1, len(tables))


def _is_best(table: Array, cell: Array, player: int) -> bool:
    """Whether nothing pays a player more than its strategy in a cell, by the numbers themselves."""
    if table.dtype != object:
        return True
    line = table[tuple(slice(None) if j == player else int(k) for j, k in enumerate(cell))]
    return bool(line[cell[player]] == max(line))


def equilibria(tables: Sequence[Array], budget: Budget, rng: np.random.Generator) -> tuple[list[Part], bool]:
    """Return the equilibria of three or more players as far as the budget goes, and whether none is missing.

    Parameters
    ----------
    tables : sequence of ndarray, shape (s_1, ..., s_P)
        A payoff table for each player; floats or rationals.
    budget : Budget
        A unit for each support that is solved and each batch of boxes; a hundred supports that are not cost one.
    rng : numpy.random.Generator
    """
    shape = tables[0].shape
    whole = [_whole(table) for table in tables]
    orders = [_Order(whole[i], i) for i in range(len(shape))]
    parts: list[Part] = []
    complete = True
    sizes = sorted(product(*(range(1, n + 1) for n in shape)), key=lambda s: (sum(s), max(s), s))
    for k, size in enumerate(sizes):
        for support in _plausible(shape, size, orders, budget):
            found, proven = _solved(whole, support, budget, rng)
            parts += found
            complete = complete and proven
        if budget.ended:
            budget.skip(
                f"supports of {' x '.join(map(str, size))} strategies and larger ones, {len(sizes) - k} of "
                f"{len(sizes)} sizes ({budget.reason} reached)"
            )
            return _maximal(parts), False
    if not complete:
        budget.skip("further points of supports with a continuum or more than 8 unknowns")
    return _maximal(parts), complete


def _whole(table: Array) -> Array:
    """Return one player's table in whole numbers, of 64 bits where they fit."""
    numbers = whole_numbers(table.ravel().tolist())
    if max(map(abs, numbers)) < _MOST_BITS:
        return np.array(numbers, dtype=np.int64).reshape(table.shape)
    result = np.empty(table.size, dtype=object)
    result[:] = numbers
    return result.reshape(table.shape)


class _Order:
    """Which of two strategies of one player is better against which profiles of the others, as bit sets."""

    def __init__(self, table: Array, player: int) -> None:
        self.player = player
        lines = np.moveaxis(table, player, 0)
        n = len(lines)
        flat = lines.reshape(n, -1)
        self.worse = [[_bits(flat[a] < flat[b]) for b in range(n)] for a in range(n)]  # a than b
        index = np.indices(lines.shape[1:]).reshape(lines.ndim - 1, -1)
        others = [j for j in range(table.ndim) if j != player]
        self.holding = {j: [_bits(index[k] == s) for s in range(table.shape[j])] for k, j in enumerate(others)}
        self.everything = (1 << flat.shape[1]) - 1

    def opposing_profiles(self, support: Sequence[tuple[int, ...] | None]) -> int:
        """Return the profiles of the others within their supports (None: not chosen yet)."""
        mask = self.everything
        for j, patterns in self.holding.items():
            mine = support[j]
            if mine is not None and len(mine) < len(patterns):
                some = 0
                for s in mine:
                    some |= patterns[s]
                mask &= some
        return mask

    def rules_out(self, mine: tuple[int, ...], met: int, final: bool) -> bool:
        """Whether a strategy that is used is worse than another against all that can be met."""
        for a in mine:
            row = self.worse[a]
            for b in range(len(row)):
                if a == b:
                    continue
                worse = row[b] & met
                if worse == met or (final and worse and not self.worse[b][a] & met):
                    return True
        return False


def _bits(values: Array) -> int:
    packed = np.packbits(np.asarray(values, dtype=bool), bitorder="little")
    return int.from_bytes(packed.tobytes(), "little")


def _plausible(
    shape: tuple[int, ...], size: tuple[int, ...], orders: list[_Order], budget: Budget
) -> Iterator[Support]:
    """Supports of some sizes in which no strategy is worse than another against what the others' supports allow."""
    chosen: list[tuple[int, ...] | None] = [None] * len(shape)
    looked_at = 0

    def choose(i: int) -> Iterator[Support]:
        nonlocal looked_at
        if i == len(shape):
            support = tuple(s for s in chosen if s is not None)
            if (
                not any(o.rules_out(support[o.player], o.opposing_profiles(support), True) for o in orders)
                and budget.spend()
            ):
                yield support
            return
        for mine in combinations(range(shape[i]), size[i]):
            looked_at += 1
            if looked_at % _LOOKED_UP == 0 and not budget.spend():
                return
            if budget.ended:
                return
            chosen[i] = mine
            if not any(
                o.rules_out(chosen[o.player] or (), o.opposing_profiles(chosen), False) for o in orders[: i + 1]
            ):
                yield from choose(i + 1)
        chosen[i] = None

    yield from choose(0)


def _solved(tables: list[Array], support: Support, budget: Budget, rng: np.random.Generator) -> tuple[list[Part], bool]:
    mixing = [i for i, s in enumerate(support) if len(s) > 1]
    try:
        if len(mixing) <= 1:
            return _one_mixes(tables, support, mixing[0] if mixing else 0, budget), True
        if len(mixing) == 2:
            return _two_mix(tables, support, mixing[0], mixing[1], budget)
    except TooManyRays:
        return [], False
    return _many_mix(tables, support, mixing, budget, rng)


def _gaps(tables: list[Array], support: Support, player: int) -> Iterator[tuple[Array, bool]]:
    """Yield what a player's first strategy pays more than each other one; it must be zero if True, else >= 0."""
    table = np.moveaxis(tables[player], player, 0)
    others = [s for j, s in enumerate(support) if j != player]
    lines = table[np.ix_(range(len(table)), *others)]
    first, *rest = support[player]
    for b in range(len(table)):
        if b != first:
            yield lines[first] - lines[b], b in rest


def _one_mixes(tables: list[Array], support: Support, mixer: int, budget: Budget) -> list[Part]:
    width = len(support[mixer])
    equal: list[list[int]] = []
    least: list[list[int]] = []
    for i in range(len(support)):
        for gap, equation in _gaps(tables, support, i):
            row = gap.reshape(-1).tolist() * (width if i == mixer else 1)
            (equal if equation else least).append(row)
    corners = _mixtures(width, least, equal, budget)
    return _part(support, [mixer], [corners]) if corners else []


def _two_mix(tables: list[Array], support: Support, one: int, other: int, budget: Budget) -> tuple[list[Part], bool]:
    """Solve a support in which two players mix: the indifference of each is linear in the mixture of the other."""
    corners = {}
    for i, j in ((one, other), (other, one)):
        equal: list[list[int]] = []
        least: list[list[int]] = []
        for gap, equation in _gaps(tables, support, i):
            (equal if equation else least).append(gap.reshape(-1).tolist())
        corners[j] = _mixtures(len(support[j]), least, equal, budget)
        if not corners[j]:
            return [], True
    bilinear = [
        gap.reshape(len(support[one]), len(support[other]))
        for i in range(len(support))
        if i not in (one, other)
        for gap, _ in _gaps(tables, support, i)
    ]
    x, y = corners[one], corners[other]
    if len(x) == 1 and bilinear:
        rows = [whole_numbers((x[0] @ gap).tolist()) for gap in bilinear]
        y = _cut(y, rows, budget)
    elif len(y) == 1 and bilinear:
        rows = [whole_numbers((gap @ y[0]).tolist()) for gap in bilinear]
        x = _cut(x, rows, budget)
    else:
        return _cut_products(support, one, other, x, y, bilinear)
    if not x or not y:
        return [], True
    return _part(support, [one, other], [x, y]), True


def _cut_products(
    support: Support, one: int, other: int, x: list[Array], y: list[Array], bilinear: list[Array]
) -> tuple[list[Part], bool]:
    """Two continua under bilinear conditions, which attain their bounds at pairs of vertices."""
    values = [[[u @ gap @ v for v in y] for u in x] for gap in bilinear]
    if all(value >= 0 for rows in values for row in rows for value in row):
        return _part(support, [one, other], [x, y]), True
    if any(all(value < 0 for row in rows for value in row) for rows in values):
        return [], True
    parts = []
    for i, j in product(range(len(x)), range(len(y))):
        if all(rows[i][j] >= 0 for rows in values):
            parts += _part(support, [one, other], [[x[i]], [y[j]]], inside=False)
    return parts, False


def _cut(corners: list[Array], rows: list[list[int]], budget: Budget) -> list[Array]:
    """Return the vertices of the part of a polytope, given by its vertices, where some linear forms are >= 0."""
    if len(corners) == 1:
        return corners if all(sum(c * v for c, v in zip(row, corners[0], strict=True)) >= 0 for row in rows) else []
    weights = [whole_numbers([sum(c * v for c, v in zip(row, x, strict=True)) for x in corners]) for row in rows]
    found = {}
    for ray, _ in extreme_rays(len(corners), weights, (), budget.spend):
        total = sum(ray)
        point = sum((Fraction(w, total) * x for w, x in zip(ray, corners, strict=True)), start=0 * corners[0])
        found[tuple(point)] = point
    points = list(found.values())
    return [p for k, p in enumerate(points) if not _is_between(p, points[:k] + points[k + 1 :])]


def _is_between(point: Array, others: list[Array]) -> bool:
    """Whether a point is a convex combination of others."""
    from deterrence.solvers.algebra.rational_lp import minimise

    if not others:
        return False
    rows = [([x[i] for x in others], point[i]) for i in range(len(point))]
    return minimise([0] * len(others), equal=[*rows, ([1] * len(others), 1)]) is not None


def _mixtures(width: int, least: list[list[int]], equal: list[list[int]], budget: Budget) -> list[Array]:
    """Return the vertices of the mixtures under some conditions; none unless some mixture uses every strategy."""
    rays = extreme_rays(width, least, equal, budget.spend)
    corners = []
    for ray, _ in rays:
        total = sum(ray)
        mix = np.empty(width, dtype=object)
        mix[:] = [Fraction(x, total) for x in ray]
        corners.append(mix)
    return corners if corners and _is_inside(corners) else []


def _is_inside(corners: list[Array]) -> bool:
    """Whether every strategy is used at some vertex, so that all are used in the middle."""
    return all(any(corner[k] for corner in corners) for k in range(len(corners[0])))


def _part(support: Support, mixing: list[int], corners: list[list[Array]], *, inside: bool = True) -> list[Part]:
    """Return a product of polytopes as a part, if it has a point at which every strategy of the support is used."""
    if inside and not all(map(_is_inside, corners)):
        return []
    choices = []
    for choice in product(*corners):
        mixed = dict(zip(mixing, choice, strict=True))
        choices.append(tuple(mixed[i] if i in mixed else _sure() for i in range(len(support))))
    return [Part(support, tuple(choices), True, inside)]


def _sure() -> Array:
    one = np.empty(1, dtype=object)
    one[0] = Fraction(1)
    return one


def _many_mix(
    tables: list[Array], support: Support, mixing: list[int], budget: Budget, rng: np.random.Generator
) -> tuple[list[Part], bool]:
    """Three or more players mix: polynomials in all but the last probability of each."""
    starts = np.cumsum([0, *(len(support[i]) - 1 for i in mixing)])
    variables = {i: range(starts[k], starts[k + 1]) for k, i in enumerate(mixing)}
    width = int(starts[-1])
    equations: list[dict[frozenset[int], float]] = []
    least: list[dict[frozenset[int], float]] = []
    for i in range(len(support)):
        players = [j for j in range(len(support)) if j != i]
        for gap, equation in _gaps(tables, support, i):
            polynomial = _polynomial(gap, [variables.get(j, range(0)) for j in players])
            if equation and not polynomial:
                continue  # indifferent whatever the others do
            (equations if equation else least).append(polynomial)
    least += [{frozenset(): 1.0} | {frozenset([v]): -1.0 for v in mine} for mine in variables.values()]
    system, slack = Multilinear(equations, width), Multilinear(least, width)
    proven = False
    if width > _MOST_UNKNOWNS:
        points = sampled_roots(system, rng, _STARTS)
    else:
        searched = all_roots(system, slack, rng, budget.spend)
        points, proven = searched.roots, searched.proven
    parts = []
    continuum = False
    for x in sorted(points, key=lambda t: tuple(t.round(9))):
        if (slack(x) < -1e-9).any() or (x <= _POSITIVE).any():
            continue
        singular = int(np.linalg.matrix_rank(system.jacobian(x), tol=_SINGULAR)) < width
        if singular and continuum:
            continue
        mixed = []
        for i in range(len(support)):
            mine = np.append(x[list(variables[i])], 0.0) if i in variables else np.ones(1)
            if i in variables:
                mine[-1] = 1 - mine.sum()
            mixed.append(mine)
        if min(m.min() for m in mixed) > _POSITIVE:
            continuum = continuum or singular
            parts.append(Part(support, (tuple(mixed),), False, not singular))
    return parts, proven


def _polynomial(gap: Array, variables: list[range]) -> dict[frozenset[int], float]:
    """Return a table over the others' supports as a polynomial in all but their last probabilities, scaled to one."""
    values = gap.astype(object)
    for axis, mine in enumerate(variables):
        last = np.take(values, [-1], axis=axis)
        if len(mine):
            values = np.concatenate([last, np.take(values, range(len(mine)), axis=axis) - last], axis=axis)
    flat = values.ravel().tolist()
    size = max(map(abs, flat)) or 1
    return {
        frozenset(mine[k - 1] for k, mine in zip(index, variables, strict=True) if k): float(Fraction(value, size))
        for index, value in zip(np.ndindex(values.shape), flat, strict=True)
        if value
    }


def _maximal(parts: list[Part]) -> list[Part]:
    """Drop what lies in the closure of another part: each continuum is reported once."""
    kept = []
    for i, part in enumerate(parts):
        inside = False
        for j, other in enumerate(parts):
            if i == j or not all(set(a) <= set(b) for a, b in zip(part.support, other.support, strict=True)):
                continue
            mine, theirs = len(part.corners), len(other.corners)
            smaller = part.support != other.support or (mine, j) < (theirs, i)
            if smaller and all(_in_hull(v, i, j, parts) for v in range(mine)):
                inside = True
                break
        if not inside:
            kept.append(part)
    return kept


def _in_hull(vertex: int, mine: int, other: int, parts: list[Part]) -> bool:
    """Whether a vertex of one part lies in another, a product: player by player in the hull of its mixtures."""
    a, b = parts[mine], parts[other]
    for i in range(len(a.support)):
        x = _spread(a.corners[vertex][i], a.support[i], b.support[i])
        distinct = {tuple(as_float(c[i])): c[i] for c in b.corners}
        near = [as_float(m) for m in distinct.values()]
        if len(near) == 1 or not (a.exact and b.exact):
            if min(np.abs(as_float(x) - m).max() for m in near) > 1e-8:
                return False
        elif not any(tuple(x) == tuple(m) for m in distinct.values()) and not _is_between(x, list(distinct.values())):
            return False
    return True


def _spread(mix: Array, support: tuple[int, ...], wider: tuple[int, ...]) -> Array:
    result = np.array([0 * mix[0]] * len(wider), dtype=mix.dtype)
    result[[wider.index(s) for s in support]] = mix
    return result


def mixtures_of(part: Part, shape: Sequence[int]) -> list[Mixtures]:
    """Return the vertices of a part as distributions over all strategies."""
    return [
        tuple(_spread(mix, s, tuple(range(n))) for mix, s, n in zip(corner, part.support, shape, strict=True))
        for corner in part.corners
    ]


def supports_of(shape: Sequence[int]) -> int:
    """Return how many combinations of supports a table has."""
    return prod(2**n - 1 for n in shape)

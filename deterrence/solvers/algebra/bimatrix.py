r"""All Nash equilibria of two-player tables, continua included, from the vertices of the best-response polytopes.

With payoffs scaled to be positive, :math:`P = \{x \ge 0 : B^T x \le 1\}` and :math:`Q = \{y \ge 0 : A y \le 1\}`. A
vertex carries as labels the own strategies that it leaves unplayed and the other's that are best against it; a pair of
vertices that together carry every label is, rescaled, an equilibrium. These are the extreme equilibria, and the
set of all equilibria is the union, over maximal sets X', Y' of vertices whose pairs are all equilibria, of
conv(X') x conv(Y') [1]_.

References
----------
.. [1] D. Avis, G. Rosenberg, R. Savani and B. von Stengel, "Enumeration of Nash Equilibria for Two-Player Games",
   Econ. Theory 42 (2010), 9-37.

The vertices are searched for in whole numbers (``rays``), or, with Numba, in floats and then checked
(``bimatrix_compiled``): the same answer, thousands of times sooner at ten strategies each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from deterrence.games.quantities import Array, as_float
from deterrence.solvers.algebra.polytopes import extreme_rays
from deterrence.solvers.engine import compiles
from deterrence.solvers.predicates import whole_numbers

MOST_LABELS = 62  # strategies of both players that the search in floats takes: bits of a whole number
SECONDS_AT_EIGHT, GROWTH = 0.05, 3.5  # of the search in whole numbers with eight strategies a player, and with one more


@dataclass(frozen=True)
class Component:
    """Mixed strategies whose pairs are all equilibria: the vertices of a product of two polytopes."""

    rows: tuple[Array, ...]
    columns: tuple[Array, ...]


@dataclass(frozen=True)
class Components:
    """All extreme equilibria, grouped into maximal components; ``degenerate`` if some vertex has too many labels."""

    components: tuple[Component, ...]
    degenerate: bool


def all_equilibria(row: Array, column: Array, spend: Callable[[], bool] = lambda: True) -> Components:
    """Return every equilibrium of a two-player game, in rationals.

    Parameters
    ----------
    row, column : ndarray, shape (m, n)
        Payoffs, floats or Fractions; a float counts as the decimal that it prints as.
    spend : callable
        Asked after every 5,000 pairs of rays; see ``extreme_rays``.

    Raises
    ------
    TooManyRays
        If ``spend`` said no.
    """
    m, n = row.shape
    if m + n <= MOST_LABELS and compiles(SECONDS_AT_EIGHT * GROWTH ** (min(m, n) - 8)):
        found = _by_reverse_search(row, column, spend)
        if found is not None:
            return found
    x, x_labels = _vertices(column.T, spend)  # labels: own strategies unplayed, then the other's that are best
    y, y_labels = _vertices(row, spend)
    y_labels = np.concatenate([y_labels[:, n:], y_labels[:, :n]], axis=1)  # same order for both: rows, columns
    degenerate = bool((x_labels.sum(axis=1) > m).any() or (y_labels.sum(axis=1) > n).any())
    missing = (~x_labels).astype(np.int64) @ (~y_labels).astype(np.int64).T
    return _grouped(x, y, missing == 0, degenerate)


def _by_reverse_search(row: Array, column: Array, spend: Callable[[], bool]) -> Components | None:
    """Return every equilibrium from the vertices that a search in floats finds; None if it cannot be sure of them."""
    from deterrence.solvers.algebra.bimatrix_compiled import (  # loads Numba
        complementary,
        labels_of_vertices,
        mixture_at,
        ties_hold,
    )

    m, n = row.shape
    labels = labels_of_vertices(as_float(row), as_float(column), spend)
    if labels is None:
        return None
    x_table, y_table = _positive(column.T), _positive(row)
    if not ties_hold(*labels, x_table, y_table):
        return None
    pairs = complementary(*labels, m, n)
    x_masks, y_masks = (sorted({pair[k] for pair in pairs}) for k in (0, 1))
    xs = [mixture_at(x_table, mask, 0, m) for mask in x_masks]
    ys = [mixture_at(y_table, mask, m, 0) for mask in y_masks]
    if any(mixture is None for mixture in (*xs, *ys)):
        return None
    linked = np.zeros((len(xs), len(ys)), dtype=bool)
    linked[[x_masks.index(p) for p, _ in pairs], [y_masks.index(q) for _, q in pairs]] = True
    degenerate = any((np.bitwise_count(masks) > own).any() for masks, own in zip(labels, (m, n), strict=True))
    return _grouped([_objects(mixture) for mixture in xs], [_objects(mixture) for mixture in ys], linked, degenerate)


def _positive(table: Array) -> list[list[int]]:
    """Return payoffs scaled and shifted to positive whole numbers, as rows."""
    whole = whole_numbers(table.ravel().tolist())
    low = min(whole) - 1
    width = table.shape[1]
    return [[x - low for x in whole[k : k + width]] for k in range(0, len(whole), width)]


def _objects(numbers: object) -> Array:
    values = list(numbers)  # type: ignore[call-overload]
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _grouped(x: Sequence[Array], y: Sequence[Array], linked: Array, degenerate: bool) -> Components:
    bicliques = _maximal_bicliques(linked)
    components = [Component(_sorted(x[i] for i in xs), _sorted(y[j] for j in ys)) for xs, ys in bicliques]
    components.sort(key=_order)
    return Components(tuple(components), degenerate)


def in_floats(found: Components) -> Components:
    """Return exact results as floats."""
    components = tuple(
        Component(tuple(map(as_float, c.rows)), tuple(map(as_float, c.columns))) for c in found.components
    )
    return Components(components, found.degenerate)


def _vertices(table: Array, spend: Callable[[], bool]) -> tuple[list[Array], Array]:
    """Mixed strategies at the nonzero vertices of {v >= 0 : C v <= 1}, C positive, and labels of shape (K, c + r).

    They are the rays of {(v, t) >= 0 : t >= C v}, rescaled.
    """
    r, c = table.shape
    whole = whole_numbers(table.ravel().tolist())
    low = min(whole) - 1
    rows = [[*(low - x for x in whole[k * c : (k + 1) * c]), 1] for k in range(r)]
    rays = [(ray, mask) for ray, mask in extreme_rays(c + 1, rows, (), spend) if any(ray[:-1])]
    mixed = []
    labels = np.zeros((len(rays), c + r), dtype=bool)
    for k, (ray, mask) in enumerate(rays):
        total = sum(ray[:-1])
        strategy = np.empty(c, dtype=object)
        strategy[:] = [Fraction(x, total) for x in ray[:-1]]
        mixed.append(strategy)
        labels[k] = [bool(mask >> i & 1) for i in (*range(c), *range(c + 1, c + 1 + r))]
    return mixed, labels


def _maximal_bicliques(pairs: Array) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """All maximal (X', Y') with every pair in the relation: the closed sets of its Galois connection."""
    neighbours = [frozenset(np.flatnonzero(row).tolist()) for row in pairs]
    closed: set[frozenset[int]] = set()
    for mine in {s for s in neighbours if s}:
        closed |= {mine} | {mine & other for other in closed if mine & other}
    found = []
    for ys in closed:
        xs = tuple(i for i, mine in enumerate(neighbours) if ys <= mine)
        if frozenset.intersection(*(neighbours[i] for i in xs)) == ys:
            found.append((xs, tuple(sorted(ys))))
    return found


def _sorted(vectors: object) -> tuple[Array, ...]:
    return tuple(sorted(vectors, key=_key, reverse=True))  # type: ignore[call-overload]


def _key(vector: Array) -> tuple[float, ...]:
    return tuple([round(v.numerator / v.denominator, 9) for v in vector.tolist()])


def _order(component: Component) -> tuple[object, ...]:
    return tuple(tuple(-v for v in _key(x)) for x in (*component.rows, *component.columns))

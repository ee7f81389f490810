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
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from deterrence.games.quantities import Array, as_float
from deterrence.solvers.algebra.rays import extreme_rays
from deterrence.solvers.predicates import whole_numbers


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
    x, x_labels = _vertices(column.T, spend)  # labels: own strategies unplayed, then the other's that are best
    y, y_labels = _vertices(row, spend)
    y_labels = np.concatenate([y_labels[:, n:], y_labels[:, :n]], axis=1)  # same order for both: rows, columns
    degenerate = bool((x_labels.sum(axis=1) > m).any() or (y_labels.sum(axis=1) > n).any())
    missing = (~x_labels).astype(np.int64) @ (~y_labels).astype(np.int64).T
    components = [
        Component(_sorted(x[i] for i in xs), _sorted(y[j] for j in ys)) for xs, ys in _maximal_bicliques(missing == 0)
    ]
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
    return tuple(round(float(v), 9) for v in vector)


def _order(component: Component) -> tuple[object, ...]:
    return tuple(tuple(-v for v in _key(x)) for x in (*component.rows, *component.columns))

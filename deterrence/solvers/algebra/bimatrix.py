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

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np

from deterrence.games.quantities import Array, as_float

_MOST_BASES = 400_000  # about a 10 x 11 game; beyond, memory and time run away
_ALL_EXACT = 3_000  # up to so many bases are solved in rationals without looking at floats first
_NEAR = 1e-7  # a basis whose float solution misses by more than this is not tried in rationals


@dataclass(frozen=True)
class Component:
    """Mixed strategies whose pairs are all equilibria: the vertices of a product of two polytopes."""

    rows: tuple[Array, ...]
    columns: tuple[Array, ...]


@dataclass(frozen=True)
class Found:
    """All extreme equilibria, grouped into maximal components; ``degenerate`` if some vertex has too many labels."""

    components: tuple[Component, ...]
    degenerate: bool


def bases(shape: tuple[int, int]) -> int:
    """Return how many bases each polytope has: what the enumeration costs."""
    return comb(shape[0] + shape[1], shape[0])


def enumerable(shape: tuple[int, int]) -> bool:
    """Whether a table is small enough for ``all_equilibria``."""
    return bases(shape) <= _MOST_BASES


def all_equilibria(row: Array, column: Array, *, tol: float = 1e-9) -> Found:
    """Return every equilibrium of a two-player game.

    Parameters
    ----------
    row, column : ndarray, shape (m, n)
        Payoffs; both of Fractions for rational arithmetic.
    tol : float
        Slack, relative to the payoff span, within which an inequality counts as tight.
    """
    a, b = _positive(row), _positive(column)
    x, x_labels = _vertices(b.T, tol)
    y, y_labels = _vertices(a, tol)
    m, n = row.shape
    y_labels = np.concatenate([y_labels[:, n:], y_labels[:, :n]], axis=1)  # same order for both: rows, columns
    degenerate = bool((x_labels.sum(axis=1) > m).any() or (y_labels.sum(axis=1) > n).any())
    missing = (~x_labels).astype(np.int64) @ (~y_labels).astype(np.int64).T
    pairs = missing == 0
    rows = [v / v.sum() for v in x]
    columns = [v / v.sum() for v in y]
    found = []
    for xs, ys in _maximal_bicliques(pairs):
        found.append(Component(_sorted(rows[i] for i in xs), _sorted(columns[j] for j in ys)))
    found.sort(key=_order)
    return Found(tuple(found), degenerate)


def in_floats(found: Found) -> Found:
    """Return exact results as floats."""
    components = tuple(
        Component(tuple(map(as_float, c.rows)), tuple(map(as_float, c.columns))) for c in found.components
    )
    return Found(components, found.degenerate)


def _positive(table: Array) -> Array:
    """Payoffs mapped to [1, 2]."""
    low, high = table.min(), table.max()
    span = high - low if high > low else 1
    scaled: Array = (table - low) / span + 1
    return scaled


def _vertices(constraints: Array, tol: float) -> tuple[Array, Array]:
    """Nonzero vertices of {v >= 0 : C v <= 1}, C of shape (r, c), and labels (K, c + r): v_i = 0, then tight rows."""
    r, c = constraints.shape
    exact = constraints.dtype == object
    floats = as_float(constraints)
    found: list[Array] = []
    for size in range(1, min(r, c) + 1):
        supports = np.array(list(combinations(range(c), size)))
        tight = np.array(list(combinations(range(r), size)))
        for support in supports:
            square = floats[tight[:, :, None], support[None, None, :]]  # (T, size, size)
            if exact and bases((r, c)) <= _ALL_EXACT:
                near = np.ones(len(tight), dtype=bool)
                solution = np.zeros((len(tight), size))
            else:
                solution, near = _solve_all(square)
                values = solution @ floats[:, support].T
                slack = _NEAR if exact else tol
                near &= (solution >= -slack).all(axis=1) & (values <= 1 + slack).all(axis=1)
            for k in np.flatnonzero(near):
                part = _solve_exactly(constraints[np.ix_(tight[k], support)]) if exact else np.maximum(solution[k], 0.0)
                if part is None or bool((part < 0).any()):
                    continue
                if exact and any(v > 1 for v in constraints[:, support] @ part):
                    continue
                full = np.zeros(c, dtype=constraints.dtype)
                full[support] = part
                found.append(full)
    distinct = _distinct(found, exact, tol)
    if not distinct:
        return np.zeros((0, c)), np.zeros((0, c + r), dtype=bool)
    vertices = np.array(distinct)
    values = vertices @ constraints.T
    slack = 0 if exact else max(4 * tol, 1e-12)
    labels = np.concatenate([vertices <= slack, values >= 1 - slack], axis=1).astype(bool)
    return vertices, labels


def _solve_all(square: Array) -> tuple[Array, Array]:
    """Solutions of many small systems with right side one, and which of them are regular."""
    scale = np.abs(square).max(axis=(1, 2))
    regular = np.abs(np.linalg.det(square)) > 1e-13 * scale ** square.shape[1]
    solution = np.full(square.shape[:2], np.nan)
    if regular.any():
        solution[regular] = np.linalg.solve(square[regular], np.ones((int(regular.sum()), square.shape[1], 1)))[..., 0]
    with np.errstate(invalid="ignore"):
        return solution, regular & np.isfinite(solution).all(axis=1)


def _solve_exactly(square: Array) -> Array | None:
    """Solution of a small system with right side one in rationals; None if it is singular."""
    n = len(square)
    rows = [[*map(Fraction, row), Fraction(1)] for row in square]
    for i in range(n):
        pivot = next((k for k in range(i, n) if rows[k][i]), None)
        if pivot is None:
            return None
        rows[i], rows[pivot] = rows[pivot], rows[i]
        head = rows[i][i]
        rows[i] = [v / head for v in rows[i]]
        for k in range(n):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [v - factor * w for v, w in zip(rows[k], rows[i], strict=True)]
    result = np.empty(n, dtype=object)
    result[:] = [row[-1] for row in rows]
    return result


def _distinct(vectors: list[Array], exact: bool, tol: float) -> list[Array]:
    if exact:
        return list({tuple(v): v for v in vectors}.values())
    kept: list[Array] = []
    for v in vectors:
        if not kept or np.abs(np.array(kept) - v).max(axis=1).min() > max(10 * tol, 1e-10):
            kept.append(v)
    return kept


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

"""Vertices of small polytopes given by equations, inequalities and nonnegative variables, in floats or rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, islice
from math import comb

import numpy as np

from deterrence.games.quantities import Array, as_float

_MOST_BASES = 60_000
_TIGHT = 1e-9


def vertices(equal: Array, right: Array, at_least: Array, bounds: Array) -> Array | None:
    """Return the vertices of {x >= 0 : E x = e, G x >= g}, a bounded set, one a row; None if it is empty.

    Parameters
    ----------
    equal, right : ndarray, shapes (k, n), (k,)
    at_least, bounds : ndarray, shapes (l, n), (l,)
        All of Fractions for rational arithmetic.

    Raises
    ------
    OverflowError
        If the polytope has too many bases to enumerate.
    """
    exact = equal.dtype == object
    e, r, g, b = (as_float(a) for a in (equal, right, at_least, bounds))
    n = e.shape[1]
    start, directions = _solution_space(e, r, n)
    if start is None or directions is None:
        return None
    rows = np.vstack([np.eye(n), g])
    limits = np.r_[np.zeros(n), b]
    scale = np.maximum(np.abs(rows).max(axis=1), 1e-300)
    rows, limits = rows / scale[:, None], limits / scale
    d = directions.shape[1]
    chosen = np.zeros((1, 0), dtype=np.int64)
    if d == 0:
        found = start[None]
    else:
        slopes, heights = rows @ directions, limits - rows @ start
        live = np.abs(slopes).max(axis=1) > 1e-12
        if (heights[~live] > _TIGHT).any():
            return None
        index = np.flatnonzero(live)
        if comb(len(index), d) > _MOST_BASES:
            raise OverflowError(f"a polytope of dimension {d} with {len(index)} inequalities has too many bases")
        chosen = np.array(list(combinations(index, d)))
        square, high = slopes[chosen], heights[chosen]
        regular = np.abs(np.linalg.det(square)) > (0 if exact else 1e-12)
        if not regular.any():
            return None
        chosen = chosen[regular]
        points = np.linalg.solve(square[regular], high[regular][..., None])[..., 0]
        found = start + points @ directions.T
    with np.errstate(invalid="ignore"):
        good = (found @ rows.T >= limits - _TIGHT).all(axis=1) & (np.abs(found) < 1e9).all(axis=1)
    if not good.any():
        return None
    if exact:
        return _exactly(chosen[good], equal, right, at_least, bounds)
    return _distinct(np.where(np.abs(found[good]) < 1e-13, 0.0, np.maximum(found[good], 0.0)))


def _solution_space(e: Array, r: Array, n: int) -> tuple[Array | None, Array | None]:
    """Return a solution of E x = e and a basis of the directions that keep it one; None, None if there is none."""
    if not len(e):
        return np.zeros(n), np.eye(n)
    scale = np.maximum(np.abs(e).max(axis=1), np.abs(r))
    keep = scale > 1e-13
    e, r = e[keep] / scale[keep, None], r[keep] / scale[keep]
    if not len(e):
        return np.zeros(n), np.eye(n)
    u, s, vt = np.linalg.svd(e)
    rank = int((s > 1e-11 * max(1.0, s[0])).sum())
    start = vt[:rank].T @ ((u[:, :rank].T @ r) / s[:rank])
    if np.abs(e @ start - r).max(initial=0.0) > _TIGHT:
        return None, None
    return start, vt[rank:].T


def _distinct(points: Array) -> Array:
    kept: list[Array] = []
    for x in points:
        if not kept or np.abs(np.array(kept) - x).max(axis=1).min() > 1e-9:
            kept.append(x)
    return np.array(sorted(kept, key=lambda x: tuple(np.round(-x, 9).tolist())))


def _exactly(chosen: Array, equal: Array, right: Array, at_least: Array, bounds: Array) -> Array | None:
    """Return the rational vertices of some bases (rows of {x >= 0, G x >= g} that are tight), or None."""
    n = equal.shape[1]
    base = [[*map(Fraction, row), Fraction(value)] for row, value in zip(equal, right, strict=True)]
    rows = [[Fraction(int(j == k)) for j in range(n)] + [Fraction(0)] for k in range(n)]
    rows += [[*map(Fraction, row), Fraction(value)] for row, value in zip(at_least, bounds, strict=True)]
    found: dict[tuple[Fraction, ...], None] = {}
    for tight in chosen.tolist():
        x = _solve([list(row) for row in base] + [list(rows[k]) for k in tight], n)
        if x is None or tuple(x) in found:
            continue
        if all(sum(a * v for a, v in zip(row, x, strict=False) if a) >= row[-1] for row in rows):
            found[tuple(x)] = None
    if not found:
        return None
    result = np.empty((len(found), n), dtype=object)
    result[:] = sorted(found, key=lambda x: tuple(-v for v in x))
    return result


def _solve(rows: list[list[Fraction]], n: int) -> list[Fraction] | None:
    """Return the one solution of an overdetermined rational system; None if there is none or several."""
    rank = 0
    for column in range(n):
        pivot = next((k for k in range(rank, len(rows)) if rows[k][column]), None)
        if pivot is None:
            return None
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        head = rows[rank][column]
        rows[rank] = [v / head for v in rows[rank]]
        for k in range(len(rows)):
            if k != rank and rows[k][column]:
                factor = rows[k][column]
                rows[k] = [v - factor * w for v, w in zip(rows[k], rows[rank], strict=True)]
        rank += 1
    if any(row[-1] for row in islice(rows, rank, None)):
        return None
    return [row[-1] for row in rows[:n]]

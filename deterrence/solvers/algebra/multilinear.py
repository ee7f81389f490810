r"""All solutions of a system of multilinear equations in the unit box, by exclusion and bisection.

A multilinear polynomial attains its range over a box at the corners, so a box is excluded as soon as one equation
has one sign (or one inequality fails) at all corners. The rest is done by Krawczyk's operator [1]_: with m the
middle of the box X, F the system and Y an inverse of its Jacobian at m, every solution in X lies in
:math:`K(X) = m - Y F(m) + (I - Y J(X))(X - m)`, and there is at most one if :math:`\|I - Y J(X)\| < 1`. What is neither
excluded nor settled is bisected; all boxes of one size are treated together. Rounding is allowed for by margins, not by
directed rounding.

References
----------
.. [1] R. Moore, R. Kearfott and M. Cloud, "Introduction to Interval Analysis", 2009, chapter 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from deterrence.games.quantities import Array

Polynomial = Mapping[frozenset[int], float]  # coefficient by set of variables

_MOST_BOXES = 5_000
_MOST_ROUNDS = 120
_SAME = 1e-7
_SURE = 1e-10


@dataclass(frozen=True, eq=False)
class Search:
    """Solutions in the unit box (its boundary included), and whether there are surely no others."""

    roots: list[Array]
    proven: bool


class Multilinear:
    """Several multilinear polynomials in ``width`` variables, evaluated at many points at once."""

    def __init__(self, polynomials: Sequence[Polynomial], width: int) -> None:
        monomials = sorted({m for p in polynomials for m in p}, key=lambda m: (len(m), sorted(m)))
        index = {m: k for k, m in enumerate(monomials)}
        self.width = width
        self.has = np.zeros((len(monomials), width), dtype=bool)
        for m, k in index.items():
            self.has[k, list(m)] = True
        self.coefficients = np.zeros((len(polynomials), len(monomials)))
        for row, p in enumerate(polynomials):
            for m, c in p.items():
                self.coefficients[row, index[m]] += c

    def __call__(self, x: Array) -> Array:
        """Return the values at points, shapes (..., width) to (..., polynomials)."""
        result: Array = np.where(self.has, x[..., None, :], 1.0).prod(axis=-1) @ self.coefficients.T
        return result

    def jacobian(self, x: Array) -> Array:
        """Return the derivatives at points, shapes (..., width) to (..., polynomials, width)."""
        parts = np.where(self.has, x[..., None, :], 1.0)
        columns = []
        for j in range(self.width):
            rest = np.delete(parts, j, axis=-1).prod(axis=-1)
            columns.append((rest * self.has[:, j]) @ self.coefficients.T)
        return np.stack(columns, axis=-1) if columns else np.zeros((*x.shape[:-1], len(self.coefficients), 0))


def all_roots(equations: Multilinear, slack: Multilinear) -> Search:
    """Return the solutions of ``equations == 0`` in the unit box at which ``slack >= 0``."""
    width = equations.width
    signs = np.array(list(product((0.0, 1.0), repeat=width)))
    low, high = np.zeros((1, width)), np.ones((1, width))
    roots: list[Array] = []
    proven = True
    for _ in range(_MOST_ROUNDS):
        if not len(low):
            return Search(roots, proven)
        if len(low) > _MOST_BOXES:
            break
        corners = low[:, None] + signs * (high - low)[:, None]  # (boxes, corners, width)
        values, gains = equations(corners), slack(corners)
        open_ = ((values.min(axis=1) <= _SURE) & (values.max(axis=1) >= -_SURE)).all(axis=-1)
        open_ &= (gains.max(axis=1) >= -_SURE).all(axis=-1)
        low, high, corners = low[open_], high[open_], corners[open_]
        if not len(low):
            return Search(roots, proven)
        settled, low, high = _krawczyk(equations, low, high, corners, roots)
        small = (high - low).max(axis=1) < 1e-5
        for box in np.flatnonzero(small & ~settled):
            proven = False
            _note(roots, newton(equations, (low[box] + high[box]) / 2), low[box] - 1e-3, high[box] + 1e-3)
        low, high = low[~settled & ~small], high[~settled & ~small]
        axis = np.argmax(high - low, axis=1)[:, None]
        start, stop = np.take_along_axis(low, axis, 1), np.take_along_axis(high, axis, 1)
        cut = start + 0.513 * (stop - start)  # off centre: that is where symmetric solutions lie
        upper, lower = low.copy(), high.copy()
        np.put_along_axis(upper, axis, cut, 1)
        np.put_along_axis(lower, axis, cut, 1)
        low, high = np.concatenate([low, upper]), np.concatenate([lower, high])
    return Search(roots, False)


def _krawczyk(
    equations: Multilinear, low: Array, high: Array, corners: Array, roots: list[Array]
) -> tuple[Array, Array, Array]:
    """Return which boxes hold no solution or one that is found, and the boxes shrunk to where solutions can be."""
    middle, radius = (low + high) / 2, (high - low) / 2
    jacobian = equations.jacobian(middle)
    width = equations.width
    settled = np.zeros(len(low), dtype=bool)
    if not width or jacobian.shape[1] < width:
        return settled, low, high
    regular = np.linalg.svd(jacobian, compute_uv=False)[:, width - 1] > 1e-9
    if not regular.any():
        return settled, low, high
    which = np.flatnonzero(regular)
    inverse = np.linalg.pinv(jacobian[which])
    turned = inverse[:, None] @ equations.jacobian(corners[which])
    drift = np.abs(np.eye(width) - turned).max(axis=1)  # entries are multilinear, too: corners bound them
    centre = middle[which] - (inverse @ equations(middle[which])[..., None])[..., 0]
    reach = (drift @ radius[which][..., None])[..., 0] + _SURE
    empty = ((centre + reach < low[which]) | (centre - reach > high[which])).any(axis=1)
    settled[which[empty]] = True
    unique = ~empty & (drift.sum(axis=-1).max(axis=-1) < 0.99)
    for k in which[unique]:
        settled[k] = _note(roots, newton(equations, middle[k]), low[k] - _SURE, high[k] + _SURE)
    low, high = low.copy(), high.copy()
    low[which] = np.where(empty[:, None], low[which], np.maximum(low[which], centre - reach))
    high[which] = np.where(empty[:, None], high[which], np.minimum(high[which], centre + reach))
    return settled, low, high


def newton(equations: Multilinear, x: Array) -> Array | None:
    """Return the solution that Newton's method reaches from a point, or None."""
    for _ in range(40):
        residual = equations(x)
        if np.abs(residual).max(initial=0.0) <= 1e-14:
            return x
        step = np.linalg.lstsq(equations.jacobian(x), residual, rcond=1e-12)[0]
        x = x - step * min(1.0, 0.5 / max(float(np.abs(step).max(initial=0.0)), 1e-300))
        if np.abs(x).max(initial=0.0) > 1e3:
            return None
    return x if np.abs(equations(x)).max(initial=0.0) <= 1e-12 else None


def _note(roots: list[Array], root: Array | None, low: Array, high: Array) -> bool:
    """Record a root within bounds, once; return whether it lies within."""
    if root is None or (root < low).any() or (root > high).any():
        return False
    if all(np.abs(root - known).max(initial=0.0) > _SAME for known in roots):
        roots.append(root)
    return True

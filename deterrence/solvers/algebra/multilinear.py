r"""All solutions of a system of multilinear equations in the unit box, by exclusion and bisection.

A multilinear polynomial is known in a box from its values at the corners, and attains its range there: a box is
excluded as soon as one equation has one sign (or one inequality fails) at all corners. Values at the corners of a part
of a box follow from those of the box by linear interpolation, so that nothing is evaluated twice. The rest is done by
Krawczyk's operator [1]_: with m the middle of the box X, F the system and Y an inverse of its Jacobian at m, every
solution in X lies in :math:`K(X) = m - Y F(m) + (I - Y J(X))(X - m)`, and there is at most one if
:math:`\|I - Y J(X)\| < 1`; Y F is multilinear too, and excludes boxes that F does not. What is neither excluded nor
settled is bisected; all boxes of one size are treated together. Rounding is allowed for by margins, not by directed
rounding.

A solution at which the Jacobian is singular (a point of a continuum, or a multiple root) has no box in which it is
proven to be the only one. Where a few rounds are not enough Newton's method looks for such solutions from random
starts, and the search then ends.

References
----------
.. [1] R. Moore, R. Kearfott and M. Cloud, "Introduction to Interval Analysis", 2009, chapter 8.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from deterrence.games.quantities import Array

Polynomial = Mapping[frozenset[int], float]  # coefficient by set of variables

_MOST_BOXES = 300  # of one size; a continuum needs ever more
_MOST_NUMBERS = 500_000  # values at corners held at a time
_MOST_ROUNDS = 120
_UNIT = 20_000  # values at corners that a round may hold for one unit of work
_EASY = 4  # rounds after which Newton's method looks whether there is anything to prove
_SMALL = 1e-5  # boxes of this size hold roots that cannot be told apart, or none that can be proven
_STARTS = 12  # of Newton's method
_SAME = 1e-7
_SURE = 1e-10
_SINGULAR = 1e-8


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


def all_roots(
    equations: Multilinear, slack: Multilinear, rng: np.random.Generator, spend: Callable[[int], bool] = lambda _: True
) -> Search:
    """Return the solutions of ``equations == 0`` in the unit box at which ``slack >= 0``.

    Parameters
    ----------
    equations, slack : Multilinear
    rng : numpy.random.Generator
        For the starts of Newton's method.
    spend : callable
        Asked for units of work before each round; False ends the search, unproven.
    """
    width = equations.width
    if not width:
        point = np.zeros(0)
        good = np.abs(equations(point)).max(initial=0.0) <= _SURE and slack(point).min(initial=0.0) >= -_SURE
        return Search([point] if good else [], True)
    boxes = _Boxes(equations, slack)
    boxes.exclude()
    if not boxes.count:
        return Search([], True)
    roots: list[Array] = []
    inside: list[Array] = []
    proven = True
    dependent = _is_singular(equations, rng.uniform(0.1, 0.9, width))  # then whatever solves them is a continuum
    for turn in range(_MOST_ROUNDS):
        if turn == _EASY:
            points = sampled_roots(equations, rng, _STARTS)
            inside = [x for x in points if (x >= 0).all() and (x <= 1).all() and slack(x).min(initial=0.0) >= -_SURE]
            if dependent or any(_is_singular(equations, x) for x in inside):
                return Search(_united(roots, inside), False)
        if boxes.count > _MOST_BOXES or boxes.values.size > _MOST_NUMBERS or not spend(1 + boxes.values.size // _UNIT):
            return Search(_united(roots, inside or sampled_roots(equations, rng, _STARTS)), False)
        boxes.contract(equations, roots)
        small = (boxes.high - boxes.low).max(axis=1, initial=0.0) < _SMALL
        if small.any():
            proven = False
            for low, high in zip(boxes.low[small], boxes.high[small], strict=True):
                _note(roots, newton(equations, (low + high) / 2), low - 1e-3, high + 1e-3)
            boxes.keep(~small)
            if any(_is_singular(equations, x) for x in roots):  # nothing that follows would be a proof
                return Search(_united(roots, inside), False)
        boxes.exclude()
        if not boxes.count:
            return Search(roots if proven else _united(roots, inside), proven)
        boxes.bisect()
        boxes.exclude()
        if not boxes.count:
            return Search(roots if proven else _united(roots, inside), proven)
    return Search(_united(roots, inside), False)


def sampled_roots(equations: Multilinear, rng: np.random.Generator, starts: int) -> list[Array]:
    """Return solutions that Newton's method finds from random starts in the unit box, without proof."""
    x = rng.uniform(0.05, 0.95, (starts, equations.width))
    for _ in range(30):
        residual = equations(x)
        if not (np.abs(residual).max(axis=1, initial=0.0) > 1e-14).any():
            break
        step = (np.linalg.pinv(equations.jacobian(x), rcond=1e-12) @ residual[..., None])[..., 0]
        x = x - step * np.minimum(1.0, 0.5 / np.maximum(np.abs(step).max(axis=1, initial=0.0), 1e-300))[:, None]
        x = np.clip(x, -1e3, 1e3)
    good = x[np.abs(equations(x)).max(axis=1, initial=0.0) <= 1e-12]
    return _united([], list(good))


class _Boxes:
    """Parts of the unit box with the values of equations and slack at their corners."""

    def __init__(self, equations: Multilinear, slack: Multilinear) -> None:
        self.width, self.equations = equations.width, len(equations.coefficients)
        corners = np.array(list(product((0.0, 1.0), repeat=self.width)))
        values = np.concatenate([equations(corners), slack(corners)], axis=1).T
        self.low, self.high = np.zeros((1, self.width)), np.ones((1, self.width))
        self.values = values.reshape(1, len(values), *[2] * self.width)  # (boxes, polynomials, 2, 2, ...)

    @property
    def count(self) -> int:
        return len(self.low)

    def keep(self, which: Array) -> None:
        self.low, self.high, self.values = self.low[which], self.high[which], self.values[which]

    def exclude(self) -> None:
        """Drop boxes in which an equation has no zero or an inequality fails everywhere."""
        if not self.count:
            return
        flat = self.values.reshape(self.count, self.values.shape[1], -1)
        least, most = flat.min(axis=-1), flat.max(axis=-1)
        open_ = (most >= -_SURE).all(axis=1) & (least[:, : self.equations] <= _SURE).all(axis=1)
        if not open_.all():
            self.keep(open_)

    def contract(self, equations: Multilinear, roots: list[Array]) -> None:
        """Settle boxes by Krawczyk's operator, and shrink the others to where solutions can be."""
        width, m = self.width, self.equations
        if m < width or not self.count:
            return
        size = np.maximum(self.high - self.low, 1e-300)
        slopes = np.stack(  # (boxes, equations, width, corners of the other variables)
            [
                (np.take(self.values[:, :m], 1, axis=2 + k) - np.take(self.values[:, :m], 0, axis=2 + k)).reshape(
                    self.count, m, -1
                )
                / size[:, k, None, None]
                for k in range(width)
            ],
            axis=2,
        )
        jacobian = slopes.mean(axis=-1)  # at the middle: multilinear
        regular = np.linalg.svd(jacobian, compute_uv=False)[:, width - 1] > 1e-9
        if not regular.any():
            return
        which = np.flatnonzero(regular)
        inverse = np.linalg.pinv(jacobian[which])
        corners = self.values[which, :m].reshape(len(which), m, -1)
        turned = inverse @ corners
        off = ((turned.min(axis=-1) > _SURE) | (turned.max(axis=-1) < -_SURE)).any(axis=1)
        low, high = self.low[which], self.high[which]
        radius, middle = (high - low) / 2, (high + low) / 2
        parts = inverse @ slopes[which].reshape(len(which), m, -1)
        drift = np.abs(np.eye(width)[None, :, :, None] - parts.reshape(len(which), width, width, -1)).max(axis=-1)
        centre = middle - (inverse @ corners.mean(axis=-1)[..., None])[..., 0]
        reach = (drift @ radius[..., None])[..., 0] + _SURE
        empty = off | ((centre + reach < low) | (centre - reach > high)).any(axis=1)
        unique = ~empty & (drift.sum(axis=-1).max(axis=-1) < 0.99)
        settled = np.zeros(self.count, dtype=bool)
        settled[which[empty]] = True
        for k in np.flatnonzero(unique):
            settled[which[k]] = _note(roots, newton(equations, middle[k]), low[k] - _SURE, high[k] + _SURE)
        new_low, new_high = self.low.copy(), self.high.copy()
        shrunk = ~empty
        new_low[which[shrunk]] = np.maximum(low, centre - reach)[shrunk]
        new_high[which[shrunk]] = np.minimum(high, centre + reach)[shrunk]
        self._narrow(new_low, new_high)
        if settled.any():
            self.keep(~settled)

    def bisect(self) -> None:
        """Halve the longest side of each box, off centre: that is where symmetric solutions lie."""
        axis = np.argmax(self.high - self.low, axis=1)
        rows = np.arange(self.count)
        cut = self.low[rows, axis] + 0.513 * (self.high[rows, axis] - self.low[rows, axis])
        middle, upper = self.high.copy(), self.low.copy()
        middle[rows, axis], upper[rows, axis] = cut, cut
        whole = (self.low, self.high, self.values)
        self._narrow(self.low, middle)
        first = (self.low, self.high, self.values)
        self.low, self.high, self.values = whole
        self._narrow(upper, self.high)
        self.low = np.concatenate([first[0], self.low])
        self.high = np.concatenate([first[1], self.high])
        self.values = np.concatenate([first[2], self.values])

    def _narrow(self, low: Array, high: Array) -> None:
        """Go over to boxes inside these, with the values at their corners."""
        size = np.maximum(self.high - self.low, 1e-300)
        start, stop = (low - self.low) / size, (high - self.low) / size
        values = self.values
        ones = (1,) * self.width
        for k in range(self.width):
            if not (start[:, k].any() or (stop[:, k] != 1).any()):
                continue
            a, b = np.take(values, 0, axis=2 + k), np.take(values, 1, axis=2 + k)
            shape = (self.count, *ones)
            values = np.stack(
                [a + start[:, k].reshape(shape) * (b - a), a + stop[:, k].reshape(shape) * (b - a)], axis=2 + k
            )
        self.low, self.high, self.values = low, high, values


def _is_singular(equations: Multilinear, x: Array) -> bool:
    return int(np.linalg.matrix_rank(equations.jacobian(x), tol=_SINGULAR)) < equations.width


def _united(roots: list[Array], others: list[Array]) -> list[Array]:
    kept = list(roots)
    for x in others:
        if all(np.abs(x - known).max(initial=0.0) > _SAME for known in kept):
            kept.append(x)
    return kept


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

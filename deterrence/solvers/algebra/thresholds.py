r"""Thresholds of continuous types: every root on an interval, best points, and probabilities over types.

A player with a private type :math:`t` and two actions takes the first where its gain :math:`g(t)` is positive; the
types at which it is indifferent are the roots of :math:`g`. All functions here work on arrays, look at an interval
by a dense scan first and then polish each finding, so nothing depends on a starting point.

References
----------
.. [1] T. R. Chandrupatla, "A new hybrid quadratic/bisection algorithm for finding the zero of a nonlinear
   function without using derivatives", Adv. Eng. Softw. 28 (1997), 145-149.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import elementwise

from deterrence.games.errors import SolverError

Floats: TypeAlias = NDArray[np.float64]
Function: TypeAlias = Callable[[Any], Any]
Found: TypeAlias = tuple[Floats, NDArray[np.intp]]

_find_root: Any = elementwise.find_root  # their stubs do not know functions of several arguments
_find_minimum: Any = elementwise.find_minimum

SCAN_POINTS = 1025  # grid of the first look; two roots closer than a grid step are found only if they touch the axis
SMALL = 1e-9  # how near zero counts as a root, relative to the largest finite value on the grid
EDGE = 1e-13  # probability left out at each end of an unbounded distribution


class Distribution(Protocol):
    """What is asked of a distribution of types; every frozen continuous distribution of SciPy has it."""

    def cdf(self, x: Any) -> Any:
        """Return the probability of a type of at most ``x``."""

    def ppf(self, q: Any) -> Any:
        """Return the type below which a share ``q`` lies."""

    def support(self) -> tuple[Any, Any]:
        """Return the ends of the range of types, perhaps infinite."""


def roots(function: Function, low: float, high: float, *, points: int = SCAN_POINTS, tol: float = SMALL) -> Floats:
    """Return every zero of a continuous function on an interval that a scan can tell apart.

    Parameters
    ----------
    function : callable
        From an array to an array of the same shape.
    low, high : float
        Ends of the interval, included.
    points : int
        Grid points of the scan.
    tol : float
        How near to zero a double root (one that touches without crossing) must come, relative to the scale of the
        values.

    Returns
    -------
    ndarray, shape (k,)
        Zeros in increasing order; empty if there are none. A jump across zero is no zero.

    Raises
    ------
    SolverError
        If the interval is empty or not finite, or the function has no finite value on it.

    Examples
    --------
    >>> roots(lambda x: (x - 1) * (x - 2) ** 2, 0, 3).round(9)
    array([1., 2.])
    """
    (found,) = batched_roots(lambda x, _: function(x), [low], [high], points=points, tol=tol)
    zeros: Floats = found[~np.isnan(found)]
    return zeros


def batched_roots(
    function: Callable[[Any, Any], Any], low: Any, high: Any, *, points: int = SCAN_POINTS, tol: float = SMALL
) -> Floats:
    """Return every zero of each of n functions, all polished at once (see ``roots``).

    Parameters
    ----------
    function : callable
        ``function(x, which)``: values at ``x`` of the functions numbered ``which``, from 0 on, arrays of one shape.
    low, high : array_like, shape (n,)
        Ends of each function's interval, included.
    points, tol
        As in ``roots``.

    Returns
    -------
    ndarray, shape (n, k)
        Zeros of each function in increasing order; rows with fewer than k end in NaN.

    Raises
    ------
    SolverError
        If an interval is empty or not finite, or a function has no finite value on it.

    Examples
    --------
    >>> square = np.array([1.0, 4.0, 9.0])
    >>> batched_roots(lambda x, which: x**2 - square[which], [-2.5] * 3, [2.5] * 3).round(9)
    array([[-1.,  1.],
           [-2.,  2.],
           [nan, nan]])
    """
    low, high = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (low, high)))
    for a, b in zip(low, high, strict=True):
        _check_interval(a, b)
    which = np.arange(len(low))
    grid = low + (high - low) * np.linspace(0, 1, points)[:, None]
    values = _values(partial(_nth, function, np.broadcast_to(which, grid.shape)), grid)
    size = np.where(np.isfinite(values), np.abs(values), -1.0)
    if bool((size.max(axis=0) < 0).any()):
        n = int(np.argmax(size.max(axis=0) < 0))
        raise SolverError(f"the function has no finite value on [{low[n]:g}, {high[n]:g}]")
    scale = np.maximum(size.max(axis=0), np.finfo(float).tiny)
    at = np.nonzero(np.abs(values) <= 1e-15 * scale)
    pieces = [
        (grid[at], at[1]),
        _crossing(function, grid, values, scale),
        *_touching(function, grid, values, tol * scale),
    ]
    every = np.concatenate([x for x, _ in pieces])
    owner = np.concatenate([n for _, n in pieces])
    mine = [_distinct(every[owner == n], 1e-10 * (high[n] - low[n])) for n in which]
    result = np.full((len(which), max(len(x) for x in mine)), np.nan)
    for n, x in enumerate(mine):
        result[n, : len(x)] = x
    return result


def sign_changes(function: Function, low: float, high: float, *, points: int = SCAN_POINTS) -> Floats:
    """Return the points at which a function changes sign on an interval, by a zero or by a jump, in increasing order.

    Raises
    ------
    SolverError
        If the interval is empty or not finite, or the function has no finite value on it.
    """
    grid, values, _ = _scan(function, low, high, points)
    exact = grid[1:-1][(values[1:-1] == 0) & (np.sign(values[:-2]) * np.sign(values[2:]) < 0)]
    i = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    crossed = _bracketed(lambda x, _: function(x), grid[i], grid[i + 1], i)
    return _distinct(np.concatenate([exact, crossed]), 1e-12 * (high - low))


def maximum(function: Function, low: float, high: float, *, points: int = SCAN_POINTS) -> tuple[float, float]:
    """Return the point of an interval at which a continuous function is largest, and its value there.

    Of several best points (within 1e-12 of the range of values) the lowest is returned.

    Raises
    ------
    SolverError
        If the interval is empty or not finite, or the function has no finite value on it.

    Examples
    --------
    >>> point, value = maximum(lambda x: x * (1 - x), 0, 1)
    >>> round(point, 9), round(value, 9)
    (0.5, 0.25)
    """
    grid, values, scale = _scan(function, low, high, points)
    near = (high - low) / (points - 1) * 0.5 ** np.arange(1, 41)  # a peak may hide in the first or the last cell
    ends = np.r_[low + near, high - near]
    order = np.argsort(np.r_[grid, ends], kind="stable")
    grid, values = np.r_[grid, ends][order], np.r_[values, _values(function, ends)][order]
    values = np.where(np.isfinite(values), values, -np.inf)
    padded = np.r_[-np.inf, values, -np.inf]
    peaks = np.flatnonzero((values >= padded[:-2]) & (values >= padded[2:]))
    peaks = peaks[values[peaks] >= values.max() - 1e-2 * scale]
    candidates = [(float(grid[i]), float(values[i])) for i in peaks]
    inner = peaks[(peaks > 0) & (peaks < len(grid) - 1)]
    step = (high - low) / (points - 1)
    if len(inner):
        polished = _find_minimum(
            lambda x: -_values(function, x), (grid[inner - 1], grid[inner], grid[inner + 1]), maxiter=200
        )
        for x in np.atleast_1d(polished.x):
            better = [y for y in (float(x), _stationary(function, float(x), step)) if low <= y <= high]
            candidates += zip(better, _values(function, better).tolist(), strict=True)
    best = max(value for _, value in candidates)
    # where values agree within rounding, the stationary point (appended last) places the peak best
    level = [x for x, value in candidates if value >= best - 1e-13 * scale]
    groups = _distinct(np.sort(level), step)
    first = [x for x in level if x <= groups[0] + step]
    at_an_end = [x for x in first if x in (low, high)]
    return (at_an_end or first)[-1], best


def fixed_points(function: Function, low: float, high: float, *, points: int = SCAN_POINTS) -> Floats:
    """Return every x of an interval with ``function(x) = x``, in increasing order (see ``roots``)."""
    return roots(lambda x: function(x) - x, low, high, points=points)


def probability(gain: Function, types: Distribution, *, points: int = SCAN_POINTS) -> float:
    """Return the probability of the types whose gain is positive.

    Parameters
    ----------
    gain : callable
        Gain from the first action by type, an array of the shape of its argument.
    types : distribution
        Continuous; any frozen distribution of SciPy.

    Returns
    -------
    float
        A probability; exact up to the polish of the types that are indifferent.
    """
    low, high = _range(types)
    cuts = sign_changes(gain, low, high, points=points)
    edges = np.r_[low, cuts, high]
    middle = (edges[1:] + edges[:-1]) / 2
    mass = np.diff(np.asarray(types.cdf(edges), dtype=np.float64))
    mass[0] += float(types.cdf(low))
    mass[-1] += 1 - float(types.cdf(high))
    return float(mass[np.asarray(gain(middle)) > 0].sum())


def expectation(
    function: Function, types: Distribution, *, low: float | None = None, high: float | None = None
) -> float:
    """Return the integral of a function of the type over the types in [low, high], by adaptive quadrature.

    The integral is taken over quantiles, so no density is needed. It is not divided by the probability of the range.

    Raises
    ------
    SolverError
        If the quadrature's own error estimate exceeds 1e-8 of its scale.
    """
    start = 0.0 if low is None else float(types.cdf(low))
    stop = 1.0 if high is None else float(types.cdf(high))
    if stop <= start:
        return 0.0
    value, error = quad(lambda u: float(function(types.ppf(u))), start, stop, epsabs=1e-13, epsrel=1e-12, limit=400)
    if error > 1e-8 * max(1.0, abs(value)):
        raise SolverError(
            f"the expectation over types has an error estimate of {error:.1e}; integrate a smoother function"
        )
    return float(value)


def best_response_iteration(
    respond: Callable[[Floats], Floats], start: Any, *, tol: float = 1e-13, most: int = 10_000
) -> Floats:
    """Return a fixed point of a best-response map, by repeated application from a start.

    Parameters
    ----------
    respond : callable
        From a profile, shape (k,), to the profile of best responses to it.
    start : array_like, shape (k,)
    tol : float
        Largest change of an entry that counts as none, relative to the size of the profile.
    most : int
        Steps before giving up.

    Raises
    ------
    SolverError
        If no fixed point is reached; the message says how far off the last step was.
    """
    here = np.array(start, dtype=np.float64)
    change = np.inf
    for _ in range(most):
        there = np.asarray(respond(here), dtype=np.float64)
        change = float(np.abs(there - here).max()) if here.size else 0.0
        here = there
        if change <= tol * max(1.0, float(np.abs(here).max()) if here.size else 1.0):
            return here
    raise SolverError(
        f"best responses did not settle in {most} steps: the last one moved by {change:.1e}; damp the map"
    )


def _scan(function: Function, low: float, high: float, points: int) -> tuple[Floats, Floats, float]:
    _check_interval(low, high)
    grid = np.linspace(low, high, points)
    values = _values(function, grid)
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise SolverError(f"the function has no finite value on [{low:g}, {high:g}]")
    return grid, values, float(max(np.abs(finite).max(), np.finfo(float).tiny))


def _values(function: Function, x: Any) -> Floats:
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(function(x), dtype=np.float64), x.shape)


def _bracketed(function: Callable[[Any, Any], Any], left: Floats, right: Floats, which: Any) -> Floats:
    """Return the point between each pair of ends at which the function changes sign."""
    if not len(left):
        return np.empty(0)
    result = _find_root(
        lambda x, n: _values(partial(_nth, function, n), x),
        (left, right),
        args=(which,),
        tolerances={"xatol": 0.0, "xrtol": 4e-16},
        maxiter=200,
    )
    return np.atleast_1d(np.asarray(result.x, dtype=np.float64))


def _check_interval(low: float, high: float) -> None:
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise SolverError(f"an interval needs finite ends in order, got [{low:g}, {high:g}]")


def _nth(function: Callable[[Any, Any], Any], which: Any, x: Any) -> Any:
    return function(x, which)


def _crossing(function: Callable[[Any, Any], Any], grid: Floats, values: Floats, scale: Floats) -> Found:
    """Return zeros between strict changes of sign, and whose they are; jumps are left out."""
    i, n = np.nonzero(np.sign(values[:-1]) * np.sign(values[1:]) < 0)
    x = _bracketed(function, grid[i, n], grid[i + 1, n], n)
    zero = np.abs(_values(partial(_nth, function, n), x)) <= 1e-7 * scale[n]
    return x[zero], n[zero]


def _touching(function: Callable[[Any, Any], Any], grid: Floats, values: Floats, tol: Floats) -> list[Found]:
    """Return zeros at dips of |f| that do not show as a change of sign on the grid, single or in close pairs."""
    size, sign = np.abs(values), np.sign(values)
    dip = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & np.isfinite(size[1:-1]) & (values[1:-1] != 0)
    i, n = np.nonzero(dip & (sign[1:-1] == sign[:-2]) & (sign[1:-1] == sign[2:]))
    if not len(i):
        return []
    left, middle, right, way = grid[i, n], grid[i + 1, n], grid[i + 2, n], sign[i + 1, n]
    lowest = _find_minimum(
        lambda x, m, w: w * _values(partial(_nth, function, m), x), (left, middle, right), args=(n, way), maxiter=200
    )
    x, value = np.asarray(lowest.x, dtype=np.float64), np.asarray(lowest.f_x, dtype=np.float64)
    pair = value < 0
    touch = ~pair & (value <= tol[n])
    found = [
        (_bracketed(function, left[pair], x[pair], n[pair]), n[pair]),
        (_bracketed(function, x[pair], right[pair], n[pair]), n[pair]),
    ]
    smooth = [
        _stationary(partial(_nth, function, m), point, step)
        for point, m, step in zip(x[touch], n[touch], (middle - left)[touch], strict=True)
    ]
    return [*found, (np.array(smooth), n[touch])]


def _stationary(function: Function, x: float, step: float) -> float:
    """Return the zero of a five-point derivative next to a smooth extremum; ``x`` itself if there is none."""
    h = step / 8

    def slope(y: Any) -> Any:
        f = [_values(function, y + k * h) for k in (-2, -1, 1, 2)]
        return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)

    left, right = x - step / 4, x + step / 4
    ends = _values(slope, np.array([left, right]))
    if not (np.isfinite(ends).all() and ends[0] * ends[1] < 0):
        return x
    return float(_bracketed(lambda y, _: slope(y), np.array([left]), np.array([right]), np.array([0]))[0])


def _distinct(points: Floats, gap: float) -> Floats:
    points = np.sort(points)
    return points[np.r_[True, np.diff(points) > gap]] if points.size else points


def _range(types: Distribution) -> tuple[float, float]:
    low, high = (float(x) for x in types.support())
    return (low if np.isfinite(low) else float(types.ppf(EDGE))), (
        high if np.isfinite(high) else float(types.ppf(1 - EDGE))
    )

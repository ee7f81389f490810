r"""Quick steps along a branch of logit equilibria where the precision grows: the extrapolation, and when to trust it.

For large precisions the log-odds of an action that is not played grow in proportion to the precision, and those of
actions that are mixed tend to constants, both up to terms in its inverse. So :math:`y u` with
:math:`u = 1 / (\lambda + c)` is close to a polynomial in u, for small precisions as for large ones, and is
extrapolated by Hermite's interpolation from the last two points and the slopes there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp, isfinite, log, sqrt

import numpy as np
from scipy.linalg.blas import idamax

from deterrence.games.quantities import Array
from deterrence.solvers.budget import Budget
from deterrence.solvers.logit.equations import Equations

_SHIFT = 4.0  # c above, in one over the payoff span
_FIRST = 3.0  # first precision
_AIM = 0.2  # first step of Newton's method, in log-odds, that steps in precision aim at
_FAR = 0.6  # ... beyond which a point is too far off
_NEAR, _NEARER = 0.1, 0.05  # ... and below which the first, or a later one, is enough to go on
_LEAST = 0.03  # step in the log of precision + c below which the branch may be turning
_SLACK = 0.03  # these are in log-odds near zero, and in this share of them where they are large
_ROUNDING = 1e-14  # residual over 1 + precision below which Newton's method may not come
_STEEP = 3000.0  # precision from which Newton's basin is narrow, so that points are solved at once
_NEARLY = 0.01  # ... to this residual
_GENTLE = 50.0  # precision up to which these hold
_GROWTH = 3.0
_LONGEST = log(30.0)
_NOISE = 1e-5  # change of precision over one more than it that is no turn
_ROOM = 1.1  # how far beyond the precision to go where the regret should be small enough


@dataclass(eq=False)
class Path:
    """Points met on a branch.

    Attributes
    ----------
    precision : list of float
    odds : list of ndarray, shape (U,)
        Log-odds.
    rough : list of bool
        Whether the point is still to be improved by Newton's method.
    turning : list of int
        Points after which the precision turns back.
    side : float
        Sign of the Jacobian's determinant where the precision grows; it changes where branches cross.
    budget : Budget, optional
    """

    precision: list[float] = field(default_factory=list)
    odds: list[Array] = field(default_factory=list)
    rough: list[bool] = field(default_factory=list)
    turning: list[int] = field(default_factory=list)
    side: float = 1.0
    budget: Budget | None = None

    def add(self, precision: float, odds: Array, *, rough: bool) -> None:
        """Append a point, for a unit of work; OutOfWork if none is left."""
        if self.budget is not None:
            self.budget.require()
        self.precision.append(precision)
        self.odds.append(odds)
        self.rough.append(rough)

    def turn(self) -> None:
        """Note that the precision turns back after the last point.

        Where it has just turned at the point before, next to the same precision, neither counts: this happens in
        rounding, where branches cross.
        """
        last = len(self.precision) - 1
        if self.turning and self.turning[-1] == last - 1:
            if abs(self.precision[-1] - self.precision[-2]) <= _NOISE * (1 + self.precision[-1]):
                self.turning.pop()
                return
        self.turning.append(last)

    def drop(self) -> None:
        """Forget the last point."""
        self.precision.pop()
        self.odds.pop()
        self.rough.pop()


def rise(equations: Equations, path: Path, slope: Array, until: float, regret: float, solved: float) -> bool:
    """Follow a branch from a path's last point as long as it is easy.

    Parameters
    ----------
    equations : Equations
    path : Path
        Extended by the points that were met.
    slope : ndarray, shape (U,)
        dy/dprecision at its last point.
    until, regret : float
        Stop at this precision, or where the regret is at most this.
    solved : float
        Residual to which the last point is solved, relative to one plus the precision.

    Returns
    -------
    bool
        Whether the end was reached; else it is time to look closer.
    """
    here = path.precision[-1]
    known = _Extrapolation(here, path.odds[-1], slope)
    stride = log(1 + _FIRST / (here + _SHIFT)) if here == 0 else 0.1
    early = log(1 / regret) if regret else until  # less precision leaves more regret, unless payoffs all but tie
    most = until
    while True:
        precision = min((here + _SHIFT) * exp(stride) - _SHIFT, until, most)
        landed, slope, first = _landing(equations, known, precision, path.side)
        if landed is not None and precision > _STEEP:
            landed = _solved(equations, landed, precision, _NEARLY / precision)
        if landed is None:
            stride = log((precision + _SHIFT) / (here + _SHIFT)) * max(0.25, min(0.6, _AIM / max(first, 1e-9)))
            if stride < _LEAST:
                return False
            continue
        gain = equations.solved_regret(landed, precision) if precision > early else 1.0
        if precision == until or gain <= 1.02 * regret:
            landed = _solved(equations, landed, precision, solved)
            if landed is None:
                return False
            gain = equations.regret()
            if precision == until or gain <= regret:
                path.add(precision, landed, rough=False)
                return True
        path.add(precision, landed, rough=True)
        here = precision
        known.add(here, landed, slope)
        stride *= min(_GROWTH, max(0.5, (_AIM / max(first, 1e-9)) ** (1 / 3)))
        stride = min(stride, _LONGEST)
        most = _ROOM * here * gain / regret if precision > early else until


def _landing(
    equations: Equations, known: _Extrapolation, precision: float, side: float
) -> tuple[Array | None, Array, float]:
    """Return where Newton's method leads from the extrapolation, the slope there, and how long its first step is.

    None where the first step is long, later ones do not shrink, or the determinant's sign is another.
    """
    y = known(precision)
    weight = np.abs(y)
    weight *= _SLACK
    weight += 1.0
    near = min(1.0, sqrt(_GENTLE / max(precision, 1.0)))  # what a step leaves grows with precision times its square
    first = before = np.inf
    slope = y
    for attempt in range(5):
        step, slope = equations.upward(y, precision)
        y = y - step
        step /= weight
        length = abs(float(step[idamax(step)]))
        if attempt == 0:
            first = length
            if not length <= _FAR:
                break
        elif not length <= 0.5 * before:
            break
        before = length
        if length <= (_NEARER if attempt else _NEAR) * near:
            return (y if equations.side() == side and isfinite(y.dot(y)) else None), slope, first
    return None, slope, first


def _solved(equations: Equations, y: Array, precision: float, within: float) -> Array | None:
    """Return log-odds solved to a residual over 1 + precision; None where they cannot be, or move far."""
    better, error = equations.polish(y, precision, within)
    moved = np.abs(better - y)
    moved /= 1 + _SLACK * np.abs(y)
    return better if error <= max(within, 1e3 * _ROUNDING) and np.maximum.reduce(moved) <= _FAR else None


class _Extrapolation:
    """Hermite's interpolation of y u over u at the last two points; dy/dprecision = -u^2 dy/du."""

    def __init__(self, precision: float, y: Array, slope: Array) -> None:
        self.older, self.last = 0.0, 1 / (precision + _SHIFT)
        self.rows = np.stack([y, slope, y, slope])  # older point first

    def add(self, precision: float, y: Array, slope: Array) -> None:
        """Append a point; the oldest is dropped."""
        self.older, self.last = self.last, 1 / (precision + _SHIFT)
        self.rows[:2] = self.rows[2:]
        self.rows[2], self.rows[3] = y, slope

    def __call__(self, precision: float) -> Array:
        """Return the extrapolated log-odds; in a straight line where one point is known, or two that coincide."""
        u, v, w = 1 / (precision + _SHIFT), self.last, self.older
        if w in (0, v):
            line: Array = self.rows[2] + (1 / u - 1 / v) * self.rows[3]
            return line
        d = v - w
        a, b = (u - w) / d, (u - v) / d  # 1 and 0 at the last point, 0 and -1 at the one before
        last, tilt = a * a * (1 - 2 * b), a * a * b * d
        past, before = b * b * (1 + 2 * a), b * b * a * d
        weights = (past * w + before) / u, -before / (w * u), (last * v + tilt) / u, -tilt / (v * u)
        result: Array = np.array(weights).dot(self.rows)
        return result

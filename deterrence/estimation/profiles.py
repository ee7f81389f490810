"""Profile likelihood: how the maximum falls when one parameter is held away from its estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.optimise import Objective, Optimum, maximise

_DOUBLINGS = 12  # of the distance from the estimate, in search of the end of an interval
_TOLERANCE = 1e-6  # of an end, in log-likelihood


@dataclass(frozen=True, eq=False)
class _Restricted:
    """An objective with one parameter held fixed, in the others."""

    objective: Objective
    k: int
    held: float

    @property
    def units(self) -> Floats:
        return np.delete(self.objective.units, self.k)

    def full(self, theta: Floats) -> Floats:
        return np.insert(theta, self.k, self.held)

    def value(self, theta: Floats) -> float:
        return self.objective.value(self.full(theta))

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        value, gradient, hessian = self.objective.evaluate(self.full(theta))
        return value, np.delete(gradient, self.k), np.delete(np.delete(hessian, self.k, 0), self.k, 1)


def profile(objective: Objective, optimum: Optimum, k: int, values: Floats) -> Floats:
    """Return the maximum over the other parameters with parameter k held at each value, shape of ``values``."""
    result = np.empty(len(values))
    theta = np.delete(optimum.theta, k)
    for i in np.argsort(np.abs(values - optimum.theta[k])):  # from the estimate outwards
        result[i], _ = _held(objective, k, float(values[i]), theta)
    return result


def profile_intervals(objective: Objective, optimum: Optimum, alpha: float) -> Floats:
    """Return the ends of the profile likelihood intervals of all parameters, shape (K, 2).

    An end is where twice the fall of the profile is the ``1 - alpha`` quantile of chi-squared with one degree of
    freedom; infinite where it never falls that far; NaN where the fit has no interior maximum.

    Parameters
    ----------
    objective : Objective
    optimum : Optimum
    alpha : float
    """
    from scipy.special import chdtri

    size = len(optimum.theta)
    if not optimum.converged:
        return np.full((size, 2), np.nan)
    fall = 0.5 * float(chdtri(1, alpha))
    errors = np.sqrt(np.diag(np.linalg.inv(-optimum.hessian)))
    reach = np.sqrt(2 * fall) * errors
    return np.array([[_end(objective, optimum, k, sense * reach[k], fall) for sense in (-1, 1)] for k in range(size)])


def _held(objective: Objective, k: int, value: float, theta: Floats) -> tuple[float, Floats]:
    if not len(theta):
        return objective.value(np.array([value])), theta
    run = maximise(_Restricted(objective, k, value), Start("profile", theta))
    return run.value, run.theta


def _end(objective: Objective, optimum: Optimum, k: int, step: float, fall: float) -> float:
    """Return the end of an interval in the direction of ``step``: first bracketed, then by the secant of the root."""
    centre = float(optimum.theta[k])
    target = optimum.value - fall
    others = np.delete(optimum.theta, k)
    inner, inner_value, outer = 0.0, optimum.value, step
    for _ in range(_DOUBLINGS):
        value, others_there = _held(objective, k, centre + outer, others)
        if value < target:
            break
        inner, inner_value, others = outer, value, others_there
        outer *= 2
    else:
        return float(np.inf * np.sign(step))
    outer_value, middle = value, outer
    for _ in range(60):
        # along the profile the root of the fall is nearly linear in the distance
        a, b = np.sqrt(max(optimum.value - inner_value, 0.0)), np.sqrt(optimum.value - outer_value)
        share = (np.sqrt(fall) - a) / (b - a)
        middle = inner + float(np.clip(share, 0.02, 0.98)) * (outer - inner)
        value, others_there = _held(objective, k, centre + middle, others)
        if abs(value - target) < _TOLERANCE or abs(outer - inner) < 1e-12 * abs(step):
            break
        if value > target:
            inner, inner_value, others = middle, value, others_there
        else:
            outer, outer_value = middle, value
    return centre + middle

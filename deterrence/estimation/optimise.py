"""Maximising a likelihood, from several starts, with a status that says what was reached and no more.

Newton's method in a trust region, with exact second derivatives: at each point the Hessian is decomposed, so that
directions of positive curvature are followed rather than mistaken for a maximum (Nocedal and Wright 2006, chapter 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np

from deterrence.estimation.likelihood import Floats, Start
from deterrence.games.values import Value

Status: TypeAlias = Literal["converged", "separated", "at infinity", "ridge", "not converged"]

ITERATIONS = 200
EXPLORING = 30
DECREMENT = 1e-9  # half the squared Newton decrement, beyond which a gradient is not small: what llf could still gain
FLAT = 1e-5  # curvature per unit of utility below which a direction counts as flat: a standard error above 300
SAME = 1e-4  # distance in standard errors within which two optima are one
_FAR = 1e3  # how far along a flat direction one looks for a further rise, in units of utility
_ROUNDING = 1e-12  # relative rounding error of a log-likelihood


class Objective(Protocol):
    """What is maximised: a log-likelihood, possibly penalised."""

    @property
    def units(self) -> Floats:
        """Size of the regressor that belongs to each parameter, shape (K,)."""

    def value(self, theta: Floats) -> float:
        """Return the objective."""

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the objective, its gradient and its Hessian."""


@dataclass(frozen=True, eq=False)
class Optimum(Value):
    """Where one search ended.

    Attributes
    ----------
    theta : ndarray, shape (K,)
    value : float
        The objective there.
    gradient : ndarray, shape (K,)
    hessian : ndarray, shape (K, K)
    status : str
        ``"converged"``: the gradient is small, the Hessian negative definite, and no direction is flat.
        ``"ridge"``: in some direction the objective is flat or curved upwards where the search ended.
        ``"at infinity"``: it still rises, or stays as it is, however far one goes in some direction.
        ``"separated"``: the same, and the data are separated.
        ``"not converged"``: the search ended before.
    message : str
        The status in a sentence.
    iterations : int
    start : str
    flat : ndarray, shape (K,)
        The flattest direction, in units of utility; its largest entries name the parameters that are ill determined.
    """

    theta: Floats
    value: float
    gradient: Floats
    hessian: Floats
    status: Status
    message: str
    iterations: int
    start: str
    flat: Floats = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether it is an interior maximum."""
        return self.status == "converged"


@dataclass(frozen=True, eq=False)
class Search:
    """The outcome of all searches.

    Attributes
    ----------
    best : Optimum
        The interior maximum with the highest value; where no search reached one, the best that there is. If another
        search went higher without an interior maximum, ``higher`` is that.
    higher : Optimum or None
    optima : tuple of Optimum
        The distinct interior maxima, best first.
    runs : tuple of Optimum
        Every search.
    """

    best: Optimum
    higher: Optimum | None
    optima: tuple[Optimum, ...]
    runs: tuple[Optimum, ...]


def search(objective: Objective, starts: Sequence[Start], *, iterations: int = ITERATIONS) -> Search:
    """Maximise from every start.

    Once a maximum is known, a search that has not come above it within ``EXPLORING`` steps is ended there.

    Parameters
    ----------
    objective : Objective
    starts : sequence of Start
        At least one.
    iterations : int
        Most steps of one search.
    """
    runs: list[Optimum] = []
    for start in starts:
        known = [run for run in runs if run.converged]
        run = maximise(objective, start, iterations=min(iterations, EXPLORING) if known else iterations, known=known)
        if known and not run.converged and run.value > max(k.value for k in known) and run.iterations >= EXPLORING:
            run = maximise(objective, Start(start.name, run.theta), iterations=iterations, known=known)
        runs.append(run)
    optima: list[Optimum] = []
    for run in sorted((run for run in runs if run.converged), key=lambda run: -run.value):
        if not any(same(run, other) for other in optima):
            optima.append(run)
    top = max(runs, key=lambda run: run.value)
    best = optima[0] if optima else top
    higher = top if top.value > best.value + 1e-6 * max(1.0, abs(best.value)) else None
    return Search(best=best, higher=higher, optima=tuple(optima), runs=tuple(runs))


def same(one: Optimum, other: Optimum) -> bool:
    """Return whether two optima are the same point, by their distance in standard errors."""
    return _distance(one.theta, other) < SAME


def _distance(theta: Floats, optimum: Optimum) -> float:
    gap = theta - optimum.theta
    return float(max(float(gap @ -optimum.hessian @ gap), 0.0) ** 0.5)


def maximise(
    objective: Objective,
    start: Start,
    *,
    iterations: int = ITERATIONS,
    known: Sequence[Optimum] = (),
) -> Optimum:
    """Maximise from one start by Newton's method in a trust region.

    Parameters
    ----------
    objective : Objective
    start : Start
    iterations : int
    known : sequence of Optimum
        Maxima found before: a search that has come so close to one of them that Newton's method leads there is ended.
    """
    units = objective.units
    x = start.theta * units
    value, gradient, hessian = _scaled(objective, x)
    radius, count, stalled = 2.0, 0, 0
    for count in range(1, iterations + 1):
        if not np.isfinite(value):
            break
        near = _arrived(x / units, value, known)
        if near is not None:
            return Optimum(
                near.theta, near.value, near.gradient, near.hessian, near.status, near.message, count, start.name,
                near.flat,
            )  # fmt: skip
        curvatures, directions = np.linalg.eigh(-hessian)
        step = _trust_step(curvatures, directions, gradient, radius)
        promised = float(gradient @ step + 0.5 * step @ hessian @ step)
        noise = _ROUNDING * max(1.0, abs(value))
        if promised <= 1e-20 or (promised < noise and stalled >= 2):
            break
        trial = _scaled(objective, x + step)
        gained = trial[0] - value
        small = promised < 100 * noise
        if small:  # differences of values are rounding here: the gradient decides
            better = bool(np.linalg.norm(trial[1]) < np.linalg.norm(gradient))
            if not better:
                stalled += 1
                radius = 0.25 * float(np.linalg.norm(step))
                continue
        elif not gained > 1e-4 * promised:
            radius = 0.25 * float(np.linalg.norm(step))
            if radius < 1e-14 * (1 + float(np.linalg.norm(x))):
                break
            continue
        if not small:
            ratio = gained / promised
            length = float(np.linalg.norm(step))
            if ratio < 0.25:
                radius = 0.5 * length
            elif ratio > 0.5 and length > 0.8 * radius:
                radius = min(3 * radius, 1e4)
        x = x + step
        value, gradient, hessian = trial
    return _judged(objective, x, value, gradient, hessian, count, start.name)


def _scaled(objective: Objective, x: Floats) -> tuple[float, Floats, Floats]:
    """Return value, gradient and Hessian in units of utility; a value of -inf where the objective is not finite."""
    units = objective.units
    with np.errstate(all="ignore"):
        value, gradient, hessian = objective.evaluate(x / units)
    gradient, hessian = gradient / units, hessian / np.outer(units, units)
    if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return -np.inf, np.zeros_like(x), np.zeros((len(x), len(x)))
    return float(value), gradient, hessian


def _arrived(theta: Floats, value: float, known: Sequence[Optimum]) -> Optimum | None:
    """Return the known maximum in whose immediate neighbourhood, a quarter of a standard error, a point lies."""
    for optimum in known:
        gap = 0.5 * _distance(theta, optimum) ** 2
        if gap < 0.03 and abs((optimum.value - value) - gap) < 0.1 * gap + 1e-9:  # the parabola fits, too
            return optimum
    return None


def _trust_step(curvatures: Floats, directions: Floats, gradient: Floats, radius: float) -> Floats:
    """Return the step that maximises the quadratic model within a ball."""
    along = directions.T @ gradient
    least = float(curvatures[0])
    floor = 1e-14 * max(1.0, float(np.abs(curvatures).max()))
    if least > floor:
        newton = along / curvatures
        if float(np.linalg.norm(newton)) <= radius:
            return np.asarray(directions @ newton)

    def length(shift: float) -> float:
        return float(np.linalg.norm(along / (curvatures + shift)))

    low = max(0.0, -least) + floor
    if length(low) <= radius:  # the hard case: no slope in the direction of upward curvature
        step = along / (curvatures + low)
        room = np.sqrt(max(radius**2 - float(step @ step), 0.0))
        step[0] += room if along[0] >= 0 else -room
        return np.asarray(directions @ step)
    high = low + float(np.linalg.norm(along)) / radius
    for _ in range(60):
        middle = 0.5 * (low + high)
        if length(middle) > radius:
            low = middle
        else:
            high = middle
        if high - low <= 1e-3 * high:
            break
    return np.asarray(directions @ (along / (curvatures + high)))


def _judged(
    objective: Objective, x: Floats, value: float, gradient: Floats, hessian: Floats, count: int, start: str
) -> Optimum:
    units = objective.units
    curvatures, directions = np.linalg.eigh(-hessian)
    status, message = _status(objective, x, value, gradient, curvatures, directions)
    return Optimum(
        theta=x / units,
        value=value,
        gradient=gradient * units,
        hessian=hessian * np.outer(units, units),
        status=status,
        message=message,
        iterations=count,
        start=start,
        flat=directions[:, 0],
    )


def _status(
    objective: Objective, x: Floats, value: float, gradient: Floats, curvatures: Floats, directions: Floats
) -> tuple[Status, str]:
    if not np.isfinite(value):
        return "not converged", "the likelihood is zero or not finite at the start"
    along = directions.T @ gradient
    flat = curvatures < FLAT
    gain = 0.5 * float((along[~flat] ** 2 / curvatures[~flat]).sum()) if (~flat).any() else 0.0
    if flat.any():
        if _rises_forever(objective, x, value, directions[:, flat]):
            return "at infinity", "the likelihood does not fall however far some parameters go: it has no maximum there"
        if gain <= DECREMENT * max(1.0, abs(value)):
            return "ridge", "the gradient is small, but the likelihood is flat or curved upwards in some direction"
        return "ridge", (
            "the search ended on a ridge: the gradient is not small, and somewhere the likelihood hardly changes"
        )
    if gain <= DECREMENT:
        return "converged", "the gradient is small and the Hessian negative definite"
    return "not converged", f"the gradient is not small: the log-likelihood could still gain about {gain:.2g}"


def _rises_forever(objective: Objective, x: Floats, value: float, flat: Floats) -> bool:
    """Return whether the objective falls nowhere on the way out along one of the flat directions, either sense."""
    outward = flat @ (flat.T @ x)
    candidates = [*flat.T, outward / (np.linalg.norm(outward) or 1.0)]
    for direction in candidates:
        for sense in (1.0, -1.0):
            path = [objective.value((x + sense * t * direction) / objective.units) for t in (1.0, 30.0, _FAR)]
            if all(np.isfinite(v) and v >= value - 1e-4 for v in path):
                return True
    return False

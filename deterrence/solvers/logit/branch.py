"""Following solutions of the logit equations as the precision grows: one game with turning points, or many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.quantities import Array
from deterrence.solvers.logit.equations import Equations
from deterrence.solvers.logit.system import LogitSystem

_SOLVED = 1e-11  # residual in log-odds, relative to 1 + precision * span
_FIRST_STEP = 0.3
_MOST_STEPS = 20_000
_BIFURCATION = 1e-4  # a change of orientation within such a step is a crossing of branches, not a jump to another
_CLOSE = 1e-5  # a Newton step of this length leaves an error of about its square
_NOWHERE: tuple[None, float, Array, float, float] = (None, np.inf, np.zeros(0), np.inf, 0.0)


@dataclass(frozen=True, eq=False)
class Trace:
    """Points on one branch.

    Attributes
    ----------
    precision : ndarray, shape (K,)
        The common factor of precision (payoffs divided by their spans).
    logs : ndarray, shape (K, A)
        Log probabilities.
    regret : ndarray, shape (K,)
        Largest regret, as a share of the payoff span.
    turning : tuple of int
        Points after which the precision falls (or rises again).
    """

    precision: Array
    logs: Array
    regret: Array
    turning: tuple[int, ...]


def polish(system: LogitSystem, y: Array, precision: Array, steps: int = 30) -> tuple[Array, float]:
    """Return log-odds improved by Newton's method at a fixed precision (by set), and the relative residual."""
    size = 1 + float(np.abs(precision).max(initial=0.0))
    best, least = y, np.inf
    for _ in range(steps):
        residual, q, weights, beliefs, logs = system.residual(y, precision)
        error = float(np.abs(residual).max(initial=0.0)) / size
        if error < least:
            best, least = y, error
        if error <= _SOLVED * 1e-3 or not np.isfinite(error):
            break
        step = _solve(system.jacobian(precision, q, weights, beliefs, logs), residual)
        y = y - step * min(1.0, 20.0 / max(float(np.abs(step).max()), 1e-300))
    return best, least


def follow(
    system: LogitSystem, ratio: Array, *, until: float = np.inf, regret: float = 0.0, most: int = _MOST_STEPS
) -> Trace:
    r"""Trace the principal branch from uniform play by predictor and corrector in pseudo-arclength.

    Parameters
    ----------
    system : LogitSystem
        A single game.
    ratio : ndarray, shape (I,)
        Precision of each information set is ``ratio`` times the common factor that is followed.
    until : float
        Stop where the common factor first reaches this.
    regret : float
        Stop where the regret is at most this share of the payoff span.
    most : int
        Most steps.

    Raises
    ------
    SolverError
        If the branch cannot be followed, with what was reached.
    """
    point = np.zeros(system.unknowns + 1)  # log-odds, then the precision
    tangent = np.zeros(len(point))
    tangent[-1] = 1.0
    upward, side = tangent, 1.0
    step = _FIRST_STEP
    points, turning = [point], []
    equations = Equations(system, ratio)
    now = 0.0
    if system.unknowns:
        _, _, tangent, now, _ = _correct(equations, point, tangent)
    bend = np.zeros(len(point))  # change of the tangent by length
    while point[-1] < until and now > 0.999 * regret:
        if len(points) > most or step < 1e-12:
            raise SolverError(
                f"the logit branch was followed over {len(points)} points to precision {point[-1]:g} and a regret of "
                f"{now:g} (both relative to the payoff span), and no further; ask for a larger regret, less precision",
                residual=now,
            )
        guess = point + step * tangent + step * step / 2 * bend
        landed, grade, fresh, gain, sign = _correct(equations, guess, tangent) if guess[-1] >= 0 else _NOWHERE
        if landed is None or landed[-1] < 0:
            step /= 2
            continue
        if sign != side:
            if step > _BIFURCATION:  # another branch, on which the precision runs the other way
                step /= 2
                continue
            side = -side  # a branch crosses this one here
        if landed[-1] >= until:
            share = (until - point[-1]) / (landed[-1] - point[-1])
            y, error = polish(system, (point + share * (landed - point))[:-1], ratio * until)
            _require(error, until)
            last = np.r_[y, until]
            if equations.step(last, upward)[2] != side and step > _BIFURCATION:
                step /= 2
                continue
            points.append(last)
            break
        middle = 1.5 * (landed[-1] - point[-1]) / step - 0.25 * (fresh[-1] + tangent[-1])  # slope of Hermite's cubic
        folds = middle * fresh[-1] < 0.1 * fresh[-1] ** 2 and fresh[-1] * tangent[-1] > 0
        if step > 1e-6 and (folds or (fresh @ tangent < 0.9)):  # the branch bends: look closer
            step /= 2
            continue
        if fresh[-1] * tangent[-1] < 0:
            turning.append(len(points) - 1)
        bend = (fresh - tangent) / step
        point, tangent, now = landed, fresh, gain
        points.append(point)
        step *= 3.0 if grade < 0.02 else 2.0 if grade < 0.1 else 1.3 if grade < 0.3 else 0.8
    stacked = np.array(points)
    logs = system.logs(stacked[:, :-1])
    return Trace(stacked[:, -1], logs, system.regret(system.values(logs)[0], logs), tuple(turning))


def follow_batch(system: LogitSystem, precision: Array) -> tuple[Array, Array]:
    """Return log-odds, shape (N, A - I), at given precisions, shape (N, I), and which games were lost on the way.

    Every game walks from precision 0 to its own target in steps of its own; all steps are taken together as arrays. A
    game whose branch turns back, so that the precision cannot grow further, is marked as lost.
    """
    count = len(precision)
    free_sets = system.layout.free_set
    y = np.zeros((count, system.unknowns))
    reached = np.zeros(count)  # share of the target
    span = np.maximum(np.abs(precision).max(axis=-1), 1e-300)
    step = np.minimum(1.0, 2.0 / span)
    active = np.arange(count)
    slope = system.gaps(system.values(system.logs(y))[0]) * precision[:, free_sets]
    lost = np.zeros(count, dtype=bool)
    for _ in range(400):
        if not len(active):
            break
        part = system.take(active)
        share = np.minimum(reached[active] + step[active], 1.0)
        guess = y[active] + (share - reached[active])[:, None] * slope[active]
        target = precision[active] * share[:, None]
        landed, good, grade, new_slope = _correct_batch(
            part, guess, target, precision[active], np.where(share < 1, 1e-8, _SOLVED)
        )
        done = active[good]
        y[done], reached[done], slope[done] = landed[good], share[good], new_slope[good]
        step[done] *= np.where(grade[good] < 0.1, 3.0, np.where(grade[good] < 0.5, 1.5, 1.0))
        step[active[~good]] /= 3
        lost[active[step[active] * span[active] < 1e-4]] = True
        active = active[(reached[active] < 1) & ~lost[active]]
    lost[active] = True
    return y, lost


def _correct_batch(
    part: LogitSystem, y: Array, target: Array, full: Array, bound: Array
) -> tuple[Array, Array, Array, Array]:
    """Newton's method at fixed precisions: where it landed, whether it converged well, its first step, dy/dshare."""
    size = 1 + np.abs(target).max(axis=-1)
    grade = np.zeros(len(y))
    good = np.zeros(len(y), dtype=bool)
    free_sets = part.layout.free_set
    slope = np.zeros_like(y)
    for attempt in range(6):
        residual, q, weights, beliefs, logs = part.residual(y, target)
        error = np.abs(residual).max(axis=-1) / size
        push = part.gaps(q) * full[:, free_sets]
        jacobian = part.jacobian(target, q, weights, beliefs, logs)
        both = _solve_batch(jacobian, np.stack([residual, push], axis=-1))
        slope = both[..., 1]
        good = error <= bound
        if good.all() or attempt == 5:
            break
        move = both[..., 0]
        if attempt == 0:
            grade = np.abs(move).max(axis=-1)
        y = np.where(good[:, None], y, y - np.clip(move, -5, 5))
    return y, good & (grade < 1.5) & np.isfinite(slope).all(axis=-1), grade, slope


def _correct(equations: Equations, guess: Array, tangent: Array) -> tuple[Array | None, float, Array, float, float]:
    """Correct a guess on the plane across the tangent.

    Returns the point of the branch (None if the guess was too far off), how far off the guess was, the tangent at the
    point, the regret there, and the sign of the bordered Jacobian, which is constant along a branch between crossings
    (all three as of the last iterate but one, a distance of 1e-5 away at most).
    """
    point, first, before = guess, 0.0, np.inf
    for attempt in range(8):
        move, fresh, sign, gain = equations.step(point, tangent)
        size = np.abs(move[:-1])
        size /= 1 + 0.05 * np.abs(point[:-1])
        distance = float(size.max(initial=0.0))
        if not (np.isfinite(distance) and np.isfinite(move[-1]) and np.isfinite(fresh).all()):
            return _NOWHERE
        if attempt == 0:
            first = distance
            if distance > 1.0:
                return _NOWHERE
        elif distance > 0.7 * before and distance > 1e-9:
            return _NOWHERE
        point = point - move
        before = distance
        if distance <= _CLOSE:  # the tangent solves with the old one as border, so that both borders have one sign
            return point, first, fresh / np.sqrt(fresh @ fresh), gain, sign
    return _NOWHERE


def _require(error: float, precision: float) -> None:
    if error > _SOLVED:
        raise SolverError(
            f"the logit equations at precision {precision:g} (over the payoff span) were solved to {error:g} only",
            residual=error,
        )


def _solve(matrix: Array, right: Array) -> Array:
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)


def _solve_batch(matrices: Array, right: Array) -> Array:
    try:
        return np.linalg.solve(matrices, right)
    except np.linalg.LinAlgError:
        return np.stack([_solve(m, r) for m, r in zip(matrices, right, strict=True)])

"""Following solutions of the logit equations of one game as the precision grows, past turning points."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.quantities import Array
from deterrence.solvers.budget import Budget, OutOfWork
from deterrence.solvers.logit.equations import Equations
from deterrence.solvers.logit.rise import Path, rise
from deterrence.solvers.logit.system import LogitSystem

SOLVED = 1e-11  # residual in log-odds, relative to 1 + precision * span
_FIRST_STEP = 0.3
_MOST_STEPS = 20_000
_BIFURCATION = 1e-4  # a change of orientation within such a step is a crossing of branches, not a jump to another
_CLOSE = 1e-5  # a Newton step of this length leaves an error of about its square
_PATIENCE = 8  # points after a turn, or a narrow place, until quick steps are tried again
ALONE = 1e-3  # precision below which uniform play is all but the only solution
_NOWHERE: tuple[None, float, Array, float] = (None, np.inf, np.zeros(0), 0.0)


@dataclass(frozen=True, eq=False)
class Trace:
    """Points on one branch.

    Attributes
    ----------
    system : LogitSystem
    ratio : ndarray, shape (I,)
        Precision of each information set in proportion to the common factor.
    precision : ndarray, shape (K,)
        The common factor of precision (payoffs divided by their spans).
    met : ndarray, shape (K, A - I)
        Log-odds as they were met on the way; the last are solved.
    rough : ndarray of bool, shape (K,)
        Where they are good enough to go on from and no better.
    turning : tuple of int
        Points after which the precision falls (or rises again).
    everywhere : bool
        What ``regret`` means (see ``Equations``).
    end : tuple of ndarray, shapes (A,), (X,), or None
        Probabilities at the last point, and beliefs over nodes of information sets; None where nobody has a choice.
    ended : str
        Which bound of work stopped the trace short of its end, if one did.
    """

    system: LogitSystem = field(repr=False)
    ratio: Array = field(repr=False)
    precision: Array
    met: Array = field(repr=False)
    rough: Array = field(repr=False)
    turning: tuple[int, ...]
    everywhere: bool = True
    end: tuple[Array, Array] | None = field(default=None, repr=False)
    ended: str = ""

    @cached_property
    def odds(self) -> Array:
        """Log-odds, shape (K, A - I), solved at every point."""
        odds = self.met.copy()
        for k in np.flatnonzero(self.rough):
            odds[k], error = polish(self.system, odds[k], self.ratio * self.precision[k])
            _require(error, self.precision[k])
        return odds

    @cached_property
    def logs(self) -> Array:
        """Log probabilities, shape (K, A)."""
        return self.system.logs(self.odds)

    @property
    def last(self) -> Array:
        """Log probabilities at the last point, shape (A,)."""
        return self.system.logs(self.met[-1])

    @cached_property
    def folds(self) -> Array:
        """Precision where it turns back, shape (T,), after each point in ``turning``."""
        found = np.zeros(len(self.turning))
        if self.turning:
            equations = Equations(self.system, self.ratio)
            points = np.column_stack([self.odds, self.precision])
            for i, k in enumerate(self.turning):
                found[i] = _fold(equations, points[k], points[k + 1])
        return found

    @cached_property
    def regret(self) -> Array:
        """Regret as a share of the payoff span, shape (K,)."""
        result = np.zeros(len(self.precision))
        if self.system.unknowns:
            equations = Equations(self.system, self.ratio, everywhere=self.everywhere)
            for k, (y, precision) in enumerate(zip(self.odds, self.precision, strict=True)):
                equations.parts(y, precision)
                result[k] = equations.regret()
        return result


def _fold(equations: Equations, start: Array, end: Array) -> float:
    """Return the precision between two points of a branch at which its tangent has no part along the precision."""
    direction = (end - start) / np.sqrt((end - start) @ (end - start))

    def at(share: float) -> tuple[float, float]:
        """Precision, and its slope along the chord, where the branch meets the plane across it."""
        point, tangent = start + share * (end - start), direction
        for _ in range(8):
            move, tangent, _ = equations.step(point, direction)
            point = point - move
            if float(np.abs(move).max()) <= 1e-12 * (1 + float(point[-1])):
                break
        return float(point[-1]), float(tangent[-1])

    low, high = 0.0, 1.0
    begins = at(low)[1]
    for _ in range(30):  # the precision is flat there: half of these digits are enough
        middle = (low + high) / 2
        if at(middle)[1] * begins > 0:
            low = middle
        else:
            high = middle
    return at((low + high) / 2)[0]


def polish(system: LogitSystem, y: Array, precision: Array, steps: int = 30) -> tuple[Array, float]:
    """Return log-odds improved by Newton's method at a fixed precision (by set), and the relative residual."""
    size = 1 + float(np.abs(precision).max(initial=0.0))
    best, least = y, np.inf
    for _ in range(steps):
        residual, q, weights, beliefs, logs = system.residual(y, precision)
        error = float(np.abs(residual).max(initial=0.0)) / size
        if error < least:
            best, least = y, error
        if error <= SOLVED * 1e-3 or not np.isfinite(error):
            break
        step = newton_step(system.jacobian(precision, q, weights, beliefs, logs), residual)
        y = y - step * min(1.0, 20.0 / max(float(np.abs(step).max()), 1e-300))
    return best, least


def follow(
    system: LogitSystem,
    ratio: Array,
    *,
    until: float = np.inf,
    regret: float = 0.0,
    everywhere: bool = True,
    most: int = _MOST_STEPS,
    budget: Budget | None = None,
) -> Trace:
    r"""Trace the principal branch from uniform play by prediction and correction.

    Where it is easy the branch is followed in steps of the precision (``rise``); where it may turn back or cross
    another, in steps of pseudo-arclength, until it is easy again.

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
    everywhere : bool
        Whether that is the regret at any information set; else a bound on that of any player's plan.
    most : int
        Most steps.
    budget : Budget, optional
        A unit for each point; where it ends, the trace does.

    Raises
    ------
    SolverError
        If the branch cannot be followed, with what was reached.
    """
    path = Path()
    path.add(0.0, np.zeros(system.unknowns), rough=False)
    path.budget = budget
    end, ended = None, ""
    if system.unknowns and until > 0:
        equations = Equations(system, ratio, everywhere=everywhere)
        slope = equations.upward(path.odds[0], 0.0)[1].copy()
        try:
            if regret == 0 or equations.regret() > regret:
                _climb(equations, path, slope, until, regret, most)
        except OutOfWork as reason:
            ended = str(reason)
            path.odds[-1], error = polish(system, path.odds[-1], ratio * path.precision[-1])
            _require(error, path.precision[-1])
            path.rough[-1] = False
        end = equations.play(path.odds[-1])
    return Trace(
        system,
        ratio,
        np.array(path.precision),
        np.array(path.odds),
        np.array(path.rough),
        tuple(path.turning),
        everywhere,
        end,
        ended,
    )


def follow_both(
    system: LogitSystem,
    ratio: Array,
    y: Array,
    precision: float,
    *,
    regret: float,
    everywhere: bool = True,
    most: int = _MOST_STEPS,
    budget: Budget | None = None,
) -> Trace | None:
    """Trace the branch through a solution both ways, to where the regret is small.

    The trace begins where the way down in precision ends, past the turning point, and ends where the way up does. None
    where the way down leads to uniform play, so that the branch is the principal one.

    Parameters
    ----------
    system, ratio, regret, everywhere, most, budget
        As in ``follow``, but that OutOfWork is raised where the budget ends.
    y : ndarray, shape (A - I,)
        Log-odds that solve the equations.
    precision : float
        The common factor there.

    Raises
    ------
    SolverError
        If the branch cannot be followed, with what was reached.
    """
    equations = Equations(system, ratio, everywhere=everywhere)
    ways = []
    end = None
    for down in (True, False):
        path = Path(budget=budget)
        path.add(precision, y, rough=False)
        slope: Array | None = equations.upward(y, precision)[1].copy()
        path.side = equations.side()
        if down:
            slope = _crawl(equations, path, np.inf, regret, most, _PATIENCE, down=True)
        if slope is not None and (down or equations.regret() > regret):
            _climb(equations, path, slope, np.inf, regret, most)
        if path.precision[-1] <= ALONE:
            return None
        ways.append(path)
        end = equations.play(path.odds[-1])
    fell, rose = ways
    last = len(fell.precision) - 1
    return Trace(
        system,
        ratio,
        np.array([*fell.precision[::-1], *rose.precision[1:]]),
        np.array([*fell.odds[::-1], *rose.odds[1:]]),
        np.array([*fell.rough[::-1], *rose.rough[1:]]),
        (*(last - 1 - k for k in reversed(fell.turning)), *(last + k for k in rose.turning)),
        everywhere,
        end,
    )


def _climb(equations: Equations, path: Path, slope: Array, until: float, regret: float, most: int) -> None:
    """Follow the branch upward from a path's last point to the end, quickly where it is easy."""
    patience = _PATIENCE
    while not rise(equations, path, slope, until, regret, SOLVED):
        again = _crawl(equations, path, until, regret, most, patience)
        if again is None:
            return
        slope, patience = again, 2 * patience


def _crawl(
    equations: Equations,
    path: Path,
    until: float,
    regret: float,
    most: int,
    patience: int,
    *,
    down: bool = False,
) -> Array | None:
    """Follow the branch from a path's last point in pseudo-arclength, extending the path.

    With ``down`` it sets out where the precision falls, and the regret is not asked for until it rises again. The way
    also ends where the precision falls so low that play is all but uniform.

    Returns None where the end was reached, or the slope dy/dprecision where the branch has risen smoothly over
    ``patience`` points since it last turned, crossed another, or bent.
    """
    while True:  # begin at the last point that is one
        y, error = equations.polish(path.odds[-1], path.precision[-1], 1e-3 * SOLVED)
        if error <= SOLVED or not path.rough[-1]:
            break
        path.drop()
    _require(error, path.precision[-1])
    path.odds[-1], path.rough[-1] = y, False
    slope = equations.upward(y, path.precision[-1])[1]
    point, tangent = np.r_[y, path.precision[-1]], np.r_[slope, 1.0]
    tangent /= np.sqrt(tangent @ tangent)
    upward = np.zeros(len(point))
    upward[-1] = 1.0
    side, step, now, smooth = path.side, _FIRST_STEP, np.inf, 0
    if down:
        tangent, side = -tangent, -side
    bend = np.zeros(len(point))  # change of the tangent by length
    while point[-1] < until and (now > 0.999 * regret or down):
        if len(path.precision) > most or step < 1e-12:
            raise SolverError(
                f"the logit branch was followed over {len(path.precision)} points to precision {point[-1]:g} and a "
                f"regret of {now:g} (both relative to the payoff span), and no further; ask for a larger regret, less "
                "precision",
                residual=now,
            )
        guess = point + step * tangent + step * step / 2 * bend
        landed, grade, fresh, sign = _correct(equations, guess, tangent) if guess[-1] >= 0 else _NOWHERE
        if landed is None or landed[-1] < 0:
            step /= 2
            continue
        gain = equations.regret()
        if sign != side:
            if step > _BIFURCATION:  # another branch, on which the precision runs the other way
                step /= 2
                continue
            side, smooth = -side, 0  # a branch crosses this one here
        if landed[-1] >= until:
            share = (until - point[-1]) / (landed[-1] - point[-1])
            y, error = equations.polish((point + share * (landed - point))[:-1], until, 1e-3 * SOLVED)
            _require(error, until)
            if equations.step(np.r_[y, until], upward)[2] != side and step > _BIFURCATION:
                step /= 2
                continue
            path.add(until, y, rough=False)
            return None
        middle = 1.5 * (landed[-1] - point[-1]) / step - 0.25 * (fresh[-1] + tangent[-1])  # slope of Hermite's cubic
        folds = middle * fresh[-1] < 0.1 * fresh[-1] ** 2 and fresh[-1] * tangent[-1] > 0
        if step > 1e-6 and (folds or (fresh @ tangent < 0.9)):  # the branch bends: look closer
            step /= 2
            smooth = 0
            continue
        if fresh[-1] * tangent[-1] < 0:
            path.turn()
            smooth, down = 0, False
        bend = (fresh - tangent) / step
        point, tangent, now = landed, fresh, gain
        path.add(float(point[-1]), point[:-1], rough=False)
        if tangent[-1] < 0 and point[-1] <= ALONE:
            return None
        smooth += 1
        if smooth > patience and tangent[-1] > 0 and grade < 0.1:
            path.side = side
            rising: Array = tangent[:-1] / tangent[-1]
            return rising
        step *= 3.0 if grade < 0.02 else 2.0 if grade < 0.1 else 1.3 if grade < 0.3 else 0.8
    return None


def _correct(equations: Equations, guess: Array, tangent: Array) -> tuple[Array | None, float, Array, float]:
    """Correct a guess on the plane across the tangent.

    Returns the point of the branch (None if the guess was too far off), how far off the guess was, the tangent at the
    point, and the sign of the bordered Jacobian, which is constant along a branch between crossings (both as of the
    last iterate but one, a distance of 1e-5 away at most).
    """
    point, first, before = guess, 0.0, np.inf
    for attempt in range(8):
        move, fresh, sign = equations.step(point, tangent)
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
            return point, first, fresh / np.sqrt(fresh @ fresh), sign
    return _NOWHERE


def _require(error: float, precision: float) -> None:
    if error > SOLVED:
        raise SolverError(
            f"the logit equations at precision {precision:g} (over the payoff span) were solved to {error:g} only",
            residual=error,
        )


def newton_step(matrix: Array, right: Array) -> Array:
    """Return the solution of linear equations; NaN where they are singular."""
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.full(right.shape, np.nan)

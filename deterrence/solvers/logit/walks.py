"""Following the principal branches of many games of one tree at once, in steps of the precision."""

from __future__ import annotations

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.logit.branch import SOLVED, newton_step
from deterrence.solvers.logit.system import LogitSystem


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
            part, guess, target, precision[active], np.where(share < 1, 1e-8, SOLVED)
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


def _solve_batch(matrices: Array, right: Array) -> Array:
    try:
        return np.linalg.solve(matrices, right)
    except np.linalg.LinAlgError:
        return np.stack([newton_step(m, r) for m, r in zip(matrices, right, strict=True)])

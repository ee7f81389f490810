"""Participation equilibria in which members whose cost has atoms mix: the volunteer's dilemma, unequal.

Where a cost is known for certain (degenerate) or takes two values, F jumps, and a member whose cost equals
its cutpoint may come with any probability within the jump. Each such member is either on a level of F or
within a jump; for every combination the equations are solved by Newton's method from several starts (gains
are multilinear), and what breaks a condition is dropped.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.expected_defence import ExpectedDefence
from deterrence.games.distributions import Distribution

Floats = NDArray[np.float64]
Choice = tuple[str, float, float, float]  # "level" or "mix", atom, lowest and highest F

MOST = 4096  # combinations that are tried; beyond, mixing is left to blocs


def mixing_equilibria(stage: ParticipationStage, defence: ExpectedDefence, tol: float) -> Floats:
    """Return equilibria of a single stage as probabilities, shape (E, N); none if it has no atoms or too many."""
    n = len(stage.names)
    if stage.costs.continuous:
        return np.empty((0, n))
    options = [_options(one) for one in stage.costs.distributions]
    if np.prod([len(option) for option in options], dtype=float) > MOST:
        return np.empty((0, n))
    found: list[Floats] = []
    for choices in itertools.product(*options):
        for q in _solved(stage, defence, choices, tol):
            if all(np.abs(q - other).max() > 1e-9 for other in found):
                found.append(q)
    return np.array(found).reshape(-1, n)


def _options(cost: Distribution) -> list[Choice]:
    if cost.continuous:
        return [("smooth", 0.0, 0.0, 1.0)]
    if cost.family == "degenerate":
        atoms = [(float(cost.location), 1.0)]
    else:
        low, p = float(cost.location), float(cost.shape["probability"])
        atoms = [(low, p), (low + float(cost.scale), 1.0)]
    choices: list[Choice] = [("level", -np.inf, 0.0, 0.0)]
    below = 0.0
    for atom, level in atoms:
        if level > below:
            choices += [("mix", atom, below, level), ("level", atom, level, level)]
            below = level
    return choices


def _solved(
    stage: ParticipationStage, defence: ExpectedDefence, choices: tuple[Choice, ...], tol: float
) -> list[Floats]:
    e, n = stage.position, len(choices)
    low = e * np.array([c[2] for c in choices])
    high = e * np.array([c[3] for c in choices])
    mixing = np.array([c[0] == "mix" for c in choices])
    smooth = np.array([c[0] == "smooth" for c in choices])
    atoms = np.array([c[1] if c[0] == "mix" else 0.0 for c in choices])
    free = mixing | smooth
    shares = [0.5] if not free.any() else [0.05, 0.2, 0.4, 0.6, 0.8, 0.95]
    found = []
    for share in shares:
        q = low + share * (high - low)
        for _ in range(60 if free.any() else 1):
            cut = stage.stakes * defence.gains(q) + stage.penalties
            rest = np.where(mixing, cut - atoms, np.where(smooth, q - e * stage.costs.cdf(cut), 0.0))
            if not free.any() or np.abs(rest).max() <= 1e-15:
                break
            slope = stage.stakes[:, None] * defence.curvature(q)
            slope = np.where(mixing[:, None], slope, -(e * stage.costs.pdf(cut))[:, None] * slope)
            slope[smooth, smooth] += 1.0
            slope = np.where(free[:, None] & free[None, :], slope, np.eye(n))
            step = np.linalg.lstsq(slope, -rest, rcond=None)[0]
            if np.abs(step).max() < 1e-16:
                break
            q = np.clip(q + np.where(free, step, 0.0), low, high)
        if _holds(stage, defence, q, tol):
            found.append(q)
    return found


def _holds(stage: ParticipationStage, defence: ExpectedDefence, q: Floats, tol: float) -> bool:
    cut = stage.stakes * defence.gains(q) + stage.penalties
    atom = np.array([not one.continuous for one in stage.costs.distributions])
    slack = np.where(atom, 1e-12 * (1 + np.abs(cut)), 0.0)
    below, above = (stage.position * stage.costs.cdf(cut + s) for s in (-slack, slack))
    return bool(np.all((below - tol <= q) & (q <= above + tol)))

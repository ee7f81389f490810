r"""Proofs that a stage of a participation game has one cutpoint equilibrium only.

H is the sum of a convex and a concave function (it is convex up to its inflection and concave beyond; each
part is continued by the tangent there). What member i adds to the convex part rises, and to the concave part
falls, in everyone else's probability. So on a box l <= q <= h of probabilities

.. math:: g^{\cup}_i(l) + g^{\cap}_i(h) \le g_i(q) \le g^{\cup}_i(h) + g^{\cap}_i(l),

which bounds the cutpoints and so gives a box that holds every equilibrium in the old one; repeated, it
shrinks. If it shrinks to a point, or to a box on which the cutpoint map is a contraction in some weighted
largest norm, the equilibrium is unique.

References
----------
.. [1] H. Smith, "Global stability for mixed monotone systems", J. Difference Equ. Appl. 14 (2008), 1159-1164.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.contest import contest_curvature, contest_steepness
from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.expected_defence import ExpectedDefence, expected_defence
from deterrence.alliances.solving.strength import RESOLUTION

Floats = NDArray[np.float64]

POINT = 1e-9  # a box narrower than this in every probability counts as a point
ROUNDS = 40
_MOST_MIXING = 8  # members of a bloc of whom some mix at a start


def unique_by(stage: ParticipationStage, *, method: str = "auto", resolution: int = RESOLUTION) -> str:
    """Return why the stage has one equilibrium, in words; empty if that is not shown.

    Parameters
    ----------
    stage : ParticipationStage
        Without batch dimensions.
    method, resolution
        As in ``expected_defence``.
    """
    low, high = np.zeros_like(stage.position), np.array(stage.position)
    parts = GainBounds(stage, method=method, resolution=resolution)
    second = second_differences(stage)
    for round_ in range(ROUNDS):
        below, above = parts.cutpoints(low, high)
        density = stage.costs.density_bound(below, above)
        with np.errstate(invalid="ignore"):
            slopes = np.where(second > 0, (stage.position * stage.stakes * density)[:, None] * second, 0.0)
        radius = spectral_bound(slopes)
        if radius < 1 - 1e-9:  # then it contracts in a weighted largest norm (Perron-Frobenius)
            return f"the cutpoint map is a contraction (spectral radius of slopes <= {radius:.3g})"
        fresh_low = np.maximum(low, stage.position * stage.costs.cdf(below))
        fresh_high = np.minimum(high, stage.position * stage.costs.cdf(above))
        if float((fresh_high - fresh_low).max()) < POINT:
            return f"bounds on who comes close in on one point after {round_ + 1} rounds"
        if float(np.maximum(fresh_low - low, high - fresh_high).max()) < 1e-3 * float((high - low).max()):
            return ""
        low, high = fresh_low, fresh_high
    return ""


def contracts(stage: ParticipationStage) -> NDArray[np.bool_]:
    """Return whether the cutpoint map is shown to be a contraction, shape (...): then there is one equilibrium.

    Cheaper and coarser than ``unique_by``: what a member adds lies between 0 and the least of its strength
    times sup H' and the whole rise of H.
    """
    second, most = second_differences(stage), most_added(stage)
    density = stage.costs.density_bound(stage.penalties, stage.penalties + stage.stakes * most)
    scale = stage.position * stage.stakes
    with np.errstate(invalid="ignore"):  # an atom has infinite density, but no member without a stake is moved by it
        steep = np.where(scale > 0, scale * density, 0.0)
        slopes = np.where(second > 0, steep[..., :, None] * second, 0.0)
    return np.asarray(spectral_bound(slopes, rounds=8) < 1 - 1e-9)


def bloc(stage: ParticipationStage) -> list[int] | None:
    """Return the members whose choices matter and vary, or None if they are not identical."""
    matter = [
        i for i in range(len(stage.names)) if stage.stakes[i] > 0 and stage.weights[i] > 0 and stage.position[i] > 0
    ]
    for i in matter[1:]:
        first = matter[0]
        same = all(row[i] == row[first] for row in (stage.weights, stage.stakes, stage.penalties, stage.position))
        if not same or stage.costs.distributions[i] != stage.costs.distributions[first]:
            return None
    return matter


def differing_counts(size: int) -> list[tuple[int, int]]:
    """Return how many of a bloc's members come and how many mix at starts from which they may come to differ.

    All numbers of both in a bloc of up to eight (the rest stay away); in a larger one nobody mixes.
    """
    mixing = range(1, size) if size <= _MOST_MIXING else ()
    return [(k, 0) for k in range(1, size)] + [(k, m) for m in mixing for k in range(size - m + 1)]


def inflection(stage: ParticipationStage) -> Floats:
    """Return the strength up to which H is convex, so that contributions are complements, shape (...)."""
    odds = np.maximum(stage.decisiveness - 1, 0.0) / (stage.decisiveness + 1)
    return np.asarray(stage.strength * odds ** (1 / stage.decisiveness))


def most_added(stage: ParticipationStage) -> Floats:
    """Return bounds on H(S + w_i) - H(S) over all S that may occur, shape (..., N)."""
    top = stage.base + stage.weights.sum(axis=-1)
    reach = stage.defence_holds(np.stack(np.broadcast_arrays(stage.base, top), axis=-1))
    slope = contest_steepness(stage.base, top, stage.strength, stage.decisiveness)
    with np.errstate(invalid="ignore"):
        linear = np.where(stage.weights > 0, stage.weights * slope[..., None], 0.0)
    return np.asarray(np.minimum(linear, np.where(stage.weights > 0, (reach[..., 1] - reach[..., 0])[..., None], 0.0)))


def spectral_bound(matrix: Floats, rounds: int = 40) -> Floats:
    """Return an upper bound of the spectral radius of matrices without negative entries, infinite if an entry is.

    Shape (..., N, N) to (...).

    For every positive x the radius is at most the largest of (M x)_i / x_i (Collatz 1942);
    x comes from power iteration.
    """
    finite = np.asarray(np.isfinite(matrix).all(axis=(-1, -2)))
    known = np.where(finite[..., None, None], matrix, 0.0)
    x = np.ones(matrix.shape[:-1])
    bound = np.full(matrix.shape[:-2], np.inf)
    for _ in range(rounds):
        image = np.einsum("...ij,...j->...i", known, x)
        bound = np.minimum(bound, (image / x).max(axis=-1))
        x = image / np.maximum(image.max(axis=-1, keepdims=True), 1e-300) + 1e-9
    return np.asarray(np.where(finite, bound, np.inf))


class GainBounds:
    """Bounds on what each member adds to the defence, over boxes of probabilities.

    Parameters
    ----------
    stage : ParticipationStage
    method, resolution
        As in ``expected_defence``.
    """

    def __init__(self, stage: ParticipationStage, *, method: str = "auto", resolution: int = RESOLUTION) -> None:
        self.stage = stage
        convex, concave = contest_parts(stage)
        self.convex = self._defence(convex, method, resolution)
        self.concave = self._defence(concave, method, resolution)
        self.margin: Floats = 2 * (self.convex.error + self.concave.error)[..., None]

    def gains(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper bounds of the gains over low <= q <= high, shapes (..., N)."""
        both = np.stack([low, high])
        rising, falling = self.convex.gains(both), self.concave.gains(both)
        return rising[0] + falling[1] - self.margin, rising[1] + falling[0] + self.margin

    def cutpoints(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Return lower and upper bounds of the cutpoints over low <= q <= high, shapes (..., N)."""
        below, above = self.gains(low, high)
        return self.stage.stakes * below + self.stage.penalties, self.stage.stakes * above + self.stage.penalties

    def _defence(self, success: Callable[[Floats], Floats], method: str, resolution: int) -> ExpectedDefence:
        return expected_defence(self.stage, success=success, method=method, resolution=resolution, target=1e-8)


def contest_parts(stage: ParticipationStage) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """Return the convex and the concave part of H, as functions of strengths of shape (..., L)."""
    a, m = stage.strength[..., None], stage.decisiveness[..., None]
    odds = np.maximum(m - 1, 0.0) / (m + 1)  # (S/A)^m at the inflection
    turn = a * odds ** (1 / m)
    height = odds / (1 + odds)
    slope = np.where(turn > 0, m / np.where(turn > 0, turn, 1.0) * odds / (1 + odds) ** 2, 0.0)
    line_only = m <= 1  # H is concave everywhere

    def convex(s: Floats) -> Floats:
        tangent = height + slope * (s - turn)
        return np.where(line_only, 0.0, np.where(s <= turn, stage.defence_holds(s), tangent))

    def concave(s: Floats) -> Floats:
        return stage.defence_holds(s) - convex(s)

    return convex, concave


def second_differences(stage: ParticipationStage) -> Floats:
    """Return bounds on |H(S + w_i + w_j) - H(S + w_i) - H(S + w_j) + H(S)|, shape (..., N, N), zero on the diagonal."""
    w = stage.weights
    top = stage.base + w.sum(axis=-1)
    bend = contest_curvature(stage.base, top, stage.strength, stage.decisiveness)
    reach = stage.defence_holds(np.stack(np.broadcast_arrays(stage.base, top), axis=-1))
    span = reach[..., 1] - reach[..., 0]
    product = w[..., :, None] * w[..., None, :]
    with np.errstate(invalid="ignore"):
        curved = np.where(product > 0, product * bend[..., None, None], 0.0)
    bound: Floats = np.asarray(np.minimum(curved, np.where(product > 0, span[..., None, None], 0.0)))
    index = np.arange(w.shape[-1])
    bound[..., index, index] = 0.0
    return bound

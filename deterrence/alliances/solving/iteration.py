"""Fixed points of the cutpoint map q -> e F(c*(q)), from given starts, for a batch of games at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.expected_defence import ExpectedDefence

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cutpoints:
    """Cutpoints reached from one start each.

    Attributes
    ----------
    cutpoints, probabilities : ndarray, shape (..., N)
    residual : ndarray, shape (...)
        Largest |q_i - e_i F_i(c_i*)|.
    converged : ndarray of bool, shape (...)
        Whether the residual is within the tolerance.
    """

    cutpoints: Floats
    probabilities: Floats
    residual: Floats
    converged: Flags

    @classmethod
    def join(cls, parts: Sequence[Cutpoints], axis: int = 0) -> Cutpoints:
        """Return parts of a batch as one, side by side along an axis of the batch."""
        return cls(
            *(np.concatenate(arrays, axis=axis) for arrays in zip(*(part._arrays for part in parts), strict=True))
        )

    @classmethod
    def stack(cls, *parts: Cutpoints) -> Cutpoints:
        """Return batches of equal shape on a new first axis."""
        return cls(*(np.stack(arrays) for arrays in zip(*(part._arrays for part in parts), strict=True)))

    @classmethod
    def swap(cls, one: Cutpoints, other: Cutpoints, where: Flags) -> tuple[Cutpoints, Cutpoints]:
        """Return both with their points exchanged where asked."""

        def mixed(a: Cutpoints, b: Cutpoints) -> Cutpoints:
            pairs = zip(a._arrays, b._arrays, strict=True)
            return cls(*(np.where(where[..., None] if x.ndim > where.ndim else where, y, x) for x, y in pairs))

        return (mixed(one, other), mixed(other, one)) if where.any() else (one, other)

    def at(self, index: Any) -> Cutpoints:
        """Return those at an index of the batch dimensions."""
        return type(self)(*(array[index] for array in self._arrays))

    def replaced(self, rows: Any, other: Cutpoints, chosen: Any) -> Cutpoints:
        """Return the batch, which has one axis, with some rows from another one."""
        arrays = [array.copy() for array in self._arrays]
        for mine, theirs in zip(arrays, other._arrays, strict=True):
            mine[rows] = theirs[chosen]
        return type(self)(*arrays)

    def reshape(self, shape: tuple[int, ...]) -> Cutpoints:
        """Return the batch, which has one axis, with another shape."""
        return type(self)(*(array.reshape((*shape, *array.shape[1:])) for array in self._arrays))

    @property
    def _arrays(self) -> tuple[Any, ...]:
        return self.cutpoints, self.probabilities, self.residual, self.converged


def cutpoints_from(
    stage: ParticipationStage,
    defence: ExpectedDefence,
    start: Floats,
    *,
    tol: float = 1e-12,
    iterations: int = 400,
    anywhere: bool = False,
) -> Cutpoints:
    """Follow the cutpoint map from starts to fixed points.

    The map itself is iterated until the residual is small, which keeps to the basin of the start (and, among
    complements, climbs or descends to the nearest fixed point); then Newton's method takes over, its step
    taken where it lowers the residual, its matrix kept as long as it lowers it tenfold. Where iteration alone
    does better than that it goes on; where it swings (substitutes) it is damped by halves.

    Parameters
    ----------
    stage : ParticipationStage
        Batch dimensions broadcast against those of ``start``.
    defence : ExpectedDefence
        Of that stage.
    start : ndarray, shape (..., N)
        Probabilities within [0, position].
    tol : float
        Residual at which a point has converged, a probability; widened by the rounding error of F where its
        density is high.
    iterations : int
        Most rounds for any point.
    anywhere : bool
        Whether Newton steps may be taken from the first round on: where there is one equilibrium only, there
        is no basin to keep to.
    """
    q = np.array(np.broadcast_to(start, np.broadcast_shapes(start.shape, (*stage.batch_shape, start.shape[-1]))))
    e = stage.position
    cut, target = _mapped(stage, defence, q)
    residual = np.abs(target - q).max(axis=-1)
    damping = np.ones_like(residual)
    newton = np.ones(residual.shape, dtype=bool)  # whether such a step is tried, or iteration is under way
    current = np.zeros(residual.shape, dtype=bool)  # whether the Newton matrix is worth keeping
    inverse = np.empty(0)
    for round_ in range(iterations):
        open_ = residual > _allowed(stage, cut, tol)
        remaining = int(open_.sum())
        if not remaining:
            break
        if residual.ndim == 1 and residual.size > FEW and 2 * remaining <= residual.size and stage.batch_shape:
            index = np.nonzero(open_)[0]
            part, its = stage.at(index), defence.at(index)
            rest = cutpoints_from(part, its, q[index], tol=tol, iterations=iterations - round_, anywhere=anywhere)
            cut[index], q[index], residual[index] = rest.cutpoints, rest.probabilities, rest.residual
            break
        near = open_ & newton & (anywhere | (residual < NEWTON_FROM) | (round_ >= PATIENCE))
        moved = q + np.where(open_, damping, 0.0)[..., None] * (target - q)
        if near.any():
            if (near & ~current).any():
                inverse = _newton_inverse(stage, defence, q, cut)
                current = np.ones_like(current)
            step = np.einsum("...ij,...j->...i", inverse, target - q)
            near &= anywhere | (np.abs(step).max(axis=-1) <= 0.2) | (round_ >= PATIENCE)
            moved = np.where(near[..., None], np.clip(q + step, 0.0, e), moved)
        trial_cut, trial_target = _mapped(stage, defence, moved)
        trial_residual = np.abs(trial_target - moved).max(axis=-1)
        better = trial_residual < 0.7 * residual
        swings = (
            open_
            & ~near
            & (((trial_target - moved) * (target - q)).sum(axis=-1) < 0)
            & (trial_residual > 0.5 * residual)
        )
        damping = np.where(
            swings, np.maximum(0.5 * damping, 0.02), np.where(near, damping, np.minimum(1.0, 1.2 * damping))
        )
        current &= ~near | (better & (trial_residual < 0.1 * residual))
        taken = open_ & (~near | better)
        newton = ~near | better  # where it failed, one round of iteration follows
        newton &= near | ~(trial_residual < QUICK * residual)  # where iteration does as well it goes on
        wide = taken[..., None]
        q, cut, target = (
            np.where(wide, new, old) for new, old in ((moved, q), (trial_cut, cut), (trial_target, target))
        )
        residual = np.where(taken, trial_residual, residual)
    return Cutpoints(cut, q, residual, residual <= _allowed(stage, cut, tol))


def iterate_best_responses(
    stage: ParticipationStage, defence: ExpectedDefence, start: Floats, *, rounds: int = 100
) -> Floats:
    r"""Return where one-at-a-time best responses settle, shape (N,); for a stage without batch dimensions.

    They always settle, for the stage is a weighted potential game: with :math:`f(q) = E[H]` every best
    response climbs

    .. math:: \Phi(q) = f(q) - \sum_i \frac1{s_i} \int_0^{q_i} \left(F_i^{-1}(x / e_i) - \text{penalty}_i\right) dx,

    since its derivative by q_i is (c_i^* - F_i^{-1}(q_i / e_i)) / s_i. Hence an equilibrium exists, and one
    in which nobody mixes if costs have atoms only.

    References
    ----------
    .. [1] D. Monderer and L. Shapley, "Potential Games", Games Econ. Behav. 14 (1996), 124-143.
    """
    q = np.array(start)
    for _ in range(rounds):
        before = q.copy()
        for i in range(len(q)):
            q[i] = _mapped(stage, defence, q)[1][i]
        if np.array_equal(before, q):
            break
    return q


NEWTON_FROM = 0.02  # residual below which Newton steps are tried
PATIENCE = 40  # rounds after which they are tried from anywhere
FEW = 16  # points up to which those that have converged are carried along
QUICK = 0.03  # ratio of residuals below which iteration goes on without them


def _mapped(stage: ParticipationStage, defence: ExpectedDefence, q: Floats) -> tuple[Floats, Floats]:
    """Return the cutpoints against q, and the probabilities to which they lead."""
    cut = stage.stakes * defence.gains(q) + stage.penalties
    return cut, stage.position * stage.costs.cdf(cut)


def _allowed(stage: ParticipationStage, cut: Floats, tol: float) -> Floats:
    steepness = stage.position * stage.costs.pdf(cut) * (np.abs(cut) + stage.stakes)
    return np.asarray(np.maximum(tol, 64 * np.finfo(float).eps * steepness.max(axis=-1)))


def _newton_inverse(stage: ParticipationStage, defence: ExpectedDefence, q: Floats, cut: Floats) -> Floats:
    slope = stage.position * stage.costs.pdf(cut) * stage.stakes
    matrix = -slope[..., :, None] * defence.curvature(q)
    index = np.arange(q.shape[-1])
    matrix[..., index, index] += 1.0
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:  # singular somewhere in the batch: then plain iteration
        return np.broadcast_to(np.eye(q.shape[-1]), matrix.shape)

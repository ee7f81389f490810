"""One simultaneous move of a participation game, as arrays: what a solver needs to know, and no more.

``deterrence.alliances.participation`` makes a stage for each kind of attack and each state of the treaty. Member i
then assists iff its cost is at most s_i E[H(S_-i + w_i) - H(S_-i)] + penalty_i, both per unit of its private cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.distributions import DistributionRow

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ParticipationStage:
    """The simultaneous-move game after one kind of attack, in one state of the treaty: all that a solver needs.

    Attributes
    ----------
    names : tuple of str
        The N members.
    base : ndarray, shape (...)
        Strength that fights in any case: B + sum of forward strengths.
    weights : ndarray, shape (..., N)
        w', what each member's assistance adds in time.
    strength, decisiveness : ndarray, shape (...)
        The attack's A and m.
    stakes, penalties : ndarray, shape (..., N)
        s, and what staying out costs more than assisting, both per unit of the private cost.
    position : ndarray, shape (..., N)
        Probability that each member is in a position to act.
    costs : DistributionRow
        Of N distributions.
    burdens : ndarray, shape (..., N)
        What the member pays whatever it does.
    units : ndarray, shape (..., N)
        Share of its private cost that its kind of support costs.
    """

    names: tuple[str, ...]
    base: Floats
    weights: Floats
    strength: Floats
    decisiveness: Floats
    stakes: Floats
    penalties: Floats
    position: Floats
    costs: DistributionRow
    burdens: Floats = field(default_factory=lambda: np.zeros(1))
    units: Floats = field(default_factory=lambda: np.ones(1))

    @cached_property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions, broadcast."""
        rows = (self.weights, self.stakes, self.penalties, self.position, self.burdens, self.units)
        return np.broadcast_shapes(
            self.base.shape,
            self.strength.shape,
            self.decisiveness.shape,
            self.costs.batch_shape,
            *(a.shape[:-1] for a in rows),
        )

    def defence_holds(self, strength: Floats) -> Floats:
        """Return H at total strengths of shape (..., L): the batch dimensions come first."""
        return contest_success(strength, self.strength[..., None], self.decisiveness[..., None])

    def payoffs(self, cutpoints: Floats, probabilities: Floats, holds: Floats) -> Floats:
        """Return each member's expected payoff before it knows its cost, shape (..., N).

        Parameters
        ----------
        cutpoints, probabilities : ndarray, shape (..., N)
            Those of cost equal to the cutpoint may mix: the probability is then below e F(c).
        holds : ndarray, shape (...)
            E[H].
        """
        paid = self.position * self.costs.partial_mean(cutpoints)
        paid = paid - cutpoints * (self.position * self.costs.cdf(cutpoints) - probabilities)
        worth = self.stakes * np.asarray(holds)[..., None] - paid - self.penalties * (1 - probabilities)
        return np.asarray(self.units * worth - self.burdens)

    def at(self, index: Any) -> ParticipationStage:
        """Return the stage at one index (or a slice) of the batch dimensions."""
        shape = self.batch_shape
        n = len(self.names)

        def one(array: Floats) -> Floats:
            return array if array.ndim == 0 else np.broadcast_to(array, shape)[index]

        def row(array: Floats) -> Floats:
            return array if array.ndim == 1 else np.broadcast_to(array, (*shape, n))[index]

        return ParticipationStage(
            self.names,
            one(self.base),
            row(self.weights),
            one(self.strength),
            one(self.decisiveness),
            row(self.stakes),
            row(self.penalties),
            row(self.position),
            self.costs.at(index, shape),
            row(self.burdens),
            row(self.units),
        )


def contest_success(own: Any, other: Any, decisiveness: Any) -> Floats:
    """Return H(S) = S^m / (S^m + A^m), the ratio contest success function, broadcast.

    Parameters
    ----------
    own : array_like
        S >= 0; at S = 0 the defence fails for certain.
    other : array_like
        A > 0.
    decisiveness : array_like
        m > 0.

    References
    ----------
    .. [1] J. Hirshleifer, "Conflict and Rent-Seeking Success Functions", Public Choice 63 (1989), 101-112.
    """
    from scipy.special import expit

    with np.errstate(divide="ignore"):
        return np.asarray(expit(decisiveness * (np.log(np.asarray(own, dtype=np.float64)) - np.log(other))))

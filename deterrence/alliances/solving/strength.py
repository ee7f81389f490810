r"""The distribution of the strength that comes: weighted sums of independent yes-or-no decisions.

Member i comes with probability q_i and then adds w_i, so the sum is a weighted Poisson-binomial variable. It
is computed by convolution, member after member, on a lattice of strengths; never by enumeration of the 2^N
profiles.

*Exact support.* Where the sums take few distinct values (blocs of equal members, few members) the lattice is
the set of those values and the distribution is exact.

*Even lattice.* Otherwise the lattice has steps of delta, and a weight between two lattice points is split
linearly: with :math:`w = (k + \theta)\delta` the member adds k steps with probability 1 - theta and k + 1
with probability theta. That is a random weight of the right mean and of variance
:math:`\theta(1-\theta)\delta^2`, so every mean is exact, and by Taylor's theorem

.. math::
   |E[f] - E_{lattice}[f]| \le \tfrac12 \delta^2 \sup|f''| \sum_i q_i \theta_i (1-\theta_i)
   \le \tfrac18 N \delta^2 \sup|f''|.

References
----------
.. [1] Y. Hong, "On computing the distribution function for the Poisson binomial distribution",
   Comput. Stat. Data Anal. 59 (2013), 41-51.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RESOLUTION = 512  # lattice points (or distinct sums) unless asked otherwise


@dataclass(frozen=True, eq=False)
class StrengthDistribution:
    """Where the total strength may lie, and with what probability.

    Attributes
    ----------
    points : ndarray, shape (..., L)
        Strengths, ascending, in units of strength.
    mass : ndarray, shape (..., L)
        Probabilities, sum one.
    split_variance : ndarray, shape (...)
        Variance that the lattice added, in squared units of strength; 0 where the distribution is exact.
    """

    points: Floats
    mass: Floats
    split_variance: Floats

    def expect(self, values: Floats) -> Floats:
        """Return the mean of a function given by its values at ``points``, shape (...)."""
        return np.asarray((self.mass * values).sum(axis=-1))

    def error_bound(self, curvature: Any) -> Floats:
        """Return the bound on the error of a mean of f, given sup |f''| over the lattice, shape (...)."""
        return np.asarray(0.5 * self.split_variance * curvature)

    @cached_property
    def mean(self) -> Floats:
        """Mean strength, shape (...); exact."""
        return self.expect(self.points)

    def tail(self, strength: Any) -> Floats:
        """Return P(strength >= a level), shape (...)."""
        level = np.asarray(strength, dtype=np.float64)[..., None]
        return np.asarray((self.mass * (self.points >= level - 1e-12 * np.abs(level))).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class Support:
    """The distinct partial sums of some weights, and how each step maps one list of sums into the next.

    Attributes
    ----------
    sums : ndarray, shape (L,)
        Distinct values of sums over all members, ascending.
    stay, go : tuple of N index arrays
        Where each partial sum of the members before i is found after i, if i stays out and if it comes.
    """

    sums: Floats
    stay: tuple[Indices, ...]
    go: tuple[Indices, ...]


def exact_support(weights: Floats, limit: int = RESOLUTION) -> Support | None:
    """Return the distinct sums of weights, shape (N,), or None if there are more than ``limit``.

    Sums closer than 1e-12 of the total are one.
    """
    grain = 1e-12 * max(float(np.abs(weights).sum()), 1e-300)
    sums = np.zeros(1)
    stay: list[Indices] = []
    go: list[Indices] = []
    for weight in weights:
        both = np.concatenate([sums, sums + weight])
        order = np.argsort(both, kind="stable")
        fresh = np.concatenate([[True], np.diff(both[order]) > grain])
        rank = np.empty(len(both), dtype=np.intp)
        rank[order] = np.cumsum(fresh) - 1
        stay.append(rank[: len(sums)])
        go.append(rank[len(sums) :])
        sums = both[order][fresh]
        if len(sums) > limit:
            return None
    return Support(sums, tuple(stay), tuple(go))


def strength_distribution(
    weights: Floats, probabilities: Floats, *, base: Any = 0.0, resolution: int = RESOLUTION
) -> StrengthDistribution:
    """Return the distribution of ``base`` plus the sum of the weights of those who come.

    Parameters
    ----------
    weights : ndarray, shape (..., N)
        What each member adds, >= 0, in units of strength.
    probabilities : ndarray, shape (..., N)
        Probability that each comes.
    base : array_like, shape (...)
        Strength that is there in any case.
    resolution : int
        Steps of the even lattice between no member and all of them; also the number of distinct sums up to
        which the exact support is used. More costs proportionally more; the error of an even lattice falls
        with its square.

    Raises
    ------
    ParameterError
        If a weight is negative, a probability outside [0, 1], or the resolution below 1.
    """
    w, q = _checked(weights, probabilities, resolution)
    support = exact_support(w, resolution) if w.ndim == 1 else None
    if support is not None:
        mass = np.ones((*q.shape[:-1], 1))
        for i in range(len(w)):
            mass = _come(mass, q[..., i, None], support.stay[i], support.go[i])
        points = np.asarray(base, dtype=np.float64)[..., None] + support.sums
        return StrengthDistribution(points, mass, np.zeros(mass.shape[:-1]))
    lattice = EvenLattice(w, resolution)
    mass = lattice.start(q.shape[:-1])
    for i in range(w.shape[-1]):
        mass = lattice.come(mass, i, q[..., i, None])
    points = np.asarray(base, dtype=np.float64)[..., None] + lattice.points
    return StrengthDistribution(points, mass, lattice.split_variance(q))


def leave_one_out(
    weights: Floats, probabilities: Floats, *, base: Any = 0.0, resolution: int = RESOLUTION
) -> StrengthDistribution:
    """Return, for each member, the distribution of what all the others bring; points and mass have shape (..., N, L).

    By halving: each half of the members inherits the other half's convolution, so N members take N log2 N
    convolutions, none is divided by, and no mass is ever negative. (Removing a member by deconvolution is
    cheaper, but unstable where its probability and its split are near one half.)

    Parameters
    ----------
    weights, probabilities, base, resolution
        As in ``strength_distribution``; the lattice is always the even one.
    """
    w, q = _checked(weights, probabilities, resolution)
    lattice = EvenLattice(w, resolution)
    n = w.shape[-1]
    found: list[Floats] = [np.zeros(0)] * n

    def halve(index: range, mass: Floats) -> None:
        if len(index) == 1:
            found[index[0]] = mass
            return
        middle = len(index) // 2
        for mine, others in ((index[:middle], index[middle:]), (index[middle:], index[:middle])):
            grown = mass
            for i in others:
                grown = lattice.come(grown, i, q[..., i, None])
            halve(mine, grown)

    halve(range(n), lattice.start(q.shape[:-1]))
    batch = np.broadcast_shapes(w.shape[:-1], q.shape[:-1])
    mass = np.stack([np.broadcast_to(one, (*batch, one.shape[-1])) for one in found], axis=-2)
    points = np.asarray(base, dtype=np.float64)[..., None] + lattice.points
    variance = lattice.split_variances(q)
    return StrengthDistribution(
        np.broadcast_to(points[..., None, :], mass.shape), mass, variance.sum(axis=-1, keepdims=True) - variance
    )


class EvenLattice:
    """An even lattice from zero to the sum of the weights, with linear splitting.

    Parameters
    ----------
    weights : ndarray, shape (..., N)
    resolution : int
        Steps between zero and the sum of weights; N more points hold what splitting rounds up.
    """

    def __init__(self, weights: Floats, resolution: int) -> None:
        n = weights.shape[-1]
        total = weights.sum(axis=-1)
        self.step: Floats = np.where(total > 0, total, 1.0) / resolution
        self.size = resolution + n + 1
        steps = weights / self.step[..., None]
        self.shift: Indices = np.floor(steps + 1e-12).astype(np.intp)
        self.theta: Floats = np.maximum(steps - self.shift, 0.0)

    def at(self, index: Indices) -> EvenLattice:
        """Return the lattices at some points of a batch that has one axis."""
        part = copy(self)
        part.step, part.shift, part.theta = self.step[index], self.shift[index], self.theta[index]
        return part

    @property
    def points(self) -> Floats:
        """Lattice points, shape (..., L)."""
        return np.asarray(self.step[..., None] * np.arange(self.size))

    def split_variances(self, q: Floats) -> Floats:
        """Return each member's part of the variance that splitting adds, shape (..., N)."""
        return np.asarray(q * self.theta * (1 - self.theta) * self.step[..., None] ** 2)

    def split_variance(self, q: Floats) -> Floats:
        """Return the variance that splitting adds, shape (...)."""
        return np.asarray(self.split_variances(q).sum(axis=-1))

    def start(self, batch: tuple[int, ...]) -> Floats:
        """Return the mass at zero strength, shape (..., L)."""
        mass = np.zeros((*np.broadcast_shapes(batch, self.step.shape), self.size))
        mass[..., 0] = 1.0
        return mass

    def come(self, mass: Floats, i: int, q: Floats) -> Floats:
        """Return the distribution after member i has come with probability q, shape (..., 1)."""
        theta = self.theta[..., i, None]
        return (1 - q) * mass + q * ((1 - theta) * self._moved(mass, i, 0) + theta * self._moved(mass, i, 1))

    def with_member(self, values: Floats, i: int) -> Floats:
        """Return the mean of a function of the strength after member i has come; the adjoint of ``come``.

        Beyond the last point the function is held constant; no mass gets there.
        """
        theta = self.theta[..., i, None]
        return np.asarray(
            (1 - theta) * self._moved(values, i, 0, back=True) + theta * self._moved(values, i, 1, back=True)
        )

    def _moved(self, array: Floats, i: int, extra: int, *, back: bool = False) -> Floats:
        shift = self.shift[..., i] + extra
        if shift.ndim == 0:
            k = min(int(shift), self.size)
            if back:
                edge = np.broadcast_to(array[..., -1:], (*array.shape[:-1], k))
                return np.concatenate([array[..., k:], edge], axis=-1)
            return np.concatenate([np.zeros((*array.shape[:-1], k)), array[..., : self.size - k]], axis=-1)
        source = np.arange(self.size) + (shift if back else -shift)[..., None]
        batch = np.broadcast_shapes(array.shape[:-1], source.shape[:-1])
        wide = np.broadcast_to(array, (*batch, self.size))
        index = np.broadcast_to(np.clip(source, 0, self.size - 1), (*batch, self.size))
        moved = np.take_along_axis(wide, index, axis=-1)
        return moved if back else np.where(source >= 0, moved, 0.0)


def _come(mass: Floats, q: Floats, stay: Indices, go: Indices) -> Floats:
    grown = np.zeros((*np.broadcast_shapes(mass.shape[:-1], q.shape[:-1]), int(max(stay.max(), go.max())) + 1))
    grown[..., stay] = (1 - q) * mass
    grown[..., go] += q * mass
    return grown


def _checked(weights: Any, probabilities: Any, resolution: int) -> tuple[Floats, Floats]:
    w = np.asarray(weights, dtype=np.float64)
    q = np.asarray(probabilities, dtype=np.float64)
    if not (w >= 0).all():
        raise ParameterError(f"weights must be at least 0, got {np.nanmin(w):g}")
    if not ((q >= 0) & (q <= 1)).all():
        raise ParameterError(f"probabilities must lie in [0, 1], got {q[~((q >= 0) & (q <= 1))].flat[0]:g}")
    if resolution < 1:
        raise ParameterError(f"resolution must be at least 1, got {resolution}")
    return w, q

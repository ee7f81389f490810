r"""Weights of draws: Pareto-smoothed importance sampling, and sequential Monte Carlo where that does not do.

Draws of the prior with weights proportional to their likelihood are draws of the posterior. If few draws hold most of
the weight, what the weights say is not to be trusted: the largest of them are replaced by quantiles of a generalized
Pareto distribution fitted to them, whose shape :math:`\hat k` tells how far the weights can be relied on [1]_: up to
:math:`\min(1 - 1 / \log_{10} n, 0.7)` for n draws. The fit is the empirical Bayes estimate of [2]_ with the weak prior
of [1]_, appendix C.

Beyond that, likelihoods raised to powers that grow from 0 to 1 lead from prior to posterior [3]_: each power is chosen
so that half of the effective sample is left, draws are chosen again by weight (systematically), and each is moved by
the preconditioned Crank-Nicolson kernel [4]_ in the space of independent normal scores of all numbers: z becomes
:math:`\sqrt{1 - s^2} z + s \xi` with standard normal :math:`\xi`, which leaves the prior as it is, and is accepted
with the ratio of likelihoods. The step s is adapted to an acceptance of about 0.3.

References
----------
.. [1] A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, "Pareto Smoothed Importance Sampling", J. Mach. Learn.
   Res. 25 (2024), no. 72, 1-58.
.. [2] J. Zhang and M. A. Stephens, "A New and Efficient Estimation Method for the Generalized Pareto Distribution",
   Technometrics 51 (2009), 316-325.
.. [3] P. Del Moral, A. Doucet and A. Jasra, "Sequential Monte Carlo Samplers", J. R. Stat. Soc. B 68 (2006), 411-436.
.. [4] S. L. Cotter, G. O. Roberts, A. M. Stuart and D. White, "MCMC Methods for Functions: Modifying Old Algorithms to
   Make Them Faster", Stat. Sci. 28 (2013), 424-446.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STAGES = 60
MOVES = 5  # of each draw at each power of the likelihood
ACCEPTANCE = 0.3

_LEAST_TAIL = 5  # largest weights to which a Pareto distribution is fitted
_PRIOR_COUNT, _PRIOR_SHAPE = 10, 0.5  # weak prior of the shape: ten observations at one half


@dataclass(frozen=True, eq=False)
class Weights:
    """Smoothed weights of draws.

    Attributes
    ----------
    values : ndarray, shape (n,)
        They sum to one.
    pareto_k : float
        Shape of the distribution of the largest; minus infinity if they are all alike, infinity if too few are above 0.
    log_evidence : float
        Logarithm of the mean likelihood.
    """

    values: Floats = field(repr=False)
    pareto_k: float
    log_evidence: float

    @property
    def effective(self) -> float:
        """Effective sample size, 1 / sum of squares."""
        return float(1 / np.sum(self.values**2))

    @property
    def reliable(self) -> bool:
        """Whether the shape is small enough for this many draws."""
        return self.pareto_k <= largest_shape(len(self.values))


def largest_shape(draws: int) -> float:
    """Return the largest Pareto shape at which weights of this many draws can be relied on."""
    return float(min(1 - 1 / np.log10(max(draws, 2)), 0.7))


def smoothed_weights(log_likelihood: Floats) -> Weights:
    """Return the Pareto-smoothed weights of draws.

    Parameters
    ----------
    log_likelihood : ndarray, shape (n,)
        Not minus infinity everywhere.
    """
    top = float(log_likelihood.max())
    raw = np.exp(log_likelihood - top)
    n = len(raw)
    evidence = top + float(np.log(raw.mean()))
    order = np.argsort(raw, kind="stable")
    size = int(np.ceil(min(0.2 * n, 3 * np.sqrt(n))))
    cut = float(raw[order[-size - 1]]) if size < n else 0.0
    tail = raw[order[-size:]] - cut
    tail_order = order[-size:][tail > 0]
    tail = tail[tail > 0]
    if raw.max() - raw.min() <= 1e-12:
        return Weights(np.full(n, 1 / n), float("-inf"), evidence)
    if len(tail) < _LEAST_TAIL:
        few = int(np.sum(raw > 0)) < _LEAST_TAIL
        return Weights(raw / raw.sum(), float("inf") if few else float("-inf"), evidence)
    if tail.max() - tail.min() <= 1e-12 * raw.max():  # the largest are all alike: a bound, and no tail
        return Weights(raw / raw.sum(), float("-inf"), evidence)
    k, scale = pareto_shape(tail)
    smooth = raw.copy()
    levels = (np.arange(len(tail)) + 0.5) / len(tail)
    quantiles = -scale * np.log1p(-levels) if abs(k) < 1e-12 else scale * np.expm1(-k * np.log1p(-levels)) / k
    smooth[tail_order] = np.minimum(cut + quantiles, 1.0)
    return Weights(smooth / smooth.sum(), k, evidence)


def pareto_shape(exceedances: Floats) -> tuple[float, float]:
    """Return the shape and the scale of a generalized Pareto distribution by the estimate of Zhang and Stephens.

    Parameters
    ----------
    exceedances : ndarray, shape (m,)
        Above 0, in rising order.

    Returns
    -------
    tuple of float
        The shape k (of the survival function (1 + k x / scale)^(-1/k)), drawn a little towards one half, and the scale.
    """
    x, m = exceedances, len(exceedances)
    points = 30 + int(np.sqrt(m))
    grid = np.arange(1, points + 1) - 0.5
    quartile = x[int(m / 4 + 0.5) - 1]
    slopes = 1 / x[-1] + (1 - np.sqrt(points / grid)) / (3 * quartile)  # candidates of -k / scale
    shapes = np.mean(np.log1p(-slopes[:, None] * x), axis=1)
    profile = m * (np.log(-slopes / shapes) - shapes - 1)
    mass = np.exp(profile - profile.max())
    slope = float(slopes @ mass / mass.sum())
    shape = float(np.mean(np.log1p(-slope * x)))
    weight = m / (m + _PRIOR_COUNT)
    return weight * shape + (1 - weight) * _PRIOR_SHAPE, -shape / slope


@dataclass(frozen=True, eq=False)
class Tempered:
    """Draws of the posterior by sequential Monte Carlo.

    Attributes
    ----------
    scores : ndarray, shape (n, d)
        Their independent normal scores.
    powers : tuple of float
        Of the likelihood, the last one 1.
    acceptance : tuple of float
        Share of moves that were accepted, at each.
    log_evidence : float
        Logarithm of the mean likelihood over the prior.
    distinct : int
        Number of different draws of the prior that the draws descend from.
    """

    scores: Floats = field(repr=False)
    powers: tuple[float, ...]
    acceptance: tuple[float, ...]
    log_evidence: float
    distinct: int


def tempered_draws(
    scores: Floats, log_likelihood: Callable[[Floats], Floats], rng: np.random.Generator, moves: int = MOVES
) -> Tempered:
    """Return draws of the posterior from draws of the prior, by tempering.

    Parameters
    ----------
    scores : ndarray, shape (n, d)
        Independent standard normal draws.
    log_likelihood : callable
        From scores, shape (n, d), to log-likelihoods, shape (n,); not minus infinity at all of ``scores``.
    rng : numpy.random.Generator
    moves : int
        Moves of each draw at each power.

    Raises
    ------
    RuntimeError
        If the power does not reach 1 in 60 stages.
    """
    z, log = scores.copy(), log_likelihood(scores)
    n = len(z)
    ancestor = np.arange(n)
    power, step, evidence = 0.0, 0.5, 0.0
    powers: list[float] = []
    shares: list[float] = []
    while power < 1 and len(powers) < MOST_STAGES:
        following = _next_power(log, power)
        raised = (following - power) * log
        top = float(raised.max())
        weights = np.exp(raised - top)
        evidence += top + float(np.log(weights.mean()))
        pick = _systematic(weights / weights.sum(), rng)
        z, log, ancestor, power = z[pick], log[pick], ancestor[pick], following
        accepted = []
        for _ in range(moves if power < 1 else 2 * moves):
            trial = np.sqrt(1 - step**2) * z + step * rng.standard_normal(z.shape)
            new = log_likelihood(trial)
            with np.errstate(invalid="ignore"):
                taken = np.log(rng.random(n)) < power * (new - log)
            z, log = np.where(taken[:, None], trial, z), np.where(taken, new, log)
            accepted.append(float(taken.mean()))
            step = float(np.clip(step * np.exp(accepted[-1] - ACCEPTANCE), 0.02, 0.98))
        powers.append(power)
        shares.append(float(np.mean(accepted)))
    if power < 1:
        raise RuntimeError(f"tempering reached the power {power:.3g} of the likelihood in {MOST_STAGES} stages, not 1")
    return Tempered(z, tuple(powers), tuple(shares), evidence, len(np.unique(ancestor)))


def _next_power(log: Floats, power: float) -> float:
    """Return the next power of the likelihood: one that leaves half of the effective sample, at most 1."""

    def effective(step: float) -> float:
        with np.errstate(invalid="ignore"):
            raised = np.where(np.isfinite(log), step * log, -np.inf)
        weights = np.exp(raised - raised.max())
        return float(weights.sum() ** 2 / (weights**2).sum())

    wanted = 0.5 * effective(1e-12)
    low, high = 0.0, 1 - power
    if effective(high) >= wanted:
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= wanted else (low, middle)
    return power + max(low, 1e-6)


def _systematic(weights: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return which draws are kept, each about n times its weight."""
    n = len(weights)
    levels = (np.arange(n) + rng.random()) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), levels), n - 1)

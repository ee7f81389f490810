r"""Signal detection: decisions by normal evidence, and thresholds that are drawn with noise.

Evidence x is N(0, 1) in one state of the world and N(d', 1) in the other; :math:`d'` is the *sensitivity*. The
log-likelihood ratio of the second state, :math:`d' (x - d'/2)`, rises in x, so whoever must choose between two actions
takes the one that the second state calls for iff x exceeds the *criterion* at which that ratio is worth the odds
against it [1]_,

.. math:: c = \frac{d'}{2} + \frac{1}{d'} \ln \frac{\text{stakes and odds of the first state}}{\text{of the second}}.

An aggressor reads posture for resolve, a defender reads warning signs for an attack.

References
----------
.. [1] D. M. Green and J. A. Swets, Signal Detection Theory and Psychophysics, Wiley, 1966, ch. 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from deterrence.games.errors import ParameterError
from deterrence.games.renaming import renamed_arguments
from deterrence.games.values import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detection(Value):
    """What an aggressor does who sees one normal signal of resolve; numbers, or arrays of one shape.

    Attributes
    ----------
    cutoff : ndarray
        It attacks iff the evidence is below; in standard deviations above the irresolute type's mean.
    attack_given_resolved, attack_given_irresolute, attack, war : ndarray
        Probabilities; war is an attack on the resolved type.
    """

    cutoff: Any
    attack_given_resolved: Any
    attack_given_irresolute: Any
    attack: Any
    war: Any


def signal_detection(rho: ArrayLike, mu_star: ArrayLike, d_prime: ArrayLike, *, bias: ArrayLike = 0.0) -> Detection:
    r"""Return what an aggressor does after evidence x ~ N(0, 1) of the irresolute and N(d', 1) of the resolved type.

    It attacks iff :math:`x < d'/2 + L/d' + b`, with :math:`L = \ln[(1 - \rho)/\rho \cdot \mu^*/(1 - \mu^*)]`;
    without a signal (d' = 0) iff :math:`\rho < \mu^*`; :math:`n` independent looks are one with :math:`d' \sqrt n`.

    Parameters
    ----------
    rho, mu_star : array_like
        Prior and critical belief in resolve, in (0, 1).
    d_prime : array_like
        Sensitivity, >= 0; infinite: the type is seen.
    bias : array_like
        Shift b of the cutoff, in standard deviations: > 0 attacks more often than is best. Not used where the type
        is seen or nothing is.

    Raises
    ------
    ParameterError
        If a probability lies outside (0, 1) or a sensitivity is negative.

    Examples
    --------
    >>> seen = signal_detection(0.4, 0.5, 1.0)
    >>> round(float(seen.attack), 8), round(float(seen.war), 8)
    (0.67537114, 0.18493685)
    """
    prior, critical = open_probability(rho, "rho"), open_probability(mu_star, "mu_star")
    d = _sensitivity(d_prime)
    shift = np.asarray(bias, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        cutoff = _criterion(_log_odds(prior, critical), d) + shift
    blind = np.where(prior < critical, np.inf, -np.inf)
    cutoff = np.where(d == 0, blind, np.where(np.isinf(d), np.inf, cutoff))
    with np.errstate(invalid="ignore"):
        resolved = np.where(np.isinf(d), 0.0, ndtr(cutoff - d))
    irresolute = ndtr(cutoff)
    war = prior * resolved
    attack = war + (1 - prior) * irresolute
    return Detection(cutoff[()], resolved[()], irresolute[()], attack[()], war[()])


def most_dangerous_signal(rho: ArrayLike, mu_star: ArrayLike) -> tuple[Any, Any]:
    r"""Return the sensitivity at which war is most likely, and its probability.

    With :math:`\rho > \mu^*` no signal deters; a perfect one deters from attacking the resolved. In between the
    probability of war peaks at :math:`d' = \sqrt{2 |L|}`, with value :math:`\rho \Phi(-\sqrt{2 |L|})`. With
    :math:`\rho < \mu^*` war falls in d', from :math:`\rho` at d' = 0.

    Raises
    ------
    ParameterError
        If a probability lies outside (0, 1).

    Examples
    --------
    >>> d_prime, war = most_dangerous_signal(0.6, 0.5)
    >>> round(float(d_prime), 8), round(float(war), 8)
    (0.90051664, 0.11035361)
    """
    prior, critical = open_probability(rho, "rho"), open_probability(mu_star, "mu_star")
    odds = _log_odds(prior, critical)
    peak = np.sqrt(2 * np.abs(odds))
    hump = odds <= 0
    return np.where(hump, peak, 0.0)[()], np.where(hump, prior * ndtr(-peak), prior)[()]


def combined_sensitivity(differences: ArrayLike, covariance: ArrayLike) -> Any:
    r"""Return the sensitivity of several normal indicators together.

    :math:`d' = \sqrt{\delta^\top \Sigma^{-1} \delta}`.

    Parameters
    ----------
    differences : array_like, shape (..., n)
        :math:`\delta`: how much higher each indicator's mean is if the guarantor is resolved.
    covariance : array_like, shape (..., n, n)
        :math:`\Sigma`, the same for both types. n indicators with equal differences and correlation r have
        :math:`d' \sqrt{n/(1 + (n - 1) r)}`.

    Raises
    ------
    ParameterError
        If the covariance is not symmetric and positive definite, or shapes disagree.

    Examples
    --------
    >>> round(float(combined_sensitivity([1.0, 1.0], [[1.0, 0.5], [0.5, 1.0]])), 9)
    1.154700538
    """
    delta, sigma = np.asarray(differences, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if sigma.shape[-2:] != (delta.shape[-1], delta.shape[-1]):
        raise ParameterError(
            f"covariance must have shape (..., n, n) for n={delta.shape[-1]} indicators, got {sigma.shape}"
        )
    if not np.allclose(sigma, np.swapaxes(sigma, -1, -2)):
        raise ParameterError("covariance must be symmetric")
    try:
        root = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        raise ParameterError("covariance must be positive definite: no indicator may be a copy of others") from None
    z = np.linalg.solve(root, delta[..., None])[..., 0]
    return np.sqrt((z**2).sum(axis=-1))[()]


@dataclass(frozen=True, eq=False)
class AlarmThreshold(Value):
    """When a defender should respond to a warning.

    Attributes
    ----------
    criterion : float
        It responds iff the evidence is above; in standard deviations above the mean without an attack.
    hit, false_alarm : float
        Probability of a response with and without an attack.
    """

    criterion: Any
    hit: Any
    false_alarm: Any


@renamed_arguments(sensitivity="d_prime")
def warning_threshold(
    prior: ArrayLike, cost_miss: ArrayLike, cost_false: ArrayLike, d_prime: ArrayLike
) -> AlarmThreshold:
    r"""Return the defender's best criterion for evidence N(0, 1) without an attack and N(d', 1) with one.

    :math:`c = d'/2 + \ln[(1 - \pi)/\pi \cdot C_{false}/C_{miss}]/d'`.

    Parameters
    ----------
    prior : array_like
        Probability of an attack, in (0, 1).
    cost_miss, cost_false : array_like
        Costs of no response to an attack, and of a response to none; > 0.
    d_prime : array_like
        Sensitivity, > 0.

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> round(float(warning_threshold(0.2, 5, 1, 1.5).criterion), 8)
    0.60123763
    """
    p, d = open_probability(prior, "prior"), _sensitivity(d_prime)
    miss, false = np.asarray(cost_miss, dtype=np.float64), np.asarray(cost_false, dtype=np.float64)
    if not ((miss > 0).all() and (false > 0).all()):
        raise ParameterError(
            f"costs of a miss and of a false alarm must be positive, got {cost_miss!r} and {cost_false!r}"
        )
    if not (d > 0).all():
        raise ParameterError(f"d_prime must be positive, got {d_prime!r}; without a signal there is no criterion")
    criterion = _criterion(np.log((1 - p) / p * false / miss), d)
    return AlarmThreshold(criterion[()], ndtr(d - criterion)[()], ndtr(-criterion)[()])


def exceedance_probability(
    intensity: ArrayLike, threshold: ArrayLike, noise: ArrayLike, *, rounding: float = 0.0
) -> Floats:
    r"""Return the probability that an intensity reaches a threshold that is drawn with normal noise.

    :math:`\Phi((s - \tau) / \sigma)` for an intensity s, and a threshold of mean :math:`\tau` and standard deviation
    :math:`\sigma`; if that is 0, 1 where s reaches :math:`\tau` and 0 elsewhere.

    Parameters
    ----------
    intensity, threshold : array_like, shape (...)
        s and tau, in one unit.
    noise : array_like, shape (...)
        sigma >= 0, in the same unit.
    rounding : float
        By how much s may miss a threshold without noise for reasons of rounding.

    Raises
    ------
    ParameterError
        If the noise is negative.

    Examples
    --------
    >>> exceedance_probability([0.4, 0.5, 0.6], 0.5, 0.1).round(6)
    array([0.158655, 0.5     , 0.841345])
    >>> exceedance_probability([0.4, 0.5, 0.6], 0.5, 0.0)
    array([0., 1., 1.])
    """
    sigma = np.asarray(noise, dtype=np.float64)
    if not (sigma >= 0).all():
        raise ParameterError(f"the noise of a threshold must not be negative (a standard deviation), got {noise!r}")
    above = np.asarray(intensity, dtype=np.float64) - np.asarray(threshold, dtype=np.float64)
    return np.asarray(np.where(sigma > 0, ndtr(above / np.where(sigma > 0, sigma, 1.0)), above >= -rounding))


def _log_odds(prior: Floats, critical: Floats) -> Floats:
    """Return how far the critical belief lies above the prior, in log odds: > 0 where attack is best unseen."""
    return np.asarray(np.log((1 - prior) / prior * critical / (1 - critical)))


def _criterion(log_odds: Floats, d_prime: Floats) -> Floats:
    """Return the evidence at which the log-likelihood ratio d' (x - d'/2) equals some log odds."""
    with np.errstate(over="ignore"):  # evidence that tells nothing apart: no amount of it is enough
        return np.asarray(d_prime / 2 + log_odds / d_prime)


def open_probability(values: ArrayLike, what: str) -> Floats:
    """Return probabilities strictly between 0 and 1, or raise ParameterError."""
    table = np.asarray(values, dtype=np.float64)
    if not ((table > 0) & (table < 1)).all():
        raise ParameterError(f"{what} must lie strictly between 0 and 1, got {values!r}")
    return table


def _sensitivity(values: ArrayLike) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if np.isnan(table).any() or (table < 0).any():
        raise ParameterError(
            f"d_prime must not be negative (distance between the types, in standard deviations), got {values!r}"
        )
    return table

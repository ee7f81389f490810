r"""Learning resolve from noisy posture: what an aggressor sees before it chooses.

The guarantor is resolved (R) with prior probability :math:`\rho`; the aggressor attacks iff its belief in resolve is
below :math:`\mu^*`, at which it is indifferent. Evidence on resolve is normal with a distance of :math:`d'` standard
deviations between the types (signal detection [1]_), or one of finitely many indicators, seen once or again and
again at a cost. All is exact: by formula, or by enumeration.

References
----------
.. [1] D. M. Green and J. A. Swets, Signal Detection Theory and Psychophysics, Wiley, 1966.
.. [2] A. Wald, Sequential Analysis, Wiley, 1947.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from deterrence.games.errors import ParameterError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detection:
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
    prior, critical = _open(rho, "rho"), _open(mu_star, "mu_star")
    d = _sensitivity(d_prime)
    shift = np.asarray(bias, dtype=np.float64)
    odds = np.log((1 - prior) / prior * critical / (1 - critical))
    with np.errstate(divide="ignore", invalid="ignore"):
        cutoff = d / 2 + odds / d + shift
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
    prior, critical = _open(rho, "rho"), _open(mu_star, "mu_star")
    odds = np.log((1 - prior) / prior * critical / (1 - critical))
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


@dataclass(frozen=True)
class AlarmThreshold:
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
    p, d = _open(prior, "prior"), _sensitivity(d_prime)
    miss, false = np.asarray(cost_miss, dtype=np.float64), np.asarray(cost_false, dtype=np.float64)
    if not ((miss > 0).all() and (false > 0).all()):
        raise ParameterError(
            f"costs of a miss and of a false alarm must be positive, got {cost_miss!r} and {cost_false!r}"
        )
    if not (d > 0).all():
        raise ParameterError(f"d_prime must be positive, got {d_prime!r}; without a signal there is no criterion")
    criterion = d / 2 + np.log((1 - p) / p * false / miss) / d
    return AlarmThreshold(criterion[()], ndtr(d - criterion)[()], ndtr(-criterion)[()])


@dataclass(frozen=True, eq=False)
class Observation:
    """What a decision maker believes and does after each of X signals about T states, with R responses.

    Attributes
    ----------
    chance : ndarray, shape (X,)
        Probability of each signal.
    posterior : ndarray, shape (X, T)
        Belief after it; the prior after a signal that cannot come.
    response : ndarray, shape (X, R)
        What is done; tied best responses with equal probability.
    joint : ndarray, shape (T, R)
        Probability of each state with each response.
    """

    chance: Floats
    posterior: Floats
    response: Floats
    joint: Floats

    @property
    def probability(self) -> Floats:
        """Probability of each response, shape (R,)."""
        return np.asarray(self.joint.sum(axis=0))


def observe(prior: ArrayLike, likelihood: ArrayLike, payoffs: ArrayLike, *, tol: float = 1e-12) -> Observation:
    """Return the best use of a finite signal, by enumeration.

    Parameters
    ----------
    prior : array_like, shape (T,)
    likelihood : array_like, shape (T, X)
        Probability of each signal in each state. Several indicators, correlated or not, are one signal: their joint
        table, flattened.
    payoffs : array_like, shape (T, R)
        Of each response in each state.
    tol : float
        Ties, relative to the spread of payoffs.

    Raises
    ------
    ParameterError
        If a distribution is none, or shapes disagree.

    Examples
    --------
    >>> seen = observe([0.4, 0.6], [[0.8, 0.2], [0.3, 0.7]], [[0, -1], [0, 1]])
    >>> seen.posterior[:, 0].round(9), seen.probability[1].round(9)
    (array([0.64, 0.16]), np.float64(0.5))
    """
    p, table, u = (np.asarray(x, dtype=np.float64) for x in (prior, likelihood, payoffs))
    if table.ndim != 2 or u.ndim != 2 or p.shape != table.shape[:1] or u.shape[:1] != p.shape:
        raise ParameterError(
            "prior, likelihood and payoffs must have shapes (T,), (T, X), (T, R), "
            f"got {p.shape}, {table.shape}, {u.shape}"
        )
    for rows, what in ((p, "prior"), (table, "likelihood")):
        if (rows < 0).any() or (np.abs(rows.sum(axis=-1) - 1) > 1e-12).any():
            raise ParameterError(f"{what} must hold distributions that sum to 1")
    weight = p[:, None] * table  # (T, X)
    chance = weight.sum(axis=0)
    posterior = np.where(chance > 0, weight / np.where(chance > 0, chance, 1.0), p[:, None]).T
    worth = posterior @ u
    best = worth >= worth.max(axis=1, keepdims=True) - tol * max(float(np.ptp(u)), 1e-300)
    response = best / best.sum(axis=1, keepdims=True)
    return Observation(chance, posterior, response, weight @ response)


@dataclass(frozen=True)
class Mobilisation:
    """What an aggressor infers from mobilisation and from its absence.

    Attributes
    ----------
    posterior_mobilised, posterior_not : float
        Belief in resolve after each.
    attack, war : float
        Probabilities.
    """

    posterior_mobilised: float
    posterior_not: float
    attack: float
    war: float


def mobilisation(rho: float, mu_star: float, hit: float, false: float) -> Mobilisation:
    """Return what a binary signal does: the resolved mobilise with probability ``hit``, the irresolute with ``false``.

    Raises
    ------
    ParameterError
        If a probability is out of range.

    Examples
    --------
    >>> mobilisation(0.4, 0.5, 0.8, 0.3)
    Mobilisation(posterior_mobilised=0.64, posterior_not=0.16, attack=0.5, war=0.08)
    """
    prior, critical = float(_open(rho, "rho")), float(_open(mu_star, "mu_star"))
    for chance, what in ((hit, "hit"), (false, "false")):
        if not 0 <= chance <= 1:
            raise ParameterError(f"{what} must be a probability, got {chance!r}")
    seen = observe([prior, 1 - prior], [[hit, 1 - hit], [false, 1 - false]], _stakes(critical))
    after = [round(float(x), 15) for x in seen.posterior[:, 0]]
    return Mobilisation(after[0], after[1], round(float(seen.probability[1]), 15), round(float(seen.joint[0, 1]), 15))


def statements(rho: float, mu_star: float, accuracy: float, firm: int, wavering: int) -> tuple[float, float]:
    """Return the belief in resolve after firm and wavering statements, and the probability of attack (1/2 at a tie).

    Each statement is true to the type with probability ``accuracy``, independently, so posterior odds are the
    prior's times ``(accuracy / (1 - accuracy)) ** (firm - wavering)``: mixed messages cancel.

    Raises
    ------
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> belief, attack = statements(0.4, 0.6, 0.7, 3, 0)
    >>> round(belief, 8), attack
    (0.89439374, 0.0)
    """
    prior, critical, a = (
        float(_open(x, what)) for x, what in ((rho, "rho"), (mu_star, "mu_star"), (accuracy, "accuracy"))
    )
    if min(firm, wavering) < 0:
        raise ParameterError(f"numbers of statements must not be negative, got {firm} firm and {wavering} wavering")
    odds = np.log(prior / (1 - prior)) + (firm - wavering) * np.log(a / (1 - a))
    gap = odds - np.log(critical / (1 - critical))
    belief = 1 / (1 + np.exp(-odds)) if odds >= 0 else np.exp(odds) / (1 + np.exp(odds))
    return float(belief), 0.5 if abs(gap) < 1e-12 else float(gap < 0)


def _stakes(critical: float) -> list[list[float]]:
    """Return payoffs of holding and attacking, by type, with indifference at a belief of ``critical`` in resolve."""
    return [[0.0, critical - 1.0], [0.0, critical]]


def _open(values: ArrayLike, what: str) -> Floats:
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

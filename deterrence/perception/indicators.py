"""Finite signals of resolve: indicators, mobilisation and statements, used by Bayes' rule and enumeration.

An aggressor that is resolved to attack unless the guarantor is likely enough to fight sees one of finitely many
signals, whose chances depend on the guarantor's resolve, updates its belief and chooses a best response.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value
from deterrence.perception.detection import open_probability

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Observation(Value):
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


@dataclass(frozen=True, eq=False)
class Mobilisation(Value):
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
    prior, critical = float(open_probability(rho, "rho")), float(open_probability(mu_star, "mu_star"))
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
        float(open_probability(x, what)) for x, what in ((rho, "rho"), (mu_star, "mu_star"), (accuracy, "accuracy"))
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

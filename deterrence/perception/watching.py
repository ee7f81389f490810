r"""Watching before choosing: an aggressor who can look again, at a cost of waiting, before it attacks or lets be.

Each period the aggressor attacks, gives up, or pays to see one more of X indicators, whose chances depend on the
guarantor's resolve; signals of different periods are independent given the type. What matters of the past is how
often each indicator was seen, so the problem is solved backwards over these counts: exactly, by enumeration.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Counts = tuple[int, ...]

_MOST_STATES = 2_000_000


@dataclass(frozen=True, eq=False)
class Watching(Value):
    """What comes of watching before choosing.

    Attributes
    ----------
    attack, war : float
        Probability of an attack, and of one on the resolved type.
    delay : float
        Expected number of looks.
    by_period : ndarray, shape (horizon + 1,)
        Probability of an attack after so many looks.
    value : float
        The aggressor's expected payoff, costs of waiting deducted.
    """

    attack: float
    war: float
    delay: float
    by_period: Floats
    value: float


def watch(
    rho: float,
    attack_payoffs: tuple[float, float],
    likelihood: ArrayLike,
    *,
    cost: float,
    horizon: int,
    give_up: float = 0.0,
    tol: float = 1e-12,
) -> Watching:
    """Return what an aggressor does who may look up to ``horizon`` times before it attacks or gives up.

    Parameters
    ----------
    rho : float
        Prior probability that the guarantor is resolved.
    attack_payoffs : pair of float
        Of an attack on the resolved and on the irresolute type, in the aggressor's units.
    likelihood : array_like, shape (2, X)
        Probability of each indicator if the guarantor is resolved, and if it is not.
    cost : float
        Of one look; >= 0.
    horizon : int
        Most looks.
    give_up : float
        Payoff of giving up.
    tol : float
        Ties, relative to the spread of payoffs; at a tie it stops rather than looks, and gives up rather than attacks.

    Raises
    ------
    ParameterError
        If a number is out of range, or there are too many states.

    Examples
    --------
    >>> seen = watch(0.4, (-1.0, 1.0), [[0.8, 0.2], [0.3, 0.7]], cost=0.0, horizon=1)
    >>> round(seen.attack, 9), round(seen.war, 9), round(seen.delay, 9)
    (0.5, 0.08, 1.0)
    """
    table = _checked(rho, likelihood, cost, horizon)
    width = table.shape[1]
    slack = tol * max(abs(a - b) for a, b in itertools.combinations((*attack_payoffs, give_up, 0.0), 2))
    prior = np.array([rho, 1 - rho])
    payoffs = np.asarray(attack_payoffs, dtype=np.float64)
    after: dict[Counts, float] = {}
    choice: dict[Counts, str] = {}
    for looks in range(horizon, -1, -1):
        here: dict[Counts, float] = {}
        for counts in _compositions(looks, width):
            belief = _posterior(prior, table, counts)
            strike = float(belief @ payoffs)
            best, act = (strike, "attack") if strike > give_up + slack else (give_up, "give up")
            if looks < horizon:
                chances = belief @ table
                worth = sum(float(p) * after[_plus(counts, x)] for x, p in enumerate(chances) if p > 0) - cost
                if worth > best + slack:
                    best, act = worth, "look"
            here[counts], choice[counts] = best, act
        after = here
    return _played(prior, table, choice, horizon, after[(0,) * width])


def _played(prior: Floats, table: Floats, choice: dict[Counts, str], horizon: int, value: float) -> Watching:
    """Follow the choices forwards: probabilities of each state of looking, by type."""
    width = table.shape[1]
    current: dict[Counts, Floats] = {(0,) * width: prior}
    by_period, struck, delay = np.zeros(horizon + 1), np.zeros(2), 0.0
    for looks in range(horizon + 1):
        following: dict[Counts, Floats] = {}
        for counts, mass in current.items():
            if choice[counts] == "attack":
                struck += mass
                by_period[looks] += float(mass.sum())
            elif choice[counts] == "look":
                delay += float(mass.sum())
                for x in range(width):
                    key = _plus(counts, x)
                    following[key] = following.get(key, np.zeros(2)) + mass * table[:, x]
        current = following
    return Watching(float(struck.sum()), float(struck[0]), delay, by_period, value)


def _posterior(prior: Floats, table: Floats, counts: Counts) -> Floats:
    with np.errstate(divide="ignore"):
        logs = np.log(prior)
        for x, n in enumerate(counts):
            if n:
                logs = logs + n * np.log(table[:, x])
    if np.isneginf(logs).all():
        return prior  # these counts cannot come about
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _compositions(total: int, parts: int) -> Iterator[Counts]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def _plus(counts: Counts, x: int) -> Counts:
    return (*counts[:x], counts[x] + 1, *counts[x + 1 :])


def _checked(rho: float, likelihood: ArrayLike, cost: float, horizon: int) -> Floats:
    table = np.asarray(likelihood, dtype=np.float64)
    if not 0 <= rho <= 1:
        raise ParameterError(f"rho must be a probability, got {rho!r}")
    if table.ndim != 2 or len(table) != 2 or (table < 0).any() or (np.abs(table.sum(axis=1) - 1) > 1e-12).any():
        raise ParameterError(
            f"likelihood must hold two distributions over indicators, shape (2, X), got {likelihood!r}"
        )
    if not cost >= 0:
        raise ParameterError(f"the cost of a look must not be negative, got {cost!r}")
    if isinstance(horizon, bool) or int(horizon) != horizon or horizon < 0:
        raise ParameterError(f"horizon must be a whole number of at least 0 (looks), got {horizon!r}")
    states = 1.0
    for x in range(1, table.shape[1] + 1):
        states *= (horizon + x) / x
    if states > _MOST_STATES:
        raise ParameterError(f"{states:,.0f} histories are too many; lower the horizon or merge indicators")
    return table

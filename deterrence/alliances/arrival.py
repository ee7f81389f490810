r"""What share of a member's strength is worth anything when it arrives: delay, lift and the time to agree.

A unit of strength that arrives at time t after the attack is worth min(1, exp(-(t - W) / tau)), W the window
and tau the decay. The order to move comes after a fixed delay d (consultation counted in) and the time T that
members need to agree; lift then brings the units in evenly over D days. The share is the mean of that worth over
T and over the units.

*Agreement.* If each of n members agrees after an exponential time of mean mu, independently, and k must have
agreed, then X = exp(-T / mu) has the beta distribution with parameters (n - k + 1, k), and with b = W - d > 0

.. math::
   E[\min(1, e^{(b - T)/\tau})] = 1 - I_{x}(n-k+1, k) + e^{b/\tau}
   \frac{B(n-k+1+\mu/\tau, k)}{B(n-k+1, k)} I_{x}(n-k+1+\mu/\tau, k), \qquad x = e^{-b/\mu}

with I the regularised incomplete beta function. For b <= 0 that is :math:`e^{b/\tau} \prod_{i=n-k+1}^n
\frac{i/\mu}{i/\mu + 1/\tau}`: with 1/tau for the rate of conquest, the probability that a response is in time in
a race against an attacker who needs an exponential time.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AT_ONCE = 1e-200  # days of lift that are none: below this, quotients of days underflow


def arriving_share(slack: Any, duration: Any, decay: Any, agreeing: tuple[int, int, Any] | None = None) -> Floats:
    """Return the share in [0, 1] that strength is worth, broadcast.

    Parameters
    ----------
    slack : array_like
        b = W - d, days between the first arrival (without the time to agree) and the end of the window.
    duration : array_like
        D >= 0, days from the first to the last arrival.
    decay : array_like
        tau > 0, days.
    agreeing : (int, int, array_like), optional
        n members of whom k must agree, and the mean days mu >= 0 that each needs.
    """
    b, d, tau = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (slack, duration, decay)))
    d = np.where(d < _AT_ONCE, 0.0, d)
    if agreeing is None:
        before = np.clip(b, 0.0, d)  # days of arrival within the window
        late, rest = np.maximum(-b, 0.0), d - before
        after = -np.expm1(-rest / tau) * tau * np.exp(-late / tau)
        return np.asarray(np.where(d > 0, (before + after) / np.where(d > 0, d, 1.0), np.exp(-late / tau)))
    n, k, mean = agreeing
    mu = np.asarray(mean, dtype=np.float64)
    late = _in_time(np.minimum(b, 0.0), tau, n, k, mu)
    if not (d > 0).any():
        return np.where(b > 0, _in_time(b, tau, n, k, mu), late)
    before = np.clip(b, 0.0, d)
    early = before * _mean_early(b, before, tau, n, k, mu)
    after = -np.expm1(-(d - before) / tau) * tau * late
    return np.asarray(
        np.where(d > 0, (early + after) / np.where(d > 0, d, 1.0), np.where(b > 0, _in_time(b, tau, n, k, mu), late))
    )


def _mean_early(latest: Floats, days: Floats, tau: Floats, n: int, k: int, mu: Floats) -> Floats:
    """Return the mean of E[min(1, exp((b - T) / tau))] over ``latest - days`` <= b <= ``latest``.

    The integrand bends where members agree, on the scale of mu, however short that is beside the days of arrival: the
    range is split at multiples of mu, and Gauss-Legendre quadrature taken on each part.
    """
    nodes, weights = _legendre()
    first, some = (latest - days)[..., None], np.where(days > 0, days, 1.0)[..., None]
    marks = np.asarray(mu, dtype=np.float64)[..., None] * _MARKS
    with np.errstate(over="ignore"):
        inner = np.clip((marks - first) / some, 0.0, 1.0)
    edges = np.concatenate([np.zeros_like(inner[..., :1]), inner, np.ones_like(inner[..., :1])], axis=-1)
    left, width = edges[..., :-1, None], np.diff(edges, axis=-1)
    times = first[..., None] + days[..., None, None] * (left + width[..., None] * nodes)
    values = _in_time(times, tau[..., None, None], n, k, np.asarray(mu, dtype=np.float64)[..., None, None])
    return np.asarray((width * (weights * values).sum(axis=-1)).sum(axis=-1))


_MARKS = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0])  # times mu


def _in_time(b: Any, tau: Any, n: int, k: int, mu: Any) -> Floats:
    """Return E[min(1, exp((b - T) / tau))]."""
    from scipy.special import betainc, betaln

    b, tau, mu = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (b, tau, mu)))
    first = n - k + 1
    some = np.where(mu > 0, mu, 1.0)
    discount = np.exp(betaln(first + some / tau, k) - betaln(first, k))
    x = np.exp(-np.maximum(b, 0.0) / some)
    with np.errstate(divide="ignore"):
        tail = np.exp(np.log(betainc(first + some / tau, k, x)) + np.maximum(b, 0.0) / tau)
    positive = 1 - betainc(first, k, x) + discount * tail
    agreed = np.where(b > 0, positive, discount * np.exp(np.minimum(b, 0.0) / tau))
    return np.asarray(np.where(mu > 0, agreed, np.exp(np.minimum(b, 0.0) / tau)), dtype=np.float64)


@cache
def _legendre() -> tuple[Floats, Floats]:
    x, w = np.polynomial.legendre.leggauss(20)
    return 0.5 * (x + 1), 0.5 * w

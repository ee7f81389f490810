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
    nodes, weights = _legendre()
    before = np.clip(b, 0.0, d)
    times = b[..., None] - before[..., None] * nodes
    wide = np.asarray(mu)[..., None]
    early = before * (weights * _in_time(times, tau[..., None], n, k, wide)).sum(axis=-1)
    after = -np.expm1(-(d - before) / tau) * tau * late
    return np.asarray(
        np.where(d > 0, (early + after) / np.where(d > 0, d, 1.0), np.where(b > 0, _in_time(b, tau, n, k, mu), late))
    )


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
    x, w = np.polynomial.legendre.leggauss(40)
    return 0.5 * (x + 1), 0.5 * w

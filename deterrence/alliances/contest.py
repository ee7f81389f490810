"""The contest success function H(S) = S^m / (S^m + A^m), and bounds on its slope and its bend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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


def contest_curvature(low: Any, high: Any, strength: Any, decisiveness: Any) -> Floats:
    r"""Return sup |H''| of the contest success function over strengths in [low, high], shape (...).

    With :math:`u = (S/A)^m`, :math:`H'' = (m/S^2)\,u\,[(m-1) - (m+1)u]/(1+u)^3`, whose extrema inside are
    where :math:`(m+1)(m+2)u^2 - 4(m^2-1)u + (m-1)(m-2) = 0`. Infinite where the range begins at 0 and m < 2,
    other than m = 1.
    """
    m = np.asarray(decisiveness, dtype=np.float64)
    low, high, a = (np.asarray(x, dtype=np.float64) for x in (low, high, strength))
    root = np.sqrt(np.maximum(3 * m * m * (m * m - 1), 0.0))
    stationary = [np.maximum(2 * (m * m - 1) + sign * root, 0.0) / ((m + 1) * (m + 2)) for sign in (-1, 1)]
    candidates = [low, high, *(np.clip(a * u ** (1 / m), low, high) for u in stationary)]
    found = np.zeros(np.broadcast_shapes(m.shape, low.shape, high.shape, a.shape))
    for s in candidates:
        at_zero = np.where(m == 1, 2 / a**2, np.where(m == 2, 2 / a**2, np.where(m > 2, 0.0, np.inf)))
        positive = np.where(s > 0, s, 1.0)
        with np.errstate(over="ignore"):
            u = np.minimum((positive / a) ** m, 1e100)
        inside = np.abs(m / positive**2 * u * ((m - 1) - (m + 1) * u) / (1 + u) ** 3)
        found = np.maximum(found, np.where(s > 0, inside, at_zero))
    return np.asarray(found)


def contest_steepness(low: Any, high: Any, strength: Any, decisiveness: Any) -> Floats:
    r"""Return sup H' of the contest success function over strengths in [low, high], shape (...).

    :math:`H' = (m/S)\,u/(1+u)^2` rises up to the inflection, where u = (m-1)/(m+1), and falls beyond; infinite
    where the range begins at 0 and m < 1.
    """
    m = np.asarray(decisiveness, dtype=np.float64)
    low, high, a = (np.asarray(x, dtype=np.float64) for x in (low, high, strength))
    turn = a * (np.maximum(m - 1, 0.0) / (m + 1)) ** (1 / m)
    s = np.clip(turn, low, high)
    positive = np.where(s > 0, s, 1.0)
    with np.errstate(over="ignore"):
        u = np.minimum((positive / a) ** m, 1e100)
    return np.asarray(
        np.where(s > 0, m / positive * u / (1 + u) ** 2, np.where(m == 1, 1 / a, np.where(m > 1, 0.0, np.inf)))
    )

"""Distributions of times and of private values on the half-line, with the interface that type distributions have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError


@dataclass(frozen=True, slots=True)
class Exponential:
    """Exponential types on [0, infinity); the interface of a frozen SciPy distribution at a fraction of its cost.

    Attributes
    ----------
    rate : float
        Per unit of the type; > 0.

    Examples
    --------
    >>> round(float(Exponential(2.0).cdf(1.0)), 6)
    0.864665
    """

    rate: float

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ParameterError(f"an exponential distribution needs a rate > 0, got {self.rate:g}")

    def cdf(self, x: Any) -> Any:
        """Return the probability of a type of at most ``x``."""
        return -np.expm1(-self.rate * np.maximum(np.asarray(x, dtype=np.float64), 0.0))

    def ppf(self, q: Any) -> Any:
        """Return the type below which a share ``q`` lies."""
        with np.errstate(divide="ignore"):
            return -np.log1p(-np.asarray(q, dtype=np.float64)) / self.rate

    def support(self) -> tuple[float, float]:
        """Return the ends of the range."""
        return 0.0, float("inf")


@dataclass(frozen=True, slots=True)
class KthOfMany:
    """The k-th smallest of ``members`` independent exponential times.

    Its quantile is that of the k-th of so many uniform shares, a beta distribution, carried over to times.

    Attributes
    ----------
    members, k : int
        1 <= k <= members.
    rate : float
        Of each time; > 0.

    Examples
    --------
    >>> round(float(KthOfMany(3, 1, 1.0).ppf(0.5)), 6)  # the first of three is three times as fast
    0.231049
    """

    members: int
    k: int
    rate: float

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.members:
            raise ParameterError(f"the k-th of N times needs 1 <= k <= N, got k = {self.k}, N = {self.members}")
        if not self.rate > 0:
            raise ParameterError(f"an exponential distribution needs a rate > 0, got {self.rate:g}")

    def cdf(self, x: Any) -> Any:
        """Return the probability of a time of at most ``x``."""
        from scipy.special import betainc

        return betainc(self.k, self.members - self.k + 1, Exponential(self.rate).cdf(x))

    def ppf(self, q: Any) -> Any:
        """Return the time below which a share ``q`` lies."""
        from scipy.special import betaincinv

        return Exponential(self.rate).ppf(betaincinv(self.k, self.members - self.k + 1, q))

    def support(self) -> tuple[float, float]:
        """Return the ends of the range."""
        return 0.0, float("inf")

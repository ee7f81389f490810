"""The families of distributions: their cumulative distributions, densities, quantiles and partial means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError, did_you_mean

Floats = NDArray[np.float64]

FAMILIES = ("normal", "logistic", "lognormal", "uniform", "two-point", "degenerate")


class Parameters(Protocol):
    """What a family needs to know: numbers, or batches of them."""

    @property
    def location(self) -> Any: ...  # noqa: D102
    @property
    def scale(self) -> Any: ...  # noqa: D102
    @property
    def shape(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def batch_shape(self) -> tuple[int, ...]: ...  # noqa: D102


class Law:
    """A family of continuous location-scale form: standard cdf, pdf and ppf in z = (x - location) / scale."""

    def cdf(self, x: Floats, d: Parameters) -> Floats:
        """Return P(value <= x)."""
        return self.standard_cdf((x - d.location) / d.scale)

    def pdf(self, x: Floats, d: Parameters) -> Floats:
        """Return the density at x."""
        return np.asarray(self.standard_pdf((x - d.location) / d.scale) / d.scale)

    def ppf(self, p: Floats, d: Parameters) -> Floats:
        """Return the quantiles at p."""
        return np.asarray(d.location + d.scale * self.standard_ppf(p))

    def mean(self, d: Parameters) -> Floats:
        """Return the mean."""
        return np.asarray(d.location, dtype=np.float64)

    def partial_mean(self, x: Floats, d: Parameters) -> Floats:
        """Return E[value 1{value <= x}]."""
        z = (x - d.location) / d.scale
        return np.asarray(d.location * self.standard_cdf(z) + d.scale * self.standard_partial(z))

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        """Return an upper bound of the density on [low, high]."""
        return self.pdf(np.clip(d.location, low, high), d)  # symmetric and unimodal

    def density_floor(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        """Return a lower bound of the density on [low, high]."""
        return np.minimum(self.pdf(low, d), self.pdf(high, d))  # unimodal; atoms have no density

    def standard_cdf(self, z: Floats) -> Floats:
        """Return F((x - location) / scale) as a function of z; each family has its own."""
        raise AssertionError(f"{type(self).__name__} lacks its standard form")

    standard_pdf = standard_ppf = standard_partial = standard_cdf


class _Normal(Law):
    def standard_cdf(self, z: Floats) -> Floats:
        from scipy.special import ndtr

        return np.asarray(ndtr(z))

    def standard_pdf(self, z: Floats) -> Floats:
        return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))

    def standard_ppf(self, p: Floats) -> Floats:
        from scipy.special import ndtri

        return np.asarray(ndtri(p))

    def standard_partial(self, z: Floats) -> Floats:
        return -self.standard_pdf(z)


class _Logistic(Law):
    def standard_cdf(self, z: Floats) -> Floats:
        from scipy.special import expit

        return np.asarray(expit(z))

    def standard_pdf(self, z: Floats) -> Floats:
        p = self.standard_cdf(-np.abs(z))
        return p * (1 - p)

    def standard_ppf(self, p: Floats) -> Floats:
        from scipy.special import logit

        return np.asarray(logit(p))

    def standard_partial(self, z: Floats) -> Floats:  # integral of z F'(z) up to z = z F(z) - log(1 + e^z)
        low = np.maximum(z, -745.0)  # both terms vanish below; keeps -inf * 0 away
        high = np.minimum(low, 745.0)
        return np.where(z > 745.0, 0.0, high * self.standard_cdf(high) - np.logaddexp(0.0, high))


class _Uniform(Law):
    def standard_cdf(self, z: Floats) -> Floats:
        return np.clip(z, 0.0, 1.0)

    def standard_pdf(self, z: Floats) -> Floats:
        return np.where((z >= 0) & (z <= 1), 1.0, 0.0)

    def standard_ppf(self, p: Floats) -> Floats:
        return np.asarray(p, dtype=np.float64)

    def standard_partial(self, z: Floats) -> Floats:
        return 0.5 * np.clip(z, 0.0, 1.0) ** 2

    def mean(self, d: Parameters) -> Floats:
        return np.asarray(d.location + 0.5 * d.scale)

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        touches = (high >= d.location) & (low <= d.location + d.scale)
        return np.where(touches, 1.0 / np.asarray(d.scale), 0.0)


class _Lognormal(_Normal):
    def _z(self, x: Floats, d: Parameters) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray((np.log(np.maximum(x, 0.0)) - d.location) / d.scale)

    def cdf(self, x: Floats, d: Parameters) -> Floats:
        return self.standard_cdf(self._z(x, d))

    def pdf(self, x: Floats, d: Parameters) -> Floats:
        positive = np.where(x > 0, x, 1.0)
        return np.where(x > 0, self.standard_pdf(self._z(positive, d)) / (d.scale * positive), 0.0)

    def ppf(self, p: Floats, d: Parameters) -> Floats:
        return np.exp(super().ppf(p, d))

    def mean(self, d: Parameters) -> Floats:
        return np.asarray(np.exp(d.location + 0.5 * np.square(d.scale)))

    def partial_mean(self, x: Floats, d: Parameters) -> Floats:
        return np.asarray(self.mean(d) * self.standard_cdf(self._z(x, d) - d.scale))

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        return self.pdf(np.clip(np.exp(d.location - np.square(d.scale)), low, high), d)


class _TwoPoint(Law):
    def cdf(self, x: Floats, d: Parameters) -> Floats:
        p = d.shape["probability"]
        return np.where(x >= d.location + d.scale, 1.0, np.where(x >= d.location, p, 0.0))

    def pdf(self, x: Floats, d: Parameters) -> Floats:
        return np.zeros(np.broadcast_shapes(x.shape, d.batch_shape))

    def ppf(self, p: Floats, d: Parameters) -> Floats:
        return np.where(p <= d.shape["probability"], d.location, np.asarray(d.location + d.scale))

    def mean(self, d: Parameters) -> Floats:
        return np.asarray(d.location + (1 - np.asarray(d.shape["probability"])) * d.scale)

    def partial_mean(self, x: Floats, d: Parameters) -> Floats:
        p, high = d.shape["probability"], np.asarray(d.location + d.scale)
        return np.where(x >= d.location, p * np.asarray(d.location), 0.0) + np.where(x >= high, (1 - p) * high, 0.0)

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        upper = d.location + d.scale
        inside = ((low <= d.location) & (d.location <= high)) | ((low <= upper) & (upper <= high))
        return np.where(inside, np.inf, 0.0)


class _Degenerate(Law):
    def cdf(self, x: Floats, d: Parameters) -> Floats:
        return np.where(x >= d.location, 1.0, 0.0)

    def pdf(self, x: Floats, d: Parameters) -> Floats:
        return np.zeros(np.broadcast_shapes(x.shape, d.batch_shape))

    def ppf(self, p: Floats, d: Parameters) -> Floats:
        return np.asarray(d.location + np.zeros_like(p))

    def partial_mean(self, x: Floats, d: Parameters) -> Floats:
        return np.where(x >= d.location, d.location, 0.0)

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        return np.where((low <= d.location) & (d.location <= high), np.inf, 0.0)


class _SciPy(Law):
    """A continuous distribution of scipy.stats, by name."""

    def __init__(self, name: str) -> None:
        self.family = _scipy_family(name)

    def cdf(self, x: Floats, d: Parameters) -> Floats:
        return np.asarray(self.family.cdf(x, loc=d.location, scale=d.scale, **d.shape))

    def pdf(self, x: Floats, d: Parameters) -> Floats:
        return np.asarray(self.family.pdf(x, loc=d.location, scale=d.scale, **d.shape))

    def ppf(self, p: Floats, d: Parameters) -> Floats:
        return np.asarray(self.family.ppf(p, loc=d.location, scale=d.scale, **d.shape))

    def mean(self, d: Parameters) -> Floats:
        return np.asarray(self.family.mean(loc=d.location, scale=d.scale, **d.shape))

    def partial_mean(self, x: Floats, d: Parameters) -> Floats:
        # E[X 1{X <= x}] is the integral of the quantile function up to F(x): Gauss-Legendre after p = F(x) u^2 (3 - 2u)
        nodes, weights = np.polynomial.legendre.leggauss(200)
        u = 0.5 * (nodes + 1)
        p = np.asarray(self.cdf(x, d))[..., None]
        shape = {name: np.asarray(value)[..., None] for name, value in d.shape.items()}
        location, scale = np.asarray(d.location)[..., None], np.asarray(d.scale)[..., None]
        slope = p * 6 * u * (1 - u)
        values = self.family.ppf(p * u * u * (3 - 2 * u), loc=location, scale=scale, **shape)
        return np.asarray((0.5 * weights * slope * np.where(p > 0, values, 0.0)).sum(axis=-1))

    def density_bound(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        return np.full(np.broadcast_shapes(low.shape, high.shape, d.batch_shape), np.inf)

    def density_floor(self, low: Floats, high: Floats, d: Parameters) -> Floats:
        return np.zeros(np.broadcast_shapes(low.shape, high.shape, d.batch_shape))


_LAWS: dict[str, Law] = {
    "normal": _Normal(),
    "logistic": _Logistic(),
    "uniform": _Uniform(),
    "lognormal": _Lognormal(),
    "two-point": _TwoPoint(),
    "degenerate": _Degenerate(),
}


def law(family: str) -> Law:
    """Return a family by name: one of ``FAMILIES``, or a continuous distribution of scipy.stats."""
    return _LAWS[family] if family in _LAWS else _SciPy(family)


def shape_names(family: str) -> tuple[str, ...]:
    """Return the names of the parameters of a family beside location and scale.

    Raises
    ------
    ParameterError
        If there is no such family.
    """
    if family in FAMILIES:
        return ("probability",) if family == "two-point" else ()
    shapes = _scipy_family(family).shapes
    return tuple(part.strip() for part in shapes.split(",")) if shapes else ()


def _scipy_family(name: str) -> Any:
    from scipy import stats

    family = getattr(stats, name, None) if isinstance(name, str) else None
    if not isinstance(family, stats.rv_continuous):
        hint = did_you_mean(name, FAMILIES)
        raise ParameterError(
            f"unknown family {name!r}; it must be {', '.join(FAMILIES)} or a continuous scipy.stats name{hint}"
        )
    return family

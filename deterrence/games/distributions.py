"""Distributions of a private value: a member's cost of fighting, or the aggressor's value of the prize.

One frozen record names a family and its parameters, so that a scenario file can hold it and a sweep can shift it;
parameters may be arrays, and then the record is a batch of distributions of one family.

============== ====================================================================== =========================
family         location, scale                                                        shape
============== ====================================================================== =========================
``normal``     mean, standard deviation
``logistic``   mean, scale s (standard deviation is pi s / sqrt 3)
``lognormal``  mean and standard deviation *of the logarithm*
``uniform``    lower end, width
``two-point``  lower value, distance to the upper value                               ``probability`` of the lower
``degenerate`` the value itself, scale unused
any other      ``loc`` and ``scale`` of the continuous SciPy distribution of that name its shape parameters by name
============== ====================================================================== =========================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.distribution_families import FAMILIES, law, shape_names
from deterrence.games.errors import ParameterError

Floats = NDArray[np.float64]

__all__ = [
    "FAMILIES",
    "Distribution",
    "DistributionRow",
    "degenerate",
    "logistic",
    "lognormal",
    "normal",
    "pick",
    "stack_last",
    "two_point",
    "uniform",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Distribution:
    """The distribution of one private value, or a batch of them.

    Attributes
    ----------
    family : str
        One of ``FAMILIES`` or the name of a continuous distribution of ``scipy.stats``.
    location, scale : array_like, shape (...)
        See the module's table; in the unit of the value (of its logarithm for ``lognormal``). ``scale > 0``,
        except for ``two-point`` (``>= 0``) and ``degenerate`` (unused).
    shape : mapping of str to array_like
        Further parameters by name: ``probability`` of the lower value for ``two-point``, SciPy's own otherwise.

    Raises
    ------
    ParameterError
        If the family is unknown, or a parameter is missing, unknown, not finite or out of range.

    Examples
    --------
    >>> cost = Distribution(family="uniform", location=0, scale=2)
    >>> float(cost.cdf(0.5))
    0.25
    """

    family: str = "normal"
    location: Any = 0.0
    scale: Any = 1.0
    shape: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "location", _finite(self.location, "location"))
        object.__setattr__(self, "scale", _finite(self.scale, "scale"))
        object.__setattr__(self, "shape", {name: _finite(value, name) for name, value in self.shape.items()})
        self._check()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Distribution):
            return NotImplemented
        mine, its = self._parameters(), other._parameters()
        return (
            self.family == other.family
            and mine.keys() == its.keys()
            and all(np.array_equal(mine[name], its[name]) for name in mine)
        )

    def __hash__(self) -> int:
        return hash((self.family, *((name, np.asarray(value).tobytes()) for name, value in self._parameters().items())))

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of the parameters, broadcast."""
        return np.broadcast_shapes(*(np.shape(value) for value in self._parameters().values()))

    @property
    def continuous(self) -> bool:
        """Whether the distribution has no atoms."""
        return self.family not in ("two-point", "degenerate")

    def cdf(self, x: ArrayLike) -> Floats:
        """Return P(value <= x), broadcast over the parameters."""
        return law(self.family).cdf(np.asarray(x, dtype=np.float64), self)

    def pdf(self, x: ArrayLike) -> Floats:
        """Return the density at x (zero where there is only an atom)."""
        return law(self.family).pdf(np.asarray(x, dtype=np.float64), self)

    def ppf(self, p: ArrayLike) -> Floats:
        """Return the smallest x with P(value <= x) >= p; the lower end of the support at p = 0."""
        return law(self.family).ppf(np.asarray(p, dtype=np.float64), self)

    def mean(self) -> Floats:
        """Return the mean (infinite where it does not exist)."""
        return law(self.family).mean(self)

    def partial_mean(self, x: ArrayLike) -> Floats:
        """Return E[value 1{value <= x}], what is expected to be paid by those below a cutpoint x."""
        return law(self.family).partial_mean(np.asarray(x, dtype=np.float64), self)

    def density_bound(self, low: ArrayLike, high: ArrayLike) -> Floats:
        """Return an upper bound of the density on [low, high]; infinite where none is known or an atom lies inside."""
        return law(self.family).density_bound(np.asarray(low, float), np.asarray(high, float), self)

    def density_floor(self, low: ArrayLike, high: ArrayLike) -> Floats:
        """Return a lower bound of the density on [low, high]; 0 where none better is known."""
        return law(self.family).density_floor(np.asarray(low, float), np.asarray(high, float), self)

    def rvs(self, rng: np.random.Generator, size: int | tuple[int, ...] = ()) -> Floats:
        """Return draws, of shape ``size`` + batch shape."""
        shape = (size,) if isinstance(size, int) else tuple(size)
        return np.asarray(self.ppf(rng.random(shape + self.batch_shape)))

    def _parameters(self) -> dict[str, Any]:
        scale = {} if self.family == "degenerate" else {"scale": self.scale}
        return {"location": self.location, **scale, **self.shape}

    def _check(self) -> None:
        known = shape_names(self.family)
        for name in self.shape:
            if name not in known:
                raise ParameterError(
                    f"a {self.family} distribution has no parameter {name!r}; beside location and scale it has "
                    f"{', '.join(known) or 'none'}"
                )
        for name in known:
            if name not in self.shape:
                raise ParameterError(f"a {self.family} distribution needs {name!r} in shape")
        if self.family == "two-point":
            p = np.asarray(self.shape["probability"])
            if ((p < 0) | (p > 1)).any():
                raise ParameterError(f"probability of a two-point distribution must lie in [0, 1], got {p}")
            if (np.asarray(self.scale) < 0).any():
                raise ParameterError(f"scale of a two-point distribution must be at least 0, got {self.scale}")
        elif self.family != "degenerate" and (np.asarray(self.scale) <= 0).any():
            raise ParameterError(
                f"scale of a {self.family} distribution must be above 0, got {np.min(self.scale):g}; "
                "for a value known for certain use family 'degenerate'"
            )


def normal(mean: ArrayLike, deviation: ArrayLike) -> Distribution:
    """Return a normal distribution."""
    return Distribution(family="normal", location=mean, scale=deviation)


def logistic(mean: ArrayLike, scale: ArrayLike) -> Distribution:
    """Return a logistic distribution."""
    return Distribution(family="logistic", location=mean, scale=scale)


def lognormal(log_mean: ArrayLike, log_deviation: ArrayLike) -> Distribution:
    """Return a lognormal distribution from the mean and standard deviation of the logarithm."""
    return Distribution(family="lognormal", location=log_mean, scale=log_deviation)


def uniform(low: ArrayLike, high: ArrayLike) -> Distribution:
    """Return the uniform distribution on [low, high]."""
    return Distribution(family="uniform", location=low, scale=np.asarray(high, float) - np.asarray(low, float))


def two_point(low: ArrayLike, high: ArrayLike, probability: ArrayLike) -> Distribution:
    """Return a distribution on two values; ``probability`` is that of the lower one."""
    scale = np.asarray(high, float) - np.asarray(low, float)
    return Distribution(family="two-point", location=low, scale=scale, shape={"probability": probability})


def degenerate(value: ArrayLike) -> Distribution:
    """Return a value known for certain."""
    return Distribution(family="degenerate", location=value)


class DistributionRow:
    """N distributions side by side: cdf, pdf and ppf of arrays whose last axis runs over them.

    Distributions of one family are evaluated in one call.

    Parameters
    ----------
    distributions : sequence of Distribution
        One per column.
    """

    def __init__(self, distributions: Sequence[Distribution]) -> None:
        self.distributions = tuple(distributions)

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """The columns."""
        found: dict[int, Distribution] = {}
        for index, stacked in self._groups:
            for k, i in enumerate(np.arange(self._count)[index]):
                found[int(i)] = _remade(stacked, partial(_column, k=k))
        return tuple(found[i] for i in range(self._count))

    @cached_property
    def _count(self) -> int:
        return len(self.distributions)

    @cached_property
    def _groups(self) -> list[tuple[NDArray[np.intp] | slice, Distribution]]:
        families: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for i, one in enumerate(self.distributions):
            families.setdefault((one.family, tuple(sorted(one.shape))), []).append(i)
        groups: list[tuple[NDArray[np.intp] | slice, Distribution]] = []
        for (family, names), index in families.items():
            members = [self.distributions[i] for i in index]
            stacked = Distribution(
                family=family,
                location=stack_last([one.location for one in members]),
                scale=1.0 if family == "degenerate" else stack_last([one.scale for one in members]),
                shape={name: stack_last([one.shape[name] for one in members]) for name in names},
            )
            everyone = len(families) == 1
            groups.append((slice(None) if everyone else np.array(index, dtype=np.intp), stacked))
        return groups

    @cached_property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of the parameters, broadcast over the columns."""
        shapes = [np.shape(value)[:-1] for _, one in self._groups for value in one._parameters().values()]
        return np.broadcast_shapes(*shapes)

    @cached_property
    def continuous(self) -> bool:
        """Whether no column has an atom."""
        return all(one.continuous for _, one in self._groups)

    def cdf(self, x: Floats) -> Floats:
        """Return P(value_i <= x[..., i]), shape (..., N)."""
        return self._each("cdf", x)

    def pdf(self, x: Floats) -> Floats:
        """Return the densities at x[..., i], shape (..., N)."""
        return self._each("pdf", x)

    def ppf(self, p: Floats) -> Floats:
        """Return the quantiles at p[..., i], shape (..., N)."""
        return self._each("ppf", p)

    def partial_mean(self, x: Floats) -> Floats:
        """Return E[value_i 1{value_i <= x[..., i]}], shape (..., N)."""
        return self._each("partial_mean", x)

    def density_bound(self, low: Floats, high: Floats) -> Floats:
        """Return upper bounds of the densities on [low_i, high_i], shape (..., N)."""
        return self._each("density_bound", low, high)

    def at(self, index: Any, shape: tuple[int, ...]) -> DistributionRow:
        """Return the row at one index (or a slice) of batch dimensions ``shape``, to which it broadcasts."""

        def take(value: Any) -> Any:
            return value if np.ndim(value) <= 1 else np.broadcast_to(value, (*shape, np.shape(value)[-1]))[index]

        return self._changed(take)

    def reshape(self, shape: tuple[int, ...], size: int) -> DistributionRow:
        """Return the row with its batch dimensions, broadcast to ``shape``, as one axis of ``size``."""

        def flat(value: Any) -> Any:
            if np.ndim(value) <= 1:
                return value
            return np.broadcast_to(value, (*shape, np.shape(value)[-1])).reshape(size, -1)

        return self._changed(flat)

    def columns(self) -> list[Floats]:
        """Return every parameter that has batch dimensions, shape (..., k) for k columns of a family."""
        return [value for _, one in self._groups for value in one._parameters().values() if np.ndim(value) > 1]

    def _changed(self, change: Callable[[Any], Any]) -> DistributionRow:
        if not self.batch_shape:
            return self
        row = DistributionRow.__new__(DistributionRow)
        row._count = self._count
        row._groups = [(index, _remade(one, change)) for index, one in self._groups]
        return row

    def _each(self, method: str, *arguments: Floats) -> Floats:
        groups = self._groups
        if len(groups) == 1:
            return np.asarray(getattr(groups[0][1], method)(*arguments))
        shape = np.broadcast_shapes(*(a.shape for a in arguments), (*self.batch_shape, self._count))
        result = np.empty(shape)
        for index, one in groups:
            result[..., index] = getattr(one, method)(*(np.broadcast_to(a, shape)[..., index] for a in arguments))
        return result


def pick(one: Distribution, shape: tuple[int, ...], index: Any) -> Distribution:
    """Return a distribution at an index of the batch ``shape`` that its parameters broadcast to."""

    def take(value: Any) -> Any:
        return value if np.ndim(value) == 0 else np.broadcast_to(value, shape)[index]

    if not one.batch_shape:
        return one
    return Distribution(
        family=one.family,
        location=take(one.location),
        scale=take(one.scale),
        shape={name: take(value) for name, value in one.shape.items()},
    )


def _column(value: Any, k: int) -> Any:
    return value if np.ndim(value) == 0 else value[..., k]


def _remade(one: Distribution, change: Callable[[Any], Any]) -> Distribution:
    """Return a distribution with other arrays for parameters, all of them values that were checked before."""
    made = object.__new__(Distribution)
    object.__setattr__(made, "family", one.family)
    object.__setattr__(made, "location", change(one.location))
    object.__setattr__(made, "scale", change(one.scale))
    object.__setattr__(made, "shape", {name: change(value) for name, value in one.shape.items()})
    return made


def stack_last(values: Sequence[Any]) -> Floats:
    """Return numbers and batches side by side on a new last axis."""
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in values))
    return np.stack(arrays, axis=-1)


def _finite(value: Any, name: str) -> Any:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} of a distribution must be a number, got {value!r}") from None
    if not np.isfinite(array).all():
        raise ParameterError(f"{name} of a distribution must be finite, got {value}")
    if array.ndim == 0:
        return float(array)
    array = array.copy()
    array.setflags(write=False)
    return array

"""Samples of points: Latin hypercube, Sobol and Halton, over ranges or distributions, correlated or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deterrence.games.errors import ParameterError
from deterrence.games.quantities import real_number
from deterrence.sweeps.designs import Floats, Grid, Range, Sample, column, require_memory


def design_of(
    over: Any, *, samples: int | None = None, method: str = "sobol", seed: int | None = None
) -> Grid | Sample:
    """Return the design that ``over`` means: a design, a mapping of axes, or (with ``samples``) of ranges.

    Raises
    ------
    ParameterError
        If it means none.
    """
    methods = {"sobol": sobol, "halton": halton, "latin hypercube": latin_hypercube}
    if isinstance(over, Grid | Sample):
        if samples is not None:
            raise ParameterError(f"samples={samples!r} goes with ranges, but over= is a design already")
        return over
    if not isinstance(over, Mapping):
        raise ParameterError(f"over must be a design or map names to values, got {type(over).__name__}")
    if samples is None:
        return Grid({str(name): values for name, values in over.items()})
    if method not in methods:
        raise ParameterError(f"no sampling method {method!r}; there are {', '.join(map(repr, methods))}")
    return methods[method]({str(name): r for name, r in over.items()}, samples, seed=seed)


def unit_to_ranges(ranges: Mapping[str, Range], unit: Floats) -> dict[str, Floats]:
    """Return points of the unit cube, shape (n, d), in the parameters' own ranges.

    Raises
    ------
    ParameterError
        If a range is neither an ordered pair of finite numbers nor a distribution.
    """
    columns = {}
    for (name, given), u in zip(ranges.items(), unit.T, strict=True):
        if hasattr(given, "ppf"):
            values = np.asarray(given.ppf(u), dtype=np.float64)
        else:
            low, high = _ends(given, name)
            values = low + u * (high - low)
        columns[name] = column(values, name)
    return columns


def latin_hypercube(
    ranges: Mapping[str, Range], samples: int, *, seed: int | None = None, correlation: ArrayLike | None = None
) -> Sample:
    """Return a Latin hypercube: each parameter's range is cut into ``samples`` strata, each of which is hit once.

    Parameters
    ----------
    ranges : mapping of str to (low, high) or distribution
        Range of each parameter (uniform), or a frozen distribution of ``scipy.stats``.
    samples : int
        Number of points.
    seed : int, optional
        By default a fresh one, which the design keeps in ``recipe["seed"]``.
    correlation : array_like, shape (d, d), optional
        Rank correlation that the points shall have, brought about by reordering each column [1]_, so that the
        strata are still hit once.

    Raises
    ------
    ParameterError
        If a range, the number or the correlation is not admissible.

    References
    ----------
    .. [1] R. L. Iman and W. J. Conover, "A distribution-free approach to inducing rank correlation among input
       variables",
       Communications in Statistics B 11 (1982), 311-334.

    Examples
    --------
    >>> design = latin_hypercube({"p": (0, 1), "k": (0, 2)}, 4, seed=1)
    >>> sorted(int(4 * p) for p in design.columns["p"])
    [0, 1, 2, 3]
    """
    from scipy.stats import qmc

    used = _seed(seed)
    d = _dimension(ranges, samples)
    unit = qmc.LatinHypercube(d, rng=np.random.default_rng(used)).random(samples)
    if correlation is not None:
        unit = _reordered(unit, _correlation(correlation, d), np.random.default_rng([used, 1]))
    return _sample("latin hypercube", ranges, unit, used, correlation)


def sobol(
    ranges: Mapping[str, Range], samples: int, *, seed: int | None = None, correlation: ArrayLike | None = None
) -> Sample:
    """Return the first points of a scrambled Sobol sequence; a power of two of them is balanced.

    Parameters
    ----------
    ranges, samples, seed
        As in ``latin_hypercube``.
    correlation : array_like, shape (d, d), optional
        Correlation of a Gaussian copula.

    Raises
    ------
    ParameterError
        If a range, the number or the correlation is not admissible.

    Examples
    --------
    >>> len(sobol({"p": (0, 1), "k": (0, 2)}, 8, seed=0))
    8
    """
    from scipy.stats import qmc

    used = _seed(seed)
    d = _dimension(ranges, samples)
    power = max(0, math.ceil(math.log2(samples)))  # drawn as a balanced set, then cut
    unit = qmc.Sobol(d, rng=np.random.default_rng(used)).random_base2(power)[:samples]
    return _sample("sobol", ranges, _copula(unit, correlation), used, correlation)


def halton(
    ranges: Mapping[str, Range], samples: int, *, seed: int | None = None, correlation: ArrayLike | None = None
) -> Sample:
    """Return the first points of a scrambled Halton sequence; see ``sobol`` for the parameters.

    Raises
    ------
    ParameterError
        If a range, the number or the correlation is not admissible.

    Examples
    --------
    >>> len(halton({"p": (0, 1), "k": (0, 2)}, 5, seed=0))
    5
    """
    from scipy.stats import qmc

    used = _seed(seed)
    d = _dimension(ranges, samples)
    unit = qmc.Halton(d, rng=np.random.default_rng(used)).random(samples)
    return _sample("halton", ranges, _copula(unit, correlation), used, correlation)


def _ends(given: Any, name: str) -> tuple[float, float]:
    try:
        low, high = (real_number(x, f"an end of the range of {name!r}") for x in given)
    except (TypeError, ValueError) as error:
        if isinstance(error, ParameterError) and "beyond the range" in str(error):
            raise
        raise ParameterError(
            f"the range of {name!r} must be (low, high) or a distribution of scipy.stats, got {given!r}"
        ) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ParameterError(f"the range of {name!r} must have finite low < high, got ({low:g}, {high:g})")
    return low, high


def _dimension(ranges: Mapping[str, Range], samples: int) -> int:
    if not ranges:
        raise ParameterError("a sample needs at least one parameter, got none")
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 1:
        raise ParameterError(f"samples must be a whole number of at least 1, got {samples!r}")
    require_memory(32.0 * int(samples) * len(ranges), "a design of so many samples", "ask for fewer samples")
    return len(ranges)


def _seed(seed: int | None) -> int:
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(11))  # fits a float, so JSON
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ParameterError(f"seed must be a whole number of at least 0, got {seed!r}")
    return int(seed)


def _correlation(given: ArrayLike, d: int) -> Floats:
    matrix = np.asarray(given, dtype=np.float64)
    if matrix.shape != (d, d) or not np.allclose(matrix, matrix.T) or not np.allclose(np.diag(matrix), 1):
        raise ParameterError(
            f"correlation must be a symmetric {d} x {d} matrix with ones on its diagonal, got {matrix.tolist()}"
        )
    if np.linalg.eigvalsh(matrix).min() <= 0:
        raise ParameterError(f"correlation must be positive definite, got {matrix.tolist()}")
    return matrix


def _copula(unit: Floats, correlation: ArrayLike | None) -> Floats:
    """Return uniform points with the dependence of a Gaussian copula."""
    if correlation is None:
        return unit
    from scipy.special import ndtr, ndtri

    root = np.linalg.cholesky(_correlation(correlation, unit.shape[1]))
    tiny = np.finfo(float).eps
    mixed: Floats = ndtr(ndtri(np.clip(unit, tiny, 1 - tiny)) @ root.T)
    return mixed


def _reordered(unit: Floats, correlation: Floats, rng: np.random.Generator) -> Floats:
    """Reorder each column so that ranks correlate as asked (Iman and Conover)."""
    from scipy.special import ndtri

    n, d = unit.shape
    if n <= d:
        raise ParameterError(f"correlated points need samples > {d}, got {n}")
    scores = ndtri(np.arange(1, n + 1) / (n + 1))
    shuffled = np.stack([rng.permutation(scores) for _ in range(d)], axis=1)
    pearson = 2 * np.sin(np.pi / 6 * correlation)  # the normal scores' correlation that gives these rank correlations
    np.fill_diagonal(pearson, 1.0)
    present = np.linalg.cholesky(np.corrcoef(shuffled, rowvar=False).reshape(d, d))
    target = shuffled @ np.linalg.inv(present).T @ np.linalg.cholesky(pearson).T
    ranks = target.argsort(axis=0).argsort(axis=0)
    return np.take_along_axis(np.sort(unit, axis=0), ranks, axis=0)


def _sample(kind: str, ranges: Mapping[str, Range], unit: Floats, seed: int, correlation: ArrayLike | None) -> Sample:
    columns = unit_to_ranges(ranges, unit)
    recipe: dict[str, Any] = {
        "kind": kind,
        "seed": seed,
        "samples": len(unit),
        "ranges": {name: range_text(given) for name, given in ranges.items()},
    }
    if correlation is not None:
        recipe["correlation"] = np.asarray(correlation, dtype=np.float64).tolist()
    return Sample(columns, recipe)


def range_text(given: Range) -> Any:
    """Return a range as JSON-able data."""
    if hasattr(given, "ppf"):
        inner = getattr(given, "dist", given)
        arguments: Sequence[Any] = [*getattr(given, "args", ()), *sorted(getattr(given, "kwds", {}).items())]
        return f"{getattr(inner, 'name', type(inner).__name__)}({', '.join(map(str, arguments))})"
    return [float(x) for x in given]

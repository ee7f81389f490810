r"""Which parameters matter: Sobol' indices with confidence intervals, and swings one at a time.

With :math:`f_A, f_B` the answers at two independent samples and :math:`f_{AB_i}` those at A with column i from B, the
first-order index is estimated by :math:`\overline{f_B (f_{AB_i} - f_A)} / V` [1]_ and the total one by
:math:`\overline{(f_A - f_{AB_i})^2} / 2V` [2]_, with V the variance over A and B.

``scipy.stats.sobol_indices`` has the same estimators, and a test compares; it cannot serve here, since it takes only
powers of two of points that all have an answer, and a sweep may fail at some, which are then left out.

References
----------
.. [1] A. Saltelli et al., "Variance based sensitivity analysis of model output", Computer Physics Communications 181
   (2010),
   259-270, Table 2 (b).
.. [2] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics Communications 117 (1999),
   35-43.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.sweeps.designs import Floats, Range, Sample, require_memory
from deterrence.sweeps.sampling import range_text, unit_to_ranges
from deterrence.sweeps.sweep import sweep

if TYPE_CHECKING:
    import xarray as xr

_COUNTS = 4_000_000  # weights of resamples that are in memory at once


def sobol_indices(
    target: Any,
    ranges: Mapping[str, Range],
    *,
    samples: int = 1024,
    seed: int | None = None,
    variable: str | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    **options: Any,
) -> xr.Dataset:
    """Return Sobol' indices of an answer: the shares of its variance that parameters account for.

    Parameters
    ----------
    target : Model, Scenario or game
    ranges : mapping of str to (low, high) or distribution
        Of each parameter, taken as independent.
    samples : int
        Points of each of the two base samples, best a power of two; the target is asked at ``samples * (d + 2)``
        points.
    seed : int, optional
        By default a fresh one, kept in the result's attributes.
    variable, confidence, resamples
        As in ``indices_of``.
    **options
        Of ``sweep``, a store among them.

    Raises
    ------
    ParameterError
        If a range or an option is wrong, or the answer does not vary.

    Examples
    --------
    >>> import deterrence as dt
    >>> p, k = dt.symbols("p k")
    >>> game = dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, k]], [[1, k]]])
    >>> found = sobol_indices(game, {"p": (0, 1), "k": (0, 0.1)}, samples=256, seed=1)
    >>> found.total.sel(parameter="p").item() > 0.9 > found.total.sel(parameter="k").item()
    True
    """
    design = saltelli(ranges, samples, seed=seed)
    return indices_of(
        sweep(target, design, **options),
        variable=variable,
        confidence=confidence,
        resamples=resamples,
        seed=design.recipe["seed"],
    )


def saltelli(ranges: Mapping[str, Range], samples: int, *, seed: int | None = None) -> Sample:
    """Return the points that Sobol' indices need: samples A and B, and A with each column taken from B.

    Raises
    ------
    ParameterError
        If a range or the number is wrong.

    Examples
    --------
    >>> saltelli({"p": (0, 1), "k": (0, 2)}, 8, seed=0).shape
    (32,)
    """
    from scipy.stats import qmc

    d = len(ranges)
    if d < 1 or isinstance(samples, bool) or samples < 2:
        raise ParameterError(f"Sobol' indices need at least one range and two samples, got {d} and {samples!r}")
    require_memory(48.0 * int(samples) * d * (d + 2), "a design of so many samples", "ask for fewer samples")
    used = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    power = math.ceil(math.log2(samples))
    both = qmc.Sobol(2 * d, rng=np.random.default_rng(used)).random_base2(power)[:samples]
    a, b = both[:, :d], both[:, d:]
    mixed = np.repeat(a[None], d, axis=0)
    for i in range(d):
        mixed[i, :, i] = b[:, i]
    unit = np.concatenate([a, b, mixed.reshape(-1, d)])
    recipe = {
        "kind": "saltelli",
        "names": list(ranges),
        "seed": used,
        "samples": samples,
        "ranges": {name: range_text(given) for name, given in ranges.items()},
    }
    return Sample(unit_to_ranges(ranges, unit), recipe)


def indices_of(
    result: xr.Dataset,
    *,
    variable: str | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Return Sobol' indices from the result of a sweep over a ``saltelli`` design.

    Parameters
    ----------
    result : Dataset
    variable : str, optional
        By default the first ``<event>_high``.
    confidence : float
        Coverage of the percentile bootstrap intervals.
    resamples : int
        Bootstrap resamples.
    seed : int
        Of the resamples.

    Returns
    -------
    Dataset
        Along ``parameter``: ``first``, ``total`` and the ends of their intervals, ``first_low``, ``first_high``,
        ``total_low``, ``total_high``. Attributes: variance, mean, and how many rows were used and dropped for want of
        an answer.

    Raises
    ------
    ParameterError
        If the design is another, or the answer does not vary.
    """
    import json

    import xarray as xr

    design = json.loads(str(result.attrs["specification"]))["design"]
    if design.get("kind") != "saltelli":
        raise ParameterError(
            f"Sobol' indices need a sweep over saltelli(...), got one over a design of kind {design.get('kind')!r}"
        )
    if not 0 < confidence < 1 or resamples < 1:
        raise ParameterError(
            f"confidence must lie in (0, 1), resamples be at least 1, got {confidence!r}, {resamples!r}"
        )
    name = variable or next(str(n) for n in result.data_vars if str(n).endswith("_high"))
    if name not in result:
        raise ParameterError(f"the sweep has no variable {name!r}; it has {', '.join(map(str, result.data_vars))}")
    names = [str(name) for name in design["names"]]
    values = result[name].values.astype(np.float64).reshape(len(names) + 2, -1)
    whole = np.isfinite(values).all(axis=0)
    kept = values[:, whole]
    if kept.shape[1] < 2 or float(np.ptp(kept[:2])) == 0:
        raise ParameterError(
            f"{name} does not vary over these ranges ({kept.shape[1]} rows with answers): it has no Sobol' indices"
        )
    mean = float(kept[:2].mean())
    rows = _row_statistics(kept - mean)
    first, total = _indices(rows.mean(axis=0)[None], len(names))
    spread = _resampled(rows, len(names), resamples, seed)
    tail = 100 * (1 - confidence) / 2
    ends = [np.percentile(s, [tail, 100 - tail], axis=0) for s in spread]
    columns = {
        "first": first[0], "first_low": ends[0][0], "first_high": ends[0][1],
        "total": total[0], "total_low": ends[1][0], "total_high": ends[1][1],
    }  # fmt: skip
    attributes = {
        "variable": name,
        "mean": mean,
        "variance": float(kept[:2].var()),
        "confidence": confidence,
        "resamples": resamples,
        "used": int(whole.sum()),
        "dropped": int((~whole).sum()),
        "seed": int(design["seed"]),
    }
    return xr.Dataset({k: ("parameter", v) for k, v in columns.items()}, {"parameter": names}, attributes)


def influence(
    target: Any,
    base: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
    *,
    variable: str | None = None,
    **options: Any,
) -> xr.Dataset:
    """Return what each parameter does when it alone moves from the base to either end of its range.

    Parameters
    ----------
    target : Model, Scenario or game
    base : mapping of str to float
        Value of each parameter in ``ranges``.
    ranges : mapping of str to (low, high)
    variable : str, optional
        By default the first ``<event>_high``.
    **options
        Of ``sweep``.

    Returns
    -------
    Dataset
        Along ``parameter``, the widest swing first: ``at_low``, ``at_high``, ``swing`` (their distance), ``low``,
        ``high``, ``base``. The attribute ``base`` is the answer at the base.

    Raises
    ------
    ParameterError
        If the base lacks a parameter.
    """
    import xarray as xr

    from deterrence.sweeps.designs import one_at_a_time

    result = sweep(target, one_at_a_time(base, {name: list(ends) for name, ends in ranges.items()}), **options)
    name = variable or next(str(n) for n in result.data_vars if str(n).endswith("_high"))
    if name not in result:
        raise ParameterError(f"the sweep has no variable {name!r}; it has {', '.join(map(str, result.data_vars))}")
    values = result[name].values.astype(np.float64)
    ends = values[1:].reshape(-1, 2)
    swing = np.abs(ends[:, 1] - ends[:, 0])
    order = np.argsort(-np.where(np.isnan(swing), -1.0, swing), kind="stable")
    table: dict[str, Floats] = {
        "at_low": ends[:, 0], "at_high": ends[:, 1], "swing": swing,
        "low": np.array([float(low) for low, _ in ranges.values()]),
        "high": np.array([float(high) for _, high in ranges.values()]),
        "base": np.array([float(base[n]) for n in ranges]),
    }  # fmt: skip
    columns = {key: ("parameter", column[order]) for key, column in table.items()}
    return xr.Dataset(
        columns, {"parameter": np.array(list(ranges))[order]}, {"variable": name, "base": float(values[0])}
    )


def _row_statistics(values: Floats) -> Floats:
    """Return what the estimates are means of, row by row, shape (N, 2 + 2 d)."""
    a, b, mixed = values[0], values[1], values[2:]
    columns = [(a + b) / 2, (a * a + b * b) / 2, *(b * (m - a) for m in mixed), *((a - m) ** 2 / 2 for m in mixed)]
    return np.stack(columns, axis=1)


def _indices(means: Floats, d: int) -> tuple[Floats, Floats]:
    variance = means[:, 1] - means[:, 0] ** 2
    safe = np.where(variance > 0, variance, np.nan)[:, None]
    return means[:, 2 : 2 + d] / safe, means[:, 2 + d :] / safe


def _resampled(rows: Floats, d: int, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Return first and total indices of bootstrap resamples of the rows, shape (resamples, d) each."""
    rng, n = np.random.default_rng(seed), len(rows)
    at_once = max(1, _COUNTS // n)
    parts: list[tuple[Floats, Floats]] = []
    for begin in range(0, resamples, at_once):
        size = min(at_once, resamples - begin)
        drawn: NDArray[np.int64] = rng.integers(n, size=(size, n))
        counts = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)
        parts.append(_indices(counts @ rows / n, d))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

"""Scenario discovery: the region of the parameters in which deterrence fails.

The patient rule induction method (PRIM) [1]_, as used for scenario discovery [2]_: a box around all points is peeled,
a thin slice at a time, so that failures become denser in it; then it is widened again where that costs no density.
Boxes are plain to read: a range for each parameter that matters.

References
----------
.. [1] J. H. Friedman and N. I. Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9 (1999),
   123-143.
.. [2] B. P. Bryant and R. J. Lempert, "Thinking inside the box", Technol. Forecast. Soc. Change 77 (2010), 34-49.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

if TYPE_CHECKING:
    import xarray as xr

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Box(Value):
    """A region in which an outcome is common.

    Attributes
    ----------
    limits : mapping of str to (low, high)
        Of each parameter that the box restricts; the others may be anything.
    coverage : float
        Share of all cases of interest that lie in the box.
    density : float
        Share of the points in the box that are of interest.
    mass : float
        Share of all points that lie in the box.
    p_values : mapping of str to float
        For each restricted parameter, the probability of a density as high if the restriction did nothing (one-sided
        binomial, against the density of the box without it).
    trajectory : tuple of (mass, coverage, density)
        The boxes passed while peeling.
    """

    limits: Mapping[str, tuple[float, float]]
    coverage: float
    density: float
    mass: float
    p_values: Mapping[str, float]
    trajectory: tuple[tuple[float, float, float], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        rules = (
            "; ".join(f"{low:.4g} <= {name} <= {high:.4g}" for name, (low, high) in self.limits.items()) or "everywhere"
        )
        return f"{rules}  (density {self.density:.0%}, coverage {self.coverage:.0%}, mass {self.mass:.0%})"


def discover(
    result: xr.Dataset,
    where: Callable[[xr.Dataset], Any] | Any,
    *,
    boxes: int = 1,
    peel: float = 0.05,
    paste: float = 0.01,
    smallest: float = 0.05,
) -> tuple[Box, ...]:
    """Return boxes of parameters in which some outcome is common.

    Parameters
    ----------
    result : Dataset
        Of ``sweep``, over a sample or a grid.
    where : callable or array of bool
        The cases of interest, such as ``lambda r: r.attack_high > 0.5``; points without an answer are left out.
    boxes : int
        How many to look for, each among the points outside those before.
    peel, paste : float
        Share of the box's points that one step takes off, or adds.
    smallest : float
        Least share of all points that a box may hold.

    Raises
    ------
    ParameterError
        If no point, or every point, is of interest, or a share is not in (0, 1).

    Examples
    --------
    >>> import deterrence as dt
    >>> from deterrence.sweeps.sweep import sweep
    >>> p, k = dt.symbols("p k")
    >>> game = dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, k]], [[1, k]]])
    >>> result = sweep(game, {"p": (0, 1), "k": (0, 0.1)}, samples=512, seed=1)
    >>> box, = discover(result, lambda r: r.attack_high > 0.5)
    >>> list(box.limits), box.density > 0.9
    (['p'], True)
    """
    for what, share in (("peel", peel), ("paste", paste), ("smallest", smallest)):
        if not 0 < share < 1:
            raise ParameterError(f"{what} must lie in (0, 1), got {share!r}")
    names, points, wanted = _cases(result, where)
    if not wanted.any() or wanted.all():
        raise ParameterError(
            f"{int(wanted.sum())} of {wanted.size} points are of interest: there is no region to tell apart"
        )
    free = np.ones(wanted.size, dtype=np.bool_)
    found: list[Box] = []
    least = max(2, round(smallest * wanted.size))
    for _ in range(boxes):
        if not wanted[free].any() or wanted[free].all() or free.sum() < least:
            break
        limits, trajectory = _peeled(points[free], wanted[free], peel, least, wanted)
        limits = _pasted(points[free], wanted[free], limits, paste)
        box = _described(names, points, wanted, free, limits, trajectory)
        found.append(box)
        free &= ~_inside(points, limits)
    return tuple(found)


def _cases(result: xr.Dataset, where: Any) -> tuple[tuple[str, ...], Floats, Flags]:
    """Return the parameters that vary, the points, shape (n, d), and which are of interest."""
    flags = where(result) if callable(where) else where
    wanted = np.asarray(getattr(flags, "values", flags))
    if wanted.dtype != np.bool_ or wanted.shape != result["status"].shape:
        raise ParameterError(
            f"where must give True or False at every point {result['status'].shape}, got {wanted.dtype} {wanted.shape}"
        )
    answered = result["status"].values == 0
    names = tuple(str(n) for n in result.coords if result[n].dtype.kind == "f")
    columns = [
        result[n].broadcast_like(result["status"]).transpose(*result["status"].dims).values[answered] for n in names
    ]
    return names, np.stack(columns, axis=1), wanted[answered]


def _inside(points: Floats, limits: Floats) -> Flags:
    inside: Flags = ((points >= limits[0]) & (points <= limits[1])).all(axis=1)
    return inside


def _peeled(
    points: Floats, wanted: Flags, peel: float, least: int, everywhere: Flags
) -> tuple[Floats, tuple[tuple[float, float, float], ...]]:
    """Return the densest box on the way of peeling, of shape (2, d), and the way."""
    limits = np.stack([points.min(axis=0), points.max(axis=0)])
    path, best = [], (limits.copy(), -1.0, 0)
    inside = np.ones(len(points), dtype=np.bool_)
    while True:
        density, count = float(wanted[inside].mean()), int(inside.sum())
        path.append((count / everywhere.size, float(wanted[inside].sum() / everywhere.sum()), density))
        if density > best[1] + 1e-12:
            best = (limits.copy(), density, count)
        steps = list(_slices(points[inside], peel))
        options = []
        for dimension, end, limit in steps:
            trial = limits.copy()
            trial[end, dimension] = limit
            kept = inside & _inside(points, trial)
            if least <= kept.sum() < count:
                options.append((float(wanted[kept].mean()), int(kept.sum()), dimension, end, limit))
        if not options or density == 1.0:
            return best[0], tuple(path)
        _, _, dimension, end, limit = max(options, key=lambda o: (o[0], o[1], -o[2], -o[3]))
        limits[end, dimension] = limit
        inside &= _inside(points, limits)


def _slices(points: Floats, share: float) -> Any:
    """Yield each slice that one step may take off: dimension, end, new limit."""
    for dimension in range(points.shape[1]):
        column = np.sort(points[:, dimension])
        drop = max(1, round(share * column.size))
        above = column[column > column[min(drop, column.size) - 1]]  # values that repeat go together
        if above.size:
            yield dimension, 0, above[0]
        below = column[column < column[max(0, column.size - drop)]]
        if below.size:
            yield dimension, 1, below[-1]


def _pasted(points: Floats, wanted: Flags, limits: Floats, share: float) -> Floats:
    """Return the box widened as long as the density does not fall."""
    limits = limits.copy()
    while True:
        inside = _inside(points, limits)
        density, count = float(wanted[inside].mean()), int(inside.sum())
        options = []
        for dimension in range(points.shape[1]):
            for end in (0, 1):
                open_ = limits.copy()
                open_[end, dimension] = (-np.inf, np.inf)[end]
                outside = np.sort(points[_inside(points, open_) & ~inside, dimension])
                if not outside.size:
                    continue
                add = max(1, round(share * count))
                trial = limits.copy()
                trial[end, dimension] = (
                    outside[max(0, outside.size - add)] if end == 0 else outside[min(outside.size, add) - 1]
                )
                kept = _inside(points, trial)
                options.append((float(wanted[kept].mean()), int(kept.sum()), trial))
        better = [o for o in options if o[0] >= density and o[1] > count]
        if not better:
            return limits
        limits = max(better, key=lambda o: (o[0], o[1]))[2]


def _described(
    names: tuple[str, ...],
    points: Floats,
    wanted: Flags,
    free: Flags,
    limits: Floats,
    trajectory: tuple[tuple[float, float, float], ...],
) -> Box:
    from scipy.stats import binom

    low, high = points.min(axis=0), points.max(axis=0)
    inside = _inside(points, limits) & free
    restricted = [i for i in range(len(names)) if limits[0, i] > low[i] or limits[1, i] < high[i]]
    p_values = {}
    for i in restricted:
        wider = limits.copy()
        wider[:, i] = low[i], high[i]
        around = _inside(points, wider) & free
        p_values[names[i]] = float(binom.sf(wanted[inside].sum() - 1, inside.sum(), wanted[around].mean()))
    return Box(
        limits={names[i]: (float(limits[0, i]), float(limits[1, i])) for i in restricted},
        coverage=float(wanted[inside].sum() / wanted.sum()),
        density=float(wanted[inside].mean()),
        mass=float(inside.mean()),
        p_values=p_values,
        trajectory=trajectory,
    )

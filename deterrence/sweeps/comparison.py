"""Two sweeps of the same parameters: where and by how much they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import xarray as xr


def compare(first: xr.Dataset, second: xr.Dataset, *, tolerance: float = 1e-9) -> xr.Dataset:
    """Return the second result minus the first, on the points that both have.

    Parameters
    ----------
    first, second : Dataset
        Of ``sweep``, over the same parameters. Grids are compared where their axes agree, samples only if all points
        do.
    tolerance : float
        Probabilities that differ by no more are the same.

    Returns
    -------
    Dataset
        Differences of every probability and of ``equilibria``; ``kinds_changed`` and ``status_changed``; ``changed``,
        where anything is other than it was. Attributes ``compared``, ``share_changed`` and ``largest_<variable>`` sum
        it up.

    Raises
    ------
    ParameterError
        If the two have other dimensions, or no point in common.

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = lambda stake: dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, 0]], [[stake, 0]]])
    >>> from deterrence.sweeps.sweep import sweep
    >>> one, other = (sweep(game(stake), over={"p": [0.2, 0.6, 0.8]}) for stake in (1, 2))
    >>> compare(one, other).attack_high.values
    array([0., 1., 0.])
    """
    import xarray as xr

    if set(first.sizes) != set(second.sizes):
        raise ParameterError(f"sweeps over {list(first.sizes)} and {list(second.sizes)} cannot be compared")
    if "sample" in first.sizes:
        for name in first.coords:
            if name not in second.coords or not np.array_equal(first[name].values, second[name].values):
                raise ParameterError(
                    f"the two samples differ in {name!r}: only results at the same points can be compared"
                )
        one, other = first, second
    else:
        one, other = xr.align(first, second, join="inner")
    if not all(one.sizes.values()):
        raise ParameterError("the two sweeps have no point in common")
    numbers = [str(n) for n in one.data_vars if n in other and (one[n].dtype.kind == "f" or n == "equilibria")]
    gaps = {name: other[name].astype(float) - one[name].astype(float) for name in numbers}
    blank = xr.zeros_like(one["status"], dtype=bool)
    kinds_changed = blank.copy()
    for name in {str(n) for d in (one, other) for n in d.data_vars if "kind" in d[n].attrs}:
        kinds_changed = kinds_changed | (one.get(name, blank) != other.get(name, blank))
    status_changed = one["status"] != other["status"]
    changed = kinds_changed | status_changed
    for name, gap in gaps.items():
        undefined = one[name].isnull() != other[name].isnull()
        changed = changed | (np.abs(gap) > tolerance) | undefined
    result = xr.Dataset({**gaps, "kinds_changed": kinds_changed, "status_changed": status_changed, "changed": changed})
    result.attrs = {"compared": int(changed.size), "share_changed": float(changed.mean())}
    for name, gap in gaps.items():
        known = np.abs(gap.values[np.isfinite(gap.values)])
        result.attrs[f"largest_{name}"] = float(known.max()) if known.size else float("nan")
    return result

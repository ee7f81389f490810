"""Curves of a probability along one parameter, with the band that several equilibria leave open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.plotting.style import DASHES, LINES, dress, label_of, new_axes

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_MOST_LINES = 7


def curve(
    result: xr.Dataset,
    *,
    event: str | None = None,
    along: str | None = None,
    by: str | None = None,
    ax: Axes | None = None,
    title: str = "",
    legend: bool = True,
) -> Axes:
    """Draw an event's probability along a parameter: lines at the lowest and highest over equilibria, a band between.

    Parameters
    ----------
    result : Dataset
        Of ``sweep``, over one dimension, or two with ``by``.
    event : str, optional
        By default the first.
    along : str, optional
        The parameter of the horizontal axis; by default the first dimension that is not ``by``.
    by : str, optional
        A dimension of at most seven values, each of which gets a line.
    ax : Axes, optional
        A new figure by default.
    title : str
    legend : bool
        Whether lines and band are named.

    Returns
    -------
    Axes

    Raises
    ------
    ParameterError
        If the result has other dimensions, or no such event.
    """
    ax = ax if ax is not None else new_axes()
    low, high = range_names(result, event)
    dims = [str(d) for d in result.sizes if d != by]
    axis = along or dims[0]
    if dims != [axis] or (by is not None and by not in result.sizes):
        raise ParameterError(
            f"a curve needs one dimension beside by={by!r}, got {', '.join(map(str, result.sizes))}; "
            "name one of few values as by=, or choose values of the others with result.sel(...)"
        )
    rows = [None] if by is None else list(range(result.sizes[by]))
    if len(rows) > _MOST_LINES:
        raise ParameterError(f"{by!r} has {len(rows)} values; at most {_MOST_LINES} lines can be told apart")
    for i, row in enumerate(rows):
        part = result if row is None else result.isel({by: row})
        label = None if row is None else f"{by} = {float(result[by][row]):.3g}"
        _line(ax, part[axis].values, part[low].values, part[high].values, i, label)
    ax.set_ylim(-0.02, 1.02)
    ax.grid(alpha=0.3)
    if legend and ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=9)
    return dress(ax, x=label_of(result, axis), y=f"probability of {result[low].attrs.get('event', low)}", title=title)


def range_names(result: xr.Dataset, event: str | None) -> tuple[str, str]:
    """Return the names of the variables that hold the range of an event's probability.

    Raises
    ------
    ParameterError
        If there is no such event, or it is no result of a sweep.
    """
    if not hasattr(result, "data_vars"):
        raise ParameterError(f"the picture is drawn from what dt.sweep returns, got {type(result).__name__}")
    found: Mapping[str, tuple[str, str]] = {
        str(result[n].attrs.get("event", str(n).removesuffix("_low"))): (str(n), str(n).removesuffix("_low") + "_high")
        for n in result.data_vars
        if str(n).endswith("_low")
    }
    if not found or (event is not None and event not in found):
        raise ParameterError(f"the result has no event {event!r}; it has {', '.join(map(repr, found)) or 'none'}")
    return found[event] if event is not None else next(iter(found.values()))


def _line(ax: Axes, x: Any, low: Any, high: Any, i: int, label: str | None) -> None:
    order = np.argsort(x)
    x, low, high = x[order], low[order], high[order]
    colour = LINES[i]
    wide = bool(np.nanmax(high - low, initial=0.0) > 1e-9)
    if wide:
        ax.fill_between(x, low, high, color=colour, alpha=0.2, lw=0, label=None if label else "range over equilibria")
        ax.plot(x, low, color=colour, lw=1.2, ls=DASHES[i])
    ax.plot(x, high, color=colour, lw=1.8, ls=DASHES[i], label=label)

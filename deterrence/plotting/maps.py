"""Phase maps: where which kinds of equilibrium exist; and heat maps of a probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.plotting.curves import range_names
from deterrence.plotting.style import AREAS, HATCHES, SMALLEST, dress, ink_on, label_of, new_axes, probability_colours

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

Ints = NDArray[np.int64]

_SMALL = 0.03  # share of the map below which there is no room to write


def phase_map(
    result: xr.Dataset,
    *,
    x: str | None = None,
    y: str | None = None,
    ax: Axes | None = None,
    title: str = "",
    legend: bool = True,
    phases: Sequence[str] | None = None,
    levels: Sequence[float] = (),
) -> Axes:
    """Draw which kinds of equilibrium exist at each point of a grid of two parameters; regions carry numbers and names.

    Without kinds (scenarios, logit equilibria) phases are numbers of equilibria, unless ``levels`` are given.

    Parameters
    ----------
    result : Dataset
        Of ``sweep``, over two dimensions.
    x, y : str, optional
        Which dimension goes where; by default the first along the horizontal axis.
    ax : Axes, optional
        A new figure by default.
    title : str
    legend : bool
        Whether a legend below says what the numbers mean.
    phases : sequence of str, optional
        Names of the phases in the order of their numbers and colours, as ``phases_of`` gives them; for maps that are to
        be compared.
    levels : sequence of float
        If given, phases also differ in between which of these levels the first event's highest probability lies.

    Returns
    -------
    Axes

    Raises
    ------
    ParameterError
        If the result has other than two dimensions, or more phases than can be told apart (8).
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    ax = ax if ax is not None else new_axes(6.4, 5.4)
    across, up = _two(result, x, y)
    codes, names = phases_of(result, levels)
    if phases is not None:
        missing = [name for name in names if name not in phases]
        if missing:
            raise ParameterError(f"phases must name {missing[0]!r}, too")
        codes, names = np.array([list(phases).index(name) for name in names])[codes], tuple(phases)
    if len(names) > len(AREAS):
        raise ParameterError(
            f"the map has {len(names)} phases; at most {len(AREAS)} can be told apart. Look at a smaller region"
        )
    table = codes if tuple(result["status"].dims) == (up, across) else codes.T
    colours = ListedColormap(list(AREAS[: len(names)]))
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    xs, ys = result[across].values, result[up].values
    ax.pcolormesh(xs, ys, table, cmap=colours, norm=norm, shading="nearest", rasterized=True)
    for i in range(len(names)):
        inside = (table == i).astype(float)
        if 0 < inside.sum() < inside.size and min(table.shape) > 1:
            if HATCHES[i]:
                ax.contourf(xs, ys, inside, levels=[0.5, 1.5], colors="none", hatches=[HATCHES[i]])
            ax.contour(xs, ys, inside, levels=[0.5], colors="black", linewidths=0.7)
        _number(ax, xs, ys, table == i, i)
    if legend:
        _legend(ax, names)
    return dress(ax, x=label_of(result, across), y=label_of(result, up), title=title)


def heat_map(
    result: xr.Dataset,
    *,
    variable: str | None = None,
    x: str | None = None,
    y: str | None = None,
    ax: Axes | None = None,
    title: str = "",
    levels: tuple[float, ...] = (0.25, 0.5, 0.75),
) -> Axes:
    """Draw a probability over a grid of two parameters, dark where it is high, with contours at some levels.

    Parameters
    ----------
    result : Dataset
        Of ``sweep``, over two dimensions.
    variable : str, optional
        By default the highest probability of the first event.
    x, y, ax, title
        As in ``phase_map``.
    levels : tuple of float
        Where contours run.

    Returns
    -------
    Axes

    Raises
    ------
    ParameterError
        If the result has other than two dimensions, or no such variable.
    """
    ax = ax if ax is not None else new_axes(6.4, 4.8)
    across, up = _two(result, x, y)
    name = variable or range_names(result, None)[1]
    if name not in result:
        raise ParameterError(f"the result has no variable {name!r}; it has {', '.join(map(str, result.data_vars))}")
    table = result[name].transpose(up, across).values.astype(float)
    chance = name.endswith(("_low", "_high"))
    ends = (0.0, 1.0) if chance else (float(np.nanmin(table)), float(np.nanmax(table)))
    xs, ys = result[across].values, result[up].values
    colours = probability_colours()
    ax.set_facecolor("#DDDDDD")  # points without an answer
    mesh = ax.pcolormesh(xs, ys, table, cmap=colours, vmin=ends[0], vmax=ends[1], shading="nearest", rasterized=True)
    bar = ax.figure.colorbar(mesh, ax=ax)
    bar.set_label(label_of(result, name), fontsize=9)
    bar.ax.tick_params(labelsize=SMALLEST)
    within = [v for v in levels if np.nanmin(table) < v < np.nanmax(table)]
    if within and min(table.shape) > 1:
        inks = ["white" if (v - ends[0]) / (ends[1] - ends[0]) > 0.5 else "black" for v in within]
        lines = ax.contour(xs, ys, table, levels=within, colors=inks, linewidths=1)
        if ((table > within[0]) & (table < within[-1])).mean() > _SMALL:  # otherwise they run on top of each other
            ax.clabel(lines, fmt="%g", fontsize=SMALLEST)
    return dress(ax, x=label_of(result, across), y=label_of(result, up), title=title)


def phases_of(result: xr.Dataset, levels: Sequence[float] = ()) -> tuple[Ints, tuple[str, ...]]:
    """Return the phase of every point, by number, and what holds in each phase, the commonest first.

    With levels but without kinds, phases come in the order of the levels.

    Parameters
    ----------
    result : Dataset
        Of ``sweep``.
    levels : sequence of float
        As in ``phase_map``.

    Returns
    -------
    codes : ndarray of int, of the result's shape
    names : tuple of str
    """
    kinds = [str(n) for n in result.data_vars if "kind" in result[n].attrs]
    columns = [np.minimum(result["status"].values, 1)]
    columns += [result[k].values for k in kinds] if kinds or levels else [result["equilibria"].values]
    steps = sorted(float(level) for level in levels)
    high = range_names(result, None)[1]
    if steps:
        columns.append(np.searchsorted(steps, np.nan_to_num(result[high].values)))
    rows = np.stack([np.asarray(c).ravel() for c in columns], axis=1).astype(np.int64)
    rows[rows[:, 0] > 0, 1:] = 0
    unique, codes, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    order = np.arange(counts.size) if steps and not kinds else np.argsort(-counts, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    told = [str(result[k].attrs["kind"]) for k in kinds]
    names = tuple(_words(unique[i], told, str(result[high].attrs.get("event", high)), steps) for i in order)
    return place[codes.ravel()].reshape(result["status"].shape), names


def _words(row: Ints, kinds: list[str], event: str, steps: list[float]) -> str:
    if row[0]:
        return "no answer"
    words = []
    if kinds:
        there = row[1 : 1 + len(kinds)]
        words.append(" + ".join(kind for kind, yes in zip(kinds, there, strict=True) if yes) or "none of these kinds")
    elif not steps:
        words.append(f"{row[1]} equilibri{'um' if row[1] == 1 else 'a'}")
    if steps:
        k = int(row[-1])
        low = f"{steps[k - 1]:g} < " if k else ""
        high = f" <= {steps[k]:g}" if k < len(steps) else ""
        words.append(f"{low}P({event}){high}")
    return "; ".join(words)


def _two(result: xr.Dataset, x: str | None, y: str | None) -> tuple[str, str]:
    dims = [str(d) for d in result.sizes]
    if len(dims) != 2:
        raise ParameterError(
            f"a map needs two dimensions, got {', '.join(dims)}; choose values of the others with result.sel(...)"
        )
    across = x or next(d for d in dims if d != y)
    up = y or next(d for d in dims if d != across)
    if {across, up} != set(dims):
        raise ParameterError(f"the result has the dimensions {', '.join(dims)}, got x={x!r} and y={y!r}")
    return across, up


def _number(ax: Axes, xs: Any, ys: Any, inside: NDArray[np.bool_], i: int) -> None:
    """Write a region's number where there is most room in it."""
    from scipy.ndimage import distance_transform_edt

    if inside.mean() < _SMALL:
        return
    steps = (1 / inside.shape[0], 1 / inside.shape[1])
    room = distance_transform_edt(np.pad(inside, 1), sampling=steps)[1:-1, 1:-1]
    row, column = np.unravel_index(int(room.argmax()), room.shape)
    colour = AREAS[i]
    box = {"boxstyle": "circle,pad=0.25", "fc": colour, "ec": "black", "lw": 0.7}
    ax.text(xs[column], ys[row], str(i + 1), ha="center", va="center", fontsize=10, color=ink_on(colour), bbox=box)


def _legend(ax: Axes, names: tuple[str, ...]) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=AREAS[i], edgecolor="black", hatch=HATCHES[i], linewidth=0.7, label=f"{i + 1}  {name}")
        for i, name in enumerate(names)
    ]
    ax.figure.legend(handles=handles, loc="outside lower left", fontsize=9, frameon=False)

"""Tornado charts: what each parameter does alone; and Sobol' indices with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.plotting.style import BLUE, GREY, ORANGE, SMALLEST, dress, new_axes

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


def tornado(swings: xr.Dataset, *, most: int = 12, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw, for each parameter, from where to where an answer moves as it goes from its low to its high end.

    Parameters
    ----------
    swings : Dataset
        Of ``influence``.
    most : int
        Parameters to draw, the widest swing first.
    ax : Axes, optional
        A new figure by default.
    title : str

    Returns
    -------
    Axes

    Raises
    ------
    ParameterError
        If it is no result of ``influence``.
    """
    if "swing" not in swings:
        raise ParameterError(
            f"a tornado chart needs the result of influence(...), got variables {list(swings.data_vars)}"
        )
    shown = swings.isel(parameter=slice(0, most))
    count = shown.sizes["parameter"]
    ax = ax if ax is not None else new_axes(6.4, 1.4 + 0.42 * count)
    base = float(swings.attrs["base"])
    rows = np.arange(count)[::-1]
    ends = (("at_low", "low", ORANGE, "", "low end"), ("at_high", "high", BLUE, "//", "high end"))
    for variable, end, colour, hatch, label in ends:
        values = shown[variable].values
        ax.barh(
            rows,
            values - base,
            left=base,
            height=0.62,
            color=colour,
            hatch=hatch,
            edgecolor="black",
            lw=0.6,
            label=label,
        )
        for row, value, number in zip(rows, values, shown[end].values, strict=True):
            if np.isfinite(value):
                right = value > base or (value == base and end == "high")
                ax.annotate(
                    f"{number:g}", (value, row), (4 if right else -4, 0), textcoords="offset points", va="center",
                    ha="left" if right else "right", fontsize=SMALLEST,
                )  # fmt: skip
    ax.axvline(base, color="black", lw=1)
    ax.set_yticks(rows, [str(p) for p in shown["parameter"].values])
    ax.margins(x=0.14)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower right", title="parameter at its", title_fontsize=9)
    return dress(ax, x=f"{_spoken(str(swings.attrs['variable']))} (at the base {base:.3g})", title=title)


def index_chart(indices: xr.Dataset, *, ax: Axes | None = None, title: str = "") -> Axes:
    """Draw first-order and total Sobol' indices with their confidence intervals, the largest total on top.

    Parameters
    ----------
    indices : Dataset
        Of ``sobol_indices``.
    ax : Axes, optional
        A new figure by default.
    title : str

    Returns
    -------
    Axes

    Raises
    ------
    ParameterError
        If it is no result of ``sobol_indices``.
    """
    if "total" not in indices:
        raise ParameterError(
            f"the chart needs the result of sobol_indices(...), got variables {list(indices.data_vars)}"
        )
    shown = indices.isel(parameter=np.argsort(indices["total"].values))
    count = shown.sizes["parameter"]
    ax = ax if ax is not None else new_axes(6.4, 1.4 + 0.5 * count)
    rows = np.arange(count)
    for name, shift, colour, hatch in (("total", 0.19, BLUE, "//"), ("first", -0.19, ORANGE, "")):
        values = shown[name].values
        label = "total" if name == "total" else "first order"
        ax.barh(rows + shift, values, height=0.36, color=colour, hatch=hatch, edgecolor="black", lw=0.6, label=label)
        reach = np.abs(np.stack([shown[f"{name}_low"].values, shown[f"{name}_high"].values]) - values)
        ax.errorbar(values, rows + shift, xerr=reach, fmt="none", ecolor=GREY, elinewidth=1.2, capsize=2.5)
    ax.set_yticks(rows, [str(p) for p in shown["parameter"].values])
    reach_left = min(0.0, float(shown["first_low"].min()))
    ax.set_xlim(left=1.05 * reach_left)
    ax.axvline(0.0, color="black", lw=1)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    share = f"share of the variance of {_spoken(str(indices.attrs['variable']))}"
    return dress(ax, x=f"{share} ({indices.attrs['confidence']:.0%} intervals)", title=title)


def _spoken(variable: str) -> str:
    """Return a variable's name in words."""
    for end, word in (("_high", "highest"), ("_low", "lowest")):
        if variable.endswith(end):
            return f"{word} probability of {variable.removesuffix(end).replace('_', ' ')}"
    return variable.replace("_", " ")

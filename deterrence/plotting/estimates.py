"""Pictures of fits: coefficients with their intervals, and predicted probabilities with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.quantities import check_names
from deterrence.plotting.style import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from deterrence.estimation.result import Fit


def coefficient_plot(
    fit: Fit, *, names: Sequence[str] | None = None, level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw estimates with their confidence intervals, equation by equation.

    Parameters
    ----------
    fit : Fit
    names : sequence of str, optional
        Which parameters; by default all.
    level : float
        Of the intervals.
    ax : matplotlib axes, optional
        Drawn into; by default a figure of its own.

    Raises
    ------
    ParameterError
        If a name is unknown.
    """
    chosen = list(fit.names if names is None else names)
    check_names(chosen, fit.names, "this fit", complete=False)
    if not chosen:
        raise ParameterError("a coefficient plot needs at least one parameter, got none")
    intervals = fit.conf_int(1 - level).loc[chosen].to_numpy()
    estimates = fit.params.loc[chosen].to_numpy()
    axes = new_axes(6.4, 1.2 + 0.3 * len(chosen)) if ax is None else ax
    height = np.arange(len(chosen))[::-1]
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.hlines(height, intervals[:, 0], intervals[:, 1], color="C0", linewidth=1.6)
    axes.plot(estimates, height, "o", color="C0", markersize=4.5)
    axes.set_yticks(height, chosen)
    axes.set_xlabel(f"coefficient, with its {level:.0%} interval")
    return axes


def prediction_plot(
    fit: Fit,
    regressor: str,
    values: Any = None,
    *,
    outcomes: Sequence[str] | None = None,
    ax: Axes | None = None,
    **options: Any,
) -> Axes:
    """Draw predicted probabilities along a regressor, with their bands.

    Parameters
    ----------
    fit : Fit
    regressor : str
    values : array_like, optional
    outcomes : sequence of str, optional
        By default all.
    ax : matplotlib axes, optional
    **options
        Of ``fit.sweep``: ``at``, ``bands``, ``level``, ``seed``.

    Raises
    ------
    ParameterError
        If the regressor or an outcome is unknown.
    """
    asked = list(fit.events if outcomes is None else outcomes)
    check_names(asked, fit.events, "the outcomes of this fit", complete=False)
    table = fit.sweep(regressor, values, **options)
    banded = table.columns.nlevels > 1
    axes = new_axes() if ax is None else ax
    words = table.index.dtype == object or str(table.index.dtype) == "str"
    x = np.arange(len(table)) if words else table.index.to_numpy(dtype=np.float64)
    for i, outcome in enumerate(asked):
        middle = table[outcome, "estimate"] if banded else table[outcome]
        axes.plot(x, middle.to_numpy(), "o-" if words else "-", color=f"C{i}", label=outcome)
        if banded:
            low, high = (table[outcome, end].to_numpy() for end in ("low", "high"))
            if words:
                axes.vlines(x, low, high, color=f"C{i}", alpha=0.6)
            else:
                axes.fill_between(x, low, high, color=f"C{i}", alpha=0.2, linewidth=0)
    if words:
        axes.set_xticks(x, [str(value) for value in table.index])
    axes.set_xlabel(regressor)
    axes.set_ylabel("predicted probability")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False)
    return axes

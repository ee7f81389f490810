"""Small multiples: the same picture once for each value of a parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deterrence.games.errors import ParameterError
from deterrence.plotting.curves import curve
from deterrence.plotting.maps import phase_map, phases_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


def small_multiples(
    result: xr.Dataset,
    draw: Callable[..., Axes],
    *,
    over: str,
    columns: int = 3,
    width: float = 3.4,
    height: float = 2.8,
    **options: Any,
) -> list[Axes]:
    """Draw the same picture once for each value of a dimension.

    Parameters
    ----------
    result : Dataset
    draw : callable
        ``curve``, ``phase_map`` or ``heat_map``; is given the part of the result, ``ax`` and ``options``.
    over : str
        The dimension.
    columns : int
        Pictures in a row.
    width, height : float
        Of each picture, in inches.
    **options
        Of ``draw``.

    Returns
    -------
    list of Axes
        Of one figure.

    Raises
    ------
    ParameterError
        If there is no such dimension.
    """
    from matplotlib.figure import Figure

    if over not in result.sizes:
        raise ParameterError(f"the result has no dimension {over!r}; it has {', '.join(map(str, result.sizes))}")
    count = result.sizes[over]
    across = min(columns, count)
    down = -(-count // across)
    figure = Figure(figsize=(width * across, height * down), layout="constrained")
    if draw is phase_map:
        options["phases"] = phases_of(result, options.get("levels", ()))[1]  # a phase looks the same in every picture
    drawn = []
    for i in range(count):
        ax = figure.add_subplot(down, across, i + 1)
        part, name = result.isel({over: i}), f"{over} = {float(result[over][i]):.3g}"
        first = {"legend": i == 0} if draw in (curve, phase_map) else {}
        axes = draw(part, ax=ax, title=name, **first, **options)
        axes.title.set_fontsize(10)
        drawn.append(axes)
    for i, axes in enumerate(drawn):
        if i % across:
            axes.set_ylabel("")
        if i + across < count:
            axes.set_xlabel("")
    return drawn

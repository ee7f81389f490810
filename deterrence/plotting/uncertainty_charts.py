"""Pictures of what a scenario's uncertain numbers leave open: how likely, and which number moves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.marginals import CENTRAL
from deterrence.alliances.scenarios.uncertainty import Uncertainty, draw_uncertainty, percent
from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.plotting.style import (
    BLUE,
    DASHES,
    GREY,
    LINES,
    ORANGE,
    SMALLEST,
    VERMILION,
    dress,
    new_axes,
    probability_colours,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
Kinds: TypeAlias = "Mapping[str, tuple[Callable[..., Axes], tuple[str, ...]]]"  # what draws each, and its options

_GRID = 401  # points of a density


def uncertainty_plot(
    uncertainty: Uncertainty, kind: str = "density", *, event: str = "attack", ax: Axes | None = None, **options: Any
) -> Axes:
    """Draw the likelihood of an event over draws of what is uncertain.

    Parameters
    ----------
    uncertainty : Uncertainty
    kind : str
        ``"density"``: its density, with median and 90 % interval. ``"dots"``: its quantiles as dots, each of which is
        as likely as any other [1]_. ``"tornado"``: from where to where it moves as each number goes from its 5 % to its
        95 % quantile, the others as in the file. ``"scatter"``: the two numbers that move it most, coloured by it.
        ``"ecdf"``: the share of draws in which it is at most so likely, also of variants.
    event : str
    ax : matplotlib axes, optional
        Drawn into; by default a figure of its own.
    **options
        ``count`` of dots (50); ``most`` numbers of a tornado (12); ``numbers``, two keys for a scatter; ``variants``,
        names of variants for ecdf.

    Raises
    ------
    ParameterError
        If the kind, an option or a number is unknown.
    GameError
        If there is no such event.

    References
    ----------
    .. [1] M. Kay, T. Kola, J. R. Hullman and S. A. Munson, "When (ish) is My Bus?", CHI (2016), 5092-5103.
    """
    draw = chosen_picture(kind, _KINDS, options)
    uncertainty.probability_above(0.5, event)  # an event that there is
    return draw(uncertainty, event, ax, **options)


def chosen_picture(kind: str, kinds: Kinds, options: Mapping[str, Any]) -> Callable[..., Axes]:
    """Return the function that draws a kind of picture.

    Raises
    ------
    ParameterError
        If there is no such kind, or an option is none of it.
    """
    if kind not in kinds:
        raise ParameterError(f"no picture {kind!r}; there are {', '.join(kinds)}{did_you_mean(kind, kinds)}")
    draw, known = kinds[kind]
    for name in options:
        if name not in known:
            raise ParameterError(f"the picture {kind!r} has no option {name!r}; it has {', '.join(known) or 'none'}")
    return draw


def _density(uncertainty: Uncertainty, event: str, ax: Axes | None) -> Axes:
    ax = new_axes() if ax is None else ax
    middle = _middle(uncertainty, event)
    grid = np.linspace(0, 1, _GRID)
    height = density(middle, grid)
    ax.fill_between(grid, height, color=BLUE, alpha=0.25, lw=0)
    ax.plot(grid, height, color=BLUE, lw=1.5)
    top = float(height.max())
    _interval(ax, uncertainty, event, -0.06 * top)
    ax.set_ylim(bottom=-0.12 * top)
    ax.set_xlim(0, 1)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.legend(frameon=False, fontsize=9)
    return dress(ax, x=_axis(event), title=_title(uncertainty))


def _dots(uncertainty: Uncertainty, event: str, ax: Axes | None, count: int = 50) -> Axes:
    if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= 500:
        raise ParameterError(f"count of dots is a whole number from 2 to 500, got {count!r}")
    from matplotlib.collections import EllipseCollection

    ax = new_axes(6.4, 3.2) if ax is None else ax
    values = np.quantile(_middle(uncertainty, event), (np.arange(count) + 0.5) / count)
    bins = 25
    column = np.minimum((values * bins).astype(int), bins - 1)
    row = np.array([int((column[:i] == c).sum()) for i, c in enumerate(column)])
    size = 0.9 / bins
    places = np.column_stack([(column + 0.5) / bins, (row + 0.5) / bins])
    dots = EllipseCollection(
        [size] * count, [size] * count, [0] * count, units="xy", offsets=places, offset_transform=ax.transData,
        facecolors=BLUE, edgecolors="white", linewidths=0.5,
    )  # fmt: skip
    ax.add_collection(dots)
    _interval(ax, uncertainty, event, -1.2 / bins)
    ax.set_aspect("equal")
    ax.set_xlim(0, 1)
    ax.set_ylim(-2.2 / bins, max((row.max() + 2.5) / bins, 0.25))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.legend(frameon=False, fontsize=9, loc="upper right")
    return dress(ax, x=f"{_axis(event)}; each of {count} dots is as likely as any other", title=_title(uncertainty))


def _tornado(uncertainty: Uncertainty, event: str, ax: Axes | None, most: int = 12) -> Axes:
    table = uncertainty.drivers(event, total=0).sort_values("swing", ascending=False, kind="stable").head(most)
    ax = new_axes(7.0, 1.4 + 0.36 * len(table)) if ax is None else ax
    base = sum(uncertainty.scenario.probability(event)) / 2
    rows = np.arange(len(table))[::-1]
    for key, colour, hatch, label in (("at_5", ORANGE, "", "5 % quantile"), ("at_95", BLUE, "//", "95 % quantile")):
        ends = table[key].to_numpy() - base
        ax.barh(rows, ends, left=base, height=0.62, color=colour, hatch=hatch, edgecolor="black", lw=0.6, label=label)
    ax.axvline(base, color="black", lw=1)
    ax.set_yticks(rows, list(table.index))
    ax.margins(x=0.06)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, title="the number at its", title_fontsize=9, loc="best")
    dress(ax, x=f"{_axis(event)} (at the file's own numbers {base:.3g})", title=uncertainty.scenario.name)
    return ax


def _scatter(uncertainty: Uncertainty, event: str, ax: Axes | None, numbers: Sequence[str] | None = None) -> Axes:
    keys = [number.name for number in uncertainty.numbers]
    if numbers is None:
        numbers = list(
            uncertainty.drivers(event, total=0).sort_values("first", ascending=False, kind="stable").index[:2]
        )
    if len(numbers) != 2:
        raise ParameterError(f"a scatter is of two numbers, got {len(numbers)}")
    for name in numbers:
        if name not in keys:
            raise ParameterError(f"no number {name!r} is drawn{did_you_mean(name, keys)}")
    ax = new_axes() if ax is None else ax
    known = np.isfinite(uncertainty.low[event])
    x, y = (uncertainty.inputs[known, keys.index(name)] for name in numbers)
    middle = _middle(uncertainty, event)
    points = ax.scatter(x, y, c=middle, cmap=probability_colours(), vmin=0, vmax=1, s=16, lw=0.3, edgecolors=GREY)
    bar = ax.figure.colorbar(points, ax=ax)
    bar.set_label(_axis(event), fontsize=9)
    bar.ax.tick_params(labelsize=SMALLEST)
    return dress(ax, x=numbers[0], y=numbers[1], title=_title(uncertainty))


def _ecdf(uncertainty: Uncertainty, event: str, ax: Axes | None, variants: Sequence[str] = ()) -> Axes:
    ax = new_axes() if ax is None else ax
    scenario = uncertainty.scenario
    curves = {scenario.name: uncertainty}
    for name in variants:
        curves[name] = draw_uncertainty(scenario.variant(name), draws=uncertainty.draws, seed=uncertainty.seed)
    for i, (name, one) in enumerate(curves.items()):
        low, high = (np.sort(table[event][np.isfinite(table[event])]) for table in (one.low, one.high))
        share = (np.arange(len(low)) + 1) / len(low)
        colour, dash = LINES[i % len(LINES)], DASHES[i % len(DASHES)]
        ax.fill_betweenx(share, low, high, color=colour, alpha=0.25, lw=0)
        ax.plot((low + high) / 2, share, color=colour, ls=dash, lw=1.6, label=name)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    return dress(ax, x=_axis(event), y="share of draws at most so likely", title=f"{uncertainty.draws:,} draws each")


_KINDS: Kinds = {
    "density": (_density, ()),
    "dots": (_dots, ("count",)),
    "tornado": (_tornado, ("most",)),
    "scatter": (_scatter, ("numbers",)),
    "ecdf": (_ecdf, ("variants",)),
}


def density(values: Floats, grid: Floats) -> Floats:
    """Return a density of probabilities on a grid in [0, 1]: normal kernels, reflected at both ends.

    The width is Silverman's: 0.9 times the smaller of standard deviation and interquartile range / 1.34, times
    n^(-1/5).
    """
    spread = min(float(values.std()), float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.34)
    width = max(0.9 * (spread or float(values.std())) * len(values) ** -0.2, 0.005)
    wide = np.concatenate([values, -values, 2 - values])
    kernels = np.exp(-0.5 * ((grid[:, None] - wide) / width) ** 2)
    return np.asarray(kernels.sum(axis=1) / (len(values) * width * np.sqrt(2 * np.pi)))


def _middle(uncertainty: Uncertainty, event: str) -> Floats:
    middle = (uncertainty.low[event] + uncertainty.high[event]) / 2
    return np.asarray(middle[np.isfinite(middle)])


def _interval(ax: Axes, uncertainty: Uncertainty, event: str, height: float) -> None:
    low, high = uncertainty.interval()[event]
    median = sum(uncertainty.median()[event]) / 2
    width = high - low
    words = f"{CENTRAL:.0%} of draws: {percent(low, width)} to {percent(high, width)}".replace("%", " %", 1)
    ax.plot([low, high], [height, height], color=VERMILION, lw=3, solid_capstyle="butt", label=words)
    ax.plot([median], [height], "o", color="black", ms=6, label=f"median: {percent(median, width)}")


def _axis(event: str) -> str:
    return f"likelihood of {event}"


def _title(uncertainty: Uncertainty) -> str:
    return f"{uncertainty.scenario.name}: {uncertainty.draws:,} draws of {len(uncertainty.numbers)} numbers"


__all__ = ["Kinds", "chosen_picture", "density", "uncertainty_plot"]

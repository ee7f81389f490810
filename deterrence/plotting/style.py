"""One look for all figures: colours that colour-blind readers tell apart, and that differ in grey as well.

Colours are Okabe and Ito's; where several are needed they come in an order of falling lightness, and hatches or line
styles repeat what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE, BLACK, GREY = "#0072B2", "#D55E00", "#CC79A7", "#000000", "#555555"

LINES = (BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, BLACK)
DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 3)))
# light to dark, so that neighbours differ in grey, too
AREAS = ("#FFF7D6", "#F0C95A", "#7DB6DE", "#D07F5E", "#1F7A5C", "#31588F", "#5A2A57", "#1E1E1E")
HATCHES = ("", "//", "", "\\\\", "", "..", "", "xx")
SMALLEST = 8  # points, of any text


def new_axes(width: float = 6.4, height: float = 4.2) -> Axes:
    """Return the axes of a new figure, which belongs to no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def dress(ax: Axes, *, x: str = "", y: str = "", title: str = "") -> Axes:
    """Give axes the common look."""
    ax.set_xlabel(x, fontsize=10)
    ax.set_ylabel(y, fontsize=10)
    if title:
        ax.set_title(title, fontsize=11, loc="left")
    ax.tick_params(labelsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def probability_colours() -> Colormap:
    """Return the map for probabilities: dark is likely, even in lightness, safe for colour-blind readers."""
    import matplotlib as mpl

    found: Colormap = mpl.colormaps["cividis_r"]
    return found


def label_of(result: xr.Dataset, name: str) -> str:
    """Return what to write at the axis of a parameter or variable: its meaning where it is short, and its unit."""
    attributes: Mapping[str, Any] = result[name].attrs
    text = str(attributes.get("long_name") or name)
    text = text if len(text) <= 48 else name
    text = text if name in text or name not in result.coords else f"{name}: {text}"
    unit = attributes.get("units")
    return f"{text} [{unit}]" if unit else text


def lightness(colour: str) -> float:
    """Return the relative luminance of a colour, in [0, 1] (WCAG)."""
    from matplotlib.colors import to_rgb

    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def ink_on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour."""
    return "black" if lightness(colour) > 0.18 else "white"

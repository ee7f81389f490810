"""Scenes as Matplotlib figures, from which PNG and PDF files are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from deterrence.plotting.scene import INK, Dot, Label, Line, Part, Scene, readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 0.75  # points in a pixel of 1/96 inch
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def figure_of(scene: Scene, scale: float = 1.0) -> Figure:
    """Return a scene as a figure that belongs to no window.

    Parameters
    ----------
    scene : Scene
    scale : float
        1 for the natural size, in which text of 12 pixels has 9 points.
    """
    from matplotlib.figure import Figure

    points = POINTS * scale
    figure = Figure(figsize=(scene.width * points / 72, scene.height * points / 72), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.axis("off")
    for order, part in enumerate(scene.parts):
        _draw(axes, part, scene.font_size * points, points, order)
    return figure


def _draw(axes: Axes, part: Part, size: float, points: float, order: int) -> None:
    from matplotlib.patches import Circle, PathPatch

    if isinstance(part, Label):
        axes.text(
            part.x, part.y, _CONTROL.sub("", part.shown), color=readable(part.color), fontsize=size,
            family="DejaVu Sans", weight="bold" if part.bold else "normal", ha=_ANCHORS[part.anchor], va="baseline",
            parse_math=False, zorder=order,
        )  # fmt: skip
        return
    if isinstance(part, Dot):
        axes.add_patch(Circle((part.x, part.y), part.radius, color=_own(part.color), linewidth=0, zorder=order))
        return
    if isinstance(part, Line):
        edge, fill, opacity = part.color, None, part.opacity
    else:
        edge, fill, opacity = part.edge or "", part.fill, part.opacity
    axes.add_patch(
        PathPatch(
            _path(part),
            fill=fill is not None,
            facecolor=(_own(fill), opacity) if fill is not None else "none",
            edgecolor=(_own(edge), opacity if isinstance(part, Line) else 1.0) if edge else "none",
            linewidth=part.width * points,
            linestyle=(0, (4 / part.width, 3 / part.width)) if part.dashed else "-",
            capstyle="butt",
            zorder=order,
        )
    )


def _path(part: Any) -> Any:
    from matplotlib.path import Path

    if not isinstance(part, Line):
        return Path([*part.corners, part.corners[0]], closed=True)
    places, codes = [part.start], [Path.MOVETO]
    for step in part.steps:
        if len(step) == 4:
            places += [(step[0], step[1]), (step[2], step[3])]
            codes += [Path.CURVE3, Path.CURVE3]
        else:
            places.append((step[0], step[1]))
            codes.append(Path.LINETO)
    return Path(places, codes)


def _own(color: str) -> str:
    return readable(INK) if color == INK else color

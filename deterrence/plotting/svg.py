"""Scenes as SVG: in the colours of the page around them, light or dark, or in colours of their own."""

from __future__ import annotations

import re
from html import escape as escape_html

from deterrence.plotting.scene import INK, Area, Dot, Label, Line, Part, Scene, readable, share_in_theme

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEX = re.compile("#[0-9a-fA-F]{6}")


def svg_text(scene: Scene, *, themed: bool = True) -> str:
    """Return a scene as SVG text.

    Parameters
    ----------
    scene : Scene
    themed : bool
        Whether ink is the colour of the page's text, so that themes light and dark work: for pictures in a page.
        Otherwise colours are explicit, on white: for files.
    """
    label = escape(scene.name)
    size = f'width="{scene.width:.0f}" height="{scene.height:.0f}" viewBox="0 0 {scene.width:.0f} {scene.height:.0f}"'
    font = f'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="{scene.font_size:g}"'
    ink = "currentColor" if themed else readable(INK)
    style = ' style="color:var(--jp-content-font-color1,currentColor)"' if themed else ""
    page = "" if themed else '<rect width="100%" height="100%" fill="#ffffff"/>'
    parts = "".join(_part(part, ink, themed) for part in scene.parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" {size} {font} '
        f'fill="{ink}" stroke="none"{style}><title>{label}</title>{page}{parts}</svg>'
    )


def escape(content: str) -> str:
    """Return text that is safe inside SVG: markup escaped, characters that XML forbids left out."""
    return escape_html(_UNPRINTABLE.sub("", content), quote=True)


def _part(part: Part, ink: str, themed: bool) -> str:
    if isinstance(part, Label):
        return _label(part, themed)
    if isinstance(part, Dot):
        color = escape(_own(part.color, ink))
        return f'<circle cx="{part.x:.1f}" cy="{part.y:.1f}" r="{part.radius:.1f}" fill="{color}"/>'
    return _line(part, ink) if isinstance(part, Line) else _area(part, ink)


def _label(label: Label, themed: bool) -> str:
    shown = label.shown
    tip = f"<title>{escape(label.content)}</title>" if shown != label.content else ""
    weight = ' font-weight="bold"' if label.bold else ""
    at = f'x="{label.x:.1f}" y="{label.y:.1f}" text-anchor="{label.anchor}"'
    return f"<text {at}{_text_color(label.color, themed)}{weight}>{escape(shown)}{tip}</text>"


def _text_color(color: str, themed: bool) -> str:
    if color == INK:
        return ""
    if not _HEX.fullmatch(color):
        return f' fill="{escape(color)}"'
    if not themed:
        return f' fill="{readable(color)}"'
    share = f"{100 * share_in_theme(color):.0f}%"
    return f' fill="{color}" style="fill:color-mix(in srgb,{color} {share},currentColor)"'


def _line(line: Line, ink: str) -> str:
    x, y = line.start
    data = f"M{x:.1f} {y:.1f}"
    for step in line.steps:
        if len(step) == 4:
            data += f"Q{step[0]:.1f} {step[1]:.1f} {step[2]:.1f} {step[3]:.1f}"
        elif step[1] == y:
            data += f"H{step[0]:.1f}"
        elif step[0] == x:
            data += f"V{step[1]:.1f}"
        else:
            data += f"L{step[0]:.1f} {step[1]:.1f}"
        x, y = step[-2:]
    faint = f' stroke-opacity="{line.opacity:.2f}"' if line.opacity < 1 else ""
    color = escape(_own(line.color, ink))
    return f'<path d="{data}" fill="none" stroke="{color}" stroke-width="{line.width:.2f}"{faint}{_dash(line.dashed)}/>'


def _area(area: Area, ink: str) -> str:
    data = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in area.corners) + "Z"
    faint = f' fill-opacity="{area.opacity:.2f}"' if area.fill is not None and area.opacity < 1 else ""
    fill = "none" if area.fill is None else escape(_own(area.fill, ink))
    edge = ""
    if area.edge is not None:
        edge = f' stroke="{escape(_own(area.edge, ink))}" stroke-width="{area.width:g}"{_dash(area.dashed)}'
    return f'<path d="{data}" fill="{fill}"{faint}{edge}/>'


def _dash(dashed: bool) -> str:
    return ' stroke-dasharray="4 3"' if dashed else ""


def _own(color: str, ink: str) -> str:
    return ink if color == INK else color

"""Pieces of SVG pictures: lines, text, numbers. Text takes the colour of the page, so themes light and dark work."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import Any

from deterrence.games.pictures.tables import number_text
from deterrence.games.quantities import Array

# readable as text on white and on black: contrast of 4 to 5 with either
COLORS = ("#2f74d0", "#c2560c", "#1f8549", "#9150cf", "#c23b80", "#0f7f8f", "#8a6d00", "#707070")
LONGEST = 28  # characters of a label that are shown; the rest is in a tooltip
_DECIMAL = re.compile(r"\d+\.\d*(?:e[-+]?\d+)?")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def picture(width: float, height: float, name: str, parts: Sequence[str], font_size: float) -> str:
    """Return an SVG document of some parts, with a name for those who cannot see it."""
    label = escaped(name)
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    font = f'font-family="system-ui, \'DejaVu Sans\', sans-serif" font-size="{font_size:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" {size} {font} '
        f'fill="currentColor" stroke="none"><title>{label}</title>{"".join(parts)}</svg>'
    )


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    color: str = "currentColor",
    bold: bool = False,
    longest: int = LONGEST,
) -> str:
    """Return a line of text; a long one is cut, with the whole in a tooltip."""
    shown = shortened(content, longest)
    tip = f"<title>{escaped(content)}</title>" if shown != content else ""
    weight = ' font-weight="bold"' if bold else ""
    at = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {at} fill="{color}"{weight}>{escaped(shown)}{tip}</text>'


def path(
    points: str, *, width: float = 1.2, color: str = "currentColor", opacity: float = 1, dashed: bool = False
) -> str:
    """Return an open line, given as SVG path data."""
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    faint = f' stroke-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<path d="{points}" fill="none" stroke="{color}" stroke-width="{width:.2f}"{faint}{dash}/>'


def dot(x: float, y: float, radius: float, color: str) -> str:
    """Return a filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{color}"/>'


def diamond(x: float, y: float, radius: float) -> str:
    """Return an open diamond, the mark of chance."""
    corners = f"M{x - radius:.1f} {y:.1f}L{x:.1f} {y - radius:.1f}L{x + radius:.1f} {y:.1f}L{x:.1f} {y + radius:.1f}Z"
    return f'<path d="{corners}" fill="none" stroke="currentColor" stroke-width="1.5"/>'


def escaped(content: str) -> str:
    """Return text that is safe inside SVG: markup escaped, characters that XML forbids left out."""
    return escape(_UNPRINTABLE.sub("", content), quote=True)


def shortened(content: str, longest: int = LONGEST) -> str:
    """Return a label as it is shown: on one line, and not too long."""
    line = " ".join(content.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def width_of(content: str, font_size: float, longest: int = LONGEST) -> float:
    """Return about how wide a label is when shown, in pixels."""
    cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shortened(content, longest))
    return 0.64 * font_size * cells


def probability_text(value: Any) -> str:
    """Return a probability: rationals as they are, floats to three significant digits."""
    return str(value) if isinstance(value, Fraction) else f"{float(value):.3g}"


def quantity_text(values: Array) -> str:
    """Return a number, an expression in parameters, or the range of a batch of numbers."""
    if values.ndim:
        low, high = values.min(), values.max()
        return number_text(low) if low == high else f"{number_text(low)}…{number_text(high)}"
    value: Any = values.item()
    if hasattr(value, "free_symbols"):
        plain = _DECIMAL.sub(lambda m: f"{float(m[0]):.4g}", str(value))
        return plain.replace("**", "^").replace("*", "·").replace("-", "\u2212")
    return number_text(value).replace("-", "\u2212")

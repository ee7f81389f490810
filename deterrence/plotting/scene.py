"""A picture as a list of lines, marks, areas and texts, from which SVG, PNG, PDF and TikZ are made alike.

Coordinates are pixels of 1/96 inch, x to the right and y down. The colour ``INK`` is that of the text around.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

INK = "currentColor"
# colours of Okabe and Ito, which colour-blind readers tell apart; "Color Universal Design" (2008)
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A6D00", "#707070")
LONGEST = 28  # characters of a label that are shown; the rest is in a tooltip
CONTRAST = 4.5  # of text with its background, as the WCAG ask at level AA

Step: TypeAlias = tuple[float, ...]  # (x, y): a line to there; (bx, by, x, y): a parabola to x, y, drawn towards b


@dataclass(frozen=True, slots=True)
class Line:
    """An open line: where it starts, and its steps."""

    start: tuple[float, float]
    steps: tuple[Step, ...]
    width: float = 1.2
    color: str = INK
    opacity: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    color: str = INK


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon: filled, outlined, or both."""

    corners: tuple[tuple[float, float], ...]
    fill: str | None = None
    opacity: float = 1.0
    edge: str | None = None
    width: float = 1.2
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; a long one is cut, with the whole in a tooltip where there are tooltips."""

    x: float
    y: float
    content: str
    anchor: str = "start"
    color: str = INK
    bold: bool = False
    longest: int = LONGEST

    @property
    def shown(self) -> str:
        """The text as it is drawn."""
        return shorten(self.content, self.longest)


Part: TypeAlias = Line | Dot | Area | Label


@dataclass(frozen=True)
class Scene:
    """A whole picture.

    Attributes
    ----------
    width, height : float
        Pixels.
    name : str
        What it shows, for those who cannot see it.
    parts : tuple of Part
        In the order in which they are drawn.
    font_size : float
        Pixels.
    """

    width: float
    height: float
    name: str
    parts: tuple[Part, ...]
    font_size: float = 12.0


def diamond(x: float, y: float, radius: float, fill: str | None = None) -> Area:
    """Return a diamond, open by default: the mark of chance."""
    return Area(((x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)), fill, edge=INK, width=1.5)


def translate(part: Part, dx: float, dy: float) -> Part:
    """Return a part elsewhere."""
    if isinstance(part, Line):
        steps = tuple(tuple(v + (dy if k % 2 else dx) for k, v in enumerate(step)) for step in part.steps)
        return Line((part.start[0] + dx, part.start[1] + dy), steps, part.width, part.color, part.opacity, part.dashed)
    if isinstance(part, Area):
        corners = tuple((x + dx, y + dy) for x, y in part.corners)
        return Area(corners, part.fill, part.opacity, part.edge, part.width, part.dashed)
    if isinstance(part, Dot):
        return Dot(part.x + dx, part.y + dy, part.radius, part.color)
    return Label(part.x + dx, part.y + dy, part.content, part.anchor, part.color, part.bold, part.longest)


def stack(scenes: Sequence[Scene], name: str, gap: float = 14.0) -> Scene:
    """Return scenes one below the other as one."""
    parts: list[Part] = []
    at = 0.0
    for scene in scenes:
        parts += [translate(part, 0, at) for part in scene.parts]
        at += scene.height + gap
    return Scene(max(s.width for s in scenes), at - gap, name, tuple(parts), scenes[0].font_size)


# -- words -----------------------------------------------------------------------------------------------------------


def shorten(content: str, longest: int = LONGEST) -> str:
    """Return a label as it is shown: on one line, and not too long."""
    line = " ".join(content.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


# widths of the letters of DejaVu Sans, in ems: the widest of the usual fonts without serifs
_WIDTHS = {
    0.3: "'ijlIJ",
    0.34: " ,./:;\\|·",
    0.4: "f-()[]t!r",
    0.5: '"*_`sz–',
    0.56: "?cL",
    0.6: "FkvxyP",
    0.64: "TYaoeESbdghnpqu$0123456789{}",
    0.69: "KAVBRXZC",
    0.78: "UHNDG&OQ",
    0.85: "w#+<=>^~M−≤",
    1.0: "%mW@…",
}
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}


def width_of(content: str, font_size: float, longest: int = LONGEST, *, bold: bool = False) -> float:
    """Return about how wide a label is when shown, in pixels; seldom too little."""
    return sum(map(_ems, shorten(content, longest))) * font_size * (1.12 if bold else 1.0)


def _ems(letter: str) -> float:
    found = _WIDTH.get(letter)
    return found if found is not None else 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.8


def probability_text(value: Any) -> str:
    """Return a probability: rationals as they are, floats to three significant digits."""
    return str(value) if isinstance(value, Fraction) else f"{float(value):.3g}"


# -- colours ---------------------------------------------------------------------------------------------------------


def readable(color: str) -> str:
    """Return a colour for text on white: the colour itself, darkened until its contrast is ``CONTRAST``."""
    if color == INK:
        return "#1a1a1a"
    share = 1.0
    while contrast(mix_colours(color, "#000000", share), "#ffffff") < CONTRAST:
        share -= 0.05
    return mix_colours(color, "#000000", share)


def share_in_theme(color: str) -> float:
    """Return how much of a colour may stand in text, mixed with the text's own, on a light page and on a dark one."""
    share = 1.0
    while share > 0 and (
        contrast(mix_colours(color, "#212121", share), "#ffffff") < CONTRAST
        or contrast(mix_colours(color, "#ffffff", share), "#181818") < CONTRAST
    ):
        share -= 0.05
    return share


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours by the WCAG: 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(two)))
    return (high + 0.05) / (low + 0.05)


def mix_colours(one: str, two: str, share: float) -> str:
    """Return a mixture of two colours, with a share of the first."""
    pairs = zip(_channels(one), _channels(two), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in _channels(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(color: str) -> Iterable[int]:
    return [int(color[k : k + 2], 16) for k in (1, 3, 5)]

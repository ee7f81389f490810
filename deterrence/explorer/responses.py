"""Who would come, as a picture: each member's probability of assisting, as it is and as the aggressor sees it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deterrence.plotting.scene import COLORS, Area, Label, Line, Part, Scene, width_of
from deterrence.plotting.svg import svg_text

TRUE, SEEN = COLORS[0], COLORS[1]

_SIZE = 12.0  # of text, in pixels
_ROW, _BAR, _GAP = 22.0, 150.0, 40.0


def response_svg(
    members: Sequence[str],
    attacks: Sequence[str],
    true: NDArray[np.float64],
    seen: NDArray[np.float64] | None,
    aggressor: str,
) -> str:
    """Return a picture of the response: a row for each member, a column for each kind of attack.

    Parameters
    ----------
    members, attacks : sequence of str
        N names and X names.
    true : ndarray, shape (2, X, N)
        Probability that each member assists, in the lowest and in the highest equilibrium.
    seen : ndarray, shape (2, X, N), or None
        The same as the aggressor sees it, where it is wrong.
    aggressor : str
    """
    left = 12 + max(width_of(name, _SIZE) for name in members)
    top = 3.4 * _SIZE
    height = top + len(members) * _ROW + 2.4 * _SIZE
    parts: list[Part] = [Label(left - 8, top + i * _ROW + 4, name, anchor="end") for i, name in enumerate(members)]
    for x, attack in enumerate(attacks):
        start = left + x * (_BAR + _GAP)
        parts.append(Label(start, 1.4 * _SIZE, attack, bold=True, longest=24))
        for i in range(len(members)):
            y = top + i * _ROW
            parts += _bar(start, y, *(float(v) for v in true[:, x, i]))
            if seen is not None:
                parts += _mark(start, y, *(float(v) for v in seen[:, x, i]))
            parts.append(Label(start + _BAR + 4, y + 4, f"{true[:, x, i].mean():.0%}"))
    key = "bar: in truth" if seen is None else f"bar: in truth; line: as {aggressor} sees it"
    told = f"probability that the member assists ({key})"
    parts.append(Label(left, height - 0.9 * _SIZE, told, longest=110))
    width = max(left + len(attacks) * (_BAR + _GAP), left + width_of(told, _SIZE, 110)) + 20
    return svg_text(Scene(width, height, f"who would come: {', '.join(members)}", tuple(parts), _SIZE))


def _bar(x: float, y: float, low: float, high: float) -> list[Part]:
    return [
        _box(x, y, low * _BAR, fill=TRUE),
        _box(x + low * _BAR, y, (high - low) * _BAR, fill=TRUE, opacity=0.4),
        Area(_corners(x, y, _BAR), edge="#808080", width=1),
    ]


def _mark(x: float, y: float, low: float, high: float) -> list[Part]:
    ends = sorted({x + low * _BAR, x + high * _BAR})
    across: list[Part] = [Line((ends[0], y), ((ends[-1], y),), width=3, color=SEEN)] if len(ends) > 1 else []
    return [*across, *(Line((end, y - 9), ((end, y + 9),), width=3, color=SEEN) for end in ends)]


def _box(x: float, y: float, width: float, *, fill: str, opacity: float = 1.0) -> Area:
    return Area(_corners(x, y, width), fill, opacity)


def _corners(x: float, y: float, width: float) -> tuple[tuple[float, float], ...]:
    return (x, y - 6), (x + width, y - 6), (x + width, y + 6), (x, y + 6)

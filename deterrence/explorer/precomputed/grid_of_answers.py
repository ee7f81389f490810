"""Answers in advance: likelihoods on a grid of the parameters that matter most, with equilibria and pictures at fewer.

The grid passes through the starting values, so that the page opens on what Python says there. Likelihoods are kept to
1 part in 60,000 of their scale, and looked up at the nearest point, never interpolated: they jump where an equilibrium
ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deterrence.explorer.precomputed.fields import Fields
from deterrence.explorer.precomputed.grid import Floats, grid_of, movable_parameters, pace
from deterrence.explorer.precomputed.pictures import Pictures
from deterrence.explorer.views import Views

FINEST = {1: 241, 2: 161, 3: 61, 4: 25}  # points of an axis, by number of axes
COARSEST = 5


@dataclass(frozen=True, eq=False)
class PrecomputedGrid:
    """What a page knows.

    Attributes
    ----------
    axes : mapping of str to ndarray
        Values of each parameter that can be moved, ascending; the last varies fastest.
    head : dict
        What the arrays mean; see ``static/host_precomputed.js``.
    numbers, pictures : str
        Base64 of deflated bytes: arrays; and equilibria with their pictures as JSON.
    drawn : int
        Number of points with equilibria.
    """

    axes: Mapping[str, Floats]
    head: Mapping[str, Any] = field(repr=False)
    numbers: str = field(repr=False)
    pictures: str = field(repr=False)
    drawn: int


def precompute(explorer: Views, *, over: Sequence[str] | None, seconds: float, most_bytes: int) -> PrecomputedGrid:
    """Return the answers of an explorer at a grid of parameters.

    Parameters
    ----------
    explorer : Views
    over : sequence of str, optional
        Which parameters; by default those of the axes, and the most influential of the others, three in all.
    seconds : float
        About how long the solving may take: half for equilibria and pictures, half for likelihoods, ties among them.
    most_bytes : int
        Of the packed arrays and pictures together.

    Raises
    ------
    ParameterError
        If ``over`` names no parameter, one twice, or more than four.
    """
    names = movable_parameters(explorer, over)
    subject = explorer.subject
    sliders = {slider.name: slider for slider in subject.sliders}
    affordable = max(seconds / 4 / max(pace(explorer, names) * len(subject.events), 1e-9), 1.0)
    most = max(int(min(FINEST[len(names)], affordable ** (1 / len(names)))), COARSEST)
    patience = seconds / 4 / len(subject.events)
    axes = {name: grid_of(sliders[name], most) for name in names}
    fields = Fields(explorer, axes, patience)
    numbers = fields.pack()
    while len(numbers) > 0.6 * most_bytes and most > COARSEST:
        most = max(int(most * (0.55 * most_bytes / len(numbers)) ** (1 / len(names))), COARSEST)
        axes = {name: grid_of(sliders[name], most) for name in names}
        fields = Fields(explorer, axes, patience)
        numbers = fields.pack()
    pictures = Pictures(explorer, axes, fields.groups)
    text, drawn = pictures.pack(seconds / 2, most_bytes - len(numbers))
    return PrecomputedGrid(axes, fields.head(), numbers, text, drawn)


def points_of(grid: PrecomputedGrid) -> int:
    """Return the number of points of the grid."""
    return math.prod(len(values) for values in grid.axes.values())

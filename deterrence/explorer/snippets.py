"""Copy as code: the Python that gives the numbers of a view, filled in from a template.

The front end fills in the same template by the same rule where there is no Python behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from deterrence.explorer.state import PREFIX, State
from deterrence.explorer.subjects import Subject, changed_values

_PLACE = re.compile(r"@([a-z_]+)@")


def fill_template(template: str, places: Mapping[str, Any]) -> str:
    """Return a template with each ``@place@`` replaced by its value as JSON, which is Python as well here.

    A tuple is written without its brackets: ``0, 1``; ``@place_raw@`` is the text of a place as it is.

    Examples
    --------
    >>> fill_template("f(@at@, @range@)", {"at": {"k": 0.5}, "range": (0, 1)})
    'f({"k": 0.5}, 0, 1)'
    """

    def literal(match: re.Match[str]) -> str:
        name = match[1].removesuffix("_raw")
        if name not in places:
            return match[0]
        if name != match[1]:
            return str(places[name])
        value = places[name]
        if isinstance(value, tuple):
            return ", ".join(_json(x) for x in value)
        return _json(value)

    return _PLACE.sub(literal, template)


def code_at(subject: Subject, current: State, points: int, grid: int) -> str:
    """Return the Python that gives the numbers of a state: the subject's template, or that of mistaken play.

    Parameters
    ----------
    subject : Subject
    current : State
    points, grid : int
        Of the curve, and along each side of the map.
    """
    sliders = {slider.name: slider for slider in subject.sliders}

    def axis(name: str, count: int) -> tuple[str, tuple[float, float], int]:
        slider = sliders[name.removeprefix(PREFIX)]
        return name, (slider.low, slider.high), count

    area = tuple(axis(name, grid) for name in (current.x, current.y) if name is not None) if current.y else ()
    if current.perceived:
        told: str = subject.misperception.code(
            current.values,
            current.believer,
            current.perceived,
            current.event,
            current.concept,
            axis(current.x, points),
            area,
        )
        return told
    places = {
        "values": changed_values(subject.sliders, current.values, (current.x, current.y)),
        "x": current.x,
        "y": current.y,
        "event": current.event,
        "concept": current.concept,
        "x_range": axis(current.x, points)[1],
        "y_range": axis(current.y or current.x, points)[1],
        "points": points,
        "grid": grid,
    }
    return fill_template(subject.code, places)


def with_fixed(template: str, fixed: Mapping[str, Any]) -> str:
    """Return a template in which some values do not move: they join ``@values@``."""
    return template.replace("@values@", f"{{**{_json(dict(fixed))}, **@values@}}") if fixed else template


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)

"""What the explorer asks in a state where one player's perceived values are given."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from deterrence.explorer.misperception import PREFIX
from deterrence.explorer.resolution import points_of_curve, sizes_of_map
from deterrence.explorer.state import State
from deterrence.explorer.subjects import Comparison, Slider, Subject
from deterrence.games.answers import BlockAnswer

_PROBED = (4, 12)  # points along each side of the maps that are timed


def offer_of(subject: Subject) -> dict[str, Any] | None:
    """Return what the front end is told of perceived values; None where they are not offered."""
    offered = subject.misperception
    if offered is None:
        return None
    return {
        "players": list(offered.players),
        "believer": offered.believer,
        "parameter": subject.axes[0],
        "parameters": [slider.name for slider in subject.sliders],
        "prefix": PREFIX,
        "events": [event for event in subject.events if event in offered.events],
        "measures": list(offered.measures),
    }


def mistaken(subject: Subject, current: State, swept: Mapping[str, Any]) -> BlockAnswer:
    """Return the answer at the points of arrays, by name of the true or perceived value that they are of."""
    true = {name: values for name, values in swept.items() if not name.startswith(PREFIX)}
    seen = {name.removeprefix(PREFIX): values for name, values in swept.items() if name not in true}
    found: BlockAnswer = subject.misperception.likelihood(
        {**current.values, **true}, current.believer, {**current.perceived, **seen}, current.event, current.concept
    )
    return found


def compared(subject: Subject, current: State) -> Comparison:
    """Return what happens beside what is expected."""
    found: Comparison = subject.misperception.comparison(
        current.values, current.believer, current.perceived, current.concept
    )
    return found


def sizes_of_mistaken(subject: Subject, current: State) -> tuple[tuple[int, ...], int]:
    """Return the points along each side of the maps of mistaken play at a current, and of the curve.

    What is solved is the game as each player sees it. Where one axis moves the believer's view alone and the other
    the view of those who are right alone, these are as many as the points along the sides.
    """
    sliders = {slider.name: slider for slider in subject.sliders}

    names = (current.x, current.y) if current.y is not None else (current.x,)
    separate = len(names) == 1 or any(
        true in current.perceived and seen.startswith(PREFIX) for true, seen in (names, names[::-1])
    )
    power = 1 if separate else 2

    def took(count: int) -> float:
        axes = [_axis(sliders, name).points(count) for name in names]
        meshed = axes if len(axes) == 1 else [axes[0][None, :], axes[1][:, None]]
        begun = time.process_time()
        mistaken(subject, current, dict(zip(names, meshed, strict=True)))
        return time.process_time() - begun

    took(2)  # imports and first uses are not what a point takes
    fewer, more = (took(count) for count in _PROBED)
    each = max(more - fewer, more / 20) / (_PROBED[1] ** power - _PROBED[0] ** power)
    return sizes_of_map(each, power), points_of_curve(each)


def _axis(sliders: Mapping[str, Slider], name: str) -> Slider:
    return sliders[name.removeprefix(PREFIX)]

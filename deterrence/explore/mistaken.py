"""What the explorer asks at a place where one player's perceived values are given."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from deterrence.explore.misperception import PREFIX
from deterrence.explore.places import Place
from deterrence.explore.subjects import Comparison, Slider, Subject
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
        "measures": list(offered.measures),
    }


def mistaken(subject: Subject, place: Place, swept: Mapping[str, Any]) -> BlockAnswer:
    """Return the answer at the points of arrays, by name of the true or perceived value that they are of."""
    true = {name: values for name, values in swept.items() if not name.startswith(PREFIX)}
    seen = {name.removeprefix(PREFIX): values for name, values in swept.items() if name not in true}
    found: BlockAnswer = subject.misperception.likelihood(
        {**place.values, **true}, place.believer, {**place.perceived, **seen}, place.event, place.concept
    )
    return found


def compared(subject: Subject, place: Place) -> Comparison:
    """Return what happens beside what is expected."""
    found: Comparison = subject.misperception.comparison(place.values, place.believer, place.perceived, place.concept)
    return found


def seconds_of_mistaken_play(subject: Subject, place: Place) -> float:
    """Return what one of many points of the map at a place takes of the processor, in seconds."""
    sliders = {slider.name: slider for slider in subject.sliders}

    def took(count: int) -> float:
        xs, ys = (_axis(sliders, name).points(count) for name in (place.x, str(place.y)))
        begun = time.process_time()
        mistaken(subject, place, {place.x: xs[None, :], str(place.y): ys[:, None]})
        return time.process_time() - begun

    took(2)  # imports and first uses are not what a point takes
    fewer, more = (took(count) for count in _PROBED)
    return max(more - fewer, more / 20) / (_PROBED[1] ** 2 - _PROBED[0] ** 2)


def _axis(sliders: Mapping[str, Slider], name: str) -> Slider:
    return sliders[name.removeprefix(PREFIX)]

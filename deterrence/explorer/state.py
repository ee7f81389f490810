"""Where the reader stands: a state of the front end, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deterrence.explorer.subjects import Slider, Subject
from deterrence.games.errors import ParameterError
from deterrence.games.quantities import real_number

PREFIX = "perceived:"  # before the name of a parameter, where its perceived value is meant
PARTS = ("curve", "map", "equilibria", "tree", "comparison")


@dataclass(frozen=True, slots=True)
class State:
    """A state that has been checked; see ``deterrence.explorer.explorer`` for what its entries mean."""

    values: dict[str, float]
    x: str
    y: str | None
    event: str
    concept: str
    equilibrium: int
    detail: int
    serial: int
    settle: bool
    believer: str | None
    perceived: dict[str, float]

    def others(self, *names: str) -> tuple[tuple[str, Any], ...]:
        """Return the values of all parameters but some, and what is perceived of them."""
        seen = {f"{PREFIX}{name}": value for name, value in self.perceived.items()}
        told = tuple((name, value) for name, value in {**self.values, **seen}.items() if name not in names)
        return (("", self.believer), *told) if seen else told

    @property
    def truth(self) -> State:
        """The same with nobody wrong."""
        return replace(self, perceived={})


def start_of(subject: Subject) -> dict[str, Any]:
    """Return the state that a reader starts with."""
    axes = subject.axes
    return {
        "values": {slider.name: slider.value for slider in subject.sliders},
        "x": axes[0],
        "y": axes[1] if len(axes) > 1 else None,
        "event": subject.events[0],
        "concept": subject.concepts[0],
        "equilibrium": 0,
        "believer": subject.misperception.believer if subject.misperception is not None else None,
        "perceived": {},
        "detail": 0,
        "pinned": [],
        "serial": 0,
    }


def state_at(subject: Subject, state: Mapping[str, Any]) -> State:
    """Return a state checked, with what it leaves out as at the start.

    Raises
    ------
    ParameterError
        If a name is unknown, a value no number or out of its slider's range.
    """
    sliders = {slider.name: slider for slider in subject.sliders}
    given = _known("values", state.get("values", {}), sliders)
    whole = {**start_of(subject), **state}
    believer, seen = _seen(subject, whole["believer"], _known("perceived", whole["perceived"], sliders))
    perceived = {name: _number(sliders[name], value) for name, value in seen.items()}
    axes = (*sliders, *(f"{PREFIX}{name}" for name in perceived))
    events = (*subject.events, *(subject.misperception.measures if perceived else ()))
    x, y = _one_of("x", whole["x"], axes), whole["y"]
    if y is not None and _one_of("y", y, axes) == x:
        raise ParameterError(f"x and y are both {x!r}; give the map two parameters")
    return State(
        values={name: _number(slider, given.get(name, slider.value)) for name, slider in sliders.items()},
        x=x,
        y=y,
        event=_one_of("event", whole["event"], events),
        concept=_one_of("concept", whole["concept"], subject.concepts),
        equilibrium=_whole("equilibrium", whole["equilibrium"]),
        detail=_whole("detail", whole["detail"]),
        serial=_whole("serial", whole["serial"]),
        settle=whole.get("settle", True) is not False,
        believer=believer,
        perceived=perceived,
    )


def parts_of(given: Any) -> set[str]:
    """Return the parts of a view that are asked for.

    Raises
    ------
    ParameterError
        If one is unknown.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ParameterError(f"parts must be a list of {', '.join(PARTS)}, got {given!r}")
    return {_one_of("parts", part, PARTS) for part in given}


def _known(what: str, given: Any, sliders: Mapping[str, Slider]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ParameterError(f"{what} must be a mapping of names to numbers, got {given!r}")
    unknown = [name for name in given if name not in sliders]
    if unknown:
        raise ParameterError(f"there is no parameter {unknown[0]!r}; there are {', '.join(sliders)}")
    return given


def _seen(subject: Subject, believer: Any, seen: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """Return who is wrong and what it sees, checked."""
    offered = subject.misperception
    if offered is None:
        if seen:
            raise ParameterError(f"of {subject.title} nobody's perceived values can be given: no game of two players")
        return None, {}
    return _one_of("believer", believer, offered.players), seen


def _one_of(what: str, given: Any, known: Iterable[str]) -> str:
    if not isinstance(given, str) or given not in known:
        raise ParameterError(f"{what} must be one of {', '.join(known)}, got {given!r}")
    return given


def _whole(what: str, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ParameterError(f"{what} must be a whole number of at least 0, got {given!r}")
    return given


def _number(slider: Slider, given: Any) -> float:
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not math.isfinite(real_number(given, slider.name))
    ):
        raise ParameterError(f"{slider.name} must be a number, got {given!r}")
    if not slider.low <= given <= slider.high:
        raise ParameterError(f"{slider.name} must lie in [{slider.low:g}, {slider.high:g}], got {given:g}")
    return float(given)

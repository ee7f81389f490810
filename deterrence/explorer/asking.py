"""Asking a model, a scenario or a game about many points, whatever becomes of single ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deterrence.explorer.subjects import Slider
from deterrence.games.answers import BlockAnswer
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.sweeps.question import Points, Question

_LOOKS = 25  # along each slider
_STILL = 1e-6  # change that is none
_PATIENCE = 0.5  # seconds
MOST_SETTLED = 256  # points with ties that are solved again one by one: a second at most


def query(
    target: Any,
    values: Mapping[str, Any],
    size: int,
    event: str,
    *,
    at: Mapping[str, Any],
    concept: Any = None,
    options: Mapping[str, Any] | None = None,
) -> BlockAnswer:
    """Return a target's answer at ``size`` points; one that raises an error there is asked point by point.

    Parameters
    ----------
    target : Target
    values : mapping of str to float or ndarray, shape (size,)
        One or more arrays among them; single numbers are given to the target as fixed values.
    event : str
    at : mapping
        Further fixed values.
    concept : object
        As the target takes it.
    options : mapping, optional
        Further keyword arguments of the target's ``answer``.
    """
    arrays = {name: np.asarray(v, dtype=np.float64) for name, v in values.items() if np.ndim(v)}
    fixed = {**at, **{name: v for name, v in values.items() if not np.ndim(v)}}
    if not arrays:  # one point: any parameter will do to say so
        name = next(iter(fixed))
        arrays = {name: np.full(size, float(fixed.pop(name)))}
    try:
        found: BlockAnswer = target.answer(arrays, at=fixed, events=(event,), concept=concept, **(options or {}))
    except (GameError, ParameterError, SolverError):
        return _point_by_point(target, arrays, fixed, event)
    return found


def query_with_ties(
    target: Any,
    values: Mapping[str, Any],
    size: int,
    event: str,
    *,
    settle: bool,
    at: Mapping[str, Any],
    concept: Any = None,
) -> BlockAnswer:
    """Return a target's answer at ``size`` points; with ``settle``, ties are solved one by one if they are few."""

    def ask(some: Mapping[str, Any], count: int, solve: bool) -> BlockAnswer:
        return query(target, some, count, event, at=at, concept=concept, options={"settle": solve})

    found = ask(values, size, settle and size == 1)
    if not settle or size == 1:
        return found
    return resolve_ties(
        found, lambda ties: ask({n: v[ties] if np.ndim(v) else v for n, v in values.items()}, len(ties), True), event
    )


def lively(sliders: Sequence[Slider], likelihood: Callable[..., BlockAnswer], event: str) -> tuple[str, ...]:
    """Return the names of two sliders that matter (of one, if there is one only): the first that change the answer.

    Parameters
    ----------
    sliders : sequence of Slider
    likelihood : callable
        Called as ``likelihood(values, size, event)``.
    event : str
    """
    start = {slider.name: slider.value for slider in sliders}
    found: list[str] = []
    until = time.perf_counter() + _PATIENCE
    for slider in sliders:
        if time.perf_counter() > until:  # each point takes long: what comes first has to do
            break
        values = slider.points(_LOOKS)
        answer = likelihood({**start, slider.name: values}, len(values), event)
        if any(_spread(end[event]) > _STILL for end in (answer.low, answer.high)):
            found.append(slider.name)
        if len(found) == 2:
            break
    return tuple(dict.fromkeys([*found, *start]))[:2]


def resolve_ties(found: BlockAnswer, again: Callable[[Any], BlockAnswer], event: str) -> BlockAnswer:
    """Return an answer with its ties solved one by one, if they are few.

    Parameters
    ----------
    found : BlockAnswer
    again : callable
        Gives the answer at some of the points, by their indices, with their ties solved.
    event : str
    """
    ties = np.flatnonzero(found.degenerate)
    if not 0 < ties.size <= MOST_SETTLED:
        return found
    exact: BlockAnswer = again(ties)
    low, high, count = found.low[event].copy(), found.high[event].copy(), found.count.copy()
    low[ties], high[ties], count[ties] = exact.low[event], exact.high[event], exact.count
    kinds = {name: flags.copy() for name, flags in found.kinds.items()}
    for name in {*kinds, *exact.kinds}:
        flags = kinds.setdefault(name, np.zeros(len(count), dtype=np.bool_))
        flags[ties] = exact.kinds.get(name, False)
    return replace(
        found,
        low={event: low},
        high={event: high},
        count=count,
        kinds=kinds,
        degenerate=np.zeros_like(found.degenerate),
    )


def _point_by_point(target: Any, values: Mapping[str, Any], at: Mapping[str, Any], event: str) -> BlockAnswer:
    question = Question(target, at, {event: event})
    solved = question.solve(Points(values))
    stem = question.slots[event]
    return BlockAnswer(
        low={event: solved.variables[f"{stem}_low"]},
        high={event: solved.variables[f"{stem}_high"]},
        count=solved.variables["equilibria"],
        kinds=solved.kinds,
        status=solved.variables["status"],
        reasons={i: reason.partition(" ")[2] for i, reason in solved.reasons.items()},
    )


def _spread(values: Any) -> float:
    seen = values[np.isfinite(values)]
    return float(np.ptp(seen)) if seen.size else 0.0

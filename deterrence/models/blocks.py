"""Answers of a model at a whole block of parameter values, for sweeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import ParameterError, SolverError
from deterrence.models.parameter_table import nest

Range: TypeAlias = tuple[float, float]


class NoEquilibrium(SolverError):
    """A concept has no equilibrium at a point, so that no event has a probability there."""


class Points(Sequence[dict[str, Any]]):
    """The parameter values of each point, made when asked for: most of many points are never looked at one by one."""

    def __init__(self, given: Mapping[str, Any], swept: Mapping[str, NDArray[Any]]) -> None:
        self._given, self._swept = given, swept
        self._size = len(next(iter(swept.values())))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: Any) -> Any:
        i = range(self._size)[index]
        if isinstance(i, range):
            return [self[j] for j in i]
        return nest(
            {name: float(self._swept[name][i]) if name in self._swept else x for name, x in self._given.items()}
        )


def answer_of_batch(found: Any, events: Mapping[str, Any], size: int) -> BlockAnswer:
    """Return the answer that a batch of equilibria holds.

    Parameters
    ----------
    found : BatchEquilibria
        What ``pbe_batch`` returned.
    events : mapping
        Events of the game, by the name asked for.
    """
    ends = found.probabilities(list(events.values()))  # first: one pass finds the counts and the kinds as well
    ranges = dict(zip(events, zip(*ends, strict=True), strict=True))
    count = np.broadcast_to(np.asarray(found.count, dtype=np.int64), (size,))
    status = np.where(count > 0, Status.OK, Status.NO_EQUILIBRIUM).astype(np.uint8)
    for low, _ in ranges.values():
        status = np.where(np.isnan(low) & (count > 0), Status.NOT_CONVERGED, status).astype(np.uint8)
    return BlockAnswer(
        low={name: np.asarray(low, dtype=np.float64) for name, (low, _) in ranges.items()},
        high={name: np.asarray(high, dtype=np.float64) for name, (_, high) in ranges.items()},
        count=count,
        kinds={kind: np.asarray(flags, dtype=np.bool_) for kind, flags in found.kinds.items()},
        status=status,
        degenerate=np.broadcast_to(np.asarray(found.degenerate, dtype=np.bool_), (size,)),
    )


def answer_of_points(
    quantities: Callable[[dict[str, Any]], Mapping[str, Any]], points: Sequence[dict[str, Any]], events: Sequence[str]
) -> BlockAnswer:
    """Return the answer by asking for the quantities of a model point by point.

    An event is read off the entry ``P_<event>`` or ``<event>`` of the quantities, of every equilibrium class that has
    it; a pair is a range.
    """
    size = len(points)
    low = {event: np.full(size, np.nan) for event in events}
    high = {event: np.full(size, np.nan) for event in events}
    count, status = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.uint8)
    kinds: dict[str, NDArray[np.bool_]] = {}
    reasons: dict[int, str] = {}
    for i, point in enumerate(points):
        try:
            found = quantities(point)
        except (ParameterError, SolverError, ArithmeticError, ValueError) as error:
            status[i] = _code(error)
            reasons[i] = f"{type(error).__name__}: {error}"
            continue
        classes: set[str] = set()
        for event in events:
            values = list(_entries(found, (f"P_{event}", event)))
            if not values:
                status[i], reasons[i] = Status.FAILED, f"the quantities hold no number named P_{event} or {event}"
                continue
            numbers = [value for _, value in values]
            low[event][i], high[event][i] = min(low for low, _ in numbers), max(high for _, high in numbers)
            classes.update(name for name, _ in values if name)
        for name in classes:
            kinds.setdefault(name, np.zeros(size, dtype=np.bool_))[i] = True
        count[i] = max(1, len(classes))
    return BlockAnswer(low=low, high=high, count=count, kinds=kinds, status=status, reasons=reasons)


class Reasons(Mapping[int, str]):
    """What is wrong with the parameters of some points, put in words when asked for."""

    def __init__(self, check: Callable[[dict[str, Any]], object], points: Points, where: NDArray[np.intp]) -> None:
        self._check, self._points, self._where = check, points, dict.fromkeys(where.tolist())

    def __len__(self) -> int:
        return len(self._where)

    def __iter__(self) -> Iterator[int]:
        return iter(self._where)

    def __getitem__(self, index: int) -> str:
        if index not in self._where:
            raise KeyError(index)
        try:
            self._check(self._points[index])
        except ParameterError as error:
            return str(error)
        return "the parameters are not admissible"


def spread(part: BlockAnswer, where: NDArray[np.int64], size: int, reasons: Mapping[int, str]) -> BlockAnswer:
    """Return an answer at some points as one at ``size`` points; the others are not admissible, for given reasons."""

    def filled(values: NDArray[Any], blank: Any) -> NDArray[Any]:
        whole = np.full(size, blank, dtype=values.dtype)
        whole[where] = values
        return whole

    return BlockAnswer(
        low={event: filled(x, np.nan) for event, x in part.low.items()},
        high={event: filled(x, np.nan) for event, x in part.high.items()},
        count=filled(part.count, 0),
        kinds={kind: filled(flags, False) for kind, flags in part.kinds.items()},
        status=filled(part.status, Status.INVALID),
        reasons={**{int(where[i]): reason for i, reason in part.reasons.items()}, **reasons}
        if part.reasons
        else reasons,
        degenerate=filled(part.degenerate, False) if part.degenerate.size else part.degenerate,
    )


def gather(points: Sequence[Any]) -> Any:
    """Return quantities at many points as quantities that are lists, as far as the points have the same names."""
    first = points[0]
    if isinstance(first, Mapping) and all(isinstance(p, Mapping) and p.keys() == first.keys() for p in points):
        return {key: gather([p[key] for p in points]) for key in first}
    return list(points)


def _entries(found: Mapping[str, Any], names: tuple[str, ...], where: str = "") -> Iterator[tuple[str, Range]]:
    for name in names:
        value = found.get(name)
        if isinstance(value, int | float | np.floating):
            yield where, (float(value), float(value))
            return
        if isinstance(value, tuple):
            yield where, (float(value[0]), float(value[1]))
            return
    for key, inner in found.items():
        if isinstance(inner, Mapping):
            yield from _entries(inner, names, key)


def _code(error: Exception) -> Status:
    if isinstance(error, ParameterError):
        return Status.INVALID
    if isinstance(error, NoEquilibrium):
        return Status.NO_EQUILIBRIUM
    return Status.NOT_CONVERGED if isinstance(error, SolverError) else Status.FAILED

"""Tipping points: how far one parameter can move before an answer crosses a level, at every value of the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.sweeps.designs import Floats, Grid
from deterrence.sweeps.question import Points, Question, question_of
from deterrence.sweeps.sweep import sweep

if TYPE_CHECKING:
    import xarray as xr


def tipping_points(
    target: Any,
    along: str,
    between: tuple[float, float],
    *,
    over: Mapping[str, Any] | None = None,
    at: Mapping[str, Any] | None = None,
    event: Any = "attack",
    variable: str | None = None,
    level: float = 0.5,
    scan: int = 65,
    tol: float = 1e-6,
    concept: Any = None,
    executor: Any = None,
    progress: Any = True,
) -> xr.Dataset:
    """Return where an answer first crosses a level along one parameter: a number, or a surface over the others.

    The parameter is scanned, and the first change of side is bisected; a jump is found as well as a continuous
    crossing.

    Parameters
    ----------
    target, at, event, concept, executor, progress
        As in ``sweep``.
    along : str
        The parameter that moves.
    between : (float, float)
        Where it moves, from the first end to the second (which may be the lower).
    over : mapping of str to array_like, optional
        Values of other parameters; every combination gets its tipping point.
    variable : str, optional
        Of the result of ``sweep``; by default ``<event>_high`` of the first event.
    level : float
        What is crossed.
    scan : int
        Points of the scan; two crossings between neighbours are not seen.
    tol : float
        Width of the final bracket, as a share of the range.

    Returns
    -------
    Dataset
        ``tipping`` (NaN where the level is not crossed), ``crossings`` (how many changes of side the scan saw),
        ``rises`` (whether the answer is above the level beyond the first).

    Raises
    ------
    ParameterError
        If the range, ``scan``, ``tol`` or a name is wrong.

    Examples
    --------
    >>> import deterrence as dt
    >>> p, stake = dt.symbols("p stake")
    >>> game = dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, 0]], [[stake, 0]]])
    >>> tipping_points(game, "p", (0, 1), over={"stake": [1, 3]}).tipping.values.round(4)
    array([0.5 , 0.75])
    """
    import xarray as xr

    start, end = (float(x) for x in between)
    if not (np.isfinite([start, end]).all() and start != end):
        raise ParameterError(f"between must be two different finite numbers, got {between!r}")
    if scan < 2 or not 0 < tol < 1:
        raise ParameterError(f"scan must be at least 2 and tol in (0, 1), got {scan!r} and {tol!r}")
    others = Grid({str(name): values for name, values in over.items()}) if over else None
    line = np.linspace(start, end, scan)
    axes = {**(others.axes if others is not None else {}), along: line}
    options = {"at": at, "event": event, "concept": concept, "ties": "leave"}
    scanned = sweep(target, axes, executor=executor, progress=progress, **options)
    name = variable or next(str(n) for n in scanned.data_vars if str(n).endswith("_high"))
    if name not in scanned:
        raise ParameterError(f"the sweep has no variable {name!r}; it has {', '.join(map(str, scanned.data_vars))}")
    values = scanned[name].values.reshape(-1, scan)
    known = np.isfinite(values)
    above = values > level
    turns = (above[:, 1:] != above[:, :-1]) & known[:, 1:] & known[:, :-1]
    rows = np.flatnonzero(turns.any(axis=1))
    first = turns[rows].argmax(axis=1)
    question = question_of(target, Grid(axes), at=at or {}, event=event, concept=concept, ties="leave")
    fixed = {} if others is None else others.take(rows)
    found = _bisected(
        question, along, fixed, line[first], line[first + 1], above[rows, first], name, level, tol * abs(end - start)
    )
    tipping = np.full(len(values), np.nan)
    tipping[rows] = found
    rises = np.zeros(len(values), dtype=bool)
    rises[rows] = ~above[rows, first]
    dims, shape = (() if others is None else others.dims), (() if others is None else others.shape)
    coordinates = {} if others is None else others.coordinates()
    attributes = {"long_name": f"{along} where {name} crosses {level:g}"}
    return xr.Dataset(
        {
            "tipping": (dims, tipping.reshape(shape), attributes),
            "crossings": (dims, turns.sum(axis=1).astype(np.int32).reshape(shape)),
            "rises": (dims, rises.reshape(shape)),
        },
        coordinates,
        {"along": along, "variable": name, "level": level, "from": start, "to": end},
    )


def _bisected(
    question: Question,
    along: str,
    fixed: Mapping[str, Floats],
    a: Floats,
    b: Floats,
    above_at_a: NDArray[np.bool_],
    variable: str,
    level: float,
    width: float,
) -> Floats:
    """Halve brackets until they are narrow; a point without an answer counts as beyond."""
    while a.size and float(np.abs(b - a).max()) > width:
        middle = (a + b) / 2
        values = question.solve(Points({**fixed, along: middle})).variables[variable]
        same = np.isfinite(values) & ((values > level) == above_at_a)
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    middle_: Floats = (a + b) / 2
    return middle_

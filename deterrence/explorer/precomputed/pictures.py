"""Equilibria, their pictures and the comparison at some points of a grid, for every event."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.explorer.maps import plain
from deterrence.explorer.precomputed.fields import deflate_text
from deterrence.explorer.precomputed.grid import Floats
from deterrence.explorer.views import Views
from deterrence.games.errors import GameError, ParameterError, SolverError

MOST_POINTS = 600
_ALONG = 31  # points along each parameter


class Pictures:
    """What a page shows of equilibria; texts that occur more than once are kept once.

    Parameters
    ----------
    explorer : Views
    axes : mapping of str to ndarray
        Values of each parameter of the grid; the last varies fastest.
    groups : ndarray of uint8, shape (n,)
        A number for the set of kinds of equilibrium that exist at each point of the grid.
    """

    def __init__(self, explorer: Views, axes: Mapping[str, Floats], groups: NDArray[np.uint8]) -> None:
        self._explorer, self._axes = explorer, axes
        self._shape = [len(values) for values in axes.values()]
        self._groups = groups
        self._texts: dict[str, int] = {}

    def pack(self, seconds: float, most: int) -> tuple[str, int]:
        """Return points as text, and how many they are: start, one for each group, and what time and size allow."""
        end = time.perf_counter() + seconds
        first, more = self._order()
        points = [point for at in first if (point := self._point(at)) is not None]
        for at in more:
            if time.perf_counter() > end:
                break
            if (point := self._point(at)) is not None:
                points.append(point)
        text = self._text(points)
        while len(text) > most and len(points) > 1:
            points = points[: max(int(len(points) * 0.9 * most / len(text)), 1)]
            text = self._text(points)
        return text, len(points)

    def _order(self) -> tuple[list[int], list[int]]:
        """Return points by their number in the grid: those that a page must have, and others, the most useful first.

        A page must have the start and one point of each group. Others are some along each parameter with the rest at
        their start, and a coarser grid, shuffled: wherever it is cut, what stands before the cut is spread out.
        """
        values = self._explorer.initial_state["values"]
        start = [int(np.abs(grid - values[name]).argmin()) for name, grid in self._axes.items()]
        first = [int(np.ravel_multi_index(start, self._shape))]
        for group in np.unique(self._groups):
            inside = np.flatnonzero(self._groups == group)
            first.append(int(inside[inside.size // 2]))
        first = list(dict.fromkeys(first))
        more: list[int] = []
        for axis, count in enumerate(self._shape):
            along = np.unique(np.rint(np.linspace(0, count - 1, min(count, _ALONG))).astype(int))
            more += [int(np.ravel_multi_index([*start[:axis], i, *start[axis + 1 :]], self._shape)) for i in along]
        side = max(int(MOST_POINTS ** (1 / len(self._shape))), 2)
        picks = [
            np.unique([*np.rint(np.linspace(0, n - 1, min(n, side))), s])
            for n, s in zip(self._shape, start, strict=True)
        ]
        mesh = np.meshgrid(*[pick.astype(np.int64) for pick in picks], indexing="ij")
        coarse = np.ravel_multi_index([grid.ravel() for grid in mesh], self._shape)
        more += np.random.default_rng(0).permutation(coarse).tolist()
        return first, [at for at in dict.fromkeys(more) if at not in set(first)]

    def _point(self, at: int) -> dict[str, Any] | None:
        state, subject = self._explorer.initial_state, self._explorer.subject
        place = np.unravel_index(at, self._shape)
        here = {name: float(grid[i]) for (name, grid), i in zip(self._axes.items(), place, strict=True)}
        values = {**state["values"], **here}
        try:
            found = {event: subject.equilibria(values, event, state["concept"]) for event in subject.events}
            beside = {event: subject.comparison(values, event) for event in subject.events}
        except (GameError, ParameterError, SolverError):
            return None  # the page shows a neighbour, and says so
        first = found[subject.events[0]]
        return {
            "at": at,
            "statement": first.statement,
            "equilibria": [
                {
                    "label": row.label,
                    "kind": row.kind,
                    "survives": dict(row.survives),
                    "payoffs": row.payoffs,
                    "html": self._number(row.html),
                }
                for row in first.rows
            ],
            "trees": [self._number(first.picture(i)) for i in range(len(first.rows))],
            "events": {
                event: {
                    "ranges": [[plain(row.low), plain(row.high)] for row in found[event].rows],
                    "comparison": None if (told := beside[event]) is None else asdict(told),
                }
                for event in subject.events
            },
        }

    def _number(self, text: str) -> int:
        return self._texts.setdefault(text, len(self._texts))

    def _text(self, points: Sequence[Mapping[str, Any]]) -> str:
        """Return points and the texts that they use, packed."""
        texts = list(self._texts)
        used = sorted({n for point in points for n in (*point["trees"], *(e["html"] for e in point["equilibria"]))})
        place = {n: i for i, n in enumerate(used)}
        renamed = [
            {
                **point,
                "trees": [place[n] for n in point["trees"]],
                "equilibria": [{**e, "html": place[e["html"]]} for e in point["equilibria"]],
            }
            for point in points
        ]
        told = {"texts": [texts[n] for n in used], "points": renamed}
        return deflate_text(json.dumps(told, allow_nan=False, separators=(",", ":")).encode())

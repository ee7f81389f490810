"""The likelihood of every event at every point of a grid, and the kinds of equilibrium there."""

from __future__ import annotations

import base64
import time
import zlib
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from deterrence.explorer.maps import phases_of, scale_of
from deterrence.explorer.precomputed.grid import Floats, likelihood
from deterrence.explorer.views import Views
from deterrence.games.answers import BlockAnswer, Status

_NOTHING = 65535  # in arrays of likelihoods: no answer
_STEPS = 60_000  # codes from 0 to this span a scale; most short decimals are met exactly
_TILE = 16384  # points solved together
_UNSETTLED = "two payoffs are equal here, and this page had no time to look for further equilibria"
_WORDED = 500  # points without an answer whose reason is told
_TIES = 256  # points with ties that are settled together


class Fields:
    """The likelihoods of an explorer's events over a grid.

    Parameters
    ----------
    explorer : Views
    axes : mapping of str to ndarray
        Values of each parameter of the grid; the last varies fastest.
    seconds : float
        How long settling ties may take, for each event.

    Attributes
    ----------
    groups : ndarray of uint8, shape (n,)
        A number for the set of kinds of equilibrium that exist at each point; the rarest sets share the last.
    """

    def __init__(self, explorer: Views, axes: Mapping[str, Floats], seconds: float) -> None:
        self.axes = axes
        self._explorer, self._seconds = explorer, seconds
        mesh = np.meshgrid(*axes.values(), indexing="ij")
        self._swept = {name: grid.ravel() for name, grid in zip(axes, mesh, strict=True)}
        self._size = mesh[0].size
        self._arrays: list[NDArray[np.uint16]] = []
        self._fields = {event: self._field(event) for event in explorer.subject.events}

    def pack(self) -> str:
        """Return all arrays as text: differences of neighbours, high bytes before low ones, which deflate well."""
        parts = []
        for codes in self._arrays:
            steps = np.diff(codes, prepend=np.uint16(0)).astype(np.uint16)
            parts += [(steps >> 8).astype(np.uint8), (steps & 255).astype(np.uint8)]
        return deflate_text(np.concatenate([*parts, self._phases, self.groups, self._codes]).tobytes())

    def head(self) -> dict[str, Any]:
        """Return what the arrays mean, for JSON."""
        start = self._explorer.initial_state["values"]
        return {
            "axes": [{"name": n, "values": values.tolist(), "start": start[n]} for n, values in self.axes.items()],
            "arrays": len(self._arrays),
            "fields": self._fields,
            "phases": self._words,
            "reasons": self._reasons,
            "ties": self._ties,
        }

    def _field(self, event: str) -> dict[str, Any]:
        """Return the arrays of an event by number; the first event also says which kinds there are."""
        subject = self._explorer.subject
        answers = [likelihood(self._explorer, tile, size, event) for tile, size in self._tiles()]
        whole, ties = self._settled(event, _joined(answers, event))
        ends = {"low": whole.low[event], "high": whole.high[event]}
        start = self._explorer.initial_state["values"]
        right = [subject.under_correct_beliefs({**start, **tile}, size, event) for tile, size in self._tiles()]
        there = [answer for answer in right if answer is not None]
        if len(there) == len(right):
            ends["true_low"] = np.concatenate([answer.low[event] for answer in there])
            ends["true_high"] = np.concatenate([answer.high[event] for answer in there])
        if event == subject.events[0]:
            self._phases, self._words = phases_of(whole)
            self.groups = _groups(whole)
            self._codes, self._reasons = self._told(whole, ties)
            self._ties = int(ties.size)
        scale = scale_of(ends["low"], ends["high"])
        places = {end: self._place(values, scale) for end, values in ends.items()}
        return {"scale": list(scale), "true_low": None, "true_high": None, **places}

    def _tiles(self) -> list[tuple[dict[str, Floats], int]]:
        return [
            ({n: v[i : i + _TILE] for n, v in self._swept.items()}, min(_TILE, self._size - i))
            for i in range(0, self._size, _TILE)
        ]

    def _settled(self, event: str, whole: BlockAnswer) -> tuple[BlockAnswer, NDArray[np.int64]]:
        """Return an answer with ties settled, those nearest to the start first, and those there was no time for."""
        ties = np.flatnonzero(whole.degenerate)
        if not ties.size:
            return whole, ties
        ties = self._nearest_first(ties)
        end = time.perf_counter() + self._seconds
        exact, done = [], 0
        while done < ties.size and (not done or time.perf_counter() < end):
            some = ties[done : done + _TIES]
            swept = {name: values[some] for name, values in self._swept.items()}
            exact.append(likelihood(self._explorer, swept, some.size, event, settle=True))
            done += some.size
        return _replaced(whole, ties[:done], _joined(exact, event), event), ties[done:]

    def _nearest_first(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return points of the grid in the order of their distance from the start, in shares of each range."""
        start = self._explorer.initial_state["values"]
        spans = {name: float(np.ptp(values)) or 1.0 for name, values in self.axes.items()}
        far = np.sum([np.abs(self._swept[name][points] - start[name]) / span for name, span in spans.items()], axis=0)
        return points[np.argsort(far, kind="stable")]

    def _told(self, answer: BlockAnswer, ties: NDArray[np.int64]) -> tuple[NDArray[np.uint8], list[dict[str, str]]]:
        """Return for each point the number of what became of it, and these in words.

        Why a point has no answer is put in words near the start alone; farther away the status has to do.
        """
        known: dict[tuple[str, str], int] = {("OK", ""): 0, ("OK", _UNSETTLED): 1}
        codes = np.zeros(answer.status.size, dtype=np.uint8)
        codes[ties] = 1
        for status in np.unique(answer.status[answer.status > 0]).tolist():
            name = Status(status).name
            points = self._nearest_first(np.flatnonzero(answer.status == status))
            codes[points] = known.setdefault((name, ""), len(known))
            for i in points[:_WORDED].tolist():
                reason = answer.reasons.get(i, "")
                if (name, reason) in known or len(known) < 250:  # a byte holds no more
                    codes[i] = known.setdefault((name, reason), len(known))
        return codes, [{"status": status, "reason": reason} for status, reason in known]

    def _place(self, values: Floats, scale: tuple[float, float]) -> int:
        """Return which array holds these numbers; the same numbers are kept once."""
        share = np.clip((values - scale[0]) / (scale[1] - scale[0]), 0, 1) * _STEPS
        codes = np.where(np.isfinite(share), np.rint(np.nan_to_num(share)), _NOTHING).astype(np.uint16)
        for i, known in enumerate(self._arrays):
            if np.array_equal(known, codes):
                return i
        self._arrays.append(codes)
        return len(self._arrays) - 1


def deflate_text(content: bytes) -> str:
    """Return bytes as deflated base64 text."""
    return base64.b64encode(zlib.compress(content, 9)).decode("ascii")


class _Reasons(Mapping[int, str]):
    """The reasons of consecutive tiles as one; each is put in words when asked for, which takes its time."""

    def __init__(self, tiles: Sequence[Mapping[int, str]], sizes: Sequence[int]) -> None:
        self._tiles, self._starts = tiles, np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return sum(map(len, self._tiles))

    def __iter__(self) -> Iterator[int]:
        for start, tile in zip(self._starts.tolist(), self._tiles, strict=False):
            yield from (start + i for i in tile)

    def __getitem__(self, index: int) -> str:
        k = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._tiles[k][index - int(self._starts[k])]


def _joined(answers: Sequence[BlockAnswer], event: str) -> BlockAnswer:
    """Return the answers to consecutive tiles as one."""
    kinds = sorted({kind for answer in answers for kind in answer.kinds})

    def flags(answer: BlockAnswer, kind: str) -> NDArray[np.bool_]:
        return answer.kinds.get(kind, np.zeros(answer.status.size, dtype=np.bool_))

    def ties(answer: BlockAnswer) -> NDArray[np.bool_]:
        return answer.degenerate if answer.degenerate.size else np.zeros(answer.status.size, dtype=np.bool_)

    return BlockAnswer(
        low={event: np.concatenate([answer.low[event] for answer in answers])},
        high={event: np.concatenate([answer.high[event] for answer in answers])},
        count=np.concatenate([answer.count for answer in answers]),
        kinds={kind: np.concatenate([flags(answer, kind) for answer in answers]) for kind in kinds},
        status=np.concatenate([answer.status for answer in answers]),
        reasons=_Reasons([answer.reasons for answer in answers], [answer.status.size for answer in answers]),
        degenerate=np.concatenate([ties(answer) for answer in answers]),
    )


def _replaced(whole: BlockAnswer, at: NDArray[np.int64], by: BlockAnswer, event: str) -> BlockAnswer:
    """Return an answer with that at some points replaced."""

    def put(values: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
        changed = values.copy()
        changed[at] = new
        return changed

    told = cast("MutableMapping[int, str]", whole.reasons)  # a ChainMap writes to its first mapping only
    none, nobody = np.zeros(whole.status.size, dtype=np.bool_), np.zeros(at.size, dtype=np.bool_)
    return replace(
        whole,
        low={event: put(whole.low[event], by.low[event])},
        high={event: put(whole.high[event], by.high[event])},
        count=put(whole.count, by.count),
        kinds={
            kind: put(whole.kinds.get(kind, none), by.kinds.get(kind, nobody))
            for kind in sorted({*whole.kinds, *by.kinds})
        },
        status=put(whole.status, by.status),
        reasons=ChainMap({int(at[i]): by.reasons.get(i, "") for i in np.flatnonzero(by.status).tolist()}, told),
    )


def _groups(answer: BlockAnswer) -> NDArray[np.uint8]:
    """Return a number for the set of kinds that exist at each point; where there are no kinds, how many equilibria."""
    rows = np.stack([answer.status > 0, *(answer.kinds.values() or [answer.count])], axis=1).astype(np.int64)
    _, codes, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    place = np.empty_like(counts)
    place[np.argsort(-counts, kind="stable")] = np.arange(counts.size)
    return np.minimum(place[codes.ravel()], 255).astype(np.uint8)

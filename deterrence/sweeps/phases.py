"""Phase boundaries: points placed where the number or the kind of equilibria changes.

A coarse lattice is laid over the ranges. Every cell whose corners are not all in one phase is split, again and again,
until cells are as small as asked. The lattice lies a little askew in the ranges, so that its points do not fall on
ties at round numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value
from deterrence.sweeps.designs import Floats, Sample
from deterrence.sweeps.question import Points, Question, question_of
from deterrence.sweeps.sampling import unit_to_ranges

if TYPE_CHECKING:
    import xarray as xr

Lattice = NDArray[np.int64]
_BELOW, _ABOVE = 0.381966, 0.236068  # of a cell: how far the lattice stays inside the ranges
_MOST = 5_000_000  # points


@dataclass(frozen=True, eq=False)
class PhaseMap(Value):
    """Phases of a parameter space and the boundaries between them.

    Attributes
    ----------
    names : tuple of str
        Parameters, d of them.
    phases : tuple of str
        What holds in each phase, in words.
    points : ndarray, shape (n, d)
        Where the target was asked.
    phase : ndarray of int, shape (n,)
        Which phase each point is in.
    cells : ndarray, shape (m, 2, d)
        Smallest cells that hold a boundary: lower and upper corners.
    between : tuple of tuple of int, length m
        Phases found at the corners of each of these cells.
    tol : float
        Largest side of a cell, as a share of each range.
    """

    names: tuple[str, ...]
    phases: tuple[str, ...]
    points: Floats = field(repr=False)
    phase: NDArray[np.int64] = field(repr=False)
    cells: Floats = field(repr=False)
    between: tuple[tuple[int, ...], ...] = field(repr=False)
    tol: float

    @property
    def boundary(self) -> Floats:
        """Centres of the cells that hold a boundary, shape (m, d)."""
        centres: Floats = self.cells.mean(axis=1)
        return centres

    def thresholds(self) -> list[tuple[float, str, str]]:
        """Return, for one parameter, each boundary with the phases below and above it.

        Raises
        ------
        ParameterError
            If there are several parameters.
        """
        if len(self.names) != 1:
            raise ParameterError(
                f"thresholds are numbers only for one parameter, not for {len(self.names)}; see boundary"
            )
        order = np.argsort(self.points[:, 0])
        x, phase = self.points[order, 0], self.phase[order]
        turns = np.flatnonzero(phase[1:] != phase[:-1])
        return [(float(x[i] + x[i + 1]) / 2, self.phases[phase[i]], self.phases[phase[i + 1]]) for i in turns]

    def design(self) -> Sample:
        """Return the points as a design, for a sweep that asks for more at them."""
        columns = {name: self.points[:, i] for i, name in enumerate(self.names)}
        return Sample(columns, {"kind": "refined", "tol": self.tol})

    def to_dataset(self) -> xr.Dataset:
        """Return the points and their phases as a Dataset."""
        import xarray as xr

        meanings = {"flag_values": list(range(len(self.phases))), "flag_meanings": " | ".join(self.phases)}
        coordinates = {name: ("sample", self.points[:, i]) for i, name in enumerate(self.names)}
        return xr.Dataset({"phase": ("sample", self.phase, meanings)}, coordinates)


def phase_boundaries(
    target: Any,
    over: Mapping[str, tuple[float, float]],
    *,
    at: Mapping[str, Any] | None = None,
    event: Any = "attack",
    concept: Any = None,
    tol: float = 1e-3,
    start: int = 16,
    level: float | None = None,
) -> PhaseMap:
    """Locate the boundaries between phases: regions with the same number and kinds of equilibria.

    Parameters
    ----------
    target, at, event, concept
        As in ``sweep``.
    over : mapping of str to (low, high)
        Ranges of one to four parameters.
    tol : float
        How closely boundaries are located, as a share of each range.
    start : int
        Cells along each range to begin with. A region that no corner of these cells lies in, and that no boundary found
        leads to, is not seen.
    level : float, optional
        If given, phases also differ in whether the event's highest probability is above it.

    Raises
    ------
    ParameterError
        If a range or option is wrong, or more than five million points would be needed.

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[-1, 0]], [[1, 0]]])
    >>> found = phase_boundaries(game, {"p": (0, 1)}, level=0.5, tol=1e-6)
    >>> [round(x, 5) for x, below, above in found.thresholds()]
    [0.5]
    """
    names = tuple(over)
    d = len(names)
    if not 1 <= d <= 4 or start < 1 or not 0 < tol < 1:
        raise ParameterError(
            f"phase_boundaries takes one to four ranges, start >= 1 and tol in (0, 1), got {d}, {start!r}, {tol!r}"
        )
    unit_to_ranges(over, np.zeros((1, d)))  # checks the ranges
    levels = max(0, math.ceil(math.log2(1 / (tol * start))))
    side = start * 2**levels
    if (side + 1) ** d >= 2**62:
        raise ParameterError(f"tol={tol:g} is too fine for {d} parameters")
    ends = Sample({name: np.asarray(range_, dtype=np.float64) for name, range_ in over.items()})
    question = question_of(target, ends, at=at or {}, event=event, concept=concept, ties="leave")
    ask = _Asker(question, over, side, level)
    width = side // start
    cells: Lattice = np.array(list(product(range(0, side, width), repeat=d)), dtype=np.int64)
    corners: Lattice = np.array(list(product((0, 1), repeat=d)), dtype=np.int64)
    while True:
        phase = ask(cells[:, None, :] + width * corners)
        mixed = (phase != phase[:, :1]).any(axis=1)
        if width == 1 or not mixed.any():
            break
        width //= 2
        cells = (cells[mixed][:, None, :] + width * corners).reshape(-1, d)
    edges = np.stack([cells[mixed], cells[mixed] + width], axis=1)
    points, phases, found = ask.observations()
    return PhaseMap(
        names=names,
        phases=phases,
        points=points,
        phase=found,
        cells=ask.place(edges.reshape(-1, d)).reshape(-1, 2, d),
        between=tuple(tuple(sorted({int(i) for i in row})) for row in phase[mixed]),
        tol=width / side,
    )


class _Asker:
    """Asks at points of the lattice, each once, and numbers the phases in the order of their words."""

    def __init__(
        self, question: Question, over: Mapping[str, tuple[float, float]], side: int, level: float | None
    ) -> None:
        self.question, self.side, self.level = question, side, level
        self.names = tuple(over)
        self.low = np.array([float(low) for low, _ in over.values()])
        self.span = np.array([float(high) for _, high in over.values()]) - self.low
        self.keys: Lattice = np.zeros(0, dtype=np.int64)
        self.words: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self.numbers: dict[str, int] = {}

    def __call__(self, lattice: Lattice) -> NDArray[np.int64]:
        """Return the phases, by their number, at points of shape (..., d)."""
        radix = (self.side + 1) ** np.arange(lattice.shape[-1], dtype=np.int64)
        keys = lattice @ radix
        fresh = np.setdiff1d(keys, self.keys)
        if fresh.size + self.keys.size > _MOST:
            raise ParameterError(f"more than {_MOST:,} points are needed; give a larger tol or fewer parameters")
        if fresh.size:
            points = (fresh[:, None] // radix) % (self.side + 1)
            self.words = np.concatenate([self.words, self._asked(self.place(points))])
            self.keys = np.concatenate([self.keys, fresh])
            order = np.argsort(self.keys)
            self.keys, self.words = self.keys[order], self.words[order]
        found: NDArray[np.int64] = self.words[np.searchsorted(self.keys, keys)]
        return found

    def place(self, lattice: Lattice) -> Floats:
        """Return points of the lattice in the parameters' ranges."""
        below, above = _BELOW / self.side, _ABOVE / self.side
        placed: Floats = self.low + self.span * (below + (1 - below - above) * lattice / self.side)
        return placed

    def observations(self) -> tuple[Floats, tuple[str, ...], NDArray[np.int64]]:
        """Return all points asked at, what holds in each phase, and the phase of each point."""
        radix = (self.side + 1) ** np.arange(len(self.names), dtype=np.int64)
        points = (self.keys[:, None] // radix) % (self.side + 1)
        return self.place(points), tuple(self.numbers), self.words

    def _asked(self, points: Floats) -> NDArray[np.int64]:
        solved = self.question.solve(
            Points({name: np.ascontiguousarray(points[:, i]) for i, name in enumerate(self.names)})
        )
        columns = [solved.variables["status"], solved.variables["equilibria"]]
        kinds = sorted(solved.kinds)
        columns += [solved.kinds[kind] for kind in kinds]
        high = solved.variables[self.question.ranges[1]]
        if self.level is not None:
            columns.append(high > self.level)
        rows, which = np.unique(np.stack([c.astype(np.int64) for c in columns], axis=1), axis=0, return_inverse=True)
        told = [self._told(row, kinds) for row in rows]
        numbers = np.array([self.numbers.setdefault(words, len(self.numbers)) for words in told], dtype=np.int64)
        found: NDArray[np.int64] = numbers[which.ravel()]
        return found

    def _told(self, row: NDArray[np.int64], kinds: list[str]) -> str:
        if row[0]:
            return "no answer"
        names = " + ".join(kind for kind, there in zip(kinds, row[2:], strict=False) if there)
        count = f"{row[1]} equilibri{'um' if row[1] == 1 else 'a'}"
        words = f"{count}: {names}" if names else count
        if self.level is not None:
            event = next(iter(self.question.events))
            words += f"; {event} {'>' if row[-1] else '<='} {self.level:g}"
        return words

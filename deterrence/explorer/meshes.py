"""Many points of mistaken play at once, whatever becomes of single ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError, ParameterError, SolverError

EXPECTED = (GameError, ParameterError, SolverError, ArithmeticError)

_PATIENCE = 1000  # parts without an answer after which no more are looked at: a third of a second

Bools = NDArray[np.bool_]
Values = Mapping[str, Any]
Ask = Callable[[Values, Values], Mapping[str, tuple[Any, Any]]]


@dataclass(eq=False)
class Mesh:
    """Ranges of some quantities at the points of arrays that broadcast against each other.

    Attributes
    ----------
    shape : tuple of int
        What the arrays broadcast to.
    low, high : mapping of str to ndarray, of that shape
        By quantity; NaN where there is no answer.
    solved : ndarray of bool, of that shape
    reasons : mapping of int to str
        Why a point has no answer, by its number row by row; not of every such point.
    """

    shape: tuple[int, ...]
    low: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    high: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    solved: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    reasons: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, ask: Ask, values: Values, seen: Values, fine: Bools) -> Mesh:
        """Return what is found at every point.

        Parameters
        ----------
        ask : callable
            From true and perceived values to the range of each quantity, arrays of the values' common shape. It may
            raise an error if some of the points have no answer: these are found by halving.
        values, seen : mapping of str to float or ndarray
        fine : ndarray of bool, of the arrays' common shape
            Points that are worth asking for. Where these are all combinations of some rows and columns, arrays stay
            rows and columns, which are fewer games to solve.
        """
        mesh = cls(fine.shape, solved=np.zeros(fine.shape, dtype=np.bool_))
        if not fine.any():
            return mesh
        others = [tuple(j for j in range(fine.ndim) if j != i) for i in range(fine.ndim)]
        combined = np.ix_(*(np.flatnonzero(fine.any(axis=other)) for other in others))
        if fine[combined].all():
            mesh._fill(ask, values, seen, [axis.ravel() for axis in combined])
            return mesh
        inner = cls.of(ask, _flat(values, fine), _flat(seen, fine), np.ones(int(fine.sum()), dtype=np.bool_))
        for name in inner.low:
            mesh._place(name, fine, inner.low[name], inner.high[name])
        mesh.solved[fine] = inner.solved
        places = np.flatnonzero(fine)
        mesh.reasons = {int(places[i]): reason for i, reason in inner.reasons.items()}
        return mesh

    def _fill(self, ask: Ask, values: Values, seen: Values, axes: list[NDArray[np.intp]]) -> None:
        """Ask for all combinations of places along the axes, by halves where that raises an error."""
        failed = 0
        left = [axes]
        while left and failed < _PATIENCE:
            part = left.pop()
            try:
                found = ask(_cut(values, part, self.shape), _cut(seen, part, self.shape))
            except EXPECTED as error:
                failed += 1
                sizes = [len(axis) for axis in part]
                longest = int(np.argmax(sizes))
                if sizes[longest] == 1:
                    where = tuple(int(axis[0]) for axis in part)
                    self.reasons[int(np.ravel_multi_index(where, self.shape))] = str(error)
                    continue
                halves = np.array_split(part[longest], 2)
                left += [[*part[:longest], half, *part[longest + 1 :]] for half in halves]
                continue
            place = np.ix_(*part)
            for name, (low, high) in found.items():
                self._place(name, place, low, high)
            self.solved[place] = True

    def _place(self, name: str, where: Any, low: Any, high: Any) -> None:
        for table, values in ((self.low, low), (self.high, high)):
            table.setdefault(name, np.full(self.shape, np.nan))[where] = values


def _flat(values: Values, fine: Bools) -> dict[str, Any]:
    return {n: np.broadcast_to(v, fine.shape)[fine] if np.ndim(v) else v for n, v in values.items()}


def _cut(values: Values, places: list[NDArray[np.intp]], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return arrays at some places along each axis; along an axis where an array has one entry, that is kept."""

    def cut(value: Any) -> Any:
        if not np.ndim(value):
            return value
        sizes = np.shape(value)
        own = places[len(shape) - len(sizes) :]
        return value[np.ix_(*(p if n > 1 else np.zeros(1, np.intp) for p, n in zip(own, sizes, strict=True)))]

    return {name: cut(value) for name, value in values.items()}

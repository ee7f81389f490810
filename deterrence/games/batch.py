"""Equilibria of many games of one shape at once: counts, kinds and event ranges as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from operator import index as as_integer
from typing import Any

import numpy as np

from deterrence.games.display import Display
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.games.values import Value

QUICK = 1000  # games up to which the repr counts kinds if nobody has asked for them yet


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey(Value):
    """What one pass over a batch of N games finds; all arrays are flat.

    Attributes
    ----------
    count : ndarray of int, shape (N,)
        Number of equilibrium components.
    kinds : mapping of str to ndarray of bool, shape (N,)
        Whether the game has an equilibrium of that kind.
    degenerate, unsolved : ndarray of bool, shape (N,)
        See `BatchEquilibria`.
    low, high : ndarray, shape (E, N)
        Range of the probability of each event that was asked for; NaN where a game is unsolved.
    """

    count: Array
    kinds: Mapping[str, Array]
    degenerate: Array
    unsolved: Array
    low: Array
    high: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchEquilibria(Display, Value):
    """Every equilibrium of every game of a batch, kept as what can be asked of it rather than as strategies.

    Nothing is computed before it is first asked for. ``batch[i]`` gives the strategies and beliefs of one
    game.

    Attributes
    ----------
    game : SignalingGame
        The batch.
    concept, method : str
        What was looked for, and how.
    counted : str
        What ``count`` counts: ``"components"`` (maximal, those that differ only off the path counted apart)
        or ``"outcomes"`` (off-path replies lumped together, where a message has too many combinations of
        them).
    survey : callable
        Maps a tuple of events to a `Survey`.
    single : callable
        Maps one game to its `EquilibriumSet`.
    options : mapping
        As used, defaults filled in.
    """

    game: Any
    concept: str
    method: str
    counted: str
    survey: Callable[[tuple[Event, ...]], Survey] = field(repr=False)
    single: Callable[[Any], EquilibriumSet] = field(repr=False)
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    _found: dict[object, Any] = field(default_factory=dict, repr=False, init=False)

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Shape of the batch; every array that is handed out has it."""
        return tuple(self.game.batch_shape)

    def __len__(self) -> int:
        return self.batch_shape[0]

    def __getitem__(self, index: int | tuple[int, ...]) -> EquilibriumSet:
        """Return every equilibrium of one game of the batch, by the solver for single games."""
        given = index if isinstance(index, tuple) else (index,)
        if len(given) != len(self.batch_shape):
            raise GameError(f"a game of this batch is named by {len(self.batch_shape)} indices, got {index!r}")
        where = tuple(as_integer(i) for i in given)
        if any(not -n <= i < n for i, n in zip(where, self.batch_shape, strict=True)):
            raise IndexError(f"index {index!r} is outside the batch of shape {self.batch_shape}")
        return self.single(self.game[where])

    @property
    def count(self) -> Array:
        """Number of equilibrium components of each game, int64."""
        return self._shaped(self._summary.count)

    @cached_property
    def kinds(self) -> Mapping[str, Array]:
        """Whether each game has an equilibrium of each kind: kind in words -> bool array."""
        return {kind: self._shaped(flags) for kind, flags in self._summary.kinds.items()}

    @property
    def degenerate(self) -> Array:
        """Whether a comparison that matters is within the tolerance of a tie; there may be continua."""
        return self._shaped(self._summary.degenerate)

    @property
    def unsolved(self) -> Array:
        """Whether no equilibrium was found or one not decided; as equilibria exist, this is no finding."""
        return self._shaped(self._summary.unsolved)

    def probability(self, event: Event) -> tuple[Array, Array]:
        """Return the lowest and the highest probability of an event over each game's equilibria.

        Parameters
        ----------
        event : str or callable
            A label, a named event of the game, or a predicate over the path of labels.

        Returns
        -------
        low, high : ndarray, of the batch's shape
            Probabilities under the true prior; NaN where a game is unsolved.

        Raises
        ------
        GameError
            If the event is not known.
        """
        low, high = self.probabilities([event])
        return low[0], high[0]

    def probabilities(self, events: Sequence[Event]) -> tuple[Array, Array]:
        r"""Return the ranges of E events, found in one pass, as arrays of shape (E, \*batch)."""
        missing = tuple(dict.fromkeys(e for e in events if ("event", e) not in self._found))
        if missing:
            survey = self.survey(missing)
            self._found.setdefault("summary", survey)
            for e, low, high in zip(missing, survey.low, survey.high, strict=True):
                self._found["event", e] = (self._shaped(low), self._shaped(high))
        ranges = [self._found["event", e] for e in events]
        shape = (len(ranges), *self.batch_shape)
        return np.array([r[0] for r in ranges]).reshape(shape), np.array([r[1] for r in ranges]).reshape(shape)

    @property
    def _summary(self) -> Survey:
        if "summary" not in self._found:
            self._found["summary"] = self.survey(())
        summary: Survey = self._found["summary"]
        return summary

    def _shaped(self, flat: Array) -> Array:
        array = flat.reshape(self.batch_shape)
        array.setflags(write=False)
        return array

    def __repr__(self) -> str:
        counts = ""
        if "summary" in self._found or np.prod(self.batch_shape) <= QUICK:
            counts = "; " + (", ".join(f"{kind} in {n}" for kind, n in self._tally()) or "no equilibrium found")
        return f"BatchEquilibria({self.concept} of {self.game!r}{counts})"

    def _repr_html_(self) -> str:
        games = int(np.prod(self.batch_shape))
        rows = [*self._tally(), *((name, int(getattr(self, name).sum())) for name in ("degenerate", "unsolved"))]
        body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{n}</td></tr>' for name, n in rows)
        caption = escape(f"{self.concept} of {games} games: in how many there is an equilibrium of each kind")
        head = '<thead><tr><th scope="col">kind</th><th scope="col">games</th></tr></thead>'
        return f'<table aria-label="equilibria"><caption>{caption}</caption>{head}<tbody>{body}</tbody></table>'

    def _tally(self) -> list[tuple[str, int]]:
        """Return the kinds, each with the number of games that have such an equilibrium."""
        return [(kind, int(flags.sum())) for kind, flags in self.kinds.items() if flags.any()]

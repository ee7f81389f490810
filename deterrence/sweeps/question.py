"""The question of a sweep: which target, at which fixed values, which events, by which concept; answered part by part.

A part of the design is answered tile by tile, so that temporary arrays stay in a core's cache. A tile that raises an
error is halved until the points that cause it stand alone: they are recorded with the reason, the others are answered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.answers import Answerable, BlockAnswer, Flags, Status
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.solvers.concepts import ChosenConcept, choose_concept
from deterrence.sweeps.designs import Design, Floats, Part
from deterrence.sweeps.naming import event_stem
from deterrence.sweeps.targets import GameTarget, code_of, target_of

Array = NDArray[Any]

MOST_TIES = 1000  # points with ties that a sweep solves one by one by default: a few seconds
_PROBED = 8192  # points looked at to foresee how many there will be
_TILE, _BLOCK = 1024, 1024  # points of a target that answers in milliseconds each
_QUICK_TILE, _QUICK_BLOCK = 4096, 16384  # of a model that is solved as arrays
_MISTAKES = (TypeError, AttributeError, LookupError, NameError, ImportError)  # of code or caller, not of a point
UNSOLVED = 255  # what ``status`` holds at points that have not been reached
LOST = 254  # and at points whose stored values are missing or damaged


@dataclass(frozen=True, eq=False)
class Solved:
    """The answer to a part of a design.

    Attributes
    ----------
    variables : mapping of str to ndarray, shape (n,)
        ``<event>_low``, ``<event>_high``, ``equilibria``, ``status`` and, for games, ``degenerate``.
    kinds : mapping of str to ndarray of bool, shape (n,)
        By kind in words; only those that occur.
    reasons : mapping of int to str
        Why a point has no answer, by its number in the part: the name of its status, then the reason.
    """

    variables: Mapping[str, Array]
    kinds: Mapping[str, Flags]
    reasons: Mapping[int, str]

    @property
    def size(self) -> int:
        """Number of points."""
        return int(self.variables["status"].size)


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked at every point.

    Attributes
    ----------
    target : Answerable
    at : mapping
        Fixed values.
    events : mapping of str to event
        Name -> what is asked of the target: a name of its own or, for games, a predicate over the path of labels.
    concept : ChosenConcept, optional
        By default the target's own.
    settle : bool
        Whether points with ties are solved again one by one (games only).
    """

    target: Answerable
    at: Mapping[str, Any]
    events: Mapping[str, Any]
    concept: ChosenConcept | None = None
    settle: bool = False

    @cached_property
    def slots(self) -> dict[str, str]:
        """The stem of the variables of each event."""
        return {event: event_stem(event) for event in self.events}

    @property
    def dtypes(self) -> dict[str, np.dtype[Any]]:
        """Name and type of every variable but the kinds."""
        found: dict[str, np.dtype[Any]] = {name: np.dtype(np.float64) for name in self.ranges}
        found |= {"equilibria": np.dtype(np.int32), "status": np.dtype(np.uint8)}
        return found | ({"degenerate": np.dtype(np.bool_)} if isinstance(self.target, GameTarget) else {})

    @property
    def ranges(self) -> list[str]:
        """Names of the variables that hold probabilities."""
        return [s for stem in self.slots.values() for s in (f"{stem}_low", f"{stem}_high")]

    def attributes(self) -> dict[str, dict[str, Any]]:
        """Return what each variable and coordinate is, as attributes of the result."""
        told: dict[str, dict[str, Any]] = {
            "equilibria": {"long_name": "number of equilibria"},
            "status": {
                "long_name": "what became of the point",
                "flag_values": [*map(int, Status), LOST, UNSOLVED],
                "flag_meanings": " ".join([*(s.name for s in Status), "LOST", "UNSOLVED"]),
            },
            "degenerate": {"long_name": "a comparison that matters is within the tolerance of a tie"},
        }
        for event, stem in self.slots.items():
            for end, word in (("low", "lowest"), ("high", "highest")):
                told[f"{stem}_{end}"] = {"long_name": f"{word} probability of {event}", "event": event}
        for parameter in getattr(self.target, "parameters", ()):
            meaning, unit = getattr(parameter, "meaning", ""), getattr(parameter, "unit", "")
            told[str(parameter.name)] = {k: v for k, v in (("long_name", meaning), ("units", unit)) if v}
        return told

    @property
    def block(self) -> int:
        """Points of a block."""
        if isinstance(self.target, GameTarget):
            return self.target.block(self._concept)
        return _QUICK_BLOCK if self._quick else _BLOCK

    @property
    def tile(self) -> int:
        """Points solved together."""
        if isinstance(self.target, GameTarget):
            return self.target.tile(self._concept)
        return _QUICK_TILE if self._quick else _TILE

    @property
    def ties_matter(self) -> bool:
        """Whether ties can be left to the array solver."""
        return isinstance(self.target, GameTarget) and self.target.arrays(self._concept) and self._concept.name == "spe"

    def solve(self, part: Part) -> Solved:
        """Return the answer to a part of a design."""
        values = part.values()
        size = len(next(iter(values.values())))
        variables: dict[str, Array] = {name: np.empty(size, dtype=dtype) for name, dtype in self.dtypes.items()}
        kinds: dict[str, Flags] = {}
        reasons: dict[int, str] = {}
        for start in range(0, size, self.tile):
            tile = {name: v[start : start + self.tile] for name, v in values.items()}
            self._place(self._isolated(tile), start, size, variables, kinds, reasons)
        return Solved(variables, {kind: flags for kind, flags in kinds.items() if flags.any()}, reasons)

    def answer(self, values: Mapping[str, Floats]) -> BlockAnswer:
        """Return the target's answer at some points.

        Raises
        ------
        Exception
            Whatever the target raises.
        """
        events = tuple(self.events.values())
        if isinstance(self.target, GameTarget):
            return self.target.answer(values, at=self.at, events=events, concept=self.concept, settle=self.settle)
        concept = None if self.concept is None else self.concept.label
        return self.target.answer(values, at=self.at, events=events, concept=concept)

    def spec(self) -> dict[str, Any]:
        """Return what identifies the question, JSON-able."""
        concept = self._concept if isinstance(self.target, GameTarget) else self.concept
        return {
            "target": self.target.spec(),
            "at": {name: _plain(value) for name, value in sorted(self.at.items())},
            "events": {name: event if isinstance(event, str) else _code(event) for name, event in self.events.items()},
            "concept": None if concept is None else {"name": concept.name, "options": _plain(concept.options)},
            "ties": ("settled one by one" if self.settle else "left to the array solver") if self.ties_matter else "",
        }

    # -- private ------------------------------------------------------------------------------------------------------

    @property
    def _quick(self) -> bool:
        return any(getattr(variant, "arrays", False) for variant in getattr(self.target, "variants", ()))

    @property
    def _concept(self) -> ChosenConcept:
        if self.concept is not None:
            return self.concept
        assert isinstance(self.target, GameTarget)
        return self.target.concept

    def _isolated(self, values: Mapping[str, Floats]) -> list[BlockAnswer]:
        """Return the answer to a tile in pieces; a piece that raises an error is a single point."""
        size = len(next(iter(values.values())))
        try:
            answer = self.answer(values)
        except Exception as error:  # whatever a target may raise: the point is recorded, the sweep goes on
            if size > 1:
                half = size // 2
                halves = ({n: v[:half] for n, v in values.items()}, {n: v[half:] for n, v in values.items()})
                return [piece for values_ in halves for piece in self._isolated(values_)]
            return [self._failed(error)]
        return [answer]

    def _failed(self, error: Exception) -> BlockAnswer:
        nothing = {event: np.full(1, np.nan) for event in self.events.values()}
        return BlockAnswer(
            low=nothing,
            high=nothing,
            count=np.zeros(1, dtype=np.int64),
            kinds={},
            status=np.full(1, code_of(error), dtype=np.uint8),
            reasons={0: f"{type(error).__name__}: {error}"},
        )

    def _place(
        self,
        pieces: Sequence[BlockAnswer],
        start: int,
        size: int,
        variables: dict[str, Array],
        kinds: dict[str, Flags],
        reasons: dict[int, str],
    ) -> None:
        for piece in pieces:
            here = slice(start, start + piece.status.size)
            lost = piece.status != Status.OK
            for event, asked in self.events.items():
                for end, table in (("low", piece.low), ("high", piece.high)):
                    column = variables[f"{self.slots[event]}_{end}"]
                    column[here] = table[asked]
                    column[here][lost] = np.nan
            variables["equilibria"][here] = piece.count
            variables["status"][here] = piece.status
            if "degenerate" in variables:
                variables["degenerate"][here] = piece.degenerate if piece.degenerate.size else False
            for kind, flags in piece.kinds.items():
                if flags.any():
                    kinds.setdefault(kind, np.zeros(size, dtype=np.bool_))[here] = flags
            for i in np.flatnonzero(lost):
                status = Status(int(piece.status[i]))
                reasons[start + int(i)] = f"{status.name} {piece.reasons.get(int(i), 'no reason was given')}"
            start = here.stop


def question_of(
    target: Any, design: Design, *, at: Mapping[str, Any], event: Any, concept: Any, ties: str | None
) -> Question:
    """Return the question, checked on the design: names, events and fixed values must be known to the target.

    Raises
    ------
    ParameterError
        If a name, a concept or an option is unknown.
    GameError
        If an event is unknown.
    """
    asked = target_of(target)
    events = _events(event)
    game = asked.game if isinstance(asked, GameTarget) else None
    chosen = None if concept is None else choose_concept(concept, game)
    if chosen is not None and hasattr(asked, "check_concept"):
        asked.check_concept(chosen, [*at, *design.names])
    question = Question(asked, dict(at), events, chosen)
    both = [name for name in design.names if name in at]
    if both:
        raise ParameterError(f"{both[0]!r} is swept and fixed by at=; leave it out of one")
    stems = list(question.slots.values())
    for stem in stems:
        if stems.count(stem) > 1:
            raise ParameterError(
                f"two events have the variables {stem}_low and {stem}_high; name them apart by a mapping"
            )
    _check(question, design)
    if ties not in (None, "settle", "leave"):
        raise ParameterError(f"ties must be 'settle', 'leave' or None, got {ties!r}")
    settle = ties == "settle" or (
        ties is None and question.ties_matter and _expected_ties(question, design) <= MOST_TIES
    )
    return Question(question.target, question.at, events, question.concept, settle and question.ties_matter)


def _events(event: Any) -> dict[str, Any]:
    if isinstance(event, str):
        return {event: event}
    if isinstance(event, Mapping):
        found = {str(name): value for name, value in event.items()}
    elif isinstance(event, Sequence):
        found = {str(name): name for name in event}
    else:
        raise ParameterError(f"event must be a name, a list of names, or a mapping of names to events, got {event!r}")
    if not found:
        raise ParameterError("a sweep asks for at least one event, got none")
    return found


def _check(question: Question, design: Design) -> None:
    """Raise what the target raises for a name or an event that it does not know."""
    target = question.target
    known = set(target.sweep_names)
    if isinstance(target, GameTarget):
        for name in (*design.names, *question.at):
            if name not in known and "*" not in name:
                _unknown(name, tuple(target.sweep_names), "this game has no parameter")
        missing = sorted(known - {*design.names, *question.at})
        if missing and len(getattr(target.game, "parameters", ())):
            raise ParameterError(f"the game needs a value of {', '.join(missing)}: sweep it, or fix it in at={{...}}")
        for event in question.events.values():
            if not callable(event) and event not in target.events:
                _unknown(event, target.events, "this game has no event", GameError)
        _probe(question, design, _MISTAKES)
        return
    asked_for = [name for name in design.names if name not in known]
    strange = [event for event in question.events.values() if event not in target.events]
    wrong: tuple[type[Exception], ...] = _MISTAKES
    if asked_for or strange or question.at:  # the target may know more than it lists; it says so at some point
        wrong = (*_MISTAKES, GameError, ParameterError)
    _probe(question, design, wrong)


def _probe(question: Question, design: Design, wrong: tuple[type[Exception], ...]) -> None:
    """Raise the error that the first, the middle and the last point all meet, if no point is to blame for it."""
    last = int(np.prod(design.shape)) - 1
    errors: list[Exception] = []
    for i in sorted({0, last // 2, last}):
        try:
            found = question.answer(design.part(i, i + 1).values())
        except wrong as error:
            errors.append(error)
        except Exception:  # the point is to blame
            return
        else:
            if found.status[0] != Status.FAILED or "no number named" not in found.reasons.get(0, ""):
                return
            errors.append(GameError(f"{found.reasons[0]}; it has the events {', '.join(question.target.events)}"))
    raise errors[0]


def _unknown(name: Any, known: Sequence[str], what: str, error: type[Exception] = ParameterError) -> None:

    hint = did_you_mean(name, known)
    raise error(f"{what} {name!r}{hint}; it has {', '.join(map(repr, known)) or 'none'}")


def _expected_ties(question: Question, design: Design) -> float:
    """Return how many points of the design will have ties, from up to 8192 of them drawn by a fixed rule."""
    total = int(np.prod(design.shape))
    points = np.arange(total)
    if total > _PROBED:
        points = np.unique(np.random.default_rng(0).integers(total, size=_PROBED))
    values = design.take(points)
    found = question.solve(Points(values))
    return float(found.variables["degenerate"].mean()) * total


@dataclass(frozen=True, eq=False)
class Points:
    """Points given by their values, as a part of no design."""

    columns: Mapping[str, Floats] = field(default_factory=dict)

    def values(self) -> dict[str, Floats]:
        """Return one value per point of each parameter."""
        return dict(self.columns)


def _plain(value: Any) -> Any:
    """Return a value as JSON-able data."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in sorted(value.items())}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _code(event: Callable[..., Any]) -> str:
    """Return what identifies a predicate: its name, and a hash of what it does."""
    code = getattr(event, "__code__", None)
    told = repr((code.co_code, code.co_consts, code.co_names)) if code is not None else repr(event)
    told = re.sub(r"0x[0-9a-f]+", "", told)  # places in memory
    return f"{getattr(event, '__qualname__', 'predicate')} {hashlib.sha256(told.encode()).hexdigest()[:12]}"

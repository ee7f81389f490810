"""What can be swept: models and scenarios, which answer for themselves, and games with symbols, solved here.

Each is an ``Answerable`` (``deterrence.games.answers``). ``GameTarget`` makes a game one: signaling games are solved as
arrays for all perfect Bayesian equilibria, trees of perfect information by backward induction as arrays, logit
equilibria as arrays; everything else point by point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationGame
from deterrence.games.answers import Answerable, BlockAnswer, Flags, Status
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.paths import paths_of, value_at
from deterrence.games.quantities import SUM_TOLERANCE, parameter_names, substitute
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.concepts import ChosenConcept, choose_concept, default_concept
from deterrence.solvers.pbe_batch import pbe_batch
from deterrence.solvers.qre import qre_batch
from deterrence.solvers.spe import path_of_play, spe_batch

Floats = NDArray[np.float64]
Values = Mapping[str, Floats]

_CACHED_DOUBLES = 65536  # float64 per array of games: what stays in a core's cache
_LONG = 1000  # numbers in an array of a game that a specification spells out; longer ones are hashed


def target_of(given: Any) -> Answerable:
    """Return what a sweep asks: a model or scenario as it is, a game in the form of a target.

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    if isinstance(given, SignalingGame | ExtensiveGame | StrategicGame | ParticipationGame):
        return GameTarget(given)
    if isinstance(given, Answerable):
        return given
    hint = ""
    if isinstance(given, str):
        hint = f" {given!r}; load it first, with dt.Scenario.load or dt.models.get"
    raise ParameterError(f"a sweep asks a model, a scenario or a game with symbols, got {type(given).__name__}{hint}")


@dataclass(frozen=True, eq=False)
class GameTarget:
    """A game with symbols as a target.

    Attributes
    ----------
    game : SignalingGame, ExtensiveGame, StrategicGame or ParticipationGame
    """

    game: Any

    @property
    def sweep_names(self) -> tuple[str, ...]:
        """The game's symbols; of a participation game, the paths of its numbers."""
        if isinstance(self.game, ParticipationGame):
            return tuple(paths_of(self.game))
        return tuple(self.game.parameters)

    @property
    def events(self) -> tuple[str, ...]:
        """Every label of the game."""
        return tuple(getattr(self.game, "event_names", ()))

    @property
    def concept(self) -> ChosenConcept:
        """The concept that fits the form of the game."""
        return default_concept(self.game)

    def arrays(self, concept: ChosenConcept) -> bool:
        """Whether many points are solved as arrays."""
        match self.game:
            case SignalingGame():
                few = len(self.game.types) <= 2
                return (concept.name == "pbe" and few) or concept.name == "qre"
            case ExtensiveGame():
                return concept.name == "qre" or (concept.name == "spe" and self.game.perfect_information)
        return False

    def tile(self, concept: ChosenConcept) -> int:
        """Points that one call of ``answer`` is best given."""
        if not self.arrays(concept):
            return 64
        return int(np.clip(_CACHED_DOUBLES // self._cells(), 256, 8192))

    def block(self, concept: ChosenConcept) -> int:
        """Points of a block: some seconds of work at most, and far more work than it takes to hand it out."""
        if not self.arrays(concept):
            return 256
        return 8192 if concept.name == "qre" else 524288

    def answer(
        self,
        values: Values,
        *,
        at: Mapping[str, object],
        events: Sequence[Any],
        concept: Any = None,
        settle: bool = True,
    ) -> BlockAnswer:
        """Return the answers at n points.

        Parameters
        ----------
        values, at, events
            As in ``Answerable``; an event may be a predicate, too.
        concept : ChosenConcept, optional
        settle : bool
            Whether trees with ties are solved again, one by one, by backward induction.

        Raises
        ------
        GameError, ParameterError
            If the game is not admissible at some point; ``Question`` then finds out where.
        """
        chosen = choose_concept(concept, self.game)
        size = len(next(iter(values.values())))
        if not self.arrays(chosen):
            return self._one_by_one(values, at, events, chosen, range(size), _blank(events, size))
        fine = self._admissible(values, at)
        if not fine.all():
            refused = "ParameterError: a prior or event is no probability here"
            found = replace(_blank(events, size), reasons=dict.fromkeys(np.flatnonzero(~fine).tolist(), refused))
            found.status[~fine] = Status.INVALID
            if fine.any():
                part = self.answer(
                    {n: v[fine] for n, v in values.items()}, at=at, events=events, concept=chosen, settle=settle
                )
                found = _spread(part, found, np.flatnonzero(fine), events)
            return found
        if chosen.name == "pbe":
            found = self._perfect_bayesian(values, at, events, chosen)
        elif chosen.name == "spe":
            found = self._backward(values, at, events, chosen)
        else:
            found = self._logit(values, at, events, chosen)
        if chosen.name == "pbe":
            return found  # ties and all
        doubtful = found.degenerate if settle and chosen.name == "spe" else np.zeros(size, dtype=bool)
        return self._one_by_one(values, at, events, chosen, np.flatnonzero(doubtful).tolist(), found)

    def spec(self) -> dict[str, Any]:
        """Return labels and numbers (or expressions) of the game."""
        game = self.game
        match game:
            case SignalingGame():
                parts: dict[str, Any] = {
                    "types": game.types, "receiver types": game.receiver_types, "messages": game.messages,
                    "responses": game.responses, "players": game.players,
                    **{key: _numbers(getattr(game, key)) for key in (
                        "prior", "sender_prior", "receiver_prior", "sender_payoffs", "receiver_payoffs")},
                    **{f"event {name}": _numbers(values) for name, values in game.events.items()},
                }  # fmt: skip
            case ExtensiveGame():
                shape = [[game.players[s.player], s.name, s.actions, s.nodes] for s in game.infosets]
                parts = {
                    "players": game.players, "information sets": shape,
                    "parents": [int(i) for i in game.topology.parent],
                    "labels": game.topology.labels, "ends": game.topology.end_labels,
                    "chance": _numbers(game.chance), "payoffs": _numbers(game.payoffs),
                }  # fmt: skip
            case StrategicGame():
                parts = {"players": game.players, "strategies": game.strategies, "payoffs": _numbers(game.payoffs)}
            case _:
                numbers = {path: np.asarray(value_at(game, path)).tolist() for path in paths_of(game)}
                parts = {"numbers": numbers, "text": repr(game)}
        return {"game": type(game).__name__, **parts}

    # -- private ------------------------------------------------------------------------------------------------------

    def _cells(self) -> int:
        if isinstance(self.game, SignalingGame):
            return int(np.prod(self.game.shape))
        return int(self.game.payoffs.size)

    def _admissible(self, values: Values, at: Mapping[str, object]) -> Flags:
        """Return where all priors and chances are distributions, found without making the game."""
        fine = np.ones(len(next(iter(values.values()))), dtype=np.bool_)
        given = {**at, **values}
        for array, names, groups in self._distributions():
            if not names:
                continue
            table = substitute(array, {name: given[name] for name in names}, "prior")
            for group in groups:
                part = table[..., group].reshape(*table.shape[: table.ndim - array.ndim], -1)
                fine &= (part >= 0).all(axis=-1) & (np.abs(part.sum(axis=-1) - 1) <= SUM_TOLERANCE)
        return fine

    def _distributions(self) -> list[tuple[Any, tuple[str, ...], list[Any]]]:
        game = self.game
        if isinstance(game, SignalingGame):
            tables = {id(p): p for p in (game.prior, game.sender_prior, game.receiver_prior)}.values()
            return [(p, parameter_names([p]), [slice(None)]) for p in tables]
        return [(game.chance, parameter_names([game.chance]), list(game.topology.chance_sets))]

    def _perfect_bayesian(
        self, values: Values, at: Mapping[str, object], events: Sequence[Any], concept: ChosenConcept
    ) -> BlockAnswer:
        games = self.game.at(**at, **values)
        batch = pbe_batch(games, tol=float(concept.options.get("tol", 0.0)), threads=1)
        found = batch.survey(tuple(events))
        status = np.where(found.unsolved, Status.NOT_CONVERGED, Status.OK).astype(np.uint8)
        return BlockAnswer(
            low={e: found.low[i] for i, e in enumerate(events)},
            high={e: found.high[i] for i, e in enumerate(events)},
            count=found.count,
            kinds=dict(found.kinds),
            status=status,
            degenerate=found.degenerate,
        )

    def _backward(
        self, values: Values, at: Mapping[str, object], events: Sequence[Any], concept: ChosenConcept
    ) -> BlockAnswer:
        tol = {name: value for name, value in concept.options.items() if name == "tol"}
        batch = spe_batch(self.game, at={**at, **values}, **tol)
        size = len(batch.flagged)
        first, which = np.unique(batch.actions, axis=0, return_index=True, return_inverse=True)[1:]
        paths = [path_of_play(batch.game, batch.actions[i]) for i in first]
        kinds = {
            path: np.isin(which.ravel(), [k for k, p in enumerate(paths) if p == path]) for path in sorted(set(paths))
        }
        chances = {event: np.asarray(batch.probability(event), dtype=np.float64) for event in events}
        return BlockAnswer(
            low={e: c.copy() for e, c in chances.items()},
            high={e: c.copy() for e, c in chances.items()},
            count=np.ones(size, dtype=np.int64),
            kinds=kinds,
            status=np.zeros(size, dtype=np.uint8),
            degenerate=np.array(batch.flagged, dtype=np.bool_),
        )

    def _logit(
        self, values: Values, at: Mapping[str, object], events: Sequence[Any], concept: ChosenConcept
    ) -> BlockAnswer:
        game = self.game.to_extensive() if isinstance(self.game, SignalingGame) else self.game
        batch = qre_batch(game, at={**at, **values}, precision=concept.options.get("precision", 1.0))
        chances = {event: np.asarray(batch.probability(event), dtype=np.float64) for event in events}
        lost = np.flatnonzero(batch.failed)
        return BlockAnswer(
            low={e: c.copy() for e, c in chances.items()},
            high={e: c.copy() for e, c in chances.items()},
            count=np.where(batch.failed, 0, 1).astype(np.int64),
            kinds={},
            status=np.where(batch.failed, Status.NOT_CONVERGED, Status.OK).astype(np.uint8),
            reasons={int(i): "SolverError: the branch of logit equilibria could not be followed" for i in lost},
            degenerate=np.zeros(len(batch.failed), dtype=np.bool_),
        )

    def _one_by_one(
        self,
        values: Values,
        at: Mapping[str, object],
        events: Sequence[Any],
        concept: ChosenConcept,
        points: Sequence[int],
        found: BlockAnswer,
    ) -> BlockAnswer:
        """Solve some of the points by the solver of single games."""
        kinds, reasons = dict(found.kinds), dict(found.reasons)
        for i in points:
            for flags in kinds.values():
                flags[i] = False
            try:
                one = concept(self.game.at(**at, **{name: float(v[i]) for name, v in values.items()}))
                count = len(one) if hasattr(one, "__len__") else 1  # play that is no equilibrium, as of level k, is one
                ranges = [one.probability(event) for event in events] if count else [(np.nan, np.nan)] * len(events)
            except Exception as error:  # a point that fails is a finding, never the end of a sweep
                found.status[i], reasons[i] = code_of(error), f"{type(error).__name__}: {error}"
                found.count[i] = 0
                for event in events:
                    found.low[event][i] = found.high[event][i] = np.nan
                continue
            found.count[i] = count
            found.status[i] = Status.OK if count else Status.NO_EQUILIBRIUM
            for event, (low, high) in zip(events, ranges, strict=True):
                found.low[event][i], found.high[event][i] = low, high
            for kind in getattr(one, "kinds", ()):
                kinds.setdefault(kind, np.zeros(len(found.count), dtype=np.bool_))[i] = True
        return replace(found, kinds=kinds, reasons=reasons)


def code_of(error: Exception) -> Status:
    """Return the status of a point that raised an error."""
    if isinstance(error, GameError | ParameterError):
        return Status.INVALID
    return Status.NOT_CONVERGED if isinstance(error, SolverError) else Status.FAILED


def _blank(events: Sequence[Any], size: int) -> BlockAnswer:
    return BlockAnswer(
        low={event: np.full(size, np.nan) for event in events},
        high={event: np.full(size, np.nan) for event in events},
        count=np.zeros(size, dtype=np.int64),
        kinds={},
        status=np.zeros(size, dtype=np.uint8),
        reasons={},
        degenerate=np.zeros(size, dtype=np.bool_),
    )


def _spread(part: BlockAnswer, whole: BlockAnswer, where: NDArray[np.intp], events: Sequence[Any]) -> BlockAnswer:
    """Return the whole answer with a part of its points as that says."""
    for event in events:
        whole.low[event][where], whole.high[event][where] = part.low[event], part.high[event]
    whole.count[where], whole.status[where], whole.degenerate[where] = part.count, part.status, part.degenerate
    kinds = {kind: np.zeros(len(whole.count), dtype=np.bool_) for kind in part.kinds}
    for kind, flags in part.kinds.items():
        kinds[kind][where] = flags
    reasons = {int(where[i]): reason for i, reason in part.reasons.items()}
    return replace(whole, kinds={**whole.kinds, **kinds}, reasons={**whole.reasons, **reasons})


def _numbers(array: Any) -> Any:
    """Return an array of a game as JSON-able data: spelled out, or hashed if it is long."""
    if array.size > _LONG:
        text = array.tobytes() if array.dtype != object else repr([str(x) for x in array.ravel()]).encode()
        return {"shape": list(array.shape), "sha256": hashlib.sha256(text).hexdigest()}
    return [str(x) if array.dtype == object else float(x) for x in array.ravel()]

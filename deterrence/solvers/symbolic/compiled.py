"""Regimes as vectorised NumPy functions: where each exists, and the probabilities of events there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.quantities import check_names
from deterrence.games.values import Value

if TYPE_CHECKING:
    from deterrence.solvers.symbolic.regime_set import RegimeSet

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CLOSE = 1e-12  # an inequality counts as an equality below this share of its terms' sizes


@dataclass(frozen=True, eq=False)
class CompiledRegimes(Value):
    """Conditions and probabilities of a set of regimes, at arrays of parameter values; a target of ``dt.sweep``.

    Attributes
    ----------
    regimes : RegimeSet
    asked : tuple of event
        What was compiled.
    """

    regimes: RegimeSet
    asked: tuple[Event, ...]
    _function: Callable[..., Sequence[Any]] = field(repr=False, compare=False)
    _atoms: Mapping[Any, int] = field(repr=False, compare=False)

    def __call__(self, **values: ArrayLike) -> tuple[Flags, Floats]:
        """Return where each of R regimes exists, and the probability of each of E events there.

        Parameters
        ----------
        **values : array_like, shape (...)
            One for each parameter; they are broadcast.

        Returns
        -------
        exists : ndarray of bool, shape (R, ...)
            Whether the regime's conditions hold. Where an assumption fails no regime is said to exist. Boundaries
            belong to both sides.
        probability : ndarray, shape (E, R, ...)
            NaN where the regime does not exist.

        Raises
        ------
        ParameterError
            If a name is unknown or missing.
        """
        exists, probability, admissible = self._evaluated(values)
        return exists & admissible, np.where(exists & admissible, probability, np.nan)

    # -- as a target of sweeps -------------------------------------------------------------------------------------

    @property
    def sweep_names(self) -> tuple[str, ...]:
        """What may be swept."""
        return self.regimes.parameters

    @property
    def events(self) -> tuple[str, ...]:
        """What the probability of may be asked."""
        return tuple(event for event in self.asked if isinstance(event, str))

    def answer(
        self,
        values: Mapping[str, Any],
        *,
        at: Mapping[str, object] | None = None,
        events: Sequence[Event] | None = None,
        concept: Any = None,
    ) -> BlockAnswer:
        """Return the answers at n points, from the closed forms.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (n,)
        at : mapping of str to number, optional
            Other parameters.
        events : sequence of event, optional
            By default all that was compiled.
        concept : None
            The regimes have theirs.

        Returns
        -------
        BlockAnswer
            ``count`` counts regimes with different equilibrium play.

        Raises
        ------
        GameError
            If the regimes are not complete, or an event was not compiled.
        ParameterError
            If a concept is asked for, or a name is unknown or missing.
        """
        if concept is not None:
            raise ParameterError(f"regimes are solved already, so no concept can be chosen; got {concept!r}")
        if not self.regimes.complete:
            raise GameError(f"the regimes are not complete ({'; '.join(self.regimes.notes)}); sweep the game itself")
        wanted = self.asked if events is None else tuple(events)
        for event in wanted:
            if event not in self.asked:
                raise GameError(f"the event {event!r} was not compiled; it can be asked for in compile(...)")
        exists, probability, admissible = self._evaluated({**(at or {}), **values})
        size = len(np.atleast_1d(admissible))
        exists = (exists & admissible).reshape(len(exists), size)
        probability = probability.reshape(*probability.shape[:2], size)
        low, high = {}, {}
        for event in wanted:
            e = self.asked.index(event)
            low[str(event)] = np.where(exists, probability[e], np.inf).min(axis=0)
            high[str(event)] = np.where(exists, probability[e], -np.inf).max(axis=0)
            for bound in (low, high):
                bound[str(event)][~exists.any(axis=0)] = np.nan
        kinds: dict[str, Flags] = {}
        outcomes: dict[Any, Flags] = {}
        for r, regime in enumerate(self.regimes):
            kinds[regime.kind] = kinds.get(regime.kind, np.zeros(size, dtype=bool)) | exists[r]
            outcomes[regime.outcome] = outcomes.get(regime.outcome, np.zeros(size, dtype=bool)) | exists[r]
        status = np.where(exists.any(axis=0), Status.OK, Status.NO_EQUILIBRIUM).astype(np.uint8)
        flat = np.broadcast_to(admissible, (size,))
        status[~flat] = Status.INVALID
        reasons = {int(i): "ParameterError: the assumptions of the regimes fail here" for i in np.flatnonzero(~flat)}
        count: NDArray[np.int64] = np.array(list(outcomes.values())).sum(axis=0, dtype=np.int64)
        return BlockAnswer(low, high, count, kinds, status, reasons)

    def spec(self) -> dict[str, Any]:
        """Return what identifies the target, JSON-able."""
        return {
            "regimes of": repr(self.regimes.game),
            "assumptions": list(self.regimes.stated),
            "events": [str(event) for event in self.asked],
            "regimes": [
                {
                    "kind": r.kind,
                    "condition": sorted(str(p) for p in r.case),
                    "payoffs": {name: str(value) for name, value in r.payoffs.items()},
                    "chances": [str(r.probability(event)) for event in self.asked],
                }
                for r in self.regimes
            ],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return compile_regimes, (self.regimes, self.asked)

    def _evaluated(self, values: Mapping[str, Any]) -> tuple[Flags, Floats, Flags]:
        names = self.regimes.parameters
        check_names(values, names, "these regimes")
        arrays = np.broadcast_arrays(*[np.asarray(values[name], dtype=np.float64) for name in names])
        shape = arrays[0].shape
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            results = [np.broadcast_to(np.asarray(x, dtype=np.float64), shape) for x in self._function(*arrays)]
        number = len(self._atoms)
        signs = [results[i] >= -_CLOSE * results[number + i] for i in range(number)]

        def all_of(atoms: Sequence[Any]) -> Flags:
            held: Flags = np.logical_and.reduce([np.ones(shape, dtype=bool), *[signs[self._atoms[p]] for p in atoms]])
            return held

        admissible = all_of(self.regimes.assumptions.facts)
        exists = np.array([all_of(tuple(r.case)) for r in self.regimes])
        chances = results[2 * number :]
        regimes = len(self.regimes)
        probability = np.array([chances[e * regimes : (e + 1) * regimes] for e in range(len(self.asked))])
        return exists, probability.reshape(len(self.asked), regimes, *shape), admissible


def compile_regimes(found: RegimeSet, events: Sequence[Event]) -> CompiledRegimes:
    """Return regimes as NumPy functions, common subexpressions computed once.

    Raises
    ------
    GameError
        If an event is not known.
    """
    import sympy

    everything = dict.fromkeys((*found.assumptions.facts, *(p for r in found for p in r.case)))
    atoms = {p: i for i, p in enumerate(everything)}
    values = [p.as_expr() for p in atoms]
    sizes = [sum(abs(term) for term in p.as_expr().expand().as_ordered_terms()) for p in atoms]
    chances = [r.probability(event) for event in events for r in found]
    function = sympy.lambdify(found.assumptions.symbols, [*values, *sizes, *chances], modules="numpy", cse=True)
    return CompiledRegimes(found, tuple(events), function, atoms)

"""Which equilibria of a believed game a player may have in mind: all of them, or a named selection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Profile
from deterrence.games.errors import ParameterError, SolverError

Selector: TypeAlias = str | Callable[[EquilibriumSet], Any] | Sequence[Any] | None

_TIE = 1e-9  # payoffs or probabilities this close count as equal when the best of several is kept


@dataclass(frozen=True, eq=False)
class Candidate:
    """One equilibrium that a player may have in mind: a vertex, where equilibria form a continuum."""

    equilibrium: Equilibrium
    profile: Profile


def candidates(found: EquilibriumSet, select: Selector = None) -> tuple[Candidate, ...]:
    """Return the equilibria that a selection leaves, vertex by vertex.

    Parameters
    ----------
    found : EquilibriumSet
    select : None, str, callable or sequence of these
        ``None`` or ``"all"`` keeps every equilibrium. A text names steps, taken in order and separated by commas: a
        refinement (``"d1"``: what survives), ``"lowest <event>"``, ``"highest <event>"``, ``"best for <player>"``,
        ``"worst for <player>"`` (ties are kept), or ``"kind <kind>"``. A callable gets the set and returns an
        equilibrium or several.

    Raises
    ------
    SolverError
        If nothing is left.
    ParameterError
        If a step is not understood.

    Notes
    -----
    A refinement judges outcomes; responses off the path that it would not call credible are kept beside those that it
    would, since the same outcome stands either way. Where another player leaves that path they matter, and widen the
    range of what may happen.
    """
    steps = [select] if select is None or callable(select) else _steps(select)
    kept: list[Candidate] | None = None
    for step in steps:
        if callable(step):
            chosen = step(found)
            several = [chosen] if isinstance(chosen, Equilibrium) else list(chosen)
            kept = [Candidate(e, v) for e in several for v in e.vertices]
        else:
            if kept is None:
                kept = [Candidate(e, v) for e in found for v in e.vertices]
            kept = _step(kept, step)
        if not kept:
            raise SolverError(f"no {found.concept} equilibrium of {len(found)} is left by select={select!r}")
    return tuple(kept or ())


def _steps(select: str | Sequence[Any]) -> list[Any]:
    if isinstance(select, str):
        return [part.strip() for part in select.split(",") if part.strip()]
    if not isinstance(select, Iterable):
        raise ParameterError(
            f"select must be None, a text such as 'd1, lowest attack', a callable or several of these, got {select!r}"
        )
    return [part for one in select for part in ([one] if callable(one) else _steps(one))]


def _step(kept: list[Candidate], step: str | None) -> list[Candidate]:
    if step in (None, "all"):
        return kept
    words = str(step)
    for start, sign in (("lowest ", 1.0), ("highest ", -1.0)):
        if words.startswith(start):
            event = words.removeprefix(start)
            return _least(kept, [sign * float(c.profile.probability(c.equilibrium.game, event)) for c in kept])
    for start, sign in (("worst for ", 1.0), ("best for ", -1.0)):
        if words.startswith(start):
            player = words.removeprefix(start)
            return _least(kept, [sign * _payoff(c, player) for c in kept])
    if words.startswith("kind "):
        kind = words.removeprefix("kind ")
        return [c for c in kept if c.equilibrium.is_kind(kind)]
    return _refine(kept, words)


def _payoff(candidate: Candidate, player: str) -> float:
    payoffs = candidate.profile.payoffs(candidate.equilibrium.game)
    if player not in payoffs:
        raise ParameterError(f"select names the unknown player {player!r}; players are {', '.join(payoffs)}")
    return float(payoffs[player])


def _least(kept: list[Candidate], values: list[float]) -> list[Candidate]:
    low = min(values)
    slack = _TIE * max(1.0, max(abs(v) for v in values))
    return [c for c, v in zip(kept, values, strict=True) if v <= low + slack]


def _refine(kept: list[Candidate], refinement: str) -> list[Candidate]:
    result: list[Candidate] = []
    for equilibrium in dict.fromkeys(c.equilibrium for c in kept):
        mine = [c for c in kept if c.equilibrium is equilibrium]
        verdict = equilibrium.verdict(refinement)
        if verdict.part == "whole" or (verdict.survives and not verdict.surviving):
            result += mine
        elif verdict.survives:
            result += [Candidate(equilibrium, profile) for profile in verdict.surviving]
    return result

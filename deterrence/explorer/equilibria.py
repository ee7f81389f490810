"""The equilibria at a point as rows of a table, each with its picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

from deterrence.explorer.subjects import Found, Row
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.strategic_table import strategic_html
from deterrence.games.tables import equilibrium_table, number_text
from deterrence.plotting.signaling import signaling_svg
from deterrence.plotting.trees import tree_svg
from deterrence.solvers.refinements import REFINEMENTS

_MOST = 24  # equilibria that are listed
_MOST_ENDS = 64  # of a tree that is drawn whole


def equilibria_of(solution: Any, event: Event, refinements: Sequence[str] = ()) -> Found:
    """Return what a solver found as rows: a set of equilibria, a mapping of several, or the solutions of equations.

    Parameters
    ----------
    solution : EquilibriumSet, mapping of str to these, or sequence of mappings
    event : str or callable
        Whose probability is told.
    refinements : sequence of str
        By which each equilibrium is judged.
    """
    if isinstance(solution, EquilibriumSet):
        return _of_set(solution, event, refinements, "")
    if isinstance(solution, Mapping):
        parts = [_of_set(part, event, refinements, f"{name}: ") for name, part in solution.items()
                 if isinstance(part, EquilibriumSet)]  # fmt: skip
        return Found(
            [row for part in parts for row in part.rows][:_MOST],
            "; ".join(dict.fromkeys(part.statement for part in parts)),
            [picture for part in parts for picture in part.pictures][:_MOST],
        )
    if not isinstance(solution, Sequence):  # what a concept beside equilibrium gives: shown as it shows itself
        shows = getattr(solution, "_repr_html_", None)
        return Found([Row("1", type(solution).__name__, None, None, html=shows() if shows else _text(solution))])
    rows = [Row(f"solution {i + 1}", "", None, None, html=_quantities_html(s)) for i, s in enumerate(solution)]
    return Found(rows, f"{len(rows)} solution{'s' * (len(rows) != 1)} of the equations of equilibrium")


def refinements_of(solution: Any) -> tuple[str, ...]:
    """Return the refinements that apply to what a solver found."""
    sets = solution.values() if isinstance(solution, Mapping) else [solution]
    applies = any(isinstance(s, EquilibriumSet) and any(e.refine is not None for e in s) for s in sets)
    return REFINEMENTS if applies else ()


def picture_of(game: Any, equilibrium: Equilibrium | None = None) -> str:
    """Return a game, with an equilibrium drawn on it, as SVG; ``""`` if games of its form have no picture."""
    try:
        match game:
            case SignalingGame():
                return signaling_svg(game, equilibrium)
            case ExtensiveGame():
                return tree_svg(game, equilibrium, most_ends=_MOST_ENDS)
    except GameError:  # an equilibrium that is none of this game's own form
        return "" if equilibrium is None else picture_of(game)
    return ""


def _of_set(found: EquilibriumSet, event: Event, refinements: Sequence[str], prefix: str) -> Found:
    shown = found[:_MOST]
    rows = [_row(e, f"{prefix}{i + 1}", event, refinements) for i, e in enumerate(shown)]
    pictures: list[Callable[[], str]] = [partial(picture_of, e.game, e) for e in shown]
    extent = "none is missing" if found.complete else "more may exist"
    noun = "equilibrium" if len(found) == 1 else "equilibria"
    more = f" (the first {_MOST} are listed)" if len(found) > _MOST else ""
    return Found(rows, f"{len(found)} {noun}{more} ({found.concept}, {extent}; method: {found.method})", pictures)


def _row(e: Equilibrium, label: str, event: Event, refinements: Sequence[str]) -> Row:
    try:
        low, high = e.probability_range(event)
    except (GameError, LookupError):
        low = high = None
    form = strategic_html(e.game) if isinstance(e.game, StrategicGame) else ""
    return Row(
        label=label,
        kind=e.kind,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        survives={name: _verdict(e, name) for name in refinements},
        payoffs=", ".join(f"{player} {number_text(value)}" for player, value in e.payoffs.items()),
        html=equilibrium_table(e) + form,
    )


def _verdict(e: Equilibrium, refinement: str) -> str | None:
    try:
        return e.verdict(refinement).part
    except (GameError, SolverError):
        return None


def _text(thing: object) -> str:
    return f"<pre>{escape(str(thing))}</pre>"


def _quantities_html(solution: Mapping[str, Any]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td>{escape(number_text(value))}</td></tr>'
        for name, value in solution.items()
    )
    return f'<table aria-label="solution"><tbody>{body}</tbody></table>'

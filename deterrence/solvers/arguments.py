"""What every solver asks of its arguments before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.predicates import merge

LARGEST_TOLERANCE = 1e-2


def require_form(game: Any, solver: str, *forms: str) -> None:
    """Raise GameError unless a game is of a form that a solver takes; the message says what would do.

    Parameters
    ----------
    game : game
    solver : str
        Who asks.
    *forms : str
        Names of the classes that it takes.
    """
    if any(form.__name__ in forms for form in type(game).__mro__):
        return
    hint = ""
    if callable(getattr(game, "solve", None)):
        hint = "; it is solved by its own .solve()"
    elif type(game).__name__ == "SignalingGame" and "ExtensiveGame" in forms:
        hint = "; pass it as a tree, game.to_extensive(), or solve it by dt.pbe"
    elif type(game).__name__ == "ParticipationGame" and "ParticipationStage" in forms:
        hint = "; pass game.stage(ATTACK, invoked=True or False)"
    elif type(game).__name__ == "StrategicGame":
        hint = "; dt.nash solves it"
    elif type(game).__name__ == "ExtensiveGame" and "StrategicGame" in forms:
        hint = "; pass game.to_strategic()"
    raise GameError(f"{solver} takes {' or '.join(forms)}, got {type(game).__name__}{hint}")


def numbers_in(game: Any, at: Mapping[str, object] | None, concept: str, forms: tuple[str, ...]) -> Any:
    """Return a game at parameter values.

    Parameters
    ----------
    game : game
    at : mapping of str to number, or None
    concept : str
        Who asks; named in errors.
    forms : tuple of str
        Names of the classes that it takes.

    Raises
    ------
    GameError
        If the game is of another form.
    ParameterError
        If ``at`` is no mapping, or a name in it is unknown or missing.
    """
    require_form(game, concept, *forms)
    if at is None:
        return game
    if not isinstance(at, Mapping) or not all(isinstance(name, str) for name in at):
        raise ParameterError(f"at must map names of parameters to values, as in at={{'p': 0.3}}, got {at!r}")
    return game.at(**at)


def in_rationals(game: Any, tol: float) -> tuple[Any, int]:
    """Return a tree or table in rational arithmetic, and how many of its payoffs a tolerance changed.

    Parameters
    ----------
    game : ExtensiveGame or StrategicGame
        With numbers; a float counts as the decimal that it prints as.
    tol : float
        Payoffs of one player that differ by no more than this share of their own size become one number.
    """
    exact = game.exact()
    if not tol:
        return exact, 0
    payoffs = exact.payoffs.copy()
    for player in range(payoffs.shape[-1]):
        payoffs[..., player] = merge(payoffs[..., player], tol)
    changed = int((payoffs != exact.payoffs).sum())
    if isinstance(exact, ExtensiveGame):
        return ExtensiveGame.of(exact.topology, exact.chance, payoffs, exact.title), changed
    return StrategicGame(payoffs, players=exact.players, strategies=exact.strategies, title=exact.title), changed


def check_tolerance(tol: float) -> None:
    """Raise ParameterError unless a tolerance of ties is a small non-negative number."""
    if not 0 <= tol <= LARGEST_TOLERANCE:
        raise ParameterError(f"tol must lie in [0, {LARGEST_TOLERANCE:g}], got {tol!r}")

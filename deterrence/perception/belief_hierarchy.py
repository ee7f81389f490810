"""Belief hierarchies: the subjective game of each player, and what it thinks that the others' subjective games are.

Beliefs are stated as *overlays*, by player: the values at which this player is wrong, and under the key
``"believes"`` overlays for others, relative to its own values, and so on to any depth that is stated. Of whom nothing
is said, a player thinks that this other sees the same game as it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.quantities import check_names
from deterrence.games.values import Value

BELIEVES = "believes"  # in a player's overlay: what it thinks that others think


@dataclass(frozen=True, eq=False)
class SubjectiveGame(Value):
    """The game that someone believes in.

    Attributes
    ----------
    values : mapping of str to value
        Every parameter's value, as believed.
    others : mapping of str to SubjectiveGame
        What it thinks that other players believe in; who is not named is thought to believe in this game.
    """

    values: Mapping[str, Any]
    others: Mapping[str, SubjectiveGame] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A text that is the same for subjective games that are the same."""
        mine = sorted((name, _plain(value)) for name, value in self.values.items())
        return repr((mine, sorted((player, inner.key) for player, inner in self.others.items())))


def belief_hierarchy(
    truth: Mapping[str, Any],
    beliefs: Mapping[str, Mapping[str, Any]],
    players: Sequence[str],
    parameters: Sequence[str] | None,
    *,
    relative: bool = False,
) -> dict[str, SubjectiveGame]:
    """Return every player's subjective game.

    A nested overlay changes the game that it stands in, not the true one: what A thinks that P believes is, where
    nothing is said, what A believes.

    Parameters
    ----------
    truth : mapping of str to value
        The true values.
    beliefs : mapping of player to overlay
        An overlay maps parameters to values; its key ``"believes"`` maps other players to overlays in turn.
    players : sequence of str
        Who plays.
    parameters : sequence of str or None
        Names that may be overlaid; None checks nothing.
    relative : bool
        Whether overlays hold changes such as ``"+0.6"`` rather than values. Then subjective games hold these changes
        alone, and a nested one that changes nothing is kept apart from one of which nothing is said.

    Raises
    ------
    ParameterError
        If a player or parameter is unknown, a player is said to believe something about its own beliefs, or a chain of
        beliefs is circular.
    """
    overlays = checked_overlays(beliefs, players)

    def below(around: SubjectiveGame, overlay: Mapping[str, Any], chain: tuple[str, ...]) -> SubjectiveGame:
        changes, nested = split_overlay(overlay)
        if parameters is not None:
            check_names(changes, parameters, f"the game in {_belief_of(chain)}", complete=False)
        mine = SubjectiveGame(changes if relative else {**around.values, **changes})
        inner = {player: below(mine, theirs, (*chain, player)) for player, theirs in nested.items()}
        return SubjectiveGame(mine.values, {p: game for p, game in inner.items() if relative or game.key != mine.key})

    true = SubjectiveGame(dict(truth))
    return {p: below(true, overlays[p], (p,)) if p in overlays else true for p in players}


def checked_overlays(
    overlays: Mapping[str, Mapping[str, Any]], players: Sequence[str], what: str = "beliefs"
) -> dict[str, dict[str, Any]]:
    """Return a copy of overlays by player, nested ones among them.

    Parameters
    ----------
    overlays : mapping of player to overlay
    players : sequence of str
        Who plays.
    what : str
        What the overlays are called in messages.

    Raises
    ------
    ParameterError
        If a player is unknown, a player is said to believe something about its own beliefs, a chain of beliefs is
        circular, or an overlay is no mapping.
    """
    check_overlay_players(overlays, players, what)
    return {player: _checked_overlay(overlay, (player,), players, ()) for player, overlay in overlays.items()}


def check_overlay_players(named: Mapping[str, Any], players: Sequence[str], what: str) -> None:
    """Raise ParameterError unless a mapping names known players, each with a mapping."""
    if not isinstance(named, Mapping):
        raise ParameterError(
            f"{what} must map players to overlays, such as {{{players[0]!r}: {{'p': 0.1}}}}, got {named!r}"
        )
    for player, overlay in named.items():
        if player not in players:
            raise ParameterError(
                f"{what}: unknown player {player!r}; players are {', '.join(players)}{did_you_mean(player, players)}"
            )
        if not isinstance(overlay, Mapping):
            raise ParameterError(f"{what} of {player} must map parameters to values, got {overlay!r}")


def split_overlay(overlay: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the changes of an overlay to its player's game, and what that player thinks that others believe."""
    changes = dict(overlay)
    nested = dict(changes.pop(BELIEVES, {}))
    return changes, nested


def _checked_overlay(
    overlay: Mapping[str, Any], chain: tuple[str, ...], players: Sequence[str], above: tuple[int, ...]
) -> dict[str, Any]:
    said = _belief_of(chain)
    if id(overlay) in above:
        raise ParameterError(f"the chain of beliefs is circular: {said} contains itself; state it to a finite depth")
    nested = overlay.get(BELIEVES, {})
    check_overlay_players(nested, players, f"{said} under {BELIEVES!r}")
    if chain[-1] in nested:
        raise ParameterError(
            f"{said} contradicts itself: it says what {chain[-1]} thinks that {chain[-1]} believes; "
            "put that into its own overlay"
        )
    inner = {p: _checked_overlay(theirs, (*chain, p), players, (*above, id(overlay))) for p, theirs in nested.items()}
    changes = {name: change for name, change in overlay.items() if name != BELIEVES}
    return {**changes, BELIEVES: inner} if inner else changes


def _belief_of(chain: tuple[str, ...]) -> str:
    return "what " + " believes that ".join(chain) + " believes"


def has_arrays(beliefs: Mapping[str, SubjectiveGame], truth: Mapping[str, Any]) -> bool:
    """Return whether any value is an array, so that the question is one about many points."""
    return any(np.ndim(v) > 0 for values in (truth, *(one.values for one in beliefs.values())) for v in values.values())


@dataclass(frozen=True, eq=False)
class ParametricGame:
    """A game of each vector of parameter values.

    Attributes
    ----------
    make : callable
        From parameter values to a game with numbers.
    parameters : tuple of str or None
        Names of its parameters, if they are known.
    """

    make: Callable[[Mapping[str, Any]], Any]
    parameters: tuple[str, ...] | None


def parametric_game(game: Any) -> ParametricGame:
    """Return how to make a game (or a model's game) at parameter values.

    Raises
    ------
    ParameterError
        If it has none.
    """
    if hasattr(game, "at") and hasattr(game, "parameters") and hasattr(game, "players"):
        return ParametricGame(partial(_game_at, game), tuple(game.parameters))
    if callable(getattr(game, "game", None)) and hasattr(game, "parameters"):
        names = tuple(entry.name for entry in game.parameters)
        roots = tuple(dict.fromkeys((*names, *(name.partition(".")[0] for name in names))))
        return ParametricGame(partial(_game_of_model, game), roots)
    raise ParameterError(f"perception needs a game, a model or a scenario, got a {type(game).__name__}")


def _game_at(game: Any, values: Mapping[str, Any]) -> Any:
    return game.at(**values)


def _game_of_model(model: Any, values: Mapping[str, Any]) -> Any:
    made = model.game(**values)
    if isinstance(made, Mapping):
        raise ParameterError(f"this model makes several games ({', '.join(made)}); pass one of them instead")
    return made


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return sorted((name, _plain(inner)) for name, inner in value.items())
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.asarray(value).tolist() if np.ndim(value) else str(value)

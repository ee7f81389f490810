"""Who thinks what: overlays on the true values, by player, to any depth that is stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.quantities import check_names

BELIEVES = "believes"  # in a player's overlay: what it thinks that others think


@dataclass(frozen=True, eq=False)
class View:
    """The game as someone sees it.

    Attributes
    ----------
    values : mapping of str to value
        Every parameter's value in this view.
    others : mapping of str to View
        How, in this view, other players see the game; who is not named is thought to see it as this view does.
    """

    values: Mapping[str, Any]
    others: Mapping[str, View] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A text that is the same for views that say the same."""
        mine = sorted((name, _plain(value)) for name, value in self.values.items())
        return repr((mine, sorted((player, view.key) for player, view in self.others.items())))


def read_views(
    truth: Mapping[str, Any],
    beliefs: Mapping[str, Mapping[str, Any]],
    players: Sequence[str],
    parameters: Sequence[str] | None,
    *,
    relative: bool = False,
) -> dict[str, View]:
    """Return every player's view of the game.

    A nested overlay changes the view that it stands in, not the truth: what A thinks that P believes is, where
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
        Whether overlays hold changes such as ``"+0.6"`` rather than values. Then views hold these changes alone, and
        a nested view that changes nothing is kept apart from one of which nothing is said.

    Raises
    ------
    ParameterError
        If a player or parameter is unknown, a player is said to believe something about its own beliefs, or a chain of
        beliefs is circular.
    """
    check_players(beliefs, players, "beliefs")
    true = View(dict(truth))
    return {
        player: _view(true, beliefs[player], (player,), players, parameters, (), relative)
        if player in beliefs
        else true
        for player in players
    }


def check_players(named: Mapping[str, Any], players: Sequence[str], what: str) -> None:
    """Raise ParameterError unless a mapping names known players, each with a mapping."""
    if not isinstance(named, Mapping):
        raise ParameterError(
            f"{what} must map players to overlays, such as {{{players[0]!r}: {{'p': 0.1}}}}, got {named!r}"
        )
    for player, overlay in named.items():
        if player not in players:
            hint = did_you_mean(player, players)
            raise ParameterError(f"{what} name the unknown player {player!r}; players are {', '.join(players)}{hint}")
        if not isinstance(overlay, Mapping):
            raise ParameterError(f"{what} of {player} must map parameters to values, got {overlay!r}")


def _view(
    around: View,
    overlay: Mapping[str, Any],
    chain: tuple[str, ...],
    players: Sequence[str],
    parameters: Sequence[str] | None,
    above: tuple[int, ...],
    relative: bool,
) -> View:
    said = "what " + " believes that ".join(chain) + " believes"
    if id(overlay) in above:
        raise ParameterError(f"the chain of beliefs is circular: {said} contains itself; state it to a finite depth")
    changes = {name: value for name, value in overlay.items() if name != BELIEVES}
    if parameters is not None:
        check_names(changes, parameters, f"the game in {said}", complete=False)
    mine = View(changes if relative else {**around.values, **changes})
    nested = overlay.get(BELIEVES, {})
    check_players(nested, players, f"{said} under {BELIEVES!r}")
    others = {}
    for player, inner in nested.items():
        if player == chain[-1]:
            raise ParameterError(
                f"{said} contradicts itself: it says what {player} thinks that {player} believes; "
                "put that into its own overlay"
            )
        view = _view(mine, inner, (*chain, player), players, parameters, (*above, id(overlay)), relative)
        if relative or view.key != mine.key:
            others[player] = view
    return View(mine.values, others)


def has_arrays(views: Mapping[str, View], truth: Mapping[str, Any]) -> bool:
    """Return whether any value is an array, so that the question is one about many points."""
    return any(np.ndim(v) > 0 for values in (truth, *(view.values for view in views.values())) for v in values.values())


@dataclass(frozen=True, eq=False)
class Source:
    """Where games come from: a parametric game or a model.

    Attributes
    ----------
    make : callable
        From parameter values to a game with numbers.
    parameters : tuple of str or None
        Names of its parameters, if they are known.
    """

    make: Callable[[Mapping[str, Any]], Any]
    parameters: tuple[str, ...] | None


def source_of(game: Any) -> Source:
    """Return how to make a game (or a model's game) at parameter values.

    Raises
    ------
    ParameterError
        If it has none.
    """
    if hasattr(game, "at") and hasattr(game, "parameters") and hasattr(game, "players"):
        return Source(lambda values: game.at(**values), tuple(game.parameters))
    if callable(getattr(game, "game", None)) and hasattr(game, "parameters"):
        names = tuple(entry.name for entry in game.parameters)
        roots = tuple(dict.fromkeys((*names, *(name.partition(".")[0] for name in names))))
        return Source(lambda values: _one_game(game.game(**values)), roots)
    raise ParameterError(f"perception needs a game, a model or a scenario, got a {type(game).__name__}")


def _one_game(made: Any) -> Any:
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

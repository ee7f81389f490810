"""Misperception in a collective-defence game: what the aggressor and the members expect, and what an attack would meet.

The game (see ``deterrence.alliances``) reckons with overlays itself; here its numbers are put beside each other in
the same terms as those of any other game whose players are mistaken.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.quantities import Array
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.outcome import Play, SubjectiveOutcome
from deterrence.perception.trees import Ends
from deterrence.perception.views import BELIEVES, View, check_players

REFRAIN, YIELDS, HOLDS, FAILS = "refrain", "target yields", "defence holds", "defence fails"
_RESOLVES = ("lowest", "highest")  # which equilibrium of the response


def is_collective(game: Any) -> bool:
    """Return whether a game is a scenario or a collective-defence game, which overlays perceptions itself."""
    return hasattr(game, "at_values") or (hasattr(game, "perceived_by") and hasattr(game, "attack_probabilities"))


def subjective_defence(
    source: Any, *, truth: Mapping[str, Any], beliefs: Mapping[str, Mapping[str, Any]], stated_chance: float
) -> SubjectiveOutcome | SubjectiveGrid:
    """Return what happens in a scenario or a collective-defence game whose players hold wrong values.

    The aggressor chooses for each value of the prize at its own values; members who are mistaken respond by their
    part of the equilibrium of their own game. Ranges are over the lowest and the highest equilibrium of the
    response, in what the aggressor expects and in what happens. An attack counts as war (the target fights in any
    case), and as unwanted where its payoff at the true values is below that of refraining.

    Parameters
    ----------
    source : Scenario or CollectiveDefence
    truth, beliefs : mapping
        Values by path (of a scenario also by parameter name); beliefs of depth one.
    stated_chance : float
        See ``subjective``.

    Raises
    ------
    ParameterError
        If a player or path is unknown, or beliefs about beliefs are stated.
    """
    plain = source.game() if hasattr(source, "at_values") else source
    check_players(beliefs, plain.players, "beliefs")
    for player, overlay in beliefs.items():
        if BELIEVES in overlay:
            raise ParameterError(
                f"beliefs of {player} about others' beliefs: a collective-defence game takes one level, in which all "
                "the others are thought to see the game as the player does"
            )
    game = _with_overlays(source, truth, beliefs)
    values = [*truth.values(), *(value for overlay in beliefs.values() for value in overlay.values())]
    if any(np.ndim(x) for value in values for x in (value.values() if isinstance(value, Mapping) else [value])):
        return _grid(game)
    kinds = [attack.name for attack in game.attacks]
    paths = [(REFRAIN,), *((kind, how) for kind in kinds for how in (YIELDS, HOLDS, FAILS))]
    attacked = np.array([float(len(path) > 1) for path in paths])
    fought = np.array([float(path[-1] in (HOLDS, FAILS)) for path in paths])
    ends = Ends(paths, paths, {"attack": attacked, "war": fought})
    views = {player: View({**truth, **beliefs.get(player, {})}) for player in game.players}
    several = game.perceived_response().several or game.response().several
    picks = range(2) if several else range(1)
    plays = tuple(_play(game, _RESOLVES[i], _RESOLVES[k]) for i, k in itertools.product(picks, picks))
    informed = dataclasses.replace(game, perception={})
    return SubjectiveOutcome(
        plays=plays,
        views=views,
        truth=truth,
        ends=ends,
        aggressor=game.aggressor.name,
        attack="attack",
        war="war",
        stated_chance=stated_chance,
        solve_informed=lambda: informed.response().equilibria[kinds[-1]],
    )


def _with_overlays(source: Any, truth: Mapping[str, Any], beliefs: Mapping[str, Mapping[str, Any]]) -> Any:
    if hasattr(source, "at_values"):
        seen = {
            f"perception.{player}.{path}": value
            for player, overlay in beliefs.items()
            for path, value in overlay.items()
        }
        return source.at_values({**truth, **seen})
    overlays = {player: dict(overlay) for player, overlay in source.perception.items()}
    for player, overlay in beliefs.items():
        overlays.setdefault(player, {}).update(overlay)
    return dataclasses.replace(source.at(**truth), perception=overlays)


def _grid(game: Any) -> SubjectiveGrid:
    found = game.attack_probabilities()
    prize = game.aggressor.prize
    wars, regretted, unwanted = [], [], []
    for resolve in _RESOLVES:
        resists, regret = game.resistance(resolve), _regretted(game, resolve, resolve)
        wars.append((game.aggressor_choice(resolve).measure(prize)[..., 1:] * resists).sum(axis=-1))
        regretted.append(regret.sum(axis=-1))
        unwanted.append((regret * resists).sum(axis=-1))
    pairs = {
        "attack": found.likelihood,
        "war": (np.minimum(*wars), np.maximum(*wars)),
        **found.by_kind,
    }
    mistaken = {"attack": regretted, "war": unwanted}
    shape = np.broadcast_shapes(*(np.shape(x) for pair in (*pairs.values(), regretted, unwanted) for x in pair))

    def answer(event: Any, table: Mapping[str, Any]) -> tuple[Array, Array]:
        if event not in table:
            raise ParameterError(f"no event {event!r} over a grid; there are {', '.join(map(repr, table))}")
        low, high = (np.broadcast_to(np.asarray(x, dtype=np.float64), shape) for x in table[event])
        return np.minimum(low, high), np.maximum(low, high)

    return SubjectiveGrid(
        shape=shape, ask=lambda event: answer(event, pairs), unwanted=lambda event: answer(event, mistaken)
    )


def _regretted(game: Any, resolve: str, actual: str) -> Array:
    """Return the probability of each attack whose true payoff is below that of refraining, shape (..., X)."""
    truth = game.aggressor_choice(actual, at_true_values=True)
    return np.asarray(game.aggressor_choice(resolve).measure_below(game.aggressor.prize, truth.break_even))


def _play(game: Any, resolve: str, actual: str) -> Play:
    """Return what happens if the aggressor expects one equilibrium of the response and meets another."""
    prize, name = game.aggressor.prize, game.aggressor.name
    chosen, truth = game.aggressor_choice(resolve), game.aggressor_choice(actual, at_true_values=True)
    measure = np.asarray(chosen.measure(prize))
    k = _RESOLVES.index(resolve)
    held, resists = game.response().holds[_RESOLVES.index(actual)], game.resistance(actual)
    believed: dict[str, Array] = {name: _ends(measure, game.resistance(resolve), game.perceived_response().holds[k])}
    right: Array | None = None  # what those expect who are not mistaken, once it is known
    for player in game.players:
        if player != name and (player in game.perception or right is None):
            view = game.perceived_by(player)
            plan = np.asarray(view.aggressor_choice(resolve).measure(view.aggressor.prize))
            believed[player] = _ends(plan, view.resistance(resolve), view.expected_response().holds[k])
            right = believed[player] if player not in game.perception else right
        elif player != name and right is not None:
            believed[player] = right
    nobody = _ends(np.zeros_like(measure), resists, held)
    regretted = np.concatenate([[0.0], _regretted(game, resolve, actual)])
    got, most = _worth(chosen, truth, prize), _worth(truth, truth, prize)
    return Play(
        expects=dict.fromkeys(game.players, f"{resolve} participation"),
        true=_ends(measure, resists, held),
        believed=believed,
        mistaken={**dict.fromkeys(game.players, nobody), name: _ends(regretted, resists, held)},
        payoffs={name: got},
        regret={name: max(0.0, most - got)},
    )


def _ends(measure: Array, resists: Array, holds: Array) -> Array:
    """Return the probability of refraining and, by attack, that the target yields, the defence holds, or fails."""
    attacks = measure[1:, None] * np.stack([1 - resists, resists * holds, resists * (1 - holds)], axis=-1)
    return np.concatenate([measure[:1], attacks.ravel()])


def _worth(chosen: Any, truth: Any, prize: Any) -> float:
    """Return the aggressor's expected payoff, by the true lines, of what it chooses at each value of the prize."""
    total = 0.0
    for x in range(len(chosen.attacks)):
        low, high = float(chosen.lower[..., x]), float(chosen.upper[..., x])
        if low < high:
            gain = _partial(prize, high) - _partial(prize, low)
            mass = float(prize.cdf(high)) - float(prize.cdf(low))
            total += float(truth.slopes[..., x]) * gain - float(truth.costs[..., x]) * mass
    return total


def _partial(prize: Any, x: float) -> float:
    if x == np.inf:
        return float(prize.mean())
    return 0.0 if x == -np.inf else float(prize.partial_mean(x))

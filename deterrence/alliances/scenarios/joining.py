"""Many small batches of one game solved as a single batch: numbers laid end to end, so that the solver starts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deterrence.alliances.beliefs import BELIEVES
from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.games.errors import GameError
from deterrence.games.paths import changed, numbers_of


def joined(games: Sequence[CollectiveDefence], sizes: Sequence[int]) -> CollectiveDefence:
    """Return one batch that holds the points of several games one after the other.

    Parameters
    ----------
    games : sequence of CollectiveDefence
        Alike but for their numbers, each single or a batch of shape (n,). Perception other than the aggressor's
        and the target's is not kept: it has no part in the likelihood of attack.
    sizes : sequence of int
        Points n of each.

    Raises
    ------
    GameError
        If the games do not have the same members, attacks and numbers, or a player has beliefs about others' beliefs.
    """
    first = games[0]
    if any(BELIEVES in overlay for game in games for overlay in game.perception.values()):
        raise GameError("games in which players have beliefs about others' beliefs cannot be joined")
    truths = [replace(game, perception={}, posture=None) for game in games]
    players = [first.aggressor.name, *([] if first.target is None else [first.target.name])]
    views = {
        player: [replace(game.perceived_by(player), posture=None, perception={}) for game in games]
        for player in players
        if any(player in game.perception for game in games)
    }
    whole = _stacked(truths, sizes)
    fact = dict(numbers_of(whole))
    overlays = {}
    for player, some in views.items():
        seen = numbers_of(_stacked(some, sizes))
        overlays[player] = {path: value for path, value in seen if not np.array_equal(value, fact[path])}
    return replace(whole, perception=overlays)


def _stacked(games: Sequence[CollectiveDefence], sizes: Sequence[int]) -> CollectiveDefence:
    """Return the games laid end to end; numbers that are the same in all stay single."""
    tables = [dict(numbers_of(game)) for game in games]
    if any(table.keys() != tables[0].keys() for table in tables):
        raise GameError("games that are joined must have the same members, attacks and numbers")
    overlay: dict[str, Any] = {}
    for path, value in tables[0].items():
        values = [table[path] for table in tables]
        if all(np.ndim(one) == 0 and one == value for one in values):
            continue
        overlay[path] = np.concatenate([np.broadcast_to(one, (n,)) for one, n in zip(values, sizes, strict=True)])
    if not overlay:
        overlay["base"] = np.full(sum(sizes), games[0].base)
    return changed(games[0], overlay)

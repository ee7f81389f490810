r"""Beliefs about beliefs among allies: who thinks that whom sees what, and what each does on that account.

A player's overlay may hold, beside paths, the key ``"believes"``: what it thinks that others believe, as overlays on
*its own* values, and so on to any depth stated. Its subjective game is then itself a game with perceptions, so that
one rule serves every level. The stage after an attack has one best reply to whatever is foreseen, a cutpoint

.. math:: c_i = s_i\, E[H(S_{-i} + w_i) - H(S_{-i})] + \text{penalty}_i,

with :math:`S_{-i}` what the others bring if they come as member i foresees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.response import Response
from deterrence.alliances.solving.expected_defence import batch_defence, expected_defence
from deterrence.games.paths import Overlay
from deterrence.perception.belief_hierarchy import BELIEVES, split_overlay

Floats = NDArray[np.float64]

_TIE = 1e-9  # cutpoints this close, relative to stakes, count as one: then a part of an equilibrium is a best reply


def without_paths(overlay: Overlay, start: str) -> dict[str, Any]:
    """Return an overlay, nested ones among it, without the paths that begin with ``start``."""
    changes, nested = split_overlay(overlay)
    kept = {path: change for path, change in changes.items() if not path.startswith(start)}
    inner = {player: without_paths(one, start) for player, one in nested.items()}
    return {**kept, BELIEVES: inner} if inner else kept


def as_wide(game: ParticipationGame, plans: Mapping[int, Response]) -> ParticipationGame:
    """Return a game with the batch dimensions of plans that others have in it."""
    shape = np.broadcast_shapes(game.batch_shape, *(plan.cutpoints.shape[2:-2] for plan in plans.values()))
    return game if shape == game.batch_shape else replace(game, base=np.broadcast_to(game.base, shape))


def best_reply(game: ParticipationGame, member: int, own: Response, plans: Mapping[int, Response]) -> Response:
    """Return what a member would do who foresees that some others act on other games than its own.

    Parameters
    ----------
    game : ParticipationGame
        At the member's values.
    member : int
        Its index.
    own : Response
        Of that game, in every state of the treaty: what it foresees of those not in ``plans``.
    plans : mapping of int to Response
        By index of the others that it thinks to see another game: the response that their cutpoint comes from.

    Returns
    -------
    Response
        ``own`` with cutpoints of what the member foresees, its own being its best reply to them: its part of the
        equilibrium wherever that is one.
    """
    shape = (2, 2, *game.batch_shape, len(game.attacks), len(game.members))
    cuts = np.array(np.broadcast_to(own.cutpoints, shape))
    for i, plan in plans.items():
        cuts[..., i] = plan.cutpoints[..., i]
    for x, attack in enumerate(game.attacks):
        for j, invoked in enumerate((True, False)):
            stage = game.stage(attack.name, invoked=invoked)
            defence = batch_defence(stage) if game.batch_shape else expected_defence(stage)
            for k in (0, 1):
                foreseen = cuts[k, j, ..., x, :]
                gain = defence.gains(np.asarray(stage.position * stage.costs.cdf(foreseen)))[..., member]
                stake, penalty = (np.asarray(row)[..., member] for row in (stage.stakes, stage.penalties))
                reply = stake * gain + penalty
                near = np.abs(reply - foreseen[..., member]) <= _TIE * (1 + np.abs(reply))
                cuts[k, j, ..., x, member] = np.where(near, foreseen[..., member], reply)
    return replace(own, cutpoints=cuts, equilibria={})

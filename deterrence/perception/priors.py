"""Heterogeneous priors that both sides know of: agreeing to disagree.

Each player holds its own prior over types, every prior is commonly known, and outcomes come about under the
true one [1]_. ``SignalingGame`` holds three priors, and ``dt.pbe`` finds every equilibrium; here the three are made
from overlays.

References
----------
.. [1] S. Morris, "The common prior assumption in economic theory", Economics and Philosophy 11 (1995), 227-253.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.perception.belief_hierarchy import BELIEVES, check_overlay_players, parametric_game


def heterogeneous_priors(
    game: Any, *, truth: Mapping[str, Any] | None = None, beliefs: Mapping[str, Mapping[str, Any]]
) -> SignalingGame:
    """Return the signaling game in which each player has its own prior, and all know it.

    Parameters
    ----------
    game : SignalingGame, ExtensiveGame in signaling shape, or model of one
        With parameters in its prior.
    truth : mapping of str to number or array
        True values; arrays make a batch.
    beliefs : mapping of player to overlay
        Parameters of the prior, at the values that this player believes.

    Returns
    -------
    SignalingGame
        With ``prior`` at the truth, ``sender_prior`` and ``receiver_prior`` at the players' values.

    Raises
    ------
    ParameterError
        If a player or parameter is unknown, or an overlay changes payoffs, of which there is one set only (use
        ``subjective``).

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> wary = heterogeneous_priors(game, truth={"p": 0.2}, beliefs={"Receiver": {"p": 0.9}})
    >>> dt.pbe(wary).probability("duel")
    (0.0, 0.0)
    """
    parametric = parametric_game(game)
    true_values = dict(truth or {})
    base = _signaling(parametric.make(true_values))
    check_overlay_players(beliefs, base.players, "beliefs")
    priors = {base.players[0]: base.sender_prior, base.players[1]: base.receiver_prior}
    for player, overlay in beliefs.items():
        if BELIEVES in overlay:
            raise ParameterError(
                f"beliefs of {player}: heterogeneous priors are known to all, so there are no beliefs about beliefs"
            )
        unknown = [name for name in overlay if parametric.parameters is not None and name not in parametric.parameters]
        if unknown:
            raise ParameterError(
                f"beliefs of {player} name the unknown parameter {unknown[0]!r}; "
                f"parameters are {', '.join(parametric.parameters or ())}"
            )
        seen = _signaling(parametric.make({**true_values, **overlay}))
        for what in ("U", "V"):
            if not _equal(getattr(seen, what), getattr(base, what)):
                raise ParameterError(
                    f"beliefs of {player} change payoffs, not only the prior; players who disagree about payoffs play "
                    "different games: use dt.subjective"
                )
        priors[player] = seen.prior
    return SignalingGame(
        base.types,
        base.messages,
        base.responses,
        prior=base.prior,
        sender_payoffs=base.sender_payoffs,
        receiver_payoffs=base.receiver_payoffs,
        receiver_types=base.receiver_types,
        sender_prior=priors[base.players[0]],
        receiver_prior=priors[base.players[1]],
        events=base.events,
        players=base.players,
    )


def _signaling(game: Any) -> SignalingGame:
    if isinstance(game, SignalingGame):
        return game
    if isinstance(game, ExtensiveGame):
        return game.to_signaling()
    raise ParameterError(f"heterogeneous priors need a signaling game, got a {type(game).__name__}")


def _equal(a: Array, b: Array) -> bool:
    return bool(np.allclose(as_float(a), as_float(b), rtol=0, atol=1e-12))

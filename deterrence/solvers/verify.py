"""Certificates: is this profile an equilibrium? Recomputed from the definition of the game, solver unseen.

The checks trust no solver and share no code with one. They read the game's payoffs and priors and the
profile's probabilities, and compute with plain loops what every player could gain at every information set,
reached or not. The checks of each form of game stand in a module of their own, which is imported when first
asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

from deterrence.games.equilibrium import Certificate
from deterrence.games.errors import GameError

Check: TypeAlias = Callable[[Any, Any, float], Certificate]

# form of game -> the module, and the function in it of the same name, that checks an equilibrium of that form
_CHECKS = {
    "SignalingGame": "signaling",
    "ExtensiveGame": "tree",
    "StrategicGame": "strategic",
    "ParticipationGame": "participation",
    "ContinuousReceiverGame": "continuous_receiver",
}


def verify(game: Any, equilibrium: Any, *, tol: float = 1e-9) -> Certificate:
    """Certify an equilibrium, or a bare profile, from the game alone.

    Parameters
    ----------
    game : SignalingGame, ...
        A game with numbers: no free parameters, no batch dimensions.
    equilibrium : Equilibrium or profile
        Of an Equilibrium, every vertex and the profile are checked, and the certificate carries the worst.
    tol : float
        Largest gain from a deviation that counts as none, as a share of the spread of the payoffs that are compared:
        the mean distance of outcomes, by their probabilities, from what play gives (1e-9: well above the rounding of
        probabilities in float64). What play does not meet is not in it, nor a constant added to all payoffs, so that a
        dear war excuses no loss of a small stake. Exact results are held to 0. Where the rounding of floats might
        decide, the check is made in rational arithmetic, a float payoff being the decimal that it prints as.

    Returns
    -------
    Certificate
        Largest regret (payoff units), largest distance from Bayes' rule where it applies (a probability),
        whether every information set is free of gainful deviations, whether the arithmetic was rational, and whether
        the profile is an equilibrium of its concept (of a Nash equilibrium, that no plan for the whole game gains).

    Raises
    ------
    GameError
        If the game's form is not known, it has free parameters or batch dimensions, or a strategy or belief
        is no distribution of the right shape.

    Examples
    --------
    >>> import numpy as np
    >>> from deterrence.games.signaling import SignalingGame
    >>> from deterrence.games.signaling_profile import SignalingProfile
    >>> game = SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[0.9, 0.1],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> pooling = SignalingProfile(
    ...     sender=np.array([[1.0, 0.0], [1.0, 0.0]]), receiver=np.array([[[0.0, 1.0], [1.0, 0.0]]]),
    ...     posterior=np.array([[[0.9, 0.1], [0.0, 1.0]]]))
    >>> certificate = verify(game, pooling)
    >>> certificate.sequentially_rational, certificate.max_regret, certificate.max_belief_error < 1e-15
    (True, 0.0, True)
    """
    check = _check_for(game)
    if not hasattr(equilibrium, "profile") and not hasattr(equilibrium, "probability"):
        raise GameError(
            f"verify takes one Equilibrium or a profile (dt.SignalingProfile, dt.BehaviorProfile, dt.MixedProfile), "
            f"got {type(equilibrium).__name__}"
        )
    return check(game, equilibrium, tol)


def _check_for(game: Any) -> Check:
    for form in type(game).__mro__:
        if form.__name__ in _CHECKS:
            name = _CHECKS[form.__name__]
            module = importlib.import_module(f"deterrence.solvers.verification.{name}")
            check: Check = getattr(module, f"verify_{name}")
            return check
    raise GameError(f"verify knows no game of type {type(game).__name__}; it knows {', '.join(_CHECKS)}")

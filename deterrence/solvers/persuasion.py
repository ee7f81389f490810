r"""The best public signal of a sender that commits to it before it learns its type.

The sender of a signaling game whose messages cost nothing commits to a distribution of messages for each type. A
message is then as good as the response that it makes optimal, so a signal is a recommendation of responses that the
receiver obeys [1]_: with
:math:`x(t, r) = P(r | t)`,

.. math:: \max_x \sum_{t, r} \pi_t x(t, r) u(t, r) \quad \text{s.t.} \quad
   \sum_t \pi_t x(t, r) [v(t, r) - v(t, r')] \ge 0 \ \forall r, r'.

A linear program; where the receiver is indifferent it does what the sender likes.

References
----------
.. [1] E. Kamenica and M. Gentzkow, "Bayesian Persuasion", Am. Econ. Rev. 101 (2011), 2590-2615.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from deterrence.games.equilibrium import Certificate, Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.solvers.arguments import require_form


def persuasion(game: SignalingGame, *, tol: float = 1e-9) -> EquilibriumSet:
    """Return the sender-optimal signal under commitment.

    Parameters
    ----------
    game : SignalingGame
        One receiver type, a common prior, as many messages as responses, payoffs that do not depend on the message;
        message r then recommends response r.
    tol : float
        Largest violation of obedience, relative to the receiver's payoff span, with which a signal is still accepted.

    Returns
    -------
    EquilibriumSet
        One optimal signal, obeyed; ``complete`` is False, for there may be others of the same value.

    Raises
    ------
    GameError
        If the game is not of that form.
    SolverError
        If the program is not solved, or its solution is not obeyed.
    """
    require_form(game, "persuasion", "SignalingGame")
    game.require_numbers()
    numeric = game.floats()
    U, V = _free_of_messages(numeric)
    prior = numeric.prior
    types, responses = U.shape
    weight = np.repeat(prior, responses).reshape(types, responses)
    obey = np.zeros((responses * responses, types, responses))
    for row, (r, other) in enumerate(np.ndindex(responses, responses)):
        obey[row, :, r] = -prior * (V[:, r] - V[:, other])
    total = np.repeat(np.eye(types), responses, axis=1)
    result = linprog(
        -(weight * U).ravel(), A_ub=obey.reshape(responses**2, -1), b_ub=np.zeros(responses**2),
        A_eq=total, b_eq=np.ones(types), bounds=(0, 1), method="highs",
    )  # fmt: skip
    if not result.success or result.x is None:
        raise SolverError(f"the persuasion program was not solved: {result.message}")
    signal = np.clip(result.x.reshape(types, responses), 0, 1)
    signal /= signal.sum(axis=1, keepdims=True)
    worst = float(max(0.0, (obey.reshape(responses**2, -1) @ signal.ravel()).max()))
    if worst > tol * max(float(np.ptp(V)), np.finfo(float).tiny):
        raise SolverError(f"the receiver would gain {worst:.1e} by disobeying the signal found; try a larger tol")
    profile = SignalingProfile(signal, np.eye(responses)[None], _posterior(prior, signal))
    best = Equilibrium(
        game=numeric, concept="persuasion", kind="optimal signal", profile=profile,
        certificate=Certificate(worst, 0.0, True, exact=False),
    )  # fmt: skip
    return EquilibriumSet(
        game=numeric,
        concept="persuasion",
        method="linear program",
        equilibria=(best,),
        complete=False,
        options={"tol": tol},
    )


def _free_of_messages(game: SignalingGame) -> tuple[Array, Array]:
    """Return both players' payoffs by type and response, shape (T, R)."""
    _, Q, M, R = game.shape
    if game.batch_shape or Q > 1 or game.receiver_types is not None:
        raise GameError("persuasion needs a single game with one receiver type")
    if M != R:
        raise GameError(f"persuasion needs one message for each response, got {M} messages and {R} responses")
    if not (np.array_equal(game.sender_prior, game.prior) and np.array_equal(game.receiver_prior, game.prior)):
        raise GameError("persuasion needs a common prior")
    if np.ptp(game.U, axis=2).any() or np.ptp(game.V, axis=2).any():
        raise GameError(
            "persuasion needs payoffs that do not depend on the message; a costly signal is a matter for pbe"
        )
    return game.U[:, 0, 0], game.V[:, 0, 0]


def _posterior(prior: Array, signal: Array) -> Array:
    """Return beliefs by Bayes' rule, shape (1, M, T); the prior after a message that is never sent."""
    mass = prior[:, None] * signal
    total = mass.sum(axis=0)
    posterior: Array = np.where(total > 0, mass / np.where(total > 0, total, 1), prior[:, None]).T[None]
    return posterior

"""The definition of perfect Bayesian equilibrium of a signaling game, checked term by term.

A profile has the sender's strategy ``sigma(m|t)``, the receiver's ``rho(r|q,m)`` and beliefs ``mu(t|q,m)``.
It is a perfect Bayesian equilibrium if

1. every sender type t, one of prior zero included, sends only messages that maximise
   ``sum_q P(q|t) sum_r rho(r|q,m) u(t,q,m,r)``, with P the sender's prior;
2. every receiver type q, after every message m, sent or not, gives only responses that maximise
   ``sum_t mu(t|q,m) v(t,q,m,r)``;
3. ``mu(t|q,m)`` is proportional to ``P(t|q) sigma(m|t)``, with P the receiver's prior, wherever that is not
   zero for all t.

A conditional on a type that a prior rules out is that prior's marginal over the other player's types. The
loops below read the game's arrays only as nested lists of numbers and use no linear algebra.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Certificate, Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.quantities import SUM_TOLERANCE
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile


def verify_signaling(game: SignalingGame, equilibrium: Equilibrium | Any, tol: float = 1e-9) -> Certificate:
    """Certify a perfect Bayesian equilibrium of a signaling game, or a bare profile.

    Parameters
    ----------
    game : SignalingGame
        One game with numbers.
    equilibrium : Equilibrium or SignalingProfile
        Of an Equilibrium, every vertex and the profile are checked; the certificate is that of the worst.
    tol : float
        Largest regret that counts as none, relative to the player's payoff span (or, if that is more, the rounding of
        payoffs of their size); exact profiles are held to 0.

    Returns
    -------
    Certificate

    Raises
    ------
    GameError
        If the game is symbolic or a batch, or an array of a profile has the wrong shape or is no distribution.
    """
    several = isinstance(equilibrium, Equilibrium)
    profiles: list[Any] = [*equilibrium.vertices, equilibrium.profile] if several else [equilibrium]
    game.require_numbers()
    if game.batch_shape:
        raise GameError(f"verify takes one game at a time, got a batch of shape {game.batch_shape}; index it first")
    exact = game.kind == "exact" and all(_is_rational(array) for p in profiles for array in _arrays(p).values())
    number = Fraction if exact else float
    u, v = _nested(game.U, number), _nested(game.V, number)
    sender_view = _rows_given(_nested(game.sender_joint, number))
    receiver_view = _rows_given(_transposed(_nested(game.receiver_joint, number)))
    allowed_u, allowed_v = (0, 0) if exact else (_slack(game.U, tol), _slack(game.V, tol))
    regret: Any = number(0)
    error: Any = number(0)
    rational = True
    for profile in profiles:
        sigma, rho, mu = _checked(game, profile, exact)
        gain_u = _sender_regret(u, sender_view, sigma, rho)
        gain_v = _receiver_regret(v, rho, mu)
        error = max(error, _belief_error(receiver_view, sigma, mu, exact))
        regret = max(regret, gain_u, gain_v)
        rational = rational and bool(gain_u <= allowed_u and gain_v <= allowed_v)
    return Certificate(max_regret=regret, max_belief_error=error, sequentially_rational=rational, exact=exact)


def _sender_regret(u: Any, view: Any, sigma: Any, rho: Any) -> Any:
    """Largest gain of any sender type from sending another message."""
    worst: Any = 0
    for t, chances in enumerate(view):
        values = []
        for m in range(len(sigma[t])):
            value: Any = 0
            for q, chance in enumerate(chances):
                for r, weight in enumerate(rho[q][m]):
                    value += chance * weight * u[t][q][m][r]
            values.append(value)
        best = max(values)
        got = sum(weight * value for weight, value in zip(sigma[t], values, strict=True))
        worst = max(worst, best - got)
    return worst


def _receiver_regret(v: Any, rho: Any, mu: Any) -> Any:
    """Largest gain of any receiver type, after any message and at its belief there, from another response."""
    worst: Any = 0
    for q in range(len(rho)):
        for m in range(len(rho[q])):
            values = [
                sum(mu[q][m][t] * v[t][q][m][r] for t in range(len(v)))  # expected payoff of response r
                for r in range(len(rho[q][m]))
            ]
            got = sum(weight * value for weight, value in zip(rho[q][m], values, strict=True))
            worst = max(worst, max(values) - got)
    return worst


def _belief_error(view: Any, sigma: Any, mu: Any, exact: bool) -> Any:
    """Largest distance of a belief from Bayes' rule, over the messages that the receiver type expects at all."""
    worst: Any = 0
    for q, chances in enumerate(view):
        for m in range(len(sigma[0])):
            weights = [chance * sigma[t][m] for t, chance in enumerate(chances)]
            total = sum(weights)
            if total <= (0 if exact else SUM_TOLERANCE):
                continue  # unexpected: the belief is free
            for t, weight in enumerate(weights):
                worst = max(worst, abs(mu[q][m][t] - weight / total))
    return worst


def _rows_given(joint: Any) -> Any:
    """Each row divided by its sum; a row of zeros becomes the sum of all rows (the marginal)."""
    marginal = [sum(row[j] for row in joint) for j in range(len(joint[0]))]
    return [[x / sum(row) for x in row] if sum(row) > 0 else marginal for row in joint]


def _checked(game: SignalingGame, profile: SignalingProfile, exact: bool) -> tuple[Any, Any, Any]:
    """Return the three arrays of a profile as nested lists, their rows checked to be distributions."""
    t, q, m, r = game.shape
    shapes = {"sender": (t, m), "receiver": (q, m, r), "posterior": (q, m, t)}
    slack = 0 if exact else SUM_TOLERANCE
    lists = []
    for name, array in _arrays(profile).items():
        if array.shape != shapes[name]:
            raise GameError(f"{name} of the profile must have shape {shapes[name]}, got {array.shape}")
        nested = _nested(array, Fraction if exact else float)
        rows = nested if name == "sender" else [row for block in nested for row in block]
        for i, row in enumerate(rows):
            if not (min(row) >= -slack and abs(sum(row) - 1) <= slack):
                where = (i,) if name == "sender" else divmod(i, m)
                raise GameError(
                    f"{name}{list(where)} of the profile must be a distribution, got {[str(x) for x in row]} "
                    f"with sum {sum(row)}"
                )
        lists.append(nested)
    return lists[0], lists[1], lists[2]


def _arrays(profile: SignalingProfile) -> dict[str, Any]:
    return {name: np.asarray(getattr(profile, name)) for name in ("sender", "receiver", "posterior")}


def _is_rational(array: Any) -> bool:
    return bool(array.dtype.kind in "iu") or all(isinstance(x, Fraction | int) for x in array.ravel().tolist())


def _nested(array: Any, number: Any) -> Any:
    """Return an array as nested lists of one type of number."""
    if number is float and array.dtype != object:
        return array.tolist()
    return _converted(array.tolist(), number)


def _converted(nested: Any, number: Any) -> Any:
    return [_converted(x, number) for x in nested] if isinstance(nested, list) else number(nested)


def _transposed(nested: Any) -> Any:
    return [list(column) for column in zip(*nested, strict=True)]


def _slack(payoffs: Any, tol: float) -> float:
    """Reckon the regret that counts as none: tol of the span, or what rounding does to payoffs of this size."""
    rounding = 64 * float(np.finfo(np.float64).eps) * float(abs(payoffs).max())
    return max(tol * float(payoffs.max() - payoffs.min()), rounding)

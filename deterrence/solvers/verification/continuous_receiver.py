"""Certificates of signaling games whose receiver has a private value from a continuum.

What the receiver does at a belief is recomputed by walking along the envelope of its lines from the lowest value up;
what each type of the sender could gain by another message, and how far beliefs are from Bayes' rule, follow with plain
loops.
"""

from __future__ import annotations

import math
from typing import Any

from deterrence.games.equilibrium import Certificate
from deterrence.games.errors import GameError


def verify_continuous_receiver(game: Any, equilibrium: Any, tol: float) -> Certificate:
    """Certify an equilibrium of a ``ContinuousReceiverGame``; see ``solvers.verify``."""
    if game.batch_shape:
        raise GameError("verify takes one game, and this is a batch; index one of it")
    profiles = [*equilibrium.vertices, equilibrium.profile] if hasattr(equilibrium, "profile") else [equilibrium]
    regret = error = 0.0
    for profile in profiles:
        _check_shapes(game, profile)
        regret = max(regret, _sender_regret(game, profile))
        error = max(error, _belief_error(game, profile))
    payoffs = [float(x) for x in game.sender_payoffs.ravel()]
    span = max(payoffs) - min(payoffs)
    return Certificate(
        max_regret=regret,
        max_belief_error=error,
        sequentially_rational=regret <= tol * span and error <= tol,
        exact=False,
    )


def _check_shapes(game: Any, profile: Any) -> None:
    rows = [("strategy of the sender", row, len(game.messages)) for row in profile.sender.tolist()]
    rows += [("belief", row, len(game.types)) for row in profile.belief.tolist()]
    if len(profile.sender) != len(game.types) or len(profile.belief) != len(game.messages):
        raise GameError("a profile has a strategy for each type and a belief after each message")
    for what, row, size in rows:
        if len(row) != size or min(row) < 0 or abs(sum(row) - 1) > 1e-9:
            raise GameError(f"a {what} must hold {size} probabilities that sum to 1, got {row}")


def _sender_regret(game: Any, profile: Any) -> float:
    """Return the most that a type with a positive prior could gain by another message."""
    worst = 0.0
    for t in range(len(game.types)):
        if game.receiver_prior[t] <= 0 and game.prior[t] <= 0:
            continue
        worth = []
        for m in range(len(game.messages)):
            reply = _reply(game, m, profile.belief[m])
            worth.append(sum(p * float(u) for p, u in zip(reply, game.sender_payoffs[t][m], strict=True)))
        gets = sum(float(p) * w for p, w in zip(profile.sender[t], worth, strict=True))
        worst = max(worst, max(worth) - gets)
    return worst


def _belief_error(game: Any, profile: Any) -> float:
    worst = 0.0
    for m in range(len(game.messages)):
        joint = [float(game.receiver_prior[t] * profile.sender[t][m]) for t in range(len(game.types))]
        if sum(joint) > 0:
            for t, mass in enumerate(joint):
                worst = max(worst, abs(mass / sum(joint) - float(profile.belief[m][t])))
    return worst


def _reply(game: Any, m: int, belief: Any) -> list[float]:
    """Return the probability of each response after a message, by walking along the envelope."""

    def mean(each: Any) -> float:
        return sum(float(q) * float(each[t]) for t, q in enumerate(belief))

    columns = range(len(game.responses) - 1)
    lines = [(0.0, 0.0), *((mean(game.slopes[:, m, k]), mean(game.costs[:, m, k])) for k in columns)]
    here = min(range(len(lines)), key=lambda i: (lines[i][0], lines[i][1], i))
    reply, reached = [0.0] * len(lines), 0.0
    while True:
        ahead = [i for i in range(len(lines)) if lines[i][0] > lines[here][0]]
        if not ahead:
            reply[here] += 1 - reached
            return reply

        def overtakes(i: int, now: int = here) -> tuple[float, float, float]:
            rise = lines[i][0] - lines[now][0]
            return (lines[i][1] - lines[now][1]) / rise, -lines[i][0], lines[i][1]

        following = min(ahead, key=overtakes)
        at = overtakes(following)[0]
        mass = float(game.value.cdf(at)) if math.isfinite(at) else float(at > 0)
        reply[here] += max(mass - reached, 0.0)
        reached = max(reached, mass)
        here = following

"""What the posture tells: the signaling game between an alliance of private type and the aggressor.

Nature draws the alliance's type (firm, soft, ...) and the aggressor's value v of the prize. The alliance
picks a posture at a sunk cost; the aggressor sees the posture and its own v, never the type, and refrains or
attacks in one of several ways. What an attack would meet depends on type and posture, and comes from the
participation game. The sender's payoff in peace is minus the cost of its posture; after an attack what its
stake, its fighting and its staying out cost it comes on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.records import REFRAIN, AttackOption, PostureStage
from deterrence.alliances.response import Response
from deterrence.games.costs import Distribution
from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame

Floats = NDArray[np.float64]

EVENTS = ("attack", "war", "defence holds", "defence fails")


@dataclass(eq=False)
class PostureOutcomes:
    """What an attack meets for each type and posture, collected row by row: types outside, postures inside.

    Attributes
    ----------
    holds, strength, war, sender : lists of ndarray, shape (X,)
        P(defence holds), expected assisting strength, P(some member assists), the sender's payoff relative to
        peace.
    """

    holds: list[Floats]
    strength: list[Floats]
    war: list[Floats]
    sender: list[Floats]

    @classmethod
    def empty(cls) -> PostureOutcomes:
        """Return a collection of nothing."""
        return cls([], [], [], [])

    def add(self, met: Response, k: int, sender: Floats) -> None:
        """Add the k-th equilibrium of a response, and the sender's payoff after each kind of attack."""
        self.holds.append(met.holds[k])
        self.strength.append(met.strength[k])
        self.war.append(1 - met.nobody[k])
        self.sender.append(sender)

    def table(self, rows: list[Floats], types: int, postures: int) -> Floats:
        """Return rows as an array of shape (T, M, X)."""
        return np.array(rows).reshape(types, postures, -1)


@dataclass(frozen=True, eq=False)
class PrizeTypes:
    """The aggressor's types: values of the prize and their probabilities, shape (Q,), with labels."""

    values: Floats
    probabilities: Floats
    labels: tuple[str, ...]


def prize_types(prize: Distribution, quantiles: int) -> PrizeTypes:
    """Return the aggressor's types: the mean value in each of Q bins of equal probability.

    Its payoff is linear in v, so the mean of a bin stands for the bin wherever all of it makes one choice. A
    degenerate or two-point distribution has its atoms for types.

    Raises
    ------
    GameError
        If the distribution is a batch, or has no mean.
    """
    if prize.batch_shape:
        raise GameError(
            f"the posture game needs one distribution of the prize, got a batch of shape {prize.batch_shape}"
        )
    if not prize.continuous:
        p = float(prize.shape.get("probability", 1.0))
        atoms = [(float(prize.location), p), (float(prize.location) + float(prize.scale), 1 - p)]
        kept = [(v, chance) for v, chance in atoms if chance > 0]
        return _labelled([v for v, _ in kept], [chance for _, chance in kept])
    edges = prize.ppf(np.linspace(0, 1, quantiles + 1))
    means = quantiles * np.diff(np.concatenate([[0.0], prize.partial_mean(edges[1:])]))
    if not np.isfinite(means).all():
        raise GameError(f"the {prize.family} distribution of the prize has no mean, so its bins have no representative")
    return _labelled(means.tolist(), [1 / quantiles] * quantiles)


def posture_game(
    *,
    stage: PostureStage,
    believed_prior: Floats,
    attacks: Sequence[AttackOption],
    prize: PrizeTypes,
    seen_prize: PrizeTypes,
    punishment: Any,
    true: PostureOutcomes,
    perceived: PostureOutcomes,
    players: tuple[str, str],
) -> SignalingGame:
    """Return the posture game as a signaling game with receiver types.

    Parameters
    ----------
    stage : PostureStage
        Types, true prior, postures.
    believed_prior : ndarray, shape (T,)
        The aggressor's prior over the types.
    attacks : sequence of AttackOption
        With the aggressor's values of share and cost.
    prize, seen_prize : PrizeTypes
        True distribution of the aggressor's types, and the values at which it reckons.
    punishment : float
        lambda.
    true, perceived : PostureOutcomes
        What an attack meets, really and as the aggressor sees it.
    players : pair of str
        Names of sender and receiver.

    Returns
    -------
    SignalingGame
        Events: ``attack``, ``war`` (an attack that some member meets), ``defence holds`` and ``defence
        fails`` (both after an attack).
    """
    t, m, q = len(stage.types), len(stage.postures), len(prize.values)
    shape = (t, q, m, 1 + len(attacks))
    sunk = np.array([posture.cost for posture in stage.postures], dtype=np.float64)
    sender = np.zeros(shape) - sunk[None, None, :, None]
    sender[..., 1:] += true.table(true.sender, t, m)[:, None]
    holds, strength = perceived.table(perceived.holds, t, m), perceived.table(perceived.strength, t, m)
    shares = np.array([a.share for a in attacks], dtype=np.float64)
    costs = np.array([a.cost for a in attacks], dtype=np.float64)
    receiver = np.zeros(shape)
    receiver[..., 1:] = seen_prize.values[None, :, None, None] * (shares * (1 - holds))[:, None]
    receiver[..., 1:] -= (costs + punishment * strength)[:, None]
    events = {name: np.zeros(shape) for name in EVENTS}
    fact = true.table(true.holds, t, m)[:, None]
    for name, values in zip(
        EVENTS, (np.ones_like(fact), true.table(true.war, t, m)[:, None], fact, 1 - fact), strict=True
    ):
        events[name][..., 1:] = np.clip(values, 0.0, 1.0)
    prior, belief = (p[:, None] * prize.probabilities[None, :] for p in (stage.prior, believed_prior))
    several = q > 1
    return SignalingGame(
        types=[one.name for one in stage.types],
        messages=[one.name for one in stage.postures],
        responses=[REFRAIN, *(a.name for a in attacks)],
        prior=prior if several else prior[:, 0],
        sender_payoffs=sender if several else sender[:, 0],
        receiver_payoffs=receiver if several else receiver[:, 0],
        receiver_types=list(prize.labels) if several else None,
        receiver_prior=belief if several else belief[:, 0],
        events={name: values if several else values[:, 0] for name, values in events.items()},
        players=players,
    )


def _labelled(values: list[float], probabilities: list[float]) -> PrizeTypes:
    labels: list[str] = []
    for k, value in enumerate(values):
        label = f"v={value:.3g}"
        labels.append(label if label not in labels else f"{label} ({k + 1})")
    return PrizeTypes(np.array(values), np.array(probabilities), tuple(labels))

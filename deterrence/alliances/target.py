"""The target: whether it resists an attack, or yields because it doubts that anyone would come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.attacks import AttackOption
from deterrence.alliances.campaign import align, detection_probability, dimensions_of, remaining_share
from deterrence.alliances.declarations import check_name, check_numbers, number
from deterrence.games.distributions import Distribution
from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Target(Value):
    """The protege: whether it resists an attack, or yields because it doubts that anyone would come.

    It resists iff its private cost of resisting is at most its stake times the probability, at its own
    values, that the defence holds. If it yields the aggressor takes its share of the prize without a fight.
    Against an attack in steps it looks ahead: see ``alliances.campaign``.

    Attributes
    ----------
    name : str
        Used for its overlay in ``perception``.
    stake : array_like
        What it saves if the defence holds; >= 0.
    stake_follows_share : array_like
        phi in [0, 1]: in an attack that can take the share g of the prize its stake is stake (1 - phi + phi g).
    cost : Distribution
        Private cost of resisting, in the same units.
    """

    name: str = "Target"
    stake: Any = number(1.0, unit="utility", meaning="what it saves if the defence holds")
    stake_follows_share: Any = number(
        0.0,
        high=1.0,
        unit="share",
        meaning="how far its stake follows the share of the prize that an attack can take; 0: all is at stake in each",
    )
    cost: Distribution = field(default_factory=lambda: Distribution(family="degenerate", location=0.0))

    def __post_init__(self) -> None:
        check_name(self.name, "target")
        check_numbers(self, self.name)
        if not isinstance(self.cost, Distribution):
            raise ParameterError(f"cost of {self.name} must be a Distribution, got {type(self.cost).__name__}")


def resistance(
    target: Target, attack: AttackOption, holds: Floats, strength: Floats, value: Any, punishment: Any
) -> Floats:
    """Return R_k, the probability that the target resists each step that crosses the threshold, shape (n, ...).

    Parameters
    ----------
    target : Target
    attack : AttackOption
    holds, strength : ndarray, shape (n, ...)
        What the target expects each step to meet.
    value : array_like, shape (...)
        Value of the prize to the aggressor that it expects.
    punishment : array_like, shape (...)
    """
    follows = np.asarray(target.stake_follows_share)
    stake = np.asarray(target.stake) * (1 - follows + follows * np.asarray(attack.share))
    dimensions = max(
        holds.ndim - 1, np.ndim(value), np.ndim(punishment), np.ndim(stake), len(target.cost.batch_shape),
        dimensions_of(attack),
    )  # fmt: skip
    holds, strength = align(holds, dimensions), align(strength, dimensions)
    share, across = remaining_share(attack, dimensions), detection_probability(attack, dimensions)
    gain = np.asarray(value) * np.asarray(attack.share)
    later, more = np.zeros(()), np.zeros(())  # Z, and what going on is worth to the aggressor
    found: list[Floats] = []
    for k in range(len(across) - 1, -1, -1):
        kept = stake * share[k] * holds[k]
        limit = np.asarray(kept - later)
        fights = np.asarray(target.cost.cdf(limit))
        found.append(fights)
        if k == 0:  # nothing comes before
            break
        paid = np.asarray(target.cost.partial_mean(limit))
        rho = across[k] * fights
        war = gain * share[k] * (1 - holds[k]) - np.asarray(attack.cost) - np.asarray(punishment) * strength[k]
        mounted = across[k] * (1 - fights) * np.asarray(attack.cost) * np.asarray(attack.mounting)
        worth = rho * war + (1 - rho) * (gain * (share[k] - share[k + 1]) - np.asarray(attack.step_cost) + more)
        worth = worth - mounted
        met = across[k] * (fights * kept - paid + (1 - fights) * later) + (1 - across[k]) * later
        later, more = np.where(worth > 0, met, stake * share[k]), np.maximum(worth, 0.0)
    return np.stack(np.broadcast_arrays(*found[::-1]))

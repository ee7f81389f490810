"""What the posture tells: the signaling game between an alliance of private type and the aggressor.

Nature draws the alliance's type (firm, soft, ...) and the aggressor's value v of the prize. The alliance
picks a posture at a sunk cost; the aggressor sees the posture and its own v, never the type, and refrains or
attacks in one of several ways. What an attack would meet depends on type and posture, and comes from the
participation game. The sender's payoff in peace is minus the cost of its posture; after an attack what its
stake, its fighting and its staying out cost it comes on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.attacks import REFRAIN, AttackOption
from deterrence.alliances.campaign import Plans
from deterrence.alliances.declarations import check_name, check_numbers, distinct, number, number_in
from deterrence.games.distributions import Distribution, stack_last
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.paths import Change, Overlay
from deterrence.games.signaling import SignalingGame

Floats = NDArray[np.float64]

EVENTS = ("attack", "war", "defence holds", "defence fails")


@dataclass(frozen=True, kw_only=True)
class AllianceType:
    """A private type of the alliance, say firm or soft: what is different about its members.

    Attributes
    ----------
    name : str
        For example ``"firm"``.
    probability : float
        Prior in [0, 1].
    changes : mapping of path to change
        Overlay on the collective-defence game, for example ``{"members.USA.cost.location": "-0.5"}``.
    """

    name: str
    probability: Any = number(high=1.0, required=True, unit="probability", meaning="prior probability of the type")
    changes: Overlay = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "type")
        check_numbers(self, f"type {self.name}")
        object.__setattr__(self, "changes", dict(self.changes))


@dataclass(frozen=True, kw_only=True)
class Posture:
    """A posture that the alliance may take before the aggressor chooses.

    Attributes
    ----------
    name : str
        For example ``"battlegroups"``.
    cost : array_like
        k, sunk cost that the sender pays whatever follows; >= 0, in the sender's units of utility.
    forward : mapping of str to array_like
        Strength stationed with the target by member; it *replaces* that member's ``forward``.
    obligation : array_like
        a, added to the obligation of every member (or of those in ``tied``): tied hands; >= 0.
    tied : tuple of str
        The members whose hands it ties; all if empty.
    changes : mapping of path to change
        Any other change that comes with the posture.
    """

    name: str
    cost: Any = number(0.0, unit="utility", meaning="sunk cost that the sender pays whatever follows")
    forward: Mapping[str, Any] = field(default_factory=dict)
    obligation: Any = number(0.0, unit="utility", meaning="added to the obligation of members: tied hands")
    tied: tuple[str, ...] = ()
    changes: Overlay = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "posture")
        check_numbers(self, f"posture {self.name}")
        stationed = {
            name: number_in(value, 0.0, np.inf, f"forward of {name} in posture {self.name}")
            for name, value in self.forward.items()
        }
        object.__setattr__(self, "forward", stationed)
        object.__setattr__(self, "tied", tuple(self.tied))
        object.__setattr__(self, "changes", dict(self.changes))

    def overlay(self) -> Overlay:
        """Return the posture as changes by path."""
        found: dict[str, Change] = {f"members.{_quoted(name)}.forward": value for name, value in self.forward.items()}
        if np.any(self.obligation):
            for name in self.tied or ("*",):
                found[f"members.{_quoted(name)}.obligation"] = {"add": self.obligation}
        return {**found, **self.changes}


@dataclass(frozen=True, kw_only=True)
class PostureStage:
    """The signaling stage: private types of the alliance, and the postures among which it picks.

    Attributes
    ----------
    types : tuple of AllianceType
        At least one; their probabilities sum to one within 1e-9 (overlays may break this and are then rescaled).
    postures : tuple of Posture
        At least one.
    sender : str
        The member whose payoff counts; ``""`` for the sum over all members.
    quantiles : int
        Number of the aggressor's types: bins of equal probability of its value v; 1 to 200.
    """

    types: tuple[AllianceType, ...]
    postures: tuple[Posture, ...]
    sender: str = ""
    quantiles: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", distinct(self.types, AllianceType, "types"))
        object.__setattr__(self, "postures", distinct(self.postures, Posture, "postures"))
        if not isinstance(self.quantiles, int) or not 1 <= self.quantiles <= 200:
            raise ParameterError(f"quantiles must be a whole number in [1, 200], got {self.quantiles!r}")

    @property
    def prior(self) -> Floats:
        """Probabilities of the types, rescaled to sum to one, shape (..., T).

        Raises
        ------
        ParameterError
            If all are zero.
        """
        p = np.stack(
            np.broadcast_arrays(*(np.asarray(one.probability, dtype=np.float64) for one in self.types)), axis=-1
        )
        total = p.sum(axis=-1, keepdims=True)
        if (total <= 0).any():
            raise ParameterError(f"the probabilities of types {', '.join(t.name for t in self.types)} are all 0")
        return np.asarray(p / total)


@dataclass(eq=False)
class PostureOutcomes:
    """What each plan of the aggressor leads to, collected row by row: types outside, postures inside.

    Attributes
    ----------
    true, perceived : lists of Plans
        Really, and as the aggressor sees it.
    """

    true: list[Plans] = field(default_factory=list)
    perceived: list[Plans] = field(default_factory=list)

    def add(self, true: Plans, perceived: Plans) -> None:
        """Add what follows for one type and one posture."""
        self.true.append(true)
        self.perceived.append(perceived)

    def table(self, rows: Sequence[Floats], types: int, postures: int) -> Floats:
        """Return rows of shape (..., L) as an array of shape (..., T, M, L)."""
        side = np.stack(np.broadcast_arrays(*rows), axis=-2)
        return side.reshape(*side.shape[:-2], types, postures, side.shape[-1])


@dataclass(frozen=True, eq=False)
class PrizeTypes:
    """The aggressor's types: values of the prize, shape (..., Q), their probabilities, shape (..., Q), and labels."""

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
        If the distribution has no mean.
    """
    if not prize.continuous:
        low = np.asarray(prize.location, dtype=np.float64)
        p = np.asarray(prize.shape.get("probability", 1.0), dtype=np.float64)
        if prize.family == "degenerate" or bool((p == 1).all()):
            return _labelled(low[..., None], np.ones(1))
        high = low + prize.scale
        if bool((p == 0).all()):
            return _labelled(np.asarray(high)[..., None], np.ones(1))
        return _labelled(stack_last([low, high]), stack_last([p, 1 - p]))
    wide = _with_axis(prize)
    edges = wide.ppf(np.linspace(0, 1, quantiles + 1)[1:])
    parts = wide.partial_mean(edges)
    means = quantiles * np.diff(parts, axis=-1, prepend=0.0)
    if not np.isfinite(means).all():
        raise GameError(f"the {prize.family} distribution of the prize has no mean, so its bins have no representative")
    return _labelled(means, np.full(quantiles, 1 / quantiles))


def posture_game(
    *,
    stage: PostureStage,
    believed_prior: Floats,
    attacks: Sequence[AttackOption],
    prize: PrizeTypes,
    seen_prize: PrizeTypes,
    outcomes: PostureOutcomes,
    sender: int | None,
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
        True distribution of the aggressor's types, and the values that it holds.
    outcomes : PostureOutcomes
        What each plan leads to, really and as the aggressor sees it.
    sender : int or None
        Index of the member whose payoff counts; None for the sum over all.
    players : pair of str
        Names of sender and receiver.

    Returns
    -------
    SignalingGame
        Responses are ``refrain`` and the aggressor's plans: an attack, or for one in steps each number of them
        (``"hybrid (2 of 5)"``). Events: ``attack``, ``war`` (an attack that some member meets), ``defence holds`` and
        ``defence fails`` (both after an attack). A batch where any number is one.
    """
    t, m = len(stage.types), len(stage.postures)
    first = outcomes.perceived[0]

    def table(rows: Sequence[Floats]) -> Floats:  # (..., T, 1, M, L)
        return np.expand_dims(outcomes.table(rows, t, m), -3)

    def with_peace(rows: Floats, peace: Any) -> Floats:
        calm = np.broadcast_to(np.asarray(peace, dtype=np.float64), (*rows.shape[:-1], 1))
        return np.concatenate([calm, rows], axis=-1)

    paid = [one.payoffs.sum(axis=-1) if sender is None else one.payoffs[..., sender] for one in outcomes.true]
    sunk = stack_last([posture.cost for posture in stage.postures])[..., None, None, :, None]
    mine = table(paid)
    mine, cost = np.broadcast_arrays(mine, sunk)
    values = seen_prize.values[..., None, :, None, None]
    theirs = values * table([one.slopes for one in outcomes.perceived]) - table([p.costs for p in outcomes.perceived])
    holds = table([one.holds for one in outcomes.true])
    chances = (np.ones_like(holds), table([one.helped for one in outcomes.true]), holds, 1 - holds)
    prior, belief = (
        p[..., :, None] * prize.probabilities[..., None, :]
        for p in (np.asarray(stage.prior), np.asarray(believed_prior))
    )
    arrays = [with_peace(mine - cost, -cost[..., :1]), with_peace(theirs, 0.0)]
    arrays += [with_peace(np.clip(one, 0.0, 1.0), 0.0) for one in chances]
    batch = np.broadcast_shapes(*(one.shape[:-4] for one in arrays), prior.shape[:-2], belief.shape[:-2])
    q = prize.values.shape[-1]
    arrays = [np.broadcast_to(one, (*batch, t, q, m, 1 + len(first.kinds))) for one in arrays]
    prior, belief = (np.broadcast_to(p, (*batch, t, q)) for p in (prior, belief))
    if q == 1:
        arrays = [one[..., 0, :, :] for one in arrays]
        prior, belief = prior[..., 0], belief[..., 0]
    return SignalingGame(
        types=[one.name for one in stage.types],
        messages=[one.name for one in stage.postures],
        responses=[REFRAIN, *_plan_names(attacks, first)],
        prior=prior,
        sender_payoffs=arrays[0],
        receiver_payoffs=arrays[1],
        receiver_types=list(prize.labels) if q > 1 else None,
        receiver_prior=belief,
        events=dict(zip(EVENTS, arrays[2:], strict=True)),
        players=players,
    )


def _plan_names(attacks: Sequence[AttackOption], found: Plans) -> list[str]:
    most = {x: max(j for y, j in zip(found.kinds, found.steps, strict=True) if x == y) for x in set(found.kinds)}
    return [
        attacks[x].name if most[x] == 1 else f"{attacks[x].name} ({j} of {most[x]})"
        for x, j in zip(found.kinds, found.steps, strict=True)
    ]


def _with_axis(one: Distribution) -> Distribution:
    """Return a distribution whose batch leaves room for a last axis."""

    def wide(value: Any) -> Any:
        return np.asarray(value)[..., None] if np.ndim(value) else value

    shape = {name: wide(value) for name, value in one.shape.items()}
    return Distribution(family=one.family, location=wide(one.location), scale=wide(one.scale), shape=shape)


def _labelled(values: Floats, probabilities: Floats) -> PrizeTypes:
    labels: list[str] = []
    for k in range(values.shape[-1]):
        label = f"v={values[k]:.3g}" if values.ndim == 1 else f"v in bin {k + 1}"
        labels.append(label if label not in labels else f"{label} ({k + 1})")
    return PrizeTypes(values, probabilities, tuple(labels))


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name else name

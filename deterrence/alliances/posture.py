"""What the posture tells: the signaling game between an alliance of private type and the aggressor.

Nature draws the alliance's type (firm, soft, ...) and the aggressor's value v of the prize. The alliance
picks a posture at a sunk cost; the aggressor sees the posture and its own v, never the type, and refrains or
attacks in one of several ways. What an attack would meet depends on type and posture, and comes from the
participation game. The sender's payoff in peace is minus the cost of its posture; after an attack what its
stake, its fighting and its staying out cost it comes on top. The value v is drawn from its true distribution, and the
aggressor knows it; everything else is at its own values.

The aggressor's payoffs are lines in v, at each belief about the type, so that the game is one with a continuous
receiver (``games.continuous_receiver``), solved in ``solvers.continuous_receiver``. A prize with atoms makes a finite
signaling game instead.
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
from deterrence.alliances.response import Response
from deterrence.games.continuous_receiver import ContinuousReceiverGame, ResponseEvent
from deterrence.games.distributions import Distribution, stack_last
from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.paths import Change, Overlay
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value

Floats = NDArray[np.float64]

REGRETTED = "regretted attack"
UNWANTED = "unwanted war"  # a regretted attack that is answered
UNANSWERED = "conquest without a fight"


@dataclass(frozen=True, kw_only=True, eq=False)
class AllianceType(Value):
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Posture(Value):
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


@dataclass(frozen=True, kw_only=True, eq=False)
class PostureStage(Value):
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
        Bins of equal probability of the aggressor's value v, for ``posture_game(binned=True)`` alone; 1 to 200.
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


@dataclass(frozen=True, eq=False)
class PostureOutcomes:
    """What each plan of the aggressor leads to, for each type of the alliance and each posture.

    Attributes
    ----------
    true, perceived : Plans
        Really, and as the aggressor sees it. A cell, a type with a posture, is an index of the first axis: types
        outside, postures inside.
    batch : tuple of int
        Shape of the batch behind that axis.
    """

    true: Plans
    perceived: Plans
    batch: tuple[int, ...]

    def same_whatever_follows(self, values: Floats, types: int, postures: int, responses: int) -> Floats:
        """Return values of shape (T M, ...), or without the first axis, as chances of shape (..., T, M, R)."""
        table = self.table(np.asarray(values, dtype=np.float64)[..., None], types, postures)
        return np.broadcast_to(table, (*table.shape[:-1], responses))

    def table(self, rows: Floats, types: int, postures: int) -> Floats:
        """Return rows of shape (T M, ..., L), or without the first axes, as an array of shape (..., T, M, L)."""
        cells = np.broadcast_to(rows, (types * postures, *self.batch, rows.shape[-1]))
        last = np.moveaxis(cells, 0, -2)
        return last.reshape(*self.batch, types, postures, rows.shape[-1])


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the aggressor learns from a posture that is taken.

    Attributes
    ----------
    posture : str
    probability : float
        That it is taken.
    belief : mapping of str to float
        By type, after seeing it.
    holds : mapping of str to float
        By kind of attack: the probability that the defence holds, as the aggressor sees it then. Perceived resolve.
    """

    posture: str
    probability: float
    belief: Mapping[str, float]
    holds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class PosturePlay(Value):
    """What follows in one equilibrium of the posture game.

    Attributes
    ----------
    equilibrium : Equilibrium
    pick : tuple of int
        Which equilibrium of the response, 0 the lowest, 1 the highest, follows each kind of attack.
    truth, seen : Response
        The mean over types and postures: really, and as the aggressor expects before it sees a posture.
    lessons : tuple of Lesson
    """

    equilibrium: Equilibrium
    pick: tuple[int, ...]
    truth: Response
    seen: Response
    lessons: tuple[Lesson, ...]


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
    prize: Distribution,
    outcomes: PostureOutcomes,
    sender: int | None,
    players: tuple[str, str],
    expected: Mapping[str, ResponseEvent] | None = None,
    binned: bool = False,
) -> ContinuousReceiverGame | SignalingGame:
    """Return the posture game.

    Parameters
    ----------
    stage : PostureStage
        Types, true prior, postures.
    believed_prior : ndarray, shape (..., T)
        The aggressor's prior over the types.
    attacks : sequence of AttackOption
        Their names and steps count.
    prize : Distribution
        G, distribution of the aggressor's value.
    outcomes : PostureOutcomes
        What each plan leads to, really and as the aggressor sees it.
    sender : int or None
        Index of the member whose payoff counts; None for the sum over all.
    players : pair of str
        Names of sender and receiver.
    expected : mapping of str to ResponseEvent, optional
        Further events.
    binned : bool
        Whether a continuous prize is cut into the stage's ``quantiles`` bins: a finite game that is near it.

    Returns
    -------
    ContinuousReceiverGame or SignalingGame
        The latter, with the atoms for receiver types, where the prize has atoms, and with bins for them if ``binned``.
        Responses are ``refrain`` and the aggressor's plans: an attack, or for one in steps each number of them
        (``"hybrid (2 of 5)"``). Events beside: ``attack``; each kind of attack; ``war`` (an attack that some member
        meets), ``defence holds`` and ``defence fails`` (both after an attack); ``regretted attack``, one whose payoff
        to the aggressor, given the type that there is, is below that of refraining; ``unwanted war``, a regretted one
        that is answered, and ``conquest without a fight``, one that is not. A batch where any number is one.
    """
    t, m = len(stage.types), len(stage.postures)
    true, seen = outcomes.true, outcomes.perceived

    def table(rows: Floats) -> Floats:
        return outcomes.table(np.asarray(rows, dtype=np.float64), t, m)

    def after_attack(rows: Floats) -> Floats:
        return np.concatenate([np.zeros((*rows.shape[:-1], 1)), np.clip(rows, 0.0, 1.0)], axis=-1)

    paid = true.payoffs.sum(axis=-1) if sender is None else true.payoffs[..., sender]
    sunk = stack_last([posture.cost for posture in stage.postures])[..., None, :, None]
    mine = table(paid)
    mine = np.concatenate([np.zeros((*mine.shape[:-1], 1)), mine], axis=-1) - sunk
    holds, kinds = table(true.holds), np.array(true.kinds)
    every = np.ones_like(holds)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes, costs = table(true.slopes), table(true.costs)
        level = np.where(costs < 0, -np.inf, np.inf)
        even = np.where(slopes > 0, costs / np.where(slopes > 0, slopes, 1.0), level)
    events = {
        "attack": ResponseEvent(after_attack(every)),
        **{a.name: ResponseEvent(after_attack(every * (kinds == x))) for x, a in enumerate(attacks)},
        "war": ResponseEvent(after_attack(table(true.helped))),
        "defence holds": ResponseEvent(after_attack(holds)),
        "defence fails": ResponseEvent(after_attack(1 - holds)),
        REGRETTED: ResponseEvent(after_attack(every), even),
        UNWANTED: ResponseEvent(after_attack(table(true.answered)), even),
        UNANSWERED: ResponseEvent(after_attack(1 - table(true.answered))),
        **(expected or {}),
    }
    game = ContinuousReceiverGame if prize.continuous and not binned else _finite_game
    return game(
        types=tuple(one.name for one in stage.types),
        messages=tuple(one.name for one in stage.postures),
        responses=(REFRAIN, *_plan_names(attacks, true)),
        prior=np.asarray(stage.prior),
        receiver_prior=np.asarray(believed_prior),
        sender_payoffs=mine,
        slopes=table(seen.slopes),
        costs=table(seen.costs),
        value=prize,
        events=events,
        players=players,
        **({} if game is ContinuousReceiverGame else {"quantiles": stage.quantiles}),
    )


def _finite_game(
    *,
    types: tuple[str, ...],
    messages: tuple[str, ...],
    responses: tuple[str, ...],
    prior: Floats,
    receiver_prior: Floats,
    sender_payoffs: Floats,
    slopes: Floats,
    costs: Floats,
    value: Distribution,
    events: Mapping[str, ResponseEvent],
    players: tuple[str, str],
    quantiles: int,
) -> SignalingGame:
    """Return the game with the aggressor's value at its atoms, or at the means of bins."""
    prize = prize_types(value, quantiles)
    v = prize.values[..., None, :, None, None]  # (..., T, Q, M, R)
    theirs = v * np.expand_dims(slopes, -3) - np.expand_dims(costs, -3)
    theirs = np.concatenate([np.zeros((*theirs.shape[:-1], 1)), theirs], axis=-1)
    mine = np.expand_dims(sender_payoffs, -3)
    chances = {}
    for name, event in events.items():
        chance = np.expand_dims(event.chance, -3)
        if event.below is not None:
            below = v < np.expand_dims(event.below, -3)
            below = np.concatenate([np.ones((*below.shape[:-1], 1), dtype=bool), below], axis=-1)
            chance = chance * below
        chances[name] = chance
    joint, belief = (p[..., :, None] * prize.probabilities[..., None, :] for p in (prior, receiver_prior))
    t, q, m, r = len(types), prize.values.shape[-1], len(messages), len(responses)
    arrays = [mine, theirs, *chances.values()]
    batch = np.broadcast_shapes(*(one.shape[:-4] for one in arrays), joint.shape[:-2], belief.shape[:-2])
    arrays = [np.broadcast_to(one, (*batch, t, q, m, r)) for one in arrays]
    joint, belief = (np.broadcast_to(p, (*batch, t, q)) for p in (joint, belief))
    if q == 1:
        arrays = [one[..., 0, :, :] for one in arrays]
        joint, belief = joint[..., 0], belief[..., 0]
    return SignalingGame(
        types=types,
        messages=messages,
        responses=responses,
        prior=joint,
        sender_payoffs=arrays[0],
        receiver_payoffs=arrays[1],
        receiver_types=list(prize.labels) if q > 1 else None,
        receiver_prior=belief,
        events=dict(zip(chances, arrays[2:], strict=True)),
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

r"""Signaling games whose receiver has a private value from a continuum, and payoffs linear in it.

Nature draws the sender's type t and the receiver's value v ~ G, independently. The sender sends m; the receiver sees m
and v, never t, and responds: the first response gives it 0, each other one l gives :math:`v\,b_{tml} - a_{tml}`. At a
belief :math:`\mu` over types its payoffs are lines in v with slope :math:`\sum_t \mu_t b_{tml}` and cost
:math:`\sum_t \mu_t a_{tml}`, so its best reply is their upper envelope: each response is chosen on one interval of v.
At a tie it takes the flatter line, the cheaper of parallel ones, the earlier of equal ones. As G has no atoms a tie has
probability zero, and what it does is one function :math:`P_m(\mu)` of the belief: the probabilities of the responses,
continuous wherever no two lines on the envelope coincide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.display import Display
from deterrence.games.distributions import Distribution, pick
from deterrence.games.equilibrium import Beliefs, Strategies
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.events import Event
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class ResponseEvent(Value):
    """An event of a game with a continuous receiver.

    Attributes
    ----------
    chance : ndarray, shape (..., T, M, 1 + L)
        Its probability, given type, message and response; in [0, 1].
    below : ndarray, shape (..., T, M, L), or None
        If given it happens only at values of the receiver below these, by response.
    believed : bool
        Whether types are weighted by the receiver's prior instead of the true one: what the receiver expects on average
        before it sees a message.
    """

    chance: Floats
    below: Floats | None = None
    believed: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ContinuousReceiverGame(Display, Value):
    """A signaling game whose receiver has a private value from a continuum, or a batch of such games.

    Attributes
    ----------
    types, messages, responses : tuple of str
        Labels of T types, M messages and 1 + L responses, the first of them the one that gives the receiver 0.
    prior, receiver_prior : ndarray, shape (..., T)
        True prior over the types, and the receiver's.
    sender_payoffs : ndarray, shape (..., T, M, 1 + L)
        In the sender's units.
    slopes, costs : ndarray, shape (..., T, M, L)
        b and a of each response but the first, as the receiver sees them; in its units per unit of v, and in its units.
    value : Distribution
        G; continuous. Its batch has the shape of the game's.
    events : mapping of str to ResponseEvent
        Beside the labels of messages and responses.
    players : pair of str
        Names of sender and receiver.

    Raises
    ------
    GameError
        If a shape is wrong, a number not finite, or the value has atoms.
    """

    types: tuple[str, ...]
    messages: tuple[str, ...]
    responses: tuple[str, ...]
    prior: Floats
    receiver_prior: Floats
    sender_payoffs: Floats
    slopes: Floats
    costs: Floats
    value: Distribution
    events: Mapping[str, ResponseEvent] = field(default_factory=dict)
    players: tuple[str, str] = ("Sender", "Receiver")

    def __post_init__(self) -> None:
        if not self.value.continuous:
            raise GameError(
                f"the receiver's value must have a continuous distribution, got {self.value.family}; a value with "
                "atoms makes a finite SignalingGame with receiver types"
            )
        t, m, r = len(self.types), len(self.messages), len(self.responses)
        if not (t and m and r):
            raise GameError("a game needs types, messages and responses")
        shapes = {
            "prior": (t,), "receiver_prior": (t,), "sender_payoffs": (t, m, r), "slopes": (t, m, r - 1),
            "costs": (t, m, r - 1),
        }  # fmt: skip
        for name, shape in shapes.items():
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if array.shape[-len(shape) :] != shape:
                raise GameError(f"{name} must have the shape (..., {', '.join(map(str, shape))}), got {array.shape}")
            if not np.isfinite(array).all():
                raise GameError(f"{name} must be finite, got {array[~np.isfinite(array)][0]:g}")
            object.__setattr__(self, name, array)
        for name in ("prior", "receiver_prior"):
            p = getattr(self, name)
            if (p < 0).any() or (np.abs(p.sum(axis=-1) - 1) > 1e-9).any():
                raise GameError(f"{name} must hold probabilities that sum to 1, got {p}")

    @property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of the numbers, broadcast."""
        return np.broadcast_shapes(
            self.prior.shape[:-1], self.receiver_prior.shape[:-1], self.sender_payoffs.shape[:-3],
            self.slopes.shape[:-3], self.costs.shape[:-3], self.value.batch_shape,
        )  # fmt: skip

    def __getitem__(self, index: Any) -> ContinuousReceiverGame:
        """Return one game of a batch."""
        batch = self.batch_shape

        def take(array: Floats, core: int) -> Floats:
            return np.asarray(np.broadcast_to(array, (*batch, *array.shape[array.ndim - core :]))[index])

        events = {
            name: ResponseEvent(take(e.chance, 3), None if e.below is None else take(e.below, 3), e.believed)
            for name, e in self.events.items()
        }
        numbers = {"prior": 1, "receiver_prior": 1, "sender_payoffs": 3, "slopes": 3, "costs": 3}
        changed: dict[str, Any] = {name: take(getattr(self, name), core) for name, core in numbers.items()}
        return replace(self, **changed, events=events, value=pick(self.value, batch, index))

    def event(self, name: Event) -> ResponseEvent:
        """Return an event: a named one, or that a message is sent or a response chosen.

        Raises
        ------
        GameError
            If it is not known, or a function: the paths of this game are no finite list.
        """
        if not isinstance(name, str):
            raise GameError("the receiver has a continuum of types, so events are named; got a function of a path")
        if name in self.events:
            return self.events[name]
        known = [*self.events, *self.messages, *self.responses]
        if name not in known:
            hint = did_you_mean(name, known)
            raise GameError(f"no event {name!r} in this game; it has {', '.join(map(repr, known))}{hint}")
        chance = np.zeros((len(self.types), len(self.messages), len(self.responses)))
        if name in self.responses:
            chance[..., self.responses.index(name)] = 1.0
        else:
            chance[:, self.messages.index(name), :] = 1.0
        return ResponseEvent(chance)

    def lines(self, beliefs: Floats) -> tuple[Floats, Floats]:
        """Return slopes and costs, shape (..., M, L), at beliefs of shape (..., M, T), one for each message."""
        weights = np.asarray(beliefs)
        return tuple(np.einsum("...mt,...tml->...ml", weights, each) for each in (self.slopes, self.costs))

    def event_probability(self, sender: Floats, beliefs: Floats, name: Event) -> Floats:
        """Return the probability of an event, shape (...).

        Parameters
        ----------
        sender : ndarray, shape (..., T, M)
            Probability of each message, by type.
        beliefs : ndarray, shape (..., M, T)
            The receiver's, after each message.
        name : str
        """
        event = self.event(name)
        lower, upper = chosen_intervals(*self.lines(beliefs))
        upper = np.maximum(lower, upper)
        taken = _measure(self.value, lower, upper)  # (..., M, L)
        chance = event.chance
        first = chance[..., 0] * (1 - taken.sum(axis=-1))[..., None, :]
        if event.below is None:
            counted = np.broadcast_to(taken[..., None, :, :], (*first.shape, taken.shape[-1]))
        else:
            low, high = (np.expand_dims(one, -3) for one in (lower, upper))
            counted = _measure(self.value, low, np.maximum(low, np.minimum(high, event.below)), 3)
        given = first + (chance[..., 1:] * counted).sum(axis=-1)  # (..., T, M)
        prior = self.receiver_prior if event.believed else self.prior
        return np.asarray((prior[..., :, None] * sender * given).sum(axis=(-2, -1)))

    def response_probabilities(self, beliefs: Floats) -> Floats:
        """Return P_m at beliefs of shape (..., M, T): the probability of each response, shape (..., M, 1 + L)."""
        lower, upper = chosen_intervals(*self.lines(beliefs))
        taken = _measure(self.value, lower, np.maximum(lower, upper))
        return np.concatenate([1 - taken.sum(axis=-1, keepdims=True), taken], axis=-1)

    def __repr__(self) -> str:
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        return (
            f"ContinuousReceiverGame({len(self.types)} types, {len(self.messages)} messages, "
            f"{len(self.responses)} responses, {self.value.family} value{batch})"
        )

    def __str__(self) -> str:
        return (
            f"signaling game: {self.players[0]} of type {', '.join(self.types)} sends {', '.join(self.messages)}; "
            f"{self.players[1]}, with a private value that is {self.value.family}, responds {', '.join(self.responses)}"
        )


@dataclass(frozen=True, eq=False)
class ContinuousReceiverProfile:
    """What sender and receiver of such a game do and believe.

    Attributes
    ----------
    sender : ndarray, shape (T, M)
        Probability of each message, by type.
    belief : ndarray, shape (M, T)
        Belief about the type after each message. Of a message that nobody sends: one of ``supporting``.
    supporting : mapping of str to tuple of pair of float
        By message that nobody sends: every belief that keeps all types from it, as intervals of the probability of the
        first type; empty if there are not two types.
    """

    sender: Floats
    belief: Floats
    supporting: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)

    def strategies(self, game: ContinuousReceiverGame) -> Strategies:
        """Return probabilities by player, type or message, and action; the receiver's are the mean over its value."""
        replies = game.response_probabilities(self.belief)
        return {
            game.players[0]: _table(game.types, game.messages, self.sender),
            game.players[1]: _table(game.messages, game.responses, replies),
        }

    def beliefs(self, game: ContinuousReceiverGame) -> Beliefs:
        """Return beliefs over types, by message."""
        return _table(game.messages, game.types, self.belief)

    def payoffs(self, game: ContinuousReceiverGame) -> Mapping[str, Any]:
        """Return expected payoffs under the true prior; the receiver's at the values that it holds."""
        weights = game.prior[:, None] * self.sender
        replies = game.response_probabilities(self.belief)
        slopes, costs = game.lines(self.belief)
        lower, upper = chosen_intervals(slopes, costs)
        upper = np.maximum(lower, upper)
        with np.errstate(invalid="ignore"):
            means = _partial_mean(game.value, upper) - _partial_mean(game.value, lower)
        taken = replies[:, 1:]
        means = np.where(taken > 0, means, 0.0)
        gains = game.slopes * means - game.costs * taken
        return {
            game.players[0]: float((weights[..., None] * game.sender_payoffs * replies).sum()),
            game.players[1]: float((weights[..., None] * gains).sum()),
        }

    def type_payoffs(self, game: ContinuousReceiverGame) -> dict[str, float]:
        """Return each type's expected payoff."""
        given = (game.sender_payoffs * game.response_probabilities(self.belief)).sum(axis=-1)
        return dict(zip(game.types, (self.sender * given).sum(axis=-1).tolist(), strict=True))

    def probability(self, game: ContinuousReceiverGame, event: Event) -> float:
        """Return the probability of an event under the true prior."""
        return float(game.event_probability(self.sender, self.belief, event))


def chosen_intervals(slopes: Floats, costs: Floats) -> tuple[Floats, Floats]:
    """Return where each line v b - a is on the upper envelope of all of them and of 0.

    Parameters
    ----------
    slopes, costs : ndarray, shape (..., L)
        b and a.

    Returns
    -------
    lower, upper : ndarray, shape (..., L)
        A line is chosen iff lower < v <= upper; never where lower >= upper. At a tie the flatter line is, then the
        cheaper, then the earlier; the line 0 before all of them.
    """
    slopes, costs = np.broadcast_arrays(slopes, costs)
    level = np.where(costs < 0, -np.inf, np.inf)  # what a line that never rises is worth
    lower = np.where(slopes > 0, costs / np.where(slopes > 0, slopes, 1.0), level)
    upper = np.full_like(slopes, np.inf)
    rank = np.arange(slopes.shape[-1])
    for x in rank:
        b, a = slopes[..., x, None], costs[..., x, None]
        rise = b - slopes
        cross = (a - costs) / np.where(rise == 0, 1.0, rise)
        better = (costs < a) | ((costs == a) & (rank < x))
        above = np.where(rise > 0, cross, np.where((rise == 0) & better, np.inf, -np.inf))
        lower[..., x] = np.maximum(lower[..., x], above.max(axis=-1))
        upper[..., x] = np.where(rise < 0, cross, np.inf).min(axis=-1)
    return lower, upper


def _measure(value: Distribution, lower: Floats, upper: Floats, core: int = 2) -> Floats:
    """Return the probability of values between bounds, whose last ``core`` axes are none of the batch."""
    wide = _widened(value, core)
    return np.asarray(wide.cdf(upper) - wide.cdf(lower))


def _partial_mean(value: Distribution, bound: Floats) -> Floats:
    """Return E[v 1{v <= bound}], for infinite bounds too."""
    finite = np.isfinite(bound)
    inside = value.partial_mean(np.where(finite, bound, 0.0))
    return np.where(finite, inside, np.where(bound > 0, value.mean(), 0.0))


def _widened(value: Distribution, axes: int) -> Distribution:
    """Return a distribution whose batch leaves room for further axes at the end."""
    if not value.batch_shape:
        return value

    def wide(number: Any) -> Any:
        return np.asarray(number)[(..., *(None,) * axes)] if np.ndim(number) else number

    return Distribution(
        family=value.family,
        location=wide(value.location),
        scale=wide(value.scale),
        shape={name: wide(number) for name, number in value.shape.items()},
    )


def _table(rows: Sequence[str], columns: Sequence[str], numbers: Floats) -> dict[Any, dict[str, Any]]:
    return {row: dict(zip(columns, values, strict=True)) for row, values in zip(rows, numbers.tolist(), strict=True)}

"""Signaling games: a privately informed sender, a message, a response by a receiver that may have types too.

Nature draws the sender's type t and the receiver's type q. The sender learns t and sends a message m; the receiver
sees m and its own q (never t) and responds with r. Payoffs are ``u(t, q, m, r)`` and ``v(t, q, m, r)``. Either player
may hold a prior that is not the true one; both priors are then known to both ("agreeing to disagree"), and the true
``prior`` is what outcome probabilities are computed with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.display import Display
from deterrence.games.errors import GameError
from deterrence.games.events import Event, resolve_event
from deterrence.games.formulas import signaling_latex
from deterrence.games.immutable import Immutable
from deterrence.games.quantities import (
    Array,
    Kind,
    array_of,
    as_exact,
    as_float,
    cast_alike,
    check_distribution,
    check_names,
    exact_distribution,
    kind_of,
    parameter_names,
    substitute,
)
from deterrence.games.services import service
from deterrence.games.tables import pre

if TYPE_CHECKING:
    from deterrence.games.extensive import ExtensiveGame

SENDER, RECEIVER = "Sender", "Receiver"


class SignalingGame(Immutable, Display):
    """A finite signaling game, or a batch of games of one shape.

    Parameters
    ----------
    types, messages, responses : sequence of str
        Labels of the T sender types, M messages and R responses; all distinct within a list.
    prior : array_like, shape (..., T) or (..., T, Q)
        True distribution of types (joint with the receiver's types); sums to one within 1e-12.
    sender_payoffs, receiver_payoffs : array_like, shape (..., T, M, R) or (..., T, Q, M, R)
        Payoffs, in each player's own units. Floats, exact rationals (``Fraction``, SymPy rationals, ``"1/3"``) or SymPy
        expressions in parameters; leading batch dimensions need floats.
    receiver_types : sequence of str, optional
        Labels of the Q receiver types. If given, ``prior`` has shape (..., T, Q); payoffs may leave out the Q axis
        only when they have no batch dimensions.
    sender_prior, receiver_prior : array_like, optional
        What each player believes, of the same shape as ``prior`` (the default).
    events : mapping of str to array_like, optional
        Named events: the probability of each, given (type, [receiver type,] message, response).
    players : pair of str
        Names of sender and receiver.

    Raises
    ------
    GameError
        If a shape, label, payoff or prior is wrong; the message names it.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[0.9, 0.1],
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> game.shape
    (2, 1, 2, 2)
    """

    def __init__(
        self,
        types: Sequence[str],
        messages: Sequence[str],
        responses: Sequence[str],
        prior: object,
        sender_payoffs: object,
        receiver_payoffs: object,
        receiver_types: Sequence[str] | None = None,
        sender_prior: object = None,
        receiver_prior: object = None,
        *,
        events: Mapping[str, object] | None = None,
        players: tuple[str, str] = (SENDER, RECEIVER),
    ) -> None:
        self.types = _labels(types, "types")
        self.messages = _labels(messages, "messages")
        self.responses = _labels(responses, "responses")
        self.receiver_types = None if receiver_types is None else _labels(receiver_types, "receiver_types")
        names = _labels(players, "players")
        if len(names) != 2:
            raise GameError(f"a signaling game has two players, got {len(names)}: {list(names)}")
        self.players = (names[0], names[1])
        self.prior = self._distribution(prior, "prior")
        self.sender_prior = self.prior if sender_prior is None else self._distribution(sender_prior, "sender_prior")
        self.receiver_prior = (
            self.prior if receiver_prior is None else self._distribution(receiver_prior, "receiver_prior")
        )
        self.sender_payoffs = self._table(sender_payoffs, "sender_payoffs")
        self.receiver_payoffs = self._table(receiver_payoffs, "receiver_payoffs")
        self.events = {name: self._table(values, f"event {name!r}") for name, values in (events or {}).items()}
        for name, values in self.events.items():
            if kind_of(values) != "symbolic" and bool(((values < 0) | (values > 1 + 1e-12)).any()):
                raise GameError(f"event {name!r} must hold probabilities in [0, 1]")
        self.batch_shape = self._batch_shape()
        settled = cast_alike(self._arrays(), batch=bool(self.batch_shape))
        for key in _ARRAYS:
            setattr(self, key, settled[key])
        self.events = {name: settled[f"event:{name}"] for name in self.events}
        if self.batch_shape and self.kind != "float":
            raise GameError("a batch of games needs floats; solve exact or symbolic games one at a time")
        self._freeze()

    # -- shape and kind ------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Numbers of sender types, receiver types, messages and responses: (T, Q, M, R)."""
        q = 1 if self.receiver_types is None else len(self.receiver_types)
        return len(self.types), q, len(self.messages), len(self.responses)

    @cached_property
    def kind(self) -> Kind:
        """``"float"``, ``"exact"`` (some rationals, no symbols) or ``"symbolic"``."""
        kinds = {kind_of(a) for a in self._arrays().values()}
        return "symbolic" if "symbolic" in kinds else "exact" if "exact" in kinds else "float"

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Sorted names of the symbols in payoffs, priors and events."""
        return parameter_names(self._arrays().values())

    def __eq__(self, other: object) -> bool:
        """Whether labels and numbers are the same."""
        if not isinstance(other, SignalingGame):
            return NotImplemented
        mine, theirs = self._arrays(), other._arrays()
        return self._key() == other._key() and all(
            key in theirs and np.array_equal(a, theirs[key]) for key, a in mine.items()
        )

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        t, q, m, r = self.shape
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        parameters = f", parameters {', '.join(self.parameters)}" if self.parameters else ""
        by = f" x {q} receiver types" if self.receiver_types else ""
        return f"SignalingGame({t} types{by} x {m} messages x {r} responses{batch}{parameters})"

    # -- the same game, otherwise ----------------------------------------------------------------------------------

    def at(self, **values: object) -> SignalingGame:
        """Return the game with numbers for its parameters; array values make a batch.

        Raises
        ------
        ParameterError
            If a name is unknown or missing.
        """
        check_names(values, self.parameters, "this game")
        if not self.parameters:
            return self
        arrays = self._arrays()
        mine = {
            key: substitute(array, {n: values[n] for n in parameter_names([array])}, key)
            for key, array in arrays.items()
        }
        return self._with(mine)

    def exact(self) -> SignalingGame:
        """Return the game in rational arithmetic; a float counts as the decimal that it prints as.

        Probabilities that then miss one are divided by their sum.
        """
        return self._exact

    @cached_property
    def _exact(self) -> SignalingGame:
        self.require_numbers()
        if self.kind == "exact" and all(kind_of(a) == "exact" for a in self._arrays().values()):
            return self
        core = 1 if self.receiver_types is None else 2
        arrays, made = self._arrays(), dict[int, Array]()  # one prior may stand for all three
        for key, array in arrays.items():
            if id(array) not in made:
                made[id(array)] = exact_distribution(array, core) if key.endswith("prior") else as_exact(array)
        return self._with({key: made[id(array)] for key, array in arrays.items()})

    def with_payoffs(self, sender_payoffs: object, receiver_payoffs: object) -> SignalingGame:
        """Return the game with other payoffs, priors and events unchanged."""
        return self._with({**self._arrays(), "sender_payoffs": sender_payoffs, "receiver_payoffs": receiver_payoffs})

    def floats(self) -> SignalingGame:
        """Return the game in float64."""
        self.require_numbers()
        return self if self.kind == "float" else self._with({k: as_float(a) for k, a in self._arrays().items()})

    def require_numbers(self) -> None:
        """Raise GameError if parameters have no values yet."""
        if self.parameters:
            raise GameError(
                f"the game has free parameters {', '.join(self.parameters)}; give their values in at={{...}}"
            )

    def __getitem__(self, index: int | tuple[int, ...]) -> SignalingGame:
        """Return one game of a batch."""
        if not self.batch_shape:
            raise GameError("the game is no batch, so it cannot be indexed")
        index = index if isinstance(index, tuple) else (index,)
        return self._with(
            {
                k: np.broadcast_to(a, self.batch_shape + a.shape[-self._rank(k) :])[index]
                for k, a in self._arrays().items()
            }
        )

    # -- arrays for solvers: a Q axis is always there -----------------------------------------------------------------

    @cached_property
    def U(self) -> Array:
        """Sender's payoffs, shape (..., T, Q, M, R)."""
        return self._with_q(self.sender_payoffs)

    @cached_property
    def V(self) -> Array:
        """Receiver's payoffs, shape (..., T, Q, M, R)."""
        return self._with_q(self.receiver_payoffs)

    @cached_property
    def joint_prior(self) -> Array:
        """True prior, shape (..., T, Q)."""
        return self._joint(self.prior)

    @cached_property
    def sender_joint(self) -> Array:
        """Sender's prior, shape (..., T, Q)."""
        return self._joint(self.sender_prior)

    @cached_property
    def receiver_joint(self) -> Array:
        """Receiver's prior, shape (..., T, Q)."""
        return self._joint(self.receiver_prior)

    @cached_property
    def sender_view(self) -> Array:
        """What each sender type thinks of the receiver's type, shape (..., T, Q): rows sum to one.

        By Bayes' rule from the sender's prior; a type that this prior rules out uses the marginal over receiver types.
        """
        return _conditional(self.sender_joint, axis=-1)

    @cached_property
    def receiver_view(self) -> Array:
        """What each receiver type thinks of the sender before any message, shape (..., T, Q): columns sum to one.

        By Bayes' rule from the receiver's prior; a type that this prior rules out uses the marginal over sender types.
        """
        return _conditional(self.receiver_joint, axis=-2)

    # -- what a profile means -------------------------------------------------------------------------------------

    def event_weights(self, event: Event) -> Array:
        """Probability of an event given (type, receiver type, message, response), shape (..., T, Q, M, R).

        Raises
        ------
        GameError
            If the event is not known; the message lists the known ones.
        """
        if isinstance(event, str) and event in self.events:
            return self._with_q(self.events[event])
        lists = (self.types, self.receiver_types or (), self.messages, self.responses)
        if isinstance(event, str) and sum(event in labels for labels in lists) > 1:
            raise GameError(
                f"event {event!r} is the label of two things in this game; ask by a predicate over the path"
            )
        q_labels = [None] if self.receiver_types is None else list(self.receiver_types)
        happens = resolve_event(event, self.event_names)
        weights = np.zeros(self.shape)
        for (t, q, m, r), _ in np.ndenumerate(weights):
            middle = q_labels[q]
            path = (self.types[t], *(() if middle is None else (middle,)), self.messages[m], self.responses[r])
            weights[t, q, m, r] = happens(path)
        return weights

    @property
    def event_names(self) -> tuple[str, ...]:
        """Every label that can be asked for as an event."""
        return tuple(
            dict.fromkeys((*self.events, *self.responses, *self.messages, *self.types, *(self.receiver_types or ())))
        )

    def outcome(self, sender: Array, receiver: Array) -> Array:
        """Probability of each (t, q, m, r) under the true prior, shape (..., T, Q, M, R).

        Parameters
        ----------
        sender : ndarray, shape (..., T, M)
        receiver : ndarray, shape (..., Q, M, R)
        """
        joint: Array = (
            self.joint_prior[..., :, :, None, None] * sender[..., :, None, :, None] * receiver[..., None, :, :, :]
        )
        return joint

    def to_extensive(self) -> ExtensiveGame:
        """Return the game as a tree (labels and events of a single game; no separate priors)."""
        tree: ExtensiveGame = service("signaling to tree")(self)
        return tree

    def _repr_html_(self) -> str:
        return pre(repr(self)) if self.batch_shape else str(service("draw")(self)._repr_html_())

    def _repr_svg_(self) -> str:
        return "" if self.batch_shape else str(service("draw")(self).svg())

    def _repr_latex_(self) -> str:
        return signaling_latex(self)

    # -- private ----------------------------------------------------------------------------------------------------

    def _arrays(self) -> dict[str, Array]:
        named = {key: getattr(self, key) for key in _ARRAYS}
        return {**named, **{f"event:{name}": values for name, values in self.events.items()}}

    def _key(self) -> tuple[object, ...]:
        return self.types, self.receiver_types, self.messages, self.responses, self.players, tuple(self.events)

    def _rank(self, key: str) -> int:
        extra = 0 if self.receiver_types is None else 1
        return (1 if key.endswith("prior") else 3) + extra

    def _with(self, arrays: Mapping[str, Any]) -> SignalingGame:
        named = {key: value for key, value in arrays.items() if not key.startswith("event:")}
        events = {key.removeprefix("event:"): value for key, value in arrays.items() if key.startswith("event:")}
        return SignalingGame(
            self.types, self.messages, self.responses,
            receiver_types=self.receiver_types, events=events, players=self.players, **named,
        )  # fmt: skip

    def _joint(self, prior: Array) -> Array:
        return prior[..., None] if self.receiver_types is None else prior

    def _with_q(self, table: Array) -> Array:
        return table[..., :, None, :, :] if self.receiver_types is None else table

    def _distribution(self, values: object, what: str) -> Array:
        t, q, _, _ = self.shape
        array = array_of(values, what)
        core = (t,) if self.receiver_types is None else (t, q)
        if array.shape[-len(core) :] != core:
            raise GameError(f"{what} must have shape (..., {', '.join(map(str, core))}), got {array.shape}")
        check_distribution(array, what, axes=len(core))
        return array

    def _table(self, values: object, what: str) -> Array:
        t, q, m, r = self.shape
        array = array_of(values, what)
        core = (t, m, r) if self.receiver_types is None else (t, q, m, r)
        if self.receiver_types is not None and array.shape == (t, m, r):
            array = np.ascontiguousarray(np.broadcast_to(array[:, None], core))
            array.setflags(write=False)
        if array.shape[-len(core) :] != core:
            raise GameError(f"{what} must have shape (..., {', '.join(map(str, core))}), got {array.shape}")
        return array

    def _batch_shape(self) -> tuple[int, ...]:
        leading = {key: array.shape[: array.ndim - self._rank(key)] for key, array in self._arrays().items()}
        try:
            return np.broadcast_shapes(*leading.values())
        except ValueError:
            raise GameError(f"batch dimensions do not agree: {leading}") from None


_ARRAYS = ("prior", "sender_payoffs", "receiver_payoffs", "sender_prior", "receiver_prior")


def _labels(values: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise GameError(f"{what} must be a sequence of labels, got {values!r}")
    labels = tuple(values)
    if not labels:
        raise GameError(f"{what} must hold at least one label, got none")
    for label in labels:
        if not isinstance(label, str) or not label:
            raise GameError(f"{what} must be non-empty strings, got {type(label).__name__} {label!r}")
        if labels.count(label) > 1:
            raise GameError(f"{what} must be distinct, got {label!r} twice")
    return labels


def _conditional(joint: Array, axis: int) -> Array:
    total = joint.sum(axis=axis, keepdims=True)
    marginal = joint.sum(axis=-1 if axis == -2 else -2, keepdims=True)
    if joint.dtype == object and kind_of(joint) == "symbolic":
        symbolic: Array = joint / total
        return symbolic
    empty = total == 0
    safe = np.where(empty, total + 1, total)
    view: Array = np.where(empty, np.broadcast_to(marginal, joint.shape), joint / safe)
    return view

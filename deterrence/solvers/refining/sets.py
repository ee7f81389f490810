"""What may follow a message that nobody sends: best replies to a set of beliefs, as exact polytopes.

The belief simplex is cut by the receiver's indifferences into regions; over each, some set of responses (a
*face*) is optimal at once, and every mixture of them is a best reply. So the mixed best replies to a set of
beliefs, ``MBR(beliefs, m)``, are a finite union of polytopes: the mixtures over each maximal face. The
sender's payoffs are linear on each. All questions below are linear programs in rational arithmetic; floats
enter as the exact rationals that they are, and a comparison of floats allows a slack.

With receiver types the response is a vector, one distribution for each type q. The types see the same
message, so their beliefs are tied: ``mu_q(t)`` is proportional to ``P(t|q) l(t)`` with the same likelihoods
``l`` of the message for all q. Optimality is then linear in ``l``, and a face is a set of pairs (q, r) that
are optimal at the same ``l``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.quantities import SUM_TOLERANCE, Array
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.rational_lp import Constraint, minimise

Face: TypeAlias = frozenset[int]
Types: TypeAlias = frozenset[int]
Outcome: TypeAlias = tuple[Fraction, ...]  # what each sender type gets in equilibrium
Polytope: TypeAlias = tuple[tuple[Fraction, ...], ...]  # a set of beliefs, by its vertices
Beliefs: TypeAlias = tuple[Polytope, ...]  # an intersection of such sets

MAX_SETS = 20_000  # linear programs that one message may need before we say that it is too large


@dataclass
class UnsentMessage:
    """The responses to one unsent message and what they mean to sender and receiver.

    Attributes
    ----------
    message : int
    gains : list, [e][t]
        What the pair e = (q, r) adds to type t's expected payoff, ``P(q|t) u(t,q,m,r)``.
    values : list, [e][t]
        The receiver's payoff from e against type t, weighted with ``P(t|q)`` where beliefs are likelihoods.
    groups : list of list of int
        The pairs of each receiver type.
    prior : tuple of Fraction, length T
        What a belief is when all types are equally likely to have sent the message.
    slack_sender, slack_receiver : Fraction
        Payoff differences that count as none; 0 for exact games.
    """

    message: int
    gains: list[list[Fraction]]
    values: list[list[Fraction]]
    groups: list[list[int]]
    prior: tuple[Fraction, ...]
    slack_sender: Fraction
    slack_receiver: Fraction
    asked: set[tuple[Face, Types, Types]] = field(default_factory=set)
    _faces: dict[Beliefs, list[Face]] = field(default_factory=dict)

    @property
    def types(self) -> Types:
        """All sender types."""
        return frozenset(range(len(self.prior)))

    def simplex(self, types: Types) -> Beliefs:
        """Return all beliefs on some types."""
        return (tuple(self.belief_given(frozenset({t})) for t in sorted(types)),)

    def belief_given(self, types: Types) -> tuple[Fraction, ...]:
        """Return the belief when exactly these types send the message, all with the same probability."""
        total = sum((self.prior[t] for t in types), Fraction(0))
        if len(types) == 1:
            return tuple(Fraction(int(t in types)) for t in range(len(self.prior)))
        return tuple(self.prior[t] / total if t in types else Fraction(0) for t in range(len(self.prior)))

    # -- best replies ----------------------------------------------------------------------------------------

    def faces(self, beliefs: Beliefs) -> list[Face]:
        """Return the maximal sets of pairs (q, r) that are all optimal at some belief of a set.

        Raises
        ------
        GameError
            If there are more than ``MAX_SETS`` sets to look at.
        """
        if beliefs not in self._faces:
            found: set[Face] = set()
            self._grow(frozenset(), tuple(range(len(self.gains))), beliefs, found, [0])
            self._faces[beliefs] = sorted((f for f in found if not any(f < g for g in found)), key=sorted)
        return self._faces[beliefs]

    def _grow(self, inside: Face, rest: tuple[int, ...], beliefs: Beliefs, found: set[Face], looked: list[int]) -> None:
        if any(inside.union(rest) <= face for face in found):
            return
        looked[0] += 1
        if looked[0] > MAX_SETS:
            raise GameError(
                f"message {self.message} has more than {MAX_SETS} sets of {len(self.gains)} responses to look at; "
                "the game is too large to decide the refinement exactly"
            )
        tied = self._tied(inside, beliefs)
        if tied is None:
            return
        found.add(tied)
        for i, e in enumerate(rest):
            self._grow(inside | {e}, rest[i + 1 :], beliefs, found, looked)

    def _tied(self, inside: Face, beliefs: Beliefs) -> Face | None:
        """All pairs optimal at some belief at which the given ones are; None if there is no such belief."""
        corners = [corner for polytope in beliefs for corner in polytope]
        first = len(beliefs[0])
        at_corner = [[_dot(value, corner) for corner in corners[:first]] for value in self.values]
        n = len(corners) + 1  # weights of the corners, then the slack to be made least
        rows: list[Constraint] = []
        for group in self.groups:
            for e in inside.intersection(group):
                for other in group:
                    if other != e:
                        row = [x - y for x, y in zip(at_corner[other], at_corner[e], strict=True)]
                        rows.append(([*row, *[Fraction(0)] * (n - 1 - first), Fraction(-1)], 0))
        best = minimise([0] * (n - 1) + [1], at_most=rows, equal=_weights(beliefs, n))
        if best is None or best[0] > self.slack_receiver:
            return None
        score = [_dot(values, best[1][:first]) for values in at_corner]
        top = {e: max(score[other] for other in group) for group in self.groups for e in group}
        return inside | {e for e in range(len(score)) if score[e] >= top[e] - self.slack_receiver}

    # -- what the sender's types make of them ----------------------------------------------------------------

    def reachable(self, face: Face, outcome: Outcome, at_least: Types, at_most: Types) -> bool:
        """Return whether some mixture over a face gives these types at least, those at most, what they have."""
        self.asked.add((face, at_least, at_most))
        slack = self.slack_sender
        if any(self.most(face, t) < outcome[t] - slack for t in at_least):
            return False
        if any(self.least(face, t) > outcome[t] + slack for t in at_most):
            return False
        return (
            minimise([0] * len(face), *self._mixture(face, (outcome,), at_least, at_most, width=len(face))) is not None
        )

    def interval(
        self, face: Face, ends: tuple[Outcome, Outcome], at_least: Types, at_most: Types
    ) -> tuple[Fraction, Fraction] | None:
        """Return the share of the second of two outcomes for which ``reachable`` holds: lowest and highest, or None."""
        n = len(face) + 2
        program = self._mixture(face, ends, at_least, at_most, width=n)
        low = minimise([0] * (n - 1) + [1], *program)
        high = minimise([0] * (n - 1) + [-1], *program)
        return None if low is None or high is None else (low[0], -high[0])

    def ever(self, face: Face, corners: Sequence[Outcome], at_least: Types, at_most: Types) -> bool:
        """Return whether ``reachable`` holds for some outcome in the hull of some corners."""
        n = len(face) + len(corners)
        return minimise([0] * n, *self._mixture(face, corners, at_least, at_most, width=n)) is not None

    def least_gain(
        self, face: Face, outcome: Outcome, among: Types, at_least: Types = frozenset(), break_even: Types = frozenset()
    ) -> Fraction | None:
        """Return the least that the best-off of some types gains where others gain or break even; None if nowhere."""
        n = len(face) + 2
        rows, equal = self._mixture(face, (outcome,), at_least | break_even, break_even, width=n)
        order = sorted(face)
        for t in among:  # the last two columns are the gain, split into its positive and its negative part
            rows.append(([*(self.gains[e][t] for e in order), Fraction(-1), Fraction(1)], outcome[t]))
        best = minimise([0] * len(face) + [1, -1], rows, equal)
        return None if best is None else best[0]

    def most(self, face: Face, t: int) -> Fraction:
        """Return type t's highest payoff over a face."""
        return sum((max(self.gains[e][t] for e in face.intersection(g)) for g in self.groups), Fraction(0))

    def least(self, face: Face, t: int) -> Fraction:
        """Return type t's lowest payoff over a face."""
        return sum((min(self.gains[e][t] for e in face.intersection(g)) for g in self.groups), Fraction(0))

    def _mixture(
        self, face: Face, outcomes: Sequence[Outcome], at_least: Types, at_most: Types, width: int
    ) -> tuple[list[Constraint], list[Constraint]]:
        """Rows of the mixtures over a face (and over outcomes, if several) that satisfy the inequalities."""
        order = sorted(face)
        several = len(outcomes) > 1
        tail = width - len(order) - (len(outcomes) if several else 0)
        rows: list[Constraint] = []
        for types, sign in ((at_least, -1), (at_most, 1)):
            for t in sorted(types):
                row = [sign * self.gains[e][t] for e in order]
                row += [-sign * outcome[t] for outcome in outcomes] if several else []
                bound = self.slack_sender + (0 if several else sign * outcomes[0][t])
                rows.append((row + [Fraction(0)] * tail, bound))
        equal: list[Constraint] = [
            ([int(e in group) for e in order] + [0] * (width - len(order)), 1) for group in self.groups
        ]
        if several:
            equal.append(([0] * len(order) + [1] * len(outcomes) + [0] * tail, 1))
        return rows, equal


def unsent_messages(game: SignalingGame, sender: Array, tolerance: Fraction) -> list[UnsentMessage]:
    """Return the messages that the receiver does not expect, ready for questions.

    Parameters
    ----------
    game : SignalingGame
        One game with numbers.
    sender : ndarray, shape (T, M)
        The sender's strategy (in the relative interior of a component).
    tolerance : Fraction
        Relative to a player's payoff span; 0 for exact games.

    Raises
    ------
    GameError
        If some receiver types expect a message and others do not, or receiver types rule out sender types
        unlike each other: beliefs then have no common origin.
    """
    t, q, _, _ = game.shape
    view = _rational(game.receiver_view)
    tied = any(
        view[i, 0] != view[i, j] and abs(view[i, 0] - view[i, j]) > SUM_TOLERANCE for i in range(t) for j in range(q)
    )
    if tied and any(x <= 0 for x in view.ravel()):
        raise GameError(
            "receiver types rule out different sender types, so their beliefs after an unsent message have no "
            "common origin; refinements need a receiver's prior that is positive or independent of the receiver's type"
        )
    # what was worked out for a message serves all equilibria and refinements of a game; what was asked does not
    return [replace(_tables(game, m, tolerance, tied), asked=set()) for m in _unexpected(game, view, sender)]


@lru_cache(maxsize=16)  # games of one shape share a hash
def _tables(game: SignalingGame, message: int, tolerance: Fraction, tied: bool) -> UnsentMessage:
    types, q_types, _, responses = game.shape
    u, v, view, chances = (_rational(x) for x in (game.U, game.V, game.receiver_view, game.sender_view))
    pairs = [(q, r) for q in range(q_types) for r in range(responses)]
    return UnsentMessage(
        message=message,
        gains=[[chances[t, q] * u[t, q, message, r] for t in range(types)] for q, r in pairs],
        values=[[(view[t, q] if tied else 1) * v[t, q, message, r] for t in range(types)] for q, r in pairs],
        groups=[[q * responses + r for r in range(responses)] for q in range(q_types)],
        prior=tuple(Fraction(1) if tied else view[t, 0] for t in range(types)),
        slack_sender=slack(u, tolerance),
        slack_receiver=slack(v, tolerance),
    )


def slack(payoffs: Array, tolerance: Fraction) -> Fraction:
    """Return the difference of payoffs that counts as none: a share of their span."""
    return tolerance * (Fraction(payoffs.max()) - Fraction(payoffs.min())) if tolerance else Fraction(0)


def _unexpected(game: SignalingGame, view: Array, sender: Array) -> list[int]:
    strategy = _rational(sender)
    result = []
    for m, label in enumerate(game.messages):
        expected = [sum(view[:, q] * strategy[:, m]) > SUM_TOLERANCE for q in range(view.shape[1])]
        if any(expected) and not all(expected):
            raise GameError(
                f"message {label!r} is expected by some receiver types and not by others; "
                "refinements are defined for messages that none expects"
            )
        if not any(expected):
            result.append(m)
    return result


def _rational(array: Array) -> Array:
    result = np.empty(array.shape, dtype=object)
    result.ravel()[:] = [Fraction(x) for x in np.asarray(array).ravel().tolist()]
    return result


def _dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True) if x and y), Fraction(0))


def _weights(beliefs: Beliefs, width: int) -> list[Constraint]:
    """Rows that make weights on the corners of some polytopes one and the same belief."""
    rows: list[Constraint] = []
    starts = [sum(len(p) for p in beliefs[:i]) for i in range(len(beliefs))]
    for start, polytope in zip(starts, beliefs, strict=True):
        rows.append(([int(start <= j < start + len(polytope)) for j in range(width)], 1))
    for start, polytope in zip(starts[1:], beliefs[1:], strict=True):
        for t in range(len((beliefs[0] or polytope)[0])):
            row = [Fraction(0)] * width
            row[: len(beliefs[0])] = [corner[t] for corner in beliefs[0]]
            row[start : start + len(polytope)] = [-corner[t] for corner in polytope]
            rows.append((row, 0))
    return rows

r"""The fast path for two types, two messages and two responses: signs decide everything.

Write :math:`d^t_{rs} = u(t, m_0, r) - u(t, m_1, s)`. At message m the receiver gains a from the second
reply if the sender is :math:`t_0`, and b if it is :math:`t_1`; it switches at likelihood ratio :math:`l =
-\pi_0 a / \pi_1 b` if the signs differ, and l > 1 exactly if it replies to the prior as it would to
:math:`t_0`. Whether a mixture of replies to one message leaves both types better or worse off than a reply
to the other is the sign of a determinant of four of the d; whether both types can be made indifferent, that
the two segments of payoffs cross, is two pairs of these signs. So the games of a tile are sorted by eight
differences, four determinants and six gains of the receiver, all else being logic on booleans.

A game in which any of the eighteen numbers is near zero is left to `tied_games`, which decides them exactly. Axes:
``d[t, r, s]`` and so on, with the games of a tile last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deterrence.games.batch import Survey
from deterrence.games.quantities import Array
from deterrence.solvers.signaling.tied_games import BLUR
from deterrence.solvers.signaling.two_type_kernel import Tile


@dataclass(frozen=True, eq=False)
class _Signs:
    """What the payoffs of a tile's games decide."""

    worse: Array  # (t, r, s): m_0 met by r is worse for t than m_1 met by s
    turn: Array  # (m, s): sign of the determinant of the replies to m against reply s to the other message
    at_first: Array  # (m): second reply is best if the sender is t_0
    at_second: Array  # (m): ... if it is t_1
    at_prior: Array  # (m): ... at the prior
    near: Array  # some number is near zero


def survey_222(tile: Tile, names: Sequence[str], tol: float) -> Survey:
    """Return counts, kinds, event ranges and ties of the 2 x 2 x 2 games of a tile (one receiver type).

    ``unsolved`` marks games in which some number is near zero, by ``tol`` or as far as floats tell; their answers here
    mean nothing.
    """
    U, V, view = tile.U[:, 0], tile.V[:, 0], tile.receiver_view[:, 0]
    gains = V[:, :, 1] - V[:, :, 0]
    signs = _signs(U, V, gains, view, max(BLUR, 4 * tol))
    found = _Found.empty(len(names), U.shape[-1], len(tile.events))
    for m in (0, 1):
        _pooling(found, tile, signs, m)
        _separating(found, tile, signs, m)
        for t in (0, 1):
            _one_mixes(found, tile, signs, gains, t, m)
    _both_mix(found, tile, signs, gains)
    empty = found.count == 0
    found.low[:, empty] = found.high[:, empty] = np.nan
    return Survey(
        count=found.count,
        kinds=dict(zip(names, found.kinds, strict=True)),
        degenerate=found.degenerate,
        unsolved=signs.near | empty,
        low=found.low,
        high=found.high,
    )


@dataclass(frozen=True, eq=False)
class _Found:
    count: Array
    kinds: Array
    degenerate: Array
    unsolved: Array
    low: Array
    high: Array

    @classmethod
    def empty(cls, kinds: int, n: int, events: int) -> _Found:
        flags = (np.zeros((kinds, n), dtype=bool), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool))
        return cls(np.zeros(n, dtype=np.int64), *flags, np.full((events, n), np.inf), np.full((events, n), -np.inf))

    def widen(self, event: int, chance: Array, where: Array) -> None:
        """Stretch the range of an event in the games that have the equilibrium."""
        np.minimum(self.low[event], np.where(where, chance, np.inf), out=self.low[event])
        np.maximum(self.high[event], np.where(where, chance, -np.inf), out=self.high[event])

    def widen_at(self, event: int, chance: Array, games: Array) -> None:
        self.low[event, games] = np.minimum(self.low[event, games], chance)
        self.high[event, games] = np.maximum(self.high[event, games], chance)


def _signs(U: Array, V: Array, gains: Array, view: Array, blur: float) -> _Signs:
    d = U[:, 0, :, None] - U[:, 1, None, :]
    turn = np.empty((2, 2, U.shape[-1]))
    np.subtract(d[1, 0] * d[0, 1], d[1, 1] * d[0, 0], out=turn[0])
    np.subtract(d[1, :, 0] * d[0, :, 1], d[1, :, 1] * d[0, :, 0], out=turn[1])
    pooled = view[0] * gains[0] + view[1] * gains[1]
    size_u, size_v = np.abs(U).reshape(8, -1).max(axis=0), np.abs(V).reshape(8, -1).max(axis=0)
    worse, turns = d < 0, turn > 0
    # ~(x > y), not x <= y: where numbers overflow, nothing is certain
    near = ~(np.abs(d, out=d).min(axis=(0, 1, 2)) > blur * size_u)
    near |= ~(np.abs(turn, out=turn).min(axis=(0, 1)) > blur * size_u**2)
    near |= ~(np.minimum(np.abs(gains).min(axis=(0, 1)), np.abs(pooled).min(axis=0)) > blur * size_v)
    near |= view.min(axis=0) <= 0
    return _Signs(worse, turns, gains[0] > 0, gains[1] > 0, pooled > 0, near)


def _pick(where: Array, second: Array, first: Array) -> Array:
    """Return second where true and first elsewhere, of booleans."""
    return (where & second) | (~where & first)


def _lower(signs: _Signs, m: int, t: int, r: int, s: int) -> Array:
    """Return whether type t gets less from m met by r than from the other message met by s."""
    return np.asarray(signs.worse[t, r, s] if m == 0 else ~signs.worse[t, s, r])


def _lower_at(signs: _Signs, m: int, t: int, reply: Array, other: Array) -> Array:
    rows = [_pick(reply, _lower(signs, m, t, 1, s), _lower(signs, m, t, 0, s)) for s in (0, 1)]
    return _pick(other, rows[1], rows[0])


def _switches(signs: _Signs, m: int) -> Array:
    return np.asarray(signs.at_first[m] ^ signs.at_second[m])


def _pooling(found: _Found, tile: Tile, signs: _Signs, m: int) -> None:
    """Both send m; count the replies, pure or mixed, that keep both from sending the other."""
    other, reply, switch = 1 - m, signs.at_prior[m], _switches(signs, 1 - m)
    pure_first = switch | ~signs.at_first[other]
    pure_second = switch | signs.at_first[other]
    faces = []
    for s in (0, 1):
        lower = {(t, r): _lower(signs, other, t, r, s) for t in (0, 1) for r in (0, 1)}
        turn = signs.turn[other, s]
        rising = lower[0, 0] & ~lower[1, 0] & ~lower[0, 1] & lower[1, 1] & ~turn
        falling = ~lower[0, 0] & lower[1, 0] & lower[0, 1] & ~lower[1, 1] & turn
        first, second = lower[0, 0] & lower[1, 0], lower[0, 1] & lower[1, 1]
        faces.append((first & pure_first, second & pure_second, switch & (first | second | rising | falling)))
    exists = np.zeros_like(reply)
    for first_case, second_case in zip(*faces, strict=True):
        face = _pick(reply, second_case, first_case)
        found.count[:] += face
        exists |= face
    found.kinds[m] |= exists
    for e, w in enumerate(tile.events):
        weighted = w[:, 0, m] * tile.joint[:, 0, None]
        chance = weighted[0] + weighted[1]
        found.widen(e, np.where(reply, chance[1], chance[0]), exists)


def _separating(found: _Found, tile: Tile, signs: _Signs, m: int) -> None:
    """Type 0 sends m, type 1 the other."""
    reply, answer = signs.at_first[m], signs.at_second[1 - m]
    exists = ~_lower_at(signs, m, 0, reply, answer) & _lower_at(signs, m, 1, reply, answer)
    found.count[:] += exists
    found.kinds[2] |= exists
    for e, w in enumerate(tile.events):
        here, there = w[0, 0, m] * tile.joint[0, 0], w[1, 0, 1 - m] * tile.joint[1, 0]
        found.widen(e, np.where(reply, here[1], here[0]) + np.where(answer, there[1], there[0]), exists)


def _one_mixes(found: _Found, tile: Tile, signs: _Signs, gains: Array, t: int, m: int) -> None:
    """Type t mixes m and the other message, the other type sends m."""
    alone = (signs.at_first, signs.at_second)[t]
    answer = alone[1 - m]  # how the receiver replies to the message that only t sends
    exists = _switches(signs, m) & (signs.at_prior[m] == alone[m])
    cases = []
    for s in (0, 1):
        first, second = _lower(signs, m, t, 0, s), _lower(signs, m, t, 1, s)
        gain = signs.turn[m, s] ^ second if t == 0 else signs.turn[m, s] ^ ~second
        cases.append((first ^ second) & gain)
    exists &= _pick(answer, cases[1], cases[0])
    found.count[:] += exists
    found.kinds[3 + t] |= exists
    if tile.events and exists.any():
        games = np.flatnonzero(exists)
        U, joint = tile.U[:, 0][..., games], tile.joint[:, 0, games]
        target = np.where(answer[games], U[t, 1 - m, 1], U[t, 1 - m, 0])
        share = (target - U[t, m, 0]) / (U[t, m, 1] - U[t, m, 0])
        l = _ratio(tile, gains, m, games)
        sent = 1 / l if t == 0 else l
        for e, w in enumerate(tile.events):
            w = w[:, 0] if w.shape[-1] == 1 else w[:, 0][..., games]
            mixed = w[:, m, 0] + share * (w[:, m, 1] - w[:, m, 0])
            apart = np.where(answer[games], w[t, 1 - m, 1], w[t, 1 - m, 0])
            chance = joint[1 - t] * mixed[1 - t] + joint[t] * (sent * mixed[t] + (1 - sent) * apart)
            found.widen_at(e, chance, games)


def _both_mix(found: _Found, tile: Tile, signs: _Signs, gains: Array) -> None:
    """Both types mix both messages, and the receiver its replies to both."""
    above_one = signs.at_prior == signs.at_first
    exists = _switches(signs, 0) & _switches(signs, 1) & (above_one[0] ^ above_one[1])
    exists &= (signs.turn[0, 0] ^ signs.turn[0, 1]) & (signs.turn[1, 0] ^ signs.turn[1, 1])
    found.count[:] += exists
    found.kinds[5] |= exists
    if tile.events and exists.any():
        games = np.flatnonzero(exists)
        U, joint = tile.U[:, 0][..., games], tile.joint[:, 0, games]
        edge = U[:, :, 1] - U[:, :, 0]
        gap = U[:, 1, 0] - U[:, 0, 0]
        turn = edge[0, 1] * edge[1, 0] - edge[0, 0] * edge[1, 1]
        share = (
            (edge[0, 1] * gap[1] - gap[0] * edge[1, 1]) / turn,
            (edge[0, 0] * gap[1] - gap[0] * edge[1, 0]) / turn,
        )
        l = _ratio(tile, gains, 0, games), _ratio(tile, gains, 1, games)
        first = (1 - l[1]) / (l[0] - l[1])
        sent = (first, l[0] * first)
        for e, w in enumerate(tile.events):
            w = w[:, 0] if w.shape[-1] == 1 else w[:, 0][..., games]
            mixed = [w[:, m, 0] + share[m] * (w[:, m, 1] - w[:, m, 0]) for m in (0, 1)]
            by_type = [joint[t] * (sent[t] * mixed[0][t] + (1 - sent[t]) * mixed[1][t]) for t in (0, 1)]
            found.widen_at(e, by_type[0] + by_type[1], games)


def _ratio(tile: Tile, gains: Array, m: int, games: Array) -> Array:
    """Return the likelihood ratio at which the receiver switches after m."""
    view = tile.receiver_view[:, 0, games]
    return np.asarray(-(view[0] * gains[0, m, games]) / (view[1] * gains[1, m, games]))

r"""Every equilibrium strategy of many 2 x 2 x 2 signaling games at once.

With two types t, two messages and two responses a profile is four numbers: :math:`s_t`, the probability that type t
sends the second message, and :math:`\rho_m`, that of the second response to message m. Each component of perfect
Bayesian equilibria is a product of a polygon of s and one of :math:`\rho` (see ``deterrence.solvers.pbe``). The
sides of the polygons of s lie on the square's and on the lines where the receiver is indifferent after a message;
those of :math:`\rho` on the square's and on the lines where a type is indifferent. So all vertices are among few
candidates, 9 and 13, and each of the 117 pairs is checked against the definition of equilibrium.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame

TILE = 2_000  # games at a time: what stays in a core's cache


def two_type_plans(game: SignalingGame, *, tol: float = 1e-9) -> tuple[tuple[Array, Array], Callable[[Array], Array]]:
    """Return what sender and receiver may do in each of N games, and their equilibria pair by pair.

    Parameters
    ----------
    game : SignalingGame
        Of shape (2, 1, 2, 2); one game, or a batch.
    tol : float
        Payoff differences up to this share of the player's span are ties.

    Returns
    -------
    own : pair of ndarray, shape (N, K, 8)
        Sender's and receiver's probability of each way (type, message, response) to play, in C order; NaN where a
        game has fewer than K vertices.
    joint : callable
        From indices of games, shape (n,), to both players' probabilities in each vertex equilibrium, shape (n, J, 2,
        8).
    """
    tables = _Tables.of(game, tol)
    senders, receivers = [], []
    for start in range(0, len(tables.u), TILE):
        part = tables.take(slice(start, start + TILE))
        s, rho = part.senders(), part.receivers()
        valid = part.equilibria(s, rho)
        senders.append(_compressed(_of_sender(s), np.asarray(valid.any(axis=2))))
        receivers.append(_compressed(_of_receiver(rho), np.asarray(valid.any(axis=1))))

    return (_joined(senders), _joined(receivers)), partial(_joint, tables)


def _joint(tables: _Tables, where: Array) -> Array:
    part = tables.take(where)
    s, rho = part.senders(), part.receivers()
    valid = part.equilibria(s, rho)
    n = len(where)
    both = np.stack(
        np.broadcast_arrays(_of_sender(s)[:, :, None], _of_receiver(rho)[:, None]), axis=3
    )  # (n, 9, 13, 2, 8)
    return _compressed(both.reshape(n, -1, 16), valid.reshape(n, -1)).reshape(n, -1, 2, 8)


@dataclass(frozen=True, eq=False)
class _Tables:
    """Payoffs u (N, t, m, r) and v, the receiver's prior (N, t), and what counts as a tie, (N,)."""

    u: Array
    v: Array
    prior: Array
    slack_u: Array
    slack_v: Array

    @classmethod
    def of(cls, game: SignalingGame, tol: float) -> _Tables:
        batch = game.batch_shape
        u, v = (np.broadcast_to(x[..., :, 0, :, :], (*batch, 2, 2, 2)).reshape(-1, 2, 2, 2) for x in (game.U, game.V))
        prior = np.broadcast_to(game.receiver_joint[..., 0], (*batch, 2)).reshape(-1, 2)
        spans = [tol * np.maximum(np.ptp(x.reshape(-1, 8), axis=1), np.finfo(float).tiny) for x in (u, v)]
        return cls(u, v, prior, spans[0], spans[1])

    def take(self, where: slice | Array) -> _Tables:
        return _Tables(self.u[where], self.v[where], self.prior[where], self.slack_u[where], self.slack_v[where])

    @property
    def gains(self) -> Array:
        """What the second response adds for the receiver, by type and message, shape (N, t, m)."""
        return self.v[..., 1] - self.v[..., 0]

    def senders(self) -> Array:
        """Return candidates for (s_0, s_1), shape (N, 9, 2); NaN where there is none."""
        pull = self.prior[:, :, None] * self.gains  # (N, t, m)
        a, b = pull[:, 0], pull[:, 1]  # (N, m)
        zero, one = np.zeros(len(a)), np.ones(len(a))
        with np.errstate(divide="ignore", invalid="ignore"):
            up = (-a[:, 1] / b[:, 1], -b[:, 1] / a[:, 1])  # after the second message: s_1 / s_0, and its inverse
            down = (-a[:, 0] / b[:, 0], -b[:, 0] / a[:, 0])  # after the first: (1 - s_1) / (1 - s_0), and its inverse
            # (1 - s_1) = down (1 - s_0) and s_1 = up s_0
            crossing = (1 - down[0]) / (up[0] - down[0])
            points = [
                *((x, y) for x in (zero, one) for y in (zero, one)),
                (one, up[0]),
                (up[1], one),
                (zero, 1 - down[0]),
                (1 - down[1], zero),
                (crossing, up[0] * crossing),
            ]
        return _probabilities(points)

    def receivers(self) -> Array:
        """Return candidates for (rho_0, rho_1), shape (N, 13, 2); NaN where there is none."""
        # type t is indifferent on  base + slope_1 rho_1 - slope_0 rho_0 = 0
        base = self.u[:, :, 1, 0] - self.u[:, :, 0, 0]
        slope = self.u[..., 1] - self.u[..., 0]  # (N, t, m)
        zero, one = np.zeros(len(base)), np.ones(len(base))
        points = [(x, y) for x in (zero, one) for y in (zero, one)]
        with np.errstate(divide="ignore", invalid="ignore"):
            for t in (0, 1):
                for at in (zero, one):
                    points.append((at, (slope[:, t, 0] * at - base[:, t]) / slope[:, t, 1]))
                    points.append(((base[:, t] + slope[:, t, 1] * at) / slope[:, t, 0], at))
            determinant = slope[:, 0, 1] * slope[:, 1, 0] - slope[:, 0, 0] * slope[:, 1, 1]
            scale = np.abs(slope).max(axis=(1, 2)) ** 2
            determinant = np.where(np.abs(determinant) <= 1e-12 * scale, np.nan, determinant)
            points.append(
                (
                    (slope[:, 0, 1] * base[:, 1] - slope[:, 1, 1] * base[:, 0]) / determinant,
                    (slope[:, 0, 0] * base[:, 1] - slope[:, 1, 0] * base[:, 0]) / determinant,
                )
            )
        return _probabilities(points)

    def equilibria(self, s: Array, rho: Array) -> Array:
        """Return which pairs of candidates are equilibria, shape (N, 9, 13)."""
        exist = ~np.isnan(s[..., 0])[:, :, None] & ~np.isnan(rho[..., 0])[:, None]
        return exist & self._sender_content(s, rho) & self._receiver_content(s, rho)

    def _sender_content(self, s: Array, rho: Array) -> Array:
        fine: Array = np.ones((len(s), s.shape[1], rho.shape[1]), dtype=bool)
        slack = self.slack_u[:, None]
        for t in (0, 1):
            gets = [self.u[:, t, m, :1] + rho[..., m] * (self.u[:, t, m, 1:] - self.u[:, t, m, :1]) for m in (0, 1)]
            more = gets[1] - gets[0]  # (N, 13)
            fine &= (more >= -slack)[:, None] | (s[..., t] == 0)[..., None]  # the second message may be sent
            fine &= (more <= slack)[:, None] | (s[..., t] == 1)[..., None]  # ... the first
        return fine

    def _receiver_content(self, s: Array, rho: Array) -> Array:
        fine: Array = np.ones((len(s), s.shape[1], rho.shape[1]), dtype=bool)
        slack = self.slack_v[:, None]
        for m in (0, 1):
            a, b = self.gains[:, 0, m, None], self.gains[:, 1, m, None]
            sent = [self.prior[:, t, None] * (s[..., t] if m else 1 - s[..., t]) for t in (0, 1)]  # (N, 9) each
            mass, gain = sent[0] + sent[1], sent[0] * a + sent[1] * b
            low, high = np.minimum(a, b), np.maximum(a, b)  # over all beliefs
            second = np.where(mass > 0, gain >= -slack * mass, high >= -slack)  # may be the response
            first = np.where(mass > 0, gain <= slack * mass, low <= slack)
            fine &= second[..., None] | (rho[..., m] == 0)[:, None]
            fine &= first[..., None] | (rho[..., m] == 1)[:, None]
        return fine


def _probabilities(points: list[tuple[Array, Array]]) -> Array:
    """Return candidates as one array, shape (N, K, 2), NaN where they are no probabilities."""
    table = np.stack([np.stack(point, axis=-1) for point in points], axis=1)
    fits = (table >= 0) & (table <= 1)
    return np.where((fits[..., 0] & fits[..., 1])[..., None], table, np.nan)


def _of_sender(s: Array) -> Array:
    """Return the sender's probability of each (type, message, response), shape (N, K, 8)."""
    return np.repeat(np.stack([1 - s, s], axis=-1).reshape(*s.shape[:2], 4), 2, axis=-1)


def _of_receiver(rho: Array) -> Array:
    """Return the receiver's probability of each (type, message, response), shape (N, K, 8)."""
    once = np.stack([1 - rho, rho], axis=-1).reshape(*rho.shape[:2], 4)
    return np.tile(once, 2)


def _compressed(rows: Array, valid: Array) -> Array:
    """Return the valid rows of each game first, NaN behind them, shape (N, most valid, ...)."""
    order = np.argsort(~valid, axis=1, kind="stable")[:, : max(1, int(valid.sum(axis=1).max(initial=1)))]
    taken = np.take_along_axis(rows, order[..., None], axis=1)
    return np.where(np.take_along_axis(valid, order, axis=1)[..., None], taken, np.nan)


def _joined(parts: list[Array]) -> Array:
    most = max(part.shape[1] for part in parts)
    wide = [np.pad(part, ((0, 0), (0, most - part.shape[1]), (0, 0)), constant_values=np.nan) for part in parts]
    return np.concatenate(wide)

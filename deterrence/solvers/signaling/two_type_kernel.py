r"""Every perfect Bayesian equilibrium of many two-type signaling games at once, without a loop over games.

With two sender types the equilibria of a generic game send at most two messages. Write :math:`W_t(m, l)`
for the path of type t's payoffs from message m (`reply_paths`), l the likelihood ratio of m.

- Pooling on m: l = 1; both types get :math:`W_t(m, 1)`.
- Separating, t0 sends m and t1 sends m': l = 0 at m, l = inf at m'; neither gains from the other's message.
- Type t0 mixes m and m', t1 sends m: l = 0 at m', so t0 must get :math:`W_0(m', 0)` from m too: on an edge,
  at :math:`l > 1`, where the mixture that makes t0 indifferent leaves t1 at least :math:`W_1(m', 0)`. Then
  :math:`\sigma(m|t_0) = 1/l`. Likewise for t1, at :math:`l < 1`, with :math:`\sigma(m|t_1) = l`.
- Both mix m and m': an edge of each path, one at :math:`l < 1`, one at :math:`l' > 1`, that cross in
  the plane of payoffs; :math:`\sigma(m|t_0) = (1 - l')/(l - l')`.

Counting equalities shows that a third message, or a pure reply to a mixture, needs a tie. Every candidate
carries its slack, the smallest amount by which a comparison holds; candidates with slack within the
tolerance of zero make their game degenerate. Off the path, faces are counted by `off_path_faces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np

from deterrence.games.batch import Survey
from deterrence.games.quantities import Array
from deterrence.solvers.signaling.off_path_faces import deterring_faces
from deterrence.solvers.signaling.reply_paths import ReplyPaths, reply_paths


@dataclass(frozen=True, eq=False)
class Tile:
    """Games of one tile; the last axis of every array counts them.

    Attributes
    ----------
    U, V : ndarray, shape (2, Q, M, R, n)
        Payoffs of sender and receiver.
    sender_view, receiver_view, joint : ndarray, shape (2, Q, n)
        P(q | t), P(t | q) and the true prior P(t, q).
    events : sequence of ndarray, shape (2, Q, M, R, n) or (2, Q, M, R, 1)
        Probability of each event at each end of the game.
    """

    U: Array
    V: Array
    sender_view: Array
    receiver_view: Array
    joint: Array
    events: Sequence[Array]

    def chosen(self, games: Array) -> Tile:
        """Return some of the games."""
        return Tile(
            U=self.U[..., games],
            V=self.V[..., games],
            sender_view=self.sender_view[..., games],
            receiver_view=self.receiver_view[..., games],
            joint=self.joint[..., games],
            events=[w if w.shape[-1] == 1 else w[..., games] for w in self.events],
        )


@dataclass(frozen=True, eq=False)
class Rows:
    """Numbers of n games, one a row; a single row serves all of them.

    Attributes
    ----------
    U, V : ndarray, shape (n, 8) or (1, 8)
        Payoffs by type, message and response.
    view, joint : ndarray, shape (n, 2) or (1, 2)
        The receiver's prior (it need not sum to one exactly) and the true one.
    events : ndarray, shape (E, n, 8) or (E, 1, 8)
        Probability of each event at each end of the game.
    """

    U: Array
    V: Array
    view: Array
    joint: Array
    events: Array


@dataclass(frozen=True, eq=False)
class Answers:
    """Arrays to be filled in, as in `Survey`; the other answers of a doubtful game mean nothing.

    Attributes
    ----------
    count, degenerate, doubtful : ndarray, shape (N,)
    kinds : ndarray of bool, shape (6, N)
    low, high : ndarray, shape (E, N)
    """

    count: Array
    kinds: Array
    degenerate: Array
    doubtful: Array
    low: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Candidates:
    """Profiles on the path, one a row; position i and share a: the point a of the way along edge i of a path.

    Attributes
    ----------
    game, kind : ndarray of int, shape (C,)
        Which game of the tile, and which of `kind_names`.
    message, position, share : ndarray, shape (2, C)
        The two messages on the path and the point on the path of each; the same twice when there is one
        message.
    sent : ndarray, shape (2, C)
        Probability that each sender type sends the first message.
    value : ndarray, shape (2, C)
        Equilibrium payoff of each sender type.
    slack : ndarray, shape (C,)
    """

    game: Array
    kind: Array
    message: Array
    position: Array
    share: Array
    sent: Array
    value: Array
    slack: Array


def kind_names(types: Sequence[str], messages: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of equilibrium of generic two-type games, numbered as in `Candidates.kind`."""
    first, second = types
    pooling = tuple(f"pooling on {m}" for m in messages)
    mixing = (f"{first} mixes", f"{second} mixes", f"{first}, {second} mix")
    return (*pooling, "separating", *(f"semi-separating: {who}" for who in mixing))


def survey_tile(tile: Tile, names: Sequence[str], tol: float) -> Survey:
    """Return counts, kinds, event ranges and ties of the games of a tile."""
    n = tile.U.shape[-1]
    U, V = _scaled(tile.U), _scaled(tile.V)
    idle = _idle(U) & _idle(V)
    paths = reply_paths(V, tile.receiver_view, idle, tol)
    points = paths.in_order(U * tile.sender_view[:, :, None, None])
    W = paths.polyline(points)
    rows = _joined(
        [
            _pooling(W, paths.ratio),
            *(_separating(W, m, k, tol) for m, k in permutations(range(W.shape[2]), 2)),
            *(_one_mixes(W, paths.ratio, t, m, k, tol) for m, k in permutations(range(W.shape[2]), 2) for t in (0, 1)),
            *(_both_mix(W, paths.ratio, m, k, tol) for m, k in combinations(range(W.shape[2]), 2)),
        ]
    )
    weak, strict, undecided = _with_faces(rows, points, paths.steps, tol)
    held = weak > 0
    kinds = np.zeros((len(names), n), dtype=bool)
    kinds[rows.kind[held], rows.game[held]] = True
    degenerate = paths.tie.copy()
    degenerate[rows.game[weak != strict]] = True
    count = np.bincount(rows.game, weights=weak, minlength=n).astype(np.int64)
    unsolved = count == 0
    unsolved[rows.game[undecided]] = True
    low, high = _event_ranges(tile, _chosen(rows, held), paths, idle)
    return Survey(
        count=count,
        kinds=dict(zip(names, kinds, strict=True)),
        degenerate=degenerate,
        unsolved=unsolved,
        low=low,
        high=high,
    )


def _scaled(payoffs: Array) -> Array:
    """Return payoffs in units of their span in each game."""
    cells = payoffs.reshape(-1, payoffs.shape[-1])
    least = cells.min(axis=0)
    span = cells.max(axis=0) - least
    return np.asarray((payoffs - least) / np.where(span > 0, span, 1.0))


def _idle(payoffs: Array) -> Array:
    """Return whether replies to a message change nothing, shape (M, n)."""
    return np.asarray((payoffs == payoffs[:, :, :, :1]).all(axis=(0, 1, 3)))


def _pooling(W: Array, ratio: Array) -> Candidates:
    messages, n = W.shape[2:]
    position = (ratio < 1).sum(axis=0).reshape(1, -1)
    value = np.take_along_axis(W.reshape(*W.shape[:2], -1), np.stack([position] * 2), axis=1)[:, 0]
    message = np.repeat(np.arange(messages), n)
    size = message.size
    return Candidates(
        game=np.tile(np.arange(n), messages),
        kind=message,
        message=np.stack([message] * 2),
        position=np.concatenate([position] * 2),
        share=np.zeros((2, size)),
        sent=np.ones((2, size)),
        value=value,
        slack=np.full(size, np.inf),
    )


def _separating(W: Array, m: int, k: int, tol: float) -> Candidates:
    """Type 0 sends m, type 1 sends k."""
    slack = np.minimum(W[0, 0, m] - W[0, -1, k], W[1, -1, k] - W[1, 0, m])
    g = np.flatnonzero(slack >= -tol)
    last = W.shape[1] - 1
    return _rows(g, W.shape[2], (m, k), (0, last), (0.0, 0.0), (1.0, 0.0), (W[0, 0, m, g], W[1, last, k, g]), slack[g])


def _one_mixes(W: Array, ratio: Array, t: int, m: int, k: int, tol: float) -> Candidates:
    """Type t mixes m and k, the other sends m; at k the receivers know that it is t."""
    other, end = 1 - t, (0, W.shape[1] - 1)[t]
    above, below = W[:, 1:, m] - W[:, end, None, k], W[:, :-1, m] - W[:, end, None, k]
    between = np.minimum(np.maximum(above[t], below[t]), -np.minimum(above[t], below[t]))
    evidence = (ratio[:, m] >= 1) & np.isfinite(ratio[:, m]) if t == 0 else ratio[:, m] <= 1
    i, g = np.nonzero(evidence & (between >= -tol))
    low, high, edge = below[:, i, g], above[:, i, g], np.abs(above[t, i, g] - below[t, i, g])
    flat = edge <= tol
    best_end = (high[other] > low[other]).astype(float)  # what t is indifferent to, the other may care for
    share = np.where(flat, best_end, np.clip(-low[t] / np.where(flat, 1.0, high[t] - low[t]), 0.0, 1.0))
    gain = low[other] + share * (high[other] - low[other])
    slack = np.minimum(between[i, g], gain)
    l = ratio[i, m, g]
    sent = (1 / l, 1.0) if t == 0 else (1.0, l)
    value = W[:, end, k, g].copy()
    value[other] += gain
    found = _rows(g, W.shape[2] + 1 + t, (m, k), (i, end), (share, 0.0), sent, value, slack)
    return _chosen(found, slack >= -tol)


def _both_mix(W: Array, ratio: Array, m: int, k: int, tol: float) -> Candidates:
    found = [_none()]
    edges = np.diff(W, axis=1)
    for i in range(ratio.shape[0]):
        l = ratio[i, m]
        straddle = (
            ((l <= 1) & (ratio[:, k] >= 1) | (l >= 1) & (ratio[:, k] <= 1)) & np.isfinite(l) & np.isfinite(ratio[:, k])
        )
        j, g = np.nonzero(straddle)
        here, there = edges[:, i, m, g], edges[:, j, k, g]
        gap = W[:, j, k, g] - W[:, i, m, g]
        share, twin, slack = _crossing(here, there, gap, tol)
        keep = np.flatnonzero(slack >= -tol)
        j, g, here, share, twin, slack = j[keep], g[keep], here[:, keep], share[keep], twin[keep], slack[keep]
        l, l_there = ratio[i, m, g], ratio[j, k, g]
        apart = np.where(l == l_there, 1.0, l - l_there)
        sent = np.where(l == l_there, 1.0, (1 - l_there) / apart)
        value = W[:, i, m, g] + share * here
        found.append(_rows(g, W.shape[2] + 3, (m, k), (i, j), (share, twin), (sent, l * sent), value, slack))
    return _joined(found)


def _crossing(here: Array, there: Array, gap: Array, tol: float) -> tuple[Array, Array, Array]:
    """Return where two edges cross, as shares of each, and the slack of this.

    Parameters
    ----------
    here, there, gap : ndarray, shape (2, C)
        The two edges, and the way from the start of the first to the start of the second.
    """
    turn = there[0] * here[1] - here[0] * there[1]
    parallel = np.abs(turn) <= tol * np.abs(here).max(axis=0) * np.abs(there).max(axis=0)
    safe = np.where(parallel, 1.0, turn)
    share = (there[0] * gap[1] - gap[0] * there[1]) / safe
    twin = (here[0] * gap[1] - gap[0] * here[1]) / safe
    slack = np.minimum(_inside(share, here), _inside(twin, there))
    share, twin = np.clip(share, 0.0, 1.0), np.clip(twin, 0.0, 1.0)
    slack[parallel] = -np.inf
    for end in (0.0, 1.0) if parallel.any() else ():  # parallel edges that overlap: an end of one lies on the other
        along_there, along_here = _nearest(end * here - gap, there), _nearest(end * there + gap, here)
        for alpha, beta in ((end, along_there), (along_here, end)):
            touch = parallel & (slack < 0) & (np.abs(alpha * here - beta * there - gap).max(axis=0) <= tol)
            share, twin = np.where(touch, alpha, share), np.where(touch, beta, twin)
            slack[touch] = 0.0
    return share, twin, slack


def _nearest(point: Array, edge: Array) -> Array:
    """Return the share of an edge that is nearest to a point."""
    length = (edge**2).sum(axis=0)
    return np.asarray(np.clip((point * edge).sum(axis=0) / np.where(length > 0, length, 1.0), 0.0, 1.0))


def _inside(share: Array, edge: Array) -> Array:
    """Return how far inside an edge a point lies, in payoff units."""
    return np.asarray(np.minimum(share, 1 - share) * np.abs(edge).max(axis=0))


def _rows(
    g: Array,
    kind: int,
    message: tuple[int, int],
    position: tuple[object, object],
    share: tuple[object, object],
    sent: tuple[object, object],
    value: Any,
    slack: Array,
) -> Candidates:
    def pair(values: Any, dtype: type) -> Array:
        both: Array = np.empty((2, g.size), dtype=dtype)
        both[0], both[1] = values
        return both

    return Candidates(
        game=g,
        kind=np.full(g.size, kind),
        message=pair(message, np.intp),
        position=pair(position, np.intp),
        share=pair(share, float),
        sent=pair(sent, float),
        value=pair(value, float),
        slack=slack,
    )


_COLUMNS = ("game", "kind", "message", "position", "share", "sent", "value", "slack")


def _joined(parts: Sequence[Candidates]) -> Candidates:
    return Candidates(**{c: np.concatenate([getattr(p, c) for p in parts], axis=-1) for c in _COLUMNS})


def _none() -> Candidates:
    empty = np.zeros(0)
    return _rows(np.zeros(0, dtype=np.intp), 0, (0, 0), (0, 0), (0.0, 0.0), (0.0, 0.0), (empty, empty), empty)


def _chosen(rows: Candidates, keep: Array) -> Candidates:
    return Candidates(**{c: getattr(rows, c)[..., keep] for c in _COLUMNS})


def _with_faces(rows: Candidates, points: Array, steps: Array, tol: float) -> tuple[Array, Array, Array]:
    """Return weak and strict numbers of components of each candidate, and whether they are undecided."""
    weak = (rows.slack >= -tol).astype(np.int64)
    strict = (rows.slack > tol).astype(np.int64)
    undecided = np.zeros(rows.game.shape, dtype=bool)
    for m in range(points.shape[3]):
        unsent = np.flatnonzero((rows.message != m).all(axis=0) & ((weak > 0) | undecided))
        was_weak, was_undecided = weak[unsent] > 0, undecided[unsent]
        g = rows.game[unsent]
        faces = deterring_faces(points[:, :, :, m, g], steps[:, m, g], rows.value[:, unsent], tol)
        weak[unsent] *= faces[0]
        strict[unsent] *= faces[1]
        undecided[unsent] = (was_undecided & ((faces[0] > 0) | faces[2])) | (was_weak & faces[2])
    return weak, strict, undecided


def _event_ranges(tile: Tile, rows: Candidates, paths: ReplyPaths, idle: Array) -> tuple[Array, Array]:
    shape = len(tile.events), idle.shape[-1]
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    for e, weights in enumerate(tile.events):
        chances = np.broadcast_to(weights * tile.joint[:, :, None, None], tile.U.shape)
        path = paths.polyline(paths.in_order(chances))
        least, most = np.zeros(rows.game.size), np.zeros(rows.game.size)
        for message, position, share, sent in zip(
            rows.message, rows.position, rows.share, (rows.sent, 1 - rows.sent), strict=True
        ):
            onward = np.minimum(position + 1, path.shape[1] - 1)
            start, stop = path[:, position, message, rows.game], path[:, onward, message, rows.game]
            chance = (sent * (start + share * (stop - start))).sum(axis=0)
            free = idle[message, rows.game]
            lowest, highest = chance, chance
            if free.any():  # there, any reply is one of the equilibria
                by_reply = np.moveaxis(chances, 3, 1)[:, :, :, message[free], rows.game[free]]
                either = (sent[:, None, None, free] * by_reply).sum(axis=0)
                lowest, highest = chance.copy(), chance.copy()
                lowest[free], highest[free] = either.min(axis=0).sum(axis=0), either.max(axis=0).sum(axis=0)
            least += lowest
            most += highest
        np.minimum.at(low[e], rows.game, least)
        np.maximum.at(high[e], rows.game, most)
    empty = ~np.isfinite(low)
    low[empty] = high[empty] = np.nan
    return low, high

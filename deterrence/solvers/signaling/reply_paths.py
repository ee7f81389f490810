r"""How receivers reply to a message of a two-type sender, as its evidence moves from one type to the other.

What a message m says about two types is one number, the likelihood ratio :math:`l =
\sigma(m|t_1)/\sigma(m|t_0)` in [0, inf]. Receiver type q, whose prior view of the sender is
:math:`(\pi_{0q}, \pi_{1q})`, then holds the odds :math:`z = l\,\pi_{1q}/\pi_{0q}` of :math:`t_1`, and its
best reply is the upper envelope of the lines :math:`v(t_0, r) + z\,v(t_1, r)`: a constant reply between
switching points, any mixture of two at a switching point. So what the two sender types expect from m is a
polyline that l walks along: it stands still at a vertex while replies are constant, and moves along an
edge, with l fixed, while one receiver type mixes.

Arrays have the games of a tile on the last axis, n long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deterrence.games.quantities import Array


@dataclass(frozen=True, eq=False)
class ReplyPaths:
    """Replies of every receiver type to every message, in the order of the evidence for the second type.

    Attributes
    ----------
    order : ndarray of int, shape (R, Q, M, n)
        Reply before the first switch, after it, ...; the last is repeated when there are fewer.
    steps : ndarray of int, shape (Q, M, n)
        Number of switches.
    ratio : ndarray, shape (P, M, n)
        Likelihood ratios at which some receiver type switches, P = Q (R - 1), ascending; inf where there
        are fewer.
    merge : ndarray of int, shape (P, M, n), or None
        Where the p-th switch stands among the (R - 1, Q) flattened ones; None if Q = 1 (they are in order).
    tie : ndarray of bool, shape (n,)
        Whether a receiver is within the tolerance of indifference at certainty, at its prior, or between
        three replies, whether two receiver types switch at one ratio, or whether a receiver rules out a
        type.
    """

    order: Array
    steps: Array
    ratio: Array
    merge: Array | None
    tie: Array

    def in_order(self, table: Array) -> Array:
        """Return a table over replies, shape (2, Q, M, R, n), in path order, shape (2, R, Q, M, n)."""
        first = np.moveaxis(table, 3, 1)
        return np.stack([np.take_along_axis(part, self.order, axis=0) for part in first])

    def polyline(self, ordered: Array) -> Array:
        """Return the vertices of the path of sums over receiver types, shape (2, P + 1, M, n)."""
        jumps = np.diff(ordered, axis=1)
        jumps = jumps.reshape(2, -1, *jumps.shape[-2:])
        if self.merge is not None:
            jumps = np.stack([np.take_along_axis(part, self.merge, axis=0) for part in jumps])
        path = np.empty((2, jumps.shape[1] + 1, *jumps.shape[-2:]))
        path[:, 0] = ordered[:, 0].sum(axis=1)
        for i in range(jumps.shape[1]):
            np.add(path[:, i], jumps[:, i], out=path[:, i + 1])
        return path


def reply_paths(payoffs: Array, view: Array, idle: Array, tol: float) -> ReplyPaths:
    """Return the replies of all receiver types along the evidence.

    Parameters
    ----------
    payoffs : ndarray, shape (2, Q, M, R, n)
        Receiver's payoffs, scaled to a span of one in each game.
    view : ndarray, shape (2, Q, n)
        Receiver types' priors over the sender's types; columns sum to one.
    idle : ndarray of bool, shape (M, n)
        Messages after which replies change nothing; indifference there is no tie.
    tol : float
        Payoff differences up to this are ties.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        a, b = np.moveaxis(payoffs, 3, 1)
        order, odds, tie = _envelope(a, b, tol)
        if a.shape[0] > 1:
            tie |= _top_two_tie(a * view[0, None, :, None] + b * view[1, None, :, None], tol)
        anywhere: Array = np.logical_or((tie & ~idle).any(axis=(0, 1)), (view <= 0).any(axis=(0, 1)))
        scale = view[0] / view[1]
        ratio = np.where(np.isinf(odds), np.inf, odds * scale[None, :, None])
        ratio[np.isnan(ratio)] = np.inf
        steps = np.isfinite(odds).sum(axis=0)
        ratio = ratio.reshape(-1, *ratio.shape[-2:])
        if a.shape[1] == 1 or a.shape[0] == 1:
            return ReplyPaths(order, steps, ratio, None, anywhere)
        merge = np.argsort(ratio, axis=0, kind="stable")
        ratio = np.take_along_axis(ratio, merge, axis=0)
        close = np.diff(ratio / (1 + ratio), axis=0) <= tol
        anywhere |= (close & np.isfinite(ratio[1:])).any(axis=(0, 1))
    return ReplyPaths(order, steps, ratio, merge, anywhere)


def _envelope(a: Array, b: Array, tol: float) -> tuple[Array, Array, Array]:
    """Return the replies of the upper envelope of a + z b, z >= 0, in order, odds of switches, and ties."""
    replies = a.shape[0]
    numbers = np.arange(replies).reshape(-1, 1, 1, 1)
    order = np.empty(a.shape, dtype=np.intp)
    odds = np.full((replies - 1, *a.shape[1:]), np.inf)
    tie = np.zeros(a.shape[1:], dtype=bool)
    if replies > 1:
        tie |= _top_two_tie(a, tol) | _top_two_tie(b, tol)
    order[0] = a.argmax(axis=0)
    for j in range(replies - 1):
        now = order[j][None]
        behind = np.take_along_axis(a, now, axis=0) - a
        gain = b - np.take_along_axis(b, now, axis=0)
        z = np.where(gain > 0, behind / gain, np.inf)
        following = z.argmin(axis=0)
        odds[j] = np.take_along_axis(z, following[None], axis=0)[0]
        switches = np.isfinite(odds[j])
        order[j + 1] = np.where(switches, following, order[j])
        if replies > 2:
            short = (behind - odds[j] * gain) / (1 + odds[j])
            third = (numbers != now) & (numbers != following[None]) & switches
            tie |= (third & (short <= tol)).any(axis=0)
    return order, odds, tie


def _top_two_tie(values: Array, tol: float) -> Array:
    """Return whether the best two of the first axis are within the tolerance."""
    if values.shape[0] == 2:
        return np.asarray(np.abs(values[0] - values[1]) <= tol)
    top = np.partition(values, values.shape[0] - 2, axis=0)[-2:]
    return np.asarray(top[1] - top[0] <= tol)

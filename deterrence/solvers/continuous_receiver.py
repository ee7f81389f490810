r"""Perfect Bayesian equilibria of signaling games whose receiver's private value is a continuum.

Write :math:`P_m(\mu)` for what the receiver does after message m at belief :math:`\mu`
(``games.continuous_receiver``), and :math:`W_{tm}(\mu) = \sum_l P_{ml}(\mu) u_{tml}` for what type t then gets. A
perfect Bayesian equilibrium is a belief :math:`\mu_m` after each message and a strategy of each type on
:math:`\arg\max_m W_{tm}(\mu_m)`, with Bayes' rule from the receiver's prior :math:`\hat\pi` at the messages that are
sent. So the unknowns are beliefs, one for each message.

*At most T messages.* Fix the beliefs and payoffs of an equilibrium. The masses :math:`p_m` of the messages form the
polytope :math:`\sum_m p_m \mu_m = \hat\pi, p \ge 0`, on those m for which the types in the support of :math:`\mu_m` do
best by m. Each vertex has at most T messages and is an equilibrium with the same beliefs, the others now off the path;
the probability of every event is linear in p. So the range of each event over all equilibria is that over equilibria
with at most T messages on the path.

*Two types.* Let :math:`\mu` be the probability of the first. With one message on the path it is pooling, at
:math:`\mu_m = \hat\pi`. With two, at :math:`\mu_m < \hat\pi < \mu_{m'}`, there are four cases: (0, 1), separating;
(x, 1) with :math:`W_{1m}(x) = W_{1m'}(1)`, where the first type mixes; (0, y) with :math:`W_{2m'}(y) = W_{2m}(0)`,
where the second does; (x, y) with both equations, where both do. These are the roots of one function of one belief, or
two of two. A message n off the path is kept there by any belief with :math:`W_{tn} \le w_t` for both t, w what they
get: an interval or several, ended by roots.

*Every root.* On an interval of beliefs on which the order of the slopes does not change, let the lines be sorted by
slope, i and j two of them, i < j, and :math:`c_{ij}` the value v at which j overtakes i. The receiver takes k or a
steeper line above

.. math:: y_k = \min_{j \ge k} \max_{i < k} c_{ij}, \qquad
   W = u_0 + \sum_{k \ge 1} (u_k - u_{k-1}) (1 - G(y_k)).

Each :math:`c_{ij}(\mu)` is a ratio of linear functions whose denominator has one sign, hence monotone, with a monotone
derivative: its values at the ends of the interval bound it. Through min, max, and G these bounds give bounds of W, and
through bounds of the density bounds of its (generalised) derivative. An interval is dropped if the bounds exclude
zero, holds at most one root if the derivative has one sign, and is halved otherwise; pairs of beliefs by the operator
of Krawczyk. So every root is found, and told from none, up to rounding (1e-12 of the sender's span of payoffs) and down
to intervals of 1e-10; where that is not enough, as at a double root, the answer says that it is not ``complete``.
Where W equals the constant on a whole interval its ends are kept: play and payoffs are the same in between, and
the probabilities of events are monotone.

*Three and more types.* Every pure equilibrium is found (beliefs off the path by bounds on simplices, to which the same
argument applies: ratios of affine functions attain their extremes at vertices), and those in which one type mixes over
two messages, from changes of sign on a grid. Others are not sought, so the answer is ``complete`` only for one message.

*Refinements.* As :math:`P_m(\mu)` is single-valued, the receiver's best replies to beliefs on all types after an unsent
m are :math:`P_m(\mu)`, one for each :math:`\mu`, and they are not mixed further. So in ``refinements``,
:math:`D(t, m) = \{\mu: W_{tm}(\mu) > w_t\}` and :math:`D^0(t, m) = \{\mu: W_{tm}(\mu) = w_t\}`; inclusions are read off
at the roots and between them. With two types ``d1``, ``d2`` and ``universal divinity`` are one: to strike out a type
there is only one other, and after it only one is left.

References
----------
.. [1] R. Krawczyk, "Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken", Computing 4 (1969),
   187-201.
.. [2] R. E. Moore, R. B. Kearfott and M. J. Cloud, Introduction to Interval Analysis (2009), ch. 5 and 8.
.. [3] I.-K. Cho and D. M. Kreps, "Signaling Games and Stable Equilibria", Q. J. Econ. 102 (1987), 179-221.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.batch import BatchEquilibria, Survey
from deterrence.games.continuous_receiver import ContinuousReceiverGame, ContinuousReceiverProfile, Interval
from deterrence.games.distributions import Distribution, pick
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Verdict
from deterrence.games.errors import GameError, SolverError
from deterrence.games.events import Event
from deterrence.solvers.refinements import canonical_name
from deterrence.solvers.signaling.equilibria import kind_of
from deterrence.solvers.verify import verify

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]

METHOD = "roots in beliefs"
REFINEMENTS_DEFINED = ("intuitive", "d1", "d2", "universal divinity", "nwbr")

_TIE = 1e-12  # of the sender's span of payoffs: what rounding leaves of an equality
_FINE = 1e-10  # width of an interval of beliefs that is not halved further
_EDGE = 1e-9  # beliefs this close to the end of their range belong to the case of that end
_MOST = 20_000  # intervals, or boxes, in the work at once for one game; in a batch for each 20 of its games
_CERTIFIED = 1e-9  # largest regret, relative to the span, of an equilibrium that is handed out
_GRID = 64  # steps of a scan for the mixtures of one of several types
_CELLS = 4096  # simplices of beliefs that are looked at for one message off the path


def continuous_receiver_equilibria(game: ContinuousReceiverGame) -> EquilibriumSet:
    """Return the perfect Bayesian equilibria of one game, one for each outcome.

    Parameters
    ----------
    game : ContinuousReceiverGame

    Returns
    -------
    EquilibriumSet
        For two types all with at most two messages on the path (see the module): every other equilibrium is a mixture
        of these at the same beliefs. ``complete`` if nothing can be missing; ``options["open"]`` says what may be.

    Raises
    ------
    GameError
        If it is a batch, or the receiver rules out a type that there is.
    SolverError
        If nothing is found, or a result fails its certificate.
    """
    if game.batch_shape:
        raise GameError("this is a batch of games; index one of it, or ask for the ranges over the batch")
    if len(game.types) > 2:
        return _many_types(game)
    found = _two_types(_as_batch(game))
    if found.impossible[0]:
        raise GameError(_RULED_OUT)
    equilibria = [_equilibrium(game, found, k) for k in range(len(found.point))]
    return _equilibrium_set(game, equilibria, complete=not found.open[0], unproven=found.reasons(0))


def continuous_receiver_batch(game: ContinuousReceiverGame) -> BatchEquilibria:
    """Return the ranges over the equilibria of each game of a batch.

    ``degenerate`` flags those whose set is not proven complete, ``unsolved`` those without an answer.
    """
    if not game.batch_shape:
        raise GameError("this is one game; continuous_receiver_equilibria solves it")
    return BatchEquilibria(
        game=game, concept="pbe", method=METHOD, counted="outcomes", survey=partial(_survey, game),
        single=continuous_receiver_equilibria,
    )  # fmt: skip


_RULED_OUT = (
    "the receiver gives probability 0 to a type of the sender that there is, so that its beliefs follow from nothing; "
    "give that type a small probability in receiver_prior"
)


# -- the receiver's reply as a function of the belief ------------------------------------------------------------------


class _Replies:
    """W of N games at points and over intervals of beliefs; games are flat, types last but one.

    Attributes
    ----------
    slopes, costs, payoffs : ndarray, shape (N, M, T, K)
        Of the K = 1 + L responses, the first of them 0, 0.
    prior : ndarray, shape (N, T)
        The receiver's.
    span : ndarray, shape (N,)
        Of the sender's payoffs in each game.
    """

    def __init__(self, game: ContinuousReceiverGame, *, two: bool) -> None:
        self.count = game.batch_shape[0]
        t, m, k = len(game.types), len(game.messages), len(game.responses)

        def laid(array: Floats, core: int) -> Floats:
            return np.broadcast_to(array, (self.count, *array.shape[array.ndim - core :]))

        def with_first(array: Floats) -> Floats:
            full = np.zeros((self.count, m, t, k))
            full[..., 1:] = np.swapaxes(laid(array, 3), 1, 2)
            return full

        self.slopes, self.costs = with_first(game.slopes), with_first(game.costs)
        self.payoffs = np.ascontiguousarray(np.swapaxes(laid(game.sender_payoffs, 3), 1, 2))
        self.prior = laid(game.receiver_prior, 1)
        if two and t == 1:  # a second type that nobody believes in
            self.slopes, self.costs, self.payoffs = (
                np.repeat(x, 2, 2) for x in (self.slopes, self.costs, self.payoffs)
            )
            self.prior = np.concatenate([self.prior, np.zeros((self.count, 1))], axis=-1)
        self.messages = m
        spans = self.payoffs.max(axis=(1, 2, 3)) - self.payoffs.min(axis=(1, 2, 3))
        self.span = np.maximum(spans, 1e-290)
        self.value = game.value
        if two:
            self._edges = self._slope_crossings()

    def at(self, n: Ints, m: Ints, belief: Floats) -> Floats:
        """Return W, shape (J, T), after messages m of games n at beliefs of shape (J, T)."""
        b, a, u = self._lines(n, m, belief)
        order = np.lexsort((a, b), axis=-1)
        b, a = (np.take_along_axis(x, order, axis=-1) for x in (b, a))
        u = np.take_along_axis(u, order[:, None, :], axis=-1)
        y = _boundaries(_crossings(b, a))
        tails = 1 - self._law(n, 1).cdf(y)
        return np.asarray(u[..., 0] + (np.diff(u, axis=-1) * tails[:, None, :]).sum(axis=-1))

    def at_share(self, n: Ints, m: Ints, mu: Floats) -> Floats:
        """Return W for two types at probabilities of the first."""
        return self.at(n, m, np.stack([mu, 1 - mu], axis=-1))

    def over(
        self, n: Ints, m: Ints, corners: Floats, *, slope: bool = False
    ) -> tuple[Floats, Floats, Floats | None, Floats | None]:
        """Return bounds of W, shape (J, T), over the hull of V beliefs, shape (J, V, T).

        With ``slope`` also of its derivative in the share of the first type; the hull is then that of two beliefs.
        """
        s, c, u = self.slopes[n, m], self.costs[n, m], self.payoffs[n, m]
        b, a = (np.einsum("jvt,jtk->jvk", corners, x) for x in (s, c))
        middle_b, middle_a = b.mean(axis=1), a.mean(axis=1)
        order = np.lexsort((middle_a, middle_b), axis=-1)
        b, a = (np.take_along_axis(x, order[:, None, :], axis=-1) for x in (b, a))
        u = np.take_along_axis(u, order[:, None, :], axis=-1)
        each = _crossings(b, a)  # (J, V, K, K)
        low, high = each.min(axis=1), each.max(axis=1)
        rise = b[..., :, None] - b[..., None, :]
        undecided = (rise < -1e-13 * np.abs(b).max(axis=(1, 2))[:, None, None, None]).any(axis=1)
        low, high = np.where(undecided, -np.inf, low), np.where(undecided, np.inf, high)
        y_low, y_high = _boundaries(low), _boundaries(high)
        law = self._law(n, 1)
        steps = np.diff(u, axis=-1)  # (J, T, L)
        most, least = (1 - law.cdf(y)[:, None, :] for y in (y_low, y_high))
        up, down = np.maximum(steps, 0.0), np.minimum(steps, 0.0)
        lowest = u[..., 0] + (up * least + down * most).sum(axis=-1)
        highest = u[..., 0] + (up * most + down * least).sum(axis=-1)
        if not slope:
            return lowest, highest, None, None
        db, da = (np.take_along_axis(x[:, 0] - x[:, 1], order, axis=-1) for x in (s, c))
        with np.errstate(all="ignore"):
            turn = (da[:, :, None] - da[:, None, :])[:, None] * rise
            turn = turn - (a[..., :, None] - a[..., None, :]) * (db[:, :, None] - db[:, None, :])[:, None]
            rates = turn / (rise * rise)  # derivative of each crossing at the ends
        rates = np.where(np.isnan(rates), 0.0, rates)
        rate_low, rate_high = rates.min(axis=1), rates.max(axis=1)
        lines = b.shape[-1]
        pair = np.arange(lines)
        first, last = np.zeros(y_low.shape), np.zeros(y_low.shape)
        for k in range(1, lines):
            inside = (pair[:, None] >= k) & (pair < k)
            active = inside & (high >= y_low[:, k - 1, None, None]) & (low <= y_high[:, k - 1, None, None])
            first[:, k - 1] = np.where(active, rate_low, np.inf).min(axis=(1, 2))
            last[:, k - 1] = np.where(active, rate_high, -np.inf).max(axis=(1, 2))
        density = (law.density_floor(y_low, y_high), law.density_bound(y_low, y_high))
        with np.errstate(invalid="ignore"):
            products = np.stack([d * r for d in density for r in (first, last)])
        products = np.where(np.isnan(products), 0.0, products)  # where there is no density, or nothing moves
        low_rate, high_rate = products.min(axis=0)[:, None, :], products.max(axis=0)[:, None, :]
        with np.errstate(invalid="ignore"):
            ends = -np.where(up > 0, up, 0.0) * high_rate, -np.where(down < 0, down, 0.0) * low_rate
            falls = np.where(up > 0, ends[0], np.where(down < 0, ends[1], 0.0)).sum(axis=-1)
            ends = -np.where(up > 0, up, 0.0) * low_rate, -np.where(down < 0, down, 0.0) * high_rate
            rises = np.where(up > 0, ends[0], np.where(down < 0, ends[1], 0.0)).sum(axis=-1)
        return lowest, highest, np.where(np.isnan(falls), -np.inf, falls), np.where(np.isnan(rises), np.inf, rises)

    def over_shares(self, n: Ints, m: Ints, low: Floats, high: Floats, *, slope: bool = False) -> Any:
        """Return bounds over intervals of the probability of the first of two types; see ``over``."""
        ends = np.stack([low, high], axis=-1)
        return self.over(n, m, np.stack([ends, 1 - ends], axis=-1), slope=slope)

    def cut(self, n: Ints, m: Ints, low: Floats, high: Floats) -> tuple[Ints, Floats, Floats]:
        """Return intervals cut where slopes cross: which one each part belongs to, and its ends."""
        edges = self._edges[n, m]  # (J, E)
        starts = np.maximum(edges[:, :-1], low[:, None])
        ends = np.minimum(edges[:, 1:], high[:, None])
        which, part = np.nonzero(ends > starts)
        return which, starts[which, part], ends[which, part]

    def _lines(self, n: Ints, m: Ints, belief: Floats) -> tuple[Floats, Floats, Floats]:
        b, a = (np.einsum("jt,jtk->jk", belief, x[n, m]) for x in (self.slopes, self.costs))
        return b, a, self.payoffs[n, m]

    def _law(self, n: Ints, axes: int) -> Distribution:
        if not self.value.batch_shape:
            return self.value
        one = pick(self.value, (self.count,), n)

        def wide(number: Any) -> Any:
            return np.asarray(number)[(..., *(None,) * axes)] if np.ndim(number) else number

        shape = {name: wide(number) for name, number in one.shape.items()}
        return Distribution(family=one.family, location=wide(one.location), scale=wide(one.scale), shape=shape)

    def _slope_crossings(self) -> Floats:
        """Return 0, the shares of the first type at which two slopes are equal, and 1, shape (N, M, E)."""
        first, second = self.slopes[:, :, 0], self.slopes[:, :, 1]
        i, j = np.triu_indices(first.shape[-1], 1)
        at_one, at_zero = first[..., j] - first[..., i], second[..., j] - second[..., i]
        with np.errstate(all="ignore"):
            where = at_zero / (at_zero - at_one)
        where = np.where((at_zero * at_one < 0) & (where > 0) & (where < 1), where, 1.0)
        where = np.sort(where, axis=-1)
        used = int((where < 1).sum(axis=-1).max(initial=0))
        ends = np.zeros((*where.shape[:2], 1))
        return np.concatenate([ends, where[..., :used], ends + 1], axis=-1)


def _crossings(b: Floats, a: Floats) -> Floats:
    """Return c[j, i], the value at which line j overtakes the flatter line i, for lines sorted by slope."""
    rise, more = b[..., :, None] - b[..., None, :], a[..., :, None] - a[..., None, :]
    with np.errstate(all="ignore"):
        return np.where(rise > 0, more / np.where(rise > 0, rise, 1.0), np.where(more >= 0, np.inf, -np.inf))


def _boundaries(crossings: Floats) -> Floats:
    """Return y_k for k = 1, ..., K - 1: above it the line k or a steeper one is best."""
    lines = crossings.shape[-1]
    over_flatter = np.maximum.accumulate(crossings, axis=-1)[..., :, : lines - 1]
    j, i = np.arange(lines)[:, None], np.arange(lines - 1)
    return np.asarray(np.where(j > i, over_flatter, np.inf).min(axis=-2))


# -- roots of one function of one belief -------------------------------------------------------------------------------


@dataclass
class _Roots:
    """Roots of J problems, flat: to which problem each belongs, and where it is; problems that are not decided."""

    problem: Ints
    at: Floats
    undecided: Ints


def _roots(replies: _Replies, n: Ints, m: Ints, t: Ints, level: Floats, low: Floats, high: Floats) -> _Roots:
    """Return every root of W_tm - level in [low, high], for J problems at once."""
    tie = _TIE * replies.span[n]
    which, left, right = replies.cut(n, m, low, high)
    problems: list[Ints] = []
    places: list[Floats] = []
    undecided: list[Ints] = []
    brackets: list[tuple[Ints, Floats, Floats]] = []
    most = max(_MOST, len(n) * _MOST // 20)

    def keep(problem: Ints, place: Floats) -> None:
        problems.append(problem)
        places.append(place)

    while len(which):
        if len(which) > most:
            undecided.append(which)
            break
        rows, picked = np.arange(len(which)), t[which]
        lowest, highest, falls, rises = replies.over_shares(n[which], m[which], left, right, slope=True)
        under, over = lowest[rows, picked] - level[which], highest[rows, picked] - level[which]
        slack = tie[which]
        flat = (under >= -slack) & (over <= slack)
        keep(which[flat], left[flat])
        keep(which[flat], right[flat])
        alive = (under <= slack) & (over >= -slack) & ~flat
        monotone = alive & ((falls[rows, picked] >= 0) | (rises[rows, picked] <= 0))
        some = np.flatnonzero(monotone)
        if len(some):
            w = which[some]
            ends = [replies.at_share(n[w], m[w], x[some])[np.arange(len(w)), t[w]] - level[w] for x in (left, right)]
            for end, x in zip(ends, (left, right), strict=True):
                hit = np.abs(end) <= slack[some]
                keep(w[hit], x[some][hit])
            change = (ends[0] * ends[1] < 0) & (np.abs(ends[0]) > slack[some]) & (np.abs(ends[1]) > slack[some])
            brackets.append((w[change], left[some][change], right[some][change]))
        rest = np.flatnonzero(alive & ~monotone)
        narrow = right[rest] - left[rest] < _FINE
        undecided.append(which[rest[narrow]])
        rest = rest[~narrow]
        middle = (left[rest] + right[rest]) / 2
        which = np.concatenate([which[rest], which[rest]])
        left, right = np.concatenate([left[rest], middle]), np.concatenate([middle, right[rest]])
    if brackets:
        w, left, right = (np.concatenate([one[k] for one in brackets]) for k in range(3))
        keep(w, _bracketed(lambda x, some: _at(replies, n, m, t, level, w[some], x), left, right))
    problem, place = _joined(problems, np.intp), _joined(places, np.float64)
    order = np.lexsort((place, problem))
    problem, place = problem[order], place[order]
    fresh = np.ones(len(problem), dtype=bool)
    fresh[1:] = (problem[1:] != problem[:-1]) | (np.diff(place) > _FINE)
    return _Roots(problem[fresh], place[fresh], np.unique(_joined(undecided, np.intp)))


def _at(replies: _Replies, n: Ints, m: Ints, t: Ints, level: Floats, which: Ints, x: Floats) -> Floats:
    return np.asarray(replies.at_share(n[which], m[which], x)[np.arange(len(which)), t[which]] - level[which])


def _bracketed(function: Callable[[Floats, Ints], Floats], left: Floats, right: Floats) -> Floats:
    """Return a root in each of J brackets: by secants (Illinois), every third step by halving."""
    everything = np.arange(len(left))
    left, right = left.copy(), right.copy()
    at_left, at_right = function(left, everything), function(right, everything)
    weight_left, weight_right = at_left.copy(), at_right.copy()
    best = (left + right) / 2
    alive = everything
    for step in range(80):
        if not len(alive):
            break
        a, b, fa, fb = left[alive], right[alive], weight_left[alive], weight_right[alive]
        with np.errstate(all="ignore"):
            x = (a * fb - b * fa) / (fb - fa)
        x = np.where((step % 3 == 2) | ~((x > a) & (x < b)), (a + b) / 2, x)
        f = function(x, alive)
        best[alive] = x
        same_left = np.sign(f) == np.sign(at_left[alive])
        left[alive] = np.where(same_left, x, a)
        right[alive] = np.where(same_left, b, x)
        weight_left[alive] = np.where(same_left, f, fa / 2)
        weight_right[alive] = np.where(same_left, fb / 2, f)
        done = (f == 0) | (right[alive] - left[alive] <= 2e-16 + 4e-16 * np.abs(x))
        alive = alive[~done]
    return best


def _joined(parts: Sequence[Any], kind: Any) -> Any:
    return np.concatenate([np.zeros(0, dtype=kind), *parts]).astype(kind)


# -- two types ---------------------------------------------------------------------------------------------------------


@dataclass
class _Found:
    """Equilibria of N games with two types, flat.

    Attributes
    ----------
    replies : _Replies
    point, low, high : ndarray of int, shape (C,)
        The game; the message at the lower belief in the first type, and that at the higher one (the same if pooling).
    at_low, at_high : ndarray, shape (C,)
        Those beliefs.
    payoffs : ndarray, shape (C, 2)
        What the types get.
    off : _Off
        What keeps the types from other messages.
    open : ndarray of bool, shape (N,)
        Games whose equilibria may not be all; ``why`` holds pairs of reason and flags.
    impossible : ndarray of bool, shape (N,)
        Games in which the receiver rules out a type that there is.
    """

    replies: _Replies
    point: Ints
    low: Ints
    high: Ints
    at_low: Floats
    at_high: Floats
    payoffs: Floats
    off: _Off
    open: Flags
    impossible: Flags
    why: list[tuple[str, Flags]]

    def reasons(self, game: int) -> tuple[str, ...]:
        return tuple(reason for reason, flags in self.why if flags[game])

    def masses(self) -> Floats:
        """Return the probability of the message at the higher belief, in the receiver's eyes, shape (C,)."""
        prior = self.replies.prior[self.point, 0]
        width = self.at_high - self.at_low
        return np.where(width > 0, (prior - self.at_low) / np.where(width > 0, width, 1.0), 1.0)

    def sender(self) -> Floats:
        """Return the sender's strategies, shape (C, 2, M)."""
        c, m = len(self.point), self.replies.messages
        prior = self.replies.prior[self.point]
        share = self.masses()
        sends = np.zeros((c, 2, m))
        rows = np.arange(c)
        for t in (0, 1):
            held = self.at_high if t == 0 else 1 - self.at_high
            known = prior[:, t] > 0
            up = np.where(known, share * held / np.where(known, prior[:, t], 1.0), share)
            certain = (self.low == self.high) | ((self.at_low == 0) if t == 0 else False)
            up = np.where(certain, 1.0, np.clip(up, 0.0, 1.0))
            sends[rows, t, self.high] += up
            sends[rows, t, self.low] += 1 - up
        return sends

    def beliefs(self, types: int) -> Floats:
        """Return beliefs, shape (C, M, T); off the path one that keeps the types away."""
        if types == 1:
            return np.ones((len(self.point), self.replies.messages, 1))
        shares = self.off.representative
        rows = np.arange(len(self.point))
        shares[rows, self.low] = self.at_low
        shares[rows, self.high] = self.at_high
        return np.stack([shares, 1 - shares], axis=-1)


@dataclass
class _Off:
    """Messages off the path of C equilibria: the pairs (equilibrium, message), and what was evaluated at beliefs.

    Attributes
    ----------
    owner, message : ndarray of int, shape (P,)
    pair, place : ndarray, shape (E,)
        Roots, their midpoints and the ends of [0, 1], sorted within each pair.
    gains : ndarray, shape (E, 2)
        W - w there; 0 within rounding of a tie.
    representative : ndarray, shape (C, M)
        A belief that keeps both types away.
    undecided : ndarray of int
        Pairs in which a root may be missed.
    """

    owner: Ints
    message: Ints
    pair: Ints
    place: Floats
    gains: Floats
    representative: Floats
    undecided: Ints


def _as_batch(game: ContinuousReceiverGame) -> ContinuousReceiverGame:
    return replace(game, prior=game.prior[None])


def _two_types(game: ContinuousReceiverGame) -> _Found:
    """Return every equilibrium with at most two messages on the path, of a flat batch with one or two types."""
    replies = _Replies(game, two=True)
    n, m = replies.count, replies.messages
    prior = replies.prior[:, 0]
    true = np.broadcast_to(game.prior, (n, len(game.types)))
    seen = np.broadcast_to(game.receiver_prior, true.shape)
    impossible = np.asarray(((seen <= 0) & (true > 0)).any(axis=-1))
    inner = (prior > 0) & (prior < 1) & ~impossible
    why: list[tuple[str, Flags]] = []

    games, messages = (x.ravel() for x in np.indices((n, m)))
    certain = [replies.at_share(games, messages, np.full(n * m, x)).reshape(n, m, 2) for x in (0.0, 1.0)]
    parts = [(games, messages, messages, prior[games], prior[games])]
    low, high = (x.ravel() for x in np.nonzero(~np.eye(m, dtype=bool)))
    point = np.repeat(np.flatnonzero(inner), len(low))
    low, high = np.tile(low, int(inner.sum())), np.tile(high, int(inner.sum()))
    if len(point):
        zeros, ones = np.zeros(len(point)), np.ones(len(point))
        parts.append((point, low, high, zeros, ones))
        first, second = np.zeros(len(point), dtype=np.intp), np.ones(len(point), dtype=np.intp)
        for kind in (0, 1):  # which type mixes: it is indifferent between a message that it shares and one of its own
            if kind == 0:
                roots = _roots(replies, point, low, first, certain[1][point, high, 0], zeros, prior[point])
            else:
                roots = _roots(replies, point, high, second, certain[0][point, low, 1], prior[point], ones)
            why.append(("a belief at which one type mixes", _flags(n, point[roots.undecided])))
            at, k = roots.at, roots.problem
            keep = (at > _EDGE) & (at < 1 - _EDGE) & (np.abs(at - prior[point[k]]) > _EDGE)
            at, k = at[keep], k[keep]
            ends = (at, np.ones(len(k))) if kind == 0 else (np.zeros(len(k)), at)
            parts.append((point[k], low[k], high[k], *ends))
        boxes, lost = _both_mix(replies, point, low, high, prior)
        parts.append(boxes)
        why.append(("beliefs at which both types mix", lost))
    point, low, high, at_low, at_high = (np.concatenate([part[k] for part in parts]) for k in range(5))

    # what each type gets, and whether the other message on the path tempts it
    get = [replies.at_share(point, which, at) for which, at in ((low, at_low), (high, at_high))]
    payoffs = np.stack([get[1][:, 0], get[0][:, 1]], axis=-1)
    there = replies.prior[point] > 0
    tie = _TIE * replies.span[point]
    fair = ((get[0][:, 0] <= payoffs[:, 0] + tie) | ~there[:, 0]) & (
        (get[1][:, 1] <= payoffs[:, 1] + tie) | ~there[:, 1]
    )
    fair &= ~impossible[point]
    point, low, high, at_low, at_high, payoffs = (x[fair] for x in (point, low, high, at_low, at_high, payoffs))
    off, kept = _off_path(replies, point, low, high, payoffs)
    lost = _flags(n, point[off.owner[off.undecided]])
    why.append(("beliefs that keep a message off the path", lost))
    off = _only(off, kept)
    lost = np.any([flags for _, flags in why], axis=0)
    return _Found(
        replies=replies, point=point[kept], low=low[kept], high=high[kept], at_low=at_low[kept], at_high=at_high[kept],
        payoffs=payoffs[kept], off=off, open=lost | impossible, impossible=impossible, why=why,
    )  # fmt: skip


def _flags(size: int, where: Ints) -> Flags:
    flags = np.zeros(size, dtype=bool)
    flags[where] = True
    return flags


def _off_path(replies: _Replies, point: Ints, low: Ints, high: Ints, payoffs: Floats) -> tuple[_Off, Flags]:
    """Return what keeps both types from messages off the path, and which equilibria hold."""
    c, m = len(point), replies.messages
    grid = np.ones((c, m), dtype=bool)
    grid[np.arange(c), low] = grid[np.arange(c), high] = False
    owner, message = np.nonzero(grid)
    pairs = len(owner)
    n, zeros, ones = point[owner], np.zeros(pairs), np.ones(pairs)
    twice, types = np.tile(np.arange(pairs), 2), np.repeat([0, 1], pairs)
    roots = _roots(replies, n[twice], message[twice], types, payoffs[owner[twice], types], zeros[twice], ones[twice])
    pair = np.concatenate([np.arange(pairs), np.arange(pairs), twice[roots.problem]])
    place = np.concatenate([zeros, ones, roots.at])
    order = np.lexsort((place, pair))
    pair, place = pair[order], place[order]
    next_one = np.flatnonzero(pair[1:] == pair[:-1])
    pair = np.concatenate([pair, pair[next_one]])
    place = np.concatenate([place, (place[next_one] + place[next_one + 1]) / 2])
    order = np.lexsort((place, pair))
    pair, place = pair[order], place[order]
    gains = replies.at_share(n[pair], message[pair], place) - payoffs[owner[pair]]
    tie = 4 * _TIE * replies.span[n[pair]]
    gains = np.where(np.abs(gains) <= tie[:, None], 0.0, gains)
    absent = replies.prior[n] <= 0
    gains = np.where(absent[pair], np.minimum(gains, 0.0), gains)  # nobody is there to be tempted
    quiet = (gains <= 0).all(axis=-1)
    held = np.zeros(pairs, dtype=bool)
    held[pair[quiet]] = True
    kept = np.ones(c, dtype=bool)
    kept[owner[~held]] = False
    shares = np.zeros((c, m))
    worst = np.where(quiet, gains.max(axis=-1), np.inf)  # the belief that keeps them away most clearly
    order = np.lexsort((place, worst, pair))
    first = np.unique(pair[order], return_index=True)[1]
    shares[owner, message] = place[order][first]
    undecided = np.unique(twice[roots.undecided])
    return _Off(owner, message, pair, place, gains, shares, undecided), kept


def _only(off: _Off, kept: Flags) -> _Off:
    """Return what is said of the equilibria that are kept, numbered anew."""
    number = np.cumsum(kept) - 1
    pairs = kept[off.owner]
    renumber = np.cumsum(pairs) - 1
    entries = pairs[off.pair]
    undecided = off.undecided[pairs[off.undecided]]
    return _Off(
        number[off.owner[pairs]], off.message[pairs], renumber[off.pair[entries]], off.place[entries],
        off.gains[entries], off.representative[kept], renumber[undecided],
    )  # fmt: skip


# -- roots of two functions of two beliefs -----------------------------------------------------------------------------


def _both_mix(
    replies: _Replies, point: Ints, low: Ints, high: Ints, prior: Floats
) -> tuple[tuple[Ints, Ints, Ints, Floats, Floats], Flags]:
    """Return every pair of beliefs below and above the prior at which both types are indifferent."""
    lost = np.zeros(replies.count, dtype=bool)
    zeros, ones = np.zeros(len(point)), np.ones(len(point))
    one, x0, x1 = replies.cut(point, low, zeros, prior[point])
    two, y0, y1 = replies.cut(point, high, prior[point], ones)
    i, j = _products(one, two, len(point))
    which = one[i]
    x0, x1, y0, y1 = x0[i], x1[i], y0[j], y1[j]
    found: list[tuple[Ints, Floats, Floats]] = []
    most = max(_MOST, len(point) * _MOST // 20)
    while len(which):
        if len(which) > most:
            lost[point[which]] = True
            break
        n, a, b = point[which], low[which], high[which]
        at_x = replies.over_shares(n, a, x0, x1, slope=True)
        at_y = replies.over_shares(n, b, y0, y1, slope=True)
        tie = _TIE * replies.span[n][:, None]
        alive = ((at_x[0] - at_y[1] <= tie) & (at_x[1] - at_y[0] >= -tie)).all(axis=-1)
        edge = (x1 < _EDGE) | (y0 > 1 - _EDGE) | (x0 > prior[n] - _EDGE) | (y1 < prior[n] + _EDGE)
        alive &= ~edge
        left, right, contained = _krawczyk(replies, n, a, b, (x0, x1, y0, y1), at_x, at_y)
        with np.errstate(invalid="ignore"):
            alive &= ((left <= right) | np.isnan(left)).all(axis=-1)
        roots = np.flatnonzero(alive & contained)
        if len(roots):
            polished, fine = _newton(replies, n[roots], a[roots], b[roots], (left[roots] + right[roots]) / 2)
            found.append((which[roots[fine]], polished[fine, 0], polished[fine, 1]))
            lost[n[roots[~fine]]] = True
        rest = np.flatnonzero(alive & ~contained)
        with np.errstate(invalid="ignore"):
            x0, y0 = (np.fmax(old, left[:, k])[rest] for k, old in ((0, x0), (1, y0)))
            x1, y1 = (np.fmin(old, right[:, k])[rest] for k, old in ((0, x1), (1, y1)))
        which = which[rest]
        wide = np.maximum(x1 - x0, y1 - y0) >= _FINE
        lost[point[which[~wide]]] = True
        which = which[wide]
        x0, x1, y0, y1 = (v[wide] for v in (x0, x1, y0, y1))
        across = x1 - x0 >= y1 - y0
        middle = np.where(across, x0 + x1, y0 + y1) / 2
        which = np.concatenate([which, which])
        x0, x1, y0, y1 = (
            np.concatenate([x0, np.where(across, middle, x0)]),
            np.concatenate([np.where(across, middle, x1), x1]),
            np.concatenate([y0, np.where(across, y0, middle)]),
            np.concatenate([np.where(across, y1, middle), y1]),
        )
    which = _joined([f[0] for f in found], np.intp)
    x, y = (_joined([f[k] for f in found], np.float64) for k in (1, 2))
    order = np.lexsort((y, x, which))
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(which[order]) > 0) | (np.abs(np.diff(x[order])) > _FINE) | (np.abs(np.diff(y[order])) > _FINE)
    which, x, y = which[order][fresh], x[order][fresh], y[order][fresh]
    return (point[which], low[which], high[which], x, y), lost


def _products(one: Ints, two: Ints, count: int) -> tuple[Ints, Ints]:
    """Return the pairs of positions in two sorted lists that hold the same number."""
    starts, sizes = np.searchsorted(two, np.arange(count)), np.bincount(two, minlength=count)
    i = np.repeat(np.arange(len(one)), sizes[one])
    offset = np.arange(len(i)) - np.repeat(np.cumsum(sizes[one]) - sizes[one], sizes[one])
    return i, starts[one[i]] + offset


def _krawczyk(
    replies: _Replies, n: Ints, a: Ints, b: Ints, box: tuple[Floats, Floats, Floats, Floats], at_x: Any, at_y: Any
) -> tuple[Floats, Floats, Flags]:
    """Return a box that holds every root of each box, shape (J, 2) and (J, 2), and where there is just one.

    Ends are nan where the operator says nothing.
    """
    x0, x1, y0, y1 = box
    middle = np.stack([x0 + x1, y0 + y1], axis=-1) / 2
    radius = np.stack([x1 - x0, y1 - y0], axis=-1) / 2
    value = replies.at_share(n, a, middle[:, 0]) - replies.at_share(n, b, middle[:, 1])
    # rows of the Jacobian are types, columns the two beliefs
    low = np.stack([at_x[2], -at_y[3]], axis=-1)
    high = np.stack([at_x[3], -at_y[2]], axis=-1)
    with np.errstate(all="ignore"):
        centre = (low + high) / 2
        determinant = centre[:, 0, 0] * centre[:, 1, 1] - centre[:, 0, 1] * centre[:, 1, 0]
        inverse = (
            np.stack(
                [np.stack([centre[:, 1, 1], -centre[:, 0, 1]], -1), np.stack([-centre[:, 1, 0], centre[:, 0, 0]], -1)],
                -2,
            )
            / determinant[:, None, None]
        )
        kernel = middle - np.einsum("jrt,jt->jr", inverse, value)
        half = (high - low) / 2
        spread = np.einsum("jrt,jtc->jrc", np.abs(inverse), half)  # |I - Y J|, as Y is the inverse of the centre
        reach = np.einsum("jrc,jc->jr", spread, radius) * (1 + 1e-12) + 1e-15
        left, right = kernel - reach, kernel + reach
        known = np.isfinite(left).all(axis=-1) & np.isfinite(right).all(axis=-1)
        inside = (left > np.stack([x0, y0], -1)) & (right < np.stack([x1, y1], -1))
    left, right = (np.where(known[:, None], v, np.nan) for v in (left, right))
    trimmed = np.fmax(left, np.stack([x0, y0], -1)), np.fmin(right, np.stack([x1, y1], -1))
    return (*(np.where(known[:, None], v, np.nan) for v in trimmed), known & inside.all(axis=-1))


def _newton(replies: _Replies, n: Ints, a: Ints, b: Ints, start: Floats) -> tuple[Floats, Flags]:
    """Return roots by Newton's method, shape (J, 2), and whether each is one up to rounding."""
    x = start.copy()
    for _ in range(30):
        value = replies.at_share(n, a, x[:, 0]) - replies.at_share(n, b, x[:, 1])
        one = replies.over_shares(n, a, x[:, 0], x[:, 0], slope=True)
        two = replies.over_shares(n, b, x[:, 1], x[:, 1], slope=True)
        with np.errstate(all="ignore"):
            p, q = (one[2] + one[3]) / 2, -(two[2] + two[3]) / 2
            determinant = p[:, 0] * q[:, 1] - q[:, 0] * p[:, 1]
            step = (
                np.stack(
                    [q[:, 1] * value[:, 0] - q[:, 0] * value[:, 1], p[:, 0] * value[:, 1] - p[:, 1] * value[:, 0]], -1
                )
                / determinant[:, None]
            )
        step = np.where(np.isfinite(step), step, 0.0)
        x = np.clip(x - step, 0.0, 1.0)
        if (np.abs(step) <= 1e-16).all():
            break
    value = replies.at_share(n, a, x[:, 0]) - replies.at_share(n, b, x[:, 1])
    return x, np.asarray((np.abs(value) <= 10 * _TIE * replies.span[n][:, None]).all(axis=-1))


# -- three and more types ----------------------------------------------------------------------------------------------


def _many_types(game: ContinuousReceiverGame) -> EquilibriumSet:
    """Return the pure equilibria of one game, and those in which one type mixes over two messages."""
    if ((game.receiver_prior <= 0) & (game.prior > 0)).any():
        raise GameError(_RULED_OUT)
    replies = _Replies(_as_batch(game), two=False)
    t, m = len(game.types), len(game.messages)
    tie = _TIE * replies.span[0]
    there = replies.prior[0] > 0
    found: list[Equilibrium] = []
    unproven: list[str] = [] if m == 1 else ["equilibria in which several types mix, or one over three messages"]
    for plan in itertools.product(range(m), repeat=t):
        sender = np.zeros((t, m))
        sender[np.arange(t), plan] = 1.0
        for strategy in (sender, *_one_mixes(replies, sender)):
            beliefs, on_path = _bayes(replies.prior[0], strategy)
            get = _payoffs_at(replies, beliefs)
            worth = np.where(strategy > 0, get, np.inf).min(axis=1)
            tempted = there[:, None] & (get > worth[:, None] + 16 * tie) & on_path
            if tempted.any():
                continue
            fits = True
            for message in np.flatnonzero(~on_path):
                belief, decided = _quiet_belief(replies, int(message), worth, there)
                if not decided:
                    unproven.append(f"beliefs after {game.messages[message]}")
                if belief is None:
                    fits = False
                    break
                beliefs[message] = belief
            if fits:
                found.append(_made(game, ContinuousReceiverProfile(strategy, beliefs)))
    return _equilibrium_set(game, found, complete=not unproven, unproven=tuple(dict.fromkeys(unproven)))


def _payoffs_at(replies: _Replies, beliefs: Floats) -> Floats:
    """Return W, shape (T, M), at one belief for each message, shape (M, T)."""
    m = len(beliefs)
    return replies.at(np.zeros(m, dtype=np.intp), np.arange(m), beliefs).T


def _bayes(prior: Floats, sender: Floats) -> tuple[Floats, Flags]:
    """Return beliefs, shape (M, T), by Bayes' rule (uniform where it says nothing), and which messages are sent."""
    joint = prior[:, None] * sender
    mass = joint.sum(axis=0)
    on_path = mass > 0
    even = np.full((len(mass), len(prior)), 1 / len(prior))
    return np.where(on_path[:, None], joint.T / np.where(on_path, mass, 1.0)[:, None], even), on_path


def _one_mixes(replies: _Replies, pure: Floats) -> list[Floats]:
    """Return plans in which one type mixes between its message and a later one, and is indifferent."""
    m = pure.shape[1]
    found = []
    for who in np.flatnonzero(replies.prior[0] > 0):
        first = int(pure[who].argmax())
        for second in range(first + 1, m):

            def plan(x: float, who: int = int(who), first: int = first, second: int = second) -> Floats:
                strategy = pure.copy()
                strategy[who, first], strategy[who, second] = 1 - x, x
                return strategy

            def gain(x: float, who: int = int(who), first: int = first, second: int = second) -> float:
                beliefs, _ = _bayes(replies.prior[0], plan(x, who, first, second))
                get = _payoffs_at(replies, beliefs)
                return float(get[who, second] - get[who, first])

            grid = np.linspace(0, 1, _GRID + 1)
            grid[0], grid[-1] = _EDGE, 1 - _EDGE
            gains = [gain(x) for x in grid]
            for left, right, at_left, at_right in zip(grid, grid[1:], gains, gains[1:], strict=False):
                if at_left * at_right < 0:
                    root = _bracketed(
                        lambda x, _: np.array([gain(float(v)) for v in x]), np.array([left]), np.array([right])
                    )
                    found.append(plan(float(root[0])))
    return found


def _quiet_belief(replies: _Replies, message: int, worth: Floats, there: Flags) -> tuple[Floats | None, bool]:
    """Return a belief after a message that tempts no type, if there is one, and whether that is decided."""
    t = len(worth)
    tie = 16 * _TIE * replies.span[0]
    cells = np.eye(t)[None]
    looked = 0
    while len(cells):
        looked += len(cells)
        if looked > _CELLS:
            return None, False
        zeros = np.zeros(len(cells), dtype=np.intp)
        tries = np.concatenate([cells, cells.mean(axis=1, keepdims=True)], axis=1).reshape(-1, t)
        get = replies.at(np.zeros(len(tries), dtype=np.intp), np.full(len(tries), message), tries)
        quiet = ((get <= worth + tie) | ~there).all(axis=-1)
        if quiet.any():
            return tries[int(quiet.argmax())], True
        lowest, *_ = replies.over(zeros, np.full(len(cells), message), cells)
        cells = cells[((lowest <= worth + tie) | ~there).all(axis=-1)]
        i, j = np.triu_indices(t, 1)
        lengths = np.abs(cells[:, i] - cells[:, j]).max(axis=-1)
        if len(cells) and lengths.max() < _FINE:
            return None, False
        longest, rows = lengths.argmax(axis=-1), np.arange(len(cells))
        middle = (cells[rows, i[longest]] + cells[rows, j[longest]]) / 2
        halves = cells.copy(), cells.copy()
        halves[0][rows, i[longest]] = middle
        halves[1][rows, j[longest]] = middle
        cells = np.concatenate(halves)
    return None, True


# -- results -----------------------------------------------------------------------------------------------------------


def _equilibrium(game: ContinuousReceiverGame, found: _Found, k: int) -> Equilibrium:
    t = len(game.types)
    pairs = np.flatnonzero(found.off.owner == k)
    supporting = {game.messages[found.off.message[p]]: _intervals(found.off, p) for p in pairs} if t == 2 else {}
    profile = ContinuousReceiverProfile(found.sender()[k, :t], found.beliefs(t)[k], supporting)
    return _made(game, profile, {name: _verdict_of_two(game, found, pairs, name) for name in REFINEMENTS_DEFINED})


def _made(
    game: ContinuousReceiverGame, profile: ContinuousReceiverProfile, verdicts: dict[str, Verdict] | None = None
) -> Equilibrium:
    sends = [np.flatnonzero(row > 0).tolist() for row in profile.sender]

    def refine(_equilibrium: Equilibrium, name: str, _siblings: object = None) -> Verdict:
        asked = canonical_name(name)
        if verdicts is None or asked not in verdicts:
            raise GameError(
                f"{asked!r} is not decided for a receiver with a continuum of types and {len(game.types)} types of the "
                f"sender; decided are, for one or two types, {', '.join(REFINEMENTS_DEFINED)}"
            )
        return verdicts[asked]

    made = Equilibrium(
        game=game, concept="pbe", kind=kind_of(sends, game.types, game.messages), profile=profile,
        whole=not profile.supporting or all(
            low == high for some in profile.supporting.values() for low, high in some
        ),
        refine=refine,
    )  # fmt: skip
    return replace(made, certificate=verify(game, made, tol=_CERTIFIED))


def _equilibrium_set(
    game: ContinuousReceiverGame, found: Sequence[Equilibrium], *, complete: bool, unproven: Sequence[str]
) -> EquilibriumSet:
    if not found:
        told = f"; not decided: {', '.join(unproven)}" if unproven else ""
        raise SolverError(f"no perfect Bayesian equilibrium of the {game} was found{told}")
    for one in found:
        certificate = one.certificate
        if certificate is not None and not certificate.sequentially_rational:
            raise SolverError(
                f"{one.kind} fails its certificate: a deviation gains {certificate.max_regret:g}, beliefs are off by "
                f"{certificate.max_belief_error:g}"
            )
    ordered = sorted(found, key=lambda e: (_KINDS.index(e.kind.partition(" ")[0].rstrip(":")), e.kind))
    return EquilibriumSet(
        game=game, concept="pbe", method=METHOD, equilibria=tuple(ordered), complete=complete,
        options={"tolerance": _TIE, "open": tuple(unproven)},
    )  # fmt: skip


_KINDS = ("separating", "pooling", "semi-separating", "partially")


def _intervals(off: _Off, pair: Any) -> tuple[Interval, ...]:
    """Return the beliefs in the first type that keep both types from a message off the path."""
    places, gains = off.place[off.pair == pair], off.gains[off.pair == pair]
    quiet = (gains <= 0).all(axis=-1)
    found: list[Interval] = []
    start: float | None = None
    for i, (place, held) in enumerate(zip(places, quiet, strict=True)):
        if held and start is None and (i % 2 == 0 or not quiet[i - 1]):
            start = float(place)
        if start is not None and (not held or i == len(places) - 1):
            found.append((start, float(place if held else places[i - 1])))
            start = None
    return tuple(found)


def _verdict_of_two(game: ContinuousReceiverGame, found: _Found, pairs: Ints, name: str) -> Verdict:
    """Return what a refinement says: see the module, and ``refinements``."""
    reasons: list[dict[str, Any]] = []
    survives = True
    for p in pairs:
        gains = found.off.gains[found.off.pair == p]
        struck = [t for t in range(len(game.types)) if len(game.types) == 2 and _struck(gains, t, name)]
        if not struck:
            continue
        (out,) = struck
        left = gains[-1 if out == 1 else 0]  # places are sorted: at 0 the belief is certain of the second type
        held = bool(left[1 - out] <= 0) if name == "intuitive" else bool((left <= 0).all())
        survives &= held
        reasons.append(
            {
                "message": game.messages[found.off.message[p]],
                "pruned": {game.types[out]: {"by": (game.types[1 - out],), "most": float(gains[:, out].max())}},
                "beliefs": ((float(out == 1), float(out == 0)),),
                "survives": held,
                "shortfall": max(float(left.max()), 0.0),
            }
        )
    return Verdict(refinement=name, survives=survives, part="whole" if survives else "nothing", reasons=tuple(reasons))


def _struck(gains: Floats, t: int, name: str) -> bool:
    """Return whether a type of two is struck out after a message: gains of both at every sign that they have."""
    mine, other = gains[:, t], gains[:, 1 - t]
    if name == "intuitive":
        return bool((mine < 0).all() and not (other < 0).all())
    if not (other > 0).any():
        return False
    tempted = mine == 0 if name == "nwbr" else mine >= 0
    return not bool((tempted & (other <= 0)).any())


def _survey(game: ContinuousReceiverGame, events: tuple[Event, ...]) -> Survey:
    """Return counts and ranges over the equilibria of each game of a batch."""
    shape = game.batch_shape
    size = int(np.prod(shape))
    flat = game if len(shape) == 1 else _flat(game)
    count = np.zeros(size, dtype=np.int64)
    low, high = np.full((len(events), size), np.inf), np.full((len(events), size), -np.inf)
    if len(game.types) > 2:
        return _surveyed_one_by_one(flat, events, low, high)
    found = _two_types(flat)
    np.add.at(count, found.point, 1)
    kinds: dict[str, Flags] = {}
    if len(found.point):
        t = len(game.types)
        sender, beliefs = found.sender()[:, :t], found.beliefs(t)
        chosen = flat[found.point]
        for e, event in enumerate(events):
            values = chosen.event_probability(sender, beliefs, event)
            np.minimum.at(low[e], found.point, values)
            np.maximum.at(high[e], found.point, values)
        codes = (sender > 0).reshape(len(sender), -1)
        for pattern in np.unique(codes, axis=0):
            sends = [np.flatnonzero(row).tolist() for row in pattern.reshape(sender.shape[1:])]
            kind = kind_of(sends, game.types, game.messages)
            flags = kinds.setdefault(kind, np.zeros(size, dtype=bool))
            flags[found.point[(codes == pattern).all(axis=-1)]] = True
    unsolved = (count == 0) | found.impossible
    low[:, unsolved] = high[:, unsolved] = np.nan
    return Survey(count=count, kinds=kinds, degenerate=found.open, unsolved=unsolved, low=low, high=high)


def _surveyed_one_by_one(game: ContinuousReceiverGame, events: Sequence[Event], low: Floats, high: Floats) -> Survey:
    size = low.shape[1]
    count, unsolved, unproven = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    kinds: dict[str, Flags] = {}
    for i in range(size):
        try:
            found = continuous_receiver_equilibria(game[i])
        except (GameError, SolverError):
            unsolved[i], low[:, i], high[:, i] = True, np.nan, np.nan
            continue
        count[i], unproven[i] = len(found), not found.complete
        for kind in found.kinds:
            kinds.setdefault(kind, np.zeros(size, dtype=bool))[i] = True
        for e, event in enumerate(events):
            low[e, i], high[e, i] = found.probability(event)
    return Survey(count=count, kinds=kinds, degenerate=unproven, unsolved=unsolved, low=low, high=high)


def _flat(game: ContinuousReceiverGame) -> ContinuousReceiverGame:
    """Return a batch as one of a single dimension."""
    shape = game.batch_shape
    return game[np.unravel_index(np.arange(int(np.prod(shape))), shape)]

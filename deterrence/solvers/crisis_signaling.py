r"""All equilibria of the crisis-signaling game of Lewis and Schultz (2003), for arrays of parameters.

A challenges, or leaves the status quo (A gets :math:`S_A`). If challenged, B concedes (:math:`V_A, C_B`) or resists; A
then stands firm (:math:`W_A, W_B`) or backs down (:math:`a, V_B`). Each of :math:`W_A, a, W_B` carries a private normal
shock; A learns its two before it moves, B its own [1]_. Let :math:`p_C, p_R, p_F` be the chances that A challenges,
that B resists, and that an A that challenged and was resisted stands firm. With shocks of standard deviation 1,

.. math::

    c = S_A + (S_A - V_A) \frac{1 - p_R}{p_R}, \qquad u = c - W_A, \qquad v = c - a,

    p_C = 1 - \Phi(u) \Phi(v), \qquad p_F = N / p_C, \qquad N = \int_u^\infty \phi(t) \Phi(t + v - u)\,dt,

    p_R = \Phi(z), \qquad z = W_B - C_B + (V_B - C_B)\, o, \qquad o = (1 - p_F) / p_F .

So an equilibrium is a fixed point :math:`z = G(z)` of one increasing or decreasing function of one variable.

**How many.** The odds of backing down, :math:`o`, are monotone in :math:`c` with the sign of :math:`a - W_A`: the
ratio of the densities at the cutpoint of the two kinds of challenger is, because the slope of the inverse Mills ratio
is below one. Hence the slope of G has the sign of :math:`J = (S_A - V_A)(W_A - a)(V_B - C_B)`. Where :math:`J \le 0`,
there is exactly one equilibrium. Where :math:`J > 0`, panels of the line are excluded or kept by bounds that hold
throughout a panel: G lies between its values at the ends; its slope is a product of three factors, each of which is
monotone (the odds, the difference of the hazards of the two kinds, and the slope of c; the second was checked on a
mesh, not proved), so it lies between products of their values at the ends. What remains are panels on which G(z) - z
is monotone, hence holds one root or none, and panels around a point where the slope is one, a fold, which is found and
decided.

**Limit equilibrium.** If :math:`V_A < S_A`, :math:`W_A < a` and :math:`V_B < C_B`, the profile in which B never resists
and A never challenges is the limit of :math:`p_R \to 0` and an equilibrium; it is returned with :math:`p_R = p_C = p_F
= 0` beside the interior ones, of which there are then none, two, or one at a fold.

**Digits.** The smaller of the two kinds' chances is computed as a sum of positive terms, so it keeps its digits however
small: near the centre by the integral of the bivariate normal density over its correlation [3]_, with 16 nodes; in the
tails by the integral over the shock, scaled by its largest value. The other is what is left of :math:`p_C`, itself
formed from upper tails.

References
----------
.. [1] J. B. Lewis and K. A. Schultz, "Revealing Preferences: Empirical Estimation of a Crisis Bargaining Game with
   Incomplete Information", Polit. Anal. 11 (2003), 345-367.
.. [2] C. Crisman-Cox and M. Gibilisco, "Estimating Signaling Games in International Relations: Problems and Solutions",
   Polit. Sci. Res. Methods 9 (2021), 565-582.
.. [3] R. L. Plackett, "A Reduction Formula for Normal Multivariate Integrals", Biometrika 41 (1954), 351-360.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal, localcontext
from functools import cache
from math import cos, pi, sqrt
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx, log_ndtr, ndtr

from deterrence.games.errors import ParameterError

Floats: TypeAlias = NDArray[np.float64]

MOST = 3  # equilibria that a game of this kind has at most
_ROOT_2, _ROOT_2PI = sqrt(2), sqrt(2 * pi)
_EDGE = 37.5  # quantile beyond which the chance of resisting, or of conceding, vanishes in floating point
_FAR = 1e100  # cutpoint beyond which squares overflow: nobody challenges
_PANELS = 8  # of the first subdivision
_NARROW = 2.0**-12  # width of a panel around a fold at which the fold is looked for
_ILL = 0.05  # slope of G(z) - z below which a root is polished with the more precise integral
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class CrisisEquilibria:
    """Equilibria of N games in order of increasing chance that B resists; NaN where a game has fewer.

    Attributes
    ----------
    count : ndarray of int, shape (...)
        Number of equilibria, 1 to 3, the limit in which B never resists included.
    quantile : ndarray, shape (..., 3)
        Normal quantile of ``p_R``; -inf in the limit equilibrium.
    p_R, p_C, p_F : ndarray, shape (..., 3)
        Chances that B resists, that A challenges, and that A stands firm. Below about 1e-308 they are zero; the
        logarithms go on.
    log_p_C, log_p_F, log_p_B : ndarray, shape (..., 3)
        Logarithms of the chances of a challenge, of standing firm and of backing down.
    slope : ndarray, shape (..., 3)
        Slope of B's best response G at the equilibrium, in quantiles. One at a fold, above one at an equilibrium that
        iteration of best responses leaves.
    unique : ndarray of bool, shape (...)
        Whether the signs of the payoffs alone imply one equilibrium.
    """

    count: NDArray[np.int64]
    quantile: Floats
    p_R: Floats
    p_C: Floats
    p_F: Floats
    log_p_C: Floats
    log_p_F: Floats
    log_p_B: Floats
    slope: Floats
    unique: NDArray[np.bool_]

    @property
    def log_outcomes(self) -> Floats:
        """Logarithms of the chances of status quo, concession, standing firm and backing down, shape (..., 3, 4)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            resist, concede = log_ndtr(self.quantile), log_ndtr(-self.quantile)
            stay = np.where(self.p_C < 0.5, np.log1p(-self.p_C), np.log(-np.expm1(np.minimum(self.log_p_C, 0))))
        war, back = resist + self.log_p_F, resist + self.log_p_B
        return np.stack([stay, self.log_p_C + concede, self.log_p_C + war, self.log_p_C + back], axis=-1)

    @property
    def outcomes(self) -> Floats:
        """Chances of status quo, concession, standing firm (war) and backing down, shape (..., 3, 4)."""
        chances: Floats = np.exp(self.log_outcomes)
        return chances


def crisis_equilibria(
    *,
    S_A: ArrayLike,
    V_A: ArrayLike,
    C_B: ArrayLike,
    W_A: ArrayLike,
    W_B: ArrayLike,
    a: ArrayLike,
    V_B: ArrayLike,
    sigma: ArrayLike = 1.0,
) -> CrisisEquilibria:
    """Return every equilibrium of each game.

    Parameters
    ----------
    S_A, V_A, C_B, W_A, W_B, a, V_B : array_like, broadcast to shape (...)
        Mean payoffs: A's of the status quo and of a concession, B's of conceding, A's and B's of war, A's of backing
        down, B's if A backs down. Finite.
    sigma : array_like
        Standard deviation of the private shocks; > 0.

    Returns
    -------
    CrisisEquilibria
        ``p_R`` to 1e-10 or better, within 1e-8 of a fold too (farther than the rounding error of payoffs, that is).

    Raises
    ------
    ParameterError
        If a payoff is not finite or ``sigma`` not positive.

    Examples
    --------
    >>> found = crisis_equilibria(S_A=0, V_A=1, C_B=0, W_A=-1.9, W_B=-2.85, a=-1.2, V_B=1)
    >>> int(found.count), found.p_R.round(6)
    (3, array([0.270783, 0.531108, 0.849413]))
    """
    names = ("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B")
    given = (S_A, V_A, C_B, W_A, W_B, a, V_B)
    scale = np.asarray(sigma, dtype=np.float64)
    if not (scale > 0).all() or not np.isfinite(scale).all():
        raise ParameterError(f"sigma must be positive and finite, got {scale.min():g}")
    numbers = [np.asarray(x, dtype=np.float64) for x in given]
    for name, x in zip(names, numbers, strict=True):
        if not np.isfinite(x).all():
            raise ParameterError(f"{name} must be finite, got {x[~np.isfinite(x)].flat[0]}")
    payoffs = np.broadcast_arrays(*(x / scale for x in numbers))
    shape = payoffs[0].shape
    S, V, C, W, B, back, win = (x.ravel() for x in payoffs)
    games = _Games(stake=S - V, S=S, W=W, a=back, base=B - C, K=win - C)
    with np.errstate(all="ignore"):
        count, quantile = _roots(games)
        return _described(games, count, quantile, shape)


def challenger(c: ArrayLike, W_A: ArrayLike, a: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return the logarithms of the chances of a challenge, of standing firm, and of backing down after a challenge.

    Parameters
    ----------
    c : array_like, shape (...)
        Payoff of war or of backing down that makes a challenge pay, in standard deviations of the shocks.
    W_A, a : array_like, shape (...)
        A's mean payoffs of war and of backing down.

    Returns
    -------
    tuple of ndarray, shape (...)
    """
    shape = np.broadcast_shapes(np.shape(c), np.shape(W_A), np.shape(a))
    cut, war, back = (np.broadcast_to(np.asarray(x, dtype=np.float64), shape).ravel() for x in (c, W_A, a))
    with np.errstate(all="ignore"):
        smaller = _smaller_share(np.clip(cut, -_FAR, _FAR), war, back, precise=True)
        log_challenge = np.where(cut >= _FAR, -np.inf, smaller.log_challenge)
        larger = np.log1p(-smaller.share)
        firm = np.where(war < back, smaller.log_share, larger)
        down = np.where(war < back, larger, smaller.log_share)
    return log_challenge.reshape(shape), firm.reshape(shape), down.reshape(shape)


# -- the two kinds of challenger --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Smaller:
    """The smaller of the shares of those who stand firm and of those who back down, among challengers."""

    share: Floats
    log_share: Floats
    log_challenge: Floats
    hazards: Floats  # hazard in c of the smaller kind less that of the larger one, >= 0


def _smaller_share(c: Floats, W_A: Floats, a: Floats, precise: bool = False) -> _Smaller:
    r"""Return the share of the kind of challenger whose mean payoff is lower, shape (n,).

    Its chance is :math:`\int_0^\infty \phi(h + t) \Phi(l + t) dt` with h and l the distances of c above the lower and
    the higher mean. ``precise`` leaves out the faster integral, whose rounding error is some ten times as large.
    """
    d = np.abs(W_A - a)
    high, low = c - np.minimum(W_A, a), c - np.maximum(W_A, a)
    above = np.maximum(low, 0)
    # Everything is multiplied by exp(above^2 / 2), so that a challenge may be as rare as it likes.
    challenge = _scaled_tail(low) * ndtr(high) + _scaled_tail(high) * np.exp(
        -np.where(low > 0, d, np.maximum(high, 0)) * (np.maximum(high, 0) + above) / 2
    )
    factor, power, hazard = np.empty_like(c), np.empty_like(c), np.empty_like(c)
    core = (high < 6) & (d < 9) & (not precise)
    outer = ~core & (high + low >= 0)
    inner = ~core & ~outer
    for part, integral in ((core, _over_correlation), (outer, _over_shock), (inner, _below_cutpoint)):
        i = np.flatnonzero(part)
        if i.size:
            factor[i], power[i], hazard[i] = integral(high[i], low[i], d[i])
    share = np.exp(power) * factor / challenge
    log_share = power + np.log(factor / challenge)
    other = np.exp(-(np.minimum(low, 0) ** 2) / 2) / _ROOT_2PI * ndtr(high) / (challenge * (1 - share))
    return _Smaller(share, log_share, np.log(challenge) - above * above / 2, hazard - other)


def _over_correlation(high: Floats, low: Floats, d: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the chance of the smaller kind by Plackett's formula, as factor and power of e, and its hazard."""
    t, weights = _gauss_legendre(16)
    sine = np.sin(t * pi / 4)
    h, k = -high, -d / _ROOT_2
    exponent = ((2 * h * k)[:, None] * sine - (h * h + k * k)[:, None]) * (0.5 / (1 - sine * sine))
    chance = ndtr(h) * ndtr(k) + np.exp(exponent) @ (weights / 8)
    hazard = np.exp(-high * high / 2) * ndtr(low) / (_ROOT_2PI * chance)
    above = np.maximum(low, 0)
    return chance, above * above / 2, hazard


def _over_shock(high: Floats, low: Floats, d: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the same where c lies above the middle of the two means, by integration over the shock."""
    t, weights = _gauss_legendre(28)
    under = np.minimum(low, 0)
    rate = np.maximum(high + under, 0)
    reach = 76 / (rate + np.sqrt(rate * rate + 76))  # here the integrand has fallen by exp(-38)
    t = reach[:, None] * t
    x = low[:, None] + t
    below = np.minimum(x, 0)
    power = -high[:, None] * t - t * t / 2 + (under[:, None] - below) * (under[:, None] + below) / 2
    integral = reach * ((np.exp(power) * _scaled_cdf(x)) @ weights)
    above = np.where(low > 0, -d * (high + low) / 2, -(high * high + low * low) / 2)
    return integral / _ROOT_2PI, above, _scaled_cdf(low) / integral


def _below_cutpoint(high: Floats, low: Floats, d: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the same where c lies below the middle: all of the smaller kind less those who do not challenge."""
    t, weights = _gauss_legendre(28)
    total = high + low
    reach = 76 / (np.sqrt(total * total + 152) - total)
    t = reach[:, None] * t
    integral = reach * ((np.exp(total[:, None] * t - t * t) * erfcx((t - low[:, None]) / _ROOT_2)) @ weights) / 2
    drop = np.exp(-total * total / 4) / _ROOT_2PI
    factor = erfcx(d / 2) / 2 - drop * integral
    return factor, -d * d / 4, drop * _scaled_cdf(low) / factor


def _scaled_cdf(x: Floats) -> Floats:
    """Return the normal distribution function, below zero multiplied by exp(x^2 / 2)."""
    tail = erfcx(np.abs(x) / _ROOT_2) / 2
    scaled: Floats = np.where(x < 0, tail, 1 - tail * np.exp(-x * x / 2))
    return scaled


def _scaled_tail(x: Floats) -> Floats:
    return _scaled_cdf(-x)


@cache
def _gauss_legendre(n: int) -> tuple[Floats, Floats]:
    """Return nodes and weights on [0, 1], correct to the last digit: those of NumPy lose two at the ends."""
    nodes, weights = [], []
    with localcontext() as context:
        context.prec = 40
        for i in reversed(range(n)):
            x, slope = Decimal(cos(pi * (i + 0.75) / (n + 0.5))), Decimal(1)
            for _ in range(5):
                last, value = Decimal(1), x
                for k in range(2, n + 1):
                    last, value = value, ((2 * k - 1) * x * value - (k - 1) * last) / k
                slope = n * (x * value - last) / (x * x - 1)
                x -= value / slope
            nodes.append(float((1 + x) / 2))
            weights.append(float(1 / ((1 - x * x) * slope * slope)))
    return np.array(nodes), np.array(weights)


# -- B's best response ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Games:
    """Payoffs that matter, in standard deviations: B's best response is base + K o(S + stake (1 - p_R) / p_R)."""

    stake: Floats
    S: Floats
    W: Floats
    a: Floats
    base: Floats
    K: Floats

    def take(self, index: NDArray[np.int64]) -> _Games:
        return _Games(*(getattr(self, f.name)[index] for f in fields(self)))

    def cutpoint(self, z: Floats) -> Floats:
        """Return c, from upper tails where B nearly always resists; clipped where it overflows."""
        ratio = np.where(z > -_EDGE, ndtr(-z) / ndtr(z), np.exp(-log_ndtr(z)))
        return np.clip(self.S + np.where(self.stake == 0, 0.0, self.stake * ratio), -_FAR, _FAR)

    def response(self, z: Floats, precise: bool = False) -> _Response:
        """Return G and the three factors of its slope, shape (n,)."""
        c = self.cutpoint(z)
        smaller = _smaller_share(c, self.W, self.a, precise)
        odds = np.where(self.a > self.W, (1 - smaller.share) / smaller.share, smaller.share / (1 - smaller.share))
        gain = np.where(self.K == 0, 0.0, self.K * odds)
        steepness = np.exp(-z * z / 2 - 2 * log_ndtr(z)) / _ROOT_2PI
        return _Response(self.base + gain, np.abs(gain), smaller.hazards, steepness * np.abs(self.stake))


@dataclass(frozen=True, eq=False)
class _Response:
    """G(z), and the factors of the size of its slope: |K| o, the difference of hazards, and |dc/dz|."""

    value: Floats
    gain: Floats
    hazards: Floats
    steepness: Floats

    @property
    def slope(self) -> Floats:
        product = self.gain * self.hazards * self.steepness
        size: Floats = np.where(np.isfinite(product), product, 0.0)
        return size


# -- fixed points -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Brackets:
    """Intervals that hold exactly one root each; where both ends agree, the root itself."""

    game: NDArray[np.int64]
    left: Floats
    right: Floats

    @staticmethod
    def join(parts: list[_Brackets]) -> _Brackets:
        return _Brackets(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(_Brackets)))


def _roots(games: _Games) -> tuple[NDArray[np.int64], Floats]:
    """Return the number of equilibria of each game and their quantiles in order, padded with NaN."""
    n = len(games.S)
    sign = np.sign(games.stake) * np.sign(games.W - games.a) * np.sign(games.K)
    limits = [games.response(np.full(n, z)).value for z in (-np.inf, -_EDGE, _EDGE)]
    every = np.arange(n)
    low = (limits[1] < -_EDGE) | np.isneginf(limits[0])
    high = limits[2] > _EDGE
    outside = [_Brackets(every[where], at[where], at[where]) for where, at in ((low, limits[0]), (high, limits[2]))]
    span = np.stack([limits[0], limits[2]])
    wide = 1e-9 * (1 + np.abs(np.clip(span, -_EDGE, _EDGE)))
    left = np.clip((span - wide).min(axis=0), -_EDGE, _EDGE)
    right = np.clip((span + wide).max(axis=0), -_EDGE, _EDGE)
    single = np.flatnonzero((sign <= 0) & ~low & ~high)
    several = np.flatnonzero((sign > 0) & (left < right))
    parts = [*outside, _Brackets(single, left[single], right[single])]
    if several.size:
        parts.append(_isolated(games, several, left[several], right[several]))
    brackets = _Brackets.join(parts)
    z = _polished(games, sign, brackets)
    order = np.lexsort((z, brackets.game))
    game, z = brackets.game[order], z[order]
    count = np.bincount(game, minlength=n)
    place = np.arange(len(game)) - (np.cumsum(count) - count)[game]
    quantile = np.full((n, max(MOST, int(count.max(initial=0)))), np.nan)
    quantile[game, place] = z
    return count, quantile


def _isolated(games: _Games, game: NDArray[np.int64], left: Floats, right: Floats) -> _Brackets:
    """Return intervals with one root each of games whose best response rises."""
    steps = np.linspace(0, 1, _PANELS + 1)
    points = left[:, None] + (right - left)[:, None] * steps
    points[:, -1] = right
    ends = _stacked(games.take(np.repeat(game, _PANELS + 1)).response(points.ravel()), points.ravel())
    ends = ends.reshape(len(ends), len(game), _PANELS + 1)
    owner = np.repeat(game, _PANELS)
    start, stop = (part.reshape(len(ends), -1) for part in (ends[..., :-1], ends[..., 1:]))
    kept: list[_Brackets] = []
    while owner.size:
        z, value = (np.stack([start[i], stop[i]]) for i in (0, 1))
        factors = np.stack([start[2:], stop[2:]])
        steepest, flattest = (
            factors.max(axis=0).prod(axis=0) * (1 + 1e-9),
            factors.min(axis=0).prod(axis=0) * (1 - 1e-9),
        )
        rounding = 16 * _EPS * (1 + np.abs(z).max(axis=0) + np.abs(start[2]))
        possible = np.maximum(z[0], value[0]) <= np.minimum(z[1], value[1]) + rounding
        changes = (value[0] >= z[0]) != (value[1] >= z[1])
        monotone = (steepest < 1) | (flattest > 1)
        root = monotone & changes
        kept.append(_Brackets(owner[root], z[0, root], z[1, root]))
        undecided = possible & ~monotone
        narrow = undecided & (z[1] - z[0] < _NARROW)
        if narrow.any():
            kept.extend(_around_folds(games, owner[narrow], z[0, narrow], z[1, narrow]))
        split = undecided & ~narrow
        owner, start, stop = owner[split], start[:, split], stop[:, split]
        middle = (start[0] + stop[0]) / 2
        half = _stacked(games.take(owner).response(middle), middle)
        owner = np.concatenate([owner, owner])
        start, stop = np.concatenate([start, half], axis=1), np.concatenate([half, stop], axis=1)
    return _Brackets.join(kept)


def _stacked(response: _Response, z: Floats) -> Floats:
    return np.stack([z, response.value, response.gain, response.hazards, response.steepness])


def _around_folds(games: _Games, game: NDArray[np.int64], left: Floats, right: Floats) -> list[_Brackets]:
    """Return roots on narrow panels that hold a point of slope one: two, one at the fold itself, or none."""
    own = games.take(game)

    def excess(z: Floats) -> Floats:
        return own.response(z, precise=True).slope - 1

    at_left, at_right = excess(left), excess(right)
    low, high = left.copy(), right.copy()
    for _ in range(60):
        middle = (low + high) / 2
        same = (excess(middle) > 0) == (at_left > 0)
        low, high = np.where(same, middle, low), np.where(same, high, middle)
        if (high - low <= 4 * _EPS * np.maximum(1, np.abs(low))).all():
            break
    bent = (at_left > 0) != (at_right > 0)
    fold = np.where(bent, (low + high) / 2, right)
    gap = own.response(fold, precise=True).value - fold
    rounding = 4 * _EPS * (np.abs(own.base) + np.abs(gap + fold - own.base) + np.abs(fold))
    double = bent & (np.abs(gap) <= rounding)
    signs = [(own.response(z, precise=True).value >= z) for z in (left, fold, right)]
    first = ~double & (signs[0] != signs[1])
    second = ~double & bent & (signs[1] != signs[2])
    return [
        _Brackets(game[double], fold[double], fold[double]),
        _Brackets(game[first], left[first], fold[first]),
        _Brackets(game[second], fold[second], right[second]),
    ]


def _polished(games: _Games, sign: Floats, brackets: _Brackets) -> Floats:
    """Return the root in each bracket: Newton's method, halving the bracket where that is faster."""
    z = (brackets.left + brackets.right) / 2
    z[np.isneginf(brackets.left)] = -np.inf
    active = np.flatnonzero(brackets.left < brackets.right)
    own = games.take(brackets.game[active])
    rises = sign[brackets.game[active]]
    low, high = brackets.left[active].copy(), brackets.right[active].copy()
    x = z[active]
    # Whether G(z) - z is positive at the left end; unique games fall, so that there it always is.
    positive = np.ones(len(active), dtype=bool)
    climbing = rises > 0
    if climbing.any():
        positive[climbing] = own.take(np.flatnonzero(climbing)).response(low[climbing]).value >= low[climbing]
    last = high - low
    todo = np.arange(len(active))
    slopes = np.zeros(len(active))
    for _ in range(100):
        if not todo.size:
            break
        here = x[todo]
        response = own.take(todo).response(here)
        gap = response.value - here
        slope = rises[todo] * response.slope - 1
        slopes[todo] = slope
        leftward = (gap >= 0) == positive[todo]  # the root lies to the right of here
        low[todo] = np.where(leftward, here, low[todo])
        high[todo] = np.where(leftward, high[todo], here)
        step = -gap / slope
        target = here + step
        newton = (target > low[todo]) & (target < high[todo]) & (np.abs(2 * gap) <= np.abs(last[todo] * slope))
        target = np.where(newton, target, (low[todo] + high[todo]) / 2)
        target = np.where(gap == 0, here, target)
        last[todo] = np.where(newton, np.abs(step), high[todo] - low[todo])
        x[todo] = target
        todo = todo[np.abs(target - here) > 2 * _EPS * np.maximum(1, np.abs(here))]
    ill = np.flatnonzero(np.abs(slopes) < _ILL)
    if ill.size:
        part, low, high = own.take(ill), brackets.left[active[ill]], brackets.right[active[ill]]
        for _ in range(4):
            response = part.response(x[ill], precise=True)
            step = (response.value - x[ill]) / (1 - rises[ill] * response.slope)
            x[ill] = np.clip(x[ill] + np.where(np.isfinite(step), step, 0), low, high)
    z[active] = x
    return z


def _described(games: _Games, count: NDArray[np.int64], quantile: Floats, shape: tuple[int, ...]) -> CrisisEquilibria:
    """Return all chances at the equilibria."""
    n, most = quantile.shape
    there = np.flatnonzero(~np.isnan(quantile.ravel()))
    z = quantile.ravel()[there]
    own = games.take(there // most)
    log_challenge, log_firm, log_back = challenger(own.cutpoint(z), own.W, own.a)
    sign = np.sign(own.stake) * np.sign(own.W - own.a) * np.sign(own.K)
    limit = np.isneginf(z)
    log_challenge = np.where(limit, -np.inf, log_challenge)
    log_firm, log_back = np.where(limit, -np.inf, log_firm), np.where(limit, 0.0, log_back)
    slope = np.where(limit, 0.0, sign * own.response(z, precise=True).slope)

    def placed(values: Floats) -> Floats:
        array = np.full(n * most, np.nan)
        array[there] = values
        array = array.reshape(*shape, most)
        array.flags.writeable = False
        return array

    return CrisisEquilibria(
        count=count.reshape(shape),
        quantile=placed(z),
        p_R=placed(ndtr(z)),
        p_C=placed(np.exp(log_challenge)),
        p_F=placed(np.exp(log_firm)),
        log_p_C=placed(log_challenge),
        log_p_F=placed(log_firm),
        log_p_B=placed(log_back),
        slope=placed(slope),
        unique=(np.sign(games.stake) * np.sign(games.W - games.a) * np.sign(games.K) <= 0).reshape(shape),
    )

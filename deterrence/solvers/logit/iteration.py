r"""Logit equilibria of many games of one tree by accelerated fixed-point iteration, for moderate precisions.

The log-odds y at a precision solve :math:`y = \lambda (q(y) - q_0(y))`. Some sets are *kept*: given their play that of
the others follows, layer by layer, and then the response of the kept sets to it (``order``). Only these few log-odds
are iterated, for thousands of games at once, with the secant acceleration of Anderson [1]_ over the last few steps,
while the precision grows to its target in short steps: each starts from a straight line through the last two, so that
the principal branch is followed. A game that lands far from that line, or does not settle quickly, is left to Newton's
method (``branch``). All but the last digits are found in single precision.

References
----------
.. [1] D. Anderson, "Iterative Procedures for Nonlinear Integral Equations", J. ACM 12 (1965), 547-560.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.logit.order import Layer, Plan, plan_of
from deterrence.solvers.logit.system import LogitSystem

_STEP = 1.5  # precision times payoff span by which the target is approached
_MOST = 40.0  # beyond this precision times span, iteration is not worth trying
_SETTLED, _NEARLY = 1e-12, 1e-2  # change of log-odds in the last step of the path, and in those before
_SINGLE = 1e-4  # change down to which single precision is good
_JUMP = 1.0  # log-odds by which a straight line may miss; beyond, another branch may have been met
_ROUNDS = 60
_MEMORY = 4  # steps that the acceleration looks back
_TILE = 2048  # games whose arrays fit the cache together
_SINGLE_RANGE = 60.0  # log of the least probability of a path that single precision still holds, with room


def iterate(system: LogitSystem, precision: Array) -> tuple[Array, Array]:
    """Return log-odds, shape (N, A - I), at precisions of shape (N, I), and which games did not settle.

    Parameters
    ----------
    system : LogitSystem
        A flat batch of N games.
    precision : ndarray, shape (N, I)
        By information set, with payoffs divided by their spans.
    """
    count = len(precision)
    if not system.unknowns or not count:
        return np.zeros((count, system.unknowns)), np.zeros(count, dtype=bool)
    most = precision.max(axis=1)
    steps = np.where(most <= _MOST, np.maximum(np.ceil(most / _STEP), 1), 0).astype(np.int64)
    plan = plan_of(system.layout)
    y = np.zeros((system.unknowns, count))
    slow = np.ones(count, dtype=bool)
    with np.errstate(all="ignore"):  # what leaves the range of numbers does not settle
        for k in np.unique(steps[steps > 0]):  # games that need as many steps go together
            group = np.flatnonzero(steps == k)
            for start in range(0, len(group), _TILE):
                tile = group[start : start + _TILE]
                y[:, tile], slow[tile] = _walk(_maps(system, plan, precision[tile], tile), int(k))
    return np.ascontiguousarray(y.T), slow


def _walk(maps: _Maps, steps: int) -> tuple[Array, Array]:
    """Raise the precision to its target in equal steps; return log-odds, and which games did not settle."""
    single = steps * _STEP * maps.plan.depth <= _SINGLE_RANGE
    early = maps.astype(np.float32) if single else maps
    kept = maps.plan.kept
    before = np.zeros_like(early.rate)
    guess = early(before[kept], 1 / steps)[maps.plan.back]
    slow = np.zeros(guess.shape[1], dtype=bool)
    for k in range(1, steps + 1):
        y, missed = _settle(early, guess[kept], k / steps, _NEARLY if k < steps else _SINGLE)
        slow |= missed
        guess -= y
        slow |= ~(np.abs(guess, out=guess).max(axis=0) <= _JUMP)
        np.subtract(2 * y, before, out=guess)
        before = y
    y, missed = _settle(maps, y[kept].astype(np.float64), 1.0, _SETTLED * (1 + steps * _STEP))
    return y, slow | missed


def _settle(maps: _Maps, y: Array, share: float, bound: float) -> tuple[Array, Array]:
    """Iterate until every game's change is within the bound, or rounds run out.

    Takes log-odds of the kept sets; returns those of all sets, and which games did not settle.
    """
    result = np.empty_like(maps.rate)
    games = np.arange(y.shape[1])
    missed = np.zeros(y.shape[1], dtype=bool)
    memory = min(_MEMORY, len(y))  # no more directions than unknowns
    gaps: list[Array] = []  # last changes of gap and image, newest first
    images: list[Array] = []
    before = gap_before = y
    settled = missed
    for k in range(_ROUNDS):
        everything = maps(y, share)
        image = everything[: len(y)]
        gap = image - y
        settled = np.abs(gap).max(axis=0, initial=0.0) <= bound
        left = len(games) - np.count_nonzero(settled)
        if 2 * left <= len(games):  # go on with those that need it
            result[:, games] = everything
            if not left:
                return result[maps.plan.back], missed
            rest = np.flatnonzero(~settled)
            games, maps = games[rest], maps.some(rest)
            image, gap, before, gap_before = image[:, rest], gap[:, rest], before[:, rest], gap_before[:, rest]
            gaps, images = [g[:, rest] for g in gaps], [m[:, rest] for m in images]
            settled = settled[rest]
        if k:
            gaps = [gap - gap_before, *gaps[: memory - 1]]
            images = [image - before, *images[: memory - 1]]
        before, gap_before = image, gap
        y = _accelerated(image, gap, gaps, images)
    result[:, games] = maps(y, share)
    missed[games[~settled]] = True
    return result[maps.plan.back], missed


def _accelerated(image: Array, gap: Array, gaps: list[Array], images: list[Array]) -> Array:
    """Return the image less the combination of past changes that takes most of the gap away (Gram and Schmidt)."""
    basis: list[tuple[Array, Array, Array]] = []
    tiny = np.finfo(image.dtype).tiny
    for change, moved in zip(gaps, images, strict=True):
        for direction, carried, size in basis:
            weight = _dot(direction, change) / size
            change = change - weight * direction
            moved = moved - weight * carried
        size = np.maximum(_dot(change, change), tiny)
        weight = _dot(change, gap) / size
        np.clip(weight, -2.0, 2.0, out=weight)
        image = image - weight * moved
        basis.append((change, moved, size))
    return image


def _dot(a: Array, b: Array) -> Array:
    result: Array = np.einsum("ij,ij->j", a, b)
    return result


@dataclass(eq=False)
class _Maps:
    """The logit response of some games, with games along the last axis; unknowns stand in the order of the plan.

    Attributes
    ----------
    plan : Plan
    rate : ndarray, shape (U, N)
        Precision at each unknown.
    worth : list of ndarray, shapes (E, N)
        By layer, payoff of each pair's player at its end, times the probability of chance.
    chance : list of ndarray, shapes (X, N) or (X, 1)
        By layer, probability of chance on the way to each node.
    """

    plan: Plan
    rate: Array
    worth: list[Array]
    chance: list[Array]

    def some(self, chosen: Array) -> _Maps:
        """Return the maps of some games."""
        chance = [c if c.shape[1] == 1 else c[:, chosen] for c in self.chance]
        return _Maps(self.plan, self.rate[:, chosen], [w[:, chosen] for w in self.worth], chance)

    def astype(self, dtype: Any) -> _Maps:
        """Return the maps in another precision."""
        worth, chance = [w.astype(dtype) for w in self.worth], [c.astype(dtype) for c in self.chance]
        return _Maps(self.plan.astype(dtype), self.rate.astype(dtype), worth, chance)

    def __call__(self, kept: Array, share: float) -> Array:
        """Return log-odds of all sets, shape (U, N): those of the kept ones as the response to all the others."""
        plan = self.plan
        y = np.empty_like(self.rate)
        shares = np.empty((plan.count + 1, y.shape[1]), dtype=y.dtype)  # the last stands for no action
        shares[plan.sure] = 1
        _play(shares, kept, plan.layers[-1])
        for layer, worth, chance in zip(plan.layers, self.worth, self.chance, strict=True):
            part = y[layer.rows]
            _gaps(shares, layer, worth, chance, part)
            part *= self.rate[layer.rows]
            if share != 1:
                part *= share
            if layer is not plan.layers[-1]:
                _play(shares, part, layer)
        return y


def _play(shares: Array, y: Array, layer: Layer) -> None:
    """Set the probabilities of a layer's actions to those of its log-odds."""
    odds = np.exp(y)
    total = odds if layer.binary else layer.sums @ odds
    total = total + 1
    first = np.divide(1, total, out=total)
    shares[layer.first] = first
    odds *= first if layer.binary else first[layer.home]
    shares[layer.free] = odds


def _gaps(shares: Array, layer: Layer, worth: Array, chance: Array, result: Array) -> None:
    """Write the payoff of each of a layer's unknowns against the first action of its set."""
    weights = worth
    for k, line in enumerate(layer.others):
        weights = np.multiply(weights, shares[line], out=weights if k else None)
    np.matmul(layer.signs, weights, out=result)
    reach = chance
    for line in layer.above:
        reach = reach * shares[line]
    mass = layer.nodes @ reach
    result /= mass if layer.binary else mass[layer.home]


def _maps(system: LogitSystem, plan: Plan, precision: Array, games: Array) -> _Maps:
    shared = system.end_chance.strides[0] == 0
    ends = np.exp(system.end_chance[:1] if shared else system.end_chance[games]).T
    nodes = np.exp(system.node_chance[:1] if shared else system.node_chance[games]).T
    worth = system.worth[games]
    return _Maps(
        plan,
        np.ascontiguousarray(precision.T)[plan.sets],
        [worth[:, layer.owner, layer.end].T * ends[layer.end] for layer in plan.layers],
        [nodes[layer.node] for layer in plan.layers],
    )

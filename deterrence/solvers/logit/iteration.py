r"""Logit equilibria of many games of one tree by accelerated fixed-point iteration, for moderate precisions.

The log-odds y at a precision solve :math:`y = \lambda (q(y) - q_0(y))`. The right side is cheap to evaluate for
thousands of games at once, so it is iterated, with the secant acceleration of Anderson [1]_ over the last few steps,
while the precision grows to its target in short steps: each starts where the last ended, so that the principal branch
is followed. All but the last digits are found in single precision. Games that do not settle quickly are left to
Newton's method (``logit_branch``).

References
----------
.. [1] D. Anderson, "Iterative Procedures for Nonlinear Integral Equations", J. ACM 12 (1965), 547-560.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.logit.system import Layout, LogitSystem

_STEP = 4.0  # precision times payoff span by which the target is approached
_MOST = 40.0  # beyond this precision times span, iteration is not worth trying
_SETTLED, _NEARLY = 1e-12, 1e-2  # change of log-odds in the last step of the path, and in those before
_SINGLE = 1e-4  # change down to which single precision is good
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
    y = np.zeros((system.unknowns, count))
    slow = np.ones(count, dtype=bool)
    with np.errstate(all="ignore"):  # what leaves the range of numbers does not settle
        for k in np.unique(steps[steps > 0]):  # games that need as many steps go together
            group = np.flatnonzero(steps == k)
            for start in range(0, len(group), _TILE):
                tile = group[start : start + _TILE]
                y[:, tile], slow[tile] = _walk(_maps(system, precision[tile], tile), int(k))
    return np.ascontiguousarray(y.T), slow


def _walk(maps: _Maps, steps: int) -> tuple[Array, Array]:
    """Raise the precision to its target in equal steps; return log-odds, and which games did not settle."""
    single = steps * _STEP * maps.plan.depth <= _SINGLE_RANGE
    early = maps.astype(np.float32) if single else maps
    y = np.zeros_like(early.rate)
    slow = np.zeros(y.shape[1], dtype=bool)
    for k in range(1, steps + 1):
        y, missed = _settle(early, y, k / steps, _NEARLY if k < steps else _SINGLE)
        slow |= missed
    y, missed = _settle(maps, y.astype(np.float64), 1.0, _SETTLED * (1 + steps * _STEP))
    return y, slow | missed


def _settle(maps: _Maps, y: Array, share: float, bound: float) -> tuple[Array, Array]:
    """Iterate until every game's change is within the bound, or rounds run out; return which games it is not for."""
    result = np.empty_like(y)
    games = np.arange(y.shape[1])
    before = maps(y, share)
    gap_before = before - y
    y = before
    gaps: list[Array] = []  # last changes of gap and image, newest first
    images: list[Array] = []
    settled = np.zeros(y.shape[1], dtype=bool)
    for _ in range(_ROUNDS):
        image = maps(y, share)
        gap = image - y
        settled = np.maximum(gap.max(axis=0), -gap.min(axis=0)) <= bound
        left = len(games) - np.count_nonzero(settled)
        if 2 * left <= len(games):  # go on with those that need it
            result[:, games] = image
            if not left:
                return result, np.zeros(len(result[0]), dtype=bool)
            rest = np.flatnonzero(~settled)
            games, maps = games[rest], maps.some(rest)
            image, gap, before, gap_before = image[:, rest], gap[:, rest], before[:, rest], gap_before[:, rest]
            gaps, images = [g[:, rest] for g in gaps], [m[:, rest] for m in images]
            settled = settled[rest]
        gaps = [gap - gap_before, *gaps[: _MEMORY - 1]]
        images = [image - before, *images[: _MEMORY - 1]]
        before, gap_before = image, gap
        y = _accelerated(image, gap, gaps, images)
    result[:, games] = before
    missed = np.zeros(result.shape[1], dtype=bool)
    missed[games[~settled]] = True
    return result, missed


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


@dataclass(frozen=True, eq=False)
class _Plan:
    """What the maps of all games of one layout share.

    Attributes
    ----------
    depth : int
        Most actions on a path.
    groups : ndarray, shape (I, U)
        Which unknowns belong to each information set.
    paths : ndarray, shape (Z, U + I)
        Log probability of an end from the log-odds and the log normalisers.
    below : ndarray, shape (U, Z)
        Ends below the information set of each unknown.
    mine : list of ndarray of int
        The unknowns of each player who has any.
    after : list of ndarray, shapes (2 n, Z)
        Ends after each of the player's unknowns, then after the actions that they are compared with.
    players : ndarray of int
    """

    depth: int
    groups: Array
    paths: Array
    below: Array
    mine: list[Array]
    after: list[Array]
    players: Array
    sets: Array


@lru_cache(maxsize=32)
def _plan(layout: Layout, dtype: Any) -> _Plan:
    ends = np.arange(layout.end_slots.shape[1])
    after = np.zeros((layout.count + 1, len(ends)))
    for line in layout.end_slots:
        after[line, ends] = 1
    after = after[: layout.count]
    below = np.add.reduceat(after, layout.first, axis=0)
    owner = layout.player[layout.free_set]
    players = np.unique(owner)
    mine = [np.flatnonzero(owner == i) for i in players]
    groups = layout.free_set == np.arange(len(layout.first))[:, None]
    return _Plan(
        depth=len(layout.end_slots),
        groups=groups.astype(dtype),
        paths=np.hstack([after[layout.free].T, -below.T]).astype(dtype),
        below=below[layout.free_set].astype(dtype),
        mine=mine,
        after=[np.vstack([after[layout.free[m]], after[layout.against[m]]]).astype(dtype) for m in mine],
        players=players,
        sets=layout.free_set,
    )


@dataclass(frozen=True, eq=False)
class _Maps:
    """The logit response of some games to log-odds, with games along the last axis.

    Attributes
    ----------
    rate : ndarray, shape (U, N)
        Precision at each unknown.
    chance : ndarray, shape (Z, N) or (Z, 1)
        Log probability of chance.
    worth : list of ndarray, shape (Z, N)
        Payoffs of each of the plan's players.
    """

    layout: Layout
    plan: _Plan
    rate: Array
    chance: Array
    worth: list[Array]

    def some(self, chosen: Array) -> _Maps:
        """Return the maps of some games."""
        chance = self.chance if self.chance.shape[1] == 1 else self.chance[:, chosen]
        return _Maps(self.layout, self.plan, self.rate[:, chosen], chance, [w[:, chosen] for w in self.worth])

    def astype(self, dtype: Any) -> _Maps:
        """Return the maps in another precision."""
        worth = [w.astype(dtype) for w in self.worth]
        return _Maps(self.layout, _plan(self.layout, dtype), self.rate.astype(dtype), self.chance.astype(dtype), worth)

    def __call__(self, y: Array, share: float) -> Array:
        plan = self.plan
        odds = np.exp(y)
        total = plan.groups @ odds
        total += 1
        reach = plan.paths @ np.concatenate([y, np.log(total)])
        reach += self.chance
        np.exp(reach, out=reach)
        mass = plan.below @ reach
        mass /= total[plan.sets]
        image = np.empty_like(y)
        work = np.empty_like(reach)
        for mine, after, worth in zip(plan.mine, plan.after, self.worth, strict=True):
            np.multiply(reach, worth, out=work)
            value = after @ work
            gain = value[: len(mine)]
            gain /= odds[mine]
            gain -= value[len(mine) :]
            image[mine] = gain
        image /= mass
        image *= self.rate
        if share != 1:
            image *= share
        return image


def _maps(system: LogitSystem, precision: Array, games: Array) -> _Maps:
    plan = _plan(system.layout, np.float64)
    chance = system.end_chance
    shared = chance.strides[0] == 0
    return _Maps(
        system.layout,
        plan,
        np.ascontiguousarray(precision.T)[plan.sets],
        np.ascontiguousarray((chance[:1] if shared else chance[games]).T),
        [system.worth[:, i].T[:, games] for i in plan.players],
    )

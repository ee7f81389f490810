"""Pure profiles from which no agent gains, all at once: the candidates for pure sequential equilibria.

Each information set is an agent with its player's payoffs. Every pure profile is a cell of one table with an axis
for each information set; the table is summed up from the ends, each of which depends only on the sets on its path,
by merging ends whose remaining sets agree. A cell survives if no agent gains along its own axis.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm, prod
from typing import Any

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array

_MOST_BITS = 2**62


class TooManyProfiles(SolverError):
    """More pure profiles than are looked at; the message says what is left out."""


def pure_candidates(stage: ExtensiveGame, limit: int) -> Array:
    """Return the pure profiles from which no single information set gains, shape (K, A).

    Parameters
    ----------
    stage : ExtensiveGame
        A single game in rationals.
    limit : int
        Most pure profiles (cells of the table, times players).

    Raises
    ------
    TooManyProfiles
        If there are more.
    """
    sets = stage.infosets
    widths = [len(s.actions) for s in sets]
    movers = sorted({s.player for s in sets})
    if not sets:
        return np.zeros((1, 0), dtype=object)
    if prod(widths) * max(len(movers), 1) > limit:
        raise TooManyProfiles(
            f"pure equilibria of {len(sets)} information sets with {prod(widths):,} pure profiles, more than {limit:,}"
        )
    table = _agent_table(stage, movers)  # (widths..., movers)
    stable = np.ones(widths, dtype=bool)
    for k, s in enumerate(sets):
        mine = table[..., movers.index(s.player)]
        stable &= np.asarray(mine == mine.max(axis=k, keepdims=True), dtype=bool)
    cells = np.argwhere(stable)
    actions = np.zeros((len(cells), stage.topology.action_count), dtype=object)
    first = np.array([s.first for s in sets], dtype=np.int64)
    actions[:] = Fraction(0)
    for row, chosen in zip(actions, first + cells, strict=True):
        row[chosen] = Fraction(1)
    return actions


def _agent_table(stage: ExtensiveGame, movers: list[int]) -> Array:
    """Return the expected payoff of each moving player by pure profile, shape (widths..., movers), in whole numbers.

    Each player's is scaled by itself; 64 bits where they fit.
    """
    topology = stage.topology
    chance = np.array(_over_one_denominator(stage.chance), dtype=object)
    payoffs = np.stack([np.array(_over_one_denominator(stage.payoffs[:, i]), dtype=object) for i in movers], axis=1)
    sets = topology.infosets
    count = topology.action_count
    choice = np.full((topology.size, len(sets)), -1, dtype=np.int16)
    unit = lcm(*(x.denominator for x in stage.chance.tolist()))
    weight = np.array([1] * topology.size, dtype=object)
    draws = np.zeros(topology.size, dtype=np.int64)  # chance moves before each node: weights have so many units
    first = np.array([s.first for s in sets], dtype=np.int64)
    for level in topology.levels[1:]:
        above, slot = topology.parent[level], topology.slot[level]
        choice[level] = choice[above]
        weight[level], draws[level] = weight[above], draws[above] + (slot >= count)
        acted = slot < count
        infoset = topology.infoset[above[acted]]
        choice[level[acted], infoset] = slot[acted] - first[infoset]
        weight[level[~acted]] = weight[level[~acted]] * chance[slot[~acted] - count]
    ends = topology.terminal
    most = int(draws[ends].max(initial=0))
    scale = np.array([unit ** (most - int(k)) for k in draws[ends]], dtype=object)
    values = (weight[ends] * scale)[:, None] * payoffs
    if int(np.abs(values).sum(axis=0).max()) < _MOST_BITS:
        values = values.astype(np.int64)
    return _merged(choice[ends], values, [len(s.actions) for s in sets])


def _over_one_denominator(numbers: Array) -> list[int]:
    unit = lcm(*(x.denominator for x in numbers.tolist()))
    return [x.numerator * (unit // x.denominator) for x in numbers.tolist()]


def _merged(choice: Array, values: Array, widths: list[int]) -> Array:
    """Sum of the ends' values over all profiles that lead to them."""
    met = choice >= 0
    keys, group = np.unique(np.packbits(met, axis=1), axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(len(keys) + 1))
    parts: dict[frozenset[int], tuple[tuple[int, ...], Array]] = {}  # sets left -> (axes of the array, array)
    for g in range(len(keys)):
        rows = order[bounds[g] : bounds[g + 1]]
        axes = tuple(int(k) for k in np.flatnonzero(met[rows[0]]))
        shape = tuple(widths[k] for k in axes)
        array = np.zeros((*shape, values.shape[1]), dtype=values.dtype)
        if axes:
            np.add.at(array, tuple(choice[rows][:, axes].T), values[rows])
        else:
            array += values[rows].sum(axis=0)
        parts[frozenset(axes)] = (axes, array)
    done: list[int] = []
    for k in range(len(widths)):
        done.append(k)
        merged: dict[frozenset[int], tuple[tuple[int, ...], Array]] = {}
        for left, (axes, array) in parts.items():
            key = left - {k}
            if key in merged:
                axes, array = _sum(merged[key], (axes, array), widths)
            merged[key] = (axes, array)
        parts = merged
    ((axes, array),) = parts.values()
    missing = [k for k in range(len(widths)) if k not in axes]
    for k in missing:
        position = sum(a < k for a in axes)
        array = np.repeat(np.expand_dims(array, position), widths[k], axis=position)
        axes = (*axes[:position], k, *axes[position:])
    return array


def _sum(
    one: tuple[tuple[int, ...], Array], other: tuple[tuple[int, ...], Array], widths: list[int]
) -> tuple[tuple[int, ...], Array]:
    axes = tuple(sorted({*one[0], *other[0]}))
    total: Any = 0
    for mine, array in (one, other):
        shape = tuple(widths[k] if k in mine else 1 for k in axes)
        total = total + array.reshape((*shape, array.shape[-1]))
    return axes, total

"""Pure profiles from which no agent gains, all at once: the candidates for pure sequential equilibria.

Each information set is an agent with its player's payoffs. Every pure profile is a cell of one table with an axis
for each information set; the table is summed up from the ends, each of which depends only on the sets on its path,
by merging ends whose remaining sets agree. A cell survives if no agent gains along its own axis.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float


def pure_candidates(stage: ExtensiveGame, tol: float, limit: int) -> Array:
    """Return the pure profiles from which no single information set gains, shape (K, A).

    Parameters
    ----------
    stage : ExtensiveGame
        A single game with numbers.
    tol : float
        Gains up to ``tol`` times the player's payoff span count as none.
    limit : int
        Most pure profiles (cells of the table, times players).

    Raises
    ------
    SolverError
        If there are more.
    """
    exact = stage.kind == "exact"
    sets = stage.infosets
    widths = [len(s.actions) for s in sets]
    movers = sorted({s.player for s in sets})
    if not sets:
        return np.zeros((1, 0), dtype=object if exact else np.float64)
    if prod(widths) * max(len(movers), 1) > limit:
        raise SolverError(
            f"{len(sets)} information sets have {prod(widths):,} pure profiles, more than the limit of {limit:,} "
            "(50 times limit); raise limit, or trace qre for one equilibrium"
        )
    table = _agent_table(stage, movers)  # (widths..., movers)
    spans = as_float(stage.payoffs)
    stable = np.ones(widths, dtype=bool)
    for k, s in enumerate(sets):
        mine = table[..., movers.index(s.player)]
        slack = 0 if exact else tol * max(float(np.ptp(spans[:, s.player])), np.finfo(float).tiny)
        stable &= np.asarray(mine >= mine.max(axis=k, keepdims=True) - slack, dtype=bool)
    cells = np.argwhere(stable)
    dtype = object if exact else np.float64
    actions = np.zeros((len(cells), stage.topology.action_count), dtype=dtype)
    first = np.array([s.first for s in sets], dtype=np.int64)
    if exact:
        actions[:] = Fraction(0)
        for row, chosen in zip(actions, first + cells, strict=True):
            row[chosen] = Fraction(1)
    else:
        np.put_along_axis(actions, first + cells, 1.0, axis=1)
    return actions


def _agent_table(stage: ExtensiveGame, movers: list[int]) -> Array:
    """Return the expected payoff of each moving player by pure profile, shape (widths..., movers)."""
    topology = stage.topology
    exact = stage.kind == "exact"
    chance = stage.chance if exact else as_float(stage.chance)
    payoffs = (stage.payoffs if exact else as_float(stage.payoffs))[:, movers]
    sets = topology.infosets
    count = topology.action_count
    choice = np.full((topology.size, len(sets)), -1, dtype=np.int16)
    weight = np.ones(topology.size, dtype=payoffs.dtype)
    first = np.array([s.first for s in sets], dtype=np.int64)
    for level in topology.levels[1:]:
        above, slot = topology.parent[level], topology.slot[level]
        choice[level] = choice[above]
        weight[level] = weight[above]
        acted = slot < count
        infoset = topology.infoset[above[acted]]
        choice[level[acted], infoset] = slot[acted] - first[infoset]
        weight[level[~acted]] = weight[level[~acted]] * chance[slot[~acted] - count]
    ends = topology.terminal
    return _merged(choice[ends], weight[ends][:, None] * payoffs, [len(s.actions) for s in sets])


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

"""Backward induction in a tree of perfect information: one pass for the best actions, or every way to break ties."""

from __future__ import annotations

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float, exact_distribution
from deterrence.games.topology import CHANCE, TERMINAL, Topology
from deterrence.solvers.budget import Budget
from deterrence.solvers.predicates import UNIT, merge, read

_LEAST = 2.0**-1000
_MOST_ENTRIES = 5_000_000  # equilibria times nodes that are listed, in memory


def pure_profiles(game: ExtensiveGame, budget: Budget) -> tuple[Array, list[int]]:
    """Return every pure subgame-perfect profile, shape (K, A), and the information sets where some tie was met."""
    if game.kind == "float":
        actions, tied, unsure = _induction(game.topology, as_float(game.payoffs), as_float(game.chance))
        if not (tied.any() or unsure.any()):
            return actions[None], []
    # without chance values are payoffs as they were given: floats then compare as exactly as rationals
    return _all_choices(game.exact() if game.chance.size else game, budget)


def backward(game: ExtensiveGame, tol: float) -> tuple[Array, Array]:
    """Pure actions, shape (..., A), and whether sets are tied, shape (..., I): in floats, in rationals where unsure."""
    topology = game.topology
    payoffs, chance = as_float(game.payoffs), as_float(game.chance)
    if tol:
        flat = payoffs.reshape(-1, *payoffs.shape[-2:])
        merged = [[merge(one[:, i], tol) for i in range(one.shape[1])] for one in flat]
        payoffs = as_float(np.moveaxis(np.array(merged, dtype=object), 1, 2)).reshape(payoffs.shape)
    actions, tied, unsure = _induction(topology, payoffs, chance)
    shape = game.batch_shape
    payoffs = np.broadcast_to(payoffs, (*shape, *payoffs.shape[-2:]))
    chance = np.broadcast_to(chance, (*shape, *chance.shape[-1:]))
    where = np.nonzero(unsure) if shape else ((np.array([], dtype=int),) if not unsure else ())
    if unsure.any():
        exact = [
            np.moveaxis(np.vectorize(read, otypes=[object])(payoffs[where]), 0, 0),
            _distributions(game, chance[where]),
        ]
        actions[where], tied[where], _ = _induction(topology, *exact)
    return actions, tied


def _distributions(game: ExtensiveGame, chance: Array) -> Array:
    """Return chance in rationals, the probabilities of each move of nature summing to one."""
    result = np.empty(chance.shape, dtype=object)
    for group in game.topology.chance_sets:
        for index in np.ndindex(chance.shape[:-1]):
            result[(*index, group)] = exact_distribution(chance[(*index, group)])
    return result


def _induction(topology: Topology, payoffs: Array, chance: Array) -> tuple[Array, Array, Array]:
    """One pass from the last level up: pure actions, whether sets are tied, and whether rounding may have decided.

    Payoffs of shape (..., Z, P) and chance of shape (..., C), floats or rationals. A value in floats comes with a bound
    on its error; payoffs as given have none, for floats are in the order of the decimals that they print as.
    """
    exact = payoffs.dtype == object
    batch = np.broadcast_shapes(payoffs.shape[:-2], chance.shape[:-1])
    count = topology.action_count
    shape = (topology.size, len(topology.players), *batch)  # batch last: rows of nodes are contiguous
    values = np.zeros(shape, dtype=payoffs.dtype)
    errors = np.zeros(shape)
    values[topology.terminal] = np.moveaxis(np.broadcast_to(payoffs, batch + payoffs.shape[-2:]), (-2, -1), (0, 1))
    chance = np.moveaxis(np.broadcast_to(chance, batch + chance.shape[-1:]), -1, 0)
    chosen = np.zeros((count, *batch))
    tied = np.zeros((len(topology.infosets), *batch), dtype=bool)
    unsure = np.zeros(batch, dtype=bool)
    for level in reversed(topology.levels[:-1]):
        for node in level[topology.owner[level] == CHANCE]:
            below = np.array(topology.children[node])
            weights = chance[topology.slot[below] - count][:, None]
            values[node] = (weights * values[below]).sum(axis=0)
            if not exact:
                size = (weights * np.abs(values[below])).sum(axis=0)
                errors[node] = (weights * errors[below]).sum(axis=0) + (len(below) + 3) * 2 * UNIT * size + _LEAST
        owners = topology.owner[level]
        widths = np.array([len(topology.children[node]) for node in level])
        for player, width in {(int(o), int(w)) for o, w in zip(owners, widths, strict=True) if o >= 0}:
            nodes = level[(owners == player) & (widths == width)]
            below = np.array([topology.children[node] for node in nodes])  # (nodes, actions)
            mine = values[below, player]  # (nodes, actions, ...)
            best = mine.max(axis=1)
            near = np.asarray(mine == best[:, None], dtype=bool)
            pick = near.argmax(axis=1)  # first of the tied
            several = near.sum(axis=1) > 1
            if not exact:
                bound = errors[below, player]
                top = np.take_along_axis(bound, pick[:, None], axis=1)[:, 0]
                reading = np.where((bound > 0) | (top[:, None] > 0), 4 * UNIT * np.abs(mine) + _LEAST, 0.0)
                close = mine + bound + top[:, None] + 2 * reading >= best[:, None]
                blurred = close.sum(axis=1) > 1
                blurred &= (np.where(close, bound, 0.0).max(axis=1) > 0) | (top > 0)
                unsure |= blurred.any(axis=0)
                errors[nodes] = np.take_along_axis(errors[below], pick[:, None, None], axis=1)[:, 0]
            tied[topology.infoset[nodes]] = several
            values[nodes] = np.take_along_axis(values[below], pick[:, None, None], axis=1)[:, 0]
            marks = np.arange(width).reshape(1, width, *[1] * len(batch)) == pick[:, None]
            chosen[topology.slot[below]] = marks
    return np.ascontiguousarray(np.moveaxis(chosen, 0, -1)), np.moveaxis(tied, 0, -1), unsure


def _all_choices(game: ExtensiveGame, budget: Budget) -> tuple[Array, list[int]]:
    """Backward induction on K profiles at once; a tie makes copies of the profiles that meet it."""
    topology = game.topology
    payoffs, chance = game.payoffs, game.chance
    most = min(budget.limit or _MOST_ENTRIES, max(1, _MOST_ENTRIES // topology.size))
    values: dict[int, Array] = {}  # node -> (K, P), kept until its parent is settled
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    choice = np.zeros((1, len(game.infosets)), dtype=np.int32)
    tied = set()
    for node in range(topology.size - 1, -1, -1):
        if topology.owner[node] == TERMINAL:
            values[node] = np.broadcast_to(payoffs[ends[node]], (len(choice), payoffs.shape[1]))
            continue
        below = topology.children[node]
        if topology.owner[node] == CHANCE:
            weights = [chance[topology.slot[c] - topology.action_count] for c in below]
            values[node] = sum((w * values.pop(c) for w, c in zip(weights, below, strict=True)), start=0 * payoffs[0])
            continue
        player, infoset = int(topology.owner[node]), int(topology.infoset[node])
        options = np.stack([values.pop(c) for c in below], axis=1)  # (K, actions, P)
        mine = options[:, :, player]
        near = np.asarray(mine == mine.max(axis=1)[:, None], dtype=bool)
        rows, picks = np.nonzero(near)
        if len(rows) > len(choice):
            tied.add(infoset)
            if len(rows) > most or not budget.spend(0):
                if not budget.unsearched:
                    budget.skip(
                        f"all but {most:,} of the ways to break ties, from that at {game.infosets[infoset].key!r} on "
                        f"({budget.reason or f'limit={most:,} equilibria'} reached)"
                    )
                fill = most - len(choice)
                first = np.flatnonzero(np.r_[True, np.diff(rows) != 0])
                others = np.setdiff1d(np.arange(len(rows)), first)[: max(fill, 0)]
                kept = np.sort(np.r_[first, others])  # each profile so far goes on, and as many copies as there is room
                rows, picks = rows[kept], picks[kept]
        if len(rows) != len(choice):
            choice = choice[rows]
            values = {n: v[rows] for n, v in values.items()}
        choice[:, infoset] = picks
        values[node] = options[rows, picks]
    actions = np.zeros((len(choice), topology.action_count), dtype=payoffs.dtype)
    first = np.array([s.first for s in game.infosets], dtype=np.int64)
    np.put_along_axis(actions, first + choice, 1, axis=1)
    return actions, sorted(tied)

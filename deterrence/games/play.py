"""What a strategy profile leads to: the one place where a tree is evaluated.

All functions take arrays over action slots (see ``topology``) with any leading batch dimensions, and are linear in
the number of nodes. They work for floats and, unbatched, for exact rationals.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import Topology


def slot_probabilities(game: ExtensiveGame, behavior: Array) -> Array:
    """Return the probabilities of all slots, actions before chance, shape (..., S)."""
    chance = game.chance
    if behavior.dtype != object and chance.dtype == object:
        chance = as_float(chance)
    batch = np.broadcast_shapes(behavior.shape[:-1], chance.shape[:-1])
    return np.concatenate(
        [np.broadcast_to(behavior, batch + behavior.shape[-1:]), np.broadcast_to(chance, batch + chance.shape[-1:])],
        axis=-1,
    )


def reach(game: ExtensiveGame, behavior: Array) -> Array:
    """Return the probability of reaching each node.

    Parameters
    ----------
    game : ExtensiveGame
    behavior : ndarray, shape (..., A)
        Probability of each action.

    Returns
    -------
    ndarray, shape (..., n)
    """
    return reach_by_slots(game.topology, slot_probabilities(game, behavior))


def reach_by_slots(topology: Topology, slots: Array) -> Array:
    """Return the product of slot values along the path to each node, shape (..., n), from values of shape (..., S)."""
    result = np.empty((*slots.shape[:-1], topology.size), dtype=slots.dtype)
    result[..., 0] = 1
    for level in topology.levels[1:]:
        result[..., level] = result[..., topology.parent[level]] * slots[..., topology.slot[level]]
    return result


def end_probabilities(game: ExtensiveGame, behavior: Array) -> Array:
    """Return the probability of each end, shape (..., Z)."""
    return reach(game, behavior)[..., game.topology.terminal]


def expected_payoffs(game: ExtensiveGame, behavior: Array) -> Array:
    """Return the expected payoff of each player, shape (..., P)."""
    result: Array = (end_probabilities(game, behavior)[..., None] * _payoffs(game, behavior)).sum(axis=-2)
    return result


def node_values(game: ExtensiveGame, behavior: Array) -> Array:
    """Return each player's expected payoff from each node on, shape (..., n, P)."""
    topology = game.topology
    slots = slot_probabilities(game, behavior)
    payoffs = _payoffs(game, behavior)
    batch = np.broadcast_shapes(slots.shape[:-1], payoffs.shape[:-2])
    dtype = object if object in (slots.dtype, payoffs.dtype) else np.float64
    values = np.zeros((*batch, topology.size, len(topology.players)), dtype=dtype)
    values[..., topology.terminal, :] = payoffs
    for level in reversed(topology.levels[1:]):
        gain = values[..., level, :] * slots[..., topology.slot[level], None]
        parents = topology.parent[level]  # sorted: children of one node stand together
        starts = np.flatnonzero(np.r_[True, np.diff(parents) != 0])
        values[..., parents[starts], :] = np.add.reduceat(gain, starts, axis=-2)
    return values


def counterfactual_reach(game: ExtensiveGame, behavior: Array, player: int) -> Array:
    """Return the probability of reaching each node if the player did all it could to get there, shape (..., n)."""
    topology = game.topology
    slots = slot_probabilities(game, behavior).copy()
    for s in topology.infosets:
        if s.player == player:
            slots[..., s.slots] = 1
    return reach_by_slots(topology, slots)


def bayes_beliefs(game: ExtensiveGame, behavior: Array) -> Array:
    """Return beliefs by Bayes' rule over the nodes of information sets, shape (..., n); NaN at sets not reached."""
    topology = game.topology
    nodes, starts = topology.set_nodes
    probabilities = reach(game, behavior)
    beliefs = np.full(probabilities.shape, np.nan, dtype=probabilities.dtype)
    if len(nodes):
        mass = probabilities[..., nodes]
        total = np.add.reduceat(mass, starts, axis=-1)[..., topology.infoset[nodes]]
        met = np.asarray(total > 0, dtype=bool)
        beliefs[..., nodes] = np.where(met, mass / np.where(met, total, 1), np.nan)
    return beliefs


def action_values(game: ExtensiveGame, behavior: Array, beliefs: Array) -> Array:
    """Return the mover's expected payoff of each action under its belief, shape (..., A).

    Parameters
    ----------
    beliefs : ndarray, shape (..., n)
        Belief over nodes within each information set; entries at other nodes are not read.
    """
    topology = game.topology
    values = node_values(game, behavior)
    moved = np.flatnonzero((topology.slot >= 0) & (topology.slot < topology.action_count))
    parents, slots = topology.parent[moved], topology.slot[moved]
    contribution = beliefs[..., parents] * values[..., moved, topology.owner[parents]]
    result = np.zeros((*contribution.shape[:-1], topology.action_count), dtype=contribution.dtype)
    order = np.argsort(slots, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(slots[order]) != 0])
    if len(order):
        result[..., slots[order][starts]] = np.add.reduceat(contribution[..., order], starts, axis=-1)
    return result


def regrets(game: ExtensiveGame, behavior: Array, beliefs: Array) -> Array:
    """Return, by information set, the gain of the best action over the mixture played, shape (..., I)."""
    values = action_values(game, behavior, beliefs)
    columns = []
    for s in game.infosets:
        mine = values[..., s.slots]
        columns.append(mine.max(axis=-1) - (mine * behavior[..., s.slots]).sum(axis=-1))
    if not columns:
        return np.zeros((*behavior.shape[:-1], 0))
    return np.stack(columns, axis=-1)


def best_response_values(game: ExtensiveGame, behavior: Array) -> Array:
    """Return the most that each player could expect against the others, shape (..., P).

    Raises
    ------
    GameError
        If the game lacks perfect recall.
    """
    values = [best_response(game, behavior, player)[0] for player in range(len(game.players))]
    return np.stack([np.asarray(v) for v in values], axis=-1)


def best_response(game: ExtensiveGame, behavior: Array, player: int | str) -> tuple[Array, Array]:
    """Return what a player could expect at most against the others, and a strategy that attains it.

    Linear in the number of nodes. A player's information sets are settled from the last to the first, each by the
    action that is best given what the others and chance do, weighted by the probability with which they lead there;
    under perfect recall that is a best response.

    Parameters
    ----------
    game : ExtensiveGame
    behavior : ndarray, shape (..., A)
        Probability of each action; those of the player itself are not read.
    player : int or str
        Index or name of the player.

    Returns
    -------
    value : ndarray, shape (...)
    actions : ndarray, shape (..., A)
        ``behavior`` with the player's part replaced by a pure best response; at information sets that the others keep
        it from reaching, by its first action.

    Raises
    ------
    GameError
        If the game lacks perfect recall, or has no such player.
    """
    topology = game.topology
    topology.require_perfect_recall("a best response")
    if isinstance(player, str):
        if player not in game.players:
            raise GameError(f"no player {player!r}; players are {list(game.players)}")
        player = game.players.index(player)
    slots = slot_probabilities(game, behavior).copy()
    for s in topology.infosets:
        if s.player == player:
            slots[..., s.slots] = 1
    weight = reach_by_slots(topology, slots)
    gains = weight[..., topology.terminal] * _payoffs(game, behavior)[..., player]
    worth = np.zeros((*gains.shape[:-1], topology.size), dtype=gains.dtype)
    worth[..., topology.terminal] = gains
    actions = np.array(np.broadcast_to(behavior, (*gains.shape[:-1], topology.action_count)))
    for own, below in _phases(topology, player):
        if own:
            chosen, start, action = _best_actions(topology, worth, below)
            actions[..., start] = 0
            actions[..., start] += (start == chosen[..., action]).astype(np.int64)
            passed = np.where(
                topology.slot[below] == chosen[..., action[np.searchsorted(start, topology.slot[below])]],
                worth[..., below],
                0,
            )
        else:
            passed = worth[..., below]
        parents = topology.parent[below]
        starts = _starts(parents)
        worth[..., parents[starts]] = np.add.reduceat(passed, starts, axis=-1)
    return worth[..., 0], actions


def _best_actions(topology: Topology, worth: Array, below: Array) -> tuple[Array, Array, Array]:
    """Return the best slot at each information set, (..., J); all slots there, (K,); the set of each slot, (K,)."""
    order = np.argsort(topology.slot[below], kind="stable")
    slots = topology.slot[below][order]
    starts = _starts(slots)
    totals = np.add.reduceat(worth[..., below[order]], starts, axis=-1)
    slots = slots[starts]
    first = _starts(topology.slot_infoset[slots])
    index = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(slots))))
    top = np.maximum.reduceat(totals, first, axis=-1)[..., index]
    chosen = np.minimum.reduceat(np.where(totals == top, slots, len(topology.labels)), first, axis=-1)
    return chosen, slots, index


@lru_cache(maxsize=32)
def _phases(topology: Topology, player: int) -> tuple[tuple[bool, Array], ...]:
    """Return the order in which worth flows up: whether the parents are the player's own nodes, and the children.

    Nodes with more own moves above them come first; among these, moves of others and of chance from the deepest up,
    then the own moves that lead there. Each node stands in one phase, in preorder within it.
    """
    own_depth = np.zeros(topology.size, dtype=np.int64)
    mine = topology.owner == player
    for level in topology.levels[1:]:
        parents = topology.parent[level]
        own_depth[level] = own_depth[parents] + mine[parents]
    below = np.arange(1, topology.size)
    parents = topology.parent[below]
    is_own = mine[parents]
    # children of own moves wait until all of their own depth is done: behind the moves of others, whatever their level
    height = np.where(is_own, topology.size, topology.size - 1 - topology.depth[parents])
    order = np.lexsort((below, parents, height, -own_depth[below]))
    keys = np.stack([own_depth[below][order], height[order]])
    cuts = np.flatnonzero((np.diff(keys, axis=1) != 0).any(axis=0)) + 1
    return tuple((bool(is_own[part[0]]), below[part]) for part in np.split(order, cuts) if len(part))


def _starts(values: Array) -> Array:
    """Return where runs of equal values begin."""
    return np.flatnonzero(np.r_[True, np.diff(values) != 0])


def _payoffs(game: ExtensiveGame, behavior: Array) -> Array:
    if behavior.dtype != object and game.payoffs.dtype == object:
        return as_float(game.payoffs)
    return game.payoffs

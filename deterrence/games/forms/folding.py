"""Smaller trees with the same equilibria: last movers who know all are folded back, dominated actions pruned.

A change of form returns a ``Reduction``: the new game, and the way back for its profiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import Carving, carve, subtree_ends
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import TERMINAL, Topology
from deterrence.games.values import Value

G = TypeVar("G")
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Reduction(Value, Generic[G]):
    """A game in another form.

    Attributes
    ----------
    game : game
        The new game.
    lift : callable
        Takes a profile of the new game to the profile of the original that it stands for.
    ties : tuple of str
        Keys of information sets at which a last mover is indifferent (or its choice depends on parameters), so that
        folding stopped there.
    degenerate : ndarray of bool, shape of the batch
        Games of a batch in which a last mover is indifferent; there the first best action was taken.
    """

    game: G
    lift: Callable[[Any], BehaviorProfile]
    ties: tuple[str, ...] = ()
    degenerate: Bools = field(default_factory=lambda: np.zeros((), dtype=bool))


@dataclass(frozen=True, eq=False)
class Settled:
    """What backward induction settles, up to the first moves of players who do not know all.

    Attributes
    ----------
    nodes : ndarray of bool, shape (n,)
        Nodes from which on play is settled: ends; and moves of chance, or of a player who knows all and has a
        strictly best action, with nothing but such nodes next.
    choice : ndarray, shape (..., A)
        1 on the action chosen at settled information sets, 0 elsewhere.
    values : ndarray, shape (..., n, P)
        Expected payoffs from settled nodes on; 0 elsewhere.
    ties : dict of int to ndarray of bool
        Information sets whose player would know all but has two best actions, in which games of the batch.
    open : tuple of int
        Information sets at which the parameters decide which action is best.
    """

    nodes: Bools
    choice: Array
    values: Array
    ties: dict[int, Bools]
    open: tuple[int, ...]


def fold_back(game: ExtensiveGame, *, tol: float = 1e-9) -> Reduction[ExtensiveGame]:
    """Replace the moves of last movers who know all by what they choose.

    A node is folded when its information set holds it alone, every play from each of its actions is settled already,
    and one action is strictly best for its player: by more than ``tol`` times the payoff span, or at all in an exact
    game. Every subgame-perfect (and every sequential, every weakly consistent) equilibrium chooses so there, so
    nothing is lost. A tie is left standing and named in ``ties``: each way to break it may hold up other equilibria.

    Parameters
    ----------
    game : ExtensiveGame
        May be a batch: then one tree must fit all its games, so ties are flagged in ``degenerate`` rather than left
        standing.
    tol : float
        Ties, relative to the payoff span.

    Returns
    -------
    Reduction
        An end that stands for a folded move keeps the label of the end that it leads to, if that is one label.
    """
    game = game.exact() if game.kind == "exact" else game
    settled = backward_induction(game, tol=tol)
    topology = game.topology
    cut = settled.nodes & (topology.owner >= 0)
    beyond = subtree_ends(topology)
    keep = np.ones(topology.size, dtype=bool)
    labels: dict[int, str | None] = {}
    for node in np.flatnonzero(cut):
        if keep[node]:
            keep[node + 1 : beyond[node]] = False
            labels[int(node)] = _label_below(game, settled, int(node), int(beyond[node]))
    carving = carve(topology, keep, end_labels=labels)
    return _reduction(game, settled, carving)


def prune_dominated(game: ExtensiveGame, *, tol: float = 1e-9) -> Reduction[ExtensiveGame]:
    """Take away actions that are worse than another whatever else is played, at every node of their information set.

    Action a goes if some action b of the same set has, at each node of the set, a worst payoff that exceeds the best
    payoff after a, by more than ``tol`` times the payoff span. No sequentially rational strategy plays a, whatever
    the belief. What follows a must be settled (ends, or last movers who know all): elsewhere an information set could
    vanish, or lose nodes that an admissible belief may hold likely, and equilibria with it. Of a batch, an action
    goes if it does in every game.

    Raises
    ------
    GameError
        If the game has free parameters.
    """
    game.require_numbers()
    game = game.exact() if game.kind == "exact" else game
    topology = game.topology
    settled = backward_induction(game, tol=tol)
    dropped: set[int] = set()
    while True:
        found = _dominated(game, settled, frozenset(dropped), tol)
        if not found:
            break
        dropped |= found
    keep = np.ones(topology.size, dtype=bool)
    beyond = subtree_ends(topology)
    for node in np.flatnonzero(np.isin(topology.slot, list(dropped))):
        keep[node : beyond[node]] = False
    carving = carve(topology, keep, dropped=frozenset(dropped))
    return _reduction(game, settled, carving)


def backward_induction(game: ExtensiveGame, *, tol: float = 1e-9) -> Settled:
    """Return what backward induction settles (see ``Settled``), from the ends up."""
    if game.kind == "exact":
        game = game.exact()
    topology, payoffs, chance = game.topology, game.payoffs, game.chance
    dtype = object if object in (payoffs.dtype, chance.dtype) else np.float64
    values = np.zeros((*game.batch_shape, topology.size, len(game.players)), dtype=dtype)
    values[..., topology.terminal, :] = payoffs
    choice = np.zeros((*game.batch_shape, topology.action_count), dtype=dtype)
    done = topology.owner == TERMINAL
    margin = _margin(game, tol)
    ties: dict[int, Bools] = {}
    undecided: list[int] = []
    for node in range(topology.size - 1, -1, -1):
        below = list(topology.children[node])
        if not below or not done[below].all():
            continue
        if topology.owner[node] < 0:
            weights = chance[..., topology.slot[below] - topology.action_count]
            values[..., node, :] = (weights[..., None] * values[..., below, :]).sum(axis=-2)
            done[node] = True
            continue
        which = int(topology.infoset[node])
        s = topology.infosets[which]
        if len(s.nodes) > 1:
            continue
        mine = values[..., below, s.player]
        if game.kind == "symbolic":
            best = _symbolic_best(list(mine))
            if best is None:
                undecided.append(which)
                continue
            picked = np.array(best)
        else:
            picked = np.argmax(mine, axis=-1)
            top = np.take_along_axis(mine, np.expand_dims(picked, -1), axis=-1)
            tied = np.asarray((mine >= top - margin[..., None]).sum(axis=-1) > 1, dtype=bool)
            if tied.any():
                ties[which] = tied
                if not game.batch_shape:
                    continue
        values[..., node, :] = np.take_along_axis(values[..., below, :], picked[..., None, None], axis=-2)[..., 0, :]
        choice[..., s.slots] = (picked[..., None] == np.arange(len(below))).astype(np.int64)
        done[node] = True
    return Settled(done, choice, values, ties, tuple(undecided))


def in_numbers_of(like: Array, whole: Array) -> Array:
    """Return an array of zeros and ones in the kind of number of another array."""
    if like.dtype != object:
        return np.asarray(whole, dtype=np.float64)
    result = np.empty(whole.shape, dtype=object)
    result.ravel()[:] = [Fraction(int(x)) for x in whole.ravel()]
    return result


def _margin(game: ExtensiveGame, tol: float) -> Array:
    """Return the largest difference that counts as a tie, by game of the batch: none in exact and symbolic games."""
    if game.kind != "float":
        return np.zeros((), dtype=object)
    spread = game.payoffs.max(axis=-2) - game.payoffs.min(axis=-2)
    margin: Array = tol * spread.max(axis=-1)
    return margin


def _symbolic_best(values: list[Any]) -> int | None:
    """Return the action that is strictly best for all values of the parameters, if SymPy can tell."""
    import sympy

    for i, x in enumerate(values):
        if all(i == j or sympy.sympify(x - y).is_positive for j, y in enumerate(values)):
            return i
    return None


def _label_below(game: ExtensiveGame, settled: Settled, node: int, beyond: int) -> str | None:
    """Return the label of the ends that settled play reaches from a node, if it is one and the same."""
    topology = game.topology
    if game.batch_shape:
        return None
    slots = np.concatenate([settled.choice != 0, np.ones(len(topology.labels) - topology.action_count, dtype=bool)])
    reached = np.zeros(beyond - node, dtype=bool)
    reached[0] = True
    for below in range(node + 1, beyond):
        reached[below - node] = reached[topology.parent[below] - node] and slots[topology.slot[below]]
    first, last = np.searchsorted(topology.terminal, (node, beyond))
    labels = {topology.end_labels[z] for z in range(first, last) if reached[topology.terminal[z] - node]}
    return labels.pop() if len(labels) == 1 else None


def _dominated(game: ExtensiveGame, settled: Settled, gone: frozenset[int], tol: float) -> set[int]:
    topology = game.topology
    margin = _margin(game, tol)
    found: set[int] = set()
    for player in range(len(game.players)):
        low, high = _bounds(game, settled, player, gone)
        for s in topology.infosets:
            if s.player != player:
                continue
            left = [i for i in range(len(s.actions)) if s.first + i not in gone]
            below = np.array([topology.children[node] for node in s.nodes])
            for a in left:
                better = (
                    bool((low[..., below[:, b]] > high[..., below[:, a]] + margin[..., None]).all())
                    for b in left
                    if b != a
                )
                if settled.nodes[below[:, a]].all() and any(better):
                    found.add(s.first + a)
    return found


def _bounds(game: ExtensiveGame, settled: Settled, player: int, gone: frozenset[int]) -> tuple[Array, Array]:
    """Return the worst and the best expected payoff of a player from each node, shapes (..., n)."""
    topology = game.topology
    low = settled.values[..., player].copy()
    high = low.copy()
    for node in range(topology.size - 1, -1, -1):
        if settled.nodes[node]:
            continue
        below = [c for c in topology.children[node] if topology.slot[c] not in gone]
        if topology.owner[node] < 0:
            weights = game.chance[..., topology.slot[below] - topology.action_count]
            low[..., node] = (weights * low[..., below]).sum(axis=-1)
            high[..., node] = (weights * high[..., below]).sum(axis=-1)
        else:
            low[..., node] = low[..., below].min(axis=-1)
            high[..., node] = high[..., below].max(axis=-1)
    return low, high


def _reduction(game: ExtensiveGame, settled: Settled, carving: Carving) -> Reduction[ExtensiveGame]:
    topology = game.topology
    chance = game.chance[..., carving.slots[carving.topology.action_count :] - topology.action_count]
    payoffs = settled.values[..., carving.ends, :]
    if game.kind == "float":
        payoffs = as_float(payoffs)
    reduced = ExtensiveGame.of(carving.topology, chance, payoffs, game.title)
    ties = tuple(topology.infosets[i].key for i in sorted((*settled.ties, *settled.open)))
    flags = list(settled.ties.values())
    degenerate = np.logical_or.reduce(flags) if flags else np.zeros(game.batch_shape, dtype=bool)
    return Reduction(
        reduced,
        partial(_lift, topology, settled, carving),
        ties if not game.batch_shape else (),
        np.broadcast_to(degenerate, game.batch_shape),
    )


def _lift(topology: Topology, settled: Settled, carving: Carving, profile: BehaviorProfile) -> BehaviorProfile:
    """Return a profile of a part as one of the whole: elsewhere play is what was settled."""
    batch = np.broadcast_shapes(profile.actions.shape[:-1], settled.choice.shape[:-1])
    actions = np.broadcast_to(in_numbers_of(profile.actions, settled.choice), (*batch, topology.action_count)).copy()
    actions[..., carving.action_slots] = profile.actions
    for s in carving.topology.infosets:  # actions that were pruned
        slots = carving.action_slots[s.slots]
        whole = topology.infosets[topology.slot_infoset[slots[0]]]
        for slot in set(range(whole.slots.start, whole.slots.stop)) - set(slots.tolist()):
            actions[..., slot] -= actions[..., slot]
    if profile.nodes is None:
        return BehaviorProfile(actions, None)
    alone = np.array([0.0] * topology.size)
    for s in topology.infosets:
        if len(s.nodes) == 1:
            alone[s.nodes[0]] = 1
    nodes = np.broadcast_to(in_numbers_of(profile.nodes, alone), (*profile.nodes.shape[:-1], topology.size)).copy()
    for s in carving.topology.infosets:
        nodes[..., carving.nodes[list(s.nodes)]] = profile.nodes[..., list(s.nodes)]
    return BehaviorProfile(actions, nodes)

"""Best replies to play that is foreseen, rightly or wrongly, and perhaps only as a mixture of several guesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import counterfactual_reach, node_values
from deterrence.games.quantities import Array
from deterrence.games.topology import InformationSet


@dataclass(frozen=True, eq=False)
class Reply:
    """What a player should do against play that it foresees.

    Attributes
    ----------
    best : ndarray of bool, shape (A,)
        Actions of the player that are best where it moves, later own moves being best too; False at others' actions.
    decided : ndarray of bool, shape (I,)
        Information sets of the player at which ``best`` says something: those that the foreseen play of the others
        (and chance) can lead to, and others as ``surprised`` asks.
    actions : ndarray, shape (A,)
        A reply: tied best actions with equal probability; ``fallback`` where nothing was foreseen.
    worth : ndarray, shape (A,)
        What the player expects of each of its actions; NaN where nothing was foreseen, and at others' actions.
    """

    best: Array
    decided: Array
    actions: Array
    worth: Array


def reply(
    game: ExtensiveGame,
    player: int,
    foreseen: Array,
    *,
    weights: Array | None = None,
    fallback: Array | None = None,
    surprised: Literal["falls back", "sees where", "blames errors"] = "falls back",
    tol: float = 1e-9,
) -> Reply:
    r"""Return the best replies of a player, information set by information set.

    The player thinks that the others play one of H behaviours :math:`b_h`, with probabilities :math:`w_h`. At an
    information set I the worth of an action a is :math:`\sum_h w_h \sum_{x \in I} \rho_h(x) v_h(x a)`, where
    :math:`\rho_h(x)` is the probability with which the others and chance allow the node and :math:`v_h` the expected
    payoff from there on if the player goes on in the best way. That is Bayes' rule, left unnormalised.

    Parameters
    ----------
    game : ExtensiveGame
        With numbers (floats) and perfect recall.
    player : int
        Index.
    foreseen : ndarray, shape (A,) or (H, A)
        What the others do; the player's own entries are not read.
    weights : ndarray, shape (H,), optional
        Probabilities of the H guesses; equal by default.
    fallback : ndarray, shape (A,), optional
        What the player does where the foreseen play cannot lead (nothing is said there about what is best); uniform
        by default.
    surprised : str
        What the player does where the (first) foreseen play cannot lead. It ``"falls back"``; or it replies to what
        is foreseen from there on, if it ``"sees where"`` it is (a set of one node), and falls back elsewhere; or it
        ``"blames errors"``: believes that the fewest possible were made, all equally likely.
    tol : float
        Differences up to this share of the player's payoff span are ties.

    Raises
    ------
    GameError
        If the game lacks perfect recall.
    """
    topology = game.topology
    topology.require_perfect_recall("a best reply")
    behaviors = np.array(np.atleast_2d(foreseen), dtype=np.float64)
    share = np.full(len(behaviors), 1 / len(behaviors)) if weights is None else np.asarray(weights, dtype=np.float64)
    best = np.zeros(topology.action_count, dtype=bool)
    decided = np.zeros(len(topology.infosets), dtype=bool)
    actions = behaviors[0].copy()
    values = np.full(topology.action_count, np.nan)
    allowed = counterfactual_reach(game, behaviors, player) * share[:, None]
    payoffs = game.payoffs[..., player]
    slack = tol * max(float(np.ptp(payoffs)), np.finfo(float).tiny)
    own = [(i, s) for i, s in enumerate(topology.infosets) if s.player == player]
    for i, s in sorted(own, key=lambda item: -_moves_before(game, item[1])):
        nodes = np.array(s.nodes)
        weight = allowed[:, nodes]
        total = float(weight.sum())
        if total == 0 and (surprised == "blames errors" or (surprised == "sees where" and len(nodes) == 1)):
            weight = np.zeros_like(weight)
            weight[0] = _by_fewest_errors(game, behaviors[0], player, nodes)
            total = float(weight.sum())
        decided[i] = total > 0
        if total > 0:
            below = np.array([topology.children[n] for n in s.nodes])  # (nodes, actions)
            worth = np.einsum("hx,hxa->a", weight, node_values(game, behaviors)[:, below, player]) / total
            values[s.slots] = worth
            best[s.slots] = worth >= worth.max() - slack
            mix = best[s.slots] / best[s.slots].sum()
        else:
            best[s.slots] = True
            mix = np.full(len(s.actions), 1 / len(s.actions)) if fallback is None else fallback[s.slots]
        actions[s.slots] = mix
        behaviors[:, s.slots] = mix
    return Reply(best, decided, actions, values)


def undominated_actions(game: ExtensiveGame) -> list[tuple[int, ...]]:
    """Return, by information set, the actions that no other at once ends the game better with at every node of the set.

    What is left out is played under no belief; where moves follow, nothing is left out.
    """
    topology = game.topology
    end_of = {int(n): z for z, n in enumerate(topology.terminal)}
    kept = []
    for s in topology.infosets:
        below = [[int(child) for child in topology.children[n]] for n in s.nodes]
        if any(child not in end_of for row in below for child in row):
            kept.append(tuple(range(len(s.actions))))
            continue
        worth = np.array([[float(game.payoffs[end_of[child], s.player]) for child in row] for row in below])
        beaten = np.any(np.all(worth[:, :, None] < worth[:, None, :], axis=0), axis=1)
        kept.append(tuple(int(a) for a in np.flatnonzero(~beaten)))
    return kept


def visits(game: ExtensiveGame, actions: Array, player: int | None = None) -> tuple[Array, Array]:
    """Return how likely nodes are if players err with probability epsilon: (weight) epsilon^(order), shapes (n,).

    A ``player`` does all that it can to get there, without erring.
    """
    topology = game.topology
    order = np.zeros(topology.size, dtype=np.int64)
    weight = np.ones(topology.size)
    slots = np.concatenate([actions, game.chance])
    for node in range(1, topology.size):
        above, slot = int(topology.parent[node]), int(topology.slot[node])
        own = topology.owner[above] == player
        erred = not own and slot < topology.action_count and slots[slot] == 0
        order[node] = order[above] + int(erred)
        weight[node] = weight[above] * (1.0 if erred or own else slots[slot])
    return order, weight


def _by_fewest_errors(game: ExtensiveGame, actions: Array, player: int, nodes: Array) -> Array:
    order, weight = (values[nodes] for values in visits(game, actions, player))
    possible = weight > 0
    if not possible.any():
        return np.ones(len(nodes))
    return np.where(possible & (order == order[possible].min()), weight, 0.0)


def _moves_before(game: ExtensiveGame, s: InformationSet) -> int:
    """Return how often the player moves before an information set."""
    topology, count = game.topology, 0
    slot = int(topology.last_own[s.nodes[0]])
    while slot >= 0:
        count += 1
        above = topology.infosets[int(topology.slot_infoset[slot])]
        slot = int(topology.last_own[above.nodes[0]])
    return count

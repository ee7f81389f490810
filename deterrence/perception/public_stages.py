r"""Multi-stage games with observed actions: nature draws types, then all that players do is seen by all.

A public history h is what players have done so far. In a tree whose nature moves first, h leads to one node for each
state :math:`\omega` that nature may have drawn; a player's type is the part of the states that it cannot tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.games.topology import CHANCE, Topology


@dataclass(frozen=True, eq=False)
class History:
    """A public history.

    Attributes
    ----------
    nodes : ndarray of int, shape (W,)
        Where it leads, by state of nature.
    mover : int
        Who moves there; -1 at an end.
    slots : ndarray of int, shape (W, n)
        Slots of the n actions, by state; no columns at an end.
    after : tuple of int
        The histories that follow, by action.
    """

    nodes: Array
    mover: int
    slots: Array
    after: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PublicStages:
    """The public histories of a tree, each before those that follow it.

    Attributes
    ----------
    tree : ExtensiveGame
    prior : ndarray, shape (W,)
        Probability of each state of nature; all positive.
    types : ndarray of int, shape (P, W)
        Each player's type, by state.
    histories : sequence of History
    """

    tree: ExtensiveGame
    prior: Array
    types: Array
    histories: Sequence[History]


def public_stages(tree: ExtensiveGame) -> PublicStages:
    """Return the public histories of a tree of floats.

    Raises
    ------
    GameError
        If nature moves after a player, a move is not seen by everyone, or what can be done depends on what only some
        know.
    """
    topology = tree.topology
    states, prior = _states(tree)
    types = np.full((len(tree.players), len(states)), -1)
    histories: list[History] = []
    waiting = [np.array(states)]
    for nodes in waiting:
        owners = {int(topology.owner[n]) for n in nodes}
        ends = [len(topology.children[n]) == 0 for n in nodes]
        if all(ends):
            histories.append(History(nodes, -1, np.zeros((len(nodes), 0), dtype=np.int64), ()))
            continue
        sets = [topology.infosets[int(topology.infoset[n])] for n in nodes] if CHANCE not in owners else []
        if any(ends) or len(owners) > 1 or len({s.actions for s in sets}) != 1:
            raise _refusal(
                topology, nodes, "after the same moves, the same player must have the same actions in every state"
            )
        if any(not set(s.nodes) <= set(nodes.tolist()) for s in sets):
            raise _refusal(topology, nodes, "every move must be seen by all players who move later")
        (mover,) = owners
        known = np.array([int(topology.infoset[n]) for n in nodes])
        _, mine = np.unique(known, return_inverse=True)
        before = types[mover]
        if (before >= 0).all() and not _same_parts(before, mine):
            raise _refusal(topology, nodes, f"{tree.players[mover]} must know the same about nature wherever it moves")
        types[mover] = mine
        below = np.array([topology.children[n] for n in nodes])  # (W, n)
        slots = np.array([[int(topology.slot[c]) for c in row] for row in below])
        first = len(waiting)
        waiting += list(below.T)
        histories.append(History(nodes, mover, slots, tuple(range(first, first + below.shape[1]))))
    return PublicStages(tree, prior, np.maximum(types, 0), tuple(histories))


def _states(tree: ExtensiveGame) -> tuple[list[int], Array]:
    """Return the nodes that nature's first moves lead to, and their probabilities."""
    topology = tree.topology
    states, chances = [], []
    waiting = [(0, 1.0)]
    while waiting:
        node, chance = waiting.pop()
        if topology.owner[node] == CHANCE and len(topology.children[node]) > 0:
            for below in reversed(topology.children[node]):
                weight = chance * float(tree.chance[int(topology.slot[below]) - topology.action_count])
                if weight > 0:
                    waiting.append((int(below), weight))
        else:
            states.append(node)
            chances.append(chance)
    return states, np.array(chances)


def _same_parts(one: Array, other: Array) -> bool:
    return bool(np.array_equal(one[:, None] == one, other[:, None] == other))


def _refusal(topology: Topology, nodes: Array, why: str) -> GameError:
    return GameError(
        "cursed sequential equilibrium needs nature to move first and all else to be seen by all: "
        f"{why}; see {topology.name(int(nodes[0]))!r}"
    )

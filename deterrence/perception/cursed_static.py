r"""Cursed equilibrium of a static Bayesian game: nature draws types, then each player moves once, unseen by the others.

Player i of type :math:`t_i` replies as if, with probability :math:`\chi`, the others' actions had nothing to do with
their types. That is Bayesian equilibrium of the virtual game with payoffs
:math:`\chi E[u_i(a, t) \mid t_i] + (1 - \chi) u_i(a, t)` (Eyster and Rabin 2005, section 2).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import CHANCE
from deterrence.solvers.nash import nash


def is_static(game: ExtensiveGame) -> bool:
    """Return whether nature moves first, no player moves twice, and none sees what another did."""
    topology = game.topology
    for node in range(1, topology.size):
        above = int(topology.parent[node])
        moved = [int(topology.owner[a]) for a in _above(game, node) if topology.owner[a] != CHANCE]
        if len(set(moved)) < len(moved) or (topology.owner[above] == CHANCE and moved):
            return False
    for s in topology.infosets:
        met: dict[int, int] = {}  # how many nodes of the set there are in each state of nature
        for n in s.nodes:
            met[_state(game, n)] = met.get(_state(game, n), 0) + 1
        before = [len(topology.infosets[topology.infoset[a]].actions) for a in _above(game, s.nodes[0])
                  if topology.owner[a] != CHANCE]  # fmt: skip
        if any(count != int(np.prod(before, initial=1)) for count in met.values()):
            return False
    return True


def cursed_static(game: ExtensiveGame, chi: float, *, exact: bool, tol: float) -> EquilibriumSet:
    """Return the cursed equilibria of a static game: the Nash equilibria of its virtual game."""
    topology = game.topology
    slots = [[int(topology.slot[n]) for n in (int(z), *_above(game, int(z))) if n > 0] for z in topology.terminal]
    count = topology.action_count
    nature = np.array([np.prod([game.chance[s - count] for s in path if s >= count], initial=1.0) for path in slots])
    actions = [tuple(sorted((_owner(game, s), topology.labels[s]) for s in path if s < count)) for path in slots]
    payoffs = np.array(game.payoffs)
    for i in range(len(game.players)):
        groups: dict[tuple[object, ...], list[int]] = {}  # ends after the same actions, of one type of player i
        for z, path in enumerate(slots):
            own = [int(topology.slot_infoset[s]) for s in path if s < count and _owner(game, s) == i]
            groups.setdefault((*own, *actions[z]), []).append(z)
        for ends in groups.values():
            payoffs[ends, i] = _towards_mean(game.payoffs[ends, i], nature[ends], chi)
    virtual = ExtensiveGame.of(topology, game.chance, payoffs, game.title)
    found = nash(virtual, exact=exact, tol=tol)
    return EquilibriumSet(
        game=game,
        concept=f"cursed {chi:g}",
        method=f"virtual game: {found.method}",
        equilibria=tuple(replace(e, game=game, concept=f"cursed {chi:g}", siblings=None) for e in found),
        complete=found.complete,
        options={**found.options, "chi": chi, "virtual": virtual},
    )


def _towards_mean(values: Array, weights: Array, chi: float) -> Array:
    total = float(as_float(weights).sum())
    return values if total == 0 else chi * float(values @ weights) / total + (1 - chi) * values


def _above(game: ExtensiveGame, node: int) -> list[int]:
    nodes = []
    while node > 0:
        node = int(game.topology.parent[node])
        nodes.append(node)
    return nodes


def _state(game: ExtensiveGame, node: int) -> int:
    """Return the last node that nature's moves lead to on the way to a node."""
    topology = game.topology
    for n in (node, *_above(game, node)):
        if n > 0 and topology.owner[topology.parent[n]] == CHANCE:
            return n
    return 0


def _owner(game: ExtensiveGame, slot: int) -> int:
    topology = game.topology
    return topology.infosets[int(topology.slot_infoset[slot])].player

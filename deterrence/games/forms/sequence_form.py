"""The sequence form of a two-player tree: strategies as realization plans, linear in the size of the tree.

A *sequence* of a player is the list of its own actions on some path; under perfect recall it is named by the last of
them. A realization plan x gives each sequence the probability that its player contributes to reaching it: x is a
plan iff E x = e and x >= 0, with a row for the empty sequence (x = 1) and one for each information set (the
sequences that extend it add up to the sequence that leads to it). Expected payoffs are x' A y.

References
----------
.. [1] B. von Stengel, "Efficient Computation of Behavior Strategies", Games Econ. Behav. 14 (1996), 220-246.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import reach_by_slots
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import Ints, Topology


@dataclass(frozen=True, eq=False)
class SequenceForm:
    """The sequence form of a two-player game, in float64.

    Attributes
    ----------
    game : ExtensiveGame
    sequences : pair of ndarray of int, shape (n_i,)
        The last action slot of each sequence of each player; -1 for the empty sequence, which comes first.
    constraints : pair of sparse arrays, shape (1 + I_i, n_i)
        E: the empty sequence, then each of the player's information sets, in order.
    totals : pair of ndarray, shape (1 + I_i,)
        e: 1 for the empty sequence, 0 elsewhere.
    payoffs : pair of sparse arrays, shape (n_0, n_1)
        Each player's payoffs by pair of sequences, times the probability that chance contributes.
    """

    game: ExtensiveGame
    sequences: tuple[Ints, Ints]
    constraints: tuple[csr_array, csr_array]
    totals: tuple[Array, Array]
    payoffs: tuple[csr_array, csr_array]

    def behavior(self, first: Array, second: Array) -> BehaviorProfile:
        """Return the behaviour strategies of two realization plans, shapes (n_0,) and (n_1,).

        Where a plan does not lead, all actions are equally likely.
        """
        topology = self.game.topology
        actions = np.zeros(topology.action_count)
        for sequences, plan in zip(self.sequences, (first, second), strict=True):
            actions[sequences[1:]] = np.maximum(plan[1:], 0)
        sets = topology.slot_infoset
        total = np.bincount(sets, weights=actions, minlength=len(topology.infosets))
        width = np.bincount(sets, minlength=len(topology.infosets))
        led = total[sets] > 0
        return BehaviorProfile(np.where(led, actions / np.where(led, total[sets], 1), 1 / width[sets]))

    def plans(self, behavior: Array) -> tuple[Array, Array]:
        """Return the realization plans of behaviour strategies, from an array over actions of shape (A,)."""
        topology = self.game.topology
        own = own_sequences(topology)
        first_nodes = np.array([s.nodes[0] for s in topology.infosets], dtype=np.int64)
        plans = []
        for player, sequences in enumerate(self.sequences):
            plan = np.ones(len(sequences))
            index = _index(topology, sequences)
            before = own[first_nodes[topology.slot_infoset[sequences[1:]]], player]
            for k in range(1, len(sequences)):  # an information set stands after the one that leads to it
                plan[k] = plan[index[before[k - 1]]] * behavior[sequences[k]]
            plans.append(plan)
        return plans[0], plans[1]


def to_sequence_form(game: ExtensiveGame) -> SequenceForm:
    """Return the sequence form of a two-player tree.

    Raises
    ------
    GameError
        If the game has not two players, has free parameters, is a batch, or lacks perfect recall.
    """
    if len(game.players) != 2:
        raise GameError(f"the sequence form is for two players, got {len(game.players)}: {', '.join(game.players)}")
    if game.batch_shape:
        raise GameError("a batch of games has no single sequence form; index it first, as in game[0]")
    game.require_numbers()
    topology = game.topology
    own = own_sequences(topology)
    if not _recalls(topology, own):
        topology.require_perfect_recall("the sequence form")
    chance = as_float(game.chance)
    reach = reach_by_slots(topology, np.concatenate([np.ones(topology.action_count), chance]))[topology.terminal]
    player_of = np.array([s.player for s in topology.infosets], dtype=np.int64)[topology.slot_infoset]
    sequences = tuple(np.concatenate([[-1], np.flatnonzero(player_of == i)]) for i in (0, 1))
    index = [_index(topology, s) for s in sequences]
    rows, columns = (index[i][own[topology.terminal, i]] for i in (0, 1))
    shape = (len(sequences[0]), len(sequences[1]))
    payoffs = as_float(game.payoffs)
    tables = tuple(csr_array(coo_array((reach * payoffs[:, i], (rows, columns)), shape=shape)) for i in (0, 1))
    constraints = tuple(_constraints(topology, own, i, index[i], len(sequences[i])) for i in (0, 1))
    totals = tuple(np.concatenate([[1.0], np.zeros(c.shape[0] - 1)]) for c in constraints)
    return SequenceForm(
        game,
        (sequences[0], sequences[1]),
        (constraints[0], constraints[1]),
        (totals[0], totals[1]),
        (tables[0], tables[1]),
    )


def own_sequences(topology: Topology) -> Ints:
    """Return each player's last own action slot before each node, shape (n, P); -1 if there is none."""
    own = np.full((topology.size, len(topology.players)), -1, dtype=np.int64)
    for level in topology.levels[1:]:
        parents = topology.parent[level]
        own[level] = own[parents]
        moved = topology.owner[parents] >= 0
        own[level[moved], topology.owner[parents[moved]]] = topology.slot[level[moved]]
    return own


def _recalls(topology: Topology, own: Ints) -> bool:
    moved = np.flatnonzero(topology.owner >= 0)
    before = own[moved, topology.owner[moved]]
    first = np.array([s.nodes[0] for s in topology.infosets], dtype=np.int64)[topology.infoset[moved]]
    return bool((before == own[first, topology.owner[moved]]).all())


def _index(topology: Topology, sequences: Ints) -> Ints:
    """Return the position of each action slot among a player's sequences; the last entry is that of slot -1."""
    index = np.zeros(topology.action_count + 1, dtype=np.int64)
    index[sequences[1:]] = np.arange(1, len(sequences))
    return index


def _constraints(topology: Topology, own: Ints, player: int, index: Ints, count: int) -> csr_array:
    mine = [s for s in topology.infosets if s.player == player]
    widths = np.array([len(s.actions) for s in mine], dtype=np.int64)
    first = np.array([s.first for s in mine], dtype=np.int64)
    nodes = np.array([s.nodes[0] for s in mine], dtype=np.int64)
    row = np.arange(1, len(mine) + 1)
    offsets = np.arange(widths.sum()) - np.repeat(np.cumsum(widths) - widths, widths)
    into = index[np.repeat(first, widths) + offsets]
    rows = np.concatenate([[0], row, np.repeat(row, widths)])
    columns = np.concatenate([[0], index[own[nodes, player]], into])
    values = np.concatenate([[1.0], np.full(len(mine), -1.0), np.ones(len(into))])
    return csr_array(coo_array((values, (rows, columns)), shape=(len(mine) + 1, count)))

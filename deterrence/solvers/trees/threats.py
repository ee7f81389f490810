"""Which threats behind a Nash equilibrium are incredible: what a player would not do if it came to that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import subgame_at, subgame_roots
from deterrence.games.play import (
    action_values,
    best_response_values,
    counterfactual_reach,
    expected_payoffs,
    node_values,
    reach,
)
from deterrence.games.quantities import Array, as_float
from deterrence.games.values import Value
from deterrence.solvers.trees.stage_assessments import supporting_beliefs


@dataclass(frozen=True, slots=True, eq=False)
class Threat(Value):
    """A plan at an information set off the path that no belief makes optimal.

    Attributes
    ----------
    player, infoset : str
    actions : tuple of str
        What is planned there.
    better : str
        What would be better, by the belief that excuses the plan most.
    regret : float
        What the plan loses at least, in payoff units, whatever is believed.
    """

    player: str
    infoset: str
    actions: tuple[str, ...]
    better: str
    regret: float

    def __str__(self) -> str:
        if len(self.actions) > 1:
            mixed = " and ".join(self.actions)
            return f"{self.player} would not mix {mixed} at {self.infoset}: {self.better} is better"
        return f"{self.player} would not {self.actions[0]} at {self.infoset}, but {self.better}"


def incredible_threats(game: ExtensiveGame, equilibrium: Any, tol: float = 1e-9) -> tuple[Threat, ...]:
    """Return the plans off the path that are optimal for no belief.

    Parameters
    ----------
    game : ExtensiveGame
        A single game with numbers.
    equilibrium : Equilibrium or BehaviorProfile
    tol : float
        Losses up to ``tol`` times the player's payoff span count as none.

    Returns
    -------
    tuple of Threat
        In order of information sets. Sets that the player's own strategy keeps it from are no threat and are left out:
        what stands there is first replaced by best replies.
    """
    profile = getattr(equilibrium, "profile", equilibrium)
    actions = complete_with_best_replies(game, profile.actions)
    values = node_values(game, actions)
    spans = np.maximum(np.ptp(as_float(game.payoffs), axis=0), np.finfo(float).tiny)
    reached = reach(game, actions)
    found = []
    for i, s in enumerate(game.infosets):
        nodes = list(s.nodes)
        if (reached[nodes] > 0).any() or _own_doing(game, actions, i):
            continue
        gains = np.array([[values[c, s.player] for c in game.topology.children[n]] for n in nodes], dtype=np.float64)
        gains -= as_float(values[nodes, s.player])[:, None]
        regret, belief = least_regret(gains)
        if regret > tol * spans[s.player]:
            planned = tuple(a for a, p in zip(s.actions, actions[s.slots], strict=True) if p > 0)
            better = s.actions[int(np.argmax(belief @ gains))]
            found.append(Threat(game.players[s.player], s.name, planned, better, regret))
    return tuple(found)


def credibility(game: ExtensiveGame, profile: BehaviorProfile, tol: float = 1e-9) -> str:
    """Return in words whether a Nash equilibrium of a tree is credible, and what is not."""
    actions = complete_with_best_replies(game, profile.actions)
    threats = incredible_threats(game, profile, tol)
    if threats:
        kept = subgame_failures(game, actions, tol)
        head = "not subgame perfect" if kept else "subgame perfect, not sequential"
        return f"{head}: {'; '.join(map(str, threats))}"
    failures = subgame_failures(game, actions, tol)
    if failures:
        return f"not subgame perfect: no equilibrium in the subgame at {', '.join(failures)}"
    beliefs, proven = supporting_beliefs(game, actions)
    if beliefs is None:
        verdict = "not" if proven else "not shown to be"
        return f"subgame perfect, {verdict} sequential: no consistent beliefs make all plans optimal"
    return "sequential"


def subgame_failures(game: ExtensiveGame, actions: Array, tol: float) -> list[str]:
    """Return the names of subgames (roots) in which the strategies are no Nash equilibrium."""
    spans = np.maximum(np.ptp(as_float(game.payoffs), axis=0), np.finfo(float).tiny)
    found = []
    for root in subgame_roots(game):
        part = subgame_at(game, root)
        mine = actions[part.carving.action_slots]
        gain = as_float(best_response_values(part.game, mine) - expected_payoffs(part.game, mine))
        if (gain > tol * spans).any():
            found.append(repr(game.topology.name(root)))
    return found


def complete_with_best_replies(game: ExtensiveGame, actions: Array) -> Array:
    """Return the strategies with best replies where a player's own strategy keeps it from ever moving.

    Later sets are settled first; beliefs there come from the others' play and, where that does not lead there, count
    all nodes alike.
    """
    result = actions.copy()
    result.setflags(write=True)
    for i in reversed(range(len(game.infosets))):
        s = game.infosets[i]
        if not _own_doing(game, result, i):
            continue
        weight = counterfactual_reach(game, result, s.player)[list(s.nodes)]
        beliefs = np.zeros(game.topology.size, dtype=result.dtype)
        total = weight.sum()
        beliefs[list(s.nodes)] = weight / total if total > 0 else (weight * 0 + 1) / len(s.nodes)
        values = action_values(game, result, beliefs)[s.slots]
        result[s.slots] = 0
        result[s.first + int(np.argmax(values))] = 1
    return result


def least_regret(gains: Array) -> tuple[float, Array]:
    """Return the least over beliefs of the largest expected gain, ``gains[node, action]``, and that belief."""
    nodes, actions = gains.shape
    if nodes == 1:
        return float(gains.max()), np.ones(1)
    from scipy.optimize import linprog

    scale = max(float(np.abs(gains).max()), np.finfo(float).tiny)
    solved = linprog(
        np.r_[np.zeros(nodes), 1.0],
        A_ub=np.hstack([gains.T / scale, -np.ones((actions, 1))]),
        b_ub=np.zeros(actions),
        A_eq=np.r_[np.ones(nodes), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * nodes + [(None, None)],
    )
    if solved.x is None:
        raise SolverError(f"the belief that excuses a plan most was not found: {solved.message}")
    return float(solved.fun or 0.0) * scale, solved.x[:-1]


def _own_doing(game: ExtensiveGame, actions: Array, infoset: int) -> bool:
    """Whether the player's own strategy excludes an information set."""
    s = game.infosets[infoset]
    slot = int(game.topology.last_own[s.nodes[0]])
    while slot >= 0:
        if actions[slot] == 0:
            return True
        above = game.infosets[game.topology.slot_infoset[slot]]
        slot = int(game.topology.last_own[above.nodes[0]])
    return False

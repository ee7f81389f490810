"""Subgame decomposition: a tree solved stage by stage, from its smallest subgames up.

A *stage* is a subgame in which each smaller subgame is replaced by an end that pays what one of its equilibria pays.
The equilibria of the whole are put together from those of stages, one choice of continuation at a time, so that
the set of subgame-perfect outcomes is the same as without decomposition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import carve, subgame_roots, subtree_ends
from deterrence.games.play import expected_payoffs
from deterrence.games.quantities import Array
from deterrence.solvers.budget import Budget


@dataclass(frozen=True)
class Part:
    """The solutions of one stage.

    Attributes
    ----------
    actions : list of ndarray, shape (A,)
        A profile of the stage each.
    complete : bool
        Whether none is missing.
    notes : list of object
        Whatever the solver of the stage adds to each profile; handed back by ``solve_by_stages``.
    """

    actions: list[Array]
    complete: bool
    notes: list[Any] = field(default_factory=list)


def solve_by_stages(
    game: ExtensiveGame, solve: Callable[[ExtensiveGame, bool], Part], budget: Budget
) -> tuple[list[Array], bool]:
    """Return profiles of the whole game, shape (A,), from solutions of its stages, and whether none is missing.

    Parameters
    ----------
    game : ExtensiveGame
        A single game with numbers.
    solve : callable
        Lists the solutions of a game without proper subgames; the second argument is True for the stage at the root.
    budget : Budget
        A unit for each profile of a stage; at least one solution of every stage is put in.
    """
    found, complete = stage_solutions(game, solve, budget)
    return [actions for actions, _ in found], complete


def stage_solutions(
    game: ExtensiveGame, solve: Callable[[ExtensiveGame, bool], Part], budget: Budget
) -> tuple[list[tuple[Array, list[tuple[Any, Any, Any]]]], bool]:
    """As ``solve_by_stages``, each profile with (carving of the stage, actions there, note) for every stage."""
    topology = game.topology
    roots = subgame_roots(game)
    beyond = subtree_ends(topology)
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    exact = game.kind == "exact"
    pending: dict[int, list[tuple[Array, Array, list[tuple[Any, Any, Any]]]]] = {}  # root -> (payoffs, actions, stages)
    complete = True
    for root in reversed(roots):
        inner = [r for r in sorted(pending) if root < r < beyond[root]]
        keep = np.zeros(topology.size, dtype=bool)
        keep[root : beyond[root]] = True
        for r in inner:
            keep[r + 1 : beyond[r]] = False
        carving = carve(topology, keep)
        chance = game.chance[carving.slots[carving.topology.action_count :] - topology.action_count]
        solved: list[tuple[Array, Array, list[tuple[Any, Any, Any]]]] = []
        nodes = [int(n) for n in carving.ends]
        fixed = np.array([ends.get(n, -1) for n in nodes])
        base = np.array(game.payoffs[np.maximum(fixed, 0)])
        for combination in product(*(pending[r] for r in inner)):
            payoffs = base.copy()
            for r, (value, _, _) in zip(inner, combination, strict=True):
                payoffs[nodes.index(r)] = value
            stage = ExtensiveGame.of(carving.topology, chance, payoffs, game.title)
            part = solve(stage, root == roots[0])
            complete = complete and part.complete
            notes = part.notes or [None] * len(part.actions)
            for actions, note in zip(part.actions, notes, strict=True):
                whole = np.zeros(topology.action_count, dtype=object if exact else np.float64)
                whole[carving.action_slots] = actions
                for _, below, _ in combination:
                    whole = whole + below
                stages = [s for _, _, more in combination for s in more]
                solved.append((expected_payoffs(stage, actions), whole, [*stages, (carving, actions, note)]))
            if solved and not budget.spend(len(part.actions)):
                complete = False
                budget.skip(f"other continuations of the subgame at {topology.name(root)!r} ({budget.reason} reached)")
                break
        for r in inner:
            del pending[r]
        pending[root] = solved
    if not roots:
        return [(np.zeros(0), [])], True
    return [(actions, stages) for _, actions, stages in pending[0]], complete

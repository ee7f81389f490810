r"""Quantal response: agents who choose better actions more often, not always.

In an agent logit equilibrium of precision :math:`\lambda` each information set plays action a with probability
proportional to :math:`e^{\lambda q_a}`, with :math:`q_a` its expected payoff there [1]_. At :math:`\lambda = 0` play
is uniform; along the branch that starts there (the principal branch) play tends, as :math:`\lambda` grows, to a
sequential equilibrium. With perfect information the equilibrium is unique and has a closed form from the last moves
up [2]_.

References
----------
.. [1] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Extensive Form Games", Exp. Econ. 1 (1998), 9-41.
.. [2] C. Signorino, "Strategic Interaction and the Statistical Analysis of International Conflict", Am. Polit. Sci.
   Rev. 93 (1999), 279-297.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.topology import CHANCE
from deterrence.solvers.arguments import require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.logit.batches import BehaviorBatch
from deterrence.solvers.logit.branch import follow
from deterrence.solvers.logit.iteration import iterate
from deterrence.solvers.logit.profiles import (
    Precision,
    by_set,
    certify,
    in_proportion,
    odds_of,
    rates_of,
    single,
    solutions,
    system_of,
)
from deterrence.solvers.logit.system import tree_system
from deterrence.solvers.logit.walks import follow_batch
from deterrence.solvers.qre_branches import trace

_CHUNK = 2048  # games of a batch solved together: what fits the cache


def qre(
    game: ExtensiveGame | StrategicGame | SignalingGame,
    precision: Precision = 1.0,
    *,
    at: Mapping[str, object] | None = None,
    branch: bool = False,
    regret: float = 1e-6,
    starts: int = 0,
    seed: int | None = 0,
    limit: int | None = None,
    time_limit: float | None = None,
) -> EquilibriumSet:
    r"""Find the agent logit equilibrium on the principal branch at a precision, or the branch itself.

    Parameters
    ----------
    game : ExtensiveGame, StrategicGame or SignalingGame
        A single game; ``qre_batch`` solves batches of trees. A SignalingGame is solved as a tree.
    precision : float or mapping of player to float
        :math:`\lambda \ge 0`, in one over payoff units; 0 is uniform play.
    at : mapping of str to number, optional
        Values of the game's parameters.
    branch : bool
        Return points of the whole principal branch instead, the last with a regret of at most ``regret``;
        precisions of players stay in the proportion that ``precision`` gives them.
    regret : float
        Where the branch ends: largest regret, as a share of the payoff span.
    starts : int
        How many random profiles to start Newton's method from in search of logit equilibria off the principal branch.
    seed : int or None
        For those.
    limit : int, optional
        Most points of the branch, and starts.
    time_limit : float, optional
        Most seconds. What was found by then is returned, and ``options["unsearched"]`` says what is left.

    Returns
    -------
    EquilibriumSet
        The equilibrium on the principal branch first (with ``branch``: its points in order, and the branch's
        ``LogitBranch`` in ``options["branch"]``), then others found from random starts. ``complete`` only
        where the equilibrium is known to be unique: perfect information, or precision 0.

    Raises
    ------
    GameError
        If the game is a batch, or a player meets one information set twice on a path.
    ParameterError
        If a precision is negative or a player unknown.
    SolverError
        If the branch could not be followed to the precision or regret asked for.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=-1), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> round(qre(game, precision=2.0)[0].probability("attack"), 4)
    0.821
    """
    numeric = single(game, at)
    rates = rates_of(numeric, precision)
    options: dict[str, object] = {"precision": precision, "branch": branch, "starts": starts, "seed": seed}
    budget = Budget("qre", limit=limit, time_limit=time_limit, unit="points")
    if branch:
        followed = trace(numeric, rates, regret, budget=budget)
        options |= {"regret": regret, "branch": followed}
        points = [
            certify(numeric, logs, followed.rates * c)
            for logs, c in zip(followed.logs, followed.precision, strict=True)
        ]
        return EquilibriumSet(
            game=numeric,
            concept="qre",
            method="branch from uniform play",
            equilibria=tuple(points),
            complete=False,
            options={**options, **budget.options()},
        )
    unique = isinstance(numeric, ExtensiveGame) and numeric.perfect_information
    if unique:
        logs = _log(_closed_form(numeric, rates))
        found, method = [certify(numeric, logs, rates)], "backward recursion"
    else:
        system = system_of(numeric)
        found = [certify(numeric, a, rates) for a in solutions(system, by_set(system, rates), starts, seed, budget)]
        method = "continuation from uniform play"
    return EquilibriumSet(
        game=numeric,
        concept="qre",
        method=method,
        equilibria=tuple(found),
        complete=unique or not rates.any(),
        options={**options, **budget.options()},
    )


def qre_batch(
    game: ExtensiveGame | SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    precision: Precision = 1.0,
    time_limit: float | None = None,
) -> BehaviorBatch:
    """Find the logit equilibrium on the principal branch for each game of a batch, as arrays.

    Parameters
    ----------
    game : ExtensiveGame
        One tree; payoffs and chance may carry leading batch dimensions.
    at : mapping of str to number or array, optional
        Values of parameters; arrays make the batch.
    precision : float or mapping of player to float
        As in ``qre``; the same for all games.
    time_limit : float, optional
        Most seconds; games that are not solved by then are ``flagged`` and ``failed``, their actions NaN.

    Returns
    -------
    BehaviorBatch
        ``flagged`` marks games whose branch had to be followed on its own (it turns back, or bends sharply). A fold so
        short that the equilibria on both sides lie close together may go unnoticed; ``qre`` looks closer.

    Raises
    ------
    ParameterError
        If a precision is negative or a player unknown.
    """
    require_form(game, "qre_batch", "ExtensiveGame", "SignalingGame")
    budget = Budget("qre_batch", time_limit=time_limit, unit="games")
    tree = game.to_extensive() if isinstance(game, SignalingGame) else game
    numeric = tree.at(**(at or {})).floats()
    rates = rates_of(numeric, precision)
    if numeric.perfect_information:
        actions = _closed_form(numeric, rates)
        nothing = np.zeros(actions.shape[:-1], dtype=bool)
        return BehaviorBatch(game=numeric, concept="qre", actions=actions, flagged=nothing, failed=nothing)
    system = tree_system(numeric).flat()
    targets = (rates * system.scale)[:, system.layout.player]
    y, slow = iterate(system, targets)
    flagged, failed = np.zeros(len(targets), dtype=bool), np.zeros(len(targets), dtype=bool)
    left = np.flatnonzero(slow)
    for start in range(0, len(left), _CHUNK):
        chunk = left[start : start + _CHUNK]
        if not budget.spend(len(chunk)):
            flagged[left[start:]] = failed[left[start:]] = True
            break
        y[chunk], lost = follow_batch(system.take(chunk), targets[chunk])
        for i in chunk[lost]:
            flagged[i] = True
            ratio, most = in_proportion(targets[i])
            try:
                trace = follow(system.take(i), ratio, until=most, budget=budget)
                y[i], failed[i] = odds_of(system, trace.last), bool(trace.ended)
            except SolverError:
                failed[i] = True
    y[failed] = np.nan
    budget.close()
    actions = system.shares(y)
    shape = numeric.batch_shape
    return BehaviorBatch(
        game=numeric,
        concept="qre",
        actions=actions.reshape(*shape, -1),
        flagged=flagged.reshape(shape),
        failed=failed.reshape(shape),
    )


def _log(actions: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(actions), -1e6)


def _closed_form(game: ExtensiveGame, rates: Array) -> Array:
    """Logit responses from the last moves up, shape (..., A): perfect information needs no fixed point."""
    topology = game.topology
    payoffs, chance = as_float(game.payoffs), as_float(game.chance)
    batch, count = game.batch_shape, topology.action_count
    values = np.zeros((topology.size, len(game.players), *batch))
    values[topology.terminal] = np.moveaxis(np.broadcast_to(payoffs, batch + payoffs.shape[-2:]), (-2, -1), (0, 1))
    chance = np.moveaxis(np.broadcast_to(chance, batch + chance.shape[-1:]), -1, 0)
    actions = np.zeros((count, *batch))
    for level in reversed(topology.levels[:-1]):
        for node in level:
            below = np.array(topology.children[node], dtype=np.int64)
            if not len(below):
                continue
            if topology.owner[node] == CHANCE:
                weights = chance[topology.slot[below] - count]
            else:
                player = int(topology.owner[node])
                scaled = rates[player] * values[below, player]
                weights = np.exp(scaled - scaled.max(axis=0))
                weights /= weights.sum(axis=0)
                actions[topology.slot[below]] = weights
            values[node] = (weights[:, None] * values[below]).sum(axis=0)
    return np.ascontiguousarray(np.moveaxis(actions, 0, -1))

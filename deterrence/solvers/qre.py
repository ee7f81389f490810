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
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.pictures.tables import number_text
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.topology import CHANCE
from deterrence.solvers.logit.batches import BehaviorBatch
from deterrence.solvers.logit.branch import follow, follow_batch, polish
from deterrence.solvers.logit.iteration import iterate
from deterrence.solvers.logit.system import LogitSystem, table_system, tree_system
from deterrence.solvers.verification.strategic import certify as certify_strategic
from deterrence.solvers.verification.tree import certify as certify_tree

Precision = float | Mapping[str, float]
_CHUNK = 2048  # games of a batch solved together: what fits the cache
_HELD_TO = 1e-9  # regret of the logit response that certifies a solution, relative to the payoff span


@dataclass(frozen=True, eq=False)
class LogitProfile(BehaviorProfile):
    """A behaviour profile of logit responses; ``precision`` by player, shape (P,), is what they respond with."""

    precision: Array = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class LogitMixedProfile(MixedProfile):
    """A mixed profile of logit responses; ``precision`` by player, shape (P,), is what they respond with."""

    precision: Array = field(kw_only=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitBranch:
    """The principal branch of logit equilibria, from uniform play on.

    Attributes
    ----------
    game : ExtensiveGame or StrategicGame
    precision : ndarray, shape (K,)
        Precision at each point, in units of one over the payoff span: multiply by ``1 / span[player]`` for a
        player's own.
    logs : ndarray, shape (K, A)
        Log probabilities at each point: finite where probabilities are too small for float64.
    regret : ndarray, shape (K,)
        Largest regret at each point, as a share of the player's payoff span.
    turning : tuple of int
        Points after which the precision turns back.
    limit : LogitProfile or LogitMixedProfile
        The last point.
    support : tuple of str
        What is played at the limit with a probability that does not vanish: "information set: actions".
    """

    game: Any = field(repr=False)
    precision: Array = field(repr=False)
    logs: Array = field(repr=False)
    regret: Array = field(repr=False)
    turning: tuple[int, ...]
    limit: Any = field(repr=False)
    support: tuple[str, ...]

    @property
    def actions(self) -> Array:
        """Probabilities at each point, shape (K, A)."""
        return np.exp(self.logs)


def qre(
    game: ExtensiveGame | StrategicGame | SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    precision: Precision = 1.0,
    branch: bool = False,
    regret: float = 1e-6,
    starts: int = 0,
    seed: int | None = 0,
) -> EquilibriumSet:
    r"""Find the agent logit equilibrium on the principal branch at a precision, or the branch itself.

    Parameters
    ----------
    game : ExtensiveGame, StrategicGame or SignalingGame
        A single game; ``qre_batch`` solves batches of trees. A SignalingGame is solved as a tree.
    at : mapping of str to number, optional
        Values of the game's parameters.
    precision : float or mapping of player to float
        :math:`\lambda \ge 0`, in one over payoff units; 0 is uniform play.
    branch : bool
        Return points of the whole principal branch instead, the last with a regret of at most ``regret``;
        precisions of players stay in the proportion that ``precision`` gives them.
    regret : float
        Where the branch ends: largest regret, as a share of the payoff span.
    starts : int
        How many random profiles to start Newton's method from in search of logit equilibria off the principal branch.
    seed : int or None
        For those.

    Returns
    -------
    EquilibriumSet
        The equilibrium on the principal branch first (with ``branch``: its points in order, and the branch's
        ``LogitBranch`` in ``options["branch"]``), then others found from random starts. ``complete`` only
        where the equilibrium is known to be unique: perfect information, or precision 0.

    Raises
    ------
    GameError
        If the game is a batch.
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
    numeric = _numbers(game, at)
    rates = _rates(numeric, precision)
    options: dict[str, object] = {"precision": precision, "branch": branch, "starts": starts, "seed": seed}
    if branch:
        traced = _traced(numeric, rates, regret)
        options |= {"regret": regret, "branch": traced}
        common = traced.precision / float((rates * _system(numeric).scale).max())
        points = [_point(numeric, logs, rates * c) for logs, c in zip(traced.logs, common, strict=True)]
        return EquilibriumSet(
            game=numeric,
            concept="qre",
            method="branch from uniform play",
            equilibria=tuple(points),
            complete=False,
            options=options,
        )
    unique = isinstance(numeric, ExtensiveGame) and numeric.perfect_information
    if unique:
        logs = _log(_closed_form(numeric, rates))
        found, method = [_point(numeric, logs, rates)], "backward recursion"
    else:
        system = _system(numeric)
        found = [_point(numeric, a, rates) for a in _solutions(system, _by_set(system, rates), starts, seed)]
        method = "continuation from uniform play"
    return EquilibriumSet(
        game=numeric,
        concept="qre",
        method=method,
        equilibria=tuple(found),
        complete=unique or not rates.any(),
        options=options,
    )


def qre_branch(
    game: ExtensiveGame | StrategicGame | SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    precision: Precision = 1.0,
    regret: float = 1e-6,
) -> LogitBranch:
    """Trace the principal branch from uniform play until the regret is small; see ``qre`` for the parameters.

    Raises
    ------
    SolverError
        If the branch could not be followed so far.
    """
    numeric = _numbers(game, at)
    return _traced(numeric, _rates(numeric, precision), regret)


def qre_batch(
    game: ExtensiveGame | SignalingGame, *, at: Mapping[str, object] | None = None, precision: Precision = 1.0
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

    Returns
    -------
    BehaviorBatch
        ``flagged`` marks games whose branch had to be followed on its own (it turns back, or bends sharply).

    Raises
    ------
    ParameterError
        If a precision is negative or a player unknown.
    """
    tree = game.to_extensive() if isinstance(game, SignalingGame) else game
    numeric = tree.at(**(at or {})).floats()
    rates = _rates(numeric, precision)
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
        y[chunk], lost = follow_batch(system.take(chunk), targets[chunk])
        for i in chunk[lost]:
            flagged[i] = True
            try:
                ratio, most = _path(targets[i])
                y[i] = _odds(system, follow(system.take(i), ratio, until=most).logs[-1])
            except SolverError:
                failed[i], y[i] = True, np.nan
    actions = system.shares(y)
    shape = numeric.batch_shape
    return BehaviorBatch(
        game=numeric,
        concept="qre",
        actions=actions.reshape(*shape, -1),
        flagged=flagged.reshape(shape),
        failed=failed.reshape(shape),
    )


def _numbers(game: Any, at: Mapping[str, object] | None) -> Any:
    tree = game.to_extensive() if isinstance(game, SignalingGame) else game
    numeric = tree.at(**(at or {}))
    numeric.require_numbers()
    if getattr(numeric, "batch_shape", ()):
        raise GameError("qre solves one game; solve a batch of trees with qre_batch, or index it, as in game[0]")
    return numeric.floats()


def _rates(game: Any, precision: Precision) -> Array:
    """Precision by player, shape (P,)."""
    if isinstance(precision, Mapping):
        unknown = [p for p in precision if p not in game.players]
        missing = [p for p in game.players if p not in precision]
        if unknown or missing:
            raise ParameterError(f"precision must name the players {list(game.players)}, got {list(precision)}")
        rates = np.array([float(precision[p]) for p in game.players])
    else:
        rates = np.full(len(game.players), float(precision))
    if not (np.isfinite(rates).all() and (rates >= 0).all()):
        raise ParameterError(
            f"precision must be finite and not negative, got {precision}; trace the branch for its limit"
        )
    return rates


def _system(game: Any) -> LogitSystem:
    return table_system(game) if isinstance(game, StrategicGame) else tree_system(game)


def _by_set(system: LogitSystem, rates: Array) -> Array:
    by_set: Array = (rates * system.scale)[system.layout.player]
    return by_set


def _path(precision: Array) -> tuple[Array, float]:
    """Return a precision by set as a ratio (largest 1) and the common factor."""
    most = float(precision.max(initial=0.0))
    return (precision / most if most > 0 else precision), most


def _solutions(system: LogitSystem, precision: Array, starts: int, seed: int | None) -> list[Array]:
    """Logit equilibria at a precision: the principal branch's, then those that random starts find."""
    if not precision.any() or not system.unknowns:
        return [system.logs(np.zeros(system.unknowns))]
    ratio, most = _path(precision)
    found = [follow(system, ratio, until=most).logs[-1]]
    rng = np.random.default_rng(seed)
    for _ in range(starts):
        y, error = polish(system, rng.normal(scale=3.0, size=system.unknowns), precision)
        logs = system.logs(y)
        if error <= 1e-11 and all(np.abs(np.exp(logs) - np.exp(known)).max() > 1e-7 for known in found):
            found.append(logs)
    return [found[0], *sorted(found[1:], key=lambda logs: list(np.exp(logs).round(9)))]


def _odds(system: LogitSystem, logs: Array) -> Array:
    odds: Array = logs[system.layout.free] - logs[system.layout.against]
    return odds


def _traced(game: Any, rates: Array, regret: float) -> LogitBranch:
    system = _system(game)
    if not rates.any():
        raise ParameterError("a branch needs a positive precision for some player, to say how their precisions compare")
    if not 0 < regret < 1:
        raise ParameterError(f"regret must lie between 0 and 1 (a share of the payoff span), got {regret}")
    ratio, _ = _path(_by_set(system, rates))
    trace = follow(system, ratio, regret=regret) if system.unknowns else follow(system, ratio, until=0.0)
    common = trace.precision[-1] / max(float(_by_set(system, rates).max(initial=0.0)), np.finfo(float).tiny)
    limit = _profile(game, system, trace.logs[-1], rates * common)
    return LogitBranch(
        game=game,
        precision=trace.precision,
        logs=trace.logs,
        regret=trace.regret,
        turning=trace.turning,
        limit=limit,
        support=_support(limit.strategies(game)),
    )


def _support(strategies: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> tuple[str, ...]:
    """At the limit: an action counts as played where its probability is above 1e-3."""
    return tuple(
        f"{player} at {key}: {', '.join(a for a, p in mix.items() if p > 1e-3)}"
        for player, sets in strategies.items()
        for key, mix in sets.items()
    )


def _log(actions: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(actions), -1e6)


def _profile(game: Any, system: LogitSystem, logs: Array, rates: Array) -> Any:
    actions = np.exp(logs)
    if isinstance(game, StrategicGame):
        return LogitMixedProfile(
            tuple(m / m.sum() for m in np.split(actions, np.cumsum(game.shape)[:-1])), precision=rates
        )
    for s in game.infosets:
        actions[s.slots] /= actions[s.slots].sum()
    beliefs = np.zeros(game.topology.size)
    if game.infosets:
        beliefs[[n for s in game.infosets for n in s.nodes]] = system.values(logs)[2]
    return LogitProfile(actions, beliefs, precision=rates)


def _point(game: Any, logs: Array, rates: Array) -> Equilibrium:
    profile = _profile(game, _system(game), logs, rates)
    certify = certify_strategic if isinstance(game, StrategicGame) else certify_tree
    certificate = certify(game, [profile], _HELD_TO)
    if not certificate.sequentially_rational:
        raise SolverError(
            f"a logit profile misses its own response by {certificate.max_regret:g} payoff units; lower the precision",
            residual=certificate.max_regret,
        )
    shown = (
        number_text(float(rates[0]))
        if (rates == rates[0]).all()
        else ", ".join(f"{p} {number_text(float(r))}" for p, r in zip(game.players, rates, strict=True))
    )
    return Equilibrium(
        game=game, concept="qre", kind=f"logit at precision {shown}", profile=profile, certificate=certificate
    )


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

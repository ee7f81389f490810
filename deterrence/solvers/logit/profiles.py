"""Logit profiles of single games: precisions by player, solutions at a precision, and certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import MixedProfile, StrategicGame
from deterrence.games.tables import number_text
from deterrence.solvers.arguments import require_form
from deterrence.solvers.budget import Budget
from deterrence.solvers.logit.branch import SOLVED, follow, polish
from deterrence.solvers.logit.system import LogitSystem, table_system, tree_system
from deterrence.solvers.verification.strategic import certify as certify_strategic
from deterrence.solvers.verification.tree import certify as certify_tree

Precision = float | Mapping[str, float]
_HELD_TO = 1e-9  # regret of the logit response that certifies a solution, relative to the payoff span
_APART = 1e-7  # profiles whose probabilities differ by less are one


@dataclass(frozen=True, eq=False)
class LogitProfile(BehaviorProfile):
    """A behaviour profile of logit responses; ``precision`` by player, shape (P,), is what they respond with."""

    precision: Array = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class LogitMixedProfile(MixedProfile):
    """A mixed profile of logit responses; ``precision`` by player, shape (P,), is what they respond with."""

    precision: Array = field(kw_only=True)


def single(game: Any, at: Mapping[str, object] | None) -> Any:
    """Return a game with numbers, a signaling game as a tree; GameError if it is a batch."""
    require_form(game, "qre", "ExtensiveGame", "StrategicGame", "SignalingGame")
    tree = game.to_extensive() if isinstance(game, SignalingGame) else game
    numeric = tree.at(**(at or {}))
    numeric.require_numbers()
    if getattr(numeric, "batch_shape", ()):
        raise GameError("qre solves one game; solve a batch of trees with qre_batch, or index it, as in game[0]")
    if isinstance(numeric, ExtensiveGame):
        _require_one_meeting(numeric)
    return numeric.floats()


def _require_one_meeting(game: ExtensiveGame) -> None:
    """Raise GameError if a player meets one information set twice: what is best there is then not defined by agents."""
    topology = game.topology
    for s in topology.infosets:
        nodes = set(s.nodes)
        for node in s.nodes:
            above = int(topology.parent[node])
            while above > 0 and above not in nodes:
                above = int(topology.parent[above])
            if above in nodes:
                raise GameError(
                    f"{game.players[s.player]} meets information set {s.name!r} twice, at {topology.name(above)!r} and "
                    f"{topology.name(node)!r}: agents that forget their own move have no logit response; give the "
                    "second move an information set of its own"
                )


def rates_of(game: Any, precision: Precision) -> Array:
    """Return the precision by player, shape (P,); ParameterError if it is negative or a player unknown."""
    if isinstance(precision, Mapping):
        unknown = [p for p in precision if p not in game.players]
        missing = [p for p in game.players if p not in precision]
        if unknown or missing:
            raise ParameterError(f"precision must name the players {list(game.players)}, got {list(precision)}")
        rates = [float(precision[p]) for p in game.players]
    else:
        rates = [float(precision)] * len(game.players)
    if not all(0 <= rate < inf for rate in rates):
        raise ParameterError(
            f"precision must be finite and not negative, got {precision}; trace the branch for its limit"
        )
    return np.array(rates)


def system_of(game: Any) -> LogitSystem:
    """Return the logit equations of a tree or table."""
    return table_system(game) if isinstance(game, StrategicGame) else tree_system(game)


def by_set(system: LogitSystem, rates: Array) -> Array:
    """Return the precision by information set, shape (I,), for payoffs divided by their spans."""
    precision: Array = (rates * system.scale)[system.layout.player]
    return precision


def in_proportion(precision: Array) -> tuple[Array, float]:
    """Return a precision by set as a ratio (largest 1) and the common factor."""
    most = float(precision.max(initial=0.0))
    return (precision / most if most > 0 else precision), most


def solutions(system: LogitSystem, precision: Array, starts: int, seed: int | None, budget: Budget) -> list[Array]:
    """Logit equilibria at a precision: the principal branch's, then those that random starts find.

    As far as the budget goes; what it leaves out stands there.
    """
    if not precision.any() or not system.unknowns:
        return [system.logs(np.zeros(system.unknowns))]
    ratio, most = in_proportion(precision)
    trace = follow(system, ratio, until=most, budget=budget)
    if trace.ended:
        reached = trace.precision[-1] / most
        budget.skip(f"the principal branch from {reached:.3g} of the precision on ({trace.ended} reached)")
    found = [] if trace.ended else [trace.last]
    others = other_solutions(system, precision, found, starts, seed, budget)
    return [*found, *sorted(others, key=lambda logs: list(np.exp(logs).round(9)))]


def other_solutions(
    system: LogitSystem,
    precision: Array,
    known: list[Array],
    starts: int,
    seed: int | None,
    budget: Budget,
) -> list[Array]:
    """Return logit equilibria, as log probabilities, to which Newton's method leads from some profiles.

    Profiles are drawn with the seed; every second one is replaced by the logit response to it, which at high precision
    is nearly pure.

    Parameters
    ----------
    precision : ndarray, shape (I,)
        By information set.
    known : list of ndarray, shapes (A,)
        Log probabilities of equilibria that are left out.
    """
    found: list[Array] = []
    rng = np.random.default_rng(seed)
    for k in range(starts):
        if not budget.spend():
            budget.skip(f"{starts - k} of {starts} random starts ({budget.reason} reached)")
            break
        y = rng.normal(scale=3.0, size=system.unknowns)
        if k % 2:
            y = y - system.residual(y, precision)[0]
        y, error = polish(system, y, precision)
        logs = system.logs(y)
        if error <= SOLVED and all(np.abs(np.exp(logs) - np.exp(x)).max() > _APART for x in (*known, *found)):
            found.append(logs)
    return found


def odds_of(system: LogitSystem, logs: Array) -> Array:
    """Return log-odds, shape (A - I,), of log probabilities."""
    odds: Array = logs[system.layout.free] - logs[system.layout.against]
    return odds


def profile_of(game: Any, system: LogitSystem, logs: Array, rates: Array) -> Any:
    """Return log probabilities, shape (A,), as the profile of a game, with the precision by player."""
    actions, layout = np.exp(logs), system.layout
    if not len(layout.first):
        return LogitProfile(actions, np.zeros(game.topology.size), precision=rates)
    actions /= np.add.reduceat(actions, layout.first)[layout.set_of]
    return as_profile(game, system, actions, system.beliefs(logs), rates)


def as_profile(game: Any, system: LogitSystem, actions: Array, beliefs: Array, rates: Array) -> Any:
    """Return probabilities, shape (A,), and beliefs over nodes of information sets, shape (X,), as a profile."""
    if isinstance(game, StrategicGame):
        return LogitMixedProfile(tuple(np.split(actions, system.layout.first[1:])), precision=rates)
    nodes = np.zeros(game.topology.size)
    nodes[system.layout.nodes] = beliefs
    return LogitProfile(actions, nodes, precision=rates)


def certify(game: Any, logs: Array, rates: Array) -> Equilibrium:
    """Return a logit equilibrium with its certificate; SolverError if it is not the logit response to itself."""
    profile = profile_of(game, system_of(game), logs, rates)
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

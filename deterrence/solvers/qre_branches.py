r"""Branches of logit equilibria: followed as the precision grows, to their limits.

As the precision of all players grows in proportion, logit equilibria form curves. The principal branch begins at
uniform play and leads, for almost all games, to a Nash equilibrium [1]_, of a tree to a sequential one [2]_. Other
branches come down from high precision, turn back, and go up again.

References
----------
.. [1] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Normal Form Games", Games Econ. Behav. 10 (1995),
   6-38.
.. [2] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Extensive Form Games", Exp. Econ. 1 (1998), 9-41.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.values import Value
from deterrence.solvers.budget import Budget, OutOfWork
from deterrence.solvers.logit.branch import ALONE, SOLVED, Trace, follow, follow_both, polish
from deterrence.solvers.logit.profiles import (
    Precision,
    as_profile,
    by_set,
    certify,
    in_proportion,
    odds_of,
    other_solutions,
    profile_of,
    rates_of,
    single,
    system_of,
)

_NOTHING = 1e-290  # precision over the payoff span below which there is no payoff to speak of
_SAME = 1e-6  # probabilities that differ by less are one profile


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitBranch(Value):
    """A branch of logit equilibria: the principal one, from uniform play on, or one between two limits.

    Attributes
    ----------
    game : ExtensiveGame or StrategicGame
    rates : ndarray, shape (P,)
        Precision of each player, per unit of the common one.
    precision : ndarray, shape (K,)
        Precision at each point, in units of one over the payoff span: multiply by ``1 / span[player]`` for a
        player's own.
    trace : Trace
        The points as they were met.
    turning : tuple of int
        Points after which the precision turns back.
    unsearched : tuple of str
        What bounds of work left out: of the principal branch, its rest and other branches.
    """

    game: Any = field(repr=False)
    rates: Array = field(repr=False)
    precision: Array = field(repr=False)
    trace: Trace = field(repr=False)
    turning: tuple[int, ...]
    unsearched: tuple[str, ...] = ()

    @cached_property
    def limit(self) -> Any:
        """The last point, a LogitProfile or LogitMixedProfile."""
        trace = self.trace
        rates = self.rates * self.precision[-1]
        if trace.end is None:
            return profile_of(self.game, trace.system, trace.last, rates)
        return as_profile(self.game, trace.system, *trace.end, rates)

    @property
    def folds(self) -> Array:
        """Precision where the branch turns back, shape (T,), in the unit of ``precision``."""
        return self.trace.folds

    @property
    def principal(self) -> bool:
        """Whether the branch begins at uniform play."""
        return not self.precision[0] > 0

    @cached_property
    def limits(self) -> tuple[Equilibrium, ...]:
        """The ends of the branch (of the principal one, the last point) as logit equilibria with certificates.

        Raises
        ------
        SolverError
            If a certificate fails.
        """
        ends = (-1,) if self.principal else (0, -1)
        return tuple(certify(self.game, self.logs[k], self.rates * self.precision[k]) for k in ends)

    @property
    def logs(self) -> Array:
        """Log probabilities at each point, shape (K, A): finite where probabilities are too small for float64."""
        return self.trace.logs

    @property
    def regret(self) -> Array:
        """Regret at each point, as a share of the payoff span, shape (K,): at any set, or a bound for any plan."""
        return self.trace.regret

    @cached_property
    def support(self) -> tuple[str, ...]:
        """What is played at the limit with a probability that does not vanish: "information set: actions"."""
        return _support(self.limit.strategies(self.game))

    @property
    def actions(self) -> Array:
        """Probabilities at each point, shape (K, A)."""
        return np.exp(self.logs)


def qre_branch(
    game: ExtensiveGame | StrategicGame | SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    precision: Precision = 1.0,
    regret: float = 1e-6,
    everywhere: bool = True,
    limit: int | None = None,
    time_limit: float | None = None,
) -> LogitBranch:
    """Trace the principal branch from uniform play until the regret is small.

    Parameters
    ----------
    game, at, precision, regret
        As in ``qre``; of several players' precisions only the proportion counts.
    everywhere : bool
        Hold the gain at every information set to ``regret``, however seldom it is reached, as a sequential
        equilibrium asks; otherwise what any player could gain from any other plan for the whole game, as a Nash
        equilibrium asks, of which a bound is computed. That is reached sooner.
    limit : int, optional
        Most points.
    time_limit : float, optional
        Most seconds. The branch then ends where it had come, and ``unsearched`` says so.

    Raises
    ------
    GameError
        If the game is a batch, or plans are to be compared and the game lacks perfect recall.
    SolverError
        If the branch could not be followed so far.
    """
    budget = Budget("qre_branch", limit=limit, time_limit=time_limit, unit="points")
    numeric = single(game, at)
    return trace(numeric, rates_of(numeric, precision), regret, everywhere, budget)


def qre_branches(
    game: ExtensiveGame | StrategicGame | SignalingGame,
    *,
    precision: Precision,
    at: Mapping[str, object] | None = None,
    regret: float = 1e-6,
    everywhere: bool = True,
    starts: int = 32,
    seed: int | None = 0,
    limit: int | None = None,
    time_limit: float | None = None,
) -> tuple[LogitBranch, ...]:
    r"""Trace the principal branch of logit equilibria, and others found from several starts.

    Logit equilibria at the given precision are sought by Newton's method from ``starts`` profiles. Through each that
    lies on no branch known so far its branch is followed both ways. At small precision there is no other equilibrium
    than that near uniform play, so that a branch other than the principal one turns back where the precision falls
    [1]_; it leads from one limit at high precision down to its turning points and up to another limit.

    Parameters
    ----------
    game, at, regret, everywhere
        As in ``qre_branch``.
    precision : float or mapping of player to float
        Where equilibria are sought, in one over payoff units; branches that lie wholly above are not found. The
        precisions of players stay in this proportion.
    starts : int
        How many profiles to start from.
    seed : int or None
        For those.
    limit : int, optional
        Most points on all branches, and starts.
    time_limit : float, optional
        Most seconds. The branches traced by then are returned; ``unsearched`` of the first says what is left.

    Returns
    -------
    tuple of LogitBranch
        The principal branch first, then the others by the lowest precision on them. No claim that these are all.
        Their ``limits`` are certified.

    Raises
    ------
    GameError
        If the game is a batch, or plans are to be compared and the game lacks perfect recall.
    ParameterError
        If a precision is negative, all are zero, or a player is unknown.
    SolverError
        If a branch could not be followed so far.

    References
    ----------
    .. [1] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Normal Form Games", Games Econ. Behav. 10
       (1995), 6-38.

    Examples
    --------
    Two hunters get 2 each for a stag, which takes both, and 1.2 for a hare. The branch on which they hunt the stag ends
    below a precision of 3.45, where it turns into that on which they mix.

    >>> import deterrence as dt
    >>> hunt = dt.StrategicGame([[2, 0], [1.2, 1.2]], [[2, 1.2], [0, 1.2]])
    >>> uniform, stag = dt.qre_branches(hunt, precision=6.0)
    >>> round(float(stag.folds[0] * stag.rates[0]), 3)
    3.446
    >>> [round(e.strategies["Row"]["start"]["1"], 3) for e in (*uniform.limits, *stag.limits)]
    [0.0, 1.0, 0.6]
    """
    budget = Budget("qre_branches", limit=limit, time_limit=time_limit, unit="points")
    numeric = single(game, at)
    rates = rates_of(numeric, precision)
    principal = trace(numeric, rates, regret, everywhere, budget)
    system = principal.trace.system
    target = by_set(system, rates)
    ratio, most = in_proportion(target)
    if not system.unknowns or most <= ALONE:
        return (principal,)
    branches = [principal]
    for logs in other_solutions(system, target, [], starts, seed, budget):
        if any(_passes(branch.trace, logs, most) for branch in branches):
            continue
        try:
            other = follow_both(
                system, ratio, odds_of(system, logs), most, regret=regret, everywhere=everywhere, budget=budget
            )
        except OutOfWork as reason:
            budget.skip(f"branches other than the first {len(branches)} ({reason} reached)")
            break
        if other is not None:
            branches.append(_branch(numeric, rates, most, other))
    branches[1:] = sorted(branches[1:], key=_order)
    branches[0] = replace(principal, unsearched=tuple(budget.unsearched))
    for branch in branches:
        _ = branch.limits  # certified here
    budget.close()
    return tuple(branches)


def trace(game: Any, rates: Array, regret: float, everywhere: bool = True, budget: Budget | None = None) -> LogitBranch:
    """Return the principal branch of a single game with numbers; ``rates`` is the precision by player."""
    _check(rates, regret)
    system = system_of(game)
    precision = by_set(system, rates)
    ratio, most = in_proportion(precision)
    followed = follow(system, ratio, regret=regret, everywhere=everywhere, budget=budget)
    branch = _branch(game, rates, most, followed)
    if budget is not None and followed.ended:
        budget.skip(f"the principal branch beyond precision {branch.precision[-1]:.3g} ({followed.ended} reached)")
        branch = replace(branch, unsearched=tuple(budget.unsearched))
    return branch


def _check(rates: Array, regret: float) -> None:
    if not rates.any():
        raise ParameterError("a branch needs a positive precision for some player, to say how their precisions compare")
    if not 0 < regret < 1:
        raise ParameterError(f"regret must lie between 0 and 1 (a share of the payoff span), got {regret}")


def _branch(game: Any, rates: Array, most: float, trace: Trace) -> LogitBranch:
    unit = rates / most if most > _NOTHING else rates  # where all payoffs tie the branch is one point
    return LogitBranch(game=game, rates=unit, precision=trace.precision, trace=trace, turning=trace.turning)


def _passes(trace: Trace, logs: Array, precision: float) -> bool:
    """Whether a branch passes through a solution at a precision: where it crosses that precision, it is solved for."""
    rise = trace.precision - precision
    for k in np.flatnonzero(rise[:-1] * rise[1:] <= 0):
        width = trace.precision[k + 1] - trace.precision[k]
        share = -rise[k] / width if width else 0.0
        guess = trace.met[k] + share * (trace.met[k + 1] - trace.met[k])
        y, error = polish(trace.system, guess, trace.ratio * precision)
        if error <= SOLVED and np.abs(np.exp(trace.system.logs(y)) - np.exp(logs)).max() <= _SAME:
            return True
    return False


def _order(branch: LogitBranch) -> tuple[float, ...]:
    lowest = int(branch.precision.argmin())
    return (round(float(branch.precision[lowest]), 6), *branch.actions[lowest].round(6))


def _support(strategies: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> tuple[str, ...]:
    """At the limit: an action counts as played where its probability is above 1e-3."""
    return tuple(
        f"{player} at {key}: {', '.join(a for a, p in mix.items() if p > 1e-3)}"
        for player, sets in strategies.items()
        for key, mix in sets.items()
    )

r"""Correlated equilibria of tables and trees: a mediator recommends, and nobody gains by doing something else.

Recommendations with probabilities :math:`\mu(s)` are a correlated equilibrium iff for all players i, strategies a, b

.. math:: \sum_{s_{-i}} \mu(a, s_{-i}) \left(u_i(a, s_{-i}) - u_i(b, s_{-i})\right) \ge 0,

so that obeying is best whatever is recommended [1]_. They are a coarse correlated equilibrium iff no player gains by a
strategy chosen before it is told [2]_: the sum of these conditions over a. Either set is a polytope, and what is asked
for is maximised over it by linear programming (HiGHS). A tree is solved by its reduced strategic form, a player being
told its whole plan at the start.

References
----------
.. [1] R. Aumann, "Subjectivity and Correlation in Randomized Strategies", J. Math. Econ. 1 (1974), 67-96; "Correlated
   Equilibrium as an Expression of Bayesian Rationality", Econometrica 55 (1987), 1-18.
.. [2] H. Moulin and J.-P. Vial, "Strategically Zero-Sum Games", Int. J. Game Theory 7 (1978), 201-221.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import prod
from typing import Any, cast

import numpy as np

from deterrence.games.errors import GameError, ParameterError, SolverError, did_you_mean
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.quantities import Array, as_float
from deterrence.games.strategic import StrategicGame
from deterrence.games.values import Value
from deterrence.solvers.algebra.rational_lp import minimise
from deterrence.solvers.arguments import numbers_in
from deterrence.solvers.budget import Budget, interruptible
from deterrence.solvers.predicates import read
from deterrence.solvers.sequence_form import TOLERANCES

_MOST_CELLS = 200_000  # unknowns of the linear program
_MOST_EXACT = 27  # ... that is solved in rationals
_ROUNDING = 1e-9  # gain that counts as none in floats, as a share of the largest number in the comparison


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrelatedEquilibrium(Value):
    """Probabilities of recommendations that nobody gains by disobeying.

    Attributes
    ----------
    game : StrategicGame
        The table that was solved; of a tree its reduced strategic form.
    probabilities : ndarray, shape (s_1, ..., s_P)
        Of each profile of recommendations.
    coarse : bool
        Whether players commit before they are told.
    value : float
        What was maximised.
    max_regret : float
        The largest gain from disobedience, in payoff units, computed anew from the table; 0 if ``exact``.
    exact : bool
        Whether it was solved in rational arithmetic, a float payoff being the decimal that it prints as.
    """

    game: StrategicGame = field(repr=False)
    probabilities: Array = field(repr=False)
    coarse: bool
    value: float
    max_regret: float
    exact: bool = False

    @property
    def payoffs(self) -> Mapping[str, float]:
        """Expected payoff by player."""
        tables = as_float(self.game.payoffs)
        return {p: float((self.probabilities * tables[..., i]).sum()) for i, p in enumerate(self.game.players)}

    def probability(self, event: Event) -> float:
        """Return the probability of an event: a strategy that is recommended to somebody, or a predicate."""
        return float((self.probabilities * self.game.event_cells(event)).sum())

    @property
    def recommendations(self) -> Mapping[tuple[str, ...], float]:
        """Profiles that are recommended, with their probabilities."""
        return {
            tuple(labels[k] for labels, k in zip(self.game.strategies, cell, strict=True)): float(p)
            for cell, p in np.ndenumerate(self.probabilities)
            if p > 0
        }


def correlated(
    game: StrategicGame | ExtensiveGame,
    *,
    at: Mapping[str, object] | None = None,
    maximise: Event = "welfare",
    coarse: bool = False,
    time_limit: float | None = None,
) -> CorrelatedEquilibrium:
    """Find the correlated equilibrium that is best for a player, for all, or for an event.

    Parameters
    ----------
    game : StrategicGame or ExtensiveGame
        A single game; a tree is solved by its reduced strategic form.
    at : mapping of str to number, optional
        Values of the game's parameters.
    maximise : str or callable
        ``"welfare"`` (the sum of payoffs), the name of a player, or an event, whose probability is then as large as any
        correlated equilibrium makes it.
    coarse : bool
        Players commit to obey before they are told; a larger set.
    time_limit : float, optional
        Most seconds for the linear program.

    Raises
    ------
    GameError
        If the game is a batch or has more than 200,000 profiles.
    ParameterError
        If there is no such player or event.
    SolverError
        If HiGHS fails or does not end in time, or its solution fails its certificate.

    Examples
    --------
    Chicken, Aumann (1974): 5.25 each, more than any Nash equilibrium gives both.

    >>> from deterrence import StrategicGame
    >>> chicken = StrategicGame([[6, 2], [7, 0]], [[6, 7], [2, 0]], strategies=[["yield", "dare"]] * 2)
    >>> solved = correlated(chicken)
    >>> {p: round(v, 6) for p, v in solved.payoffs.items()}
    {'Row': 5.25, 'Column': 5.25}
    """
    numeric = numbers_in(game, at, "correlated", ("StrategicGame", "ExtensiveGame"))
    numeric.require_numbers()
    if isinstance(numeric, ExtensiveGame):
        if numeric.batch_shape:
            raise GameError("correlated solves one game; index the batch, as in game[0]")
        numeric = to_strategic(numeric, limit=_MOST_CELLS).game
    table: StrategicGame = numeric.floats()
    if prod(table.shape) > _MOST_CELLS:
        raise GameError(f"the table has {prod(table.shape):,} profiles, more than {_MOST_CELLS:,} for correlated")
    budget = Budget("correlated", time_limit=time_limit)
    objective = _objective(table, maximise)
    exact = prod(table.shape) <= _MOST_EXACT
    if exact:
        weights = _in_rationals(numeric.exact(), _objective(numeric.exact(), maximise), coarse)
    else:
        weights = _in_floats(table, objective, coarse, budget)
    regret = largest_gain(table, weights, coarse=coarse)
    return CorrelatedEquilibrium(
        game=table,
        probabilities=weights,
        coarse=coarse,
        value=float((objective * weights).sum()),
        max_regret=0.0 if exact else regret,
        exact=exact,
    )


def _in_rationals(game: StrategicGame, objective: Array, coarse: bool) -> Array:
    """Solve the linear program in rational arithmetic."""
    size = prod(game.shape)
    rows, columns, entries, count = _conditions(game, coarse)
    matrix = np.zeros((max(count, 1), size), dtype=object)
    np.add.at(matrix, (rows, columns), entries)
    aim = [-read(x) for x in objective.ravel().tolist()]
    solved = minimise(aim, at_most=[(row, 0) for row in matrix.tolist()], equal=[([1] * size, 1)])
    if solved is None:
        raise SolverError(f"no correlated equilibrium of {game!r} was found, but one exists: please report the game")
    return np.array([float(x) for x in solved[1]]).reshape(game.shape)


def _in_floats(table: StrategicGame, objective: Array, coarse: bool, budget: Budget) -> Array:
    """Solve the linear program by HiGHS, and check gains against the largest number in each comparison."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    rows, columns, entries, count = _conditions(table, coarse)
    size = prod(table.shape)
    scale = float(np.abs(objective).max()) or 1.0
    largest = np.zeros(max(count, 1))
    np.maximum.at(largest, rows, np.abs(entries))
    largest[largest == 0] = 1.0
    matrix = coo_array((entries / largest[rows], (rows, columns)), shape=(len(largest), size)).tocsr()
    seconds = {} if budget.time_limit is None else {"time_limit": budget.seconds_left()}
    solve = partial(
        linprog,
        -objective.ravel() / scale,
        A_ub=cast("Any", matrix),
        b_ub=np.zeros(len(largest)),
        A_eq=np.ones((1, size)),
        b_eq=[1.0],
        method="highs",
        options=cast("Any", {**TOLERANCES, **seconds}),
    )
    solved: Any = interruptible(solve)
    if solved.status == 1:
        raise SolverError(
            f"the linear program of {table!r} was not solved within time_limit={budget.time_limit:g} seconds; raise it"
        )
    if solved.status != 0:
        raise SolverError(f"HiGHS did not solve the linear program of {table!r}: {solved.message}")
    weights: Array = np.where(solved.x > _ROUNDING**2, solved.x, 0.0)
    weights /= weights.sum()
    excess = float((matrix @ weights).max(initial=0.0))
    if excess > _ROUNDING:
        raise SolverError(
            f"recommendations gain by disobedience {excess:g} of the largest difference of payoffs that they compare; "
            "rescale the payoffs",
            residual=excess,
        )
    return weights.reshape(table.shape)


def largest_gain(game: StrategicGame, probabilities: Array, *, coarse: bool = False) -> float:
    """Return the most that a player gains by disobeying recommendations, shape (s_1, ..., s_P), in payoff units.

    Of a recommendation that is made with some probability the gain counts times that probability.
    """
    worst = 0.0
    for i in range(len(game.players)):
        table = np.moveaxis(as_float(game.payoffs)[..., i], i, 0).reshape(game.shape[i], -1)
        weights = np.moveaxis(probabilities, i, 0).reshape(game.shape[i], -1)
        values = weights @ table.T  # told a, doing b
        gains = values.sum(axis=0) - np.trace(values) if coarse else values - np.diag(values)[:, None]
        worst = max(worst, float(gains.max()))
    return worst


def _objective(game: StrategicGame, maximise: Event) -> Array:
    tables = as_float(game.payoffs)
    if maximise == "welfare":
        return np.asarray(tables.sum(axis=-1))
    if isinstance(maximise, str) and maximise in game.players:
        return np.asarray(tables[..., game.players.index(maximise)])
    if isinstance(maximise, str) and maximise not in game.event_names:
        known = ["welfare", *game.players, *game.event_names]
        raise ParameterError(
            f"maximise must be 'welfare', a player or an event, got {maximise!r}; known are {', '.join(known)}"
            f"{did_you_mean(maximise, known)}"
        )
    return game.event_cells(maximise)


def _conditions(game: StrategicGame, coarse: bool) -> tuple[Array, Array, Array, int]:
    """Gains from disobedience, at most zero each, as entries of a sparse matrix: rows, columns, values, row count."""
    cells = np.arange(prod(game.shape)).reshape(game.shape)
    rows: list[Array] = []
    columns: list[Array] = []
    entries: list[Array] = []
    count = 0
    for i, strategies in enumerate(game.shape):
        lines = np.moveaxis(game.payoffs[..., i], i, 0).reshape(strategies, -1)
        places = np.moveaxis(cells, i, 0).reshape(strategies, -1)
        for b in range(strategies):
            for a in range(strategies):
                if a == b:
                    continue
                rows.append(np.full(lines.shape[1], count))
                columns.append(places[a])
                entries.append(lines[b] - lines[a])
                count += not coarse
            count += coarse
    if not rows:
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int), np.zeros(0), 0
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(entries), count

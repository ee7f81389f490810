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
from math import prod
from typing import Any, cast

import numpy as np

from deterrence.games.errors import GameError, ParameterError, SolverError, did_you_mean
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.quantities import Array, as_float
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.arguments import numbers_in

_MOST_CELLS = 200_000  # unknowns of the linear program
_ROUNDING = 1e-7  # what HiGHS works to, relative to the payoff span


@dataclass(frozen=True, kw_only=True, eq=False)
class CorrelatedEquilibrium:
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
        The largest gain from disobedience, in payoff units, computed anew from the table.
    """

    game: StrategicGame = field(repr=False)
    probabilities: Array = field(repr=False)
    coarse: bool
    value: float
    max_regret: float

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

    Raises
    ------
    GameError
        If the game is a batch or has more than 200,000 profiles.
    ParameterError
        If there is no such player or event.
    SolverError
        If HiGHS fails, or its solution its certificate.

    Examples
    --------
    Chicken, Aumann (1974): 5.25 each, more than any Nash equilibrium gives both.

    >>> from deterrence import StrategicGame
    >>> chicken = StrategicGame([[6, 2], [7, 0]], [[6, 7], [2, 0]], strategies=[["yield", "dare"]] * 2)
    >>> solved = correlated(chicken)
    >>> {p: round(v, 6) for p, v in solved.payoffs.items()}
    {'Row': 5.25, 'Column': 5.25}
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    numeric = numbers_in(game, at, "correlated", ("StrategicGame", "ExtensiveGame"))
    numeric.require_numbers()
    if isinstance(numeric, ExtensiveGame):
        if numeric.batch_shape:
            raise GameError("correlated solves one game; index the batch, as in game[0]")
        numeric = to_strategic(numeric, limit=_MOST_CELLS).game
    table: StrategicGame = numeric.floats()
    if prod(table.shape) > _MOST_CELLS:
        raise GameError(f"the table has {prod(table.shape):,} profiles, more than {_MOST_CELLS:,} for correlated")
    objective = _objective(table, maximise)
    rows, columns, entries, count = _conditions(table, coarse)
    size = prod(table.shape)
    scale = float(np.abs(objective).max()) or 1.0
    solved: Any = linprog(
        -objective.ravel() / scale,
        A_ub=cast("Any", coo_array((entries, (rows, columns)), shape=(max(count, 1), size)).tocsr()),
        b_ub=np.zeros(max(count, 1)),
        A_eq=np.ones((1, size)),
        b_eq=[1.0],
        method="highs",
    )
    if solved.status != 0:
        raise SolverError(f"HiGHS did not solve the linear program of {table!r}: {solved.message}")
    weights = np.where(solved.x > _ROUNDING**2, solved.x, 0.0).reshape(table.shape)
    weights /= weights.sum()
    regret = largest_gain(table, weights, coarse=coarse)
    if regret > 10 * _ROUNDING * table.span:
        raise SolverError(
            f"the recommendations have a regret of {regret:g} payoff units (span {table.span:g}); rescale the payoffs",
            residual=regret,
        )
    return CorrelatedEquilibrium(
        game=table,
        probabilities=weights,
        coarse=coarse,
        value=float((objective * weights).sum()),
        max_regret=regret,
    )


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
        table = as_float(game.payoffs)[..., i]
        span = max(float(np.ptp(table)), np.finfo(float).tiny)
        lines = np.moveaxis(table, i, 0).reshape(strategies, -1) / span
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

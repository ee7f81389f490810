r"""Estimate how precisely players respond: quantal response equilibrium fitted to counts of actions.

A game with known payoffs is played many times; each information set plays action a with a probability proportional to
:math:`e^{\lambda_i q_a}`, where q is the expected payoff of player i there and :math:`\lambda_i` its precision [1]_.
The logarithms of precisions are linear in covariates, one equation for all players or one for each; the equilibrium is
that on the principal branch.

References
----------
.. [1] R. McKelvey and T. Palfrey, "Quantal Response Equilibria for Normal Form Games", Games Econ. Behav. 10 (1995),
   6-38.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

import numpy as np

from deterrence.estimation.covariance import Kind
from deterrence.estimation.data import Missing, numbers_of
from deterrence.estimation.formulas import Design
from deterrence.estimation.index_models import IndexLikelihood, Terms, prepare
from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.maximum_likelihood import STARTS, maximum_likelihood
from deterrence.estimation.optimise import ITERATIONS
from deterrence.estimation.result import Fit
from deterrence.games.errors import ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import check_names
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.qre import qre

Cell: TypeAlias = tuple[str, str, str]  # player, information set, action

_STEP = 2e-3  # of differences in the logarithm of a precision: error of order h^4, rounding 1e-13 / h


def fit_quantal_response(
    game: StrategicGame | ExtensiveGame,
    data: Any,
    *,
    outcome: Mapping[str, Mapping[str, Any]],
    precision: str | float | Mapping[str, Any] = "1",
    utilities: Mapping[str, Any] | None = None,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    covariance: Kind | None = None,
    penalty: Any = None,
    starts: Any = STARTS,
    seed: int | None = 0,
    missing: Missing = "drop",
    iterations: int = ITERATIONS,
) -> Fit:
    """Estimate precisions of responses.

    Parameters
    ----------
    game : StrategicGame or ExtensiveGame
        With numbers for payoffs.
    data : table
        A row for each group of plays.
    outcome : mapping of player to mapping of action to column
        Columns of counts. Where a player's information sets share names of actions: a mapping of information set to
        these. Players and actions that were not recorded may be left out.
    precision : formula, number, or mapping of player to these
        Of the logarithm of the precision (in one over payoff); a number is a known precision. ``"1"``: one constant for
        all players.
    utilities : mapping, optional
        Must be empty: payoffs are known.
    weights, cluster, covariance, penalty, starts, seed, missing, iterations
        As in ``fit``.

    Raises
    ------
    ParameterError
        If the game has symbols, or a player, action, column or option is wrong.
    """
    if utilities:
        raise ParameterError("quantal responses are fitted to known payoffs: leave utilities out, and put numbers")
    if game.parameters:
        raise ParameterError(f"the game has symbols, {', '.join(game.parameters)}; give them numbers with game.at(...)")
    cells = _cells(game, outcome)
    given = precision if isinstance(precision, Mapping) else None
    if given is not None:
        check_names(given, game.players, "precision by player")
    formulas = (
        {"log precision": _log(precision)}
        if given is None
        else {f"log precision of {player}": _log(given[player]) for player in game.players}
    )
    ready = prepare(data, formulas, list(cells.values()), weights=weights, cluster=cluster, missing=missing)
    likelihood = QuantalResponseLikelihood(
        designs=ready.designs,
        weights=ready.weights,
        game=game,
        cells=tuple(cells),
        columns=tuple(cells.values()),
        counts=np.stack([numbers_of(ready.frame, column, "counts", low=0.0) for column in cells.values()]),
    )
    if not likelihood.size:
        raise ParameterError("nothing is left to estimate: every precision is a number; give one a formula")
    return maximum_likelihood(
        likelihood, frame=ready.frame, dropped=ready.dropped, clusters=ready.clusters, kind=covariance,
        penalty=penalty, starts=starts, seed=seed, iterations=iterations, game=ResponseGame(game),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ResponseGame:
    """A game whose players' precisions are what a fit gives: ``at`` is the game, whatever they are."""

    game: StrategicGame | ExtensiveGame

    @property
    def parameters(self) -> tuple[str, ...]:
        """Players, each with its precision."""
        return tuple(self.game.players)

    def at(self, **values: float) -> StrategicGame | ExtensiveGame:
        """Return the game."""
        check_names(values, self.parameters, "precisions")
        return self.game


def _log(precision: Any) -> Any:
    if isinstance(precision, str):
        return precision
    if not 0 < float(precision) < np.inf:
        raise ParameterError(f"a known precision must be above 0 and finite, got {precision}")
    return float(np.log(float(precision)))


def _cells(game: Any, outcome: Any) -> dict[Cell, str]:
    """Return the column of each action that was recorded."""
    if not isinstance(outcome, Mapping):
        raise ParameterError("outcome must map players to mappings of action to column of counts")
    strategies = qre(game, precision=1.0)[0].strategies
    check_names(outcome, game.players, "the game", complete=False)
    cells: dict[Cell, str] = {}
    for player, named in outcome.items():
        sets = strategies[player]
        for key, value in named.items():
            inside = value if isinstance(value, Mapping) else {key: value}
            for action, column in inside.items():
                homes = [h for h in sets if action in sets[h] and (h == key or not isinstance(value, Mapping))]
                if len(homes) != 1:
                    raise ParameterError(
                        f"{player} has {len(homes)} information sets with action {action!r}; "
                        f"information sets are {', '.join(map(repr, sets))}"
                    )
                cells[player, homes[0], action] = str(column)
    if not cells:
        raise ParameterError("outcome names no action")
    return cells


@dataclass(frozen=True, eq=False)
class QuantalResponseLikelihood(IndexLikelihood):
    """Counts of actions, in the logarithms of precisions.

    Attributes
    ----------
    cells : tuple of (player, information set, action)
    columns : tuple of str
        Of counts.
    counts : ndarray, shape (C, n), or None
    """

    designs: tuple[Design, ...]
    weights: Floats
    game: Any
    cells: tuple[Cell, ...]
    columns: tuple[str, ...]
    counts: Floats | None
    title: str = "Quantal response equilibrium, precision estimated"
    _memory: dict[bytes, Floats] = field(default_factory=dict, repr=False, compare=False)

    @property
    def outcomes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of actions, with their player."""
        return tuple(f"{player}: {action}" for player, _, action in self.cells)

    def chances(self, values: Floats) -> Floats:
        """Return the probability of each action at log precisions of shape (E, n), shape (C, n)."""
        points, place = np.unique(values, axis=1, return_inverse=True)
        return np.stack([self._chances(point) for point in points.T], axis=1)[:, np.ravel(place)]

    def _chances(self, point: Floats) -> Floats:
        key = np.ascontiguousarray(point).tobytes()
        if key not in self._memory:
            if len(self._memory) > 2000:
                self._memory.clear()
            rates = np.exp(np.broadcast_to(point, (len(self.game.players),)))
            try:
                if not np.isfinite(rates).all():
                    raise SolverError("precision is not finite")
                found = qre(self.game, precision=dict(zip(self.game.players, rates.tolist(), strict=True)))[0]
                self._memory[key] = np.array([found.strategies[p][h][a] for p, h, a in self.cells])
            except (SolverError, ArithmeticError):  # the branch may not be followed at an extreme precision
                self._memory[key] = np.full(len(self.cells), np.nan)
        return self._memory[key]

    def _rows(self, values: Floats) -> Floats:
        if self.counts is None:
            raise ParameterError("these rows have no counts")
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(self.counts > 0, self.counts * np.log(self.chances(values)), 0.0)
        return np.asarray(each.sum(axis=0))

    def terms(self, values: Floats, order: int) -> Terms:
        """Return log-likelihoods with derivatives by differences of the equilibrium."""
        count, rows = values.shape
        slopes, bends = np.zeros((count, rows)), np.zeros((count, count, rows))
        centre = self._rows(values)
        if not order:
            return centre, slopes, bends

        def at(*moves: tuple[int, float]) -> Floats:
            shifted = values.copy()
            for i, steps in moves:
                shifted[i] += steps * _STEP
            return self._rows(shifted)

        for i in range(count):
            two, one, back, back_two = (at((i, k)) for k in (2, 1, -1, -2))
            slopes[i] = (8 * (one - back) - (two - back_two)) / (12 * _STEP)
            bends[i, i] = (16 * (one + back) - (two + back_two) - 30 * centre) / (12 * _STEP**2)
            for j in range(i if order == 2 else 0):
                mixed = [at((i, a), (j, b)) * a * b for a in (1, -1) for b in (1, -1)]
                bends[i, j] = bends[j, i] = sum(mixed) / (4 * _STEP**2)
        return centre, slopes, bends

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return the precision of each player in each row."""
        rates = np.exp(self.equation_values(theta))
        players = self.game.players
        return dict(zip(players, np.broadcast_to(rates, (len(players), rates.shape[1])), strict=True))

    def at(self, data: Any) -> Self:
        """Return the model at other rows; counts are read where they are there."""
        known = all(c in data.columns for c in self.columns)
        counts = np.stack([numbers_of(data, c, "counts", low=0.0) for c in self.columns]) if known else None
        designs = tuple(design.at(data) for design in self.designs)
        return replace(self, designs=designs, weights=np.ones(len(data)), counts=counts)

    @property
    def nobs(self) -> float:
        """Number of recorded actions."""
        return float((self.weights * (1 if self.counts is None else self.counts.sum(axis=0))).sum())

    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of each recorded action at its information set, shape (n, C)."""
        return np.ascontiguousarray(self.chances(self.equation_values(theta)).T)

    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of counts that the model generates, as many at each information set as there were."""
        if self.counts is None:
            raise ParameterError("these rows have no counts")
        chances, counts = self.chances(self.equation_values(theta)), np.zeros_like(self.counts)
        for home in dict.fromkeys((p, h) for p, h, _ in self.cells):
            inside = [i for i, (p, h, _) in enumerate(self.cells) if (p, h) == home]
            for row in range(self.rows):
                share = chances[inside, row] / chances[inside, row].sum()
                counts[inside, row] = generator.multinomial(round(float(self.counts[inside, row].sum())), share)
        return replace(self, counts=counts)

    def outcome_frame(self) -> Any:
        """Return the counts as columns."""
        import pandas as pd

        if self.counts is None:
            raise ParameterError("these rows have no counts")
        return pd.DataFrame(dict(zip(self.columns, self.counts, strict=True)))

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return precisions that make the payoff span one, a quarter and four, in turn."""
        span = float(np.ptp(np.asarray(self.game.payoffs, dtype=np.float64))) or 1.0
        levels = [-np.log(span) + shift for shift in (0.0, np.log(4), -np.log(4))]
        levels += [-np.log(span) + generator.normal(0, 1.5) for _ in range(max(0, number - 3))]
        constants = np.array([name.endswith(":Intercept") for name in self.names])
        return [Start(f"precision {i + 1}", np.where(constants, level, 0.0)) for i, level in enumerate(levels[:number])]

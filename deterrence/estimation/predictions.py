"""Probabilities that a fit predicts, what a regressor does to them, and how sure both are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from deterrence.estimation.data import check_columns, frame_of
from deterrence.estimation.likelihood import Floats, Likelihood
from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.estimation.result import Fit

Bands: TypeAlias = Literal["delta", "simulation", "bootstrap"]
Kind: TypeAlias = Literal["outcomes", "actions"]

_STEP = 1e-4  # of a numerical derivative in a regressor, in standard deviations
_SIMULATIONS = 1000


def predict(
    fit: Fit,
    data: Any = None,
    *,
    kind: Kind = "outcomes",
    bands: Bands | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return predicted probabilities, a row for each row of the data; NaN where a regressor is missing.

    Parameters
    ----------
    fit : Fit
    data : table, optional
        By default the rows that were fitted.
    kind : {"outcomes", "actions"}
        Of outcomes, or of each action where its move is reached.
    bands : {"delta", "simulation", "bootstrap"}, optional
        Adds confidence bands, as columns (outcome, "estimate" | "low" | "high"): by the delta method on the scale of
        log odds; by draws from the normal distribution of the estimates; by the bootstrap's estimates.
    level : float
        Of the bands.
    seed : int
        Of the draws.

    Raises
    ------
    ParameterError
        If a column is missing or an option is wrong.
    """
    import pandas as pd

    table = fit.frame if data is None else frame_of(data)
    columns = fit.likelihood.regressors
    check_columns(table, columns, "regressor")
    whole = table[list(columns)].notna().all(axis=1).to_numpy(dtype=bool) if columns else np.ones(len(table), bool)
    if not whole.any():
        raise ParameterError("every row of data lacks a regressor, so nothing can be predicted")
    rows = fit.likelihood.at(table.loc[whole])
    names, of = _quantity(rows, kind)
    if bands is None:
        result = np.full((len(table), len(names)), np.nan)
        result[whole] = of(fit.theta)
        return pd.DataFrame(result, index=table.index, columns=list(names))
    slopes = rows.probability_derivatives if kind == "outcomes" else None
    ends = _bands(fit, of, slopes, bands, level, seed)
    result = np.full((len(table), len(names), 3), np.nan)
    result[whole] = np.stack(ends, axis=-1)
    labels = pd.MultiIndex.from_product([list(names), ["estimate", "low", "high"]])
    return pd.DataFrame(result.reshape(len(table), -1), index=table.index, columns=labels)


def effects(
    fit: Fit,
    regressor: str,
    *,
    change: tuple[Any, Any] | None = None,
    data: Any = None,
    bands: Bands = "delta",
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what a regressor does to the probability of each outcome, averaged over the rows.

    Parameters
    ----------
    fit : Fit
    regressor : str
        A column of the data.
    change : pair, optional
        The first difference from one value to another, in every row. By default the derivative for a regressor with
        more than two values, the difference between its two values otherwise.
    data : table, optional
        By default the rows that were fitted.
    bands, level, seed
        As in ``predict``; by the delta method on the scale of probabilities.

    Returns
    -------
    pandas.DataFrame
        A row for each outcome: ``effect``, ``std err``, ``low``, ``high``. The effects sum to zero.

    Raises
    ------
    ParameterError
        If the regressor is none, or holds words and no change is given.
    """
    import pandas as pd

    table = fit.frame if data is None else frame_of(data)
    columns = fit.likelihood.regressors
    if regressor not in columns:
        check_columns(table, [regressor], "regressor")
        raise ParameterError(f"{regressor!r} is no regressor of this fit; it has {', '.join(map(repr, columns))}")
    table = table.dropna(subset=list(columns))
    first, second, divisor = _change(table, regressor, change)
    before, after = (fit.likelihood.at(table.assign(**{regressor: values})) for values in (first, second))

    def of(theta: Floats) -> Floats:
        difference = after.probabilities(theta) - before.probabilities(theta)
        return np.asarray(difference.mean(axis=0) / divisor)

    def slopes(theta: Floats) -> Floats:
        difference = after.probability_derivatives(theta) - before.probability_derivatives(theta)
        return np.asarray(difference.mean(axis=0) / divisor)

    estimate, low, high = _bands(fit, of, slopes, bands, level, seed, odds=False)
    error = np.sqrt(_variances(slopes(fit.theta), fit.covariance))
    return pd.DataFrame(
        {"effect": estimate, "std err": error, "low": low, "high": high}, index=list(fit.likelihood.outcomes)
    )


def sweep(
    fit: Fit,
    regressor: str,
    values: Any = None,
    *,
    at: Mapping[str, Any] | None = None,
    bands: Bands | None = "delta",
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return predicted probabilities along one regressor, the others at a typical row.

    Parameters
    ----------
    fit : Fit
    regressor : str
    values : array_like, optional
        By default 51 points from the least to the greatest of the data; of words, each that occurs.
    at : mapping, optional
        Values of other regressors; by default means, and of words the most frequent.
    bands, level, seed
        As in ``predict``.

    Returns
    -------
    pandas.DataFrame
        As ``predict`` returns it, with the values as index.

    Raises
    ------
    ParameterError
        If the regressor is none.
    """
    import pandas as pd

    row = typical_row(fit, at)
    columns = fit.likelihood.regressors
    if regressor not in columns:
        raise ParameterError(f"{regressor!r} is no regressor of this fit; it has {', '.join(map(repr, columns))}")
    if values is None:
        column = fit.frame[regressor]
        numeric = pd.api.types.is_numeric_dtype(column)
        values = np.linspace(column.min(), column.max(), 51) if numeric else sorted(column.unique())
    points = list(values)
    table = pd.DataFrame({name: [value] * len(points) for name, value in row.items()}, index=points)
    table[regressor] = points
    table.index.name = regressor
    return predict(fit, table, bands=bands, level=level, seed=seed)


def typical_row(fit: Fit, at: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the regressors of a typical row: means, and of words the most frequent, but for those given in ``at``.

    Raises
    ------
    ParameterError
        If ``at`` names what is no regressor.
    """
    import pandas as pd

    given = dict(at or {})
    columns = fit.likelihood.regressors
    for name in given:
        if name not in columns:
            raise ParameterError(f"{name!r} is no regressor of this fit; it has {', '.join(map(repr, columns))}")
    row = {}
    for name in columns:
        column = fit.frame[name]
        if name in given:
            row[name] = given[name]
        elif pd.api.types.is_numeric_dtype(column):
            row[name] = float(np.average(column.to_numpy(dtype=np.float64), weights=fit.likelihood.weights))
        else:
            row[name] = column.mode().iloc[0]
    return row


def _quantity(rows: Likelihood, kind: str) -> tuple[tuple[str, ...], Callable[[Floats], Floats]]:
    if kind == "outcomes":
        return rows.outcomes, rows.probabilities
    if kind == "actions":
        names = tuple(rows.action_probabilities(np.zeros(rows.size)))
        if not names:
            raise ParameterError("this model has no probabilities of actions; ask for kind='outcomes'")
        return names, lambda theta: np.stack(list(rows.action_probabilities(theta).values()), axis=1)
    raise ParameterError(f"kind must be 'outcomes' or 'actions', got {kind!r}")


def _bands(
    fit: Fit,
    of: Callable[[Floats], Floats],
    slopes: Callable[[Floats], Floats] | None,
    bands: str,
    level: float,
    seed: int,
    *,
    odds: bool = True,
) -> tuple[Floats, Floats, Floats]:
    """Return a quantity at the estimates, and the ends of its band."""
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ParameterError(f"level must lie between 0 and 1, got {level!r}")
    estimate = of(fit.theta)
    tails = [(1 - level) / 2, (1 + level) / 2]
    if bands == "delta":
        gradient = slopes(fit.theta) if slopes is not None else _numerical(of, fit.theta, fit.likelihood.units)
        reach = float(ndtri(tails[1])) * np.sqrt(_variances(gradient, fit.covariance))
        if not odds:
            return estimate, estimate - reach, estimate + reach
        with np.errstate(divide="ignore", invalid="ignore"):
            log_odds = np.log(estimate) - np.log1p(-estimate)
            reach = np.where(reach > 0, reach / (estimate * (1 - estimate)), reach)
        return estimate, _probability(log_odds - reach), _probability(log_odds + reach)
    if bands == "simulation":
        draws = _normal_draws(fit, seed)
    elif bands == "bootstrap":
        if fit.draws is None:
            raise ParameterError("bands='bootstrap' needs a bootstrap: fit.bootstrap(100).predict(...)")
        draws = fit.draws[np.isfinite(fit.draws).all(axis=1)]
    else:
        raise ParameterError(f"bands must be 'delta', 'simulation' or 'bootstrap', got {bands!r}")
    low, high = np.quantile(np.stack([of(theta) for theta in draws]), tails, axis=0)
    return estimate, low, high


def _normal_draws(fit: Fit, seed: int) -> Floats:
    if not np.isfinite(fit.covariance).all():
        raise ParameterError(f"there is no covariance to draw from: {fit.message}")
    generator = np.random.default_rng(seed)
    return generator.multivariate_normal(fit.theta, fit.covariance, _SIMULATIONS, method="eigh")


def _variances(gradient: Floats, covariance: Floats) -> Floats:
    return np.asarray(np.maximum(np.einsum("...i,ij,...j->...", gradient, covariance, gradient), 0.0))


def _numerical(of: Callable[[Floats], Floats], theta: Floats, units: Floats) -> Floats:
    columns = []
    for k, step in enumerate(1e-5 * np.maximum(np.abs(theta), 1 / units)):
        e = np.zeros(len(theta))
        e[k] = step
        columns.append((of(theta + e) - of(theta - e)) / (2 * step))
    return np.stack(columns, axis=-1)


def _probability(log_odds: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(log_odds))


def _change(table: pd.DataFrame, regressor: str, change: Sequence[Any] | None) -> tuple[Any, Any, float]:
    """Return the regressor before and after, and what the difference is divided by."""
    import pandas as pd

    column = table[regressor]
    if change is not None:
        if isinstance(change, str) or not isinstance(change, Iterable) or len(tuple(change)) != 2:
            raise ParameterError(f"change must be a pair (from, to), got {change!r}")
        return change[0], change[1], 1.0
    values = sorted(column.unique())
    if len(values) == 2:
        return values[0], values[1], 1.0
    if not pd.api.types.is_numeric_dtype(column):
        raise ParameterError(f"{regressor!r} holds the words {values}; say which change=(from, to) is meant")
    step = _STEP * (float(column.std()) or 1.0)
    return column - step, column + step, 2 * step

"""From a likelihood to a fit: starts, penalty, search, covariance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.covariance import KINDS, Kind
from deterrence.estimation.likelihood import Floats, Likelihood, Start
from deterrence.estimation.optimise import ITERATIONS, Objective, search
from deterrence.estimation.penalties import Penalised, Penalty
from deterrence.estimation.result import Fit
from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

STARTS = 3


def maximum_likelihood(
    likelihood: Likelihood,
    *,
    frame: pd.DataFrame,
    dropped: int = 0,
    game: Any = None,
    clusters: NDArray[np.int64] | None = None,
    kind: Kind | None = None,
    penalty: Penalty | str | None = None,
    starts: int | Floats | list[Floats] = STARTS,
    seed: int | None = 0,
    iterations: int = ITERATIONS,
    notes: Mapping[str, str] | None = None,
) -> Fit:
    """Return the fit of a likelihood.

    Parameters
    ----------
    likelihood : Likelihood
    frame : pandas.DataFrame
        The rows that the likelihood was made of.
    dropped : int
        Rows that were left out before.
    game : optional
        The parametric game.
    clusters : ndarray of int, shape (n,), optional
    kind : str, optional
        Of the covariance; by default ``"clustered"`` with clusters, else ``"hessian"``.
    penalty : Penalty or str, optional
    starts : int, array_like of shape (K,), or list of these
        Number of starts that the model proposes, or the points themselves.
    seed : int or None
        Of random starts.
    iterations : int
        Most steps of one search.
    notes : mapping of str to str, optional

    Raises
    ------
    ParameterError
        If an option is wrong.
    """
    prior = Penalty.of(penalty)
    objective: Objective = likelihood if prior is None else Penalised(likelihood, prior)
    chosen = kind or ("clustered" if clusters is not None else "hessian")
    if chosen not in KINDS:
        raise ParameterError(f"covariance must be {', '.join(map(repr, KINDS))}; got {chosen!r}")
    if chosen == "clustered" and clusters is None:
        raise ParameterError("covariance='clustered' needs cluster=, a column or an array of clusters")
    if chosen == "clustered" and clusters is not None and int(clusters.max()) < 1:
        raise ParameterError("clustered standard errors need at least two clusters, got one")
    result = search(objective, _points(likelihood, starts, seed), iterations=iterations)
    facts = dict(notes or {}) | ({"Penalty": str(prior)} if prior is not None else {})
    return Fit(
        likelihood=likelihood,
        objective=objective,
        search=result,
        frame=frame,
        dropped=dropped,
        parametric=game,
        clusters=clusters,
        kind=chosen,
        notes=facts,
    )


def _points(likelihood: Likelihood, starts: int | Floats | list[Floats], seed: int | None) -> list[Start]:
    if isinstance(starts, int | np.integer) and not isinstance(starts, bool):
        if starts < 1:
            raise ParameterError(f"starts must be at least 1, got {starts}")
        return likelihood.starts(np.random.default_rng(seed), int(starts))
    try:
        points = np.atleast_2d(np.asarray(starts, dtype=np.float64))
    except (TypeError, ValueError):
        raise ParameterError(f"starts must be a number of starts or points, got {starts!r}") from None
    if points.shape[-1] != likelihood.size or not np.isfinite(points).all():
        raise ParameterError(
            f"a start needs {likelihood.size} finite numbers, one for each of {', '.join(likelihood.names)}; "
            f"got shape {points.shape}"
        )
    return [Start(f"given {i + 1}", point) for i, point in enumerate(points)]

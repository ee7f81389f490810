"""Goodness of fit by the parametric bootstrap: whether the fitted model could have made data that fit it as badly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deterrence.estimation.bootstrap import one_draw
from deterrence.estimation.likelihood import Floats, Likelihood
from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

if TYPE_CHECKING:
    from deterrence.estimation.result import Fit

_GROUPS = 10


@dataclass(frozen=True, eq=False)
class GoodnessOfFit(Value):
    """The result of the test.

    Attributes
    ----------
    statistic : float
        Of the data: for each outcome the rows are put into ten groups by its predicted probability; the sum over
        groups and outcomes of (observed - expected)^2 / expected.
    pvalue : float
        Share of draws, the data among them, whose statistic is at least as large.
    draws : ndarray, shape (B,)
        Statistics of data that the fitted model made, each fitted anew; NaN where that did not converge.
    """

    statistic: float
    pvalue: float
    draws: Floats = field(repr=False)


def goodness_of_fit(fitted: Fit, draws: int = 99, *, seed: int = 0) -> GoodnessOfFit:
    """Return the test of a fit's calibration by the parametric bootstrap.

    The procedure is that of [1]_.

    Parameters
    ----------
    fitted : Fit
        Converged, with every outcome observed.
    draws : int
        At least 19, so that a p-value of 5 % can be reached.
    seed : int

    Raises
    ------
    ParameterError
        If the fit has no interior maximum, outcomes are only partly observed, or ``draws`` is too small.

    References
    ----------
    .. [1] A. C. Davison and D. V. Hinkley, "Bootstrap Methods and Their Application", Cambridge 1997, section 4.2.
    """
    if not isinstance(draws, int) or draws < 19:
        raise ParameterError(f"a goodness of fit needs at least 19 draws, got {draws!r}")
    if not fitted.optimum.converged:
        raise ParameterError(f"a goodness of fit needs an interior maximum: {fitted.message}")
    if fitted.likelihood.outcome_counts() is None:
        raise ParameterError("a goodness of fit needs every outcome to be observed; some are only partly")
    own = _calibration(fitted.likelihood, fitted.theta)
    results = np.empty(draws)
    for number in range(draws):
        drawn, theta = one_draw(fitted.objective, fitted.likelihood, fitted.theta, None, "parametric", seed, number)
        results[number] = _calibration(drawn, theta) if np.isfinite(theta).all() else np.nan
    good = results[np.isfinite(results)]
    return GoodnessOfFit(own, float((1 + (good >= own).sum()) / (1 + len(good))), results)


def _calibration(likelihood: Likelihood, theta: Floats) -> float:
    counts = likelihood.outcome_counts()
    assert counts is not None
    probabilities = likelihood.probabilities(theta)
    trials = counts.sum(axis=1) * likelihood.weights
    total = 0.0
    for p, seen in zip(probabilities.T, counts.T, strict=True):
        for group in np.array_split(np.argsort(p, kind="stable"), min(_GROUPS, len(p))):
            expected = float((p[group] * trials[group]).sum())
            observed = float((seen[group] * likelihood.weights[group]).sum())
            total += (observed - expected) ** 2 / max(expected, 1e-12)
    return total

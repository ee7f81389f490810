"""Tests between fits of which neither contains the other: Vuong's and Clarke's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from deterrence.estimation.likelihood import Floats
from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

if TYPE_CHECKING:
    from deterrence.estimation.result import Fit

Correction: TypeAlias = Literal["bic", "aic", "none"]


@dataclass(frozen=True, eq=False)
class NonNestedTest(Value):
    """A test between two fits of the same rows.

    Attributes
    ----------
    name : str
        ``"Vuong"`` or ``"Clarke"``.
    statistic : float
        Vuong: standard normal under the hypothesis that both are equally close to the truth; above 0 for the first.
        Clarke: the number of rows that speak for the first.
    pvalue : float
        Two-sided.
    rows : int
    better : str
        ``"first"``, ``"second"`` or ``"neither"``, at the level of 5 %.
    """

    name: str
    statistic: float
    pvalue: float
    rows: int
    better: Literal["first", "second", "neither"]


def vuong(first: Fit, second: Fit, correction: Correction = "bic") -> NonNestedTest:
    """Return Vuong's test between two fits.

    The statistic is that of [1]_.

    The sum of differences of the rows' log-likelihoods, less a correction for the numbers of parameters, divided by
    its standard deviation.

    Parameters
    ----------
    first, second : Fit
        Of the same rows, in the same order.
    correction : {"bic", "aic", "none"}

    Raises
    ------
    ParameterError
        If the fits are of other rows, or predict every row alike.

    References
    ----------
    .. [1] Q. H. Vuong, "Likelihood Ratio Tests for Model Selection and Non-Nested Hypotheses", Econometrica 57 (1989),
       307-333.
    """
    from scipy.special import ndtr

    difference, charge = _difference(first, second, correction)
    spread = float(difference.std())
    if spread <= 1e-12 * max(1.0, float(np.abs(difference).max())):
        raise ParameterError("the two fits predict every row alike, so there is nothing to test")
    z = float((difference.sum() - charge) / (np.sqrt(len(difference)) * spread))
    p = float(2 * ndtr(-abs(z)))
    return NonNestedTest("Vuong", z, p, len(difference), _better(z > 0, p))


def clarke(first: Fit, second: Fit, correction: Correction = "bic") -> NonNestedTest:
    """Return Clarke's sign test between two fits: in how many rows the first is the more likely.

    The test is that of [1]_.

    Parameters
    ----------
    first, second : Fit
        Of the same rows, in the same order.
    correction : {"bic", "aic", "none"}
        Spread evenly over the rows.

    Raises
    ------
    ParameterError
        If the fits are of other rows.

    References
    ----------
    .. [1] K. A. Clarke, "A Simple Distribution-Free Test for Nonnested Model Selection", Polit. Anal. 15 (2007),
       347-363.
    """
    from scipy.special import bdtr

    difference, charge = _difference(first, second, correction)
    size = len(difference)
    wins = int((difference > charge / size).sum())
    tail = min(wins, size - wins)
    p = float(min(1.0, 2 * bdtr(tail, size, 0.5)))
    return NonNestedTest("Clarke", float(wins), p, size, _better(2 * wins > size, p))


def _difference(first: Fit, second: Fit, correction: str) -> tuple[Floats, float]:
    """Return the differences of log-likelihoods by row, and what the first is charged for its parameters."""
    rows = first.likelihood.rows
    if rows != second.likelihood.rows or not np.allclose(first.nobs, second.nobs):
        raise ParameterError(
            f"a test between fits needs the same rows, got {first.nobs:g} observations in {rows} rows and "
            f"{second.nobs:g} in {second.likelihood.rows}; fit both to the rows that are complete for both"
        )
    more = first.likelihood.size - second.likelihood.size
    charges = {"bic": 0.5 * more * np.log(first.nobs), "aic": float(more), "none": 0.0}
    if correction not in charges:
        raise ParameterError(f"correction must be 'bic', 'aic' or 'none', got {correction!r}")
    difference = first.likelihood.loglik(first.theta) - second.likelihood.loglik(second.theta)
    return difference, float(charges[correction])


def _better(first: bool, p: float) -> Literal["first", "second", "neither"]:
    if p >= 0.05:
        return "neither"
    return "first" if first else "second"

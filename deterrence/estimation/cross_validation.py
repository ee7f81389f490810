"""Scores out of sample: how well a fit predicts rows that it has not seen, beside a plain logit and bare shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.baseline import plain_logit
from deterrence.estimation.likelihood import Floats, Start
from deterrence.estimation.optimise import Objective, maximise
from deterrence.estimation.penalties import Penalised
from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.estimation.result import Fit


def cross_validate(strategic: Fit, folds: int = 10, *, seed: int = 0) -> pd.DataFrame:
    """Return scores by k-fold cross-validation.

    The scores are proper in the sense of [1]_.

    Each fold is predicted by the fit to the other folds; with clusters, whole clusters make the folds.

    Parameters
    ----------
    strategic : Fit
    folds : int
        At least 2.
    seed : int
        Of the partition.

    Returns
    -------
    pandas.DataFrame
        Rows ``"this fit"``, ``"multinomial logit"`` (all regressors) and ``"shares"`` (of outcomes in the other
        folds). Columns: ``log score`` (mean log-likelihood of an observation, the higher the better), ``Brier`` (mean
        squared distance of the probabilities from what happened, summed over outcomes, the lower the better) and
        ``failed``, the number of folds whose search did not converge, although its predictions count.

    Raises
    ------
    ParameterError
        If there are fewer rows or clusters than folds, or outcomes are only partly observed.

    References
    ----------
    .. [1] T. Gneiting and A. E. Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", J. Am. Stat.
       Assoc. 102 (2007), 359-378.
    """
    import pandas as pd

    counts = strategic.likelihood.outcome_counts()
    if counts is None:
        raise ParameterError("scores need every outcome to be observed; some are only partly")
    part = _partition(strategic, folds, seed)
    table = {
        "this fit": _scores(strategic, part, folds, counts),
        "multinomial logit": _scores(plain_logit(strategic), part, folds, counts),
        "shares": _share_scores(strategic, part, folds, counts),
    }
    return pd.DataFrame.from_dict(table, orient="index", columns=["log score", "Brier", "failed"])


def _partition(fitted: Fit, folds: int, seed: int) -> NDArray[np.int64]:
    """Return the fold of each row."""
    clusters = fitted.clusters
    units = int(clusters.max()) + 1 if clusters is not None else fitted.likelihood.rows
    if not isinstance(folds, int) or not 2 <= folds <= units:
        raise ParameterError(f"folds must lie between 2 and the number of rows or clusters, {units}; got {folds!r}")
    fold = np.random.default_rng(seed).permutation(np.arange(units) % folds)
    return fold[clusters] if clusters is not None else fold


def _scores(fitted: Fit, part: NDArray[np.int64], folds: int, counts: Floats) -> tuple[float, float, int]:
    likelihood = fitted.likelihood
    log_score, brier, failed = 0.0, 0.0, 0
    for fold in range(folds):
        held = part == fold
        training = likelihood.reweight((~held).astype(np.float64))
        target: Objective = training
        if isinstance(fitted.objective, Penalised):
            target = Penalised(training, fitted.objective.penalty)
        end = maximise(target, Start("estimate", fitted.theta))
        failed += not end.converged
        log_score += float(likelihood.loglik(end.theta)[held].sum())
        brier += _brier(likelihood.probabilities(end.theta)[held], counts[held], likelihood.weights[held])
    return log_score / likelihood.nobs, brier / likelihood.nobs, failed


def _share_scores(fitted: Fit, part: NDArray[np.int64], folds: int, counts: Floats) -> tuple[float, float, int]:
    weights = fitted.likelihood.weights
    weighted = counts * weights[:, None]
    log_score, brier = 0.0, 0.0
    for fold in range(folds):
        held = part == fold
        shares = weighted[~held].sum(axis=0)
        shares = shares / shares.sum()
        with np.errstate(divide="ignore"):
            logs = np.where(weighted[held] > 0, np.log(shares), 0.0)
        log_score += float((weighted[held] * logs).sum())
        brier += _brier(np.broadcast_to(shares, counts[held].shape), counts[held], weights[held])
    nobs = fitted.likelihood.nobs
    return log_score / nobs, brier / nobs, 0


def _brier(probabilities: Floats, counts: Floats, weights: Floats) -> float:
    """Return the sum over observations of the squared distance between probabilities and what happened."""
    squares = (probabilities**2).sum(axis=1, keepdims=True)
    distance = squares - 2 * probabilities + 1
    return float((counts * distance * weights[:, None]).sum())

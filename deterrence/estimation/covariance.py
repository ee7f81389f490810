"""Covariance matrices of estimates: from the curvature, from the scores, by clusters."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.likelihood import Floats, Likelihood
from deterrence.games.errors import ParameterError

Kind: TypeAlias = Literal["hessian", "robust", "clustered", "opg"]
KINDS: tuple[Kind, ...] = ("hessian", "robust", "clustered", "opg")


def covariance(
    likelihood: Likelihood, theta: Floats, hessian: Floats, kind: Kind, clusters: NDArray[np.int64] | None = None
) -> Floats:
    """Return the covariance matrix of the estimates, shape (K, K); NaN unless the Hessian is negative definite.

    Parameters
    ----------
    likelihood : Likelihood
    theta : ndarray, shape (K,)
    hessian : ndarray, shape (K, K)
        Of what was maximised.
    kind : {"hessian", "robust", "clustered", "opg"}
        With ``H`` the Hessian and ``s`` the score of a row: ``-1/H``; ``1/H (sum of s s') 1/H`` [1]_; the same with
        the scores summed within clusters, times ``G / (G - 1)`` for G clusters [2]_; ``1/(sum of s s')`` [3]_.
    clusters : ndarray of int, shape (n,)
        The cluster of each row, from 0.

    Raises
    ------
    ParameterError
        If the kind is unknown, or clusters are wanted and none or only one is given.

    References
    ----------
    .. [1] P. J. Huber, "The behavior of maximum likelihood estimates under nonstandard conditions", 1967.
    .. [2] K.-Y. Liang and S. L. Zeger, "Longitudinal data analysis using generalized linear models", 1986.
    .. [3] E. K. Berndt, B. H. Hall, R. E. Hall and J. A. Hausman, "Estimation and inference in nonlinear structural
       models", 1974.
    """
    if kind not in KINDS:
        raise ParameterError(f"a covariance is of kind {', '.join(map(repr, KINDS))}; got {kind!r}")
    bread = inverse_of_negative(hessian, likelihood.units)
    if kind == "hessian" or not np.isfinite(bread).all():
        return bread
    scores = likelihood.scores(theta)
    if kind == "opg":
        return inverse_of_negative(-(scores.T @ scores), likelihood.units)
    if kind == "clustered":
        if clusters is None:
            raise ParameterError("clustered standard errors need clusters: pass cluster= to fit")
        count = int(clusters.max()) + 1
        if count < 2:
            raise ParameterError("clustered standard errors need at least two clusters, got one")
        summed = np.zeros((count, scores.shape[1]))
        np.add.at(summed, clusters, scores)
        meat = summed.T @ summed * (count / (count - 1))
    else:
        meat = scores.T @ scores
    sandwich: Floats = bread @ meat @ bread
    return (sandwich + sandwich.T) / 2


def inverse_of_negative(hessian: Floats, units: Floats) -> Floats:
    """Return the inverse of ``-hessian``, computed in the units of utility; NaN unless it is positive definite."""
    scaled = -hessian / np.outer(units, units)
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return np.full_like(hessian, np.nan)
    inverse = np.linalg.solve(factor, np.eye(len(scaled)))
    result: Floats = inverse.T @ inverse / np.outer(units, units)
    return result


def cluster_codes(values: Any, what: str) -> NDArray[np.int64]:
    """Return the cluster of each row as a number from 0.

    Raises
    ------
    ParameterError
        If a cluster is missing.
    """
    import pandas as pd

    codes, _ = pd.factorize(np.asarray(values))
    if (codes < 0).any():
        raise ParameterError(f"{what} is missing in row {int(np.flatnonzero(codes < 0)[0])}; every row needs a cluster")
    return np.asarray(codes, dtype=np.int64)

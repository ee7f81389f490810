"""Likelihoods whose rows depend on a few linear combinations of regressors, one for each equation.

A model says how the log-likelihood of a row, with its first and second derivatives, follows from the values of its
equations; what follows for the coefficients is the same for all of them and stands here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.covariance import cluster_codes
from deterrence.estimation.data import Missing, check_columns, complete_rows, frame_of, numbers_of
from deterrence.estimation.formulas import Design, columns_of
from deterrence.estimation.jets import Jet, variable
from deterrence.estimation.likelihood import Floats, Likelihood
from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

Terms = tuple[Floats, Floats, Floats]


class IndexLikelihood(Likelihood):
    """A likelihood of n rows in E equations; ``designs`` holds the regressors of each.

    Subclasses are frozen dataclasses with the fields ``designs`` and ``weights``, and supply ``terms``.
    """

    designs: tuple[Design, ...]

    @abstractmethod
    def terms(self, values: Floats, order: int) -> Terms:
        """Return the log-likelihood of each row, without weight, with its derivatives in the equations.

        Parameters
        ----------
        values : ndarray, shape (E, n)
        order : int
            How many derivatives are needed.

        Returns
        -------
        tuple of ndarray
            Shapes (n,), (E, n) and (E, E, n); the last two are ignored where ``order`` is lower.
        """

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the coefficients, equation by equation."""
        return tuple(name for design in self.designs for name in design.names)

    @property
    def units(self) -> Floats:  # type: ignore[override]
        """Root mean squares of the regressors."""
        return np.concatenate([*(design.units for design in self.designs), np.zeros(0)])

    @property
    def regressors(self) -> tuple[str, ...]:
        """Columns that the formulas read."""
        columns = [c for design in self.designs for c in columns_of(design.formula, design.equation)]
        return tuple(dict.fromkeys(columns))

    def coefficients(self, theta: Floats) -> list[Floats]:
        """Return the coefficients of each equation."""
        ends = np.cumsum([design.matrix.shape[1] for design in self.designs])
        return np.split(np.asarray(theta, dtype=np.float64), ends[:-1])

    def equation_values(self, theta: Floats) -> Floats:
        """Return the linear combinations, shape (E, n)."""
        parts = zip(self.designs, self.coefficients(theta), strict=True)
        return np.stack([design.values(part) for design, part in parts])

    def loglik(self, theta: Floats) -> Floats:
        """Return the weighted log-likelihood of each row, shape (n,)."""
        return self.weighted(self.terms(self.equation_values(theta), 0)[0])

    def weighted(self, rows: Floats) -> Floats:
        """Multiply by the weights; a weight of zero leaves a row out, however impossible it is."""
        product: Floats = np.where(self.weights > 0, self.weights * rows, 0.0)
        return product

    def scores(self, theta: Floats) -> Floats:
        """Return the derivatives of ``loglik``, shape (n, K)."""
        slopes = self.terms(self.equation_values(theta), 1)[1]
        return np.concatenate(
            [self.weighted(slopes[i])[:, None] * design.matrix for i, design in enumerate(self.designs)], axis=1
        )

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood, its gradient (K,) and its Hessian (K, K)."""
        rows, slopes, bends = self.terms(self.equation_values(theta), 2)
        total = float(self.weighted(rows).sum())
        return (
            total if np.isfinite(total) else -np.inf,
            gradient_of(self.designs, self.weighted(slopes)),
            hessian_of(self.designs, self.weighted(bends)),
        )

    def reweight(self, factors: Floats) -> Self:
        """Return the likelihood with the weight of each row multiplied by a factor."""
        return replace(self, weights=self.weights * factors)  # type: ignore[type-var]


def gradient_of(designs: Sequence[Design], slopes: Floats) -> Floats:
    """Return derivatives in coefficients, shape (K,), from those in equations, shape (E, n)."""
    return np.concatenate([design.matrix.T @ slopes[i] for i, design in enumerate(designs)])


def hessian_of(designs: Sequence[Design], bends: Floats) -> Floats:
    """Return second derivatives in coefficients, shape (K, K), from those in equations, shape (E, E, n)."""
    ends = np.concatenate([[0], np.cumsum([design.matrix.shape[1] for design in designs])])
    hessian = np.zeros((ends[-1], ends[-1]))
    for i, row in enumerate(designs):
        for j, column in enumerate(designs[: i + 1]):
            block = row.matrix.T @ (bends[i, j][:, None] * column.matrix)
            hessian[ends[i] : ends[i + 1], ends[j] : ends[j + 1]] = block
            hessian[ends[j] : ends[j + 1], ends[i] : ends[i + 1]] = block.T
    return hessian


def jets_of(values: Floats, order: int) -> list[Jet]:
    """Return the values of equations as jets that differentiate with respect to them."""
    return [variable(row, i, order) for i, row in enumerate(values)]


def terms_of(jet: Jet, equations: int, rows: int) -> Terms:
    """Return a jet's value and derivatives as arrays."""
    slopes, bends = np.zeros((equations, rows)), np.zeros((equations, equations, rows))
    for i, slope in jet.slope.items():
        slopes[i] = slope
    for (i, j), bend in jet.bend.items():
        bends[i, j] = bends[j, i] = bend
    return np.broadcast_to(np.asarray(jet.value, dtype=np.float64), (rows,)), slopes, bends


@dataclass(frozen=True, eq=False)
class Prepared:
    """The rows that a model is fitted to.

    Attributes
    ----------
    frame : pandas.DataFrame
        Complete rows.
    designs : tuple of Design
        One for each equation, in the order of the formulas.
    weights : ndarray, shape (n,)
    clusters : ndarray of int, shape (n,), or None
    dropped : int
    """

    frame: pd.DataFrame
    designs: tuple[Design, ...]
    weights: Floats
    clusters: NDArray[np.int64] | None
    dropped: int


def prepare(
    data: Any,
    formulas: Mapping[str, Any],
    columns: Sequence[str],
    *,
    weights: str | Sequence[float] | None = None,
    cluster: str | Sequence[Any] | None = None,
    missing: Missing = "drop",
) -> Prepared:
    """Return complete rows, designs, weights and clusters.

    Parameters
    ----------
    data : table
    formulas : mapping of equation to formula or number
    columns : sequence of str
        Further columns that must be there and complete: outcomes, for example.
    weights, cluster, missing
        As in ``fit``.

    Raises
    ------
    ParameterError
        If a column is unknown, a formula wrong, a weight negative, or no row complete.
    """
    table = frame_of(data)
    named = [c for c in (weights, cluster) if isinstance(c, str)]
    check_columns(table, columns, "outcome")
    check_columns(table, named, "weights or cluster")
    used = [c for equation, formula in formulas.items() for c in columns_of(formula, equation)]
    check_columns(table, used, "formulas")
    frame, kept = complete_rows(table, [*used, *columns, *named], missing)
    if weights is None:
        values = np.ones(len(frame))
    elif isinstance(weights, str):
        values = numbers_of(frame, weights, "weights", low=0.0)
    else:
        values = np.asarray(weights, dtype=np.float64)
        if values.shape != kept.shape or not (values >= 0).all() or not np.isfinite(values).all():
            raise ParameterError(f"weights must be one number of at least 0 for each of {len(kept)} rows")
        values = values[kept]
    codes = None
    if cluster is not None:
        given = frame[cluster].to_numpy() if isinstance(cluster, str) else np.asarray(cluster)
        if not isinstance(cluster, str):
            if given.shape != kept.shape:
                raise ParameterError(f"cluster must have one value for each of {len(kept)} rows, got {given.shape}")
            given = given[kept]
        codes = cluster_codes(given, "cluster")
    designs = tuple(Design.of(formula, frame, equation) for equation, formula in formulas.items())
    return Prepared(frame, designs, values, codes, len(table) - len(frame))

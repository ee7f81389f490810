"""What a model must offer to be fitted: names, log-likelihood, scores, and probabilities at other rows.

Everything that comes with a fit (optimiser, standard errors, tests, predictions, simulation) is written against
``Likelihood`` alone. A model supplies ``loglik`` and ``scores``; where it can, also exact second derivatives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.quantities import check_names
from deterrence.games.renaming import renamed_attributes
from deterrence.games.values import Value

Floats: TypeAlias = NDArray[np.float64]

_STEP = float(np.finfo(float).eps) ** (1 / 3)  # best step of a central difference, relative


@dataclass(frozen=True, eq=False)
class Start(Value):
    """A point to start from.

    Attributes
    ----------
    name : str
        How it came about, such as ``"equation by equation"``.
    theta : ndarray, shape (K,)
    """

    name: str
    theta: Floats


@renamed_attributes(drawn="simulate", reweighted="reweight")
class Likelihood(ABC):
    """The log-likelihood of n rows of data in K parameters.

    Attributes
    ----------
    names : tuple of str
        Of the parameters, as ``"equation:regressor"``.
    outcomes : tuple of str
        What can happen in a row: Z names. Empty where the outcome is continuous.
    title : str
        What the model is, in a few words, for the head of a summary.
    weights : ndarray, shape (n,)
        How often each row counts; contained in ``loglik`` and ``scores``.
    units : ndarray, shape (K,)
        Size of the regressor that belongs to each parameter (the root of its mean square), so that
        ``theta * units`` is of the order of a utility. The optimiser works in these units.
    """

    names: tuple[str, ...]
    outcomes: tuple[str, ...]
    title: str
    weights: Floats
    units: Floats

    # -- what a model supplies -------------------------------------------------------------------------------------

    @abstractmethod
    def loglik(self, theta: Floats) -> Floats:
        """Return the weighted log-likelihood of each row, shape (n,); -inf where a row is impossible."""

    @abstractmethod
    def scores(self, theta: Floats) -> Floats:
        """Return the derivatives of ``loglik``, shape (n, K)."""

    @abstractmethod
    def reweight(self, factors: Floats) -> Self:
        """Return the likelihood with the weight of each row multiplied by a factor, shape (n,)."""

    @abstractmethod
    def at(self, data: Any) -> Self:
        """Return the same model at the rows of other data, whose outcomes need not be known.

        Parameters
        ----------
        data : pandas.DataFrame
        """

    @abstractmethod
    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of each outcome in each row, shape (n, Z)."""

    @abstractmethod
    def simulate(self, theta: Floats, generator: np.random.Generator) -> Self:
        """Return the likelihood of data that the model itself generates at ``theta``, the regressors as they are."""

    @abstractmethod
    def outcome_frame(self) -> Any:
        """Return the outcomes of the rows as columns, in the form in which the data had them (pandas.DataFrame)."""

    @property
    def regressors(self) -> tuple[str, ...]:
        """Columns of the data that the formulas read: what ``at`` needs."""
        return ()

    # -- what follows from it; a model may do better ----------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number of parameters, K."""
        return len(self.names)

    @property
    def rows(self) -> int:
        """Number of rows, n."""
        return len(self.weights)

    @property
    def nobs(self) -> float:
        """Number of observations: the sum of weights (of counts, where the data are counts)."""
        return float(self.weights.sum())

    @property
    def sections(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Equations, and the parameters of each, in order: what a table is divided into."""
        groups: dict[str, list[str]] = {}
        for name in self.names:
            groups.setdefault(name.partition(":")[0], []).append(name)
        return tuple((equation, tuple(names)) for equation, names in groups.items())

    def value(self, theta: Floats) -> float:
        """Return the log-likelihood."""
        with np.errstate(all="ignore"):
            total = float(self.loglik(theta).sum())
        return total if np.isfinite(total) else -np.inf

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the log-likelihood, its gradient (K,) and its Hessian (K, K).

        By default the Hessian is the central difference of the scores.
        """
        hessian = np.empty((self.size, self.size))
        steps = _STEP * np.maximum(np.abs(theta), 1 / self.units)
        for k, step in enumerate(steps):
            ahead, behind = theta.copy(), theta.copy()
            ahead[k] += step
            behind[k] -= step
            slope = self.scores(ahead).sum(axis=0) - self.scores(behind).sum(axis=0)
            hessian[k] = slope / (ahead[k] - behind[k])
        return self.value(theta), self.scores(theta).sum(axis=0), (hessian + hessian.T) / 2

    def probability_derivatives(self, theta: Floats) -> Floats:
        """Return the derivatives of the probabilities, shape (n, Z, K)."""
        columns = []
        for k, step in enumerate(_STEP * np.maximum(np.abs(theta), 1 / self.units)):
            ahead, behind = theta.copy(), theta.copy()
            ahead[k] += step
            behind[k] -= step
            columns.append((self.probabilities(ahead) - self.probabilities(behind)) / (ahead[k] - behind[k]))
        return np.stack(columns, axis=-1)

    def information(self, theta: Floats) -> Floats:
        """Return Fisher's expected information, shape (K, K).

        The sum over rows and outcomes of the weight times the product of the derivatives of a probability, divided by
        the probability.
        """
        slopes = self.probability_derivatives(theta)
        probabilities = self.probabilities(theta)
        with np.errstate(divide="ignore"):
            inverse = np.where(probabilities > 0, 1 / probabilities, 0.0)
        scaled = slopes * np.sqrt(self.weights[:, None] * inverse)[..., None]
        flat = scaled.reshape(-1, self.size)
        product: Floats = flat.T @ flat
        return product

    def without_idle_rows(self) -> Self:
        """Return the likelihood without rows of weight zero, as far as that is worth while."""
        return self

    def starts(self, generator: np.random.Generator, number: int) -> list[Start]:
        """Return points to start from: zero, and random ones of standard deviation 1/2 in the units of utility."""
        points = [Start("zero", np.zeros(self.size))]
        points += [
            Start(f"random {i + 1}", generator.normal(0, 0.5, self.size) / self.units) for i in range(number - 1)
        ]
        return points[:number]

    def separation(self, theta: Floats) -> tuple[str, ...]:
        """Return the parameters along which the data are separated; none where that is not examined."""
        return ()

    def outcome_counts(self) -> Floats | None:
        """Return how often each outcome was seen in each row, shape (n, Z); None where some were seen only partly."""
        return None

    def symbol_values(self, theta: Floats) -> dict[str, Floats]:
        """Return the value of each symbol of the game in each row, shape (n,); none where there is no such game."""
        return {}

    def action_probabilities(self, theta: Floats) -> dict[str, Floats]:
        """Return the probability of each action once its move is reached, by name, shape (n,); none where unknown."""
        return {}

    def intercepts(self) -> NDArray[np.bool_]:
        """Return which parameters are constants, shape (K,): penalties treat them apart."""
        return np.array([name.endswith(":Intercept") for name in self.names], dtype=np.bool_)


def position(names: Sequence[str], name: str) -> int:
    """Return the place of a parameter.

    Raises
    ------
    ParameterError
        If there is none of that name.
    """
    check_names([name], names, "this fit", complete=False)
    return list(names).index(name)

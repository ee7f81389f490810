"""What a fit is: estimates and their uncertainty, an honest status, and everything that can be asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.covariance import Kind, covariance
from deterrence.estimation.likelihood import Floats, Likelihood, position
from deterrence.estimation.optimise import Objective, Optimum, Search, Status
from deterrence.games.errors import ParameterError
from deterrence.games.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.estimation.summary import Summary


@dataclass(frozen=True, eq=False)
class Estimate:
    """One estimated number, to be quoted as the source of a parameter elsewhere.

    Attributes
    ----------
    name : str
    value : float
    error : float
        Standard error.
    low, high : float
        Confidence interval.
    level : float
    source : str
        The fit, in a sentence.
    """

    name: str
    value: float
    error: float
    low: float
    high: float
    level: float
    source: str


@dataclass(frozen=True, eq=False)
class Fit(Shown):
    """A fitted model; names and habits are those of statsmodels.

    Attributes
    ----------
    likelihood : Likelihood
        At the data; without penalty.
    objective : Objective
        What was maximised: the likelihood, or that with a penalty.
    search : Search
        Every search of the maximum.
    frame : pandas.DataFrame
        The rows that were used.
    dropped : int
        Number of rows left out because values were missing.
    game : ExtensiveGame or other game, or None
        The parametric game, whose symbols the formulas explain.
    clusters : ndarray of int, shape (n,), or None
    kind : str
        Of the covariance: ``"hessian"``, ``"robust"``, ``"clustered"`` or ``"opg"``.
    notes : mapping of str to str
        Further facts for the summary, such as the penalty.
    draws : ndarray, shape (B, K), or None
        Bootstrap estimates; where they are given, they make the covariance.
    """

    likelihood: Likelihood = field(repr=False)
    objective: Objective = field(repr=False)
    search: Search = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    dropped: int = 0
    game: Any = field(repr=False, default=None)
    clusters: NDArray[np.int64] | None = field(repr=False, default=None)
    kind: Kind = "hessian"
    notes: Mapping[str, str] = field(default_factory=dict)
    draws: Floats | None = field(repr=False, default=None)

    # -- the point ------------------------------------------------------------------------------------------------

    @property
    def optimum(self) -> Optimum:
        """The best maximum."""
        return self.search.best

    @property
    def theta(self) -> Floats:
        """The estimates as an array, shape (K,)."""
        return self.optimum.theta

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.likelihood.names

    @cached_property
    def params(self) -> pd.Series[float]:
        """The estimates."""
        return self._series(self.theta, "estimate")

    @property
    def status(self) -> Status:
        """What was reached: ``"converged"`` only at an interior maximum of which no other search went higher.

        See ``deterrence.estimation.optimise.Optimum`` for the other words.
        """
        return self._judgement[0]

    @property
    def message(self) -> str:
        """The status in a sentence."""
        return self._judgement[1]

    @cached_property
    def separation(self) -> tuple[str, ...]:
        """Parameters along which the data are separated, so that the likelihood has no maximum there."""
        return self.likelihood.separation(self.theta)

    @cached_property
    def _judgement(self) -> tuple[Status, str]:
        best, higher = self.optimum, self.search.higher
        penalised = self.objective is not self.likelihood
        if best.converged and higher is None:
            return best.status, best.message
        parted = () if penalised else self.separation
        if best.converged and higher is not None:
            text = (
                f"a local maximum ({best.value:.6g}): another search reached {higher.value:.6g} without one "
                f"({higher.message})"
            )
            if parted:
                return "separated", f"{text}; the data are separated along {', '.join(parted)}: use a penalty"
            return higher.status, text
        if best.status in ("at infinity", "ridge") and parted:
            return "separated", f"the data are separated along {', '.join(parted)}: there is no maximum; use a penalty"
        if best.status in ("at infinity", "ridge"):
            return best.status, f"{best.message}; it concerns {', '.join(self._flat_names(best))}"
        return best.status, best.message

    def _flat_names(self, optimum: Optimum) -> list[str]:
        return [name for name, entry in zip(self.names, optimum.flat, strict=True) if abs(entry) > 0.1]

    @property
    def converged(self) -> bool:
        """Whether the status is ``"converged"``."""
        return self.status == "converged"

    @property
    def distinct_optima(self) -> int:
        """Number of distinct interior maxima that the searches found."""
        return len(self.search.optima)

    # -- fit ------------------------------------------------------------------------------------------------------

    @cached_property
    def llf(self) -> float:
        """The log-likelihood at the estimates, without penalty."""
        return self.likelihood.value(self.theta)

    @property
    def nobs(self) -> float:
        """Number of observations (the sum of counts and weights, where the data have them)."""
        return self.likelihood.nobs

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 llf + 2 K: the smaller the better."""
        return -2 * self.llf + 2 * self.likelihood.size

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 llf + K log(nobs): the smaller the better."""
        return float(-2 * self.llf + np.log(self.nobs) * self.likelihood.size)

    # -- uncertainty ------------------------------------------------------------------------------------------------

    @cached_property
    def covariance(self) -> Floats:
        """The covariance matrix of the estimates, shape (K, K); NaN where there is no interior maximum."""
        if self.draws is not None:
            good = self.draws[np.isfinite(self.draws).all(axis=1)]
            return np.atleast_2d(np.cov(good, rowvar=False))
        if not self.optimum.converged:
            return np.full((len(self.theta), len(self.theta)), np.nan)
        return covariance(self.likelihood, self.theta, self.optimum.hessian, self.kind, self.clusters)

    def cov_params(self) -> pd.DataFrame:
        """Return the covariance matrix of the estimates, labelled."""
        import pandas as pd

        return pd.DataFrame(self.covariance, index=list(self.names), columns=list(self.names))

    def with_covariance(self, kind: Kind) -> Self:
        """Return the fit with another covariance: ``"hessian"``, ``"robust"``, ``"clustered"`` or ``"opg"``."""
        covariance(self.likelihood, self.theta, self.optimum.hessian, kind, self.clusters)
        return replace(self, kind=kind, draws=None)

    @cached_property
    def bse(self) -> pd.Series[float]:
        """Standard errors."""
        return self._series(np.sqrt(np.diag(self.covariance)), "standard error")

    @cached_property
    def tvalues(self) -> pd.Series[float]:
        """Estimates divided by their standard errors."""
        return self._series(self.theta / self.bse.to_numpy(), "z")

    @cached_property
    def pvalues(self) -> pd.Series[float]:
        """Two-sided p-values by the normal distribution."""
        from scipy.special import ndtr

        return self._series(2 * ndtr(-np.abs(self.tvalues.to_numpy())), "p")

    def conf_int(self, alpha: float = 0.05, method: str = "wald") -> pd.DataFrame:
        """Return confidence intervals of level ``1 - alpha``.

        Parameters
        ----------
        alpha : float
        method : {"wald", "profile", "percentile"}
            By the standard errors; by the profile likelihood; by the quantiles of the bootstrap.

        Raises
        ------
        ParameterError
            If ``alpha`` is not between 0 and 1, the method is unknown, or there is no bootstrap.
        """
        import pandas as pd
        from scipy.special import ndtri

        if not 0 < alpha < 1:
            raise ParameterError(f"alpha must lie between 0 and 1, got {alpha!r}")
        if method == "wald":
            reach = float(ndtri(1 - alpha / 2)) * self.bse.to_numpy()
            ends = np.column_stack([self.theta - reach, self.theta + reach])
        elif method == "profile":
            from deterrence.estimation.profiles import profile_intervals

            ends = profile_intervals(self.objective, self.optimum, alpha)
        elif method == "percentile":
            if self.draws is None:
                raise ParameterError("percentile intervals need a bootstrap: fit.bootstrap(100).conf_int(...)")
            ends = np.nanquantile(self.draws, [alpha / 2, 1 - alpha / 2], axis=0).T
        else:
            raise ParameterError(f"method must be 'wald', 'profile' or 'percentile', got {method!r}")
        return pd.DataFrame(ends, index=list(self.names), columns=[0, 1])

    def parameter(self, name: str, level: float = 0.95) -> Estimate:
        """Return one estimate with its error and interval, and the fit as its source.

        Raises
        ------
        ParameterError
            If there is no parameter of that name.
        """
        k = position(self.names, name)
        low, high = self.conf_int(1 - level).iloc[k]
        return Estimate(
            name=name,
            value=float(self.theta[k]),
            error=float(self.bse.iloc[k]),
            low=float(low),
            high=float(high),
            level=level,
            source=f"maximum likelihood, {self.likelihood.title}, {self.nobs:g} observations, status {self.status}",
        )

    # -- reading it -------------------------------------------------------------------------------------------------

    def summary(self, alpha: float = 0.05) -> Summary:
        """Return the table of the fit: ``print`` it, or take ``as_text()``, ``as_html()``, ``as_latex()``."""
        from deterrence.estimation.summary import summary_of

        return summary_of(self, alpha)

    def __str__(self) -> str:
        return self.summary().as_text()

    def _repr_html_(self) -> str:
        return self.summary().as_html()

    def _repr_latex_(self) -> str:
        return self.summary().as_latex()

    def _series(self, values: Any, name: str) -> pd.Series[float]:
        import pandas as pd

        return pd.Series(np.asarray(values, dtype=np.float64), index=list(self.names), name=name)

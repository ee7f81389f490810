"""What a fit is: estimates and their uncertainty, an honest status, and everything that can be asked of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation import predictions
from deterrence.estimation.bootstrap import Method, Told, bootstrap
from deterrence.estimation.covariance import Kind, covariance
from deterrence.estimation.likelihood import Floats, Likelihood, position
from deterrence.estimation.optimise import Objective, Optimum, Search, Status
from deterrence.estimation.predictions import Bands
from deterrence.files import write_whole
from deterrence.games.answers import BlockAnswer
from deterrence.games.display import Display
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.quantities import check_names
from deterrence.games.services import service
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.estimation.summary import Summary

_SIGNALING_ARRAYS = ("prior", "sender_prior", "receiver_prior", "sender_payoffs", "receiver_payoffs")


@dataclass(frozen=True, eq=False)
class Estimate(Value):
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
    covariance : mapping of str to float
        With every parameter of the fit, its own variance among them.
    """

    name: str
    value: float
    error: float
    low: float
    high: float
    level: float
    source: str
    covariance: Mapping[str, float] = field(default_factory=dict, repr=False)

    def to_toml(self, file: str | None = None) -> str:
        """Return the number as an entry of a scenario file.

        Parameters
        ----------
        file : str, optional
            The file that ``Fit.save`` wrote, as the scenario is to find it beside its own: the entry then names it.
            Without one, value and error are written out, and the source is a note.

        Raises
        ------
        ParameterError
            If the estimate has no error to draw from.

        Examples
        --------
        >>> estimate = Estimate("cost:Intercept", 0.9, 0.1, 0.7, 1.1, 0.95, "maximum likelihood")
        >>> estimate.to_toml("costs.json")
        '{ fit = "costs.json", parameter = "cost:Intercept" }'
        """
        if not np.isfinite(self.value) or not np.isfinite(self.error) or not self.error > 0:
            raise ParameterError(f"{self.name!r} has no estimate with an error that a scenario could draw from")
        if file is not None:
            return f"{{ fit = {json.dumps(file)}, parameter = {json.dumps(self.name)} }}"
        note = json.dumps(f"{self.name}: {self.source}")
        return f"{{ value = {self.value!r}, standard_error = {self.error!r}, note = {note} }}"


@dataclass(frozen=True, eq=False)
class Fit(Display, Value):
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
    parametric : ExtensiveGame or other game, or None
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
    parametric: Any = field(repr=False, default=None)
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
            covariance=dict(zip(self.names, self.covariance[k].tolist(), strict=True)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what the fit found as plain data, for JSON: facts, estimates with errors, their covariance."""

        def number(value: float) -> float | None:
            return float(value) if np.isfinite(value) else None

        ends, errors = self.conf_int().to_numpy(), self.bse.to_numpy()
        parameters = {
            name: {
                "estimate": number(self.theta[k]),
                "error": number(errors[k]),
                "low": number(ends[k, 0]),
                "high": number(ends[k, 1]),
            }
            for k, name in enumerate(self.names)
        }
        return {
            "model": self.likelihood.title,
            "status": self.status,
            "message": self.message,
            "llf": number(self.llf),
            "aic": number(self.aic),
            "bic": number(self.bic),
            "nobs": self.nobs,
            "dropped": self.dropped,
            "parameters": parameters,
            "covariance": [[number(x) for x in row] for row in self.covariance],
        }

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write what the fit found to a file (JSON), from which a scenario can take numbers.

        In the scenario file, ``{ fit = "FILE.json", parameter = "NAME" }`` stands for an estimate with its error;
        ``scenario_numbers`` writes the entries, and how they hang together.

        Raises
        ------
        ParameterError
            If the file exists and ``overwrite`` is false.
        """
        write_whole(path, json.dumps(self.to_dict(), indent=2) + "\n", overwrite=overwrite)

    def scenario_numbers(self, numbers: Mapping[str, str], file: str) -> str:
        """Return estimates as numbers of a scenario file, in TOML, with the correlation of their errors.

        Drawn so, the numbers are jointly normal with the covariance of the estimates.

        Parameters
        ----------
        numbers : mapping of str to str
            From the key of a number of the scenario (``"members.ally.cost.location"``) to a parameter of the fit.
        file : str
            The file that ``save`` wrote, as the scenario is to find it beside its own.

        Returns
        -------
        str
            A line for each number, to be put in its place; then the table ``[uncertainty]``, if there are several.

        Raises
        ------
        ParameterError
            If a parameter is unknown, or has no error.
        """
        if not numbers:
            raise ParameterError("numbers must map keys of a scenario to parameters of this fit, got none")
        lines = [
            f"# {key}\n{key.rpartition('.')[2]} = {self.parameter(name).to_toml(file)}" for key, name in numbers.items()
        ]
        if len(numbers) == 1:
            return "\n".join(lines) + "\n"
        places = [position(self.names, name) for name in numbers.values()]
        block = self.covariance[np.ix_(places, places)]
        deviations = np.sqrt(np.diag(block))
        matrix = (block / np.outer(deviations, deviations)).round(12)
        np.fill_diagonal(matrix, 1.0)
        group = f"{{ numbers = {json.dumps(list(numbers))}, matrix = {json.dumps(matrix.tolist())} }}"
        return "\n".join([*lines, "", "[uncertainty]", f"correlate = [{group}]"]) + "\n"

    def bootstrap(
        self,
        draws: int = 100,
        *,
        method: Method = "rows",
        seed: int = 0,
        executor: int | Executor | None = None,
        store: str | os.PathLike[str] | None = None,
        progress: bool | Told = False,
    ) -> Self:
        """Return the fit with the covariance of estimates at data drawn anew.

        Parameters
        ----------
        draws : int
        method : {"rows", "parametric"}
            Rows (of clustered data, whole clusters) with replacement; or outcomes from the fitted model.
        seed : int
        executor : int or concurrent.futures.Executor, optional
            Number of processes, or what runs them; the draws are the same for all.
        store : path, optional
            File (.npz) that keeps what is done: the same call goes on from there.
        progress : bool or callable

        Raises
        ------
        ParameterError
            If an option is wrong, there is no interior maximum to start from, or fewer than two draws converge.
        """
        if not self.optimum.converged:
            raise ParameterError(f"there is no interior maximum to draw from: {self.message}")
        estimates = bootstrap(self, draws, method=method, seed=seed, executor=executor, store=store, progress=progress)
        lost = int((~np.isfinite(estimates).all(axis=1)).sum())
        if draws - lost < 2:
            raise ParameterError(f"{lost} of {draws} draws have no interior maximum; use a penalty, or more data")
        notes = {**self.notes, "Bootstrap": f"{draws} draws ({method}), seed {seed}, {lost} without a maximum"}
        return replace(self, draws=estimates, notes=notes)

    # -- what it predicts --------------------------------------------------------------------------------------------

    def predict(
        self,
        data: Any = None,
        *,
        kind: predictions.Kind = "outcomes",
        bands: Bands | None = None,
        level: float = 0.95,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return predicted probabilities; see ``deterrence.estimation.predictions.predict``."""
        return predictions.predict(self, data, kind=kind, bands=bands, level=level, seed=seed)

    def effects(
        self,
        regressor: str,
        *,
        change: tuple[Any, Any] | None = None,
        data: Any = None,
        bands: Bands = "delta",
        level: float = 0.95,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return average marginal effects or first differences; see ``deterrence.estimation.predictions.effects``."""
        return predictions.effects(self, regressor, change=change, data=data, bands=bands, level=level, seed=seed)

    def sweep(
        self,
        regressor: str,
        values: Any = None,
        *,
        at: Mapping[str, Any] | None = None,
        bands: Bands | None = "delta",
        level: float = 0.95,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return predictions along one regressor; see ``deterrence.estimation.predictions.sweep``."""
        return predictions.sweep(self, regressor, values, at=at, bands=bands, level=level, seed=seed)

    def simulate(self, seed: int) -> pd.DataFrame:
        """Return the data with outcomes drawn from the fitted model, regressors as they are."""
        drawn = self.likelihood.simulate(self.theta, np.random.default_rng(seed)).outcome_frame()
        return self.frame.assign(**{name: drawn[name].to_numpy() for name in drawn.columns})

    # -- the bridge to the rest of the package -----------------------------------------------------------------------

    def values(self, row: Any = None) -> dict[str, float]:
        """Return the value of each symbol of the game at one row: numbers for ``at=`` and ``truth=`` elsewhere.

        Parameters
        ----------
        row : mapping, Series, or label of a row, optional
            Regressors; those left out are typical (means, and of words the most frequent).

        Raises
        ------
        GameError
            If the fit is of no game with symbols.
        ParameterError
            If the row has no such label, or a regressor is unknown.
        """
        if self.parametric is None or not hasattr(self.parametric, "at"):
            raise GameError("this fit is of no game with symbols")
        import pandas as pd

        known = self.likelihood.at(pd.DataFrame([self._row(row)])).symbol_values(self.theta)
        values = {name: float(known[name][0]) for name in self.parametric.parameters if name in known}
        return values | {name: 0.0 for name in self.parametric.parameters if name not in known}

    def game(self, row: Any = None, *, free: Sequence[str] = ()) -> Any:
        """Return the game with the estimated payoffs of one row; the symbols in ``free`` stay symbols.

        Parameters
        ----------
        row : mapping, Series, or label of a row, optional
            As in ``values``.
        free : sequence of str
            Symbols that are to be swept, or that players are to be wrong about.
        """
        values: dict[str, Any] = dict(self.values(row))
        check_names(free, self.parametric.parameters, "the game", complete=False)
        if not free:
            return self.parametric.at(**values)
        import sympy

        known = {n: sympy.Float(v) for n, v in values.items() if n not in free}

        def partly(array: Any) -> Any:
            flat = [
                x.xreplace({s: known[str(s)] for s in x.free_symbols if str(s) in known})
                if hasattr(x, "xreplace")
                else x
                for x in array.ravel().tolist()
            ]
            return np.array(flat, dtype=object).reshape(array.shape)

        game = self.parametric
        if isinstance(game, SignalingGame):
            arrays = {name: partly(np.asarray(getattr(game, name), dtype=object)) for name in _SIGNALING_ARRAYS}
            labels = {"types": game.types, "messages": game.messages, "responses": game.responses}
            return SignalingGame(**labels, **arrays, events=game.events, players=game.players)
        return type(game).of(game.topology, game.chance, partly(game.payoffs), game.title)

    def _row(self, row: Any) -> dict[str, Any]:
        import pandas as pd

        regressors = self.likelihood.regressors
        if row is None:
            return predictions.typical_row(self)
        if isinstance(row, Mapping | pd.Series):
            given = {str(k): v for k, v in dict(row).items()}
            if isinstance(row, pd.Series):
                given = {k: v for k, v in given.items() if k in regressors}
            return predictions.typical_row(self, given)
        try:
            found = self.frame.loc[row]
        except (KeyError, TypeError):
            raise ParameterError(
                f"row must map regressors to values or label a row that was fitted, got {row!r}"
            ) from None
        return {name: found[name] for name in regressors}

    @property
    def sweep_names(self) -> tuple[str, ...]:
        """Regressors, which ``dt.sweep`` may vary; others are typical."""
        return self.likelihood.regressors

    @property
    def events(self) -> tuple[str, ...]:
        """Outcomes, whose probability ``dt.sweep`` may ask for."""
        return self.likelihood.outcomes

    def answer(
        self, values: Mapping[str, Floats], *, at: Mapping[str, object], events: Sequence[Any], concept: Any = None
    ) -> BlockAnswer:
        """Return the predicted probabilities of outcomes at n points: what ``dt.sweep`` asks.

        Raises
        ------
        ParameterError
            If a regressor is unknown, or a concept is asked for.
        GameError
            If an event is no outcome.
        """
        if concept is not None:
            raise ParameterError("a fit predicts by its own error structure; leave concept out")
        for event in events:
            if event not in self.events:
                raise GameError(
                    f"a fit has the events {', '.join(self.events)}; got {event!r}{did_you_mean(event, self.events)}"
                )
        for name in (*values, *at):
            if name not in self.sweep_names:
                raise ParameterError(
                    f"{name!r} is no regressor of this fit; it has {', '.join(map(repr, self.sweep_names))}"
                    f"{did_you_mean(name, self.sweep_names)}"
                )
        import pandas as pd

        size = len(next(iter(values.values())))
        row = predictions.typical_row(self, dict(at))
        table = pd.DataFrame({name: np.repeat(np.array([value]), size) for name, value in row.items()}).assign(**values)
        chances = self.likelihood.at(table).probabilities(self.theta)
        told = {event: chances[:, self.events.index(event)] for event in events}
        return BlockAnswer(
            low=told,
            high={event: column.copy() for event, column in told.items()},
            count=np.ones(size, dtype=np.int64),
            kinds={},
            status=np.zeros(size, dtype=np.uint8),
        )

    def spec(self) -> dict[str, Any]:
        """Return what identifies the fit, JSON-able."""
        return {
            "fit": self.likelihood.title,
            "estimates": dict(zip(self.names, self.theta.tolist(), strict=True)),
            "observations": self.nobs,
            "formulas": {equation: list(names) for equation, names in self.likelihood.sections},
        }

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

    def plot(self, *, names: Sequence[str] | None = None, level: float = 0.95, ax: Any = None) -> Any:
        """Draw the coefficients with their intervals, and return the axes (Matplotlib)."""
        return service("coefficient plot")(self, names=names, level=level, ax=ax)

    def plot_predictions(self, regressor: str, values: Any = None, **options: Any) -> Any:
        """Draw predicted probabilities along a regressor with their bands, and return the axes (Matplotlib)."""
        return service("prediction plot")(self, regressor, values, **options)

    def _series(self, values: Any, name: str) -> pd.Series[float]:
        import pandas as pd

        return pd.Series(np.asarray(values, dtype=np.float64), index=list(self.names), name=name)

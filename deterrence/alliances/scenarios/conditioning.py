r"""What evidence makes of a scenario's uncertain numbers: prior and posterior side by side.

The prior is the draws of ``uncertainty``. Each draw makes a game, whose events have probabilities; the evidence of the
file (``evidence``) has a probability under these; and the draws are weighed by it (``importance``). What the evidence
says of the likelihood of attack is what the weighed draws say.

How far a number was moved is told in two ways: by the shift of the mean of its normal scores (0 in the prior, in units
of the prior's standard deviation), and by the Kullback-Leibler divergence of posterior from prior over 16 equally
likely classes of the prior, in bits, less what weighed draws show by chance (15 / 2n nats for an effective sample
of n; G. A. Miller, "Note on the Bias of Information Estimates", in Information Theory in Psychology, Free Press 1955,
95-100).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.building import parameter_values
from deterrence.alliances.scenarios.copula import Copula, copula_of, number_name
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.evidence import Evidence, evidence_of
from deterrence.alliances.scenarios.horizon import Period, period_of
from deterrence.alliances.scenarios.importance import Tempered, largest_shape, smoothed_weights, tempered_draws
from deterrence.alliances.scenarios.loader import report
from deterrence.alliances.scenarios.rendering import Report, Table
from deterrence.alliances.scenarios.schema import NOT_OF_THE_GAME
from deterrence.alliances.scenarios.sensitivity import adds_to_costs
from deterrence.alliances.scenarios.uncertainty import (
    DRAWS,
    UncertainNumber,
    Uncertainty,
    draw_uncertainty,
    latin_hypercube,
    percent,
    solve_draws,
    uncertain_number,
    uncertain_numbers,
    values_at,
    weighted_quantile,
)
from deterrence.games.display import Display
from deterrence.games.errors import ParameterError, ScenarioError, SolverError
from deterrence.games.expressions import evaluate
from deterrence.games.values import Value

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Method = Literal["auto", "importance", "sequential"]

FLAT = 0.05  # standard deviation of a log-likelihood over the draws, below which evidence tells them hardly apart
NOTICED = 3.0  # standard errors of a shift

_CLASSES = 16
_ROWS = 12  # of a table of numbers


@dataclass(frozen=True, eq=False)
class InferenceProblem(Value):
    """The prior and the likelihood of a scenario with evidence, for samplers of other packages.

    Attributes
    ----------
    scenario : Scenario
    evidence : tuple of Evidence
    numbers : tuple of UncertainNumber
        Of the game, then of the evidence itself (opportunities a year, say): d of them.
    copula : Copula
        How they hang together.

    Examples
    --------
    With emcee: ``emcee.EnsembleSampler(walkers, problem.dimension, problem.log_probability, vectorize=True)``, whose
    chains ``problem.values`` turns into numbers; nested samplers take ``prior_transform`` and ``log_likelihood``.
    """

    scenario: Scenario = field(repr=False)
    evidence: tuple[Evidence, ...] = field(repr=False)
    numbers: tuple[UncertainNumber, ...] = field(repr=False)
    copula: Copula = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Keys of the numbers."""
        return tuple(number.name for number in self.numbers)

    @property
    def dimension(self) -> int:
        """How many numbers there are."""
        return len(self.numbers)

    def prior_transform(self, levels: Floats) -> Floats:
        """Return values of the numbers from independent uniform ones, shape (..., d); of expressions, what is added."""
        points = np.clip(np.atleast_2d(np.asarray(levels, dtype=np.float64)), 2.0**-40, 1 - 2.0**-40)
        return values_at(self.numbers, self.copula.levels(points)).reshape(np.shape(levels))

    def values(self, scores: Floats) -> Floats:
        """Return values of the numbers from independent standard normal scores, shape (..., d)."""
        from scipy.special import ndtr

        return self.prior_transform(ndtr(np.asarray(scores, dtype=np.float64)))

    def log_likelihood(self, values: Floats) -> Floats:
        """Return the log-likelihood of all evidence at values of the numbers, shape (..., d)."""
        rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
        each = self.each_log_likelihood(rows, self._solved(rows))
        return np.asarray(each.sum(axis=0).reshape(np.shape(values)[:-1]))

    def log_probability(self, scores: Floats) -> Floats:
        """Return the log-density of the posterior at standard normal scores, shape (..., d), up to a constant."""
        z = np.asarray(scores, dtype=np.float64)
        return np.asarray(self.log_likelihood(self.values(z)) - 0.5 * (z**2).sum(axis=-1))

    def each_log_likelihood(self, values: Floats, middle: dict[str, Floats]) -> Floats:
        """Return the log-likelihood of each piece of evidence, shape (m, n), given the probabilities of events."""
        own = {
            place: np.full(len(values), _point(self.scenario, entry))
            for one in self.evidence
            for place, entry in one.numbers.items()
        }
        for i, number in enumerate(self.numbers):
            if number.location in own:
                own[number.location] = values[:, i] + number.derived * number.value
        found = np.stack([np.broadcast_to(one.log_likelihood(middle, own), len(values)) for one in self.evidence])
        return np.where(np.isnan(found), -np.inf, found)  # where no equilibrium was found

    @property
    def events(self) -> tuple[str, ...]:
        """The events that the evidence is of."""
        return tuple(dict.fromkeys(event for one in self.evidence for event in one.events))

    def _solved(self, values: Floats) -> dict[str, Floats]:
        numbers = [number for number in self.numbers if number.location[0] not in NOT_OF_THE_GAME]
        low, high = solve_draws(self.scenario, numbers, values[:, : len(numbers)], self.events)
        return {event: (low[event] + high[event]) / 2 for event in self.events}


@dataclass(frozen=True, eq=False)
class Conditioned(Display, Value):
    """A scenario's uncertain numbers before and after its evidence.

    Attributes
    ----------
    problem : InferenceProblem
    prior, posterior : Uncertainty
        Draws of the numbers of the game, and the probabilities of events at them.
    method : str
        ``"importance"`` or ``"sequential"``.
    pareto_k : float
        Shape of the tail of the prior's weights; see ``importance``.
    effective : float
        Effective sample size of the prior's weights.
    log_evidence : float
        Logarithm of the probability (or density) of all evidence, the prior's mean of the likelihood.
    likelihoods : ndarray, shape (m, n)
        Log-likelihood of each piece of evidence at each draw of the prior.
    prior_levels, levels : ndarray, shape (n, d)
        Quantiles of all numbers, those of the evidence itself last, before and after.
    tempered : Tempered or None
        How sequential Monte Carlo went.
    """

    problem: InferenceProblem = field(repr=False)
    prior: Uncertainty = field(repr=False)
    posterior: Uncertainty = field(repr=False)
    method: str
    pareto_k: float
    effective: float
    log_evidence: float
    likelihoods: Floats = field(repr=False)
    prior_levels: Floats = field(repr=False)
    levels: Floats = field(repr=False)
    tempered: Tempered | None = field(default=None, repr=False)

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.problem.scenario

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was observed or said."""
        return self.problem.evidence

    @property
    def reliable(self) -> bool:
        """Whether the weights, or the moves of sequential Monte Carlo, can be relied on."""
        if self.tempered is not None:
            return min(self.tempered.acceptance) > 0.05
        return self.pareto_k <= largest_shape(self.prior.draws)

    def period(self) -> tuple[Period, Period] | None:
        """Return the probability of attack over the scenario's ``[horizon]``, before and after; None without one."""
        point = self.scenario.probability("attack")
        place = "horizon.opportunities"
        at = self.problem.names.index(place) if place in self.problem.names else None
        before = period_of(self.scenario, point, self.prior, None if at is None else self.prior_levels[:, at])
        after = period_of(self.scenario, point, self.posterior, None if at is None else self.levels[:, at])
        return None if before is None or after is None else (before, after)

    def interval(self, mass: float = 0.9) -> dict[str, tuple[float, float]]:
        """Return the central interval of the posterior, by event; see ``Uncertainty.interval``."""
        return self.posterior.interval(mass)

    def median(self) -> dict[str, tuple[float, float]]:
        """Return the median of the posterior, by event."""
        return self.posterior.median()

    def moved(self) -> pd.DataFrame:
        """Return what the evidence made of each number, the most moved first.

        Returns
        -------
        pandas.DataFrame
            A row per number, by its key: ``prior`` and ``posterior`` medians (of an expression, of what is added to
            it), ``shift`` in standard deviations of the prior with its standard error ``error``, ``bits`` of the
            divergence, and ``noticed``: whether the shift exceeds three standard errors.
        """
        import pandas as pd

        rows = [self._moved(i, number) for i, number in enumerate(self.problem.numbers)]
        frame = pd.DataFrame(
            rows,
            index=pd.Index(self.problem.names, name="number"),
            columns=["prior", "posterior", "shift", "error", "bits", "noticed"],
        )
        return frame.sort_values("bits", ascending=False, kind="stable")

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What to be wary of: evidence that moves nothing, and weights that are not to be relied on."""
        found = []
        for one, log in zip(self.evidence, self.likelihoods, strict=True):
            known = log[np.isfinite(log)]
            if known.size == log.size and known.std() < FLAT:
                found.append(f"The evidence {one.words!r} moves nothing: it is about as probable under every draw.")
        if not found and not self.moved()["noticed"].any():
            found.append(
                "The evidence moves no number noticeably: what it says is not told from chance by these draws."
            )
        if not self.reliable:
            found.append(
                f"The weights are not to be relied on (Pareto k {self.pareto_k:.2f}); ask for more draws, or for "
                "method='sequential'."
                if self.tempered is None
                else "Sequential Monte Carlo hardly moved its draws; ask for more of them."
            )
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        moved = self.moved()
        return {
            "scenario": self.scenario.name,
            "draws": self.prior.draws,
            "seed": self.prior.seed,
            "method": self.method,
            "pareto_k": self.pareto_k if np.isfinite(self.pareto_k) else None,
            "effective_sample_size": self.effective,
            "log_evidence": self.log_evidence,
            "evidence": [
                {"says": one.words, "form": one.form, "mean_log_likelihood": _finite(log.mean())}
                for one, log in zip(self.evidence, self.likelihoods, strict=True)
            ],
            "prior": self.prior.to_dict(),
            "posterior": self.posterior.to_dict(),
            "period": None if (period := self.period()) is None else [one.to_dict() for one in period],
            "moved": {
                str(name): {key: (bool(x) if key == "noticed" else float(x)) for key, x in row.items()}
                for name, row in moved.to_dict("index").items()
            },
            "warnings": list(self.warnings),
            "in_words": self.in_words(),
        }

    def to_inference_data(self) -> Any:
        """Return prior, posterior and log-likelihood of the draws for ArviZ.

        Raises
        ------
        ImportError
            If ArviZ's base package is not installed.
        """
        try:
            import arviz_base
        except ImportError:
            raise ImportError('to_inference_data needs ArviZ: pip install "deterrence[arviz]"') from None
        after = self.posterior.resampled()
        groups = {
            "prior": {number.name: self.prior.inputs[None, :, i] for i, number in enumerate(self.prior.numbers)},
            "posterior": {number.name: after.inputs[None, :, i] for i, number in enumerate(after.numbers)},
            "prior_predictive": {event: _middle(self.prior, event)[None] for event in self.prior.events},
            "posterior_predictive": {event: _middle(after, event)[None] for event in after.events},
        }
        return arviz_base.from_dict(groups)

    def in_words(self) -> str:
        """Return what the evidence made of the likelihood of attack, in a few sentences."""
        before, after = (self._said(one) for one in (self.prior, self.posterior))
        moved = self.moved()
        noticed = [str(name) for name in moved.index[moved["noticed"]]][:3]
        period = self.period()
        said = [
            f"Before the evidence the likelihood of attack has the median {before}; after it, {after}.",
            *([f"It moved {', '.join(noticed)} most."] if noticed else []),
            *([] if period is None else [f"After the evidence: {period[1].in_words()}"]),
            *self.warnings,
        ]
        return " ".join(said)

    def report(self) -> Report:
        """Return the whole as a report."""
        tables = (self._evidence_table(), self._event_table(), self._moved_table())
        how = (
            f"{self.prior.draws:,} draws (seed {self.prior.seed}), Pareto-smoothed importance sampling: k "
            f"{self.pareto_k:.2f} (to be at most {largest_shape(self.prior.draws):.2f}), effective sample "
            f"{self.effective:.0f}."
        )
        if self.tempered is not None:
            how += (
                f" That being too few, sequential Monte Carlo in {len(self.tempered.powers)} stages: "
                f"{100 * min(self.tempered.acceptance):.0f} % of moves accepted at least, descent from "
                f"{self.tempered.distinct} draws."
            )
        return Report(f"{self.scenario.title}: what the evidence says", self.in_words(), tables, how)

    def __str__(self) -> str:
        return self.report().text()

    def _repr_html_(self) -> str:
        return self.report().html()

    # -- private ------------------------------------------------------------------------------------------------------

    def _said(self, one: Uncertainty) -> str:
        low, high = one.interval()["attack"]
        middle = sum(one.median()["attack"]) / 2
        width = high - low
        return f"{percent(middle, width)} and the 90 % interval {percent(low, width)} to {percent(high, width)}"

    @property
    def _weights(self) -> Floats:
        weights = self.posterior.weights
        return np.full(self.posterior.draws, 1 / self.posterior.draws) if weights is None else weights

    def _moved(self, i: int, number: UncertainNumber) -> tuple[float, float, float, float, float, bool]:
        from scipy.special import ndtri

        levels, weights = self.levels[:, i], self._weights
        scores = ndtri(levels)
        shift = float(weights @ scores)
        error = float(np.sqrt(weights**2 @ (scores - shift) ** 2))
        count = 1 / float(np.sum(weights**2))
        if self.tempered is not None:
            count = float(self.tempered.distinct)
            error = float(np.sqrt(weights @ (scores - shift) ** 2 / count))
        share = np.bincount(np.minimum((levels * _CLASSES).astype(int), _CLASSES - 1), weights, _CLASSES)
        there = share[share > 0]
        nats = float(there @ np.log(_CLASSES * there)) - (_CLASSES - 1) / (2 * count)
        before = float(number.at(np.array([0.5]))[0])
        after = float(number.at(np.array([weighted_quantile(levels, 0.5, weights)]))[0])
        return before, after, shift, error, max(nats, 0.0) / float(np.log(2)), abs(shift) > NOTICED * error

    def _evidence_table(self) -> Table:
        rows = []
        for one, log in zip(self.evidence, self.likelihoods, strict=True):
            chance = np.exp(log)
            low, high = np.quantile(chance, [0.05, 0.95])
            rows.append((one.words, one.form, f"{chance.mean():.2g}", f"{low:.2g} to {high:.2g}"))
        head = ("evidence", "form", "probability, mean over draws", "5 % to 95 % of draws")
        return Table("The evidence, before it is used", head, tuple(rows))

    def _event_table(self) -> Table:
        rows = []
        for event in self.prior.events:
            cells: list[str] = []
            for one in (self.prior, self.posterior):
                low, high = one.interval()[event]
                middle = sum(one.median()[event]) / 2
                cells += [percent(middle, high - low), f"{percent(low, high - low)} to {percent(high, high - low)}"]
            rows.append((event, *cells))
        head = ("probability on one opportunity", "before: median", "90 %", "after: median", "90 %")
        return Table("Before and after the evidence", head, tuple(rows))

    def _moved_table(self) -> Table:
        cost = adds_to_costs(self.scenario)
        rows = tuple(
            (
                f"{name} (cost of fighting)" if cost and name == "parameters.resolve" else str(name),
                f"{row['prior']:.3g}",
                f"{row['posterior']:.3g}",
                f"{row['shift']:+.2f} ± {row['error']:.2f}",
                f"{row['bits']:.2f}",
            )
            for name, row in self.moved().head(_ROWS).iterrows()
        )
        head = ("number", "median before", "after", "shift, standard deviations", "bits")
        return Table("What the evidence moved", head, rows)


def inference_problem(scenario: Scenario) -> InferenceProblem:
    """Return the prior and the likelihood of a scenario with evidence.

    Raises
    ------
    ParameterError
        If the scenario states no evidence.
    """
    evidence = evidence_of(scenario.table)
    if not evidence:
        raise ParameterError(
            f"{scenario.name} states no evidence; add [[evidence]], as in event = 'no attack', years = 10, "
            "opportunities = 0.2"
        )
    stated = {place: entry for one in evidence for place, entry in one.numbers.items() if entry.uncertain}
    own = [
        uncertain_number(place, entry, number_name(scenario.table, place), _point(scenario, entry))
        for place, entry in stated.items()
    ]
    numbers = (*uncertain_numbers(scenario), *own)
    return InferenceProblem(scenario, evidence, numbers, copula_of(scenario.table, [one.name for one in numbers]))


def condition(scenario: Scenario, *, draws: int = DRAWS, seed: int = 0, method: Method = "auto") -> Conditioned:
    """Return what a scenario's evidence makes of its uncertain numbers; see ``Scenario.condition``."""
    from scipy.special import ndtr, ndtri

    if method not in ("auto", "importance", "sequential"):
        raise ParameterError(f"method must be 'auto', 'importance' or 'sequential', got {method!r}")
    problem = inference_problem(scenario)
    prior = draw_uncertainty(scenario, draws=draws, seed=seed)
    count = len(prior.numbers)
    own = latin_hypercube(problem.dimension - count, draws, _another(seed)) if problem.dimension > count else None
    levels = prior.levels if own is None else np.column_stack([prior.levels, own])
    inputs = prior.inputs if own is None else np.column_stack([prior.inputs, values_at(problem.numbers[count:], own)])
    each = problem.each_log_likelihood(inputs, {event: _middle(prior, event) for event in problem.events})
    total = each.sum(axis=0)
    if not np.isfinite(total).any():
        raise _impossible(problem, each)
    weights = smoothed_weights(total)
    facts: dict[str, Any] = {"pareto_k": weights.pareto_k, "effective": weights.effective, "likelihoods": each}
    facts["prior_levels"] = levels
    if method == "importance" or (method == "auto" and weights.reliable):
        posterior = replace(prior, weights=weights.values)
        return Conditioned(
            problem, prior, posterior, "importance", log_evidence=weights.log_evidence, levels=levels, **facts
        )
    independent = latin_hypercube(count, draws, seed)
    scores = ndtri(independent if own is None else np.column_stack([independent, own]))
    try:
        tempered = tempered_draws(
            scores, lambda z: problem.log_likelihood(problem.values(z)), np.random.default_rng(_another(seed))
        )
    except RuntimeError as error:
        raise SolverError(f"the evidence of {scenario.name} is too far from its ranges: {error}") from None
    levels = problem.copula.levels(np.clip(ndtr(tempered.scores), 2.0**-40, 1 - 2.0**-40))
    inputs = values_at(problem.numbers[:count], levels)
    low, high = solve_draws(scenario, problem.numbers[:count], inputs, scenario.events)
    posterior = Uncertainty(scenario, prior.numbers, levels[:, :count], inputs, low, high, seed)
    return Conditioned(
        problem, prior, posterior, "sequential", log_evidence=tempered.log_evidence, levels=levels, tempered=tempered,
        **facts,
    )  # fmt: skip


def _impossible(problem: InferenceProblem, each: Floats) -> ScenarioError:
    """Return the error of evidence that no draw allows."""
    scenario = problem.scenario
    never = [one for one, log in zip(problem.evidence, each, strict=True) if not np.isfinite(log).any()]
    words = (
        "has probability 0 under every draw: no value within the scenario's ranges allows it; widen them, or check it"
    )
    problems: list[tuple[tuple[str | int, ...], str]] = [
        (("evidence", one.index), f"the evidence {one.words!r} {words}") for one in never
    ]
    return report(
        scenario.where,
        scenario.text,
        problems or [(("evidence", 0), "the pieces of evidence contradict each other: no draw allows all of them")],
    )


def _point(scenario: Scenario, entry: Entry) -> float:
    """Return what a number of the evidence comes to at the file's own numbers."""
    value = entry.value
    return float(evaluate(value, parameter_values(scenario.table)) if isinstance(value, str) else value)


def _middle(one: Uncertainty, event: str) -> Floats:
    return (one.low[event] + one.high[event]) / 2


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _another(seed: int) -> int:
    """Return a seed for the numbers of the evidence, so that those of the game are drawn as without it."""
    return (seed + 3) % 2**20

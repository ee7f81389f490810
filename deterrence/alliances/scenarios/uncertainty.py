r"""What the likelihood of attack is, given how uncertain a scenario's numbers are.

Every number with a range is drawn from its distribution (``marginals``), single members' numbers among them, and the
game is solved at every draw. Two things are kept apart: how much an answer varies over the *draws*, which is what is
not known of the world, and how much it varies over the *equilibria* of one draw, which is what theory leaves open. So
each event has a lowest and a highest probability at every draw, and an interval over the draws runs from a quantile of
the lowest to a quantile of the highest.

Draws are a Latin hypercube [1]_: each number takes each of n equally likely classes once. (In a Sobol' sequence, usual
elsewhere, one of 117 dimensions explains up to 80 % of the variance of another at 1,024 points, so that a number that
does nothing passes for one that matters; here it is at most 5 %.) Numbers that a file
correlates are drawn together (``copula``). A number that is arithmetic on others (``"1.6 + resolve"``) is drawn as what
is added to that, so that it still moves with them, and is kept within its bounds.

Which numbers matter is told in two ways. The *swing* of a number is the likelihood of attack at its 5 % and its 95 %
quantile, the others as the file has them. Sobol' indices [2]_ are shares of the variance over the draws: with
:math:`Y` the likelihood and :math:`X_i` the number,

.. math:: S_i = \frac{\operatorname{Var} E[Y | X_i]}{\operatorname{Var} Y}, \qquad
   T_i = \frac{E \operatorname{Var}[Y | X_{-i}]}{\operatorname{Var} Y},

:math:`S_i` from the draws themselves, by the means of Y over classes of :math:`X_i` with as many draws each (corrected
for the variance within classes, as :math:`\epsilon^2` of an analysis of variance), and :math:`T_i` by Jansen's
estimator [3]_ from further draws in which :math:`X_i` alone is another.

References
----------
.. [1] M. D. McKay, R. J. Beckman and W. J. Conover, "A Comparison of Three Methods for Selecting Values of Input
   Variables in the Analysis of Output from a Computer Code", Technometrics 21 (1979), 239-245.
.. [2] I. M. Sobol', "Sensitivity Estimates for Nonlinear Mathematical Models", Math. Model. Comput. Exp. 1 (1993),
   407-414.
.. [3] M. J. W. Jansen, "Analysis of Variance Designs for Model Output", Comput. Phys. Commun. 117 (1999), 35-43.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.building import BuildError, build, expression_values
from deterrence.alliances.scenarios.copula import Copula, copula_of, number_name
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.loader import entries
from deterrence.alliances.scenarios.marginals import CENTRAL, Marginal, marginal_of_range
from deterrence.alliances.scenarios.rendering import Table
from deterrence.alliances.scenarios.schema import NOT_OF_THE_GAME
from deterrence.games.display import Display
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.services import service
from deterrence.games.values import Value

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Range = tuple[float, float]
Location = tuple[str | int, ...]

DRAWS = 1000  # by default
MOST_DRAWS = 2**20
EQUAL = 1e-6  # probabilities this close are the same

_CHUNK = 4096  # draws solved together
_CLASSES = 16  # of a number's draws, for its first-order index
_RESAMPLES = 200  # of the bootstrap of indices


@dataclass(frozen=True, eq=False)
class UncertainNumber:
    """A number of a scenario file that is drawn.

    Attributes
    ----------
    location : tuple
        Where it stands in the file.
    name : str
        Its key, as it may be typed: ``"members.Germany.stake"``.
    value : float
        The file's own number; of an expression, what it comes to.
    marginal : Marginal
    derived : bool
        Whether it is an expression.
    illustrative : bool
    conversion : bool
        Whether it turns one unit into another.
    """

    location: Location = field(repr=False)
    name: str
    value: float
    marginal: Marginal
    derived: bool = field(repr=False)
    illustrative: bool = field(repr=False)
    conversion: bool = field(default=False, repr=False)

    def at(self, probabilities: Floats) -> Floats:
        """Return values at quantiles, as ``build`` takes them: of an expression, what is added to it."""
        values = self.marginal.quantile(probabilities)
        return values - self.value if self.derived else values


def uncertain_numbers(scenario: Scenario) -> tuple[UncertainNumber, ...]:
    """Return every number of a scenario that has a distribution, in the order of the file."""
    table, computed = scenario.table, expression_values(scenario.table)
    return tuple(
        uncertain_number(
            location,
            entry,
            number_name(table, location),
            computed[location] if isinstance(entry.value, str) else float(entry.value),
        )
        for location, entry in entries(table)
        if location[0] not in NOT_OF_THE_GAME and entry.uncertain
    )


def uncertain_number(location: Location, entry: Entry, name: str, value: float) -> UncertainNumber:
    """Return a number with its distribution; one that says of none is certain.

    Parameters
    ----------
    location : tuple
        Where it stands in the file.
    entry : Entry
    name : str
    value : float
        What the entry comes to at the file's own numbers.
    """
    marginal = entry.marginal(value) or marginal_of_range(value, value, value)
    return UncertainNumber(
        location, name, value, marginal, isinstance(entry.value, str), entry.illustrative, entry.conversion
    )


def share_illustrative(scenario: Scenario) -> tuple[int, int]:
    """Return how many numbers of a scenario file are illustrative, and how many there are."""
    numbers = [entry for location, entry in entries(scenario.table) if location[0] not in NOT_OF_THE_GAME]
    return sum(entry.illustrative for entry in numbers), len(numbers)


@dataclass(frozen=True, eq=False)
class Uncertainty(Display, Value):
    """Probabilities of events over draws of a scenario's uncertain numbers.

    Attributes
    ----------
    scenario : Scenario
    numbers : tuple of UncertainNumber
        What is drawn, d of them.
    levels : ndarray, shape (n, d)
        The quantiles of their distributions that were drawn: uniform on (0, 1), and alike where a copula says so.
    inputs : ndarray, shape (n, d)
        Their values; of an expression, what is added to it.
    low, high : mapping of str to ndarray, shape (n,)
        Lowest and highest probability of each event over the equilibria of each draw; NaN where none was found.
    seed : int
    weights : ndarray, shape (n,), or None
        Of the draws, summing to one, where evidence has weighed them; otherwise all count alike.
    """

    scenario: Scenario = field(repr=False)
    numbers: tuple[UncertainNumber, ...] = field(repr=False)
    levels: Floats = field(repr=False)
    inputs: Floats = field(repr=False)
    low: Mapping[str, Floats] = field(repr=False)
    high: Mapping[str, Floats] = field(repr=False)
    seed: int
    weights: Floats | None = field(default=None, repr=False)

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(self.inputs)

    @property
    def copula(self) -> Copula:
        """How the numbers hang together."""
        return copula_of(self.scenario.table, [number.name for number in self.numbers])

    @property
    def events(self) -> tuple[str, ...]:
        """What the probability of may be asked."""
        return tuple(self.low)

    @property
    def unsolved(self) -> float:
        """Share of the draws at which no equilibrium was found; the answers are of the others."""
        return float(np.average(np.isnan(self.low[self.events[0]]), weights=self.weights))

    def median(self) -> dict[str, Range]:
        """Return the median of the lowest and of the highest probability, by event."""
        pairs = ((event, self.low[event], self.high[event]) for event in self.low)
        return {event: (self._quantile(low, 0.5), self._quantile(high, 0.5)) for event, low, high in pairs}

    def mean(self) -> dict[str, Range]:
        """Return the mean of the lowest and of the highest probability, by event: the probability of the event."""
        known = np.isfinite(self.low[self.events[0]])
        weights = None if self.weights is None else self.weights[known]
        return {
            event: (
                float(np.average(self.low[event][known], weights=weights)),
                float(np.average(self.high[event][known], weights=weights)),
            )
            for event in self.low
        }

    def interval(self, mass: float = CENTRAL) -> dict[str, Range]:
        """Return the central interval over the draws, by event.

        Parameters
        ----------
        mass : float
            In (0, 1). The interval runs from the (1 - mass)/2 quantile of the lowest probability to the (1 + mass)/2
            quantile of the highest.

        Raises
        ------
        ParameterError
            If ``mass`` is not between 0 and 1.
        """
        _check_mass(mass)
        return {
            event: (
                self._quantile(self.low[event], (1 - mass) / 2),
                self._quantile(self.high[event], (1 + mass) / 2),
            )
            for event in self.low
        }

    def hdi(self, mass: float = CENTRAL) -> dict[str, Range]:
        """Return the shortest interval that holds a share of the draws, by event: from a lowest to a highest value.

        Raises
        ------
        ParameterError
            If ``mass`` is not between 0 and 1.
        """
        _check_mass(mass)
        some = self if self.weights is None else self.resampled()
        return {event: _shortest(some.low[event], some.high[event], mass) for event in self.low}

    def resampled(self) -> Uncertainty:
        """Return as many draws that all count alike, each of these as often as its weight says (systematically)."""
        if self.weights is None:
            return self
        levels = (np.arange(self.draws) + 0.5) / self.draws
        pick = np.minimum(np.searchsorted(np.cumsum(self.weights), levels), self.draws - 1)
        low, high = ({event: table[event][pick] for event in table} for table in (self.low, self.high))
        return replace(self, levels=self.levels[pick], inputs=self.inputs[pick], low=low, high=high, weights=None)

    def probability_above(self, level: float, event: str = "attack") -> Range:
        """Return the share of draws in which an event is likelier than a level: by its lowest and highest probability.

        Raises
        ------
        GameError
            If there is no such event.
        """
        known = np.isfinite(self._of(event)[0])
        weights = None if self.weights is None else self.weights[known]
        low, high = (float(np.average(x[known] > level, weights=weights)) for x in self._of(event))
        return low, high

    def multiplicity(self, event: str = "attack") -> tuple[float, float]:
        """Return the share of draws whose equilibria differ on an event, and their mean distance there.

        Raises
        ------
        GameError
            If there is no such event.
        """
        low, high = self._of(event)
        known = np.isfinite(low)
        gap = (high - low)[known]
        weights = np.full(gap.size, 1.0) if self.weights is None else self.weights[known]
        wide = (gap > EQUAL) & (weights > 0)
        share = float(np.average(wide, weights=weights))
        return share, float(np.average(gap[wide], weights=weights[wide])) if wide.any() else 0.0

    def drivers(self, event: str = "attack", *, total: int = 8, draws: int = 256) -> pd.DataFrame:
        """Return which numbers move an event, most important first.

        Parameters
        ----------
        event : str
        total : int
            Of how many numbers, those with the largest swings, the total index is computed too.
        draws : int
            Further draws for each of these.

        Returns
        -------
        pandas.DataFrame
            A row per number, by its key: ``first`` with its 90 % interval ``first_low``, ``first_high``; ``total``
            likewise (NaN where it was not computed); ``at_5`` and ``at_95``, the probability at the number's 5 % and
            95 % quantile, the others as in the file; ``swing``, their distance. Of several equilibria the middle is
            taken.

        Raises
        ------
        GameError
            If there is no such event.
        ParameterError
            If the draws were weighed by evidence.
        """
        import pandas as pd

        if self.weights is not None:
            raise ParameterError(
                "drivers are of draws from what a file says; of draws that evidence has weighed ask what it moved"
            )

        low, high = self._of(event)
        middle = (low + high) / 2
        known = np.isfinite(middle)
        rng = np.random.default_rng(self.seed)
        first = np.array([first_order(self.inputs[known, i], middle[known], rng) for i in range(len(self.numbers))])
        ends = self._swings(event)
        order = np.argsort(-np.abs(ends[:, 1] - ends[:, 0]), kind="stable")
        totals = np.full((len(self.numbers), 3), np.nan)
        copula = self.copula
        some = np.flatnonzero(known)[:draws]
        fresh = latin_hypercube(len(self.numbers), max(len(some), 2), self.seed + 1)[: len(some)]
        for i in order[:total]:
            moved = self.inputs[some].copy()
            moved[:, i] = self.numbers[i].at(copula.another(self.levels[some], i, fresh[:, i])[:, i])
            totals[i] = total_order(middle[some], self._middle(moved, event), float(np.nanvar(middle)), rng)
        frame = pd.DataFrame(
            np.column_stack([first, totals, ends, np.abs(ends[:, 1] - ends[:, 0])]),
            index=pd.Index([number.name for number in self.numbers], name="number"),
            columns=[
                "first", "first_low", "first_high", "total", "total_low", "total_high", "at_5", "at_95", "swing",
            ],
        )  # fmt: skip
        frame = frame.drop(index=[number.name for number in self.numbers if number.conversion])
        return frame.iloc[np.lexsort((-frame["swing"].to_numpy(), -np.round(frame["first"].to_numpy(), 3)))]

    def to_dataset(self) -> xr.Dataset:
        """Return draws x inputs x outputs: ``inputs`` (draw, number), and ``<event>_low``, ``<event>_high`` (draw)."""
        import xarray as xr

        outputs = {
            f"{event.replace(' ', '_')}_{end}": ("draw", table[event], {"event": event})
            for end, table in (("low", self.low), ("high", self.high))
            for event in table
        }
        return xr.Dataset(
            {"inputs": (("draw", "number"), self.inputs), **outputs},
            coords={"draw": np.arange(self.draws), "number": [number.name for number in self.numbers]},
            attrs={"scenario": self.scenario.name, "seed": self.seed, "sampling": "Latin hypercube"},
        )

    def to_inference_data(self) -> Any:
        """Return the draws for ArviZ: the numbers as ``prior``, the probabilities as ``prior_predictive``.

        Raises
        ------
        ImportError
            If ArviZ's base package is not installed.
        """
        try:
            import arviz_base
        except ImportError:
            raise ImportError('to_inference_data needs ArviZ: pip install "deterrence[arviz]"') from None
        prior = {number.name: self.inputs[None, :, i] for i, number in enumerate(self.numbers)}
        predictive = {
            f"{event} ({end})": table[event][None, :]
            for end, table in (("lowest", self.low), ("highest", self.high))
            for event in table
        }
        return arviz_base.from_dict({"prior": prior, "prior_predictive": predictive})

    def plot(self, kind: str = "density", *, event: str = "attack", ax: Any = None, **options: Any) -> Any:
        """Draw it, and return the axes (Matplotlib); see ``deterrence.plotting.uncertainty_plot``.

        Parameters
        ----------
        kind : str
            ``"density"``, ``"dots"``, ``"tornado"``, ``"scatter"`` or ``"ecdf"``.
        event : str
        ax : matplotlib axes, optional
            Drawn into; by default a figure of its own.
        **options
            Of the kind.
        """
        return service("uncertainty plot")(self, kind, event=event, ax=ax, **options)

    def to_dict(self) -> dict[str, Any]:
        """Return intervals and medians as plain data, fit for JSON."""
        inner, median = self.interval(), self.median()
        illustrative, total = share_illustrative(self.scenario)
        return {
            "draws": self.draws,
            "seed": self.seed,
            "numbers_drawn": len(self.numbers),
            "numbers_illustrative": illustrative,
            "numbers": total,
            "interval_90": {event: list(inner[event]) for event in self.low},
            "median": {event: list(median[event]) for event in self.low},
            "share_with_several_equilibria": self.multiplicity()[0],
            "share_unsolved": self.unsolved,
        }

    def in_words(self) -> str:
        """Return what the draws say, in a few sentences, with no more digits than they carry."""
        low, high = self.interval()["attack"]
        middle = sum(self.median()["attack"]) / 2
        point = sum(self.scenario.probability("attack")) / 2
        count, of = share_illustrative(self.scenario)
        width = high - low
        headline = (
            f"Likelihood of attack: median {percent(middle, width)}; 90 % of {self.draws:,} draws (seed {self.seed}) "
            f"lie between {percent(low, width)} and {percent(high, width)}."
        )
        said = [
            headline,
            f"{count} of the {of} numbers are illustrative; {len(self.numbers)} are drawn from their ranges.",
            f"At the file's own numbers it is {percent(point, width)}.",
        ]
        share, gap = self.multiplicity()
        if share > 0:
            said.append(
                f"In {percent(share, 1)} of the draws there are several equilibria, {100 * gap:.0f} points apart on "
                "average; the interval spans them."
            )
        if self.unsolved > 0:
            said.append(f"At {percent(self.unsolved, 0.1)} of the draws no equilibrium was found; they are left out.")
        return " ".join(said)

    def _repr_html_(self) -> str:
        return f"<p>{self.in_words()}</p>{self.table().html()}"

    def __str__(self) -> str:
        return f"{self.in_words()}\n\n{self.table().text()}"

    def table(self) -> Table:
        """Return the 90 % interval and the median of every event, as a table of a report."""
        inner, median = self.interval(), self.median()
        rows = []
        for event in self.low:
            low, high = inner[event]
            cells = [percent(x, high - low) for x in (low, sum(median[event]) / 2, high)]
            rows.append((event, *cells))
        title = f"Over {self.draws:,} draws of the uncertain numbers"
        return Table(title, ("probability", "5 % of draws below", "median", "5 % of draws above"), tuple(rows))

    # -- private ------------------------------------------------------------------------------------------------------

    def _quantile(self, values: Floats, level: float) -> float:
        return weighted_quantile(values, level, self.weights)

    def _of(self, event: str) -> tuple[Floats, Floats]:
        if event not in self.low:
            raise GameError(f"no event {event!r}; there are {', '.join(self.low)}{did_you_mean(event, self.low)}")
        return self.low[event], self.high[event]

    def _middle(self, inputs: Floats, event: str) -> Floats:
        low, high = solve_draws(self.scenario, self.numbers, inputs, (event,))
        return (low[event] + high[event]) / 2

    def _swings(self, event: str) -> Floats:
        """Return the probability at the 5 % and 95 % quantile of each number, shape (d, 2)."""
        d = len(self.numbers)
        base = np.array([0.0 if number.derived else number.value for number in self.numbers])
        inputs = np.tile(base, (2 * d, 1))
        for i, number in enumerate(self.numbers):
            inputs[[2 * i, 2 * i + 1], i] = number.at(np.array([(1 - CENTRAL) / 2, (1 + CENTRAL) / 2]))
        return self._middle(inputs, event).reshape(d, 2)


@dataclass(frozen=True, eq=False)
class Difference(Display):
    """The change of an event's probability from one scenario to another, over draws that they have in common.

    Attributes
    ----------
    before, after : str
        Names of the scenarios.
    event : str
    low, high : ndarray, shape (n,)
        Change of its lowest and of its highest probability over equilibria, after less before.
    seed : int
    """

    before: str
    after: str
    event: str
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    seed: int

    @property
    def share_higher(self) -> float:
        """Share of draws in which the event is likelier after, whichever equilibrium is meant."""
        return float(np.mean(np.minimum(self.low, self.high)[self._known] > EQUAL))

    @property
    def share_lower(self) -> float:
        """Share of draws in which the event is less likely after, whichever equilibrium is meant."""
        return float(np.mean(np.maximum(self.low, self.high)[self._known] < -EQUAL))

    @property
    def share_equal(self) -> float:
        """Share of draws in which it is as likely as before."""
        return float(np.mean(np.maximum(np.abs(self.low), np.abs(self.high))[self._known] <= EQUAL))

    @property
    def median(self) -> float:
        """Median of the change, that of the lowest and of the highest probability averaged."""
        return float(np.median(self._middle))

    def interval(self, mass: float = CENTRAL) -> Range:
        """Return the central interval of the change over the draws.

        Raises
        ------
        ParameterError
            If ``mass`` is not between 0 and 1.
        """
        _check_mass(mass)
        low, high = np.quantile(self._middle, [(1 - mass) / 2, (1 + mass) / 2])
        return float(low), float(high)

    def to_dict(self) -> dict[str, Any]:
        """Return shares and intervals as plain data, fit for JSON."""
        return {
            "event": self.event,
            "draws": int(self.low.size),
            "seed": self.seed,
            "share_higher": self.share_higher,
            "share_lower": self.share_lower,
            "share_equal": self.share_equal,
            "median": self.median,
            "middle_half": list(self.interval(0.5)),
            "interval_90": list(self.interval()),
        }

    def __str__(self) -> str:
        low, high = self.interval(0.5)
        return (
            f"{self.event}: from {self.before} to {self.after} likelier in {100 * self.share_higher:.0f} % of "
            f"{self._middle.size:,} common draws (seed {self.seed}), less likely in {100 * self.share_lower:.0f} %; "
            f"the middle half of the changes lies between {100 * low:+.1f} and {100 * high:+.1f} points."
        )

    @property
    def _known(self) -> NDArray[np.bool_]:
        return np.isfinite(self.low) & np.isfinite(self.high)

    @property
    def _middle(self) -> Floats:
        return ((self.low + self.high) / 2)[self._known]


def draw_uncertainty(scenario: Scenario, *, draws: int = DRAWS, seed: int = 0) -> Uncertainty:
    """Return the probabilities of all events of a scenario over draws of its uncertain numbers.

    Parameters
    ----------
    scenario : Scenario
    draws : int
        Number of draws, n.
    seed : int
        Of the Latin hypercube; the same seed gives the same draws.

    Raises
    ------
    ParameterError
        If ``draws`` or ``seed`` is no whole number in its range, or nothing in the scenario is uncertain.
    """
    numbers = uncertain_numbers(scenario)
    if not numbers:
        raise nothing_uncertain(scenario)
    copula = copula_of(scenario.table, [number.name for number in numbers])
    levels = copula.levels(latin_hypercube(len(numbers), draws, seed))
    inputs = values_at(numbers, levels)
    low, high = solve_draws(scenario, numbers, inputs, scenario.events)
    return Uncertainty(scenario, numbers, levels, inputs, low, high, seed)


def values_at(numbers: Sequence[UncertainNumber], levels: Floats) -> Floats:
    """Return values of d numbers at quantiles, both of shape (n, d)."""
    return np.column_stack([number.at(levels[:, i]) for i, number in enumerate(numbers)])


def draw_difference(
    before: Scenario, after: Scenario, *, event: str = "attack", draws: int = DRAWS, seed: int = 0
) -> Difference:
    """Return the change of an event's probability between scenarios, on common random numbers.

    Parameters
    ----------
    before, after : Scenario
    event : str
        One that both have.
    draws, seed : int
        As in ``draw_uncertainty``.

    Raises
    ------
    GameError
        If one of them has no such event.
    """
    return draw_differences(before, after, events=(event,), draws=draws, seed=seed)[event]


def draw_differences(
    before: Scenario, after: Scenario, *, events: Sequence[str], draws: int = DRAWS, seed: int = 0
) -> dict[str, Difference]:
    """Return the change of the probability of events between scenarios, on common random numbers, by event.

    Parameters
    ----------
    before, after : Scenario
    events : sequence of str
        That both have.
    draws, seed : int
        As in ``draw_uncertainty``.

    Raises
    ------
    GameError
        If one of them has no such event.
    """
    (low, high), (later_low, later_high) = draw_in_common((before, after), events=events, draws=draws, seed=seed)
    return {
        event: Difference(
            before.name, after.name, event, later_low[event] - low[event], later_high[event] - high[event], seed
        )
        for event in events
    }


def draw_in_common(
    scenarios: Sequence[Scenario], *, events: Sequence[str], draws: int = DRAWS, seed: int = 0
) -> list[tuple[dict[str, Floats], dict[str, Floats]]]:
    """Return the lowest and highest probability of events in several scenarios, on common random numbers.

    A number that two scenarios have (by its key) is drawn at the same quantile of its distribution in each.

    Parameters
    ----------
    scenarios : sequence of Scenario
    events : sequence of str
        That all have.
    draws, seed : int
        As in ``draw_uncertainty``.

    Raises
    ------
    GameError
        If one of them has no such event.
    ParameterError
        If two correlate numbers differently that both draw.
    """
    every = [uncertain_numbers(scenario) for scenario in scenarios]
    column = {name: i for i, name in enumerate(dict.fromkeys(number.name for some in every for number in some))}
    points = latin_hypercube(max(len(column), 1), draws, seed)
    if column:
        points = _levels_in_common(scenarios, list(column), points)
    for scenario in scenarios:
        for event in events:
            if event not in scenario.events:
                common = [one for one in scenarios[0].events if all(one in other.events for other in scenarios)]
                raise GameError(
                    f"no event {event!r} in {scenario.name}; events in common are {', '.join(common)}"
                    f"{did_you_mean(event, common)}"
                )
    found = []
    for scenario, numbers in zip(scenarios, every, strict=True):
        inputs = np.empty((draws, len(numbers)))
        for i, number in enumerate(numbers):
            inputs[:, i] = number.at(points[:, column[number.name]])
        found.append(solve_draws(scenario, numbers, inputs, events))
    return found


def _levels_in_common(scenarios: Sequence[Scenario], names: Sequence[str], points: Floats) -> Floats:
    """Return probabilities that hang together as in all scenarios.

    Raises
    ------
    ParameterError
        If two correlate numbers differently that both draw.
    """
    first, *others = (copula_of(scenario.table, names) for scenario in scenarios)
    for scenario, one in zip(scenarios[1:], others, strict=True):
        if not np.array_equal(first.correlation, one.correlation):
            raise ParameterError(
                f"{scenarios[0].name} and {scenario.name} correlate their numbers differently: no draws are common to "
                "both; give both the same [uncertainty]"
            )
    return first.levels(points)


def weighted_quantile(values: Floats, level: float, weights: Floats | None = None) -> float:
    """Return a quantile of draws, NaN left out: between the middles of the steps that weights make."""
    if weights is None:
        return float(np.nanquantile(values, level))
    known = np.isfinite(values) & (weights > 0)
    order = np.argsort(values[known], kind="stable")
    mass = weights[known][order]
    return float(np.interp(level, (np.cumsum(mass) - mass / 2) / mass.sum(), values[known][order]))


def solve_draws(
    scenario: Scenario, numbers: Sequence[UncertainNumber], inputs: Floats, events: Sequence[str]
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Return the lowest and the highest probability of events at draws, NaN where no equilibrium was found.

    Parameters
    ----------
    scenario : Scenario
    numbers : sequence of UncertainNumber
        d of them.
    inputs : ndarray, shape (n, d)
        As ``UncertainNumber.at`` gives them.
    events : sequence of str
    """
    parts = []
    for start in range(0, len(inputs), _CHUNK):
        some = inputs[start : start + _CHUNK]
        drawn = {number.location: some[:, i].copy() for i, number in enumerate(numbers)}
        try:
            game = build(scenario.table, drawn=drawn)
        except BuildError as error:
            raise ParameterError(f"{scenario.name} makes no game at some draws: {error}") from None
        parts.append(scenario.likelihoods(game, events, len(some)))
    return tuple(  # type: ignore[return-value]
        {event: np.concatenate([getattr(part, end)[event] for part in parts]) for event in events}
        for end in ("low", "high")
    )


def nothing_uncertain(scenario: Scenario) -> ParameterError:
    """Return the error of draws that were asked for where no number has a distribution."""
    return ParameterError(
        f"no number of {scenario.name} is uncertain: give numbers a range, as in "
        "{ value = 0.6, illustrative = true, range = [0.2, 1.2] }"
    )


def check_draws(draws: int, seed: int) -> None:
    """Raise ParameterError unless the number of draws and the seed are whole numbers in their range."""
    for name, value, least in (("draws", draws, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= MOST_DRAWS:
            raise ParameterError(f"{name} must be a whole number from {least} to {MOST_DRAWS:,}, got {value!r}")


def latin_hypercube(dimensions: int, count: int, seed: int) -> Floats:
    """Return a Latin hypercube of points, shape (count, dimensions), inside of the unit cube.

    Raises
    ------
    ParameterError
        If ``count`` or ``seed`` is no whole number in its range.
    """
    from scipy.stats import qmc

    check_draws(count, seed)
    points = qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(int(count))
    return np.asarray(np.clip(points, 2.0**-40, 1 - 2.0**-40))


def first_order(x: Floats, y: Floats, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a first-order Sobol' index from draws, and its 90 % bootstrap interval.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Values of the number, and of the answer.
    rng : numpy.random.Generator
        Of the bootstrap.
    """
    classes = min(_CLASSES, max(len(x) // 8, 1))
    rank = np.argsort(np.argsort(x, kind="stable"), kind="stable") * classes // len(x)
    picks = [np.arange(len(x)), *rng.integers(len(x), size=(_RESAMPLES, len(x)))]
    values = [_explained(rank[pick], y[pick], classes) for pick in picks]
    low, high = np.quantile(values[1:], [(1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
    return values[0], float(low), float(high)


def total_order(y: Floats, moved: Floats, variance: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a total Sobol' index by Jansen's estimator, and its 90 % bootstrap interval.

    Parameters
    ----------
    y, moved : ndarray, shape (n,)
        The answer at draws, and with the number alone drawn again.
    variance : float
        Of the answer.
    rng : numpy.random.Generator
        Of the bootstrap.
    """
    if not variance > 0:
        return 0.0, 0.0, 0.0
    known = np.isfinite(y) & np.isfinite(moved)
    squares = (y - moved)[known] ** 2 / (2 * variance)
    means = squares[rng.integers(len(squares), size=(_RESAMPLES, len(squares)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - CENTRAL) / 2, (1 + CENTRAL) / 2])
    return float(squares.mean()), float(low), float(high)


def percent(value: float, width: float) -> str:
    """Return a probability in per cent with no more digits than an uncertainty of ``width`` leaves."""
    digits = 0 if width >= 0.02 else 1 if width >= 0.002 else 2
    shown = 100 * value
    if digits == 0 and 0 < shown < 0.5:
        return "< 1 %"
    if digits == 0 and 99.5 < shown < 100:
        return "> 99 %"
    return f"{shown:.{digits}f} %"


def _explained(rank: NDArray[np.intp], y: Floats, classes: int) -> float:
    """Return the share of the variance of y that classes explain, corrected for chance."""
    counts = np.bincount(rank, minlength=classes)
    there = counts > 0
    means = np.bincount(rank, weights=y, minlength=classes)[there] / counts[there]
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 0:
        return 0.0
    between = float((counts[there] * (means - y.mean()) ** 2).sum())
    used = int(there.sum())
    within = (total - between) / max(len(y) - used, 1)
    return max((between - (used - 1) * within) / total, 0.0)


def _shortest(low: Floats, high: Floats, mass: float) -> Range:
    known = np.isfinite(low)
    starts, ends = np.sort(low[known]), np.sort(high[known])
    kept = max(round(mass * len(starts)), 1)
    width = ends[kept - 1 :] - starts[: len(starts) - kept + 1]
    i = int(np.argmin(width))
    return float(starts[i]), float(ends[i + kept - 1])


def _check_mass(mass: float) -> None:
    if not 0 < mass < 1:
        raise ParameterError(f"the mass of an interval lies between 0 and 1, got {mass!r}")

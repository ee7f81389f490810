r"""From one opportunity to a period: the probability that an attack happens at least once.

A likelihood of attack is of *one opportunity*: one occasion on which the aggressor weighs an attack, in the situation
of the file. It is the share of the aggressor's possible values of the prize for which some attack is best. A file with

.. code-block:: toml

    [horizon]
    years = 10
    opportunities = { value = 0.2, illustrative = true, range = [0.05, 1] }   # a year

says over which period and how often the occasion recurs. With p the likelihood and n the number of opportunities in the
period, each alike and independent of the others, the probability of at least one attack is :math:`1 - (1 - p)^n`. Draws
of p go with draws of n, so that the range of the result holds what is not known of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.building import parameter_values
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.evidence import over_period
from deterrence.alliances.scenarios.marginals import CENTRAL, marginal_of_range
from deterrence.alliances.scenarios.uncertainty import Uncertainty, latin_hypercube, percent, weighted_quantile
from deterrence.games.expressions import evaluate
from deterrence.games.values import Value

if TYPE_CHECKING:
    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Period(Value):
    """The probability of at least one attack over the horizon of a scenario.

    Attributes
    ----------
    years, opportunities : float
        Length, and occasions a year, at the file's own numbers.
    point : pair of float
        Lowest and highest over equilibria, at the file's own numbers.
    low, high : ndarray, shape (n,), or None
        The same at draws.
    weights : ndarray, shape (n,), or None
        Of the draws.
    """

    years: float
    opportunities: float
    point: Range
    low: Floats | None = field(default=None, repr=False)
    high: Floats | None = field(default=None, repr=False)
    weights: Floats | None = field(default=None, repr=False)

    def interval(self, mass: float = CENTRAL) -> Range:
        """Return the central interval over draws; without draws, the range over equilibria."""
        if self.low is None or self.high is None:
            return self.point
        return (
            weighted_quantile(self.low, (1 - mass) / 2, self.weights),
            weighted_quantile(self.high, (1 + mass) / 2, self.weights),
        )

    def median(self) -> float:
        """Return the median over draws; without draws, the middle over equilibria."""
        if self.low is None or self.high is None:
            return sum(self.point) / 2
        return weighted_quantile((self.low + self.high) / 2, 0.5, self.weights)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, fit for JSON."""
        return {
            "years": self.years,
            "opportunities_a_year": self.opportunities,
            "at_the_files_numbers": list(self.point),
            "median": self.median(),
            "interval_90": list(self.interval()),
        }

    def in_words(self) -> str:
        """Return the probability with its period and link, in a sentence."""
        (low, high), n = self.interval(), self.years * self.opportunities
        width = high - low
        said = (
            f"Over {self.years:g} years with {self.opportunities:g} opportunities a year, each alike and independent, "
        )
        if self.low is None:
            return f"{said}the probability of an attack is 1 - (1 - p)^{n:g} = {percent(self.median(), 0.01)}."
        return (
            f"{said}the probability of an attack, 1 - (1 - p)^{n:g}, has the median {percent(self.median(), width)}; "
            f"90 % of draws, those of the opportunities among them, lie between {percent(low, width)} and "
            f"{percent(high, width)}."
        )


def period_of(
    scenario: Scenario, point: Range, uncertainty: Uncertainty | None = None, levels: Floats | None = None
) -> Period | None:
    """Return the probability of attack over a scenario's horizon; None if its file has none.

    Parameters
    ----------
    scenario : Scenario
    point : pair of float
        Likelihood of attack on one opportunity, lowest and highest over equilibria.
    uncertainty : Uncertainty, optional
        Draws of it.
    levels : ndarray, shape (n,), optional
        Quantiles at which the opportunities are drawn; a hypercube of their own by default.
    """
    table = scenario.table.horizon
    if table is None:
        return None
    years, opportunities = table.years, _value(scenario, table.opportunities)
    once, often = (float(over_period(p, years * opportunities)) for p in point)
    if uncertainty is None:
        return Period(years, opportunities, (once, often))
    if levels is None:
        levels = latin_hypercube(1, uncertainty.draws, (uncertainty.seed + 3) % 2**20)[:, 0]
    count = years * _drawn(table.opportunities, opportunities, levels)
    low, high = (over_period(end["attack"], count) for end in (uncertainty.low, uncertainty.high))
    return Period(years, opportunities, (once, often), low, high, uncertainty.weights)


def _value(scenario: Scenario, entry: Entry) -> float:
    value = entry.value
    return float(evaluate(value, parameter_values(scenario.table)) if isinstance(value, str) else value)


def _drawn(entry: Entry, value: float, levels: Floats) -> Floats:
    law = entry.marginal(value) or marginal_of_range(value, value, value)
    return law.quantile(levels)

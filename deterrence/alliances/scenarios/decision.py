r"""Which options would deter, whatever is not known: every affordable policy of a scenario on common draws.

A policy is a set of options; each is solved at the same draws of the scenario's uncertain numbers, so that policies
differ by what they change and by nothing else. The vocabulary is that of decisions under deep uncertainty:
*uncertainties* are the numbers that are drawn, *levers* the options, *policies* their sets, and *robustness* what is
said of a policy over all draws (``robustness``).

The loss of a policy at a draw is the likelihood of attack (of several equilibria the middle), or with a ``harm`` H

.. math:: \ell = H\, P(\text{attack}) + \text{cost},

in the unit of costs. An option with a trigger is taken, and paid for, only at the draws where it holds; an option that
needs longer than ``within`` years is paid for and does nothing. So the game of a policy at a draw is that of the
options that work there, and a policy with triggers costs no further game.

All affordable policies are solved, if they are not more than ``most``. Else, only single options and pairs are, their
mean reductions and interactions make a quadratic surrogate

.. math:: R(x) = \sum_i r_i x_i + \sum_{i<j} r_{ij} x_i x_j, \qquad x \in \{0, 1\}^O,

its best policies under the budget at several levels are found one after the other as integer linear programs (HiGHS, by
``scipy.optimize.milp``), and those are solved at all draws.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.scenarios.building import build, parameter_values
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.options import Trigger, affordable, policies, trigger
from deterrence.alliances.scenarios.policy_games import PERCEIVED, TRUE, Effect, effect_of, policy_game, with_tables
from deterrence.alliances.scenarios.rendering import Table
from deterrence.alliances.scenarios.robustness import (
    no_worse,
    partial_information,
    perfect_information,
    regret,
    satisficing,
    undominated,
)
from deterrence.alliances.scenarios.sensitivity import joined_games
from deterrence.alliances.scenarios.uncertainty import (
    EQUAL,
    UncertainNumber,
    Uncertainty,
    draw_uncertainty,
    latin_hypercube,
    percent,
    uncertain_number,
    uncertain_numbers,
)
from deterrence.games.display import Display, in_markdown
from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.expressions import evaluate
from deterrence.games.paths import value_at
from deterrence.games.services import service
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import BELIEVES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes

    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Location = tuple[str | int, ...]
Policy = tuple[int, ...]
Ends = dict[str, Floats]

LEVEL = 0.2  # likelihood of attack below which a policy satisfices
MOST = 1024  # policies that are all solved
UNWANTED = "unwanted war"
STATUS_QUO = "status quo"

_ROWS = 2**15  # games solved together
_SHOWN = 12  # policies on the front in a table
_LEVELS = 8  # of the budget at which the surrogate is solved
_KEPT = 6  # best policies of the surrogate at each


@dataclass(frozen=True, eq=False)
class Option:
    """Something that the alliance could do.

    Attributes
    ----------
    name, label, title : str
        Its key in the file, a letter for tables, and a line.
    cost : ndarray, shape (n,)
        At each draw, if it is taken.
    taken : ndarray of bool, shape (n,)
        Where its trigger holds, and those of the options that it requires.
    works : ndarray of bool, shape (n,)
        Where it is taken and its lead time is not too long.
    """

    name: str
    label: str
    title: str
    cost: Floats = field(repr=False)
    taken: Flags = field(repr=False)
    works: Flags = field(repr=False)


@dataclass(frozen=True, eq=False)
class Decision(Display, Value):
    """Every affordable policy of a scenario, on common draws of what is uncertain.

    Attributes
    ----------
    uncertainty : Uncertainty
        The status quo: draws and their probabilities.
    options : tuple of Option
    policies : tuple of tuple of int
        By index of their options; the status quo first.
    low, high : mapping of str to ndarray, shape (P, n)
        Lowest and highest probability of each event over the equilibria of each draw under each policy.
    cost : ndarray, shape (P, n)
        Of what is taken.
    unit : str
        Of costs.
    budget : ndarray, shape (n,), or None
    event : str
        What is to be made unlikely: ``"attack"``.
    level : float
        Below it, a policy satisfices.
    harm : float or None
        Worth of the event in the unit of costs; without it the loss is the likelihood alone.
    method : str
        How the policies were chosen.
    """

    uncertainty: Uncertainty = field(repr=False)
    options: tuple[Option, ...]
    policies: tuple[Policy, ...]
    low: Mapping[str, Floats] = field(repr=False)
    high: Mapping[str, Floats] = field(repr=False)
    cost: Floats = field(repr=False)
    unit: str
    budget: Floats | None = field(repr=False)
    event: str
    level: float
    harm: float | None
    method: str

    @property
    def names(self) -> tuple[str, ...]:
        """The policies by the letters of their options: ``"A+C"``; the first is the status quo."""
        return tuple("+".join(self.options[i].label for i in policy) or STATUS_QUO for policy in self.policies)

    def policy(self, *options: str) -> int:
        """Return the place of a policy by the names or letters of its options.

        Raises
        ------
        ParameterError
            If there is no such option, or the policy is none of those that were solved.
        """
        by_name = {key: i for i, one in enumerate(self.options) for key in (one.name, one.label)}
        for name in options:
            if name not in by_name:
                known = ", ".join(one.name for one in self.options)
                raise ParameterError(f"no option {name!r}; there are {known}{did_you_mean(name, by_name)}")
        wanted = tuple(sorted(by_name[name] for name in options))
        if wanted not in self.policies:
            raise ParameterError(
                f"the policy {' + '.join(options)} is not among the {len(self.policies)} that were solved: it cannot "
                "be afforded, its options do not go together, or it was left out by the surrogate"
            )
        return self.policies.index(wanted)

    def at(self, *, harm: float | None = None, level: float | None = None) -> Decision:
        """Return the same policies judged by another worth of the event, or another level; nothing is solved again.

        Parameters
        ----------
        harm : float, optional
            As in ``decide``; by default as it is.
        level : float, optional
            As in ``decide``; by default as it is.

        Raises
        ------
        ParameterError
            If one is out of range.
        """
        _check_values(self.level if level is None else level, harm)
        return replace(self, harm=self.harm if harm is None else harm, level=self.level if level is None else level)

    def likelihood(self, event: str | None = None) -> Floats:
        """Return the likelihood of an event (by default the one that is decided on), shape (P, n).

        Of several equilibria the middle; NaN where none was found.

        Raises
        ------
        ParameterError
            If the event is none that was asked for.
        """
        name = self.event if event is None else event
        if name not in self.low:
            raise ParameterError(f"no event {name!r}; there are {', '.join(self.low)}{did_you_mean(name, self.low)}")
        return np.asarray((self.low[name] + self.high[name]) / 2)

    @property
    def losses(self) -> Floats:
        """The loss of each policy at each draw that was solved under all of them, shape (P, m)."""
        chance = self.likelihood()[:, self._known]
        return chance if self.harm is None else self.harm * chance + self.cost[:, self._known]

    def reduction(self, event: str | None = None) -> Floats:
        """Return by how much each policy makes an event less likely than the status quo does, shape (P, m).

        Raises
        ------
        ParameterError
            If the event is none that was asked for.
        """
        chance = self.likelihood(event)[:, self._known]
        return np.asarray(chance[0] - chance)

    def regret(self) -> Floats:
        """Return the regret of each policy at each draw, shape (P, m): its loss over that of the best one there."""
        return regret(self.losses)

    def satisficing(self, levels: Any = None) -> Floats:
        """Return the share of draws in which the likelihood is below levels (``level`` by default), shape (P, L)."""
        return satisficing(self.likelihood()[:, self._known], self.level if levels is None else levels)

    def dominated(self, kind: str = "statewise") -> pd.DataFrame:
        """Return which policies are dominated by one that costs no more, and by which: a row per dominated policy.

        Parameters
        ----------
        kind : str
            ``"statewise"`` (at every draw no likelier and no dearer), ``"first order"`` or ``"second order"``
            (stochastic dominance of the likelihood, at no higher mean cost).

        Raises
        ------
        ParameterError
            If there is no such kind.
        """
        import pandas as pd

        kinds = ("statewise", "first order", "second order")
        if kind not in kinds:
            raise ParameterError(f"dominance is one of {', '.join(kinds)}, got {kind!r}{did_you_mean(kind, kinds)}")
        better = self._dominates(kind)
        rows = [
            (self.names[q], self.names[int(best[np.argmin(self.mean_cost[best])])], len(best))
            for q in range(len(self.policies))
            if len(best := np.flatnonzero(better[:, q]))
        ]
        return pd.DataFrame(rows, columns=["policy", "by the cheapest", "by how many"])

    def front(self, *events: str) -> tuple[int, ...]:
        """Return the policies on the Pareto front of mean cost and the mean likelihoods of events, cheapest first.

        Parameters
        ----------
        *events : str
            By default the event that is decided on; ``front("attack", "unwanted war")`` has three objectives.

        Raises
        ------
        ParameterError
            If an event is none that was asked for.
        """
        asked = events or (self.event,)
        chances = [self.likelihood(event)[:, self._known].mean(axis=1) for event in asked]
        on = np.flatnonzero(undominated(np.column_stack([self.mean_cost, *chances])))
        return tuple(int(p) for p in on[np.lexsort((chances[0][on], self.mean_cost[on]))])

    @property
    def mean_cost(self) -> Floats:
        """Mean cost of each policy over the draws, shape (P,)."""
        return np.asarray(self.cost.mean(axis=1))

    def choices(self) -> dict[str, int]:
        """Return the policy that each rule chooses.

        ``"least expected loss"``, ``"minimax regret"``, ``"satisficing"`` (below ``level`` in the most draws; of equals
        the cheaper) and, where options cost something, ``"most per cost"``.
        """
        worst = self.regret().max(axis=1)
        share = self.satisficing()[:, 0]
        chosen = {
            "least expected loss": int(np.argmin(self.losses.mean(axis=1))),
            "minimax regret": int(np.lexsort((self.mean_cost, worst))[0]),
            "satisficing": int(np.lexsort((self.mean_cost, -share))[0]),
        }
        rate = self.per_cost()
        if np.isfinite(rate).any():
            chosen["most per cost"] = int(np.nanargmax(np.where(np.isfinite(rate), rate, np.nan)))
        return chosen

    def per_cost(self) -> Floats:
        """Return the mean reduction of each policy per unit of its mean cost, shape (P,); NaN without a cost."""
        return np.asarray(
            [r / c if c > 0 else np.nan for r, c in zip(self.reduction().mean(axis=1), self.mean_cost, strict=True)]
        )

    def perfect_information(self) -> tuple[float, float]:
        """Return the expected value of knowing everything before choosing, with its standard error, as a loss."""
        return perfect_information(self.losses)

    def information(self) -> pd.DataFrame:
        """Return what knowing each number before choosing is worth, most first.

        Returns
        -------
        pandas.DataFrame
            A row per number, by its key: ``value``, the expected reduction of the loss by the best rule given the
            number, fitted to some draws and judged on others; its standard ``error``; ``in_sample``, judged on the
            draws that it was fitted to. The truth lies, in expectation, between ``value`` and ``in_sample``.
        """
        import pandas as pd

        losses = self.losses
        names = [number.name for number in self.uncertainty.numbers]
        inputs = self.uncertainty.inputs[self._known]
        rows = [partial_information(losses, inputs[:, i]) for i in range(len(names))]
        frame = pd.DataFrame(rows, columns=["value", "error", "in_sample"], index=pd.Index(names, name="number"))
        return frame.sort_values("value", ascending=False, kind="stable")

    def to_frame(self) -> pd.DataFrame:
        """Return a row per policy: what it costs, what it does, and how robust it is."""
        import pandas as pd

        reduced, worst = self.reduction(), self.regret()
        scale = np.sqrt(max(reduced.shape[1], 1))
        dominated = self._dominates("statewise").any(axis=0)
        return pd.DataFrame(
            {
                "options": [" + ".join(self.options[i].name for i in p) or STATUS_QUO for p in self.policies],
                "cost": self.mean_cost,
                "likelihood": self.likelihood()[:, self._known].mean(axis=1),
                "reduction": reduced.mean(axis=1),
                "reduction_error": reduced.std(axis=1, ddof=1) / scale,
                "share_better": (reduced > EQUAL).mean(axis=1),
                "share_worse": (reduced < -EQUAL).mean(axis=1),
                "per_cost": self.per_cost(),
                "share_below": self.satisficing()[:, 0],
                "regret_max": worst.max(axis=1),
                "regret_mean": worst.mean(axis=1),
                "unwanted_war": self.likelihood(UNWANTED)[:, self._known].mean(axis=1),
                "dominated": dominated,
            },
            index=pd.Index(self.names, name="policy"),
        )

    def to_dataset(self) -> xr.Dataset:
        """Return draws x policies: ``<event>_low``, ``<event>_high``, ``cost``; and draws x numbers: ``inputs``."""
        import xarray as xr

        outputs = {
            f"{event.replace(' ', '_')}_{end}": (("draw", "policy"), table[event].T, {"event": event})
            for end, table in (("low", self.low), ("high", self.high))
            for event in table
        }
        chosen = np.array([[i in policy for i in range(len(self.options))] for policy in self.policies])
        return xr.Dataset(
            {
                **outputs,
                "cost": (("draw", "policy"), self.cost.T, {"units": self.unit}),
                "inputs": (("draw", "number"), self.uncertainty.inputs),
                "chosen": (("policy", "option"), chosen),
            },
            coords={
                "draw": np.arange(self.uncertainty.draws),
                "policy": list(self.names),
                "option": [one.name for one in self.options],
                "number": [number.name for number in self.uncertainty.numbers],
            },
            attrs={"scenario": self.uncertainty.scenario.name, "seed": self.uncertainty.seed, "method": self.method},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the draws as plain data, fit for JSON."""
        value, error = self.perfect_information()
        frame = self.to_frame()
        information = self.information().head(10)
        return {
            "scenario": self.uncertainty.scenario.name,
            "draws": self.uncertainty.draws,
            "seed": self.uncertainty.seed,
            "event": self.event,
            "level": self.level,
            "harm": self.harm,
            "unit": self.unit,
            "method": self.method,
            "options": [
                {
                    "name": one.name,
                    "label": one.label,
                    "title": one.title,
                    "cost": float(one.cost.mean()),
                    "share_taken": float(one.taken.mean()),
                    "share_works": float(one.works.mean()),
                }
                for one in self.options
            ],
            "policies": [
                {"policy": name, **{key: _plain(x) for key, x in row.items()}}
                for name, row in zip(self.names, frame.to_dict("records"), strict=True)
            ],
            "choices": {rule: self.names[p] for rule, p in self.choices().items()},
            "front": [self.names[p] for p in self.front()],
            "front_with_unwanted_war": [self.names[p] for p in self.front(self.event, UNWANTED)],
            "perfect_information": {"value": value, "error": error},
            "information": [
                {"number": name, **{key: float(x) for key, x in row.items()}}
                for name, row in zip(information.index, information.to_dict("records"), strict=True)
            ],
        }

    def in_words(self) -> str:
        """Return what can be said of the options over all draws, in a few sentences."""
        frame, u = self.to_frame(), self.uncertainty
        chosen = self.choices()
        best, careful = chosen["least expected loss"], chosen["minimax regret"]
        start = float(frame["likelihood"].iloc[0])
        said = [
            f"{len(self.policies)} policies on {u.draws:,} common draws (seed {u.seed}; {self.method}).",
            f"Mean likelihood of {self.event} without any: {percent(start, 1)}.",
        ]
        row = frame.iloc[best]
        said.append(
            f"Least expected loss: {self.names[best]}, {percent(row['likelihood'], 1)}, lower in "
            f"{percent(row['share_better'], 1)} of draws and higher in {percent(row['share_worse'], 1)}."
        )
        if careful == best:
            said.append("It has the least maximal regret, too.")
        else:
            said.append(
                f"Least maximal regret: {self.names[careful]} (at most {self._loss(frame['regret_max'].iloc[careful])} "
                f"over the best policy of any draw, against {self._loss(frame['regret_max'].iloc[best])})."
            )
        most = chosen["satisficing"]
        said.append(
            f"Below {percent(self.level, 1)} most often: {self.names[most]}, in "
            f"{percent(frame['share_below'].iloc[most], 1)} of draws (without any, in "
            f"{percent(frame['share_below'].iloc[0], 1)})."
        )
        if "most per cost" in chosen:
            per = chosen["most per cost"]
            said.append(
                f"Most for its cost: {self.names[per]}, {100 * frame['per_cost'].iloc[per]:.2g} points per {self.unit}."
            )
        value, error = self.perfect_information()
        said.append(
            f"Knowing everything before choosing would gain {self._loss(value)} (standard error {self._loss(error)})."
        )
        information = self.information()
        first = information.iloc[0]
        if first["value"] > 2 * first["error"]:
            said.append(f"The number most worth knowing is {information.index[0]}: {self._loss(first['value'])}.")
        else:
            said.append("No single number is worth knowing beyond the error of that estimate.")
        return " ".join(said)

    def option_table(self) -> Table:
        """Return what each letter stands for, as a table of a report."""
        rows = tuple(
            (
                f"{one.label}  {textwrap.shorten(one.title, 58, placeholder=' ...')}",
                f"{one.cost.mean():.3g}",
                percent(float(one.works.mean()), 1),
            )
            for one in self.options
        )
        title = f"Options; costs in {self.unit}" if self.unit else "Options"
        return Table(title, ("option", "cost", "works in"), rows)

    def table(self) -> Table:
        """Return the policies worth reading as a table: single ones, the front, those that rules choose."""
        frame = self.to_frame()
        single = [p for p, policy in enumerate(self.policies) if len(policy) <= 1]
        front = [p for p in self.front() if p not in single]
        some = [front[round(i)] for i in np.linspace(0, len(front) - 1, min(_SHOWN, len(front)))]
        others = {p for p in (*self.choices().values(), *some) if p not in single}
        shown = [*single, *sorted(others, key=lambda p: (float(self.mean_cost[p]), p))]
        rows = []
        for p in shown:
            row = frame.iloc[p]
            rate = row["per_cost"]
            rows.append(
                (
                    self.names[p],
                    f"{row['cost']:.3g}",
                    f"{100 * row['likelihood']:.1f}",
                    f"{100 * row['reduction']:+.1f}",
                    f"{100 * rate:.2g}" if np.isfinite(rate) else "",
                    f"{100 * row['share_below']:.0f}",
                    f"{100 * row['regret_max']:.0f}" if self.harm is None else f"{row['regret_max']:.3g}",
                    f"{100 * row['unwanted_war']:.1f}",
                )
            )
        head = ("policy", "cost", self.event, "less by", "per cost", f"< {100 * self.level:g} %", "regret", "unwanted")
        return Table(
            "Policies: mean over draws in points; share of draws below the level; largest regret", head, tuple(rows)
        )

    def to_markdown(self) -> str:
        """Return the decision as Markdown."""
        parts = [f"# {in_markdown(self.uncertainty.scenario.title)}: what would deter", in_markdown(self.in_words())]
        for table in (self.option_table(), self.table()):
            parts += [f"## {in_markdown(table.title)}", table.markdown()]
        return "\n\n".join(parts) + "\n"

    def plot(self, kind: str = "front", *, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the decision; see ``deterrence.plotting.decision_plot``.

        Parameters
        ----------
        kind : str
            ``"front"``, ``"per cost"``, ``"regret"``, ``"satisficing"`` or ``"information"``.
        ax : matplotlib axes, optional
            Drawn into; by default a figure of its own.
        **options
            Of the kind.
        """
        axes: Axes = service("decision plot")(self, kind, ax=ax, **options)
        return axes

    def _repr_html_(self) -> str:
        return f"<p>{self.in_words()}</p>{self.option_table().html()}{self.table().html()}"

    def __str__(self) -> str:
        blocks = [textwrap.fill(self.in_words(), 80)]
        for table in (self.option_table(), self.table()):
            blocks += ["", textwrap.fill(table.title, 80), table.text()]
        return "\n".join(blocks)

    @property
    def _known(self) -> Flags:
        return np.asarray(np.isfinite(self.low[self.event]).all(axis=0))

    def _dominates(self, kind: str) -> Flags:
        """Return whether policy p dominates policy q at no higher cost, shape (P, P)."""
        cost = self.cost[:, self._known] if kind == "statewise" else self.mean_cost[:, None]
        found = no_worse(self.likelihood()[:, self._known], kind) & no_worse(cost)
        return np.asarray(found & ~found.T)

    def _loss(self, value: float) -> str:
        return f"{100 * value:.1f} points" if self.harm is None else f"{value:.3g} {self.unit}"


def decide(
    scenario: Scenario,
    *,
    draws: int = 1000,
    seed: int = 0,
    event: str = "attack",
    level: float = LEVEL,
    within: float | None = None,
    harm: float | None = None,
    most: int = MOST,
) -> Decision:
    """Return every affordable policy of a scenario on common draws.

    Parameters
    ----------
    scenario : Scenario
        With ``[options]``.
    draws, seed : int
        As in ``assess``: the status quo is at the same draws.
    event : str
        What is to be made unlikely.
    level : float
        In (0, 1]: a policy satisfices at the draws where the event is less likely.
    within : float, optional
        Years: an option whose lead time is longer does nothing, though it is paid for. By default time does not count.
    harm : float, optional
        Worth of the event in the unit of costs, above 0.
    most : int
        Policies that are all solved; if more are affordable, a surrogate chooses among them.

    Raises
    ------
    ParameterError
        If the scenario has no options, nothing in it is uncertain, an argument is out of range, or an option makes no
        game at some draw.
    """
    table = scenario.table
    if not table.options:
        raise ParameterError(
            f"{scenario.name} has no options to decide among: give it [options.NAME] tables with changes and a cost"
        )
    _check(scenario, event, level, within, harm, most)
    base = draw_uncertainty(scenario, draws=draws, seed=seed)
    problem = _Problem(scenario, base, tuple(dict.fromkeys((event, "attack", UNWANTED))), within)
    chosen, method = problem.chosen(event, most)
    low, high = problem.solved(chosen)
    return Decision(
        uncertainty=base,
        options=problem.options,
        policies=tuple(chosen),
        low=low,
        high=high,
        cost=np.stack([problem.cost_of(policy) for policy in chosen]),
        unit=problem.unit,
        budget=problem.budget,
        event=event,
        level=level,
        harm=harm,
        method=method,
    )


def _check(scenario: Scenario, event: str, level: float, within: float | None, harm: float | None, most: int) -> None:
    if event not in scenario.events:
        known = ", ".join(scenario.events)
        raise ParameterError(
            f"no event {event!r} in {scenario.name}; it has {known}{did_you_mean(event, scenario.events)}"
        )
    _check_values(level, harm)
    if within is not None and not within >= 0:
        raise ParameterError(f"within is a number of years of at least 0, got {within!r}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise ParameterError(f"most is a whole number of at least 1, got {most!r}")


def _check_values(level: float, harm: float | None) -> None:
    if not 0 < level <= 1:
        raise ParameterError(f"level is a likelihood above 0 and up to 1, got {level!r}")
    if harm is not None and not 0 < harm < np.inf:
        raise ParameterError(f"harm is above 0, in the unit of costs, got {harm!r}")


class _Problem:
    """The options of a scenario at draws, and the games of their sets solved as they are asked for."""

    def __init__(self, scenario: Scenario, base: Uncertainty, events: tuple[str, ...], within: float | None) -> None:
        table = scenario.table
        self.scenario, self.base, self.events = scenario, base, events
        self.names = tuple(table.options)
        self.effects = [effect_of(table, name) for name in self.names]
        index = {name: i for i, name in enumerate(self.names)}
        self.requires = {index[n]: [index[o] for o in one.requires] for n, one in table.options.items()}
        self.excludes = [(index[n], index[o]) for n, one in table.options.items() for o in one.excludes]
        self.confidence = table.budget.confidence if table.budget is not None else 1.0
        units = [one.unit for one in table.options.values() if one.unit]
        self.unit = table.budget.unit if table.budget is not None else units[0] if units else ""
        self.drawn = {number.location: base.inputs[:, i] for i, number in enumerate(base.numbers)}
        self._globals = parameter_values(table, None, self.drawn)
        entries: list[tuple[Location, Entry | None]] = [
            (("options", n, key), getattr(one, key))
            for n, one in table.options.items()
            for key in ("cost", "lead_time")
        ]
        if table.budget is not None:
            entries.append((("budget", "amount"), table.budget.amount))
        values = self._entry_draws([(place, one) for place, one in entries if one is not None])
        nothing = np.zeros(base.draws)
        self.budget = values.get(("budget", "amount"))
        taken = self._taken([trigger(one.when) if one.when else None for one in table.options.values()])
        lead = [values.get(("options", n, "lead_time"), nothing) for n in self.names]
        works = [
            mine & (years <= (np.inf if within is None else within)) for mine, years in zip(taken, lead, strict=True)
        ]
        works = self._with_required(works)
        self.options = tuple(
            Option(
                n,
                _letter(i),
                table.options[n].title or n,
                values.get(("options", n, "cost"), nothing),
                taken[i],
                works[i],
            )
            for i, n in enumerate(self.names)
        )
        self._solved: dict[Policy, tuple[Ends, Ends]] = {(): (dict(base.low), dict(base.high))}
        self._done: dict[Policy, Flags] = {(): np.ones(base.draws, dtype=bool)}
        self._laid: dict[Policy, tuple[Scenario, Mapping[Location, Floats]]] = {}

    def cost_of(self, policy: Policy) -> Floats:
        """Return the cost of a policy at each draw, shape (n,)."""
        total = np.zeros(self.base.draws)
        for i in policy:
            total += np.where(self.options[i].taken, self.options[i].cost, 0.0)
        return total

    def chosen(self, event: str, most: int) -> tuple[list[Policy], str]:
        """Return the policies to solve, and how they were chosen."""
        costs = np.stack([self.cost_of((i,)) for i in range(len(self.options))])
        found = policies(
            len(self.options), requires=self.requires, excludes=self.excludes, costs=costs, budget=self.budget,
            confidence=self.confidence, most=most,
        )  # fmt: skip
        if found is not None:
            return found, "all that can be afforded"
        return self._by_surrogate(event, costs), f"best of a pairwise surrogate, as more than {most:,} can be afforded"

    def solved(self, wanted: Sequence[Policy]) -> tuple[Ends, Ends]:
        """Return the lowest and highest probabilities of the events under policies, by event, shape (P, n)."""
        effective = [self._effective(policy) for policy in wanted]
        needed: dict[Policy, Flags] = {}
        for sets in effective:
            for works, where in sets:
                needed[works] = needed.get(works, False) | where
        self._solve({works: where for works, where in needed.items() if self._unknown(works, where).any()})
        ends: list[Ends] = []
        for k in (0, 1):
            ends.append({})
            for event in self.events:
                table = np.full((len(wanted), self.base.draws), np.nan)
                for p, sets in enumerate(effective):
                    for works, where in sets:
                        table[p, where] = self._solved[works][k][event][where]
                ends[k][event] = table
        return ends[0], ends[1]

    # -- private ------------------------------------------------------------------------------------------------------

    def _effective(self, policy: Policy) -> list[tuple[Policy, Flags]]:
        """Return the sets of options that work under a policy, and where each does."""
        if not policy:
            return [((), np.ones(self.base.draws, dtype=bool))]
        works = np.stack([self.options[i].works for i in policy])
        patterns, place = np.unique(works, axis=1, return_inverse=True)
        return [
            (tuple(i for i, on in zip(policy, pattern, strict=True) if on), place.reshape(-1) == k)
            for k, pattern in enumerate(patterns.T)
        ]

    def _unknown(self, works: Policy, where: Flags) -> Flags:
        """Return at which of some draws a set of options was not solved yet."""
        done = self._done.get(works)
        return where if done is None else np.asarray(where & ~done)

    def _solve(self, needed: Mapping[Policy, Flags]) -> None:
        """Solve sets of options at draws, all sets at some draws together: most share what members would do."""
        step = max(_ROWS // max(len(needed), 1), 16)
        for start in range(0, self.base.draws, step):
            block = np.zeros(self.base.draws, dtype=bool)
            block[start : start + step] = True
            parts = [(works, rows) for works, where in needed.items() if len(rows := np.flatnonzero(where & block))]
            if not parts:
                continue
            games = [self._game(works, rows) for works, rows in parts]
            for some in (range(len(parts)),) if _can_be_joined(games) else [(i,) for i in range(len(parts))]:
                sizes = [len(parts[i][1]) for i in some]
                game = games[some[0]] if len(some) == 1 else joined_games([games[i] for i in some], sizes)
                answer = self.scenario.likelihoods(game, self.events, sum(sizes))
                cuts = np.cumsum(sizes)[:-1]
                for k, table in enumerate((answer.low, answer.high)):
                    for event in self.events:
                        for i, values in zip(some, np.split(table[event], cuts), strict=True):
                            self._keep(parts[i][0], k, event, parts[i][1], values)
        for works, where in needed.items():
            self._done[works] = self._done.get(works, np.zeros_like(where)) | where

    def _keep(self, works: Policy, k: int, event: str, rows: NDArray[np.intp], values: Floats) -> None:
        ends = self._solved.setdefault(works, ({}, {}))
        ends[k].setdefault(event, np.full(self.base.draws, np.nan))[rows] = values

    def _game(self, works: Policy, rows: NDArray[np.intp]) -> CollectiveDefence:
        """Return the game of a set of options at some draws."""
        effects = [self.effects[i] for i in works]
        if works not in self._laid:
            scenario = with_tables(self.scenario, effects)
            self._laid[works] = (
                scenario,
                self.drawn if scenario is self.scenario else _drawn_of(scenario, self.base),
            )
        scenario, drawn = self._laid[works]
        try:
            return policy_game(scenario, effects, {place: values[rows] for place, values in drawn.items()})
        except ParameterError as error:
            together = " + ".join(self.names[i] for i in works)
            raise ParameterError(f"{self.scenario.name} with {together} makes no game at some draws: {error}") from None

    def _taken(self, triggers: Sequence[Trigger | None]) -> list[Flags]:
        """Return where each option is taken: its trigger holds, and so do those of the options that it requires."""
        quantities = dict.fromkeys(name for one in triggers if one is not None for name in one.quantities)
        values = self._quantities(tuple(quantities))
        always = np.ones(self.base.draws, dtype=bool)
        return self._with_required([always if one is None else one.holds(values) for one in triggers])

    def _with_required(self, flags: Sequence[Flags]) -> list[Flags]:
        found = list(flags)
        for _ in found:  # as often as a chain of requirements may be long
            found = [
                np.logical_and.reduce([mine, *(found[j] for j in self.requires.get(i, ()))])
                for i, mine in enumerate(found)
            ]
        return found

    def _quantities(self, names: Sequence[str]) -> dict[str, Floats]:
        """Return the values of quantities without any option, each of shape (n,)."""
        if not names:
            return {}
        game = build(self.scenario.table, drawn=self.drawn)
        found: dict[str, Floats] = {}
        for name in names:
            if name in self.base.low:
                value: Any = (self.base.low[name] + self.base.high[name]) / 2
            elif name in self._globals:
                value = self._globals[name]
            elif name.startswith((PERCEIVED, TRUE)):
                kinds = [attack.name for attack in game.attacks]
                kind = name.partition(" against ")[2] or kinds[-1]
                if name.startswith(PERCEIVED):
                    value = np.mean(game.perceived_defence(), axis=0)[..., kinds.index(kind)]
                else:
                    value = np.mean(game.held_range(kind), axis=0)
            else:
                value = value_at(game, name)
            found[name] = np.broadcast_to(np.asarray(value, dtype=np.float64), (self.base.draws,))
        return found

    def _entry_draws(self, some: Sequence[tuple[Location, Entry]]) -> dict[Location, Floats]:
        """Return the values of numbers that are none of the game, each of shape (n,)."""
        own = parameter_values(self.scenario.table)
        uncertain: list[UncertainNumber] = []
        found = {}
        for place, entry in some:
            value = evaluate(entry.value, self._globals) if isinstance(entry.value, str) else entry.value
            found[place] = np.broadcast_to(np.asarray(value, dtype=np.float64), (self.base.draws,)).copy()
            if entry.uncertain:
                point = evaluate(entry.value, own) if isinstance(entry.value, str) else entry.value
                uncertain.append(uncertain_number(place, entry, ".".join(map(str, place)), float(point)))
        if uncertain:
            points = latin_hypercube(len(uncertain), self.base.draws, _another(self.base.seed))
            for i, number in enumerate(uncertain):
                place = number.location
                drawn = number.at(points[:, i])
                found[place] = np.maximum(found[place] + drawn if number.derived else drawn, 0.0)
        return found

    # -- too many policies --------------------------------------------------------------------------------------------

    def _by_surrogate(self, event: str, costs: Floats) -> list[Policy]:
        """Return the policies that do best by single effects and pairwise interactions, and the singles themselves."""
        count = len(self.options)
        singles = [self._closed((i,)) for i in range(count)]
        pairs = {(i, j): self._closed((i, j)) for i, j in itertools.combinations(range(count), 2)}
        fit = [p for p in dict.fromkeys((*singles, *pairs.values())) if self._is_policy(p)]
        low, high = self.solved([(), *fit])
        chance = np.nanmean((low[event] + high[event]) / 2, axis=1)
        gain = {policy: float(chance[0] - x) for policy, x in zip([(), *fit], chance, strict=True)}
        linear = np.array([gain.get(policy, 0.0) for policy in singles])
        together = {
            (i, j): gain[policy] - linear[i] - linear[j]
            for (i, j), policy in pairs.items()
            if policy == (i, j) and policy in gain
        }
        mean = costs.mean(axis=1)
        top = float(np.mean(self.budget)) if self.budget is not None else float(mean.sum())
        found: list[Policy] = [(), *(p for p in dict.fromkeys(singles) if self._is_policy(p))]
        for share in np.linspace(1, _LEVELS, _LEVELS) / _LEVELS:
            found += self._best_by_surrogate(linear, together, mean, share * top)
        return sorted(dict.fromkeys(found), key=lambda policy: (len(policy), policy))

    def _best_by_surrogate(
        self, linear: Floats, together: Mapping[tuple[int, int], float], mean: Floats, budget: float
    ) -> list[Policy]:
        from scipy.optimize import Bounds, LinearConstraint, milp

        count, pairs = len(linear), list(together)
        size = count + len(pairs)
        rows: list[Floats] = []
        low: list[float] = []
        high: list[float] = []

        def keep(coefficients: Mapping[int, float], least: float, largest: float) -> None:
            row = np.zeros(size)
            row[list(coefficients)] = list(coefficients.values())
            rows.append(row)
            low.append(least)
            high.append(largest)

        keep(dict(enumerate(mean)), -np.inf, budget)
        for i, needed in self.requires.items():
            for j in needed:
                keep({i: 1.0, j: -1.0}, -np.inf, 0.0)
        for i, j in self.excludes:
            keep({i: 1.0, j: 1.0}, -np.inf, 1.0)
        for k, (i, j) in enumerate(pairs):  # the product of two choices
            keep({count + k: 1.0, i: -1.0}, -np.inf, 0.0)
            keep({count + k: 1.0, j: -1.0}, -np.inf, 0.0)
            keep({count + k: -1.0, i: 1.0, j: 1.0}, -np.inf, 1.0)
        gains = np.concatenate([linear, [together[pair] for pair in pairs]])
        kind = np.concatenate([np.ones(count), np.zeros(len(pairs))])
        found: list[Policy] = []
        while len(found) < _KEPT:
            best = milp(
                -gains,
                integrality=kind,
                bounds=Bounds(np.zeros(size), np.ones(size)),
                constraints=LinearConstraint(np.array(rows), np.array(low), np.array(high)),
            )
            if best.x is None:
                break
            on = best.x[:count] > 0.5
            policy = tuple(int(i) for i in np.flatnonzero(on))
            if self._is_policy(policy):
                found.append(policy)
            keep({i: 1.0 if on[i] else -1.0 for i in range(count)}, -np.inf, float(on.sum()) - 1)  # another one next
            if len(rows) > 1000 + 4 * size:
                break
        return found

    def _closed(self, policy: Policy) -> Policy:
        """Return a policy with all that its options require."""
        found = set(policy)
        for _ in range(len(self.options)):
            found |= {j for i in found for j in self.requires.get(i, ())}
        return tuple(sorted(found))

    def _is_policy(self, policy: Policy) -> bool:
        apart = any(i in policy and j in policy for i, j in self.excludes)
        whole = self._closed(policy) == policy
        return whole and not apart and affordable(self.cost_of(policy), self.budget, self.confidence)


def _can_be_joined(games: Sequence[CollectiveDefence]) -> bool:
    """Return whether games can be solved in one batch: what members perceive, and beliefs about beliefs, cannot."""
    names = [game.names for game in games]
    return all(
        game.posture is None
        and game.names == names[0]
        and [a.name for a in game.attacks] == [a.name for a in games[0].attacks]
        and all(player not in game.names and BELIEVES not in overlay for player, overlay in game.perception.items())
        for game in games
    )


def _drawn_of(scenario: Scenario, base: Uncertainty) -> dict[Location, Floats]:
    """Return the draws of a scenario with other tables: at the same quantiles, where both have a number."""
    column = {number.name: i for i, number in enumerate(base.numbers)}
    numbers = uncertain_numbers(scenario)
    fresh = [number for number in numbers if number.name not in column]
    points = latin_hypercube(max(len(fresh), 1), base.draws, _another(_another(base.seed)))
    drawn = {}
    for number in numbers:
        if number.name in column:
            level = base.levels[:, column[number.name]]
        else:
            level = points[:, fresh.index(number)]
        drawn[number.location] = number.at(level)
    return drawn


def _another(seed: int) -> int:
    """Return a seed for further numbers, so that those of the scenario itself are drawn as without options."""
    return (seed + 2) % 2**20


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else f"{chr(ord('A') + i // 26 - 1)}{chr(ord('A') + i % 26)}"


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool | np.bool_):
        return bool(value) if isinstance(value, np.bool_) else value
    return float(value) if np.isfinite(value) else None


__all__ = ["Decision", "Effect", "Option", "decide"]

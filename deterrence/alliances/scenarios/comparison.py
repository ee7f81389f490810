r"""Two scenarios compared: how much each group of parameters adds to the change of the likelihood of attack.

A coalition S of groups has its values from the scenario after, the rest from the one before; f(S) is the likelihood
of attack. The contribution of group g is its Shapley value

.. math:: \phi_g = \sum_{S \not\ni g} \frac{|S|!\,(G - |S| - 1)!}{G!}\,\bigl(f(S \cup g) - f(S)\bigr),

the mean of what the change of g does over all orders in which the groups may change. All 2^G coalitions are solved,
so the values are exact and sum to the whole change.

References
----------
.. [1] L. Shapley, "A Value for n-Person Games", in Contributions to the Theory of Games II (1953), 307-317.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.members import Member
from deterrence.alliances.scenarios.building import BuildError, build
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.rendering import Table
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import MemberTable, ScenarioTable
from deterrence.alliances.scenarios.uncertainty import Difference, draw_difference
from deterrence.games.errors import ScenarioError
from deterrence.games.values import Value

_OF_MEMBERS = numbers_declared(Member)
_PARTS = {"cost": "resolve", "support": "forces"}  # what a member holds beside numbers


def _held(group: str) -> tuple[str, ...]:
    """Return what a group holds of a member."""
    numbers = (key for key, said in _OF_MEMBERS.items() if said.group == group)
    return (*numbers, *(key for key, of in _PARTS.items() if of == group))


GROUPS = {  # name, and what the group holds of a member
    "membership": (),
    "forces": _held("forces"),
    "resolve": _held("resolve"),
    "treaty and recognition": _held("treaty and recognition"),
    "aggressor and attacks": (),
    "posture": (),
    "perception": (),
    "named parameters": (),
    "changes": (),
}
_DEFENCE = {"base": "forces", "decay": "forces", "decisiveness": "aggressor and attacks", "tripwire": "resolve"}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one group of parameters adds.

    Attributes
    ----------
    group : str
    shapley : float
        Its Shapley value, in probability of attack.
    alone, last : float
        Change of the likelihood if the group changes first, and if it changes last.
    """

    group: str
    shapley: float
    alone: float
    last: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Value):
    """The change of the likelihood of attack between two scenarios, by group of parameters.

    Attributes
    ----------
    before, after : str
        Names of the scenarios.
    likelihood_before, likelihood_after : float
        The middle of the range over equilibria.
    contributions : tuple of Contribution
        Of the groups that differ, largest first; their Shapley values sum to the change.
    difference : Difference or None
        The change over common draws of the uncertain numbers, if draws were asked for.
    """

    before: str
    after: str
    likelihood_before: float
    likelihood_after: float
    contributions: tuple[Contribution, ...]
    difference: Difference | None = None

    @property
    def change(self) -> float:
        """Likelihood after less before."""
        return self.likelihood_after - self.likelihood_before

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "likelihood_before": self.likelihood_before,
            "likelihood_after": self.likelihood_after,
            "difference": None if self.difference is None else self.difference.to_dict(),
            "contributions": [
                {"group": c.group, "shapley": c.shapley, "alone": c.alone, "last": c.last} for c in self.contributions
            ],
        }

    def to_markdown(self) -> str:
        """Return the comparison as a Markdown table."""
        return self._table().markdown() + "\n"

    def _repr_html_(self) -> str:
        return self._table().html()

    def __str__(self) -> str:
        text = self._table().text()
        return text if self.difference is None else f"{self.difference}\n\n{text}"

    def _table(self) -> Table:
        points = [
            (c.group, f"{100 * c.shapley:+.1f}", f"{100 * c.alone:+.1f}", f"{100 * c.last:+.1f}")
            for c in self.contributions
        ]
        first, last = (self.before, self.after) if self.before != self.after else ("before", "after")
        rows = (
            (first, f"{100 * self.likelihood_before:.1f}", "", ""),
            *points,
            (last, f"{100 * self.likelihood_after:.1f}", "", ""),
        )
        return Table("", ("likelihood of attack, points", "contribution", "alone", "last"), rows)


def compare_scenarios(
    before: Scenario | str,
    after: Scenario | str,
    *,
    draws: int | None = None,
    seed: int = 0,
    event: str = "attack",
) -> Comparison:
    """Return how the likelihood of attack changes from one scenario to another, by group of parameters.

    Parameters
    ----------
    before, after : Scenario or str
        Scenarios, or names or paths of them. Members that only one of them has keep its values. Where a mixture
        has a posture stage, its likelihood of attack is that of the posture game: the middle of the range over the
        perfect Bayesian equilibria.
    draws : int, optional
        Draws of the uncertain numbers, common to both, for ``difference``.
    seed : int
        Of the draws.
    event : str
        What ``difference`` is of.

    Raises
    ------
    ScenarioError
        If a mixture of the two makes no game (say, a rule that names a member whom the other does not have).

    Examples
    --------
    >>> import deterrence as dt
    >>> dt.compare_scenarios("textbook", "textbook").change
    0.0
    """
    first, second = (one if isinstance(one, Scenario) else Scenario.load(one) for one in (before, after))
    groups = [g for g in GROUPS if _mixture(first.table, second.table, {g}) != first.table.model_copy(update=_PLAIN)]
    values: dict[frozenset[str], float] = {}
    for count in range(len(groups) + 1):
        for some in itertools.combinations(groups, count):
            values[frozenset(some)] = _likelihood(
                _mixture(first.table, second.table, set(some)), first.name, second.name
            )
    everything = frozenset(groups)
    start, end = values[frozenset()], values[everything]
    contributions = [
        Contribution(
            g,
            _shapley(g, groups, values),
            values[frozenset({g})] - start,
            end - values[everything - {g}],
        )
        for g in groups
    ]
    contributions.sort(key=lambda c: -abs(c.shapley))
    drawn = None if draws is None else draw_difference(first, second, event=event, draws=draws, seed=seed)
    return Comparison(first.name, second.name, start, end, tuple(contributions), drawn)


def _shapley(group: str, groups: list[str], values: Mapping[frozenset[str], float]) -> float:
    rest = [g for g in groups if g != group]
    total = 0.0
    for count in range(len(rest) + 1):
        weight = 1 / (len(groups) * math.comb(len(rest), count))
        for some in itertools.combinations(rest, count):
            total += weight * (values[frozenset({*some, group})] - values[frozenset(some)])
    return total


_PLAIN: dict[str, Any] = {
    "name": "mixture",
    "title": "",
    "description": "",
    "shows": "",
    "does_not_show": "",
    "sources": {},
    "variants": {},
    "options": {},
    "budget": None,
}


def _mixture(before: ScenarioTable, after: ScenarioTable, new: set[str]) -> ScenarioTable:
    """Return the scenario before, with some groups as after."""

    def of(group: str) -> ScenarioTable:
        return after if group in new else before

    defence = before.defence.model_copy(
        update={key: getattr(of(group).defence, key) for key, group in _DEFENCE.items()}
    )
    parameters = of("named parameters").parameters
    spare = {**before.parameters, **after.parameters}
    attacks = of("aggressor and attacks").attacks
    forces, resolve = of("forces"), of("resolve")
    return before.model_copy(
        update={
            **_PLAIN,
            "parameters": {**spare, **parameters},
            "defence": defence,
            "treaty": of("treaty and recognition").treaty,
            "automation": of("treaty and recognition").automation,
            "aggressor": of("aggressor and attacks").aggressor,
            "attacks": attacks,
            "members": [
                _member(m.name, before, after, new, [a.name for a in attacks]) for m in of("membership").members
            ],
            "support": {**before.support, **after.support, **forces.support},
            "shock": resolve.shock,
            "target": resolve.target,
            "posture": of("posture").posture,
            "perception": of("perception").perception,
            "changes": of("changes").changes,
        }
    )


def _member(name: str, before: ScenarioTable, after: ScenarioTable, new: set[str], attacks: list[str]) -> MemberTable:
    known = {id(table): {m.name: m for m in table.members}.get(name) for table in (before, after)}
    old, fresh = known[id(before)], known[id(after)]
    either = old or fresh
    if either is None:  # the name comes from one of the two
        raise ScenarioError(f"no member {name!r}", problems=())
    update: dict[str, Any] = {}
    for group, keys in GROUPS.items():
        chosen = (fresh if group in new else old) or either
        update |= {key: getattr(chosen, key) for key in keys}
    for key in (key for key, said in _OF_MEMBERS.items() if said.by_attack):
        update[key] = _by_attack(key, update[key], old, fresh, attacks)
    return either.model_copy(update=update)


def _by_attack(key: str, chosen: Any, old: MemberTable | None, fresh: MemberTable | None, attacks: list[str]) -> Any:
    """Return probabilities for the attacks that there are, from whoever knows of them."""
    if isinstance(chosen, Entry):
        return chosen
    spare: dict[str, Entry] = {}
    for one in (old, fresh):
        if one is not None:
            given: Any = getattr(one, key)
            spare.update(given if isinstance(given, Mapping) else dict.fromkeys(attacks, given))
    return {attack: {**spare, **chosen}[attack] for attack in attacks if attack in spare or attack in chosen}


def _likelihood(table: ScenarioTable, before: str, after: str) -> float:
    try:
        game = build(table)
    except BuildError as error:
        raise ScenarioError(
            f"{before} and {after} cannot be compared: a mixture of them makes no game: {error}",
            problems=tuple(message for _, message in error.problems),
        ) from None
    quick = game.at(base=np.array([float(game.base)]))  # a batch of one: no proof of completeness is needed here
    probabilities = quick.attack_probabilities()
    if not quick.converged.all():
        probabilities = game.attack_probabilities()
    return float(np.mean([np.asarray(end).reshape(-1)[0] for end in probabilities.likelihood]))


__all__ = ["Comparison", "Contribution", "compare_scenarios"]

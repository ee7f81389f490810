r"""Two scenarios compared: how much each part of what changed adds to the change of the likelihood of attack.

The parts of a change are the groups of parameters that differ; of a variant beside its scenario, what the variant
changes, path by path. A coalition S of parts has its values from the scenario after, the rest from the one before; f(S)
is the likelihood of attack. The contribution of part g is its Shapley value

.. math:: \phi_g = \sum_{S \not\ni g} \frac{|S|!\,(G - |S| - 1)!}{G!}\,\bigl(f(S \cup g) - f(S)\bigr),

the mean of what the change of g does over all orders in which the G parts may change. All 2^G coalitions are solved, so
the values are exact and sum to the whole change; over draws, at every draw.

Where a mixture makes no game (a rule that names a member whom the other does not have), members, treaty, attacks,
aggressor and perception change together; where that makes none either, everything is one part.

References
----------
.. [1] L. Shapley, "A Value for n-Person Games", in Contributions to the Theory of Games II (1953), 307-317.
"""

from __future__ import annotations

import itertools
import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray

from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.members import Member
from deterrence.alliances.scenarios.building import BuildError, build
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.rendering import Table
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.schema import MemberTable, ScenarioTable, present_names
from deterrence.alliances.scenarios.uncertainty import Difference, draw_differences, draw_in_common
from deterrence.alliances.scenarios.variants import variant_data
from deterrence.games.errors import GameError, ParameterError, ScenarioError
from deterrence.games.paths import split_path
from deterrence.games.values import Value

Floats = NDArray[np.float64]

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
_STRUCTURE = ("membership", "treaty and recognition", "aggressor and attacks", "perception", "posture")
_MOST_PARTS = 5  # of a variant's changes
_DEFENCE = {"base": "forces", "decay": "forces", "decisiveness": "aggressor and attacks", "tripwire": "resolve"}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one part of a change adds.

    Attributes
    ----------
    group : str
        A group of parameters, or what a variant changes.
    shapley : float
        Its Shapley value, in probability of attack.
    alone, last : float
        Change of the likelihood if the part changes first, and if it changes last.
    over_draws : ndarray, shape (n,), or None
        Its Shapley value at each draw, if that was asked for; NaN where some coalition was not solved.
    """

    group: str
    shapley: float
    alone: float
    last: float
    over_draws: Floats | None = field(default=None, repr=False, compare=False)

    def interval(self, mass: float = 0.5) -> tuple[float, float] | None:
        """Return the central interval of the Shapley value over the draws, None without draws."""
        if self.over_draws is None:
            return None
        low, high = np.nanquantile(self.over_draws, [(1 - mass) / 2, (1 + mass) / 2])
        return float(low), float(high)


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
    differences : mapping of str to Difference
        The same of every event that both scenarios have.
    """

    before: str
    after: str
    likelihood_before: float
    likelihood_after: float
    contributions: tuple[Contribution, ...]
    difference: Difference | None = None
    differences: Mapping[str, Difference] = field(default_factory=dict, repr=False)

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
            "differences": {event: one.to_dict() for event, one in self.differences.items()},
            "contributions": [
                {
                    "group": c.group,
                    "shapley": c.shapley,
                    "alone": c.alone,
                    "last": c.last,
                    "middle_half": None if c.over_draws is None else list(c.interval() or ()),
                }
                for c in self.contributions
            ],
        }

    def to_markdown(self) -> str:
        """Return the comparison as a Markdown table."""
        return self._table().markdown() + "\n"

    def _repr_html_(self) -> str:
        return self._table().html()

    def __str__(self) -> str:
        blocks = [self._table().text()]
        if self.difference is not None:
            blocks = [str(self.difference), *blocks]
        if len(self.differences) > 1:
            blocks.append(self._event_table().text())
        return "\n\n".join(blocks)

    def _event_table(self) -> Table:
        rows = []
        for event, one in self.differences.items():
            low, high = one.interval(0.5)
            shares = (f"{100 * share:.0f} %" for share in (one.share_higher, one.share_lower))
            rows.append((event, *shares, f"{100 * low:+.1f} to {100 * high:+.1f}"))
        return Table("", ("over the draws", "likelier in", "less likely in", "middle half, points"), tuple(rows))

    def _table(self) -> Table:
        points = [
            (c.group, f"{100 * c.shapley:+.1f}", f"{100 * c.alone:+.1f}", f"{100 * c.last:+.1f}", *_half(c))
            for c in self.contributions
        ]
        drawn = ("",) if any(c.over_draws is not None for c in self.contributions) else ()
        first, last = (self.before, self.after) if self.before != self.after else ("before", "after")
        rows = (
            (first, f"{100 * self.likelihood_before:.1f}", "", "", *drawn),
            *points,
            (last, f"{100 * self.likelihood_after:.1f}", "", "", *drawn),
        )
        head = ("likelihood of attack, points", "contribution", "alone", "last", *("over draws" for _ in drawn))
        return Table("", head, rows)


def _half(contribution: Contribution) -> tuple[str, ...]:
    half = contribution.interval()
    return () if half is None else (f"{100 * half[0]:+.1f} to {100 * half[1]:+.1f}",)


def compare_scenarios(
    before: Scenario | str,
    after: Scenario | str,
    *,
    draws: int | None = None,
    seed: int = 0,
    event: str = "attack",
    explain: bool = False,
) -> Comparison:
    """Return how the likelihood of attack changes from one scenario to another, and which part of what changed did it.

    Parameters
    ----------
    before, after : Scenario or str
        Scenarios, or names or paths of them; any two. Members that only one of them has keep its values. Where a
        mixture has a posture stage, its likelihood of attack is that of the posture game: the middle of the range over
        the perfect Bayesian equilibria.
    draws : int, optional
        Draws of the uncertain numbers, common to both, for ``difference``.
    seed : int
        Of the draws.
    event : str
        What ``difference`` is of: an event that both have.
    explain : bool
        Whether contributions to the change of ``event`` are computed at every draw, too: 2^G solutions of each draw.

    Raises
    ------
    GameError
        If one of them has no such event.
    ParameterError
        If draws are to be explained, and there are none.

    Examples
    --------
    >>> import deterrence as dt
    >>> dt.compare_scenarios("textbook", "textbook").change
    0.0
    """
    if explain and draws is None:
        raise ParameterError("explain=True is of draws; say how many, as in draws=1000")
    first, second = (one if isinstance(one, Scenario) else Scenario.load(one) for one in (before, after))
    mixtures, values = _coalitions(first, second)
    drawn = {} if draws is None else _drawn_differences(first, second, event, draws, seed)
    at_draws: dict[frozenset[str], Floats] = {}
    if explain and draws is not None:
        solved = draw_in_common(list(mixtures.values()), events=(event,), draws=draws, seed=seed)
        at_draws = {some: (low[event] + high[event]) / 2 for some, (low, high) in zip(mixtures, solved, strict=True)}
    everything = max(values, key=len)
    start, end = values[frozenset()], values[everything]
    contributions = [
        Contribution(
            part,
            float(_shapley(part, everything, values)),
            values[frozenset({part})] - start,
            end - values[everything - {part}],
            np.asarray(_shapley(part, everything, at_draws)) if at_draws else None,
        )
        for part in sorted(everything)
    ]
    contributions.sort(key=lambda c: -abs(c.shapley))
    return Comparison(first.name, second.name, start, end, tuple(contributions), drawn.get(event), drawn)


def _drawn_differences(first: Scenario, second: Scenario, event: str, draws: int, seed: int) -> dict[str, Difference]:
    """Return the changes of all events in common; the one that is asked for must be among them."""
    common = [one for one in first.events if one in second.events]
    return draw_differences(first, second, events=tuple(dict.fromkeys((event, *common))), draws=draws, seed=seed)


def _coalitions(
    first: Scenario, second: Scenario
) -> tuple[dict[frozenset[str], Scenario], dict[frozenset[str], float]]:
    """Return the scenario of every coalition of parts of the change, and its likelihood of attack."""
    for parts, mixture in _partitions(first, second):
        try:
            mixtures = {
                frozenset(some): mixture(frozenset(some))
                for count in range(len(parts) + 1)
                for some in itertools.combinations(parts, count)
            }
            return mixtures, {some: _likelihood(one.table) for some, one in mixtures.items()}
        except (BuildError, GameError, ParameterError, ScenarioError):
            continue  # some mixture makes no game
    raise ScenarioError(f"{first.name} and {second.name} make no game", problems=())


Mixture = Callable[[frozenset[str]], Scenario]


def _partitions(first: Scenario, second: Scenario) -> Iterator[tuple[list[str], Mixture]]:
    """Yield the ways to cut a change into parts, the finest first, each with the scenario of a coalition."""
    name = _variant_name(first, second)
    if name:
        yield _parts_of_variant(first, name)
    differ = [g for g in GROUPS if _mixture(first.table, second.table, {g}) != first.table.model_copy(update=_PLAIN)]
    together = [g for g in differ if g in _STRUCTURE]
    for some in (
        {g: {g} for g in differ},
        {
            **({" and ".join(together): set(together)} if together else {}),
            **{g: {g} for g in differ if g not in together},
        },
        {"everything": set(GROUPS)} if differ else {},
    ):
        yield list(some), partial(_mixed, first, second, some)


def _mixed(first: Scenario, second: Scenario, parts: Mapping[str, set[str]], chosen: frozenset[str]) -> Scenario:
    """Return the scenario in which some parts are as after, the others as before."""
    if len(chosen) == len(parts):
        return second if parts else first
    new = {group for part in chosen for group in parts[part]}
    table = _mixture(first.table, second.table, new) if new else first.table
    return Scenario(table, f"{first.where}, with {', '.join(sorted(new)) or 'nothing'} of {second.where}", "")


def _variant_name(first: Scenario, second: Scenario) -> str:
    """Return the name of the variant of one scenario that the other is, or an empty text."""
    name = second.name.removeprefix(f"{first.name}.")
    return name if name in first.variants and first.variant(name).text == second.text else ""


def _parts_of_variant(first: Scenario, name: str) -> tuple[list[str], Mixture]:
    """Return what a variant changes, part by part, and the scenario with some of it."""
    table = first.table.variants[name]
    parts: dict[str, list[tuple[str, str]]] = {}
    for steps in (None, 2, 1, 0):  # path by path; if they are too many, by their first steps
        parts = {}
        for path in table.changes:
            label = path if steps is None else ".".join(split_path(path)[:steps]) or "changes"
            parts.setdefault(label, []).append(("changes", path))
        if len(parts) <= _MOST_PARTS:
            break
    for player in table.perception:
        parts[f"what {player} perceives"] = [("perception", player)]
    for key in table.tables:
        parts[f"[{key}]"] = [("tables", key)]
    data = {key: value for key, value in present_names(tomllib.loads(first.text)).items() if key != "options"}
    data.pop("budget", None)

    def mixture(chosen: frozenset[str]) -> Scenario:
        kept = {pair for part in chosen for pair in parts[part]}
        whole = data["variants"][name]
        some = {
            kind: {key: value for key, value in whole.get(kind, {}).items() if (kind, key) in kept}
            for kind in ("changes", "perception", "tables")
        }
        plain = {**data, "variants": {name: {**whole, **some}}}
        return Scenario.loads(tomli_w.dumps(variant_data(plain, name, first.where)), first.where)

    return list(parts), mixture


def _shapley(part: str, everything: frozenset[str], values: Mapping[frozenset[str], Any]) -> Any:
    """Return the Shapley value of a part, from numbers or arrays by coalition."""
    rest = [one for one in sorted(everything) if one != part]
    total: Any = 0.0
    for count in range(len(rest) + 1):
        weight = 1 / (len(everything) * math.comb(len(rest), count))
        for some in itertools.combinations(rest, count):
            total = total + weight * (values[frozenset({*some, part})] - values[frozenset(some)])
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


def _likelihood(table: ScenarioTable) -> float:
    """Return the middle of the likelihood of attack over equilibria, at a table's own numbers."""
    game = build(table)
    quick = game.at(base=np.array([float(game.base)]))  # a batch of one: no proof of completeness is needed here
    probabilities = quick.attack_probabilities()
    if not quick.converged.all():
        probabilities = game.attack_probabilities()
    return float(np.mean([np.asarray(end).reshape(-1)[0] for end in probabilities.likelihood]))


__all__ = ["Comparison", "Contribution", "compare_scenarios"]

"""From validated tables to the collective-defence game, numbers or arrays of numbers put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deterrence.alliances.collective_defence import (
    Aggressor,
    AllianceType,
    AttackOption,
    Automation,
    CollectiveDefence,
    CommonShock,
    Posture,
    PostureStage,
    ShockState,
    Support,
    Target,
    Treaty,
)
from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.members import Member
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.schema import (
    AggressorTable,
    AutomationTable,
    DistributionTable,
    MemberTable,
    RuleTable,
    ScenarioTable,
    ShockTable,
    StageTable,
    TargetTable,
)
from deterrence.games.distributions import Distribution
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.expressions import ExpressionError, evaluate, names_in
from deterrence.games.paths import apply_change, numbers_of
from deterrence.perception.belief_hierarchy import BELIEVES, split_overlay

Location = tuple[str | int, ...]
Problems = list[tuple[Location, str]]


class BuildError(Exception):
    """The tables make no game; ``problems`` says where and why."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


def build(
    table: ScenarioTable,
    values: Mapping[str, Any] | None = None,
    seen: Mapping[str, Mapping[str, Any]] | None = None,
    drawn: Mapping[Location, Any] | None = None,
) -> CollectiveDefence:
    """Return the game that a scenario describes.

    A player's overlay in ``[perception]`` may name an entry of ``[parameters]`` as well as a path: then every number
    that depends on the entry is seen accordingly.

    Parameters
    ----------
    table : ScenarioTable
    values : mapping of str to float or ndarray, optional
        Other values for entries of ``[parameters]``; arrays make a batch.
    seen : mapping of str to mapping, optional
        By player: further overlay entries, which take the place of the file's.
    drawn : mapping of location to ndarray, optional
        By where a number stands in the file: values in its place; of an expression, what is added to what it comes to.
        ``values`` go before them.

    Raises
    ------
    BuildError
        With every problem found.
    """
    builder = _Builder(table, dict(values or {}), drawn or {})
    players = dict.fromkeys((*table.perception, *(seen or {})))
    overlays = {player: {**table.perception.get(player, {}), **(seen or {}).get(player, {})} for player in players}
    seen_by = {p: _by_path(table, builder.globals, overlay, builder.drawn) for p, overlay in overlays.items()}
    return builder.game(seen_by)


def parameter_values(
    table: ScenarioTable, values: Mapping[str, Any] | None = None, drawn: Mapping[Location, Any] | None = None
) -> dict[str, Any]:
    """Return what every entry of ``[parameters]`` comes to, those that are arithmetic on others among them.

    Parameters
    ----------
    table : ScenarioTable
    values, drawn : mapping, optional
        As in ``build``.
    """
    return _Builder(table, dict(values or {}), drawn or {}).globals


def expression_values(table: ScenarioTable) -> dict[Location, float]:
    """Return what every number that is arithmetic on others comes to, by where it stands in the file."""
    builder = _Builder(table, {}, {})
    builder.game({})
    return builder.expressions


def _by_path(
    table: ScenarioTable, values: Mapping[str, Any], overlay: Mapping[str, Any], drawn: Mapping[Location, Any]
) -> dict[str, Any]:
    """Return an overlay with its entries of ``[parameters]`` spelled out as the paths that they change.

    Under ``"believes"`` an overlay may hold what its player thinks that others see, relative to what it sees itself.
    """
    changes, nested = split_overlay(overlay)
    mine = {name: change for name, change in changes.items() if name in table.parameters}
    paths = {name: change for name, change in changes.items() if name not in table.parameters}
    plain = [name for name, entry in table.parameters.items() if not isinstance(entry.value, str)]
    base = {name: value for name, value in values.items() if name in plain}
    other: dict[str, Any] = {}
    for name, change in mine.items():
        try:
            other[name] = apply_change(change, values[name], name)
        except ParameterError as error:
            raise BuildError([(("perception",), str(error))]) from None
    seen = _Builder(table, {**base, **other}, drawn)
    if mine:
        held = dict(numbers_of(_Builder(table, base, drawn).game({})))
        paths = {**{path: x for path, x in numbers_of(seen.game({})) if not np.array_equal(x, held[path])}, **paths}
    inner = {player: _by_path(table, seen.globals, one, drawn) for player, one in nested.items()}
    return {**paths, BELIEVES: inner} if nested else paths


class _Builder:
    """Evaluates entries, collecting problems instead of stopping at the first."""

    def __init__(self, table: ScenarioTable, values: dict[str, Any], drawn: Mapping[Location, Any]) -> None:
        self.table = table
        self.drawn = drawn
        self.problems: Problems = []
        self.expressions: dict[Location, float] = {}
        self.globals = self._parameters(values)

    def game(self, perception: Mapping[str, Mapping[str, Any]]) -> CollectiveDefence:
        table = self.table
        members = [self._member(m, ("members", i)) for i, m in enumerate(table.members)]
        attacks = [
            self._make(
                AttackOption,
                ("attacks", i),
                name=a.name,
                **self._numbers(a, ("attacks", i), AttackOption),
            )
            for i, a in enumerate(table.attacks)
        ]
        treaty = self._make(
            Treaty,
            ("treaty",),
            rule=_rule(table.treaty.rule),
            **self._numbers(table.treaty, ("treaty",), Treaty),
        )
        aggressor = self._aggressor(table.aggressor)
        numbers = self._numbers(table.defence, ("defence",), CollectiveDefence)
        posture = None if table.posture is None else self._stage(table.posture)
        shock = None if table.shock is None else self._shock(table.shock)
        target = None if table.target is None else self._target(table.target)
        automation = None if table.automation is None else self._automation(table.automation)
        if self.problems:
            raise BuildError(self.problems)
        game = self._make(
            CollectiveDefence,
            (),
            members=tuple(members),
            attacks=tuple(attacks),
            treaty=treaty,
            aggressor=aggressor,
            posture=posture,
            shock=shock,
            target=target,
            automation=automation,
            perception={player: dict(overlay) for player, overlay in perception.items()},
            **numbers,
        )
        if not self.problems and table.changes:
            try:
                game = game.at(**table.changes)
            except (GameError, ParameterError) as error:
                self.problems.append((("changes",), str(error)))
        if self.problems:
            raise BuildError(self.problems)
        result: CollectiveDefence = game
        return result

    def _parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        entries = self.table.parameters
        for name in given:
            if name not in entries:
                self.problems.append((("parameters",), f"no parameter {name!r}; it has {', '.join(entries) or 'none'}"))
        found: dict[str, Any] = {name: value for name, value in given.items() if name in entries}
        for name in entries:
            self._resolve(name, found, ())
        return found

    def _resolve(self, name: str, found: dict[str, Any], above: tuple[str, ...]) -> None:
        if name in found or name not in self.table.parameters:
            return
        place = ("parameters", name)
        if name in above:
            self.problems.append((place, f"is defined by itself: {' -> '.join((*above, name))}"))
            found[name] = float("nan")
            return
        entry = self.table.parameters[name]
        if isinstance(entry.value, str):
            for inner in sorted(names_in(entry.value)):
                self._resolve(inner, found, (*above, name))
        if name not in found:
            found[name] = self._value(entry, place, found)

    def _value(self, entry: Entry, place: Location, values: Mapping[str, Any]) -> Any:
        if not isinstance(entry.value, str):
            return self.drawn.get(place, entry.value)
        try:
            value = evaluate(entry.value, values)
        except ExpressionError as error:
            if not any(np.any(np.isnan(v)) for v in values.values()):
                self.problems.append((place, str(error)))
            return float("nan")
        wrong = entry.problem(value)
        if wrong:
            self.problems.append((place, f"{wrong} from {entry.value!r}"))
        if np.ndim(value) == 0:
            self.expressions[place] = float(value)
        if place in self.drawn:
            lowest = np.nextafter(entry.low, np.inf) if entry.strict else entry.low
            return np.clip(value + self.drawn[place], lowest, entry.high)
        return value if np.ndim(value) else float(value)

    def _numbers(self, table: Any, place: Location, record: type) -> dict[str, Any]:
        """Return the numbers that a record declares; an expression may use those of the table and [parameters]."""
        declared = numbers_declared(record)
        entries: dict[str, Entry] = {key: getattr(table, key) for key, said in declared.items() if not said.by_attack}
        own = {
            key: self._value(entry, (*place, key), {})
            for key, entry in entries.items()
            if not isinstance(entry.value, str)
        }
        scope = {**self.globals, **own}
        return {key: self._value(entry, (*place, key), scope) for key, entry in entries.items()}

    def _member(self, table: MemberTable, place: Location) -> Member | None:
        numbers = self._numbers(table, place, Member)
        scope = {**self.globals, **numbers}
        by_attack = [key for key, said in numbers_declared(Member).items() if said.by_attack]
        chances = {key: self._by_attack(getattr(table, key), (*place, key), scope) for key in by_attack}
        cost = self._distribution(table.cost, (*place, "cost"), scope)
        member: Member | None = self._make(
            Member,
            place,
            name=table.name,
            cost=cost,
            support=self._support(table.support, place),
            **chances,
            **numbers,
        )
        return member

    def _by_attack(self, entry: Any, place: Location, scope: Mapping[str, Any]) -> Any:
        """Return a probability, or one for each kind of attack."""
        if not isinstance(entry, Mapping):
            return self._value(entry, place, scope)
        kinds = [a.name for a in self.table.attacks]
        for name in kinds:
            if name not in entry:
                self.problems.append((place, f"expected a probability for attack {name!r}"))
        for name in entry:
            if name not in kinds:
                hint = did_you_mean(name, kinds)
                self.problems.append(((*place, name), f"{name!r} is no attack of this scenario{hint}"))
        return {attack: self._value(one, (*place, attack), scope) for attack, one in entry.items()}

    def _support(self, kind: str, place: Location) -> Support | None:
        tables = self.table.support
        if kind in tables:
            numbers = self._numbers(tables[kind], ("support", kind), Support)
            found: Support | None = self._make(Support, ("support", kind), kind=kind, **numbers)
            return found
        if kind == "military":
            return Support()
        known = ", ".join(dict.fromkeys(("military", *tables)))
        self.problems.append(((*place, "support"), f"{kind!r} is no kind of support; known are {known}"))
        return None

    def _distribution(self, table: DistributionTable, place: Location, scope: Mapping[str, Any]) -> Distribution | None:
        found: Distribution | None = self._make(
            Distribution,
            place,
            family=table.family,
            location=self._value(table.location, (*place, "location"), scope),
            scale=self._value(table.scale, (*place, "scale"), scope),
            shape={key: self._value(entry, (*place, "shape", key), scope) for key, entry in table.shape.items()},
        )
        return found

    def _aggressor(self, table: AggressorTable) -> Aggressor | None:
        place = ("aggressor",)
        numbers = self._numbers(table, place, Aggressor)
        prize = self._distribution(table.prize, (*place, "prize"), self.globals)
        found: Aggressor | None = self._make(Aggressor, place, name=table.name, prize=prize, **numbers)
        return found

    def _target(self, table: TargetTable) -> Target | None:
        place = ("target",)
        cost = self._distribution(table.cost, (*place, "cost"), self.globals)
        found: Target | None = self._make(
            Target, place, name=table.name, cost=cost, **self._numbers(table, place, Target)
        )
        return found

    def _automation(self, table: AutomationTable) -> Automation | None:
        place = ("automation",)
        kinds = [a.name for a in self.table.attacks]
        if table.attack and table.attack not in kinds:
            hint = did_you_mean(table.attack, kinds)
            known = ", ".join(kinds)
            self.problems.append(((*place, "attack"), f"{table.attack!r} is no attack; expected one of {known}{hint}"))
        numbers = self._numbers(table, place, Automation)
        found: Automation | None = self._make(Automation, place, attack=table.attack, **numbers)
        return found

    def _shock(self, table: ShockTable) -> CommonShock | None:
        states = tuple(
            self._make(
                ShockState,
                ("shock", "states", i),
                name=state.name,
                changes=dict(state.changes),
                **self._numbers(state, ("shock", "states", i), ShockState),
            )
            for i, state in enumerate(table.states)
        )
        self._sum_to_one(states, ("shock", "states"))
        numbers = self._numbers(table, ("shock",), CommonShock)
        if table.nodes is not None:
            numbers["nodes"] = table.nodes
        found: CommonShock | None = self._make(CommonShock, ("shock",), states=states, **numbers)
        return found

    def _stage(self, table: StageTable) -> PostureStage | None:
        types = tuple(
            self._make(
                AllianceType,
                ("posture", "types", i),
                name=t.name,
                changes=dict(t.changes),
                **self._numbers(t, ("posture", "types", i), AllianceType),
            )
            for i, t in enumerate(table.types)
        )
        self._sum_to_one(types, ("posture", "types"))
        postures = tuple(self._posture(p, ("posture", "postures", i)) for i, p in enumerate(table.postures))
        found: PostureStage | None = self._make(
            PostureStage, ("posture",), types=types, postures=postures, sender=table.sender, quantiles=table.quantiles
        )
        return found

    def _sum_to_one(self, records: Sequence[Any], place: Location) -> None:
        """Note it if the probabilities of states or types, where there are any, do not sum to one."""
        known = [one for one in records if one is not None]
        if not known or len(known) < len(records):
            return
        total = np.asarray(sum(np.asarray(one.probability, dtype=np.float64) for one in known))
        if np.any(np.abs(total - 1) > 1e-9):
            given = ", ".join(f"{one.name} {np.max(one.probability):g}" for one in known)
            wrong = total.ravel()[np.argmax(np.abs(total - 1))]
            self.problems.append(
                (place, f"expected probabilities that sum to 1, got {wrong:g} ({given}); change one, or name the rest")
            )

    def _posture(self, table: Any, place: Location) -> Posture | None:
        forward = {name: self._value(e, (*place, "forward", name), self.globals) for name, e in table.forward.items()}
        found: Posture | None = self._make(
            Posture,
            place,
            name=table.name,
            forward=forward,
            tied=tuple(table.tied),
            changes=dict(table.changes),
            **self._numbers(table, place, Posture),
        )
        return found

    def _make(self, kind: Any, place: Location, /, **fields: Any) -> Any:
        """Return a record, or None after noting why it cannot be made."""
        if (
            any(value is None for value in fields.values() if not isinstance(value, tuple))
            and kind is not CollectiveDefence
        ):
            return None
        try:
            return kind(**fields)
        except (GameError, ParameterError) as error:
            if not _mentions_nan(fields):
                self.problems.append((place, str(error)))
            return None


def _mentions_nan(fields: Mapping[str, Any]) -> bool:
    return any(isinstance(v, float) and v != v for v in fields.values())


def _rule(rule: str | RuleTable) -> Any:
    if isinstance(rule, str):
        return rule
    return {key: value for key, value in rule.model_dump().items() if value is not None}

"""The game under a policy: what its options change, on top of what is drawn.

A number that is *set* has that value whatever was drawn. One that is changed (``"+0.5"``, ``"*0.8"``) is changed from
what was drawn, after all that is set, in the order of the file, and is kept within the bounds that its declaration
gives: a probability of 0.9 that is raised by 0.2 becomes 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w
from numpy.typing import NDArray

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.declarations import Number, numbers_declared
from deterrence.alliances.scenarios.building import BuildError, build, parameter_values
from deterrence.alliances.scenarios.options import trigger
from deterrence.alliances.scenarios.schema import ScenarioTable, present_names
from deterrence.alliances.scenarios.variants import laid_over
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.paths import apply_change, numbers_of, split_path, value_at

if TYPE_CHECKING:
    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Location = tuple[str | int, ...]

PERCEIVED, TRUE = "perceived resolve", "true resolve"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an option does to a scenario.

    Attributes
    ----------
    changes : mapping of str to change
        Of parameters, of other numbers by path, of what a player believes by ``perception.PLAYER.``.
    perception : mapping of str to overlay
        What players believe, in place of all that the file says of it.
    tables : mapping
        Tables of a scenario file, laid over the scenario's own.
    """

    changes: Mapping[str, Any]
    perception: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, Any]


def effect_of(table: ScenarioTable, option: str) -> Effect:
    """Return what an option of a scenario does; that of a variant, if it names one."""
    one = table.options[option]
    if isinstance(one.changes, str):
        variant = table.variants[one.changes]
        return Effect(variant.changes, variant.perception, variant.tables)
    return Effect(one.changes, one.perception, one.tables)


def with_tables(scenario: Scenario, effects: Sequence[Effect]) -> Scenario:
    """Return the scenario with the tables of effects laid over its own; itself, if they have none."""
    tables = [one.tables for one in effects if one.tables]
    if not tables:
        return scenario
    data: dict[str, Any] = present_names(tomllib.loads(scenario.text))
    data = {key: value for key, value in data.items() if key not in ("options", "budget")}
    for some in tables:
        data = laid_over(data, some)
    return type(scenario).loads(tomli_w.dumps(data), scenario.where)


def policy_game(scenario: Scenario, effects: Sequence[Effect], drawn: Mapping[Location, Any]) -> CollectiveDefence:
    """Return the game at draws under a policy.

    Parameters
    ----------
    scenario : Scenario
        With the tables of the effects (``with_tables``).
    effects : sequence of Effect
        Those of the options of the policy, in the order of the file.
    drawn : mapping of location to ndarray, shape (n,)
        As ``build`` takes them.

    Raises
    ------
    ParameterError
        If a path leads nowhere, or the numbers make no game.
    """
    overlays: dict[str, Mapping[str, Any]] = dict(scenario.table.perception)
    for one in effects:
        overlays.update(one.perception)
    changes = [(name, change) for one in effects for name, change in one.changes.items()]
    changes.sort(key=lambda pair: _is_relative(*pair))  # what is set comes first
    values: dict[str, Any] = {}
    paths: list[tuple[str, Any]] = []
    for name, change in changes:
        parameters, true, seen = scenario.by_place({name: change})
        for key in parameters:
            current = parameter_values(scenario.table, values, drawn)[key]
            values[key] = apply_change(change, current, key)
        paths += true.items()
        for player, overlay in seen.items():
            overlays[player] = {**overlays.get(player, {}), **overlay}
    try:
        game = build(scenario.table.model_copy(update={"perception": overlays}), values, drawn=drawn)
    except BuildError as error:
        raise ParameterError("; ".join(message for _, message in error.problems)) from None
    return _changed(game, paths)


def _is_relative(path: str, change: Any) -> bool:
    return not isinstance(change, int | float) or path[0] in "+*"


def _changed(game: CollectiveDefence, changes: Sequence[tuple[str, Any]]) -> CollectiveDefence:
    if not changes:
        return game
    numbers = dict(numbers_of(game))
    fresh: dict[str, Any] = {}
    for path, change in changes:
        for concrete in concrete_paths(game, path, numbers):
            value = apply_change(change, numbers[concrete], path)
            if _is_relative(path, change):
                said = declaration_at(game, concrete)
                low, high = (said.low, said.high) if said is not None else (-np.inf, np.inf)
                lowest = np.nextafter(low, np.inf) if said is not None and said.strict else low
                value = np.clip(value, lowest, high)
            numbers[concrete] = fresh[concrete] = value
    return game.at(**fresh)


def concrete_paths(game: CollectiveDefence, path: str, numbers: Mapping[str, Any]) -> list[str]:
    """Return the paths of a game's numbers that a path, which may hold ``*``, means.

    Raises
    ------
    ParameterError
        If there are none.
    """
    steps = split_path(path)
    found = [
        name
        for name in numbers
        if len(own := split_path(name)) == len(steps) and all(a in ("*", b) for a, b in zip(steps, own, strict=True))
    ]
    if not found:
        value_at(game, path)  # says where the path goes wrong
        raise ParameterError(f"path {path!r} leads to no number")
    return found


def declaration_at(game: CollectiveDefence, path: str) -> Number | None:
    """Return the declaration of the number at a path, None where it is a parameter of a distribution."""
    record: Any = game
    said: Number | None = None
    for step in split_path(path):
        if isinstance(record, tuple):
            record = next(one for one in record if one.name == step)
        elif isinstance(record, Mapping):
            record = record[step]
        else:
            said = numbers_declared(type(record)).get(step)
            record = getattr(record, step)
    return said


def trigger_quantities(scenario: Scenario) -> tuple[str, ...]:
    """Return what a trigger may speak of beside paths of numbers."""
    against = [f"{kind} against {attack.name}" for kind in (PERCEIVED, TRUE) for attack in scenario.table.attacks]
    return (*scenario.events, PERCEIVED, TRUE, *against, *scenario.table.parameters)


def effect_problems(scenario: Scenario) -> Iterator[tuple[Location, str]]:
    """Yield what in a scenario's options does not fit its game: paths, values, players, quantities of triggers."""
    for name, option in scenario.table.options.items():
        place: Location = ("options", name)
        effect = effect_of(scenario.table, name)
        by_variant = isinstance(option.changes, str)
        if not effect.tables:
            for path, change in effect.changes.items():
                wrong = _wrong_change(scenario, path, change)
                if wrong:
                    yield (*place, "changes") if by_variant else (*place, "changes", path), wrong
        for player in effect.perception:
            if player not in scenario.game().players:
                known = ", ".join(scenario.game().players)
                hint = did_you_mean(player, scenario.game().players)
                yield (*place, "perception"), f"{player!r} is no player; there are {known}{hint}"
        if option.when:
            yield from (((*place, "when"), wrong) for wrong in _wrong_quantities(scenario, option.when))


def _wrong_change(scenario: Scenario, path: str, change: Any) -> str | None:
    game = scenario.game()
    try:
        parameters, true, _ = scenario.by_place({path: change})
        for key in parameters:
            apply_change(change, 0.0, key)
        for one, operation in true.items():
            numbers = dict(numbers_of(game))
            for concrete in concrete_paths(game, one, numbers):
                value = apply_change(operation, numbers[concrete], one)
                said = declaration_at(game, concrete)
                outside = (
                    not _is_relative(path, change) and not said.low <= float(value) <= said.high if said else False
                )
                if said and outside:
                    return f"expected a number from {said.low:g} to {said.high:g}, got {float(value):g}"
    except (GameError, ParameterError) as error:
        return str(error)
    return None


def _wrong_quantities(scenario: Scenario, text: str) -> Iterator[str]:
    known = trigger_quantities(scenario)
    for quantity in trigger(text).quantities:
        if quantity in known:
            continue
        try:
            value_at(scenario.game(), quantity)
        except (GameError, ParameterError):
            yield (
                f"a trigger speaks of {quantity!r}; it may speak of {', '.join(known)}, and of numbers by their path"
                f"{did_you_mean(quantity, known)}"
            )


__all__ = [
    "Effect",
    "effect_of",
    "effect_problems",
    "policy_game",
    "trigger_quantities",
    "with_tables",
]

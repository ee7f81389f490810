"""One-at-a-time sensitivity: how the likelihood of attack moves with each parameter of a scenario, the others held."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.attacks import AttackOption
from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.loader import entries
from deterrence.alliances.treaty import Treaty
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.paths import apply_change, apply_overlay, numbers_of, value_at
from deterrence.games.renaming import RenamedKeys, renamed_attributes
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import BELIEVES

if TYPE_CHECKING:
    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]

_COSTS = "+members.*.cost.location"
_GROUPS = (  # a parameter for all members at once: what is said, its name, neutral value, range, unit
    ("every member's cost of fighting", _COSTS, 0.0, (-1.5, 1.5), "utility, added"),
    ("every member's stake", "*members.*.stake", 1.0, (0.25, 4.0), "times"),
    ("every member's obligation", "*members.*.obligation", 1.0, (0.0, 4.0), "times"),
    ("every member's capability", "*members.*.capability", 1.0, (0.25, 4.0), "times"),
    ("every member's delay", "*members.*.delay", 1.0, (0.0, 3.0), "times"),
    ("every member's forward strength", "*members.*.forward", 1.0, (0.0, 6.0), "times"),
)
_POINTS = 25  # of the scan of a parameter's range
_ROUNDS, _PIECES = 2, 10  # of narrowing down a crossing: to 1e-2 of the scan's step, then by a secant
_JUMP = 0.1  # change of the likelihood, over so little, that is no slope


@dataclass(frozen=True, slots=True)
class ScenarioParameter:
    """A number of a scenario, or one number for all members at once, that may vary within a range.

    Attributes
    ----------
    label : str
        In words.
    name : str
        As in ``Scenario.sweep_names`` (a leading ``+`` or ``*``: relative to what stands there).
    value, low, high : float
        Its present value, and its range.
    unit : str
        Empty for a named parameter of the file, which has none but its own.
    """

    label: str
    name: str
    value: float
    low: float
    high: float
    unit: str = ""


@renamed_attributes(dial="parameter", way="distance_to_threshold", last_deterring="existence_thresholds")
@dataclass(frozen=True, slots=True, eq=False)
class ParameterSensitivity(Value):
    """How the likelihood of attack depends on one parameter, all others as they are.

    Attributes
    ----------
    parameter : ScenarioParameter
    slope : float
        Change of the likelihood of attack per change of the parameter by its whole range, at the present value.
    elasticity : float
        Relative change of the likelihood per relative change of the parameter, at the present value; nan where either
        is 0.
    lowest, highest : float
        Likelihood of attack over the whole range, the others held.
    tipping : tuple of float
        Values nearest below and above the present one at which the likelihood crosses ``level``; empty if none does.
    existence_thresholds : tuple of float
        Existence thresholds of the deterrence equilibrium: likewise where the *lowest* likelihood over equilibria
        crosses it, so that beyond no equilibrium deters (has a likelihood below ``level``). The same as ``tipping``
        where the equilibrium is unique.
    """

    parameter: ScenarioParameter
    slope: float
    elasticity: float
    lowest: float
    highest: float
    tipping: tuple[float, ...]
    existence_thresholds: tuple[float, ...]

    @property
    def nearest(self) -> float | None:
        """The tipping point nearest to the present value; None if there is none."""
        return min(self.tipping or self.existence_thresholds, key=lambda x: abs(x - self.parameter.value), default=None)

    @property
    def distance_to_threshold(self) -> float:
        """Distance from the present value to the nearest tipping point, as a share of the range; infinite if none."""
        if self.nearest is None:
            return float("inf")
        return abs(self.nearest - self.parameter.value) / max(self.parameter.high - self.parameter.low, 1e-300)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        data = {
            "name": self.parameter.name,
            "label": self.parameter.label,
            "value": self.parameter.value,
            "range": [self.parameter.low, self.parameter.high],
            "slope": self.slope,
            "elasticity": self.elasticity if np.isfinite(self.elasticity) else None,
            "likelihood": [self.lowest, self.highest],
            "tipping_points": list(self.tipping),
            "existence_thresholds": list(self.existence_thresholds),
        }
        return RenamedKeys(data, "Assessment.to_dict()", last_deterring_equilibrium="existence_thresholds")


def true_resolve(scenario: Scenario, parameter: ScenarioParameter) -> float:
    """Return the value of a parameter of misperception at which the aggressor sees what is true."""
    entry = scenario.table.parameters.get("resolve")
    return (
        entry.value
        if parameter.name.endswith(".resolve") and entry is not None and isinstance(entry.value, float)
        else 0.0
    )


def adds_to_costs(scenario: Scenario) -> bool:
    """Return whether the parameter ``resolve`` adds to every member's cost of fighting: more of it is less resolve.

    Such a parameter is a cost, and is called one in what is printed; the other kind is a probability of being resolute.
    """
    entry = scenario.table.parameters.get("resolve")
    if entry is None or not isinstance(entry.value, float):
        return False
    step = 1e-3 if entry.value + 1e-3 <= entry.high else -1e-3
    costs = [
        np.array([float(np.asarray(member.cost.location)) for member in game.members])
        for game in (scenario.game(), scenario.at_values({"resolve": entry.value + step}))
    ]
    return bool(np.all(np.abs(costs[1] - costs[0] - step) < 1e-9))


def _seen_as_true(scenario: Scenario) -> bool:
    """Return whether what the aggressor sees of ``resolve`` moves with it, and nobody else's view matters."""
    seen = scenario.table.perception.get(scenario.game().aggressor.name, {}).get("resolve")
    moves = seen is None or (isinstance(seen, str) and seen.startswith(("+", "-", "*")))
    return moves and scenario.table.target is None


def driving_parameters(scenario: Scenario) -> tuple[ScenarioParameter, ...]:
    """Return the parameters that may drive the likelihood of attack, none of them twice.

    Where the aggressor's view of ``resolve`` moves with it, the view alone stands; where ``resolve`` adds to every
    member's cost, the group of costs does not. Nor does a conversion of units.
    """
    perceived = perceived_resolve_parameter(scenario)
    conversions = {name for name, entry in scenario.table.parameters.items() if entry.conversion}
    by_name = perceived.name.endswith(".resolve")
    twice = {"resolve"} if by_name and _seen_as_true(scenario) else set()
    twice |= {_COSTS} if by_name and adds_to_costs(scenario) else set()
    return tuple(one for one in scenario_parameters(scenario) if one.name not in twice | conversions)


def scenario_parameters(scenario: Scenario) -> tuple[ScenarioParameter, ...]:
    """Return the parameters: named parameters, every number with a range outside the members, and groups of members."""
    game = scenario.game()
    found: list[ScenarioParameter] = []
    for location, entry in entries(scenario.table):
        name = _name(scenario, location, entry)
        if name is None or not entry.uncertain:
            continue
        value = float(np.asarray(entry.value if location[0] == "parameters" else value_at(game, name)))
        if (span := entry.span(value)) is not None:
            found.append(ScenarioParameter(_label(scenario, location), name, value, *span, unit=_unit(location)))
    found += [ScenarioParameter(label, name, value, *bounds, unit=unit) for label, name, value, bounds, unit in _GROUPS]
    return (*found, perceived_resolve_parameter(scenario))


def perceived_resolve_parameter(scenario: Scenario) -> ScenarioParameter:
    """Return the parameter that measures misperception of resolve.

    A scenario with a parameter ``resolve`` has it seen differently; any other has the aggressor wrongly add something
    to every member's cost of fighting.
    """
    game = scenario.game()
    entry = scenario.table.parameters.get("resolve")
    span = entry.span(entry.value) if entry is not None and isinstance(entry.value, float) else None
    if entry is not None and span is not None:
        seen = scenario.table.perception.get(game.aggressor.name, {}).get("resolve", entry.value)
        value = float(np.asarray(apply_change(seen, entry.value, "resolve")))
        cost = adds_to_costs(scenario)
        return ScenarioParameter(
            "members' cost of fighting as the aggressor sees it" if cost else "resolve as the aggressor sees it",
            f"perception.{game.aggressor.name}.resolve",
            value,
            *span,
            unit="utility, added" if cost else "",
        )
    overlay = game.perception.get(game.aggressor.name, {})
    name = f"perception.{game.aggressor.name}.+members.*.cost.location"
    return ScenarioParameter(
        "members' cost of fighting as the aggressor sees it",
        name,
        _added(overlay.get("members.*.cost.location", 0.0)),
        -2.0,
        2.0,
        unit="utility, added",
    )


def one_at_a_time_sensitivity(
    scenario: Scenario, parameters: Sequence[ScenarioParameter], level: float = 0.5
) -> tuple[ParameterSensitivity, ...]:
    """Return the sensitivity to each parameter, of the likelihood at the middle of its range over equilibria.

    All parameters are scanned in one batch, and so is each round that narrows down the crossings found. A parameter
    whose range holds values that make no game is left out.

    Parameters
    ----------
    scenario : Scenario
    parameters : sequence of ScenarioParameter
    level : float
        The likelihood of attack whose crossing is a tipping point.
    """
    grids = {parameter: _grid(parameter) for parameter in parameters}
    curves = _ends(scenario, {parameter.name: np.concatenate(grids[parameter]) for parameter in parameters})
    known = [parameter for parameter in parameters if parameter.name in curves]
    scans = {parameter: curves[parameter.name][:, : len(grids[parameter][0])] for parameter in known}
    brackets = {
        (parameter, kind): _brackets(parameter, grids[parameter][0], _pick(scans[parameter], kind), level)
        for parameter in known
        for kind in _KINDS
    }
    found = _narrowed(scenario, {key: one for key, one in brackets.items() if len(one)}, level)
    return tuple(
        _result(
            parameter, grids[parameter], curves[parameter.name], [found.get((parameter, kind), ()) for kind in _KINDS]
        )
        for parameter in known
    )


def likelihood(scenario: Scenario, name: str, values: Floats) -> Floats:
    """Return the likelihood of attack (the middle of its range over equilibria) at values of one parameter."""
    answer = scenario.answer({name: values})
    return np.asarray((answer.low["attack"] + answer.high["attack"]) / 2)


_KINDS = ("middle", "lowest")  # of the range over equilibria
Key = tuple[ScenarioParameter, str]


def _pick(ends: Floats, kind: str) -> Floats:
    """Return the middle or the lowest of lowest and highest likelihoods, shape (2, n)."""
    return np.asarray(ends.mean(axis=0) if kind == "middle" else ends[0])


def _grid(parameter: ScenarioParameter) -> tuple[Floats, Floats]:
    """Return where a parameter is scanned, and two values around the present one."""
    step = 0.01 * (parameter.high - parameter.low)
    scan = np.unique(np.append(np.linspace(parameter.low, parameter.high, _POINTS), parameter.value))
    return scan, np.clip([parameter.value - step, parameter.value + step], parameter.low, parameter.high)


def _result(
    parameter: ScenarioParameter, grid: tuple[Floats, Floats], ends: Floats, tipping: Sequence[tuple[float, ...]]
) -> ParameterSensitivity:
    (scan, around), size = grid, len(grid[0])
    curve, (left, right) = ends[:, :size], ends[:, size:].mean(axis=0)
    present = float(curve.mean(axis=0)[np.argmin(np.abs(scan - parameter.value))])
    slope = float((right - left) / max(around[1] - around[0], 1e-300))
    return ParameterSensitivity(
        parameter,
        slope * (parameter.high - parameter.low),
        slope * parameter.value / present if present > 0 and parameter.value else float("nan"),
        float(np.nanmin(curve.mean(axis=0))),
        float(np.nanmax(curve.mean(axis=0))),
        *tipping,
    )


def _brackets(parameter: ScenarioParameter, grid: Floats, scan: Floats, level: float) -> Floats:
    """Return the steps of a scan, nearest below and above the present value, in which it crosses a level."""
    above = scan > level
    at = np.flatnonzero((above[1:] != above[:-1]) & np.isfinite(scan[1:]) & np.isfinite(scan[:-1]))
    nearest = [*at[grid[at] < parameter.value][-1:], *at[grid[at] >= parameter.value][:1]]
    return np.array([[grid[i], grid[i + 1]] for i in nearest]).reshape(-1, 2)


def _narrowed(scenario: Scenario, brackets: Mapping[Key, Floats], level: float) -> dict[Key, tuple[float, ...]]:
    """Return the values at which the likelihood crosses a level, one in each bracket; the last step is a secant."""
    where = dict(brackets)
    values: dict[Key, Floats] = {}
    for _ in range(_ROUNDS):
        trials = {key: np.linspace(one[:, 0], one[:, 1], _PIECES + 1, axis=-1) for key, one in where.items()}
        wanted: dict[str, list[Floats]] = {}
        for (parameter, _), one in trials.items():
            wanted.setdefault(parameter.name, []).append(one.ravel())
        curves = _ends(scenario, {name: np.unique(np.concatenate(some)) for name, some in wanted.items()})
        for (parameter, kind), one in trials.items():
            points = np.unique(np.concatenate(wanted[parameter.name]))
            curve = _pick(curves[parameter.name], kind)[np.searchsorted(points, one)]
            passed = curve > level
            first = np.argmax(passed[:, 1:] != passed[:, :1], axis=-1)[:, None]
            pair = np.concatenate([first, first + 1], axis=-1)
            where[parameter, kind] = np.take_along_axis(one, pair, axis=-1)
            values[parameter, kind] = np.take_along_axis(curve, pair, axis=-1)
    return {key: tuple(_secant(*row, level) for row in zip(where[key], values[key], strict=True)) for key in where}


def _secant(ends: Floats, values: Floats, level: float) -> float:
    """Return where a line through two points crosses a level; the middle where it jumps over it."""
    rise = float(values[1] - values[0])
    share = 0.5 if not np.isfinite(rise) or abs(rise) > _JUMP or rise == 0 else float(level - values[0]) / rise
    return float(ends[0] + min(max(share, 0.0), 1.0) * (ends[1] - ends[0]))


def _ends(scenario: Scenario, trials: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return lowest and highest likelihood of attack, shape (2, n), by parameter: all are solved in one batch."""
    games: dict[str, CollectiveDefence] = {}
    for name, values in trials.items():
        with contextlib.suppress(GameError, ParameterError):
            games[name] = scenario.at_values({name: values})
    if not games:
        return {}
    try:
        return _solved(joined_games(list(games.values()), [len(trials[name]) for name in games]), list(games), trials)
    except (GameError, ParameterError, SolverError):
        return _one_by_one(games, trials)


def _one_by_one(games: Mapping[str, CollectiveDefence], trials: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the same, without the parameters that cannot be solved over their range."""
    found: dict[str, Floats] = {}
    for name, game in games.items():
        batch = replace(game, base=np.broadcast_to(np.asarray(game.base, dtype=np.float64), trials[name].shape).copy())
        with contextlib.suppress(GameError, ParameterError, SolverError):
            found |= _solved(batch, [name], trials)
    return found


def _solved(game: CollectiveDefence, names: Sequence[str], trials: Mapping[str, Floats]) -> dict[str, Floats]:
    ends = np.stack(game.attack_probabilities().likelihood)
    ends = np.where(game.converged, ends, np.nan)
    cuts = np.cumsum([len(trials[name]) for name in names])[:-1]
    return dict(zip(names, np.split(ends, cuts, axis=-1), strict=True))


def joined_games(games: Sequence[CollectiveDefence], sizes: Sequence[int]) -> CollectiveDefence:
    """Return one batch that holds the points of several games one after the other.

    Parameters
    ----------
    games : sequence of CollectiveDefence
        Alike but for their numbers, each single or a batch of shape (n,). Perception other than the aggressor's
        and the target's is not kept: it has no part in the likelihood of attack.
    sizes : sequence of int
        Points n of each.

    Raises
    ------
    GameError
        If the games do not have the same members, attacks and numbers, or a player has beliefs about others' beliefs.
    """
    first = games[0]
    if any(BELIEVES in overlay for game in games for overlay in game.perception.values()):
        raise GameError("games in which players have beliefs about others' beliefs cannot be joined")
    truths = [replace(game, perception={}) for game in games]
    players = [first.aggressor.name, *([] if first.target is None else [first.target.name])]
    views = {
        player: [_bare_view(game, player) for game in games]
        for player in players
        if any(player in game.perception for game in games)
    }
    whole = _stacked(truths, sizes)
    fact = dict(numbers_of(whole))
    overlays = {}
    for player, some in views.items():
        seen = numbers_of(_stacked(some, sizes))
        overlays[player] = {path: value for path, value in seen if not np.array_equal(value, fact[path])}
    return replace(whole, perception=overlays)


def _bare_view(game: CollectiveDefence, player: str) -> CollectiveDefence:
    """Return the game as a player holds it, alone; how many nodes a shock takes is left open if the game leaves it."""
    seen = game.perceived_by(player)
    shock = seen.shock if seen.shock is None or game.shock is None else replace(seen.shock, nodes=game.shock.nodes)
    return replace(seen, perception={}, shock=shock)


def _stacked(games: Sequence[CollectiveDefence], sizes: Sequence[int]) -> CollectiveDefence:
    """Return the games laid end to end; numbers that are the same in all stay single."""
    tables = [dict(numbers_of(game)) for game in games]
    if any(table.keys() != tables[0].keys() for table in tables):
        raise GameError("games that are joined must have the same members, attacks and numbers")
    overlay: dict[str, Any] = {}
    for path, value in tables[0].items():
        values = [table[path] for table in tables]
        if all(np.ndim(one) == 0 and one == value for one in values):
            continue
        overlay[path] = np.concatenate([np.broadcast_to(one, (n,)) for one, n in zip(values, sizes, strict=True)])
    if not overlay:
        overlay["base"] = np.full(sum(sizes), games[0].base)
    return apply_overlay(games[0], overlay)


def _name(scenario: Scenario, location: tuple[str | int, ...], entry: Entry) -> str | None:
    """Return the sweep name of a number's place in the file, or None if it is no parameter of its own."""
    match location:
        case ("parameters", str(key)):
            return key if isinstance(entry.value, float) else None
        case ("defence", str(key)):
            return key
        case ("treaty" | "aggressor", *rest):
            return ".".join(str(part) for part in (location[0], *rest))
        case ("attacks", int(i), str(key)):
            return f"attacks.{scenario.table.attacks[i].name}.{key}"
    return None


_RECORDS: dict[str, type] = {"defence": CollectiveDefence, "treaty": Treaty, "aggressor": Aggressor}
_LABELS: dict[tuple[str, ...], str] = {
    ("aggressor", "prize", "location"): "the aggressor's value of the prize (location)",
    ("aggressor", "prize", "scale"): "the aggressor's value of the prize (scale)",
    **{
        (place, key): said.label
        for place, record in _RECORDS.items()
        for key, said in numbers_declared(record).items()
        if said.label
    },
}


def _unit(location: tuple[str | int, ...]) -> str:
    """Return the unit of a number by its place in the file."""
    match location:
        case ("aggressor", "prize", *_):
            return "prize"
        case ("attacks", int(), str(key)):
            return numbers_declared(AttackOption)[key].unit
        case (("defence" | "treaty" | "aggressor") as place, str(key)):
            said = numbers_declared(_RECORDS[place]).get(key)
            return "" if said is None else said.unit
    return ""


def _label(scenario: Scenario, location: tuple[str | int, ...]) -> str:
    """Return what a number's place in the file is called."""
    match location:
        case ("attacks", int(i), str(key)):
            return f"{key} of the {scenario.table.attacks[i].name} attack"
        case ("parameters", "resolve") if adds_to_costs(scenario):
            return "what is added to every member's cost of fighting"
        case ("parameters", str(key)):
            return key.replace("_", " ")
    words = tuple(str(part) for part in location)
    return _LABELS.get(words, " ".join(words).replace("_", " "))


def _added(change: object) -> float:
    if isinstance(change, str):
        return float(change)
    if isinstance(change, dict):
        return float(change.get("add", 0.0))
    return 0.0

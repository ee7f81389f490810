"""The dials of a scenario: what can be turned, within which range, and what that does to the likelihood of attack."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.scenarios.loader import entries
from deterrence.alliances.scenarios.schema import Entry
from deterrence.alliances.treaty import Treaty
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.paths import apply_change, changed, numbers_of, value_at
from deterrence.perception.belief_hierarchy import BELIEVES

if TYPE_CHECKING:
    from deterrence.alliances.scenarios.scenario import Scenario

Floats = NDArray[np.float64]

_GROUPS = (  # a dial for all members at once: what is said, its name, neutral value, range
    ("every member's cost of fighting", "+members.*.cost.location", 0.0, (-1.5, 1.5)),
    ("every member's stake", "*members.*.stake", 1.0, (0.25, 4.0)),
    ("every member's obligation", "*members.*.obligation", 1.0, (0.0, 4.0)),
    ("every member's capability", "*members.*.capability", 1.0, (0.25, 4.0)),
    ("every member's delay", "*members.*.delay", 1.0, (0.0, 3.0)),
    ("every member's forward strength", "*members.*.forward", 1.0, (0.0, 6.0)),
)
_POINTS = 25  # of the scan of a dial's range
_ROUNDS, _PIECES = 2, 10  # of narrowing down a crossing: to 1e-2 of the scan's step, then by a secant
_JUMP = 0.1  # change of the likelihood, over so little, that is no slope


@dataclass(frozen=True, slots=True)
class Dial:
    """One thing that can be turned.

    Attributes
    ----------
    label : str
        In words.
    name : str
        As in ``Scenario.sweep_names`` (a leading ``+`` or ``*``: relative to what stands there).
    value, low, high : float
        Where it stands, and its range.
    """

    label: str
    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What turning one dial does.

    Attributes
    ----------
    dial : Dial
    slope : float
        Change of the likelihood of attack per change of the dial by its whole range, at the present value.
    elasticity : float
        Relative change of the likelihood per relative change of the dial, at the present value; nan where either is 0.
    lowest, highest : float
        Likelihood of attack over the whole range, the others held.
    tipping : tuple of float
        Values nearest below and above the present one at which the likelihood crosses ``level``; empty if none does.
    last_deterring : tuple of float
        Likewise where the *lowest* likelihood over equilibria crosses it: there the last equilibrium with a likelihood
        below ``level`` goes, or the first one comes. The same as ``tipping`` where the equilibrium is unique.
    """

    dial: Dial
    slope: float
    elasticity: float
    lowest: float
    highest: float
    tipping: tuple[float, ...]
    last_deterring: tuple[float, ...]

    @property
    def nearest(self) -> float | None:
        """The tipping point nearest to where the dial stands; None if there is none."""
        return min(self.tipping or self.last_deterring, key=lambda x: abs(x - self.dial.value), default=None)

    @property
    def way(self) -> float:
        """How far the dial has to go to tip the answer, in parts of its range; infinite if it cannot."""
        if self.nearest is None:
            return float("inf")
        return abs(self.nearest - self.dial.value) / max(self.dial.high - self.dial.low, 1e-300)


def true_resolve(scenario: Scenario, dial: Dial) -> float:
    """Return the value of the dial of misperception at which the aggressor sees what is true."""
    entry = scenario.table.parameters.get("resolve")
    return (
        entry.value if dial.name.endswith(".resolve") and entry is not None and isinstance(entry.value, float) else 0.0
    )


def dials(scenario: Scenario) -> tuple[Dial, ...]:
    """Return the dials: named parameters, every number with a range outside the members, and groups of members."""
    game = scenario.game()
    found: list[Dial] = []
    for location, entry in entries(scenario.table):
        name = _name(scenario, location, entry)
        if name is None or entry.range is None:
            continue
        value = entry.value if location[0] == "parameters" else value_at(game, name)
        found.append(Dial(_label(scenario, location), name, float(np.asarray(value)), *entry.range))
    found += [Dial(label, name, value, *bounds) for label, name, value, bounds in _GROUPS]
    found.append(perceived_resolve_dial(scenario))
    return tuple(found)


def perceived_resolve_dial(scenario: Scenario) -> Dial:
    """Return the dial of misperception.

    A scenario with a parameter ``resolve`` has it seen differently; any other has the aggressor wrongly add something
    to every member's cost of fighting.
    """
    game = scenario.game()
    entry = scenario.table.parameters.get("resolve")
    if entry is not None and entry.range is not None and isinstance(entry.value, float):
        seen = scenario.table.perception.get(game.aggressor.name, {}).get("resolve", entry.value)
        value = float(np.asarray(apply_change(seen, entry.value, "resolve")))
        return Dial(
            "resolve as the aggressor sees it", f"perception.{game.aggressor.name}.resolve", value, *entry.range
        )
    overlay = game.perception.get(game.aggressor.name, {})
    name = f"perception.{game.aggressor.name}.+members.*.cost.location"
    return Dial(
        "members' cost of fighting as the aggressor sees it",
        name,
        _added(overlay.get("members.*.cost.location", 0.0)),
        -2.0,
        2.0,
    )


def turn(scenario: Scenario, turned: Sequence[Dial], level: float = 0.5) -> tuple[Turn, ...]:
    """Return what turning each dial does, the likelihood taken at the middle of its range over equilibria.

    All dials are scanned in one batch, and so is each round that narrows down the crossings found. A dial whose range
    holds values that make no game is left out.

    Parameters
    ----------
    scenario : Scenario
    turned : sequence of Dial
    level : float
        The likelihood of attack whose crossing is a tipping point.
    """
    grids = {dial: _grid(dial) for dial in turned}
    curves = _ends(scenario, {dial.name: np.concatenate(grids[dial]) for dial in turned})
    known = [dial for dial in turned if dial.name in curves]
    scans = {dial: curves[dial.name][:, : len(grids[dial][0])] for dial in known}
    brackets = {
        (dial, kind): _brackets(dial, grids[dial][0], _pick(scans[dial], kind), level)
        for dial in known
        for kind in _KINDS
    }
    found = _narrowed(scenario, {key: one for key, one in brackets.items() if len(one)}, level)
    return tuple(
        _result(dial, grids[dial], curves[dial.name], [found.get((dial, kind), ()) for kind in _KINDS])
        for dial in known
    )


def likelihood(scenario: Scenario, name: str, values: Floats) -> Floats:
    """Return the likelihood of attack (the middle of its range over equilibria) at values of one dial."""
    answer = scenario.answer({name: values})
    return np.asarray((answer.low["attack"] + answer.high["attack"]) / 2)


_KINDS = ("middle", "lowest")  # of the range over equilibria
Key = tuple[Dial, str]


def _pick(ends: Floats, kind: str) -> Floats:
    """Return the middle or the lowest of lowest and highest likelihoods, shape (2, n)."""
    return np.asarray(ends.mean(axis=0) if kind == "middle" else ends[0])


def _grid(dial: Dial) -> tuple[Floats, Floats]:
    """Return where a dial is scanned, and two values around the present one."""
    step = 0.01 * (dial.high - dial.low)
    scan = np.unique(np.append(np.linspace(dial.low, dial.high, _POINTS), dial.value))
    return scan, np.clip([dial.value - step, dial.value + step], dial.low, dial.high)


def _result(dial: Dial, grid: tuple[Floats, Floats], ends: Floats, tipping: Sequence[tuple[float, ...]]) -> Turn:
    (scan, around), size = grid, len(grid[0])
    curve, (left, right) = ends[:, :size], ends[:, size:].mean(axis=0)
    present = float(curve.mean(axis=0)[np.argmin(np.abs(scan - dial.value))])
    slope = float((right - left) / max(around[1] - around[0], 1e-300))
    return Turn(
        dial,
        slope * (dial.high - dial.low),
        slope * dial.value / present if present > 0 and dial.value else float("nan"),
        float(np.nanmin(curve.mean(axis=0))),
        float(np.nanmax(curve.mean(axis=0))),
        *tipping,
    )


def _brackets(dial: Dial, grid: Floats, scan: Floats, level: float) -> Floats:
    """Return the steps of a scan, nearest below and above the present value, in which it crosses a level."""
    above = scan > level
    at = np.flatnonzero((above[1:] != above[:-1]) & np.isfinite(scan[1:]) & np.isfinite(scan[:-1]))
    nearest = [*at[grid[at] < dial.value][-1:], *at[grid[at] >= dial.value][:1]]
    return np.array([[grid[i], grid[i + 1]] for i in nearest]).reshape(-1, 2)


def _narrowed(scenario: Scenario, brackets: Mapping[Key, Floats], level: float) -> dict[Key, tuple[float, ...]]:
    """Return the values at which the likelihood crosses a level, one in each bracket; the last step is a secant."""
    where = dict(brackets)
    values: dict[Key, Floats] = {}
    for _ in range(_ROUNDS):
        trials = {key: np.linspace(one[:, 0], one[:, 1], _PIECES + 1, axis=-1) for key, one in where.items()}
        wanted: dict[str, list[Floats]] = {}
        for (dial, _), one in trials.items():
            wanted.setdefault(dial.name, []).append(one.ravel())
        curves = _ends(scenario, {name: np.unique(np.concatenate(some)) for name, some in wanted.items()})
        for (dial, kind), one in trials.items():
            points = np.unique(np.concatenate(wanted[dial.name]))
            curve = _pick(curves[dial.name], kind)[np.searchsorted(points, one)]
            passed = curve > level
            first = np.argmax(passed[:, 1:] != passed[:, :1], axis=-1)[:, None]
            pair = np.concatenate([first, first + 1], axis=-1)
            where[dial, kind] = np.take_along_axis(one, pair, axis=-1)
            values[dial, kind] = np.take_along_axis(curve, pair, axis=-1)
    return {key: tuple(_secant(*row, level) for row in zip(where[key], values[key], strict=True)) for key in where}


def _secant(ends: Floats, values: Floats, level: float) -> float:
    """Return where a line through two points crosses a level; the middle where it jumps over it."""
    rise = float(values[1] - values[0])
    share = 0.5 if not np.isfinite(rise) or abs(rise) > _JUMP or rise == 0 else float(level - values[0]) / rise
    return float(ends[0] + min(max(share, 0.0), 1.0) * (ends[1] - ends[0]))


def _ends(scenario: Scenario, trials: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return lowest and highest likelihood of attack, shape (2, n), by dial: of all dials solved in one batch."""
    games: dict[str, CollectiveDefence] = {}
    for name, values in trials.items():
        with contextlib.suppress(GameError, ParameterError):
            games[name] = scenario.at_values({name: values})
    if not games:
        return {}
    try:
        return _solved(_joined(list(games.values()), [len(trials[name]) for name in games]), list(games), trials)
    except (GameError, ParameterError, SolverError):
        return _one_by_one(games, trials)


def _one_by_one(games: Mapping[str, CollectiveDefence], trials: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the same, without the dials that cannot be solved over their range."""
    found: dict[str, Floats] = {}
    for name, game in games.items():
        batch = replace(game, base=np.broadcast_to(np.asarray(game.base, dtype=np.float64), trials[name].shape).copy())
        with contextlib.suppress(GameError, ParameterError, SolverError):
            found |= _solved(batch, [name], trials)
    return found


def _solved(game: CollectiveDefence, names: Sequence[str], trials: Mapping[str, Floats]) -> dict[str, Floats]:
    ends = np.stack(game.attack_probabilities().likelihood)
    ends = np.where(game.perceived_response().converged, ends, np.nan)
    cuts = np.cumsum([len(trials[name]) for name in names])[:-1]
    return dict(zip(names, np.split(ends, cuts, axis=-1), strict=True))


def _joined(games: Sequence[CollectiveDefence], sizes: Sequence[int]) -> CollectiveDefence:
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
    truths = [replace(game, perception={}, posture=None) for game in games]
    players = [first.aggressor.name, *([] if first.target is None else [first.target.name])]
    views = {
        player: [replace(game.perceived_by(player), posture=None, perception={}) for game in games]
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
    return changed(games[0], overlay)


def _name(scenario: Scenario, location: tuple[str | int, ...], entry: Entry) -> str | None:
    """Return the sweep name of a number's place in the file, or None if it is no dial of its own."""
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


def _label(scenario: Scenario, location: tuple[str | int, ...]) -> str:
    """Return what a number's place in the file is called."""
    match location:
        case ("attacks", int(i), str(key)):
            return f"{key} of the {scenario.table.attacks[i].name} attack"
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

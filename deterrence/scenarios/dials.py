"""The dials of a scenario: what can be turned, within which range, and what that does to the likelihood of attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.paths import apply_change, value_at
from deterrence.scenarios.loader import entries
from deterrence.scenarios.scenario import Scenario
from deterrence.scenarios.schema import Entry

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
_ROUNDS, _PIECES = 4, 10  # of narrowing down a crossing: to 1e-4 of the scan's step


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
    lowest, highest : float
        Likelihood of attack over the whole range, the others held.
    tipping : tuple of float
        Values nearest below and above the present one at which the likelihood crosses ``level``; empty if none does.
    """

    dial: Dial
    slope: float
    lowest: float
    highest: float
    tipping: tuple[float, ...]


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
        found.append(Dial(name.replace(".", " "), name, float(np.asarray(value)), *entry.range))
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

    Parameters
    ----------
    scenario : Scenario
    turned : sequence of Dial
    level : float
        The likelihood of attack whose crossing is a tipping point.
    """
    return tuple(one for one in (_turn(scenario, dial, level) for dial in turned) if one is not None)


def likelihood(scenario: Scenario, name: str, values: Floats) -> Floats:
    """Return the likelihood of attack (the middle of its range over equilibria) at values of one dial."""
    answer = scenario.answer({name: values})
    return np.asarray((answer.low["attack"] + answer.high["attack"]) / 2)


def _turn(scenario: Scenario, dial: Dial, level: float) -> Turn | None:
    step = 0.01 * (dial.high - dial.low)
    grid = np.unique(np.append(np.linspace(dial.low, dial.high, _POINTS), dial.value))
    around = np.clip([dial.value - step, dial.value + step], dial.low, dial.high)
    try:
        curve = likelihood(scenario, dial.name, np.concatenate([grid, around]))
    except (GameError, ParameterError, SolverError):
        return None  # a value in the range does not make a game
    scan, (left, right) = curve[: len(grid)], curve[len(grid) :]
    slope = (right - left) / max(around[1] - around[0], 1e-300) * (dial.high - dial.low)
    return Turn(
        dial,
        float(slope),
        float(np.nanmin(scan)),
        float(np.nanmax(scan)),
        _crossings(scenario, dial, grid, scan, level),
    )


def _crossings(scenario: Scenario, dial: Dial, grid: Floats, scan: Floats, level: float) -> tuple[float, ...]:
    above = scan > level
    at = np.flatnonzero(above[1:] != above[:-1])
    if not len(at):
        return ()
    below = at[grid[at] < dial.value]
    beyond = at[grid[at] >= dial.value]
    nearest = [*below[-1:], *beyond[:1]]
    brackets = np.stack([grid[nearest], grid[np.array(nearest) + 1]], axis=-1)  # (crossings, 2)
    for _ in range(_ROUNDS):
        inner = np.linspace(brackets[:, 0], brackets[:, 1], _PIECES + 1, axis=-1)
        passed = (likelihood(scenario, dial.name, inner.ravel()) > level).reshape(inner.shape)
        first = np.argmax(passed[:, 1:] != passed[:, :1], axis=-1)[:, None]
        brackets = np.take_along_axis(inner, np.concatenate([first, first + 1], axis=-1), axis=-1)
    return tuple(float(x) for x in brackets.mean(axis=-1))


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


def _added(change: object) -> float:
    if isinstance(change, str):
        return float(change)
    if isinstance(change, dict):
        return float(change.get("add", 0.0))
    return 0.0

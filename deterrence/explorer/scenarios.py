"""A scenario as something to explore: its parameters, what the aggressor perceives, and what is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from deterrence.alliances.collective_defence import REFRAIN, CollectiveDefence
from deterrence.alliances.scenarios.assessment import attack_views
from deterrence.alliances.scenarios.scenario import HOLDS, REGRETTED, UNWANTED, Scenario
from deterrence.alliances.scenarios.sensitivity import ScenarioParameter, scenario_parameters
from deterrence.explorer.asking import lively, query
from deterrence.explorer.equilibria import equilibria_of
from deterrence.explorer.responses import response_svg
from deterrence.explorer.sliders import known_only, range_of, step_of
from deterrence.explorer.subjects import Comparison, Found, Row, Slider, Values, changed_values
from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.quantities import real_number
from deterrence.solvers.refinements import REFINEMENTS

_CODE = """\
import numpy as np

import deterrence as dt

@scenario@
values = @values@  # what differs from the scenario's own values
here = scenario.answer({}, at=values, events=(@event@,))
print(here.low, here.high)
game = scenario.at_values(values)
print("perceived:", game.perceived_response().holds)
print("true:", game.response().holds)


def all_but(*names):
    return {name: value for name, value in values.items() if name not in names}


curve = dt.sweep(
    scenario, over={@x@: np.linspace(@x_range@, @points@)}, at=all_but(@x@), event=@event@, progress=False
)
print(curve)
phases = dt.sweep(
    scenario,
    over={@x@: np.linspace(@x_range@, @grid@), @y@: np.linspace(@y_range@, @grid@)},
    at=all_but(@x@, @y@),
    event=@event@,
    progress=False,
)
print(phases)
"""


@dataclass(frozen=True, eq=False)
class ScenarioSubject:
    """A scenario of collective defence.

    Attributes
    ----------
    scenario : Scenario
    sliders : tuple of Slider
        One for each parameter. A value that is where the scenario has it (``Slider.neutral``) is left to the scenario.
    """

    scenario: Scenario
    sliders: tuple[Slider, ...]

    kind = "scenario"
    concepts = ("collective defence",)
    misperception = None  # what the aggressor perceives has parameters of its own

    @property
    def title(self) -> str:
        """The scenario's own."""
        return self.scenario.title

    @property
    def note(self) -> str:
        """What the scenario says of itself."""
        return f"{self.scenario.name}. Numbers are illustrative where the scenario file says so."

    @property
    def events(self) -> tuple[str, ...]:
        """The scenario's events."""
        return self.scenario.events

    @property
    def refinements(self) -> tuple[str, ...]:
        """Refinements that apply to the equilibria: with a posture stage, those of signaling games."""
        return REFINEMENTS if self.scenario.game().posture is not None else ()

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """Perceived resolve across; upward a parameter of the scenario, or what the aggressor has to gain."""
        names = [slider.name for slider in self.sliders]
        across = next((name for name in names if name.startswith("perception.")), names[0])
        wished = [name for name in self.scenario.table.parameters if name != "resolve"]
        up = [name for name in (*wished, "aggressor.prize.location", *names) if name in names and name != across]
        by_name = {slider.name: slider for slider in self.sliders}
        order = [by_name[name] for name in dict.fromkeys((across, *up))]
        return lively(order, partial(self.likelihood, concept="", settle=False), "attack")

    @property
    def code(self) -> str:
        """Template of the code that reproduces a view."""
        known = self.scenario.name in Scenario.names() and self.scenario.text == Scenario.load(self.scenario.name).text
        place = self.scenario.name if known else self.scenario.where
        return _CODE.replace("@scenario@", f"scenario = dt.Scenario.load({place!r})".replace("@", ""))

    def likelihood(
        self, values: Mapping[str, Any], size: int, event: str, concept: str, *, settle: bool
    ) -> BlockAnswer:
        """Return the answer at ``size`` points."""
        return query(self.scenario, self._moved(values) or dict([next(iter(values.items()))]), size, event, at={})

    def under_correct_beliefs(self, values: Mapping[str, Any], size: int, event: str) -> BlockAnswer | None:
        """Return the likelihood if the aggressor perceived what is true; None where it does, or for other events."""
        try:
            game = self._game(values)
            if event in (REGRETTED, UNWANTED, HOLDS) or game.aggressor.name not in game.perception:
                return None
            found = _seen_rightly(game).attack_probabilities()
        except (GameError, ParameterError, SolverError):
            return None
        low, high = found.likelihood if event == "attack" else found.by_kind[event]
        return BlockAnswer(
            low={event: np.broadcast_to(np.asarray(low, dtype=np.float64), (size,))},
            high={event: np.broadcast_to(np.asarray(high, dtype=np.float64), (size,))},
            count=np.ones(size, dtype=np.int64),
            kinds={},
            status=np.full(size, Status.OK, dtype=np.uint8),
        )

    def equilibria(self, values: Values, event: str, concept: str) -> Found:
        """Return the equilibria of the posture game, if there is one, or of the members' response to each attack."""
        game = self.scenario.at_values(self._moved(values))
        if game.posture is not None:
            asked_for = event if event in ("attack", REFRAIN, *(a.name for a in game.attacks)) else "attack"
            return equilibria_of(game.posture_equilibria(), asked_for, self.refinements)
        truth = game.expected_response()
        found = equilibria_of(truth.equilibria, event)
        holds = {a.name: _chance(truth.holds[..., x]) for x, a in enumerate(game.attacks)}
        rows = [_told(row, holds) for row in found.rows]
        return Found(rows, found.statement, [partial(self._picture, game)] * len(rows))

    def comparison(self, values: Values, event: str) -> Comparison | None:
        """Return what the aggressor expects beside what is true, and what the difference does."""
        game = self._game(values)
        name = game.aggressor.name
        if not game.perception:
            return None
        right = _seen_rightly(game)
        if game.posture is not None:
            return _stage_comparison(self.scenario.at_values(self._moved(values)))
        seen, truth = game.perceived_response(), game.response()
        as_seen, as_true = game.attack_probabilities(), right.attack_probabilities()
        rows = [("likelihood of attack", _chance(as_seen.likelihood), _chance(as_true.likelihood))]
        for x, attack in enumerate(game.attacks):
            kind = attack.name
            rows += [
                (f"{kind} attack: is chosen", _chance(as_seen.by_kind[kind]), _chance(as_true.by_kind[kind])),
                (f"{kind} attack: defence holds", _chance(seen.holds[..., x]), _chance(truth.holds[..., x])),
                (f"{kind} attack: strength that comes", _size(seen.strength[..., x]), _size(truth.strength[..., x])),
            ]
        regret = [game.regret_probability(which) for which in ("lowest", "highest")]
        return Comparison(("", f"as {name} sees it", "in truth"), rows, _words(name, as_seen, as_true, regret))

    # -- private -----------------------------------------------------------------------------------------------------

    def _moved(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that the scenario has to be told; see ``Slider.neutral`` and ``Slider.tied``."""
        return changed_values(self.sliders, values)

    def _game(self, values: Mapping[str, Any]) -> CollectiveDefence:
        """Return the game at one point or many, as a batch: quick, without certificates."""
        game = self.scenario.at_values(self._moved(values))
        return replace(game, base=np.full(1, game.base)) if np.ndim(game.base) == 0 else game

    def _picture(self, game: CollectiveDefence) -> str:
        mistaken = game.aggressor.name in game.perception
        seen = game.perceived_response().comes if mistaken else None
        return response_svg(
            game.names, [a.name for a in game.attacks], game.response().comes, seen, game.aggressor.name
        )


def _stage_comparison(game: CollectiveDefence) -> Comparison:
    """Return the comparison of a game with a posture stage, over the equilibria of the stage."""
    name = game.aggressor.name
    as_seen, as_true = game.attack_probabilities(), _seen_rightly(game).attack_probabilities()
    rows = [("likelihood of attack", _chance(as_seen.likelihood), _chance(as_true.likelihood))]
    for view in attack_views(game):
        rows += [
            (f"{view.name} attack: is chosen", _chance(view.likelihood), _chance(as_true.by_kind[view.name])),
            (f"{view.name} attack: defence holds", _chance(view.perceived_holds), _chance(view.holds)),
            (f"{view.name} attack: strength that comes", _size(view.perceived_strength), _size(view.strength)),
        ]
    regret = [game.regret_probability(which) for which in ("lowest", "highest")]
    return Comparison(("", f"as {name} sees it", "in truth"), rows, _words(name, as_seen, as_true, regret))


def scenario_subject(scenario: Scenario, ranges: Mapping[str, Any], at: Mapping[str, Any]) -> ScenarioSubject:
    """Return a scenario as something to explore.

    Parameters
    ----------
    scenario : Scenario
    ranges : mapping of str to pair of float
        Ranges of parameters, by name as in ``scenario.sweep_names``.
    at : mapping of str to float
        Where parameters start; by default where the scenario has them.

    Raises
    ------
    ParameterError
        If a name is no parameter, or a range none.
    """
    parameters = scenario_parameters(scenario)
    names = [parameter.name for parameter in parameters]
    known_only(ranges, names)
    known_only(at, names)
    sliders = [_slider(scenario, parameter, ranges, at) for parameter in parameters]
    return ScenarioSubject(scenario, tuple(sorted(sliders, key=lambda s: not _first(s))))


def _slider(
    scenario: Scenario, parameter: ScenarioParameter, ranges: Mapping[str, Any], at: Mapping[str, Any]
) -> Slider:
    low, high = (
        range_of(parameter.name, ranges[parameter.name])
        if parameter.name in ranges
        else (parameter.low, parameter.high)
    )
    value = real_number(at.get(parameter.name, parameter.value), parameter.name)
    if not low <= value <= high:
        raise ParameterError(f"{parameter.name} starts at {value:g}, outside its range [{low:g}, {high:g}]")
    entry = scenario.table.parameters.get(parameter.name)
    seen = parameter.name.startswith("perception.") and parameter.name.endswith(".resolve")
    return Slider(
        name=parameter.name,
        low=low,
        high=high,
        value=value,
        step=step_of(low, high),
        label=parameter.label,
        meaning=entry.note if entry is not None else "",
        group=_group(scenario, parameter.name),
        neutral=parameter.value,
        tied="resolve" if seen else "",
    )


def _group(scenario: Scenario, name: str) -> str:
    if name in scenario.table.parameters or name.startswith("perception."):
        return "resolve and perception" if name.endswith("resolve") or "." in name else "parameters"
    if "members.*" in name:
        return "all members"
    match name.split("."):
        case ["attacks", attack, *_]:
            return f"{attack} attack"
        case ["treaty" | "aggressor" as table, *_]:
            return table
    return "defence"


def _first(slider: Slider) -> bool:
    return slider.group == "resolve and perception"


def _told(row: Row, holds: Mapping[str, str]) -> Row:
    """Return the row of a response to an attack, with what it comes to."""
    attack, _, rest = row.label.rpartition(": ")
    kind = {"single": "the only response"}.get(row.kind, row.kind)
    known = f"{kind}; defence holds with {holds[attack]}" if attack in holds else kind
    label = f"{attack} attack" if rest == "1" else f"{attack} attack, {rest}"
    return replace(row, label=label, kind=known, payoffs="")


def _seen_rightly(game: CollectiveDefence) -> CollectiveDefence:
    return replace(game, perception={k: v for k, v in game.perception.items() if k != game.aggressor.name})


def _words(name: str, seen: Any, true: Any, regret: list[Any]) -> str:
    gap = float(np.mean(seen.likelihood) - np.mean(true.likelihood))
    low, high = min(float(np.min(r)) for r in regret), max(float(np.max(r)) for r in regret)
    if abs(gap) < 5e-4:
        first = f"What {name} gets wrong does not change the likelihood of attack"
    else:
        way = "adds" if gap > 0 else "takes away"
        first = f"What {name} gets wrong {way} {100 * abs(gap):.1f} points of likelihood of attack"
    return f"{first}; an attack that it would regret, knowing what is true, has probability {_chance((low, high))}."


def _chance(pair: Any) -> str:
    low, high = float(np.min(pair[0])), float(np.max(pair[1]))
    return f"{low:.1%}" if high - low < 5e-4 else f"{low:.1%} to {high:.1%}"


def _size(pair: Any) -> str:
    low, high = float(np.min(pair[0])), float(np.max(pair[1]))
    return f"{low:.2f}" if high - low < 5e-3 else f"{low:.2f} to {high:.2f}"

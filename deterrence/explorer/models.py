"""A published model as something to explore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from deterrence.explorer.asking import lively, query_with_ties
from deterrence.explorer.equilibria import equilibria_of, picture_of, refinements_of
from deterrence.explorer.misperception import Misperception, misperception_of
from deterrence.explorer.sliders import known_only, range_of, slider_of
from deterrence.explorer.snippets import with_fixed
from deterrence.explorer.subjects import Comparison, Found, Slider, Values
from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.parameters import Parameter
from deterrence.games.quantities import real_number
from deterrence.models.blocks import Points, answer_of_points
from deterrence.models.model import Model
from deterrence.models.parameter_table import flat, nest
from deterrence.models.variants import Variant, entries, fitting, groups, pick

_CODE = """\
import numpy as np

import deterrence as dt

@model@
values = @values@
equilibria = model.solve(**values)
print(equilibria)


def all_but(*names):
    return {name: value for name, value in values.items() if name not in names}


curve = dt.sweep(
    model, over={@x@: np.linspace(@x_range@, @points@)}, at=all_but(@x@), event=@event@, progress=False
)
print(curve)
"""
_CODE_OF_MAP = """
phases = dt.sweep(
    model,
    over={@x@: np.linspace(@x_range@, @grid@), @y@: np.linspace(@y_range@, @grid@)},
    at=all_but(@x@, @y@),
    event=@event@,
    progress=False,
)
print(phases)
"""
_EXPECTED = (GameError, ParameterError, SolverError, ArithmeticError)


@dataclass(frozen=True, eq=False)
class ModelSubject:
    """A model of the library, or one of the reader's own.

    Attributes
    ----------
    model : Model
    sliders : tuple of Slider
    fixed : mapping
        Values of parameters that do not move, under dotted names; ``mode`` may be among them.
    routes : mapping of str to str
        Event -> ``"answer"`` if the model answers it itself, ``"solve"`` if it is read off the solver's equilibria.
    axes : tuple of str
        Parameters that the axes start with.
    """

    model: Model
    sliders: tuple[Slider, ...]
    fixed: Mapping[str, Any]
    routes: Mapping[str, str] = field(default_factory=dict)
    axes: tuple[str, ...] = ()

    kind = "model"

    @property
    def title(self) -> str:
        """What the catalogue calls it."""
        return f"{self.model.id}: {self.model.title}" if self.model.id != self.model.title else self.model.title

    @property
    def note(self) -> str:
        """Mechanism and source."""
        return "; ".join(text for text in (self.model.mechanism, self.model.source) if text)

    @property
    def events(self) -> tuple[str, ...]:
        """Events that have an answer."""
        return tuple(self.routes)

    @property
    def concepts(self) -> tuple[str, ...]:
        """The model's own."""
        given = {**self.fixed, **self.start}
        variant = pick(self.model.variants, self.model.parameters, given, self.model.id)
        return (variant.concept or self.model.concept or "cutpoints",)

    @cached_property
    def refinements(self) -> tuple[str, ...]:
        """Refinements that apply to the equilibria."""
        return refinements_of(self._solution(self.start))

    @property
    def start(self) -> dict[str, float]:
        """Where the sliders start."""
        return {slider.name: slider.value for slider in self.sliders}

    @property
    def code(self) -> str:
        """Template of the code that reproduces a view."""
        template = _CODE if len(self.sliders) < 2 else _CODE + _CODE_OF_MAP
        return with_fixed(template.replace("@model@", self._made.replace("@", "")), self.fixed)

    @cached_property
    def misperception(self) -> Misperception | None:
        """How one of two players may be wrong about parameters."""
        try:
            game = self.model.game(**nest({**self.fixed, **self.start}))
        except _EXPECTED:
            return None
        return misperception_of(self.model, game, self.fixed, self.model.event_map, self._made, "model", self._admits)

    def likelihood(
        self, values: Mapping[str, Any], size: int, event: str, concept: str, *, settle: bool
    ) -> BlockAnswer:
        """Return the answer at ``size`` points; with ``settle``, ties are solved one by one if they are few."""
        if self.routes.get(event) == "solve":
            return self._solved(values, size, event)
        return query_with_ties(self.model, values, size, event, settle=settle, at=self.fixed)

    def under_correct_beliefs(self, values: Mapping[str, Any], size: int, event: str) -> BlockAnswer | None:
        """Return None: whoever is wrong in a model is so by its own parameters."""
        return None

    def equilibria(self, values: Values, event: str, concept: str) -> Found:
        """Return the equilibria at one point."""
        found = equilibria_of(self._solution(values), self.model.event_map.get(event, event), self.refinements)
        if any(found.pictures):
            return found
        game = self.model.game(**nest({**self.fixed, **values}))
        return replace(found, pictures=[partial(picture_of, game)] * len(found.rows))

    def comparison(self, values: Values, event: str) -> Comparison | None:
        """Return None: whoever is wrong in a model is so by its own parameters."""
        return None

    # -- private -----------------------------------------------------------------------------------------------------

    def _admits(self, values: Mapping[str, Any]) -> Any:
        """Return where values, arrays among them, are within ranges and orderings."""
        model = self.model
        variant = pick(model.variants, model.parameters, values, model.id)
        shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
        told = {n: np.broadcast_to(v, shape).ravel() if np.ndim(v) else v for n, v in values.items()}
        return fitting(variant, model.parameters, model.requires, told, int(np.prod(shape))).reshape(shape)

    @property
    def _made(self) -> str:
        """The line of Python that makes the model."""
        from deterrence.models.registry import REGISTRY

        if self.model.id in REGISTRY:
            return f"model = dt.models.get({self.model.id!r})"
        return f"# model: {self.model.name!r}, which is explored"

    def _solution(self, values: Mapping[str, Any]) -> Any:
        return self.model.solve(**nest({**self.fixed, **values}))

    def _solved(self, values: Mapping[str, Any], size: int, event: str) -> BlockAnswer:
        arrays = {name: np.resize(np.asarray(v, dtype=np.float64), size) for name, v in values.items()}
        asked_for = self.model.event_map.get(event, event)

        def one(point: dict[str, Any]) -> dict[str, Any]:
            found = self.model.solve(**point)
            sets = found if isinstance(found, Mapping) else {"": found}
            return {
                f"{name} {i + 1}. {e.kind}".strip(): {event: tuple(float(x) for x in e.probability_range(asked_for))}
                for name, part in sets.items()
                for i, e in enumerate(part)
            }

        return answer_of_points(one, Points({**self.fixed, **arrays}, arrays), (event,))


def model_subject(model: Model, ranges: Mapping[str, Any], at: Mapping[str, Any]) -> ModelSubject:
    """Return a model as something to explore.

    Parameters
    ----------
    model : Model
    ranges : mapping of str to pair of float
        Ranges of sliders, by (dotted) name; by default what the model admits, cut to what is of interest.
    at : mapping
        Where sliders start, the ``mode``, and values of parameters that are no single numbers.

    Raises
    ------
    GameError
        If the model has no parameter that is a number, or nothing that could be asked of it.
    ParameterError
        If a name is unknown or a value out of range.
    """
    given = flat(dict(at))
    pick(model.variants, model.parameters, given, model.id)  # raises an error for names that no form of the model has
    made = [_form(model, variant, ranges, given) for variant in _forms(model, given)]
    moving = [subject for subject in made if subject.sliders]
    if not moving:
        raise GameError(f"{model.id} has no parameter that is a number, so nothing can be moved; use model.solve()")
    known_only(ranges, list(dict.fromkeys(slider.name for subject in moving for slider in subject.sliders)))
    for asked_for in (_events, _quantities):  # events of some form of the model, or else numbers of its closed form
        for subject in moving:
            routes = {event: route for event in asked_for(subject) if (route := _route(subject, event))}
            if routes:
                whole = replace(subject, routes=routes)
                return replace(whole, axes=lively(whole.sliders, partial(whole.likelihood, concept="", settle=False),
                                                  whole.events[0]))  # fmt: skip
    raise GameError(f"nothing can be asked of {model.id} as its parameters move; use model.closed_form()")


def _forms(model: Model, given: Mapping[str, Any]) -> list[Variant]:
    """Return the forms of a model that take the given parameters: the one of a mode, or the plain ones."""
    if "mode" in given:
        return [pick(model.variants, model.parameters, given, model.id)]
    names = {name.split(".")[0] for name in given}
    return [v for v in model.variants if not v.name and names <= set(groups(v, model.parameters))]


def _form(model: Model, variant: Variant, ranges: Mapping[str, Any], given: Mapping[str, Any]) -> ModelSubject:
    moving = [entry for entry in entries(variant, model.parameters) if isinstance(entry, Parameter)]
    sliders = tuple(_started(slider_of(entry, _range(entry.name, ranges)), given) for entry in moving)
    fixed = {name: value for name, value in given.items() if name not in {s.name for s in sliders}}
    return ModelSubject(model, sliders, fixed)


def _range(name: str, ranges: Mapping[str, Any]) -> tuple[float, float] | None:
    return range_of(name, ranges[name]) if name in ranges else None


def _started(slider: Slider, given: Mapping[str, Any]) -> Slider:
    """Return a slider that starts where it is asked to, and reaches that far."""
    if slider.name not in given:
        return slider
    value = real_number(given[slider.name], slider.name)
    return replace(slider, value=value, low=min(slider.low, value), high=max(slider.high, value))


def _events(subject: ModelSubject) -> tuple[str, ...]:
    return subject.model.events


def _quantities(subject: ModelSubject) -> tuple[str, ...]:
    """Return the names of the numbers that the closed form gives."""
    try:
        found = subject.model.closed_form(**nest({**subject.fixed, **subject.start}))
    except _EXPECTED:
        return ()
    return tuple(name for name, value in found.items() if isinstance(value, int | float | np.floating))


def _route(subject: ModelSubject, event: str) -> str:
    """Return how an event is answered at the start, ``""`` if it is not."""
    for route in ("answer", "solve"):
        one = replace(subject, routes={event: route})
        try:
            found = one.likelihood(subject.start, 1, event, "", settle=True)
        except (*_EXPECTED, TypeError, AttributeError, LookupError):
            continue
        if found.status[0] == Status.OK:
            return route
    return ""

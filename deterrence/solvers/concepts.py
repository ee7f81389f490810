"""The registry of solution concepts, which every entry point reads.

``subjective``, ``compare``, ``sweep``, ``Model``, the explorer and the command line take a concept in the same ways:
by its name (``"pbe"``), by its name with the number that it takes (``"qre 2"``), as the function itself (``dt.pbe``),
or as a ``functools.partial`` of that with options. Each concept says which forms of game it serves, and each form has
one concept by default. A package registers the concepts that it has in its ``__init__``.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deterrence.games.errors import ParameterError, did_you_mean

_GAMES = ("SignalingGame", "ExtensiveGame", "StrategicGame")


@dataclass(frozen=True, kw_only=True)
class Concept:
    """A solution concept.

    Attributes
    ----------
    name : str
        As users give it and as results carry it.
    function : str
        ``"module:function"``; it takes a game and keyword options.
    forms : tuple of str
        Names of the classes of games that it serves.
    aliases : tuple of str
        Other names of it.
    number : str
        The option that a number after the name sets, as the precision in ``"qre 2"``; empty if it takes none.
    needed : bool
        Whether that number has to be given.
    whole : bool
        Whether it is a whole number.
    """

    name: str
    function: str
    forms: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    number: str = ""
    needed: bool = False
    whole: bool = False

    @property
    def solver(self) -> Callable[..., Any]:
        """The function, imported when it is first asked for."""
        module, _, function = self.function.partition(":")
        solver: Callable[..., Any] = getattr(importlib.import_module(module), function)
        return solver

    def serves(self, game: Any) -> bool:
        """Return whether a game is of a form that the concept serves."""
        return any(form.__name__ in self.forms for form in type(game).__mro__)


@dataclass(frozen=True)
class ChosenConcept:
    """A concept with the options that a user gave it: called with a game, it solves it.

    Attributes
    ----------
    concept : Concept
    options : mapping
    """

    concept: Concept
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, game: Any) -> Any:
        """Solve a game.

        Raises
        ------
        ParameterError
            If the concept does not serve its form; the message says which concepts do.
        """
        check_form(self.concept, game)
        return self.concept.solver(game, **self.options)

    @property
    def name(self) -> str:
        """Name of the concept."""
        return self.concept.name

    @property
    def label(self) -> str:
        """Name with its number, as in ``"qre 2"``; choosing it again gives the same."""
        number = self.options.get(self.concept.number)
        return self.name if number is None else f"{self.name} {number:g}"


_REGISTRY: dict[str, Concept] = {}


def register(*concepts: Concept) -> None:
    """Add concepts to the registry.

    Raises
    ------
    ValueError
        If a name or alias is taken by another concept.
    """
    for concept in concepts:
        for name in (concept.name, *concept.aliases):
            if _REGISTRY.setdefault(name, concept) != concept:
                raise ValueError(f"the name {name!r} of {concept.function} is taken by {_REGISTRY[name].function}")


def registered_concepts() -> tuple[Concept, ...]:
    """Return every concept of the registry."""
    return tuple(dict.fromkeys(_REGISTRY.values()))


def concept_named(name: str) -> Concept:
    """Return a concept by its name or an alias, whatever the case, hyphens and underscores.

    Raises
    ------
    ParameterError
        If there is none.
    """
    words = _words(name)
    if words not in _REGISTRY:
        known = [concept.name for concept in registered_concepts()]
        raise ParameterError(
            f"no solution concept {name!r}; there are {', '.join(known)}{did_you_mean(words, _REGISTRY)}"
        )
    return _REGISTRY[words]


def default_concept(game: Any) -> ChosenConcept:
    """Return the concept that fits the form of a game if none is named.

    Perfect Bayesian equilibrium of signaling games, subgame perfect equilibrium of trees with perfect information,
    sequential equilibrium of other trees, Nash equilibrium of strategic forms, cutpoint equilibrium of participation
    games and of games with a continuum of types.

    Raises
    ------
    ParameterError
        If nothing solves such a thing.
    """
    for form in type(game).__mro__:
        if form.__name__ == "ExtensiveGame":
            return ChosenConcept(concept_named("spe" if game.perfect_information else "sequential"))
        if form.__name__ in _DEFAULTS:
            return ChosenConcept(concept_named(_DEFAULTS[form.__name__]))
    raise ParameterError(f"no solution concept serves a {type(game).__name__}")


_DEFAULTS = {
    "SignalingGame": "pbe",
    "ContinuousReceiverGame": "pbe",
    "StrategicGame": "nash",
    "ParticipationGame": "participation",
    "ContinuousGame": "cutpoints",
}


def choose_concept(given: Any, game: Any = None) -> ChosenConcept:
    """Return the concept that a user means.

    Parameters
    ----------
    given : None, str, callable, Concept or ChosenConcept
        ``None`` for the default of the game; a name, with a number behind it where the concept takes one; a function of
        the registry, or a ``functools.partial`` of one with options.
    game : game, optional
        What is to be solved, as far as it is known: its form is then checked.

    Raises
    ------
    ParameterError
        If there is no such concept, its number is missing or wrong, or it does not serve the form of the game.
    """
    if given is None:
        return default_concept(game)
    if isinstance(given, ChosenConcept):
        chosen = given
    elif isinstance(given, Concept):
        chosen = ChosenConcept(given)
    elif isinstance(given, str):
        chosen = _read(given)
    else:
        chosen = _chosen_function(given)
    if game is not None:
        check_form(chosen.concept, game)
    return chosen


def is_registered(given: Any) -> bool:
    """Return whether a callable is a function of the registry, or a partial of one with options."""
    return isinstance(given, ChosenConcept) or _concept_of(_bare(given)) is not None


def check_form(concept: Concept, game: Any) -> None:
    """Raise ParameterError unless a concept serves the form of a game; the message says which concepts do."""
    if concept.serves(game):
        return
    form = type(game).__name__
    serving = [other.name for other in registered_concepts() if other.serves(game)]
    remedy = f"a {form} is solved by {', '.join(serving)}" if serving else "no concept serves one"
    if form == "SignalingGame" and "ExtensiveGame" in concept.forms:
        remedy += ", or as a tree: game.to_extensive()"
    raise ParameterError(f"{concept.name} serves {', '.join(concept.forms)}, got a {form}; {remedy}")


def _read(text: str) -> ChosenConcept:
    """Return the concept that a text names, with its number."""
    words = _words(text).split()
    given = words.pop() if len(words) > 1 and _is_number(words[-1]) and " ".join(words) not in _REGISTRY else None
    concept = concept_named(" ".join(words) if given is not None else text)
    if given is None:
        if concept.needed:
            raise ParameterError(f"{concept.name!r} needs a number for {concept.number}, as in '{concept.name} 1'")
        return ChosenConcept(concept)
    if not concept.number:
        raise ParameterError(f"{concept.name!r} takes no number, got {text!r}")
    value = float(given)
    if concept.whole and value != int(value):
        raise ParameterError(f"the {concept.number} of {concept.name!r} is a whole number, got {text!r}")
    return ChosenConcept(concept, {concept.number: int(value) if concept.whole else value})


def _chosen_function(given: Any) -> ChosenConcept:
    concept = _concept_of(_bare(given))
    if concept is None:
        known = ", ".join(concept.name for concept in registered_concepts())
        raise ParameterError(f"no solution concept {given!r}; there are {known}")
    return ChosenConcept(concept, dict(given.keywords) if isinstance(given, functools.partial) else {})


def _bare(given: Any) -> Any:
    return given.func if isinstance(given, functools.partial) and not given.args else given


def _concept_of(function: Any) -> Concept | None:
    path = f"{getattr(function, '__module__', '')}:{getattr(function, '__name__', '')}"
    return next((concept for concept in registered_concepts() if concept.function == path), None)


def _words(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


register(
    Concept(
        name="pbe",
        function="deterrence.solvers.pbe:pbe",
        forms=("SignalingGame", "ExtensiveGame"),
        aliases=("perfect bayesian", "perfect bayesian equilibrium"),
    ),
    Concept(
        name="spe",
        function="deterrence.solvers.spe:spe",
        forms=("ExtensiveGame",),
        aliases=("subgame perfect", "subgame perfect equilibrium"),
    ),
    Concept(
        name="sequential",
        function="deterrence.solvers.sequential:sequential",
        forms=("ExtensiveGame", "SignalingGame"),
        aliases=("sequential equilibrium",),
    ),
    Concept(
        name="nash",
        function="deterrence.solvers.nash:nash",
        forms=("StrategicGame", "ExtensiveGame"),
        aliases=("nash equilibrium",),
    ),
    Concept(
        name="qre",
        function="deterrence.solvers.qre:qre",
        forms=_GAMES,
        aliases=("logit", "quantal response", "quantal response equilibrium"),
        number="precision",
    ),
    Concept(
        name="sequence form",
        function="deterrence.solvers.sequence_form:sequence_form",
        forms=("ExtensiveGame",),
    ),
    Concept(
        name="cutpoints",
        function="deterrence.solvers.cutpoints:cutpoints",
        forms=("ContinuousGame",),
    ),
    Concept(
        name="persuasion",
        function="deterrence.solvers.persuasion:persuasion",
        forms=("SignalingGame",),
        aliases=("bayesian persuasion",),
    ),
)

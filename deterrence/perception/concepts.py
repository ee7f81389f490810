"""Solution concepts by name, as callables from a game with numbers to its equilibria."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.strategic import StrategicGame

Concept: TypeAlias = Callable[[Any], Any]

# name -> module, function, and the option that a number after the name sets ("qre 2")
_NAMED: Mapping[str, tuple[str, str, str | None]] = {
    "pbe": ("deterrence.solvers.pbe", "pbe", None),
    "spe": ("deterrence.solvers.spe", "spe", None),
    "sequential": ("deterrence.solvers.sequential", "sequential", None),
    "nash": ("deterrence.solvers.nash", "nash", None),
    "qre": ("deterrence.solvers.qre", "qre", "precision"),
    "cursed": ("deterrence.perception.cursed", "cursed", "chi"),
    "analogy based": ("deterrence.perception.analogy", "analogy_based", None),
    "self confirming": ("deterrence.perception.self_confirming", "self_confirming", None),
    "level": ("deterrence.perception.levels", "level_k", "level"),
    "cognitive hierarchy": ("deterrence.perception.levels", "cognitive_hierarchy", "tau"),
}
_ALIASES = {"level k": "level", "ch": "cognitive hierarchy", "perfect bayesian": "pbe", "subgame perfect": "spe"}
_NEEDED = {"cursed": "chi", "level": "level", "cognitive hierarchy": "tau"}
WHOLE = ("level",)  # names whose number is a whole one


def concept_for(game: Any) -> Concept:
    """Return the concept that fits a game if none is named: subgame perfection, perfect Bayesian, or Nash."""
    if isinstance(game, StrategicGame):
        return concept_named("nash")
    if isinstance(game, ExtensiveGame) and game.perfect_information:
        return concept_named("spe")
    return concept_named("pbe")


def concept_named(text: str) -> Concept:
    """Return a concept by its name, with a number behind it where it takes one.

    Parameters
    ----------
    text : str
        ``"pbe"``, ``"spe"``, ``"sequential"``, ``"nash"``, ``"qre 2"`` (precision), ``"cursed 0.5"`` (chi), ``"level
        1"``, ``"cognitive hierarchy 1.5"`` (tau), ``"self confirming"``.

    Raises
    ------
    ParameterError
        If the name is not known, or its number is missing.
    """
    words = text.lower().replace("-", " ").replace("_", " ").split()
    number = words.pop() if words and _is_number(words[-1]) else None
    name = " ".join(words)
    name = _ALIASES.get(name, name)
    if name not in _NAMED:
        near = difflib.get_close_matches(name, _NAMED, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"no solution concept {text!r}; there are {', '.join(map(repr, _NAMED))}{hint}")
    module, function, option = _NAMED[name]
    if number is None and name in _NEEDED:
        raise ParameterError(f"{name!r} needs a number for {_NEEDED[name]}, as in '{name} 1'")
    if number is not None and option is None:
        raise ParameterError(f"{name!r} takes no number, got {text!r}")
    options: dict[str, Any] = {}
    if number is not None and option is not None:
        value = float(number)
        options[option] = int(value) if name in WHOLE and value == int(value) else value

    def solve(game: Any) -> Any:
        return getattr(importlib.import_module(module), function)(game, **options)

    return solve


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True

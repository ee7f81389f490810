"""Solution concepts as a sweep is given them: by name, as the solver, or as a partial of it with options."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deterrence.games.errors import ParameterError

# solution concept -> the module of the solvers that has it; the function has the name of the concept
CONCEPTS = {name: name for name in ("pbe", "spe", "sequential", "nash", "qre", "participation")}


@dataclass(frozen=True)
class Concept:
    """A solution concept by name, with the options that its solver takes."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, game: Any) -> Any:
        """Solve one game."""
        return self.solver(game, **self.options)

    @property
    def solver(self) -> Callable[..., Any]:
        """The function."""
        module = importlib.import_module(f"deterrence.solvers.{CONCEPTS[self.name]}")
        found: Callable[..., Any] = getattr(module, self.name)
        return found


def concept_of(given: Any) -> Concept | None:
    """Return a concept given as a name, a solver of the package, or a ``functools.partial`` of one with options.

    Raises
    ------
    ParameterError
        If there is no such concept.
    """
    if given is None or isinstance(given, Concept):
        return given
    options: Mapping[str, Any] = {}
    if isinstance(given, functools.partial) and not given.args:
        options, given = dict(given.keywords), given.func
    name = given if isinstance(given, str) else getattr(given, "__name__", "")
    if name not in CONCEPTS:
        raise ParameterError(f"no concept {given!r} to sweep with; there are {', '.join(CONCEPTS)}")
    return Concept(name, options)

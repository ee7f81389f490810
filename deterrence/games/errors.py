"""The exceptions of the package: each message names the thing, its value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GameError(ValueError):
    """A game is malformed, or a question does not fit it."""


class ParameterError(ValueError):
    """A parameter is unknown, missing, or outside its admissible range."""


class ScenarioError(ValueError):
    """A scenario or study file is wrong; ``problems`` lists every mistake found, a line each."""

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (message,)


class SolverError(RuntimeError):
    """A solver could not certify a result; ``residual`` is the best it reached, where there is one."""

    def __init__(self, message: str, residual: float | None = None) -> None:
        super().__init__(message)
        self.residual = residual


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown name: ``"; did you mean 'pbe'?"``, or nothing if no name is near.

    Examples
    --------
    >>> did_you_mean("sequentail", ("nash", "sequential"))
    "; did you mean 'sequential'?"
    >>> did_you_mean("x", ("nash", "sequential"))
    ''
    """
    near = difflib.get_close_matches(str(name), tuple(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

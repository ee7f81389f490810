"""The exceptions of the package: each message names the thing, its value and the mend."""

from __future__ import annotations


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

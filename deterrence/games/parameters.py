"""The table of a model's parameters: what each is called, means, and may be."""

from __future__ import annotations

from dataclasses import dataclass

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Parameter(Value):
    """One parameter of a model.

    Attributes
    ----------
    name : str
        As in the game's symbols and in keyword arguments.
    default : float
        Value used when none is given.
    low, high : float
        Admissible range, ends included.
    unit : str
        For example ``"probability"``, ``"prize"``, ``"days"``.
    meaning : str
        One line in plain words.

    Raises
    ------
    ParameterError
        If ``low <= default <= high`` does not hold.
    """

    name: str
    default: float
    low: float = float("-inf")
    high: float = float("inf")
    unit: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high:
            raise ParameterError(
                f"parameter {self.name!r} needs low <= default <= high, got {self.low}, {self.default}, {self.high}"
            )

    def check(self, value: float) -> None:
        """Raise ParameterError unless the value is within the range."""
        if not self.low <= value <= self.high:
            raise ParameterError(f"{self.name} must lie in [{self.low:g}, {self.high:g}] {self.unit}, got {value:g}")

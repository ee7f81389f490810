"""What can be explored: the few questions that the explorer asks of a model, a scenario or a game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deterrence.games.answers import BlockAnswer

Floats = NDArray[np.float64]
Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Slider:
    """One parameter that the reader may move.

    Attributes
    ----------
    name : str
        As in ``values`` of the state, and in code.
    low, high, value : float
        Range of the slider, ends included, and where it starts.
    step : float
        Of one key press; 1 for whole numbers.
    label, unit, meaning, group : str
        In words.
    whole : bool
        Whether only whole numbers make sense.
    neutral : float or None
        The value at which the thing need not be told, since it stands there by itself; None: it is always told.
    tied : str
        Another slider: once that one is moved or swept, this one is told as well.
    """

    name: str
    low: float
    high: float
    value: float
    step: float
    label: str = ""
    unit: str = ""
    meaning: str = ""
    group: str = ""
    whole: bool = False
    neutral: float | None = None
    tied: str = ""

    def points(self, most: int) -> Floats:
        """Return up to ``most`` values over the whole range, evenly spaced, ends included."""
        if not self.whole:
            return np.linspace(self.low, self.high, most)
        count = min(most, round(self.high - self.low) + 1)
        return np.unique(np.rint(np.linspace(self.low, self.high, count)))


def changed_values(
    sliders: Sequence[Slider], values: Mapping[str, Any], swept: Sequence[str | None] = ()
) -> dict[str, Any]:
    """Return the values that have to be told: those of ``Slider.neutral`` sliders only where they differ from it.

    Parameters
    ----------
    sliders : sequence of Slider
    values : mapping of str to float or ndarray
        Arrays are always told.
    swept : sequence of str or None
        Names that are told in another way, and so count as moved.
    """

    def told(slider: Slider) -> bool:
        return slider.neutral is None or bool(np.ndim(values[slider.name])) or values[slider.name] != slider.neutral

    by_name = {slider.name: slider for slider in sliders if slider.name in values}
    return {
        name: values[name]
        for name, slider in by_name.items()
        if told(slider) or slider.tied in swept or (slider.tied in by_name and told(by_name[slider.tied]))
    }


@dataclass(frozen=True, eq=False)
class Row:
    """One equilibrium as the explorer lists it.

    Attributes
    ----------
    label, kind : str
        Which one, and what kind it is of.
    low, high : float or None
        Range of the event's probability over the component; None where it has none.
    survives : mapping of refinement to str or None
        ``"whole"``, ``"part"``, ``"nothing"``, or None where the refinement does not apply.
    payoffs : str
        Of the players, in words.
    html : str
        Strategies and beliefs as a table; every label escaped.
    """

    label: str
    kind: str
    low: float | None
    high: float | None
    survives: Mapping[str, str | None] = field(default_factory=dict)
    payoffs: str = ""
    html: str = ""


@dataclass(frozen=True, eq=False)
class Found:
    """The equilibria at one point.

    Attributes
    ----------
    rows : sequence of Row
    statement : str
        How they were found, and whether all are known.
    pictures : sequence of callable
        One for each row: makes its picture as SVG, or ``""``.
    """

    rows: Sequence[Row]
    statement: str = ""
    pictures: Sequence[Any] = ()

    def picture(self, index: int) -> str:
        """Return the picture of an equilibrium as SVG; ``""`` where there is none."""
        if not 0 <= index < len(self.pictures):
            return ""
        drawn: str = self.pictures[index]()
        return drawn


@dataclass(frozen=True, slots=True)
class Comparison:
    """Perceived beside true values.

    Attributes
    ----------
    head : sequence of str
        Titles of the columns.
    rows : sequence of sequence of str
        One cell per column.
    words : str
        What the misperception does.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: str


class Subject(Protocol):
    """What the explorer asks of the thing that is explored."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def note(self) -> str:
        """What it is about, and where it is from."""

    @property
    def kind(self) -> str:
        """``"model"``, ``"scenario"`` or ``"game"``."""

    @property
    def sliders(self) -> tuple[Slider, ...]:
        """What moves."""

    @property
    def events(self) -> tuple[str, ...]:
        """What the probability of is asked."""

    @property
    def concepts(self) -> tuple[str, ...]:
        """Solution concepts, the first by default."""

    @property
    def refinements(self) -> tuple[str, ...]:
        """By which equilibria are judged."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the one or two parameters that the axes start with."""

    @property
    def code(self) -> str:
        """Template of "copy as code"; see ``deterrence.explorer.explorer``."""

    def likelihood(
        self, values: Mapping[str, Any], size: int, event: str, concept: str, *, settle: bool
    ) -> BlockAnswer:
        """Return the answer at ``size`` points; each value is a number or an array of shape (size,)."""

    def under_correct_beliefs(self, values: Mapping[str, Any], size: int, event: str) -> BlockAnswer | None:
        """Return the same if everybody perceived what is true; None where nobody is wrong."""

    def equilibria(self, values: Values, event: str, concept: str) -> Found:
        """Return the equilibria at one point."""

    def comparison(self, values: Values, event: str) -> Comparison | None:
        """Return perceived beside true values at one point; None where nobody is wrong."""

    @property
    def misperception(self) -> Any:
        """How a player may be made wrong about parameters (``Misperception``); None where that is not offered."""

"""A game with symbols as something to explore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from deterrence.explorer.asking import lively, query_with_ties
from deterrence.explorer.equilibria import equilibria_of, refinements_of
from deterrence.explorer.misperception import Misperception, misperception_of
from deterrence.explorer.sliders import known_only, range_of, step_of
from deterrence.explorer.snippets import with_fixed
from deterrence.explorer.subjects import Comparison, Found, Slider, Values
from deterrence.games.answers import BlockAnswer
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import real_number
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.concepts import choose_concept
from deterrence.sweeps.targets import GameTarget

_CODE = """\
import numpy as np

import deterrence as dt

# game: the game that is explored
values = @values@
equilibria = dt.@concept_raw@(game, at=values)
print(equilibria)


def all_but(*names):
    return {name: value for name, value in values.items() if name not in names}


curve = dt.sweep(
    game,
    over={@x@: np.linspace(@x_range@, @points@)},
    at=all_but(@x@),
    event=@event@,
    concept=@concept@,
    progress=False,
)
print(curve)
"""
_CODE_OF_MAP = """
phases = dt.sweep(
    game,
    over={@x@: np.linspace(@x_range@, @grid@), @y@: np.linspace(@y_range@, @grid@)},
    at=all_but(@x@, @y@),
    event=@event@,
    concept=@concept@,
    progress=False,
)
print(phases)
"""


@dataclass(frozen=True, eq=False)
class GameSubject:
    """A game whose payoffs or chances hold symbols.

    Attributes
    ----------
    game : SignalingGame, ExtensiveGame or StrategicGame
    sliders : tuple of Slider
    fixed : mapping of str to float
        Symbols that do not move.
    """

    game: Any
    sliders: tuple[Slider, ...]
    fixed: Mapping[str, float]

    kind = "game"

    @property
    def title(self) -> str:
        """Players and form."""
        form = type(self.game).__name__.removesuffix("Game").lower()
        return f"{' and '.join(self.game.players)}: a game in {form} form" if form != "signaling" else (
            f"{' and '.join(self.game.players)}: a signaling game"
        )  # fmt: skip

    @property
    def note(self) -> str:
        """Values of what does not move."""
        return ", ".join(f"{name} = {value:g}" for name, value in self.fixed.items())

    @property
    def events(self) -> tuple[str, ...]:
        """Named events first, then what may happen last, as users ask for it."""
        names = [str(name) for name in self._target.events]
        first = [name for name in ("attack", "war") if name in names]
        return tuple(dict.fromkeys([*first, *names]))

    @cached_property
    def concepts(self) -> tuple[str, ...]:
        """The concept that fits the form, then others that are solved as quickly."""
        own = self._target.concept.name
        more = ("qre",) if isinstance(self.game, SignalingGame | ExtensiveGame) else ()
        return (own, *more)

    @cached_property
    def refinements(self) -> tuple[str, ...]:
        """Refinements that apply to the equilibria."""
        concept = choose_concept(self.concepts[0])
        return refinements_of(concept(self.game.at(**self.fixed, **{s.name: s.value for s in self.sliders})))

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The first two sliders that matter."""
        ask = partial(self.likelihood, concept=self.concepts[0], settle=False)
        return lively(self.sliders, ask, self.events[0])

    @property
    def code(self) -> str:
        """Template of the code that reproduces a view."""
        template = _CODE if len(self.sliders) < 2 else _CODE + _CODE_OF_MAP
        return with_fixed(template, self.fixed)

    def likelihood(
        self, values: Mapping[str, Any], size: int, event: str, concept: str, *, settle: bool
    ) -> BlockAnswer:
        """Return the answer at ``size`` points; with ``settle``, ties are solved one by one if they are few."""
        return query_with_ties(
            self._target, values, size, event, settle=settle, at=self.fixed, concept=choose_concept(concept)
        )

    def under_correct_beliefs(self, values: Mapping[str, Any], size: int, event: str) -> BlockAnswer | None:
        """Return None: nobody is wrong about the game."""
        return None

    def equilibria(self, values: Values, event: str, concept: str) -> Found:
        """Return the equilibria at one point."""
        chosen = choose_concept(concept)
        found = chosen(self.game.at(**self.fixed, **values))
        return equilibria_of(found, event, self.refinements if concept == self.concepts[0] else ())

    def comparison(self, values: Values, event: str) -> Comparison | None:
        """Return None: nobody is wrong about the game."""
        return None

    @cached_property
    def misperception(self) -> Misperception | None:
        """How one of two players may be wrong about symbols."""
        start = self.game.at(**self.fixed, **{s.name: s.value for s in self.sliders})
        events = {name: name for name in self.events}
        return misperception_of(self.game, start, self.fixed, events, "# game: the game that is explored", "game")

    @cached_property
    def _target(self) -> GameTarget:
        return GameTarget(self.game)


def game_subject(game: Any, ranges: Mapping[str, Any], at: Mapping[str, Any]) -> GameSubject:
    """Return a game as something to explore.

    Parameters
    ----------
    game : SignalingGame, ExtensiveGame or StrategicGame
        With symbols.
    ranges : mapping of str to pair of float
        Of the symbols that move.
    at : mapping of str to float
        Where those start (by default in the middle), and what the other symbols are.

    Raises
    ------
    GameError
        If the game has no symbols, or is a batch.
    ParameterError
        If a symbol has neither range nor value, or a name is no symbol.
    """
    names = tuple(game.parameters)
    if not names:
        raise GameError("this game has no symbols to move; put dt.symbols in its payoffs or chances, or solve it")
    known_only(ranges, names)
    known_only(at, names)
    missing = [name for name in names if name not in ranges and name not in at]
    if missing:
        raise ParameterError(
            f"the game needs a range or a value of {', '.join(missing)}: ranges={{{missing[0]!r}: (0, 1)}}"
        )
    if not ranges:
        raise ParameterError(f"nothing moves; give ranges={{...}} of one or more of {', '.join(names)}")
    sliders = []
    for name, given in ranges.items():
        low, high = range_of(name, given)
        step = step_of(low, high)
        middle = round(low + round((high - low) / (2 * step)) * step, 12)
        value = real_number(at.get(name, middle), name)
        if not low <= value <= high:
            raise ParameterError(f"{name} starts at {value:g}, outside its range [{low:g}, {high:g}]")
        sliders.append(Slider(name, low, high, value, step, label=name))
    return GameSubject(game, tuple(sliders), {name: float(at[name]) for name in names if name not in ranges})


FORMS = (SignalingGame, ExtensiveGame, StrategicGame)

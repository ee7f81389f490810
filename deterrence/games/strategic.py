"""Strategic-form games: a payoff table per player."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.display import Display
from deterrence.games.equilibrium import Beliefs, Strategies
from deterrence.games.errors import GameError
from deterrence.games.events import Event, resolve_event
from deterrence.games.immutable import Immutable
from deterrence.games.quantities import (
    Array,
    Kind,
    array_of,
    as_exact,
    as_float,
    check_names,
    kind_of,
    parameter_names,
    substitute,
)
from deterrence.games.strategic_table import strategic_html, strategic_latex, strategic_text
from deterrence.games.values import Value


class StrategicGame(Immutable, Display):
    """A finite game in strategic form.

    Parameters
    ----------
    *payoffs : array_like
        Either one table per player, each of shape (s_1, ..., s_P), or a single table of shape (s_1, ..., s_P, P).
        For two players ``StrategicGame(A, B)`` takes the row and the column player's matrices.
    players : sequence of str, optional
        Names; ``"Row"`` and ``"Column"`` for two players, else ``"Player 1"``, ...
    strategies : sequence of sequence of str, optional
        Labels of each player's strategies; ``"1"``, ``"2"``, ... by default.
    title : str, optional
        What the game is.

    Attributes
    ----------
    payoffs : ndarray, shape (s_1, ..., s_P, P)

    Raises
    ------
    GameError
        If tables disagree in shape, or labels are missing or repeated.

    Examples
    --------
    >>> from deterrence import StrategicGame
    >>> StrategicGame([[1, 2], [-1, 3]], [[1, -1], [2, 3]])
    StrategicGame(2 x 2)
    """

    def __init__(
        self,
        *payoffs: object,
        players: Sequence[str] | None = None,
        strategies: Sequence[Sequence[str]] | None = None,
        title: str = "",
    ) -> None:
        self.payoffs = _tables(payoffs)
        self.title = title
        count = self.payoffs.shape[-1]
        default = ("Row", "Column") if count == 2 else tuple(f"Player {i + 1}" for i in range(count))
        self.players = tuple(players) if players is not None else default
        if len(self.players) != count or len(set(self.players)) != count:
            raise GameError(f"players must be {count} distinct names, got {list(self.players)}")
        given = strategies if strategies is not None else [[str(i + 1) for i in range(n)] for n in self.shape]
        self.strategies = tuple(tuple(labels) for labels in given)
        if tuple(len(labels) for labels in self.strategies) != self.shape:
            raise GameError(f"strategies must have {list(self.shape)} labels, got {[len(s) for s in self.strategies]}")
        for player, labels in zip(self.players, self.strategies, strict=True):
            if len(set(labels)) != len(labels):
                raise GameError(f"strategies of {player} must be distinct, got {list(labels)}")
        self._freeze()

    def __eq__(self, other: object) -> bool:
        """Whether labels and payoffs are the same."""
        if not isinstance(other, StrategicGame):
            return NotImplemented
        return (self.players, self.strategies) == (other.players, other.strategies) and np.array_equal(
            self.payoffs, other.payoffs
        )

    def __hash__(self) -> int:
        return hash((self.players, self.strategies))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of strategies of each player."""
        return self.payoffs.shape[:-1]

    @property
    def row(self) -> Array:
        """First player's table."""
        return self.payoffs[..., 0]

    @property
    def column(self) -> Array:
        """Second player's table."""
        return self.payoffs[..., 1]

    @cached_property
    def kind(self) -> Kind:
        """``"float"``, ``"exact"`` or ``"symbolic"``."""
        return kind_of(self.payoffs)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Sorted names of the symbols in payoffs."""
        return parameter_names([self.payoffs])

    @cached_property
    def span(self) -> float:
        """Largest difference between payoffs of one player: the scale of ties."""
        flat = as_float(self.payoffs).reshape(-1, len(self.players))
        return float(max((flat.max(axis=0) - flat.min(axis=0)).max(), np.finfo(float).tiny))

    def at(self, **values: object) -> StrategicGame:
        """Return the game with numbers for its parameters.

        Raises
        ------
        ParameterError
            If a name is unknown or missing.
        """
        check_names(values, self.parameters, "this game")
        return self._with(substitute(self.payoffs, values, "payoffs")) if self.parameters else self

    def exact(self) -> StrategicGame:
        """Return the game in rational arithmetic; a float counts as the decimal that it prints as."""
        self.require_numbers()
        return self._with(as_exact(self.payoffs))

    def floats(self) -> StrategicGame:
        """Return the game in float64."""
        self.require_numbers()
        return self if self.kind == "float" else self._with(as_float(self.payoffs))

    def require_numbers(self) -> None:
        """Raise GameError if parameters have no values yet."""
        if self.parameters:
            raise GameError(
                f"the game has free parameters {', '.join(self.parameters)}; give their values in at={{...}}"
            )

    def __repr__(self) -> str:
        title = f"{self.title!r}, " if self.title else ""
        parameters = f", parameters {', '.join(self.parameters)}" if self.parameters else ""
        return f"StrategicGame({title}{' x '.join(map(str, self.shape))}{parameters})"

    @property
    def event_names(self) -> tuple[str, ...]:
        """Every label that can be asked for as an event."""
        return tuple(dict.fromkeys(label for labels in self.strategies for label in labels))

    def event_cells(self, event: Event) -> Array:
        """Whether an event happens in each cell, shape (s_1, ..., s_P) of 0 and 1.

        Raises
        ------
        GameError
            If the event is not known; the message lists the known ones.
        """
        happens = resolve_event(event, self.event_names)
        cells = np.zeros(self.shape)
        for index in np.ndindex(*self.shape):
            cells[index] = happens(tuple(labels[i] for labels, i in zip(self.strategies, index, strict=True)))
        return cells

    def _repr_html_(self) -> str:
        return strategic_html(self)

    def _repr_latex_(self) -> str:
        return strategic_latex(self)

    def __str__(self) -> str:
        return strategic_text(self)

    def _with(self, payoffs: Array) -> StrategicGame:
        return StrategicGame(payoffs, players=self.players, strategies=self.strategies, title=self.title)


@dataclass(frozen=True, eq=False)
class MixedProfile(Value):
    """A mixed strategy for each player of a strategic-form game.

    Attributes
    ----------
    mixed : tuple of ndarray
        One distribution per player.
    """

    mixed: tuple[Array, ...]

    def strategies(self, game: StrategicGame) -> Strategies:
        """Return probabilities by player, the one information set ``"start"``, and strategy."""
        return {
            player: {"start": dict(zip(labels, (_plain(x) for x in mix), strict=True))}
            for player, labels, mix in zip(game.players, game.strategies, self.mixed, strict=True)
        }

    def beliefs(self, game: StrategicGame) -> Beliefs:
        """Return nothing: a strategic form has no information sets to believe at."""
        return {}

    def payoffs(self, game: StrategicGame) -> Mapping[str, Any]:
        """Return each player's expected payoff."""
        cells = self._cells()
        return {player: _plain((cells * game.payoffs[..., i]).sum()) for i, player in enumerate(game.players)}

    def probability(self, game: StrategicGame, event: Event) -> Any:
        """Return the probability of an event."""
        happens = game.event_cells(event) > 0
        return _plain(self._cells()[happens].sum()) if happens.any() else 0.0

    def _cells(self) -> Array:
        cells: Array = np.ones((), dtype=self.mixed[0].dtype)
        for mix in self.mixed:
            cells = cells[..., None] * mix
        return cells


def _tables(payoffs: tuple[object, ...]) -> Array:
    if not payoffs:
        raise GameError("a strategic game needs payoffs, got none")
    if len(payoffs) == 1:
        table = array_of(payoffs[0], "payoffs")
        if table.ndim < 2 or table.shape[-1] != table.ndim - 1:
            raise GameError(f"a single payoff table must have shape (s_1, ..., s_P, P), got {table.shape}")
    else:
        tables = [array_of(t, f"payoffs of player {i + 1}") for i, t in enumerate(payoffs)]
        shapes = {t.shape for t in tables}
        if len(shapes) > 1 or tables[0].ndim != len(tables):
            raise GameError(
                f"{len(tables)} payoff tables must share one shape of {len(tables)} axes, got {sorted(shapes)}"
            )
        table = array_of(np.stack(tables, axis=-1), "payoffs")
    if 0 in table.shape:
        raise GameError(f"every player needs at least one strategy, got shape {table.shape}")
    return table


def _plain(x: Any) -> Any:
    return float(x) if isinstance(x, np.floating | int) else x

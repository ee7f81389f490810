"""What mistaken players expect, what they do, what happens, and the gap between the two."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from deterrence.games.display import Display
from deterrence.games.equilibrium import Strategies
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.perception.belief_hierarchy import SubjectiveGame
from deterrence.perception.outcome_table import as_html, as_text, expects, group_name
from deterrence.perception.trees import Ends

if TYPE_CHECKING:
    import pandas as pd

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Play:
    """One way in which the players' expectations may combine; arrays are over the Z ends of the game.

    Attributes
    ----------
    expects : mapping of player to str
        Which equilibrium of its game each player has in mind.
    true : ndarray, shape (Z,)
        Probability of each end.
    believed : mapping of player to ndarray, shape (Z,)
        What each player expects.
    mistaken : mapping of player to ndarray, shape (Z,)
        Probability of each end on whose way the player took an action that, at the true values and given what the
        others really do, is not a best reply.
    payoffs, regret : mapping of player to float
        Expected payoff at the true values, and what a best reply to the others' play would have added to it.
    strategies : mapping
        What is really played, by player, information set and action.
    """

    expects: Mapping[str, str]
    true: Array
    believed: Mapping[str, Array]
    mistaken: Mapping[str, Array]
    payoffs: Mapping[str, float]
    regret: Mapping[str, float]
    strategies: Strategies = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Surprise:
    """How much a player is surprised; ranges over the combinations of expectations.

    Attributes
    ----------
    divergence : (float, float)
        Kullback-Leibler divergence, in nats, of what the player expects from what happens, over public outcomes;
        infinite if something happens that it held impossible.
    chance : (float, float)
        Probability that the player gave to what happens, averaged over what happens.
    """

    divergence: Range
    chance: Range


@dataclass(frozen=True, kw_only=True, eq=False)
class SubjectiveOutcome(Display):
    """Play by players who may be wrong about the game.

    Every number is a range (low, high) over ``plays``: the combinations of equilibria that the players may have in
    mind.

    Attributes
    ----------
    plays : tuple of Play
    hierarchy : mapping of player to SubjectiveGame
        The game that each believes in.
    truth : mapping of str to value
    ends : Ends
        What may happen.
    aggressor : str or None
        Whose attack it is.
    attack, war : str or callable
        The events meant by "attack" and "war".
    stated_chance : float
        Below which believed chance an outcome counts as a miscalculation.
    solve_informed : callable
        Solves the game at the true values, when first asked.
    """

    plays: Sequence[Play] = field(repr=False)
    hierarchy: Mapping[str, SubjectiveGame] = field(repr=False)
    truth: Mapping[str, Any]
    ends: Ends = field(repr=False)
    aggressor: str | None
    attack: Event
    war: Event
    stated_chance: float
    solve_informed: Callable[[], Any] = field(repr=False)

    @property
    def players(self) -> tuple[str, ...]:
        """Who plays."""
        return tuple(self.hierarchy)

    @property
    def views(self) -> Mapping[str, SubjectiveGame]:
        """The earlier name of ``hierarchy``."""
        warnings.warn("SubjectiveOutcome.views is now SubjectiveOutcome.hierarchy", DeprecationWarning, stacklevel=2)
        return self.hierarchy

    @cached_property
    def informed(self) -> Any:
        """What would happen if nobody were wrong: equilibria of the game at the true values (or the play of levels)."""
        return self.solve_informed()

    # -- what happens, and what was expected ---------------------------------------------------------------------------

    def probability(self, event: Event) -> Range:
        """Return the lowest and highest true probability of an event.

        Raises
        ------
        GameError
            If the event is not known.
        """
        weights = self.ends.weights(event)
        return self._range(lambda play: float(play.true @ weights))

    def believed(self, player: str, event: Event) -> Range:
        """Return the lowest and highest probability that a player gives to an event.

        Raises
        ------
        GameError
            If the player or the event is not known.
        """
        if player not in self.players:
            raise GameError(f"no player {player!r}; players are {', '.join(self.players)}")
        weights = self.ends.weights(event)
        return self._range(lambda play: float(play.believed[player] @ weights))

    def outcomes(self) -> dict[tuple[str, ...], Range]:
        """Return the range of probability of each public outcome that can happen."""
        tables = np.array([self.ends.public_distribution(play.true) for play in self.plays])
        low, high = tables.min(axis=0), tables.max(axis=0)
        return {o: (float(a), float(b)) for o, a, b in zip(self.ends.outcomes, low, high, strict=True) if b > 0}

    # -- the gap -----------------------------------------------------------------------------------------------------

    @cached_property
    def surprise(self) -> Mapping[str, Surprise]:
        """Each player's surprise at what happens."""
        return {player: self._surprise_of(player) for player in self.players}

    @cached_property
    def regret(self) -> Mapping[str, Range]:
        """What each player would have gained by a best reply, at the true values, to what the others really do.

        Of a collective-defence game, that of the aggressor.
        """
        known = self.plays[0].regret
        return {
            player: (min(play.regret[player] for play in self.plays), max(play.regret[player] for play in self.plays))
            for player in known
        }

    @property
    def miscalculation(self) -> Range:
        """Probability of a public outcome that some player gave less than ``stated_chance``."""
        return self.miscalculation_below(self.stated_chance)

    def miscalculation_below(self, chance: float) -> Range:
        """Return the probability of a public outcome to which some player gave a probability below ``chance``."""

        def share(play: Play) -> float:
            true = self.ends.public_distribution(play.true)
            least = np.min([self.ends.public_distribution(play.believed[p]) for p in self.players], axis=0)
            return float(true[least < chance].sum())

        return self._range(share)

    @property
    def unwanted_war(self) -> Range:
        """Probability of a war that the aggressor would not have started at the true values.

        A war counts if the aggressor came to it by an action that is no best reply, at the true values, to what
        the others really do. An action that is as good as the best counts as wanted.
        """
        war = self.ends.weights(self.war)
        return self._range(lambda play: float(play.mistaken[self._aggressor()] @ war))

    @property
    def missed_deterrence(self) -> Range:
        """Probability of an attack that true resolve, if known, would have deterred: it is no best reply to it."""
        attack = self.ends.weights(self.attack)
        return self._range(lambda play: float(play.mistaken[self._aggressor()] @ attack))

    @property
    def called_bluff(self) -> Range:
        """Probability of an attack without war after a move that did not pay.

        An attack stops short of war, and some player on the way took an action (it made a threat, paid for a signal,
        or attacked) that is no best reply, at the true values, to what the others really do: whose bluff was called.
        """
        short = self.ends.weights(self.attack) * (1 - self.ends.weights(self.war))

        def share(play: Play) -> float:
            worst = np.max([play.mistaken[p] for p in self.players], axis=0)
            return float(worst @ short)

        return self._range(share)

    # -- for people ----------------------------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas table: a row per event of interest, true and believed probabilities."""
        import pandas as pd

        rows = [
            {"outcome": " / ".join(outcome), "who": who, "low": low, "high": high}
            for outcome in self.ends.outcomes
            for who, (low, high) in self.row(outcome)
        ]
        return pd.DataFrame(rows)

    def row(self, outcome: tuple[str, ...]) -> list[tuple[str, Range]]:
        """Return the true range of probability of a public outcome, and that which each group of players expects."""
        at = self.ends.outcomes.index(outcome)
        rows = [("true", self._range(lambda play: float(self.ends.public_distribution(play.true)[at])))]
        for name, members in self.groups.items():
            chances = [float(self.ends.public_distribution(play.believed[members[0]])[at]) for play in self.plays]
            rows.append((expects(name, members), (min(chances), max(chances))))
        return rows

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Players who have the same expectations and no part of their own to tell apart, under a common name."""
        alike: dict[object, list[str]] = {}
        for player in self.players:
            told = tuple((np.round(play.believed[player], 12) + 0.0).tobytes() for play in self.plays)
            alike.setdefault(player if player in self.regret else told, []).append(player)
        return {group_name(members): tuple(members) for members in alike.values()}

    def __repr__(self) -> str:
        return as_text(self)

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    # -- private -------------------------------------------------------------------------------------------------------

    def _range(self, measure: Callable[[Play], float]) -> Range:
        values = [measure(play) for play in self.plays]
        return min(values), max(values)

    def _surprise_of(self, player: str) -> Surprise:
        return Surprise(
            divergence=self._range(lambda play: _divergence(*self._public(play, player))),
            chance=self._range(lambda play: float(np.prod(self._public(play, player), axis=0).sum())),
        )

    def _public(self, play: Play, player: str) -> tuple[Array, Array]:
        return self.ends.public_distribution(play.true), self.ends.public_distribution(play.believed[player])

    def _aggressor(self) -> str:
        if self.aggressor is None:
            raise GameError(
                f"nobody is known to be the aggressor: no player has an action {self.attack!r}; name it by aggressor="
            )
        return self.aggressor


def _divergence(true: Array, believed: Array) -> float:
    happens = true > 0
    if bool((believed[happens] <= 0).any()):
        return float("inf")
    return max(0.0, float((true[happens] * np.log(true[happens] / believed[happens])).sum()))

"""What mistaken players expect, what they do, what happens, and the gap between the two."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from deterrence.games.display import Display
from deterrence.games.equilibrium import Strategies
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.games.renaming import renamed_attributes
from deterrence.games.tables import number_text
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import SubjectiveGame
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


@dataclass(frozen=True, eq=False)
class Surprise(Value):
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


@renamed_attributes(believed="belief")
@dataclass(frozen=True, kw_only=True, eq=False)
class SubjectiveOutcome(Display, Value):
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

    def belief(self, player: str, event: Event) -> Range:
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
            rows.append((_expects(name, members), (min(chances), max(chances))))
        return rows

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Players who have the same expectations and no part of their own to tell apart, under a common name."""
        alike: dict[object, list[str]] = {}
        for player in self.players:
            expectations = tuple((np.round(play.believed[player], 12) + 0.0).tobytes() for play in self.plays)
            alike.setdefault(player if player in self.regret else expectations, []).append(player)
        return {_group_name(members): tuple(members) for members in alike.values()}

    def __repr__(self) -> str:
        return _as_text(self)

    def __str__(self) -> str:
        return _as_text(self)

    def _repr_html_(self) -> str:
        return _as_html(self)

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


# ---------------------------------------------------------------- the tables that people read


_NEVER = 5e-13  # outcomes that nobody gives more than this are left out

_MEANING = {
    "miscalculation": "an outcome to which some player gave a chance below {chance:g}",
    "unwanted war": "a war that the aggressor would not have started at the true values",
    "missed deterrence": "an attack that true resolve, if known, would have deterred",
    "called bluff": "an attack without war after a move that did not pay",
}

_STYLE = (
    "<style>.perceived{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.4em 0}"
    ".perceived caption{text-align:left;font-weight:600;padding:.2em 0}"
    ".perceived th,.perceived td{padding:.15em .8em;text-align:right}"
    ".perceived th:first-child,.perceived td:first-child{text-align:left}"
    ".perceived thead th{border-bottom:1px solid currentColor}"
    ".perceived td.what{text-align:left;opacity:.75}</style>"
)

Rows = list[list[str]]


def _as_text(outcome: SubjectiveOutcome) -> str:
    """Return the tables as plain text."""
    parts = [f"subjective play: {_overlays_text(outcome.hierarchy, outcome.truth)}", ""]
    head, rows = _outcomes(outcome)
    parts += _align([head, *rows])
    parts += ["", *_align([[name, value] for name, value, _ in _gaps(outcome)]), ""]
    parts += _align(_players(outcome))
    note = _note(outcome)
    return "\n".join([*parts, "", note] if note else parts)


def _as_html(outcome: SubjectiveOutcome) -> str:
    """Return the tables as HTML."""
    head, rows = _outcomes(outcome)
    by_player = _players(outcome)
    gaps = "".join(
        f'<tr><td>{escape(name)}</td><td>{escape(value)}</td><td class="what">{escape(meaning)}</td></tr>'
        for name, value, meaning in _gaps(outcome)
    )
    note = _note(outcome)
    return (
        f"{_STYLE}{_table(_overlays_text(outcome.hierarchy, outcome.truth), head, rows)}"
        f'<table class="perceived"><tbody>{gaps}</tbody></table>'
        f"{_table('', by_player[0], by_player[1:])}" + (f"<p>{escape(note)}</p>" if note else "")
    )


def _overlays_text(hierarchy: Mapping[str, SubjectiveGame], truth: Mapping[str, Any]) -> str:
    """Return in words who is wrong about what."""
    said = []
    for player, belief in hierarchy.items():
        said += _differences(player, belief, truth)
    return "; ".join(said) or "nobody is mistaken"


def _range_text(pair: tuple[float, float]) -> str:
    """Return ``"0.3"``, or ``"0.1 to 0.3"``."""
    low, high = pair
    if low == high or abs(high - low) <= 5e-10 * max(1.0, abs(high)):
        return number_text(high)
    return f"{number_text(low)} to {number_text(high)}"


def _group_name(members: Sequence[str]) -> str:
    """Return a common name for players: ``"A and B"``, ``"A and 5 others"``."""
    return " and ".join(members) if len(members) <= 2 else f"{members[0]} and {len(members) - 1} others"


def _expects(name: str, members: Sequence[str]) -> str:
    """Return ``"A expects"``, or ``"A and B expect"``."""
    return f"{name} {'expects' if len(members) == 1 else 'expect'}"


def _outcomes(outcome: SubjectiveOutcome) -> tuple[list[str], Rows]:
    rows = []
    for one in outcome.ends.outcomes:
        cells = [pair for _, pair in outcome.row(one)]
        if any(high > _NEVER for _, high in cells):
            rows.append([" / ".join(one), *map(_range_text, cells)])
    columns = [_expects(name, members) for name, members in outcome.groups.items()]
    return ["outcome", "true", *columns], rows


def _gaps(outcome: SubjectiveOutcome) -> list[tuple[str, str, str]]:
    rows = []
    for name, meaning in _MEANING.items():
        try:
            value = _range_text(getattr(outcome, name.replace(" ", "_")))
        except GameError:  # nobody is the aggressor, or the game has no such event
            continue
        rows.append((name, value, meaning.format(chance=outcome.stated_chance)))
    return rows


def _players(outcome: SubjectiveOutcome) -> Rows:
    rows = [["player", "surprise (nats)", "chance it gave to what happens", "regret"]]
    for name, members in outcome.groups.items():
        surprise = outcome.surprise[members[0]]
        known = members[0] in outcome.regret and len(members) == 1
        regret = _range_text(outcome.regret[members[0]]) if known else ""
        rows.append([name, _range_text(surprise.divergence), _range_text(surprise.chance), regret])
    return rows if any(row[-1] for row in rows[1:]) else [row[:-1] for row in rows]


def _note(outcome: SubjectiveOutcome) -> str:
    if len(outcome.plays) == 1:
        return ""
    return f"ranges are over {len(outcome.plays)} combinations of equilibria that the players may have in mind"


def _align(rows: Rows) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            ["", row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def _table(caption: str, head: Sequence[str], rows: Rows) -> str:
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="perceived">{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _differences(chain: str, belief: SubjectiveGame, around: Mapping[str, Any]) -> list[str]:
    changed = [
        f"{name} {value}"  # relative to the beliefs around it
        if isinstance(value, str)
        else f"{name} = {number_text(value)}" + (f" (for {number_text(around[name])})" if name in around else "")
        for name, value in belief.values.items()
        if name not in around or (value is not around[name] and repr(value) != repr(around[name]))
    ]
    said = [f"{chain} believes {', '.join(changed)}"] if changed else []
    for player, inner in belief.others.items():
        said += _differences(f"{chain} believes that {player}", inner, belief.values)
    return said

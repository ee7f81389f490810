"""One player who is wrong about parameters: what it sees beside what is true, composed by ``dt.subjective``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.explorer.meshes import EXPECTED, Mesh
from deterrence.explorer.resolution import points_of_curve, sizes_of_map
from deterrence.explorer.state import PREFIX, State
from deterrence.explorer.subjects import Comparison, Slider, Subject
from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import GameError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.perception.outcome import SubjectiveOutcome
from deterrence.perception.subjective import subjective, whose
from deterrence.perception.trees import Ends, tree_of

UNWANTED, MISSED = "unwanted war", "missed deterrence"

_CONCEPTS = ("pbe", "spe", "sequential", "qre")  # that are asked by name; else what fits the form of the game
_NONE_MISTAKEN = "nobody attacks by mistake"
_NOTHING = 1e-9  # a probability that is none

Floats = NDArray[np.float64]
Range = tuple[Any, Any]
Admits = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, eq=False)
class Misperception:
    """Play of a game of two players one of whom takes some parameters for others than they are.

    Attributes
    ----------
    thing : Model, SignalingGame or ExtensiveGame
        As ``dt.subjective`` takes it.
    players : tuple of str
    fixed : mapping
        True values of what does not move.
    events : mapping of str to event
        Name -> what is asked of the game.
    attack, war : str or None
        Names of the events by which mistakes are judged, if the game has them.
    aggressor : str or None
        Whose attack it is.
    made : str
        Lines of Python that make the thing; ``name`` is what they call it.
    name : str
    admits : callable
        From values, arrays among them, to where they make a game as far as can be told without making it.
    """

    thing: Any
    players: tuple[str, ...]
    fixed: Mapping[str, Any]
    events: Mapping[str, Event]
    attack: str | None
    war: str | None
    aggressor: str | None
    made: str
    name: str
    admits: Admits

    @property
    def measures(self) -> tuple[str, ...]:
        """Events beside the game's own: what would not have happened, had the aggressor known the truth."""
        if self.aggressor is None:
            return ()
        return (*((UNWANTED,) if self.war else ()), *((MISSED,) if self.attack else ()))

    @property
    def believer(self) -> str:
        """Who is wrong at first: the aggressor if one is known, or else who moves last."""
        return self.aggressor or self.players[-1]

    def outcome(self, values: Mapping[str, Any], believer: str, seen: Mapping[str, Any], concept: str) -> Any:
        """Return what ``dt.subjective`` gives: an outcome, or a grid if a value is an array."""
        return subjective(
            self.thing,
            truth={**self.fixed, **values},
            beliefs={believer: dict(seen)},
            concept=_asked_as(concept),
            **self._options(),
        )

    def likelihood(
        self, values: Mapping[str, Any], believer: str, seen: Mapping[str, Any], event: str, concept: str
    ) -> BlockAnswer:
        """Return an event's true probability at many points.

        Parameters
        ----------
        values, seen : mapping of str to float or ndarray
            True and perceived values. Arrays broadcast against each other; points are the entries of what they
            broadcast to, row by row. Points where the game or a view of it does not exist have no answer.
        believer : str
        event : str
            Of ``events`` or ``measures``.
        concept : str

        Returns
        -------
        BlockAnswer
            Its kinds say who would have acted otherwise, had it known the truth.
        """
        shape = np.broadcast_shapes(*(np.shape(v) for v in (*values.values(), *seen.values()))) or (1,)

        def ask(true: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Range]:
            found = self.outcome(true, believer, theirs, concept)
            ranges = {event: self._asked(found, event)}
            for name in self.measures:
                try:
                    ranges[name] = self._asked(found, name)
                except GameError:  # mistakes are not told of such trees over arrays
                    continue
            return ranges

        fine = np.broadcast_to(self.admits({**self.fixed, **values}), shape) & np.broadcast_to(
            self.admits({**self.fixed, **values, **seen}), shape
        )
        mesh = Mesh.of(ask, values, seen, fine)
        low, high = (table.get(event, np.full(shape, np.nan)) for table in (mesh.low, mesh.high))
        reasons = dict(mesh.reasons)
        if not mesh.solved.ravel()[0] and 0 not in reasons:
            reasons[0] = self._refused(values, believer, seen, concept)
        wrong = {name: (mesh.low[name], mesh.high[name]) for name in self.measures if name in mesh.low}
        return BlockAnswer(
            low={event: low.ravel()},
            high={event: high.ravel()},
            count=np.ones(low.size, dtype=np.int64),
            kinds=_kinds(wrong, mesh.solved),
            status=np.where(mesh.solved, Status.OK, Status.INVALID).astype(np.uint8).ravel(),
            reasons=reasons,
        )

    def comparison(
        self, values: Mapping[str, float], believer: str, seen: Mapping[str, float], concept: str
    ) -> Comparison:
        """Return what happens beside what each player expects, and what the misperception does."""
        found: SubjectiveOutcome = self.outcome(values, believer, seen, concept)
        right = found.informed
        rows: list[tuple[str, ...]] = []
        for name, event in self.events.items():
            try:
                told = [found.probability(event), *(found.belief(p, event) for p in self.players)]
                rows.append((name, *map(_chance, told), _chance(right.probability(event))))
            except EXPECTED:
                continue
        public = found.ends.public_distribution
        happens = np.array([public(play.true) for play in found.plays])
        expected = [np.array([public(play.believed[p]) for play in found.plays]) for p in self.players]
        for at, outcome in enumerate(found.ends.outcomes):
            told = [(float(t[:, at].min()), float(t[:, at].max())) for t in (happens, *expected)]
            if max(high for _, high in told) > 0:
                rows.append((" / ".join(outcome), *map(_chance, told), ""))
        rows += [(name, _chance(value), *[""] * (len(self.players) + 1)) for name, value in self.gaps(found).items()]
        head = ("", "what happens", *(f"{p} expects" for p in self.players), "if nobody were wrong")
        return Comparison(head, rows, self._words(found, values, believer, seen))

    def gaps(self, found: SubjectiveOutcome) -> dict[str, tuple[float, float]]:
        """Return the measures of the gap between what is expected and what happens, those that the game has."""
        told = {}
        for name in ("miscalculation", "unwanted_war", "missed_deterrence", "called_bluff"):
            try:
                told[name.replace("_", " ")] = getattr(found, name)
            except GameError:  # the game has no attack, or no war
                continue
        return told

    # -- copy as code --------------------------------------------------------------------------------------------------

    def code(
        self,
        values: Mapping[str, float],
        believer: str,
        seen: Mapping[str, float],
        event: str,
        concept: str,
        curve: tuple[str, Sequence[float], int],
        area: tuple[tuple[str, Sequence[float], int], ...],
    ) -> str:
        """Return the Python that gives the numbers of a view.

        Parameters
        ----------
        values, seen : mapping of str to float
        believer, event, concept : str
        curve : (name, (low, high), points)
            What the curve runs along; the name of a perceived value has its prefix.
        area : tuple of such
            The two axes of the map; empty where there is none.
        """
        named = _asked_as(concept)
        meant = {"attack": self.attack, "war": self.war}
        options = "".join(f", {k}={self._in_code(e)}" for k, e in meant.items() if e and self.events[e] != k)
        options += f", concept={named!r}" if named else ""
        lines = [
            "import numpy as np\n\nimport deterrence as dt\n",
            self.made,
            f"values = {_json({**self.fixed, **values})}",
            f"believer = {_json(believer)}",
            f"seen = {_json(dict(seen))}  # what the believer takes for true",
            f"outcome = dt.subjective({self.name}, truth=values, beliefs={{believer: seen}}{options})",
            "print(outcome)",
            f"print({self._question('outcome', event)})",
        ]
        for title, axes in (("curve", (curve,)), ("phases", area)):
            if not axes:
                continue
            letters = ("xs", "ys")[: len(axes)]
            for letter, (_, span, count), form in zip(letters, axes, ("[None, :]", "[:, None]"), strict=False):
                lines.append(
                    f"{letter} = np.linspace({span[0]!r}, {span[1]!r}, {count}){form if len(axes) > 1 else ''}"
                )
            true: dict[str, str] = {}
            theirs: dict[str, str] = {}
            for letter, (name, _, _) in zip(letters, axes, strict=True):
                (theirs if name.startswith(PREFIX) else true)[name.removeprefix(PREFIX)] = letter
            lines += [
                f"{title} = dt.subjective(",
                f"    {self.name},",
                f"    truth={{**values{_joined(true)}}},",
                f"    beliefs={{believer: {{**seen{_joined(theirs)}}}}}{options},",
                ")",
                f"print({self._question(title, event)})",
            ]
        return "\n".join(lines) + "\n"

    # -- private -------------------------------------------------------------------------------------------------------

    def _refused(self, values: Mapping[str, Any], believer: str, seen: Mapping[str, Any], concept: str) -> str:
        """Return why the first point has no answer."""
        first, theirs = ({n: float(np.ravel(v)[0]) for n, v in given.items()} for given in (values, seen))
        try:
            self.outcome(first, believer, theirs, concept)
        except EXPECTED as error:
            return str(error)
        return "too many points near it have no answer, so it was not looked at"

    def _options(self) -> dict[str, Any]:
        meant = {"attack": self.attack, "war": self.war}
        return {role: self.events[name] for role, name in meant.items() if name is not None}

    def _asked(self, found: Any, event: str) -> Range:
        one = isinstance(found, SubjectiveOutcome)
        if event == UNWANTED and event in self.measures:
            pair = found.unwanted_war if one else found.unwanted_war(self.events[str(self.war)])
        elif event == MISSED and event in self.measures:
            pair = found.missed_deterrence if one else found.missed_deterrence(self.events[str(self.attack)])
        else:
            pair = found.probability(self.events.get(event, event))
        return pair[0], pair[1]

    def _question(self, name: str, event: str) -> str:
        """Return the expression that asks an outcome or a grid for an event."""
        one = name == "outcome"
        if event in self.measures:
            stem, meant = ("unwanted_war", self.war) if event == UNWANTED else ("missed_deterrence", self.attack)
            return f"{name}.{stem}" if one else f"{name}.{stem}({self._in_code(str(meant))})"
        return f"{name}.probability({self._in_code(event)})"

    def _in_code(self, event: str) -> str:
        meant = self.events.get(event, event)
        return _json(meant) if isinstance(meant, str) else f"{self.name}.event_map[{_json(event)}]"

    def _words(
        self, found: SubjectiveOutcome, values: Mapping[str, float], believer: str, seen: Mapping[str, float]
    ) -> str:
        wrong = [f"{name} for {value:g} (in truth {values[name]:g})" for name, value in seen.items()
                 if value != values[name]]  # fmt: skip
        if not wrong:
            return f"{believer} sees what is true, so nobody is wrong; move a perceived value away from the true one."
        first = f"{believer} takes {', '.join(wrong)}."
        if self.attack is None:
            return first
        event = self.events[self.attack]
        actual, right = found.probability(event), found.informed.probability(event)
        if all(abs(a - b) < 5e-4 for a, b in zip(actual, right, strict=True)):
            return f"{first} The likelihood of {self.attack} stays at {_chance(actual)}."
        return f"{first} The likelihood of {self.attack} becomes {_chance(actual)} in place of {_chance(right)}."


def misperception_of(
    thing: Any,
    game: Any,
    fixed: Mapping[str, Any],
    events: Mapping[str, Event],
    made: str,
    name: str,
    admits: Admits | None = None,
) -> Misperception | None:
    """Return how a player may be wrong about a game, or None if there is no way or no event to ask for.

    Parameters
    ----------
    thing : Model, SignalingGame or ExtensiveGame
    game : object
        The game at the starting values.
    fixed : mapping
    events : mapping of str to event
    made, name : str
    admits : callable, optional
        See ``Misperception``.
    """
    if not isinstance(game, SignalingGame | ExtensiveGame) or len(game.players) != 2:
        return None
    tree = tree_of(game)
    ends = Ends.of(game, tree)
    events = {name: event for name, event in events.items() if _known(ends, event)}
    if not events:
        return None
    owners = {event: whose(tree, events[event]) for event in events}
    attack = next((e for e in ("attack", *events) if owners.get(e)), None)
    war = "war" if "war" in events else None
    aggressor = owners.get(attack or "")
    everywhere = admits if admits is not None else lambda _: True
    return Misperception(thing, tuple(game.players), fixed, events, attack, war, aggressor, made, name, everywhere)


def _known(ends: Ends, event: Event) -> bool:
    try:
        ends.weights(event)
    except GameError:
        return False
    return True


def _asked_as(concept: str) -> str | None:
    return concept if concept in _CONCEPTS else None


def _kinds(wrong: Mapping[str, tuple[Floats, Floats]], solved: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return what goes wrong at each point, for all expectations that the players may have or for some of them."""
    kinds = {}
    for name, (low, high) in wrong.items():
        always, ever = low > _NOTHING, high > _NOTHING
        kinds[f"{name} whatever they expect"] = (always & solved).ravel()
        kinds[f"{name} if they expect different equilibria"] = (ever & ~always & solved).ravel()
    mistaken = np.any(list(kinds.values()), axis=0) if kinds else np.zeros(solved.size, dtype=np.bool_)
    return {**kinds, _NONE_MISTAKEN if kinds else "mistakes are not told of this game": solved.ravel() & ~mistaken}


def _chance(pair: Range) -> str:
    low, high = float(pair[0]), float(pair[1])
    return f"{low:.1%}" if high - low < 5e-4 else f"{low:.1%} to {high:.1%}"


def _joined(names: Mapping[str, str]) -> str:
    return "".join(f", {_json(name)}: {letter}" for name, letter in names.items())


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


_PROBED = (4, 12)  # points along each side of the maps that are timed


def offer_of(subject: Subject) -> dict[str, Any] | None:
    """Return what the front end is told of perceived values; None where they are not offered."""
    offered = subject.misperception
    if offered is None:
        return None
    return {
        "players": list(offered.players),
        "believer": offered.believer,
        "parameter": subject.axes[0],
        "parameters": [slider.name for slider in subject.sliders],
        "prefix": PREFIX,
        "events": [event for event in subject.events if event in offered.events],
        "measures": list(offered.measures),
    }


def mistaken(subject: Subject, current: State, swept: Mapping[str, Any]) -> BlockAnswer:
    """Return the answer at the points of arrays, by name of the true or perceived value that they are of."""
    true = {name: values for name, values in swept.items() if not name.startswith(PREFIX)}
    seen = {name.removeprefix(PREFIX): values for name, values in swept.items() if name not in true}
    found: BlockAnswer = subject.misperception.likelihood(
        {**current.values, **true}, current.believer, {**current.perceived, **seen}, current.event, current.concept
    )
    return found


def comparison(subject: Subject, current: State) -> Comparison:
    """Return what happens beside what is expected."""
    found: Comparison = subject.misperception.comparison(
        current.values, current.believer, current.perceived, current.concept
    )
    return found


def sizes_of_mistaken(subject: Subject, current: State) -> tuple[tuple[int, ...], int]:
    """Return the points along each side of the maps of mistaken play at a current, and of the curve.

    What is solved is the game as each player sees it. Where one axis moves the believer's view alone and the other
    the view of those who are right alone, these are as many as the points along the sides.
    """
    sliders = {slider.name: slider for slider in subject.sliders}

    names = (current.x, current.y) if current.y is not None else (current.x,)
    separate = len(names) == 1 or any(
        true in current.perceived and seen.startswith(PREFIX) for true, seen in (names, names[::-1])
    )
    power = 1 if separate else 2

    def took(count: int) -> float:
        axes = [_axis(sliders, name).points(count) for name in names]
        meshed = axes if len(axes) == 1 else [axes[0][None, :], axes[1][:, None]]
        begun = time.process_time()
        mistaken(subject, current, dict(zip(names, meshed, strict=True)))
        return time.process_time() - begun

    took(2)  # imports and first uses are not what a point takes
    fewer, more = (took(count) for count in _PROBED)
    each = max(more - fewer, more / 20) / (_PROBED[1] ** power - _PROBED[0] ** power)
    return sizes_of_map(each, power), points_of_curve(each)


def _axis(sliders: Mapping[str, Slider], name: str) -> Slider:
    return sliders[name.removeprefix(PREFIX)]

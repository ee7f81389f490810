"""The outcomes of a component of equilibria, and which of them pass a test.

A component is a product of polytopes: sender strategies, receiver strategies, beliefs off the path. What the
sender's types get depends on the receiver's strategy alone, and linearly. If it is constant, one test
decides. If it runs along a segment, a test that is made of linear inequalities changes its answer at finitely
many points, which linear programs give exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np

from deterrence.games.equilibrium import Equilibrium
from deterrence.games.errors import GameError
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.solvers.algebra.rational_lp import Constraint, minimise
from deterrence.solvers.refining.sets import Outcome, UnsentMessage, slack

TOLERANCE = Fraction(1, 10**9)  # of profiles stated in floats, relative to a player's payoff span
MAX_VERTICES = 20_000  # of a component that has to be cut

TurningPoints: TypeAlias = Callable[[UnsentMessage, tuple[Outcome, Outcome]], set[Fraction]]


@runtime_checkable
class _Product(Protocol):
    """A solver's own vertices: exact ones beside floats, and a few that show all."""

    @property
    def game(self) -> SignalingGame: ...
    def rational(self) -> Sequence[SignalingProfile]: ...
    def interior(self) -> SignalingProfile: ...
    def covering(self) -> Iterator[SignalingProfile]: ...


@dataclass(frozen=True)
class Component:
    """An equilibrium's game and polytopes in rational numbers.

    Attributes
    ----------
    game : SignalingGame
    kind : str
    interior : SignalingProfile
    vertices : sequence of SignalingProfile
    corners : tuple of SignalingProfile
        Vertices among which every vertex of each factor of the product occurs.
    senders : tuple
        The distinct sender strategies among the vertices, as nested tuples (T, M).
    outcomes : tuple of Outcome
        The distinct payoffs of the sender's types among the vertices; one if they are constant.
    tolerance : Fraction
        0 if the profiles are rational or a solver knows them in rational numbers.
    rounded : bool
        Whether the equilibrium was stated in floats, and answers are to be.
    """

    game: SignalingGame
    kind: str
    interior: SignalingProfile
    vertices: Sequence[SignalingProfile] = field(repr=False)
    corners: tuple[SignalingProfile, ...] = field(repr=False)
    senders: tuple[tuple[tuple[Fraction, ...], ...], ...]
    outcomes: tuple[Outcome, ...]
    tolerance: Fraction
    rounded: bool

    @classmethod
    @lru_cache(maxsize=512)  # an equilibrium is asked about several refinements, and is a rival to its siblings
    def of(cls, equilibrium: Equilibrium) -> Component:
        """Read an equilibrium in rational numbers; floats of a game count as the decimals that they print as."""
        stated: SignalingGame = equilibrium.game
        profile = cast(SignalingProfile, equilibrium.profile)
        given = cast(Sequence[SignalingProfile], equilibrium.vertices)
        rounded = not (stated.kind == "exact" and all(_is_rational(p) for p in (*given[:1], profile)))
        if isinstance(given, _Product):
            # a solver's own sequence of vertices knows a few that show all; their product may be large
            exact = given.rational()
            game, tolerance = given.game, Fraction(0)
            interior, vertices = cast(_Product, exact).interior(), exact
            corners = tuple(cast(_Product, exact).covering())
        else:
            game = stated.exact()
            tolerance = TOLERANCE if rounded else Fraction(0)
            interior, vertices = _normalised(profile), [_normalised(v) for v in given]
            corners = tuple(vertices)
        outcomes = [_type_payoffs(game, key) for key in dict.fromkeys(_key(p.receiver) for p in corners)]
        return cls(
            game=game,
            kind=equilibrium.kind,
            interior=interior,
            vertices=vertices,
            corners=corners,
            senders=tuple(dict.fromkeys(_key(p.sender) for p in corners)),
            outcomes=_distinct(outcomes, slack(game.U, tolerance)),
            tolerance=tolerance,
            rounded=rounded,
        )

    def number(self, x: Fraction) -> Any:
        """Return a number as the game has them: rational or float."""
        return float(x) if self.rounded else x


def surviving_part(
    component: Component,
    messages: Sequence[UnsentMessage],
    test: Callable[[Outcome], bool],
    turning_points: TurningPoints | None = None,
) -> tuple[str, tuple[SignalingProfile, ...], Outcome]:
    """Return how much of a component passes a test: "whole", "part" or "nothing"; its vertices; an outcome to explain.

    Parameters
    ----------
    component : Component
    messages : sequence of UnsentMessage
        They keep a record of every linear inequality that the test asks about.
    test : callable
        Of the outcome: whether it survives.
    turning_points : callable, optional
        Of a message and the ends of a segment of outcomes: where else, as a share of the second, the answer
        may change.

    Returns
    -------
    part : str
    surviving : tuple of SignalingProfile
        Where a part passes, the vertices of its closure (of all its pieces, if there are several).
    told : Outcome
        One inside what fails, if something does.

    Raises
    ------
    GameError
        If the sender's payoffs vary in more than one direction and the answer varies with them.
    """
    if len(component.outcomes) == 1:
        outcome = component.outcomes[0]
        passes = test(outcome)
        return "whole" if passes else "nothing", (), outcome
    ends = _ends(component.outcomes)
    middle = _mean(component.outcomes)
    if ends is None:
        passes = test(middle)
        if turning_points or not all(_constant(m, component.outcomes, middle) for m in messages):
            raise GameError(
                "the sender's payoffs vary over the component in more than one direction, and the refinement's "
                "inequalities may hold for some of them only; what survives is then no single polytope, and not decided"
            )
        return "whole" if passes else "nothing", (), middle
    answers = _along(messages, ends, test, turning_points)
    if all(passes for _, _, passes in answers):
        return "whole", (), middle
    told = _between(ends, next((a + b) / 2 for a, b, passes in answers if not passes))
    if not any(passes for _, _, passes in answers):
        return "nothing", (), told
    surviving = [v for a, b in _pieces(answers) for v in _cut(component, ends, a, b)]
    return "part", tuple(surviving), told


def _along(
    messages: Sequence[UnsentMessage],
    ends: tuple[Outcome, Outcome],
    test: Callable[[Outcome], bool],
    turning_points: TurningPoints | None,
) -> list[tuple[Fraction, Fraction, bool]]:
    """Give the answers along a segment of outcomes: points (a, a) and open intervals (a, b), in order."""
    shares = {Fraction(0), Fraction(1)}
    if turning_points:
        shares.update(x for m in messages for x in turning_points(m, ends))
    known: dict[Fraction, bool] = {}
    while True:
        points = sorted(shares)
        points += [(a + b) / 2 for a, b in itertools.pairwise(points)]
        for x in points:
            if x not in known:
                known[x] = test(_between(ends, x))
        more = {
            x
            for m in messages
            for face, low, high in m.asked
            for x in (m.interval(face, ends, low, high) or ())
            if 0 <= x <= 1
        }
        if more <= shares:
            break
        shares |= more
    points = sorted(shares)
    answers = [(points[0], points[0], known[points[0]])]
    for a, b in itertools.pairwise(points):
        answers += [(a, b, known[(a + b) / 2]), (b, b, known[b])]
    return answers


def _pieces(answers: list[tuple[Fraction, Fraction, bool]]) -> list[tuple[Fraction, Fraction]]:
    """Join the answers to the maximal stretches that pass."""
    pieces: list[tuple[Fraction, Fraction]] = []
    unbroken = False
    for a, b, passes in answers:
        if passes:
            pieces = [*pieces[:-1], (pieces[-1][0], b)] if unbroken else [*pieces, (a, b)]
        unbroken = passes
    return pieces


def _cut(component: Component, ends: tuple[Outcome, Outcome], low: Fraction, high: Fraction) -> list[SignalingProfile]:
    """Vertices of the part of a component whose outcomes lie between two shares of a segment."""
    if len(component.vertices) > MAX_VERTICES:
        raise GameError(
            f"part of the component survives, and the component has {len(component.vertices)} vertices; "
            f"a part is worked out for up to {MAX_VERTICES}"
        )
    keys = dict.fromkeys(_key(p.receiver) for p in component.vertices)
    share = {key: _share(ends, _type_payoffs(component.game, key)) for key in keys}
    inside = [_flat(key) for key, x in share.items() if low <= x <= high]
    for bound in (low, high):
        for a, x in share.items():
            for b, y in share.items():
                if x < bound < y:
                    w = (bound - x) / (y - x)
                    inside.append([(1 - w) * p + w * q for p, q in zip(_flat(a), _flat(b), strict=True)])
    corners = [list(c) for c in dict.fromkeys(map(tuple, inside))]
    corners = [c for i, c in enumerate(corners) if not _in_hull(c, corners[:i] + corners[i + 1 :])]
    rest = {(_key(p.sender), _key(p.posterior)): p for p in component.vertices}
    shape = component.interior.receiver.shape
    return [
        SignalingProfile(
            sender=_array(component, _flat(_key(p.sender)), p.sender.shape),
            receiver=_array(component, corner, shape),
            posterior=_array(component, _flat(_key(p.posterior)), p.posterior.shape),
        )
        for p in rest.values()
        for corner in corners
    ]


def _constant(m: UnsentMessage, outcomes: Sequence[Outcome], middle: Outcome) -> bool:
    """Whether each inequality asked about a message has the same answer at all outcomes in the hull."""
    return all(
        all(m.reachable(face, o, low, high) for o in outcomes)
        if m.reachable(face, middle, low, high)
        else not m.ever(face, outcomes, low, high)
        for face, low, high in list(m.asked)
    )


def _ends(outcomes: Sequence[Outcome]) -> tuple[Outcome, Outcome] | None:
    """Find the ends of the segment on which all outcomes lie; None if they lie on no segment."""
    low, high = min(outcomes), max(outcomes)
    far = max(range(len(low)), key=lambda t: abs(high[t] - low[t]))
    for outcome in outcomes:
        w = (outcome[far] - low[far]) / (high[far] - low[far])
        off = max(abs((1 - w) * a + w * b - x) for a, b, x in zip(low, high, outcome, strict=True))
        if off > TOLERANCE * abs(high[far] - low[far]):
            return None
    return low, high


def _share(ends: tuple[Outcome, Outcome], outcome: Outcome) -> Fraction:
    low, high = ends
    far = max(range(len(low)), key=lambda t: abs(high[t] - low[t]))
    return (outcome[far] - low[far]) / (high[far] - low[far])


def _between(ends: tuple[Outcome, Outcome], share: Fraction) -> Outcome:
    return tuple((1 - share) * a + share * b for a, b in zip(*ends, strict=True))


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    return tuple(sum(column, Fraction(0)) / len(outcomes) for column in zip(*outcomes, strict=True))


def _distinct(outcomes: list[Outcome], slack: Fraction) -> tuple[Outcome, ...]:
    kept: list[Outcome] = []
    for outcome in outcomes:
        if all(max(abs(x - y) for x, y in zip(outcome, other, strict=True)) > slack for other in kept):
            kept.append(outcome)
    return tuple(kept)


def _in_hull(point: list[Fraction], corners: list[list[Fraction]]) -> bool:
    equal: list[Constraint] = [([c[i] for c in corners], x) for i, x in enumerate(point)]
    equal.append(([1] * len(corners), 1))
    return bool(corners) and minimise([0] * len(corners), equal=equal) is not None


def _type_payoffs(game: SignalingGame, receiver: Any) -> Outcome:
    """Compute the best that each sender type can get against a receiver's strategy."""
    view = game.sender_view
    types, q_types, messages, responses = game.shape
    return tuple(
        max(
            sum(
                (
                    Fraction(view[t, q]) * receiver[q][m][r] * Fraction(game.U[t, q, m, r])
                    for q in range(q_types)
                    for r in range(responses)
                ),
                Fraction(0),
            )
            for m in range(messages)
        )
        for t in range(types)
    )


def _normalised(profile: SignalingProfile) -> SignalingProfile:
    """Return a profile in rational numbers whose distributions sum to exactly one."""

    def rows(array: Array) -> Array:
        exact = np.array([[Fraction(x) for x in row] for row in array.reshape(-1, array.shape[-1]).tolist()])
        return np.asarray(exact / exact.sum(axis=1, keepdims=True)).reshape(array.shape)

    return SignalingProfile(rows(profile.sender), rows(profile.receiver), rows(profile.posterior))


def _is_rational(profile: SignalingProfile) -> bool:
    return bool(profile.sender.dtype == profile.receiver.dtype == object)


def _key(array: Array) -> Any:
    return _tuples(np.asarray(array).tolist())


def _tuples(nested: Any) -> Any:
    return tuple(_tuples(x) for x in nested) if isinstance(nested, list) else Fraction(nested)


def _flat(key: Any) -> list[Fraction]:
    return [x for row in key for x in _flat(row)] if isinstance(key[0], tuple) else list(key)


def _array(component: Component, flat: list[Fraction], shape: tuple[int, ...]) -> Array:
    if component.rounded:
        return np.array([float(x) for x in flat]).reshape(shape)
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(shape)

"""The rules that strike types out of beliefs after one unsent message, as inclusions between sets of best replies.

Each rule takes the message and the outcome (what the sender's types get in equilibrium) and returns a
``Ruling``. The definitions and sources stand in ``refinements``. An inclusion such as "wherever t gains or
breaks even, t' gains" is decided by its closed denial: on no polytope of best replies is there a point with
``u(t) >= u*(t)`` and ``u(t') <= u*(t')``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import TypeAlias

from deterrence.games.errors import GameError
from deterrence.solvers.refining.sets import Beliefs, Face, Outcome, Types, UnsentMessage

MAX_TYPES = 10  # divinity looks at all sets of types


@dataclass(frozen=True)
class Struck:
    """Why a type is struck out: the best it can get is too low, or others gain wherever it does."""

    by: tuple[int, ...] = ()
    most: Fraction | None = None  # the best that the type gets over the best replies, if that is below what it has
    least_gain: Fraction | None = (
        None  # the least that the best-off among ``by`` gains where the type gains or breaks even
    )
    where: str = ">="  # the relation of the type's payoff to what it has where the gain is taken


@dataclass(frozen=True)
class Ruling:
    """What a rule says of one message.

    Attributes
    ----------
    pruned : mapping
        The types struck out, and why.
    beliefs : Beliefs
        What is left.
    survives : bool
        Whether some reply to these beliefs keeps all types at home (for the intuitive criterion: each of
        them).
    tempted : tuple of int
        Types that gain at every reply left (intuitive criterion).
    notes : tuple
        What another equilibrium has to say (undefeated).
    """

    pruned: Mapping[int, Struck]
    beliefs: Beliefs
    survives: bool
    tempted: tuple[int, ...] = ()
    notes: tuple[Mapping[str, object], ...] = field(default=())


Rule: TypeAlias = Callable[[UnsentMessage, Outcome], Ruling]


def intuitive(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Strike out types that no best reply could tempt; then look for a type that every remaining reply tempts."""
    faces = m.faces(m.simplex(m.types))
    dominated = {t for t in m.types if not _anywhere(m, faces, outcome, at_least={t})}
    if dominated == m.types:
        dominated = set()
    kept = m.types - dominated
    left = m.faces(m.simplex(kept))
    tempted = tuple(t for t in sorted(kept) if not _anywhere(m, left, outcome, at_most={t}))
    pruned = {t: Struck(most=_most(m, faces, t)) for t in sorted(dominated)}
    return Ruling(pruned, m.simplex(kept), survives=not tempted, tempted=tempted)


def d1(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Strike out a type if one other type gains wherever it gains or breaks even."""
    faces = m.faces(m.simplex(m.types))
    pruned: dict[int, Struck] = {}
    for t in sorted(m.types):
        by = [s for s in sorted(m.types - {t}) if _can_gain(m, faces, outcome, s)
              and not _anywhere(m, faces, outcome, at_least={t}, at_most={s})]  # fmt: skip
        if by:
            pruned[t] = _struck(m, faces, outcome, t, by[:1])
    return _on(m, outcome, pruned)


def d2(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Strike out a type if wherever it gains or breaks even some other type gains."""
    return _pruned_by_union(m, outcome, break_even=False)


def never_weak_best_response(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Strike out a type if wherever it just breaks even some other type gains."""
    return _pruned_by_union(m, outcome, break_even=True)


def universal_divinity(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Iterate: strike out a type unless at some reply left it gains or breaks even and no other type gains.

    A round that would strike out every type that is left is not made, as Banks and Sobel have it; the replies
    left then tempt someone, so that the outcome fails anyway.
    """
    kept, pruned = m.types, dict[int, Struck]()
    while True:
        faces = m.faces(m.simplex(kept))
        if not any(_can_gain(m, faces, outcome, t) for t in m.types):
            break
        out = [t for t in sorted(kept) if not _anywhere(m, faces, outcome, at_least={t}, at_most=m.types - {t})]
        if not out or len(out) == len(kept):
            break
        pruned.update({t: _struck(m, faces, outcome, t, sorted(m.types - {t})) for t in out})
        kept = kept - set(out)
    return Ruling(pruned, m.simplex(kept), survives=is_supported(m, outcome, m.simplex(kept)))


def divinity(m: UnsentMessage, outcome: Outcome) -> Ruling:
    """Iterate: beliefs are averages of the prior given sets S of types that might just be those that send the message.

    S might be if at some reply left all of S gain or break even and no other type gains; then types of S that
    gain send for sure, and those that break even may. The hull of the priors given such S is the hull of all
    beliefs that Bayes' rule allows at some reply: where some type gains, the sets S there are the corners of
    that reply's beliefs; where none does, single types that break even are.
    """
    check_positive_prior(m, "divinity")
    if len(m.types) > MAX_TYPES:
        raise GameError(
            f"divinity looks at all sets of types; it is decided for up to {MAX_TYPES} types, got {len(m.types)}"
        )
    sets = [frozenset(s) for n in range(1, len(m.types) + 1) for s in combinations(sorted(m.types), n)]
    kept, beliefs, pruned = sets, m.simplex(m.types), dict[int, Struck]()
    while True:
        faces = m.faces(beliefs)
        still = [s for s in kept if _anywhere(m, faces, outcome, at_least=s, at_most=m.types - s)]
        if not still or still == kept:
            break
        for t in sorted(frozenset[int]().union(*kept) - frozenset[int]().union(*still)):
            pruned[t] = _struck(m, faces, outcome, t, sorted(m.types - {t}))
        kept, beliefs = still, (tuple(m.belief_given(s) for s in still),)
    return Ruling(pruned, beliefs, survives=is_supported(m, outcome, beliefs))


def is_supported(m: UnsentMessage, outcome: Outcome, beliefs: Beliefs) -> bool:
    """Return whether some best reply to some of these beliefs keeps every type at home."""
    return _anywhere(m, m.faces(beliefs), outcome, at_most=m.types)


def check_positive_prior(m: UnsentMessage, what: str) -> None:
    """Raise GameError if some type has prior zero: Bayes' rule among the types is then not defined."""
    if any(p <= 0 for p in m.prior):
        raise GameError(f"{what} compares beliefs with the receiver's prior, which must be positive for every type")


def _pruned_by_union(m: UnsentMessage, outcome: Outcome, *, break_even: bool) -> Ruling:
    faces = m.faces(m.simplex(m.types))
    pruned: dict[int, Struck] = {}
    for t in sorted(m.types):
        others = m.types - {t}
        if not any(_can_gain(m, faces, outcome, s) for s in others):
            continue
        at_most = m.types if break_even else others
        if not _anywhere(m, faces, outcome, at_least={t}, at_most=at_most):
            pruned[t] = _struck(m, faces, outcome, t, sorted(others), break_even=break_even)
    return _on(m, outcome, pruned)


def _on(m: UnsentMessage, outcome: Outcome, pruned: Mapping[int, Struck]) -> Ruling:
    beliefs = m.simplex(m.types - set(pruned))
    return Ruling(pruned, beliefs, survives=is_supported(m, outcome, beliefs))


def _anywhere(
    m: UnsentMessage,
    faces: list[Face],
    outcome: Outcome,
    *,
    at_least: set[int] | Types = frozenset(),
    at_most: set[int] | Types = frozenset(),
) -> bool:
    return any(m.reachable(face, outcome, frozenset(at_least), frozenset(at_most)) for face in faces)


def _can_gain(m: UnsentMessage, faces: list[Face], outcome: Outcome, t: int) -> bool:
    for face in faces:
        m.asked.add((face, frozenset({t}), frozenset()))
    return _most(m, faces, t) > outcome[t] + m.slack_sender


def _most(m: UnsentMessage, faces: list[Face], t: int) -> Fraction:
    return max(m.most(face, t) for face in faces)


def _struck(
    m: UnsentMessage, faces: list[Face], outcome: Outcome, t: int, by: list[int], *, break_even: bool = False
) -> Struck:
    most = _most(m, faces, t)
    if most < outcome[t] - m.slack_sender:
        return Struck(by=tuple(by) if len(by) == 1 else (), most=most)
    alone = frozenset({t})
    where = {"break_even": alone} if break_even else {"at_least": alone}
    found = [m.least_gain(face, outcome, frozenset(by), **where) for face in faces]
    gains = [gain for gain in found if gain is not None]
    return Struck(by=tuple(by), least_gain=min(gains, default=None), where="=" if break_even else ">=")

"""Undefeated equilibrium: what another equilibrium makes of a message that is not sent in this one.

An outcome is defeated by an equilibrium e' if a message m that it never uses is sent in e' exactly by the types K, each
of them at least as well off in e' as here and some better, and no belief that Bayes' rule could then give supports the
outcome: better-off types of K send m for sure, the others in K with any probability, no one else (Mailath,
Okuno-Fujiwara and Postlewaite 1993, J. Econ. Theory 60, 241-276). With several such e' one belief has to satisfy all.
A component of e' contributes every equilibrium in it: every set of senders of m, and every payoff.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from deterrence.solvers.algebra.rational_lp import Constraint, minimise
from deterrence.solvers.refining.outcomes import Component
from deterrence.solvers.refining.rules import Rule, Ruling, Struck, check_positive_prior, is_supported
from deterrence.solvers.refining.sets import Outcome, Polytope, Types, UnsentMessage


def undefeated_by(component: Component, rivals: Sequence[Component]) -> Rule:
    """Return the rule that asks of each unsent message what the rivals make of it."""

    def rule(m: UnsentMessage, outcome: Outcome) -> Ruling:
        check_positive_prior(m, "undefeated")
        challenges = [(rival, *c) for rival in rivals for c in _challenges(m, outcome, rival)]
        if not challenges:
            return Ruling({}, m.simplex(m.types), survives=is_supported(m, outcome, m.simplex(m.types)))
        beliefs = tuple(dict.fromkeys(polytope for *_, polytope in challenges))
        allowed = frozenset(range(len(outcome))).intersection(*(senders for _, senders, _, _ in challenges))
        notes = tuple(_note(component, outcome, *challenge[:3]) for challenge in challenges)
        pruned = {t: Struck() for t in sorted(m.types - allowed)}
        return Ruling(pruned, beliefs, survives=is_supported(m, outcome, beliefs), notes=notes)

    return rule


def turning_points(m: UnsentMessage, ends: tuple[Outcome, Outcome], rivals: Sequence[Component]) -> set[Fraction]:
    """Return the shares of the second of two outcomes at which a challenge to outcomes between them begins or ends.

    The senders K are all at least as well off in some equilibrium of a rival for an interval of shares, and
    the largest gain of any of them is concave in the share: within the interval it is positive throughout or
    zero throughout.
    """
    found: set[Fraction] = set()
    for rival in rivals:
        for senders in _sender_sets(rival, m.message):
            n = len(rival.outcomes) + 2  # weights of the rival's outcomes, then of the two ends
            rows: list[Constraint] = [
                ([*(-there[t] for there in rival.outcomes), ends[0][t], ends[1][t]], m.slack_sender)
                for t in sorted(senders)
            ]
            equal: list[Constraint] = [([1] * (n - 2) + [0, 0], 1), ([0] * (n - 2) + [1, 1], 1)]
            for sign in (1, -1):
                best = minimise([0] * (n - 1) + [sign], rows, equal)
                if best is not None:
                    found.add(sign * best[0])
    return found


def _challenges(m: UnsentMessage, outcome: Outcome, rival: Component) -> list[tuple[Types, Types, Polytope]]:
    """Find senders of m in equilibria of a rival, those of them better off there, and the beliefs then allowed."""
    found: list[tuple[Types, Types, Polytope]] = []
    for senders in _sender_sets(rival, m.message):
        better = _better_off(rival.outcomes, outcome, senders, m.slack_sender)
        if better:
            free = sorted(senders - better)
            sets = [better.union(extra) for n in range(len(free) + 1) for extra in combinations(free, n)]
            found.append((senders, better, tuple(m.belief_given(s) for s in sets)))
    return found


def _sender_sets(rival: Component, message: int) -> list[Types]:
    """Every set of types that send a message with positive probability in some equilibrium of a component."""
    sets: set[Types] = set()
    for sender in rival.senders:
        mine = frozenset(t for t, row in enumerate(sender) if row[message] > rival.tolerance)
        sets |= {mine} | {mine | other for other in sets}
    return sorted((s for s in sets if s), key=sorted)


def _better_off(outcomes: Sequence[Outcome], here: Outcome, senders: Types, slack: Fraction) -> Types:
    """Find the senders that gain in the rival at some payoffs that make no sender worse off."""
    order = sorted(senders)
    rows: list[Constraint] = [([-there[t] for there in outcomes], slack - here[t]) for t in order]
    better = []
    for t in order:
        best = minimise([-there[t] for there in outcomes], rows, [([1] * len(outcomes), 1)])
        if best is None:
            return frozenset()
        if -best[0] > here[t] + slack:
            better.append(t)
    return frozenset(better)


def _note(component: Component, here: Outcome, rival: Component, senders: Types, better: Types) -> Mapping[str, Any]:
    types = component.game.types
    return {
        "defeated_by": rival.kind,
        "senders": tuple(types[t] for t in sorted(senders)),
        "better_off": tuple(types[t] for t in sorted(better)),
        "payoffs": {types[t]: component.number(here[t]) for t in sorted(senders)},
        "payoffs_there": {types[t]: component.number(max(o[t] for o in rival.outcomes)) for t in sorted(senders)},
    }

r"""Refinements of perfect Bayesian equilibrium in signaling games: which beliefs off the path are credible.

Let ``u*(t)`` be what type t gets in equilibrium, m a message that nobody sends, ``Theta`` the set of types,
``BR(K, m)`` the receiver's best replies to beliefs on the types K, and ``MBR(K, m)`` the mixed ones: the
union, over beliefs on K, of all mixtures of responses optimal at that belief. For a type t,

    ``D(t, m) = {a in MBR(Theta, m): u(t, m, a) > u*(t)}``, where t gains, and

    ``D0(t, m) = {a in MBR(Theta, m): u(t, m, a) = u*(t)}``, where t breaks even.

For each unsent message m, the refinements say:

``intuitive``
    Let J be the types t with ``max over BR(Theta, m) of u(t, m, a) < u*(t)``. The outcome fails if J is not
    all of Theta and some t outside J has ``min over BR(Theta - J, m) of u(t, m, a) > u*(t)``. (The
    intuitive criterion, Cho and Kreps 1987 [1]_, section IV; the test is made type by type.)
``d1``
    Type t is struck out if some t' has D(t', m) nonempty and ``D(t, m) + D0(t, m)`` within ``D(t', m)``.
    [1]_
``d2``
    Type t is struck out if some other type can gain and ``D(t, m) + D0(t, m)`` lies within the union of the
    ``D(t', m)``, t' other than t. [1]_
``nwbr``
    Never a weak best response: t is struck out if some other type can gain and ``D0(t, m)`` lies within the
    union of the ``D(t', m)``, t' other than t. (Kohlberg and Mertens 1986 [2]_, in the form of [1]_ for
    signaling games.)
``divinity``
    Beliefs may not shift weight from types that gain more readily: at a response a, the types that gain
    send m for sure, those that break even with any probability, the rest never, and beliefs follow by
    Bayes' rule from the prior. The beliefs allowed are the convex hull over all a in MBR; best replies to
    those beliefs take the place of MBR, and so on until nothing changes. (Banks and Sobel 1987 [3]_, divine
    equilibrium.) A type that gains at some responses only is not ruled out, as it may be by d1; but its
    probability relative to a type that gains more readily may not exceed the prior's.
``universal divinity``
    Divine for every prior: a type remains if, at some a that is still a best reply, it gains or breaks even
    and no other type, struck out or not, gains; beliefs may be any on the types that remain; best replies
    to them take the place of MBR, and so on until nothing changes. [3]_ This is d2 iterated: its first
    round is d2, and what is universally divine is divine.
``undefeated``
    The outcome is defeated if m is sent in another equilibrium e', exactly by the types K, all of whom are
    at least as well off in e' and some better, and the belief after m is not what Bayes' rule gives when
    the better-off types of K send m for sure, the other types in K with any probability, and no others.
    (Mailath, Okuno-Fujiwara and Postlewaite 1993 [4]_, with equilibria that mix among the e'.)

All but the intuitive criterion restrict beliefs; an outcome survives if, after every unsent message, some
best reply to some belief that is left keeps every type at home (``u(t, m, a) <= u*(t)`` for all t). d1, d2
and nwbr are applied once, not iterated. Types of prior zero count like others, but divinity and undefeated
need positive priors. Pruning grows in the order intuitive, d1, d2, nwbr.

What is judged is the *outcome*: off the path the same outcome may be supported by many beliefs, and an
equilibrium does not fail because the belief stated with it is not credible if another one supports the same
outcome. ``Verdict.reasons`` says of each message whether the component's own beliefs are among those that
the refinement allows (``"own_beliefs"``: ``"all"``, ``"some"``, ``"none"``). Where the sender's payoffs
vary over a component, its outcomes are judged one by one, and the verdict's ``part`` and ``surviving`` say
which of them survive.

With receiver types, beliefs after an unsent message are tied: all types see the same message, so their
beliefs come from the same likelihoods of it (``refinement_sets``). An outcome that only beliefs with no
common origin hold up fails.

All inclusions are decided exactly, by linear programs over each polytope of best replies (see
``refinement_sets``).

References
----------
.. [1] I.-K. Cho and D. M. Kreps, "Signaling Games and Stable Equilibria", Q. J. Econ. 102 (1987), 179-221.
.. [2] E. Kohlberg and J.-F. Mertens, "On the Strategic Stability of Equilibria", Econometrica 54 (1986),
   1003-1037.
.. [3] J. S. Banks and J. Sobel, "Equilibrium Selection in Signaling Games", Econometrica 55 (1987), 647-661.
.. [4] G. J. Mailath, M. Okuno-Fujiwara and A. Postlewaite, "Belief-Based Refinements in Signalling Games", J. Econ.
   Theory 60 (1993), 241-276.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from deterrence.games.equilibrium import Equilibrium, Verdict
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.refining.outcomes import Component, surviving_part
from deterrence.solvers.refining.reasons import reason
from deterrence.solvers.refining.rules import (
    Rule,
    Ruling,
    d1,
    d2,
    divinity,
    intuitive,
    is_supported,
    never_weak_best_response,
    universal_divinity,
)
from deterrence.solvers.refining.sets import Outcome, UnsentMessage, unsent_messages
from deterrence.solvers.refining.undefeated import turning_points, undefeated_by

_RULES: Mapping[str, Rule] = {
    "intuitive": intuitive,
    "d1": d1,
    "d2": d2,
    "divinity": divinity,
    "universal divinity": universal_divinity,
    "nwbr": never_weak_best_response,
}
REFINEMENTS = (*_RULES, "undefeated")

_ALIASES = {
    "intuitive criterion": "intuitive",
    "ic": "intuitive",
    "cho kreps": "intuitive",
    "divine": "divinity",
    "universally divine": "universal divinity",
    "ud": "universal divinity",
    "never a weak best response": "nwbr",
    "never weak best response": "nwbr",
    "undefeated equilibrium": "undefeated",
    "mop": "undefeated",
}


def refine(equilibrium: Equilibrium, name: str, siblings: Sequence[Equilibrium] | None = None) -> Verdict:
    """Return what a refinement says of a perfect Bayesian equilibrium of a signaling game, with its reasons.

    Parameters
    ----------
    equilibrium : Equilibrium
        Of a ``SignalingGame``; a point or a component (a product of polytopes, by its vertices).
    name : str
        One of ``REFINEMENTS`` or a usual alias; case, spaces, hyphens and underscores do not matter.
    siblings : sequence of Equilibrium, optional
        All equilibria of the game; needed by ``"undefeated"``.

    Returns
    -------
    Verdict
        ``part`` is ``"whole"`` if every outcome of the component survives; ``surviving`` holds vertices where
        a part does (``"part"``; of its closure). Each reason is a mapping with the ``message``, the types
        ``pruned`` and, by type, ``by`` whom, the ``inequality`` and its ``numbers``; the vertices of the
        ``beliefs`` that are left; whether the outcome ``survives`` there and, if not, the ``shortfall``: what
        some type gains, in the sender's payoff units, at the best reply that tempts least.

    Raises
    ------
    GameError
        If the name is not known, the game is no signaling game, siblings are needed and missing, or the
        question cannot be decided exactly (a game too large, payoffs that vary over a component in more than
        one direction, receiver types whose beliefs have no common origin); the message says which.
    """
    name = canonical_name(name)
    if not isinstance(equilibrium.game, SignalingGame):
        raise GameError(f"refinements are defined for signaling games, got a {type(equilibrium.game).__name__}")
    component = Component.of(equilibrium)
    messages = unsent_messages(component.game, component.interior.sender, component.tolerance)
    if name == "undefeated":
        if siblings is None:
            raise GameError(
                "undefeated compares an equilibrium with all others: ask one from the set that dt.pbe returned"
            )
        rivals = [Component.of(e) for e in siblings]
        rule, turns = undefeated_by(component, rivals), partial(turning_points, rivals=rivals)
    else:
        rule, turns = _RULES[name], None

    @cache
    def rulings(outcome: Outcome) -> list[tuple[UnsentMessage, Ruling]]:
        return [(m, _ruling(name, rule, m, outcome)) for m in messages]

    def test(outcome: Outcome) -> bool:
        return all(r.survives for _, r in rulings(outcome))

    part, surviving, told = surviving_part(component, messages, test, turns)
    # the reasons are given at an outcome inside what fails, if something does
    reasons: list[Mapping[str, Any]] = [
        reason(component, m, r, told) for m, r in rulings(told) if r.pruned or not r.survives
    ]
    return Verdict(refinement=name, survives=part != "nothing", part=part, reasons=tuple(reasons), surviving=surviving)


def _ruling(name: str, rule: Rule, m: UnsentMessage, outcome: Outcome) -> Ruling:
    everything = m.simplex(m.types)
    if name != "intuitive" and not is_supported(m, outcome, everything):  # held up by beliefs with no common origin
        return Ruling({}, everything, survives=False)
    return rule(m, outcome)


def canonical_name(name: str) -> str:
    """Return the name of a refinement as ``REFINEMENTS`` has it.

    Raises
    ------
    GameError
        If there is none of that name.
    """
    plain = " ".join(str(name).lower().replace("-", " ").replace("_", " ").split())
    plain = _ALIASES.get(plain, plain)
    if plain not in REFINEMENTS:
        hint = did_you_mean(plain, [*REFINEMENTS, *_ALIASES])
        raise GameError(f"no refinement {name!r}; there are {', '.join(map(repr, REFINEMENTS))}{hint}")
    return plain

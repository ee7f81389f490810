"""How likely an attack is to invoke the treaty, for each kind of attack and each rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deterrence.games.costs import stack_last
from deterrence.games.invocation import Invocation, InvocationRule, invocation
from deterrence.games.participation import Member


def treaty_invocation(
    members: Sequence[Member],
    attack: str,
    *,
    rule: InvocationRule | str | Mapping[str, Any] = "unanimity",
    shared_intelligence: Any = 0.0,
) -> Invocation:
    """Return P(invoked | attack), and P(member i recognises | attack, not invoked).

    Parameters
    ----------
    members : sequence of Member
        Their ``recognition`` of the attack counts, nothing else.
    attack : str
        Kind of attack.
    rule : InvocationRule, str or mapping
        See ``InvocationRule.of``.
    shared_intelligence : array_like, shape (...)
        chi in [0, 1].

    Raises
    ------
    GameError
        If the rule does not fit the members, or a member has no recognition of that attack.

    Examples
    --------
    >>> council = [Member(name=n, recognition=p) for n, p in zip("abcde", (0.9, 0.8, 0.7, 0.6, 0.5))]
    >>> round(float(treaty_invocation(council, "hybrid").probability), 10)
    0.1512
    """
    votes, quota = InvocationRule.of(rule).ballot([member.name for member in members])
    return invocation(stack_last([member.recognises(attack) for member in members]), votes, quota, shared_intelligence)

"""The treaty: what members have agreed, how they vote, and whether an attack invokes it.

Member i recognises attack x with probability e_i. With probability chi (``shared_intelligence``) all members
share one assessment, drawn once at the mean of e; else draws are independent. The treaty is invoked iff the
votes of those who recognise reach the quota of the rule. So P(invoked) is the tail of a weighted
Poisson-binomial distribution, mixed with chi.

Where members talk before they vote, member i holds the common assessment with probability tau_i
(``alliances.cheap_talk``) and its own otherwise. Given the common draw C, which is 1 with probability mean(e),
members are independent again, each recognising with probability tau_i C + (1 - tau_i) e_i: so P(invoked) is the mean
of two tails. All tau_i = 0 gives independent draws, all tau_i = 1 one assessment, as chi = 1 does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.declarations import check_numbers, number
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.renaming import renamed_fields
from deterrence.games.values import Value

Floats = NDArray[np.float64]

KINDS = ("threshold", "unanimity", "majority", "lead", "votes")


@dataclass(frozen=True, kw_only=True, eq=False)
class InvocationRule(Value):
    """How many, or whose, votes invoke the treaty.

    Attributes
    ----------
    kind : str
        ``"threshold"`` (at least ``threshold`` members), ``"unanimity"``, ``"majority"`` (more than half),
        ``"lead"`` (the member ``lead`` decides) or ``"votes"`` (votes of those who recognise reach ``quota``;
        a member not named has none).
    threshold : int
        1..N, for kind ``threshold``.
    lead : str
        A member's name, for kind ``lead``.
    votes : mapping of str to float
        Votes >= 0 by member, for kind ``votes``.
    quota : float
        Votes needed, in (0, sum of votes], for kind ``votes``.

    Raises
    ------
    GameError
        If the kind is unknown or its own field is missing.
    """

    kind: str = "unanimity"
    threshold: int = 0
    lead: str = ""
    votes: Mapping[str, float] = field(default_factory=dict)
    quota: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS)
            raise GameError(f"rule must be one of {', '.join(KINDS)}, got {self.kind!r}{hint}")
        if self.kind == "threshold" and (not isinstance(self.threshold, int) or self.threshold < 1):
            raise GameError(f"rule 'threshold' needs a whole number of members, at least 1, got {self.threshold!r}")
        if self.kind == "lead" and not self.lead:
            raise GameError("rule 'lead' needs the name of a member in lead")
        if self.kind == "votes" and not (self.votes and self.quota > 0):
            raise GameError(
                f"rule 'votes' needs votes by member and a quota above 0, got {dict(self.votes)}, quota {self.quota:g}"
            )

    @classmethod
    def of(cls, value: InvocationRule | str | Mapping[str, Any]) -> InvocationRule:
        """Return a rule from its short form.

        Parameters
        ----------
        value : InvocationRule, str or mapping
            ``"unanimity"``, ``"majority"``, ``{"threshold": k}``, ``{"lead": name}`` or ``{"votes": {...},
            "quota": x}``.
        """
        if isinstance(value, InvocationRule):
            return value
        if isinstance(value, str):
            return cls(kind=value)
        if isinstance(value, Mapping):
            keys = set(value)
            if keys == {"threshold"}:
                return cls(kind="threshold", threshold=value["threshold"])
            if keys == {"lead"}:
                return cls(kind="lead", lead=value["lead"])
            if keys == {"votes", "quota"}:
                return cls(kind="votes", votes=dict(value["votes"]), quota=float(value["quota"]))
        raise GameError(
            "rule must be 'unanimity', 'majority', {threshold: k}, {lead: name} or {votes: {...}, quota: x}, "
            f"got {value!r}"
        )

    def count(self, members: int) -> tuple[int, int]:
        """Return how many must agree out of how many, for rules that count members; one of one for a lead nation.

        Raises
        ------
        GameError
            If the rule weighs votes: then it matters who agrees first.
        """
        if self.kind == "votes":
            raise GameError("deliberation needs a rule that counts members or a lead nation, got 'votes'")
        if self.kind == "lead":
            return 1, 1
        return members, {"threshold": self.threshold, "unanimity": members, "majority": members // 2 + 1}[self.kind]

    def ballot(self, members: Sequence[str]) -> tuple[Floats, float]:
        """Return the votes of each member, shape (N,), and the quota.

        Raises
        ------
        GameError
            If a name is not among the members, or the quota cannot be reached.
        """
        n = len(members)
        if self.kind == "lead":
            _known(self.lead, members)
            return np.array([float(name == self.lead) for name in members]), 1.0
        if self.kind == "votes":
            for name, vote in self.votes.items():
                _known(name, members)
                if not vote >= 0:
                    raise GameError(f"votes of {name} must be at least 0, got {vote}")
            votes = np.array([float(self.votes.get(name, 0.0)) for name in members])
            if self.quota > votes.sum() * (1 + 1e-12):
                raise GameError(
                    f"quota {self.quota:g} exceeds the sum of votes {votes.sum():g}: nothing would invoke the treaty"
                )
            return votes, self.quota
        if self.kind == "threshold" and self.threshold > n:
            raise GameError(
                f"threshold {self.threshold} exceeds the number of members {n}: nothing would invoke the treaty"
            )
        quota = {"threshold": self.threshold, "unanimity": n, "majority": n // 2 + 1}[self.kind]
        return np.ones(n), float(quota)


@renamed_fields(talk="cheap_talk")
@dataclass(frozen=True, kw_only=True, eq=False)
class Treaty(Value):
    """What the members have agreed.

    Attributes
    ----------
    rule : InvocationRule, str or mapping
        ``"unanimity"``, ``"majority"``, ``{"threshold": k}``, ``{"lead": name}`` or ``{"votes": {...},
        "quota": x}``.
    shared_intelligence : array_like
        chi in [0, 1], probability that all members share one assessment of the attack.
    integration : array_like
        iota >= 0: assisting strength is multiplied by 1 + iota once the treaty is invoked.
    consultation : array_like
        Days that consultation adds to every member's delay when the treaty is invoked; >= 0.
    deliberation : array_like
        Mean days that each member needs to agree; consultation lasts until enough have; >= 0.
    automaticity : array_like
        Obligation that the treaty itself lays on every member once it is invoked; >= 0.
    incidents : array_like
        Probability in [0, 1] that, if the aggressor refrains, something happens that members may take for an
        attack of the first kind, each with its ``false_alarm``; added to that kind's own ``incidents``.
    cheap_talk : array_like
        Probability in [0, 1] that a member is heard when members talk before they vote. How much survives the talk
        depends on the differences between their ``bias``: the most informative equilibrium of cheap talk
        (``alliances.cheap_talk``).
    integrated_command : array_like
        Share in [0, 1] of the days of consultation and deliberation that an integrated command saves: forces under
        it move on its order.
    """

    rule: InvocationRule = field(default_factory=InvocationRule)
    shared_intelligence: Any = number(
        0.0,
        high=1.0,
        unit="probability",
        meaning="probability that all members share one assessment",
        label="shared intelligence",
    )
    integration: Any = number(
        0.0, unit="share", meaning="interoperability: assisting strength is multiplied by 1 + this if invoked"
    )
    consultation: Any = number(
        0.0, unit="days", meaning="days that consultation adds to every delay", label="days of consultation"
    )
    deliberation: Any = number(
        0.0,
        unit="days",
        meaning="mean days that each member needs to agree",
        label="days that each member needs to agree",
    )
    automaticity: Any = number(0.0, unit="utility", meaning="obligation that the treaty itself lays on every member")
    incidents: Any = number(
        0.0,
        high=1.0,
        unit="probability",
        meaning="probability of an incident that looks like the first kind of attack",
        label="incidents that may be taken for an attack",
    )
    cheap_talk: Any = number(
        0.0,
        high=1.0,
        unit="probability",
        meaning="probability that a member is heard in cheap talk before the vote",
    )
    integrated_command: Any = number(
        0.0, high=1.0, unit="share", meaning="share of consultation and deliberation that it saves"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", InvocationRule.of(self.rule))
        check_numbers(self)

    @property
    def consultation_days(self) -> Any:
        """Days of consultation, net of what an integrated command saves."""
        return self._left * np.asarray(self.consultation)

    @property
    def deliberation_days(self) -> Any:
        """Mean days that each member needs to agree, net of what an integrated command saves."""
        return self._left * np.asarray(self.deliberation)

    @property
    def _left(self) -> Floats:
        return np.asarray(1 - np.asarray(self.integrated_command))


@dataclass(frozen=True, slots=True, eq=False)
class Invocation(Value):
    """What the rule makes of the members' recognition of one attack.

    Attributes
    ----------
    probability : ndarray, shape (...)
        P(invoked | attack).
    recognition_if_not : ndarray, shape (..., N)
        P(member i recognises | attack, not invoked); the unconditional recognition where the treaty is
        invoked for sure.
    """

    probability: Floats
    recognition_if_not: Floats


def invocation(
    recognition: Floats,
    votes: Floats,
    quota: float,
    shared_intelligence: Any = 0.0,
    attribution: Any = 1.0,
    talk: Any = 0.0,
) -> Invocation:
    """Return the probability that the treaty is invoked, and who recognises although it is not.

    Parameters
    ----------
    recognition : ndarray, shape (..., N)
        Probabilities e_i.
    votes : ndarray, shape (N,)
        Votes of each member, >= 0.
    quota : float
        Votes needed, > 0.
    shared_intelligence : array_like, shape (...)
        chi, the probability of one common assessment.
    attribution : array_like, shape (...)
        Probability that the attacker can be named; where it cannot, nobody recognises the attack.
    talk : array_like, shape (..., N)
        tau_i, the probability that a member holds the common assessment after talk.
    """
    e = np.asarray(recognition, dtype=np.float64)
    chi = np.asarray(shared_intelligence, dtype=np.float64)
    tau = np.asarray(talk, dtype=np.float64)
    n = e.shape[-1]
    if n == 0:
        return Invocation(np.zeros(np.broadcast_shapes(e.shape[:-1], chi.shape)), e)
    shared = e.mean(axis=-1)
    if np.any(tau):
        failing, both = np.zeros(()), np.zeros(())
        for common, weight in ((1.0, shared), (0.0, 1 - shared)):
            fails, missed = _failing(np.asarray(tau * common + (1 - tau) * e), votes, quota)
            failing, both = failing + weight * fails, both + weight[..., None] * missed
    else:
        failing, both = _failing(e, votes, quota)
    named = np.asarray(attribution, dtype=np.float64)
    not_invoked = 1 - named + named * (chi * (1 - shared) + (1 - chi) * failing)
    both = (named * (1 - chi))[..., None] * both
    possible = not_invoked > 0
    conditional = np.where(possible[..., None], both / np.where(possible, not_invoked, 1.0)[..., None], e)
    return Invocation(np.asarray(1 - not_invoked), conditional)


def _failing(e: Floats, votes: Floats, quota: float) -> tuple[Any, Any]:
    """Return P(votes fall short), and P(member i recognises and they do), for independent members."""
    others = _failing_without(e, votes, quota)
    sums, mass = others[0]
    failing = _with_vote((sums, mass), e[..., 0, None], float(votes[0]), quota)[1].sum(axis=-1)
    without = np.stack(
        [mass[..., sums + votes[i] < quota * (1 - 1e-9)].sum(axis=-1) for i, (sums, mass) in enumerate(others)], axis=-1
    )
    return failing, e * without


Partial = tuple[Floats, Floats]  # distinct sums of votes below the quota, and the mass on each, shape (..., len(sums))


def _failing_without(e: Floats, votes: Floats, quota: float) -> list[Partial]:
    """Return the distribution of the others' votes for each member, by halving: each half adds the other's members."""
    found: list[Partial] = [(np.zeros(0), np.zeros(0))] * len(votes)

    def split(index: range, partial: Partial) -> None:
        if len(index) == 1:
            found[index[0]] = partial
            return
        middle = len(index) // 2
        for mine, others in ((index[:middle], index[middle:]), (index[middle:], index[:middle])):
            grown = partial
            for i in others:
                grown = _with_vote(grown, e[..., i, None], float(votes[i]), quota)
            split(mine, grown)

    split(range(len(votes)), (np.zeros(1), np.ones((*e.shape[:-1], 1))))
    return found


def _with_vote(partial: Partial, p: Floats, vote: float, quota: float) -> Partial:
    """Return the distribution of the sum of votes after one more draw, without sums at the quota or above."""
    sums, mass = partial
    if vote == 0:
        return partial
    below = sums + vote < quota * (1 - 1e-9)
    grown, index = np.unique(np.round(np.concatenate([sums, sums[below] + vote]), 9), return_inverse=True)
    result = np.zeros((*mass.shape[:-1], len(grown)))
    result[..., index[: len(sums)]] = mass * (1 - p)
    result[..., index[len(sums) :]] += (mass * p)[..., below]
    return grown, result


def _known(name: str, members: Sequence[str]) -> None:
    if name not in members:
        hint = did_you_mean(name, members)
        raise GameError(f"the invocation rule names {name!r}, who is no member; members are {', '.join(members)}{hint}")

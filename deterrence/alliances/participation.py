"""Participation games: who would come, if the target were attacked.

After an attack of kind x each member i decides, at the same time, to assist or to stay out, knowing its own
cost of fighting c_i and whether the treaty was invoked. What arrives in time is w_i = K_i min(1, exp(-(d_i -
W_x) / tau)); the defence has strength S = B + sum f_i + (1 + iota 1{invoked}) sum a_i w_i and holds with
probability H_x(S) = S^m / (S^m + A_x^m). Member i gets s_i H_x(S) - c_i if it assists and s_i H_x(S) - (r_i
1{invoked} + h_i + t f_i) if it stays out.

With all that a member and a treaty may say, w_i is sigma_i K_i times the share of ``alliances.arrival``, assisting
costs g_i c_i + p_i + (1 - delta_i) r_i 1{invoked}, and staying out r_i 1{invoked} + h_i + t f_i, where r_i = (1 -
o_i) (obligation_i + a) + u_i; sigma, g and delta are ``strength``, ``cost`` and ``obligation_met`` of its kind of
``support``, o ``opt_out``, u ``audience``, p ``opposition``, and a the treaty's ``automaticity``. An attack may
put only a share ``stake_share`` of each stake at risk: s_i stands for that share of it.

The symbols, in the order of the formulas: K ``capability``, d ``delay``, W ``window``, tau ``decay``, B
``base``, f ``forward``, iota ``integration``, m ``decisiveness``, A ``strength`` of the attack, s ``stake``,
c ``cost``, r ``obligation``, h ``bilateral``, t ``tripwire``, e ``recognition``, chi ``shared_intelligence``.
Every number may be an array: leading dimensions are a batch of games.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.arrival import arriving_share
from deterrence.alliances.attacks import Attack
from deterrence.alliances.cheap_talk import pivotal_bias
from deterrence.alliances.contest import contest_success
from deterrence.alliances.declarations import check_numbers, distinct, number, number_shapes
from deterrence.alliances.members import Member
from deterrence.alliances.treaty import Invocation, Treaty, invocation
from deterrence.games.display import Display
from deterrence.games.distributions import DistributionRow, stack_last
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.paths import Change, apply_overlay
from deterrence.games.renaming import renamed_fields
from deterrence.games.values import Value
from deterrence.solvers.cheap_talk import told_share

Floats = NDArray[np.float64]

STATES = ("invoked", "not invoked")


@dataclass(frozen=True, eq=False)
class ParticipationStage(Value):
    """The simultaneous-move game after one kind of attack, in one state of the treaty: all that a solver needs.

    Attributes
    ----------
    names : tuple of str
        The N members.
    base : ndarray, shape (...)
        Strength that fights in any case: B + sum of forward strengths.
    weights : ndarray, shape (..., N)
        w', what each member's assistance adds in time.
    strength, decisiveness : ndarray, shape (...)
        The attack's A and m.
    stakes, penalties : ndarray, shape (..., N)
        s, and what staying out costs more than assisting, both per unit of the private cost.
    position : ndarray, shape (..., N)
        Probability that each member is in a position to act.
    costs : DistributionRow
        Of N distributions.
    burdens : ndarray, shape (..., N)
        What the member pays whatever it does.
    units : ndarray, shape (..., N)
        Share of its private cost that its kind of support costs.
    """

    names: tuple[str, ...]
    base: Floats
    weights: Floats
    strength: Floats
    decisiveness: Floats
    stakes: Floats
    penalties: Floats
    position: Floats
    costs: DistributionRow
    burdens: Floats = field(default_factory=lambda: np.zeros(1))
    units: Floats = field(default_factory=lambda: np.ones(1))

    @cached_property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions, broadcast."""
        rows = (self.weights, self.stakes, self.penalties, self.position, self.burdens, self.units)
        return np.broadcast_shapes(
            self.base.shape,
            self.strength.shape,
            self.decisiveness.shape,
            self.costs.batch_shape,
            *(a.shape[:-1] for a in rows),
        )

    def defence_holds(self, strength: Floats) -> Floats:
        """Return H at total strengths of shape (..., L): the batch dimensions come first."""
        return contest_success(strength, self.strength[..., None], self.decisiveness[..., None])

    def payoffs(self, cutpoints: Floats, probabilities: Floats, holds: Floats) -> Floats:
        """Return each member's expected payoff before it knows its cost, shape (..., N).

        Parameters
        ----------
        cutpoints, probabilities : ndarray, shape (..., N)
            Those of cost equal to the cutpoint may mix: the probability is then below e F(c).
        holds : ndarray, shape (...)
            E[H].
        """
        paid = self.position * self.costs.partial_mean(cutpoints)
        paid = paid - cutpoints * (self.position * self.costs.cdf(cutpoints) - probabilities)
        worth = self.stakes * np.asarray(holds)[..., None] - paid - self.penalties * (1 - probabilities)
        return np.asarray(self.units * worth - self.burdens)

    def at(self, index: Any) -> ParticipationStage:
        """Return the stage at one index (or a slice) of the batch dimensions."""
        shape = self.batch_shape
        n = len(self.names)

        def one(array: Floats) -> Floats:
            return array if array.ndim == 0 else np.broadcast_to(array, shape)[index]

        def row(array: Floats) -> Floats:
            return array if array.ndim == 1 else np.broadcast_to(array, (*shape, n))[index]

        return ParticipationStage(
            self.names,
            one(self.base),
            row(self.weights),
            one(self.strength),
            one(self.decisiveness),
            row(self.stakes),
            row(self.penalties),
            row(self.position),
            self.costs.at(index, shape),
            row(self.burdens),
            row(self.units),
        )


@renamed_fields(
    rule="treaty.rule",
    integration="treaty.integration",
    shared_intelligence="treaty.shared_intelligence",
    consultation="treaty.consultation",
    deliberation="treaty.deliberation",
    automaticity="treaty.automaticity",
    talk="treaty.cheap_talk",
)
@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class ParticipationGame(Display, Value):
    """A participation game among N members, for one or more kinds of attack; numbers may be batches.

    Attributes
    ----------
    members : tuple of Member
        At least one; the attacked member is not among them but in ``base``.
    attacks : tuple of Attack
        At least one.
    base : array_like, shape (...)
        B, the strength that the target has by itself; >= 0.
    decisiveness : array_like
        m, how decisive superiority is; > 0 (1: the odds are the ratio of strengths).
    decay : array_like
        tau, days over which what arrives after the window loses its worth by a factor e; > 0.
    tripwire : array_like
        t, cost of staying out per unit of own forward strength; >= 0.
    treaty : Treaty
        Its rule, and what it adds to obligations, delays and strength. Its incidents have no part in this game.

    Raises
    ------
    GameError
        If names are not distinct, the rule does not fit the members, or batch dimensions do not agree.
    ParameterError
        If a number is out of its range.

    Examples
    --------
    >>> from deterrence.games.distributions import Distribution
    >>> cost = Distribution(family="uniform", location=0, scale=2)
    >>> ally = Member(name="ally", capability=4, stake=1, cost=cost, obligation=0.5)
    >>> game = ParticipationGame(members=(ally,), attacks=(Attack(name="full", strength=4),), base=4)
    >>> game.batch_shape
    ()
    """

    members: tuple[Member, ...]
    attacks: tuple[Attack, ...]
    base: Any = number(
        0.0,
        required=True,
        unit="strength",
        meaning="strength that the target has by itself",
        label="the target's own strength",
    )
    decisiveness: Any = number(
        1.0,
        strict=True,
        unit="exponent",
        meaning="how decisive superiority is; 1: the odds are the ratio of strengths",
        label="decisiveness of strength",
    )
    decay: Any = number(
        7.0,
        strict=True,
        unit="days",
        meaning="days over which what arrives late loses its worth by a factor e",
        label="days over which late forces lose their worth",
    )
    tripwire: Any = number(
        0.0,
        unit="utility per unit of strength",
        meaning="cost of staying out per unit of own forward strength",
        label="tripwire",
    )
    treaty: Treaty = field(default_factory=Treaty)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", distinct(self.members, Member, "members"))
        object.__setattr__(self, "attacks", distinct(self.attacks, Attack, "attacks"))
        check_numbers(self)
        self.treaty.rule.ballot(self.names)
        if np.any(self.treaty.deliberation_days):
            self.treaty.rule.count(len(self.members))
        for member in self.members:
            for attack in self.attacks:
                member.recognises(attack.name)
                member.mistakes(attack.name)
        self.batch_shape  # noqa: B018  (checked when made)

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return tuple(member.name for member in self.members)

    def __repr__(self) -> str:
        attacks = ", ".join(attack.name for attack in self.attacks)
        batch = f", batch {self.batch_shape}" if self.batch_shape else ""
        return (
            f"ParticipationGame({len(self.members)} members, attacks: {attacks}, rule: {self.treaty.rule.kind}{batch})"
        )

    def _repr_html_(self) -> str:
        columns = ("name", *_SHOWN)
        head = "".join(f"<th>{column}</th>" for column in columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(_shown(getattr(member, column)))}</td>" for column in columns) + "</tr>"
            for member in self.members
        )
        return f"<p>{escape(repr(self))}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    @cached_property
    def batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of all numbers, broadcast."""
        shapes = [*number_shapes(self), *number_shapes(self.treaty, leave_out=("incidents",))]
        for attack in self.attacks:
            shapes += number_shapes(attack, Attack)
        for member in self.members:
            shapes += [*number_shapes(member), *number_shapes(member.support), member.cost.batch_shape]
            shapes += [np.shape(member.recognises(a.name)) for a in self.attacks]
            shapes += [np.shape(member.mistakes(a.name)) for a in self.attacks]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            raise GameError(f"batch dimensions do not agree: {sorted(set(shapes))}") from None

    def attack(self, name: str | None = None) -> Attack:
        """Return an attack by name, or the only one.

        Raises
        ------
        GameError
            If the name is unknown, or missing where there are several.
        """
        known = tuple(attack.name for attack in self.attacks)
        if name is None and len(known) == 1:
            return self.attacks[0]
        if name not in known:
            hint = did_you_mean(name, known)
            raise GameError(f"say which attack: {', '.join(map(repr, known))}; got {name!r}{hint}")
        return self.attacks[known.index(name)]

    def at(self, **changes: Change) -> ParticipationGame:
        """Return the game with changes by path, as in ``game.at(**{"members.*.stake": 2})``; see ``games.paths``."""
        return apply_overlay(self, changes)

    def invocation(self, attack: str | None = None) -> Invocation:
        """Return the probability that an attack invokes the treaty, and who recognises it although it does not."""
        kind = self.attack(attack)
        votes, quota = self.treaty.rule.ballot(self.names)
        recognition = stack_last([member.recognises(kind.name) for member in self.members])
        return invocation(recognition, votes, quota, self.treaty.shared_intelligence, kind.attribution, self.heard())

    def false_invocation(self, attack: str | None = None) -> Floats:
        """Return the probability that an incident that is no attack invokes the treaty, shape (...).

        Parameters
        ----------
        attack : str, optional
            The kind of attack that the incident looks like; by default the first.
        """
        kind = self.attacks[0] if attack is None else self.attack(attack)
        votes, quota = self.treaty.rule.ballot(self.names)
        mistaken = stack_last([member.mistakes(kind.name) for member in self.members])
        return invocation(mistaken, votes, quota, self.treaty.shared_intelligence, talk=self.heard()).probability

    def heard(self) -> Floats:
        """Return the probability that each member's assessment is the common one after talk, shape (..., N)."""
        if not np.any(self.treaty.cheap_talk):
            return np.zeros(len(self.members))
        votes, quota = self.treaty.rule.ballot(self.names)
        bias = self._row("bias")
        return np.asarray(_last(self.treaty.cheap_talk) * told_share(np.abs(bias - pivotal_bias(bias, votes, quota))))

    def stage(self, attack: str | None = None, *, invoked: bool, position: Floats | None = None) -> ParticipationStage:
        """Return the simultaneous-move game after an attack, in one state of the treaty.

        Parameters
        ----------
        attack : str, optional
            Kind of attack; may be left out if there is only one.
        invoked : bool
            Whether the treaty is invoked.
        position : ndarray, shape (..., N), optional
            Probability that each member is in a position to act; by default 1 if invoked, else the
            recognition given that the treaty was not invoked.
        """
        kind = self.attack(attack)
        if position is None:
            position = np.ones(len(self.members)) if invoked else self.invocation(kind.name).recognition_if_not
        forward = self._row("forward")
        helps = [member.support for member in self.members]
        unit = stack_last([one.cost for one in helps])
        penalty = self._row("bilateral") + _last(self.tripwire) * forward
        burden = self._row("opposition")
        arriving = stack_last([one.strength for one in helps]) * self._arriving(kind, invoked)
        if invoked:
            arriving = arriving * (1 + _last(self.treaty.integration))
            owed = (self._row("obligation") + _last(self.treaty.automaticity)) * (1 - self._row("opt_out"))
            owed = owed + self._row("audience")
            discharged = stack_last([one.obligation_met for one in helps]) * owed
            penalty, burden = penalty + discharged, burden + owed - discharged
        return ParticipationStage(
            names=self.names,
            base=np.asarray(self.base + forward.sum(axis=-1)),
            weights=arriving,
            strength=np.asarray(kind.strength),
            decisiveness=np.asarray(self.decisiveness),
            stakes=_last(kind.stake_share) * self._row("stake") / unit,
            penalties=(penalty - self._row("opposition")) / unit,
            position=np.asarray(position, dtype=np.float64),
            costs=DistributionRow([member.cost for member in self.members]),
            burdens=burden,
            units=unit,
        )

    def _arriving(self, attack: Attack, invoked: bool) -> Floats:
        """Return what each member's capability is worth by the time the attack is decided, shape (..., N)."""
        capability = self._row("capability")
        slack = _last(attack.window) - self._row("delay") - (_last(self.treaty.consultation_days) if invoked else 0.0)
        agreeing = None
        if invoked and np.any(self.treaty.deliberation_days):
            agreeing = (*self.treaty.rule.count(len(self.members)), _last(self.treaty.deliberation_days))
        decay, lift = _last(self.decay), self._row("days_per_unit")
        rapid = np.minimum(self._row("rapid"), capability)
        if not np.any(rapid):
            return capability * arriving_share(slack, capability * lift, decay, agreeing)
        sooner = slack + self._row("delay") - self._row("rapid_delay")
        rest = capability - rapid
        first = rapid * arriving_share(sooner, np.zeros_like(rapid), decay, agreeing)
        return np.asarray(first + rest * arriving_share(slack, rest * lift, decay, agreeing))

    def _row(self, name: str) -> Floats:
        return stack_last([getattr(member, name) for member in self.members])


_SHOWN = ("capability", "delay", "stake", "obligation", "bilateral", "forward")


def _shown(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else f"{value:g}"
        if np.ndim(value) == 0
        else f"array of shape {np.shape(value)}"
    )


def _last(value: Any) -> Any:
    return np.asarray(value)[..., None] if np.ndim(value) else value

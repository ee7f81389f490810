"""The collective-defence game: how commitments, postures and perceptions turn into a likelihood of attack.

Three games, each solvable alone, are tied together by one record. *Who would come*: the participation game
among the members, after each kind of attack and in each state of the treaty
(``deterrence.alliances.participation``). *Is it worth it*: the aggressor's choice among the attacks and
refraining (``deterrence.alliances.aggressor``). *What does the posture tell*: the signaling game between the
alliance and the aggressor (``deterrence.alliances.posture``). A player may hold wrong values of any
parameter: an overlay. What each player expects is reckoned at its own values, what happens at the true ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.aggressor import AggressorChoice, envelope
from deterrence.alliances.campaign import Met, Plans, in_steps, longest, plans, resistance
from deterrence.alliances.display import defence_html, defence_text
from deterrence.alliances.participation import Member, Support
from deterrence.alliances.posture import PostureOutcomes, posture_game, prize_types
from deterrence.alliances.records import (
    REFRAIN,
    Aggressor,
    AllianceType,
    AttackOption,
    AttackProbabilities,
    Posture,
    PostureStage,
    Target,
    Treaty,
)
from deterrence.alliances.response import Response
from deterrence.alliances.shocks import CommonShock, ShockState
from deterrence.alliances.situation import Situation, same_steps
from deterrence.alliances.subjective_defence import subjective_defence
from deterrence.alliances.warning import Automation
from deterrence.games.display import Display
from deterrence.games.distributions import stack_last
from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.outcome import SubjectiveOutcome

Floats = NDArray[np.float64]

__all__ = [
    "REFRAIN",
    "Aggressor",
    "AllianceType",
    "AttackOption",
    "AttackProbabilities",
    "Automation",
    "CollectiveDefence",
    "CommonShock",
    "Member",
    "Posture",
    "PostureStage",
    "ShockState",
    "Support",
    "Target",
    "Treaty",
]


@dataclass(frozen=True, kw_only=True)
class CollectiveDefence(Display, Situation):
    """An alliance, a target, an aggressor, and what each thinks of the others.

    Attributes
    ----------
    members : tuple of Member
        Those who may assist; the target fights in any case and its strength is in ``base``.
    attacks : tuple of AttackOption
        What the aggressor may do beside ``refrain``.
    treaty : Treaty
        Invocation, shared intelligence, integration, consultation.
    aggressor : Aggressor
        Its value of the prize and its punishment.
    base : array_like, shape (...)
        B, the target's own strength; >= 0.
    decisiveness : array_like
        m > 0 in H = S^m / (S^m + A^m).
    decay : array_like
        tau > 0, days.
    tripwire : array_like
        t >= 0, cost of staying out per unit of own forward strength.
    posture : PostureStage or None
        The signaling stage, if there is one.
    shock : CommonShock or None
        What moves the members' costs together, if anything.
    target : Target or None
        The protege, if it may yield; None if it resists for certain.
    automation : Automation or None
        Warning and decision by machines, if any.
    perception : mapping of str to overlay
        By player (the aggressor, a member or the target): the values at which this player reckons, by path. The key
        ``"believes"`` of an overlay holds what the player thinks that others believe, as overlays on its own values,
        to any depth; of whom it says nothing, a player thinks that they see the game as it does.

    Raises
    ------
    GameError, ParameterError
        If a part is malformed, a name unknown or a number out of range.
    """

    def _repr_html_(self) -> str:
        return defence_html(self)

    def __str__(self) -> str:
        return defence_text(self)

    def subjective(
        self,
        *,
        truth: Mapping[str, Any],
        beliefs: Mapping[str, Mapping[str, Any]],
        stated_chance: float = 0.05,
        concept: Any = None,
    ) -> SubjectiveOutcome | SubjectiveGrid:
        """Return what happens if players hold wrong values; ``deterrence.subjective`` of this game."""
        return subjective_defence(self, truth=truth, beliefs=beliefs, stated_chance=stated_chance, concept=concept)

    def false_alarm_response(self, resolve: str = "highest") -> Floats:
        """Return the strength expected to act against an aggressor that refrains, shape (...).

        An incident is mistaken for an attack of the kind that it looks like, the treaty invoked, and members act as
        after one. Incidents of different kinds exclude each other.
        """
        return _acting(self._realised.first, (_selection(resolve),) * len(self.attacks))

    def false_invocation(self) -> Floats:
        """Return the probability that an incident invokes the treaty if the aggressor refrains, shape (...).

        The mean over the states of a common shock, which may change what incidents there are and who mistakes them.
        Incidents of different kinds exclude each other.
        """
        total: Any = 0.0
        for _, weight, one in self._states:
            game = one.participation_game()
            for attack, chance in zip(one.attacks, one._incidents(), strict=True):
                if np.any(chance):
                    total = total + np.asarray(weight) * chance * game.false_invocation(attack.name)
        return np.asarray(total)

    def resistance(self, resolve: str = "highest") -> Floats:
        """Return the probability that each kind of attack is answered by the target, shape (..., X).

        1 without a target that may yield. For an attack in steps it is the probability that some step of it is
        answered, the mean over the aggressors that choose it (of the whole of it, if none does).
        """
        pick = (_selection(resolve),) * len(self.attacks)
        if not any(in_steps(attack) for attack in self.attacks):
            return np.stack(np.broadcast_arrays(*(one[0] for one in self._resists(pick))), axis=-1)
        found = self._plans(self._realised, pick, self._resists(pick))
        measure = self.aggressor_choice(resolve).plan_measure(self.aggressor.prize)
        columns = []
        for x in range(len(self.attacks)):
            mine = np.array(found.kinds) == x
            mass, answered = np.broadcast_arrays(measure[..., mine], found.answered[..., mine])
            total = mass.sum(axis=-1)
            mean = (mass * answered).sum(axis=-1) / np.where(total > 0, total, 1.0)
            columns.append(np.where(total > 0, mean, answered[..., -1]))
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    def conquest_without_fight(self, resolve: str = "highest") -> Floats:
        """Return the probability of an attack that nobody answers, for the target yields or no step is seen as one."""
        chosen = self.aggressor_choice(resolve).measure(self.aggressor.prize)[..., 1:]
        return np.asarray((chosen * (1 - self.resistance(resolve))).sum(axis=-1))

    def expected_response(self) -> Response:
        """Return what members who hold the true values would do after each kind of attack, once it is answered."""
        return self._met.response

    def response(self) -> Response:
        """Return what really happens after each kind of attack: members who misperceive act on their own values.

        Of an attack in steps: once it is answered, the mean over the steps at which it may be.
        """
        return self._realised.response

    def perceived_response(self, player: str | None = None) -> Response:
        """Return what a player (by default the aggressor) expects after each kind of attack: perceived resolve.

        That is an equilibrium of the game that it sees, but for those members of whom it thinks that they see another
        game: of these it expects their part of that, and if it is a member replies to what it expects.
        """
        name = self.aggressor.name if player is None else player
        return self._expected_by(name).response

    def aggressor_choice(self, resolve: str = "highest", *, at_true_values: bool = False) -> AggressorChoice:
        """Return what the aggressor does for each value of the prize.

        Parameters
        ----------
        resolve : str
            Which equilibrium of the response it expects: ``"lowest"`` or ``"highest"`` participation.
        at_true_values : bool
            Whether it reckons with what would really happen, instead of what it perceives.
        """
        pick = (_selection(resolve),) * len(self.attacks)
        if at_true_values:
            return self._choice(self._realised, pick, self._resists(pick))
        seen = self.perceived_by(self.aggressor.name)
        return seen._choice(self._expected_by(self.aggressor.name), pick, self._resists_foreseen(pick))

    def attack_probabilities(self) -> AttackProbabilities:
        """Return the likelihood of each kind of attack, and its range over the equilibria it may expect.

        Each kind of attack may be met by its lowest or its highest equilibrium, so the range is over 2^X
        combinations. The value v is drawn from the true distribution; the choice at each v is made at the
        aggressor's own values.
        """
        seen = self.perceived_by(self.aggressor.name)
        expected = self._expected_by(self.aggressor.name)
        several = expected.response.several
        picks = [(0, 1)] * len(self.attacks) if several else [(0,)] * len(self.attacks)
        choices = [seen._choice(expected, pick, self._resists_foreseen(pick)) for pick in itertools.product(*picks)]
        tables = np.stack([choice.measure(self.aggressor.prize) for choice in choices])  # (C, ..., X + 1)
        labels = (REFRAIN, *(attack.name for attack in self.attacks))
        low, high = tables.min(axis=0), tables.max(axis=0)
        attack = 1 - tables[..., 0]
        return AttackProbabilities(
            likelihood=(attack.min(axis=0), attack.max(axis=0)),
            by_kind={label: (low[..., k], high[..., k]) for k, label in enumerate(labels)},
            thresholds=(choices[0].threshold, choices[-1].threshold),
        )

    def regret_probability(self, resolve: str = "highest") -> Floats:
        """Return the probability of an attack that the aggressor would regret: its true payoff is below zero.

        Unwanted war, where resolve is underestimated; zero where the aggressor perceives what is true.
        """
        chosen = self.aggressor_choice(resolve)
        truth = self.aggressor_choice(resolve, at_true_values=True)
        return np.asarray(chosen.measure_below(self.aggressor.prize, truth.break_even).sum(axis=-1))

    def posture_game(self, resolve: str = "highest") -> SignalingGame:
        """Return the signaling game between the alliance, of private type, and the aggressor, of types in bins of v.

        Parameters
        ----------
        resolve : str
            Which equilibrium of the response follows an attack: ``"lowest"`` or ``"highest"``.

        Raises
        ------
        GameError
            If there is no posture stage, there are incidents, or points of a batch, types or postures differ in the
            number of steps of an attack.
        """
        stage = self.posture
        if stage is None:
            raise GameError("this game has no posture stage; give it posture=PostureStage(types=..., postures=...)")
        if self._alarming:
            raise GameError(
                "the posture game has no place for incidents, which happen without a posture: leave them out"
            )
        for attack in self.attacks:
            if np.ptp(attack.steps):
                raise GameError(
                    f"the posture game cannot hold a batch over the steps of {attack.name!r}: a response is a number "
                    "of steps, and points with fewer would have the same response twice; make a game of each number"
                )
        pick = (_selection(resolve),) * len(self.attacks)
        seen = self.perceived_by(self.aggressor.name)
        seen_stage = seen.posture or stage
        outcomes = PostureOutcomes()
        for kind, seen_kind in zip(stage.types, seen_stage.types, strict=True):
            for one, seen_one in zip(stage.postures, seen_stage.postures, strict=True):
                fact = self._as(kind.changes, one.overlay())
                same_steps(self.attacks, fact.attacks, f"type {kind.name!r} with posture {one.name!r}")
                belief = (
                    seen._as(seen_kind.changes, seen_one.overlay()) if self.aggressor.name in self.perception else fact
                )
                resists = fact._resists(pick)
                expected = belief._foreseen(self.aggressor.name)
                foreseen = belief._resists(pick) if belief is not fact and self._told(belief) else resists
                outcomes.add(fact._plans(fact._realised, pick, resists), belief._plans(expected, pick, foreseen))
        return posture_game(
            stage=stage,
            believed_prior=seen_stage.prior,
            attacks=seen.attacks,
            prize=prize_types(self.aggressor.prize, stage.quantiles),
            seen_prize=prize_types(seen.aggressor.prize, stage.quantiles),
            outcomes=outcomes,
            sender=self.names.index(stage.sender) if stage.sender else None,
            players=(stage.sender or "Alliance", self.aggressor.name),
        )

    # -- private ----------------------------------------------------------------------------------------------------

    def _resists_foreseen(self, pick: tuple[int, ...]) -> list[Floats]:
        """Return the probability of resistance that the aggressor reckons with, by its view of what the target sees."""
        seen = self.perceived_by(self.aggressor.name)
        return seen._resists(pick) if self._told(seen) else self._resists(pick)

    def _told(self, seen: Situation) -> bool:
        """Return whether a view of the game says how the target sees it."""
        return self.target is not None and self.target.name in seen.perception

    def _resists(self, pick: tuple[int, ...]) -> list[Floats]:
        """Return the probability that the target resists each step, at its own view, which the aggressor knows."""
        if self.target is None:
            return [np.ones(1)] * len(self.attacks)
        seen, met = self.perceived_by(self.target.name), self._expected_by(self.target.name)
        return [
            resistance(
                seen.target or self.target,
                attack,
                met.at_steps("holds", x, pick[x]),
                met.at_steps("strength", x, pick[x]),
                seen.aggressor.prize.mean() if longest(attack) > 1 else 0.0,
                seen.aggressor.punishment,
            )
            for x, attack in enumerate(seen.attacks)
        ]

    def _plans(self, met: Met, pick: tuple[int, ...], resists: list[Floats]) -> Plans:
        stakes = stack_last([member.stake for member in self.members])
        return plans(self.attacks, met, pick, resists, punishment=self.aggressor.punishment, stakes=stakes)

    def _choice(self, met: Met, pick: tuple[int, ...], resists: list[Floats]) -> AggressorChoice:
        found = self._plans(met, pick, resists)
        refraining = np.asarray(self.aggressor.punishment * _acting(met.first, pick))
        names = tuple(attack.name for attack in self.attacks)
        return envelope(names, found.slopes, found.costs - refraining[..., None], found.kinds, found.steps)


def _acting(first: Response, pick: tuple[int, ...]) -> Floats:
    """Return the strength that is expected to act on false alarms."""
    return np.asarray(sum(first.alarmed[k][..., x] for x, k in enumerate(pick)))


def _selection(resolve: str) -> int:
    if resolve not in ("lowest", "highest"):
        raise GameError(f"resolve must be 'lowest' or 'highest', got {resolve!r}")
    return 0 if resolve == "lowest" else 1

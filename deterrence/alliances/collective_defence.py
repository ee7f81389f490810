"""The collective-defence game: how commitments, postures and perceptions turn into a likelihood of attack.

Three games, each solvable alone, are tied together by one record. *Who would come*: the participation game
among the members, after each kind of attack and in each state of the treaty
(``deterrence.alliances.participation``). *Is it worth it*: the aggressor's choice among the attacks and
refraining (``deterrence.alliances.aggressor``). *What does the posture tell*: the signaling game between the
alliance and the aggressor (``deterrence.alliances.posture``). A player may hold wrong values of any
parameter: an overlay. What each player expects is computed at its own values, what happens at the true ones. Responses
are solved once for each view, each state of a common shock and each step of an attack, and kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.aggressor import Aggressor, AggressorChoice, AttackProbabilities, envelope
from deterrence.alliances.attacks import REFRAIN, AttackOption
from deterrence.alliances.beliefs import as_wide, best_reply, without_paths
from deterrence.alliances.campaign import (
    Plans,
    StageResponses,
    detection_probability,
    dimensions_of,
    in_steps,
    most_steps,
    plans,
    remaining_share,
)
from deterrence.alliances.declarations import check_numbers, distinct, number_like
from deterrence.alliances.members import Member, Support
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.posture import (
    REGRETTED,
    UNANSWERED,
    UNWANTED,
    AllianceType,
    Lesson,
    Posture,
    PostureOutcomes,
    PosturePlay,
    PostureStage,
    posture_game,
)
from deterrence.alliances.response import (
    Response,
    mean_response,
    realised_response,
    respond_to_incidents,
    response,
    response_at,
)
from deterrence.alliances.shocks import CommonShock, ShockState
from deterrence.alliances.subjective_defence import subjective_defence
from deterrence.alliances.target import Target, resistance
from deterrence.alliances.treaty import Treaty
from deterrence.alliances.warning import Automation
from deterrence.games.continuous_receiver import ContinuousReceiverGame, ResponseEvent
from deterrence.games.display import Display
from deterrence.games.distributions import stack_last
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.paths import Change, Overlay, apply_overlay, numbers_of
from deterrence.games.renaming import renamed_arguments
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import checked_overlays, split_overlay
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.outcome import SubjectiveOutcome
from deterrence.solvers.pbe import pbe

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


@dataclass(frozen=True, kw_only=True, eq=False)
class CollectiveDefence(Display, Value):
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
        By player (the aggressor, a member or the target): the values that this player holds, by path. The key
        ``"believes"`` of an overlay holds what the player thinks that others believe, as overlays on its own values,
        to any depth; of whom it says nothing, a player thinks that they see the game as it does.

    Raises
    ------
    GameError, ParameterError
        If a part is malformed, a name unknown or a number out of range.
    """

    members: tuple[Member, ...]
    attacks: tuple[AttackOption, ...]
    treaty: Treaty = field(default_factory=Treaty)
    aggressor: Aggressor = field(default_factory=Aggressor)
    base: Any = number_like(ParticipationGame, "base")
    decisiveness: Any = number_like(ParticipationGame, "decisiveness")
    decay: Any = number_like(ParticipationGame, "decay")
    tripwire: Any = number_like(ParticipationGame, "tripwire")
    posture: PostureStage | None = None
    shock: CommonShock | None = None
    target: Target | None = None
    automation: Automation | None = None
    perception: Mapping[str, Overlay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", distinct(self.members, Member, "members"))
        object.__setattr__(self, "attacks", distinct(self.attacks, AttackOption, "attacks"))
        check_numbers(self)
        object.__setattr__(self, "perception", checked_overlays(self.perception, self.players, "perception"))
        if self.aggressor.name in self.names:
            raise GameError(f"the aggressor {self.aggressor.name!r} is also a member; give one of them another name")
        if self.target is not None and self.target.name in (self.aggressor.name, *self.names):
            raise GameError(f"the target {self.target.name!r} is also another player; give one of them another name")
        self.participation_game()  # checks the members, the rule and the batch dimensions
        if self.posture is not None:
            if self.posture.sender:
                _among(self.posture.sender, self.names, "the sender of the posture is")
            for one in self.posture.postures:
                for name in (*one.forward, *one.tied):
                    _among(name, self.names, f"posture {one.name!r} names")
            self._check_changes(self.posture)
        incidents = self._incidents()
        if np.any(sum(incidents) > 1 + 1e-12):
            raise GameError(
                "the incidents of all kinds of attack, and those of the treaty, must sum to at most 1, got "
                f"{np.max(sum(incidents)):g}"
            )
        for player in self.perception:
            theirs = self.perceived_by(player).shock
            if self.shock is not None and theirs is not None and theirs.rule != self.shock.rule:
                raise GameError(
                    f"the nodes of the shock are the same for everybody, for they pair its states: {player} cannot see "
                    f"{theirs.rule} for {self.shock.rule}; set shock.nodes of the game itself"
                )
            for mine, seen in zip(self.attacks, self.perceived_by(player).attacks, strict=True):
                if most_steps(mine) != most_steps(seen):
                    raise GameError(
                        f"the steps of {mine.name!r} are the same for everybody; {player} cannot misperceive them"
                    )

    def _check_changes(self, stage: PostureStage) -> None:
        """Raise if what a type or a posture changes is not there; a stage that has passed is not checked again."""
        if getattr(stage, "_passed", False):
            return
        for kind, one in itertools.product(stage.types, stage.postures):
            self._as(kind.changes, one.overlay())
        object.__setattr__(stage, "_passed", True)

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return tuple(member.name for member in self.members)

    @property
    def players(self) -> tuple[str, ...]:
        """The aggressor, the members and, if it may yield, the target."""
        return (self.aggressor.name, *self.names, *(() if self.target is None else (self.target.name,)))

    def at(self, **changes: Change) -> Self:
        """Return the game with changes by path; write ``defence.at(**{"members.*.stake": 2})``.

        Raises
        ------
        ParameterError
            If a path leads nowhere or a change is none; see ``deterrence.games.paths``.
        """
        return apply_overlay(self, changes)

    def perceived_by(self, player: str) -> Self:
        """Return the game at the values that a player holds (the true ones, if it misperceives nothing).

        Its ``perception`` is what the player thinks that others see.

        Raises
        ------
        GameError
            If nobody is called that.
        """
        _among(player, self.players, "asked for the view of")
        if player not in self._views:
            changes, nested = split_overlay(self.perception.get(player, {}))
            bare = replace(self, perception={}, shock=self._paired_shock)
            self._views[player] = replace(apply_overlay(bare, changes), perception=nested)
        return self._views[player]

    def participation_game(self) -> ParticipationGame:
        """Return the participation game among the members, at the true values."""
        treaty, members = self.treaty, self.members
        if self.automation is not None:
            members = self.automation.judging(members, [one.name for one in self.attacks])
            left = self.automation.left
            treaty = replace(treaty, consultation=left * treaty.consultation, deliberation=left * treaty.deliberation)
        return ParticipationGame(
            members=members,
            attacks=self.attacks,
            base=self.base,
            decisiveness=self.decisiveness,
            decay=self.decay,
            tripwire=self.tripwire,
            treaty=treaty,
        )

    def _repr_html_(self) -> str:
        return _html(self)

    def __str__(self) -> str:
        return _text(self)

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

    @renamed_arguments(resolve="equilibrium")
    def false_alarm_response(self, equilibrium: str = "highest") -> Floats:
        """Return the strength expected to act against an aggressor that refrains, shape (...).

        An incident is mistaken for an attack of the kind that it looks like, the treaty invoked, and members act as
        after one. Incidents of different kinds exclude each other.
        """
        if self.posture is not None:
            return np.zeros(self._batch_shape)  # a posture stage has no place for incidents
        return _acting(self._realised.first, (_selection(equilibrium),) * len(self.attacks))

    def false_invocation(self) -> Floats:
        """Return the probability that an incident invokes the treaty if the aggressor refrains, shape (...).

        The mean over the states of a common shock, which may change what incidents there are and who mistakes them.
        Incidents of different kinds exclude each other.
        """
        total: Any = 0.0
        for _, weight, _, one in self._states:
            game = one.participation_game()
            for attack, chance in zip(one.attacks, one._incidents(), strict=True):
                if np.any(weight) and np.any(chance):
                    total = total + np.asarray(weight) * chance * game.false_invocation(attack.name)
        return np.asarray(total)

    @renamed_arguments(resolve="equilibrium")
    def resistance(self, equilibrium: str = "highest") -> Floats:
        """Return the probability that each kind of attack is answered by the target, shape (..., X).

        1 without a target that may yield. For an attack in steps it is the probability that some step of it is
        answered, the mean over the aggressors that choose it (of the whole of it, if none does). With a posture stage
        the mean over types and postures, at the lowest and the highest of its equilibria; of an attack in steps, for
        the whole of it.
        """
        if self.posture is not None:
            return np.stack([self._stage_end(_RESISTED.format(a.name), equilibrium) for a in self.attacks], axis=-1)
        pick = (_selection(equilibrium),) * len(self.attacks)
        if not any(in_steps(attack) for attack in self.attacks):
            return np.stack(np.broadcast_arrays(*(one[0] for one in self._resists(pick))), axis=-1)
        found = self._plans(self._realised, pick, self._resists(pick))
        measure = self.aggressor_choice(equilibrium).plan_measure(self.aggressor.prize)
        columns = []
        for x in range(len(self.attacks)):
            mine = np.array(found.kinds) == x
            mass, answered = np.broadcast_arrays(measure[..., mine], found.answered[..., mine])
            total = mass.sum(axis=-1)
            mean = (mass * answered).sum(axis=-1) / np.where(total > 0, total, 1.0)
            columns.append(np.where(total > 0, mean, answered[..., -1]))
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    @renamed_arguments(resolve="equilibrium")
    def conquest_without_fight(self, equilibrium: str = "highest") -> Floats:
        """Return the probability of an attack that nobody answers, for the target yields or no step is seen as one."""
        if self.posture is not None:
            return self._stage_end(UNANSWERED, equilibrium)
        chosen = self.aggressor_choice(equilibrium).measure(self.aggressor.prize)[..., 1:]
        return np.asarray((chosen * (1 - self.resistance(equilibrium))).sum(axis=-1))

    def expected_response(self) -> Response:
        """Return what members who hold the true values would do after each kind of attack, once it is answered."""
        return self._stage_responses.response

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
        return self._responses_expected_by(name).response

    @renamed_arguments(resolve="equilibrium")
    def aggressor_choice(self, equilibrium: str = "highest", *, at_true_values: bool = False) -> AggressorChoice:
        """Return what the aggressor does for each value of the prize.

        Parameters
        ----------
        equilibrium : str
            Which equilibrium of the response it expects: ``"lowest"`` or ``"highest"`` participation.
        at_true_values : bool
            Whether it expects what would really happen, instead of what it perceives.
        """
        pick = (_selection(equilibrium),) * len(self.attacks)
        if at_true_values:
            return self._choice(self._realised, pick, self._resists(pick))
        seen = self.perceived_by(self.aggressor.name)
        return seen._choice(self._responses_expected_by(self.aggressor.name), pick, self._expected_resistance(pick))

    def attack_probabilities(self) -> AttackProbabilities:
        """Return the likelihood of each kind of attack, and its range over the equilibria it may expect.

        Each kind of attack may be met by its lowest or its highest equilibrium, so the range is over 2^X
        combinations. The value v is drawn from the true distribution; the choice at each v is made at the
        aggressor's own values. With a posture stage the range is over the perfect Bayesian equilibria of it, and
        the thresholds are those that have the same likelihood.
        """
        if self.posture is not None:
            events = ("attack", REFRAIN, *(attack.name for attack in self.attacks))
            ranges = self.posture_ranges(events)
            low, high = ranges.pop("attack")
            ends = tuple(self.aggressor.prize.ppf(1 - likelihood) for likelihood in (high, low))
            return AttackProbabilities(likelihood=(low, high), by_kind=ranges, thresholds=(ends[0], ends[1]))
        seen = self.perceived_by(self.aggressor.name)
        expected = self._responses_expected_by(self.aggressor.name)
        several = expected.response.several
        picks = [(0, 1)] * len(self.attacks) if several else [(0,)] * len(self.attacks)
        choices = [seen._choice(expected, pick, self._expected_resistance(pick)) for pick in itertools.product(*picks)]
        tables = np.stack([choice.measure(self.aggressor.prize) for choice in choices])  # (C, ..., X + 1)
        labels = (REFRAIN, *(attack.name for attack in self.attacks))
        low, high = tables.min(axis=0), tables.max(axis=0)
        attack = 1 - tables[..., 0]
        return AttackProbabilities(
            likelihood=(attack.min(axis=0), attack.max(axis=0)),
            by_kind={label: (low[..., k], high[..., k]) for k, label in enumerate(labels)},
            thresholds=(choices[0].threshold, choices[-1].threshold),
        )

    @renamed_arguments(resolve="equilibrium")
    def regret_probability(self, equilibrium: str = "highest") -> Floats:
        """Return the probability of a regretted attack, shape (...): one whose true payoff is below that of refraining.

        Zero where the aggressor perceives what is true. With a posture stage "true" is given the type that there is,
        which the aggressor does not know; the lowest and the highest over its equilibria.
        """
        if self.posture is not None:
            return self._stage_end(REGRETTED, equilibrium)
        return np.asarray(self.regretted_attacks(equilibrium).sum(axis=-1))

    @renamed_arguments(resolve="equilibrium")
    def unwanted_war_probability(self, equilibrium: str = "highest") -> Floats:
        """Return the probability of an unwanted war, shape (...): a regretted attack that the target resists.

        The same as that of a regretted attack unless the target may yield, or steps may stay below a threshold of
        response. Resistance to an attack in steps is the mean over the aggressors that choose it. With a posture stage
        see ``regret_probability``.
        """
        if self.posture is not None:
            return self._stage_end(UNWANTED, equilibrium)
        return np.asarray((self.regretted_attacks(equilibrium) * self.resistance(equilibrium)).sum(axis=-1))

    @renamed_arguments(resolve="equilibrium", met="actual")
    def regretted_attacks(self, equilibrium: str = "highest", actual: str | None = None) -> Floats:
        """Return the probability that each kind of attack is chosen and regretted, shape (..., X).

        Parameters
        ----------
        equilibrium : str
            Which equilibrium of the response the aggressor expects: ``"lowest"`` or ``"highest"`` participation.
        actual : str, optional
            Which one follows; by default the same.
        """
        truth = self.aggressor_choice(equilibrium if actual is None else actual, at_true_values=True)
        return self.aggressor_choice(equilibrium).measure_below(self.aggressor.prize, truth.break_even)

    @renamed_arguments(resolve="equilibrium")
    def posture_game(
        self, equilibrium: str = "highest", *, binned: bool = False
    ) -> ContinuousReceiverGame | SignalingGame:
        """Return the signaling game between the alliance, of private type, and the aggressor, with its own value v.

        Parameters
        ----------
        equilibrium : str
            Which equilibrium of the response follows an attack: ``"lowest"`` or ``"highest"``.
        binned : bool
            Whether v is cut into the stage's ``quantiles`` bins of equal probability: a finite game near this one.

        Returns
        -------
        ContinuousReceiverGame or SignalingGame
            The latter if binned, or where v has atoms.

        Raises
        ------
        GameError
            If there is no posture stage, there are incidents, or points of a batch, types or postures differ in the
            number of steps of an attack.
        """
        return self._posture_game((_selection(equilibrium),) * len(self.attacks), binned=binned)

    # -- what members do ------------------------------------------------------------------------------------------

    @cached_property
    def _views(self) -> dict[str, Self]:
        """The game as players hold it, as far as asked for."""
        return {}

    @cached_property
    def _stage_responses(self) -> StageResponses:
        """What members who hold these values do after each step of each kind of attack: an equilibrium."""
        return self._by_step(lambda k, cut: response(self._after(k, cut), every_state=self._alarming))

    @cached_property
    def _realised(self) -> StageResponses:
        """What really happens after each step: members who misperceive act on their own values."""
        return self._expected_responses("")

    def _expected_responses(self, player: str) -> StageResponses:
        """Return what a player whose view this is expects; it may think that members see another game."""
        if not any(name in self.names for name in self.perception):
            return self._stage_responses

        def part(k: int, cut: str) -> Response:
            known = self._others(k, cut)
            game = as_wide(self._after(k, cut), known)
            mine = self._plan(player, k, cut) if player in self.names else response(game, every_state=True)
            return realised_response(game, mine, known, every_state=self._alarming)

        return self._by_step(part)

    def _plan(self, member: str, k: int, cut: str) -> Response:
        """Return a response that holds what a member whose view this is would do, in a state of the shock."""
        game, known = self._after(k, cut), self._others(k, cut)
        game = as_wide(game, known)
        own = response(game, every_state=True)
        return best_reply(game, self.names.index(member), own, known) if known else own

    def _others(self, k: int, cut: str) -> dict[int, Response]:
        """Return the plans of members who see another game, by index."""
        seen = [name for name in self.perception if name in self.names]
        return {self.names.index(name): self.perceived_by(name)._plan(name, k, cut) for name in seen}

    def _by_step(self, part: Callable[[int, str], Response]) -> StageResponses:
        """Return the responses to first steps, and to the later ones of attacks that are cut, mixed over the shock."""

        def over_states(cut: str) -> Response:
            found = []
            for k, (name, weight, check, one) in enumerate(self._states):
                mine = part(k, cut)
                if self._alarming and not cut:
                    mine = respond_to_incidents(one.participation_game(), mine, one._incidents())
                found.append((name, weight, check, mine))
            return found[0][3] if len(found) == 1 else mean_response(found)

        depth = max(self._dimensions, *(dimensions_of(one) for one in self.attacks))
        later = {
            x: over_states(one.name)
            for x, one in enumerate(self.attacks)
            if np.any(detection_probability(one, depth)[1:])
        }
        return StageResponses(self.attacks, self._dimensions, over_states(""), later)

    def _after(self, k: int, cut: str) -> ParticipationGame:
        """Return the participation game in the k-th state of the shock; after later steps, if an attack is given."""
        one = self._states[k][3]
        return one._cut(cut, self._dimensions) if cut else one.participation_game()

    def _cut(self, attack: str, dimensions: int) -> ParticipationGame:
        """Return the participation game after the second, third, ... step of an attack, on an axis in front."""
        game = self.participation_game()
        one = self.attacks[[a.name for a in self.attacks].index(attack)]
        left = remaining_share(one, dimensions)[1:-1]
        return replace(game, attacks=(replace(one, stake_share=np.asarray(one.stake_share) * left),))

    @cached_property
    def _dimensions(self) -> int:
        """Number of batch dimensions of what the members decide on, and think that others do."""
        seen = (self.perceived_by(name)._dimensions for name in self.perception if name in self.names)
        games = (max(np.ndim(w), len(one.participation_game().batch_shape)) for _, w, _, one in self._states)
        return max([*games, *seen, *(np.ndim(one.steps) for one in self.attacks)])

    def _incidents(self) -> list[Floats]:
        """Return the probability of an incident of each kind, if the aggressor refrains."""
        found = [np.asarray(one.incidents, dtype=np.float64) for one in self.attacks]
        found[0] = np.asarray(found[0] + self.treaty.incidents)
        return found

    @cached_property
    def _alarming(self) -> bool:
        """Whether there are incidents, in any state of the shock."""
        return any(bool(np.any(chance)) for *_, one in self._states for chance in one._incidents())

    @property
    def _paired_shock(self) -> CommonShock | None:
        """The shock with its number of nodes settled: other views of the game pair their states with these."""
        return None if self.shock is None else replace(self.shock, nodes=self.shock.rule)

    @cached_property
    def _states(self) -> list[tuple[str, Any, Any, Self]]:
        """Return name, probability, probability by the check and game of each state of the shock; one without it."""
        bare = replace(self, shock=None, posture=None, perception={})
        if self.shock is None:
            return [("", 1.0, 1.0, bare)]
        found = [
            (name, weight, check, apply_overlay(bare, overlay))
            for name, weight, check, overlay in self.shock.overlays(self.members)
        ]
        for name, _, _, one in found:
            _same_steps(self.attacks, one.attacks, f"state {name!r} of the shock")
        return found

    def _as(self, *overlays: Overlay) -> Self:
        """Return the game after a type's and a posture's changes, without a posture stage."""
        merged: dict[str, Change] = {}
        rest = list(overlays)
        while rest and not merged.keys() & rest[0].keys():
            merged |= rest.pop(0)
        found = apply_overlay(self._without_stage, merged) if merged else self._without_stage
        for overlay in rest:
            found = apply_overlay(found, overlay)
        return found

    @cached_property
    def _without_stage(self) -> Self:
        views = {player: without_paths(overlay, "posture.") for player, overlay in self.perception.items()}
        return replace(self, posture=None, perception=views, shock=self._paired_shock)

    def _responses_expected_by(self, player: str) -> StageResponses:
        """Return what a player expects after each step of each kind of attack."""
        if player in self.players and player not in self.perception:
            return self._stage_responses
        return self.perceived_by(player)._expected_responses(player)

    # -- the posture stage -----------------------------------------------------------------------------------------

    def posture_equilibria(self) -> EquilibriumSet:
        """Return the perfect Bayesian equilibria of the posture game; those for each equilibrium of the response.

        Raises
        ------
        GameError
            If there is no posture stage, or this is a batch.
        """
        if self._batch_shape:
            raise GameError("this is a batch of games; its ranges are those of attack_probabilities()")
        sets = [found for _, found in self._stage_sets]
        everything = tuple(one for found in sets for one in found)
        return replace(
            sets[0],
            equilibria=tuple(replace(one, siblings=None) for one in everything) if len(sets) > 1 else everything,
            complete=all(found.complete for found in sets),
        )

    def posture_plays(self) -> tuple[PosturePlay, ...]:
        """Return what follows in each equilibrium of the posture game: who comes, really and as it is expected."""
        stage = self._stage
        fact, belief = self._posture_cells
        seen_prior = (self.perceived_by(self.aggressor.name).posture or stage).prior
        responses = fact.response(), belief._expected_responses(self.aggressor.name).response
        cells = len(stage.types) * len(stage.postures)
        parts = [[response_at(each, c) for c in range(cells)] for each in responses]
        plays = []
        for pick, found in self._stage_sets:
            for one in found:
                weights = [(prior[:, None] * one.profile.sender).ravel() for prior in (stage.prior, seen_prior)]  # type: ignore[attr-defined]
                truth, seen = (
                    mean_response([("", weight[c], weight[c], some[c]) for c in range(cells)])
                    for weight, some in zip(weights, parts, strict=True)
                )
                plays.append(PosturePlay(one, pick, truth, seen, self._learned(one, pick, parts[1])))
        return tuple(plays)

    def posture_ranges(self, events: Sequence[str]) -> dict[str, tuple[Floats, Floats]]:
        """Return the lowest and the highest probability of events over the equilibria of the posture game.

        Parameters
        ----------
        events : sequence of str
            Of the posture game.

        Returns
        -------
        mapping of str to pair of ndarray, shape (...)
            NaN at points of a batch where no equilibrium was found.
        """
        batch = self._batch_shape
        if not batch:
            sets = [found for _, found in self._stage_sets]
            pairs = {event: [found.probability(event) for found in sets] for event in events}
            return {
                e: (np.asarray(min(low for low, _ in p)), np.asarray(max(h for _, h in p))) for e, p in pairs.items()
            }
        low, high = np.full((len(events), *batch), np.inf), np.full((len(events), *batch), -np.inf)
        for pick in self._stage_picks:
            everywhere = not any(pick)
            where: Any = tuple(slice(None) for _ in batch) if everywhere else np.nonzero(self._several_responses)
            game = self._posture_game(pick)
            if everywhere or isinstance(game, SignalingGame):
                ends = pbe(game).probabilities(events)  # type: ignore[attr-defined]
                ends = ends if everywhere else tuple(one[(slice(None), *where)] for one in ends)
            else:
                ends = pbe(game[where]).probabilities(events)  # type: ignore[attr-defined]
            at = (slice(None), *where)
            low[at] = np.minimum(low[at], ends[0])
            high[at] = np.maximum(high[at], ends[1])
        return {event: (low[e], high[e]) for e, event in enumerate(events)}

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Whether what the aggressor expects was found, at each point of a batch; with each type and posture."""
        if self.posture is None:
            return self.perceived_response().converged
        fact, belief = self._posture_cells
        both = fact.response(), belief._expected_responses(self.aggressor.name).response
        return np.asarray(both[0].converged.all(axis=0) & both[1].converged.all(axis=0))

    def perceived_defence(self) -> tuple[Floats, Floats]:
        """Return the lowest and highest probability that the defence holds, as the aggressor sees it, shape (..., X).

        With a posture stage what it expects before it sees a posture: the mean over types and postures.
        """
        if self.posture is None:
            held = self.perceived_response().holds
            return held[0], held[1]
        names = [_EXPECTED.format(attack.name) for attack in self.attacks]
        ranges = self.posture_ranges(names)
        return tuple(np.stack([ranges[name][k] for name in names], axis=-1) for k in (0, 1))  # type: ignore[return-value]

    def held_range(self, attack: str) -> tuple[Floats, Floats]:
        """Return the lowest and the highest probability that the defence would hold against an attack, shape (...)."""
        if self.posture is None:
            x = [one.name for one in self.attacks].index(attack)
            held = self.response().holds[..., x]
            return held[0], held[1]
        return self.posture_ranges([_HELD.format(attack)])[_HELD.format(attack)]

    def _stage_end(self, event: str, equilibrium: str) -> Floats:
        return self.posture_ranges([event])[event][_selection(equilibrium)]

    def _learned(self, one: Equilibrium, pick: tuple[int, ...], cells: Sequence[Response]) -> tuple[Lesson, ...]:
        """Return what the aggressor learns from each posture that is taken."""
        stage = self._stage
        sender, size = one.profile.sender, len(stage.postures)  # type: ignore[attr-defined]
        found = []
        for m, posture in enumerate(stage.postures):
            taken = float(stage.prior @ sender[:, m])
            if not (sender[:, m] > 0).any():
                continue
            beliefs = one.beliefs[posture.name]
            belief = np.array([float(beliefs[kind.name]) for kind in stage.types])
            holds = {
                attack.name: float(sum(p * cells[t * size + m].holds[pick[x]][..., x] for t, p in enumerate(belief)))
                for x, attack in enumerate(self.attacks)
            }
            found.append(
                Lesson(
                    posture.name, taken, dict(zip((k.name for k in stage.types), belief.tolist(), strict=True)), holds
                )
            )
        return tuple(found)

    @cached_property
    def _stage_sets(self) -> tuple[tuple[tuple[int, ...], EquilibriumSet], ...]:
        """The equilibria of the posture game, for each choice among the equilibria of the response."""
        return tuple((pick, pbe(self._posture_game(pick))) for pick in self._stage_picks)

    @cached_property
    def _stage_picks(self) -> tuple[tuple[int, ...], ...]:
        """Which equilibrium of the response follows each kind of attack: all choices, if there are several."""
        ends = (0, 1) if np.any(self._several_responses) else (0,)
        return tuple(itertools.product(ends, repeat=len(self.attacks)))

    @cached_property
    def _several_responses(self) -> NDArray[np.bool_]:
        """Whether some attack, with some type and posture, has several equilibrium responses."""
        fact, belief = self._posture_cells
        several = np.zeros((), dtype=bool)
        for found in (fact.response(), belief._expected_responses(self.aggressor.name).response):
            gap = np.abs(found.comes[1] - found.comes[0]).max(axis=(-1, -2)) > _SAME
            several = several | gap.any(axis=0)
        return np.broadcast_to(several, self._batch_shape)

    def _posture_game(self, pick: tuple[int, ...], *, binned: bool = False) -> ContinuousReceiverGame | SignalingGame:
        """Return the posture game if each kind of attack is met by an equilibrium, 0 lowest or 1 highest."""
        stage = self._stage
        fact, belief = self._posture_cells
        resists = fact._resists(pick)
        expected = belief._expected_responses(self.aggressor.name)
        foreseen = belief._resists(pick) if belief is not fact and self._gives_target_view(belief) else resists
        seen = self.perceived_by(self.aggressor.name)
        plans = fact._plans(fact._realised, pick, resists)
        outcomes = PostureOutcomes(plans, belief._plans(expected, pick, foreseen), self._batch_shape)
        sizes = len(stage.types), len(stage.postures), 1 + len(plans.kinds)
        further: dict[str, tuple[Floats, bool]] = {}
        for x, attack in enumerate(self.attacks):
            last = max(i for i, kind in enumerate(plans.kinds) if kind == x)
            further |= {
                _HELD.format(attack.name): (fact.response().holds[pick[x]][..., x], False),
                _EXPECTED.format(attack.name): (expected.response.holds[pick[x]][..., x], True),
                _RESISTED.format(attack.name): (plans.answered[..., last], False),
            }
        return posture_game(
            stage=stage,
            believed_prior=(seen.posture or stage).prior,
            attacks=self.attacks,
            prize=self.aggressor.prize,
            outcomes=outcomes,
            expected={
                name: ResponseEvent(outcomes.same_whatever_follows(values, *sizes), believed=believed)
                for name, (values, believed) in further.items()
            },
            sender=self.names.index(stage.sender) if stage.sender else None,
            players=(stage.sender or "Alliance", self.aggressor.name),
            binned=binned,
        )

    @property
    def _stage(self) -> PostureStage:
        if self.posture is None:
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
        return self.posture

    @cached_property
    def _posture_cells(self) -> tuple[Self, Self]:
        """The game for each type with each posture, side by side on a first axis: as it is, and as it is perceived."""
        stage = self._stage
        seen = self.perceived_by(self.aggressor.name)
        mistaken = self.aggressor.name in self.perception
        facts, beliefs = [], []
        for k, kind in enumerate(stage.types):
            for j, one in enumerate(stage.postures):
                fact = self._as(kind.changes, one.overlay())
                _same_steps(self.attacks, fact.attacks, f"type {kind.name!r} with posture {one.name!r}")
                facts.append(fact)
                if mistaken:
                    theirs = seen.posture or stage
                    beliefs.append(seen._as(theirs.types[k].changes, theirs.postures[j].overlay()))
        fact = _side_by_side(facts, self._batch_shape)
        return fact, _side_by_side(beliefs, self._batch_shape) if mistaken else fact

    @property
    def _batch_shape(self) -> tuple[int, ...]:
        """Leading dimensions of all numbers, those of the views of players too."""
        records = [self, *(self.perceived_by(player) for player in self.perception)]
        return np.broadcast_shapes(*(np.shape(value) for one in records for _, value in numbers_of(one)))

    # -- what the aggressor makes of it ---------------------------------------------------------------------------

    def _expected_resistance(self, pick: tuple[int, ...]) -> list[Floats]:
        """Return the probability of resistance that the aggressor expects, by its view of what the target sees."""
        seen = self.perceived_by(self.aggressor.name)
        return seen._resists(pick) if self._gives_target_view(seen) else self._resists(pick)

    def _gives_target_view(self, seen: Self) -> bool:
        """Return whether a view of the game says how the target sees it."""
        return self.target is not None and self.target.name in seen.perception

    def _resists(self, pick: tuple[int, ...]) -> list[Floats]:
        """Return the probability that the target resists each step, at its own view, which the aggressor knows."""
        if self.target is None:
            return [np.ones(1)] * len(self.attacks)
        seen, responses = self.perceived_by(self.target.name), self._responses_expected_by(self.target.name)
        return [
            resistance(
                seen.target or self.target,
                attack,
                responses.at_steps("holds", x, pick[x]),
                responses.at_steps("strength", x, pick[x]),
                seen.aggressor.prize.mean() if most_steps(attack) > 1 else 0.0,
                seen.aggressor.punishment,
            )
            for x, attack in enumerate(seen.attacks)
        ]

    def _plans(self, responses: StageResponses, pick: tuple[int, ...], resists: list[Floats]) -> Plans:
        stakes = stack_last([member.stake for member in self.members])
        return plans(self.attacks, responses, pick, resists, punishment=self.aggressor.punishment, stakes=stakes)

    def _choice(self, responses: StageResponses, pick: tuple[int, ...], resists: list[Floats]) -> AggressorChoice:
        found = self._plans(responses, pick, resists)
        refraining = np.asarray(self.aggressor.punishment * _acting(responses.first, pick))
        names = tuple(attack.name for attack in self.attacks)
        return envelope(names, found.slopes, found.costs - refraining[..., None], found.kinds, found.steps)


_HELD, _EXPECTED, _RESISTED = "{} would be held", "{} is expected to be held", "{} would be resisted"
_SAME = 1e-7  # difference of probabilities of assisting that makes no other equilibrium


def _side_by_side(games: Sequence[Any], batch: tuple[int, ...]) -> Any:
    """Return games that differ in their numbers as one, these on a first axis in front of a batch."""
    tables = [dict(numbers_of(replace(game, perception={}))) for game in games]
    if any(table.keys() != tables[0].keys() for table in tables):
        raise GameError("types and postures may change numbers, not what there is to be numbered")
    overlay: dict[str, Any] = {}
    for path, value in tables[0].items():
        values = [np.asarray(table[path], dtype=np.float64) for table in tables]
        if all(one.ndim == 0 and one == value for one in values):
            continue
        shape = batch if any(one.ndim for one in values) else (1,) * len(batch)
        overlay[path] = np.stack([np.broadcast_to(one, shape) for one in values])
    if not overlay:  # a batch even so, of as many cells
        overlay["base"] = np.broadcast_to(np.asarray(games[0].base, dtype=np.float64), (len(games), *batch)).copy()
    first = games[0]
    return replace(apply_overlay(replace(first, perception={}), overlay), perception=first.perception)


def _same_steps(attacks: Sequence[AttackOption], others: Sequence[AttackOption], what: str) -> None:
    """Raise GameError unless attacks are cut into as many steps elsewhere; ``what`` says where."""
    for mine, changed_one in zip(attacks, others, strict=True):
        if not np.all(np.equal(mine.steps, changed_one.steps)):
            raise GameError(f"the steps of {mine.name!r} are the same everywhere; {what} cannot change them")


def _among(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        hint = did_you_mean(name, known)
        raise GameError(f"{what} {name!r}, who is not among {', '.join(known)}{hint}")


def _acting(first: Response, pick: tuple[int, ...]) -> Floats:
    """Return the strength that is expected to act on false alarms."""
    return np.asarray(sum(first.alarmed[k][..., x] for x, k in enumerate(pick)))


def _selection(equilibrium: str) -> int:
    if equilibrium not in ("lowest", "highest"):
        raise GameError(f"equilibrium must be 'lowest' or 'highest', got {equilibrium!r}")
    return 0 if equilibrium == "lowest" else 1


_OF_ATTACKS = {"strength": "strength", "window": "window, days", "share": "share of the prize", "cost": "cost"}


def _text(defence: CollectiveDefence) -> str:
    """Return the game in a few lines for the terminal."""
    attacks = ", ".join(attack.name for attack in defence.attacks)
    lines = [
        f"collective defence by {len(defence.members)} members: {', '.join(defence.names)}",
        f"  {defence.aggressor.name} may refrain, or attack: {attacks}",
    ]
    if defence.target is not None:
        lines.append(f"  {defence.target.name} may yield")
    if defence.posture is not None:
        lines.append(f"  postures: {', '.join(one.name for one in defence.posture.postures)}")
    if defence.perception:
        lines.append(f"  with perceptions of their own: {', '.join(defence.perception)}")
    return "\n".join(lines)


def _html(defence: CollectiveDefence) -> str:
    """Return the game as HTML: what it is, the attacks, the members; every label is escaped."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in ("attack", *_OF_ATTACKS.values()))
    rows = "".join(
        f'<tr><th scope="row">{escape(attack.name)}</th>'
        + "".join(f"<td>{escape(_number(getattr(attack, key)))}</td>" for key in _OF_ATTACKS)
        + "</tr>"
        for attack in defence.attacks
    )
    words = "".join(f"<p>{escape(line.strip())}</p>" for line in _text(defence).splitlines())
    table = f'<table aria-label="attacks"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f"<div>{words}{table}{defence.participation_game()._repr_html_()}</div>"


def _number(value: Any) -> str:
    values = np.asarray(value, dtype=np.float64)
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"

"""The collective-defence game: how commitments, postures and perceptions turn into a likelihood of attack.

Three games, each solvable alone, are tied together by one record. *Who would come*: the participation game
among the members, after each kind of attack and in each state of the treaty
(``deterrence.games.participation``). *Is it worth it*: the aggressor's choice among the attacks and
refraining (``deterrence.alliances.aggressor``). *What does the posture tell*: the signaling game between the
alliance and the aggressor (``deterrence.alliances.posture``). A player may hold wrong values of any
parameter: an overlay. What each player expects is reckoned at its own values, what happens at the true ones.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.aggressor import AggressorChoice, aggressor_choice
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
from deterrence.alliances.response import Response, mixed, realised, response
from deterrence.alliances.shocks import CommonShock, ShockState
from deterrence.games.errors import GameError
from deterrence.games.participation import Member, ParticipationGame, Support, distinct, number_in
from deterrence.games.paths import Change, Overlay, changed
from deterrence.games.signaling import SignalingGame

Floats = NDArray[np.float64]

__all__ = [
    "REFRAIN",
    "Aggressor",
    "AllianceType",
    "AttackOption",
    "AttackProbabilities",
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
class CollectiveDefence:
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
    perception : mapping of str to overlay
        By player (the aggressor, a member or the target): the values at which this player reckons, by path.

    Raises
    ------
    GameError, ParameterError
        If a part is malformed, a name unknown or a number out of range.
    """

    members: tuple[Member, ...]
    attacks: tuple[AttackOption, ...]
    treaty: Treaty = field(default_factory=Treaty)
    aggressor: Aggressor = field(default_factory=Aggressor)
    base: Any = 0.0
    decisiveness: Any = 1.0
    decay: Any = 7.0
    tripwire: Any = 0.0
    posture: PostureStage | None = None
    shock: CommonShock | None = None
    target: Target | None = None
    perception: Mapping[str, Overlay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", distinct(self.members, Member, "members"))
        object.__setattr__(self, "attacks", distinct(self.attacks, AttackOption, "attacks"))
        for key, low, strict in (
            ("base", 0.0, False),
            ("decisiveness", 0.0, True),
            ("decay", 0.0, True),
            ("tripwire", 0.0, False),
        ):
            object.__setattr__(self, key, number_in(getattr(self, key), low, np.inf, key, strict=strict))
        object.__setattr__(self, "perception", {player: dict(overlay) for player, overlay in self.perception.items()})
        if self.aggressor.name in self.names:
            raise GameError(f"the aggressor {self.aggressor.name!r} is also a member; give one of them another name")
        if self.target is not None and self.target.name in (self.aggressor.name, *self.names):
            raise GameError(f"the target {self.target.name!r} is also another player; give one of them another name")
        for player in self.perception:
            _among(player, self.players, "perception names")
        self.participation_game()  # checks the members, the rule and the batch dimensions
        if self.posture is not None:
            if self.posture.sender:
                _among(self.posture.sender, self.names, "the sender of the posture is")
            for one in self.posture.postures:
                for name in (*one.forward, *one.tied):
                    _among(name, self.names, f"posture {one.name!r} names")
            for kind, one in itertools.product(self.posture.types, self.posture.postures):
                self._as(kind.changes, one.overlay())
        for player in self.perception:
            self.perceived_by(player)

    @property
    def names(self) -> tuple[str, ...]:
        """The members' names, in order."""
        return tuple(member.name for member in self.members)

    @property
    def players(self) -> tuple[str, ...]:
        """The aggressor, the members and, if it may yield, the target."""
        return (self.aggressor.name, *self.names, *(() if self.target is None else (self.target.name,)))

    def at(self, **changes: Change) -> CollectiveDefence:
        """Return the game with changes by path; write ``defence.at(**{"members.*.stake": 2})``.

        Raises
        ------
        ParameterError
            If a path leads nowhere or a change is none; see ``deterrence.games.paths``.
        """
        return changed(self, changes)

    def perceived_by(self, player: str) -> CollectiveDefence:
        """Return the game at the values that a player holds (the true ones, if it misperceives nothing).

        Raises
        ------
        GameError
            If nobody is called that.
        """
        _among(player, self.players, "asked for the view of")
        overlay = self.perception.get(player, {})
        return changed(replace(self, perception={}), overlay)

    def participation_game(self) -> ParticipationGame:
        """Return the participation game among the members, at the true values."""
        return ParticipationGame(
            members=self.members,
            attacks=self.attacks,
            base=self.base,
            decisiveness=self.decisiveness,
            decay=self.decay,
            integration=self.treaty.integration,
            tripwire=self.tripwire,
            rule=self.treaty.rule,
            shared_intelligence=self.treaty.shared_intelligence,
            consultation=self.treaty.consultation,
            deliberation=self.treaty.deliberation,
            automaticity=self.treaty.automaticity,
        )

    def false_alarm_response(self, resolve: str = "highest") -> Floats:
        """Return the strength expected to act against an aggressor that refrains, shape (...).

        An incident is mistaken for an attack of the first kind, the treaty invoked, and members act as after one.
        """
        if not np.any(self.treaty.incidents):
            return np.zeros(())
        acting = self.response().strength_invoked[_selection(resolve)][..., 0]
        return np.asarray(self.treaty.incidents * self.participation_game().false_invocation() * acting)

    def resistance(self, resolve: str = "highest") -> Floats:
        """Return the probability that the target resists each kind of attack, shape (..., X); 1 without a target."""
        return self._resistance((_selection(resolve),) * len(self.attacks))

    def conquest_without_fight(self, resolve: str = "highest") -> Floats:
        """Return the probability of an attack to which the target yields, shape (...)."""
        chosen = self.aggressor_choice(resolve).measure(self.aggressor.prize)[..., 1:]
        return np.asarray((chosen * (1 - self.resistance(resolve))).sum(axis=-1))

    def expected_response(self) -> Response:
        """Return what members who hold the true values would do after each kind of attack."""
        return self._equilibrium

    def response(self) -> Response:
        """Return what really happens after each kind of attack: members who misperceive act on their own values."""
        return self._realised

    def perceived_response(self, player: str | None = None) -> Response:
        """Return what a player (by default the aggressor) expects after each kind of attack: perceived resolve."""
        name = self.aggressor.name if player is None else player
        if name not in self.perception:
            return self._equilibrium if name in self.players else self.perceived_by(name)._equilibrium
        return self.perceived_by(name)._equilibrium

    def aggressor_choice(self, resolve: str = "highest", *, at_true_values: bool = False) -> AggressorChoice:
        """Return what the aggressor does for each value of the prize.

        Parameters
        ----------
        resolve : str
            Which equilibrium of the response it expects: ``"lowest"`` or ``"highest"`` participation.
        at_true_values : bool
            Whether it reckons with what would really happen, instead of what it perceives.
        """
        seen = self if at_true_values else self.perceived_by(self.aggressor.name)
        expected = self.response() if at_true_values else self.perceived_response()
        pick = (_selection(resolve),) * len(self.attacks)
        return seen._choice(expected, pick, self._resistance(pick))

    def attack_probabilities(self) -> AttackProbabilities:
        """Return the likelihood of each kind of attack, and its range over the equilibria it may expect.

        Each kind of attack may be met by its lowest or its highest equilibrium, so the range is over 2^X
        combinations. The value v is drawn from the true distribution; the choice at each v is made at the
        aggressor's own values.
        """
        seen = self.perceived_by(self.aggressor.name)
        expected = self.perceived_response()
        picks = [(0, 1)] * len(self.attacks) if expected.several else [(0,)] * len(self.attacks)
        choices = [seen._choice(expected, pick, self._resistance(pick)) for pick in itertools.product(*picks)]
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
        pick = (_selection(resolve),) * len(self.attacks)
        truth = self._choice(self.response(), pick, self._resistance(pick))
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
            If there is no posture stage, or there is a target that may yield, or incidents.
        """
        stage = self.posture
        if stage is None:
            raise GameError("this game has no posture stage; give it posture=PostureStage(types=..., postures=...)")
        if self.target is not None or np.any(self.treaty.incidents):
            raise GameError(
                "the posture game has no place for a target that may yield, nor for incidents: leave them out"
            )
        k = _selection(resolve)
        seen = self.perceived_by(self.aggressor.name)
        seen_stage = seen.posture or stage
        true, perceived = PostureOutcomes.empty(), PostureOutcomes.empty()
        for kind, seen_kind in zip(stage.types, seen_stage.types, strict=True):
            for one, seen_one in zip(stage.postures, seen_stage.postures, strict=True):
                fact = self._as(kind.changes, one.overlay())
                true.add(fact.response(), k, fact._sender_payoff(fact.response(), k, stage.sender))
                belief = (
                    seen._as(seen_kind.changes, seen_one.overlay()) if self.aggressor.name in self.perception else fact
                )
                perceived.add(belief.expected_response(), k, np.zeros(len(self.attacks)))
        return posture_game(
            stage=stage,
            believed_prior=seen_stage.prior,
            attacks=seen.attacks,
            prize=prize_types(self.aggressor.prize, stage.quantiles),
            seen_prize=prize_types(seen.aggressor.prize, stage.quantiles),
            punishment=seen.aggressor.punishment,
            true=true,
            perceived=perceived,
            players=(stage.sender or "Alliance", self.aggressor.name),
        )

    # -- private ----------------------------------------------------------------------------------------------------

    @cached_property
    def _equilibrium(self) -> Response:
        parts = [
            (name, weight, response(one.participation_game(), every_state=bool(np.any(self.treaty.incidents))))
            for name, weight, one in self._states()
        ]
        return parts[0][2] if len(parts) == 1 else mixed(parts)

    def _states(self) -> list[tuple[str, Any, CollectiveDefence]]:
        """Return name, probability and game of each state of the common shock; one without a shock."""
        bare = replace(self, shock=None, posture=None, perception={})
        if self.shock is None:
            return [("", 1.0, bare)]
        return [(name, weight, changed(bare, overlay)) for name, weight, overlay in self.shock.overlays(self.members)]

    @cached_property
    def _realised(self) -> Response:
        mistaken = {name: self.perceived_by(name) for name in self.perception if name in self.names}
        if not mistaken:
            return self._equilibrium
        views = {self.names.index(name): view._states() for name, view in mistaken.items()}
        parts = []
        for k, (name, weight, one) in enumerate(self._states()):
            game = one.participation_game()
            plans = {i: response(states[k][2].participation_game(), every_state=True) for i, states in views.items()}
            parts.append((name, weight, realised(game, response(game, every_state=True), plans)))
        return parts[0][2] if len(parts) == 1 else mixed(parts)

    def _as(self, *overlays: Overlay) -> CollectiveDefence:
        """Return the game after a type's and a posture's changes, without a posture stage."""
        views = {
            player: {path: change for path, change in overlay.items() if not path.startswith("posture.")}
            for player, overlay in self.perception.items()
        }
        found = replace(self, posture=None, perception=views)
        for overlay in overlays:
            found = changed(found, overlay)
        return found

    def _resistance(self, pick: tuple[int, ...]) -> Floats:
        """Return the probability that the target resists, at its own view; the aggressor knows of its doubt."""
        if self.target is None:
            return np.ones(len(self.attacks))
        expected = self.perceived_response(self.target.name)
        holds = np.stack([expected.holds[k][..., x] for x, k in enumerate(pick)], axis=-1)
        return (self.perceived_by(self.target.name).target or self.target).resists(holds)

    def _choice(self, expected: Response, pick: tuple[int, ...], resists: Floats) -> AggressorChoice:
        holds = np.stack([expected.holds[k][..., x] for x, k in enumerate(pick)], axis=-1)
        strength = np.stack([expected.strength[k][..., x] for x, k in enumerate(pick)], axis=-1)
        refraining: Any = 0.0
        if np.any(self.treaty.incidents):
            acting = expected.strength_invoked[pick[0]][..., 0]
            false = self.participation_game().false_invocation()
            refraining = self.treaty.incidents * false * self.aggressor.punishment * acting
        return aggressor_choice(
            self.attacks, holds, strength, self.aggressor.punishment, resists=resists, refraining=refraining
        )

    def _sender_payoff(self, met: Response, k: int, sender: str) -> Floats:
        """Return the sender's payoff after each kind of attack, relative to peace, shape (X,)."""
        stakes = np.array([member.stake for member in self.members], dtype=np.float64)
        relative = met.payoffs[k] - stakes  # (X, N): in peace nothing is lost
        return np.asarray(relative[:, self.names.index(sender)] if sender else relative.sum(axis=-1))


def _selection(resolve: str) -> int:
    if resolve not in ("lowest", "highest"):
        raise GameError(f"resolve must be 'lowest' or 'highest', got {resolve!r}")
    return 0 if resolve == "lowest" else 1


def _among(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise GameError(f"{what} {name!r}, who is not among {', '.join(known)}{hint}")

"""The situation that a collective-defence game describes: its numbers, who sees them how, and what members do in it.

What each player expects is reckoned at its own values, what happens at the true ones. Responses are solved once for
each view, each state of a common shock and each step of an attack, and kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.beliefs import as_wide, best_reply, checked_perception, split_overlay, without_paths
from deterrence.alliances.campaign import Met, crossing, dimensions_of, held, longest
from deterrence.alliances.participation import Member, ParticipationGame, distinct, number_in
from deterrence.alliances.records import Aggressor, AttackOption, PostureStage, Target, Treaty
from deterrence.alliances.response import Response, alarmed, mixed, realised, response
from deterrence.alliances.shocks import CommonShock
from deterrence.alliances.warning import Automation
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.paths import Change, Overlay, changed

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The numbers of a collective-defence game, and what members do; see ``CollectiveDefence`` for its attributes."""

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
    automation: Automation | None = None
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
        object.__setattr__(self, "perception", checked_perception(self.perception, self.players))
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
        incidents = self._incidents()
        if np.any(sum(incidents) > 1 + 1e-12):
            raise GameError(
                "the incidents of all kinds of attack, and those of the treaty, must sum to at most 1, got "
                f"{np.max(sum(incidents)):g}"
            )
        for player in self.perception:
            theirs = self.perceived_by(player).shock
            if self.shock is not None and theirs is not None and theirs.nodes != self.shock.nodes:
                raise GameError(
                    f"the nodes of the shock are the same for everybody, for they pair its states: {player} cannot see "
                    f"{theirs.nodes} for {self.shock.nodes}; set shock.nodes of the game itself"
                )
            for mine, seen in zip(self.attacks, self.perceived_by(player).attacks, strict=True):
                if longest(mine) != longest(seen):
                    raise GameError(
                        f"the steps of {mine.name!r} are the same for everybody; {player} cannot misperceive them"
                    )

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
        return changed(self, changes)

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
            self._views[player] = replace(changed(replace(self, perception={}), changes), perception=nested)
        return self._views[player]

    def participation_game(self) -> ParticipationGame:
        """Return the participation game among the members, at the true values."""
        treaty, members = self.treaty, self.members
        days = np.asarray(1 - np.asarray(treaty.integrated_command))
        if self.automation is not None:
            members = self.automation.judging(members, [one.name for one in self.attacks])
            days = days * self.automation.left
        return ParticipationGame(
            members=members,
            attacks=self.attacks,
            base=self.base,
            decisiveness=self.decisiveness,
            decay=self.decay,
            integration=treaty.integration,
            tripwire=self.tripwire,
            rule=treaty.rule,
            shared_intelligence=treaty.shared_intelligence,
            consultation=days * treaty.consultation,
            deliberation=days * treaty.deliberation,
            automaticity=treaty.automaticity,
            talk=treaty.talk,
        )

    # -- what members do ------------------------------------------------------------------------------------------

    @cached_property
    def _views(self) -> dict[str, Self]:
        """The game as players hold it, as far as asked for."""
        return {}

    @cached_property
    def _met(self) -> Met:
        """What members who hold these values do after each step of each kind of attack: an equilibrium."""
        return self._by_step(lambda k, cut: response(self._after(k, cut), every_state=self._alarming))

    @cached_property
    def _realised(self) -> Met:
        """What really happens after each step: members who misperceive act on their own values."""
        return self._foreseen("")

    def _foreseen(self, player: str) -> Met:
        """Return what a player whose view this is expects; it may think that members see another game."""
        if not any(name in self.names for name in self.perception):
            return self._met

        def part(k: int, cut: str) -> Response:
            known = self._others(k, cut)
            game = as_wide(self._after(k, cut), known)
            mine = self._plan(player, k, cut) if player in self.names else response(game, every_state=True)
            return realised(game, mine, known, every_state=self._alarming)

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

    def _by_step(self, part: Callable[[int, str], Response]) -> Met:
        """Return the responses to first steps, and to the later ones of attacks that are cut, mixed over the shock."""

        def over_states(cut: str) -> Response:
            found = []
            for k, (name, weight, one) in enumerate(self._states):
                mine = part(k, cut)
                if self._alarming and not cut:
                    mine = alarmed(one.participation_game(), mine, one._incidents())
                found.append((name, weight, mine))
            return found[0][2] if len(found) == 1 else mixed(found)

        depth = max(self._dimensions, *(dimensions_of(one) for one in self.attacks))
        later = {x: over_states(one.name) for x, one in enumerate(self.attacks) if np.any(crossing(one, depth)[1:])}
        return Met(self.attacks, self._dimensions, over_states(""), later)

    def _after(self, k: int, cut: str) -> ParticipationGame:
        """Return the participation game in the k-th state of the shock; after later steps, if an attack is given."""
        one = self._states[k][2]
        return one._cut(cut, self._dimensions) if cut else one.participation_game()

    def _cut(self, attack: str, dimensions: int) -> ParticipationGame:
        """Return the participation game after the second, third, ... step of an attack, on an axis in front."""
        game = self.participation_game()
        one = self.attacks[[a.name for a in self.attacks].index(attack)]
        left = held(one, dimensions)[1:-1]
        return replace(game, attacks=(replace(one, at_stake=np.asarray(one.at_stake) * left),))

    @cached_property
    def _dimensions(self) -> int:
        """Number of batch dimensions of what the members decide on, and think that others do."""
        seen = (self.perceived_by(name)._dimensions for name in self.perception if name in self.names)
        games = (max(np.ndim(weight), len(one.participation_game().batch_shape)) for _, weight, one in self._states)
        return max([*games, *seen, *(np.ndim(one.steps) for one in self.attacks)])

    def _incidents(self) -> list[Floats]:
        """Return the probability of an incident of each kind, if the aggressor refrains."""
        found = [np.asarray(one.incidents, dtype=np.float64) for one in self.attacks]
        found[0] = np.asarray(found[0] + self.treaty.incidents)
        return found

    @cached_property
    def _alarming(self) -> bool:
        """Whether there are incidents, in any state of the shock."""
        return any(bool(np.any(chance)) for _, _, one in self._states for chance in one._incidents())

    @cached_property
    def _states(self) -> list[tuple[str, Any, Self]]:
        """Return name, probability and game of each state of the common shock; one without a shock."""
        bare = replace(self, shock=None, posture=None, perception={})
        if self.shock is None:
            return [("", 1.0, bare)]
        found = [(name, weight, changed(bare, overlay)) for name, weight, overlay in self.shock.overlays(self.members)]
        for name, _, one in found:
            same_steps(self.attacks, one.attacks, f"state {name!r} of the shock")
        return found

    def _as(self, *overlays: Overlay) -> Self:
        """Return the game after a type's and a posture's changes, without a posture stage."""
        views = {player: without_paths(overlay, "posture.") for player, overlay in self.perception.items()}
        found = replace(self, posture=None, perception=views)
        for overlay in overlays:
            found = changed(found, overlay)
        return found

    def _expected_by(self, player: str) -> Met:
        """Return what a player expects after each step of each kind of attack."""
        if player in self.players and player not in self.perception:
            return self._met
        return self.perceived_by(player)._foreseen(player)


def same_steps(attacks: Sequence[AttackOption], others: Sequence[AttackOption], what: str) -> None:
    """Raise GameError unless attacks are cut into as many steps elsewhere; ``what`` says where."""
    for mine, changed_one in zip(attacks, others, strict=True):
        if not np.all(np.equal(mine.steps, changed_one.steps)):
            raise GameError(f"the steps of {mine.name!r} are the same everywhere; {what} cannot change them")


def _among(name: str, known: tuple[str, ...], what: str) -> None:
    if name not in known:
        hint = did_you_mean(name, known)
        raise GameError(f"{what} {name!r}, who is not among {', '.join(known)}{hint}")

"""What the members of a participation game do after one kind of attack, in both states of the treaty."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import STATES, ParticipationGame
from deterrence.games.equilibrium import Beliefs, Strategies
from deterrence.games.errors import GameError
from deterrence.games.events import Event, resolve_event

Floats = NDArray[np.float64]

HOLDS, FAILS, ALL, NOBODY = "defence holds", "defence fails", "all assist", "nobody assists"
LARGEST_TREE = 16  # members up to which a predicate over paths is evaluated on every path


@dataclass(frozen=True, eq=False)
class ParticipationProfile:
    """Cutpoints and what follows from them; the first axis is the state: invoked, not invoked.

    Attributes
    ----------
    attack : str
        The kind of attack.
    invoked : float
        P(invoked | attack).
    cutpoints : ndarray, shape (2, N)
        Member i assists iff its cost is at most this (and it is in a position to act); in its units of utility.
    probabilities : ndarray, shape (2, N)
        Probability that each member assists, given the state.
    holds : ndarray, shape (2,)
        P(defence holds | state).
    strength : ndarray, shape (2,)
        Expected assisting strength given the state, in units of strength; base and forward strength not counted.
    residual : ndarray, shape (2,)
        Largest |q_i - e_i F_i(c_i)| that the solver left.
    """

    attack: str
    invoked: float
    cutpoints: Floats
    probabilities: Floats
    holds: Floats
    strength: Floats
    residual: Floats

    @property
    def state_probabilities(self) -> Floats:
        """P(invoked), P(not invoked)."""
        return np.array([self.invoked, 1.0 - self.invoked])

    def strategies(self, game: ParticipationGame) -> Strategies:
        """Return ``{member: {"invoked" | "not invoked": {"assist": q, "stay out": 1 - q}}}``."""
        return {
            name: {
                state: {"assist": float(self.probabilities[j, i]), "stay out": float(1 - self.probabilities[j, i])}
                for j, state in enumerate(STATES)
            }
            for i, name in enumerate(game.names)
        }

    def beliefs(self, game: ParticipationGame) -> Beliefs:
        """Return no beliefs: a member knows its own cost and the state, and all else is common knowledge."""
        return {}

    def payoffs(self, game: ParticipationGame) -> Mapping[str, Any]:
        """Return each member's expected payoff after the attack, before it knows its cost and the state."""
        total = np.zeros(len(game.names))
        for j, weight in enumerate(self.state_probabilities):
            total += weight * self.state_payoffs(game, invoked=j == 0)
        return dict(zip(game.names, total.tolist(), strict=True))

    def state_payoffs(self, game: ParticipationGame, *, invoked: bool) -> Floats:
        """Return each member's expected payoff in one state of the treaty, shape (N,)."""
        stage = game.stage(self.attack, invoked=invoked)
        j = 0 if invoked else 1
        return stage.payoffs(self.cutpoints[j], self.probabilities[j], self.holds[j])

    def probability(self, game: ParticipationGame, event: Event) -> float:
        """Return the probability of an event, given the attack.

        Parameters
        ----------
        event : str or callable
            ``"assist:NAME"``, ``"invoked"``, ``"not invoked"``, ``"defence holds"``, ``"defence fails"``,
            ``"all assist"``, ``"nobody assists"``, or a predicate over paths (attack, state, "assist:NAME"
            for each who comes, "defence holds" or "defence fails"); predicates for up to 16 members.

        Raises
        ------
        GameError
            If the event is not known, or a predicate is asked of more than 16 members.
        """
        labels = [f"assist:{name}" for name in game.names]
        known = (*STATES, *labels, HOLDS, FAILS, ALL, NOBODY)
        happens = resolve_event(event, known)
        if callable(event):
            return self._over_paths(game, happens)
        holds = self.holds
        by_state = {
            STATES[0]: np.array([1.0, 0.0]),
            STATES[1]: np.array([0.0, 1.0]),
            HOLDS: holds,
            FAILS: 1 - holds,
            ALL: self.probabilities.prod(axis=1),
            NOBODY: (1 - self.probabilities).prod(axis=1),
            **{label: self.probabilities[:, i] for i, label in enumerate(labels)},
        }
        return float(self.state_probabilities @ by_state[event])

    def _over_paths(self, game: ParticipationGame, happens: Any) -> float:
        n = len(game.names)
        if n > LARGEST_TREE:
            raise GameError(
                f"a predicate over paths needs at most {LARGEST_TREE} members, this game has {n}; ask for a named event"
            )
        total = 0.0
        for j, state in enumerate(STATES):
            stage = game.stage(self.attack, invoked=j == 0)
            for acts in itertools.product((0, 1), repeat=n):
                a = np.array(acts)
                weight = (
                    np.where(a == 1, self.probabilities[j], 1 - self.probabilities[j]).prod()
                    * self.state_probabilities[j]
                )
                who = tuple(f"assist:{name}" for name, act in zip(game.names, acts, strict=True) if act)
                summary = (NOBODY,) if not who else (ALL,) if len(who) == n else ()
                holds = float(stage.defence_holds((stage.base + stage.weights @ a)[..., None])[..., 0])
                for label, chance in ((HOLDS, holds), (FAILS, 1 - holds)):
                    if happens((self.attack, state, *who, *summary, label)):
                        total += weight * chance
        return float(total)

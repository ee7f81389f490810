"""Reading solutions: the outcome of a pure equilibrium, payoffs at an end, what a move is worth."""

from __future__ import annotations

import numpy as np

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import EquilibriumSet, Profile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import action_values, end_probabilities
from deterrence.games.quantities import Array
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.strategic import MixedProfile


def outcome_of(solution: EquilibriumSet) -> str:
    """Return the label of the end that the first equilibrium of a tree reaches, the likeliest if it mixes."""
    first = solution[0]
    ends = np.asarray(end_probabilities(first.game, _actions(first.profile)), dtype=np.float64)
    label = first.game.topology.end_labels[int(np.argmax(ends))]
    return str(label)


def plays(solution: EquilibriumSet, player: str, infoset: str, action: str) -> float:
    """Return the probability of an action in the first equilibrium."""
    return float(solution[0].strategies[player][infoset][action])


def worth(solution: EquilibriumSet, player: str, infoset: str, action: str) -> float:
    """Return what an action is worth to its player in the first equilibrium, at an information set that is one node."""
    first = solution[0]
    game: ExtensiveGame = first.game
    values = action_values(game, _actions(first.profile), np.ones(game.topology.size))
    s = game.infoset(player, infoset)
    return float(values[s.first + s.actions.index(action)])


def signaling(profile: Profile) -> SignalingProfile:
    """Return a profile as that of a signaling game.

    Raises
    ------
    GameError
        If it is another kind of profile.
    """
    if not isinstance(profile, SignalingProfile):
        raise GameError(f"expected the profile of a signaling game, got a {type(profile).__name__}")
    return profile


def mixed_strategies(profile: Profile) -> tuple[Array, ...]:
    """Return the mixed strategies of a profile of a strategic form.

    Raises
    ------
    GameError
        If it is another kind of profile.
    """
    if not isinstance(profile, MixedProfile):
        raise GameError(f"expected the profile of a strategic form, got a {type(profile).__name__}")
    return profile.mixed


def _actions(profile: Profile) -> Array:
    if not isinstance(profile, BehaviorProfile):
        raise GameError(f"expected the profile of a tree, got a {type(profile).__name__}")
    return profile.actions

r"""Level-k and cognitive hierarchy: players who think a few steps, and think that others think fewer.

Level 0 plays every action with equal probability; level k replies to level k - 1 (Nagel 1995), or to the mixture of
all lower levels with Poisson weights :math:`f(h) \propto e^{-\tau} \tau^h / h!`, as people do whose average number
of steps is :math:`\tau` (Camerer, Ho and Chong 2004 [1]_). Ties are broken evenly. In a tree a player updates about
the others' level and types from what it has seen; where all the levels that it allows for rule out what it sees, it
reasons as the highest lower level that does not.

References
----------
.. [1] C. F. Camerer, T.-H. Ho and J.-K. Chong, "A Cognitive Hierarchy Model of Games", Q. J. Econ. 119 (2004), 861-898.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Strategies
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import end_probabilities, reach_by_slots
from deterrence.games.quantities import Array
from deterrence.games.values import Value
from deterrence.perception.replies import reply
from deterrence.perception.trees import Ends, own_slots, strategies_of, tree_of

_MOST_MIXTURES = 20_000  # combinations of the others' levels


@dataclass(frozen=True, kw_only=True, eq=False)
class LevelPlay(Value):
    """What players of each level do, and what a population of them does.

    Attributes
    ----------
    tree : ExtensiveGame
        The game as a tree.
    behaviors : ndarray, shape (K + 1, A)
        What each level does.
    weights : ndarray, shape (K + 1,)
        Share of each level in the population.
    guesses : ndarray, shape (K + 1, K + 1)
        Row h: with what probability a player of level h thinks another to be of each level; level 0 expects its like.
    ends : Ends
        What may happen.
    """

    tree: ExtensiveGame = field(repr=False)
    behaviors: Array = field(repr=False)
    weights: Array
    guesses: Array = field(repr=False)
    ends: Ends = field(repr=False)

    @property
    def choices(self) -> tuple[Strategies, ...]:
        """What each level does, by player, information set and action."""
        return tuple(strategies_of(self.tree, actions) for actions in self.behaviors)

    @property
    def strategies(self) -> Strategies:
        """The population's average choice at each information set, not weighted by which level reaches it."""
        return strategies_of(self.tree, self.weights @ self.behaviors)

    def probability(self, event: Event) -> tuple[float, float]:
        """Return the probability of an event when each player is drawn from the population on its own, as (low, high).

        Raises
        ------
        GameError
            If the event is not known.
        """
        chance = float(end_probabilities(self.tree, self.behavior) @ self.ends.weights(event))
        return chance, chance

    @cached_property
    def behavior(self) -> Array:
        """What the population does, as a behaviour strategy of each player, shape (A,).

        It leads to every node as often as a draw of each player's level does, which perfect recall allows (Kuhn 1953):
        levels count at an information set by how often they come to it. Where none does, they count by their shares.
        """
        topology = self.tree.topology
        mean = np.array(self.weights @ self.behaviors)
        for i, player in enumerate(self.tree.players):
            slots = np.ones((len(self.weights), len(topology.labels)))
            mine = np.flatnonzero(own_slots(self.tree, player))
            slots[:, mine] = self.behaviors[:, mine]
            reach = reach_by_slots(topology, slots)
            for s in topology.infosets:
                share = self.weights * reach[:, s.nodes[0]]
                if s.player == i and share.sum() > 0:
                    mean[s.slots] = share @ self.behaviors[:, s.slots] / share.sum()
        return mean

    def expected_ends(self, player: str) -> Array:
        """Return the distribution over ends that a player expects, the mean over its own levels, shape (Z,).

        Raises
        ------
        GameError
            If there is no such player.
        """
        mine = own_slots(self.tree, player)
        total = np.zeros(len(self.ends.paths))
        for level in np.flatnonzero(self.weights > 0):
            behaviors, chances = _mixtures(
                self.tree, self.behaviors, self.guesses[level], self.tree.players.index(player)
            )
            behaviors[:, mine] = self.behaviors[level, mine]
            total += self.weights[level] * (chances @ end_probabilities(self.tree, behaviors))
        return total

    def __repr__(self) -> str:
        return f"LevelPlay({len(self.behaviors) - 1} levels of {self.tree!r})"


def level_k(game: Any, *, level: int, at: Mapping[str, object] | None = None, tol: float = 1e-9) -> LevelPlay:
    """Return the play of level-k players.

    Parameters
    ----------
    game : game
        A tree, a signaling game or a strategic form.
    level : int
        Every player's; >= 0.
    at : mapping of str to number, optional
        Values of the game's parameters.
    tol : float
        Ties, relative to the payoff span.

    Raises
    ------
    ParameterError
        If ``level`` is no whole number >= 0.

    Examples
    --------
    >>> import deterrence as dt
    >>> hunt = dt.StrategicGame([[1, 2], [-1, 3]], [[1, -1], [2, 3]], strategies=[["arm", "trust"]] * 2)
    >>> level_k(hunt, level=1).choices[1]["Row"]["start"]
    {'arm': 1.0, 'trust': 0.0}
    """
    top = _whole(level, "level")
    tree, ends = _prepare(game, at)
    guesses = np.eye(top + 1)[[0, *range(top)]]
    behaviors = _hierarchy(tree, guesses, tol)
    return LevelPlay(tree=tree, behaviors=behaviors, weights=np.eye(top + 1)[top], guesses=guesses, ends=ends)


def cognitive_hierarchy(
    game: Any, *, tau: float, levels: int = 12, at: Mapping[str, object] | None = None, tol: float = 1e-9
) -> LevelPlay:
    """Return the play of a Poisson cognitive hierarchy.

    Parameters
    ----------
    game : game
        A tree, a signaling game or a strategic form.
    tau : float
        Average number of steps, before truncation; >= 0.
    levels : int
        Highest level K; Poisson weights of levels 0 to K are made to sum to one.
    at : mapping of str to number, optional
        Values of the game's parameters.
    tol : float
        Ties, relative to the payoff span.

    Raises
    ------
    ParameterError
        If ``tau`` is negative or ``levels`` no whole number >= 0.

    Examples
    --------
    >>> import deterrence as dt
    >>> chicken = dt.StrategicGame([[0, 4], [1, 2]], [[0, 1], [4, 2]], strategies=[["escalate", "yield"]] * 2)
    >>> shares = cognitive_hierarchy(chicken, tau=1.5).strategies["Row"]["start"]
    >>> round(shares["escalate"], 8)
    0.63741349
    """
    top = _whole(levels, "levels")
    if not (np.isfinite(tau) and tau >= 0):
        raise ParameterError(f"tau must be finite and not negative (average number of steps), got {tau!r}")
    poisson = np.array([math.exp(-tau) * tau**k / math.factorial(k) for k in range(top + 1)])
    if poisson.sum() == 0:
        raise ParameterError(f"tau={tau:g} is so large that levels 0 to {top} have no weight; raise levels")
    tree, ends = _prepare(game, at)
    guesses = np.eye(top + 1)[[0, *range(top)]]  # where no lower level has any weight: the level below
    for k in range(1, top + 1):
        if poisson[:k].sum() > 0:
            guesses[k] = np.where(np.arange(top + 1) < k, poisson, 0.0) / poisson[:k].sum()
    behaviors = _hierarchy(tree, guesses, tol)
    weights = poisson / poisson.sum()
    return LevelPlay(tree=tree, behaviors=behaviors, weights=weights, guesses=guesses, ends=ends)


def _prepare(game: Any, at: Mapping[str, object] | None) -> tuple[ExtensiveGame, Ends]:
    numeric = game.at(**at) if at else game
    tree = tree_of(numeric)
    return tree, Ends.of(numeric, tree)


def _whole(number: Any, what: str) -> int:
    if isinstance(number, bool) or int(number) != number or number < 0:
        raise ParameterError(f"{what} must be a whole number of at least 0, got {number!r}")
    return int(number)


def _hierarchy(tree: ExtensiveGame, guesses: Array, tol: float) -> Array:
    """Return what each level does; level k thinks others to be of level h with probability ``guesses[k, h]``."""
    uniform = np.concatenate([np.full(len(s.actions), 1 / len(s.actions)) for s in tree.infosets] or [np.zeros(0)])
    behaviors = [uniform]
    for k in range(1, len(guesses)):
        mine = uniform.copy()
        for player in range(len(tree.players)):
            lower = np.stack(behaviors)
            foreseen, weights = _mixtures(tree, lower, guesses[k], player)
            # where these levels cannot lead: as the highest level below that can
            fallback = behaviors[-1]
            answer = reply(tree, player, foreseen, weights=weights, fallback=fallback, tol=tol)
            for i, s in enumerate(tree.infosets):
                if s.player == player:
                    mine[s.slots] = answer.actions[s.slots] if answer.decided[i] else fallback[s.slots]
        behaviors.append(mine)
    return np.stack(behaviors)


def _mixtures(tree: ExtensiveGame, lower: Array, guess: Array, player: int) -> tuple[Array, Array]:
    """Return every combination of the others' levels as one behaviour each, with its probability."""
    others = [i for i in range(len(tree.players)) if i != player and any(s.player == i for s in tree.infosets)]
    used = np.flatnonzero(guess > 0)
    if len(used) ** len(others) > _MOST_MIXTURES:
        raise GameError(f"{len(others)} players of {len(used)} levels make too many combinations; lower levels")
    owner = np.array([tree.infosets[i].player for i in tree.topology.slot_infoset], dtype=np.int64)
    rows: list[Array] = []
    weights: list[float] = []
    for combination in itertools.product(used, repeat=len(others)):
        rows.append(_combine(lower, owner, others, combination))
        weights.append(float(np.prod(guess[list(combination)])))
    return np.stack(rows), np.array(weights)


def _combine(lower: Array, owner: Array, others: Sequence[int], levels: Sequence[Any]) -> Array:
    actions = np.array(lower[0])
    for who, level in zip(others, levels, strict=True):
        actions[owner == who] = lower[level][owner == who]
    return actions

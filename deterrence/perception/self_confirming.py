r"""Self-confirming equilibrium: best replies to beliefs that nothing on the path contradicts.

Each player's strategy is a best reply to a conjecture about the others' strategies that is right at every
information set that play reaches, and may be wrong elsewhere (Fudenberg and Levine 1993 [1]_; one conjecture per
player, which may hold the others' strategies to be correlated). Overestimated resolve is never tested by an attack
that is not made; underestimated resolve is.

For a pure profile and player i with actual payoff :math:`u_i` a conjecture is a distribution w over the
others' pure strategies that agree with what is seen on the path; it must leave no own strategy s with
:math:`\sum w\, u_i(s, \cdot) > u_i`, a linear program.

References
----------
.. [1] D. Fudenberg and D. K. Levine, "Self-Confirming Equilibrium", Econometrica 61 (1993), 523-545.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linprog

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.errors import GameError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import best_response_values, end_probabilities, expected_payoffs, reach
from deterrence.games.quantities import Array
from deterrence.perception.self_confirming_mixed import mixed_profiles
from deterrence.perception.trees import strategies_of, tree_of
from deterrence.solvers.spe import path_of_play


@dataclass(frozen=True, eq=False)
class SelfConfirmingProfile(BehaviorProfile):
    """A profile with the conjectures that hold it up.

    Attributes
    ----------
    conjectures : mapping of player to tuple of (float, strategies)
        The others' strategies (pure ones, if the profile is) that the player holds possible, with probabilities.
    nash : bool
        Whether the right conjecture would do as well: the profile is a Nash equilibrium.
    """

    conjectures: Mapping[str, tuple[tuple[float, Any], ...]] = field(default_factory=dict, kw_only=True)
    nash: bool = field(default=False, kw_only=True)


def self_confirming(
    game: Any,
    *,
    at: Mapping[str, object] | None = None,
    mixed: bool = False,
    tol: float = 1e-9,
    limit: int = 20_000,
) -> EquilibriumSet:
    """Find every self-confirming equilibrium in pure strategies, or one for each support that mixed ones have.

    Nature's probabilities are known; a rate of response that has to be learned is the strategy of a player, of types
    that nature draws if need be.

    Parameters
    ----------
    game : game
        A tree with perfect recall, a signaling game or a strategic form.
    at : mapping of str to number, optional
        Values of the game's parameters.
    tol : float
        Gains up to this share of the payoff span count as none.
    mixed : bool
        Whether to look at mixed strategies too, of two players; see ``self_confirming_mixed``.
    limit : int
        Most pure profiles, or patterns of supports, to look at.

    Returns
    -------
    EquilibriumSet
        One equilibrium for each pure profile, off-path choices included; with ``mixed`` one for each pattern of
        supports that has any (all of them), its rarest action as likely as can be. Never ``complete``: mixed ones
        form continua, of which these are single points.

    Raises
    ------
    GameError
        If the game has more than ``limit`` of them, lacks perfect recall, or, with ``mixed``, has other than two
        players.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=-1), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> [(e.kind, e.profile.nash) for e in self_confirming(game)]
    [('refrain', True), ('refrain', False), ('attack, yield', True)]
    """
    tree = tree_of(game.at(**at) if at else game)
    tree.topology.require_perfect_recall("self-confirming equilibrium")
    if mixed:
        return _mixed(tree, tol, limit)
    sets = tree.infosets
    count = int(np.prod([float(len(s.actions)) for s in sets]))
    if count > limit:
        raise GameError(f"the game has {count:,} pure profiles, more than limit={limit:,}")
    found = []
    for picks in itertools.product(*(range(len(s.actions)) for s in sets)):
        equilibrium = _confirmed(tree, picks, tol, limit)
        if equilibrium is not None:
            found.append(equilibrium)
    return EquilibriumSet(
        game=tree,
        concept="self confirming",
        method="pure profiles, linear programs over conjectures",
        equilibria=tuple(found),
        complete=False,
        options={"tol": tol, "limit": limit},
    )


def _mixed(tree: ExtensiveGame, tol: float, limit: int) -> EquilibriumSet:
    found = []
    spans = tol * np.maximum(np.ptp(tree.payoffs, axis=0), np.finfo(float).tiny)
    for one in mixed_profiles(tree, tol, limit):
        gains = best_response_values(tree, one.actions) - expected_payoffs(tree, one.actions)
        conjectures = {
            player: ((1.0, _others_strategies(tree, guess, player)),)
            for player, guess in zip(tree.players, one.conjectures, strict=True)
        }
        profile = SelfConfirmingProfile(
            one.actions, None, conjectures=conjectures, nash=bool((gains <= 10 * spans).all())
        )
        kind = path_of_play(tree, one.actions)
        found.append(Equilibrium(game=tree, concept="self confirming", kind=kind, profile=profile))
    return EquilibriumSet(
        game=tree,
        concept="self confirming",
        method="a linear program for each pattern of supports",
        equilibria=tuple(found),
        complete=False,
        options={"tol": tol, "limit": limit, "mixed": True},
    )


def _confirmed(tree: ExtensiveGame, picks: Sequence[int], tol: float, limit: int) -> Equilibrium | None:
    """Return the profile as an equilibrium if every player has a conjecture for it."""
    actions = _behavior(tree, picks)
    actual = expected_payoffs(tree, actions)
    seen = reach(tree, actions)
    conjectures: dict[str, tuple[tuple[float, Any], ...]] = {}
    nash = True
    for i, player in enumerate(tree.players):
        slack = tol * max(float(np.ptp(tree.payoffs[:, i])), np.finfo(float).tiny)
        unseen = [j for j, s in enumerate(tree.infosets) if s.player != i and not any(seen[n] > 0 for n in s.nodes)]
        others = _variants(tree, picks, unseen, limit)
        own = _variants(tree, picks, [j for j, s in enumerate(tree.infosets) if s.player == i], limit)
        gains = np.array([_payoffs(tree, own, other, i) for other in others]) - float(actual[i])  # (others, own)
        weights, gain = _least_gain(gains)
        if gain > slack:
            return None
        nash = nash and bool((_payoffs(tree, own, actions, i) - float(actual[i]) <= slack).all())
        conjectures[player] = tuple(
            (float(w), _others_strategies(tree, other, player))
            for w, other in zip(weights, others, strict=True)
            if w > 1e-12
        )
    profile = SelfConfirmingProfile(actions, None, conjectures=conjectures, nash=nash)
    return Equilibrium(
        game=tree,
        concept="self confirming",
        kind=path_of_play(tree, actions),
        profile=profile,
    )


def _least_gain(gains: Array) -> tuple[Array, float]:
    """Return the conjecture under which the best deviation gains least, and that gain: min over w of max over own."""
    others, own = gains.shape
    least = np.flatnonzero(gains.max(axis=1) <= 0)
    if len(least):
        return np.eye(others)[least[0]], float(gains[least[0]].max())
    solved = linprog(
        np.r_[np.zeros(others), 1.0],
        A_ub=np.hstack([gains.T, -np.ones((own, 1))]),
        b_ub=np.zeros(own),
        A_eq=np.r_[np.ones(others), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, None)] * others + [(None, None)],
    )
    if solved.x is None:
        raise SolverError(f"no conjecture was found for a profile: {solved.message}")
    weights = np.maximum(solved.x[:-1], 0.0)
    weights = weights / weights.sum()
    return weights, float((weights @ gains).max())


def _behavior(tree: ExtensiveGame, picks: Sequence[int]) -> Array:
    actions = np.zeros(tree.topology.action_count)
    for s, pick in zip(tree.infosets, picks, strict=True):
        actions[s.first + pick] = 1.0
    return actions


def _variants(tree: ExtensiveGame, picks: Sequence[int], free: Sequence[int], limit: int) -> Array:
    """Return every pure profile that differs from ``picks`` at some free information sets only, shape (n, A)."""
    sizes = [len(tree.infosets[j].actions) for j in free]
    if np.prod([float(n) for n in sizes]) > limit:
        raise GameError(f"more than limit={limit:,} pure strategies agree with what is seen")
    rows = []
    for chosen in itertools.product(*(range(n) for n in sizes)):
        mine = list(picks)
        for j, pick in zip(free, chosen, strict=True):
            mine[j] = pick
        rows.append(_behavior(tree, mine))
    return np.stack(rows)


def _payoffs(tree: ExtensiveGame, own: Array, other: Array, player: int) -> Array:
    """Return a player's payoff from each of its own strategies against the others' part of ``other``, shape (n,)."""
    mixed = np.broadcast_to(other, own.shape).copy()
    for s in tree.infosets:
        if s.player == player:
            mixed[:, s.slots] = own[:, s.slots]
    payoffs: Array = end_probabilities(tree, mixed) @ tree.payoffs[:, player]
    return payoffs


def _others_strategies(tree: ExtensiveGame, actions: Array, player: str) -> dict[str, Any]:
    return {name: sets for name, sets in strategies_of(tree, actions).items() if name != player}

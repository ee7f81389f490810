r"""Analogy-based expectation equilibrium: players who expect of each case what they have seen in cases like it.

Every player sorts the others' information sets into analogy classes of sets with the same actions. In each class it
expects one and the same behaviour, the average over the class weighted by how often its sets are visited, and
replies to these expectations (Jehiel 2005 [1]_). Where a class is never visited, visits are weighted as if players
erred with equal, vanishing probability. Inaction where a promise did not hold thus lowers what is expected where it
does.

Pure equilibria are all listed. Mixed ones solve the equations of indifference of a pattern of supports, in which the
weights of a class are products of probabilities; they are solved from several starts and checked by the definition.

References
----------
.. [1] P. Jehiel, "Analogy-based expectation equilibrium", J. Econ. Theory 123 (2005), 81-104.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Strategies
from deterrence.games.errors import GameError, ParameterError, did_you_mean
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.perception.replies import reply, undominated_actions, visits
from deterrence.perception.trees import strategies_of, tree_of
from deterrence.solvers.spe import path_of_play

_STARTS = 3  # of each pattern of supports
_LEAST = 1e-7  # probability of what is played in a mixture

Classes = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True, eq=False)
class AnalogyProfile(BehaviorProfile):
    """A profile with what each player expects of the others.

    Attributes
    ----------
    expectations : mapping of player to strategies
        The others' behaviour by information set, as the player expects it.
    """

    expectations: Mapping[str, Strategies] = field(default_factory=dict, kw_only=True)


def analogy_based(
    game: Any,
    *,
    classes: Classes | None = None,
    at: Mapping[str, object] | None = None,
    mixed: bool = False,
    tol: float = 1e-9,
    limit: int = 20_000,
) -> EquilibriumSet:
    """Find every analogy-based expectation equilibrium in pure strategies, and mixed ones on request.

    Parameters
    ----------
    game : game
        A tree with perfect recall, a signaling game or a strategic form.
    classes : mapping of player to sequence of classes
        Each class lists information sets of other players, by name, with the same actions. A set that a player does
        not list is a class by itself: there it expects what is true.
    at : mapping of str to number, optional
        Values of the game's parameters.
    mixed : bool
        Whether to look for mixed ones, support by support.
    tol : float
        Differences up to this share of a player's payoff span are ties.
    limit : int
        Most pure profiles, or patterns of supports, to look at.

    Returns
    -------
    EquilibriumSet
        Of profiles that are best replies at every information set, with beliefs there by the fewest errors; never
        ``complete``. With no classes these are equilibria in the usual sense.

    Raises
    ------
    ParameterError
        If a player or an information set is unknown, sets of one class differ in their actions, or one is listed twice.
    GameError
        If the game has more than ``limit`` of them.

    Examples
    --------
    >>> import deterrence as dt
    >>> def target(where, fights):
    ...     return dt.move("A", infoset=where, actions={
    ...         "hold": dt.end(A=0, D=0),
    ...         "attack": dt.move("D", infoset=f"{where} attacked", actions={
    ...             "respond": dt.end(A=-1, D=fights), "ignore": dt.end(A=1, D=0)})})
    >>> game = dt.ExtensiveGame(("A", "D"), dt.chance({
    ...     "treaty": (0.4, target("core", 1)), "none": (0.6, target("periphery", -1))}))
    >>> [e.kind for e in analogy_based(game, classes={"A": [["core attacked", "periphery attacked"]]})]
    ['attack, respond, attack, ignore']
    """
    tree = tree_of(game.at(**at) if at else game)
    tree.topology.require_perfect_recall("analogy-based expectation equilibrium")
    count = int(np.prod([float(len(s.actions)) for s in tree.infosets]))
    if count > limit:
        raise GameError(f"the game has {count:,} pure profiles, more than limit={limit:,}")
    grouped = {player: _classes(tree, player, (classes or {}).get(player, ())) for player in tree.players}
    for player in classes or {}:
        if player not in tree.players:
            raise ParameterError(f"classes name the unknown player {player!r}; players are {', '.join(tree.players)}")
    profiles = list(_pure(tree, grouped, tol))
    if mixed:
        profiles += _mixed(tree, grouped, tol, limit)
    found = []
    for actions in profiles:
        expected = _expectations(tree, actions, grouped)
        expectations = {player: _others(tree, player, expected[player]) for player in tree.players}
        found.append(
            Equilibrium(
                game=tree,
                concept="analogy based",
                kind=path_of_play(tree, actions),
                profile=AnalogyProfile(actions, None, expectations=expectations),
            )
        )
    return EquilibriumSet(
        game=tree,
        concept="analogy based",
        method="patterns of supports" if mixed else "pure profiles",
        equilibria=tuple(found),
        complete=False,
        options={"classes": classes or {}, "mixed": mixed, "tol": tol, "limit": limit},
    )


def _pure(tree: ExtensiveGame, grouped: Mapping[str, list[list[int]]], tol: float) -> Iterator[Array]:
    for picks in itertools.product(*(range(len(s.actions)) for s in tree.infosets)):
        actions = np.zeros(tree.topology.action_count)
        actions[[s.first + pick for s, pick in zip(tree.infosets, picks, strict=True)]] = 1.0
        if _is_equilibrium(tree, actions, grouped, tol):
            yield actions


def _mixed(tree: ExtensiveGame, grouped: Mapping[str, list[list[int]]], tol: float, limit: int) -> list[Array]:
    """Return mixed equilibria, one for each pattern of supports for which one is found."""
    usable = undominated_actions(tree)
    count = float(np.prod([2.0 ** len(left) - 1 for left in usable]))
    if count > limit:
        raise GameError(f"the game has {count:,.0f} patterns of supports, more than limit={limit:,}")
    options = [[pick for n in range(1, len(left) + 1) for pick in itertools.combinations(left, n)] for left in usable]
    rng, found = np.random.default_rng(0), []
    for pattern in itertools.product(*options):
        slots = [[s.first + a for a in pick] for s, pick in zip(tree.infosets, pattern, strict=True)]
        if max(map(len, slots), default=1) == 1:
            continue
        for _ in range(_STARTS):
            actions = np.zeros(tree.topology.action_count)
            for own in slots:
                actions[own] = rng.dirichlet(np.ones(len(own)))
            solved = _indifferent(tree, actions, slots, grouped)
            if solved is not None and _is_equilibrium(tree, solved, grouped, tol):
                found.append(solved)
                break
    return found


def _indifferent(
    tree: ExtensiveGame, start: Array, slots: Sequence[Sequence[int]], grouped: Mapping[str, list[list[int]]]
) -> Array | None:
    """Return a profile with the support of ``start`` in which players expect the same of all that they play."""
    first = np.array([own[0] for own in slots for _ in own[1:]])
    where = np.array([slot for own in slots for slot in own[1:]])

    def spread(x: Array) -> Array:
        actions = start.copy()
        actions[first] = 1.0
        actions[where] = x
        np.subtract.at(actions, first, x)
        return actions

    def gaps(x: Array) -> Array:
        expected = _expectations(tree, spread(x), grouped)
        worth = np.zeros(len(start))
        for i, player in enumerate(tree.players):
            values = reply(tree, i, expected[player], surprised="blames errors").worth
            worth = np.where(np.isnan(values), worth, values)
        return np.asarray(worth[where] - worth[first])

    solved = least_squares(gaps, start[where], bounds=(0, 1), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=30)
    actions = spread(solved.x)
    played = np.concatenate([actions[first], actions[where]])
    return actions if played.min() > _LEAST else None


def _is_equilibrium(tree: ExtensiveGame, actions: Array, grouped: Mapping[str, list[list[int]]], tol: float) -> bool:
    expected = _expectations(tree, actions, grouped)
    return all(_content(tree, i, actions, expected[player], tol) for i, player in enumerate(tree.players))


def _classes(tree: ExtensiveGame, player: str, listed: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return a player's analogy classes as indices of information sets."""
    names = {s.name: j for j, s in enumerate(tree.infosets) if tree.players[s.player] != player}
    used: set[str] = set()
    result = []
    for group in listed:
        for name in group:
            if name not in names:
                hint = did_you_mean(name, names)
                raise ParameterError(
                    f"classes of {player} name {name!r}, which is no information set of another player; "
                    f"these are {', '.join(map(repr, names))}{hint}"
                )
            if name in used:
                raise ParameterError(f"classes of {player} list the information set {name!r} twice")
            used.add(name)
        members = [names[name] for name in group]
        if len({tree.infosets[j].actions for j in members}) > 1:
            raise ParameterError(f"the class {list(group)} of {player} joins information sets with different actions")
        result.append(members)
    return result


def _expectations(tree: ExtensiveGame, actions: Array, grouped: Mapping[str, list[list[int]]]) -> dict[str, Array]:
    """Return what each player expects of all, shape (A,) each."""
    order, weight = _visits(tree, actions)
    expected = {}
    for player, classes in grouped.items():
        mine = actions.copy()
        for members in classes:
            first = min(order[j] for j in members)
            shares = np.array([weight[j] if order[j] == first else 0.0 for j in members])
            shares = shares / shares.sum() if shares.sum() > 0 else np.full(len(members), 1 / len(members))
            average = shares @ np.stack([actions[tree.infosets[j].slots] for j in members])
            for j in members:
                mine[tree.infosets[j].slots] = average
        expected[player] = mine
    return expected


def _visits(tree: ExtensiveGame, actions: Array) -> tuple[list[int], list[float]]:
    """Return how often information sets are visited: weight times epsilon to the order."""
    order, weight = visits(tree, actions)
    orders, weights = [], []
    for s in tree.infosets:
        nodes = [n for n in s.nodes if weight[n] > 0]
        first = min((int(order[n]) for n in nodes), default=tree.topology.size)
        orders.append(first)
        weights.append(float(sum(weight[n] for n in nodes if order[n] == first)))
    return orders, weights


def _content(tree: ExtensiveGame, player: int, actions: Array, expected: Array, tol: float) -> bool:
    """Return whether a player's actions are best replies to its expectations at all its information sets."""
    answer = reply(tree, player, expected, surprised="blames errors", tol=tol)
    return all(bool(answer.best[s.slots][actions[s.slots] > 0].all()) for s in tree.infosets if s.player == player)


def _others(tree: ExtensiveGame, player: str, expected: Array) -> Strategies:
    return {name: sets for name, sets in strategies_of(tree, expected).items() if name != player}

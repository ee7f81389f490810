"""Play by players who are wrong about the game, or about what the others think it is.

Three things are kept apart: the true game, which generates outcomes; each player's subjective game, which guides what
it does; and what each believes about the others' subjective games.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeAlias, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import end_probabilities, expected_payoffs
from deterrence.games.quantities import Array, as_float
from deterrence.perception.belief_hierarchy import (
    ParametricGame,
    SubjectiveGame,
    belief_hierarchy,
    has_arrays,
    parametric_game,
)
from deterrence.perception.grids import SubjectiveGrid, subjective_grid
from deterrence.perception.levels import LevelPlay
from deterrence.perception.outcome import Play, SubjectiveOutcome
from deterrence.perception.replies import reply
from deterrence.perception.selection import Selector, candidates
from deterrence.perception.trees import Ends, behavior_of, own_slots, paths_through, strategies_of, tree_of
from deterrence.solvers.concepts import choose_concept, default_concept, is_registered

Solver: TypeAlias = Callable[[Any], Any]
Value: TypeAlias = float | str | Mapping[str, Any]  # at one point: a number, an expression, a change, nested beliefs


@runtime_checkable
class OverlaysItself(Protocol):
    """A game that works out itself what players do who are wrong about it, such as a collective-defence game."""

    def subjective(
        self,
        *,
        truth: Mapping[str, Any],
        beliefs: Mapping[str, Mapping[str, Any]],
        stated_chance: float,
        concept: Any = None,
    ) -> SubjectiveOutcome | SubjectiveGrid:
        """Return what happens if players hold these values; see ``deterrence.subjective``."""


@overload
def subjective(
    game: Any,
    *,
    truth: Mapping[str, Value] | None = None,
    beliefs: Mapping[str, Mapping[str, Value]] | None = None,
    concept: Solver | str | None = None,
    select: Selector | Mapping[str, Selector] = None,
    attack: Event = "attack",
    war: Event = "war",
    aggressor: str | None = None,
    stated_chance: float = 0.05,
    limit: int = 20_000,
) -> SubjectiveOutcome: ...
@overload
def subjective(
    game: Any,
    *,
    truth: Mapping[str, NDArray[Any]],
    beliefs: Mapping[str, Mapping[str, Any]] | None = None,
    concept: Solver | str | None = None,
    select: Selector | Mapping[str, Selector] = None,
    attack: Event = "attack",
    war: Event = "war",
    aggressor: str | None = None,
    stated_chance: float = 0.05,
    limit: int = 20_000,
) -> SubjectiveGrid: ...
@overload
def subjective(
    game: Any,
    *,
    truth: Mapping[str, Any] | None = None,
    beliefs: Mapping[str, Mapping[str, NDArray[Any]]],
    concept: Solver | str | None = None,
    select: Selector | Mapping[str, Selector] = None,
    attack: Event = "attack",
    war: Event = "war",
    aggressor: str | None = None,
    stated_chance: float = 0.05,
    limit: int = 20_000,
) -> SubjectiveGrid: ...
@overload
def subjective(
    game: Any,
    *,
    truth: Mapping[str, Any] | None = None,
    beliefs: Mapping[str, Mapping[str, Any]] | None = None,
    concept: Solver | str | None = None,
    select: Selector | Mapping[str, Selector] = None,
    attack: Event = "attack",
    war: Event = "war",
    aggressor: str | None = None,
    stated_chance: float = 0.05,
    limit: int = 20_000,
) -> SubjectiveOutcome | SubjectiveGrid: ...
def subjective(
    game: Any,
    *,
    truth: Mapping[str, Any] | None = None,
    beliefs: Mapping[str, Mapping[str, Any]] | None = None,
    concept: Solver | str | None = None,
    select: Selector | Mapping[str, Selector] = None,
    attack: Event = "attack",
    war: Event = "war",
    aggressor: str | None = None,
    stated_chance: float = 0.05,
    limit: int = 20_000,
) -> SubjectiveOutcome | SubjectiveGrid:
    r"""Compose the play of players each of whom plays the game that it believes in.

    *Without nesting* (Bennett's hypergame of level 1 [1]_): each player i solves the game at its own values
    :math:`\theta_i`, which it takes for commonly known, has one of its equilibria in mind, and plays its own part of
    that. Outcomes are what these parts lead to in the tree with the true probabilities.

    *With nesting*, that is, where a player's overlay says what it ``"believes"`` others to believe: it foresees of
    each player so named the part that this player would play in the nested subjective game (found by the same
    rules), and of the rest their part in an equilibrium of its own game. Then it plays, information set by
    information set, its part of an equilibrium of the game at its own values if that is a best reply there to what
    it foresees, and otherwise a best reply (each of several, where they tie). Where what it foresees cannot lead, it
    replies to what it foresees from there on if it sees where it is; otherwise, since any belief is as good as
    another there, its part of that equilibrium stands.

    *Several equilibria*: players who see the same game, and suppose no one to see another, expect the same
    equilibrium of it; apart from that any equilibrium that one has in mind may meet any that another has. All
    combinations are kept in ``plays``, and every number of the result is a range over them. A continuum of
    equilibria enters by its vertices, which attain every extreme.

    Parameters
    ----------
    game : game, model, scenario or collective-defence game
        With parameters.
    truth : mapping of str to number
        True values: all of a game's parameters, or those of a model or scenario that differ from its own. Arrays,
        here or in ``beliefs``, ask about many points: see ``SubjectiveGrid``.
    beliefs : mapping of player to overlay
        Parameters at which this player is wrong. The key ``"believes"`` holds what it thinks that others believe, as
        overlays on its own values, and so on to any depth stated. Of a scenario overlays hold changes by path (or by
        parameter of the file), nested ones relative to the beliefs that they stand in.
    concept : callable or str, optional
        Solves a subjective game: ``dt.pbe``, ``"qre 2"``, ``"level 1"``, ... By default what fits the form of the game.
        A scenario takes ``"qre PRECISION"`` only, the precision being its aggressor's.
    select : None, str, callable, sequence of these, or mapping of player to these
        Which equilibria of its game a player has in mind; all by default. See ``deterrence.perception.selection``.
    attack, war : str or callable
        The events meant.
    aggressor : str, optional
        Who attacks; by default who has the action that ``attack`` names.
    stated_chance : float
        Below which believed chance what happens counts as a miscalculation.
    limit : int
        Most combinations to look at.

    Returns
    -------
    SubjectiveOutcome, or SubjectiveGrid if a value is an array

    Raises
    ------
    ParameterError
        If a player or parameter is unknown, or a chain of beliefs is circular.
    GameError
        If there are more than ``limit`` combinations.

    References
    ----------
    .. [1] P. G. Bennett, "Toward a theory of hypergames", Omega 5 (1977), 749-751.

    Examples
    --------
    >>> import deterrence as dt
    >>> w = dt.symbols("w")
    >>> game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
    ...     "refrain": dt.end("peace", A=0, D=1),
    ...     "attack": dt.move("D", {"fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})}))
    >>> outcome = subjective(game, truth={"w": 0.5}, beliefs={"A": {"w": -0.5}})
    >>> outcome.probability("war"), outcome.belief("A", "war"), outcome.unwanted_war
    ((1.0, 1.0), (0.0, 0.0), (1.0, 1.0))
    """
    truth, beliefs = dict(truth or {}), dict(beliefs or {})
    if not 0 <= stated_chance <= 1:
        raise ParameterError(f"stated_chance must be a probability, got {stated_chance!r}")
    if isinstance(game, OverlaysItself):
        return game.subjective(truth=truth, beliefs=beliefs, stated_chance=stated_chance, concept=concept)
    parametric = parametric_game(game)
    players = tuple(getattr(game, "players", ())) or tuple(parametric.make(_somewhere(truth)).players)
    hierarchy = belief_hierarchy(truth, beliefs, players, parametric.parameters)
    selectors = _selectors(select, players)
    chosen = choose_concept(concept) if isinstance(concept, str) or is_registered(concept) else concept
    solver = _SubjectiveSolver(parametric, chosen, selectors, limit)
    if has_arrays(hierarchy, truth):
        return subjective_grid(
            parametric,
            truth=truth,
            hierarchy=hierarchy,
            plans_at=solver.behaviours,
            as_arrays=getattr(chosen, "label", "pbe" if chosen is None else "") == "pbe"
            and all(one in (None, "all") for one in selectors.values()),
            coordinated=len({repr(one) for one in selectors.values()}) == 1,
            attack=attack,
            aggressor=aggressor,
        )
    actual = parametric.make(truth)
    tree = tree_of(actual)
    ends = Ends.of(actual, tree)
    plays = tuple(_play(tree, chosen) for chosen in solver.combinations(hierarchy))
    return SubjectiveOutcome(
        plays=plays,
        hierarchy=hierarchy,
        truth=truth,
        ends=ends,
        aggressor=aggressor if aggressor is not None else whose(tree, attack),
        attack=attack,
        war=war,
        stated_chance=stated_chance,
        solve_informed=partial(solver.solve, truth),
    )


def whose(tree: ExtensiveGame, action: Event) -> str | None:
    """Return the player who has an action of that label, if it is one."""
    owners = {tree.players[s.player] for s in tree.infosets if action in s.actions}
    return owners.pop() if len(owners) == 1 else None


def _somewhere(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values at the first point of their arrays."""
    return {name: np.ravel(value)[0].item() if np.ndim(value) else value for name, value in values.items()}


def _selectors(select: Any, players: Sequence[str]) -> dict[str, Selector]:
    if not isinstance(select, Mapping):
        return dict.fromkeys(players, select)
    for player in select:
        if player not in players:
            raise ParameterError(f"select names the unknown player {player!r}; players are {', '.join(players)}")
    return {player: select.get(player) for player in players}


@dataclass(frozen=True, eq=False)
class _Plan:
    """What a player does (its own entries of ``actions``) and what it expects to come of it, at its own values."""

    expects: str
    actions: Array
    believed: Array


@dataclass(eq=False)
class _SubjectiveSolver:
    """Solves subjective games, each once."""

    parametric: ParametricGame
    concept: Solver | None
    selectors: Mapping[str, Selector]
    limit: int
    _solved: dict[str, EquilibriumSet | LevelPlay] = field(default_factory=dict)
    _trees: dict[tuple[str, str], ExtensiveGame] = field(default_factory=dict)

    def solve(self, values: Mapping[str, Any]) -> EquilibriumSet | LevelPlay:
        """Return the equilibria of the game at some values, taken for commonly known; or the play of its levels."""
        key = SubjectiveGame(values).key
        if key not in self._solved:
            made = self.parametric.make(values)
            found = (self.concept or default_concept(made))(made)
            if not isinstance(found, EquilibriumSet | LevelPlay):
                raise GameError(
                    f"concept must return a set of equilibria or the play of levels, got a {type(found).__name__}"
                )
            self._solved[key] = found
        return self._solved[key]

    def tree(self, values: Mapping[str, Any], player: str) -> ExtensiveGame:
        """Return the tree at some values, with the player's own prior where priors differ."""
        key = (SubjectiveGame(values).key, player)
        if key not in self._trees:
            self._trees[key] = tree_of(self.parametric.make(values), player)
        return self._trees[key]

    def combinations(self, hierarchy: Mapping[str, SubjectiveGame]) -> Iterable[Mapping[str, _Plan]]:
        """Return every way in which the players' plans may meet."""
        together: dict[str, list[str]] = {}
        for player, belief in hierarchy.items():
            alone = f"{player}: " if belief.others else ""
            together.setdefault(f"{alone}{belief.key} {self.selectors[player]!r}", []).append(player)
        options: list[list[dict[str, _Plan]]] = []
        for group in together.values():
            plans = [self.plans(player, hierarchy[player]) for player in group]
            if len(group) == 1:
                options.append([{group[0]: plan} for plan in self._distinct(group[0], hierarchy[group[0]], plans[0])])
            else:  # the same equilibrium for all who see the same game
                options.append([dict(zip(group, row, strict=True)) for row in zip(*plans, strict=True)])
        self._within_limit(options)
        return [dict(kv for part in row for kv in part.items()) for row in itertools.product(*options)]

    def behaviours(self, player: str, belief: SubjectiveGame) -> list[Array]:
        """Return the behaviours, shape (A,), of the plans of a player."""
        return [plan.actions for plan in self.plans(player, belief)]

    def plans(self, player: str, belief: SubjectiveGame) -> list[_Plan]:
        """Return what a player may do and expect: a plan for each equilibrium of its subjective game."""
        tree = self.tree(belief.values, player)
        solution = self.solve(belief.values)
        if isinstance(solution, LevelPlay):
            return [self._level_plan(solution, player, belief)]
        own = [(c.equilibrium.kind, behavior_of(c.profile, tree)) for c in candidates(solution, self.selectors[player])]
        if not belief.others:
            return [_Plan(kind, actions, end_probabilities(tree, actions)) for kind, actions in own]
        foreseen = [
            [(plan.expects, other, plan.actions) for plan in self._distinct(other, inner, self.plans(other, inner))]
            for other, inner in belief.others.items()
        ]
        self._within_limit([own, *foreseen])
        result = []
        for (kind, actions), guesses in itertools.product(own, list(itertools.product(*foreseen))):
            expected = actions.copy()
            said = [kind]
            for text, other, theirs in guesses:
                mine = own_slots(tree, other)
                expected[mine] = theirs[mine]
                said.append(f"{other}: {text}")
            result += [
                _Plan("; ".join(said), chosen, end_probabilities(tree, chosen))
                for chosen in _replies(tree, player, expected, actions, self.limit)
            ]
        return self._distinct(player, belief, result)

    def _level_plan(self, play: LevelPlay, player: str, belief: SubjectiveGame) -> _Plan:
        """Return what a player drawn from the population of levels does, and what it expects of lower levels."""
        if belief.others:
            raise GameError(
                f"{player} has beliefs about beliefs, but a level of reasoning says itself what a player thinks of "
                "others; name a concept of equilibrium"
            )
        if self.selectors[player] not in (None, "all"):
            raise ParameterError(
                f"select chooses among equilibria, got {self.selectors[player]!r} for levels of reasoning"
            )
        return _Plan("levels of reasoning", play.behavior, play.expected_ends(player))

    def _distinct(self, player: str, belief: SubjectiveGame, plans: Sequence[_Plan]) -> list[_Plan]:
        """Return plans that differ in what the player does or expects."""
        mine = own_slots(self.tree(belief.values, player), player)
        seen: dict[bytes, _Plan] = {}
        for plan in plans:
            key = np.round(np.concatenate([plan.actions[mine], plan.believed]), 12) + 0.0
            seen.setdefault(key.tobytes(), plan)
        return list(seen.values())

    def _within_limit(self, options: Sequence[Sequence[Any]]) -> None:
        count = int(np.prod([float(len(o)) for o in options]))
        if count > self.limit:
            raise GameError(
                f"the equilibria that the players may have in mind combine in {count:,} ways, more than "
                f"limit={self.limit:,}; name a selection by select=, or raise limit"
            )


def _replies(tree: ExtensiveGame, player: str, expected: Array, own: Array, limit: int) -> list[Array]:
    """Return whole behaviours: the others as expected, the player by its own equilibrium where that is best.

    Where it is not, each best reply makes a behaviour.
    """
    answer = reply(tree, tree.players.index(player), expected, fallback=own, surprised="sees where")
    base = expected.copy()
    choices: list[list[tuple[slice, Array]]] = []
    for i, s in enumerate(tree.infosets):
        if tree.players[s.player] != player:
            continue
        best = answer.best[s.slots]
        if not answer.decided[i] or best[own[s.slots] > 0].all():
            base[s.slots] = own[s.slots]
        else:
            choices.append([(s.slots, row) for row in np.eye(len(best))[best]])
    if np.prod([float(len(c)) for c in choices]) > limit:
        raise GameError(
            f"best replies of {player} tie at too many information sets to combine them within limit={limit:,}"
        )
    result = []
    for row in itertools.product(*choices):
        actions = base.copy()
        for where, mix in row:
            actions[where] = mix
        result.append(actions)
    return result


def _play(tree: ExtensiveGame, chosen: Mapping[str, _Plan]) -> Play:
    """Return what one combination of plans leads to in the true tree."""
    actions = np.empty(tree.topology.action_count)
    for player, plan in chosen.items():
        mine = own_slots(tree, player)
        actions[mine] = plan.actions[mine]
    true = end_probabilities(tree, actions)
    payoffs = expected_payoffs(tree, actions)
    mistaken, regret, got = {}, {}, {}
    for i, player in enumerate(tree.players):
        answer = reply(tree, i, actions)
        wrong = np.flatnonzero(own_slots(tree, player) & ~answer.best)
        best = actions.copy()
        best[own_slots(tree, player)] = answer.actions[own_slots(tree, player)]
        most = float(expected_payoffs(tree, best)[i])
        mistaken[player] = true * paths_through(tree, (int(x) for x in wrong))
        got[player] = float(payoffs[i])
        regret[player] = max(0.0, most - float(payoffs[i]))
    return Play(
        expects={player: plan.expects for player, plan in chosen.items()},
        true=true,
        believed={player: plan.believed for player, plan in chosen.items()},
        mistaken=mistaken,
        payoffs=got,
        regret=regret,
        strategies=strategies_of(tree, as_float(actions)),
    )

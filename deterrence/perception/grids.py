r"""Mistaken play at many points: (true, perceived) grids of two-player games, solved as arrays.

Write :math:`\pi(z)` for the probability with which nature allows the end z of a game, and :math:`r_i(z)` for the
product of player i's own probabilities on the way to it. Then :math:`P(z) = \pi(z) r_1(z) r_2(z)`, where :math:`\pi`
is the truth's and each :math:`r_i` is found in i's own game. So every distinct subjective game is solved once, and the
grid is a product of the three. It is solved for every perfect Bayesian equilibrium, by ``two_type_plans`` where the
game has two types, two messages and two responses, and by the concept asked for, point by point, elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import reach_by_slots
from deterrence.games.quantities import Array, as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value
from deterrence.perception.belief_hierarchy import ParametricGame, SubjectiveGame
from deterrence.perception.trees import Ends, tree_of
from deterrence.perception.two_type_plans import two_type_plans

_WORTH_SORTING = 10_000  # entries of an array from which on it is looked through for repetitions


@dataclass(frozen=True, kw_only=True, eq=False)
class SubjectiveGrid(Value):
    """Play by mistaken players at many points; see ``subjective``.

    Attributes
    ----------
    shape : tuple of int
        What the arrays of true and believed values broadcast to.
    ask : callable
        From an event to its lowest and highest true probability, arrays of that shape.
    unwanted : callable
        The same for the part of an event that comes after actions which the aggressor would not have taken at the true
        values.
    """

    shape: tuple[int, ...]
    ask: Callable[[Event], tuple[Array, Array]]
    unwanted: Callable[[Event], tuple[Array, Array]]

    def probability(self, event: Event) -> tuple[Array, Array]:
        """Return the lowest and highest true probability of an event, over what the players may have in mind."""
        return self.ask(event)

    def unwanted_war(self, war: Event = "war") -> tuple[Array, Array]:
        """Return the range of the probability of a war that the aggressor would not have started at the true values."""
        return self.unwanted(war)

    def missed_deterrence(self, attack: Event = "attack") -> tuple[Array, Array]:
        """Return the range of the probability of an attack that true resolve, if known, would have deterred."""
        return self.unwanted(attack)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.shape))
        return f"SubjectiveGrid({f'{size} points' if size else '1 point'})"


PlansAt = Callable[[str, SubjectiveGame], Sequence[Array]]


def subjective_grid(
    parametric: ParametricGame,
    *,
    truth: Mapping[str, Any],
    hierarchy: Mapping[str, SubjectiveGame],
    plans_at: PlansAt,
    as_arrays: bool,
    coordinated: bool,
    attack: Event,
    aggressor: str | None,
) -> SubjectiveGrid:
    """Return mistaken play over arrays of values.

    Parameters
    ----------
    parametric : ParametricGame
    truth : mapping of str to number or array
        Arrays broadcast against each other and those of the subjective games.
    hierarchy : mapping of player to SubjectiveGame
    plans_at : callable
        From a player and a subjective game of plain numbers to the behaviours, shape (A,), of the equilibria that it
        may have in mind.
    as_arrays : bool
        Whether two-type signaling games may be solved for all perfect Bayesian equilibria as arrays instead.
    coordinated : bool
        Whether players who see the same game expect the same equilibrium of it.
    attack : event
        Whose action tells who the aggressor is.
    aggressor : str, optional

    Raises
    ------
    GameError
        If the game has other than two players, or values make games of different trees.
    """
    mesh = _open_mesh(truth, hierarchy)
    if mesh is not None:
        truth, hierarchy, places = mesh
        found = subjective_grid(
            parametric,
            truth=truth,
            hierarchy=hierarchy,
            plans_at=plans_at,
            as_arrays=as_arrays,
            coordinated=coordinated,
            attack=attack,
            aggressor=aggressor,
        )
        return SubjectiveGrid(
            shape=np.broadcast_shapes(*(np.shape(place) for place in places)),
            ask=partial(_spread, found.ask, places),
            unwanted=partial(_spread, found.unwanted, places),
        )
    if len(hierarchy) != 2:
        raise GameError(
            f"arrays of values need a game of two players, got {len(hierarchy)}; ask point by point instead"
        )
    shape = _broadcast_shape([_shape_of(belief) for belief in (SubjectiveGame(truth), *hierarchy.values())])
    facts = _Facts.of(parametric, truth)
    solver = _Solver(parametric, facts.tree, plans_at, as_arrays)
    solved = [solver.plans(player, belief) for player, belief in hierarchy.items()]
    one, other = hierarchy.values()
    same = _same_game(one, other, shape) if coordinated else np.zeros(shape, dtype=bool)
    actor = aggressor if aggressor is not None else facts.owner(attack)
    play = _MistakenPlay(facts, tuple(solved), same, shape, actor, attack)
    return SubjectiveGrid(shape=shape, ask=play.chances, unwanted=play.mistaken_chances)


def _spread(
    ask: Callable[[Event], tuple[Array, Array]], places: tuple[Array, ...], event: Event
) -> tuple[Array, Array]:
    """Return an answer over a mesh at the points that stand at some places of it."""
    low, high = ask(event)
    return low[places], high[places]


@dataclass(frozen=True, eq=False)
class _MistakenPlay:
    """What two players do over arrays of values; each event is asked once."""

    facts: _Facts
    solved: tuple[_Plans, ...]
    same: Array
    shape: tuple[int, ...]
    aggressor: str | None
    attack: Event
    answers: dict[tuple[Event, int | None], tuple[Array, Array]] = field(default_factory=dict, compare=False)

    def chances(self, event: Event) -> tuple[Array, Array]:
        return self._range(event, None)

    def mistaken_chances(self, event: Event) -> tuple[Array, Array]:
        if self.aggressor is None:
            raise GameError(
                f"nobody is known to be the aggressor: no player has an action {self.attack!r}; name it by aggressor="
            )
        return self._range(event, self.facts.tree.players.index(self.aggressor))

    def _range(self, event: Event, acts: int | None) -> tuple[Array, Array]:
        if (event, acts) not in self.answers:
            weights = self.facts.weights(event)
            self.answers[event, acts] = _ranges(self.facts, weights, self.solved, self.same, self.shape, acts)
        return self.answers[event, acts]


@dataclass(frozen=True, eq=False)
class _Facts:
    """The truth, as arrays over ends: nature's probabilities (S, Z), payoffs (S, Z, P), events (S, Z) or (Z,)."""

    tree: ExtensiveGame  # at one point: labels and shape
    ends: Ends
    nature: Array
    payoffs: Array
    named: Mapping[str, Array]

    @classmethod
    def of(cls, parametric: ParametricGame, truth: Mapping[str, Any]) -> _Facts:
        shape = _shape_of(SubjectiveGame(truth))
        first = parametric.make(_point_of(SubjectiveGame(truth), shape, (0,) * len(shape)).values)
        tree = tree_of(first)
        ends = Ends.of(first, tree)
        game = _batch(parametric, truth, shape)
        if game is None:
            return cls._point_by_point(parametric, truth, shape, tree, ends)
        if isinstance(game, SignalingGame):
            joint = as_float(game.joint_prior)
            nature = np.broadcast_to(joint[..., None, None], (*joint.shape[:-2], *game.shape)).reshape(
                *joint.shape[:-2], -1
            )
            tables = np.broadcast_arrays(*(_flat(table, game.shape) for table in (game.U, game.V)))
            named = {name: _flat(game.event_weights(name), game.shape) for name in game.events}
            return cls(tree, ends, nature, np.stack(tables, axis=-1), named)
        return cls(tree, ends, _nature(game), as_float(game.payoffs), {})

    @classmethod
    def _point_by_point(
        cls,
        parametric: ParametricGame,
        truth: Mapping[str, Any],
        shape: tuple[int, ...],
        tree: ExtensiveGame,
        ends: Ends,
    ) -> _Facts:
        games = [parametric.make(_point_of(SubjectiveGame(truth), shape, index).values) for index in np.ndindex(*shape)]
        trees = [tree_of(game) for game in games]
        if any(t.topology.labels != tree.topology.labels for t in trees):
            raise GameError("values of the parameters change the tree of the game; ask point by point instead")
        tables = [Ends.of(game, t).named for game, t in zip(games, trees, strict=True)]
        return cls(
            tree,
            ends,
            np.stack([_nature(t) for t in trees]).reshape(*shape, -1),
            np.stack([t.payoffs for t in trees]).reshape(*shape, *tree.payoffs.shape),
            {name: np.stack([t[name] for t in tables]).reshape(*shape, -1) for name in ends.named},
        )

    def weights(self, event: Event) -> Array:
        return self.named[event] if isinstance(event, str) and event in self.named else self.ends.weights(event)

    def owner(self, action: Event) -> str | None:
        owners = {self.tree.players[s.player] for s in self.tree.infosets if action in s.actions}
        return owners.pop() if len(owners) == 1 else None


@dataclass(frozen=True, eq=False)
class _Plans:
    """What one player may do and what it expects the other to do, by subjective game.

    ``own`` holds r_i of each distinct plan, shape (S, K, Z), NaN where one has fewer than K; ``joint`` takes flat
    indices into S to (r_1, r_2) of each equilibrium of those games, shape (n, J, 2, Z), NaN where there are fewer
    than J.
    """

    own: Array
    joint: Callable[[Array], Array]
    shape: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Solver:
    parametric: ParametricGame
    tree: ExtensiveGame
    plans_at: PlansAt
    as_arrays: bool

    def plans(self, player: str, belief: SubjectiveGame) -> _Plans:
        shape = _shape_of(belief)
        which = self.tree.players.index(player)
        if self.as_arrays and not belief.others:
            game = _batch(self.parametric, belief.values, shape)
            if isinstance(game, SignalingGame) and game.shape == (2, 1, 2, 2):
                own, joint = two_type_plans(game)
                return _Plans(own[which].reshape(*game.batch_shape, *own[which].shape[1:]), joint, game.batch_shape)
        pairs = [
            np.stack([self._realise(actions) for actions in self.plans_at(player, _point_of(belief, shape, index))])
            for index in np.ndindex(*shape)
        ]  # each (J, 2, Z)
        table = _pad(pairs)
        mine = _pad([_distinct(pair[:, which]) for pair in pairs])
        return _Plans(mine.reshape(*shape, *mine.shape[1:]), partial(_rows_at, table), shape)

    def _realise(self, actions: Array) -> Array:
        """Return r_1 and r_2 of a behaviour, shape (2, Z)."""
        topology = self.tree.topology
        owner = np.array([topology.infosets[i].player for i in topology.slot_infoset])
        slots = np.ones((2, len(topology.labels)))
        for i in (0, 1):
            slots[i, : topology.action_count] = np.where(owner == i, actions, 1.0)
        return reach_by_slots(topology, slots)[:, topology.terminal]


def _ranges(
    facts: _Facts, event: Array, solved: Sequence[_Plans], same: Array, shape: tuple[int, ...], acts: int | None
) -> tuple[Array, Array]:
    """Return the range of P(event), or of its part after mistakes of the player ``acts``."""
    low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
    first, second = (1, 0) if acts == 0 else (0, 1)  # whose play decides what is mistaken stands first
    weights = facts.nature * event
    for k in range(solved[first].own.shape[-2]):
        theirs = solved[first].own[..., k, :]
        part = weights * theirs
        if acts is not None:
            part = part * _mistakes(facts.tree, facts.nature * theirs, facts.payoffs[..., acts], acts)
        for j in range(solved[second].own.shape[-2]):
            value = _sum_over_ends(part, solved[second].own[..., j, :], shape)
            np.fmin(low, value, out=low)
            np.fmax(high, value, out=high)
    if same.any():
        where = np.nonzero(same)
        low[where], high[where] = _ranges_of_shared(facts, weights, solved[0], where, shape, acts)
    return low, high


def _ranges_of_shared(
    facts: _Facts, weights: Array, solved: _Plans, where: tuple[Array, ...], shape: tuple[int, ...], acts: int | None
) -> tuple[Array, Array]:
    """Return the ranges at points where both players see the same game, and so expect the same equilibrium of it."""
    index = _rows(np.arange(int(np.prod(solved.shape))).reshape(solved.shape), where, shape, 0)
    distinct, place = np.unique(index, return_inverse=True)
    joint = solved.joint(distinct)[place]  # (n, J, 2, Z)
    table = _rows(weights, where, shape, 1)[:, None] * joint.prod(axis=2)
    if acts is not None:
        nature = _rows(facts.nature, where, shape, 1)[:, None]
        payoffs = _rows(facts.payoffs, where, shape, 2)[:, None, :, acts]
        table = table * _mistakes(facts.tree, nature * joint[:, :, 1 - acts], payoffs, acts)
    values = table.sum(axis=-1)
    return np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)


def _mistakes(tree: ExtensiveGame, reached: Array, payoffs: Array, player: int, tol: float = 1e-9) -> Array:
    """Return whether an end comes after an action of the player that is no best reply, shape (..., Z).

    ``reached`` is the probability with which nature and the other player allow each end, ``payoffs`` the player's at
    each.
    """
    topology = tree.topology
    slot = _own_slot(tree, player)
    span = np.ptp(payoffs, axis=-1)
    worth = reached * payoffs
    wrong = np.zeros(worth.shape, dtype=bool)
    for s in topology.infosets:
        if s.player != player:
            continue
        through = [slot == a for a in range(s.slots.start, s.slots.stop)]
        values = np.stack([worth[..., at].sum(axis=-1) for at in through])
        mass = np.max([reached[..., at].sum(axis=-1) for at in through], axis=0)
        worse = values < values.max(axis=0) - tol * span * mass
        for at, bad in zip(through, worse, strict=True):
            wrong[..., at] = bad[..., None]
    return wrong


def _own_slot(tree: ExtensiveGame, player: int) -> Array:
    """Return the action of a player on the way to each end, shape (Z,); -1 if it does not move."""
    topology = tree.topology
    slot = np.full(topology.size, -1)
    for node in range(1, topology.size):
        above = topology.parent[node]
        slot[node] = slot[above]
        if topology.owner[above] == player:
            if slot[above] >= 0:
                raise GameError(
                    f"{tree.players[player]} moves twice on a path; over arrays of values mistakes are found only of "
                    "players who move once; ask point by point instead"
                )
            slot[node] = topology.slot[node]
    return np.asarray(slot[topology.terminal])


def _sum_over_ends(a: Array, b: Array, shape: tuple[int, ...]) -> Array:
    """Return the sum over ends of a b, broadcast to the grid's shape."""
    if a.ndim == b.ndim == 3 and len(shape) == 2:  # one varies along rows, the other along columns
        if a.shape[1] == b.shape[0] == 1:
            return np.asarray(a[:, 0] @ b[0].T)
        if a.shape[0] == b.shape[1] == 1:
            return np.asarray(b[:, 0] @ a[0].T)
    return np.asarray(np.broadcast_to(np.einsum("...z,...z->...", a, b), shape))


def _batch(parametric: ParametricGame, values: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
    """Return the games at arrays of values as one batch of that shape; None if they cannot be made so."""
    try:
        made = parametric.make(values)
    except (ArithmeticError, GameError, ParameterError, TypeError, ValueError):
        return None
    if not isinstance(made, SignalingGame | ExtensiveGame) or made.batch_shape != shape:
        return None
    return made.floats()


def _rows_at(table: Array, where: Array) -> Array:
    return np.asarray(table[where])


def _rows(table: Array, where: tuple[Array, ...], shape: tuple[int, ...], rank: int) -> Array:
    """Return the entries of an array of shape (S, core), core of so many dimensions, at points of the grid."""
    core = table.shape[table.ndim - rank :]
    return np.asarray(np.broadcast_to(table, (*shape, *core))[where])


def _flat(table: Array, core: tuple[int, ...]) -> Array:
    table = as_float(table)
    lead = table.shape[: table.ndim - len(core)]
    return np.broadcast_to(table, (*lead, *core)).reshape(*lead, -1)


def _nature(game: ExtensiveGame) -> Array:
    """Return the probability with which nature allows each end, shape (..., Z)."""
    topology, chance = game.topology, as_float(game.chance)
    slots = np.concatenate([np.ones((*chance.shape[:-1], topology.action_count)), chance], axis=-1)
    return reach_by_slots(topology, slots)[..., topology.terminal]


def _distinct(rows: Array) -> Array:
    return np.stack(list({(np.round(row, 12) + 0.0).tobytes(): row for row in rows}.values()))


def _pad(tables: Sequence[Array]) -> Array:
    """Return arrays of shape (n_i, ...) as one of shape (len(tables), max n_i, ...), NaN where one has fewer."""
    most = max(len(table) for table in tables)
    result = np.full((len(tables), most, *tables[0].shape[1:]), np.nan)
    for i, table in enumerate(tables):
        result[i, : len(table)] = table
    return result


def _shape_of(belief: SubjectiveGame) -> tuple[int, ...]:
    """Return the shape that the arrays of a subjective game, nested ones among them, broadcast to."""
    return _broadcast_shape([*map(np.shape, belief.values.values()), *map(_shape_of, belief.others.values())])


def _broadcast_shape(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape that arrays of some shapes broadcast to, or raise ParameterError."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ParameterError(f"arrays of values must broadcast against each other, got shapes {shapes}") from None


def _point_of(belief: SubjectiveGame, shape: tuple[int, ...], index: tuple[int, ...]) -> SubjectiveGame:
    """Return a subjective game at one point of its arrays."""

    def pick(value: Any) -> Any:
        return float(np.broadcast_to(value, shape)[index]) if np.ndim(value) else value

    others = {player: _point_of(inner, shape, index) for player, inner in belief.others.items()}
    return SubjectiveGame({name: pick(value) for name, value in belief.values.items()}, others)


def _same_game(one: SubjectiveGame, other: SubjectiveGame, shape: tuple[int, ...]) -> Array:
    """Return where two players see the same game, shape of the grid."""
    if one.others or other.others or set(one.values) != set(other.values):
        return np.zeros(shape, dtype=bool)
    equal = np.ones(shape, dtype=bool)
    for name, value in one.values.items():
        equal &= np.equal(value, other.values[name])
    return equal


def _open_mesh(
    truth: Mapping[str, Any], hierarchy: Mapping[str, SubjectiveGame]
) -> tuple[dict[str, Any], dict[str, SubjectiveGame], tuple[Array, ...]] | None:
    """Return large arrays that repeat few values as one axis for each array, and where the points stand in that mesh.

    None where there is nothing to gain: arrays are small, or all their combinations are more than twice the points.
    """
    found: dict[int, Array] = {}
    for belief in (SubjectiveGame(truth), *hierarchy.values()):
        found.update((id(value), value) for value in _values_below(belief) if np.ndim(value))
    points = int(np.prod(_broadcast_shape([np.shape(value) for value in found.values()]), dtype=np.float64))
    if not found or max(np.size(value) for value in found.values()) < _WORTH_SORTING:
        return None
    distinct = {key: np.unique(value, return_inverse=True) for key, value in found.items()}
    if np.prod([float(len(values)) for values, _ in distinct.values()]) > 2 * points:
        return None
    axes = {
        key: values.reshape(tuple(-1 if j == i else 1 for j in range(len(distinct))))
        for i, (key, (values, _)) in enumerate(distinct.items())
    }
    places = tuple(np.reshape(place, np.shape(found[key])) for key, (_, place) in distinct.items())

    def mesh_of(belief: SubjectiveGame) -> SubjectiveGame:
        values = {name: axes.get(id(value), value) for name, value in belief.values.items()}
        return SubjectiveGame(values, {player: mesh_of(inner) for player, inner in belief.others.items()})

    return (
        dict(mesh_of(SubjectiveGame(truth)).values),
        {player: mesh_of(belief) for player, belief in hierarchy.items()},
        places,
    )


def _values_below(belief: SubjectiveGame) -> list[Any]:
    return [*belief.values.values(), *(value for inner in belief.others.values() for value in _values_below(inner))]

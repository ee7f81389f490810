"""Sequential equilibria of one stage (a tree without proper subgames): what is worth solving, and merging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import bayes_beliefs
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import CHANCE
from deterrence.solvers.budget import Budget
from deterrence.solvers.trees.assessment_cells import Assessment, Cell, Paths, Solved, Support, reached_nodes
from deterrence.solvers.trees.consistency import is_unrestricted, labelling, path_usage

_MOST_BELIEFS = 4096  # combinations of nodes believed in, for one support of play
_ROUNDING = 1e-12
_MOST_CELLS = 10_000  # of one profile whose beliefs are sought


@dataclass(frozen=True, eq=False)
class Family:
    """A point equilibrium, or a continuum of them with a point inside and its vertices."""

    centre: Assessment
    corners: tuple[Assessment, ...]


def stage_families(
    stage: ExtensiveGame, weak: bool, budget: Budget, rng: np.random.Generator
) -> tuple[list[Family], bool]:
    """Return all sequential (weak: weak perfect Bayesian) equilibria of a stage, and whether none is missing.

    Small supports come first: what a budget leaves out are the large ones.
    """
    if not stage.infosets:
        return [_nothing_to_do(stage)], True
    paths = Paths(stage)
    found: list[tuple[Support, Solved]] = []
    complete = True
    most = sum(len(s.actions) - 1 for s in stage.infosets)
    for extra in range(most + 1):
        for support in _plausible_supports(paths, extra, budget):
            solved, proven = _of_support(paths, support, weak, rng, budget)
            found += [(support, s) for s in solved]
            complete = complete and proven
        if budget.ended:
            left = f"from {extra}" if extra else "all"
            budget.skip(
                f"supports in which {left} to {most} actions more than one at each of {len(stage.infosets)} "
                f"information sets are used ({budget.reason} reached)"
            )
            return _maximal(paths, found), False
    return _maximal(paths, found), complete


def supported_families(
    stage: ExtensiveGame, candidates: Array, weak: bool, budget: Budget, rng: np.random.Generator
) -> tuple[list[Family], bool]:
    """Return those of some pure profiles, shape (K, A), that consistent beliefs support, with the beliefs that do."""
    if not stage.infosets:
        return [_nothing_to_do(stage)], True
    paths: Paths | None = None
    families: list[Family] = []
    complete = True
    for k, actions in enumerate(candidates):
        if not budget.spend():
            budget.skip(
                f"beliefs for {len(candidates) - k} of {len(candidates)} pure profiles ({budget.reason} reached)"
            )
            return families, False
        beliefs = bayes_beliefs(stage, actions)
        if all(beliefs[s.nodes[0]] == beliefs[s.nodes[0]] for s in stage.infosets):  # every set is reached
            beliefs = np.where(beliefs != beliefs, 0 * actions[0], beliefs)  # where nobody moves
            whole = Assessment(actions, beliefs)
            families.append(Family(whole, (whole,)))
            continue
        paths = Paths(stage) if paths is None else paths
        support = tuple((s.first + int(np.argmax(actions[s.slots])),) for s in stage.infosets)
        solved, proven = _of_support(paths, support, weak, rng, budget)
        families += _maximal(paths, [(support, s) for s in solved])
        complete = complete and proven
    return families, complete


def _nothing_to_do(stage: ExtensiveGame) -> Family:
    dtype = object if stage.kind == "exact" else np.float64
    nobody = Assessment(np.zeros(0, dtype=dtype), np.zeros(stage.topology.size, dtype=dtype))
    return Family(nobody, (nobody,))


def _plausible_supports(paths: Paths, extra: int, budget: Budget) -> Iterator[Support]:
    """Supports in which no used action is worse than another whatever later play (within the supports) and beliefs.

    Of those with so many actions more than one at each information set, as far as the budget goes.
    """
    topology = paths.topology
    sets = topology.infosets
    payoffs = as_float(paths.payoffs)
    allowed = np.ones(len(topology.labels), dtype=bool)
    children = [np.array([topology.children[x] for x in s.nodes]) for s in sets]
    slack = _ROUNDING * np.abs(payoffs).max(axis=0)  # of bounds in floats, which leave out too little at most
    chosen: list[tuple[int, ...]] = [()] * len(sets)
    room = np.cumsum([0, *(len(s.actions) - 1 for s in sets)])  # most that the first k sets can take

    def settle(k: int, left: int) -> Iterator[Support]:
        if left > room[k + 1] or budget.ended:
            return
        if k < 0:
            if budget.spend():
                yield tuple(chosen)
            return
        s = sets[k]
        low, high = _bounds(paths, payoffs, allowed)
        lows, highs = low[children[k], s.player], high[children[k], s.player]  # (nodes, actions)
        width = len(s.actions)
        worse = [
            any(b != a and bool((highs[:, a] < lows[:, b] - slack[s.player]).all()) for b in range(width))
            for a in range(width)
        ]
        good = [a for a in range(width) if not worse[a]]
        for size in range(1, min(len(good), left + 1) + 1):
            for part in combinations(good, size):
                chosen[k] = tuple(s.first + a for a in part)
                allowed[s.slots] = False
                allowed[list(chosen[k])] = True
                yield from settle(k - 1, left - size + 1)
        allowed[s.slots] = True

    yield from settle(len(sets) - 1, extra)


def _bounds(paths: Paths, payoffs: Array, allowed: Array) -> tuple[Array, Array]:
    """Least and most that each player can get from each node, shape (n, P), if only allowed actions are used."""
    topology = paths.topology
    chance = as_float(paths.chance)
    low = np.full((topology.size, payoffs.shape[1]), np.inf)
    high = np.full((topology.size, payoffs.shape[1]), -np.inf)
    low[topology.terminal] = high[topology.terminal] = payoffs
    nature = topology.owner == CHANCE
    low[nature] = high[nature] = 0
    for level in reversed(topology.levels[1:]):
        above, slot = topology.parent[level], topology.slot[level]
        random = nature[above]
        acted = ~random & allowed[slot]
        np.minimum.at(low, above[acted], low[level[acted]])
        np.maximum.at(high, above[acted], high[level[acted]])
        weight = chance[slot[random] - paths.count][:, None] if random.any() else np.zeros((0, 1))
        np.add.at(low, above[random], weight * low[level[random]])
        np.add.at(high, above[random], weight * high[level[random]])
    return low, high


def supporting_beliefs(game: ExtensiveGame, actions: Array) -> tuple[Array | None, bool]:
    """Return consistent beliefs, shape (n,), that make strategies optimal, or None; and whether None is proven.

    Parameters
    ----------
    game : ExtensiveGame
        A single game with numbers.
    actions : ndarray, shape (A,)
    """
    if not game.infosets:
        return np.zeros(game.topology.size), True
    paths = Paths(game)
    support = tuple(
        tuple(s.first + int(k) for k in np.flatnonzero(np.asarray(actions[s.slots] > 0, dtype=bool)))
        for s in game.infosets
    )
    budget = Budget("beliefs", limit=_MOST_CELLS, unit="cells")
    solved, proven = _of_support(paths, support, False, np.random.default_rng(0), budget, known=actions)
    return (solved[0].centre.beliefs, True) if solved else (None, proven)


def _of_support(
    paths: Paths, support: Support, weak: bool, rng: np.random.Generator, budget: Budget, known: Array | None = None
) -> tuple[list[Solved], bool]:
    """Solve one support of play with every combination of nodes that off-path beliefs can rest on."""
    topology = paths.topology
    used = np.zeros(len(topology.labels), dtype=bool)
    used[[slot for s in support for slot in s]] = True
    used[paths.count :] = np.asarray(paths.chance > 0, dtype=bool)
    reached = reached_nodes(paths, used)
    on_path = [tuple(x for x in s.nodes if reached[x]) for s in topology.infosets]
    open_sets = [i for i, nodes in enumerate(on_path) if not nodes and len(topology.infosets[i].nodes) > 1]
    full = tuple(nodes or s.nodes for nodes, s in zip(on_path, topology.infosets, strict=True))
    excusable = _Excusable(paths, support, used)
    if not all(excusable(i, nodes) for i, nodes in enumerate(on_path) if nodes):
        return [], True
    if weak or not open_sets:
        return Cell(paths, support, full, weak=weak, known=known).solve(rng, budget)
    choices = [[c for c in _subsets(topology.infosets[i].nodes) if excusable(i, c)] for i in open_sets]
    if not all(choices):
        return [], True
    sure = tuple(() if i in open_sets else nodes for i, nodes in enumerate(full))

    def feasible(extra: dict[int, tuple[int, ...]]) -> bool:
        """Whether the conditions can hold where beliefs are sure, and at some sets with these nodes believed in."""
        believed = tuple(extra.get(i, nodes) for i, nodes in enumerate(sure))
        return Cell(paths, support, believed, known=known).feasible(budget)

    if not feasible({}):
        return [], True
    if len(open_sets) > 1:
        choices = [[c for c in mine if feasible({i: c})] for i, mine in zip(open_sets, choices, strict=True)]
        if not all(choices):
            return [], True
    if prod(len(c) for c in choices) > _MOST_BELIEFS:
        few = [{topology.infosets[i].nodes, *((x,) for x in topology.infosets[i].nodes)} for i in open_sets]
        choices = [[c for c in mine if c in some] or mine[:1] for mine, some in zip(choices, few, strict=True)]
        complete = False
    else:
        complete = True
    zero = ~used
    usage = path_usage(topology, zero)
    free = is_unrestricted(topology, usage, open_sets)
    accepted: list[tuple[frozenset[int], ...]] = []
    result: list[Solved] = []
    for chosen in sorted(product(*choices), key=lambda c: -sum(map(len, c))):
        mine = tuple(frozenset(c) for c in chosen)
        if free and any(all(a <= b for a, b in zip(mine, wider, strict=True)) for wider in accepted):
            continue
        if not budget.spend():
            return result, False
        believed = list(full)
        for i, nodes in zip(open_sets, chosen, strict=True):
            believed[i] = nodes
        solved, proven = Cell(paths, support, tuple(believed), known=known).solve(rng, budget)
        if not solved:
            complete = complete and proven
            continue
        marks = np.zeros(topology.size, dtype=bool)
        for nodes in believed:
            marks[list(nodes)] = True
        if labelling(topology, usage, zero, marks) is None:
            continue
        accepted.append(mine)
        result += solved
        complete = complete and proven
        if known is not None:
            break
    return result, complete


class _Excusable:
    """Whether some weights on all of some nodes of an information set may make what is used there optimal.

    Not if what is used is at all of these nodes at most as good as another action, whatever later play within the
    supports, and at one of them worse.
    """

    def __init__(self, paths: Paths, support: Support, used: Array) -> None:
        self.paths, self.support = paths, support
        payoffs = as_float(paths.payoffs)
        self.slack = _ROUNDING * np.abs(payoffs).max(axis=0)
        self.low, self.high = _bounds(paths, payoffs, used)
        self.known: dict[int, tuple[Array, Array]] = {}

    def __call__(self, infoset: int, nodes: tuple[int, ...]) -> bool:
        s = self.paths.topology.infosets[infoset]
        if len(s.actions) == 1:
            return True
        if infoset not in self.known:
            below = np.array([self.paths.topology.children[x] for x in s.nodes])
            mine = np.array(self.support[infoset]) - s.first
            least, most = self.low[below, s.player], self.high[below, s.player][:, mine]
            gap = least[:, None, :] - most[:, :, None]  # (nodes, used, others): what another action pays more
            gap[:, np.arange(len(mine)), mine] = -np.inf
            slack = self.slack[s.player]
            plain = self.paths.plain[below, s.player].all(axis=1)[:, None, None]
            self.known[infoset] = gap > slack, (gap > slack) | (plain & (gap >= 0))
        worse, no_better = (table[[s.nodes.index(x) for x in nodes]] for table in self.known[infoset])
        return not bool((no_better.all(axis=0) & worse.any(axis=0)).any())


def _subsets(nodes: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [c for size in range(len(nodes), 0, -1) for c in combinations(nodes, size)]


def _maximal(paths: Paths, found: list[tuple[Support, Solved]]) -> list[Family]:
    """Drop what lies in the closure of another with the same sets on the path: each continuum is reported once.

    On the path beliefs follow from strategies, so strategies and off-path beliefs are compared.
    """
    keys = [_reached_sets(paths, solved.centre) for _, solved in found]
    vectors = [
        np.array([_vector(paths, c, key) for c in solved.corners]) for (_, solved), key in zip(found, keys, strict=True)
    ]
    kept = []
    for i, (support, solved) in enumerate(found):
        inside = False
        for j, (other, _) in enumerate(found):
            if i == j or keys[i] != keys[j] or not all(set(a) <= set(b) for a, b in zip(support, other, strict=True)):
                continue
            smaller = (
                support != other or len(vectors[i]) < len(vectors[j]) or (len(vectors[i]) == len(vectors[j]) and j < i)
            )
            if smaller and all(_in_hull(v, vectors[j]) for v in vectors[i]):
                inside = True
                break
        if not inside:
            kept.append(Family(solved.centre, solved.corners))
    return kept


def _reached_sets(paths: Paths, assessment: Assessment) -> tuple[bool, ...]:
    used = np.concatenate([as_float(assessment.actions), as_float(paths.chance)]) > 0
    reached = reached_nodes(paths, used)
    return tuple(bool(reached[list(s.nodes)].any()) for s in paths.topology.infosets)


def _vector(paths: Paths, assessment: Assessment, reached: tuple[bool, ...]) -> Array:
    off = [n for s, on_path in zip(paths.topology.infosets, reached, strict=True) if not on_path for n in s.nodes]
    return np.concatenate([as_float(assessment.actions), as_float(assessment.beliefs[off])])


def _in_hull(point: Array, corners: Array) -> bool:
    near = np.abs(corners - point).max(axis=1).min()
    if near < 1e-8 or len(corners) == 1:
        return bool(near < 1e-8)
    from scipy.optimize import nnls

    _, residual = nnls(np.vstack([corners.T, np.ones(len(corners))]), np.r_[point, 1.0])
    return bool(residual < 1e-8)

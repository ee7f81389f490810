r"""Sequential equilibria cell by cell: given which actions are used and which nodes believed in, the rest is algebra.

A cell fixes the support of play at each information set and, off the path, the nodes that beliefs put weight on. Its
unknowns are realization weights: one for each action at a set where its player mixes, and one for each action of
probability zero, the coefficient of its tremble. Under perfect recall a player's own weights are the same at all
nodes of its information set, so optimality there is polynomial in the *others'* weights, of degree one in each other
player: with two players (or when at most one other's weight matters at a time) it is linear, and the cell is a
polytope whose vertices are all there is to know. Otherwise the system is solved by Newton's method from many starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.errors import SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array, as_float
from deterrence.games.topology import CHANCE
from deterrence.solvers.algebra.multilinear import Multilinear, all_roots, sampled_roots
from deterrence.solvers.algebra.polytopes import TooManyRays, polytope_vertices
from deterrence.solvers.budget import Budget

Support = tuple[tuple[int, ...], ...]  # by information set, the slots that are used
Believed = tuple[tuple[int, ...], ...]  # by information set, the nodes that carry weight

_STARTS = 24
_MOST_UNKNOWNS = 8  # up to so many the unit box is searched exhaustively
_POSITIVE = 1e-9
_MOST_CORNERS = 256
_MOST_ENTRIES = 100_000_000  # ends and moves before them, times slots, in memory


@dataclass(frozen=True, eq=False)
class Assessment:
    """Strategies, shape (A,), and beliefs, shape (n,)."""

    actions: Array
    beliefs: Array


@dataclass(frozen=True, eq=False)
class Solved:
    """A point or polytope that a cell holds: a point inside and the vertices."""

    centre: Assessment
    corners: tuple[Assessment, ...]


class Paths:
    """What does not depend on the cell: for each end and each move on its path, what must be so for it to count."""

    def __init__(self, game: ExtensiveGame) -> None:
        topology = game.topology
        self.game, self.topology = game, topology
        self.exact = game.kind == "exact"
        self.count = topology.action_count
        self.chance = game.chance if self.exact else as_float(game.chance)
        self.payoffs = game.payoffs if self.exact else as_float(game.payoffs)
        self.spans = np.maximum(np.ptp(as_float(game.payoffs), axis=0), np.finfo(float).tiny)
        slots = len(topology.labels)
        entries: list[tuple[int, int, int, int, list[int], list[int]]] = []
        worth: list[Any] = []
        for player in range(len(topology.players)):
            for node, value in self._decided(player):
                line = node
                own: list[int] = []
                others: list[int] = []
                while line > 0:
                    slot, above = int(topology.slot[line]), int(topology.parent[line])
                    if topology.owner[above] == player:
                        entries.append((node, int(topology.infoset[above]), slot, above, list(own), list(others)))
                        worth.append(value)
                        own.append(slot)
                    else:
                        others.append(slot)
                    line = above
        self.end = np.array([e[0] for e in entries], dtype=np.int64)
        self.set = np.array([e[1] for e in entries], dtype=np.int64)
        self.slot = np.array([e[2] for e in entries], dtype=np.int64)
        self.node = np.array([e[3] for e in entries], dtype=np.int64)
        if len(entries) * slots > _MOST_ENTRIES:
            raise SolverError(
                f"the conditions of a stage of {topology.size:,} nodes at {len(topology.infosets):,} information sets "
                "are too many to hold; ask for pure=True, or trace qre for one equilibrium"
            )
        self.own_tail = np.zeros((len(entries), slots), dtype=np.float32)
        self.other_tail = np.zeros((len(entries), slots), dtype=np.float32)
        for k, e in enumerate(entries):
            self.own_tail[k, e[4]] = 1
            self.other_tail[k, e[5]] = 1
        self.player = np.array([s.player for s in topology.infosets], dtype=np.int64)
        self.chance_on_path = self._chance_on_path()
        self.coefficient = self.chance_on_path[self.end] * np.array(worth, dtype=self.payoffs.dtype)

    @cached_property
    def plain(self) -> Array:
        """Whether bounds on what a player gets from a node compare in floats as exactly as payoffs do, shape (n, P).

        No chance follows, and different payoffs of the player are different floats.
        """
        topology = self.topology
        near = as_float(self.payoffs)
        told_apart = [
            len(set(mine.tolist())) == len(set(floats))
            for mine, floats in zip(self.payoffs.T, near.T.tolist(), strict=True)
        ]
        result = np.ones((topology.size, len(told_apart)), dtype=bool)
        result[topology.owner == CHANCE] = False
        for level in reversed(topology.levels[1:]):
            np.logical_and.at(result, topology.parent[level], result[level])
        return np.asarray(result & np.array(told_apart))

    def _decided(self, player: int) -> list[tuple[int, Any]]:
        """Nodes below which nothing matters to a player any more, with its payoff less its most common one, if not 0.

        Payoffs matter up to a constant, since weights add up; and the fewer ends count, the lower the degree.
        """
        topology = self.topology
        mine = self.payoffs[:, player]
        values, counts = np.unique(mine, return_counts=True)
        common = values[int(np.argmax(counts))]
        low = np.array([values.max()] * topology.size, dtype=mine.dtype)
        high = np.array([values.min()] * topology.size, dtype=mine.dtype)
        low[topology.terminal] = high[topology.terminal] = mine
        for level in reversed(topology.levels[1:]):
            np.minimum.at(low, topology.parent[level], low[level])
            np.maximum.at(high, topology.parent[level], high[level])
        settled = np.asarray(low == high, dtype=bool)
        first = settled.copy()
        first[1:] &= ~settled[topology.parent[1:]]
        return [(int(y), low[y] - common) for y in np.flatnonzero(first) if low[y] != common]

    def _chance_on_path(self) -> Array:
        topology = self.topology
        result = np.ones(topology.size, dtype=self.chance.dtype if self.exact else np.float64)
        for level in topology.levels[1:]:
            slot = topology.slot[level]
            step = np.ones(len(level), dtype=result.dtype)
            chance = slot >= self.count
            values = self.chance[slot[chance] - self.count]
            step[chance] = np.where(
                values == 0, values + 1, values
            )  # of probability zero: nature's tremble, a variable
            result[level] = result[topology.parent[level]] * step
        return result


class Cell:
    """One combination of supports, with the unknown weights and the conditions on them.

    Parameters
    ----------
    paths : Paths
    support : Support
    believed : Believed
        Nodes with weight at each information set; on the path, those that are reached.
    weak : bool
        Beliefs off the path are unknowns of their own instead of coming from trembles.
    known : ndarray, shape (A,), optional
        Strategies with that support: only trembles are left to find.
    """

    def __init__(
        self, paths: Paths, support: Support, believed: Believed, *, weak: bool = False, known: Array | None = None
    ) -> None:
        self.paths, self.support, self.believed, self.weak, self.known = paths, support, believed, weak, known
        self.awkward = False  # weak beliefs whose conditions are no polynomials
        topology = paths.topology
        count, slots = paths.count, len(topology.labels)
        used = np.zeros(slots, dtype=bool)
        first = np.zeros(slots, dtype=bool)
        mixing = np.zeros(slots, dtype=bool)
        for s in support:
            used[list(s)], first[s[0]] = True, True
            mixing[list(s)] = len(s) > 1 and known is None
        possible = np.asarray(paths.chance > 0, dtype=bool)
        used[count:] = first[count:] = possible
        self.used, self.mixing = used, mixing
        self.weight_of = self._weights_of_nodes()
        inside = np.zeros(topology.size, dtype=bool)
        for nodes in believed:
            inside[list(nodes)] = True
        ok = inside[paths.node]
        ok &= (paths.own_tail @ (~first).astype(np.float32) == 0) & (paths.other_tail @ (~used).astype(np.float32) == 0)
        self.rows = np.flatnonzero(ok)
        self.coefficient = paths.coefficient[self.rows]
        if known is not None:
            self._put_in(known)
        self._number_variables()

    def _weights_of_nodes(self) -> Array:
        """By node and player (nature last), the slot whose weight stands for the player's part of the path, or -1."""
        topology = self.paths.topology
        players = len(topology.players)
        weight = np.full((topology.size, players + 1), -1, dtype=np.int64)
        for level in topology.levels[1:]:
            above, slot = topology.parent[level], topology.slot[level]
            weight[level] = weight[above]
            plain = self.used[slot] & ~self.mixing[slot]
            owner = topology.owner[above]
            who = np.where(owner == CHANCE, players, owner)
            hit = ~plain
            weight[level[hit], who[hit]] = slot[hit]
            if self.weak:  # beliefs off the path are unknowns of their own: trembles need no weight
                tremble = ~self.used[slot]
                weight[level[tremble], who[tremble]] = -1
        return weight

    def _put_in(self, known: Array) -> None:
        """Multiply what others' known mixtures contribute into the coefficients."""
        topology = self.paths.topology
        self.part = np.ones((topology.size, len(topology.players)), dtype=known.dtype)
        for level in topology.levels[1:]:
            above, slot = topology.parent[level], topology.slot[level]
            self.part[level] = self.part[above]
            acted = np.flatnonzero((topology.owner[above] >= 0) & self.used[slot])
            self.part[level[acted], topology.owner[above[acted]]] *= known[slot[acted]]
        parts = self.part[self.paths.end[self.rows]]
        parts[np.arange(len(self.rows)), self.paths.player[self.paths.set[self.rows]]] = 1
        self.coefficient = self.coefficient * parts.prod(axis=1)

    def _number_variables(self) -> None:
        """Give columns to the weights that matter, after dropping factors common to all nodes of an information set."""
        paths, topology = self.paths, self.paths.topology
        players = len(topology.players)
        entries = self.rows
        factors = self.weight_of[paths.end[entries]]  # (E, P + 1)
        own = paths.player[paths.set[entries]]
        factors[np.arange(len(entries)), own] = -1
        sets = paths.set[entries]
        for h in np.unique(sets):
            mine = np.flatnonzero(sets == h)
            for j in range(players + 1):
                column = factors[mine, j]
                if column[0] >= 0 and (column == column[0]).all():
                    factors[mine, j] = -1
        needed = set(factors[factors >= 0].tolist())
        self.believed_weights = [] if self.weak else self._weights_of_beliefs()
        needed |= {slot for group in self.believed_weights for slot in group}
        flows: list[tuple[list[int], int]] = []  # slots of a mixture, the weight they add up to (-1: one)
        for h, s in enumerate(self.support):
            if len(s) > 1 and self.known is None:
                parent = int(self.weight_of[topology.infosets[h].nodes[0], topology.infosets[h].player])
                flows.append((list(s), parent))
                needed |= {*s, *([parent] if parent >= 0 else [])}
        extra: list[tuple[int, ...]] = []  # beliefs as unknowns (weak): a set's nodes
        self.slots = sorted(needed)
        self.column = {slot: k for k, slot in enumerate(self.slots)}
        width = len(self.slots)
        belief_column = np.full(topology.size, -1, dtype=np.int64)
        if self.weak:
            for h, nodes in enumerate(self.believed):
                if len(nodes) > 1 and not self._reached(h):
                    belief_column[list(nodes)] = np.arange(width, width + len(nodes))
                    width += len(nodes)
                    extra.append(tuple(nodes))
        self.belief_column, self.belief_sets = belief_column, extra
        index = np.full(len(topology.labels) + 1, -1, dtype=np.int64)
        index[self.slots] = np.arange(len(self.slots))
        self.factors = np.concatenate([index[factors], belief_column[paths.node[entries]][:, None]], axis=1)
        if self.weak and len(entries):
            self._relative_to_belief(entries)
        self.width, self.flows = width, flows
        self.degree = int((self.factors >= 0).sum(axis=1).max(initial=0))
        self._groups()

    def _weights_of_beliefs(self) -> list[list[int]]:
        """Weights that tell apart the believed nodes of each information set off the path."""
        result = []
        for h, nodes in enumerate(self.believed):
            if len(nodes) > 1 and not self._reached(h):
                factors = self.weight_of[list(nodes)].copy()
                factors[:, self.paths.player[h]] = -1
                factors = factors[:, (factors != factors[0]).any(axis=0)]
                result.append(np.unique(factors[factors >= 0]).tolist())
        return result

    def _relative_to_belief(self, entries: Array) -> None:
        """Off the path a believed node's own weight is its belief: what led there counts no more."""
        before = self.weight_of[self.paths.node[entries]]
        after = self.weight_of[self.paths.end[entries]]
        off = self.belief_column[self.paths.node[entries]] >= 0
        self.coefficient[off] = self.coefficient[off] / self.paths.chance_on_path[self.paths.node[entries[off]]]
        for j in range(before.shape[1]):
            same = off & (before[:, j] == after[:, j])
            self.factors[same, j] = -1
        self.awkward = bool((off[:, None] & (before >= 0) & (before != after)).any())

    def _reached(self, h: int) -> bool:
        """Whether an information set is on the path of the support."""
        return bool(self.on_path[list(self.believed[h])].any())

    @cached_property
    def on_path(self) -> Array:
        """Whether each node is reached, given the supports, shape (n,)."""
        return reached_nodes(self.paths, self.used)

    def _groups(self) -> None:
        """Trembles that share an information set have a common scale: normalise it."""
        topology = self.paths.topology
        root = np.arange(self.width)

        def find(k: int) -> int:
            while root[k] != k:
                root[k] = root[root[k]]
                k = int(root[k])
            return k

        trembles = [self.column[s] for s in self.slots if not self.used[s]]
        family = {c: c for c in trembles}
        for slots, parent in sorted(
            self.flows, key=lambda flow: topology.infosets[topology.slot_infoset[flow[0][0]]].nodes[0]
        ):
            if parent >= 0 and self.column[parent] in family:
                family |= {self.column[s]: family[self.column[parent]] for s in slots}
        sets = self.paths.set[self.rows]
        for h in np.unique(sets):
            mine = [family[c] for c in np.unique(self.factors[sets == h]).tolist() if c in family]
            for c in mine[1:]:
                root[find(c)] = find(mine[0])
        for group in self.believed_weights:
            mine = [family[self.column[slot]] for slot in group if self.column[slot] in family]
            for c in mine[1:]:
                root[find(c)] = find(mine[0])
        grouped: dict[int, list[int]] = {}
        for c in trembles:
            grouped.setdefault(find(c), []).append(c)
        self.scales = list(grouped.values())

    # -- solving -------------------------------------------------------------------------------------------------------

    def solve(self, rng: np.random.Generator, budget: Budget) -> tuple[list[Solved], bool]:
        """Return what the cell holds (nothing, a polytope, or isolated points), and whether that is surely all."""
        if self.awkward:
            return [], False
        if self.degree <= 1:
            try:
                solved = self._linear(budget)
            except TooManyRays:
                return [], False
            return ([] if solved is None else [solved]), True
        if self.impossible():
            return [], True
        equations, slack, expand = self._multilinear()
        if equations.width > _MOST_UNKNOWNS:
            points, proven = sampled_roots(equations, rng, _STARTS), False
        else:
            searched = all_roots(equations, slack, rng, budget.spend)
            points, proven = searched.roots, searched.proven
        if not proven:
            points = self._apart(equations, points)
        result = []
        for x in sorted(points, key=lambda t: list(t.round(9))):
            whole = expand(x)
            if (slack(x) >= -1e-9).all() and (whole > _POSITIVE).all():
                middle = self._read(whole, whole)
                result.append(Solved(middle, (middle,)))
        return result, proven

    def impossible(self) -> bool:
        """Whether some condition fails for all weights between 0 and 1, by the signs of its coefficients."""
        for gap, equation in self._conditions():
            signs = {np.sign(c) for c in gap.values()}
            if (equation and signs in ({1}, {-1})) or (not equation and signs == {-1}):
                return True
        return False

    def _conditions(self) -> Iterator[tuple[dict[frozenset[int], float], bool]]:
        """Gaps between payoffs as polynomials in the unknowns, scaled to one: zero if True, else not negative."""
        paths = self.paths
        values: dict[int, dict[frozenset[int], Any]] = {}
        for row, factors, c in zip(self.rows, self.factors.tolist(), self.coefficient.tolist(), strict=True):
            mine = values.setdefault(int(paths.slot[row]), {})
            monomial = frozenset(k for k in factors if k >= 0)
            mine[monomial] = mine.get(monomial, 0) + c
        for h, s in enumerate(self.support):
            info = paths.topology.infosets[h]
            base = values.get(s[0], {})
            least = 0.0 if paths.exact else 1e-13 * self._scale(h)
            for a in range(info.slots.start, info.slots.stop):
                if a != s[0]:
                    mine = values.get(a, {})
                    gap = {m: base.get(m, 0) - mine.get(m, 0) for m in {*base, *mine}}
                    gap = {m: c for m, c in gap.items() if abs(c) > least}
                    size = max(map(abs, gap.values()), default=1)
                    yield {m: float(c / size) for m, c in gap.items()}, a in s

    def _multilinear(self) -> tuple[Multilinear, Multilinear, Callable[[Array], Array]]:
        """Equations and inequalities in as few unknowns as possible, and the way back to all of them."""
        sums = [([self.column[s] for s in slots], parent) for slots, parent in self.flows]
        sums += [(group, -1) for group in self.scales]
        sums += [(self.belief_column[list(nodes)].tolist(), -1) for nodes in self.belief_sets]
        conditions = list(self._conditions())
        together = {m for gap, _ in conditions for m in gap}
        replaced: dict[int, dict[frozenset[int], float]] = {}  # last of a sum -> what it is
        equations: list[dict[frozenset[int], float]] = []
        for columns, parent in sums:
            head = frozenset() if parent < 0 else frozenset([self.column[parent]])
            row = {head: 1.0} | {frozenset([c]): -1.0 for c in columns}
            last = row.pop(frozenset([columns[-1]]))
            linked = {*columns, *head}
            if any(len(m & linked) > 1 for m in together) or head & replaced.keys():
                equations.append({**row, frozenset([columns[-1]]): last})
            else:
                replaced[columns[-1]] = row
        kept = [c for c in range(self.width) if c not in replaced]
        position = {c: k for k, c in enumerate(kept)}

        def put_in(polynomial: dict[frozenset[int], float]) -> dict[frozenset[int], float]:
            result = dict(polynomial)
            for c, row in replaced.items():
                for m in [m for m in result if c in m]:
                    factor = result.pop(m)
                    for other, weight in row.items():
                        merged = (m - {c}) | other
                        result[merged] = result.get(merged, 0.0) + factor * weight
            return {frozenset(position[c] for c in m): v for m, v in result.items()}

        equal = [put_in(gap) for gap, equation in conditions if equation] + [put_in(e) for e in equations]
        least = [put_in(gap) for gap, equation in conditions if not equation]
        least += [put_in({frozenset([c]): 1.0}) for c in replaced]

        def expand(x: Array) -> Array:
            whole = np.zeros(self.width)
            whole[kept] = x
            for c in replaced:
                whole[c] = Multilinear([replaced[c]], self.width)(whole)[0]
            return whole

        return Multilinear(equal, len(kept)), Multilinear(least, len(kept)), expand

    def _apart(self, equations: Multilinear, points: list[Array]) -> list[Array]:
        """Return isolated solutions and one point of continua, which cannot be told apart."""
        kept: list[Array] = []
        continuum = False
        for x in points:
            singular = int(np.linalg.matrix_rank(equations.jacobian(x), tol=1e-8)) < equations.width
            if not (singular and continuum):
                kept.append(x)
            continuum = continuum or singular
        return kept

    def feasible(self, budget: Budget) -> bool:
        """Whether conditions can hold at the sets with nodes believed in: False is proven, True need not be."""
        if self.degree > 1:
            return not self.impossible()
        try:
            return self._polytopes(budget) is not None
        except TooManyRays:
            return True

    def _polytopes(self, budget: Budget) -> tuple[list[tuple[Array, Array]], Array] | None:
        """Return by block of unknowns its columns and vertices, and a point inside; None if conditions exclude all."""
        equal, right, least, bounds = self._linear_system()
        blocks = _blocks(equal, least, self.width)
        found = []
        for block in blocks:
            columns = np.array(block)
            rows = np.asarray((equal[:, columns] != 0).any(axis=1), dtype=bool)
            others = np.asarray((least[:, columns] != 0).any(axis=1), dtype=bool)
            if not rows.any() and not others.any():
                return None
            rationals = polytope_vertices(
                equal[np.ix_(rows, columns)].tolist(),
                right[rows].tolist(),
                least[np.ix_(others, columns)].tolist(),
                bounds[others].tolist(),
                budget.spend,
            )
            if not rationals:
                return None
            corner = np.empty((len(rationals), len(columns)), dtype=object)
            corner[:] = rationals
            found.append((columns, corner if self.paths.exact else as_float(corner)))
        tight = 0 if self.paths.exact else 1e-9
        empty_equal = (
            ~np.asarray((equal != 0).any(axis=1), dtype=bool) if self.width else np.ones(len(equal), dtype=bool)
        )
        empty_least = (
            ~np.asarray((least != 0).any(axis=1), dtype=bool) if self.width else np.ones(len(least), dtype=bool)
        )
        if (np.abs(right[empty_equal]) > tight).any() or (bounds[empty_least] > tight).any():
            return None
        zero = self.paths.payoffs.dtype.type(0) if not self.paths.exact else 0
        centre = np.full(self.width, zero, dtype=equal.dtype)
        for columns, corner in found:
            centre[columns] = corner.sum(axis=0) / len(corner)
        strict = np.ones(self.width, dtype=bool)
        strict[self.belief_column[self.belief_column >= 0]] = False
        if bool((centre[strict] <= (0 if self.paths.exact else _POSITIVE)).any()):
            return None
        return found, centre

    def _linear(self, budget: Budget) -> Solved | None:
        polytopes = self._polytopes(budget)
        if polytopes is None:
            return None
        found, centre = polytopes
        combinations = list(product(*(range(len(corner)) for _, corner in found)))
        points = []
        if len(combinations) <= _MOST_CORNERS:
            for choice in combinations:
                x = centre.copy()
                for (columns, corner), k in zip(found, choice, strict=True):
                    x[columns] = corner[k]
                points.append(x)
        else:
            for columns, corner in found:
                for row in corner:
                    x = centre.copy()
                    x[columns] = row
                    points.append(x)
        middle = self._read(centre, centre)
        corners = tuple(self._read(x, centre) for x in points)
        return Solved(middle, corners if len(points) > 1 else (middle,))

    def _scale(self, h: int) -> float:
        """Payoff span of the mover at an information set times the weight of the set, as far as it is known."""
        nodes = list(self.believed[h])
        player = int(self.paths.player[h])
        weight = as_float(self.paths.chance_on_path[nodes])
        if self.known is not None:
            weight = weight * as_float(np.delete(self.part[nodes], player, axis=1)).prod(axis=1)
        if self.weak and self.belief_column[nodes[0]] >= 0:
            weight = np.ones(1)
        return float(self.paths.spans[player] * max(weight.max(), np.finfo(float).tiny))

    def _linear_system(self) -> tuple[Array, Array, Array, Array]:
        """Equations E x = e and inequalities G x >= g."""
        paths = self.paths
        dtype = object if paths.exact else np.float64
        values = np.zeros((paths.count, self.width + 1), dtype=dtype)
        columns = np.where(self.factors.max(axis=1, initial=-1) < 0, self.width, self.factors.max(axis=1, initial=-1))
        np.add.at(values, (paths.slot[self.rows], columns), self.coefficient)
        equal: list[Array] = []
        least: list[Array] = []
        for h, s in enumerate(self.support):
            info = paths.topology.infosets[h]
            base = values[s[0]]
            gaps = [(values[a] - base, True) for a in s[1:]]
            gaps += [(base - values[b], False) for b in range(info.slots.start, info.slots.stop) if b not in s]
            for gap, equation in gaps:
                if paths.exact:
                    (equal if equation else least).append(gap)
                    continue
                near = gap / self._scale(h)  # floats come from a known profile, which is optimal but for rounding
                for row in (near, -near) if equation else (near,):
                    row = row.copy()
                    row[-1] += _POSITIVE
                    least.append(row)
        one = np.zeros(self.width + 1, dtype=dtype)
        for slots, parent in self.flows:
            row = one.copy()
            row[[self.column[s] for s in slots]] = 1
            row[self.width if parent < 0 else self.column[parent]] -= 1
            equal.append(row)
        for group in self.scales:
            row = one.copy()
            row[group] = 1
            row[self.width] = -1
            equal.append(row)
        for nodes in self.belief_sets:
            row = one.copy()
            row[self.belief_column[list(nodes)]] = 1
            row[self.width] = -1
            equal.append(row)
        e = np.array(equal, dtype=dtype).reshape(-1, self.width + 1)
        g = np.array(least, dtype=dtype).reshape(-1, self.width + 1)
        return e[:, :-1], -e[:, -1], g[:, :-1], -g[:, -1]

    # -- what the weights mean -----------------------------------------------------------------------------------------

    def _read(self, x: Array, centre: Array) -> Assessment:
        """Strategies and beliefs of some weights; where they vanish, the limit on the way from the centre."""
        paths, topology = self.paths, self.paths.topology
        exact = x.dtype == object
        one: Any = 1.0 if not exact else _fraction(1)
        actions: Array = np.array([0 * one] * paths.count, dtype=object if exact else np.float64)
        for h, s in enumerate(self.support):
            if len(s) == 1 or self.known is not None:
                actions[list(s)] = one if self.known is None else self.known[list(s)]
                continue
            parent = int(self.weight_of[topology.infosets[h].nodes[0], topology.infosets[h].player])
            for weights in (x, centre):
                total = one if parent < 0 else weights[self.column[parent]]
                if total > (0 if exact else 1e-12):
                    for a in s:
                        actions[a] = weights[self.column[a]] / total
                    break
            if not exact:
                actions[list(s)] /= actions[list(s)].sum()
        beliefs = np.array([0 * one] * topology.size, dtype=actions.dtype)
        slots = np.concatenate([actions, paths.chance if exact else as_float(paths.chance)])
        reach = np.array([0 * one] * topology.size, dtype=actions.dtype)
        reach[0] = one
        for level in topology.levels[1:]:
            reach[level] = reach[topology.parent[level]] * slots[topology.slot[level]]
        for h, info in enumerate(topology.infosets):
            nodes = list(info.nodes)
            total = reach[nodes].sum()
            if total > (0 if exact else 1e-13):
                beliefs[nodes] = reach[nodes] / total
                continue
            mine = list(self.believed[h])
            for weights in (x, centre):
                mass = self._masses(mine, info.player, weights)
                if mass.sum() > (0 if exact else 1e-12):
                    beliefs[mine] = mass / mass.sum()
                    break
        return Assessment(actions, beliefs)

    def _masses(self, nodes: list[int], player: int, weights: Array) -> Array:
        """Weights of the believed nodes of one information set."""
        if len(nodes) == 1:
            return np.array([weights.dtype.type(1) if weights.dtype != object else _fraction(1)], dtype=weights.dtype)
        if self.weak and self.belief_column[nodes[0]] >= 0:
            return weights[self.belief_column[nodes]]
        factors = self.weight_of[nodes].copy()
        factors[:, player] = -1
        masses = self.paths.chance_on_path[nodes].copy()
        if self.known is not None:
            masses = masses * np.delete(self.part[nodes], player, axis=1).prod(axis=1)
        for j in range(factors.shape[1]):
            column = factors[:, j]
            if (column == column[0]).all():
                continue  # a common factor
            for k, slot in enumerate(column):
                if slot >= 0:
                    masses[k] = masses[k] * weights[self.column[int(slot)]]
        return masses


def reached_nodes(paths: Paths, used: Array) -> Array:
    """Return which nodes can be reached by used slots alone."""
    topology = paths.topology
    reached = np.zeros(topology.size, dtype=bool)
    reached[0] = True
    for level in topology.levels[1:]:
        reached[level] = reached[topology.parent[level]] & used[topology.slot[level]]
    return reached


def _blocks(equal: Array, least: Array, width: int) -> list[list[int]]:
    """Unknowns that share no condition fall into separate blocks."""
    label = list(range(width))
    for row in (*equal, *least):
        mine = np.flatnonzero(np.asarray(row != 0, dtype=bool))
        if len(mine) > 1:
            target = min(label[k] for k in mine)
            old = {label[k] for k in mine}
            label = [target if c in old else c for c in label]
    grouped: dict[int, list[int]] = {}
    for k, c in enumerate(label):
        grouped.setdefault(c, []).append(k)
    return list(grouped.values())


def _fraction(value: int) -> Any:
    from fractions import Fraction

    return Fraction(value)

"""From candidate supports to the maximal components of the set of perfect Bayesian equilibria.

Notation: ``S`` is a set of (type, message) pairs, ``F`` a set of (receiver type, message, response) triples,
and ``D`` the pairs (receiver type, message) that S puts on the path: some type that q holds possible sends m.
The components are the products

    G(S, F) = Sigma(S, F) x P(S, F) x B(F),

``Sigma`` the sender's strategies within S that make all of F optimal at every pair of D, ``P`` the receivers'
strategies within F that make all of S optimal, ``B`` the beliefs at pairs outside D that make F optimal
there. All three are polytopes: unnormalised posteriors are linear in the sender's strategy, payoffs are
linear in the receivers'. Every equilibrium lies in G(S, F) for its own supports S and F, and every point of
G(S, F) is an equilibrium.

*Which are maximal.* Among components with one D: let (S, F) be the supports of relative interior points of
Sigma and P. Then G(S, F) lies in G(S', F') only if S <= S' <= S^ and F <= F' <= F^, where S^ and F^ hold
everything optimal at those points. Given S, P(S, F^) is largest; let F now be its support. Since P(S', F')
shrinks as S' grows, a larger component has the same P and F and a larger S'; the largest is S* = the support
of Sigma(S^ restricted to D, F). So G(S*, F) is the one maximal component with these receivers' strategies: no
comparison of components is needed, only a table of those found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, TypeAlias

from deterrence.games.errors import GameError
from deterrence.solvers.algebra.polytopes import Point, Polytope, Row, form, mean, members
from deterrence.solvers.budget import Budget
from deterrence.solvers.signaling.cells import Message, Option, Responses, Tables, bounds

Edges: TypeAlias = tuple[int, ...]  # for each type, the bit set of messages
Pairs: TypeAlias = frozenset[tuple[int, int]]  # of a receiver type and a message


@dataclass(frozen=True, eq=False)
class Component:
    """One maximal product of polytopes.

    Attributes
    ----------
    sends : tuple of int
        For each type, the bit set of messages that it sends in the relative interior.
    responds : tuple of tuple of int
        For each message and receiver type, the bit set of responses in the relative interior.
    on_path : frozenset of (q, m)
        The receiver types and messages at which Bayes' rule fixes the belief.
    senders : list of point
        Vertices of the sender's strategies; coordinate ``t * M + m``.
    receivers : tuple of list of point
        Vertices of each factor of the receivers' strategies; coordinate ``(q * M + m) * R + r``, zero at
        messages that belong to another factor.
    beliefs : mapping of (q, m) to list of point
        Vertices of the beliefs at pairs that are not on the path.
    """

    sends: Edges
    responds: tuple[Responses, ...]
    on_path: Pairs
    senders: list[Point]
    receivers: tuple[list[Point], ...]
    beliefs: dict[tuple[int, int], list[Point]]

    @property
    def order(self) -> Any:
        """Sort key: least mixing first, then by the messages of each type and the responses to each message."""
        chosen = [members(mask) for mask in self.sends]
        return sum(map(len, chosen)), chosen, [[members(mask) for mask in masks] for masks in self.responds]


def components(
    tables: Tables,
    messages: Sequence[Message],
    candidates: Iterable[tuple[Option | None, ...]],
    limit: int,
    budget: Budget,
) -> list[Component]:
    """Return the maximal components that some candidates lead to, sorted; those found when the budget is spent.

    Raises
    ------
    GameError
        If there may be more than ``limit``, before any is built: what receivers may do after unsent messages
        multiplies.
    """
    assembly = _Assembly(tables, messages)
    parts = []
    for candidate in candidates:
        if not budget.spend():
            break
        part = assembly.on_path(candidate)
        if part is not None:
            parts.append(part)
    total = sum([prod(map(len, part.factors)) for part in parts])
    if total > limit and not budget.ended:
        raise GameError(
            f"the responses and beliefs after unsent messages combine to {total} components, more than {limit}; "
            "raise the limit, or make the game smaller"
        )
    for part in parts:
        assembly.complete(part, budget)
    return sorted(assembly.found.values(), key=lambda c: c.order)


@dataclass(frozen=True, eq=False)
class _Part:
    """An equilibrium on the path, and what may follow the messages that nobody sends.

    Attributes
    ----------
    sends : tuple of int
        S, for each type the bit set of messages.
    best : tuple of responses or None
        All optimal responses to each message that is sent.
    on_path : frozenset of (q, m)
        D.
    senders : list of point
        Vertices of Sigma(S, F).
    rho : Polytope
        P(S, F) at the messages that are sent.
    unsent : list of int
        The other messages.
    factors : list of list
        The choices at each of them: polytopes of responses if ``fixed``, or else sets of optimal responses.
    fixed : bool
        Whether every type's payoff is the same throughout ``rho``; unsent messages are then independent of each other.
    """

    sends: Edges
    best: tuple[Responses | None, ...]
    on_path: Pairs
    senders: list[Point]
    rho: Polytope
    unsent: list[int]
    factors: list[list[Any]]
    fixed: bool


@dataclass(eq=False)
class _Assembly:
    tables: Tables
    messages: Sequence[Message]
    found: dict[tuple[Edges, tuple[Responses, ...]], Component] = field(default_factory=dict)
    seen: set[tuple[Edges, tuple[Responses | None, ...]]] = field(default_factory=set)
    ranges: dict[tuple[int, Responses | None], list[tuple[int, int]]] = field(default_factory=dict)
    strategies: dict[Any, list[Point]] = field(default_factory=dict)

    def on_path(self, candidate: tuple[Option | None, ...]) -> _Part | None:
        """Work out what a candidate means on the path; None if it has no equilibrium, or none that is new."""
        T, Q, M, _ = self.tables.shape
        sends = tuple([sum([1 << m for m, o in enumerate(candidate) if o and o[0] >> t & 1]) for t in range(T)])
        best: list[Responses | None] = [o[1] if o else None for o in candidate]
        seen = self.tables.seen
        on_path = frozenset([(q, m) for m, o in enumerate(candidate) if o for q in range(Q) if o[0] & seen[q]])
        if (self._indifferent(sends, best, on_path), tuple(best)) in self.seen:
            return None
        sigma = self._senders(sends, best, on_path)
        if not sigma.vertices:
            return None
        inner = mean(sigma.points)
        sends = tuple([sum([1 << m for m in range(M) if inner[t * M + m]]) for t in range(T)])
        if not all(self._sent(inner, q, m) for q, m in on_path):
            return None  # the cells leave some message unsent: another candidate has these strategies
        best = [b and self._best(sigma.points, b, on_path, m) for m, b in enumerate(best)]
        key = self._indifferent(sends, best, on_path), tuple(best)
        if key in self.seen:
            return None
        self.seen.add(key)
        rho = self._receivers(sends, best)
        if not rho.vertices:
            return None
        unsent = [m for m in range(M) if best[m] is None]
        values = self._values(sends, rho)
        fixed = all(value * rho.points[0][-1] == row[0] * p[-1] for row in values for value, p in zip(row, rho.points))
        if fixed:
            level = [row[0] for row in values]
            factors: list[list[Any]] = [self._deterrents(m, level, rho.points[0][-1]) for m in unsent]
        else:
            factors = [self.messages[m].unsent for m in unsent]
        return _Part(sends, tuple(best), on_path, sigma.points, rho, unsent, factors, fixed)

    def complete(self, part: _Part, budget: Budget) -> None:
        """Add what receivers may do after the messages that nobody sends."""
        for chosen in product(*part.factors):
            if self.found and not budget.spend():
                return
            if part.fixed or not part.unsent:
                self._record(part, (part.rho, *chosen))
                continue
            joint = list(part.best)
            for m, responses in zip(part.unsent, chosen):
                joint[m] = responses
            together = self._receivers(part.sends, joint)
            if together.vertices:
                self._record(part, (together,))

    def _values(self, sends: Edges, rho: Polytope) -> list[list[int]]:
        """Each type's payoff at each vertex of the receivers' strategies, times the vertex's denominator."""
        payoffs = [self._payoff(t, (mask & -mask).bit_length() - 1) for t, mask in enumerate(sends)]
        return [[form(payoff, point) for point in rho.points] for payoff in payoffs]

    def _indifferent(self, sends: Edges, best: Sequence[Responses | None], on_path: Pairs) -> Edges:
        """S with all messages that pay a type what it gets anyway, whatever receivers do in F; P(S, F) is the same."""
        wider = []
        for t, mask in enumerate(sends):
            home = (mask & -mask).bit_length() - 1
            low, high = self._range(t, home, best[home])
            if high == low:
                for m in self._open_to(t, on_path):
                    if not mask >> m & 1 and best[m] is not None:
                        least, most = self._range(t, m, best[m])
                        if low == least == most:
                            mask |= 1 << m
            wider.append(mask)
        return tuple(wider)

    def _range(self, t: int, m: int, responses: Responses | None) -> tuple[int, int]:
        """Type t's lowest and highest payoff from a message."""
        if (m, responses) not in self.ranges:
            assert responses is not None
            self.ranges[m, responses] = list(zip(*bounds(self.tables, m, responses)))
        return self.ranges[m, responses][t]

    def _open_to(self, t: int, on_path: Pairs) -> list[int]:
        """Messages that type t can send without putting anything new on the path."""
        _, Q, M, _ = self.tables.shape
        expected = [q for q in range(Q) if self.tables.seen[q] >> t & 1]
        return [m for m in range(M) if all((q, m) in on_path for q in expected)]

    # -- the three polytopes ---------------------------------------------------------------------------------------

    def _senders(self, sends: Edges, best: Sequence[Responses | None], on_path: Pairs) -> Polytope:
        """Sigma(S, F)."""
        T, _, M, R = self.tables.shape
        b, v = self.tables.b, self.tables.v
        blocks = [[t * M + m for m in members(mask)] for t, mask in enumerate(sends)]
        sigma = Polytope(blocks, T * M)
        weak = []
        for q, m in sorted(on_path):
            weights = [(t, b[t][q]) for t in range(T) if sends[t] >> m & 1 and b[t][q] > 0]
            chosen = best[m]
            assert chosen is not None
            first = (chosen[q] & -chosen[q]).bit_length() - 1
            for r in range(R):
                if r == first:
                    continue
                row = [(t * M + m, w * (v[t][q][m][first] - v[t][q][m][r])) for t, w in weights]
                if chosen[q] >> r & 1:
                    if not sigma.cut(row, equality=True):
                        return sigma
                else:
                    weak.append(row)
        for row in weak:
            if not sigma.cut(row):
                break
        return sigma

    def _receivers(self, sends: Edges, best: Sequence[Responses | None]) -> Polytope:
        """P(S, F) at the messages whose responses ``best`` names."""
        T, Q, M, R = self.tables.shape
        named = [m for m in range(M) if best[m] is not None]
        blocks = [[(q * M + m) * R + r for r in members(mask)] for m in named for q, mask in enumerate(best[m] or ())]
        rho = Polytope(blocks, Q * M * R)
        rows = {(t, m): self._payoff(t, m) for t in range(T) for m in named}
        comparisons = []
        for t, mask in enumerate(sends):
            home = (mask & -mask).bit_length() - 1
            for m in named:
                if m != home:
                    row = rows[t, home] + [(i, -c) for i, c in rows[t, m]]
                    comparisons.append((not mask >> m & 1, row))
        comparisons.sort(key=lambda c: c[0])
        for weak, row in comparisons:
            if not rho.cut(row, equality=not weak):
                break
        return rho

    def _payoff(self, t: int, m: int) -> list[tuple[int, int]]:
        """Type t's payoff from message m, as a linear form of the receivers' strategies."""
        _, Q, M, R = self.tables.shape
        u = self.tables.u[t]
        return [((q * M + m) * R + r, u[q][m][r]) for q in range(Q) for r in range(R)]

    # -- best responses ----------------------------------------------------------------------------------------------

    def _sent(self, sigma: Point, q: int, m: int) -> bool:
        T, _, M, _ = self.tables.shape
        return any(sigma[t * M + m] and self.tables.b[t][q] > 0 for t in range(T))

    def _best(self, senders: Sequence[Point], best: Responses, on_path: Pairs, m: int) -> Responses:
        """All responses to m that are optimal throughout; ``best`` is kept where the belief is free."""
        T, Q, M, R = self.tables.shape
        b, v = self.tables.b, self.tables.v
        masks = []
        for q in range(Q):
            common = (1 << R) - 1 if (q, m) in on_path else 0
            for sigma in senders:
                weights = [(t, b[t][q] * sigma[t * M + m]) for t in range(T) if sigma[t * M + m]]
                values = [sum([w * v[t][q][m][r] for t, w in weights]) for r in range(R)]
                most = max(values)
                common &= sum([1 << r for r in range(R) if values[r] == most])
            masks.append(best[q] | common)
        return tuple(masks)

    # -- messages that are not sent ------------------------------------------------------------------------------------

    def _deterrents(self, m: int, values: Sequence[int], denominator: int) -> list[Polytope]:
        """Responses to an unsent message that some belief supports and that leave no type more than its payoff."""
        T, Q, M, R = self.tables.shape
        size = Q * M * R
        found: dict[int, Polytope] = {}
        for sets in self.messages[m].unsent:
            blocks = [[(q * M + m) * R + r for r in members(mask)] for q, mask in enumerate(sets)]
            rho = Polytope(blocks, size)
            for t in range(T):
                u = self.tables.u[t]
                row = [(i, -denominator * u[i // (M * R)][m][i % R]) for block in blocks for i in block]
                if not rho.cut([*row, (size, values[t])]):
                    break
            else:
                found.setdefault(rho.support, rho)
        return list(found.values())

    # -- the maximal component ---------------------------------------------------------------------------------

    def _record(self, part: _Part, factors: tuple[Polytope, ...]) -> None:
        """Add the one maximal component with these receivers' strategies, if it is new."""
        T, Q, M, R = self.tables.shape
        on_path = part.on_path
        support = 0
        for factor in factors:
            support |= factor.support
        full = (1 << R) - 1
        responds = tuple([tuple([support >> (q * M + m) * R & full for q in range(Q)]) for m in range(M)])
        points = self._widest(part, self._optimal(part.sends, on_path, factors), responds)
        sends = tuple([sum([1 << m for m in range(M) if any(p[t * M + m] for p in points)]) for t in range(T)])
        if (sends, responds) in self.found:
            return
        beliefs = {}
        for m in range(M):
            for q in range(Q):
                if (q, m) not in on_path:
                    mask = responds[m][q]
                    corners = self.messages[m].free[q]
                    beliefs[q, m] = [x for x, _, optimal in corners if optimal[0] & mask == mask]
        receivers = tuple([factor.points for factor in factors])
        self.found[sends, responds] = Component(sends, responds, on_path, points, receivers, beliefs)

    def _widest(self, part: _Part, wider: Edges, responds: Sequence[Responses]) -> list[Point]:
        """Vertices of Sigma(S^ restricted to D, F), which holds those of the part."""
        key = wider, part.on_path, tuple([responds[m] for _, m in sorted(part.on_path)])
        if key not in self.strategies:
            self.strategies[key] = self._senders(wider, responds, part.on_path).points
        return self.strategies[key]

    def _optimal(self, sends: Edges, on_path: Pairs, factors: tuple[Polytope, ...]) -> Edges:
        """S^ restricted to D: messages that are optimal throughout and would put nothing new on the path."""
        wider = []
        for t, mask in enumerate(sends):
            home = self._payoff(t, (mask & -mask).bit_length() - 1)
            for m in self._open_to(t, on_path):
                if not mask >> m & 1:
                    row = home + [(i, -c) for i, c in self._payoff(t, m)]
                    if sum([max([_value(row, p) for p in factor.points]) for factor in factors]) <= 0:
                        mask |= 1 << m
            wider.append(mask)
        return tuple(wider)


def _value(row: Row, point: Point) -> Fraction | int:
    value = form(row, point)
    return Fraction(value, point[-1]) if value else 0

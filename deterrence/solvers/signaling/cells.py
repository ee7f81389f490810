"""What can happen at one message of a signaling game: who sends it, and which responses its receivers' beliefs allow.

Fix a message m. A direction ``x`` in the simplex over sender types says in which proportions the types send
m; a receiver type q that expects m at all then believes ``mu_q(t)`` proportional to ``P(t|q) x(t)``. The
simplex falls into finitely many relatively open *cells* (T_m, F): all x whose support is exactly T_m and at
which the best responses of every receiver type q are exactly F_q. Conditions for optimality are linear in x,
so the cells are the relative interiors of the faces of a polyhedral subdivision, and a face is the convex
hull of the vertices of the subdivision in it. Cells are therefore read off those vertices: at a relative
interior point the support is the union of the vertices' supports, and the best responses are the intersection
of the vertices' best responses.

A receiver type that the senders' types rule out has a free belief: its cells are those of the simplex of
beliefs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.polytopes import Point, Polytope, form, intersections, members, support
from deterrence.solvers.predicates import merge, whole_numbers

Floats: TypeAlias = NDArray[np.float64]
Responses: TypeAlias = tuple[int, ...]  # a bit set of responses for each receiver type
Option: TypeAlias = tuple[int, Responses]  # bit set of the types that send a message, and the responses to it
Corner: TypeAlias = tuple[Point, int, Responses]  # vertex of a subdivision, its support, best responses there


@dataclass(frozen=True, eq=False)
class Tables:
    """The numbers of a game in whole numbers, every comparison in it unchanged.

    What matters is scaled and shifted freely: the sender's payoffs by type, the receiver's by receiver type and message
    (and shifted by sender type, too), the receiver's views by receiver type.

    Attributes
    ----------
    game : SignalingGame
        In rational numbers, payoffs merged.
    shape : (T, Q, M, R)
    u : list, [t][q][m][r]
        Sender's payoff times the sender's probability of receiver type q.
    v : list, [t][q][m][r]
        Receiver's payoff.
    b : list, [t][q]
        Receiver's view P(t|q).
    """

    game: SignalingGame
    shape: tuple[int, int, int, int]
    u: list[list[list[list[int]]]]
    v: list[list[list[list[int]]]]
    b: list[list[int]]

    @classmethod
    def of(cls, game: SignalingGame, tol: float = 0.0) -> Tables:
        """Return the tables of a game with numbers; floats count as the decimals that they print as.

        Payoffs of one player within ``tol`` of each other, as a share of their own size, become one number.
        """
        T, Q, M, R = game.shape
        exact = game.exact()
        if tol:
            exact = exact.with_payoffs(
                *(merge(payoffs, tol) for payoffs in (exact.sender_payoffs, exact.receiver_payoffs))
            )
        U, V = exact.U, exact.V
        u = []
        for t in range(T):
            weights = whole_numbers(exact.sender_view[t].tolist())
            flat = U[t].ravel()
            payoffs = iter(whole_numbers((flat - flat.min()).tolist()))
            u.append([[[weights[q] * next(payoffs) for _ in range(R)] for _ in range(M)] for q in range(Q)])
        v: list[list[list[list[int]]]] = [[[[] for _ in range(M)] for _ in range(Q)] for _ in range(T)]
        for q in range(Q):
            for m in range(M):
                table = V[:, q, m, :]
                payoffs = iter(whole_numbers((table - table.min(axis=1, keepdims=True)).ravel().tolist()))
                for t in range(T):
                    v[t][q][m] = [next(payoffs) for _ in range(R)]
        columns = [whole_numbers(exact.receiver_view[:, q].tolist()) for q in range(Q)]
        return cls(exact, game.shape, u, v, [[columns[q][t] for q in range(Q)] for t in range(T)])

    @cached_property
    def seen(self) -> list[int]:
        """For each receiver type, the bit set of sender types that it holds possible."""
        t, q = self.shape[:2]
        return [sum(1 << i for i in range(t) if self.b[i][j] > 0) for j in range(q)]

    @cached_property
    def floats(self) -> tuple[Floats, Floats, Floats]:
        """The same in floats: payoffs in units of the span of what they are compared with, views that sum to one."""
        T, Q, M, R = self.shape
        u, v, b = np.empty((T, Q, M, R)), np.empty((T, Q, M, R)), np.empty((T, Q))
        for t in range(T):
            most = max([max(row) for table in self.u[t] for row in table]) or 1
            u[t] = [[[x / most for x in row] for row in table] for table in self.u[t]]
        for q in range(Q):
            total = sum([self.b[t][q] for t in range(T)])
            b[:, q] = [self.b[t][q] / total for t in range(T)]
            for m in range(M):
                most = max([max(self.v[t][q][m]) for t in range(T)]) or 1
                v[:, q, m] = [[x / most for x in self.v[t][q][m]] for t in range(T)]
        return u, v, b


@dataclass(frozen=True, eq=False)
class Message:
    """All that can happen at one message.

    Attributes
    ----------
    options : list of (types, responses)
        Every cell with at least one type that sends the message.
    free : list over q of list of corner
        Vertices of the subdivision of the simplex of beliefs of receiver type q.
    unsent : list of responses
        Sets of best responses, a bit set for each receiver type, that some beliefs have if nobody sends the
        message.
    """

    options: list[Option]
    free: list[list[Corner]]
    unsent: list[Responses]


def all_messages(tables: Tables, limit: int) -> list[Message]:
    """Return the cells of every message.

    Raises
    ------
    GameError
        If there are more than ``limit`` sets of types to look at.
    """
    T, Q, M, R = tables.shape
    if limit < M << T:
        raise GameError(
            f"a game of {T} types x {Q} receiver types x {M} messages x {R} responses has {M} x 2**{T} sets of "
            f"types that may send a message, more than limit={limit}; make the game smaller"
        )
    return [local_options(tables, m) for m in range(M)]


def local_options(tables: Tables, m: int) -> Message:
    """Return the cells of a message."""
    T, Q, _, R = tables.shape
    v = tables.v
    free = []
    for q in range(Q):
        columns = [[v[t][q][m][r] for t in range(T)] for r in range(R)]
        free.append(_corners([columns], T))
    free_sets = [intersections(responses[0] for _, _, responses in corners) for corners in free]
    options = list(_single_receiver(tables, free[0], free_sets[0]) if Q == 1 else _many_receivers(tables, m, free_sets))
    return Message(options, free, list(product(*free_sets)))


def _single_receiver(tables: Tables, corners: list[Corner], free_sets: list[int]) -> Iterator[Option]:
    """Cells for one receiver type: those of its beliefs, over the types that it holds possible."""
    known: dict[int, list[int]] = {0: free_sets}
    for types in range(1, 1 << tables.shape[0]):
        possible = types & tables.seen[0]
        if possible not in known:
            known[possible] = [responses[0] for responses in _cells(corners, possible)]
        for responses in known[possible]:
            yield types, (responses,)


def _many_receivers(tables: Tables, m: int, free_sets: list[list[int]]) -> Iterator[Option]:
    """Cells for several receiver types, who see one and the same sender's strategy with different priors."""
    T, Q, _, R = tables.shape
    v, b = tables.v, tables.b
    columns = [[[b[t][q] * v[t][q][m][r] for t in range(T)] for r in range(R)] for q in range(Q)]
    corners = _corners(columns, T)
    for types in range(1, 1 << T):
        on_path = [types & seen != 0 for seen in tables.seen]
        for responses in _cells(corners, types):
            choices = [[responses[q]] if on_path[q] else free_sets[q] for q in range(Q)]
            for chosen in product(*choices):
                yield types, chosen


def _cells(corners: list[Corner], types: int) -> list[Responses]:
    """Best responses of the cells whose support is exactly ``types``."""
    inside = [(on, responses) for _, on, responses in corners if on & ~types == 0]
    if len(inside) == 1:
        return [inside[0][1]] if inside[0][0] == types else []
    cells = []
    for common in _meets({responses for _, responses in inside}):
        union = 0
        for on, responses in inside:
            if all(f & c == c for f, c in zip(responses, common)):
                union |= on
        if union == types:
            cells.append(common)
    return cells


def _meets(family: set[Responses]) -> list[Responses]:
    """All componentwise intersections of some response sets in which no component is empty, sorted."""
    found = set(family)
    fresh = list(found)
    while fresh:
        a = fresh.pop()
        for other in list(found):
            c = tuple([x & y for x, y in zip(a, other)])
            if all(c) and c not in found:
                found.add(c)
                fresh.append(c)
    return sorted(found)


def _corners(columns: list[list[list[int]]], size: int) -> list[Corner]:
    """Vertices of the common subdivision of the simplex by the best responses of several receiver types.

    Parameters
    ----------
    columns : list, [q][r][t]
        Payoff of response r as a linear form over the simplex.
    size : int
        Number of sender types.
    """
    pieces = [Polytope([list(range(size))], size)]
    for payoffs in columns:
        pieces = [part for piece in pieces for part in _regions(piece, payoffs)]
    found: dict[tuple[int, Responses], Corner] = {}
    for piece in pieces:
        for point in piece.points:
            types = support(point)
            best = tuple([_best(payoffs, point) for payoffs in columns])
            found.setdefault((types, best), (point, types, best))
    return [found[key] for key in sorted(found)]


def _regions(piece: Polytope, payoffs: list[list[int]]) -> Iterator[Polytope]:
    """Yield the parts of a polytope in which each response is optimal."""
    for r, mine in enumerate(payoffs):
        part = piece.copy()
        if all(
            part.cut([(i, x - y) for i, (x, y) in enumerate(zip(mine, other, strict=True)) if x != y])
            for k, other in enumerate(payoffs)
            if k != r
        ):
            yield part


def _best(payoffs: list[list[int]], point: Point) -> int:
    """Bit set of the optimal responses at a point."""
    values = [form(list(enumerate(column)), point) for column in payoffs]
    most = max(values)
    return sum([1 << r for r, value in enumerate(values) if value == most])


def bounds(tables: Tables, m: int, responses: Responses) -> tuple[list[int], list[int]]:
    """Return each type's lowest and highest payoff from a message if responses are confined to given sets."""
    low, high = [], []
    for rows in tables.u:
        least = most = 0
        for row, mask in zip(rows, responses, strict=True):
            values = row[m] if mask == (1 << len(row[m])) - 1 else [row[m][r] for r in members(mask)]
            least += min(values)
            most += max(values)
        low.append(least)
        high.append(most)
    return low, high

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
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

from deterrence.games.errors import GameError
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.algebra.polytopes import Point, Polytope, form, intersections, members

Responses: TypeAlias = tuple[int, ...]  # a bit set of responses for each receiver type
Option: TypeAlias = tuple[int, Responses]  # bit set of the types that send a message, and the responses to it
Corner: TypeAlias = tuple[Point, int, Responses]  # vertex of a subdivision, its support, best responses there


@dataclass(frozen=True, eq=False)
class Tables:
    """The numbers of a game as nested lists, in units where both payoff spans are 1.

    Attributes
    ----------
    shape : (T, Q, M, R)
    u : list, [t][q][m][r]
        Sender's payoff times the sender's probability of receiver type q.
    v : list, [t][q][m][r]
        Receiver's payoff.
    b : list, [t][q]
        Receiver's view P(t|q).
    tol : number
        Payoff differences up to this are ties; 0 in exact arithmetic.
    """

    shape: tuple[int, int, int, int]
    u: list[Any]
    v: list[Any]
    b: list[Any]
    zero: Any
    one: Any
    tol: Any

    @classmethod
    def of(cls, game: SignalingGame, tol: float) -> Tables:
        """Return the tables of a game with numbers."""
        U, V = game.U, game.V
        if game.kind == "exact":
            weighted = game.sender_view[:, :, None, None] * U / _span(U)
            b = [[Fraction(x) for x in row] for row in game.receiver_view.tolist()]
            return cls(game.shape, weighted.tolist(), (V / _span(V)).tolist(), b, Fraction(0), Fraction(1), 0)
        weighted = U / _span(U)
        if game.shape[1] > 1:
            weighted = game.sender_view[:, :, None, None] * weighted
        b = game.receiver_view.tolist()
        return cls(game.shape, weighted.tolist(), (V / _span(V)).tolist(), b, 0.0, 1.0, tol)

    @cached_property
    def seen(self) -> list[int]:
        """For each receiver type, the bit set of sender types that it holds possible."""
        t, q = self.shape[:2]
        return [sum(1 << i for i in range(t) if self.b[i][j] > 0) for j in range(q)]


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
        free.append(_corners([columns], None, tables))
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
    corners = _corners(columns, [[b[t][q] for t in range(T)] for q in range(Q)], tables)
    for types in range(1, 1 << T):
        on_path = [types & seen != 0 for seen in tables.seen]
        for responses in _cells(corners, types):
            choices = [[responses[q]] if on_path[q] else free_sets[q] for q in range(Q)]
            for chosen in product(*choices):
                yield types, chosen


def _cells(corners: list[Corner], types: int) -> list[Responses]:
    """Best responses of the cells whose support is exactly ``types``."""
    inside = [(support, responses) for _, support, responses in corners if support & ~types == 0]
    if len(inside) == 1:
        return [inside[0][1]] if inside[0][0] == types else []
    cells = []
    for common in _meets({responses for _, responses in inside}):
        union = 0
        for support, responses in inside:
            if all(f & c == c for f, c in zip(responses, common)):
                union |= support
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


def _corners(columns: list[list[list[Any]]], masses: list[list[Any]] | None, tables: Tables) -> list[Corner]:
    """Vertices of the common subdivision of the simplex by the best responses of several receiver types.

    Parameters
    ----------
    columns : list, [q][r][t]
        Payoff of response r as a linear form over the simplex.
    masses : list, [q][t], optional
        How probable q holds each direction; best responses are judged after division by it.
    """
    size = tables.shape[0]
    rows = [None if masses is None else list(enumerate(mass)) for mass in (masses or columns)]
    pieces = [Polytope([list(range(size))], size, tables.zero, tables.one, tables.tol)]
    for payoffs, mass in zip(columns, rows):
        pieces = [part for piece in pieces for part in _regions(piece, payoffs, mass)]
    found: dict[tuple[int, Responses], Corner] = {}
    for piece in pieces:
        for point in piece.points:
            support = sum([1 << i for i, x in enumerate(point) if x])
            best = tuple([_best(payoffs, mass, point, tables.tol) for payoffs, mass in zip(columns, rows)])
            found.setdefault((support, best), (point, support, best))
    return [found[key] for key in sorted(found)]


def _regions(piece: Polytope, payoffs: list[list[Any]], mass: Any) -> Iterator[Polytope]:
    """Yield the parts of a polytope in which each response is optimal."""
    for r, mine in enumerate(payoffs):
        part = piece.copy()
        if all(
            part.cut([(i, x - y) for i, (x, y) in enumerate(zip(mine, other)) if x != y], mass=mass)
            for k, other in enumerate(payoffs)
            if k != r
        ):
            yield part


def _best(payoffs: list[list[Any]], mass: Any, point: Point, tol: Any) -> int:
    """Bit set of the optimal responses at a point."""
    values = [sum([c * x for c, x in zip(column, point) if x]) for column in payoffs]
    allowed = max(values) - (tol if mass is None else tol * form(mass, point))
    return sum([1 << r for r, value in enumerate(values) if value >= allowed])


def bounds(tables: Tables, m: int, responses: Responses) -> tuple[list[Any], list[Any]]:
    """Return each type's lowest and highest payoff from a message if responses are confined to given sets."""
    low, high = [], []
    for rows in tables.u:
        least: Any = 0
        most: Any = 0
        for row, mask in zip(rows, responses):
            values = row[m] if mask == (1 << len(row[m])) - 1 else [row[m][r] for r in members(mask)]
            least += min(values)
            most += max(values)
        low.append(least)
        high.append(most)
    return low, high


def _span(payoffs: Array) -> Any:
    """Return the difference of the highest and the lowest payoff, or 1 if there is none."""
    return payoffs.max() - payoffs.min() or 1

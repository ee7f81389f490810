r"""Two types, two messages, two responses, with ties: every equilibrium of many games at once, exactly.

A cell of profiles is a pair (S, F): the messages that each type sends with positive probability, and the responses that
each message meets. Whether a cell holds an equilibrium is a matter of eighteen signs. With :math:`d^t_{rs} = u(t, m_0,
r) - u(t, m_1, s)`, with :math:`a_m, b_m` the receiver's gains from the second response to m if the sender is
:math:`t_0, t_1`, and :math:`g_m = \pi_0 a_m + \pi_1 b_m`, they are the signs of the eight d, of the six a, b and g, and
of the determinants of the two types' d along each edge of the square of replies.

- *Sender's strategies* :math:`(x_0, x_1)`, the probabilities of :math:`m_0`, live in a square. The receiver is
  indifferent after :math:`m_0` on a line through (0, 0) and after :math:`m_1` on one through (1, 1), if a and b differ
  in sign; each line lies above the diagonal, on it or below, as g says.
- *Replies* live in a square whose corners carry the d. A type is indifferent on a line; on an edge the two types'
  points of indifference are ordered by the determinant; the lines cross inside if the determinants of both pairs of
  opposite edges differ in sign. A set cut out by the two lines meets the inside of the square if they cross there,
  or if it does not lie on one edge.
- A component of equilibria is the closure of a cell that lies in no larger one with the same messages on the path. (S,
  F) lies in (S', F') if each type that S' lets mix is indifferent throughout the cell, and each response that F' adds
  is optimal throughout it.
- The vertices of all components are pairs of a vertex of either square: a corner, a point where a line meets an edge,
  or the crossing. An event's probability is linear in each strategy, so its range is attained at these pairs.

Each plane below is a bit for each game, so that the logic runs on eight games a byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from deterrence.games.batch import Survey
from deterrence.games.quantities import Array, exact_distribution
from deterrence.solvers.predicates import sign
from deterrence.solvers.signaling.two_type_kernel import Tile

BOTH = 2  # a type that mixes, a message that meets a mixture; 0 and 1 name the first and the second
Support: TypeAlias = tuple[int, int]  # a choice for each type, or for each message
Share: TypeAlias = float | Array

PAIRS: tuple[Support, ...] = tuple((a, b) for a in range(3) for b in range(3))
CORNERS: tuple[Support, ...] = tuple((a, b) for a in range(2) for b in range(2))
DIGITS = 6  # decimal places up to which numbers are made whole at once
WHOLE = 2.0**25  # up to here products of differences are whole numbers without error
BLUR = 1e-6  # a difference smaller than this share of the numbers compared may have lost digits that a range needs
PRIOR = 1e-13  # share of a sum of gains that the reading of a prior may move


@dataclass(frozen=True, eq=False)
class Sign:
    """Planes that say where a number is positive, and where negative."""

    pos: Array
    neg: Array

    @classmethod
    def of(cls, signs: Array) -> Sign:
        """Pack signs -1, 0, 1 of games."""
        return cls(np.packbits(signs > 0), np.packbits(signs < 0))

    @property
    def zero(self) -> Array:
        """Where the number is 0."""
        return ~(self.pos | self.neg)

    @property
    def flipped(self) -> Sign:
        """The sign of the negative."""
        return Sign(self.neg, self.pos)

    def allows(self, choice: int) -> Array:
        """Return where the second (1), the first (0), or both of two things are best if this is the second's gain."""
        return (~self.pos, ~self.neg, self.zero)[choice]

    def times(self, other: Sign) -> Sign:
        """Return the sign of the product."""
        return Sign((self.pos & other.pos) | (self.neg & other.neg), (self.pos & other.neg) | (self.neg & other.pos))


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers of n games, scaled: payoffs (2, 2, 2, n), [t, m, r], and the receiver's prior (2, n)."""

    U: Array
    V: Array
    view: Array
    whole_u: Array  # whether all of U (of V and the prior) are whole numbers, small enough for exact products
    whole_v: Array
    precise: Array  # whether floats hold every difference well enough for ranges of probabilities

    @classmethod
    def of(cls, tile: Tile) -> Numbers:
        """Read a tile; decimals of few digits become whole numbers, a power of ten for each player and game."""
        U, whole_u = _whole(tile.U[:, 0])
        V, whole_v = _whole(tile.V[:, 0])
        view, whole_prior = _simple_prior(tile.receiver_view[:, 0])
        precise = whole_u & whole_v
        if not precise.all():
            g = np.flatnonzero(~precise)
            u, v = U[..., g], V[..., g]
            d, gains = u[:, 0, :, None] - u[:, 1, None, :], v[:, :, 1] - v[:, :, 0]
            turns = [d[1, 0] * d[0, 1] - d[1, 1] * d[0, 0], d[1, :, 0] * d[0, :, 1] - d[1, :, 1] * d[0, :, 0]]
            sharp_u = whole_u[g] | (_sharp(d, u, 1) & _sharp(np.concatenate(turns), u, 2))
            precise[g] = sharp_u & (whole_v[g] | _sharp(gains, v, 1))
        return cls(U, V, view, whole_u, whole_v & whole_prior, precise)

    def chosen(self, games: Array) -> Numbers:
        """Return some of the games."""
        parts = (self.U, self.V, self.view, self.whole_u, self.whole_v, self.precise)
        return Numbers(*(part[..., games] for part in parts))


def _whole(payoffs: Array) -> tuple[Array, Array]:
    """Return payoffs times a power of ten that makes them whole, and where there is one."""
    n = payoffs.shape[-1]
    scaled, done = payoffs.copy(), np.zeros(n, dtype=bool)
    left = np.arange(n)
    for k in range(DIGITS + 1):
        part = payoffs[..., left]
        whole = np.rint(part * 10.0**k)
        fits = ((whole / 10.0**k == part) & (np.abs(whole) < WHOLE)).reshape(-1, left.size).all(axis=0)
        scaled[..., left[fits]] = whole[..., fits]
        done[left[fits]] = True
        left = left[~fits]
        if not left.size:
            break
    return scaled, done


def _sharp(differences: Array, payoffs: Array, degree: int) -> Array:
    """Return where differences, or products of so many of them, are no remnants of much larger numbers."""
    n = payoffs.shape[-1]
    size = np.abs(differences).reshape(-1, n)
    least = np.where(size > 0, size, np.inf).min(axis=0)
    return np.asarray(least > BLUR * np.abs(payoffs).reshape(-1, n).max(axis=0) ** degree)


def _simple_prior(view: Array) -> tuple[Array, Array]:
    """Return priors that are short decimals as whole numbers, 0.8 and 1 - 0.8 as 8 and 2, and which these are."""
    scaled, left = view.copy(), np.arange(view.shape[-1])
    done = np.zeros(left.size, dtype=bool)
    for k in range(1, DIGITS + 1):
        first, second = view[0, left], view[1, left]
        whole = np.rint(first * 10.0**k)
        rest = 10.0**k - whole
        fits = (np.abs(whole / 10.0**k - first) < 1e-14) & (np.abs(rest / 10.0**k - second) < 1e-14)
        scaled[0, left[fits]], scaled[1, left[fits]] = whole[fits], rest[fits]
        done[left[fits]] = True
        left = left[~fits]
        if not left.size:
            break
    return scaled, done


@dataclass(frozen=True, eq=False)
class Signs:
    """The signs that decide everything.

    Attributes
    ----------
    d : list, [t][r][s]
        Of u(t, m_0, r) - u(t, m_1, s).
    edge : dict, (m, r)
        Of the determinant of the types' d on the edge of replies where message 1 - m meets r and m meets a mixture:
        d[1] at its start times d[0] at its end, less d[1] at its end times d[0] at its start.
    alone : list, [t][m]
        Of the receiver's gain from the second response if t alone sends m.
    pooled : list, [m]
        ... if both do.
    """

    d: list[list[list[Sign]]]
    edge: dict[Support, Sign]
    alone: list[list[Sign]]
    pooled: list[Sign]

    @classmethod
    def of(cls, numbers: Numbers) -> Signs:
        """Decide them, in exact arithmetic where floats do not."""
        U, V, view = numbers.U, numbers.V, numbers.view
        d = U[:, 0, :, None] - U[:, 1, None, :]
        ends = {(0, s): (d[:, 0, s], d[:, 1, s]) for s in (0, 1)} | {(1, r): (d[:, r, 0], d[:, r, 1]) for r in (0, 1)}
        gain = V[:, :, 1] - V[:, :, 0]
        return cls(
            d=[[[Sign.of(d[t, r, s]) for s in (0, 1)] for r in (0, 1)] for t in (0, 1)],
            edge={key: Sign.of(_determinant(numbers, key, *pair)) for key, pair in ends.items()},
            alone=[[Sign.of(gain[t, m]) for m in (0, 1)] for t in (0, 1)],
            pooled=[Sign.of(_pooled(V[:, m], gain[:, m], view, numbers.whole_v)) for m in (0, 1)],
        )


def _determinant(numbers: Numbers, edge: Support, start: Array, stop: Array) -> Array:
    """Return the signs of the determinants on an edge."""
    value = start[1] * stop[0] - stop[1] * start[0]
    signs: Array = np.sign(value)
    g = np.flatnonzero(~numbers.whole_u)
    if g.size:
        size = np.abs(numbers.U[..., g]).reshape(8, -1).max(axis=0)
        g = g[~(np.abs(value[g]) > 2.0**-46 * size * size + 1e-290)]
    if g.size:
        m, r = edge
        U = numbers.U[..., g]
        rows = [U[t, m, k] for t in (0, 1) for k in (0, 1)] + [U[t, 1 - m, r] for t in (0, 1)]
        signs[g] = sign(_edge_polynomial, *rows)
    return signs


def _edge_polynomial(u00: Any, u01: Any, u10: Any, u11: Any, v0: Any, v1: Any) -> Any:
    """Return the determinant by what type t gets from m met by k, utk, and from the other message, vt."""
    return (u10 - v1) * (u01 - v0) - (u11 - v1) * (u00 - v0)


def _pooled(payoffs: Array, gain: Array, view: Array, whole: Array) -> Array:
    """Return the signs of the receiver's gain from the second response at its prior."""
    value = view[0] * gain[0] + view[1] * gain[1]
    signs: Array = np.sign(value)
    one_sided = (gain[0] == 0) | (gain[1] == 0)
    signs[one_sided] = (np.sign(gain[0]) + np.sign(gain[1]))[one_sided]
    g = np.flatnonzero(~(whole | one_sided))
    if g.size:
        size = np.abs(payoffs[..., g]).reshape(4, -1).max(axis=0) * view[:, g].max(axis=0)
        g = g[~(np.abs(value[g]) > PRIOR * size + 1e-290)]
    for i in g.tolist():
        prior = exact_distribution(view[:, i]) if view[:, i].max() <= 1 else view[:, i]
        signs[i] = sign(_pooled_polynomial, *prior, *(payoffs[t, k, i] for t in (0, 1) for k in (0, 1)))
    return signs


def _pooled_polynomial(p0: Any, p1: Any, v00: Any, v01: Any, v10: Any, v11: Any) -> Any:
    return p0 * (v01 - v00) + p1 * (v11 - v10)


# ---------------------------------------------------------------- cells of the two squares


@dataclass(frozen=True, eq=False)
class Cell:
    """Where a cell of one square meets conditions, and where all of the cell makes something indifferent."""

    exists: Array
    flat: tuple[Array, Array]


def _nothing(like: Array) -> Array:
    return np.zeros_like(like)


class Replies:
    """The square of replies: where some replies with support F make every type content with S."""

    def __init__(self, signs: Signs) -> None:
        self.signs = signs
        self.cells: dict[tuple[Support, Support], Cell] = {}
        edge = signs.edge
        across = [edge[m, 0].times(edge[m, 1]).neg for m in (0, 1)]
        self.crossing = across[0] & across[1]
        corners, edges = [f for f in PAIRS if BOTH not in f], [f for f in PAIRS if f.count(BOTH) == 1]
        for f in corners:
            for s in PAIRS:
                self.cells[s, f] = self._at_corner(s, f)
        for f in edges:
            for s in PAIRS:
                self.cells[s, f] = self._on_edge(s, f)
        border = [*corners, *edges]
        for s in PAIRS:
            self.cells[s, (BOTH, BOTH)] = self._inside(s, border)

    def _gain(self, t: int, r: int, s: int) -> Sign:
        """Return the sign of what type t gains from the second message over the first."""
        return self.signs.d[t][r][s].flipped

    def _at_corner(self, s: Support, f: Support) -> Cell:
        gains = [self._gain(t, *f) for t in (0, 1)]
        exists = gains[0].allows(s[0]) & gains[1].allows(s[1])
        return Cell(exists, (gains[0].zero, gains[1].zero))

    def _on_edge(self, s: Support, f: Support) -> Cell:
        m = f.index(BOTH)
        other = f[1 - m]
        start, stop = [
            [self.signs.d[t][k][other] if m == 0 else self.signs.d[t][other][k] for t in (0, 1)] for k in (0, 1)
        ]
        turn = self.signs.edge[m, other]  # d1 at start * d0 at stop - d1 at stop * d0 at start
        whole = [start[t].zero & stop[t].zero for t in (0, 1)]  # indifferent all along
        across = [start[t].times(stop[t]).neg for t in (0, 1)]  # indifferent at one inner point
        # what the other type thinks there: the sign of d1 where d0 = 0 is that of turn * d0 at stop, and so on
        there = [turn.times(stop[0]), turn.flipped.times(stop[1])]
        if s == (BOTH, BOTH):
            meet = (whole[0] | across[0]) & (whole[1] | across[1]) & ~(across[0] & across[1] & ~turn.zero)
            return Cell(meet, (meet, meet))
        if BOTH in s:
            t = s.index(BOTH)
            u = 1 - t
            d_u = there[t]  # at t's point of indifference
            content = d_u.flipped.allows(s[u])
            along = self._somewhere(start[u], stop[u], s[u])
            exists = (across[t] & content) | (whole[t] & along)
            flat_u = (across[t] & d_u.zero) | (whole[t] & whole[u]) | (across[t] & whole[u])
            flat = (exists, flat_u) if t == 0 else (flat_u, exists)
            return Cell(exists, flat)
        p = [start[t] if s[t] == 0 else start[t].flipped for t in (0, 1)]
        q = [stop[t] if s[t] == 0 else stop[t].flipped for t in (0, 1)]
        near_p, near_q = [[a[t].pos | (a[t].zero & ~b[t].neg) for t in (0, 1)] for a, b in ((p, q), (q, p))]
        outer = (near_p[0] & near_p[1]) | (near_q[0] & near_q[1])
        det = turn.flipped if s[0] == s[1] else turn  # p0 q1 - p1 q0
        rising, falling = p[0].neg & q[0].pos & p[1].pos & q[1].neg, p[0].pos & q[0].neg & p[1].neg & q[1].pos
        exists = outer | (rising & ~det.pos) | (falling & ~det.neg)
        point = (rising | falling) & det.zero
        return Cell(exists, (point | whole[0], point | whole[1]))

    @staticmethod
    def _somewhere(start: Sign, stop: Sign, choice: int) -> Array:
        """Where a type is content with a choice at some inner point of an edge."""
        a, b = (start, stop) if choice == 0 else (start.flipped, stop.flipped)
        return np.asarray(a.pos | b.pos | (a.zero & b.zero))

    def _inside(self, s: Support, border: Sequence[Support]) -> Cell:
        cells = {f: self.cells[s, f] for f in border}
        off_some = ~_nothing(self.crossing)
        for m, r in product((0, 1), repeat=2):  # the edge where message m meets r for sure
            outside = _nothing(self.crossing)
            for f in border:
                if f[m] != r:
                    outside |= cells[f].exists
            off_some &= outside
        flat = []
        for t in (0, 1):
            even = ~self.crossing
            for cell in cells.values():
                even &= ~cell.exists | cell.flat[t]
            flat.append(even)
        exists = self.crossing | off_some
        return Cell(exists, (flat[0], flat[1]))


class Messages:
    """The square of the sender's strategies: where some with support S make all of F optimal at expected messages."""

    def __init__(self, signs: Signs, possible: tuple[bool, bool]) -> None:
        self.signs = signs
        self.possible = possible
        self.off = [self._unexpected(m) for m in (0, 1)]
        self.idle = [signs.alone[0][m].zero & signs.alone[1][m].zero for m in (0, 1)]
        mixed = [signs.alone[0][m].times(signs.alone[1][m]).neg for m in (0, 1)]
        self.mixed = mixed
        same = [signs.alone[0][m].times(signs.pooled[m]) for m in (0, 1)]
        self.up = [same[0].pos & mixed[0], same[1].neg & mixed[1]]
        self.down = [same[0].neg & mixed[0], same[1].pos & mixed[1]]
        self.together = mixed[0] & mixed[1] & signs.pooled[0].zero & signs.pooled[1].zero

    def expected(self, s: Support) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the possible types that send each message."""
        first, second = (tuple(t for t in (0, 1) if self.possible[t] and s[t] in (m, BOTH)) for m in (0, 1))
        return first, second

    def cell(self, s: Support, f: Support) -> Cell:
        """Return where the cell is not empty, beliefs at unexpected messages included, and what is flat on it."""
        senders = self.expected(s)
        mixers = [t for t in (0, 1) if s[t] == BOTH and self.possible[t]]
        if len(mixers) == 2:
            return self._both_mix(f)
        exists, flat = [], []
        for m in (0, 1):
            if not senders[m]:
                allowed, wide = self.off[m]
                exists.append(allowed[f[m]])
                flat.append(wide[f[m]])
            elif len(senders[m]) == 1 or not mixers:
                gain = self.signs.pooled[m] if len(senders[m]) == 2 else self.signs.alone[senders[m][0]][m]
                exists.append(gain.allows(f[m]))
                flat.append(gain.zero)
            else:
                here, there = self.signs.alone[1 - mixers[0]][m], self.signs.pooled[m]
                level = here.zero & there.zero
                cases = (here.neg | there.neg | level, here.pos | there.pos | level, here.times(there).neg | level)
                exists.append(cases[f[m]])
                flat.append(level)
        return Cell(exists[0] & exists[1], (flat[0], flat[1]))

    def _both_mix(self, f: Support) -> Cell:
        alone = self.signs.alone
        plain = []  # the first message's condition, where its line does not cut the square, or the second's
        for m in (0, 1):
            rises = (alone[0][m].pos | alone[1][m].pos) & ~self.mixed[m]
            falls = (alone[0][m].neg | alone[1][m].neg) & ~self.mixed[m]
            plain.append(self.idle[m] | (falls, rises, _nothing(rises))[f[m]])
        single = (self.mixed[0] & plain[1]) | (plain[0] & self.mixed[1]) | (plain[0] & plain[1])
        above = [self._above(m, f[m]) for m in (0, 1)]
        below = [self.mixed[m] & ~above[m] if f[m] != BOTH else self.mixed[m] for m in (0, 1)]
        above = [above[m] if f[m] != BOTH else self.mixed[m] for m in (0, 1)]
        over = self.down[0] | self.up[1] | self.together  # the first line passes below the second
        under = self.up[0] | self.down[1] | self.together
        if f == (BOTH, BOTH):
            two = (self.up[0] & self.up[1]) | (self.down[0] & self.down[1]) | self.together
        elif f[0] == BOTH:
            two = (above[1] & under) | (below[1] & over)
        elif f[1] == BOTH:
            two = (above[0] & over) | (below[0] & under)
        else:
            two = (
                (above[0] & above[1])
                | (below[0] & below[1])
                | (above[0] & below[1] & over)
                | (below[0] & above[1] & under)
            )
        exists = single | (self.mixed[0] & self.mixed[1] & two)
        flat = list(self.idle)
        if f[0] == BOTH or f[1] == BOTH:
            flat = [flat[m] | self.together for m in (0, 1)]
        else:
            opposite = (above[0] & below[1]) | (below[0] & above[1])
            flat = [flat[m] | (self.together & opposite) for m in (0, 1)]
        return Cell(exists, (flat[0], flat[1]))

    def _above(self, m: int, choice: int) -> Array:
        """Where the receiver's choice is optimal above its line: the second type's sign at m_0, the first's at m_1."""
        gain = self.signs.alone[1 - m][m]
        return self.mixed[m] & (gain.pos if choice == 1 else gain.neg)

    def _unexpected(self, m: int) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
        """Where beliefs support each choice, and where whatever supports it supports both."""
        a, b = self.signs.alone[0][m], self.signs.alone[1][m]
        low, high = ~(a.pos & b.pos), ~(a.neg & b.neg)
        return (low, high, low & high), (~(a.neg | b.neg), ~(a.pos | b.pos), ~_nothing(low))


# ---------------------------------------------------------------- the survey


def survey_tied(tile: Tile, names: Sequence[str]) -> Survey:
    """Return counts, kinds, event ranges and ties of 2 x 2 x 2 games (one receiver type), ties or not.

    ``unsolved`` marks games whose numbers are too close for floats to hold their ranges, though not equal.
    """
    numbers = Numbers.of(tile)
    n = tile.U.shape[-1]
    survey = Survey(
        count=np.zeros(n, dtype=np.int64),
        kinds={name: np.zeros(n, dtype=bool) for name in names},
        degenerate=np.zeros(n, dtype=bool),
        unsolved=~numbers.precise,
        low=np.full((len(tile.events), n), np.inf),
        high=np.full((len(tile.events), n), -np.inf),
    )
    possible = numbers.view > 0
    for kind in ((True, True), (True, False), (False, True)):
        games = np.flatnonzero((possible[0] == kind[0]) & (possible[1] == kind[1]))
        if games.size:
            whole = games.size == n
            some = (tile, numbers) if whole else (tile.chosen(games), numbers.chosen(games))
            _survey_alike(survey, games, *some, kind, names)
    return survey


def _survey_alike(
    survey: Survey, games: Array, tile: Tile, numbers: Numbers, possible: tuple[bool, bool], names: Sequence[str]
) -> None:
    """Fill in the answers of games in which the receiver holds the same types possible."""
    signs = Signs.of(numbers)
    messages, replies = Messages(signs, possible), Replies(signs)
    size = games.size
    cells = {(s, f): (messages.cell(s, f), replies.cells[s, f]) for s in PAIRS for f in PAIRS}
    exists = {key: sent.exists & met.exists for key, (sent, met) in cells.items()}
    count, tied = np.zeros(size, dtype=np.uint8), _nothing(messages.idle[0])
    idle = [messages.idle[m] & np.packbits((numbers.U[:, m, 0] == numbers.U[:, m, 1]).all(axis=0)) for m in (0, 1)]
    kinds: dict[int, Array] = {}
    for (s, f), here in exists.items():
        if not here.any():
            continue
        sent, met = cells[s, f]
        kinds[KIND[s]] = kinds.get(KIND[s], here) | here
        inside = _nothing(here)
        expected = messages.expected(s)
        for larger in _LARGER[s, f]:
            if any(now and not before for before, now in zip(expected, messages.expected(larger[0]), strict=True)):
                continue  # other messages on the path
            grown = exists[larger]
            for t in (0, 1):
                if larger[0][t] != s[t]:
                    grown = grown & met.flat[t]
            for m in (0, 1):
                if larger[1][m] != f[m]:
                    grown = grown & sent.flat[m]
            inside |= grown
        count += np.unpackbits(np.asarray(here & ~inside, dtype=np.uint8), count=size)
        loose = _nothing(here)
        for k in (0, 1):
            if s[k] != BOTH:
                loose |= met.flat[k]
            if f[k] != BOTH:
                loose |= sent.flat[k] & ~idle[k]
        if s.count(BOTH) != sum(f[m] == BOTH for m in (0, 1) if expected[m]):
            loose |= ~(idle[0] | idle[1])
        tied |= here & loose
    for kind, plane in kinds.items():
        survey.kinds[names[kind]][games] = _unpacked(plane, size)
    survey.count[games] = count
    survey.degenerate[games] = _unpacked(tied, size) | (not all(possible))
    if tile.events:
        low, high = _ranges(tile, numbers, signs, messages, replies)
        survey.low[:, games], survey.high[:, games] = low, high


def _larger(s: Support, f: Support) -> list[tuple[Support, Support]]:
    """Return the cells with larger supports."""

    def wider(x: int) -> tuple[int, ...]:
        return (x,) if x == BOTH else (x, BOTH)

    every = [((a, b), (c, e)) for a in wider(s[0]) for b in wider(s[1]) for c in wider(f[0]) for e in wider(f[1])]
    return [key for key in every if key != (s, f)]


_LARGER = {(s, f): _larger(s, f) for s in PAIRS for f in PAIRS}
# of each choice of messages the number of its kind in `kind_names`
KIND = {(0, 0): 0, (1, 1): 1, (0, 1): 2, (1, 0): 2, (2, 0): 3, (2, 1): 3, (0, 2): 4, (1, 2): 4, (2, 2): 5}


def _unpacked(plane: Array, size: int) -> Array:
    return np.unpackbits(plane, count=size).view(bool)


# ---------------------------------------------------------------- ranges of events, at vertices


def _ranges(tile: Tile, numbers: Numbers, signs: Signs, messages: Messages, replies: Replies) -> tuple[Array, Array]:
    size = numbers.view.shape[-1]
    low, high = np.full((len(tile.events), size), np.inf), np.full((len(tile.events), size), -np.inf)
    weighted = [np.broadcast_to(w[:, 0] * tile.joint[:, :, None], numbers.U.shape) for w in tile.events]
    met = list(_reply_vertices(numbers, signs, replies))
    for s, x, optimal in _message_vertices(numbers, messages):
        content = [(f, y, here) for f, y, planes in met if (here := planes[s] & optimal[f]).any()]
        if not content:
            continue
        some = _nothing(content[0][2])
        for _, _, here in content:
            some = some | here
        games = np.flatnonzero(_unpacked(some, size))
        sends = [value[games] if isinstance(value, np.ndarray) else value for value in x]
        flags = [_unpacked(here, size)[games] for _, _, here in content]
        for e, w in enumerate(weighted):
            part = w[..., games]
            parts = (
                sends[0] * part[0, 0] + sends[1] * part[1, 0],
                (1 - sends[0]) * part[0, 1] + (1 - sends[1]) * part[1, 1],
            )
            least, most = low[e, games], high[e, games]
            for (_, y, _), flag in zip(content, flags, strict=True):
                chance: Any = 0.0
                for m in (0, 1):
                    share = y[m]
                    if isinstance(share, np.ndarray):
                        chance = chance + (parts[m][0] + share[games] * (parts[m][1] - parts[m][0]))
                    else:
                        chance = chance + parts[m][int(share)]
                np.minimum(least, np.where(flag, chance, np.inf), out=least)
                np.maximum(most, np.where(flag, chance, -np.inf), out=most)
            low[e, games], high[e, games] = least, most
    empty = ~np.isfinite(low)
    low[empty] = high[empty] = np.nan
    return low, high


def _message_vertices(
    numbers: Numbers, messages: Messages
) -> Iterator[tuple[Support, tuple[Share, Share], dict[Support, Array]]]:
    """Yield vertices of the square of the sender's strategies.

    Yields
    ------
    s : pair
        What each type sends there.
    x : pair of float or ndarray
        Each type's probability of the first message.
    optimal : dict
        By support of the replies, where these are optimal there.
    """
    signs = messages.signs
    value = (1.0, 0.0)
    for s in CORNERS:
        yield s, (value[s[0]], value[s[1]]), {f: messages.cell(s, f).exists for f in PAIRS}
    if not all(messages.possible):
        return
    gain, view = numbers.V[:, :, 1] - numbers.V[:, :, 0], numbers.view
    with np.errstate(all="ignore"):
        ratio = -(view[0] * gain[0]) / (view[1] * gain[1])  # [m]: likelihood ratio at which the receiver switches
    for t, m in product((0, 1), repeat=2):  # t mixes, the other type sends m
        here = signs.alone[1 - t][m].times(signs.pooled[m]).neg
        if not here.any():
            continue
        only = signs.alone[t][1 - m]
        optimal = {f: here & only.allows(f[1 - m]) for f in PAIRS}
        with np.errstate(all="ignore"):
            share = 1 / ratio[m] if t == 0 else ratio[m]  # the mixing type's probability of m
        first = share if m == 0 else 1 - share
        s = (BOTH, m) if t == 0 else (m, BOTH)
        yield s, (first, value[m]) if t == 0 else (value[m], first), optimal
    crossing = (messages.up[0] & messages.up[1]) | (messages.down[0] & messages.down[1])
    if crossing.any():
        with np.errstate(all="ignore"):
            first = (1 - ratio[1]) / (ratio[0] - ratio[1])
            yield (BOTH, BOTH), (first, ratio[0] * first), dict.fromkeys(PAIRS, crossing)


def _reply_vertices(
    numbers: Numbers, signs: Signs, replies: Replies
) -> Iterator[tuple[Support, tuple[Share, Share], dict[Support, Array]]]:
    """Yield vertices of the square of replies: support, probability of the second response, who is content there."""
    for f in CORNERS:
        yield f, (float(f[0]), float(f[1])), {s: replies.cells[s, f].exists for s in PAIRS}
    d = numbers.U[:, 0, :, None] - numbers.U[:, 1, None, :]
    for m, other, t in product((0, 1), repeat=3):  # message m meets a mixture that leaves t indifferent
        start, stop = [[signs.d[k][i][other] if m == 0 else signs.d[k][other][i] for k in (0, 1)] for i in (0, 1)]
        here = start[t].times(stop[t]).neg
        if not here.any():
            continue
        turn = signs.edge[m, other]
        there = turn.times(stop[0]) if t == 0 else turn.flipped.times(stop[1])
        a, b = (d[t, 0, other], d[t, 1, other]) if m == 0 else (d[t, other, 0], d[t, other, 1])
        with np.errstate(all="ignore"):
            share = a / (a - b)
        f = (BOTH, other) if m == 0 else (other, BOTH)
        yield (
            f,
            (share, float(other)) if m == 0 else (float(other), share),
            {s: here & there.flipped.allows(s[1 - t]) for s in PAIRS},
        )
    if replies.crossing.any():
        along, across = d[:, 1, 0] - d[:, 0, 0], d[:, 0, 1] - d[:, 0, 0]
        with np.errstate(all="ignore"):
            turn = along[0] * across[1] - along[1] * across[0]
            first = (across[0] * d[1, 0, 0] - across[1] * d[0, 0, 0]) / turn
            second = (along[1] * d[0, 0, 0] - along[0] * d[1, 0, 0]) / turn
        yield (BOTH, BOTH), (first, second), dict.fromkeys(PAIRS, replies.crossing)

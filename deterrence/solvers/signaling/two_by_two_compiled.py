r"""The logic of `tied_games` for one game after another, compiled: ties or none, at one rate.

The signs of a game choose rows of three tables, which `tied_games` itself fills, once, from every combination of signs:

- a corner of the square of replies: by the signs of both types' d there, the sets S with which it is an equilibrium;
- an edge: by the signs of both types' d at its ends and of their determinant, S and which types are indifferent;
- the square of the sender's strategies: by the six signs of the receiver's gains, for each F, S and which messages meet
  indifference.

A set of S is nine bits. What is left is `Replies._inside`, the comparison of cells by inclusion, and the vertices of
the cells that exist, whose chances bound an event's range. Where nothing is near a tie all of this is one row of a
table of 2**18, which the same logic fills.

A game is left to `tied_games` if a sign is not certain in floats, nor by whole numbers (payoffs times a power of ten up
to a million, and then below 2**25, so that products of differences are exact).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.engine import kernel
from deterrence.solvers.signaling.tied_games import (
    BLUR,
    BOTH,
    KIND,
    PAIRS,
    PRIOR,
    WHOLE,
    Messages,
    Replies,
    Sign,
    Signs,
)
from deterrence.solvers.signaling.two_type_kernel import Answers, Rows

POSSIBLE = ((True, True), (True, False), (False, True))  # which types the receiver holds possible
POWERS = 10.0 ** np.arange(7)
BLOCK = 128  # games whose numbers stay in a core's nearest cache
LEAST = 1e-290  # below, products may have lost digits
# by edge of the square of replies, 2 m + r (message m meets a mixture, the other message r): where it starts and stops
# among the corners 2 r + s, and its number among `PAIRS`
START, STOP = np.array([0, 1, 0, 2]), np.array([2, 3, 1, 3])
EDGE, CORNER = np.array([6, 7, 2, 5]), np.array([0, 1, 3, 4])
LARGER = np.full((9, 4), -1)  # [f, j]: the pair that mixes at the first message too (j & 1), at the second too (j & 2)
for _f, _j in product(range(9), range(4)):
    _a, _b = PAIRS[_f]
    if not (_j & 1 and _a == BOTH) and not (_j & 2 and _b == BOTH):
        LARGER[_f, _j] = PAIRS.index((BOTH if _j & 1 else _a, BOTH if _j & 2 else _b))


@dataclass(frozen=True, eq=False)
class Tables:
    """What the signs decide; bit 3 a + b of a set says that it holds S = (a, b).

    Attributes
    ----------
    corner : ndarray, shape (9,)
        By the signs of both types' d (0, 1, 2 for -, 0, +), the first counting three times: sets at a corner.
    edge : ndarray, shape (243, 3)
        By start of both types, end of both, determinant: sets; those where the first type, the second is indifferent.
    messages : ndarray, shape (3, 729, 9, 3)
        By `POSSIBLE`, the signs of a, b, g at both messages, and F: sets; those where the first message, the second
        meets indifference.
    wider : ndarray, shape (3, 3, 512)
        By `POSSIBLE`, by who shall mix too (first type, second, both): from a set, the S that a member of it holds.
    mixing : ndarray, shape (3, 9)
        By `POSSIBLE` and F: sets that mix more or less than F does on the path.
    kinds : ndarray, shape (512,)
        Kinds of equilibrium of a set.
    """

    corner: Array
    edge: Array
    messages: Array
    wider: Array
    mixing: Array
    kinds: Array


@cache
def tables() -> Tables:
    """Return the tables, from the definitions in `tied_games`."""
    corner = np.zeros(9, dtype=np.uint16)
    edge = np.zeros((243, 3), dtype=np.uint16)
    start0, start1, stop0, stop1, turn = (Sign.of(column) for column in np.array(list(product((-1, 0, 1), repeat=5))).T)
    flat = Sign.of(np.zeros(243))
    d = [[[start, flat], [stop, flat]] for start, stop in ((start0, stop0), (start1, stop1))]
    lines = {(m, r): turn if m == r == 0 else flat for m, r in product((0, 1), repeat=2)}
    replies = Replies(Signs(d=d, edge=lines, alone=[], pooled=[]))
    at_start = np.arange(9) * 27
    for k, s in enumerate(PAIRS):
        corner |= (_bits(replies.cells[s, (0, 0)].exists, 243)[at_start] << k).astype(np.uint16)
        cell = replies.cells[s, (BOTH, 0)]
        for j, plane in enumerate((cell.exists, *cell.flat)):
            edge[:, j] |= (_bits(plane, 243) << k).astype(np.uint16)
    gains = [Sign.of(column) for column in np.array(list(product((-1, 0, 1), repeat=6))).T]
    signs = Signs(d=[], edge={}, alone=[[gains[0], gains[3]], [gains[1], gains[4]]], pooled=[gains[2], gains[5]])
    sent = np.zeros((3, 729, 9, 3), dtype=np.uint16)
    wider = np.zeros((3, 3, 512), dtype=np.uint16)
    mixing = np.zeros((3, 9), dtype=np.uint16)
    for p, possible in enumerate(POSSIBLE):
        messages = Messages(signs, possible)
        for (k, s), (i, f) in product(enumerate(PAIRS), enumerate(PAIRS)):
            one = messages.cell(s, f)
            for j, plane in enumerate((one.exists, *one.flat)):
                sent[p, :, i, j] |= (_bits(plane, 729) << k).astype(np.uint16)
            on_path = messages.expected(s)
            if s.count(BOTH) != sum(f[m] == BOTH for m in (0, 1) if on_path[m]):
                mixing[p, i] |= 1 << k
        for k, s in enumerate(PAIRS):
            for j, who in enumerate(((0,), (1,), (0, 1))):
                larger = tuple(BOTH if t in who else s[t] for t in (0, 1))
                new = any(
                    now and not before
                    for before, now in zip(messages.expected(s), messages.expected((larger[0], larger[1])), strict=True)
                )
                if new or any(s[t] == BOTH for t in who):
                    continue
                holds = (np.arange(512) >> PAIRS.index((larger[0], larger[1]))) & 1
                wider[p, j] |= (holds << k).astype(np.uint16)
    kinds = np.zeros(512, dtype=np.uint8)
    for k, s in enumerate(PAIRS):
        kinds |= (((np.arange(512) >> k) & 1) << KIND[s]).astype(np.uint8)
    return Tables(corner, edge, sent, wider, mixing, kinds)


@cache
def untied() -> Array:
    """Return the answers of games without ties by their signs, shape (2**18,): count, and from the fifth bit on S."""
    t = tables()
    answers = np.zeros(1 << 18, dtype=np.int32)
    _fill(answers, t.corner, t.edge, t.messages, t.wider, t.mixing)
    return answers


def _bits(plane: Array, size: int) -> Array:
    return np.unpackbits(plane, count=size).astype(np.int64)


def survey_rows(rows: Rows, answers: Answers, start: int, stop: int, tol: float = 0.0) -> None:
    """Fill in the answers from start to stop, of as many games; with a tolerance all that it may touch are doubtful."""
    t = tables()
    a = answers
    _survey(
        _fixed(rows.U), _fixed(rows.V), _fixed(rows.view), _fixed(rows.joint), _fixed(rows.events),
        max(BLUR, 4 * tol) if tol else 0.0, start, stop,
        a.count, a.kinds, a.degenerate, a.doubtful, a.low, a.high,
        t.corner, t.edge, t.messages, t.wider, t.mixing, t.kinds, untied(), POWERS,
    )  # fmt: skip


def _fixed(array: Array) -> Array:
    """Return an array in C order, read-only: for Numba these are parts of its type."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


@kernel
def _code(x: float) -> int:
    """Return 0, 1, 2 for a negative number, zero, a positive number."""
    return 1 + (x > 0) - (x < 0)


@kernel
def _step(x: float) -> float:
    """Return the probability of the second response where it is best if this gain is positive."""
    return 1.0 if x > 0 else 0.0


@kernel
def _whole_power(table: Any, row: int, powers: Any) -> int:
    """Return the least power of ten that makes eight numbers whole and below 2**25; -1 if none up to six does."""
    for k in range(7):
        fits = True
        for i in range(8):
            whole = np.rint(table[row, i] * powers[k])
            if whole / powers[k] != table[row, i] or not abs(whole) < WHOLE:
                fits = False
                break
        if fits:
            return k
    return -1


@kernel
def _simple_prior(p0: float, p1: float, powers: Any) -> tuple[float, float]:
    """Return a prior of short decimals as whole numbers, (0, 0) if it is none."""
    for k in range(1, 7):
        whole = np.rint(p0 * powers[k])
        rest = powers[k] - whole
        if abs(whole / powers[k] - p0) < 1e-14 and abs(rest / powers[k] - p1) < 1e-14:
            return whole, rest
    return 0.0, 0.0


@kernel
def _sharp(x: float, size: float) -> bool:
    """Whether a number is zero, or no remnant of numbers of that size."""
    return (x == 0.0) | (abs(x) > size)


@kernel
def _differences(U: Any, row: int, unit: float, d: Any, turn: Any) -> None:
    """Fill in d, [4 t + 2 r + s], and the determinants, [2 m + r], of payoffs times a power of ten that are whole."""
    for t in range(2):
        for r in range(2):
            for s in range(2):
                if unit > 0.0:
                    d[4 * t + 2 * r + s] = np.rint(U[row, 4 * t + r] * unit) - np.rint(U[row, 4 * t + 2 + s] * unit)
                else:
                    d[4 * t + 2 * r + s] = U[row, 4 * t + r] - U[row, 4 * t + 2 + s]
    for e in range(4):
        a, b = START[e], STOP[e]
        turn[e] = d[4 + a] * d[b] - d[4 + b] * d[a]


@kernel
def _decided(
    U: Any, row: int, V: Any, other: int, p0: float, p1: float, powers: Any, d: Any, turn: Any, g: Any
) -> bool:
    """Fill in d, determinants and gains [3 m: a, b, pooled] whose signs are certain; return whether they are."""
    size_u, size_v = 0.0, 0.0
    for k in range(8):
        size_u, size_v = max(size_u, abs(U[row, k])), max(size_v, abs(V[other, k]))
    _differences(U, row, 0.0, d, turn)
    certain = True
    for k in range(8):
        certain &= _sharp(d[k], BLUR * size_u)
    for e in range(4):
        a, b = START[e], STOP[e]
        none = ((d[4 + a] == 0.0) | (d[b] == 0.0)) & ((d[4 + b] == 0.0) | (d[a] == 0.0))
        certain &= none | (abs(turn[e]) > BLUR * size_u * size_u + LEAST)
    if not certain:
        k = _whole_power(U, row, powers)
        if k < 0:
            return False
        _differences(U, row, powers[k], d, turn)
    sharp = True
    for m in range(2):
        g[3 * m], g[3 * m + 1] = V[other, 2 * m + 1] - V[other, 2 * m], V[other, 2 * m + 5] - V[other, 2 * m + 4]
        sharp &= _sharp(g[3 * m], BLUR * size_v) & _sharp(g[3 * m + 1], BLUR * size_v)
    whole = 0 if sharp else _whole_power(V, other, powers)
    if whole < 0:
        return False
    for m in range(2):
        a, b = g[3 * m], g[3 * m + 1]
        pooled = p0 * a + p1 * b
        if a == 0.0 or b == 0.0:
            g[3 * m + 2] = a if b == 0.0 else b
        elif abs(pooled) > PRIOR * size_v * max(p0, p1) + LEAST:
            g[3 * m + 2] = pooled
        else:
            k = _whole_power(V, other, powers)
            q0, q1 = _simple_prior(p0, p1, powers)
            if k < 0 or q0 + q1 == 0.0:
                return False
            a = np.rint(V[other, 2 * m + 1] * powers[k]) - np.rint(V[other, 2 * m] * powers[k])
            b = np.rint(V[other, 2 * m + 5] * powers[k]) - np.rint(V[other, 2 * m + 4] * powers[k])
            g[3 * m + 2] = q0 * a + q1 * b
    return True


@kernel
def _logic(
    D: Any, K: Any, G: Any, possible: int, idle0: bool, idle1: bool, corner: Any, edge: Any, messages: Any, wider: Any,
    mixing: Any, met: Any, here: Any,
) -> tuple[int, int, bool]:  # fmt: skip
    """Return how many components there are, the S of their cells, and whether one is tied.

    Fills in ``met`` [F]: the S with which replies F make an equilibrium, those where the first type, the second is
    indifferent, and ``here`` [F]: the S of the cells that exist.
    """
    code = 0
    for k in range(6):
        code = 3 * code + G[k]
    for a in range(4):
        f = CORNER[a]
        met[f, 0] = corner[D[a] * 3 + D[4 + a]]
        met[f, 1] = 511 if D[a] == 1 else 0
        met[f, 2] = 511 if D[4 + a] == 1 else 0
    for e in range(4):
        a, b = START[e], STOP[e]
        line = (((D[a] * 3 + D[4 + a]) * 3 + D[b]) * 3 + D[4 + b]) * 3 + K[e]
        for j in range(3):
            met[EDGE[e], j] = edge[line, j]
    if K[0] + K[1] == 2 and K[0] != 1 and K[2] + K[3] == 2 and K[2] != 1:  # the types' lines cross inside
        met[8, 0], met[8, 1], met[8, 2] = 511, 0, 0
    else:
        off = met[3, 0] | met[4, 0] | met[5, 0] | met[6, 0] | met[7, 0]  # off the edge where the first message meets 0
        off &= met[0, 0] | met[1, 0] | met[2, 0] | met[6, 0] | met[7, 0]
        off &= met[1, 0] | met[4, 0] | met[7, 0] | met[2, 0] | met[5, 0]
        off &= met[0, 0] | met[3, 0] | met[6, 0] | met[2, 0] | met[5, 0]
        even0, even1 = 511, 511
        for f in range(8):
            even0 &= ~met[f, 0] | met[f, 1]
            even1 &= ~met[f, 0] | met[f, 2]
        met[8, 0], met[8, 1], met[8, 2] = off, even0, even1
    sets = 0
    for f in range(9):
        here[f] = messages[possible, code, f, 0] & met[f, 0]
        sets |= here[f]
    found, tied = 0, 0
    for f in range(9):
        if here[f] == 0:
            continue
        flat0, flat1 = met[f, 1], met[f, 2]
        inside = 0
        for j in range(4):
            h = LARGER[f, j]
            if h < 0 or here[h] == 0:
                continue
            grown = wider[possible, 0, here[h]] & flat0
            grown |= wider[possible, 1, here[h]] & flat1
            grown |= wider[possible, 2, here[h]] & flat0 & flat1
            if j:
                grown |= here[h]
            if j & 1:
                grown &= messages[possible, code, f, 1]
            if j & 2:
                grown &= messages[possible, code, f, 2]
            inside |= grown
        left = here[f] & ~inside
        while left:
            found += 1
            left &= left - 1
        loose = (flat0 & 0b000111111) | (flat1 & 0b011011011)
        if f < 6 and not idle0:
            loose |= messages[possible, code, f, 1]
        if f % 3 != 2 and not idle1:
            loose |= messages[possible, code, f, 2]
        if not (idle0 or idle1):
            loose |= mixing[possible, f]
        tied |= here[f] & loose
    return found, sets, tied != 0


@kernel
def _fill(answers: Any, corner: Any, edge: Any, messages: Any, wider: Any, mixing: Any) -> None:
    D, K, G = np.empty(8, dtype=np.int64), np.empty(4, dtype=np.int64), np.empty(6, dtype=np.int64)
    met, here = np.empty((9, 3), dtype=np.int64), np.empty(9, dtype=np.int64)
    for code in range(answers.shape[0]):
        for k in range(8):
            D[k] = 2 * ((code >> k) & 1)
        for k in range(4):
            K[k] = 2 * ((code >> (8 + k)) & 1)
        for k in range(6):
            G[k] = 2 * ((code >> (12 + k)) & 1)
        found, sets, _ = _logic(D, K, G, 0, False, False, corner, edge, messages, wider, mixing, met, here)
        answers[code] = found + (sets << 4)


@kernel
def _strategies(s: int, U: Any, k: int, V: Any, l: int, p0: float, p1: float) -> tuple[float, float, float, float]:
    """Return the equilibrium of a game without ties in which the sender's support is S, a number among `PAIRS`.

    That is each type's probability of the first message, and the probability of the second response to each message.
    """
    a0, b0, a1, b1 = V[l, 1] - V[l, 0], V[l, 5] - V[l, 4], V[l, 3] - V[l, 2], V[l, 7] - V[l, 6]
    if s == 0 or s == 4:  # both send the first message, or the second
        x = 1.0 if s == 0 else 0.0
        return x, x, _step(p0 * a0 + p1 * b0), _step(p0 * a1 + p1 * b1)
    if s == 1:
        return 1.0, 0.0, _step(a0), _step(b1)
    if s == 3:
        return 0.0, 1.0, _step(b0), _step(a1)
    if s == 6 or s == 2:  # one type mixes, the other sends the first message
        x, y, t = (-(p1 * b0) / (p0 * a0), _step(a1), 0) if s == 6 else (-(p0 * a0) / (p1 * b0), _step(b1), 4)
        there = U[k, t + 3] if y > 0.0 else U[k, t + 2]
        share = (there - U[k, t]) / (U[k, t + 1] - U[k, t])
        return (x, 1.0, share, y) if s == 6 else (1.0, x, share, y)
    if s == 7 or s == 5:  # ... the second message
        x, y, t = (1.0 + p1 * b1 / (p0 * a1), _step(a0), 0) if s == 7 else (1.0 + p0 * a1 / (p1 * b1), _step(b0), 4)
        there = U[k, t + 1] if y > 0.0 else U[k, t]
        share = (there - U[k, t + 2]) / (U[k, t + 3] - U[k, t + 2])
        return (x, 0.0, y, share) if s == 7 else (0.0, x, y, share)
    l0, l1 = -(p0 * a0) / (p1 * b0), -(p0 * a1) / (p1 * b1)
    x = (1.0 - l1) / (l0 - l1)
    r0, r1, s0, s1 = U[k, 1] - U[k, 0], U[k, 5] - U[k, 4], U[k, 2] - U[k, 3], U[k, 6] - U[k, 7]
    d0, d1 = U[k, 0] - U[k, 2], U[k, 4] - U[k, 6]
    det = r0 * s1 - r1 * s0
    return x, l0 * x, (s0 * d1 - s1 * d0) / det, (r1 * d0 - r0 * d1) / det


@kernel
def _widen(
    low: Any, high: Any, i: int, events: Any, z: int, j0: float, j1: float, x0: float, x1: float, y0: float, y1: float
) -> None:
    """Stretch the range of each event in game i to the chance that strategies give it."""
    one, two, three, four = x0 * j0, x1 * j1, (1.0 - x0) * j0, (1.0 - x1) * j1
    for e in range(events.shape[0]):
        chance = one * (events[e, z, 0] + y0 * (events[e, z, 1] - events[e, z, 0]))
        chance += two * (events[e, z, 4] + y0 * (events[e, z, 5] - events[e, z, 4]))
        chance += three * (events[e, z, 2] + y1 * (events[e, z, 3] - events[e, z, 2]))
        chance += four * (events[e, z, 6] + y1 * (events[e, z, 7] - events[e, z, 6]))
        low[e, i] = min(low[e, i], chance)
        high[e, i] = max(high[e, i], chance)


@kernel
def _survey(
    U: Any, V: Any, view: Any, joint: Any, events: Any, strict: float, start: int, stop: int, count: Any, kinds: Any,
    degenerate: Any, doubtful: Any, low: Any, high: Any, corner: Any, edge: Any, messages: Any, wider: Any, mixing: Any,
    kinds_of: Any, untied: Any, powers: Any,
) -> None:  # fmt: skip
    E = events.shape[0]
    su, sv = int(U.shape[0] > 1), int(V.shape[0] > 1)
    sp, sj, se = int(view.shape[0] > 1), int(joint.shape[0] > 1), int(events.shape[1] > 1)
    blur = max(strict, BLUR)
    lists = np.empty((10, BLOCK), dtype=np.int64)  # games by the S of their equilibria; last those near a tie
    lengths = np.empty(10, dtype=np.int64)
    d, turn, g = np.empty(8), np.empty(4), np.empty(6)
    D, K, G = np.empty(8, dtype=np.int64), np.empty(4, dtype=np.int64), np.empty(6, dtype=np.int64)
    met, here, points = np.empty((9, 3), dtype=np.int64), np.empty(9, dtype=np.int64), np.empty((2, 2))
    for block in range(start, stop, BLOCK):
        for s in range(10):
            lengths[s] = 0
        for i in range(block, min(block + BLOCK, stop)):
            k = i - start
            a, b = k * su, k * sv
            p0, p1 = view[k * sp, 0], view[k * sp, 1]
            total = p0 + p1
            p0, p1 = p0 / total, p1 / total
            u0, u1, u2, u3, u4, u5, u6, u7 = U[a, 0], U[a, 1], U[a, 2], U[a, 3], U[a, 4], U[a, 5], U[a, 6], U[a, 7]
            d0, d1, d2, d3, d4, d5, d6, d7 = u0 - u2, u0 - u3, u1 - u2, u1 - u3, u4 - u6, u4 - u7, u5 - u6, u5 - u7
            t0, t1, t2, t3 = d4 * d2 - d6 * d0, d5 * d3 - d7 * d1, d4 * d1 - d5 * d0, d6 * d3 - d7 * d2
            a0, b0, a1, b1 = V[b, 1] - V[b, 0], V[b, 5] - V[b, 4], V[b, 3] - V[b, 2], V[b, 7] - V[b, 6]
            g0, g1 = p0 * a0 + p1 * b0, p0 * a1 + p1 * b1
            size_u = max(
                max(max(abs(u0), abs(u1)), max(abs(u2), abs(u3))), max(max(abs(u4), abs(u5)), max(abs(u6), abs(u7)))
            )
            size_v = max(
                max(max(abs(V[b, 0]), abs(V[b, 1])), max(abs(V[b, 2]), abs(V[b, 3]))),
                max(max(abs(V[b, 4]), abs(V[b, 5])), max(abs(V[b, 6]), abs(V[b, 7]))),
            )
            least_d = min(
                min(min(abs(d0), abs(d1)), min(abs(d2), abs(d3))), min(min(abs(d4), abs(d5)), min(abs(d6), abs(d7)))
            )
            least_t = min(min(abs(t0), abs(t1)), min(abs(t2), abs(t3)))
            least_g = min(min(min(abs(a0), abs(b0)), min(abs(a1), abs(b1))), min(abs(g0), abs(g1)))
            plain = (least_d > blur * size_u) & (least_t > blur * size_u * size_u) & (least_g > blur * size_v)
            plain &= (p0 > 0.0) & (p1 > 0.0)
            if not plain:
                lists[9, lengths[9]] = i
                lengths[9] += 1
                continue
            code = (d0 > 0) | (d1 > 0) << 1 | (d2 > 0) << 2 | (d3 > 0) << 3
            code |= (d4 > 0) << 4 | (d5 > 0) << 5 | (d6 > 0) << 6 | (d7 > 0) << 7
            code |= (t0 > 0) << 8 | (t1 > 0) << 9 | (t2 > 0) << 10 | (t3 > 0) << 11
            code |= (a0 > 0) << 12 | (b0 > 0) << 13 | (g0 > 0) << 14 | (a1 > 0) << 15 | (b1 > 0) << 16 | (g1 > 0) << 17
            answer = untied[code]
            sets = answer >> 4
            count[i] = answer & 15
            degenerate[i] = False
            doubtful[i] = sets == 0
            flags = kinds_of[sets]
            for j in range(6):
                kinds[j, i] = (flags >> j) & 1
            for s in range(9):
                lists[s, lengths[s]] = i
                lengths[s] += (sets >> s) & 1
            for e in range(E):
                low[e, i] = np.inf if sets else np.nan
                high[e, i] = -np.inf if sets else np.nan
        for s in range(9 if E else 0):
            for j in range(lengths[s]):
                i = lists[s, j]
                k = i - start
                p0, p1 = view[k * sp, 0], view[k * sp, 1]
                x0, x1, y0, y1 = _strategies(s, U, k * su, V, k * sv, p0, p1)
                _widen(low, high, i, events, k * se, joint[k * sj, 0], joint[k * sj, 1], x0, x1, y0, y1)
        for j in range(lengths[9]):
            i = lists[9, j]
            k = i - start
            a, b = k * su, k * sv
            p0, p1 = view[k * sp, 0], view[k * sp, 1]
            total = p0 + p1
            p0, p1 = p0 / total, p1 / total
            if strict > 0.0 or not _decided(U, a, V, b, p0, p1, powers, d, turn, g):
                doubtful[i] = True
                degenerate[i] = False
                count[i] = 0
                for h in range(6):
                    kinds[h, i] = False
                for e in range(E):
                    low[e, i] = np.nan
                    high[e, i] = np.nan
                continue
            for h in range(8):
                D[h] = _code(d[h])
            for h in range(6):
                G[h] = _code(g[h])
            for h in range(4):
                K[h] = _code(turn[h])
            possible = 0 if p0 > 0.0 and p1 > 0.0 else (1 if p0 > 0.0 else 2)
            idle0 = U[a, 0] == U[a, 1] and U[a, 4] == U[a, 5] and G[0] == 1 and G[1] == 1
            idle1 = U[a, 2] == U[a, 3] and U[a, 6] == U[a, 7] and G[3] == 1 and G[4] == 1
            found, sets, loose = _logic(
                D, K, G, possible, idle0, idle1, corner, edge, messages, wider, mixing, met, here
            )
            count[i] = found
            doubtful[i] = found == 0
            degenerate[i] = loose or possible != 0
            flags = kinds_of[sets]
            for h in range(6):
                kinds[h, i] = (flags >> h) & 1
            if E:
                for e in range(E):
                    low[e, i] = np.inf
                    high[e, i] = -np.inf
                j0, j1 = joint[k * sj, 0], joint[k * sj, 1]
                _tied_ranges(low, high, i, events, k * se, j0, j1, d, g, D, K, G, p0, p1, possible, sets, here, points)


@kernel
def _tied_ranges(
    low: Any, high: Any, i: int, events: Any, z: int, j0: float, j1: float, d: Any, g: Any, D: Any, K: Any, G: Any,
    p0: float, p1: float, possible: int, sets: int, here: Any, points: Any,
) -> None:  # fmt: skip
    """Stretch the ranges of a game's events to the chances at the vertices of its cells."""
    for s in range(9):
        if not (sets >> s) & 1:
            continue
        s0, s1 = s // 3, s % 3
        # the vertex of the sender's strategies with this support, if there is one
        x0, x1 = 1.0 - s0, 1.0 - s1
        need0, need1 = 1, 1  # sign of a gain that the reply to a message must suit
        if s == 8:
            cut = (G[0] - 1) * (G[1] - 1) < 0 and (G[3] - 1) * (G[4] - 1) < 0
            if possible != 0 or not cut or (G[0] - 1) * (G[2] - 1) * (G[4] - 1) * (G[5] - 1) <= 0:
                continue
            l0, l1 = -(p0 * g[0]) / (p1 * g[1]), -(p0 * g[3]) / (p1 * g[4])
            x0 = (1.0 - l1) / (l0 - l1)
            x1 = l0 * x0
        elif s0 == 2 or s1 == 2:
            t, m = (0, s1) if s0 == 2 else (1, s0)
            if possible != 0 or (G[3 * m + 1 - t] - 1) * (G[3 * m + 2] - 1) >= 0:
                continue
            of_first, of_second = p0 * g[3 * m], p1 * g[3 * m + 1]
            share = -of_second / of_first if t == 0 else -of_first / of_second
            first = share if m == 0 else 1.0 - share
            if t == 0:
                x0 = first
            else:
                x1 = first
            if m == 0:
                need1 = G[3 + t]
            else:
                need0 = G[t]
        for f in range(9):
            if not (here[f] >> s) & 1:
                continue
            f0, f1 = f // 3, f % 3
            if (need0 != 1 and f0 != need0 // 2) or (need1 != 1 and f1 != need1 // 2):
                continue
            vertices = 0
            if f0 != 2 and f1 != 2:
                points[0, 0], points[0, 1] = float(f0), float(f1)
                vertices = 1
            elif f == 8:
                if K[0] + K[1] == 2 and K[0] != 1 and K[2] + K[3] == 2 and K[2] != 1:
                    det = (d[2] - d[0]) * (d[5] - d[4]) - (d[6] - d[4]) * (d[1] - d[0])
                    points[0, 0] = ((d[1] - d[0]) * d[4] - (d[5] - d[4]) * d[0]) / det
                    points[0, 1] = ((d[6] - d[4]) * d[0] - (d[2] - d[0]) * d[4]) / det
                    vertices = 1
            else:
                m, r = (0, f1) if f0 == 2 else (1, f0)
                a, b = START[2 * m + r], STOP[2 * m + r]
                for t in range(2):
                    if (D[4 * t + a] - 1) * (D[4 * t + b] - 1) >= 0:
                        continue
                    there = (K[2 * m + r] - 1) * (D[b] - 1 if t == 0 else 1 - D[4 + b])  # the other type's d
                    choice = s1 if t == 0 else s0
                    if (choice == 0 and there < 0) or (choice == 1 and there > 0) or (choice == 2 and there != 0):
                        continue
                    points[vertices, m] = d[4 * t + a] / (d[4 * t + a] - d[4 * t + b])
                    points[vertices, 1 - m] = float(r)
                    vertices += 1
            for k in range(vertices):
                _widen(low, high, i, events, z, j0, j1, x0, x1, points[k, 0], points[k, 1])
    for e in range(events.shape[0]):
        if not low[e, i] < np.inf:
            low[e, i] = np.nan
            high[e, i] = np.nan

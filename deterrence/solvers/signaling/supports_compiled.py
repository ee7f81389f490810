r"""Every perfect Bayesian equilibrium of many games of three sender types without ties, support by support, compiled.

A candidate names for every message the set :math:`T_m` of types that send it (none: it is unsent) and, if there are
any, the responses :math:`F_{qm}` of each receiver type. In a generic game:

1. :math:`(T_m, F_m)` is a cell of the subdivision of the simplex of evidence x (how likely each type is to send m) by
   the receiver's best responses. Its *corners* are the points with support T and as many indifferences as T has
   dimensions, :math:`|F| = |T|`; the cell's responses are those that all corners of its closure share, and the
   corners' supports make up :math:`T_m`.
2. The sender's free probabilities, :math:`\sum_m |T_m| - T`, are as many as the receiver's, :math:`\sum_m (|F_m| - 1)`,
   so that the differences :math:`|T_m| - |F_m| + 1 \ge 1` add up to T. The receiver's make the types indifferent
   between what they send, the sender's make the receiver indifferent: two square linear systems of one structure. One
   that is singular whatever its numbers (a set of types and messages among which indifferences outnumber what is
   free, Hall's condition) has no solution in a generic game.
3. What the systems give must be positive, and what is outside worse: for every type every other message sent, for the
   receiver every other response.
4. Off the path each set of responses that some belief supports counts as a component of its own if some mixture of it
   leaves every type less than it has: the largest least gain, of a concave function, is attained where functions cross.

Every comparison has a slack, in units of the payoffs' span or a probability. A candidate falls by a slack below minus
the tolerance; if its least slack lies within the tolerance of zero, its game is *doubtful*, for exact arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.engine import kernel

OPTIONS = 64  # cells at one message that there is room for
KINDS = 32  # different patterns of messages among the equilibria of one game that there is room for
UNSENT = -1


@dataclass(frozen=True, eq=False)
class GenericAnswers:
    """What is found in each of n games.

    Attributes
    ----------
    count : ndarray of int, shape (n,)
        Components.
    patterns : ndarray of int, shape (n, 32)
        Of some equilibria, each different: for type t the bit set of messages that it sends, in bits t M to (t + 1) M -
        1; -1 where there are fewer.
    several : ndarray of bool, shape (n,)
        Whether some component holds several outcomes: a message is sent after which responses change nothing.
    doubtful : ndarray of bool, shape (n,)
        Where the rest means nothing.
    low, high : ndarray, shape (n, E)
    """

    count: Array
    patterns: Array
    several: Array
    doubtful: Array
    low: Array
    high: Array


def survey_generic(
    U: Array, V: Array, sender_view: Array, receiver_view: Array, joint: Array, events: Array, tol: float
) -> GenericAnswers:
    """Return the equilibria of n games without ties.

    Parameters
    ----------
    U, V : ndarray, shape (n, T, Q, M, R)
    sender_view, receiver_view, joint : ndarray, shape (n, T, Q)
    events : ndarray, shape (n, E, T, Q, M, R)
    tol : float
        Comparisons closer than this make a game doubtful.
    """
    n, E = U.shape[0], events.shape[1]
    found = GenericAnswers(
        count=np.zeros(n, dtype=np.int64),
        patterns=np.full((n, KINDS), -1, dtype=np.int64),
        several=np.zeros(n, dtype=bool),
        doubtful=np.zeros(n, dtype=bool),
        low=np.full((n, E), np.inf),
        high=np.full((n, E), -np.inf),
    )
    _survey(
        _fixed(U), _fixed(V), _fixed(sender_view), _fixed(receiver_view), _fixed(joint), _fixed(events),
        tol, found.count, found.patterns, found.several, found.doubtful, found.low, found.high,
    )  # fmt: skip
    empty = ~(found.low <= found.high)
    found.low[empty] = found.high[empty] = np.nan
    return found


def _fixed(array: Array) -> Array:
    """Return an array in C order, read-only: for Numba these are parts of its type."""
    view = np.ascontiguousarray(array).view()
    view.setflags(write=False)
    return view


@kernel
def _bits(mask: int) -> int:
    number = 0
    while mask:
        number += 1
        mask &= mask - 1
    return number


@kernel
def _field(packed: int, q: int, R: int) -> int:
    return (packed >> (q * R)) & ((1 << R) - 1)


@kernel
def _add_corner(
    x: Any,
    types: int,
    gain: Any,
    T: int,
    Q: int,
    R: int,
    fixed: int,
    tol: float,
    corner_types: Any,
    corner_best: Any,
    corners: int,
) -> tuple[int, int]:
    """Add the point x of the simplex as a corner if responses in ``fixed`` are best there.

    Returns the number of corners, and a sign.

    ``gain`` [q, r, t] is a receiver's payoff times its view of the type; ``fixed`` holds responses between which a
    receiver is indifferent at x by construction. The sign is 0 if a comparison is too close, else 1.
    """
    best, least = 0, np.inf
    for q in range(Q):
        forced = _field(fixed, q, R)
        top, first = -1, -np.inf
        for r in range(R):
            value = 0.0
            for t in range(T):
                value += x[t] * gain[q, r, t]
            if value > first:
                top, first = r, value
        if forced:
            for r in range(R):
                if (forced >> r) & 1:
                    value = 0.0
                    for t in range(T):
                        value += x[t] * gain[q, r, t]
                    first = value
                    break
        for r in range(R):
            if (forced >> r) & 1 or (forced == 0 and r == top):
                continue
            value = 0.0
            for t in range(T):
                value += x[t] * gain[q, r, t]
            least = min(least, first - value)
        best |= (forced or 1 << top) << (q * R)
    if least < -tol:
        return corners, 1
    if least <= tol or corners == corner_types.shape[0]:
        return corners, 0
    corner_types[corners] = types
    corner_best[corners] = best
    return corners + 1, 1


@kernel
def _corners(
    gain: Any, T: int, Q: int, R: int, tol: float, corner_types: Any, corner_best: Any, x: Any
) -> tuple[int, int]:
    """Fill in the corners of the subdivision; return their number, and 0 if a comparison is too close."""
    corners, sure = 0, 1
    for t in range(T):
        for s in range(T):
            x[s] = 1.0 if s == t else 0.0
        corners, clear = _add_corner(x, 1 << t, gain, T, Q, R, 0, tol, corner_types, corner_best, corners)
        sure &= clear
    for t in range(T):
        for s in range(t + 1, T):
            for q in range(Q):
                for r in range(R):
                    for k in range(r + 1, R):
                        a, b = gain[q, r, t] - gain[q, k, t], gain[q, r, s] - gain[q, k, s]
                        if a * b >= 0.0:
                            continue
                        total = abs(a) + abs(b)
                        for h in range(T):
                            x[h] = 0.0
                        x[t], x[s] = abs(b) / total, abs(a) / total
                        fixed = ((1 << r) | (1 << k)) << (q * R)
                        types = (1 << t) | (1 << s)
                        corners, clear = _add_corner(
                            x, types, gain, T, Q, R, fixed, tol, corner_types, corner_best, corners
                        )
                        sure &= clear
    if T == 3:  # three responses tie
        for r in range(R):
            for k in range(r + 1, R):
                for l in range(k + 1, R):
                    a0, a1, a2 = (
                        gain[0, r, 0] - gain[0, k, 0],
                        gain[0, r, 1] - gain[0, k, 1],
                        gain[0, r, 2] - gain[0, k, 2],
                    )
                    b0, b1, b2 = (
                        gain[0, r, 0] - gain[0, l, 0],
                        gain[0, r, 1] - gain[0, l, 1],
                        gain[0, r, 2] - gain[0, l, 2],
                    )
                    x[0], x[1], x[2] = a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0
                    total = x[0] + x[1] + x[2]
                    size = abs(x[0]) + abs(x[1]) + abs(x[2])
                    if abs(total) < 1e-3 * size:
                        continue  # far outside the simplex
                    least = np.inf
                    for h in range(3):
                        x[h] /= total
                        least = min(least, x[h])
                    if size <= tol:
                        sure = 0
                    elif least >= -tol:
                        if least <= tol:
                            sure = 0
                        fixed = (1 << r) | (1 << k) | (1 << l)
                        corners, clear = _add_corner(
                            x, 7, gain, T, Q, R, fixed, tol, corner_types, corner_best, corners
                        )
                        sure &= clear
    return corners, sure


@kernel
def _closure(corner_types: Any, corner_best: Any, corners: int, inside: int, Q: int, R: int, family: Any) -> int:
    """Fill in the response sets that corners with supports inside a set share; return their number."""
    size = 0
    for c in range(corners):
        if corner_types[c] & ~inside:
            continue
        known = False
        for k in range(size):
            known |= family[k] == corner_best[c]
        if not known:
            family[size] = corner_best[c]
            size += 1
    base, done = size, 0
    while done < size:
        for k in range(base):
            common = family[done] & family[k]
            whole = True
            for q in range(Q):
                whole &= _field(common, q, R) != 0
            if not whole:
                continue
            known = False
            for h in range(size):
                known |= family[h] == common
            if not known:
                if size == family.shape[0]:
                    return -1
                family[size] = common
                size += 1
        done += 1
    return size


@kernel
def _solve(A: Any, c: Any, size: int, tol: float) -> bool:
    """Solve A z = c in place (z in c); return whether no pivot is too small."""
    for k in range(size):
        top = k
        for i in range(k + 1, size):
            if abs(A[i, k]) > abs(A[top, k]):
                top = i
        if abs(A[top, k]) <= tol:
            return False
        if top != k:
            for j in range(size):
                A[k, j], A[top, j] = A[top, j], A[k, j]
            c[k], c[top] = c[top], c[k]
        for i in range(k + 1, size):
            factor = A[i, k] / A[k, k]
            if factor != 0.0:
                for j in range(k, size):
                    A[i, j] -= factor * A[k, j]
                c[i] -= factor * c[k]
    for k in range(size - 1, -1, -1):
        for j in range(k + 1, size):
            c[k] -= A[k, j] * c[j]
        c[k] /= A[k, k]
    return True


@kernel
def _face_slack(u: Any, T: int, m: int, R: int, face: int, value: Any, chosen: Any) -> float:
    """Return the largest least amount by which some mixture of a face leaves every type short of its value.

    ``u`` [t, q, m, r] is weighted by the sender's view.
    """
    size = 0
    for r in range(R):
        if (face >> r) & 1:
            chosen[size] = r
            size += 1
    best = -np.inf
    for a in range(size):  # a pure response
        least = np.inf
        for t in range(T):
            least = min(least, value[t] - u[t, 0, m, chosen[a]])
        best = max(best, least)
    for a in range(size):
        for b in range(a + 1, size):  # where two types are left equally short, between two responses
            for t in range(T):
                for s in range(t + 1, T):
                    at_a = (value[t] - u[t, 0, m, chosen[a]]) - (value[s] - u[s, 0, m, chosen[a]])
                    at_b = (value[t] - u[t, 0, m, chosen[b]]) - (value[s] - u[s, 0, m, chosen[b]])
                    if at_a * at_b >= 0.0:
                        continue
                    share = at_a / (at_a - at_b)
                    least = np.inf
                    for h in range(T):
                        met = u[h, 0, m, chosen[a]] + share * (u[h, 0, m, chosen[b]] - u[h, 0, m, chosen[a]])
                        least = min(least, value[h] - met)
                    best = max(best, least)
    if size == 3:  # where all three types are
        a, b, c = chosen[0], chosen[1], chosen[2]
        p0 = (value[0] - u[0, 0, m, a]) - (value[1] - u[1, 0, m, a])
        p1 = (value[0] - u[0, 0, m, b]) - (value[1] - u[1, 0, m, b])
        p2 = (value[0] - u[0, 0, m, c]) - (value[1] - u[1, 0, m, c])
        q0 = (value[0] - u[0, 0, m, a]) - (value[2] - u[2, 0, m, a])
        q1 = (value[0] - u[0, 0, m, b]) - (value[2] - u[2, 0, m, b])
        q2 = (value[0] - u[0, 0, m, c]) - (value[2] - u[2, 0, m, c])
        x0, x1, x2 = p1 * q2 - p2 * q1, p2 * q0 - p0 * q2, p0 * q1 - p1 * q0
        total = x0 + x1 + x2
        if total != 0.0 and x0 / total >= 0.0 and x1 / total >= 0.0 and x2 / total >= 0.0:
            least = np.inf
            for h in range(T):
                met = (x0 * u[h, 0, m, a] + x1 * u[h, 0, m, b] + x2 * u[h, 0, m, c]) / total
                least = min(least, value[h] - met)
            best = max(best, least)
    return best


@kernel
def _regular(sent: Any, slots: Any, T: int, M: int) -> bool:
    """Whether no set of types and messages has more indifferences among them than unknowns (Hall's condition)."""
    for messages in range(1, 1 << M):
        free, whole = 0, True
        for m in range(M):
            if (messages >> m) & 1:
                whole &= sent[m] != 0
                free += slots[m]
        if not whole:
            continue
        for types in range(1, 1 << T):
            edges = 0
            for m in range(M):
                if (messages >> m) & 1:
                    edges += _bits(sent[m] & types)
            if edges > _bits(types) + free:
                return False
    return True


@kernel
def _survey(
    U: Any, V: Any, sender_view: Any, receiver_view: Any, joint: Any, events: Any, tol: float, count: Any,
    patterns: Any, several: Any, doubtful: Any, low: Any, high: Any,
) -> None:  # fmt: skip
    n, T, Q, M, R = U.shape
    E = events.shape[1]
    most = T * M  # unknowns of a system, at most
    u, v = np.empty((T, Q, M, R)), np.empty((T, Q, M, R))
    gain, x = np.empty((Q, R, T)), np.empty(3)
    replies = np.empty(M, dtype=np.int64)
    corner_types, corner_best = np.empty(OPTIONS, dtype=np.int64), np.empty(OPTIONS, dtype=np.int64)
    family = np.empty(OPTIONS, dtype=np.int64)
    option_types, option_best = np.empty((M, OPTIONS), dtype=np.int64), np.empty((M, OPTIONS), dtype=np.int64)
    option_slots, options = np.empty((M, OPTIONS), dtype=np.int64), np.empty(M, dtype=np.int64)
    option_low, option_high = np.empty((M, OPTIONS, T)), np.empty((M, OPTIONS, T))
    faces, face_number = np.empty((M, OPTIONS), dtype=np.int64), np.empty(M, dtype=np.int64)
    floor = np.empty((M, T))
    turn, load = np.empty(M, dtype=np.int64), np.empty(M, dtype=np.int64)
    sent, slots, best = np.zeros(M, dtype=np.int64), np.zeros(M, dtype=np.int64), np.zeros(M, dtype=np.int64)
    A, c = np.empty((most, most)), np.empty(most)
    column_m, column_q, column_r = (
        np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64),
    )  # fmt: skip
    rho, sigma = np.zeros((Q, M, R)), np.zeros((T, M))
    sender_column = np.empty((T, M), dtype=np.int64)
    home = np.empty(T, dtype=np.int64)
    worth, value = np.empty((T, M)), np.empty(T)
    chosen = np.empty(3, dtype=np.int64)
    for g in range(n):
        # payoffs in units of their span; messages after which replies change nothing have one reply
        least_u, most_u, least_v, most_v = np.inf, -np.inf, np.inf, -np.inf
        close = False
        for t in range(T):
            for q in range(Q):
                close |= not (receiver_view[g, t, q] > 0.0)
                for m in range(M):
                    for r in range(R):
                        least_u, most_u = min(least_u, U[g, t, q, m, r]), max(most_u, U[g, t, q, m, r])
                        least_v, most_v = min(least_v, V[g, t, q, m, r]), max(most_v, V[g, t, q, m, r])
        span_u = most_u - least_u if most_u > least_u else 1.0
        span_v = most_v - least_v if most_v > least_v else 1.0
        close |= max(abs(least_u), abs(most_u)) > 1e4 * span_u or max(abs(least_v), abs(most_v)) > 1e4 * span_v
        for m in range(M):
            idle = True
            for t in range(T):
                for q in range(Q):
                    for r in range(R):
                        idle &= U[g, t, q, m, r] == U[g, t, q, m, 0] and V[g, t, q, m, r] == V[g, t, q, m, 0]
                        u[t, q, m, r] = sender_view[g, t, q] * (U[g, t, q, m, r] - least_u) / span_u
                        v[t, q, m, r] = (V[g, t, q, m, r] - least_v) / span_v
            replies[m] = 1 if idle else R
        # the cells of every message, and the faces off the path
        for m in range(M):
            if close:
                break
            reply = replies[m]
            for q in range(Q):
                for r in range(reply):
                    for t in range(T):
                        gain[q, r, t] = receiver_view[g, t, q] * v[t, q, m, r]
            corners, sure = _corners(gain, T, Q, reply, tol, corner_types, corner_best, x)
            close |= sure == 0
            number = 0
            for types in range(1, 1 << T):
                size = _closure(corner_types, corner_best, corners, types, Q, reply, family)
                close |= size < 0
                for k in range(size):
                    union = 0
                    for h in range(corners):
                        if corner_types[h] & ~types == 0 and corner_best[h] & family[k] == family[k]:
                            union |= corner_types[h]
                    if union != types:
                        continue
                    if number == OPTIONS:
                        close = True
                        break
                    option_types[m, number], option_best[m, number] = types, family[k]
                    option_slots[m, number] = _bits(family[k]) - Q
                    for t in range(T):
                        lowest, highest = 0.0, 0.0
                        for q in range(Q):
                            a, b = np.inf, -np.inf
                            for r in range(reply):
                                if (family[k] >> (q * reply + r)) & 1:
                                    a, b = min(a, u[t, q, m, r]), max(b, u[t, q, m, r])
                            lowest, highest = lowest + a, highest + b
                        option_low[m, number, t], option_high[m, number, t] = lowest, highest
                    number += 1
            options[m] = number
            if close:
                break
            total = _closure(corner_types, corner_best, corners, (1 << T) - 1, 1, reply, family)
            close |= total < 0
            for k in range(total):
                faces[m, k] = family[k]
            face_number[m] = total
            for t in range(T):
                floor[m, t] = np.inf
                for k in range(total):
                    for r in range(reply):
                        if (family[k] >> r) & 1:
                            floor[m, t] = min(floor[m, t], u[t, 0, m, r])
        # candidates, message by message
        depth = 0
        turn[0] = UNSENT - 1
        while depth >= 0 and not close:
            turn[depth] += 1
            o = turn[depth]
            if o == options[depth]:
                depth -= 1
                continue
            before = load[depth - 1] if depth else 0
            load[depth] = before + (_bits(option_types[depth, o]) - option_slots[depth, o] if o >= 0 else 0)
            if load[depth] > T or (depth + 1 == M and load[depth] < T):
                continue
            fits = True
            for t in range(T):
                for j in range(depth):
                    k = turn[j]
                    mine, theirs = (
                        o >= 0 and (option_types[depth, o] >> t) & 1,
                        k >= 0 and (option_types[j, k] >> t) & 1,
                    )
                    if mine:
                        other = option_low[j, k, t] if k >= 0 else floor[j, t]
                        fits &= option_high[depth, o, t] >= other - tol
                    if theirs:
                        other = option_low[depth, o, t] if o >= 0 else floor[depth, t]
                        fits &= option_high[j, k, t] >= other - tol
                if not fits:
                    break
            if not fits:
                continue
            if depth + 1 < M:
                depth += 1
                turn[depth] = UNSENT - 1
                continue
            union, unknowns = 0, 0
            for m in range(M):
                k = turn[m]
                sent[m] = option_types[m, k] if k >= 0 else 0
                slots[m] = option_slots[m, k] if k >= 0 else 0
                best[m] = option_best[m, k] if k >= 0 else 0
                union |= sent[m]
                unknowns += slots[m]
            if union != (1 << T) - 1:
                continue
            if unknowns and not _regular(sent, slots, T, M):
                continue
            # the receivers' mixtures
            columns = 0
            for m in range(M):
                for q in range(Q):
                    first = True
                    for r in range(replies[m]):
                        rho[q, m, r] = 0.0
                        if (best[m] >> (q * replies[m] + r)) & 1:
                            if first:
                                rho[q, m, r] = 1.0
                                first = False
                            else:
                                column_m[columns], column_q[columns], column_r[columns] = m, q, r
                                columns += 1
            for t in range(T):
                for m in range(M):
                    worth[t, m] = 0.0
                    if sent[m]:
                        for q in range(Q):
                            for r in range(replies[m]):
                                if rho[q, m, r] == 1.0:
                                    worth[t, m] += u[t, q, m, r]
            row = 0
            for t in range(T):
                home[t] = -1
                for m in range(M):
                    if (sent[m] >> t) & 1:
                        if home[t] < 0:
                            home[t] = m
                            sender_column[t, m] = -1
                            continue
                        sender_column[t, m] = row
                        c[row] = worth[t, home[t]] - worth[t, m]
                        for k in range(columns):
                            h, q, r = column_m[k], column_q[k], column_r[k]
                            step = 0.0
                            if h == m or h == home[t]:
                                base = 0
                                while rho[q, h, base] != 1.0:
                                    base += 1
                                step = u[t, q, h, r] - u[t, q, h, base]
                            A[row, k] = step if h == m else -step
                        row += 1
            if not _solve(A, c, unknowns, tol):
                close = True
                break
            slack = np.inf
            for k in range(columns):
                slack = min(slack, c[k])
            if slack < -tol:
                continue
            for k in range(columns):
                m, q = column_m[k], column_q[k]
                base = 0
                while not (best[m] >> (q * replies[m] + base)) & 1:
                    base += 1
                rho[q, m, column_r[k]] = c[k]
                rho[q, m, base] -= c[k]
                slack = (
                    min(slack, rho[q, m, base])
                    if k + 1 == columns or column_m[k + 1] != m or column_q[k + 1] != q
                    else slack
                )
            if slack < -tol:
                continue
            for t in range(T):
                for m in range(M):
                    if sent[m]:
                        worth[t, m] = 0.0
                        for q in range(Q):
                            for r in range(replies[m]):
                                worth[t, m] += rho[q, m, r] * u[t, q, m, r]
                value[t] = worth[t, home[t]]
            for t in range(T):
                for m in range(M):
                    if sent[m] and not (sent[m] >> t) & 1:
                        slack = min(slack, value[t] - worth[t, m])
            if slack < -tol:
                continue
            # off the path
            components = 1
            for m in range(M):
                if sent[m]:
                    continue
                held = 0
                for k in range(face_number[m]):
                    room = _face_slack(u, T, m, replies[m], faces[m, k], value, chosen)
                    if room > tol:
                        held += 1
                    elif room >= -tol:
                        held += 1
                        slack = min(slack, 0.0)
                components *= held
                if not held:
                    break
            if components == 0:
                continue
            # the sender's mixtures
            for t in range(T):
                for m in range(M):
                    sigma[t, m] = 0.0
                sigma[t, home[t]] = 1.0
            for k in range(columns):
                m, q, r = column_m[k], column_q[k], column_r[k]
                base = 0
                while not (best[m] >> (q * replies[m] + base)) & 1:
                    base += 1
                for j in range(unknowns):
                    A[k, j] = 0.0
                c[k] = 0.0
                for t in range(T):
                    weight = receiver_view[g, t, q] * (v[t, q, m, r] - v[t, q, m, base])
                    if not (sent[m] >> t) & 1:
                        continue
                    if m == home[t]:
                        c[k] -= weight
                        for h in range(M):
                            if h != m and (sent[h] >> t) & 1:
                                A[k, sender_column[t, h]] -= weight
                    else:
                        A[k, sender_column[t, m]] += weight
            if not _solve(A, c, unknowns, tol):
                close = True
                break
            for t in range(T):
                for m in range(M):
                    if (sent[m] >> t) & 1 and m != home[t]:
                        sigma[t, m] = c[sender_column[t, m]]
                        sigma[t, home[t]] -= sigma[t, m]
                        slack = min(slack, sigma[t, m])
                slack = min(slack, sigma[t, home[t]])
            if slack < -tol:
                continue
            for m in range(M):
                if not sent[m]:
                    continue
                for q in range(Q):
                    base, total_x = 0, 0.0
                    while not (best[m] >> (q * replies[m] + base)) & 1:
                        base += 1
                    for t in range(T):
                        total_x += receiver_view[g, t, q] * sigma[t, m]
                    for r in range(replies[m]):
                        if not (best[m] >> (q * replies[m] + r)) & 1:
                            better = 0.0
                            for t in range(T):
                                weight = receiver_view[g, t, q] * sigma[t, m]
                                better += weight * (v[t, q, m, base] - v[t, q, m, r])
                            slack = min(slack, better / total_x)
            if slack < -tol:
                continue
            if slack <= tol:
                close = True
                break
            count[g] += components
            for m in range(M):
                several[g] |= sent[m] != 0 and replies[m] < R
            pattern = 0
            for t in range(T):
                for m in range(M):
                    pattern |= ((sent[m] >> t) & 1) << (t * M + m)
            place = 0
            while place < KINDS and patterns[g, place] != -1 and patterns[g, place] != pattern:
                place += 1
            if place == KINDS:
                close = True
                break
            patterns[g, place] = pattern
            for e in range(E):
                least, highest = 0.0, 0.0
                for m in range(M):
                    if not sent[m]:
                        continue
                    for q in range(Q):
                        if replies[m] == 1 and R > 1:  # any reply is one of the equilibria
                            a, b = np.inf, -np.inf
                            for r in range(R):
                                chance = 0.0
                                for t in range(T):
                                    chance += joint[g, t, q] * sigma[t, m] * events[g, e, t, q, m, r]
                                a, b = min(a, chance), max(b, chance)
                            least, highest = least + a, highest + b
                        else:
                            for r in range(replies[m]):
                                if rho[q, m, r] == 0.0:
                                    continue
                                chance = 0.0
                                for t in range(T):
                                    chance += joint[g, t, q] * sigma[t, m] * events[g, e, t, q, m, r]
                                least, highest = least + rho[q, m, r] * chance, highest + rho[q, m, r] * chance
                low[g, e] = min(low[g, e], least)
                high[g, e] = max(high[g, e], highest)
        doubtful[g] = close or count[g] == 0

"""Which combinations of cells, one at each message, can make an equilibrium: a search with necessary conditions.

A candidate names for every message either a cell (types that send it, best responses to it; see
``signaling_cells``) or that it is not sent. The conditions here are necessary for an equilibrium, whatever
ties the game has, and are judged in floating point with a generous tolerance; the exact work is done on what
survives.

1. *Pairs.* If t sends i, then its highest payoff from i is not below its lowest payoff from any j.
2. *Cover.* Every type sends some message.
3. *Indifference.* The receivers' responses must make every type indifferent between the messages that it
   sends, and the types' strategies must make the receivers indifferent between the responses in each cell.
   Both are linear; a side with no more unknowns than equations has at most one solution unless it is
   singular, and that solution must be a strategy and leave no gainful deviation. Singular and underdetermined
   sides are passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import GameError
from deterrence.solvers.algebra.polytopes import members
from deterrence.solvers.budget import Budget
from deterrence.solvers.signaling.cells import Message, Option, Tables, bounds

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]

_LOOSE = 1e-6  # what rounding may do to a candidate's payoffs (span 1 by type) and probabilities, with a wide margin
_SINGULAR = 1e-6  # Hadamard ratio below which a linear system is called singular and the candidate kept
_SLIGHT = 1e-2  # length of a column below which rounding may upset its unknown: singular, too
_CHUNK = 4096  # candidates whose linear systems are solved together
_CELLS = 4_000_000  # pairs of a combination and an option that are looked at together
_FEW = 12  # candidates up to this number are cheaper to work out than to filter


def supports(
    tables: Tables, messages: Sequence[Message], limit: int, budget: Budget
) -> Iterator[tuple[Option | None, ...]]:
    """Yield the candidates: for each message an option, or None if it is not sent.

    Raises
    ------
    GameError
        If more than ``limit`` combinations would have to be looked at; before the search starts.
    """
    search = _Search(tables, messages)
    compatible = search.compatible()
    rows = _joined(compatible, [len(s) for s in search.sends], limit, tables, budget)
    rows = rows[search.all_types_send(rows)]
    if len(rows) > _FEW:
        rows = search.solvable(rows, budget)
    for row in rows.tolist():
        yield tuple([options[k] for options, k in zip(search.options, row)])


class _Search:
    """The options of every message as arrays; option 0 is "not sent"."""

    def __init__(self, tables: Tables, messages: Sequence[Message]) -> None:
        T, _, M, _ = tables.shape
        self.tables = tables
        spans = [_known_bounds(tables, m) for m in range(M)]
        free = [tuple(_union(sets) for sets in zip(*message.unsent)) for message in messages]
        floors = [spans[m](free[m])[0] for m in range(M)]
        floor = [max(column) - _LOOSE for column in zip(*floors)]
        self.options: list[list[Option | None]] = []
        self.sends: list[Flags] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        for m, message in enumerate(messages):
            kept: list[Option | None] = [None]
            low, high = [floors[m]], [[0.0] * T]
            for option in message.options:
                least, most = spans[m](option[1])
                if all(most[t] >= floor[t] for t in members(option[0])):
                    kept.append(option)
                    low.append(least)
                    high.append(most)
            self.options.append(kept)
            masks = np.array([0 if o is None else o[0] for o in kept])
            self.sends.append((masks[:, None] >> np.arange(T) & 1).astype(bool))
            self.low.append(np.array(low))
            self.high.append(np.array(high) + _LOOSE)

    def compatible(self) -> dict[tuple[int, int], Flags]:
        """For each pair of messages i < j, which options of i go with which options of j."""
        table: dict[tuple[int, int], Flags] = {}
        idle = [~s for s in self.sends]
        for j in range(len(self.sends)):
            for i in range(j):
                content_i = idle[i][:, None] | (self.high[i][:, None] >= self.low[j])
                content_j = idle[j] | (self.high[j] >= self.low[i][:, None])
                table[i, j] = np.all(content_i & content_j, axis=-1)
        return table

    def all_types_send(self, rows: Rows) -> Flags:
        """Whether every type sends some message."""
        sent = self.sends[0][rows[:, 0]]
        for m in range(1, len(self.sends)):
            sent = sent | self.sends[m][rows[:, m]]
        result: Flags = np.all(sent, axis=1)
        return result

    def solvable(self, rows: Rows, budget: Budget) -> Rows:
        """Keep the candidates whose indifference conditions can hold."""
        systems = _Systems(self.tables, self.options)
        edges = sum(s[rows[:, m]].sum(axis=1) for m, s in enumerate(self.sends)) - self.tables.shape[0]
        mixing = sum(systems.mixing[m][rows[:, m]].sum(axis=1) for m in range(len(self.sends)))
        keep = np.ones(len(rows), dtype=bool)
        for solve, relevant, unknowns in (
            (systems.receivers_ok, mixing <= edges, mixing),
            (systems.senders_ok, mixing >= edges, edges),
        ):
            for k in np.unique(unknowns[relevant]).tolist():
                group = np.flatnonzero(relevant & keep & (unknowns == k))
                for start in range(0, len(group), _CHUNK):
                    if not budget.spend():
                        return rows
                    part = group[start : start + _CHUNK]
                    sends = np.stack([s[rows[part, m]] for m, s in enumerate(self.sends)], axis=2)
                    keep[part] = solve(rows[part], sends, int(k))
        return rows[keep]


class _Systems:
    """The linear systems of candidates, many at a time.

    The receivers' side of an option is a base (the first response of each set) and directions towards the
    others; the senders' side says how each type's weight at a message pulls the receivers between those
    responses.
    """

    def __init__(self, tables: Tables, options: Sequence[Sequence[Option | None]]) -> None:
        T, Q, _, R = self.shape = tables.shape
        u, v, b = tables.floats
        self.tiny = bool((b[b > 0] < 1e3 * _LOOSE).any())
        width = Q * (R - 1)
        self.mixing: list[Flags] = []  # [option, direction]: is the direction in use
        self.base: list[Floats] = []  # [option, t]: payoff at the base
        self.steps: list[Floats] = []  # [option, t, direction]: change of payoff
        self.pulls: list[Floats] = []  # [option, direction, t]: gain of the base over the other response, times P(t|q)
        self.gains: list[Floats] = []  # [option, q, r, t]: gain of the base over r, times P(t|q)
        for m, kept in enumerate(options):
            n = len(kept)
            mixing, base = np.zeros((n, width), dtype=bool), np.zeros((n, T))
            steps, pulls = np.zeros((n, T, width)), np.zeros((n, width, T))
            gains = np.zeros((n, Q, R, T))
            for o, option in enumerate(kept):
                if option is None:
                    continue
                column = 0
                for q, mask in enumerate(option[1]):
                    first, *others = members(mask)
                    base[o] += u[:, q, m, first]
                    for r in others:
                        mixing[o, column] = True
                        steps[o, :, column] = u[:, q, m, r] - u[:, q, m, first]
                        pulls[o, column] = b[:, q] * (v[:, q, m, first] - v[:, q, m, r])
                        column += 1
                    gains[o, q] = (b[:, q, None] * (v[:, q, m, first, None] - v[:, q, m, :])).T
            self.mixing.append(mixing)
            self.base.append(base)
            self.steps.append(steps)
            self.pulls.append(pulls)
            self.gains.append(gains)

    def receivers_ok(self, rows: Rows, sends: Flags, k: int) -> Flags:
        """Whether k mixing probabilities of the receivers make the senders indifferent and content."""
        T, Q, M, _ = self.shape
        n = len(rows)
        base = np.stack([x[rows[:, m]] for m, x in enumerate(self.base)], axis=2)  # n, T, M
        active = np.concatenate([x[rows[:, m]] for m, x in enumerate(self.mixing)], axis=1)  # n, M * width
        columns = _first(active, k)
        steps = np.stack([x[rows[:, m]] for m, x in enumerate(self.steps)], axis=2)  # n, T, M, width
        width = steps.shape[-1]
        spread = np.zeros((n, T, M, k))
        for c in range(k):
            m, d = np.divmod(columns[:, c], width)
            spread[np.arange(n), :, m, c] = steps[np.arange(n), :, m, d]
        count = sends.sum(axis=2)
        matrix = np.where(sends[..., None], spread - _over(spread, sends, count)[:, :, None], 0.0)
        target = np.where(sends, _over(base[..., None], sends, count) - base, 0.0)
        y, singular = _least_squares(matrix.reshape(n, T * M, k), target.reshape(n, T * M))
        values = base + np.einsum("ntmk,nk->ntm", spread, y)
        reached = np.where(sends, values, -np.inf).max(axis=2)
        equal = np.where(sends, np.abs(values - reached[..., None]), 0.0).max(axis=(1, 2)) <= _LOOSE
        unsent = ~np.any(sends, axis=1, keepdims=True)
        content = (np.where(unsent, -np.inf, values).max(axis=2) <= reached + _LOOSE).all(axis=1)
        used = np.zeros((n, M * width))
        np.put_along_axis(used, columns, y, axis=1)
        total = used.reshape(n, M, width).sum(axis=2)  # over receiver types together: a weaker bound, and enough here
        strategy = (y >= -_LOOSE).all(axis=1) & (total <= Q + _LOOSE).all(axis=1)
        result: Flags = singular | (equal & content & strategy)
        return result

    def senders_ok(self, rows: Rows, sends: Flags, k: int) -> Flags:
        """Whether k mixing probabilities of the types make the receivers indifferent and content."""
        T, _, M, _ = self.shape
        n = len(rows)
        if self.tiny:
            return np.ones(n, dtype=bool)
        first = sends.argmax(axis=2)  # n, T
        is_first = np.arange(M) == first[..., None]
        base = is_first.astype(np.float64)
        columns = _first((sends & ~is_first).reshape(n, T * M), k)
        t, m = np.divmod(columns, M)
        lines = np.arange(n)[:, None]
        pulls = np.stack([x[rows[:, j]] for j, x in enumerate(self.pulls)], axis=1)  # n, M, width, T
        width = pulls.shape[2]
        matrix = np.zeros((n, M, width, k))
        for c in range(k):
            at, who = np.arange(n), t[:, c]
            matrix[at, m[:, c], :, c] += pulls[at, m[:, c], :, who]
            matrix[at, first[at, who], :, c] -= pulls[at, first[at, who], :, who]
        target = -np.einsum("nmwt,ntm->nmw", pulls, base)
        y, singular = _least_squares(matrix.reshape(n, M * width, k), target.reshape(n, M * width))
        sigma = np.zeros((n, T, M))
        sigma[lines, t, m] = y
        rest = 1.0 - sigma.sum(axis=2)
        np.put_along_axis(sigma, first[..., None], rest[..., None], axis=2)
        strategy = (sigma >= -_LOOSE).all(axis=(1, 2))
        gains = np.stack([x[rows[:, j]] for j, x in enumerate(self.gains)], axis=1)  # n, M, Q, R, T
        slack = np.einsum("nmqrt,ntm->nmqr", gains, sigma)
        content = (slack >= -_LOOSE).all(axis=(1, 2, 3))
        equal = (np.abs(np.einsum("nmwt,ntm->nmw", pulls, sigma)) <= _LOOSE).all(axis=(1, 2))
        result: Flags = singular | (strategy & content & equal)
        return result


def _least_squares(matrix: Floats, target: Floats) -> tuple[Floats, Flags]:
    """Solve overdetermined systems by normal equations; flag those that are close to singular."""
    k = matrix.shape[-1]
    if k == 0:
        return np.zeros((len(matrix), 0)), np.zeros(len(matrix), dtype=bool)
    norms = np.sqrt((matrix * matrix).sum(axis=1))
    scaled = matrix / np.where(norms > 0, norms, 1.0)[:, None, :]
    gram = np.swapaxes(scaled, 1, 2) @ scaled
    singular = (np.linalg.det(gram) < _SINGULAR) | (norms < _SLIGHT).any(axis=1)
    gram[singular] = np.eye(k)
    y = np.linalg.solve(gram, np.einsum("nek,ne->nk", scaled, target)[..., None])[..., 0]
    return y / np.where(norms > 0, norms, 1.0), singular


def _first(active: Flags, k: int) -> Rows:
    """Positions of the k flags that are set in each row."""
    return np.argsort(~active, axis=1, kind="stable")[:, :k]


def _over(values: Floats, sends: Flags, count: Any) -> Floats:
    """Average over the messages that each type sends (axis 2)."""
    average: Floats = np.where(sends[..., None], values, 0.0).sum(axis=2) / count[..., None]
    return average


def _known_bounds(tables: Tables, m: int) -> Any:
    """``bounds`` at a message, in floats, each worked out once."""
    known: dict[Any, tuple[list[float], list[float]]] = {}
    scale = [max([max(row) for table in rows for row in table]) or 1 for rows in tables.u]

    def lookup(responses: Any) -> tuple[list[float], list[float]]:
        if responses not in known:
            low, high = bounds(tables, m, responses)
            known[responses] = [x / s for x, s in zip(low, scale)], [x / s for x, s in zip(high, scale)]
        return known[responses]

    return lookup


def _union(masks: Sequence[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


def _joined(
    compatible: dict[tuple[int, int], Flags], sizes: Sequence[int], limit: int, tables: Tables, budget: Budget
) -> Rows:
    """Every combination of options that are pairwise compatible, a message at a time."""
    rows: Rows = np.arange(sizes[0])[:, None]
    for m in range(1, len(sizes)):
        parts, count = [], 0
        step = max(1, _CELLS // sizes[m])
        for start in range(0, len(rows), step):
            if not budget.spend():
                return np.zeros((0, len(sizes)), dtype=np.intp)
            part = rows[start : start + step]
            together = compatible[0, m][part[:, 0]]
            for i in range(1, m):
                together = together & compatible[i, m][part[:, i]]
            line, option = np.nonzero(together)
            parts.append(np.concatenate([part[line], option[:, None]], axis=1))
            count += len(line)
            if count > limit:
                _refuse(count * len(rows) / min(start + step, len(rows)), limit, tables)
        rows = np.concatenate(parts)
    return rows


def _refuse(count: float, limit: int, tables: Tables) -> None:
    T, Q, M, R = tables.shape
    raise GameError(
        f"a game of {T} types x {Q} receiver types x {M} messages x {R} responses has {count:.2g} or more combinations "
        f"of supports to look at, more than limit={limit}; raise the limit, or make the game smaller"
    )

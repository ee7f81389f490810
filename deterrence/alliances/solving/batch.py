r"""Cutpoint equilibria of a batch of participation stages: the lowest and the highest at each point.

Most points of a sweep have one equilibrium only, and often that can be shown at little cost: c* lies between
the penalty and the penalty plus stake times the most that a member can add, which bounds the density of F, and
the second differences of H are bounded (``solving.bounds``). Where the spectral radius of the product
is below one the cutpoint map is a contraction: any start leads to the same fixed point, so one is followed.
Elsewhere nobody and everybody are the starts; and where identical members may do different things (contributions are
substitutes somewhere), so are profiles in which some of them come and the others stay away, settled by best responses
one member at a time. Points that are equal in every number are solved once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.bounds import bloc, contracts, differing_counts, inflection
from deterrence.alliances.solving.expected_defence import ExpectedDefence, batch_defence, expected_defence
from deterrence.alliances.solving.iteration import Cutpoints, cutpoints_from
from deterrence.alliances.solving.strength import RESOLUTION
from deterrence.games.values import Value
from deterrence.solvers.arguments import require_form

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_ROUNDS = 30  # of best responses before the cutpoint map takes over
SAME = 1e-7  # two fixed points nearer than this, in every probability, are one


@dataclass(frozen=True, eq=False)
class ParticipationBatch(Value):
    """The lowest and the highest equilibrium found at each point of a batch, in one state of the treaty.

    Attributes
    ----------
    lowest, highest : Cutpoints
        By expected defence, of those reached from all starts; arrays of shape (..., N).
    holds : tuple of ndarray, shape (...)
        E[H] at each.
    converged : ndarray of bool, shape (...)
        Whether both were reached within the tolerance.
    error : float
        Bound on the numerical error of E[H].
    unique : ndarray of bool, shape (...)
        Whether it is proven that there is one equilibrium only. Elsewhere others may lie beyond the two: nothing is
        claimed of them.
    """

    lowest: Cutpoints
    highest: Cutpoints
    holds: tuple[Floats, Floats]
    converged: NDArray[np.bool_]
    error: float
    unique: NDArray[np.bool_]

    @property
    def several(self) -> NDArray[np.bool_]:
        """Whether the two differ, shape (...)."""
        gap = np.abs(self.lowest.probabilities - self.highest.probabilities).max(axis=-1)
        return np.asarray(gap > SAME)


def participation_batch(
    stage: ParticipationStage,
    *,
    tol: float = 1e-12,
    method: str = "auto",
    resolution: int = RESOLUTION,
    chunk: int = 64,
    workers: int = 1,
) -> ParticipationBatch:
    """Solve a batch of stages from nobody and from everybody.

    Where all contributions are complements these are the lowest and the highest equilibrium; elsewhere they are those
    of the least and the most expected defence among those that were found, also from starts at which identical members
    differ (the same one, where it is unique). Points that did not converge are flagged and hold the best that was
    reached.

    Parameters
    ----------
    stage : ParticipationStage
        With batch dimensions (...); ``game.stage(...)`` of a game with arrays for numbers.
    tol, method, resolution
        As in ``participation``.
    chunk : int
        Points solved at a time: small enough for the processor's cache.
    workers : int
        Threads. The numbers do not depend on it; the interpreter's lock keeps the gain small, so use processes
        (a sweep does) to spread a large batch.

    Raises
    ------
    GameError
        If given anything but a stage.
    """
    from concurrent.futures import ThreadPoolExecutor

    require_form(stage, "participation_batch", "ParticipationStage")
    shape = stage.batch_shape
    if not shape:
        single = _solved(replace(stage, base=stage.base.reshape(1)), tol, method, resolution)
        return _shaped(single, np.zeros(1, dtype=np.intp), shape)
    size = int(np.prod(shape))
    flat = _flattened(stage, shape, size)
    index, inverse = distinct_rows(_columns(flat), size)
    if len(index) < size:
        flat = flat.at(index)
    pieces = [flat.at(slice(k, k + chunk)) for k in range(0, max(len(index), 1), chunk)]

    def solve(part: ParticipationStage) -> ParticipationBatch:
        return _solved(part, tol, method, resolution)

    if workers > 1 and len(pieces) > 1:
        with ThreadPoolExecutor(workers) as pool:
            solved = list(pool.map(solve, pieces))
    else:
        solved = [solve(piece) for piece in pieces]
    return _shaped(_joined(solved), inverse, shape)


def defence_holds(stage: ParticipationStage, probabilities: Floats, *, chunk: int = 64) -> tuple[Floats, float]:
    """Return E[H] if members come with given probabilities of shape (..., N), shape (...), and a bound on its error."""
    shape = np.broadcast_shapes(stage.batch_shape, probabilities.shape[:-1])
    if not shape:
        defence = expected_defence(stage)
        return defence.value(probabilities), float(np.max(defence.error))
    size, n = int(np.prod(shape)), len(stage.names)
    rows = np.broadcast_to(probabilities, (*shape, n)).reshape(size, n)
    wide = _flattened(stage, shape, size)
    result, error = np.empty(size), 0.0
    for k in range(0, size, chunk):
        piece = slice(k, k + chunk)
        defence = batch_defence(wide.at(piece))
        result[piece] = defence.value(rows[piece])
        error = max(error, float(np.max(defence.error)))
    return result.reshape(shape), error


def distinct_rows(columns: list[Floats], size: int) -> tuple[Indices, Indices]:
    """Return the indices of rows that differ, and for each row the place of its equal among them.

    Parameters
    ----------
    columns : list of ndarray, shape (size,) or (size, k)
        What two rows must have in common to be equal.
    size : int
        Number of rows; with no columns all are equal.
    """
    wide = [column.reshape(size, -1) for column in columns]
    every = np.arange(size, dtype=np.intp)
    if not wide:
        return every[:1], np.zeros(size, dtype=np.intp)
    mark = np.zeros(size)  # a projection that tells different rows apart almost surely; then all is compared
    step = 0.0
    for column in wide:
        for k in range(column.shape[1]):
            step = (step + 0.6180339887498949) % 1.0
            mark += (0.5 + step) * column[:, k]
    _, index, inverse = np.unique(mark, return_index=True, return_inverse=True)
    inverse = inverse.reshape(size)
    if len(index) > 0.9 * size or not all(np.array_equal(column, column[index[inverse]]) for column in wide):
        return every, every
    return index.astype(np.intp), inverse.astype(np.intp)


def _columns(stage: ParticipationStage) -> list[Floats]:
    rows = (stage.base, stage.strength, stage.decisiveness)
    wide = (stage.weights, stage.stakes, stage.penalties, stage.position)
    found = [array for array in rows if array.ndim > 0] + [array for array in wide if array.ndim > 1]
    return found + stage.costs.columns()


def _solved(stage: ParticipationStage, tol: float, method: str, resolution: int) -> ParticipationBatch:
    """Solve a stage with one batch axis."""
    (size,), n = stage.batch_shape, len(stage.names)
    unique = np.broadcast_to(contracts(stage), (size,))
    complements = np.broadcast_to(stage.base + stage.weights.sum(axis=-1) <= inflection(stage), (size,))
    ends: list[Cutpoints] = []
    holds: list[Floats] = []
    order = np.argsort(~unique, kind="stable")  # those with one equilibrium first
    error = 0.0
    for chosen, both in ((order[: unique.sum()], False), (order[unique.sum() :], True)):
        if not len(chosen):
            continue
        part = stage if len(chosen) == size else stage.at(chosen)
        defence = batch_defence(part, method=method, resolution=resolution)
        position = np.broadcast_to(part.position, (len(chosen), n))
        starts = [np.zeros((len(chosen), n)), position.copy()] if both else [position * part.costs.cdf(part.penalties)]
        found = [cutpoints_from(part, defence, start, tol=tol, anywhere=not both) for start in starts]
        value = [defence.value(one.probabilities) for one in found]
        low, high = Cutpoints.swap(found[0], found[-1], value[0] > value[-1])
        held = np.sort(np.stack([value[0], value[-1]]), axis=0)
        if both:
            low, high, held = _widened(part, defence, (low, high, held), ~complements[chosen], tol)
        ends.append(Cutpoints.stack(low, high))
        holds.append(held)
        error = max(error, float(np.max(defence.error)))
    back = np.argsort(order, kind="stable")
    pair = Cutpoints.join(ends, axis=1).at((slice(None), back))
    held = np.concatenate(holds, axis=1)[:, back]
    low, high = pair.at(0), pair.at(1)
    return ParticipationBatch(
        low,
        high,
        (held[0], held[1]),
        low.converged & high.converged,
        error,
        np.array(unique),
    )


def _widened(
    stage: ParticipationStage,
    defence: ExpectedDefence,
    known: tuple[Cutpoints, Cutpoints, Floats],
    substitutes: NDArray[np.bool_],
    tol: float,
) -> tuple[Cutpoints, Cutpoints, Floats]:
    """Return the lowest, the highest and their E[H], with equilibria in which identical members differ among them."""
    low, high, held = known
    groups: dict[tuple[int, ...], list[int]] = {}
    for k in np.flatnonzero(substitutes):
        alike = bloc(stage.at(int(k)))
        if alike is not None and len(alike) > 1:
            groups.setdefault(tuple(alike), []).append(int(k))
    for identical, rows in groups.items():
        members, index = list(identical), np.array(rows)
        part, its = stage.at(index), defence.at(index)
        position = np.broadcast_to(part.position, (len(index), len(stage.names)))
        for come, mix in differing_counts(len(members)):
            start = position * part.costs.cdf(part.penalties)
            start[:, members] = 0.0
            start[:, members[:come]] = position[:, members[:come]]
            start[:, members[come : come + mix]] = 0.5 * position[:, members[come : come + mix]]
            for rows_from in (start, _settled(part, its, start, members)):
                found = cutpoints_from(part, its, rows_from, tol=tol, anywhere=True)
                value = its.value(found.probabilities)
                lower = found.converged & (value < held[0, index])
                higher = found.converged & (value > held[1, index])
                low, high = low.replaced(index[lower], found, lower), high.replaced(index[higher], found, higher)
                held[0, index[lower]], held[1, index[higher]] = value[lower], value[higher]
    return low, high, held


def _settled(stage: ParticipationStage, defence: ExpectedDefence, start: Floats, members: Sequence[int]) -> Floats:
    """Return where best responses, one member at a time, have come after some rounds; shape (..., N)."""
    q = start.copy()
    for _ in range(_ROUNDS):
        before = q.copy()
        for i in members:
            cut = stage.stakes * defence.gains(q) + stage.penalties
            q[:, i] = (stage.position * stage.costs.cdf(cut))[:, i]
        if np.abs(q - before).max(initial=0.0) <= SAME:
            break
    return q


def _joined(parts: list[ParticipationBatch]) -> ParticipationBatch:
    if len(parts) == 1:
        return parts[0]
    return ParticipationBatch(
        Cutpoints.join([part.lowest for part in parts]),
        Cutpoints.join([part.highest for part in parts]),
        (np.concatenate([part.holds[0] for part in parts]), np.concatenate([part.holds[1] for part in parts])),
        np.concatenate([part.converged for part in parts]),
        max(part.error for part in parts),
        np.concatenate([part.unique for part in parts]),
    )


def _shaped(found: ParticipationBatch, inverse: Indices, shape: tuple[int, ...]) -> ParticipationBatch:
    """Return the batch with each point put back where it stood."""
    same = len(inverse) == len(found.converged) and np.array_equal(inverse, np.arange(len(inverse)))

    def ones(array: NDArray[np.generic]) -> NDArray[np.generic]:
        return (array if same else array[inverse]).reshape(shape)

    def ends(one: Cutpoints) -> Cutpoints:
        return (one if same else one.at(inverse)).reshape(shape)

    return ParticipationBatch(
        ends(found.lowest),
        ends(found.highest),
        (np.asarray(ones(found.holds[0]), float), np.asarray(ones(found.holds[1]), float)),
        np.asarray(ones(found.converged), bool),
        found.error,
        np.asarray(ones(found.unique), bool),
    )


def _flattened(stage: ParticipationStage, shape: tuple[int, ...], size: int) -> ParticipationStage:
    """Return the stage with one batch axis."""
    n = len(stage.names)

    def one(array: Floats) -> Floats:
        return array if array.ndim == 0 else np.broadcast_to(array, shape).reshape(size)

    def row(array: Floats) -> Floats:
        return array if array.ndim == 1 else np.broadcast_to(array, (*shape, n)).reshape(size, n)

    return ParticipationStage(
        stage.names,
        one(stage.base),
        row(stage.weights),
        one(stage.strength),
        one(stage.decisiveness),
        row(stage.stakes),
        row(stage.penalties),
        row(stage.position),
        stage.costs.reshape(shape, size),
        row(stage.burdens),
        row(stage.units),
    )

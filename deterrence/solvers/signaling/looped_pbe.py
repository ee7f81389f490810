"""A batch of signaling games through the solver of single games, one by one or in processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from deterrence.games.batch import Survey
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import SolverError
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame

Finding = tuple[int, tuple[str, ...], bool, list[tuple[float, float]]]
Solver = Callable[[SignalingGame], EquilibriumSet]

SAME_OUTCOME = 1e-7  # outcome probabilities closer than this are the same: rounding is far below, continua far above


def survey_one_by_one(game: SignalingGame, single: Solver, processes: int, events: Sequence[Event]) -> Survey:
    """Return counts, kinds, event ranges and ties of a batch of any shape.

    Parameters
    ----------
    game : SignalingGame
        The batch.
    single : callable
        Solves one game; it must be picklable if there is more than one process.
    processes : int
        With one, the games are solved in this process. New ones are started by ``spawn``.
    events : sequence of str or callable
    """
    size = math.prod(game.batch_shape)
    weights = [
        np.broadcast_to(game.event_weights(e), (*game.batch_shape, *game.shape)).reshape(size, *game.shape)
        for e in events
    ]
    jobs = [(game[flat_index(game, i)], [w[i] for w in weights]) for i in range(size)]
    findings = list(_findings(single, jobs, processes))
    kinds = {kind: np.zeros(size, dtype=bool) for kind in dict.fromkeys(k for f in findings if f for k in f[1])}
    survey = Survey(
        count=np.zeros(size, dtype=np.int64),
        kinds=dict(sorted(kinds.items())),
        degenerate=np.zeros(size, dtype=bool),
        unsolved=np.ones(size, dtype=bool),
        low=np.full((len(events), size), np.nan),
        high=np.full((len(events), size), np.nan),
    )
    for i, finding in enumerate(findings):
        if finding is None:
            continue
        survey.count[i], _, survey.degenerate[i], ranges = finding
        survey.unsolved[i] = survey.count[i] == 0
        for kind in finding[1]:
            kinds[kind][i] = True
        for e, (low, high) in enumerate(ranges):
            survey.low[e, i], survey.high[e, i] = low, high
    return survey


def flat_index(game: SignalingGame, i: int) -> tuple[int, ...]:
    """Return the indices of the i-th game of a batch, in C order."""
    return tuple(int(k) for k in np.unravel_index(i, game.batch_shape))


def _findings(
    single: Solver, jobs: list[tuple[SignalingGame, list[Array]]], processes: int
) -> Iterable[Finding | None]:
    if processes == 1 or len(jobs) < 2:
        return (_solve(single, *job) for job in jobs)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        games, weights = zip(*jobs, strict=True)
        chunk = max(1, len(jobs) // (8 * processes))
        return list(pool.map(_solve, [single] * len(jobs), games, weights, chunksize=chunk))


def _solve(single: Solver, game: SignalingGame, weights: list[Array]) -> Finding | None:
    try:
        found = single(game)
    except SolverError:
        return None
    outcomes = [_outcomes(game, component.vertices) for component in found]
    several = any(np.ptp(np.stack(vertices), axis=0).max() > SAME_OUTCOME for vertices in outcomes)
    chances = [[float((o * w).sum()) for vertices in outcomes for o in vertices] for w in weights]
    return len(found), found.kinds, several, [(min(c), max(c)) if c else (np.nan, np.nan) for c in chances]


def _outcomes(game: SignalingGame, vertices: Iterable[Any]) -> list[Array]:
    return [game.outcome(v.sender, v.receiver) for v in vertices]

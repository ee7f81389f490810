"""Perfect Bayesian equilibria of arrays of signaling games.

One and two sender types are solved as arrays, tile by tile, in threads (NumPy releases the interpreter's
lock): see `two_type_kernel`, and for 2 x 2 x 2 `two_by_two_kernel` and its twin `two_by_two_compiled`.
Three types of small games are solved by `supports_compiled` where they have no ties; the rest goes through the
solver of single games, one by one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from typing import Any, TypeAlias

import numpy as np

from deterrence.games.batch import BatchEquilibria, Survey
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.events import Event
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.arguments import numbers_in
from deterrence.solvers.engine import compiles
from deterrence.solvers.signaling.equilibria import kind_of, signaling_equilibria
from deterrence.solvers.signaling.off_path_faces import counts_faces
from deterrence.solvers.signaling.one_type_kernel import kind_names_of_one, survey_one_type
from deterrence.solvers.signaling.tied_games import survey_tied
from deterrence.solvers.signaling.two_by_two_kernel import survey_222
from deterrence.solvers.signaling.two_type_kernel import Answers, Rows, Tile, kind_names, survey_tile

TIED = 32_768  # games decided together by `tied_games`, whose planes take a bit for each
COMPILED_TILE = 65_536  # games that a compiled kernel does at a time
RATE_222, RATE_SINGLE = 2e6, 200  # games a second that NumPy does, and the solver of single games
SUPPORTS_TILE = 4096
TILE = 8192  # float64 per temporary: what stays in a core's cache
FILTER = 1e-9  # comparisons closer than this share of the payoff span are not left to floats
FAR = 1e4  # payoffs this many times their span away from zero: their own rounding comes near the filter
Kernel: TypeAlias = Callable[[Tile, Sequence[str], float], Survey]
Finding = tuple[int, tuple[str, ...], bool, list[tuple[float, float]]]
Solver: TypeAlias = Callable[[SignalingGame], EquilibriumSet]

SAME_OUTCOME = 1e-7  # outcome probabilities closer than this are the same: rounding is far below, continua far above


def pbe_batch(
    game: SignalingGame,
    *,
    at: Mapping[str, object] | None = None,
    tol: float = 0.0,
    threads: int | None = None,
) -> BatchEquilibria:
    """Find every perfect Bayesian equilibrium of every game of a batch.

    Parameters
    ----------
    game : SignalingGame
        A batch: payoffs or priors have leading dimensions, of shape ``game.batch_shape``.
    at : mapping of str to array_like, optional
        Values of the game's parameters; arrays make a batch.
    tol : float, default 0
        For payoffs that come from a computation; see ``pbe``. Games in which it may matter are solved one by one.
    threads : int, optional
        Threads for one or two sender types; by default as many as there are cores. With three or more
        types, games are solved one by one in this process, or in that many new processes if ``threads`` is
        given and above one (a script must then guard its entry with ``if __name__ == "__main__"``).

    Returns
    -------
    BatchEquilibria
        Computed when first asked for, the same for each game as ``found[i]``: comparisons that floats do not decide
        are decided in exact arithmetic, at any number of games. If one message has more than 729 combinations of
        replies, ``(2 R - 1) ** Q``, ``count`` counts outcomes, and ties keep the answer of the array kernel.

    Raises
    ------
    GameError
        If the game is of another form or no batch, or has free parameters.
    ParameterError
        If ``tol`` or ``threads`` is out of range.

    Notes
    -----
    With three or more types ``degenerate`` flags games where some component holds more than one outcome:
    generic games have finitely many outcomes [1]_. With fewer it flags every near tie that matters, and
    each near tie of a receiver.

    References
    ----------
    .. [1] D. M. Kreps and R. Wilson, "Sequential Equilibria", Econometrica 50 (1982), 863-894, Theorem 2.

    Examples
    --------
    >>> import numpy as np
    >>> import deterrence as dt
    >>> strong = np.linspace(0.05, 0.95, 4)
    >>> games = dt.SignalingGame(
    ...     types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"),
    ...     prior=np.stack([strong, 1 - strong], axis=-1),
    ...     sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
    ...     receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]])
    >>> found = pbe_batch(games)
    >>> found.kinds["pooling on beer"]
    array([False, False,  True,  True])
    """
    game = numbers_in(game, at, "pbe_batch", ("SignalingGame",))
    game.require_numbers()
    if not game.batch_shape:
        raise GameError("the game is no batch: give payoffs or priors leading dimensions, or solve it with dt.pbe")
    if not 0 <= tol < 1:
        raise ParameterError(f"tol must lie in [0, 1), a share of the payoff span, got {tol!r}")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ParameterError(f"threads must be a whole number of at least 1, got {threads!r}")
    single = partial(_solve_one, tol=tol)
    types, receiver_types, _, responses = game.shape
    if types > 2:
        method, counted = "one by one", "components"
        survey: Callable[[tuple[Event, ...]], Survey] = partial(_survey_one_by_one, game, single, threads or 1, tol)
    else:
        method = "array kernel"
        counted = "components" if types == 1 or counts_faces(receiver_types, responses) else "outcomes"
        workers = threads or _cores()
        survey = _ArraySurvey(game, single, tol, workers, settle=counted == "components")
    return BatchEquilibria(
        game=game,
        concept="pbe",
        method=method,
        counted=counted,
        survey=survey,
        single=single,
        options={"tol": tol, "threads": threads},
    )


def _solve_one(game: SignalingGame, tol: float) -> EquilibriumSet:
    return signaling_equilibria(game, exact=False, tol=tol, limit=2_000_000)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, eq=False)
class _ArraySurvey:
    """One pass over the tiles of a batch, then the ties one by one."""

    game: SignalingGame
    single: Callable[[SignalingGame], EquilibriumSet]
    tol: float
    workers: int
    settle: bool
    _known: dict[int, EquilibriumSet] = field(default_factory=dict)

    def __call__(self, events: tuple[Event, ...]) -> Survey:
        kernel, names, tile = _kernel_for(self.game)
        size = math.prod(self.game.batch_shape)
        arrays = _Arrays.of(self.game, events)
        total, flags = _blank(size, names, len(events))
        doubtful = np.zeros(size, dtype=bool)
        starts = [*range(0, size, tile), size]

        def work(bounds: tuple[int, int]) -> None:
            cut = arrays.tile(*bounds)
            with np.errstate(all="ignore"):
                part = kernel(cut, names, self.tol)
                doubtful[slice(*bounds)] = part.unsolved
                if kernel is not survey_222:
                    part.degenerate[:] |= _far(cut.U) | _far(cut.V)
                    doubtful[slice(*bounds)] |= part.degenerate
            _store(total, part, slice(*bounds))

        def decide(games: Array) -> None:
            with np.errstate(all="ignore"):
                part = survey_tied(arrays.chosen(games), names)
            _store(total, part, games)
            doubtful[games] = part.unsolved

        if kernel is survey_222 and compiles(size / RATE_222):
            self._compiled(arrays, Answers(total.count, flags, total.degenerate, doubtful, total.low, total.high))
        else:
            self._map(work, list(pairwise(starts)))
        if kernel is survey_222 and not self.tol:
            tied = np.flatnonzero(doubtful)
            self._map(decide, [tied[i : i + TIED] for i in range(0, tied.size, TIED)])
        if not self.settle:
            return total
        return decided_singly(total, np.flatnonzero(doubtful), self._solved, events)

    def _compiled(self, arrays: _Arrays, answers: Answers) -> None:
        from deterrence.solvers.signaling.two_by_two_compiled import survey_rows  # loads Numba

        size = answers.count.size
        starts = [*range(0, size, COMPILED_TILE), size]

        def work(bounds: tuple[int, int]) -> None:
            survey_rows(arrays.rows(*bounds), answers, *bounds, self.tol)

        work((0, 0))  # loads the kernel
        self._map(work, list(pairwise(starts)))

    def _solved(self, i: int) -> EquilibriumSet:
        if i not in self._known:
            self._known[i] = self.single(self.game[flat_index(self.game, i)])
        return self._known[i]

    def _map(self, act: Callable[[Any], None], parts: Sequence[Any]) -> None:
        """Do some work, in threads if there is enough of it."""
        if self.workers == 1 or len(parts) < 3:
            for part in parts:
                act(part)
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                for _ in pool.map(act, parts):
                    pass


def _has_supports(game: SignalingGame) -> bool:
    """Return whether the compiled kernel over supports takes games of this shape."""
    types, receiver_types, messages, responses = game.shape
    return types == 3 and receiver_types == 1 and messages <= 3 and responses <= 4


def _survey_by_supports(game: SignalingGame, events: Sequence[Event], start: int, stop: int, tol: float) -> Survey:
    """Return what the compiled kernel over supports finds in games start to stop; ``unsolved`` where it is not sure."""
    from deterrence.solvers.signaling.supports_compiled import survey_generic  # loads Numba

    types, receiver_types, messages, responses = game.shape
    games, core = range(start, stop), (types, receiver_types, messages, responses)
    arrays = _Arrays.of(game, events)

    def lead(array: Array, *cell: int) -> Array:
        return np.broadcast_to(arrays.lead(array, len(cell), start, stop).reshape(-1, *cell), (len(games), *cell))

    found = survey_generic(
        lead(game.U, *core),
        lead(game.V, *core),
        lead(game.sender_view, *core[:2]),
        lead(game.receiver_view, *core[:2]),
        lead(game.joint_prior, *core[:2]),
        np.stack([lead(w, *core) for w, _ in arrays.events], axis=1) if events else np.empty((len(games), 0, *core)),
        tol,
    )
    kinds: dict[str, Array] = {}
    for pattern in np.unique(found.patterns[found.patterns >= 0]).tolist():
        sends = [[m for m in range(messages) if pattern >> (t * messages + m) & 1] for t in range(types)]
        flags = kinds.setdefault(kind_of(sends, game.types, game.messages), np.zeros(len(games), dtype=bool))
        flags |= (found.patterns == pattern).any(axis=1)
    return Survey(
        count=found.count,
        kinds=kinds,
        degenerate=found.several,
        unsolved=found.doubtful,
        low=np.ascontiguousarray(found.low.T),
        high=np.ascontiguousarray(found.high.T),
    )


def decided_singly(
    survey: Survey, games: Array, solve: Callable[[int], EquilibriumSet], events: Sequence[Event]
) -> Survey:
    """Return a survey in which some games, by their numbers, have the answer of the exact solver of single games.

    A game that it refuses as too large, or cannot certify, keeps the answer of the arrays.
    """
    kinds = dict(survey.kinds)
    for i in games.tolist():
        try:
            found = solve(i)
        except (GameError, SolverError):
            continue
        survey.count[i] = len(found)
        survey.unsolved[i] = not found
        for kind in {*kinds, *found.kinds}:
            kinds.setdefault(kind, np.zeros_like(survey.unsolved))[i] = kind in found.kinds
        for e, event in enumerate(events if found else ()):
            survey.low[e, i], survey.high[e, i] = found.probability(event)
    return replace(survey, kinds=kinds)


def _filtered(kernel: Kernel) -> Kernel:
    """Return a kernel that flags every comparison which floats may not decide."""
    return lambda tile, names, tol: kernel(tile, names, max(FILTER, 4 * tol))


def _far(payoffs: Array) -> Array:
    """Return where payoffs are so far from zero, next to their span, that floats blur their differences."""
    cells = payoffs.reshape(-1, payoffs.shape[-1])
    least, most = cells.min(axis=0), cells.max(axis=0)
    return np.asarray(np.maximum(np.abs(least), np.abs(most)) > FAR * (most - least))


def _kernel_for(game: SignalingGame) -> tuple[Kernel, tuple[str, ...], int]:
    """Return the kernel, the kinds that it tells apart, and how many games make a tile."""
    types, receiver_types, messages, responses = game.shape
    if types == 1:
        return (
            _filtered(survey_one_type),
            kind_names_of_one(game.messages),
            max(64, TILE // (receiver_types * messages * responses)),
        )
    names = kind_names(game.types, game.messages)
    if (receiver_types, messages, responses) == (1, 2, 2):
        return survey_222, names, TILE
    return _filtered(survey_tile), names, max(64, 4 * TILE // (receiver_types * messages * responses))


def _blank(size: int, names: Sequence[str], events: int) -> tuple[Survey, Array]:
    """Return room for the answers, and the flags of all kinds in one array."""
    flags = np.zeros((len(names), size), dtype=bool)
    survey = Survey(
        count=np.zeros(size, dtype=np.int64),
        kinds=dict(zip(names, flags, strict=True)),
        degenerate=np.zeros(size, dtype=bool),
        unsolved=np.zeros(size, dtype=bool),
        low=np.empty((events, size)),
        high=np.empty((events, size)),
    )
    return survey, flags


def _store(total: Survey, part: Survey, where: Any) -> None:
    total.count[where], total.degenerate[where], total.unsolved[where] = (
        part.count,
        part.degenerate,
        part.unsolved,
    )
    for kind, flags in part.kinds.items():
        total.kinds[kind][where] = flags
    total.low[:, where], total.high[:, where] = part.low, part.high


@dataclass(frozen=True, eq=False)
class _Arrays:
    """The arrays of a batch, from which tiles are cut without making any of them full."""

    batch: tuple[int, ...]
    tables: tuple[tuple[Array, int], ...]
    sender_view: tuple[Array, int]
    receiver_view: tuple[Array, int]
    joint: tuple[Array, int]
    events: tuple[tuple[Array, int], ...]

    @classmethod
    def of(cls, game: SignalingGame, events: Sequence[Event]) -> _Arrays:
        one = game.shape[1] == 1
        return cls(
            batch=game.batch_shape,
            tables=((game.U, 4), (game.V, 4)),
            sender_view=(np.ones((game.shape[0], 1)) if one else game.sender_view, 2),
            receiver_view=(game.receiver_joint if one else game.receiver_view, 2),
            joint=(game.joint_prior, 2),
            events=tuple((np.asarray(game.event_weights(event), dtype=np.float64), 4) for event in events),
        )

    def tile(self, start: int, stop: int) -> Tile:
        """Return games start to stop, counted in C order, with the games on the last axis."""
        return self.chosen(range(start, stop))

    def rows(self, start: int, stop: int) -> Rows:
        """Return games start to stop with the games on the first axis (one receiver type)."""
        cut = partial(self.lead, start=start, stop=stop)
        U, V = (cut(*table) for table in self.tables)
        events = [cut(*w) for w in self.events]
        cells = U.shape[1]
        spread = next((len(w) for w in events if len(w) != 1), 1)  # none at all, if there is no game
        return Rows(
            U, V, cut(*self.receiver_view), cut(*self.joint),
            np.array([np.broadcast_to(w, (spread, cells)) for w in events]).reshape(len(events), spread, cells),
        )  # fmt: skip

    def lead(self, array: Array, rank: int, start: int, stop: int) -> Array:
        """Return games as rows, or one row if all are alike."""
        lead, cells = array.shape[:-rank], math.prod(array.shape[-rank:])
        if math.prod(lead) == 1:
            return array.reshape(1, cells)
        if lead == self.batch:
            return array.reshape(-1, cells)[start:stop]
        return np.moveaxis(self._cut(array, rank, range(start, stop)), -1, 0).reshape(-1, cells)

    def chosen(self, games: Array | range) -> Tile:
        """Return some games by their numbers in C order."""
        full = partial(self._cut, games=games)
        U, V = (full(*table) for table in self.tables)
        return Tile(
            U,
            V,
            full(*self.sender_view),
            full(*self.receiver_view),
            full(*self.joint),
            events=[self._cut(*w, games, spread=w[0].ndim > 4) for w in self.events],
        )

    def _cut(self, array: Array, rank: int, games: Array | range, spread: bool = True) -> Array:
        lead, core = array.shape[:-rank], array.shape[-rank:]
        if lead == self.batch:
            flat = array.reshape(-1, *core)
            part = flat[games.start : games.stop] if isinstance(games, range) else flat[games]
        elif math.prod(lead) == 1:
            one = array.reshape(*core, 1)
            return np.broadcast_to(one, (*core, len(games))) if spread else one
        else:
            lead = (1,) * (len(self.batch) - len(lead)) + lead
            where = np.unravel_index(np.asarray(games, dtype=np.intp), self.batch)
            own = tuple(i if n > 1 else np.zeros_like(i) for i, n in zip(where, lead, strict=True))
            part = array.reshape(*lead, *core)[own]
        return np.ascontiguousarray(np.moveaxis(part, 0, -1))


# ---------------------------------------------------------------- three and more types


def _survey_one_by_one(
    game: SignalingGame, single: Solver, processes: int, tol: float, events: Sequence[Event]
) -> Survey:
    """Return counts, kinds, event ranges and ties of a batch of any shape, as far as arrays do not decide them, singly.

    Parameters
    ----------
    game : SignalingGame
        The batch.
    single : callable
        Solves one game; it must be picklable if there is more than one process.
    processes : int
        With one, the games are solved in this process. New ones are started by ``spawn``.
    tol : float
        See `pbe_batch`.
    events : sequence of str or callable
    """
    size = math.prod(game.batch_shape)
    survey = Survey(
        count=np.zeros(size, dtype=np.int64),
        kinds={},
        degenerate=np.zeros(size, dtype=bool),
        unsolved=np.ones(size, dtype=bool),
        low=np.full((len(events), size), np.nan),
        high=np.full((len(events), size), np.nan),
    )
    kinds: dict[str, Array] = {}
    if _has_supports(game) and compiles(size / RATE_SINGLE):
        for start in range(0, size, SUPPORTS_TILE):
            games = slice(start, min(start + SUPPORTS_TILE, size))
            part = _survey_by_supports(game, events, games.start, games.stop, max(FILTER, 4 * tol))
            survey.count[games], survey.unsolved[games] = part.count, part.unsolved
            survey.degenerate[games] = part.degenerate & ~part.unsolved
            survey.low[:, games], survey.high[:, games] = part.low, part.high
            for kind, flags in part.kinds.items():
                kinds.setdefault(kind, np.zeros(size, dtype=bool))[games] = flags & ~part.unsolved
    left = np.flatnonzero(survey.unsolved)
    survey.count[left], survey.low[:, left], survey.high[:, left] = 0, np.nan, np.nan
    weights = [
        np.broadcast_to(game.event_weights(e), (*game.batch_shape, *game.shape)).reshape(size, *game.shape)
        for e in events
    ]
    jobs = [(game[flat_index(game, i)], [w[i] for w in weights]) for i in left.tolist()]
    for i, finding in zip(left.tolist(), _findings(single, jobs, processes), strict=True):
        if finding is None:
            continue
        survey.count[i], found, survey.degenerate[i], ranges = finding
        survey.unsolved[i] = survey.count[i] == 0
        for kind in found:
            kinds.setdefault(kind, np.zeros(size, dtype=bool))[i] = True
        for e, (low, high) in enumerate(ranges):
            survey.low[e, i], survey.high[e, i] = low, high
    return replace(survey, kinds=dict(sorted((kind, flags) for kind, flags in kinds.items() if flags.any())))


def flat_index(game: SignalingGame | ExtensiveGame, i: int) -> tuple[int, ...]:
    """Return the indices of the i-th game of a batch, in C order."""
    return tuple(int(k) for k in np.unravel_index(i, game.batch_shape))


def _findings(
    single: Solver, jobs: list[tuple[SignalingGame, list[Array]]], processes: int
) -> Iterable[Finding | None]:
    if processes == 1 or len(jobs) < 2:
        return (_solve(single, *job) for job in jobs)
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

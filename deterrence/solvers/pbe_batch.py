"""Perfect Bayesian equilibria of arrays of signaling games.

One and two sender types are solved as arrays, tile by tile, in threads (NumPy releases the interpreter's
lock): see `two_type_kernel`, and `pbe_222` for 2 x 2 x 2. Three and more types go through the solver of
single games, one by one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from deterrence.games.batch import BatchEquilibria, Survey
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.events import Event
from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.arguments import numbers_in
from deterrence.solvers.signaling.equilibria import signaling_equilibria
from deterrence.solvers.signaling.looped_pbe import flat_index, survey_one_by_one
from deterrence.solvers.signaling.off_path_faces import counts_faces
from deterrence.solvers.signaling.one_type_kernel import kind_names_of_one, survey_one_type
from deterrence.solvers.signaling.tied_games import survey_tied
from deterrence.solvers.signaling.two_by_two_kernel import survey_222
from deterrence.solvers.signaling.two_type_kernel import Tile, kind_names, survey_tile

TIED = 32_768  # games decided together by `tied_games`, whose planes take a bit for each
TILE = 8192  # float64 per temporary: what stays in a core's cache
FILTER = 1e-9  # comparisons closer than this share of the payoff span are not left to floats
FAR = 1e4  # payoffs this many times their span away from zero: their own rounding comes near the filter
Kernel = Callable[[Tile, Sequence[str], float], Survey]


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
        survey: Callable[[tuple[Event, ...]], Survey] = partial(survey_one_by_one, game, single, threads or 1)
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
    _ties: dict[int, EquilibriumSet] = field(default_factory=dict)

    def __call__(self, events: tuple[Event, ...]) -> Survey:
        kernel, names, tile = _kernel_for(self.game)
        size = math.prod(self.game.batch_shape)
        arrays = _Arrays.of(self.game, events)
        total = _blank(size, names, len(events))
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

        self._map(work, list(pairwise(starts)))
        if kernel is survey_222 and not self.tol:
            tied = np.flatnonzero(doubtful)
            self._map(decide, [tied[i : i + TIED] for i in range(0, tied.size, TIED)])
        return self._settled(total, events, np.flatnonzero(doubtful)) if self.settle else total

    def _map(self, act: Callable[[Any], None], parts: Sequence[Any]) -> None:
        """Do some work, in threads if there is enough of it."""
        if self.workers == 1 or len(parts) < 3:
            for part in parts:
                act(part)
        else:
            with ThreadPoolExecutor(self.workers) as pool:
                for _ in pool.map(act, parts):
                    pass

    def _settled(self, total: Survey, events: tuple[Event, ...], doubtful: Array) -> Survey:
        """Replace the answer where the arrays do not decide a comparison by the exact one, game by game."""
        kinds = dict(total.kinds)
        for i in doubtful.tolist():
            try:
                found = self._ties[i] if i in self._ties else self.single(self.game[flat_index(self.game, i)])
            except (GameError, SolverError):  # too large, or not certified: the array kernel's answer stays
                continue
            self._ties[i] = found
            total.count[i] = len(found)
            total.unsolved[i] = not found
            for kind in {*kinds, *found.kinds}:
                kinds.setdefault(kind, np.zeros_like(total.unsolved))[i] = kind in found.kinds
            for e, event in enumerate(events if found else ()):
                total.low[e, i], total.high[e, i] = found.probability(event)
        return Survey(
            count=total.count,
            kinds=kinds,
            degenerate=total.degenerate,
            unsolved=total.unsolved,
            low=total.low,
            high=total.high,
        )


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


def _blank(size: int, names: Sequence[str], events: int) -> Survey:
    return Survey(
        count=np.zeros(size, dtype=np.int64),
        kinds={name: np.zeros(size, dtype=bool) for name in names},
        degenerate=np.zeros(size, dtype=bool),
        unsolved=np.zeros(size, dtype=bool),
        low=np.full((events, size), np.nan),
        high=np.full((events, size), np.nan),
    )


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
            where = np.unravel_index(np.asarray(games), self.batch)
            own = tuple(i if n > 1 else np.zeros_like(i) for i, n in zip(where, lead, strict=True))
            part = array.reshape(*lead, *core)[own]
        return np.ascontiguousarray(np.moveaxis(part, 0, -1))

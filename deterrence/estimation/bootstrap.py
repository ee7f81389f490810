"""The bootstrap: estimates at data drawn anew, in parallel, from seeds, and resumable."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from deterrence.estimation.likelihood import Floats, Likelihood, Start
from deterrence.estimation.optimise import Objective, maximise
from deterrence.estimation.penalties import Penalised
from deterrence.games.errors import ParameterError
from deterrence.games.services import service

if TYPE_CHECKING:
    from deterrence.estimation.result import Fit

Method: TypeAlias = Literal["rows", "parametric"]
Told: TypeAlias = Callable[[int, int], None]

_ITERATIONS = 40  # of one draw: those that have a maximum take about 6 from the estimates of the data
_CHUNK = 10  # draws that are handed out, and stored, together


def bootstrap(
    fit: Fit,
    draws: int = 100,
    *,
    method: Method = "rows",
    seed: int = 0,
    executor: int | Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: bool | Told = False,
) -> Floats:
    """Return estimates at data drawn anew, shape (draws, K); NaN where a search did not converge.

    Parameters
    ----------
    fit : Fit
    draws : int
    method : {"rows", "parametric"}
        Rows (of clustered data, whole clusters) drawn with replacement; or outcomes drawn from the fitted model.
    seed : int
        Draw b depends on the seed and on b alone: not on the executor, nor on an interruption.
    executor : int or concurrent.futures.Executor, optional
        Number of processes, or what runs them; by default this process.
    store : path, optional
        File (.npz) that keeps what is done: the same call goes on from there.
    progress : bool or callable
        A bar; or a function of (done, all).

    Raises
    ------
    ParameterError
        If an option is wrong, or the store belongs to another bootstrap.
    """
    if not isinstance(draws, int | np.integer) or draws < 2:
        raise ParameterError(f"a bootstrap needs at least 2 draws, got {draws!r}")
    if method not in ("rows", "parametric"):
        raise ParameterError(f"method must be 'rows' or 'parametric', got {method!r}")
    result = np.full((draws, len(fit.theta)), np.nan)
    todo = np.ones(draws, dtype=np.bool_)
    mark = _fingerprint(fit, method, seed)
    if store is not None:
        _restore(Path(store), mark, result, todo)
    chunks = [c for c in np.array_split(np.arange(draws), max(1, draws // _CHUNK)) if todo[c].any()]
    with service("progress")(progress, draws, int((~todo).sum()), "bootstrap", "draws") as shown:
        for numbers, estimates in _run(fit, method, seed, chunks, executor):
            result[numbers], todo[numbers] = estimates, False
            if store is not None:
                _save(Path(store), mark, result, todo)
            shown.add(len(numbers))
    return result


def one_draw(
    objective: Objective,
    likelihood: Likelihood,
    theta: Floats,
    clusters: NDArray[np.int64] | None,
    method: Method,
    seed: int,
    number: int,
) -> tuple[Likelihood, Floats]:
    """Return the likelihood of one draw of data, and the estimates there (NaN where none was reached)."""
    generator = np.random.default_rng([seed, number])
    if method == "parametric":
        drawn = likelihood.simulate(theta, generator)
    else:
        drawn = likelihood.reweight(_times_drawn(likelihood.rows, clusters, generator)).without_idle_rows()
    target: Objective = Penalised(drawn, objective.penalty) if isinstance(objective, Penalised) else drawn
    end = maximise(target, Start("estimate", theta), iterations=_ITERATIONS)
    return drawn, (end.theta if end.converged else np.full(len(theta), np.nan))


def _times_drawn(rows: int, clusters: NDArray[np.int64] | None, generator: np.random.Generator) -> Floats:
    if clusters is None:
        return np.bincount(generator.integers(0, rows, rows), minlength=rows).astype(np.float64)
    count = int(clusters.max()) + 1
    times = np.bincount(generator.integers(0, count, count), minlength=count).astype(np.float64)
    return times[clusters]


def _chunk(
    objective: Objective,
    likelihood: Likelihood,
    theta: Floats,
    clusters: NDArray[np.int64] | None,
    method: Method,
    seed: int,
    numbers: NDArray[np.int64],
) -> Floats:
    draws = [one_draw(objective, likelihood, theta, clusters, method, seed, int(b))[1] for b in numbers]
    return np.stack(draws)


def _run(
    fit: Fit, method: Method, seed: int, chunks: list[NDArray[np.int64]], executor: int | Executor | None
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    arguments = (fit.objective, fit.likelihood, fit.theta, fit.clusters, method, seed)
    if executor is None or executor == 1:
        for numbers in chunks:
            yield numbers, _chunk(*arguments, numbers)
        return
    if isinstance(executor, int) and not isinstance(executor, bool) and executor > 1:
        with service("processes")(executor) as pool:
            yield from _collected(pool, arguments, chunks)
        return
    if not hasattr(executor, "submit"):
        raise ParameterError(f"executor must be a number of processes of at least 1 or an Executor, got {executor!r}")
    yield from _collected(executor, arguments, chunks)


def _collected(
    pool: Any, arguments: tuple[Any, ...], chunks: list[NDArray[np.int64]]
) -> Iterator[tuple[NDArray[np.int64], Floats]]:
    futures = {pool.submit(_chunk, *arguments, numbers): numbers for numbers in chunks}
    for future in as_completed(futures):
        yield futures[future], future.result()


def _fingerprint(fit: Fit, method: str, seed: int) -> str:
    told = json.dumps({"names": fit.names, "method": method, "seed": seed, "title": fit.likelihood.title})
    content = [told.encode(), fit.theta.round(6).tobytes(), fit.likelihood.weights.tobytes()]
    return sha256(b"|".join(content)).hexdigest()


def _restore(store: Path, mark: str, result: Floats, todo: NDArray[np.bool_]) -> None:
    if not store.is_file():
        return
    try:
        with np.load(store, allow_pickle=False) as found:
            known, draws, left = str(found["fingerprint"]), found["draws"], found["todo"]
    except (OSError, ValueError, KeyError):
        raise ParameterError(f"{store} is no stored bootstrap; give another file") from None
    if known != mark:
        raise ParameterError(f"{store} holds the bootstrap of another fit, method or seed; give another file")
    size = min(len(draws), len(result))
    result[:size], todo[:size] = draws[:size], left[:size]


def _save(store: Path, mark: str, result: Floats, todo: NDArray[np.bool_]) -> None:
    part = store.with_name(f"{store.name}.part")
    with part.open("wb") as file:
        np.savez(file, fingerprint=np.array(mark), draws=result, todo=todo)
    part.replace(store)

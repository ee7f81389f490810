"""Running blocks: in this process, in a pool of new ones, by any executor, or on a Dask cluster.

A block gives the same numbers wherever it runs. Few blocks are handed out at a time, so that a sweep of any length
needs little memory. Blocks in the hands of a worker that dies are given out again.

Anything with a ``submit`` that returns ``concurrent.futures.Future`` will do as an executor. For Ray::

    class RayExecutor:
        def submit(self, function, *args):
            return ray.remote(max_retries=3)(function).remote(*args).future()

    deterrence.sweep(target, over, executor=RayExecutor())
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.games.answers import Status
from deterrence.sweeps.blocks import Plan
from deterrence.sweeps.designs import Design, Part
from deterrence.sweeps.errors import SweepError
from deterrence.sweeps.extension import solve_part
from deterrence.sweeps.pools import ByValue, SpawnPool, by_value, sendable
from deterrence.sweeps.question import Question, Solved
from deterrence.sweeps.store_writer import StoreWriter

_WORTH_A_POOL = 5.0  # seconds of work left that make up for starting processes
_DEATHS = 4  # how often a block may be in hand when a worker dies
_RETRIES = 3  # of a block on a cluster
_EXAMPLES = 20  # reasons of failures that a report carries


@dataclass(frozen=True, eq=False)
class Job:
    """What every block needs: the question, and where to write the answer."""

    question: Question
    writer: StoreWriter | None


@dataclass(frozen=True, eq=False)
class Report:
    """What a block came to.

    Attributes
    ----------
    block : int
    solved : Solved or None
        None where the block was written to a store.
    statuses : ndarray of int, shape (5,)
        Number of points of each ``Status``.
    reasons : mapping of int to str
        Some of the failures.
    """

    block: int
    solved: Solved | None
    statuses: Any
    reasons: dict[int, str]


def run_blocks(
    job: Job,
    design: Design,
    plan: Plan,
    blocks: Sequence[int],
    receive: Callable[[Report], None],
    executor: Any = None,
) -> None:
    """Run blocks and hand each report to ``receive``, in whatever order they end.

    Parameters
    ----------
    job, design, plan
        The sweep.
    blocks : sequence of int
        Which blocks to run.
    receive : callable
        Is given each ``Report``.
    executor : optional
        None: in this process, or in a pool of new processes once the work left is worth starting them. An int: that
        many processes (1: in this one). A ``concurrent.futures.Executor``. A ``dask.distributed.Client``.

    Raises
    ------
    SweepError
        If workers keep dying.
    StoreError
        If the store fails.
    KeyboardInterrupt
        As the user asked, at once; blocks in hand are lost, those that are stored are whole.
    """
    waiting = deque(blocks)
    if hasattr(executor, "get_executor"):  # a Dask client
        with executor.get_executor(pure=False, retries=_RETRIES) as pool:
            _hand_out(pool, job, design, plan, waiting, receive, _cluster_size(executor))
    elif isinstance(executor, Executor):
        sent = job if isinstance(executor, ThreadPoolExecutor) else by_value(job)
        _hand_out(executor, sent, design, plan, waiting, receive, int(getattr(executor, "_max_workers", cores())))
    elif callable(getattr(executor, "submit", None)):  # anything that submits and returns futures
        _hand_out(executor, by_value(job), design, plan, waiting, receive, cores())
    elif executor is None:
        _here_or_in_a_pool(job, design, plan, waiting, receive)
    elif isinstance(executor, int) and not isinstance(executor, bool) and executor >= 1:
        if executor == 1:
            _here(job, design, plan, waiting, receive)
        else:
            _in_a_pool(job, design, plan, waiting, receive, executor)
    else:
        raise SweepError(f"executor must be an Executor, a Dask client or a number of processes, got {executor!r}")


def solve_block(job: Job | ByValue, block: int, part: Part) -> Report:
    """Solve a block, and write it if the job says where. This is what workers run."""
    job = job.thing if isinstance(job, ByValue) else job
    solved = solve_part(job.question, part)
    statuses = np.bincount(solved.variables["status"], minlength=len(Status))
    reasons = dict(sorted(solved.reasons.items())[:_EXAMPLES])
    if job.writer is not None:
        job.writer.write(block, solved)
        return Report(block, None, statuses, reasons)
    return Report(block, solved, statuses, reasons)


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _here(
    job: Job,
    design: Design,
    plan: Plan,
    waiting: deque[int],
    receive: Callable[[Report], None],
    until: Callable[[int], bool] = lambda _: False,
) -> None:
    """Run blocks in this process, until a condition on the number done."""
    done = 0
    while waiting and not until(done):
        block = waiting.popleft()
        receive(solve_block(job, block, design.part(*plan.bounds(block))))
        done += 1


def _here_or_in_a_pool(
    job: Job, design: Design, plan: Plan, waiting: deque[int], receive: Callable[[Report], None]
) -> None:
    workers = min(cores(), len(waiting) - 1)
    if workers < 2 or not sendable(job):
        _here(job, design, plan, waiting, receive)
        return
    start = time.perf_counter()

    def worth_a_pool(done: int) -> bool:
        return done > 0 and (time.perf_counter() - start) / done * len(waiting) > _WORTH_A_POOL

    _here(job, design, plan, waiting, receive, until=worth_a_pool)
    if waiting:
        _in_a_pool(job, design, plan, waiting, receive, min(cores(), len(waiting)))


def _in_a_pool(
    job: Job, design: Design, plan: Plan, waiting: deque[int], receive: Callable[[Report], None], workers: int
) -> None:
    with SpawnPool(workers) as pool:
        _hand_out(pool, by_value(job), design, plan, waiting, receive, workers, renew=pool.renew)


def _hand_out(
    pool: Any,
    job: Any,
    design: Design,
    plan: Plan,
    waiting: deque[int],
    receive: Callable[[Report], None],
    workers: int,
    renew: Callable[[], None] | None = None,
) -> None:
    """Keep a few blocks in the hands of a pool until all are done."""
    running: dict[Future[Report], int] = {}
    deaths: dict[int, int] = {}
    try:
        while waiting or running:
            broken = not _submitted(pool, job, design, plan, waiting, running, 2 * workers)
            done = wait(running, return_when=FIRST_COMPLETED).done if running else set()
            lost = _received(done, running, receive)
            if lost or broken:
                lost += _received(list(running), running, receive)  # what is in hand is lost, too
                _count_deaths(lost, deaths, plan)
                if renew is None:
                    raise SweepError(
                        f"a worker of the executor died with blocks {sorted(lost)} in hand; give another one"
                    )
                renew()
                waiting.extendleft(sorted(lost, reverse=True))
    except BaseException:
        for future in running:
            future.cancel()
        if isinstance(pool, SpawnPool):
            pool.kill()
        _drain(running, receive)
        raise


def _submitted(
    pool: Any, job: Any, design: Design, plan: Plan, waiting: deque[int], running: dict[Future[Report], int], most: int
) -> bool:
    """Hand out blocks until a number of them is in hand; return whether the pool takes any."""
    while waiting and len(running) < most:
        part = design.part(*plan.bounds(waiting[0]))
        try:
            future = pool.submit(solve_block, job, waiting[0], part)
        except BrokenExecutor:
            return False
        running[future] = waiting.popleft()
    return True


def _count_deaths(lost: Iterable[int], deaths: dict[int, int], plan: Plan) -> None:
    """Note which blocks were in hand when a worker died, and raise SweepError if one was too often."""
    for block in lost:
        deaths[block] = deaths.get(block, 0) + 1
        if deaths[block] >= _DEATHS:
            raise SweepError(
                f"workers died {_DEATHS} times with block {block} (points {plan.bounds(block)}) in hand: "
                "they may lack memory; give a smaller memory= or block="
            )


def _received(
    done: Iterable[Future[Report]], running: dict[Future[Report], int], receive: Callable[[Report], None]
) -> list[int]:
    """Hand on the reports of futures that are done; return the blocks that were lost with a worker."""
    lost = []
    for future in done:
        block = running.pop(future)
        try:
            report = future.result()
        except BrokenExecutor:
            lost.append(block)
            continue
        receive(report)
    return lost


def _drain(running: dict[Future[Report], int], receive: Callable[[Report], None]) -> None:
    """Hand on what was finished on the way out."""
    for future in running:
        if future.done() and not future.cancelled() and future.exception() is None:
            receive(future.result())


def _cluster_size(client: Any) -> int:
    threads: Mapping[str, int] = client.nthreads()
    return max(1, sum(threads.values()))

"""Sweeps of a two-type posture game: points per second, the cost of blocks, stores and clusters, and memory.

Run ``python benchmarks/bench_sweep.py`` (minutes), or ``pytest benchmarks/bench_sweep.py`` for a small run of each.
Every time is the median of several runs in this one sitting, alternating between what is compared.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest

import deterrence as dt
from deterrence.solvers.pbe_batch import pbe_batch
from deterrence.sweeps.sweep import sweep

SIDE = {10**4: (100, 100), 10**6: (1000, 1000), 10**7: (3163, 3162)}
BARE_TILE = 8192


def posture_game() -> dt.SignalingGame:
    p, c = dt.symbols("p c")
    return dt.SignalingGame(
        types=("resolute", "irresolute"),
        messages=("tripwire", "none"),
        responses=("attack", "refrain"),
        prior=[p, 1 - p],
        sender_payoffs=[[[-0.5 - c, 1 - c], [-0.5, 1]], [[-1.3 - c, 1 - c], [-1, 1]]],
        receiver_payoffs=[[[-1, 0], [-1, 0]], [[1, 0], [1, 0]]],
    )


def axes(points: int) -> dict[str, np.ndarray]:
    a, b = SIDE[points]
    return {"p": np.linspace(0, 1, a), "c": np.linspace(0, 2, b)}


def swept(points: int, **options: object) -> object:
    return sweep(posture_game(), axes(points), progress=False, ties="leave", **options)


def bare(points: int) -> None:
    """Solve the same points by the array solver alone, with nothing kept in order."""
    game, over = posture_game(), axes(points)
    shape = tuple(len(v) for v in over.values())
    low, high, count = np.empty(points + 10**4), np.empty(points + 10**4), np.empty(points + 10**4, dtype=np.int32)
    total = shape[0] * shape[1]
    for start in range(0, total, BARE_TILE):
        here = np.arange(start, min(total, start + BARE_TILE))
        i, j = np.unravel_index(here, shape)
        found = pbe_batch(game.at(p=over["p"][i], c=over["c"][j]), threads=1)
        survey = _untied(found.survey)(("attack",))
        low[here], high[here], count[here] = survey.low[0], survey.high[0], survey.count


def _untied(survey):
    from dataclasses import replace

    return replace(survey, settle=False)


def gambit_loop(points: int) -> float:
    """Return seconds per game of a loop over pygambit on a sample of the same points, trees read from text."""
    import pygambit

    from benchmarks.bench_pbe_batch import efg

    over = axes(10**6)
    rng = np.random.default_rng(0)
    p, c = rng.choice(over["p"][1:-1], points), rng.choice(over["c"], points)
    texts = []
    for x, y in zip(p, c, strict=True):
        game = posture_game().at(p=float(x), c=float(y)).floats()
        texts.append(efg(game.U, game.V, game.joint_prior))
    start = time.perf_counter()
    for text in texts:
        pygambit.nash.enummixed_solve(pygambit.read_efg(io.StringIO(text)), rational=False)
    return (time.perf_counter() - start) / points


def timed(acts: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(runs):
        for name, act in acts.items():
            start = time.perf_counter()
            act()
            times[name].append(time.perf_counter() - start)
    return {name: median(t) for name, t in times.items()}


def stored(points: int, **options: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        swept(points, store=Path(folder) / "a.zarr", **options)


def peak(points: int, memory: str) -> tuple[float, float]:
    """Return megabytes resident before a stored sweep and at its peak, in a process of its own."""
    command = [sys.executable, __file__, "--peak", str(points), "--memory", memory]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = (float(x) for x in done.stdout.split()[-2:])
    return before, after


def resident() -> float:
    """Return the most megabytes that this process has had resident (Linux; a parent's do not count)."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def report(runs: int) -> None:
    cores = os.cpu_count() or 1
    swept(10**4)
    million = timed({"sweep": lambda: swept(10**6)}, runs)["sweep"]
    print(f"10^6 points into memory: {million:.2f} s, {10**6 / million:,.0f} points/s ({cores} processors)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        each = gambit_loop(300)
    print(
        f"pygambit, a loop over 300 of the points: {1 / each:,.0f} games/s; "
        f"the sweep is {each * 10**6 / million:,.0f} x as fast"
    )
    one = timed(
        {
            "bare": lambda: bare(10**7),
            "memory": lambda: swept(10**7, executor=1),
            "store": lambda: stored(10**7, executor=1),
        },
        runs,
    )
    print(
        "10^7 points, one process: "
        + ", ".join(f"{name} {t:.1f} s ({t / one['bare']:.2f} x)" for name, t in one.items())
    )
    from distributed import Client, LocalCluster

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            swept(10**6, executor=client)
            acts = {"local": lambda: swept(10**7, executor=2), "dask": lambda: swept(10**7, executor=client)}
            acts |= {
                "local, stored": lambda: stored(10**7, executor=2),
                "dask, stored": lambda: stored(10**7, executor=client),
            }
            two = timed(acts, runs)
    print("10^7 points, two workers: " + ", ".join(f"{name} {t:.1f} s" for name, t in two.items()))
    for memory in ("50 MB", "200 MB"):
        before, after = peak(10**7, memory)
        print(f"10^7 points stored with memory={memory!r}: {before:.0f} MB before, {after:.0f} MB at the peak")


@pytest.mark.parametrize("way", ["memory", "store", "threads"])
def test_sweep(benchmark, way):
    acts = {"memory": lambda: swept(10**4), "store": lambda: stored(10**4), "threads": lambda: swept(10**4, block=1000)}
    benchmark(acts[way])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peak", type=int)
    parser.add_argument("--memory", default="1 GiB")
    options = parser.parse_args()
    if options.peak:
        stored(10**4)  # everything is imported
        before = resident()
        stored(options.peak, executor=1, memory=options.memory)
        print(before, resident())
        return
    report(options.runs)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()

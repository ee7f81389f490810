"""Fits of trees: time from formulas to a maximum, and of a bootstrap, beside what the R packages took.

Run ``python benchmarks/bench_estimation.py [FOLDER]`` with the folder of the data sets of the R packages *games*
(``leblang2003.csv``), or without for data drawn anew of the same size. Times are medians of processor time. The
figures of the packages were measured once, on such a machine: the ratios are orders of magnitude, not a race.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "estimation"))

from tree_games import LEBLANG, SPEC, crisis, market

import deterrence as dt

PEER = {"fit, one start": 0.9, "fit, default starts": 0.9, "bootstrap of 100": 98.0}  # seconds, games 1.1.2


def attacks(rows: int = 7240) -> pd.DataFrame:
    """Return speculative attacks as rare as in Leblang's data, from regressors of the same names."""
    generator = np.random.default_rng(0)
    names = sorted({term.strip() for f in LEBLANG.values() for term in f.replace("- 1", "").split("+")} - {"1"})
    frame = pd.DataFrame({name: generator.normal(size=rows) for name in names})
    p = 0.012 * np.exp(0.4 * frame.overval - 0.1)
    attacked = generator.uniform(size=rows) < p
    defended = generator.normal(size=rows) < 0.4 * frame.unifgov
    return frame.assign(outcome=np.where(~attacked, "no attack", np.where(defended, "defense", "devaluation")))


def crises(rows: int = 300) -> pd.DataFrame:
    """Return crises of two players and three ends."""
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({name: generator.normal(size=rows) for name in ("x", "z", "w")})
    escalated, resisted = generator.uniform(size=rows) < 0.6, generator.normal(size=rows) < 0.3 - 0.9 * frame.z
    return frame.assign(outcome=np.where(~escalated, "sq", np.where(resisted, "war", "capit")))


def processor_time(run: Callable[[], object], repeats: int) -> float:
    """Return the median processor time of a call, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return statistics.median(times)


def rows(data: pd.DataFrame, repeats: int = 5) -> dict[str, float]:
    """Return the seconds of each task."""
    game = market()
    fitted = dt.fit(game, data, outcome="outcome", utilities=LEBLANG, errors="private")
    assert fitted.converged
    assert np.abs(fitted.optimum.gradient).max() < 1e-8

    def fit(**options: int) -> object:
        return dt.fit(game, data, outcome="outcome", utilities=LEBLANG, errors="private", **options)

    disputes = crises()
    plain = processor_time(lambda: dt.fit(crisis(), disputes, outcome="outcome", utilities=SPEC), repeats)
    tied = processor_time(
        lambda: dt.fit(crisis(), disputes, outcome="outcome", utilities=SPEC, correlation="1"), repeats
    )
    print(f"correlated errors, 300 rows: {tied:.3f} s, {tied / plain:.1f} times a fit without")
    return {
        "fit, one start": processor_time(lambda: fit(starts=1), repeats),
        "fit, default starts": processor_time(fit, repeats),
        "bootstrap of 100": processor_time(lambda: fitted.bootstrap(100), 1),
    }


def test_estimation_benchmark_runs(benchmark):
    data = attacks(1500)
    benchmark(dt.fit, market(), data, outcome="outcome", utilities=LEBLANG, starts=1)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    table = attacks() if folder is None else pd.read_csv(folder / "leblang2003.csv")
    for task, seconds in rows(table).items():
        print(f"{task:22s} {seconds:8.3f} s   games {PEER[task]:6.1f} s   ratio {PEER[task] / seconds:7.1f}")

"""The crisis-signaling game: equilibria of many games at once.

Run ``python benchmarks/bench_estimation_crisis.py``. Times are CPU seconds, the median of five runs; they are given as
multiples of the time that 1,000 scans of 1,401 points, one game at a time, would take with the plain formulas
(the bivariate normal by Owen's function), which is how the game is solved elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr, owens_t

from deterrence.solvers.crisis_signaling import crisis_equilibria

GAMES = 1_000
NAMES = ("S_A", "V_A", "C_B", "W_A", "W_B", "a", "V_B")
SEVERAL = {"S_A": 0.0, "V_A": 1.0, "C_B": 0.0, "W_A": -1.9, "W_B": -2.85, "a": -1.2, "V_B": 1.0}
DETERRED = {"S_A": 10.0, "V_A": 10.5, "C_B": 0.0, "W_A": 0.5, "W_B": -1.0, "a": 0.0, "V_B": 1.0}


def cpu(function: Callable[[], Any], repeats: int = 5) -> float:
    """Return the median CPU seconds of a call."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return float(np.median(times))


def draws(kind: str, n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    if kind == "standard normal":
        return {name: rng.normal(size=n) for name in NAMES}
    centre, spread = (SEVERAL, 0.25) if kind == "near three equilibria" else (DETERRED, 1.0)
    return {name: value + rng.normal(size=n) * spread for name, value in centre.items()}


def scan(game: dict[str, float]) -> int:
    """Return the number of sign changes of the fixed-point equation on a grid."""
    z = np.linspace(-7, 7, 1_401)
    resist = ndtr(z)
    c = (game["S_A"] - (1 - resist) * game["V_A"]) / resist
    h, k = game["W_A"] - c, (game["W_A"] - game["a"]) / np.sqrt(2)
    opposed = np.where(h * k < 0, 0.5, 0)
    stand = (ndtr(h) + ndtr(k)) / 2 - owens_t(h, np.sqrt(2) * k / h - 1) - owens_t(k, np.sqrt(2) * h / k - 1) - opposed
    with np.errstate(all="ignore"):
        p_F = stand / (1 - ndtr(c - game["W_A"]) * ndtr(c - game["a"]))
        gap = game["W_B"] - game["V_B"] + (game["V_B"] - game["C_B"]) / p_F - z
    return int((np.sign(gap[1:]) != np.sign(gap[:-1])).sum())


def bench_equilibria() -> None:
    drawn = draws("standard normal", 20)
    each = cpu(lambda: [scan({name: float(x[i]) for name, x in drawn.items()}) for i in range(20)]) / 20
    print(f"{'games':24} {'seconds':>8} {'of the scan':>12}   with 1, 2, 3 equilibria")
    for kind in ("standard normal", "near three equilibria", "deterred"):
        drawn = draws(kind, GAMES)
        seconds = cpu(lambda drawn=drawn: crisis_equilibria(**drawn))
        found = crisis_equilibria(**drawn)
        counts = np.bincount(found.count, minlength=4)[1:]
        print(f"{kind:24} {seconds:8.3f} {seconds / (each * GAMES):11.1%}   {counts.tolist()}")


def test_equilibria_of_many_games(benchmark: Any) -> None:
    drawn = draws("near three equilibria", GAMES)
    found = benchmark(lambda: crisis_equilibria(**drawn))
    assert set(found.count.tolist()) <= {1, 3}


if __name__ == "__main__":
    bench_equilibria()

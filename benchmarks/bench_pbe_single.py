"""One signaling game at a time: all perfect Bayesian equilibria, certified, the building of the game included.

Run ``python benchmarks/bench_pbe_single.py [GAMES]``. Games have payoffs drawn from [0, 1) with a fixed seed,
so they have no ties; the last rows draw whole payoffs 0..3, so that ties abound. Each row gives the median,
the 90th percentile and the longest time, and how many components there were: their number is what grows,
since what receivers may do after the messages that nobody sends multiplies.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from deterrence.games.signaling import SignalingGame
from deterrence.solvers.pbe import pbe

SHAPES = {  # (T, Q, M, R): share of the games that are run
    (2, 1, 2, 2): 1.0,
    (2, 1, 3, 3): 0.5,
    (3, 1, 3, 3): 0.5,
    (4, 1, 3, 3): 0.2,
    (5, 1, 3, 3): 0.1,
    (3, 1, 4, 3): 0.2,
    (3, 1, 5, 3): 0.04,
    (3, 1, 3, 4): 0.2,
    (3, 1, 3, 5): 0.2,
    (2, 2, 2, 2): 0.5,
    (2, 3, 2, 2): 0.2,
    (3, 2, 3, 3): 0.05,
    (4, 1, 4, 4): 0.1,
}
TIED = {(2, 1, 2, 2): 0.5, (3, 1, 2, 3): 0.2, (2, 2, 2, 2): 0.2, (3, 1, 3, 3): 0.1}


def timed(shape: tuple[int, int, int, int], games: int, whole: bool) -> tuple[list[float], list[int]]:
    """Return seconds and numbers of components of some random games."""
    rng = np.random.default_rng(2024)
    T, Q, M, R = shape
    labels = [[f"{letter}{i}" for i in range(n)] for letter, n in zip("tmr", (T, M, R), strict=True)]
    receivers = None if Q == 1 else [f"q{i}" for i in range(Q)]
    core, joint = ((T, M, R), (T,)) if Q == 1 else ((T, Q, M, R), (T, Q))
    seconds, counts = [], []
    for i in range(games + 1):
        u, v = (rng.integers(0, 4, (2, *core)).astype(float)) if whole else rng.random((2, *core))
        prior = rng.dirichlet(np.ones(T * Q)).reshape(joint)
        begin = time.perf_counter()
        found = pbe(SignalingGame(*labels, prior / prior.sum(), u, v, receiver_types=receivers))
        if i:  # the first warms caches
            seconds.append(time.perf_counter() - begin)
            counts.append(len(found))
    return seconds, counts


def main(games: int) -> None:
    """Measure and print."""
    print(f"{'T x Q x M x R':22s} {'median':>10s} {'90%':>10s} {'longest':>10s}   components (mean, most)")
    for whole, shapes in ((False, SHAPES), (True, TIED)):
        for shape, share in shapes.items():
            seconds, counts = timed(shape, max(3, int(games * share)), whole)
            times = " ".join(f"{1e3 * x:7.2f} ms" for x in (*np.quantile(seconds, [0.5, 0.9]), max(seconds)))
            name = " x ".join(map(str, shape)) + (", ties" if whole else "")
            print(f"{name:22s} {times}   {np.mean(counts):.1f}, {max(counts)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)

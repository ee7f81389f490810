"""Compiled kernels beside NumPy and beside peers, in one run: CPU time, medians of five, and the ratio.

Run ``python benchmarks/bench_engine.py``; ``--threads`` adds two threads (elapsed time, for a machine with nothing else
to do). Peers: QuantEcon's vertex enumeration (compiled, too) for tables; the exact solver of single games for three
sender types; nodes made one by one for trees.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import deterrence as dt

RUNS = 5


def seconds(act: Callable[[], Any], clock: Callable[[], float] = time.process_time, runs: int = RUNS) -> float:
    """Return the median time of some runs after a first one that does not count."""
    act()
    times = []
    for _ in range(runs):
        start = clock()
        act()
        times.append(clock() - start)
    return median(times)


def row(what: str, ours: float, peer: str, theirs: float, unit: str = "s", count: float | None = None) -> None:
    """Print times, or, with a count, rates."""
    mine, other = (count / ours, count / theirs) if count else (ours, theirs)
    form = ",.0f" if count else ".4f"
    print(f"{what:34} {mine:14{form}} {unit:8} {peer:18} {other:14{form}}   {theirs / ours:8.1f} x")


def signaling(games: int, types: int, messages: int, responses: int, most: int | None, seed: int) -> dt.SignalingGame:
    rng = np.random.default_rng(seed)
    shape = (games, types, messages, responses)
    U, V = (rng.normal(size=shape) if most is None else rng.integers(0, most + 1, shape) * 1.0 for _ in range(2))
    weights = rng.dirichlet(np.ones(types), size=games)
    if most is not None:
        first = rng.integers(1, 20, size=games) / 20
        weights = np.stack([first, 1 - first], axis=-1)
    names = ([f"{kind}{k}" for k in range(n)] for kind, n in (("t", types), ("m", messages), ("r", responses)))
    return dt.SignalingGame(*names, weights, U, V)


def solve(game: dt.SignalingGame, engine: str, threads: int = 1) -> None:
    dt.set_engine(engine)
    dt.pbe_batch(game, threads=threads).probability("r0")
    dt.set_engine(None)


def bench_signaling(games: int, threads: bool) -> None:
    for most in (None, 100, 10, 3):
        batch = signaling(games, 2, 2, 2, most, seed=1)
        label = f"2x2x2, {'normal' if most is None else f'0..{most}'}, with an event"
        ours = seconds(lambda b=batch: solve(b, "numba"))
        row(label, ours, "numpy", seconds(lambda b=batch: solve(b, "numpy")), "games/s", games)
        if threads:
            one, two = (seconds(lambda b=batch, k=k: solve(b, "numba", k), time.perf_counter) for k in (1, 2))
            row(f"{label}, 2 threads", two, "1 thread", one, "games/s", games)
    for messages, responses, many, few in ((2, 2, 20_000, 100), (3, 3, 2_000, 20)):
        batch, some = (signaling(n, 3, messages, responses, None, seed=2) for n in (many, few))
        ours = seconds(lambda b=batch: solve(b, "numba")) / many
        theirs = seconds(lambda b=some: solve(b, "numpy"), runs=3) / few
        row(f"3x{messages}x{responses}, with an event", ours, "one by one", theirs, "games/s", 1)


def bench_tables() -> None:
    try:
        import quantecon.game_theory as peer
    except ImportError:
        print("QuantEcon is not installed: pip install -c constraints.txt quantecon")
        return
    dt.set_engine("numba")
    for size in (8, 10, 15):
        for seed in (1, 2, 3):
            A, B = np.random.default_rng(seed).normal(size=(2, size, size))
            theirs = peer.NormalFormGame((peer.Player(A), peer.Player(B.T.copy())))
            ours = seconds(lambda a=A, b=B: dt.nash(dt.StrategicGame(a, b)))
            other = seconds(lambda t=theirs: peer.vertex_enumeration(t), runs=RUNS if size < 15 else 1)
            row(f"all equilibria, {size}x{size}, seed {seed}", ours, "QuantEcon", other)
    dt.set_engine(None)


def binary_tree(depth: int) -> dict[str, Any]:
    """A complete tree of two actions in preorder, some 4,000 information sets, the players in turn."""
    n = 2 ** (depth + 1) - 1
    parent, level = np.full(n, -1), np.zeros(n, dtype=np.int64)
    heads, size = np.array([0]), n
    for k in range(depth):
        half = (size - 1) // 2
        left, right = heads + 1, heads + 1 + half
        parent[left] = parent[right] = heads
        level[left] = level[right] = k + 1
        heads, size = np.concatenate([left, right]), half
    first = np.arange(n) == parent + 1
    payoffs = np.random.default_rng(1).normal(size=((n + 1) // 2, 2))
    return {
        "parent": parent,
        "mover": np.where(level == depth, -2, level % 2),
        "infoset": level * 1000 + np.arange(n) % 997,
        "labels": np.where(first, "a", "b").tolist(),
        "payoffs": payoffs,
        "end_labels": np.where(payoffs[:, 0] > 0, "war", "peace").tolist(),
    }


def bench_trees(depth: int) -> None:
    arrays = binary_tree(depth)
    game = dt.ExtensiveGame.from_arrays(("A", "B"), **arrays)
    root = game.root
    ours = seconds(lambda: dt.ExtensiveGame.from_arrays(("A", "B"), **arrays))
    nodes = seconds(lambda: dt.ExtensiveGame(("A", "B"), root), runs=1)
    row(f"tree of {game.topology.size:,} nodes, built", ours, "from nodes", nodes)
    named = seconds(lambda: game.event_ends("war"))
    path = seconds(lambda: game.event_ends(lambda labels: "war" in labels), runs=1)
    row("... ends at which an event happens", named, "path by path", path)


def bench_imports() -> None:
    def start(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    numpy = seconds(start("import numpy"), time.perf_counter)
    helps = "import sys; sys.argv = ['deterrence', '--help']; from deterrence.cli import app; app()"
    for what, code in (
        ("import deterrence.scenarios", "import deterrence.scenarios"),
        ("import deterrence.alliances", "import deterrence.alliances"),
        ("deterrence --help", helps),
    ):
        row(what, seconds(start(code), time.perf_counter), "import numpy", numpy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=1_000_000)
    parser.add_argument("--depth", type=int, default=18)
    parser.add_argument("--threads", action="store_true")
    options = parser.parse_args()
    print(f"{'work':34} {'ours':>14} {'':8} {'beside':18} {'theirs':>14}   {'ratio':>8}")
    bench_signaling(options.games, options.threads)
    bench_tables()
    bench_trees(options.depth)
    bench_imports()


if __name__ == "__main__":
    main()

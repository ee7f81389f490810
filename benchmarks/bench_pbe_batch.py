"""Rates of `dt.pbe` on batches of two-type signaling games, beside two peers that find all equilibria.

Run ``python benchmarks/bench_pbe_batch.py``. Every rate is the median of several runs in this one sitting;
a peer runs in a process of its own, with a time limit, on the first games of the same batch. Peers find the
Nash equilibria of the strategic form, without beliefs; ours are the perfect Bayesian ones with counts,
kinds, ties and an event's range.
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
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np

from deterrence.games.signaling import SignalingGame
from deterrence.solvers.pbe_batch import pbe_batch

PEER_SECONDS = 60
SHAPES = {
    "2x3x3": (1, 3, 3, 40_000),
    "2x2x2, Q=2": (2, 2, 2, 40_000),
    "2x3x2, Q=2": (2, 3, 2, 20_000),
    "2x2x3, Q=2": (2, 2, 3, 20_000),
    "2x3x4, Q=20": (20, 3, 4, 100),
}


def payoffs(games: int, q: int, m: int, r: int, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (games, 2, q, m, r)
    prior = rng.dirichlet(np.ones(2 * q), size=games).reshape(games, 2, q)
    return {"U": rng.normal(size=shape), "V": rng.normal(size=shape), "prior": prior}


def solve(data: dict[str, np.ndarray], event: bool, threads: int | None = None) -> None:
    _, _, q, m, r = data["U"].shape
    game = (
        SignalingGame(
            ("t0", "t1"),
            [f"m{i}" for i in range(m)],
            [f"r{i}" for i in range(r)],
            data["prior"],
            data["U"],
            data["V"],
            receiver_types=[f"q{i}" for i in range(q)],
        )
        if q > 1
        else SignalingGame(
            ("t0", "t1"),
            [f"m{i}" for i in range(m)],
            [f"r{i}" for i in range(r)],
            data["prior"][:, :, 0],
            data["U"][:, :, 0],
            data["V"][:, :, 0],
        )
    )
    found = pbe_batch(game, threads=threads)
    if event:
        found.probability("r0")
    assert not found.unsolved.any()


def rate(act: Callable[[], object], games: int, runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return games / median(times)


def gambit_loop(data: dict[str, np.ndarray], games: int) -> None:
    """Build trees from Gambit's text format, quicker than node by node, and find extreme equilibria in floats."""
    import pygambit

    for i in range(games):
        tree = pygambit.read_efg(io.StringIO(efg(*(data[key][i] for key in ("U", "V", "prior")))))
        pygambit.nash.enummixed_solve(tree, rational=False)


def efg(U: np.ndarray, V: np.ndarray, prior: np.ndarray) -> str:
    first = round(float(prior[0, 0]) * 10**9)  # chances must sum to one exactly
    lines = [
        'EFG 2 R "" { "Sender" "Receiver" }',
        f'c "" 1 "" {{ "t0" {first}/{10**9} "t1" {10**9 - first}/{10**9} }} 0',
    ]
    for t in (0, 1):
        lines.append(f'p "" 1 {t + 1} "" {{ "m0" "m1" }} 0')
        for m in (0, 1):
            lines.append(f'p "" 2 {m + 1} "" {{ "r0" "r1" }} 0')
            for r in (0, 1):
                number = 1 + r + 2 * m + 4 * t
                lines.append(f't "" {number} "" {{ {U[t, 0, m, r]:.12f} {V[t, 0, m, r]:.12f} }}')
    return "\n".join(lines) + "\n"


def nashpy_loop(data: dict[str, np.ndarray], games: int) -> None:
    import nashpy

    pure = list(product((0, 1), repeat=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for i in range(games):
            U, V, prior = (data[key][i] for key in ("U", "V", "prior"))
            A, B = (
                np.array([[sum(prior[t, 0] * X[t, 0, s[t], a[s[t]]] for t in (0, 1)) for a in pure] for s in pure])
                for X in (U, V)
            )
            list(nashpy.Game(A, B).vertex_enumeration())


PEERS = {"gambit": (gambit_loop, 400), "nashpy": (nashpy_loop, 100)}


def peer_rate(name: str, data: dict[str, np.ndarray], runs: int) -> float | None:
    """Return games per second of a peer in a process of its own, or None if it failed or took too long."""
    _, games = PEERS[name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "games.npz"
        np.savez(file, **{key: array[:games] for key, array in data.items()})
        command = [sys.executable, __file__, "--peer", name, "--file", str(file), "--runs", str(runs)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PEER_SECONDS, check=True)
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
            print(f"{name}: no rate: {error}")
            return None
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peer", choices=tuple(PEERS))
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.peer:
        loop, games = PEERS[options.peer]
        data = dict(np.load(options.file))
        loop(data, 5)
        print(rate(lambda: loop(data, games), games, options.runs))
        return
    data = payoffs(options.games, 1, 2, 2)
    solve(data, event=True)
    peers = {name: peer_rate(name, data, options.runs) for name in PEERS}
    for name, speed in peers.items():
        if speed:
            print(f"2x2x2  {name:34} {speed:12,.0f} games/s")
    for threads, event in product((1, os.cpu_count() or 1), (False, True)):
        speed = rate(lambda e=event, t=threads: solve(data, e, t), options.games, options.runs)
        ratios = ", ".join(f"{speed / p:,.0f} x {name}" for name, p in peers.items() if p)
        what = f"ours, {threads} thread(s), {'with' if event else 'without'} event"
        print(f"2x2x2  {what:34} {speed:12,.0f} games/s   {ratios}")
    for label, (q, m, r, games) in SHAPES.items():
        data = payoffs(games, q, m, r)
        solve(data, event=True)
        speed = rate(lambda d=data: solve(d, event=True), games, options.runs)
        print(f"{label:12} {'ours, with event':28} {speed:12,.0f} games/s")


if __name__ == "__main__":
    main()

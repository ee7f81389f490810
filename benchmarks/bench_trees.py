"""Trees against Gambit, in the same run: quantal response, linear programs, and pure equilibria of an alliance.

Run ``python benchmarks/bench_trees.py [REPEATS] [SECONDS]``. Times are medians of wall-clock time for the solve
alone, certificate included on our side, building and reading of games left out on both. Gambit runs in a process of
its own and is given up after SECONDS (20 by default); the ratio is then a lower bound.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gambit_answers import Gambit
from textbook_trees import alliance, typed_tree

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import write_efg
from deterrence.solvers.qre import qre_batch, qre_branch
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.sequential import sequential

BRANCHES = {29: (2, 2, 2), 125: (2, 2, 4), 280: (3, 2, 4), 497: (4, 2, 4)}  # nodes: types, actions, moves
PROGRAMS = {497: (4, 2, 4), 12_637: (9, 5, 3), 112_465: (12, 5, 4)}
POINTS = 10_000


def median(repeats: int, solve: Callable[[], Any]) -> float:
    """Return the median time of a call, after one to warm up."""
    solve()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        solve()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def asked(gambit: Gambit, call: str, game: ExtensiveGame, **arguments: Any) -> float | None:
    """Return the seconds that Gambit takes; None if it does not answer in time; NaN if it gives up or fails."""
    if gambit.ask(call, write_efg(game), **arguments) is not None:
        return gambit.took
    return None if gambit.error == "no answer in time" else float("nan")


def row(name: str, ours: float, theirs: float | None, limit: float) -> None:
    """Print one comparison."""
    if theirs is None:
        peer, ratio = f"> {limit:8.1f} s", f"> {limit / ours:8.0f} x"
    elif np.isnan(theirs):
        peer, ratio = " " * 12, ""
    else:
        peer, ratio = f"{theirs:10.4f} s", f"{theirs / ours:10.1f} x"
    print(f"{name:58s} {ours:10.4f} s {peer} {ratio}", flush=True)


def branches(gambit: Gambit, repeats: int) -> None:
    """Time the branch of quantal response to a regret of 1e-6 of the payoff span, where Gambit answers if anywhere."""
    for nodes, shape in BRANCHES.items():
        games = [typed_tree(*shape, seed, zero_sum=False) for seed in range(3)]
        ours = np.array([median(repeats, lambda g=game: qre_branch(g, regret=1e-6)) for game in games])
        answers = [asked(gambit, "logit_solve", g, maxregret=1e-6) for g in games]
        solved = np.array([t is not None and not np.isnan(t) for t in answers])
        name = f"branch to regret 1e-6, {nodes} nodes (Gambit solves {solved.sum()} of 3)"
        theirs = float(np.median([t for t, ok in zip(answers, solved, strict=True) if ok])) if solved.any() else None
        row(name, float(np.median(ours[solved] if solved.any() else ours)), theirs, gambit.seconds)


def points(gambit: Gambit, repeats: int) -> None:
    """Time quantal response at one precision for many games of one tree."""
    game = typed_tree(2, 2, 2, 0, zero_sum=False)
    rng = np.random.default_rng(0)
    batch = ExtensiveGame.of(game.topology, game.chance, rng.normal(size=(POINTS, *game.payoffs.shape)))
    ours = median(repeats, lambda: qre_batch(batch, precision=1.0))
    some = []
    for i in range(30):
        gambit.ask("logit_solve_lambda", write_efg(batch[i]), lam=1.0)
        some.append(gambit.took)
    row(
        f"precision 1, {POINTS:,} games of 29 nodes (Gambit: 30, scaled)",
        ours,
        statistics.fmean(some) * POINTS,
        gambit.seconds,
    )


def programs(gambit: Gambit, repeats: int) -> None:
    """Time the linear program of the sequence form."""
    for nodes, shape in PROGRAMS.items():
        game = typed_tree(*shape, 0, zero_sum=True)
        ours = median(repeats if nodes < 100_000 else 1, lambda g=game: sequence_form(g))
        theirs: float | None = float("nan")
        if nodes < 1000:
            theirs = asked(gambit, "lp_solve", game, rational=False)
        row(f"zero-sum linear program, {nodes:,} nodes", ours, theirs, gambit.seconds)


def alliances(gambit: Gambit, repeats: int) -> None:
    """Time all pure sequential equilibria; Gambit lists agent equilibria, most of them incredible."""
    for allies in (2, 3, 4, 5, 6, 8):
        game = alliance(allies)
        ours = median(repeats, lambda g=game: sequential(g, pure=True))
        theirs: float | None = float("nan")
        extra = ""
        if allies <= 4:
            listed = gambit.ask("enumpure_agent_solve", write_efg(game))
            theirs = None if listed is None else gambit.took
            extra = f" of Gambit's {len(listed)}" if listed is not None else ""
        count = len(sequential(game, pure=True))
        name = f"alliance of {allies}, {game.topology.size:,} nodes: {count} credible{extra}"
        row(name, ours, theirs, gambit.seconds)


def main(repeats: int, seconds: float) -> None:
    """Measure and print."""
    print(f"{'':58s} {'ours':>12s} {'Gambit':>12s} {'ratio':>12s}")
    with Gambit(seconds) as gambit:
        branches(gambit, repeats)
        points(gambit, repeats)
        programs(gambit, repeats)
        alliances(gambit, repeats)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, float(sys.argv[2]) if len(sys.argv) > 2 else 20.0)

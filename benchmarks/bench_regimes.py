"""Closed forms of signaling games: how long they take, and that the numeric solver agrees.

Run ``python benchmarks/bench_regimes.py [GAMES]``. Payoffs are sevenths of whole numbers with a fixed seed, some of
them and the prior symbols between -6 and 6. For each shape: seconds to find all regimes, how many there are, and, at
10,000 points (fewer where the numeric solver has no arrays), how many disagree in kind or by more than 1e-10 in a
probability; points with ties are left out and counted.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import sympy

import deterrence as dt
from deterrence.solvers.regimes import regimes
from deterrence.solvers.symbolic.regime_set import RegimeSet

SHAPES = {(2, 2, 2): 4, (2, 3, 2): 2, (2, 2, 3): 2, (3, 2, 2): 2}  # (T, M, R): symbols beside the prior
POINTS = 10_000
SINGLE = 100  # points where games are solved one at a time


def random_game(shape: tuple[int, int, int], symbols: int, rng: np.random.Generator) -> dt.SignalingGame:
    """Return a game with symbols in places drawn at random, none twice."""
    T, M, R = shape
    cells = [sympy.Rational(int(x), 7) for x in rng.integers(-40, 41, size=2 * T * M * R)]
    for place, name in zip(rng.choice(len(cells), size=symbols, replace=False), "abcdefgh"):
        cells[place] = dt.symbols(name)
    tables = np.array(cells, dtype=object).reshape(2, T, M, R)
    p = dt.symbols("p")
    prior = [p, *[(1 - p) * sympy.Rational(1, T - 1)] * (T - 1)]
    names = [[f"{letter}{i}" for i in range(n)] for letter, n in zip("tmr", shape, strict=True)]
    return dt.SignalingGame(*names, prior, tables[0], tables[1])


def disagreements(found: RegimeSet, events: tuple[str, ...]) -> tuple[int, int, int]:
    """Return numbers of points, of points with ties, and of points that disagree."""
    several = len(found.game.types) <= 2
    low = np.array([0.0 if name == "p" else -6.0 for name in found.parameters])
    high = np.array([1.0 if name == "p" else 6.0 for name in found.parameters])
    points = np.random.default_rng(1).uniform(low, high, (POINTS if several else SINGLE, len(low)))
    values = dict(zip(found.parameters, points.T, strict=True))
    formula = found.compile(*events).answer(values)
    bad = np.zeros(len(points), dtype=bool)
    tied = np.zeros(len(points), dtype=bool)
    never = np.zeros(len(points), dtype=bool)
    if several:
        numeric = dt.pbe(found.game.at(**values))
        tied = np.asarray(numeric.degenerate)
        for kind in {*numeric.kinds, *formula.kinds}:
            bad |= np.asarray(numeric.kinds.get(kind, never)) != formula.kinds.get(kind, never)
        for event in events:
            least, most = numeric.probability(event)
            bad |= (np.abs(least - formula.low[event]) > 1e-10) | (np.abs(most - formula.high[event]) > 1e-10)
        return len(points), int(tied.sum()), int((bad & ~tied).sum())
    for i, point in enumerate(points):
        one = dt.pbe(found.game.at(**dict(zip(found.parameters, map(float, point), strict=True))))
        bad[i] = set(one.kinds) != {kind for kind, flags in formula.kinds.items() if flags[i]}
        for event in events:
            least, most = one.probability(event)
            bad[i] |= abs(least - formula.low[event][i]) > 1e-10 or abs(most - formula.high[event][i]) > 1e-10
    return len(points), 0, int(bad.sum())


def test_regimes_of_a_random_game(benchmark):
    game = random_game((2, 2, 2), 4, np.random.default_rng(0))
    bounds = [f"-6 < {name} < 6" for name in game.parameters if name != "p"]
    assert benchmark(lambda: regimes(game, assumptions=bounds)).complete


def main(games: int) -> None:
    """Print a row per shape."""
    print("  T M R  symbols  seconds (median, longest)  regimes  complete  points  tied  disagree")
    for shape, symbols in SHAPES.items():
        rng = np.random.default_rng(0)
        seconds, counts, complete, checked = [], [], 0, np.zeros(3, dtype=int)
        for _ in range(games):
            game = random_game(shape, symbols, rng)
            start = time.perf_counter()
            found = regimes(game, assumptions=[f"-6 < {name} < 6" for name in game.parameters if name != "p"])
            seconds.append(time.perf_counter() - start)
            counts.append(len(found))
            complete += found.complete
            if found.complete:
                checked += disagreements(found, ("r0", "m1"))
        row = f"{symbols + 1:7d}  {np.median(seconds):12.2f} {max(seconds):12.2f}  {min(counts):3d}-{max(counts):<3d}"
        print(f"  {' '.join(map(str, shape))}  {row}  {complete:5d}/{games}  {'  '.join(map(str, checked))}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

"""A million pairs of true and perceived resolve in the two-type alliance game, and the same point by point.

Run ``python benchmarks/bench_perception.py [POINTS_PER_AXIS] [REPEATS]``. Every point asks what happens if the attacker
believes in another probability of resolve than the true one: both games are solved for *all* perfect Bayesian
equilibria, and the likelihoods of attack and of unwanted war are ranges over what either side may have in mind.

Two grids are timed: a mesh, in which rows share a truth and columns a belief, and scattered points, no two of them
alike. They are compared, on a subsample and in the same run, with a loop over ``dt.subjective`` one point at a time
(the general solver: components, certificates, best replies in the tree), and with loops over the two games of a point
as Nashpy and Gambit solve them: all *Nash* equilibria of their strategic form, which is less than what is asked here.
Times are medians of wall-clock time; the peers' games are made beforehand, and of Gambit the solve alone is counted.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nashpy
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from gambit_answers import Gambit

import deterrence as dt

SAMPLE = 100  # points of the loops
Floats = np.ndarray


def median(repeats: int, solve: Callable[[], Any]) -> float:
    """Return the median time of a call, after one to warm up."""
    solve()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        solve()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def answers(model: Any, true: Any, perceived: Any) -> tuple[Floats, ...]:
    """Return the lowest and highest likelihood of attack and of unwanted war."""
    found = dt.subjective(model, truth={"rho": true}, beliefs={"Attacker": {"rho": perceived}})
    wars = found.unwanted_war() if callable(found.unwanted_war) else found.unwanted_war
    return (*found.probability("attack"), *wars)


def strategic_form(model: Any, rho: float) -> tuple[Floats, Floats]:
    """Return both players' payoffs of the game's pure strategies: an action for each type, one for each message."""
    game = model.game(rho=rho)
    types, (senders, receivers) = range(2), ([(a, b) for a in (0, 1) for b in (0, 1)] for _ in range(2))
    tables = []
    for payoffs in (game.U, game.V):
        values = np.asarray(payoffs, dtype=float)[:, 0]  # (type, message, response)
        prior = np.asarray(game.prior, dtype=float).ravel()
        tables.append(
            np.array([[sum(prior[t] * values[t, s[t], r[s[t]]] for t in types) for r in receivers] for s in senders])
        )
    return tables[0], tables[1]


def row(name: str, seconds: float, points: int, fastest: float) -> None:
    """Print one line: time, points per second, and how many times as long as the mesh a point takes."""
    print(f"{name:66s} {seconds:9.3f} s {points / seconds:13,.0f} points/s {seconds / points / fastest:10,.1f} x")


def main() -> None:
    """Time all of them."""
    given = [int(x) for x in sys.argv[1:]]
    axis, repeats = (*given, *(1000, 3)[len(given) :])
    model = dt.models.get("ALSIG")
    rng = np.random.default_rng(0)
    rho = np.linspace(0.0005, 0.9995, axis)
    scattered = rng.uniform(0.001, 0.999, (2, axis * axis))
    count = axis * axis

    mesh = median(repeats, lambda: answers(model, rho[:, None], rho[None]))
    each = mesh / count
    print(f"{model.name}: likelihood of attack and of unwanted war, all equilibria, {count:,} points")
    row(f"mesh of {axis:,} x {axis:,}", mesh, count, each)
    row("scattered points, no two alike", median(repeats, lambda: answers(model, *scattered)), count, each)

    sample = scattered[:, :SAMPLE].T
    singles = []
    begin = time.perf_counter()
    for true, perceived in sample:
        singles.append(answers(model, float(true), float(perceived)))
    row("dt.subjective, one point at a time", time.perf_counter() - begin, SAMPLE, each)
    gap = np.abs(np.array(singles).T - np.array(answers(model, *sample.T))).max()

    forms = [tuple(strategic_form(model, float(x)) for x in pair) for pair in sample]
    tables = [nashpy.Game(*form) for pair in forms for form in pair]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate games, of which Nashpy warns
        begin = time.perf_counter()
        for table in tables:
            list(table.vertex_enumeration())
        row("Nashpy, vertex enumeration (Nash)", time.perf_counter() - begin, SAMPLE, each)
    gambit, took = Gambit(20.0), 0.0
    for pair in forms:
        for form in pair:
            if gambit.ask("enummixed_solve", dt.write_nfg(dt.StrategicGame(*form)), form="nfg", rational=False) is None:
                raise SystemExit(f"Gambit gave no answer: {gambit.error}")
            took += gambit.took
    row("Gambit, enummixed (Nash)", took, SAMPLE, each)
    print(f"largest difference between the grid and the loop over dt.subjective: {gap:.1e}")


if __name__ == "__main__":
    main()

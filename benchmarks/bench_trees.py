"""Trees against Gambit, in the same run: quantal response, linear programs, and pure equilibria of an alliance.

Run ``python benchmarks/bench_trees.py [REPEATS] [SECONDS]``, or for the rows on quantal response
``pytest benchmarks/bench_trees.py --benchmark-only -s``. Times are medians for the solve alone, certificate included on
our side, building and reading of games left out on both: of processor time for quantal response, where the two take
turns, and of wall-clock time else. Gambit runs in a process of its own and is given up after SECONDS (20 by default);
the ratio is then a lower bound. Branches are followed until no player gains more than 1e-6 of the payoff span by
another plan, which is what Gambit stops at, too, and one function computes that gain for the profiles that both return.
A row of its own has ours held to 1e-6 at every information set (``everywhere``, the default of ``qre_branch``).
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import pytest
from gambit_answers import Gambit
from textbook_trees import alliance, typed_tree

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import write_efg
from deterrence.games.play import best_response_values, expected_payoffs
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.qre import qre_batch
from deterrence.solvers.qre_branches import qre_branch
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.sequential import sequential


def signaling(seed: int, *, zero_sum: bool) -> ExtensiveGame:
    """Two types, three messages, two responses, as a tree of 21 nodes; random payoffs in thousandths."""
    u, v = np.random.default_rng(seed).normal(size=(2, 2, 3, 2)).round(3)
    game = SignalingGame(("high", "low"), ("x", "y", "z"), ("a", "b"), [0.5, 0.5], u, -u if zero_sum else v)
    return game.to_extensive()


def typed(types: int, actions: int, moves: int) -> Callable[[int], list[ExtensiveGame]]:
    """Return what makes a general-sum and a zero-sum tree from a seed."""
    return lambda seed: [typed_tree(types, actions, moves, seed, zero_sum=z) for z in (False, True)]


BRANCHES: dict[str, tuple[Callable[[int], list[ExtensiveGame]], int]] = {  # trees from a seed, and seeds
    "21 nodes, 2 players": (lambda seed: [signaling(seed, zero_sum=z) for z in (False, True)], 10),
    "29 nodes, 2 players": (typed(2, 2, 2), 10),
    "31 nodes, 3 players": (lambda seed: [alliance(2, seed)], 10),
    "61 nodes, 2 players": (typed(2, 2, 3), 10),
    "123 nodes, 4 players": (lambda seed: [alliance(3, seed)], 5),
    "125 nodes, 2 players": (typed(2, 2, 4), 5),
    "280 nodes, 2 players": (typed(3, 2, 4), 3),
    "497 nodes, 2 players": (typed(4, 2, 4), 2),
}
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


def busy(solve: Callable[[], Any], calls: int = 1) -> float:
    """Return the processor time of a call, the mean of some in a row."""
    begin = time.process_time()
    for _ in range(calls):
        solve()
    return (time.process_time() - begin) / calls


def regret(game: ExtensiveGame, actions: np.ndarray) -> float:
    """Return the largest gain of a player by any plan, as a share of its payoff span."""
    span = game.payoffs.max(axis=0) - game.payoffs.min(axis=0)
    gains = (best_response_values(game, actions) - expected_payoffs(game, actions)) / span
    return float(gains.max())


def as_actions(profile: list[Any], game: ExtensiveGame) -> np.ndarray:
    """Return Gambit's profile (by player and information set) as one array."""
    actions = np.zeros(game.topology.action_count)
    for player, sets in enumerate(profile):
        for s, weights in zip((s for s in game.infosets if s.player == player), sets, strict=True):
            actions[s.slots] = [float(Fraction(w)) for w in weights]
    return actions


def raced(gambit: Gambit, game: ExtensiveGame, rounds: int) -> list[float] | None:
    """Return seconds of the branch, ours, ours everywhere, and Gambit's, taking turns; then regrets of both profiles.

    None where Gambit does not answer.
    """
    text, numeric = write_efg(game), game.floats()
    reached = qre_branch(numeric, regret=1e-6, everywhere=False)  # warms up
    times: list[list[float]] = [[], [], []]
    for _ in range(rounds):
        times[0].append(busy(lambda: qre_branch(numeric, regret=1e-6, everywhere=False).limit, 5))  # about as
        times[1].append(busy(lambda: qre_branch(numeric, regret=1e-6).limit, 5))  # long as one of Gambit's: cold caches
        answer = gambit.ask("logit_solve", text, maxregret=1e-6)
        if not answer:
            return None
        times[2].append(gambit.cpu)
    left = regret(numeric, as_actions(answer[0], numeric))
    return [*map(statistics.median, times), regret(numeric, reached.limit.actions), left]


def branches(gambit: Gambit, repeats: int, names: tuple[str, ...] = tuple(BRANCHES)) -> dict[str, float]:
    """Time the branch of quantal response to a regret of 1e-6 of the payoff span; the ratios of median times."""
    ratios = {}
    for name in names:
        make, seeds = BRANCHES[name]
        pools: dict[str, list[ExtensiveGame]] = {}
        for seed in range(seeds):
            for kind, game in zip(("general sum", "zero-sum"), make(seed), strict=False):
                pools.setdefault(kind, []).append(game)
        for kind, games in pools.items():
            rounds = repeats if games[0].topology.size < 100 else 1
            found, late = [], 0
            for game in games:
                found.append(raced(gambit, game, rounds))
                late += gambit.error == "no answer in time"
            both = np.array([f for f in found if f is not None])
            label = f"branch, {name}, {kind}"
            if not len(both):
                mine = statistics.median(busy(lambda g=g: qre_branch(g, regret=1e-6).limit) for g in games)
                row(label, mine, None if late == len(games) else float("nan"), gambit.seconds)
                print(f"    Gambit solved none of {len(games)}; {late} not in time, the others given up by it")
                continue
            plan, everywhere, theirs = np.median(both[:, :3], axis=0)
            each = both[:, 2] / both[:, 0]
            worst = both[:, 3:].max(axis=0)
            row(label, float(plan), float(theirs), gambit.seconds)
            row("    ... everywhere", float(everywhere), float(theirs), gambit.seconds)
            print(
                f"    Gambit solved {len(both)} of {len(games)}; game by game {np.median(each):.1f} x "
                f"({each.min():.1f} to {each.max():.1f}); regrets at most {worst[0]:.1e}, Gambit's {worst[1]:.1e}"
            )
            ratios[label] = float(theirs / plan)
    return ratios


def points(gambit: Gambit, repeats: int) -> float:
    """Time quantal response at one precision for many games of one tree, taking turns; return the ratio."""
    game = typed_tree(2, 2, 2, 0, zero_sum=False)
    rng = np.random.default_rng(0)
    batch = ExtensiveGame.of(game.topology, game.chance, rng.normal(size=(POINTS, *game.payoffs.shape)))
    solved = qre_batch(batch, precision=1.0)
    sample = [write_efg(batch[i]) for i in range(30)]
    ours, theirs, apart = [], [], 0.0
    for k in range(repeats):
        ours.append(busy(lambda: qre_batch(batch, precision=1.0)))
        some = []
        for i, text in enumerate(sample):
            answer = gambit.ask("logit_solve_lambda", text, lam=1.0)
            some.append(gambit.cpu)
            if k == 0:
                apart = max(apart, float(np.abs(as_actions(answer[0], game) - solved.actions[i]).max()))
        theirs.append(statistics.fmean(some) * POINTS)
    ratio = statistics.median(theirs) / statistics.median(ours)
    name = f"precision 1, {POINTS:,} games of 29 nodes (Gambit: 30, scaled)"
    row(name, statistics.median(ours), statistics.median(theirs), gambit.seconds)
    print(f"    probabilities differ by at most {apart:.0e} where both were asked; {solved.failed.sum()} failed")
    return ratio


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", BRANCHES)
def test_branch(benchmark, name):
    """The time is that of one game; the ratios over several, Gambit's time over ours, stand in ``extra_info``."""
    game = BRANCHES[name][0](0)[0].floats()
    traced = benchmark(lambda: qre_branch(game, regret=1e-6))
    assert traced.regret[-1] <= 1e-6
    if benchmark.enabled:  # not where each benchmark only has to run
        print()
        with Gambit(60.0) as gambit:
            benchmark.extra_info["Gambit / ours"] = branches(gambit, 3, (name,))


def test_many_games_at_one_precision(benchmark):
    """The ratio, Gambit's time over ours, stands in ``extra_info``."""
    game = typed_tree(2, 2, 2, 0, zero_sum=False)
    payoffs = np.random.default_rng(0).normal(size=(POINTS, *game.payoffs.shape))
    batch = ExtensiveGame.of(game.topology, game.chance, payoffs)
    assert not benchmark(lambda: qre_batch(batch, precision=1.0)).failed.any()
    if benchmark.enabled:
        print()
        with Gambit(60.0) as gambit:
            benchmark.extra_info["Gambit / ours"] = points(gambit, 5)


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

"""Participation games of 32 members: one equilibrium, all that are found, and a sweep.

Run ``python benchmarks/bench_participation.py [POINTS]``; it prints seconds and sizes. Members are unequal in
every number, drawn with a fixed seed; the sweep varies two numbers of all members and one of the attack, so
that no two points share their strengths.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from deterrence.alliances.attacks import Attack
from deterrence.alliances.members import Member
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.solving.expected_defence import expected_defence
from deterrence.alliances.solving.iteration import cutpoints_from
from deterrence.alliances.solving.participation import participation, participation_batch, stage_equilibria
from deterrence.alliances.treaty import Treaty
from deterrence.games.distributions import normal


def alliance(members: int, seed: int = 7) -> ParticipationGame:
    """Return a game with unequal members."""
    rng = np.random.default_rng(seed)
    many = tuple(
        Member(
            name=f"member {i + 1}",
            capability=rng.uniform(0.2, 4),
            delay=rng.uniform(0, 40),
            stake=rng.uniform(0.2, 3),
            cost=normal(rng.uniform(0, 1), rng.uniform(0.2, 0.5)),
            obligation=rng.uniform(0, 0.6),
            forward=rng.uniform(0, 0.2),
            recognition=rng.uniform(0.5, 1),
        )
        for i in range(members)
    )
    return ParticipationGame(
        members=many,
        attacks=(Attack(name="full", strength=20, window=20),),
        base=4,
        decisiveness=2,
        treaty=Treaty(integration=0.1, rule={"threshold": members // 2}),
        tripwire=0.2,
    )


def main(points: int) -> None:
    """Measure and print."""
    game = alliance(32)
    participation(game)  # warm
    stage = game.stage(invoked=True)

    def clock(label: str, work: object, repeat: int) -> None:
        begin = time.perf_counter()
        for _ in range(repeat):
            result = work()  # type: ignore[operator]
        print(f"{label:60s} {(time.perf_counter() - begin) / repeat * 1e3:10.2f} ms  {result}")

    near = stage_equilibria(stage).probabilities[0] * 0.98

    def one() -> str:
        return f"residual {cutpoints_from(stage, expected_defence(stage), near).residual:.1e}"

    def cold() -> str:
        return f"residual {cutpoints_from(stage, expected_defence(stage), np.zeros(32)).residual:.1e}"

    def found() -> str:
        state = stage_equilibria(stage)
        return f"{len(state.holds)} found, {state.proof}"

    clock("one equilibrium of 32 members, warm start", one, 20)
    clock("one equilibrium of 32 members, from nobody", cold, 20)
    clock("all found of 32 members, one state of the treaty", found, 10)
    clock("all found of 32 members, both states, certified", lambda: f"{len(participation(game))} found", 10)
    large = alliance(200)
    clock("all found of 200 members, both states, certified", lambda: f"{len(participation(large))} found", 1)

    side = int(np.sqrt(points))
    varied = game.at(
        **{
            "members.*.cost.location": {"add": np.linspace(-0.6, 0.6, side)[:, None]},
            "members.*.capability": {"multiply": np.linspace(0.5, 2.0, side)},
            "attacks.full.strength": {"multiply": np.linspace(0.8, 1.2, side)[:, None]},
        }
    )
    begin = time.perf_counter()
    batch = participation_batch(varied.stage(invoked=True))
    seconds = time.perf_counter() - begin
    print(
        f"sweep of {side * side} points, 32 members, lowest and highest: {seconds:.1f} s, "
        f"{int(batch.converged.sum())} converged, {int(batch.several.sum())} with several, error <= {batch.error:.1e}"
    )


def test_the_benchmark_runs() -> None:
    """Run it once, small and untimed."""
    main(25)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

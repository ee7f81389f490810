"""Batches of alliance games equal their points one at a time, and shortcuts are taken only where proven."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.alliances.attacks import Attack
from deterrence.alliances.contest import contest_steepness
from deterrence.alliances.members import Member
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.solving.batch import defence_holds, distinct_rows
from deterrence.alliances.solving.bounds import contracts, most_added, spectral_bound
from deterrence.alliances.solving.expected_defence import batch_defence, expected_defence
from deterrence.alliances.solving.participation import participation, participation_batch, stage_equilibria
from deterrence.games.distributions import logistic, normal

DIALS = {
    "resolve": (-2, 2),
    "perception.Russia.resolve": (-2, 2),
    "base": (2, 8),
    "attacks.full.window": (3, 25),
    "treaty.consultation": (0.25, 5),
    "tripwire": (0, 8),
}


def test_a_batch_of_a_shipped_scenario_equals_its_points_one_at_a_time() -> None:
    scenario, rng = Scenario.load("baltic-2017"), np.random.default_rng(11)
    values = {name: rng.uniform(*limits, 5) for name, limits in DIALS.items()}
    events = ("attack", "hybrid", "full", "unwanted war", "defence holds")
    block = scenario.answer(values, events=events)
    batch = scenario.at_values(values)
    for i in range(5):
        at = {name: float(value[i]) for name, value in values.items()}
        single = scenario.at_values(at)
        for one, many in (
            (single.response(), batch.response()),
            (single.perceived_response(), batch.perceived_response()),
        ):
            assert one.complete
            for name in ("comes", "holds", "strength", "nobody", "payoffs"):
                assert getattr(many, name)[:, i] == pytest.approx(getattr(one, name), abs=1e-9), name
        answer = scenario.answer({}, at=at, events=events)
        for event in events:
            assert block.low[event][i] == pytest.approx(answer.low[event][0], abs=1e-9)
            assert block.high[event][i] == pytest.approx(answer.high[event][0], abs=1e-9)


def random_game(seed: int, n: int) -> ParticipationGame:
    rng = np.random.default_rng(seed)
    members = tuple(
        Member(
            name=f"m{i}",
            capability=rng.uniform(0.1, 3),
            stake=rng.uniform(0, 3),
            cost=(normal if i % 2 else logistic)(rng.uniform(0, 1), rng.uniform(0.05, 0.5)),
            bilateral=rng.uniform(0, 0.3),
        )
        for i in range(n)
    )
    attack = Attack(name="x", strength=rng.uniform(0.5, 2 * n))
    return ParticipationGame(
        members=members, attacks=(attack,), base=rng.uniform(0.1, 4), decisiveness=rng.uniform(0.5, 8)
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7))
def test_a_contraction_has_one_equilibrium(seed: int, n: int) -> None:
    stage = random_game(seed, n).stage(invoked=False)
    found = stage_equilibria(stage)
    if contracts(stage):
        assert len(found.holds) == 1
    batch = participation_batch(stage)
    assert batch.converged.all()
    assert batch.lowest.probabilities == pytest.approx(found.probabilities[0], abs=1e-9) or len(found.holds) > 1
    assert (np.abs(found.probabilities - batch.highest.probabilities).max(axis=-1) < 1e-8).any()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7))
def test_bounds_on_what_a_member_adds(seed: int, n: int) -> None:
    stage = random_game(seed, n).stage(invoked=False)
    strengths = stage.base + np.linspace(0, 1, 200) * stage.weights.sum()
    for i, most in enumerate(most_added(stage)):
        below = strengths[strengths + stage.weights[i] <= strengths[-1]]
        assert (stage.defence_holds(below + stage.weights[i]) - stage.defence_holds(below)).max() <= most + 1e-12
    slope = contest_steepness(strengths[0], strengths[-1], stage.strength, stage.decisiveness)
    assert (np.diff(stage.defence_holds(strengths)) / np.diff(strengths)).max() <= slope * (1 + 1e-9) + 1e-12


def test_a_spectral_bound_is_one() -> None:
    rng = np.random.default_rng(3)
    matrices = rng.random((20, 5, 5)) * rng.integers(0, 2, (20, 5, 5))
    radius = np.abs(np.linalg.eigvals(matrices)).max(axis=-1)
    assert (spectral_bound(matrices) >= radius - 1e-9).all()
    assert spectral_bound(matrices)[0] == pytest.approx(float(spectral_bound(matrices[0])))
    assert spectral_bound(np.array([[np.inf, 0], [0, 0]])) == np.inf


def test_equal_rows_are_found_once() -> None:
    a, b = np.tile([1.0, 2.0, 1.0, 2.0], 5), np.tile([[3.0, 4.0], [3.0, 4.0]], (10, 1))
    index, inverse = distinct_rows([a, b], 20)
    assert len(index) == 2
    assert np.array_equal(a[index[inverse]], a)
    index, inverse = distinct_rows([a, np.arange(20.0)], 20)
    assert np.array_equal(index, np.arange(20))
    assert len(distinct_rows([], 7)[0]) == 1


def test_a_sweep_that_does_not_touch_a_stage_solves_it_once() -> None:
    game = random_game(4, 5)
    grid = game.at(
        **{"members.m1.obligation": np.linspace(0, 1, 6)[:, None], "attacks.x.strength": np.array([2.0, 3.0])}
    )
    found = participation_batch(grid.stage(invoked=False))
    assert found.converged.shape == (2,)
    wide = participation_batch(grid.stage(invoked=True))
    assert wide.lowest.probabilities.shape == (6, 2, 5)
    one = participation(game.at(**{"members.m1.obligation": 0.4, "attacks.x.strength": 3.0}))[0]
    assert wide.lowest.probabilities[2, 1] == pytest.approx(one.profile.probabilities[0], abs=1e-9)
    q = np.full((6, 2, 5), 0.3)
    held, error = defence_holds(grid.stage(invoked=True), q)
    assert held == pytest.approx(expected_defence(grid.stage(invoked=True)).value(q), abs=1e-10)
    assert error <= 1e-9


def test_part_of_a_batch_is_reckoned_as_the_whole() -> None:
    game = random_game(8, 6).at(base=np.linspace(0.5, 4, 9))
    stage, rng = game.stage(invoked=False), np.random.default_rng(2)
    q, some = rng.random((9, 6)), np.array([1, 4, 8])
    for method in ("auto", "spectral", "lattice"):
        whole = batch_defence(stage, method=method)
        assert whole.at(some).gains(q[some]) == pytest.approx(whole.gains(q)[some], abs=1e-12)
        assert whole.at(some).value(q[some]) == pytest.approx(whole.value(q)[some], abs=1e-12)

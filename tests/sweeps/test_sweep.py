"""Sweeps: the answer at every point is that of the single solver, in every way of running them."""

from __future__ import annotations

import functools
import json
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.answers import Status
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.sweeps.blocks import plan_of
from deterrence.sweeps.errors import SweepError
from deterrence.sweeps.naming import kind_variable
from deterrence.sweeps.pools import SpawnPool
from deterrence.sweeps.sweep import bytes_of, failures, sweep
from tests.sweep_games import Deadly, Formula, Unconverged, grid, posture_game, same

QUIET = {"progress": False}


def crisis() -> dt.ExtensiveGame:
    w, a = dt.symbols("w a")
    reply = dt.move("D", {"fight": dt.end("war", A=-a, D=w), "yield": dt.end("conquest", A=1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=0, D=1), "attack": reply}))


# ---------------------------------------------------------------- the answers


def test_every_point_has_the_answer_of_the_single_solver():
    game, axes = posture_game(), grid(7)
    result = sweep(game, axes, event=("attack", "tripwire"), **QUIET)
    for i, p in enumerate(axes["p"]):
        for j, c in enumerate(axes["c"]):
            single = dt.pbe(game, at={"p": p, "c": c})
            here = result.isel(p=i, c=j)
            assert here.equilibria == len(single)
            assert here.status == Status.OK
            kinds = {here[n].attrs["kind"] for n in here.data_vars if "kind" in here[n].attrs and here[n]}
            assert kinds == set(single.kinds)
            for event in ("attack", "tripwire"):
                ends = float(here[f"{event}_low"]), float(here[f"{event}_high"])
                assert ends == pytest.approx(single.probability(event), abs=1e-9)


def test_ties_of_signaling_games_are_settled_and_flagged_whatever_is_asked_for():
    game, axes = posture_game(), {"p": [0.25, 0.5, 0.75], "c": [0.2]}
    settled, left = (sweep(game, axes, ties=ties, **QUIET) for ties in (None, "leave"))
    assert settled.degenerate.values.ravel().tolist() == [False, True, False]
    assert left.drop_attrs().equals(settled.drop_attrs())
    single = dt.pbe(game, at={"p": 0.5, "c": 0.2})
    assert settled.equilibria.values.ravel()[1] == len(single)
    assert settled.attack_high.values.ravel()[1] == pytest.approx(single.probability("attack")[1])


def test_backward_induction_as_arrays_agrees_with_the_single_solver():
    axes = {"w": np.linspace(-1, 1, 9), "a": np.linspace(-0.5, 1.1, 7)}
    result = sweep(crisis(), axes, event=["attack", "war"], **QUIET)
    for i, w in enumerate(axes["w"]):
        for j, a in enumerate(axes["a"]):
            single = dt.spe(crisis(), at={"w": w, "a": a})
            here = result.isel(w=i, a=j)
            assert here.equilibria == len(single)
            assert (float(here.war_low), float(here.war_high)) == single.probability("war")
            assert {here[n].attrs["kind"] for n in here.data_vars if "kind" in here[n].attrs and here[n]} == set(
                single.kinds
            )


def test_logit_equilibria_come_with_the_precision_of_a_partial():
    result = sweep(crisis(), {"w": [-0.5, 0.5]}, at={"a": 1}, concept=functools.partial(dt.qre, precision=3.0), **QUIET)
    for w, found in zip((-0.5, 0.5), result.attack_high.values, strict=True):
        assert found == pytest.approx(
            dt.qre(crisis(), at={"w": w, "a": 1}, precision=3.0)[0].probability("attack"), abs=1e-9
        )


def test_concepts_without_arrays_are_solved_point_by_point():
    result = sweep(crisis(), {"w": [-0.5, 0.5]}, at={"a": 1}, concept=dt.nash, **QUIET)
    assert result.equilibria.values.tolist() == [len(dt.nash(crisis(), at={"w": w, "a": 1})) for w in (-0.5, 0.5)]


def test_events_may_be_predicates_with_names():
    result = sweep(posture_game(), {"p": [0.3]}, at={"c": 0.1}, event={"met": lambda path: "tripwire" in path}, **QUIET)
    named = sweep(posture_game(), {"p": [0.3]}, at={"c": 0.1}, event="tripwire", **QUIET)
    assert result.met_high.item() == named.tripwire_high.item()


def test_three_types_are_solved_one_by_one():
    p = dt.symbols("p")
    half = (1 - p) / 2
    game = dt.SignalingGame(
        types=("a", "b", "c"),
        messages=("m", "n"),
        responses=("attack", "refrain"),
        prior=[p, half, half],
        sender_payoffs=[[[0, 2], [0, 1]], [[0, 2], [0, 1]], [[0, 1], [0, 2]]],
        receiver_payoffs=[[[-1, 0]] * 2, [[1, 0]] * 2, [[1, 0]] * 2],
    )
    result = sweep(game, {"p": [0.2, 0.8]}, **QUIET)
    assert result.equilibria.values.tolist() == [len(dt.pbe(game, at={"p": p})) for p in (0.2, 0.8)]


def test_a_model_of_the_library_answers_as_it_does_alone():
    model = dt.models.get("ALSIG")
    axes = {"rho": np.linspace(0.1, 0.9, 5), "k": np.linspace(0.05, 1.2, 4)}
    result = sweep(model, axes, **QUIET)
    alone = model.answer({"rho": np.repeat(axes["rho"], 4), "k": np.tile(axes["k"], 5)}, at={}, events=("attack",))
    assert result.attack_high.values.ravel().tolist() == alone.high["attack"].tolist()
    assert result.rho.attrs["long_name"]


# ---------------------------------------------------------------- the same in every way


@pytest.mark.parametrize("options", [{"block": 17}, {"block": 100, "executor": 2}, {"executor": "threads"}], ids=str)
def test_blocks_and_executors_change_no_bit(options):
    whole = sweep(posture_game(), grid(), **QUIET)
    if options.get("executor") == "threads":
        with ThreadPoolExecutor(2) as pool:
            other = sweep(posture_game(), grid(), block=60, executor=pool, **QUIET)
    else:
        other = sweep(posture_game(), grid(), **options, **QUIET)
    assert same(whole, other)


def test_a_scenario_is_the_same_in_blocks_and_in_one():
    scenario = dt.Scenario.load("textbook")
    axes = {scenario.sweep_names[0]: np.linspace(0.1, 0.9, 11)}
    one, other = (sweep(scenario, axes, block=block, **QUIET) for block in (11, 3))
    assert same(one, other)


@given(
    shape=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple),
    points=st.integers(1, 200),
)
def test_blocks_are_runs_of_points_that_tile_the_result(shape, points):
    plan = plan_of(shape, points)
    flat = np.arange(plan.points).reshape(shape)
    ends = [plan.bounds(b) for b in range(len(plan))]
    assert [e for pair in ends for e in pair][1:-1:2] == [start for start, _ in ends[1:]]
    assert (ends[0][0], ends[-1][1]) == (0, plan.points)
    for block, (start, stop) in enumerate(ends):
        assert flat[plan.region(block)].ravel().tolist() == list(range(start, stop))
        assert stop - start <= points
        assert all(s.start % c == 0 for s, c in zip(plan.region(block), plan.chunk, strict=True))


def test_a_worker_that_dies_costs_nothing(tmp_path):
    file = tmp_path / "kill"
    file.touch()
    axes = {"a": np.linspace(0, 1, 40), "b": np.linspace(0, 1, 5)}
    result = sweep(Deadly(file), axes, executor=2, block=20, **QUIET)
    assert not file.exists(), "no worker was killed"
    assert result.attack_high.equals(sweep(Formula(), axes, **QUIET).attack_high)


def test_workers_that_always_die_are_an_error():
    with pytest.raises(SweepError, match="workers died 4 times with block"):
        sweep(Deadly(), {"a": np.linspace(0, 1, 4)}, executor=2, block=1, **QUIET)


def test_anything_that_submits_is_an_executor():
    class Adapter:
        """As for Ray: no Executor, but its futures are those of the standard library."""

        def __init__(self, pool):
            self.pool, self.calls = pool, 0

        def submit(self, function, *args):
            self.calls += 1
            return self.pool.submit(function, *args)

    with ThreadPoolExecutor(1) as pool:
        adapter = Adapter(pool)
        result = sweep(posture_game(), grid(), block=100, executor=adapter, **QUIET)
    assert adapter.calls == 6
    assert same(sweep(posture_game(), grid(), **QUIET), result)


def test_an_executor_that_breaks_is_named(tmp_path):
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(SweepError, match="of the executor died"),
    ):
        sweep(Deadly(), {"a": np.linspace(0, 1, 4)}, executor=pool, block=1, **QUIET)


def test_a_pool_that_breaks_between_blocks_is_renewed(monkeypatch):
    renewed = []
    made = SpawnPool._made

    def broken_at_first(self):
        pool = made(self)
        if not renewed:
            pool.submit = lambda *args: (_ for _ in ()).throw(BrokenExecutor("gone"))
        renewed.append(pool)
        return pool

    monkeypatch.setattr(SpawnPool, "_made", broken_at_first)
    result = sweep(Formula(), {"a": np.linspace(0, 1, 8)}, executor=2, block=2, **QUIET)
    assert len(renewed) == 2
    assert same(result, sweep(Formula(), {"a": np.linspace(0, 1, 8)}, **QUIET))


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError, "FAILED"),
        (SolverError, "NOT_CONVERGED"),
        (ParameterError, "INVALID"),
        (ZeroDivisionError, "FAILED"),
    ],
)
def test_a_point_that_fails_is_recorded_and_spares_the_others(error, status):
    axes = {"a": np.linspace(0, 1, 21), "b": np.linspace(0.1, 0.9, 9)}
    result = sweep(Formula(bad=0.5, error=error), axes, **QUIET)
    lost = (result.a == 0.5) | (result.b == 0.5)
    expected = (result.a * result.b).where(~lost)
    assert np.array_equal(result.attack_low.values, expected.values, equal_nan=True)
    assert (result.status == Status[status]).equals(lost)
    counts = json.loads(result.attrs["statuses"])
    assert counts[status] == int(lost.sum()) == result.attrs["failed"]
    first = failures(result)[0]
    assert first["status"] == status
    assert 0.5 in (first["a"], first["b"])
    assert "cannot solve at 0.5" in first["reason"]


def test_points_that_a_target_gives_up_on_are_recorded():
    result = sweep(Unconverged(), {"x": np.linspace(0, 1, 11)}, **QUIET)
    assert result.status.values.tolist() == [0] * 9 + [Status.NOT_CONVERGED] * 2
    assert np.isnan(result.attack_high.values[9:]).all()
    assert [f["reason"] for f in failures(result)] == ["no limit", "no reason was given"]


def test_priors_that_are_none_are_points_not_errors():
    result = sweep(posture_game(), {"p": [-0.1, 0.3, 1.2]}, at={"c": 0.1}, **QUIET)
    assert result.status.values.tolist() == [Status.INVALID, Status.OK, Status.INVALID]
    assert [f["p"] for f in failures(result)] == [-0.1, 1.2]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"over": {}}, ParameterError, "at least one parameter to vary"),
        ({"over": {"q": [0.1]}}, ParameterError, "no parameter 'q'; it has 'c', 'p'"),
        ({"over": {"p": [0.1]}}, ParameterError, "needs a value of c"),
        ({"over": {"p": [0.1], "c": [0.1]}, "at": {"c": 1}}, ParameterError, "'c' is swept and fixed"),
        ({"event": "atack"}, GameError, "no event 'atack'; did you mean 'attack'"),
        ({"event": []}, ParameterError, "at least one event"),
        ({"event": ["a b", "a_b"]}, ParameterError, "two events have the variables a_b_low"),
        ({"concept": "pbee"}, ParameterError, "no solution concept 'pbee'"),
        ({"block": 0}, ParameterError, "block must be a whole number"),
        ({"memory": "much"}, ParameterError, "memory must be a number of bytes"),
        ({"block": 10**9}, ParameterError, "blocks of 1000000000 points need more than memory"),
        ({"ties": "ignore"}, ParameterError, "ties must be"),
        ({"executor": "dask"}, SweepError, "executor must be"),
    ],
)
def test_what_cannot_be_asked_is_refused(options, error, message):
    given = {"over": {"p": [0.1, 0.2], "c": [0.1]}, **options}
    with pytest.raises(error, match=message):
        sweep(posture_game(), **given, **QUIET)


def test_a_target_must_answer():
    with pytest.raises(ParameterError, match="a sweep asks a model, a scenario or a game"):
        sweep(object(), {"p": [0.1]})


def test_a_mistake_in_the_target_is_raised_and_not_recorded_a_million_times():
    class Broken(Formula):
        def answer(self, values, **options):
            raise AttributeError("no such thing")

    with pytest.raises(AttributeError, match="no such thing"):
        sweep(Broken(), {"a": np.linspace(0, 1, 1000)}, **QUIET)


# ---------------------------------------------------------------- the result


def test_the_result_says_how_it_came_about():
    result = sweep(posture_game(), {"p": (0.1, 0.9), "c": (0.0, 1.0)}, samples=64, seed=3, **QUIET)
    spec = json.loads(result.attrs["specification"])
    assert result.attrs["seed"] == spec["design"]["seed"] == 3
    assert spec["question"]["concept"]["name"] == "pbe"
    assert json.loads(result.attrs["versions"])["numpy"] == np.__version__
    assert list(result.sizes) == ["sample"]
    again = sweep(posture_game(), {"p": (0.1, 0.9), "c": (0.0, 1.0)}, samples=64, seed=3, **QUIET)
    assert same(result, again)


@pytest.mark.parametrize(
    "change",
    [{"event": "refrain"}, {"at": {"c": 0.2}}, {"over": {"p": [0.1, 0.21]}}, {"concept": "qre"}],
)
def test_the_fingerprint_changes_with_the_question(change):
    given = {"over": {"p": [0.1, 0.2]}, "at": {"c": 0.1}}
    one, other = (sweep(posture_game(), **g, **QUIET).attrs["fingerprint"] for g in (given, {**given, **change}))
    assert one != other


def test_kinds_that_look_alike_have_variables_of_their_own():
    assert kind_variable("pooling on fait accompli") == "kind_pooling_on_fait_accompli"
    assert kind_variable("pooling on a-b") != kind_variable("pooling on a b")
    assert kind_variable("pooling on a_b") != kind_variable("pooling on a b")


def test_memory_sets_the_size_of_blocks():
    told = []
    sweep(
        posture_game(), grid(60), memory="200 KB", executor=1, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (3600, 3600)
    assert len(told) > 1
    largest = max(b - a for (a, _), (b, _) in zip([(0, 0), *told], told, strict=False))
    assert largest * 2 * 3 * 40 <= bytes_of("200 KB")

"""Extending stores: only new points are solved, stored values stay bit for bit, a store is whole whatever ends it."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.errors import ParameterError
from deterrence.sweeps import extension
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.store import extension_of, replaced_by
from deterrence.sweeps.study import Study, resume, show
from deterrence.sweeps.sweep import load, sweep
from tests.sweep_games import Formula, Unconverged, grid, posture_game, same

pytest.importorskip("zarr", reason="zarr is an extra")

QUIET = {"progress": False}
HOME = Path(__file__).parents[2]


class Counted(Formula):
    """Keeps the points that it was asked at."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def answer(self, values, **options):
        self.asked += list(zip(*(np.asarray(v).tolist() for v in values.values()), strict=True))
        return super().answer(values, **options)


def entries(folder):
    return sorted(entry.name for entry in folder.iterdir())


GROWN = {
    "appended": ([0.1, 0.4], [0.1, 0.4, 0.7, 0.9]),
    "prepended": ([0.4, 0.7], [0.1, 0.2, 0.4, 0.7]),
    "inserted": ([0.1, 0.7], [0.1, 0.3, 0.4, 0.7]),
    "in another order": ([0.1, 0.4], [0.9, 0.4, 0.2, 0.1]),
}


@pytest.mark.parametrize("block", [1, 3, 100])
@pytest.mark.parametrize("how", GROWN)
def test_an_axis_grows_and_only_new_points_are_solved(tmp_path, how, block):
    few, many = GROWN[how]
    axes, grown = {"a": few, "b": [0.2, 0.3, 0.8]}, {"a": many, "b": [0.2, 0.3, 0.5, 0.8]}
    store, target = tmp_path / "a.zarr", Counted()
    old = sweep(target, axes, store=store, block=block, **QUIET).compute()
    target.asked.clear()
    new = sweep(target, grown, store=store, extend=True, block=block, **QUIET)
    probes = [(grown["a"][i], grown["b"][j]) for i, j in ((0, 0), (3, 3))]  # a sweep asks first what it may ask
    assert sorted(p for p in target.asked if p not in probes) == sorted(
        (a, b) for a in many for b in grown["b"] if not (a in few and b in axes["b"]) and (a, b) not in probes
    )
    assert same(new, sweep(Formula(), grown, **QUIET))
    for name in old.data_vars:
        assert new[name].sel(a=few, b=axes["b"]).values.tobytes() == old[name].values.tobytes()
    assert same(load(store, verify=True), new)
    assert entries(tmp_path) == ["a.zarr"]
    assert same(sweep(target, grown, store=store, **QUIET), new)


def test_stored_values_are_kept_and_not_computed_again(tmp_path):
    """A solver that would answer otherwise now is not asked at stored points: their values stay to the last bit."""
    store = tmp_path / "a.zarr"
    old = sweep(Formula(), {"a": [0.1, 0.4]}, store=store, **QUIET).compute()
    other = Formula()
    honest, other.answer = other.answer, None

    def shifted(values, **options):
        return honest({name: np.asarray(v) * 0.5 for name, v in values.items()}, **options)

    other.answer = shifted
    new = sweep(other, {"a": [0.1, 0.2, 0.4]}, store=store, extend=True, **QUIET)
    assert new.attack_high.values.tolist() == [old.attack_high.values[0], 0.1, old.attack_high.values[1]]


def test_a_finer_spacing_keeps_the_stored_values_though_it_rounds_otherwise(tmp_path):
    store, target = tmp_path / "a.zarr", Counted()
    coarse, fine = np.linspace(0, 1, 11), np.linspace(0, 1, 101)
    assert not set(coarse) <= set(fine), "rounding does not matter here"
    sweep(target, {"a": coarse}, store=store, **QUIET)
    target.asked.clear()
    new = sweep(target, {"a": fine}, store=store, extend=True, **QUIET)
    assert set(coarse) <= set(new.a.values)
    assert len({a for (a,) in target.asked} - set(coarse)) == 90
    target.asked.clear()
    sweep(target, {"a": fine}, store=store, extend=True, **QUIET)
    assert len(target.asked) <= 3, "a store that is whole was computed again"


def test_games_with_kinds_and_ties_are_extended(tmp_path):
    store, small, large = tmp_path / "a.zarr", grid(6), grid(11)
    assert set(np.round(small["p"], 12)) <= set(np.round(large["p"], 12))
    sweep(posture_game(), small, store=store, block=5, **QUIET)
    new = sweep(posture_game(), large, store=store, extend=True, block=7, **QUIET)
    axes = {name: new[name].values for name in ("p", "c")}
    assert same(new, sweep(posture_game(), axes, **QUIET))
    assert any("kind" in new[n].attrs for n in new.data_vars)


def test_failures_keep_their_reasons(tmp_path):
    store, rows = tmp_path / "a.zarr", np.linspace(0, 1, 21)
    few, many = {"x": rows[::2], "b": [0.5, 0.75]}, {"x": rows, "b": [0.5, 0.6, 0.75]}
    sweep(Unconverged(), few, store=store, block=1, **QUIET)
    new = sweep(Unconverged(), many, store=store, extend=True, block=4, **QUIET)
    whole = sweep(Unconverged(), many, **QUIET)
    assert same(new, whole)
    assert new.attrs["statuses"] == whole.attrs["statuses"]
    stored = [f for f in dt.sweeps.failures(new) if f["x"] in few["x"] and f["b"] in few["b"]]
    assert stored
    assert all(f["reason"] == "no limit" for f in stored)


@pytest.mark.parametrize("method", ["sobol", "halton"])
def test_a_sequence_goes_on_where_it_stopped(tmp_path, method):
    asked = {"over": {"a": (0.1, 0.9), "b": (0.0, 1.0)}, "method": method, "seed": 3}
    store, target = tmp_path / "a.zarr", Counted()
    old = sweep(target, **asked, samples=20, store=store, block=8, **QUIET).compute()
    target.asked.clear()
    new = sweep(target, **{**asked, "seed": None}, samples=50, store=store, extend=True, block=8, **QUIET)
    assert len(set(target.asked)) <= 30 + 2
    assert same(new, sweep(Formula(), **asked, samples=50, **QUIET))
    for name in old.variables:
        assert new[name].values[:20].tobytes() == old[name].values.tobytes()


def test_rows_are_added_to_a_table(tmp_path):
    store, rows = tmp_path / "a.zarr", {"a": [0.1, 0.4, 0.1], "b": [0.2, 0.2, 0.9]}
    sweep(Formula(), dt.sweeps.table({n: v[:2] for n, v in rows.items()}), store=store, **QUIET)
    new = sweep(Formula(), dt.sweeps.table(rows), store=store, extend=True, **QUIET)
    assert same(new, sweep(Formula(), dt.sweeps.table(rows), **QUIET))


def test_a_store_that_is_not_finished_is_extended_and_finished(tmp_path, monkeypatch):
    store, target = tmp_path / "a.zarr", Formula()
    solve, calls = extension.solve_part, []

    def stopping(question, part):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(part)
        return solve(question, part)

    monkeypatch.setattr("deterrence.sweeps.execution.solve_part", stopping)
    with pytest.raises(KeyboardInterrupt):
        sweep(target, {"a": np.linspace(0, 1, 11)}, store=store, block=2, executor=1, **QUIET)
    monkeypatch.undo()
    new = sweep(target, {"a": np.linspace(0, 1, 21)}, store=store, extend=True, **QUIET)
    assert same(new, sweep(target, {"a": new.a.values}, **QUIET))


def test_a_store_that_is_not_there_is_made(tmp_path):
    made = sweep(Formula(), {"a": [0.1, 0.2]}, store=tmp_path / "a.zarr", extend=True, **QUIET)
    assert same(made, sweep(Formula(), {"a": [0.1, 0.2]}, **QUIET))


@pytest.mark.parametrize(
    ("stored", "asked", "message"),
    [
        ({"over": {"a": [0.1, 0.4]}}, {"over": {"a": [0.1, 0.5]}}, r"the value 0\.4 of a, which is not among the 2"),
        ({"over": {"a": [0.1]}}, {"over": {"a": [0.1], "b": [0.1]}}, "a grid over a, got one over a, b"),
        ({"over": {"a": [0.1]}}, {"over": {"a": (0, 1)}, "samples": 4}, "holds a grid, which a sample cannot extend"),
        (
            {"over": {"a": (0, 1)}, "samples": 4, "method": "latin hypercube", "seed": 1},
            {"over": {"a": (0, 1)}, "samples": 8, "method": "latin hypercube", "seed": 1},
            "'latin hypercube', which cannot be extended: with more points all of them are others",
        ),
        (
            {"over": {"a": (0, 1)}, "samples": 4, "seed": 1},
            {"over": {"a": (0, 1)}, "samples": 8, "seed": 2},
            r"not the first of the 8 that are asked for \(seed: stored 1, now 2\)",
        ),
        (
            {"over": {"a": (0, 1)}, "samples": 4, "seed": 1},
            {"over": {"a": (0, 2)}, "samples": 8, "seed": 1},
            r"ranges: stored .* now .*; an extension has the same names, ranges and seed",
        ),
        ({"over": {"a": (0, 1)}, "samples": 8}, {"over": {"a": (0, 1)}, "samples": 4}, "not the first of the 4"),
        ({"over": {"a": [0.1]}}, {"over": {"a": [0.1, 0.2]}, "at": {"b": 0.5}}, r"question\.at\.b: stored nothing"),
    ],
    ids=["a value less", "a name more", "sample of a grid", "hypercube", "seed", "ranges", "fewer", "question"],
)
def test_what_is_no_extension_is_refused_with_the_reason_and_the_store_stays(tmp_path, stored, asked, message):
    store = tmp_path / "a.zarr"
    before = sweep(Formula(), **stored, store=store, **QUIET).compute()
    with pytest.raises(StoreError, match=message):
        sweep(Formula(), **asked, store=store, extend=True, **QUIET)
    assert same(load(store, verify=True), before)
    assert entries(tmp_path) == ["a.zarr"]


def test_an_extension_needs_a_store_of_this_machine(tmp_path):
    with pytest.raises(ParameterError, match="extend=True extends a store; name it by store="):
        sweep(Formula(), {"a": [0.1]}, extend=True, **QUIET)
    url = f"memory://extension-{time.monotonic_ns()}"
    sweep(Formula(), {"a": [0.1]}, store=url, **QUIET)
    with pytest.raises(StoreError, match="cannot be extended: a store behind a URL"):
        sweep(Formula(), {"a": [0.1, 0.2]}, store=url, extend=True, **QUIET)


def test_damage_is_told_and_repaired_before_a_store_is_extended(tmp_path):
    store = tmp_path / "a.zarr"
    axes, grown = {"a": np.arange(1, 9) / 10}, {"a": np.arange(1, 17) / 20}
    sweep(Formula(), axes, store=store, block=2, **QUIET)
    chunk = store / "attack_low" / "c" / "1"
    raw = bytearray(chunk.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    chunk.write_bytes(raw)
    with pytest.raises(StoreError, match=r"damaged in 1 of 4 blocks"):
        sweep(Formula(), grown, store=store, extend=True, **QUIET)
    new = sweep(Formula(), grown, store=store, extend=True, repair=True, **QUIET)
    assert same(new, sweep(Formula(), {"a": new.a.values}, **QUIET))


# ---------------------------------------------------------------- killed


RUN = """
    import sys
    sys.path.insert(0, {home!r})
    from tests.sweep_games import grid, posture_game
    from deterrence.sweeps.sweep import sweep
    print("ready", flush=True)
    options = {{"block": {block}, "executor": {executor}, "progress": False, "extend": True}}
    sweep(posture_game(), grid({size}), store={store!r}, **options)
    print("finished", flush=True)
"""


def killed(store: Path, size: int, block: int, wait: float, executor: int = 1) -> None:
    """Start an extension and kill it after a while."""
    code = textwrap.dedent(RUN.format(home=str(HOME), size=size, store=str(store), block=block, executor=executor))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    until = time.monotonic() + 60
    while not (extension_of(str(store)) / "zarr.json").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(wait)
    process.kill()
    process.communicate()


def kill_extensions(folder: Path, times: int, size: int, seed: int, executor: int) -> None:
    """Kill an extension at random moments: each time the old store or the new one is there, whole."""
    store, rng = folder / "a.zarr", random.Random(seed)
    small, large = {n: v[::2] for n, v in grid(size).items()}, grid(size)
    old, new = sweep(posture_game(), small, **QUIET), sweep(posture_game(), large, **QUIET)
    sweep(posture_game(), small, store=store, block=size, **QUIET)
    for _ in range(times):
        killed(store, size, size, rng.uniform(0, 0.5), executor)
        found = load(store, verify=True)
        assert same(found, old) or same(found, new)
        assert "100%" in show(store)
    assert same(sweep(posture_game(), large, store=store, extend=True, **QUIET), new)
    assert same(sweep(posture_game(), large, store=store, **QUIET), new)
    assert entries(folder) == ["a.zarr"]


def test_an_extension_that_is_killed_leaves_a_whole_store_and_goes_on(tmp_path):
    kill_extensions(tmp_path, times=1, size=25, seed=0, executor=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10))
def test_extensions_killed_at_random_moments_leave_a_whole_store_and_go_on(tmp_path, seed):
    kill_extensions(tmp_path, times=3, size=81, seed=seed, executor=1 + seed % 2)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("at_once", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("step", range(4))
def test_killed_between_any_two_steps_of_the_change_of_places(tmp_path, monkeypatch, at_once, step):
    """Every step of the change raises before it is done: what stands there then is the old store or the new, whole."""
    store = tmp_path / "a.zarr"
    old = sweep(Formula(), {"a": [0.1, 0.4]}, store=store, **QUIET).compute()
    grown = {"a": [0.1, 0.2, 0.4]}
    new = sweep(Formula(), grown, **QUIET)
    steps = []

    def counted(do):
        def call(*arguments, **options):
            steps.append(do)
            if len(steps) == step + 1:
                raise Killed
            return do(*arguments, **options)

        return call

    real = extension.take_place

    def take_place(url, release):
        monkeypatch.setattr(extension.os, "rename", counted(extension.os.rename))
        monkeypatch.setattr(extension.shutil, "rmtree", counted(extension.shutil.rmtree))
        if at_once:
            monkeypatch.setattr(extension, "_exchanged", counted(extension._exchanged))
        else:
            monkeypatch.setattr(extension, "_exchanged", lambda one, other: False)
        real(url, release)

    monkeypatch.setattr("deterrence.sweeps.sweep.take_place", take_place)
    if at_once and not exchange_works(tmp_path):
        pytest.skip("this file system cannot exchange folders")
    with contextlib.suppress(Killed):
        sweep(Formula(), grown, store=store, extend=True, **QUIET)
    monkeypatch.undo()
    found = load(store, verify=True)
    assert same(found, old) or same(found, new)
    assert same(sweep(Formula(), grown, store=store, extend=True, **QUIET), new)
    assert entries(tmp_path) == ["a.zarr"]
    assert not replaced_by(str(store)).exists()


def exchange_works(folder):
    for name in ("x", "y"):
        (folder / name).mkdir()
    try:
        return extension._exchanged(folder / "x", folder / "y")
    finally:
        for name in ("x", "y"):
            (folder / name).rmdir()


def test_an_extension_that_was_begun_otherwise_makes_way(tmp_path, monkeypatch):
    store, target = tmp_path / "a.zarr", Formula()
    sweep(target, {"a": [0.1, 0.4]}, store=store, **QUIET)
    monkeypatch.setattr("deterrence.sweeps.sweep.take_place", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        sweep(target, {"a": [0.1, 0.2, 0.4]}, store=store, extend=True, **QUIET)
    monkeypatch.undo()
    assert "an extension to 3 points was begun, 3 done" in show(store)
    new = sweep(target, {"a": [0.1, 0.3, 0.4, 0.5]}, store=store, extend=True, **QUIET)
    assert same(new, sweep(target, {"a": [0.1, 0.3, 0.4, 0.5]}, **QUIET))
    assert entries(tmp_path) == ["a.zarr"]


def test_a_folder_of_somebody_in_the_way_is_left_alone(tmp_path):
    store = tmp_path / "a.zarr"
    sweep(Formula(), {"a": [0.1, 0.4]}, store=store, **QUIET)
    mine = extension_of(str(store))
    mine.mkdir()
    (mine / "letter.txt").write_text("mine")
    with pytest.raises(StoreError, match="a directory without a Zarr store"):
        sweep(Formula(), {"a": [0.1, 0.2, 0.4]}, store=store, extend=True, **QUIET)
    assert (mine / "letter.txt").read_text() == "mine"


# ---------------------------------------------------------------- from the store alone, and from a study


def test_a_store_of_a_model_is_extended_from_itself(tmp_path):
    store, model = tmp_path / "a.zarr", dt.models.get("ALSIG")
    axes = {"rho": np.linspace(0.1, 0.9, 5), "k": np.array([0.4, 0.2])}
    sweep(model, axes, store=store, **QUIET)
    new = resume(store, add={"rho": [0.2, 0.3, 0.95], "k": [0.3]}, **QUIET)
    assert new.rho.values.tolist() == sorted({*axes["rho"], 0.2, 0.95}), "0.3 was there, but for rounding"
    assert new.k.values.tolist() == [0.4, 0.3, 0.2]
    assert same(new, sweep(model, {n: new[n].values for n in ("rho", "k")}, **QUIET))
    with pytest.raises(ParameterError, match="has no axis 'x'"):
        resume(store, add={"x": [1]}, **QUIET)
    with pytest.raises(ParameterError, match="no sample of ranges"):
        resume(store, samples=8, **QUIET)


def test_a_stored_sample_of_a_model_is_extended_from_itself(tmp_path):
    store, model = tmp_path / "a.zarr", dt.models.get("ALSIG")
    asked = {"over": {"rho": (0.1, 0.9), "k": (0.1, 0.4)}, "seed": 4}
    sweep(model, **asked, samples=8, store=store, **QUIET)
    assert same(resume(store, samples=20, **QUIET), sweep(model, **asked, samples=20, **QUIET))
    with pytest.raises(ParameterError, match="not by both"):
        resume(store, samples=30, add={"k": [0.1]}, **QUIET)


def test_a_study_grows_with_its_file(tmp_path):
    file = tmp_path / "s.toml"
    text = (
        'schema_version = 1\ntarget = "model:ALSIG"\nstore = "s.zarr"\n[vary]\n'
        "rho = { values = [0.1, 0.5] }\nk = { values = [0.2] }\n"
    )
    file.write_text(text)
    Study.load(file).run(**QUIET)
    file.write_text(text.replace("[0.1, 0.5]", "[0.1, 0.3, 0.5]"))
    with pytest.raises(StoreError, match="holds another sweep"):
        Study.load(file).run(**QUIET)
    new = Study.load(file).run(extend=True, **QUIET)
    assert same(new, sweep(dt.models.get("ALSIG"), {"rho": [0.1, 0.3, 0.5], "k": [0.2]}, **QUIET))

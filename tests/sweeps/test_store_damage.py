"""Stores with any one file damaged, missing or of a wrong content: named, repaired, never believed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence.cli import app
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.files import write_dataset
from deterrence.sweeps.store import locate
from deterrence.sweeps.study import resume, show
from deterrence.sweeps.sweep import load, sweep
from tests.sweep_games import Formula, grid, posture_game, same

pytest.importorskip("zarr", reason="zarr is an extra")

QUIET = {"progress": False}
AXES = {"rho": [0.2, 0.5, 0.8], "k": [0.1, 0.4]}


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a finished store of a model, in three blocks, and its result."""
    store = tmp_path_factory.mktemp("store") / "a.zarr"
    return store, sweep(dt.models.get("ALSIG"), AXES, store=store, block=2, **QUIET).compute()


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path / "a.zarr")
    return tmp_path / "a.zarr"


def flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 0xFF]) + raw[middle + 1 :]


def without_a_key(raw: bytes) -> bytes:
    table = json.loads(raw)
    del table[sorted(table)[len(table) // 2]]
    return json.dumps(table).encode()


def of_wrong_types(raw: bytes) -> bytes:
    table = json.loads(raw)
    table["attributes"] = dict.fromkeys(table.get("attributes") or {"kind": 0}, 7)
    return json.dumps(table).encode()


DAMAGE = {
    "flipped": flipped,
    "cut": lambda raw: raw[: len(raw) // 3],
    "empty": lambda raw: b"",
    "zeros": lambda raw: bytes(len(raw)),
    "gone": None,
    "a list": lambda raw: b"[]",
    "a key less": without_a_key,
    "wrong types": of_wrong_types,
}
JSON_ONLY = ("a list", "a key less", "wrong types")


def outcome(use, *arguments, **options):
    """Return the result of a call, or what its error of the store says."""
    try:
        return use(*arguments, **options)
    except StoreError as error:
        return str(error)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "how", ["gone", *(pytest.param(how, marks=pytest.mark.slow) for how in DAMAGE if how != "gone")]
)
def test_any_one_damaged_file_is_named_or_does_not_matter_and_is_repaired(tmp_path, how):
    original, target, axes = tmp_path / "whole.zarr", Formula(), {"a": [0.1, 0.4, 0.7]}
    result = sweep(target, axes, store=original, block=2, **QUIET).compute()
    named = 0
    for file in sorted(f.relative_to(original) for f in original.rglob("*") if f.is_file() and f.name != "lock"):
        if how in JSON_ONLY and file.name != "zarr.json":
            continue
        store = tmp_path / "damaged.zarr"
        shutil.copytree(original, store)
        if how == "gone":
            (store / file).unlink()
        else:
            (store / file).write_bytes(DAMAGE[how]((store / file).read_bytes()))
        for found in (outcome(load, store, verify=True), outcome(sweep, target, axes, store=store, **QUIET)):
            if isinstance(found, str):
                named += 1
                assert any(words in found for words in ("damaged", "not finished", "no sweep")), (file, found)
            else:
                assert same(found, result), file
        assert same(sweep(target, axes, store=store, repair=True, **QUIET), result), file
        assert same(load(store, verify=True), result), file
        shutil.rmtree(store)
    assert named


def test_a_message_names_the_file_and_the_remedy(copy):
    shutil.rmtree(copy / "equilibria")
    with pytest.raises(StoreError, match=r"damaged: equilibria/zarr\.json .*repair=True .*allow_missing=True"):
        load(copy)


def test_chunks_that_are_gone_are_named_and_never_read_as_zeros(copy, whole):
    for name in ("equilibria", "attack_low"):
        (copy / name / "c" / "0" / "0").unlink()
    for use in (lambda: load(copy), lambda: show(copy), lambda: load(copy, partial=True)):
        with pytest.raises(StoreError, match=r"damaged: attack_low/c/0/0 \(block 0\), equilibria/c/0/0 \(block 0\)"):
            use()
    part = load(copy, allow_missing=True)
    assert part.status.values[0].tolist() == [254, 254]
    assert np.isnan(part.attack_low.values[0]).all()
    assert "LOST" in part.status.attrs["flag_meanings"]
    assert np.array_equal(part.attack_high.values[1:], whole[1].attack_high.values[1:])
    asked = run("show", copy)
    assert asked.exit_code == 1
    assert "attack_low/c/0/0" in asked.output.replace("\n", "")
    assert run("resume", copy).exit_code == 1
    assert run("resume", copy, "--repair").exit_code == 0
    assert same(load(copy), whole[1])


def test_a_damaged_chunk_is_told_where_all_is_verified(copy):
    file = copy / "attack_high" / "c" / "1" / "0"
    file.write_bytes(flipped(file.read_bytes()))
    load(copy)  # all files are there
    with pytest.raises(StoreError, match=r"values that are not those that were written \(block 1\)"):
        load(copy, verify=True)
    assert int((load(copy, verify=True, allow_missing=True).status == 254).sum()) == 2
    assert run("show", copy).exit_code == 1
    assert run("show", copy, "--no-verify").exit_code == 1  # the values it prints cannot be read
    assert "Traceback" not in run("show", copy, "--no-verify").output


def test_a_sample_in_one_block_is_whole_when_it_is_asked_again(tmp_path):
    asked = {"over": {"p": (0.1, 0.9), "c": (0.0, 1.0)}, "samples": 8, "seed": 2, "store": tmp_path / "a.zarr"}
    first = sweep(posture_game(), **asked, **QUIET).compute()
    assert same(first, sweep(posture_game(), **asked, **QUIET))


def test_coordinates_that_cannot_be_inferred_need_the_call_again(tmp_path):
    axes = {"rho": np.random.default_rng(0).random(12), "k": [0.1, 0.4]}
    first = sweep(dt.models.get("ALSIG"), axes, store=tmp_path / "a.zarr", **QUIET).compute()
    file = tmp_path / "a.zarr" / "rho" / "c" / "0"
    file.write_bytes(flipped(file.read_bytes()))
    with pytest.raises(StoreError, match="its 12 values cannot be inferred: repeat the call"):
        resume(tmp_path / "a.zarr", repair=True, **QUIET)
    assert same(first, sweep(dt.models.get("ALSIG"), axes, store=tmp_path / "a.zarr", repair=True, **QUIET))


def test_other_versions_are_noticed_when_a_sweep_goes_on(copy):
    file = copy / "zarr.json"
    table = json.loads(file.read_text())
    table["attributes"]["versions"] = json.dumps({**json.loads(table["attributes"]["versions"]), "numpy": "0.1"})
    file.write_text(json.dumps(table))
    with pytest.warns(UserWarning, match=r"was computed by numpy 0\.1 \(now "):
        resume(copy, **QUIET)


def test_a_written_result_says_what_it_is(whole, tmp_path):
    place = tmp_path / "plain.zarr"
    write_dataset(whole[1], place)
    assert "6 points, 6 done (100%); the written result of a sweep, no store to be resumed" in show(place)
    assert same(load(place), whole[1])
    with pytest.raises(StoreError, match="there is nothing to resume"):
        resume(place, **QUIET)
    with pytest.raises(StoreError, match="is the written result of a sweep, no store"):
        sweep(dt.models.get("ALSIG"), AXES, store=place, **QUIET)


# ---------------------------------------------------------------- places


def test_a_file_url_is_a_path(tmp_path):
    url = (tmp_path / "a.zarr").as_uri()
    stored = sweep(posture_game(), grid(4), store=url, **QUIET)
    assert (tmp_path / "a.zarr" / "zarr.json").is_file()
    assert same(stored, load(url))
    assert same(stored, load(tmp_path / "a.zarr"))
    assert locate(url) == str(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nonsense://a/b", "no store can be at nonsense://a/b"),
        ("a\0b", "a store needs a path or a URL"),
        ("", "a store needs a path or a URL"),
        ("http://localhost:9/a.zarr", r"needs a package|cannot be used|failed"),
    ],
)
def test_a_place_that_is_none_is_an_error_of_the_store(place, message):
    for use in (lambda: sweep(posture_game(), grid(2), store=place, **QUIET), lambda: load(place), lambda: show(place)):
        with pytest.raises(StoreError, match=message):
            use()
    if "\0" not in place and place:
        assert run("show", place).exit_code == 1


# ---------------------------------------------------------------- creation


def test_the_loser_of_two_who_create_a_store_is_told(tmp_path):
    store, together, outcomes = tmp_path / "a.zarr", threading.Barrier(2), []

    class Slow(Formula):
        def answer(self, values, **options):
            if len(values["a"]) > 1:
                release.wait(20)
            return super().answer(values, **options)

    release = threading.Event()

    def create():
        together.wait()
        try:
            outcomes.append(sweep(Slow(), {"a": np.linspace(0, 1, 9)}, store=store, executor=1, **QUIET))
        except StoreError as error:
            outcomes.append(str(error))
            release.set()

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (told,) = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert "another process is at work" in told
    (result,) = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert same(result, load(store, verify=True))


def test_a_place_that_another_is_about_to_lock_is_no_foreign_folder(tmp_path):
    store = tmp_path / "a.zarr"
    (store / "progress").mkdir(parents=True)  # what the other has made before it holds its lock
    result = sweep(Formula(), {"a": np.linspace(0, 1, 3)}, store=store, executor=1, **QUIET)
    assert same(result, load(store, verify=True))


def test_a_kill_while_a_store_is_made_leaves_nothing_that_stays(tmp_path):
    store = tmp_path / "a.zarr"
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent.parent.parent)!r})
        from deterrence.sweeps import store
        from deterrence.sweeps.sweep import sweep
        from tests.sweep_games import grid, posture_game
        whole, left = store.write_whole_bytes, [4]
        def dying(*arguments, **options):
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*arguments, **options)
        store.write_whole_bytes = dying
        sweep(posture_game(), grid(4), store={str(store)!r}, progress=False)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with pytest.raises(StoreError, match=r"there is no sweep at .*: making it was interrupted"):
        load(store)
    result = sweep(posture_game(), grid(4), store=store, **QUIET)
    assert same(result, sweep(posture_game(), grid(4), **QUIET))
    assert [f.name for f in tmp_path.iterdir()] == ["a.zarr"]
    assert not list(store.rglob("*.partial*"))

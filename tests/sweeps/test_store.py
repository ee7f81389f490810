"""Stored sweeps: killed anywhere, they resume to the same bits; damage is told, and good blocks are kept."""

from __future__ import annotations

import errno
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import deterrence as dt
from deterrence.sweeps import execution
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.store import exists
from deterrence.sweeps.study import resume, show
from deterrence.sweeps.sweep import load, sweep
from tests.sweep_games import Formula, Noise, Unconverged, grid, posture_game, same

pytest.importorskip("zarr", reason="zarr is an extra")

QUIET = {"progress": False}
BLOCK = 12  # points: a row of `axes`
HOME = Path(__file__).parents[2]

RUN = """
    import sys
    sys.path.insert(0, {home!r})
    from tests.sweep_games import grid, posture_game
    from deterrence.sweeps.sweep import sweep
    print("ready", flush=True)
    sweep(posture_game(), grid({size}), store={store!r}, block={size}, executor={executor}, progress={progress})
    print("finished", flush=True)
"""


def started(store: Path, size: int, executor: int | None = 1, progress: str = "False") -> subprocess.Popen[str]:
    """Start a real process that sweeps into a store."""
    code = textwrap.dedent(
        RUN.format(home=str(HOME), store=str(store), size=size, executor=executor, progress=progress)
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def killed_after_some_blocks(store: Path, size: int, blocks: int, wait: float, executor: int | None = 1) -> int:
    """Kill a sweep once it has stored a number of blocks, and a moment later; return the blocks that are stored."""
    process = started(store, size, executor)
    until = time.monotonic() + 60
    while done_blocks(store) < blocks and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(wait)
    process.kill()
    process.communicate()
    return done_blocks(store)


def done_blocks(store: Path) -> int:
    return len(list((store / "progress" / "digest" / "c").glob("*"))) if store.exists() else 0


# ---------------------------------------------------------------- the same through a store


def test_a_stored_result_is_the_one_in_memory(tmp_path):
    kept = sweep(posture_game(), grid(), event=("attack", "tripwire"), **QUIET)
    for block, executor in ((100, 1), (37, 2)):
        store = tmp_path / f"{block}.zarr"
        stored = sweep(
            posture_game(), grid(), event=("attack", "tripwire"), store=store, block=block, executor=executor, **QUIET
        )
        assert same(kept, stored)
        assert [v.attrs for v in kept.variables.values()] == [v.attrs for v in stored.variables.values()]


def test_a_stored_sample_keeps_its_recipe(tmp_path):
    asked = {"over": {"p": (0.1, 0.9), "c": (0.0, 1.0)}, "samples": 50, "seed": 2}
    stored = sweep(posture_game(), **asked, store=tmp_path / "a.zarr", block=7, **QUIET)
    assert same(sweep(posture_game(), **asked, **QUIET), stored)
    assert set(stored.coords) == {"p", "c"}


def test_a_finished_sweep_is_not_run_again(tmp_path):
    target = Formula()
    first = sweep(target, {"a": np.linspace(0, 1, 9)}, store=tmp_path / "a.zarr", **QUIET)
    answer = target.answer
    target.answer = lambda values, **options: answer(values, **options) if len(values["a"]) == 1 else pytest.fail("ran")
    again = sweep(
        target, {"a": np.linspace(0, 1, 9)}, store=tmp_path / "a.zarr", progress=lambda done, total: pytest.fail("ran")
    )
    assert same(first, again)
    assert again.attrs == first.attrs


def test_failures_are_stored_with_their_reasons(tmp_path):
    axes = {"x": np.linspace(0, 1, 40), "b": np.linspace(0.5, 1, 3)}
    kept, stored = (
        sweep(Unconverged(), axes, **QUIET),
        sweep(Unconverged(), axes, store=tmp_path / "a", block=10, **QUIET),
    )
    assert same(kept, stored)
    assert stored.attrs["failed"] == kept.attrs["failed"] > 0
    assert stored.attrs["statuses"] == kept.attrs["statuses"]
    assert "no limit" in stored.attrs["failures"]


def test_a_store_in_memory_is_reached_by_url():
    pytest.importorskip("fsspec")
    url = f"memory://sweep-{os.getpid()}-{time.monotonic_ns()}"
    assert not exists(url)
    stored = sweep(posture_game(), grid(6), store=url, block=10, **QUIET)
    assert same(sweep(posture_game(), grid(6), **QUIET), stored)
    assert exists(url)


# ---------------------------------------------------------------- killed and resumed


def kill_and_resume(folder: Path, times: int, size: int, seed: int, executor: int | None = 1) -> None:
    """Kill a sweep at random moments, then let it finish, and compare every bit."""
    whole = sweep(posture_game(), grid(size), **QUIET)
    rng, store = random.Random(seed), folder / "killed.zarr"
    before = 0
    for _ in range(times):
        wanted = before + rng.randrange(1, max(2, (size - before) // 2))
        now = killed_after_some_blocks(store, size, wanted, rng.uniform(0, 0.03), executor)
        assert now >= before, "a block that was done is no longer"
        before = now
    told = []
    result = sweep(posture_game(), grid(size), store=store, progress=lambda done, total: told.append(done))
    assert same(whole, result)
    assert before == 0 or told == [] or told[0] > before * size, "blocks that were done were run again"


@pytest.mark.parametrize("executor", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_sweep_resumes_to_the_same_bits(tmp_path, executor):
    kill_and_resume(tmp_path, times=2, size=40, seed=executor, executor=executor)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(20))
def test_a_sweep_killed_at_random_moments_resumes_to_the_same_bits(tmp_path, seed):
    kill_and_resume(tmp_path, times=2, size=150, seed=seed, executor=1 + seed % 2)


def test_an_interrupt_leaves_a_store_that_resumes(tmp_path):
    store = tmp_path / "a.zarr"
    process = started(store, 60)
    while done_blocks(store) < 3 and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err, err
    assert "finished" not in out
    with pytest.raises(StoreError, match=r"is not finished: .* of 60 blocks"):
        load(store)
    part = load(store, partial=True)
    assert 0 < int((part.status == 255).sum()) < 3600
    assert part.attack_high.where(part.status == 255).isnull().all()
    assert same(sweep(posture_game(), grid(60), **QUIET), sweep(posture_game(), grid(60), store=store, **QUIET))


def test_workers_end_with_a_coordinator_that_is_killed(tmp_path):
    psutil = pytest.importorskip("psutil")
    store = tmp_path / "a.zarr"
    process = started(store, 200, executor=2)
    while done_blocks(store) < 1 and process.poll() is None:
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_what_a_killed_process_left_half_written_is_swept_up(tmp_path):
    store = tmp_path / "a.zarr"
    sweep(posture_game(), grid(6), store=store, block=6, **QUIET)
    half = store / "attack_low" / "c" / "0" / "0.deadbeef.partial"
    half.write_bytes(b"half")
    sweep(posture_game(), grid(6), store=store, **QUIET)
    assert not half.exists()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks of memory are read as Linux tells them")
def test_memory_stays_below_its_bound(tmp_path):
    code = f"""
        import sys
        sys.path.insert(0, {str(HOME)!r})
        from pathlib import Path
        from tests.sweep_games import grid, posture_game
        from deterrence.sweeps.sweep import sweep
        peak = lambda: int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1000
        options = {{"ties": "leave", "executor": 1, "progress": False}}
        sweep(posture_game(), grid(50), store={str(tmp_path / "a.zarr")!r}, **options)
        before = peak()
        sweep(posture_game(), grid(1000), store={str(tmp_path / "b.zarr")!r}, memory="40 MB", **options)
        print(peak() - before)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 40


# ---------------------------------------------------------------- what is refused


def test_another_question_is_refused_and_the_difference_named(tmp_path):
    store = tmp_path / "a.zarr"
    first = sweep(posture_game(), {"p": [0.2, 0.4]}, at={"c": 0.1}, store=store, **QUIET)
    for change, message in (
        ({"at": {"c": 0.2}}, r"question\.at\.c: stored 0\.1, now 0\.2"),
        ({"over": {"p": [0.2, 0.5]}}, r"design\.points\.p\.high: stored 0\.4, now 0\.5"),
        ({"event": "refrain"}, r"question\.events\.attack: stored attack, now nothing"),
        ({"concept": "qre"}, r"question\.concept\.name: stored pbe, now qre"),
    ):
        asked = {"over": {"p": [0.2, 0.4]}, "at": {"c": 0.1}, **change}
        with pytest.raises(StoreError, match=message):
            sweep(posture_game(), **asked, store=store, **QUIET)
    assert same(first, load(store))


def test_another_version_is_refused(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    sweep(Formula(), {"a": [0.1]}, store=store, **QUIET)
    monkeypatch.setattr("deterrence.sweeps.specification.__version__", "99.0")
    with pytest.raises(StoreError, match=r"deterrence: stored .*, now 99\.0"):
        sweep(Formula(), {"a": [0.1]}, store=store, **QUIET)


def test_two_coordinators_at_once_are_one_too_many(tmp_path):
    store = tmp_path / "a.zarr"
    process = started(store, 150)
    while done_blocks(store) < 1 and process.poll() is None:
        time.sleep(0.01)
    with pytest.raises(StoreError, match="another process is at work"):
        sweep(posture_game(), grid(150), store=store, **QUIET)
    process.kill()
    process.communicate()
    sweep(posture_game(), grid(150), store=store, **QUIET)  # the lock died with its holder


@pytest.mark.parametrize("what", ["file", "directory", "zarr"])
def test_other_things_are_not_written_over(tmp_path, what):
    place = tmp_path / "a"
    if what == "file":
        place.write_text("mine")
    elif what == "directory":
        place.mkdir()
        (place / "mine").write_text("mine")
    else:
        import zarr

        zarr.open_group(str(place), mode="w")
    with pytest.raises(StoreError, match=r"is a file|without a Zarr store|of no sweep"):
        sweep(Formula(), {"a": [0.1]}, store=place, **QUIET)


# ---------------------------------------------------------------- damage


def damage(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)


@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
@pytest.mark.parametrize("variable", ["attack_low", "status", "kind_pooling_on_none"])
def test_a_damaged_chunk_is_named_and_computed_anew(tmp_path, how, variable):
    store = tmp_path / "a.zarr"
    first = sweep(posture_game(), grid(8), store=store, block=8, **QUIET).compute()
    file = store / variable / "c" / "3" / "0"
    if how == "flipped":
        damage(file)
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:5])
    else:
        file.unlink()
    others = {f: f.read_bytes() for f in store.rglob("c/*/*") if f != file and f.is_file()}
    with pytest.raises(StoreError, match=r"damaged in 1 of 8 blocks \(\[3\]\)"):
        sweep(posture_game(), grid(8), store=store, **QUIET)
    assert all(f.read_bytes() == raw for f, raw in others.items()), "a good chunk was touched"
    told = []
    repaired = sweep(posture_game(), grid(8), store=store, repair=True, progress=lambda done, total: told.append(done))
    assert told == [64]
    assert same(first, repaired)


def test_a_damaged_chunk_is_an_error_to_any_reader(tmp_path):
    store = tmp_path / "a.zarr"
    sweep(posture_game(), grid(8), store=store, block=8, **QUIET)
    damage(store / "attack_low" / "c" / "3" / "0")
    with pytest.raises(ValueError, match="checksum"):
        load(store).attack_low.load()


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_no_room_left_is_said_and_what_is_stored_is_kept(tmp_path):
    """A limit on the size of files makes writes fail as a full disk does: from the middle of the sweep on."""
    store = tmp_path / "a.zarr"
    code = f"""
        import sys
        sys.path.insert(0, {str(HOME)!r})
        import numpy as np
        from tests.sweep_games import Noise
        from deterrence.sweeps.sweep import sweep
        sweep(Noise(), {{"a": np.arange(30_000.0)}}, store={str(store)!r}, block=10_000, executor=1, progress=False)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        preexec_fn=limited,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "StoreError" in done.stderr, done.stderr
    assert "there is no room left; free some. Blocks that are done are kept; the same call resumes" in done.stderr
    part = load(store, partial=True)
    kept = (part.status != 255).values
    assert kept.tolist() == [True] * 20_000 + [False] * 10_000
    whole = sweep(Noise(), {"a": np.arange(30_000.0)}, store=store, **QUIET)
    assert same(sweep(Noise(), {"a": np.arange(30_000.0)}, **QUIET), whole)


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "no room left"), (errno.EROFS, "cannot be written to"), (errno.EACCES, "cannot be written to")],
)
def test_what_the_system_says_is_told_with_the_remedy(tmp_path, monkeypatch, code, remedy):
    store = tmp_path / "a.zarr"
    renamed, calls = os.replace, []

    def replace(old, new, **options):
        calls.append(new)
        if len(calls) > 60:
            raise OSError(code, os.strerror(code))
        return renamed(old, new, **options)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(Path, "replace", lambda self, new: replace(self, new))
    with pytest.raises(StoreError, match=remedy):
        sweep(posture_game(), grid(12), store=store, block=BLOCK, **QUIET)
    monkeypatch.undo()
    assert 0 < int((load(store, partial=True).status != 255).sum()) < 144
    assert same(sweep(posture_game(), grid(12), **QUIET), sweep(posture_game(), grid(12), store=store, **QUIET))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_store_is_an_error(tmp_path):
    store = tmp_path / "a.zarr"
    killed_after_some_blocks(store, 40, 2, 0.0)
    for place in (store, *store.rglob("*")):
        place.chmod(0o555 if place.is_dir() else 0o444)
    with pytest.raises(StoreError, match="cannot be written to"):
        sweep(posture_game(), grid(40), store=store, **QUIET)


# ---------------------------------------------------------------- from the store alone


def test_a_sweep_of_a_model_resumes_from_its_store_alone(tmp_path, monkeypatch):
    store, model = tmp_path / "a.zarr", dt.models.get("ALSIG")
    axes = {"rho": np.linspace(0.1, 0.9, 12), "k": np.linspace(0.05, 1.2, 5)}
    whole = sweep(model, axes, **QUIET)
    solve, calls = execution.solve_block, []

    def stopping(job, block, part):
        if len(calls) == 4:
            raise KeyboardInterrupt
        calls.append(block)
        return solve(job, block, part)

    monkeypatch.setattr(execution, "solve_block", stopping)
    with pytest.raises(KeyboardInterrupt):
        sweep(model, axes, store=store, block=5, executor=1, **QUIET)
    monkeypatch.undo()
    assert "20 done (33%)" in show(store)
    assert same(whole, resume(store, **QUIET))
    assert "100%" in show(store)


def test_a_sweep_of_a_game_needs_its_script(tmp_path):
    store = tmp_path / "a.zarr"
    sweep(posture_game(), grid(4), store=store, **QUIET)
    with pytest.raises(StoreError, match="only the script that made it has"):
        resume(store, **QUIET)


def test_there_must_be_a_sweep_to_show(tmp_path):
    with pytest.raises(StoreError, match="there is no sweep at"):
        show(tmp_path / "nothing")


def test_coordinates_stand_in_the_order_in_which_they_are_swept(tmp_path):
    """A selection by xarray takes coordinates in the order of a set, which differs from process to process."""
    code = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(HOME)!r})
        from tests.sweep_games import grid, posture_game
        from deterrence.sweeps.sweep import load, sweep
        axes = dict(reversed(grid(3).items()))
        memory = sweep(posture_game(), axes, progress=False)
        sweep(posture_game(), axes, store=sys.argv[1], progress=False)
        print(*axes, "|", *memory.coords, "|", *load(sys.argv[1]).coords)
    """)
    for seed in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / f"{seed}.zarr")],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        )
        swept, memory, stored = (part.split() for part in done.stdout.split("|"))
        assert swept == memory == stored

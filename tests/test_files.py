"""Outputs: whole or not there, never over something else unless asked to, whatever ends the writing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence.alliances.scenarios.assessment import figure_paths
from deterrence.cli import app
from deterrence.files import require_free, whole_file, whole_folder, write_whole
from deterrence.games.errors import ParameterError
from deterrence.sweeps.files import check_destination, write_dataset

ALL_FORMATS = [".csv", ".nc", ".json", ".zarr"]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def result():
    p = dt.symbols("p")
    game = dt.SignalingGame(
        ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[0, 1]], [[1, 0]]]
    )
    return dt.sweep(game, {"p": [0.2, 0.4, 0.6]}, progress=False)


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        'schema_version = 1\ntarget = "textbook"\nstore = "l.zarr"\n[vary]\nloss = { low = 1, high = 2, points = 4 }\n'
    )
    return file


# ---------------------------------------------------------------- one file


def test_a_file_that_exists_is_kept_unless_overwritten(tmp_path):
    place = tmp_path / "a.txt"
    write_whole(place, "first")
    with pytest.raises(FileExistsError, match=r"a\.txt exists; overwrite=True .*--overwrite"):
        write_whole(place, "second")
    assert place.read_text() == "first"
    write_whole(place, "second", overwrite=True)
    assert place.read_text() == "second"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("end", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_writing_leaves_the_old_file_whole(tmp_path, end):
    place = tmp_path / "a.txt"
    place.write_text("old")
    with pytest.raises(end, match="in the middle"), whole_file(place, overwrite=True) as unfinished:
        _ended(unfinished, end("in the middle"))
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def _ended_folder(unfinished):
    unfinished.mkdir()
    _ended(unfinished / "x", ValueError("halfway"))


def _ended(unfinished, error):
    unfinished.write_text("ne")
    raise error


def test_a_file_written_meanwhile_by_another_is_not_lost(tmp_path):
    place = tmp_path / "a.txt"
    with pytest.raises(FileExistsError, match="another process wrote it meanwhile"), whole_file(place) as unfinished:
        assert [file.write_text("text") for file in (unfinished, place)] == [4, 4]
    assert place.read_text() == "text"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_link_is_followed_and_the_mode_is_kept(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, "new", overwrite=True)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_folder_or_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file"):
        require_free(tmp_path, overwrite=True)
    with pytest.raises(FileNotFoundError, match="the folder does not exist"):
        write_whole(tmp_path / "none" / "a.txt", "text")


def test_a_long_name_can_be_written(tmp_path):
    place = tmp_path / ("é" * 120 + ".csv")  # 244 bytes of the 255 that a name may have
    write_whole(place, "text")
    assert place.read_text() == "text"


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_device_is_written_to_as_it_is():
    write_whole("/dev/null", "text")
    assert not Path("/dev/null").is_file()


def test_a_folder_is_moved_when_it_is_complete(tmp_path):
    place = tmp_path / "a.zarr"
    place.mkdir()
    with whole_folder(place) as unfinished:
        unfinished.mkdir()
        (unfinished / "x").write_text("new")
        assert not place.exists()
    assert (place / "x").read_text() == "new"
    with pytest.raises(FileExistsError, match=r"a\.zarr exists"), whole_folder(place):
        pass
    with pytest.raises(ValueError, match="halfway"), whole_folder(place, overwrite=True) as unfinished:
        _ended_folder(unfinished)
    assert (place / "x").read_text() == "new"
    assert os.listdir(tmp_path) == ["a.zarr"]


# ---------------------------------------------------------------- every writer

GAME = dt.ExtensiveGame(("A",), dt.move("A", {"stay": dt.end(A=0), "go": dt.end(A=1)}), "choice")

WRITERS = {
    "game.efg": lambda path, **how: dt.write_efg(GAME, path, **how),
    "game.nfg": lambda path, **how: dt.write_nfg(dt.StrategicGame([[1]], [[0]]), path, **how),
    **{f"game.{s}": lambda path, **how: dt.save_picture(GAME, path, **how) for s in ("svg", "png", "pdf", "tex")},
}


@pytest.mark.parametrize("name", WRITERS)
def test_writers_of_games_and_pictures_keep_what_is_there(tmp_path, name):
    place = tmp_path / name
    place.write_text("mine")
    with pytest.raises(FileExistsError, match="exists; overwrite=True"):
        WRITERS[name](place)
    assert place.read_text() == "mine"
    WRITERS[name](place, overwrite=True)
    assert place.read_bytes() != b"mine"
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("suffix", ALL_FORMATS)
def test_results_are_replaced_only_when_asked(result, tmp_path, suffix):
    place = tmp_path / f"a{suffix}"
    write_dataset(result, place)
    with pytest.raises(FileExistsError, match="exists; overwrite=True"):
        write_dataset(result, place)
    write_dataset(result, place, overwrite=True)
    assert os.listdir(tmp_path) == [place.name]


def test_the_figures_of_an_assessment_are_kept(tmp_path):
    (tmp_path / "f.svg").write_text("mine")
    with pytest.raises(FileExistsError, match=r"f\.svg exists"):
        figure_paths(tmp_path / "f")
    assert os.listdir(tmp_path) == ["f.svg"]


FULL = """
    import resource, sys
    import numpy as np
    import deterrence as dt
    from pathlib import Path
    from deterrence.sweeps.files import write_dataset
    p = dt.symbols("p")
    game = dt.SignalingGame(
        ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[0, 1]], [[1, 0]]])
    result = dt.sweep(game, {"p": np.random.default_rng(0).random(3000)}, progress=False)
    tree = dt.ExtensiveGame(("A",), dt.move("A", {f"{i}" * 60: dt.end(A=i) for i in range(90)}), "choice")
    payoffs = np.random.default_rng(0).random((60, 60))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))  # as a disk that is full after 2 KiB
    for name in sys.argv[2:]:
        place = Path(sys.argv[1]) / name
        try:
            match place.suffix:
                case ".efg": dt.write_efg(tree, place, overwrite=True)
                case ".nfg": dt.write_nfg(dt.StrategicGame(payoffs, payoffs), place, overwrite=True)
                case ".svg" | ".png" | ".pdf" | ".tex": dt.save_picture(tree, place, overwrite=True)
                case _: write_dataset(result, place, overwrite=True)
        except OSError as error:
            print(error)
        else:
            print("written", name)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on files here")
def test_on_a_full_disk_the_old_file_is_whole(result, tmp_path):
    names = [f"a{s}" for s in (".csv", ".nc", ".json", ".efg", ".nfg", ".svg", ".png", ".pdf", ".tex", ".zarr")]
    for name in names[:-1]:
        (tmp_path / name).write_text("old")
    write_dataset(result, tmp_path / "a.zarr")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), tmp_path, *names], capture_output=True, text=True, timeout=100
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == len(names), ran.stdout + ran.stderr
    for name, line in zip(names, lines, strict=True):
        assert "File too large" in line, (name, line)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


# ---------------------------------------------------------------- folders that are somebody's


def test_a_folder_that_no_sweep_wrote_is_never_emptied(result, tmp_path):
    home = tmp_path / "home.zarr"
    (home / "letters").mkdir(parents=True)
    (home / "letters" / "will.txt").write_text("dear")
    asked = run("sweep", "textbook", "--vary", "loss=1:2:3", "--out", home, "--overwrite")
    assert asked.exit_code == 2
    assert "is a folder that no sweep wrote" in asked.output
    with pytest.raises(ParameterError, match="is a folder that no sweep wrote"):
        write_dataset(result, home, overwrite=True)
    assert (home / "letters" / "will.txt").read_text() == "dear"


def test_a_zarr_store_of_somebody_else_is_not_ours(result, tmp_path):
    place = tmp_path / "a.zarr"
    place.mkdir()
    (place / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}))
    with pytest.raises(ParameterError, match="is a folder that no sweep wrote"):
        write_dataset(result, place, overwrite=True)


def test_a_store_that_can_be_resumed_is_never_written_over(study, tmp_path):
    assert run("study", study).exit_code == 0
    before = dt.sweeps.load(tmp_path / "l.zarr").attack_high.values.copy()
    for out, message in [("l.zarr", "is where the sweep is stored"), ("l.zarr/x.zarr", "is where the sweep is stored")]:
        asked = run("study", study, "--out", tmp_path / out, "-f")
        assert asked.exit_code == 2
        assert message in asked.output.replace("\n", " ")
    asked = run("sweep", "textbook", "--vary", "loss=1:2:3", "--out", tmp_path / "l.zarr", "-f")
    assert asked.exit_code == 2
    assert "is the store of a sweep that can be resumed" in asked.output
    with pytest.raises(ParameterError, match="is the store of a sweep"):
        write_dataset(dt.sweeps.load(tmp_path / "l.zarr"), tmp_path / "l.zarr", overwrite=True)
    assert np.array_equal(dt.sweeps.load(tmp_path / "l.zarr").attack_high.values, before)


def test_a_result_can_be_written_over_what_it_was_read_from(result, tmp_path):
    import xarray as xr

    place = tmp_path / "a.zarr"
    write_dataset(result, place)
    with xr.open_zarr(place, consolidated=False, chunks=None) as lazy:
        write_dataset(lazy, place, overwrite=True)
    with xr.open_zarr(place, consolidated=False, chunks=None) as back:
        assert np.array_equal(back.attack_high.values, result.attack_high.values)


def test_a_file_where_a_zarr_folder_would_stand_is_kept(result, tmp_path):
    (tmp_path / "a.zarr").write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        check_destination(tmp_path / "a.zarr")


# ---------------------------------------------------------------- the command line


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("sweep", "textbook", "--vary", "loss=1:2:3", "--out"), "a.csv"),
        (("assess", "textbook", "--figure"), "a.png"),
        (("explore", "textbook", "--html"), "a.html"),
        (("schema", "--out"), "a.json"),
    ],
)
def test_the_command_line_keeps_a_file_that_exists(tmp_path, arguments, name):
    place = tmp_path / name
    place.write_text("mine")
    asked = run(*arguments, place)
    assert asked.exit_code == 2
    assert "exists; overwrite=True (on the command line --overwrite) replaces it" in asked.output.replace("\n", " ")
    assert place.read_text() == "mine"
    if name != "a.html":  # which takes seconds; the option is the same
        assert run(*arguments, place, "-f").exit_code == 0
        assert place.read_bytes() != b"mine"

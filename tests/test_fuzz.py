"""Readers of files on mutated input: each case is read, or refused by an error of the package; nothing else happens.

The everyday suite tries a few cases, ``nox -s fuzz`` 10,000 for each reader. Cases that failed once are kept in
``tests/data/fuzz/READER`` and are tried first.
"""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from importlib.resources import files as package_files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.errors import GameError, ParameterError, ScenarioError
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.study import Study
from deterrence.sweeps.sweep import load, sweep
from tests.sweep_games import Formula

CORPUS = Path(__file__).parent / "data" / "fuzz"
MANY = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SECONDS, BYTES = 5.0, 500 * 10**6  # that a case may take

GAMES = {
    "efg": dt.write_efg(dt.models.get("BQ").game().to_extensive()),
    "nfg": dt.write_nfg(dt.StrategicGame([[1, 0.5], [0, -3]], [[1, "1/3"], [0, 2]])),
    "scenario": (package_files("deterrence") / "alliances/scenarios/library/textbook.toml").read_text("utf-8"),
    "study": 'schema_version = 1\ntarget = "model:ALSIG"\nevents = ["attack"]\nmemory = "1 GiB"\n[vary]\n'
    "rho = { low = 0.1, high = 0.9, points = 3 }\nk = { values = [0.1, 0.4] }\n[at]\n[sample]\npoints = 8\nseed = 1\n",
}
TOKENS = [
    *("{", "}", '"', "[", "]", "=", "\n", "\0", "\x1b]0;x\x07", "1e999", "-1", "1/0", "nan", "9" * 400, "9" * 5000),
    *("'''", "..", "[[members]]", "p", "c", "t", "0", "é", "\u202e"),
]


@st.composite
def mutations(draw, text):
    """Return a text with some spans cut, doubled, moved or replaced by tokens that mean something to a reader."""
    for _ in range(draw(st.integers(1, 6))):
        a, b = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        b = min(b, a + draw(st.sampled_from([0, 1, 5, 40, 10**6])))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:a] + draw(st.sampled_from(TOKENS)) + text[b:]
            case 2:
                text = text[:b] + text[a:]
            case 3:
                at = draw(st.integers(0, len(text)))
                text = text[:at] + text[a:b] + text[at:]
    return text[:200_000]


def read(reader, text, folder):
    if reader == "efg":
        dt.read_efg(text)
    elif reader == "nfg":
        dt.read_nfg(text)
    elif reader == "scenario":
        dt.Scenario.loads(text, "mutated").game()
    else:
        (folder / "study.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        study = Study.load(folder / "study.toml")
        assert study.over


def tried(reader, text, folder):
    """Read a text; keep it if it fails, takes too long or too much memory."""
    begun = time.process_time()
    if MANY:
        tracemalloc.start()
    try:
        read(reader, text, folder)
    except (GameError, ParameterError, ScenarioError):
        pass
    except BaseException:
        keep(reader, text)
        raise
    finally:
        peak = tracemalloc.get_traced_memory()[1] if MANY else 0
        tracemalloc.stop()
    if time.process_time() - begun > SECONDS or peak > BYTES:
        keep(reader, text)
        raise AssertionError(f"{time.process_time() - begun:.1f} s and {peak / 1e6:.0f} MB for one file")


def keep(reader, text):
    (CORPUS / reader).mkdir(parents=True, exist_ok=True)
    (CORPUS / reader / f"{abs(hash(text)):x}.txt").write_bytes(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("reader", GAMES)
def test_what_failed_once_fails_no_more(reader, tmp_path):
    for file in sorted((CORPUS / reader).glob("*.txt")):
        tried(reader, file.read_bytes().decode("utf-8", "surrogatepass"), tmp_path)


def fuzz(reader, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")

    @settings(max_examples=examples, database=None, deadline=None)
    @given(text=mutations(GAMES[reader]))
    def run(text):
        tried(reader, text, folder)

    run()


@pytest.mark.parametrize("reader", GAMES)
def test_a_mutated_file_is_read_or_refused(reader, tmp_path_factory):
    fuzz(reader, 40, tmp_path_factory)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("reader", GAMES)
def test_ten_thousand_mutated_files_are_read_or_refused(reader, tmp_path_factory):
    fuzz(reader, 10_000, tmp_path_factory)


def refusal(store):
    """Return why a store is not read, or None if it is."""
    try:
        load(store, verify=True)
    except StoreError as error:
        return str(error)
    return None


def fuzz_metadata(examples, folder):
    pytest.importorskip("zarr", reason="zarr is an extra")
    store = folder / "a.zarr"
    sweep(Formula(), {"a": [0.1, 0.4, 0.7]}, store=store, block=2, progress=False)
    whole = {name: (store / name).read_text() for name in ("zarr.json", "status/zarr.json", "a/zarr.json")}

    @settings(max_examples=examples, database=None, deadline=None)
    @given(data=st.data(), name=st.sampled_from(sorted(whole)))
    def run(data, name):
        text = data.draw(mutations(whole[name]))
        (store / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        told = refusal(store)
        (store / name).write_text(whole[name])
        assert told is None or "damaged" in told or "no sweep" in told

    run()
    assert json.loads((store / "zarr.json").read_text())


def test_mutated_metadata_of_a_store_are_read_or_refused(tmp_path):
    fuzz_metadata(25, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_thousand_mutated_metadata_are_read_or_refused(tmp_path):
    fuzz_metadata(10_000, tmp_path)

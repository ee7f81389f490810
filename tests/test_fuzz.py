"""Readers of files on mutated input: each case is read, or refused by an error of the package; nothing else happens.

The everyday suite tries a few new cases, and those of the corpus: for each way in which a reader answered in a full
run, the shortest file that was answered so. ``nox -s fuzz`` tries 10,000 cases for each reader, each within 5 seconds
and 500 MB, and writes the corpus anew; what fails is kept in ``tests/data/fuzz/READER`` and is tried first from then
on.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from importlib.resources import files as package_files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.estimation import FitFile
from deterrence.games.errors import GameError, ParameterError, ScenarioError
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.study import Study
from deterrence.sweeps.sweep import load, sweep
from tests.estimation.test_fit_file import TEXT as FIT
from tests.sweep_games import Formula

DATA = Path(__file__).parent / "data"
FAILED, CORPUS = DATA / "fuzz", DATA / "corpus"
MANY = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
SECONDS, BYTES = 5.0, 500 * 10**6  # that a case may take; memory beyond the most that was taken before
MOST_KEPT, LONGEST_KEPT = 40, 4000  # cases of a reader in the corpus, and characters of one

LIBRARY = package_files("deterrence") / "alliances/scenarios/library"
SCENARIOS = sorted(
    (file.read_text("utf-8") for file in LIBRARY.iterdir() if file.name.endswith(".toml")), key=lambda text: len(text)
)
STUDY = (
    'schema_version = 1\ntarget = "model:ALSIG"\nevents = ["attack"]\nmemory = "1 GiB"\n[vary]\n'
    "rho = { low = 0.1, high = 0.9, points = 3 }\nk = { values = [0.1, 0.4] }\n[at]\n[sample]\npoints = 8\nseed = 1\n"
)
OUTCOMES = (
    'NFG 1 R "outcomes" { "A" "B" }\n{ { "u" "d" } { "l" "r" } }\n""\n{ { "x" 1, 2 } { "y" 3.5, 1/3 } }\n1 2 0 1\n'
)
SEEDS = {
    "efg": [dt.write_efg(dt.models.get("BQ").game().to_extensive())],
    "nfg": [
        dt.write_nfg(dt.StrategicGame([[1, 0.5], [0, -3]], [[1, "1/3"], [0, 2]])),
        'NFG 1 R "outcomes" { "A" "B" }\n{ { "u" "d" } { "l" "r" } }\n""\n{ { "x" 1, 2 } { "y" 3.5, 1/3 } }\n1 2 0 1\n',
    ],
    "scenario": [SCENARIOS[0]] * len(SCENARIOS) + SCENARIOS,  # half of the cases are of the shortest
    "study": [STUDY],
    "fit": [FIT],
}
TOKENS = [
    *("{", "}", '"', "[", "]", "=", "\n", "\0", "\x1b]0;x\x07", "1e999", "-1", "1/0", "nan", "9" * 400, "9" * 5000),
    *("'''", "..", "[[members]]", "[[evidence]]", "p", "c", "t", "0", "é", "\u202e", "true", "inf", "1979-05-27", "0x"),
    *("[" * 3000, "{a=" * 500, "a." * 2000, "9**9**9", "x" * 20_000, '""', "\\u0000", "'" * 9, "**99999", "*a" * 40),
]


@st.composite
def mutations(draw, texts):
    """Return a text with some spans cut, doubled, moved or replaced by tokens that mean something to a reader."""
    text = draw(st.sampled_from(texts))
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
    elif reader == "fit":
        read_fit(text)
    else:
        (folder / "study.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
        study = Study.load(folder / "study.toml")
        assert study.over


def read_fit(text):
    """Read a fit file and its formulas, on a table of two rows with the columns that they ask for."""
    import pandas as pd

    from deterrence.estimation.formulas import Design, columns_of

    fit = FitFile.loads(text, "mutated")
    assert fit.game.players
    for equation, formula in fit.table.utilities.items():
        columns = columns_of(formula, equation)
        Design.of(formula, pd.DataFrame({name: [0.5, 2.0] for name in columns}), equation)


def answered(reader, text, folder):
    """Read a text and return how that ended, but for names and numbers; keep it if it fails or takes too much."""
    begun, before = time.process_time(), peak()
    try:
        read(reader, text, folder)
        ended = "read"
    except (GameError, ParameterError, ScenarioError) as error:
        ended = str(error)
    except BaseException:
        keep(reader, text)
        raise
    seconds, grown = time.process_time() - begun, peak() - before
    if seconds > SECONDS or grown > BYTES:
        keep(reader, text)
        raise AssertionError(f"{seconds:.1f} s and {grown / 1e6:.0f} MB for one file")
    return shape(ended)


def peak():
    """Return the most bytes of memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def shape(ended):
    """Return the first line of an answer without what it quotes, counts or names."""
    first = re.sub(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\[[^]]*\]", "x", ended.split("\n")[0])
    return re.sub(r"[\d.]+|\b[A-Za-z_]*_\w*", "n", first)[:70]


def keep(reader, text):
    (FAILED / reader).mkdir(parents=True, exist_ok=True)
    (FAILED / reader / f"{abs(hash(text)):x}.txt").write_bytes(text.encode("utf-8", "surrogatepass"))


def write_corpus(reader, shortest):
    """Write the shortest file of each kind of answer; the kinds with the shortest files, if there are too many."""
    kept = sorted((case for case in shortest.values() if len(str(case)) <= LONGEST_KEPT), key=lambda c: len(str(c)))
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{reader}.json").write_text(json.dumps(kept[:MOST_KEPT], indent=0) + "\n", "ascii")


def corpus(reader):
    return json.loads((CORPUS / f"{reader}.json").read_text("ascii"))


@pytest.mark.parametrize("reader", SEEDS)
def test_what_failed_once_and_the_corpus_are_read_or_refused(reader, tmp_path):
    failed = [file.read_bytes().decode("utf-8", "surrogatepass") for file in sorted((FAILED / reader).glob("*.txt"))]
    cases = [*failed, *corpus(reader)]
    assert len(cases) >= 10
    for text in cases:
        answered(reader, text, tmp_path)


def fuzz(reader, examples, folder):
    shortest = {}

    @settings(max_examples=examples, database=None, deadline=None)
    @given(text=mutations(SEEDS[reader]))
    def run(text):
        told = answered(reader, text, folder)
        if len(text) < len(shortest.get(told, " " * 10**6)):
            shortest[told] = text

    run()
    return shortest


@pytest.mark.parametrize("reader", SEEDS)
def test_a_mutated_file_is_read_or_refused(reader, tmp_path):
    fuzz(reader, 40, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("reader", SEEDS)
def test_ten_thousand_mutated_files_are_read_or_refused(reader, tmp_path):
    found = fuzz(reader, 10_000, tmp_path)
    if MANY:
        write_corpus(reader, found)


# ---------------------------------------------------------------- metadata of stores


METADATA = ("zarr.json", "status/zarr.json", "a/zarr.json", "progress/zarr.json", "progress/digest/zarr.json")


def refusal(store):
    """Return why a store is not read, or None if it is."""
    try:
        load(store, verify=True)
    except StoreError as error:
        return str(error)
    return None


@pytest.fixture
def whole_store(tmp_path):
    pytest.importorskip("zarr", reason="zarr is an extra")
    store = tmp_path / "a.zarr"
    sweep(Formula(), {"a": [0.1, 0.4, 0.7]}, store=store, block=2, progress=False)
    yield store
    assert refusal(store) is None


def told_of(store, name, text):
    """Return what is said of a store with another text as one of its files."""
    begun, whole = time.process_time(), (store / name).read_bytes()
    (store / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        told = refusal(store)
    except BaseException:
        keep("store", json.dumps([name, text]))
        raise
    finally:
        (store / name).write_bytes(whole)
    assert told is None or "damaged" in told or "no sweep" in told
    assert time.process_time() - begun < SECONDS
    return f"{name}: {'read' if told is None else shape(told.replace(str(store), ''))}"


def fuzz_metadata(examples, store):
    whole, shortest = {name: (store / name).read_text() for name in METADATA}, {}

    @settings(max_examples=examples, database=None, deadline=None)
    @given(data=st.data(), name=st.sampled_from(METADATA))
    def run(data, name):
        text = data.draw(mutations([whole[name]]))
        told = told_of(store, name, text)
        if told not in shortest or len(text) < len(shortest[told][1]):
            shortest[told] = [name, text]

    run()
    return shortest


def test_metadata_of_the_corpus_are_read_or_refused(whole_store):
    failed = [json.loads(file.read_text("utf-8")) for file in sorted((FAILED / "store").glob("*.txt"))]
    for name, text in [*failed, *corpus("store")]:
        told_of(whole_store, name, text)


def test_mutated_metadata_of_a_store_are_read_or_refused(whole_store):
    fuzz_metadata(25, whole_store)


@pytest.mark.slow
@pytest.mark.timeout(14_400)
def test_ten_thousand_mutated_metadata_are_read_or_refused(whole_store):
    found = fuzz_metadata(10_000, whole_store)
    if MANY:
        write_corpus("store", found)

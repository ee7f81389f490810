"""Every public object is a value: through pickle, copy and deepcopy, and other processes, it comes back equal."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.values import Value, same
from tests.public_objects import EXAMPLES, examples, made, named_classes, public_classes

LIVE = {"Explorer"}  # what changes as it is used: two are equal only if they are one
CLASSES = sorted(
    (cls for cls in public_classes() if cls.__name__ not in LIVE), key=lambda cls: (cls.__qualname__, cls.__module__)
)
WAYS = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__.split('.')[1]}.{cls.__name__}")
def test_an_object_of_every_public_class_comes_back_equal(cls):
    found = examples().get(cls) or [one for kind, one in examples().items() if issubclass(kind, cls)]
    if not found and cls not in named_classes():
        pytest.skip(f"no example of tests/public_objects.py holds a {cls.__name__}, which some public method returns")
    assert found, f"tests/public_objects.py needs an example that holds a {cls.__name__}"
    for thing in found:
        for name, way in WAYS.items():
            again = way(thing)
            assert type(again) is type(thing)
            assert again == thing, name
            assert hash(again) == hash(thing) if cls.__hash__ else True, name


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_public_function_returns_comes_back_equal(name):
    thing = made(name)
    for way in WAYS.values():
        assert same(way(thing), thing)
    assert without_places(str(pickle.loads(pickle.dumps(thing)))) == without_places(str(thing))


def without_places(text):
    return re.sub(r"0x[0-9a-f]+", "", text)  # where a function is in memory


def test_results_that_differ_are_not_equal():
    game = dt.models.get("BQ").game()
    found = dt.pbe(game)
    assert found == dt.pbe(game)
    assert found != dt.pbe(game.exact())
    assert found[0] != found[-1] or len(found) == 1
    assert dt.Scenario.load("textbook") == dt.Scenario.load("textbook")
    assert dt.Scenario.load("textbook") != dt.Scenario.load("textbook").with_changes({"loss": 0.7})
    one, other = dt.sweeps.Grid({"p": [0.1, 0.2]}), dt.sweeps.Grid({"p": [0.1, 0.3]})
    assert one != other
    assert one != dt.sweeps.table({"p": [0.1, 0.2]})
    assert dt.move("A", {"go": dt.end(A=1)}) == dt.move("A", {"go": dt.end(A=1)})
    assert dt.move("A", {"go": dt.end(A=1)}) != dt.move("A", {"go": dt.end(A=2)})
    assert {found, dt.pbe(game)} == {found}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]), False),
        (np.array([1, 2], dtype=object), np.array([1, 2], dtype=object), True),
        (np.array([1.0]), np.array(["1.0"]), False),
        (float("nan"), float("nan"), True),
        (1, 1.0, True),
        ({"a": [1]}, {"a": [1], "b": 2}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1], (1,), False),
        (partial(max, 1), partial(max, 1), True),
        (partial(max, 1), partial(max, 2), False),
        (partial(max, 1), partial(min, 1), False),
        ([].append, [].append, True),
        (len, sum, False),
    ],
)
def test_values_are_compared_by_what_they_hold(one, other, equal):
    assert same(one, other) is equal


def test_circles_are_walked_once():
    one, other = [1], [1]
    one.append(one)
    other.append(other)
    assert same(one, other)
    other.insert(0, 2)
    assert not same(one, other)


def test_a_value_knows_its_own_class_only():
    class A(Value):
        def __init__(self, x):
            self.x = x

    class B(A):
        pass

    assert A(1) == A(1)
    assert A(1) != B(1)
    assert A(1) != A(2)
    assert A(1).__eq__(1) is NotImplemented


def test_arrays_of_a_game_stay_read_only():
    game = pickle.loads(pickle.dumps(dt.models.get("BQ").game()))
    with pytest.raises(ValueError, match="read-only"):
        game.U[...] = 0


def test_trees_of_any_depth_and_width_are_sent():
    node, wide = dt.end("end", A=0), dt.end("end", A=0)
    for k in range(1200):
        node = dt.move("A", {"stop": dt.end(A=k), "go": node})
    for _ in range(60):  # 2**60 paths over 61 nodes
        wide = dt.move("A", {"left": wide, "right": wide})
    for tree in (node, wide):
        for way in WAYS.values():
            assert way(tree) == tree
    assert wide != dt.move("A", {"left": wide, "right": wide})
    game = dt.ExtensiveGame(("A",), node)
    assert pickle.loads(pickle.dumps(game)) == game == copy.deepcopy(game)
    assert dt.spe(pickle.loads(pickle.dumps(game))).probability("go") == dt.spe(game).probability("go")


def test_solvers_run_in_other_processes():
    trees = [
        dt.ExtensiveGame(("A",), dt.move("A", {"stay": dt.end(A=0), "go": dt.end("war", A=k)})) for k in (-1, 0.5, 2)
    ]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(dt.spe, trees)) == list(map(dt.spe, trees))
        assert list(pool.map(dt.sequential, trees)) == list(map(dt.sequential, trees))


def test_results_of_another_process_are_read_here(tmp_path):
    """A pickle that this process did not write: nothing may hang on what is loaded already."""
    code = (
        "import pickle, sys, deterrence as dt\n"
        "p = dt.symbols('p')\n"
        "game = dt.SignalingGame(('a', 'b'), ('m',), ('attack', 'not'), [p, 1 - p],"
        " [[[0, 1]], [[0, 1]]], [[[-1, 0]], [[1, 0]]])\n"
        "things = [dt.regimes(game), dt.pbe(game.at(p=0.3)), dt.Scenario.load('textbook').assess()]\n"
        "open(sys.argv[1], 'wb').write(pickle.dumps(things))\n"
    )
    file = tmp_path / "things"
    subprocess.run([sys.executable, "-c", code, file], check=True, cwd=Path(__file__).parents[1])
    found, solved, assessed = pickle.loads(file.read_bytes())
    assert str(found) == str(dt.regimes(found.game))
    assert solved == dt.pbe(found.game.at(p=0.3))
    assert assessed == dt.Scenario.load("textbook").assess()

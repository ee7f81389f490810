"""Numbers at the door: whatever is too large, masked or no number gets the error that every other bad number gets."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence.cli import app
from deterrence.games.errors import GameError, ParameterError, ScenarioError

BIG = 10**400
BEYOND = "at most 1e308 in size, got one beyond the range of floats"
STUDY = 'schema_version = 1\ntarget = "model:ALSIG"\n[vary]\nrho = { low = 0.1, high = 0.9, points = 3 }\n'


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema_version = " + "9" * 5000, "bad.toml:1: expected a number of at most 1e308 in size"),
        (
            "schema_version = 1\n[parameters.loss]\nvalue = 1\nrange = [0, " + "9" * 400 + "]",
            "bad.toml:4: parameters.loss.range",
        ),
        ("schema_version = " + "9" * 400, "bad.toml:1: schema_version: expected a number of at most 1e308"),
    ],
    ids=["5,000 digits", "huge range", "400 digits"],
)
@pytest.mark.parametrize("command", ["assess", "study"])
def test_whole_numbers_beyond_floats_are_an_error_of_the_file(tmp_path, text, message, command):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    asked = run(command, file)
    assert asked.exit_code == 2, asked.output
    assert message in asked.output


def test_a_sample_beyond_the_memory_is_refused_with_the_figure(tmp_path):
    file = tmp_path / "huge.toml"
    file.write_text(STUDY + "[sensitivity]\nsamples = 9007199254740992\n[at]\nk = 0.5\n")
    asked = run("sensitivity", file)
    assert asked.exit_code == 2
    assert "would take" in asked.output
    assert "ask for fewer samples" in asked.output.replace("\n", " ")
    for design in (dt.sweeps.sobol, dt.sweeps.halton, dt.sweeps.latin_hypercube):
        with pytest.raises(
            ParameterError, match=r"would take .* GiB of memory, more than the .* ask for fewer samples"
        ):
            design({"p": (0, 1)}, 2**53)


def test_a_grid_beyond_the_memory_is_refused_before_it_is_asked_for():
    axes = {"rho": np.linspace(0.1, 0.9, 100_000), "k": np.linspace(0.1, 0.9, 10_000_000)}
    with pytest.raises(ParameterError, match=r"1,000,000,000,000 points would take .* give a store="):
        dt.sweep(dt.models.get("ALSIG"), axes, progress=False)


def test_a_huge_number_is_refused_wherever_a_number_is_taken():
    model, scenario = dt.models.get("ALSIG"), dt.Scenario.load("textbook")
    for use in (
        lambda: model.game(k=BIG),
        lambda: model.closed_form(k=BIG),
        lambda: model.solved(k=BIG),
        lambda: dt.sweep(model, {"k": [0.1, BIG]}, progress=False),
        lambda: dt.sweeps.sobol({"k": (0, BIG)}, 8),
        lambda: scenario.with_changes({"loss": BIG}),
        lambda: scenario.with_changes({"loss": {"add": BIG}}),
    ):
        with pytest.raises((ParameterError, ScenarioError), match=BEYOND):
            use()
    with pytest.raises(ParameterError, match=BEYOND):
        dt.explore(model, at={"k": BIG})
    with pytest.raises(ParameterError, match="must lie within the range of floats"):
        dt.explore(model, ranges={"k": (0, BIG)})


@pytest.mark.parametrize("value", [np.int64(1), np.float32(1.5), Fraction(3, 2), Decimal("1.5"), np.array(2.0)])
def test_a_scenario_takes_any_real_number(value):
    changed = dt.Scenario.load("textbook").with_changes({"loss": value})
    assert changed.table.parameters["loss"].value == float(value)


@pytest.mark.parametrize(
    "bad",
    [
        np.ma.masked_array([[0.0, 1.0]], [[False, True]]),
        [np.ma.masked_array([0.0, 1.0], [False, True])],
        np.array([["1", "2"]]),
        np.array([["2020-01-01", "2020-01-02"]], dtype="M8[D]"),
        np.array([[1, 2]], dtype="m8[s]"),
        [["a", "b"]],
    ],
    ids=["masked", "masked within", "text", "dates", "spans of time", "words"],
)
def test_payoffs_are_numbers(bad):
    with pytest.raises(GameError, match=r"must be (numbers|a number)"):
        dt.StrategicGame(bad, [[0, 1]])
    with pytest.raises(GameError, match=r"must be (numbers|a number)"):
        dt.SignalingGame(("a",), ("m",), ("x", "y"), [1], [bad], [[[0, 1]]])


@pytest.mark.parametrize("bad", [np.ma.masked, np.timedelta64(1, "s"), np.datetime64("2020-01-01")])
def test_a_payoff_of_an_end_is_a_number(bad):
    with pytest.raises(GameError, match="must be a number"):
        dt.ExtensiveGame(("A",), dt.move("A", {"s": dt.end(A=0), "g": dt.end(A=bad)}))


# ---------------------------------------------------------------- assumptions


@pytest.mark.parametrize(
    ("assumption", "message"),
    [
        ("0 < p < 9**9**9", "powers may multiply to 100 at most"),
        ("((p + 1)**50)**50 > 0", "powers may multiply to 100 at most"),
        ("0 < p**p", "powers may multiply to 100 at most, and must be numbers"),
        ("p < 1/0", "divides by zero"),
        ("p < " + "1+" * 300 + "1", "at most 500 characters"),
        ("p < (1).__class__", "more than arithmetic"),
    ],
)
def test_an_assumption_is_arithmetic_of_bounded_size(assumption, message):
    p = dt.symbols("p")
    game = dt.SignalingGame(("a", "b"), ("m",), ("x", "y"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[0, 1]], [[1, 0]]])
    with pytest.raises(ParameterError, match=message.replace("(", r"\(")):
        dt.regimes(game, assumptions=[assumption])


def test_decimals_of_an_assumption_are_exact():
    import sympy

    from deterrence.solvers.symbolic.assumptions import read_assumption

    p = sympy.Symbol("p", real=True)
    ((low, high),) = read_assumption("0.1*p^2 - 1/3 < 2e-1", [p])
    assert (low, high) == (p**2 / 10 - sympy.Rational(1, 3), sympy.Rational(1, 5))


# ---------------------------------------------------------------- objects


def test_trees_and_their_solutions_go_through_pickle_and_other_processes():
    import copy
    import pickle
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    trees = [
        dt.ExtensiveGame(
            ("A",),
            dt.move(
                "A", {"stay": dt.end(A=0), "go": dt.chance({"x": (0.5, dt.end("war", A=k)), "y": (0.5, dt.end(A=-2))})}
            ),
        )
        for k in (1, 3)
    ]
    for through in (copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
        for tree in trees:
            assert through(tree) == tree
            for solved in (dt.spe(tree), dt.sequential(tree)):
                again = through(solved)
                assert again.game == tree
                assert str(again) == str(solved)
                assert again.probability("war") == solved.probability("war")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert [found.probability("go") for found in pool.map(dt.spe, trees)] == [(0.0, 0.0), (1.0, 1.0)]

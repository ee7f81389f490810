"""Fit files and the command that reads them."""

from __future__ import annotations

import json

import jsonschema
import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence.cli import app
from deterrence.estimation import FitFile
from deterrence.estimation.fit_schema import json_schema
from tests.estimation.tree_games import SPEC, crisis, simulated

TEXT = """
schema_version = 1
title = "crisis"
players = ["Challenger", "Defender"]
outcome = "outcome"
effects = ["z"]

[utilities]
u1_sq = "x - 1"
u1_capit = "1"
u1_war = "w"
u2_war = "z"

[tree]
player = "Challenger"
[tree.actions.stay]
end = "sq"
payoffs = { Challenger = "u1_sq", Defender = 0 }
[tree.actions.escalate]
player = "Defender"
[tree.actions.escalate.actions."give in"]
end = "capit"
payoffs = { Challenger = "u1_capit", Defender = 0 }
[tree.actions.escalate.actions.resist]
end = "war"
payoffs = { Challenger = "u1_war", Defender = "u2_war" }
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    (folder / "crisis.toml").write_text(TEXT, "utf-8")
    simulated(300, 3).to_csv(folder / "crisis.csv", index=False)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_a_file_is_the_fit_that_it_says(files):
    loaded = FitFile.load(files / "crisis.toml")
    assert loaded.game == crisis()
    own = dt.fit(crisis(), simulated(300, 3), outcome="outcome", utilities=SPEC)
    assert loaded.fit(files / "crisis.csv").llf == pytest.approx(own.llf, abs=1e-8)


def test_the_command_prints_the_table(files):
    done = run("fit", files / "crisis.toml", "--data", files / "crisis.csv")
    assert done.exit_code == 0, done.output
    assert "u2_war" in done.output
    assert "average effect of z" in done.output


def test_the_command_writes_tables_and_figures(files, tmp_path):
    common = ("fit", files / "crisis.toml", "--data", files / "crisis.csv")
    for suffix, content in ((".txt", "Log-likelihood"), (".html", "<table"), (".tex", "tabular"), (".json", "llf")):
        done = run(*common, "--out", tmp_path / f"table{suffix}")
        assert done.exit_code == 0, done.output
        assert content in (tmp_path / f"table{suffix}").read_text("utf-8")
    assert run(*common, "--out", tmp_path / "table.doc").exit_code == 2
    assert run(*common, "--figure", tmp_path / "coefficients").exit_code == 0
    assert (tmp_path / "coefficients.png").stat().st_size > 1000
    assert (tmp_path / "coefficients.svg").read_text("utf-8").lstrip().startswith("<?xml")


def test_json_holds_the_estimates(files):
    done = run("fit", files / "crisis.toml", "--data", files / "crisis.csv", "--json")
    told = json.loads(done.output)
    own = dt.fit(crisis(), simulated(300, 3), outcome="outcome", utilities=SPEC)
    assert told["status"] == "converged"
    assert told["parameters"]["u2_war:z"]["estimate"] == pytest.approx(own.params["u2_war:z"], abs=1e-6)
    assert sum(told["effects"]["z"].values()) == pytest.approx(0, abs=1e-9)


def test_the_schema_takes_the_file():
    import tomllib

    jsonschema.validate(tomllib.loads(TEXT), json_schema())
    done = run("schema", "--of", "fit")
    assert json.loads(done.output) == json_schema()
    assert run("schema", "--of", "game").exit_code == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('effects = ["z"]', 'errors = "both"', "errors"),
        ('effects = ["z"]', "colour = 1", "colour"),
        ('end = "sq"', 'end = "sq"\nplayer = "Challenger"', "expected one of: end and payoffs"),
        ('"u1_sq", Defender', '"u1_sq + exit()", Defender', "tree.actions.stay.payoffs.Challenger"),
        ("[tree]", "[tree", "not valid TOML"),
    ],
)
def test_mistakes_are_named_with_their_key(old, new, message):
    with pytest.raises(dt.ScenarioError, match=message):
        FitFile.loads(TEXT.replace(old, new, 1))


def test_missing_files_are_named(files, tmp_path):
    assert "no such file" in run("fit", tmp_path / "no.toml", "--data", files / "crisis.csv").output
    done = run("fit", files / "crisis.toml", "--data", tmp_path / "no.csv")
    assert done.exit_code == 2
    assert "expected data in CSV" in done.output


def test_a_formula_cannot_run_code():
    text = TEXT.replace('u2_war = "z"', "u2_war = \"np.load('x')\"")
    with pytest.raises(dt.ParameterError, match="may only combine columns by functions"):
        FitFile.loads(text).fit(simulated(50, 3))


def test_a_whole_number_beyond_floats_is_refused_by_name():
    with pytest.raises(dt.ScenarioError, match="a whole number beyond the range of floats"):
        FitFile.loads(TEXT.replace("schema_version = 1", "schema_version = " + "9" * 5000))


@pytest.mark.parametrize(
    "formula",
    ["I(x + 9**9**9)", "(x + z)**99", "I((x**9)**9**9)", "I(2**x)", "I(x**z)", "I(.5**3)", "(x + z)^50", "I((9)**9)"],
)
def test_powers_of_a_formula_are_bounded(formula):
    import pandas as pd

    from deterrence.estimation.formulas import Design

    frame = pd.DataFrame({"x": [0.5, 2.0, 1.0, 3.0, 0.2], "z": [1.0, 0.5, 0.1, 0.9, 4.0]})
    with pytest.raises(dt.ParameterError, match="powers in the formula of 'u' are of columns or of terms"):
        Design.of(formula, frame, "u")
    for fine in ("I(x**2)", "(x + z)**2", "I(x ** -1)", "I(x**0.5)"):
        assert Design.of(fine, frame, "u").matrix.shape[0] == 5


@pytest.mark.parametrize(
    "formula",
    [
        "exit(1)",
        "print(x)",
        "I(vars()['x'])",
        "{compile('1', '2', 'eval')}",
        "\uff45val('1') + x",
        "x.sum()",
        "breakpoint()",
    ],
)
def test_a_formula_runs_no_code(formula):
    import pandas as pd

    from deterrence.estimation.formulas import Design

    with pytest.raises(dt.ParameterError, match=r"has no column|may only combine columns by functions"):
        Design.of(formula, pd.DataFrame({"x": [0.5, 2.0]}), "u")

"""The command line as a new user would try it, bad input included."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

import deterrence as dt
from deterrence import __version__
from deterrence.cli import app

RUNNER = CliRunner()


def run(*arguments):
    return RUNNER.invoke(app, list(arguments))


def test_version():
    result = run("--version")
    assert result.exit_code == 0
    assert __version__ in result.stdout


def test_list_names_the_scenarios():
    result = run("list")
    assert result.exit_code == 0
    assert "baltic-2017" in result.stdout
    assert {row["name"] for row in json.loads(run("list", "--json").stdout)} >= {"baltic-2017", "textbook"}


def test_assess_prints_a_table_and_says_where_the_figure_is(tmp_path):
    result = run("assess", "textbook", "--figure", str(tmp_path / "figure"))
    assert result.exit_code == 0
    assert "Who would come" in result.stdout
    assert str(tmp_path / "figure.png") in result.stdout
    assert (tmp_path / "figure.svg").is_file()


def test_assess_prints_json():
    result = run("assess", "textbook", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["likelihood_of_attack"] == pytest.approx([2 / 3, 2 / 3])


def test_condition_prints_before_and_after_or_says_what_is_missing():
    result = run("condition", "crimea-2014", "--draws", "32")
    assert result.exit_code == 0
    assert "Before and after the evidence" in result.stdout
    plain = json.loads(run("condition", "crimea-2014", "--draws", "32", "--json").stdout)
    assert (plain["method"], plain["draws"]) == ("importance", 32)
    missing = run("condition", "textbook")
    assert missing.exit_code == 2
    assert "textbook states no evidence" in missing.stderr


def test_sweep_writes_a_table(tmp_path):
    out = tmp_path / "sweep.csv"
    result = run(
        "sweep", "textbook", "--vary", "perception.Aggressor.resolve=0:1:5", "--vary", "loss=1:2:3", "--out", str(out)
    )
    assert result.exit_code == 0, result.output
    assert "15 points" in result.stdout
    assert "attack_low" in out.read_text("utf-8").splitlines()[0]


def test_schema_is_json():
    assert json.loads(run("schema").stdout)["title"] == "ScenarioTable"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["assess", "no-such"], "no such scenario or file"),
        (["assess", "baltic-2071"], "did you mean 'baltic-2017'"),
        (["sweep", "textbook", "--vary", "loss=1:2", "--out", "x.csv"], "NAME=LOW:HIGH:POINTS"),
        (["sweep", "textbook", "--vary", "loss=1:2:1000000000000", "--out", "x.csv"], "at most 100,000,000 points"),
        (["sweep", "textbook", "--vary", "loss=1:2:3", "--vary", "loss=1:2:3", "--out", "x.csv"], "names 'loss' twice"),
        (["sweep", "textbook", "--vary", "los=1:2:3", "--out", "x.csv"], "los"),
        (["sweep", "textbook", "--vary", "loss=1:2:3", "--out", "x.exe"], "must end in one of"),
        (["sweep", "textbook", "--vary", "loss=1:2:3", "--out", "no/such/x.csv"], "folder does not exist"),
        (["solve", "no-such.efg"], "no such file"),
        (["explore", "baltic-2071"], "did you mean 'baltic-2017'"),
        (["explore", "no-such"], "no such scenario or file"),
        (["explore", "textbook", "--port", "70000"], "--port"),
        (["explore", "textbook", "--html", "page.txt"], "ends in .html"),
        (["explore", "textbook", "--html", "no/such/page.html"], "folder does not exist"),
    ],
)
def test_bad_input_exits_with_2_and_one_clear_message(arguments, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_exits_with_2_and_lists_every_mistake(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("schema_version = 1\nnam = 'x'\n", "utf-8")
    result = run("assess", str(path))
    assert result.exit_code == 2
    assert f"{path}:2: nam: unknown key" in result.output
    assert "members: missing" in result.output


def test_solve_reads_a_gambit_file(tmp_path):
    path = tmp_path / "matching.nfg"
    path.write_text('NFG 1 R "Matching" { "A" "B" } { 2 2 }\n1 -1 -1 1 -1 1 1 -1\n', "utf-8")
    result = run("solve", str(path), "--exact")
    assert result.exit_code == 0, result.output
    assert "1/2" in result.stdout


STUDY = """
schema_version = 1
target = "textbook"
events = ["attack"]
store = "textbook.zarr"
[vary]
"perception.Aggressor.resolve" = { low = 0.1, high = 0.9, points = 5 }
loss = { low = 0.5, high = 2, points = 4 }
[sensitivity]
samples = 16
seed = 1
"""


def test_a_study_runs_is_stored_shown_and_resumed(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY, "utf-8")
    ran = run("study", str(path), "--out", str(tmp_path / "study.csv"))
    assert ran.exit_code == 0, ran.output
    assert len((tmp_path / "study.csv").read_text("utf-8").splitlines()) == 21
    shown = run("show", str(tmp_path / "textbook.zarr"))
    assert shown.exit_code == 0, shown.output
    assert "attack" in shown.stdout
    again = run("resume", str(tmp_path / "textbook.zarr"))
    assert again.exit_code == 0, again.output
    sensitive = run("sensitivity", str(path))
    assert sensitive.exit_code == 0, sensitive.output
    assert "loss" in sensitive.stdout


def test_a_store_that_is_none_is_no_traceback(tmp_path):
    result = run("show", str(tmp_path / "nothing.zarr"))
    assert result.exit_code in (1, 2)
    assert "nothing.zarr" in result.output
    assert "Traceback" not in result.output


def test_a_model_can_be_swept(tmp_path):
    result = run("sweep", "ALSIG", "--vary", "rho=0.1:0.9:5", "--out", str(tmp_path / "model.json"))
    assert result.exit_code == 0, result.output
    assert "5 points" in result.stdout


def test_explore_prints_the_address_and_ends_on_ctrl_c(monkeypatch):
    seen = []

    def interrupted(thread, timeout=None):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", seen.append)
    monkeypatch.setattr("threading.Thread.join", interrupted)
    result = run("explore", "textbook", "--no-browser")
    assert result.exit_code == 0, result.output
    assert re.match(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/\n", result.stdout)
    assert seen == []


def test_explore_writes_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr("deterrence.explorer.page.SECONDS", 0.2)
    path = tmp_path / "page.html"
    result = run("explore", "ALSIG", "--html", str(path))
    assert result.exit_code == 0, result.output
    assert f"page: {path}" in result.stdout
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_sweep_says_which_points_have_no_answer(tmp_path):
    result = run("sweep", "textbook", "--vary", "loss=-5:1:3", "--out", str(tmp_path / "a.csv"))
    assert result.exit_code == 0
    assert "3 points; likelihood of attack from 66.7% to 66.7%" in result.stdout
    assert "2 of 3 have no answer; the first: expected a number of at least 0, got -2.5" in result.stderr


def test_a_sweep_without_any_answer_ends_with_status_1_and_says_why(tmp_path):
    result = run("sweep", "textbook", "--vary", "loss=-5:-1:2", "--out", str(tmp_path / "a.csv"))
    assert result.exit_code == 1
    assert result.stdout.startswith("2 points; written to")
    assert "error: no point has an answer; the first: ParameterError: " in result.stderr
    assert "expected a number of at least 0, got -2.5" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (("assess", "textbook", "--json", "--markdown"), "exclude each other"),
        (("sweep", "textbook", "--vary", "lss=1:2:2", "--out", "a.csv"), "parameters are resolve, loss"),
        (("sweep", "textbook", "--vary", "lss=1:2:2", "--out", "a.csv"), "did you mean 'loss'?"),
        (("sweep", "entry.efg", "--vary", "loss=1:2:2", "--out", "a.csv"), "solve it with deterrence solve entry.efg"),
        (("solve", "ALSIG"), "ALSIG is a published model"),
        (("solve", "broken.efg"), "broken.efg: line 1"),
        (("study", "island.toml"), "island.toml: this is a scenario"),
        (("show", "nowhere.zarr"), "there is no sweep at nowhere.zarr"),
    ],
)
def test_a_slip_is_answered_with_what_would_do(arguments, answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.efg").write_text("EFG 3 R", "utf-8")
    (tmp_path / "island.toml").write_text("attacks = []\nmembers = []\n", "utf-8")
    result = run(*arguments)
    assert result.exit_code in (1, 2)
    assert answer in result.stderr
    assert "Traceback" not in result.output


def test_a_figure_named_with_its_ending_gets_one_ending(tmp_path):
    assert run("assess", "textbook", "--figure", str(tmp_path / "figure.png")).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure.png", "figure.svg"]


def test_the_help_of_sensitivity_names_its_table():
    assert "named sensitivity" in " ".join(run("sensitivity", "--help").stdout.split())


def test_a_file_that_lacks_its_package_is_refused_before_the_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run("sweep", "textbook", "--vary", "loss=1:2:2", "--out", str(tmp_path / "a.zarr"))
    assert result.exit_code == 2
    assert "needs zarr: pip install" in result.stderr


def test_decide_prints_policies_json_and_a_figure(tmp_path):
    file = tmp_path / "options.toml"
    option = (
        '[options.a]\ntitle = "Be believed"\nchanges = { "perception.Aggressor.resolve" = 0.5 }\ncost = 1\nunit = "x"\n'
    )
    file.write_text(dt.Scenario.load("textbook").text + option, "utf-8")
    result = run("decide", str(file), "--draws", "16", "--seed", "1", "--figure", str(tmp_path / "front"))
    assert result.exit_code == 0, result.output
    assert "2 policies on 16 common draws (seed 1" in result.stdout
    assert "A  Be believed" in result.stdout
    assert (tmp_path / "front.svg").is_file()
    told = json.loads(run("decide", str(file), "--draws", "16", "--seed", "1", "--json").stdout)
    assert [one["name"] for one in told["options"]] == ["a"]
    assert run("decide", str(file), "--json", "--markdown").exit_code == 2
    assert "has no options to decide among" in run("decide", "textbook", "--draws", "8").stderr

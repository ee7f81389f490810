"""The example of the README prints what the README says it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import deterrence as dt

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_example_prints_what_the_readme_says():
    text = README.read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    expected = re.search(r"prints[^\n]*\n\n```\n(.*?)```", text, re.DOTALL)
    assert code is not None
    assert expected is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code[1], str(README), "exec"), {})
    assert printed.getvalue() == expected[1]


def test_the_readme_fits_on_one_screen_and_names_both_commands():
    text = README.read_text("utf-8")
    assert len(text.splitlines()) < 80
    assert "make demo" in text
    assert "make test" in text


def test_the_headline_of_the_readme_is_what_an_assessment_says():
    said = dt.Scenario.load("baltic-2017").assess(draws=1000, seed=0).uncertainty.in_words()
    assert said in " ".join(README.read_text("utf-8").split())

"""The pages of the scenarios say what the files and the solvers say."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deterrence.alliances.scenarios.scenario import Scenario

DOCS = Path(__file__).resolve().parent.parent / "docs"


def _generator() -> ModuleType:
    """Return docs/generate_scenarios.py as a module."""
    spec = importlib.util.spec_from_file_location("generate_scenarios", DOCS / "generate_scenarios.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()
MEND = "the page is stale; run python docs/generate_scenarios.py"


def page(name: str) -> str:
    return (DOCS / "scenarios" / f"{name}.md").read_text("utf-8")


def test_every_scenario_has_a_page_and_a_picture_and_no_other_has():
    names = set(Scenario.names())
    assert {path.stem for path in (DOCS / "scenarios").glob("*.md")} == {*names, "index"}
    assert {path.stem for path in (DOCS / "figures" / "scenarios").glob("*.svg")} == names
    for path in (DOCS / "figures" / "scenarios").glob("*.svg"):
        assert 5_000 < path.stat().st_size < 60_000, path.name


@pytest.mark.parametrize("name", Scenario.names())
def test_a_page_says_what_the_file_says(name):
    """All but the assessment, which is checked by its first sentence."""
    scenario = Scenario.load(name)
    assert scenario.table.shows
    assert scenario.table.does_not_show
    for part in (GENERATOR.head(scenario), GENERATOR.variants(scenario), GENERATOR.numbers(scenario)):
        assert part in page(name), MEND
    said = re.search(r"The likelihood of attack is (?P<said>[\d.]+)%", page(name))
    assert said is not None
    assert float(said["said"]) == pytest.approx(100 * GENERATOR.likelihood(scenario), abs=0.051), MEND


def test_the_list_is_up_to_date():
    assert page("index") == GENERATOR.index(), MEND


@pytest.mark.slow
@pytest.mark.parametrize("name", Scenario.names())
def test_a_page_is_as_it_would_be_written_now(name):
    assert page(name) == GENERATOR.page(Scenario.load(name)), MEND

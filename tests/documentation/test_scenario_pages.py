"""The pages of the scenarios say what the files and the solvers say."""

from __future__ import annotations

import re

import generate_back_test
import generate_scenarios
import pytest

from deterrence.alliances.scenarios.scenario import Scenario


def test_every_scenario_has_a_page_and_a_picture_and_no_other_has():
    pages = {f"scenarios/{name}.md" for name in ("index", *Scenario.names())}
    assert set(generate_scenarios.files()) == {*pages, *(f"figures/scenarios/{name}.svg" for name in Scenario.names())}


def says_what_the_file_says(name: str) -> None:
    """Compare the page with the file, and the first sentence of its assessment with the solver."""
    scenario = Scenario.load(name)
    page = generate_scenarios.page(scenario)
    table = scenario.table
    for text in (f"# {table.title}", table.shows, table.does_not_show, " ".join(table.description.split())):
        assert text
        assert text in page
    for source, reference in table.sources.items():
        assert f"- **{source}**: {reference}" in page
    for variant in table.variants:
        assert f"| `{variant}` |" in page
    for member in table.members:
        assert re.search(rf"^\| {re.escape(member.name)} \|", page, re.MULTILINE)
    assert f"(../figures/scenarios/{name}.svg)" in page
    said = re.search(r"At the file's own numbers it is (?P<said>[\d.]+) %", page)
    assert said is not None
    low, high = scenario.probability("attack")
    assert float(said["said"]) == pytest.approx(100 * (low + high) / 2, abs=0.51)


def test_a_page_says_what_the_file_says():
    says_what_the_file_says("textbook")


@pytest.mark.slow
@pytest.mark.parametrize("name", Scenario.names())
def test_every_page_says_what_its_file_says(name):
    says_what_the_file_says(name)


def test_the_list_has_every_scenario_and_every_variant():
    listed = generate_scenarios.index()
    for name in Scenario.names():
        scenario = Scenario.load(name)
        row = re.search(rf"^\| \[{name}\]\({name}\.md\) \| (.*) \| ([\d.]+)% \|$", listed, re.MULTILINE)
        assert row is not None
        assert row[1] == scenario.title
        assert float(row[2]) == pytest.approx(100 * sum(scenario.probability("attack")) / 2, abs=0.051)
        for variant in scenario.variants:
            assert f"[{name}:{variant}]({name}.md#variants)" in listed


def test_a_picture_is_small():
    assert 5_000 < len(generate_scenarios.figure(Scenario.load("textbook")).encode()) < 60_000


def test_the_back_test_scores_what_happened():
    """Brier's and the logarithmic score by hand, of a case that is certain of what happened half the time."""
    case = generate_back_test.Case("crimea-2014", "it happened", 9, 0.5, 0.8)
    page = generate_back_test.page_of([case], 10)
    assert "| 0.50 | 0.25 | 0.69 | 0.80 | 0.04 | 0.22 |" in page
    assert "9 to 9 uncertain numbers" in page


def test_a_case_is_likelier_after_its_outcome_has_weighed_the_draws():
    case = generate_back_test.back_test("crimea-2014", draws=64)
    assert 0 < case.before < case.after < 1

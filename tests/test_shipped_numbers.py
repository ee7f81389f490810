"""The numbers that the package ships are those that were saved, but for changes that are meant and have a reason."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

import deterrence as dt
from tests import shipped_numbers
from tests.shipped_numbers import CHANGED, RENAMED, SECTIONS, answer, assessment, cases, model_numbers, saved


def paths(saved_numbers: object, where: str) -> list[str]:
    """Return the path of every number of a saved entry, and of every table that it stands in."""
    if isinstance(saved_numbers, dict):
        return [where, *(path for k, v in saved_numbers.items() for path in paths(v, f"{where}/{k}"))]
    return [where]


@pytest.mark.parametrize("name", dt.Scenario.names())
def test_likelihoods_of_a_scenario(name):
    assert not shipped_numbers.unintended("answers", name, answer(name))


@pytest.mark.slow
@pytest.mark.parametrize("case", cases())
def test_assessment_of_a_scenario_or_variant(case):
    assert not shipped_numbers.unintended("assessments", case, assessment(case))


@pytest.mark.parametrize("id", dt.models.catalogue().ids)
def test_quantities_of_a_model(id):
    """At its defaults; ``test_models`` compares those of the check lines, which it has solved already."""
    for call in (f"{id} {route}" for route in dt.models.get(id).routes):
        assert not shipped_numbers.unintended("models", call, model_numbers(call))


def test_nothing_shipped_is_left_out():
    """Everything there is now was saved, and everything saved is still there."""
    for section, (names, _) in SECTIONS.items():
        assert set(names()) == set(saved()[section]), f"{section}: run python -m tests.shipped_numbers"


def test_an_intended_change_names_a_number_and_a_reason():
    known = [
        path
        for section, table in saved().items()
        for case, numbers in table.items()
        for path in paths(numbers, f"{section}/{case}")
    ]
    for pattern, reason in CHANGED.items():
        assert any(fnmatchcase(path, pattern) for path in known), pattern
        assert reason
    assert len(set(RENAMED.values())) == len(RENAMED)


@pytest.mark.parametrize(
    ("now", "before", "wrong"),
    [
        (0.5, 0.5, ""),
        (0.5 + 4e-13, 0.5, ""),
        (0.5 + 2e-12, 0.5, r"x: expected 0\.5, got 0\.500000000002"),
        (3e6 + 2e-6, 3e6, ""),
        (3e6 + 4e-6, 3e6, "x: expected 3000000"),
        ({"a": [1, 2], "b": 0}, {"a": [1, 2]}, ""),
        ({"a": [1, 2.1]}, {"a": [1, 2]}, "x/a/1: expected 2, got 2.1"),
        ({"a": [1]}, {"a": [1, 2]}, "x/a: expected"),
        ({"b": 1}, {"a": 1}, "x/a: missing; there are \\['b'\\]"),
        ("war", "peace", "x: expected 'peace', got 'war'"),
        ("nan", 1.0, "x: expected 1.0, got 'nan'"),
        (True, False, "x: expected False, got True"),
        (None, 0.0, "x: expected 0.0, got None"),
    ],
)  # fmt: skip
def test_a_difference_is_found(now, before, wrong):
    found = list(shipped_numbers.differences(now, before, "x"))
    assert bool(found) == bool(wrong)
    assert all(re.match(wrong, line) for line in found)


def test_renamed_keys_and_named_tables_are_found_as_they_were_saved():
    now = {"parameters": [{"name": "treaty.cheap_talk", "label": "talk", "slope": 0.25, "limit": float("inf")}]}
    assert shipped_numbers.plain(now) == {"dials": {"treaty.talk": {"slope": 0.25, "limit": "inf"}}}

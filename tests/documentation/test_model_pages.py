"""The page of models says what the catalogue says, and every picture on it can be drawn."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

import generate_models
import pytest

from deterrence.models import catalogue, get


@cache
def page() -> str:
    return generate_models.page()


@cache
def sections() -> dict[str, str]:
    return {m[1]: m[2] for m in re.finditer(r"^## ([\w-]+):(.*?)(?=^<a id=|\Z)", page(), re.MULTILINE | re.DOTALL)}


def test_every_model_of_the_catalogue_has_a_section_and_no_other():
    assert set(sections()) == {record.id for record in catalogue()}


@pytest.mark.parametrize("record", catalogue(), ids=lambda r: r.id)
def test_a_section_names_title_source_and_parameters(record):
    section = unescape(sections()[record.id].replace("\\|", "|"))
    assert record.title in section
    assert record.source in section
    for parameter in get(record.id).parameters:
        assert f"`{parameter.name}`" in section


def test_the_page_shows_every_picture_and_no_other():
    pictures = set(re.findall(r"figures/models/[\w.-]+", page()))
    assert len(pictures) > 50
    assert {"models.md", *pictures} == set(generate_models.files())


def small_picture(name: str) -> None:
    svg = generate_models.files()[name]()
    assert "<svg" in svg
    assert svg.rstrip().endswith("</svg>")
    assert 200 < len(svg.encode()) < 60_000, name


@pytest.mark.parametrize("name", ["cid-tree0", "alsig-tree0", "alsig"])
def test_a_tree_a_signaling_game_and_a_curve_are_drawn(name):
    small_picture(f"figures/models/{name}.svg")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in generate_models.files() if name.endswith(".svg")])
def test_every_picture_is_drawn_and_is_small(name):
    small_picture(name)

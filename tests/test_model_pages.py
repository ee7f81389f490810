"""The page of models says what the catalogue says, and every picture on it exists."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from deterrence.models import catalogue, get

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "models.md").read_text("utf-8")
SECTIONS = {m[1]: m[2] for m in re.finditer(r"^## ([\w-]+):(.*?)(?=^<a id=|\Z)", PAGE, re.MULTILINE | re.DOTALL)}


def test_every_model_of_the_catalogue_has_a_section_and_no_other():
    assert set(SECTIONS) == {record.id for record in catalogue()}


@pytest.mark.parametrize("record", catalogue(), ids=lambda r: r.id)
def test_a_section_names_title_source_and_parameters(record):
    section = unescape(SECTIONS[record.id].replace("\\|", "|"))
    assert record.title in section
    assert record.source in section
    for parameter in get(record.id).parameters:
        assert f"`{parameter.name}`" in section


def test_every_picture_exists_and_is_small():
    pictures = set(re.findall(r"figures/models/[\w.-]+", PAGE))
    assert pictures
    for name in pictures:
        assert 200 < (DOCS / name).stat().st_size < 60_000, name
    assert {f"figures/models/{path.name}" for path in (DOCS / "figures" / "models").iterdir()} == pictures

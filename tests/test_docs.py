"""The pages of the site: every example runs and prints what the page says, every command works, every link leads on."""

from __future__ import annotations

import doctest
import re
import runpy
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deterrence.cli import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE = ("_build", "notebooks", "generated")
PAGES = sorted(page for page in DOCS.rglob("*.md") if not set(MADE) & set(page.relative_to(DOCS).parts[:-1]))
WRITTEN = [page for page in PAGES if "<!-- Written by" not in page.read_text("utf-8")]
BLOCK = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[tuple[str, str, str]]:
    """Return the blocks of a page: language, file name behind it if there is one, and text."""
    return [block for block in BLOCK.findall(page.read_text("utf-8")) if block[0] in languages]


def having(*languages: str) -> list[Path]:
    return [page for page in WRITTEN if blocks(page, *languages)]


def name(page: Path) -> str:
    return str(page.relative_to(DOCS))


@pytest.mark.parametrize("page", having("pycon", "console"), ids=name)
def test_examples_do_what_the_page_says(page, tmp_path, monkeypatch):
    """From top to bottom, in one folder: ``toml`` and ``text`` blocks with a file name are files there."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, file, text in blocks(page, "toml", "text", "pycon", "console"):
        if language in ("toml", "text"):
            if file:
                (tmp_path / file).write_text(text, "utf-8")
        elif language == "pycon":
            _run_python(text, names, page)
        else:
            _run_commands(text)


def _run_python(text: str, names: dict[str, object], page: Path) -> None:
    test = doctest.DocTestParser().get_doctest(text, names, name(page), str(page), 0)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed = runner.run(test, out=said.append, clear_globs=False).failed
    names.update(test.globs)
    assert not failed, "".join(said)


def _run_commands(text: str) -> None:
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.startswith("$ deterrence "):
            done = CliRunner().invoke(app, shlex.split(line)[2:])
            assert done.exit_code == 0, f"{line}\n{done.output}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s:]+\.(?:md|svg|png|ipynb|py|cff|toml))(?:#[\w-]*)?\)", text):
        if "notebooks/" not in target:
            assert (page.parent / target).exists(), target


def test_generated_pages_say_what_the_code_says():
    pages = runpy.run_path(str(DOCS / "generate_reference.py"))["pages"]()
    for file, text in pages.items():
        assert (DOCS / "reference" / file).read_text("utf-8") == text, f"run python docs/generate_reference.py: {file}"


def test_the_api_page_names_every_public_name():
    import deterrence as dt

    listed = set(re.findall(r"^   ([\w.]+)$", (DOCS / "reference" / "api.md").read_text("utf-8"), re.MULTILINE))
    rooms = {"models", "sweeps", "plotting"}
    assert set(dt.__all__) - rooms <= listed
    for entry in listed:
        found = dt
        for part in entry.split("."):
            found = getattr(found, part)

"""The pages of the site: every example runs and prints what the page says, every command works, every link leads on."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import generated
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from deterrence.alliances.scenarios.schema import json_schema
from deterrence.cli import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
MADE = set(generated.files())  # with the site; they may be there or not
BUILT = {"_build", "notebooks", "generated"}
PAGES = sorted(
    page
    for page in DOCS.rglob("*.md")
    if not BUILT & set(page.relative_to(DOCS).parts[:-1]) and page.relative_to(DOCS).as_posix() not in MADE
)
BLOCK = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[tuple[str, str, str]]:
    """Return the blocks of a page: language, file name behind it if there is one, and text."""
    return [block for block in BLOCK.findall(page.read_text("utf-8")) if block[0] in languages]


def having(*languages: str) -> list[Path]:
    return [page for page in PAGES if blocks(page, *languages)]


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


def dead_links(text: str, folder: Path) -> list[str]:
    """Return the links of a page, in a folder of the site, to files that neither are there nor are made with it."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#\s:]+\.(?:md|svg|png|ipynb|py|cff|toml))(?:#[\w-]*)?\)", text)
    there = [(link, (folder / link).resolve()) for link in links if "notebooks/" not in link]
    return [link for link, file in there if not file.exists() and not (DOCS in file.parents and _is_made(file))]


def _is_made(file: Path) -> bool:
    return file.relative_to(DOCS).as_posix() in MADE


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_between_pages_lead_somewhere(page):
    assert not dead_links(page.read_text("utf-8"), page.parent)


@pytest.mark.parametrize("made", ["reference/command-line.md", "reference/scenario-files.md", "scenarios/textbook.md"])
def test_links_of_pages_that_are_made_lead_somewhere(made):
    assert not dead_links(generated.files()[made](), (DOCS / made).parent)


def test_a_dead_link_is_found():
    assert dead_links("[a](index.md) [b](no.md) [c](models.md#alsig)", DOCS) == ["no.md"]


def test_the_pages_of_commands_and_of_keys_name_them_all():
    commands = generated.files()["reference/command-line.md"]()
    assert set(re.findall(r"^## deterrence ([\w-]+)$", commands, re.MULTILINE)) == set(get_command(app).commands)
    keys = generated.files()["reference/scenario-files.md"]()
    for table in json_schema()["$defs"].values():
        for key in table.get("properties", ()):
            assert f"| `{key}` |" in keys


def test_links_of_the_readme_lead_to_files_that_are_committed():
    text = (DOCS.parent / "README.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[\w-]*)?\)", text)
    assert links
    for link in links:
        assert (DOCS.parent / link).exists(), link
        assert link.removeprefix("docs/") not in MADE, f"{link} is made with the site"


def test_files_are_made_once_and_again_when_the_package_has_changed(tmp_path, monkeypatch):
    made: list[str] = []

    def files() -> dict[str, Callable[[], str]]:
        return {"models.md": lambda: made.append("page") or "# Models", "figures/a.svg": lambda: "<svg/>"}

    monkeypatch.setattr(generated, "files", files)
    stale = tmp_path / "scenarios" / "gone.md"
    stale.parent.mkdir()
    stale.write_text("a scenario that is no more")
    generated.write(tmp_path)
    assert (tmp_path / "models.md").read_text() == "# Models"
    assert (tmp_path / "figures" / "a.svg").is_file()
    assert not stale.exists()
    date = (tmp_path / "models.md").stat().st_mtime_ns
    generated.write(tmp_path)
    assert made == ["page"]
    monkeypatch.setattr(generated, "_digest", lambda: "another package")
    generated.write(tmp_path)
    assert made == ["page", "page"]
    assert (tmp_path / "models.md").stat().st_mtime_ns == date
    (tmp_path / "figures" / "a.svg").unlink()
    generated.write(tmp_path)
    assert (tmp_path / "figures" / "a.svg").is_file()


def test_no_file_that_is_made_is_committed():
    listed = subprocess.run(["git", "ls-files", "docs"], cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert not {file.removeprefix("docs/") for file in listed.stdout.split()} & MADE


def test_the_api_page_names_every_public_name():
    import deterrence as dt

    listed = set(re.findall(r"^   ([\w.]+)$", (DOCS / "reference" / "api.md").read_text("utf-8"), re.MULTILINE))
    assert set(dt.__all__) - set(dt._PACKAGES) <= listed
    for entry in listed:
        found = dt
        for part in entry.split("."):
            found = getattr(found, part)

"""The pages and figures that the code knows best: made when the site is built, and again when the package has changed.

``python docs/generated.py`` makes them by hand. What each holds is in ``generate_models.py``,
``generate_scenarios.py``, ``generate_reference.py`` and ``generate_back_test.py``; none of it is committed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import generate_back_test
import generate_models
import generate_reference
import generate_scenarios

import deterrence

DOCS = Path(__file__).resolve().parent
PACKAGE = Path(deterrence.__file__).parent
STAMP = "_build/generated.sha256"


def files() -> dict[str, Callable[[], str]]:
    """Return how to make each file, by its path in the folder of the site; nothing is made before it is called."""
    return {
        **generate_models.files(),
        **generate_scenarios.files(),
        **generate_reference.files(),
        **generate_back_test.files(),
    }


def write(folder: Path = DOCS) -> None:
    """Write all files into a folder, unless they are there and were made from the package as it is now.

    A page that would stay as it is keeps its date, so that the site need not read it again; a file that is no longer
    made goes.
    """
    stamp = folder / STAMP
    sources = _digest()
    makers = files()
    if stamp.is_file() and stamp.read_text("ascii") == sources and all((folder / name).is_file() for name in makers):
        return
    for old in (file for inside in ("figures", "scenarios") for file in (folder / inside).rglob("*.*")):
        if old.relative_to(folder).as_posix() not in makers:
            old.unlink()
    for name, make in makers.items():
        file, text = folder / name, make()
        if not file.is_file() or file.read_text("utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(sources, "ascii")


def _digest() -> str:
    """Return a digest of all that the files are made from: the package and the generators."""
    digest = hashlib.sha256()
    for file in _sources():
        digest.update(file.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from sorted(file for file in PACKAGE.rglob("*") if file.suffix in (".py", ".toml", ".json"))
    yield from sorted(DOCS.glob("*.py"))


if __name__ == "__main__":
    write()

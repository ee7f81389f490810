"""Where in a TOML file a key stands: line numbers for error messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

Location = Sequence[str | int]


def line_of(text: str, location: Location) -> int | None:
    """Return the line (from 1) of the deepest part of a location that the file spells out, or None."""
    best: tuple[int, int] | None = None
    wanted = tuple(location)
    for line, path in _keys(text):
        shared = _shared(wanted, path)
        if shared == len(path) and (best is None or shared > best[0]):
            best = (shared, line)
    return None if best is None else best[1]


def _keys(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """Return (line, path) of every header and key, arrays of tables numbered; long strings are skipped."""
    found: list[tuple[int, tuple[str | int, ...]]] = []
    counts: dict[tuple[str | int, ...], int] = {}
    prefix: tuple[str | int, ...] = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        header = _HEADER.match(line)
        if header:
            prefix = _number(_parts(header[2]), counts, is_array=header[1] == "[[")
            found.append((number, prefix))
            continue
        key = _KEY.match(line)
        if key:
            found.append((number, (*prefix, *_parts(key[1]))))
            for mark in ('"""', "'''"):
                if line.count(mark) % 2:
                    quote = mark
    return found


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _number(
    parts: tuple[str, ...], counts: dict[tuple[str | int, ...], int], *, is_array: bool
) -> tuple[str | int, ...]:
    """Return a header's path with the indices of the arrays of tables that it passes through."""
    path: tuple[str | int, ...] = ()
    for i, part in enumerate(parts):
        path = (*path, part)
        last = i == len(parts) - 1
        if last and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _shared(a: Location, b: Location) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count

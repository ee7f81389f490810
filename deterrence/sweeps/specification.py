"""The whole specification of a sweep, its fingerprint, and what differs between two."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from deterrence import __version__
from deterrence.sweeps.designs import Design
from deterrence.sweeps.question import Question

FORMAT = 1  # of stores
_SHORT = 8  # axes of up to so many values are spelled out beside their hash
_MOST_DIFFERENCES = 8


def specification(question: Question, design: Design) -> dict[str, Any]:
    """Return all that decides the result of a sweep, JSON-able; the cut into blocks is not part of it."""
    return {
        "format": FORMAT,
        "deterrence": __version__,
        "question": question.spec(),
        "design": {
            **design.description(),
            "points": {
                name: _values(values.tolist(), values.tobytes()) for name, (_, values) in design.coordinates().items()
            },
        },
    }


def canonical(spec: Mapping[str, Any]) -> str:
    """Return a specification as JSON text, the same for the same content."""
    return json.dumps(spec, sort_keys=True, default=str)


def fingerprint(spec: Mapping[str, Any]) -> str:
    """Return a hash of a specification."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return in words where two specifications differ; empty if nowhere."""
    there, here = dict(_leaves(json.loads(canonical(old)))), dict(_leaves(json.loads(canonical(new))))
    changed = [key for key in dict.fromkeys((*there, *here)) if there.get(key) != here.get(key)]
    lines = [
        f"{key}: stored {_told(there.get(key))}, now {_told(here.get(key))}" for key in changed[:_MOST_DIFFERENCES]
    ]
    if len(changed) > len(lines):
        lines.append(f"and {len(changed) - len(lines)} more")
    return "; ".join(lines)


def versions() -> dict[str, str]:
    """Return the versions of what computed a result."""
    found = {"python": platform.python_version(), "deterrence": __version__}
    for name in ("numpy", "scipy", "sympy", "xarray", "zarr"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _values(values: list[float], raw: bytes) -> dict[str, Any]:
    told: dict[str, Any] = {"count": len(values), "low": min(values), "high": max(values)}
    if len(values) <= _SHORT:
        told["values"] = values
    return {**told, "sha256": hashlib.sha256(raw).hexdigest()}


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        for key, inner in tree.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, tree


def _told(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

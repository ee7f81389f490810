"""How the numbers of a model are compared with those expected: nested, with a tolerance, every difference named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import deterrence as dt
from deterrence.models.blocks import gather
from deterrence.models.parameter_table import flat, nest
from deterrence.models.variants import entries, pick

CHECKS = json.loads((Path(__file__).parent / "data" / "model_checks.json").read_text("utf-8"))


def checks_of(*prefixes: str) -> list[Any]:
    """Return the published check lines whose id, without its number, is one of the prefixes."""
    return [check for check in CHECKS if check["id"].rpartition("-")[0] in prefixes]


def differences(found: Any, expected: Any, tol: float, where: str = "") -> Iterator[str]:
    """Yield every place where what was found is not what was expected; further keys found are no difference.

    Truth values equal 0 and 1; lists must have one length; strings and None must be equal. An expected number is also
    met if it is what was found, rounded to eight significant digits, as the published numbers are.
    """
    if isinstance(expected, Mapping):
        if not isinstance(found, Mapping):
            yield f"{where or 'result'}: expected {sorted(expected)}, found {found!r}"
            return
        for key, value in expected.items():
            if key in found:
                yield from differences(found[key], value, tol, f"{where}.{key}".lstrip("."))
            else:
                yield f"{where}.{key}: missing, found {sorted(found)}".lstrip(".")
        for family in ("equilibria", "symmetric_equilibria"):
            if where.endswith(family) and set(found) != set(expected):
                yield f"{where}: expected the classes {sorted(expected)}, found {sorted(found)}"
    elif isinstance(expected, list | tuple):
        if not isinstance(found, list | tuple | np.ndarray) or len(found) != len(expected):
            yield f"{where}: expected {expected}, found {found!r}"
            return
        for i, (f, e) in enumerate(zip(found, expected, strict=True)):
            yield from differences(f, e, tol, f"{where}[{i}]")
    elif isinstance(expected, str) or expected is None:
        if found != expected:
            yield f"{where}: expected {expected!r}, found {found!r}"
    elif not isinstance(found, bool | int | float | np.number | np.bool_) or not _near(
        float(found), float(expected), tol
    ):
        yield f"{where}: expected {expected!r}, found {found!r}"


def _near(found: float, expected: float, tol: float) -> bool:
    if found == expected or abs(found - expected) <= max(tol, 1e-12):
        return True
    return bool(np.isfinite(found)) and float(f"{found:.8g}") == expected


def quantities(id: str, route: str = "closed_form", **params: Any) -> Any:
    """Return the quantities of a model; where numbers are given as lists, lists of them, asked for point by point."""
    model = dt.models.get(id)
    variant = pick(model.variants, model.parameters, params, id)
    numbers = {entry.name for entry in entries(variant, model.parameters) if isinstance(entry, dt.Parameter)}
    lists = {name: values for name, values in flat(params).items() if name in numbers and isinstance(values, list)}
    if not lists:
        return getattr(model, route)(**params)
    fixed = {name: value for name, value in flat(params).items() if name not in lists}
    rows = zip(*lists.values(), strict=True)
    return gather([getattr(model, route)(**nest({**fixed, **dict(zip(lists, row, strict=True))})) for row in rows])

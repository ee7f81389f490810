"""The name that ``deterrence.alliances.scenarios`` had before version 0.2; kept for one release."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

_HOME = {
    "Scenario": "scenario",
    "Assessment": "assessment",
    "assess": "assessment",
    "compare_scenarios": "comparison",
    "json_schema": "schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"deterrence.scenarios is now deterrence.alliances.scenarios; it has no {name!r}")
    home = f"deterrence.alliances.scenarios.{_HOME[name]}"
    warnings.warn(f"deterrence.scenarios.{name} is now {home}.{name}", DeprecationWarning, stacklevel=2)
    return getattr(importlib.import_module(home), name)

"""Figures: curves with their band of equilibria, phase maps, small multiples, tornado charts.

Each takes the result of ``deterrence.sweep``, or of what ``deterrence.sweeps`` makes of it, and returns matplotlib
axes. Every name here is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "curve": "curves",
    "phase_map": "maps",
    "heat_map": "maps",
    "small_multiples": "multiples",
    "tornado": "tornado_charts",
    "index_chart": "tornado_charts",
    "attack_curve": "scenario_curve",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"deterrence.plotting.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'deterrence.plotting' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

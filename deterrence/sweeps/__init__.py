"""Sweeps: designs, execution, storage, and what to learn from the result.

The sweep itself is ``deterrence.sweep``. Every name here is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "load": "sweep",
    "failures": "sweep",
    "Grid": "designs",
    "Sample": "designs",
    "latin_hypercube": "sampling",
    "sobol": "sampling",
    "halton": "sampling",
    "table": "designs",
    "one_at_a_time": "designs",
    "SweepError": "errors",
    "StoreError": "errors",
    "write_dataset": "files",
    "to_csv": "files",
    "to_netcdf": "files",
    "to_parquet": "files",
    "phase_boundaries": "phases",
    "PhaseMap": "phases",
    "tipping_points": "tipping",
    "saltelli": "sensitivity",
    "sobol_indices": "sensitivity",
    "indices_of": "sensitivity",
    "influence": "sensitivity",
    "discover": "discovery",
    "Box": "discovery",
    "compare": "comparison",
    "Study": "study",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"deterrence.sweeps.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'deterrence.sweeps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

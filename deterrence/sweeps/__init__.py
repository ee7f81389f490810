"""Sweeps: designs, execution, storage, and what to learn from the result.

The sweep itself is ``deterrence.sweep``. Every name here is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.games.lazy_names import lazy_names

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

if TYPE_CHECKING:
    from deterrence.sweeps.comparison import compare as compare
    from deterrence.sweeps.designs import Grid as Grid
    from deterrence.sweeps.designs import Sample as Sample
    from deterrence.sweeps.designs import one_at_a_time as one_at_a_time
    from deterrence.sweeps.designs import table as table
    from deterrence.sweeps.discovery import Box as Box
    from deterrence.sweeps.discovery import discover as discover
    from deterrence.sweeps.errors import StoreError as StoreError
    from deterrence.sweeps.errors import SweepError as SweepError
    from deterrence.sweeps.files import to_csv as to_csv
    from deterrence.sweeps.files import to_netcdf as to_netcdf
    from deterrence.sweeps.files import to_parquet as to_parquet
    from deterrence.sweeps.files import write_dataset as write_dataset
    from deterrence.sweeps.phases import PhaseMap as PhaseMap
    from deterrence.sweeps.phases import phase_boundaries as phase_boundaries
    from deterrence.sweeps.sampling import halton as halton
    from deterrence.sweeps.sampling import latin_hypercube as latin_hypercube
    from deterrence.sweeps.sampling import sobol as sobol
    from deterrence.sweeps.sensitivity import indices_of as indices_of
    from deterrence.sweeps.sensitivity import influence as influence
    from deterrence.sweeps.sensitivity import saltelli as saltelli
    from deterrence.sweeps.sensitivity import sobol_indices as sobol_indices
    from deterrence.sweeps.study import Study as Study
    from deterrence.sweeps.sweep import failures as failures
    from deterrence.sweeps.sweep import load as load
    from deterrence.sweeps.tipping import tipping_points as tipping_points


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)

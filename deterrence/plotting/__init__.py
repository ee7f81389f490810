"""Figures: curves with their band of equilibria, phase maps, small multiples, tornado charts.

Each takes the result of ``deterrence.sweep``, or of what ``deterrence.sweeps`` makes of it, and returns matplotlib
axes. Every name here is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.games.lazy_names import lazy_names

_HOME = {
    "curve": "curves",
    "phase_map": "maps",
    "heat_map": "maps",
    "small_multiples": "multiples",
    "tornado": "tornado_charts",
    "index_chart": "tornado_charts",
    "attack_curve": "scenario_curve",
    "uncertainty_plot": "uncertainty_charts",
    "decision_plot": "decision_charts",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from deterrence.plotting.curves import curve as curve
    from deterrence.plotting.decision_charts import decision_plot as decision_plot
    from deterrence.plotting.maps import heat_map as heat_map
    from deterrence.plotting.maps import phase_map as phase_map
    from deterrence.plotting.multiples import small_multiples as small_multiples
    from deterrence.plotting.scenario_curve import attack_curve as attack_curve
    from deterrence.plotting.tornado_charts import index_chart as index_chart
    from deterrence.plotting.tornado_charts import tornado as tornado
    from deterrence.plotting.uncertainty_charts import uncertainty_plot as uncertainty_plot


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)

"""Which equilibria of the costly alliance signal survive the intuitive criterion and D1 (Cho and Kreps 1987).

The game is that of ``alliance_signal``. A class survives if some belief after the unsent message that the refinement
allows supports its outcome; classes in which both messages are sent survive for want of one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.models.alliance_signal import PARAMETERS, class_of, draw, equilibria, signaling_game
from deterrence.models.model import Model

REFINEMENTS = {"intuitive": "intuitive", "D1": "d1"}


def refined_alliance_signaling() -> Model:
    """Return the model of verdicts."""
    return Model(
        "REF-ALSIG",
        signaling_game,
        PARAMETERS,
        ("attack", "war"),
        "Cho and Kreps 1987, on the game of Fearon 1997 and Morrow 1994",
        title="Refinement verdicts on the costly alliance signal",
        mechanism="silence is not credible as a pooling of both types where the resolute would gain from a signal",
        concept="pbe",
        confidence="B",
        requires=("v_I < w < v_R", "d <= d1", "k + h > 0"),
        closed_form=verdicts,
        read=read_verdicts,
        draw=draw,
        arrays=True,
        formulas={
            "silence fails the intuitive criterion iff": r"\rho < \mu_0^*,\ v_I < k < w",
            "silence fails D1 iff": r"\rho < \mu_0^*,\ k < w",
        },
    )


def verdicts(**params: float) -> dict[str, Any]:
    """Return which refinement each class survives."""
    found = equilibria(**params)
    doubted = params["rho"] < found["mu_star_0"]
    result = {name: {"intuitive": True, "D1": True} for name in found["equilibria"]}
    if doubted and "pool0" in result:
        result["pool0"] = {
            "intuitive": not params["v_I"] < params["k"] < params["w"],
            "D1": params["k"] >= params["w"],
        }
    return result


def read_verdicts(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdicts of the refinements on the components of each class."""
    result: dict[str, dict[str, bool]] = {}
    for e in solution:
        name = class_of(e.profile, params)
        if name is not None:
            mine = {label: e.survives(refinement) for label, refinement in REFINEMENTS.items()}
            known = result.get(name, dict.fromkeys(mine, False))
            result[name] = {label: known[label] or mine[label] for label in mine}
    return result

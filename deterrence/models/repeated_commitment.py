"""Honouring a commitment because default ends it: the infinitely repeated alliance under grim trigger.

Honouring costs c now; default ends an alliance worth V in every later period. The guarantor discounts with delta per
period. All payoffs are in its own units.
"""

from __future__ import annotations

from typing import Any

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

PARAMETERS = (
    Parameter("c", 3, 0, 1e6, "guarantor", "cost of honouring the commitment now"),
    Parameter("V", 1, 1e-9, 1e6, "guarantor per period", "worth of the alliance"),
    Parameter("delta", 0.8, 0, 1, "discount factor", "weight of the next period"),
)


def grim_trigger() -> Model:
    """Return the model."""
    return Model(
        "HONOR",
        repeated_alliance,
        PARAMETERS,
        ("honour",),
        "textbook: Friedman 1971",
        title="Repeated commitment under grim trigger",
        mechanism="patience sustains honouring",
        concept="cutpoints",
        confidence="A",
        requires=("delta < 1",),
        closed_form=patience,
        read=lambda solutions, _: dict(solutions[0]),
        draw=lambda rng: {
            "c": float(rng.uniform(0, 5)),
            "V": float(rng.uniform(0.1, 5)),
            "delta": float(rng.uniform(0, 0.99)),
        },
        formulas={"honour iff": r"\delta \ge \delta^* = c / (c + V)"},
    )


def repeated_alliance(c: float, V: float, delta: float) -> ContinuousGame:
    """Return the guarantor's choice today, given that default is never forgiven."""

    def honouring(d: Any) -> Any:  # average payoff per period, less that of default
        return -(1 - d) * c + d * V

    return ContinuousGame(("G",), {
        "delta_star": Indifferent(lambda d, _: honouring(d), 0, 1),
        "honour": Given(lambda _: int(honouring(delta) >= 0)),
    })  # fmt: skip


def patience(c: float, V: float, delta: float) -> dict[str, Any]:
    """Return the least patience at which the commitment is honoured, and whether it is."""
    delta_star = c / (c + V)
    return {"delta_star": delta_star, "honour": int(delta >= delta_star)}

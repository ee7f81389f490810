r"""A misspecified escalator (after Esponda and Pouzo 2016).

An attacker chooses how far to escalate, s >= 0. The stakes gained are g s; resistance costs it kappa theta(s) s^2 / 2,
where theta(s) = theta0 + theta1 s: the other side stiffens as one goes further. The attacker thinks that theta is a
constant, which it learns from what it sees: the theta that fits best what escalation to s shows is theta(s). In a
Berk-Nash equilibrium s is best under the constant that s itself brings to light. The attacker takes the stiffening that
it sees for the state of the world, not for its own doing, and escalates too far. All payoffs are the attacker's.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

PARAMETERS = (
    Parameter("g", 1, 1e-9, 1e6, "attacker", "gain of each unit of escalation"),
    Parameter("kappa", 2, 1e-9, 1e6, "attacker", "scale of the cost of escalation"),
    Parameter("theta0", 0.2, 0, 1e6, "resistance", "resistance at no escalation"),
    Parameter("theta1", 0.5, 0, 1e6, "resistance", "how fast resistance stiffens with escalation"),
)


def misspecified_escalator() -> Model:
    """Return the model."""
    return Model(
        "BERK",
        escalation_game,
        PARAMETERS,
        (),
        "Esponda and Pouzo 2016",
        title="Misspecified escalator",
        mechanism="who takes the resistance that escalation provokes for a given escalates too far",
        concept="cutpoints",
        confidence="C",
        requires=("theta0 + theta1 > 0",),
        closed_form=escalation,
        read=read_escalation,
        draw=draw,
        formulas={
            "Berk-Nash": r"\theta_1 s^2 + \theta_0 s = g / \kappa, \quad "
            r"s = \frac{-\theta_0 + \sqrt{\theta_0^2 + 4 \theta_1 g / \kappa}}{2 \theta_1}",
            "optimum": r"s = \frac{-\theta_0 + \sqrt{\theta_0^2 + 6 \theta_1 g / \kappa}}{3 \theta_1}",
        },
    )


def escalation_game(g: float, kappa: float, theta0: float, theta1: float) -> ContinuousGame:
    """Return the misled attacker's indifference between a little more and a little less, and the true optimum."""

    def resistance(s: Any) -> Any:
        return theta0 + theta1 * s

    def payoff(s: Any, theta: Any) -> Any:
        return g * s - kappa * theta * s**2 / 2

    far = _too_far(lambda s: payoff(s, resistance(s)))
    step = far / 64

    def more(s: Any, _: Any) -> Any:
        """Return the gain from a step up over a step down under the constant that fits what s shows."""
        theta = resistance(s)
        return payoff(s + step, theta) - payoff(s - step, theta)

    return ContinuousGame(("Attacker",), {
        "s_berk_nash": Indifferent(more, 0, far),
        "theta_believed": Given(lambda known: resistance(known["s_berk_nash"])),
        "s_optimal": Best(lambda s, _: payoff(s, resistance(s)), 0, far),
        "payoff_berk_nash": Given(lambda known: payoff(known["s_berk_nash"], known["theta_believed"])),
    })  # fmt: skip


def escalation(g: float, kappa: float, theta0: float, theta1: float) -> dict[str, Any]:
    """Return escalation and payoff of the misled attacker and of one that knows; forms that hold for theta1 = 0 too."""
    stakes = g / kappa
    misled = 2 * stakes / (theta0 + sqrt(theta0**2 + 4 * theta1 * stakes))
    best = 2 * stakes / (theta0 + sqrt(theta0**2 + 6 * theta1 * stakes))

    def payoff(s: float) -> float:
        return g * s - kappa * (theta0 + theta1 * s) * s**2 / 2

    return {
        "s_berk_nash": misled,
        "s_optimal": best,
        "payoff_berk_nash": payoff(misled),
        "payoff_optimal": payoff(best),
        "theta_believed": theta0 + theta1 * misled,
    }


def read_escalation(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution, which is one."""
    (found,) = solutions
    kept = {name: value for name, value in found.items() if ":" not in name}
    return {**kept, "payoff_optimal": found["s_optimal:payoff"]}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters, with and without stiffening."""
    return {
        "g": float(rng.uniform(0.1, 3)),
        "kappa": float(rng.uniform(0.2, 4)),
        "theta0": float(rng.choice([0.0, rng.uniform(0, 2)])) + 1e-3,
        "theta1": float(rng.uniform(0, 2)),
    }


def _too_far(payoff: Any) -> float:
    """Return a power of two at which escalation costs more than it gains."""
    s = 2.0**-40
    while payoff(s) > 0:
        s *= 2
    return s

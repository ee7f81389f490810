r"""Attacks below a blurred threshold: how far to go without being recognised or answered.

The attacker picks an intensity s in [0, 1] worth g s to it, and is punished by R if there is a response. With a red
line at tau blurred by sigma, a response comes with probability Phi((s - tau) / sigma), Phi the normal distribution
function. With noisy attribution, the attack is recognised with probability s^m, m > 1. Payoffs are the attacker's.

The payoff falls in s only where the chance of a response rises fast, so the attacker stops short of the line, or goes
all the way, or does nothing at all.

References
----------
.. [1] T. C. Schelling, *Arms and Influence*, 1966, ch. 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.perception.detection import exceedance_probability

GAIN = Parameter("g", 1, 1e-6, 1e6, "attacker", "gain per unit of intensity")
PUNISHMENT = Parameter("R", 3, 1e-6, 1e6, "attacker", "punishment")
LINE = (
    Parameter("tau", 0.5, -10, 10, "intensity", "where the red line is"),
    Parameter("sigma", 0.05, 1e-6, 1e3, "intensity", "how blurred it is"),
)
POWER = Parameter("m", 2, 1, 100, "", "how slowly recognition rises with intensity; > 1")
DEEP = 38.0  # standard deviations below the line at which the normal density vanishes in floating point


def blurred_threshold() -> Model:
    """Return the model with a red line."""
    return Model(
        "GRAY",
        red_line_game,
        (GAIN, PUNISHMENT, *LINE),
        ("response", "s_star"),
        "Schelling 1966; literature on gray zones (idea)",
        title="Attack below a blurred threshold",
        mechanism="a sharp line invites attacks just below it; some blur lowers them; too much frees them",
        concept="cutpoints",
        confidence="C",
        closed_form=below_the_line,
        read=read_intensity,
        draw=draw,
        formulas={
            "interior candidate": r"s = \tau - \sigma \sqrt{2 \ln (R / (g \sigma \sqrt{2 \pi}))}",
            "it exists iff": r"R > g \sigma \sqrt{2 \pi}",
        },
    )


def red_line_game(g: float, R: float, tau: float, sigma: float) -> ContinuousGame:
    """Return the attacker's best intensity, and where below the line its marginal payoff vanishes."""

    def responds(s: Any) -> Any:
        return exceedance_probability(s, tau, sigma)

    def marginal(s: Any, _: Mapping[str, Any]) -> Any:
        return g - R * np.exp(-(((s - tau) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))

    return ContinuousGame(("Attacker", "Defender"), {
        "interior": Indifferent(marginal, tau - DEEP * sigma, tau, otherwise="none"),
        "s_star": Best(lambda s, _: g * s - R * responds(s), 0, 1),
        "P_response": Given(lambda known: float(responds(known["s_star"]))),
    })  # fmt: skip


def below_the_line(g: float, R: float, tau: float, sigma: float) -> dict[str, Any]:
    """Return the best of the interior candidate, nothing and all; the candidate may lie outside [0, 1]."""

    def responds(s: float) -> float:
        return float(exceedance_probability(s, tau, sigma))

    excess = R / (g * sigma * math.sqrt(2 * math.pi))
    interior = tau - sigma * math.sqrt(2 * math.log(excess)) if excess > 1 else None
    candidates = [0.0, 1.0] if interior is None or not 0 < interior < 1 else [0.0, interior, 1.0]
    best = max(candidates, key=lambda s: g * s - R * responds(s))
    return {
        "interior": interior,
        "s_star": best,
        "payoff": g * best - R * responds(best),
        "P_response": responds(best),
    }


def read_intensity(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    own = {name: found[name] for name in ("interior", "s_star", "P_response")}
    return {**own, "payoff": found["s_star:payoff"]}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which it is best to stop short of the line, to go all the way, or to do nothing."""
    g, tau = (float(x) for x in rng.uniform((0.3, 0.0), (2, 1.0)))
    R = g * float(np.exp(rng.uniform(np.log(0.2), np.log(10))))
    return {"g": g, "R": R, "tau": tau, "sigma": float(np.exp(rng.uniform(np.log(0.005), np.log(1.5))))}


def power_law_attribution() -> Model:
    """Return the model with noisy attribution."""
    return Model(
        "GRAYP",
        attribution_game,
        (GAIN, Parameter("R", 2, 1e-6, 1e6, "attacker", "punishment"), POWER),
        ("attribution", "s_star"),
        "Schelling 1966; literature on gray zones (idea)",
        title="Power-law attribution",
        mechanism="small attacks pass unrecognised, so there is always some",
        concept="cutpoints",
        confidence="C",
        requires=("m > 1",),
        closed_form=recognition,
        read=read_recognised,
        draw=draw_power,
        formulas={"intensity": r"s^* = \min(1, (g / (m R))^{1/(m-1)})"},
    )


def attribution_game(g: float, R: float, m: float) -> ContinuousGame:
    """Return the attacker's best intensity."""
    return ContinuousGame(("Attacker", "Defender"), {
        "s_star": Best(lambda s, _: g * s - R * s**m, 0, 1),
        "P_attribution": Given(lambda known: known["s_star"] ** m),
    })  # fmt: skip


def recognition(g: float, R: float, m: float) -> dict[str, Any]:
    """Return the intensity, the chance of being recognised, and the payoff."""
    s = min(1.0, (g / (m * R)) ** (1 / (m - 1)))
    return {"s_star": s, "P_attribution": s**m, "payoff": g * s - R * s**m}


def read_recognised(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    return {"s_star": found["s_star"], "P_attribution": found["P_attribution"], "payoff": found["s_star:payoff"]}


def draw_power(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which intensity is partial or full."""
    g = float(rng.uniform(0.3, 2))
    return {"g": g, "R": g * float(rng.uniform(0.2, 4)), "m": float(rng.uniform(1.4, 6))}

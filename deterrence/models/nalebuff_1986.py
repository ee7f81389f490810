r"""A war of attrition in risk: both stay in a crisis that may end in disaster, until one of them quits.

Disaster arrives at rate 1 as long as both stay. Whoever stays longer gets its prize v, which only it knows; the other
gets 0; a disaster costs both D. Prizes are independent draws from F: uniform on [0, 1], or exponential. Prizes and D
share one unit; time is measured in the mean waiting time of disaster. Symmetric equilibrium: type v quits at T(v).

At T(v) the gain of waiting a moment longer, the rival's rate of quitting :math:`f/((1-F) T')` times v, just pays for
the risk, 1 times D; hence :math:`T'(v) = v f(v) / ((1 - F(v)) D)`. How fast the risk grows does not matter: only the
risk run up to quitting does. The solver integrates this numerically, over the quantiles of F.

References
----------
.. [1] B. Nalebuff, "Brinkmanship and Nuclear Deterrence", Conflict Manag. Peace Sci. 9 (1986), 19-30.
.. [2] R. Powell, *Nuclear Deterrence Theory*, 1990.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Mean, Uniform
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice
from deterrence.models.waiting_times import Exponential
from deterrence.solvers.algebra.thresholds import expectation

PARAMETERS = (
    Choice("F", "U[0,1]", ("U[0,1]", "exponential"), "distribution of prizes"),
    Parameter("rate", 1, 1e-3, 1e3, "1/prize", "rate of exponential prizes"),
    Parameter("D", 1, 1e-2, 1e3, "prize", "loss from a disaster"),
    Parameter("v", 0.5, 0, 1e3, "prize", "a type, below 1 if prizes are uniform"),
)


def risk_attrition() -> Model:
    """Return the model."""
    return Model(
        "NALE",
        attrition,
        PARAMETERS,
        ("disaster",),
        "Nalebuff 1986; Powell 1990",
        title="War of attrition in risk",
        mechanism="resolve shows in the risk one runs; disaster is likely in spite of mutual fear of it",
        concept="cutpoints",
        confidence="B",
        closed_form=quit_times,
        read=read_attrition,
        draw=draw,
        formulas={
            "quitting time": r"T(v) = \frac{1}{D} \int_0^v \frac{s f(s)}{1 - F(s)} ds",
            "uniform": r"T(v) = (-v - \ln(1 - v)) / D, \quad P_{disaster} = 11 - 4 e \text{ at } D = 1",
            "exponential": r"T(v) = \lambda v^2 / (2 D)",
            "disaster": r"P_{disaster} = 1 - E \exp(-T(\min(v_1, v_2)))",
        },
        differs="two symmetric players, disaster at rate 1, loss of the quitter normalised to 0",
    )


def prizes(F: str, rate: float, v: float) -> Any:
    """Return the distribution of prizes.

    Raises
    ------
    ParameterError
        If the type v is beyond the highest prize: no such type ever quits.
    """
    if F == "U[0,1]" and v >= 1:
        raise ParameterError(f"NALE requires v < 1 where prizes are uniform on [0, 1], got v = {v:g}")
    return Uniform(0, 1) if F == "U[0,1]" else Exponential(rate)


def attrition(F: str, rate: float, D: float, v: float) -> ContinuousGame:
    """Return the quitting times, and the chance that disaster comes before the lower of two types quits."""
    types = prizes(F, rate, v)

    def slope(s: Any) -> Any:  # of T, per share of types: the prize times the rival's rate of quitting, over the risk
        return s / ((1 - types.cdf(s)) * D)

    @cache
    def quits(s: float) -> float:
        return expectation(slope, types, low=0.0, high=s)

    def calm(s: Any, _: Mapping[str, Any]) -> Any:  # the lower of two types has the density 2 (1 - F) f
        rest = float(1 - types.cdf(s))
        return 2 * rest * math.exp(-quits(float(s))) if rest > 0 else 0.0

    def at(s: float) -> Mean:
        return Mean(lambda x, _: slope(x), types, low=lambda _: 0.0, high=lambda _: s)

    return ContinuousGame(("A", "B"), {
        "quit_time_v_half": at(0.5),
        "quit_time": at(v),
        "calm": Mean(calm, types),
        "P_disaster": Given(lambda known: 1 - known["calm"]),
    })  # fmt: skip


def quit_times(F: str, rate: float, D: float, v: float) -> dict[str, Any]:
    """Return the quitting times and the probability of disaster."""
    from scipy.special import erfcx, gammainc, gammaln

    if isinstance(prizes(F, rate, v), Uniform):
        a = 1 / D

        def quits(s: float) -> float:
            return (-s - math.log1p(-s)) / D

        # 2 int (1 - m)^(1 + a) e^(a m) dm is an incomplete gamma function
        log_calm = math.log(2) + a - (2 + a) * math.log(a) + float(gammaln(2 + a))
        calm = math.exp(log_calm) * float(gammainc(2 + a, a))
    else:

        def quits(s: float) -> float:
            return rate * s**2 / (2 * D)

        calm = math.sqrt(2 * math.pi * rate * D) * float(erfcx(math.sqrt(2 * rate * D)))
    return {"quit_time_v_half": quits(0.5), "quit_time": quits(v), "P_disaster": 1 - calm}


def read_attrition(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {name: solutions[0][name] for name in ("quit_time_v_half", "quit_time", "P_disaster")}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters, both distributions among them."""
    F = str(rng.choice(["U[0,1]", "exponential"]))
    rate, D, v = (float(x) for x in rng.uniform((0.3, 0.2, 0.02), (3, 4, 0.98)))
    return {"F": F, "rate": rate, "D": D, "v": v}

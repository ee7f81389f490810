r"""Domestic audience costs: an international crisis as a war of attrition in public (Fearon 1994).

Two states A and B dispute a prize worth v to either. In continuous time each may back down, attack or wait. Backing
down first at time t costs state i its audience cost a_i t and gives the other the prize. War gives i its private
payoff w_i, uniform on [-W_i, 0] and independent. Payoffs share one unit; time is in the unit in which audience costs
grow.

In equilibrium a state's types back down gradually, at a rate that keeps the other indifferent between backing down
now and a moment later, until a horizon at which only those are left that prefer war to backing down; they attack.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, sqrt
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Known, Mean, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

PARAMETERS = (
    Parameter("v", 1, 1e-6, 1e3, "payoff", "value of the prize"),
    Parameter("a_A", 1, 1e-6, 1e3, "payoff per unit of time", "rate at which A's audience costs grow"),
    Parameter("a_B", 1, 1e-6, 1e3, "payoff per unit of time", "rate at which B's audience costs grow"),
    Parameter("W_A", 1, 1e-6, 1e3, "payoff", "A's largest loss from war"),
    Parameter("W_B", 1, 1e-6, 1e3, "payoff", "B's largest loss from war"),
)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)  # of Gauss and Legendre, on [-1, 1]


def audience_costs() -> Model:
    """Return the model."""
    return Model(
        "WOA",
        war_of_attrition,
        PARAMETERS,
        {"war": "war", "A_backs_down": "A backs down", "B_backs_down": "B backs down"},
        "Fearon 1994, with uniform types",
        title="Audience-cost war of attrition",
        mechanism="the state with the larger audience costs is less likely to back down",
        concept="cutpoints",
        confidence="B",
        closed_form=attrition,
        read=read_attrition,
        draw=draw,
        formulas={
            "rate of backing down": r"\lambda_j(t) = a_i / (v + a_i t)",
            "horizon": r"t^* = \min(k_A, k_B), \quad a_j k_j / W_j = v / (v + a_i k_j)",
            "likelihood of war": r"P_{war} = \frac{a_A t^*}{W_A} \frac{a_B t^*}{W_B}",
        },
        differs="types are uniform",
    )


def war_of_attrition(v: float, a_A: float, a_B: float, W_A: float, W_B: float) -> ContinuousGame:
    """Return the conditions of equilibrium, for any distribution of war payoffs."""
    rate = {"A": a_A, "B": a_B}
    types = {"A": Uniform(-W_A, 0), "B": Uniform(-W_B, 0)}
    other = {"A": "B", "B": "A"}

    def hazard(j: str, t: Any) -> Any:
        """Rate at which j backs down: what i loses by waiting, over what it wins if j gives in."""
        i = other[j]
        return rate[i] / (v + rate[i] * t)

    def stays(j: str, t: Any) -> Any:
        """Share of j that has not backed down by t, of those that did not at once: exp(-integral of the hazard)."""
        t = np.asarray(t, dtype=np.float64)[..., None]
        return np.exp(-(hazard(j, t * (NODES + 1) / 2) * WEIGHTS).sum(axis=-1) * t[..., 0] / 2)

    def never(j: str, t: Any) -> Any:
        """Share of j that prefers war to backing down at t."""
        return 1 - types[j].cdf(-rate[j] * np.asarray(t))

    def leaves(i: str, known: Known) -> Any:
        j = other[i]
        both = (1 - known[f"immediate_concession_{i}"]) * (1 - known[f"immediate_concession_{j}"])
        return lambda t: both * stays(i, t) * hazard(i, t) * stays(j, t)

    def settles(j: str) -> Indifferent:
        return Indifferent(lambda t, _: never(j, t) - stays(j, t), 0, float(-types[j].support()[0]) / rate[j])

    def concedes(j: str) -> Given:  # whoever would have to run longest makes up for it by conceding at once
        return Given(lambda known: max(0.0, 1 - known[f"S_{j}"] / float(stays(j, known["horizon"]))))

    def gives_in(i: str) -> Mean:
        return Mean(lambda t, known: leaves(i, known)(t), lambda known: Uniform(0, known["horizon"]))

    def fights(j: str) -> Given:
        return Given(lambda known: float(never(j, known["horizon"])))

    return ContinuousGame(("A", "B"), {
        **{f"k_{j}": settles(j) for j in "AB"},
        "horizon": Given(lambda known: min(known["k_A"], known["k_B"])),
        **{f"S_{j}": fights(j) for j in "AB"},
        **{f"immediate_concession_{j}": concedes(j) for j in "AB"},
        **{f"gradual_{i}": gives_in(i) for i in "AB"},
    })  # fmt: skip


def attrition(v: float, a_A: float, a_B: float, W_A: float, W_B: float) -> dict[str, Any]:
    """Return times, shares and likelihoods."""
    k_A = _settling_time(v, a_B, a_A, W_A)
    k_B = _settling_time(v, a_A, a_B, W_B)
    t = min(k_A, k_B)
    S_A, S_B = a_A * t / W_A, a_B * t / W_B
    at_once_A = 0.0 if k_A <= k_B else 1 - S_A * (v + a_B * t) / v
    at_once_B = 0.0 if k_B <= k_A else 1 - S_B * (v + a_A * t) / v
    both = (1 - at_once_A) * (1 - at_once_B)
    return {
        "k_A": k_A, "k_B": k_B, "horizon": t, "S_A": S_A, "S_B": S_B,
        "immediate_concession_A": at_once_A, "immediate_concession_B": at_once_B,
        "P_A_backs_down": at_once_A + both * _first_to_leave(v, a_A, a_B, t),
        "P_B_backs_down": at_once_B + both * _first_to_leave(v, a_B, a_A, t),
        "P_war": S_A * S_B,
    }  # fmt: skip


def read_attrition(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    result = {name: value for name, value in found.items() if not name.startswith("gradual")}
    for i in "AB":
        result[f"P_{i}_backs_down"] = found[f"immediate_concession_{i}"] + found["horizon"] * found[f"gradual_{i}"]
    return {**result, "P_war": found["S_A"] * found["S_B"]}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    return {name: float(rng.uniform(0.2, 3)) for name in ("v", "a_A", "a_B", "W_A", "W_B")}


def _settling_time(v: float, a_i: float, a_j: float, W_j: float) -> float:
    """Return k_j, when the types of j that are left prefer war, if none concedes at once."""
    return (-a_j * v + sqrt((a_j * v) ** 2 + 4 * a_i * a_j * W_j * v)) / (2 * a_i * a_j)


def _first_to_leave(v: float, a_i: float, a_j: float, t: float) -> float:
    r"""Return :math:`\int_0^t \frac{v}{v + a_i s} \frac{v a_j}{(v + a_j s)^2} ds`: that i gives in first."""
    if abs(a_i - a_j) > 1e-3 * max(a_i, a_j):
        gap = a_i - a_j
        ratio = log((v + a_i * t) / v) - log((v + a_j * t) / v)
        return v * a_j * a_i / gap**2 * ratio / v - v * a_j / gap * (1 / v - 1 / (v + a_j * t))
    s = t * (NODES + 1) / 2  # partial fractions lose digits where the rates are close
    return float((v**2 * a_j / ((v + a_i * s) * (v + a_j * s) ** 2) * WEIGHTS).sum() * t / 2)

r"""The risk-return trade-off: how much to demand of an opponent whose cost of war is private.

A demands a share x of a prize of 1. D, who alone knows its cost of war c, accepts and keeps 1 - x, or fights: A then
gets p - c_A and D gets 1 - p - c. Payoffs are in units of the prize. In the plain version c is uniform on [lo, hi];
with two types it is c_low with probability pi (the resolved type) and c_high otherwise. In the shadow of an ally, the
ally joins with true probability q, which lowers A's chance of winning by Delta; A believes q_hat, D knows q.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

SOURCE = "Fearon 1995; Powell 1999"

WINS = Parameter("p", 0.5, 0, 1, "probability", "chance that A wins a war")
OWN_COST = Parameter("c_A", 0.1, 0, 100, "prize", "A's cost of war")
TYPES = (
    Parameter("lo", 0, 0, 1, "prize", "lowest cost of war of D"),
    Parameter("hi", 0.4, 0, 1, "prize", "highest cost of war of D"),
)
TWO_TYPES = (
    Parameter("c_low", 0.1, 0, 1, "prize", "cost of war of the resolved type of D"),
    Parameter("c_high", 0.3, 0, 1, "prize", "cost of war of the other type of D"),
    Parameter("pi", 0.4, 0, 1, "probability", "chance that D is resolved"),
)
ALLY = (
    Parameter("Delta", 0.3, 0, 1, "probability", "how much the ally lowers A's chance of winning"),
    Parameter("q", 0.8, 0, 1, "probability", "true chance that the ally joins"),
    Parameter("q_hat", 0.8, 0, 1, "probability", "chance that A believes"),
)


def risk_return_tradeoff() -> Model:
    """Return the model with uniform types."""
    return Model(
        "RRT",
        demand_game,
        (WINS, OWN_COST, *TYPES),
        ("war",),
        SOURCE,
        title="Risk-return trade-off, uniform types",
        mechanism="private costs make it worth risking war for a better bargain",
        concept="cutpoints",
        confidence="A",
        requires=("lo < hi", "p + hi <= 1"),
        closed_form=best_demand,
        read=read_demand,
        draw=draw,
        formulas={
            "demand": r"x^* = p + d, \quad d = \max(lo, (hi - c_A) / 2)",
            "likelihood of war": r"P_{war} = (d - lo) / (hi - lo)",
        },
    )


def demand_game(p: float, c_A: float, lo: float, hi: float) -> ContinuousGame:
    """Return A's choice among the demands that some but not all types accept, and the types that fight.

    Anything below that range is accepted by all and asks for less; anything above is accepted by none.
    """
    types = Uniform(lo, hi)

    def payoff(x: Any, _: Mapping[str, Any]) -> Any:
        fights = types.cdf(x - p)
        return (1 - fights) * x + fights * (p - c_A)

    return ContinuousGame(("A", "D"), {
        "demand": Best(payoff, p + lo, p + hi),
        "P_war": Acts(lambda c, known: (1 - p - c) - (1 - known["demand"]), types),
    })  # fmt: skip


def best_demand(p: float, c_A: float, lo: float, hi: float) -> dict[str, Any]:
    """Return the demand, the likelihood of war and A's payoff."""
    d = max(lo, (hi - c_A) / 2)
    war = (d - lo) / (hi - lo)
    return {"demand": p + d, "P_war": war, "EU_challenger": (p + d) * (1 - war) + (p - c_A) * war}


def read_demand(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    return {"demand": found["demand"], "P_war": found["P_war"], "EU_challenger": found["demand:payoff"]}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which the demand is safe or risky."""
    p = float(rng.uniform(0.1, 0.8))
    hi = (1 - p) * float(rng.uniform(0.1, 0.99))
    return {"p": p, "c_A": hi * float(rng.uniform(0, 1.2)), "lo": hi * float(rng.uniform(0, 0.9)), "hi": hi}


def two_type_tradeoff() -> Model:
    """Return the model with two types."""
    return Model(
        "RRT2",
        two_demands,
        (WINS, OWN_COST, *TWO_TYPES),
        ("war",),
        SOURCE,
        title="Risk-return trade-off, two types",
        mechanism="A risks war with a resolved opponent that is unlikely enough",
        concept="cutpoints",
        confidence="A",
        requires=("c_low < c_high", "p + c_high <= 1"),
        closed_form=safe_or_risky,
        read=read_two_demands,
        draw=draw_two_types,
        formulas={
            "risky demand iff": r"\pi < \pi^* = (c_{high} - c_{low}) / (c_{high} + c_A)",
            "demand": r"p + c_{high} \text{ (risky)}, \quad p + c_{low} \text{ (safe)}",
        },
    )


def two_demands(p: float, c_A: float, c_low: float, c_high: float, pi: float) -> ContinuousGame:
    """Return the most that each type accepts, and A's choice between the two demands.

    The risky demand is accepted by the type of high cost alone, the safe one by both.
    """

    def accepts(c: float) -> Indifferent:
        return Indifferent(lambda x, _: (1 - x) - (1 - p - c), 0, 1)

    def gain(share: Any, known: Mapping[str, Any]) -> Any:  # of the risky demand over the safe one
        return (1 - share) * known["risky"] + share * (p - c_A) - known["safe"]

    return ContinuousGame(("A", "D"), {
        "safe": accepts(c_low),
        "risky": accepts(c_high),
        "pi_star": Indifferent(gain, 0, 1),
        "takes_risk": Given(lambda known: bool(gain(pi, known) > 0)),
        "demand": Given(lambda known: known["risky" if known["takes_risk"] else "safe"]),
        "P_war": Given(lambda known: pi if known["takes_risk"] else 0.0),
        "EU_challenger": Given(lambda known: known["safe"] + max(0.0, float(gain(pi, known)))),
    })  # fmt: skip


def safe_or_risky(p: float, c_A: float, c_low: float, c_high: float, pi: float) -> dict[str, Any]:
    """Return the threshold of the share of resolved types, the demand and the likelihood of war."""
    pi_star = (c_high - c_low) / (c_high + c_A)
    risky = pi < pi_star
    value = (1 - pi) * (p + c_high) + pi * (p - c_A) if risky else p + c_low
    return {
        "pi_star": pi_star,
        "demand": p + (c_high if risky else c_low),
        "P_war": pi if risky else 0.0,
        "EU_challenger": value,
    }


def read_two_demands(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    return {name: found[name] for name in ("pi_star", "demand", "P_war", "EU_challenger")}


def draw_two_types(rng: np.random.Generator) -> dict[str, float]:
    """Return random admissible parameters."""
    p = float(rng.uniform(0.1, 0.8))
    c_high = (1 - p) * float(rng.uniform(0.1, 0.99))
    own = {"c_low": c_high * float(rng.uniform(0, 0.95)), "c_high": c_high, "pi": float(rng.uniform(0, 1))}
    return {"p": p, "c_A": float(rng.uniform(0, 0.5)), **own}


def shadow_of_an_ally() -> Model:
    """Return the model in which A may misperceive how reliable D's ally is."""
    return Model(
        "RRT3",
        shadow_game,
        (WINS, *ALLY, OWN_COST, *TYPES),
        ("war",),
        "the project's own; bargaining as in Fearon 1995",
        title="Bargaining in the shadow of an ally, with misperceived reliability",
        mechanism="underestimated reliability brings war, overestimated reliability buys peace",
        concept="cutpoints",
        confidence="C",
        requires=("lo < hi", "p - q * Delta >= 0", "p - q_hat * Delta >= 0", "p - q_hat * Delta + hi <= 1"),
        closed_form=misperceived_ally,
        read=read_shadow,
        draw=draw_shadow,
        formulas={
            "demand": r"x = p - \hat q \Delta + d, \quad d = \max(lo, (hi - c_A) / 2)",
            "likelihood of war": r"P_{war} = [d + (q - \hat q) \Delta - lo] / (hi - lo), \text{ clipped to } [0, 1]",
        },
    )


def shadow_game(p: float, Delta: float, q: float, q_hat: float, c_A: float, lo: float, hi: float) -> ContinuousGame:
    """Return the demand of an attacker that believes q_hat, and the types that fight, who know q."""
    believed = demand_game(p - q_hat * Delta, c_A, lo, hi)
    wins = p - q * Delta
    return ContinuousGame(("A", "D"), {
        "demand": believed.unknowns["demand"],
        "P_war": Acts(lambda c, known: (1 - wins - c) - (1 - known["demand"]), Uniform(lo, hi)),
    })  # fmt: skip


def misperceived_ally(
    p: float, Delta: float, q: float, q_hat: float, c_A: float, lo: float, hi: float
) -> dict[str, Any]:
    """Return the demand and the likelihood of war."""
    d = max(lo, (hi - c_A) / 2)
    war = (d + (q - q_hat) * Delta - lo) / (hi - lo)
    return {"demand": p - q_hat * Delta + d, "P_war": min(1.0, max(0.0, war))}


def read_shadow(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {name: solutions[0][name] for name in ("demand", "P_war")}


def draw_shadow(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with beliefs too high and too low, and wars that are certain, possible or ruled out."""
    p = float(rng.uniform(0.2, 0.9))
    q, q_hat = (float(rng.uniform(0, 1)) for _ in range(2))
    Delta = p * float(rng.uniform(0.05, 1))
    hi = (1 - p + q_hat * Delta) * float(rng.uniform(0.1, 0.99))
    lo, c_A = hi * float(rng.uniform(0, 0.9)), hi * float(rng.uniform(0, 1.2))
    return {"p": p, "Delta": Delta, "q": q, "q_hat": q_hat, "c_A": c_A, "lo": lo, "hi": hi}

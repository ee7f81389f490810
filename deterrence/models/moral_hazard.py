r"""Aid, emboldenment and deterrence: an ally that bears a part of its protege's cost of war.

A holds (the status quo is worth s to it) or starts a crisis at cost kappa. In a crisis A demands a share x of a prize
of 1; the protege, who alone knows its cost of war c, uniform on [0, C], accepts 1 - x or fights. In a war A gets
p - c_A and the protege 1 - p - (c - t): its ally reimburses t. All payoffs are in units of the prize.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

GOLDEN = (sqrt(5) - 1) / 2

PARAMETERS = (
    Parameter("t", 0.15, 0, 10, "prize", "part of the protege's cost of war that its ally bears"),
    Parameter("p", 0.6, 0, 1, "probability", "chance that A wins a war"),
    Parameter("c_A", 0.1, 0, 10, "prize", "A's cost of war"),
    Parameter("C", 0.5, 1e-6, 10, "prize", "highest cost of war of the protege"),
    Parameter("s", 0.55, -10, 10, "prize", "A's payoff of the status quo"),
    Parameter("kappa", 0.03, 0, 10, "prize", "A's cost of starting a crisis"),
)


def aid_and_emboldenment() -> Model:
    """Return the model."""
    return Model(
        "MHAZ",
        crisis,
        PARAMETERS,
        ("challenge", "war"),
        "the project's own; idea: Benson, Meirowitz and Ramsay 2014; Snyder 1984 (entrapment)",
        title="Aid, emboldenment and deterrence",
        mechanism="aid makes war likelier until it makes crises not worth starting",
        concept="cutpoints",
        confidence="C",
        closed_form=emboldenment,
        read=read_crisis,
        draw=draw,
        formulas={
            "demand": r"x = p + d, \quad d = (C - t - c_A) / 2 \text{, within } [-t, C - t]",
            "war in a crisis": r"P(war | crisis) = (d + t) / C",
            "A starts a crisis iff": r"t < \bar t = C + c_A - 2 \sqrt{C (c_A + \kappa + s - p)}",
        },
    )


def crisis(t: float, p: float, c_A: float, C: float, s: float, kappa: float) -> ContinuousGame:
    """Return A's demand, the types that fight, and whether A starts the crisis, at this and at any aid."""
    types = Uniform(0, C)

    def starting(x: Any, aid: Any) -> Any:  # a protege of cost c fights iff 1 - p - (c - aid) > 1 - x
        fights = types.cdf(x - p + aid)
        return (1 - fights) * x + fights * (p - c_A) - kappa

    def gain(aid: Any, _: Mapping[str, Any]) -> Any:
        return _largest(lambda x: starting(x, aid), p - aid, p + C - aid) - s

    return ContinuousGame(("A", "P"), {
        "demand": Best(lambda x, _: starting(x, t), p - t, p + C - t),
        "EU_crisis": Given(lambda known: known["demand:payoff"]),
        "challenge": Given(lambda known: int(known["EU_crisis"] > s)),
        "P_war_given_crisis": Acts(lambda c, known: (1 - p - (c - t)) - (1 - known["demand"]), types),
        "P_war": Given(lambda known: known["challenge"] * known["P_war_given_crisis"]),
        # a crisis is worth at least p - aid - kappa, and no less with more aid: here the whole range where it can cross
        "t_bar": Indifferent(gain, min(p - kappa - s, c_A - C) - 1, C + c_A, otherwise="none"),
    })  # fmt: skip


def emboldenment(t: float, p: float, c_A: float, C: float, s: float, kappa: float) -> dict[str, Any]:
    """Return what a crisis is worth, whether A starts one, the likelihood of war, and the aid that deters.

    ``t_bar`` is None if no aid deters, and negative if A starts no crisis even without aid.
    """
    d = min(C - t, max(-t, (C - t - c_A) / 2))
    war = (d + t) / C
    worth = (p + d) * (1 - war) + (p - c_A) * war - kappa
    starts = int(worth > s)
    return {
        "EU_crisis": worth,
        "challenge": starts,
        "P_war_given_crisis": war,
        "P_war": starts * war,
        "t_bar": deterring_aid(p, c_A, C, s, kappa),
    }


def deterring_aid(p: float, c_A: float, C: float, s: float, kappa: float) -> float | None:
    """Return the aid from which on A starts no crisis; where A's demand is safe, the crisis is worth p - t - kappa."""
    loss = c_A + kappa + s - p
    if loss < 0:
        return None
    aid = C + c_A - 2 * sqrt(C * loss)
    return aid if C + aid >= c_A else p - kappa - s


def read_crisis(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    names = ("EU_crisis", "challenge", "P_war_given_crisis", "P_war", "t_bar")
    return {name: solutions[0][name] for name in names}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which A does or does not start a crisis."""
    p, C, c_A = (float(rng.uniform(*ends)) for ends in ((0.2, 0.8), (0.1, 1), (0, 0.6)))
    kappa, t = float(rng.uniform(0, 0.1)), float(rng.uniform(0, 1.2 * C))
    return {"t": t, "p": p, "c_A": c_A, "C": C, "s": p + float(rng.uniform(-0.6, 0.2)), "kappa": kappa}


def _largest(payoff: Any, low: Any, high: Any) -> Any:
    """Return the largest value of a payoff with one peak between ends, elementwise, by golden section."""
    ends, (low, high) = (payoff(low), payoff(high)), np.broadcast_arrays(low, high)
    for _ in range(60):
        left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        better = payoff(left) < payoff(right)
        low, high = np.where(better, left, low), np.where(better, high, right)
    return np.maximum(payoff((low + high) / 2), np.maximum(*ends))

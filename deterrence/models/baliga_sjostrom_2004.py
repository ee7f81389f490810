r"""The fear multiplier: two states that would rather not arm do so because each might fear that the other does.

Both choose at once whether to arm. Arming costs c, which only the state itself knows, uniform on [0, c_bar]. A state
that arms alone gains mu; one that alone does not arm loses d > mu; payoffs are (arm, arm) -c, (arm, not) mu - c,
(not, arm) -d, (not, not) 0, in one unit. States with costs below a cutoff arm.

The *multiplier condition* says that, for every cost c, the fear of those with lower costs, F(c) d, is worth the cost:
then all arm, however small mu is.

References
----------
.. [1] S. Baliga and T. Sjostrom, "Arms Races and Negotiations", Rev. Econ. Stud. 71 (2004), 351-369.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

PARAMETERS = (
    Parameter("mu", 0.05, 0, 1e3, "state", "gain of arming alone"),
    Parameter("d", 0.8, 0, 1e3, "state", "loss of alone not arming"),
    Parameter("c_bar", 1, 1e-6, 1e3, "state", "highest cost of arming"),
)
ROUNDING = 1e-12  # relative to the highest cost


def fear_multiplier() -> Model:
    """Return the model."""
    return Model(
        "BS04",
        arms_race,
        PARAMETERS,
        ("arm",),
        "Baliga and Sjostrom 2004",
        title="Fear multiplier in armament",
        mechanism="a small chance of a hostile state makes peaceful ones arm, which makes others arm",
        concept="cutpoints",
        confidence="A",
        requires=("0 < mu < d",),
        closed_form=cutoff,
        read=read_cutoff,
        draw=draw,
        formulas={
            "cutoff": r"c^* = \mu + F(c^*) (d - \mu) = \mu \bar c / (\bar c - d + \mu) \quad (d < \bar c)",
            "multiplier condition": r"F(c) d \ge c \text{ for all } c: \text{ all arm}",
        },
        differs="uniform costs (confidence B for that); no cheap talk",
    )


def arming(c: Any, armed: Any, mu: float, d: float) -> Any:
    """Return a state's gain of arming at a cost if the other arms with probability ``armed``."""
    return (armed * -c + (1 - armed) * (mu - c)) - armed * -d


def arms_race(mu: float, d: float, c_bar: float) -> ContinuousGame:
    """Return the cost at which a state is indifferent if the other has the same cutoff, and the multiplier condition.

    If the gain is positive throughout, all arm and the cutoff is the highest cost.
    """
    costs = Uniform(0, c_bar)
    return ContinuousGame(("A", "B"), {
        "cutoff": Indifferent(lambda c, _: arming(c, costs.cdf(c), mu, d), 0, c_bar, otherwise="corner"),
        "P_arm": Given(lambda known: float(costs.cdf(known["cutoff"]))),
        "calmest": Best(lambda c, _: c - costs.cdf(c) * d, 0, c_bar),
    })  # fmt: skip


def cutoff(mu: float, d: float, c_bar: float) -> dict[str, Any]:
    """Return the cutoff, the probability of arming, and whether the multiplier condition holds."""
    multiplied = d >= c_bar
    highest = c_bar if multiplied else mu * c_bar / (c_bar - d + mu)
    return {"cutoff": highest, "P_arm": highest / c_bar, "multiplier_condition": int(multiplied)}


def read_cutoff(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; the condition holds if no cost exceeds the fear of those below it."""
    (found,) = solutions
    holds = found["calmest:payoff"] <= ROUNDING * params["c_bar"]
    return {"cutoff": found["cutoff"], "P_arm": found["P_arm"], "multiplier_condition": int(holds)}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with and without the multiplier condition."""
    c_bar = float(rng.uniform(0.3, 3))
    d = c_bar * float(rng.uniform(0.2, 1.6))
    return {"mu": d * float(rng.uniform(0.01, 0.9)), "d": d, "c_bar": c_bar}

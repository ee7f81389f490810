"""Two guarantees of one state, by an alliance and by a bilateral pledge, whose fates may be tied together.

The attacker holds (S) or attacks. After an attack each guarantee is honoured or not, with marginal probabilities
q_alliance and q_bilateral and correlation corr. The attacker's payoffs, in its own units: W if neither is honoured,
L_alliance, L_bilateral or L_both otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.errors import ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import chance, end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import worth

PARAMETERS = (
    Parameter("q_alliance", 0.5, 0, 1, "probability", "chance that the alliance honours its guarantee"),
    Parameter("q_bilateral", 0.4, 0, 1, "probability", "chance that the bilateral pledge is honoured"),
    Parameter("corr", 0, -1, 1, "correlation", "of the two events"),
    Parameter("W", 1, -10, 10, "attacker", "attacker's payoff if nobody comes"),
    Parameter("L_alliance", -1, -10, 10, "attacker", "attacker's payoff if the alliance alone comes"),
    Parameter("L_bilateral", -0.5, -10, 10, "attacker", "attacker's payoff if the bilateral guarantor alone comes"),
    Parameter("L_both", -1.5, -10, 10, "attacker", "attacker's payoff if both come"),
    Parameter("S", 0, -10, 10, "attacker", "attacker's payoff of the status quo"),
)


def two_guarantees() -> Model:
    """Return the model."""
    return Model(
        "NEST",
        crisis,
        PARAMETERS,
        ("attack", "nobody comes"),
        "the project's own",
        title="Alliance guarantee plus bilateral guarantee",
        mechanism="a second pledge deters mostly if its fate is not tied to the first",
        concept="spe",
        confidence="C",
        closed_form=expected_attack,
        read=read_crisis,
        draw=draw,
        formulas={
            "both come": r"p_{11} = q_a q_b + r \sqrt{q_a (1-q_a) q_b (1-q_b)}",
            "somebody comes": r"p_{any} = q_a + q_b - p_{11}",
            "attack iff": r"p_{11} L_{both} + p_{10} L_a + p_{01} L_b + p_{00} W > S",
        },
    )


def joint(q_alliance: float, q_bilateral: float, corr: float) -> dict[str, float]:
    """Return the joint distribution of two events with given marginals and correlation.

    Raises
    ------
    ParameterError
        If no joint distribution has that correlation.
    """
    spread = np.sqrt(q_alliance * (1 - q_alliance) * q_bilateral * (1 - q_bilateral))
    both = float(q_alliance * q_bilateral + corr * spread)
    low, high = max(0.0, q_alliance + q_bilateral - 1), min(q_alliance, q_bilateral)
    if not low - 1e-12 <= both <= high + 1e-12:
        ends = [(x - q_alliance * q_bilateral) / spread for x in (low, high)]
        raise ParameterError(
            f"NEST requires a correlation in [{ends[0]:.4g}, {ends[1]:.4g}] at q_alliance = {q_alliance:g}, "
            f"q_bilateral = {q_bilateral:g}, got corr = {corr:g}"
        )
    both = min(max(both, low), high)
    alone = {"alliance": q_alliance - both, "bilateral": q_bilateral - both}
    return {"both": both, **alone, "nobody": 1 - both - alone["alliance"] - alone["bilateral"]}


def crisis(
    q_alliance: float, q_bilateral: float, corr: float,
    W: float, L_alliance: float, L_bilateral: float, L_both: float, S: float,
) -> ExtensiveGame:  # fmt: skip
    """Return the tree; the guarantees are a chance move."""
    p = joint(q_alliance, q_bilateral, corr)
    attacked = chance({
        "both come": (p["both"], end("war with both", A=L_both)),
        "alliance comes": (p["alliance"], end("war with the alliance", A=L_alliance)),
        "bilateral comes": (p["bilateral"], end("war with the bilateral guarantor", A=L_bilateral)),
        "nobody comes": (p["nobody"], end("conquest", A=W)),
    })  # fmt: skip
    return ExtensiveGame(("A",), move("A", {"hold": end("status quo", A=S), "attack": attacked}))


def expected_attack(
    q_alliance: float, q_bilateral: float, corr: float,
    W: float, L_alliance: float, L_bilateral: float, L_both: float, S: float,
) -> dict[str, Any]:  # fmt: skip
    """Return the chance that somebody comes, the value of an attack, and the choice."""
    p = joint(q_alliance, q_bilateral, corr)
    value = p["both"] * L_both + p["alliance"] * L_alliance + p["bilateral"] * L_bilateral + p["nobody"] * W
    return {"p_any": q_alliance + q_bilateral - p["both"], "EU_attack": value, "attack": int(value > S)}


def read_crisis(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium and the chance move."""
    return {
        "p_any": float(solution.game.chance[:3].sum()),
        "EU_attack": worth(solution, "A", "start", "attack"),
        "attack": int(solution.probability("attack")[0] > 0.5),
    }


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with a feasible correlation."""
    a, b = (float(x) for x in rng.uniform(0.05, 0.95, 2))
    spread = np.sqrt(a * (1 - a) * b * (1 - b))
    low, high = (max(0.0, a + b - 1) - a * b) / spread, (min(a, b) - a * b) / spread
    payoffs = {name: float(rng.uniform(-2, 1)) for name in ("W", "L_alliance", "L_bilateral", "L_both", "S")}
    return {"q_alliance": a, "q_bilateral": b, "corr": float(rng.uniform(low, high)), **payoffs}

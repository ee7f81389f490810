r"""A tripwire force: troops in harm's way make it costly to stand aside.

The attacker, whose gain v from a successful attack is uniform on [0, V] and known to it alone, attacks or not. If it
does, the guarantor, whose net cost of intervening is uniform on [0, K] and known to it alone, intervenes or stands
aside. Intervening is worth b to it; standing aside costs it t for each of the T troops that it has placed there. An
intervention costs the attacker c. Each player's payoffs are in its own units. With t near 0 troops do not bind, which
is what recent evidence finds.

References
----------
.. [1] T. C. Schelling, *Arms and Influence*, 1966.
.. [2] D. Reiter and P. Poast, "The Truth About Tripwires", Tex. Natl. Secur. Rev. 4 (2021).
.. [3] P. Musgrave and S. Ward, "The Tripwire Effect", J. Conflict Resolut. 67 (2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant

PARAMETERS = (
    Parameter("T", 2, 0, 1e6, "troops", "troops in harm's way"),
    Parameter("b", 0.3, -1e6, 1e6, "guarantor", "benefit of intervening"),
    Parameter("t", 0.2, 0, 1e6, "guarantor per troop", "cost of standing aside, for each of the troops"),
    Parameter("K", 1.5, 1e-6, 1e6, "guarantor", "highest net cost of intervening"),
    Parameter("V", 1, 1e-6, 1e6, "attacker", "highest gain of a successful attack"),
    Parameter("c", 1.2, 1e-6, 1e6, "attacker", "loss from an intervention"),
    Parameter("v", 0.8, 1e-6, 1e6, "attacker", "gain of a successful attack, if it is known"),
)


def tripwire_force() -> Model:
    """Return the model."""
    return Model(
        "TRIP",
        tripwire_game,
        PARAMETERS,
        ("attack", "war", "intervene"),
        "Schelling 1966; Reiter and Poast 2021; Musgrave and Ward 2023 (idea)",
        title="Tripwire force",
        mechanism="troops make intervention likelier; a middling number makes war likeliest",
        concept="cutpoints",
        confidence="C",
        takes=("T", "b", "t", "K", "V", "c"),
        closed_form=likelihoods,
        read=lambda solutions, _: dict(solutions[0]),
        draw=draw,
        variants=(
            Variant(
                name="minimum T that deters a known v",
                takes=("v", "b", "t", "K", "c"),
                requires=("t > 0",),
                game=least_force_game,
                closed_form=least_force,
                read=lambda solutions, _: {"T_star": solutions[0]["T_star"]},
                draw=draw_known,
            ),
            Variant(
                name="maximise P_war over T",
                takes=("b", "t", "K", "V", "c"),
                requires=("t > 0", "b < K"),
                game=most_dangerous_game,
                closed_form=most_dangerous,
                read=read_most_dangerous,
                draw=draw_dangerous,
            ),
        ),
        formulas={
            "intervention": r"P_{intervene} = \min(1, (b + t T) / K)",
            "attack": r"P_{attack} = \max(0, 1 - P_{intervene} c / V)",
            "war": r"P_{war} = P_{intervene} P_{attack}",
            "smallest force that deters a known gain": r"T^* = (v K / c - b) / t",
        },
    )


def intervening(k: Any, T: Any, b: float, t: float) -> Any:
    """Return the guarantor's gain of intervening at a net cost, over standing aside."""
    return (b - k) - (-t * T)


def tripwire_game(T: float, b: float, t: float, K: float, V: float, c: float) -> ContinuousGame:
    """Return the guarantor's choice by its cost, the attacker's by its gain, and the likelihood of war."""
    return ContinuousGame(("Attacker", "Guarantor"), {
        "P_intervene": Acts(lambda k, _: intervening(k, T, b, t), Uniform(0, K)),
        "P_attack": Acts(lambda v, known: v - known["P_intervene"] * c, Uniform(0, V)),
        "P_war": Given(lambda known: known["P_intervene"] * known["P_attack"]),
    })  # fmt: skip


def likelihoods(T: float, b: float, t: float, K: float, V: float, c: float) -> dict[str, Any]:
    """Return the likelihoods of intervention, attack and war."""
    intervene = min(1.0, max(0.0, (b + t * T) / K))
    attack = max(0.0, 1 - intervene * c / V)
    return {"P_intervene": intervene, "P_attack": attack, "P_war": intervene * attack}


def enough_troops(b: float, t: float, K: float) -> float:
    """Return the number of troops from which on the guarantor intervenes whatever it costs."""
    return max(0.0, (K - b) / t)


def response(T: Any, b: float, t: float, K: float) -> Any:
    """Return the probability that the guarantor's cost is below what standing aside costs it."""
    return Uniform(0, K).cdf(b + t * np.asarray(T))


def least_force_game(v: float, b: float, t: float, K: float, c: float) -> ContinuousGame:
    """Return the force at which an attacker of known gain is indifferent; none if it attacks in spite of any."""
    most = enough_troops(b, t, K) + 1

    def gain(T: Any, _: Mapping[str, Any]) -> Any:
        return v - response(T, b, t, K) * c

    return ContinuousGame(("Attacker", "Guarantor"), {
        "T": Indifferent(gain, 0, most, otherwise="corner"),
        "T_star": Given(lambda known: None if gain(most, known) > 0 else known["T"]),
    })  # fmt: skip


def least_force(v: float, b: float, t: float, K: float, c: float) -> dict[str, Any]:
    """Return the smallest force that deters: 0 if none is needed, None if none is enough."""
    return {"T_star": None if v > c else max(0.0, (v * K / c - b) / t)}


def most_dangerous_game(b: float, t: float, K: float, V: float, c: float) -> ContinuousGame:
    """Return the search for the force at which war is likeliest; more than brings intervention for sure is as good."""
    gains = Uniform(0, V)

    def war(T: Any, _: Mapping[str, Any]) -> Any:
        chance = response(T, b, t, K)
        return chance * (1 - gains.cdf(chance * c))

    return ContinuousGame(("Attacker", "Guarantor"), {"T": Best(war, 0, enough_troops(b, t, K))})


def most_dangerous(b: float, t: float, K: float, V: float, c: float) -> dict[str, Any]:
    """Return the smallest force at which war is likeliest, and how likely it is."""
    likeliest = max(min(1.0, V / (2 * c)), b / K)
    attack = max(0.0, 1 - likeliest * c / V)
    return {"T_at_max": max(0.0, (likeliest * K - b) / t) if attack > 0 else 0.0, "P_war_max": likeliest * attack}


def read_most_dangerous(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; no force at all if there is no war anyway."""
    (found,) = solutions
    war = found["T:payoff"]
    return {"T_at_max": found["T"] if war > 0 else 0.0, "P_war_max": war}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which intervention and attack are certain, possible or ruled out."""
    K, V = (float(x) for x in rng.uniform(0.5, 2, 2))
    t = float(rng.uniform(0, 0.5))
    return {
        "T": float(rng.uniform(0, 6)),
        "b": K * float(rng.uniform(-0.3, 0.8)),
        "t": t,
        "K": K,
        "V": V,
        "c": V * float(rng.uniform(0.2, 3)),
    }


def draw_known(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which some force deters, none does, or none is needed."""
    values = draw(rng)
    own = {name: values[name] for name in ("b", "K", "c")}
    return {**own, "t": float(rng.uniform(0.05, 0.5)), "v": values["c"] * float(rng.uniform(0.1, 1.15))}


def draw_dangerous(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which an attack is possible without troops."""
    values = draw(rng)
    V = values["V"]
    b = values["K"] * float(rng.uniform(0.05, 0.9))
    c = float(rng.choice([rng.uniform(0.1, 0.45), rng.uniform(0.55, 1.2) / (b / values["K"])])) * V
    return {"b": b, "t": float(rng.uniform(0.05, 0.5)), "K": values["K"], "V": V, "c": c}

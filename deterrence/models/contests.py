"""Pooled forces: what an ally's forces are worth when they fight together well or badly.

The attacker holds (0) or attacks at cost c a prize worth v to it. The ally comes with probability q. The attacker
wins with probability M_A / (M_A + M), the ratio contest success function, where M is the protege's strength M_P and,
if the ally comes, eps M_G more: eps is the readiness and interoperability of the ally's forces. Strengths share one
unit; payoffs are the attacker's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import chance, end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import worth
from deterrence.models.variants import Variant

PARAMETERS = (
    Parameter("M_A", 10, 1e-9, 1e6, "strength", "attacker's strength"),
    Parameter("M_P", 2, 0, 1e6, "strength", "protege's strength"),
    Parameter("M_G", 12, 1e-9, 1e6, "strength", "ally's strength"),
    Parameter("eps", 0.9, 0, 1, "share", "interoperability and readiness of the ally's forces"),
    Parameter("q", 0.9, 0, 1, "probability", "chance that the ally comes"),
    Parameter("v", 1, 1e-9, 1e6, "attacker", "attacker's value of the prize"),
    Parameter("c", 0.5, 0, 1e6, "attacker", "attacker's cost of an attack"),
)


def pooled_forces() -> Model:
    """Return the model: the value of an attack, and the interoperability that just deters it."""
    return Model(
        "CSF",
        crisis,
        PARAMETERS,
        ("attack",),
        "Tullock 1980; Hirshleifer 1989",
        title="Pooled forces and interoperability",
        mechanism="interoperability above a threshold deters",
        concept="spe",
        confidence="B",
        closed_form=attack_value,
        read=read_crisis,
        draw=draw,
        variants=(
            Variant(
                name="threshold interoperability",
                takes=("M_A", "M_P", "M_G", "q", "v", "c"),
                requires=("q > 0",),
                game=threshold_game,
                closed_form=threshold,
                read=lambda solutions, _: {"eps_star": solutions[0]["eps_star"]},
                draw=draw_threshold,
            ),
        ),
        formulas={
            "the attacker wins with": r"p = M_A / (M_A + M_P + \epsilon M_G)",
            "threshold": r"\epsilon^* = (M_A / n - M_A - M_P) / M_G, \quad n = (c/v - (1-q) p_{alone}) / q",
        },
    )


def wins(M_A: Any, defence: Any) -> Any:
    """Return the attacker's chance of winning against a strength."""
    return M_A / (M_A + defence)


def crisis(M_A: Any, M_P: Any, M_G: Any, eps: Any, q: Any, v: Any, c: Any) -> ExtensiveGame:
    """Return the tree; whether the ally comes is a chance move."""
    attacked = chance({
        "ally comes": (q, end("war with both", A=v * wins(M_A, M_P + eps * M_G) - c)),
        "ally stays out": (1 - q, end("war alone", A=v * wins(M_A, M_P) - c)),
    })  # fmt: skip
    return ExtensiveGame(("A",), move("A", {"hold": end("status quo", A=0), "attack": attacked}))


def attack_value(M_A: float, M_P: float, M_G: float, eps: float, q: float, v: float, c: float) -> dict[str, Any]:
    """Return the chances of winning, the value of an attack, and the choice."""
    alone, aided = M_A / (M_A + M_P), M_A / (M_A + M_P + eps * M_G)
    value = v * ((1 - q) * alone + q * aided) - c
    return {"p_alone": alone, "p_aided": aided, "EU_attack": value, "attack": int(value > 0)}


def read_crisis(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium; a chance of winning is what an end pays beyond the cost, per prize."""
    names = solution.game.topology.end_labels
    pays = {name: float(solution.game.payoffs[i, 0]) for i, name in enumerate(names)}
    alone, aided = ((pays[end] + params["c"]) / params["v"] for end in ("war alone", "war with both"))
    return {
        "p_alone": alone,
        "p_aided": aided,
        "EU_attack": worth(solution, "A", "start", "attack"),
        "attack": int(solution.probability("attack")[0] > 0.5),
    }


def threshold_game(M_A: float, M_P: float, M_G: float, q: float, v: float, c: float) -> ContinuousGame:
    """Return the attacker's indifference in the ally's interoperability.

    It is looked for in x in (0, 1), with M_P + eps M_G = (M_A + M_P + M_G) x / (1 - x), so that no bound on eps is
    assumed.
    """
    scale = M_A + M_P + M_G

    def strength(x: Any) -> Any:
        return scale * x / (1 - x)

    def gain(x: Any, _: Mapping[str, Any]) -> Any:
        return v * ((1 - q) * wins(M_A, M_P) + q * wins(M_A, strength(x))) - c

    return ContinuousGame(("A",), {
        "x": Indifferent(gain, 0, 1 - 1e-9, otherwise="none"),
        "eps_star": Given(lambda known: None if known["x"] is None else (strength(known["x"]) - M_P) / M_G),
    })  # fmt: skip


def threshold(M_A: float, M_P: float, M_G: float, q: float, v: float, c: float) -> dict[str, Any]:
    """Return the interoperability at which an attack just stops paying.

    Above 1 is more than there is; below 0, none is needed.

    None if no strength of the ally deters, or none is needed to (it would have to be less than nothing in place of
    the protege's).
    """
    needed = (c / v - (1 - q) * M_A / (M_A + M_P)) / q
    return {"eps_star": (M_A / needed - M_A - M_P) / M_G if 0 < needed <= 1 else None}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which the choice goes either way."""
    v = float(rng.uniform(0.5, 2))
    strengths = {name: float(rng.uniform(1, 20)) for name in ("M_A", "M_P", "M_G")}
    own = {
        "v": v,
        "c": v * float(rng.uniform(0.1, 0.9)),
        "q": float(rng.uniform(0.05, 1)),
        "eps": float(rng.uniform(0, 1)),
    }
    return {**strengths, **own}


def draw_threshold(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters of the threshold."""
    values = draw(rng)
    del values["eps"]
    return values

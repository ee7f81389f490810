"""Extended deterrence among three: an attacker, a protege, and a guarantor that may or may not come.

The attacker holds or attacks the protege. If attacked, the protege yields or resists; if it resists, the guarantor
abandons it or intervenes. The prize is 1 and the protege holds it. The attacker wins a war with probability p1
against the protege alone and p2 < p1 against both. Each payoff is in units of the prize; the guarantor values the
protege's survival at g, pays k for a war and t for breaking its treaty. In the first model all is known. In the
second the guarantor is resolved with true probability rho, and attacker and protege hold beliefs rho_A and rho_P of
their own, known to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import plays

WAR = (
    Parameter("p1", 0.8, 0, 1, "probability", "attacker's chance of winning against the protege alone"),
    Parameter("p2", 0.3, 0, 1, "probability", "attacker's chance of winning against protege and guarantor"),
    Parameter("c_A1", 0.2, 0, 10, "prize", "attacker's cost of a war with the protege alone"),
    Parameter("c_A2", 0.4, 0, 10, "prize", "attacker's cost of a war with both"),
    Parameter("c_P", 0.35, 0, 10, "prize", "protege's cost of war"),
)
LARGE_WAR = Parameter("c_A2", 0.6, 0, 10, "prize", "attacker's cost of a war with both")
GUARANTOR = (
    Parameter("k", 0.5, 0, 10, "prize", "guarantor's cost of war"),
    Parameter("g", 0.6, 0, 10, "prize", "guarantor's value of the protege's survival"),
    Parameter("t", 0, 0, 10, "prize", "guarantor's penalty for breaking the treaty"),
)
BELIEFS = (
    Parameter("rho_A", 0.7, 0, 1, "probability", "attacker's belief that the guarantor intervenes"),
    Parameter("rho_P", 0.7, 0, 1, "probability", "protege's belief that the guarantor intervenes"),
    Parameter("rho", 0.7, 0, 1, "probability", "true probability that the guarantor intervenes"),
)


def three_player_crisis() -> Model:
    """Return the model under complete information."""
    return Model(
        "EXT3",
        crisis,
        (*WAR, *GUARANTOR),
        {"attack": "attack", "war": lambda path: "resist" in path},
        "the project's own; cf. Huth 1988, Quackenbush 2006, Wagner 2007",
        title="Three-player extended deterrence, complete information",
        mechanism="a treaty penalty can deter the attacker, embolden the protege, or widen a war",
        concept="spe",
        confidence="C",
        requires=("p2 < p1",),
        closed_form=backward_induction,
        read=read_crisis,
        critical=guarantor_indifference,
        draw=draw_crisis,
        formulas={
            "the guarantor intervenes iff": r"t > t^* = k - g (p_1 - p_2)",
            "the protege resists iff": r"1 - p_j > c_P",
            "the attacker attacks iff the protege yields or": r"p_j > c_{A,j}",
        },
    )


def crisis(p1: Any, p2: Any, c_A1: Any, c_A2: Any, c_P: Any, k: Any, g: Any, t: Any) -> ExtensiveGame:
    """Return the tree; parameters may be symbols."""
    answer = move("G", {
        "abandon": end("war alone", A=p1 - c_A1, P=1 - p1 - c_P, G=abandoning(p1, g, t)),
        "intervene": end("war together", A=p2 - c_A2, P=1 - p2 - c_P, G=intervening(p2, g, k)),
    })  # fmt: skip
    reply = move("P", {"yield": end("conquest", A=1, P=0, G=0), "resist": answer})
    root = move("A", {"hold": end("status quo", A=0, P=1, G=g), "attack": reply})
    return ExtensiveGame(("A", "P", "G"), root, title="Extended deterrence")


def intervening(p2: Any, g: Any, k: Any) -> Any:
    """Return the guarantor's payoff of intervening."""
    return (1 - p2) * g - k


def abandoning(p1: Any, g: Any, t: Any) -> Any:
    """Return the guarantor's payoff of standing aside."""
    return (1 - p1) * g - t


def guarantor_indifference(p1: float, p2: float, k: float, g: float, **_: Any) -> ContinuousGame:
    """Return the guarantor's indifference in the treaty penalty."""
    reach = k + g + 1
    return ContinuousGame(("G",), {
        "t_star": Indifferent(lambda t, _: intervening(p2, g, k) - abandoning(p1, g, t), -reach, reach)})  # fmt: skip


def backward_induction(
    p1: float, p2: float, c_A1: float, c_A2: float, c_P: float, k: float, g: float, t: float
) -> dict[str, Any]:
    """Return what each player does, on the path or off it."""
    t_star = k - g * (p1 - p2)
    intervene = t > t_star
    p, c_A = (p2, c_A2) if intervene else (p1, c_A1)
    resist = 1 - p > c_P
    attack = not resist or p > c_A
    return {"attack": int(attack), "resist": int(resist), "intervene": int(intervene), "t_star": t_star,
            "P_war": int(attack and resist)}  # fmt: skip


def read_crisis(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium."""
    found = {"attack": plays(solution, "A", "start", "attack"), "resist": plays(solution, "P", "attack", "resist")}
    found["intervene"] = plays(solution, "G", "attack/resist", "intervene")
    return {**{name: int(x) for name, x in found.items()}, "P_war": int(found["attack"] * found["resist"])}


def believed_credibility() -> Model:
    """Return the model in which attacker and protege hold beliefs of their own about the guarantor."""
    return Model(
        "EXTI",
        believed_crisis,
        (*BELIEFS, *(entry if entry.name != "c_A2" else LARGE_WAR for entry in WAR)),
        {"attack": "attack", "war": "resist"},
        "the project's own; cf. Huth 1988",
        title="Extended deterrence with believed credibility",
        mechanism="deterrence needs both the attacker's fear and the protege's trust",
        concept="spe",
        confidence="C",
        requires=("p2 < p1", "c_A1 < p1", "p2 < c_A2"),
        closed_form=believed_outcome,
        read=read_believed,
        critical=indifferent_beliefs,
        draw=draw_believed,
        formulas={
            "the protege resists iff": r"\rho_P > \rho_P^* = \frac{c_P - (1 - p_1)}{p_1 - p_2}",
            "a resisted attack pays iff": r"\rho_A < \rho_A^* = \frac{p_1 - c_{A1}}{(p_1 - c_{A1}) - (p_2 - c_{A2})}",
        },
    )


def believed_crisis(
    rho_A: Any, rho_P: Any, rho: Any, p1: Any, p2: Any, c_A1: Any, c_A2: Any, c_P: Any
) -> ExtensiveGame:
    """Return the tree after folding the guarantor's choice, by each player at its own belief."""
    del rho  # what is true guides nobody
    war = end("resisted attack", A=attack_value(rho_A, p1, p2, c_A1, c_A2), P=resist_value(rho_P, p1, p2, c_P))
    reply = move("P", {"yield": end("conquest", A=1, P=0), "resist": war})
    return ExtensiveGame(("A", "P"), move("A", {"hold": end("status quo", A=0, P=1), "attack": reply}))


def attack_value(rho: Any, p1: Any, p2: Any, c_A1: Any, c_A2: Any) -> Any:
    """Return the attacker's payoff of a resisted attack at belief rho."""
    return rho * (p2 - c_A2) + (1 - rho) * (p1 - c_A1)


def resist_value(rho: Any, p1: Any, p2: Any, c_P: Any) -> Any:
    """Return the protege's payoff of resisting at belief rho."""
    return rho * (1 - p2) + (1 - rho) * (1 - p1) - c_P


def indifferent_beliefs(p1: float, p2: float, c_A1: float, c_A2: float, c_P: float, **_: Any) -> ContinuousGame:
    """Return both indifferences in belief; the protege's may lie outside [0, 1], where it is sure of itself."""
    reach = (1 + c_P) / (p1 - p2)
    return ContinuousGame(("A", "P"), {
        "rho_A_star": Indifferent(lambda rho, _: attack_value(rho, p1, p2, c_A1, c_A2), 0, 1),
        "rho_P_star": Indifferent(lambda rho, _: resist_value(rho, p1, p2, c_P), -reach, reach),
    })  # fmt: skip


def believed_outcome(
    rho_A: float, rho_P: float, rho: float, p1: float, p2: float, c_A1: float, c_A2: float, c_P: float
) -> dict[str, Any]:
    """Return thresholds, choices and likelihoods."""
    rho_A_star = (p1 - c_A1) / ((p1 - c_A1) - (p2 - c_A2))
    rho_P_star = (c_P - (1 - p1)) / (p1 - p2)
    resist = rho_P > rho_P_star
    attack = not resist or rho_A < rho_A_star
    return {"rho_A_star": rho_A_star, "rho_P_star": rho_P_star, **_likelihoods(attack, resist, rho)}


def read_believed(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium."""
    attack = plays(solution, "A", "start", "attack") > 0.5
    return _likelihoods(attack, plays(solution, "P", "attack", "resist") > 0.5, params["rho"])


def _likelihoods(attack: bool, resist: bool, rho: float) -> dict[str, Any]:
    """Return what happens by definition: war iff a resisted attack, with the guarantor iff it is resolved."""
    war = int(attack and resist)
    return {"resist": int(resist), "attack": int(attack), "P_war": war, "P_multilateral_war": war * rho,
            "P_conquest_without_fight": int(attack and not resist)}  # fmt: skip


def draw_crisis(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters that reach every outcome."""
    p2, p1 = sorted(float(x) for x in rng.uniform(0.05, 0.95, 2))
    costs = {name: float(rng.uniform(0, 0.9)) for name in ("c_A1", "c_A2", "c_P", "k", "t")}
    return {"p1": p1, "p2": p2, "g": float(rng.uniform(0.1, 1.5)), **costs}


def draw_believed(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters that reach every outcome."""
    p2, p1 = sorted(float(x) for x in rng.uniform(0.05, 0.95, 2))
    beliefs = {name: float(rng.uniform(0, 1)) for name in ("rho_A", "rho_P", "rho")}
    own = {
        "c_A1": p1 * float(rng.uniform(0, 0.95)),
        "c_A2": p2 + float(rng.uniform(0.05, 1)),
        "c_P": float(rng.uniform(0, 1)),
    }
    return {"p1": p1, "p2": p2, **own, **beliefs}

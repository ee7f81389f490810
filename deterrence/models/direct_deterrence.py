"""Direct deterrence under complete information: an entry game with a last move by the attacker.

The attacker holds or attacks. If it attacks, the defender yields or resists; if it resists, the attacker backs down
or fights. All is known to both. Payoffs of each player are in its own units. A threat is *capable* if war is worse
for the attacker than the status quo, *credible* if the defender prefers war to yielding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import outcome_of

Payoffs = Mapping[str, Any]

PARAMETERS = (
    Parameter("A.sq", 0, unit="attacker", meaning="attacker's payoff of the status quo"),
    Parameter("A.win", 1, unit="attacker", meaning="attacker's payoff if the defender yields"),
    Parameter("A.back", -0.3, unit="attacker", meaning="attacker's payoff of backing down"),
    Parameter("A.war", -0.6, unit="attacker", meaning="attacker's payoff of war"),
    Parameter("D.sq", 1, unit="defender", meaning="defender's payoff of the status quo"),
    Parameter("D.yield", 0, unit="defender", meaning="defender's payoff of yielding"),
    Parameter("D.win", 0.9, unit="defender", meaning="defender's payoff if the attacker backs down"),
    Parameter("D.war", -0.5, unit="defender", meaning="defender's payoff of war"),
)


def direct_crisis() -> Model:
    """Return the model."""
    return Model(
        "CID",
        crisis,
        PARAMETERS,
        {"attack": "attack", "war": "WAR"},
        "Selten 1978, with a third move; Zagare and Kilgour 2000, ch. 3; Signorino 1999 (tree)",
        title="Direct deterrence, complete information",
        mechanism="deterrence holds iff the threat is capable and credible",
        concept="spe",
        confidence="A",
        closed_form=backward_induction,
        read=read_outcome,
        formulas={
            "the attacker fights": r"A_{war} > A_{back}",
            "the defender resists": r"\max(D_{war} 1_{fight}, D_{win} 1_{back}) > D_{yield}",
            "the attacker attacks": r"\max(A_{war}, A_{back}) 1_{resist} + A_{win} 1_{yield} > A_{sq}",
        },
    )


def crisis(A: Payoffs, D: Payoffs) -> ExtensiveGame:
    """Return the tree; payoffs may be symbols."""
    last = move("A", {
        "back": end("BACKDOWN", A=A["back"], D=D["win"]),
        "fight": end("WAR", A=A["war"], D=D["war"]),
    })  # fmt: skip
    reply = move("D", {"yield": end("CONCESSION", A=A["win"], D=D["yield"]), "resist": last})
    root = move("A", {"hold": end("SQ", A=A["sq"], D=D["sq"]), "attack": reply})
    return ExtensiveGame(("A", "D"), root, title="Direct deterrence")


def backward_induction(A: Payoffs, D: Payoffs) -> dict[str, Any]:
    """Return the outcome of the subgame-perfect equilibrium, which is unique without ties."""
    fights = A["war"] > A["back"]
    resists = (D["war"] if fights else D["win"]) > D["yield"]
    attacks = (max(A["war"], A["back"]) if resists else A["win"]) > A["sq"]
    outcome = "SQ" if not attacks else "CONCESSION" if not resists else "WAR" if fights else "BACKDOWN"
    return {"outcome": outcome, "P_attack": float(attacks), "P_war": float(outcome == "WAR")}


def read_outcome(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off an equilibrium."""
    chance = {event: solution[0].probability(event) for event in ("attack", "WAR")}
    return {"outcome": outcome_of(solution), "P_attack": chance["attack"], "P_war": chance["WAR"]}

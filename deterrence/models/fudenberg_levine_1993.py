r"""Self-confirming deterrence (after Fudenberg and Levine 1993).

The attacker holds or attacks; if it attacks, a defender that is resolute, with probability q_true, fights, and one that
is not yields. The attacker's payoffs are in its own units: 0 if it holds, q_star if the defender yields and q_star - 1
if it fights, so that it is indifferent at the probability q_star. What the attacker believes of the defender must agree
with what it sees, and if it never attacks it sees nothing: overestimated resolve persists, while underestimated resolve
is corrected, by a war.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import chance, end, move
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.models.outcomes import plays
from deterrence.perception.self_confirming import self_confirming
from deterrence.solvers.spe import spe

PARAMETERS = (
    Parameter("q_true", 0.2, 0, 1, "probability", "true chance that the defender fights"),
    Parameter("q_star", 0.5, 0, 1, "probability", "chance of a fight at which the attacker is indifferent"),
)
NAMES = {"hold": "no_attack", "attack": "attack"}


def untested_deterrence() -> Model:
    """Return the model."""
    return MisperceivedModel(
        "SCE",
        untested_crisis,
        PARAMETERS,
        ("attack", "war"),
        "Fudenberg and Levine 1993",
        title="Self-confirming deterrence",
        mechanism="overestimated resolve is never tested; underestimated resolve is corrected by a war",
        concept="spe",
        confidence="A",
        closed_form=verdicts,
        perceive=both_concepts,
        read=read_verdicts,
        formulas={
            "no attack is self-confirming": r"\text{always: a belief } q \ge q^* \text{ is never tested}",
            "attack is self-confirming iff": r"q_{true} \le q^*",
        },
    )


def untested_crisis(q_true: Any, q_star: Any) -> ExtensiveGame:
    """Return the tree; parameters may be symbols."""

    def defender(resolute: bool) -> Any:
        return move("Defender", {
            "fight": end("war", Attacker=q_star - 1, Defender=1 if resolute else -1),
            "yield": end("concession", Attacker=q_star, Defender=0),
        })  # fmt: skip

    met = chance({"resolute": (q_true, defender(True)), "irresolute": (1 - q_true, defender(False))})
    calm = end("peace", Attacker=0, Defender=2)
    return ExtensiveGame(("Attacker", "Defender"), move("Attacker", {"hold": calm, "attack": met}), title="Untested")


def both_concepts(game: ExtensiveGame, _: Mapping[str, Any]) -> dict[str, EquilibriumSet]:
    """Return the self-confirming equilibria, and the one with right beliefs."""
    return {"self-confirming": self_confirming(game), "nash": spe(game)}


def verdicts(q_true: float, q_star: float) -> dict[str, Any]:
    """Return what is self-confirming, and what an attacker with right beliefs does (at a tie it holds)."""
    return {
        "no_attack_is_SCE": 1,
        "attack_is_SCE": int(q_true <= q_star),
        "nash": "attack" if q_true < q_star else "no_attack",
    }


def read_verdicts(solution: Mapping[str, EquilibriumSet], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibria."""
    played = {
        name: any(e.strategies["Attacker"]["start"][act] > 0.5 for e in solution["self-confirming"])
        for act, name in NAMES.items()
    }
    attacked = plays(solution["nash"], "Attacker", "start", "attack") > 0.5
    return {
        "no_attack_is_SCE": int(played["no_attack"]),
        "attack_is_SCE": int(played["attack"]),
        "nash": "attack" if attacked else "no_attack",
    }

r"""One analogy class for states inside and outside a treaty (after Jehiel 2005).

Nature picks the target: a core state, covered by a treaty, with probability f_core, or one of the periphery. The
attacker sees which, and attacks or holds. The guarantor then responds or looks away; its interest in responding differs
from case to case, so that it responds with probability response_core in the core and response_periphery outside it. The
attacker is indifferent at the probability q_star of a response (its payoffs, in its own units: 0 if it holds, q_star if
no response comes, q_star - 1 if one does). It does not tell the two kinds of states apart when it learns: it expects of
each the average response in all cases, weighted by how often it saw them. So inaction outside the treaty area lowers
the response that is expected within it. Where nothing has been seen, the average is over what rare errors would show.
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
from deterrence.perception.analogy import analogy_based
from deterrence.solvers.spe import spe

PARAMETERS = (
    Parameter("f_core", 0.4, 1e-9, 1 - 1e-9, "probability", "chance that the target is a core state"),
    Parameter("q_star", 0.5, 0, 1, "probability", "chance of a response at which the attacker is indifferent"),
    Parameter("response_core", 1, 0, 1, "probability", "chance of a response in the core"),
    Parameter("response_periphery", 0, 0, 1, "probability", "chance of a response in the periphery"),
)
PLACES = ("core", "periphery")


def one_analogy_class() -> Model:
    """Return the model."""
    return MisperceivedModel(
        "ABEE",
        two_targets,
        PARAMETERS,
        ("attack", "respond"),
        "Jehiel 2005",
        title="One analogy class for treaty and non-treaty states",
        mechanism="inaction outside the treaty area lowers the response expected inside it",
        concept="spe",
        confidence="C",
        closed_form=verdicts,
        perceive=both_concepts,
        read=read_verdicts,
        formulas={
            "attack both is an equilibrium iff": r"f r_{core} + (1 - f) r_{periphery} \le q^*",
            "attack none is one iff": r"f r_{core} + (1 - f) r_{periphery} \ge q^*",
        },
        differs="the guarantor's interest in responding is drawn by nature, and it then does as it likes best",
    )


def two_targets(f_core: Any, q_star: Any, response_core: Any, response_periphery: Any) -> ExtensiveGame:
    """Return the tree; parameters may be symbols."""
    rates = {"core": response_core, "periphery": response_periphery}

    def response(place: str, interested: bool) -> Any:
        return move("Guarantor", infoset=_asked(place, interested), actions={
            "respond": end("war", Attacker=q_star - 1, Guarantor=1 if interested else -1),
            "look away": end("conquest", Attacker=q_star, Guarantor=0),
        })  # fmt: skip

    def target(place: str) -> Any:
        rate = rates[place]
        reply = chance(
            {"interested": (rate, response(place, True)), "not interested": (1 - rate, response(place, False))}
        )
        calm = end("peace", Attacker=0, Guarantor=0)
        return move("Attacker", infoset=place, actions={"hold": calm, "attack": reply})

    root = chance({"core": (f_core, target("core")), "periphery": (1 - f_core, target("periphery"))})
    return ExtensiveGame(("Attacker", "Guarantor"), root, title="Core and periphery")


def both_concepts(game: ExtensiveGame, _: Mapping[str, Any]) -> dict[str, EquilibriumSet]:
    """Return the analogy-based equilibria with one class, and the equilibrium of an attacker that tells cases apart."""
    seen_as_one = [_asked(place, interested) for place in PLACES for interested in (True, False)]
    return {"analogy": analogy_based(game, classes={"Attacker": [seen_as_one]}), "nash": spe(game)}


def verdicts(f_core: float, q_star: float, response_core: float, response_periphery: float) -> dict[str, Any]:
    """Return what is an equilibrium with one class, and where an attacker that tells cases apart attacks."""
    average = f_core * response_core + (1 - f_core) * response_periphery
    return {
        "attack_both_is_ABEE": int(average <= q_star),
        "attack_none_is_ABEE": int(average >= q_star),
        "nash_attack_core": int(response_core < q_star),
        "nash_attack_periphery": int(response_periphery < q_star),
    }


def read_verdicts(solution: Mapping[str, EquilibriumSet], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibria."""
    played = {_attacked(e.strategies["Attacker"]) for e in solution["analogy"]}
    core, periphery = _attacked(solution["nash"][0].strategies["Attacker"])
    return {
        "attack_both_is_ABEE": int((True, True) in played),
        "attack_none_is_ABEE": int((False, False) in played),
        "nash_attack_core": int(core),
        "nash_attack_periphery": int(periphery),
    }


def _attacked(plan: Mapping[str, Mapping[str, float]]) -> tuple[bool, bool]:
    return plan["core"]["attack"] > 0.5, plan["periphery"]["attack"] > 0.5


def _asked(place: str, interested: bool) -> str:
    return f"{place} attacked, {'interested' if interested else 'not interested'}"

"""Direct deterrence as a hypergame: the attacker plans on a defender that it misperceives.

The tree is that of ``direct_deterrence``: the attacker holds or attacks, the defender yields or resists, the attacker
backs down or fights. The attacker solves the game with the defender's payoffs as it perceives them, thinks that game
common, and plays its part of it; the defender acts on its true payoffs. Payoffs of each player are in its own units.
What neither foresaw may happen: a war where the attacker expected a concession, a status quo that rests on nothing but
an overestimate, an attack that has to be called off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.models.direct_deterrence import backward_induction, crisis, direct_crisis
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.models.outcomes import outcome_of
from deterrence.perception.outcome import SubjectiveOutcome
from deterrence.perception.subjective import subjective

Payoffs = Mapping[str, Any]
ENDS = ("SQ", "CONCESSION", "BACKDOWN", "WAR")


def _defender(group: str, seen: str, war: float) -> tuple[Parameter, ...]:
    return (
        Parameter(f"{group}.sq", 1, unit="defender", meaning=f"defender's {seen} payoff of the status quo"),
        Parameter(f"{group}.win", 0.9, unit="defender", meaning=f"its {seen} payoff if the attacker backs down"),
        Parameter(f"{group}.war", war, unit="defender", meaning=f"its {seen} payoff of war"),
        Parameter(f"{group}.yield", 0, unit="defender", meaning=f"its {seen} payoff of yielding"),
    )


PARAMETERS = (
    Parameter("A.sq", 0, unit="attacker", meaning="attacker's payoff of the status quo"),
    Parameter("A.win", 1, unit="attacker", meaning="attacker's payoff if the defender yields"),
    Parameter("A.back", -0.3, unit="attacker", meaning="attacker's payoff of backing down"),
    Parameter("A.war", -0.1, unit="attacker", meaning="attacker's payoff of war"),
    *_defender("D_true", "true", 0.2),
    *_defender("D_perceived", "perceived", -0.2),
)


def deterrence_hypergame() -> Model:
    """Return the model."""
    return MisperceivedModel(
        "HYPER",
        true_crisis,
        PARAMETERS,
        {"attack": "attack", "war": "WAR"},
        "Bennett 1977, on the tree of Selten 1978; Zagare and Kilgour 2000, ch. 3",
        title="Direct deterrence as a hypergame",
        mechanism="an attacker that underestimates resolve gets a war that neither side wanted",
        concept="spe",
        confidence="A",
        closed_form=compose,
        perceive=own_parts,
        read=read_outcome,
        formulas={
            "the attacker attacks": r"\max(A_{war}, A_{back}) 1_{resist \mid D_{perceived}} "
            r"+ A_{win} 1_{yield \mid D_{perceived}} > A_{sq}",
            "the defender resists": r"D_{war} 1_{fight} + D_{win} 1_{back} > D_{yield} \quad (D = D_{true})",
        },
    )


def true_crisis(A: Payoffs, D_true: Payoffs, D_perceived: Payoffs) -> ExtensiveGame:
    """Return the tree with the defender's true payoffs, in which things happen."""
    del D_perceived
    return crisis(A, D_true)


def own_parts(_: ExtensiveGame, params: Mapping[str, Any]) -> SubjectiveOutcome:
    """Return what happens when each plays its part of the game that it sees."""
    found = subjective(
        direct_crisis(),
        truth={"A": params["A"], "D": params["D_true"]},
        beliefs={"A": {"D": params["D_perceived"]}},
        war="WAR",
    )
    assert isinstance(found, SubjectiveOutcome)  # not a grid: no value is an array
    return found


def compose(A: Payoffs, D_true: Payoffs, D_perceived: Payoffs) -> dict[str, Any]:
    """Return the outcome, what the attacker expected, and what would happen if nobody were wrong."""
    expected = backward_induction(A, D_perceived)["outcome"]
    fights = A["war"] > A["back"]
    resists = (D_true["war"] if fights else D_true["win"]) > D_true["yield"]
    met = ("WAR" if fights else "BACKDOWN") if resists else "CONCESSION"
    outcome = "SQ" if expected == "SQ" else met
    return {
        "outcome": outcome,
        "full_information": backward_induction(A, D_true)["outcome"],
        "expected_by_A": expected,
        "P_attack": float(outcome != "SQ"),
        "P_war": float(outcome == "WAR"),
    }


def read_outcome(solution: SubjectiveOutcome, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the composition of plans."""
    return {
        "outcome": max(ENDS, key=lambda end: solution.probability(end)[0]),
        "full_information": outcome_of(solution.informed),
        "expected_by_A": max(ENDS, key=lambda end: solution.belief("A", end)[0]),
        "P_attack": solution.probability("attack")[0],
        "P_war": solution.probability("WAR")[0],
    }

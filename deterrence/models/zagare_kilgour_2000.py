"""Perfect deterrence: the rudimentary game with one-sided uncertainty, and the escalation game without any.

**Rudimentary.** A cooperates (status quo) or defects; B, hard with probability p_B, then concedes (DC) or fights
(DD). A hard B prefers fighting to conceding, a soft one does not; B knows its type, A does not. A's payoffs are in
A's units; B's are ordinal.

**Escalation.** The challenger cooperates or demands (D). The defender concedes, responds in kind (D) or escalates
(E). After a response in kind the challenger stops (DD) or escalates, and then the defender gives in (ED) or escalates
(EE); after an escalation the challenger gives in (DE) or escalates (EE). A hard challenger, a tactically hard and a
strategically hard defender are those that prefer fighting at that level. Payoffs are ordinal: only the published
orders matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import chance, end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import outcome_of
from deterrence.models.parameter_table import Choice

RUDIMENTARY = (
    Parameter("p_B", 0.45, 0, 1, "probability", "probability that the defender is hard"),
    Parameter("a_SQ", 0, -100, 100, "attacker", "attacker's payoff of the status quo"),
    Parameter("a_DC", 1, -100, 100, "attacker", "attacker's payoff if the defender concedes"),
    Parameter("a_DD", -1, -100, 100, "attacker", "attacker's payoff of conflict"),
)


def rudimentary_deterrence() -> Model:
    """Return the rudimentary asymmetric deterrence game with a defender of unknown type."""
    return Model(
        "RADG",
        rudimentary_game,
        RUDIMENTARY,
        {"attack": "defect", "war": "DD", "concession": "DC"},
        "Zagare and Kilgour 2000, app. 3",
        title="Rudimentary asymmetric deterrence game",
        mechanism="deterrence holds iff the defender is likely enough to be hard",
        concept="spe",
        confidence="A",
        requires=("a_DD < a_SQ < a_DC",),
        closed_form=rudimentary,
        read=read_rudimentary,
        critical=attacker_indifference,
        draw=draw_rudimentary,
        formulas={"attack iff": r"p_B < p^* = (a_{DC} - a_{SQ}) / (a_{DC} - a_{DD})"},
        differs="nature draws the defender's type after the attacker's move, which comes to the same",
    )


def rudimentary_game(p_B: Any, a_SQ: Any, a_DC: Any, a_DD: Any) -> ExtensiveGame:
    """Return the tree."""

    def answer(fighting: int) -> Any:
        return move("B", {"concede": end("DC", A=a_DC, B=0), "fight": end("DD", A=a_DD, B=fighting)})

    defender = chance({"hard": (p_B, answer(1)), "soft": (1 - p_B, answer(-1))})
    return ExtensiveGame(("A", "B"), move("A", {"cooperate": end("SQ", A=a_SQ, B=2), "defect": defender}))


def attacker_indifference(a_SQ: float, a_DC: float, a_DD: float, **_: Any) -> ContinuousGame:
    """Return the attacker's indifference in the probability that the defender is hard."""
    return ContinuousGame(("A",), {"p_star": Indifferent(lambda p, _: p * a_DD + (1 - p) * a_DC - a_SQ, 0, 1)})


def rudimentary(p_B: float, a_SQ: float, a_DC: float, a_DD: float) -> dict[str, Any]:
    """Return the threshold and the likelihoods."""
    p_star = (a_DC - a_SQ) / (a_DC - a_DD)
    attack = float(p_B < p_star)
    return {"p_star": p_star, "P_attack": attack, "P_war": p_B * attack, "P_concession": (1 - p_B) * attack}


def read_rudimentary(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the likelihoods off the equilibrium."""
    chances = {"P_attack": "defect", "P_war": "DD", "P_concession": "DC"}
    return {name: float(solution.probability(event)[0]) for name, event in chances.items()}


def draw_rudimentary(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    a_DD, a_SQ, a_DC = np.sort(rng.uniform(-2, 2, 3)).tolist()
    return {"p_B": float(rng.uniform(0, 1)), "a_SQ": a_SQ, "a_DC": a_DC, "a_DD": a_DD}


# ---------------------------------------------------------------- escalation

TABLE = "Challenger type | Defender tactical,strategic"
CHALLENGER = {"EE-": 0, "DE": 1, "EE+": 2, "DD": 3, "ED": 4, "SQ": 5, "DC": 6}
DEFENDER = {"EE-": 0, "ED": 1, "EE+": 2, "DD-": 3, "DC": 4, "DD+": 5, "DE": 6, "SQ": 7}


def asymmetric_escalation() -> Model:
    """Return the asymmetric escalation game: its outcome for each pair of types."""
    return Model(
        "AEG",
        escalation_games,
        (Choice("table", TABLE, (TABLE,), "what is tabulated: the outcome by type of challenger and defender"),),
        ("DC", "SQ"),
        "Zagare and Kilgour 1995; 2000, ch. 6",
        title="Asymmetric escalation game, complete information",
        mechanism="a hard challenger is deterred only by a defender that is hard at both levels",
        concept="spe",
        confidence="A",
        closed_form=escalation_outcomes,
        read=lambda solutions, _: {types: outcome_of(found) for types, found in solutions.items()},
        formulas={
            "challenger's order": r"EE^- < DE < EE^+ < DD < ED < SQ < DC",
            "defender's order": r"EE^- < ED < EE^+ < DD^- < DC < DD^+ < DE < SQ",
        },
        differs="the published orders are given the numbers 0, 1, 2, ...",
    )


def escalation_games(table: str) -> dict[str, ExtensiveGame]:
    """Return the tree for each challenger (H or S) and defender (tactical, strategic)."""
    del table
    return {f"{c}|{t}{s}": escalation_game(c, t, s) for c, t, s in product("SH", "HS", "HS")}


def escalation_game(challenger: str, tactical: str, strategic: str) -> ExtensiveGame:
    """Return the tree of one pair of types, each ``"H"`` or ``"S"``."""
    sign = {"H": "+", "S": "-"}

    def over(outcome: str) -> Any:
        c = CHALLENGER[f"EE{sign[challenger]}" if outcome == "EE" else outcome]
        key = {"EE": f"EE{sign[strategic]}", "DD": f"DD{sign[tactical]}"}.get(outcome, outcome)
        return end(outcome, Ch=c, Def=DEFENDER[key])

    in_kind = move("Ch", {"D": over("DD"), "E": move("Def", {"D": over("ED"), "E": over("EE")})})
    escalated = move("Ch", {"D": over("DE"), "E": over("EE")})
    answer = move("Def", {"C": over("DC"), "D": in_kind, "E": escalated})
    return ExtensiveGame(("Ch", "Def"), move("Ch", {"C": over("SQ"), "D": answer}))


def escalation_outcomes(table: str) -> dict[str, Any]:
    """Return the outcome by types: a soft challenger is deterred, a hard one only by a defender hard at both levels."""
    del table
    return {f"{c}|{t}{s}": "SQ" if c == "S" or t == s == "H" else "DC" for c, t, s in product("SH", "HS", "HS")}

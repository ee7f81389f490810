r"""Risks rather than certainties: the critical risk of a disaster, and the threat that leaves something to chance.

**Critical risk.** A player stands firm or concedes. If it stands firm, disaster comes with some probability; otherwise
it wins. It stands firm as long as that probability is at most its critical risk.

**Probabilistic threat.** The threatener may announce that defiance brings war with probability q, and the status quo
otherwise. The target is hard, with probability p_hard, and never withdraws, or soft, and withdraws if that is no worse
than defiance; only the target knows which. Payoffs of each player are in its own units. A risk q is *effective* if the
soft target withdraws, *acceptable* if the threatener gains from threatening at that risk rather than leaving things
as they are. The threatener picks the smallest effective risk, if it is acceptable, and makes no threat otherwise.

References
----------
.. [1] D. Ellsberg, "The Theory and Practice of Blackmail", 1959 (RAND P-3883).
.. [2] T. C. Schelling, *The Strategy of Conflict*, 1960, ch. 8.
.. [3] A. Dixit and S. Skeath, *Games of Strategy*, 1999, ch. 13 (Cuban missile crisis).
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
from deterrence.models.outcomes import plays
from deterrence.models.variants import Variant

FIRM = (
    Parameter("win", 1, -1e6, 1e6, "player", "payoff of prevailing"),
    Parameter("concede", 0, -1e6, 1e6, "player", "payoff of giving way"),
    Parameter("disaster", -4, -1e6, 1e6, "player", "payoff of a disaster"),
    Parameter("risk", 0.1, 0, 1, "probability", "probability of disaster if the player stands firm"),
)
THREAT = (
    Parameter("u_sq", -2, -1e6, 1e6, "threatener", "threatener's payoff of the status quo"),
    Parameter("u_win", 1, -1e6, 1e6, "threatener", "threatener's payoff if the target withdraws"),
    Parameter("u_war", -10, -1e6, 1e6, "threatener", "threatener's payoff of war"),
    Parameter("s_sq", 2, -1e6, 1e6, "target", "soft target's payoff of the status quo"),
    Parameter("s_withdraw", -4, -1e6, 1e6, "target", "soft target's payoff of withdrawing"),
    Parameter("s_war", -8, -1e6, 1e6, "target", "soft target's payoff of war"),
    Parameter("p_hard", 0.2, 0, 1, "probability", "probability that the target never withdraws"),
    Parameter("q", 0.7, 0, 1, "probability", "risk of war that the threat carries"),
)
SMALLEST_SHARE = 1e-12  # odds of a risk beyond which no risk is looked for


def critical_risk() -> Model:
    """Return the model of standing firm at a risk."""
    return Model(
        "CRISK",
        risk_game,
        FIRM,
        ("stand_firm",),
        "Ellsberg 1959; Snyder and Diesing 1977",
        title="Critical risk",
        mechanism="a player stands firm up to a risk that its stakes set",
        concept="cutpoints",
        confidence="A",
        takes=("win", "concede", "disaster"),
        requires=("disaster < concede < win",),
        closed_form=lambda win, concede, disaster: {"critical_risk": (win - concede) / (win - disaster)},
        read=lambda solutions, _: dict(solutions[0]),
        draw=draw_stakes,
        variants=(
            Variant(
                takes=("win", "concede", "disaster", "risk"),
                game=firm_game,
                closed_form=firm,
                read=lambda solutions, _: dict(solutions[0]),
                draw=lambda rng: {**draw_stakes(rng), "risk": float(rng.uniform(0, 1))},
            ),
        ),
        formulas={"stand firm iff": r"P(disaster) \le r^* = (win - concede) / (win - disaster)"},
    )


def standing_firm(risk: Any, win: float, disaster: float) -> Any:
    """Return the payoff of standing firm at a risk."""
    return (1 - risk) * win + risk * disaster


def risk_game(win: float, concede: float, disaster: float) -> ContinuousGame:
    """Return the indifference in the risk."""
    return ContinuousGame(
        ("player",), {"critical_risk": Indifferent(lambda r, _: standing_firm(r, win, disaster) - concede, 0, 1)}
    )


def firm_game(win: float, concede: float, disaster: float, risk: float) -> ContinuousGame:
    """Return the indifference, and the choice at a given risk."""
    return ContinuousGame(("player",), {
        **risk_game(win, concede, disaster).unknowns,
        "stand_firm": Given(lambda _: int(standing_firm(risk, win, disaster) >= concede)),
    })  # fmt: skip


def firm(win: float, concede: float, disaster: float, risk: float) -> dict[str, Any]:
    """Return the critical risk and the choice."""
    critical = (win - concede) / (win - disaster)
    return {"critical_risk": critical, "stand_firm": int(risk <= critical)}


def draw_stakes(rng: np.random.Generator) -> dict[str, float]:
    """Return random stakes in their order."""
    disaster, concede, win = (np.cumsum(rng.uniform(0.05, 2, 3)) - 3).tolist()
    return {"win": win, "concede": concede, "disaster": disaster}


def probabilistic_threat() -> Model:
    """Return the model of a threat that leaves something to chance."""
    requires = ("u_war < u_sq < u_win", "s_withdraw < s_sq", "s_war < s_sq")
    return Model(
        "BRINK",
        threat_game,
        THREAT,
        {"disaster": "war", "threat": "threaten", "withdrawal": "withdraw"},
        "Schelling 1960; Dixit and Skeath 1999 (Cuban missile crisis)",
        title="Probabilistic threat",
        mechanism="a risk of war is a smaller threat than war, and can be used against a harder opponent",
        concept="cutpoints",
        confidence="A",
        takes=tuple(entry.name for entry in THREAT if entry.name != "q"),
        requires=requires,
        closed_form=threat,
        read=read_threat,
        draw=draw_threat,
        variants=(
            Variant(
                game=crisis,
                concept="spe",
                closed_form=crisis_at_risk,
                read=read_crisis,
                draw=lambda rng: {**draw_threat(rng), "q": float(rng.uniform(0, 1))},
            ),
        ),
        formulas={
            "effective": r"q \ge q_e = (s_{sq} - s_{withdraw}) / (s_{sq} - s_{war})",
            "acceptable": r"q \le q_a = \frac{1-p}{p} R, \quad R = (u_{win} - u_{sq}) / (u_{sq} - u_{war})",
            "a risk can be used iff": r"p \le R / (R + q_e)",
            "a certain threat can be used iff": r"p \le (u_{win} - u_{sq}) / (u_{win} - u_{war})",
        },
    )


def threatening(q: Any, p: Any, u_sq: float, u_win: float, u_war: float) -> Any:
    """Return the threatener's payoff of a threat at a risk that the soft target heeds and the hard one does not."""
    return (1 - p) * u_win + p * ((1 - q) * u_sq + q * u_war)


def threat_game(
    u_sq: float, u_win: float, u_war: float, s_sq: float, s_withdraw: float, s_war: float, p_hard: float
) -> ContinuousGame:
    """Return the indifferences of target and threatener in the risk, and of the threatener in the share of hard ones.

    Risks are looked for as odds, q = x / (1 - x), because an acceptable or effective "risk" may exceed 1.
    """

    def gain(q: Any, p: Any) -> Any:
        return threatening(q, p, u_sq, u_win, u_war) - u_sq

    def defiance(x: Any, _: Mapping[str, Any]) -> Any:  # of the soft target, per (1 - x)
        return (1 - x) * (s_sq - s_withdraw) + x * (s_war - s_sq)

    def threat_value(x: Any, _: Mapping[str, Any]) -> Any:
        return (1 - x) * gain(x / (1 - x), p_hard)

    def odds(name: str) -> Given:
        return Given(lambda known: float("inf") if known[name] is None else known[name] / (1 - known[name]))

    def usable(known: Mapping[str, Any]) -> int:
        q = known["q_effective"]
        return int(q <= 1 and gain(q, p_hard) >= 0)

    top = 1 - SMALLEST_SHARE
    return ContinuousGame(("Threatener", "Target"), {
        "x_effective": Indifferent(defiance, 0, top, otherwise="none"),
        "q_effective": odds("x_effective"),
        "x_acceptable": Indifferent(threat_value, 0, top, otherwise="none"),
        "q_acceptable": odds("x_acceptable"),
        "feasible": Given(usable),
        "p_max_pure_threat": Indifferent(lambda p, _: gain(1.0, p), 0, 1),
        "p_max_brinkmanship": Indifferent(lambda p, known: gain(known["q_effective"], p), 0, 1),
        "P_disaster": Given(lambda known: p_hard * known["q_effective"] if known["feasible"] else 0.0),
    })  # fmt: skip


def threat(
    u_sq: float, u_win: float, u_war: float, s_sq: float, s_withdraw: float, s_war: float, p_hard: float
) -> dict[str, Any]:
    """Return the effective and acceptable risks, whether one is both, and the risk of disaster that is run."""
    q_e = (s_sq - s_withdraw) / (s_sq - s_war)
    ratio = (u_win - u_sq) / (u_sq - u_war)
    q_a = (1 - p_hard) / p_hard * ratio if p_hard > 0 else float("inf")
    feasible = int(q_e <= min(q_a, 1.0))
    return {
        "q_effective": q_e,
        "q_acceptable": q_a,
        "feasible": feasible,
        "p_max_pure_threat": (u_win - u_sq) / (u_win - u_war),
        "p_max_brinkmanship": ratio / (ratio + q_e),
        "P_disaster": p_hard * q_e if feasible else 0.0,
    }


def read_threat(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {name: value for name, value in solutions[0].items() if not name.startswith("x_")}


def crisis(
    u_sq: Any, u_win: Any, u_war: Any, s_sq: Any, s_withdraw: Any, s_war: Any, p_hard: Any, q: Any
) -> ExtensiveGame:
    """Return the tree at a given risk; the target's type is drawn after the threat, which comes to the same."""

    def defied(target: dict[str, Any], kind: str) -> Any:
        return chance({
            "war": (q, end(f"war, {kind}", Threatener=u_war, Target=target["war"])),
            "calm": (1 - q, end(f"calm, {kind}", Threatener=u_sq, Target=target["sq"])),
        })  # fmt: skip

    soft = {"war": s_war, "sq": s_sq}
    answer = chance({
        "hard": (p_hard, defied(soft, "hard")),
        "soft": (1 - p_hard, move("Target", infoset="soft", actions={
            "withdraw": end("withdrawal", Threatener=u_win, Target=s_withdraw), "defy": defied(soft, "soft")})),
    })  # fmt: skip
    calm = end("status quo", Threatener=u_sq, Target=s_sq)
    return ExtensiveGame(("Threatener", "Target"), move("Threatener", {"wait": calm, "threaten": answer}))


def crisis_at_risk(q: float, **params: float) -> dict[str, Any]:
    """Return who does what at a given risk."""
    found = threat(**params)
    p = params["p_hard"]
    heeded = int(q >= found["q_effective"])
    threatens = int(heeded and q <= found["q_acceptable"])
    return {
        "withdraws": heeded,
        "threatens": threatens,
        "P_disaster": threatens * p * q,
        "P_withdrawal": threatens * (1 - p),
    }


def read_crisis(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium of the tree."""
    return {
        "withdraws": plays(solution, "Target", "soft", "withdraw"),
        "threatens": plays(solution, "Threatener", "start", "threaten"),
        "P_disaster": solution.probability("war")[0],
        "P_withdrawal": solution.probability("withdraw")[0],
    }


def draw_threat(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which risks are effective or not, acceptable or not."""
    u_war, u_sq, u_win = (np.cumsum(rng.uniform(0.1, 2, 3)) - 3).tolist()
    s_sq = float(rng.uniform(-1, 1))
    fear = float(rng.uniform(0.2, 3))
    return {
        "u_sq": u_sq,
        "u_win": u_win,
        "u_war": u_war,
        "s_sq": s_sq,
        "s_withdraw": s_sq - fear * float(rng.uniform(0.05, 1.2)),
        "s_war": s_sq - fear,
        "p_hard": float(rng.uniform(0.02, 0.98)),
    }

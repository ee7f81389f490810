r"""What there is to bargain over when war is costly: the range of bargains, its division, and a window that closes.

Two states divide a prize of 1; war costs them c_A and c_B. *Mutual optimism*: A believes that it wins with probability
pA_own, B believes that A does with pB_of_A; each accepts what it thinks war is worth to it, or more. *Nash bargaining*:
A's bargaining weight is weight_A, the status quo of the bargain is war. *A closing window*: A's chance of winning falls
from p1 to p2 next period; B holds a prize that flows at 1 - delta a period, can concede all of today's flow but cannot
commit itself to concede anything tomorrow that A could not win by war. All payoffs are in units of the prize.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import end, move
from deterrence.models.model import Model
from deterrence.models.outcomes import plays

COSTS = (
    Parameter("c_A", 0.1, 0, 100, "prize", "A's cost of war"),
    Parameter("c_B", 0.08, 0, 100, "prize", "B's cost of war"),
)
BELIEFS = (
    Parameter("pA_own", 0.6, 0, 1, "probability", "chance that A wins, as A sees it"),
    Parameter("pB_of_A", 0.5, 0, 1, "probability", "chance that A wins, as B sees it"),
)
SHARES = (
    Parameter("p", 0.6, 0, 1, "probability", "chance that A wins a war"),
    Parameter("weight_A", 0.5, 0, 1, "share", "A's bargaining weight"),
)
WINDOW = (
    Parameter("p1", 0.7, 0, 1, "probability", "chance that A wins a war now"),
    Parameter("p2", 0.3, 0, 1, "probability", "chance that A wins a war next period"),
    Parameter("c_A", 0.1, 1e-9, 100, "prize", "A's cost of war"),
    Parameter("delta", 0.9, 0, 1, "discount factor", "weight of the future"),
)


def mutual_optimism() -> Model:
    """Return the model of war by mutual optimism."""
    return Model(
        "MOPT",
        reservations,
        (*BELIEFS, *COSTS),
        (),
        "Blainey 1973; Fearon 1995",
        title="Mutual optimism",
        mechanism="no bargain suits both if they disagree about who would win by more than war costs",
        concept="cutpoints",
        confidence="A",
        closed_form=slack,
        read=read_reservations,
        draw=draw_beliefs,
        formulas={"a bargain exists iff": r"p_A - p_B \le c_A + c_B"},
    )


def reservations(pA_own: float, pB_of_A: float, c_A: float, c_B: float) -> ContinuousGame:
    """Return the least that A accepts and the most that B gives, each by its own belief."""
    low, high = -1 - c_A, 2 + c_B
    return ContinuousGame(("A", "B"), {
        "least": Indifferent(lambda x, _: x - (pA_own - c_A), low, high),
        "most": Indifferent(lambda x, _: (1 - x) - (1 - pB_of_A - c_B), low, high),
        "range_width": Given(lambda known: known["most"] - known["least"]),
    })  # fmt: skip


def slack(pA_own: float, pB_of_A: float, c_A: float, c_B: float) -> dict[str, Any]:
    """Return the width of the range of bargains (negative: none) and whether there is one."""
    width = c_A + c_B - (pA_own - pB_of_A)
    return {"range_width": width, "bargain_exists": int(width >= -1e-12)}


def read_reservations(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    width = solutions[0]["range_width"]
    return {"range_width": width, "bargain_exists": int(width >= -1e-12)}


def draw_beliefs(rng: np.random.Generator) -> dict[str, float]:
    """Return random beliefs and costs at which there may or may not be a bargain."""
    own = {name: float(rng.uniform(0, 1)) for name in ("pA_own", "pB_of_A")}
    return {**own, "c_A": float(rng.uniform(0, 0.3)), "c_B": float(rng.uniform(0, 0.3))}


def nash_bargain() -> Model:
    """Return Nash's bargaining solution in the shadow of war."""
    return Model(
        "NASHB",
        weighted_product,
        (*SHARES, *COSTS),
        (),
        "Nash 1950; textbook",
        title="Nash bargaining in the shadow of war",
        mechanism="the surplus that peace saves is divided by bargaining weight",
        concept="cutpoints",
        confidence="A",
        requires=("c_A + c_B > 0",),
        closed_form=nash_share,
        read=lambda solutions, _: {"share_A": solutions[0]["share_A"]},
        draw=lambda rng: {
            "p": float(rng.uniform(0, 1)),
            "weight_A": float(rng.uniform(0.02, 0.98)),
            "c_A": float(rng.uniform(0.01, 0.5)),
            "c_B": float(rng.uniform(0.01, 0.5)),
        },
        formulas={"A's share": r"p - c_A + w_A (c_A + c_B)"},
    )


def weighted_product(p: float, weight_A: float, c_A: float, c_B: float) -> ContinuousGame:
    """Return the division that maximises the weighted product of the gains over war."""

    def product(x: Any, _: Mapping[str, Any]) -> Any:
        gain_A, gain_B = np.maximum(0, x - (p - c_A)), np.maximum(0, (1 - x) - (1 - p - c_B))
        return gain_A**weight_A * gain_B ** (1 - weight_A)

    return ContinuousGame(("A", "B"), {"share_A": Best(product, p - c_A, p + c_B)})


def nash_share(p: float, weight_A: float, c_A: float, c_B: float) -> dict[str, Any]:
    """Return A's share."""
    return {"share_A": p - c_A + weight_A * (c_A + c_B)}


def closing_window() -> Model:
    """Return the model of preventive war."""
    return Model(
        "PREV",
        window,
        WINDOW,
        ("war",),
        "Fearon 1995; Powell 2006",
        title="Closing window",
        mechanism="a decline that the rising side cannot compensate by promises brings war now, if the future matters",
        concept="spe",
        confidence="A",
        requires=("p2 < p1",),
        closed_form=preventive_war,
        read=read_window,
        critical=patience,
        draw=draw_window,
        formulas={"A fights now iff": r"\delta > \delta^* = (1 - p_1 + c_A) / (1 - p_2 + c_A)"},
        differs="the prize flows at 1 - delta a period, so that its present value is 1",
    )


def window(p1: Any, p2: Any, c_A: Any, delta: Any) -> ExtensiveGame:
    """Return the tree: war now, or all of today's flow and tomorrow what war is worth then."""
    later = move("A", infoset="tomorrow", actions={
        "fight": end("late war", A=(1 - delta) + delta * (p2 - c_A)),
        "settle": end("peace", A=(1 - delta) + delta * (p2 - c_A)),
    })  # fmt: skip
    return ExtensiveGame(("A",), move("A", infoset="today", actions={
        "fight": end("war", A=p1 - c_A), "wait": later}))  # fmt: skip


def preventive_war(p1: float, p2: float, c_A: float, delta: float) -> dict[str, Any]:
    """Return whether A fights now, and the patience above which it does."""
    return {
        "war": int(p1 - c_A > (1 - delta) + delta * (p2 - c_A)),
        "delta_star": (1 - p1 + c_A) / (1 - p2 + c_A),
    }


def read_window(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return A's choice today off the equilibrium."""
    return {"war": int(plays(solution, "A", "today", "fight") > 0.5)}


def patience(p1: float, p2: float, c_A: float, **_: Any) -> ContinuousGame:
    """Return A's indifference today in its patience."""

    def gain(d: Any, _: Mapping[str, Any]) -> Any:
        return (p1 - c_A) - ((1 - d) + d * (p2 - c_A))

    return ContinuousGame(("A",), {"delta_star": Indifferent(gain, 0, 1)})


def draw_window(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which A does or does not fight."""
    low, high = sorted(float(x) for x in rng.uniform(0, 1, size=2))
    return {"p1": high, "p2": low, "c_A": float(rng.uniform(0.01, 0.3)), "delta": float(rng.uniform(0, 1))}

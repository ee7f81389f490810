"""The generalised mutual deterrence game, symmetric case (Zagare and Kilgour 1998; 2000, ch. 4).

Two players choose C or D at once. (C, C) is the status quo, (D, D) war; after (D, C) the player that chose C
retaliates, which is war, if it is hard, and capitulates if it is soft. Each is hard with probability p, which only it
knows. Payoffs are those of either player: W (win) > SQ > DDp (war, hard) > L (capitulate) > DDm (war, soft).
Symmetric equilibria only.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.strategic import StrategicGame
from deterrence.models.model import Model
from deterrence.models.outcomes import mixed_strategies

PARAMETERS = (
    Parameter("p", 0.7, 0, 1, "probability", "probability that a player is hard"),
    Parameter("W", 1, -100, 100, "player", "payoff of winning"),
    Parameter("SQ", 0.6, -100, 100, "player", "payoff of the status quo"),
    Parameter("DDp", 0.3, -100, 100, "player", "hard player's payoff of war"),
    Parameter("L", 0.1, -100, 100, "player", "payoff of capitulating"),
    Parameter("DDm", 0, -100, 100, "player", "soft player's payoff of war"),
)
STRATEGIES = tuple(product((0, 1), (0, 1)))  # whether a hard and a soft player defect


def generalised_mutual_deterrence() -> Model:
    """Return the model."""
    return Model(
        "GMDG",
        bayesian_game,
        PARAMETERS,
        ("SQ", "war", "capitulation"),
        "Zagare and Kilgour 1998; 2000, ch. 4",
        title="Generalised mutual deterrence game, symmetric case",
        mechanism="mutual deterrence needs both sides credible, and even then war remains an equilibrium",
        concept="nash",
        confidence="B",
        requires=("DDm < L < DDp < SQ < W",),
        closed_form=equilibria,
        read=read_equilibria,
        critical=thresholds,
        draw=draw,
        formulas={
            "deterrence iff": r"p \ge h = (W - SQ) / (W - DD^+)",
            "separating iff": r"p \ge e = \frac{W - SQ}{(W - SQ) + (L - DD^-)}",
            "hybrid": r"y_S = \frac{(1-p) g - p l}{(1-p)(g + l)}, \quad P_{war} = e^2",
        },
        differs="only symmetric equilibria are listed; asymmetric ones may exist",
    )


def bayesian_game(p: float, W: float, SQ: float, DDp: float, L: float, DDm: float) -> StrategicGame:
    """Return the Bayesian normal form: a strategy says what a hard and what a soft player does."""
    chance = {1: p, 0: 1 - p}  # hard, soft

    def payoff(mine: tuple[int, int], yours: tuple[int, int]) -> float:
        total = 0.0
        for hard, other in product((1, 0), (1, 0)):
            defect, defected = mine[1 - hard], yours[1 - other]
            total += chance[hard] * chance[other] * outcome(hard, other, defect, defected)
        return total

    def outcome(hard: int, other: int, defect: int, defected: int) -> float:
        war = DDp if hard else DDm
        if defect and defected:
            return war
        if defect:
            return war if other else W
        if defected:
            return war if hard else L
        return SQ

    rows = np.array([[payoff(a, b) for b in STRATEGIES] for a in STRATEGIES])
    labels = [f"hard {'CD'[a]}, soft {'CD'[b]}" for a, b in STRATEGIES]
    return StrategicGame(rows, rows.T, strategies=(labels, labels), title="Generalised mutual deterrence")


def thresholds(W: float, SQ: float, DDp: float, L: float, DDm: float, **_: Any) -> ContinuousGame:
    """Return when a hard player gains from defecting on cooperators, and a soft one when only the hard defect."""
    return ContinuousGame(("either",), {
        "h": Indifferent(lambda p, _: p * DDp + (1 - p) * W - SQ, 0, 1),
        "e": Indifferent(lambda p, _: (p * DDm + (1 - p) * W) - (p * L + (1 - p) * SQ), 0, 1),
    })  # fmt: skip


def equilibria(p: float, W: float, SQ: float, DDp: float, L: float, DDm: float) -> dict[str, Any]:
    """Return every symmetric equilibrium (generic parameters): yH and yS are the probabilities that a type defects."""
    g, loss = W - SQ, L - DDm
    h, e = g / (W - DDp), g / (g + loss)
    found: dict[str, Any] = {}
    if p >= h:
        found["deterrence"] = (0.0, 0.0)
        found["hard_mix"] = (1 - (1 - p) * g / (p * (SQ - DDp)), 0.0)
    if p >= e:
        found["separating"] = (1.0, 0.0)
    else:
        found["hybrid"] = (1.0, ((1 - p) * g - p * loss) / ((1 - p) * (g + loss)))
    return {"h": h, "e": e, "symmetric_equilibria": {name: _play(p, *play) for name, play in found.items()}}


def read_equilibria(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the symmetric ones of all equilibria of the normal form."""
    found: dict[str, Any] = {}
    for e in solution:
        row, column = (np.asarray(mix, dtype=np.float64) for mix in mixed_strategies(e.profile))
        if np.abs(row - column).max() < 1e-9:
            yH, yS = (float(sum(x * s[i] for x, s in zip(row, STRATEGIES, strict=True))) for i in (0, 1))
            found[_name(yH, yS)] = _play(params["p"], yH, yS)
    return {"symmetric_equilibria": found}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    DDm, L, DDp, SQ, W = (np.cumsum(rng.uniform(0.05, 1, 5)) / 3).tolist()
    return {"p": float(rng.uniform(0.02, 0.98)), "W": W, "SQ": SQ, "DDp": DDp, "L": L, "DDm": DDm}


def _play(p: float, yH: float, yS: float) -> dict[str, float]:
    """Return what happens by definition: war if both defect, or one does and the other is hard."""
    quiet_hard, quiet_soft, defects = p * (1 - yH), (1 - p) * (1 - yS), p * yH + (1 - p) * yS
    return {"yH": yH, "yS": yS, "P_SQ": (1 - defects) ** 2, "P_war": defects**2 + 2 * defects * quiet_hard,
            "P_capitulation": 2 * defects * quiet_soft}  # fmt: skip


def _name(yH: float, yS: float) -> str:
    if yS > 1e-9:
        return "hybrid"
    return "deterrence" if yH < 1e-9 else "separating" if yH > 1 - 1e-9 else "hard_mix"

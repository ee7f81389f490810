r"""Strategic deterrence with agent error: the tree of direct deterrence, played by logit responses (Signorino 1999).

The attacker holds or attacks; the defender yields or resists; the attacker backs down or fights. Each information set
plays an action with probability proportional to exp(lam times its expected payoff there): errors of type-I extreme
value and scale 1/lam on every action. All information is perfect, so the equilibrium is unique and is computed from
the last move up. Payoffs of each player are in its own units, lam in one over those units.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Any

import numpy as np

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.models import direct_deterrence
from deterrence.models.model import Model
from deterrence.models.outcomes import plays

Payoffs = Mapping[str, Any]

SHARP = 1e12  # the precision that stands for infinity in the solver, per unit of payoff

PARAMETERS = (
    *direct_deterrence.PARAMETERS,
    Parameter("lam", 2, 0, float("inf"), "one over payoff", "precision of responses; infinite: best responses"),
)


def agent_error() -> Model:
    """Return the model."""
    return Model(
        "SIGN",
        crisis,
        PARAMETERS,
        {"attack": "attack", "war": "WAR", "SQ": "SQ", "concession": "CONCESSION", "backdown": "BACKDOWN"},
        "Signorino 1999; McKelvey and Palfrey 1998",
        title="Strategic deterrence with agent error",
        mechanism="noisy choices blur thresholds into probabilities that data can estimate",
        concept="qre",
        confidence="A",
        closed_form=chances,
        read=read_chances,
        draw=lambda rng: {
            "A": dict(zip(("sq", "win", "back", "war"), rng.normal(size=4).tolist(), strict=True)),
            "D": dict(zip(("sq", "yield", "win", "war"), rng.normal(size=4).tolist(), strict=True)),
            "lam": float("inf") if rng.uniform() < 0.1 else float(rng.uniform(0, 6)),
        },
        formulas={
            "fight": r"P_F = \Lambda(\lambda (A_{war} - A_{back})), \quad \Lambda(z) = 1 / (1 + e^{-z})",
            "resist": r"P_R = \Lambda(\lambda (P_F D_{war} + (1 - P_F) D_{win} - D_{yield}))",
            "attack": r"P_A = \Lambda(\lambda (P_R (P_F A_{war} + (1 - P_F) A_{back}) + (1 - P_R) A_{win} - A_{sq}))",
        },
        differs="in the game object payoffs are in units of the errors, so that the precision is 1",
    )


def crisis(A: Payoffs, D: Payoffs, lam: float) -> ExtensiveGame:
    """Return the tree with payoffs in units of the errors: multiplied by the precision."""
    scale = SHARP if isinf(lam) else lam
    return direct_deterrence.crisis(
        {name: scale * x for name, x in A.items()}, {name: scale * x for name, x in D.items()}
    )


def chances(A: Payoffs, D: Payoffs, lam: float) -> dict[str, Any]:
    """Return the chances of every move and every outcome."""
    fight = logit(lam, A["war"] - A["back"])
    resist = logit(lam, fight * D["war"] + (1 - fight) * D["win"] - D["yield"])
    opposed = fight * A["war"] + (1 - fight) * A["back"]
    attack = logit(lam, resist * opposed + (1 - resist) * A["win"] - A["sq"])
    return {
        "P_attack": attack,
        "P_resist": resist,
        "P_fight": fight,
        "P_SQ": 1 - attack,
        "P_concession": attack * (1 - resist),
        "P_backdown": attack * resist * (1 - fight),
        "P_war": attack * resist * fight,
    }


def logit(lam: float, gain: float) -> float:
    """Return the chance of the first of two actions; at infinite precision a tie is a toss-up."""
    if isinf(lam):
        return 0.5 if abs(gain) < 1e-14 else float(gain > 0)
    return float(0.5 * (1 + np.tanh(lam * gain / 2)))


def read_chances(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium."""
    players = solution.game.players
    holds = {action: (players[s.player], s.name) for s in solution.game.infosets for action in s.actions}
    moves = {f"P_{action}": plays(solution, *holds[action], action) for action in ("attack", "resist", "fight")}
    ends = {"SQ": "SQ", "concession": "CONCESSION", "backdown": "BACKDOWN", "war": "WAR"}
    return {**moves, **{f"P_{name}": solution[0].probability(label) for name, label in ends.items()}}

r"""An ambiguous commitment before two audiences: enough to deter the attacker, not so much as to embolden the protege.

The guarantor will respond with probability q, chosen beforehand. The attacker attacks if that pays: W if there is no
response, L if there is, S in the status quo, L < S < W. The protege provokes the attacker if that pays: H if it is
backed, -loss if it is not. The attacker perceives q - b_A and the protege q + b_P, so that a q deters and restrains
both iff it lies in the window [q_deter + b_A, q_restrain - b_P). In the interior version the likelihood of an attack
is 1 - q and that of a provocation q^2, and the guarantor weighs its losses L_A and L_P from them.

References
----------
.. [1] G. H. Snyder, "The Security Dilemma in Alliance Politics", World Polit. 36 (1984), 461-495.
.. [2] F. C. Zagare and D. M. Kilgour, "Alignment Patterns, Crisis Bargaining, and Extended Deterrence", Int. Stud. Q.
   47 (2003), 587-615.
.. [3] B. V. Benson, *Constructing International Security*, 2012.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant

AUDIENCES = (
    Parameter("W", 0.4, -1e3, 1e3, "attacker", "attacker's payoff of an unopposed attack"),
    Parameter("L", -1, -1e3, 1e3, "attacker", "attacker's payoff if the guarantor responds"),
    Parameter("S", 0, -1e3, 1e3, "attacker", "attacker's payoff of the status quo"),
    Parameter("H", 0.5, 1e-9, 1e3, "protege", "protege's gain of a provocation if it is backed"),
    Parameter("loss", 0.75, 1e-9, 1e3, "protege", "protege's loss from a provocation if it is not backed"),
    Parameter("b_A", 0, -1, 1, "probability", "how much the attacker underestimates the commitment"),
    Parameter("b_P", 0, -1, 1, "probability", "how much the protege overestimates the commitment"),
)
COMMITMENT = Parameter("q", 0.4, 0, 1, "probability", "probability of a response")
WEIGHTS = (
    Parameter("L_A", 1, 1e-9, 1e3, "guarantor", "guarantor's loss from an attack"),
    Parameter("L_P", 1.25, 1e-9, 1e3, "guarantor", "guarantor's loss from a provocation"),
)
BOTH = tuple(entry.name for entry in AUDIENCES)


def two_audiences() -> Model:
    """Return the model."""
    return Model(
        "AMBIG",
        window_game,
        (*AUDIENCES, COMMITMENT, *WEIGHTS),
        ("attack", "provocation"),
        "Snyder 1984; Zagare and Kilgour 2003; Benson 2012 (idea)",
        title="Ambiguous commitment before two audiences",
        mechanism="ambiguity deters one and restrains the other, as long as both read it rightly",
        concept="cutpoints",
        confidence="C",
        takes=BOTH,
        requires=("L < S < W",),
        closed_form=window,
        read=read_window,
        draw=draw,
        variants=(
            Variant(
                takes=(*BOTH, "q"),
                game=commitment_game,
                closed_form=commitment,
                read=read_commitment,
                draw=lambda rng: {**draw(rng), "q": float(rng.uniform(0, 1))},
            ),
            Variant(
                name="minimise L_A(1-q)+L_P q^2",
                takes=("L_A", "L_P"),
                game=least_loss_game,
                closed_form=least_loss,
                read=lambda solutions, _: {"q_opt": solutions[0]["q"], "loss": -solutions[0]["q:payoff"]},
                draw=draw_weights,
            ),
        ),
        formulas={
            "deters iff": r"q - b_A \ge q_{deter} = (W - S) / (W - L)",
            "provokes iff": r"q + b_P > q_{restrain} = loss / (H + loss)",
            "interior optimum": r"q_{opt} = \min(1, L_A / (2 L_P))",
        },
    )


def attacking(q: Any, W: float, L: float, S: float) -> Any:
    """Return the attacker's gain of an attack at a perceived commitment."""
    return (1 - q) * W + q * L - S


def provoking(q: Any, H: float, loss: float) -> Any:
    """Return the protege's gain of a provocation at a perceived commitment."""
    return q * H - (1 - q) * loss


def window_game(W: float, L: float, S: float, H: float, loss: float, b_A: float, b_P: float) -> ContinuousGame:
    """Return the indifferences of both audiences, in what they perceive and in the commitment itself."""
    return ContinuousGame(("Guarantor", "Attacker", "Protege"), {
        "q_deter": Indifferent(lambda q, _: attacking(q, W, L, S), 0, 1),
        "q_restrain": Indifferent(lambda q, _: provoking(q, H, loss), 0, 1),
        "lower": Indifferent(lambda q, _: attacking(q - b_A, W, L, S), b_A, 1 + b_A),
        "upper": Indifferent(lambda q, _: provoking(q + b_P, H, loss), -b_P, 1 - b_P),
    })  # fmt: skip


def window(W: float, L: float, S: float, H: float, loss: float, b_A: float, b_P: float) -> dict[str, Any]:
    """Return the thresholds and the window; it is not clipped to [0, 1], and its width is negative if there is none."""
    q_deter, q_restrain = (W - S) / (W - L), loss / (H + loss)
    return {"q_deter": q_deter, "q_restrain": q_restrain, **_window(q_deter + b_A, q_restrain - b_P)}


def read_window(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    thresholds = {name: found[name] for name in ("q_deter", "q_restrain")}
    return {**thresholds, **_window(found["lower"], found["upper"])}


def commitment_game(
    W: float, L: float, S: float, H: float, loss: float, b_A: float, b_P: float, q: float
) -> ContinuousGame:
    """Return the indifferences, and what both audiences do at a given commitment."""
    return ContinuousGame(("Guarantor", "Attacker", "Protege"), {
        **window_game(W, L, S, H, loss, b_A, b_P).unknowns,
        "P_attack": Given(lambda _: float(attacking(q - b_A, W, L, S) > 0)),
        "P_provocation": Given(lambda _: float(provoking(q + b_P, H, loss) > 0)),
    })  # fmt: skip


def commitment(q: float, **params: float) -> dict[str, Any]:
    """Return the window, and what both audiences do at a given commitment."""
    found = window(**params)
    attack, provocation = q - params["b_A"] < found["q_deter"], q + params["b_P"] > found["q_restrain"]
    return {**found, "P_attack": float(attack), "P_provocation": float(provocation)}


def read_commitment(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    chances = {name: solutions[0][name] for name in ("P_attack", "P_provocation")}
    return {**read_window(solutions, params), **chances}


def least_loss_game(L_A: float, L_P: float) -> ContinuousGame:
    """Return the guarantor's choice of a commitment against the losses expected from both audiences."""
    return ContinuousGame(("Guarantor",), {"q": Best(lambda q, _: -(L_A * (1 - q) + L_P * q**2), 0, 1)})


def least_loss(L_A: float, L_P: float) -> dict[str, Any]:
    """Return the best commitment and the loss expected at it."""
    q = min(1.0, L_A / (2 * L_P))
    return {"q_opt": q, "loss": L_A * (1 - q) + L_P * q**2}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with and without a window."""
    L, S, W = (np.cumsum(rng.uniform(0.1, 2, 3)) - 3).tolist()
    H, loss = (float(x) for x in rng.uniform(0.1, 2, 2))
    b_A, b_P = (float(x) for x in rng.choice([0, 1], 2) * rng.uniform(-0.3, 0.3, 2))
    return {"W": W, "L": L, "S": S, "H": H, "loss": loss, "b_A": b_A, "b_P": b_P}


def draw_weights(rng: np.random.Generator) -> dict[str, float]:
    """Return random losses at which the best commitment is partial or full."""
    L_A, L_P = (float(x) for x in rng.uniform(0.2, 2, 2))
    return {"L_A": L_A, "L_P": L_P}


def _window(low: float, high: float) -> dict[str, Any]:
    return {"window": [low, high], "window_width": high - low, "feasible": int(low < high and low <= 1 and high > 0)}

"""Clarity or ambiguity as information design (Kamenica and Gentzkow 2011).

The guarantor is resolved (R, with probability rho) or irresolute (I). Before it learns which, it commits to a public
signal of its type. The attacker sees the signal and attacks iff its belief in resolve is below mu_star. The guarantor
wants no attack whatever its type; payoffs are normalised so that the attacker is indifferent at mu_star.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.payoffs import table

PARAMETERS = (
    Parameter("rho", 0.3, 0, 1, "probability", "prior that the guarantor is resolved"),
    Parameter("mu_star", 0.5, 0, 1, "probability", "belief below which the attacker attacks"),
)


def clarity_or_ambiguity() -> Model:
    """Return the model."""
    return Model(
        "PERS",
        signal_design,
        PARAMETERS,
        ("attack_optimal", "attack_full_disclosure", "attack_no_information"),
        "Kamenica and Gentzkow 2011",
        title="Clarity versus ambiguity as information design",
        mechanism="clarity helps a guarantor that is thought weak, ambiguity one that is thought strong",
        concept="persuasion",
        confidence="A",
        requires=("0 < mu_star < 1", "0 < rho < 1"),
        closed_form=best_signal,
        read=read_signal,
        formulas={
            "optimal": r"P_{attack} = \max(0, 1 - \rho / \mu^*)",
            "irresolute types pooled": r"\frac{\rho (1-\mu^*)}{(1-\rho) \mu^*}",
        },
    )


def signal_design(rho: Any, mu_star: Any) -> SignalingGame:
    """Return the game; its messages recommend the attacker's responses and cost nothing."""
    return SignalingGame(
        types=("resolved", "irresolute"),
        messages=("reassuring", "alarming"),
        responses=("hold", "attack"),
        prior=table([rho, 1 - rho]),
        sender_payoffs=table([[[0, -1]] * 2] * 2),
        receiver_payoffs=table([[[0, mu_star - 1]] * 2, [[0, mu_star]] * 2]),
        players=("Guarantor", "Attacker"),
    )


def best_signal(rho: float, mu_star: float) -> dict[str, Any]:
    """Return the likelihood of attack under the best signal, full disclosure and silence."""
    deterred = rho >= mu_star
    pooled = 1.0 if deterred else rho * (1 - mu_star) / ((1 - rho) * mu_star)
    return {
        "P_attack_optimal": 0.0 if deterred else 1 - rho / mu_star,
        "P_attack_full_disclosure": 1 - rho,
        "P_attack_no_information": float(not deterred),
        "pool_I": pooled,
    }


def read_signal(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the optimal signal, and off best replies to what each type, and the prior, would tell."""
    game, (optimal,) = solution.game, solution
    gains = game.V[:, 0, 0, 1] - game.V[:, 0, 0, 0]  # from attacking, by type
    return {
        "P_attack_optimal": float(optimal.probability("attack")),
        "P_attack_full_disclosure": float(game.prior @ (gains > 0)),
        "P_attack_no_information": float(game.prior @ gains > 0),
        "pool_I": float(signaling(optimal.profile).sender[1, 0]),
    }

"""Beer and quiche in deterrence dress (Cho and Kreps 1987).

The sender is strong (probability P_strong) or weak. It mobilises (beer) or stays at ease (quiche); the strong type
prefers beer, the weak quiche, by 1. The receiver sees that and attacks (duel) or not; not being attacked is worth 2
to the sender. The receiver gets 1 for attacking the weak or sparing the strong, else 0, so it attacks iff it thinks
weak more likely than strong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.payoffs import table

PARAMETERS = (Parameter("P_strong", 0.9, 0, 1, "probability", "probability that the sender is strong"),)


def beer_quiche() -> Model:
    """Return the model."""
    return Model(
        "BQ",
        signaling_game,
        PARAMETERS,
        ("duel",),
        "Cho and Kreps 1987",
        title="Beer-quiche in deterrence dress",
        mechanism="a signal deters when only the strong would gain from it",
        concept="pbe",
        confidence="A",
        requires=("0 < P_strong < 1", "P_strong != 0.5"),
        closed_form=equilibria,
        read=read_equilibria,
        arrays=True,
        formulas={
            "strong likely": r"P_{strong} > 1/2: \text{ pool on beer (intuitive), pool on quiche; } P_{duel} = 0",
            "weak likely": r"P_{strong} < 1/2: \text{ weak beer with } \frac{P_{strong}}{1 - P_{strong}}; "
            r"\quad P_{duel} = 1 - P_{strong}",
        },
    )


def signaling_game(P_strong: Any) -> SignalingGame:
    """Return the game."""
    return SignalingGame(
        types=("strong", "weak"),
        messages=("beer", "quiche"),
        responses=("duel", "not"),
        prior=table([P_strong, 1 - P_strong]),
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
        receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )


def equilibria(P_strong: float) -> dict[str, Any]:
    """Return the equilibrium outcomes and what the intuitive criterion keeps."""
    if P_strong > 0.5:
        return {
            "PBE_outcomes": ["pool_beer", "pool_quiche"],
            "off_path_duel_prob_min": 0.5,
            "intuitive_survivors": ["pool_beer"],
            "P_duel": 0.0,
        }
    return {
        "PBE_outcomes": ["semi_separating"],
        "intuitive_survivors": ["semi_separating"],
        "strong_beer": 1.0,
        "weak_beer": P_strong / (1 - P_strong),
        "P_duel_given_beer": 0.5,
        "P_duel_given_quiche": 1.0,
        "P_duel": 1 - P_strong,
    }


def read_equilibria(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the set of equilibria."""
    outcomes = {name: [e for e in solution if _name(signaling(e.profile)) == name] for name in _NAMES}
    kept = {name: any(e.survives("intuitive") for e in found) for name, found in outcomes.items() if found}
    result = {
        "PBE_outcomes": list(kept),
        "intuitive_survivors": [name for name, survives in kept.items() if survives],
        "P_duel": float(solution.probability("duel")[1]),
    }
    if "semi_separating" not in kept:
        unsent = {"pool_beer": 1, "pool_quiche": 0}
        duels = [signaling(v).receiver[0, unsent[name], 0] for name in kept for e in outcomes[name] for v in e.vertices]
        return {**result, "off_path_duel_prob_min": float(min(duels))}
    profile = signaling(outcomes["semi_separating"][0].profile)
    return {
        **result,
        "strong_beer": float(profile.sender[0, 0]),
        "weak_beer": float(profile.sender[1, 0]),
        "P_duel_given_beer": float(profile.receiver[0, 0, 0]),
        "P_duel_given_quiche": float(profile.receiver[0, 1, 0]),
    }


_NAMES = ("pool_beer", "pool_quiche", "semi_separating")


def _name(profile: SignalingProfile) -> str:
    beer = profile.sender[:, 0]
    return "pool_beer" if beer.min() > 1 - 1e-9 else "pool_quiche" if beer.max() < 1e-9 else "semi_separating"

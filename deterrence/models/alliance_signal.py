r"""A costly signal of an alliance commitment: sunk cost, tied hands and joint capability in one two-type game.

Nature makes the guarantor resolute (R, with probability rho) or irresolute (I), and only the guarantor learns it. It
signs a treaty (forward deployment, ...) or stays silent. The attacker sees the treaty, not the type, and attacks or
holds. If attacked, the guarantor fights, at cost w, or abandons its protege, at the loss of its stake v_I < w < v_R
and of h more under a treaty. The treaty costs k in peace. The attacker's payoffs are in its own units: 0 without an
attack, g if the guarantor abandons, -d if it fights and -d1 <= -d if it fights under a treaty (joint capability).

Equilibria are named by who sends the treaty; a0 and a1 are the probabilities of attack after silence and after the
treaty. Fearon's (1997) types form a continuum; here there are two, and Morrow's (1994) tightness is one number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet, Profile
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.payoffs import table
from deterrence.models.variants import Variant

PARAMETERS = (
    Parameter("rho", 0.3, 0, 1, "probability", "prior that the guarantor is resolute"),
    Parameter("k", 0.2, 0, 100, "guarantor", "cost of the treaty, paid whatever follows"),
    Parameter("h", 0, 0, 100, "guarantor", "further cost of abandoning under a treaty"),
    Parameter("d1", 1, 1e-9, 100, "attacker", "attacker's loss if the guarantor fights under a treaty"),
    Parameter("v_I", 0.4, 1e-9, 100, "guarantor", "stake of the irresolute type"),
    Parameter("w", 1, 1e-9, 100, "guarantor", "guarantor's cost of war"),
    Parameter("v_R", 2, 1e-9, 100, "guarantor", "stake of the resolute type"),
    Parameter("g", 1, 1e-9, 100, "attacker", "attacker's gain if the guarantor abandons"),
    Parameter("d", 1, 1e-9, 100, "attacker", "attacker's loss if the guarantor fights without a treaty"),
)

NAMES = {  # the treaty is sent by R, by I: never 0, always 1, sometimes 1/2
    (0.0, 0.0): "pool0",
    (1.0, 0.0): "separating",
    (1.0, 0.5): "semiseparating",
    (0.5, 0.0): "semisep_silence",
    (1.0, 1.0): "pool1",
}
BABBLE = "free announcements babble"


def alliance_signaling() -> Model:
    """Return the model."""
    return Model(
        "ALSIG",
        signaling_game,
        PARAMETERS,
        ("attack", "war"),
        "Fearon 1997; Morrow 1994; Spence 1973",
        title="Costly alliance signal: sunk cost, tied hands, capability",
        mechanism="a signal is believed because it hurts the irresolute; a free promise changes nothing",
        concept="pbe",
        confidence="B",
        requires=("v_I < w < v_R", "d <= d1"),
        closed_form=equilibria,
        read=read_equilibria,
        critical=indifferent_beliefs,
        draw=draw,
        arrays=True,
        variants=(
            Variant(
                name="sweep of the D1-selected class over k",
                game=signaling_game,
                closed_form=selected_class,
                read=read_selected,
                draw=draw,
                arrays=False,
            ),
        ),
        formulas={
            "belief at which the attacker is indifferent": r"\mu_0^* = g/(g+d), \quad \mu_1^* = g/(g+d_1)",
            "separating": r"v_I \le k \le w: \quad P_{attack} = 1 - \rho, \quad P_{war} = 0",
            "semi-separating": r"k < v_I,\ \rho < \mu_1^*: \quad a_1 = \frac{v_I - k}{v_I + h}, \quad "
            r"P_{attack} = 1 - \frac{\rho}{\mu_1^*} \frac{k + h}{v_I + h}, \quad P_{war} = \rho a_1",
        },
    )


def signaling_game(rho: Any, k: Any, h: Any, d1: Any, v_I: Any, w: Any, v_R: Any, g: Any, d: Any) -> SignalingGame:
    """Return the game after folding back the guarantor's last move; every parameter may be an array."""
    fights = [[v + tied >= w for tied in (0, h)] for v in (v_R, v_I)]
    loss = [[np.minimum(w, v + tied) for tied in (0, h)] for v in (v_R, v_I)]
    gain = [[np.where(fights[t][m], -harm, g) for m, harm in enumerate((d, d1))] for t in range(2)]
    paid = (0, k)
    return SignalingGame(
        types=("resolute", "irresolute"),
        messages=("silence", "treaty"),
        responses=("hold", "attack"),
        prior=table([rho, 1 - rho]),
        sender_payoffs=table([[[-paid[m], -paid[m] - loss[t][m]] for m in range(2)] for t in range(2)]),
        receiver_payoffs=table([[[0, gain[t][m]] for m in range(2)] for t in range(2)]),
        events={"war": table([[[0, fights[t][m] * 1.0] for m in range(2)] for t in range(2)])},
        players=("Guarantor", "Attacker"),
    )


def indifferent_beliefs(g: float, d: float, d1: float, **_: Any) -> ContinuousGame:
    """Return the attacker's indifference in its belief, without and with a treaty, if only the resolute type fights."""
    return ContinuousGame(("Attacker",), {
        "mu_star_0": Indifferent(lambda mu, _: (1 - mu) * g - mu * d, 0, 1),
        "mu_star_1": Indifferent(lambda mu, _: (1 - mu) * g - mu * d1, 0, 1),
    })  # fmt: skip


def equilibria(
    rho: float, k: float, h: float, d1: float, v_I: float, w: float, g: float, d: float, **_: float
) -> dict[str, Any]:
    """Return every class of perfect Bayesian equilibria (generic parameters), with what holds each up off the path."""
    mu0, mu1 = g / (g + d), g / (g + d1)
    beliefs = {"mu_star_0": mu0, "mu_star_1": mu1}
    if k == h == 0 and d1 == d:
        attack = float(rho < mu0)
        return {**beliefs, "P_attack": attack, "P_war": rho * attack, "note": BABBLE}
    locked = h >= w - v_I
    doubted = rho < mu0
    found: dict[str, Any] = {}
    a1_min = 0.0 if not doubted else max(1 - k / w, (v_I - k) / (v_I + h), 0.0)
    if not doubted or not locked or k >= w:
        a0 = float(doubted)
        found["pool0"] = {"s_R": 0, "s_I": 0, "a0": a0, "a1_min": a1_min if not locked else 0.0,
                          "P_attack": a0, "P_war": rho * a0}  # fmt: skip
    if v_I <= k <= w:
        found["separating"] = {"s_R": 1, "s_I": 0, "a0": 1, "a1": 0, "P_attack": 1 - rho, "P_war": 0}
    if doubted and not locked and k < v_I and rho < mu1:
        a1 = (v_I - k) / (v_I + h)
        bluff = rho * (1 - mu1) / ((1 - rho) * mu1)
        found["semiseparating"] = {"s_R": 1, "s_I": bluff, "a0": 1, "a1": a1,
                                   "P_attack": 1 - rho / mu1 * (1 - a1), "P_war": rho * a1}  # fmt: skip
    if not doubted and 0 < k <= w:
        s_R = 1 - (1 - rho) * mu0 / (rho * (1 - mu0))
        a0 = k / w
        found["semisep_silence"] = {"s_R": s_R, "s_I": 0, "a0": a0, "a1": 0,
                                    "P_attack": (1 - rho) / (1 - mu0) * a0, "P_war": rho * (1 - s_R) * a0}  # fmt: skip
    if k <= v_I and (locked or rho > mu1):
        found["lockin_pool1" if locked else "pool1"] = {
            "s_R": 1, "s_I": 1, "a1": 0, "a0_min": k / v_I, "P_attack": 0, "P_war": 0}  # fmt: skip
    return {**beliefs, "equilibria": found}


def read_equilibria(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same classes off the set of equilibria."""
    if params["k"] == params["h"] == 0 and params["d1"] == params["d"]:
        return {"P_attack": solution.probability("attack")[0], "P_war": solution.probability("war")[0], "note": BABBLE}
    points: dict[str, list[tuple[Equilibrium, SignalingProfile]]] = {}
    for e in solution:
        name = class_of(e.profile, params)
        if name is not None:
            points.setdefault(name, []).extend((e, signaling(vertex)) for vertex in e.vertices)
        else:  # a continuum that joins classes: keep its corners
            for vertex in e.vertices:
                corner = class_of(vertex, params)
                if corner in ("pool0", "pool1", "lockin_pool1"):
                    points.setdefault(corner, []).append((e, signaling(vertex)))
    return {"equilibria": {name: _described(name, found) for name, found in points.items()}}


def selected_class(**params: float) -> dict[str, Any]:
    """Return the class that D1 selects; of several, the one that the guarantor likes best (silence, if it deters)."""
    found = equilibria(**params)
    if "equilibria" not in found:
        return {"equilibrium": "pool0", "P_attack": found["P_attack"], "P_war": found["P_war"]}
    classes: Mapping[str, Any] = found["equilibria"]
    if params["rho"] >= found["mu_star_0"] or len(classes) == 1:
        name = "pool0" if "pool0" in classes else next(iter(classes))
    else:
        name = next(other for other in classes if other != "pool0")
    return {"equilibrium": name, "P_attack": classes[name]["P_attack"], "P_war": classes[name]["P_war"]}


def read_selected(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibria that survive D1."""
    survivors = [e for e in solution if e.survives("d1")]
    best = max(survivors, key=lambda e: float(e.payoffs["Guarantor"]))
    name = class_of(best.profile, params) or "pool0"
    return {"equilibrium": name, "P_attack": best.probability("attack"), "P_war": best.probability("war")}


def class_of(profile: Profile, params: Mapping[str, Any]) -> str | None:
    """Return the name of a class by who sends the treaty; None if both types mix."""
    sender = signaling(profile).sender
    name = NAMES.get((sort(sender[0, 1]), sort(sender[1, 1])))
    locked = params["v_I"] + params["h"] >= params["w"]
    return "lockin_pool1" if name == "pool1" and locked else name


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters that reach every class."""
    v_I, g, d = rng.uniform(0.1, 1, 3)
    w = v_I + rng.uniform(0.1, 1)
    return {
        "rho": float(rng.uniform(0.05, 0.95)),
        "k": float(rng.uniform(0, 1.3 * w)),
        "h": float(rng.choice([0.0, rng.uniform(0, 1.5 * (w - v_I))])),
        "d1": float(d * rng.choice([1.0, rng.uniform(1, 4)])),
        "v_I": float(v_I),
        "w": float(w),
        "v_R": float(w + rng.uniform(0.1, 2)),
        "g": float(g),
        "d": float(d),
    }


def _described(name: str, points: list[tuple[Equilibrium, SignalingProfile]]) -> dict[str, Any]:
    e, first = points[0]
    a0, a1 = ([float(vertex.receiver[0, m, 1]) for _, vertex in points] for m in range(2))
    found = {"s_R": float(first.sender[0, 1]), "s_I": float(first.sender[1, 1]), "a0": a0[0], "a1": a1[0]}
    if name == "pool0":
        del found["a1"]
        found["a1_min"] = min(a1)
    if name.endswith("pool1"):
        del found["a0"]
        found["a0_min"] = min(a0)
    return {**found, "P_attack": first.probability(e.game, "attack"), "P_war": first.probability(e.game, "war")}


def sort(probability: float) -> float:
    """Return 0, 1 or, for what is neither, 1/2."""
    return 0.0 if probability < 1e-9 else 1.0 if probability > 1 - 1e-9 else 0.5

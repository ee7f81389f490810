"""The unilateral deterrence game with two-sided incomplete information (Zagare and Kilgour 2000, ch. 5).

The challenger keeps the status quo (SQ) or initiates. The defender concedes (DC) or resists; if it resists, the
challenger backs down (CD) or presses on (DD). Each is hard or soft, which only it knows: a hard challenger presses
on, a hard defender always resists. Payoffs of each player are in its own units; DDp and DDm are those of conflict for
a hard and a soft player.

Equilibria are named as in the book, by who initiates. The book draws steadfast deterrence in a part of the plane
only; as a perfect Bayesian equilibrium it exists wherever p_Def < c_h.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.payoffs import table
from deterrence.models.variants import Variant

Payoffs = Mapping[str, Any]

PARAMETERS = (
    Parameter("p_Ch", 0.3, 0, 1, "probability", "probability that the challenger is hard"),
    Parameter("p_Def", 0.2, 0, 1, "probability", "probability that the defender is hard"),
    Parameter("challenger.DC", 1, unit="challenger", meaning="challenger's payoff if the defender concedes"),
    Parameter("challenger.SQ", 0.6, unit="challenger", meaning="challenger's payoff of the status quo"),
    Parameter("challenger.DDp", 0.3, unit="challenger", meaning="hard challenger's payoff of conflict"),
    Parameter("challenger.CD", 0.1, unit="challenger", meaning="challenger's payoff of backing down"),
    Parameter("challenger.DDm", 0, unit="challenger", meaning="soft challenger's payoff of conflict"),
    Parameter("defender.SQ", 1, unit="defender", meaning="defender's payoff of the status quo"),
    Parameter("defender.CD", 0.8, unit="defender", meaning="defender's payoff if the challenger backs down"),
    Parameter("defender.DDp", 0.5, unit="defender", meaning="hard defender's payoff of conflict"),
    Parameter("defender.DC", 0.3, unit="defender", meaning="defender's payoff of conceding"),
    Parameter("defender.DDm", 0, unit="defender", meaning="soft defender's payoff of conflict"),
)

NAMES = {(1.0, 0.0): "separating", (1.0, 0.5): "bluff", (1.0, 1.0): "attack"}  # who initiates: hard, soft
EVENTS = ("challenge", "war", "concession", "backdown")


def unilateral_deterrence() -> Model:
    """Return the model."""
    return Model(
        "UDG",
        signaling_game,
        PARAMETERS,
        EVENTS,
        "Zagare and Kilgour 2000, ch. 5",
        title="Unilateral deterrence game, two-sided incomplete information",
        mechanism="a more credible defender can face more war before deterrence holds",
        concept="pbe",
        confidence="B",
        requires=(
            "challenger.DDm < challenger.CD < challenger.DDp < challenger.DC",
            "challenger.CD < challenger.SQ < challenger.DC",
            "challenger.DDp != challenger.SQ",
            "defender.DDm < defender.DC < defender.DDp",
            "defender.DC < defender.CD",
        ),
        closed_form=equilibria,
        read=read_equilibria,
        critical=thresholds,
        draw=draw,
        arrays=True,
        variants=(
            Variant(
                name="sweep of the D1-selected class over p_Def",
                game=signaling_game,
                closed_form=selected_class,
                read=read_selected,
                draw=draw,
            ),
        ),
        formulas={
            "credibility that deters soft and hard challengers": r"c_s = \frac{c_{DC} - c_{SQ}}{c_{DC} - c_{CD}} < "
            r"c_h = \frac{c_{DC} - c_{SQ}}{c_{DC} - c_{DD+}}",
            "belief at which a soft defender is indifferent": r"d_1 = (d_{CD} - d_{DC}) / (d_{CD} - d_{DD-})",
            "bluff": r"P_{challenge} = p_{Ch}/d_1, \quad P_{war} = p_{Ch} c_s",
        },
        differs="equilibria are perfect Bayesian; a hard challenger may prefer conflict to SQ",
    )


def signaling_game(p_Ch: Any, p_Def: Any, challenger: Payoffs, defender: Payoffs) -> SignalingGame:
    """Return the game after folding back the challenger's last move; numbers may be arrays."""
    c, d = challenger, defender
    ends = {"hard": (c["DDp"], "war"), "soft": (c["CD"], "backdown")}
    of_defender = {
        ("hard", "hard"): d["DDp"],
        ("hard", "soft"): d["DDm"],
        ("soft", "hard"): d["CD"],
        ("soft", "soft"): d["CD"],
    }
    kinds = ("hard", "soft")
    return SignalingGame(
        types=kinds,
        messages=("status quo", "initiate"),
        responses=("concede", "resist"),
        receiver_types=("hard defender", "soft defender"),
        prior=table([[p_Ch * p_Def, p_Ch * (1 - p_Def)], [(1 - p_Ch) * p_Def, (1 - p_Ch) * (1 - p_Def)]]),
        sender_payoffs=table([[[[c["SQ"]] * 2, [c["DC"], ends[t][0]]] for _ in kinds] for t in kinds]),
        receiver_payoffs=table([[[[d["SQ"]] * 2, [d["DC"], of_defender[t, q]]] for q in kinds] for t in kinds]),
        events={
            "challenge": _happens(lambda *_: True),
            "war": _happens(lambda t, r: r == "resist" and ends[t][1] == "war"),
            "backdown": _happens(lambda t, r: r == "resist" and ends[t][1] == "backdown"),
            "concession": _happens(lambda _, r: r == "concede"),
        },
        players=("Challenger", "Defender"),
    )


def thresholds(challenger: Payoffs, defender: Payoffs, **_: Any) -> ContinuousGame:
    """Return both challengers' indifference in the chance of resistance, and the soft defender's in its belief."""
    c, d = challenger, defender
    reach = 1 + (c["DC"] - c["SQ"]) / (c["DC"] - c["DDp"])
    return ContinuousGame(("Challenger", "Defender"), {
        "c_s": Indifferent(lambda x, _: x * c["CD"] + (1 - x) * c["DC"] - c["SQ"], 0, 1),
        "c_h": Indifferent(lambda x, _: x * c["DDp"] + (1 - x) * c["DC"] - c["SQ"], 0, reach),
        "d1": Indifferent(lambda r, _: r * d["DDm"] + (1 - r) * d["CD"] - d["DC"], 0, 1),
    })  # fmt: skip


def equilibria(p_Ch: float, p_Def: float, challenger: Payoffs, defender: Payoffs) -> dict[str, Any]:
    """Return every class of perfect Bayesian equilibria (generic parameters).

    xH and xS are the probabilities that a hard and a soft challenger initiate, y that a soft defender resists, r its
    belief that the challenger is hard; y_min and r_max describe the off-path play that supports steadfast deterrence.
    """
    c_s, c_h, d1 = critical_values(challenger, defender)
    found: dict[str, Any] = {}
    quiet = {"xH": 0, "xS": 0, "P_challenge": 0, "P_war": 0, "P_concession": 0, "P_backdown": 0}
    if p_Def >= c_h:
        found["certain_deterrence"] = quiet
    elif c_h <= 1:
        found["steadfast_deterrence"] = {**quiet, "y_min": (c_h - p_Def) / (1 - p_Def), "r_max": d1}
    if c_s <= p_Def <= c_h:
        found["separating"] = {"xH": 1, "xS": 0, "y": 0, "r": 1, "P_challenge": p_Ch, "P_war": p_Ch * p_Def,
                               "P_concession": p_Ch * (1 - p_Def), "P_backdown": 0}  # fmt: skip
    if p_Def <= c_s and p_Ch <= d1:
        found["bluff"] = {
            "xH": 1, "xS": p_Ch * (1 - d1) / ((1 - p_Ch) * d1), "y": (c_s - p_Def) / (1 - p_Def), "r": d1,
            "P_challenge": p_Ch / d1, "P_war": p_Ch * c_s, "P_concession": p_Ch / d1 * (1 - c_s),
            "P_backdown": p_Ch * (1 / d1 - 1) * c_s,
        }  # fmt: skip
    if p_Def <= c_s and p_Ch >= d1:
        found["attack"] = {"xH": 1, "xS": 1, "y": 0, "r": p_Ch, "P_challenge": 1, "P_war": p_Ch * p_Def,
                           "P_concession": 1 - p_Def, "P_backdown": (1 - p_Ch) * p_Def}  # fmt: skip
    return {"c_s": c_s, "c_h": c_h, "d1": d1, "equilibria": found}


def critical_values(challenger: Payoffs, defender: Payoffs) -> tuple[float, float, float]:
    """Return c_s, c_h and d1."""
    c, d = challenger, defender
    gain = c["DC"] - c["SQ"]
    return gain / (c["DC"] - c["CD"]), gain / (c["DC"] - c["DDp"]), (d["CD"] - d["DC"]) / (d["CD"] - d["DDm"])


def read_equilibria(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same classes off the set of equilibria."""
    profiles = [(e, signaling(e.profile)) for e in solution]
    quiet = [e for e, profile in profiles if _sort(profile) == (0.0, 0.0)]
    found: dict[str, Any] = {}
    if quiet:
        points = [signaling(vertex) for e in quiet for vertex in e.vertices]
        y_min = min(float(v.receiver[1, 1, 1]) for v in points)
        calm = {"xH": 0, "xS": 0, **_chances(quiet[0])}
        held = {"y_min": y_min, "r_max": max(float(v.posterior[1, 1, 0]) for v in points)}
        found = {"certain_deterrence": calm} if y_min < 1e-9 else {"steadfast_deterrence": {**calm, **held}}
    for e, profile in profiles:
        name = NAMES.get(_sort(profile))
        if name:
            xH, xS = (float(x) for x in profile.sender[:, 1])
            play = {"xH": xH, "xS": xS, "y": float(profile.receiver[1, 1, 1])}
            found[name] = {**play, "r": float(profile.posterior[1, 1, 0]), **_chances(e)}
    return {"equilibria": found}


def selected_class(p_Ch: float, p_Def: float, challenger: Payoffs, defender: Payoffs) -> dict[str, Any]:
    """Return the class that D1 selects: deterrence only if it is certain, else who initiates."""
    classes: Mapping[str, Any] = equilibria(p_Ch, p_Def, challenger, defender)["equilibria"]
    name = next(other for other in classes if other != "steadfast_deterrence")
    return {"equilibrium": name, **{f"P_{event}": classes[name][f"P_{event}"] for event in EVENTS}}


def read_selected(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium that survives D1."""
    e = next(e for e in solution if e.survives("d1"))
    return {"equilibrium": NAMES.get(_sort(signaling(e.profile)), "certain_deterrence"), **_chances(e)}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters; one in five has a hard challenger that no defender deters."""
    DDm, CD, low, high, DC = np.sort(rng.uniform(0, 1, 5)).tolist()
    DDp, SQ = (high, low) if rng.uniform() < 0.2 else (low, high)
    d = np.sort(rng.uniform(0, 1, 5)).tolist()
    last = rng.permutation(d[2:]).tolist()
    return {
        "p_Ch": float(rng.uniform(0.02, 0.98)),
        "p_Def": float(rng.uniform(0.02, 0.98)),
        "challenger": {"DC": DC, "SQ": SQ, "DDp": DDp, "CD": CD, "DDm": DDm},
        "defender": {"DDm": d[0], "DC": d[1], "DDp": last[0], "CD": last[1], "SQ": last[2]},
    }


def _chances(e: Equilibrium) -> dict[str, float]:
    return {f"P_{event}": float(e.probability(event)) for event in EVENTS}


def _sort(profile: SignalingProfile) -> tuple[float, float]:
    """Return whether a hard and a soft challenger initiate: 0, 1, or 1/2 for sometimes."""
    hard, soft = (0.0 if p < 1e-9 else 1.0 if p > 1 - 1e-9 else 0.5 for p in profile.sender[:, 1])
    return hard, soft


def _happens(what: Any) -> list[Any]:
    rows = [[[0, 0], [float(what(t, r)) for r in ("concede", "resist")]] for t in ("hard", "soft")]
    return [[row, row] for row in rows]

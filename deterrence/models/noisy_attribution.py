r"""Attack, noisy attribution, retaliation: an inspection game.

The attacker attacks, which is worth g to it, or not. The defender sees an alarm with probability h after an attack and
f < h without one, and retaliates or not. Retaliation costs the attacker R, whether it attacked or not; the defender
gains B from retaliation that is justified and loses F from one that is not. Payoffs of each player are in its own
units. The defender retaliates if it believes in an attack with probability of at least m* = F / (F + B).

Equilibria are named: *war* (always attack, always retaliate), *deterrence* (retaliate after some alarms, never without
one) and *trigger_happy* (retaliate after every alarm, and at times without one).

References
----------
.. [1] S. Baliga, E. Bueno de Mesquita and A. Wolitzky, "Deterrence with Imperfect Attribution", Am. Polit. Sci. Rev.
   114 (2020), 1155-1178.
.. [2] W. Ma, Y. Tauman and R. Zeckhauser on deterring attacks whose origin is uncertain (2020).
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
    Parameter("g", 1, 1e-9, 1e6, "attacker", "gain of an attack"),
    Parameter("R", 3, 1e-9, 1e6, "attacker", "loss from retaliation"),
    Parameter("h", 0.8, 0, 1, "probability", "chance of an alarm after an attack"),
    Parameter("f", 0.1, 0, 1, "probability", "chance of a false alarm"),
    Parameter("B", 2, 1e-9, 1e6, "defender", "gain from justified retaliation"),
    Parameter("F", 1, 1e-9, 1e6, "defender", "loss from unjustified retaliation"),
)
PLANS = tuple(product((0, 1), (0, 1)))  # whether the defender retaliates after an alarm, and without one
ROUNDING = 1e-9


def noisy_attribution_game() -> Model:
    """Return the model."""
    return Model(
        "ATTR",
        inspection,
        PARAMETERS,
        ("attack", "unjust_retaliation", "unpunished_attack"),
        "Baliga, Bueno de Mesquita and Wolitzky 2020; Ma, Tauman and Zeckhauser 2020",
        title="Attack, noisy attribution, retaliation",
        mechanism="attacks are held down only as far as the alarm tells attacks from quiet",
        concept="nash",
        confidence="B",
        requires=("f < h",),
        closed_form=equilibria,
        read=read_equilibria,
        critical=indifferent_belief,
        draw=draw,
        formulas={
            "belief that supports retaliation": r"m^* = F / (F + B)",
            "deterrable iff": r"g \le R (h - f)",
            "deterrence": r"P_{attack} = \frac{m f}{m f + (1-m) h}, \quad \text{retaliate after alarm } "
            r"\frac{g}{R (h - f)}",
            "trigger-happy": r"P_{attack} = \frac{m (1-f)}{m (1-f) + (1-m) (1-h)}, \quad "
            r"\text{retaliate after quiet } 1 - \frac{g}{R (h - f)}",
        },
        differs="one attacker, one alarm; the mechanisms of the papers in their smallest form",
    )


def inspection(g: float, R: float, h: float, f: float, B: float, F: float) -> StrategicGame:
    """Return the normal form: the defender's plan says what it does after an alarm and without one."""
    alarm = {1: h, 0: f}

    def retaliation(attack: int, plan: tuple[int, int]) -> float:
        return alarm[attack] * plan[0] + (1 - alarm[attack]) * plan[1]

    row = [[attack * g - R * retaliation(attack, plan) for plan in PLANS] for attack in (0, 1)]
    column = [[(B if attack else -F) * retaliation(attack, plan) for plan in PLANS] for attack in (0, 1)]
    labels = ["never", "quiet only", "alarm only", "always"]
    return StrategicGame(
        np.array(row), np.array(column), strategies=(["refrain", "attack"], labels), players=("Attacker", "Defender")
    )


def indifferent_belief(B: float, F: float, **_: float) -> ContinuousGame:
    """Return the defender's indifference in its belief in an attack."""
    return ContinuousGame(("Defender",), {"m_star": Indifferent(lambda m, _: m * B - (1 - m) * F, 0, 1)})


def equilibria(g: float, R: float, h: float, f: float, B: float, F: float) -> dict[str, Any]:
    """Return every class of equilibria."""
    m = F / (F + B)
    deterrable = g <= R * (h - f)
    found = {"war": _play(1.0, 1.0, 1.0, h, f)}
    if deterrable:
        share = g / (R * (h - f))
        found["deterrence"] = _play(m * f / (m * f + (1 - m) * h), share, 0.0, h, f)
        found["trigger_happy"] = _play(m * (1 - f) / (m * (1 - f) + (1 - m) * (1 - h)), 1.0, 1 - share, h, f)
    return {"m_star": m, "deterrable": int(deterrable), "equilibria": found}


def read_equilibria(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same classes off all equilibria of the normal form.

    With an alarm that is never false (or never fails) a class is the end of a continuum with the least retaliation.
    """
    found: dict[str, tuple[float, float, float]] = {}
    for e in solution:
        for vertex in e.vertices:
            row, column = (np.asarray(mix, dtype=np.float64) for mix in mixed_strategies(vertex))
            x, y = (float(sum(w * plan[i] for w, plan in zip(column, PLANS, strict=True))) for i in (0, 1))
            name = _name(float(row[1]), x, y)
            if name not in found or x + y < sum(found[name][1:]):
                found[name] = (float(row[1]), x, y)
    classes = {name: _play(*play, params["h"], params["f"]) for name, play in found.items()}
    return {"deterrable": int(bool(set(classes) - {"war"})), "equilibria": classes}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which attacks can be deterred or not."""
    f, h = sorted(rng.uniform(0.02, 0.98, 2).tolist())
    R = float(rng.uniform(0.5, 4))
    B, F = (float(x) for x in rng.uniform(0.2, 3, 2))
    return {"g": R * (h - f) * float(rng.uniform(0.05, 1.5)), "R": R, "h": h, "f": f, "B": B, "F": F}


def _name(attack: float, after_alarm: float, after_quiet: float) -> str:
    if attack > 1 - ROUNDING and min(after_alarm, after_quiet) > 1 - ROUNDING:
        return "war"
    return "deterrence" if after_quiet < ROUNDING else "trigger_happy"


def _play(attack: float, after_alarm: float, after_quiet: float, h: float, f: float) -> dict[str, float]:
    """Return what happens by definition."""
    return {
        "P_attack": attack,
        "retaliate_after_alarm": after_alarm,
        "retaliate_after_quiet": after_quiet,
        "P_unjust_retaliation": (1 - attack) * (f * after_alarm + (1 - f) * after_quiet),
        "P_unpunished_attack": attack * (h * (1 - after_alarm) + (1 - h) * (1 - after_quiet)),
    }

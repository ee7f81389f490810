r"""Fait accompli or coercion: seize what one wants, or ask for it under threat.

A leaves things as they are and keeps s, or makes a coercive demand, or seizes a share and leaves it to D to fight. D
fights whatever it likes less than war: it accepts a demand x iff 1 - x is at least what war is worth to it,
1 - p - c_D, and lets a seizure of x stand iff 1 - x is at least 1 - (p + delta) - c_D, since moving first raises A's
chance of winning from p to p + delta. Seizing costs A f. Payoffs are in units of the prize, 1.

In the version with private costs, c_D is uniform on [0, C] and known to D alone, and a war costs A c_A.

References
----------
.. [1] A. Tarar, "A Strategic Logic of the Military Fait Accompli", Int. Stud. Q. 60 (2016), 742-752.
.. [2] D. Altman, "By Fait Accompli, Not Coercion", Int. Stud. Q. 61 (2017), 881-891.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice
from deterrence.models.variants import Variant

COMMON = (
    Parameter("p", 0.3, 0, 1, "probability", "chance that A wins a war over a demand"),
    Parameter("delta", 0.15, 0, 1, "probability", "how much moving first raises A's chance of winning"),
    Parameter("f", 0.05, 0, 10, "prize", "cost of seizing"),
    Parameter("s", 0.35, -10, 10, "prize", "A's payoff of the status quo"),
)
KNOWN = Parameter("c_D", 0.1, 0, 10, "prize", "D's cost of war")
PRIVATE = (
    Parameter("C", 0.4, 1e-9, 10, "prize", "D's highest cost of war, if that is private"),
    Parameter("c_A", 0.1, 0, 10, "prize", "A's cost of war, if D's is private"),
)
CHOICES = ("status_quo", "coercion", "fait_accompli")
WITH_PRIVATE = ("p", "delta", "f", "C", "c_A", "s")


def fait_accompli_or_coercion() -> Model:
    """Return the model."""
    private: dict[str, Any] = {
        "takes": (*WITH_PRIVATE, "c_D"),
        "table": (Choice("c_D", "U[0,C]", ("U[0,C]",), "distribution of D's cost of war"),),
        "game": private_game,
        "closed_form": private_costs,
        "read": read_choice,
        "draw": draw_private,
    }
    return Model(
        "FAIT",
        choice_game,
        (*COMMON, KNOWN, *PRIVATE),
        ("coercion", "fait_accompli", "war"),
        "Tarar 2016; Altman 2017 (idea)",
        title="Fait accompli versus coercion",
        mechanism="seizing beats asking as soon as the gain of moving first exceeds the cost of seizing",
        concept="cutpoints",
        confidence="C",
        takes=("p", "delta", "f", "c_D", "s"),
        requires=("p + delta <= 1",),
        closed_form=known_cost,
        read=read_choice,
        draw=draw,
        variants=(Variant(name="c_D ~ U[0,C]", **private), Variant(**private)),
        formulas={
            "coercion": r"p + c_D",
            "fait accompli": r"p + \delta + c_D - f",
            "fait accompli rather than coercion iff": r"\delta > f",
            "private cost": r"(C - c_A)^2 / (4 C) \text{ in place of } c_D, \quad P_{war} = \max(0, (C - c_A) / (2 C))",
        },
    )


def choice_game(p: float, delta: float, f: float, c_D: float, s: float) -> ContinuousGame:
    """Return the most that D lets A have by demand and by seizure, and A's choice."""

    def most(wins: float) -> Indifferent:
        return Indifferent(lambda x, _: (1 - x) - (1 - wins - c_D), wins, wins + c_D + 1)

    return _choosing(s, f, {"coercion": most(p), "fait_accompli": most(p + delta)}, lambda known, way: known[way])


def private_game(
    p: float, delta: float, f: float, C: float, c_A: float, s: float, c_D: str = "U[0,C]"
) -> ContinuousGame:
    """Return A's best demand and its best seizure, which only some types of D fight, and A's choice."""
    del c_D  # names the distribution, which is one
    types = Uniform(0, C)

    def best(wins: float) -> Best:
        def payoff(x: Any, _: Mapping[str, Any]) -> Any:
            fights = types.cdf(x - wins)
            return (1 - fights) * x + fights * (wins - c_A)

        return Best(payoff, wins, wins + C)

    def war(way: str, wins: float) -> Acts:
        return Acts(lambda c, known: (1 - wins - c) - (1 - known[way]), types)

    ways = {"coercion": p, "fait_accompli": p + delta}
    found: dict[str, Any] = {way: best(wins) for way, wins in ways.items()}
    found |= {f"{way}.war": war(way, wins) for way, wins in ways.items()}
    return _choosing(s, f, found, lambda known, way: known[f"{way}:payoff"])


def known_cost(p: float, delta: float, f: float, c_D: float, s: float) -> dict[str, Any]:
    """Return A's payoffs and its choice."""
    return _chosen({"status_quo": s, "coercion": p + c_D, "fait_accompli": p + delta + c_D - f}, 0.0)


def private_costs(
    p: float, delta: float, f: float, C: float, c_A: float, s: float, c_D: str = "U[0,C]"
) -> dict[str, Any]:
    """Return A's payoffs, its choice and the likelihood of war that the choice brings."""
    del c_D
    slack = max(0.0, C - c_A)
    more = slack**2 / (4 * C)
    return _chosen({"status_quo": s, "coercion": p + more, "fait_accompli": p + delta + more - f}, slack / (2 * C))


def read_choice(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    payoffs = {way: float(found[f"{way}.payoff"]) for way in CHOICES}
    choice = found["choice"]
    wars = {way: float(found.get(f"{way}.war", 0.0)) for way in CHOICES}
    own = {f"P_{way}": float(way == choice) for way in CHOICES[1:]}
    return {"payoffs": payoffs, "choice": choice, **own, "P_war": wars[choice]}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which each choice is best."""
    p = float(rng.uniform(0.05, 0.6))
    delta, f, c_D = (float(x) for x in rng.uniform(0, 0.3, 3))
    return {"p": p, "delta": delta, "f": f, "c_D": c_D, "s": p + float(rng.uniform(-0.1, 0.4))}


def draw_private(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with private costs, at which A risks war or does not."""
    values = draw(rng)
    del values["c_D"]
    C = float(rng.uniform(0.1, 0.6))
    return {**values, "C": C, "c_A": C * float(rng.uniform(0, 1.3))}


def _choosing(s: float, f: float, found: Mapping[str, Any], worth: Any) -> ContinuousGame:
    """Return a game in which A picks the best of what was found and of the status quo, the first of equal ones."""

    def choice(known: Mapping[str, Any]) -> str:
        return max(CHOICES, key=lambda way: float(known[f"{way}.payoff"]))

    return ContinuousGame(("A", "D"), {
        **found,
        "status_quo.payoff": Given(lambda _: s),
        "coercion.payoff": Given(lambda known: worth(known, "coercion")),
        "fait_accompli.payoff": Given(lambda known: worth(known, "fait_accompli") - f),
        "choice": Given(choice),
    })  # fmt: skip


def _chosen(payoffs: dict[str, float], war: float) -> dict[str, Any]:
    choice = max(CHOICES, key=lambda way: payoffs[way])
    own = {f"P_{way}": float(way == choice) for way in CHOICES[1:]}
    return {"payoffs": payoffs, "choice": choice, **own, "P_war": war if choice != "status_quo" else 0.0}

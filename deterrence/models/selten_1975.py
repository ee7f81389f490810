"""Selten's horse: Nash equilibria that are not sequential (Selten 1975).

P1 goes down (D) to P3's information set, or across (C) to P2, who goes down (d) to the same information set or
across (c), which ends the game. P3, who does not know who came down, plays L or R. Payoffs are those of the paper's
example, each player's in its own units.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.tree import Node, end, move
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice

PLAYERS = ("P1", "P2", "P3")
NAME = "Selten's horse"
AFTER_D = {"L": (3, 3, 2), "R": (0, 0, 0)}
AFTER_d = {"L": (4, 4, 0), "R": (0, 0, 1)}
ACROSS = (1, 1, 1)


def seltens_horse() -> Model:
    """Return the model."""
    return Model(
        "HORSE",
        horse,
        (Choice("game", NAME, (NAME,), "the game asked for"),),
        ("c", "d", "L"),
        "Selten 1975",
        title="Selten's horse",
        mechanism="a Nash equilibrium may rest on a move that its player would not make if asked",
        concept="nash",
        confidence="A",
        closed_form=families,
        read=read_families,
        formulas={
            "not sequential": r"(D, P(c) \ge 1/3, L)",
            "sequential": r"(C, c, P(L) \le 1/4)",
        },
    )


def horse(game: str) -> ExtensiveGame:
    """Return the tree."""

    def down(payoffs: Mapping[str, tuple[int, ...]]) -> Node:
        ends = {action: end(payoffs=dict(zip(PLAYERS, x, strict=True))) for action, x in payoffs.items()}
        return move("P3", infoset="down", actions=ends)

    across = move("P2", {"d": down(AFTER_d), "c": end(payoffs=dict(zip(PLAYERS, ACROSS, strict=True)))}, infoset="P2")
    return ExtensiveGame(PLAYERS, move("P1", {"D": down(AFTER_D), "C": across}, infoset="P1"), title=game)


def families(game: str) -> dict[str, Any]:
    """Return both families of equilibria, and which is sequential.

    In the first P1 gets its payoff of D and L, so c must be likely enough to keep it from going across; in the second
    L must be unlikely enough to keep P1 and P2 from going down. P2, asked in the first, would rather go down.
    """
    del game
    one, two = AFTER_D["L"][0], AFTER_d["L"][0]
    least_c = Fraction(two - one, two - ACROSS[0])
    most_L = min(Fraction(ACROSS[0], one), Fraction(ACROSS[1], AFTER_d["L"][1]))
    return {
        "nash_family_1": f"P1=D, P3=L, P(c)>={least_c}",
        "nash_family_2": f"P1=C, P2=c, P(L)<={most_L}",
        "sequential": ["family_2"] if AFTER_d["L"][1] > ACROSS[1] else ["family_1", "family_2"],
        "family_1_payoffs": list(AFTER_D["L"]),
        "family_2_payoffs": list(ACROSS),
    }


def read_families(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the set of Nash equilibria, P1's D first."""
    found = sorted(solution, key=lambda e: e.strategies["P1"]["P1"]["C"])
    result: dict[str, Any] = {f"nash_family_{i}": _described(e) for i, e in enumerate(found, start=1)}
    result["sequential"] = [f"family_{i}" for i, e in enumerate(found, start=1) if e.kind == "sequential"]
    for i, e in enumerate(found, start=1):
        result[f"family_{i}_payoffs"] = [float(e.payoffs[player]) for player in PLAYERS]
    return result


def _described(e: Equilibrium) -> str:
    """Return pure choices as ``P1=D``, and the range of the others as ``P(c)>=1/3``."""
    pure, ranges = [], []
    for player, infoset, action in (("P1", "P1", "D"), ("P2", "P2", "c"), ("P3", "down", "L")):
        chances = [float(v.strategies(e.game)[player][infoset][action]) for v in e.vertices]
        low, high = min(chances), max(chances)
        if high - low < 1e-9:
            choices = e.strategies[player][infoset]
            pure.append(f"{player}={max(choices, key=lambda a: choices[a])}")
        elif high > 1 - 1e-9:
            ranges.append(f"P({action})>={Fraction(low).limit_denominator(1000)}")
        else:
            ranges.append(f"P({action})<={Fraction(high).limit_denominator(1000)}")
    return ", ".join([*pure, *ranges])

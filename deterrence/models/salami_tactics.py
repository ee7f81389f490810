r"""Salami tactics: slices of a prize, taken from a defender that looks ahead.

The defender holds the whole of a prize of 1. The attacker takes one slice after another, or stops. Whenever it reaches
for a slice, the defender, holding r, lets it go or fights; a war over what it holds is worth r (1 - p) - c to it, p
being the attacker's chance of winning. The attacker likes no war: its own cost exceeds p. A *red line that holds* is a
holding from which the defender would fight rather than fall back to the next line that holds. As slices become small
the lines are r_1 = c / (1 - p), r_(j+1) = (r_j + c) / (1 - p), and the attacker slices until the highest that is at
most 1. With N slices of 1/N each line is the smallest multiple of 1/N strictly above that bound; a defender that is
indifferent lets go. Payoffs are in units of the prize.

References
----------
.. [1] T. C. Schelling, *Arms and Influence*, 1966, ch. 2.
.. [2] R. Powell, "Uncertainty, Shifting Power, and Appeasement", Am. Polit. Sci. Rev. 90 (1996), 749-764.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Unknown
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.tree import Node, end, move
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.models.whole_numbers import whole

PARAMETERS = (
    Parameter("c", 0.2, 1e-3, 10, "prize", "defender's cost of war"),
    Parameter("p", 0.5, 0, 1, "probability", "attacker's chance of winning a war"),
    Parameter("N", 20, 1, 1_000_000, "count", "number of slices"),
)
SMALL_TREE = 25  # slices of which backward induction looks at the whole tree
ROUNDING = 1e-9  # of a slice


def salami() -> Model:
    """Return the model, in the limit of small slices and with N of them."""
    slices: dict[str, Any] = {
        "requires": ("p < 1",),
        "game": slices_game,
        "concept": "spe",
        "closed_form": red_lines_of_slices,
        "read": read_slices,
        "draw": lambda rng: {**draw(rng), "N": int(rng.integers(2, 60))},
    }
    return Model(
        "SALAMI",
        limit_game,
        PARAMETERS,
        ("defender_retains",),
        "Schelling 1966; cf. Powell 1996 (idea)",
        title="Salami tactics against a forward-looking defender",
        mechanism="only a line whose loss would open the way to the next one down is worth a war",
        concept="cutpoints",
        confidence="C",
        takes=("c", "p"),
        requires=("p < 1",),
        closed_form=red_lines,
        read=read_limit,
        draw=draw,
        variants=(Variant(name="N slices", **slices), Variant(**slices)),
        formulas={
            "red lines that hold": r"r_j = \frac{c}{p} \left( (1-p)^{-j} - 1 \right) \le 1",
        },
    )


def fighting(r: Any, below: float, c: float, p: float) -> Any:
    """Return the defender's gain of fighting at a holding over falling back to the next line."""
    return r * (1 - p) - c - below


def limit_game(c: float, p: float) -> ContinuousGame:
    """Return the holdings at which the defender is indifferent, from the lowest line up; None from the first beyond 1.

    Each lies at least c above the one below it, because a war leaves less than the holding, so there are at most 1/c.
    """

    def line(j: int) -> Indifferent:
        def below(known: Mapping[str, Any]) -> float | None:
            return 0.0 if j == 1 else known[f"line {j - 1}"]

        def gain(r: Any, known: Mapping[str, Any]) -> Any:
            lower = below(known)
            return np.full_like(r, -1.0) if lower is None else fighting(r, lower, c, p)

        def start(known: Mapping[str, Any]) -> float:
            lower = below(known)
            return 1.0 if lower is None else lower

        return Indifferent(gain, start, 1, otherwise="none")

    lines: dict[str, Unknown] = {f"line {j}": line(j) for j in range(1, int(1 / c) + 2)}
    return ContinuousGame(("Attacker", "Defender"), lines)


def read_limit(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lines that hold, and what the defender keeps."""
    (found,) = solutions
    return _kept([value for value in found.values() if value is not None])


def red_lines(c: float, p: float) -> dict[str, Any]:
    """Return the lines that hold in the limit of small slices, and what the defender keeps."""
    found: list[float] = []
    while True:
        j = len(found) + 1
        line = c / p * math.expm1(-j * math.log1p(-p)) if p > 0 else j * c
        if line > 1 + 1e-12:
            return _kept(found)
        found.append(line)


def slices_game(c: float, p: float, N: float) -> ExtensiveGame | ContinuousGame:
    """Return the tree of N slices; beyond a few dozen, the defender's indifferences line by line in its place."""
    count = whole("N", N)
    return slicing_tree(c, p, count) if count <= SMALL_TREE else grid_game(c, p, count)


def slicing_tree(c: float, p: float, N: int) -> ExtensiveGame:
    """Return the tree: before each slice the attacker stops or reaches, then the defender lets go or fights."""
    node: Node = end("all taken", Attacker=1.0, Defender=0.0)
    for k in range(1, N + 1):
        r = k / N
        war = end(f"war over {k}", Attacker=(1 - r) + r * p - (p + 1), Defender=r * (1 - p) - c)
        reply = move("Defender", infoset=f"holding {k}", actions={"let go": node, "fight": war})
        stop = end(f"{k} kept", Attacker=1 - r, Defender=r)
        node = move("Attacker", infoset=f"facing {k}", actions={"stop": stop, "reach": reply})
    return ExtensiveGame(("Attacker", "Defender"), node, title="Salami tactics")


def grid_game(c: float, p: float, N: int) -> ContinuousGame:
    """Return the lines one by one: the defender's indifference, and the first holding above it that is a multiple."""
    unknowns: dict[str, Unknown] = {}

    def line(j: int) -> tuple[Indifferent, Given]:
        def below(known: Mapping[str, Any]) -> float | None:
            return 0.0 if j == 1 else known[f"line {j - 1}"]

        def gain(r: Any, known: Mapping[str, Any]) -> Any:
            lower = below(known)
            return np.full_like(r, -1.0) if lower is None else fighting(r, lower, c, p)

        def above(known: Mapping[str, Any]) -> float | None:
            bound = known[f"bound {j}"]
            multiple = None if bound is None else math.floor(bound * N + ROUNDING) + 1
            return None if multiple is None or multiple > N else multiple / N

        return Indifferent(gain, 0, 1, otherwise="none"), Given(above)

    for j in range(1, int(1 / c) + 2):
        unknowns[f"bound {j}"], unknowns[f"line {j}"] = line(j)
    return ContinuousGame(("Attacker", "Defender"), unknowns)


def read_slices(solution: EquilibriumSet | tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lines that hold, and what the defender keeps; of several equilibria, the one that lets go at ties."""
    if not isinstance(solution, EquilibriumSet):
        return _kept([x for name, x in solution[0].items() if name.startswith("line") and x is not None])
    return _kept(max(_lines(e, int(params["N"])) for e in solution))


def red_lines_of_slices(c: float, p: float, N: float) -> dict[str, Any]:
    """Return the lines that hold with N slices, as exact multiples, and what the defender keeps."""
    count = whole("N", N)
    found: list[Fraction] = []
    while True:
        bound = (float(found[-1] if found else 0) + c) / (1 - p)
        multiple = math.floor(bound * count + ROUNDING) + 1
        if multiple > count:
            return _kept([float(line) for line in found])
        found.append(Fraction(multiple, count))


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with no line, one, or several."""
    return {"c": float(rng.uniform(0.03, 1)), "p": float(rng.uniform(0.02, 0.9))}


def _lines(e: Equilibrium, N: int) -> list[float]:
    plans = e.strategies["Defender"]
    return [k / N for k in range(1, N + 1) if plans[f"holding {k}"]["fight"] > 0.5]


def _kept(lines: list[float]) -> dict[str, Any]:
    return {"red_lines": lines, "defender_retains": lines[-1] if lines else 0.0}

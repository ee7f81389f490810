r"""Tying hands or sinking costs (Fearon 1997), with continuous types; and sunk costs with two types as a tree.

**Continuous.** The defender's stake v is uniform on [0, V] and private. It sends a signal m >= 0: sunk costs m are
paid whatever follows; tied hands cost m only if it is challenged and gives way. The challenger's payoff of war is -e,
with e uniform on [e_lo, e_hi] and e_lo < 0 < e_hi (some challengers like war); it gains 1 if the defender gives way,
0 at the status quo. In a war the defender wins with probability p and pays c. The paper's types and costs have
general distributions; here they are uniform. The status quo gives the defender v, giving way 0.

**Two types.** Nature makes the patron resolute or not, and only the patron learns it. It stations forces at a cost,
or stays home. The aggressor sees the forces, not the type, and attacks or refrains. If attacked, the patron fights or
abandons its protege. The patron's payoffs are in its own units, the aggressor's in units of the prize.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, ContinuousGame, Given, Indifferent, Mean, Uniform
from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.parameters import Parameter
from deterrence.games.quantities import symbols
from deterrence.games.tree import Node, chance, end, move
from deterrence.models import alliance_signal
from deterrence.models.model import Model

SOURCE = "Fearon 1997"

PARAMETERS = (
    Parameter("p", 0.5, 1e-6, 1, "probability", "chance that the defender wins a war"),
    Parameter("c", 0.3, 1e-6, 100, "defender", "defender's cost of war"),
    Parameter("V", 1, 1e-6, 100, "defender", "largest stake of the defender"),
    Parameter("e_lo", -0.25, -100, 100, "prize", "challenger's lowest cost of war, below 0"),
    Parameter("e_hi", 1, -100, 100, "prize", "challenger's highest cost of war"),
)


def tying_hands() -> Model:
    """Return the model with continuous types: no signal, sunk costs (selected by D1), and tied hands."""
    return Model(
        "F97",
        signaling_regimes,
        PARAMETERS,
        ("challenge", "war"),
        SOURCE,
        title="Tying hands versus sinking costs, continuous types",
        mechanism="neither signal bluffs; tied hands bring more war, and more for the defender, than sunk costs",
        concept="cutpoints",
        confidence="B",
        requires=("e_lo < 0 < e_hi", "c < p * V"),
        closed_form=regimes,
        read=read_regimes,
        draw=draw,
        formulas={
            "challengers who like war": r"q = -e_{lo} / (e_{hi} - e_{lo})",
            "sunk costs": r"v_0 = c/p, \quad m^* = (1-q) v_0, \quad P_{war} = (1 - v_0/V) q",
            "tied hands": r"\hat v = \frac{q c}{1 - q + q p}, \quad P_{war} = (1 - \hat v / V) q",
        },
        differs="types and costs are uniform; sunk costs are those that D1 selects",
    )


TWO_TYPES = (
    Parameter("p", 0.5, 0, 1, "probability", "prior that the patron is resolute"),
    Parameter("k", 0.6, 0, 100, "patron", "cost of stationing forces, paid whatever follows"),
    Parameter("v_R", 3, 1e-6, 100, "patron", "stake of the resolute type"),
    Parameter("v_I", 0.5, 1e-6, 100, "patron", "stake of the irresolute type"),
    Parameter("q", 0.6, 0, 1, "probability", "chance that the patron wins a war"),
    Parameter("c", 1, 0, 100, "patron", "patron's cost of war"),
    Parameter("w", -1, -100, -1e-6, "prize", "aggressor's payoff of war"),
)


def sunk_cost() -> Model:
    """Return the model with two types and sunk costs; the resolute type, and only that, fights when attacked."""
    return Model(
        "SUNK",
        stationing(),
        TWO_TYPES,
        ("attack", "war"),
        SOURCE,
        title="Sunk-cost signaling of resolve, two types",
        mechanism="forces that only the resolute would pay for are believed",
        concept="pbe",
        confidence="B",
        requires=("v_I < v_R", "q * v_I < c < q * v_R", "0 < p < 1", "k > 0"),
        closed_form=sunk_cost_equilibria,
        read=read_sunk_cost,
        critical=indifferent_belief,
        draw=draw_two_types,
        formulas={
            "belief that deters": r"\mu^* = 1 / (1 - w)",
            "forces separate the types iff": r"v_I \le k \le (1 - q) v_R + c",
        },
        differs="two types in place of a continuum; the aggressor's payoff of war is known",
    )


def stationing() -> ExtensiveGame:
    """Return the tree, with symbols for its parameters."""
    p, k, v_R, v_I, q, c, w = symbols("p k v_R v_I q c w")

    def challenge(v: Any, paid: Any, seen: str) -> Node:  # subtrees are plain functions, last move innermost
        reply = move("Patron", {
            "fight": end("war", Patron=q * v - c - paid, Aggressor=w),
            "abandon": end("fait accompli", Patron=-paid, Aggressor=1),
        })  # fmt: skip
        return move("Aggressor", infoset=seen, actions={
            "refrain": end("peace", Patron=v - paid, Aggressor=0), "attack": reply})  # fmt: skip

    def patron(v: Any, kind: str) -> Node:
        return move("Patron", infoset=kind, actions={
            "station": challenge(v, k, "forces"), "stay home": challenge(v, 0, "none")})  # fmt: skip

    root = chance({"resolute": (p, patron(v_R, "resolute")), "irresolute": (1 - p, patron(v_I, "irresolute"))})
    return ExtensiveGame(("Patron", "Aggressor"), root, title="Sunk-cost signaling")


def sunk_cost_equilibria(p: float, k: float, v_R: float, v_I: float, q: float, c: float, w: float) -> dict[str, Any]:
    """Return every class of equilibria.

    The game is the alliance signal with sunk costs alone, in which an attack costs the types v_I and (1 - q) v_R + c.
    """
    hurt = separating_signals(v_R=v_R, v_I=v_I, q=q, c=c)[1]
    found = alliance_signal.equilibria(rho=p, k=k, h=0, d1=-w, v_I=v_I, w=hurt, g=1, d=-w)
    return {"mu_star": found["mu_star_0"], "equilibria": found["equilibria"]}


def separating_signals(*, v_R: float, v_I: float, q: float, c: float) -> tuple[float, float]:
    """Return the cheapest and the dearest signal that separates the types; none if low > high.

    The irresolute type would lose its stake to an attack, the resolute one what a war costs it.
    """
    return v_I, (1 - q) * v_R + c


def read_sunk_cost(solution: EquilibriumSet, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same classes off the set of equilibria of the tree."""
    found: dict[str, Any] = {}
    for e in solution:
        s_R, s_I = (e.strategies["Patron"][kind]["station"] for kind in ("resolute", "irresolute"))
        name = alliance_signal.NAMES.get((alliance_signal.sort(s_R), alliance_signal.sort(s_I)))
        if name is None:
            continue
        chances = {f"P_{event}": e.probability(event) for event in ("attack", "war")}
        play = found.setdefault(name, {"s_R": s_R, "s_I": s_I, "a0": [], "a1": [], **chances})
        for a, seen in (("a0", "none"), ("a1", "forces")):
            play[a] += [v.strategies(e.game)["Aggressor"][seen]["attack"] for v in e.vertices]
    return {"equilibria": {name: _supported(name, play) for name, play in found.items()}}


def indifferent_belief(w: float, **_: Any) -> ContinuousGame:
    """Return the aggressor's indifference in its belief that the patron is resolute."""
    return ContinuousGame(("Aggressor",), {"mu_star": Indifferent(lambda mu, _: mu * w + (1 - mu), 0, 1)})


def draw_two_types(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters that reach every class."""
    v_I, q = float(rng.uniform(0.1, 1)), float(rng.uniform(0.2, 0.9))
    v_R = v_I + float(rng.uniform(0.3, 2))
    c = q * float(rng.uniform(v_I, v_R))
    k = float(rng.uniform(0.01, 1.3 * ((1 - q) * v_R + c)))
    return {
        "p": float(rng.uniform(0.05, 0.95)),
        "k": k,
        "v_R": v_R,
        "v_I": v_I,
        "q": q,
        "c": c,
        "w": -float(rng.uniform(0.2, 3)),
    }


def _supported(name: str, play: dict[str, Any]) -> dict[str, Any]:
    """Return a class with the least attack off the path that supports it, in place of an action never asked for."""
    a0, a1 = play.pop("a0"), play.pop("a1")
    if name == "pool0":
        return {**play, "a0": a0[0], "a1_min": min(a1)}
    if name == "pool1":
        return {**play, "a1": a1[0], "a0_min": min(a0)}
    return {**play, "a0": a0[0], "a1": a1[0]}


def signaling_regimes(p: float, c: float, V: float, e_lo: float, e_hi: float) -> ContinuousGame:
    """Return the three regimes: who fights, who signals, how much, and who challenges.

    The challenger faces a defender that fights with probability ``pi`` by attacking iff 1 - pi - pi e > 0. A defender
    that has not signalled gives way for sure and is challenged for sure; one that has signalled fights for sure.
    """
    stakes, costs = Uniform(0, V), Uniform(e_lo, e_hi)

    def war(v: Any) -> Any:  # the defender's payoff of fighting
        return p * v - c

    def signalled(v: Any, q: float) -> Any:  # keeps v unless challenged by one who likes war
        return (1 - q) * v + q * war(v)

    def rises_with(q: float) -> float:
        return 1 - float(stakes.cdf(q))

    return ContinuousGame(("Defender", "Challenger"), {
        "q": Acts(lambda e, _: -e, costs),
        "v0": Indifferent(lambda v, _: war(v), 0, V),
        "no_signal.pi": Given(lambda known: rises_with(known["v0"])),
        "no_signal.P_challenge": Acts(lambda e, known: 1 - known["no_signal.pi"] * (1 + e), costs),
        "no_signal.P_war": Given(lambda known: known["no_signal.pi"] * known["no_signal.P_challenge"]),
        # sunk: the types that would fight signal, and the least of them is indifferent to the cost
        "sunk.cutoff": Given(lambda known: known["v0"]),
        "sunk.m_star": Indifferent(lambda m, known: signalled(known["v0"], known["q"]) - m, 0, V),
        "sunk.share": Given(lambda known: rises_with(known["sunk.cutoff"])),
        "sunk.EU_defender": Mean(
            lambda v, known: signalled(v, known["q"]) - known["sunk.m_star"], stakes,
            low=lambda known: known["sunk.cutoff"],
        ),
        # tied: whoever gains from being bound to fight signals; m is the least that binds the lowest of them
        "tying.cutoff": Indifferent(lambda v, known: signalled(v, known["q"]), 0, V),
        "tying.m_star": Indifferent(lambda m, known: war(known["tying.cutoff"]) + m, 0, c),
        "tying.share": Given(lambda known: rises_with(known["tying.cutoff"])),
        "tying.EU_defender": Mean(
            lambda v, known: signalled(v, known["q"]), stakes, low=lambda known: known["tying.cutoff"]
        ),
    })  # fmt: skip


def regimes(p: float, c: float, V: float, e_lo: float, e_hi: float) -> dict[str, Any]:
    """Return cutoffs, signals and likelihoods of the three regimes."""
    q = -e_lo / (e_hi - e_lo)
    kap = 1 - q + q * p
    v0, v_hat, m_sunk = c / p, q * c / kap, (1 - q) * c / p
    fight = 1 - v0 / V
    faced = min(1.0, max(0.0, ((1 - fight) / fight - e_lo) / (e_hi - e_lo)))
    return {
        "q": q,
        "v0": v0,
        "no_signal": {"P_challenge": faced, "P_war": fight * faced},
        "sunk": {
            "cutoff": v0,
            "m_star": m_sunk,
            "P_challenge": v0 / V + (1 - v0 / V) * q,
            "P_war": (1 - v0 / V) * q,
            "EU_defender": (kap * (V**2 - v0**2) / 2 - (q * c + m_sunk) * (V - v0)) / V,
        },
        "tying": {
            "cutoff": v_hat,
            "m_star": c * (1 - q) / kap,
            "P_challenge": v_hat / V + (1 - v_hat / V) * q,
            "P_war": (1 - v_hat / V) * q,
            "EU_defender": (kap * (V**2 - v_hat**2) / 2 - q * c * (V - v_hat)) / V,
        },
    }


def read_regimes(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution: whoever signals is challenged by those who like war, the rest for sure."""
    (found,) = solutions
    q = found["q"]
    result: dict[str, Any] = {"q": q, "v0": found["v0"]}
    result["no_signal"] = {name: found[f"no_signal.{name}"] for name in ("P_challenge", "P_war")}
    for regime in ("sunk", "tying"):
        share = found[f"{regime}.share"]
        result[regime] = {name: found[f"{regime}.{name}"] for name in ("cutoff", "m_star", "EU_defender")}
        result[regime] |= {"P_challenge": 1 - share + share * q, "P_war": share * q}
    return result


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random admissible parameters."""
    p, V = float(rng.uniform(0.2, 0.95)), float(rng.uniform(0.5, 2))
    return {
        "p": p,
        "V": V,
        "c": float(p * V * rng.uniform(0.1, 0.9)),
        "e_lo": -float(rng.uniform(0.05, 1)),
        "e_hi": float(rng.uniform(0.1, 3)),
    }

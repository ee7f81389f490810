r"""Crisis signalling with private payoffs (Lewis and Schultz 2003), the estimable crisis game.

A challenges or leaves the status quo (A gets S_A). If challenged, B concedes (V_A, C_B) or resists; A then stands
firm, which is war (W_A, W_B), or backs down (a, V_B). Each of W_A, a and W_B has a private shock, normal with standard
deviation sigma and independent of the others; A learns its two before it moves, B its own. So a challenge signals
A's payoff of war. Payoffs are each player's own; p_C is the chance of a challenge, p_R that B resists, p_F that A,
having challenged and been resisted, stands firm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.solvers.crisis_signaling import challenger, crisis_equilibria

CERTAIN = 37.0  # standard deviations at which a choice counts as certain: chances below 1e-299

PARAMETERS = (
    Parameter("S_A", 0, -20, 20, "A", "A's payoff of the status quo"),
    Parameter("V_A", 1, -20, 20, "A", "A's payoff if B concedes"),
    Parameter("C_B", 0, -20, 20, "B", "B's payoff of conceding"),
    Parameter("W_A", -1, -20, 20, "A", "A's mean payoff of war"),
    Parameter("W_B", -0.6, -20, 20, "B", "B's mean payoff of war"),
    Parameter("a", -0.8, -20, 20, "A", "A's mean payoff of backing down"),
    Parameter("V_B", 1, -20, 20, "B", "B's payoff if A backs down"),
    Parameter("sigma", 1, 1e-3, 100, "payoff", "standard deviation of the private shocks"),
)


def crisis_signaling() -> Model:
    """Return the model."""
    return Model(
        "LS",
        crisis,
        PARAMETERS,
        ("challenge", "war"),
        "Lewis and Schultz 2003; Crisman-Cox and Gibilisco 2021",
        title="Crisis signalling with private payoffs",
        mechanism="a challenge says something about the challenger's payoff of war, and B resists less for it",
        concept="cutpoints",
        confidence="A",
        requires=("S_A < V_A",),
        closed_form=equilibria,
        read=read_equilibria,
        draw=draw,
        formulas={
            "A challenges iff war or backing down is worth more than": r"c = [S_A - (1 - p_R) V_A] / p_R",
            "challenge": r"p_C = 1 - \Phi((c - W_A) / \sigma) \Phi((c - a) / \sigma)",
            "stand firm": r"p_F = P(W_A + e_1 > \max(c, a + e_2)) / p_C",
            "resist": r"p_R = 1 - \Phi(([C_B - (1 - p_F) V_B] / p_F - W_B) / \sigma)",
        },
        differs="shocks have one standard deviation",
    )


def crisis(
    S_A: float, V_A: float, C_B: float, W_A: float, W_B: float, a: float, V_B: float, sigma: float
) -> ContinuousGame:
    """Return the game in B's cutpoint: B resists iff its shock is at least -z sigma, and is indifferent there.

    All roots are reported.
    """

    def moves(z: Any) -> tuple[Any, Any, Any]:
        resist = ndtr(z)
        c = S_A + (S_A - V_A) * ndtr(-z) / resist  # A's payoff of war or of backing down that makes a challenge pay
        challenge, firm, _ = challenger(c / sigma, W_A / sigma, a / sigma)
        return resist, np.exp(challenge), np.exp(firm)

    def indifferent(p_F: Any) -> Any:  # B's payoff of war at which resisting is worth as much as conceding
        return (C_B - (1 - p_F) * V_B) / p_F

    def gain(s: Any, _: Mapping[str, Any]) -> Any:  # of the type of B at the cutpoint, in standard deviations
        z = quantile(s)
        p_F = moves(z)[2]
        return np.clip((W_B - indifferent(p_F)) / sigma, -CERTAIN, CERTAIN) - z

    return ContinuousGame(("A", "B"), {
        "s": Indifferent(gain, -1, 1),
        "cutpoint": Given(lambda known: quantile(known["s"])),
        "moves": Given(lambda known: [float(x) for x in moves(np.asarray(known["cutpoint"]))]),
    })  # fmt: skip


def quantile(s: Any) -> Any:
    """Return the normal quantile of B's chance of resisting, for s in [-1, 1]: a scale that is finest near 1/2."""
    return CERTAIN * (0.1 * s + 0.9 * s**3)


def equilibria(
    S_A: float, V_A: float, C_B: float, W_A: float, W_B: float, a: float, V_B: float, sigma: float
) -> dict[str, Any]:
    """Return every equilibrium, in increasing chance that B resists."""
    found = crisis_equilibria(S_A=S_A, V_A=V_A, C_B=C_B, W_A=W_A, W_B=W_B, a=a, V_B=V_B, sigma=sigma)
    chances = np.stack([found.p_R, found.p_C, found.p_F], axis=-1)[: int(found.count)]
    return _ranged([_named(*(float(x) for x in row)) for row in chances])


def read_equilibria(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solutions."""
    return _ranged([_named(*found["moves"]) for found in solutions])


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters, some of them with several equilibria."""
    if rng.uniform() < 0.3:  # an A that would rather back down than fight: bluffs that are called, believed, or both
        several = {"V_A": 0.5, "W_A": -1.05, "W_B": -2.6, "a": -0.44, "V_B": 0.4, "sigma": 0.46}
        return {"S_A": 0.0, "C_B": 0.0, **{name: x * float(rng.uniform(0.9, 1.1)) for name, x in several.items()}}
    S_A, C_B = float(rng.normal(scale=0.5)), float(rng.normal(scale=0.5))
    return {
        "S_A": S_A,
        "V_A": S_A + float(rng.uniform(0.2, 2)),
        "C_B": C_B,
        "W_A": float(rng.normal(-0.5, 0.7)),
        "W_B": float(rng.normal(-0.5, 0.7)),
        "a": float(rng.normal(-0.5, 0.7)),
        "V_B": C_B + float(rng.uniform(0.2, 2)),
        "sigma": float(rng.uniform(0.3, 1.5)),
    }


def _ranged(equilibria: list[dict[str, float]]) -> dict[str, Any]:
    """Return the equilibria, and the range of the likelihoods of a challenge and of war over them."""
    ranges = {
        event: (min(e[name] for e in equilibria), max(e[name] for e in equilibria))
        for event, name in (("challenge", "p_C"), ("war", "P_standfirm_war"))
    }
    return {"equilibria": equilibria, **ranges}


def _named(p_R: float, p_C: float, p_F: float) -> dict[str, float]:
    return {
        "p_R": p_R,
        "p_C": p_C,
        "p_F": p_F,
        "P_SQ": 1 - p_C,
        "P_concession": p_C * (1 - p_R),
        "P_standfirm_war": p_C * p_R * p_F,
        "P_backdown": p_C * p_R * (1 - p_F),
    }

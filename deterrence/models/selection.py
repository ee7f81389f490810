"""Selection into challenge: which alliances are tested, with private costs of attacker and protege.

The attacker attacks or not; the protege, attacked, resists or yields; the guarantor then intervenes with the known
probability rho. The protege's cost of war is uniform on [0, C_P], the attacker's on [0, C_A], both private; the prize
is 1. The attacker wins with probability p1 against the protege alone and p2 < p1 against both. In the mixture there
are several alliances of reliabilities rho with weights, known to the attacker; the question is what an observer of
tests sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, ContinuousGame, Given, Uniform
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Series
from deterrence.models.variants import Variant

SHARED = (
    Parameter("p1", 0.7, 0, 1, "probability", "attacker's chance of winning against the protege alone"),
    Parameter("p2", 0.3, 0, 1, "probability", "attacker's chance of winning against both"),
    Parameter("C_P", 1.2, 1e-6, 100, "prize", "protege's largest cost of war"),
    Parameter("C_A", 3, 1e-6, 100, "prize", "attacker's largest cost of war"),
)
RELIABILITY = Parameter("rho", 0.6, 0, 1, "probability", "probability that the guarantor intervenes")
WEIGHTS = Series("weights", (0.5, 0.5), 0, 1, "share", "shares of the alliances in the mixture")
RELIABILITIES = Series("rho", (0.9, 0.3), 0, 1, "probability", "reliability of each alliance")


def selection_into_challenge() -> Model:
    """Return the model: one alliance (rho a number), or a mixture of them (weights and rho lists)."""
    return Model(
        "SEL",
        crisis,
        (RELIABILITY, *SHARED, WEIGHTS),
        ("attack", "war", "multilateral_war"),
        "Smith 1995; Fearon 1994, 2002",
        title="Selection into challenge, continuous types",
        mechanism="unreliable alliances are the ones that are tested",
        concept="cutpoints",
        confidence="B",
        takes=("rho", "p1", "p2", "C_P", "C_A"),
        requires=("p2 < p1",),
        closed_form=likelihoods,
        read=lambda solutions, _: dict(solutions[0]),
        draw=lambda rng: {"rho": float(rng.uniform(0, 1)), **draw(rng)},
        variants=(
            Variant(
                takes=("weights", "rho", "p1", "p2", "C_P", "C_A"),
                table=(RELIABILITIES,),
                game=crises,
                closed_form=observation,
                read=read_observed,
                draw=draw_mixture,
            ),
        ),
        formulas={
            "the protege resists with": r"\sigma = \min(1, (1 - \bar p) / C_P), \quad \bar p = \rho p_2 + (1-\rho) p_1",
            "likelihood of attack": r"P_{attack} = \min(1, [\bar p + (1-\sigma)/\sigma] / C_A)",
            "reliability among the challenged": r"\sum w_i P_{attack,i} \rho_i / \sum w_i P_{attack,i}",
        },
    )


def crisis(rho: float, p1: float, p2: float, C_P: float, C_A: float) -> ContinuousGame:
    """Return the protege's and the attacker's choices by their private costs."""
    win = rho * p2 + (1 - rho) * p1
    return ContinuousGame(("A", "P"), {
        "p_bar": Given(lambda _: win),
        "P_resist": Acts(lambda cost, _: 1 - win - cost, Uniform(0, C_P)),
        "P_attack": Acts(
            lambda cost, known: (1 - known["P_resist"]) + known["P_resist"] * (win - cost), Uniform(0, C_A)
        ),
        "P_war": Given(lambda known: known["P_attack"] * known["P_resist"]),
        "P_multilateral_war": Given(lambda known: known["P_war"] * rho),
    })  # fmt: skip


def likelihoods(rho: float, p1: float, p2: float, C_P: float, C_A: float) -> dict[str, Any]:
    """Return the likelihoods of resistance, attack and war."""
    p_bar = rho * p2 + (1 - rho) * p1
    resist = min(1.0, (1 - p_bar) / C_P)
    attack = min(1.0, (p_bar + (1 - resist) / resist) / C_A) if resist > 0 else 1.0
    war = attack * resist
    return {"p_bar": p_bar, "P_resist": resist, "P_attack": attack, "P_war": war, "P_multilateral_war": war * rho}


def crises(weights: list[float], rho: list[float], **shared: float) -> dict[str, ContinuousGame]:
    """Return the crisis of each alliance of the mixture."""
    _check(weights, rho)
    return {f"alliance {i + 1}": crisis(rho=r, **shared) for i, r in enumerate(rho)}


def observation(weights: list[float], rho: list[float], **shared: float) -> dict[str, Any]:
    """Return what an observer of challenges and wars sees of reliability."""
    _check(weights, rho)
    return _means(weights, rho, [likelihoods(rho=r, **shared) for r in rho])


def read_observed(solutions: Mapping[str, tuple[dict[str, Any], ...]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solutions of the single crises."""
    return _means(params["weights"], params["rho"], [found[0] for found in solutions.values()])


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters of one crisis, but its reliability."""
    p2, p1 = sorted(float(x) for x in rng.uniform(0.05, 0.95, 2))
    return {"p1": p1, "p2": p2, "C_P": float(rng.uniform(0.2, 2)), "C_A": float(rng.uniform(0.5, 4))}


def draw_mixture(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters of a mixture of two to four alliances."""
    size = int(rng.integers(2, 5))
    weights = rng.dirichlet(np.ones(size)).tolist()
    return {"weights": weights, "rho": rng.uniform(0, 1, size).tolist(), **draw(rng)}


def _means(weights: list[float], rho: list[float], found: list[dict[str, Any]]) -> dict[str, Any]:
    def mean(key: str | None) -> float:
        shares = [w * (f[key] if key else 1.0) for w, f in zip(weights, found, strict=True)]
        return sum(s * r for s, r in zip(shares, rho, strict=True)) / sum(shares)

    return {
        "mean_reliability": mean(None),
        "reliability_given_attack": mean("P_attack"),
        "honoured_given_war": mean("P_war"),
    }


def _check(weights: list[float], rho: list[float]) -> None:
    if len(weights) != len(rho):
        raise ParameterError(f"SEL requires one weight per reliability, got {len(weights)} and {len(rho)}")
    if abs(sum(weights) - 1) > 1e-6:
        raise ParameterError(f"SEL requires weights that sum to 1, got {sum(weights):g}")

r"""A finite alliance that responds only if k of its N members assist, each by its own assessment.

Member i assesses the severity of an attack as x_i, the truth plus noise of its own. Assisting pays x_i if at least k
members assist, and costs c in any case; abstaining pays 0. The prior is flat. Each assists iff its assessment is above
a cutoff; at the cutoff it believes every number of others above it, from 0 to N - 1, equally likely. An attacker that
chooses the severity of what it does takes the most that leaves members unmoved. Payoffs are in units of severity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import bdtrc
from scipy.stats import norm

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Mean
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.models.whole_numbers import whole

PARAMETERS = (
    Parameter("N", 5, 1, 1000, "count", "members"),
    Parameter("k", 3, 1, 1000, "count", "members that must assist"),
    Parameter("c", 0.2, 1e-9, 100, "severity", "cost of assisting"),
    Parameter("cap", 1, 0, 1e6, "severity", "most that the attacker could do"),
)


def quota_response() -> Model:
    """Return the model."""
    return Model(
        "GGK",
        cutoff_game,
        PARAMETERS,
        (),
        "Carlsson and van Damme 1993; Morris and Shin 2003 (finite form)",
        title="Finite alliance, k-of-N rule, private assessments",
        mechanism="the more members a response needs, the more severe an attack goes unanswered",
        concept="cutpoints",
        confidence="B",
        takes=("N", "k", "c"),
        requires=("k <= N",),
        closed_form=uniform_rank,
        read=lambda solutions, _: {"threshold": solutions[0]["threshold"]},
        draw=draw,
        variants=(
            Variant(
                name="largest unpunished severity",
                game=free_bite_game,
                takes=("N", "k", "c", "cap"),
                closed_form=free_bite,
                read=lambda solutions, _: {name: solutions[0][name] for name in ("threshold", "free_bite")},
                draw=lambda rng: {**draw(rng), "cap": float(rng.uniform(0.1, 2))},
            ),
        ),
        formulas={"cutoff": r"x^* = c N / (N - k + 1)", "free bite": r"\min(cap, x^*)"},
        differs="assessments count as private values; for a common value it is the limit of vanishing noise",
    )


def cutoff_game(N: float, k: float, c: float) -> ContinuousGame:
    """Return the indifference at the cutoff; noise is standard normal, which is of no consequence.

    Given its own noise e, each other member is above the cutoff with probability 1 - F(e).
    """
    N, k = whole("N", N), whole("k", k)

    def enough(e: Any, _: Mapping[str, Any]) -> Any:
        return bdtrc(k - 2, N - 1, norm.sf(e)) if k > 1 else np.ones_like(e)

    return ContinuousGame(("members",), {
        "chance": Mean(enough, norm),
        "threshold": Indifferent(lambda x, known: x * known["chance"] - c, 0, 1.01 * c * N),
    })  # fmt: skip


def uniform_rank(N: float, k: float, c: float) -> dict[str, Any]:
    """Return the cutoff."""
    N, k = whole("N", N), whole("k", k)
    return {"threshold": c * N / (N - k + 1)}


def free_bite_game(N: float, k: float, c: float, cap: float) -> ContinuousGame:
    """Return the same game with the attacker's choice before it: the most severe attack that moves nobody."""
    members = cutoff_game(N, k, c)
    return ContinuousGame(("attacker", "members"), {
        **members.unknowns,
        "free_bite": Given(lambda known: min(cap, known["threshold"])),
    })  # fmt: skip


def free_bite(N: float, k: float, c: float, cap: float) -> dict[str, Any]:
    """Return the cutoff and the largest severity that goes unpunished."""
    threshold = uniform_rank(N, k, c)["threshold"]
    return {"threshold": threshold, "free_bite": min(cap, threshold)}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random alliances and rules."""
    N = int(rng.integers(1, 31))
    return {"N": N, "k": int(rng.integers(1, N + 1)), "c": float(rng.uniform(0.01, 0.6))}

r"""Trust and reassurance: when it is safe to cooperate, and how large a first step proves good intentions.

**Trust.** Two states cooperate or defect at once, with payoffs R (both cooperate), T (defect alone), P (both defect),
S (cooperate alone), each in its own units. The trustworthy would rather cooperate with a cooperator, R > T; the
untrustworthy would exploit it, T > R > P > S, and always defect. A trustworthy state cooperates iff it trusts the
other enough.

**Reassurance.** The same twice, with the share alpha of the stakes in the first round and 1 - alpha in the second;
each state is trustworthy with probability t, independently. In the separating equilibrium the trustworthy cooperate
first and then do what the other did first; the untrustworthy defect twice. The first step must be large enough for
the untrustworthy not to feign it, small enough for the trustworthy to risk it.

References
----------
.. [1] A. H. Kydd, *Trust and Mistrust in International Relations*, 2005.
.. [2] A. H. Kydd, "Trust, Reassurance, and Cooperation", Int. Organ. 54 (2000), 325-357.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant

Payoffs = Mapping[str, Any]

ONE_SHOT = (
    Parameter("R", 4, -1e3, 1e3, "trustworthy", "payoff if both cooperate"),
    Parameter("T", 3, -1e3, 1e3, "trustworthy", "payoff of defecting alone"),
    Parameter("P", 1, -1e3, 1e3, "trustworthy", "payoff if both defect"),
    Parameter("S", -1, -1e3, 1e3, "trustworthy", "payoff of cooperating alone"),
)
TRUST_LEVEL = Parameter("t", 0.5, 0, 1, "probability", "probability that the other is trustworthy")
TWO_ROUNDS = (
    TRUST_LEVEL,
    *(Parameter(f"good.{e.name}", e.default, e.low, e.high, "trustworthy", e.meaning) for e in ONE_SHOT),
    *(
        Parameter(f"bad.{name}", value, -1e3, 1e3, "untrustworthy", e.meaning)
        for e, (name, value) in zip(ONE_SHOT, {"R": 3, "T": 4, "P": 1, "S": -1}.items(), strict=True)
    ),
)


def assurance() -> Model:
    """Return the one-shot model."""
    return Model(
        "TRUST",
        assurance_game,
        (*ONE_SHOT, TRUST_LEVEL),
        ("cooperate",),
        "Kydd 1997, 2000, 2005",
        title="Assurance: the least trust that supports cooperation",
        mechanism="even those who want to cooperate do so only if they trust enough",
        concept="cutpoints",
        confidence="B",
        takes=("R", "T", "P", "S"),
        requires=("T < R", "S < P"),
        closed_form=least_trust,
        read=lambda solutions, _: dict(solutions[0]),
        draw=draw_one_shot,
        variants=(
            Variant(
                game=choice_game,
                closed_form=lambda t, **own: {
                    **least_trust(**own),
                    "cooperate": int(t >= least_trust(**own)["min_trust"]),
                },
                read=lambda solutions, _: dict(solutions[0]),
                draw=lambda rng: {**draw_one_shot(rng), "t": float(rng.uniform(0, 1))},
            ),
        ),
        formulas={"cooperate iff the other is trustworthy with at least": r"t^* = (P - S) / ((R - T) + (P - S))"},
    )


def cooperating(t: Any, own: Payoffs) -> Any:
    """Return a state's gain of cooperating if the other cooperates with probability t."""
    return (t * own["R"] + (1 - t) * own["S"]) - (t * own["T"] + (1 - t) * own["P"])


def assurance_game(**own: float) -> ContinuousGame:
    """Return the indifference of the trustworthy in their trust."""
    return ContinuousGame(("A", "B"), {"min_trust": Indifferent(lambda t, _: cooperating(t, own), 0, 1)})


def choice_game(t: float, **own: float) -> ContinuousGame:
    """Return the indifference, and the choice at a given trust."""
    return ContinuousGame(("A", "B"), {
        **assurance_game(**own).unknowns,
        "cooperate": Given(lambda _: int(cooperating(t, own) >= 0)),
    })  # fmt: skip


def least_trust(R: float, T: float, P: float, S: float) -> dict[str, Any]:
    """Return the least trust at which the trustworthy cooperate."""
    return {"min_trust": (P - S) / ((R - T) + (P - S))}


def draw_one_shot(rng: np.random.Generator) -> dict[str, float]:
    """Return random payoffs of a trustworthy state."""
    return dict(zip("SPTR", (np.cumsum(rng.uniform(0.05, 2, 4)) - 3).tolist(), strict=True))


def reassurance() -> Model:
    """Return the model of two rounds."""
    return Model(
        "REAS",
        two_round_game,
        TWO_ROUNDS,
        ("exists",),
        "Kydd 1997, 2000, 2005",
        title="Reassurance by a first step",
        mechanism="a first step too costly for those who would exploit it proves good intentions",
        concept="cutpoints",
        confidence="B",
        requires=("good.S < good.P < good.R", "good.P <= good.T < good.R", "bad.S < bad.P < bad.R < bad.T"),
        closed_form=first_steps,
        read=lambda solutions, _: dict(solutions[0]),
        draw=draw_two_rounds,
        formulas={
            "large enough (bad type's payoffs)": r"\alpha_{min} = \frac{t(T-P)}{t(2T-R-P) + (1-t)(P-S)}",
            "small enough (good type's payoffs)": r"\alpha_{max} = \min(1, \frac{t(R-P)}{(1-t)(P-S) + t(T-P)})",
        },
    )


def two_rounds(first: int, then: tuple[int, int], alpha: Any, t: float, own: Payoffs) -> Any:
    """Return a state's payoff against a population that separates.

    It cooperates (1) or not in the first round, and then does ``then[x]`` against one that did x. A trustworthy one
    cooperates first and then does what it saw; an untrustworthy one never cooperates.
    """
    stage = {(1, 1): own["R"], (0, 1): own["T"], (0, 0): own["P"], (1, 0): own["S"]}
    good = alpha * stage[first, 1] + (1 - alpha) * stage[then[1], first]
    bad = alpha * stage[first, 0] + (1 - alpha) * stage[then[0], 0]
    return t * good + (1 - t) * bad


def first_step_gain(alpha: Any, t: float, own: Payoffs) -> Any:
    """Return the gain of cooperating in the first round, with the best play in the second either way."""
    plans = tuple(product((0, 1), (0, 1)))
    worth = [np.max([two_rounds(first, then, alpha, t, own) for then in plans], axis=0) for first in (0, 1)]
    return worth[1] - worth[0]


def two_round_game(t: float, good: Payoffs, bad: Payoffs) -> ContinuousGame:
    """Return the first steps at which either type is indifferent about taking them."""
    return ContinuousGame(("A", "B"), {
        "alpha_min": Indifferent(lambda a, _: -first_step_gain(a, t, bad), 0, 1, otherwise="corner"),
        "alpha_max": Indifferent(lambda a, _: first_step_gain(a, t, good), 0, 1, otherwise="corner"),
        "exists": Given(lambda known: int(known["alpha_min"] <= known["alpha_max"])),
    })  # fmt: skip


def first_steps(t: float, good: Payoffs, bad: Payoffs) -> dict[str, Any]:
    """Return the smallest and the largest first step that separates, and whether there is one."""
    T, R, P, S = (bad[name] for name in "TRPS")
    low = t * (T - P) / (t * (2 * T - R - P) + (1 - t) * (P - S))
    T, R, P, S = (good[name] for name in "TRPS")
    risk = (1 - t) * (P - S) + t * (T - P)
    high = min(1.0, t * (R - P) / risk) if risk > 0 else 1.0
    return {"alpha_min": low, "alpha_max": high, "exists": int(low <= high)}


def draw_two_rounds(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters at which reassurance works or not."""
    bad = dict(zip("SPRT", (np.cumsum(rng.uniform(0.05, 2, 4)) - 3).tolist(), strict=True))
    return {"t": float(rng.uniform(0.02, 0.98)), "good": draw_one_shot(rng), "bad": bad}

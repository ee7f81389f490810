"""A domestic opposition as a second signaller (Schultz 1998, stylised).

The government is strong with probability pi, else weak; the target does not know. It threatens or keeps silent (sq).
After a threat the target concedes (the government gets win) or resists; a strong government then fights, a weak one
backs down (back). The target loses g by conceding and g + d by fighting the strong; resisting the weak costs it
nothing.

With an opposition that knows the government's strength, the threat is followed by its public support or dissent, before
the target answers. The opposition gains 1 when it opposed a bluff that is called and loses 1 when it opposed a
success or a war; support gives it 0. The paper's electoral model is richer; these formulas are not the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.payoffs import table

PARAMETERS = (
    Parameter("pi", 0.3, 0, 1, "probability", "probability that the government is strong"),
    Parameter("g", 1, 1e-9, 1e6, "target", "target's loss from conceding"),
    Parameter("d", 1, 1e-9, 1e6, "target", "target's further loss from fighting a strong government"),
    Parameter("win", 1, -1e6, 1e6, "government", "government's payoff if the target concedes"),
    Parameter("back", -0.5, -1e6, 1e6, "government", "weak government's payoff when its threat is resisted"),
    Parameter("sq", 0, -1e6, 1e6, "government", "government's payoff of silence"),
)


def domestic_opposition() -> Model:
    """Return the model, without and with an opposition."""
    return Model(
        "OPP",
        crises,
        PARAMETERS,
        ("threat", "war"),
        "Schultz 1998, stylised",
        title="Second domestic signaller",
        mechanism="an opposition's consent makes threats believed and removes wars over bluffs",
        concept="pbe",
        confidence="C",
        requires=("0 < pi < 1", "back < sq < win"),
        closed_form=likelihoods,
        read=read_likelihoods,
        draw=draw,
        formulas={
            "belief at which the target is indifferent": r"m^* = g / (g + d)",
            "bluffing": r"\beta = \frac{\pi (1 - m^*)}{(1 - \pi) m^*}, \quad y = \frac{win - sq}{win - back}",
            "unitary state": r"P_{threat} = \pi / m^*, \quad P_{war} = \pi y",
        },
        differs="a strong government's payoff of war lies halfway between silence and success",
    )


def crises(pi: Any, g: Any, d: Any, win: Any, back: Any, sq: Any) -> dict[str, SignalingGame]:
    """Return the crisis of a unitary state, and the debate between opposition and target that follows a threat."""
    types, responses = ("strong", "weak"), ("concede", "resist")
    war = (win + sq) / 2
    target = [[-g, -g - d], [-g, 0]]  # by type and response
    unitary = SignalingGame(
        types=types,
        messages=("silence", "threat"),
        responses=responses,
        prior=table([pi, 1 - pi]),
        sender_payoffs=table([[[sq, sq], [win, war]], [[sq, sq], [win, back]]]),
        receiver_payoffs=table([[[0, 0], row] for row in target]),
        events={"threat": [[[0, 0], [1, 1]]] * 2, "war": [[[0, 0], [0, 1]], [[0, 0], [0, 0]]],
                "bluff called": [[[0, 0], [0, 0]], [[0, 0], [0, 1]]]},
        players=("Government", "Target"),
    )  # fmt: skip
    debate = SignalingGame(
        types=types,
        messages=("support", "oppose"),
        responses=responses,
        prior=table([pi, 1 - pi]),
        sender_payoffs=table([[[0, 0], [-1, -1]], [[0, 0], [-1, 1]]]),
        receiver_payoffs=table([[row, row] for row in target]),
        players=("Opposition", "Target"),
    )
    return {"unitary": unitary, "debate": debate}


def likelihoods(pi: float, g: float, d: float, win: float, back: float, sq: float) -> dict[str, Any]:
    """Return the likelihoods of threat and war without and with an opposition."""
    m_star = g / (g + d)
    if pi < m_star:
        bluff, resist = pi * (1 - m_star) / ((1 - pi) * m_star), (win - sq) / (win - back)
    else:
        bluff, resist = 1.0, 0.0
    unitary = {"bluff_prob": bluff, "P_resist": resist, "P_threat": pi + (1 - pi) * bluff, "P_war": pi * resist,
               "P_bluff_called": (1 - pi) * bluff * resist}  # fmt: skip
    return {"unitary": unitary, "with_opposition": {"P_threat": pi, "P_resist_given_support": 0.0, "P_war": 0.0}}


def read_likelihoods(solutions: Mapping[str, EquilibriumSet], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibria that survive D1; an opposition's debate is folded back."""
    (crisis,) = (e for e in solutions["unitary"] if e.survives("d1"))
    profile = signaling(crisis.profile)
    unitary = {
        "bluff_prob": float(profile.sender[1, 1]),
        "P_resist": float(profile.receiver[0, 1, 1]),
        "P_threat": float(crisis.probability("threat")),
        "P_war": float(crisis.probability("war")),
        "P_bluff_called": float(crisis.probability("bluff called")),
    }
    return {"unitary": unitary, "with_opposition": _folded(solutions["debate"], crisis, params["pi"])}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    back, sq, win = np.cumsum(rng.uniform(0.1, 1, 3)).tolist()
    g, d = rng.uniform(0.2, 2, 2).tolist()
    return {"pi": float(rng.uniform(0.05, 0.95)), "g": g, "d": d, "win": win - 1, "back": back - 1, "sq": sq - 1}


def _folded(debates: EquilibriumSet, crisis: Equilibrium, pi: float) -> dict[str, float]:
    """Return what governments do if a threat is followed by the debate."""
    (debate,) = (e for e in debates if e.survives("d1"))
    says, answers = signaling(debate.profile).sender, signaling(debate.profile).receiver[0]
    payoffs = crisis.game.sender_payoffs  # by type, silence or threat, response
    threat_value = [float(says[t] @ answers @ payoffs[t, 1]) for t in range(2)]
    threatens = [float(threat_value[t] > payoffs[t, 0, 0]) for t in range(2)]
    return {
        "P_threat": pi * threatens[0] + (1 - pi) * threatens[1],
        "P_resist_given_support": float(answers[0, 1]),
        "P_war": pi * threatens[0] * float(says[0] @ answers[:, 1]),
    }

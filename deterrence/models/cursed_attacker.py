r"""A cursed attacker, who does not fully see that a costly signal tells the resolute from the irresolute.

The game is that of ``alliance_signal`` with d1 = d, where the prior alone does not deter (rho < mu* = g / (g + d)) and
the treaty does not tie hands so far that the irresolute fight. What a chi-cursed attacker believes after the treaty, or
after silence, is its prior with the weight chi and Bayes' posterior with the weight 1 - chi [1]_ [2]_; at chi = 0 it is
the attacker of the textbook, at chi = 1 it learns nothing. Payoffs of each player are in its own units.

References
----------
.. [1] E. Eyster and M. Rabin, "Cursed Equilibrium", Econometrica 73 (2005), 1623-1672.
.. [2] M.-J. Fong, P.-H. Lin and T. R. Palfrey, "Cursed Sequential Equilibrium", American Economic Review 115 (2025).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.models import alliance_signal
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.perception.cursed import cursed

_OF_ALLIANCE = {entry.name: entry for entry in alliance_signal.PARAMETERS}
PARAMETERS = (
    *(_OF_ALLIANCE[name] for name in ("rho", "v_I", "w", "k", "h", "g", "d")),
    Parameter("chi", 0.3, 0, 1, "share", "how cursed the attacker is"),
)
NAMES = {(0.0, 0.0): "silence_pooling", (1.0, 0.0): "separating", (1.0, 0.5): "semiseparating"}  # who sends: R, I
SURE = 1e-9  # probabilities this close to 0 or 1 count as that


def cursed_alliance() -> Model:
    """Return the model."""
    return MisperceivedModel(
        "CURS",
        true_game,
        PARAMETERS,
        ("attack", "war"),
        "Eyster and Rabin 2005; Fong, Lin and Palfrey 2025; on the game of Fearon 1997",
        title="Cursed attacker facing a costly signal",
        mechanism="an attacker that neglects what signals tell must be outspent or is not deterred at all",
        concept="pbe",
        confidence="C",
        requires=("rho * (g + d) < g", "v_I + h < w", "k + h > 0"),
        closed_form=equilibria,
        perceive=lambda game, params: cursed(game, chi=params["chi"]),
        read=read_equilibria,
        critical=indifferences,
        draw=draw,
        formulas={
            "belief after a message": r"\mu' = \chi \rho + (1 - \chi) \mu_{Bayes}",
            "largest curse at which signals deter": r"\bar\chi = (1 - \mu^*) / (1 - \rho)",
            "semi-separating": r"r = \frac{\mu^* - \chi \rho}{1 - \chi}, \quad "
            r"\beta = \frac{\rho (1 - r)}{(1 - \rho) r}, \quad P_{attack} = 1 - \frac{\rho}{r} (1 - a_1)",
        },
        differs="only where the prior does not deter; the attacker's curse is at each history (chi-CSE)",
    )


def true_game(rho: Any, v_I: Any, w: Any, k: Any, h: Any, g: Any, d: Any, chi: Any = 0.0) -> SignalingGame:
    """Return the game; the curse is in the attacker's mind only."""
    del chi
    return alliance_signal.signaling_game(rho=rho, k=k, h=h, d1=d, v_I=v_I, w=w, v_R=2 * w, g=g, d=d)


def indifferences(rho: float, g: float, d: float, **_: Any) -> ContinuousGame:
    """Return the attacker's indifference in its belief, and in how cursed it is after a signal that only R sends."""

    def gain(belief: Any) -> Any:
        return (1 - belief) * g - belief * d

    return ContinuousGame(("Attacker",), {
        "mu_star": Indifferent(lambda mu, _: gain(mu), 0, 1),
        "eq.chi_bar": Indifferent(lambda chi, _: gain(chi * rho + (1 - chi) * 1.0), 0, 1),
    })  # fmt: skip


def equilibria(rho: float, v_I: float, w: float, k: float, h: float, g: float, d: float, chi: float) -> dict[str, Any]:
    """Return every class of chi-cursed sequential equilibria (generic parameters)."""
    mu_star = g / (g + d)
    chi_bar = (1 - mu_star) / (1 - rho)
    found: dict[str, Any] = {"chi_bar": chi_bar}
    if v_I <= k <= w and chi <= chi_bar:
        found["separating"] = {"belief_after_signal": chi * rho + 1 - chi, "P_attack": 1 - rho, "P_war": 0.0}
    if k < v_I and chi < chi_bar:
        r = (mu_star - chi * rho) / (1 - chi)
        a1 = (v_I - k) / (v_I + h)
        found["semiseparating"] = {
            "true_posterior": r,
            "bluff_prob": rho * (1 - r) / ((1 - rho) * r),
            "a1": a1,
            "P_attack": 1 - rho / r * (1 - a1),
            "P_war": rho * a1,
        }
    found["silence_pooling"] = {"P_attack": 1.0, "P_war": rho}
    return {"mu_star": mu_star, "eq": found}


def read_equilibria(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same classes off the cursed equilibria.

    A treaty that costs nothing and deters nobody may be signed by the resolute or not (k = 0, chi > chi_bar); such
    equilibria, in which attack is certain as in silence, are counted as silence.
    """
    found: dict[str, Any] = {}
    for e in solution:
        profile = signaling(e.profile)
        s_R, s_I = (float(p) for p in profile.sender[:, 1])
        name = NAMES.get((_sort(s_R), _sort(s_I)))
        if name is None or float(profile.receiver[0, 1, 1]) > 1 - SURE:
            name = "silence_pooling"
        found[name] = _described(name, e, profile, params["rho"], s_R, s_I)
    return {"eq": found}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters at which signals of each kind work, or the curse is too strong."""
    v_I, g, d = (float(x) for x in rng.uniform(0.1, 1, 3))
    w = v_I + float(rng.uniform(0.1, 1))
    return {
        "rho": float(rng.uniform(0.05, 0.95) * g / (g + d)),
        "v_I": v_I,
        "w": w,
        "k": float(rng.uniform(0.02, 1.2 * w)),
        "h": float(rng.choice([0.0, rng.uniform(0, 0.95 * (w - v_I))])),
        "g": g,
        "d": d,
        "chi": float(rng.choice([0.0, rng.uniform(0, 0.95)])),
    }


def _described(
    name: str, e: Equilibrium, profile: SignalingProfile, rho: float, s_R: float, s_I: float
) -> dict[str, float]:
    chances = {"P_attack": float(e.probability("attack")), "P_war": float(e.probability("war"))}
    if name == "separating":
        return {"belief_after_signal": float(profile.posterior[0, 1, 0]), **chances}
    if name == "semiseparating":
        sent = rho * s_R / (rho * s_R + (1 - rho) * s_I)
        return {"true_posterior": sent, "bluff_prob": s_I, "a1": float(profile.receiver[0, 1, 1]), **chances}
    return chances


def _sort(probability: float) -> float:
    """Return 0, 1 or, for what is neither, 1/2."""
    return 0.0 if probability < SURE else 1.0 if probability > 1 - SURE else 0.5

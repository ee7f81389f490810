"""Heterogeneous priors: both sides agree to disagree on how likely resolve is, and outcomes follow the truth.

**Unilateral deterrence.** The game of ``perfect_deterrence``, in which the challenger believes in one probability that
the defender is hard and the defender with another that the challenger is. Both are commonly known, and neither need be
the true one.

**Alliance signal.** The game of ``alliance_signal``, in which the attacker believes in the prior rho_hat that the
guarantor is resolute; commonly known, while the true one is rho_true. As a hypergame, guarantor and attacker each have
a prior in mind, think it common, and play their part of the equilibrium that D1 selects at it.

Of several equilibria the one that D1 selects is reported (of those, what the signaler likes best), with probabilities
under the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from deterrence.games.equilibrium import EquilibriumSet
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.models import alliance_signal, perfect_deterrence
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.models.outcomes import signaling
from deterrence.models.variants import Variant
from deterrence.perception.outcome import SubjectiveOutcome
from deterrence.perception.priors import heterogeneous_priors
from deterrence.perception.subjective import subjective

Payoffs = Mapping[str, Any]

DETERRENCE = (
    Parameter("p_Ch", 0.3, 0, 1, "probability", "true probability that the challenger is hard"),
    Parameter("p_Def", 0.6, 0, 1, "probability", "true probability that the defender is hard"),
    Parameter("defender_belief_p_Ch", 0.3, 1e-9, 1 - 1e-9, "probability", "what the defender believes of p_Ch"),
    Parameter("challenger_belief_p_Def", 0.2, 0, 1, "probability", "what the challenger believes of p_Def"),
    *(entry for entry in perfect_deterrence.PARAMETERS if "." in entry.name),  # payoffs, as without disagreement
)


@cache
def _deterrence() -> Model:
    return perfect_deterrence.unilateral_deterrence()


@cache
def _alliance() -> Model:
    return alliance_signal.alliance_signaling()


def disputed_deterrence() -> Model:
    """Return the unilateral deterrence game with heterogeneous priors."""
    return Model(
        "NCP",
        disputed_deterrence_game,
        DETERRENCE,
        perfect_deterrence.EVENTS,
        "Zagare and Kilgour 2000, ch. 5; priors as in Morris 1995",
        title="Unilateral deterrence with heterogeneous priors",
        mechanism="underestimated resolve breaks a deterrence that would have held; overestimated, it deters by bluff",
        concept="pbe",
        confidence="C",
        requires=_deterrence().requires,
        closed_form=disputed_challenge,
        read=read_disputed_challenge,
        draw=draw_disputed_deterrence,
        formulas={
            "class": r"\hat p_{Def} \ge c_h: \text{deterrence}; \quad c_s \le \hat p_{Def} \le c_h: \text{separating}; "
            r"\quad \hat p_{Def} < c_s: \text{bluff if } \hat p_{Ch} \le d_1, \text{ else attack}",
            "bluff": r"x_S = \frac{\hat p_{Ch} (1 - d_1)}{(1 - \hat p_{Ch}) d_1}, \quad "
            r"y = \frac{c_s - \hat p_{Def}}{1 - \hat p_{Def}}",
            "likelihood of war": r"P_{war} = p_{Ch} x_H q_d, \quad q_d = p_{Def} + (1 - p_{Def}) y",
        },
        differs="equilibrium conditions use each side's own prior, probabilities the true ones; D1 selects",
    )


def disputed_deterrence_game(
    p_Ch: float,
    p_Def: float,
    defender_belief_p_Ch: float,
    challenger_belief_p_Def: float,
    challenger: Payoffs,
    defender: Payoffs,
) -> SignalingGame:
    """Return the game in which challenger, defender and truth each have a prior."""
    return heterogeneous_priors(
        _deterrence(),
        truth={"p_Ch": p_Ch, "p_Def": p_Def, "challenger": challenger, "defender": defender},
        beliefs={"Challenger": {"p_Def": challenger_belief_p_Def}, "Defender": {"p_Ch": defender_belief_p_Ch}},
    )


def disputed_challenge(
    p_Ch: float,
    p_Def: float,
    defender_belief_p_Ch: float,
    challenger_belief_p_Def: float,
    challenger: Payoffs,
    defender: Payoffs,
) -> dict[str, Any]:
    """Return the class that D1 selects at the beliefs, who initiates and resists in it, and what follows in truth."""
    c_s, c_h, d1 = perfect_deterrence.critical_values(challenger, defender)
    doubt, odds = challenger_belief_p_Def, defender_belief_p_Ch / (1 - defender_belief_p_Ch)
    if doubt >= c_h:
        name, xH, xS, y = "deterrence", 0.0, 0.0, None
    elif doubt >= c_s:
        name, xH, xS, y = "separating", 1.0, 0.0, 0.0
    elif defender_belief_p_Ch <= d1:
        name, xH, xS, y = "bluff", 1.0, odds * (1 - d1) / d1, (c_s - doubt) / (1 - doubt)
    else:
        name, xH, xS, y = "attack", 1.0, 1.0, 0.0
    resisted = p_Def + (1 - p_Def) * (y or 0.0)
    challenge = p_Ch * xH + (1 - p_Ch) * xS
    return {
        "equilibrium": name,
        "xH": xH,
        "xS": xS,
        "y": y,
        "P_challenge": challenge,
        "P_war": p_Ch * xH * resisted,
        "P_concession": challenge * (1 - resisted),
        "P_backdown": (1 - p_Ch) * xS * resisted,
    }


def read_disputed_challenge(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibrium that survives D1."""
    chosen = next(e for e in solution if e.survives("d1"))
    profile = signaling(chosen.profile)
    found = perfect_deterrence.read_selected(solution, params)
    quiet = found["equilibrium"] == "certain_deterrence"
    xH, xS = (float(x) for x in profile.sender[:, 1])
    return {
        **found,
        "equilibrium": "deterrence" if quiet else found["equilibrium"],
        "xH": xH,
        "xS": xS,
        "y": None if quiet else float(profile.receiver[1, 1, 1]),
    }


def draw_disputed_deterrence(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters that reach every class."""
    beliefs = {name: float(rng.uniform(0.02, 0.98)) for name in ("defender_belief_p_Ch", "challenger_belief_p_Def")}
    return {**perfect_deterrence.draw(rng), **beliefs}


# ---------------------------------------------------------------- the alliance signal

_OF_ALLIANCE = {entry.name: entry for entry in alliance_signal.PARAMETERS}
ALLIANCE = (
    Parameter("rho_true", 0.7, 0, 1, "probability", "true probability that the guarantor is resolute"),
    Parameter("rho_hat_attacker", 0.3, 1e-9, 1 - 1e-9, "probability", "the attacker's prior, commonly known"),
    Parameter("rho_guarantor_model", 0.7, 1e-9, 1 - 1e-9, "probability", "prior that the guarantor thinks common"),
    Parameter("rho_attacker_model", 0.3, 1e-9, 1 - 1e-9, "probability", "prior that the attacker thinks common"),
    *(_OF_ALLIANCE[name] for name in ("v_I", "w", "k", "h", "g", "d")),
)
SHARED = ("v_I", "w", "k", "h", "g", "d")
HYPERGAME = "hypergame: each side plays the D1-selected equilibrium of its own subjective game"
CLASSES = {"pooling on silence": "pool0", "separating": "separating"}


def disputed_alliance() -> Model:
    """Return the alliance signal with a misperceived prior."""
    return MisperceivedModel(
        "NCPS",
        disputed_alliance_game,
        ALLIANCE,
        ("signal", "attack", "war"),
        "Fearon 1997; Morrow 1994; priors as in Morris 1995, hypergame as in Bennett 1977",
        title="Alliance signal with a misperceived prior",
        mechanism="a guarantor that thinks silence sufficient is read as weak, and attacked",
        concept="pbe",
        confidence="C",
        takes=("rho_true", "rho_hat_attacker", *SHARED),
        requires=("v_I + h < w", "k + h > 0"),
        closed_form=doubted_signal,
        read=read_doubted_signal,
        draw=draw_disputed_alliance,
        perceive={HYPERGAME: alliance_hypergame},
        variants=(
            Variant(
                name=HYPERGAME,
                takes=("rho_true", "rho_guarantor_model", "rho_attacker_model", *SHARED),
                game=true_alliance,
                closed_form=composed_signal,
                read=read_composed_signal,
                draw=draw_alliance_hypergame,
            ),
        ),
        formulas={
            "the prior deters": r"\hat\rho \ge \mu^* = g / (g + d)",
            "semi-separating, k < v_I": r"\beta = \frac{\hat\rho (1 - \mu^*)}{(1 - \hat\rho) \mu^*}, \quad "
            r"a_1 = \frac{v_I - k}{v_I + h}",
            "in truth": r"P_{signal} = \rho + (1 - \rho) \beta, \quad P_{attack} = 1 - P_{signal} (1 - a_1), \quad "
            r"P_{war} = \rho a_1",
        },
        differs="D1 selects; as a hypergame, an attacker whom its prior deters is not provoked by a treaty",
    )


def disputed_alliance_game(rho_true: float, rho_hat_attacker: float, **shared: float) -> SignalingGame:
    """Return the game with the attacker's prior beside the true one."""
    return heterogeneous_priors(
        _alliance(), truth=_of_alliance(rho_true, shared), beliefs={"Attacker": {"rho": rho_hat_attacker}}
    )


def doubted_signal(
    rho_true: float, rho_hat_attacker: float, v_I: float, w: float, k: float, h: float, g: float, d: float
) -> dict[str, Any]:
    """Return the class that D1 selects at the attacker's prior, and what follows in truth."""
    name, s_R, s_I, a0, a1 = _class_at(rho_hat_attacker, v_I, w, k, h, g, d)
    return {"equilibrium": name, "bluff_prob": s_I, **_what_follows(rho_true, s_R, s_I, a0, a1)}


def read_doubted_signal(solution: EquilibriumSet, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the equilibria that survive D1."""
    best = max((e for e in solution if e.survives("d1")), key=lambda e: float(e.payoffs["Guarantor"]))
    profile = signaling(best.profile)
    s_R, s_I = (float(x) for x in profile.sender[:, 1])
    return {
        "equilibrium": alliance_signal.class_of(profile, params) or "pool0",
        "bluff_prob": s_I,
        "P_signal": params["rho_true"] * s_R + (1 - params["rho_true"]) * s_I,
        "P_attack": float(best.probability("attack")),
        "P_war": float(best.probability("war")),
    }


def true_alliance(
    rho_true: float, rho_guarantor_model: float, rho_attacker_model: float, **shared: float
) -> SignalingGame:
    """Return the game at the true prior."""
    del rho_guarantor_model, rho_attacker_model
    return alliance_signal.signaling_game(**_of_alliance(rho_true, shared))


def alliance_hypergame(_: SignalingGame, params: Mapping[str, Any]) -> SubjectiveOutcome:
    """Return what happens when each side plays its part of the equilibrium that D1 selects at its prior."""
    found = subjective(
        _alliance(),
        truth=_of_alliance(params["rho_true"], {name: params[name] for name in SHARED}),
        beliefs={
            "Guarantor": {"rho": params["rho_guarantor_model"]},
            "Attacker": {"rho": params["rho_attacker_model"]},
        },
        select="d1, best for Guarantor, lowest treaty",
    )
    assert isinstance(found, SubjectiveOutcome)  # not a grid: no value is an array
    return found


def composed_signal(
    rho_true: float,
    rho_guarantor_model: float,
    rho_attacker_model: float,
    v_I: float,
    w: float,
    k: float,
    h: float,
    g: float,
    d: float,
) -> dict[str, Any]:
    """Return what the guarantor's part at its prior and the attacker's part at its own lead to in truth."""
    own, s_R, s_I, _, _ = _class_at(rho_guarantor_model, v_I, w, k, h, g, d)
    other, _, _, a0, a1 = _class_at(rho_attacker_model, v_I, w, k, h, g, d)
    classes = {"equilibrium_guarantor": own, "equilibrium_attacker": other, "bluff_prob": s_I}
    return {**classes, **_what_follows(rho_true, s_R, s_I, a0, a1)}


def read_composed_signal(solution: SubjectiveOutcome, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the composition; off its path an attacker does what leads to the least attack."""
    first = min(solution.plays, key=lambda play: float(play.true @ solution.ends.weights("attack")))
    sends = first.strategies["Guarantor"]
    expects = {player: CLASSES.get(kind, "semiseparating") for player, kind in first.expects.items()}
    return {
        "equilibrium_guarantor": expects["Guarantor"],
        "equilibrium_attacker": expects["Attacker"],
        "bluff_prob": float(sends["irresolute"]["treaty"]),
        "P_signal": float(first.true @ solution.ends.weights("treaty")),
        "P_attack": float(first.true @ solution.ends.weights("attack")),
        "P_war": float(first.true @ solution.ends.weights("war")),
    }


def draw_disputed_alliance(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters that reach every class."""
    return {**_draw_shared(rng), **{n: float(rng.uniform(0.03, 0.97)) for n in ("rho_true", "rho_hat_attacker")}}


def draw_alliance_hypergame(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters at which both priors may deter or not."""
    names = ("rho_true", "rho_guarantor_model", "rho_attacker_model")
    return {**_draw_shared(rng), **{name: float(rng.uniform(0.03, 0.97)) for name in names}}


def _class_at(
    prior: float, v_I: float, w: float, k: float, h: float, g: float, d: float
) -> tuple[str, float, float, float, float]:
    """Return the class that D1 selects at a common prior: name, who sends (R, I), attack after silence and treaty."""
    mu_star = g / (g + d)
    if prior >= mu_star or k > w:
        return "pool0", 0.0, 0.0, float(prior < mu_star), 0.0
    if k >= v_I:
        return "separating", 1.0, 0.0, 1.0, 0.0
    return "semiseparating", 1.0, prior * (1 - mu_star) / ((1 - prior) * mu_star), 1.0, (v_I - k) / (v_I + h)


def _what_follows(rho: float, s_R: float, s_I: float, a0: float, a1: float) -> dict[str, float]:
    signal = rho * s_R + (1 - rho) * s_I
    war = rho * (s_R * a1 + (1 - s_R) * a0)
    return {"P_signal": signal, "P_attack": signal * a1 + (1 - signal) * a0, "P_war": war}


def _of_alliance(rho: float, shared: Mapping[str, float]) -> dict[str, Any]:
    """Return the parameters of the alliance signal; any stake of the resolute beyond the cost of war does."""
    return {"rho": rho, **shared, "d1": shared["d"], "v_R": 2 * shared["w"]}


def _draw_shared(rng: np.random.Generator) -> dict[str, float]:
    v_I, g, d = (float(x) for x in rng.uniform(0.1, 1, 3))
    w = v_I + float(rng.uniform(0.1, 1))
    h = float(rng.choice([0.0, rng.uniform(0, 0.95 * (w - v_I))]))
    return {"v_I": v_I, "w": w, "k": float(rng.uniform(0.02, 1.3 * w)), "h": h, "g": g, "d": d}

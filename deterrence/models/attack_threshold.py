"""When an attack pays: the believed chance of a response against a threshold, and the calibrated risk of war.

The attacker holds (S) or attacks. After an attack the guarantee is honoured with true probability q, and the attacker
believes q_hat. Unopposed it gets W, opposed L, with L < S < W in its own units, so it attacks iff q_hat is below
q_star. In the continuous version the gain v of an unopposed attack is the attacker's private type, uniform on [0, V],
and a response costs it c more. In the scope version the support given is a share s of the full response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant

SOURCE = "Snyder 1961; Russett 1963; Huth 1988; selection as in Fearon 2002"

OUTCOMES = (
    Parameter("W", 0.7, -10, 10, "attacker", "attacker's payoff of an unopposed attack"),
    Parameter("L", -0.8, -10, 10, "attacker", "attacker's payoff if the guarantee is honoured"),
    Parameter("S", 0.1, -10, 10, "attacker", "attacker's payoff of the status quo"),
)
RESPONSE = Parameter("q", 0.5, 0, 1, "probability", "true probability of a response")
SCOPE = Parameter("s", 1, 0, 1, "share", "share of the full response that the support covers")
CONTINUOUS = (
    RESPONSE,
    Parameter("q_hat", 0.5, 0, 1, "probability", "probability of a response that the attacker believes"),
    Parameter("V", 2, 1e-6, 100, "attacker", "largest gain of an unopposed attack"),
    Parameter("c", 1.6, 1e-6, 100, "attacker", "loss from a response"),
)


def calibrated_risk() -> Model:
    """Return the model of the threshold (W, L, S) and of the calibrated risk of war (q, q_hat, V, c)."""
    return Model(
        "THR",
        risk_game,
        (*CONTINUOUS, *OUTCOMES),
        ("attack", "war"),
        SOURCE,
        title="Attack threshold and calibrated risk of war",
        mechanism="the attacker acts on the response that it believes; middling reliability is the most dangerous",
        concept="cutpoints",
        confidence="B",
        takes=("q", "q_hat", "V", "c"),
        requires=("L < S < W",),
        closed_form=risk,
        read=read_first,
        variants=(
            Variant(
                takes=("W", "L", "S", "q", "q_hat"),
                game=threshold_game,
                closed_form=threshold,
                read=read_first,
            ),
            Variant(
                name="maximise P_war over q=q_hat",
                takes=("V", "c"),
                game=most_dangerous_game,
                closed_form=most_dangerous,
                read=lambda solutions, _: {"q_at_max": solutions[0]["q"], "P_war_max": solutions[0]["q:payoff"]},
            ),
            Variant(
                name="calibrated: q_hat=q",
                takes=("q", "V", "c"),
                game=lambda q, V, c: risk_game(q, q, V, c),
                closed_form=lambda q, V, c: risk(q, q, V, c),
                read=read_first,
            ),
        ),
        formulas={
            "attack iff the believed response is below": r"q^* = (W - S) / (W - L)",
            "likelihood of attack": r"P_{attack} = 1 - \min(1, \hat q c / V)",
            "likelihood of war": r"P_{war} = q P_{attack}, \quad \max = V / (4c) \text{ at } q = \hat q = V / (2c)",
        },
    )


def unopposed_or_not(q: Any, W: float, L: float) -> Any:
    """Return the attacker's payoff of an attack at a belief."""
    return (1 - q) * W + q * L


def threshold_game(W: float, L: float, S: float, q: float, q_hat: float) -> ContinuousGame:
    """Return the attacker's indifference in belief, its choice, and what follows at the true probability."""
    return ContinuousGame(("A",), {
        "q_star": Indifferent(lambda x, _: unopposed_or_not(x, W, L) - S, 0, 1),
        "P_attack": Given(lambda _: float(unopposed_or_not(q_hat, W, L) > S)),
        "P_war": Given(lambda known: q * known["P_attack"]),
    })  # fmt: skip


def threshold(W: float, L: float, S: float, q: float, q_hat: float) -> dict[str, Any]:
    """Return the threshold of belief, and the likelihoods of attack and war."""
    q_star = (W - S) / (W - L)
    attack = float(q_hat < q_star)
    return {"q_star": q_star, "P_attack": attack, "P_war": q * attack}


def risk_game(q: float, q_hat: float, V: float, c: float) -> ContinuousGame:
    """Return the attacker's choice by its private gain, and what follows at the true probability."""
    return ContinuousGame(("A",), {
        "P_attack": Acts(lambda v, _: v - q_hat * c, Uniform(0, V)),
        "P_war": Given(lambda known: q * known["P_attack"]),
    })  # fmt: skip


def risk(q: float, q_hat: float, V: float, c: float) -> dict[str, Any]:
    """Return the likelihood of attack and of war."""
    attack = 1 - min(1.0, q_hat * c / V)
    return {"P_attack": attack, "P_war": q * attack}


def read_first(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution, which is one."""
    (found,) = solutions
    return dict(found)


def most_dangerous_game(V: float, c: float) -> ContinuousGame:
    """Return the search for the reliability, rightly believed, at which war is likeliest."""
    types = Uniform(0, V)
    return ContinuousGame(("A",), {"q": Best(lambda q, _: q * (1 - types.cdf(q * c)), 0, 1)})


def most_dangerous(V: float, c: float) -> dict[str, Any]:
    """Return that reliability and the likelihood of war there."""
    q = min(1.0, V / (2 * c))
    return {"q_at_max": q, "P_war_max": q * (1 - q * c / V)}


def scope_of_support() -> Model:
    """Return the model in which support covers a share of the full response."""
    return Model(
        "SCOPE",
        scope_game,
        (*OUTCOMES, RESPONSE, SCOPE),
        ("attack",),
        "the project's own; scope and reliability as in Snyder 1961",
        title="Scope of support",
        mechanism="scope and reliability are substitutes",
        concept="cutpoints",
        confidence="C",
        requires=("L < S < W",),
        takes=("W", "L", "S", "q"),
        closed_form=scope,
        read=read_scope,
        variants=(Variant(takes=("W", "L", "S", "q", "s"), game=scoped_game, closed_form=scoped, read=read_first),),
        formulas={"smallest scope that deters": r"s^* = q^* / q \quad (q \ge q^*)"},
    )


def scope_game(W: float, L: float, S: float, q: float) -> ContinuousGame:
    """Return the attacker's indifference in belief (full support) and in scope (at reliability q)."""
    return ContinuousGame(("A",), {
        "q_star": Indifferent(lambda x, _: unopposed_or_not(x, W, L) - S, 0, 1),
        "s_star": Indifferent(lambda s, _: scoped_attack(s, q, W, L) - S, 0, 1, otherwise="none"),
    })  # fmt: skip


def scoped_attack(s: Any, q: Any, W: float, L: float) -> Any:
    """Return the attacker's payoff of an attack at a reliability, if support covers the share s."""
    return (1 - q) * W + q * (W - s * (W - L))


def scoped_game(W: float, L: float, S: float, q: float, s: float) -> ContinuousGame:
    """Return the attacker's choice at a given scope."""
    return ContinuousGame(("A",), {
        "q_star": Indifferent(lambda x, _: unopposed_or_not(x, W, L) - S, 0, 1),
        "attack": Given(lambda _: int(scoped_attack(s, q, W, L) > S)),
    })  # fmt: skip


def scoped(W: float, L: float, S: float, q: float, s: float) -> dict[str, Any]:
    """Return the threshold and whether the attacker attacks at a given scope."""
    q_star = (W - S) / (W - L)
    return {"q_star": q_star, "attack": int(q * s < q_star)}


def scope(W: float, L: float, S: float, q: float) -> dict[str, Any]:
    """Return the threshold and the smallest scope that deters; None if not even full support does."""
    q_star = (W - S) / (W - L)
    return {"q_star": q_star, "s_star": q_star / q if q >= q_star else None, "deterrable": int(q >= q_star)}


def read_scope(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {**solutions[0], "deterrable": int(solutions[0]["s_star"] is not None)}

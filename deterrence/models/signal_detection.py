r"""Reading noisy evidence: an attacker that reads posture, and a defender that reads warning signs.

**Posture.** Nature makes the defender resolved, with probability rho, or irresolute; only the defender learns it. The
attacker sees a noisy signal, standard normal if the defender is irresolute and shifted by d' if it is resolved, and
attacks or holds; a resolved defender fights, an irresolute one yields. The attacker's payoffs are in its own units,
scaled so that it is indifferent at the belief mu*: mu* if the defender yields, mu* - 1 if it fights, 0 if it holds.
So it attacks iff the signal is below a cutoff. n independent signals of sensitivity d' are one of d' sqrt(n).

**Warning.** Evidence is standard normal if no attack is coming and shifted by d' if one is, which has probability pi.
The defender responds or waits; a missed attack costs C_miss and a false alarm C_false, in its own units. It responds
iff the evidence is above a criterion. A poorer signal (lower d') raises false alarms where the costly error is the
miss, C_miss pi > C_false (1 - pi), and otherwise once d' falls below sqrt(2 ln[(1 - pi) C_false / (pi C_miss)]) it
lowers them: such evidence no longer moves the defender.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isinf, log, sqrt
from typing import Any

import numpy as np
from scipy.special import ndtr

from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.perception.detection import most_dangerous_signal, signal_detection
from deterrence.perception.detection import warning_threshold as alarm_threshold

RHO = Parameter("rho", 0.4, 1e-9, 1 - 1e-9, "probability", "prior that the defender is resolved")
MU_STAR = Parameter("mu_star", 0.5, 1e-9, 1 - 1e-9, "probability", "belief at which the attacker is indifferent")
POSTURE = (
    RHO,
    MU_STAR,
    Parameter("d_prime", 1, 0, inf, "standard deviations", "sensitivity: how far resolve shifts the signal"),
    Parameter("n", 1, 1, 10_000, "count", "independent signals"),
)
WARNING = (
    Parameter("pi", 0.2, 1e-9, 1 - 1e-9, "probability", "prior that an attack is coming"),
    Parameter("C_miss", 5, 1e-9, 1e6, "defender", "cost of an attack that is not responded to"),
    Parameter("C_false", 1, 1e-9, 1e6, "defender", "cost of a response when no attack is coming"),
    Parameter("d_prime", 1.5, 1e-6, 40, "standard deviations", "sensitivity: how far an attack shifts the evidence"),
)
FAR = 1e7  # signals further out, in standard deviations, are not looked at
CLEAR = 80.0  # a sensitivity at which no double-precision signal can mislead: stands in for an infinite one
SHARPEST = 20.0  # largest sensitivity at which the most dangerous signal is looked for


def posture_detection() -> Model:
    """Return the model of an attacker that reads a noisy posture."""
    return Model(
        "SDT",
        posture_game,
        POSTURE,
        ("attack", "war"),
        "Green and Swets 1966; Jervis 1970",
        title="Signal detection by the attacker",
        mechanism="a clearer signal of resolve lowers war where the attacker doubts; where it trusts, first raises it",
        concept="cutpoints",
        confidence="A",
        closed_form=detection,
        read=read_detection,
        draw=draw_posture,
        variants=(
            Variant(
                name="d_prime that maximises P_war",
                takes=("rho", "mu_star"),
                game=most_dangerous_game,
                closed_form=most_dangerous,
                read=read_most_dangerous,
                draw=lambda rng: {"rho": float(rng.uniform(0.02, 0.98)), "mu_star": float(rng.uniform(0.02, 0.98))},
            ),
        ),
        formulas={
            "attack iff the signal is below": r"x^* = \frac{d'}{2} + \frac{L}{d'}, \quad "
            r"L = \ln \frac{(1 - \rho) \mu^*}{\rho (1 - \mu^*)}",
            "likelihood of attack": r"P_{attack|R} = \Phi(x^* - d'), \quad P_{attack|I} = \Phi(x^*)",
            "likelihood of war": r"P_{war} = \rho \Phi(x^* - d'); \quad \rho > \mu^*: \text{ largest at } "
            r"d' = \sqrt{2 |L|}",
        },
        differs="the attacker's payoffs are scaled to be indifferent at mu*; at equal odds it holds",
    )


def posture_game(rho: float, mu_star: float, d_prime: float, n: float) -> ContinuousGame:
    """Return the attacker's choice by the signal that it sees, and what follows from each type of defender."""
    shift = min(d_prime, CLEAR) * sqrt(n)

    def gain(x: Any, _: Any = None) -> Any:
        """Return the log of what attack gains on the irresolute over what it loses on the resolved."""
        return log((1 - rho) * mu_star) - log(rho * (1 - mu_star)) - _evidence(x, shift)

    return ContinuousGame(("Attacker",), {
        "cutoff": Indifferent(gain, -FAR, FAR, otherwise="none"),
        "P_attack_given_resolved": Acts(gain, _normal(shift)),
        "P_attack_given_irresolute": Acts(gain, _normal(0.0)),
        "P_attack": Given(lambda known: rho * known["P_attack_given_resolved"]
                          + (1 - rho) * known["P_attack_given_irresolute"]),
        "P_war": Given(lambda known: rho * known["P_attack_given_resolved"]),
    })  # fmt: skip


def detection(rho: float, mu_star: float, d_prime: float, n: float) -> dict[str, Any]:
    """Return the cutoff and the likelihoods; without a signal (d' = 0) the prior decides."""
    seen = signal_detection(rho, mu_star, d_prime * sqrt(n))
    return {
        "cutoff": float(seen.cutoff),
        "P_attack_given_resolved": float(seen.attack_given_resolved),
        "P_attack_given_irresolute": float(seen.attack_given_irresolute),
        "P_attack": float(seen.attack),
        "P_war": float(seen.war),
    }


def read_detection(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; where no signal is at the margin, all or none are attacked."""
    (found,) = solutions
    if found["cutoff"] is None or isinf(params["d_prime"]):
        return {**found, "cutoff": inf if found["P_attack_given_irresolute"] > 0.5 else -inf}
    return dict(found)


def draw_posture(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters with poor and clear signals, one or several."""
    return {
        "rho": float(rng.uniform(0.02, 0.98)),
        "mu_star": float(rng.uniform(0.02, 0.98)),
        "d_prime": float(np.exp(rng.uniform(np.log(0.05), np.log(6)))),
        "n": int(rng.integers(2, 10)) if rng.uniform() < 0.3 else 1,
    }


def most_dangerous_game(rho: float, mu_star: float) -> ContinuousGame:
    """Return the search for the sensitivity at which war is likeliest.

    The attacker attacks where the log-likelihood ratio of resolve is too low; if the defender is resolved, that ratio
    is normal with mean d'^2 / 2 and standard deviation d'. Without a signal the prior decides.
    """
    lean = log((1 - rho) * mu_star) - log(rho * (1 - mu_star))

    def war(d_prime: Any, _: Any = None) -> Any:
        d = np.asarray(d_prime, dtype=np.float64)
        seen = np.where(d > 0, d, 1.0)
        return rho * np.where(d > 0, ndtr((lean - d**2 / 2) / seen), float(lean > 0))

    return ContinuousGame(("Attacker",), {
        "d_prime": Best(war, 0, SHARPEST),
        "P_war": Given(lambda known: known["d_prime:payoff"]),
        "P_war_unseen": Given(lambda _: float(war(0.0))),
    })  # fmt: skip


def most_dangerous(rho: float, mu_star: float) -> dict[str, Any]:
    """Return that sensitivity and the likelihood of war there; no signal where the prior already invites attack."""
    d_prime, war = most_dangerous_signal(rho, mu_star)
    return {"d_prime": float(d_prime), "P_war": float(war)}


def read_most_dangerous(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the search; no signal, if none makes war likelier than that."""
    (found,) = solutions
    best = found["P_war"] > found["P_war_unseen"]
    return {"d_prime": found["d_prime"] if best else 0.0, "P_war": max(found["P_war"], found["P_war_unseen"])}


# ---------------------------------------------------------------- warning


def warning_threshold() -> Model:
    """Return the model of a defender that reads warning signs."""
    return Model(
        "DET",
        warning_game,
        WARNING,
        ("hit", "false_alarm"),
        "Green and Swets 1966; Wohlstetter 1962",
        title="Defender's warning threshold",
        mechanism="costly misses lower the criterion, and with poor evidence that means false alarms",
        concept="cutpoints",
        confidence="A",
        closed_form=warning,
        read=lambda solutions, _: dict(solutions[0]),
        draw=draw_warning,
        formulas={
            "respond iff the evidence is above": r"x^* = \frac{d'}{2} + \frac{1}{d'} "
            r"\ln \frac{(1 - \pi) C_{false}}{\pi C_{miss}}",
            "hits and false alarms": r"P_{hit} = \Phi(d' - x^*), \quad P_{false} = \Phi(-x^*)",
        },
    )


def warning_game(pi: float, C_miss: float, C_false: float, d_prime: float) -> ContinuousGame:
    """Return the defender's choice by the evidence that it sees."""

    def gain(x: Any, _: Any = None) -> Any:
        """Return the log of what a response saves over what it wastes."""
        return _evidence(x, d_prime) + log(pi * C_miss) - log((1 - pi) * C_false)

    return ContinuousGame(("Defender",), {
        "criterion": Indifferent(gain, -FAR, FAR),
        "P_hit": Acts(gain, _normal(d_prime)),
        "P_false_alarm": Acts(gain, _normal(0.0)),
        "expected_cost": Given(lambda known: pi * C_miss * (1 - known["P_hit"])
                               + (1 - pi) * C_false * known["P_false_alarm"]),
    })  # fmt: skip


def warning(pi: float, C_miss: float, C_false: float, d_prime: float) -> dict[str, Any]:
    """Return the criterion, the chances of a hit and of a false alarm, and what errors cost on average."""
    best = alarm_threshold(pi, C_miss, C_false, d_prime)
    hit, false = float(best.hit), float(best.false_alarm)
    cost = pi * C_miss * (1 - hit) + (1 - pi) * C_false * false
    return {"criterion": float(best.criterion), "P_hit": hit, "P_false_alarm": false, "expected_cost": cost}


def draw_warning(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    return {
        "pi": float(rng.uniform(0.02, 0.98)),
        "C_miss": float(rng.uniform(0.1, 10)),
        "C_false": float(rng.uniform(0.1, 10)),
        "d_prime": float(rng.uniform(0.1, 5)),
    }


def _normal(mean: float) -> Any:
    from scipy.stats import norm

    return norm(mean)


def _evidence(x: Any, shift: float) -> Any:
    """Return the log of the density at ``x`` of a normal shifted by ``shift`` over that of one that is not."""
    return shift * (np.asarray(x, dtype=np.float64) - shift / 2)

r"""A race between conquest and reinforcement: how much delay of decision deterrence can bear.

Conquest takes an exponential time of rate lam. The response needs a fixed delay tau, then the agreement of k of N
members, each of whom takes an exponential time of rate nu, then a movement of exponential time of rate rho; all times
are independent and share one unit. If the response comes too late the attacker has a fait accompli, worth ``gain`` to
it; if it comes in time the attacker loses ``loss``.

Conquest has no memory, so the chance that it has not come by the end is the product of the chances that each stage of
the response does not lose the race; the solver gets each by integration over the time that the stage takes.
Prepositioning means a smaller lam or a larger rho; consensus k = N; automation a larger nu.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Mean
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.models.waiting_times import Exponential, KthOfMany
from deterrence.models.whole_numbers import whole

RACE = (
    Parameter("lam", 0.5, 1e-6, 1e6, "1/time", "rate of conquest"),
    Parameter("rho", 2, 1e-6, 1e6, "1/time", "rate of movement"),
    Parameter("tau", 0.1, 0, 1e6, "time", "fixed delay"),
    Parameter("N", 0, 0, 1000, "count", "members"),
    Parameter("k", 0, 0, 1000, "count", "members whose agreement is needed"),
    Parameter("nu", 3, 1e-6, 1e6, "1/time", "rate at which a member agrees"),
)
STAKES = (
    Parameter("gain", 1, 1e-9, 1e6, "attacker", "attacker's gain from a fait accompli"),
    Parameter("loss", 2, 1e-9, 1e6, "attacker", "attacker's loss if the response is in time"),
)
NAMES = tuple(entry.name for entry in RACE)
NEVER = 1e-12  # chance of conquest so late that no later delay is looked at


def decision_delay() -> Model:
    """Return the model."""
    return Model(
        "RACE",
        race_game,
        (*RACE, *STAKES),
        ("fait_accompli", "response_in_time", "attack"),
        "the project's own; races of exponential times as in any textbook of stochastic processes",
        title="Reinforcement race and decision delay",
        mechanism="time lost in deciding is time won for the attacker; consensus costs the most of it",
        concept="cutpoints",
        confidence="C",
        takes=NAMES,
        requires=("k <= N",),
        closed_form=race,
        read=read_race,
        draw=draw,
        variants=(
            Variant(
                game=stakes_game,
                closed_form=race_for_stakes,
                read=read_stakes,
                draw=draw_stakes,
            ),
            Variant(
                name="largest decision delay that still deters",
                takes=("lam", "rho", "N", "k", "nu", "gain", "loss"),
                game=delay_game,
                closed_form=largest_delay,
                read=lambda solutions, _: {name: solutions[0][name] for name in ("P_star", "tau_star")},
                draw=draw_delay,
            ),
        ),
        formulas={
            "in time": r"P = e^{-\lambda \tau} \frac{\rho}{\rho + \lambda} \prod_{i=N-k+1}^{N} "
            r"\frac{i \nu}{i \nu + \lambda}",
            "attack iff": r"1 - P > P^* = loss / (gain + loss)",
            "largest delay that deters (N = 0)": r"\tau^* = \ln[(\rho / (\rho + \lambda)) / (1 - P^*)] / \lambda",
        },
    )


def race_game(lam: float, rho: float, tau: float, N: float, k: float, nu: float) -> ContinuousGame:
    """Return the chances that each stage of the response does not lose the race, and what follows."""
    conquest = Exponential(lam)
    members, needed = whole("N", N), whole("k", k)

    def still_open(time: Any, _: Mapping[str, Any]) -> Any:
        return 1 - conquest.cdf(time)

    decided = Mean(still_open, KthOfMany(members, needed, nu)) if needed else Given(lambda _: 1.0)
    stages = ("delayed", "decided", "moved")
    return ContinuousGame(("Attacker", "Alliance"), {
        "delayed": Given(lambda known: float(still_open(tau, known))),
        "decided": decided,
        "moved": Mean(still_open, Exponential(rho)),
        "P_response_in_time": Given(lambda known: math.prod(known[stage] for stage in stages)),
        "P_fait_accompli": Given(lambda known: 1 - known["P_response_in_time"]),
    })  # fmt: skip


def race(lam: float, rho: float, tau: float, N: float, k: float, nu: float) -> dict[str, Any]:
    """Return the chances of a response in time and of a fait accompli."""
    in_time = math.exp(-lam * tau) * rho / (rho + lam) * _agreed(lam, N, k, nu)
    return {"P_response_in_time": in_time, "P_fait_accompli": 1 - in_time}


def read_race(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {name: solutions[0][name] for name in ("P_response_in_time", "P_fait_accompli")}


def attacking(P: Any, gain: float, loss: float) -> Any:
    """Return the attacker's payoff of an attack at a chance of a fait accompli."""
    return P * gain - (1 - P) * loss


def stakes_game(gain: float, loss: float, **times: float) -> ContinuousGame:
    """Return the race, the attacker's indifference in its chance, and its choice."""
    return ContinuousGame(("Attacker", "Alliance"), {
        **race_game(**times).unknowns,
        "P_star": Indifferent(lambda P, _: attacking(P, gain, loss), 0, 1),
        "P_attack": Given(lambda known: float(attacking(known["P_fait_accompli"], gain, loss) > 0)),
    })  # fmt: skip


def race_for_stakes(gain: float, loss: float, **times: float) -> dict[str, Any]:
    """Return the race, the chance of a fait accompli that it takes to attack, and the choice."""
    found, P_star = race(**times), loss / (gain + loss)
    attack = found["P_fait_accompli"] > P_star
    return {**found, "P_star": P_star, "P_attack": float(attack), "attack": int(attack)}


def read_stakes(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    own = {name: found[name] for name in ("P_star", "P_attack")}
    return {**read_race(solutions, params), **own, "attack": int(found["P_attack"])}


def delay_game(lam: float, rho: float, N: float, k: float, nu: float, gain: float, loss: float) -> ContinuousGame:
    """Return the delay at which the attacker is indifferent, looked for by the chance of conquest within it."""
    conquest = Exponential(lam)
    stages = race_game(lam, rho, 0.0, N, k, nu).unknowns

    def payoff(x: Any, known: Mapping[str, Any]) -> Any:
        in_time = (1 - conquest.cdf(conquest.ppf(x))) * known["decided"] * known["moved"]
        return attacking(1 - in_time, gain, loss)

    return ContinuousGame(("Attacker", "Alliance"), {
        "decided": stages["decided"],
        "moved": stages["moved"],
        "P_star": Indifferent(lambda P, _: attacking(P, gain, loss), 0, 1),
        "within": Indifferent(payoff, 0, 1 - NEVER, otherwise="none"),
        "tau_star": Given(lambda known: None if known["within"] is None else float(conquest.ppf(known["within"]))),
    })  # fmt: skip


def largest_delay(lam: float, rho: float, N: float, k: float, nu: float, gain: float, loss: float) -> dict[str, Any]:
    """Return the largest delay that still deters; None if the attacker attacks even without any."""
    P_star = loss / (gain + loss)
    slack = rho / (rho + lam) * _agreed(lam, N, k, nu) / (1 - P_star)
    return {"P_star": P_star, "tau_star": math.log(slack) / lam if slack >= 1 else None}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random rates, delays and decision rules, no need of a decision among them."""
    N = int(rng.integers(0, 12))
    times = {
        "lam": rng.uniform(0.1, 2),
        "rho": rng.uniform(0.3, 6),
        "tau": rng.uniform(0, 1),
        "nu": rng.uniform(0.5, 8),
    }
    return {**{name: float(x) for name, x in times.items()}, "N": N, "k": int(rng.integers(0, N + 1))}


def draw_stakes(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters at which the attacker attacks or not."""
    gain, loss = (float(x) for x in rng.uniform(0.2, 3, 2))
    return {**draw(rng), "gain": gain, "loss": loss}


def draw_delay(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters at which some delay deters, or none."""
    values = draw_stakes(rng)
    del values["tau"]
    return values


def _agreed(lam: float, N: float, k: float, nu: float) -> float:
    """Return the chance that the k-th of N members agrees before conquest."""
    members, needed = whole("N", N), whole("k", k)
    return math.prod(i * nu / (i * nu + lam) for i in range(members - needed + 1, members + 1))

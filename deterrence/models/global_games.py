r"""Global games of a collective response: who assists when nobody is sure how severe the attack is.

*Two allies.* Assisting pays theta if both assist and theta - loss alone; abstaining pays 0. Each sees theta with a
little noise of its own. *A continuum of members.* An attack of strength theta is beaten iff the share that assists is
at least theta; assisting costs c and gains 1 on success. Member i sees x_i = theta + sigma e_i, with e_i standard
normal, and assists iff x_i is at most a cutoff. The prior is flat, or normal with mean y and standard deviation tau
and then public information. Payoffs are in units of a member's gain from success.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import log, pi, sqrt
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from deterrence.games.continuous import Acts, ContinuousGame, Given, Indifferent, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice
from deterrence.models.variants import Variant

NODES, WEIGHTS = np.polynomial.legendre.leggauss(80)

TWO_ALLIES = "both: theta; alone: theta-1; abstain: 0"
COST = Parameter("c", 0.3, 1e-9, 1 - 1e-9, "share of the gain", "cost of assisting")
NOISE = Parameter("sigma", 0.1, 1e-6, 100, "strength", "standard deviation of private noise")
PUBLIC = (
    Parameter("y", 0.5, -100, 100, "strength", "prior mean of the attack's strength"),
    Parameter("tau", 1, 1e-3, 100, "strength", "prior standard deviation of the attack's strength"),
)


def two_allies() -> Model:
    """Return the global game of two allies."""
    return Model(
        "GG2",
        lambda **_: two_ally_game(1.0),
        (
            Choice("payoffs", TWO_ALLIES, (TWO_ALLIES,), "payoffs of assisting, with and without the other"),
            Parameter("loss", 1, 1e-6, 100, "payoff", "what it costs to assist alone"),
        ),
        (),
        "Carlsson and van Damme 1993",
        title="Two-ally global game",
        mechanism="doubt about what the other sees selects the risk-dominant action",
        concept="cutpoints",
        confidence="A",
        takes=("payoffs",),
        closed_form=lambda **_: risk_dominance(1.0),
        read=lambda solutions, _: {"threshold": solutions[0]["threshold"]},
        variants=(
            Variant(
                takes=("loss",),
                game=two_ally_game,
                closed_form=risk_dominance,
                read=lambda solutions, _: {"threshold": solutions[0]["threshold"]},
            ),
        ),
        formulas={"assist iff": r"\theta > \theta^* = \text{loss} / 2 \quad (\text{here } 1/2)"},
    )


def two_ally_game(loss: float) -> ContinuousGame:
    """Return the ally's indifference at the cutoff signal x, with a flat prior and standard normal noise.

    The scale of the noise does not matter: at the cutoff the other's signal is lower with the same probability.
    """

    def gain(x: Any, _: Mapping[str, Any]) -> Any:
        half = 9.0
        theta = x[..., None] + half * NODES  # posterior: normal around the signal
        posterior = np.exp(-((theta - x[..., None]) ** 2) / 2) / sqrt(2 * pi)
        alone = ndtr(x[..., None] - theta)  # the other's signal is below the cutoff x
        return half * ((theta - alone * loss) * posterior * WEIGHTS).sum(axis=-1)

    return ContinuousGame(("ally", "other ally"), {"threshold": Indifferent(gain, -loss, 2 * loss)})


def risk_dominance(loss: float) -> dict[str, Any]:
    """Return the strength at which assisting is a best reply to an even chance of the other's assistance."""
    return {"threshold": loss / 2}


def continuum_flat_prior() -> Model:
    """Return the model of a continuum of members under a flat prior."""
    return Model(
        "GGC",
        flat_prior_game,
        (COST, NOISE, Choice("theta", "U[0,1]", ("U[0,1]",), "distribution of the attack's strength")),
        ("attack",),
        "Morris and Shin 1998, 2003",
        title="Continuum of members, regime form",
        mechanism="fear of abandonment, not the balance of forces, selects failure against attacks above 1 - c",
        concept="cutpoints",
        confidence="A",
        takes=("c", "sigma"),
        closed_form=flat_prior_cutoffs,
        read=lambda solutions, _: {name: solutions[0][name] for name in ("theta_star", "x_star", "P_attack")},
        draw=lambda rng: {"c": float(rng.uniform(0.02, 0.98)), "sigma": float(rng.uniform(0.001, 2))},
        variants=(
            Variant(
                name="attacker knows theta, pays kappa=0, sigma->0",
                takes=("c", "theta"),
                game=lambda c, **_: flat_prior_game(c, 1.0),
                closed_form=lambda c, **_: {"P_attack": c},
                read=lambda solutions, _: {"P_attack": solutions[0]["P_attack"]},
            ),
        ),
        formulas={
            "the response succeeds iff": r"\theta \le \theta^* = 1 - c",
            "a member assists iff": r"x \le x^* = \theta^* - \sigma \Phi^{-1}(c)",
            "likelihood of attack": r"P_{attack} = c \quad (\theta \sim U[0, 1], \text{ known to the attacker})",
        },
    )


def flat_prior_game(c: float, sigma: float) -> ContinuousGame:
    """Return the strength that is just beaten, the cutoff signal, and the attacks that an informed attacker makes.

    The cutoff signal is the one below which a share theta_star of members see when theta is theta_star.
    """

    def cutoff(theta: Any) -> Any:
        return theta + sigma * ndtri(theta)

    def gain(theta: Any, _: Mapping[str, Any]) -> Any:  # of the member at the cutoff; posterior: normal around it
        return ndtr((theta - cutoff(theta)) / sigma) - c

    return ContinuousGame(("members", "attacker"), {
        "theta_star": Indifferent(gain, 0, 1),
        "x_star": Given(lambda known: float(cutoff(known["theta_star"]))),
        "P_attack": Acts(lambda theta, known: theta - known["theta_star"], Uniform(0, 1)),
    })  # fmt: skip


def flat_prior_cutoffs(c: float, sigma: float) -> dict[str, Any]:
    """Return the strength that is just beaten, the cutoff signal and the likelihood of attack."""
    return {"theta_star": 1 - c, "x_star": 1 - c - sigma * float(ndtri(c)), "P_attack": c}


def continuum_common_prior() -> Model:
    """Return the model of a continuum of members with public information."""
    return Model(
        "GGN",
        common_prior_game,
        (COST, NOISE, *PUBLIC),
        ("response",),
        "Morris and Shin 2003",
        title="Continuum of members with a common prior",
        mechanism="public information that is too precise brings self-fulfilling responses back",
        concept="cutpoints",
        confidence="A",
        closed_form=common_prior_cutoffs,
        read=read_common_prior,
        draw=draw_common_prior,
        formulas={
            "strength that is just beaten": r"\theta^* = \Phi\left(\frac{\alpha (\theta^* - y) - \sqrt{\alpha + \beta}"
            r"\, \Phi^{-1}(c)}{\sqrt\beta}\right), \quad \alpha = \tau^{-2}, \beta = \sigma^{-2}",
            "unique for every y iff": r"\alpha / \sqrt\beta \le \sqrt{2 \pi}",
            "likelihood of a response": r"\Phi((\theta^* - y) / \tau)",
        },
    )


def common_prior_game(c: float, sigma: float, y: float, tau: float) -> ContinuousGame:
    """Return the same game with a normal posterior; u is the normal quantile of theta_star."""
    share = sigma**2 / (sigma**2 + tau**2)  # weight of public information in a member's posterior mean
    deviation = sigma * tau / sqrt(sigma**2 + tau**2)

    def gain(u: Any, _: Mapping[str, Any]) -> Any:  # quantile of the cutoff member's belief in success, less that of c
        theta = ndtr(u)
        mean = share * y + (1 - share) * (theta + sigma * u)
        return (theta - mean) / deviation - ndtri(c)

    reach = (1 + abs(y)) * sigma / tau**2 + abs(float(ndtri(c))) * sqrt(1 + (sigma / tau) ** 2) + 1
    return ContinuousGame(("members",), {
        "u": Indifferent(gain, -reach, reach),
        "theta_star": Given(lambda known: float(ndtr(known["u"]))),
        "x_star": Given(lambda known: known["theta_star"] + sigma * known["u"]),
        "P_response": Given(lambda known: float(ndtr((known["theta_star"] - y) / tau))),
    })  # fmt: skip


def common_prior_cutoffs(c: float, sigma: float, y: float, tau: float) -> dict[str, Any]:
    r"""Return all equilibria, in increasing strength that is just beaten.

    In u, the normal quantile of theta_star, these are the zeros of sqrt(be) u - al (Phi(u) - y) + sqrt(al + be) z,
    which has at most two turning points, at the two u with phi(u) = sqrt(be) / al.
    """
    al, be, z = tau**-2, sigma**-2, float(ndtri(c))
    ratio = al / sqrt(be)

    def gap(u: float) -> float:
        return float(u - ratio * (ndtr(u) - y) + sqrt(1 + al / be) * z)

    low, high = -ratio * y - sqrt(1 + al / be) * z - 1, ratio * (1 - y) - sqrt(1 + al / be) * z + 1
    turn = sqrt(2 * log(ratio / sqrt(2 * pi))) if ratio > sqrt(2 * pi) else None
    edges = [low, *(u for u in (() if turn is None else (-turn, turn)) if low < u < high), high]
    signs = ((left, right) for left, right in pairwise(edges) if gap(left) * gap(right) < 0)
    roots = [brentq(gap, left, right, xtol=1e-15, rtol=1e-14) for left, right in signs]
    theta = [float(ndtr(u)) for u in roots]
    cutoffs = [((al + be) * t - al * y - sqrt(al + be) * z) / be for t in theta]
    return _by_root(ratio, theta, cutoffs, [float(ndtr((t - y) / tau)) for t in theta])


def read_common_prior(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solutions; the ratio is by definition that of public to private precision."""
    ratio = params["tau"] ** -2 / sqrt(params["sigma"] ** -2)
    return _by_root(ratio, *([found[name] for found in solutions] for name in ("theta_star", "x_star", "P_response")))


def _by_root(ratio: float, theta: list[float], cutoffs: list[float], chances: list[float]) -> dict[str, Any]:
    """Return the quantities root by root, and the range of the likelihood of a response."""
    return {
        "uniqueness_ratio": ratio,
        "unique": int(ratio <= sqrt(2 * pi)),
        "theta_star": theta,
        "x_star": cutoffs,
        "P_response": chances,
        "response": (min(chances), max(chances)),
    }


def draw_common_prior(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters with one and with three equilibria."""
    c, sigma, y = (float(rng.uniform(*ends)) for ends in ((0.1, 0.9), (0.1, 1), (0, 1)))
    return {"c": c, "sigma": sigma, "y": y, "tau": sqrt(sigma) * float(rng.uniform(0.25, 1.5))}

r"""Strategic voting under unanimity (Feddersen and Pesendorfer 1998), as an alliance that responds only if all agree.

There is a threat, with a prior probability, or none. Each of n members gets a private signal that is right with
probability ``accuracy`` in either state, and votes; the alliance responds iff all vote to. A member wants to respond
iff its probability of a threat is at least q. A vote matters only if all others vote to respond, which tells a member
that they saw a threat, or voted against what they saw. In the symmetric responsive equilibrium a member that saw a
threat votes to respond, one that saw none does so with probability sigma.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, isinf, log
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.whole_numbers import whole

PARAMETERS = (
    Parameter("n", 12, 2, float("inf"), "count", "members; infinite: the limit"),
    Parameter("accuracy", 0.8, 0.5, 1, "probability", "chance that a member's signal is right"),
    Parameter("q", 0.9, 1e-9, 1 - 1e-9, "probability", "probability of a threat from which on members want to respond"),
    Parameter("prior", 0.5, 1e-9, 1 - 1e-9, "probability", "prior probability of a threat"),
)


def strategic_unanimity() -> Model:
    """Return the model."""
    return Model(
        "FP",
        voting,
        PARAMETERS,
        {"respond_given_none": "P_respond_given_none", "fail_given_threat": "P_fail_given_threat"},
        "Feddersen and Pesendorfer 1998",
        title="Strategic unanimity",
        mechanism="unanimity errs in both directions, however many members there are",
        concept="cutpoints",
        confidence="A",
        requires=("0.5 < accuracy < 1",),
        closed_form=responsive_equilibrium,
        read=read_voting,
        draw=draw,
        formulas={
            "vote to respond having seen no threat": r"\sigma = \frac{\alpha - \kappa (1-\alpha)}"
            r"{\kappa \alpha - (1-\alpha)}, \quad \kappa = \left[\frac{q}{1-q} \frac{\alpha}{1-\alpha} "
            r"\frac{1-\pi}{\pi}\right]^{1/(n-1)}",
            "errors": r"P(respond | none) = [(1-\alpha) + \alpha \sigma]^n, \quad "
            r"P(fail | threat) = 1 - [\alpha + (1-\alpha) \sigma]^n",
        },
        differs="members and prior are general; where all vote to respond whatever they see, sigma is 1",
    )


def voting(n: float, accuracy: float, q: float, prior: float) -> ContinuousGame:
    """Return the indifference of a member that saw no threat, given that all others vote to respond.

    In the limit of many members the number of votes against is Poisson: sigma is 1 - s/n, and a member that is pivotal
    learns that there are none.
    """
    _check_responsive(n, accuracy, q, prior)
    start = _odds(prior) - _odds(accuracy)  # log odds of a threat, having seen none
    if isinf(n):
        return ContinuousGame(("members",), {
            "s": Indifferent(lambda s, _: _odds(q) - (start + s * accuracy - s * (1 - accuracy)), 0,
                             1e3 / (2 * accuracy - 1), otherwise="corner"),
            "sigma": Given(lambda _: 1.0),
            "none": Given(lambda known: exp(-known["s"] * accuracy)),
            "threat": Given(lambda known: exp(-known["s"] * (1 - accuracy))),
        })  # fmt: skip
    n = whole("n", n)

    def votes(sigma: Any, right: float) -> Any:  # chance of a vote to respond, where a signal of threat has this chance
        return right + (1 - right) * sigma

    def gain(sigma: Any, _: Mapping[str, Any]) -> Any:
        pivotal = (n - 1) * (np.log(votes(sigma, accuracy)) - np.log(votes(sigma, 1 - accuracy)))
        return start + pivotal - _odds(q)

    return ContinuousGame(("members",), {
        "sigma": Indifferent(gain, 0, 1, otherwise="corner"),
        "none": Given(lambda known: votes(known["sigma"], 1 - accuracy) ** n),
        "threat": Given(lambda known: votes(known["sigma"], accuracy) ** n),
    })  # fmt: skip


def responsive_equilibrium(n: float, accuracy: float, q: float, prior: float) -> dict[str, Any]:
    """Return the equilibrium and the likelihoods of the two errors."""
    _check_responsive(n, accuracy, q, prior)
    needed = q / (1 - q) * accuracy / (1 - accuracy) * (1 - prior) / prior
    if isinf(n):
        z, spread = min(1.0, 1 / needed), 2 * accuracy - 1
        none, threat = z ** (accuracy / spread), z ** ((1 - accuracy) / spread)
        return _errors(1.0, accuracy, none, threat)
    n = whole("n", n)
    kap = needed ** (1 / (n - 1))
    # kap <= 1: a threat is likely enough even to one that saw none and learns nothing from the others
    sigma = 1.0 if kap <= 1 else max(0.0, (accuracy - kap * (1 - accuracy)) / (kap * accuracy - (1 - accuracy)))
    g_T, g_N = accuracy + (1 - accuracy) * sigma, (1 - accuracy) + accuracy * sigma
    return _errors(sigma, accuracy, g_N**n, g_T**n)


def read_voting(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    return _errors(found["sigma"], params["accuracy"], float(found["none"]), float(found["threat"]))


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters with few, many and infinitely many members, and a responsive equilibrium."""
    n = float("inf") if rng.uniform() < 0.15 else int(rng.integers(2, 40))
    while True:
        accuracy, q, prior = (float(rng.uniform(*ends)) for ends in ((0.55, 0.95), (0.1, 0.95), (0.1, 0.9)))
        if n * _odds(accuracy) > _odds(q) - _odds(prior) + 1e-6:
            return {"n": n, "accuracy": accuracy, "q": q, "prior": prior}


def _odds(chance: float) -> float:
    return log(chance / (1 - chance))


def _check_responsive(n: float, accuracy: float, q: float, prior: float) -> None:
    """Raise ParameterError if not even n signals of a threat make members want to respond."""
    if n * _odds(accuracy) < _odds(q) - _odds(prior):
        raise ParameterError(
            "FP requires (accuracy/(1-accuracy))^n >= q/(1-q) (1-prior)/prior, else nobody ever votes to respond; "
            f"got n = {n:g}, accuracy = {accuracy:g}, q = {q:g}, prior = {prior:g}"
        )


def _errors(sigma: float, accuracy: float, none: float, threat: float) -> dict[str, Any]:
    return {
        "sigma": sigma,
        "vote_respond_given_threat": accuracy + (1 - accuracy) * sigma,
        "vote_respond_given_none": (1 - accuracy) + accuracy * sigma,
        "P_respond_given_none": none,
        "P_fail_given_threat": 1 - threat,
    }

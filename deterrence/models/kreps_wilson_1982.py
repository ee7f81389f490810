r"""Reputation for honouring commitments: the chain store with uncertain resolve (Kreps and Wilson 1982).

N challengers move in turn, counted down: n are left, the present one among them. Each stays out (0) or comes in; the
defender then fights (the challenger gets b - 1) or concedes (b), with 0 < b < 1. The weak defender gets a > 1 from each
that stays out, 0 from conceding, -1 from a fight; the tough one, of prior probability delta, always fights. All actions
are public: the reputation p is the probability that the defender is tough, given what was seen. A concession shows
weakness for ever. The weak defender's payoffs are in units of a fight's cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Unknown
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.models.whole_numbers import whole

PARAMETERS = (
    Parameter("delta", 0.1, 1e-12, 1 - 1e-12, "probability", "prior that the defender is tough"),
    Parameter("N", 10, 1, 200, "count", "challengers"),
    Parameter("b", 0.5, 1e-6, 1 - 1e-6, "challenger", "challenger's payoff if the defender concedes"),
    Parameter("a", 2, 1, 1e6, "defender", "weak defender's payoff of a challenger that stays out"),
    Parameter("p", 0.2, 1e-12, 1 - 1e-12, "probability", "reputation at one stage"),
    Parameter("n", 4, 1, 200, "count", "challengers left at that stage"),
)


def chain_of_challengers() -> Model:
    """Return the model: the whole history in expectation, or one stage at a given reputation."""
    return Model(
        "CHAIN",
        history,
        PARAMETERS,
        ("expected_challenges", "expected_fights"),
        "Kreps and Wilson 1982; Milgrom and Roberts 1982; Selten 1978",
        title="Reputation for honouring commitments",
        mechanism="a little doubt about weakness deters all but the last challengers",
        concept="cutpoints",
        confidence="A",
        takes=("delta", "N", "b", "a"),
        requires=("a > 1",),
        closed_form=expected_history,
        read=read_history,
        draw=draw,
        variants=(
            Variant(takes=("p", "n", "b"), game=stage, closed_form=weak_reply, read=read_stage, draw=draw_stage),
        ),
        formulas={
            "challenger n stays out iff": r"p > b^n \quad (\text{with probability } 1/a \text{ at } p = b^n)",
            "weak defender": r"\text{fights if } p \ge b^{n-1}, \text{ else with } f = "
            r"\frac{p (1 - b^{n-1})}{(1 - p) b^{n-1}} \quad (\text{never at } n = 1)",
            "first challenge": r"n = k^*, \text{ the largest } n \text{ with } \delta \le b^n",
        },
        differs="at a prior of exactly b^n the first challenger too stays out with probability 1/a",
    )


def history(delta: float, N: float, b: float, a: float) -> ContinuousGame:
    """Return the game by stages, from the last challenger back.

    ``threshold.n`` is the reputation at which challenger n is indifferent, given how the weak defender replies; below
    the threshold of the next challenger the weak defender mixes so that a fight just restores that reputation.
    ``out.n`` is the chance that challenger n stays out there which makes the weak defender indifferent before it:
    beyond this stage such a reputation is worth nothing to it.
    """
    del delta
    unknowns: dict[str, Unknown] = {}
    for n in range(1, whole("N", N) + 1):
        # looked for as a share of the next challenger's threshold: thresholds fall geometrically
        unknowns[f"share.{n}"] = Indifferent(_challengers_gain(b, n), 0, 1)
        unknowns[f"threshold.{n}"] = Given(_threshold(n))
        unknowns[f"out.{n}"] = Indifferent(lambda out, _: out * a - 1, 0, 1)
    return ContinuousGame(("Defender", "Challengers"), unknowns)


def _challengers_gain(b: float, n: int) -> Any:
    def gain(share: Any, known: Mapping[str, Any]) -> Any:
        later = _later(known, n)
        fought = _fought(share * later, later)
        return fought * (b - 1) + (1 - fought) * b

    return gain


def _threshold(n: int) -> Any:
    return lambda known: known[f"share.{n}"] * _later(known, n)


def _later(known: Mapping[str, Any], n: int) -> float:
    """Return the threshold of the challenger after this one; with none left, a reputation has to be perfect."""
    return float(known[f"threshold.{n - 1}"]) if n > 1 else 1.0


def _fought(p: Any, later: float) -> Any:
    """Return the chance of a fight at which Bayes' rule takes a reputation p < later to later."""
    return np.minimum(1.0, p / later)


def expected_history(delta: float, N: float, b: float, a: float) -> dict[str, Any]:
    """Return the likelihood of a challenge and of a fight at every stage.

    From the first challenge on, the reputation at stage n is b^n (chance ``even``; the challenger mixes), b^(n+1)
    (chance ``low``: the one before stayed out; a challenge is certain) or 0 (chance ``lost``).
    """
    N = whole("N", N)
    k_star = max((n for n in range(1, N + 1) if delta <= b**n * (1 + 1e-12)), default=0)
    challenge, fight = dict.fromkeys(range(1, N + 1), 0.0), dict.fromkeys(range(1, N + 1), 0.0)
    even, low, lost = 0.0, 0.0, 0.0
    for n in range(k_star, 0, -1):
        if n == k_star and not isclose(delta, b**n, rel_tol=1e-12):
            challenge[n], fight[n] = 1.0, delta / b ** (n - 1)
            even, low, lost = fight[n], 0.0, 1 - fight[n]
            continue
        if n == k_star:
            even = 1.0
        met = even * (1 - 1 / a)
        challenge[n] = met + low + lost
        fight[n] = met * b + low * b**2
        even, low, lost = fight[n], even / a, lost + met * (1 - b) + low * (1 - b**2)
    return {"k_star": k_star, **_by_stage(challenge, fight)}


def read_history(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the thresholds, by playing all histories forward: chances of reputations, stage by stage."""
    (found,) = solutions
    N = whole("N", params["N"])
    k_star = max((n for n in range(1, N + 1) if params["delta"] <= found[f"threshold.{n}"] * (1 + 1e-9)), default=0)
    challenge, fight = {}, {}
    chances = {params["delta"]: 1.0}
    for n in range(N, 0, -1):
        cut, later = found[f"threshold.{n}"], _later(found, n)
        ahead: dict[float, float] = {}
        challenge[n] = fight[n] = 0.0
        for p, chance in chances.items():
            out = found[f"out.{n}"] if isclose(p, cut, rel_tol=1e-9) else float(p > cut)
            comes = chance * (1 - out)
            fought = float(_fought(p, later)) if n > 1 else p
            challenge[n] += comes
            fight[n] += comes * fought
            for reputation, weight in (
                (p, chance * out),
                (max(p, later), comes * fought),
                (0.0, comes * (1 - fought)),
            ):
                if weight > 0:
                    same = next((x for x in ahead if isclose(x, reputation, rel_tol=1e-9)), reputation)
                    ahead[same] = ahead.get(same, 0.0) + weight
        chances = ahead
    return {"k_star": k_star, **_by_stage(challenge, fight)}


def _by_stage(challenge: Mapping[int, float], fight: Mapping[int, float]) -> dict[str, Any]:
    stages = sorted(challenge, reverse=True)
    return {
        "P_challenge_by_n": {str(n): challenge[n] for n in stages},
        "P_fight_by_n": {str(n): fight[n] for n in stages},
        "expected_challenges": sum(challenge.values()),
        "expected_fights": sum(fight.values()),
    }


def stage(p: float, n: float, b: float) -> ContinuousGame:
    """Return one stage: the thresholds of the challengers to come, and the weak defender's reply to a challenge.

    A reputation at or above the threshold of the next challenger is worth a fight in itself; the last stage is not.
    """
    n = whole("n", n)
    unknowns: dict[str, Unknown] = {}
    for k in range(1, n):
        unknowns[f"share.{k}"] = Indifferent(_challengers_gain(b, k), 0, 1)
        unknowns[f"threshold.{k}"] = Given(_threshold(k))

    def short(
        f: Any, known: Mapping[str, Any]
    ) -> Any:  # how far a fight overshoots the reputation that it must restore
        return p - _later(known, n) * (p + (1 - p) * f)

    unknowns["fights"] = Indifferent(short, 0, 1, otherwise="corner")
    unknowns["after_fight"] = Given(lambda known: p / (p + (1 - p) * known["fights"]))
    return ContinuousGame(("Defender", "Challengers"), unknowns)


def weak_reply(p: float, n: float, b: float) -> dict[str, Any]:
    """Return the weak defender's chance of fighting, and the reputation after either reply."""
    n = whole("n", n)
    needed = b ** (n - 1)
    fights = 0.0 if n == 1 else 1.0 if p >= needed else p * (1 - needed) / ((1 - p) * needed)
    return {
        "weak_fight_probability": fights,
        "posterior_after_fight": max(p, needed),
        "posterior_after_yield": 0.0,
    }


def read_stage(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; only the weak concede, so that a concession leaves no reputation."""
    (found,) = solutions
    return {
        "weak_fight_probability": found["fights"],
        "posterior_after_fight": found["after_fight"],
        "posterior_after_yield": 0.0,
    }


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters at which challenges begin early, late or never."""
    b = float(rng.uniform(0.2, 0.9))
    N = int(rng.integers(1, 13))
    delta = float(min(0.99, b ** rng.uniform(0, N + 1.5)))
    return {"delta": delta, "N": N, "b": b, "a": 1 + float(rng.uniform(0.1, 4))}


def draw_stage(rng: np.random.Generator) -> dict[str, Any]:
    """Return random reputations below and above the threshold of the next challenger."""
    b, n = float(rng.uniform(0.2, 0.9)), int(rng.integers(1, 9))
    return {"p": float(min(0.99, b ** rng.uniform(0.1, n + 1))), "n": n, "b": b}

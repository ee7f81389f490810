r"""The volunteer's dilemma: an attack is answered if enough members act, and each would rather that others did.

N members decide at once whether to act. Each gains b if at least one acts (k, in the threshold version), and acting
costs c, with 0 < c < b. In the asymmetric version members differ in r_i = c_i / b_i. All is known to all. Equilibria
are those in mixed strategies: the symmetric ones, and the one in which every member mixes. Payoffs are members' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb, exp, isinf, log
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import bdtrc

from deterrence.games.continuous import ContinuousGame, Given, Indifferent
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Series
from deterrence.models.whole_numbers import whole

SOURCE = "Diekmann 1985, 1993"

PAYOFFS = (
    Parameter("b", 1, 1e-9, 1e6, "member", "gain if the attack is answered"),
    Parameter("c", 0.3, 1e-9, 1e6, "member", "cost of acting"),
)


def volunteers() -> Model:
    """Return the symmetric dilemma."""
    return Model(
        "VD",
        act_or_wait,
        (Parameter("N", 5, 2, float("inf"), "count", "members; infinite: the limit"), *PAYOFFS),
        {"nobody": "P_nobody"},
        SOURCE,
        title="Volunteer's dilemma",
        mechanism="larger alliances leave an attack unanswered more often",
        concept="cutpoints",
        confidence="A",
        requires=("c < b",),
        closed_form=symmetric_mixing,
        read=read_mixing,
        draw=lambda rng: {
            "N": float("inf") if rng.uniform() < 0.1 else int(rng.integers(2, 41)),
            **_draw_payoffs(rng),
        },
        formulas={
            "each acts with": r"p = 1 - (c/b)^{1/(N-1)}",
            "nobody acts": r"P_{nobody} = (c/b)^{N/(N-1)} \to c/b",
        },
    )


def act_or_wait(N: float, b: float, c: float) -> ContinuousGame:
    """Return a member's indifference between acting and waiting; with infinitely many, volunteers are Poisson."""
    limit = Indifferent(lambda m, _: (b - c) - b * (1 - np.exp(-m)), 0, 1 + log(b / c))
    if isinf(N):
        return ContinuousGame(("members",), {
            "volunteers": limit,
            "p": Given(lambda _: 0.0),
            "P_nobody": Given(lambda known: exp(-known["volunteers"])),
            "limit_P_nobody": Given(lambda known: known["P_nobody"]),
        })  # fmt: skip
    N = whole("N", N)
    return ContinuousGame(("members",), {
        "p": Indifferent(lambda p, _: (b - c) - b * (1 - (1 - p) ** (N - 1)), 0, 1),
        "P_nobody": Given(lambda known: (1 - known["p"]) ** N),
        "volunteers": limit,
        "limit_P_nobody": Given(lambda known: exp(-known["volunteers"])),
    })  # fmt: skip


def symmetric_mixing(N: float, b: float, c: float) -> dict[str, Any]:
    """Return the chance that a member acts, that nobody does, and the limit of that for large alliances."""
    if isinf(N):
        return {"p": 0.0, "P_nobody": c / b, "limit_P_nobody": c / b}
    N = whole("N", N)
    return {"p": 1 - (c / b) ** (1 / (N - 1)), "P_nobody": (c / b) ** (N / (N - 1)), "limit_P_nobody": c / b}


def read_mixing(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return {name: float(solutions[0][name]) for name in ("p", "P_nobody", "limit_P_nobody")}


def unequal_volunteers() -> Model:
    """Return the asymmetric dilemma."""
    return Model(
        "VDA",
        unequal_game,
        (Series("cost_benefit", (0.3, 0.4, 0.5), 1e-9, 1 - 1e-9, "share", "cost of acting over gain, by member"),),
        {"nobody": "P_nobody"},
        SOURCE,
        title="Volunteer's dilemma with unequal members",
        mechanism="in the mixed equilibrium the members to whom acting is cheap act less",
        concept="cutpoints",
        confidence="A",
        closed_form=unequal_mixing,
        read=read_unequal,
        draw=lambda rng: {
            "cost_benefit": rng.uniform(
                0.1 if rng.uniform() < 0.4 else 0.5, 0.95, size=int(rng.integers(2, 7))
            ).tolist()
        },
        formulas={
            "nobody acts": r"P_{nobody} = G = \left(\prod r_i\right)^{1/(N-1)}",
            "member i waits with": r"G / r_i \quad (\text{all mix iff all of these are at most } 1)",
        },
    )


def unequal_game(cost_benefit: Sequence[float]) -> ContinuousGame:
    """Return the fixed point of the chance that nobody acts, in logarithms.

    Member i is indifferent if all others wait with probability r_i, so it waits with probability G / r_i if nobody
    acts with probability G.
    """
    ratios = _several(cost_benefit)

    def surplus(log_G: Any, _: Mapping[str, Any]) -> Any:  # of what members imply over what they reply to
        return sum(log_G - np.log(r) for r in ratios) - log_G

    return ContinuousGame(tuple(f"member {i + 1}" for i in range(len(ratios))), {
        "log_G": Indifferent(surplus, sum(log(r) for r in ratios) - 1, 0),
        "waits": Given(lambda known: [exp(known["log_G"]) / r for r in ratios]),
    })  # fmt: skip


def unequal_mixing(cost_benefit: Sequence[float]) -> dict[str, Any]:
    """Return who acts with what chance in the equilibrium in which all mix; None if there is no such equilibrium."""
    ratios = _several(cost_benefit)
    G = float(np.prod(ratios)) ** (1 / (len(ratios) - 1))
    return _mix([G / r for r in ratios])


def read_unequal(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    return _mix(solutions[0]["waits"])


def threshold_volunteers() -> Model:
    """Return the dilemma in which k members are needed."""
    return Model(
        "VDK",
        threshold_game,
        (
            Parameter("N", 5, 2, 200, "count", "members"),
            Parameter("k", 3, 1, 200, "count", "members that must act"),
            *PAYOFFS,
        ),
        ("provision",),
        "Palfrey and Rosenthal 1984",
        title="Volunteer's dilemma with a threshold",
        mechanism="where several must act, hopeful and hopeless mixing are both self-fulfilling",
        concept="cutpoints",
        confidence="A",
        requires=("k <= N", "c < b"),
        closed_form=pivotal_roots,
        read=read_roots,
        draw=draw_threshold,
        formulas={"a member is pivotal with": r"\binom{N-1}{k-1} p^{k-1} (1-p)^{N-k} = c/b"},
        differs="the cost is paid whether or not the attack is answered; no mixing (no root) is an empty list",
    )


def threshold_game(N: float, k: float, b: float, c: float) -> ContinuousGame:
    """Return a member's indifference, at every root, and the chance that enough act."""
    N, k = whole("N", N), whole("k", k)

    def answered(p: Any, others: int, needed: int) -> Any:
        return bdtrc(needed - 1, others, p) if needed > 0 else np.ones_like(p)

    def gain(p: Any, _: Mapping[str, Any]) -> Any:
        waits = answered(p, N - 1, k) if k <= N - 1 else np.zeros_like(p)
        return b * answered(p, N - 1, k - 1) - c - b * waits

    return ContinuousGame(("members",), {
        "p": Indifferent(gain, 0, 1),
        "P_provision": Given(lambda known: float(answered(np.asarray(known["p"]), N, k))),
    })  # fmt: skip


def pivotal_roots(N: float, k: float, b: float, c: float) -> dict[str, Any]:
    """Return the symmetric mixed equilibria, in increasing chance to act; the pivot chance peaks at (k-1)/(N-1)."""
    N, k = whole("N", N), whole("k", k)
    peak = (k - 1) / (N - 1)

    def gap(p: float) -> float:
        return comb(N - 1, k - 1) * p ** (k - 1) * (1 - p) ** (N - k) - c / b

    pairs = [(left, right) for left, right in ((0.0, peak), (peak, 1.0)) if left < right]
    roots = [brentq(gap, *pair, xtol=1e-15, rtol=1e-14) for pair in pairs if gap(pair[0]) * gap(pair[1]) < 0]
    return _by_root(roots, [float(bdtrc(k - 1, N, p)) for p in roots])


def read_roots(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solutions."""
    return _by_root([found["p"] for found in solutions], [found["P_provision"] for found in solutions])


def _by_root(roots: list[float], provision: list[float]) -> dict[str, Any]:
    """Return the quantities root by root, and the range of the likelihood that enough act (None without a root)."""
    reach = (min(provision), max(provision)) if provision else None
    return {"roots": roots, "P_provision": provision, "provision": reach}


def draw_threshold(rng: np.random.Generator) -> dict[str, Any]:
    """Return random parameters with no, one and two symmetric mixed equilibria."""
    N = int(rng.integers(2, 13))
    return {"N": N, "k": int(rng.integers(1, N + 1)), "b": 1.0, "c": float(rng.uniform(0.02, 0.6))}


def _draw_payoffs(rng: np.random.Generator) -> dict[str, float]:
    b = float(rng.uniform(0.2, 3))
    return {"b": b, "c": b * float(rng.uniform(0.02, 0.98))}


def _several(ratios: Sequence[float]) -> Sequence[float]:
    if len(ratios) < 2:
        raise ParameterError(f"VDA requires at least two members, got cost_benefit = {ratios}")
    return ratios


def _mix(waits: Sequence[float]) -> dict[str, Any]:
    interior = max(waits) <= 1 + 1e-12
    return {
        "volunteer": [1 - w for w in waits] if interior else None,
        "P_nobody": float(np.prod(waits)) if interior else None,
        "interior": int(interior),
    }

r"""Costly signals of ability, or of resolve: Spence's (1973) game and what refinements select.

A sender of type theta > 0 chooses an effort e >= 0 at cost e / theta; a competitive audience then pays it what it is
thought to be worth, E(theta | e). Read effort as a display of force, the wage as deference. Types ascend; all payoffs
share one unit.

``RILEY`` is the separating equilibrium of least cost; ``MOP`` compares it with pooling at no effort for two types;
``D1-3TYPE`` asks of a proposed equilibrium of three types whether it survives the intuitive criterion and D1.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.models.model import Candidate, Model
from deterrence.models.parameter_table import Series

THETA = Series("theta", (1, 2, 3), 1e-6, 1e3, "worth", "worth of each type, ascending")


def least_cost_separation() -> Model:
    """Return the model of least-cost separation."""
    return Model(
        "RILEY",
        separation,
        (THETA,),
        (),
        "Spence 1973; Riley 1979",
        title="Least-cost separation",
        mechanism="each type signals just enough that the one below does not follow",
        concept="cutpoints",
        confidence="A",
        closed_form=least_efforts,
        read=read_efforts,
        draw=lambda rng: {"theta": np.cumsum(rng.uniform(0.2, 1.5, int(rng.integers(2, 6)))).tolist()},
        formulas={"effort": r"e_1 = 0, \quad e_i = e_{i-1} + \theta_{i-1} (\theta_i - \theta_{i-1})"},
    )


def payoff(theta: Any, worth: Any, effort: Any) -> Any:
    """Return what a type gets when it is thought to be of a worth and makes an effort."""
    return worth - effort / theta


def separation(theta: list[float]) -> ContinuousGame:
    """Return each type's indifference about the effort of the type above it; the lowest does as it likes best."""
    _ascending(theta)
    most = theta[-1] ** 2
    unknowns: dict[str, Any] = {"e1": Best(lambda e, _: payoff(theta[0], theta[0], e), 0, most)}

    def deters(low: float, high: float, below: str) -> Indifferent:
        return Indifferent(lambda e, known: payoff(low, high, e) - payoff(low, low, known[below]), 0, most)

    for i in range(1, len(theta)):
        unknowns[f"e{i + 1}"] = deters(theta[i - 1], theta[i], f"e{i}")
    return ContinuousGame(("Sender",), unknowns)


def least_efforts(theta: list[float]) -> dict[str, Any]:
    """Return efforts and payoffs by type."""
    _ascending(theta)
    efforts = [0.0]
    for low, high in pairwise(theta):
        efforts.append(efforts[-1] + low * (high - low))
    return {"e": efforts, "payoffs": [t - e / t for t, e in zip(theta, efforts, strict=True)]}


def read_efforts(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    efforts = [float(found[f"e{i + 1}"]) for i in range(len(params["theta"]))]
    return {"e": efforts, "payoffs": [payoff(t, t, e) for t, e in zip(params["theta"], efforts, strict=True)]}


# ---------------------------------------------------------------- undefeated equilibrium

TWO_TYPES = (
    Parameter("theta_L", 1, 1e-6, 1e3, "worth", "worth of the low type"),
    Parameter("theta_H", 2, 1e-6, 1e3, "worth", "worth of the high type"),
    Parameter("lam", 0.6, 0, 1, "share", "share of the high type"),
)


def undefeated_education() -> Model:
    """Return the comparison of pooling with least-cost separation, two types."""
    return Model(
        "MOP",
        pooling_or_separation,
        TWO_TYPES,
        (),
        "Mailath, Okuno-Fujiwara and Postlewaite 1993",
        title="Undefeated equilibrium in two-type Spence",
        mechanism="where the high type is common, pooling is better for all than the signal that proves it",
        concept="cutpoints",
        confidence="A",
        requires=("theta_L < theta_H",),
        closed_form=undefeated_equilibrium,
        read=read_undefeated,
        draw=draw_two_types,
        formulas={"pooling is undefeated iff": r"\lambda > 1 - \theta_L / \theta_H"},
    )


def pooling_or_separation(theta_L: float, theta_H: float, lam: float) -> ContinuousGame:
    """Return the least separating effort, and the share of high types at which the high type likes pooling as well."""

    def mean(share: Any) -> Any:
        return share * theta_H + (1 - share) * theta_L

    return ContinuousGame(("Sender",), {
        "riley_e_H": Indifferent(lambda e, _: payoff(theta_L, theta_H, e) - payoff(theta_L, theta_L, 0), 0, theta_H**2),
        "u_H_riley": Given(lambda known: payoff(theta_H, theta_H, known["riley_e_H"])),
        "u_L_riley": Given(lambda _: payoff(theta_L, theta_L, 0)),
        "u_pool_at_0": Given(lambda _: mean(lam)),
        "lambda_threshold": Indifferent(lambda share, known: mean(share) - known["u_H_riley"], 0, 1),
    })  # fmt: skip


def undefeated_equilibrium(theta_L: float, theta_H: float, lam: float) -> dict[str, Any]:
    """Return payoffs in both equilibria, the threshold, and which is undefeated."""
    effort = theta_L * (theta_H - theta_L)
    threshold = 1 - theta_L / theta_H
    return {
        "riley_e_H": effort,
        "u_H_riley": theta_H - effort / theta_H,
        "u_L_riley": theta_L,
        "u_pool_at_0": theta_L + lam * (theta_H - theta_L),
        "lambda_threshold": threshold,
        "undefeated": "pooling" if lam > threshold else "separating",
    }


def read_undefeated(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same; pooling at a small unsent effort defeats separation iff both types gain, and conversely."""
    (found,) = solutions
    both_gain = found["u_pool_at_0"] > found["u_H_riley"] and found["u_pool_at_0"] >= found["u_L_riley"]
    return {**found, "undefeated": "pooling" if both_gain else "separating"}


def draw_two_types(rng: np.random.Generator) -> dict[str, float]:
    """Return random parameters."""
    low = float(rng.uniform(0.2, 2))
    return {"theta_L": low, "theta_H": low + float(rng.uniform(0.1, 2)), "lam": float(rng.uniform(0.02, 0.98))}


# ---------------------------------------------------------------- refinements with three types

THREE_TYPES = (
    THETA,
    Series("prior", (1 / 3, 1 / 3, 1 / 3), 1e-9, 1, "probability", "prior of each type"),
    Series("efforts", (0, 0, 3), 0, 1e6, "effort", "effort of each type in the proposed equilibrium"),
    Series("grid", (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), 0, 1e6, "effort", "efforts that can be made"),
)


def three_type_refinement() -> Model:
    """Return the verdicts of the intuitive criterion and D1 on a proposed equilibrium."""
    return Model(
        "D1-3TYPE",
        proposal,
        THREE_TYPES,
        (),
        "Cho and Kreps 1987; Spence 1973",
        title="Refinement verdicts on three-type Spence",
        mechanism="with three types D1 strikes out pooling that the intuitive criterion lets stand",
        concept="candidate",
        confidence="A",
        closed_form=verdicts,
        read=lambda solution, _: {"intuitive": solution[0].survives("intuitive"), "D1": solution[0].survives("d1")},
        draw=draw_proposal,
        formulas={
            "a type gains from an unsent e iff it is paid more than": r"u^*(\theta) + e / \theta",
            "D1 leaves the types where this is least, the intuitive criterion those where it is at most": r"\theta_n",
        },
        differs="efforts are on a grid; off the path the audience is thought to think the worst",
    )


def proposal(theta: list[float], prior: list[float], efforts: list[float], grid: list[float]) -> Candidate:
    """Return the finite game and the proposed profile: the audience pays the wage nearest to what it expects.

    The wages on offer are the types' own and those of the pools; mixtures of neighbours pay anything between.
    """
    shares, paid = _wages(theta, prior, efforts, grid)
    wages = np.unique(np.round([*theta, *paid.values()], 12))
    types, effort = np.asarray(theta), np.asarray(grid)
    sent = np.isclose(effort[None, :], np.asarray(efforts)[:, None])
    mass = shares[:, None] * sent
    total = mass.sum(axis=0)
    worst = np.eye(len(theta))[0]
    posterior = np.where(total > 0, mass / np.where(total > 0, total, 1), worst[:, None]).T
    reply = np.eye(len(wages))[[int(np.argmin(np.abs(wages - mu @ types))) for mu in posterior]]
    game = SignalingGame(
        types=[f"theta = {t:g}" for t in theta],
        messages=[f"e = {e:g}" for e in grid],
        responses=[f"w = {w:.12g}" for w in wages],
        prior=shares,
        sender_payoffs=wages[None, None, :] - (effort[None, :] / types[:, None])[:, :, None],
        receiver_payoffs=np.broadcast_to(
            -((wages[None, :] - types[:, None]) ** 2)[:, None, :], (len(theta), len(grid), len(wages))
        ),
        players=("Sender", "Audience"),
    )
    return Candidate(
        game, SignalingProfile(sent.astype(np.float64), reply[None], posterior[None]), "proposed equilibrium"
    )


def verdicts(theta: list[float], prior: list[float], efforts: list[float], grid: list[float]) -> dict[str, Any]:
    """Return whether the proposed equilibrium survives, by comparing the wages from which each type gains."""
    _, paid = _wages(theta, prior, efforts, grid)
    types = np.asarray(theta)
    payoffs = np.array([paid[e] - e / t for e, t in zip(efforts, theta, strict=True)])
    result = {"intuitive": True, "D1": True}
    for e in grid:
        if any(abs(e - x) < 1e-9 for x in efforts):
            continue
        least = payoffs + e / types  # a type gains iff it is paid more
        within = least <= types[-1] + 1e-12
        if within.any() and (types[within].min() > least[within] + 1e-12).any():
            result["intuitive"] = False
        likeliest = least <= least.min() + 1e-12 if least.min() < types[-1] - 1e-12 else np.ones_like(within)
        if (types[likeliest].min() > least + 1e-12).any():
            result["D1"] = False
    return result


def draw_proposal(rng: np.random.Generator) -> dict[str, Any]:
    """Return random proposals that are equilibria: neighbours pool, or separate at about the least effort."""
    while True:
        theta = np.cumsum(rng.uniform(0.5, 1.5, 3)).tolist()
        prior = rng.dirichlet(np.ones(3) * 3).tolist()
        pools = rng.choice([0, 1], size=2)  # whether a type shares the effort of the one below
        efforts, groups = [0.0], [[0]]
        for i in (1, 2):
            if pools[i - 1]:
                groups[-1].append(i)
            else:
                groups.append([i])
        wage = [sum(prior[i] * theta[i] for i in g) / sum(prior[i] for i in g) for g in groups]
        for below, (w, up) in enumerate(pairwise(wage)):
            efforts.append(efforts[-1] + theta[groups[below][-1]] * (up - w) * float(rng.choice([1.0, 1.05])))
        chosen = [efforts[j] for j, g in enumerate(groups) for _ in g]
        grid = sorted({*chosen, *rng.uniform(0, efforts[-1] + 2, 4).tolist()})
        values = {"theta": theta, "prior": prior, "efforts": chosen, "grid": grid}
        try:
            _wages(**values)
        except ParameterError:
            continue
        return values


def _wages(
    theta: list[float], prior: list[float], efforts: list[float], grid: list[float]
) -> tuple[Any, dict[float, float]]:
    """Return the prior and what each effort of the proposal is paid; ParameterError if it is no equilibrium."""
    _ascending(theta)
    _ascending(grid)
    if not len(theta) == len(prior) == len(efforts):
        raise ParameterError(
            f"D1-3TYPE requires lists of one length, got {len(theta)}, {len(prior)} and {len(efforts)}"
        )
    if abs(sum(prior) - 1) > 1e-6:
        raise ParameterError(f"prior must sum to 1, got {sum(prior):g}")
    missing = [e for e in efforts if min(abs(e - x) for x in grid) > 1e-9]
    if missing:
        raise ParameterError(f"every effort must be on the grid, got {missing[0]:g}")
    shares, types = np.asarray(prior) / sum(prior), np.asarray(theta)
    paid: dict[float, float] = {}
    for e in efforts:
        mine = np.isclose(efforts, e)
        paid[e] = float(shares[mine] @ types[mine] / shares[mine].sum())
    for t, own in zip(theta, efforts, strict=True):
        for e in grid:
            wage = next((w for x, w in paid.items() if abs(x - e) < 1e-9), theta[0])
            if payoff(t, wage, e) > payoff(t, paid[own], own) + 1e-9:
                raise ParameterError(
                    f"D1-3TYPE requires efforts that form an equilibrium, but theta = {t:g} prefers the effort "
                    f"{e:g} to {own:g}"
                )
    return shares, paid


def _ascending(values: list[float]) -> None:
    if any(b <= a for a, b in pairwise(values)):
        raise ParameterError(f"theta and grid must ascend, got {values}")

r"""Consensus as the tail of a Poisson-binomial distribution.

Members approve the invocation of a treaty independently, member i with probability p_i; it is invoked iff at least k
approve. Unanimity is k = N, with likelihood the product of the p_i.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deterrence.games.continuous import Acts, ContinuousGame, Given, Uniform
from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Series
from deterrence.models.whole_numbers import whole

PARAMETERS = (
    Series("p", (0.9, 0.8, 0.7, 0.6, 0.5), 0, 1, "probability", "chance that each member approves"),
    Parameter("k", 3, 0, 1000, "count", "approvals needed"),
)


def invocation_by_quota() -> Model:
    """Return the model."""
    return Model(
        "CONS",
        votes,
        PARAMETERS,
        ("invoke",),
        "textbook: Poisson 1837",
        title="Consensus as a Poisson-binomial tail",
        mechanism="every member that must agree makes invocation less likely",
        concept="cutpoints",
        confidence="A",
        closed_form=tail_by_convolution,
        read=lambda solutions, _: {"P_invoke": solutions[0]["P_invoke"]},
        draw=draw,
        formulas={"invoked with": r"P(k) = \sum_{|S| \ge k} \prod_{i \in S} p_i \prod_{i \notin S} (1-p_i)"},
    )


def votes(p: Sequence[float], k: float) -> ContinuousGame:
    """Return the members' votes, each by a private reluctance uniform on [0, 1], and their count."""
    k = _quota(p, k)

    def approves(i: int) -> Acts:
        return Acts(lambda reluctance, _: p[i] - reluctance, Uniform(0, 1))

    def invoked(known: Mapping[str, Any]) -> float:
        return tail_by_frequencies([known[f"approves.{i}"] for i in range(len(p))], k)

    members = {f"approves.{i}": approves(i) for i in range(len(p))}
    return ContinuousGame(tuple(f"member {i + 1}" for i in range(len(p))), {**members, "P_invoke": Given(invoked)})


def tail_by_frequencies(p: Sequence[float], k: int) -> float:
    """Return the likelihood of at least k approvals, from the Fourier transform of the distribution of their number."""
    size = len(p) + 1
    turns = np.exp(2j * np.pi * np.arange(size) / size)
    transform = np.prod(1 + np.multiply.outer(np.asarray(p), turns - 1), axis=0)
    weights = np.fft.fft(transform).real / size
    return float(np.clip(weights[k:].sum(), 0, 1))  # off by rounding alone: the weights sum to one within 1e-15


def tail_by_convolution(p: Sequence[float], k: float) -> dict[str, Any]:
    """Return the likelihood of invocation, member by member."""
    k = _quota(p, k)
    weights = np.ones(1)
    for chance in p:
        weights = np.convolve(weights, [1 - chance, chance])
    return {"P_invoke": float(weights[k:].sum())}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random alliances."""
    N = int(rng.integers(1, 33))
    return {"p": rng.uniform(0.3, 1, size=N).tolist(), "k": int(rng.integers(0, N + 1))}


def _quota(p: Sequence[float], k: float) -> int:
    if k > len(p):
        raise ParameterError(f"CONS requires 0 <= k <= N, the number of members, got k = {k:g}, N = {len(p)}")
    return whole("k", k)

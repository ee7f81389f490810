"""Hypothesis strategies for signaling games: small whole payoffs, so that ties, dominance and duplicates are common."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from deterrence.games.signaling import SignalingGame

SHAPES = ((2, 2, 2), (2, 2, 3), (3, 2, 2), (2, 3, 2), (1, 2, 2), (2, 1, 2), (2, 2, 1))


@st.composite
def priors(draw: Any, size: int, *, zeros: bool = True) -> list[Fraction]:
    """Draw a distribution with small denominators; some probabilities are zero if ``zeros``."""
    weights = draw(st.lists(st.integers(0 if zeros else 1, 4), min_size=size, max_size=size))
    if not any(weights):
        weights = [1] * size
    return [Fraction(w, sum(weights)) for w in weights]


@st.composite
def signaling_games(
    draw: Any,
    *,
    shapes: Any = SHAPES,
    receiver_types: int = 1,
    zeros: bool = True,
    three_priors: bool = False,
    duplicates: bool = True,
) -> SignalingGame:
    """Draw an exact game of (types, messages, responses) in ``shapes``.

    Payoffs run from 0 to a small bound, sometimes 0 itself (nobody cares). With ``duplicates``, a type,
    message or response is sometimes the twin of another.
    """
    T, M, R = draw(st.sampled_from(shapes))
    Q = receiver_types
    bound = draw(st.sampled_from([0, 1, 2, 3, 9]))
    tables = [
        np.array(draw(st.lists(st.integers(0, bound), min_size=T * Q * M * R, max_size=T * Q * M * R))).reshape(
            T, Q, M, R
        )
        for _ in range(2)
    ]
    if duplicates:
        axis = draw(st.sampled_from([None, 0, 2, 3]))
        if axis is not None and (T, Q, M, R)[axis] > 1:
            for table in tables:
                view = np.moveaxis(table, axis, 0)
                view[1] = view[0]
    joint = [draw(priors(T * Q, zeros=zeros)) for _ in range(3 if three_priors else 1)]
    shaped = [p if Q == 1 else [p[i * Q : i * Q + Q] for i in range(T)] for p in joint]
    others = {"sender_prior": shaped[1], "receiver_prior": shaped[2]} if three_priors else {}
    u, v = [table[:, 0].tolist() if Q == 1 else table.tolist() for table in tables]
    return SignalingGame(
        [f"t{i}" for i in range(T)],
        [f"m{i}" for i in range(M)],
        [f"r{i}" for i in range(R)],
        shaped[0],
        u,
        v,
        receiver_types=None if Q == 1 else [f"q{i}" for i in range(Q)],
        **others,
    )

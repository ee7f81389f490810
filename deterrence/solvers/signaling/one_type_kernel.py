"""Signaling games whose sender has one type: the receiver replies as best it can, and the sender picks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deterrence.games.batch import Survey
from deterrence.games.quantities import Array
from deterrence.solvers.signaling.two_type_kernel import Tile


def kind_names_of_one(messages: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of equilibrium of a generic game with one sender type."""
    return tuple(f"pooling on {m}" for m in messages)


def survey_one_type(tile: Tile, names: Sequence[str], tol: float) -> Survey:
    """Return counts, kinds, event ranges and ties; arrays of the tile have one sender type.

    Beliefs are trivial, so that without ties there is one equilibrium, the one of backward induction.
    """
    U, V, view = tile.U[0], tile.V[0], tile.sender_view[0]
    n = U.shape[-1]
    reply = V.argmax(axis=2)[:, :, None]
    value = (view[:, None] * np.take_along_axis(U, reply, axis=2)[:, :, 0]).sum(axis=0)
    message = value.argmax(axis=0)
    games = np.arange(n)
    degenerate = _tied(V, 2, tol * _span(V)).any(axis=(0, 1)) | _tied(value, 0, tol * _span(U))
    chance = np.empty((len(tile.events), n))
    for e, w in enumerate(tile.events):
        met = np.take_along_axis(np.broadcast_to(w[0], U.shape), reply, axis=2)[:, message, 0, games]
        chance[e] = (tile.joint[0] * met).sum(axis=0)
    return Survey(
        count=np.ones(n, dtype=np.int64),
        kinds={name: message == m for m, name in enumerate(names)},
        degenerate=degenerate,
        unsolved=np.zeros(n, dtype=bool),
        low=chance,
        high=chance,
    )


def _tied(values: Array, axis: int, tolerance: Array) -> Array:
    if values.shape[axis] < 2:
        return np.zeros(np.delete(values.shape, axis), dtype=bool)
    top = np.sort(values, axis=axis).take([-2, -1], axis=axis)
    return np.asarray(np.diff(top, axis=axis).squeeze(axis) <= tolerance)


def _span(payoffs: Array) -> Array:
    return np.asarray(np.ptp(payoffs.reshape(-1, payoffs.shape[-1]), axis=0))

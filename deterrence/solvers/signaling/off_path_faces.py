r"""Whether, and in how many ways, replies to an unsent message keep a two-type sender from sending it.

Off the path each receiver type may hold any belief, so it may use any point of its own reply path: a vertex
(a pure reply, beliefs in an interval) or an edge (a mixture of two, one belief). A face takes one of these
for each receiver type; it deters if some point of it gives type t no more than its equilibrium payoff
:math:`V_t`. The largest :math:`s` with :math:`V_t - w_t \ge s` for both t is, by duality,

.. math::

    \min_{0 \le \lambda \le 1} \lambda V_0 + (1-\lambda) V_1
    - \sum_q \min_{w \in F_q} (\lambda w_0 + (1-\lambda) w_1),

piecewise linear in :math:`\lambda`, so that it is attained at 0, at 1, or where the two ends of an edge
tie. That is the slack of the face. A vertex that deters only at a point is no face of its own: slack zero
is a tie.
"""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from deterrence.games.quantities import Array

FACE_LIMIT = 729  # combinations of faces at one message that are still counted one by one


def counts_faces(receiver_types: int, responses: int) -> bool:
    """Return whether faces are counted one by one at this size, or only whether there is any."""
    return bool((2 * responses - 1) ** receiver_types <= FACE_LIMIT)


def deterring_faces(points: Array, steps: Array, values: Array, tol: float) -> tuple[Array, Array, Array]:
    """Return how many faces deter weakly and strictly, and whether that is undecided.

    Parameters
    ----------
    points : ndarray, shape (2, R, Q, C)
        Payoffs of both sender types at the vertices of each receiver type's path, weighted by the sender's
        view.
    steps : ndarray of int, shape (Q, C)
        Number of edges of each path.
    values : ndarray, shape (2, C)
        Equilibrium payoffs of both sender types.
    tol : float
        Slack up to this is a tie.

    Returns
    -------
    weak, strict : ndarray of int, shape (C,)
        Faces with slack at least -tol, and above tol; 0 or 1 if the faces are too many to be counted.
    undecided : ndarray of bool, shape (C,)
    """
    _, responses, receiver_types, rows = points.shape
    if receiver_types == 1:
        weak, strict = _on_one_path(points[:, :, 0], steps[0], values, tol)
        return weak, strict, np.zeros(rows, dtype=bool)
    if counts_faces(receiver_types, responses):
        weak, strict = _on_several_paths(points, steps, values, tol)
        return weak, strict, np.zeros(rows, dtype=bool)
    return _any_face(points, values, tol)


def edge_slack(first: Array, second: Array) -> Array:
    """Return the largest min(s_0, s_1) on the segment between two points of shape (2, ...)."""
    best: Array = np.maximum(first.min(axis=0), second.min(axis=0))
    lead, trail = first[0] - first[1], second[0] - second[1]
    crosses = lead * trail < 0
    with np.errstate(divide="ignore", invalid="ignore"):
        level = (first[0] * second[1] - first[1] * second[0]) / (lead - trail)
    return np.where(crosses, np.maximum(best, level), best)


def _on_one_path(points: Array, steps: Array, values: Array, tol: float) -> tuple[Array, Array]:
    room = values[:, None] - points
    weak = np.zeros(steps.shape, dtype=np.int64)
    strict = np.zeros(steps.shape, dtype=np.int64)
    for j in range(points.shape[1]):
        slacks = [(room[:, j].min(axis=0), steps >= j)]
        if j:
            slacks.append((edge_slack(room[:, j - 1], room[:, j]), steps >= j))
        for slack, exists in slacks:
            weak += (slack >= -tol) & exists
            strict += (slack > tol) & exists
    return weak, strict


def _on_several_paths(points: Array, steps: Array, values: Array, tol: float) -> tuple[Array, Array]:
    _, responses, receiver_types, rows = points.shape
    ends = np.zeros(rows), np.ones(rows)
    weights = {
        (q, j): _tie_weight(points[:, j, q], points[:, j + 1, q])
        for q in range(receiver_types)
        for j in range(responses - 1)
    }
    bounds = {key: _faces_at(points, weight) for key, weight in (*zip("01", ends), *weights.items())}
    levels = {
        key: weight * values[0] + (1 - weight) * values[1] for key, weight in (*zip("01", ends), *weights.items())
    }
    weak, strict = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    for face in product(range(2 * responses - 1), repeat=receiver_types):  # even: vertex; odd: the edge after it
        exists = np.logical_and.reduce([steps[q] >= (k + 1) // 2 for q, k in enumerate(face)])
        keys = ["0", "1", *((q, k // 2) for q, k in enumerate(face) if k % 2)]
        slack = np.full(rows, np.inf)
        for key in keys:
            np.minimum(slack, levels[key] - sum(bounds[key][k, q] for q, k in enumerate(face)), out=slack)
        weak += (slack >= -tol) & exists
        strict += (slack > tol) & exists
    return weak, strict


def _tie_weight(first: Array, second: Array) -> Array:
    """Return the weight on the first type at which two points tie, within [0, 1]."""
    d0, d1 = second[0] - first[0], second[1] - first[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = d1 / (d1 - d0)
    return np.asarray(np.where(d0 * d1 < 0, weight, 0.0))


def _faces_at(points: Array, weight: Array) -> Array:
    """Return the least weighted payoff on every vertex and edge of every path, shape (2 R - 1, Q, C)."""
    at = weight * points[0] + (1 - weight) * points[1]
    faces = np.empty((2 * at.shape[0] - 1, *at.shape[1:]))
    faces[::2] = at
    faces[1::2] = np.minimum(at[:-1], at[1:])
    return faces


def _any_face(points: Array, values: Array, tol: float) -> tuple[Array, Array, Array]:
    """Return whether any sum of points of the paths deters.

    Quick answers first: the payoffs at one extreme point of the sum of the paths, and each type's own
    minimum. The rest is bounded from outside by the sum of the paths' convex hulls and from inside by those
    edges of it that paths attain.
    """
    inside = (values - _extreme_sum(points, np.full(values.shape[1], 0.5))).min(axis=0)
    outside = (values - points.min(axis=1).sum(axis=1)).min(axis=0)
    open_rows = np.flatnonzero((inside <= tol) & (outside >= -tol))
    if open_rows.size:
        inner, outer = _hull_slacks(points[..., open_rows], values[:, open_rows])
        inside[open_rows] = np.maximum(inside[open_rows], inner)
        outside[open_rows] = np.minimum(outside[open_rows], outer)
    undecided = (inside < -tol) & (outside >= -tol)
    return (inside >= -tol).astype(np.int64), (inside > tol).astype(np.int64), undecided


def _hull_slacks(points: Array, values: Array) -> tuple[Array, Array]:
    _, responses, receiver_types, rows = points.shape
    inner, outer = np.full(rows, -np.inf), np.full(rows, np.inf)
    for q, (j, k) in product(range(receiver_types), combinations(range(responses), 2)):
        weight = _tie_weight(points[:, j, q], points[:, k, q])
        at = weight * points[0] + (1 - weight) * points[1]
        np.minimum(outer, weight * values[0] + (1 - weight) * values[1] - at.min(axis=0).sum(axis=0), out=outer)
        rest = values - _extreme_sum(np.delete(points, q, axis=2), weight)
        ends = rest - points[:, j, q], rest - points[:, k, q]
        slack = edge_slack(*ends) if k == j + 1 else np.maximum(ends[0].min(axis=0), ends[1].min(axis=0))
        np.maximum(inner, slack, out=inner)
    return inner, outer


def _extreme_sum(points: Array, weight: Array) -> Array:
    """Return the sum over receiver types of the vertices least in a weighted payoff, shape (2, C)."""
    chosen = (weight * points[0] + (1 - weight) * points[1]).argmin(axis=0)
    return np.stack([np.take_along_axis(part, chosen[None], axis=0)[0].sum(axis=0) for part in points])

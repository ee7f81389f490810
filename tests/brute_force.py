"""Perfect Bayesian equilibria of small signaling games by search, and membership in a component by linear program.

Written from the definition, apart from the package's solver: it finds *some* equilibria, by guessing supports
and solving one small linear program for each block of unknowns with a random objective, or by trying every
point of a grid. It proves nothing about what it does not find; what it finds must lie in the solver's
components.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog


@dataclass(frozen=True)
class Found:
    """An equilibrium found by search: sender (T, M), receiver (Q, M, R), posterior (Q, M, T), unexpected (Q, M)."""

    sender: np.ndarray
    receiver: np.ndarray
    posterior: np.ndarray
    unexpected: np.ndarray


def views(game):
    """P(q|t) by the sender's prior and P(t|q) by the receiver's, both (T, Q), from the joint priors."""
    types, q_types, _, _ = game.shape
    sender = np.asarray(game.sender_prior, dtype=float).reshape(types, q_types)
    receiver = np.asarray(game.receiver_prior, dtype=float).reshape(types, q_types)
    rows = np.array([row / row.sum() if row.sum() > 0 else sender.sum(axis=0) for row in sender])
    columns = np.array([col / col.sum() if col.sum() > 0 else receiver.sum(axis=1) for col in receiver.T]).T
    return rows, columns


def tables(game):
    """Payoffs as floats with a Q axis, shape (T, Q, M, R)."""
    return tuple(np.asarray(x, dtype=float).reshape(game.shape) for x in (game.sender_payoffs, game.receiver_payoffs))


def sample_equilibria(game, rng, tries=20):
    """Return equilibria found at random supports.

    For supports of sender (an upper bound for each type) and receiver (which responses are all optimal),
    sender strategies, receiver strategies and beliefs off the path each solve linear inequalities of their
    own.
    """
    found = []
    for _ in range(tries):
        types, q_types, messages, responses = game.shape
        may_send = np.array([_subset(rng, messages) for _ in range(types)])
        optimal = np.array([[_subset(rng, responses) for _ in range(messages)] for _ in range(q_types)])
        point = equilibrium_at(game, may_send, optimal, rng)
        if point is not None:
            found.append(point)
    return found


def equilibrium_at(game, may_send, optimal, rng):
    """Return a random equilibrium with these supports (T, M) and (Q, M, R) as upper bounds, or None."""
    types, q_types, messages, responses = game.shape
    u, v = tables(game)
    sender_view, receiver_view = views(game)
    # sender: sigma[t, m], all of `optimal` best after each message that is expected
    rows = []
    for q, m in product(range(q_types), range(messages)):
        for r in np.flatnonzero(optimal[q, m]):
            for other in range(responses):
                row = np.zeros((types, messages))
                row[:, m] = receiver_view[:, q] * (v[:, q, m, other] - v[:, q, m, r])
                rows.append(row.ravel())
    one = [np.kron(np.eye(types)[t], np.ones(messages)) for t in range(types)]
    sigma = _random_point(rng, rows, np.zeros(len(rows)), one, np.ones(types), may_send.ravel())
    if sigma is None:
        return None
    sigma = sigma.reshape(types, messages)
    # receiver: rho[q, m, r], all messages in `may_send` best for each type
    weight = sender_view[:, :, None, None] * u  # (T, Q, M, R)
    rows = []
    for t in range(types):
        for m in np.flatnonzero(may_send[t]):
            for other in range(messages):
                row = np.zeros((q_types, messages, responses))
                row[:, other] += weight[t, :, other]
                row[:, m] -= weight[t, :, m]
                rows.append(row.ravel())
    cells = q_types * messages
    one = [np.kron(np.eye(cells)[c], np.ones(responses)) for c in range(cells)]
    rho = _random_point(rng, rows, np.zeros(len(rows)), one, np.ones(cells), optimal.ravel())
    if rho is None:
        return None
    rho = rho.reshape(q_types, messages, responses)
    posterior = np.zeros((q_types, messages, types))
    unexpected = np.zeros((q_types, messages), dtype=bool)
    for q, m in product(range(q_types), range(messages)):
        weights = receiver_view[:, q] * sigma[:, m]
        if weights.sum() > 1e-9:
            posterior[q, m] = weights / weights.sum()
            continue
        unexpected[q, m] = True
        rows = [v[:, q, m, other] - v[:, q, m, r] for r in np.flatnonzero(optimal[q, m]) for other in range(responses)]
        belief = _random_point(rng, rows, np.zeros(len(rows)), [np.ones(types)], np.ones(1), np.ones(types, dtype=bool))
        if belief is None:
            return None
        posterior[q, m] = belief
    return Found(sigma, rho, posterior, unexpected)


def grid_equilibria(game, n):
    """Return every equilibrium of a 2x2x2 game (one receiver type, integer payoffs) on a grid of n steps.

    Equalities are checked in floats to 1e-9: with integer payoffs and a grid of rationals a near-miss is at
    least 1/n^2.
    """
    u, v = (x[:, 0] for x in tables(game))
    prior = views(game)[1][:, 0]
    steps = np.linspace(0, 1, n + 1)
    a, b, x, y = np.meshgrid(
        steps, steps, steps, steps, indexing="ij"
    )  # sigma(m0|t0), sigma(m0|t1), rho(r0|m0), rho(r0|m1)
    sigma = np.stack([a, b])  # probability of message 0
    gain = [[u[t, m, 0] * z + u[t, m, 1] * (1 - z) for m, z in enumerate((x, y))] for t in (0, 1)]
    ok = np.ones_like(a, dtype=bool)
    for t in (0, 1):
        edge = gain[t][0] - gain[t][1]
        ok &= ~((edge > 1e-9) & (sigma[t] < 1)) & ~((edge < -1e-9) & (sigma[t] > 0))
    found = []
    for i in np.argwhere(ok):
        i = tuple(i)
        send = np.array([[a[i], 1 - a[i]], [b[i], 1 - b[i]]])
        reply = np.array([[x[i], 1 - x[i]], [y[i], 1 - y[i]]])
        choices = []
        for m in (0, 1):
            weights = prior * send[:, m]
            expected = weights.sum() > 0
            beliefs = [weights / weights.sum()] if expected else [np.array([s, 1 - s]) for s in steps]
            choices.append([(belief, not expected) for belief in beliefs if _best(v[:, m], belief, reply[m])])
        for (mu0, off0), (mu1, off1) in product(*choices):
            found.append(Found(send, reply[None], np.array([[mu0, mu1]]), np.array([[off0, off1]])))
    return found


def in_component(found, vertices, tol=1e-7):
    """Return whether an equilibrium lies in the convex hull of a component's vertices.

    Its beliefs count where the message is unexpected; there the component's must be free too, i.e. unexpected
    at every vertex.
    """
    columns = [
        np.concatenate(
            [_floats(p.sender).ravel(), _floats(p.receiver).ravel(), _floats(p.posterior)[found.unexpected].ravel()]
        )
        for p in vertices
    ]
    point = np.concatenate([found.sender.ravel(), found.receiver.ravel(), found.posterior[found.unexpected].ravel()])
    matrix = np.array(columns).T
    n = matrix.shape[1]
    if (np.abs(matrix - point[:, None]).max(axis=0) <= tol).any():
        return True
    if (point < matrix.min(axis=1) - tol).any() or (point > matrix.max(axis=1) + tol).any():
        return False
    # least distance, coordinate by coordinate, from the hull
    upper = np.vstack(
        [np.column_stack([matrix, -np.ones(len(point))]), np.column_stack([-matrix, -np.ones(len(point))])]
    )
    result = linprog(np.eye(n + 1)[n], upper, np.concatenate([point, -point]), np.append(np.ones(n), 0)[None], [1])
    return bool(result.status == 0 and result.fun <= tol)


def unexpected_everywhere(game, vertices):
    """Which (q, m) no receiver type expects at any vertex of a component, shape (Q, M)."""
    receiver_view = views(game)[1]
    chance = sum(np.einsum("tq,tm->qm", receiver_view, _floats(p.sender)) for p in vertices)
    return chance <= 1e-9


def _subset(rng, n):
    """A random nonempty subset, singletons as likely as all larger ones."""
    if rng.random() < 0.5:
        return np.arange(n) == rng.integers(n)
    mask = rng.random(n) < 0.6
    mask[rng.integers(n)] = True
    return mask


def _random_point(rng, rows, bounds, equal, totals, allowed):
    """A mixture of random vertices of {x >= 0: rows x <= bounds, equal x = totals, x = 0 where not allowed}."""
    limits = [(0, None if ok else 0) for ok in allowed]
    points = []
    for _ in range(int(rng.integers(1, 4))):
        cost = rng.standard_normal(len(limits))
        result = linprog(
            cost, *((np.array(rows), bounds) if len(rows) else (None, None)), np.array(equal), totals, limits
        )
        if result.status != 0:
            return None
        points.append(np.where(result.x < 1e-10, 0.0, result.x))
    return rng.dirichlet(np.ones(len(points))) @ np.array(points)


def _best(payoffs, belief, reply):
    values = belief @ payoffs
    return values.max() - reply @ values <= 1e-9


def _floats(array):
    return np.asarray(array, dtype=float)

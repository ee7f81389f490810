r"""Berk-Nash equilibrium: a best reply to the least wrong of the models that one can conceive of.

A player chooses among A actions and thinks in K models, of which perhaps none is true. The data that a mixture
:math:`\sigma` of actions generates favour the models that minimise :math:`\sum_a \sigma(a) D_k(a)`, with
:math:`D_k(a)` the Kullback-Leibler divergence of model k's prediction after action a from what really follows. In
equilibrium every action that is played is best under some belief on these models (Esponda and Pouzo 2016 [1]_).

The weighted divergence is linear in :math:`\sigma`, and expected utility is linear in the belief. So for each set S
of actions and set Q of models, the :math:`\sigma` on S for which all of Q fit best, and the beliefs on Q under which
all of S is best, are two polytopes; an equilibrium is a point in both. That is how they are found, all of them where
S and Q may be any sets.

References
----------
.. [1] I. Esponda and D. Pouzo, "Berk-Nash Equilibrium: A Framework for Modeling Agents With Misspecified Models",
Econometrica 84
   (2016), 1093-1130.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.values import Value
from deterrence.solvers.algebra.thresholds import fixed_points

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BerkNashEquilibrium(Value):
    """One equilibrium.

    Attributes
    ----------
    actions : mapping of str to float
        Probabilities of the actions played.
    belief : mapping of str to float
        On the models that fit best.
    divergence : float
        How wrong the best models are, in nats; 0 if one of them is right about what is played.
    subjective, objective : float
        Expected utility as believed, and as it is (the same where the truth was not given).
    """

    actions: Mapping[str, float]
    belief: Mapping[str, float]
    divergence: float
    subjective: float
    objective: float


def berk_nash(
    *,
    utility: ArrayLike,
    divergence: ArrayLike,
    actions: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    true_utility: ArrayLike | None = None,
    most_actions: int = 2,
    tol: float = 1e-9,
    limit: int = 100_000,
) -> tuple[BerkNashEquilibrium, ...]:
    """Find Berk-Nash equilibria of one player over finitely many actions and models.

    Parameters
    ----------
    utility : array_like, shape (K, A)
        Expected utility of each action under each model.
    divergence : array_like, shape (K, A)
        Kullback-Leibler divergence of each model from the truth after each action, >= 0; see ``divergences``.
    actions, models : sequence of str, optional
        Labels; ``"action 1"``, ... and ``"model 1"``, ... by default.
    true_utility : array_like, shape (A,), optional
        Expected utility as it is.
    most_actions : int
        Largest number of actions in a mixture, and of models in a belief. In generic games a mixture of n actions
        needs n models that fit equally well; with ``most_actions=A`` nothing is left out.
    tol : float
        Ties, relative to the spread of utilities and of divergences.
    limit : int
        Most supports, and pairs of supports, to look at.

    Returns
    -------
    tuple of BerkNashEquilibrium
        One for each pair of supports that works (a point of each polytope); pure ones first.

    Raises
    ------
    ParameterError
        If there is no model or no action, shapes disagree, or a divergence is negative.
    GameError
        If there are more than ``limit`` of them.

    Examples
    --------
    >>> found = berk_nash(utility=[[1.0, 0.0], [0.0, 1.0]], divergence=[[0.2, 0.0], [0.0, 0.2]])
    >>> [dict(e.actions) for e in found]
    [{'action 1': 0.5, 'action 2': 0.5}]
    """
    u, d = _table(utility, "utility"), _table(divergence, "divergence")
    if u.shape != d.shape:
        raise ParameterError(
            f"utility and divergence must have one shape (models, actions), got {u.shape} and {d.shape}"
        )
    if (d < 0).any():
        raise ParameterError(f"a divergence must not be negative, got {d.min():g}")
    count, width = u.shape
    names = _labels(actions, width, "action")
    labels = _labels(models, count, "model")
    true = None if true_utility is None else np.asarray(true_utility, dtype=np.float64)
    if true is not None and true.shape != (width,):
        raise ParameterError(f"true_utility must have shape ({width},), got {true.shape}")
    slack_u, slack_d = (
        tol * max(float(np.ptp(u)), 1e-300),
        tol * max(float(np.ptp(d[np.isfinite(d)], axis=None)), 1e-300),
    )
    found = []
    for support, fits in _pairs(u, d, most_actions, limit, (slack_u, slack_d)):
        mixture = _mixture(d, support, fits, slack_d)
        belief = None if mixture is None else _belief(u, support, fits, slack_u)
        if mixture is None or belief is None:
            continue
        believed = float(belief @ u[list(fits)] @ _spread(mixture, support, width))
        spread = _spread(mixture, support, width)
        found.append(
            BerkNashEquilibrium(
                actions={names[a]: float(x) for a, x in zip(support, mixture, strict=True)},
                belief={labels[k]: float(x) for k, x in zip(fits, belief, strict=True)},
                divergence=float(d[fits[0]][list(support)] @ mixture),
                subjective=believed,
                objective=believed if true is None else float(true @ spread),
            )
        )
    return tuple(found)


def divergences(truth: ArrayLike, models: ArrayLike) -> Floats:
    r"""Return Kullback-Leibler divergences of models from the truth, action by action.

    :math:`D_k(a) = \sum_y Q(y \mid a) \ln [Q(y \mid a) / Q_k(y \mid a)]`.

    Parameters
    ----------
    truth : array_like, shape (A, Y)
        Distribution of outcomes after each action.
    models : array_like, shape (K, A, Y)

    Returns
    -------
    ndarray, shape (K, A)
        In nats; infinite where a model excludes what can happen.

    Raises
    ------
    ParameterError
        If the set of models is empty, shapes disagree, or rows are no distributions.
    """
    q, guesses = np.asarray(truth, dtype=np.float64), np.asarray(models, dtype=np.float64)
    if guesses.size == 0:
        raise ParameterError("the set of models is empty; a player must be able to conceive of at least one")
    if q.ndim != 2 or guesses.ndim != 3 or guesses.shape[1:] != q.shape:
        raise ParameterError(
            f"truth and models must have shapes (A, Y) and (K, A, Y), got {q.shape} and {guesses.shape}"
        )
    for table, what in ((q, "truth"), (guesses, "models")):
        if (table < 0).any() or (np.abs(table.sum(axis=-1) - 1) > 1e-12).any():
            raise ParameterError(f"rows of {what} must be distributions that sum to 1")
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(q > 0, q * np.log(q / guesses), 0.0)
    return np.asarray(terms.sum(axis=-1))


def fixed_models(
    best_reply: Callable[[Any], Any], best_fit: Callable[[Any], Any], low: float, high: float
) -> NDArray[np.float64]:
    r"""Return Berk-Nash equilibria over an interval of actions, with one best-fitting model for each action.

    Every s in [low, high] with ``best_reply(best_fit(s)) = s``: the action is best under the model that fits the
    data it generates.

    Parameters
    ----------
    best_reply : callable
        From models (an array) to the actions that are best under them.
    best_fit : callable
        From actions to the parameters of the models with least divergence.
    low, high : float
        Ends of the interval of actions.

    Examples
    --------
    An escalator whose marginal cost rises with s, but who believes it constant (kappa = 2):

    >>> fixed_models(lambda theta: 1 / (2 * theta), lambda s: 0.2 + 0.5 * s, 0, 2).round(8)
    array([0.8198039])
    """
    return fixed_points(lambda s: best_reply(best_fit(s)), low, high)


def _table(values: ArrayLike, what: str) -> Floats:
    table = np.asarray(values, dtype=np.float64)
    if table.size == 0:
        raise ParameterError(
            f"{what} is empty: the set of models and the set of actions need at least one element each"
        )
    if table.ndim != 2 or np.isnan(table).any():
        raise ParameterError(f"{what} must be a table of numbers, a row for each model and a column for each action")
    return table


def _labels(given: Sequence[str] | None, count: int, what: str) -> tuple[str, ...]:
    labels = tuple(f"{what} {i + 1}" for i in range(count)) if given is None else tuple(given)
    if len(labels) != count or len(set(labels)) != count:
        raise ParameterError(f"there must be {count} distinct labels of {what}s, got {list(labels)}")
    return labels


def _pairs(
    u: Floats, d: Floats, most: int, limit: int, slack: tuple[float, float]
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the pairs of supports, of actions and of models, that a look along segments does not rule out."""
    if most < 1:
        raise ParameterError(f"most_actions must be at least 1, got {most}")
    count, width = u.shape
    supports = [s for n in range(1, min(most, width) + 1) for s in itertools.combinations(range(width), n)]
    fits = [q for n in range(1, min(most, count) + 1) for q in itertools.combinations(range(count), n)]
    if len(supports) + len(fits) > limit:
        raise GameError(
            f"{len(supports):,} supports of actions and {len(fits):,} of models are more than limit={limit:,}; "
            "lower most_actions, or use fixed_models on an interval"
        )
    best = {q: _together(-u.T, q, most, slack[0]) for q in fits}
    pairs = []
    for support in supports:
        fitting = _together(d, support, most, slack[1])
        for q in fits if fitting is None else sorted(fitting, key=lambda one: (len(one), one)):
            allowed = best[q]
            if allowed is None or support in allowed:
                pairs.append((support, q))
        if len(pairs) > limit:
            raise GameError(f"more than limit={limit:,} pairs of supports are left to look at; lower most_actions")
    return pairs


def _together(table: Floats, group: tuple[int, ...], most: int, slack: float) -> set[tuple[int, ...]] | None:
    """Return the sets of rows that are lowest together under some weights, all positive, on a group of columns.

    With one or two columns this is read off the lower envelope of lines; with more, None: nothing is ruled out.
    """
    if len(group) > 2:
        return None
    if len(group) == 1:
        values = table[:, list(group)]
    else:
        x, y = table[:, group[0]], table[:, group[1]]
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = (y[None] - y[:, None]) / ((x - y)[:, None] - (x - y)[None])
        inner = np.unique(crossing[np.isfinite(crossing) & (crossing > 0) & (crossing < 1)])
        ends = np.r_[0.0, inner, 1.0]
        shares = np.r_[inner, (ends[:-1] + ends[1:]) / 2]
        values = x[:, None] * shares + y[:, None] * (1 - shares)
    found: set[tuple[int, ...]] = set()
    for column in values.T:
        low = [int(k) for k in np.flatnonzero(column <= column.min() + slack)]
        found.update(q for n in range(1, min(most, len(low)) + 1) for q in itertools.combinations(low, n))
    return found


def _mixture(d: Floats, support: tuple[int, ...], fits: tuple[int, ...], slack: float) -> Floats | None:
    """Return a mixture of all of the support under which the models ``fits`` are among the best, if there is one."""
    columns = d[:, list(support)]
    rest = [k for k in range(len(d)) if k not in fits]
    if len(support) == 1:
        column = columns[:, 0]
        return np.ones(1) if (column[list(fits)] <= column.min() + slack).all() else None
    if not np.isfinite(columns[list(fits)]).all():
        return None
    first = columns[fits[0]]
    outside = [k for k in rest if np.isfinite(columns[k]).all()]
    above = np.array([np.r_[first - columns[k], slack] for k in outside]).reshape(-1, len(support) + 1)
    at_least = np.hstack([-np.eye(len(support)), np.full((len(support), 1), 1e-7)])
    equal = np.array([np.r_[columns[k] - first, 0.0] for k in fits[1:]]).reshape(-1, len(support) + 1)
    return _inner_point(
        np.vstack([above, at_least]), equal, len(support), scale=max(float(np.ptp(columns[list(fits)])), slack)
    )


def _belief(u: Floats, support: tuple[int, ...], fits: tuple[int, ...], slack: float) -> Floats | None:
    """Return a belief on all of ``fits`` under which every action of the support is best, if there is one."""
    rows = u[list(fits)]  # (fits, A)
    worse = np.vstack([rows.T - rows[:, support[0]], -np.eye(len(fits))])  # <= 0
    width = len(fits)
    table = np.hstack([worse, np.zeros((len(worse), 1))])
    table[-width:, -1] = 1e-7
    equal = np.array([np.r_[rows[:, a] - rows[:, support[0]], 0.0] for a in support[1:]]).reshape(-1, width + 1)
    point = _inner_point(table, equal, width, scale=max(float(np.ptp(rows)), slack))
    if point is None:
        return None
    worth = point @ rows
    return point if worth[list(support)].min() >= worth.max() - slack else None


def _inner_point(at_most: Floats, equal: Floats, width: int, scale: float) -> Floats | None:
    """Return a point x of the simplex inside some constraints, or None.

    ``at_most @ (x, t) <= 0`` and ``equal @ (x, t) = 0`` hold for the largest t in [0, 1], which must not be 0.
    """
    solved = linprog(
        np.r_[np.zeros(width), -1.0],
        A_ub=at_most / np.r_[np.full(width, 1.0), 1.0],
        b_ub=np.zeros(len(at_most)),
        A_eq=np.vstack([equal / scale, np.r_[np.ones(width), 0.0]]),
        b_eq=np.r_[np.zeros(len(equal)), 1.0],
        bounds=[(0, 1)] * width + [(0, 1)],
    )
    if not solved.success or solved.x is None or solved.x[-1] <= 0.5:
        return None
    point = np.maximum(solved.x[:-1], 0.0)
    return np.asarray(point / point.sum())


def _spread(mixture: Floats, support: tuple[int, ...], width: int) -> Floats:
    full = np.zeros(width)
    full[list(support)] = mixture
    return full

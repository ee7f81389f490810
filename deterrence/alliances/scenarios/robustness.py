r"""Which of several policies does well, whatever is not known: measures of robustness, from losses on common draws.

Everything here is of a table of losses :math:`\ell_{pd}`, of policy p at draw d (less is better; draws are equally
likely), and knows nothing of what a policy is. The vocabulary is that of decisions under deep uncertainty [1]_.

Regret [2]_ is :math:`r_{pd} = \ell_{pd} - \min_q \ell_{qd}`; the minimax-regret policy has the least :math:`\max_d
r_{pd}`. A policy *satisfices* [3]_ at the draws where its loss is below a level. One dominates another *statewise* if
it is nowhere worse and somewhere better; *stochastically* in the first order if that holds of their sorted losses
(everyone who prefers less loss agrees), in the second order if it holds of the partial sums of the sorted losses,
largest first (everyone who is averse to risk as well agrees) [4]_.

The expected value of perfect information is :math:`\min_p E \ell_p - E \min_p \ell_p`, and that of one input X
:math:`\min_p E \ell_p - E \min_p E[\ell_p | X]`. The conditional means are regressions on X over the one set of draws
[5]_: a linear spline in the rank of X. A rule fitted to the draws that it is judged by looks too good, so the value is
*cross-fitted*: what the rule gains on draws that it was not fitted to. Its expectation is at most the true value.

References
----------
.. [1] J. D. Herman, P. M. Reed, H. B. Zeff and G. W. Characklis, "How Should Robustness Be Defined for Water Systems
   Planning under Change?", J. Water Resour. Plann. Manage. 141 (2015), 04015012.
.. [2] L. J. Savage, "The Theory of Statistical Decision", J. Am. Stat. Assoc. 46 (1951), 55-67.
.. [3] H. A. Simon, "Rational Choice and the Structure of the Environment", Psychol. Rev. 63 (1956), 129-138.
.. [4] J. Hadar and W. R. Russell, "Rules for Ordering Uncertain Prospects", Am. Econ. Rev. 59 (1969), 25-34.
.. [5] M. Strong, J. E. Oakley and A. Brennan, "Estimating Multiparameter Partial Expected Value of Perfect Information
   from a Probabilistic Sensitivity Analysis Sample", Med. Decis. Making 34 (2014), 311-326.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SAME = 1e-9  # losses this close, relative to the largest, are the same

_KNOTS = 8  # of the regression on an input
_FOLDS = 5  # of the draws


def regret(losses: ArrayLike) -> Floats:
    """Return the loss of each policy over that of the best at the same draw, shape (P, n).

    Parameters
    ----------
    losses : array_like, shape (P, n)

    Examples
    --------
    >>> regret([[0, 6], [4, 4], [6, 0]]).max(axis=1)
    array([6., 4., 6.])
    """
    table = np.asarray(losses, dtype=np.float64)
    return np.asarray(table - table.min(axis=0))


def satisficing(losses: ArrayLike, levels: ArrayLike) -> Floats:
    """Return the share of draws in which each policy's loss is below a level, shape (P, L).

    Parameters
    ----------
    losses : array_like, shape (P, n)
    levels : array_like, shape (L,)

    Examples
    --------
    >>> satisficing([[0.1, 0.3], [0.2, 0.2]], [0.15, 0.25])
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    table, at = np.sort(np.asarray(losses, dtype=np.float64), axis=1), np.atleast_1d(np.asarray(levels, np.float64))
    below = np.stack([np.searchsorted(row, at, side="left") for row in table])
    return np.asarray(below / table.shape[1])


def no_worse(losses: ArrayLike, kind: str = "statewise") -> Flags:
    """Return whether policy p is no worse than policy q, shape (P, P).

    Parameters
    ----------
    losses : array_like, shape (P, n)
    kind : str
        ``"statewise"``, ``"first order"`` or ``"second order"``.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    table = np.asarray(losses, dtype=np.float64)
    match kind:
        case "statewise":
            rows = table
        case "first order":
            rows = np.sort(table, axis=1)
        case "second order":
            rows = np.cumsum(np.sort(table, axis=1)[:, ::-1], axis=1)
        case _:
            raise ValueError(f"dominance is statewise, first order or second order, got {kind!r}")
    slack = SAME * max(float(np.abs(rows).max(initial=0.0)), 1e-300)
    return np.stack([(row <= rows + slack).all(axis=1) for row in rows])


def dominates(losses: ArrayLike, kind: str = "statewise") -> Flags:
    """Return whether policy p dominates policy q, shape (P, P): it is no worse, and q is not no worse than it.

    Parameters
    ----------
    losses, kind
        As in ``no_worse``.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> dominates([[1, 2], [2, 1], [1.5, 3]])
    array([[False, False,  True],
           [False, False, False],
           [False, False, False]])
    >>> dominates([[1, 2], [2, 1], [1.5, 3]], "first order")
    array([[False, False,  True],
           [False, False,  True],
           [False, False, False]])
    """
    found = no_worse(losses, kind)
    return np.asarray(found & ~found.T)


def undominated(points: ArrayLike) -> Flags:
    """Return which points are on the Pareto front, less being better in every column, shape (P,).

    Parameters
    ----------
    points : array_like, shape (P, K)

    Examples
    --------
    >>> undominated([[0, 3], [1, 1], [2, 1], [3, 0]])
    array([ True,  True, False,  True])
    """
    table = np.asarray(points, dtype=np.float64)
    slack = SAME * np.maximum(np.abs(table).max(axis=0, initial=0.0), 1e-300)
    return np.array(
        [not ((table <= one + slack).all(axis=1) & (table < one - slack).any(axis=1)).any() for one in table]
    )


def perfect_information(losses: ArrayLike) -> tuple[float, float]:
    """Return the expected value of knowing everything before a policy is chosen, and its standard error.

    Parameters
    ----------
    losses : array_like, shape (P, n)

    Examples
    --------
    >>> value, _ = perfect_information([[0, 6], [4, 4], [6, 0]])
    >>> value
    3.0
    """
    table = np.asarray(losses, dtype=np.float64)
    gains = table[_best(table)] - table.min(axis=0)
    return float(gains.mean()), _error(gains)


def partial_information(losses: ArrayLike, values: ArrayLike) -> tuple[float, float, float]:
    """Return the expected value of knowing one input, cross-fitted; its standard error; and the value in sample.

    Parameters
    ----------
    losses : array_like, shape (P, n)
    values : array_like, shape (n,)
        Of the input.

    Returns
    -------
    value : float
        Gain of the rule "the best policy given the input" over the best single policy, on draws that the rule was not
        fitted to. Below the true value in expectation; may be negative by chance.
    error : float
        Its standard error.
    in_sample : float
        The same on the draws that the rule was fitted to: above the true value in expectation.
    """
    table = np.asarray(losses, dtype=np.float64)
    gains = table[_best(table)] - table  # of each policy over the best single one, (P, n)
    basis = _spline(np.asarray(values, dtype=np.float64))
    fitted = basis @ (np.linalg.pinv(basis) @ gains.T)  # (n, P)
    fold = np.arange(table.shape[1]) % _FOLDS
    gained = np.empty(table.shape[1])
    for k in range(_FOLDS):
        inside, outside = fold != k, fold == k
        rule = (basis[outside] @ (np.linalg.pinv(basis[inside]) @ gains[:, inside].T)).argmax(axis=1)
        gained[outside] = gains[rule, np.flatnonzero(outside)]
    return float(gained.mean()), _error(gained), float(fitted.max(axis=1).mean())


def _best(losses: Floats) -> int:
    return int(np.argmin(losses.mean(axis=1)))


def _error(values: Floats) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def _spline(values: Floats) -> Floats:
    """Return the hat functions of a linear spline at the ranks of values, shape (n, knots)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - 0.5 * (counts + 1))[place] / max(values.size - 1, 1)  # ties share their mean rank
    knots = min(_KNOTS, len(counts))
    return np.maximum(0.0, 1.0 - np.abs(rank[:, None] * (knots - 1) - np.arange(knots)))

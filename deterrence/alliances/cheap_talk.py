r"""Cheap talk before the vote: how much of what members know survives when they want different answers.

Before the council votes, each member tells the member whose vote decides (and hears from it) how severe the case is.
Talk costs nothing and cannot be checked. As in Crawford and Sobel, severity is uniform on [0, 1], losses are the
square of the distance between the answer and the ideal one, and two members whose ideals differ by b can tell each
other only a cell of a partition. At each cutpoint the sender is indifferent between the neighbouring cells,

.. math:: a_{j+1} - a_j = a_j - a_{j-1} + 4 b, \qquad a_0 = 0, \quad a_N = 1,

a linear system that has an increasing solution iff 2 b N (N - 1) < 1. Of the equilibria, one for each such N, *the most
informative* is taken (the largest N), which both sides prefer before they know the severity. With cells of width w_j
the share of the variance of severity that it tells is

.. math:: 1 - \sum_j w_j^3 = 1 - \frac{1}{N^2} - 4 b^2 (N^2 - 1),

1 for b = 0 and 0 for b >= 1/4, where only babbling is left. It is continuous in b and falls. In the invocation of a
treaty this share is the probability that member i and the deciding member end with one assessment.

Who decides follows from the rule: with members in order of bias, most eager first, the one whose vote fills the quota:
under unanimity the most reluctant, under a majority the median, or the lead nation.

References
----------
.. [1] V. P. Crawford and J. Sobel, "Strategic Information Transmission", Econometrica 50 (1982), 1431-1451, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def surviving_share(bias: Any) -> Floats:
    """Return the share of the variance of severity that the most informative equilibrium of talk tells.

    Parameters
    ----------
    bias : array_like
        b >= 0, distance between the two members' ideal answers, in units of severity.

    Returns
    -------
    ndarray
        In [0, 1]; 1 iff b = 0.

    Examples
    --------
    >>> surviving_share([0.0, 0.05, 0.3]).round(6)
    array([1.      , 0.808889, 0.      ])
    """
    b = np.asarray(bias, dtype=np.float64)
    some = np.where(b > 0, b, 1.0)
    cells = np.maximum(np.ceil(-0.5 + 0.5 * np.sqrt(1 + 2 / some) - 1e-12), 1.0)
    told = 1 - 1 / cells**2 - 4 * some**2 * (cells**2 - 1)
    return np.asarray(np.where(b > 0, told, 1.0))


def partition(bias: float) -> Floats:
    """Return the cutpoints 0 = a_0 < ... < a_N = 1 of the most informative equilibrium, solved from indifference.

    Cells are added as long as the sender's indifference at every cutpoint has an increasing solution.

    Parameters
    ----------
    bias : float
        b > 0.
    """
    found = np.array([0.0, 1.0])
    while True:
        inner = len(found) - 1  # cutpoints between the ends, with one cell more
        system = np.diag(np.full(inner, -2.0)) + np.diag(np.ones(inner - 1), 1) + np.diag(np.ones(inner - 1), -1)
        right = np.full(inner, 4.0 * bias)
        right[-1] -= 1.0
        finer = np.concatenate([[0.0], np.linalg.solve(system, right), [1.0]])
        if np.diff(finer).min() <= 1e-12:
            return found
        found = finer


def pivotal_bias(bias: Floats, votes: Floats, quota: float) -> Floats:
    """Return the bias of the member whose vote fills the quota, most eager first, shape (..., 1).

    Parameters
    ----------
    bias : ndarray, shape (..., N)
    votes : ndarray, shape (N,)
    quota : float
    """
    order = np.argsort(-bias, axis=-1, kind="stable")
    gathered = np.cumsum(votes[order], axis=-1)
    first = np.argmax(gathered >= quota * (1 - 1e-9), axis=-1)[..., None]
    return np.asarray(np.take_along_axis(bias, np.take_along_axis(order, first, axis=-1), axis=-1))

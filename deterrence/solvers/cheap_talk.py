r"""Cheap talk: the partition equilibria of Crawford and Sobel with uniform severity and quadratic losses.

A sender knows a state that is uniform on [0, 1]; a receiver acts on what it says. Losses are the square of the distance
between the action and the ideal one, which is the state for the receiver and the state plus ``bias`` b > 0 for the
sender. In equilibrium only the cell of a partition is told, at each cutpoint of which the sender is indifferent,

.. math:: a_{j+1} - a_j = a_j - a_{j-1} + 4 b, \qquad a_0 = 0, \quad a_N = 1,

so that :math:`a_j = j/N + 2 b j (j - N)`: increasing, and so an equilibrium with N cells, iff 2 b N (N - 1) < 1.

References
----------
.. [1] V. P. Crawford and J. Sobel, "Strategic Information Transmission", Econometrica 50 (1982), 1431-1451, section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12


def most_cells(bias: ArrayLike) -> NDArray[np.int64]:
    r"""Return the largest number of cells, :math:`N = \lceil -1/2 + \sqrt{1 + 2/b} / 2 \rceil`.

    Parameters
    ----------
    bias : array_like, shape (...)
        b > 0, in units of the state.

    Examples
    --------
    >>> most_cells([0.01, 0.05, 0.3])
    array([7, 3, 1])
    """
    b = np.asarray(bias, dtype=np.float64)
    return np.asarray(np.maximum(np.ceil((np.sqrt(1 + 2 / b) - 1) / 2 - _ROUNDING), 1), dtype=np.int64)


def partition_cutpoints(bias: float, cells: int) -> Floats:
    """Return the cutpoints 0 = a_0 < ... < a_N = 1 of the equilibrium with N cells, shape (N + 1,).

    Parameters
    ----------
    bias : float
        b > 0.
    cells : int
        N, at most ``most_cells(bias)``.

    Examples
    --------
    >>> partition_cutpoints(0.05, 3).round(12)
    array([0.        , 0.13333333, 0.46666667, 1.        ])
    """
    j = np.arange(cells + 1)
    return np.asarray(j / cells + 2 * bias * j * (j - cells))


def told_share(bias: ArrayLike) -> Floats:
    r"""Return the share of the variance of the state that the most informative equilibrium tells.

    With cells of width :math:`w_j` it is :math:`1 - \sum_j w_j^3 = 1 - 1/N^2 - 4 b^2 (N^2 - 1)`: 1 for b = 0, 0 for
    b >= 1/4, where only babbling is left; continuous in b and falling.

    Parameters
    ----------
    bias : array_like, shape (...)
        b >= 0.

    Returns
    -------
    ndarray, shape (...)
        In [0, 1].

    Examples
    --------
    >>> told_share([0.0, 0.05, 0.3]).round(6)
    array([1.      , 0.808889, 0.      ])
    """
    b = np.asarray(bias, dtype=np.float64)
    some = np.where(b > 0, b, 1.0)
    squared = most_cells(some).astype(np.float64) ** 2
    return np.asarray(np.where(b > 0, 1 - 1 / squared - 4 * some**2 * (squared - 1), 1.0))

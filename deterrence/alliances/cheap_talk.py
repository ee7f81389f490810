"""Cheap talk before the vote: how much of what members know survives when they want different answers.

Before the council votes, each member tells the member whose vote decides (and hears from it) how severe the case is, as
in Crawford and Sobel (``deterrence.solvers.cheap_talk``). Of the equilibria *the most informative* is taken, which both
sides prefer before they know the severity. The share of the variance of severity that it tells is, in the invocation of
a treaty, the probability that member i and the deciding member end with one assessment.

Who decides follows from the rule: with members in order of bias, most eager first, the one whose vote fills the quota:
under unanimity the most reluctant, under a majority the median, or the lead nation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


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

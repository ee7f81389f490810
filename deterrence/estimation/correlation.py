r"""Errors that are correlated between two stages: what the first mover's error says about the second's.

In a tree in which nobody moves third, let :math:`z_1, z_2` be the arguments of the two moves: an action is taken with
probability :math:`\Phi(z)`. If the errors of the two stages are bivariate normal with correlation :math:`\rho`, the end
that both actions lead to has probability :math:`\Phi_2(z_1, z_2; \rho)`; an end reached by the other action of stage j
has the same with the signs of :math:`z_j` and :math:`\rho` reversed [1]_. The first mover anticipates the second by its
marginal probability, :math:`\Phi(z_2)`: it does not learn from its own error. The correlation is what the analyst has
not observed at both stages, as in a selection model [2]_.

:math:`\rho = \tanh x`, where x is a linear combination of regressors or known.

References
----------
.. [1] L. Leemann, "Strategy and Sample Selection: A Strategic Selection Estimator", Polit. Anal. 22 (2014), 374-397.
.. [2] J. A. Dubin and D. Rivers, "Selection Bias in Linear Regression, Logit and Probit Models", Sociol. Methods Res.
   18 (1989), 360-390.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import log_ndtr

from deterrence.estimation.jets import Jet, compose
from deterrence.estimation.likelihood import Floats
from deterrence.games.errors import GameError
from deterrence.games.topology import Topology

EQUATION = "atanh correlation"

_LOG_ROOT = 0.5 * np.log(2 * np.pi)
_FALL = 40.0  # of the logarithm of the integrand, beyond which it is left out
_NODES = 14  # in each of the pieces that the integral is cut into
_STEPS = 25  # of the search for the mode
_ROWS = 500  # integrated together


def check_two_stages(topology: Topology) -> None:
    """Raise GameError unless every path has at most two moves with a choice, each between two actions."""
    for node in topology.terminal.tolist():
        passed = []
        while node > 0:
            node = int(topology.parent[node])
            if topology.owner[node] >= 0 and len(topology.children[node]) > 1:
                passed.append(node)
        wide = [n for n in passed if len(topology.children[n]) > 2]
        if wide:
            raise GameError(
                f"correlation= takes moves with two actions, but {topology.name(wide[0])!r} has "
                f"{len(topology.children[wide[0]])}; leave the correlation out"
            )
        if len(passed) > 2:
            raise GameError(
                f"correlation= is of the errors of two stages, but {len(passed)} moves lie on the way to one end "
                f"({', '.join(repr(topology.name(n)) for n in reversed(passed))}); leave the correlation out"
            )


def log_both(first: Jet, second: Jet, correlation: Jet) -> Jet:
    r"""Return :math:`\log \Phi_2(z_1, z_2; \rho)` with its derivatives.

    Parameters
    ----------
    first, second : Jet
        The arguments.
    correlation : Jet
        In (-1, 1).
    """
    h, k, r = np.broadcast_arrays(*(np.asarray(jet.value, dtype=np.float64) for jet in (first, second, correlation)))
    h, k, r = (np.atleast_1d(x) for x in (h, k, r))
    log = log_bivariate_normal(h, k, r)
    inputs = [first, second, correlation]
    order = first.order
    if order == 0:
        return compose(inputs, log, (), ())
    free = (1 - r) * (1 + r)
    spread = np.sqrt(free)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        in_h = np.exp(-h * h / 2 - _LOG_ROOT + log_ndtr((k - r * h) / spread) - log)
        in_k = np.exp(-k * k / 2 - _LOG_ROOT + log_ndtr((h - r * k) / spread) - log)
        square = (h - k) * (h - k) + 2 * (1 - r) * h * k  # h^2 - 2 r h k + k^2
        density = np.exp(-square / (2 * free) - 2 * _LOG_ROOT - log) / spread
        slopes = [in_h, in_k, density]
        if order == 1:
            return compose(inputs, log, slopes, ())
        second_derivatives = [
            [-h * in_h - r * density],
            [density, -k * in_k - r * density],
            [
                density * (r * k - h) / free,
                density * (r * h - k) / free,
                density * (r + h * k - r * square / free) / free,
            ],
        ]
    bends = [[entry - slopes[i] * slopes[j] for j, entry in enumerate(row)] for i, row in enumerate(second_derivatives)]
    return compose(inputs, log, slopes, bends)


def log_bivariate_normal(h: Floats, k: Floats, r: Floats) -> Floats:
    r"""Return the logarithm of :math:`\Pr(X \le h, Y \le k)` for standard normal X, Y with correlation r.

    :math:`\int_0^\infty \phi(h - t) \Phi((k - r h + r t) / \sqrt{1 - r^2}) dt`, whose integrand is log-concave, is cut
    at its mode, at the bend of its second factor and where it has fallen by 40 logarithms, and each piece is integrated
    by Gauss-Legendre quadrature: about eleven significant digits however small the probability is.

    Parameters
    ----------
    h, k, r : ndarray, shape (n,)
        Correlations within (-1, 1).
    """
    swap = h > k  # the smaller limit is integrated up to: the integrand then falls off from there
    h, k = np.where(swap, k, h), np.where(swap, h, k)
    spread = np.sqrt(np.maximum((1 - r) * (1 + r), 1e-300))
    level, rate = (k - r * h) / spread, r / spread

    def log_integrand(t: Floats, rows: slice = slice(None)) -> Floats:
        height: Floats = -0.5 * (h[rows] - t) ** 2 + log_ndtr(level[rows] + rate[rows] * t)
        return height

    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        mode = _mode(h, level, rate)
        top = log_integrand(mode)
        inner = level + rate * mode
        mills = _mills(inner)
        fall = np.maximum(mode - h - rate * mills, 0.0)  # at a mode of zero the integrand falls at once
        reach = np.sqrt(fall**2 + 2 * _FALL) - fall  # its logarithm has a curvature of at least 1
        curvature = 1 + rate * rate * mills * (mills + inner)
        near = (np.sqrt(fall**2 + 2 * _FALL * curvature) - fall) / curvature
        low, high = np.maximum(mode - reach, 0.0), mode + reach
        bend = np.where(rate == 0, low, -level / np.where(rate == 0, 1.0, rate))
        width = 1 / np.maximum(np.abs(rate), 1e-6)
        cuts = [bend + share * width for share in (-9.0, -3.0, 0.0, 3.0, 9.0)]
        cuts += [mode + share * near for share in (-1.0, -0.3, 0.0, 0.3, 1.0)]
        edges = np.sort(np.stack([low, *(np.clip(cut, low, high) for cut in cuts), high]), axis=0)
        nodes, weights = _legendre()
        half = 0.5 * (edges[1:] - edges[:-1])  # (P, n)
        value = np.empty_like(h)
        for first in range(0, len(h), _ROWS):
            rows = slice(first, first + _ROWS)
            points = edges[:-1, None, rows] + (1 + nodes[:, None]) * half[:, None, rows]  # (P, Q, rows)
            heights = np.exp(log_integrand(points, rows) - top[rows])
            total = ((heights * weights[:, None]).sum(axis=1) * half[:, rows]).sum(axis=0)
            value[rows] = top[rows] + np.log(total) - _LOG_ROOT
    return np.minimum(value, log_ndtr(h))  # no joint probability exceeds a marginal one


def _mode(h: Floats, level: Floats, rate: Floats) -> Floats:
    """Return where the integrand is largest on the half-line, by bisection of its falling slope."""
    low, high = np.zeros_like(h), np.maximum(h, 0.0) + 1.0
    mills = rate * _mills(level)
    high = high + np.where(rate > 0, np.abs(mills), 0.0)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        rises = h - middle + rate * _mills(level + rate * middle) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return np.where(h + mills > 0, 0.5 * (low + high), 0.0)


def _mills(t: Floats) -> Floats:
    ratio: Floats = np.exp(-0.5 * t * t - _LOG_ROOT - log_ndtr(t))
    return ratio


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(_NODES)

r"""E[H(S)] and what each member adds to it, for N members who come independently: three ways, one interface.

The probability that the defence holds, :math:`f(q) = E[H(S_0 + \sum_i a_i w_i)]` with independent :math:`a_i
\sim q_i`, is multilinear in q, and what member i adds is its partial derivative, :math:`\partial f/\partial
q_i = E[H(S_{-i} + w_i) - H(S_{-i})]`.

``exact``
    Convolution over the distinct sums of the weights, where these are few. No error.
``lattice``
    Convolution on an even lattice with linear splitting (``deterrence.alliances.solving.strength``). Its error is
    bounded by :math:`\frac18 N\delta^2\sup|H''|`.
``spectral``
    H is written on [S_0, S_0 + W] as a trigonometric polynomial, :math:`H(S_0 + Wx) = Re\sum_k c_k e^{2\pi i
    kx/P}` with a period P > 1, by least squares; then :math:`E[e^{i\omega S}] = \prod_i (1 - q_i + q_i
    e^{i\omega w_i})` is exact at the true weights. The error of E[H] is at most the largest distance between
    H and its polynomial, whatever the members do; it falls exponentially in the number of frequencies because
    H is analytic. Measured on a grid twice as fine as the fit, and reported.

In the first two, gains come from a forward and a backward pass (of the distribution and of the mean of H), in
the third from products over all members before and after i: N steps for all members, and no division.

References
----------
.. [1] D. Huybrechs, "On the Fourier extension of nonperiodic functions", SIAM J. Numer. Anal. 47 (2010), 4326-4355.
.. [2] G. Owen, "Multilinear extensions of games", Management Science 18 (1972), 64-79.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.contest import contest_curvature
from deterrence.alliances.participation import ParticipationStage
from deterrence.alliances.solving.strength import RESOLUTION, EvenLattice, Support, exact_support
from deterrence.games.errors import ParameterError

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Indices = NDArray[np.intp]
Success = Callable[[Floats], Floats]  # H at strengths of shape (..., L)

METHODS = ("auto", "exact", "lattice", "spectral")
SPECTRAL_TARGET = 1e-12  # error of E[H] at which no more frequencies are added
BATCH_TARGET = 1e-11  # the same for batches
FEW_MEMBERS = 3  # up to which a batch has its sums enumerated


class ExpectedDefence(Protocol):
    """E[H(S)] as a function of who comes."""

    method: str
    error: Floats  # bound on the error of E[H], shape (...); of a gain at most twice that

    def value(self, q: Floats) -> Floats:
        """Return E[H(S)], shape (...), for probabilities q of shape (..., N)."""

    def gains(self, q: Floats) -> Floats:
        """Return E[H(S_-i + w_i) - H(S_-i)], shape (..., N)."""

    def curvature(self, q: Floats) -> Floats:
        """Return the derivatives of the gains by q, shape (..., N, N); for Newton steps, so they may be approximate."""

    def at(self, index: Indices) -> ExpectedDefence:
        """Return the same for some points of a batch that has one axis (or, if it has none, this)."""


def expected_defence(
    stage: ParticipationStage,
    *,
    method: str = "auto",
    resolution: int = RESOLUTION,
    success: Success | None = None,
    target: float = SPECTRAL_TARGET,
) -> ExpectedDefence:
    """Return E[H(S)] of a stage as a function of the members' probabilities.

    Parameters
    ----------
    stage : ParticipationStage
        Its batch dimensions must broadcast against those of q.
    method : str
        ``"exact"``, ``"lattice"``, ``"spectral"``, or ``"auto"``: exact where weights are no batch and their
        sums take at most ``resolution`` values, else spectral, else (where H is too steep for it) lattice.
    resolution : int
        Steps of the lattice, and largest number of distinct sums.
    success : callable, optional
        Another function of strength in place of H.
    target : float
        Error at which the spectral method adds no more frequencies.

    Raises
    ------
    ParameterError
        If the method is unknown, or exact sums are asked for where they are too many.
    """
    if method not in METHODS:
        raise ParameterError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    h = success or stage.defence_holds
    support = (
        exact_support(stage.weights, resolution) if method in ("auto", "exact") and stage.weights.ndim == 1 else None
    )
    if support is not None:
        return _Exact(stage, support, h)
    if method == "exact":
        raise ParameterError(
            f"the sums of these weights take more than resolution={resolution} values, or are a batch; "
            "use method='auto' or a larger resolution"
        )
    if method == "lattice":
        return _Lattice(stage, resolution, h)
    spectral = _Spectral(stage, h, target)
    if method == "auto" and float(spectral.error.max()) > 1e-6:
        lattice = _Lattice(stage, resolution, h)
        return lattice if float(lattice.error.max()) < float(spectral.error.max()) else spectral
    return spectral


def batch_defence(stage: ParticipationStage, *, method: str = "auto", resolution: int = RESOLUTION) -> ExpectedDefence:
    """Return E[H(S)] for many points: like ``expected_defence``, but spectral where that is exact enough and cheaper.

    Convolution over distinct sums takes many short steps, which is slow for a batch unless the sums are very
    few; up to ``BATCH_TARGET`` the spectral method then stands in for it.
    """
    few = stage.weights.ndim == 1 and len(stage.names) <= FEW_MEMBERS
    if method != "auto" or few:
        return expected_defence(stage, method=method, resolution=resolution)
    spectral = _Spectral(stage, stage.defence_holds, BATCH_TARGET)
    if float(spectral.error.max()) <= BATCH_TARGET:
        return spectral
    return expected_defence(stage, resolution=resolution)


class _Exact:
    method = "exact"

    def __init__(self, stage: ParticipationStage, support: Support, success: Success) -> None:
        self.support = support
        self.top = success(stage.base[..., None] + support.sums)
        self.error: Floats = np.zeros(self.top.shape[:-1])

    def value(self, q: Floats) -> Floats:
        values = self.top
        for i in range(q.shape[-1] - 1, -1, -1):
            p = q[..., i, None]
            values = (1 - p) * values[..., self.support.stay[i]] + p * values[..., self.support.go[i]]
        return np.asarray(values[..., 0])

    def gains(self, q: Floats) -> Floats:
        n = q.shape[-1]
        masses = [np.ones((*q.shape[:-1], 1))]
        for i in range(n - 1):
            masses.append(self._forward(masses[-1], q[..., i, None], i))
        result = np.empty(np.broadcast_shapes(q.shape, (*self.top.shape[:-1], n)))
        values = self.top
        for i in range(n - 1, -1, -1):
            stays, goes = values[..., self.support.stay[i]], values[..., self.support.go[i]]
            result[..., i] = (masses[i] * (goes - stays)).sum(axis=-1)
            values = stays + q[..., i, None] * (goes - stays)
        return result

    def curvature(self, q: Floats) -> Floats:
        return _difference_quotients(self.gains, q)

    def at(self, index: Indices) -> _Exact:
        part = copy(self)
        if self.top.ndim > 1:
            part.top, part.error = self.top[index], self.error[index]
        return part

    def _forward(self, mass: Floats, p: Floats, i: int) -> Floats:
        stay, go = self.support.stay[i], self.support.go[i]
        grown = np.zeros((*mass.shape[:-1], max(int(stay.max()), int(go.max())) + 1))
        grown[..., stay] = (1 - p) * mass
        grown[..., go] += p * mass
        return grown


class _Lattice:
    method = "lattice"

    def __init__(self, stage: ParticipationStage, resolution: int, success: Success) -> None:
        self.lattice = EvenLattice(stage.weights, resolution)
        self.top = success(stage.base[..., None] + self.lattice.points)
        worst = (self.lattice.theta * (1 - self.lattice.theta)).sum(axis=-1) * self.lattice.step**2
        bend = contest_curvature(
            stage.base, stage.base + self.lattice.points[..., -1], stage.strength, stage.decisiveness
        )
        self.error: Floats = np.minimum(np.asarray(0.5 * worst * bend), 1.0)

    def value(self, q: Floats) -> Floats:
        values = self.top
        for i in range(q.shape[-1] - 1, -1, -1):
            values = values + q[..., i, None] * (self.lattice.with_member(values, i) - values)
        return np.asarray(values[..., 0])

    def gains(self, q: Floats) -> Floats:
        n = q.shape[-1]
        masses = [self.lattice.start(q.shape[:-1])]
        for i in range(n - 1):
            masses.append(self.lattice.come(masses[-1], i, q[..., i, None]))
        result = np.empty((*np.broadcast_shapes(masses[0].shape[:-1], self.top.shape[:-1]), n))
        values = self.top
        for i in range(n - 1, -1, -1):
            adds = self.lattice.with_member(values, i) - values
            result[..., i] = (masses[i] * adds).sum(axis=-1)
            values = values + q[..., i, None] * adds
        return result

    def curvature(self, q: Floats) -> Floats:
        return _difference_quotients(self.gains, q)

    def at(self, index: Indices) -> _Lattice:
        part = copy(self)
        if self.lattice.step.ndim:
            part.lattice = self.lattice.at(index)
        if self.top.ndim > 1:
            part.top, part.error = self.top[index], self.error[index]
        return part


class _Spectral:
    method = "spectral"

    def __init__(self, stage: ParticipationStage, success: Success, target: float) -> None:
        total = stage.weights.sum(axis=-1)
        width = np.where(total > 0, total, 1.0)
        for frequencies in _LADDER[_first_rung(stage, target) if success == stage.defence_holds else 0 :]:
            self._fit(stage.base, width, success, frequencies)
            if float(self.error.max()) <= target:
                break
        share = stage.weights / width[..., None]
        turns = np.exp((2j * np.pi / _PERIOD) * share[..., None])  # (..., N, 1)
        powers = np.repeat(turns, self.c.shape[-1], axis=-1)
        powers[..., 0] = 1.0
        self.y: Complexes = np.ascontiguousarray(np.moveaxis(np.cumprod(powers, axis=-1) - 1.0, -2, 0))  # (N, ..., K)
        self.cy: Complexes = np.ascontiguousarray(np.conj(self.c * _fill(self.y, max(self.y.ndim, self.c.ndim + 1))))

    def value(self, q: Floats) -> Floats:
        product: Any = 1.0
        for i in range(q.shape[-1]):
            product = product * (1.0 + q[..., i, None] * self.y[i])
        return np.asarray((self.c * product).real.sum(axis=-1))

    def gains(self, q: Floats) -> Floats:
        return self._gains(q)[0]

    def curvature(self, q: Floats) -> Floats:
        # leave two out by division, regularised where a factor nearly vanishes: good enough for Newton steps
        _, factors, product = self._gains(q)
        safe = np.conj(factors) / (factors.real**2 + factors.imag**2 + 1e-9)
        rows = np.moveaxis(_fill(self.y, safe.ndim) * safe, 0, -2)  # (..., N, K)
        second = np.matmul(rows * (self.c * product)[..., None, :], np.swapaxes(rows, -1, -2)).real
        index = np.arange(second.shape[-1])
        second[..., index, index] = 0.0  # multilinear: no member's gain depends on its own probability
        return np.asarray(second)

    def at(self, index: Indices) -> _Spectral:
        part = copy(self)
        if self.c.ndim > 1:
            part.c, part.error = self.c[index], self.error[index]
        if self.y.ndim > 2:
            part.y = np.ascontiguousarray(self.y[:, index])
        if self.cy.ndim > 2:
            part.cy = np.ascontiguousarray(self.cy[:, index])
        return part

    def _gains(self, q: Floats) -> tuple[Floats, Complexes, Complexes]:
        n = q.shape[-1]
        columns = np.moveaxis(q, -1, 0)[..., None]  # (N, ..., 1)
        factors = 1.0 + columns * _fill(self.y, columns.ndim)
        before = np.empty_like(factors)
        before[0] = 1.0
        for i in range(1, n):
            np.multiply(before[i - 1], factors[i - 1], out=before[i])
        after = np.ones_like(factors[0])
        for i in range(n - 1, -1, -1):
            before[i] *= after
            after *= factors[i]
        # Re(z c) is the dot product of z and conj(c), each as real and imaginary parts in a row
        gains = np.einsum("n...k,n...k->...n", before.view(np.float64), _fill(self.cy, before.ndim).view(np.float64))
        return np.ascontiguousarray(gains), factors, after

    def _fit(self, base: Floats, width: Floats, success: Success, frequencies: int) -> None:
        fit = _extension(frequencies)
        strengths = base[..., None] + width[..., None] * fit.nodes
        flat = _rows(_rows(success(strengths), fit.left), fit.right)  # (..., 2K + 1): cosines, then sines
        cosines, sines = flat[..., : frequencies + 1], flat[..., frequencies + 1 :]
        self.c: Complexes = cosines.astype(np.complex128)
        self.c[..., 1:] -= 1j * sines
        check = base[..., None] + width[..., None] * fit.check_nodes
        distance = np.abs(_rows(flat, fit.check) - success(check)).max(axis=-1)
        self.error = np.asarray(distance + 4 * np.finfo(float).eps * np.abs(flat).sum(axis=-1))


def _first_rung(stage: ParticipationStage, target: float) -> int:
    """Return with how many frequencies to begin, as an index of the ladder: with what the first point needs."""
    shape = stage.batch_shape
    if int(np.prod(shape)) < 2:
        return 0
    first = stage.at((0,) * len(shape))
    return _LADDER.index(_Spectral(first, first.defence_holds, target).c.shape[-1] - 1)


def _fill(rows: Complexes, ndim: int) -> Complexes:
    """Put axes of length one between the members' axis and the batch, to reach a number of dimensions."""
    return rows.reshape(rows.shape[0], *(1,) * max(0, ndim - rows.ndim), *rows.shape[1:])


class _Extension:
    """Least-squares trigonometric fit of functions on [0, 1] with period P > 1, factored once."""

    def __init__(self, frequencies: int) -> None:
        points = 6 * frequencies
        self.nodes: Floats = 0.5 * (1 - np.cos(np.pi * (np.arange(points) + 0.5) / points))
        left, singular, right = np.linalg.svd(_waves(self.nodes, frequencies), full_matrices=False)
        keep = singular > 1e-11 * singular[0]
        self.left: Floats = np.ascontiguousarray(left[:, keep].T)
        self.right: Floats = np.ascontiguousarray(right[keep].T / singular[keep])
        count = 2 * points
        self.check_nodes: Floats = 0.5 * (1 - np.cos(np.pi * np.arange(count + 1) / count))
        self.check: Floats = _waves(self.check_nodes, frequencies)


_PERIOD = 1.5
_LADDER = (16, 24, 32, 48, 64, 96, 128, 192)


@lru_cache(maxsize=len(_LADDER))
def _extension(frequencies: int) -> _Extension:
    return _Extension(frequencies)


def _rows(values: Floats, matrix: Floats) -> Floats:
    """Return values @ matrix.T in pieces too small for the threads of BLAS, which stall where processors are shared."""
    count, length = int(np.prod(values.shape[:-1])), values.shape[-1]
    rows = max(1, _SMALL // matrix.size)
    flat = values.reshape(count, length)
    whole = count - count % rows
    parts = [np.matmul(flat[:whole].reshape(-1, rows, length), matrix.T).reshape(whole, len(matrix))]
    if whole < count:
        parts.append(np.matmul(flat[whole:], matrix.T))
    return np.asarray(np.concatenate(parts).reshape(*values.shape[:-1], len(matrix)))


_SMALL = 200_000  # multiplications in a product of matrices


def _waves(x: Floats, frequencies: int) -> Floats:
    angle = (2 * np.pi / _PERIOD) * np.outer(x, np.arange(frequencies + 1))
    return np.concatenate([np.cos(angle), np.sin(angle[:, 1:])], axis=1)


def gain_slopes(defence: ExpectedDefence, q: Floats, i: int) -> Floats:
    """Return d gain_i / d q_j for one member i and all j, shape (..., N), to the accuracy of the gains."""
    return np.asarray(_difference_quotients(defence.gains, q)[..., i, :])


def _difference_quotients(gains: Callable[[Floats], Floats], q: Floats) -> Floats:
    """Return d gains_i / d q_j, exact because gains are affine in each q_j."""
    n = q.shape[-1]
    rows = np.repeat(q[..., None, :], n, axis=-2)
    index = np.arange(n)
    ends = []
    for end in (1.0, 0.0):
        rows[..., index, index] = end
        ends.append(np.moveaxis(gains(np.moveaxis(rows, -2, 0)), 0, -1))
    return np.asarray(ends[0] - ends[1])  # (..., i, j)

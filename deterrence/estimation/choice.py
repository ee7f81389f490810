"""The probability of an action when the payoffs of the actions are seen with an error: probit and logit, any number.

With ``v_a`` the expected utility of action a and ``s`` the scale of the errors:

- two actions: ``F((v_a - v_b) / (s sqrt(W_a + W_b)))``, with F standard normal (probit) or standard logistic (logit);
- more, logit: ``exp(v_a / (s sqrt 2))`` divided by the sum of these over the actions, which is the same for two;
- more, probit: independent normal errors of variance ``s^2 W_a``:
  ``Pr(a) = int phi(e) prod_b Phi((v_a - v_b + s sqrt(W_a) e) / (s sqrt(W_b))) de``, by Gauss-Hermite quadrature about
  the mode of the integrand, which is log-concave.

``W_a`` is 1 where each action has a fresh error (agent error), and the sum of squared probabilities of the ends that
the action leads to where the errors are on the ends (private information).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import erfcx, expit, log_ndtr

from deterrence.estimation.jets import Jet, Value, compose
from deterrence.estimation.likelihood import Floats

Link: TypeAlias = Literal["probit", "logit"]

_LOG_ROOT = 0.5 * np.log(2 * np.pi)
_INVERSE_ROOT = 1 / np.sqrt(2 * np.pi)
_HALF_ROOT = 0.5**0.5
_NODES = 48  # of the quadrature
_MODE_STEPS = 12  # of Newton's method for its centre


@dataclass(frozen=True, eq=False)
class LogChoice:
    """Logarithms of the probabilities of k actions as functions of some jets.

    Attributes
    ----------
    inputs : tuple of tuple of Jet
        For each action what its probability depends on; the same object where that is the same for all.
    values : tuple of ndarray, shape (n,)
    first : tuple of tuple of ndarray
        For each action the derivatives in its inputs.
    second : tuple of tuple of tuple of ndarray
        For each action the second derivatives, lower triangle.
    """

    inputs: tuple[tuple[Jet, ...], ...]
    values: tuple[Floats, ...]
    first: tuple[tuple[Value, ...], ...]
    second: tuple[tuple[tuple[Value, ...], ...], ...]

    @property
    def common(self) -> bool:
        """Whether all actions depend on the same jets, so that their weighted sum is one function of these."""
        return all(inputs is self.inputs[0] for inputs in self.inputs)

    def log(self, action: int) -> Jet:
        """Return the logarithm of the probability of an action."""
        return compose(self.inputs[action], self.values[action], self.first[action], self.second[action])

    def probability(self, action: int) -> Jet:
        """Return the probability of an action."""
        p = np.exp(self.values[action])
        first, second = self.first[action], self.second[action]
        slopes = tuple(p * f for f in first)
        if self.inputs[action][0].order < 2:
            return compose(self.inputs[action], p, slopes, ())
        bends = tuple(tuple(p * s + slopes[i] * first[j] for j, s in enumerate(row)) for i, row in enumerate(second))
        return compose(self.inputs[action], p, slopes, bends)

    def weighted(self, weights: Sequence[Value]) -> list[Jet]:
        """Return jets whose sum is the sum over actions of a weight times the logarithm."""
        if not self.common:
            return [_scaled(self.log(a), w) for a, w in enumerate(weights) if np.any(w)]
        k = len(self.inputs[0])
        acting = [a for a, w in enumerate(weights) if np.any(w)]
        if not acting:
            return []
        value = _total([_times(weights[a], self.values[a]) for a in acting])
        if self.inputs[0][0].order == 0:
            return [compose(self.inputs[0], value, (), ())]
        first = [_total([_times(weights[a], self.first[a][i]) for a in acting]) for i in range(k)]
        if self.inputs[0][0].order == 1:
            return [compose(self.inputs[0], value, first, ())]
        second = [
            [_total([_times(weights[a], self.second[a][i][j]) for a in acting]) for j in range(i + 1)] for i in range(k)
        ]
        return [compose(self.inputs[0], value, first, second)]


def _times(weight: Value, values: Value) -> Floats:
    """Return a weight times values; zero where the weight is zero, whatever the value."""
    with np.errstate(invalid="ignore"):
        product = np.asarray(weight * values)
    if not np.isfinite(product).all():
        product = np.where(np.asarray(weight) == 0, 0.0, product)
    return product


def _total(arrays: Sequence[Floats]) -> Floats:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def _scaled(jet: Jet, weight: Value) -> Jet:
    return Jet(
        _times(weight, jet.value),
        {i: _times(weight, s) for i, s in jet.slope.items()},
        {k: _times(weight, b) for k, b in jet.bend.items()},
        jet.order,
    )


def choice(values: Sequence[Jet], spreads: Sequence[Jet] | None, log_scale: Jet, link: Link) -> LogChoice:
    """Return the probabilities of the actions at one move.

    Parameters
    ----------
    values : sequence of A >= 2 Jet
        Expected utility of each action.
    spreads : sequence of A Jet, or None
        ``W_a``; None where they are 1.
    log_scale : Jet
        ``log s``.
    link : {"probit", "logit"}
        With ``spreads``, only ``"probit"``.
    """
    known = not log_scale.slope and isinstance(log_scale.value, float)
    inverse = None if known and log_scale.value == 0.0 else (-log_scale).exp()
    if len(values) == 2:
        gap = values[1] - values[0]
        if spreads is None:
            gap = gap.times(0.5**0.5)
        else:
            gap = gap * (spreads[0] + spreads[1]).power(-0.5)
        z = gap if inverse is None else gap * inverse
        return (_two_probit if link == "probit" else _two_logit)(z)
    scaled = list(values) if inverse is None else [v * inverse for v in values]
    if link == "logit":
        return _softmax([v.times(0.5**0.5) for v in scaled])
    return _many_probit(scaled, spreads)


def _two_probit(z: Jet) -> LogChoice:
    """Return the choice of two from the argument for the second; all from one scaled complementary error function."""
    t = np.asarray(z.value)
    size = np.abs(t)
    density = np.exp(-0.5 * size * size)
    tail = 0.5 * erfcx(size * _HALF_ROOT)
    low, high = np.log(tail) - 0.5 * size * size, np.log1p(-tail * density)
    positive = t >= 0
    up, down = np.where(positive, high, low), np.where(positive, low, high)
    inputs = (z,)
    if z.order == 0:
        return LogChoice((inputs, inputs), (down, up), ((), ()), ((), ()))
    rare, common = _INVERSE_ROOT / tail, _INVERSE_ROOT * density / (1 - tail * density)  # Mills ratios phi / Phi
    ratio, other = np.where(positive, common, rare), np.where(positive, rare, common)  # at t and at -t
    if z.order == 1:
        return LogChoice((inputs, inputs), (down, up), ((-other,), (ratio,)), ((), ()))
    return LogChoice(
        (inputs, inputs),
        (down, up),
        ((-other,), (ratio,)),
        (((-other * (other - t),),), ((-ratio * (ratio + t),),)),
    )


def _two_logit(z: Jet) -> LogChoice:
    t = np.asarray(z.value)
    p, q = expit(t), expit(-t)
    inputs = (z,)
    both = (-(p * q),)
    logs = (-np.logaddexp(0, t), -np.logaddexp(0, -t))
    return LogChoice((inputs, inputs), logs, ((-p,), (q,)), ((both,), (both,)))


def _softmax(u: Sequence[Jet]) -> LogChoice:
    stack = np.stack(np.broadcast_arrays(*(jet.value for jet in u)))
    logs = stack - stack.max(axis=0)
    logs = logs - np.log(np.exp(logs).sum(axis=0))
    p = np.exp(logs)
    size = len(u)
    inputs = tuple(u)
    second = tuple(tuple(-(p[b] * ((b == c) - p[c])) for c in range(b + 1)) for b in range(size))
    first = tuple(tuple((a == b) - p[b] for b in range(size)) for a in range(size))
    return LogChoice((inputs,) * size, tuple(logs), first, (second,) * size)


def _many_probit(u: Sequence[Jet], spreads: Sequence[Jet] | None) -> LogChoice:
    inputs, values, first, second = [], [], [], []
    for a in range(len(u)):
        others = [b for b in range(len(u)) if b != a]
        if spreads is None:
            gaps, ratios = [u[a] - u[b] for b in others], []
        else:
            roots = {b: spreads[b].power(-0.5) for b in others}
            gaps = [(u[a] - u[b]) * roots[b] for b in others]
            ratios = [spreads[a].power(0.5) * roots[b] for b in others]
        value, slopes, bends = _log_first_of_many([g.value for g in gaps], [r.value for r in ratios], gaps[0].order)
        inputs.append((*gaps, *ratios))
        values.append(value)
        first.append(slopes)
        second.append(bends)
    return LogChoice(tuple(inputs), tuple(values), tuple(first), tuple(second))


def _log_first_of_many(
    gaps: Sequence[Value], ratios: Sequence[Value], order: int
) -> tuple[Floats, tuple[Floats, ...], tuple[tuple[Floats, ...], ...]]:
    """Return ``log int phi(e) prod_b Phi(x_b + r_b e) de`` with derivatives in the x, then in the r."""
    arrays = np.stack(np.broadcast_arrays(*map(np.atleast_1d, [*gaps, *ratios])))
    x = arrays[: len(gaps)]
    r = arrays[len(gaps) :] if len(ratios) else np.ones_like(x)
    centre, width = _mode(x, r)
    nodes, weights = _quadrature()
    e = centre + width * nodes[:, None]  # (Q, n)
    t = x[:, None] + r[:, None] * e  # (B, Q, n)
    cdf = log_ndtr(t)
    logs = np.log(weights)[:, None] + 0.5 * nodes[:, None] ** 2 - 0.5 * e**2 + cdf.sum(axis=0)
    top = logs.max(axis=0)
    mass = np.exp(logs - top)
    total = mass.sum(axis=0)
    value: Floats = top + np.log(total) + np.log(width)
    if order == 0:
        return value, (), ()
    share = mass / total
    mills = np.exp(-0.5 * t * t - _LOG_ROOT - cdf)
    factors = [*mills, *(mills * e if len(ratios) else ())]
    first = [(share * f).sum(axis=0) for f in factors]
    powers = [1.0] * len(gaps) + [e] * len(ratios)
    count = len(gaps)
    second: list[tuple[Floats, ...]] = []
    for i in range(len(factors)):
        row = []
        for j in range(i + 1):
            b = i % count
            if b == j % count:  # the second derivative of Phi is -t phi
                moment = (share * (-t[b] * mills[b]) * powers[i] * powers[j]).sum(axis=0)
            else:
                moment = (share * factors[i] * factors[j]).sum(axis=0)
            row.append(moment - first[i] * first[j])
        second.append(tuple(row))
    return value, tuple(first), tuple(second)


def _mode(x: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Return the mode of the integrand and the width of its Gaussian approximation there, shape (n,)."""
    e = np.zeros(x.shape[1:])
    bend = np.ones(x.shape[1:])
    for _ in range(_MODE_STEPS):
        t = x + r * e
        mills = np.exp(-0.5 * t * t - _LOG_ROOT - log_ndtr(t))
        slope = -e + (r * mills).sum(axis=0)
        bend = 1 + (r * r * mills * (mills + t)).sum(axis=0)
        e = e + slope / bend
    return e, 1 / np.sqrt(bend)


@lru_cache(maxsize=1)
def _quadrature() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    return nodes, weights / np.sqrt(2 * np.pi)

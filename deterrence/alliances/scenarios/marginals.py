r"""How uncertain a number is: from what a file says of it to its quantile function.

A number may have a *range* with a shape, *quantiles* that somebody stated, or a standard error.

==============  ================================================================================================
shape           meaning of ``range = [low, high]``
==============  ================================================================================================
``pert``        bounds; the beta distribution of PERT [1]_ with its mode at the file's value (the default)
``triangular``  bounds; the mode at the file's value
``uniform``     bounds
``normal``      the central 90 % interval
``lognormal``   the central 90 % interval, of a positive number
a SciPy name    the central 90 % interval of that family, moved and stretched to it
==============  ================================================================================================

PERT on [a, b] with mode m is :math:`a + (b - a) X` with X from the beta distribution of parameters :math:`1 + 4 (m - a)
/ (b - a)` and :math:`1 + 4 (b - m) / (b - a)`.

Quantiles :math:`x_1 < ... < x_n` at probabilities :math:`p_1 < ... < p_n` give the metalog distribution with n terms
[2]_, which meets them exactly: with :math:`L = \ln(p / (1 - p))` and :math:`d = p - 1/2`,

.. math:: M(p) = a_1 + a_2 L + a_3 d L + a_4 d + a_5 d^2 + a_6 d^2 L + \dots

A number with a lower bound l has :math:`\ln(x - l)` in place of x, one with two bounds the logit of its place between
them. Not every list of quantiles has a metalog (M must rise); one that has none is refused.

References
----------
.. [1] D. G. Malcolm, J. H. Roseboom, C. E. Clark and W. Fazar, "Application of a Technique for Research and Development
   Program Evaluation", Operations Research 7 (1959), 646-669.
.. [2] T. W. Keelin, "The Metalog Distributions", Decision Analysis 13 (2016), 243-277, equations 6 to 9.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.values import Value

Floats = NDArray[np.float64]

SHAPES = ("pert", "triangular", "uniform", "normal", "lognormal")
CENTRAL = 0.9  # of the interval that the range of an unbounded shape is

_TAIL = 2.0**-40  # the rarest draw
_GRID = np.linspace(0.0005, 0.9995, 2000)  # where a metalog must rise


@dataclass(frozen=True, eq=False)
class Marginal(Value):
    """The distribution of one uncertain number.

    Attributes
    ----------
    words : str
        What it is, for people: ``"PERT on [2, 14], mode 4"``.
    quantile : callable
        From probabilities in (0, 1) to values.
    """

    words: str
    quantile: Callable[[Floats], Floats] = field(repr=False)

    def interval(self, mass: float = CENTRAL) -> tuple[float, float]:
        """Return the central interval of a probability."""
        low, high = self.quantile(np.array([(1 - mass) / 2, (1 + mass) / 2]))
        return float(low), float(high)


def marginal_of_range(
    low: float, high: float, value: float, shape: str = "pert", parameters: Mapping[str, float] | None = None
) -> Marginal:
    """Return the distribution of a number with a range.

    Parameters
    ----------
    low, high : float
        The range; low <= high.
    value : float
        The file's number: the mode of ``pert`` and ``triangular``, moved to the nearer end if it is outside.
    shape : str
        See the module.
    parameters : mapping of str to float, optional
        Shape parameters of a SciPy family.

    Raises
    ------
    ParameterError
        If the range is reversed, or the shape is none or does not go with it.

    Examples
    --------
    >>> [round(end, 6) for end in marginal_of_range(0, 1, 0.5, "uniform").interval(0.9)]
    [0.05, 0.95]
    """
    if not low <= high:
        raise ParameterError(f"a range is [low, high], got [{low:g}, {high:g}]; did you mean [{high:g}, {low:g}]?")
    if low == high:
        return Marginal(f"{low:g}", partial(_certain_quantile, low))
    mode = min(max(value, low), high)
    match shape:
        case "pert":
            return _pert(low, mode, high)
        case "triangular":
            return _triangular(low, mode, high)
        case "uniform":
            return Marginal(f"uniform on [{low:g}, {high:g}]", partial(_uniform_quantile, low, high))
        case "normal":
            return _central(low, high, "norm", {}, "normal")
        case "lognormal":
            if low <= 0:
                raise ParameterError(f"a lognormal number is positive, got the range [{low:g}, {high:g}]")
            inner = _central(float(np.log(low)), float(np.log(high)), "norm", {}, "normal")
            words = f"lognormal, 90 % in [{low:g}, {high:g}]"
            return Marginal(words, partial(_exponential_quantile, inner.quantile))
    return _central(low, high, shape, dict(parameters or {}), shape)


def marginal_of_quantiles(quantiles: Mapping[float, float], low: float = -np.inf, high: float = np.inf) -> Marginal:
    """Return the metalog distribution with given quantiles.

    Parameters
    ----------
    quantiles : mapping of float to float
        From probabilities in (0, 1) to values; two at least.
    low, high : float
        Bounds of the number.

    Raises
    ------
    ParameterError
        If there are fewer than two, a probability or value is out of place, or no metalog has them.

    Examples
    --------
    >>> law = marginal_of_quantiles({0.05: 1.0, 0.5: 2.0, 0.95: 4.0}, low=0)
    >>> [round(float(x), 6) for x in law.quantile(np.array([0.05, 0.5, 0.95]))]
    [1.0, 2.0, 4.0]
    """
    pairs = sorted((float(p), float(x)) for p, x in quantiles.items())
    if len(pairs) < 2:
        raise ParameterError(f"quantiles are two at least, got {len(pairs)}")
    p, x = (np.array(column) for column in zip(*pairs, strict=True))
    if not ((p > 0) & (p < 1)).all():
        raise ParameterError(f"quantiles stand at probabilities between 0 and 1, got {p[(p <= 0) | (p >= 1)][0]:g}")
    for (p0, x0), (p1, x1) in itertools.pairwise(pairs):
        if not x0 < x1:
            raise ParameterError(f"quantiles must rise, got {x0:g} at {p0:g} and {x1:g} at {p1:g}")
    if not ((x > low) & (x < high)).all():
        raise ParameterError(
            f"quantiles lie within the number's bounds ({low:g}, {high:g}), got {x.min():g} to {x.max():g}"
        )
    weights = np.asarray(np.linalg.solve(_metalog_terms(p, len(p)), _to_line(x, low, high)), dtype=np.float64)
    if not (np.diff(_metalog_terms(_GRID, len(p)) @ weights) > 0).all():
        raise ParameterError(
            f"no metalog distribution has the quantiles {', '.join(f'{v:g} at {q:g}' for q, v in pairs)}: it would not "
            "rise everywhere; give fewer of them, or a range with a shape"
        )
    words = "metalog with " + ", ".join(f"{100 * q:g} %: {v:g}" for q, v in pairs)
    return Marginal(words, partial(_metalog_quantile, weights, low, high))


def marginal_of_error(value: float, error: float) -> Marginal:
    """Return the normal distribution of a number with a standard error.

    Parameters
    ----------
    value : float
    error : float
        Above 0.

    Raises
    ------
    ParameterError
        If the error is not positive.
    """
    from scipy.special import ndtri

    if not error > 0:
        raise ParameterError(f"a standard error is above 0, got {error:g}")
    return Marginal(
        f"normal, {value:g} with standard error {error:g}",
        lambda p: np.asarray(value + error * ndtri(p), dtype=np.float64),
    )


def bounded(marginal: Marginal, low: float, high: float) -> Marginal:
    """Return a distribution given that the number lies between bounds; the same one if it always does.

    Raises
    ------
    ParameterError
        If it never does.
    """
    ends = marginal.quantile(np.array([_TAIL, 1 - _TAIL]))
    if low <= ends[0] and ends[1] <= high:
        return marginal
    if ends[1] < low or ends[0] > high:
        raise ParameterError(f"{marginal.words} has no value within the number's bounds, {low:g} to {high:g}")
    first = _level(marginal, lambda x: x >= low) if ends[0] < low else 0.0
    last = _level(marginal, lambda x: x > high) if ends[1] > high else 1.0
    return Marginal(
        f"{marginal.words}, cut to {_bounds_in_words(low, high)}",
        lambda p: np.clip(marginal.quantile(first + (last - first) * np.asarray(p, dtype=np.float64)), low, high),
    )


def _level(marginal: Marginal, reached: Callable[[float], bool]) -> float:
    """Return the least probability whose quantile has reached something, by bisection."""
    low, high = _TAIL, 1 - _TAIL
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(float(marginal.quantile(np.array([middle]))[0])) else (middle, high)
    return (low + high) / 2


def _bounds_in_words(low: float, high: float) -> str:
    if not np.isfinite(high):
        return f"at least {low:g}"
    return f"[{low:g}, {high:g}]" if np.isfinite(low) else f"at most {high:g}"


def round_to_whole(marginal: Marginal) -> Marginal:
    """Return the distribution of the nearest whole number."""
    return Marginal(f"{marginal.words}, rounded", lambda p: np.rint(marginal.quantile(p)))


def linear_pool(marginals: Mapping[str, Marginal], weights: Mapping[str, float] | None = None) -> Marginal:
    """Return the linear pool of several experts' distributions: the mixture, by weight.

    Parameters
    ----------
    marginals : mapping of str to Marginal
        By expert.
    weights : mapping of str to float, optional
        Positive; equal by default.

    Raises
    ------
    ParameterError
        If a weight is not positive, or of an expert who is not there.
    """
    share = dict.fromkeys(marginals, 1.0) if weights is None else {name: float(w) for name, w in weights.items()}
    unknown = [name for name in share if name not in marginals]
    if unknown:
        raise ParameterError(f"a weight is of no expert: {unknown[0]!r}{did_you_mean(unknown[0], marginals)}")
    if any(not w > 0 for w in share.values()):
        raise ParameterError(f"weights of experts are above 0, got {min(share.values()):g}")
    total = sum(share.values())
    grid = (np.arange(4096) + 0.5) / 4096
    values = np.concatenate([marginals[name].quantile(grid) for name in share])
    mass = np.concatenate([np.full(grid.size, w / total / grid.size) for w in share.values()])
    order = np.argsort(values)
    levels = np.cumsum(mass[order]) - mass[order] / 2
    sorted_values = values[order]
    return Marginal(f"pool of {len(share)} experts", partial(_pooled_quantile, levels, sorted_values))


def _pert(low: float, mode: float, high: float) -> Marginal:
    return Marginal(f"PERT on [{low:g}, {high:g}], mode {mode:g}", partial(_pert_quantile, low, mode, high))


def _triangular(low: float, mode: float, high: float) -> Marginal:
    return Marginal(f"triangular on [{low:g}, {high:g}], mode {mode:g}", partial(_triangular_quantile, low, mode, high))


def _central(low: float, high: float, family: str, parameters: Mapping[str, float], words: str) -> Marginal:
    import scipy.stats

    law: Any = getattr(scipy.stats, family, None)
    if not isinstance(law, scipy.stats.rv_continuous):
        continuous = [name for name, one in vars(scipy.stats).items() if isinstance(one, scipy.stats.rv_continuous)]
        raise ParameterError(
            f"unknown shape {family!r}; it is {', '.join(SHAPES)} or a continuous scipy.stats name"
            f"{did_you_mean(family, [*SHAPES, *continuous])}"
        )
    wanted = tuple(s.strip() for s in law.shapes.split(",")) if law.shapes else ()
    if set(parameters) != set(wanted):
        raise ParameterError(
            f"the shape {family!r} has the parameters {', '.join(wanted) or 'none'}, "
            f"got {', '.join(parameters) or 'none'}"
        )
    first, last = (float(law.ppf(q, **parameters)) for q in ((1 - CENTRAL) / 2, (1 + CENTRAL) / 2))
    if not np.isfinite([first, last]).all():
        raise ParameterError(f"the shape {family!r} has no such parameters: {dict(parameters)}")
    scale = (high - low) / (last - first)
    quantile = partial(_central_quantile, family, dict(parameters), low, scale, first)
    return Marginal(f"{words}, 90 % in [{low:g}, {high:g}]", quantile)


# -- quantiles, as functions of a module: a distribution can be sent to another process --------------------------------


def _certain_quantile(value: float, p: Floats) -> Floats:
    return np.full(np.shape(p), value)


def _uniform_quantile(low: float, high: float, p: Floats) -> Floats:
    return low + (high - low) * p


def _exponential_quantile(inner: Callable[[Floats], Floats], p: Floats) -> Floats:
    return np.exp(inner(p))


def _pooled_quantile(levels: Floats, values: Floats, p: Floats) -> Floats:
    return np.asarray(np.interp(p, levels, values), dtype=np.float64)


def _pert_quantile(low: float, mode: float, high: float, p: Floats) -> Floats:
    from scipy.special import betaincinv

    a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
    return np.asarray(low + (high - low) * betaincinv(a, b, p), dtype=np.float64)


def _triangular_quantile(low: float, mode: float, high: float, p: Floats) -> Floats:
    width, rise, u = high - low, mode - low, np.asarray(p, dtype=np.float64)
    left = low + np.sqrt(u * width * rise)
    return np.where(u * width <= rise, left, high - np.sqrt((1 - u) * width * (high - mode)))


def _central_quantile(
    family: str, parameters: Mapping[str, float], low: float, scale: float, first: float, p: Floats
) -> Floats:
    import scipy.stats

    return np.asarray(low + scale * (getattr(scipy.stats, family).ppf(p, **parameters) - first), dtype=np.float64)


def _metalog_quantile(weights: Floats, low: float, high: float, p: Floats) -> Floats:
    return _from_line(_metalog_terms(np.asarray(p, dtype=np.float64), len(weights)) @ weights, low, high)


def _to_line(x: Floats, low: float, high: float) -> Floats:
    """Return numbers within bounds, taken to the whole line."""
    from scipy.special import logit

    if np.isfinite(low) and np.isfinite(high):
        return np.asarray(logit((x - low) / (high - low)))
    if np.isfinite(low):
        return np.log(x - low)
    return -np.log(high - x) if np.isfinite(high) else x


def _from_line(m: Floats, low: float, high: float) -> Floats:
    """Return numbers of the whole line, taken to within bounds: the inverse of ``_to_line``."""
    from scipy.special import expit

    if np.isfinite(low) and np.isfinite(high):
        return np.asarray(low + (high - low) * expit(m))
    if np.isfinite(low):
        return low + np.exp(m)
    return high - np.exp(-m) if np.isfinite(high) else m


def _metalog_terms(p: Floats, count: int) -> Floats:
    """Return the terms of the metalog at probabilities, shape (..., count)."""
    odds, d = np.log(p / (1 - p)), p - 0.5
    terms = [np.ones_like(p), odds, d * odds, d]
    for k in range(2, count):
        terms += [d**k, d**k * odds]
    return np.stack(terms[:count], axis=-1)

"""Penalties that keep estimates finite where the data are separated: Jeffreys' prior (Firth), Cauchy, log-F.

On strategic models: Crisman-Cox, Gasparyan and Signorino, "Detecting and Correcting for Separation in Strategic
Choice Models", *Political Analysis* 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

import numpy as np

from deterrence.estimation.likelihood import Floats, Likelihood
from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

Kind: TypeAlias = Literal["jeffreys", "cauchy", "log-F"]

_STEP = 1e-4  # of central differences of log det, in units of utility


@dataclass(frozen=True, eq=False)
class Penalty(Value):
    """What is added to the log-likelihood.

    Attributes
    ----------
    kind : {"jeffreys", "cauchy", "log-F"}
        ``"jeffreys"``: half the log determinant of Fisher's information [1]_. ``"cauchy"``: the log density of a
        Cauchy distribution with ``scale`` for slopes and ``intercept_scale`` for constants [2]_. ``"log-F"``: that of
        the log-F distribution with ``degrees`` and ``degrees`` degrees of freedom, constants left free [3]_.
    scale, intercept_scale : float
        Of the Cauchy distribution, in units of utility by unit of the regressor; > 0.
    degrees : float
        Of log-F; > 0.

    Raises
    ------
    ParameterError
        If the kind is unknown or a number is not positive.

    References
    ----------
    .. [1] D. Firth, "Bias reduction of maximum likelihood estimates", Biometrika 80 (1993), 27-38.
    .. [2] A. Gelman, A. Jakulin, M. G. Pittau and Y.-S. Su, "A weakly informative default prior distribution for
       logistic and other regression models", Ann. Appl. Stat. 2 (2008), 1360-1383.
    .. [3] S. Greenland and M. A. Mansournia, "Penalization, bias reduction, and default priors in logistic and
       related categorical and survival regressions", Stat. Med. 34 (2015), 3133-3143.
    """

    kind: Kind
    scale: float = 2.5
    intercept_scale: float = 10.0
    degrees: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("jeffreys", "cauchy", "log-F"):
            raise ParameterError(f"penalty must be 'jeffreys' (or 'firth'), 'cauchy' or 'log-F', got {self.kind!r}")
        for name in ("scale", "intercept_scale", "degrees"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} of a penalty must be above 0, got {getattr(self, name)!r}")

    @classmethod
    def of(cls, given: object) -> Self | None:
        """Return a penalty from its name, from itself, or none from None."""
        if given is None or isinstance(given, cls):
            return given
        if isinstance(given, str):
            kind = {"firth": "jeffreys", "log-f": "log-F", "logf": "log-F"}.get(given.lower(), given.lower())
            return cls(kind)  # type: ignore[arg-type]
        raise ParameterError(f"penalty must be 'jeffreys', 'cauchy', 'log-F' or a Penalty, got {given!r}")

    def __str__(self) -> str:
        if self.kind == "jeffreys":
            return "Jeffreys (Firth)"
        if self.kind == "cauchy":
            return f"Cauchy, scale {self.scale:g}, constants {self.intercept_scale:g}"
        return f"log-F({self.degrees:g}, {self.degrees:g}), constants free"


@dataclass(frozen=True, eq=False)
class Penalised:
    """A log-likelihood with a penalty: what is maximised."""

    likelihood: Likelihood
    penalty: Penalty

    @property
    def units(self) -> Floats:
        """The units of the likelihood."""
        return self.likelihood.units

    def value(self, theta: Floats) -> float:
        """Return the penalised log-likelihood."""
        total = self.likelihood.value(theta) + self._penalty(theta)
        return total if np.isfinite(total) else -np.inf

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Return the penalised log-likelihood, its gradient and its Hessian."""
        value, gradient, hessian = self.likelihood.evaluate(theta)
        extra, slope, curvature = self._derivatives(theta)
        return value + extra, gradient + slope, hessian + curvature

    def _penalty(self, theta: Floats) -> float:
        if self.penalty.kind == "jeffreys":
            return _half_log_determinant(self.likelihood, theta)
        return self._separable(theta)[0]

    def _derivatives(self, theta: Floats) -> tuple[float, Floats, Floats]:
        if self.penalty.kind == "jeffreys":
            return _by_differences(self.likelihood, theta)
        value, slope, curvature = self._separable(theta)
        return value, slope, np.diag(curvature)

    def _separable(self, theta: Floats) -> tuple[float, Floats, Floats]:
        constants = self.likelihood.intercepts()
        if self.penalty.kind == "cauchy":
            scale = np.where(constants, self.penalty.intercept_scale, self.penalty.scale)
            z = theta / scale
            value = -np.log1p(z**2)
            return float(value.sum()), -2 * z / (1 + z**2) / scale, -2 * (1 - z**2) / (1 + z**2) ** 2 / scale**2
        m = np.where(constants, 0.0, self.penalty.degrees)
        value = m * theta / 2 - m * np.logaddexp(0, theta)
        p = 0.5 * (1 + np.tanh(theta / 2))
        return float(value.sum()), m * (0.5 - p), -m * p * (1 - p)


def _half_log_determinant(likelihood: Likelihood, theta: Floats) -> float:
    information = likelihood.information(theta) / np.outer(likelihood.units, likelihood.units)
    if not np.isfinite(information).all():
        return -np.inf
    sign, log = np.linalg.slogdet(information)
    return 0.5 * float(log) if sign > 0 else -np.inf


def _by_differences(likelihood: Likelihood, theta: Floats) -> tuple[float, Floats, Floats]:
    """Return half the log determinant, its gradient and its Hessian, by central differences in units of utility."""
    size, units = likelihood.size, likelihood.units
    steps = np.diag(_STEP / units)

    def at(point: Floats) -> float:
        return _half_log_determinant(likelihood, point)

    centre = at(theta)
    ahead = np.array([at(theta + step) for step in steps])
    behind = np.array([at(theta - step) for step in steps])
    gradient = (ahead - behind) / (2 * _STEP) * units
    hessian = np.empty((size, size))
    for i in range(size):
        hessian[i, i] = (ahead[i] - 2 * centre + behind[i]) / _STEP**2
        for j in range(i):
            both = at(theta + steps[i] + steps[j])
            hessian[i, j] = hessian[j, i] = (both - ahead[i] - ahead[j] + centre) / _STEP**2
    return centre, gradient, hessian * np.outer(units, units)

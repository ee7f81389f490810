r"""Is it worth it: the aggressor's choice among attacks, as the upper envelope of lines.

With private value v of the prize, refraining gives 0 and attack x gives

.. math:: U_x(v) = v\,g_x(1 - E[H_x]) - \kappa_x - \lambda E[\text{assisting strength}] = v\,b_x - a_x,

a line in v. If the target yields with probability 1 - R, slope and cost are :math:`b_x = g_x (1 - R E[H_x])` and
:math:`a_x = R (\kappa_x + \lambda E[\text{strength}]) + (1 - R) m_x \kappa_x`, m the share spent on mounting it; if
refraining is not safe, because a false alarm may be answered, what that costs is taken off every a. The best choice
is the upper envelope of these lines, so each attack is chosen on one interval of v (perhaps an empty one), and its
probability is the measure of that interval under the distribution G of v. The aggressor attacks at all above
:math:`v^* = \min_x a_x / b_x`, so the likelihood of attack is 1 - G(v*). At a tie it takes the flatter line,
refraining first. An attack that may be cut into steps (``alliances.campaign``) has a line for each number of steps,
and is chosen wherever one of them is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.attacks import REFRAIN, AttackOption
from deterrence.alliances.declarations import check_name, check_numbers, number
from deterrence.games.continuous_receiver import chosen_intervals
from deterrence.games.distributions import Distribution, stack_last
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.values import Value

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Aggressor(Value):
    """The state that may attack.

    Attributes
    ----------
    name : str
        Used for its overlay in ``perception``.
    prize : Distribution
        G, distribution of its private value v of the prize; its own units.
    punishment : array_like
        lambda >= 0, what each unit of assisting strength that comes costs it.
    """

    name: str = "Aggressor"
    prize: Distribution = field(default_factory=lambda: Distribution(family="uniform"))
    punishment: Any = number(
        0.0,
        unit="prize per unit of strength",
        meaning="what each unit of assisting strength costs it, in units of the prize",
        label="punishment by each unit of strength that comes",
    )

    def __post_init__(self) -> None:
        check_name(self.name, "aggressor")
        if not isinstance(self.prize, Distribution):
            raise ParameterError(f"prize must be a Distribution, got {type(self.prize).__name__}")
        check_numbers(self)


@dataclass(frozen=True, eq=False)
class AggressorChoice(Value):
    """The upper envelope of the aggressor's lines.

    Attributes
    ----------
    attacks : tuple of str
        X kinds of attack.
    slopes, costs : ndarray, shape (..., L)
        b and a of each line; b a share of the prize, a in units of the prize. L = X unless an attack has steps.
    lower, upper : ndarray, shape (..., L)
        A line is chosen iff lower < v <= upper; never where lower >= upper.
    threshold : ndarray, shape (...)
        v*; infinite if no attack can ever pay.
    kinds, steps : tuple of int
        The attack that each line belongs to, and how many steps of it.
    """

    attacks: tuple[str, ...]
    slopes: Floats
    costs: Floats
    lower: Floats
    upper: Floats
    threshold: Floats
    kinds: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def break_even(self) -> Floats:
        """Value of the prize at which each line is worth as much as refraining, shape (..., L); infinite if never."""
        return _break_even(self.slopes, self.costs)

    def measure(self, prize: Distribution) -> Floats:
        """Return the probability of refraining and of each attack, shape (..., 1 + X); they sum to one."""
        inside = self._by_attack(self.plan_measure(prize))
        return np.concatenate([1 - inside.sum(axis=-1, keepdims=True), inside], axis=-1)

    def plan_measure(self, prize: Distribution) -> Floats:
        """Return the probability of each line, shape (..., L)."""
        return np.asarray(self._cdf(prize, np.maximum(self.upper, self.lower)) - self._cdf(prize, self.lower))

    def mean_steps(self, prize: Distribution) -> Floats:
        """Return how many steps of each attack the aggressor means to take if it chooses it, shape (..., X).

        0 for an attack that is never chosen; 1 for one that is chosen and has no steps.
        """
        measure = self.plan_measure(prize)
        total = self._by_attack(measure)
        return np.asarray(self._by_attack(measure * np.array(self.steps)) / np.where(total > 0, total, 1.0))

    def measure_below(self, prize: Distribution, limits: Floats) -> Floats:
        """Return the probability that each attack is chosen at a value below its line's limit, shape (..., X).

        Parameters
        ----------
        prize : Distribution
        limits : ndarray, shape (..., L)
        """
        top = np.maximum(np.minimum(self.upper, limits), self.lower)
        return self._by_attack(np.asarray(self._cdf(prize, top) - self._cdf(prize, self.lower)))

    def likelihood(self, prize: Distribution) -> Floats:
        """Return 1 - G(v*), shape (...)."""
        return np.asarray(1 - self._cdf(prize, self.threshold[..., None])[..., 0])

    def best(self, value: Any) -> NDArray[np.str_]:
        """Return the choice at values of the prize, shape (...)."""
        chosen, line = self._chosen(value)
        labels = np.array([REFRAIN, *(self.attacks[x] for x in self.kinds)])
        return np.asarray(labels[np.where(chosen, 1 + line, 0)])

    def payoff(self, value: Any) -> Floats:
        """Return the payoff of each attack (by its best number of steps) at values of the prize, shape (..., X)."""
        lines = np.asarray(value, dtype=np.float64)[..., None] * self.slopes - self.costs
        kinds = np.array(self.kinds)
        return np.stack([lines[..., kinds == x].max(axis=-1) for x in range(len(self.attacks))], axis=-1)

    def _chosen(self, value: Any) -> tuple[NDArray[np.bool_], NDArray[np.int_]]:
        v = np.asarray(value, dtype=np.float64)[..., None]
        chosen = (self.lower < v) & (v <= self.upper)
        return np.asarray(chosen.any(axis=-1)), np.asarray(chosen.argmax(axis=-1))

    def _by_attack(self, lines: Floats) -> Floats:
        if len(self.kinds) == len(self.attacks):
            return lines
        kinds = np.array(self.kinds)
        return np.stack([lines[..., kinds == x].sum(axis=-1) for x in range(len(self.attacks))], axis=-1)

    def _cdf(self, prize: Distribution, x: Floats) -> Floats:
        wide = Distribution(
            family=prize.family,
            location=_column(prize.location),
            scale=_column(prize.scale),
            shape={name: _column(value) for name, value in prize.shape.items()},
        )
        return np.where(np.isposinf(x), 1.0, wide.cdf(np.where(np.isfinite(x), x, 0.0)) * ~np.isneginf(x))


@dataclass(frozen=True, eq=False)
class AttackProbabilities(Value):
    """How likely each kind of attack is.

    Attributes
    ----------
    likelihood : pair of ndarray, shape (...)
        Lowest and highest likelihood of attack, 1 - G(v*), over the equilibria that the aggressor may expect.
    by_kind : mapping of str to pair of ndarray
        The same for each kind of attack, and for ``"refrain"``.
    thresholds : pair of ndarray
        v* above which it attacks at all, expecting the lowest and the highest participation; infinite if it
        never does.
    """

    likelihood: tuple[Floats, Floats]
    by_kind: Mapping[str, tuple[Floats, Floats]]
    thresholds: tuple[Floats, Floats]


def aggressor_choice(
    attacks: Sequence[AttackOption],
    holds: Any,
    strength: Any,
    punishment: Any = 0.0,
    *,
    resists: Any = 1.0,
    refraining: Any = 0.0,
) -> AggressorChoice:
    """Return the aggressor's choice as a function of its value of the prize.

    Parameters
    ----------
    attacks : sequence of AttackOption
        X of them; their ``share`` and ``cost`` count.
    holds : array_like, shape (..., X)
        E[H_x], probability that the defence holds after each, as the aggressor sees it.
    strength : array_like, shape (..., X)
        Expected assisting strength after each, as the aggressor sees it, in units of strength.
    punishment : array_like, shape (...)
        lambda, in units of the prize per unit of strength.
    resists : array_like, shape (..., X)
        Probability that the target resists. If it yields, the attack takes its share of the prize for what mounting
        it costs.
    refraining : array_like, shape (...)
        What the aggressor expects to suffer although it refrains (a response to a false alarm), in units of
        the prize; payoffs are relative to that.

    Raises
    ------
    GameError
        If ``holds`` leaves [0, 1] by more than rounding.
    """
    h = np.asarray(holds, dtype=np.float64)
    if ((h < -1e-9) | (h > 1 + 1e-9)).any():
        raise GameError(
            f"probabilities that the defence holds must lie in [0, 1], got {h[(h < 0) | (h > 1)].flat[0]:g}"
        )
    fights = np.asarray(resists, dtype=np.float64)
    slopes = stack_last([a.share for a in attacks]) * (1 - fights * np.minimum(h, 1.0))
    war = stack_last([a.cost for a in attacks]) + np.asarray(punishment)[..., None] * np.asarray(strength, float)
    mounted = stack_last([np.asarray(a.mounting) * np.asarray(a.cost) for a in attacks])
    costs = fights * war + (1 - fights) * mounted - np.asarray(refraining)[..., None]
    each = tuple(range(len(attacks)))
    return envelope(tuple(a.name for a in attacks), slopes, costs, each, (1,) * len(each))


def envelope(
    attacks: tuple[str, ...], slopes: Floats, costs: Floats, kinds: tuple[int, ...], steps: tuple[int, ...]
) -> AggressorChoice:
    """Return the upper envelope of lines v b - a and of 0.

    Parameters
    ----------
    attacks : tuple of str
    slopes, costs : ndarray, shape (..., L)
        b and a.
    kinds, steps : tuple of int
        The attack that each line belongs to, and how many steps of it.
    """
    slopes, costs = np.broadcast_arrays(slopes, costs)
    lower, upper = chosen_intervals(slopes, costs)
    return AggressorChoice(attacks, slopes, costs, lower, upper, _break_even(slopes, costs).min(axis=-1), kinds, steps)


def _break_even(slopes: Floats, costs: Floats) -> Floats:
    level = np.where(costs < 0, -np.inf, np.inf)  # what a line that never rises is worth
    return np.where(slopes > 0, costs / np.where(slopes > 0, slopes, 1.0), level)


def _column(value: Any) -> Any:
    return np.asarray(value)[..., None] if np.ndim(value) else value

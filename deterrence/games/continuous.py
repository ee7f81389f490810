"""Games whose types form a continuum, as a list of unknowns with the condition that settles each.

A ``ContinuousGame`` is read like a proof: first what the last mover does, then what the one before it does given that.
Each unknown has a name and a condition on it that may use the unknowns before it (``known``):

==============  ===============================================================================================
``Indifferent``  a value at which a gain is zero: a cutpoint, a threshold, a fixed point; *every* root makes a branch
``Acts``         the probability that a private type has a positive gain
``Best``         the value that maximises a payoff
``Mean``         an expectation over types
``Given``        a value that follows from the ones before it by definition
==============  ===============================================================================================

All functions take arrays. Which solver settles an unknown is no business of the game's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

Known: TypeAlias = Mapping[str, Any]
Gain: TypeAlias = Callable[[Any, Known], Any]


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform types on [low, high]; the interface of a frozen distribution of SciPy at a hundredth of its cost."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ParameterError(f"uniform types need low < high, got [{self.low:g}, {self.high:g}]")

    def cdf(self, x: Any) -> Any:
        """Return the probability of a type of at most ``x``."""
        return np.clip((np.asarray(x, dtype=np.float64) - self.low) / (self.high - self.low), 0.0, 1.0)

    def ppf(self, q: Any) -> Any:
        """Return the type below which a share ``q`` lies."""
        return self.low + np.asarray(q, dtype=np.float64) * (self.high - self.low)

    def support(self) -> tuple[float, float]:
        """Return the ends of the range."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Indifferent:
    """A value at which ``gain(value, known)`` is zero.

    Attributes
    ----------
    gain : callable
        Array of values and the unknowns before it, to an array.
    low, high : float or callable of ``known``
        Where to look.
    otherwise : {"end", "corner", "none"}
        If there is no root: end the branch; take the end that the sign of the gain points to (``high`` where it is
        positive), as for a cutpoint below which a player acts; or go on with None.
    """

    gain: Gain
    low: float | Callable[[Known], float]
    high: float | Callable[[Known], float]
    otherwise: Literal["end", "corner", "none"] = "end"


@dataclass(frozen=True, slots=True)
class Acts:
    """The probability of the types with a positive gain; ``types`` is a distribution, or a function of ``known``."""

    gain: Gain
    types: Any


@dataclass(frozen=True, slots=True)
class Best:
    """The value in [low, high] at which ``payoff(value, known)`` is largest; the payoff itself is ``<name>:payoff``."""

    payoff: Gain
    low: float | Callable[[Known], float]
    high: float | Callable[[Known], float]


@dataclass(frozen=True, slots=True)
class Mean:
    """The integral of ``function(type, known)`` over the types in [low, high] (all of them, if None).

    The distribution of types may itself be a function of ``known``.
    """

    function: Gain
    types: Any
    low: Callable[[Known], float] | None = None
    high: Callable[[Known], float] | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A value that follows from the unknowns before it by definition."""

    value: Callable[[Known], Any]


Unknown: TypeAlias = Indifferent | Acts | Best | Mean | Given


@dataclass(frozen=True, eq=False)
class ContinuousGame(Value):
    """A game with a continuum of types or actions.

    Attributes
    ----------
    players : tuple of str
    unknowns : mapping of str to unknown
        In the order in which they are settled. A name may be dotted to group it (``"sunk.cutoff"``).
    """

    players: tuple[str, ...]
    unknowns: Mapping[str, Unknown] = field(repr=False)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td>{type(u).__name__.lower()}</td></tr>" for name, u in self.unknowns.items()
        )
        head = f"<caption>{', '.join(self.players)}</caption><tr><th>unknown</th><th>settled by</th></tr>"
        return f"<table>{head}{rows}</table>"

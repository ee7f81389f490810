"""What an alliance scenario consists of: attacks, treaty, aggressor, private types and postures, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.costs import Distribution
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.invocation import InvocationRule
from deterrence.games.participation import Attack, check_name, distinct, number_in
from deterrence.games.paths import Change, Overlay

Floats = NDArray[np.float64]

REFRAIN = "refrain"


@dataclass(frozen=True, kw_only=True)
class AttackOption(Attack):
    """A kind of attack as the aggressor sees it.

    Attributes
    ----------
    name, strength, window
        As in ``Attack``; the name must not be ``"refrain"``.
    share : array_like
        g in [0, 1], share of the prize that this attack can take.
    cost : array_like
        kappa >= 0, what the attack costs the aggressor, in units of the prize.
    """

    share: Any = 1.0
    cost: Any = 0.0

    def __post_init__(self) -> None:
        Attack.__post_init__(self)
        if self.name == REFRAIN:
            raise GameError(f"an attack must not be called {REFRAIN!r}: that is the choice not to attack")
        object.__setattr__(self, "share", number_in(self.share, 0.0, 1.0, f"share of {self.name}"))
        object.__setattr__(self, "cost", number_in(self.cost, 0.0, np.inf, f"cost of {self.name}"))


@dataclass(frozen=True, kw_only=True)
class Treaty:
    """What the members have agreed.

    Attributes
    ----------
    rule : InvocationRule, str or mapping
        ``"unanimity"``, ``"majority"``, ``{"threshold": k}``, ``{"lead": name}`` or ``{"votes": {...},
        "quota": x}``.
    shared_intelligence : array_like
        chi in [0, 1], probability that all members share one assessment of the attack.
    integration : array_like
        iota >= 0: assisting strength is multiplied by 1 + iota once the treaty is invoked.
    consultation : array_like
        Days that consultation adds to every member's delay when the treaty is invoked; >= 0.
    deliberation : array_like
        Mean days that each member needs to agree; consultation lasts until enough have; >= 0.
    automaticity : array_like
        Obligation that the treaty itself lays on every member once it is invoked; >= 0.
    incidents : array_like
        Probability in [0, 1] that, if the aggressor refrains, something happens that members may take for an
        attack of the first kind, each with its ``false_alarm``.
    """

    rule: InvocationRule = field(default_factory=InvocationRule)
    shared_intelligence: Any = 0.0
    integration: Any = 0.0
    consultation: Any = 0.0
    deliberation: Any = 0.0
    automaticity: Any = 0.0
    incidents: Any = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", InvocationRule.of(self.rule))
        object.__setattr__(
            self, "shared_intelligence", number_in(self.shared_intelligence, 0.0, 1.0, "shared_intelligence")
        )
        object.__setattr__(self, "integration", number_in(self.integration, 0.0, np.inf, "integration"))
        for key in ("consultation", "deliberation", "automaticity"):
            object.__setattr__(self, key, number_in(getattr(self, key), 0.0, np.inf, key))
        object.__setattr__(self, "incidents", number_in(self.incidents, 0.0, 1.0, "incidents"))


@dataclass(frozen=True, kw_only=True)
class Aggressor:
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
    punishment: Any = 0.0

    def __post_init__(self) -> None:
        check_name(self.name, "aggressor")
        if not isinstance(self.prize, Distribution):
            raise ParameterError(f"prize must be a Distribution, got {type(self.prize).__name__}")
        object.__setattr__(self, "punishment", number_in(self.punishment, 0.0, np.inf, "punishment"))


@dataclass(frozen=True, kw_only=True)
class Target:
    """The protege: whether it resists an attack, or yields because it doubts that anyone would come.

    It resists iff its private cost of resisting is at most its stake times the probability, at its own
    values, that the defence holds. If it yields the aggressor takes its share of the prize without a fight.

    Attributes
    ----------
    name : str
        Used for its overlay in ``perception``.
    stake : array_like
        What it saves if the defence holds; >= 0.
    cost : Distribution
        Private cost of resisting, in the same units.
    """

    name: str = "Target"
    stake: Any = 1.0
    cost: Distribution = field(default_factory=lambda: Distribution(family="degenerate", location=0.0))

    def __post_init__(self) -> None:
        check_name(self.name, "target")
        object.__setattr__(self, "stake", number_in(self.stake, 0.0, np.inf, f"stake of {self.name}"))
        if not isinstance(self.cost, Distribution):
            raise ParameterError(f"cost of {self.name} must be a Distribution, got {type(self.cost).__name__}")

    def resists(self, holds: Floats) -> Floats:
        """Return the probability that it resists, given the probability that the defence holds; shape (..., X)."""
        wide = Distribution(
            family=self.cost.family,
            location=_wide(self.cost.location),
            scale=_wide(self.cost.scale),
            shape={name: _wide(value) for name, value in self.cost.shape.items()},
        )
        return wide.cdf(_wide(self.stake) * holds)


@dataclass(frozen=True, kw_only=True)
class AllianceType:
    """A private type of the alliance, say firm or soft: what is different about its members.

    Attributes
    ----------
    name : str
        For example ``"firm"``.
    probability : float
        Prior in [0, 1].
    changes : mapping of path to change
        Overlay on the collective-defence game, for example ``{"members.USA.cost.location": "-0.5"}``.
    """

    name: str
    probability: Any
    changes: Overlay = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "type")
        object.__setattr__(
            self, "probability", number_in(self.probability, 0.0, 1.0, f"probability of type {self.name}")
        )
        object.__setattr__(self, "changes", dict(self.changes))


@dataclass(frozen=True, kw_only=True)
class Posture:
    """A posture that the alliance may take before the aggressor chooses.

    Attributes
    ----------
    name : str
        For example ``"battlegroups"``.
    cost : array_like
        k, sunk cost that the sender pays whatever follows; >= 0, in the sender's units of utility.
    forward : mapping of str to array_like
        Strength stationed with the target by member; it *replaces* that member's ``forward``.
    obligation : array_like
        a, added to the obligation of every member (or of those in ``tied``): tied hands; >= 0.
    tied : tuple of str
        The members whose hands it ties; all if empty.
    changes : mapping of path to change
        Any other change that comes with the posture.
    """

    name: str
    cost: Any = 0.0
    forward: Mapping[str, Any] = field(default_factory=dict)
    obligation: Any = 0.0
    tied: tuple[str, ...] = ()
    changes: Overlay = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name, "posture")
        object.__setattr__(self, "cost", number_in(self.cost, 0.0, np.inf, f"cost of posture {self.name}"))
        object.__setattr__(
            self, "obligation", number_in(self.obligation, 0.0, np.inf, f"obligation of posture {self.name}")
        )
        stationed = {
            name: number_in(value, 0.0, np.inf, f"forward of {name} in posture {self.name}")
            for name, value in self.forward.items()
        }
        object.__setattr__(self, "forward", stationed)
        object.__setattr__(self, "tied", tuple(self.tied))
        object.__setattr__(self, "changes", dict(self.changes))

    def overlay(self) -> Overlay:
        """Return the posture as changes by path."""
        found: dict[str, Change] = {f"members.{_quoted(name)}.forward": value for name, value in self.forward.items()}
        if np.any(self.obligation):
            for name in self.tied or ("*",):
                found[f"members.{_quoted(name)}.obligation"] = {"add": self.obligation}
        return {**found, **self.changes}


@dataclass(frozen=True, kw_only=True)
class PostureStage:
    """The signaling stage: private types of the alliance, and the postures among which it picks.

    Attributes
    ----------
    types : tuple of AllianceType
        At least one; their probabilities sum to one within 1e-9 (overlays may break this and are then rescaled).
    postures : tuple of Posture
        At least one.
    sender : str
        The member whose payoff counts; ``""`` for the sum over all members.
    quantiles : int
        Number of the aggressor's types: bins of equal probability of its value v; 1 to 200.
    """

    types: tuple[AllianceType, ...]
    postures: tuple[Posture, ...]
    sender: str = ""
    quantiles: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", distinct(self.types, AllianceType, "types"))
        object.__setattr__(self, "postures", distinct(self.postures, Posture, "postures"))
        if not isinstance(self.quantiles, int) or not 1 <= self.quantiles <= 200:
            raise ParameterError(f"quantiles must be a whole number in [1, 200], got {self.quantiles!r}")

    @property
    def prior(self) -> Floats:
        """Probabilities of the types, rescaled to sum to one, shape (..., T).

        Raises
        ------
        ParameterError
            If all are zero.
        """
        p = np.stack(
            np.broadcast_arrays(*(np.asarray(one.probability, dtype=np.float64) for one in self.types)), axis=-1
        )
        total = p.sum(axis=-1, keepdims=True)
        if (total <= 0).any():
            raise ParameterError(f"the probabilities of types {', '.join(t.name for t in self.types)} are all 0")
        return np.asarray(p / total)


@dataclass(frozen=True, eq=False)
class AttackProbabilities:
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


def _wide(value: Any) -> Any:
    return np.asarray(value)[..., None] if np.ndim(value) else value


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name else name

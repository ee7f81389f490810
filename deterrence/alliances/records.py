"""What an alliance scenario consists of: attacks, treaty, aggressor, private types and postures, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.invocation import InvocationRule
from deterrence.alliances.participation import Attack, check_name, distinct, number_in
from deterrence.games.distributions import Distribution
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.paths import Change, Overlay

Floats = NDArray[np.float64]

REFRAIN = "refrain"
MOST_STEPS = 100.0


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
        kappa >= 0, what the attack costs the aggressor, in units of the prize (paid once it is answered, if it is
        cut into steps).
    steps : array_like
        n, into how many equal steps the attack may be cut; a whole number from 1 to 100. The aggressor decides how
        many of them to take; see ``alliances.campaign``.
    threshold : array_like
        theta >= 0, size of a step, as a share of the whole attack, from which it is taken for an attack at all.
    blur : array_like
        sigma >= 0, how doubtful the threshold is: a step of size z crosses it with probability
        Phi((z - theta) / sigma), and surely or never if sigma = 0.
    memory : array_like
        mu in [0, 1]: the k-th step is judged as one of size (1 + mu (k - 1)) / n. 0: each by itself; 1: by all that
        has been taken.
    step_cost : array_like
        >= 0, what a step that is not answered costs the aggressor, in units of the prize.
    incidents : array_like
        Probability in [0, 1] that, if the aggressor refrains, something happens that looks like this kind of
        attack; members take it for one with their ``false_alarm``. See also ``Treaty.incidents``.
    """

    share: Any = 1.0
    cost: Any = 0.0
    steps: Any = 1
    threshold: Any = 0.0
    blur: Any = 0.0
    memory: Any = 0.0
    step_cost: Any = 0.0
    incidents: Any = 0.0

    def __post_init__(self) -> None:
        Attack.__post_init__(self)
        if self.name == REFRAIN:
            raise GameError(f"an attack must not be called {REFRAIN!r}: that is the choice not to attack")
        for key, low, high in (
            ("share", 0.0, 1.0),
            ("cost", 0.0, np.inf),
            ("steps", 1.0, MOST_STEPS),
            ("threshold", 0.0, np.inf),
            ("blur", 0.0, np.inf),
            ("memory", 0.0, 1.0),
            ("step_cost", 0.0, np.inf),
            ("incidents", 0.0, 1.0),
        ):
            object.__setattr__(self, key, number_in(getattr(self, key), low, high, f"{key} of {self.name}"))
        if np.any(np.asarray(self.steps) % 1):
            raise ParameterError(f"steps of {self.name} must be a whole number, got {self.steps}")


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
        attack of the first kind, each with its ``false_alarm``; added to that kind's own ``incidents``.
    talk : array_like
        Probability in [0, 1] that a member is heard when members talk before they vote. How much survives the talk
        depends on the differences between their ``bias``: the most informative equilibrium of cheap talk
        (``games.talk``).
    integrated_command : array_like
        Share in [0, 1] of the days of consultation and deliberation that an integrated command saves: forces under
        it move on its order.
    """

    rule: InvocationRule = field(default_factory=InvocationRule)
    shared_intelligence: Any = 0.0
    integration: Any = 0.0
    consultation: Any = 0.0
    deliberation: Any = 0.0
    automaticity: Any = 0.0
    incidents: Any = 0.0
    talk: Any = 0.0
    integrated_command: Any = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", InvocationRule.of(self.rule))
        for key in ("integration", "consultation", "deliberation", "automaticity"):
            object.__setattr__(self, key, number_in(getattr(self, key), 0.0, np.inf, key))
        for key in ("shared_intelligence", "incidents", "talk", "integrated_command"):
            object.__setattr__(self, key, number_in(getattr(self, key), 0.0, 1.0, key))


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
    Against an attack in steps it looks ahead: see ``alliances.campaign``.

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


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name else name

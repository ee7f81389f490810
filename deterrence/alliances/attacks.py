"""Kinds of attack: what they bring to the contest, and what they are to the aggressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deterrence.alliances.declarations import check_name, check_numbers, number
from deterrence.games.errors import GameError
from deterrence.games.renaming import renamed_fields
from deterrence.games.values import Value

REFRAIN = "refrain"
MOST_STEPS = 100.0


@renamed_fields(at_stake="stake_share")
@dataclass(frozen=True, kw_only=True, eq=False)
class Attack(Value):
    """A kind of attack.

    Attributes
    ----------
    name : str
        For example ``"hybrid"``, ``"limited"``, ``"full"``.
    strength : array_like, shape (...)
        A, the attacker's strength in this attack; > 0, in the members' unit of strength.
    window : array_like
        W, days until the attack is decided; > 0.
    attribution : array_like
        Probability in [0, 1] that the attacker can be named at all; where it cannot, nobody recognises an attack.
    stake_share : array_like
        Share in [0, 1] of each member's ``stake`` that this attack puts at risk.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    name: str
    strength: Any = number(strict=True, required=True, unit="strength", meaning="the attacker's strength")
    window: Any = number(
        30.0,
        strict=True,
        required=True,
        unit="days",
        meaning="days until the attack is decided",
    )
    attribution: Any = number(1.0, high=1.0, unit="probability", meaning="probability that the attacker can be named")
    stake_share: Any = number(1.0, high=1.0, unit="share", meaning="share of each member's stake that it puts at risk")

    def __post_init__(self) -> None:
        check_name(self.name, "attack")
        check_numbers(self, self.name)


@renamed_fields(at_stake="stake_share", blur="threshold_noise")
@dataclass(frozen=True, kw_only=True, eq=False)
class AttackOption(Attack, Value):
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
    mounting : array_like
        m in [0, 1], share of ``cost`` that is spent on mounting the attack: paid although the target yields. The rest
        is the cost of fighting, paid if the target resists.
    steps : array_like
        n, into how many equal steps the attack may be cut; a whole number from 1 to 100. The aggressor decides how
        many of them to take; see ``alliances.campaign``.
    threshold : array_like
        theta >= 0, size of a step, as a share of the whole attack, from which it is taken for an attack at all.
    threshold_noise : array_like
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

    share: Any = number(1.0, high=1.0, required=True, unit="share", meaning="share of the prize that it can take")
    cost: Any = number(0.0, required=True, unit="prize", meaning="what it costs the aggressor, in units of the prize")
    mounting: Any = number(
        0.0,
        high=1.0,
        unit="share",
        meaning="share of its cost that is spent on mounting it, and paid although the target yields",
    )
    steps: Any = number(
        1.0,
        low=1.0,
        high=MOST_STEPS,
        whole=True,
        unit="steps",
        meaning="number of equal steps into which it may be cut: salami tactics",
    )
    threshold: Any = number(
        0.0, unit="share", meaning="size of a step, as a share of the whole, from which it is answered"
    )
    threshold_noise: Any = number(
        0.0, unit="share", meaning="how doubtful the threshold is, in the same unit; 0 for a sharp one"
    )
    memory: Any = number(
        0.0, high=1.0, unit="share", meaning="how far a step is judged with all that was taken before it"
    )
    step_cost: Any = number(0.0, unit="prize", meaning="what a step that is not answered costs the aggressor")
    incidents: Any = number(
        0.0,
        high=1.0,
        unit="probability",
        meaning="probability of an incident that looks like this kind of attack",
    )

    def __post_init__(self) -> None:
        Attack.__post_init__(self)
        if self.name == REFRAIN:
            raise GameError(f"an attack must not be called {REFRAIN!r}: that is the choice not to attack")

"""Kinds of attack: what they bring to the contest, and what they are to the aggressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deterrence.alliances.declarations import check_name, number_in
from deterrence.games.errors import GameError, ParameterError

REFRAIN = "refrain"
MOST_STEPS = 100.0


@dataclass(frozen=True, kw_only=True)
class Attack:
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
    at_stake : array_like
        Share in [0, 1] of each member's ``stake`` that this attack puts at risk.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    name: str
    strength: Any
    window: Any = 30.0
    attribution: Any = 1.0
    at_stake: Any = 1.0

    def __post_init__(self) -> None:
        check_name(self.name, "attack")
        for key in ("attribution", "at_stake"):
            object.__setattr__(self, key, number_in(getattr(self, key), 0.0, 1.0, f"{key} of {self.name}"))
        for key in ("strength", "window"):
            object.__setattr__(
                self, key, number_in(getattr(self, key), 0.0, np.inf, f"{key} of {self.name}", strict=True)
            )


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

"""Warning: what members take for an attack, by signal detection, and what automation trades for speed.

A member responds iff noisy evidence exceeds the criterion that minimises its expected loss, given the prior probability
of attack, the cost of a miss and of a false alarm; see ``deterrence.warning_threshold``.

Automation shortens consultation and mobilisation and lowers d' (brittle classifiers): the alliance decides earlier, is
there earlier, and is wrong more often, both ways. Machines can be spoofed, too: an attacker that fools them is not seen
at all, so that the probability of a hit falls by a further factor 1 - spoofing * level, and false alarms stay.

References
----------
.. [1] D. Green and J. Swets, Signal Detection Theory and Psychophysics (1966), ch. 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deterrence.alliances.declarations import check_numbers, number
from deterrence.alliances.members import Member
from deterrence.games.errors import GameError, did_you_mean
from deterrence.games.renaming import moved_names
from deterrence.games.values import Value
from deterrence.perception.detection import AlarmThreshold, warning_threshold

__getattr__ = moved_names(
    __name__,
    Detection="deterrence.perception.detection.AlarmThreshold",
    detection="deterrence.perception.detection.warning_threshold",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Automation(Value):
    """Faster warning and decision, with weaker judgment.

    Attributes
    ----------
    attack : str
        The kind that is doubtful; recognition of the others stays. Empty: the first.
    level : array_like
        In [0, 1]: 0 people, who judge with d' in place of their own ``recognition`` and ``false_alarm``; 1 machines.
    speed : array_like
        Share in [0, 1] by which full automation shortens consultation and deliberation.
    mobilisation : array_like
        Share in [0, 1] of each member's ``delay`` and ``rapid_delay`` that full automation saves; lift
        (``days_per_unit``) takes as long as before.
    sensitivity : array_like
        d' > 0 without automation.
    loss : array_like
        Share in [0, 1) of d' that full automation costs.
    spoofing : array_like
        Share in [0, 1] of attacks that the attacker hides from a fully automated warning.
    prior, cost_miss, cost_false : array_like
        As in ``deterrence.warning_threshold``; the same for all members.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    attack: str = ""
    level: Any = number(0.0, high=1.0, unit="share", meaning="from 0, none, to 1, full")
    speed: Any = number(0.8, high=1.0, unit="share", meaning="share by which full automation shortens consultation")
    mobilisation: Any = number(
        0.0, high=1.0, unit="share", meaning="share of each member's delay that full automation saves"
    )
    sensitivity: Any = number(
        2.0,
        strict=True,
        unit="standard deviations",
        meaning="d' of signal detection without automation, in standard deviations",
    )
    loss: Any = number(
        0.4, high=float(np.nextafter(1.0, 0.0)), unit="share", meaning="share of d' that full automation costs"
    )
    spoofing: Any = number(
        0.0,
        high=1.0,
        unit="share",
        meaning="share of attacks that the attacker hides from full automation",
    )
    prior: Any = number(
        0.2,
        high=float(np.nextafter(1.0, 0.0)),
        strict=True,
        unit="probability",
        meaning="probability of attack for which the warning is set",
    )
    cost_miss: Any = number(5.0, strict=True, unit="utility", meaning="cost of missing an attack")
    cost_false: Any = number(1.0, strict=True, unit="utility", meaning="cost of responding to none")

    def __post_init__(self) -> None:
        check_numbers(self)
        self.warning  # noqa: B018  (checked when made)

    @property
    def warning(self) -> AlarmThreshold:
        """What members detect at this level."""
        level = np.asarray(self.level)
        sharp = np.asarray(self.sensitivity) * (1 - np.asarray(self.loss) * level)
        seen = warning_threshold(self.prior, self.cost_miss, self.cost_false, sharp)
        return replace(seen, hit=np.asarray(seen.hit * (1 - np.asarray(self.spoofing) * level)))

    @property
    def left(self) -> Any:
        """Share of the days of consultation and deliberation that is left."""
        return 1 - np.asarray(self.speed) * np.asarray(self.level)

    @property
    def mobilising(self) -> Any:
        """Share of the days of every member's delay that is left."""
        return 1 - np.asarray(self.mobilisation) * np.asarray(self.level)

    def judging(self, members: Sequence[Member], kinds: Sequence[str]) -> tuple[Member, ...]:
        """Return members who judge one kind of attack, and incidents of all kinds, by machine, and mobilise by it.

        Parameters
        ----------
        members : sequence of Member
        kinds : sequence of str
            Names of the attacks.

        Raises
        ------
        GameError
            If there is no such attack.
        """
        doubtful = self.attack or kinds[0]
        if doubtful not in kinds:
            hint = did_you_mean(doubtful, kinds)
            raise GameError(f"automation judges {doubtful!r}, which is no attack among {', '.join(kinds)}{hint}")
        warning = self.warning
        return tuple(
            replace(
                member,
                delay=member.delay * self.mobilising,
                rapid_delay=member.rapid_delay * self.mobilising,
                recognition={kind: warning.hit if kind == doubtful else member.recognises(kind) for kind in kinds},
                false_alarm=warning.false_alarm,
            )
            for member in members
        )

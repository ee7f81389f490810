r"""Warning: what members take for an attack, by signal detection, and what automation trades for speed.

Evidence is N(d', 1) if there is an attack and N(0, 1) if there is none. A member responds iff the evidence exceeds
the criterion that minimises its expected loss, given the prior probability pi of attack, the cost of a miss and of
a false alarm:

.. math:: x^* = \frac{d'}{2} + \frac{1}{d'} \ln\left(\frac{1 - \pi}{\pi}\,\frac{C_{false}}{C_{miss}}\right).

Automation shortens consultation and lowers d' (spoofed sensors, brittle classifiers): the alliance decides earlier
and is wrong more often, both ways.

References
----------
.. [1] D. Green and J. Swets, Signal Detection Theory and Psychophysics (1966), ch. 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.games.members import number_in

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What a member makes of noisy evidence.

    Attributes
    ----------
    criterion : ndarray, shape (...)
        Evidence above which it responds.
    hit, false_alarm : ndarray, shape (...)
        P(responds | attack) and P(responds | no attack).
    """

    criterion: Floats
    hit: Floats
    false_alarm: Floats


def detection(*, prior: Any, cost_miss: Any, cost_false: Any, sensitivity: Any) -> Detection:
    """Return the best criterion and what follows from it.

    Parameters
    ----------
    prior : array_like, shape (...)
        pi in (0, 1), probability of an attack.
    cost_miss, cost_false : array_like
        Costs > 0 of missing an attack, and of responding to none.
    sensitivity : array_like
        d' > 0, in standard deviations of the evidence.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """
    from scipy.special import ndtr

    pi = np.asarray(number_in(prior, 0.0, np.nextafter(1.0, 0.0), "prior", strict=True))
    miss = np.asarray(number_in(cost_miss, 0.0, np.inf, "cost_miss", strict=True))
    false = np.asarray(number_in(cost_false, 0.0, np.inf, "cost_false", strict=True))
    d = np.asarray(number_in(sensitivity, 0.0, np.inf, "sensitivity", strict=True))
    criterion = d / 2 + np.log((1 - pi) / pi * false / miss) / d
    return Detection(criterion, np.asarray(ndtr(d - criterion)), np.asarray(ndtr(-criterion)))


def blurred_threshold(intensities: Sequence[float], *, threshold: float, blur: float) -> list[float]:
    r"""Return the probability that each intensity of attack is recognised, :math:`\Phi((s - \tau) / \sigma)`.

    Parameters
    ----------
    intensities : sequence of float
        s, one for each kind of attack.
    threshold : float
        tau, where the red line is drawn.
    blur : float
        sigma > 0, how doubtful the line is.

    Raises
    ------
    ParameterError
        If ``blur`` is not above 0.
    """
    from scipy.special import ndtr

    width = number_in(blur, 0.0, np.inf, "blur", strict=True)
    return [float(ndtr((s - threshold) / width)) for s in intensities]


@dataclass(frozen=True, kw_only=True)
class Automation:
    """Faster warning and decision, with weaker judgment.

    Attributes
    ----------
    level : array_like
        In [0, 1]: 0 as before, 1 fully automated.
    speed : array_like
        Share in [0, 1] by which full automation shortens consultation and deliberation.
    sensitivity : array_like
        d' > 0 without automation.
    loss : array_like
        Share in [0, 1) of d' that full automation costs.
    prior, cost_miss, cost_false : array_like
        As in ``detection``; the same for all members.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    level: Any = 0.0
    speed: Any = 0.8
    sensitivity: Any = 2.0
    loss: Any = 0.4
    prior: Any = 0.2
    cost_miss: Any = 5.0
    cost_false: Any = 1.0

    def __post_init__(self) -> None:
        for key in ("level", "speed"):
            object.__setattr__(self, key, number_in(getattr(self, key), 0.0, 1.0, key))
        object.__setattr__(self, "loss", number_in(self.loss, 0.0, np.nextafter(1.0, 0.0), "loss"))
        self.warning  # noqa: B018  (checked when made)

    @property
    def warning(self) -> Detection:
        """What members detect at this level."""
        sharp = np.asarray(self.sensitivity) * (1 - np.asarray(self.loss) * np.asarray(self.level))
        return detection(prior=self.prior, cost_miss=self.cost_miss, cost_false=self.cost_false, sensitivity=sharp)

    def applied(self, defence: CollectiveDefence, *, attack: str) -> CollectiveDefence:
        """Return a game whose treaty consults faster, and whose members judge one kind of attack by machine.

        Parameters
        ----------
        defence : CollectiveDefence
        attack : str
            The kind that is doubtful; recognition of the others stays.

        Raises
        ------
        GameError
            If there is no such attack.
        """
        defence.participation_game().attack(attack)
        warning = self.warning
        kinds = [one.name for one in defence.attacks]
        members = tuple(
            replace(
                member,
                recognition={kind: warning.hit if kind == attack else member.recognises(kind) for kind in kinds},
                false_alarm=warning.false_alarm,
            )
            for member in defence.members
        )
        left = 1 - np.asarray(self.speed) * np.asarray(self.level)
        faster = {"treaty.consultation": {"multiply": left}, "treaty.deliberation": {"multiply": left}}
        return replace(defence, members=members).at(**faster)

"""Members of an alliance, and the kinds of help that they may give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deterrence.alliances.declarations import check_name, check_numbers, number
from deterrence.games.distributions import Distribution
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.renaming import renamed_fields
from deterrence.games.values import Value


@renamed_fields(discharges="obligation_met")
@dataclass(frozen=True, kw_only=True, eq=False)
class Support(Value):
    """A kind of help: how much strength it is worth, what it costs, and whether it honours the treaty.

    Attributes
    ----------
    kind : str
        For example ``"military"``, ``"logistics"``, ``"intelligence"``.
    strength : array_like, shape (...)
        Share in [0, 1] of the member's capability that it adds (the scope of support).
    cost : array_like
        Share > 0 of the member's private cost of fighting that it costs.
    obligation_met : array_like
        Share in [0, 1] of the obligation (and of the audience cost) that is met by giving it; the rest is
        owed even so.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    """

    kind: str = "military"
    strength: Any = number(1.0, high=1.0, unit="share", meaning="share of the member's capability that it adds")
    cost: Any = number(
        1.0, strict=True, unit="share", meaning="share of the member's private cost of fighting that it costs"
    )
    obligation_met: Any = number(
        1.0, high=1.0, unit="share", meaning="share of the obligation that is met by giving it"
    )

    def __post_init__(self) -> None:
        check_name(self.kind, "kind of support")
        check_numbers(self, f"{self.kind} support")


@dataclass(frozen=True, kw_only=True, eq=False)
class Member(Value):
    """One member of an alliance, other than the one attacked.

    Attributes
    ----------
    name : str
        Unique in its game.
    capability : array_like, shape (...)
        K, what it can bring; >= 0, in brigades (or any one unit of strength).
    delay : array_like
        d, days until it can be there; >= 0.
    stake : array_like
        s, what it thinks it loses if the target falls (its threat perception); >= 0, in its units of utility.
    cost : Distribution
        Private cost of fighting, in the same units; low means resolute.
    obligation : array_like
        r, cost of staying out once the treaty is invoked; >= 0.
    bilateral : array_like
        h, cost of staying out under a bilateral guarantee, invoked or not; >= 0.
    forward : array_like
        f, strength stationed with the target, which fights from the start; >= 0, in units of strength.
    recognition : array_like or mapping of str to array_like
        e, probability in [0, 1] that it sees an attack as an armed attack; by kind of attack if a mapping.
    days_per_unit : array_like
        l, days that lift needs for each unit of strength, so that all of it is there d + l K days after the
        order: the inverse of strength per day; >= 0, 0 if all arrives at once.
    support : Support
        What kind of help it would give: military by default.
    opt_out : array_like
        o, share in [0, 1] of the treaty's obligation from which it has reserved itself.
    audience : array_like
        u, cost of staying out before its own public once the treaty is invoked; >= 0.
    opposition : array_like
        p, cost of assisting that its domestic opposition exacts; >= 0.
    false_alarm : array_like or mapping of str to array_like
        Probability in [0, 1] that it takes an incident that is no attack for one; by the kind of attack that the
        incident looks like if a mapping.
    rapid : array_like
        What part of its capability is held at high readiness; >= 0, in units of strength (all of it if more). It
        arrives at once ``rapid_delay`` days after the order; the rest follows by ``delay`` and ``days_per_unit``.
    rapid_delay : array_like
        Days until the part at high readiness is there; >= 0.
    bias : array_like
        beta in [0, 1], how strong an answer it wants beyond what the severity of the case warrants (severity runs
        from 0 to 1); only differences between members count. See ``alliances.cheap_talk``.

    Notes
    -----
    A member has one kind of support, chosen before it learns its cost (``support``). A choice among kinds after it
    knows its cost would make its contribution a variable of more than two values, for which the solvers here have no
    certificate; enter such a member as the kind that it would give.

    Raises
    ------
    ParameterError
        If a number is out of its range; the message names the member and the field.
    """

    name: str
    capability: Any = number(
        0.0, required=True, unit="strength", meaning="what it can bring, in units of strength", group="forces"
    )
    delay: Any = number(0.0, required=True, unit="days", meaning="days until it can be there", group="forces")
    stake: Any = number(
        0.0,
        required=True,
        unit="utility",
        meaning="what it thinks it loses if the target falls: its threat perception",
        group="resolve",
    )
    cost: Distribution = field(default_factory=Distribution)
    obligation: Any = number(
        0.0, unit="utility", meaning="cost of staying out once the treaty is invoked", group="resolve"
    )
    bilateral: Any = number(
        0.0,
        unit="utility",
        meaning="cost of staying out under a bilateral guarantee, invoked or not",
        group="resolve",
    )
    forward: Any = number(0.0, unit="strength", meaning="strength stationed with the target", group="forces")
    recognition: Any = number(
        1.0,
        high=1.0,
        by_attack=True,
        unit="probability",
        meaning="probability that it sees an attack as one; a number, or a table by kind of attack",
        group="treaty and recognition",
    )
    days_per_unit: Any = number(
        0.0, unit="days per unit", meaning="days that lift needs for each unit of strength", group="forces"
    )
    support: Support = field(default_factory=lambda: Support())
    opt_out: Any = number(
        0.0,
        high=1.0,
        unit="share",
        meaning="share of the treaty's obligation from which it has reserved itself",
        group="resolve",
    )
    audience: Any = number(
        0.0,
        unit="utility",
        meaning="cost of staying out before its own public, once the treaty is invoked",
        group="resolve",
    )
    opposition: Any = number(
        0.0, unit="utility", meaning="cost of assisting that its domestic opposition exacts", group="resolve"
    )
    false_alarm: Any = number(
        0.0,
        high=1.0,
        by_attack=True,
        unit="probability",
        meaning="probability that it takes an incident for an attack; a number, or a table by kind of attack",
        group="treaty and recognition",
    )
    rapid: Any = number(
        0.0, unit="strength", meaning="part of its capability at high readiness, in units of strength", group="forces"
    )
    rapid_delay: Any = number(
        0.0, unit="days", meaning="days until the part at high readiness is there", group="forces"
    )
    bias: Any = number(
        0.0,
        high=1.0,
        unit="severity",
        meaning="how strong an answer it wants beyond what the case warrants; for cheap talk",
        group="treaty and recognition",
    )

    def __post_init__(self) -> None:
        check_name(self.name, "member")
        check_numbers(self, self.name)
        if not isinstance(self.support, Support):
            raise ParameterError(f"support of {self.name} must be a Support, got {self.support!r}")
        if not isinstance(self.cost, Distribution):
            raise ParameterError(
                f"cost of {self.name} must be a Distribution, got {type(self.cost).__name__} {self.cost!r}"
            )

    def recognises(self, attack: str) -> Any:
        """Return the probability that it sees an attack of this kind as an armed attack.

        Raises
        ------
        GameError
            If its recognition is given by kind of attack and this kind is not among them.
        """
        return self._by_attack("recognition", attack)

    def mistakes(self, attack: str) -> Any:
        """Return the probability that it takes an incident that looks like this kind of attack for one.

        Raises
        ------
        GameError
            If its false alarms are given by kind of attack and this kind is not among them.
        """
        return self._by_attack("false_alarm", attack)

    def _by_attack(self, key: str, attack: str) -> Any:
        value = getattr(self, key)
        if not isinstance(value, Mapping):
            return value
        if attack not in value:
            what = key.replace("_", " ")
            raise GameError(f"{what} of {self.name} has no attack {attack!r}; it has {', '.join(map(repr, value))}")
        return value[attack]

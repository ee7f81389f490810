r"""The cursed offer: bilateral trade under adverse selection (Eyster and Rabin 2005).

A partner knows the value v of a deal to itself, uniform on [0, 1]; to the one who makes the offer the deal is worth
alpha v. The offerer offers x, and the partner accepts iff v <= x. So acceptance is bad news, of which a chi-cursed
offerer takes the share 1 - chi into account: with the weight chi it thinks that those who accept are like all others.
All is in units of the partner's highest value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.games.continuous import Best, ContinuousGame, Given, Mean, Uniform
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model

PARAMETERS = (
    Parameter("alpha", 1.5, 0, 2, "ratio", "value of the deal to the offerer, per unit of the partner's"),
    Parameter("chi", 0.5, 0, 1, "share", "how cursed the offerer is"),
)
VALUES = Uniform(0.0, 1.0)


def cursed_bargain() -> Model:
    """Return the model."""
    return Model(
        "CEQ",
        offer_game,
        PARAMETERS,
        ("accepted",),
        "Eyster and Rabin 2005",
        title="Cursed offer under adverse selection",
        mechanism="who neglects that acceptance is bad news offers too much, and loses by it",
        concept="cutpoints",
        confidence="A",
        requires=("alpha < 2",),
        closed_form=offer,
        read=read_offer,
        formulas={
            "offer": r"x = \min\Bigl(1, \frac{\chi \alpha / 2}{2 - (1 - \chi) \alpha}\Bigr)",
            "perceived payoff": r"x \bigl[(1 - \chi) \alpha x / 2 + \chi \alpha / 2 - x\bigr]",
            "true payoff": r"x (\alpha x / 2 - x)",
        },
    )


def offer_game(alpha: float, chi: float) -> ContinuousGame:
    """Return the search for the offer that the cursed offerer likes best, and what it gets in truth."""

    def perceived(x: Any, known: Mapping[str, Any]) -> Any:
        """Return the chance of acceptance times what the deal is thought to be worth then, less the offer."""
        accepted = VALUES.cdf(x)
        of_those = VALUES.ppf(accepted / 2)  # uniform types: the mean of a range is its median
        return accepted * ((1 - chi) * alpha * of_those + chi * alpha * known["mean_value"] - x)

    def too_much(known: Mapping[str, Any]) -> float:
        """Return an offer, one or a power of 1/2, of which even the half seems to lose, if there is one."""
        x = 1.0
        while x > 2.0**-40 and perceived(x / 2, known) < 0:
            x /= 2
        return x

    return ContinuousGame(("Offerer",), {
        "mean_value": Mean(lambda v, _: v, VALUES),
        "offer": Best(perceived, 0, too_much),
        "P_accepted": Given(lambda known: float(VALUES.cdf(known["offer"]))),
        "true_payoff": Mean(lambda v, known: alpha * v - known["offer"], VALUES, high=lambda known: known["offer"]),
    })  # fmt: skip


def offer(alpha: float, chi: float) -> dict[str, Any]:
    """Return the offer, what the offerer thinks it gets by it and what it does get."""
    x = min(1.0, chi * alpha / 2 / (2 - (1 - chi) * alpha))
    thought = x * ((1 - chi) * alpha * x / 2 + chi * alpha / 2 - x)
    return {"offer": x, "true_payoff": x * (alpha * x / 2 - x), "perceived_payoff": thought, "P_accepted": x}


def read_offer(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the search."""
    (found,) = solutions
    kept = ("offer", "true_payoff", "P_accepted")
    return {**{name: found[name] for name in kept}, "perceived_payoff": found["offer:payoff"]}

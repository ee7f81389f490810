"""What results of the collective-defence game mean: which threshold is which, what strength counts, who agrees when."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.integrate import quad

import deterrence as dt
from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.attacks import AttackOption
from deterrence.games.distributions import degenerate, uniform


def allies(*capabilities: float, cost: object, **member: object) -> dt.CollectiveDefence:
    """Allies who all must come to hold, against an aggressor that pays one per unit of strength that it meets."""
    members = tuple(
        dt.Member(name=f"m{i}", capability=x, delay=0, stake=0.5, cost=cost, **member)
        for i, x in enumerate(capabilities)
    )
    attack = AttackOption(name="attack", strength=0.75 * sum(capabilities), window=30)
    aggressor = Aggressor(prize=uniform(0.0, 2.0), punishment=1.0)
    return dt.CollectiveDefence(members=members, attacks=(attack,), decisiveness=400.0, aggressor=aggressor)


def test_thresholds_of_attack_are_in_the_order_of_participation():
    """Costs of 0.4 against an obligation of 0.2, and 0.2 + 0.5 if the other comes: nobody comes, or both do.

    Nobody: every prize is worth an attack. Both: the defence holds, and none is. More participation deters more.
    """
    found = allies(1, 1, cost=degenerate(0.4), obligation=0.2).attack_probabilities()
    lowest, highest = (float(x) for x in found.thresholds)
    assert lowest == pytest.approx(0, abs=1e-9)
    assert highest == np.inf
    assert found.likelihood == pytest.approx((0, 1))


def test_strength_that_is_invoked_weighs_members_by_their_capability():
    """Stakes of nothing: each comes iff its uniform cost is below its obligation, 0.3, so 0.3 (3 + 1) is expected."""
    game = allies(3, 1, cost=uniform(0.0, 1.0), obligation=0.3).at(**{"members.*.stake": 0.0})
    assert game.response().strength_invoked == pytest.approx(np.full((2, 1), 0.3 * (3 + 1)))


COUNCIL = """
schema_version = 1
name = "council"
title = "Three equal allies"
defence = { base = 2, decisiveness = 2 }
treaty = { rule = RULE, consultation = 4, deliberation = 2 }
aggressor = { punishment = 0.04, prize = { family = "uniform", location = 0, scale = 1.5 } }
attacks = [{ name = "full", strength = 5, window = 12, share = 1, cost = 0.1 }]
"""
MEMBER = """
[[members]]
name = "NAME"
capability = 1
delay = 3
stake = 1
cost = { family = "uniform", location = 0, scale = 2 }
"""


@pytest.mark.parametrize(("rule", "agreeing"), [('"unanimity"', 3), ('"majority"', 2), ("{ threshold = 1 }", 1)])
def test_days_until_the_council_agrees_are_the_mean_of_an_order_statistic(rule, agreeing):
    r"""The k-th of n exponential times: :math:`E[T] = \int_0^\infty P(T > t) dt`, fewer than k having agreed by t."""
    n, mean, consultation, delay = 3, 2.0, 4.0, 3.0

    def not_yet(t: float) -> float:
        done = 1 - np.exp(-t / mean)
        return float(sum(comb(n, j) * done**j * (1 - done) ** (n - j) for j in range(agreeing)))

    text = COUNCIL.replace("RULE", rule) + "".join(MEMBER.replace("NAME", name) for name in "ABC")
    assessment = dt.Scenario.loads(text).assess()
    days = consultation + quad(not_yet, 0, 200)[0] + delay
    assert [member.days for member in assessment.members] == pytest.approx([days] * 3, abs=1e-6)

"""Comparisons of any two scenarios: events in common, what a variant changed, contributions over draws."""

from __future__ import annotations

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.scenarios.uncertainty import uncertain_numbers

TEXT = dt.Scenario.load("textbook").text
BOTH = """
[variants.both]
mechanism = "m"
isolates = "Two numbers and a belief."
changes = { loss = 1.5, "attacks.full.cost" = 0.1 }
perception = { Aggressor = { resolve = 0.5 } }
"""


def likelihood(loss: float, perceived: float, cost: float = 0.0) -> float:
    """P(v (1 - q') > loss q' + cost), v uniform on [0, 2]."""
    return float(np.clip(1 - (loss * perceived + cost) / (1 - perceived) / 2, 0, 1))


def test_a_variant_is_explained_by_what_it_changes_by_hand():
    before = dt.Scenario.loads(TEXT + BOTH)
    found = dt.compare_scenarios(before, before.variant("both"))
    parts = {c.group: c for c in found.contributions}
    assert set(parts) == {"loss", "attacks.full.cost", "what Aggressor perceives"}

    def f(*changed: str) -> float:
        loss = 1.5 if "loss" in changed else 1.0
        return likelihood(loss, 0.5 if "what" in changed else 0.4, 0.1 if "cost" in changed else 0.0)

    # three players: the value of "what" from its marginal contributions in all orders
    what = (
        2 * (f("what") - f()) + (f("what", "loss") - f("loss")) + (f("what", "cost") - f("cost"))
        + 2 * (f("what", "loss", "cost") - f("loss", "cost"))
    ) / 6  # fmt: skip
    assert parts["what Aggressor perceives"].shapley == pytest.approx(what, abs=1e-9)
    assert sum(c.shapley for c in found.contributions) == pytest.approx(found.change, abs=1e-12)
    assert parts["loss"].alone == pytest.approx(f("loss") - f(), abs=1e-9)


def test_contributions_over_draws_sum_to_the_difference_at_every_draw():
    before = dt.Scenario.loads(TEXT + BOTH)
    found = dt.compare_scenarios(before, before.variant("both"), draws=16, seed=1, explain=True)
    assert found.difference is not None
    total = sum(c.over_draws for c in found.contributions if c.over_draws is not None)
    assert total == pytest.approx((found.difference.low + found.difference.high) / 2, abs=1e-12)
    assert "over draws" in str(found)
    told = found.to_dict()
    assert all(len(c["middle_half"]) == 2 for c in told["contributions"])
    assert list(told["differences"]) == list(before.events)


def test_scenarios_with_other_attacks_and_members_are_compared_by_events_in_common():
    found = dt.compare_scenarios("textbook", "ukraine-2022", draws=4, seed=1)
    names = [set(dt.Scenario.load(name).events) for name in ("textbook", "ukraine-2022")]
    assert set(found.differences) == names[0] & names[1]
    assert "attack" in found.differences
    assert sum(c.shapley for c in found.contributions) == pytest.approx(found.change, abs=1e-12)
    assert len(found.contributions) >= 1
    with pytest.raises(dt.GameError, match=r"no event 'seizure' in .*events in common are attack, .*refrain"):
        dt.compare_scenarios("textbook", "crimea-2014", draws=4, event="seizure")


def test_draws_that_are_explained_have_to_be_asked_for():
    with pytest.raises(dt.ParameterError, match="explain=True is of draws; say how many"):
        dt.compare_scenarios("textbook", "textbook", explain=True)


def test_a_number_of_a_kind_of_support_is_drawn():
    """In ukraine-2022 the strength of aid is arithmetic on a parameter, and no path of the game begins with it."""
    names = [number.name for number in uncertain_numbers(dt.Scenario.load("ukraine-2022"))]
    assert "support.aid.strength" in names

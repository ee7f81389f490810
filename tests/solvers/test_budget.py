"""Work budgets: what is counted, what ends a search, what is said of it."""

from __future__ import annotations

import pytest

from deterrence.games.errors import ParameterError
from deterrence.solvers.budget import Budget


def test_units_are_refused_once_they_are_spent():
    budget = Budget("nash", limit=10, unit="supports")
    assert budget.spend(7)
    assert not budget.spend(4)
    assert not budget.spend(1)  # ended is ended, or what is left out would have holes
    assert budget.ended
    assert budget.spent == 7
    assert budget.reason == "limit=10 supports"


def test_seconds_are_kept(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("deterrence.solvers.budget.time.monotonic", lambda: now[0])
    budget = Budget("nash", time_limit=2.0)
    assert budget.spend(10**9)
    now[0] += 1.9
    assert budget.spend()
    now[0] += 0.2
    assert not budget.spend()
    assert budget.reason == "time_limit=2 seconds"


def test_what_was_left_out_stands_in_the_options():
    budget = Budget("nash", limit=1)
    assert "unsearched" not in budget.options()
    budget.skip("supports of 3 by 3 strategies")
    budget.skip("supports of 3 by 3 strategies")
    assert budget.options()["unsearched"] == ("supports of 3 by 3 strategies",)


@pytest.mark.parametrize(("bounds", "match"), [({"limit": 0}, "limit must"), ({"time_limit": -1.0}, "time_limit must")])
def test_bounds_must_be_positive(bounds, match):
    with pytest.raises(ParameterError, match=match):
        Budget("nash", **bounds)

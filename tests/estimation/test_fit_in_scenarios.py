"""From data to a likelihood of attack: estimates as the source of a scenario's numbers, with their covariance."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest

import deterrence as dt
from tests.estimation.test_fit_participation import OPTIONS, alliance, crises
from tests.estimation.tree_games import SPEC, crisis, simulated

SCENARIO = """
schema_version = 1
name = "two-allies"
title = "Two allies whose costs of fighting were estimated"
description = "A target with two allies."
shows = "That a number may come from a fit."
does_not_show = "Anything about a real alliance."

[sources]
DATA = "the crises of this test"

[defence]
base = {{ value = 2, source = "DATA" }}
decisiveness = {{ value = 2, source = "DATA" }}

[aggressor]
name = "Aggressor"
prize = {{ family = "normal", location = {{ value = 1, source = "DATA" }}, scale = {{ value = 1, source = "DATA" }} }}

[[attacks]]
name = "full"
strength = {{ value = 6, source = "DATA" }}
window = {{ value = 30, source = "DATA" }}
share = {{ value = 1, source = "DATA" }}
cost = {{ value = 0.3, source = "DATA" }}

[[members]]
name = "Ana"
capability = {{ value = 4, source = "DATA" }}
delay = {{ value = 0, source = "DATA" }}
stake = {{ value = 2, source = "DATA" }}
cost = {{ family = "normal", location = {Ana}, scale = {{ value = 0.7, source = "DATA" }} }}

[[members]]
name = "Bor"
capability = {{ value = 3, source = "DATA" }}
delay = {{ value = 0, source = "DATA" }}
stake = {{ value = 3, source = "DATA" }}
cost = {{ family = "normal", location = {Bor}, scale = {{ value = 0.7, source = "DATA" }} }}

{uncertainty}
"""
NUMBERS = {"members.Ana.cost.location": "cost:Intercept", "members.Bor.cost.location": "cost:x"}


@pytest.fixture(scope="module")
def fit():
    return dt.fit(alliance(), crises(150, 1), **OPTIONS, starts=1)


def scenario(folder, fit, numbers):
    """Return the scenario that takes its costs from the saved fit."""
    fit.save(folder / "costs.json", overwrite=True)
    entries = {
        name: fit.parameter(numbers[f"members.{name}.cost.location"]).to_toml("costs.json") for name in ("Ana", "Bor")
    }
    written = fit.scenario_numbers(numbers, "costs.json")
    uncertainty = written[written.index("[uncertainty]") :]
    assert all(entry in written for entry in entries.values())
    (folder / "allies.toml").write_text(SCENARIO.format(**entries, uncertainty=uncertainty), "utf-8")
    return dt.Scenario.load(folder / "allies.toml")


def test_from_data_to_an_assessment(fit, tmp_path):
    """The numbers that a scenario draws have the estimates' mean, errors and correlation; the assessment follows."""
    loaded = scenario(tmp_path, fit, NUMBERS)
    assert loaded.table.members[0].cost.location.value == pytest.approx(fit.params["cost:Intercept"])
    found = loaded.assess(draws=1024, seed=3)
    places = [i for i, n in enumerate(found.uncertainty.numbers) if n.name in NUMBERS or "cost.location" in n.name]
    drawn = found.uncertainty.inputs[:, places]
    assert drawn.shape == (1024, 2)
    assert drawn.mean(axis=0) == pytest.approx(fit.theta[:2], abs=0.02)
    assert drawn.std(axis=0) == pytest.approx(fit.bse.to_numpy()[:2], rel=0.05)
    own = fit.covariance[0, 1] / np.sqrt(fit.covariance[0, 0] * fit.covariance[1, 1])
    assert abs(own) > 0.1
    assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(own, abs=0.06)
    low, high = found.uncertainty.interval()["attack"]
    assert 0 <= low < high <= 1


def test_a_saved_fit_says_what_the_fit_says(fit, tmp_path):
    fit.save(tmp_path / "costs.json")
    told = json.loads((tmp_path / "costs.json").read_text("utf-8"))
    assert told["status"] == "converged"
    assert told["parameters"]["cost:x"]["estimate"] == fit.params["cost:x"]
    assert np.array(told["covariance"]) == pytest.approx(fit.covariance)
    with pytest.raises(FileExistsError, match=r"costs\.json"):
        fit.save(tmp_path / "costs.json")


def test_an_entry_can_be_written_out(fit):
    estimate = fit.parameter("cost:x")
    entry = tomllib.loads(f"location = {estimate.to_toml()}")["location"]
    assert (entry["value"], entry["standard_error"]) == (estimate.value, estimate.error)
    assert "450 observations" in entry["note"]
    assert estimate.covariance["cost:x"] == pytest.approx(estimate.error**2)
    assert estimate.covariance["cost:Intercept"] == pytest.approx(fit.covariance[0, 1])


def test_slips_are_named(fit):
    with pytest.raises(dt.ParameterError, match="no parameter 'cost:z'"):
        fit.scenario_numbers({"members.Ana.stake": "cost:z"}, "costs.json")
    with pytest.raises(dt.ParameterError, match="got none"):
        fit.scenario_numbers({}, "costs.json")
    data = simulated(60, 7)
    lost = dt.fit(crisis(), data.assign(z=data.outcome == "war"), outcome="outcome", utilities=SPEC, starts=1)
    assert not lost.converged
    with pytest.raises(dt.ParameterError, match="has no estimate with an error"):
        lost.parameter(lost.names[-1]).to_toml("lost.json")

"""Names of an earlier release: each still works for one release, warns, and says the present name."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest

import deterrence as dt
from deterrence.perception.detection import warning_threshold

MOVED = {
    "deterrence.perception.learning": {
        "observe": "deterrence.perception.indicators",
        "signal_detection": "deterrence.perception.detection",
        "warning_threshold": "deterrence.perception.detection",
    },
    "deterrence.perception.views": {
        "View": "deterrence.perception.belief_hierarchy",
        "source_of": "deterrence.perception.belief_hierarchy",
    },
    "deterrence.alliances.warning": {"detection": "deterrence.perception.detection"},
}
PRESENT = {"View": "SubjectiveGame", "source_of": "parametric_game", "detection": "warning_threshold"}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in MOVED.items() for name in names])
def test_names_of_a_module_that_moved_are_found_where_they_were(module, name):
    place, present = MOVED[module][name], PRESENT.get(name, name)
    with pytest.warns(DeprecationWarning, match=f"'{name}' of {module} is now '{place}.{present}'"):
        old = getattr(importlib.import_module(module), name)
    assert old is getattr(importlib.import_module(place), present)


def test_a_module_that_moved_has_no_other_names():
    with pytest.raises(AttributeError, match=r"learning' has no attribute 'obsevre'"):
        importlib.import_module("deterrence.perception.learning").obsevre  # noqa: B018


def test_the_sensitivity_of_a_warning_may_be_given_by_its_old_keyword():
    with pytest.warns(DeprecationWarning, match="'sensitivity' of warning_threshold is now 'd_prime'"):
        old = warning_threshold(prior=0.2, cost_miss=3.0, cost_false=1.0, sensitivity=1.5)
    assert old == warning_threshold(0.2, 3.0, 1.0, 1.5)


def test_the_belief_in_an_event_has_its_old_name():
    p = dt.symbols("p")
    root = dt.chance({"firm": (p, dt.end("war", A=1)), "weak": (1 - p, dt.end("peace", A=0))})
    outcome = dt.subjective(dt.ExtensiveGame(("A",), root), truth={"p": 0.7}, beliefs={"A": {"p": 0.2}})
    with pytest.warns(DeprecationWarning, match="'believed' of SubjectiveOutcome is now 'belief'"):
        assert outcome.believed("A", "war") == outcome.belief("A", "war") == pytest.approx((0.2, 0.2))


def test_data_simulated_by_a_likelihood_has_its_old_name():
    game = dt.StrategicGame([[1.0], [0.0]], [[0.0], [0.0]])
    frame = pd.DataFrame({"r1": [80], "r2": [20]})
    likelihood = dt.fit(game, frame, outcome={"Row": {"1": "r1", "2": "r2"}}).likelihood
    theta = np.ones(len(likelihood.names))
    with pytest.warns(DeprecationWarning, match="'drawn' of .*Likelihood is now 'simulate'"):
        old = likelihood.drawn(theta, np.random.default_rng(1))
    assert old.outcome_frame().equals(likelihood.simulate(theta, np.random.default_rng(1)).outcome_frame())

"""Pictures of uncertainty and of decisions: what they draw, and that they can be read."""

from __future__ import annotations

import io

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.scenarios.uncertainty import draw_uncertainty
from deterrence.plotting.style import SMALLEST
from deterrence.plotting.uncertainty_charts import density

OPTIONS = """
[options.believed]
changes = { "perception.Aggressor.resolve" = 0.5 }
cost = 1
unit = "euros"
[options.dearer]
changes = { loss = "+0.5" }
cost = 2
unit = "euros"
"""
DRAWS = 40


@pytest.fixture(scope="module")
def scenario():
    return dt.Scenario.loads(dt.Scenario.load("textbook").text + OPTIONS)


@pytest.fixture(scope="module")
def uncertainty(scenario):
    return draw_uncertainty(scenario, draws=DRAWS, seed=1)


@pytest.fixture(scope="module")
def decision(scenario):
    return scenario.decide(draws=DRAWS, seed=1)


UNCERTAINTY = ("density", "dots", "tornado", "scatter", "ecdf")
DECISION = ("front", "per cost", "regret", "satisficing", "information")


@pytest.mark.parametrize("kind", [*UNCERTAINTY, *DECISION])
def test_each_picture_can_be_saved_and_its_text_read(uncertainty, decision, kind: str):
    ax = (uncertainty if kind in UNCERTAINTY else decision).plot(kind)
    ax.figure.savefig(io.BytesIO(), format="png", dpi=60)
    ax.figure.draw_without_rendering()
    legend = ax.get_legend()
    texts = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.get_yticklabels(), *(legend.get_texts() if legend else ())]
    box = ax.figure.bbox
    for text in texts:
        if text.get_text():
            assert text.get_fontsize() >= SMALLEST
            place = text.get_window_extent()
            assert box.x0 - 1 <= place.x0 < place.x1 <= box.x1 + 1, text.get_text()


def test_a_density_has_mass_one_on_the_unit_interval():
    grid = np.linspace(0, 1, 2001)
    for values in (np.full(50, 0.0), np.linspace(0, 1, 50), np.array([0.02] * 30 + [0.97] * 20)):
        assert np.trapezoid(density(values, grid), grid) == pytest.approx(1, abs=5e-3)


def test_dots_stand_at_quantiles(uncertainty):
    ax = uncertainty.plot("dots", count=20)
    (dots,) = ax.collections
    columns = np.sort(dots.get_offsets()[:, 0])
    middle = (uncertainty.low["attack"] + uncertainty.high["attack"]) / 2
    assert np.abs(columns - np.quantile(middle, (np.arange(20) + 0.5) / 20)).max() <= 0.5 / 25 + 1e-12


def test_a_tornado_runs_from_the_file_s_own_value_to_the_ends_of_each_number(uncertainty):
    ax = uncertainty.plot("tornado")
    table = uncertainty.drivers(total=0).sort_values("swing", ascending=False, kind="stable")
    low, high = ax.containers
    assert [bar.get_x() + bar.get_width() for bar in low] == pytest.approx(table["at_5"].tolist())
    assert [bar.get_x() + bar.get_width() for bar in high] == pytest.approx(table["at_95"].tolist())
    assert [label.get_text() for label in ax.get_yticklabels()] == list(table.index)


def test_a_scatter_is_of_the_two_numbers_that_explain_most_or_of_those_asked_for(uncertainty):
    ax = uncertainty.plot("scatter", numbers=["parameters.resolve", "parameters.loss"])
    names = [number.name for number in uncertainty.numbers]
    x, y = (uncertainty.inputs[:, names.index(name)] for name in ("parameters.resolve", "parameters.loss"))
    assert ax.collections[0].get_offsets().tolist() == np.column_stack([x, y]).tolist()
    assert uncertainty.plot("scatter").get_xlabel() == uncertainty.drivers(total=0)["first"].idxmax()


def test_the_distribution_of_a_variant_is_drawn_beside_its_own(uncertainty):
    ax = uncertainty.plot("ecdf", variants=["half-believed"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["textbook", "half-believed"]
    for line in ax.lines:
        assert (np.diff(line.get_xdata()) >= 0).all()
        assert line.get_ydata()[-1] == 1


def test_the_front_is_that_of_the_decision(decision):
    ax = decision.plot("front")
    (line,) = ax.lines
    front = list(decision.front())
    assert line.get_xdata().tolist() == decision.mean_cost[front].tolist()
    assert len(ax.collections[0].get_offsets()) == len(decision.policies)


def test_the_curves_of_satisficing_are_shares_of_draws(decision):
    ax = decision.plot("satisficing")
    chance = decision.likelihood()[0]
    levels, shares = ax.lines[0].get_data()
    assert shares.tolist() == [float((chance < level).mean()) for level in levels]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "densitty"}, "no picture 'densitty'; there are density.*did you mean 'density'"),
        ({"kind": "density", "most": 3}, "the picture 'density' has no option 'most'; it has none"),
        ({"kind": "dots", "count": 1}, "count of dots is a whole number from 2"),
        ({"kind": "scatter", "numbers": ["parameters.loss"]}, "a scatter is of two numbers, got 1"),
        ({"kind": "scatter", "numbers": ["parameters.los", "x"]}, "no number 'parameters.los' is drawn.*mean"),
    ],
)
def test_what_no_picture_can_be_made_of_is_refused(uncertainty, options, message: str):
    with pytest.raises(dt.ParameterError, match=message):
        uncertainty.plot(**options)


def test_events_and_costs_that_there_are_not_are_refused(uncertainty, scenario):
    with pytest.raises(dt.GameError, match="no event 'peace'"):
        uncertainty.plot(event="peace")
    free = dt.Scenario.loads(dt.Scenario.load("textbook").text + "[options.a]\nchanges = { base = 1 }")
    with pytest.raises(dt.ParameterError, match="no policy has a cost"):
        free.decide(draws=4).plot("per cost")

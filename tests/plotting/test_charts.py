"""Figures: what they draw, and that it can be read by everyone."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest

from deterrence.games.errors import ParameterError
from deterrence.plotting.curves import curve
from deterrence.plotting.maps import heat_map, phase_map, phases_of
from deterrence.plotting.multiples import small_multiples
from deterrence.plotting.style import AREAS, HATCHES, LINES, SMALLEST, ink_on, lightness
from deterrence.plotting.tornado_charts import index_chart, tornado
from deterrence.sweeps import influence, sobol_indices
from deterrence.sweeps.sweep import sweep
from tests.sweep_games import Formula, grid, posture_game

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def result():
    return sweep(posture_game(), grid(31), **QUIET)


@pytest.fixture(scope="module")
def swings():
    return influence(Formula(), {"a": 0.5, "b": 0.4}, {"a": (0, 1), "b": (0.3, 0.5)}, **QUIET)


@pytest.fixture(scope="module")
def indices():
    return sobol_indices(Formula(), {"a": (0, 1), "b": (0.3, 0.5)}, samples=64, seed=0, **QUIET)


def drawn(figure) -> bytes:
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=60)
    return raw.getvalue()


def every_figure(result, swings, indices):
    along_p = result.isel(c=3)
    return {
        "curve": curve(along_p, title="A title"),
        "curves": curve(result.isel(c=[1, 9, 20]), by="c"),
        "phases": phase_map(result),
        "heat": heat_map(result),
        "tornado": tornado(swings),
        "indices": index_chart(indices),
        "multiples": small_multiples(result.isel(c=[1, 9, 20, 30]), curve, over="c")[0],
    }


def test_every_figure_can_be_saved_and_its_text_read(result, swings, indices):
    from matplotlib.text import Text

    for name, ax in every_figure(result, swings, indices).items():
        assert len(drawn(ax.figure)) > 3000, name
        texts = [t for t in ax.figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
        assert texts
        assert min(t.get_fontsize() for t in texts) >= SMALLEST, name
        assert ax.get_xlabel() or name == "multiples"


def test_neighbouring_areas_differ_in_grey_and_ink_can_be_read_on_them():
    light = [lightness(colour) for colour in AREAS]
    assert light == sorted(light, reverse=True)
    assert all((a + 0.05) / (b + 0.05) > 1.2 for a, b in pairwise(light))
    for colour in AREAS:
        ink = 0.0 if ink_on(colour) == "black" else 1.0
        high, low = max(ink, lightness(colour)), min(ink, lightness(colour))
        assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG AA
    assert len(HATCHES) == len(AREAS)
    assert len(set(LINES)) == len(LINES)


def test_a_phase_map_draws_the_phases_of_the_result(result):
    codes, names = phases_of(result)
    for index in ((2, 3), (25, 4), (25, 28), (4, 20)):
        here = result.isel(p=index[0], c=index[1])
        kinds = {here[n].attrs["kind"] for n in here.data_vars if "kind" in here[n].attrs and here[n]}
        assert set(names[codes[index]].split(" + ")) == kinds
    counts = np.bincount(codes.ravel())
    assert counts.tolist() == sorted(counts, reverse=True)
    ax = phase_map(result, x="p", y="c")
    mesh = ax.collections[0]
    assert np.array_equal(np.asarray(mesh.get_array()).reshape(31, 31), codes.T)
    labels = [t.get_text() for t in ax.figure.legends[0].get_texts()]
    assert labels == [f"{i + 1}  {name}" for i, name in enumerate(names)]


def test_levels_make_phases_in_their_order():
    result = sweep(Formula(), {"a": np.linspace(0, 1, 11), "b": np.linspace(0.01, 1, 11)}, **QUIET).drop_vars(
        "kind_high"
    )
    codes, names = phases_of(result, (0.5, 0.25))
    assert names == ("P(attack) <= 0.25", "0.25 < P(attack) <= 0.5", "0.5 < P(attack)")
    assert np.array_equal(codes, np.digitize(result.attack_high.values, [0.25, 0.5], right=True))
    labels = [t.get_text() for t in phase_map(result, levels=(0.25, 0.5)).figure.legends[0].get_texts()]
    assert labels[2] == "3  0.5 < P(attack)"


def test_maps_side_by_side_share_their_phases():
    over = {"p": np.linspace(0.05, 0.95, 12), "c": np.linspace(0.05, 1.9, 12)}
    results = [sweep(posture_game(), over, event=event, **QUIET) for event in ("attack", "refrain")]
    import xarray as xr

    both = xr.concat(results[:1] * 2, dim="copy").assign_coords(copy=[0.0, 1.0])
    left, right = small_multiples(both, phase_map, over="copy")
    assert np.array_equal(left.collections[0].get_array(), right.collections[0].get_array())
    assert len(left.figure.legends) == 1
    with pytest.raises(ParameterError, match="phases must name"):
        phase_map(results[0], phases=["separating"])


def test_points_without_an_answer_are_a_phase_of_their_own():
    result = sweep(posture_game(), {"p": np.linspace(-0.5, 0.9, 8), "c": [0.1, 0.9]}, **QUIET)
    codes, names = phases_of(result)
    assert (np.array(names)[codes] == "no answer").tolist() == (result.status.values > 0).tolist()
    phase_map(result)


def test_a_curve_draws_the_range(result):
    ax = curve(result.isel(c=3))
    x, y = ax.lines[-1].get_data()
    assert x.tolist() == result.p.values.tolist()
    assert y.tolist() == result.attack_high.isel(c=3).values.tolist()
    assert ax.lines[0].get_ydata().tolist() == result.attack_low.isel(c=3).values.tolist()
    assert ax.collections, "no band"


def test_a_tornado_has_bars_from_the_base_to_the_ends(swings):
    ax = tornado(swings)
    ends = sorted(round(bar.get_x() + bar.get_width(), 9) for bar in ax.patches)
    assert ends == [0.0, 0.15, 0.25, 0.4]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]


def test_figures_go_into_axes_that_are_given(result, swings, indices):
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(2, 2)
    for ax, (draw, data) in zip(
        axes.flat,
        [(phase_map, result), (curve, result.isel(c=0)), (tornado, swings), (index_chart, indices)],
        strict=True,
    ):
        assert draw(data, ax=ax) is ax


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda r: curve(r), "a curve needs one dimension"),
        (lambda r: curve(r, by="c"), "at most 7 lines"),
        (lambda r: curve(r.isel(c=0), event="war"), "no event 'war'"),
        (lambda r: phase_map(r.isel(c=0)), "a map needs two dimensions"),
        (lambda r: phase_map(r, x="q"), "the result has the dimensions p, c"),
        (lambda r: heat_map(r, variable="war_high"), "no variable 'war_high'"),
        (lambda r: small_multiples(r, curve, over="q"), "no dimension 'q'"),
        (lambda r: tornado(r), "needs the result of influence"),
        (lambda r: index_chart(r), "needs the result of sobol_indices"),
    ],
)
def test_what_cannot_be_drawn_is_refused(result, act, message):
    with pytest.raises(ParameterError, match=message):
        act(result)

"""What is learnt from sweeps: Sobol' indices, failing regions, boundaries, tipping points, differences, files."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import deterrence as dt
from deterrence.games.answers import BlockAnswer
from deterrence.games.errors import ParameterError, ScenarioError
from deterrence.sweeps import (
    Study,
    compare,
    discover,
    indices_of,
    influence,
    load,
    phase_boundaries,
    saltelli,
    sobol_indices,
    tipping_points,
    to_parquet,
    write_dataset,
)
from deterrence.sweeps.sweep import sweep
from tests.sweep_games import Formula, grid, posture_game, same

QUIET = {"progress": False}


class Function(Formula):
    """Answers with any function of the values."""

    def __init__(self, function, names):
        super().__init__()
        self.function, self.sweep_names = function, names

    def answer(self, values, *, at=None, events=("attack",), concept=None):
        chance = np.asarray(self.function(**values), dtype=float)
        ones, zeros = np.ones(chance.size, dtype=np.int64), np.zeros(chance.size, dtype=np.uint8)
        return BlockAnswer({"attack": chance}, {"attack": chance}, ones, {"high": chance > 0.5}, zeros)


# ---------------------------------------------------------------- Sobol' indices


def ishigami(x, y, z):
    return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


PI = dict.fromkeys("xyz", (-math.pi, math.pi))


def test_indices_of_ishigami_are_those_known():
    """T. Ishigami and T. Homma (1990), a = 7, b = 0.1: closed forms of the variances."""
    vx, vy, vxz = 0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2, 49 / 8, 8 * 0.01 * math.pi**8 / 225
    total = vx + vy + vxz
    found = sobol_indices(Function(ishigami, ("x", "y", "z")), PI, samples=4096, seed=1, **QUIET)
    assert found.parameter.values.tolist() == ["x", "y", "z"]
    assert found["first"].values == pytest.approx([vx / total, vy / total, 0], abs=0.02)
    assert found["total"].values == pytest.approx([(vx + vxz) / total, vy / total, vxz / total], abs=0.02)
    assert found.attrs["variance"] == pytest.approx(total, rel=0.02)
    assert (found.first_low <= found["first"]).all()
    assert (found["first"] <= found.first_high).all()


def test_indices_agree_with_scipy():
    """The same estimators on other points."""
    ours = sobol_indices(Function(ishigami, ("x", "y", "z")), PI, samples=4096, seed=3, **QUIET)
    uniform = stats.uniform(-math.pi, 2 * math.pi)
    theirs = stats.sobol_indices(func=lambda x: ishigami(*x), n=4096, dists=[uniform] * 3, rng=np.random.default_rng(5))
    assert ours["first"].values == pytest.approx(theirs.first_order, abs=0.03)
    assert ours["total"].values == pytest.approx(theirs.total_order, abs=0.03)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """An additive function of two uniforms, weights 2 and 1: shares 0.8 and 0.2, without interaction."""
    target = Function(lambda a, b: 2 * a + b, ("a", "b"))
    hits = []
    for seed in range(60):
        found = sobol_indices(target, {"a": (0, 1), "b": (0, 1)}, samples=128, seed=seed, resamples=200, **QUIET)
        hits.append(((found.total_low <= [0.8, 0.2]) & (found.total_high >= [0.8, 0.2])).values)
    assert 0.85 <= np.mean(hits) <= 1.0


def test_names_keep_their_order_and_points_without_answers_are_left_out():
    target = Function(lambda z, a: np.where(z > 0.9, np.nan, 3 * z + a), ("z", "a"))

    def answer(values, **options):
        if (values["z"] > 0.9).any():
            raise ValueError("beyond")
        return Function.answer(target, values, **options)

    target.answer = answer
    found = sobol_indices(target, {"z": (0, 1), "a": (0, 1)}, samples=256, seed=0, **QUIET)
    assert found.parameter.values.tolist() == ["z", "a"]
    assert found.total.values[0] > 0.8 > 0.3 > found.total.values[1]
    assert found.attrs["dropped"] > 0
    assert found.attrs["used"] + found.attrs["dropped"] == 256


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: indices_of(sweep(Formula(), {"a": [0.1, 0.2]}, **QUIET)), "need a sweep over saltelli"),
        (
            lambda: sobol_indices(Function(lambda a: 0 * a, ("a",)), {"a": (0, 1)}, samples=8, seed=0, **QUIET),
            "does not vary",
        ),
        (lambda: sobol_indices(Formula(), {"a": (0, 1)}, samples=8, variable="b", **QUIET), "no variable 'b'"),
        (
            lambda: sobol_indices(Formula(), {"a": (0, 1)}, samples=8, confidence=2, **QUIET),
            r"confidence must lie in \(0, 1\)",
        ),
        (lambda: saltelli({}, 8), "at least one range"),
        (lambda: influence(Formula(), {}, {"a": (0, 1)}, **QUIET), "the base needs a value of 'a'"),
    ],
)
def test_indices_that_make_no_sense_are_refused(act, message):
    with pytest.raises(ParameterError, match=message):
        act()


def test_swings_are_those_of_the_function_and_sorted():
    target = Function(lambda a, b: 0.1 * a + 0.5 * b, ("a", "b"))
    found = influence(target, {"a": 0.5, "b": 0.2}, {"a": (0, 1), "b": (0, 1)}, **QUIET)
    assert found.parameter.values.tolist() == ["b", "a"]
    assert found.swing.values == pytest.approx([0.5, 0.1])
    assert found.attrs["base"] == pytest.approx(0.15)


# ---------------------------------------------------------------- scenario discovery


@given(seed=st.integers(0, 30), left=st.floats(0.1, 0.5), width=st.floats(0.3, 0.45))
def test_a_planted_box_is_found(seed, left, width):
    """Friedman and Fisher's test: failures in a box of two of three parameters, and nowhere else."""
    rng = np.random.default_rng(seed)
    points = {name: rng.uniform(size=3000) for name in "abx"}
    inside = (points["a"] > left) & (points["a"] < left + width) & (points["b"] > 0.5)
    blank = xr.DataArray(np.zeros(3000, dtype=np.uint8), dims="sample")
    result = xr.Dataset({"status": blank}, {name: ("sample", v) for name, v in points.items()})
    (box,) = discover(result, inside)
    assert box.density > 0.93
    assert box.coverage > 0.85
    assert set(box.limits) >= {"a", "b"}
    assert box.limits["a"] == pytest.approx((left, left + width), abs=0.06)
    assert box.limits["b"][0] == pytest.approx(0.5, abs=0.06)
    assert max(box.p_values["a"], box.p_values["b"]) < 1e-6


def test_a_second_box_is_another_region():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(2, 4000))
    wanted = ((x < 0.3) & (y < 0.5)) | ((x > 0.7) & (y > 0.5))
    status = ("sample", np.zeros(4000, dtype=np.uint8))
    result = xr.Dataset({"status": status}, {"x": ("sample", x), "y": ("sample", y)})
    one, other = discover(result, wanted, boxes=2)
    assert min(one.density, other.density) > 0.9
    assert one.coverage + other.coverage > 0.9
    assert abs(np.mean(one.limits["x"]) - np.mean(other.limits["x"])) > 0.4


def test_discovery_reads_grids_and_leaves_out_failed_points():
    result = sweep(posture_game(), {"p": np.linspace(-0.2, 0.99, 60), "c": np.linspace(0.01, 1, 10)}, **QUIET)
    (box,) = discover(result, lambda r: r.attack_high > 0.5)
    assert box.limits["p"][1] == pytest.approx(0.5, abs=0.03)
    assert box.density > 0.95
    assert "<= p <=" in str(box)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"where": lambda r: r.attack_high > 2}, "0 of 9 points are of interest"),
        ({"where": lambda r: r.attack_high}, "must give True or False"),
        ({"where": lambda r: r.attack_high > 0.2, "peel": 1}, "peel must lie in"),
    ],
)
def test_discovery_refuses_what_it_cannot_tell_apart(options, message):
    result = sweep(Formula(), {"a": np.linspace(0, 1, 9)}, **QUIET)
    with pytest.raises(ParameterError, match=message):
        discover(result, **options)


# ---------------------------------------------------------------- boundaries and tipping points


def test_a_threshold_is_located_to_the_tolerance():
    found = phase_boundaries(Formula("step"), {"x": (0, 1)}, tol=1e-7)
    ((threshold, below, above),) = found.thresholds()
    assert threshold == pytest.approx(0.3, abs=1e-7)
    assert (below, above) == ("1 equilibrium", "1 equilibrium: high")
    assert len(found.points) < 70


@pytest.mark.parametrize("tol", [1e-2, 1e-3])
def test_every_cell_on_a_circle_holds_the_circle_and_all_of_it_is_found(tol):
    circle = Function(lambda a, b: (a - 0.5) ** 2 + (b - 0.4) ** 2 < 0.09, ("a", "b"))
    found = phase_boundaries(circle, {"a": (0, 1), "b": (0, 1)}, tol=tol)
    assert found.tol <= tol
    corners = np.stack(np.meshgrid([0, 1], [0, 1]), axis=-1).reshape(-1, 2)
    places = np.take_along_axis(
        found.cells, np.broadcast_to(corners[None, :, None, :], (len(found.cells), 4, 1, 2))[:, :, 0], axis=1
    )
    radius = np.hypot(places[..., 0] - 0.5, places[..., 1] - 0.4)
    assert (radius.min(axis=1) < 0.3).all()
    assert (radius.max(axis=1) >= 0.3).all()
    angles = np.sort(np.arctan2(found.boundary[:, 1] - 0.4, found.boundary[:, 0] - 0.5))
    assert np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() < 10 * tol
    assert len(found.points) < 60 / tol


def test_phases_of_a_game_are_those_of_the_solver_on_either_side():
    found = phase_boundaries(posture_game(), {"p": (0.05, 0.45)}, at={"c": 0.2}, tol=1e-6)
    assert found.thresholds() == []
    found = phase_boundaries(posture_game(), {"c": (0.01, 1.99)}, at={"p": 0.7}, tol=1e-6)
    (threshold, below, above), *rest = found.thresholds()
    assert not rest
    assert threshold == pytest.approx(1.5, abs=1e-5)
    for c, words in ((threshold - 1e-4, below), (threshold + 1e-4, above)):
        single = dt.pbe(posture_game(), at={"p": 0.7, "c": c})
        assert (
            words
            == f"{len(single)} equilibri{'um' if len(single) == 1 else 'a'}: {' + '.join(sorted(set(single.kinds)))}"
        )


def test_refined_points_are_a_design():
    found = phase_boundaries(Formula("step"), {"x": (0, 1)}, tol=1e-2)
    result = sweep(Formula("step"), found.design(), **QUIET)
    assert (result.attack_high.values > 0.5).tolist() == [found.phases[i].endswith("high") for i in found.phase]
    assert found.to_dataset().phase.values.tolist() == found.phase.tolist()


def test_tipping_points_are_the_roots():
    target = Function(lambda x, a: 1 / (1 + np.exp(-8 * (x - a))), ("x", "a"))
    found = tipping_points(target, "x", (0, 1), over={"a": [0.2, 0.45, 2.0]}, level=0.5, tol=1e-8, **QUIET)
    assert found.tipping.values == pytest.approx([0.2, 0.45, np.nan], abs=1e-7, nan_ok=True)
    assert found.rises.values.tolist() == [True, True, False]
    assert found.crossings.values.tolist() == [1, 1, 0]


def test_the_first_tipping_point_is_the_one_nearest_to_the_start():
    target = Function(lambda x: np.sin(x) ** 2, ("x",))
    there, back = (tipping_points(target, "x", ends, level=0.5, **QUIET) for ends in ((0, 3), (3, 0)))
    assert there.tipping.item() == pytest.approx(math.pi / 4, abs=1e-5)
    assert back.tipping.item() == pytest.approx(3 * math.pi / 4, abs=1e-5)
    assert there.crossings.item() == 2


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: tipping_points(Formula(), "a", (1, 1), **QUIET), "two different finite numbers"),
        (lambda: tipping_points(Formula(), "a", (0, 1), tol=0, **QUIET), "tol in"),
        (lambda: tipping_points(Formula(), "a", (0, 1), variable="b", **QUIET), "no variable 'b'"),
        (lambda: phase_boundaries(Formula(), {}), "one to four ranges"),
        (lambda: phase_boundaries(Formula(), {"a": (1, 0)}), "finite low < high"),
        (
            lambda: phase_boundaries(Formula(), {"a": (0, 1), "b": (0, 1)}, start=2).thresholds(),
            "only for one parameter",
        ),
    ],
)
def test_boundaries_that_make_no_sense_are_refused(act, message):
    with pytest.raises(ParameterError, match=message):
        act()


# ---------------------------------------------------------------- two sweeps


def test_a_sweep_does_not_differ_from_itself():
    result = sweep(posture_game(), grid(9), **QUIET)
    found = compare(result, result)
    assert found.attrs["share_changed"] == 0
    assert found.attrs["largest_attack_high"] == 0


def test_differences_are_found_where_they_are():
    axes = {"p": np.linspace(0.1, 0.9, 9)}
    one, other = (sweep(posture_game(), axes, at={"c": c}, **QUIET) for c in (0.2, 0.9))
    found = compare(one, other)
    kinds = [set(dt.pbe(posture_game(), at={"p": p, "c": c}).kinds) for c in (0.2, 0.9) for p in axes["p"]]
    assert found.kinds_changed.values.tolist() == [a != b for a, b in zip(kinds[:9], kinds[9:], strict=True)]
    assert found.attack_low.values == pytest.approx(other.attack_low.values - one.attack_low.values)


def test_grids_are_compared_where_both_are():
    one, other = (sweep(Formula(), {"a": np.arange(*ends) / 10}, **QUIET) for ends in ((0, 7), (3, 10)))
    assert compare(one, other).a.values.tolist() == [0.3, 0.4, 0.5, 0.6]
    with pytest.raises(ParameterError, match="no point in common"):
        compare(one, one.assign_coords(a=one.a + 100))
    with pytest.raises(ParameterError, match="cannot be compared"):
        compare(one, sweep(Formula(), {"b": [0.1]}, **QUIET))


def test_samples_are_compared_only_at_the_same_points():
    one, other = (sweep(Formula(), {"a": (0, 1)}, samples=4, seed=seed, **QUIET) for seed in (0, 1))
    assert compare(one, one).attrs["share_changed"] == 0
    with pytest.raises(ParameterError, match="differ in 'a'"):
        compare(one, other)


# ---------------------------------------------------------------- files


@pytest.fixture(params=["memory", "store"])
def result(request, tmp_path):
    store = {} if request.param == "memory" else {"store": tmp_path / "a.zarr"}
    return sweep(posture_game(), {"p": [-0.1, 0.2, 0.7], "c": [0.1, 0.9]}, **store, **QUIET)


def test_csv_has_a_row_per_point(result, tmp_path):
    import pandas as pd

    write_dataset(result, tmp_path / "a.csv")
    frame = pd.read_csv(tmp_path / "a.csv")
    assert frame["p"].tolist() == [-0.1, -0.1, 0.2, 0.2, 0.7, 0.7]
    assert frame["c"].tolist() == [0.1, 0.9] * 3
    assert frame["attack_high"].tolist() == pytest.approx(result.attack_high.values.ravel().tolist(), nan_ok=True)
    assert frame["kind_pooling_on_none"].tolist() == result.kind_pooling_on_none.values.ravel().tolist()


def test_long_tables_are_written_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("deterrence.sweeps.files._ROWS", 7)
    whole = sweep(posture_game(), grid(6), **QUIET)
    write_dataset(whole, tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 37
    columns = np.array([[float(x) for x in line.split(",")[:3]] for line in lines[1:]])
    assert columns[:, 0] == pytest.approx(np.repeat(whole.p.values, 6))
    assert columns[:, 1] == pytest.approx(np.tile(whole.c.values, 6))


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_other_formats_come_back(result, tmp_path, suffix):
    place = tmp_path / f"b{suffix}"
    write_dataset(result, place)
    back = (
        xr.open_dataset(place, engine="scipy")
        if suffix == ".nc"
        else xr.open_zarr(place, consolidated=False, chunks=None)
    )
    with back:
        for name in result.variables:
            assert np.array_equal(back[name].values.astype(float), result[name].values.astype(float), equal_nan=True)
        assert back.attrs["fingerprint"] == result.attrs["fingerprint"]
        assert back.attack_high.attrs["event"] == "attack"


def test_json_has_null_where_there_is_no_answer(result, tmp_path):
    write_dataset(result, tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert data["data_vars"]["attack_high"]["data"][0] == [None, None]


def test_parquet_says_what_it_needs_or_works(result, tmp_path):
    try:
        import pyarrow.parquet as pq
    except ImportError:
        with pytest.raises(ParameterError, match="needs pyarrow"):
            to_parquet(result, tmp_path / "a.parquet")
    else:
        to_parquet(result, tmp_path / "a.parquet")
        assert pq.read_table(tmp_path / "a.parquet").num_rows == 6


def test_files_need_a_known_ending_and_a_folder(result, tmp_path):
    with pytest.raises(ParameterError, match="must end in one of"):
        write_dataset(result, tmp_path / "a.xls")
    with pytest.raises(ParameterError, match="folder does not exist"):
        write_dataset(result, tmp_path / "no" / "a.csv")


# ---------------------------------------------------------------- studies

STUDY = """
schema_version = 1
target = "model:ALSIG"
events = ["attack", "war"]
store = "study.zarr"

[vary]
rho = { low = 0.1, high = 0.9, points = 5 }
k = { values = [0.05, 0.5, 1.2] }

[sensitivity]
samples = 16
seed = 3
"""


def test_a_study_is_the_sweep_that_it_says(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    axes = {"rho": np.linspace(0.1, 0.9, 5), "k": [0.05, 0.5, 1.2]}
    direct = sweep(dt.models.get("ALSIG"), axes, event=["attack", "war"], **QUIET)
    study = Study.load(tmp_path / "study.toml")
    assert same(direct, study.run(**QUIET))
    assert same(direct, load(tmp_path / "study.zarr"))
    assert study.sensitivity(**QUIET).parameter.values.tolist() == ["rho", "k"]


def test_a_study_may_draw_a_sample(tmp_path):
    text = STUDY.replace('store = "study.zarr"', "").replace("points = 5 ", "") + "[sample]\npoints = 8\nseed = 2\n"
    (tmp_path / "study.toml").write_text(text.replace(", high = 0.9,", ", high = 0.9"))
    found = Study.load(tmp_path / "study.toml").run(**QUIET)
    assert dict(found.sizes) == {"sample": 8}
    assert found.attrs["seed"] == 2


def test_every_mistake_of_a_study_is_told_with_its_line(tmp_path):
    wrong = (
        STUDY.replace("store =", "stor =")
        .replace("points = 5", "points = 1")
        .replace("samples = 16", 'samples = "many"')
    )
    (tmp_path / "study.toml").write_text(wrong)
    with pytest.raises(ScenarioError) as caught:
        Study.load(tmp_path / "study.toml")
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "study.toml:5: stor: unknown key" in told
    assert "did you mean 'store'" in told
    assert "study.toml:8" in told
    assert "sensitivity.samples" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "target: missing"),
        ("schema_version = ", "not valid TOML"),
        (STUDY.replace("points = 5", ""), "not valid TOML|needs points = N"),
        (STUDY.replace("low = 0.1", "low = 2.0"), "expected low < high"),
        (STUDY.replace("[0.05, 0.5, 1.2]", "[]"), "at least one number"),
        ("a = " + "[" * 5000, "nested too deeply|not valid TOML"),
    ],
)
def test_studies_that_are_none_are_refused(tmp_path, text, message):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(ScenarioError, match=message):
        Study.load(tmp_path / "study.toml")


def test_files_that_are_no_studies_are_refused(tmp_path):
    with pytest.raises(ScenarioError, match="no such file"):
        Study.load(tmp_path / "nothing.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ScenarioError, match="expected a text file"):
        Study.load(tmp_path / "b.toml")


def test_sobol_indices_are_those_of_scipy():
    """SciPy has the same estimators for a power of two of samples that all have an answer, with intervals unseeded."""
    p, k = dt.symbols("p k")
    payoffs = [[[0, 1]], [[0, 1]]], [[[-1, k]], [[1, k]]]
    game = dt.SignalingGame(("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], *payoffs)
    result = sweep(game, saltelli({"p": (0, 1), "k": (0, 0.1)}, 64, seed=1), **QUIET)
    ours = indices_of(result, seed=1)
    answers = result.attack_high.values.reshape(4, 1, 64)
    theirs = stats.sobol_indices(func={"f_A": answers[0], "f_B": answers[1], "f_AB": answers[2:]}, n=64)
    assert ours["first"].values == pytest.approx(theirs.first_order, abs=1e-12)
    assert ours["total"].values == pytest.approx(theirs.total_order, abs=1e-12)

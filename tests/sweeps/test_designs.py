"""Designs: where a sweep asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deterrence.games.errors import ParameterError
from deterrence.sweeps.designs import Grid, Sample, one_at_a_time, table
from deterrence.sweeps.sampling import design_of, halton, latin_hypercube, sobol

RANGES = {"p": (0.0, 1.0), "k": (2.0, 4.0), "w": (-1.0, 0.0)}
SAMPLERS = [latin_hypercube, sobol, halton]


@pytest.mark.parametrize("sampler", SAMPLERS)
@given(samples=st.integers(1, 70), seed=st.integers(0, 2**31))
def test_samples_are_reproducible_and_within_their_ranges(sampler, samples, seed):
    one, again = (sampler(RANGES, samples, seed=seed) for _ in range(2))
    for name, (low, high) in RANGES.items():
        assert one.columns[name].tobytes() == again.columns[name].tobytes()
        assert one.columns[name].shape == (samples,)
        assert ((one.columns[name] >= low) & (one.columns[name] <= high)).all()
    assert one.recipe["seed"] == seed


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_another_seed_gives_other_points_and_zero_is_a_seed(sampler):
    zero, one = (sampler(RANGES, 8, seed=seed).columns["p"] for seed in (0, 1))
    assert not np.array_equal(zero, one)
    assert np.array_equal(zero, sampler(RANGES, 8, seed=0).columns["p"])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_fresh_seed_is_kept(sampler):
    drawn = sampler(RANGES, 5)
    assert np.array_equal(drawn.columns["k"], sampler(RANGES, 5, seed=drawn.recipe["seed"]).columns["k"])


@given(samples=st.integers(1, 60), seed=st.integers(0, 1000))
def test_a_latin_hypercube_hits_each_stratum_once(samples, seed):
    design = latin_hypercube(RANGES, samples, seed=seed)
    for name, (low, high) in RANGES.items():
        strata = np.floor((design.columns[name] - low) / (high - low) * samples).astype(int)
        assert sorted(strata) == list(range(samples))


def test_a_correlated_latin_hypercube_still_does_and_has_the_rank_correlation():
    asked = np.array([[1, 0.7, -0.3], [0.7, 1, 0], [-0.3, 0, 1]])
    design = latin_hypercube(RANGES, 2000, seed=4, correlation=asked)
    found = stats.spearmanr(np.stack(list(design.columns.values()), axis=1)).statistic
    assert found == pytest.approx(asked, abs=0.02)
    assert sorted(np.floor(design.columns["p"] * 2000).astype(int)) == list(range(2000))


@pytest.mark.parametrize("sampler", [sobol, halton])
def test_a_copula_correlates_normal_scores(sampler):
    asked = np.array([[1, 0.6], [0.6, 1]])
    design = sampler({"p": (0, 1), "k": (0, 1)}, 4096, seed=1, correlation=asked)
    scores = stats.norm.ppf(np.stack(list(design.columns.values()), axis=1))
    assert np.corrcoef(scores, rowvar=False) == pytest.approx(asked, abs=0.02)


def test_distributions_are_followed():
    design = sobol({"c": stats.norm(2, 0.5), "b": stats.beta(2, 5)}, 4096, seed=0)
    assert stats.kstest(design.columns["c"], stats.norm(2, 0.5).cdf).statistic < 0.01
    assert stats.kstest(design.columns["b"], stats.beta(2, 5).cdf).statistic < 0.01
    assert design.recipe["ranges"]["c"] == "norm(2, 0.5)"


def test_sobol_points_are_balanced():
    design = sobol({"p": (0, 1), "k": (0, 1)}, 256, seed=9)
    counts = np.histogram2d(design.columns["p"], design.columns["k"], bins=16, range=[[0, 1]] * 2)[0]
    assert (counts == 1).all()


@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    data=st.data(),
)
def test_parts_of_a_grid_are_its_points_in_order(sizes, data):
    grid = Grid({f"x{i}": np.arange(n, dtype=float) for i, n in enumerate(sizes)})
    total = int(np.prod(sizes))
    start = data.draw(st.integers(0, total - 1))
    stop = data.draw(st.integers(start + 1, total))
    mesh = np.meshgrid(*grid.axes.values(), indexing="ij")
    for name, m in zip(grid.names, mesh, strict=True):
        assert grid.part(start, stop).values()[name].tolist() == m.ravel()[start:stop].tolist()
        assert grid.take(np.arange(start, stop))[name].tolist() == m.ravel()[start:stop].tolist()


def test_one_at_a_time_moves_one():
    design = one_at_a_time({"p": 0.5, "k": 3.0}, {"p": [0, 1], "k": [2, 4]})
    moved = (design.columns["p"] != 0.5).astype(int) + (design.columns["k"] != 3.0)
    assert moved.tolist() == [0, 1, 1, 1, 1]
    assert design.recipe["moved"] == ["", "p", "p", "k", "k"]


def test_a_table_may_be_a_data_frame():
    frame = pd.DataFrame({"p": [0.1, 0.1], "k": [1, 2]})
    assert table(frame).columns["k"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Grid({"p": []}), "at least one number"),
        (lambda: Grid({"p": [0.1, 0.1]}), "must be distinct"),
        (lambda: Grid({"p": [0.1, np.nan]}), "must be finite"),
        (lambda: Grid({"p": ["a"]}), "must be numbers"),
        (lambda: Grid({"p": 0.5}), "must be a list"),
        (lambda: Sample({"p": [0.1], "k": [1, 2]}), "must be of one length"),
        (lambda: Sample({"sample": [0.1]}), "no parameter of a sample can be named"),
        (lambda: sobol({"p": (1, 0)}, 4), "finite low < high"),
        (lambda: sobol({"p": "0:1"}, 4), r"must be \(low, high\)"),
        (lambda: sobol({"p": (0, 1)}, 0), "samples must be a whole number"),
        (lambda: sobol({}, 4), "at least one parameter"),
        (lambda: sobol({"p": (0, 1)}, 4, seed=-1), "seed must be a whole number"),
        (lambda: sobol(RANGES, 8, correlation=np.eye(2)), "symmetric 3 x 3"),
        (lambda: sobol({"p": (0, 1), "k": (0, 1)}, 8, correlation=[[1, 2], [2, 1]]), "positive definite"),
        (lambda: latin_hypercube({"p": (0, 1), "k": (0, 1)}, 2, correlation=np.eye(2)), "correlated points need"),
        (lambda: one_at_a_time({"p": 0.5}, {"k": [1]}), "the base needs a value of 'k'"),
        (lambda: design_of([1, 2]), "over must be a design or map"),
        (lambda: design_of({"p": (0, 1)}, samples=4, method="lhs"), "no sampling method 'lhs'"),
        (lambda: design_of(Grid({"p": [1]}), samples=4), "goes with ranges"),
    ],
)
def test_what_is_no_design_is_refused(act, message):
    with pytest.raises(ParameterError, match=message):
        act()

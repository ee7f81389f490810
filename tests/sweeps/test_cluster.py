"""Sweeps on a Dask cluster: the same bits, also when a worker dies."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from deterrence.sweeps.sweep import sweep
from tests.sweep_games import Deadly, Formula, grid, posture_game, same

distributed = pytest.importorskip("distributed", reason="dask is an extra")

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def client():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a port that is taken, sockets that close late
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as connected,
        ):
            here = str(Path(__file__).parents[2])
            connected.run(lambda: __import__("sys").path.insert(0, here))
            yield connected


def test_a_cluster_gives_the_same_bits(client, tmp_path):
    whole = sweep(posture_game(), grid(), **QUIET)
    assert same(whole, sweep(posture_game(), grid(), block=50, executor=client, **QUIET))
    assert same(whole, sweep(posture_game(), grid(), block=50, executor=client, store=tmp_path / "a.zarr", **QUIET))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_worker_that_dies_costs_nothing(client, tmp_path):
    file = tmp_path / "kill"
    file.touch()
    axes = {"a": np.linspace(0, 1, 40), "b": np.linspace(0, 1, 5)}
    result = sweep(Deadly(file), axes, executor=client, block=10, store=tmp_path / "a.zarr", **QUIET)
    assert not file.exists(), "no worker was killed"
    assert result.attack_high.load().equals(sweep(Formula(), axes, **QUIET).attack_high)

"""Settings that all tests share: profiles for property tests, and tests that run only when asked for."""

from __future__ import annotations

import os

# Before NumPy is loaded, in each process of a run in several: small products gain nothing from threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "everyday",
    max_examples=40,
    deadline=None,
    derandomize=True,  # the same examples on every machine: a red run can be repeated
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "nightly",
    max_examples=1000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(  # tests/test_fuzz.py says how many files
    "fuzz", deadline=None, print_blob=True, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out slow tests and those in a browser unless the command line asks for them by option or by marker."""
    asked = config.getoption("markexpr") + (" slow" if config.getoption("--run-slow") else "")
    unasked = [marker for marker in ("slow", "browser") if marker not in asked]
    left_out = {item for item in items if any(item.get_closest_marker(marker) for marker in unasked)}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]

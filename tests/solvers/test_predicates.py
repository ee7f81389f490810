"""Exact signs: floats are the decimals that they print as, and two numbers tie if and only if they are equal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deterrence.solvers.predicates import Bounded, merge, read, sign, whole_numbers


def determinant(a, b, c, d):
    return a * d - b * c


def expectation(p, u):
    return (p * u).sum(axis=-1)


numbers = st.one_of(
    st.integers(-20, 20).map(float),
    st.integers(-50, 50).map(lambda k: k / 10),
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(lambda m, e: float(f"{m}e{e}"), st.integers(-999, 999), st.integers(-300, 300)),
)


@given(st.tuples(numbers, numbers, numbers, numbers))
def test_the_sign_of_a_determinant_is_that_of_the_decimals(entries):
    a, b, c, d = (Fraction(repr(x)) for x in entries)
    value = a * d - b * c
    assert sign(determinant, *entries) == (value > 0) - (value < 0)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_the_sign_of_an_expectation_is_that_of_the_decimals(terms):
    p, u = (np.array(column) for column in zip(*terms, strict=True))
    value = sum(Fraction(repr(x)) * Fraction(repr(y)) for x, y in terms)
    assert sign(expectation, p, u) == (value > 0) - (value < 0)


def test_ties_of_decimals_are_ties_though_floats_differ():
    assert 0.1 * 3 != 0.3
    assert sign(lambda x, y: x * 3 - y, 0.1, 0.3) == 0
    assert sign(lambda x, y: x * 3 - y, 0.1, np.nextafter(0.3, 1)) == -1


@pytest.mark.parametrize("exponent", range(0, 301, 25))
def test_a_huge_number_hides_no_small_difference(exponent):
    huge = 10.0**exponent
    signs = sign(lambda a, b: a - b, [huge, 1.0, 0.4], [huge, np.nextafter(1.0, 2), 0.4])
    assert signs.tolist() == [0, -1, 0]


def test_products_that_overflow_or_underflow_are_still_compared():
    assert sign(determinant, 1e300, 1e300, 1e300, 1e300) == 0
    assert sign(determinant, 1e300, 1e299, 1e300, 1e300) == 1
    assert sign(determinant, 1e-300, 2e-300, 1e-300, 1e-300) == -1
    assert sign(determinant, 1e-200, 1e-200, 1e-200, 1e-200) == 0


def test_rational_numbers_are_never_rounded():
    third = np.array([Fraction(1, 3), Fraction(10**40, 3 * 10**40)], dtype=object)
    assert sign(lambda x: x * 3 - 1, third).tolist() == [0, 0]
    assert sign(lambda x: x - Fraction(1, 3), third + Fraction(1, 10**60)).tolist() == [1, 1]


def test_whole_numbers_need_no_exact_arithmetic(monkeypatch):
    from deterrence.solvers import predicates

    def refuse(array):
        raise AssertionError("floats suffice here")

    monkeypatch.setattr(predicates, "_exact", refuse)
    rng = np.random.default_rng(0)
    a, b, c, d = rng.integers(-1000, 1000, (4, 5000)).astype(float)
    assert (sign(determinant, a, b, c, d) == np.sign(a * d - b * c)).all()


@given(st.lists(numbers, min_size=2, max_size=2), st.lists(numbers, min_size=2, max_size=2))
def test_bounds_hold_the_exact_value(x, y):
    with np.errstate(all="ignore"):
        found = (Bounded.read(np.array(x)) * Bounded.read(np.array(y))).sum()
    exact = sum(Fraction(repr(a)) * Fraction(repr(b)) for a, b in zip(x, y, strict=True))
    if np.isfinite(found.value) and np.isfinite(found.error):
        assert abs(exact - Fraction(float(found.value))) <= Fraction(float(found.error))


def test_whole_numbers_keep_ratios():
    assert whole_numbers([0.1, Fraction(1, 3), "1/6", -2]) == [3, 10, 5, -60]
    assert whole_numbers([0, 0]) == [0, 0]


def test_merging_gives_back_the_simple_numbers_that_a_computation_blurs():
    computed = np.array([0.1 + 0.2, 1 - 0.9, 1 / 3, 2 / 3 - 1 / 3, 1e9, 1e9 + 0.1, -0.7])
    merged = merge(computed, 1e-12)
    assert [read(x) for x in (0.3, 0.1)] == merged[:2].tolist()
    assert merged[2] == merged[3] == Fraction(1, 3)
    assert merged[4] != merged[5]
    assert merge(computed, 0.0)[1] != Fraction(1, 10)


@given(st.floats(1e-6, 1e6), st.floats(-1, 1), st.sampled_from([1e-3, 1e-6, 1e-9]))
def test_numbers_within_the_tolerance_become_one(x, share, tol):
    pair = np.array([x, x * (1 + 0.999 * share * tol)])
    a, b = merge(pair, tol)
    assert a == b
    assert abs(a - read(x)) <= 2 * Fraction(repr(tol)) * read(x)

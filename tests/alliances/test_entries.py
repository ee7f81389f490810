"""How a scenario file says that a number is uncertain: the keys, what they mean, and what is refused, and where."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

import deterrence as dt
from deterrence.alliances.scenarios.copula import Copula
from deterrence.alliances.scenarios.entry import Entry, entry_reader
from deterrence.alliances.scenarios.uncertainty import draw_difference, draw_uncertainty, uncertain_numbers

GRID = (np.arange(20_000) + 0.5) / 20_000

SMALL = """schema_version = 1
name = "small"
title = "Small"
[sources]
S = "a figure"
[parameters]
resolve = 0
[defence]
base = 2
[aggressor]
prize = {{ family = "normal", location = 0.6, scale = 0.3 }}
[[attacks]]
name = "limited"
strength = {strength}
window = 10
share = 0.5
cost = 0.1
[[attacks]]
name = "full"
strength = {full}
window = 10
share = 1
cost = 0.3
[[members]]
name = "A"
capability = {capability}
delay = 2
stake = 1
cost = {{ family = "normal", location = {cost}, scale = 0.5 }}
[[members]]
name = "B"
capability = 1
delay = 2
stake = 1
cost = {{ family = "normal", location = {cost}, scale = 0.5 }}
"""


def small(*, strength="3", full="4", capability="2", cost="1", more="") -> str:
    return SMALL.format(strength=strength, full=full, capability=capability, cost=cost) + more


def law_of(said: str, low: float = 0.0, high: float = np.inf) -> np.ndarray:
    """Return quantiles of the strength of the limited attack, as a file says it."""
    scenario = dt.Scenario.loads(small(strength=said))
    (number,) = uncertain_numbers(scenario)
    assert number.name == "attacks.limited.strength"
    return number.marginal.quantile(GRID)


@pytest.mark.parametrize(
    ("said", "law"),
    [
        ("{ value = 4, range = [2, 14] }", stats.beta(1 + 4 * 2 / 12, 1 + 4 * 10 / 12, loc=2, scale=12)),
        ('{ value = 4, range = [2, 14], shape = "uniform" }', stats.uniform(2, 12)),
        ('{ value = 4, range = [2, 14], shape = "triangular" }', stats.triang(2 / 12, loc=2, scale=12)),
        (
            '{ value = 4, range = [2, 8], shape = "lognormal" }',
            stats.lognorm(np.log(2) / stats.norm.ppf(0.95), scale=4),
        ),
        ('{ value = 40, source = "S", standard_error = 2 }', stats.norm(40, 2)),
        ('{ value = 5, range = [4, 6], shape = "normal" }', stats.norm(5, 1 / stats.norm.ppf(0.95))),
    ],
)
def test_each_key_means_its_distribution(said: str, law):
    assert law_of(said) == pytest.approx(law.ppf(GRID), rel=1e-6, abs=1e-6)


def test_a_scipy_shape_takes_its_numbers():
    drawn = law_of('{ value = 3, range = [1, 6], shape = "gamma", parameters = { a = 2 } }')
    exact = stats.gamma(2)
    scale = 5 / (exact.ppf(0.95) - exact.ppf(0.05))
    assert drawn == pytest.approx(1 + scale * (exact.ppf(GRID) - exact.ppf(0.05)), abs=1e-9)


def test_a_distribution_is_cut_at_the_bounds_of_its_number():
    drawn = law_of('{ value = 1, source = "S", standard_error = 1 }')
    assert drawn == pytest.approx(stats.truncnorm(-1, np.inf, loc=1, scale=1).ppf(GRID), abs=1e-6)


@pytest.mark.parametrize("keys", ["0.05 = 1, 0.5 = 2, 0.95 = 4", '"0.05" = 1, "0.5" = 2, "0.95" = 4'])
def test_quantiles_are_met_and_the_median_stands_for_a_missing_value(keys: str):
    text = small(strength=f"{{ illustrative = true, quantiles = {{ {keys} }} }}")
    scenario = dt.Scenario.loads(text, strict=True)
    (number,) = uncertain_numbers(scenario)
    assert number.marginal.quantile(np.array([0.05, 0.5, 0.95])) == pytest.approx([1, 2, 4])
    assert scenario.game().attacks[0].strength == pytest.approx(2)
    assert dt.Scenario.loads(scenario.dumps()).game().attacks[0].strength == pytest.approx(2)


def test_experts_are_pooled_by_weight():
    drawn = law_of(
        '{ experts = [ { name = "A", range = [1, 2], shape = "uniform", weight = 3 }, '
        '{ name = "B", range = [2, 3], shape = "uniform" } ] }'
    )
    assert np.mean(drawn < 2) == pytest.approx(0.75, abs=1e-3)
    assert drawn.mean() == pytest.approx(0.75 * 1.5 + 0.25 * 2.5, abs=1e-3)


def test_a_fit_gives_value_and_error(tmp_path):
    fit = {"parameters": {"u1_war:balanc": {"estimate": 2.5, "error": 0.25, "low": 2, "high": 3}}}
    (tmp_path / "war.json").write_text(json.dumps(fit), "utf-8")
    path = tmp_path / "case.toml"
    path.write_text(small(strength='{ fit = "war.json", parameter = "u1_war:balanc", illustrative = true }'), "utf-8")
    scenario = dt.Scenario.load(path, strict=True)
    (number,) = uncertain_numbers(scenario)
    assert number.value == 2.5
    assert number.marginal.quantile(GRID) == pytest.approx(stats.norm(2.5, 0.25).ppf(GRID), abs=1e-9)
    path.write_text(small(strength='{ fit = "war.json", parameter = "u1_war:balance" }'), "utf-8")
    with pytest.raises(dt.ScenarioError, match=r"case.toml:14: .*no parameter 'u1_war:balance'.*mean 'u1_war:balanc'"):
        dt.Scenario.load(path)
    path.write_text(small(strength='{ fit = "peace.json", parameter = "x" }'), "utf-8")
    with pytest.raises(dt.ScenarioError, match=r"case.toml:14: attacks\[0\].strength: no file of a fit"):
        dt.Scenario.load(path)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{ quantiles = { 0.05 = 2, 0.5 = 1 } }", "quantiles must rise, got 2 at 0.05 and 1 at 0.5"),
        ("{ quantiles = { low = 2, 0.5 = 1 } }", "quantiles stand at probabilities between 0 and 1, got 'low'"),
        ("{ quantiles = { 0.05 = -1, 0.5 = 1 } }", "quantiles lie within the number's bounds"),
        ('{ value = 3, shape = "normal" }', r"the shape 'normal' has no numbers: expected range = \[low, high\]"),
        ('{ value = 3, range = [1, 4], shape = "gamma" }', "the shape 'gamma' has the parameters a, got none"),
        ('{ value = 3, range = [1, 4], shape = "trianglar" }', "unknown shape 'trianglar'.*did you mean 'triang"),
        ("{ value = 3, range = [1, 4], parameters = { a = 2 } }", "expected parameters of a SciPy shape only"),
        ("{ value = 3, range = [4, 1] }", r"expected range = \[low, high\] with low <= high"),
        ("{ value = 3, range = [1, 4], quantiles = { 0.5 = 1, 0.9 = 2 } }", "expected one of range, quantiles"),
        ("{ value = 3, standard_error = -1 }", "expected a standard_error above 0, got -1"),
        ("{ experts = [ { range = [1, 2] }, { name = 'B' } ] }", "of expert 'B': expected range"),
        ("{ experts = [ { name = 'B', range = [1, 2], weight = 0 } ] }", "weights of experts are above 0"),
        ("{ experts = [ { nam = 'B' } ] }", "unknown key 'nam' of expert 1"),
        ("{ value = 3, parameter = 'x' }", "expected fit = 'FILE.json' beside parameter"),
        ("{ value = 3, fit = 'war.json' }", "expected parameter = 'NAME' beside fit"),
        ("{ value = 3, quantile = { 0.5 = 1 } }", "unknown key 'quantile' .*did you mean 'quantiles'"),
    ],
)
def test_what_is_no_distribution_is_refused_with_its_line(said: str, message: str):
    with pytest.raises(dt.ScenarioError, match=rf"bad.toml:14: attacks\[0\]\.strength: .*{message}"):
        dt.Scenario.loads(small(strength=said), "bad.toml")


def test_mistakes_are_told_all_at_once():
    text = small(strength="{ quantiles = { 0.05 = 2, 0.5 = 1 } }", capability='{ value = 1, shape = "normal" }')
    with pytest.raises(dt.ScenarioError) as caught:
        dt.Scenario.loads(text, "bad.toml")
    assert [problem.split(":")[1] for problem in caught.value.problems] == ["14", "26"]


def test_an_illustrative_number_that_does_not_say_how_uncertain_it_is_warns_and_is_refused_by_strict():
    text = small(strength="{ value = 3, illustrative = true }", capability="{ value = 2, illustrative = true }")
    with pytest.warns(FutureWarning, match=r"old.toml:14: attacks\[0\]\.strength: .*add range") as caught:
        dt.Scenario.loads(text, "old.toml")
    assert "old.toml:26: members[0].capability" in str(caught[0].message)
    with pytest.raises(dt.ScenarioError) as refused:
        dt.Scenario.loads(text, "old.toml", strict=True)
    assert len(refused.value.problems) == 2


def test_draws_of_a_whole_number_are_whole():
    """The steps of a salami attack: their draws made no game."""
    scenario = dt.Scenario.load("fractured-alliance:salami")
    u = draw_uncertainty(scenario, draws=32, seed=0)
    (steps,) = (u.inputs[:, i] for i, number in enumerate(u.numbers) if number.name.endswith("hybrid.steps"))
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert len(np.unique(steps)) > 2


def test_arithmetic_anywhere_in_a_file_is_drawn_around_what_it_comes_to():
    """``[support.aid]`` holds arithmetic; its place is no path of the game, where the value was sought."""
    numbers = {number.name: number for number in uncertain_numbers(dt.Scenario.load("ukraine-2022"))}
    assert numbers["support.aid.strength"].value == pytest.approx(0.3)
    assert numbers["support.aid.strength"].derived


@pytest.mark.parametrize("name", dt.Scenario.names())
def test_every_illustrative_number_that_is_shipped_says_how_uncertain_it_is(name: str):
    dt.Scenario.load(name, strict=True)


def test_an_entry_is_read_once():
    read = entry_reader(0, np.inf, False)
    assert read(read({"value": 2, "range": [1, 3]})) == Entry(2.0, 0, np.inf, range=(1.0, 3.0))


# ---------------------------------------------------------------- numbers that hang together

COST = "{ value = 1, illustrative = true, range = [0, 3] }"
RANGES = {"strength": "{ value = 3, range = [1, 6] }", "full": "{ value = 4, range = [2, 9] }", "cost": COST}


def correlated(group: str) -> dt.Scenario:
    return dt.Scenario.loads(small(**RANGES, more=f"[uncertainty]\ncorrelate = [\n  {group},\n]\n"), "group.toml")


@pytest.mark.parametrize("rho", [-0.5, 0.6, 0.95, 1.0])
def test_rank_correlations_of_the_draws_are_those_of_the_gaussian_copula(rho: float):
    u = draw_uncertainty(correlated(f'{{ numbers = ["members.*.cost.location"], rho = {rho} }}'), draws=2000, seed=1)
    column = {number.name: u.inputs[:, i] for i, number in enumerate(u.numbers)}
    found = stats.spearmanr(column["members.A.cost.location"], column["members.B.cost.location"]).statistic
    assert found == pytest.approx(6 / np.pi * np.arcsin(rho / 2), abs=0.03)
    apart = stats.spearmanr(column["members.A.cost.location"], column["attacks.full.strength"]).statistic
    assert abs(apart) < 0.06


def test_each_number_keeps_its_own_distribution_within_a_group():
    group = '{ numbers = ["attacks.limited.strength", "attacks.full.strength"], matrix = [[1, 0.8], [0.8, 1]] }'
    u = draw_uncertainty(correlated(group), draws=4000, seed=2)
    for i, number in enumerate(u.numbers):
        drawn = np.quantile(u.inputs[:, i], [0.1, 0.5, 0.9])
        assert drawn == pytest.approx(number.marginal.quantile(np.array([0.1, 0.5, 0.9])), rel=0.03), number.name


def test_members_whose_costs_move_together_make_the_answer_more_uncertain():
    """The sum of two costs has the variance 2 (1 + rho) of one: the likelihood varies more with them."""
    alone, together = (
        draw_uncertainty(correlated(f'{{ numbers = ["members.*.cost.location"], rho = {rho} }}'), draws=1000, seed=1)
        for rho in (-0.9, 0.9)
    )
    costs = [u.inputs[:, [n.name.endswith("cost.location") for n in u.numbers]].sum(axis=1) for u in (alone, together)]
    assert costs[1].var() > 10 * costs[0].var()


def test_a_number_that_is_drawn_again_keeps_its_correlation():
    copula = Copula(np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]]))
    rng = np.random.default_rng(0)
    levels = copula.levels(rng.random((20_000, 3)))
    moved = copula.another(levels, 0, rng.random(20_000))
    np.testing.assert_array_equal(moved[:, 1:], levels[:, 1:])
    scores = stats.norm.ppf(np.column_stack([levels[:, 0], moved]))
    found = np.corrcoef(scores.T)
    assert found[1, 2] == pytest.approx(0.8, abs=0.01)
    assert found[0, 1] == pytest.approx(0.8**2, abs=0.02)  # old and new share only what the other number tells


def test_a_difference_is_of_draws_that_hang_together_in_both():
    scenario = correlated('{ numbers = ["members.*.cost.location"], rho = 1 }')
    assert draw_difference(scenario, scenario, draws=64).share_equal == 1
    with pytest.raises(dt.ParameterError, match="correlate their numbers differently"):
        draw_difference(scenario, dt.Scenario.loads(small(**RANGES)), draws=64)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ('{ numbers = ["members.*.cost.locatoin"], rho = 0.5 }', "is no uncertain number of the file"),
        ('{ numbers = ["members.A.capability"], rho = 0.5 }', "'members.A.capability' is not uncertain"),
        ('{ numbers = ["members.*.cost.location"] }', "expected either rho or a matrix"),
        (
            '{ numbers = ["members.*.cost.location"], rho = -1.5 }',
            r"expected a rho in \[-1, 1\] for 2 numbers, got -1.5",
        ),
        ('{ numbers = ["attacks.full.strength"], rho = 0.5 }', "expected two numbers or more"),
        ('{ numbers = ["members.*.cost.location"], matrix = [[1]] }', "got a pattern; write them out"),
        (
            '{ numbers = ["attacks.full.strength", "attacks.limited.strength"], matrix = [[1, 0.5]] }',
            "expected a matrix of 2 x 2, one row for each of the numbers, got 1 x 2",
        ),
        (
            '{ numbers = ["attacks.full.strength", "attacks.limited.strength"], matrix = [[1, 0.5], [0.4, 1]] }',
            r"expected a symmetric matrix, got 0.5 at \[0\]\[1\] and 0.4 at \[1\]\[0\]",
        ),
        (
            '{ numbers = ["attacks.full.strength", "attacks.limited.strength"], matrix = [[2, 0], [0, 1]] }',
            "expected correlations between -1 and 1",
        ),
        (
            '{ numbers = ["attacks.full.strength", "attacks.limited.strength", "members.A.cost.location"], matrix = '
            + str([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
            + " }",
            "no numbers have these correlations: the matrix has the eigenvalue",
        ),
        (
            '{ numbers = ["members.*.cost.location"], rho = 0.5 }, { numbers = ["members.A.cost.location"], rho = 0 }',
            "'members.A.cost.location' stands in two groups",
        ),
    ],
)
def test_what_is_no_correlation_is_refused_with_its_line(group: str, message: str):
    with pytest.raises(dt.ScenarioError, match=rf"group.toml:37: uncertainty\.correlate\[\d\].*: .*{message}"):
        correlated(group)

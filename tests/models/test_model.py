"""The engine of the library: roots and thresholds, continuous games, persuasion, parameter tables, and Model itself."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import deterrence as dt
from deterrence.games.answers import Status
from deterrence.games.continuous import Acts, Best, ContinuousGame, Given, Indifferent, Mean, Uniform
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice, Series, complete
from deterrence.models.payoffs import table
from deterrence.models.variants import Variant, holds, require
from deterrence.solvers.algebra.thresholds import (
    batched_roots,
    best_response_iteration,
    expectation,
    fixed_points,
    maximum,
    probability,
    roots,
    sign_changes,
)
from deterrence.solvers.cutpoints import cutpoints
from deterrence.solvers.persuasion import persuasion

# ---------------------------------------------------------------- roots


@given(zeros=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True))
def test_every_root_of_a_polynomial_is_found(zeros):
    zeros = sorted(zeros)
    if any(b - a < 1e-2 for a, b in pairwise(zeros)):
        return

    def polynomial(x):
        return np.prod([x - z for z in zeros], axis=0)

    assert roots(polynomial, 0, 1) == pytest.approx(zeros, abs=1e-9)


def test_roots_at_the_ends_and_double_roots_count_once():
    assert roots(lambda x: x * (1 - x), 0, 1).tolist() == [0, 1]
    assert roots(lambda x: (x - 0.3333) ** 2, 0, 1) == pytest.approx([0.3333], abs=1e-9)
    assert roots(lambda x: (x - 0.3333) ** 2 + 1e-6, 0, 1).size == 0


def test_two_roots_within_one_step_of_the_grid_are_told_apart():
    assert roots(lambda x: (x - 0.50003) * (x - 0.50007), 0, 1) == pytest.approx([0.50003, 0.50007], abs=1e-10)


@given(seed=st.integers(0, 10**6))
def test_roots_of_many_functions_at_once_are_those_of_each(seed):
    rng = np.random.default_rng(seed)
    shifts, speeds = rng.uniform(-1, 1, 6), rng.uniform(1, 12, 6)
    found = batched_roots(lambda x, n: np.sin(speeds[n] * x) + shifts[n], np.zeros(6), np.full(6, 3.0))
    for n in range(6):
        alone = roots(lambda x, n=n: np.sin(speeds[n] * x) + shifts[n], 0, 3)
        assert found[n][~np.isnan(found[n])] == pytest.approx(alone, abs=1e-12)


def test_a_jump_across_zero_is_a_sign_change_and_no_root():
    def jump(x):
        return np.where(x < 0.37, -1.0, 2.0)

    assert roots(jump, 0, 1).size == 0
    assert sign_changes(jump, 0, 1) == pytest.approx([0.37], abs=1e-12)


def test_poles_are_no_roots():
    assert roots(lambda x: 1 / (x - 0.4321), 0, 1).size == 0
    assert roots(lambda x: np.where(x > 0, np.log(np.maximum(x, 1e-300)), -np.inf) + 1, 0, 1) == pytest.approx(
        [np.exp(-1)]
    )


@pytest.mark.parametrize(("low", "high"), [(0.0, np.inf), (1.0, 0.0), (np.nan, 1.0)])
def test_an_interval_needs_finite_ends_in_order(low, high):
    with pytest.raises(dt.SolverError, match="an interval needs finite ends in order"):
        roots(lambda x: x, low, high)


def test_a_function_without_values_is_refused():
    with pytest.raises(dt.SolverError, match="no finite value"):
        roots(lambda x: x * np.nan, 0, 1)


@given(peak=st.floats(0.05, 0.95), width=st.floats(0.05, 2))
def test_the_maximum_is_placed_to_ten_digits(peak, width):
    point, value = maximum(lambda x: np.exp(-(((x - peak) / width) ** 2)), 0, 1)
    assert point == pytest.approx(peak, abs=1e-9)
    assert value == pytest.approx(1, abs=1e-12)


def test_of_two_peaks_the_higher_is_taken_and_of_equal_ones_the_lower():
    assert maximum(lambda x: np.sin(6 * np.pi * x) + x / 10, 0, 1)[0] == pytest.approx(0.7502814, abs=1e-6)
    assert maximum(lambda x: -((x - 0.25) ** 2) * (x - 0.75) ** 2, 0, 1)[0] == pytest.approx(0.25, abs=1e-6)
    assert maximum(lambda x: x, 0, 2) == (2, 2)
    assert maximum(lambda x: -np.abs(x - 0.3337), 0, 1)[0] == pytest.approx(0.3337, abs=1e-7)


def test_fixed_points_are_all_isolated():
    found = fixed_points(lambda x: 0.5 + 0.5 * np.tanh(4 * (x - 0.5)), 0, 1)
    assert len(found) == 3
    assert found[1] == pytest.approx(0.5, abs=1e-12)
    assert found[0] + found[2] == pytest.approx(1, abs=1e-10)


# ---------------------------------------------------------------- types

TYPES = [
    Uniform(-1, 2), stats.norm(0.3, 0.8), stats.expon(scale=0.7), stats.beta(2, 3), stats.gamma(3), stats.logistic(0.2),
]  # fmt: skip


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("cut", [-0.5, 0.25, 0.9])
def test_probability_above_a_cutpoint_is_the_survival_function(types, cut):
    assert probability(lambda t: t - cut, types) == pytest.approx(1 - float(types.cdf(cut)), abs=1e-12)
    assert probability(lambda t: cut - t, types) == pytest.approx(float(types.cdf(cut)), abs=1e-12)


def test_probability_adds_several_stretches_of_types():
    assert probability(lambda t: (t - 0.2) * (t - 0.5) * (t - 0.6), Uniform(0, 1)) == pytest.approx(0.3 + 0.4)


@pytest.mark.parametrize("types", TYPES[1:])
def test_expectation_is_the_mean(types):
    assert expectation(lambda t: t, types) == pytest.approx(types.mean(), abs=1e-7)


def test_expectation_over_a_range_is_not_divided_by_its_probability():
    assert expectation(lambda t: t, Uniform(0, 1), low=0.5) == pytest.approx(0.375)
    assert expectation(lambda t: t, Uniform(0, 1), low=0.7, high=0.2) == 0


def test_best_responses_settle_or_say_how_far_off_they_are():
    assert best_response_iteration(lambda x: 0.5 * x + 1, [0.0, 5.0]) == pytest.approx([2, 2], abs=1e-11)
    with pytest.raises(dt.SolverError, match=r"did not settle in 10 steps: the last one moved by 1\.0e\+00"):
        best_response_iteration(lambda x: x + 1, [0.0], most=10)


def test_uniform_types_need_a_range():
    with pytest.raises(dt.ParameterError, match="uniform types need low < high"):
        Uniform(1, 1)


# ---------------------------------------------------------------- continuous games


def test_every_root_makes_a_branch_and_branches_may_die():
    game = ContinuousGame(("A",), {
        "x": Indifferent(lambda x, _: (x - 1) * (x - 2), 0, 3),
        "y": Indifferent(lambda y, known: y**2 - (known["x"] - 1.5), 0, 1),
    })  # fmt: skip
    (only,) = cutpoints(game)
    assert only == pytest.approx({"x": 2, "y": 0.5**0.5})


def test_without_a_root_a_cutpoint_goes_to_its_corner():
    def cutpoint(gain, otherwise):
        return cutpoints(
            ContinuousGame(("A",), {"x": Indifferent(lambda x, _: 0 * x + gain, 0, 3, otherwise=otherwise)})
        )

    assert cutpoint(1, "corner") == ({"x": 3},)
    assert cutpoint(-1, "corner") == ({"x": 0},)
    assert cutpoint(1, "none") == ({"x": None},)
    assert cutpoint(1, "end") == ()


def test_unknowns_build_on_each_other():
    game = ContinuousGame(("A", "D"), {
        "offer": Best(lambda x, _: x * (1 - x), 0, 1),
        "accepts": Acts(lambda t, known: known["offer"] - t, Uniform(0, 2)),
        "mean": Mean(lambda t, _: t, lambda known: Uniform(0, known["offer"])),
        "twice": Given(lambda known: 2 * known["accepts"]),
    })  # fmt: skip
    (found,) = cutpoints(game)
    assert found == pytest.approx({"offer": 0.5, "offer:payoff": 0.25, "accepts": 0.25, "mean": 0.25, "twice": 0.5})
    assert "offer" in game._repr_html_()


def test_a_condition_that_cannot_be_evaluated_is_named():
    game = ContinuousGame(("A",), {"cutoff": Indifferent(lambda x, _: x * np.nan, 0, 1)})
    with pytest.raises(dt.SolverError, match="the unknown 'cutoff' cannot be settled"):
        cutpoints(game)


# ---------------------------------------------------------------- persuasion


def persuasion_game(rho, u, v):
    T, R = np.shape(u)
    spread = [[[row] * R for row in payoffs] for payoffs in (u, v)]
    labels = [f"r{i}" for i in range(R)]
    return dt.SignalingGame([f"t{i}" for i in range(T)], [f"say {x}" for x in labels], labels, rho, *spread)


@given(seed=st.integers(0, 10**6))
def test_the_best_signal_is_the_concave_envelope_of_the_senders_value(seed):
    """Two types: the best chord through the prior of the value by posterior, on a grid that holds every kink."""
    rng = np.random.default_rng(seed)
    u, v = rng.integers(-3, 4, (2, 2, 3)).astype(float)
    rho = float(rng.integers(1, 10)) / 10
    (best,) = persuasion(persuasion_game([rho, 1 - rho], u, v))
    gaps = [(v[1, a] - v[1, b], v[0, a] - v[0, b]) for a in range(3) for b in range(a)]
    kinks = [w / (w - s) for w, s in gaps if w != s and 0 <= w / (w - s) <= 1]
    grid = np.unique([*np.linspace(0, 1, 21), rho, *kinks])
    beliefs = np.stack([grid, 1 - grid], axis=1)
    theirs = beliefs @ v
    mine = np.where(theirs >= theirs.max(axis=1, keepdims=True) - 1e-9, beliefs @ u, -np.inf).max(axis=1)
    low, high = grid <= rho, grid >= rho
    a, b = np.meshgrid(grid[low], grid[high], indexing="ij")
    weight = np.where(b > a, (b - rho) / np.where(b > a, b - a, 1), 1)
    envelope = (weight * mine[low][:, None] + (1 - weight) * mine[high][None]).max()
    assert best.payoffs["Sender"] == pytest.approx(envelope, abs=1e-8)


def test_persuasion_is_for_costless_messages():
    game = dt.SignalingGame(
        ["a", "b"], ["m", "n"], ["r", "s"], [0.5, 0.5], np.arange(8.0).reshape(2, 2, 2), np.zeros((2, 2, 2))
    )
    with pytest.raises(dt.GameError, match="payoffs that do not depend on the message"):
        persuasion(game)


def test_persuasion_needs_a_message_for_each_response():
    game = dt.SignalingGame(
        ["a", "b"], ["l", "m", "n"], ["r", "s"], [0.5, 0.5], np.zeros((2, 3, 2)), np.zeros((2, 3, 2))
    )
    with pytest.raises(dt.GameError, match="one message for each response, got 3 messages and 2 responses"):
        persuasion(game)


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("a < b <= c", {"a": 1, "b": 2, "c": 2}, True),
        ("a < b < c", {"a": 1, "b": 2, "c": 2}, False),
        ("A.war + 1 > -2 * b / 4", {"A": {"war": -1}, "b": 1}, True),
        ("a != 0.5", {"a": 0.5}, False),
    ],
)
def test_a_requirement_holds_or_not(text, values, answer):
    assert bool(holds(text, values)) is answer


def test_a_requirement_is_checked_point_by_point():
    assert holds("a < b", {"a": np.array([0, 1, 2]), "b": 1}).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "text", ["a", "a <", "a < c", "f(a) < 1", "a < b.c", "a in b", "a ** 2 < 1", "__import__('os') < 1"]
)
def test_a_requirement_is_a_chain_of_comparisons_and_nothing_else(text):
    with pytest.raises(dt.ParameterError, match="requirement"):
        holds(text, {"a": 1, "b": 2})


def test_a_broken_requirement_states_the_ordering():
    with pytest.raises(dt.ParameterError, match=r"M requires A.x < b, got A = {x: 2}, b = 1"):
        require(("A.x < b",), {"A": {"x": 2}, "b": 1}, "M")


TABLE = (
    dt.Parameter("A.x", 1, 0, 2),
    dt.Parameter("A.y", 3),
    Series("s", (1, 2), 0, 5),
    Choice("kind", "one", ("one", "two")),
    dt.Parameter("n", 2, 0, float("inf")),
)


def test_parts_of_structured_parameters_keep_their_defaults():
    assert complete(TABLE, {"A": {"y": 5}}, "M") == {"A": {"x": 1, "y": 5}, "s": [1, 2], "kind": "one", "n": 2}
    assert complete(TABLE, {"A.x": 0.5, "n": "infinity"}, "M")["n"] == float("inf")


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"A": {"z": 1}}, r"M has no parameter 'A.z'"),
        ({"A": {"x": 3}}, r"A.x must lie in \[0, 2\]"),
        ({"A": {"x": "far"}}, r"A.x must be a number, got str 'far'"),
        ({"s": [1, 9]}, r"s must hold numbers in \[0, 5\]"),
        ({"s": []}, r"s must be a list"),
        ({"s": ["a"]}, r"s must be a list of numbers"),
        ({"kind": "three"}, r"kind must be one of \['one', 'two'\], got 'three'"),
        ({"A.x": np.array([1.0, 5.0])}, r"A.x must lie in \[0, 2\]"),
    ],
)
def test_a_wrong_value_is_named(given_, message):
    with pytest.raises(dt.ParameterError, match=message):
        complete(TABLE, given_, "M")


def test_payoff_tables_broadcast_points_to_the_front():
    x = np.array([1.0, 2.0])
    assert table([[0, x], [x + 1, 5]]).tolist() == [[[0, 1], [2, 5]], [[0, 2], [3, 5]]]
    assert table([[0, 1], [2, 3]]).dtype == np.float64
    assert table([0, dt.symbols("w")]).dtype == object


# ---------------------------------------------------------------- a model of one's own


def crisis(war):
    answer = dt.move("D", {"fight": dt.end("war", A=-1, D=war), "yield": dt.end("conquest", A=1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=0, D=1), "attack": answer}))


WAR = dt.Parameter("w", 0.5, -1, 1, "D", "payoff of war")
OWN = Model("mine", crisis(dt.symbols("w")), [WAR], ("attack", "war"), "me")


def test_a_game_with_symbols_and_a_table_are_a_model():
    assert OWN.game().kind == "float"
    assert OWN.solve(w=-0.5).probability("attack") == (1, 1)
    assert OWN.events == ("attack", "war")
    assert "payoff of war" in OWN._repr_html_()
    assert OWN.spec()["defaults"] == {"w": 0.5}


def test_a_model_of_ones_own_is_swept():
    answer = OWN.answer({"w": np.array([-0.5, 0.5, 3.0])}, events=("attack",), concept="nash")
    assert answer.status.tolist() == [Status.OK, Status.OK, Status.INVALID]
    assert answer.low["attack"][:2].tolist() == [0, 0]  # an incredible threat deters in a Nash equilibrium
    assert answer.high["attack"][:2].tolist() == [1, 0]
    for concept in ("spe", None):
        assert OWN.answer({"w": np.array([-0.5, 0.5])}, concept=concept).low["attack"].tolist() == [1, 0]


def test_symbols_and_table_must_match():
    with pytest.raises(dt.GameError, match="has the symbol 'w', which is not in the table"):
        Model("m", crisis(dt.symbols("w")), [dt.Parameter("v", 0)])
    with pytest.raises(dt.GameError, match="parameter 'v' of 'm' is no symbol of its game"):
        Model("m", crisis(dt.symbols("w")), [dt.Parameter("v", 0), dt.Parameter("w", 0)])


def test_a_model_with_one_route_says_why():
    model = Model("m", crisis, [dt.Parameter("war", 0.5)], one_route="nobody found a formula")
    with pytest.raises(dt.GameError, match="m has no closed form: nobody found a formula"):
        model.closed_form()
    with pytest.raises(dt.GameError, match="not read off a solution: nobody found a formula"):
        model.solved()
    assert model.routes == ()


def test_variants_are_told_by_mode_and_by_names():
    model = Model(
        "m", crisis, [dt.Parameter("war", 0.5), dt.Parameter("k", 1)], takes=("war",),
        closed_form=lambda war: {"x": war},
        variants=[
            Variant(takes=("k",), game=lambda k: crisis(k), closed_form=lambda k: {"y": k}),
            Variant(
                name="twice the war", takes=("war",),
                game=crisis, closed_form=lambda war: {"x": 2 * war},
            ),
        ],
    )  # fmt: skip
    assert model.closed_form(war=1) == {"x": 1}
    assert model.closed_form(k=3) == {"y": 3}
    assert model.closed_form(mode="twice the war", war=1) == {"x": 2}
    for mode in ("thrice", "never twice the war, please", "twice", "sweep of x over war", "sweep the floor", ""):
        with pytest.raises(dt.ParameterError, match=rf"m has no mode '{mode}'; its modes are 'twice the war'"):
            model.closed_form(mode=mode)
    with pytest.raises(dt.ParameterError, match="m has no form with all of"):
        model.closed_form(war=1, k=1)


@pytest.mark.parametrize(
    ("id", "values", "events"),
    [
        ("CID", {"A.war": np.linspace(-1, 1, 9), "D.war": np.linspace(-1, 1, 9)}, ("attack", "war")),
        ("UDG", {"p_Ch": np.linspace(0.1, 0.9, 9), "p_Def": np.linspace(0.05, 0.85, 9)}, ("challenge", "war")),
        ("SUNK", {"p": np.linspace(0.11, 0.9, 9), "k": np.linspace(0.1, 2.7, 9)}, ("attack", "war")),
        ("F97", {"p": np.linspace(0.4, 0.9, 5)}, ("challenge",)),
    ],
)
def test_a_block_of_points_is_the_points_one_by_one(id, values, events):
    model = dt.models.get(id)
    answer = model.answer(values, events=events)
    size = len(answer.count)
    assert (answer.status == Status.OK).all()
    for i in range(size):
        found = model.closed_form(**{name: float(x[i]) for name, x in values.items()})
        classes = list(found["equilibria"].values()) if "equilibria" in found else [found]
        classes = [c for c in classes if f"P_{events[0]}" in c] or [c for c in found.values() if isinstance(c, dict)]
        for event in events:
            chances = [c[f"P_{event}"] for c in classes]
            assert answer.low[event][i] == pytest.approx(min(chances), abs=1e-9)
            assert answer.high[event][i] == pytest.approx(max(chances), abs=1e-9)


def test_a_name_that_cannot_be_swept_is_refused():
    with pytest.raises(dt.ParameterError, match="RILEY cannot sweep 'theta'"):
        dt.models.get("RILEY").answer({"theta": np.ones(3)})


@pytest.mark.parametrize("id", ["ALSIG", "THR", "SUNK"])
def test_a_model_of_the_library_travels_to_another_process(id):
    model = dt.models.get(id)
    assert pickle.loads(pickle.dumps(model)) is model


def test_a_sweep_is_the_same_from_the_model_and_from_the_front_door():
    over = {"q": np.linspace(0, 1, 5), "q_hat": np.linspace(0, 1, 3)}
    model = dt.models.get("THR")
    mine = model.sweep(over, event="war", progress=False)
    assert mine.war_low.equals(dt.sweep(model, over=over, event="war", progress=False).war_low)
    assert float(mine.war_low.sel(q=1, q_hat=0)) == 1


def test_a_missing_event_is_a_reason_and_no_crash():
    answer = dt.models.get("CID").answer({"A.war": np.array([0.1])}, events=("no such event",))
    assert answer.status.tolist() == [Status.FAILED]
    assert "no such event" in answer.reasons[0]


# ---------------------------------------------------------------- modes, lists and concepts


@pytest.mark.parametrize(
    ("id", "mode", "near"),
    [
        ("SDT", "never maximise P_war, please", "'d_prime that maximises P_war'"),
        ("ALSIG", "sweep the floor", "'sweep of the D1-selected class over k'"),
        ("CID", "sweep", "it has no modes"),
    ],
)
@pytest.mark.parametrize("route", ["closed_form", "solved", "game", "check"])
def test_a_mode_is_named_exactly(id, mode, near, route):
    with pytest.raises(dt.ParameterError, match=f"{id} has no mode '{mode}'; .*{near}"):
        getattr(dt.models.get(id), route)(mode=mode)


def test_quantities_at_lists_of_numbers_warn_for_one_release():
    model = dt.models.get("ALSIG")
    with pytest.warns(DeprecationWarning, match="ALSIG is asked for its quantities at lists of k; ask point by point"):
        found = model.closed_form(k=[0.1, 0.9])
    alone = [model.closed_form(k=k) for k in (0.1, 0.9)]
    assert found["mu_star_0"] == [one["mu_star_0"] for one in alone]
    with (
        pytest.warns(DeprecationWarning, match="at lists of k, h"),
        pytest.raises(dt.ParameterError, match="lists of a sweep must have one length, got k, h"),
    ):
        model.closed_form(k=[0.1, 0.2], h=[0.1])


def test_a_model_of_a_concept_that_does_not_serve_its_game_cannot_be_made():
    with pytest.raises(dt.ParameterError, match=r"persuasion serves SignalingGame, got a ExtensiveGame"):
        Model("m", crisis(dt.symbols("war")), [dt.Parameter("war", 0.5)], concept="persuasion")
    with pytest.raises(dt.ParameterError, match=r"no solution concept 'nsh'.*did you mean 'nash'"):
        Model("m", crisis(dt.symbols("war")), [dt.Parameter("war", 0.5)], concept="nsh")

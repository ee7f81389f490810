"""What the models of bargaining, stochastic choice and reputation claim."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from tests.model_comparison import quantities as ask

both_routes = pytest.mark.parametrize("route", ["closed_form", "solved"])


def falls(values) -> bool:
    return all(b <= a + 1e-9 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


def rises(values) -> bool:
    return falls([-x for x in values])


# ---------------------------------------------------------------- risk and return


@both_routes
def test_war_falls_in_the_cost_of_war_and_in_the_lowest_type_and_not_in_power(route):
    base = {"p": 0.4, "c_A": 0.1, "lo": 0.05, "hi": 0.5}
    assert falls([ask("RRT", route, **{**base, "c_A": x})["P_war"] for x in (0, 0.1, 0.2, 0.3, 0.45)])
    assert falls([ask("RRT", route, **{**base, "lo": x})["P_war"] for x in (0, 0.1, 0.15, 0.2, 0.3)])
    levels = [ask("RRT", route, **{**base, "p": x})["P_war"] for x in (0.1, 0.3, 0.5)]
    assert np.ptp(levels) < 1e-9


@both_routes
def test_war_rises_with_the_spread_of_types(route):
    chances = [ask("RRT", route, p=0.4, c_A=0.05, lo=0.25 - s, hi=0.25 + s)["P_war"] for s in (0.05, 0.1, 0.15, 0.25)]
    assert rises(chances)


@given(seed=st.integers(0, 10**6))
def test_war_is_possible_iff_the_highest_type_is_far_enough_above_the_lowest(seed):
    values = dt.models.get("RRT").draw(np.random.default_rng(seed))
    found = ask("RRT", "solved", **values)
    assert (found["P_war"] > 1e-9) == (values["hi"] - values["c_A"] > 2 * values["lo"])


@both_routes
def test_the_risky_demand_is_made_below_the_threshold_share_of_resolved_types(route):
    base = {"p": 0.5, "c_A": 0.1, "c_low": 0.1, "c_high": 0.3}
    below, above = (ask("RRT2", route, pi=0.5 + x, **base) for x in (-0.001, 0.001))
    assert below["pi_star"] == pytest.approx(0.5)
    assert below["demand"] == pytest.approx(0.8)
    assert below["P_war"] == pytest.approx(0.499)
    assert above["demand"] == pytest.approx(0.6)
    assert above["P_war"] == 0  # jumps down at the threshold
    assert abs(below["EU_challenger"] - above["EU_challenger"]) < 1e-3  # A is indifferent there


@both_routes
def test_an_ally_that_is_rightly_believed_changes_the_demand_and_not_the_likelihood_of_war(route):
    base = {"p": 0.6, "c_A": 0.1, "lo": 0.02, "hi": 0.4}
    alone = ask("RRT", route, **base)
    for q in (0, 0.3, 1):
        found = ask("RRT3", route, Delta=0.3, q=q, q_hat=q, **base)
        assert found["P_war"] == pytest.approx(alone["P_war"], abs=1e-9)
        assert found["demand"] == pytest.approx(alone["demand"] - 0.3 * q, abs=1e-9)


@both_routes
def test_underestimated_reliability_adds_war_in_proportion_and_overestimated_subtracts(route):
    base = {"p": 0.6, "Delta": 0.3, "c_A": 0.1, "lo": 0, "hi": 0.4, "q": 0.5}
    right = ask("RRT3", route, q_hat=0.5, **base)["P_war"]
    for gap in (-0.3, -0.1, 0.1, 0.3):
        found = ask("RRT3", route, q_hat=0.5 - gap, **base)["P_war"]
        assert found - right == pytest.approx(gap * 0.3 / 0.4, abs=1e-9)


@both_routes
def test_myths_about_an_ally_bring_certain_war_or_certain_peace(route):
    base = {"p": 0.9, "Delta": 0.8, "c_A": 0.0, "lo": 0.0, "hi": 0.1}
    assert ask("RRT3", route, q=1, q_hat=0.2, **base)["P_war"] == pytest.approx(1)
    assert ask("RRT3", route, q=0.2, q_hat=1, **base)["P_war"] == pytest.approx(0)


# ---------------------------------------------------------------- optimism, aid, a closing window


@both_routes
def test_a_bargain_is_lost_where_optimism_exceeds_the_costs_of_war(route):
    below, above = (ask("MOPT", route, pA_own=0.68 + x, pB_of_A=0.5, c_A=0.1, c_B=0.08) for x in (-1e-6, 1e-6))
    assert (below["bargain_exists"], above["bargain_exists"]) == (1, 0)
    assert falls([ask("MOPT", route, pA_own=x, pB_of_A=0.5)["range_width"] for x in (0.3, 0.5, 0.7, 0.9)])


@both_routes
def test_aid_emboldens_until_it_deters(route):
    t = (0, 0.05, 0.1, 0.15, 0.199)
    base = {"p": 0.6, "c_A": 0.1, "C": 0.5, "s": 0.55, "kappa": 0.03}
    assert rises([ask("MHAZ", route, t=x, **base)["P_war"] for x in t])
    assert falls([ask("MHAZ", route, t=x, **base)["EU_crisis"] for x in (*t, 0.3, 0.5)])
    beyond = [ask("MHAZ", route, t=x, **base) for x in (0.201, 0.3, 0.45, 0.7)]
    assert all(found["P_war"] == 0 and found["challenge"] == 0 for found in beyond)
    assert rises([found["P_war_given_crisis"] for found in beyond])  # a crisis, should it come, is the more dangerous
    assert beyond[0]["t_bar"] == pytest.approx(0.2)


@both_routes
def test_aid_beyond_all_costs_of_war_makes_every_type_fight(route):
    found = ask("MHAZ", route, t=0.7, p=0.6, c_A=0.1, C=0.5, s=0.3, kappa=0.03)
    assert found["P_war_given_crisis"] == pytest.approx(1)
    assert found["EU_crisis"] == pytest.approx(0.6 - 0.1 - 0.03)
    assert found["challenge"] == 1
    assert found["t_bar"] is None  # A gains from a war that is certain: no aid deters


@both_routes
def test_without_a_risk_worth_taking_aid_only_lowers_the_demand(route):
    found = ask("MHAZ", route, t=0.1, p=0.6, c_A=0.6, C=0.3, s=0.45, kappa=0.0)
    assert found["P_war_given_crisis"] == pytest.approx(0, abs=1e-9)
    assert found["EU_crisis"] == pytest.approx(0.5)
    assert found["t_bar"] == pytest.approx(0.15)


@both_routes
def test_a_closing_window_brings_war_if_the_future_matters_enough(route):
    base = {"p1": 0.7, "p2": 0.3, "c_A": 0.1}
    below, above = (ask("PREV", route, delta=0.5 + x, **base) for x in (-1e-6, 1e-6))
    assert (below["war"], above["war"]) == (0, 1)
    assert falls([ask("PREV", route, p1=0.7, p2=x, c_A=0.1, delta=0.9)["delta_star"] for x in (0.6, 0.4, 0.2, 0)])


@both_routes
def test_the_bargain_lies_between_the_war_payoffs_and_rises_with_weight(route):
    shares = [ask("NASHB", route, p=0.6, c_A=0.1, c_B=0.2, weight_A=w)["share_A"] for w in (0, 0.2, 0.5, 0.9, 1)]
    assert rises(shares)
    assert shares[0] == pytest.approx(0.5, abs=1e-7)
    assert shares[-1] == pytest.approx(0.8, abs=1e-7)


# ---------------------------------------------------------------- stochastic choice

CRISIS = {"A": {"sq": 0, "win": 1, "back": -0.3, "war": -0.6}, "D": {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0}}


@both_routes
def test_without_precision_every_move_is_a_toss_up_and_with_infinite_precision_subgame_perfect(route):
    blind = ask("SIGN", route, lam=0, **CRISIS)
    assert [blind[f"P_{x}"] for x in ("attack", "resist", "fight")] == pytest.approx([0.5] * 3)
    for lam in ("infinity", 500):
        sharp = ask("SIGN", route, lam=lam, **CRISIS)
        assert ask("CID", route, **CRISIS)["outcome"] == "SQ"
        assert sharp["P_SQ"] == pytest.approx(1, abs=1e-9)
        assert [sharp[f"P_{x}"] for x in ("attack", "resist", "fight")] == pytest.approx([0, 1, 0], abs=1e-9)


@both_routes
def test_outcomes_are_exhaustive(route):
    found = ask("SIGN", route, lam=3, **CRISIS)
    assert sum(found[f"P_{x}"] for x in ("SQ", "concession", "backdown", "war")) == pytest.approx(1)


def test_logit_chances_are_those_of_extreme_value_errors():
    rng = np.random.default_rng(3)
    lam, draws = 2.0, 400_000
    A, D = CRISIS["A"], CRISIS["D"]
    errors = rng.gumbel(size=(6, draws)) / lam
    found = ask("SIGN", lam=lam, **CRISIS)
    fight = A["war"] + errors[0] > A["back"] + errors[1]
    worth = found["P_fight"] * D["war"] + (1 - found["P_fight"]) * D["win"]
    resist = worth + errors[2] > D["yield"] + errors[3]
    opposed = found["P_fight"] * A["war"] + (1 - found["P_fight"]) * A["back"]
    attack = found["P_resist"] * opposed + (1 - found["P_resist"]) * A["win"] + errors[4] > A["sq"] + errors[5]
    for name, event in (("fight", fight), ("resist", resist), ("attack", attack)):
        assert event.mean() == pytest.approx(found[f"P_{name}"], abs=4e-3)
    assert (attack & resist & fight).mean() == pytest.approx(found["P_war"], abs=4e-3)


HYBRID = {"A": [[-1, 2], [0, 0]], "B": [[0.5, -2], [-0.5, 0]]}


@both_routes
def test_quantal_responses_go_from_a_coin_toss_to_nash(route):
    found = [ask("QRE", route, lam=lam, **HYBRID) for lam in (0, 1e-6, 200, "infinity")]
    assert (found[0]["p_row_first"], found[0]["q_col_first"]) == (0.5, 0.5)
    assert found[1]["p_row_first"] == pytest.approx(0.5, abs=1e-5)
    assert found[2]["p_row_first"] == pytest.approx(1 / 6, abs=0.02)
    assert (found[3]["p_row_first"], found[3]["q_col_first"]) == pytest.approx((1 / 6, 2 / 3), abs=1e-12)


@both_routes
def test_a_players_own_payoffs_move_its_quantal_response_and_not_its_nash_strategy(route):
    better = {**HYBRID, "A": [[-1, 4], [0, 0]]}
    assert ask("QRE", route, lam=2, **better)["p_row_first"] > ask("QRE", route, lam=2, **HYBRID)["p_row_first"] + 0.01
    nash = [ask("QRE", route, lam="infinity", **game)["p_row_first"] for game in (HYBRID, better)]
    assert nash[0] == pytest.approx(nash[1])


@both_routes
def test_the_principal_branch_of_a_coordination_game_selects_the_risk_dominant_equilibrium(route):
    stag = [[4, 0], [3, 3]]
    found = ask("QRE", route, A=stag, B=np.transpose(stag).tolist(), lam="infinity")
    assert (found["p_row_first"], found["q_col_first"]) == (0, 0)
    near = ask("QRE", route, A=stag, B=np.transpose(stag).tolist(), lam=20)
    assert near["p_row_first"] < 1e-6


@given(seed=st.integers(0, 10**6))
def test_a_branch_on_which_the_players_first_pull_apart_is_followed(seed):
    rng = np.random.default_rng(seed)
    a, b = float(rng.uniform(0.1, 0.45)), float(rng.uniform(0.55, 0.9))  # where row and column are indifferent
    game = {"A": [[1 - a, 0], [0, a]], "B": [[1 - b, 0], [0, b]], "lam": float(rng.uniform(0.5, 12))}
    formula, solver = ask("QRE", **game), ask("QRE", "solved", **game)
    assert solver["p_row_first"] == pytest.approx(formula["p_row_first"], abs=1e-8)
    p, q = formula["p_row_first"], formula["q_col_first"]
    assert np.log(p / (1 - p)) == pytest.approx(game["lam"] * (q - a), abs=1e-8)


# ---------------------------------------------------------------- private payoffs

SEVERAL = {"S_A": 0, "V_A": 0.52, "C_B": 0, "W_A": -1.08, "W_B": -2.57, "a": -0.43, "V_B": 0.41, "sigma": 0.46}


@both_routes
def test_all_equilibria_of_the_crisis_with_private_payoffs_are_reported_in_order(route):
    found = ask("LS", route, **SEVERAL)["equilibria"]
    assert len(found) == 3
    assert rises([e["p_R"] for e in found])
    for e in found:
        ends = ("P_SQ", "P_concession", "P_standfirm_war", "P_backdown")
        assert sum(e[name] for name in ends) == pytest.approx(1)


@both_routes
def test_equilibria_with_private_payoffs_meet_the_equations(route):
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    shocks = rng.normal(size=(2, 1_000_000)) * SEVERAL["sigma"]
    for e in ask("LS", route, **SEVERAL)["equilibria"][:2]:
        war, back = SEVERAL["W_A"] + shocks[0], SEVERAL["a"] + shocks[1]
        c = (SEVERAL["S_A"] - (1 - e["p_R"]) * SEVERAL["V_A"]) / e["p_R"]
        challenges = np.maximum(war, back) > c
        assert challenges.mean() == pytest.approx(e["p_C"], abs=2e-3)
        assert (challenges & (war > back)).mean() / challenges.mean() == pytest.approx(e["p_F"], abs=3e-3)
        indifferent = (SEVERAL["C_B"] - (1 - e["p_F"]) * SEVERAL["V_B"]) / e["p_F"]
        assert norm.sf((indifferent - SEVERAL["W_B"]) / SEVERAL["sigma"]) == pytest.approx(e["p_R"], abs=1e-9)


@both_routes
def test_rare_challenges_keep_their_digits(route):
    found = ask("LS", route, W_A=-8, a=-8.5, W_B=0.2, S_A=0, V_A=1)["equilibria"]
    assert len(found) == 1
    assert 0 < found[0]["p_C"] < 1e-10
    assert found[0]["p_F"] == pytest.approx(ask("LS", W_A=-8, a=-8.5, W_B=0.2)["equilibria"][0]["p_F"], rel=1e-6)


# ---------------------------------------------------------------- reputation


@both_routes
def test_a_tiny_doubt_protects_for_most_of_a_long_horizon(route):
    found = ask("CHAIN", route, delta=0.001, N=40, b=0.5, a=2)
    assert found["k_star"] == 9
    assert all(found["P_challenge_by_n"][str(n)] == 0 for n in range(10, 41))
    assert found["P_challenge_by_n"]["9"] == pytest.approx(1)
    # challenges cluster at the end: with more challengers there are no more challenges
    assert found["expected_challenges"] == pytest.approx(
        ask("CHAIN", route, delta=0.001, N=20, b=0.5, a=2)["expected_challenges"]
    )


@both_routes
def test_a_reputation_above_all_thresholds_is_never_tested_and_one_below_all_from_the_start(route):
    never = ask("CHAIN", route, delta=0.7, N=5, b=0.6, a=3)
    assert (never["k_star"], never["expected_challenges"], never["expected_fights"]) == (0, 0, 0)
    early = ask("CHAIN", route, delta=0.01, N=3, b=0.6, a=3)
    assert early["k_star"] == 3
    assert early["P_challenge_by_n"]["3"] == pytest.approx(1)
    assert early["P_fight_by_n"]["3"] == pytest.approx(0.01 / 0.6**2)


@both_routes
def test_a_failure_makes_all_later_challenges_certain_and_a_fight_restores_reputation(route):
    found = ask("CHAIN", route, p=0.2, n=4, b=0.6)
    assert found["posterior_after_yield"] == 0
    assert found["posterior_after_fight"] == pytest.approx(0.6**3)
    assert ask("CHAIN", route, p=0.3, n=4, b=0.6)["weak_fight_probability"] == 1
    assert ask("CHAIN", route, p=0.3, n=1, b=0.6)["weak_fight_probability"] == 0
    assert rises([ask("CHAIN", route, p=x, n=4, b=0.6)["weak_fight_probability"] for x in (0.01, 0.05, 0.1, 0.2, 0.25)])


def two_challengers(delta: float, b: float, a: float) -> dt.ExtensiveGame:
    """Return the tree of two challengers, with the last fight of the weak defender for it to choose."""

    def last(kind: str, seen: str, paid: float, first: float):
        def ends(challenger: float, gets: float, name: str):
            return dt.end(f"{kind} {seen} {name}", First=first, Second=challenger, Defender=paid + gets)

        if kind == "tough":
            comes = ends(b - 1, 0, "fight")
        else:
            comes = dt.move("Defender", infoset=f"second, after {seen}", actions={
                "fight": ends(b - 1, -1, "fight"), "concede": ends(b, 0, "concede")})  # fmt: skip
        return dt.move("Second", infoset=seen, actions={
            "out": ends(0, a if kind == "weak" else 0, "out"), "in": comes})  # fmt: skip

    def early(kind: str):
        if kind == "tough":
            comes = last(kind, "fight", 0, b - 1)
        else:
            comes = dt.move("Defender", infoset="first", actions={
                "fight": last(kind, "fight", -1, b - 1), "concede": last(kind, "concession", 0, b)})  # fmt: skip
        return dt.move("First", infoset="start", actions={
            "out": last(kind, "out", a if kind == "weak" else 0, 0), "in": comes})  # fmt: skip

    root = dt.chance({"tough": (delta, early("tough")), "weak": (1 - delta, early("weak"))})
    return dt.ExtensiveGame(("First", "Second", "Defender"), root)


@both_routes
@pytest.mark.parametrize("delta", [0.1, 0.35])
def test_the_tree_of_two_challengers_has_the_equilibrium(route, delta):
    b, a = 0.5, 2.0
    stated = ask("CHAIN", route, delta=delta, N=2, b=b, a=a)
    solution = dt.sequential(two_challengers(delta, b, a))
    plays = {round(e.strategies["First"]["start"]["in"], 9) for e in solution}
    assert plays == {stated["P_challenge_by_n"]["2"]}
    if stated["P_challenge_by_n"]["2"]:
        reply = ask("CHAIN", route, p=delta, n=2, b=b)["weak_fight_probability"]
        assert all(e.strategies["Defender"]["first"]["fight"] == pytest.approx(reply) for e in solution)
        assert all(e.strategies["Second"]["fight"]["out"] == pytest.approx(1 / a) for e in solution)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("id", "params", "message"),
    [
        ("RRT", {"lo": 0.4, "hi": 0.3}, "RRT requires lo < hi"),
        ("RRT", {"p": 0.8, "hi": 0.4}, r"RRT requires p \+ hi <= 1"),
        ("RRT", {"p": 1.2}, r"p must lie in \[0, 1\]"),
        ("RRT2", {"c_low": 0.3, "c_high": 0.2}, "RRT2 requires c_low < c_high"),
        ("RRT3", {"p": 0.2, "Delta": 0.5, "q": 0.8}, r"RRT3 requires p - q \* Delta >= 0"),
        ("MOPT", {"pA_own": -0.1}, r"pA_own must lie in \[0, 1\]"),
        ("MHAZ", {"t": -0.1}, r"t must lie in \[0, 10\]"),
        ("PREV", {"p1": 0.3, "p2": 0.5}, "PREV requires p2 < p1"),
        ("NASHB", {"c_A": 0, "c_B": 0}, r"NASHB requires c_A \+ c_B > 0"),
        ("SIGN", {"lam": -1}, "lam must lie in"),
        ("QRE", {"A": [[1, 2, 3], [0, 0, 0]]}, "two rows and two columns"),
        ("QRE", {"A": [[1, 2], [1, 0]], "lam": "infinity"}, "without ties"),
        ("LS", {"S_A": 2, "V_A": 1}, "LS requires S_A < V_A"),
        ("LS", {"sigma": 0}, "sigma must lie in"),
        ("CHAIN", {"a": 1}, "CHAIN requires a > 1"),
        ("CHAIN", {"b": 1.5}, "b must lie in"),
        ("CHAIN", {"N": 2.5}, "N must be a whole number"),
    ],
)
@both_routes
def test_inadmissible_parameters_are_refused(route, id, params, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(id, route, **params)

"""What the models of brinkmanship, trust, tripwires, faits accomplis, attribution and cheap talk claim."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.continuous import Best, ContinuousGame, Uniform
from deterrence.models import salami_tactics
from deterrence.models.baliga_sjostrom_2004 import arming
from deterrence.models.kydd_2005 import two_rounds
from deterrence.models.waiting_times import Exponential, KthOfMany
from deterrence.solvers.algebra.thresholds import best_response_iteration, expectation
from deterrence.solvers.cutpoints import cutpoints
from tests.model_comparison import quantities as ask

ROUTES = ("closed_form", "solved")
both_routes = pytest.mark.parametrize("route", ROUTES)
seeds = st.integers(0, 10**6)
MISSILES = {"u_sq": -2, "u_win": 1, "u_war": -10, "s_sq": 2, "s_withdraw": -4, "s_war": -8}


def falls(values) -> bool:
    return all(b <= a + 1e-12 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


def rises(values) -> bool:
    return falls([-x for x in values])


# ---------------------------------------------------------------- critical risk


@both_routes
def test_a_player_stands_firm_up_to_its_critical_risk(route):
    stakes = {"win": 1, "concede": 0, "disaster": -4}
    firm = ask("CRISK", route, risk=[0, 0.19, 0.21, 1], **stakes)["stand_firm"]
    assert firm == [1, 1, 0, 0]
    assert falls(ask("CRISK", route, disaster=[-1, -4, -9])["critical_risk"])
    assert falls(ask("CRISK", route, concede=[-3, 0, 0.9])["critical_risk"])


@given(scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_units_of_payoff_do_not_matter_to_critical_risk(scale, shift):
    moved = {name: scale * x + shift for name, x in {"win": 1, "concede": 0, "disaster": -4}.items()}
    assert ask("CRISK", "solved", **moved)["critical_risk"] == pytest.approx(0.2)


def test_critical_risk_needs_its_ordering():
    with pytest.raises(dt.ParameterError, match="disaster < concede < win"):
        ask("CRISK", win=0, concede=1)


# ---------------------------------------------------------------- a threat that leaves something to chance


@both_routes
def test_missile_crisis(route):
    found = ask("BRINK", route, p_hard=0.3, **MISSILES)
    assert found["q_effective"] == pytest.approx(0.6)
    assert found["p_max_pure_threat"] == pytest.approx(3 / 11)
    assert found["p_max_brinkmanship"] == pytest.approx(5 / 13)
    assert found["P_disaster"] == pytest.approx(0.18)


@both_routes
def test_a_risk_is_usable_where_a_certain_threat_is_not_and_not_beyond(route):
    pure, brink = 3 / 11, 5 / 13
    shares = [pure - 0.01, pure + 0.01, brink - 0.01, brink + 0.01]
    certain = ask("BRINK", route, q=1, p_hard=shares, **MISSILES)["threatens"]
    risky = ask("BRINK", route, q=0.6001, p_hard=shares, **MISSILES)["threatens"]
    assert certain == [1, 0, 0, 0]
    assert risky == [1, 1, 1, 0]
    found = ask("BRINK", route, p_hard=shares, **MISSILES)
    assert found["feasible"] == risky
    assert rises(found["P_disaster"][:3])
    assert found["P_disaster"][3] == 0  # falls to nothing where no risk is acceptable


@both_routes
def test_the_soft_target_withdraws_from_the_effective_risk_on(route):
    found = ask("BRINK", route, q=[0.3, 0.59, 0.61, 1], p_hard=0.2, **MISSILES)
    assert found["withdraws"] == [0, 0, 1, 1]
    assert found["P_withdrawal"] == pytest.approx([0, 0, 0.8, 0.8])
    assert found["P_disaster"] == pytest.approx([0, 0, 0.2 * 0.61, 0.2])


@both_routes
def test_a_target_that_fears_withdrawing_more_than_war_heeds_no_risk(route):
    found = ask("BRINK", route, p_hard=0.01, **{**MISSILES, "s_withdraw": -9})
    assert found["q_effective"] > 1
    assert (found["feasible"], found["P_disaster"]) == (0, 0)


@both_routes
def test_every_risk_is_acceptable_against_a_target_that_is_soft_for_sure(route):
    assert ask("BRINK", route, p_hard=0, **MISSILES)["q_acceptable"] == math.inf


def test_threat_needs_its_orderings():
    with pytest.raises(dt.ParameterError, match="u_war < u_sq < u_win"):
        ask("BRINK", u_war=0)
    with pytest.raises(dt.ParameterError, match="s_war < s_sq"):
        ask("BRINK", s_war=3)
    with pytest.raises(dt.ParameterError, match=r"p_hard must lie in \[0, 1\]"):
        ask("BRINK", p_hard=1.1)


# ---------------------------------------------------------------- war of attrition in risk


def test_quitting_times_are_best_responses():
    """A type that quits when another type w should does best with w = its own."""
    D, v = 0.7, 0.6

    def stay(w):  # win v when a lower type quits before any disaster; a disaster costs D
        def quits(s: float) -> float:
            return ask("NALE", v=float(s), D=D)["quit_time"]

        won = expectation(lambda s: v * math.exp(-quits(s)), Uniform(0, 1), high=float(w))
        # disaster before the lower of both quits
        lost = expectation(lambda s: 1 - math.exp(-quits(min(s, float(w)))), Uniform(0, 1), high=0.999999)
        return won - D * lost

    types = np.linspace(0.4, 0.8, 41)
    payoffs = [stay(w) for w in types]
    assert types[int(np.argmax(payoffs))] == pytest.approx(v, abs=0.011)


def test_simulated_crises_end_in_disaster_as_often_as_computed():
    rng = np.random.default_rng(1)
    n, D = 200_000, 1.3
    for F, types in (("U[0,1]", rng.uniform(size=(2, n))), ("exponential", rng.exponential(size=(2, n)))):
        low = types.min(axis=0)
        quits = (-low - np.log1p(-low)) / D if F == "U[0,1]" else low**2 / (2 * D)
        share = float(np.mean(rng.exponential(size=n) < quits))
        assert ask("NALE", "solved", F=F, D=D)["P_disaster"] == pytest.approx(share, abs=0.004)


def test_disaster_is_as_likely_as_published():
    assert ask("NALE", "solved", F="U[0,1]", D=1)["P_disaster"] == pytest.approx(11 - 4 * math.e, abs=1e-10)


@given(scale=st.floats(0.2, 5))
@settings(max_examples=5)
def test_units_of_the_prize_do_not_matter(scale):
    """Prizes and losses k times as large leave the times, and so the risk of disaster, as they are."""
    one = ask("NALE", "solved", F="exponential", rate=1, D=1, v=0.5)
    other = ask("NALE", "solved", F="exponential", rate=1 / scale, D=scale, v=0.5 * scale)
    assert other["P_disaster"] == pytest.approx(one["P_disaster"], abs=1e-9)
    assert other["quit_time"] == pytest.approx(one["quit_time"], abs=1e-9)


def test_speed_of_escalation_does_not_matter():
    """Disaster at rate r instead of 1 makes all quit r times as early: the risk run is the same."""
    r, D = 3.0, 0.8
    slow = ask("NALE", "solved", D=D)

    def quits(s: float) -> float:  # the condition of indifference with risk r D
        return expectation(lambda x: x / ((1 - x) * r * D), Uniform(0, 1), high=s)

    assert quits(0.5) == pytest.approx(slow["quit_time_v_half"] / r)
    calm = expectation(lambda s: 2 * (1 - s) * math.exp(-r * quits(float(s))), Uniform(0, 1), high=0.9999999)
    assert 1 - calm == pytest.approx(slow["P_disaster"], abs=1e-7)


@both_routes
def test_a_worse_disaster_makes_both_quit_earlier_and_disaster_rarer(route):
    for F in ("U[0,1]", "exponential"):
        found = ask("NALE", route, F=F, D=[0.5, 1, 2])
        assert falls(found["quit_time_v_half"])
        assert falls(found["P_disaster"])
    assert rises(ask("NALE", route, v=[0.1, 0.5, 0.9])["quit_time"])


def test_attrition_needs_a_known_distribution_and_a_type_within_it():
    for route in ROUTES:
        with pytest.raises(dt.ParameterError, match="v < 1 where prizes are uniform"):
            ask("NALE", route, v=1.2)
    with pytest.raises(dt.ParameterError, match="F must be one of"):
        ask("NALE", F="normal")
    with pytest.raises(dt.ParameterError, match="D must lie in"):
        ask("NALE", D=0)


# ---------------------------------------------------------------- fear multiplier


@given(seed=seeds)
def test_iteration_from_the_dominance_region_ends_at_the_cutoff(seed):
    p = dt.models.get("BS04").draw(np.random.default_rng(seed))
    costs = Uniform(0, p["c_bar"])

    def respond(c):  # the cost at which a state is indifferent if the other's cutoff is c
        armed = costs.cdf(c)
        return np.minimum(arming(0.0, armed, p["mu"], p["d"]), p["c_bar"])

    found = best_response_iteration(respond, [p["mu"]], tol=1e-12)
    assert ask("BS04", **p)["cutoff"] == pytest.approx(min(float(found[0]), p["c_bar"]), abs=1e-8 * p["c_bar"])


@both_routes
def test_fear_arms_all_however_small_the_gain_of_arming(route):
    small = [1e-1, 1e-3, 1e-5]
    assert ask("BS04", route, mu=small, d=1.2, c_bar=1)["P_arm"] == pytest.approx([1, 1, 1])
    vanishing = ask("BS04", route, mu=small, d=0.8, c_bar=1)["P_arm"]
    assert falls(vanishing)
    assert vanishing[-1] < 1e-4
    jump = ask("BS04", route, mu=1e-6, d=[0.99, 1.01], c_bar=1)  # jumps at d = c_bar as mu vanishes
    assert jump["P_arm"][0] < 1e-3
    assert jump["P_arm"][1] == 1
    assert jump["multiplier_condition"] == [0, 1]


@both_routes
def test_arming_rises_in_both_motives(route):
    assert rises(ask("BS04", route, mu=[0.05, 0.1, 0.3], d=0.8, c_bar=1)["P_arm"])
    assert rises(ask("BS04", route, mu=0.1, d=[0.3, 0.6, 0.9], c_bar=1)["P_arm"])


def test_arming_alone_gains_less_than_it_loses():
    with pytest.raises(dt.ParameterError, match="0 < mu < d"):
        ask("BS04", mu=1, d=0.5)


# ---------------------------------------------------------------- trust and reassurance


@both_routes
def test_the_trustworthy_cooperate_from_the_least_trust_on(route):
    own = {"R": 4, "T": 3, "P": 1, "S": -1}
    assert ask("TRUST", route, t=[0.5, 0.66, 0.67, 1], **own)["cooperate"] == [0, 0, 1, 1]
    assert rises(ask("TRUST", route, T=[2, 3, 3.9], R=4, P=1, S=-1)["min_trust"])
    assert rises(ask("TRUST", route, S=[0.5, -1, -4], R=4, T=3, P=1)["min_trust"])


@given(seed=seeds)
@settings(max_examples=25)
def test_first_steps_are_those_at_which_no_plan_does_better(seed):
    p = dt.models.get("REAS").draw(np.random.default_rng(seed))
    found = ask("REAS", **p)
    plans = [(first, then) for first in (0, 1) for then in product((0, 1), (0, 1))]

    def content(alpha, own, plan):
        best = max(two_rounds(*other, alpha, p["t"], own) for other in plans)
        return two_rounds(*plan, alpha, p["t"], own) >= best - 1e-9

    for alpha in np.linspace(0.0005, 0.9995, 60):
        separates = content(alpha, p["good"], (1, (0, 1))) and content(alpha, p["bad"], (0, (0, 0)))
        edge = min(abs(alpha - found["alpha_min"]), abs(alpha - found["alpha_max"]))
        if edge > 1e-6:
            assert separates == (found["alpha_min"] < alpha < found["alpha_max"])


@both_routes
def test_more_trust_asks_for_a_larger_first_step_and_bears_it(route):
    found = [ask("REAS", route, t=t) for t in (0.1, 0.3, 0.5, 0.55)]
    assert rises([x["alpha_min"] for x in found])
    assert rises([x["alpha_max"] for x in found])


@both_routes
def test_reassurance_fails_where_exploiters_gain_too_much(route):
    assert ask("REAS", route, t=0.3)["exists"] == 1
    tempted = ask(
        "REAS", route, t=0.3, bad={"R": 3.9, "T": 4, "P": -0.9, "S": -1}, good={"R": 3, "T": 2.9, "P": 1, "S": -9}
    )
    assert tempted["alpha_min"] > tempted["alpha_max"]
    assert tempted["exists"] == 0


def test_trust_needs_its_orderings():
    with pytest.raises(dt.ParameterError, match="T < R"):
        ask("TRUST", R=1, T=2)
    with pytest.raises(dt.ParameterError, match="S < P"):
        ask("TRUST", P=-2)
    with pytest.raises(dt.ParameterError, match=r"bad\.S < bad\.P < bad\.R < bad\.T"):
        ask("REAS", bad={"R": 5, "T": 4, "P": 1, "S": -1})
    with pytest.raises(dt.ParameterError, match=r"good\.T < good\.R"):
        ask("REAS", good={"R": 3, "T": 4, "P": 1, "S": -1})


# ---------------------------------------------------------------- two audiences


@given(seed=seeds)
def test_exactly_the_commitments_in_the_window_deter_and_restrain(seed):
    rng = np.random.default_rng(seed)
    p = dt.models.get("AMBIG").draw(rng)
    low, high = ask("AMBIG", **p)["window"]
    q = float(rng.uniform(0, 1))
    found = ask("AMBIG", "solved", q=q, **p)
    assert (found["P_attack"] == 0 == found["P_provocation"]) == (low <= q <= high)


@both_routes
def test_misperception_narrows_the_window_by_its_sum(route):
    right = ask("AMBIG", route)
    wrong = ask("AMBIG", route, b_A=0.1, b_P=0.05)
    assert right["window_width"] - wrong["window_width"] == pytest.approx(0.15)
    assert ask("AMBIG", route, b_A=0.2, b_P=0.15)["feasible"] == 0


@both_routes
def test_the_best_commitment_rises_with_the_loss_from_an_attack_until_it_is_full(route):
    found = ask("AMBIG", route, mode="minimise L_A(1-q)+L_P q^2", L_A=[0.5, 1, 2, 4], L_P=1)
    assert found["q_opt"] == pytest.approx([0.25, 0.5, 1, 1], abs=1e-9)
    assert found["loss"] == pytest.approx([0.4375, 0.75, 1, 1])


def test_audiences_need_their_ordering():
    with pytest.raises(dt.ParameterError, match="L < S < W"):
        ask("AMBIG", W=-1)
    with pytest.raises(dt.ParameterError, match="H must lie in"):
        ask("AMBIG", H=-1)


# ---------------------------------------------------------------- tripwires


@both_routes
def test_war_is_hump_shaped_in_troops(route):
    base = {"b": 0.1, "t": 0.2, "K": 1.5, "V": 1, "c": 1.2}
    found = ask("TRIP", route, T=np.linspace(0, 6, 31).tolist(), **base)
    top = int(np.argmax(found["P_war"]))
    assert 0 < top < 30
    assert rises(found["P_war"][: top + 1])
    assert falls(found["P_war"][top:])
    assert rises(found["P_intervene"])
    assert falls(found["P_attack"])
    peak = ask("TRIP", route, mode="maximise P_war over T", **base)
    assert peak["P_war_max"] == pytest.approx(1 / 4.8)
    assert max(found["P_war"]) <= peak["P_war_max"] + 1e-12


@both_routes
def test_troops_that_do_not_bind_change_nothing(route):
    found = ask("TRIP", route, T=[0, 10, 1000], t=0)
    assert found["P_attack"] == pytest.approx([found["P_attack"][0]] * 3)


@both_routes
def test_the_smallest_force_just_deters_a_known_gain(route):
    mode = "minimum T that deters a known v"
    base = {"b": 0.3, "t": 0.2, "K": 1.5, "c": 1.2}
    star = ask("TRIP", route, mode=mode, v=0.8, **base)["T_star"]
    for more, sign in ((-0.01, 1), (0.01, -1)):
        gain = 0.8 - ask("TRIP", route, T=star + more, V=1, **base)["P_intervene"] * 1.2
        assert np.sign(gain) == sign
    assert rises(ask("TRIP", route, mode=mode, v=[0.3, 0.6, 1.1], **base)["T_star"])
    assert ask("TRIP", route, mode=mode, v=0.1, **base)["T_star"] == 0
    assert ask("TRIP", route, mode=mode, v=1.3, **base)["T_star"] is None


def test_tripwire_needs_its_ranges():
    with pytest.raises(dt.ParameterError, match="T must lie in"):
        ask("TRIP", T=-1)
    with pytest.raises(dt.ParameterError, match="TRIP requires t > 0"):
        ask("TRIP", mode="minimum T that deters a known v", t=0)
    with pytest.raises(dt.ParameterError, match="TRIP has no mode 'anything else'; its modes are"):
        ask("TRIP", mode="anything else")


# ---------------------------------------------------------------- fait accompli


@given(seed=seeds)
def test_seizing_beats_asking_iff_moving_first_is_worth_its_cost(seed):
    p = dt.models.get("FAIT").draw(np.random.default_rng(seed))
    payoffs = ask("FAIT", "solved", **p)["payoffs"]
    assert (payoffs["fait_accompli"] > payoffs["coercion"]) == (p["delta"] > p["f"])


@both_routes
def test_each_choice_is_made_where_it_is_best(route):
    found = ask("FAIT", route, s=[0.6, 0.35, 0.35], delta=[0.15, 0.15, 0.1], f=[0.05, 0.05, 0.15])
    assert found["choice"] == ["status_quo", "fait_accompli", "coercion"]
    assert found["P_war"] == [0, 0, 0]


@both_routes
def test_private_costs_bring_the_risk_of_war_that_bargaining_does(route):
    found = ask("FAIT", route, p=0.3, delta=0.15, f=0.05, s=0.2, C=0.4, c_A=0.1)
    bargain = ask("RRT", route, p=0.3, c_A=0.1, lo=0, hi=0.4)
    assert found["payoffs"]["coercion"] == pytest.approx(bargain["EU_challenger"])
    assert found["P_war"] == pytest.approx(bargain["P_war"])
    named = ask("FAIT", route, mode="c_D ~ U[0,C]", p=0.3, delta=0.15, f=0.05, s=0.2, C=0.4, c_A=0.1)
    assert named == found
    assert ask("FAIT", route, s=0.9, C=0.4, c_A=0.1)["P_war"] == 0


def test_fait_accompli_needs_a_probability():
    with pytest.raises(dt.ParameterError, match=r"p \+ delta <= 1"):
        ask("FAIT", p=0.9, delta=0.2)


# ---------------------------------------------------------------- gray zone


@both_routes
def test_a_sharp_line_invites_attacks_just_below_it_that_go_unpunished(route):
    found = ask("GRAY", route, sigma=[0.05, 0.01, 0.001, 0.0001])
    assert rises(found["s_star"])
    assert all(s < 0.5 for s in found["s_star"])
    assert found["s_star"][-1] > 0.499
    assert falls(found["P_response"])
    assert found["P_response"][-1] < 1e-5


@both_routes
def test_some_blur_lowers_the_attack_and_too_much_frees_it(route):
    found = ask("GRAY", route, g=1, R=2, tau=0.9, sigma=[0.02, 0.1, 0.2, 0.82])
    assert falls(found["s_star"][:3])
    assert found["s_star"][3] == 1  # R <= g sigma sqrt(2 pi)
    assert found["interior"][3] is None
    assert found["interior"][2] is not None


@both_routes
def test_small_punishment_invites_the_whole_attack(route):
    assert ask("GRAY", route, g=1, R=0.3, sigma=0.05)["s_star"] == 1


@both_routes
def test_what_is_hardly_recognised_is_always_done_a_little(route):
    found = ask("GRAYP", route, g=1, R=[0.4, 1, 2, 8], m=2)
    assert falls(found["s_star"])
    assert found["s_star"] == pytest.approx([1, 0.5, 0.25, 0.0625], abs=1e-8)
    assert min(found["payoff"]) > 0


def test_gray_zone_needs_its_ranges():
    with pytest.raises(dt.ParameterError, match="sigma must lie in"):
        ask("GRAY", sigma=0)
    with pytest.raises(dt.ParameterError, match="GRAYP requires m > 1"):
        ask("GRAYP", m=1)


# ---------------------------------------------------------------- salami tactics


@both_routes
def test_the_holding_line_is_not_monotone_in_the_cost_of_war(route):
    kept = ask("SALAMI", route, c=[0.1, 0.2, 0.3, 0.45, 0.6], p=0.5)["defender_retains"]
    assert kept == pytest.approx([0.6, 0.4, 0.6, 0.9, 0])


def test_many_slices_come_near_the_limit_from_above():
    limit = ask("SALAMI", c=0.13, p=0.37)
    gaps = []
    for N in (50, 500, 5000):
        found = ask("SALAMI", "solved", c=0.13, p=0.37, N=N)
        assert len(found["red_lines"]) == len(limit["red_lines"])
        gaps.append(found["defender_retains"] - limit["defender_retains"])
    assert falls(gaps)
    assert 0 < gaps[-1] < 2e-3


@given(seed=seeds)
@settings(max_examples=8)
def test_backward_induction_on_the_tree_finds_the_lines_one_by_one(seed):
    rng = np.random.default_rng(seed)
    c, p, N = float(rng.uniform(0.05, 0.6)), float(rng.uniform(0.05, 0.8)), int(rng.integers(2, 20))
    tree = salami_tactics.read_slices(dt.spe(salami_tactics.slicing_tree(c, p, N)), {"N": N})
    lines = salami_tactics.read_slices(cutpoints(salami_tactics.grid_game(c, p, N)), {"N": N})
    assert tree["red_lines"] == pytest.approx(lines["red_lines"])
    first = dt.spe(salami_tactics.slicing_tree(c, p, N))[0]
    kept = first.payoffs["Defender"]
    assert float(kept) == pytest.approx(tree["defender_retains"])  # what is kept is the line that holds


@both_routes
def test_an_indifferent_defender_lets_go(route):
    assert ask("SALAMI", route, c=0.2, p=0.5, N=10)["red_lines"] == [0.5]  # 0.4 is exactly the bound
    assert ask("SALAMI", route, mode="N slices", c=0.2, p=0.5, N=10)["defender_retains"] == 0.5


def test_salami_needs_its_ranges():
    with pytest.raises(dt.ParameterError, match="SALAMI requires p < 1"):
        ask("SALAMI", p=1)
    with pytest.raises(dt.ParameterError, match="c must lie in"):
        ask("SALAMI", c=0)
    with pytest.raises(dt.ParameterError, match="N must be a whole number"):
        ask("SALAMI", N=2.5)


# ---------------------------------------------------------------- reinforcement race


@both_routes
def test_time_lost_in_deciding_is_won_by_the_attacker(route):
    base = {"lam": 0.5, "rho": 2, "tau": 0.1, "N": 5, "k": 3, "nu": 3}

    def late(**params):
        return ask("RACE", route, **{**base, **params})["P_fait_accompli"]

    assert rises(late(tau=[0, 0.5, 2]))
    assert rises(late(k=[0, 1, 3, 5]))  # consensus
    assert falls(late(N=[3, 5, 9]))
    assert falls(late(nu=[0.5, 3, 50]))  # automation
    assert falls(late(rho=[0.5, 2, 8]))  # prepositioning
    assert rises(late(lam=[0.1, 0.5, 2]))


def test_simulated_races_end_as_computed():
    rng = np.random.default_rng(5)
    n, lam, rho, tau, N, k, nu = 200_000, 0.7, 1.5, 0.2, 6, 4, 2.5
    agreed = np.sort(rng.exponential(1 / nu, size=(n, N)), axis=1)[:, k - 1]
    response = tau + agreed + rng.exponential(1 / rho, size=n)
    share = float(np.mean(rng.exponential(1 / lam, size=n) < response))
    found = ask("RACE", "solved", lam=lam, rho=rho, tau=tau, N=N, k=k, nu=nu)
    assert found["P_fait_accompli"] == pytest.approx(share, abs=0.004)


@both_routes
def test_the_attack_comes_just_beyond_the_largest_delay_that_deters(route):
    mode = "largest decision delay that still deters"
    base = {"lam": 0.5, "rho": 4, "gain": 1, "loss": 2}
    for decision in ({"N": 0, "k": 0, "nu": 3}, {"N": 5, "k": 5, "nu": 3}):
        star = ask("RACE", route, mode=mode, **base, **decision)["tau_star"]
        attack = ask("RACE", route, tau=[star - 0.01, star + 0.01], **base, **decision)["attack"]
        assert attack == [0, 1]
    assert ask("RACE", route, mode=mode, lam=3, rho=1, gain=3, loss=1)["tau_star"] is None


def test_the_kth_of_many_times_has_the_distribution_of_sorted_times():
    times = KthOfMany(6, 4, 2.5)
    rng = np.random.default_rng(2)
    drawn = np.sort(rng.exponential(1 / 2.5, size=(100_000, 6)), axis=1)[:, 3]
    for q in (0.1, 0.5, 0.9):
        assert float(times.ppf(q)) == pytest.approx(np.quantile(drawn, q), rel=0.01)
        assert float(times.cdf(times.ppf(q))) == pytest.approx(q)
    assert times.support() == Exponential(1).support() == (0, math.inf)


def test_race_needs_its_ranges():
    with pytest.raises(dt.ParameterError, match="k <= N"):
        ask("RACE", N=2, k=3)
    with pytest.raises(dt.ParameterError, match="N must be a whole number"):
        ask("RACE", N=2.5, k=1)
    with pytest.raises(dt.ParameterError, match="rate > 0"):
        Exponential(0.0)
    with pytest.raises(dt.ParameterError, match="1 <= k <= N"):
        KthOfMany(3, 4, 1.0)
    with pytest.raises(dt.ParameterError, match="rate > 0"):
        KthOfMany(3, 2, -1.0)


# ---------------------------------------------------------------- noisy attribution


@both_routes
def test_attacks_rise_with_false_alarms_and_with_the_fear_of_injustice(route):
    def attacks(**params):
        points = [dict(zip(params, values, strict=True)) for values in zip(*params.values(), strict=True)]
        return [ask("ATTR", route, **p)["equilibria"]["deterrence"]["P_attack"] for p in points]

    assert rises(attacks(f=[0.01, 0.1, 0.3], h=[0.8, 0.8, 0.8]))
    assert falls(attacks(h=[0.5, 0.8, 0.95]))
    assert rises(attacks(F=[0.5, 1, 3], B=[2, 2, 2]))
    same = attacks(f=[0.1, 0.05], h=[0.8, 0.4], g=[0.1, 0.1], F=[1, 3], B=[2, 6])  # only the ratios matter
    assert same[0] == pytest.approx(same[1])


@both_routes
def test_without_a_telling_alarm_there_is_only_war(route):
    found = ask("ATTR", route, g=1, R=1.2, h=0.8, f=0.1)
    assert set(found["equilibria"]) == {"war"}
    assert found["deterrable"] == 0


@both_routes
def test_an_alarm_that_is_never_false_deters_for_sure(route):
    assert ask("ATTR", route, f=0)["equilibria"]["deterrence"]["P_attack"] == pytest.approx(0, abs=1e-12)


@given(seed=seeds)
@settings(max_examples=20)
def test_every_class_leaves_nobody_with_a_better_choice(seed):
    p = dt.models.get("ATTR").draw(np.random.default_rng(seed))
    h, f, R, g, B, F = (p[name] for name in "hfRgBF")
    for play in ask("ATTR", **p)["equilibria"].values():
        a, x, y = (play[name] for name in ("P_attack", "retaliate_after_alarm", "retaliate_after_quiet"))
        gain = g - R * (h - f) * (x - y)
        assert abs(gain) < 1e-9 or (gain > 0 and a == 1)
        for attack, quiet, share in ((h, f, x), (1 - h, 1 - f, y)):
            worth = a * attack * B - (1 - a) * quiet * F
            assert abs(worth) < 1e-9 or share == (1 if worth > 0 else 0)


def test_attribution_needs_a_telling_alarm():
    with pytest.raises(dt.ParameterError, match="f < h"):
        ask("ATTR", f=0.9, h=0.8)


# ---------------------------------------------------------------- cheap talk


@both_routes
def test_allies_further_apart_tell_each_other_less(route):
    found = ask("CS", route, bias=[0.02, 0.05, 0.1, 0.2, 0.26, 0.4])
    assert falls(found["N_max"])
    assert falls(found["EU_receiver"])
    assert falls(found["EU_sender"])
    assert found["N_max"][-2:] == [1, 1]  # b >= 1/4: babbling only
    assert ask("CS", route, bias=0.25)["N_max"] == 1


@both_routes
def test_both_allies_prefer_the_finer_partition(route):
    found = ask("CS", route, bias=0.03, N=[1, 2, 3, 4])
    assert rises(found["EU_receiver"])
    assert rises(found["EU_sender"])
    assert found["N_max"] == [4] * 4
    assert np.subtract(found["EU_receiver"], found["EU_sender"]) == pytest.approx([0.03**2] * 4)


@given(bias=st.floats(0.012, 0.6))
def test_senders_are_indifferent_at_every_cutpoint(bias):
    found = ask("CS", "solved", bias=bias)
    for cut, low, high in zip(found["cutpoints"][1:-1], found["actions"], found["actions"][1:], strict=False):
        assert abs(low - cut - bias) == pytest.approx(abs(high - cut - bias))
    for low, high, action in zip(found["cutpoints"], found["cutpoints"][1:], found["actions"], strict=False):
        answer = ContinuousGame(("Receiver",), {"r": Best(_losses(low, high), 0, 1)})
        assert cutpoints(answer)[0]["r"] == pytest.approx(action, abs=1e-7)


def _losses(low: float, high: float):
    return lambda r, _: -((high - r) ** 3 - (low - r) ** 3)


def test_talk_has_no_more_cells_than_the_bias_allows():
    with pytest.raises(dt.ParameterError, match=r"2 \* bias \* N \* \(N - 1\) < 1"):
        ask("CS", bias=0.05, N=4)
    with pytest.raises(dt.ParameterError, match="bias must lie in"):
        ask("CS", bias=-0.1)

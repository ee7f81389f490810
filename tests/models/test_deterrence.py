"""What the models of deterrence and crisis claim: thresholds, who is tested, perfect deterrence, domestic audiences."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from tests.model_comparison import quantities as ask

ROUTES = ("closed_form", "solved")
both_routes = pytest.mark.parametrize("route", ROUTES)


def falls(values) -> bool:
    return all(b <= a + 1e-12 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


def rises(values) -> bool:
    return falls([-x for x in values])


# ---------------------------------------------------------------- complete information


@given(seed=st.integers(0, 10**6))
def test_raising_the_defenders_payoff_of_war_never_brings_an_attack(seed):
    """Provided that nothing is better for the attacker than a concession; one that likes war more would be drawn in."""
    rng = np.random.default_rng(seed)
    others = sorted(rng.normal(size=4).tolist())
    A = {"win": others.pop(), **dict(zip(("sq", "back", "war"), rng.permutation(others).tolist(), strict=True))}
    D = dict(zip(("sq", "yield", "win", "war"), rng.normal(size=4).tolist(), strict=True))
    low, high = (ask("CID", "solved", A=A, D={**D, "war": D["war"] + x})["P_attack"] for x in (0, 0.7))
    assert high <= low


@given(seed=st.integers(0, 10**6))
def test_deterrence_needs_a_threat_both_capable_and_credible(seed):
    rng = np.random.default_rng(seed)
    sq, win, back, war = 0.0, 1.0, -2.0, float(rng.uniform(-1.5, 0.9))  # the attacker would fight in the end
    D = {"sq": 1.0, "yield": 0.0, "win": 0.9, "war": float(rng.uniform(-1, 1))}
    found = ask("CID", "solved", A={"sq": sq, "win": win, "back": back, "war": war}, D=D)
    assert (found["outcome"] == "SQ") == (war < sq and D["war"] > D["yield"])


@both_routes
def test_an_attacker_that_would_back_down_does_not_attack(route):
    A = {"sq": 0, "win": 1, "back": -0.1, "war": -0.5}
    assert ask("CID", route, A=A, D={"win": 0.5, "yield": 0, "war": -1})["outcome"] == "SQ"
    assert ask("CID", route, A={**A, "back": 0.1}, D={"win": 0.5, "yield": 0, "war": -1})["outcome"] == "BACKDOWN"


@given(scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_units_of_payoff_do_not_matter(scale, shift):
    A = {"sq": 0, "win": 1, "back": -0.3, "war": -0.1}
    moved = {name: scale * x + shift for name, x in A.items()}
    assert ask("CID", "solved", A=moved)["outcome"] == ask("CID", "solved", A=A)["outcome"] == "CONCESSION"


@both_routes
def test_a_treaty_penalty_deters_emboldens_or_widens_the_war(route):
    def around(**params):
        below, above = (
            ask("EXT3", route, t=0.2 + x, k=0.5, g=0.6, p1=0.8, p2=0.3, c_A1=0.2, **params) for x in (-0.01, 0.01)
        )
        assert (below["intervene"], above["intervene"]) == (0, 1)
        return below, above

    below, above = around(c_A2=0.4, c_P=0.1)
    assert (below["attack"], above["attack"]) == (1, 0)  # deters
    below, above = around(c_A2=0.4, c_P=0.35)
    assert (below["resist"], above["resist"]) == (0, 1)  # 1 - p1 < c_P < 1 - p2: emboldens
    below, above = around(c_A2=0.2, c_P=0.1)
    assert below["P_war"] == above["P_war"] == 1  # an attacker that war with both does not deter: wider war


@both_routes
def test_doubt_of_the_protege_brings_conquest_and_doubt_of_the_attacker_brings_war(route):
    sure = ask("EXTI", route, rho_A=0.9, rho_P=0.9)
    assert sure["attack"] == 0
    doubting_protege = ask("EXTI", route, rho_A=0.9, rho_P=0.1)
    assert (doubting_protege["P_conquest_without_fight"], doubting_protege["P_war"]) == (1, 0)
    doubting_attacker = ask("EXTI", route, rho_A=0.1, rho_P=0.9, rho=0.7)
    assert (doubting_attacker["P_war"], doubting_attacker["P_conquest_without_fight"]) == (1, 0)
    assert doubting_attacker["P_multilateral_war"] == pytest.approx(0.7)


# ---------------------------------------------------------------- thresholds


@both_routes
def test_attack_falls_in_the_believed_response_and_not_in_the_true_one(route):
    grid = np.linspace(0, 1, 11).tolist()
    believed = ask("THR", route, q=0.5, q_hat=grid, V=2, c=1.6)["P_attack"]
    true = ask("THR", route, q=grid, q_hat=0.5, V=2, c=1.6)["P_attack"]
    assert falls(believed)
    assert true == pytest.approx([0.6] * 11)


@both_routes
def test_calibrated_risk_of_war_is_hump_shaped(route):
    V, c = 2.0, 1.6
    peak = ask("THR", route, mode="maximise P_war over q=q_hat", V=V, c=c)
    assert peak["q_at_max"] == pytest.approx(V / (2 * c))
    assert peak["P_war_max"] == pytest.approx(V / (4 * c))
    grid = np.linspace(0.05, 1, 20)
    war = ask("THR", route, mode="calibrated: q_hat=q", q=grid.tolist(), V=V, c=c)["P_war"]
    top = int(np.argmax(war))
    assert rises(war[: top + 1])
    assert falls(war[top:])
    assert max(war) <= peak["P_war_max"] + 1e-12


@both_routes
def test_underestimated_resolve_raises_attack_and_war(route):
    calibrated, under = (ask("THR", route, q=0.9, q_hat=q_hat, V=2, c=1.6) for q_hat in (0.9, 0.3))
    assert under["P_attack"] > calibrated["P_attack"]
    assert under["P_war"] > calibrated["P_war"]


@both_routes
def test_scope_and_reliability_are_substitutes(route):
    reliabilities = [0.45, 0.6, 0.8, 1.0]
    scopes = ask("SCOPE", route, W=0.7, L=-0.8, S=0.1, q=reliabilities)["s_star"]
    assert falls(scopes)
    assert [s * q for s, q in zip(scopes, reliabilities, strict=True)] == pytest.approx([0.4] * 4)
    assert ask("SCOPE", route, W=0.7, L=-0.8, S=0.1, q=0.3)["s_star"] is None


@both_routes
def test_a_second_pledge_is_worth_less_if_its_fate_is_tied_to_the_first(route):
    assert falls(ask("NEST", route, corr=[-0.6, -0.2, 0.0, 0.4, 0.8])["p_any"])


def test_two_guarantees_by_simulation():
    rng = np.random.default_rng(1)
    p = dt.models.get("NEST").closed_form(q_alliance=0.5, q_bilateral=0.4, corr=0.3)["p_any"]
    # two events of given marginals and correlation: with probability 1 - a draw apart, else by one uniform
    u, v, common = rng.uniform(size=(3, 400_000))
    tie = 0.3 * np.sqrt(0.5 * 0.5 * 0.4 * 0.6) / (0.4 - 0.5 * 0.4)
    w = np.where(common < tie, u, v)
    assert np.mean((u < 0.5) | (w < 0.4)) == pytest.approx(p, abs=0.004)


def test_infeasible_correlation_is_refused():
    with pytest.raises(dt.ParameterError, match=r"requires a correlation in \[.*\] at q_alliance = 0.9"):
        ask("NEST", q_alliance=0.9, q_bilateral=0.2, corr=0.9)


# ---------------------------------------------------------------- who is tested


@both_routes
def test_reliable_allies_are_challenged_less(route):
    assert falls(ask("SEL", route, rho=np.linspace(0, 1, 9).tolist())["P_attack"])


def test_challenged_alliances_are_less_reliable_but_those_at_war_need_not_be():
    model, signs = dt.models.get("SEL"), set()
    rng = np.random.default_rng(4)
    mixture = model.variants[1]
    for _ in range(300):
        found = model.closed_form(**model.draw_variant(mixture, rng))
        assert found["reliability_given_attack"] <= found["mean_reliability"] + 1e-12
        signs.add(np.sign(round(found["honoured_given_war"] - found["mean_reliability"], 6)))
    assert {-1.0, 1.0} <= signs


def test_selection_by_simulation():
    rng = np.random.default_rng(2)
    rho, p1, p2, C_P, C_A = 0.6, 0.7, 0.3, 1.2, 3.0
    found = ask("SEL", "solved", rho=rho, p1=p1, p2=p2, C_P=C_P, C_A=C_A)
    win = rho * p2 + (1 - rho) * p1
    resists = rng.uniform(0, C_P, 400_000) < 1 - win
    value = (1 - resists.mean()) + resists.mean() * (win - rng.uniform(0, C_A, 400_000))
    assert (value > 0).mean() == pytest.approx(found["P_attack"], abs=0.004)
    assert ((value > 0) & resists).mean() == pytest.approx(found["P_war"], abs=0.004)


@both_routes
def test_patience_and_worth_sustain_honouring(route):
    assert rises(ask("HONOR", route, c=[1, 2, 4])["delta_star"])
    assert falls(ask("HONOR", route, V=[1, 2, 4])["delta_star"])
    assert ask("HONOR", route, c=3, V=1, delta=[0.74, 0.76])["honour"] == [0, 1]


@both_routes
def test_interoperability_deters_from_its_threshold_on(route):
    star = ask("CSF", route, mode="threshold interoperability")["eps_star"]
    found = ask("CSF", route, eps=[0.0, star - 0.01, star + 0.01, 1.0])
    assert found["attack"] == [1, 1, 0, 0]
    assert falls(found["EU_attack"])


# ---------------------------------------------------------------- perfect deterrence


@both_routes
def test_a_more_credible_defender_can_face_more_war_before_deterrence_holds(route):
    c_s, c_h, p_Ch = 4 / 9, 4 / 7, 0.3
    bluff, separating = [0.1, 0.3, c_s - 0.005], [c_s + 0.005, 0.5, c_h - 0.005]
    mode = "sweep of the D1-selected class over p_Def"
    found = ask("UDG", route, mode=mode, p_Ch=p_Ch, p_Def=[*bluff, *separating, c_h + 0.005])
    challenge, war = found["P_challenge"], found["P_war"]
    assert falls(challenge)
    assert len({round(x, 9) for x in challenge}) == 3  # three steps
    assert challenge[:3] == pytest.approx([p_Ch / 0.625] * 3)  # flat: credibility does not matter to bluffers
    assert war[:3] == pytest.approx([p_Ch * c_s] * 3)
    assert rises(war[3:6])
    assert war[3] > war[2]
    assert war[6] == challenge[6] == 0


@both_routes
def test_a_challenger_that_prefers_conflict_to_the_status_quo_is_never_deterred(route):
    found = ask("UDG", route, challenger={"DDp": 0.7}, p_Def=0.99, p_Ch=0.3)
    assert found["c_h"] > 1
    assert set(found["equilibria"]) == {"separating"}


def test_steadfast_deterrence_fails_d1():
    solution = dt.models.get("UDG").solve(p_Ch=0.3, p_Def=0.2)
    quiet = [e for e in solution if e.probability("challenge") < 1e-12]
    assert quiet
    assert not any(e.survives("d1") for e in quiet)


@both_routes
def test_overall_defection_in_the_hybrid_equilibrium_does_not_depend_on_types(route):
    found = ask("GMDG", route, p=[0.1, 0.3, 0.5])
    hybrid = found["symmetric_equilibria"]["hybrid"]
    assert hybrid["P_war"] == pytest.approx([0.64] * 3)
    assert [p + (1 - p) * y for p, y in zip((0.1, 0.3, 0.5), hybrid["yS"], strict=True)] == pytest.approx([0.8] * 3)


@both_routes
def test_a_hard_challenger_is_deterred_only_by_a_defender_hard_at_both_levels(route):
    found = ask("AEG", route)
    assert {types for types, outcome in found.items() if outcome == "DC"} == {"H|HS", "H|SH", "H|SS"}
    assert all(outcome == "SQ" for types, outcome in found.items() if types.startswith("S"))


@both_routes
def test_the_rudimentary_defender_deters_from_its_threshold_on(route):
    assert ask("RADG", route, p_B=[0.49, 0.51])["P_attack"] == [1, 0]


# ---------------------------------------------------------------- audiences and oppositions


@both_routes
def test_larger_audience_costs_make_backing_down_less_likely(route):
    backs_down = [ask("WOA", route, a_A=a)["P_A_backs_down"] for a in (0.5, 1.0, 2.0, 4.0)]
    assert falls(backs_down)


@both_routes
def test_in_the_symmetric_crisis_war_depends_on_the_stake_alone(route):
    war = [ask("WOA", route, v=1.3, a_A=a, a_B=a, W_A=0.9, W_B=0.9)["P_war"] for a in (0.3, 1.0, 5.0)]
    assert war == pytest.approx([war[0]] * 3)
    assert ask("WOA", route, v=1, W_A=1, W_B=1)["P_war"] == pytest.approx(((5**0.5 - 1) / 2) ** 2)


@both_routes
def test_outcomes_of_the_war_of_attrition_sum_to_one(route):
    found = ask("WOA", route, v=1.2, a_A=0.7, a_B=1.9, W_A=2.0, W_B=0.8)
    assert found["P_war"] + found["P_A_backs_down"] + found["P_B_backs_down"] == pytest.approx(1)


@both_routes
def test_clarity_helps_the_weak_and_ambiguity_the_strong(route):
    weak, strong = ask("PERS", route, rho=0.3), ask("PERS", route, rho=0.7)
    assert weak["P_attack_full_disclosure"] < weak["P_attack_no_information"]
    assert strong["P_attack_full_disclosure"] > strong["P_attack_no_information"]
    for found in (weak, strong):
        assert found["P_attack_optimal"] <= min(found["P_attack_full_disclosure"], found["P_attack_no_information"])


@both_routes
@pytest.mark.parametrize("pi", [0.1, 0.3, 0.45])
def test_an_opposition_lowers_the_likelihood_of_war(route, pi):
    found = ask("OPP", route, pi=pi)
    assert found["with_opposition"]["P_war"] < found["unitary"]["P_war"]
    assert found["with_opposition"]["P_threat"] < found["unitary"]["P_threat"]


# ---------------------------------------------------------------- what is not admissible


@both_routes
@pytest.mark.parametrize(
    ("id", "params", "message"),
    [
        ("EXT3", {"p1": 0.3, "p2": 0.5}, r"EXT3 requires p2 < p1, got p1 = 0.3, p2 = 0.5"),
        ("EXTI", {"c_A2": 0.1}, r"EXTI requires p2 < c_A2"),
        ("EXTI", {"rho_A": 1.2}, r"rho_A must lie in \[0, 1\] probability, got 1.2"),
        ("THR", {"W": 0, "S": 0.1, "L": -1}, r"THR requires L < S < W"),
        ("THR", {"q": -0.1}, r"q must lie in \[0, 1\]"),
        ("THR", {"mode": "minimise everything"}, r"THR has no mode 'minimise everything'; its modes are"),
        ("THR", {"W": 1, "q": 0.5, "V": 2}, r"THR has no form with all of"),
        ("SCOPE", {"S": 2}, r"SCOPE requires L < S < W"),
        ("SEL", {"p1": 0.2}, r"SEL requires p2 < p1"),
        ("SEL", {"weights": [0.5, 0.6], "rho": [0.1, 0.2]}, r"weights that sum to 1"),
        ("SEL", {"weights": [0.5, 0.5], "rho": [0.1, 0.2, 0.3]}, r"one weight per reliability"),
        ("HONOR", {"delta": 1.0}, r"HONOR requires delta < 1"),
        ("CSF", {"q": 1.5}, r"q must lie in \[0, 1\]"),
        ("RADG", {"a_DD": 0.5}, r"RADG requires a_DD < a_SQ < a_DC"),
        ("UDG", {"challenger": {"SQ": 2}}, r"UDG requires challenger.CD < challenger.SQ < challenger.DC"),
        ("UDG", {"defender": {"DC": 0.9}}, r"UDG requires defender.DDm < defender.DC < defender.DDp"),
        ("GMDG", {"L": 0.7}, r"GMDG requires DDm < L < DDp < SQ < W"),
        ("AEG", {"table": "none"}, r"table must be one of"),
        ("WOA", {"v": 0}, r"v must lie in"),
        ("PERS", {"mu_star": 1}, r"PERS requires 0 < mu_star < 1"),
        ("OPP", {"sq": 3}, r"OPP requires back < sq < win"),
        ("CID", {"A": {"war": "high"}}, r"A.war must be a number, got str 'high'"),
        ("CID", {"A": {"war": float("nan")}}, r"A.war must lie in"),
    ],
)
def test_inadmissible_parameters_are_refused(route, id, params, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(id, route, **params)

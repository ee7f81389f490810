"""What the models of noisy evidence and of misperception claim."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deterrence as dt
from tests.model_comparison import quantities as ask

both_routes = pytest.mark.parametrize("route", ["closed_form", "solved"])
ALLIANCE = {"v_I": 0.4, "w": 1, "k": 0.2, "h": 0, "g": 1, "d": 1}
CHALLENGER = {"DC": 1, "SQ": 0.6, "DDp": 0.3, "CD": 0.1, "DDm": 0}
DEFENDER = {"SQ": 1, "CD": 0.8, "DDp": 0.5, "DC": 0.3, "DDm": 0}
ATTACKER = {"sq": 0, "win": 1, "back": -0.3, "war": -0.1}
HYPERGAME = "hypergame: each side plays the D1-selected equilibrium of its own subjective game"


def falls(values) -> bool:
    return all(b <= a + 1e-12 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


def rises(values) -> bool:
    return falls([-x for x in values])


def defender(war: float, **more: float) -> dict[str, float]:
    return {"sq": 1, "win": 0.9, "war": war, "yield": 0, **more}


# ---------------------------------------------------------------- reading posture


@both_routes
def test_where_the_attacker_doubts_any_signal_deters_some_and_war_falls_with_its_clarity(route):
    found = ask("SDT", route, rho=0.4, mu_star=0.5, d_prime=[0.02, 0.1, 0.5, 1, 2, 4])
    assert all(attack < 1 for attack in found["P_attack"][2:])
    assert falls(found["P_war"])
    assert ask("SDT", route, rho=0.4, mu_star=0.5, d_prime=0)["P_attack"] == 1


@both_routes
def test_where_the_attacker_trusts_any_signal_invites_some_and_war_is_hump_shaped(route):
    rho, mu_star = 0.6, 0.5
    peak = np.sqrt(2 * np.log(rho / (1 - rho) * (1 - mu_star) / mu_star))
    found = ask("SDT", route, rho=rho, mu_star=mu_star, d_prime=[0.2, 0.5, float(peak), 2, 4, 6])
    assert all(attack > 0 for attack in found["P_attack"])
    assert rises(found["P_war"][:3])
    assert falls(found["P_war"][2:])
    assert ask("SDT", route, rho=rho, mu_star=mu_star, d_prime=0)["P_attack"] == 0
    worst = ask("SDT", route, rho=rho, mu_star=mu_star, mode="d_prime that maximises P_war")
    assert worst["d_prime"] == pytest.approx(peak, abs=1e-7)
    assert worst["P_war"] == pytest.approx(found["P_war"][2], abs=1e-9)


@both_routes
def test_the_most_dangerous_signal_is_none_where_the_prior_already_invites_attack(route):
    assert ask("SDT", route, rho=0.3, mu_star=0.5, mode="d_prime that maximises P_war") == {"d_prime": 0, "P_war": 0.3}


@both_routes
def test_a_perfect_signal_separates_and_the_likelihood_of_attack_need_not_be_monotone(route):
    found = ask("SDT", route, rho=0.6, mu_star=0.5, d_prime="infinity")
    assert found["P_attack"] == pytest.approx(0.4)
    assert found["P_war"] == 0
    undershoot = ask("SDT", route, rho=0.1, mu_star=0.15, d_prime=[0.05, 1, 8])["P_attack"]
    assert undershoot[1] < min(undershoot[0], undershoot[2]) - 1e-3


@both_routes
def test_several_signals_are_one_that_is_clearer_by_the_root_of_their_number(route):
    many = ask("SDT", route, rho=0.6, mu_star=0.5, d_prime=0.4, n=9)
    assert many == pytest.approx(ask("SDT", route, rho=0.6, mu_star=0.5, d_prime=1.2))


def test_simulated_attackers_do_as_the_closed_form_says():
    rho, mu_star, d_prime = 0.4, 0.35, 1.3
    rng = np.random.default_rng(7)
    resolved = rng.uniform(size=400_000) < rho
    x = rng.normal(size=400_000) + d_prime * resolved
    posterior = 1 / (1 + (1 - rho) / rho * np.exp(-(x**2) / 2 + (x - d_prime) ** 2 / 2))
    attack = posterior < mu_star
    found = ask("SDT", rho=rho, mu_star=mu_star, d_prime=d_prime)
    assert attack.mean() == pytest.approx(found["P_attack"], abs=4e-3)
    assert (attack & resolved).mean() == pytest.approx(found["P_war"], abs=4e-3)


@both_routes
def test_a_sign_that_the_resolved_rarely_miss_leaves_little_war(route):
    alphas = [0.5, 0.7, 0.9, 1.0]
    assert falls([ask("BSIG", route, rho=0.4, alpha=a, beta=0.2, mu_star=0.5)["P_war"] for a in alphas])
    perfect = ask("BSIG", route, rho=0.4, alpha=1, beta=0, mu_star=0.5)
    assert perfect == pytest.approx({"posterior_mobilised": 1, "posterior_not": 0, "P_attack": 0.6, "P_war": 0})


@both_routes
def test_a_sign_that_both_types_give_alike_tells_nothing(route):
    found = ask("BSIG", route, rho=0.4, alpha=0.3, beta=0.3, mu_star=0.5)
    assert [found["posterior_mobilised"], found["posterior_not"]] == pytest.approx([0.4, 0.4])
    assert found["P_attack"] == pytest.approx(1)
    always = ask("BSIG", route, rho=0.4, alpha=1, beta=1, mu_star=0.3)
    assert always["posterior_not"] is None
    assert always["P_attack"] == 0


def test_the_sequential_equilibrium_of_the_mobilisation_tree_agrees():
    model = dt.models.get("BSIG")
    params = {"rho": 0.4, "alpha": 0.8, "beta": 0.3, "mu_star": 0.5}
    from deterrence.solvers.sequential import sequential

    found = sequential(model.game(**params))
    assert found.probability("attack")[0] == pytest.approx(model.closed_form(**params)["P_attack"])
    assert found.probability("war")[0] == pytest.approx(model.closed_form(**params)["P_war"])


@both_routes
def test_mixed_messages_cancel(route):
    def posterior(firm: int, wavering: int) -> float:
        return ask("MSG", route, rho=0.4, accuracy=0.7, n_firm=firm, n_wavering=wavering, mu_star=0.6)["posterior"]

    assert [posterior(0, 0), posterior(4, 4)] == pytest.approx([0.4, 0.4])
    assert posterior(5, 3) == pytest.approx(posterior(2, 0))
    assert rises([posterior(n, 1) for n in range(5)])


@both_routes
def test_the_warning_criterion_weighs_the_costs_of_both_errors(route):
    def criterion(**more: float) -> float:
        return ask("DET", route, **{"pi": 0.2, "C_miss": 5, "C_false": 1, "d_prime": 1.5, **more})["criterion"]

    assert falls([criterion(C_miss=c) for c in (1, 3, 9)])
    assert rises([criterion(C_false=c) for c in (0.5, 1, 3)])
    assert falls([criterion(pi=p) for p in (0.1, 0.3, 0.6)])


@both_routes
def test_poorer_evidence_raises_false_alarms_where_the_miss_is_the_costly_error(route):
    shared = {"pi": 0.2, "C_false": 1, "d_prime": [0.3, 0.8, 1.5, 3.0]}
    assert falls(ask("DET", route, C_miss=5, **shared)["P_false_alarm"])
    turn = float(np.sqrt(2 * np.log(0.8 / (0.2 * 2))))
    cheap = ask("DET", route, pi=0.2, C_miss=2, C_false=1, d_prime=[0.3, turn, 3.0])["P_false_alarm"]
    assert cheap[0] < cheap[1] > cheap[2]


def test_no_other_criterion_costs_less():
    from scipy.stats import norm

    found = ask("DET", pi=0.2, C_miss=5, C_false=1, d_prime=1.5)
    x = np.linspace(-3, 4, 2001)
    cost = 0.2 * 5 * norm.cdf(x - 1.5) + 0.8 * norm.sf(x)
    assert found["expected_cost"] <= cost.min() + 1e-12
    assert x[np.argmin(cost)] == pytest.approx(found["criterion"], abs=4e-3)


# ---------------------------------------------------------------- heterogeneous priors


def challenge(route: str = "closed_form", **params):
    base = {"p_Ch": 0.3, "p_Def": 0.6, "defender_belief_p_Ch": 0.3, "challenger_belief_p_Def": 0.6}
    return ask("NCP", route, **{**base, "challenger": CHALLENGER, "defender": DEFENDER, **params})


@both_routes
def test_underestimated_resolve_breaks_deterrence_and_an_overestimate_upholds_it(route):
    assert challenge(route)["equilibrium"] == "deterrence"
    assert challenge(route, challenger_belief_p_Def=0.2)["P_war"] > 0.2
    assert challenge(route, p_Def=0.05)["P_challenge"] == 0


@both_routes
def test_the_less_resolve_is_believed_the_more_challenges(route):
    found = challenge(route, challenger_belief_p_Def=[0.1, 0.3, 0.5, 0.6])
    assert found["equilibrium"] == ["bluff", "bluff", "separating", "deterrence"]
    assert falls(found["P_challenge"])
    assert challenge(route, challenger_belief_p_Def=0.1, defender_belief_p_Ch=0.8)["equilibrium"] == "attack"


@both_routes
def test_behaviour_follows_beliefs_and_war_the_truth(route):
    found = challenge(route, challenger_belief_p_Def=0.5, p_Def=[0.1, 0.5, 0.9])
    assert found["P_challenge"] == pytest.approx([0.3] * 3)
    assert found["P_war"] == pytest.approx([0.03, 0.15, 0.27])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_agreed_priors_give_the_game_without_disagreement(seed):
    params = dt.models.get("UDG").draw(np.random.default_rng(seed))
    beliefs = {"defender_belief_p_Ch": params["p_Ch"], "challenger_belief_p_Def": params["p_Def"]}
    common = ask("UDG", mode="sweep of the D1-selected class over p_Def", **params)
    found = ask("NCP", **params, **beliefs)
    assert {k: found[k] for k in common if k != "equilibrium"} == pytest.approx(
        {k: v for k, v in common.items() if k != "equilibrium"}
    )


@both_routes
@pytest.mark.parametrize(("k", "name"), [(0.2, "semiseparating"), (0.6, "separating"), (1.2, "pool0")])
def test_a_rightly_held_prior_gives_the_alliance_signal_that_d1_selects(route, k, name):
    found = ask("NCPS", route, rho_true=0.3, rho_hat_attacker=0.3, **{**ALLIANCE, "k": k})
    mode = "sweep of the D1-selected class over k"
    common = ask("ALSIG", route, mode=mode, rho=0.3, d1=1, v_R=2, **{**ALLIANCE, "k": k})
    assert found["equilibrium"] == common["equilibrium"] == name
    assert found["P_attack"] == pytest.approx(common["P_attack"])
    assert found["P_war"] == pytest.approx(common["P_war"])


@both_routes
def test_an_attacker_that_overestimates_resolve_is_deterred_by_silence(route):
    found = ask("NCPS", route, rho_true=0.1, rho_hat_attacker=[0.3, 0.7], **ALLIANCE)
    assert found["P_attack"][0] > 0.5
    assert found["P_attack"][1] == 0


@both_routes
def test_bluffs_follow_the_prior_that_is_believed_and_war_the_true_one(route):
    found = ask("NCPS", route, rho_true=[0.1, 0.5, 0.9], rho_hat_attacker=0.3, **ALLIANCE)
    assert found["bluff_prob"] == pytest.approx([3 / 7] * 3)
    assert rises(found["P_war"])


@both_routes
def test_silence_thought_sufficient_is_read_as_weakness(route):
    models = {"rho_guarantor_model": 0.7, "rho_attacker_model": 0.3}
    found = ask("NCPS", route, mode=HYPERGAME, rho_true=0.8, **models, **ALLIANCE)
    assert (found["P_signal"], found["P_attack"]) == (0, 1)
    assert found["P_war"] == pytest.approx(0.8)
    other = ask(
        "NCPS", route, mode=HYPERGAME, rho_true=0.8, rho_guarantor_model=0.3, rho_attacker_model=0.7, **ALLIANCE
    )
    assert other["P_signal"] > 0.8
    assert other["P_attack"] == 0


@both_routes
@pytest.mark.parametrize("prior", [0.2, 0.7])
def test_a_hypergame_in_which_both_have_the_same_prior_in_mind_is_that_of_one_prior(route, prior):
    alike = ask("NCPS", route, rho_true=0.4, rho_hat_attacker=prior, **ALLIANCE)
    models = {"rho_guarantor_model": prior, "rho_attacker_model": prior}
    found = ask("NCPS", route, mode=HYPERGAME, rho_true=0.4, **models, **ALLIANCE)
    for name in ("P_signal", "P_attack", "P_war", "bluff_prob"):
        assert found[name] == pytest.approx(alike[name])


# ---------------------------------------------------------------- hypergames


@both_routes
@pytest.mark.parametrize(
    ("attacker", "true", "perceived", "outcome", "expected", "informed"),
    [
        (ATTACKER, defender(0.2), defender(-0.2), "WAR", "CONCESSION", "SQ"),
        (ATTACKER, defender(-0.3), defender(0.1), "SQ", "SQ", "CONCESSION"),
        ({**ATTACKER, "war": -0.6}, defender(0), defender(0, win=-0.1), "BACKDOWN", "CONCESSION", "SQ"),
        (ATTACKER, defender(-0.3), defender(-0.2), "CONCESSION", "CONCESSION", "CONCESSION"),
    ],
    ids=["unwanted war", "deterrence by overestimate", "called off", "right about what matters"],
)
def test_what_happens_when_the_defender_is_misperceived(route, attacker, true, perceived, outcome, expected, informed):
    found = ask("HYPER", route, A=attacker, D_true=true, D_perceived=perceived)
    assert (found["outcome"], found["expected_by_A"], found["full_information"]) == (outcome, expected, informed)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=50)
def test_an_attacker_that_is_right_gets_what_backward_induction_says(seed):
    rng = np.random.default_rng(seed)
    A = dict(zip(("sq", "win", "back", "war"), rng.uniform(-1, 1, 4).tolist(), strict=True))
    D = dict(zip(("sq", "win", "war", "yield"), rng.uniform(-1, 1, 4).tolist(), strict=True))
    found = ask("HYPER", A=A, D_true=D, D_perceived=D)
    assert found["outcome"] == found["expected_by_A"] == found["full_information"] == ask("CID", A=A, D=D)["outcome"]


def test_the_unwanted_war_is_one_in_the_gap_between_expectation_and_truth():
    found = dt.models.get("HYPER").solve(A=ATTACKER, D_true=defender(0.2), D_perceived=defender(-0.2))
    assert found.unwanted_war == (1, 1)
    assert found.surprise["A"].chance == (0, 0)


# ---------------------------------------------------------------- cursed play


def curse(route: str = "closed_form", **params):
    return ask("CURS", route, **{"rho": 0.3, **ALLIANCE, **params})


@both_routes
def test_attack_rises_with_the_curse_until_signals_no_longer_deter(route):
    classes = [curse(route, chi=chi)["eq"] for chi in (0, 0.2, 0.4, 0.6, 0.7)]
    assert rises([eq["semiseparating"]["P_attack"] for eq in classes])
    assert falls([eq["semiseparating"]["bluff_prob"] for eq in classes])
    assert [eq["semiseparating"]["P_war"] for eq in classes] == pytest.approx([0.15] * 5)
    bar = classes[0]["chi_bar"]
    assert set(curse(route, chi=bar + 0.01)["eq"]) == {"chi_bar", "silence_pooling"}
    assert set(curse(route, chi=bar - 0.01, k=0.6)["eq"]) == {"chi_bar", "separating", "silence_pooling"}
    assert set(curse(route, chi=bar + 0.01, k=0.6)["eq"]) == {"chi_bar", "silence_pooling"}


@both_routes
def test_without_a_curse_the_classes_are_those_of_the_alliance_signal(route):
    cursed = curse(route, chi=0)["eq"]
    plain = ask("ALSIG", route, rho=0.3, d1=1, v_R=2, **ALLIANCE)["equilibria"]
    for mine, theirs in (("semiseparating", "semiseparating"), ("silence_pooling", "pool0")):
        for name in ("P_attack", "P_war"):
            assert cursed[mine][name] == pytest.approx(plain[theirs][name])


@both_routes
def test_the_cursed_belief_is_the_definition(route):
    """Chi times the prior and 1 - chi times Bayes' posterior is where the attacker is indifferent."""
    found = curse(route, chi=0.3)
    play = found["eq"]["semiseparating"]
    bayes = 0.3 / (0.3 + 0.7 * play["bluff_prob"])
    assert play["true_posterior"] == pytest.approx(bayes)
    assert 0.3 * 0.3 + 0.7 * bayes == pytest.approx(found["mu_star"])


@both_routes
def test_a_cursed_offerer_trades_at_a_loss(route):
    found = [ask("CEQ", route, alpha=1.5, chi=chi) for chi in (0, 0.2, 0.6, 1)]
    assert rises([x["offer"] for x in found])
    assert falls([x["true_payoff"] for x in found])
    assert found[0]["offer"] == found[0]["true_payoff"] == 0
    assert all(x["true_payoff"] < 0 < x["perceived_payoff"] for x in found[1:])


# ---------------------------------------------------------------- steps of thinking


@both_routes
def test_those_who_think_a_step_arm_and_more_thinking_arms_more(route):
    hunt = {"payoffs": [[1, 2], [-1, 3]], "K": 12}
    assert ask("CH", route, tau=1.5, **hunt)["level_choices"] == [[0.5, 0.5], [1, 0], [1, 0], [1, 0]]
    shares = [ask("CH", route, tau=tau, **hunt)["P_first"] for tau in (0.1, 0.5, 1.5, 3)]
    assert rises(shares)
    assert shares[0] == pytest.approx(1 - np.exp(-0.1) / 2)


@both_routes
def test_in_chicken_the_second_step_yields_to_the_first(route):
    found = ask("CH", route, payoffs=[[0, 4], [1, 2]], tau=1.5, K=12)
    assert found["level_choices"] == [[0.5, 0.5], [1, 0], [0, 1], [1, 0]]


@both_routes
def test_ties_are_broken_evenly(route):
    found = ask("CH", route, payoffs=[[1, 2], [1, 2]], tau=2, K=5)
    assert found == {"level_choices": [[0.5, 0.5]] * 4, "P_first": pytest.approx(0.5)}


# ---------------------------------------------------------------- what is never learned


@both_routes
def test_inaction_outside_the_treaty_area_undoes_deterrence_inside_it(route):
    def found(outside: float) -> dict[str, int]:
        return ask("ABEE", route, f_core=0.4, q_star=0.5, response_core=1, response_periphery=outside)

    assert found(0)["nash_attack_core"] == 0
    assert (found(0)["attack_both_is_ABEE"], found(0)["attack_none_is_ABEE"]) == (1, 0)
    assert (found(0.3)["attack_both_is_ABEE"], found(0.3)["attack_none_is_ABEE"]) == (0, 1)  # 0.4 + 0.6 * 0.3 > 1/2
    assert found(0.3)["nash_attack_periphery"] == 1


@both_routes
def test_overestimated_resolve_persists_and_underestimated_resolve_is_corrected(route):
    found = ask("SCE", route, q_true=[0.1, 0.4, 0.6, 0.9], q_star=0.5)
    assert found["no_attack_is_SCE"] == [1, 1, 1, 1]
    assert found["attack_is_SCE"] == [1, 1, 0, 0]
    assert found["nash"] == ["attack", "attack", "no_attack", "no_attack"]


@both_routes
def test_a_misspecified_escalator_goes_too_far_and_pays_for_it(route):
    found = ask("BERK", route, g=1, kappa=2, theta0=0.2, theta1=[0.1, 0.5, 2])
    assert all(a > b for a, b in zip(found["s_berk_nash"], found["s_optimal"], strict=True))
    assert all(a < b for a, b in zip(found["payoff_berk_nash"], found["payoff_optimal"], strict=True))
    right = ask("BERK", route, g=1, kappa=2, theta0=0.2, theta1=0)
    assert right["s_berk_nash"] == pytest.approx(right["s_optimal"])


def test_berk_nash_escalation_is_a_fixed_point_of_learning():
    from deterrence.perception.berk_nash import fixed_models

    (fixed,) = fixed_models(lambda theta: 1 / (2 * theta), lambda s: 0.2 + 0.5 * s, 0, 2)
    assert ask("BERK", "solved", g=1, kappa=2, theta0=0.2, theta1=0.5)["s_berk_nash"] == pytest.approx(fixed)


# ---------------------------------------------------------------- the models as objects


@pytest.mark.parametrize("id", ["CURS", "HYPER", "NCPS", "CH", "ABEE", "SCE", "BSIG", "MSG"])
def test_misperceived_models_return_the_true_game_and_survive_pickling(id):
    model = dt.models.get(id)
    assert pickle.loads(pickle.dumps(model)) is model
    assert isinstance(model.game(), dt.SignalingGame | dt.ExtensiveGame | dt.StrategicGame)
    assert model.solve() is not None


def test_sweeps_of_misperception_follow_the_closed_form():
    answer = dt.models.get("CURS").answer({"chi": np.array([0.0, 0.3, 0.8])}, at={"rho": 0.3, **ALLIANCE})
    assert answer.low["attack"] == pytest.approx([0.7, 0.74390244, 1])
    assert answer.high["attack"] == pytest.approx([1, 1, 1])


@both_routes
@pytest.mark.parametrize(
    ("id", "params", "message"),
    [
        ("SDT", {"rho": 1.2}, r"rho must lie in"),
        ("SDT", {"d_prime": -1}, r"d_prime must lie in \[0, inf\]"),
        ("SDT", {"mode": "the best of all signals"}, r"SDT has no mode"),
        ("BSIG", {"alpha": -0.1}, r"alpha must lie in \[0, 1\] probability"),
        ("MSG", {"accuracy": 1.5}, r"accuracy must lie in"),
        ("MSG", {"n_firm": -1}, r"n_firm must lie in"),
        ("DET", {"C_miss": 0}, r"C_miss must lie in"),
        ("NCP", {"challenger_belief_p_Def": 1.1}, r"challenger_belief_p_Def must lie in \[0, 1\]"),
        ("NCP", {"defender": {"DDm": 0.4}}, r"NCP requires defender.DDm < defender.DC < defender.DDp"),
        ("NCP", {"challenger": {"SQ": 1.2}}, r"NCP requires challenger.CD < challenger.SQ < challenger.DC"),
        ("NCPS", {"v_I": 1.1}, r"NCPS requires v_I \+ h < w"),
        ("NCPS", {"h": 0.7}, r"NCPS requires v_I \+ h < w"),
        ("NCPS", {"k": 0, "h": 0}, r"NCPS requires k \+ h > 0"),
        ("HYPER", {"D": {"war": 1}}, r"no parameter 'D.war'"),
        ("CURS", {"chi": 1.1}, r"chi must lie in \[0, 1\] share"),
        ("CURS", {"rho": 0.6}, r"CURS requires rho \* \(g \+ d\) < g"),
        ("CEQ", {"alpha": 2}, r"CEQ requires alpha < 2"),
        ("CH", {"payoffs": [[1, 2, 3], [1, 2, 3]]}, r"payoffs must be two rows of two numbers"),
        ("CH", {"tau": 0}, r"tau must lie in"),
        ("ABEE", {"f_core": 1.5}, r"f_core must lie in"),
        ("SCE", {"q_true": 2}, r"q_true must lie in"),
        ("BERK", {"theta0": 0, "theta1": 0}, r"BERK requires theta0 \+ theta1 > 0"),
        ("BERK", {"g": -1}, r"g must lie in"),
    ],
)
def test_inadmissible_parameters_are_refused(route, id, params, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(id, route, **params)

"""What the models of signalling claim: sunk costs, tied hands, and which equilibria refinements keep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.models.fearon_1997 import separating_signals, stationing
from tests.model_comparison import quantities as ask

both_routes = pytest.mark.parametrize("route", ["closed_form", "solved"])
BASE = {"rho": 0.3, "k": 0.2, "h": 0, "d1": 1, "v_I": 0.4, "w": 1, "v_R": 2, "g": 1, "d": 1}


def alliance(route: str = "closed_form", **params):
    return ask("ALSIG", route, **{**BASE, **params})


def falls(values) -> bool:
    return all(b <= a + 1e-12 for a, b in pairwise(values)) and values[-1] < values[0] - 1e-6


# ---------------------------------------------------------------- the alliance signal


@both_routes
def test_sunk_cost_and_tied_hands_both_lower_the_likelihood_of_attack(route):
    assert falls([alliance(route, k=k)["equilibria"]["semiseparating"]["P_attack"] for k in (0.05, 0.15, 0.25, 0.35)])
    assert falls([alliance(route, h=h)["equilibria"]["semiseparating"]["P_attack"] for h in (0.0, 0.1, 0.3, 0.5)])


@both_routes
def test_tied_hands_alone_leave_war_and_sunk_costs_end_it(route):
    for h in (0.1, 0.3, 0.5):
        war = alliance(route, k=0, h=h)["equilibria"]["semiseparating"]["P_war"]
        assert war == pytest.approx(0.3 * 0.4 / (0.4 + h))
    assert alliance(route, k=0.4 + 1e-6)["equilibria"]["separating"]["P_war"] == 0


@both_routes
def test_the_selected_likelihood_of_attack_jumps_up_where_bluffers_drop_out(route):
    mode = "sweep of the D1-selected class over k"
    found = alliance(route, mode=mode, k=[0.2, 0.3, 0.399, 0.401, 0.9, 1.1])
    attack, war = found["P_attack"], found["P_war"]
    assert falls(attack[:3])
    assert attack[2] < 0.41
    assert attack[3] == pytest.approx(0.7)  # 1 - rho
    assert attack[5] == pytest.approx(1)
    assert war[3] == war[4] == 0


@both_routes
def test_full_lock_in_deters_at_any_cost_below_the_irresolute_stake(route):
    found = alliance(route, k=0.1, h=0.7)["equilibria"]
    assert found["lockin_pool1"]["P_attack"] == 0
    assert set(found) == {"lockin_pool1"}


@both_routes
@pytest.mark.parametrize(("rho", "attack"), [(0.3, 1), (0.7, 0)])
def test_free_announcements_babble(route, rho, attack):
    assert alliance(route, rho=rho, k=0, h=0)["P_attack"] == attack


@both_routes
def test_joint_capability_alone_can_deter(route):
    without, with_it = (alliance(route, rho=0.4, d1=d1)["equilibria"] for d1 in (1, 3))
    assert "pool1" not in without
    assert with_it["pool1"]["P_attack"] == 0


@both_routes
def test_where_the_prior_deters_equilibria_with_attack_coexist(route):
    found = alliance(route, rho=0.7)["equilibria"]
    assert found["pool0"]["P_attack"] == 0
    assert found["semisep_silence"]["P_attack"] > 0


def test_pooling_on_the_treaty_is_defeated_by_silence_where_the_prior_deters():
    solution = dt.models.get("ALSIG").solve(**{**BASE, "rho": 0.7})
    pooled = [e for e in solution if e.kind == "pooling on treaty"]
    assert pooled
    assert not any(e.survives("undefeated") for e in pooled)
    assert all(e.survives("d1") for e in solution)


def test_the_guarantor_prefers_conflict_where_it_ties_its_hands_wholly():
    game = dt.models.get("ALSIG").game(**{**BASE, "h": 0.7})
    war = game.event_weights("war")[:, 0]
    assert war[:, 1, 1].tolist() == [1, 1]
    assert war[:, 0, 1].tolist() == [1, 0]


def test_a_sweep_in_one_batch_agrees_with_single_games():
    model = dt.models.get("ALSIG")
    rng = np.random.default_rng(3)
    values = {"rho": rng.uniform(0.05, 0.95, 40), "k": rng.uniform(0.01, 1.3, 40), "v_I": rng.uniform(0.2, 1.2, 40)}
    answer = model.answer(values, events=("attack", "war"))
    for i in range(40):
        point = {name: float(x[i]) for name, x in values.items()}
        if point["v_I"] >= 1:
            assert answer.status[i] == 3
            assert "v_I < w" in answer.reasons[i]
            assert np.isnan(answer.low["attack"][i])
            continue
        classes = model.closed_form(**point)["equilibria"].values()
        attack = [found["P_attack"] for found in classes]
        assert answer.low["attack"][i] == pytest.approx(min(attack), abs=1e-9)
        assert answer.high["attack"][i] == pytest.approx(max(attack), abs=1e-9)


# ---------------------------------------------------------------- Fearon 1997


def test_tied_hands_bring_more_war_and_more_for_the_defender_than_sunk_costs():
    model = dt.models.get("F97")
    rng = np.random.default_rng(5)
    for _ in range(100):
        found = model.closed_form(**model.draw(rng))
        assert found["tying"]["P_war"] > found["sunk"]["P_war"]
        assert found["tying"]["EU_defender"] > found["sunk"]["EU_defender"]


def test_neither_signal_is_a_bluff():
    """Whoever signals fights: at the cutoff war is at least as good as giving way at the signal's price."""
    p, c = 0.5, 0.3
    found = ask("F97", "solved", p=p, c=c, V=1, e_lo=-0.25, e_hi=1)
    assert p * found["sunk"]["cutoff"] - c >= -1e-9
    assert p * found["tying"]["cutoff"] - c >= -found["tying"]["m_star"] - 1e-9


def test_grid_of_types_has_no_better_signal():
    """4,000 types compare silence with the signal of each regime, given how challengers answer."""
    p, c, V, q = 0.5, 0.3, 1.0, 0.2
    found = ask("F97", p=p, c=c, V=V, e_lo=-0.25, e_hi=1)
    v = np.linspace(0, V, 4001)
    war = p * v - c
    sunk = (1 - q) * v + q * np.maximum(war, 0) - found["sunk"]["m_star"]
    tied = (1 - q) * v + q * np.maximum(war, -found["tying"]["m_star"])
    for payoff, regime in ((sunk, "sunk"), (tied, "tying")):
        gains = payoff > np.maximum(war, 0) + 1e-12  # silence is challenged for sure: fight, or give way for 0
        assert v[gains].min() == pytest.approx(found[regime]["cutoff"], abs=1e-3)
        assert gains[v > found[regime]["cutoff"] + 1e-3].all()


@both_routes
@pytest.mark.parametrize(
    ("k", "classes"), [(0.3, {"pool0", "semiseparating"}), (1.0, {"pool0", "separating"}), (2.5, {"pool0"})]
)
def test_forces_separate_between_the_cheapest_and_the_dearest_signal(route, k, classes):
    low, high = separating_signals(v_R=3, v_I=0.5, q=0.6, c=1)
    assert (low, high) == pytest.approx((0.5, 2.2))
    found = ask("SUNK", route, k=k, p=0.3)
    assert set(found["equilibria"]) == classes
    assert found["mu_star"] == pytest.approx(0.5)


def test_sunk_costs_are_a_tree_with_symbols():
    tree = stationing()
    assert tree.parameters == ("c", "k", "p", "q", "v_I", "v_R", "w")
    assert set(dt.models.get("SUNK").sweep_names) == set(tree.parameters)


# ---------------------------------------------------------------- refinements


@both_routes
def test_silence_fails_d1_and_fails_the_intuitive_criterion_only_if_bluffing_does_not_pay(route):
    verdicts = {k: ask("REF-ALSIG", route, **{**BASE, "k": k})["pool0"] for k in (0.2, 0.6, 1.2)}
    assert verdicts[0.2] == {"intuitive": True, "D1": False}
    assert verdicts[0.6] == {"intuitive": False, "D1": False}
    assert verdicts[1.2] == {"intuitive": True, "D1": True}


@both_routes
@pytest.mark.parametrize("P_strong", [0.55, 0.9])
def test_the_intuitive_criterion_keeps_beer(route, P_strong):
    assert ask("BQ", route, P_strong=P_strong)["intuitive_survivors"] == ["pool_beer"]


@given(seed=st.integers(0, 10**6))
def test_d1_keeps_least_cost_separation_for_every_prior(seed):
    rng = np.random.default_rng(seed)
    theta = np.cumsum(rng.uniform(0.5, 1.5, 3)).tolist()
    efforts = ask("RILEY", theta=theta)["e"]
    between = ((np.array(efforts[1:]) + np.array(efforts[:-1])) / 2).tolist()
    prior = rng.dirichlet(np.ones(3)).clip(1e-3)
    params = {"theta": theta, "prior": (prior / prior.sum()).tolist(), "efforts": efforts}
    assert ask("D1-3TYPE", **params, grid=sorted([*efforts, *between, efforts[-1] + 1]))["D1"]


def test_d1_removes_separation_that_costs_more_than_it_must():
    params = {"theta": [1, 2, 3], "prior": [0.2, 0.3, 0.5], "efforts": [0, 1, 3.5], "grid": [0, 0.5, 1, 2, 3, 3.5]}
    for route in ("closed_form", "solved"):
        assert ask("D1-3TYPE", route, **params) == {"intuitive": True, "D1": False}


def test_undefeated_by_the_solver_of_all_equilibria():
    """Pooling at a small unsent effort, on the grid of efforts, defeats separation iff the high type gains from it."""
    for lam in (0.3, 0.7):
        low, high = 1.0, 2.0
        mean, riley = low + lam * (high - low), low * (high - low) + 0.01  # a little more: the low type is sure
        efforts, wages = np.array([0.0, 1e-3, riley]), np.array(sorted({low, mean, high}))
        types = np.array([low, high])
        game = dt.SignalingGame(
            ("low", "high"), [f"e{i}" for i in range(3)], [f"w{i}" for i in range(3)], [1 - lam, lam],
            wages[None, None] - (efforts[None] / types[:, None])[..., None],
            np.broadcast_to(-((wages[None] - types[:, None]) ** 2)[:, None], (2, 3, 3)),
        )  # fmt: skip
        from deterrence.solvers.pbe import pbe

        separating = [
            e for e in pbe(game) if e.kind == "separating" and e.strategies["Sender"]["high"]["e2"] == pytest.approx(1)
        ]
        assert separating
        survives = any(e.survives("undefeated") for e in separating)
        assert ("separating" if survives else "pooling") == ask("MOP", theta_L=low, theta_H=high, lam=lam)["undefeated"]


def test_seltens_horse_family_one_rests_on_an_incredible_move():
    (incredible,) = [e for e in dt.models.get("HORSE").solve() if e.kind != "sequential"]
    assert incredible.strategies["P1"]["P1"]["D"] == 1
    assert "P2" in incredible.kind


# ---------------------------------------------------------------- what is not admissible


@both_routes
@pytest.mark.parametrize(
    ("id", "params", "message"),
    [
        ("ALSIG", {"v_I": 1.5}, r"ALSIG requires v_I < w < v_R, got v_I = 1.5, v_R = 2, w = 1"),
        ("ALSIG", {"d": 2}, r"ALSIG requires d <= d1"),
        ("ALSIG", {"rho": 1.1}, r"rho must lie in \[0, 1\] probability, got 1.1"),
        ("ALSIG", {"rh": 0.1}, r"no parameter 'rh'; .*did you mean 'rho'"),
        ("REF-ALSIG", {"k": 0, "h": 0}, r"REF-ALSIG requires k \+ h > 0"),
        ("F97", {"e_lo": 0.1}, r"F97 requires e_lo < 0 < e_hi"),
        ("F97", {"c": 0.9}, r"F97 requires c < p \* V"),
        ("SUNK", {"c": 0.1}, r"SUNK requires q \* v_I < c < q \* v_R"),
        ("SUNK", {"w": 0.5}, r"w must lie in"),
        ("BQ", {"P_strong": 0.5}, r"BQ requires P_strong != 0.5"),
        ("RILEY", {"theta": [1, 1]}, r"must ascend"),
        ("RILEY", {"theta": 3}, r"theta must be a list of 1 dimension"),
        ("MOP", {"theta_L": 3}, r"MOP requires theta_L < theta_H"),
        (
            "D1-3TYPE",
            {"efforts": [0, 0, 0.5]},
            r"efforts that form an equilibrium, but theta = 1 prefers the effort 0.5 to 0",
        ),
        ("D1-3TYPE", {"prior": [0.5, 0.2, 0.2]}, r"prior must sum to 1"),
        ("D1-3TYPE", {"efforts": [0, 0, 2.9]}, r"every effort must be on the grid"),
        ("D1-3TYPE", {"efforts": [0, 3]}, r"lists of one length"),
        ("HORSE", {"game": "pony"}, r"game must be one of"),
    ],
)
def test_inadmissible_parameters_are_refused(route, id, params, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(id, route, **params)

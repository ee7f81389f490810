"""Mistaken play: the composition of subjective games, nested beliefs, heterogeneous priors, and what goes wrong."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.attacks import AttackOption
from deterrence.alliances.target import Target
from deterrence.games.distributions import degenerate, uniform
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.models import get
from deterrence.perception.outcome import SubjectiveOutcome
from deterrence.perception.priors import heterogeneous_priors
from deterrence.perception.subjective import subjective
from deterrence.solvers.concepts import choose_concept

# ---------------------------------------------------------------- games


def direct_deterrence() -> dt.ExtensiveGame:
    """Attack or hold; yield or resist; back down or fight (CID)."""
    names = dt.symbols("A_sq A_win A_back A_war D_sq D_win D_war D_yield")
    a_sq, a_win, a_back, a_war, d_sq, d_win, d_war, d_yield = names
    fight = dt.move("A", {"back": dt.end("BACKDOWN", A=a_back, D=d_win), "fight": dt.end("WAR", A=a_war, D=d_war)})
    respond = dt.move("D", {"yield": dt.end("CONCESSION", A=a_win, D=d_yield), "resist": fight})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end("SQ", A=a_sq, D=d_sq), "attack": respond}))


def cid(A: dict[str, float], D: dict[str, float]) -> dict[str, float]:
    return {**{f"A_{k}": v for k, v in A.items()}, **{f"D_{k}": v for k, v in D.items()}}


def extended_deterrence() -> dt.ExtensiveGame:
    """A may attack, the protege P yields or resists, the guarantor is resolved with probability rho (EXTI)."""
    rho, p1, p2, c_A1, c_A2, c_P = dt.symbols("rho p1 p2 c_A1 c_A2 c_P")

    fight = dt.chance({
        "resolved": (rho, dt.end("joint war", A=p2 - c_A2, P=1 - p2 - c_P)),
        "irresolute": (1 - rho, dt.end("lone war", A=p1 - c_A1, P=1 - p1 - c_P)),
    })  # fmt: skip
    respond = dt.move("P", {"yield": dt.end("conquest", A=1, P=0), "resist": fight})
    root = dt.move("A", {"hold": dt.end("peace", A=0, P=1), "attack": respond})
    return dt.ExtensiveGame(("A", "P"), root)


def unilateral_deterrence(ch: dict[str, float], d: dict[str, float]) -> dt.SignalingGame:
    """UDG after folding back the challenger's last move: Ch initiates or not, Def concedes or resists."""
    p_ch, p_def = dt.symbols("p_Ch p_Def")
    prior = [[p_ch * p_def, p_ch * (1 - p_def)], [(1 - p_ch) * p_def, (1 - p_ch) * (1 - p_def)]]
    end = {  # (challenger hard, defender hard) -> payoffs at DD
        (h, k): (ch["DDp"] if h else ch["DDm"], d["DDp"] if k else d["DDm"]) for h in (1, 0) for k in (1, 0)
    }
    sender = np.empty((2, 2, 2, 2))
    receiver = np.empty((2, 2, 2, 2))
    war = np.zeros((2, 2, 2, 2))
    for i, hard in enumerate((1, 0)):
        for j, stern in enumerate((1, 0)):
            resisted = end[hard, stern] if hard else (ch["CD"], d["CD"])
            sender[i, j, 0], receiver[i, j, 0] = ch["SQ"], d["SQ"]
            sender[i, j, 1], receiver[i, j, 1] = [ch["DC"], resisted[0]], [d["DC"], resisted[1]]
            war[i, j, 1, 1] = hard
    initiate, concede = np.zeros_like(war), np.zeros_like(war)
    initiate[:, :, 1] = 1
    concede[:, :, 1, 0] = 1
    backdown = np.zeros_like(war)
    backdown[1, :, 1, 1] = 1
    return dt.SignalingGame(
        types=("hard", "soft"), messages=("hold", "initiate"), responses=("concede", "resist"), prior=prior,
        sender_payoffs=sender, receiver_payoffs=receiver, receiver_types=("stern", "mild"), players=("Ch", "Def"),
        events={"challenge": initiate, "war": war, "concession": concede, "backdown": backdown},
    )  # fmt: skip


CH = {"DC": 1, "SQ": 0.6, "DDp": 0.3, "CD": 0.1, "DDm": 0}
DEF = {"SQ": 1, "CD": 0.8, "DDp": 0.5, "DC": 0.3, "DDm": 0}
ALSIG = {"rho": 0.3, "v_I": 0.4, "w": 1, "k": 0.2, "h": 0, "g": 1, "d": 1, "d1": 1, "v_R": 2}


def beer_quiche() -> dt.SignalingGame:
    p = dt.symbols("p")
    return dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


# ---------------------------------------------------------------- known answers


@pytest.mark.parametrize(
    ("true", "perceived", "outcome", "informed"),
    [
        ({"sq": 1, "win": 0.9, "war": 0.2, "yield": 0}, {"war": -0.2}, "WAR", "SQ"),  # HYPER-1
        ({"sq": 1, "win": 0.9, "war": -0.3, "yield": 0}, {"war": 0.1}, "SQ", "CONCESSION"),  # HYPER-2
    ],
)
def test_hypergame_of_direct_deterrence(true, perceived, outcome, informed):
    truth = cid({"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, true)
    found = subjective(
        direct_deterrence(), truth=truth, beliefs={"A": {f"D_{k}": v for k, v in perceived.items()}}, war="WAR"
    )
    assert found.probability(outcome) == (1.0, 1.0)
    assert found.informed.probability(informed) == (1.0, 1.0)
    assert found.belief("A", "CONCESSION" if outcome == "WAR" else "SQ") == (1.0, 1.0)
    unwanted = 1.0 if outcome == "WAR" else 0.0
    assert found.unwanted_war == found.missed_deterrence == (unwanted, unwanted)
    assert found.regret["A"] == pytest.approx((0.1, 0.1) if unwanted else (1.0, 1.0))  # war -0.1 or peace 0 forgone


def test_defender_whose_war_was_unwanted_is_surprised_infinitely():
    truth = cid({"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": 0.2, "yield": 0})
    found = subjective(direct_deterrence(), truth=truth, beliefs={"A": {"D_war": -0.2}}, war="WAR")
    assert found.surprise["A"].divergence == found.surprise["D"].divergence == (np.inf, np.inf)
    assert found.surprise["A"].chance == (0.0, 0.0)
    assert found.miscalculation == (1.0, 1.0)
    assert "A believes D_war = -0.2 (for 0.2)" in str(found)


@pytest.mark.parametrize(
    ("rho_A", "rho_P", "expect"),
    [
        (0.7, 0.7, {"attack": 0, "war": 0, "joint war": 0, "conquest": 0}),  # EXTI-1
        (0.6, 0.7, {"attack": 1, "war": 1, "joint war": 0.7, "conquest": 0}),  # EXTI-2
        (0.7, 0.45, {"attack": 1, "war": 0, "joint war": 0, "conquest": 1}),  # EXTI-3
    ],
)
def test_extended_deterrence_needs_both_beliefs(rho_A, rho_P, expect):
    truth = {"rho": 0.7, "p1": 0.8, "p2": 0.3, "c_A1": 0.2, "c_A2": 0.6, "c_P": 0.45}
    beliefs = {"A": {"rho": rho_A, "believes": {"P": {"rho": rho_P}}}, "P": {"rho": rho_P}}
    found = subjective(extended_deterrence(), truth=truth, beliefs=beliefs, war=lambda path: path[-1].endswith("war"))
    got = {name: found.probability(name) for name in ("attack", "joint war", "conquest")}
    got["war"] = found.probability(lambda path: path[-1].endswith("war"))
    for name, value in expect.items():
        assert got[name] == pytest.approx((value, value), abs=1e-9), name


def test_without_the_nested_belief_the_attacker_expects_resistance_and_holds():
    truth = {"rho": 0.7, "p1": 0.8, "p2": 0.3, "c_A1": 0.2, "c_A2": 0.6, "c_P": 0.45}
    found = subjective(extended_deterrence(), truth=truth, beliefs={"P": {"rho": 0.45}}, war="joint war")
    assert found.probability("attack") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("p_def", "seen", "expect"),
    [
        (0.6, 0.6, {"challenge": 0, "war": 0, "concession": 0, "backdown": 0}),  # NCP-1
        (0.6, 0.2, {"challenge": 0.48, "war": 0.21666667, "concession": 0.13333333, "backdown": 0.13}),  # NCP-2
        (0.2, 0.6, {"challenge": 0, "war": 0, "concession": 0, "backdown": 0}),  # NCP-3
    ],
)
def test_unilateral_deterrence_with_heterogeneous_priors(p_def, seen, expect):
    game = heterogeneous_priors(
        unilateral_deterrence(CH, DEF), truth={"p_Ch": 0.3, "p_Def": p_def}, beliefs={"Ch": {"p_Def": seen}}
    )
    survivors = [e for e in dt.pbe(game) if e.probability("challenge") > 1e-9]
    chosen = survivors or list(dt.pbe(game))
    for name, value in expect.items():
        for e in chosen:
            assert float(e.probability(name)) == pytest.approx(value, abs=1e-6), (name, e.kind)


@pytest.mark.parametrize(
    ("rho", "rho_hat", "expect"),
    [
        (0.7, 0.3, {"treaty": 0.82857143, "attack": 0.58571429, "war": 0.35}),  # NCPS-1
        (0.3, 0.3, {"treaty": 0.6, "attack": 0.7, "war": 0.15}),  # NCPS-2
        (0.3, 0.7, {"treaty": 0, "attack": 0, "war": 0}),  # NCPS-3
    ],
)
def test_alliance_signal_with_a_misperceived_prior(rho, rho_hat, expect):
    game = heterogeneous_priors(get("ALSIG"), truth={**ALSIG, "rho": rho}, beliefs={"Attacker": {"rho": rho_hat}})
    survivors = [e for e in dt.pbe(game) if e.survives("d1")]
    best = max(survivors, key=lambda e: float(e.payoffs["Guarantor"]))
    got = {name: float(best.probability(name)) for name in expect}
    assert got == pytest.approx(expect, abs=1e-6)


def test_silence_thought_sufficient_is_read_as_weakness():  # NCPS-6
    found = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}, select="d1, best for Guarantor"
    )
    assert found.probability("treaty") == (0.0, 0.0)
    assert found.probability("attack") == (1.0, 1.0)
    assert found.probability("war") == pytest.approx((0.7, 0.7))
    assert found.unwanted_war == pytest.approx((0.7, 0.7))
    assert found.belief("Guarantor", "attack") == (0.0, 0.0)


def test_a_bluff_is_called():
    """A guarantor that thinks its treaty believed is attacked: the irresolute type pays and yields."""
    game = get("ALSIG")
    found = subjective(
        game, truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.2}},
        select={"Guarantor": "kind pooling on treaty", "Attacker": "kind pooling on silence, highest attack"},
    )  # fmt: skip
    assert found.probability("treaty") == (1.0, 1.0)
    low, high = found.probability("attack")
    assert found.called_bluff[1] == pytest.approx(0.3 * high)
    assert low < high  # off the attacker's path anything from a1_min on


# ---------------------------------------------------------------- properties

probabilities = st.floats(0.05, 0.95)


@given(rho=probabilities, k=st.floats(0.05, 0.95), h=st.floats(0, 0.4))
def test_players_who_are_right_play_the_standard_equilibria(rho, k, h):
    truth = {**ALSIG, "rho": rho, "k": k, "h": h}
    found = subjective(get("ALSIG"), truth=truth, beliefs={"Attacker": {"rho": rho}})
    equilibria = dt.pbe(get("ALSIG").game(**truth))
    for event in ("attack", "war", "treaty"):
        assert found.probability(event) == pytest.approx(equilibria.probability(event), abs=1e-8)
        assert found.belief("Attacker", event) == pytest.approx(found.probability(event), abs=1e-8)
    assert found.unwanted_war[1] == pytest.approx(0, abs=1e-12)
    assert found.called_bluff[1] == pytest.approx(0, abs=1e-12)
    assert found.surprise["Attacker"].divergence[1] == pytest.approx(0, abs=1e-9)
    assert max(r for _, r in found.regret.values()) == pytest.approx(0, abs=1e-9)


@given(rho=probabilities)
def test_saying_that_the_other_believes_what_oneself_does_says_nothing(rho):
    truth = {**ALSIG, "rho": 0.6}
    plain = subjective(get("ALSIG"), truth=truth, beliefs={"Attacker": {"rho": rho}})
    nested = subjective(
        get("ALSIG"), truth=truth, beliefs={"Attacker": {"rho": rho, "believes": {"Guarantor": {"rho": rho}}}}
    )
    assert nested.probability("attack") == pytest.approx(plain.probability("attack"))
    assert len(nested.plays) == len(plain.plays)


@given(p=probabilities, q=probabilities)
def test_probabilities_and_ranges_are_sound(p, q):
    found = subjective(beer_quiche(), truth={"p": p}, beliefs={"Receiver": {"p": q}}, attack="duel", war="duel")
    for play in found.plays:
        assert play.true.sum() == pytest.approx(1, abs=1e-12)
        for believed in play.believed.values():
            assert believed.sum() == pytest.approx(1, abs=1e-12)
        assert min(play.regret.values()) >= 0
        assert (play.mistaken["Receiver"] <= play.true + 1e-15).all()
    low, high = found.probability("duel")
    assert 0 <= low <= high <= 1 + 1e-12
    assert sum(pair[1] for pair in found.outcomes().values()) >= 1 - 1e-12


@given(w=st.floats(-0.9, 0.9), seen=st.floats(-0.9, 0.9), scale=st.sampled_from([0.5, 4.0]), shift=st.integers(-3, 3))
def test_units_of_the_defenders_payoffs_do_not_matter(w, seen, scale, shift):
    assume(min(abs(w), abs(seen)) > 1e-6)  # no ties
    A, D = {"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": w, "yield": 0.0}
    moved = {k: scale * v + shift for k, v in D.items()}
    plain = subjective(direct_deterrence(), truth=cid(A, D), beliefs={"A": {"D_war": seen}}, war="WAR")
    other = subjective(
        direct_deterrence(), truth=cid(A, moved), beliefs={"A": {"D_war": scale * seen + shift}}, war="WAR"
    )
    for event in ("WAR", "SQ", "CONCESSION"):
        assert plain.probability(event) == other.probability(event)


def test_monte_carlo_play_agrees():
    found = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": 0.6}, beliefs={"Attacker": {"rho": 0.3}}, select="d1, best for Guarantor"
    )
    (play,) = found.plays
    rng, n = np.random.default_rng(7), 40_000
    resolute = rng.random(n) < 0.6
    sends, attacks = play.strategies["Guarantor"], play.strategies["Attacker"]
    treaty = rng.random(n) < np.where(resolute, sends["resolute"]["treaty"], sends["irresolute"]["treaty"])
    attack = rng.random(n) < np.where(treaty, attacks["treaty"]["attack"], attacks["silence"]["attack"])
    assert np.mean(attack & resolute) == pytest.approx(found.probability("war")[0], abs=0.012)


# ---------------------------------------------------------------- several equilibria, selections, forms


def test_all_combinations_are_kept_unless_a_selection_is_named():
    every = subjective(get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}})
    assert len(every.plays) > 1
    assert every.probability("attack")[0] < every.probability("attack")[1]
    lowest = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}, select="lowest attack"
    )
    assert {p.expects["Attacker"] for p in lowest.plays} == {"semi-separating: irresolute mixes"}
    picked = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}},
        select=[lambda found: found.where(survives="d1"), "worst for Guarantor"],
    )  # fmt: skip
    assert len(picked.plays) <= len(every.plays)


def test_nested_beliefs_three_deep_change_play():
    """In the tree of CID: A thinks that D thinks that A would back down."""
    A, D = {"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0}
    truth = cid(A, D)
    assert subjective(direct_deterrence(), truth=truth, war="WAR").probability("CONCESSION") == (1.0, 1.0)
    beliefs = {"A": {"believes": {"D": {"A_war": -0.9}}}}  # D, thinking that A would back down, would resist
    found = subjective(direct_deterrence(), truth=truth, beliefs=beliefs, war="WAR")
    assert found.belief("A", "WAR") == (0.0, 0.0)
    assert found.probability("SQ") == (1.0, 1.0)  # A holds: it foresees resistance, and gets -0.1 < 0 from war
    deeper = {"A": {"believes": {"D": {"believes": {"A": {"A_war": -0.9}}}}}}
    assert subjective(direct_deterrence(), truth=truth, beliefs=deeper, war="WAR").probability("SQ") == (1.0, 1.0)


def test_strategic_forms_and_noisy_concepts():
    c = dt.symbols("c")
    game = dt.StrategicGame(
        [[-c, 2], [0, 1]], [[-c, 0], [2, 1]], players=("X", "Y"), strategies=[["escalate", "yield"]] * 2
    )
    found = subjective(
        game, truth={"c": 3}, beliefs={"X": {"c": -1}}, attack="escalate", war="escalate", aggressor="X", concept="nash"
    )
    assert found.probability(lambda path: path[0] == "escalate")[0] > 0.2
    noisy = subjective(direct_deterrence(), truth=cid({"sq": 0, "win": 1, "back": -0.3, "war": -0.6},
                       {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0}), concept="qre 2", war="WAR")  # fmt: skip
    assert noisy.probability("attack") == pytest.approx(
        (0.51366286, 0.51366286), abs=1e-6
    )  # SIGN-1: nobody is mistaken


def test_outcome_shows_itself():
    found = subjective(get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}})
    assert isinstance(found, SubjectiveOutcome)
    assert "Attacker believes rho = 0.3 (for 0.7)" in str(found)
    assert repr(found) == str(found)
    html = found._repr_html_()
    assert html.count("<table") == 3
    for text in ("Attacker expects", "miscalculation", "unwanted war", "missed deterrence", "called bluff", "regret"):
        assert text in html
        assert text in str(found)
    frame = found.to_frame()
    assert set(frame["who"]) == {"true", "Guarantor expects", "Attacker expects"}
    assert (frame["low"] <= frame["high"]).all()


# ---------------------------------------------------------------- scenarios


def test_textbook_scenario_underestimation_makes_war_and_overestimation_peace():
    scenario = dt.Scenario.load("textbook")
    name = scenario.game().aggressor.name
    truth = subjective(scenario, beliefs={name: {}})
    assert isinstance(truth, SubjectiveOutcome)
    assert truth.probability("attack") == pytest.approx(scenario.game().attack_probabilities().likelihood, abs=1e-12)
    assert truth.probability("attack")[0] == pytest.approx(1 - truth.probability("refrain")[0])
    assert sum(pair[0] for pair in truth.outcomes().values()) == pytest.approx(1, abs=1e-12)


def test_collective_defence_with_correct_beliefs_wants_its_wars():
    member = dt.Member(
        name="Ally", capability=10, stake=2, cost=dt.Distribution(family="normal", location=1.0, scale=0.5)
    )
    game = dt.CollectiveDefence(
        members=(member,), attacks=(AttackOption(name="full", strength=8, window=5, cost=0.2),), base=4,
        aggressor=Aggressor(prize=uniform(0.0, 1.0)),
    )  # fmt: skip
    right = subjective(game)
    assert isinstance(right, SubjectiveOutcome)
    assert right.unwanted_war == pytest.approx((0, 0), abs=1e-12)
    assert right.regret[game.aggressor.name] == pytest.approx((0, 0), abs=1e-9)
    wrong = subjective(game, beliefs={game.aggressor.name: {"members.Ally.cost.location": "+1.5"}})
    assert isinstance(wrong, SubjectiveOutcome)
    assert wrong.probability("attack")[0] > right.probability("attack")[1]
    assert wrong.unwanted_war[0] > 0.01
    assert wrong.regret[game.aggressor.name][0] > 0
    assert wrong.surprise["Ally"].chance[0] <= 1


def test_a_target_that_doubts_yields_without_a_fight():
    member = dt.Member(
        name="Ally", capability=10, stake=2, cost=dt.Distribution(family="normal", location=0.5, scale=0.5)
    )
    game = dt.CollectiveDefence(
        members=(member,), attacks=(AttackOption(name="full", strength=8, window=5),), base=4,
        target=Target(name="Protege", stake=1.0, cost=uniform(0.0, 0.8)),
    )  # fmt: skip
    firm = subjective(game)
    doubtful = subjective(game, beliefs={"Protege": {"members.Ally.cost.location": "+2"}})
    assert isinstance(firm, SubjectiveOutcome)
    assert isinstance(doubtful, SubjectiveOutcome)
    assert doubtful.probability("target yields")[0] > firm.probability("target yields")[1]
    assert doubtful.probability("attack")[0] >= firm.probability("attack")[1] - 1e-12
    for found in (firm, doubtful):
        yields, war, attack = (found.probability(e)[0] for e in ("target yields", "war", "attack"))
        assert yields + war == pytest.approx(attack)
        assert yields == pytest.approx(float(game.conquest_without_fight()), abs=1e-12) or found is doubtful


# ---------------------------------------------------------------- beliefs about beliefs in an alliance


def two_allies(**changes: object) -> dt.CollectiveDefence:
    """Two allies who must both come; costs are uniform on [0, 1].

    Member i comes with probability q_i = q_j / 2 + p_i, where p_i is its obligation, the defence holds with q_1 q_2,
    and an attack pays iff v (1 - q_1 q_2) > q_1 + q_2, with v uniform on [0, 2].
    """
    members = tuple(
        dt.Member(name=name, capability=1, delay=0, stake=0.5, obligation=0.2, cost=uniform(0.0, 1.0))
        for name in ("Near", "Far")
    )
    game = dt.CollectiveDefence(
        members=members, attacks=(AttackOption(name="full", strength=1.5, window=30),), decisiveness=400.0,
        aggressor=Aggressor(prize=uniform(0.0, 2.0), punishment=1.0),
    )  # fmt: skip
    return game.at(**changes) if changes else game


def replies(p1: float, p2: float) -> tuple[float, float]:
    """The equilibrium q by hand: q_1 = (p_1 + p_2 / 2) / (3 / 4), and the other way round."""
    return (p1 + p2 / 2) / 0.75, (p2 + p1 / 2) / 0.75


def attacked(q1: float, q2: float) -> float:
    return 1 - min(1.0, (q1 + q2) / (1 - q1 * q2) / 2)


@pytest.mark.parametrize(
    ("overlay", "q"),
    [
        ({}, replies(0.2, 0.2)),
        ({"members.Far.obligation": 0.1}, replies(0.2, 0.1)),
        # of Near it foresees what Near would do if Far's obligation were 0.1; of Far, the equilibrium of its own game
        ({"believes": {"Near": {"members.Far.obligation": 0.1}}}, (replies(0.2, 0.1)[0], 0.4)),
        # Near is thought to think that Far takes Near's obligation for 0: Near replies to that Far at its own values
        (
            {"believes": {"Near": {"believes": {"Far": {"members.Near.obligation": 0}}}}},
            (replies(0.0, 0.2)[1] / 2 + 0.2, 0.4),
        ),
        # the same one level deeper: Far is thought to think that Near thinks that Far takes Near's obligation for 0
        (
            {"believes": {"Far": {"believes": {"Near": {"believes": {"Far": {"members.Near.obligation": 0}}}}}}},
            (0.4, (replies(0.0, 0.2)[1] / 2 + 0.2) / 2 + 0.2),
        ),
        # relative changes are to the view around them: 0.1 + 0.1 is the truth again
        (
            {"members.Far.obligation": 0.1, "believes": {"Near": {"members.Far.obligation": "+0.1"}}},
            (0.4, replies(0.2, 0.1)[1]),
        ),
    ],
)
def test_beliefs_about_beliefs_of_two_allies(overlay, q):
    found = subjective(two_allies(), beliefs={"Aggressor": overlay})
    chance = attacked(*q)
    assert found.probability("attack") == pytest.approx((chance, chance), abs=1e-9)
    assert found.belief("Aggressor", "defence holds") == pytest.approx((chance * q[0] * q[1],) * 2, abs=1e-9)
    assert found.probability("defence holds") == pytest.approx((chance * 0.16,) * 2, abs=1e-9)  # none of them is wrong


def test_an_ally_acts_on_what_it_thinks_that_the_other_sees():
    """Near thinks that Far takes Near's obligation for 0: it replies to that Far, which really comes with 0.4."""
    found = subjective(two_allies(), beliefs={"Near": {"believes": {"Far": {"members.Near.obligation": 0}}}})
    near, far = replies(0.0, 0.2)[1] / 2 + 0.2, replies(0.0, 0.2)[1]
    assert found.probability("defence holds") == pytest.approx((attacked(0.4, 0.4) * near * 0.4,) * 2, abs=1e-9)
    # of the aggressor it thinks that it sees what Near sees, and expects the equilibrium of that
    expected = attacked(0.4, 0.4) * near * far
    assert found.belief("Near", "defence holds") == pytest.approx((expected,) * 2, abs=1e-9)


def test_what_a_target_is_thought_to_think_decides_whether_it_is_thought_to_resist():
    """A target with a known cost of 0.5 resists iff it gives the defence more; thought to doubt, it should yield."""
    game = two_allies(**{"members.*.obligation": 0.4})
    game = dataclasses.replace(game, target=Target(name="Protege", stake=1.0, cost=degenerate(0.5)))
    q = replies(0.4, 0.4)[0]
    assert q**2 > 0.5
    firm = subjective(game)
    assert firm.probability("target yields") == (0.0, 0.0)
    assert firm.probability("attack") == pytest.approx((attacked(q, q),) * 2, abs=1e-9)
    tempted = subjective(game, beliefs={"Aggressor": {"believes": {"Protege": {"members.*.obligation": 0.1}}}})
    assert tempted.probability("attack") == pytest.approx((1.0, 1.0))  # it expects to take the prize for nothing
    assert tempted.belief("Aggressor", "target yields") == pytest.approx((1.0, 1.0))
    assert tempted.probability("war") == pytest.approx((1.0, 1.0))
    assert tempted.unwanted_war[0] > 0.5


@given(p=st.floats(0.05, 0.3), seen=st.floats(0.05, 0.3))
@settings(max_examples=6)
def test_saying_what_goes_without_saying_changes_nothing_in_an_alliance(p, seen):
    game = two_allies(**{"members.Far.obligation": p})
    plain = subjective(game, beliefs={"Aggressor": {"members.Far.obligation": seen}})
    told = subjective(
        game,
        beliefs={"Aggressor": {"members.Far.obligation": seen, "believes": {"Near": {"believes": {"Far": {}}}}}},
    )
    for event in ("attack", "defence holds"):
        assert told.probability(event) == pytest.approx(plain.probability(event), abs=1e-8)
        assert told.belief("Aggressor", event) == pytest.approx(plain.belief("Aggressor", event), abs=1e-8)


def test_beliefs_about_beliefs_over_arrays():
    x = np.array([0.0, 0.1, 0.2])
    grid = subjective(two_allies(), beliefs={"Aggressor": {"believes": {"Near": {"members.Far.obligation": x}}}})
    assert grid.probability("attack")[0] == pytest.approx([attacked(replies(0.2, v)[0], 0.4) for v in x], abs=1e-9)


def test_beliefs_about_beliefs_on_the_baltic_scenario():
    """Parameters of the file count in nested overlays too; what is said of all at every level comes to nothing new."""
    scenario = dt.Scenario.load("baltic-2017")
    plain = subjective(scenario)
    assert "Russia believes resolve +0.6" in str(plain)
    doubts = {"Poland": {"members.*.cost.location": "+1"}}
    nested = subjective(scenario, beliefs={"Russia": {"believes": doubts}})
    deeper = subjective(
        scenario, beliefs={"Russia": {"believes": {"Poland": {"believes": {"USA": {"resolve": "+1"}}}}}}
    )
    assert "Russia believes that Poland believes that USA believes resolve +1" in str(deeper)
    for found in (nested, deeper):
        assert found.belief("Russia", "attack") == pytest.approx(found.probability("attack"), abs=1e-12)
        assert found.probability("attack") != pytest.approx(plain.probability("attack"), abs=1e-7)
        assert sum(pair[0] for pair in found.outcomes().values()) == pytest.approx(1, abs=1e-12)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("beliefs", "match"),
    [
        ({"Agressor": {"rho": 0.1}}, "unknown player 'Agressor'; players are Guarantor, Attacker"),
        ({"Attacker": {"rh": 0.1}}, "has no parameter 'rh'.*did you mean 'rho'"),
        ({"Attacker": 0.1}, "must map parameters to values"),
        ({"Attacker": {"believes": {"Attacker": {"rho": 0.1}}}}, "contradicts itself"),
        ({"Attacker": {"believes": {"Patron": {"rho": 0.1}}}}, "unknown player 'Patron'"),
        ({"Attacker": {"believes": {"Guarantor": {"sigma": 0.1}}}}, "has no parameter 'sigma'"),
    ],
)
def test_bad_beliefs(beliefs, match):
    with pytest.raises(ParameterError, match=match):
        subjective(get("ALSIG"), truth=ALSIG, beliefs=beliefs)


def test_circular_chain_of_beliefs():
    mine: dict[str, object] = {"rho": 0.1}
    theirs: dict[str, object] = {"rho": 0.2, "believes": {"Attacker": mine}}
    mine["believes"] = {"Guarantor": theirs}
    with pytest.raises(ParameterError, match="circular"):
        subjective(get("ALSIG"), truth=ALSIG, beliefs={"Attacker": mine})


@pytest.mark.parametrize("scenario", ["textbook", "baltic-2017"])
def test_bad_chains_of_beliefs_in_a_scenario(scenario):
    source = dt.Scenario.load(scenario)
    name, member = source.game().aggressor.name, source.game().names[0]
    mine: dict[str, object] = {"members.*.stake": 1.0}
    theirs: dict[str, object] = {"believes": {name: mine}}
    mine["believes"] = {member: theirs}
    with pytest.raises(ParameterError, match=f"circular: what {name} believes that {member} .*finite depth"):
        subjective(source, beliefs={name: mine})
    with pytest.raises(ParameterError, match="circular"):
        dataclasses.replace(source.game(), perception={name: mine})
    with pytest.raises(ParameterError, match="contradicts itself"):
        subjective(source, beliefs={name: {"believes": {name: {"members.*.stake": 1.0}}}})
    with pytest.raises(ParameterError, match="unknown player 'Atlantis'"):
        subjective(source, beliefs={name: {"believes": {"Atlantis": {}}}})
    with pytest.raises(ParameterError, match=r"members\.\*\.stakes"):
        subjective(source, beliefs={name: {"believes": {member: {"members.*.stakes": 1.0}}}})


def test_other_bad_input():
    game, truth = (
        direct_deterrence(),
        cid({"sq": 0, "win": 1, "back": -0.3, "war": -0.1}, {"sq": 1, "win": 0.9, "war": 0.2, "yield": 0}),
    )
    with pytest.raises(ParameterError, match="stated_chance must be a probability"):
        subjective(game, truth=truth, stated_chance=2)
    with pytest.raises(GameError, match="no event 'invasion'"):
        subjective(game, truth=truth).probability("invasion")
    with pytest.raises(GameError, match="nobody is known to be the aggressor"):
        _ = subjective(game, truth=truth, attack="invade", war="WAR").unwanted_war
    with pytest.raises(ParameterError, match="no solution concept 'qqre'"):
        choose_concept("qqre")
    with pytest.raises(ParameterError, match="needs a number for chi"):
        choose_concept("cursed")
    with pytest.raises(ParameterError, match="select names the unknown player 'B'"):
        subjective(game, truth=truth, select={"B": "d1"})
    with pytest.raises(SolverError, match="is left by select"):
        subjective(get("ALSIG"), truth=ALSIG, select="kind partially pooling")
    with pytest.raises(GameError, match="more than limit=2"):
        subjective(get("ALSIG"), truth={**ALSIG, "rho": 0.7}, beliefs={"Attacker": {"rho": 0.3}}, limit=2)
    with pytest.raises(ParameterError, match="change payoffs"):
        heterogeneous_priors(get("ALSIG"), truth=ALSIG, beliefs={"Attacker": {"g": 2.0}})
    with pytest.raises(ParameterError, match="unknown player 'Agressor'"):
        subjective(dt.Scenario.load("textbook"), beliefs={"Agressor": {}})

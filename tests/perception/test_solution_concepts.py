"""Cursed, analogy-based, level-k, cognitive-hierarchy, self-confirming and Berk-Nash play; comparisons of concepts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.distributions import normal, uniform
from deterrence.games.errors import GameError, ParameterError
from deterrence.models import get
from deterrence.perception.analogy import analogy_based
from deterrence.perception.berk_nash import berk_nash, divergences, fixed_models
from deterrence.perception.compare import compare
from deterrence.perception.cursed import cursed, cursed_game, cursed_offer
from deterrence.perception.cursed_stages import cursed_stages
from deterrence.perception.levels import cognitive_hierarchy, level_k
from deterrence.perception.self_confirming import self_confirming

ALSIG = {"rho": 0.3, "v_I": 0.4, "w": 1, "k": 0.2, "h": 0, "g": 1, "d": 1, "d1": 1, "v_R": 2}


def signal(**changes: float) -> dt.SignalingGame:
    return get("ALSIG").game(**{**ALSIG, **changes})


def outcomes(found: dt.EquilibriumSet) -> dict[str, tuple[float, float]]:
    return {e.kind: (float(e.probability("attack")), float(e.probability("war"))) for e in found}


# ---------------------------------------------------------------- cursed

SILENCE = "pooling on silence"
SEMI = "semi-separating: irresolute mixes"


@pytest.mark.parametrize(
    ("k", "chi", "expect"),
    [
        (0.2, 0.0, {SEMI: (0.7, 0.15), SILENCE: (1, 0.3)}),  # CURS-1
        (0.2, 0.3, {SEMI: (0.74390244, 0.15), SILENCE: (1, 0.3)}),  # CURS-2
        (0.2, 0.8, {SILENCE: (1, 0.3)}),  # CURS-3
        (0.6, 0.5, {"separating": (0.7, 0), SILENCE: (1, 0.3)}),  # CURS-4
    ],
)
def test_cursed_attacker_discounts_costly_signals(k, chi, expect):
    found = cursed(signal(k=k), chi=chi)
    assert found.complete
    got = outcomes(found)
    assert set(got) == set(expect)
    for kind, pair in expect.items():
        assert got[kind] == pytest.approx(pair, abs=1e-6)


def test_cursed_beliefs_are_those_that_are_held():
    (separating,) = cursed(signal(k=0.6), chi=0.5).where(kind="separating")
    assert separating.beliefs["treaty"]["resolute"] == pytest.approx(0.65)  # CURS-4
    (semi,) = cursed(signal(), chi=0.3).where(kind=SEMI)
    assert semi.strategies["Guarantor"]["irresolute"]["treaty"] == pytest.approx(0.30313589, abs=1e-6)  # CURS-2
    assert semi.strategies["Attacker"]["treaty"]["attack"] == pytest.approx(0.5)
    assert semi.beliefs["treaty"]["resolute"] == pytest.approx(0.5)  # indifferent as held; Bayes would say 0.5857
    assert semi.payoffs["Attacker"] == pytest.approx(semi.profile.payoffs(signal())["Attacker"])


@given(rho=st.floats(0.05, 0.95), k=st.floats(0.02, 1.2), h=st.floats(0, 0.5))
def test_chi_zero_is_perfect_bayesian(rho, k, h):
    game = signal(rho=rho, k=k, h=h)
    plain, found = dt.pbe(game), cursed(game, chi=0.0)
    assert found.kinds == plain.kinds
    for event in ("attack", "war", "treaty"):
        assert found.probability(event) == pytest.approx(plain.probability(event), abs=1e-8)


@given(rho=st.floats(0.05, 0.95), chi=st.floats(0, 1), k=st.floats(0.02, 1.2))
def test_cursed_beliefs_move_only_in_part(rho, chi, k):
    for e in cursed(signal(rho=rho, k=k), chi=chi):
        for vertex in e.vertices:
            prior = np.array([rho, 1 - rho])
            assert (vertex.posterior >= chi * prior - 1e-9).all()
            sent = prior[:, None] * vertex.sender
            for m in range(2):
                if sent[:, m].sum() > 1e-9:
                    bayes = sent[:, m] / sent[:, m].sum()
                    assert vertex.posterior[0, m] == pytest.approx(chi * prior + (1 - chi) * bayes, abs=1e-7)


@given(rho=st.floats(0.05, 0.45))
def test_fully_cursed_attackers_learn_nothing(rho):
    assert cursed(signal(rho=rho), chi=1.0).probability("attack") == pytest.approx((1.0, 1.0))


def test_attack_rises_in_cursedness():
    chances = [cursed(signal(), chi=chi).probability("attack")[0] for chi in np.linspace(0, 1, 11)]
    assert (np.diff(chances) >= -1e-9).all()
    assert chances[-1] == pytest.approx(1.0)
    assert chances[0] < chances[3]


def test_pooling_on_a_message_that_only_a_bad_belief_holds_up_dies_as_chi_grows():
    """Off the path mu'(t) >= chi mu(t): with rho = 0.7 attack on silence needs a belief of 1/2."""

    def pooled(chi):
        return len(cursed(signal(rho=0.7), chi=chi).where(kind="pooling on treaty"))

    bound = 0.5 / 0.7
    assert pooled(bound - 0.01) > 0
    assert pooled(bound + 0.01) == 0


def test_cursed_in_exact_arithmetic():
    game = dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=["1/10", "9/10"],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip
    (one,) = cursed(game, chi="1/4", exact=True)
    assert one.strategies["Sender"]["weak"]["beer"] == Fraction(11, 171)
    assert one.certificate.exact


def test_cursed_sender_neglects_what_responses_say_of_the_receivers_type():
    """A sender who pays when a stern receiver resists expects the average over receivers if fully cursed."""
    game = dt.SignalingGame(
        types=("only",), messages=("hold", "challenge"), responses=("yield", "resist"),
        receiver_types=("stern", "mild"),
        prior=[[0.5, 0.5]], sender_payoffs=[[[[0, 0], [1, -3]], [[0, 0], [1, 1]]]],
        receiver_payoffs=[[[[0, 0], [0, 1]], [[0, 0], [1, 0]]]],
    )  # fmt: skip
    assert dt.pbe(game).probability("challenge") == (0.0, 0.0)  # -3 and 1 on average: -1
    # fully cursed: resisted half the time, at an average cost of -1; yielded to half the time, for 1: worth 0 in all
    virtual = cursed_game(game, 1.0)
    assert virtual.U[0, :, 1, 1].tolist() == [-1.0, -1.0]
    assert cursed(game, chi=1.0).probability("challenge") == (0.0, 1.0)
    assert cursed(game, chi=0.5).probability("challenge") == (0.0, 0.0)


def sale(alpha: float, price: float) -> dt.ExtensiveGame:
    """A seller knows whether its good is worth 1 or 0 to it, and offers it or not; unseen, a buyer buys or not."""

    def buyer(v: float, offered: bool) -> object:
        return dt.move("Buyer", infoset="buyer", actions={
            "buy": dt.end(Seller=(price - v) * offered, Buyer=(alpha * v - price) * offered),
            "pass": dt.end(Seller=0, Buyer=0),
        })  # fmt: skip

    def seller(v: float, kind: str) -> object:
        return dt.move("Seller", infoset=kind, actions={"sell": buyer(v, True), "keep": buyer(v, False)})

    root = dt.chance({"good": (0.5, seller(1, "good")), "bad": (0.5, seller(0, "bad"))})
    return dt.ExtensiveGame(("Seller", "Buyer"), root)


def test_cursed_offer_known_answers():
    assert cursed_offer(1.5, 0.0).offer == pytest.approx(0, abs=1e-6)  # CEQ-1
    full = cursed_offer(1.5, 1.0)
    assert (full.offer, full.true_payoff) == pytest.approx((0.375, -0.03515625), abs=1e-6)  # CEQ-2


@given(alpha=st.floats(0.2, 1.9), chi=st.floats(0, 1))
def test_cursed_offer_meets_the_closed_form(alpha, chi):
    best = min(1.0, (chi * alpha / 2) / (2 - (1 - chi) * alpha))
    found = cursed_offer(alpha, chi)
    assert found.offer == pytest.approx(best, abs=1e-6)
    assert found.perceived_payoff >= found.true_payoff - 1e-12
    shifted = cursed_offer(alpha, chi, uniform(0.0, 2.0))
    assert shifted.offer == pytest.approx(2 * found.offer, abs=1e-5)


@pytest.mark.parametrize(("chi", "buys"), [(0.0, False), (0.6, False), (0.7, True), (1.0, True)])
def test_static_cursed_buyers_buy_lemons(chi, buys):
    """The buyer buys what only bad sellers sell iff chi alpha / 2 > price: 0.75 chi > 0.5."""

    def lemons(e):
        s = e.strategies
        return (
            s["Seller"]["good"]["keep"] > 1 - 1e-9
            and s["Seller"]["bad"]["sell"] > 1 - 1e-9
            and s["Buyer"]["buyer"]["buy"] > 1e-9
        )

    found = cursed(sale(1.5, 0.5), chi=chi)
    assert any(lemons(e) for e in found) == buys
    for e in found:
        if lemons(e):
            assert e.payoffs["Buyer"] == pytest.approx(
                -0.25
            )  # half the sellers sell, at a price of 1/2, what is worth nothing


def test_cursed_refuses_bad_input():
    for chi in (-0.1, 1.1, float("nan")):
        with pytest.raises(ParameterError, match=r"chi must lie in \[0, 1\]"):
            cursed(signal(), chi=chi)
    with pytest.raises(ParameterError, match="chi must be a number"):
        cursed(signal(), chi="much")
    with pytest.raises(ParameterError, match="must be bounded"):
        cursed_offer(1.5, 0.5, normal(0, 1))
    with pytest.raises(ParameterError, match="alpha must not be negative"):
        cursed_offer(-1, 0.5)
    with pytest.raises(GameError, match="needs a signaling game or a tree"):
        cursed(dt.StrategicGame([[1, 0], [0, 1]], [[1, 0], [0, 1]]), chi=0.5)


# ---------------------------------------------------------------- level-k and cognitive hierarchy


@pytest.mark.parametrize(
    ("table", "choices", "share"),
    [
        ([[1, 2], [-1, 3]], [[0.5, 0.5], [1, 0], [1, 0], [1, 0]], 0.88843492),  # CH-1
        ([[0, 4], [1, 2]], [[0.5, 0.5], [1, 0], [0, 1], [1, 0]], 0.63741349),  # CH-2
    ],
)
def test_cognitive_hierarchy_known_answers(table, choices, share):
    game = dt.StrategicGame(table, np.transpose(table), strategies=[["first", "second"]] * 2)
    found = cognitive_hierarchy(game, tau=1.5, levels=12)
    for k, expect in enumerate(choices):
        assert list(found.choices[k]["Row"]["start"].values()) == pytest.approx(expect)
    assert found.strategies["Column"]["start"]["first"] == pytest.approx(share, abs=1e-8)
    assert found.probability(lambda path: path[0] == "first") == pytest.approx((share, share), abs=1e-8)


@given(payoffs=st.lists(st.integers(-3, 3), min_size=4, max_size=4), tau=st.floats(0.1, 5))
def test_hierarchy_of_zero_steps_is_uniform_and_shares_sum_to_one(payoffs, tau):
    table = np.array(payoffs).reshape(2, 2)
    game = dt.StrategicGame(table, table.T, strategies=[["a", "b"]] * 2)
    assert level_k(game, level=0).strategies["Row"]["start"] == {"a": 0.5, "b": 0.5}
    found = cognitive_hierarchy(game, tau=tau, levels=6)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)
    assert sum(found.strategies["Row"]["start"].values()) == pytest.approx(1, abs=1e-12)
    # ties are split evenly: level 1 of a table with equal row sums mixes
    if table[0].sum() == table[1].sum():
        assert found.choices[1]["Row"]["start"] == {"a": 0.5, "b": 0.5}


def test_levels_in_a_tree_reach_backward_induction():
    game = get("ALSIG").game(**{**ALSIG, "rho": 0.3, "k": 0.6})
    first = level_k(game, level=1)
    assert first.strategies["Guarantor"]["resolute"]["silence"] == 1.0  # level 0 ignores the treaty, so why pay for it
    assert first.probability("attack") == (1.0, 1.0)  # at the prior, below the critical belief
    high = level_k(game, level=6)
    assert high.probability("attack")[0] in (0.0, pytest.approx(0.7), 1.0)


def test_level_two_replies_to_level_one_in_every_role():
    """Centipede of three moves: level 1 takes last, and each level takes a step earlier."""
    game = dt.ExtensiveGame(("X", "Y"), dt.move("X", {"take": dt.end(X=1, Y=0), "pass": dt.move("Y", {
        "take": dt.end(X=0, Y=2),
        "pass": dt.move("X", {"take": dt.end(X=3, Y=1), "pass": dt.end(X=2, Y=4)})})}))  # fmt: skip
    assert level_k(game, level=1).strategies["X"]["pass/pass"] == {"take": 1.0, "pass": 0.0}
    assert level_k(game, level=2).strategies["Y"]["pass"] == {"take": 1.0, "pass": 0.0}
    assert level_k(game, level=3).strategies["X"]["start"] == {"take": 1.0, "pass": 0.0}


def test_levels_refuse_bad_input():
    game = dt.StrategicGame([[1, 0], [0, 1]], [[1, 0], [0, 1]])
    with pytest.raises(ParameterError, match="level must be a whole number"):
        level_k(game, level=-1)
    with pytest.raises(ParameterError, match="level must be a whole number"):
        level_k(game, level=1.5)
    with pytest.raises(ParameterError, match="tau must be finite and not negative"):
        cognitive_hierarchy(game, tau=-1)


# ---------------------------------------------------------------- analogy-based expectations


def two_theatres(f_core: float, core: float, periphery: float, q_star: float) -> dt.ExtensiveGame:
    """A target of the core or of the periphery; if attacked, patrons respond at a rate; A is indifferent at q_star."""

    def attacked(rate: float, where: str) -> object:
        def patron(kind: str, gain: float) -> object:
            return dt.move("D", infoset=f"{where}, {kind}", actions={
                "respond": dt.end(A=q_star - 1, D=gain), "ignore": dt.end(A=q_star, D=0)})  # fmt: skip

        return dt.chance({"firm": (rate, patron("firm", 1)), "soft": (1 - rate, patron("soft", -1))})

    def target(where: str, rate: float) -> object:
        return dt.move("A", infoset=where, actions={"hold": dt.end(A=0, D=0), "attack": attacked(rate, where)})

    return dt.ExtensiveGame(
        ("A", "D"),
        dt.chance({"treaty": (f_core, target("core", core)), "none": (1 - f_core, target("periphery", periphery))}),
    )


CLASS = {"A": [["core, firm", "core, soft", "periphery, firm", "periphery, soft"]]}


def attacks(e: object) -> tuple[float, float]:
    return tuple(e.strategies["A"][where]["attack"] for where in ("core", "periphery"))  # type: ignore[attr-defined]


def test_inaction_outside_the_treaty_area_lowers_expected_response_inside_it():  # ABEE-1
    game = two_theatres(0.4, 1.0, 0.0, 0.5)
    pooled = {attacks(e) for e in analogy_based(game, classes=CLASS)}
    assert (1.0, 1.0) in pooled
    assert (0.0, 0.0) not in pooled
    assert {attacks(e) for e in analogy_based(game)} == {(0.0, 1.0)}  # Nash: no classes


@given(f=st.floats(0.05, 0.95), core=st.floats(0, 1), periphery=st.floats(0, 1), q=st.floats(0.1, 0.9))
def test_analogy_equilibria_follow_the_weighted_response(f, core, periphery, q):
    average = f * core + (1 - f) * periphery
    if min(abs(average - q), abs(core - q), abs(periphery - q)) < 1e-6:
        return
    found = {attacks(e) for e in analogy_based(two_theatres(f, core, periphery, q), classes=CLASS)}
    assert ((1.0, 1.0) in found) == (average < q)
    assert ((0.0, 0.0) in found) == (average > q)


def test_analogy_expectations_are_told():
    (found,) = [e for e in analogy_based(two_theatres(0.4, 1.0, 0.0, 0.5), classes=CLASS) if attacks(e) == (1.0, 1.0)]
    told = found.profile.expectations["A"]["D"]["core, firm"]
    assert told["respond"] == pytest.approx(0.4)


def test_analogy_classes_refuse_bad_input():
    game = two_theatres(0.4, 1.0, 0.0, 0.5)
    with pytest.raises(ParameterError, match="unknown player 'B'"):
        analogy_based(game, classes={"B": []})
    with pytest.raises(ParameterError, match=r"no information set of another player.*did you mean 'core, firm'"):
        analogy_based(game, classes={"A": [["core, firn"]]})
    with pytest.raises(ParameterError, match="twice"):
        analogy_based(game, classes={"A": [["core, firm", "core, firm"]]})
    with pytest.raises(GameError, match="more than limit=3"):
        analogy_based(game, limit=3)


# ---------------------------------------------------------------- self-confirming


def untested(q_true: float, q_star: float) -> dt.ExtensiveGame:
    """A attacks or not; a patron of nature's choice responds with probability q_true; A is indifferent at q_star."""
    firm = dt.move("D", infoset="firm", actions={"respond": dt.end(A=q_star - 1, D=1), "ignore": dt.end(A=q_star, D=0)})
    soft = dt.move(
        "D", infoset="soft", actions={"respond": dt.end(A=q_star - 1, D=-1), "ignore": dt.end(A=q_star, D=0)}
    )
    attacked = dt.chance({"firm": (q_true, firm), "soft": (1 - q_true, soft)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end(A=0, D=0), "attack": attacked}))


@pytest.mark.parametrize(
    ("q_true", "attack_too", "nash"), [(0.2, True, "attack"), (0.8, False, "hold")]
)  # SCE-1, SCE-2
def test_overestimated_resolve_is_never_tested(q_true, attack_too, nash):
    found = self_confirming(untested(q_true, 0.5))
    attacks_ = {e.strategies["A"]["start"]["attack"] for e in found}
    assert attacks_ == ({0.0, 1.0} if attack_too else {0.0})
    informed = set()
    for e in found:
        patron = e.strategies["D"]
        if patron["firm"]["respond"] == 1 and patron["soft"]["respond"] == 0 and e.profile.nash:
            informed.add(e.strategies["A"]["start"]["attack"])
    assert informed == {1.0 if nash == "attack" else 0.0}


@given(q_true=st.floats(0.01, 0.99), q_star=st.floats(0.05, 0.95))
def test_attack_is_self_confirming_iff_it_pays(q_true, q_star):
    if abs(q_true - q_star) < 1e-6:
        return
    found = self_confirming(untested(q_true, q_star))
    assert {e.strategies["A"]["start"]["attack"] for e in found} == ({0.0, 1.0} if q_true < q_star else {0.0})


def test_conjectures_are_right_on_the_path_and_hold_the_profile_up():
    for e in self_confirming(untested(0.2, 0.5)):
        for player, guesses in e.profile.conjectures.items():
            assert sum(w for w, _ in guesses) == pytest.approx(1)
            if player == "A" and e.strategies["A"]["start"]["attack"] == 1:
                for _, sets in guesses:  # both patrons are met: nothing is left to imagine
                    assert sets["D"] == e.strategies["D"]
            if player == "A" and e.strategies["A"]["start"]["attack"] == 0:
                respond = sum(
                    w * (0.2 * s["D"]["firm"]["respond"] + 0.8 * s["D"]["soft"]["respond"]) for w, s in guesses
                )
                assert respond >= 0.5 - 1e-9


def test_every_nash_profile_is_self_confirming():
    horse = dt.StrategicGame([[2, 0], [0, 1]], [[1, 0], [0, 2]], strategies=[["a", "b"]] * 2)
    found = {tuple(s["start"]["a"] for s in e.strategies.values()) for e in self_confirming(horse)}
    assert found == {(1.0, 1.0), (0.0, 0.0)}  # all is seen in a simultaneous game: the pure Nash equilibria
    with pytest.raises(GameError, match="more than limit=2"):
        self_confirming(horse, limit=2)


# ---------------------------------------------------------------- Berk-Nash


def test_misspecified_escalator():  # BERK-1
    g, kappa, theta0, theta1 = 1.0, 2.0, 0.2, 0.5
    (s,) = fixed_models(lambda theta: g / (kappa * theta), lambda s: theta0 + theta1 * s, 0.0, 2.0)
    assert s == pytest.approx(0.8198039, abs=1e-6)

    def payoff(x):
        return g * x - kappa * (theta0 + theta1 * x) * x**2 / 2

    assert payoff(s) == pytest.approx(0.40990195, abs=1e-6)
    grid = np.linspace(0, 2, 200_001)
    assert grid[payoff(grid).argmax()] == pytest.approx(0.69397824, abs=1e-5)
    assert payoff(grid).max() == pytest.approx(0.43054511, abs=1e-6)


def test_misspecified_escalator_on_grids():
    """Finitely many levels and models: a Gaussian cost signal of sd 1, so D = (theta_k - theta(s))^2 / 2."""
    s = np.linspace(0.7, 0.95, 26)
    thetas = 1 / (2 * s)  # under each of these models one level is best
    utility = s[None] - thetas[:, None] * s[None] ** 2
    divergence = 0.5 * (thetas[:, None] - (0.2 + 0.5 * s)[None]) ** 2
    found = berk_nash(utility=utility, divergence=divergence, actions=[f"{x:.2f}" for x in s], limit=200_000)
    played = [sum(float(a) * p for a, p in e.actions.items()) for e in found]
    assert played
    assert played == pytest.approx([0.8198] * len(played), abs=0.011)
    for e in found:
        assert sum(e.actions.values()) == pytest.approx(1)
        assert sum(e.belief.values()) == pytest.approx(1)


@given(p=st.lists(st.floats(0.1, 0.9), min_size=2, max_size=2), stakes=st.floats(0.1, 3))
def test_a_right_model_gives_the_best_action(p, stakes):
    truth = np.array([[p[0], 1 - p[0]], [p[1], 1 - p[1]]])
    models = np.stack([truth, np.array([[0.5, 0.5], [0.5, 0.5]])])
    gains = np.array([[0.0, 1.0], [0.0, stakes]])  # by action and outcome
    utility = (models * gains).sum(axis=-1)
    true = (truth * gains).sum(axis=-1)
    if abs(true[0] - true[1]) < 1e-4 or min(abs(p[0] - 0.5), abs(p[1] - 0.5)) < 1e-3:
        return
    found = berk_nash(utility=utility, divergence=divergences(truth, models), true_utility=true)
    best = f"action {int(true.argmax()) + 1}"
    assert [dict(e.actions) for e in found] == [{best: 1.0}]
    assert found[0].divergence == pytest.approx(0, abs=1e-12)
    assert found[0].objective == pytest.approx(true.max())


def test_a_player_who_cannot_conceive_of_the_truth_may_have_to_mix():
    (found,) = berk_nash(utility=[[1.0, 0.0], [0.0, 1.0]], divergence=[[0.3, 0.0], [0.0, 0.1]])
    assert found.actions == {"action 1": pytest.approx(0.25), "action 2": pytest.approx(0.75)}
    assert found.belief == {"model 1": pytest.approx(0.5), "model 2": pytest.approx(0.5)}
    assert found.divergence == pytest.approx(0.075)


def test_berk_nash_refuses_bad_input():
    with pytest.raises(ParameterError, match="the set of models is empty"):
        divergences([[0.5, 0.5]], np.zeros((0, 1, 2)))
    with pytest.raises(ParameterError, match="utility is empty"):
        berk_nash(utility=np.zeros((0, 2)), divergence=np.zeros((0, 2)))
    with pytest.raises(ParameterError, match="must not be negative"):
        berk_nash(utility=[[1.0]], divergence=[[-0.1]])
    with pytest.raises(ParameterError, match="one shape"):
        berk_nash(utility=[[1.0]], divergence=[[0.1, 0.2]])
    with pytest.raises(ParameterError, match="distributions that sum to 1"):
        divergences([[0.5, 0.4]], [[[0.5, 0.5]]])
    with pytest.raises(GameError, match="more than limit=1"):
        berk_nash(utility=[[1.0, 0.0]], divergence=[[0.1, 0.1]], limit=1)


# ---------------------------------------------------------------- side by side


def test_concepts_side_by_side():
    table = compare(get("ALSIG"), ALSIG, ["pbe", "pbe, d1", "cursed 0.3", "level 1", "qre 5"])
    frame = table.to_frame()
    assert tuple(frame.loc["pbe"]) == pytest.approx((0.7, 1.0))
    assert tuple(frame.loc["pbe, d1"]) == pytest.approx((0.7, 0.7))
    assert tuple(frame.loc["cursed 0.3"]) == pytest.approx((0.74390244, 1.0), abs=1e-6)
    assert tuple(frame.loc["level 1"]) == pytest.approx((1.0, 1.0))
    assert 0 < frame.loc["qre 5", "low"] < 1
    assert str(table).splitlines()[0] == "probability of attack"
    assert "<td>0.7</td>" in table._repr_html_()
    assert table.figure().axes[0].get_xlabel().startswith("probability of attack")


def test_named_events_mean_the_same_where_a_concept_solves_the_tree():
    table = compare(get("ALSIG"), ALSIG, ["pbe", "sequential"], event="war")
    assert (table.low[0], table.high[0]) == pytest.approx((table.low[1], table.high[1]), abs=1e-8)


def test_comparison_over_a_parameter():
    table = compare(
        get("ALSIG"), {}, {"D1": "pbe, d1", "noise": "qre 3"}, over={"rho": [0.2, 0.3, 0.45]}, event="attack"
    )
    assert table.low.shape == (2, 3)
    assert table.low[0] == pytest.approx([1 - 0.2, 0.7, 0.55])
    assert len(table.figure().axes[0].lines) >= 2
    assert "rho = 0.2" in str(table)
    assert table.to_frame().loc[("D1", 0.3), "high"] == pytest.approx(0.7)


def crisis(back: float, war: float, fight: float, concede: float) -> dt.ExtensiveGame:
    last = dt.move("A", {"back": dt.end(A=back, D=0.9), "fight": dt.end(A=war, D=fight)})
    reply = dt.move("D", {"yield": dt.end(A=1.0, D=concede), "resist": last})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end(A=0.0, D=1.0), "attack": reply}))


stakes = st.sampled_from([-0.9, -0.6, -0.3, 0.3, 0.6])


@given(back=stakes, war=stakes, fight=stakes, concede=st.sampled_from([-0.15, 0.15]))
@settings(max_examples=15)
def test_high_precision_meets_the_standard_solver(back, war, fight, concede):
    assume(back != war)
    game = crisis(back, war, fight, concede)
    table = compare(game, {}, ["spe", "qre 400"])
    assert (table.low[1], table.high[1]) == pytest.approx((table.low[0], table.high[0]), abs=1e-8)


@given(war=st.sampled_from([-0.6, -0.2]), fight=st.sampled_from([-0.5, 0.4]), noise=st.floats(0.1, 3))
@settings(max_examples=10)
def test_precision_by_player(war, fight, noise):
    """D noisy, A as good as exact: A's last move is right for sure, and D's odds are those of its own payoffs."""
    game = crisis(-0.3, war, fight, 0.0)
    found = dt.qre(game, precision={"A": 600.0, "D": noise})
    (one,) = found
    worth = fight if war > -0.3 else 0.9
    resist = 1 / (1 + np.exp(-noise * worth))
    gain = resist * max(war, -0.3) + (1 - resist)
    assume(abs(gain) > 0.05)
    strategies = one.strategies
    assert [p["resist"] for p in strategies["D"].values()] == pytest.approx([resist], abs=1e-8)
    assert one.probability("attack") == pytest.approx(float(gain > 0), abs=1e-8)


def test_compare_shows_what_it_found_as_a_table_and_a_figure():
    """Bars, a row for each concept; along a parameter a curve for each, ranges shaded, all told apart by dashes too."""
    table = compare(get("ALSIG"), ALSIG, ["pbe", "cursed 0.3", "level 1"])
    rows = str(table).splitlines()
    assert [row.split("  ")[0].strip() for row in rows[1:]] == ["pbe", "cursed 0.3", "level 1"]
    bars = table.figure().axes[0]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["pbe", "cursed 0.3", "level 1"]
    curves = compare(get("ALSIG"), {}, ["pbe, d1", "level 1"], over={"rho": [0.2, 0.4, 0.8]}).figure().axes[0]
    assert [text.get_text() for text in curves.get_legend().get_texts()] == ["pbe, d1", "level 1"]
    assert len({str(line.get_linestyle()) + line.get_color() for line in curves.lines}) == 2


def test_compare_refuses_bad_input():
    with pytest.raises(ParameterError, match="at least one solution concept"):
        compare(get("ALSIG"), {}, [])
    with pytest.raises(ParameterError, match=r"no solution concept 'pbee'; .*did you mean 'pbe'"):
        compare(get("ALSIG"), {}, ["pbee"])
    with pytest.raises(ParameterError, match="one parameter"):
        compare(get("ALSIG"), {}, ["pbe"], over={"rho": [0.1], "k": [0.1]})
    with pytest.raises(ParameterError, match="has no parameter 'rhoo'"):
        compare(get("ALSIG"), {}, ["pbe"], over={"rhoo": [0.1]})


# ---------------------------------------------------------------- mixed equilibria, and trees of many stages


def matching_pennies() -> dt.StrategicGame:
    return dt.StrategicGame([[1, -1], [-1, 1]], [[-1, 1], [1, -1]], strategies=[["a", "b"]] * 2)


def test_mixed_self_confirming_profiles_of_a_game_in_which_all_is_seen_are_nash():
    assert not list(self_confirming(matching_pennies()))
    (one,) = self_confirming(matching_pennies(), mixed=True)
    assert one.strategies["Row"]["start"]["a"] == pytest.approx(0.5)
    assert one.strategies["Column"]["start"]["a"] == pytest.approx(0.5)
    assert one.profile.nash


def unseen_reserve(q: float) -> dt.ExtensiveGame:
    """A probes or not, at no gain or loss; D mixes where it is indifferent; what D would do if A struck is unseen."""
    struck = dt.move("D", infoset="struck", actions={"fight": dt.end(A=-1, D=0), "yield": dt.end(A=q, D=1)})
    probed = dt.move("D", infoset="probed", actions={"mild": dt.end(A=1, D=0), "harsh": dt.end(A=-1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end(A=0, D=0), "probe": probed, "strike": struck}))


def test_mixed_self_confirming_profiles_rest_on_what_is_not_seen():
    """A mixes hold and probe (D is seen to answer evenly), deterred from a strike that D would in truth not answer."""
    found = self_confirming(unseen_reserve(0.5), mixed=True)
    mixed = [
        e for e in found if e.strategies["A"]["start"]["strike"] == 0 and 0 < e.strategies["A"]["start"]["probe"] < 1
    ]
    assert mixed
    for e in mixed:
        assert e.strategies["D"]["probed"]["mild"] == pytest.approx(0.5)
        ((weight, guess),) = e.profile.conjectures["A"]
        assert weight == 1.0
        assert guess["D"]["probed"] == pytest.approx(e.strategies["D"]["probed"])
        assert 0.5 * guess["D"]["struck"]["yield"] - guess["D"]["struck"]["fight"] <= 1e-9
    assert any(e.strategies["D"]["struck"]["yield"] == 1 and not e.profile.nash for e in mixed)


@given(rho=st.floats(0.1, 0.9), k=st.floats(0.05, 0.9))
@settings(max_examples=4)
def test_mixed_self_confirming_profiles_hold_every_nash_outcome(rho, k):
    """By the definition nothing that is a perfect Bayesian equilibrium is left out, mixed ones included."""
    game = signal(rho=rho, k=k)
    found = {round(float(e.probability("attack")), 6) for e in self_confirming(game, mixed=True)}
    for e in dt.pbe(game):
        if e.isolated:
            assert any(abs(float(e.probability("attack")) - x) < 1e-5 for x in found)


def test_mixed_self_confirming_refuses_bad_input():
    with pytest.raises(GameError, match="patterns of supports, more than limit=3"):
        self_confirming(matching_pennies(), mixed=True, limit=3)


def test_mixed_analogy_based_expectations():
    """Core targets all attacked, others in two cases of three: the class then responds at 0.4 / (0.4 + 0.6 x 2/3)."""
    found = analogy_based(two_theatres(0.4, 1.0, 0.0, 0.5), classes=CLASS, mixed=True)
    assert not found.complete
    pure = {attacks(e) for e in analogy_based(two_theatres(0.4, 1.0, 0.0, 0.5), classes=CLASS)}
    assert pure <= {attacks(e) for e in found}
    assert any(attacks(e) == pytest.approx((1.0, 2 / 3), abs=1e-6) for e in found)
    for e in found:
        if attacks(e) not in pure:
            assert e.profile.expectations["A"]["D"]["core, firm"]["respond"] == pytest.approx(0.5, abs=1e-6)
    (pennies,) = analogy_based(matching_pennies(), mixed=True)
    assert pennies.strategies["Row"]["start"]["a"] == pytest.approx(0.5, abs=1e-8)
    with pytest.raises(GameError, match="patterns of supports, more than limit"):
        analogy_based(matching_pennies(), mixed=True, limit=5)


def resolve_shown_twice(rho: float, mu: float, late: bool = False) -> dt.ExtensiveGame:
    """G acts or rests, twice and seen by all; only the resolute like to act. Then A attacks iff its belief < mu."""

    def attack(war: bool, paid: float, seen: str) -> object:
        worth = mu - 1 if war else mu
        return dt.move("A", infoset=seen, actions={
            "hold": dt.end("peace", G=1 + paid, A=0), "attack": dt.end("attacked", G=paid, A=worth)})  # fmt: skip

    def second(war: bool, gain: float, before: str, kind: str) -> object:
        paid = gain * (before == "act")
        below = {"act": attack(war, paid + gain, f"{before}, act"), "rest": attack(war, paid, f"{before}, rest")}
        return dt.move("G", infoset=f"{kind} after {before}", actions=below)

    def first(war: bool, gain: float, kind: str) -> object:
        return dt.move("G", infoset=kind, actions={a: second(war, gain, a, kind) for a in ("act", "rest")})

    nature = dt.chance({"firm": (rho, first(True, 2.0, "firm")), "soft": (1 - rho, first(False, -2.0, "soft"))})
    if late:
        nature = dt.move("A", {"wait": nature, "leave": dt.end("left", G=0, A=0)})
    return dt.ExtensiveGame(("G", "A"), nature)


@pytest.mark.parametrize("chi", [0.0, 0.3, 0.45])
def test_belief_after_two_separating_signals_in_a_row(chi):
    """By hand: chi-dampened updating twice leaves doubt of chi^2 (1 - rho); uncursed, nothing is left of it."""
    rho, mu = 0.3, 0.9
    found = cursed(resolve_shown_twice(rho, mu), chi=chi)
    assert len(found)
    assert not found.complete
    belief = 1 - chi**2 * (1 - rho)
    for e in found:
        held = next(view for key, view in e.beliefs.items() if "act, act" in str(key))
        assert held[next(node for node in held if "firm" in str(node))] == pytest.approx(belief, abs=1e-12)
        assert float(e.probability("attack")) == pytest.approx(1 - rho if belief > mu else 1.0)
        assert e.certificate.sequentially_rational
        assert e.certificate.max_belief_error <= 1e-12


@pytest.mark.parametrize(("k", "chi"), [(0.2, 0.3), (0.6, 0.5)])
def test_cursed_play_of_a_tree_is_that_of_the_signaling_game(k, chi):
    """From the definition on the tree, and as perfect Bayesian equilibria of the virtual game: the same outcomes."""
    game = signal(k=k)
    theirs = {e.kind: float(e.probability("attack")) for e in cursed(game, chi=chi)}
    mine = cursed_stages(game.to_extensive().floats(), chi)
    got = sorted({round(float(e.probability("attack")), 7) for e in mine})
    assert got == pytest.approx(sorted({round(x, 7) for x in theirs.values()}), abs=1e-6)
    for e in mine:
        assert e.certificate.max_regret <= 1e-9


@pytest.mark.slow
@given(rho=st.floats(0.1, 0.9), mu=st.floats(0.1, 0.9))
@settings(max_examples=5)
def test_cursed_sequential_play_with_chi_zero_is_sequential(rho, mu):
    assume(abs(rho - mu) > 1e-3)
    game = resolve_shown_twice(rho, mu)
    known = dt.sequential(game)
    for e in cursed(game, chi=0.0):
        assert any(
            float(e.probability("attack")) == pytest.approx(float(other.probability("attack")), abs=1e-8)
            for other in known
        )


def test_cursed_stages_refuse_trees_of_another_form():
    with pytest.raises(GameError, match="nature to move first and all else to be seen by all"):
        cursed(resolve_shown_twice(0.3, 0.9, late=True), chi=0.5)

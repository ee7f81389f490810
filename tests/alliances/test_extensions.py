"""What members and treaties may say beyond the core: support, shocks, lift, agreement, opt-outs, doubt, alarms."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import multivariate_normal

from deterrence.alliances.arrival import arriving_share
from deterrence.alliances.attacks import Attack
from deterrence.alliances.collective_defence import (
    Aggressor,
    AllianceType,
    AttackOption,
    CollectiveDefence,
    CommonShock,
    Member,
    Posture,
    PostureStage,
    ShockState,
    Support,
    Target,
    Treaty,
)
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.solving.participation import participation
from deterrence.alliances.warning import Automation
from deterrence.games.distributions import degenerate, logistic, normal, two_point, uniform
from deterrence.games.errors import GameError, ParameterError
from deterrence.perception.detection import exceedance_probability

HOPELESS = 1e12  # strength of an attack that no help can turn: then only punishment counts


def punishing(*members: Member, value: float, punishment: float, **fields: object) -> CollectiveDefence:
    """An attack that always succeeds, and costs the aggressor something for each unit of strength that comes."""
    known = {
        "attacks": (AttackOption(name="attack", strength=HOPELESS),),
        "aggressor": Aggressor(prize=degenerate(value), punishment=punishment),
        "treaty": Treaty(),
    }
    return CollectiveDefence(members=members, **{**known, **fields})


def likelihood(game: CollectiveDefence) -> float:
    low, high = game.attack_probabilities().likelihood
    assert low == pytest.approx(high, abs=1e-12)
    return float(low)


# -- kinds of support ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("scope", "attacks"), [(0.49, 1.0), (0.51, 0.0)])
def test_scope_and_reliability_are_substitutes(scope: float, attacks: float) -> None:
    """Win 0.7, lose -0.8 against full support, status quo 0.1, reliability 0.8: the smallest deterring scope is 0.5."""
    kind = Support(kind="logistics", strength=scope)
    ally = Member(name="ally", capability=1, cost=two_point(0, 9, 0.8), obligation=1, support=kind)
    game = punishing(ally, value=0.7 - 0.1, punishment=0.7 + 0.8)
    assert likelihood(game) == attacks
    assert float(game.aggressor_choice().threshold) == pytest.approx(0.8 * scope * 1.5, abs=1e-8)


def test_support_has_its_own_cost_and_may_not_discharge_the_obligation() -> None:
    base = Member(name="ally", capability=2, cost=uniform(0, 2), obligation=0.6, audience=0.2, bilateral=0.1)
    attack = Attack(name="attack", strength=1)

    def comes(kind: Support) -> float:
        game = ParticipationGame(members=(replace(base, support=kind),), attacks=(attack,))
        (found,) = participation(game)
        return float(found.profile.cutpoints[0, 0])

    assert comes(Support()) == pytest.approx(0.9, abs=1e-12)
    assert comes(Support(kind="intelligence", cost=0.25)) == pytest.approx(0.9 / 0.25, abs=1e-12)
    assert comes(Support(kind="words", cost=0.25, obligation_met=0.5)) == pytest.approx((0.1 + 0.4) / 0.25, abs=1e-12)


def test_payoffs_count_all_that_is_paid() -> None:
    """Simulate one member: assist below the cutpoint, and pay for support, the rest owed, the opposition."""
    kind = Support(kind="logistics", strength=0.5, cost=0.4, obligation_met=0.7)
    ally = Member(
        name="ally", capability=3, stake=2, cost=normal(1.5, 0.6), obligation=0.6, audience=0.3, bilateral=0.1,
        opposition=0.2, opt_out=0.25, forward=0.5, support=kind,
    )  # fmt: skip
    game = ParticipationGame(
        members=(ally,),
        attacks=(Attack(name="x", strength=2),),
        base=1,
        tripwire=0.4,
        treaty=Treaty(automaticity=0.5, integration=0.2),
    )
    (found,) = participation(game)
    owed = 0.75 * (0.6 + 0.5) + 0.3
    without = 1.5 / 3.5
    with_help = (1.5 + 1.2 * 1.5) / (3.5 + 1.2 * 1.5)
    cut = (2 * (with_help - without) + 0.7 * owed + 0.1 + 0.2 - 0.2) / 0.4
    assert found.profile.cutpoints[0, 0] == pytest.approx(cut, abs=1e-9)
    c = np.random.default_rng(1).normal(1.5, 0.6, 400_000)
    paid = np.where(c <= cut, 2 * with_help - 0.4 * c - 0.2 - 0.3 * owed, 2 * without - owed - 0.1 - 0.2)
    stated = found.profile.state_payoffs(game, invoked=True)[0]
    assert abs(paid.mean() - stated) <= 4.5 * paid.std() / np.sqrt(len(c))


# -- commitment and domestic politics --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"members.a.opt_out": 0.5}, False),
        ({"members.a.audience": 0.4}, True),
        ({"members.a.opposition": 0.4}, False),
        ({"treaty.automaticity": 0.4}, True),
        ({"members.a.days_per_unit": 8.0}, False),
        ({"members.a.support.strength": 0.3}, False),
        ({"members.a.support.cost": 0.6}, True),
        ({"members.a.support.obligation_met": 0.3}, False),
    ],
)
def test_directions(change: dict[str, float], more: bool) -> None:
    members = tuple(
        Member(name=n, capability=3, delay=8, stake=1.5, cost=normal(1, 0.4), obligation=0.5) for n in "abc"
    )
    game = ParticipationGame(
        members=members, attacks=(Attack(name="x", strength=8, window=10),), base=2, decisiveness=2
    )
    before, after = (participation(g)[0].profile for g in (game, game.at(**change)))
    gain = after.probabilities[0, 0] - before.probabilities[0, 0]
    assert (gain > 1e-4) if more else (gain < -1e-4)
    assert after.holds[0] != before.holds[0]


# -- correlated resolve ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("correlation", "anyone", "payoff"), [(0.0, 0.7, -0.4), (0.5, 0.57752551, -0.27752551)])
def test_alliance_and_bilateral_guarantee(correlation: float, anyone: float, payoff: float) -> None:
    """Honoured with probability 0.5 and 0.4; the aggressor wins 1, or loses 1, 0.5 or 1.5."""
    both = 0.2 + correlation * np.sqrt(0.5 * 0.5 * 0.4 * 0.6)
    chances = {"both": both, "alliance": 0.5 - both, "bilateral": 0.4 - both, "none": 0.1 + both}
    alliance = Member(name="alliance", capability=2, cost=degenerate(0.0), obligation=1)
    bilateral = Member(name="bilateral", capability=1, cost=degenerate(0.0), obligation=1)
    dear = {"alliance": "members.alliance.cost.location", "bilateral": "members.bilateral.cost.location"}
    states = tuple(
        ShockState(
            name=name, probability=p, changes={path: 9.0 for who, path in dear.items() if name not in (who, "both")}
        )
        for name, p in chances.items()
    )
    game = CollectiveDefence(
        members=(alliance, bilateral),
        attacks=(AttackOption(name="attack", strength=0.1),),
        decisiveness=60,
        aggressor=Aggressor(prize=degenerate(1.0), punishment=0.5),
        shock=CommonShock(states=states),
    )
    met = game.response()
    assert 1 - met.nobody[0, 0] == pytest.approx(anyone, abs=1e-8)
    assert game.aggressor_choice().payoff(1.0)[0] == pytest.approx(payoff, abs=1e-8)
    assert likelihood(game) == 0.0
    assert met.complete


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_one_factor_leaves_each_member_as_it_was_and_ties_their_fates(rho: float) -> None:
    members = tuple(Member(name=n, capability=1, cost=normal(0.5, 0.7), obligation=0.9) for n in "ab")
    game = punishing(*members, value=1, punishment=0.1, shock=CommonShock(correlation=rho, nodes=40))
    met = game.response()
    x = (0.9 - 0.5) / 0.7
    assert met.comes[0, 0] == pytest.approx(0.716145, abs=1e-5)
    nobody = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf([-x, -x])
    assert met.nobody[0, 0] == pytest.approx(float(nobody), abs=2e-5)


def test_a_common_shock_makes_the_alliance_less_sure() -> None:
    members = tuple(Member(name=f"m{i}", capability=2, stake=1, cost=normal(1, 0.5), obligation=0.9) for i in range(5))
    base = CollectiveDefence(
        members=members,
        attacks=(AttackOption(name="x", strength=4, cost=0.1),),
        base=1,
        decisiveness=4,
        aggressor=Aggressor(prize=uniform(0, 1)),
    )
    alone, together = (base, replace(base, shock=CommonShock(correlation=0.5)))
    assert together.response().nobody[0, 0] > alone.response().nobody[0, 0]
    assert together.response().holds[0, 0] < alone.response().holds[0, 0]
    assert likelihood(together) > likelihood(alone)
    batch = together.at(**{"shock.correlation": np.array([0.0, 0.5])}).response()
    assert batch.holds[0, :, 0] == pytest.approx(
        [alone.response().holds[0, 0], together.response().holds[0, 0]], abs=1e-6
    )
    seen = replace(together, perception={"Aggressor": {"shock.correlation": 0.0}})
    assert likelihood(seen) == pytest.approx(likelihood(alone), abs=1e-6)


def test_false_alarms_and_resolve_may_change_with_the_shock_together() -> None:
    """Calm: 0.2 * 0.1 * 0.5 units act on incidents; nervous: 0.6 * 0.9 * 1. Each with probability one half."""
    ally = Member(name="ally", capability=1, cost=two_point(0, 9, 0.5), obligation=1, false_alarm=0.1)
    nervous = {
        "members.ally.false_alarm": 0.9,
        "members.ally.cost.shape.probability": 1.0,
        "attacks.attack.incidents": 0.6,
    }
    game = punishing(
        ally,
        value=1.0,
        punishment=2.0,
        attacks=(AttackOption(name="attack", strength=HOPELESS, incidents=0.2),),
        shock=CommonShock(
            states=(
                ShockState(name="calm", probability=0.5),
                ShockState(name="nervous", probability=0.5, changes=nervous),
            )
        ),
    )
    acting = 0.5 * (0.2 * 0.1 * 0.5) + 0.5 * (0.6 * 0.9 * 1.0)
    assert float(game.false_alarm_response()) == pytest.approx(acting, abs=1e-12)
    assert float(game.false_invocation()) == pytest.approx(0.5 * 0.2 * 0.1 + 0.5 * 0.6 * 0.9, abs=1e-12)
    batch = game.at(**{"attacks.attack.incidents": np.array([0.0, 0.2])})
    assert batch.false_invocation() == pytest.approx([0.5 * 0.6 * 0.9, 0.5 * (0.2 * 0.1 + 0.6 * 0.9)], abs=1e-12)
    assert float(game.aggressor_choice().threshold) == pytest.approx(2 * (0.75 - acting), abs=1e-9)


@pytest.mark.parametrize("batch", [False, True])
def test_false_alarms_count_though_no_attack_is_ever_recognised(batch: bool) -> None:
    """The treaty is never invoked by an attack, but by 0.3 * 0.7 of incidents; of two allies one misperceives."""
    allies = tuple(
        Member(name=name, capability=1, cost=two_point(0.5, 9, 0.8), obligation=1, recognition=0.0, false_alarm=0.7)
        for name in ("a", "b")
    )
    game = punishing(
        *allies,
        value=1.0,
        punishment=1.0,
        treaty=Treaty(incidents=0.3, shared_intelligence=1.0),
        perception={"a": {"members.a.obligation": 0.0}},
    )
    if batch:
        game = game.at(**{"members.b.obligation": np.array([1.0, 2.0])})
    assert game.false_alarm_response() == pytest.approx(0.3 * 0.7 * (0 + 0.8), abs=1e-12)


def test_probabilities_of_states_may_be_a_batch() -> None:
    """Two axes: how likely the crisis is, and the strength that the target has by itself; or the first alone."""
    chances = np.array([[0.1], [0.5], [0.9]])
    crisis = ShockState(name="crisis", probability=chances, changes={"members.*.cost.location": "+0.6"})
    states = (ShockState(name="calm", probability=1 - chances), crisis)
    ally = Member(name="ally", capability=3, stake=1, cost=normal(0.6, 0.5), obligation=0.4)
    plain = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="full", strength=3, cost=0.1), AttackOption(name="raid", strength=1, share=0.4)),
        base=1,
        aggressor=Aggressor(prize=uniform(0, 1), punishment=0.1),
    )
    game = replace(plain, shock=CommonShock(states=states))
    found = game.at(base=np.array([0.5, 2.0])).attack_probabilities().likelihood[0]
    assert found.shape == (3, 2)
    assert game.at(base=2.0).attack_probabilities().likelihood[0] == pytest.approx(found[:, 1:], abs=1e-9)
    for i, p in enumerate(chances[:, 0]):
        for j, base in enumerate((0.5, 2.0)):
            calm = ShockState(name="calm", probability=1 - p)
            one = replace(plain, base=base, shock=CommonShock(states=(calm, replace(crisis, probability=p))))
            assert found[i, j] == pytest.approx(likelihood(one), abs=1e-9)


# -- arrival ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    delay=st.floats(0, 40), lift=st.floats(0, 30), decay=st.floats(0.5, 20), mu=st.floats(0.1, 8), n=st.integers(1, 9),
    data=st.data(),
)  # fmt: skip
def test_arriving_share_is_the_mean_worth(
    delay: float, lift: float, decay: float, mu: float, n: int, data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, n))
    moments = delay + lift * (np.arange(400) + 0.5) / 400
    plain = np.exp(-np.maximum(moments - 15, 0) / decay).mean()
    assert arriving_share(15 - delay, lift, decay) == pytest.approx(plain, abs=1e-4)
    rng = np.random.default_rng(n)
    agreed = np.sort(rng.exponential(mu, (4000, n)), axis=1)[:, k - 1]
    worth = np.exp(-np.maximum(moments[::20] + agreed[:, None] - 15, 0) / decay).mean(axis=1)
    stated = arriving_share(15 - delay, lift, decay, (n, k, mu))
    assert abs(worth.mean() - stated) <= 5 * worth.std() / np.sqrt(len(worth)) + 2e-2 * (lift > 0) + 5 / len(worth)
    assert arriving_share(15 - delay, lift, decay, (n, k, 0.0)) == pytest.approx(
        arriving_share(15 - delay, lift, decay), abs=1e-9
    )


@pytest.mark.parametrize(
    ("n", "k", "nu", "in_time"), [(0, 0, 1.0, 0.76098354), (5, 5, 3.0, 0.52992702), (5, 3, 3.0, 0.66976887)]
)
def test_response_race(n: int, k: int, nu: float, in_time: float) -> None:
    """Conquest Exp(0.5), delay 0.1, movement Exp(2), k of n members agree after Exp(nu): decay 1 / 0.5, no window.

    Movement of exponential length is one more member who must agree, in a lead role; with n members it enters by the
    delay that is worth as much, ln(1 + 0.5 / 2) / 0.5.
    """
    moving = 0.0 if n == 0 else np.log(1 + 0.5 / 2) / 0.5
    mover = Member(name="mover", capability=1, delay=0.1 + moving, cost=degenerate(0.0), obligation=1)
    council = tuple(Member(name=f"m{i}") for i in range(max(n - 1, 0)))
    treaty = Treaty(rule={"threshold": k} if n else {"lead": "mover"}, deliberation=1 / nu if n else 1 / 2)
    game = punishing(
        mover, *council, value=1.0, punishment=3.0, decay=2.0, treaty=treaty,
        attacks=(AttackOption(name="attack", strength=HOPELESS, window=1e-12),),
    )  # fmt: skip
    assert game.response().strength[0, 0] == pytest.approx(in_time, abs=1e-8)
    assert likelihood(game) == (1.0 if 1 - in_time > 2 / 3 else 0.0)  # gain 1, loss 2


def test_largest_delay_that_still_deters() -> None:
    """Conquest Exp(0.5), movement Exp(4), gain 1, loss 2: a delay of 1.9616585 days."""
    for delay, attacks in ((1.9616, 0.0), (1.9617, 1.0)):
        mover = Member(name="mover", capability=1, delay=delay, cost=degenerate(0.0), obligation=1)
        treaty = Treaty(rule={"lead": "mover"}, deliberation=1 / 4)
        attack = AttackOption(name="attack", strength=HOPELESS, window=1e-12)
        game = punishing(mover, value=1.0, punishment=3.0, decay=2.0, treaty=treaty, attacks=(attack,))
        assert likelihood(game) == attacks


def test_agreement_of_more_members_takes_longer() -> None:
    members = tuple(
        Member(name=f"m{i}", capability=2, delay=5, cost=normal(0.5, 0.3), obligation=0.6) for i in range(6)
    )
    attack = AttackOption(name="x", strength=6, window=8, cost=0.1)
    fact = [
        CollectiveDefence(
            members=members, attacks=(attack,), base=2, decay=2, aggressor=Aggressor(prize=uniform(0, 1)),
            treaty=Treaty(rule={"threshold": k}, deliberation=2),
        )
        for k in (1, 3, 6)
    ]  # fmt: skip
    assert np.all(np.diff([likelihood(one) for one in fact]) > 0)
    with pytest.raises(GameError, match="counts members or a lead nation"):
        replace(fact[0], treaty=Treaty(rule={"votes": {"m0": 2}, "quota": 1}, deliberation=1))


# -- recognition, false alarms, attribution --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blur", "best", "payoff"),
    [(0.05, 0.37399591, 0.35639678), (0.15, 0.19429472, 0.1319751), (0.001, 0.49623505, 0.49598518)],
)
def test_attack_below_a_blurred_threshold(blur: float, best: float, payoff: float) -> None:
    """Gain s, punishment 3 if recognised with probability Phi((s - 0.5) / blur): the intensity just below the line."""
    levels = [best, *np.linspace(0.01, 1, 60)]
    seen = exceedance_probability(levels, 0.5, blur)
    attacks = tuple(AttackOption(name=f"s{i}", strength=HOPELESS, share=level) for i, level in enumerate(levels))
    recognition = {f"s{i}": p for i, p in enumerate(seen)}
    ally = Member(name="ally", capability=1, cost=degenerate(0.5), obligation=1, recognition=recognition)
    game = punishing(ally, value=1.0, punishment=3.0, attacks=attacks)
    choice = game.aggressor_choice()
    assert str(choice.best(1.0)) == "s0"
    assert choice.payoff(1.0)[0] == pytest.approx(payoff, abs=1e-8)
    assert game.attack_probabilities().by_kind["s0"][0] == pytest.approx(1, abs=1e-12)


def test_attribution_bounds_recognition() -> None:
    members = tuple(
        Member(name=n, capability=1, cost=degenerate(0.3), obligation=1, recognition=p)
        for n, p in zip("ab", (0.9, 0.5), strict=True)
    )
    game = ParticipationGame(
        members=members,
        attacks=(Attack(name="cyber", strength=1, attribution=0.4),),
        treaty=Treaty(rule={"threshold": 1}),
    )
    chance = game.invocation()
    assert float(chance.probability) == pytest.approx(0.4 * (1 - 0.1 * 0.5))
    assert chance.recognition_if_not == pytest.approx([0, 0])
    both = replace(game, treaty=Treaty(rule="unanimity")).invocation()
    assert float(both.probability) == pytest.approx(0.4 * 0.45)
    assert both.recognition_if_not == pytest.approx([0.4 * 0.9 * 0.5 / 0.82, 0.4 * 0.1 * 0.5 / 0.82])
    assert len(participation(game)) == 1  # and is certified


def test_false_alarms_make_restraint_less_safe() -> None:
    """Refraining meets a response with probability 0.5 * 0.3 and then costs 2 per unit of strength."""
    ally = Member(name="ally", capability=1, cost=two_point(0, 9, 0.8), obligation=1, false_alarm=0.3)
    for alarm, threshold in ((0.0, 1.6), (0.3, 1.6 - 0.5 * 0.3 * 1.6)):
        game = punishing(
            replace(ally, false_alarm=alarm), value=1, punishment=2, treaty=Treaty(rule={"threshold": 1}, incidents=0.5)
        )
        assert float(game.aggressor_choice().threshold) == pytest.approx(threshold, abs=1e-8)
        assert float(game.false_alarm_response()) == pytest.approx(0.5 * alarm * 0.8, abs=1e-12)


def test_automation_trades_judgment_for_time() -> None:
    members = tuple(
        Member(name=n, capability=3, delay=4, stake=1, cost=normal(0.8, 0.4), obligation=0.8, recognition=0.7)
        for n in "abc"
    )
    game = CollectiveDefence(
        members=members,
        attacks=(AttackOption(name="cyber", strength=4, window=5, share=0.5, cost=0.02),),
        base=1,
        decay=2,
        treaty=Treaty(rule="majority", consultation=5, incidents=0.3),
        aggressor=Aggressor(prize=uniform(0, 1), punishment=0.05),
    )
    slow, fast = (replace(game, automation=Automation(attack="cyber", level=level)) for level in (0.0, 1.0))
    assert fast.participation_game().treaty.consultation_days == pytest.approx(1.0)
    assert fast.response().strength_invoked[0, 0] > slow.response().strength_invoked[0, 0]
    assert float(fast.participation_game().false_invocation()) > float(slow.participation_game().false_invocation())
    dull = replace(game, automation=Automation(attack="cyber", level=1.0, speed=0.0))
    assert likelihood(fast) < likelihood(slow) < likelihood(dull)
    both = replace(game, automation=Automation(attack="cyber", level=np.array([0.0, 1.0])))
    both = both.attack_probabilities().likelihood[0]
    assert both == pytest.approx([likelihood(slow), likelihood(fast)], abs=1e-9)


# -- doubt of the protege --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggressor_belief", "own_belief", "resist", "attack"), [(0.7, 0.7, 1, 0), (0.6, 0.7, 1, 1), (0.7, 0.45, 0, 1)]
)
def test_doubt_of_the_protege(aggressor_belief: float, own_belief: float, resist: int, attack: int) -> None:
    """Conquest succeeds with 0.8 alone and 0.3 against help; fighting costs 0.2 or 0.6, resisting 0.45; true 0.7."""
    ally = Member(name="ally", capability=1, cost=two_point(0, 9, 0.7), obligation=1)
    base, strength = 1.0, 4.0  # H = 0.2 alone; an ally of 28 / 3 strengthens it to 0.7
    path = "members.ally.cost.shape.probability"
    game = CollectiveDefence(
        members=(replace(ally, capability=25 / 3),),
        attacks=(AttackOption(name="attack", strength=strength, cost=0.2),),
        base=base,
        aggressor=Aggressor(prize=degenerate(1.0), punishment=0.4 / (25 / 3)),
        target=Target(cost=degenerate(0.45)),
        perception={"Aggressor": {path: aggressor_belief}, "Target": {path: own_belief}},
    )
    assert game.response().holds[0, 0] == pytest.approx(0.3 * 0.2 + 0.7 * 0.7, abs=1e-9)
    assert float(game.resistance()[0]) == resist
    assert likelihood(game) == attack
    assert float(game.conquest_without_fight()) == attack * (1 - resist)
    choice = game.aggressor_choice()
    if resist:
        assert float(choice.payoff(1.0)[0] > 0) == attack
        assert pytest.approx(2 / 3) == 0.6 / (0.6 + 0.3)


def test_a_target_that_is_surely_helped_resists_more() -> None:
    ally = Member(name="ally", capability=4, stake=1, cost=normal(0.8, 0.3), obligation=0.5)
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="x", strength=4, cost=0.1),),
        base=1,
        aggressor=Aggressor(prize=uniform(0, 1)),
        target=Target(cost=normal(0.4, 0.15)),
    )
    doubtful = replace(game, perception={"Target": {"members.ally.obligation": 0.0}})
    assert doubtful.resistance()[0] < game.resistance()[0]
    assert likelihood(doubtful) > likelihood(game)
    assert doubtful.response().holds[0, 0] == game.response().holds[0, 0]
    batch = game.at(**{"target.stake": np.array([0.5, 1.0])})
    assert batch.attack_probabilities().likelihood[0][1] == pytest.approx(likelihood(game), abs=1e-9)


@pytest.mark.parametrize("told", [None, 0.0, 3.0])
def test_the_posture_game_reckons_with_what_the_aggressor_thinks_the_target_sees(told: float | None) -> None:
    """The same payoff as without a posture stage; a target that is thought to expect no help is thought to yield."""
    ally = Member(name="ally", capability=2, cost=normal(0.5, 0.3), obligation=0.6)
    seen = {} if told is None else {"believes": {"Target": {"members.ally.obligation": told}}}
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="full", strength=2, cost=0.2),),
        base=0.5,
        aggressor=Aggressor(prize=degenerate(1.0), punishment=0.1),
        target=Target(stake=1.0, cost=normal(0.5, 0.2)),
        perception={"Aggressor": {"members.ally.cost.location": "+0.1", **seen}},
    )
    choice = game.aggressor_choice()
    stage = PostureStage(types=(AllianceType(name="only", probability=1),), postures=(Posture(name="none"),))
    with_stage = replace(game, posture=stage).posture_game()
    assert with_stage.V[0, 0, 0, 1] == pytest.approx(float(choice.slopes[0] - choice.costs[0]), abs=1e-9)
    if told is not None:
        plain = replace(game, perception={"Aggressor": {"members.ally.cost.location": "+0.1"}}).aggressor_choice()
        assert (choice.slopes[0] > plain.slopes[0]) == (told == 0.0)


ONLY = PostureStage(types=(AllianceType(name="only", probability=1),), postures=(Posture(name="none"),))
FACTOR = CommonShock(correlation=0.3, nodes=5)


def in_slices(**fields: object) -> CollectiveDefence:
    """Two allies, an attack that may be cut into three steps, and a target that may yield."""
    allies = tuple(Member(name=name, capability=2, cost=normal(0.5, 0.3), obligation=0.6) for name in ("near", "far"))
    known = {"attacks": (AttackOption(name="slices", strength=2, cost=0.2, steps=3),), "base": 0.5}
    aggressor = Aggressor(prize=uniform(0, 1), punishment=0.1)
    return CollectiveDefence(members=allies, aggressor=aggressor, **{**known, **fields})


def test_a_posture_game_has_one_number_of_steps() -> None:
    game = in_slices(posture=replace(ONLY, quantiles=2))
    same = game.at(**{"attacks.slices.steps": np.array([3.0, 3.0])}).posture_game(binned=True)
    assert same.U[1] == pytest.approx(game.posture_game(binned=True).U, abs=1e-9)
    with pytest.raises(GameError, match=r"cannot hold a batch over the steps of 'slices'.*make a game of each number"):
        game.at(**{"attacks.slices.steps": np.array([1.0, 3.0])}).posture_game()
    split = AllianceType(name="only", probability=1, changes={"attacks.slices.steps": 2})
    with pytest.raises(GameError, match="type 'only' with posture 'none' cannot change them"):
        in_slices(posture=replace(ONLY, types=(split,))).posture_game()
    states = (ShockState(name="bold", probability=1.0, changes={"attacks.slices.steps": 2}),)
    with pytest.raises(GameError, match="state 'bold' of the shock cannot change them"):
        in_slices(shock=CommonShock(states=states)).response()


@pytest.mark.parametrize(
    "seen",
    [
        {"near": {"shock.nodes": 7}},
        {"Aggressor": {"shock.nodes": 7}},
        {"Aggressor": {"believes": {"near": {"shock.nodes": 7}}}},
    ],
)
def test_states_of_a_shock_are_paired_so_nobody_sees_other_nodes(seen: dict[str, object]) -> None:
    with pytest.raises(GameError, match=r"the nodes of the shock are the same for everybody.* cannot see 7 for 5"):
        in_slices(shock=FACTOR, perception=seen)
    assert in_slices(shock=FACTOR, perception={"near": {"shock.nodes": 5, "shock.correlation": 0.1}})
    assert in_slices(shock=FACTOR).at(**{"shock.nodes": 7}).shock == replace(FACTOR, nodes=7)
    with pytest.raises(ParameterError, match=r"nodes must be a whole number in \[2, 64\], got 7.5"):
        in_slices(shock=FACTOR).at(**{"shock.nodes": 7.5})


# -- everything at once ----------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_everything_at_once_is_certified_and_a_batch_is_many_games(seed: int) -> None:
    rng = np.random.default_rng(seed)
    members = tuple(
        Member(
            name=f"m{i}", capability=rng.uniform(0.5, 4), delay=rng.uniform(0, 12), stake=rng.uniform(0.2, 2),
            cost=(normal if i % 2 else logistic)(rng.uniform(0.3, 1), 0.4), obligation=rng.uniform(0, 1),
            forward=rng.uniform(0, 0.3), recognition=rng.uniform(0.2, 1), days_per_unit=rng.uniform(0, 3),
            support=Support(kind="k", strength=rng.uniform(0.2, 1), cost=rng.uniform(0.2, 1),
                            obligation_met=rng.uniform()),
            opt_out=rng.uniform(), audience=rng.uniform(0, 0.5), opposition=rng.uniform(0, 0.3),
            false_alarm=rng.uniform(0, 0.3), rapid=rng.uniform(0, 3), rapid_delay=rng.uniform(0, 6),
            bias=rng.uniform(0, 0.3),
        )
        for i in range(4)
    )  # fmt: skip
    game = CollectiveDefence(
        members=members, base=1, tripwire=0.3,
        attacks=(
            AttackOption(name="x", strength=5, window=9, attribution=0.8, cost=0.05, stake_share=0.8, steps=3,
                         threshold_noise=0.2),
        ),
        treaty=Treaty(
            rule="majority", deliberation=2, automaticity=0.2, incidents=0.2, consultation=1, cheap_talk=0.7,
            integrated_command=0.4,
        ),
        aggressor=Aggressor(prize=uniform(0, 1), punishment=0.02), target=Target(cost=normal(0.3, 0.2)),
    )  # fmt: skip
    single = game.response()  # certified
    windows = np.array([3.0, 9.0, 30.0])
    batch = game.at(**{"attacks.x.window": windows})
    if single.complete:
        assert batch.response().holds[0, 1] == pytest.approx(single.holds[0], abs=1e-8)
        assert batch.response().payoffs[0, 1] == pytest.approx(single.payoffs[0], abs=1e-8)
        assert batch.attack_probabilities().likelihood[0][1] == pytest.approx(
            game.attack_probabilities().likelihood[0], abs=1e-8
        )


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Support(cost=0), ParameterError, "cost of military support must be above 0"),
        (lambda: Member(name="a", opt_out=1.5), ParameterError, r"opt_out of a must be in \[0, 1\], got 1.5"),
        (lambda: Member(name="a", support="words"), ParameterError, "support of a must be a Support"),
        (lambda: CommonShock(correlation=1.0), ParameterError, "correlation must be below 1"),
        (lambda: CommonShock(correlation=0.2, states=(ShockState(name="s", probability=1),)), GameError, "not both"),
        (lambda: CommonShock(nodes=0), ParameterError, "nodes must be a whole number"),
        (
            lambda: punishing(
                Member(name="a", cost=uniform(0, 1)), value=1, punishment=1, shock=CommonShock(correlation=0.2)
            ).response(),
            GameError,
            "needs normal or lognormal costs; that of a is uniform",
        ),
        (
            lambda: punishing(Member(name="a"), value=1, punishment=1, target=Target(name="a")),
            GameError,
            "is also another player",
        ),
        (lambda: Automation(level=2), ParameterError, "level must be in"),
    ],
)
def test_bad_input_is_named(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("mu", [0.001, 0.01, 0.05, 0.2, 1.0, 6.0])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (12, 8), (12, 12)])
def test_a_short_time_to_agree_bends_the_arrival_where_it_may(mu: float, n: int, k: int) -> None:
    """The mean over the moment of agreement, whose density is that of an order statistic; lift spreads the units.

    Integrated by adaptive quadrature between the moments at which the first and the last unit is just in time.
    """
    slack, lift, decay = 4.0, 9.0, 2.5

    def worth(agreed: float) -> float:
        return float(arriving_share(slack - agreed, lift, decay))

    def density(agreed: float) -> float:
        done = -np.expm1(-agreed / mu)
        return k * comb(n, k) * done ** (k - 1) * np.exp(-(n - k + 1) * agreed / mu) / mu

    ends = sorted({0.0, *(mu * m for m in (0.3, 1, 2, 4, 8, 16, 40)), *(x for x in (slack,) if x < 40 * mu)})
    mean = sum(
        quad(lambda t: density(t) * worth(t), low, high, epsabs=1e-12, limit=200)[0]
        for low, high in itertools.pairwise(ends)
    )
    assert float(arriving_share(slack, lift, decay, (n, k, mu))) == pytest.approx(mean, abs=1e-10)


@pytest.mark.parametrize("days", [0.01, 0.05, 0.2])
def test_a_council_that_agrees_within_hours_is_certified(days: float) -> None:
    assert Scenario.load("baltic-2014:lift").game().at(**{"treaty.deliberation": days}).response().complete


# -- a target that yields --------------------------------------------------------------------------------------------


def doubtful(attack: dict[str, float], target: dict[str, float]) -> CollectiveDefence:
    """Nobody comes, H = 1 / 2; the target's cost of resisting is uniform on [0, 1]."""
    return CollectiveDefence(
        members=(Member(name="nobody", cost=degenerate(1.0)),),
        attacks=(AttackOption(name="x", strength=1, **attack),),
        base=1.0,
        aggressor=Aggressor(prize=uniform(0, 2)),
        target=Target(cost=uniform(0, 1), **target),
    )


@pytest.mark.parametrize("mounting", [0.0, 0.4, 1.0])
def test_mounting_an_attack_is_paid_although_the_target_yields(mounting: float) -> None:
    """R = 0.8 / 2: it attacks above v* = (R + (1 - R) m) kappa / (1 - R / 2)."""
    game = doubtful({"cost": 0.5, "mounting": mounting}, {"stake": 0.8})
    threshold = (0.4 + 0.6 * mounting) * 0.5 / (1 - 0.4 / 2)
    assert float(game.aggressor_choice().threshold) == pytest.approx(threshold, abs=1e-12)
    assert float(game.at(**{"attacks.x.mounting": np.array([0.0, mounting])}).aggressor_choice().threshold[1]) == (
        pytest.approx(threshold, abs=1e-12)
    )


@pytest.mark.parametrize(("follows", "resists"), [(0.0, 0.4), (0.5, 0.4 * 0.65), (1.0, 0.4 * 0.3)])
def test_the_stake_of_a_target_may_follow_the_share_of_the_attack(follows: float, resists: float) -> None:
    """The stake in an attack for 0.3 of the prize is 0.8 (1 - phi + 0.3 phi), and half of that the gain."""
    game = doubtful({"share": 0.3}, {"stake": 0.8, "stake_follows_share": follows})
    assert float(game.resistance()[0]) == pytest.approx(resists, abs=1e-12)
    assert Target(stake=0.8).stake_follows_share == 0.0


def test_the_error_of_a_correlated_shock_is_stated_and_is_not_exceeded() -> None:
    """Five nodes are too few where resolve is nearly common: 0.489 for a likelihood of 0.5066."""
    game = Scenario.load("bilateral-guarantee:one-mood").game()
    exact = replace(game, shock=replace(game.shock, nodes=64))
    for nodes in (5, 12, None):
        one = replace(game, shock=replace(game.shock, nodes=nodes))
        off = np.abs(one.response().holds - exact.response().holds).max()
        assert off <= one.response().error
    assert one.attack_probabilities().likelihood[0] == pytest.approx(0.5066291, abs=2e-5)
    assert replace(game, shock=replace(game.shock, nodes=5)).response().error > 1e-3


@pytest.mark.parametrize(("rho", "nodes"), [(0.0, 6), (0.2, 6), (0.5, 12), (0.8, 24), (0.9, 37), (0.999, 64)])
def test_steeper_shocks_take_more_nodes(rho: float, nodes: int) -> None:
    assert CommonShock(correlation=rho).rule == nodes
    assert CommonShock(correlation=np.array([0.0, rho])).rule == nodes

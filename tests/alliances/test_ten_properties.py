"""The ten properties of the collective-defence game: at shipped scenarios, and for all games if they are theorems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.alliances.aggressor import aggressor_choice
from deterrence.alliances.attacks import Attack
from deterrence.alliances.collective_defence import (
    AllianceType,
    AttackOption,
    CollectiveDefence,
    Member,
    Posture,
    PostureStage,
)
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.solving.expected_defence import expected_defence
from deterrence.alliances.solving.participation import participation
from deterrence.alliances.treaty import invocation
from deterrence.games.distributions import logistic, normal
from deterrence.solvers.pbe import pbe

SEEDS = st.integers(0, 10**6)


def quick(game: CollectiveDefence) -> CollectiveDefence:
    """Return the game as a batch of one, which is solved without a search for every equilibrium."""
    return game.at(base=np.array([float(game.base)]))


def likelihood(game: CollectiveDefence) -> float:
    low, high = game.attack_probabilities().likelihood
    return float(0.5 * (low + high).sum())


# -- 1. the likelihood of attack falls with perceived, not with true, resolve ------------------------------------------


def test_likelihood_falls_with_perceived_resolve() -> None:
    scenario = Scenario.load("baltic-2017")
    seen = np.array([-0.6, -0.3, 0.0, 0.3, 0.6])
    path = f"perception.{scenario.game().aggressor.name}.resolve"
    found = scenario.answer({path: seen}).low["attack"]
    assert (np.diff(found) > 0).all()
    textbook = Scenario.load("textbook")
    truth = textbook.answer({"resolve": np.array([0.1, 0.5, 0.9])}).low["attack"]
    assert np.ptp(truth) == 0.0


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 4), seed=SEEDS)
def test_theorem_1_more_perceived_resolve_never_raises_the_likelihood(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    attacks = [AttackOption(name=f"x{i}", strength=1, share=rng.random(), cost=rng.random() * 0.3) for i in range(n)]
    holds, strength = rng.random(n), rng.random(n)
    better = holds + rng.random(n) * (1 - holds), strength + rng.random(n)
    before = float(aggressor_choice(attacks, holds, strength, 0.4).likelihood(logistic(1, 0.5)))
    assert float(aggressor_choice(attacks, *better, 0.4).likelihood(logistic(1, 0.5))) <= before


# -- 2. resolve that is underestimated brings attacks that are regretted; overestimated, bluff that works --------------


def test_underestimated_resolve_is_regretted_and_overestimated_is_not() -> None:
    game = replace(Scenario.load("fractured-alliance").game(), perception={})
    name = game.aggressor.name
    under = replace(game, perception={name: {"members.*.cost.location": "+1.5"}})
    over = replace(game, perception={name: {"members.*.cost.location": "-1.5"}})
    assert float(under.regret_probability()) > 0.05
    assert float(over.regret_probability()) == 0.0 == float(game.regret_probability())
    assert likelihood(over) < likelihood(game) < likelihood(under)
    assert float(Scenario.load("ukraine-2022").game().regret_probability()) > 0.05


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 4), seed=SEEDS)
def test_theorem_2_who_overestimates_regrets_no_attack(n: int, seed: int) -> None:
    """The chosen line is worth at least 0 as it is seen, and a line that is seen too low is worth more."""
    rng = np.random.default_rng(seed)
    attacks = [AttackOption(name=f"x{i}", strength=1, share=rng.random(), cost=rng.random() * 0.3) for i in range(n)]
    holds, strength = rng.random(n), rng.random(n)
    seen = aggressor_choice(attacks, holds + rng.random(n) * (1 - holds), strength + rng.random(n), 0.4)
    truth = aggressor_choice(attacks, holds, strength, 0.4)
    assert float(seen.measure_below(logistic(1, 0.5), truth.break_even).sum()) <= 1e-12


# -- 3. forward presence deters twice ----------------------------------------------------------------------------------


def test_forward_presence_deters_twice_and_the_parts_are_separable() -> None:
    game = quick(Scenario.load("baltic-2024").game())
    assert game.tripwire > 0
    home = {"members.*.forward": 0.0}
    in_place_only = game.at(tripwire=0.0)
    assert likelihood(in_place_only) < likelihood(in_place_only.at(**home))  # strength in place
    assert likelihood(game) < likelihood(in_place_only)  # tied hands
    assert likelihood(game.at(**home)) == pytest.approx(likelihood(in_place_only.at(**home)), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, tripwire=st.floats(0, 3))
def test_theorem_3_the_tripwire_is_a_cost_of_staying_out(seed: int, tripwire: float) -> None:
    rng = np.random.default_rng(seed)
    ally = Member(name="a", capability=rng.uniform(0, 4), stake=1, cost=normal(1, 0.5), forward=rng.uniform(0, 2))
    wired = ParticipationGame(members=(ally,), attacks=(Attack(name="x", strength=3),), tripwire=tripwire, base=1)
    plain = replace(wired, tripwire=0.0)
    gap = participation(wired)[0].profile.cutpoints - participation(plain)[0].profile.cutpoints
    assert gap == pytest.approx(np.full((2, 1), tripwire * ally.forward), abs=1e-9)


# -- 4. unanimity paralyses, shared intelligence restores --------------------------------------------------------------


def test_unanimity_paralyses_and_shared_intelligence_restores() -> None:
    split = Scenario.load("fractured-alliance").game()
    shared = split.at(**{"treaty.shared_intelligence": 1.0})
    talking = split.at(**{"treaty.cheap_talk": 1.0})
    assert split.response().invoked[0] < 0.05 < 0.4 < shared.response().invoked[0]
    assert talking.response().invoked[0] == pytest.approx(shared.response().invoked[0], abs=1e-12)  # nobody is biased
    assert likelihood(shared) < likelihood(split)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 8), seed=SEEDS)
def test_theorem_4_unanimity_is_a_product_and_sharing_an_average(n: int, seed: int) -> None:
    e = np.random.default_rng(seed).random(n)
    alone, shared = (float(invocation(e, np.ones(n), n, chi).probability) for chi in (0.0, 1.0))
    assert alone == pytest.approx(e.prod(), abs=1e-12)
    assert shared == pytest.approx(e.mean(), abs=1e-12)
    assert alone <= e.min() + 1e-12 <= shared + 2e-12


# -- 5. delay beyond the window makes capability worthless -------------------------------------------------------------


def test_delay_beyond_the_window_makes_resolve_and_capability_worthless() -> None:
    late = Scenario.load("crimea-2014").game().at(**{"members.*.delay": {"add": 400.0}, "members.*.forward": 0.0})
    eager = late.at(**{"members.*.cost.location": {"add": -5.0}, "members.*.capability": {"multiply": 10.0}})
    seizure = [a.name for a in late.attacks].index("seizure")
    assert eager.response().comes[0, seizure].min() > 0.9 * late.response().invoked[seizure]
    assert eager.response().holds[0, seizure] == pytest.approx(late.response().holds[0, seizure], abs=1e-9)
    assert likelihood(eager) == pytest.approx(likelihood(late), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, late=st.floats(0, 60))
def test_theorem_5_what_arrives_late_is_worth_exponentially_less(seed: int, late: float) -> None:
    rng = np.random.default_rng(seed)
    ally = Member(name="a", capability=rng.uniform(0, 5), delay=10 + late)
    game = ParticipationGame(members=(ally,), attacks=(Attack(name="x", strength=1, window=10),), decay=3)
    assert float(game.stage(invoked=False).weights[0]) == pytest.approx(ally.capability * np.exp(-late / 3), abs=1e-12)


# -- 6. obligation raises participation; a stake without capability does not -------------------------------------------


def test_obligation_raises_participation_and_stake_without_capability_does_not() -> None:
    game = Scenario.load("article5-2001").game()
    owed = game.at(**{"members.*.obligation": "*1.5"})
    assert np.all(owed.response().comes[0, 0] > game.response().comes[0, 0])
    assert likelihood(owed) < likelihood(game)
    bare = game.at(**{"members.*.capability": 0.0})
    anxious = bare.at(**{"members.*.stake": "*3"})
    assert anxious.response().comes == pytest.approx(bare.response().comes, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, extra=st.floats(0.05, 1))
def test_theorem_6_for_a_lone_ally(seed: int, extra: float) -> None:
    rng = np.random.default_rng(seed)
    ally = Member(name="a", capability=rng.uniform(0, 4), stake=rng.uniform(0, 2), cost=normal(1, 0.5))
    game = ParticipationGame(members=(ally,), attacks=(Attack(name="x", strength=3),), base=1)
    cut = participation(game)[0].profile.cutpoints[0, 0]
    owed = participation(game.at(**{"members.a.obligation": extra}))[0].profile.cutpoints[0, 0]
    assert owed == pytest.approx(cut + extra, abs=1e-9)
    bare = game.at(**{"members.a.capability": 0.0})
    keen = participation(bare.at(**{"members.a.stake": 9.0}))[0].profile.cutpoints
    assert keen == pytest.approx(participation(bare)[0].profile.cutpoints, abs=1e-12)


# -- 7. free riding where the defence is strong, and the reverse where it is weak --------------------------------------


def test_a_large_ally_that_is_sure_to_come_crowds_out_and_crowds_in() -> None:
    game = quick(Scenario.load("baltic-2024").game())
    game = replace(game, attacks=tuple(a for a in game.attacks if a.name == "limited"))
    others = [i for i, m in enumerate(game.members) if m.name != "USA"]
    sure = {"members.USA.cost.location": -9.0, "members.USA.delay": 0.0}

    def cutpoints(base: float, strength: float, changes: dict[str, float]) -> np.ndarray:
        there = game.at(**{"base": np.array([base]), "decisiveness": 4.0, "attacks.limited.strength": strength})
        return there.at(**changes).response().cutpoints[0, 0, 0, 0][others]

    strong, weak = (8.0, 6.0), (0.5, 25.0)
    assert np.all(cutpoints(*strong, sure) <= cutpoints(*strong, {}) + 1e-12)
    assert cutpoints(*strong, sure).sum() < cutpoints(*strong, {}).sum() - 1e-3
    assert np.all(cutpoints(*weak, sure) >= cutpoints(*weak, {}) - 1e-12)
    assert cutpoints(*weak, sure).sum() > cutpoints(*weak, {}).sum() + 1e-3


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 6), seed=SEEDS, m=st.floats(0.3, 6))
def test_theorem_7_contributions_are_substitutes_above_the_inflection_and_complements_below(
    n: int, seed: int, m: float
) -> None:
    """H is concave above S = A ((m - 1) / (m + 1))^(1 / m) and convex below: so is what one adds in what others do."""
    rng = np.random.default_rng(seed)
    members = tuple(Member(name=f"m{i}", capability=rng.uniform(0.1, 1)) for i in range(n))
    turn = 10 * (max(m - 1, 0) / (m + 1)) ** (1 / m)
    total = sum(float(one.capability) for one in members)
    q = rng.random(n)
    more = q.copy()
    more[0] = 1.0
    for base, sign in ((turn + 0.01, -1), (turn - total - 0.01, 1)):
        if base < 0:
            continue
        game = ParticipationGame(members=members, attacks=(Attack(name="x", strength=10),), base=base, decisiveness=m)
        defence = expected_defence(game.stage(invoked=True))
        change = (defence.gains(more) - defence.gains(q))[1:]
        assert np.all(sign * change >= -1e-12)


# -- 8. stability and instability --------------------------------------------------------------------------------------


def test_a_hybrid_attack_is_chosen_where_a_full_one_is_deterred_and_recognition_is_doubtful() -> None:
    game = Scenario.load("fractured-alliance").game()
    doubtful = game.attack_probabilities().by_kind
    plain = game.at(**{"members.*.recognition.hybrid": 1.0}).attack_probabilities().by_kind
    assert doubtful["full"][1] < 0.01 < 0.5 < doubtful["hybrid"][0]
    assert plain["hybrid"][1] < 0.05


# -- 9. costless words pool; a tripwire that only the firm would pay for separates -------------------------------------


def posture_of_the_textbook(cost: float, obligation: float) -> CollectiveDefence:
    """The shipped textbook ally, resolute or not, may stay silent or take a posture."""
    game = replace(Scenario.load("textbook").game(), perception={})
    resolute = {"members.Ally.cost.shape.probability": 1.0}
    types = (
        AllianceType(name="resolute", probability=0.3, changes={**resolute, "members.Ally.stake": 1.0}),
        AllianceType(name="irresolute", probability=0.7, changes={"members.Ally.cost.shape.probability": 0.0}),
    )
    postures = (Posture(name="silence"), Posture(name="posture", cost=cost, obligation=obligation))
    return replace(
        game,
        posture=PostureStage(types=types, postures=postures, sender="Ally", quantiles=4),
    )


def test_words_pool_and_a_dear_tripwire_separates() -> None:
    """Abandonment costs the irresolute its word, 1; a resolute ally that fights loses nothing but the posture."""
    words = pbe(posture_of_the_textbook(0.0, 0.0).posture_game())
    assert words.complete
    assert not any(e.kind == "separating" and e.probability("attack") < 0.5 for e in words)
    plays = {round(e.probability("attack"), 9) for e in words}
    assert len(plays) == 1  # whatever is said, the aggressor learns nothing that changes what it does


@pytest.mark.parametrize(("cost", "separates"), [(0.6, True), (0.0, False)])
def test_only_a_cost_separates(cost: float, separates: bool) -> None:
    """Fighting costs 1, abandoning 2 if resolute and else 0.4, so the posture is worth at most 1 and 0.4 to them."""
    ally = Member(name="ally", capability=1, cost=normal(1.0, 1e-6))
    types = (
        AllianceType(name="resolute", probability=0.3, changes={"members.ally.obligation": 2.0}),
        AllianceType(name="irresolute", probability=0.7, changes={"members.ally.obligation": 0.4}),
    )
    stage = PostureStage(
        types=types, postures=(Posture(name="silence"), Posture(name="tripwire", cost=cost)), sender="ally"
    )
    textbook = replace(Scenario.load("textbook").game(), perception={}, members=(ally,)).at(
        **{
            "aggressor.prize.location": 0.999,
            "aggressor.prize.scale": 0.002,
            "aggressor.punishment": 1.0,
            "attacks.full.strength": 0.1,
        }
    )
    found = pbe(replace(textbook, posture=replace(stage, quantiles=1)).posture_game())
    assert bool(found.where(kind="separating")) == separates
    if separates:
        assert found.where(kind="separating")[0].probability("attack") == pytest.approx(0.7, abs=1e-6)
    else:
        assert all(e.probability("attack") == pytest.approx(1.0) for e in found)


# -- 10. the textbook threshold ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("believed", [0.0, 0.25, 0.4, 0.6])
def test_the_textbook_scenario_is_the_textbook_threshold(believed: float) -> None:
    """v ~ U[0, 2], loss 1: attack iff believed < v / (v + loss), so P = 1 - believed / (1 - believed) / 2."""
    scenario = Scenario.load("textbook")
    found = scenario.answer({"perception.Aggressor.resolve": np.array([believed])}).low["attack"][0]
    assert found == pytest.approx(max(0.0, 1 - believed / (1 - believed) / 2), abs=1e-8)

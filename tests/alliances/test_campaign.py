"""Salami tactics: attacks in steps, against trees, red lines in closed form, and by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

import deterrence as dt
from deterrence.alliances.collective_defence import (
    Aggressor,
    AllianceType,
    AttackOption,
    CollectiveDefence,
    CommonShock,
    Member,
    Posture,
    PostureStage,
    Target,
    Treaty,
)
from deterrence.games.distributions import degenerate, normal, two_point, uniform
from deterrence.games.errors import GameError, ParameterError
from deterrence.models.salami_tactics import red_lines_of_slices


def sliced(**attack: Any) -> CollectiveDefence:
    """Two allies, an attack that may be cut, and a full one."""
    members = tuple(
        Member(name=name, capability=3, stake=1.5, cost=normal(0.9, 0.4), obligation=0.5, recognition=0.9)
        for name in ("north", "south")
    )
    cut = {"name": "slices", "strength": 3, "share": 0.8, "cost": 0.25, **attack}
    return CollectiveDefence(
        members=members,
        attacks=(AttackOption(**cut), AttackOption(name="full", strength=6, cost=0.35)),
        base=1.5,
        decisiveness=2,
        aggressor=Aggressor(prize=uniform(0, 1.2), punishment=0.03),
    )


def steps_at(game: CollectiveDefence, value: float) -> int:
    """Return how many steps of its first kind of attack an aggressor of this value means to take."""
    return round(float(game.aggressor_choice().mean_steps(degenerate(value))[0]))


def likelihood(game: CollectiveDefence) -> float:
    low, high = game.attack_probabilities().likelihood
    assert low == pytest.approx(high, abs=1e-9)
    return float(low)


def test_one_step_without_a_threshold_is_the_attack_as_a_whole() -> None:
    plain, one = sliced(), sliced(steps=1, threshold=1.0, memory=0.3)
    assert likelihood(one) == pytest.approx(likelihood(plain), abs=1e-12)
    assert one.response().comes == pytest.approx(plain.response().comes, abs=1e-12)
    assert one.aggressor_choice().slopes == pytest.approx(plain.aggressor_choice().slopes, abs=1e-12)


@settings(max_examples=8, deadline=None)
@given(
    n=st.integers(1, 5), threshold=st.floats(0, 0.6), blur=st.floats(0.02, 0.4), memory=st.floats(0, 1),
    toll=st.floats(0, 0.05), value=st.floats(0.05, 1.5),
)  # fmt: skip
def test_plans_are_worth_what_the_tree_of_steps_is(
    n: int, threshold: float, blur: float, memory: float, toll: float, value: float
) -> None:
    """Backward induction over the steps, each with the participation game at the stake that is left."""
    game = sliced(steps=n, threshold=threshold, threshold_noise=blur, memory=memory, step_cost=toll)
    attack = game.attacks[0]

    def after(k: int, taken: float, paid: float) -> Any:
        if k == n:
            return dt.end("all taken", Aggressor=taken - paid)
        left = (n - k) / n
        one = replace(game, attacks=(AttackOption(name="slices", strength=3, stake_share=left),)).response()
        loss = attack.cost + game.aggressor.punishment * float(one.strength[1, 0])
        gain = value * attack.share * left * (1 - float(one.holds[1, 0]))
        crosses = float(norm.cdf(((1 + memory * k) / n - threshold) / blur))
        war = dt.end("war", Aggressor=taken + gain - loss - paid)
        goes_on = after(k + 1, taken + value * attack.share / n, paid + toll)
        step = dt.chance({"answered": (crosses, war), "not": (1 - crosses, goes_on)})
        return dt.move(
            "Aggressor", infoset=f"step {k}", actions={"stop": dt.end("stop", Aggressor=taken - paid), "go": step}
        )

    tree = dt.ExtensiveGame(("Aggressor",), after(0, 0.0, 0.0))
    best = dt.spe(tree)[0].payoffs["Aggressor"]
    assert max(0.0, float(game.aggressor_choice().payoff(value)[0])) == pytest.approx(best, abs=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_red_lines_of_a_defender_that_looks_ahead(seed: int) -> None:
    """Without allies, with known values, the last holding is the highest red line: r_j = (r_(j-1) + c) / (1 - p)."""
    rng = np.random.default_rng(seed)
    c, p, n = rng.uniform(0.05, 0.6), rng.uniform(0.1, 0.8), int(rng.integers(3, 60))
    game = CollectiveDefence(
        members=(Member(name="nobody", cost=degenerate(1.0)),),
        attacks=(AttackOption(name="slices", strength=p / (1 - p), cost=1 + p, steps=n),),
        base=1.0,  # H = 1 / (1 + A) = 1 - p
        aggressor=Aggressor(prize=degenerate(1.0)),
        target=Target(stake=1.0, cost=degenerate(c)),
    )
    taken = steps_at(game, 1.0) / n
    assert 1 - taken == pytest.approx(red_lines_of_slices(c, p, n)["defender_retains"], abs=1e-8)
    assert float(game.conquest_without_fight()) == float(taken > 0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_target_that_looks_ahead_plays_the_subgame_perfect_equilibrium(seed: int) -> None:
    """Known values and a known cost: backward induction of the tree, wars that the aggressor wants among them."""
    rng = np.random.default_rng(seed)
    n, c, value, kappa = int(rng.integers(2, 6)), rng.uniform(0.02, 0.6), rng.uniform(0.3, 2), rng.uniform(0, 0.5)
    strength, line, blur, memory, toll = rng.uniform(0.3, 3), rng.uniform(0, 0.6), 0.2, rng.random(), 0.03
    game = CollectiveDefence(
        members=(Member(name="nobody", cost=degenerate(1.0)),),
        attacks=(
            AttackOption(
                name="slices", strength=strength, cost=kappa, steps=n, threshold=line, threshold_noise=blur,
                memory=memory, step_cost=toll,
            ),
        ),
        base=1.0,
        aggressor=Aggressor(prize=degenerate(value)),
        target=Target(stake=1.3, cost=degenerate(c)),
    )  # fmt: skip
    h = 1 / (1 + strength)

    def after(k: int, paid: float, past: str) -> Any:
        left, taken = (n - k) / n, k / n
        if k == n:
            return dt.end("all taken", Aggressor=value - paid, Target=0.0)
        crosses = float(norm.cdf(((1 + memory * k) / n - line) / blur))
        war = dt.end(f"war {k}", Aggressor=value * (taken + left * (1 - h)) - kappa - paid, Target=1.3 * left * h - c)
        reply = dt.move(
            "Target", infoset=f"step {k}{past}", actions={"resist": war, "yield": after(k + 1, paid + toll, past + "y")}
        )
        reach = dt.chance({"seen": (crosses, reply), "unseen": (1 - crosses, after(k + 1, paid + toll, past + "u"))})
        stop = dt.end(f"stop {k}", Aggressor=value * taken - paid, Target=1.3 * left)
        return dt.move("Aggressor", infoset=f"turn {k}{past}", actions={"stop": stop, "reach": reach})

    equilibrium = dt.spe(dt.ExtensiveGame(("Aggressor", "Target"), after(0, 0.0, "")))[0]
    plans = equilibrium.strategies
    expected = [plans["Target"][f"step {k}" + "u" * k]["resist"] for k in range(n)]
    assert game._resists((1,))[0] == pytest.approx(expected, abs=1e-12)
    going = [plans["Aggressor"][f"turn {k}" + "u" * k]["reach"] for k in range(n)]
    steps = going.index(0.0) if 0.0 in going else n
    assert steps_at(game, value) == steps


@pytest.mark.parametrize(("n", "threshold", "steps"), [(10, 0.45, 4), (10, 0.05, 0), (4, 0.5, 1), (1, 0.5, 0)])
def test_it_stops_just_below_a_sharp_line(n: int, threshold: float, steps: int) -> None:
    """What was taken before counts in full, an answered step costs more than all can bring: j* = ceil(n theta) - 1."""
    game = sliced(steps=n, threshold=threshold, memory=1.0, cost=2.0)
    slices = replace(game, attacks=game.attacks[:1])
    certain = uniform(0.9, 1.1)
    assert float(slices.aggressor_choice().mean_steps(certain)[0]) == pytest.approx(steps, abs=1e-12)
    assert steps_at(slices, 1.0) == steps
    assert float(slices.aggressor_choice().payoff(1.0)[0]) == pytest.approx(
        0.8 * steps / n if steps else slices.aggressor_choice().slopes[0] - slices.aggressor_choice().costs[0], abs=1e-9
    )


def test_smaller_steps_below_the_threshold_make_attack_more_likely() -> None:
    """A step of a tenth is nobody's casus belli; the whole at once, or all of it remembered, is."""
    whole, tenths = sliced(threshold=0.15), sliced(steps=10, threshold=0.15)
    remembered = sliced(steps=10, threshold=0.15, memory=1.0)
    sensitive = sliced(steps=10, threshold=0.05)
    assert likelihood(whole) == pytest.approx(likelihood(sliced()), abs=1e-12)
    assert likelihood(tenths) > 0.99 > likelihood(whole)
    kinds = {name: game.attack_probabilities().by_kind["slices"][0] for name, game in
             (("tenths", tenths), ("remembered", remembered), ("sensitive", sensitive))}  # fmt: skip
    assert kinds["tenths"] > kinds["remembered"] > 0  # with memory the keener types prefer the full attack
    assert kinds["tenths"] > kinds["sensitive"]
    free = remembered.aggressor_choice()
    assert steps_at(remembered, 0.02) == 1  # one slice is free, the second is not
    assert float(remembered.conquest_without_fight()) == pytest.approx(
        float(free.plan_measure(remembered.aggressor.prize)[0]), abs=1e-12
    )


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_plan_is_what_its_simulation_is(steps: int) -> None:
    """Draw costs, recognition, thresholds and the outcome of war step by step: what members and the aggressor get."""
    game = replace(
        sliced(steps=3, threshold=0.3, threshold_noise=0.25, memory=0.4, step_cost=0.02),
        target=Target(stake=1.5, cost=normal(0.4, 0.3)),
    )
    game = replace(game, attacks=game.attacks[:1])
    attack, rng, draws = game.attacks[0], np.random.default_rng(steps), 60_000
    pick = (1,)
    resists = game._resists(pick)
    found = game._plans(game._realised, pick, resists)
    line = found.steps.index(steps)
    going, kept, paid = np.ones(draws, dtype=bool), np.ones(draws), np.zeros((draws, 2))
    events = {name: np.zeros(draws, dtype=bool) for name in ("answered", "helped", "holds")}
    cost = np.zeros(draws)
    for k in range(steps):
        left = (3 - k) / 3
        met = replace(
            game, target=None, attacks=(AttackOption(name="slices", strength=3, stake_share=left),)
        ).response()
        crosses = rng.random(draws) < norm.cdf(((1 + 0.4 * k) / 3 - 0.3) / 0.25)
        answered = going & crosses & (rng.random(draws) < resists[0][k])
        sees = rng.random((draws, 2)) < 0.9
        invoked = sees.all(axis=1)
        private = rng.normal(0.9, 0.4, (draws, 2))
        cut = np.where(invoked[:, None], met.cutpoints[1, 0, 0], met.cutpoints[1, 1, 0])
        comes = (private <= cut) & (invoked[:, None] | sees)
        strength = 3 * comes.sum(axis=1)
        odds = (1.5 + strength) ** 2
        holds = rng.random(draws) < odds / (odds + 9)
        out = np.where(invoked[:, None], 0.5, 0.0)
        paid += answered[:, None] * np.where(comes, private, out)
        kept = np.where(answered, left * holds, np.where(going, left - 1 / 3, kept))
        cost += answered * (0.25 + 0.03 * strength) + (going & ~answered) * 0.02
        events["answered"] |= answered
        events["helped"] |= answered & comes.any(axis=1)
        events["holds"] |= answered & holds
        going &= ~answered

    def agrees(sample: np.ndarray, stated: float) -> bool:
        return abs(sample.mean() - stated) <= 4.5 * sample.std() / np.sqrt(draws) + 1e-9

    assert agrees(attack.share * (1 - kept), float(found.slopes[line]))
    assert agrees(cost, float(found.costs[line]))
    for name, happened in events.items():
        assert agrees(happened.astype(float), float(getattr(found, name)[line])), name
    for i in range(2):
        assert agrees(1.5 * (kept - 1) - paid[:, i], float(found.payoffs[line, i]))


def test_stakes_shrink_with_what_is_left() -> None:
    """Who would fight for all of it would not for the last tenth; the response is that where it is answered."""
    late = sliced(steps=5, threshold=0.75, memory=1.0)  # answered at the fourth step, two fifths left
    early = sliced(steps=5)
    at_fourth = sliced(stake_share=0.4)
    assert late.response().comes[0, 0] == pytest.approx(at_fourth.response().comes[0, 0], abs=1e-9)
    assert np.all(late.response().comes[0, 0] < early.response().comes[0, 0])
    assert early.response().comes[0, 0] == pytest.approx(sliced().response().comes[0, 0], abs=1e-12)
    assert late.response().complete
    assert late.response().converged


@pytest.mark.slow
def test_a_batch_of_steps_and_thresholds_is_many_games() -> None:
    steps, lines = np.array([1.0, 4.0]), np.array([[0.1], [0.5]])
    shock = CommonShock(correlation=0.2, nodes=2)
    plain = replace(
        sliced(threshold_noise=0.1, memory=0.5), shock=shock, target=Target(stake=1.5, cost=normal(0.5, 0.2))
    )
    plain = replace(plain, perception={"Aggressor": {"members.*.cost.location": "+0.2"}, "north": {"base": "*0.5"}})
    batch = plain.at(**{"attacks.slices.steps": steps, "attacks.slices.threshold": lines})
    found, met = batch.attack_probabilities(), batch.response()
    regret, quiet = batch.regret_probability(), batch.conquest_without_fight()
    assert found.likelihood[0].shape == (2, 2)
    for i in range(2):
        for j in range(2):
            one = plain.at(**{"attacks.slices.steps": steps[j], "attacks.slices.threshold": lines[i, 0]})
            mine = one.attack_probabilities()
            assert found.likelihood[0][i, j] == pytest.approx(float(mine.likelihood[0]), abs=1e-8)
            assert found.by_kind["slices"][1][i, j] == pytest.approx(float(mine.by_kind["slices"][1]), abs=1e-8)
            assert met.holds[0, i, j] == pytest.approx(one.response().holds[0], abs=1e-8)
            assert regret[i, j] == pytest.approx(float(one.regret_probability()), abs=1e-8)
            assert quiet[i, j] == pytest.approx(float(one.conquest_without_fight()), abs=1e-8)


def test_postures_may_be_a_batch_and_the_target_may_yield() -> None:
    types = (
        AllianceType(name="firm", probability=0.4, changes={"members.*.cost.location": "-0.6"}),
        AllianceType(name="soft", probability=0.6),
    )
    postures = (Posture(name="words"), Posture(name="troops", cost=0.1, forward={"north": 1.0}))
    stage = PostureStage(types=types, postures=postures, quantiles=3)
    one = replace(
        sliced(steps=3, threshold=0.2, threshold_noise=0.2),
        posture=stage,
        target=Target(stake=1.0, cost=normal(0.4, 0.2)),
    )
    costs, means = np.array([0.1, 0.5]), np.array([0.6, 1.2])
    batch = one.at(**{"posture.postures.troops.cost": costs, "aggressor.prize.scale": means})
    game = batch.posture_game(binned=True)
    assert game.batch_shape == (2,)
    assert game.responses == ("refrain", "slices (1 of 3)", "slices (2 of 3)", "slices (3 of 3)", "full")
    for k in range(2):
        point = {"posture.postures.troops.cost": costs[k], "aggressor.prize.scale": means[k]}
        single = one.at(**point).posture_game(binned=True)
        assert game.U[k] == pytest.approx(single.U, abs=1e-8)
        assert game.V[k] == pytest.approx(single.V, abs=1e-8)
        assert game.event_weights("war")[k] == pytest.approx(single.event_weights("war"), abs=1e-8)
    fact = replace(one, posture=None).at(**{"members.*.cost.location": "-0.6", "members.north.forward": 1.0})
    choice = fact.aggressor_choice()
    values = np.array([0.2, 0.6, 1.0])  # the means of three bins of U[0, 1.2]
    lines = values[:, None] * choice.slopes - choice.costs
    assert one.posture_game(binned=True).V[0, :, 1, 1:] == pytest.approx(lines, abs=1e-9)


def test_a_target_that_yields_takes_the_members_stakes_with_it() -> None:
    """The ally comes and holds for sure if the target resists, with probability 0.3; else it loses its stake of 2."""
    ally = Member(name="ally", capability=1, stake=2, cost=two_point(0.0, 9.0, 1.0), obligation=1)
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=0.1),),
        decisiveness=60,
        aggressor=Aggressor(prize=degenerate(1.0), punishment=0.5),
        target=Target(stake=1.0, cost=two_point(0.0, 5.0, 0.3)),
        posture=PostureStage(types=(AllianceType(name="only", probability=1),), postures=(Posture(name="none"),)),
    ).posture_game()
    assert game.U[0, 0, 0, 1] == pytest.approx(-0.7 * 2, abs=1e-9)
    assert game.V[0, 0, 0, 1] == pytest.approx(0.7 * 1 - 0.3 * 0.5, abs=1e-9)
    assert game.event_weights("war")[0, 0, 0, 1] == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sliced(steps=2.5), ParameterError, "steps of slices must be a whole number, got 2.5"),
        (lambda: sliced(steps=0), ParameterError, r"steps of slices must be in \[1, 100\], got 0"),
        (lambda: sliced(memory=2), ParameterError, r"memory of slices must be in \[0, 1\], got 2"),
        (lambda: sliced(stake_share=-1), ParameterError, r"stake_share of slices must be in \[0, 1\], got -1"),
        (
            lambda: replace(sliced(steps=3), perception={"Aggressor": {"attacks.slices.steps": 4}}),
            GameError,
            "the steps of 'slices' are the same for everybody; Aggressor cannot misperceive them",
        ),
        (
            lambda: replace(sliced(incidents=0.7), treaty=Treaty(incidents=0.4)),
            GameError,
            "must sum to at most 1, got 1.1",
        ),
    ],
)
def test_bad_input_is_named(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()

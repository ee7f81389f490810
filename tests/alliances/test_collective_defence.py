"""The collective-defence game: the aggressor's envelope, closed forms, and what the whole game must show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.alliances.aggressor import aggressor_choice
from deterrence.alliances.collective_defence import (
    Aggressor,
    AllianceType,
    AttackOption,
    CollectiveDefence,
    Member,
    Posture,
    PostureStage,
    Treaty,
)
from deterrence.alliances.posture import prize_types
from deterrence.games.distributions import degenerate, logistic, normal, two_point, uniform
from deterrence.games.errors import GameError, ParameterError
from deterrence.solvers.pbe import pbe

DECISIVE = {
    "decisiveness": 30.0
}  # with attack strength 0.1: one unit of assisting strength wins for sure, none loses for sure


def alliance(**fields: object) -> CollectiveDefence:
    """A large distant ally, a framework nation in place, and a near ally."""
    members = (
        Member(
            name="large",
            capability=8,
            delay=30,
            stake=1,
            cost=normal(1, 0.5),
            obligation=0.6,
            forward=0.3,
            recognition={"hybrid": 0.4, "full": 0.99},
        ),
        Member(
            name="framework",
            capability=3,
            delay=10,
            stake=1.2,
            cost=normal(0.9, 0.5),
            obligation=0.5,
            forward=1,
            recognition={"hybrid": 0.5, "full": 0.99},
        ),
        Member(
            name="near",
            capability=5,
            delay=5,
            stake=2,
            cost=normal(0.9, 0.5),
            obligation=0.5,
            recognition={"hybrid": 0.6, "full": 0.99},
        ),
    )
    known: dict = {
        "members": members,
        "attacks": (
            AttackOption(name="hybrid", strength=4, window=5, share=0.3, cost=0.05),
            AttackOption(name="full", strength=10, window=15, cost=0.3),
        ),
        "treaty": Treaty(rule={"threshold": 2}, integration=0.1),
        "aggressor": Aggressor(prize=logistic(0.6, 0.2), punishment=0.04),
        "base": 2,
        "decisiveness": 2,
        "tripwire": 0.3,
    }
    return CollectiveDefence(**{**known, **fields})


def likelihood(defence: CollectiveDefence) -> float:
    low, high = defence.attack_probabilities().likelihood
    assert low == pytest.approx(high, abs=1e-9)
    return float(low)


# -- the aggressor's choice -------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 5), seed=st.integers(0, 10**6), grain=st.sampled_from([0.25, 1e-9]))
def test_envelope_is_the_best_choice_at_every_value(n: int, seed: int, grain: float) -> None:
    """Coarse numbers make equal slopes and equal costs."""
    rng = np.random.default_rng(seed)
    holds, strength = (np.round(rng.random(n) * k / grain) * grain for k in (1, 3))
    attacks = [
        AttackOption(name=f"x{i}", strength=1, share=round(rng.random() * 4) / 4, cost=round(rng.random() * 4) / 4)
        for i in range(n)
    ]
    choice = aggressor_choice(attacks, holds, strength, 0.25)
    for v in rng.uniform(-1, 8, 50):
        lines = [0.0] + [
            v * a.share * (1 - h) - a.cost - 0.25 * s for a, h, s in zip(attacks, holds, strength, strict=True)
        ]
        label = str(choice.best(v))
        picked = 0 if label == "refrain" else 1 + int(label[1:])
        assert lines[picked] == pytest.approx(max(lines), abs=1e-9)
    prize = normal(2, 1.5)
    measure = choice.measure(prize)
    assert measure.sum() == pytest.approx(1, abs=1e-12)
    assert (measure >= -1e-15).all()
    assert 1 - measure[0] == pytest.approx(float(choice.likelihood(prize)), abs=1e-12)
    draws = choice.best(prize.rvs(np.random.default_rng(seed), 4000))
    for k, label in enumerate(("refrain", *choice.attacks)):
        assert np.mean(draws == label) == pytest.approx(measure[k], abs=0.04)


def test_holds_out_of_range_is_an_error() -> None:
    with pytest.raises(GameError, match=r"must lie in \[0, 1\], got 1.5"):
        aggressor_choice([AttackOption(name="x", strength=1)], [1.5], [0.0])


# -- closed forms -----------------------------------------------------------------------------------------------------


def decisive_ally(q: float, *, prize: object, punishment: float, strength: float = 0.1) -> CollectiveDefence:
    """One ally of strength 1, of low cost with probability q, that comes iff its cost is low."""
    ally = Member(name="ally", capability=1, cost=two_point(0.2, 2.0, q), obligation=1)
    return CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=strength),),
        **DECISIVE,
        aggressor=Aggressor(prize=prize, punishment=punishment),
    )


@pytest.mark.parametrize(("q", "attacks"), [(0.39, 1.0), (0.41, 0.0)])
def test_textbook_threshold(q: float, attacks: float) -> None:
    """Win 0.7, lose -0.8, status quo 0.1: attack iff belief in the ally < (0.7 - 0.1) / (0.7 + 0.8)."""
    game = decisive_ally(q, prize=degenerate(0.6), punishment=0.9)
    assert game.response().holds[0, 0] == pytest.approx(q, abs=1e-12)
    assert likelihood(game) == attacks
    assert float(game.aggressor_choice().threshold) == pytest.approx(0.9 * q / (1 - q), abs=1e-8)


@pytest.mark.parametrize(("q", "believed", "attack", "war"), [(0.5, 0.5, 0.6, 0.3), (0.9, 0.3, 0.76, 0.684)])
def test_calibrated_risk_of_war(q: float, believed: float, attack: float, war: float) -> None:
    """v ~ U[0, 2], loss 1.6 if the ally comes: P(attack) = 1 - 1.6 q_believed / 2, P(war) = q P(attack)."""
    game = decisive_ally(
        q, prize=uniform(0, 2), punishment=1.6, strength=50.0
    )  # it punishes, and does not turn the contest
    game = replace(game, perception={"Aggressor": {"members.ally.cost.shape.probability": believed}})
    assert likelihood(game) == pytest.approx(attack, abs=1e-8)
    assert likelihood(game) * game.response().comes[0, 0, 0] == pytest.approx(war, abs=1e-8)


@pytest.mark.parametrize(("troops", "comes", "attack"), [(0, 0.2, 0.76), (2, 0.7 / 1.5, 0.44), (5, 1.3 / 1.5, 0.0)])
def test_tripwire_force(troops: float, comes: float, attack: float) -> None:
    """Cost ~ U[0, 1.5], standing aside costs 0.3 + 0.2 T: P(intervene) = (0.3 + 0.2 T) / 1.5; A loses 1.2."""
    ally = Member(name="ally", capability=1e-3, cost=uniform(0, 1.5), bilateral=0.3, forward=troops)
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=1e6),),
        decisiveness=8,
        tripwire=0.2,
        aggressor=Aggressor(prize=uniform(0, 1), punishment=1200),
    )
    assert game.response().comes[0, 0, 0] == pytest.approx(comes, abs=1e-8)
    assert likelihood(game) == pytest.approx(attack, abs=1e-8)


@pytest.mark.parametrize(
    ("readiness", "aided", "payoff"), [(0.9, 10 / 22.8, -0.021929825), (0.3, 10 / 15.6, 0.16025641)]
)
def test_pooled_forces(readiness: float, aided: float, payoff: float) -> None:
    """A has 10, the target 2, the guarantor a share of 12 and comes with probability 0.9; war costs A 0.5."""
    ally = Member(name="ally", capability=12 * readiness, cost=two_point(0, 9, 0.9), obligation=1)
    game = CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=10, cost=0.5),),
        base=2,
        aggressor=Aggressor(prize=degenerate(1)),
    )
    assert 1 - game.response().holds[0, 0] == pytest.approx(0.1 * 10 / 12 + 0.9 * aided, abs=1e-8)
    assert game.aggressor_choice().payoff(1.0)[0] == pytest.approx(payoff, abs=1e-8)
    assert likelihood(game) == float(payoff > 0)


def test_alliance_and_bilateral_guarantee() -> None:
    """Independent guarantees, honoured with 0.5 and 0.4; A gets 1, or loses 1 (the one), 0.5 or 1.5 (both)."""
    guarantors = (
        Member(name="alliance", capability=2, cost=two_point(0, 9, 0.5), obligation=1),
        Member(name="bilateral", capability=1, cost=two_point(0, 9, 0.4), bilateral=1),
    )
    game = CollectiveDefence(
        members=guarantors,
        attacks=(AttackOption(name="attack", strength=0.1),),
        **DECISIVE,
        aggressor=Aggressor(prize=degenerate(1), punishment=0.5),
    )
    assert 1 - game.response().nobody[0, 0] == pytest.approx(0.7, abs=1e-8)
    assert game.aggressor_choice().payoff(1.0)[0] == pytest.approx(-0.4, abs=1e-8)


ALSIG = [
    ({"rho": 0.3, "k": 0.6, "h": 0, "d1": 1}, [(1, 0.3), (0.7, 0)]),
    ({"rho": 0.3, "k": 0.2, "h": 0, "d1": 1}, [(1, 0.3), (0.7, 0.15)]),
    ({"rho": 0.3, "k": 0, "h": 0.2, "d1": 1}, [(1, 0.3), (0.8, 0.2)]),
    ({"rho": 0.7, "k": 0.2, "h": 0, "d1": 1}, [(0, 0), (0.12, 0.06)]),
    ({"rho": 0.4, "k": 0.2, "h": 0, "d1": 3}, [(1, 0.4), (0, 0)]),
    ({"rho": 0.4, "k": 0, "h": 0, "d1": 1}, [(1, 0.4)]),
]


def signal_game(rho: float, k: float, h: float, d1: float, believed: float | None = None) -> CollectiveDefence:
    """Fighting costs the ally 1, abandoning 2 if resolute and else 0.4; A gains 1 or loses 1 (d1 with a treaty)."""
    ally = Member(name="ally", capability=1, cost=degenerate(1.0))
    types = (
        AllianceType(name="resolute", probability=rho, changes={"members.ally.obligation": 2.0}),
        AllianceType(name="irresolute", probability=1 - rho, changes={"members.ally.obligation": 0.4}),
    )
    postures = (
        Posture(name="silence"),
        Posture(name="treaty", cost=k, obligation=h, changes={"members.ally.capability": d1}),
    )
    perception = (
        {}
        if believed is None
        else {
            "Aggressor": {
                "posture.types.resolute.probability": believed,
                "posture.types.irresolute.probability": 1 - believed,
            }
        }
    )
    return CollectiveDefence(
        members=(ally,),
        attacks=(AttackOption(name="attack", strength=0.1),),
        **DECISIVE,
        aggressor=Aggressor(prize=degenerate(1.0), punishment=1.0),
        posture=PostureStage(types=types, postures=postures, sender="ally"),
        perception=perception,
    )


@pytest.mark.parametrize(("parameters", "outcomes"), ALSIG)
def test_posture_game_of_one_ally_is_the_costly_signal_game(
    parameters: dict, outcomes: list[tuple[float, float]]
) -> None:
    """The equilibria of a costly alliance signal (Fearon 1997; Morrow 1994): separating, bluffing, pooling, silence."""
    found = pbe(signal_game(**parameters).posture_game())
    assert found.complete
    ranges = [(e.probability_range("attack"), e.probability_range("war")) for e in found]
    for attack, war in outcomes:
        assert any(
            low - 1e-8 <= attack <= high + 1e-8 and least - 1e-8 <= war <= most + 1e-8
            for (low, high), (least, most) in ranges
        ), (attack, war, ranges)
    isolated = {round(low, 8) for (low, high), _ in ranges if high - low < 1e-9}
    assert isolated <= {attack for attack, _ in outcomes} | {0.0}


def test_words_pool_and_a_dear_tripwire_separates() -> None:
    words = pbe(signal_game(rho=0.3, k=0, h=0, d1=1).posture_game())
    assert all(e.probability("attack") == pytest.approx(1) for e in words)
    tripwire = pbe(signal_game(rho=0.3, k=0.6, h=0, d1=1).posture_game())
    assert [e.probability("attack") for e in tripwire.where(kind="separating")] == [pytest.approx(0.7)]


def test_the_aggressors_prior_over_types_can_be_wrong() -> None:
    game = signal_game(rho=0.7, k=0, h=0, d1=1, believed=0.3).posture_game()
    assert game.receiver_prior == pytest.approx([0.3, 0.7])
    assert game.prior == pytest.approx([0.7, 0.3])
    low, high = pbe(game).probability("war")
    assert low == high == pytest.approx(0.7)  # attacks for sure, and meets the resolute with the true probability


# -- what the whole game must show ------------------------------------------------------------------------------------


def test_likelihood_follows_perceived_not_true_resolve() -> None:
    shifts = (-0.6, -0.2, 0.2, 0.6)
    perceived = [alliance(perception={"Aggressor": {"members.*.cost.location": {"add": s}}}) for s in shifts]
    attacks = [likelihood(game) for game in perceived]
    resolve = [game.perceived_response().holds[0, 1] for game in perceived]
    assert np.all(np.diff(attacks) > 0)
    assert np.all(np.diff(resolve) < 0)
    assert len({round(float(game.response().holds[0, 1]), 12) for game in perceived}) == 1
    known = {f"members.{n}.cost.location": c for n, c in (("large", 1), ("framework", 0.9), ("near", 0.9))}
    truths = [alliance(perception={"Aggressor": known}).at(**{"members.*.cost.location": {"add": s}}) for s in shifts]
    assert np.ptp([likelihood(game) for game in truths]) < 1e-12
    assert np.all(np.diff([game.response().holds[0, 1] for game in truths]) < 0)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_more_perceived_resolve_never_raises_the_likelihood_of_attack(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    attacks = [AttackOption(name=f"x{i}", strength=1, share=rng.random(), cost=rng.random() * 0.3) for i in range(n)]
    holds, strength = rng.random(n), rng.random(n)
    more_holds, more_strength = holds + rng.random(n) * (1 - holds), strength + rng.random(n)
    prize = logistic(1, 0.5)
    before = float(aggressor_choice(attacks, holds, strength, 0.4).likelihood(prize))
    assert float(aggressor_choice(attacks, more_holds, more_strength, 0.4).likelihood(prize)) <= before


def test_underestimated_resolve_brings_regretted_attacks_and_overestimated_none() -> None:
    under = alliance(perception={"Aggressor": {"members.*.cost.location": "+0.8"}})
    over = alliance(perception={"Aggressor": {"members.*.cost.location": "-0.8"}})
    assert under.regret_probability() > 0.05
    assert over.regret_probability() == 0 == alliance().regret_probability()
    assert likelihood(over) < likelihood(alliance()) < likelihood(under)
    rng, choice = np.random.default_rng(3), under.aggressor_choice()
    truth = under.aggressor_choice(at_true_values=True)
    v = under.aggressor.prize.rvs(rng, 40_000)
    labels = choice.best(v)
    payoff = truth.payoff(v)
    regret = sum(np.mean((labels == name) & (payoff[:, k] < 0)) for k, name in enumerate(truth.attacks))
    assert float(under.regret_probability()) == pytest.approx(regret, abs=0.01)


def test_forward_presence_deters_twice() -> None:
    def with_forward(strength: float, tripwire: float) -> float:
        return likelihood(alliance(tripwire=tripwire).at(**{"members.large.forward": strength}))

    assert with_forward(1.5, 0) < with_forward(0, 0)  # strength in place
    assert with_forward(1.5, 0.4) < with_forward(1.5, 0)  # tied hands
    bare, wired = alliance(tripwire=0.0), alliance(tripwire=0.4)
    assert bare.at(**{"members.large.forward": 0}).response().comes[0, 1, 0] <= wired.response().comes[0, 1, 0]
    assert with_forward(0, 0.4) < with_forward(0, 0)  # the framework nation's own presence


def test_unanimity_paralyses_and_shared_intelligence_restores() -> None:
    split = alliance(treaty=Treaty(rule="unanimity"))
    shared = alliance(treaty=Treaty(rule="unanimity", shared_intelligence=1.0))
    assert split.response().invoked[0] == pytest.approx(0.12, abs=1e-12)
    assert shared.response().invoked[0] == pytest.approx(0.5, abs=1e-12)
    assert shared.response().strength[0, 0] > split.response().strength[0, 0]


def test_hybrid_attack_where_full_attack_is_deterred_and_recognition_is_doubtful() -> None:
    game = alliance(base=2, aggressor=Aggressor(prize=normal(0.75, 0.1), punishment=0.15))
    sure = game.at(**{"members.*.recognition.hybrid": 1.0, "members.*.obligation": "*3", "attacks.hybrid.window": 15})
    doubtful = game.at(
        **{"members.*.recognition.hybrid": 0.05, "members.*.obligation": "*3", "attacks.hybrid.window": 15}
    )
    kinds = doubtful.attack_probabilities().by_kind
    assert kinds["full"][1] < 0.01 < kinds["hybrid"][0]
    assert sure.attack_probabilities().by_kind["hybrid"][1] < kinds["hybrid"][0]


def test_delay_beyond_the_window_leaves_the_likelihood_as_it_is() -> None:
    late = alliance(decay=0.2).at(**{"members.*.delay": 60})
    resolute = late.at(**{"members.*.cost.location": -5, "members.*.capability": "*10"})
    assert likelihood(resolute) == pytest.approx(likelihood(late), abs=1e-9)


def test_a_member_that_underestimates_the_others_stays_out() -> None:
    timid = alliance(perception={"near": {"members.near.obligation": 0.0, "members.near.stake": "*0.2"}})
    assert timid.response().comes[0, 1, 2] < alliance().response().comes[0, 1, 2]
    assert timid.response().comes[0, 1, 0] == pytest.approx(alliance().response().comes[0, 1, 0], abs=1e-12)
    assert timid.response().holds[0, 1] < alliance().response().holds[0, 1]
    assert likelihood(timid) == likelihood(alliance())  # the aggressor does not know


def test_range_over_equilibria() -> None:
    """Coordination: the alliance that comes because it is expected to come, and the one that does not."""
    herd = tuple(Member(name=f"m{i}", capability=1, stake=1, cost=normal(0.2, 0.05)) for i in range(4))
    game = CollectiveDefence(
        members=herd,
        attacks=(AttackOption(name="x", strength=1.5, cost=0.1),),
        decisiveness=60,
        aggressor=Aggressor(prize=uniform(0, 1)),
    )
    low, high = game.attack_probabilities().likelihood
    assert low < 0.3
    assert high > 0.85
    assert game.response().several
    assert not game.response().complete  # that no equilibrium tells these identical members apart is not proven
    assert float(game.aggressor_choice("highest").likelihood(uniform(0, 1))) == pytest.approx(float(low))


def test_a_batch_is_many_games() -> None:
    shifts, windows = np.linspace(-0.6, 0.6, 4), np.array([5.0, 15.0, 40.0])
    batch = alliance().at(**{"members.*.cost.location": {"add": shifts[:, None]}, "attacks.full.window": windows})
    low, _high = batch.attack_probabilities().likelihood
    met = batch.response()
    assert low.shape == (4, 3)
    assert met.comes.shape == (2, 4, 3, 2, 3)
    assert met.converged.all()
    for j, shift in enumerate(shifts):
        for k, window in enumerate(windows):
            one = alliance().at(**{"members.*.cost.location": {"add": shift}, "attacks.full.window": window})
            assert low[j, k] == pytest.approx(likelihood(one), abs=1e-9)
            assert met.holds[0, j, k] == pytest.approx(one.response().holds[0], abs=1e-9)
            assert met.payoffs[0, j, k] == pytest.approx(one.response().payoffs[0], abs=1e-9)
    punished = alliance().at(**{"aggressor.punishment": np.array([0.0, 0.2])}).attack_probabilities().likelihood[0]
    assert punished[1] < punished[0]


def test_posture_game_holds_what_the_parts_say() -> None:
    types = (
        AllianceType(name="firm", probability=0.5, changes={"members.*.cost.location": "-0.4"}),
        AllianceType(name="soft", probability=0.5),
    )
    postures = (
        Posture(name="words"),
        Posture(name="tripwire", cost=0.2, forward={"large": 1.5}, obligation=0.2, tied=("large",)),
    )
    game = alliance(posture=PostureStage(types=types, postures=postures, quantiles=4))
    signal = game.posture_game(binned=True)
    assert signal.shape == (2, 4, 2, 3)
    fact = replace(game, posture=None).at(
        **{"members.*.cost.location": "-0.4", "members.large.forward": 1.5, "members.large.obligation": "+0.2"}
    )
    met, values = fact.response(), prize_types(game.aggressor.prize, 4).values
    assert signal.V[0, :, 1, 1:] == pytest.approx(
        np.stack([fact.aggressor_choice().payoff(v) for v in values]), abs=1e-12
    )
    loss = met.payoffs[1] - np.array([m.stake for m in game.members])
    assert signal.U[0, 0, 1, 1:] == pytest.approx(loss.sum(axis=-1) - 0.2, abs=1e-12)
    assert signal.U[1, 0, 0, 0] == 0
    assert signal.U[1, 0, 1, 0] == -0.2
    assert signal.event_weights("war")[0, 0, 1] == pytest.approx([0, *(1 - met.nobody[1])], abs=1e-12)
    assert values.mean() == pytest.approx(0.6, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: AttackOption(name="refrain", strength=1), GameError, "must not be called 'refrain'"),
        (lambda: AttackOption(name="x", strength=1, share=2), ParameterError, r"share of x must be in \[0, 1\], got 2"),
        (lambda: alliance(perception={"Agressor": {}}), ParameterError, "did you mean 'Aggressor'"),
        (
            lambda: alliance(perception={"Aggressor": {"members.*.costs.location": 1}}),
            ParameterError,
            "did you mean 'cost'",
        ),
        (lambda: alliance(aggressor=Aggressor(name="near")), GameError, "is also a member"),
        (lambda: alliance().posture_game(), GameError, "has no posture stage"),
        (lambda: alliance().aggressor_choice("best"), GameError, "equilibrium must be 'lowest' or 'highest'"),
        (
            lambda: alliance(
                posture=PostureStage(
                    types=(AllianceType(name="a", probability=1),), postures=(Posture(name="m", forward={"larg": 1}),)
                )
            ),
            GameError,
            "did you mean 'large'",
        ),
        (
            lambda: PostureStage(
                types=(AllianceType(name="a", probability=1),), postures=(Posture(name="m"),), quantiles=0
            ),
            ParameterError,
            "quantiles",
        ),
        (lambda: Treaty(shared_intelligence=1.5), ParameterError, "shared_intelligence must be in"),
        (lambda: alliance(treaty=Treaty(rule={"threshold": 9})), GameError, "threshold 9 exceeds"),
        (lambda: alliance(base=[1, 2], decay=[1, 2, 3]), GameError, "batch dimensions do not agree"),
        (lambda: alliance().perceived_by("nobody"), GameError, "not among Aggressor"),
    ],
)
def test_bad_input_is_named(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize(
    "name",
    [
        "aggressor_choice",
        "conquest_without_fight",
        "false_alarm_response",
        "posture_game",
        "regret_probability",
        "regretted_attacks",
        "resistance",
        "unwanted_war_probability",
    ],
)
def test_the_equilibrium_expected_may_be_given_by_its_old_keyword_for_one_release(name):
    game = signal_game(rho=0.3, k=0.6, h=0, d1=1) if name == "posture_game" else alliance()
    ask = getattr(game, name)
    with pytest.warns(DeprecationWarning, match=f"'resolve' of {name} is now 'equilibrium'"):
        old = ask(resolve="lowest")
    new = ask(equilibrium="lowest")
    if name == "aggressor_choice":
        old, new = old.lower, new.lower
    elif name == "posture_game":
        old, new = old.sender_payoffs, new.sender_payoffs
    assert np.array_equal(old, new)
    with pytest.raises(TypeError, match="got both 'resolve' and 'equilibrium'"):
        ask(resolve="lowest", equilibrium="lowest")

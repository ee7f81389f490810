"""Participation games: certificates, closed forms, methods against each other, invariance, and a simulation of play."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.alliances.attacks import Attack
from deterrence.alliances.contest import contest_curvature, contest_success
from deterrence.alliances.members import Member, Support
from deterrence.alliances.participation import ParticipationGame
from deterrence.alliances.solving.expected_defence import expected_defence, gain_slopes
from deterrence.alliances.solving.iteration import cutpoints_from
from deterrence.alliances.solving.participation import participation, participation_batch, stage_equilibria
from deterrence.alliances.solving.strength import exact_support, leave_one_out, strength_distribution
from deterrence.alliances.solving.verification import verify_participation
from deterrence.alliances.treaty import InvocationRule, Treaty, invocation
from deterrence.games.distributions import Distribution, degenerate, logistic, lognormal, normal, two_point, uniform
from deterrence.games.errors import GameError, ParameterError, SolverError
from deterrence.games.paths import apply_overlay, paths_of, split_path, value_at

COSTS = [
    normal(0.4, 0.3),
    logistic(0.5, 0.2),
    lognormal(-1, 0.5),
    uniform(0, 1.2),
    two_point(0.1, 0.8, 0.4),
    degenerate(0.35),
    Distribution(family="gamma", location=0.0, scale=0.3, shape={"a": 2.0}),
]
CONTINUOUS = [cost for cost in COSTS if cost.continuous]


def random_game(n: int, seed: int, **fields: object) -> ParticipationGame:
    """Members unequal in every number."""
    rng = np.random.default_rng(seed)
    members = tuple(
        Member(
            name=f"m{i}",
            capability=rng.uniform(0.2, 4),
            delay=rng.uniform(0, 40),
            stake=rng.uniform(0.2, 3),
            cost=normal(rng.uniform(0, 1), rng.uniform(0.2, 0.5)),
            obligation=rng.uniform(0, 0.6),
            bilateral=rng.uniform(0, 0.2),
            forward=rng.uniform(0, 0.3),
            recognition=rng.uniform(0.3, 1),
        )
        for i in range(n)
    )
    known = {
        "base": 2.0,
        "decisiveness": 2.0,
        "tripwire": 0.3,
        "treaty": Treaty(integration=0.2, shared_intelligence=0.3, rule="majority"),
    }
    return ParticipationGame(
        members=members, attacks=(Attack(name="full", strength=2 + 0.5 * n, window=20),), **{**known, **fields}
    )


def volunteers(costs: list[Distribution], needed: int = 1) -> ParticipationGame:
    """Each gains 1 if at least ``needed`` members of strength 1 come; H is a step to within rounding."""
    members = tuple(Member(name=f"m{i}", capability=1, stake=1, cost=cost) for i, cost in enumerate(costs))
    return ParticipationGame(members=members, attacks=(Attack(name="x", strength=needed - 0.5),), decisiveness=400)


# -- certificate -------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 9), seed=st.integers(0, 10**6), m=st.floats(0.5, 8), cost=st.sampled_from(CONTINUOUS))
def test_every_equilibrium_is_certified(n: int, seed: int, m: float, cost: Distribution) -> None:
    game = random_game(n, seed, decisiveness=m)
    game = replace(game, members=(*game.members[:-1], replace(game.members[-1], cost=cost)))
    found = participation(game)
    assert len(found) >= 1
    for equilibrium in found:
        certificate = verify_participation(game, equilibrium)
        assert certificate.sequentially_rational
        assert certificate.max_regret <= 1e-9
        assert certificate.max_belief_error <= 1e-11
        for state in ("invoked", "not invoked"):
            assert equilibrium.strategies["m0"][state]["assist"] + equilibrium.strategies["m0"][state]["stay out"] == 1


def test_a_perturbed_equilibrium_fails_its_check() -> None:
    game = random_game(5, 3)
    (equilibrium,) = participation(game)
    equilibrium.profile.cutpoints[0, 2] += 1e-3
    assert not verify_participation(game, equilibrium).sequentially_rational


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_regret_is_in_units_of_utility(share: float) -> None:
    """A cutpoint that is off by 0.01 loses 0.01 of private cost: of which this kind of support costs a share."""
    ally = Member(
        name="ally", capability=2, stake=1, cost=normal(0.4, 0.3), obligation=0.3, support=Support(cost=share)
    )
    game = ParticipationGame(members=(ally,), attacks=(Attack(name="full", strength=2),), base=1)
    found = participation(game)[0]
    off = replace(found, profile=replace(found.profile, cutpoints=found.profile.cutpoints + 0.01))
    assert verify_participation(game, off).max_regret == pytest.approx(0.01 * share, abs=1e-9)


@pytest.mark.parametrize("n", [3, 8, 32])
def test_simulated_members_are_indifferent_at_their_cutpoints(n: int) -> None:
    """Monte Carlo of play: draw costs, play the cutpoints, weigh assisting against staying out at the cutpoint."""
    game = random_game(n, 10 + n)
    (equilibrium,) = participation(game)
    profile, rng, draws = equilibrium.profile, np.random.default_rng(5), 480_000 // max(8, n)
    attack = game.attacks[0]
    for j, invoked in enumerate((True, False)):
        stage = game.stage(invoked=invoked)
        cost = np.stack([m.cost.rvs(rng, draws) for m in game.members], axis=1)
        able = rng.random((draws, n)) < stage.position
        comes = able & (cost <= profile.cutpoints[j])
        brings = np.array(
            [m.capability * min(1.0, np.exp(-(m.delay - attack.window) / game.decay)) for m in game.members]
        )
        brings = brings * (1 + 0.2 * invoked)
        total = game.base + sum(m.forward for m in game.members) + comes @ brings
        share = comes.mean(axis=0)
        assert np.all(np.abs(share - profile.probabilities[j]) <= 4.5 * np.sqrt(0.25 / draws))
        wins = total**2 / (total**2 + attack.strength**2)
        assert abs(wins.mean() - profile.holds[j]) <= 4.5 * wins.std() / np.sqrt(draws) + 1e-12
        for i, member in enumerate(game.members):
            without = total - comes[:, i] * brings[i]
            with_it = without + brings[i]
            held = with_it**2 / (with_it**2 + attack.strength**2) - without**2 / (without**2 + attack.strength**2)
            out = (member.obligation if invoked else 0) + member.bilateral + 0.3 * member.forward
            gain = (
                member.stake * held + out - profile.cutpoints[j, i]
            )  # assisting instead of staying out, at the cutpoint
            assert abs(gain.mean()) <= 4.5 * gain.std() / np.sqrt(draws) + 1e-12


# -- closed forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "c"), [(2, 0.3), (5, 0.3), (9, 0.6)])
def test_volunteers_dilemma(n: int, c: float) -> None:
    """Diekmann 1985: p = 1 - c^(1/(N-1)), and nobody comes with probability c^(N/(N-1))."""
    found = participation(volunteers([degenerate(c)] * n))
    (equilibrium,) = (one for one in found if np.ptp(one.profile.probabilities[0]) < 1e-9)
    assert equilibrium.profile.probabilities[0] == pytest.approx([1 - c ** (1 / (n - 1))] * n, abs=1e-8)
    alone = [tuple(one.profile.probabilities[0]) for one in found if one.profile.probabilities[0].sum() == 1]
    assert set(alone) == {tuple(np.eye(n)[i]) for i in range(n)}  # one comes, and all rely on it
    assert equilibrium.probability("nobody assists") == pytest.approx(c ** (n / (n - 1)), abs=1e-8)


def test_volunteers_dilemma_of_unequal_members() -> None:
    """Diekmann 1993: members of higher cost volunteer more often."""
    found = participation(volunteers([degenerate(c) for c in (0.3, 0.4, 0.5)]))
    inner = [e for e in found if (e.profile.probabilities[0] > 0).all() and (e.profile.probabilities[0] < 1).all()]
    assert len(inner) == 1
    staying = np.sqrt(0.3 * 0.4 * 0.5)
    assert inner[0].profile.probabilities[0] == pytest.approx(1 - staying / np.array([0.3, 0.4, 0.5]), abs=1e-8)
    pure = sorted(tuple(e.profile.probabilities[0]) for e in found if set(e.profile.probabilities[0]) <= {0.0, 1.0})
    assert pure == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]


def test_volunteers_dilemma_with_a_threshold() -> None:
    """Palfrey and Rosenthal 1984: C(4,2) p^2 (1-p)^2 = 0.2 has two roots; with nobody there are three equilibria."""
    every = participation(volunteers([degenerate(0.2)] * 5, needed=3))
    assert not every.complete
    found = [one for one in every if np.ptp(one.profile.probabilities[0]) < 1e-9]
    assert [e.profile.probabilities[0, 0] for e in found] == pytest.approx([0, 0.240335190, 0.759664810], abs=1e-8)
    assert [e.probability("defence holds") for e in found] == pytest.approx([0, 0.093586044, 0.906413956], abs=1e-8)
    assert found[0].profile.cutpoints[0, 0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("p", "k", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.5], 5, 0.1512),
        ([0.9, 0.8, 0.7, 0.6, 0.5], 3, 0.85),
        ([0.95] * 30 + [0.6, 0.7], 32, 0.090148280856),
    ],
)
def test_consensus_is_a_tail(p: list[float], k: int, expected: float) -> None:
    members = tuple(Member(name=f"m{i}", recognition=x) for i, x in enumerate(p))
    game = ParticipationGame(
        members=members, attacks=(Attack(name="x", strength=4),), treaty=Treaty(rule={"threshold": k})
    )
    assert game.invocation().probability == pytest.approx(expected, abs=1e-8)


def test_one_member_is_a_cutpoint_in_closed_form() -> None:
    member = Member(name="ally", capability=6, stake=2, cost=uniform(0, 2), obligation=0.3)
    game = ParticipationGame(members=(member,), attacks=(Attack(name="x", strength=4),), base=2)
    found = participation(game)
    cut = 2 * (8 / 12 - 2 / 6) + 0.3
    assert found.complete
    assert found[0].profile.cutpoints[0, 0] == pytest.approx(cut, abs=1e-14)
    assert found[0].probability("assist:ally") == pytest.approx(cut / 2, abs=1e-14)
    payoff = 2 * (cut / 2 * 8 / 12 + (1 - cut / 2) * 2 / 6) - cut**2 / 4 - 0.3 * (1 - cut / 2)
    assert found[0].payoffs["ally"] == pytest.approx(payoff, abs=1e-12)


# -- two methods against each other ------------------------------------------------------------------------------------


def brute_force(weights: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    acts = np.array(list(itertools.product((0, 1), repeat=len(weights))))
    return acts @ weights, np.where(acts == 1, q, 1 - q).prod(axis=1)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 10**6), resolution=st.sampled_from([3, 50, 600]))
def test_strength_distribution_is_that_of_all_profiles(n: int, seed: int, resolution: int) -> None:
    rng = np.random.default_rng(seed)
    w, q = rng.uniform(0, 3, n), rng.random(n)
    sums, mass = brute_force(w, q)
    found = strength_distribution(w, q, base=1.0, resolution=resolution)
    assert found.mass.sum() == pytest.approx(1, abs=1e-12)
    assert found.mean == pytest.approx(1 + mass @ sums, abs=1e-12)

    def square(s: np.ndarray) -> np.ndarray:
        return s**2

    error = abs(float(found.expect(square(found.points))) - mass @ square(1 + sums))
    assert error <= float(found.error_bound(2.0)) + 1e-11
    if exact_support(w, resolution) is not None:
        assert found.error_bound(2.0) == 0


def test_splitting_error_falls_with_the_square_of_the_resolution() -> None:
    game = random_game(8, 1)
    stage, q = game.stage(invoked=True), np.linspace(0.1, 0.9, 8)
    exact = float(expected_defence(stage, method="exact").value(q))
    errors = []
    for resolution in (40, 400, 4000):
        lattice = expected_defence(stage, method="lattice", resolution=resolution)
        errors.append(abs(float(lattice.value(q)) - exact))
        assert errors[-1] <= float(lattice.error)
    assert errors[2] < 1e-3 * errors[0]


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 7), seed=st.integers(0, 10**6))
def test_leave_one_out_is_the_distribution_of_the_others(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, q = rng.integers(0, 9, n).astype(float), rng.random(n)
    w[0] = 1
    resolution = int(w.sum())  # every weight on the lattice: exact
    found = leave_one_out(w, q, resolution=resolution)
    for i in range(n):
        sums, mass = brute_force(np.delete(w, i), np.delete(q, i))
        for value in range(resolution + 1):
            assert found.mass[i, value] == pytest.approx(mass[sums == value].sum(), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 8), seed=st.integers(0, 10**6), m=st.floats(0.6, 12))
def test_all_ways_to_expect_the_defence_agree(n: int, seed: int, m: float) -> None:
    game = random_game(n, seed, decisiveness=m)
    stage, q = game.stage(invoked=True), np.random.default_rng(seed).random(n)
    sums, mass = brute_force(stage.weights, q)
    truth = mass @ contest_success(stage.base + sums, stage.strength, stage.decisiveness)
    for method in ("exact", "lattice", "spectral"):
        defence = expected_defence(stage, method=method)
        slack = float(defence.error) + 1e-12
        assert abs(float(defence.value(q)) - truth) <= slack
        gains = defence.gains(q)
        for i in range(n):
            with_it, without = q.copy(), q.copy()
            with_it[i], without[i] = 1, 0
            exact = expected_defence(stage, method="exact")
            assert abs(gains[i] - float(exact.value(with_it) - exact.value(without))) <= 2 * slack


def test_spectral_curvature_is_good_enough_for_newton() -> None:
    stage = random_game(12, 4).stage(invoked=True)
    defence, q = expected_defence(stage, method="spectral"), np.linspace(0.05, 0.95, 12)
    exact = np.stack([gain_slopes(defence, q, i) for i in range(12)])
    np.fill_diagonal(exact, 0)
    assert defence.curvature(q) == pytest.approx(exact, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(low=st.floats(0.5, 5), width=st.floats(0.05, 20), a=st.floats(0.1, 10), m=st.floats(0.3, 9))
def test_curvature_bound_of_the_contest(low: float, width: float, a: float, m: float) -> None:
    s = np.linspace(low, low + width, 4001)
    h = s[1] - s[0]
    bent = np.abs(np.diff(contest_success(s, a, m), 2)) / h**2
    bound = float(contest_curvature(low, low + width, a, m))
    assert bent.max() <= bound * (1 + 1e-6) + 1e-12 / h**2
    assert bent.max() >= bound * 0.9 - 1e-12 / h**2


def test_batch_is_the_same_as_one_at_a_time() -> None:
    game = random_game(14, 2)
    shifts = np.linspace(-0.5, 0.5, 5)
    batch = game.at(**{"members.*.cost.location": {"add": shifts[:, None]}, "base": np.array([1.0, 3.0, 6.0])})
    found = participation_batch(batch.stage(invoked=True), workers=1)
    threaded = participation_batch(batch.stage(invoked=True), workers=2, chunk=4)
    assert found.converged.all()
    assert found.lowest.probabilities.shape == (5, 3, 14)
    assert threaded.lowest.probabilities == pytest.approx(found.lowest.probabilities, abs=1e-11)
    for j, shift in enumerate(shifts):
        for k, base in enumerate((1.0, 3.0, 6.0)):
            alone = stage_equilibria(
                game.at(**{"members.*.cost.location": {"add": shift}, "base": base}).stage(invoked=True)
            )
            assert found.lowest.probabilities[j, k] == pytest.approx(alone.probabilities[0], abs=1e-10)
            assert found.holds[1][j, k] == pytest.approx(alone.holds[-1], abs=1e-10)


def test_a_batch_is_asked_for_a_stage() -> None:
    game = ParticipationGame(members=[Member(name="a", capability=1, stake=2)], attacks=[Attack(name="x", strength=1)])
    with pytest.raises(GameError, match=r"participation_batch takes ParticipationStage, got .*Game; pass game\.stage"):
        participation_batch(game)  # type: ignore[arg-type]


def test_blocs_agree_with_starts() -> None:
    """Coordination: three symmetric equilibria by isolation; from nobody and everybody come the outer two."""
    game = volunteers([normal(0.2, 0.05)] * 4, needed=2)
    every = participation(game)
    assert not every.complete  # contributions are substitutes beyond two: members may differ
    found = [one for one in every if np.ptp(one.profile.probabilities[0]) < 1e-9]
    assert len(found) == 3
    ends = participation_batch(game.stage(invoked=True))
    assert ends.lowest.probabilities == pytest.approx(found[0].profile.probabilities[0], abs=1e-9)
    p = np.linspace(0, 1, 200_001)
    cut = 3 * p * (1 - p) ** 2
    rest = p - normal(0.2, 0.05).cdf(cut)
    roots = p[:-1][np.sign(rest[:-1]) != np.sign(rest[1:])]
    assert [e.profile.probabilities[0, 0] for e in found] == pytest.approx(roots, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_proven_uniqueness_is_not_refuted_by_starts(seed: int) -> None:
    stage = random_game(5, seed, decisiveness=4.0).stage(invoked=True)
    found = stage_equilibria(stage)
    if found.complete:
        rng = np.random.default_rng(seed)
        reached = cutpoints_from(stage, expected_defence(stage), rng.random((40, 5)) * stage.position)
        assert reached.converged.all()
        assert np.abs(reached.probabilities - found.probabilities[0]).max() < 1e-9


# -- invariance and comparative statics -------------------------------------------------------------------------------


def test_order_of_members_and_units_do_not_matter() -> None:
    game = random_game(6, 8)
    (base,) = participation(game)
    fields = {key: getattr(game, key) for key in ("attacks", "decisiveness", "base", "tripwire", "treaty")}
    (turned,) = participation(ParticipationGame(members=game.members[::-1], **fields))
    assert turned.profile.probabilities[:, ::-1] == pytest.approx(base.profile.probabilities, abs=1e-10)
    utility = {f"members.*.{k}": "*7" for k in ("stake", "obligation", "bilateral", "cost.location", "cost.scale")}
    (scaled,) = participation(game.at(**utility, tripwire="*7"))
    assert scaled.profile.probabilities == pytest.approx(base.profile.probabilities, abs=1e-10)
    strength = {"members.*.capability": "*3", "members.*.forward": "*3", "attacks.*.strength": "*3", "base": "*3"}
    (stronger,) = participation(game.at(**strength, tripwire=0.1))
    assert stronger.profile.holds == pytest.approx(base.profile.holds, abs=1e-10)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), extra=st.floats(0.05, 1))
def test_obligation_raises_participation_of_a_lone_ally_and_stake_without_capability_does_not(
    seed: int, extra: float
) -> None:
    game = random_game(1, seed)
    base = participation(game)[0].probability("assist:m0")
    assert participation(game.at(**{"members.*.obligation": {"add": extra}}))[0].probability("assist:m0") > base
    idle = game.at(**{"members.*.capability": 0.0})
    low = participation(idle)[0].profile.cutpoints
    high = participation(idle.at(**{"members.*.stake": {"add": extra}}))[0].profile.cutpoints
    assert np.array_equal(low, high)


def test_free_riding_when_strong_and_crowding_in_when_weak() -> None:
    small = tuple(Member(name=f"s{i}", capability=1, stake=1, cost=normal(0.1, 0.1)) for i in range(4))

    def cutpoint(base: float, large: float) -> float:
        sure = Member(name="large", capability=large, obligation=50, cost=normal(0, 0.1))
        game = ParticipationGame(
            members=(*small, sure), attacks=(Attack(name="x", strength=8),), base=base, decisiveness=3
        )
        return float(participation(game)[0].profile.cutpoints[0, 0])

    assert cutpoint(base=12, large=6) < cutpoint(base=12, large=0.001)
    assert cutpoint(base=1, large=3) > cutpoint(base=1, large=0.001)


def test_delay_beyond_the_window_makes_capability_worthless() -> None:
    resolute = Member(name="ally", capability=20, stake=5, cost=degenerate(0), obligation=1, delay=60)
    game = ParticipationGame(members=(resolute,), attacks=(Attack(name="x", strength=5, window=3),), base=1, decay=1.0)
    late = participation(game)[0]
    assert late.probability("assist:ally") == 1
    assert late.probability("defence holds") == pytest.approx(1 / 6, abs=1e-12)
    assert participation(game.at(**{"members.ally.delay": 2}))[0].probability("defence holds") == pytest.approx(
        21 / 26, abs=1e-12
    )


def test_consultation_eats_the_window_only_when_invoked() -> None:
    game = random_game(3, 2).at(**{"treaty.consultation": 10})
    assert np.all(game.stage(invoked=True).weights < random_game(3, 2).stage(invoked=True).weights + 1e-12)
    assert np.array_equal(game.stage(invoked=False).weights, random_game(3, 2).stage(invoked=False).weights)


# -- invocation ------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 6), seed=st.integers(0, 10**6), chi=st.floats(0, 1), kind=st.sampled_from(["k", "lead", "votes"])
)
def test_invocation_is_the_sum_over_all_assessments(n: int, seed: int, chi: float, kind: str) -> None:
    rng = np.random.default_rng(seed)
    e, names = rng.random(n), [f"m{i}" for i in range(n)]
    weights = rng.integers(1, 5, n).astype(float)
    rule = {
        "k": {"threshold": int(rng.integers(1, n + 1))},
        "lead": {"lead": names[-1]},
        "votes": {"votes": dict(zip(names, weights, strict=True)), "quota": float(rng.uniform(0.1, weights.sum()))},
    }[kind]
    votes, quota = InvocationRule.of(rule).ballot(names)
    acts = np.array(list(itertools.product((0, 1), repeat=n)))
    mass = (1 - chi) * np.where(acts == 1, e, 1 - e).prod(axis=1)
    mass[0] += chi * (1 - e.mean())
    mass[-1] += chi * e.mean()
    invoked = acts @ votes >= quota - 1e-9
    found = invocation(e, votes, quota, chi)
    assert found.probability == pytest.approx(mass[invoked].sum(), abs=1e-12)
    if mass[~invoked].sum() > 1e-9:
        expected = (mass[~invoked][:, None] * acts[~invoked]).sum(axis=0) / mass[~invoked].sum()
        assert found.recognition_if_not == pytest.approx(expected, abs=1e-9)


def test_shared_intelligence_restores_unanimity() -> None:
    members = tuple(Member(name=f"m{i}", recognition=p) for i, p in enumerate((0.9, 0.5, 0.6, 0.7)))
    chi = np.linspace(0, 1, 5)
    game = ParticipationGame(
        members=members, attacks=(Attack(name="hybrid", strength=4),), treaty=Treaty(shared_intelligence=chi)
    )
    found = game.invocation().probability
    assert found[0] == pytest.approx(0.9 * 0.5 * 0.6 * 0.7)
    assert found[-1] == pytest.approx(0.675)
    assert np.all(np.diff(found) > 0)


# -- events, distributions, paths, errors ------------------------------------------------------------------------------


def test_events_agree_with_predicates_over_paths() -> None:
    game = random_game(4, 9)
    (equilibrium,) = participation(game)
    for name in (
        "assist:m1",
        "invoked",
        "not invoked",
        "defence holds",
        "defence fails",
        "nobody assists",
        "all assist",
    ):
        assert equilibrium.probability(lambda path, name=name: name in path) == pytest.approx(
            equilibrium.probability(name), abs=1e-12
        )
    with pytest.raises(GameError, match="did you mean 'assist:m1'"):
        equilibrium.probability("assist m1")


@pytest.mark.parametrize("cost", COSTS, ids=lambda cost: cost.family)
def test_distributions_by_simulation_and_quadrature(cost: Distribution) -> None:
    draws = cost.rvs(np.random.default_rng(1), 200_000)
    for x in (0.2, 0.37, 0.9):
        assert np.mean(draws <= x) == pytest.approx(float(cost.cdf(x)), abs=0.006)
        paid = np.where(draws <= x, draws, 0)
        assert paid.mean() == pytest.approx(float(cost.partial_mean(x)), abs=5 * paid.std() / 400)
        if cost.continuous:
            assert float(cost.cdf(cost.ppf(x))) == pytest.approx(x, abs=1e-12)
            grid = np.linspace(0.15, x + 0.2, 500)
            assert cost.pdf(grid).max() <= float(cost.density_bound(grid[0], grid[-1])) + 1e-12
            assert cost.pdf(grid).min() >= float(cost.density_floor(grid[0], grid[-1])) - 1e-12
    assert draws.mean() == pytest.approx(float(cost.mean()), abs=0.01)
    assert float(cost.partial_mean(np.inf)) == pytest.approx(float(cost.mean()), rel=1e-6)


def test_paths_change_what_they_name_and_nothing_else() -> None:
    game = random_game(3, 1)
    fresh = apply_overlay(
        game,
        {
            "members.*.cost.location": "+0.8",
            "members.m1.stake": 2.5,
            "attacks.full.strength": "*2",
            "base": {"add": -1},
        },
    )
    for old, new in zip(game.members, fresh.members, strict=True):
        assert new.cost.location == pytest.approx(old.cost.location + 0.8)
        assert new.cost.scale == old.cost.scale
        assert new.capability == old.capability
    assert fresh.members[1].stake == 2.5
    assert fresh.members[0].stake == game.members[0].stake
    assert value_at(fresh, "attacks.full.strength") == 2 * value_at(game, "attacks.full.strength")
    assert fresh.base == game.base - 1
    assert apply_overlay(game, {"base": "-0.5"}).base == 1.5
    assert apply_overlay(game, {"base": {"set": 0.5}}).base == 0.5
    assert "members.m2.cost.scale" in set(paths_of(game))
    assert split_path('members."St. Lucia".stake') == ("members", "St. Lucia", "stake")


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"members.*.stakes": 1}, "did you mean 'stake'"),
        ({"members.m9.stake": 1}, "has no 'm9'"),
        ({"members.m1": 1}, "stops short"),
        ({"base.x": 1}, "after a plain value"),
        ({"base": "0.8"}, r"'\+x', '-x' or '\*x'"),
        ({"*.stake": 1}, "where a field is due"),
        ({"base": {"plus": 1}}, "one of 'set', 'add', 'multiply'"),
        ({"members..stake": 1}, "is no path"),
        ({"base": [[1], "x"]}, "number"),
        ({"members.m1.stake": -1}, "stake of m1 must be at least 0"),
        ({"members.m1.name": 3}, "no number that could change"),
    ],
)
def test_bad_paths_are_named(overlay: dict, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        apply_overlay(random_game(3, 1), overlay)


ALLY, ATTACK = Member(name="ally", capability=1), Attack(name="x", strength=1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Member(name="a", capability=-1),
            ParameterError,
            "capability of a must be at least 0 and finite, got -1",
        ),
        (
            lambda: Member(name="a", recognition={"x": 1.2}),
            ParameterError,
            r"recognition of x by a must be in \[0, 1\], got 1.2",
        ),
        (lambda: Member(name="a", delay="soon"), ParameterError, "delay of a must be a number"),
        (lambda: Member(name="a", cost=0.3), ParameterError, "cost of a must be a Distribution"),
        (lambda: Member(name=""), GameError, "the name of a member"),
        (lambda: Attack(name="x", strength=0), ParameterError, "strength of x must be above 0"),
        (lambda: ParticipationGame(members=(), attacks=(ATTACK,)), GameError, "members must hold at least one"),
        (lambda: ParticipationGame(members=(ALLY, ALLY), attacks=(ATTACK,)), GameError, "got 'ally' twice"),
        (lambda: ParticipationGame(members=(ALLY,), attacks=(ALLY,)), GameError, "attacks must hold Attack"),
        (
            lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,), treaty=Treaty(rule={"threshold": 2})),
            GameError,
            "threshold 2 exceeds",
        ),
        (
            lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,), treaty=Treaty(rule={"lead": "aly"})),
            GameError,
            "did you mean 'ally'",
        ),
        (
            lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,), treaty=Treaty(rule="unanimous")),
            GameError,
            "did you mean 'unanimity'",
        ),
        (
            lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,), treaty=Treaty(rule={"k": 1})),
            GameError,
            "rule must be",
        ),
        (
            lambda: ParticipationGame(
                members=(ALLY,), attacks=(ATTACK,), treaty=Treaty(rule={"votes": {"ally": 1}, "quota": 2})
            ),
            GameError,
            "quota 2",
        ),
        (
            lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,), base=[1, 2], decay=[1, 2, 3]),
            GameError,
            "batch dimensions",
        ),
        (
            lambda: ParticipationGame(members=(Member(name="a", recognition={"y": 1}),), attacks=(ATTACK,)),
            GameError,
            "no attack 'x'",
        ),
        (lambda: ParticipationGame(members=(ALLY,), attacks=(ATTACK,)).attack("y"), GameError, "say which attack: 'x'"),
        (
            lambda: participation(ParticipationGame(members=(ALLY,), attacks=(ATTACK,), base=[1, 2])),
            GameError,
            "participation_batch",
        ),
        (lambda: Distribution(family="norml"), ParameterError, "did you mean 'normal'"),
        (lambda: Distribution(scale=0), ParameterError, "use family 'degenerate'"),
        (lambda: Distribution(family="two-point"), ParameterError, "needs 'probability'"),
        (lambda: Distribution(shape={"a": 1}), ParameterError, "has no parameter 'a'"),
        (lambda: Distribution(location=np.nan), ParameterError, "location of a distribution must be finite"),
        (
            lambda: strength_distribution(np.array([-1.0]), np.array([0.5])),
            ParameterError,
            "weights must be at least 0",
        ),
        (
            lambda: strength_distribution(np.array([1.0]), np.array([1.5])),
            ParameterError,
            r"probabilities must lie in \[0, 1\]",
        ),
        (
            lambda: expected_defence(random_game(12, 0).stage(invoked=True), method="exact"),
            ParameterError,
            "more than resolution=512",
        ),
        (
            lambda: expected_defence(random_game(2, 0).stage(invoked=True), method="fft"),
            ParameterError,
            "method must be one of",
        ),
    ],
)
def test_bad_input_is_named(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(4))
def test_known_costs_have_an_equilibrium_in_which_nobody_mixes(seed: int) -> None:
    """A potential game has one (Monderer and Shapley 1996)."""
    rng = np.random.default_rng(seed)
    members = tuple(
        Member(
            name=f"m{i}",
            capability=rng.uniform(0.5, 3),
            stake=rng.uniform(0.5, 2),
            cost=degenerate(rng.uniform(0.02, 0.2)),
        )
        for i in range(14)
    )
    game = ParticipationGame(members=members, attacks=(Attack(name="x", strength=9),), base=1, decisiveness=4)
    found = participation(game)
    assert any(set(e.profile.probabilities[0]) <= {0.0, 1.0} for e in found)
    for equilibrium in found:
        assert equilibrium.certificate.max_regret <= 1e-7


def test_a_game_shows_itself() -> None:
    game = replace(random_game(2, 0), members=(Member(name="<b>", capability=2.5), Member(name="c", stake=np.ones(3))))
    assert repr(game) == "ParticipationGame(2 members, attacks: full, rule: majority, batch (3,))"
    page = game._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<td>2.5</td>" in page
    assert "array of shape (3,)" in page


def test_a_search_that_gets_nowhere_says_what_it_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "deterrence.alliances.solving.participation.cutpoints_from", partial(cutpoints_from, iterations=0)
    )
    with pytest.raises(SolverError, match="no start out of 6 led to a cutpoint equilibrium") as caught:
        participation(random_game(5, 0), starts=6)
    assert caught.value.residual > 1e-6


# -- identical members who differ --------------------------------------------------------------------------------------


def substitutes(n: int, **changes: float) -> ParticipationGame:
    """Identical allies, each of whom comes iff the others are expected to stay away."""
    member = {"capability": 2.0, "stake": 1.5, "obligation": 0.3, "cost": uniform(0.9, 0.92), **changes}
    members = tuple(Member(name=f"m{i}", **member) for i in range(n))
    return ParticipationGame(members=members, attacks=(Attack(name="x", strength=2.1),), base=0.5, decisiveness=5)


def test_two_identical_allies_may_differ() -> None:
    """(1, 0), (0, 1) and (0.6848, 0.6848), from the best reply of one to the other on a fine grid."""
    found = participation(substitutes(2))
    assert found.complete
    comes = np.array([one.profile.probabilities[0] for one in found])
    assert len(comes) == 3
    for known in ((1, 0), (0, 1), (0.6848, 0.6848)):
        assert np.abs(comes - known).max(axis=1).min() < 1e-4
    grid = np.linspace(0, 1, 20_001)
    holds = [float(contest_success(0.5 + 2 * k, 2.1, 5)) for k in range(3)]

    def reply(p: np.ndarray) -> np.ndarray:
        cut = 1.5 * ((1 - p) * (holds[1] - holds[0]) + p * (holds[2] - holds[1])) + 0.3
        return np.clip((cut - 0.9) / 0.02, 0, 1)

    rest = grid - reply(reply(grid))
    changes = np.flatnonzero(rest[:-1] * rest[1:] <= 0)
    assert len(set(np.round(grid[changes], 2))) == 3


def test_likelihood_covers_the_response_of_identical_allies_who_differ() -> None:
    game = substitutes(2)
    found = participation(game)
    low, high = (found[k].probability("defence holds") for k in (0, -1))
    sides = [one.probability("defence holds") for one in found if np.ptp(one.profile.probabilities[0]) > 0.5]
    assert low <= min(sides) <= max(sides) <= high
    assert high - low > 1e-3


@pytest.mark.parametrize("n", [3, 4])
def test_more_identical_allies_who_may_differ_are_not_claimed_complete(n: int) -> None:
    """Of n allies one comes and the rest rely on it; each may be the one."""
    found = participation(substitutes(n))
    assert not found.complete
    comes = {tuple(np.round(one.profile.probabilities[0], 6)) for one in found}
    assert {tuple(np.eye(n)[i]) for i in range(n)} <= comes


def test_identical_allies_who_must_do_the_same_are_complete() -> None:
    """Complements: with decisive help from both together no ally comes alone."""
    found = participation(substitutes(3, stake=0.4, obligation=0.6, cost=normal(0.7, 0.4)))
    assert found.complete
    assert all(np.ptp(one.profile.probabilities, axis=1).max() < 1e-9 for one in found)


def equilibria_by_counts(n: int) -> list[tuple[int, int, float]]:
    """Equilibria of ``substitutes(n)`` in which k come for sure, m mix with p, the rest stay, by a grid of p."""
    holds = np.array([float(contest_success(0.5 + 2 * k, 2.1, 5)) for k in range(n + 1)])
    rise = np.diff(holds)

    def reply(come: int, mixing: int, p: np.ndarray) -> np.ndarray:
        """What a member does against so many others who come, and mix."""
        chances = np.stack([comb(mixing, j) * p**j * (1 - p) ** (mixing - j) for j in range(mixing + 1)])
        cut = 1.5 * (chances * rise[come : come + mixing + 1, None]).sum(axis=0) + 0.3
        return np.clip((cut - 0.9) / 0.02, 0, 1)

    grid = np.linspace(0, 1, 100_001)[1:-1]
    found = []
    for mix in range(n + 1):
        for come in range(n - mix + 1):
            rest = grid - reply(come, mix - 1, grid) if mix else np.zeros(2)
            for i in np.flatnonzero(rest[:-1] * rest[1:] <= 0)[: None if mix else 1]:
                p = grid[i : i + 1]
                comers = come == 0 or reply(come - 1, mix, p)[0] > 1 - 1e-3
                stayers = come + mix == n or reply(come, mix, p)[0] < 1e-3
                if comers and stayers:
                    found.append((come, mix, float(p[0]) if mix else 0.0))
    return found


@pytest.mark.parametrize("n", [2, 3, 4])
def test_identical_allies_who_come_stay_or_mix_are_found(n: int) -> None:
    found = participation(substitutes(n))
    comes = [np.sort(one.profile.probabilities[0])[::-1] for one in found]
    expected = equilibria_by_counts(n)
    assert {(come, mix) for come, mix, _ in expected} >= {(1, 0), (0, n)}
    for come, mix, p in expected:
        profile = np.concatenate([np.ones(come), np.full(mix, p), np.zeros(n - come - mix)])
        assert min(np.abs(one - profile).max() for one in comes) < 1e-3, (come, mix, p)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_batch_covers_what_single_games_find_of_identical_allies(n: int) -> None:
    """A sweep's range is that of the assessment of the same numbers; where it is not proven, it says so."""
    bases = np.array([0.3, 0.5, 0.8])
    games = [replace(substitutes(n), base=float(b)) for b in bases]
    batch = participation_batch(replace(substitutes(n), base=bases).stage("x", invoked=True))
    for k, game in enumerate(games):
        single = stage_equilibria(game.stage("x", invoked=True))
        assert batch.holds[0][k] == pytest.approx(single.holds.min(), abs=1e-9)
        assert batch.holds[1][k] == pytest.approx(single.holds.max(), abs=1e-9)
        assert batch.unique[k] <= (len(single.holds) == 1)
    assert not batch.unique.all()

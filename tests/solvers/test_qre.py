"""Logit quantal response: published values, limits, both sides of the batch, and the certificate."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg
from deterrence.games.play import action_values, bayes_beliefs, best_response_values, expected_payoffs, regrets
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.logit.branch import _crawl, follow
from deterrence.solvers.logit.equations import Equations
from deterrence.solvers.logit.order import plan_of
from deterrence.solvers.logit.profiles import LogitProfile
from deterrence.solvers.logit.rise import Path, _Extrapolation
from deterrence.solvers.logit.system import table_system, tree_system
from deterrence.solvers.qre import qre, qre_batch
from deterrence.solvers.qre_branches import qre_branch, qre_branches
from deterrence.solvers.verification.tree import verify_tree
from tests.textbook_trees import alliance, centipede, crisis, entry, horse, typed_tree
from tests.tree_strategies import trees

HYBRID_ATTACK = StrategicGame([[-1, 2], [0, 0]], [[0.5, -2], [-0.5, 0]])
SIGNORINO = [  # Signorino 1999; precision, then probabilities of attack, resist, fight
    (-0.6, 2.0, (0.51366286, 0.69164853, 0.35434369)),
    (-0.6, 0.0, (0.5, 0.5, 0.5)),
    (0.2, 5.0, (0.98886848, 0.12249712, 0.92414182)),
]


@pytest.mark.parametrize(("war", "precision", "expected"), SIGNORINO)
def test_strategic_deterrence_with_agent_error(war, precision, expected):
    game = crisis({"sq": 0, "win": 1, "back": -0.3, "war": war}, {"sq": 1, "win": 0.9, "war": -0.5, "yield": 0})
    solved = qre(game, precision=precision)
    (e,) = solved
    play = (
        e.strategies["A"]["start"]["attack"],
        e.strategies["D"]["attack"]["resist"],
        e.strategies["A"]["attack/resist"]["fight"],
    )
    assert play == pytest.approx(expected, abs=1e-7)
    assert solved.complete  # perfect information: unique


def test_mckelvey_and_palfrey_two_by_two():
    e = qre(HYBRID_ATTACK, precision=2.0)[0]
    assert e.strategies["Row"]["start"]["1"] == pytest.approx(0.36067763, abs=1e-8)
    assert e.strategies["Column"]["start"]["1"] == pytest.approx(0.76207071, abs=1e-8)


def test_the_branch_leads_to_the_nash_equilibrium():
    branch = qre_branch(HYBRID_ATTACK, regret=1e-9)
    row, column = branch.limit.mixed
    assert (row[0], column[0]) == pytest.approx((1 / 6, 2 / 3), abs=1e-7)
    assert branch.regret[-1] <= 1e-9
    assert branch.regret[0] > 0.1


def test_the_branch_of_the_horse_leads_to_the_sequential_outcome():
    branch = qre_branch(horse())
    assert branch.support[:2] == ("1 at start: C", "2 at C: c")


def test_branch_points_are_equilibria():
    solved = qre(horse(), branch=True)
    assert len(solved) > 5
    assert all(e.certificate.max_regret <= 1e-9 * solved.game.span for e in solved)
    assert solved[0].probability("D") == 0.5


@given(game=trees(players=3, nodes=14, depth=4))
def test_no_precision_means_uniform_play(game):
    for e in qre(game, precision=0.0):
        for s in game.infosets:
            assert np.allclose(e.profile.actions[s.slots], 1 / len(s.actions), atol=1e-15)


@given(game=trees(players=2, nodes=16, depth=4), precision=st.floats(0.01, 4.0))
def test_play_is_the_logit_response_to_itself(game, precision):
    e = qre(game, precision=precision)[0]
    values = action_values(game, e.profile.actions, bayes_beliefs(game, e.profile.actions))
    for s in game.infosets:
        mine = np.exp(precision * (values[s.slots] - values[s.slots].max()))
        assert np.allclose(e.profile.actions[s.slots], mine / mine.sum(), atol=1e-8)
    assert verify_tree(game, e).sequentially_rational
    assert sum(e.probability(lambda path, k=k: path == k) for k in set(game.topology.end_paths)) == pytest.approx(1)


@given(game=trees(players=3, nodes=14, depth=4))
def test_the_jacobian_is_the_derivative(game):
    system = tree_system(game)
    if not system.unknowns:
        return
    rng = np.random.default_rng(0)
    y, precision = rng.normal(size=system.unknowns), rng.uniform(0.5, 3, len(game.infosets))
    _residual, q, weights, beliefs, logs = system.residual(y, precision)
    analytic = system.jacobian(precision, q, weights, beliefs, logs)
    step = 1e-6
    numeric = np.stack(
        [
            (system.residual(y + step * e, precision)[0] - system.residual(y - step * e, precision)[0]) / (2 * step)
            for e in np.eye(system.unknowns)
        ],
        axis=-1,
    )
    assert np.allclose(analytic, numeric, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_backward_recursion_and_continuation_agree(seed):
    rng = np.random.default_rng(seed)
    game = centipede(5)
    game = ExtensiveGame.of(game.topology, game.chance, rng.normal(size=game.payoffs.shape))
    system = tree_system(game)
    traced = follow(
        system,
        (1.5 * system.scale)[system.layout.player] / (1.5 * system.scale).max(),
        until=float(1.5 * system.scale.max()),
    )
    assert np.allclose(np.exp(traced.logs[-1]), qre(game, precision=1.5)[0].profile.actions, atol=1e-9)


@settings(max_examples=15)
@given(game=trees(players=2, nodes=12, depth=3), scale=st.sampled_from([0.25, 3.0]), shift=st.integers(-5, 5))
def test_units_of_payoff_only_rescale_the_precision(game, scale, shift):
    other = ExtensiveGame.of(game.topology, game.chance, scale * game.payoffs + shift)
    one, two = qre(game, precision=1.0)[0], qre(other, precision=1.0 / scale)[0]
    assert np.allclose(one.profile.actions, two.profile.actions, atol=1e-8)


@pytest.mark.parametrize("precision", [1.0, {"A": 2.0, "B": 0.5}])
def test_batches_agree_with_single_games(precision):
    game = typed_tree(2, 2, 2, 0, zero_sum=False)
    rng = np.random.default_rng(1)
    batch = ExtensiveGame.of(game.topology, game.chance, rng.normal(size=(3, 5, *game.payoffs.shape)))
    solved = qre_batch(batch, precision=precision)
    assert not solved.failed.any()
    for index in ((0, 0), (2, 4), (1, 3)):
        single = qre(batch[index], precision=precision)[0]
        assert np.allclose(solved.actions[index], single.profile.actions, atol=1e-8)
        assert solved.probability("a0")[index] == pytest.approx(single.probability("a0"), abs=1e-8)


@settings(max_examples=15)
@given(game=trees(players=3, nodes=16, depth=4), seed=st.integers(0, 99), precision=st.floats(0.2, 3.0))
def test_batches_of_any_tree_agree_with_single_games(game, seed, precision):
    payoffs = np.random.default_rng(seed).normal(size=(3, *game.payoffs.shape))
    batch = ExtensiveGame.of(game.topology, game.chance, payoffs)
    solved = qre_batch(batch, precision=precision)
    for i in range(3):
        assert np.allclose(solved.actions[i], qre(batch[i], precision=precision)[0].profile.actions, atol=1e-8)


@pytest.mark.parametrize(
    "game", [typed_tree(2, 3, 2, 0, zero_sum=False), alliance(2), typed_tree(2, 2, 3, 0, zero_sum=True)]
)
def test_batches_stay_on_the_principal_branch(game):
    payoffs = np.random.default_rng(1).normal(size=(6, *game.payoffs.shape))
    batch = ExtensiveGame.of(game.topology, game.chance, payoffs)
    for precision in (0.0, 1.0, 3.0):
        solved = qre_batch(batch, precision=precision)
        assert not solved.failed.any()
        for i in range(6):
            single = qre(batch[i], precision=precision)[0].profile.actions
            assert np.allclose(solved.actions[i], single, atol=1e-8)
    assert np.allclose(qre_batch(batch, precision=0.0).actions, qre(batch[0], precision=0.0)[0].profile.actions)


@given(game=trees(players=3, nodes=18, depth=5))
def test_the_order_of_reckoning_leaves_no_circle(game):
    layout = tree_system(game).layout
    if not len(layout.free):
        return
    plan = plan_of(layout)
    assert sorted(plan.back) == list(range(len(layout.free)))
    known = {int(a) for a in (*plan.sure, *plan.layers[-1].first, *plan.layers[-1].free)}
    for layer in plan.layers[:-1]:
        assert {int(a) for a in (*layer.others.flat, *layer.above.flat)} <= known
        known |= {int(a) for a in (*layer.first, *layer.free)}
    assert len(known) == layout.count + 1


def test_a_batch_with_perfect_information_needs_no_iteration():
    game = centipede(4)
    batch = ExtensiveGame.of(game.topology, game.chance, game.payoffs + np.zeros((7, 1, 1)))
    assert np.allclose(qre_batch(batch, precision=2.0).actions, qre(game, precision=2.0)[0].profile.actions, atol=1e-12)


def test_other_equilibria_from_random_starts():
    solved = qre(StrategicGame(np.eye(2), np.eye(2)), precision=6.0, starts=40)
    assert len(solved) == 3
    assert not solved.complete
    assert np.allclose(solved[0].profile.mixed[0], 0.5)  # the principal branch stays at the symmetric point


def test_signaling_games_are_solved_as_trees():
    game = SignalingGame(
        ("hi", "lo"), ("x", "y"), ("a", "b"), [0.5, 0.5], np.arange(8.0).reshape(2, 2, 2), np.ones((2, 2, 2))
    )
    e = qre(game, precision=1.0)[0]
    assert e.strategies["Receiver"]["x"]["a"] == pytest.approx(0.5)


def test_the_certificate_notices_a_wrong_profile():
    solved = qre(horse(), precision=3.0)
    profile = solved[0].profile
    off = LogitProfile(
        np.full_like(profile.actions, 0.5),
        bayes_beliefs(horse(), np.full_like(profile.actions, 0.5)),
        precision=profile.precision,
    )
    assert verify_tree(solved.game, off).max_regret > 0.1
    assert not verify_tree(solved.game, off).sequentially_rational


def test_high_precision_comes_close_to_backward_induction():
    e = qre(entry(), precision=60.0)[0]
    assert e.probability("deal") == pytest.approx(1, abs=1e-9)


def test_a_short_fold_of_the_branch_is_not_stepped_over():
    rng = np.random.default_rng(11)
    for k in range(50):
        n = 2 + k % 3
        game = StrategicGame(rng.normal(size=(n, n)), rng.normal(size=(n, n)))
    branch = qre_branch(game, regret=1e-5)
    assert len(branch.turning) == 2  # the precision turns back by a hundredth near 10.4
    assert branch.precision[branch.turning[0]] == pytest.approx(10.4, abs=0.05)


def test_a_branch_without_choices_is_one_point():
    for game in (ExtensiveGame(("A",), end(A=1)), ExtensiveGame(("A",), move("A", {"only": end(A=1)}))):
        assert len(qre_branch(game).precision) == 1


@pytest.mark.parametrize("precision", [0.3, 3.0, 30.0])
def test_the_equations_along_a_branch_are_those_of_the_system(precision):
    system = tree_system(alliance(2))
    rng = np.random.default_rng(3)
    y, ratio = rng.normal(size=system.unknowns), rng.uniform(0.5, 1, len(system.layout.first))
    point, direction = np.r_[y, precision], rng.normal(size=system.unknowns + 1)
    equations = Equations(system, ratio)
    matrix, right = equations.bordered_system(point, direction)
    residual, q, weights, beliefs, logs = system.residual(y, precision * ratio)
    jacobian = system.jacobian(precision * ratio, q, weights, beliefs, logs)
    assert np.allclose(matrix[:-1, :-1], jacobian, atol=1e-11 * (1 + precision))
    assert np.allclose(right[:-1, 0], residual, atol=1e-11 * (1 + precision))
    assert equations.regret() == pytest.approx(float(system.regret(q, logs)), abs=1e-12)
    sign = Equations(system, ratio).step(point, direction)[2]
    assert sign == np.linalg.slogdet(matrix)[0]


def local_regret(game, profile):
    span = np.ptp(game.payoffs, axis=0)
    gains = regrets(game, profile.actions, profile.nodes)
    return max(g / span[s.player] for g, s in zip(gains, game.infosets, strict=True))


@pytest.mark.parametrize("zero_sum", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_limit_has_the_regret_that_it_claims(seed, zero_sum):
    game = typed_tree(2, 2, 2, seed, zero_sum=zero_sum).floats()
    span = np.ptp(game.payoffs, axis=0)
    branch = qre_branch(game, regret=1e-5)
    assert branch.regret[-1] == pytest.approx(local_regret(game, branch.limit), rel=1e-4, abs=1e-12)
    assert branch.regret[-1] <= 1e-5
    assert branch.regret[-2] > 1e-5
    plans = qre_branch(game, regret=1e-5, everywhere=False)
    left = (best_response_values(game, plans.limit.actions) - expected_payoffs(game, plans.limit.actions)) / span
    assert left.max() <= plans.regret[-1] + 1e-14 <= 1e-5 + 1e-14
    assert plans.precision[-1] <= 1.2 * branch.precision[-1]


@given(game=trees(players=2, nodes=16, depth=4))
def test_every_point_of_a_branch_solves_the_equations(game):
    branch = qre_branch(game, regret=1e-4)
    system = branch.trace.system
    for logs, precision in zip(branch.logs, branch.precision, strict=True):
        y = logs[system.layout.free] - logs[system.layout.against]
        residual = system.residual(y, precision * branch.trace.ratio)[0]
        assert np.abs(residual).max(initial=0.0) <= 1e-9 * (1 + precision)


def test_steps_of_precision_and_of_arclength_follow_one_branch():
    rng = np.random.default_rng(0)
    for _ in range(6):
        system = table_system(StrategicGame(rng.normal(size=(3, 3)), rng.normal(size=(3, 3))))
        ratio = np.ones(2)
        swift = follow(system, ratio, until=15.0)
        path = Path()
        path.add(0.0, np.zeros(system.unknowns), rough=False)
        assert _crawl(Equations(system, ratio), path, 15.0, 0.0, 10_000, 10_000) is None
        assert np.allclose(system.logs(path.odds[-1]), swift.last, atol=1e-9)


def test_plans_need_perfect_recall():
    forgetful = ExtensiveGame(
        ("A",),
        move(
            "A",
            {
                "l": move("A", {"x": end(A=1), "y": end(A=0)}, infoset="again"),
                "r": move("A", {"x": end(A=0), "y": end(A=2)}, infoset="again"),
            },
        ),
    )
    assert qre_branch(forgetful, regret=1e-3).regret[-1] <= 1e-3
    with pytest.raises(GameError, match="perfect recall"):
        qre_branch(forgetful, regret=1e-3, everywhere=False)


def test_a_player_without_precision_stays_uniform_on_the_branch():
    branch = qre_branch(HYBRID_ATTACK, precision={"Row": 1.0, "Column": 0.0}, regret=0.2)
    assert np.allclose(branch.limit.mixed[1], 0.5)


def test_a_larger_tree():
    branch = qre_branch(alliance(3), regret=1e-6)
    assert branch.regret[-1] <= 1e-6


def test_bad_requests():
    with pytest.raises(ParameterError, match="not negative, got -1"):
        qre(entry(), precision=-1)
    with pytest.raises(ParameterError, match="must name the players"):
        qre(entry(), precision={"E": 1.0, "X": 2.0})
    with pytest.raises(ParameterError, match="positive precision"):
        qre_branch(entry(), precision=0)
    game = entry()
    with pytest.raises(GameError, match="qre_batch"):
        qre(ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2)))


def hunt(hare):
    """Two hunters at once: 2 each for a stag, which takes both; the hare for whoever stays out."""

    def second(both, alone):
        return move("B", {"stag": end(A=both[0], B=both[1]), "hare": end(A=alone[0], B=alone[1])}, infoset="hunt")

    return ExtensiveGame(
        ("A", "B"), move("A", {"stag": second((2, 2), (0, hare)), "hare": second((hare, 0), (hare, hare))})
    )


@pytest.mark.parametrize("hare", [1.2, 1.5])
def test_a_branch_off_the_principal_one_turns_where_a_scalar_equation_says(hare):
    principal, other = qre_branches(hunt(hare), precision=20.0)
    assert principal.principal
    assert principal.limits[0].probability("stag") == pytest.approx(0, abs=1e-4)
    assert not other.principal
    assert [e.strategies["A"]["start"]["stag"] for e in other.limits] == pytest.approx([1, hare / 2], abs=1e-4)
    assert all(e.certificate.sequentially_rational for e in (*principal.limits, *other.limits))
    # both play alike: log-odds y = precision (2 p - hare) with p = 1 / (1 + e^-y); the fold is where precision is least
    fold = minimize_scalar(lambda y: y / (2 / (1 + np.exp(-y)) - hare), bounds=(np.log(hare / (2 - hare)) + 0.1, 20))
    assert len(other.turning) == 1
    assert other.folds[0] * other.rates[0] == pytest.approx(fold.fun, rel=1e-6)
    assert other.precision.min() >= other.folds[0]


def test_the_sexes_do_battle_on_a_branch_that_crosses_the_principal_one():
    battle = StrategicGame([[2, 0], [0, 1]], [[1, 0], [0, 2]])
    principal, other = qre_branches(battle, precision=4.0)
    assert [m[0] for m in principal.limits[0].profile.mixed] == pytest.approx([2 / 3, 1 / 3], abs=1e-4)
    ends = {tuple(round(float(m[0]), 6) for m in e.profile.mixed) for e in other.limits}
    assert ends == {(1.0, 1.0), (0.0, 0.0)}

    def crossing(precision):  # where each player responds to the other's log-odds as strongly as it is responded to
        y = brentq(lambda y: y - precision * (3 / (1 + np.exp(y)) - 1), -9, 9, xtol=1e-14)
        return precision * 3 / (1 + np.exp(y)) / (1 + np.exp(-y)) - 1

    assert len(other.turning) == 1
    assert other.folds[0] * other.rates[0] == pytest.approx(brentq(crossing, 0.5, 5), rel=1e-5)


def test_no_other_branch_where_the_precision_is_below_its_turning_point():
    assert len(qre_branches(hunt(1.2), precision=3.4)) == 1
    assert len(qre_branches(hunt(1.2), precision=3.5)) == 2


def test_points_of_a_branch_that_folds_are_no_branches_of_their_own():
    rng = np.random.default_rng(11)
    for k in range(50):
        n = 2 + k % 3
        game = StrategicGame(rng.normal(size=(n, n)), rng.normal(size=(n, n)))
    principal = qre_branch(game, regret=1e-5)
    low, high = sorted(principal.folds)
    rate = float((low + high) / 2) * principal.rates[0]  # the principal branch has three points there
    scale = {p: float(r / principal.rates[0]) for p, r in zip(game.players, principal.rates, strict=True)}
    found = qre_branches(game, precision={p: rate * s for p, s in scale.items()}, regret=1e-5, starts=20)
    assert [b.principal for b in found].count(True) == 1
    lowest = [float(b.precision.min()) for b in found[1:]]
    assert lowest == sorted(lowest)
    ends = [tuple(np.concatenate(e.profile.mixed).round(3)) for b in found for e in b.limits]
    assert len(set(ends)) == len(ends)  # no limit is reached twice


@settings(max_examples=10)
@given(game=trees(players=2, nodes=14, depth=4), precision=st.floats(2.0, 12.0))
def test_every_point_of_every_branch_solves_the_equations(game, precision):
    for branch in qre_branches(game, precision=precision, regret=1e-3, starts=6):
        for logs, common in zip(branch.logs, branch.precision, strict=True):
            system = branch.trace.system
            y = logs[system.layout.free] - logs[system.layout.against]
            residual = system.residual(y, common * branch.trace.ratio)[0]
            assert np.abs(residual).max(initial=0.0) <= 1e-9 * (1 + common)
        assert branch.regret[-1] <= 1e-3
        assert branch.principal or branch.regret[0] <= 1e-3


def test_one_player_without_precision_does_not_make_the_others_equilibrium_unique():
    """Two players coordinate at a high precision; a third, whose payoffs are nothing, plays anything."""
    both = np.zeros((2, 2, 2, 3))
    both[0, 0, :, :2] = both[1, 1, :, :2] = 1
    game = StrategicGame(*np.moveaxis(both, -1, 0))
    rates = {name: (0.0 if i == 2 else 6.0) for i, name in enumerate(game.players)}
    solved = qre(game, precision=rates, starts=40)
    assert len(solved) == 3
    assert not solved.complete
    assert qre(game, precision=0.0).complete  # everyone plays uniformly, whatever the others do


def test_uniqueness_is_claimed_only_where_nobody_or_everybody_is_known_to_be_unique():
    """One player of precision 0 plays evenly; the two others may still coordinate in several ways."""
    payoffs = np.zeros((2, 2, 2, 3))
    for k in range(2):
        payoffs[k, k, :, :2] = 1.0
    game = StrategicGame(payoffs)
    rates = {"Player 1": 50.0, "Player 2": 50.0, "Player 3": 0.0}
    solved = qre(game, rates, starts=20)
    assert len(solved) >= 3
    assert not solved.complete
    assert qre(game, 0.0).complete
    assert not qre(game, 1.0).complete


def test_the_precision_may_stand_second():
    game = StrategicGame([[2.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 2.0]])
    assert np.array_equal(qre(game, 2.0)[0].profile.mixed[0], qre(game, precision=2.0)[0].profile.mixed[0])


def test_a_player_that_meets_its_information_set_twice_is_refused_by_name():
    game = read_efg(pathlib.Path(__file__).parents[1] / "data" / "efg" / "absent.efg")
    for solve in (qre, qre_branch):
        with pytest.raises(GameError, match=r"D meets information set .* twice, at 'start' and 'B'"):
            solve(game)


def test_points_of_a_branch_that_coincide_are_extrapolated_in_a_straight_line():
    y, slope = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    once, twice = _Extrapolation(3.0, y, slope), _Extrapolation(3.0, y, slope)
    once.add(4.0, y, slope)
    once.add(4.0, y, slope)
    twice.add(4.0, y, slope)
    assert once(4.0) == pytest.approx(y)
    assert once(5.0) == pytest.approx(y + slope)
    assert twice(4.0) == pytest.approx(y)

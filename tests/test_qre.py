"""Logit quantal response: published values, limits, both sides of the batch, and the certificate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textbook_trees import alliance, centipede, crisis, entry, horse, typed_tree
from tree_strategies import trees

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import action_values, bayes_beliefs
from deterrence.games.signaling import SignalingGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.logit.branch import follow
from deterrence.solvers.logit.equations import Equations
from deterrence.solvers.logit.system import tree_system
from deterrence.solvers.qre import LogitProfile, qre, qre_batch, qre_branch
from deterrence.solvers.verification.tree import verify_tree

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
    matrix, right, regret = Equations(system, ratio).bordered(point, direction)
    residual, q, weights, beliefs, logs = system.residual(y, precision * ratio)
    jacobian = system.jacobian(precision * ratio, q, weights, beliefs, logs)
    assert np.allclose(matrix[:-1, :-1], jacobian, atol=1e-11 * (1 + precision))
    assert np.allclose(right[:-1, 0], residual, atol=1e-11 * (1 + precision))
    assert regret == pytest.approx(float(system.regret(q, logs)), abs=1e-12)
    sign = Equations(system, ratio).step(point, direction)[2]
    assert sign == np.linalg.slogdet(matrix)[0]


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

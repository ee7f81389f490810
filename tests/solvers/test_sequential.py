"""Sequential equilibria: textbook answers, agreement with perfect Bayesian on signaling games, and witnesses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import reach
from deterrence.games.quantities import as_float
from deterrence.games.signaling import SignalingGame
from deterrence.games.tree import chance, end, move
from deterrence.solvers.algebra.multilinear import Multilinear, all_roots
from deterrence.solvers.nash import nash
from deterrence.solvers.pbe import pbe
from deterrence.solvers.sequential import sequential
from deterrence.solvers.trees.consistency import tremble_witness
from deterrence.solvers.verification.tree import verify_tree
from tests.textbook_trees import alliance, chain_store, entry, horse, outside_option
from tests.tree_strategies import signaling_trees, trees

BEER_QUICHE = SignalingGame(
    types=("strong", "weak"),
    messages=("beer", "quiche"),
    responses=("duel", "not"),
    prior=["9/10", "1/10"],
    sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
    receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
)


def witnesses_hold(game, solved, epsilon=1e-9):
    """The trembles of every vertex generate its beliefs."""
    decided = np.flatnonzero(game.topology.owner >= 0)
    for e in solved if len(decided) else ():
        for vertex in e.vertices:
            believed = np.asarray(vertex.nodes, dtype=float)[decided]
            assert np.abs(vertex.witness.beliefs(game, epsilon)[decided] - believed).max() < 1e-6
            assert (
                np.abs(vertex.witness.strategies(game, epsilon) - np.asarray(vertex.actions, dtype=float)).max() < 1e-6
            )
            assert (vertex.witness.strategies(game, epsilon) > 0).all()


def test_the_horse_has_one_sequential_outcome():
    solved = sequential(horse())
    assert solved.complete
    assert {e.kind for e in solved} == {"C, c"}
    low, high = solved.probability("L")
    assert (low, high) == (0, 0)  # C, c: the third player's move is not reached
    left = [v.actions[horse().infoset("3", "3").first] for e in solved for v in e.vertices]
    assert max(left) == pytest.approx(0.25)
    assert all(e.payoffs == {"1": 1, "2": 1, "3": 1} for e in solved)
    witnesses_hold(solved.game, solved)


def test_weak_consistency_keeps_the_nash_equilibrium_out_too_if_it_is_not_optimal():
    assert {e.kind for e in sequential(horse(), consistency="weak")} == {"C, c"}


def test_weak_beliefs_can_be_inconsistent():
    """Kreps and Wilson 1982, figure 5: beliefs after a deviation cannot depend on what the deviator does not know."""

    def third(name, pay):
        return move("C", {"l": end(A=0, B=0, C=pay[0]), "r": end(A=0, B=0, C=pay[1])}, infoset=name)

    # A stays out; if in, two sets of C follow the same two nodes; consistency forces equal odds in both
    def inside(pay):
        return move("B", {"x": third("after x", pay), "y": third("after y", pay)}, infoset="B")

    game = ExtensiveGame(
        ("A", "B", "C"), move("A", {"out": end(A=1, B=0, C=0), "in": inside((1, 0)), "on": inside((0, 1))})
    )
    weak, full = sequential(game, consistency="weak"), sequential(game)
    assert full.complete
    c_x, c_y = (game.infoset("C", f"after {a}") for a in "xy")

    def opposite(solved):
        return any(
            v.actions[c_x.first] == 1
            and v.actions[c_y.first + 1] == 1
            and v.nodes[c_x.nodes[0]] > 0.6
            and v.nodes[c_y.nodes[0]] < 0.4
            for e in solved
            for v in e.vertices
        )

    assert opposite(weak)
    assert not opposite(full)
    witnesses_hold(game, full)


def test_beer_and_quiche_exactly():
    solved = sequential(BEER_QUICHE, exact=True)
    assert solved.complete
    assert all(e.certificate.exact and e.certificate.max_regret == 0 for e in solved)
    assert {e.kind for e in solved} == {"beer, not, beer", "quiche, not, quiche"}
    witnesses_hold(solved.game, solved)


def _vectors(game, strategies, beliefs):
    sender, receiver = strategies[game.players[0]], strategies[game.players[1]]
    parts = [sender[t][m] for t in game.types for m in game.messages]
    parts += [receiver[m][r] for m in game.messages for r in game.responses]
    parts += [beliefs[m].get(f"{t}/{m}", beliefs[m].get(t)) for m in game.messages for t in game.types]
    return np.array(parts, dtype=float)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 2), (2, 3, 2), (2, 2, 3)])
def test_signaling_games_agree_with_perfect_bayesian(shape, ties):
    rng = np.random.default_rng(5)
    for _ in range(6):
        t, m, r = shape
        weights = rng.integers(1, 5, t)
        game = SignalingGame(
            [f"t{i}" for i in range(t)], [f"m{i}" for i in range(m)], [f"r{i}" for i in range(r)],
            [f"{w}/{weights.sum()}" for w in weights],
            rng.integers(0, 4 if ties else 90, shape).tolist(), rng.integers(0, 4 if ties else 90, shape).tolist(),
        ).floats()  # fmt: skip
        bayesian, trees_ = pbe(game), sequential(game)
        ours = [
            np.array([_vectors(game, v.strategies(trees_.game), v.beliefs(trees_.game)) for v in e.vertices])
            for e in trees_
        ]
        theirs = [np.array([_vectors(game, v.strategies(game), v.beliefs(game)) for v in e.vertices]) for e in bayesian]
        assert trees_.complete
        assert len(ours) == len(theirs)
        for component in theirs:
            assert any(
                len(mine) == len(component) and all(np.abs(mine - v).max(axis=1).min() < 1e-7 for v in component)
                for mine in ours
            )


@pytest.mark.parametrize(("delta", "b", "a"), [(0.3, 0.5, 2.0), (0.1, 0.5, 2.0), (0.45, 0.6, 1.5)])
def test_chain_store_with_two_challengers(delta, b, a):
    """Kreps and Wilson 1982: the weak defender fights the first challenger so as to leave the second in doubt."""
    solved = sequential(chain_store(2, delta, b, a))
    assert solved.complete
    outcomes = {
        (
            round(float(e.strategies["challenger 2"]["sees 2"]["in"]), 6),
            round(float(e.strategies["defender"]["weak 2"]["fight"]), 6),
        )
        for e in solved
    }
    fight = 1.0 if delta >= b else round(delta * (1 - b) / ((1 - delta) * b), 6)
    enter = 1.0 if delta < b**2 else 0.0
    assert (enter, fight) in outcomes
    assert {enter} == {o[0] for o in outcomes}
    witnesses_hold(solved.game, solved)


def reputation(game, challengers, delta, b, a):
    """Kreps and Wilson's equilibrium, with thresholds b^k while k challengers are left: strategies and beliefs."""
    actions, beliefs = np.zeros(game.topology.action_count), np.ones(game.topology.size)
    for s in game.infosets:
        history = s.name.removeprefix("sees ").removeprefix("weak ")
        seen, left = history[:-1], int(history[-1])
        p = delta
        for met, k in zip(seen, range(challengers, 0, -1), strict=False):
            p = {"O": p, "F": max(p, b ** (k - 1)) if p else 0.0, "C": 0.0}[met]  # who yielded once is weak
        if s.name.startswith("sees"):
            # out with probability 1/a where it is indifferent
            first = 1.0 if p < b**left - 1e-12 else 0.0 if p > b**left + 1e-12 else 1 - 1 / a  # in
            if len(s.nodes) > 1:
                beliefs[list(s.nodes)] = [1 - p, p]
        else:
            goal = b ** (left - 1)
            first = 0.0 if left == 1 else 1.0 if p >= goal else p * (1 - goal) / ((1 - p) * goal)  # fight
        actions[s.slots] = first, 1 - first
    return actions, beliefs


@pytest.mark.parametrize(
    ("n", "delta", "b", "a"), [(3, 0.3, 0.5, 2.0), (3, 0.1, 0.5, 2.0), (5, 0.1, 0.5, 2.0), (4, 0.2, 0.6, 1.5)]
)
def test_chain_stores_with_more_challengers_have_the_closed_form_as_equilibrium(n, delta, b, a):
    """Kreps and Wilson 1982: no challenge while delta > b^k with k challengers left, the first one at delta < b^k."""
    game = chain_store(n, delta, b, a)
    actions, beliefs = reputation(game, n, delta, b, a)
    certificate = verify_tree(game, BehaviorProfile(actions, beliefs))
    assert certificate.sequentially_rational
    assert certificate.max_belief_error < 1e-12
    witness = tremble_witness(game, actions, beliefs)
    assert witness is not None
    inner = game.topology.owner >= 0
    assert np.abs(witness.beliefs(game, 1e-9)[inner] - beliefs[inner]).max() < 1e-6
    reached = reach(game, actions)
    challenged = dict.fromkeys(range(1, n + 1), 0.0)
    for s in game.infosets:
        if s.name.startswith("sees"):
            challenged[int(s.name[-1])] += float(reached[list(s.nodes)].sum() * actions[s.first])
    threshold = max(k for k in range(n + 1) if delta <= b**k)
    assert [challenged[k] for k in range(n, threshold, -1)] == [0.0] * (n - threshold)
    assert challenged[threshold] == pytest.approx(1)
    if (n, delta, b) == (5, 0.1, 0.5):  # k* = 3
        assert [challenged[k] for k in (3, 2, 1)] == pytest.approx([1, 0.8, 0.95])


def test_a_threshold_off_by_one_is_no_equilibrium():
    game = chain_store(3, 0.3, 0.5, 2.0)
    actions, beliefs = reputation(game, 3, 0.3, 0.5, 2.0)
    first = next(s for s in game.infosets if s.name == "sees 3")
    actions[first.slots] = 1, 0  # in, though delta > b^3
    assert not verify_tree(game, BehaviorProfile(actions, beliefs)).sequentially_rational


@pytest.mark.parametrize("rare", [1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("seed", [0, 2, 7, 21])
def test_types_may_be_as_rare_as_one_likes(rare, seed):
    """A rare sender type: as many equilibria in floats as in rationals, each certified and with its trembles."""
    rng = np.random.default_rng(seed)

    def sent(kind):
        def reply(message):
            u = rng.integers(0, 9, (2, 2))
            ends = {x: end(S=int(u[0, k]), R=int(u[1, k])) for k, x in enumerate("fy")}
            return move("R", ends, infoset=message)

        return move("S", {m: reply(m) for m in "ab"}, infoset=kind)

    game = ExtensiveGame(("S", "R"), chance({"usual": (1 - rare, sent("usual")), "rare": (rare, sent("rare"))}))
    solved, exact = sequential(game), sequential(game, exact=True)
    assert len(solved) == len(exact) > 0
    assert solved.game.kind == "float"
    for e, other in zip(solved, exact, strict=True):
        assert np.abs(e.profile.actions - as_float(other.profile.actions)).max() < 1e-12
        assert verify_tree(game, e).sequentially_rational
    witnesses_hold(solved.game, solved, epsilon=rare**3)  # trembles are rarer still


def test_rationals_find_what_floats_find_where_coefficients_vanish():
    """A receiver who is indifferent off the path mixes from 2/3 on; zeros among the conditions once hid that."""
    sent = {
        "n": {"a": ((1, 3), (7, 0)), "b": ((3, 5), (7, 1))},
        "r": {"a": ((0, 6), (6, 6)), "b": ((7, 6), (5, 8))},
    }
    types = {
        t: move("S", {m: move("R", {x: end(S=u, R=v) for x, (u, v) in zip("fy", uv, strict=True)}, infoset=m)
                      for m, uv in rows.items()}, infoset=t)
        for t, rows in sent.items()
    }  # fmt: skip
    game = ExtensiveGame(("S", "R"), chance({"n": ("0.999", types["n"]), "r": ("0.001", types["r"])}))
    solved = sequential(game, exact=True)
    assert len(solved) == len(sequential(game)) == 2
    mixed = {v.actions[2] for e in solved for v in e.vertices}
    assert mixed == {1, Fraction(2, 3)}


def test_forward_induction_is_more_than_sequential_equilibrium():
    kinds = {e.kind for e in sequential(outside_option())}
    assert "in, top, top" in kinds
    assert "out, bottom, bottom" not in kinds  # the path of play does not show what follows "in"
    assert {round(float(e.payoffs["A"]), 6) for e in sequential(outside_option())} == {2, 3}


@settings(max_examples=25)
@given(game=trees(players=2, nodes=10, depth=3))
def test_every_equilibrium_is_certified_and_explained_by_trembles(game):
    solved = sequential(game)
    assert len(solved) > 0
    witnesses_hold(game, solved)
    for e in solved:
        assert verify_tree(game, e, 1e-8).sequentially_rational


@settings(max_examples=12)
@given(game=trees(players=3, nodes=8, depth=3))
def test_three_players_are_certified_too(game):
    solved = sequential(game)
    witnesses_hold(game, solved)
    assert all(verify_tree(game, e, 1e-8).sequentially_rational for e in solved)


@settings(max_examples=20)
@given(game=trees(players=2, nodes=9, depth=3, payoffs=st.integers(-300, 300)))
def test_credible_nash_equilibria_are_sequential(game):
    solved = sequential(game)
    payoffs = [tuple(float(v) for v in e.payoffs.values()) for e in solved]
    for e in nash(game):
        if e.isolated and e.kind == "sequential":
            mine = tuple(float(v) for v in e.payoffs.values())
            assert any(np.allclose(mine, other, atol=1e-6) for other in payoffs)


@settings(max_examples=15)
@given(game=trees(players=2, nodes=9, depth=3, payoffs=st.integers(-300, 300)))
def test_pure_equilibria_are_those_of_the_full_search(game):
    full = sequential(game)
    pure = sequential(game, pure=True)
    mine = {tuple(np.round(e.profile.actions, 6)) for e in pure}
    for e in full:
        if e.isolated and set(np.round(e.profile.actions, 9)) <= {0.0, 1.0}:
            assert tuple(np.round(e.profile.actions, 6)) in mine
    witnesses_hold(game, pure)


@settings(max_examples=10)
@given(game=signaling_trees(types=2, messages=2, receiver_types=1))
def test_relabelling_changes_nothing(game):
    root = game.root
    mirrored = ExtensiveGame(tuple(reversed(game.players)), root)
    one, other = sequential(game), sequential(mirrored)
    assert len(one) == len(other)
    assert sorted(round(float(e.payoffs["Sender"]), 6) for e in one) == sorted(
        round(float(e.payoffs["Sender"]), 6) for e in other
    )


def test_alliance_all_pure_equilibria():
    game = alliance(3)
    pure = sequential(game, pure=True)
    assert pure.complete
    assert len(pure) >= 1
    for e in pure:
        attack = e.strategies["A"]["start"]["attack"]
        assert attack == (e.payoffs["A"] > 0 or attack)
        assert e.certificate.max_regret <= 1e-9
    full = [e for e in sequential(alliance(2)) if set(np.round(e.profile.actions, 9)) <= {0.0, 1.0}]
    assert len(full) == len(sequential(alliance(2), pure=True))


def test_entry_keeps_only_the_credible_equilibrium():
    assert [e.kind for e in sequential(entry())] == ["enter, accommodate"]


def test_beliefs_that_no_tremble_explains_are_refused():
    game = horse()
    actions = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])  # C, L; then c is missing: d for sure
    first = game.infoset("1", "start")
    assert first.actions == ("D", "C")
    actions = np.zeros(game.topology.action_count)
    for player, name, action in (("1", "start", "C"), ("2", "C", "d"), ("3", "3", "L")):
        s = game.infoset(player, name)
        actions[s.first + s.actions.index(action)] = 1
    beliefs = np.ones(game.topology.size)
    third = game.infoset("3", "3")
    beliefs[list(third.nodes)] = (1.0, 0.0)  # but the node after C, d is reached for sure
    assert tremble_witness(game, actions, beliefs) is None
    beliefs[list(third.nodes)] = (0.0, 1.0)
    assert tremble_witness(game, actions, beliefs) is not None


def test_roots_in_the_unit_box_are_all_found():
    # (x - 1/4)(y - 1/2) = 0 and (x - 3/4)(y - 1/8) = 0, as multilinear polynomials: roots (1/4, 1/8), (3/4, 1/2)
    one = {frozenset((0, 1)): 1.0, frozenset((0,)): -0.5, frozenset((1,)): -0.25, frozenset(): 0.125}
    two = {frozenset((0, 1)): 1.0, frozenset((0,)): -0.125, frozenset((1,)): -0.75, frozenset(): 0.09375}
    found = all_roots(Multilinear([one, two], 2), Multilinear([], 2), np.random.default_rng(0))
    assert found.proven
    assert sorted(tuple(np.round(r, 9)) for r in found.roots) == [(0.25, 0.125), (0.75, 0.5)]


def test_bad_requests():
    with pytest.raises(ParameterError, match="consistency must be 'full' or 'weak', got 'some'"):
        sequential(entry(), consistency="some")
    game = entry()
    with pytest.raises(GameError, match="index the batch"):
        sequential(ExtensiveGame.of(game.topology, game.chance, np.stack([game.payoffs] * 2)))
    some = sequential(horse(), limit=2)
    assert len(some) >= 1  # pure equilibria, the last resort
    assert not some.complete
    assert "supports in which" in some.options["unsearched"][0]
    forgetful = move("A", {x: move("A", {"u": end(A=0), "v": end(A=1)}, infoset="later") for x in "xy"})
    with pytest.raises(GameError, match="perfect recall"):
        sequential(ExtensiveGame(("A",), chance({"only": (1, forgetful)})))

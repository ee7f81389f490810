"""Certificates of trees: regrets against a search through all plans, and the work that they take."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import bayes_beliefs, node_values
from deterrence.games.topology import CHANCE
from deterrence.games.tree import chance, end, move
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.spe import spe
from deterrence.solvers.verification.excuses import is_excused
from deterrence.solvers.verification.plans import TreeShape
from deterrence.solvers.verification.tree import plan_regrets, subgame_verdict, verify_tree
from tests.textbook_trees import alliance, horse, kuhn_poker, typed_tree
from tests.tree_strategies import trees


def random_profile(game, seed, sure=0.3):
    """Mixed and pure play, some of it leaving sets out."""
    rng = np.random.default_rng(seed)
    actions = np.zeros(game.topology.action_count)
    for s in game.infosets:
        weights = rng.dirichlet(np.ones(len(s.actions)))
        actions[s.slots] = np.eye(len(s.actions))[rng.integers(len(s.actions))] if rng.random() < sure else weights
    return actions


def all_plans(game, actions, player):
    """The profile with every pure plan of one player in it."""
    mine = [s for s in game.infosets if s.player == player]
    for chosen in product(*(range(len(s.actions)) for s in mine)):
        changed = actions.copy()
        for s, k in zip(mine, chosen, strict=True):
            changed[s.slots] = np.eye(len(s.actions))[k]
        yield changed


@given(game=trees(players=2, nodes=14, depth=4, actions=2), seed=st.integers(0, 10**6))
def test_regrets_are_those_of_a_search_through_all_plans(game, seed):
    """Beliefs are anything at all: later ones need not follow from earlier ones."""
    actions = random_profile(game, seed)
    rng = np.random.default_rng(seed)
    bayes = bayes_beliefs(game, actions)
    beliefs = np.zeros(game.topology.size)
    for s in game.infosets:
        nodes = list(s.nodes)
        known = rng.random() < 0.5 and not np.isnan(bayes[nodes[0]])
        beliefs[nodes] = bayes[nodes] if known else rng.dirichlet(np.ones(len(nodes)))
    worst = 0.0
    played = node_values(game, actions)
    for s in game.infosets:
        nodes = list(s.nodes)
        for changed in all_plans(game, actions, s.player):
            gain = node_values(game, changed)[nodes, s.player] - played[nodes, s.player]
            worst = max(worst, float(beliefs[nodes] @ gain))
    certificate = verify_tree(game, BehaviorProfile(actions, beliefs))
    assert certificate.max_regret == pytest.approx(worst, abs=1e-9)
    exact = verify_tree(game.exact(), BehaviorProfile(actions, beliefs))  # floats in an exact game are held as floats
    assert exact.max_regret == pytest.approx(worst, abs=1e-9)


@given(game=trees(players=2, nodes=14, depth=4, actions=2), seed=st.integers(0, 10**6))
def test_regrets_of_whole_plans_and_in_subgames_are_those_of_a_search(game, seed):
    actions = random_profile(game, seed)
    played = node_values(game, actions)
    roots = [r for r in range(game.topology.size) if game.topology.owner[r] >= CHANCE and _closed(game, r)]
    gains = np.zeros((2, len(roots)))
    for i, player in enumerate(gains):
        for changed in all_plans(game, actions, i):
            np.maximum(player, (node_values(game, changed) - played)[roots, i], out=player)
    profile = BehaviorProfile(actions)
    assert plan_regrets(game, profile) == pytest.approx(gains[:, 0], abs=1e-9)
    assert subgame_verdict(game, profile, 1e-9)[0] == pytest.approx(gains.max(), abs=1e-9)
    assert verify_tree(game, profile).max_regret == pytest.approx(gains[:, 0].max(), abs=1e-9)


def _closed(game, root):
    """Whether a subgame begins at a node, by the definition."""
    below, stack = set(), [root]
    while stack:
        node = stack.pop()
        below.add(node)
        stack += game.topology.children[node]
    sets = [set(s.nodes) for s in game.infosets]
    return all(s <= below or not s & below for s in sets) and not any(root in s and len(s) > 1 for s in sets)


@pytest.mark.parametrize("game", [kuhn_poker(), horse(), alliance(3), typed_tree(2, 2, 4, 0, zero_sum=True)], ids=repr)
def test_a_plan_takes_one_look_at_every_edge(game):
    shape = TreeShape(game)
    for player in range(len(game.players)):
        looked = [
            int(node) for p in shape.phases(player) for part in (p.own, *(e for e, _ in p.steps)) for node in part
        ]
        assert sorted(looked) == list(range(1, game.topology.size))


def long_chain(moves):
    node = end(A=0, B=0)
    for k in reversed(range(moves)):
        node = move("AB"[k % 2], {"stop": end(A=k % 2, B=(k + 1) % 2), "on": node})
    return ExtensiveGame(("A", "B"), node)


def test_a_chain_of_thousands_of_moves_is_certified_in_a_pass_a_player(monkeypatch):
    game = long_chain(3000)
    actions = np.zeros(game.topology.action_count)
    actions[[s.first for s in game.infosets]] = 1.0  # stop at once: A gets 0, and would get 1 if B let it
    passes, best = [], TreeShape.best_values
    monkeypatch.setattr(TreeShape, "best_values", lambda *a: passes.append(a[1]) or best(*a))
    certificate = verify_tree(game, BehaviorProfile(actions, np.ones(game.topology.size)))
    assert passes == [0, 1]
    assert certificate.max_regret == 1  # going on once is answered by a stop that pays 1
    assert not certificate.sequentially_rational
    passes.clear()
    assert subgame_verdict(game, BehaviorProfile(actions), 1e-9) == (1, False)
    assert passes == [0, 1]


def test_large_zero_sum_trees_are_looked_into_beyond_the_path():
    """6,885 nodes: regrets of plans, subgames and beliefs off the path are all part of the certificate."""
    game = typed_tree(9, 4, 3, 0, zero_sum=True)
    assert game.topology.size > 6_000
    solved = sequence_form(game)[0]
    assert solved.certificate.max_regret < 1e-7 * game.span
    assert plan_regrets(game, solved.profile) == pytest.approx([0, 0], abs=1e-7 * game.span)


def test_a_threat_that_no_belief_excuses_is_found_in_a_nash_equilibrium():
    """Three actions off the path: the middle one is best for no belief, though at each node something else is."""
    off = [
        move("B", {a: end(A=u, B=v) for a, u, v in zip("lmr", (-1, -1, -1), pays, strict=True)}, infoset="B")
        for pays in ((2, 0, 1), (0, 0, 1))
    ]
    game = ExtensiveGame(("A", "B"), move("A", {"x": off[0], "y": off[1], "out": end(A=0, B=5)}))
    for planned, credible in ((0, True), (1, False), (2, True)):
        actions = np.array([0, 0, 1.0, *np.eye(3)[planned]])
        certificate = verify_tree(game, BehaviorProfile(actions))
        assert certificate.max_regret == 0
        assert certificate.sequentially_rational is credible


def test_beliefs_are_found_by_a_program_where_looking_does_not_settle():
    """Play is best at the even belief only: no node alone excuses it, nor do two actions."""
    gains = {(0, 0): 0.0, (0, 1): 1.0, (0, 2): -1.0, (1, 0): 0.0, (1, 1): -1.0, (1, 2): 1.0}
    nodes, slots = np.array(list(gains)).T
    values = np.array(list(gains.values()))
    assert is_excused(np.zeros(6, dtype=int), nodes, slots, values, 100)
    assert not is_excused(np.zeros(6, dtype=int), nodes, slots, values + 0.1 * (slots == 1), 100)
    assert not is_excused(np.zeros(6, dtype=int), nodes, slots, values, 5)  # not looked for: not shown


def test_plans_need_recall():
    driver = ExtensiveGame(
        ("A",),
        move("A", {"off": end(A=0), "on": move("A", {"off": end(A=4), "on": end(A=1)}, infoset="x")}, infoset="x"),
    )
    with pytest.raises(GameError, match="a certificate of plans needs perfect recall"):
        verify_tree(driver, BehaviorProfile(np.array([0.5, 0.5])))


def entry(war, offset=0.0):
    """Fighting is a war that costs both; yielding pays the entrant 2 and the incumbent 1."""
    reply = move("I", {"fight": end(E=offset - 1, I=offset + war), "yield": end(E=offset + 2, I=offset + 1)})
    return ExtensiveGame(("E", "I"), move("E", {"out": end(E=offset, I=offset + 2), "attack": reply}))


@pytest.mark.parametrize("war", [-3e9, -1e15, -1e300])
def test_a_wrong_profile_of_a_tree_fails_however_large_the_war(war):
    """The entrant stays out though the incumbent would yield: 2 lost, next to nothing beside the war."""
    for beliefs in (None, np.array([1, 0, 1.0, 0, 0])):
        certificate = verify_tree(entry(war), BehaviorProfile(np.array([1, 0, 0, 1.0]), beliefs))
        assert certificate.max_regret == 2
        assert not certificate.sequentially_rational
        assert not certificate.equilibrium
        good = verify_tree(entry(war), BehaviorProfile(np.array([0, 1.0, 0, 1]), beliefs))
        assert good.equilibrium
        assert good.sequentially_rational


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e12, 1e15])
def test_a_constant_added_to_payoffs_excuses_nothing_in_a_tree(offset):
    """Deterrence by a threat that is carried out: an equilibrium, not a credible one."""
    threat = verify_tree(entry(-1.0, offset), BehaviorProfile(np.array([1.0, 0, 1, 0])))
    assert threat.equilibrium
    assert not threat.sequentially_rational


def gamble(size):
    """A sure 1 against a lottery whose mean is 1, or a little less; its prizes are large."""
    nature = chance({"win": (0.5, end(A=size + 2)), "lose": (0.5, end(A=-size))})
    return ExtensiveGame(("A",), move("A", {"sure": end(A=1), "gamble": nature}))


def test_rounding_of_a_lottery_is_told_from_a_gain():
    """At stakes of 1e15 floats add with errors of 0.1; the exact mean is 1, so that both choices are best."""
    for size in (1.0, 1e9, 1e15):
        assert verify_tree(gamble(size), BehaviorProfile(np.array([1.0, 0]))).equilibrium
        assert verify_tree(gamble(size), BehaviorProfile(np.array([0, 1.0]))).equilibrium
    worse = ExtensiveGame(
        ("A",),
        move(
            "A",
            {
                "sure": end(A=1),
                "bad": end(A=0.5),
                "gamble": chance({"w": (0.5, end(A=1e15)), "l": (0.5, end(A=-1e15))}),
            },
        ),
    )
    assert not verify_tree(worse, BehaviorProfile(np.array([0, 1.0, 0]))).equilibrium


@pytest.mark.parametrize("power", [-9, -3, 3, 12])
def test_units_and_constants_do_not_change_a_verdict(power):
    verdicts = set()
    for seed in range(4):
        game = typed_tree(2, 2, 2, seed, zero_sum=False).floats()
        whole = np.rint(game.payoffs * 4)  # ties among them
        plain = ExtensiveGame.of(game.topology, game.chance, whole)
        moved = ExtensiveGame.of(
            game.topology, game.chance, np.array([[float(f"{int(x) + 10**6}e{power}") for x in row] for row in whole])
        )
        profile = BehaviorProfile(random_profile(game, seed, sure=0.9))
        one, other = verify_tree(plain, profile), verify_tree(moved, profile)
        assert (one.equilibrium, one.sequentially_rational) == (other.equilibrium, other.sequentially_rational)
        sequential_play = spe(plain)[0].profile
        assert verify_tree(moved, BehaviorProfile(sequential_play.actions)).equilibrium
        verdicts.add(one.equilibrium)
    assert verdicts == {False}

"""Changes of form keep what they must: payoffs, events, beliefs, and equilibria."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.forms.subgames import truncate
from deterrence.games.play import bayes_beliefs, expected_payoffs, node_values, regrets
from deterrence.games.quantities import symbols
from deterrence.games.reductions import (
    fold_back,
    prune_dominated,
    signaling_to_tree,
    subgame_at,
    subgame_roots,
    subgames,
    to_sequence_form,
    to_signaling,
    to_strategic,
)
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.strategic import MixedProfile
from deterrence.games.tree import chance, end, move
from tests.tree_strategies import behaviors, signaling_trees, trees

few = settings(max_examples=40, deadline=None)


def pure_profiles(game):
    """Yield every pure behaviour profile, shape (A,)."""
    for picks in product(*(range(len(s.actions)) for s in game.infosets)):
        behavior = np.zeros(game.topology.action_count)
        for s, i in zip(game.infosets, picks, strict=True):
            behavior[s.first + i] = 1
        yield behavior


def pure_subgame_perfect(game):
    """Return all pure subgame-perfect equilibria of a game of perfect information, by trying every profile."""
    beliefs = np.ones(game.topology.size)
    return {tuple(b) for b in pure_profiles(game) if (regrets(game, b, beliefs) <= 1e-9).all()}


def crisis(p, w, late=0):
    def posture(cost, seen):
        return move(
            "Aggressor",
            infoset=seen,
            actions={
                "refrain": end("peace", Patron=-cost, Aggressor=0),
                "attack": move(
                    "Patron",
                    {
                        "defend": chance(
                            {
                                "win": (0.5, end("war", Patron=w, Aggressor=-2)),
                                "lose": (0.5, end("war", Patron=w - 1, Aggressor=0)),
                            }
                        ),
                        "abandon": end("fait accompli", Patron=-2 + late, Aggressor=1),
                    },
                ),
            },
        )

    def patron(cost):
        return move("Patron", {"tripwire": posture(cost, "sees forces"), "nothing": posture(0, "sees nothing")})

    return ExtensiveGame(
        ("Patron", "Aggressor"), chance({"resolute": (p, patron(0)), "irresolute": (1 - p, patron(1))})
    )


# -- signaling ---------------------------------------------------------------------------------


def random_profile(game, rng):
    T, Q, M, R = game.shape
    sender = rng.dirichlet(np.full(M, 0.5), size=T)
    receiver = rng.dirichlet(np.full(R, 0.5), size=(Q, M))
    mass = game.receiver_view.astype(float).T[:, None, :] * sender.T[None]
    return SignalingProfile(sender, receiver, mass / mass.sum(axis=-1, keepdims=True))


@few
@given(tree=signaling_trees(), seed=st.integers(0, 99))
def test_signaling_form_has_the_payoffs_events_and_beliefs_of_the_tree(tree, seed):
    if fold_back(tree).ties and any(
        s.actions == ("fight", "yield") and s.key in fold_back(tree).ties for s in tree.infosets
    ):
        with pytest.raises(GameError, match="indifferent"):
            to_signaling(tree)
        return
    reduction = to_signaling(tree)
    profile = random_profile(reduction.game, np.random.default_rng(seed))
    lifted = reduction.lift(profile)
    assert lifted.payoffs(tree) == pytest.approx(profile.payoffs(reduction.game), abs=1e-12)
    for event in tree.event_names:
        assert lifted.probability(tree, event) == pytest.approx(profile.probability(reduction.game, event), abs=1e-12)
    bayes = bayes_beliefs(tree, lifted.actions)
    for s in tree.infosets:
        nodes = list(s.nodes)
        if not np.isnan(bayes[nodes]).any():
            assert lifted.nodes[nodes] == pytest.approx(bayes[nodes], abs=1e-12)
    movers = regrets(tree, lifted.actions, lifted.nodes)
    last = [i for i, s in enumerate(tree.infosets) if s.actions == ("fight", "yield")]
    assert movers[last] == pytest.approx(0, abs=1e-12)


@few
@given(tree=signaling_trees(last_mover=False, exact=True))
def test_signaling_form_and_tree_are_one_game(tree):
    game = to_signaling(tree).game
    again = to_signaling(signaling_to_tree(game)).game
    assert game.kind == again.kind == "exact"
    for key in ("U", "V", "joint_prior"):
        assert (getattr(game, key) == getattr(again, key)).all()
    assert (game.types, game.messages, game.responses, game.players) == (
        again.types,
        again.messages,
        again.responses,
        again.players,
    )


def test_batch_of_trees_is_the_batch_of_their_signaling_forms():
    p, w = symbols("p w")
    game = crisis(p, w)
    at = {"p": np.linspace(0.1, 0.9, 7), "w": np.array([-4, -2.5, -1.5, -1.0, 0, 1, 2.0])}
    batch = to_signaling(game.at(**at))
    assert batch.game.batch_shape == (7,)
    assert batch.degenerate.tolist() == [False, False, True, False, False, False, False]  # w - 1/2 = -2
    for i in np.flatnonzero(~batch.degenerate):
        single = to_signaling(game.at(**{k: float(v[i]) for k, v in at.items()})).game
        for event in single.event_names:
            assert np.broadcast_to(batch.game.event_weights(event), (7, *single.shape))[i] == pytest.approx(
                single.event_weights(event)
            )
        assert pytest.approx(single.U) == batch.game[i].U
        assert pytest.approx(single.V) == batch.game[i].V
        assert batch.game[i].joint_prior == pytest.approx(single.joint_prior)


def test_batch_lift_is_the_lift_of_each_game():
    w = symbols("w")
    game = crisis(0.25, w)
    batch = to_signaling(game.at(w=np.array([-4.0, 1.0])))
    rng = np.random.default_rng(1)
    profiles = [random_profile(batch.game[i], rng) for i in range(2)]
    stacked = SignalingProfile(
        *(np.stack([getattr(x, name) for x in profiles]) for name in ("sender", "receiver", "posterior"))
    )
    lifted = batch.lift(stacked)
    for i, value in enumerate((-4.0, 1.0)):
        alone = to_signaling(game.at(w=value)).lift(profiles[i])
        assert lifted.actions[i] == pytest.approx(alone.actions)
        assert lifted.nodes[i] == pytest.approx(alone.nodes)


def test_identical_games_stay_a_batch():
    game = ExtensiveGame.of(
        crisis(0.5, -4.0).topology, crisis(0.5, -4.0).chance, np.stack([crisis(0.5, -4.0).payoffs] * 3)
    )
    assert to_signaling(game).game.batch_shape == (3,)


def test_parameters_stay_where_no_folded_choice_depends_on_them():
    p, w = symbols("p w")
    assert to_signaling(crisis(p, -5)).game.parameters == ("p",)
    with pytest.raises(GameError, match="depends on the parameters"):
        to_signaling(crisis(p, w))


def test_a_tie_of_the_last_mover_is_refused():
    with pytest.raises(GameError, match="Patron is indifferent"):
        to_signaling(crisis(Fraction(1, 2), Fraction(-3, 2)))


def test_types_messages_and_last_movers_keep_their_names():
    game = to_signaling(crisis(0.5, -5.0)).game
    assert game.types == ("resolute", "irresolute")
    assert game.messages == ("tripwire", "nothing")
    assert game.players == ("Patron", "Aggressor")
    assert {"war", "defend", "win", "fait accompli", "peace"} <= set(game.events)


def test_states_that_nobody_tells_apart_are_averaged():
    def sender(u):
        return move(
            "S",
            {m: move("R", {"a": end(S=u, R=1), "b": end(S=0, R=u)}, infoset=m) for m in "xy"},
            infoset="S",
        )

    tree = ExtensiveGame(("S", "R"), chance({"rain": (Fraction(1, 4), sender(4)), "sun": (Fraction(3, 4), sender(8))}))
    reduction = to_signaling(tree)
    assert reduction.game.shape == (1, 1, 2, 2)
    assert reduction.game.U[0, 0, 0, 0] == 7
    half = np.full((1, 2), Fraction(1, 2), dtype=object)
    profile = SignalingProfile(
        half, np.full((1, 2, 2), Fraction(1, 2), dtype=object), np.full((1, 2, 1), Fraction(1), dtype=object)
    )
    lifted = reduction.lift(profile)
    assert [lifted.nodes[n] for n in tree.infosets[1].nodes] == [Fraction(1, 4), Fraction(3, 4)]
    assert lifted.payoffs(tree) == profile.payoffs(reduction.game)


def leaf():
    return end(S=0, R=0)


def reply(infoset=None, actions=("a", "b")):
    return move("R", {a: leaf() for a in actions}, infoset=infoset)


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (leaf(), "may end at 'start' before the sender moves"),
        (move("S", {"m": leaf(), "n": reply()}), "nobody responds"),
        (move("S", {"m": reply("m"), "n": reply("n", ("a", "c"))}), "responses at 'm' and at 'n' differ"),
        (move("S", {"m": reply("same"), "n": reply("same")}), "does not tell all messages apart"),
        (move("S", {"m": move("S", {"x": reply(), "y": reply()})}), "S moves twice in a row"),
        (
            chance(
                {
                    "t": (0.5, move("S", {"m": reply("m"), "n": reply("n")})),
                    "u": (0.5, move("S", {"m": reply("m")})),
                }
            ),
            "messages at",
        ),
        (
            chance(
                {
                    "t": (0.5, move("S", {"m": reply("m")})),
                    "u": (0.5, move("R", {"m": move("S", {"a": leaf()})})),
                }
            ),
            "two players move first",
        ),
        (
            chance({"t": (0.5, move("S", {"m": reply("m")})), "u": (0.5, move("S", {"m": reply("m2")}))}),
            "some pair of types cannot occur together",
        ),
        (
            move(
                "S",
                {
                    "m": move(
                        "R",
                        {
                            "a": move("S", {"x": leaf(), "y": leaf()}, infoset="late"),
                            "b": move("S", {"x": leaf(), "y": leaf()}, infoset="late"),
                        },
                    )
                },
            ),
            "is not settled",
        ),
    ],
)
def test_other_shapes_are_refused_with_the_reason(root, why):
    with pytest.raises(GameError, match=why):
        to_signaling(ExtensiveGame(("S", "R"), root))


def test_differing_priors_are_no_tree():
    game = SignalingGame(
        ("s", "w"),
        ("m", "n"),
        ("a", "b"),
        [0.5, 0.5],
        np.zeros((2, 2, 2)),
        np.zeros((2, 2, 2)),
        sender_prior=[0.1, 0.9],
    )
    with pytest.raises(GameError, match="sender_prior differs from prior"):
        signaling_to_tree(game)


def test_information_sets_of_a_signaling_tree_are_named_by_types_and_messages():
    game = SignalingGame(
        ("s", "w"), ("m", "n"), ("a", "b"), np.full((2, 2), 0.25), np.zeros((2, 2, 2)), np.ones((2, 2, 2)),
        ("calm", "bold"),
        events={"war": [[[1, 0], [1, 0]], [[1, 0], [1, 0]]]},
    )  # fmt: skip
    tree = signaling_to_tree(game)
    assert {s.name for s in tree.infosets} == {"s", "w", "m | calm", "m | bold", "n | calm", "n | bold"}
    assert set(tree.topology.end_labels) == {"war", None}


# -- folding back and pruning ------------------------------------------------------------------


@few
@given(game=trees(players=3, depth=3, nodes=14, perfect_information=True))
def test_folding_back_keeps_the_subgame_perfect_equilibria(game):
    reduction = fold_back(game)
    assume(game.topology.action_count <= 22)
    lifted = {tuple(reduction.lift(BehaviorProfile(np.array(b))).actions) for b in pure_subgame_perfect(reduction.game)}
    assert lifted == pure_subgame_perfect(game)


@few
@given(game=trees(players=2, depth=3, nodes=14, perfect_information=True))
def test_pruning_keeps_the_subgame_perfect_equilibria(game):
    reduction = prune_dominated(game)
    assume(game.topology.action_count <= 22)
    lifted = {tuple(reduction.lift(BehaviorProfile(np.array(b))).actions) for b in pure_subgame_perfect(reduction.game)}
    assert lifted == pure_subgame_perfect(game)


@few
@given(data=st.data(), game=trees(players=3, depth=4, nodes=25))
def test_a_folded_game_pays_what_the_tree_does(data, game):
    for reduction in (fold_back(game), prune_dominated(game)):
        behavior = data.draw(behaviors(reduction.game))
        beliefs = np.where(
            np.isnan(bayes_beliefs(reduction.game, behavior)), 0, bayes_beliefs(reduction.game, behavior)
        )
        lifted = reduction.lift(BehaviorProfile(behavior, beliefs))
        assert expected_payoffs(game, lifted.actions) == pytest.approx(
            expected_payoffs(reduction.game, behavior), abs=1e-9
        )
        for s in game.infosets:
            assert lifted.actions[s.slots].sum() == pytest.approx(1)
        bayes = bayes_beliefs(game, lifted.actions)
        on_path = ~np.isnan(bayes)
        assert lifted.nodes[on_path] == pytest.approx(bayes[on_path], abs=1e-9)


def test_ties_are_left_standing_and_named():
    tied = move("A", {"l": end(A=1, B=0), "r": end(A=1, B=5)}, infoset="tie")
    clear = move("A", {"l": end("war", A=1, B=0), "r": end(A=0, B=5)}, infoset="clear")
    game = ExtensiveGame(("A", "B"), move("B", {"x": tied, "y": clear}))
    reduction = fold_back(game)
    assert reduction.ties == ("tie",)
    assert [s.name for s in reduction.game.infosets] == ["start", "tie"]
    assert "war" in reduction.game.topology.end_labels


def test_a_difference_below_the_tolerance_is_a_tie_but_not_in_an_exact_game():
    tiny = Fraction(1, 10**12)
    root = move("A", {"l": end(A=1 + tiny), "r": end(A=1), "s": end(A=0)})
    game = ExtensiveGame(("A",), root)
    assert fold_back(game.floats()).ties == ("start",)
    assert fold_back(game).lift(BehaviorProfile(np.zeros(0, dtype=object))).actions.tolist() == [1, 0, 0]


def test_a_dominated_threat_is_pruned_at_an_information_set():
    def target(x):
        return move("B", {"yield": end(A=x, B=3), "fight": end(A=0, B=1), "spite": end(A=-9, B=0)}, infoset="B")

    game = ExtensiveGame(("A", "B"), move("A", {"l": target(1), "r": target(2)}))
    reduction = prune_dominated(game)
    assert [s.actions for s in reduction.game.infosets] == [
        ("l", "r"),
        ("yield",),
    ] or reduction.game.infosets[0].actions == ("r",)
    lifted = reduction.lift(BehaviorProfile(np.ones(reduction.game.topology.action_count)))
    assert lifted.strategies(game)["B"]["B"] == {"yield": 1, "fight": 0, "spite": 0}


# -- subgames ----------------------------------------------------------------------------------


@few
@given(game=trees(players=2, depth=4, nodes=30))
def test_subgames_are_the_closed_parts_of_the_tree(game):
    topology = game.topology

    def below(root):
        return {n for n in range(topology.size) if root in line(n)}

    def line(n):
        return [] if n < 0 else [n, *line(topology.parent[n])]

    expected = []
    for root in range(topology.size):
        inside = below(root)
        alone = topology.owner[root] == -1 or (
            topology.owner[root] >= 0 and len(topology.infosets[topology.infoset[root]].nodes) == 1
        )
        if alone and all(set(s.nodes) <= inside or not set(s.nodes) & inside for s in topology.infosets):
            expected.append(root)
    assert list(subgame_roots(game)) == expected
    assert [part.game.topology.size for part in subgames(game)] == [len(below(root)) for root in expected]


@few
@given(data=st.data(), game=trees(players=2, depth=4, nodes=30))
def test_a_subgame_has_the_values_of_its_root(data, game):
    behavior = data.draw(behaviors(game))
    values = node_values(game, behavior)
    for part in subgames(game):
        mine = behavior[part.carving.action_slots]
        assert expected_payoffs(part.game, mine) == pytest.approx(values[part.root], abs=1e-9)
        cut, carving = truncate(game, {part.root: values[part.root]})
        assert expected_payoffs(cut, behavior[carving.action_slots]) == pytest.approx(values[0], abs=1e-9)


def test_no_subgame_begins_inside_an_information_set():
    game = ExtensiveGame(("S", "R"), move("S", {"m": reply("same"), "n": reply("same")}))
    assert subgame_roots(game) == (0,)
    with pytest.raises(GameError, match="no subgame begins at 'm'"):
        subgame_at(game, 1)


# -- strategic and sequence form ---------------------------------------------------------------


@few
@given(game=trees(players=3, depth=3, nodes=18, exact=True), seed=st.integers(0, 99))
def test_strategic_form_pays_what_the_tree_does(game, seed):
    reduction = to_strategic(game)
    rng = np.random.default_rng(seed)
    mixed = []
    for n in reduction.game.shape:
        parts = rng.integers(0, 3, size=n) + (np.arange(n) == rng.integers(n))
        mixed.append(np.array([Fraction(int(x), int(parts.sum())) for x in parts], dtype=object))
    profile = MixedProfile(tuple(mixed))
    lifted = reduction.lift(profile)
    assert lifted.payoffs(game.exact()) == profile.payoffs(reduction.game)
    for s in game.infosets:
        assert lifted.actions[s.slots].sum() == 1


def test_reduced_strategies_leave_out_what_they_prevent():
    later = move("A", {"c": end(A=0, B=0), "d": end(A=1, B=1)}, infoset="later")
    game = ExtensiveGame(
        ("A", "B"),
        move("A", {"out": end(A=0, B=0), "in": move("B", {"l": later, "r": end(A=2, B=2)})}, infoset="first"),
    )
    strategic = to_strategic(game).game
    assert strategic.strategies == (("first: out", "first: in; later: c", "first: in; later: d"), ("l", "r"))


def test_strategic_form_has_limits():
    game = ExtensiveGame(("S", "R"), move("S", {m: reply() for m in "abcdefgh"}))
    with pytest.raises(GameError, match="8 x 256 reduced strategies, more than 1,000 cells"):
        to_strategic(game, limit=1000)
    forgetful = move("A", {x: move("A", {"c": end(A=0), "d": end(A=1)}, infoset="later") for x in "ab"})
    with pytest.raises(GameError, match="perfect recall"):
        to_strategic(ExtensiveGame(("A",), forgetful))


@few
@given(data=st.data(), game=trees(players=2, depth=4, nodes=30))
def test_sequence_form_pays_what_the_tree_does(data, game):
    form = to_sequence_form(game)
    behavior = data.draw(behaviors(game))
    x, y = form.plans(behavior)
    for plan, constraint, total in zip((x, y), form.constraints, form.totals, strict=True):
        assert constraint @ plan == pytest.approx(total, abs=1e-12)
    values = expected_payoffs(game, behavior)
    assert [x @ (table @ y) for table in form.payoffs] == pytest.approx(list(values), abs=1e-9)
    assert expected_payoffs(game, form.behavior(x, y).actions) == pytest.approx(values, abs=1e-9)


def test_sequence_form_is_for_two_players_with_recall():
    with pytest.raises(GameError, match="for two players, got 1"):
        to_sequence_form(ExtensiveGame(("A",), move("A", {"c": end(A=0)})))
    forgetful = move("A", {x: move("A", {"c": end(A=0, B=0), "d": end(A=1, B=0)}, infoset="later") for x in "ab"})
    with pytest.raises(GameError, match="perfect recall"):
        to_sequence_form(ExtensiveGame(("A", "B"), forgetful))

"""Pictures: well-formed, complete, escaped, and without texts on top of each other."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.behavior import BehaviorProfile
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.play import bayes_beliefs, reach
from deterrence.games.quantities import symbols
from deterrence.games.reductions import to_signaling
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.games.tree import chance, end, move
from deterrence.plotting.signaling import signaling_svg
from deterrence.plotting.trees import tree_svg
from tests.legibility import NASTY, SVG, assert_legible, parsed, texts
from tests.tree_strategies import behaviors, signaling_trees, trees

few = settings(max_examples=40, deadline=None)


def with_beliefs(game, behavior):
    return BehaviorProfile(behavior, np.nan_to_num(bayes_beliefs(game, behavior)))


@few
@given(data=st.data(), game=trees(players=3, depth=4, nodes=40))
def test_no_text_overlaps_another(data, game):
    assert_legible(tree_svg(game))
    assert_legible(tree_svg(game, with_beliefs(game, data.draw(behaviors(game)))))


@settings(max_examples=15, deadline=None)
@given(tree=signaling_trees(messages=2, receiver_types=1, last_mover=False), seed=st.integers(0, 9))
def test_no_text_overlaps_another_in_the_two_sided_picture(tree, seed):
    game = to_signaling(tree).game
    T, Q, M, R = game.shape
    rng = np.random.default_rng(seed)
    profile = SignalingProfile(
        rng.dirichlet(np.ones(M), T), rng.dirichlet(np.ones(R), (Q, M)), rng.dirichlet(np.ones(T), (Q, M))
    )
    for svg in (signaling_svg(game), signaling_svg(game, profile)):
        assert_legible(svg)
        assert {*game.messages, *game.responses} <= {t.split(" ")[0] for t in texts(svg)}


@few
@given(game=trees(players=2, depth=4, nodes=30))
def test_every_end_shows_what_each_player_gets(game):
    svg = tree_svg(game)
    shown = texts(svg)
    ends = [label for label in game.topology.end_labels if label]
    for label in set(ends):
        assert shown.count(label) == ends.count(label)
    numbers = [f"{x:.4g}".replace("-", "−") for x in game.payoffs.ravel()]
    assert all(shown.count(n) >= numbers.count(n) for n in set(numbers))
    labels = [game.topology.labels[s] for s in game.topology.slot[1:]]
    heads = [t.split(" ")[0] for t in shown]
    assert all(heads.count(label) >= labels.count(label) for label in set(labels))


@few
@given(data=st.data(), game=trees(players=2, depth=3, nodes=20))
def test_the_width_of_a_line_is_the_probability_of_play(data, game):
    behavior = data.draw(behaviors(game))
    svg = tree_svg(game, BehaviorProfile(behavior))
    lines = [
        p
        for p in parsed(svg).iter(f"{SVG}path")
        if re.fullmatch(r"M\S+ [^LH ]+(L\S+ [^H ]+|H[^H ]+)H[^H ]+", p.get("d"))
    ]
    nodes = range(1, game.topology.size)
    assert len(lines) == len(nodes)
    reached = reach(game, behavior)
    for node, line in zip(nodes, lines, strict=True):
        slot = game.topology.slot[node]
        if slot < game.topology.action_count:
            assert float(line.get("stroke-width")) == pytest.approx(0.9 + 3.6 * behavior[slot], abs=0.006)
        assert (line.get("stroke-opacity") is None) == (reached[node] > 0)


def test_mixtures_and_beliefs_stand_in_the_picture():
    def reply(x):
        return move("R", {"a": end(S=x, R=0), "b": end(S=0, R=x)}, infoset="dark")

    game = ExtensiveGame(("S", "R"), move("S", {"m": reply(1), "n": reply(2)}))
    behavior = np.array([0.25, 0.75, 1.0, 0.0])
    shown = texts(tree_svg(game, with_beliefs(game, behavior)))
    assert {"m 0.25", "n 0.75", "R [0.25]", "dark", "R [0.75]"} <= set(shown)
    dashed = [p for p in parsed(tree_svg(game)).iter(f"{SVG}path") if p.get("stroke-dasharray")]
    assert len(dashed) == 1


def test_symbols_are_shown():
    p, w = symbols("p w")
    game = ExtensiveGame(("A",), chance({"yes": (p, end("war", A=2 * w**2 - 0.1)), "no": (1 - p, end(A=0))}))
    shown = texts(tree_svg(game))
    assert {"yes (p)", "no (1 − p)", "2·w^2 − 0.1"} <= set(shown)


def test_a_batch_shows_ranges():
    w = symbols("w")
    game = ExtensiveGame(("A",), move("A", {"l": end(A=w), "r": end(A=0)})).at(w=np.array([-1.0, 2.0]))
    assert {"-1…2", "0"} <= set(texts(tree_svg(game)))


def test_labels_are_escaped():
    game = ExtensiveGame(
        (NASTY, "B"),
        move(NASTY, {NASTY: end(NASTY, {NASTY: 1, "B": 0}), "r": end(None, {NASTY: 0, "B": 0})}, infoset=NASTY),
        title=NASTY,
    )
    svg = tree_svg(game)
    assert "<script" not in svg
    root = parsed(svg)  # well-formed: no control characters either
    assert 'alert("x")' in root.find(f"{SVG}title").text
    pictured = SignalingGame(
        (NASTY, "w"),
        (NASTY, "n"),
        (NASTY, "b"),
        [0.5, 0.5],
        np.zeros((2, 2, 2)),
        np.zeros((2, 2, 2)),
        players=(NASTY, "R"),
    )
    assert "<script" not in signaling_svg(pictured)
    parsed(signaling_svg(pictured))


def test_pictures_speak_to_screen_readers_and_follow_the_theme():
    game = ExtensiveGame(("A",), move("A", {"l": end(A=1), "r": end(A=0)}), title="choice")
    root = parsed(tree_svg(game))
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text == "choice: game tree of A, 3 nodes"
    assert root.get("fill") == "currentColor"
    assert not {"#000", "#000000", "black", "white"} & {e.get("fill") for e in root.iter()} | {
        e.get("stroke") for e in root.iter()
    } & {"black"}
    assert tree_svg(game) in game._repr_html_()
    assert game._repr_svg_() == tree_svg(game, themed=False)


def test_a_long_label_is_cut_and_told_in_a_tooltip():
    label = "a very long description of an action that nobody would print"
    svg = tree_svg(ExtensiveGame(("A",), move("A", {"l": end(label, A=1), "r": end(A=0)})))
    assert any(t.endswith("…") for t in texts(svg))
    assert label in [t.text for t in parsed(svg).iter(f"{SVG}title")]


def test_a_large_tree_is_cut():
    def grow(d):
        return end(A=d, B=0) if d == 9 else move("AB"[d % 2], {"l": grow(d + 1), "r": grow(d + 1)})

    game = ExtensiveGame(("A", "B"), grow(0))
    svg = tree_svg(game, most_ends=70)
    assert sum("more nodes" in t for t in texts(svg)) == 64
    assert_legible(svg)
    assert len(game._repr_svg_()) < 200_000


def test_a_game_that_is_one_end_is_drawn():
    assert "3" in texts(tree_svg(ExtensiveGame(("A",), end("over", A=3))))


def test_an_absent_minded_player_is_drawn():
    game = ExtensiveGame(
        ("A",),
        move("A", {"on": move("A", {"on": end(A=1), "off": end(A=4)}, infoset="x"), "off": end(A=0)}, infoset="x"),
    )
    assert_legible(tree_svg(game))


def test_a_profile_of_another_game_is_refused():
    game = ExtensiveGame(("A",), move("A", {"l": end(A=1), "r": end(A=0)}))
    with pytest.raises(GameError, match="not the shape of this tree, which has 2 actions"):
        tree_svg(game, BehaviorProfile(np.ones(3)))
    pictured = SignalingGame(("s",), ("m", "n"), ("a", "b"), [1.0], np.zeros((1, 2, 2)), np.zeros((1, 2, 2)))
    with pytest.raises(GameError, match="not the shape of this game"):
        signaling_svg(pictured, SignalingProfile(np.ones((2, 2)), np.ones((1, 2, 2)), np.ones((1, 2, 2))))


def test_more_messages_or_receiver_types_are_drawn_as_a_tree():
    rng = np.random.default_rng(0)
    game = SignalingGame(
        ("s", "w"), ("m", "n", "o"), ("a", "b"), np.full((2, 2), 0.25), rng.integers(0, 9, (2, 3, 2)),
        rng.integers(0, 9, (2, 3, 2)),
        ("calm", "bold"), sender_prior=np.array([[0.5, 0.0], [0.25, 0.25]]),
    )  # fmt: skip
    profile = SignalingProfile(np.full((2, 3), 1 / 3), np.full((2, 3, 2), 0.5), np.full((2, 3, 2), 0.5))
    svg = signaling_svg(game, profile)
    assert_legible(svg)
    assert {"m 0.333", "calm (0.5)"} <= set(texts(svg))
    with pytest.raises(GameError, match="index it first"):
        signaling_svg(SignalingGame(("s",), ("m", "n"), ("a", "b"), [1.0], np.zeros((4, 1, 2, 2)), np.zeros((1, 2, 2))))

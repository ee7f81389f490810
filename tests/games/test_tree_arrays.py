"""Trees from arrays: the same game as from nodes, and what cannot be one is refused by node."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

import deterrence as dt
from deterrence.games.topology import depth_of
from tests.textbook_trees import entry, horse, kuhn_poker, outside_option
from tests.tree_strategies import trees

SMALL = {
    "parent": [-1, 0, 1, 1, 0, 4, 4],
    "mover": [-1, 0, -2, -2, 0, -2, -2],
    "infoset": [0, 3, 0, 0, 3, 0, 0],
    "labels": ["", "hot", "a", "b", "cold", "a", "b"],
    "payoffs": [[1], [2], [3], [4]],
    "probability": [1, 0.25, 0, 0, 0.75, 0, 0],
}


def as_arrays(game: dt.ExtensiveGame) -> dict[str, object]:
    """Write a game as arrays, read off its nodes alone."""
    shape = game.topology
    slots = [*range(shape.size)]
    chance = [0.0] * shape.size
    for node in slots[1:]:
        if shape.owner[shape.parent[node]] == -1:
            chance[node] = game.chance[shape.slot[node] - shape.action_count]
    return {
        "parent": shape.parent, "mover": shape.owner, "infoset": shape.infoset,
        "labels": ["", *(shape.labels[shape.slot[node]] for node in slots[1:])],
        "payoffs": game.payoffs, "probability": chance, "end_labels": shape.end_labels,
    }  # fmt: skip


def assert_rebuilt(game: dt.ExtensiveGame) -> None:
    again = dt.ExtensiveGame.from_arrays(game.players, **as_arrays(game))
    shape, known = again.topology, game.topology
    for name in ("parent", "slot", "owner", "infoset", "terminal"):
        np.testing.assert_array_equal(getattr(shape, name), getattr(known, name), err_msg=name)
    assert (shape.labels, shape.end_labels, shape.chance_sets) == (known.labels, known.end_labels, known.chance_sets)
    assert [(s.player, s.actions, s.nodes, s.first) for s in shape.infosets] == [
        (s.player, s.actions, s.nodes, s.first) for s in known.infosets
    ]
    np.testing.assert_array_equal(again.chance, game.chance)
    np.testing.assert_array_equal(again.payoffs, game.payoffs)


@pytest.mark.parametrize("tree", [entry, horse, kuhn_poker, outside_option])
def test_textbook_trees_are_the_same_from_arrays(tree):
    assert_rebuilt(tree().floats())


@given(game=trees())
def test_any_tree_is_the_same_from_arrays(game):
    assert_rebuilt(game.floats())


@given(game=trees())
def test_an_event_that_is_a_label_happens_where_the_label_stands_on_the_path(game):
    for label in game.event_names:
        expected = [float(label in path) for path in game.topology.end_paths]
        assert game.event_ends(label).tolist() == expected


def test_depth_counts_the_moves_on_the_way():
    assert depth_of(np.array([-1, 0, 1, 2, 3, 1, 0])).tolist() == [0, 1, 2, 3, 4, 2, 1]
    assert depth_of(np.array([-1])).tolist() == [0]
    assert depth_of(np.arange(-1, 999)).tolist() == list(range(1000))


def test_a_batch_of_payoffs_and_chances_makes_a_batch_of_trees():
    payoffs = np.arange(8.0).reshape(2, 4, 1)
    games = dt.ExtensiveGame.from_arrays(("A",), **{**SMALL, "payoffs": payoffs})
    assert games.batch_shape == (2,)
    assert games[1].payoffs.ravel().tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"parent": [0, 0, 1, 1, 0, 4, 4]}, "parent must begin with the root, -1"),
        ({"parent": [-1, 0, 1, 1, 0, 5, 4]}, r"parent\[5\] must be an earlier node, from 0 to 4, got 5"),
        ({"parent": [-1, 0, 1, 1, 0, 1, 4]}, "node 4 does not"),
        ({"parent": [-1, 0, 1, 1]}, "mover must have one entry for each of the 4 nodes"),
        ({"parent": [-1.0, 0, 1, 1, 0, 4, 4]}, "parent must be a flat array of whole numbers"),
        ({"mover": [-1, 0, -2, -2, 1, -2, -2]}, r"mover\[4\] must be the index of one of 1 players"),
        ({"mover": [-1, 0, -2, -2, -2, -2, -2]}, "node 4 ends the game but has branches"),
        ({"mover": [-1, 0, 0, -2, 0, -2, -2]}, "node 2 has no branches but does not end the game"),
        (
            {"labels": ["", "hot", "a", "b", "cold", "a", "c"]},
            r"has actions \['a', 'b'\] at node 1 and \['a', 'c'\] at",
        ),
        ({"labels": ["", "hot", "a", "b", "hot", "a", "b"]}, "distinct labels, got 'hot' twice at node 0"),
        ({"probability": None}, "chance moves, so probability must be given"),
        ({"probability": [0.5, 0.5]}, r"probability must have shape \(..., 7\), got \(2,\)"),
        ({"probability": [1, 0.5, 0, 0, 0.75, 0, 0]}, "must sum to 1"),
        ({"end_labels": ["x"]}, "end_labels must have one entry for each of the 4 ends, got 1"),
        ({"payoffs": [[1], [2]]}, r"payoffs must have shape \(..., 4, 1\)"),
    ],
)
def test_what_is_no_tree_is_refused_by_node(change, says):
    with pytest.raises(dt.GameError, match=says):
        dt.ExtensiveGame.from_arrays(("A",), **{**SMALL, **change})


def test_an_information_set_with_unlike_nodes_is_refused():
    with pytest.raises(
        dt.GameError, match=r"information set 3 of A has actions \['a', 'b'\] at node 1 and \['a'\] at node 4"
    ):
        dt.ExtensiveGame.from_arrays(
            ("A",), parent=[-1, 0, 1, 1, 0, 4], mover=[-1, 0, -2, -2, 0, -2], infoset=[0, 3, 0, 0, 3, 0],
            labels=["", "hot", "a", "b", "cold", "a"], payoffs=[[1], [2], [3]], probability=[0, 0.5, 0, 0, 0.5, 0],
        )  # fmt: skip

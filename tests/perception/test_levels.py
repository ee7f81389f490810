"""Players of several levels: what a population of them does, and what each expects."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.play import end_probabilities
from deterrence.perception.levels import cognitive_hierarchy, level_k
from deterrence.perception.subjective import subjective
from deterrence.perception.trees import own_slots


def centipede() -> dt.ExtensiveGame:
    """A and B take turns to stop; whoever stops first gets more, and going on makes the pie larger. A moves twice."""
    last = dt.move("A", infoset="A2", actions={"stop": dt.end("late", A=5, B=2), "go": dt.end("end", A=4, B=9)})
    middle = dt.move("B", {"stop": dt.end("middle", A=1, B=4), "go": last})
    return dt.ExtensiveGame(
        ("A", "B"), dt.move("A", infoset="A1", actions={"stop": dt.end("early", A=2, B=1), "go": middle})
    )


@pytest.mark.parametrize("tau", [0.4, 1.5, 4.0])
def test_the_behaviour_of_a_population_leads_where_draws_of_levels_lead(tau):
    """Kuhn 1953: under perfect recall a mixture over levels and its behaviour strategy reach each end equally often"""
    play = cognitive_hierarchy(centipede(), tau=tau, levels=5)
    mixture = np.zeros(len(play.ends.paths))
    for a, b in itertools.product(range(6), repeat=2):
        both = np.where(own_slots(play.tree, "A"), play.behaviors[a], play.behaviors[b])
        mixture += play.weights[a] * play.weights[b] * end_probabilities(play.tree, both)
    assert end_probabilities(play.tree, play.behavior) == pytest.approx(mixture, abs=1e-12)


def test_a_player_of_level_two_expects_one_of_level_one():
    play = level_k(centipede(), level=2)
    both = np.where(own_slots(play.tree, "A"), play.behaviors[2], play.behaviors[1])
    assert play.expected_ends("A") == pytest.approx(end_probabilities(play.tree, both))


def test_levels_expect_lower_levels_and_are_surprised():
    """Chicken: level 1 yields or not against a coin; each takes the other to be of level 0, and both are of level 1."""
    chicken = dt.StrategicGame([[0, 4], [1, 2]], [[0, 1], [4, 2]], strategies=[["escalate", "yield"]] * 2)
    outcome = subjective(chicken, concept="level 1", attack="escalate", war="escalate")
    assert outcome.outcomes() == {("escalate", "escalate"): (1, 1)}
    believed = outcome.row(("escalate", "escalate"))
    assert [pair for _, pair in believed[1:]] == [(0.5, 0.5)] * (len(believed) - 1)


def test_levels_and_beliefs_about_beliefs_are_not_mixed():
    w = dt.symbols("w")
    respond = dt.move("D", {"yield": dt.end(A=1, D=0), "resist": dt.end("war", A=-1, D=w)})
    game = dt.ExtensiveGame(("A", "D"), dt.move("A", {"hold": dt.end(A=0, D=1), "attack": respond}))
    nested = {"A": {"believes": {"D": {"w": 1}}}}
    with pytest.raises(dt.GameError, match="A has beliefs about beliefs, but a level of reasoning says itself"):
        subjective(game, truth={"w": -1}, beliefs=nested, concept="level 1")
    with pytest.raises(dt.ParameterError, match="select chooses among equilibria, got 'd1'"):
        subjective(game, truth={"w": -1}, concept="level 1", select="d1")

"""Rules that choose among equilibria, on games whose answers are in the books."""

from __future__ import annotations

import numpy as np
import pytest

from deterrence.games.errors import GameError, ParameterError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.nash import nash
from deterrence.solvers.spe import spe

STAG_HUNT = StrategicGame([[9, 0], [8, 7]], [[9, 8], [0, 7]], strategies=[["stag", "hare"]] * 2)


def rows(selected):
    return [e.profile.mixed[0].tolist() for e in selected]


def test_payoff_and_risk_dominance_part_in_the_stag_hunt():
    """Aumann (1990): stag pays more, hare is safer (7 * 7 against 1 * 1)."""
    solved = nash(STAG_HUNT)
    assert len(solved) == 3
    assert rows(solved.select("payoff dominance")) == [[1.0, 0.0]]
    assert rows(solved.select("risk dominance")) == [[0.0, 1.0]]
    assert rows(solved.select("welfare")) == [[1.0, 0.0]]
    assert rows(solved.select("homotopy")) == [[0.0, 1.0]]
    assert solved.select("welfare").options["selected by"] == "welfare"


def test_maximal_entropy_takes_the_mixed_equilibrium():
    assert rows(nash(STAG_HUNT).select("maximal entropy")) == [pytest.approx([7 / 8, 1 / 8])]


def test_payoff_dominance_does_not_decide_where_interests_are_opposed():
    battle = nash(StrategicGame([[2, 0], [0, 1]], [[1, 0], [0, 2]]))
    assert len(battle.select("payoff dominance")) == 2
    assert len(battle.select("welfare")) == 2


def test_trees_are_selected_from_too():
    tie = ExtensiveGame(("A", "B"), move("A", {"l": end(A=1, B=0), "r": end(A=1, B=5)}))
    assert [e.kind for e in spe(tie).select("payoff dominance")] == ["r"]


def test_bad_requests():
    solved = nash(STAG_HUNT)
    with pytest.raises(ParameterError, match=r"rule must be one of .* got 'wellfare'"):
        solved.select("wellfare")
    with pytest.raises(GameError, match="risk dominance is defined for 2 x 2 tables"):
        nash(StrategicGame(np.eye(3), np.eye(3))).select("risk dominance")

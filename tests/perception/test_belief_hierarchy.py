"""Belief hierarchies: each overlay changes the beliefs that it stands in, whatever the truth is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.games.errors import ParameterError
from deterrence.perception.belief_hierarchy import belief_hierarchy, checked_overlays
from deterrence.perception.subjective import subjective

NAMES = ("x", "y", "z")
values = st.floats(-9, 9)
overlays = st.dictionaries(st.sampled_from(NAMES), values)


@given(truth=st.fixed_dictionaries(dict.fromkeys(NAMES, values)), first=overlays, second=overlays, third=overlays)
def test_a_nested_overlay_changes_the_beliefs_that_it_stands_in(truth, first, second, third):
    beliefs = {"A": {**first, "believes": {"B": {**second, "believes": {"A": third}}}}}
    hierarchy = belief_hierarchy(truth, beliefs, ("A", "B"), NAMES)
    mine = {**truth, **first}
    foreseen = {**mine, **second}
    assert hierarchy["A"].values == mine
    assert hierarchy["B"].values == truth
    theirs = hierarchy["A"].others.get("B", hierarchy["A"])
    assert theirs.values == foreseen
    assert theirs.others.get("A", theirs).values == {**foreseen, **third}


def test_what_a_foresees_of_d_starts_from_what_a_believes():
    """D yields to an attack in truth, and would resist if war paid what A thinks.

    A's overlay on what D believes names a number without effect: all else that A thinks D to believe is what A believes
    itself, so that A foresees resistance and holds. From the truth it would foresee that D yields, and attack.
    """
    w, idle = dt.symbols("w idle")
    respond = dt.move("D", {"yield": dt.end("conquest", A=1, D=0), "resist": dt.end("war", A=-1, D=w)})
    root = dt.move("A", {"hold": dt.end("peace", A=0, D=1 + idle), "attack": respond})
    game = dt.ExtensiveGame(("A", "D"), root)
    outcome = subjective(
        game, truth={"w": -0.5, "idle": 0}, beliefs={"A": {"w": 0.5, "believes": {"D": {"idle": 0.1}}}}
    )
    assert outcome.belief("A", "war") == (0, 0)
    assert outcome.probability("attack") == (0, 0)
    assert outcome.hierarchy["A"].others["D"].values == {"w": 0.5, "idle": 0.1}


def test_a_nested_overlay_that_says_nothing_new_is_no_further_belief():
    hierarchy = belief_hierarchy({"x": 1.0}, {"A": {"x": 2.0, "believes": {"B": {"x": 2.0}}}}, ("A", "B"), ("x",))
    assert not hierarchy["A"].others


@pytest.mark.parametrize(
    ("overlays", "message"),
    [
        ({"C": {}}, "beliefs: unknown player 'C'; players are A, B"),
        ({"A": {"believes": {"C": {}}}}, "what A believes under 'believes': unknown player 'C'"),
        ({"A": {"believes": {"B": {"believes": {"B": {}}}}}}, "what A believes that B believes contradicts itself"),
        ({"A": 3}, "beliefs of A must map parameters to values, got 3"),
        ({"A": {"believes": {"B": 3}}}, "under 'believes' of B must map parameters to values, got 3"),
        ({"A": {"believes": 3}}, "what A believes under 'believes' must map players to overlays"),
        (3, "beliefs must map players to overlays"),
    ],
)
def test_overlays_that_are_refused(overlays, message):
    with pytest.raises(ParameterError, match=message):
        checked_overlays(overlays, ("A", "B"))


def test_the_same_overlay_may_stand_in_two_places_but_not_in_itself():
    shared = {"x": 1.0}
    assert checked_overlays({"A": shared, "B": {"believes": {"A": shared}}}, ("A", "B")) == {
        "A": shared,
        "B": {"believes": {"A": shared}},
    }
    circle: dict[str, object] = {"x": 1.0}
    circle["believes"] = {"B": {"believes": {"A": circle}}}
    with pytest.raises(ParameterError, match="circular: what A believes that B believes that A believes contains"):
        checked_overlays({"A": circle}, ("A", "B"))


def test_the_earlier_name_of_the_hierarchy_warns():
    w = dt.symbols("w")
    game = dt.ExtensiveGame(("A",), dt.move("A", {"hold": dt.end("peace", A=w), "attack": dt.end("war", A=0)}))
    outcome = subjective(game, truth={"w": 1}, beliefs={})
    with pytest.warns(DeprecationWarning, match="hierarchy"):
        assert outcome.views is outcome.hierarchy

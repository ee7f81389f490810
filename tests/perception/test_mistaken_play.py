"""What comes of mistaken play: bluffs, surprise, and the reasoning of players of higher levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deterrence as dt
from deterrence.perception.berk_nash import divergences
from deterrence.perception.levels import level_k
from deterrence.perception.subjective import subjective


def test_a_bluff_is_called_if_one_player_on_the_way_was_mistaken():
    """A guarantor pays for a threat that it would not carry out, since it thinks that the attacker would not dare.

    The attacker is right: it attacks, and the guarantor yields. Only the threat was no best reply.
    """
    g = dt.symbols("g")

    def attacked(gain: object, paid: float) -> object:
        respond = dt.move("G", {"yield": dt.end("fait accompli", A=gain, G=-paid), "fight": dt.end("war", A=-1, G=-2)})
        return dt.move("A", {"refrain": dt.end("peace", A=0, G=1 - paid), "attack": respond})

    game = dt.ExtensiveGame(("A", "G"), dt.move("G", {"threaten": attacked(g, 0.1), "stay silent": attacked(1, 0)}))
    outcome = subjective(game, truth={"g": 0.5}, beliefs={"G": {"g": -0.5}})
    assert outcome.probability("threaten") == (1, 1)
    assert outcome.called_bluff == (1, 1)
    assert outcome.unwanted_war == (0, 0)
    right = subjective(game, truth={"g": 0.5}, beliefs={})
    assert right.called_bluff == (0, 0)


@given(true=st.floats(0.05, 0.95), believed=st.floats(0.05, 0.95))
def test_surprise_is_the_divergence_of_what_is_expected_from_what_happens(true, believed):
    r"""Kullback and Leibler 1951: :math:`\sum_o p(o) \ln(p(o) / q(o))`, p what happens, q what is expected; >= 0."""
    p = dt.symbols("p")
    lottery = dt.chance({"war": (p, dt.end("war", A=1)), "peace": (1 - p, dt.end("peace", A=1))})
    game = dt.ExtensiveGame(("A",), dt.move("A", {"refrain": dt.end("peace", A=0), "attack": lottery}))
    surprise = subjective(game, truth={"p": true}, beliefs={"A": {"p": believed}}).surprise["A"]
    expected = true * np.log(true / believed) + (1 - true) * np.log((1 - true) / (1 - believed))
    assert surprise.divergence == pytest.approx((expected, expected), abs=1e-12)
    chance = true * believed + (1 - true) * (1 - believed)
    assert surprise.chance == pytest.approx((chance, chance), abs=1e-12)
    assert divergences([[true, 1 - true]], [[[believed, 1 - believed]]]) == pytest.approx([expected], abs=1e-12)


def test_surprise_at_what_was_held_impossible_is_infinite():
    p = dt.symbols("p")
    lottery = dt.chance({"war": (p, dt.end("war", A=1)), "peace": (1 - p, dt.end("peace", A=1))})
    game = dt.ExtensiveGame(("A",), dt.move("A", {"refrain": dt.end("peace", A=0), "attack": lottery}))
    outcome = subjective(game, truth={"p": 0.5}, beliefs={"A": {"p": 0.0}})
    assert outcome.surprise["A"].divergence == (np.inf, np.inf)
    sure = subjective(game, truth={"p": 0.0}, beliefs={"A": {"p": 0.5}})
    assert sure.surprise["A"].divergence == pytest.approx((np.log(2), np.log(2)))


def test_where_lower_levels_cannot_lead_a_player_reasons_as_the_level_below():
    """A player of level 1 never attacks; one of level 2 that is attacked replies as one of level 1, not at random.

    Level 0 attacks with 1/2, so that level 1 has something to reply to: it fights.
    """
    respond = dt.move("D", {"yield": dt.end("conquest", A=1, D=0), "fight": dt.end("war", A=-3, D=1)})
    game = dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=0, D=2), "attack": respond}))
    plays = level_k(game, level=3).choices
    infoset = next(iter(plays[0]["D"]))
    assert plays[0]["D"][infoset] == {"yield": 0.5, "fight": 0.5}
    assert next(iter(plays[1]["A"].values()))["refrain"] == 1  # against level 0 an attack is worth -1
    assert [play["D"][infoset]["fight"] for play in plays[1:]] == [1, 1, 1]

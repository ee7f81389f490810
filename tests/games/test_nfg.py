"""Strategic forms in Gambit's format, in both variants."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError
from deterrence.games.gambit.nfg import read_nfg, write_nfg
from deterrence.games.quantities import symbols
from deterrence.games.strategic import StrategicGame

RATIONALS = st.fractions(-9, 9, max_denominator=7)


@st.composite
def strategic_games(draw, numbers=RATIONALS):
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    size = int(np.prod(shape)) * len(shape)
    values = np.empty(size, dtype=object)
    values[:] = draw(st.lists(numbers, min_size=size, max_size=size))
    return StrategicGame(values.reshape(*shape, len(shape)), title='a "game"')


@settings(max_examples=40, deadline=None)
@given(game=strategic_games() | strategic_games(numbers=st.floats(-1e300, 1e300)))
def test_a_game_comes_back_as_it_was(game):
    again = read_nfg(write_nfg(game))
    assert again.payoffs.shape == game.payoffs.shape
    assert all(float(a) == float(b) for a, b in zip(again.payoffs.ravel(), game.payoffs.ravel(), strict=True))
    assert (again.exact().payoffs == game.exact().payoffs).all()
    assert (again.players, again.strategies, again.title) == (game.players, game.strategies, game.title)


def test_the_first_players_strategy_moves_fastest():
    game = read_nfg('NFG 1 R "t" { "A" "B" } { 3 2 } 1 10 2 20 3 30 4 40 5 50 6 60')
    assert game.row.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert game.column.tolist() == [[10, 40], [20, 50], [30, 60]]
    assert game.strategies == (("1", "2", "3"), ("1", "2"))


def test_outcomes_by_number_with_none_as_zero():
    game = read_nfg(
        'NFG 1 R "t" { "A" "B" } { { "l" "r" } { "x" "y" } } "a comment"\n{ { "war" -1, -2 } { "" 1/2 3 } }\n1 2 0 1'
    )
    assert game.payoffs[:, 0].tolist() == [[-1, -2], [Fraction(1, 2), 3]]
    assert game.payoffs[:, 1].tolist() == [[0, 0], [-1, -2]]


def test_three_players_and_repeated_labels():
    game = read_nfg('NFG 1 D "t" {"A""A""A"} {{"" ""} 1 {"s" "s"}} 1,2,3, 4,5,6, 7,8,9, .1,.2,.3')
    assert game.players == ("A_1", "A_2", "A_3")
    assert game.strategies == (("_1", "_2"), ("1",), ("s_1", "s_2"))
    assert game.payoffs[1, 0, 1].tolist() == [Fraction(1, 10), Fraction(1, 5), Fraction(3, 10)]


def test_a_file_is_written_and_read(tmp_path):
    game = StrategicGame([[0, 1], [2, 3]], [[1, 0], [0, 1]], players=("A", "B"))
    text = write_nfg(game, tmp_path / "game.nfg")
    assert (
        read_nfg(tmp_path / "game.nfg").payoffs.tolist()
        == read_nfg(io.StringIO(text)).payoffs.tolist()
        == game.payoffs.tolist()
    )


HEAD = 'NFG 1 R "t" { "A" "B" } { 2 1 }\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + "1 2 3", "line 2, column 6: the file ends where payoff 4 of 4"),
        (HEAD + "1 2 3 4 5", "line 2, column 9: 2 cells of 2 payoffs end before this"),
        (HEAD + "1 2 3 x", "line 2, column 7: expected payoff 4 of 4, a number"),
        (HEAD + '{ { "o" 1 2 } } 1 2', "line 2, column 19: outcome 2 does not exist; there are 1"),
        (HEAD + '{ { "o" 1 } } 1 1', "line 2, column 5: outcome 1 needs 2 payoffs"),
        (HEAD + '{ { "o" 1 2 } } 1 1 1', "line 2, column 21: 2 cells end before this"),
        ('NFG 1 R "t" { "A" "B" } { 2 } 1 2', "2 players need 2 sets of strategies, got 1"),
        ('NFG 1 R "t" { "A" "B" } { 2 0 } 1 2', "at least one strategy"),
        ('NFG 1 R "t" { "A" "B" } { 90000 90000 } 1 2', "more than 20,000,000 cells"),
        ('NFG 1 R "t" { "A" } { ' + "9" * 400 + " } 1", "more than 20,000,000 cells"),
        (
            'NFG 1 R "t" { "A" } { 19000000 } 1',
            "19,000,000 strategies need a payoff each, but the whole file has 11 words",
        ),
        ('NFG 1 R "t" { }', "at least one player"),
        ("NFG 2 R", "line 1, column 5: only version 1"),
        ("NFG 1 Q", "line 1, column 7: expected the letter R or D"),
        ("NFGX", "line 1, column 1: a strategic-form file starts with NFG, got 'NFGX'"),
    ],
)
def test_errors_name_line_and_column(text, why):
    with pytest.raises(GameError, match=why):
        read_nfg(text)


def test_games_without_numbers_are_not_written():
    w = symbols("w")
    with pytest.raises(GameError, match="free parameters w"):
        write_nfg(StrategicGame([[w]], [[0]]))


def test_games_of_gambits_catalogue_are_read_as_gambit_reads_them():
    pygambit = pytest.importorskip("pygambit")
    files = sorted(Path(pygambit.__file__).parent.rglob("*.nfg"))
    assert len(files) >= 5
    for file in files:
        game = read_nfg(file)
        theirs = pygambit.read_nfg(io.BytesIO(write_nfg(game).encode()))
        arrays = np.stack([np.array(a, dtype=object) for a in pygambit.read_nfg(file).to_arrays()], axis=-1)
        written = np.stack([np.array(a, dtype=object) for a in theirs.to_arrays()], axis=-1)
        assert (arrays == written).all()
        assert (game.exact().payoffs == np.vectorize(Fraction, otypes=[object])(arrays)).all()

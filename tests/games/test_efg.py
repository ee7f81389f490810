"""Trees in Gambit's format: what is written reads back as it was; the traps of the format; errors with places."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg, write_efg
from deterrence.games.gambit.efg_nodes import read_head, read_nodes
from deterrence.games.gambit.efg_records import read_records
from deterrence.games.gambit.text import Tokens
from deterrence.games.quantities import symbols
from deterrence.games.tree import chance, end, move
from tests.tree_strategies import trees

few = settings(max_examples=40, deadline=None)


def assert_same(a, b):
    """Two games are one: shape, names, and every number."""
    for field in ("players", "labels", "end_labels", "chance_sets", "infosets"):
        assert getattr(a.topology, field) == getattr(b.topology, field)
    for field in ("parent", "slot", "owner", "infoset", "terminal"):
        assert np.array_equal(getattr(a.topology, field), getattr(b.topology, field))
    for x, y in ((a.chance, b.chance), (a.payoffs, b.payoffs)):
        assert x.shape == y.shape
        assert all(p == q or float(p) == float(q) for p, q in zip(x.ravel(), y.ravel(), strict=True))
    assert a.title == b.title


def tree(body, players='"A" "B"'):
    return read_efg(f'EFG 2 R "test" {{ {players} }}\n{body}')


# -- round trip -----------------------------------------------------------------------------------------------------


@few
@given(game=trees(players=3, depth=4, nodes=25, payoffs=st.fractions(max_denominator=9), exact=True))
def test_rationals_come_back_as_they_were(game):
    again = read_efg(write_efg(game))
    assert_same(game, again)
    assert (game.exact().payoffs == again.exact().payoffs).all()
    assert (game.exact().chance == again.exact().chance).all()


@few
@given(game=trees(players=2, depth=3, payoffs=st.floats(-1e300, 1e300)))
def test_floats_come_back_to_the_last_digit(game):
    again = read_efg(write_efg(game))
    assert np.array_equal(game.payoffs, again.floats().payoffs)
    assert np.array_equal(game.chance, again.floats().chance)


LABELS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)


@few
@given(labels=st.lists(LABELS, min_size=6, max_size=6, unique=True))
def test_labels_come_back_as_they_were(labels):
    player, other, left, right, infoset, war = labels
    game = ExtensiveGame(
        (player, other),
        move(player, {left: end(war, {player: 0, other: 1}), right: end(None, {player: 0, other: 0})}, infoset=infoset),
        title=war,
    )
    assert_same(game, read_efg(write_efg(game)))


def test_thirds_add_up_to_one_for_gambit():
    pygambit = pytest.importorskip("pygambit")
    game = ExtensiveGame(
        ("A",), chance({x: (w, end(A=1)) for x, w in zip("abc", (1 / 3, 1 / 3, 1 - 2 / 3), strict=True)})
    )
    assert np.array_equal(read_efg(write_efg(game)).floats().chance, game.chance)
    pygambit.read_efg(io.BytesIO(write_efg(game).encode()))


def test_a_file_is_written_and_read(tmp_path):
    game = ExtensiveGame(("Ä",), move("Ä", {"l": end("ö", payoffs={"Ä": 1}), "r": end(payoffs={"Ä": 0.1})}))
    path = tmp_path / "game.efg"
    text = write_efg(game, path)
    for source in (path, str(path), text, io.StringIO(text), io.BytesIO(text.encode()), "\ufeff" + text):
        assert_same(read_efg(source), game)
    path.write_bytes(text.encode("latin-1"))
    assert read_efg(path).players == ("Ä",)


def test_games_without_numbers_are_not_written():
    w = symbols("w")
    game = ExtensiveGame(("A",), move("A", {"l": end(A=w), "r": end(A=0)}))
    with pytest.raises(GameError, match="free parameters w"):
        write_efg(game)
    with pytest.raises(GameError, match="index it first"):
        write_efg(game.at(w=np.zeros(3)))


# -- the traps ------------------------------------------------------------------------------------------------------


def test_payoffs_add_up_along_the_path():
    game = tree(
        """
        p "" 1 1 "" { "stay" "go" } 1 "fee" { -1 0 }
        t "" 0
        c "" 1 "" { "win" 1/2 "lose" 1/2 } 2 "travel" { 0 -2 }
        t "" 3 "prize" { 10 10 }
        t "" 0
        """
    )
    assert game.payoffs.tolist() == [[-1, 0], [9, 8], [-1, -2]]
    assert game.topology.end_labels == (None, "prize", None)


def test_outcomes_and_information_sets_are_defined_once_under_any_number():
    game = tree(
        """
        p "" 1 77 "first" { "l" "r" } 0
        p "" 2 5 "second" { "x" "y" } 0
        t "" 42 "war" { 1 2 }
        t "" 9
        p "" 2 5 0
        t "" 42 "war" { 1.0, 2 }
        t "" 9 "peace" { 3 4 }
        """
    )
    assert game.payoffs.tolist() == [[1, 2], [3, 4], [1, 2], [3, 4]]
    assert [s.nodes for s in game.infosets] == [(0,), (1, 4)]
    assert game.topology.end_labels == ("war", "peace", "war", "peace")


def test_players_number_their_information_sets_apart():
    game = tree('p "" 1 1 "" { "l" } 0 p "" 2 1 "" { "x" } 0 c "" 1 "" { "a" 1 } 0 t "" 1 "" { 1 2 }')
    assert [(s.player, s.name) for s in game.infosets] == [(0, "start"), (1, "l")]


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("3", 3), ("-.5", Fraction(-1, 2)), (".25", Fraction(1, 4)), ("1/3", Fraction(1, 3)), ("1.50", Fraction(3, 2)),
        ("-2e-3", Fraction(-1, 500)), ("1e2", 100), ("5.", 5), ("+5", 5), ("1e+2", 100), (".5e1", 5),
        ("1 / 3", Fraction(1, 3)),
        ("-4/6", Fraction(-2, 3)), ("123456789012345678901234567890", 123456789012345678901234567890), ("-0", 0),
    ],
)  # fmt: skip
def test_numbers_in_every_dress_stay_exact(token, value):
    assert tree(f't "" 1 "" {{ {token} 1/7 }}').payoffs[0, 0] == value


def test_probabilities_are_exact_and_may_be_zero():
    game = tree('c "" 1 "" { "a" .333 "b" .667 "c" 0 } 0 t "" 0 t "" 0 t "" 0')
    assert game.chance.tolist() == [Fraction(333, 1000), Fraction(667, 1000), 0]


def test_commas_quotes_and_newlines_are_free():
    game = read_efg(
        'EFG 2 D "a \\"quoted\\"\ntitle" {"A""B"}\n"a description, { with \\"braces\\" }\nover two lines"\n'
        'p\n""\n1 1 "" {"l""r"} 0 t "" 1 "o" {1,2} t "" 2 "" { 3 , 4 } and text after the tree { is ignored'
    )
    assert game.title == 'a "quoted"\ntitle'
    assert game.payoffs.tolist() == [[1, 2], [3, 4]]


def test_a_backslash_is_itself_before_other_letters():
    assert tree(r't "" 1 "C:\\new \alpha \"x\" \\" { 1 2 }').topology.end_labels == ('C:\\new \\alpha "x" \\',)


def test_empty_and_repeated_labels_get_numbers():
    game = tree(
        """
        p "same" 1 1 "info" { "" "" "a" "a" "b" } 0
        p "same" 2 1 "twice" { "l" } 0
        t "same" 1 "war" { 1 2 0 0 }
        p "same" 2 2 "twice" { "l" } 0
        t "same" 2 "war" { 0 0 0 0 }
        t "" 0 t "" 0 t "" 0
        """,
        players='"" "A" "A" ""',
    )
    assert game.players == ("_1", "A_1", "A_2", "_2")
    assert game.infosets[0].actions == ("_1", "_2", "a_1", "a_2", "b")
    assert [s.name for s in game.infosets] == ["info", "twice_1", "twice_2"]
    assert game.topology.end_labels[:2] == ("war", "war")  # ends share an event


def test_a_number_never_makes_two_labels_equal():
    assert tree('p "" 1 1 "" { "a" "a" "a_1" } 0 t "" 0 t "" 0 t "" 0').infosets[0].actions == ("a_2", "a_3", "a_1")


def test_unnamed_information_sets_are_named_by_their_path():
    deep = 'p "" 1 {0} "" {{ "x" }} 0 '
    game = tree("".join(deep.format(i + 1) for i in range(30)) + 't "" 0')
    assert game.infosets[2].name == "x/x"
    assert game.infosets[25].name == "_26"


def test_absent_minded_players_and_forgetful_ones_are_read_and_reported():
    driver = tree('p "" 1 1 "exit" { "off" "on" } 0 t "" 1 "" {0 0} p "" 1 1 0 t "" 2 "" {4 0} t "" 3 "" {1 0}')
    assert driver.infosets[0].nodes == (0, 2)
    assert not driver.perfect_recall
    forgetful = tree('p "" 1 1 "" {"l" "r"} 0 p "" 1 2 "later" {"x"} 0 t "" 0 p "" 1 2 0 t "" 0')
    with pytest.raises(GameError, match="forgets its own past at information set 'later'"):
        forgetful.topology.require_perfect_recall("a test")


def test_chance_events_may_be_shared_by_nodes():
    game = tree('p "" 1 1 "" {"l" "r"} 0 c "" 3 "coin" {"h" 1/2 "t" 1/2} 0 t "" 0 t "" 0 c "" 3 0 t "" 0 t "" 0')
    assert game.chance.tolist() == [Fraction(1, 2)] * 4


def test_a_tree_of_thousands_of_moves_in_a_row():
    lines = [f'p "" {1 + i % 2} {i + 1} "" {{ "stop" "on" }} 0\nt "" {i + 1} "" {{ {i} {-i} }}' for i in range(5000)]
    game = tree("\n".join(lines) + '\nt "" 0')
    assert game.topology.size == 10001
    assert_same(game, read_efg(write_efg(game)))


# -- two ways to read, one game ---------------------------------------------------------------------------------------


def by_tokens(text):
    tokens = Tokens(text)
    title, players = read_head(tokens)
    return read_nodes(tokens, players).game(title)


def laid_out(text):
    """The same file in other layouts."""
    compact = re.sub(r"\s*([{},])\s*", r"\1", re.sub(r'" (?=[0-9"])', '"', text[8:]))
    return text, text.replace("\n", " "), text.replace(" ", "\n\n"), text.replace(",", " "), text[:8] + compact


@few
@given(
    game=trees(players=3, depth=4, nodes=25, payoffs=st.fractions(max_denominator=9), exact=True),
    decimals=st.booleans(),
)
def test_every_layout_is_read_in_one_sweep_as_by_tokens(game, decimals):
    for text in laid_out(write_efg(game.floats() if decimals else game)):
        swept = read_records(text)
        assert swept is not None
        assert_same(swept, by_tokens(text))
        assert swept.kind == by_tokens(text).kind


def test_escapes_inner_payoffs_and_repeated_definitions_are_swept_too():
    text = (
        r'EFG 2 R "a \"b\" \\" { "A" "B\\" } "told"' + "\n"
        r'p "" 1 7 "\"" { "l\\" "r" } 3 "fee" { -1/2, 0 }' + "\n"
        r'c "" 1 "dice" { "h" .25 "t" 3/4 } 0 t "" 1 "" { 1 2e-1 } t "" 3 p "" 1 7 "\"" {"l\\" "r"} 0 t "" 1 t "" 0'
    )
    assert read_records(text) is not None
    assert_same(read_records(text), by_tokens(text))
    assert read_efg(text).payoffs[1].tolist() == [-1, 0]


@pytest.mark.parametrize(
    "body",
    [
        't "" 0 t', 'x "" 0', 'p "" 3 1 "" { "a" } 0 t "" 0', 'p "" 0 1 "" { "a" } 0 t "" 0', 'p "" 1 1 0', 't "" 0x',
        'p "" 1 1 "" { "a" "b" } 0\nt "" 0', 't "" 0 t "" 0', 't "" 7', 't "" 7 "" { 1 }', 't "" 7 "" { 1 1/0 }',
        'c "" 1 "" { "a" 1/2 "b" 1/3 } 0 t "" 0 t "" 0', 't "" 0 "" { 1 1 }', 't "" 1234567890',
        't "open', 't "" 1 {1 1_0}',
        'p "" 1 1 "" { "a" "b" } 0 t "" 1 "" { 1 1 } t "" 1 "" { 1 2 }', 't "" 1 { 1e2/3 1 }', 't "" 1 { 1 / 3 1 }',
        'p "" 1 1 "i" { "a" } 0 p "" 1 1 "j" { "a" } 0 t "" 0', 'p "" 1 1 "i" { "a" } 0 p "" 1 1 "i" { "b" } 0 t "" 0',
        'c "" 1 "" { "a" 1 } 0 c "" 1 "" { "b" 1 } 0 t "" 0', 'p "" 1 12 3 "a" { 1 1 }', 'c "" 1 "" {"a" 2 "b" -1} 0',
    ],
)  # fmt: skip
def test_what_is_unusual_is_left_to_the_tokens(body):
    assert read_records(f'EFG 2 R "test" {{ "A" "B" }}\n{body}') is None


# -- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "line 2, column 1: the file ends where a node"),
        ('x "" 0', "line 2, column 1: expected a node"),
        ('p "" 3 1 "" { "a" } 0 t "" 0', "line 2, column 6: player 3 does not exist; there are 2"),
        ('p "" 1 1 0', "line 2, column 10: information set 1 of player 1 has no actions here"),
        ('p "" 1 1 "" { } 0', "has no actions here"),
        ('p "" 1 1 "" { "a" "b" } 0\nt "" 0', "line 3, column 7: the file ends where a node"),
        ('p "" 1 1 "" { a } 0', "line 2, column 15: expected names of actions in quotes, got 'a'"),
        ('p "" 1 1 "i" { "a" } 0 p "" 1 1 "i" { "b" } 0 t "" 0', r"line 2, column 33: .*'i' with actions \['a'\]"),
        ('p "" 1 1 "i" { "a" } 0 p "" 1 1 "j" { "a" } 0 t "" 0', "and 'j' with"),
        ('c "" 1 "" { "a" 1/2 "b" 1/3 } 0', "line 2, column 11: the probabilities of chance must sum to 1, got 5/6"),
        ('c "" 1 "" { "a" 3/2 "b" -1/2 } 0', "line 2, column 25: the probability of 'b' must not be negative"),
        ('c "" 1 "" { "a" 1 } 0 c "" 1 "" { "b" 1 } 0 t "" 0', "line 2, column 30: chance event 1 differs"),
        ('c "" 1 0', "chance event 1 has no branches here"),
        ('t "" 7', "line 2, column 6: outcome 7 has no payoffs anywhere"),
        ('t "" 7 "" { 1 }', "line 2, column 8: outcome 7 needs 2 payoffs, one a player, got 1"),
        ('t "" 7 "" { 1 1/0 }', "line 2, column 15: a payoff divides by zero"),
        ('t "" 7 "" { 1 x }', "expected a payoff, a number such as"),
        ('t "" 7 "" { 1 nan }', "expected a payoff, a number such as"),
        ('t "" 7 "" { 1 1e999 }', "beyond the range of numbers"),
        ('t "" 7 "" { 1 1e309 }', "line 2, column 15: a payoff is 1e309, beyond the range of floats"),
        (f't "" 7 "" {{ 1 {"1" * 400} }}', r"a payoff is 1{20}... \(400 characters\), beyond the range of floats"),
        (f't "" 7 "" {{ 1 {"1" * 9000} }}', r"\(9,000 characters\), beyond the range of numbers"),
        (f't "" {"1" * 9000}', "the number of the outcome has 9,000 digits"),
        ('c "" 1 "" { "a" 1 } 1 "" { 1e308 0 } t "" 2 "" { 1e308 0 }', "add up to more than a float can hold"),
        ('p "" 1 1 "" { "a" "b" } 0 t "" 1 "" { 1 1 } t "" 1 "" { 1 2 }', "line 2, column 52: outcome 1 is"),
        ('t "unclosed 0', "has an opening quote but no closing one"),
        ('t "" -1', "expected the number of the outcome, a whole number, got '-1'"),
    ],
)  # fmt: skip
def test_errors_name_line_and_column(body, why):
    with pytest.raises(GameError, match=why):
        tree(body)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("EFG 3 R", "line 1, column 5: only version 2"),
        ("EFG 2 X", "line 1, column 7: expected the letter R or D"),
        ('EFG 2 R "t" { }', "at least one player"),
        ('EFG 2 R "t" "A"', "expected '{' before names of players, got '\"A\"'"),
        ("no/such/file.efg", "cannot read 'no/such/file.efg'"),
    ],
)
def test_errors_of_the_head(text, why):
    with pytest.raises(GameError, match=why):
        read_efg(text)


# -- against Gambit ---------------------------------------------------------------------------------------------------


def catalogue():
    pygambit = pytest.importorskip("pygambit")
    return sorted(Path(pygambit.__file__).parent.rglob("*.efg"))


def test_games_of_gambits_catalogue_are_read_as_gambit_reads_them():
    pygambit = pytest.importorskip("pygambit")
    files = catalogue()
    assert len(files) > 20
    for file in files:
        game = read_efg(file)
        assert_same(game, read_efg(write_efg(game)))
        # Gambit reads what we write as the game that it reads itself
        theirs, ours = (
            g.to_efg() for g in (pygambit.read_efg(file), pygambit.read_efg(io.BytesIO(write_efg(game).encode())))
        )
        a, b = read_efg(theirs), read_efg(ours)
        assert np.array_equal(a.topology.parent, b.topology.parent)
        assert [s.nodes for s in a.infosets] == [s.nodes for s in b.infosets]
        assert (a.exact().payoffs == b.exact().payoffs).all()
        assert (a.exact().chance == b.exact().chance).all()


def test_other_kinds_of_files_are_named():
    for text, match in (
        ("#AGG\n2\n", "action-graph game"),
        ('NFG 1 R "" { "A" } { 2 }', "read it with dt.read_nfg"),
        ("<gte/>", "XML or HTML"),
        ('{"game": 1}', "JSON"),
    ):
        with pytest.raises(GameError, match=match):
            read_efg(io.StringIO(text))


def test_utf16_is_read():
    game = read_efg(Path(__file__).parents[1] / "data" / "efg" / "utf16.efg")
    assert game.title == "commit"
    assert game.players == ("Lead", "Follow")


def test_an_outcome_0_that_pays_is_an_outcome_of_its_own():
    text = 'EFG 2 R "" { "A" } p "" 1 1 "" { "a" "b" } 0 t "" 0 "" { 1 } t "" 0 "" { 2 }'
    with pytest.warns(UserWarning, match="2 outcomes are numbered 0"):
        assert read_efg(text).payoffs[:, 0].tolist() == [1, 2]
    with pytest.raises(GameError, match="outcome 0 stands for no payoffs"):
        read_efg(text, strict=True)

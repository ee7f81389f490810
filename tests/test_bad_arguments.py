"""Wrong arguments are refused where they enter, with the thing, its value and the remedy."""

from __future__ import annotations

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.errors import GameError, ParameterError
from deterrence.games.signaling import SignalingGame
from deterrence.games.tree import end
from deterrence.solvers.pbe import pbe
from deterrence.solvers.verify import verify

PAYOFFS = np.arange(8.0).reshape(2, 2, 2)
GOOD = {"types": ("a", "b"), "messages": ("m", "n"), "responses": ("x", "y"), "prior": [0.5, 0.5]}


def game(**changes):
    return SignalingGame(**{**GOOD, "sender_payoffs": PAYOFFS, "receiver_payoffs": PAYOFFS, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"types": 2}, "types must be a sequence of labels, got 2"),
        ({"types": "ab"}, "types must be a sequence of labels, got 'ab'"),
        ({"types": ("a", "")}, "types must be non-empty strings"),
        ({"types": ("a", "a")}, "types must be distinct, got 'a' twice"),
        ({"messages": ()}, "messages must hold at least one label"),
        ({"prior": [0.5, 0.6]}, r"prior must sum to 1 within 1e-12, got 1.1"),
        ({"prior": [1.5, -0.5]}, "prior must not be negative, got -0.5"),
        ({"prior": [0.5, 0.25, 0.25]}, r"prior must have shape \(..., 2\), got \(3,\)"),
        ({"sender_payoffs": PAYOFFS[0]}, r"sender_payoffs must have shape \(..., 2, 2, 2\), got \(2, 2\)"),
        ({"sender_payoffs": PAYOFFS * np.nan}, r"sender_payoffs\[0, 0, 0\] must be a finite number"),
        ({"sender_payoffs": PAYOFFS.astype(int).astype(object) * 10**400}, "must be at most 1e308 in size"),
        ({"events": {"war": PAYOFFS}}, r"event 'war' must hold probabilities in \[0, 1\]"),
        ({"players": ("A", "A")}, "players must be distinct"),
    ],
)
def test_a_malformed_game_is_refused(changes, said):
    with pytest.raises(GameError, match=said):
        game(**changes)


@pytest.mark.parametrize("value", ["1e400", 10**400, float("inf"), "x", None, [1]])
def test_a_payoff_must_be_a_finite_number(value):
    with pytest.raises(GameError, match="payoff of 'A' at end 'war'"):
        end("war", A=value)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"game": None}, GameError, "pbe takes SignalingGame or ExtensiveGame or ContinuousReceiverGame, got NoneType"),
        ({"game": np.ones((2, 2))}, GameError, "got ndarray"),
        ({"at": 5}, ParameterError, "at must map names of parameters to values"),
        ({"at": [("q", 0.5)]}, ParameterError, "at must map names of parameters to values"),
        ({"at": {"q": 0.5}}, ParameterError, "no parameter 'q'"),
        ({"tol": -1}, ParameterError, "tol must lie in"),
        ({"tol": float("nan")}, ParameterError, "tol must lie in"),
    ],
)
def test_a_solver_says_what_it_takes(arguments, error, said):
    with pytest.raises(error, match=said):
        pbe(**{"game": game(), **arguments})


@pytest.mark.parametrize("wrong", [None, 5, "profile"])
def test_verify_says_what_it_takes(wrong):
    with pytest.raises(GameError, match="verify takes one Equilibrium or a profile"):
        verify(game(), wrong)


def test_a_label_of_two_things_is_no_event_by_name():
    with pytest.raises(GameError, match="'m' is the label of two things"):
        game(responses=("m", "y")).event_weights("m")


@pytest.mark.parametrize(
    ("asked", "error", "answer"),
    [
        (lambda: dt.sweep("textbook", over={"loss": [1, 2]}), ParameterError, "got str 'textbook'; load it first"),
        (lambda: dt.pbe(dt.models.get("ALSIG")), GameError, r"got Model; it is solved by its own \.solve\(\)"),
        (lambda: dt.draw(dt.Scenario.load("textbook")), GameError, r"the figure of a scenario is \.assess\(\)"),
        (lambda: dt.draw(dt.models.get("ALSIG")), GameError, r"its \.game\(\) can be drawn"),
        (
            lambda: dt.plotting.curve(dt.Scenario.load("textbook")),
            ParameterError,
            "what dt.sweep returns, got Scenario",
        ),
        (lambda: dt.Scenario.load("textbook").with_changes({"lss": 2}), dt.ScenarioError, "did you mean 'loss'"),
        (lambda: dt.ExtensiveGame(("A", "B"), dt.end(A=0)), GameError, r"without a name \(payoffs A=0\) has no payoff"),
        (lambda: dt.read_efg("nowhere.efg"), GameError, "cannot read 'nowhere.efg': No such file or directory; give"),
        (lambda: dt.sequental, AttributeError, "did you mean 'sequential'"),
    ],
)
def test_what_a_newcomer_tries_is_answered_with_what_would_do(asked, error, answer):
    with pytest.raises(error, match=answer):
        asked()


@pytest.mark.parametrize(
    "solver",
    [
        dt.pbe, dt.pbe_batch, dt.spe, dt.spe_batch, dt.sequential, dt.nash, dt.qre, dt.qre_batch, dt.qre_branch,
        dt.sequence_form, dt.correlated, dt.participation, dt.cutpoints,
    ],
    ids=lambda solver: solver.__name__,
)  # fmt: skip
@pytest.mark.parametrize("slip", [3, "baltic-2017", None, [[1, 2]]])
def test_every_solver_says_which_games_it_takes(solver, slip):
    with pytest.raises(GameError, match=rf"\w+ takes \w+Game.*, got {type(slip).__name__}"):
        solver(slip)


def test_a_solver_says_what_would_do_for_another_form():
    with pytest.raises(GameError, match=r"nash takes .*, got SignalingGame; pass it as a tree, game.to_extensive\(\)"):
        dt.nash(game())
    table = dt.StrategicGame([[1, 2], [-1, 3]], [[1, -1], [2, 3]])
    with pytest.raises(GameError, match=r"spe takes ExtensiveGame, got StrategicGame; dt\.nash solves it"):
        dt.spe(table)
    with pytest.raises(GameError, match="participation takes ParticipationGame, got CollectiveDefence"):
        dt.participation(dt.Scenario.load("textbook").game())

"""Wrong input to a fit is named, with its value and what would do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import deterrence as dt
from tests.estimation.tree_games import SPEC, crisis, random_tree, simulated


@pytest.fixture(scope="module")
def data():
    frame = simulated(80, 7)
    return frame.assign(one=1.0, twice=2 * frame.x, text=np.where(frame.x > 0, "a", "b"), group=np.arange(80) // 4)


def fit(data, outcome="outcome", utilities=None, **options):
    return dt.fit(crisis(), data, outcome=outcome, utilities=SPEC | (utilities or {}), **options)


WRONG = {
    "unknown column": ({"utilities": {"u2_war": "zz"}}, "no column .formula of 'u2_war'. 'zz'.*did you mean 'z'"),
    "unknown outcome column": ({"outcome": "outcom"}, "no column .outcome. 'outcom'.*did you mean 'outcome'"),
    "symbol that the game lacks": ({"utilities": {"u3_war": "x"}}, "no parameter 'u3_war'.*did you mean 'u2_war'"),
    "formula that cannot be read": ({"utilities": {"u2_war": "x +* z"}}, "formula of 'u2_war' cannot be read"),
    "two sides": ({"utilities": {"u2_war": "y ~ z"}}, "only a right-hand side"),
    "code in a formula": ({"utilities": {"u2_war": "x.__class__"}}, "may only combine columns"),
    "empty formula": ({"utilities": {"u2_war": ""}}, "must be a string such as"),
    "infinite utility": ({"utilities": {"u2_war": np.inf}}, "must be finite"),
    "regressor in all utilities": (
        {"utilities": {"u1_sq": "x - 1", "u1_capit": "x", "u1_war": "x"}},
        "regressor 'x' cannot be identified: it stands in every utility of Challenger",
    ),
    "constant in all utilities": (
        {"utilities": {"u1_sq": "x", "u1_capit": "1", "u1_war": "1"}},
        "the constant cannot be identified: it stands in every utility of Challenger",
    ),
    "scale and all utilities": ({"scale": "~ 1"}, "cannot be told apart"),
    "constant column": ({"utilities": {"u2_war": "z + one"}}, "column 'one' of 'u2_war' is constant"),
    "collinear columns": ({"utilities": {"u1_sq": "x + twice - 1"}}, "'x', 'twice' of 'u1_sq' are linearly dependent"),
    "zero column": ({"utilities": {"u2_war": "z + I(0 * x)"}}, "is zero in every row"),
    "not finite": ({"utilities": {"u2_war": "log(I(z - z))"}}, "is not finite in row"),
    "errors": ({"errors": "both"}, "errors must be 'agent' or 'private', got 'both'"),
    "link": ({"link": "cauchit"}, "link must be 'probit' or 'logit', got 'cauchit'"),
    "private logit": ({"errors": "private", "link": "logit"}, "private information needs link='probit'"),
    "scale": ({"scale": -1.0}, "scale must be a number above 0 or a formula"),
    "scale of a stranger": ({"scale": {"Nobody": 1.0}}, "'Nobody', who is no player"),
    "weights": ({"weights": [1.0]}, "weights must have one number a row, 80"),
    "negative weights": ({"weights": [-1.0] * 80}, "at least 0"),
    "weights of words": ({"weights": "text"}, "must hold numbers"),
    "zero weights": ({"weights": [0.0] * 80}, "must not all be zero"),
    "cluster": ({"cluster": [1, 2]}, "cluster must have one value a row"),
    "one cluster": ({"cluster": "one"}, "at least two clusters"),
    "covariance": ({"covariance": "white"}, "covariance must be 'hessian'"),
    "clustered without clusters": ({"covariance": "clustered"}, "needs cluster="),
    "penalty": ({"penalty": "lasso"}, "penalty must be 'jeffreys'"),
    "starts": ({"starts": 0}, "starts must be at least 1"),
    "starts of another size": ({"starts": [[0.0, 1.0]]}, "a start needs 6 finite numbers"),
    "missing": ({"missing": "guess"}, "missing must be 'drop' or 'raise'"),
    "ends that do not exist": ({"outcome": {"peace": "x"}}, "no end 'peace'"),
    "counts of some ends": ({"outcome": {"sq": "x"}}, "needs a value for 'capit', 'war'"),
    "negative counts": ({"outcome": {"sq": "x", "capit": "one", "war": "one"}}, "at least 0, got -"),
    "columns of moves": ({"outcome": ["a", "b", "c"]}, "lists 3 columns of moves, but the tree has 2 moves"),
    "no outcome": ({"outcome": 3}, "outcome must be a column of end labels"),
    "all fixed": (
        {"utilities": {"u1_sq": 1, "u1_capit": 0, "u1_war": 0, "u2_war": 2}},
        "nothing is left to estimate",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_named(data, case):
    options, message = WRONG[case]
    with pytest.raises(dt.ParameterError, match=message):
        fit(data, **options)


def test_a_missing_symbol_is_named(data):
    with pytest.raises(dt.ParameterError, match="utilities lacks the symbol 'u2_war'"):
        dt.fit(crisis(), data, outcome="outcome", utilities={"u1_sq": "x", "u1_capit": 0, "u1_war": "w"})


def test_an_outcome_that_is_no_end_is_named(data):
    changed = data.assign(outcome=data.outcome.replace("war", "wars"))
    with pytest.raises(dt.ParameterError, match=r"holds the outcome 'wars' in row \d+, but the tree has no end 'wars'"):
        fit(changed)


def test_rows_are_named_as_in_the_table(data):
    """Numbers of NumPy once stood in messages: row np.int64(3)."""
    changed = data.assign(outcome=data.outcome.mask(data.index == 7, "wars"))
    with pytest.raises(dt.ParameterError, match="in row 7, but the tree has no end 'wars'"):
        fit(changed[changed.index > 5])


def test_a_move_that_is_no_action_is_named(data):
    moves = data.assign(esc=2, war=0)
    with pytest.raises(dt.ParameterError, match="column 'esc' holds 2 in row 0, which is no action of 'start'"):
        fit(moves, outcome=["esc", "war"])


def test_missing_values_are_dropped_and_counted_or_refused(data):
    gaps = data.assign(z=data.z.mask(np.arange(80) < 5))
    assert fit(gaps).dropped == 5
    with pytest.raises(dt.ParameterError, match=r"data lack values in 'z' \(5\)"):
        fit(gaps, missing="raise")
    with pytest.raises(dt.ParameterError, match="no row of data is complete"):
        fit(data.assign(z=np.nan))


def test_rows_without_an_outcome_are_dropped_and_counted(data):
    counts = pd.get_dummies(data.outcome).astype(float)
    counts.loc[:9] = 0.0
    columns = {name: name for name in counts}
    assert fit(data.join(counts), outcome=columns).dropped == 10
    with pytest.raises(dt.ParameterError, match="row 0 holds no outcome"):
        fit(data.join(counts), outcome=columns, missing="raise")


def test_an_impossible_outcome_leaves_no_likelihood():
    a = dt.symbols("a")
    lottery = dt.chance({"win": (1, dt.end("win", A=a)), "lose": (0, dt.end("lose", A=0))})
    game = dt.ExtensiveGame(("A",), dt.move("A", {"no": dt.end("none", A=0), "yes": lottery}))
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": ["none", "win", "lose"]})
    with pytest.raises(dt.ParameterError, match=r"'lose' in row 2.*impossible"):
        dt.fit(game, frame, outcome="y", utilities={"a": "x - 1"})


@pytest.mark.parametrize("data", [None, 3, "war.csv", []])
def test_data_must_be_a_table(data):
    with pytest.raises(dt.ParameterError, match="data must"):
        fit(data)


def test_a_table_of_any_kind_will_do(data):
    assert fit({c: data[c].tolist() for c in data}).llf == pytest.approx(fit(data).llf, abs=1e-12)


def test_other_games_are_refused(data):
    with pytest.raises(dt.GameError, match=r"fit takes an ExtensiveGame with symbols or .*, got str"):
        dt.fit("crisis", data, outcome="outcome", utilities=SPEC)
    a = dt.symbols("a")
    hidden = dt.move("B", {"x": dt.end("1", A=a, B=0), "y": dt.end("2", A=0, B=0)}, infoset="blind")
    game = dt.ExtensiveGame(("A", "B"), dt.move("A", {"l": hidden, "r": hidden}))
    with pytest.raises(dt.GameError, match="perfect information, but B cannot tell apart"):
        dt.fit(game, data, outcome="outcome", utilities={"a": "x"})


def test_private_information_is_refused_where_a_player_moves_twice(data):
    a = dt.symbols("a")
    last = dt.move("A", {"x": dt.end("war", A=a, B=0), "y": dt.end("capit", A=0, B=0)})
    game = dt.ExtensiveGame(("A", "B"), dt.move("A", {"l": dt.end("sq", A=0, B=0), "r": dt.move("B", {"go": last})}))
    with pytest.raises(dt.GameError, match="A must move at most once on a path"):
        dt.fit(game, data, outcome="outcome", utilities={"a": "x"}, errors="private")
    assert dt.fit(game, data, outcome="outcome", utilities={"a": "x"}).status == "converged"


def test_a_payoff_without_influence_is_named():
    game, _ = random_tree(np.random.default_rng(0), 2, 4)
    a, b = dt.symbols("a b")
    game = dt.ExtensiveGame(("A", "B"), dt.move("A", {"l": dt.end("l", A=0, B=b), "r": dt.end("r", A=a, B=0)}))
    frame = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": ["l", "r", "l", "r"]})
    with pytest.raises(dt.ParameterError, match="payoff 'b' has no influence on any move"):
        dt.fit(game, frame, outcome="y", utilities={"a": "x", "b": "x"})


def test_new_levels_of_a_category_are_refused(data):
    fitted = fit(data, utilities={"u2_war": "text"})
    with pytest.raises(dt.ParameterError, match="cannot be evaluated at these rows"):
        fitted.predict(data.assign(text="c"))
    with pytest.raises(dt.ParameterError, match=r"no column .regressor. 'x'"):
        fitted.predict(data.drop(columns="x"))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.conf_int(alpha=2), "alpha must lie between 0 and 1"),
        (lambda f: f.conf_int(method="guess"), "method must be 'wald'"),
        (lambda f: f.conf_int(method="percentile"), "need a bootstrap"),
        (lambda f: f.predict(bands="bootstrap"), "needs a bootstrap"),
        (lambda f: f.predict(bands="guess"), "bands must be"),
        (lambda f: f.predict(kind="guess"), "kind must be"),
        (lambda f: f.predict(bands="delta", level=2), "level must lie"),
        (lambda f: f.sweep("xx"), "'xx' is no regressor"),
        (lambda f: f.effects("x", change=(1, 2, 3)), "must be a pair"),
        (lambda f: f.game({"xx": 1}), "'xx' is no regressor"),
        (lambda f: f.game(10**6), "row must map regressors to values or label a row"),
        (lambda f: f.bootstrap(1), "at least 2 draws"),
        (lambda f: f.bootstrap(method="wild"), "method must be 'rows' or 'parametric'"),
        (lambda f: f.bootstrap(executor="all"), "executor must be"),
        (lambda f: f.with_covariance("clustered"), "need clusters"),
        (lambda f: f.plot(names=["nothing"]), "no parameter 'nothing'"),
    ],
)
def test_wrong_questions_are_named(data, ask, message):
    with pytest.raises(dt.ParameterError, match=message):
        ask(fit(data, starts=1))

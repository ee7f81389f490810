"""One setting chooses between NumPy and compiled kernels; the answers are the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.batch import BatchEquilibria
from deterrence.solvers import engine
from deterrence.solvers.pbe_batch import pbe_batch
from deterrence.solvers.signaling import two_by_two_compiled as compiled

pytest.importorskip("numba")
ROUNDING = 1e-9  # of a probability: the two engines add up in another order


@pytest.fixture(autouse=True)
def unset() -> Iterator[None]:
    yield
    dt.set_engine(None)


def small_games(n: int, most: int | None, seed: int, *, zeros: bool = False) -> dt.SignalingGame:
    """Games of 2 x 2 x 2: normal payoffs, or whole numbers up to some number and priors in twentieths."""
    rng = np.random.default_rng(seed)
    shape = (n, 2, 2, 2)
    if most is None:
        U, V, first = rng.normal(size=shape), rng.normal(size=shape), rng.uniform(0.02, 0.98, size=n)
    else:
        U, V = (rng.integers(0, most + 1, size=shape).astype(float) for _ in range(2))
        first = rng.integers(0 if zeros else 1, 21 if zeros else 20, size=n) / 20
    prior = np.stack([first, 1 - first], axis=-1)
    return dt.SignalingGame(("s", "w"), ("a", "b"), ("y", "n"), prior, U, V)


def both(game: dt.SignalingGame, tol: float = 0.0, event: str = "y") -> list[tuple[BatchEquilibria, np.ndarray]]:
    answers = []
    for name in ("numba", "numpy"):
        dt.set_engine(name)
        found = pbe_batch(game, tol=tol, threads=1)
        answers.append((found, np.stack(found.probability(event))))
    return answers


def assert_same(game: dt.SignalingGame, tol: float = 0.0, event: str = "y") -> None:
    (ours, chances), (theirs, expected) = both(game, tol, event)
    np.testing.assert_array_equal(ours.count, theirs.count)
    np.testing.assert_array_equal(ours.degenerate, theirs.degenerate)
    np.testing.assert_array_equal(ours.unsolved, theirs.unsolved)
    assert list(ours.kinds) == list(theirs.kinds)
    for kind, flags in theirs.kinds.items():
        np.testing.assert_array_equal(ours.kinds[kind], flags, err_msg=kind)
    np.testing.assert_allclose(chances, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("most", [None, 100, 10, 3, 1])
def test_a_game_of_two_by_two_has_the_same_equilibria_compiled(most: int | None) -> None:
    assert_same(small_games(4000, most, seed=3))


def test_a_receiver_that_rules_out_a_type_is_settled_alike() -> None:
    assert_same(small_games(2000, 2, seed=4, zeros=True))


def test_decimals_tie_as_whole_numbers_do() -> None:
    """0.1 + 0.2 is no float 0.3; a determinant of tenths and one of whole numbers have one sign."""
    whole = small_games(2000, 3, seed=5)
    tenths = whole.with_payoffs(whole.sender_payoffs / 10, whole.receiver_payoffs / 1000)
    dt.set_engine("numba")
    np.testing.assert_array_equal(pbe_batch(tenths).count, pbe_batch(whole).count)
    np.testing.assert_array_equal(pbe_batch(tenths).degenerate, pbe_batch(whole).degenerate)
    assert_same(tenths)


def test_what_floats_do_not_decide_is_left_to_exact_arithmetic() -> None:
    """Payoffs that differ in the last place: no tie, though a determinant of them rounds to zero."""
    game = small_games(60, 2, seed=6)
    rng = np.random.default_rng(7)
    U = game.sender_payoffs / 3 * (1 + rng.integers(0, 2, size=game.sender_payoffs.shape) * 2.0**-52)
    assert_same(game.with_payoffs(U, game.receiver_payoffs / 7))


def test_a_tolerance_reaches_the_same_games() -> None:
    game = small_games(60, 4, seed=8)
    rng = np.random.default_rng(9)
    blurred = game.sender_payoffs * (1 + 1e-12 * rng.normal(size=game.sender_payoffs.shape))
    assert_same(game.with_payoffs(blurred, game.receiver_payoffs), tol=1e-9)


def test_arrays_that_only_some_axes_share_are_cut_alike() -> None:
    """Payoffs along one axis of the batch, priors along the other, the sender's the same everywhere."""
    rng = np.random.default_rng(10)
    first = rng.uniform(0.1, 0.9, size=(7, 1))
    game = dt.SignalingGame(
        ("s", "w"), ("a", "b"), ("y", "n"), np.stack([first, 1 - first], axis=-1),
        rng.normal(size=(2, 2, 2)), rng.normal(size=(1, 5, 2, 2, 2)),
        events={"war": rng.uniform(size=(1, 5, 2, 2, 2))},
    )  # fmt: skip
    assert_same(game)
    assert_same(game, event="war")


def test_parts_done_in_threads_make_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deterrence.solvers.pbe_batch.COMPILED_TILE", 300)
    game = small_games(2000, 5, seed=11)
    dt.set_engine("numba")
    one, two = (pbe_batch(game, threads=k) for k in (1, 2))
    np.testing.assert_array_equal(one.count, two.count)
    np.testing.assert_array_equal(one.probability("n"), two.probability("n"))


def test_the_table_of_games_without_ties_knows_an_equilibrium_for_every_game_there_is() -> None:
    """Every generic game has an odd number of outcomes; its signs lead to at least one equilibrium."""
    dt.set_engine("numba")
    game = small_games(50_000, None, seed=12)
    found = pbe_batch(game)
    assert (found.count > 0).all()
    assert ((compiled.untied() & 15 > 0) == (compiled.untied() >> 4 > 0)).all()


@pytest.mark.slow
@pytest.mark.parametrize("most", [None, 100, 10])
def test_a_million_games_have_the_same_equilibria_compiled(most: int | None) -> None:
    assert_same(small_games(1_000_000, most, seed=13))


def test_an_engine_is_named_or_refused() -> None:
    with pytest.raises(dt.ParameterError, match=r"engine must be 'numba' or 'numpy', got 'nunba'.*numba"):
        dt.set_engine("nunba")
    dt.set_engine("numpy")
    assert not engine.compiles(1e9)
    dt.set_engine("numba")
    assert engine.compiles(0)


def test_the_environment_sets_the_engine_and_a_call_overrules_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETERRENCE_ENGINE", "numpy")
    assert engine.engine() == "numpy"
    dt.set_engine("numba")
    assert engine.engine() == "numba"
    dt.set_engine(None)
    monkeypatch.setenv("DETERRENCE_ENGINE", "fortran")
    with pytest.raises(dt.ParameterError, match="environment variable DETERRENCE_ENGINE must be"):
        engine.engine()


def test_without_numba_the_setting_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(dt.ParameterError, match=r"not installed; pip install 'deterrence\[fast\]'"):
        dt.set_engine("numba")
    assert not engine.compiles(1e9)
    assert engine.kernel(len) is len


def three_types(n: int, messages: int, responses: int, seed: int, most: int | None = None) -> dt.SignalingGame:
    rng = np.random.default_rng(seed)
    shape = (n, 3, messages, responses)
    U, V = (rng.normal(size=shape) if most is None else rng.integers(0, most + 1, shape) * 1.0 for _ in range(2))
    return dt.SignalingGame(
        ("low", "middle", "high"), [f"m{i}" for i in range(messages)], [f"r{i}" for i in range(responses)],
        rng.dirichlet(np.ones(3), size=n), U, V,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "responses", "games", "most"), [(2, 2, 60, None), (2, 3, 25, None), (3, 2, 15, None), (2, 2, 40, 6)]
)
def test_three_types_have_the_equilibria_of_the_exact_solver(
    messages: int, responses: int, games: int, most: int | None
) -> None:
    """Whole numbers tie now and then; such games are left to it."""
    assert_same(three_types(games, messages, responses, seed=21, most=most), event="r0")


def test_a_message_after_which_nothing_happens_may_be_met_by_any_response() -> None:
    game = three_types(20, 2, 2, seed=22)
    U, V = game.sender_payoffs.copy(), game.receiver_payoffs.copy()
    U[:, :, 0, 1], V[:, :, 0, 1] = U[:, :, 0, 0], V[:, :, 0, 0]
    assert_same(game.with_payoffs(U, V), event="r0")


def test_generic_games_of_three_types_are_never_left_to_the_exact_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("solved singly")

    monkeypatch.setattr("deterrence.solvers.pbe_batch._solve", refuse)
    dt.set_engine("numba")
    found = pbe_batch(three_types(1500, 3, 3, seed=23))
    assert (found.count % 2 == 1).sum() > 0
    assert not found.unsolved.any()


@pytest.mark.slow
def test_games_of_three_messages_and_responses_have_the_equilibria_of_the_exact_solver() -> None:
    assert_same(three_types(300, 3, 3, seed=24), event="r0")
    assert_same(three_types(300, 3, 4, seed=25), event="r0")


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    return done.stdout.strip()


def test_little_work_never_loads_numba() -> None:
    code = (
        "import sys, numpy as np, deterrence as dt;"
        "p = np.linspace(.1, .9, 9); payoffs = np.arange(8.).reshape(2, 2, 2);"
        "g = dt.SignalingGame(('s', 'w'), ('a', 'b'), ('y', 'n'), np.stack([p, 1 - p], -1), payoffs, payoffs);"
        "dt.pbe_batch(g).count; print('numba' in sys.modules)"
    )
    assert run(code) == "False"


def test_a_read_only_installation_keeps_machine_code_elsewhere(tmp_path: object) -> None:
    code = (
        "from deterrence.solvers.signaling import two_by_two_compiled as c;"
        "print(c._step(2.0), c._step.stats.cache_path)"
    )
    answer = run(code, NUMBA_CACHE_DIR=str(tmp_path))
    assert answer.startswith(f"1.0 {tmp_path}")


def test_an_event_that_is_alike_in_every_game_is_served_with_others() -> None:
    """The probability of war depends on what is swept, that of attack does not: one row beside many."""
    model = dt.models.get("ALSIG")
    values = {"k": np.linspace(0.01, 1.3, 7), "h": np.linspace(0.0, 0.5, 7)}
    answers = []
    for name in ("numpy", "numba"):
        dt.set_engine(name)
        try:
            answers.append(model.answer(values, events=("attack", "war")))
        finally:
            dt.set_engine(None)
    for event in ("attack", "war"):
        assert answers[1].low[event] == pytest.approx(answers[0].low[event], abs=1e-9)
        assert answers[1].high[event] == pytest.approx(answers[0].high[event], abs=1e-9)

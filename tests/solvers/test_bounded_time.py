"""Searches end: hard games within their work, what is left is said, and time limits and interrupts are kept."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from deterrence.games.errors import ParameterError, SolverError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg
from deterrence.games.quantities import symbols
from deterrence.games.strategic import StrategicGame
from deterrence.games.tree import end, move
from deterrence.solvers.budget import Budget, interruptible
from deterrence.solvers.correlated import correlated
from deterrence.solvers.nash import nash
from deterrence.solvers.qre import qre, qre_batch
from deterrence.solvers.qre_branches import qre_branch, qre_branches
from deterrence.solvers.sequence_form import sequence_form
from deterrence.solvers.sequential import sequential
from deterrence.solvers.spe import spe
from deterrence.solvers.verification.tree import verify_tree
from tests.textbook_trees import typed_tree

DATA = Path(__file__).parents[1] / "data" / "efg"


def game(name):
    return read_efg(DATA / f"{name}.efg")


def integer_table(shape, most, seed=0):
    return StrategicGame(np.random.default_rng(seed).integers(0, most, (*shape, len(shape))).astype(float))


@pytest.mark.parametrize(("solve", "name"), [(spe, "spy-slow"), (nash, "spy-slow"), (sequential, "slow_seq")])
def test_continua_of_nonlinear_conditions_end_the_search_of_their_cell(solve, name):
    solved = solve(game(name))
    assert len(solved) >= 3
    assert not solved.complete  # points of continua stand for them
    for e in solved:
        assert verify_tree(solved.game, e, 1e-8).max_regret <= 1e-8 * solved.game.span


def test_a_vote_has_73_pure_equilibria():
    """Gambit's enumpure finds as many on the reduced strategic form."""
    solved = nash(game("vote-overflow"))
    assert len(solved) == 73
    assert not solved.complete
    assert "mixed strategies" in solved.options["unsearched"][0]
    pure = nash(game("vote-overflow"), pure=True)
    assert len(pure) == 73
    assert pure.complete


def test_pure_equilibria_by_gambit():
    gambit = pytest.importorskip("pygambit")
    theirs = gambit.nash.enumpure_solve(gambit.read_efg(str(DATA / "vote-overflow.efg")))
    assert len(theirs.equilibria) == 73


def test_a_tree_of_one_node_has_one_equilibrium():
    for solve in (sequential, spe, nash):
        assert len(solve(game("onenode"))) == 1


@pytest.mark.parametrize("shape", [(4, 4, 4), (3,) * 6])
def test_integer_tables_end_and_say_what_is_left(shape):
    table = integer_table(shape, 100)
    solved = nash(table)
    assert not solved.complete
    assert "strategies and larger ones" in solved.options["unsearched"][0]
    assert "limit=1,000 supports reached" in solved.options["unsearched"][0]
    pure = {tuple(int(np.argmax(m)) for m in e.profile.mixed) for e in solved if e.kind == "pure"}
    cells = {
        cell
        for cell in np.ndindex(*shape)
        if all(
            table.payoffs[(*cell, i)] >= table.payoffs[(*cell[:i], slice(None), *cell[i + 1 :], i)].max()
            for i in range(len(shape))
        )
    }
    assert pure == cells


def test_more_work_finds_no_less():
    table = integer_table((3, 3, 3), 100)
    some, whole = nash(table, limit=100), nash(table, limit=10_000)
    assert whole.complete
    assert not some.complete
    assert len(some) <= len(whole)
    known = [np.concatenate(e.profile.mixed) for e in whole]
    for e in some:
        assert any(np.abs(np.concatenate(e.profile.mixed) - other).max() < 1e-8 for other in known)


def test_all_pure_equilibria_of_a_million_profiles():
    table = integer_table((10,) * 6, 50, seed=3)
    solved = nash(table, pure=True)
    assert solved.complete
    for e in solved:
        assert e.certificate.max_regret == 0
    planted = table.payoffs.copy()
    planted[3, 1, 4, 1, 5, 9] = 50.0
    cells = [tuple(int(np.argmax(m)) for m in e.profile.mixed) for e in nash(StrategicGame(planted), pure=True)]
    assert (3, 1, 4, 1, 5, 9) in cells


def test_a_time_limit_is_kept():
    table = integer_table((5, 5, 5), 100)
    start = time.process_time()
    solved = nash(table, limit=10**9, time_limit=0.2)
    used = time.process_time() - start
    assert "time_limit=0.2 seconds reached" in solved.options["unsearched"][0]
    reference = time.process_time()
    nash(table, limit=500)
    assert used < 20 * (time.process_time() - reference) + 1  # a ratio: machines differ
    with pytest.raises(ParameterError, match="time_limit must be a positive number"):
        nash(table, time_limit=0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_an_interrupt_is_heard_between_two_pieces_of_work():
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            nash(integer_table((5, 5, 5), 100), limit=10**9)
        assert time.monotonic() - start < 10
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("limit", [1, 3, 30])
@pytest.mark.parametrize("name", ["slow_seq", "spy-slow"])
def test_little_work_finds_little_and_says_so(name, limit):
    for solve in (sequential, spe, nash):
        solved = solve(game(name), limit=limit)
        assert not solved.complete
        assert solved.options["unsearched"]
        for e in solved:
            assert e.certificate.equilibrium


def test_branches_end_within_their_work():
    hunt = StrategicGame([[2, 0], [1.2, 1.2]], [[2, 1.2], [0, 1.2]])
    assert not qre(hunt, 20.0, limit=2)
    assert "principal branch from" in qre(hunt, 20.0, limit=2).options["unsearched"][0]
    some = qre(hunt, branch=True, limit=3)
    assert len(some) >= 2
    assert all(e.certificate.sequentially_rational for e in some)
    branch = qre_branch(hunt, limit=3)
    assert "limit=3 points reached" in branch.unsearched[0]
    assert not qre_branch(hunt).unsearched
    assert "reached" in qre_branches(hunt, precision=6.0, limit=20)[0].unsearched[0]
    with pytest.raises(ParameterError, match="time_limit must be a positive number"):
        qre_branch(hunt, time_limit=-1)


def test_a_batch_of_branches_says_which_were_not_reached(monkeypatch):
    x = symbols("x")
    reply = [move("B", {"l": end(A=x, B=1), "r": end(A=0, B=2)}, infoset="b") for _ in range(2)]
    tree = ExtensiveGame(("A", "B"), move("A", {"u": reply[0], "d": reply[1]}))
    whole = qre_batch(tree, at={"x": np.array([1.0, 2.0])}, precision=3.0)
    assert not whole.failed.any()
    monkeypatch.setattr(
        "deterrence.solvers.qre.iterate", lambda system, precision: (np.zeros((2, 2)), np.ones(2, bool))
    )
    monkeypatch.setattr("deterrence.solvers.budget.time.monotonic", iter(range(100)).__next__)
    late = qre_batch(tree, at={"x": np.array([1.0, 2.0])}, precision=3.0, time_limit=0.5)
    assert late.failed.all()
    assert np.isnan(late.actions).all()


def test_lemke_and_linear_programs_end_within_their_work():
    rng = np.random.default_rng(0)
    general = typed_tree(3, 3, 2, 0, zero_sum=False)
    solved = sequence_form(general, limit=1)
    assert not solved
    assert "limit=1 pivots reached" in solved.options["unsearched"][0]
    assert len(sequence_form(general)) == 1
    late = sequence_form(typed_tree(3, 3, 2, 0, zero_sum=True), limit=1)
    assert not late
    table = StrategicGame(rng.random((40, 40, 2)))
    with pytest.raises(SolverError, match="not solved within time_limit=1e-09 seconds"):
        correlated(table, time_limit=1e-9)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_an_interrupt_is_heard_while_compiled_code_runs():
    def interrupt(*_):
        raise KeyboardInterrupt

    release = threading.Event()
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            interruptible(lambda: release.wait(60))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        release.set()
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0)
    assert interruptible(lambda: 3) == 3


def test_a_stage_without_work_left_is_searched_for_pure_equilibria():
    budget = Budget("x", limit=1)
    assert budget.spend()
    assert not budget.spend()
    solved = sequential(game("vote-overflow"), limit=3)
    assert len(solved) >= 1
    assert not solved.complete

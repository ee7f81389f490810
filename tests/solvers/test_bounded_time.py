"""Searches end: hard games within their work, what is left is said, and time limits and interrupts are kept."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import numpy as np
import pytest

from deterrence.games.errors import ParameterError, SolverError
from deterrence.games.gambit.efg import read_efg
from deterrence.games.strategic import StrategicGame
from deterrence.solvers.budget import Budget
from deterrence.solvers.nash import nash
from deterrence.solvers.sequential import sequential
from deterrence.solvers.spe import spe
from deterrence.solvers.verification.tree import verify_tree

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


def test_errors_name_parameters_that_exist():
    with pytest.raises(SolverError, match="within limit=1 combinations of supports") as info:
        sequential(game("slow_seq"), limit=1)
    assert "time_limit" not in str(info.value) or "time_limit" in sequential.__kwdefaults__


def test_a_stage_without_work_left_is_searched_for_pure_equilibria():
    budget = Budget("x", limit=1)
    assert budget.spend()
    assert not budget.spend()
    solved = sequential(game("vote-overflow"), limit=3)
    assert len(solved) >= 1
    assert not solved.complete

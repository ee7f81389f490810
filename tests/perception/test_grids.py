"""Mistaken play at many points agrees with play at each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import deterrence as dt
from deterrence.games.errors import GameError, ParameterError
from deterrence.models import get
from deterrence.perception.grids import SubjectiveGrid
from deterrence.perception.subjective import subjective
from deterrence.perception.two_type_plans import two_type_plans

ALSIG = {"v_I": 0.4, "w": 1.0, "k": 0.2, "h": 0.0, "g": 1.0, "d": 1.0, "d1": 1.0, "v_R": 2.0}


def beer_quiche() -> dt.SignalingGame:
    p = dt.symbols("p")
    return dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


payoff_tables = arrays(np.float64, (2, 2, 2), elements=st.integers(-3, 3).map(float))


@given(u=payoff_tables, v=payoff_tables, p=st.sampled_from([0.2, 1 / 3, 0.5, 0.8]))
@settings(max_examples=120)
def test_two_type_plans_hold_every_vertex_of_every_equilibrium(u, v, p):
    """Ties included: every vertex of the complete solver's components is there, and nothing beyond them."""
    game = dt.SignalingGame(("a", "b"), ("m", "n"), ("r", "s"), [p, 1 - p], u, v)
    (senders, receivers), _ = two_type_plans(game)
    mine = [{tuple(np.round(row, 7)) for row in table[0] if not np.isnan(row[0])} for table in (senders, receivers)]
    theirs: list[set[tuple[float, ...]]] = [set(), set()]
    for e in dt.pbe(game):
        for vertex in e.vertices:
            theirs[0].add(tuple(np.round(np.repeat(vertex.sender.ravel(), 2), 7)))
            theirs[1].add(tuple(np.round(np.tile(vertex.receiver[0].ravel(), 2), 7)))
    for own, known in zip(mine, theirs, strict=True):
        assert {tuple(np.asarray(x) + 0.0) for x in known} <= {tuple(np.asarray(x) + 0.0) for x in own}
        low, high = (np.array(sorted(known)).min(axis=0), np.array(sorted(known)).max(axis=0))
        table = np.array(sorted(own))
        assert (table.min(axis=0) >= low - 1e-6).all()
        assert (table.max(axis=0) <= high + 1e-6).all()


def test_a_grid_agrees_with_its_points():
    rho = np.array([0.15, 0.3, 0.45, 0.6, 0.75])
    grid = subjective(get("ALSIG"), truth={**ALSIG, "rho": rho[:, None]}, beliefs={"Attacker": {"rho": rho[None]}})
    assert isinstance(grid, SubjectiveGrid)
    assert grid.shape == (5, 5)
    attack, war, unwanted = grid.probability("attack"), grid.probability("war"), grid.unwanted_war()
    missed = grid.missed_deterrence()
    for i, j in np.ndindex(5, 5):
        one = subjective(get("ALSIG"), truth={**ALSIG, "rho": rho[i]}, beliefs={"Attacker": {"rho": rho[j]}})
        for got, expect in (
            (attack, one.probability("attack")),
            (war, one.probability("war")),
            (unwanted, one.unwanted_war),
            (missed, one.missed_deterrence),
        ):
            assert (got[0][i, j], got[1][i, j]) == pytest.approx(expect, abs=1e-9)


def test_naming_the_concept_changes_nothing():
    rho = np.linspace(0.1, 0.9, 5)
    values = {"truth": {**ALSIG, "rho": rho[:, None]}, "beliefs": {"Attacker": {"rho": rho[None]}}}
    plain = subjective(get("ALSIG"), **values)
    for concept in (dt.pbe, "pbe", lambda game: dt.pbe(game)):  # the last is solved view by view
        for got, expect in zip(
            subjective(get("ALSIG"), **values, concept=concept).probability("attack"),
            plain.probability("attack"),
            strict=True,
        ):
            assert got == pytest.approx(expect, abs=1e-9)


def test_aligned_arrays_and_a_symbolic_game():
    p, q = np.array([0.1, 0.4, 0.7, 0.9]), np.array([0.8, 0.4, 0.2, 0.6])
    grid = subjective(beer_quiche(), truth={"p": p}, beliefs={"Receiver": {"p": q}}, attack="duel")
    low, high = grid.probability("duel")
    for i in range(4):
        one = subjective(beer_quiche(), truth={"p": p[i]}, beliefs={"Receiver": {"p": q[i]}}, attack="duel")
        assert (low[i], high[i]) == pytest.approx(one.probability("duel"), abs=1e-9)


def test_a_selection_and_nesting_work_over_arrays_too():
    rho = np.array([0.2, 0.35, 0.7])
    select = "d1, best for Guarantor"
    grid = subjective(get("ALSIG"), truth={**ALSIG, "rho": 0.6}, beliefs={"Attacker": {"rho": rho}}, select=select)
    nested = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": 0.6},
        beliefs={"Attacker": {"rho": rho, "believes": {"Guarantor": {"rho": 0.6}}}}, select=select,
    )  # fmt: skip
    for i, x in enumerate(rho):
        one = subjective(get("ALSIG"), truth={**ALSIG, "rho": 0.6}, beliefs={"Attacker": {"rho": x}}, select=select)
        both = subjective(
            get("ALSIG"), truth={**ALSIG, "rho": 0.6},
            beliefs={"Attacker": {"rho": x, "believes": {"Guarantor": {"rho": 0.6}}}}, select=select,
        )  # fmt: skip
        assert [a[i] for a in grid.probability("attack")] == pytest.approx(list(one.probability("attack")), abs=1e-9)
        assert [a[i] for a in nested.probability("attack")] == pytest.approx(list(both.probability("attack")), abs=1e-9)


def test_trees_over_arrays():
    w = dt.symbols("w")
    game = dt.ExtensiveGame(("A", "D"), dt.move("A", {
        "refrain": dt.end("peace", A=0, D=1),
        "attack": dt.move("D", {
            "fight": dt.end("war", A=-1, D=w), "yield": dt.end("conquest", A=1, D=0)})}))  # fmt: skip
    values = np.array([-0.5, 0.5])
    grid = subjective(game, truth={"w": values[:, None]}, beliefs={"A": {"w": values[None]}})
    assert grid.probability("war")[0].tolist() == [[0, 0], [1, 0]]
    assert grid.unwanted_war()[1].tolist() == [[0, 0], [1, 0]]
    assert grid.probability("attack")[0].tolist() == [[1, 0], [1, 0]]


def test_a_filled_mesh_is_the_open_one():
    """Arrays that repeat few values, point by point, are solved as what they are: a grid."""
    rho = np.linspace(0.05, 0.95, 110)
    truth, seen = np.meshgrid(rho, rho[::-1], indexing="ij")
    filled = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": truth.ravel()}, beliefs={"Attacker": {"rho": seen.ravel()}}
    )
    opened = subjective(
        get("ALSIG"), truth={**ALSIG, "rho": rho[:, None]}, beliefs={"Attacker": {"rho": rho[None, ::-1]}}
    )
    assert filled.shape == (110 * 110,)
    for event in ("attack", "war"):
        for got, expect in zip(filled.probability(event), opened.probability(event), strict=True):
            assert got == pytest.approx(expect.ravel(), abs=1e-12)
    assert filled.unwanted_war()[1] == pytest.approx(opened.unwanted_war()[1].ravel(), abs=1e-12)


def test_likelihood_of_attack_falls_in_perceived_resolve():
    rho = np.linspace(0.02, 0.98, 49)
    grid = subjective(get("ALSIG"), truth={**ALSIG, "rho": rho[:, None]}, beliefs={"Attacker": {"rho": rho[None]}})
    low, high = grid.probability("attack")
    assert (low <= high + 1e-12).all()
    assert (high[:, :24].min(axis=1) >= high[:, 26:].max(axis=1) - 1e-9).all()


def test_a_scenario_over_arrays():
    scenario = dt.Scenario.load("textbook")
    name = scenario.game().aggressor.name
    shift = np.array([-0.2, 0.0, 0.2])
    grid = subjective(scenario, beliefs={name: {"members.*.cost.location": {"add": shift}}})
    low, _ = grid.probability("attack")
    assert low.shape == (3,)
    assert (np.diff(low) >= -1e-12).all()  # the dearer war seems to its ally, the less is the aggressor deterred
    with pytest.raises(ParameterError, match="no event 'flood'"):
        grid.probability("flood")


def test_a_noisy_aggressor_in_a_scenario():
    """Uniform without precision, the best reply in the limit, and in between what quadrature by hand says."""
    scenario = dt.Scenario.load("textbook")
    game = scenario.game()
    exact = subjective(scenario)
    limit = subjective(scenario, concept="qre 1e12")
    for event in ("attack", "war", "refrain"):
        assert limit.probability(event) == pytest.approx(exact.probability(event), abs=1e-8)
    assert limit.unwanted_war() == pytest.approx(exact.unwanted_war, abs=1e-8)
    kinds = len(game.attacks)
    assert subjective(scenario, concept="qre 0").probability("attack") == pytest.approx((kinds / (kinds + 1),) * 2)
    (value,), noisy = game.aggressor_choice().slopes, subjective(scenario, concept="qre 3")
    prizes = game.aggressor.prize.ppf((np.arange(20_000) + 0.5) / 20_000)
    worth = 3 * (prizes * value - game.aggressor_choice().costs[0])
    assert noisy.probability("attack")[0] == pytest.approx((1 / (1 + np.exp(-worth))).mean(), abs=1e-7)
    shift = np.array([-0.2, 0.0, 0.2])
    name = game.aggressor.name
    grid = subjective(scenario, beliefs={name: {"members.*.cost.location": {"add": shift}}}, concept="qre 5")
    one = subjective(scenario, concept="qre 5")
    assert grid.probability("attack")[0][1] == pytest.approx(float(one.probability("attack")[0]), abs=1e-12)


@pytest.mark.parametrize("concept", ["pbe", "qre", "qre much", "qre -1", "level 1"])
def test_concepts_that_a_scenario_does_not_take(concept):
    with pytest.raises(ParameterError, match="concept='qre PRECISION'"):
        subjective(dt.Scenario.load("textbook"), concept=concept)


def test_bad_input():
    with pytest.raises(ParameterError, match="must broadcast"):
        subjective(
            get("ALSIG"),
            truth={**ALSIG, "rho": np.array([0.1, 0.2])},
            beliefs={"Attacker": {"rho": np.array([0.1] * 3)}},
        )
    p = dt.symbols("p")
    three = dt.ExtensiveGame(
        ("A", "B", "C"), dt.chance({"x": (p, dt.end(A=0, B=0, C=0)), "y": (1 - p, dt.end(A=1, B=0, C=0))})
    )
    with pytest.raises(GameError, match="two players, got 3"):
        subjective(three, truth={"p": np.array([0.1, 0.2])})

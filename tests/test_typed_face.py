"""What a type checker knows of the top-level API: right uses have their types, wrong uses are errors.

``make types`` checks this file, too. A right use states its type by ``assert_type``; a wrong one names the error
that it must be by ``type: ignore[...]``, and mypy, being strict, rejects one that is not needed.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

import deterrence
import deterrence as dt
from deterrence.perception.detection import Detection
from deterrence.solvers.logit.batches import BehaviorBatch

PACKAGES = ("deterrence", *(f"deterrence.{package}" for package in deterrence._PACKAGES))


def beer_quiche(strong: Any) -> dt.SignalingGame:
    return dt.SignalingGame(
        types=("strong", "weak"),
        messages=("beer", "quiche"),
        responses=("duel", "not"),
        prior=[strong, 1 - strong],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]],
        receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )


def test_right_uses_have_their_types() -> None:
    game = beer_quiche(0.9)
    found = dt.pbe(game)
    assert_type(found, dt.EquilibriumSet)
    assert_type(found[0], dt.Equilibrium)
    assert_type(found[0].certificate, dt.Certificate | None)
    assert_type(dt.verify(game, found[0]), dt.Certificate)
    strong: NDArray[np.float64] = np.linspace(0.05, 0.95, 3)
    batch = dt.pbe(beer_quiche(dt.symbols("p")), at={"p": strong})
    assert_type(batch, dt.BatchEquilibria)
    assert_type(dt.pbe_batch(beer_quiche(dt.symbols("p")), at={"p": strong}), dt.BatchEquilibria)
    assert isinstance(batch, dt.BatchEquilibria)
    tree = dt.ExtensiveGame(("A",), dt.move("A", {"attack": dt.end(A=1), "refrain": dt.end(A=0)}))
    assert_type(dt.spe(tree, exact=True), dt.EquilibriumSet)
    assert_type(dt.subjective(tree, truth={}, beliefs={"A": {}}), dt.SubjectiveOutcome)
    assert_type(dt.spe_batch(tree), BehaviorBatch)
    assert_type(dt.qre(tree, 2.0), dt.EquilibriumSet)
    assert_type(dt.qre_batch(tree, precision=2.0), BehaviorBatch)
    scenario = dt.Scenario.load("textbook")
    assert_type(scenario, dt.Scenario)
    assert_type(scenario.game(), dt.CollectiveDefence)
    assert_type(dt.models.get("ALSIG"), dt.Model)
    assert_type(dt.models.sunk_cost(), dt.Model)
    assert_type(dt.perception.signal_detection(0.5, 0.4, 1.0), Detection)


def test_one_game_and_a_batch_have_types_of_their_own() -> None:
    p = dt.symbols("p")
    weak, firm = (
        dt.move("A", {"attack": dt.end("war", A=gain, B=-1), "refrain": dt.end("peace", A=0, B=0)}, infoset="A")
        for gain in (1, -1)
    )
    crisis = dt.ExtensiveGame(("A", "B"), dt.chance({"weak": (p, weak), "firm": (1 - p, firm)}))
    shares: NDArray[np.float64] = np.array([0.2, 0.8])
    one = dt.subjective(crisis, truth={"p": 0.2}, beliefs={"A": {"p": 0.8}})
    assert_type(one, dt.SubjectiveOutcome)
    over_beliefs = dt.subjective(crisis, truth={"p": 0.2}, beliefs={"A": {"p": shares}})
    assert_type(over_beliefs, dt.SubjectiveGrid)
    over_truths = dt.subjective(crisis, truth={"p": shares}, beliefs={"A": {"p": 0.8}})
    assert_type(over_truths, dt.SubjectiveGrid)
    assert isinstance(one, dt.SubjectiveOutcome)
    assert isinstance(over_beliefs, dt.SubjectiveGrid)
    assert isinstance(over_truths, dt.SubjectiveGrid)


def wrong_uses(game: dt.SignalingGame, matrix: dt.StrategicGame) -> None:
    """Never called; each line is an error of the kind that it names."""
    dt.pbe(1, 2, 3, nonsense=4)  # type: ignore[call-overload]
    dt.pbe(game, exactly=True)  # type: ignore[call-overload]
    dt.pbe(matrix)  # type: ignore[call-overload]
    dt.spe(game)  # type: ignore[arg-type]
    dt.nash(matrix, method="vertexes")  # type: ignore[arg-type]
    dt.qre(matrix, precision="high")  # type: ignore[arg-type]
    dt.pbe(game).equilibrium  # type: ignore[attr-defined]  # noqa: B018
    dt.no_such_name  # type: ignore[attr-defined]  # noqa: B018
    dt.models.no_such_model()  # type: ignore[attr-defined]
    dt.Scenario.load(3)  # type: ignore[arg-type]
    dt.Member(name="Ally", capabilty=1)  # type: ignore[call-arg]


def imports_for_type_checkers(package: str) -> dict[str, str]:
    """Return the file of each name that a package imports for type checkers alone."""
    source = Path(str(importlib.import_module(package).__file__)).read_text("utf-8")
    return {
        alias.name: f"{node.module}"
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_what_is_there(package: str) -> None:
    handed_on = importlib.import_module(package)
    packages = dict.fromkeys(getattr(handed_on, "_PACKAGES", ()), package)
    homes = {name: f"{package}.{file}" for name, file in handed_on._HOME.items()}
    assert imports_for_type_checkers(package) == {**homes, **packages}


@pytest.mark.parametrize("name", deterrence._MOVED)
def test_a_name_that_moved_warns_and_is_the_same(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"dt\.{name} is now dt\.perception\.{name}"):
        former = getattr(dt, name)
    assert former is getattr(dt.perception, name)
    assert name not in dt.__all__
    assert name not in dir(dt)


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(AttributeError, match=r"'deterrence\.perception' has no attribute 'obserfe'; did you mean 'obs"):
        _ = dt.perception.obserfe  # type: ignore[attr-defined]
    with pytest.raises(
        AttributeError, match=r"'deterrence\.models' has no attribute 'sunk_costs'; did you mean 'sunk_c"
    ):
        _ = dt.models.sunk_costs  # type: ignore[attr-defined]

r"""Logit quantal responses in games of two players with two actions each (McKelvey and Palfrey 1995).

Row and column choose at once. Each plays its first action with probability Lam(lam d), where d is the gain in expected
payoff from its first over its second action, given how the other plays, and Lam(z) = 1 / (1 + exp(-z)). At lam = 0
both toss a coin; the *principal branch* is the path of equilibria that starts there as lam grows. Its limit is a Nash
equilibrium. The default payoffs are a hybrid attack (attack, hold) against guarding (guard, relax).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isinf
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from deterrence.games.continuous import ContinuousGame, Indifferent
from deterrence.games.errors import ParameterError, SolverError
from deterrence.games.parameters import Parameter
from deterrence.games.strategic import StrategicGame
from deterrence.models.model import Model
from deterrence.models.outcomes import mixed_strategies
from deterrence.models.parameter_table import Series

Table = list[list[float]]
Line = tuple[float, float]  # value at 0 and at 1 of a gain that is linear in the other's probability

NEAR = 300.0  # precision times the largest payoff difference that shows which Nash equilibrium the branch approaches

PARAMETERS = (
    Series("A", ((-1, 2), (0, 0)), unit="row", meaning="payoffs of row, by row's and column's action"),
    Series("B", ((0.5, -2), (-0.5, 0)), unit="column", meaning="payoffs of column, by row's and column's action"),
    Parameter("lam", 2, 0, float("inf"), "one over payoff", "precision of responses; infinite: the limit"),
)


def quantal_response() -> Model:
    """Return the model."""
    return Model(
        "QRE",
        table_game,
        PARAMETERS,
        (),
        "McKelvey and Palfrey 1995",
        title="Logit quantal responses of two by two",
        mechanism="a player's own payoffs move its behaviour, as data show and mixed equilibrium denies",
        concept="qre",
        confidence="A",
        closed_form=principal_branch,
        read=read_branch,
        draw=draw,
        formulas={
            "row": r"p = \Lambda(\lambda [q (A_{11} - A_{21}) + (1 - q)(A_{12} - A_{22})])",
            "column": r"q = \Lambda(\lambda [p (B_{11} - B_{12}) + (1 - p)(B_{21} - B_{22})])",
        },
        differs="in the game object payoffs are multiplied by the precision",
    )


def table_game(A: Table, B: Table, lam: float) -> Any:
    """Return the game with payoffs multiplied by the precision; for infinite precision, beside it the indifferences."""
    row, column = gains(A, B)
    if not isinf(lam):
        return _scaled(A, B, lam)
    if 0 in (*row, *column):
        raise ParameterError(f"QRE requires payoffs without ties for lam = infinity, got A = {A}, B = {B}")
    return {
        "near the limit": _scaled(A, B, NEAR / max(map(abs, (*row, *column)))),
        "indifference": ContinuousGame(("Row", "Column"), {
            "q": Indifferent(lambda q, _: at(row, q), 0, 1, otherwise="none"),
            "p": Indifferent(lambda p, _: at(column, p), 0, 1, otherwise="none"),
        }),
    }  # fmt: skip


def gains(A: Table, B: Table) -> tuple[Line, Line]:
    """Return each player's gain from its first action, where the other plays its second and its first for sure.

    Raises
    ------
    ParameterError
        If a table is not two by two.
    """
    if np.shape(A) != (2, 2) or np.shape(B) != (2, 2):
        raise ParameterError(f"QRE requires A and B of two rows and two columns, got A = {A}, B = {B}")
    return (A[0][1] - A[1][1], A[0][0] - A[1][0]), (B[1][0] - B[1][1], B[0][0] - B[0][1])


def at(line: Line, chance: Any) -> Any:
    """Return a gain where the other plays its first action with a chance."""
    return (1 - chance) * line[0] + chance * line[1]


def principal_branch(A: Table, B: Table, lam: float) -> dict[str, Any]:
    """Return the chances of the first actions on the principal branch."""
    row, column = gains(A, B)
    p, q = _limit(row, column, A, B) if isinf(lam) else _branch(row, column, lam)
    return {"p_row_first": p, "q_col_first": q}


def read_branch(solution: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; in the limit, the Nash equilibrium nearest to the branch."""
    if not isinstance(solution, dict):
        p, q = (float(x[0]) for x in mixed_strategies(solution[0].profile))
        return {"p_row_first": p, "q_col_first": q}
    p, q = (float(x[0]) for x in mixed_strategies(solution["near the limit"][0].profile))
    row, column = gains(params["A"], params["B"])
    nash = [(x, y) for x in (0.0, 1.0) for y in (0.0, 1.0) if _best(x, at(row, y)) and _best(y, at(column, x))]
    nash += [
        (found["p"], found["q"])
        for found in solution["indifference"]
        if found["p"] is not None and found["q"] is not None
    ]
    p, q = min(nash, key=lambda pair: abs(pair[0] - p) + abs(pair[1] - q))
    return {"p_row_first": p, "q_col_first": q}


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random games, some of them with several equilibria."""
    A, B = (rng.normal(size=(2, 2)).tolist() for _ in range(2))
    lam = float("inf") if rng.uniform() < 0.15 else float(rng.uniform(0, 6))
    return {"A": A, "B": B, "lam": lam}


def _scaled(A: Table, B: Table, lam: float) -> StrategicGame:
    names = (("attack", "hold"), ("guard", "relax")) if [A, B] == _DEFAULT else None
    return StrategicGame(lam * np.asarray(A), lam * np.asarray(B), strategies=names)


_DEFAULT = [[[-1.0, 2.0], [0.0, 0.0]], [[0.5, -2.0], [-0.5, 0.0]]]


def _best(chance: float, gain: float) -> bool:
    return bool(gain >= 0 if chance == 1 else gain <= 0)


def _branch(row: Line, column: Line, lam: float) -> tuple[float, float]:
    r"""Return the principal branch at a precision, in log-odds x of row and y of column.

    With x = lam a(Lam(y)) and y = lam b(Lam(x)), a and b linear: if a and b do not rise together the equilibrium is
    unique. If they do (after relabelling, both rise) and a, b have the same sign at 1/2, the branch stays in that
    quadrant, where x -> lam a(Lam(lam b(Lam(x)))) is concave, and so the equilibrium there is unique. In what remains
    the branch may bend back, and is followed by its length.
    """
    slopes = (row[1] - row[0]) * (column[1] - column[0])
    start = at(row, 0.5), at(column, 0.5)
    most = lam * max(map(abs, row)) + 1

    def gap(x: float) -> float:
        return float(x - lam * at(row, expit(lam * at(column, expit(x)))))

    if slopes <= 0:
        x = brentq(gap, -most, most, xtol=1e-15, rtol=1e-14)
    elif start[0] * start[1] * np.sign(row[1] - row[0]) >= 0:
        side = np.sign(start[0]) or np.sign(start[1]) * np.sign(row[1] - row[0])
        x = brentq(gap, 0.0, side * most, xtol=1e-15, rtol=1e-14) if side and gap(0.0) else 0.0
    else:
        x = _followed(row, column, lam)
    return float(expit(x)), float(expit(lam * at(column, expit(x))))


def _followed(row: Line, column: Line, lam: float) -> float:
    """Return row's log-odds where the branch, followed by length from uniform play, first has a precision."""
    unit = 1 / max(map(abs, (*row, *column)))
    (a0, a1), (b0, b1) = (tuple(unit * z for z in line) for line in (row, column))
    goal = lam / unit

    def system(v: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y, rate = v
        p, q = expit(x), expit(y)
        a, b = at((a0, a1), q), at((b0, b1), p)
        slope_a, slope_b = (a1 - a0) * q * (1 - q), (b1 - b0) * p * (1 - p)
        return np.array([x - rate * a, y - rate * b]), np.array([[1, -rate * slope_a, -a], [-rate * slope_b, 1, -b]])

    def corrected(v: NDArray[np.float64], normal: NDArray[np.float64], level: float) -> NDArray[np.float64] | None:
        for _ in range(12):
            error, jacobian = system(v)
            residual = np.append(error, normal @ v - level)
            step = np.linalg.solve(np.vstack([jacobian, normal]), residual)
            v = v - step
            if np.abs(step).max() <= 1e-13 * max(1.0, np.abs(v).max()):
                return v
        return None

    def tangent(v: NDArray[np.float64]) -> NDArray[np.float64]:  # in a sense that is kept along a branch
        across = np.asarray(np.cross(*system(v)[1]), dtype=np.float64)
        across /= np.linalg.norm(across)
        return across

    here, sense, length = np.zeros(3), 1.0, 0.1
    for _ in range(20_000):
        ahead = sense * tangent(here)
        guess = here + length * ahead
        there = corrected(guess, ahead, float(ahead @ guess))
        if there is None or np.linalg.norm(there - guess) > 0.1 * length:
            length /= 2
            continue
        if sense * tangent(there) @ ahead < 0.8:
            if length > 1e-4:  # it bends, or another branch was hit, which runs the other way
                length /= 2
                continue
            sense = -sense  # a branch crosses here
        if there[2] >= goal:
            share = (goal - here[2]) / (there[2] - here[2])
            last = corrected(here + share * (there - here), np.array([0.0, 0.0, 1.0]), goal)
            if last is not None and (sense * tangent(last)[2] > 0 or length <= 1e-4):
                return float(last[0])
            length /= 2
            continue
        here, length = there, min(1.5 * length, 2.0)
    raise SolverError(f"the principal branch could not be followed to lam = {lam:g}")


def _limit(row: Line, column: Line, A: Table, B: Table) -> tuple[float, float]:
    """Return the Nash equilibrium that the principal branch approaches."""
    if 0 in (*row, *column):
        raise ParameterError(f"QRE requires payoffs without ties for lam = infinity, got A = {A}, B = {B}")
    nash = [(p, q) for p in (0.0, 1.0) for q in (0.0, 1.0) if _best(p, at(row, q)) and _best(q, at(column, p))]
    if row[0] * row[1] < 0 and column[0] * column[1] < 0:
        nash.append((column[0] / (column[0] - column[1]), row[0] / (row[0] - row[1])))
    if len(nash) == 1:
        return nash[0]
    p, q = _branch(row, column, NEAR / max(map(abs, (*row, *column))))
    return min(nash, key=lambda pair: abs(pair[0] - p) + abs(pair[1] - q))

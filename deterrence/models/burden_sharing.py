r"""Burden sharing in an alliance whose defence is a pure public good (Olson and Zeckhauser 1966).

Member i has income w_i, gives x_i >= 0 to a common defence X = sum of x_i, and consumes the rest; its utility is
ln(w_i - x_i) + beta ln X. All give at once. Incomes, contributions and X are in one unit of money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deterrence.games.continuous import Best, ContinuousGame, Given, Indifferent
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.parameter_table import Series

PARAMETERS = (
    Series("incomes", (10, 9, 8), 1e-9, 1e9, "money", "income of each member"),
    Parameter("beta", 0.5, 1e-6, 1e3, "utility", "weight of the common defence"),
)


def public_defence() -> Model:
    """Return the model."""
    return Model(
        "OZ",
        giving,
        PARAMETERS,
        (),
        "Olson and Zeckhauser 1966; Bergstrom, Blume and Varian 1986",
        title="Burden sharing",
        mechanism="the rich give more than in proportion, the small nothing, and all together too little",
        concept="cutpoints",
        confidence="B",
        closed_form=nash_contributions,
        read=read_giving,
        draw=draw,
        formulas={
            "m contributors": r"X = \beta W_m / (\beta + m), \quad x_i = w_i - X / \beta",
            "active iff": r"w_i > X / \beta",
            "efficient": r"X = \beta W / (\beta + 1)",
        },
        differs="utility is logarithmic",
    )


def giving(incomes: Sequence[float], beta: float) -> ContinuousGame:
    """Return the total at which what members give adds up to it, and the efficient total.

    Given the total X, a member's marginal utility of giving is beta / X and of keeping 1 / (w - x): it gives until
    these are equal, or nothing if keeping is worth more from the start. The efficient total is what a planner chooses
    who can move incomes between members and so lets all consume alike.
    """
    income = np.asarray(incomes, dtype=np.float64)
    wealth = float(income.sum())

    def gives(X: Any) -> Any:  # shape (..., N)
        kept = 1 / (beta / np.asarray(X)[..., None])
        return np.maximum(0, income - kept)

    def planner(X: Any, _: Mapping[str, Any]) -> Any:
        return np.log((wealth - X) / len(income)) + beta * np.log(X)

    return ContinuousGame(tuple(f"member {i + 1}" for i in range(len(income))), {
        "X": Indifferent(lambda X, _: gives(X).sum(axis=-1) - X, wealth * 1e-12, wealth),
        "contributions": Given(lambda known: gives(known["X"])),
        "X_efficient": Best(planner, 0, wealth),
    })  # fmt: skip


def nash_contributions(incomes: Sequence[float], beta: float) -> dict[str, Any]:
    """Return the equilibrium: the m richest give, for the m at which just they want to."""
    income = np.asarray(incomes, dtype=np.float64)
    richest = np.sort(income)[::-1]
    totals = beta * np.cumsum(richest) / (beta + np.arange(1, len(income) + 1))
    m = int(np.flatnonzero(richest > totals / beta)[-1])
    X = float(totals[m])
    return _burden(np.maximum(0, income - X / beta), income, X, beta * float(income.sum()) / (beta + 1))


def read_giving(solutions: tuple[dict[str, Any], ...], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution."""
    (found,) = solutions
    return _burden(found["contributions"], np.asarray(params["incomes"]), found["X"], found["X_efficient"])


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random alliances with few and many contributors."""
    spread = float(rng.uniform(0.1, 1.5))
    return {
        "incomes": (10 * np.exp(rng.normal(scale=spread, size=int(rng.integers(1, 8))))).tolist(),
        "beta": float(rng.uniform(0.1, 3)),
    }


def _burden(given: Any, income: Any, X: float, efficient: float) -> dict[str, Any]:
    given = np.asarray(given, dtype=np.float64)
    return {
        "X": X,
        "contributions": given.tolist(),
        "shares_of_income": (given / income).tolist(),
        "contributors": int((given > 1e-9 * income).sum()),
        "X_efficient": efficient,
    }

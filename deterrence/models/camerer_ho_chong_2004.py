r"""Cognitive hierarchy in symmetric 2x2 games (Camerer, Ho and Chong 2004).

Two players choose at once between a first and a second action (arm or trust, escalate or yield); ``payoffs`` are the
row player's, a row for each of its actions, and the column player's are the same with the roles exchanged. A player of
level 0 chooses at random; one of level k thinks that the other is of some level below k, with Poisson weights of mean
tau made to sum to one, and replies to that; ties are broken evenly. Levels go up to K, and the population's weights are
made to sum to one as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.parameters import Parameter
from deterrence.games.strategic import StrategicGame
from deterrence.models.misperceived import MisperceivedModel
from deterrence.models.model import Model
from deterrence.models.parameter_table import Series
from deterrence.perception.levels import LevelPlay, cognitive_hierarchy

PARAMETERS = (
    Series("payoffs", ((1, 2), (-1, 3)), -1e6, 1e6, "own", "row player's payoffs, by its action and the other's"),
    Parameter("tau", 1.5, 1e-6, 50, "steps", "average number of steps of thinking"),
    Parameter("K", 12, 1, 60, "count", "highest level"),
)
ACTIONS = ("first", "second")
SHOWN = 4  # levels whose choices are listed: 0 to 3


def poisson_hierarchy() -> Model:
    """Return the model."""
    return MisperceivedModel(
        "CH",
        symmetric_game,
        PARAMETERS,
        ("first",),
        "Camerer, Ho and Chong 2004",
        title="Cognitive hierarchy in symmetric 2x2 games",
        mechanism="players who think a few steps arm where trust would be an equilibrium",
        concept="nash",
        confidence="A",
        closed_form=hierarchy,
        perceive=lambda game, params: cognitive_hierarchy(game, tau=params["tau"], levels=int(params["K"])),
        read=read_hierarchy,
        draw=draw,
        formulas={
            "weights": r"f(k) \propto e^{-\tau} \tau^k / k!, \quad k = 0, \dots, K",
            "level k replies to": r"\sum_{h < k} f(h) \sigma_h \Big/ \sum_{h < k} f(h)",
        },
    )


def symmetric_game(payoffs: list[list[float]], tau: float = 1.5, K: float = 12) -> StrategicGame:
    """Return the game; how players think is no part of it."""
    del tau, K
    rows = _square(payoffs)
    return StrategicGame(rows, rows.T, strategies=[list(ACTIONS)] * 2)


def hierarchy(payoffs: list[list[float]], tau: float, K: float) -> dict[str, Any]:
    """Return what levels 0 to 3 choose, and the population's share of the first action."""
    rows, top = _square(payoffs), int(K)
    weights = np.array([tau**k / factorial(k) for k in range(top + 1)])
    slack = 1e-9 * max(float(np.ptp(rows)), np.finfo(float).tiny)
    first = np.zeros(top + 1)  # share of the first action at each level
    first[0] = 0.5
    for k in range(1, top + 1):
        seen = float(weights[:k] @ first[:k] / weights[:k].sum())
        gain = float((rows[0] - rows[1]) @ np.array([seen, 1 - seen]))
        first[k] = 0.5 if abs(gain) <= slack else float(gain > 0)
    return {
        "level_choices": [[float(p), float(1 - p)] for p in first[:SHOWN]],
        "P_first": float(weights @ first / weights.sum()),
    }


def read_hierarchy(solution: LevelPlay, _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the play of each level."""
    shares = [next(iter(level["Row"].values())) for level in solution.choices[:SHOWN]]
    population = next(iter(solution.strategies["Row"].values()))
    return {
        "level_choices": [[float(share[action]) for action in ACTIONS] for share in shares],
        "P_first": float(population["first"]),
    }


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random games, of every strategic kind."""
    rows = rng.uniform(-2, 4, (2, 2)).tolist()
    return {"payoffs": rows, "tau": float(rng.uniform(0.1, 4)), "K": int(rng.integers(1, 15))}


def _square(payoffs: list[list[float]]) -> Any:
    rows = np.asarray(payoffs, dtype=np.float64)
    if rows.shape != (2, 2):
        raise ParameterError(f"payoffs must be two rows of two numbers, got {payoffs!r}")
    return rows

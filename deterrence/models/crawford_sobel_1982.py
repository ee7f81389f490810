r"""Cheap talk between allies that see a threat differently.

The sender knows how severe a threat is, uniform on [0, 1], and says something that costs nothing. The receiver then
picks a response. The receiver loses the square of the distance between its response and the severity; the sender's
ideal response is larger by ``bias`` > 0, and it loses the square of the distance to that. In equilibrium only the cell
of a partition of [0, 1] is told, and the receiver responds with its mean. There is one equilibrium with N cells for
each N up to N_max; unless N is given, the most informative is meant.

The solver looks for the first cutpoint from which the sender's indifference at every cutpoint (the response above is
as far above its ideal as the one below is below it) leads to exactly 1 after N cells.

References
----------
.. [1] V. P. Crawford and J. Sobel, "Strategic Information Transmission", Econometrica 50 (1982), 1431-1451.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from deterrence.games.continuous import ContinuousGame, Given, Indifferent, Mean, Uniform, Unknown
from deterrence.games.parameters import Parameter
from deterrence.models.model import Model
from deterrence.models.variants import Variant
from deterrence.models.whole_numbers import whole
from deterrence.solvers.cheap_talk import most_cells, partition_cutpoints

PARAMETERS = (
    Parameter("bias", 0.05, 1e-4, 100, "severity", "how much more the sender wants"),
    Parameter("N", 1, 1, 1000, "count", "cells of the partition"),
)
ROUNDING = 1e-12


def cheap_talk() -> Model:
    """Return the model."""
    return Model(
        "CS",
        talk_game,
        PARAMETERS,
        ("EU_receiver", "EU_sender", "N_max"),
        "Crawford and Sobel 1982",
        title="Cheap talk between allies with different threat perceptions",
        mechanism="the further apart two allies' perceptions are, the coarser what they can tell each other",
        concept="cutpoints",
        confidence="A",
        takes=("bias",),
        closed_form=most_informative,
        read=read_talk,
        draw=draw,
        variants=(
            Variant(
                requires=("2 * bias * N * (N - 1) < 1",),
                game=talk_game,
                closed_form=partition,
                read=read_talk,
                draw=draw_cells,
            ),
        ),
        formulas={
            "most cells": r"N_{max} = \lceil -\frac12 + \frac12 \sqrt{1 + 2/b} \rceil",
            "cutpoints": r"a_i = i/N + 2 b i (i - N)",
            "receiver": r"EU_R = -\left[\frac{1}{12 N^2} + \frac{b^2 (N^2 - 1)}{3}\right], \quad EU_S = EU_R - b^2",
        },
    )


def walk(first: Any, bias: float, cells: int) -> list[Any]:
    """Return the cutpoints that a first one leads to by the sender's indifference at each.

    The mean of a cell is the receiver's response to it. At a cutpoint the sender's ideal, bias above it, is halfway
    between the responses below and above.
    """
    points, response = [np.zeros_like(first), first], first / 2
    for _ in range(cells - 1):
        ideal = points[-1] + bias
        response = ideal + (ideal - response)
        points.append(response + (response - points[-1]))
    return points


def talk_game(bias: float, N: float | None = None) -> ContinuousGame:
    """Return the first cutpoints of the partitions with 1, 2, ... cells, and what one of them is worth to both allies.

    Responses to neighbouring cells lie more than twice the bias apart, which bounds how many there can be.
    """

    def first(cells: int) -> Indifferent:
        def overshoot(x: Any, known: Mapping[str, Any]) -> Any:  # without n - 1 cells there are no n: cells grow
            possible = cells == 1 or known[name(cells - 1)] is not None
            return walk(x, bias, cells)[-1] - 1 if possible else np.ones_like(x)

        return Indifferent(overshoot, 0, 1, otherwise="none")

    counts = range(1, 2 + math.ceil(1 / (2 * bias)))
    name = "cells {}".format

    def usable(known: Mapping[str, Any]) -> list[int]:
        return [n for n in counts if known[name(n)] is not None and known[name(n)] > ROUNDING]

    def cutpoints(known: Mapping[str, Any]) -> list[float]:
        cells = known["N"]
        return [float(x) for x in walk(np.float64(known[name(cells)]), bias, cells)]

    def responses(known: Mapping[str, Any]) -> list[float]:
        points = known["cutpoints"]
        return [(low + high) / 2 for low, high in pairwise(points)]

    def loss(extra: float) -> Mean:
        def payoff(u: Any, known: Mapping[str, Any]) -> Any:  # u is the place within a cell
            points = np.array(known["cutpoints"])
            width = np.diff(points)
            severity = points[:-1] + width * u
            return -np.sum(width * (np.array(known["actions"]) - severity - extra) ** 2)

        return Mean(payoff, Uniform(0, 1))

    unknowns: dict[str, Unknown] = {name(n): first(n) for n in counts}
    return ContinuousGame(("Sender", "Receiver"), {
        **unknowns,
        "N": Given(lambda known: max(usable(known)) if N is None else int(N)),
        "cutpoints": Given(cutpoints),
        "actions": Given(responses),
        "EU_receiver": loss(0.0),
        "EU_sender": loss(bias),
    })  # fmt: skip


def most_informative(bias: float) -> dict[str, Any]:
    """Return the partition with the most cells."""
    return partition(bias, int(most_cells(bias)))


def partition(bias: float, N: float) -> dict[str, Any]:
    """Return the partition with N cells, the responses, and what it is worth to both allies."""
    cells = whole("N", N)
    points = [float(x) for x in partition_cutpoints(bias, cells)]
    receiver = -(1 / (12 * cells**2) + bias**2 * (cells**2 - 1) / 3)
    return {
        "N_max": int(most_cells(bias)),
        "N": cells,
        "cutpoints": points,
        "actions": [(low + high) / 2 for low, high in pairwise(points)],
        "EU_receiver": receiver,
        "EU_sender": receiver - bias**2,
    }


def read_talk(solutions: tuple[dict[str, Any], ...], _: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same off the solution; N_max is the most cells for which there is a partition."""
    (found,) = solutions
    cells = [
        int(key.split()[1]) for key, x in found.items() if key.startswith("cells") and x is not None and x > ROUNDING
    ]
    own = {key: found[key] for key in ("N", "cutpoints", "actions", "EU_receiver", "EU_sender")}
    return {"N_max": max(cells), **own}


def draw(rng: np.random.Generator) -> dict[str, float]:
    """Return a random bias, from a few percent to one that rules out talk."""
    return {"bias": float(np.exp(rng.uniform(np.log(0.01), np.log(0.5))))}


def draw_cells(rng: np.random.Generator) -> dict[str, Any]:
    """Return a random bias and a number of cells that it allows."""
    bias = draw(rng)["bias"]
    return {"bias": bias, "N": int(rng.integers(1, int(most_cells(bias)) + 1))}

"""Whether the data are separated, by a linear programme: a direction that favours whatever was chosen.

In a binary choice the likelihood has no maximum iff some direction of the parameters favours, in every row, what was
chosen there, or leaves it as it is [1]_, [2]_. In a tree that holds for each player's moves, given the probabilities of
later moves by others: expected utilities are linear in the player's own parameters [3]_.

References
----------
.. [1] A. Albert and J. A. Anderson, "On the existence of maximum likelihood estimates in logistic regression models",
   Biometrika 71 (1984), 1-10.
.. [2] K. Konis, "Linear programming algorithms for detecting separated data in binary logistic regression models",
   Oxford 2007.
.. [3] C. Crisman-Cox, O. Gasparyan and C. S. Signorino, "Detecting and Correcting for Separation in Strategic Choice
   Models", Polit. Anal. 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.estimation.likelihood import Floats

if TYPE_CHECKING:
    from deterrence.estimation.tree import TreeLikelihood

_ZERO = 1e-7  # of a direction's entries, which are at most 1, in units of utility
_NOISE = 1e-9  # of a gain in one row


def separated_parameters(likelihood: TreeLikelihood, theta: Floats) -> tuple[str, ...]:
    """Return the parameters along which a player's observed moves are separated, others' behaviour as at ``theta``.

    Parameters
    ----------
    likelihood : TreeLikelihood
        Payoffs that are not affine in the symbols are not examined.
    theta : ndarray, shape (K,)
    """
    model = likelihood.model
    if any(payoff.slopes is None for row in model.payoffs for payoff in row):
        return ()
    found: list[str] = []
    for player in model.movers:
        gains = _gains(likelihood, theta, player)
        if gains is None:
            continue
        direction = separating_direction(gains / likelihood.units)
        if direction is not None:
            found += [n for n, d in zip(likelihood.names, direction, strict=True) if abs(d) > _ZERO and n not in found]
    return tuple(found)


def separating_direction(gains: Floats) -> Floats | None:
    """Return a direction d with ``gains @ d >= 0`` in every row and more in some, entries at most 1; None if none is.

    Parameters
    ----------
    gains : ndarray, shape (n, K)
        What the chosen action gains over another, by unit of each parameter.
    """
    from scipy.optimize import linprog

    acting = np.abs(gains).max(axis=0) > _NOISE
    if not acting.any():
        return None
    part = gains[:, acting]
    solved: Any = linprog(-part.sum(axis=0), A_ub=-part, b_ub=np.zeros(len(part)), bounds=(-1, 1), method="highs")
    if solved.status != 0 or part.shape[0] == 0:
        return None
    gained = part @ solved.x
    if gained.max() <= 1e-6:
        return None
    direction = np.zeros(gains.shape[1])
    direction[acting] = solved.x
    return direction


def _gains(likelihood: TreeLikelihood, theta: Floats, player: int) -> Floats | None:
    """Return what each action seen gains over each other, in the player's own parameters, a row for each pair."""
    model, topology = likelihood.model, likelihood.model.topology
    own = sorted({s for z in range(len(topology.terminal)) for s in model.payoffs[z][player].symbols})
    weights = _weights(likelihood, theta, player)
    blocks = []
    for node, counts in likelihood._passages.items():
        if topology.owner[node] != player:
            continue
        below = topology.children[node]
        for a, seen in enumerate(counts):
            rows = np.flatnonzero(np.broadcast_to(np.asarray(seen), (likelihood.rows,)) > 0)
            blocks += [
                _block(likelihood, own, weights[below[a]], weights[below[b]], rows)
                for b in range(len(below))
                if b != a and len(rows)
            ]
    return np.concatenate(blocks) if blocks else None


def _block(
    likelihood: TreeLikelihood, own: list[str], one: Mapping[str, Floats], other: Mapping[str, Floats], rows: Any
) -> Floats:
    parts = []
    for design in likelihood._varying:
        if design.equation in own:
            gain = one.get(design.equation, 0.0) - np.asarray(other.get(design.equation, 0.0))
            parts.append(np.broadcast_to(gain, (likelihood.rows,))[rows][:, None] * design.matrix[rows])
        else:
            parts.append(np.zeros((len(rows), len(design.names))))
    return np.concatenate(parts, axis=1)


def _weights(likelihood: TreeLikelihood, theta: Floats, player: int) -> list[dict[str, Floats]]:
    """Return for each node the player's expected utility there as weights on symbols."""
    model, topology = likelihood.model, likelihood.model.topology
    choices = likelihood._walk(theta, 0)
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    weights: list[dict[str, Floats]] = [{} for _ in range(topology.size)]
    for node in range(topology.size - 1, -1, -1):
        if node in ends:
            payoff = model.payoffs[ends[node]][player]
            weights[node] = dict(zip(payoff.symbols, map(np.asarray, payoff.slopes or ()), strict=True))
            continue
        for child in topology.children[node]:
            chance = np.asarray(model.branch(choices, child, 0).value)
            for symbol, weight in weights[child].items():
                weights[node][symbol] = weights[node].get(symbol, np.zeros(1)) + chance * weight
    return weights

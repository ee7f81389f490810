"""A signaling game with symbols as fractions, and linear systems over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.signaling import SignalingGame
from deterrence.solvers.symbolic.conditions import Assumptions, Conjunction, Frac

Support: TypeAlias = tuple[int, ...]
Reasons: TypeAlias = dict[Any, list[str]]  # of an atom: the constraints that it comes from


@dataclass(eq=False)
class SymbolicTables:
    """Payoffs and priors of one game as fractions.

    Parameters
    ----------
    game : SignalingGame
    assumptions : Assumptions

    Attributes
    ----------
    shape : tuple of int
        (T, Q, M, R).
    u, v : ndarray of fractions, shape (T, Q, M, R)
        Payoffs of sender and receiver.
    view, b : ndarray of fractions, shape (T, Q)
        What sender types think of receiver types, and the converse.
    kept : dict of (q, m) to tuple of int
        Responses, one of each set that pays both players the same.

    Raises
    ------
    GameError
        If a pair of types has prior probability zero by construction.
    """

    game: SignalingGame
    assumptions: Assumptions

    def __post_init__(self) -> None:
        fraction = self.assumptions.fraction
        exact = np.vectorize(lambda x: fraction(x), otypes=[object])
        self.shape = self.game.shape
        self.u, self.v = exact(self.game.U), exact(self.game.V)
        self.view, self.b = exact(self.game.sender_view), exact(self.game.receiver_view)
        for views in (self.view, self.b):
            if not all(bool(x) for x in views.ravel()):
                raise GameError("some pair of types has prior probability 0; give it a symbol, or solve with dt.pbe")
        _, Q, M, R = self.shape
        self.kept = {(q, m): tuple(r for r in range(R) if self.alike(q, m, r) == r) for q in range(Q) for m in range(M)}

    def alike(self, q: int, m: int, r: int) -> int:
        """Return the first response that pays both players the same as r, whatever the type."""
        for other in range(r):
            if all(
                self.u[t, q, m, r] == self.u[t, q, m, other] and self.v[t, q, m, r] == self.v[t, q, m, other]
                for t in range(self.shape[0])
            ):
                return other
        return r


def subsets(items: Sequence[int], most: int) -> list[Support]:
    """Return nonempty subsets up to a size, small ones first."""
    return [s for size in range(1, min(most, len(items)) + 1) for s in combinations(items, size)]


def explain(reasons: Reasons, cases: Sequence[Conjunction], why: str) -> None:
    """Record where the atoms of cases come from."""
    for case in cases:
        for atom in case:
            if why not in reasons.setdefault(atom, []):
                reasons[atom].append(why)


def solve_linear(keys: Sequence[Any], rows: Sequence[Mapping[Any, Frac]], right: Sequence[Frac], domain: Any) -> Any:
    """Solve a linear system over the field: the solution, ``"none"``, or ``"many"``."""
    index = {key: j for j, key in enumerate(keys)}
    table = [[row.get(key, domain.zero) for key in keys] + [b] for row, b in zip(rows, right, strict=True)]
    pivots: list[int] = []
    for j in range(len(index)):
        i = next((i for i in range(len(pivots), len(table)) if table[i][j]), None)
        if i is None:
            continue
        top = len(pivots)
        table[top], table[i] = table[i], table[top]
        pivot = table[top][j]
        table[top] = [x / pivot for x in table[top]]
        for k, row in enumerate(table):
            if k != top and row[j]:
                factor = row[j]
                table[k] = [x - factor * y for x, y in zip(row, table[top], strict=True)]
        pivots.append(j)
    if any(row[-1] for row in table[len(pivots) :]):
        return "none"
    if len(pivots) < len(index):
        return "many"
    return {key: table[j][-1] for key, j in index.items()}

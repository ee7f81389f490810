r"""Uncertain numbers that are high or low together: a Gaussian copula over groups of them.

A file says which numbers hang together, by one correlation or by a matrix of them:

.. code-block:: toml

    [uncertainty]
    correlate = [
        { numbers = ["members.*.cost.location"], rho = 0.6 },
        { numbers = ["attacks.limited.strength", "attacks.full.strength"], matrix = [[1, 0.8], [0.8, 1]] },
    ]

With R the correlation matrix of all numbers (block by block; a number stands in one group at most) and z independent
standard normal scores, the scores :math:`R^{1/2} z` are those of the numbers: each keeps its own distribution
:math:`F_i`, :math:`x_i = F_i^{-1}(\Phi((R^{1/2} z)_i))`, and two of them have the rank correlation :math:`(6 / \pi)
\arcsin(\rho_{ij} / 2)` [1]_.

References
----------
.. [1] R. B. Nelsen, An Introduction to Copulas, 2nd ed., Springer 2006, section 2.3 and exercise 5.5 (Spearman's rho of
   the Gaussian copula; after W. H. Kruskal, "Ordinal Measures of Association", JASA 53 (1958), 814-861).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.loader import entries
from deterrence.alliances.scenarios.schema import NOT_OF_THE_GAME, CorrelationTable, ScenarioTable
from deterrence.games.errors import did_you_mean
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Location = tuple[str | int, ...]

ROUNDING = 1e-9  # of an eigenvalue of a correlation matrix


@dataclass(frozen=True, eq=False)
class Copula(Value):
    """The dependence of d uncertain numbers.

    Attributes
    ----------
    correlation : ndarray, shape (d, d)
        Of their normal scores.
    """

    correlation: Floats

    @property
    def independent(self) -> bool:
        """Whether no two numbers hang together."""
        return bool(np.all(self.correlation == np.eye(len(self.correlation))))

    def levels(self, independent: Floats) -> Floats:
        """Return probabilities that hang together, from such that do not, shape (n, d), each uniform on (0, 1)."""
        from scipy.special import ndtr, ndtri

        if self.independent:
            return independent
        return np.asarray(np.clip(ndtr(self.scores(ndtri(independent))), 2.0**-40, 1 - 2.0**-40))

    def scores(self, independent: Floats) -> Floats:
        """Return normal scores that hang together, from independent ones, shape (n, d)."""
        values, vectors = np.linalg.eigh(self.correlation)
        root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
        return np.asarray(independent @ root, dtype=np.float64)

    def another(self, levels: Floats, number: int, fresh: Floats) -> Floats:
        """Return probabilities in which one number is drawn again, given all others, shape (n, d).

        Parameters
        ----------
        levels : ndarray, shape (n, d)
        number : int
        fresh : ndarray, shape (n,)
            Independent probabilities to draw it by.
        """
        from scipy.special import ndtr, ndtri

        moved = levels.copy()
        row = np.delete(self.correlation[number], number)
        if not row.any():
            moved[:, number] = fresh
            return moved
        others = np.delete(np.delete(self.correlation, number, 0), number, 1)
        slope = np.linalg.lstsq(others, row, rcond=None)[0]
        spread = np.sqrt(max(1 - float(slope @ row), 0.0))
        score = np.delete(ndtri(levels), number, 1) @ slope + spread * ndtri(fresh)
        moved[:, number] = np.clip(ndtr(score), 2.0**-40, 1 - 2.0**-40)
        return moved


def copula_of(table: ScenarioTable, names: Sequence[str]) -> Copula:
    """Return the dependence of a scenario's uncertain numbers, by their names; of one it does not name, none."""
    correlation = np.eye(len(names))
    place = {name: i for i, name in enumerate(names)}
    for group in table.uncertainty.correlate:
        members = [name for name in _named(group, names) if name in place]
        at = [place[name] for name in members]
        if group.matrix is None:
            block = np.full((len(at), len(at)), group.rho, dtype=np.float64)
            np.fill_diagonal(block, 1.0)
        else:
            kept = [group.numbers.index(name) for name in members]
            block = np.asarray(group.matrix, dtype=np.float64)[np.ix_(kept, kept)]
        correlation[np.ix_(at, at)] = block
    return Copula(correlation)


def correlation_problems(table: ScenarioTable) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong with the groups of a file: unknown numbers, overlaps, matrices that are no correlations."""
    every = {number_name(table, place): entry for place, entry in entries(table) if place[0] not in NOT_OF_THE_GAME}
    uncertain = [name for name, entry in every.items() if entry.uncertain]
    taken: dict[str, int] = {}
    for i, group in enumerate(table.uncertainty.correlate):
        place: Location = ("uncertainty", "correlate", i)
        for pattern in group.numbers:
            if not _named_by(pattern, uncertain):
                why = "is not uncertain" if pattern in every else "is no uncertain number of the file"
                yield (*place, "numbers"), f"{pattern!r} {why}{did_you_mean(pattern, uncertain)}"
        members = _named(group, uncertain)
        for name in members:
            if name in taken and taken[name] != i:
                yield (*place, "numbers"), f"{name!r} stands in two groups; expected one, with a matrix if need be"
            taken[name] = i
        yield from ((place, message) for message in _group_problems(group, members))


def number_name(table: ScenarioTable, location: Location) -> str:
    """Return the key of a number: members and attacks by name."""
    match location:
        case ("members", int(i), *rest):
            parts = ["members", table.members[i].name, *rest]
        case ("attacks", int(i), *rest):
            parts = ["attacks", table.attacks[i].name, *rest]
        case _:
            parts = list(location)
    return ".".join(str(part) for part in parts)


def _group_problems(group: CorrelationTable, members: Sequence[str]) -> Iterator[str]:
    n = len(members)
    if (group.rho is None) == (group.matrix is None):
        yield "expected either rho or a matrix"
    elif group.rho is not None:
        lowest = -1 / max(n - 1, 1)
        if not lowest <= group.rho <= 1:
            yield f"expected a rho in [{lowest:.3g}, 1] for {n} numbers, got {group.rho:g}"
        elif n < 2:
            yield f"expected two numbers or more to correlate, got {', '.join(members) or 'none'}"
    else:
        yield from _matrix_problems(group.matrix or [], group.numbers)


def _matrix_problems(rows: Sequence[Sequence[float]], numbers: Sequence[str]) -> Iterator[str]:
    n = len(numbers)
    if any("*" in name.split(".") for name in numbers):
        yield "expected numbers by name beside a matrix, got a pattern; write them out, or give one rho"
        return
    if len(rows) != n or any(len(row) != n for row in rows):
        shape = f"{len(rows)} x {len(rows[0]) if rows else 0}"
        yield f"expected a matrix of {n} x {n}, one row for each of the numbers, got {shape}"
        return
    matrix = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 1:
        yield "expected correlations between -1 and 1"
    elif np.any(np.diag(matrix) != 1):
        yield "expected ones on the diagonal of a correlation matrix"
    elif np.any(matrix != matrix.T):
        i, j = np.argwhere(matrix != matrix.T)[0]
        yield f"expected a symmetric matrix, got {matrix[i, j]:g} at [{i}][{j}] and {matrix[j, i]:g} at [{j}][{i}]"
    elif (least := float(np.linalg.eigvalsh(matrix)[0])) < -ROUNDING:
        yield (
            f"no numbers have these correlations: the matrix has the eigenvalue {least:.3g}, below 0; make the "
            "correlations smaller"
        )


def _named(group: CorrelationTable, names: Sequence[str]) -> list[str]:
    """Return the numbers of a group, each once, in the order of its patterns."""
    return list(dict.fromkeys(name for pattern in group.numbers for name in _named_by(pattern, names)))


def _named_by(pattern: str, names: Sequence[str]) -> list[str]:
    steps = pattern.split(".")
    if "*" not in steps:
        return [name for name in names if name == pattern]
    return [
        name
        for name in names
        if len(parts := name.split(".")) == len(steps)
        and all(step in ("*", part) for step, part in zip(steps, parts, strict=True))
    ]

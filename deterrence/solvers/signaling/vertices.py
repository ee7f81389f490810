"""The profiles of a component: its vertices, a point in its relative interior, and enough vertices to certify all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod
from typing import Any, overload

import numpy as np

from deterrence.games.quantities import Array
from deterrence.games.signaling import SignalingGame
from deterrence.games.signaling_profile import SignalingProfile
from deterrence.solvers.algebra.polytopes import Point, mean
from deterrence.solvers.signaling.cells import Tables
from deterrence.solvers.signaling.components import Component


class Vertices(Sequence[SignalingProfile]):
    """The vertices of a component, built when asked for: their number is the product of those of the factors.

    At a vertex where the sender sends a message no more, the belief there is the one of the relative
    interior, which is the limit along the segment from it.
    """

    def __init__(self, tables: Tables, component: Component, *, exact: bool) -> None:
        self._exact = exact
        self._tables = tables
        self._component = component
        self._factors: list[Sequence[Point]] = [component.senders, *component.receivers, *component.beliefs.values()]
        self._lengths = [len(points) for points in self._factors]
        self._inner = mean(component.senders)
        self._posterior = _posterior(tables, component, self._inner, None)

    def __len__(self) -> int:
        return prod(self._lengths)

    @overload
    def __getitem__(self, index: int) -> SignalingProfile: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[SignalingProfile]: ...
    def __getitem__(self, index: int | slice) -> SignalingProfile | Sequence[SignalingProfile]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(f"vertex {index} of {len(self)}")
        index %= len(self)
        chosen = []
        for points, n in zip(reversed(self._factors), reversed(self._lengths)):
            index, k = divmod(index, n)
            chosen.append(points[k])
        return self._profile(chosen[::-1])

    @property
    def game(self) -> SignalingGame:
        """The game that the component solves, in rational numbers."""
        return self._tables.game

    def rational(self) -> Vertices:
        """Return the same profiles in rational numbers."""
        return self if self._exact else Vertices(self._tables, self._component, exact=True)

    def interior(self) -> SignalingProfile:
        """Return the profile of averages: a point in the relative interior."""
        return self._profile([mean(points) for points in self._factors])

    def covering(self) -> Iterator[SignalingProfile]:
        """Yield vertices among which every information set has a gainful deviation if it has one at any vertex.

        A type's gain compares what it gets, which depends on its own row of the sender's strategy and on the
        responses to messages sent, with one other message: so each row of every type meets each vertex of the
        first receivers' factor and each of any other. A receiver's gain after m depends on the responses and
        the belief there: each vertex of the sender's strategies meets each response strategy to m, and off
        the path each strategy each belief.
        """
        component = self._component
        T, Q, M, R = self._tables.shape
        senders, receivers = component.senders, component.receivers[0]
        some_senders = _showing(senders, [range(t * M, t * M + M) for t in range(T)])
        some_receivers = _showing(receivers, [range(i * R, i * R + R) for i in range(Q * M)])
        others, beliefs = self._factors[2 : 1 + len(component.receivers)], list(component.beliefs.values())
        widest = max([len(points) for points in beliefs], default=1)
        longest = max([len(points) for points in others], default=1)
        turns = [
            [points[i % len(points)] for points in others] + [points[k % len(points)] for points in beliefs]
            for i in range(longest)
            for k in range(widest)
        ]
        for s in some_senders:
            for p in receivers:
                for rest in turns:
                    yield self._profile([s, p, *rest])
        for s in senders if len(senders) > 1 else ():
            for p in some_receivers:
                yield self._profile([s, p, *turns[0]])

    def _profile(self, chosen: Sequence[Point]) -> SignalingProfile:
        tables, component = self._tables, self._component
        T, Q, M, R = tables.shape
        n = len(component.receivers)
        sigma, parts = chosen[0], chosen[1 : 1 + n]
        posterior = _posterior(tables, component, sigma, self._posterior if sigma is not self._inner else None)
        for (q, m), belief in zip(component.beliefs, chosen[1 + n :], strict=True):
            posterior[q][m] = belief
        replies = [self._numbers(part) for part in parts]
        return SignalingProfile(
            sender=self._array(self._numbers(sigma), (T, M)),
            receiver=self._array([sum(column) for column in zip(*replies, strict=True)], (Q, M, R)),
            posterior=self._array([x for rows in posterior for row in rows for x in self._numbers(row)], (Q, M, T)),
        )

    def _numbers(self, point: Point) -> list[Any]:
        """Coordinates as rationals, or as the floats next to them."""
        denominator = point[-1]
        if self._exact:
            return [Fraction(x, denominator) for x in point[:-1]]
        return [x / denominator for x in point[:-1]]

    def _array(self, values: Sequence[Any], shape: tuple[int, ...]) -> Array:
        array = np.empty(len(values), dtype=object if self._exact else np.float64)
        array[:] = [Fraction(x) for x in values] if self._exact else values
        array = array.reshape(shape)
        array.setflags(write=False)
        return array


def _showing(points: Sequence[Point], blocks: Sequence[range]) -> list[Point]:
    """Return some of the points that together show every value which each block of coordinates takes."""
    known: list[set[tuple[Fraction, ...]]] = [set() for _ in blocks]
    chosen = []
    for point in points:
        values = [tuple([Fraction(point[i], point[-1]) for i in block]) for block in blocks]
        if any(value not in seen for value, seen in zip(values, known)):
            chosen.append(point)
            for value, seen in zip(values, known):
                seen.add(value)
    return chosen


def _posterior(tables: Tables, component: Component, sigma: Point, fallback: Any) -> list[list[Any]]:
    """Bayes' rule on the path, [q][m], a point; None off the path, ``fallback`` where a vertex leaves the path."""
    T, Q, M, _ = tables.shape
    table: list[list[Any]] = [[None] * M for _ in range(Q)]
    for q, m in component.on_path:
        weights = [tables.b[t][q] * sigma[t * M + m] for t in range(T)]
        total = sum(weights)
        table[q][m] = (*weights, total) if total else fallback[q][m]
    return table

"""A sequence whose elements are made from those of another when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from deterrence.games.values import Value

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class LazySequence(Value, Sequence[T], Generic[S, T]):
    """The elements of ``source``, each through ``make``.

    Attributes
    ----------
    source : sequence
    make : callable
        Of an element of ``source``.
    """

    source: Sequence[S]
    make: Callable[[S], T]

    def __len__(self) -> int:
        """Return how many there are; nothing is made for it."""
        return len(self.source)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        """Make one element, or those of a slice."""
        if isinstance(index, slice):
            return [self.make(element) for element in self.source[index]]
        return self.make(self.source[index])

"""How a sweep is cut into blocks: rectangles of the result that are runs of consecutive points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deterrence.games.errors import ParameterError


@dataclass(frozen=True)
class Plan:
    """A result's shape and the shape of its blocks.

    A block takes one index on the first dimensions, some on the next, and all on the rest; its points are therefore
    consecutive in C order, and its edges fall on those of the chunks of an array with chunks of this shape.

    Attributes
    ----------
    shape : tuple of int
        Of the result.
    chunk : tuple of int
        Of a block; the last along a dimension may be smaller.
    """

    shape: tuple[int, ...]
    chunk: tuple[int, ...]

    @property
    def points(self) -> int:
        """Number of points of the whole."""
        return math.prod(self.shape)

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of blocks along each dimension."""
        return tuple(-(-n // c) for n, c in zip(self.shape, self.chunk, strict=True))

    def __len__(self) -> int:
        return math.prod(self.counts)

    def region(self, block: int) -> tuple[slice, ...]:
        """Return the place of a block in the result."""
        place, rest = [], block
        for n, c, count in zip(reversed(self.shape), reversed(self.chunk), reversed(self.counts), strict=True):
            rest, i = divmod(rest, count)
            place.append(slice(i * c, min(n, (i + 1) * c)))
        return tuple(reversed(place))

    def bounds(self, block: int) -> tuple[int, int]:
        """Return the numbers of the first point of a block and of the one after its last."""
        region = self.region(block)
        start = 0
        for s, n in zip(region, self.shape, strict=True):
            start = start * n + s.start
        return start, start + math.prod(s.stop - s.start for s in region)

    def block_shape(self, block: int) -> tuple[int, ...]:
        """Return the shape of a block."""
        return tuple(s.stop - s.start for s in self.region(block))


def plan_of(shape: tuple[int, ...], points: int) -> Plan:
    """Return the plan whose blocks hold about ``points`` points.

    Raises
    ------
    ParameterError
        If ``points`` is below one.

    Examples
    --------
    >>> plan = plan_of((500, 1000), 131072)
    >>> plan.chunk, len(plan), plan.bounds(1)
    ((131, 1000), 4, (131000, 262000))
    """
    if points < 1:
        raise ParameterError(f"a block needs at least one point, got {points}")
    chunk, room = [1] * len(shape), points
    for k in reversed(range(len(shape))):
        chunk[k] = min(shape[k], max(1, room))
        room //= shape[k]
        if room < 1:
            break
    return Plan(shape, tuple(chunk))

"""Where a sweep asks: full grids, samples (Latin hypercube, Sobol, Halton), tables, one parameter at a time.

A design is an ordered list of points, cut into parts by their numbers. The points of a grid are counted in C order,
the last axis fastest. Every random design is made from a seed that it keeps, so that the same call gives the same
points.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Range = Any  # (low, high), or a frozen distribution of scipy.stats
SAMPLE = "sample"


class Design(Protocol):
    """Points in the space of parameters."""

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, in order."""

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the result."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points along each dimension."""

    def part(self, start: int, stop: int) -> Part:
        """Return the points from ``start`` to ``stop`` in the order of the design."""

    def take(self, points: NDArray[np.int64]) -> dict[str, Floats]:
        """Return the values of each parameter at some points, by their numbers."""

    def coordinates(self) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return dimensions and values of each parameter."""

    def description(self) -> dict[str, Any]:
        """Return how the design came about, as JSON-able data."""


class Part(Protocol):
    """Some points of a design, small enough to be sent to another process."""

    def values(self) -> dict[str, Floats]:
        """Return one value per point of each parameter."""


@dataclass(frozen=True, eq=False)
class Grid(Value):
    """Every combination of values of several parameters.

    Attributes
    ----------
    axes : mapping of str to ndarray, shape (n,)
        Distinct finite values of each parameter.

    Raises
    ------
    ParameterError
        If an axis is empty, not finite, or holds a value twice.

    Examples
    --------
    >>> grid = Grid({"p": [0.0, 0.5, 1.0], "k": [1.0, 2.0]})
    >>> grid.shape, grid.part(1, 4).values()["p"]
    ((3, 2), array([0. , 0.5, 0.5]))
    """

    axes: Mapping[str, Floats]

    def __post_init__(self) -> None:
        if not self.axes:
            raise ParameterError("a sweep needs at least one parameter to vary, got none")
        axes = {name: column(values, name) for name, values in self.axes.items()}
        for name, values in axes.items():
            if np.unique(values).size < values.size:
                raise ParameterError(f"the values of {name!r} must be distinct along an axis; a table may repeat them")
        object.__setattr__(self, "axes", axes)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, in order."""
        return tuple(self.axes)

    @property
    def dims(self) -> tuple[str, ...]:
        """One dimension per parameter."""
        return tuple(self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each parameter."""
        return tuple(values.size for values in self.axes.values())

    def part(self, start: int, stop: int) -> GridPart:
        """Return the points from ``start`` to ``stop``, in C order."""
        return GridPart(self.axes, start, stop)

    def take(self, points: NDArray[np.int64]) -> dict[str, Floats]:
        """Return the values of each parameter at some points, by their numbers."""
        index = np.unravel_index(points, self.shape)
        return {name: axis[i] for (name, axis), i in zip(self.axes.items(), index, strict=True)}

    def coordinates(self) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return each axis under its own dimension."""
        return {name: ((name,), values) for name, values in self.axes.items()}

    def description(self) -> dict[str, Any]:
        """Return the kind of design."""
        return {"kind": "grid", "shape": list(self.shape)}


@dataclass(frozen=True, eq=False)
class GridPart(Value):
    """Points ``start`` to ``stop`` of a grid."""

    axes: Mapping[str, Floats]
    start: int
    stop: int

    def values(self) -> dict[str, Floats]:
        """Return one value per point of each parameter."""
        return Grid(self.axes).take(np.arange(self.start, self.stop))


@dataclass(frozen=True, eq=False)
class Sample(Value):
    """A list of points, under the dimension ``sample``.

    Attributes
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Value of each parameter at each point.
    recipe : mapping
        How the points were made, the seed among it; JSON-able.

    Raises
    ------
    ParameterError
        If columns are empty, not finite, or of different lengths.
    """

    columns: Mapping[str, Floats]
    recipe: Mapping[str, Any] = field(default_factory=lambda: {"kind": "table"})

    def __post_init__(self) -> None:
        if not self.columns:
            raise ParameterError("a sweep needs at least one parameter to vary, got none")
        columns = {name: column(values, name) for name, values in self.columns.items()}
        lengths = {name: values.size for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ParameterError(f"the columns of a table must be of one length, got {lengths}")
        if SAMPLE in columns:
            raise ParameterError(f"no parameter of a sample can be named {SAMPLE!r}: the dimension is")
        object.__setattr__(self, "columns", columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, in order."""
        return tuple(self.columns)

    @property
    def dims(self) -> tuple[str, ...]:
        """The one dimension, ``sample``."""
        return (SAMPLE,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points."""
        return (len(self),)

    def __len__(self) -> int:
        return int(next(iter(self.columns.values())).size)

    def part(self, start: int, stop: int) -> SamplePart:
        """Return the points from ``start`` to ``stop``."""
        return SamplePart({name: values[start:stop] for name, values in self.columns.items()})

    def take(self, points: NDArray[np.int64]) -> dict[str, Floats]:
        """Return the values of each parameter at some points, by their numbers."""
        return {name: values[points] for name, values in self.columns.items()}

    def coordinates(self) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return each column along ``sample``."""
        return {name: (self.dims, values) for name, values in self.columns.items()}

    def description(self) -> dict[str, Any]:
        """Return the recipe."""
        return dict(self.recipe)


@dataclass(frozen=True, eq=False)
class SamplePart(Value):
    """Some points of a sample."""

    columns: Mapping[str, Floats]

    def values(self) -> dict[str, Floats]:
        """Return one value per point of each parameter."""
        return dict(self.columns)


def table(rows: Any) -> Sample:
    """Return points given as columns: a mapping of names to values, or a pandas DataFrame.

    Raises
    ------
    ParameterError
        If columns are empty, not finite, or of different lengths.

    Examples
    --------
    >>> table({"p": [0.1, 0.1], "k": [1.0, 2.0]}).shape
    (2,)
    """
    names = [str(name) for name in rows]
    return Sample({name: rows[key] for name, key in zip(names, rows, strict=True)})


def one_at_a_time(base: Mapping[str, float], over: Mapping[str, ArrayLike]) -> Sample:
    """Return the base point, then each parameter varied with the others at the base.

    Parameters
    ----------
    base : mapping of str to float
        Value of each parameter that varies.
    over : mapping of str to array_like, shape (n,)
        Values that each parameter takes in turn.

    Returns
    -------
    Sample
        ``recipe["moved"]`` names the parameter that moved at each point, ``""`` at the base.

    Raises
    ------
    ParameterError
        If the base lacks a parameter.

    Examples
    --------
    >>> design = one_at_a_time({"p": 0.5, "k": 1.0}, {"p": [0.0, 1.0], "k": [2.0]})
    >>> design.columns["p"]
    array([0.5, 0. , 1. , 0.5])
    """
    missing = [name for name in over if name not in base]
    if missing:
        raise ParameterError(f"the base needs a value of {missing[0]!r}; it has {', '.join(base) or 'none'}")
    axes = {name: column(values, name) for name, values in over.items()}
    size = 1 + sum(values.size for values in axes.values())
    columns = {name: np.full(size, float(base[name])) for name in axes}
    moved = [""]
    for name, values in axes.items():
        columns[name][len(moved) : len(moved) + values.size] = values
        moved += [name] * values.size
    return Sample(columns, {"kind": "one at a time", "base": {n: float(base[n]) for n in axes}, "moved": moved})


def require_memory(size: float, what: str, remedy: str) -> None:
    """Raise ParameterError if something would take more bytes than the machine has memory.

    Parameters
    ----------
    size : float
        Bytes.
    what : str
        What would take them.
    remedy : str
        What would do.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # a system that does not tell
        memory = 64 * 2**30
    if size > memory:
        raise ParameterError(
            f"{what} would take {size / 2**30:,.3g} GiB of memory, more than the {memory / 2**30:,.3g} GiB of this "
            f"machine; {remedy}"
        )


def column(values: Any, name: str) -> Floats:
    """Return values as a read-only array of finite numbers, or raise ParameterError that names the parameter."""
    try:
        column = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise ParameterError(f"the values of {name!r} must be numbers, got {values!r}") from None
    except OverflowError:
        raise ParameterError(
            f"the values of {name!r} must be at most 1e308 in size, got one beyond the range of floats"
        ) from None
    if column.ndim != 1 or not column.size:
        raise ParameterError(f"the values of {name!r} must be a list of at least one number, got shape {column.shape}")
    if not np.isfinite(column).all():
        raise ParameterError(f"the values of {name!r} must be finite, got {column[~np.isfinite(column)][0]}")
    column.setflags(write=False)
    return column

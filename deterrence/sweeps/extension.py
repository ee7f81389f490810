"""Extending a stored sweep: more values of a swept name, or more samples; only new points are solved.

An extension is made beside the store, as a store of its own (``.NAME.extension``) that is written block by block and
can be resumed. Values that are known are copied bit for bit. When the whole is there, the two folders change places in
one step, or in two with a trace that the next reader follows, so that under the name of the store there is always a
whole one: the old until then, the new from then on.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.games.errors import ParameterError
from deterrence.sweeps.blocks import Plan
from deterrence.sweeps.designs import Floats, Grid, Part, Sample
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.question import Question, Solved
from deterrence.sweeps.sampling import design_of
from deterrence.sweeps.store import (
    damaged_coordinates,
    digests,
    exists,
    extension_of,
    is_plain_result,
    is_remote,
    locate,
    open_group,
    plan_of_group,
    replaced_by,
)
from deterrence.sweeps.store_writer import read_reasons, storing

Array = NDArray[Any]
Places = tuple[NDArray[np.int64], ...]

_CLOSE = 4 * np.finfo(np.float64).eps  # relative to the largest value: what two ways to one value may differ by
_SEQUENCES = ("sobol", "halton", "table")  # designs whose first points stay when more are asked for
_EXCHANGE, _HERE = 2, -100  # of the system call renameat2: swap two names; relative to the working directory


@dataclass(frozen=True, eq=False)
class Extension:
    """What an extension keeps of a stored sweep.

    Attributes
    ----------
    stored : Grid or Sample
        The design of the store.
    design : Grid or Sample
        The larger one; values that agree with stored ones but for rounding are those that are stored.
    places : tuple of ndarray of int
        By dimension: where a value of the larger design stands in the stored one, -1 if it is new.
    ties : str or None
        How the store treats ties, so that new points are treated alike.
    """

    stored: Grid | Sample
    design: Grid | Sample
    places: Places
    ties: str | None

    @property
    def new_points(self) -> int:
        """Number of points that the store has not."""
        known = int(np.prod([(place >= 0).sum() for place in self.places]))
        return int(np.prod(self.design.shape)) - known


def extension(
    store: str | os.PathLike[str],
    over: Any,
    *,
    samples: int | None = None,
    method: str = "sobol",
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Extension | None:
    """Return what a larger design adds to a stored sweep; None if there is no store yet.

    Parameters
    ----------
    store : path or URL
    over, samples, method, seed
        The larger design, as ``sweep`` takes it. Without a seed a sample takes that of the store.
    options : mapping, optional
        Storage options of fsspec.

    Raises
    ------
    StoreError
        If the store cannot be read, or is no part of the larger design; the message says why.
    """
    url = locate(store)
    if not exists(url, options):
        return None
    group = open_group(url, options)
    if is_plain_result(group):
        raise StoreError(f"{url} is the written result of a sweep, no store: there is nothing to extend")
    spec = json.loads(str(group.attrs["specification"]))
    told = spec["design"]
    if seed is None and samples is not None:
        seed = told.get("seed")
    stored = stored_design(group, told, url)
    design = design_of(over, samples=samples, method=method, seed=seed)
    asked = spec["question"]["ties"]
    ties = None if not asked else "settle" if asked.startswith("settled") else "leave"
    grown, places = _grid(stored, design, url) if isinstance(stored, Grid) else _sample(stored, design, url)
    return Extension(stored, grown, places, ties)


def extended_axes(stored: Grid | Sample, added: Mapping[str, Sequence[float]]) -> dict[str, Floats]:
    """Return the axes of a stored grid with more values: in order where the stored ones are, else behind them.

    Raises
    ------
    ParameterError
        If the design is no grid, or has no such axis.
    """
    if not isinstance(stored, Grid):
        raise ParameterError("values are added to the axes of a grid; a sample is extended by samples=")
    unknown = [name for name in added if name not in stored.axes]
    if unknown:
        raise ParameterError(f"the stored sweep has no axis {unknown[0]!r}; it has {', '.join(stored.axes)}")
    axes = dict(stored.axes)
    for name, values in added.items():
        old = axes[name]
        fresh = np.array([v for v in np.asarray(values, dtype=np.float64) if _nearest(old, float(v)) is None])
        both = np.concatenate([old, fresh])
        if (np.diff(old) > 0).all():
            both = np.sort(both)
        elif (np.diff(old) < 0).all():
            both = np.sort(both)[::-1]
        axes[name] = both
    return axes


def stored_design(group: Any, told: Mapping[str, Any], store: Any) -> Grid | Sample:
    """Return the design of a stored sweep, coordinates that are damaged drawn anew where that gives the same values.

    Raises
    ------
    StoreError
        If a coordinate is damaged and cannot be inferred.
    """
    lost = damaged_coordinates(group)
    columns = {name: group[name][:] for name in told["points"] if name not in lost}
    for name in lost:
        points = told["points"][name]
        spaced = points.get("values", np.linspace(points["low"], points["high"], points["count"]))
        column = np.asarray(spaced, dtype=np.float64)
        if hashlib.sha256(column.tobytes()).hexdigest() != points["sha256"]:
            raise StoreError(
                f"the coordinate {name} of {store} is damaged, and its {points['count']} values cannot be inferred: "
                "repeat the call that made the store with repair=True"
            )
        columns[name] = column
    if told["kind"] == "grid":
        return Grid({name: columns[name] for name in group.attrs["dims"]})
    names = json.loads(str(group.attrs.get("names", "null"))) or list(told["points"])  # the points are sorted by name
    ordered = {name: columns[name] for name in names}
    return Sample(ordered, {key: value for key, value in told.items() if key != "points"})


# -- which points are known --------------------------------------------------------------------------------------------


def _grid(stored: Grid, design: Grid | Sample, url: str) -> tuple[Grid, Places]:
    if not isinstance(design, Grid):
        raise StoreError(f"{url} holds a grid, which a sample cannot extend; ask for a larger grid, or another store")
    if set(design.axes) != set(stored.axes):
        raise StoreError(
            f"{url} is a grid over {', '.join(stored.axes)}, got one over {', '.join(design.axes)}; an extension has "
            "more values of the same names"
        )
    axes, places = {}, []
    for name, old in stored.axes.items():
        new = np.array(design.axes[name])
        where = np.full(new.size, -1, dtype=np.int64)
        for i, value in enumerate(old):
            at = _nearest(new, float(value))
            if at is None:
                raise StoreError(
                    f"{url} has the value {value:g} of {name}, which is not among the {new.size} that are asked for; "
                    "an extension keeps every stored value"
                )
            new[at], where[at] = value, i
        axes[name] = new
        places.append(where)
    return Grid(axes), tuple(places)


def _sample(stored: Sample, design: Grid | Sample, url: str) -> tuple[Sample, Places]:
    kind = str(stored.recipe.get("kind"))
    if not isinstance(design, Sample) or design.recipe.get("kind") != kind:
        other = design.recipe.get("kind") if isinstance(design, Sample) else "grid"
        raise StoreError(f"{url} holds a design of the kind {kind!r}, which one of the kind {other!r} cannot extend")
    old, new = len(stored), len(design)
    same = set(design.columns) == set(stored.columns) and all(
        design.columns[name].tobytes() == values.tobytes() for name, values in stored.columns.items()
    )
    if not same and kind not in _SEQUENCES:
        raise StoreError(
            f"{url} holds a design of the kind {kind!r}, which cannot be extended: with more points all of them are "
            "others (of a Latin hypercube, each point has a stratum of its own); a Sobol' or Halton sequence can"
        )
    if not same and (
        set(design.columns) != set(stored.columns)
        or any(design.columns[name][:old].tobytes() != values.tobytes() for name, values in stored.columns.items())
    ):
        told = "; ".join(
            f"{key}: stored {stored.recipe.get(key)}, now {design.recipe.get(key)}"
            for key in dict.fromkeys((*stored.recipe, *design.recipe))
            if key != "samples" and stored.recipe.get(key) != design.recipe.get(key)
        )
        raise StoreError(
            f"the {old:,} points of {url} are not the first of the {new:,} that are asked for"
            f"{f' ({told})' if told else ''}; an extension has the same names, ranges and seed"
        )
    where = np.full(new, -1, dtype=np.int64)
    where[:old] = np.arange(old)
    return design, (where,)


def _nearest(values: Floats, value: float) -> int | None:
    """Return the place of a value among others, but for rounding; None if it is not there."""
    if not values.size:
        return None
    at = int(np.abs(values - value).argmin())
    return at if abs(float(values[at]) - value) <= _CLOSE * max(abs(value), float(np.abs(values).max())) else None


# -- a design whose parts bring what is known --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ExtendedDesign:
    """A design each of whose parts has the values of the points that a store knows.

    Attributes
    ----------
    extension : Extension
    group : zarr.Group
        The store, as far as it got.
    """

    extension: Extension
    group: Any

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters, in order."""
        return self.extension.design.names

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimensions of the result."""
        return self.extension.design.dims

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of points along each dimension."""
        return self.extension.design.shape

    def take(self, points: NDArray[np.int64]) -> dict[str, Floats]:
        """Return the values of each parameter at some points, by their numbers."""
        return self.extension.design.take(points)

    def coordinates(self) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return dimensions and values of each parameter."""
        return self.extension.design.coordinates()

    def description(self) -> dict[str, Any]:
        """Return how the design came about, as JSON-able data."""
        return self.extension.design.description()

    def part(self, start: int, stop: int) -> ExtendedPart:
        """Return the points from ``start`` to ``stop``, with what is known of them."""
        numbers = np.arange(start, stop)
        index = np.unravel_index(numbers, self.shape)
        old = tuple(place[i] for place, i in zip(self.extension.places, index, strict=True))
        known = np.flatnonzero(np.logical_and.reduce([i >= 0 for i in old]))
        there = tuple(i[known] for i in old)
        plan = plan_of_group(self.group)
        blocks = np.ravel_multi_index(tuple(i // c for i, c in zip(there, plan.chunk, strict=True)), plan.counts)
        done = digests(self.group, plan)[blocks] != 0
        known, there = known[done], tuple(i[done] for i in there)
        fresh = np.setdiff1d(np.arange(stop - start), known)
        return ExtendedPart(self.take(numbers[fresh]), fresh, known, *self._stored(known, there))

    def _stored(
        self, known: NDArray[np.int64], there: Places
    ) -> tuple[dict[str, Array], dict[str, Array], dict[int, str]]:
        """Return the stored variables and kinds of points, and why points have failed, by place in the part."""
        if not known.size:
            return {}, {}, {}
        variables, kinds = {}, {}
        for name, array in self.group.arrays():
            if tuple(array.shape) != self.extension.stored.shape or name in self.extension.stored.names:
                continue
            values = np.asarray(array.vindex[there])
            if "kind" not in array.attrs:
                variables[name] = values
            elif values.any():
                kinds[str(array.attrs["kind"])] = values
        failed = np.flatnonzero(variables["status"] != 0)
        plan = plan_of_group(self.group)
        reasons = {}
        for k in failed:
            block, within = _block_of(plan, tuple(int(i[k]) for i in there))
            found = self._reasons(block).get(within)
            if found is not None:
                reasons[int(known[k])] = found
        return variables, kinds, reasons

    def _reasons(self, block: int) -> dict[int, str]:
        return _reasons_of(self, block)


@lru_cache(maxsize=8)
def _reasons_of(design: ExtendedDesign, block: int) -> dict[int, str]:
    return read_reasons(design.group, block)


@dataclass(frozen=True, eq=False)
class ExtendedPart:
    """Some points of an extended design: those to be solved, and the answers of the others.

    Attributes
    ----------
    columns : mapping of str to ndarray, shape (n,)
        Values at the points that are to be solved.
    fresh, known : ndarray of int
        Places of these and of the others in the part.
    variables, kinds : mapping of str to ndarray
        Of the known points, in their order.
    reasons : mapping of int to str
        Why known points have failed, by place in the part.
    """

    columns: Mapping[str, Floats]
    fresh: NDArray[np.int64]
    known: NDArray[np.int64]
    variables: Mapping[str, Array]
    kinds: Mapping[str, Array]
    reasons: Mapping[int, str]

    def values(self) -> dict[str, Floats]:
        """Return one value per point of each parameter, at the points that are to be solved."""
        return dict(self.columns)

    def solved(self, question: Question) -> Solved:
        """Solve what is to be solved, and return the answer to the whole part."""
        size = self.fresh.size + self.known.size
        answer = question.solve(self) if self.fresh.size else None
        variables = {}
        for name, dtype in question.dtypes.items():
            variables[name] = np.empty(size, dtype=dtype)
            if self.known.size:
                variables[name][self.known] = self.variables[name]
            if answer is not None:
                variables[name][self.fresh] = answer.variables[name]
        kinds: dict[str, Array] = {}
        for places, found in ((self.known, self.kinds), (self.fresh, {} if answer is None else answer.kinds)):
            for kind, flags in found.items():
                kinds.setdefault(kind, np.zeros(size, dtype=np.bool_))[places] = flags
        reasons = dict(self.reasons)
        if answer is not None:
            reasons |= {int(self.fresh[i]): reason for i, reason in answer.reasons.items()}
        return Solved(variables, kinds, dict(sorted(reasons.items())))


def solve_part(question: Question, part: Part) -> Solved:
    """Return the answer to a part of a design, whether some of it is known or not."""
    return part.solved(question) if isinstance(part, ExtendedPart) else question.solve(part)


def _block_of(plan: Plan, point: tuple[int, ...]) -> tuple[int, int]:
    """Return the block that a point of the result is in, and its number in it."""
    block = int(np.ravel_multi_index(tuple(i // c for i, c in zip(point, plan.chunk, strict=True)), plan.counts))
    start = tuple(s.start for s in plan.region(block))
    inside = tuple(i - s for i, s in zip(point, start, strict=True))
    return block, int(np.ravel_multi_index(inside, plan.block_shape(block)))


# -- where it is made, and how it takes the place of the store ---------------------------------------------------------


def require_extendable(url: str) -> None:
    """Raise StoreError if a store cannot be extended where it is."""
    if is_remote(url):
        raise StoreError(
            f"{url} cannot be extended: a store behind a URL cannot change places with another in one step; extend a "
            "copy on this machine"
        )


def place_of_extension(url: str, fingerprint: str) -> str:
    """Return where an extension is made; one that was begun there with another design makes way.

    Raises
    ------
    StoreError
        If something else is there.
    """
    place = extension_of(url)
    with storing(str(place)):
        if exists(str(place)) and _fingerprint(place) != fingerprint:
            shutil.rmtree(place)
    return str(place)


def take_place(url: str, release: Callable[[], None]) -> None:
    """Let the extension of a store take its place, and remove the store that it replaces.

    Parameters
    ----------
    url : str
    release : callable
        Gives locks back, where a folder with an open file cannot be moved.
    """
    place, made, old = Path(url), extension_of(url), replaced_by(url)
    with storing(url):
        if os.name == "nt":
            release()
        shutil.rmtree(old, ignore_errors=True)
        if _exchanged(place, made):
            os.rename(made, old)
        else:
            os.rename(place, old)
            os.rename(made, place)
        shutil.rmtree(old, ignore_errors=True)


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; return whether the system could."""
    with contextlib.suppress(OSError, AttributeError):
        swap = ctypes.CDLL(None, use_errno=True).renameat2
        return bool(swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)
    return False


def _fingerprint(place: Path) -> str | None:
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        return str(json.loads((place / "zarr.json").read_text("utf-8"))["attributes"]["fingerprint"])
    return None

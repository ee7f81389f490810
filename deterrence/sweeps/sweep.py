"""The same question at many points: ``sweep``."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.answers import Status
from deterrence.games.errors import ParameterError
from deterrence.sweeps.blocks import Plan, plan_of
from deterrence.sweeps.designs import Design, Grid, Sample, require_memory
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.execution import Job, Report, cores, run_blocks
from deterrence.sweeps.extension import (
    ExtendedDesign,
    Extension,
    extension,
    place_of_extension,
    require_extendable,
    take_place,
)
from deterrence.sweeps.naming import kind_attributes, kind_variable
from deterrence.sweeps.progress import Progress, Told
from deterrence.sweeps.question import LOST, Array, Question, question_of
from deterrence.sweeps.sampling import design_of
from deterrence.sweeps.specification import canonical, fingerprint, specification, versions
from deterrence.sweeps.store import (
    SweepStore,
    damaged_blocks,
    damaged_coordinates,
    damaged_error,
    digests,
    is_plain_result,
    is_remote,
    locate,
    missing_chunks,
    open_group,
    open_store,
    plan_of_group,
)

if TYPE_CHECKING:
    import xarray as xr

_EXAMPLES = 20  # failures that a result spells out
_COPIES = 3  # of a block's arrays: as they are made, sent and stored
_KINDS = 8  # bytes per point for kinds of equilibrium
_SIZES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "B": 1}


def sweep(
    target: Any,
    over: Any,
    *,
    at: Mapping[str, Any] | None = None,
    event: Any = "attack",
    concept: Any = None,
    samples: int | None = None,
    method: str = "sobol",
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    repair: bool = False,
    extend: bool = False,
    executor: Any = None,
    progress: bool | Told = True,
    block: int | None = None,
    memory: int | str | None = "1 GiB",
    ties: str | None = None,
) -> xr.Dataset:
    """Ask a model, scenario or game the same question at many points.

    Parameters
    ----------
    target : Model, Scenario or game
        A game has symbols, which are swept or fixed.
    over : mapping of str to array_like, or design
        Values of each parameter that varies: every combination is a point. Or a design of ``deterrence.sweeps``
        (``latin_hypercube``, ``sobol``, ``halton``, ``table``, ``one_at_a_time``). Or, with ``samples``, the range
        (low, high) or the ``scipy.stats`` distribution of each parameter.
    at : mapping, optional
        Fixed values of other parameters.
    event : str, sequence of str, or mapping of str to event
        What the probability of is asked; a mapping gives events (of games, predicates over the path of labels) a name.
    concept : optional
        A solution concept, by name or as its solver, or a ``functools.partial`` of it with options; by default the
        target's own (signaling games: ``dt.pbe``; trees: ``dt.spe`` with perfect information, ``dt.sequential``
        without).
    samples, method, seed : optional
        Number of points drawn from ranges, how (``"sobol"``, ``"halton"``, ``"latin hypercube"``), and from which seed.
    store : path or URL, optional
        Where to write the result, block by block (Zarr; a path, or an fsspec URL). The same call resumes what was
        killed; a call that asks something else is refused.
    storage_options : mapping, optional
        Of fsspec, for a URL.
    repair : bool
        Whether what is damaged in the store is written anew: metadata and coordinates from the specification, blocks by
        computing them. Otherwise damage is an error.
    extend : bool
        Whether the store may hold a part of what is asked: fewer values of the swept names of a grid (more of them are
        put anywhere among the stored ones), or the first points of a Sobol' or Halton sequence or of a table. Only new
        points are solved, stored values are kept bit for bit. The larger store is made beside the old one, so there
        must be room for both, and takes its place when it is whole; killed before, the same call goes on. Values that
        agree with stored ones but for rounding count as these. A Latin hypercube cannot be extended, since all its
        points change with their number, nor can a store behind a URL.
    executor : optional
        By default this process, and a pool of new processes once that pays. An int is a number of processes; any
        ``concurrent.futures.Executor`` and any ``dask.distributed.Client`` will do.
    progress : bool or callable
        A bar after a second; or a function of (points done, points in all).
    block : int, optional
        Points of a block: what is handed out, stored and resumed at once. A store keeps its own.
    memory : int or str, optional
        Most bytes that blocks in work take together, such as ``"500 MB"``, beside the result itself where it is kept
        in memory; blocks become smaller to stay below.
    ties : {"settle", "leave"}, optional
        Trees by ``dt.spe``: whether points where a payoff comparison ties are solved again one by one, or keep the
        array solver's answer. By default they are settled where the sweep has up to about 1,000 of them. No matter for
        ``dt.pbe``, whose ties are settled by arrays. ``degenerate`` flags points with ties.

    Returns
    -------
    xarray.Dataset
        A dimension per swept name (``sample`` for designs that are lists of points) and, at every point:
        ``<event>_low`` and ``<event>_high``, the range of the event's probability over all equilibria; ``equilibria``,
        their number; ``status``, a code of ``deterrence.games.answers.Status``; for games ``degenerate``; and for each
        kind of equilibrium that occurs somewhere a boolean: ``kind_pooling_on_tripwire`` (words joined by underscores;
        the attribute ``kind`` has them as they are). Attributes hold the whole specification, its fingerprint,
        versions, seed and what failed. With a store the variables are read when they are first used.

    Raises
    ------
    ParameterError
        If a name, a range or an option is wrong.
    GameError
        If the event is not known.
    StoreError
        If the store cannot be used; what is done is kept.
    SweepError
        If workers keep dying.

    Notes ----- A point where the target fails has a status other than 0, NaN as probabilities, and its reason on
    record (``failures``); the others are not touched by it. Results do not depend on the executor, nor on whether they
    went through a store.

    Examples
    --------
    >>> import numpy as np
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     types=("resolute", "irresolute"), messages=("tripwire", "none"), responses=("attack", "refrain"),
    ...     prior=[p, 1 - p], sender_payoffs=[[[-3, 1], [-4, 2]], [[-5, 0], [-4, 2]]],
    ...     receiver_payoffs=[[[-1, 0], [-1, 0]], [[1, 0], [1, 0]]])
    >>> result = sweep(game, over={"p": np.linspace(0.2, 0.8, 4)})
    >>> result.attack_high.values.round(2)
    array([0.92, 0.84, 0.13, 0.07])
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    grown: Extension | None = None
    if extend:
        if store is None:
            raise ParameterError("extend=True extends a store; name it by store=")
        grown = extension(store, over, samples=samples, method=method, seed=seed, options=storage_options)
    if grown is None:
        design: Grid | Sample = design_of(over, samples=samples, method=method, seed=seed)
    else:
        design, ties = grown.design, grown.ties if ties is None else ties
    question = question_of(target, design, at=at or {}, event=event, concept=concept, ties=ties)
    if store is None:
        per_point = sum(dtype.itemsize for dtype in question.dtypes.values())
        remedy = "ask at fewer points, or give a store= and read parts of it"
        require_memory(
            float(math.prod(design.shape)) * per_point, f"a result of {math.prod(design.shape):,} points", remedy
        )
    plan = plan_of(design.shape, _block_points(question, design, block, memory, executor))
    spec = specification(question, design)
    known = {
        "specification": canonical(spec),
        "fingerprint": fingerprint(spec),
        "versions": canonical(versions()),
        "started": started.isoformat(timespec="seconds"),
        "points": plan.points,
        "probabilities": json.dumps(question.ranges),
        "names": json.dumps(design.names),
    }
    if seed is not None or "seed" in design.description():
        known["seed"] = int(design.description().get("seed", seed or 0))
    if store is None:
        kept = _Kept(question, plan)
        with Progress(progress, plan.points, 0) as bar:
            run_blocks(Job(question, None), design, plan, range(len(plan)), kept.receiver(bar), executor)
        ended = {"finished": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": time.perf_counter() - clock}
        return _dataset(kept, question, design, {**known, **ended, **_told(design, kept.statuses, kept.reasons)})
    if grown is not None and grown.new_points:
        _extend(locate(store), question, grown, plan, known, repair, executor, progress, clock)
        return load(store, storage_options=storage_options)
    with open_store(store, question, design, plan, spec, known, options=storage_options, repair=repair) as opened:
        _fill(opened, question, design, repair, executor, progress, clock)
    return load(store, storage_options=storage_options)


def load(
    store: str | os.PathLike[str],
    *,
    partial: bool = False,
    verify: bool = False,
    allow_missing: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Open the result of a stored sweep; its values are read when they are used.

    Parameters
    ----------
    store : path or URL
    partial : bool
        Whether a sweep that is not finished will do; its missing points have status 255 and no values.
    verify : bool
        Whether every block is read and compared with its checksum. That all files are there is checked in any case.
    allow_missing : bool
        Whether blocks that are missing (or, with ``verify``, damaged) will do: their points have status 254 and no
        values, and the result is read into memory.
    storage_options : mapping, optional
        Of fsspec.

    Raises
    ------
    StoreError
        If there is no sweep; without ``partial``, if it is not finished; if its metadata or coordinates are damaged;
        without ``allow_missing``, if blocks are missing or damaged. What is damaged is named.
    """
    import xarray as xr

    url = locate(store)
    group = open_group(url, storage_options)
    lost: dict[int, list[str]] = {}
    if not is_plain_result(group):
        done = digests(group, plan_of_group(group)) != 0
        if not done.all() and not partial:
            raise StoreError(
                f"{store} is not finished: {done.sum()} of {done.size} blocks are; resume it, or load with partial=True"
            )
        lost = _lost_blocks(url, storage_options, group, verify)
        if lost and not allow_missing:
            raise damaged_error(url, [f"{file} (block {block})" for block, files in lost.items() for file in files])
    wrong = damaged_coordinates(group)
    if wrong:
        raise damaged_error(url, [f"{name} (values that are not those of the specification)" for name in wrong])
    options: dict[str, Any] = {"storage_options": dict(storage_options)} if storage_options and is_remote(url) else {}
    try:
        found = xr.open_zarr(url, consolidated=False, chunks=None, **options)
        coordinates = [str(name) for name in json.loads(str(found.attrs["specification"]))["design"]["points"]]
        dims = [str(d) for d in found.attrs.pop("dims", found["status"].dims)]
        ordered = _in_order(found.set_coords(coordinates).transpose(*dims))
    except Exception as error:  # whatever xarray raises on attributes that mean something else to it
        raise damaged_error(url, [f"attributes ({error})"]) from error
    return _without(ordered, group, lost) if lost else ordered


def _lost_blocks(url: str, storage_options: Mapping[str, Any] | None, group: Any, verify: bool) -> dict[int, list[str]]:
    """Return what is missing of blocks that are done and, with ``verify``, damaged; by block."""
    lost = missing_chunks(url, storage_options, group)
    if verify:
        damaged = {
            block: ["values that are not those that were written"]
            for block in damaged_blocks(group, plan_of_group(group))
        }
        lost = {**damaged, **lost}
    return dict(sorted(lost.items()))


def _without(found: xr.Dataset, group: Any, lost: Mapping[int, Any]) -> xr.Dataset:
    """Return a stored result in memory, without the values of blocks that are lost."""
    plan = plan_of_group(group)
    kept = found.drop_vars(list(found.data_vars))
    for name, variable in found.data_vars.items():
        blank: Any = LOST if name == "status" else np.nan if variable.dtype.kind == "f" else 0
        values = np.full(plan.shape, blank, dtype=variable.dtype)
        for block in set(range(len(plan))) - set(lost):
            values[plan.region(block)] = group[str(name)][plan.region(block)]
        kept[name] = (variable.dims, values, variable.attrs)
    kept.attrs = found.attrs
    return kept


def failures(result: xr.Dataset) -> list[dict[str, Any]]:
    """Return what failed in a sweep: up to 20 points, with their values, status and reason.

    Examples
    --------
    >>> import deterrence as dt
    >>> p = dt.symbols("p")
    >>> game = dt.SignalingGame(
    ...     ("a", "b"), ("m",), ("attack", "not"), [p, 1 - p], [[[0, 1]], [[0, 1]]], [[[0, 1]], [[1, 0]]])
    >>> failures(sweep(game, over={"p": [0.5, 1.5]}))
    [{'p': 1.5, 'status': 'INVALID', 'reason': 'ParameterError: a prior or event is no probability here'}]
    """
    found: list[dict[str, Any]] = json.loads(str(result.attrs.get("failures", "[]")))
    return found


def bytes_of(memory: int | str) -> int:
    """Return a number of bytes, given as one or as text such as ``"500 MB"``.

    Raises
    ------
    ParameterError
        If it is neither.

    Examples
    --------
    >>> bytes_of("1.5 KB")
    1500
    """
    text = str(memory).strip().upper()
    for unit, factor in _SIZES.items():
        if text.endswith(unit):
            text, scale = text.removesuffix(unit).strip(), factor
            break
    else:
        scale = 1
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise ParameterError(f"memory must be a number of bytes or text such as '500 MB', got {memory!r}")
    return int(number * scale)


def _block_points(
    question: Question, design: Design, block: int | None, memory: int | str | None, executor: Any
) -> int:
    """Return how many points a block shall have: what suits the target, within memory."""
    if block is not None and (isinstance(block, bool) or not isinstance(block, int | np.integer) or block < 1):
        raise ParameterError(f"block must be a whole number of points, at least 1, got {block!r}")
    points = question.block if block is None else int(block)
    if memory is None:
        return points
    workers = executor if isinstance(executor, int) else cores()
    per_point = sum(d.itemsize for d in question.dtypes.values()) + _KINDS + 8 * len(design.names)
    fit = bytes_of(memory) // (2 * workers * _COPIES * per_point)  # two blocks per worker are in hand
    if block is not None and points > fit:
        raise ParameterError(f"blocks of {points} points need more than memory={memory!r}; {fit} points fit")
    return max(1, min(points, fit))


def _extend(
    url: str,
    question: Question,
    grown: Extension,
    plan: Plan,
    known: Mapping[str, Any],
    repair: bool,
    executor: Any,
    progress: bool | Told,
    clock: float,
) -> None:
    """Make the larger store beside a store, from its values and those of new points, and let it take its place."""
    require_extendable(url)
    old_spec = specification(question, grown.stored)
    old_known = {**known, "specification": canonical(old_spec), "fingerprint": fingerprint(old_spec)}
    old_known["points"] = math.prod(grown.stored.shape)
    old_plan = plan_of(grown.stored.shape, math.prod(plan.chunk))
    with open_store(url, question, grown.stored, old_plan, old_spec, old_known, repair=repair) as old:
        damaged = old.damaged_blocks()
        if damaged and not repair:
            raise damaged_blocks_error(old, damaged)
        old.forget(damaged)
        before = old.attributes
        step = {"fingerprint": before["fingerprint"], "points": before["points"], "versions": before["versions"]}
        told = {**known, "extended": json.dumps([*json.loads(before.get("extended", "[]")), step])}
        place = place_of_extension(url, str(known["fingerprint"]))
        spec = specification(question, grown.design)
        with open_store(place, question, grown.design, plan, spec, told, repair=True) as new:
            design = ExtendedDesign(grown, open_group(url))
            _fill(new, question, design, True, executor, progress, clock)

            def release() -> None:
                new.lock.release()
                old.lock.release()

            take_place(url, release)


def damaged_blocks_error(opened: SweepStore, damaged: list[int]) -> StoreError:
    """Return the error that says which blocks of a store are not what was written."""
    return StoreError(
        f"{opened.url} is damaged in {len(damaged)} of {len(opened.plan)} blocks ({damaged[:8]}); the others "
        "are as they were written. Call again with repair=True to compute the damaged ones anew"
    )


def _fill(
    opened: SweepStore,
    question: Question,
    design: Design,
    repair: bool,
    executor: Any,
    progress: bool | Told,
    clock: float,
) -> None:
    """Run the blocks that a store lacks."""
    if opened.resumed:
        damaged = opened.damaged_blocks()
        if damaged and not repair:
            raise damaged_blocks_error(opened, damaged)
        opened.forget(damaged)
    pending, plan = opened.pending(), opened.plan
    if not pending and "finished" in opened.attributes:
        return
    points = sum(stop - start for start, stop in map(plan.bounds, pending))
    with Progress(progress, plan.points, plan.points - points) as bar:

        def receive(report: Report) -> None:
            opened.lock.beat()
            start, stop = plan.bounds(report.block)
            bar.add(stop - start)

        run_blocks(Job(question, opened.writer), design, plan, pending, receive, executor)
    statuses, reasons = opened.outcome(_EXAMPLES)
    seconds = float(opened.attributes.get("seconds", 0.0)) + time.perf_counter() - clock
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    opened.note({"finished": finished, "seconds": seconds, **_told(design, statuses, reasons)})


class _Kept:
    """The result as it grows in memory, by the number of the point; and what failed."""

    def __init__(self, question: Question, plan: Plan) -> None:
        self.plan = plan
        self.variables = {name: np.zeros(plan.points, dtype=dtype) for name, dtype in question.dtypes.items()}
        self.kinds: dict[str, Array] = {}
        self.statuses = np.zeros(len(Status), dtype=np.int64)
        self.reasons: dict[int, str] = {}

    def receiver(self, bar: Progress) -> Callable[[Report], None]:
        """Return what puts a report where it belongs."""

        def receive(report: Report) -> None:
            assert report.solved is not None
            start, stop = self.plan.bounds(report.block)
            for name, values in report.solved.variables.items():
                self.variables[name][start:stop] = values
            for kind, flags in report.solved.kinds.items():
                self.kinds.setdefault(kind, np.zeros(self.plan.points, dtype=bool))[start:stop] = flags
            self.statuses += report.statuses
            fresh = {start + i: reason for i, reason in report.reasons.items()}
            self.reasons = dict(sorted({**self.reasons, **fresh}.items())[:_EXAMPLES])
            bar.add(stop - start)

        return receive


def _dataset(kept: _Kept, question: Question, design: Design, attributes: Mapping[str, Any]) -> xr.Dataset:
    import xarray as xr

    shape, dims = design.shape, design.dims
    told = question.attributes()
    variables = {name: (dims, values.reshape(shape), told.get(name, {})) for name, values in kept.variables.items()}
    for kind, flags in kept.kinds.items():
        variables[kind_variable(kind)] = (dims, flags.reshape(shape), kind_attributes(kind))
    coordinates = {name: (own, values, told.get(name, {})) for name, (own, values) in design.coordinates().items()}
    return _in_order(xr.Dataset(variables, coordinates, dict(attributes)))


def _in_order(found: xr.Dataset) -> xr.Dataset:
    """Return a result with its variables in one order, whatever they were met in: ranges, counts and codes, kinds.

    Coordinates stand in the order of the dimensions, then of the specification (a selection of variables by xarray
    takes them in the order of a set, which changes from process to process).
    """
    import xarray as xr

    names = [str(name) for name in found.data_vars]
    kinds = sorted(name for name in names if "kind" in found[name].attrs)
    codes = [name for name in ("equilibria", "status", "degenerate") if name in names]
    ranges = [str(n) for n in json.loads(str(found.attrs["probabilities"]))]
    attributes = {name: found.attrs[name] for name in sorted(found.attrs)}
    points = json.loads(str(found.attrs["specification"]))["design"]["points"]
    known = dict.fromkeys(name for name in (*map(str, found.dims), *points) if name in found.coords)
    coordinates = [*known, *sorted(set(map(str, found.coords)) - {*known})]
    return xr.Dataset(
        {name: found[name].variable for name in (*ranges, *codes, *kinds)},
        {name: found[name].variable for name in coordinates},
        attributes,
    )


def _told(design: Design, statuses: Array, reasons: Mapping[int, str]) -> dict[str, Any]:
    """Return what failed as attributes of the result."""
    where = design.take(np.array(sorted(reasons), dtype=np.int64))
    examples = []
    for k, (_, text) in enumerate(sorted(reasons.items())):
        status, _, reason = text.partition(" ")
        examples.append({**{name: float(v[k]) for name, v in where.items()}, "status": status, "reason": reason})
    counts = {status.name: int(statuses[status]) for status in Status}
    return {"failed": int(statuses[1:].sum()), "statuses": json.dumps(counts), "failures": json.dumps(examples)}

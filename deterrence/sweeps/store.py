"""Sweeps on disk: a Zarr store that is written block by block and can be resumed after anything.

Each chunk is written under another name and then renamed; a block is marked done, with a checksum of its values, only
after all its variables are there. A killed run therefore leaves whole blocks and nothing else that counts. One process
at a time may coordinate a sweep: it holds a lock that dies with it.

Layout: coordinates and variables of the result as arrays of the root group, chunked like the blocks, so that any
reader of Zarr sees the labelled result; ``progress/digest`` has an entry per block (0: not done), ``progress/reasons``
why points failed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.games.answers import Status
from deterrence.sweeps.blocks import Plan
from deterrence.sweeps.designs import Design
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.locks import Lock, take_lock
from deterrence.sweeps.question import Question
from deterrence.sweeps.specification import differences
from deterrence.sweeps.store_writer import REASONS, StoreWriter, new_array, read_digest, read_reasons, storing

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class SweepStore:
    """A store that this process coordinates; a context that holds the lock.

    Attributes
    ----------
    url : str
    writer : StoreWriter
    resumed : bool
        Whether the store was there before.
    lock : Lock
    """

    url: str
    writer: StoreWriter
    resumed: bool
    lock: Lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()

    @property
    def plan(self) -> Plan:
        """How the stored sweep is cut into blocks."""
        return self.writer.plan

    def pending(self) -> list[int]:
        """Return the blocks that are not done."""
        done = self.writer.group()["progress/digest"][:]
        return [int(b) for b in np.flatnonzero(np.asarray(done) == 0)]

    def damaged(self) -> list[int]:
        """Return the blocks that were done but are not what was written."""
        group = self.writer.group()
        done = np.asarray(group["progress/digest"][:])
        return [int(b) for b in np.flatnonzero(done) if read_digest(group, self.plan, int(b)) != done[b]]

    def forget(self, blocks: list[int]) -> None:
        """Mark blocks as not done.

        Raises
        ------
        StoreError
            If the store cannot be written to.
        """
        with storing(self.url):
            group = self.writer.group()
            kinds = [array for _, array in group.arrays() if "kind" in array.attrs]
            for block in blocks:
                group["progress/digest"][block] = 0
                for array in kinds:  # a damaged chunk cannot be read, but it can be replaced
                    array[self.plan.region(block)] = np.zeros(self.plan.block_shape(block), dtype=bool)

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes to the root group.

        Raises
        ------
        StoreError
            If the store cannot be written to.
        """
        with storing(self.url):
            self.writer.group().attrs.update(dict(attributes))

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the root group."""
        return dict(open_group(self.url, self.writer.options).attrs)

    def outcome(self, most: int) -> tuple[Array, dict[int, str]]:
        """Return the number of points of each status, and the first reasons of failures by the number of the point."""
        group, counts = self.writer.group(), np.zeros(len(Status), dtype=np.int64)
        reasons: dict[int, str] = {}
        for block in range(len(self.plan)):
            found = np.bincount(np.asarray(group["status"][self.plan.region(block)]).ravel(), minlength=len(Status))
            counts += found
            if found[1:].any() and len(reasons) < most:
                start = self.plan.bounds(block)[0]
                reasons |= {start + i: reason for i, reason in read_reasons(group, block).items()}
        return counts, dict(sorted(reasons.items())[:most])


def open_store(
    where: str | os.PathLike[str],
    question: Question,
    design: Design,
    plan: Plan,
    spec: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
) -> SweepStore:
    """Open the store of a sweep, or make it, and lock it.

    Parameters
    ----------
    where : path or fsspec URL
    question, design, plan
        The sweep; ``plan`` is used for a new store only.
    spec : mapping
        Its specification.
    attributes : mapping
        Of the root group of a new store.
    options : mapping, optional
        Storage options of fsspec.

    Raises
    ------
    StoreError
        If zarr is missing, another process holds the lock, something else is there, the store holds another sweep (the
        message says what differs), or it cannot be written to.
    """
    _require_zarr()
    url, given = str(where), dict(options or {})
    resumed = exists(url, given)
    with storing(url):
        if not resumed:
            _make(url, question, design, plan, attributes, given)
    lock = take_lock(url, given)
    try:
        group = open_group(url, given)
        differing = differences(json.loads(str(group.attrs["specification"])), spec)
        if differing:
            raise StoreError(f"{url} holds another sweep: {differing}. Name another place, or ask as it was asked")
        kept = Plan(plan.shape, tuple(int(c) for c in group["status"].chunks))
        if resumed:
            _sweep_up(url)
        return SweepStore(url, StoreWriter(url, kept, given), resumed, lock)
    except BaseException:
        lock.release()
        raise


def exists(url: str, options: Mapping[str, Any] | None = None) -> bool:
    """Return whether something is stored at a path or URL.

    Raises
    ------
    StoreError
        If something other than a Zarr store is there.
    """
    if "://" in url:
        import fsspec

        files, path = fsspec.core.url_to_fs(url, **dict(options or {}))
        return bool(files.exists(f"{path}/zarr.json"))
    place = Path(url)
    if place.is_dir() and any(place.iterdir()) and not (place / "zarr.json").is_file():
        raise StoreError(f"{url} is a directory without a Zarr store; name a place that is free")
    if place.exists() and not place.is_dir():
        raise StoreError(f"{url} is a file; a store is a directory")
    return (place / "zarr.json").is_file()


def open_group(url: str, options: Mapping[str, Any] | None = None) -> Any:
    """Return the root group of a stored sweep, for reading.

    Raises
    ------
    StoreError
        If there is none.
    """
    if "://" not in url and not exists(url, options):
        raise StoreError(f"there is no sweep at {url}")
    _require_zarr()
    import zarr

    if not exists(url, options):
        raise StoreError(f"there is no sweep at {url}")
    group = zarr.open_group(url, mode="r", storage_options=dict(options) if options else None)
    if "specification" not in group.attrs:
        raise StoreError(f"{url} is a Zarr store, but of no sweep")
    return group


def _make(
    url: str, question: Question, design: Design, plan: Plan, attributes: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Write an empty store: whole under another name first, where renaming can be done at once."""
    import zarr

    remote, told = "://" in url, question.attributes()
    place = url if remote else f"{url}.{uuid.uuid4().hex}.partial"
    try:
        if not remote:
            Path(url).parent.mkdir(parents=True, exist_ok=True)
        extra: dict[str, Any] = {"storage_options": dict(options)} if remote and options else {}
        group = zarr.open_group(place, mode="w-", zarr_format=3, **extra)
        for name, (dims, values) in design.coordinates().items():
            array = group.create_array(
                name, shape=values.shape, dtype=values.dtype, dimension_names=dims, attributes=told.get(name, {})
            )
            array[:] = values
        for name, dtype in question.dtypes.items():
            new_array(group, name, plan, dtype, design.dims, told.get(name, {}))
        progress = group.create_group("progress")
        progress.create_array("digest", shape=(len(plan),), chunks=(1,), dtype=np.int64, fill_value=0)
        progress.create_array("reasons", shape=(len(plan), REASONS), chunks=(1, REASONS), dtype=np.uint8, fill_value=0)
        group.attrs.update({**attributes, "dims": list(design.dims)})
        if not remote:
            with contextlib.suppress(FileNotFoundError):
                Path(url).rmdir()  # an empty directory makes way
            try:
                os.rename(place, url)
            except OSError as error:
                if not (Path(url) / "zarr.json").is_file():  # otherwise another process was quicker: it has the lock
                    raise error
    finally:
        if not remote:
            shutil.rmtree(place, ignore_errors=True)


def _require_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise StoreError("store= needs zarr: pip install 'deterrence[store]'") from None


def _sweep_up(url: str) -> None:
    """Remove what a killed process left half written."""
    if "://" not in url:
        for left in Path(url).rglob("*.partial"):
            with contextlib.suppress(OSError):
                left.unlink()

"""Sweeps on disk: a Zarr store that is written block by block and can be resumed after anything.

Each file is written under another name and then renamed; a block is marked done, with a checksum of its values, only
after all its variables are there. A killed run therefore leaves whole blocks and nothing else that counts. One process
at a time may coordinate a sweep: it holds a lock that dies with it, from before the first file is written.

Layout: coordinates and variables of the result as arrays of the root group, chunked like the blocks, so that any
reader of Zarr sees the labelled result; ``progress/digest`` has an entry per block (0: not done), ``progress/reasons``
why points failed, ``progress/lock`` is the lock. All but the chunks of the variables follows from the specification:
it is made in memory first (``skeleton``), written with the root group last, and compared with what is there when a
sweep goes on, so that damage is found and can be repaired.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from deterrence.files import write_whole_bytes
from deterrence.games.answers import Status
from deterrence.sweeps.blocks import Plan
from deterrence.sweeps.designs import Design
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.question import Question
from deterrence.sweeps.specification import differences, fingerprint
from deterrence.sweeps.store_writer import REASONS, StoreWriter, dims_of, new_array, read_digest, read_reasons, storing

Array = NDArray[Any]

_STALE = 600  # seconds after which the lock of a remote store counts as left behind
_MOST_NAMED = 6  # files that a message names
_TEXTS = ("specification", "fingerprint", "versions", "probabilities")  # attributes of the root that are text


@dataclass(frozen=True, eq=False)
class Lock:
    """What keeps other coordinators out.

    Attributes
    ----------
    beat : callable
        Says that this one is alive; to be called every few minutes at least.
    release : callable
        Gives the lock back.
    """

    beat: Callable[[], None]
    release: Callable[[], None]


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
        return [int(b) for b in np.flatnonzero(digests(self.writer.group(), self.plan) == 0)]

    def damaged_blocks(self) -> list[int]:
        """Return the blocks that were done but are not what was written."""
        return damaged_blocks(self.writer.group(), self.plan)

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


# -- where a store is --------------------------------------------------------------------------------------------------


def locate(where: str | os.PathLike[str]) -> str:
    """Return a path, or an fsspec URL of a kind that is known; ``file://`` becomes a path.

    Raises
    ------
    StoreError
        If the place has no name, or fsspec does not know its scheme.

    Examples
    --------
    >>> locate("file:///data/a.zarr")
    '/data/a.zarr'
    """
    url = os.fspath(where)
    if not url or "\0" in url:
        raise StoreError(f"a store needs a path or a URL, got {url!r}")
    if not is_remote(url):
        return url
    scheme = url.partition("://")[0]
    try:
        import fsspec
        from fsspec.implementations.local import LocalFileSystem

        kind = fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise StoreError(f"the store {url} needs a package: {error}") from None
    except ValueError as error:
        raise StoreError(f"no store can be at {url}: {error}; name a path, or a URL that fsspec knows") from None
    if issubclass(kind, LocalFileSystem):
        return str(LocalFileSystem._strip_protocol(url))
    return url


def is_remote(url: str) -> bool:
    """Return whether a place is named by a URL."""
    return "://" in url


def exists(url: str, options: Mapping[str, Any] | None = None) -> bool:
    """Return whether the store of a sweep is at a path or URL, whole or damaged.

    Raises
    ------
    StoreError
        If something else is there, or the place cannot be reached.
    """
    url = locate(url)
    if not is_remote(url):
        _finish_replacement(url)
    if is_remote(url):
        with storing(url):
            files, path = _remote(url, options)
            return bool(files.exists(f"{path}/zarr.json"))
    place = Path(url)
    with storing(url):
        if place.exists() and not place.is_dir():
            raise StoreError(f"{url} is a file; a store is a directory")
        if not place.is_dir() or not any(place.iterdir()):
            return False
    if (place / "zarr.json").is_file() or any((place / "progress" / n).exists() for n in ("digest", "reasons")):
        return True
    if (place / "progress" / "lock").is_file():  # a process was killed while it made the store
        return False
    if [part.name for part in place.iterdir()] == ["progress"] and not any((place / "progress").iterdir()):
        return False  # another process is about to lock it
    raise StoreError(f"{url} is a directory without a Zarr store; name a place that is free")


def extension_of(url: str) -> Path:
    """Return where the extension of a store is made, before it takes its place."""
    place = Path(url)
    return place.with_name(f".{place.name}.extension")


def replaced_by(url: str) -> Path:
    """Return where a store is whose place its extension takes, before it is removed."""
    place = Path(url)
    return place.with_name(f".{place.name}.replaced")


def _finish_replacement(url: str) -> None:
    """Go on where a process was killed between the two steps in which an extension takes the place of a store."""
    place, made, old = Path(url), extension_of(url), replaced_by(url)
    with contextlib.suppress(OSError):
        if old.is_dir() and not place.exists():
            os.rename(made if made.is_dir() else old, place)


def _remove_replaced(url: str) -> None:
    """Remove the store that an extension has replaced, if a process was killed before it could."""
    if is_remote(url):
        return
    made, old = extension_of(url), replaced_by(url)
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        if made.is_dir():
            stored = json.loads((Path(url) / "zarr.json").read_text("utf-8"))["attributes"]
            left = json.loads((made / "zarr.json").read_text("utf-8"))["attributes"]
            if left["fingerprint"] in [step["fingerprint"] for step in json.loads(stored["extended"])]:
                os.rename(made, old)
    shutil.rmtree(old, ignore_errors=True)


def open_store(
    where: str | os.PathLike[str],
    question: Question,
    design: Design,
    plan: Plan,
    spec: Mapping[str, Any],
    attributes: Mapping[str, Any],
    *,
    options: Mapping[str, Any] | None = None,
    repair: bool = False,
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
    repair : bool
        Whether damaged metadata and coordinates are written anew, from the specification.

    Raises
    ------
    StoreError
        If zarr is missing, another process holds the lock, something else is there, the store holds another sweep (the
        message says what differs) or is damaged, or it cannot be written to.
    """
    require_zarr()
    url, given = locate(where), dict(options or {})
    exists(url, given)  # raises if the place is taken
    with storing(url):
        lock = _take_lock(url, given)
    try:
        resumed = exists(url, given)  # by now nobody else can make it
        if not resumed:
            with storing(url):
                _write(url, skeleton(question, design, plan, attributes), given)
            return SweepStore(url, StoreWriter(url, plan, given), False, lock)
        kept = Plan(plan.shape, _stored_chunk(url, given, plan))
        _check(url, given, spec, skeleton(question, design, kept, attributes), repair)
        _remove_unfinished_files(url)
        _remove_replaced(url)
        return SweepStore(url, StoreWriter(url, kept, given), True, lock)
    except BaseException:
        lock.release()
        raise


def open_group(url: str, options: Mapping[str, Any] | None = None) -> Any:
    """Return the root group of a stored sweep, for reading.

    Raises
    ------
    StoreError
        If there is none, or its metadata cannot be read.
    """
    url = locate(url)
    if not exists(url, options):
        raise StoreError(f"there is no sweep at {url}{_unfinished(url)}")
    require_zarr()
    import zarr

    damage = unreadable_metadata(url, options)
    if damage:
        raise damaged_error(url, damage)
    group = zarr.open_group(url, mode="r", storage_options=dict(options) if options and is_remote(url) else None)
    if "specification" not in group.attrs:
        raise StoreError(f"{url} is a Zarr store, but of no sweep")
    return group


def require_zarr() -> None:
    """Raise StoreError unless zarr and filelock are installed."""
    try:
        import filelock  # noqa: F401
        import zarr  # noqa: F401
    except ImportError:
        raise StoreError("store= needs zarr and filelock: pip install 'deterrence[store]'") from None


# -- what is there -----------------------------------------------------------------------------------------------------


def is_plain_result(group: Any) -> bool:
    """Return whether a group is the written result of a sweep, and no store that could be resumed."""
    return "dims" not in group.attrs


def plan_of_group(group: Any) -> Plan:
    """Return how a stored sweep is cut into blocks."""
    return Plan(tuple(group["status"].shape), tuple(int(c) for c in group["status"].chunks))


def digests(group: Any, plan: Plan) -> NDArray[np.int64]:
    """Return the checksum of each block, 0 where it is not done, -1 where it cannot be read."""
    array = group["progress/digest"]
    try:
        return np.asarray(array[:], dtype=np.int64)
    except Exception:  # whatever a codec raises on damaged bytes
        found = np.full(len(plan), -1, dtype=np.int64)
        for block in range(len(plan)):
            with contextlib.suppress(Exception):
                found[block] = int(array[block])
        return found


def missing_chunks(url: str, options: Mapping[str, Any] | None, group: Any) -> dict[int, list[str]]:
    """Return the files that blocks which are done lack, by block.

    A kind that occurs nowhere in a block has no chunk, nor had other variables of one value in stores of version 0.1: a
    block that lacks files but has its checksum lacks nothing.
    """
    plan = plan_of_group(group)
    told = digests(group, plan)
    done = np.flatnonzero(told != 0)
    lost: dict[int, list[str]] = {}
    for name, array in group.arrays():
        if name in (*dims_of(group), *_coordinates(group)) or "kind" in array.attrs:
            continue
        there = _chunk_keys(locate(url), options, name)
        for block in done:
            key = "/".join(map(str, np.unravel_index(int(block), plan.counts)))
            if key not in there:
                lost.setdefault(int(block), []).append(f"{name}/c/{key}")
    return {block: sorted(files) for block, files in lost.items() if _is_damaged(group, plan, block, int(told[block]))}


def damaged_blocks(group: Any, plan: Plan) -> list[int]:
    """Return the blocks that were done but are not what was written; this reads the whole store."""
    done = digests(group, plan)
    return [int(b) for b in np.flatnonzero(done) if _is_damaged(group, plan, int(b), int(done[b]))]


def damaged_coordinates(group: Any) -> list[str]:
    """Return the coordinates that are not those of the specification."""
    import hashlib

    wrong = []
    for name, told in json.loads(str(group.attrs["specification"]))["design"]["points"].items():
        try:
            raw = np.asarray(group[name][:], dtype=np.float64).tobytes()
        except Exception:  # whatever a codec raises on damaged bytes
            raw = b""
        if hashlib.sha256(raw).hexdigest() != told["sha256"]:
            wrong.append(str(name))
    return wrong


def unreadable_metadata(url: str, options: Mapping[str, Any] | None = None) -> list[str]:
    """Return the files of metadata that cannot be read or are not what a store has, root first, with the reason."""
    url = locate(url)
    root, reason = _parsed(url, options, "zarr.json")
    if root is None:
        return [f"zarr.json ({reason})"]
    attributes = root.get("attributes")
    if root.get("node_type") != "group" or not isinstance(attributes, dict):
        return ["zarr.json (no group with attributes)"]
    if "specification" not in attributes:
        return []
    try:
        told = _told_attributes(attributes)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return [f"zarr.json (attributes: {error})"]
    import zarr

    try:
        group = zarr.open_group(url, mode="r", storage_options=dict(options) if options and is_remote(url) else None)
    except Exception as error:  # whatever zarr raises on damaged metadata
        return [f"zarr.json ({_short(error)})"]
    plain = told["shape"] is None
    if plain and _has_progress(url, options):
        return ["zarr.json (no attribute dims)"]
    expected = [*told["coordinates"], *told["variables"], *_kind_folders(url, options)]
    wrong = []
    progress, reason = _parsed(url, options, "progress/zarr.json")
    strange = set(progress or {}) - {"node_type", "zarr_format", "attributes", "consolidated_metadata"}
    if not plain and (
        progress is None or progress.get("node_type") != "group" or progress.get("zarr_format") != 3 or strange
    ):
        wrong.append(f"progress/zarr.json ({reason or 'no group'})")
    for name in [*expected, *([] if plain else ["progress/digest", "progress/reasons"])]:
        of_result = name in told["variables"] or name.startswith("kind_")
        try:
            _require_array(group, name, told["shape"] if of_result else None)
        except Exception as error:  # whatever zarr raises on damaged metadata
            wrong.append(f"{name}/zarr.json ({_short(error)})")
    return wrong


def damaged_error(url: str, what: list[str]) -> StoreError:
    """Return the error that names what is damaged in a store, and the remedy."""
    named = ", ".join(what[:_MOST_NAMED]) + (f" and {len(what) - _MOST_NAMED} more" if len(what) > _MOST_NAMED else "")
    return StoreError(
        f"{url} is damaged: {named}. The same sweep with repair=True (deterrence resume or study with --repair) writes "
        "anew what it can and computes what is lost; allow_missing=True loads the rest"
    )


def _told_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the attributes of the root say, or raise if they do not agree with each other."""
    for name in _TEXTS:
        if not isinstance(attributes.get(name), str):
            raise TypeError(f"{name} must be text")
    spec, dims = json.loads(attributes["specification"]), attributes.get("dims")
    if fingerprint(spec) != attributes["fingerprint"]:
        raise ValueError("the fingerprint is not that of the specification")
    points = spec["design"]["points"]
    variables = json.loads(attributes["probabilities"])
    versions = json.loads(attributes["versions"])
    if not isinstance(versions, dict) or not isinstance(variables, list) or not isinstance(points, dict):
        raise TypeError("versions, probabilities or points are of a wrong type")
    for name in ("failures", "statuses"):
        if name in attributes:
            json.loads(attributes[name])
    counts = {str(name): int(told["count"]) for name, told in points.items()}
    if spec["design"]["kind"] != "grid":
        counts = {"sample": next(iter(counts.values()))}
    if dims is not None and sorted(dims) != sorted(counts):
        raise ValueError(f"dims are {dims}, expected {list(counts)}")
    total = math.prod(counts.values())
    if attributes.get("points") != total:
        raise ValueError(f"points are {attributes.get('points')}, expected {total}")
    shape = None if dims is None else tuple(counts[d] for d in dims)
    return {"coordinates": list(points), "variables": [*variables, "equilibria", "status"], "shape": shape}


def _require_array(group: Any, name: str, shape: tuple[int, ...] | None) -> None:
    """Raise unless an array can be opened and, where it is one of the result, agrees with the status."""
    array = group[name]
    array.attrs.asdict()
    if not name.startswith("progress") and array.metadata.dimension_names is None:
        raise ValueError("no names of dimensions")
    if name.startswith("kind_") and not isinstance(array.attrs.get("kind"), str):
        raise ValueError("no attribute kind")
    if shape is None:
        return
    if tuple(array.shape) != shape:
        raise ValueError(f"shape {tuple(array.shape)}, expected {shape}")
    if tuple(array.chunks) != tuple(group["status"].chunks):
        raise ValueError(f"chunks {tuple(array.chunks)}, those of status are {tuple(group['status'].chunks)}")


def _is_damaged(group: Any, plan: Plan, block: int, digest: int) -> bool:
    if read_digest(group, plan, block) != digest:
        return True
    try:
        read_reasons(group, block)
    except Exception:  # damaged bytes, or no JSON
        return True
    return False


def _coordinates(group: Any) -> list[str]:
    return list(json.loads(str(group.attrs["specification"]))["design"]["points"])


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else f"{text[:117]}..."


def _unfinished(url: str) -> str:
    if not is_remote(url) and (Path(url) / "progress" / "lock").is_file():
        return ": making it was interrupted; the call that made it does so again"
    return ""


# -- how it is written -------------------------------------------------------------------------------------------------


def skeleton(question: Question, design: Design, plan: Plan, attributes: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a store without a block, by path, the root group last."""
    import zarr

    files: dict[str, Any] = {}
    told = question.attributes()
    group = zarr.open_group(zarr.storage.MemoryStore(store_dict=files), mode="w-", zarr_format=3)
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
    return {key: files[key].to_bytes() for key in sorted(files, key=lambda key: key == "zarr.json")}


def _write(url: str, files: Mapping[str, bytes], options: Mapping[str, Any]) -> None:
    for key, raw in files.items():
        if is_remote(url):
            remote, path = _remote(url, options)
            remote.pipe_file(f"{path}/{key}", raw)
        else:
            place = Path(url) / key
            place.parent.mkdir(parents=True, exist_ok=True)
            write_whole_bytes(place, raw, overwrite=True)


def _check(
    url: str, options: Mapping[str, Any], spec: Mapping[str, Any], files: Mapping[str, bytes], repair: bool
) -> None:
    """Raise unless a store holds the sweep and its metadata are whole; with ``repair`` write them anew."""
    damage = unreadable_metadata(url, options)
    root, _ = _parsed(url, options, "zarr.json")
    stored = {} if root is None else root.get("attributes")
    stored = stored if isinstance(stored, dict) else {}
    if not any(text.startswith("zarr.json") for text in damage):
        if "specification" not in stored:
            raise StoreError(f"{url} is a Zarr store, but of no sweep")
        if not _has_progress(url, options):
            raise StoreError(f"{url} is the written result of a sweep, no store; name another place")
        differing = differences(json.loads(stored["specification"]), spec)
        if differing:
            raise StoreError(f"{url} holds another sweep: {differing}. Name another place, or ask as it was asked")
        _compare_versions(
            url, json.loads(stored["versions"]), json.loads(json.loads(files["zarr.json"])["attributes"]["versions"])
        )
    elif repair and isinstance(stored.get("specification"), str) and stored.get("fingerprint") != fingerprint(spec):
        with contextlib.suppress(ValueError):
            if differences(json.loads(stored["specification"]), spec) and fingerprint(
                json.loads(stored["specification"])
            ) == stored.get("fingerprint"):
                raise StoreError(f"{url} holds another sweep; name another place, or ask as it was asked")
    lost: list[str] | None = None
    if not damage:
        lost = damaged_coordinates(open_group(url, options))
    wrong = {k: raw for k, raw in files.items() if k != "zarr.json" and not _same(url, options, k, raw, lost)}
    if any(text.startswith("zarr.json") for text in damage):
        wrong["zarr.json"] = files["zarr.json"]
    kinds = [name for name in _kind_folders(url, options) if any(text.startswith(f"{name}/") for text in damage)]
    if not wrong and not kinds:
        return
    if not repair:
        raise damaged_error(url, [*damage, *(key for key in wrong if not any(key in text for text in damage))])
    with storing(url):
        for name in kinds:  # what kind it was is lost: its blocks are computed anew
            _remove(url, options, name)
        _write(url, wrong, options)


def _compare_versions(url: str, stored: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Warn if what computed the stored blocks is not what would compute more."""
    changed = [
        f"{name} {stored.get(name)} (now {now.get(name)})"
        for name in {**stored, **now}
        if stored.get(name) != now.get(name)
    ]
    if changed:
        warnings.warn(
            f"{url} was computed by {', '.join(changed)}; numbers may differ in their last digits between its blocks",
            stacklevel=5,
        )


def _same(url: str, options: Mapping[str, Any], key: str, raw: bytes, coordinates: list[str] | None) -> bool:
    """Return whether a file of a store is as it must be; other versions of zarr may lay out and compress otherwise."""
    there = _bytes(url, options, key)
    if there == raw:
        return True
    if there is None:
        return False
    if not key.endswith("zarr.json"):
        return coordinates is not None and key.partition("/")[0] not in coordinates
    try:
        return _essence(json.loads(there)) == _essence(json.loads(raw))
    except (ValueError, TypeError, AttributeError, LookupError):
        return False


def _essence(table: Mapping[str, Any]) -> list[Any]:
    """Return what metadata of an array or a group must agree in."""
    keys = (
        "node_type",
        "zarr_format",
        "shape",
        "data_type",
        "chunk_grid",
        "fill_value",
        "dimension_names",
        "attributes",
    )
    return [*(table.get(key) for key in keys), [codec["name"] for codec in table.get("codecs", ())]]


def _stored_chunk(url: str, options: Mapping[str, Any], plan: Plan) -> tuple[int, ...]:
    """Return the shape of the blocks of a store, from the first array of the result that tells it."""
    shapes: list[tuple[int, ...]] = []
    for name in ("status", "equilibria", *_array_folders(url, options)):
        table, _ = _parsed(url, options, f"{name}/zarr.json")
        try:
            chunk = tuple(int(c) for c in table["chunk_grid"]["configuration"]["chunk_shape"])  # type: ignore[index]
        except (LookupError, TypeError, ValueError):
            continue
        if len(chunk) == len(plan.shape) and min(chunk) >= 1 and tuple(table["shape"]) == plan.shape:  # type: ignore[index]
            shapes.append(chunk)
    return max(shapes, key=shapes.count) if shapes else plan.chunk


def _array_folders(url: str, options: Mapping[str, Any] | None) -> list[str]:
    """Return the names of the folders of a store, but ``progress``."""
    if is_remote(url):
        files, path = _remote(url, options)
        names = [str(entry).rstrip("/").rpartition("/")[2] for entry in files.ls(path, detail=False)]
    else:
        names = [entry.name for entry in Path(url).iterdir() if entry.is_dir()]
    return sorted(name for name in names if name not in ("progress", "zarr.json"))


def _kind_folders(url: str, options: Mapping[str, Any] | None) -> list[str]:
    return [name for name in _array_folders(url, options) if name.startswith("kind_")]


def _chunk_keys(url: str, options: Mapping[str, Any] | None, name: str) -> set[str]:
    """Return the chunks that an array has, as ``"0/1"``."""
    if is_remote(url):
        files, path = _remote(url, options)
        root = f"{path}/{name}/c/".lstrip("/")
        return {str(key).lstrip("/").removeprefix(root) for key in files.find(f"{path}/{name}/c")}
    root_folder = Path(url) / name / "c"
    return {
        (Path(folder) / file).relative_to(root_folder).as_posix()
        for folder, _, files in os.walk(root_folder)
        for file in files
    }


def _parsed(url: str, options: Mapping[str, Any] | None, key: str) -> tuple[dict[str, Any] | None, str]:
    """Return the content of a file of metadata, or None and why not."""
    raw = _bytes(url, options, key)
    if raw is None:
        return None, "missing"
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return None, f"no JSON: {_short(error)}"
    return (table, "") if isinstance(table, dict) else (None, "no table")


def _bytes(url: str, options: Mapping[str, Any] | None, key: str) -> bytes | None:
    """Return a file of a store, None if there is none."""
    with storing(url):
        try:
            if is_remote(url):
                files, path = _remote(url, options)
                return bytes(files.cat_file(f"{path}/{key}"))
            return (Path(url) / key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None


def _has_progress(url: str, options: Mapping[str, Any] | None) -> bool:
    return any(_bytes(url, options, f"progress/{name}zarr.json") is not None for name in ("", "digest/", "reasons/"))


def _remove(url: str, options: Mapping[str, Any], name: str) -> None:
    if is_remote(url):
        files, path = _remote(url, options)
        files.rm(f"{path}/{name}", recursive=True)
    else:
        shutil.rmtree(Path(url) / name)


def _remote(url: str, options: Mapping[str, Any] | None) -> tuple[Any, str]:
    import fsspec

    files, path = fsspec.core.url_to_fs(url, **dict(options or {}))
    return files, str(path)


def _remove_unfinished_files(url: str) -> None:
    """Remove what a killed process left half written."""
    if not is_remote(url):
        for pattern in ("*.partial", ".*.partial*"):
            for left in Path(url).rglob(pattern):
                with contextlib.suppress(OSError):
                    left.unlink()


# -- locks -------------------------------------------------------------------------------------------------------------


def _take_lock(url: str, options: Mapping[str, Any]) -> Lock:
    """Take the lock of a store, which dies with this process.

    Raises
    ------
    StoreError
        If another process has it.
    """
    if is_remote(url):
        return _lock_by_time(url, options)
    from filelock import FileLock, Timeout

    place = Path(url) / "progress" / "lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise StoreError(f"another process is at work on {url}; wait for it, or end it") from None
    return Lock(beat=lambda: None, release=lambda: lock.release(force=True))


def _lock_by_time(url: str, options: Mapping[str, Any]) -> Lock:
    """Lock by a file that holds a time, where there is no better: two that start at once may both get it."""
    files, path = _remote(url, options)
    place = f"{path}/progress/lock.json"
    with contextlib.suppress(FileNotFoundError, ValueError, LookupError, TypeError):
        age = time.time() - float(json.loads(files.cat_file(place))["time"])
        if age < _STALE:
            raise StoreError(
                f"another process is at work on {url} (last seen {age:.0f} s ago); wait for it, "
                f"or end it and remove {place}"
            )

    def beat() -> None:
        files.pipe_file(place, json.dumps({"time": time.time()}).encode())

    def release() -> None:
        with contextlib.suppress(FileNotFoundError):
            files.rm_file(place)

    beat()
    return Lock(beat, release)

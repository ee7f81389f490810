"""What a worker does to a store: write a block, and then mark it done with a checksum of its values."""

from __future__ import annotations

import contextlib
import errno
import json
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.sweeps.blocks import Plan
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.naming import kind_attributes, kind_variable
from deterrence.sweeps.question import UNSOLVED, Solved
from deterrence.sweeps.specification import canonical

Array = NDArray[Any]

REASONS = 65536  # bytes that a block has for the reasons of its failures, as JSON


@dataclass(frozen=True)
class StoreWriter:
    """Writes blocks of one sweep; can be sent to another process.

    Attributes
    ----------
    url : str
        Path or fsspec URL.
    plan : Plan
    options : mapping
        Storage options of fsspec.
    """

    url: str
    plan: Plan
    options: Mapping[str, Any] = field(default_factory=dict)
    run: str = field(default_factory=lambda: uuid.uuid4().hex)  # what a process has open is kept for one run only

    def write(self, block: int, solved: Solved) -> None:
        """Write a block, and then mark it done.

        Raises
        ------
        StoreError
            If the store cannot be written to.
        """
        with storing(self.url):
            group = self.group()
            region, shape = self.plan.region(block), self.plan.block_shape(block)
            for name, values in solved.variables.items():
                _with_every_chunk(group, name)[region] = values.reshape(shape)
            for kind, flags in sorted(solved.kinds.items()):
                self._kind(kind)[region] = flags.reshape(shape)
            if solved.reasons:
                group["progress/reasons"][block] = _packed(solved.reasons)
            group["progress/digest"][block] = digest(solved.variables, solved.kinds)

    def group(self) -> Any:
        """Return the root group, opened once for each run and process."""
        return _opened(self.url, canonical(dict(self.options)), self.run)

    def _kind(self, kind: str) -> Any:
        """Return the array of a kind, made when the kind is first met."""
        group, name = self.group(), kind_variable(kind)
        known = _kinds_known(self.run)
        if name not in known:
            if name not in group:
                # two workers that do this at once write the same few bytes
                with contextlib.suppress(_contains_error()):
                    new_array(group, name, self.plan, np.dtype(bool), dims_of(group), kind_attributes(kind))
            known[name] = group[name]
        return known[name]


def read_reasons(group: Any, block: int) -> dict[int, str]:
    """Return why points of a block failed, by the number of the point in the block."""
    text = np.asarray(group["progress/reasons"][block], dtype=np.uint8).tobytes().rstrip(b"\0")
    return {int(i): reason for i, reason in json.loads(text).items()} if text else {}


def digest(variables: Mapping[str, Array], kinds: Mapping[str, Array]) -> int:
    """Return a checksum of a block's values, never 0."""
    total = 0
    for name in sorted(variables):
        total = zlib.crc32(np.ascontiguousarray(variables[name]).tobytes(), total)
    named = {kind_variable(kind): flags for kind, flags in kinds.items()}
    for name in sorted(named):
        total = zlib.crc32(np.packbits(named[name].reshape(-1)).tobytes(), zlib.crc32(name.encode(), total))
    return total + 1


def read_digest(group: Any, plan: Plan, block: int) -> int:
    """Return the checksum of what is stored of a block, 0 if it cannot be read."""
    variables, kinds, region = {}, {}, plan.region(block)
    try:
        coordinates = json.loads(str(group.attrs["specification"]))["design"]["points"]
        for name, array in group.arrays():
            if (
                array.ndim != len(plan.shape)
                or array.chunks != plan.chunk
                or array.shape != plan.shape
                or name in coordinates
            ):
                continue
            values = np.asarray(array[region])
            if "kind" not in array.attrs:
                variables[name] = values
            elif values.any():
                kinds[str(array.attrs["kind"])] = values
    except Exception:  # whatever a codec raises on damaged bytes
        return 0
    return digest(variables, kinds)


def new_array(group: Any, name: str, plan: Plan, dtype: np.dtype[Any], dims: Any, attributes: Mapping[str, Any]) -> Any:
    """Make an array of the result, chunked like the blocks, each chunk with a checksum."""
    from zarr.codecs import BloscCodec, Crc32cCodec

    fill: Any = np.nan if dtype.kind == "f" else UNSOLVED if name == "status" else dtype.type(0)
    return group.create_array(
        name,
        shape=plan.shape,
        chunks=plan.chunk,
        dtype=dtype,
        fill_value=fill,
        compressors=[BloscCodec(cname="lz4", clevel=1, shuffle="shuffle"), Crc32cCodec()],
        dimension_names=tuple(dims),
        attributes=dict(attributes),
        config={"write_empty_chunks": "kind" not in attributes},
    )


def dims_of(group: Any) -> tuple[str, ...]:
    """Return the dimensions of a stored result."""
    return tuple(group.attrs["dims"])


@lru_cache(maxsize=4)
def _opened(url: str, options: str, _run: str) -> Any:
    import zarr

    given = json.loads(options)
    return zarr.open_group(url, mode="r+", **({"storage_options": given} if given else {}))


@lru_cache(maxsize=4)
def _kinds_known(_run: str) -> dict[str, Any]:
    return {}


def _contains_error() -> type[Exception]:
    from zarr.errors import ContainsArrayError

    found: type[Exception] = ContainsArrayError
    return found


def _with_every_chunk(group: Any, name: str) -> Any:
    """Return an array that writes chunks of nothing but its fill value, too: a chunk that is not there is lost."""
    import zarr

    with zarr.config.set({"array.write_empty_chunks": True}):
        return group[name]


def _packed(reasons: Mapping[int, str]) -> Array:
    """Return reasons as JSON in bytes, the first ones if they are too many."""
    kept = dict(sorted(reasons.items()))
    text = json.dumps(kept).encode()
    while len(text) > REASONS:
        kept = dict(list(kept.items())[: max(1, len(kept) * REASONS // len(text) - 1)])
        kept = {i: reason[:1000] for i, reason in kept.items()}
        text = json.dumps(kept).encode()
    raw = np.zeros(REASONS, dtype=np.uint8)
    raw[: len(text)] = np.frombuffer(text, dtype=np.uint8)
    return raw


@contextlib.contextmanager
def storing(url: str) -> Iterator[None]:
    """Turn what the operating system, or the way to another machine, says into a StoreError with the remedy."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            remedy = "there is no room left; free some"
        elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            remedy = "it cannot be written to; change that, or name another place"
        else:
            remedy = "see to it"
        raise StoreError(
            f"the store {url} failed ({error}): {remedy}. Blocks that are done are kept; the same call resumes"
        ) from error
    except Exception as error:  # whatever a client of another machine raises
        if "://" not in url:
            raise
        raise StoreError(f"the store {url} cannot be used: {type(error).__name__}: {error}") from error

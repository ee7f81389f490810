"""Locks of stores: one process at a time coordinates a sweep."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deterrence.sweeps.errors import StoreError

_STALE = 600  # seconds after which the lock of a remote store counts as left behind


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


def take_lock(url: str, options: Mapping[str, Any]) -> Lock:
    """Take the lock of a store.

    Raises
    ------
    StoreError
        If another process has it.
    """
    if "://" in url:
        return _lock_by_file(url, options)
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return _lock_by_file(Path(url).resolve().as_uri(), {})
    handle = os.open(url, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise StoreError(f"another process is at work on {url}; wait for it, or end it") from None
    return Lock(beat=lambda: None, release=lambda: os.close(handle))


def _lock_by_file(url: str, options: Mapping[str, Any]) -> Lock:
    """Lock by a file that holds a time, where there is no better: two that start at once may both get it."""
    import fsspec

    files, path = fsspec.core.url_to_fs(url, **dict(options))
    place = f"{path}/progress/lock.json"
    with contextlib.suppress(FileNotFoundError, ValueError):
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

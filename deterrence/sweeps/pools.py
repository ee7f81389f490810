"""A pool of new processes that can be renewed when one of them dies, and what can be sent to it.

New processes do not import the caller's script, so a script needs no ``if __name__ == "__main__"`` guard. Functions
that the script defines are sent by value, which takes cloudpickle (it comes with Dask).
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Self

from deterrence.sweeps.errors import SweepError

_LOOKS_FOR_PARENT = 1.0  # seconds


class SpawnPool:
    """A process pool that starts afresh when it is broken."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = self._made()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Hand a call to a worker."""
        return self._pool.submit(function, *args)

    def renew(self) -> None:
        """Start new workers in place of those that are left."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._made()

    def stop(self) -> None:
        """Wait for the calls that are running, drop the others, and end the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def kill(self) -> None:
        """End the workers at once, whatever they are doing; blocks that are stored are whole."""
        for process in list((getattr(self._pool, "_processes", None) or {}).values()):
            process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _made(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers, mp_context=_Context(), initializer=_start_worker, initargs=(os.getpid(),)
        )


def sendable(thing: Any) -> bool:
    """Return whether something can be sent to a new process."""
    if find_spec("cloudpickle") is not None:
        return True
    try:
        return b"__main__" not in pickle.dumps(thing)
    except Exception:  # whatever an object may raise that cannot be pickled
        return False


def by_value(thing: Any) -> Any:
    """Return something in a form that can be sent to a new process, functions of the caller's script included.

    Raises
    ------
    SweepError
        If it cannot be sent.
    """
    if find_spec("cloudpickle") is not None:
        return ByValue(thing)
    if not sendable(thing):
        raise SweepError(
            "the target holds functions of this script, which cannot be sent to other processes: put them in a module, "
            "install cloudpickle, or use executor=1"
        )
    return thing


class ByValue:
    """Becomes the thing itself when it is unpickled; where it is not, ``thing`` has it."""

    def __init__(self, thing: Any) -> None:
        import cloudpickle

        self.thing, self.raw = thing, cloudpickle.dumps(thing)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        import cloudpickle

        return cloudpickle.loads, (self.raw,)


class _Process(SpawnProcess):
    """A new process that does not import the caller's script."""

    def start(self) -> None:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            super().start()
        finally:
            sys.modules["__main__"] = main


class _Context(SpawnContext):
    Process = _Process


def _start_worker(parent: int) -> None:
    """Leave interrupts to the coordinator, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.getppid() == parent:  # elsewhere a process that helps to start others may stand between

        def watch() -> None:
            while os.getppid() == parent:
                time.sleep(_LOOKS_FOR_PARENT)
            os._exit(1)

        threading.Thread(target=watch, daemon=True, name="parent watch").start()

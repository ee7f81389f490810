"""Which code does the arithmetic of the array solvers: NumPy, or kernels compiled by Numba.

Numba is optional (``pip install deterrence[fast]``). A compiled kernel stands beside the NumPy code that does the same
and gives the same answer: counts, kinds and flags are equal, probabilities agree within 1e-9. Machine code is kept on
disk: beside the package, or in the user's cache where that is read-only; the environment variable ``NUMBA_CACHE_DIR``
names another place. The first use of a kernel on a machine compiles it, for some seconds; later ones load it.

One setting chooses. Without it kernels serve work that is large enough to pay for loading Numba (some 0.8 s of a
process's time, once). Whether they are loaded already makes no difference: blocks of one size have the same bits in any
process. The environment variable ``DETERRENCE_ENGINE`` is the same
setting for a whole process and those that it starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from deterrence.games.errors import ParameterError, did_you_mean

ENGINES = ("numba", "numpy")
VARIABLE = "DETERRENCE_ENGINE"
LOADING = 1.0  # seconds of work in NumPy below which loading Numba and its kernels is a loss

Function = TypeVar("Function", bound=Callable[..., Any])

_chosen: list[str] = []  # what set_engine was given last


def set_engine(name: str | None) -> None:
    """Choose what does the arithmetic of the array solvers, from now on.

    Parameters
    ----------
    name : {"numba", "numpy"} or None
        ``"numba"``: compiled kernels wherever there is one, at any size. ``"numpy"``: none. None: the environment
        variable ``DETERRENCE_ENGINE`` if it is set, or else Numba if it is installed and there is enough to do.

    Raises
    ------
    ParameterError
        If there is no such engine, or Numba is not installed.

    Examples
    --------
    >>> set_engine("numpy")
    >>> engine()
    'numpy'
    >>> set_engine(None)
    """
    if name is None:
        _chosen.clear()
        return
    _chosen[:] = [_checked(name, "engine")]


def engine() -> str | None:
    """Return the engine that was set, by `set_engine` or the environment; None if neither was.

    Raises
    ------
    ParameterError
        If the environment names an engine that there is not.
    """
    if _chosen:
        return _chosen[0]
    named = os.environ.get(VARIABLE, "")
    return _checked(named, f"the environment variable {VARIABLE}") if named else None


def compiles(seconds: float) -> bool:
    """Return whether compiled kernels should do work for which NumPy would take so many seconds."""
    chosen = engine()
    if chosen:
        return chosen == "numba"
    return seconds > LOADING and find_spec("numba") is not None


def kernel(function: Function) -> Function:
    """Compile a function of arrays and numbers when it is first called, without the interpreter's lock.

    Numba keeps machine code by the file in which a function stands and sees no changes elsewhere: a kernel calls only
    kernels of its own file. Where Numba is not installed the function stays as it is, so that its module can be read.
    """
    if find_spec("numba") is None:
        return function
    import numba

    options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        compiled: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to keep machine code in: neither here nor in the user's cache
        compiled = numba.njit(**options)(function)
    return compiled


def _checked(name: object, what: str) -> str:
    if name not in ENGINES:
        raise ParameterError(f"{what} must be 'numba' or 'numpy', got {name!r}{did_you_mean(str(name), ENGINES)}")
    if name == "numba" and find_spec("numba") is None:
        raise ParameterError(f"{what} is 'numba', which is not installed; pip install 'deterrence[fast]'")
    return str(name)

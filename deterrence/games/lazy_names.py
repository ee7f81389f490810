"""Names of a package that are imported when they are first used, so that importing the package costs little."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from deterrence.games.errors import did_you_mean


def lazy_names(package: str, home: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``, which imports a name from its file and remembers it.

    The package repeats the imports under ``if TYPE_CHECKING:``, where type checkers and editors read them; a test holds
    both the same.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    home : mapping of str to str
        The file that defines each name, relative to the package; a name that is its own home is a package itself.

    Returns
    -------
    callable
        It raises AttributeError, with the nearest name, for any other.
    """

    def attribute(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}{did_you_mean(name, home)}")
        module = importlib.import_module(f"{package}.{home[name]}")
        value = module if name == home[name] else getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return attribute

"""What a package may ask of one that stands above it, by name.

Imports go down the layers only. Where an object of a lower layer offers what a higher one does (a game draws itself, a
scenario is swept), the lower layer asks for a *service*; the top-level API, which knows all layers, says who provides
it. A provider is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

_PROVIDERS: dict[str, str] = {}


def provide(services: Mapping[str, str]) -> None:
    """State who provides services: by name, ``"module:function"``."""
    _PROVIDERS.update(services)


def service(name: str) -> Callable[..., Any]:
    """Return the function that provides a service.

    Raises
    ------
    LookupError
        If nobody does.
    """
    if name not in _PROVIDERS:
        raise LookupError(f"nobody provides {name!r}; provided are {', '.join(_PROVIDERS) or 'no services'}")
    module, _, function = _PROVIDERS[name].partition(":")
    provider: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return provider

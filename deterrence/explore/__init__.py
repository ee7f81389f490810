"""Exploring: ``dt.explore(thing)`` is this package called, and makes an ``Explorer``."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """The package, which can be called: ``dt.explore`` is the room and the function at once."""

    def __call__(self, thing: Any, **options: Any) -> Any:
        """Return an explorer of a model, a scenario or a game; see ``deterrence.explore.opening.explore``."""
        from deterrence.explore.opening import explore

        return explore(thing, **options)


sys.modules[__name__].__class__ = _Room

"""The library of published models: ``catalogue()`` lists them, ``get("ALSIG")`` returns one.

Each model is also had by name, as in ``dt.models.sunk_cost()``; its file is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from deterrence.models.registry import REGISTRY

_MAKERS = {function: module for module, function in REGISTRY.values()}
_HERE = {"catalogue": "library", "get": "library", "Model": "model", "Variant": "variants", "Series": "parameter_table",
         "Choice": "parameter_table"}  # fmt: skip

__all__ = ["Choice", "Model", "Series", "Variant", "catalogue", "get"]


def __getattr__(name: str) -> Any:
    module = _HERE.get(name) or _MAKERS.get(name)
    if module is None:
        raise AttributeError(f"deterrence.models has no {name!r}")
    value = getattr(importlib.import_module(f"deterrence.models.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_MAKERS})

"""Names of the variables of a result."""

from __future__ import annotations

import hashlib
import re
from typing import Any


def kind_attributes(kind: str) -> dict[str, Any]:
    """Return the attributes of the variable of a kind."""
    return {"long_name": f"an equilibrium exists that is {kind}", "kind": kind}


def event_stem(event: str) -> str:
    """Return the stem of an event's variables: ``fait accompli`` has ``fait_accompli_low`` and ``fait_accompli_high``.

    Examples
    --------
    >>> event_stem("fait accompli")
    'fait_accompli'
    """
    return re.sub(r"\W+", "_", event).strip("_") or "event"


def kind_variable(kind: str) -> str:
    """Return the name of the variable that says where equilibria of a kind exist.

    The words of the kind are joined by underscores. Labels that hold other characters than letters, digits and spaces
    could make two kinds look alike, so the name then ends in six digits of a hash.

    Examples
    --------
    >>> kind_variable("semi-separating: weak mixes")
    'kind_semi_separating_weak_mixes'
    """
    plain = kind.replace("semi-separating", "semi separating")
    name = "kind_" + re.sub(r"\W+", "_", plain).strip("_")
    if re.fullmatch(r"[A-Za-z0-9 :,]*", plain):
        return name
    return f"{name}_{hashlib.sha256(kind.encode()).hexdigest()[:6]}"

"""Why a refinement strikes types out after a message, as data that a reader or a program can use."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from deterrence.solvers.algebra.rational_lp import minimise
from deterrence.solvers.refining.outcomes import Component
from deterrence.solvers.refining.rules import Ruling, Struck
from deterrence.solvers.refining.sets import Beliefs, Outcome, UnsentMessage


def reason(component: Component, m: UnsentMessage, ruling: Ruling, outcome: Outcome) -> Mapping[str, Any]:
    """Return the reason that a ruling on one message gives.

    Returns
    -------
    mapping
        ``message``; ``pruned`` (types); by pruned type ``by`` (types), ``inequality`` (text) and ``numbers``;
        ``beliefs`` (vertices of what is left, by type; with receiver types: likelihoods of the message up to
        scale); ``survives``; ``shortfall``; ``tempted`` (types that gain at every reply left);
        ``own_beliefs``; ``defeated_by`` (undefeated only).
    """
    types, number = component.game.types, component.number
    told = {t: _told(component, m, t, struck, outcome) for t, struck in ruling.pruned.items()}
    data: dict[str, Any] = {
        "message": component.game.messages[m.message],
        "pruned": tuple(types[t] for t in ruling.pruned),
        "by": {types[t]: tuple(types[s] for s in struck.by) for t, struck in ruling.pruned.items()},
        "inequality": {types[t]: text for t, (text, _) in told.items()},
        "numbers": {types[t]: numbers for t, (_, numbers) in told.items()},
        "survives": ruling.survives,
        "tempted": tuple(types[t] for t in ruling.tempted),
        "shortfall": None if ruling.survives else _shortfall(component, m, ruling, outcome),
        "own_beliefs": _own_beliefs(component, m, ruling.beliefs),
    }
    if len(ruling.beliefs) == 1:
        data["beliefs"] = tuple(
            {t: number(x) for t, x in zip(types, corner, strict=True)} for corner in dict.fromkeys(ruling.beliefs[0])
        )
    if ruling.notes:
        data["defeated_by"] = ruling.notes
    return data


def _told(
    component: Component, m: UnsentMessage, t: int, struck: Struck, outcome: Outcome
) -> tuple[str, Mapping[str, Any]]:
    """Put an inequality in words, and its numbers beside it."""
    name, number = component.game.types[t], component.number
    message, here = component.game.messages[m.message], component.number(outcome[t])
    if struck.most is not None:
        numbers = {"most": number(struck.most), "equilibrium": here}
        most = f"max u({name}, {message}, .) over the best replies left = {_text(numbers['most'])}"
        return f"{most} < u*({name}) = {_text(here)}", numbers
    if not struck.by:
        return f"{name} does not send {message} in the equilibrium that defeats this one", {"equilibrium": here}
    if len(struck.by) == 1:
        other = component.game.types[struck.by[0]]
        gain = f"u({other}, {message}, .) - u*({other})"
    else:
        gain = f"max over other types s of u(s, {message}, .) - u*(s)"
    if struck.least_gain is None:
        return f"u({name}, {message}, .) = u*({name}) = {_text(here)} at no best reply", {"equilibrium": here}
    numbers = {"least_gain": number(struck.least_gain), "equilibrium": here}
    condition = f"u({name}, {message}, .) {struck.where} u*({name}) = {_text(here)}"
    return f"{condition} implies {gain} >= {_text(numbers['least_gain'])} > 0", numbers


def _shortfall(component: Component, m: UnsentMessage, ruling: Ruling, outcome: Outcome) -> Any:
    """Compute what is gained at the reply left that tempts least: by any type, or by one that all replies tempt."""
    faces = m.faces(ruling.beliefs)
    if ruling.tempted:
        return component.number(max(min(m.least(face, t) for face in faces) - outcome[t] for t in ruling.tempted))
    gains = [gain for gain in (m.least_gain(face, outcome, m.types) for face in faces) if gain is not None]
    return component.number(min(gains)) if gains else None


def _own_beliefs(component: Component, m: UnsentMessage, allowed: Beliefs) -> str:
    """Whether the beliefs that the component states after a message are among those allowed: all, some or none."""
    slack = component.tolerance
    own = list(dict.fromkeys(tuple(_rows(p.posterior[:, m.message])) for p in component.corners))
    if len(own[0]) > 1:  # receiver types: compare the types ruled out
        ruled_out = [t for t in m.types if all(corner[t] == 0 for polytope in allowed for corner in polytope)]
        kept = [all(row[t] <= slack for row in rows for t in ruled_out) for rows in own]
        return "all" if all(kept) else "some" if any(kept) else "none"
    corners = [rows[0] for rows in own]
    if all(_meet([corner], allowed, slack) for corner in corners):
        return "all"
    return "some" if _meet(corners, allowed, slack) else "none"


def _meet(corners: list[tuple[Fraction, ...]], allowed: Beliefs, slack: Fraction) -> bool:
    """Whether the hull of some beliefs meets the intersection of some polytopes of beliefs."""
    sets = [corners, *allowed]
    width = sum(len(s) for s in sets)
    starts = [sum(len(s) for s in sets[:i]) for i in range(len(sets))]
    equal = [
        ([int(start <= j < start + len(s)) for j in range(width)], 1) for start, s in zip(starts, sets, strict=True)
    ]
    near = []
    for start, s in zip(starts[1:], sets[1:], strict=True):
        for t in range(len(corners[0])):
            row = [Fraction(0)] * width
            row[: len(corners)] = [corner[t] for corner in corners]
            row[start : start + len(s)] = [-corner[t] for corner in s]
            near += [(row, slack), ([-x for x in row], slack)]
    return minimise([0] * width, near, equal) is not None


def _rows(array: Any) -> list[tuple[Fraction, ...]]:
    return [tuple(Fraction(x) for x in row) for row in np.asarray(array).tolist()]


def _text(x: Any) -> str:
    return f"{x:.6g}" if isinstance(x, float) else str(x)

"""Comparative statics of regimes: signs of derivatives that can be proven, and what happens at each boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.events import Event
from deterrence.games.values import Value
from deterrence.solvers.symbolic.conditions import Assumptions, Floats, Frac

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.solvers.symbolic.regime_set import Regime, RegimeSet
    from deterrence.solvers.symbolic.text import Condition

_STEP = 1e-4  # how far beyond a boundary one looks, relative to the parameter


@dataclass(frozen=True, eq=False)
class Boundary(Value):
    """What happens where a condition of a regime begins to fail.

    Attributes
    ----------
    regime : int
        Number of the regime, from 1.
    condition : Condition
        The condition that holds with equality there.
    beyond : int or None
        Number of a regime that exists just beyond it; None if none was found.
    change : str
        Of the event's probability, from this regime to that one: ``"continuous"`` (as smooth as within the regimes),
        ``"kink"``, ``"jump up"``, ``"jump down"``, ``"jump"`` (up or down, by the other parameters), or
        ``"undecided"``.
    jump : sympy.Expr or None
        By how much it changes on the boundary, with one parameter solved for; zero for a kink.
    """

    regime: int
    condition: Condition
    beyond: int | None
    change: str
    jump: Any


def sign(regime: Regime, value: Frac) -> str:
    """Return the sign of a fraction throughout a regime: ``"+"``, ``"-"``, ``"0"``, ``"+/-"``, or ``"?"`` if undecided.

    ``"+"`` and ``"-"`` are proven (zero is possible on boundaries); ``"+/-"`` is shown by two points.
    """
    if not value:
        return "0"
    inside = regime.assumptions.within(regime.case)
    known, left = inside.factors(value)
    if not left:
        return "+" if known > 0 else "-"
    total = np.full(len(inside.points), float(known))
    for factor in left:
        at, size = inside.evaluate(factor)
        total = total * np.where(np.abs(at) > 1e-9 * size, np.sign(at), 0)
    return "+/-" if (total > 0).any() and (total < 0).any() else "?"


def derivative_sign(regime: Regime, event: Event, parameter: str) -> str:
    """Return the sign of the derivative of an event's probability in a parameter, throughout a regime.

    Raises
    ------
    ParameterError
        If the parameter is unknown.
    """
    assume = regime.assumptions
    if parameter not in assume.names:
        raise ParameterError(f"no parameter {parameter!r}; there are {', '.join(assume.names)}")
    return sign(regime, _derivative(assume, regime.chance_of(event), assume.names.index(parameter)))


def statics_frame(found: RegimeSet, event: Event) -> pd.DataFrame:
    """Return signs, a row per regime and a column per parameter."""
    import pandas as pd

    rows = [{name: derivative_sign(r, event, name) for name in found.parameters} for r in found]
    index = pd.MultiIndex.from_tuples([(i, r.kind) for i, r in enumerate(found, 1)], names=["regime", "kind"])
    return pd.DataFrame(rows, index=index)


def boundaries(found: RegimeSet, event: Event) -> tuple[Boundary, ...]:
    """Return what happens to an event's probability at each boundary of each regime."""
    result = []
    for i, regime in enumerate(found):
        for condition in regime.conditions:
            solved = _solved(regime.assumptions, condition.atom)
            if solved is None:
                result.append(Boundary(i + 1, condition, None, "undecided", None))
                continue
            j, root, slope = solved
            points, outside = _across(regime, condition.atom, j, root, slope)
            others = [k for k in range(len(found)) if k != i and len(outside) and _holds(found[k], outside)]
            if not others:
                result.append(Boundary(i + 1, condition, None, "undecided", None))
            for k in others:
                change, jump = _change(regime, found[k], event, j, root, points)
                result.append(Boundary(i + 1, condition, k + 1, change, jump))
    return tuple(result)


def _change(here: Regime, there: Regime, event: Event, j: int, root: Frac, points: Floats) -> tuple[str, Any]:
    assume = here.assumptions
    gap = there.chance_of(event) - here.chance_of(event)
    at = _substituted(assume, gap, j, root)
    if at is None:
        return "undecided", None
    if not at:
        slope = _substituted(assume, _derivative(assume, gap, j), j, root)
        return ("undecided" if slope is None else "kink" if slope else "continuous"), assume.expression(at)
    values = assume.evaluate(at.numer, points)[0] * assume.evaluate(at.denom, points)[0]
    up, down = bool((values > 0).any()), bool((values < 0).any())
    return "jump" if up == down else "jump up" if up else "jump down", assume.expression(at)


def _solved(assume: Assumptions, atom: Any) -> tuple[int, Frac, int] | None:
    """Return a parameter, its value where the atom is zero, and the sign of the atom's slope in it."""
    field = assume.domain.field
    for j in range(len(assume.symbols)):
        if max(e[j] for e in atom.itermonoms()) == 1:
            slope = field(assume.ring.from_dict({(*e[:j], 0, *e[j + 1 :]): c for e, c in atom.terms() if e[j]}))
            rest = field(assume.ring.from_dict({e: c for e, c in atom.terms() if not e[j]}))
            known, left = assume.factors(slope)
            if known and not left:
                return j, -rest / slope, known
    return None


def _across(regime: Regime, atom: Any, j: int, root: Frac, slope: int) -> tuple[Floats, Floats]:
    """Return points on a boundary where the regime's other conditions hold, and points just beyond it."""
    inside = regime.assumptions.within(regime.case - {atom})
    points = inside.points.copy()
    with np.errstate(divide="ignore", invalid="ignore"):
        points[:, j] = inside.evaluate(root.numer, points)[0] / inside.evaluate(root.denom, points)[0]
    points = points[np.isfinite(points).all(axis=1)]
    beyond = points.copy()
    beyond[:, j] -= slope * _STEP * np.maximum(np.abs(points[:, j]), 1e-3)
    kept = np.ones(len(points), dtype=bool)
    for p in (*regime.assumptions.facts, *(regime.case - {atom})):
        for side in (points, beyond):
            value, size = inside.evaluate(p, side)
            kept &= value > 1e-9 * size
    return points[kept], beyond[kept]


def _holds(regime: Regime, points: Floats) -> bool:
    mask = np.ones(len(points), dtype=bool)
    for p in regime.case:
        value, size = regime.assumptions.evaluate(p, points)
        mask &= value > 1e-9 * size
    return bool(mask.any())


def _derivative(assume: Assumptions, value: Frac, j: int) -> Frac:
    return value.diff(assume.domain.field.gens[j])


def _substituted(assume: Assumptions, value: Frac, j: int, root: Frac) -> Frac | None:
    """Return a fraction with one parameter replaced; None if its denominator vanishes."""
    field = assume.domain.field

    def polynomial(poly: Any) -> Frac:
        total = field.zero
        for e, c in poly.terms():
            total = total + field(assume.ring.from_dict({(*e[:j], 0, *e[j + 1 :]): c})) * root ** e[j]
        return total

    below = polynomial(value.denom)
    return polynomial(value.numer) / below if below else None

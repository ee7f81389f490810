"""A picture of where each regime exists, over two parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import matplotlib.axes
    from numpy.typing import ArrayLike

    from deterrence.solvers.symbolic.regime_set import RegimeSet

_FINE = 401  # points along an axis, for the areas; boundaries are solved exactly


def regime_map(
    found: RegimeSet,
    x: str,
    y: str,
    *,
    at: Mapping[str, float],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
) -> matplotlib.axes.Axes:
    """Draw areas by the kinds of equilibria that exist in them, and the boundaries of the regimes.

    A boundary that is linear in one of the two parameters is drawn from its formula; another is traced on the grid.

    Raises
    ------
    ParameterError
        If a parameter is unknown or has no value, or nothing is left of the plane under the assumptions.
    """
    import matplotlib.pyplot as plt

    for name in (x, y):
        if name not in found.parameters or name in at:
            raise ParameterError(f"the axis {name!r} must be a parameter without a value in at={{...}}")
    first, second = np.meshgrid(np.linspace(*xlim, _FINE), np.linspace(*ylim, _FINE))
    exists, _ = found.compile()(**cast("dict[str, ArrayLike]", {**at, x: first, y: second}))
    if not exists.any():
        raise ParameterError(
            f"no regime exists for {x} in {xlim} and {y} in {ylim} at {dict(at)}; check the assumptions"
        )
    kinds = found.kinds
    here = np.zeros(first.shape, dtype=np.int64)
    for r, mask in zip(found, exists, strict=True):
        here |= np.where(mask, 1 << kinds.index(r.kind), 0)
    _, axes = plt.subplots(layout="constrained")
    colours = plt.get_cmap("Pastel2")
    for i, code in enumerate(code for code in np.unique(here) if code):
        told = "\n+ ".join(kind for k, kind in enumerate(kinds) if code >> k & 1)
        axes.contourf(first, second, (here == code).astype(float), levels=[0.5, 1.5], colors=[colours(i % 8)])
        axes.fill_between([], [], color=colours(i % 8), label=told)
    for atom in dict.fromkeys(p for r in found for p in r.case):
        _boundary(found, axes, atom, x, y, at, xlim, ylim)
    axes.set(xlabel=x, ylabel=y, xlim=xlim, ylim=ylim)
    axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize="small", frameon=False)
    return axes


def _boundary(
    found: RegimeSet,
    axes: Any,
    atom: Any,
    x: str,
    y: str,
    at: Mapping[str, float],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
) -> None:
    """Draw where an atom is zero and the other conditions of a regime with it hold."""
    names, assume = found.parameters, found.assumptions
    fine = np.linspace(0, 1, 4 * _FINE)
    for along, across, (low, high) in ((x, y, xlim), (y, x, ylim)):
        j = names.index(across)
        if max(e[j] for e in atom.itermonoms()) != 1:
            continue
        points = np.empty((len(fine), len(names)))
        for column, name in enumerate(names):
            points[:, column] = low + (high - low) * fine if name == along else at.get(name, 0.0)
        points[:, j] = 0
        rest = assume.evaluate(atom, points)[0]
        points[:, j] = 1
        slope = assume.evaluate(atom, points)[0] - rest
        with np.errstate(divide="ignore", invalid="ignore"):
            points[:, j] = -rest / slope
        real = np.zeros(len(fine), dtype=bool)
        for r in found:
            if atom in r.case:
                held = np.isfinite(points[:, j])
                for p in (*assume.facts, *(r.case - {atom})):
                    held &= assume.evaluate(p, np.nan_to_num(points))[0] >= 0
                real |= held
        points[~real] = np.nan
        if not real.any():
            return
        axes.plot(points[:, names.index(x)], points[:, names.index(y)], color="0.2", linewidth=1)
        return
    first, second = np.meshgrid(np.linspace(*xlim, _FINE), np.linspace(*ylim, _FINE))
    flat = np.empty((first.size, len(names)))
    for column, name in enumerate(names):
        flat[:, column] = first.ravel() if name == x else second.ravel() if name == y else at[name]
    value = assume.evaluate(atom, flat)[0].reshape(first.shape)
    if value.min() < 0 < value.max():
        axes.contour(first, second, value, levels=[0], colors="0.2", linewidths=1)

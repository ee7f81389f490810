"""Pictures of a decision: what policies cost and do, how robust they are, and what is worth finding out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.decision import UNWANTED, Decision
from deterrence.games.errors import ParameterError
from deterrence.plotting.style import (
    BLUE,
    DASHES,
    GREY,
    LINES,
    ORANGE,
    SMALLEST,
    VERMILION,
    dress,
    new_axes,
    probability_colours,
)
from deterrence.plotting.uncertainty_charts import Kinds, chosen_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_MOST = 12  # policies in a picture


def decision_plot(decision: Decision, kind: str = "front", *, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a decision.

    Parameters
    ----------
    decision : Decision
    kind : str
        ``"front"``: mean cost against mean likelihood of every policy, with the Pareto front, coloured by the
        likelihood of unwanted war. ``"per cost"``: reduction of the likelihood for a unit of cost, with its 90 %
        interval over the draws. ``"regret"``: median, middle half, 90 % and largest regret. ``"satisficing"``: the
        share of draws in which the likelihood is below each level. ``"information"``: what each number is worth
        knowing.
    ax : matplotlib axes, optional
        Drawn into; by default a figure of its own.
    **options
        ``event`` of the front; ``most``, how many policies or numbers (12).

    Raises
    ------
    ParameterError
        If the kind, an option or an event is unknown, or nothing has a cost where costs are drawn.
    """
    return chosen_picture(kind, _KINDS, options)(decision, ax, **options)


def _front(decision: Decision, ax: Axes | None, event: str | None = None) -> Axes:
    ax = new_axes(7.0, 4.6) if ax is None else ax
    asked = decision.event if event is None else event
    chance = np.nanmean(decision.likelihood(asked), axis=1)
    unwanted = np.nanmean(decision.likelihood(UNWANTED), axis=1)
    cost = decision.mean_cost
    front = list(decision.front(asked))
    ax.step(cost[front], chance[front], where="post", color=BLUE, lw=1.4, zorder=2, label="Pareto front")
    points = ax.scatter(cost, chance, c=unwanted, cmap=probability_colours(), s=26, lw=0.5, edgecolors=GREY, zorder=3)
    bar = ax.figure.colorbar(points, ax=ax)
    bar.set_label("likelihood of unwanted war", fontsize=9)
    bar.ax.tick_params(labelsize=SMALLEST)
    for p in _apart(cost[front], chance[front]):
        ax.annotate(
            decision.names[front[p]], (cost[front[p]], chance[front[p]]), (-4, -5), textcoords="offset points",
            fontsize=SMALLEST, zorder=4, ha="right", va="top",
        )  # fmt: skip
    ax.set_ylim(bottom=0)
    ax.margins(x=0.08)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="upper right")
    return dress(ax, x=_cost(decision), y=f"mean likelihood of {asked}", title=_title(decision))


def _per_cost(decision: Decision, ax: Axes | None, most: int = _MOST) -> Axes:
    rate = decision.per_cost()
    known = np.flatnonzero(np.isfinite(rate))
    if not len(known):
        raise ParameterError("no policy has a cost, so that nothing can be drawn per cost; give options a cost")
    single = [int(p) for p in known if len(decision.policies[p]) == 1]
    best = [int(p) for p in known[np.argsort(-rate[known], kind="stable")] if int(p) not in single]
    shown = sorted([*single, *best[: max(most - len(single), 0)]], key=lambda p: rate[p])
    ax = new_axes(7.0, 1.4 + 0.34 * len(shown)) if ax is None else ax
    reduced = 100 * decision.reduction()[shown] / decision.mean_cost[shown][:, None]
    low, high = np.quantile(reduced, [0.05, 0.95], axis=1)
    rows = np.arange(len(shown))
    alone = np.array([len(decision.policies[p]) == 1 for p in shown])
    for which, colour, hatch, label in ((alone, ORANGE, "", "one option"), (~alone, BLUE, "//", "several")):
        if which.any():
            ax.barh(
                rows[which], 100 * rate[np.array(shown)[which]], height=0.62, color=colour, hatch=hatch,
                edgecolor="black", lw=0.6, label=label,
            )  # fmt: skip
    ax.hlines(rows, low, high, color=GREY, lw=1.4, label="90 % of draws")
    ax.axvline(0, color="black", lw=1)
    ax.set_yticks(rows, [decision.names[p] for p in shown])
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    return dress(ax, x=f"points less likely, per {decision.unit or 'unit of cost'}", title=_title(decision))


def _regret(decision: Decision, ax: Axes | None, most: int = _MOST) -> Axes:
    table = decision.regret() * (100 if decision.harm is None else 1)
    worst = table.max(axis=1)
    order = np.lexsort((decision.mean_cost, worst))
    shown = list(dict.fromkeys([*(int(p) for p in order[: max(most - 1, 1)]), 0]))[::-1]
    ax = new_axes(7.0, 1.6 + 0.34 * len(shown)) if ax is None else ax
    rows = np.arange(len(shown))
    low, left, middle, right, high = np.quantile(table[shown], [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
    ax.hlines(rows, low, high, color=GREY, lw=1.4, label="90 % of draws")
    ax.hlines(rows, left, right, color=BLUE, lw=6, label="middle half")
    ax.plot(middle, rows, "o", color="white", mec="black", ms=5, ls="none", label="median")
    ax.plot(worst[shown], rows, "D", color=VERMILION, ms=5, ls="none", label="largest")
    ax.set_yticks(rows, [decision.names[p] for p in shown])
    ax.set_xlim(left=-0.02 * float(worst[shown].max() or 1))
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    unit = "points of likelihood" if decision.harm is None else decision.unit
    return dress(ax, x=f"regret over the best policy of each draw, {unit}")


def _satisficing(decision: Decision, ax: Axes | None, most: int = 6) -> Axes:
    ax = new_axes() if ax is None else ax
    levels = np.linspace(0, 1, 201)[1:]
    shares = decision.satisficing(levels)
    front = decision.front()
    spread = [front[round(i)] for i in np.linspace(0, len(front) - 1, min(most, len(front)))]
    shown = list(dict.fromkeys([0, *spread, decision.choices()["satisficing"]]))
    for i, p in enumerate(shown):
        ax.plot(
            levels, shares[p], color=LINES[i % len(LINES)], ls=DASHES[i % len(DASHES)], lw=1.6, label=decision.names[p]
        )
    ax.axvline(decision.level, color=GREY, lw=1, ls=":")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    return dress(
        ax, x=f"level of the likelihood of {decision.event}", y="share of draws below it", title=_title(decision)
    )


def _information(decision: Decision, ax: Axes | None, most: int = _MOST) -> Axes:
    table = decision.information().head(most)
    ax = new_axes(7.0, 1.4 + 0.34 * len(table)) if ax is None else ax
    scale = 100 if decision.harm is None else 1
    rows = np.arange(len(table))[::-1]
    value, error, sample = (scale * table[key].to_numpy() for key in ("value", "error", "in_sample"))
    ax.barh(
        rows, value, height=0.62, color=BLUE, edgecolor="black", lw=0.6, label="on other draws than it was fitted to"
    )
    ax.errorbar(value, rows, xerr=1.645 * error, fmt="none", ecolor=GREY, elinewidth=1.4, capsize=2.5)
    ax.plot(sample, rows, "D", color=ORANGE, mec="black", mew=0.5, ms=5, ls="none", label="on the same draws")
    total, _ = decision.perfect_information()
    ax.set_yticks(rows, list(table.index))
    ax.axvline(0, color="black", lw=1)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    unit = "points of likelihood" if decision.harm is None else decision.unit
    return dress(ax, x=f"value of knowing it first, {unit} (everything: {scale * total:.2g})")


_KINDS: Kinds = {
    "front": (_front, ("event",)),
    "per cost": (_per_cost, ("most",)),
    "regret": (_regret, ("most",)),
    "satisficing": (_satisficing, ("most",)),
    "information": (_information, ("most",)),
}


def _apart(x: Floats, y: Floats) -> Sequence[int]:
    """Return which points of a front can be labelled without their labels lying on each other."""
    wide, high = max(float(np.ptp(x)), 1e-9), max(float(y.max()), 1e-9)
    kept: list[int] = []
    for i in range(len(x) - 1, -1, -1):
        if all(abs(x[i] - x[j]) > 0.2 * wide or abs(y[i] - y[j]) > 0.06 * high for j in kept):
            kept.append(i)
    return kept


def _cost(decision: Decision) -> str:
    return f"mean cost, {decision.unit}" if decision.unit else "mean cost"


def _title(decision: Decision) -> str:
    count, draws = len(decision.policies), decision.uncertainty.draws
    return f"{decision.uncertainty.scenario.name}: {count} policies on {draws:,} draws"


__all__ = ["decision_plot"]

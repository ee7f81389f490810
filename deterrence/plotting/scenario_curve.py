"""The headline figure: likelihood of attack against perceived resolve, with the truth and the misperception marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.scenarios.dials import perceived_resolve_dial, true_resolve
from deterrence.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 41
TRUE, SEEN, BAND = "#0072B2", "#D55E00", "#555555"  # Okabe and Ito's colours: safe for colour-blind readers


def attack_curve(scenario: Scenario, ax: Axes | None = None) -> Axes:
    """Draw the likelihood of attack as the aggressor's perception of resolve varies.

    The horizontal axis is perceived resolve: the probability, as the aggressor sees it, that the defence holds
    against the attack for which perception matters most. The dial of misperception (``scenarios.dials``) varies it.

    Parameters
    ----------
    scenario : Scenario
    ax : matplotlib Axes, optional
        A new figure by default.

    Returns
    -------
    Axes
    """
    from matplotlib.figure import Figure

    if ax is None:
        ax = Figure(figsize=(7.0, 4.6), layout="constrained").add_subplot()
    dial = perceived_resolve_dial(scenario)
    right = true_resolve(scenario, dial)
    shifts = np.unique(np.append(np.linspace(dial.low, dial.high, POINTS), [right, dial.value]))
    game = scenario.at_values({dial.name: shifts})
    found = game.attack_probabilities()
    holds = game.perceived_response().holds.mean(axis=0)  # (points, X)
    main = int(np.argmax(np.ptp(holds, axis=0)))
    resolve = holds[:, main]
    low, high = (np.broadcast_to(x, shifts.shape) for x in found.likelihood)
    order = np.argsort(resolve)
    ax.fill_between(resolve[order], low[order], high[order], color=BAND, alpha=0.25, lw=0)
    ax.plot(resolve[order], ((low + high) / 2)[order], color=BAND, lw=2)
    truth = _mark(ax, resolve, (low + high) / 2, shifts, right, "true resolve", TRUE, "o")
    seen = _mark(ax, resolve, (low + high) / 2, shifts, dial.value, "resolve as perceived", SEEN, "s")
    if abs(truth[0] - seen[0]) > 1e-6:
        level = max(truth[1], seen[1]) + 0.08
        ax.annotate("", (seen[0], level), (truth[0], level), arrowprops={"arrowstyle": "->", "color": SEEN, "lw": 1.5})
        ax.text(
            (truth[0] + seen[0]) / 2, level + 0.015, "misperception", ha="center", va="bottom", color=SEEN, fontsize=9
        )
    ax.set_xlabel(
        f"perceived resolve: P(defence holds | {game.attacks[main].name} attack), as {game.aggressor.name} sees it"
    )
    ax.set_ylabel("likelihood of attack")
    ax.set_title(scenario.title, fontsize=11, loc="left")
    ax.set_ylim(0, 1)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9, loc="upper right")
    return ax


def _mark(
    ax: Axes, resolve: Any, likelihood: Any, shifts: Any, shift: float, label: str, colour: str, marker: str
) -> tuple[float, float]:
    i = int(np.argmin(np.abs(shifts - shift)))
    x, y = float(resolve[i]), float(likelihood[i])
    ax.plot([x, x], [0, y], color=colour, lw=1, ls=":")
    ax.plot([x], [y], marker=marker, color=colour, ms=8, ls="none", label=f"{label}: attack {y:.1%}")
    return x, y

"""The headline figure: likelihood of attack against perceived resolve, with the truth and the misperception marked."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.scenarios.main_attack import main_attack
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.alliances.scenarios.sensitivity import perceived_resolve_parameter, true_resolve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 41
FLAT = 1e-3  # range of perceived resolve below which there is no axis
TRUE, SEEN, BAND = "#0072B2", "#D55E00", "#555555"  # Okabe and Ito's colours: safe for colour-blind readers


def attack_curve(scenario: Scenario, ax: Axes | None = None) -> Axes:
    """Draw the likelihood of attack as the aggressor's perception of resolve varies.

    The horizontal axis is perceived resolve: the probability, as the aggressor sees it, that the defence holds
    against the attack that is most often chosen (if perception does not move that, against the one that it moves most).
    ``perceived_resolve_parameter`` varies it. The truth is marked where it would stand if the aggressor were wrong
    about nothing: off the curve, if it is wrong about more than resolve.

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
    parameter = perceived_resolve_parameter(scenario)
    shifts = np.unique(
        np.append(
            np.linspace(parameter.low, parameter.high, POINTS), [true_resolve(scenario, parameter), parameter.value]
        )
    )
    game = scenario.at_values({parameter.name: shifts})
    found = game.attack_probabilities()
    holds = np.mean(game.perceived_defence(), axis=0)  # (points, X)
    main = main_attack(scenario.game())
    chosen = "the attack most often chosen"
    if np.ptp(holds[:, main]) < FLAT:
        main, chosen = int(np.argmax(np.ptp(holds, axis=0))), "the attack for which it matters most"
    resolve = holds[:, main]
    low, high = (np.broadcast_to(x, shifts.shape) for x in found.likelihood)
    order = np.argsort(resolve)
    ax.fill_between(resolve[order], low[order], high[order], color=BAND, alpha=0.25, lw=0)
    ax.plot(resolve[order], ((low + high) / 2)[order], color=BAND, lw=2)
    here = int(np.argmin(np.abs(shifts - parameter.value)))
    seen = float(resolve[here]), float((low + high)[here] / 2)
    truth = _seen_rightly(game, main)
    if max(abs(truth[0] - seen[0]), abs(truth[1] - seen[1])) > 1e-6:
        _mark(ax, truth, "true resolve", TRUE, "o")
        _mark(ax, seen, "resolve as perceived", SEEN, "s")
        level = max(truth[1], seen[1]) + 0.05
        ax.annotate("", (seen[0], level), (truth[0], level), arrowprops={"arrowstyle": "->", "color": SEEN, "lw": 1.5})
        ax.text(
            (truth[0] + seen[0]) / 2, level + 0.015, "misperception", ha="center", va="bottom", color=SEEN, fontsize=9
        )
    else:
        _mark(ax, truth, "resolve, perceived as it is", TRUE, "o")
    ax.set_xlabel(
        f"perceived resolve: P(defence holds | {game.attacks[main].name} attack), as {game.aggressor.name} sees it\n"
        f"({game.attacks[main].name}: {chosen})"
    )
    ax.set_ylabel("likelihood of attack")
    ax.set_title(textwrap.fill(scenario.title, 80), fontsize=11, loc="left")
    ax.set_ylim(0, 1)
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize=9, loc="best")
    return ax


def _seen_rightly(game: CollectiveDefence, attack: int) -> tuple[float, float]:
    """Return P(defence holds) after an attack, and the likelihood of attack, if the aggressor saw what is true."""
    others = {player: overlay for player, overlay in game.perception.items() if player != game.aggressor.name}
    fact = replace(game, perception=others, base=np.full(1, np.ravel(game.base)[0]))
    holds = np.mean(fact.perceived_defence(), axis=0)[0, attack]
    return float(holds), float(np.mean(fact.attack_probabilities().likelihood))


def _mark(ax: Axes, point: tuple[float, float], label: str, colour: str, marker: str) -> None:
    x, y = point
    ax.plot([x, x], [0, y], color=colour, lw=1, ls=":")
    ax.plot([x], [y], marker=marker, color=colour, ms=8, ls="none", label=f"{label}: attack {y:.1%}")

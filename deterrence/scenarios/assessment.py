"""The assessment of a scenario: how likely is an attack, what would it meet, and which assumption drives the answer."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.collective_defence import REFRAIN, CollectiveDefence
from deterrence.alliances.response import Response
from deterrence.scenarios.dials import Turn, dials, turn
from deterrence.scenarios.scenario import Scenario

Floats = NDArray[np.float64]
Range = tuple[float, float]

LEVEL = 0.5  # likelihood of attack at which a dial tips the answer


@dataclass(frozen=True, slots=True)
class AttackView:
    """What the assessment says of one kind of attack.

    Attributes
    ----------
    name : str
    likelihood : pair of float
        Lowest and highest probability that it is chosen, over equilibria.
    invoked : float
        Probability that the treaty is invoked after it.
    holds, perceived_holds : pair of float
        Probability that the defence holds, as it is and as the aggressor sees it.
    strength, perceived_strength : pair of float
        Expected assisting strength, likewise, in units of strength.
    """

    name: str
    likelihood: Range
    invoked: float
    holds: Range
    perceived_holds: Range
    strength: Range
    perceived_strength: Range


@dataclass(frozen=True, slots=True)
class MemberView:
    """What the assessment says of one member.

    Attributes
    ----------
    name : str
    days : float
        Until it can be there once the treaty is invoked: delay and consultation.
    comes : mapping of str to pair of float
        Probability that it assists, by kind of attack.
    """

    name: str
    days: float
    comes: Mapping[str, Range]


@dataclass(frozen=True, eq=False)
class Assessment:
    """The answer to "how likely is an attack, and what drives it?".

    Attributes
    ----------
    scenario : Scenario
    likelihood : pair of float
        Lowest and highest likelihood of attack over equilibria, at the aggressor's perception.
    likelihood_if_seen_rightly : pair of float
        The same if the aggressor perceived what is true.
    unwanted_war : pair of float
        Probability of an attack that the aggressor would not have started at the true values.
    attacks : tuple of AttackView
    members : tuple of MemberView
    turns : tuple of Turn
        What each dial does, most influential first.
    postures : tuple of (str, float, float)
        With a posture stage: kind of each equilibrium and its lowest and highest likelihood of attack.
    complete : bool
        Whether every equilibrium of the response is proven to be known.
    error : float
        Bound on the numerical error of the probabilities that the defence holds.
    """

    scenario: Scenario = field(repr=False)
    likelihood: Range
    likelihood_if_seen_rightly: Range
    unwanted_war: Range
    attacks: tuple[AttackView, ...]
    members: tuple[MemberView, ...]
    turns: tuple[Turn, ...]
    postures: tuple[tuple[str, float, float], ...]
    complete: bool
    error: float

    @property
    def tipping_points(self) -> tuple[Turn, ...]:
        """The dials that alone can carry the likelihood of attack across one half."""
        return tuple(t for t in self.turns if t.tipping)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, fit for JSON."""
        return {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "likelihood_of_attack": list(self.likelihood),
            "likelihood_if_seen_rightly": list(self.likelihood_if_seen_rightly),
            "unwanted_war": list(self.unwanted_war),
            "attacks": [
                {
                    "name": a.name,
                    "likelihood": list(a.likelihood),
                    "invoked": a.invoked,
                    "defence_holds": list(a.holds),
                    "perceived_defence_holds": list(a.perceived_holds),
                    "assisting_strength": list(a.strength),
                    "perceived_assisting_strength": list(a.perceived_strength),
                }
                for a in self.attacks
            ],
            "members": [
                {"name": m.name, "days": m.days, "comes": {k: list(v) for k, v in m.comes.items()}}
                for m in self.members
            ],
            "dials": [
                {
                    "name": t.dial.name,
                    "label": t.dial.label,
                    "value": t.dial.value,
                    "range": [t.dial.low, t.dial.high],
                    "slope": t.slope,
                    "likelihood": [t.lowest, t.highest],
                    "tipping_points": list(t.tipping),
                }
                for t in self.turns
            ],
            "postures": [{"kind": kind, "likelihood_of_attack": [low, high]} for kind, low, high in self.postures],
            "complete": self.complete,
            "numerical_error": self.error,
            "in_words": self.in_words(),
        }

    def in_words(self) -> str:
        """Return a paragraph in plain words, built from the numbers."""
        aggressor = self.scenario.game().aggressor.name
        main = max(self.attacks, key=lambda a: (a.likelihood[1], a.holds[0]))
        gap = _middle(self.likelihood) - _middle(self.likelihood_if_seen_rightly)
        parts = [f"The likelihood of attack is {_percent(self.likelihood)}."]
        if self.likelihood[1] > 0:
            parts.append(f"The attack most often chosen is {main.name} ({_percent(main.likelihood)}).")
        parts.append(
            f"{aggressor} expects the defence against it to hold with probability {_percent(main.perceived_holds)}; "
            f"in truth it is {_percent(main.holds)}."
        )
        if abs(gap) < 0.0005:
            parts.append("Misperception does not matter here.")
        else:
            verb = "adds" if gap > 0 else "takes away"
            parts.append(
                f"Seen rightly, the likelihood of attack would be {_percent(self.likelihood_if_seen_rightly)}: "
                f"misperception {verb} {abs(gap) * 100:.1f} points, and {_percent(self.unwanted_war)} is the "
                "probability of a war that the aggressor would regret."
            )
        if self.turns:
            parts.append(f"The answer is most sensitive to {self.turns[0].dial.label}.")
        tipping = self.tipping_points
        parts.append(
            f"Alone, {len(tipping)} of {len(self.turns)} dials can carry the likelihood across {LEVEL:.0%}"
            + (f", the first of them {tipping[0].dial.label} at {tipping[0].tipping[0]:.3g}." if tipping else ".")
        )
        return " ".join(parts)

    def to_markdown(self) -> str:
        """Return the assessment as Markdown."""
        blocks = [f"# {self.scenario.title}", self.in_words()]
        for title, head, rows in self._tables():
            lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
            lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
            blocks += [f"## {title}", "\n".join(lines)]
        return "\n\n".join([*blocks, self._footnote()]) + "\n"

    def to_html(self) -> str:
        """Return the assessment as an HTML fragment; every label is escaped."""
        blocks = [f"<h3>{escape(self.scenario.title)}</h3>", f"<p>{escape(self.in_words())}</p>"]
        for title, head, rows in self._tables():
            top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
            body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            blocks.append(
                f"<table><caption>{escape(title)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
            )
        return "<div>" + "".join([*blocks, f"<p>{escape(self._footnote())}</p>"]) + "</div>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        blocks = [self.scenario.title, "=" * len(self.scenario.title), textwrap.fill(self.in_words(), 100)]
        for title, head, rows in self._tables():
            widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
            lines = [
                "  ".join(
                    cell.ljust(w) if i == 0 else cell.rjust(w)
                    for i, (cell, w) in enumerate(zip(row, widths, strict=True))
                )
                for row in [head, ["-" * w for w in widths], *rows]
            ]
            blocks += ["", title, *(line.rstrip() for line in lines)]
        return "\n".join([*blocks, "", textwrap.fill(self._footnote(), 100)])

    def figure(self, stem: str | Path) -> tuple[Path, Path]:
        """Draw the likelihood of attack against perceived resolve; return the paths ``stem.png`` and ``stem.svg``."""
        front = sys.modules[__name__.partition(".")[0]]  # scenarios stand below pictures: ask at the front door
        drawn = front.attack_curve(self.scenario).figure
        stem = Path(stem)
        stem.parent.mkdir(parents=True, exist_ok=True)
        paths = stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".svg")
        for path in paths:
            drawn.savefig(path, dpi=160)
        return paths

    def _tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        tables: list[tuple[str, list[str], list[list[str]]]] = [
            (
                "Attacks",
                ["attack", "likelihood", "invoked", "defence holds", "as seen", "strength comes", "as seen"],
                [
                    [
                        a.name,
                        _percent(a.likelihood),
                        f"{a.invoked:.1%}",
                        _percent(a.holds),
                        _percent(a.perceived_holds),
                        _number(a.strength),
                        _number(a.perceived_strength),
                    ]
                    for a in self.attacks
                ],
            ),
            (
                "Who would come",
                ["member", "days", *(a.name for a in self.attacks)],
                [[m.name, f"{m.days:.3g}", *(_percent(m.comes[a.name]) for a in self.attacks)] for m in self.members],
            ),
            (
                "What drives the answer",
                ["dial", "now", "range", "likelihood over range", f"crosses {LEVEL:.0%} at"],
                [
                    [
                        t.dial.label,
                        f"{t.dial.value:.3g}",
                        f"{t.dial.low:.3g} .. {t.dial.high:.3g}",
                        f"{t.lowest:.1%} .. {t.highest:.1%}",
                        ", ".join(f"{x:.3g}" for x in t.tipping) or "-",
                    ]
                    for t in [t for t in self.turns if t.highest - t.lowest > 5e-4][:12]
                ],
            ),
        ]
        if self.postures:
            rows = [[kind, _percent((low, high))] for kind, low, high in self.postures]
            tables.insert(1, ("Posture equilibria", ["equilibrium", "likelihood of attack"], rows))
        return tables

    def _footnote(self) -> str:
        extent = (
            "All equilibria of the response are proven to be known"
            if self.complete
            else ("Equilibria of the response were sought from many starts, without proof that none is missing")
        )
        return (
            f"{extent}; numerical error of the probabilities at most {self.error:.1g}. "
            "Illustrative numbers are marked in the scenario file."
        )


def assess(scenario: Scenario) -> Assessment:
    """Return the assessment of a scenario."""
    game = scenario.game()
    truth, seen = game.response(), game.perceived_response()
    found = game.attack_probabilities()
    right = _seen_rightly(game).attack_probabilities()
    regret = [float(game.regret_probability(which)) for which in ("lowest", "highest")]
    turns = turn(scenario, dials(scenario), LEVEL)
    return Assessment(
        scenario=scenario,
        likelihood=_range(found.likelihood),
        likelihood_if_seen_rightly=_range(right.likelihood),
        unwanted_war=(min(regret), max(regret)),
        attacks=tuple(_attack_view(x, a.name, truth, seen, found.by_kind[a.name]) for x, a in enumerate(game.attacks)),
        members=_member_views(game, truth),
        turns=tuple(sorted(turns, key=lambda t: -abs(t.slope))),
        postures=_postures(scenario, game),
        complete=truth.complete and seen.complete,
        error=max(truth.error, seen.error),
    )


def _seen_rightly(game: CollectiveDefence) -> CollectiveDefence:
    return replace(game, perception={k: v for k, v in game.perception.items() if k != game.aggressor.name})


def _attack_view(x: int, name: str, truth: Response, seen: Response, likelihood: tuple[Any, Any]) -> AttackView:
    def over(table: Floats) -> Range:
        return _range((table[0][..., x], table[1][..., x]))

    return AttackView(
        name,
        _range(likelihood),
        float(truth.invoked[..., x]),
        over(truth.holds),
        over(seen.holds),
        over(truth.strength),
        over(seen.strength),
    )


def _member_views(game: CollectiveDefence, truth: Response) -> tuple[MemberView, ...]:
    return tuple(
        MemberView(
            m.name,
            float(np.asarray(m.delay)) + float(np.asarray(game.treaty.consultation)),
            {a.name: _range((truth.comes[0][x, i], truth.comes[1][x, i])) for x, a in enumerate(game.attacks)},
        )
        for i, m in enumerate(game.members)
    )


def _postures(scenario: Scenario, game: CollectiveDefence) -> tuple[tuple[str, float, float], ...]:
    if game.posture is None:
        return ()
    calm = [e.probability_range(REFRAIN) for e in scenario.solve()]
    kinds = [e.kind for e in scenario.solve()]
    return tuple((kind, float(1 - high), float(1 - low)) for kind, (low, high) in zip(kinds, calm, strict=True))


def _range(pair: tuple[Any, Any]) -> Range:
    a, b = (float(np.asarray(x)) for x in pair)
    return min(a, b), max(a, b)


def _middle(pair: Range) -> float:
    return (pair[0] + pair[1]) / 2


def _percent(pair: Range) -> str:
    low, high = pair
    return f"{low:.1%}" if high - low < 5e-4 else f"{low:.1%} to {high:.1%}"


def _number(pair: Range) -> str:
    low, high = pair
    return f"{low:.2f}" if high - low < 5e-3 else f"{low:.2f} to {high:.2f}"


__all__ = ["Assessment", "AttackView", "MemberView", "assess"]

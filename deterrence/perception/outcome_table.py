"""What mistaken players expect against what happens, as a table for people: text and HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from deterrence.games.errors import GameError
from deterrence.games.tables import number_text
from deterrence.perception.belief_hierarchy import SubjectiveGame

if TYPE_CHECKING:
    from deterrence.perception.outcome import SubjectiveOutcome

_NEVER = 5e-13  # outcomes that nobody gives more than this are left out

_MEANING = {
    "miscalculation": "an outcome to which some player gave a chance below {chance:g}",
    "unwanted war": "a war that the aggressor would not have started at the true values",
    "missed deterrence": "an attack that true resolve, if known, would have deterred",
    "called bluff": "an attack without war after a move that did not pay",
}

_STYLE = (
    "<style>.perceived{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.4em 0}"
    ".perceived caption{text-align:left;font-weight:600;padding:.2em 0}"
    ".perceived th,.perceived td{padding:.15em .8em;text-align:right}"
    ".perceived th:first-child,.perceived td:first-child{text-align:left}"
    ".perceived thead th{border-bottom:1px solid currentColor}"
    ".perceived td.what{text-align:left;opacity:.75}</style>"
)

Rows = list[list[str]]


def as_text(outcome: SubjectiveOutcome) -> str:
    """Return the tables as plain text."""
    parts = [f"subjective play: {overlays_text(outcome.hierarchy, outcome.truth)}", ""]
    head, rows = _outcomes(outcome)
    parts += _aligned([head, *rows])
    parts += ["", *_aligned([[name, value] for name, value, _ in _gaps(outcome)]), ""]
    parts += _aligned(_players(outcome))
    note = _note(outcome)
    return "\n".join([*parts, "", note] if note else parts)


def as_html(outcome: SubjectiveOutcome) -> str:
    """Return the tables as HTML."""
    head, rows = _outcomes(outcome)
    by_player = _players(outcome)
    gaps = "".join(
        f'<tr><td>{escape(name)}</td><td>{escape(value)}</td><td class="what">{escape(meaning)}</td></tr>'
        for name, value, meaning in _gaps(outcome)
    )
    note = _note(outcome)
    return (
        f"{_STYLE}{_table(overlays_text(outcome.hierarchy, outcome.truth), head, rows)}"
        f'<table class="perceived"><tbody>{gaps}</tbody></table>'
        f"{_table('', by_player[0], by_player[1:])}" + (f"<p>{escape(note)}</p>" if note else "")
    )


def overlays_text(hierarchy: Mapping[str, SubjectiveGame], truth: Mapping[str, Any]) -> str:
    """Return in words who is wrong about what."""
    said = []
    for player, belief in hierarchy.items():
        said += _differences(player, belief, truth)
    return "; ".join(said) or "nobody is mistaken"


def range_text(pair: tuple[float, float]) -> str:
    """Return ``"0.3"``, or ``"0.1 to 0.3"``."""
    low, high = pair
    if low == high or abs(high - low) <= 5e-10 * max(1.0, abs(high)):
        return number_text(high)
    return f"{number_text(low)} to {number_text(high)}"


def group_name(members: Sequence[str]) -> str:
    """Return a common name for players: ``"A and B"``, ``"A and 5 others"``."""
    return " and ".join(members) if len(members) <= 2 else f"{members[0]} and {len(members) - 1} others"


def expects(name: str, members: Sequence[str]) -> str:
    """Return ``"A expects"``, or ``"A and B expect"``."""
    return f"{name} {'expects' if len(members) == 1 else 'expect'}"


def _outcomes(outcome: SubjectiveOutcome) -> tuple[list[str], Rows]:
    rows = []
    for one in outcome.ends.outcomes:
        cells = [pair for _, pair in outcome.row(one)]
        if any(high > _NEVER for _, high in cells):
            rows.append([" / ".join(one), *map(range_text, cells)])
    columns = [expects(name, members) for name, members in outcome.groups.items()]
    return ["outcome", "true", *columns], rows


def _gaps(outcome: SubjectiveOutcome) -> list[tuple[str, str, str]]:
    rows = []
    for name, meaning in _MEANING.items():
        try:
            value = range_text(getattr(outcome, name.replace(" ", "_")))
        except GameError:  # nobody is the aggressor, or the game has no such event
            continue
        rows.append((name, value, meaning.format(chance=outcome.stated_chance)))
    return rows


def _players(outcome: SubjectiveOutcome) -> Rows:
    rows = [["player", "surprise (nats)", "chance it gave to what happens", "regret"]]
    for name, members in outcome.groups.items():
        surprise = outcome.surprise[members[0]]
        known = members[0] in outcome.regret and len(members) == 1
        regret = range_text(outcome.regret[members[0]]) if known else ""
        rows.append([name, range_text(surprise.divergence), range_text(surprise.chance), regret])
    return rows if any(row[-1] for row in rows[1:]) else [row[:-1] for row in rows]


def _note(outcome: SubjectiveOutcome) -> str:
    if len(outcome.plays) == 1:
        return ""
    return f"ranges are over {len(outcome.plays)} combinations of equilibria that the players may have in mind"


def _aligned(rows: Rows) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            ["", row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def _table(caption: str, head: Sequence[str], rows: Rows) -> str:
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="perceived">{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def _differences(chain: str, belief: SubjectiveGame, around: Mapping[str, Any]) -> list[str]:
    changed = [
        f"{name} {value}"  # relative to the beliefs around it
        if isinstance(value, str)
        else f"{name} = {number_text(value)}" + (f" (for {number_text(around[name])})" if name in around else "")
        for name, value in belief.values.items()
        if name not in around or (value is not around[name] and repr(value) != repr(around[name]))
    ]
    said = [f"{chain} believes {', '.join(changed)}"] if changed else []
    for player, inner in belief.others.items():
        said += _differences(f"{chain} believes that {player}", inner, belief.values)
    return said

"""Equilibria as tables: for the terminal, for Jupyter, and for pandas.

A set is shown outcome by outcome: equilibria with the same play on the path differ only in what holds them up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.games.services import service

if TYPE_CHECKING:
    import pandas as pd

    from deterrence.games.equilibrium import Equilibrium, EquilibriumSet

MOST_TABLES, MOST_DRAWINGS = 30, 8  # equilibria of a set that are shown, and drawn
MOST_ENDS = 32  # of games on which equilibria are drawn

_DECIMAL = re.compile(r"\d+\.\d*(?:e[-+]?\d+)?")

Rows = list[tuple[str, str, str]]  # player or "belief", information set, distribution


def number_text(value: Any) -> str:
    """Return a number for people: rationals as they are, floats to four significant digits."""
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}" if abs(float(value)) > 5e-13 else "0"
    return str(value)


def quantity_text(values: Array) -> str:
    """Return a number, an expression in parameters, or the range of a batch of numbers."""
    if values.ndim:
        low, high = values.min(), values.max()
        return number_text(low) if low == high else f"{number_text(low)}…{number_text(high)}"
    value: Any = values.item()
    if hasattr(value, "free_symbols"):
        plain = _DECIMAL.sub(lambda m: f"{float(m[0]):.4g}", str(value))
        return plain.replace("**", "^").replace("*", "·").replace("-", "\u2212")
    return number_text(value).replace("-", "\u2212")


def distribution_text(distribution: Any, ranges: dict[str, tuple[Any, Any]] | None = None) -> str:
    """Return ``"duel"`` for a pure choice, ``"duel 0.5, not 0.5"`` for a mixture, intervals over a continuum."""
    if ranges and any(_wide(low, high) for low, high in ranges.values()):
        shown = {k: r for k, r in ranges.items() if _wide(*r) or r[1] > 0}
        return ", ".join(f"{k} {_interval(*r)}" for k, r in shown.items())
    played = {k: v for k, v in distribution.items() if v > 5e-13}
    if len(played) == 1:
        return str(next(iter(played)))
    return ", ".join(f"{k} {number_text(v)}" for k, v in played.items())


def equilibrium_rows(e: Equilibrium) -> Rows:
    """Return strategies and beliefs as rows; over a continuum each probability is shown by its range."""
    strategies = [v.strategies(e.game) for v in e.vertices]
    beliefs = [v.beliefs(e.game) for v in e.vertices]
    rows: Rows = []
    for player, sets in e.strategies.items():
        for key, distribution in sets.items():
            ranges = _ranges([s[player][key] for s in strategies])
            rows.append((player, _key(key), distribution_text(distribution, ranges)))
    for key, distribution in e.beliefs.items():
        if len(distribution) > 1:
            rows.append(("belief", _key(key), distribution_text(distribution, _ranges([b[key] for b in beliefs]))))
    return rows


def all_kinds(e: Equilibrium) -> str:
    """Return the kind of an equilibrium in words; of a continuum, those that occur at its edges too."""
    others = [kind for kind in e.kinds if kind != e.kind]
    return f"{e.kind} (at its edges also {', '.join(others)})" if others else e.kind


def equilibrium_text(e: Equilibrium) -> str:
    """Return one equilibrium for the terminal."""
    return "\n".join([all_kinds(e), *_indented(equilibrium_rows(e)), "  payoffs: " + _payoffs_text(e)])


def equilibrium_html(e: Equilibrium) -> str:
    """Return one equilibrium as an HTML table, and drawn on its game if that is small; every label is escaped."""
    return f"<div>{equilibrium_table(e)}{_drawn(e)}</div>"


def equilibrium_table(e: Equilibrium) -> str:
    """Return one equilibrium as an HTML table without its drawing; every label is escaped."""
    body = "".join(
        f"<tr><td>{escape(who)}</td><td>{escape(where)}</td><td>{escape(what)}</td></tr>"
        for who, where, what in equilibrium_rows(e)
    )
    return (
        f'<table aria-label="equilibrium"><caption>{escape(all_kinds(e))}; payoffs {escape(_payoffs_text(e))}</caption>'
        '<thead><tr><th scope="col">player</th><th scope="col">at</th>'
        '<th scope="col">plays or believes</th></tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def set_text(s: EquilibriumSet) -> str:
    """Return a set of equilibria for the terminal, grouped by outcome."""
    lines = [_headline(s)]
    for number, group in enumerate(_outcomes(s), start=1):
        first = group[0]
        lines.append(f"{number}. {all_kinds(first)}; payoffs: {_payoffs_text(first)}")
        common = set(equilibrium_rows(first)).intersection(*(equilibrium_rows(e) for e in group[1:]))
        lines += _indented([row for row in equilibrium_rows(first) if row in common])
        if len(group) > 1:
            for letter, e in zip("abcdefghijklmnopqrstuvwxyz", group, strict=False):
                lines.append(f"  ({letter}) held up by")
                lines += _indented([row for row in equilibrium_rows(e) if row not in common], "      ")
            if len(group) > 26:
                lines.append(f"  ... and {len(group) - 26} more")
    return "\n".join(lines)


def set_html(s: EquilibriumSet) -> str:
    """Return a set of equilibria for Jupyter: a table for each, and its drawing, to unfold."""
    parts = []
    for number, e in enumerate(s[:MOST_TABLES]):
        drawn = _drawn(e) if number < MOST_DRAWINGS else ""
        parts.append(equilibrium_table(e) + (f"<details><summary>drawn</summary>{drawn}</details>" if drawn else ""))
    if len(s) > MOST_TABLES:
        parts.append(f"<p>... and {len(s) - MOST_TABLES} more; see to_frame()</p>")
    return f"<div><p>{escape(_headline(s))}</p>{''.join(parts)}</div>"


def set_frame(s: EquilibriumSet) -> pd.DataFrame:
    """Return a pandas table with a row per equilibrium and columns (group, information set, action)."""
    import pandas as pd

    records = []
    for e in s:
        record: dict[tuple[str, str, str], Any] = {("", "", "kind"): e.kind, ("", "", "isolated"): e.isolated}
        for player, value in e.payoffs.items():
            record["payoff", player, ""] = value
        for player, sets in e.strategies.items():
            for key, distribution in sets.items():
                record.update({(player, _key(key), action): p for action, p in distribution.items()})
        for key, distribution in e.beliefs.items():
            record.update({("belief", _key(key), node): p for node, p in distribution.items()})
        records.append(record)
    frame = pd.DataFrame(records)
    if records:
        frame.columns = pd.MultiIndex.from_tuples(list(records[0]), names=["of", "at", "value"])
    return frame


def pre(content: str) -> str:
    """Return text as it stands, for Jupyter."""
    return f"<pre>{escape(content)}</pre>"


def _drawn(e: Equilibrium) -> str:
    """Return the equilibrium drawn on its game, or nothing if the game has no drawing or is large."""
    shape = getattr(e.game, "shape", ())
    ends = len(e.game.topology.terminal) if hasattr(e.game, "topology") else math.prod(shape) if len(shape) == 4 else 0
    if not 0 < ends <= MOST_ENDS:
        return ""
    return str(service("draw")(e)._repr_html_())


def _headline(s: EquilibriumSet) -> str:
    count = len(s)
    noun = "equilibrium" if count == 1 else "equilibria"
    extent = "complete" if s.complete else "not proven complete"
    outcomes = len(list(_outcomes(s)))
    grouped = f" in {outcomes} outcomes" if outcomes < count else ""
    return f"{count} {noun}{grouped} ({s.concept}, {extent}; method: {s.method})"


def _outcomes(s: EquilibriumSet) -> Iterator[list[Equilibrium]]:
    """Group neighbouring equilibria of one kind with the same payoffs and the same play on the path."""
    groups: dict[tuple[Any, ...], list[Equilibrium]] = {}
    for e in s:
        groups.setdefault((all_kinds(e), _payoffs_text(e), _on_path(e)), []).append(e)
    yield from groups.values()


def _on_path(e: Equilibrium) -> str:
    sender = next(iter(e.strategies.items()), None)
    return str({k: distribution_text(v) for k, v in sender[1].items()}) if sender else ""


def _payoffs_text(e: Equilibrium) -> str:
    return ", ".join(f"{player} {number_text(value)}" for player, value in e.payoffs.items())


def _indented(rows: Rows, indent: str = "  ") -> list[str]:
    return [f"{indent}{who} at {where}: {what}" if where else f"{indent}{who}: {what}" for who, where, what in rows]


def _ranges(distributions: list[Any]) -> dict[str, tuple[Any, Any]]:
    return {k: (min(d[k] for d in distributions), max(d[k] for d in distributions)) for k in distributions[0]}


def _wide(low: Any, high: Any) -> bool:
    return bool(high - low > 1e-9)


def _interval(low: Any, high: Any) -> str:
    return f"[{number_text(low)}, {number_text(high)}]" if _wide(low, high) else number_text(low)


def _key(key: Any) -> str:
    return " | ".join(key) if isinstance(key, tuple) else str(key)

"""A scenario as a page in Jupyter: what it asks, what it shows and what not, its game, its sources."""

from __future__ import annotations

from html import escape
from typing import Any


def scenario_html(scenario: Any) -> str:
    """Return a scenario as HTML; every text of its file is escaped."""
    table = scenario.table
    parts = [f"<h3>{escape(scenario.title)} <small>({escape(scenario.name)})</small></h3>"]
    parts += [f"<p>{escape(part)}</p>" for part in table.description.split("\n\n") if part.strip()]
    for head, words in (("Shows", table.shows), ("Does not show", table.does_not_show)):
        if words:
            parts.append(f"<p><b>{head}:</b> {escape(words)}</p>")
    parts.append(scenario.game()._repr_html_())
    if table.sources:
        listed = "".join(f"<li><b>{escape(key)}</b>: {escape(words)}</li>" for key, words in table.sources.items())
        parts.append(f"<details><summary>sources</summary><ul>{listed}</ul></details>")
    return "\n".join(parts)

"""A model as a page in Jupyter: its source, its parameters, its formulas, its game at the default values."""

from __future__ import annotations

from html import escape
from typing import Any

from deterrence.models.parameter_table import Choice, Entry


def model_html(model: Any) -> str:
    """Return a model as HTML; formulas are LaTeX, which Jupyter sets."""
    parts = [
        f"<h3>{escape(model.title)} <small>({escape(model.id)})</small></h3>",
        f"<p>{escape(model.source)}. {escape(model.mechanism)}</p>",
    ]
    if model.differs:
        parts.append(f"<p>Differs from the source: {escape(model.differs)}</p>")
    rows = "".join(_row(entry) for entry in model.parameters)
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("parameter", "default", "range", "unit", "meaning"))
    parts.append(f'<table aria-label="parameters"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>')
    parts += [f"<p>{escape(what)}: $${latex}$$</p>" for what, latex in model.formulas.items()]
    parts.append(_game(model.game()))
    return "\n".join(part for part in parts if part)


def _row(entry: Entry) -> str:
    if isinstance(entry, Choice):
        cells = (entry.name, entry.default, " | ".join(entry.options), "", entry.meaning)
    else:
        cells = (entry.name, str(entry.default), f"[{entry.low:g}, {entry.high:g}]", entry.unit, entry.meaning)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _game(game: Any) -> str:
    if isinstance(game, dict):
        return "\n".join(f"<h4>{escape(str(name))}</h4>{_game(part)}" for name, part in game.items())
    if hasattr(game, "_repr_html_"):
        return str(game._repr_html_())
    return f"<pre>{escape(repr(game))}</pre>"

"""A collective-defence game as text and as tables: who might come, what might be done, who thinks what."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

_OF_ATTACKS = {"strength": "strength", "window": "window, days", "share": "share of the prize", "cost": "cost"}


def defence_text(defence: Any) -> str:
    """Return the game in a few lines for the terminal."""
    attacks = ", ".join(attack.name for attack in defence.attacks)
    lines = [
        f"collective defence by {len(defence.members)} members: {', '.join(defence.names)}",
        f"  {defence.aggressor.name} may refrain, or attack: {attacks}",
    ]
    if defence.target is not None:
        lines.append(f"  {defence.target.name} may yield")
    if defence.posture is not None:
        lines.append(f"  postures: {', '.join(one.name for one in defence.posture.postures)}")
    if defence.perception:
        lines.append(f"  with perceptions of their own: {', '.join(defence.perception)}")
    return "\n".join(lines)


def defence_html(defence: Any) -> str:
    """Return the game as HTML: what it is, the attacks, the members; every label is escaped."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in ("attack", *_OF_ATTACKS.values()))
    rows = "".join(
        f'<tr><th scope="row">{escape(attack.name)}</th>'
        + "".join(f"<td>{escape(_number(getattr(attack, key)))}</td>" for key in _OF_ATTACKS)
        + "</tr>"
        for attack in defence.attacks
    )
    words = "".join(f"<p>{escape(line.strip())}</p>" for line in defence_text(defence).splitlines())
    table = f'<table aria-label="attacks"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    return f"<div>{words}{table}{defence.participation_game()._repr_html_()}</div>"


def _number(value: Any) -> str:
    values = np.asarray(value, dtype=np.float64)
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"

r"""Mathematics as LaTeX: payoffs in parameters, strategies :math:`\sigma`, beliefs :math:`\mu`."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.tables import all_kinds, number_text

if TYPE_CHECKING:
    from deterrence.games.equilibrium import Equilibrium, EquilibriumSet
    from deterrence.games.extensive import ExtensiveGame
    from deterrence.games.signaling import SignalingGame

MOST_ROWS = 60  # lines of a table that are set

_SPECIAL = {c: "\\" + c for c in "{}$&#_%"}
_SPECIAL |= {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "–": "--",
    "—": "---",
}
for _letter in "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ":
    _kind, _word = unicodedata.name(_letter).replace("LAMDA", "LAMBDA").split(" LETTER ")
    _SPECIAL[_letter] = f"$\\{_word.lower() if 'SMALL' in _kind else _word.capitalize()}$"


def tree_latex(game: ExtensiveGame) -> str:
    """Return the payoffs at the ends of a tree with parameters, with the way to each; nothing of other trees."""
    if not game.parameters:
        return ""
    rows = [
        [math_text(", ".join(path)), *map(quantity_latex, payoffs)]
        for path, payoffs in zip(game.topology.end_paths, game.payoffs, strict=True)
    ]
    return _table(["", *game.players], rows)


def signaling_latex(game: SignalingGame) -> str:
    """Return the payoffs of a signaling game with parameters, by type, message and response; nothing of other games."""
    if not game.parameters or game.batch_shape:
        return ""
    rows = []
    for (t, q, m, r), _ in np.ndenumerate(game.U):
        receiver = () if game.receiver_types is None else (game.receiver_types[q],)
        way = ", ".join((game.types[t], *receiver, game.messages[m], game.responses[r]))
        chance = quantity_latex(game.joint_prior[t, q])
        rows.append([math_text(way), chance, quantity_latex(game.U[t, q, m, r]), quantity_latex(game.V[t, q, m, r])])
    return _table(["", "prior", *game.players], rows)


def equilibrium_latex(e: Equilibrium) -> str:
    """Return the strategies, beliefs and payoffs of an equilibrium; of a continuum, at its ``profile``."""
    return display(_aligned(_lines(e)))


def set_latex(s: EquilibriumSet) -> str:
    """Return all equilibria of a set, one below the other."""
    return "\n".join(
        display(_aligned([f"&\\textbf{{{k}. {escape_latex(all_kinds(e))}}}", *_lines(e)]))
        for k, e in enumerate(s, start=1)
    )


def quantity_latex(value: Any) -> str:
    """Return a number or an expression in parameters for LaTeX."""
    if isinstance(value, np.ndarray):
        value = value.item()
    if hasattr(value, "free_symbols"):
        import sympy

        return str(sympy.latex(value))
    if isinstance(value, Fraction) and value.denominator > 1:
        sign = "-" if value < 0 else ""
        return f"{sign}\\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
    return number_text(value)


def escape_latex(content: str) -> str:
    """Return text that LaTeX prints as it is."""
    return "".join(_SPECIAL.get(c, c) for c in content if c.isprintable())


def math_text(content: str) -> str:
    """Return words inside of mathematics."""
    return f"\\text{{{escape_latex(content)}}}" if content else ""


def display(mathematics: str) -> str:
    """Return mathematics on a line of its own."""
    return f"$${mathematics}$$"


def _lines(e: Equilibrium) -> list[str]:
    lines = []
    for player, sets in e.strategies.items():
        for where, distribution in sets.items():
            lines += _distribution(f"\\sigma_{{{math_text(player)}}}", where, distribution)
    for where, distribution in e.beliefs.items():
        if len(distribution) > 1:
            lines += _distribution("\\mu", where, distribution)
    lines += [f"u_{{{math_text(player)}}} &= {quantity_latex(value)}" for player, value in e.payoffs.items()]
    return lines


def _distribution(name: str, where: Any, distribution: Mapping[str, Any]) -> list[str]:
    place = " | ".join(where) if isinstance(where, tuple) else str(where)
    return [
        f"{name}({math_text(what)} \\mid {math_text(place)}) &= {quantity_latex(p)}"
        for what, p in distribution.items()
        if p > 5e-13
    ]


def _aligned(lines: list[str]) -> str:
    return "\\begin{aligned} " + " \\\\ ".join(lines) + " \\end{aligned}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    shown = rows[:MOST_ROWS]
    if len(rows) > MOST_ROWS:
        shown.append([math_text(f"… and {len(rows) - MOST_ROWS} more"), *[""] * (len(head) - 1)])
    top = " & ".join(map(math_text, head))
    body = " \\\\ ".join(" & ".join(row) for row in shown)
    columns = "l|" + "r" * (len(head) - 1)
    return display(f"\\begin{{array}}{{{columns}}} {top} \\\\ \\hline {body} \\end{{array}}")

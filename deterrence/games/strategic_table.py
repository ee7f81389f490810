"""Strategic forms as tables: for the terminal, for Jupyter and for LaTeX, best responses and Nash cells marked."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from deterrence.games.formulas import display, math_text, quantity_latex
from deterrence.games.quantities import Array, as_float
from deterrence.games.tables import pre, quantity_text

if TYPE_CHECKING:
    from deterrence.games.strategic import StrategicGame

MOST_CELLS = 2000  # of larger games only the shape is shown
TIES = 1e-9  # payoffs closer than this, relative to the span, are as good as each other


def best_responses(game: StrategicGame) -> Array:
    """Return which payoffs are best responses to what the others play, shape (s_1, ..., s_P, P) of bool.

    A cell in which all are is a Nash equilibrium in pure strategies. Rational payoffs are compared exactly, floats
    within 1e-9 of the span. Of a game with symbols nothing is known: all False.
    """
    found = np.zeros(game.payoffs.shape, dtype=bool)
    if game.parameters:
        return found
    for player in range(len(game.players)):
        mine = game.payoffs[..., player]
        best = mine.max(axis=player, keepdims=True)
        within = 0 if game.kind == "exact" else TIES * game.span
        found[..., player] = as_float(best - mine) <= within
    return found


def strategic_text(game: StrategicGame) -> str:
    """Return the table for the terminal: a star at each best response, brackets around a Nash cell."""
    if not _can_be_shown(game):
        return repr(game)
    best = best_responses(game)
    blocks = [f"{_title(game)}: {_who(game)}"]
    for rest, caption in _tables(game):
        rows = [["", *game.strategies[1]] if len(game.players) > 1 else ["", game.players[0]]]
        for i, label in enumerate(game.strategies[0]):
            cells = []
            for cell in _cells(game, i, rest):
                words = [
                    quantity_text(np.asarray(x)) + ("*" if b else "")
                    for x, b in zip(game.payoffs[cell], best[cell], strict=True)
                ]
                inside = ", ".join(words)
                cells.append(f"[{inside}]" if best[cell].all() else f" {inside} ")
            rows.append([label, *cells])
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join(x.ljust(w) if k == 0 else x.center(w) for k, (x, w) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        ]
        blocks += [*([caption] if caption else []), *(line.rstrip() for line in lines)]
    return "\n".join([*blocks, *([_LEGEND_TEXT] if best.any() else [])])


def strategic_html(game: StrategicGame) -> str:
    """Return the table for Jupyter: best responses bold and underlined, Nash cells framed and starred."""
    if not _can_be_shown(game):
        return pre(repr(game))
    best = best_responses(game)
    tables = []
    for rest, caption in _tables(game):
        columns = game.strategies[1] if len(game.players) > 1 else game.players
        head = "".join(f'<th scope="col">{escape(label)}</th>' for label in columns)
        body = ""
        for i, label in enumerate(game.strategies[0]):
            cells = "".join(_html_cell(game, best, cell) for cell in _cells(game, i, rest))
            body += f'<tr><th scope="row">{escape(label)}</th>{cells}</tr>'
        words = escape(f"{_title(game)}: {_who(game)}{'; ' + caption if caption else ''}")
        tables.append(
            f'<p>{words}</p><table aria-label="{words}">'
            f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"
        )
    return f"<div>{''.join(tables)}{_LEGEND if best.any() else ''}</div>"


def strategic_latex(game: StrategicGame) -> str:
    """Return the table as an array for LaTeX: best responses underlined, Nash cells boxed."""
    if not _can_be_shown(game):
        return ""
    best = best_responses(game)
    arrays = []
    for rest, caption in _tables(game):
        columns = game.strategies[1] if len(game.players) > 1 else game.players
        rows = [" & ".join(["", *map(math_text, columns)])]
        for i, label in enumerate(game.strategies[0]):
            cells = []
            for cell in _cells(game, i, rest):
                words = [
                    f"\\underline{{{quantity_latex(x)}}}" if b else quantity_latex(x)
                    for x, b in zip(game.payoffs[cell], best[cell], strict=True)
                ]
                inside = ",\\ ".join(words)
                cells.append(f"\\boxed{{{inside}}}" if best[cell].all() else inside)
            rows.append(" & ".join([math_text(label), *cells]))
        above = f"{math_text(caption)}\\\\ " if caption else ""
        body = " \\\\ ".join([rows[0] + " \\\\ \\hline " + rows[1], *rows[2:]])
        arrays.append(f"{above}\\begin{{array}}{{r|{'c' * (rows[0].count('&'))}}} {body} \\end{{array}}")
    together = " \\\\ ".join(arrays)
    return display(f"\\begin{{gathered}} {together} \\end{{gathered}}" if len(arrays) > 1 else together)


_LEGEND = "<p>best responses <b><u>underlined</u></b>, equilibria in pure strategies framed (★)</p>"
_LEGEND_TEXT = "* best response, [ ] equilibrium in pure strategies"


def _can_be_shown(game: StrategicGame) -> bool:
    return int(np.prod(game.shape)) <= MOST_CELLS


def _title(game: StrategicGame) -> str:
    return game.title or "strategic form"


def _who(game: StrategicGame) -> str:
    if len(game.players) == 1:
        return f"{game.players[0]} chooses the row"
    return f"{game.players[0]} chooses the row, {game.players[1]} the column"


def _tables(game: StrategicGame) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield what the third player and those after it choose: one table for each combination, with its caption."""
    for rest in product(*(range(n) for n in game.shape[2:])):
        chosen = (
            f"{player} chooses {labels[k]}"
            for player, labels, k in zip(game.players[2:], game.strategies[2:], rest, strict=True)
        )
        yield rest, ", ".join(chosen)


def _cells(game: StrategicGame, row: int, rest: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [(row, j, *rest) for j in range(game.shape[1])] if len(game.players) > 1 else [(row,)]


def _html_cell(game: StrategicGame, best: Array, cell: tuple[int, ...]) -> str:
    words = []
    for x, is_best in zip(game.payoffs[cell], best[cell], strict=True):
        shown = escape(quantity_text(np.asarray(x)))
        words.append(f"<b><u>{shown}</u></b>" if is_best else shown)
    inside = ", ".join(words)
    if best[cell].all():
        return f'<td style="outline:2px solid currentColor;outline-offset:-3px" title="equilibrium">{inside} ★</td>'
    return f"<td>{inside}</td>"

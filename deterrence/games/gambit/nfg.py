"""Gambit's format for strategic forms, ``.nfg``, in both its variants: payoffs cell by cell, or outcomes by number.

The first player's strategy moves fastest through the cells.

References
----------
.. [1] R. D. McKelvey, A. M. McLennan, T. L. Turocy, "Gambit: Software Tools for Game Theory", chapter "Game file
   formats".
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from pathlib import Path

import numpy as np

from deterrence.files import write_whole
from deterrence.games.gambit.text import Number, Source, Tokens, distinct, number_token, quote, text_of
from deterrence.games.quantities import Array
from deterrence.games.strategic import StrategicGame

MOST_CELLS = 20_000_000
MOST_LABELS = 100_000  # of a player whose strategies are a number in a file that has fewer words


def read_nfg(source: Source) -> StrategicGame:
    """Read a strategic form from Gambit's ``.nfg`` format.

    Parameters
    ----------
    source : str, Path or file object
        A path, an open file, or the text itself if it starts with ``NFG``.

    Returns
    -------
    StrategicGame
        Integers, rationals and decimals are exact. Names of outcomes are not kept.

    Raises
    ------
    GameError
        If the text is malformed; the message gives line and column.

    Examples
    --------
    >>> game = read_nfg('NFG 1 R "chicken" { "A" "B" } { 2 2 } 0 0 1/2 -1 -1 1/2 -9 -9')
    >>> game.payoffs[1, 0]
    array([Fraction(1, 2), Fraction(-1, 1)], dtype=object)
    """
    tokens = Tokens(text_of(source, "NFG"))
    if tokens.peek() != "NFG":
        tokens.fail(f"a strategic-form file starts with NFG, got {tokens.peek() or 'nothing'!r}", at=tokens.at)
    tokens.at += 1
    if tokens.take("the version, 1") != "1":
        tokens.fail(f"only version 1 of the format is known, got {tokens.all[tokens.at - 1]!r}")
    if tokens.take("the letter R or D") not in ("R", "D"):
        tokens.fail(f"expected the letter R or D, got {tokens.all[tokens.at - 1]!r}")
    title = tokens.string("the title") if tokens.peek() != "{" else ""
    players = distinct(tokens.strings("names of players"))
    if not players:
        tokens.fail("a game needs at least one player, got none")
    strategies = _strategies(tokens, players)
    if tokens.peek().startswith('"'):
        tokens.string("the description")
    shape = tuple(len(labels) for labels in strategies)
    cells = _outcome_cells(tokens, shape) if tokens.peek() == "{" else _payoff_cells(tokens, shape)
    return StrategicGame(cells, players=players, strategies=strategies, title=title)


def write_nfg(game: StrategicGame, path: str | Path | None = None, *, overwrite: bool = False) -> str:
    """Return a strategic form in Gambit's ``.nfg`` format (payoff variant), and write it to a file if a path is given.

    Raises
    ------
    GameError
        If the game has free parameters.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    game.require_numbers()
    sets = " ".join("{ " + " ".join(map(quote, labels)) + " }" for labels in game.strategies)
    lines = [f"NFG 1 R {quote(game.title)} {{ {' '.join(map(quote, game.players))} }}", f"{{ {sets} }}", '""', ""]
    axes = tuple(reversed(range(len(game.shape))))
    cells = game.payoffs.transpose(*axes, len(axes)).reshape(-1, len(game.players))
    lines += [" ".join(map(number_token, row)) for row in cells]
    text = "\n".join(lines) + "\n"
    if path is not None:
        write_whole(path, text, overwrite=overwrite)
    return text


def _strategies(tokens: Tokens, players: list[str]) -> list[list[str]]:
    """Read each player's strategies, as a number or as a list of labels."""
    tokens.expect("{", "before the strategies")
    found: list[list[str]] = []
    while tokens.peek() != "}":
        if tokens.peek() == "{":
            found.append(distinct(tokens.strings("names of strategies")))
        else:
            found.append([str(i + 1) for i in range(_count(tokens))])
        if not found[-1]:
            tokens.fail("every player needs at least one strategy, got none")
    tokens.at += 1
    if len(found) != len(players):
        tokens.fail(f"{len(players)} players need {len(players)} sets of strategies, got {len(found)}")
    if prod(len(labels) for labels in found) > MOST_CELLS:
        tokens.fail(f"the table has more than {MOST_CELLS:,} cells")
    return found


def _count(tokens: Tokens) -> int:
    """Read a number of strategies; each has a cell at least, so that no more are made than the file can fill."""
    count = tokens.integer("a number of strategies")
    if count > MOST_CELLS:
        tokens.fail(f"the table has more than {MOST_CELLS:,} cells")
    if count > max(len(tokens.all), MOST_LABELS):
        tokens.fail(f"{count:,} strategies need a payoff each, but the whole file has {len(tokens.all):,} words")
    return count


def _payoff_cells(tokens: Tokens, shape: tuple[int, ...]) -> Array:
    count = prod(shape) * len(shape)
    values = [tokens.number(f"payoff {i + 1} of {count}") for i in range(count)]
    if tokens.peek():
        tokens.fail(
            f"{prod(shape)} cells of {len(shape)} payoffs end before this: {tokens.peek()!r} is left over", at=tokens.at
        )
    return _table(values, shape)


def _outcome_cells(tokens: Tokens, shape: tuple[int, ...]) -> Array:
    """Read a list of outcomes, then the number of one for each cell; outcome 0 pays nothing."""
    tokens.at += 1
    outcomes: list[list[Number]] = [[0] * len(shape)]
    while tokens.peek() != "}":
        tokens.expect("{", "before an outcome")
        at = tokens.at
        if tokens.peek().startswith('"'):
            tokens.string("the name of the outcome")
        payoffs: list[Number] = []
        while tokens.peek() != "}":
            payoffs.append(tokens.number("a payoff"))
        tokens.at += 1
        if len(payoffs) != len(shape):
            tokens.fail(f"outcome {len(outcomes)} needs {len(shape)} payoffs, one a player, got {len(payoffs)}", at=at)
        outcomes.append(payoffs)
    tokens.at += 1
    values: list[Number] = []
    for i in range(prod(shape)):
        number = tokens.integer(f"the outcome of cell {i + 1} of {prod(shape)}")
        if number >= len(outcomes):
            tokens.fail(f"outcome {number} does not exist; there are {len(outcomes) - 1}")
        values += outcomes[number]
    if tokens.peek():
        tokens.fail(f"{prod(shape)} cells end before this: {tokens.peek()!r} is left over", at=tokens.at)
    return _table(values, shape)


def _table(values: list[Number], shape: tuple[int, ...]) -> Array:
    """Return payoffs with an axis a player, from cells in which the first player's strategy moves fastest."""
    if all(isinstance(x, int) and abs(x) <= 2**53 for x in values):
        flat: Array = np.array([float(x) for x in values])
    else:
        flat = np.empty(len(values), dtype=object)
        flat[:] = [Fraction(x) for x in values]
    cells = flat.reshape(*reversed(shape), len(shape))
    return cells.transpose(*reversed(range(len(shape))), len(shape))

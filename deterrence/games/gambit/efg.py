"""Gambit's format for trees, ``.efg``: every tree that is written reads back as the same game, number for number.

The reader takes all that the format allows and more than Gambit does: payoffs at any node (they add up along the path),
outcomes and information sets named once and numbered afterwards, rationals and decimals (kept exact), commas or none,
empty and repeated labels, and text after the tree.

References
----------
.. [1] R. D. McKelvey, A. M. McLennan, T. L. Turocy, "Gambit: Software Tools for Game Theory", chapter "Game file
   formats".
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from deterrence.files import write_whole
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg_nodes import read_head, read_nodes
from deterrence.games.gambit.efg_records import read_records
from deterrence.games.gambit.text import Source, Tokens, number_token, quote, text_of
from deterrence.games.topology import CHANCE


def read_efg(source: Source, *, strict: bool = False) -> ExtensiveGame:
    """Read a tree from Gambit's ``.efg`` format.

    Parameters
    ----------
    source : str, Path or file object
        A path, an open file (UTF-8, UTF-16 with a mark, or Latin-1), or the text itself if it starts with ``EFG``.
    strict : bool
        Refuse an outcome that is numbered 0, which stands for no payoffs, and pays; else each is an outcome of its own,
        with a warning.

    Returns
    -------
    ExtensiveGame
        Integers, rationals and decimals are exact. Labels of ends are the names of outcomes; an information set without
        a name is named by the path to its first node; players, actions, and information sets of one player
        that share a name (or have none) get a number, ``a_1``, ``a_2``.

    Raises
    ------
    GameError
        If the text is malformed (the message gives line and column), or of another kind, which is named.

    Examples
    --------
    >>> game = read_efg('EFG 2 R "ultimatum" { "A" "B" } p "" 2 1 "" { "yes" "no" } 0 t "" 1 "deal" { 1/3 2/3 } t "" 0')
    >>> game.payoffs[0, 0], game.infosets[0].name
    (Fraction(1, 3), 'start')
    """
    text = text_of(source, "EFG")
    regular = read_records(text)
    if regular is not None:
        return regular
    tokens = Tokens(text, strict=strict)
    title, players = read_head(tokens)
    return read_nodes(tokens, players).game(title)


def write_efg(game: ExtensiveGame, path: str | Path | None = None, *, overwrite: bool = False) -> str:
    """Return a tree in Gambit's ``.efg`` format, and write it to a file if a path is given.

    Floats are written with all their digits, and chance probabilities so that they add up to exactly one wherever the
    floats allow it (Gambit insists on it).

    Raises
    ------
    GameError
        If the game is a batch or has free parameters.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    game.require_numbers()
    if game.batch_shape:
        raise GameError("a batch of games is no single file; index it first, as in game[0]")
    lines = [f"EFG 2 R {quote(game.title)} {{ {' '.join(map(quote, game.players))} }}", ""]
    lines += _node_lines(game)
    text = "\n".join(lines) + "\n"
    if path is not None:
        write_whole(path, text, overwrite=overwrite)
    return text


def _node_lines(game: ExtensiveGame) -> list[str]:
    topology = game.topology
    ends = {int(node): z for z, node in enumerate(topology.terminal)}
    events = {int(node): i for i, node in enumerate(np.flatnonzero(topology.owner == CHANCE))}
    number_of: dict[int, int] = {}
    per_player = [0] * len(game.players)
    for i, s in enumerate(topology.infosets):
        per_player[s.player] += 1
        number_of[i] = per_player[s.player]
    outcomes: dict[tuple[Any, ...], int] = {}
    defined: set[int] = set()
    lines = []
    for node in range(topology.size):
        if node in ends:
            z = ends[node]
            lines.append(f't "" {_outcome_text(topology.end_labels[z], list(game.payoffs[z]), outcomes)}')
        elif node in events:
            group = topology.chance_sets[events[node]]
            labels = [topology.labels[topology.action_count + i] for i in range(group.start, group.stop)]
            pairs = zip(labels, _weights(list(game.chance[group])), strict=True)
            lines.append(f'c "" {events[node] + 1} "" {{ {" ".join(f"{quote(a)} {w}" for a, w in pairs)} }} 0')
        else:
            i = int(topology.infoset[node])
            s = topology.infosets[i]
            text = f" {quote(s.name)} {{ {' '.join(map(quote, s.actions))} }}" if i not in defined else ""
            defined.add(i)
            lines.append(f'p "" {s.player + 1} {number_of[i]}{text} 0')
    return lines


def _outcome_text(label: str | None, payoffs: list[Any], outcomes: dict[tuple[Any, ...], int]) -> str:
    """Return the number of an outcome, with its definition where it is new; 0 for an end that nobody is paid at."""
    if label is None and not any(payoffs):
        return "0"
    key = (label, *payoffs)
    if key in outcomes:
        return str(outcomes[key])
    outcomes[key] = len(outcomes) + 1
    return f"{outcomes[key]} {quote(label or '')} {{ {', '.join(map(number_token, payoffs))} }}"


def _weights(values: list[Any]) -> list[str]:
    """Return probabilities as text: as they are if these decimals add up to one, else as rationals that do.

    Floats such as 1/3, 1/3, 1/3 do not add up as decimals. Rationals that round to the same floats are sought with
    small denominators, then by spreading what is missing; failing both, the digits are kept (the reader allows for
    rounding).
    """
    tokens = [number_token(x) for x in values]
    if sum(map(Fraction, tokens)) == 1:
        return tokens
    simple = [Fraction(x).limit_denominator(10**6) for x in values]
    if sum(simple) == 1 and all(float(a) == b for a, b in zip(simple, values, strict=True)):
        return [str(a) for a in simple]
    exact = [Fraction(x) for x in values]
    missing = 1 - sum(exact)
    for k in sorted(range(len(exact)), key=lambda i: -exact[i]):  # half the gap to the next float is there to take
        room = Fraction(float(np.spacing(values[k]))) / 2 * Fraction(9, 10)
        step = max(-room, min(room, missing))
        if float(exact[k] + step) == values[k]:
            exact[k] += step
            missing -= step
    return [str(a) for a in exact] if missing == 0 else tokens

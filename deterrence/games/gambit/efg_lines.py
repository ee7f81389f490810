"""Tree files with a line for each node, as programs write them: read in one sweep, several times faster than by tokens.

Whatever is out of the ordinary (a line of another form, a definition that differs from an earlier one, a mistake of
any kind) makes the whole file be read by tokens instead (see ``efg_nodes``), which knows every form and names every
mistake.
"""

from __future__ import annotations

import re

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg_nodes import read_branches, read_head
from deterrence.games.gambit.efg_tree import FileTree
from deterrence.games.gambit.text import Number, Tokens, distinct, unquoted
from deterrence.games.topology import CHANCE, MOST_NODES, TERMINAL

_BODY = re.compile(r'^[cpt] "', re.MULTILINE)
_LABEL = r'"(?:[^"\\\n]|\\.)*"'
_WHOLE = r"(?:0|[1-9][0-9]*)"


def read_lines(text: str) -> ExtensiveGame | None:
    """Return the game in a file with a line for each node, or None if the file has anything unusual."""
    body = _BODY.search(text)
    if body is None:
        return None
    head = Tokens(text[: body.start()])
    try:
        title, players = read_head(head)
        if head.peek():
            return None
        tree = _tree(text[body.start() :], players)
        return None if tree is None else tree.game(title)
    except GameError:
        return None


def _line(players: int) -> re.Pattern[str]:
    """Return the form of a line; groups: information set, definition, event, definition, outcome, name, payoffs."""
    number = r'[^\s,{}"]+'
    payoffs = rf"\{{ *({number}(?:(?:, *| +){number}){{{players - 1}}}) *\}}"
    defined = rf"( {_LABEL} \{{[^{{}}\n]*\}})?"
    mover = rf"p {_LABEL} ({_WHOLE} {_WHOLE}){defined} |c {_LABEL} ({_WHOLE}){defined} |t {_LABEL} "
    return re.compile(rf"^(?:{mover})({_WHOLE})(?: ({_LABEL}) {payoffs})? *$", re.MULTILINE)


def _tree(body: str, players: list[str]) -> FileTree | None:
    rows = _line(len(players)).findall(body)
    if len(rows) > MOST_NODES or len(rows) != sum(map(bool, body.split("\n"))):
        return None
    tree = FileTree(tuple(players))
    known: dict[str, tuple[int, int, int, str]] = {}  # information set -> its player, index, width and definition
    events: dict[str, tuple[tuple[tuple[str, ...], tuple[Number, ...]], str]] = {}
    outcomes: dict[str, tuple[str, str]] = {}
    waiting = [-1]
    parent, owner, infoset = tree.parent.append, tree.owner.append, tree.infoset.append
    for here, (which, defined, event, branches, outcome, name, payoffs) in enumerate(rows):
        if not waiting:
            return None
        parent(waiting.pop())
        if which:
            found = known.get(which)
            if found is None:
                found = known[which] = _information_set(tree, which, defined)
            elif defined and defined != found[3]:
                return None
            player, index, width, _ = found
            tree.sets[index][3].append(here)
            owner(player)
            infoset(index)
            waiting += [here] * width
        else:
            infoset(-1)
            owner(CHANCE if event else TERMINAL)
            if event:
                if event not in events:
                    events[event] = (_branches(branches), branches)
                elif branches and branches != events[event][1]:
                    return None
                tree.chance.append(events[event][0])
                waiting += [here] * len(tree.chance[-1][0])
        if payoffs and outcomes.setdefault(outcome, (name, payoffs)) != (name, payoffs):
            return None
    used = [row[4] for row in rows]
    if waiting or "0" in outcomes or not outcomes.keys() >= set(used) - {"0"}:
        return None
    tree.outcome = list(map(int, used))
    tree.outcomes = _outcomes(outcomes, len(players))
    return tree


def _information_set(tree: FileTree, which: str, defined: str) -> tuple[int, int, int, str]:
    player, number = map(int, which.split(" "))
    tokens = Tokens(defined)
    name, actions = tokens.string("a name"), distinct(tokens.strings("names of actions"))
    if not actions or not 1 <= player <= len(tree.players):
        raise GameError("an information set needs actions and a player")
    tree.sets.append((player - 1, name, tuple(actions), [], number))
    return player - 1, len(tree.sets) - 1, len(actions), defined


def _branches(defined: str) -> tuple[tuple[str, ...], tuple[Number, ...]]:
    tokens = Tokens(defined)
    tokens.string("a name")
    return read_branches(tokens)


def _outcomes(found: dict[str, tuple[str, str]], players: int) -> dict[int, tuple[str, tuple[Number, ...]]]:
    """Return names and payoffs by number; there are as many payoffs as players in each text."""
    joined = " ".join([payoffs for _, payoffs in found.values()]).replace(",", " ")
    flat: list[Number]
    try:
        if "_" in joined or not joined.isascii():
            raise ValueError
        flat = list(map(int, joined.split()))
    except ValueError:
        tokens = Tokens(joined)
        flat = [tokens.number("a payoff") for _ in range(players * len(found))]
        if tokens.peek():
            raise GameError("a payoff is written in two words") from None
    rows = zip(*[iter(flat)] * players, strict=True)
    names = ["" if name == '""' else unquoted(name) for name, _ in found.values()]
    return dict(zip(map(int, found), zip(names, rows, strict=True), strict=True))

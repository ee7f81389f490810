"""Tree files in one sweep: labels are cut out, and of what is left each different record is read once.

A record is what a file says of one node. Without their labels many are alike (``t " 3``, ``p " 1 2 0``), however the
file is laid out; the nodes then follow as arrays. Whatever is out of the ordinary (a definition that differs from an
earlier one, text after the tree, a mistake of any kind) makes the whole file be read token by token instead (see
``efg_nodes``), which knows every form and names every mistake.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg_nodes import read_head
from deterrence.games.gambit.efg_tree import FileTree
from deterrence.games.gambit.text import Number, Tokens, distinct, numbers_in
from deterrence.games.quantities import SUM_TOLERANCE, Array
from deterrence.games.topology import CHANCE, MOST_NODES, TERMINAL

_FIRST = re.compile("[cpt]")
_GAP, _WHOLE, _NUMBER = r"[\s,]*+", r"(?<![0-9])([0-9]{1,9}+)", r'[^\s{},"]++'  # possessive: nothing is tried twice
_UP_TO_OUTCOME = {  # a label is just a quote here
    "p": rf'p{_GAP}"{_GAP}{_WHOLE}{_GAP}{_WHOLE}{_GAP}("?){_GAP}(\{{[\s,"]*+\}}|){_GAP}',
    "c": rf'c{_GAP}"{_GAP}{_WHOLE}{_GAP}("?){_GAP}(\{{(?:{_GAP}"{_GAP}{_NUMBER})*+{_GAP}\}}|){_GAP}',
    "t": rf't{_GAP}"{_GAP}',
}
_MARKS = str.maketrans('",{}', "    ")
_APART = 10**10  # more than any number of an information set that is read here


class _Unusual(Exception):
    """Something that the reading by tokens has to judge."""


def read_records(text: str) -> ExtensiveGame | None:
    """Return the game in a file, or None if the file has anything unusual."""
    if "\0" in text or "\1" in text or "\2" in text:
        return None
    escapes = "\\" in text
    if escapes:
        text = text.replace("\\\\", "\1").replace('\\"', "\2")
    pieces = text.split('"')
    outside, labels = pieces[::2], pieces[1::2]
    bare = '"'.join(outside)
    start = _FIRST.search(bare)
    if start is None or len(outside) == len(labels):
        return None
    before = bare.count('"', 0, start.start())
    head = "".join(f'{a}"{b}"' for a, b in zip(outside[:before], labels, strict=False))
    head += bare[: start.start()].rpartition('"')[2]
    if escapes:
        head = head.replace("\2", '\\"').replace("\1", "\\\\")
        labels = [x.replace("\2", '"').replace("\1", "\\") for x in labels]
    tokens = Tokens(head)
    try:
        title, players = read_head(tokens)
        if tokens.peek():
            return None
        return _tree(bare[start.start() :], labels[before:], tuple(players)).game(title)
    except (GameError, _Unusual):
        return None


class _Rows(NamedTuple):
    """What the different records say: arrays of shape (records,), and lists as long.

    ``owner`` is a player, ``CHANCE`` or ``TERMINAL``; ``number`` that of the information set or chance event, ``named``
    whether it has a name here, ``width`` how many actions or branches are listed (-1: no list), ``weights`` the
    probabilities of branches as written; ``outcome`` its number, ``called`` whether it has a name here, and ``payoffs``
    as written (empty: not defined here).
    """

    owner: Array
    number: Array
    named: Array
    width: Array
    weights: list[tuple[str, ...]]
    outcome: Array
    called: Array
    payoffs: list[str]


def _tree(body: str, labels: list[str], players: tuple[str, ...]) -> FileTree:
    for letter in _UP_TO_OUTCOME:
        body = body.replace(letter, "\0" + letter)
    records = (body + " ").split("\0")[1:]
    if len(records) > MOST_NODES:
        raise _Unusual
    different = list(dict.fromkeys(records))
    index = dict(zip(different, range(len(different)), strict=True))
    row = np.fromiter(map(index.__getitem__, records), dtype=np.int64, count=len(records))
    rows = _rows(different, len(players))
    behind = np.cumsum((1 + rows.named + np.maximum(rows.width, 0) + rows.called)[row])  # of each node's labels
    if behind[-1] != len(labels):
        raise _Unusual
    owner = rows.owner[row]
    moves, nature = np.flatnonzero(owner >= 0), np.flatnonzero(owner == CHANCE)
    sets, events = (_described(rows, row, nodes, behind, labels) for nodes in (moves, nature))
    infoset, width = np.full(len(row), -1), np.zeros(len(row), dtype=np.int64)
    infoset[moves] = sets.which
    for nodes, kind in ((moves, sets), (nature, events)):
        width[nodes] = np.array([len(x) for x in kind.labels], dtype=np.int64)[kind.which]
    branches = list(zip(events.labels, map(_probabilities, events.weights), strict=True))
    index_of, names, payoffs = _outcomes(rows, row, behind, labels, len(players))
    outcome = np.array([index_of.get(k, -1) for k in rows.outcome.tolist()], dtype=np.int64)[row]
    if (outcome < 0).any():
        raise _Unusual
    return FileTree(
        players=players,
        parent=_parents(width),
        owner=owner,
        infoset=infoset,
        outcome=outcome,
        sets=list(
            zip(owner[moves][sets.first].tolist(), sets.names, sets.labels, sets.nodes, sets.numbers, strict=True)
        ),
        chance=[branches[k] for k in events.which.tolist()],
        names=names,
        payoffs=payoffs,
    )


def _parents(width: Array) -> list[int]:
    """Return the parent of each node from the numbers of their children, in preorder."""
    parent: list[int] = []
    waiting = [-1]  # parents of the nodes to come, the next one last
    inner = np.flatnonzero(width)
    leaves = np.diff(inner, prepend=-1, append=len(width)) - 1  # that stand before each of these, and behind the last
    for here, children, ends in zip(inner.tolist(), width[inner].tolist(), leaves[:-1].tolist(), strict=True):
        if len(waiting) <= ends:
            raise _Unusual
        if ends:
            parent += waiting[: -ends - 1 : -1]
            del waiting[-ends:]
        parent.append(waiting.pop())
        waiting += [here] * children
    if len(waiting) != leaves[-1]:
        raise _Unusual
    return parent + waiting[::-1]


def _rows(different: list[str], players: int) -> _Rows:
    """Take records apart."""
    size = len(different)
    owner, number, named, outcome, called = (np.zeros(size, dtype=np.int64) for _ in range(5))
    width = np.full(size, -1)
    weights: list[tuple[str, ...]] = [()] * size
    payoffs = [""] * size
    defined = rf'("?){_GAP}\{{{_GAP}({_NUMBER}(?:[\s,]++{_NUMBER}){{{players - 1}}}){_GAP}\}}{_GAP}'
    for letter, form in _UP_TO_OUTCOME.items():
        mine = [i for i, record in enumerate(different) if record[0] == letter]
        whole = re.compile(rf"{form}{_WHOLE}{_GAP}(?:{defined})?(?<![0-9])(?=\0)")
        found = whole.findall("\0".join([different[i] for i in mine]) + "\0")
        if len(found) != len(mine):
            raise _Unusual
        if not mine:
            continue
        *node, outcomes, names, paid = zip(*found, strict=True)
        outcome[mine], called[mine] = list(map(int, outcomes)), list(map(len, names))
        for i, text in zip(mine, paid, strict=True):
            payoffs[i] = text
        owner[mine] = {"p": 0, "c": CHANCE, "t": TERMINAL}[letter]
        if letter == "t":
            continue
        *player, numbers, names, lists = node
        number[mine], named[mine] = list(map(int, numbers)), list(map(len, names))
        width[mine] = [text.count('"') if text else -1 for text in lists]
        if letter == "c":
            for i, text in zip(mine, lists, strict=True):
                weights[i] = tuple(text.translate(_MARKS).split())
            continue
        owner[mine] = np.array(list(map(int, player[0]))) - 1
        if not (owner[mine].min() >= 0 and owner[mine].max() < players):
            raise _Unusual
    return _Rows(owner, number, named, width, weights, outcome, called, payoffs)


class _Described(NamedTuple):
    """Information sets, or chance events, in order of their first nodes (places ``first``); ``which`` of each node."""

    which: Array
    first: Array
    nodes: list[tuple[int, ...]]
    numbers: list[int]
    names: list[str]
    labels: list[tuple[str, ...]]
    weights: list[tuple[str, ...]]


def _described(rows: _Rows, row: Array, nodes: Array, behind: Array, labels: list[str]) -> _Described:
    """Gather information sets, or chance events, and their definitions."""
    if not len(nodes):
        return _Described(nodes, nodes, [], [], [], [], [])
    mine = row[nodes]
    _, first, inverse = np.unique(rows.owner[mine] * _APART + rows.number[mine], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    first, which = first[order], rank[inverse]
    if (rows.width[mine[first]] < 1).any():  # no actions where it is first met
        raise _Unusual
    known: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [("", (), ())] * len(first)
    told = np.flatnonzero((rows.named[mine] > 0) | (rows.width[mine] >= 0))
    columns = (which, mine, rows.named[mine], rows.width[mine], behind[nodes] - rows.called[mine])
    for k, i, named, width, end in zip(*(c[told].tolist() for c in columns), strict=True):
        begin = end - max(width, 0)
        name, listed = labels[begin - 1] if named else "", tuple(labels[begin:end])
        if not known[k][1]:
            known[k] = name, listed, rows.weights[i]
        elif (named and name != known[k][0]) or (width >= 0 and (listed, rows.weights[i]) != known[k][1:]):
            raise _Unusual
    together = nodes[np.argsort(which, kind="stable")].tolist()
    bounds = np.cumsum(np.r_[0, np.bincount(which)]).tolist()
    return _Described(
        which=which,
        first=first,
        nodes=[tuple(together[a:b]) for a, b in pairwise(bounds)],
        numbers=rows.number[mine[first]].tolist(),
        names=[name for name, _, _ in known],
        labels=[tuple(distinct(listed)) for _, listed, _ in known],
        weights=[weights for _, _, weights in known],
    )


def _probabilities(written: tuple[str, ...]) -> tuple[Number, ...]:
    numbers = numbers_in(" ".join(written))
    if len(numbers) != len(written) or min(numbers) < 0 or abs(Fraction(sum(numbers)) - 1) > SUM_TOLERANCE:
        raise _Unusual
    return tuple(numbers)


def _outcomes(
    rows: _Rows, row: Array, behind: Array, labels: list[str], players: int
) -> tuple[dict[int, int], list[str], list[Number]]:
    """Return the place of each outcome by its number, and by place names and payoffs; the first pays nothing."""
    nodes = np.flatnonzero(np.array(list(map(bool, rows.payoffs)))[row])
    mine = row[nodes]
    known: dict[int, tuple[str, str]] = {0: ("", "0 " * players)}
    columns = (mine, rows.outcome[mine], rows.called[mine], behind[nodes])
    for i, number, called, end in zip(*(c.tolist() for c in columns), strict=True):
        found = labels[end - 1] if called else "", rows.payoffs[i]
        if known.setdefault(number, found) != found:
            raise _Unusual
    payoffs = numbers_in(" ".join([payoffs for _, payoffs in known.values()]).replace(",", " "))
    if len(payoffs) != players * len(known):  # a rational with blanks around its bar
        raise _Unusual
    return dict(zip(known, range(len(known)), strict=True)), [name for name, _ in known.values()], payoffs

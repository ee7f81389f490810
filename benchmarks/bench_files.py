"""Reading tree files of 10,000 nodes against Gambit, the same text in the same process, turn by turn.

Run ``python benchmarks/bench_files.py [REPEATS]``. Times are medians of processor time; the ratio is Gambit's time over
ours, above one where we are faster. Kinds of payoffs: whole numbers, few outcomes that all ends share, rationals,
decimals, floats to the last digit. Layouts: a line for each node, as Gambit writes it (definitions repeated), compact
on one line; and payoffs at every node.
"""

from __future__ import annotations

import io
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pygambit

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from textbook_trees import typed_tree

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.gambit.efg import read_efg, write_efg

SHAPE = (8, 5, 3)  # types, actions, moves: 9,985 nodes


def games() -> Iterator[tuple[str, ExtensiveGame]]:
    """Yield one tree with payoffs of every kind."""
    tree = typed_tree(*SHAPE, 0, zero_sum=False)
    rng = np.random.default_rng(0)
    shape = tree.payoffs.shape
    tops, bottoms = rng.integers(-999, 1000, shape), rng.integers(1, 1000, shape)
    rationals = np.empty(shape, dtype=object)
    rationals.flat = [Fraction(int(a), int(b)) for a, b in zip(tops.flat, bottoms.flat, strict=True)]
    for kind, payoffs in (
        ("whole numbers", tops),
        ("few outcomes", rng.integers(0, 2, shape)),
        ("rationals", rationals),
        ("decimals", np.round(rng.normal(size=shape), 6)),
        ("floats", rng.normal(size=shape)),
    ):
        yield kind, ExtensiveGame.of(tree.topology, tree.chance, payoffs)


def layouts(game: ExtensiveGame) -> Iterator[tuple[str, str]]:
    """Yield one game in several layouts."""
    text = write_efg(game)
    yield "line by line", text
    yield "as Gambit writes it", pygambit.read_efg(io.BytesIO(text.encode())).to_efg()
    yield (
        "compact",
        text[:8] + re.sub(r'" (?=[0-9"])', '"', re.sub(r"\s*([{},])\s*", r"\1", text[8:])).replace("\n", " "),
    )


def with_fees(game: ExtensiveGame) -> str:
    """Return a file in which every move costs its player something, paid where it is made."""
    numbers = iter(range(10**6, 2 * 10**6))
    return re.sub(r"(?m)^(p .*) 0$", lambda found: f'{found[1]} {next(numbers)} "fee" {{ -1, -2 }}', write_efg(game))


def seconds(read: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    begin = time.process_time()
    read()
    return time.process_time() - begin


def row(name: str, text: str, repeats: int) -> None:
    """Time both readers by turns, and print."""
    readers = (lambda: read_efg(text), lambda: pygambit.read_efg(io.BytesIO(text.encode())))
    for read in readers:
        read()
    ours, theirs = np.array([[seconds(read) for read in readers] for _ in range(repeats)]).T
    a, b = 1e3 * statistics.median(ours), 1e3 * statistics.median(theirs)
    print(f"{name:40s} {len(text) / 1e3:7.0f} kB {a:8.1f} ms {b:8.1f} ms {b / a:8.2f} x", flush=True)


def main(repeats: int) -> None:
    """Measure and print."""
    print(f"{'':40s} {'':>10s} {'ours':>11s} {'Gambit':>11s} {'ratio':>10s}")
    for kind, game in games():
        for layout, text in layouts(game):
            row(f"{kind}, {layout}", text, repeats)
        if kind == "whole numbers":
            row(f"{kind}, payoffs at every node", with_fees(game), repeats)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)

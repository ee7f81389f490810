"""Hypothesis strategies for small trees: N players, chance, information sets with perfect recall, ties in payoffs.

A player remembers what it knew and did: a node may join an information set only if the player's own history (the
information sets and actions that it has passed) is the same at both. That is Kuhn's perfect recall by construction.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.tree import Node, chance, end, move

PLAYERS = ("A", "B", "C", "D")
PAYOFFS = st.integers(-3, 3)  # a small range, so that ties are common
RATIONALS = st.fractions(-3, 3, max_denominator=4)
History = tuple[tuple[str, str], ...]


@st.composite
def trees(
    draw: Any,
    *,
    players: int = 2,
    depth: int = 3,
    nodes: int = 30,
    actions: int = 3,
    with_chance: bool = True,
    perfect_information: bool = False,
    zero_sum: bool = False,
    exact: bool = False,
    payoffs: Any = PAYOFFS,
) -> ExtensiveGame:
    """Draw a game whose root is no end.

    Parameters
    ----------
    players : int
        Number of players, 1 to 4; each is in ``game.players``, though not each need move.
    depth : int
        Most moves on a path.
    nodes : int
        Once about so many nodes are drawn, only ends follow (the tree may grow a little beyond).
    actions : int
        Most actions (and chance branches) at a node; 1 is drawn now and then.
    with_chance, perfect_information, zero_sum : bool
        What the game may hold, or must be; ``zero_sum`` pays B what A loses.
    exact : bool
        Fractions for all numbers instead of floats.
    payoffs : strategy
        What payoffs are drawn from.
    """
    names = PLAYERS[:players]
    sets: dict[tuple[str, History, int], list[str]] = {}
    count = 0

    def number(x: object) -> object:
        return Fraction(str(x)) if exact else float(Fraction(str(x)))

    def leaf() -> Node:
        label = draw(st.sampled_from((None, "war", "peace", "deal")))
        values = [draw(payoffs) for _ in names]
        if zero_sum:
            values = [values[0], -values[0], *[0] * (players - 2)]
        return end(label, dict(zip(names, map(number, values), strict=True)))

    def grow(level: int, histories: dict[str, History]) -> Node:
        nonlocal count
        count += 1
        kinds = ["move"] if level == 0 else ["move", "move", "end"]
        if with_chance:
            kinds.append("chance")
        kind = "end" if level >= depth or count >= nodes else draw(st.sampled_from(kinds))
        if kind == "end":
            return leaf()
        width = draw(st.sampled_from([*range(2, actions + 1), *range(2, actions + 1), 1]))
        labels = [f"{'nlr'[i]}{width}" for i in range(width)]
        if kind == "chance":
            parts = [draw(st.integers(1, 4)) for _ in labels]
            weights = [Fraction(part, sum(parts)) for part in parts]
            return chance(
                {
                    label: (number(w), grow(level + 1, histories))
                    for label, w in zip(labels, _to_one(weights, exact), strict=True)
                }
            )
        player = draw(st.sampled_from(names))
        known = sets.setdefault((player, histories[player], width), [])
        fresh = f"h{sum(len(x) for x in sets.values())}"
        name = fresh if perfect_information else draw(st.sampled_from([*known, fresh]))
        if name == fresh:
            known.append(fresh)
        return move(
            player,
            {x: grow(level + 1, {**histories, player: (*histories[player], (name, x))}) for x in labels},
            infoset=name,
        )

    return ExtensiveGame(names, grow(0, dict.fromkeys(names, ())))


@st.composite
def signaling_trees(
    draw: Any,
    *,
    types: int = 3,
    messages: int = 3,
    responses: int = 2,
    receiver_types: int = 2,
    last_mover: bool = True,
    exact: bool = False,
) -> ExtensiveGame:
    """Draw a tree of signaling shape; after some responses the sender may move once more, knowing all.

    The parameters are the most of each; there are at least one type, two messages and two responses.
    """
    T = draw(st.integers(1, types))
    Q = draw(st.integers(1, receiver_types))
    M = draw(st.integers(2, max(2, messages)))
    R = draw(st.integers(2, max(2, responses)))
    reacts = [[last_mover and draw(st.booleans()) for _ in range(R)] for _ in range(M)]

    def leaf(label: str | None) -> Node:
        sender, receiver = draw(RATIONALS), draw(RATIONALS)
        return end(label, Sender=sender if exact else float(sender), Receiver=receiver if exact else float(receiver))

    def after(t: int, m: int, r: int) -> Node:
        if reacts[m][r]:
            return move("Sender", {"fight": leaf("war"), "yield": leaf(None)})
        return leaf("peace")

    def receiver(t: int, q: int, m: int) -> Node:
        return move("Receiver", {f"r{r}": after(t, m, r) for r in range(R)}, infoset=f"sees m{m} as q{q}")

    def sender(t: int, q: int) -> Node:
        return move("Sender", {f"m{m}": receiver(t, q, m) for m in range(M)}, infoset=f"type t{t}")

    parts = [[draw(st.integers(1, 4)) for _ in range(Q)] for _ in range(T)]
    total = sum(sum(row) for row in parts)
    joint = [[Fraction(x, total) for x in row] for row in parts]
    if T == Q == 1:
        root = sender(0, 0)
    elif Q == 1:
        weights = _to_one([row[0] for row in joint], exact)
        root = chance({f"t{t}": (weights[t], sender(t, 0)) for t in range(T)})
    else:
        marginal = _to_one([sum(row) for row in joint], exact)
        root = chance(
            {
                f"t{t}": (
                    marginal[t],
                    chance(
                        {
                            f"q{q}": (w, sender(t, q))
                            for q, w in enumerate(_to_one([x / sum(joint[t]) for x in joint[t]], exact))
                        }
                    ),
                )
                for t in range(T)
            }
        )
    return ExtensiveGame(("Sender", "Receiver"), root)


@st.composite
def behaviors(draw: Any, game: ExtensiveGame, *, exact: bool = False) -> Any:
    """Draw a behaviour strategy profile, shape (A,): pure at some information sets, mixed at others."""
    weights: list[Fraction] = []
    for s in game.infosets:
        parts = [draw(st.integers(0, 3)) for _ in s.actions]
        parts = parts if sum(parts) else [1] * len(parts)
        weights += [Fraction(part, sum(parts)) for part in parts]
    if exact:
        result = np.empty(len(weights), dtype=object)
        result[:] = weights
        return result
    return np.array([float(w) for w in weights])


def _to_one(weights: list[Any], exact: bool) -> list[Any]:
    """Return probabilities in the game's kind of number; as floats the last takes what rounding leaves."""
    if exact:
        return [Fraction(w) for w in weights]
    floats = [float(w) for w in weights[:-1]]
    return [*floats, 1.0 - sum(floats)]

"""Textbook games as trees, for the tests of the tree solvers."""

from __future__ import annotations

from fractions import Fraction
from itertools import permutations, product

import numpy as np

from deterrence.games.extensive import ExtensiveGame
from deterrence.games.tree import Node, chance, end, move


def crisis(A: dict[str, float], D: dict[str, float]) -> ExtensiveGame:
    """Direct deterrence: A holds or attacks, D yields or resists, A backs down or fights."""
    resisted = move(
        "A",
        {
            "back": end("BACKDOWN", A=A["back"], D=D["win"]),
            "fight": end("WAR", A=A["war"], D=D["war"]),
        },
    )
    attacked = move("D", {"yield": end("CONCESSION", A=A["win"], D=D["yield"]), "resist": resisted})
    return ExtensiveGame(("A", "D"), move("A", {"hold": end("SQ", A=A["sq"], D=D["sq"]), "attack": attacked}))


def horse() -> ExtensiveGame:
    """Selten's horse (Selten 1975, figure 1)."""

    def third(left: tuple[float, ...], right: tuple[float, ...]) -> Node:
        return move("3", {"L": _pay(left), "R": _pay(right)}, infoset="3")

    second = move("2", {"d": third((4, 4, 0), (0, 0, 1)), "c": _pay((1, 1, 1))})
    return ExtensiveGame(("1", "2", "3"), move("1", {"D": third((3, 3, 2), (0, 0, 0)), "C": second}))


def _pay(values: tuple[float, ...]) -> Node:
    return end(payoffs=dict(zip("123", values, strict=True)))


def centipede(rounds: int) -> ExtensiveGame:
    """Rosenthal's centipede: whoever takes gets 3 more than the other, waiting adds 1 to both pots."""

    def at(k: int) -> Node:
        if k == rounds:
            return end("all pass", A=k, B=k)
        player = "AB"[k % 2]
        take = {"A": k + 2, "B": k - 1} if player == "A" else {"A": k - 1, "B": k + 2}
        return move(player, {"take": end(f"take {k}", payoffs=take), "pass": at(k + 1)})

    return ExtensiveGame(("A", "B"), at(0))


def kuhn_poker() -> ExtensiveGame:
    """Kuhn's poker with three cards; the value is -1/18 (Kuhn 1950)."""
    cards = "JQK"

    def show(i: str, j: str, stake: int) -> Node:
        won = stake if cards.index(i) > cards.index(j) else -stake
        return end(A=won, B=-won)

    def deal(i: str, j: str) -> Node:
        answer = move("A", {"call": show(i, j, 2), "fold": end(A=-1, B=1)}, infoset=f"{i} checked")
        checked = move("B", {"check": show(i, j, 1), "bet": answer}, infoset=f"{j} after check")
        bet = move("B", {"call": show(i, j, 2), "fold": end(A=1, B=-1)}, infoset=f"{j} after bet")
        return move("A", {"bet": bet, "check": checked}, infoset=i)

    hands = {i + j: (Fraction(1, 6), deal(i, j)) for i, j in permutations(cards, 2)}
    return ExtensiveGame(("A", "B"), chance(hands))


def chain_store(n: int, delta: float, b: float, a: float) -> ExtensiveGame:
    """Kreps and Wilson's chain store with n challengers: a tough defender (prior delta) always fights."""
    players = ("defender", *(f"challenger {k}" for k in range(n, 0, -1)))

    def stage(k: int, tough: bool, seen: str, paid: dict[str, float]) -> Node:
        if k == 0:
            return end(payoffs={**dict.fromkeys(players, 0.0), **paid})
        me = f"challenger {k}"

        def later(label: str, mine: float, defenders: float) -> Node:
            return stage(
                k - 1, tough, seen + label, {**paid, me: mine, "defender": paid.get("defender", 0.0) + defenders}
            )

        if tough:
            answer = later("F", b - 1, 0.0)
        else:
            answer = move(
                "defender", {"fight": later("F", b - 1, -1.0), "concede": later("C", b, 0.0)}, infoset=f"weak {seen}{k}"
            )
        return move(me, {"in": answer, "out": later("O", 0.0, a)}, infoset=f"sees {seen}{k}")

    return ExtensiveGame(
        players, chance({"weak": (1 - delta, stage(n, False, "", {})), "tough": (delta, stage(n, True, "", {}))})
    )


def entry() -> ExtensiveGame:
    """Selten's entry game: (enter, accommodate) is credible, (stay out, fight) is not."""
    reply = move("I", {"fight": end("war", E=-1, I=-1), "accommodate": end("deal", E=1, I=1)})
    return ExtensiveGame(("E", "I"), move("E", {"out": end("peace", E=0, I=2), "enter": reply}))


def outside_option() -> ExtensiveGame:
    """Battle of the sexes with an outside option (forward induction; Kohlberg and Mertens 1986, figure 3)."""

    def her(one: tuple[float, float], other: tuple[float, float]) -> Node:
        return move("B", {"top": end(A=one[0], B=one[1]), "bottom": end(A=other[0], B=other[1])}, infoset="B")

    inside = move("A", {"top": her((3, 1), (0, 0)), "bottom": her((0, 0), (1, 3))})
    return ExtensiveGame(("A", "B"), move("A", {"out": end("out", A=2, B=2), "in": inside}))


def alliance(allies: int, seed: int = 0) -> ExtensiveGame:
    """An aggressor attacks or not; then privately typed allies assist or abstain at once; a majority defends."""
    rng = np.random.default_rng(seed)
    names = [f"ally {i}" for i in range(allies)]
    low = rng.uniform(0.3, 0.7, allies)
    cost = rng.uniform(0.2, 0.6, (allies, 2)) + np.array([0.0, 0.6])
    value, shame = rng.uniform(0.8, 1.2, allies), rng.uniform(0.0, 0.3, allies)

    def after(types: tuple[int, ...], acts: tuple[int, ...]) -> Node:
        i = len(acts)
        if i < allies:
            actions = {"assist": after(types, (*acts, 1)), "abstain": after(types, (*acts, 0))}
            return move(names[i], actions, infoset=f"type {types[i]}")
        defended = sum(acts) > allies // 2
        paid = [(value[k] if defended else 0.0) - (cost[k, types[k]] if acts[k] else shame[k]) for k in range(allies)]
        return end(
            "war" if defended else "fait accompli",
            payoffs={"A": -1 if defended else 1, **dict(zip(names, paid, strict=True))},
        )

    weights = {t: float(np.prod(np.where(np.array(t) == 0, low, 1 - low))) for t in product((0, 1), repeat=allies)}
    last = (1,) * allies
    weights[last] = 1.0 - sum(w for t, w in weights.items() if t != last)
    attacked = chance({"".join(map(str, t)): (w, after(t, ())) for t, w in weights.items()})
    peace = end("peace", payoffs={"A": 0.0, **dict.fromkeys(names, 1.0)})
    return ExtensiveGame(("A", *names), move("A", {"hold": peace, "attack": attacked}))


def typed_tree(types: int, actions: int, moves: int, seed: int, *, zero_sum: bool) -> ExtensiveGame:
    """Two players with private types move in turn, all moves seen; random payoffs."""
    rng = np.random.default_rng(seed)
    n = types * types

    def after(depth: int, i: int, j: int, seen: str) -> Node:
        if depth == moves:
            a, b = (Fraction(int(x), 1000) for x in rng.normal(scale=1000, size=2))
            return end(A=a, B=-a if zero_sum else b)
        own = i if depth % 2 == 0 else j
        return move(
            "AB"[depth % 2],
            {f"a{k}": after(depth + 1, i, j, seen + str(k)) for k in range(actions)},
            infoset=f"{own}|{seen}",
        )

    hands = [(i, j) for i in range(types) for j in range(types)]
    return ExtensiveGame(("A", "B"), chance({f"{i},{j}": (Fraction(1, n), after(0, i, j, "")) for i, j in hands}))

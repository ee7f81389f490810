"""Trees with symbols, and data drawn from them, for the tests of estimation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import deterrence as dt

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def published(name: str) -> pd.DataFrame:
    """Return a data set of the R packages, where it lies beside the checkout; skip the test elsewhere."""
    file = DATA / f"{name}.csv"
    if not file.is_file():
        pytest.skip(f"{name}.csv is not beside the checkout")
    return pd.read_csv(file)


def crisis() -> dt.ExtensiveGame:
    """Return the crisis of two players and three ends (egame12)."""
    sq, capit, war, resist = dt.symbols("u1_sq u1_capit u1_war u2_war")
    defender = dt.move(
        "Defender",
        {
            "give in": dt.end("capit", Challenger=capit, Defender=0),
            "resist": dt.end("war", Challenger=war, Defender=resist),
        },
    )
    stay = dt.end("sq", Challenger=sq, Defender=0)
    return dt.ExtensiveGame(("Challenger", "Defender"), dt.move("Challenger", {"stay": stay, "escalate": defender}))


def war_data() -> pd.DataFrame:
    """Return the militarised disputes with one column of outcomes."""
    war = published("war1800")
    return war.assign(outcome=np.where(war.sq == 1, "sq", np.where(war.capit == 1, "capit", "war")))


WAR = {"u1_sq": "s_wt_re1 + revis1", "u1_capit": 0, "u1_war": "regime1", "u2_war": "balanc + regime2"}


def market() -> dt.ExtensiveGame:
    """Return the speculative attack of Leblang (2003)."""
    none, devaluation, defense, resolve = dt.symbols("u1_no u1_dev u1_def u2_def")
    government = dt.move(
        "government",
        {
            "devalue": dt.end("devaluation", market=devaluation, government=0),
            "defend": dt.end("defense", market=defense, government=resolve),
        },
    )
    return dt.ExtensiveGame(
        ("market", "government"),
        dt.move("market", {"wait": dt.end("no attack", market=none, government=0), "attack": government}),
    )


LEBLANG = {
    "u1_no": "capcont + lreserves + overval + creditgrow + USinterest + service + contagion + prioratt - 1",
    "u1_dev": "1",
    "u1_def": "1",
    "u2_def": "unifgov + lexports + preelec + postelec + rightgov + realinterest + capcont + lreserves",
}


def two_by_two() -> dt.ExtensiveGame:
    """Return two players, four ends (egame122)."""
    a1, a2, a3, a4, b2, b4 = dt.symbols("a1 a2 a3 a4 b2 b4")
    left = dt.move("P2", {"l": dt.end("LL", P1=a1, P2=0), "r": dt.end("LR", P1=a2, P2=b2)})
    right = dt.move("P2", {"l": dt.end("RL", P1=a3, P2=0), "r": dt.end("RR", P1=a4, P2=b4)})
    return dt.ExtensiveGame(("P1", "P2"), dt.move("P1", {"L": left, "R": right}))


FOUR = {"a1": "x1 + x2", "a2": "x3 + f1", "a3": 0, "a4": "x4 + x5", "b2": "z1 + z2", "b4": "z3 + f2"}


def three_players() -> dt.ExtensiveGame:
    """Return three players who move one after the other, four ends (egame123)."""
    a1, a3, a5, a6, b3, b5, b6, c6 = dt.symbols("a1 a3 a5 a6 b3 b5 b6 c6")
    last = dt.move("P3", {"L": dt.end("5", P1=a5, P2=b5, P3=0), "R": dt.end("6", P1=a6, P2=b6, P3=c6)})
    middle = dt.move("P2", {"L": dt.end("3", P1=a3, P2=b3, P3=0), "R": last})
    return dt.ExtensiveGame(("P1", "P2", "P3"), dt.move("P1", {"L": dt.end("1", P1=a1, P2=0, P3=0), "R": middle}))


THREE = {"a1": "x1+x2", "a3": "0", "a5": "x3", "a6": "x4+x5", "b3": "0", "b5": "x6", "b6": "x7", "c6": "x8"}


def simulated(size: int, seed: int, errors: str = "agent", link: str = "probit") -> pd.DataFrame:
    """Return crises whose coefficients are known: see ``TRUTH``."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({name: generator.normal(size=size) for name in ("x", "z", "w")})
    frame["outcome"] = generator.choice(["sq", "capit", "war"], size)
    model = dt.fit(crisis(), frame, outcome="outcome", utilities=SPEC, errors=errors, link=link, starts=1)
    drawn = model.likelihood.simulate(np.array(TRUTH), generator)
    frame["outcome"] = drawn.outcome_frame()["outcome"].to_numpy()
    return frame


SPEC = {"u1_sq": "x - 1", "u1_capit": "1", "u1_war": "w", "u2_war": "z"}
TRUTH = (0.8, 0.6, -0.4, 0.7, 0.3, -0.9)
NAMES = ("u1_sq:x", "u1_capit:Intercept", "u1_war:Intercept", "u1_war:w", "u2_war:Intercept", "u2_war:z")


def random_tree(generator: np.random.Generator, players: int, ends: int) -> tuple[dt.ExtensiveGame, dict[str, str]]:
    """Return a tree of perfect information with symbols, in which nobody moves twice on a path, and utilities.

    Every player has at each end that it cares for a symbol: a regressor of its own, and a constant at some.
    """
    names = [f"P{i + 1}" for i in range(players)]
    count = 0
    utilities: dict[str, str] = {}

    def end() -> object:
        nonlocal count
        count += 1
        payoffs = {}
        for name in names:
            symbol = f"{name}_{count}"
            payoffs[name] = dt.symbols(symbol)
            utilities[symbol] = f"x{generator.integers(1, 9)} - 1" if generator.uniform() < 0.5 else "0"
        return dt.end(f"end {count}", payoffs=payoffs)

    def grow(level: int, share: int) -> object:
        if share == 1 or level == players:
            return end()
        wanted = min(share, int(generator.integers(2, 4)))
        sizes = np.full(wanted, share // wanted)
        sizes[: share % wanted] += 1
        return dt.move(names[level], {f"a{i}": grow(level + 1, int(s)) for i, s in enumerate(sizes)})

    root = grow(0, ends)
    return dt.ExtensiveGame(names, root), utilities

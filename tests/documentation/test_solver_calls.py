"""Each call on the pages on choosing a solver and on limits runs as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import deterrence as dt
from deterrence.alliances.attacks import Attack
from deterrence.alliances.members import Member
from deterrence.alliances.participation import ParticipationGame
from deterrence.games.distributions import uniform

DOCS = Path(__file__).resolve().parents[2] / "docs"
TEXT = "\n".join((DOCS / p).read_text() for p in ("reference/choosing-a-solver.md", "explanation/limits.md"))
CALLS = sorted({call for call in re.findall(r"`(dt\.\w+\([^`]*\))`", TEXT) if "..." not in call})
NAMES = sorted(set(re.findall(r"`dt\.(\w+)", TEXT)))


def signaling(strong=0.9, dtype=float):
    return dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"),
        prior=np.stack([strong, 1 - np.asarray(strong)], axis=-1),
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def symbolic():
    p = dt.symbols("p")
    return dt.SignalingGame(
        types=("strong", "weak"), messages=("beer", "quiche"), responses=("duel", "not"), prior=[p, 1 - p],
        sender_payoffs=[[[1, 3], [0, 2]], [[0, 2], [1, 3]]], receiver_payoffs=[[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    )  # fmt: skip


def tree():
    reply = dt.move("D", {"fight": dt.end(A=-1, D=-1), "yield": dt.end(A=1, D=0)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end(A=0, D=1), "attack": reply}))


def table():
    return dt.StrategicGame([[2, 0], [0, 1]], [[1, 0], [0, 2]])


def allies():
    members = tuple(Member(name=f"m{i}", capability=2.0, stake=1.5, obligation=0.3, cost=uniform(0, 1)) for i in (0, 1))
    return ParticipationGame(members=members, attacks=(Attack(name="x", strength=2.1),), base=0.5, decisiveness=2)


FORMS = {
    "pbe": (signaling, tree),
    "spe": (tree,),
    "sequential": (tree, signaling),
    "nash": (table, tree),
    "correlated": (table, tree),
    "sequence_form": (tree,),
    "qre": (tree, table, signaling),
    "qre_branch": (tree, table, signaling),
    "qre_branches": (tree, table, signaling),
    "participation": (allies,),
    "regimes": (symbolic,),
    "fold_back": (tree,),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_on_the_page_runs(call):
    name = re.match(r"dt\.(\w+)", call).group(1)
    for game in FORMS[name]:
        known = {"dt": dt, "game": game(), "precision": 2.0, "batch": signaling(np.array([0.2, 0.9]))}
        assert eval(call, known) is not None


def test_every_name_on_the_page_exists():
    assert len(CALLS) >= 14
    for name in NAMES:
        assert hasattr(dt, name), name

"""Instructions of five pinned pieces of work, counted by callgrind: counts repeat where times do not.

Run ``python benchmarks/count_instructions.py REVISION`` with valgrind installed, or ``make instructions
AGAINST=REVISION``; each count takes a minute or so. The work of this checkout is counted beside the revision's, in the
same run and by the same Python, and the run fails if some work now takes more than 1.3 times its instructions. A
count is that of two rounds less that of one, so that starting Python and importing the package are not in it. The work
is NumPy's and Python's: machine code that Numba makes depends on the machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
MOST = 1.3  # times the instructions of the other revision
SECONDS = 1200  # for one count


def signaling_batch() -> Callable[[], object]:
    import numpy as np

    import deterrence as dt

    rng = np.random.default_rng(1)
    first = rng.uniform(0.1, 0.9, size=2_000)
    game = dt.SignalingGame(
        ("s", "w"), ("a", "b"), ("y", "n"), np.stack([first, 1 - first], axis=-1),
        rng.integers(0, 9, (2_000, 2, 2, 2)) * 1.0, rng.integers(0, 9, (2_000, 2, 2, 2)) * 1.0,
    )  # fmt: skip
    return lambda: dt.pbe_batch(game, threads=1).probability("y")


def signaling_game() -> Callable[[], object]:
    import numpy as np

    import deterrence as dt

    rng = np.random.default_rng(2)
    game = dt.SignalingGame(
        ("a", "b", "c"), ("l", "m"), ("x", "y"), [0.2, 0.3, 0.5], rng.integers(0, 99, (3, 2, 2)),
        rng.integers(0, 99, (3, 2, 2)),
    )  # fmt: skip
    return lambda: dt.pbe(game)


def two_player_table() -> Callable[[], object]:
    import numpy as np

    import deterrence as dt

    rng = np.random.default_rng(3)
    game = dt.StrategicGame(*rng.integers(0, 99, (2, 5, 5)))
    return lambda: dt.nash(game)


def small_tree(solve: str) -> Callable[[], object]:
    import deterrence as dt

    def reply(seen: float) -> dt.games.tree.Node:  # type: ignore[name-defined]
        return dt.move("D", {"fight": dt.end("war", A=-1, D=seen), "yield": dt.end("loss", A=1, D=0)}, infoset="D")

    strong, weak = (
        dt.move("A", {"attack": reply(seen), "wait": dt.end("peace", A=0, D=2)}, infoset=f"A {seen}")
        for seen in (1, -2)
    )
    game = dt.ExtensiveGame(("A", "D"), dt.chance({"strong": (0.4, strong), "weak": (0.6, weak)}))
    return lambda: getattr(dt, solve)(game)


WORK: dict[str, Callable[[], Callable[[], object]]] = {
    "pbe_batch, 2,000 games of 2x2x2 with ties": signaling_batch,
    "pbe, one game of 3x2x2": signaling_game,
    "nash, one table of 5x5": two_player_table,
    "sequential, two types": lambda: small_tree("sequential"),
    "qre_branch, two types": lambda: small_tree("qre_branch"),
}


def counted(name: str, rounds: int, checkout: Path) -> int:
    """Return the instructions of a process that does the work of a checkout in so many rounds, after a first one."""
    command = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        sys.executable, __file__, "--work", name, "--rounds", str(rounds),
    ]  # fmt: skip
    settings = {
        "PYTHONHASHSEED": "0",
        "DETERRENCE_ENGINE": "numpy",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    settings["PYTHONPATH"] = str(checkout)
    done = subprocess.run(
        command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if found is None:
        raise RuntimeError(f"callgrind printed no count:\n{done.stderr[-2000:]}")
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("against", nargs="?", metavar="REVISION", help="what to compare this checkout with")
    parser.add_argument("--only", choices=tuple(WORK), action="append", help="count this work only; may be repeated")
    parser.add_argument("--work", choices=tuple(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        act = WORK[options.work]()
        for _ in range(1 + options.rounds):
            act()
        return
    if not options.against:
        parser.error("name a revision to compare with, for example the last tag")
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    slower = []
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        git = ["git", "-C", str(CHECKOUT), "worktree"]
        subprocess.run([*git, "add", "--detach", "--quiet", str(other), options.against], check=True)
        try:
            for name in options.only or WORK:
                now, before = (counted(name, 2, tree) - counted(name, 1, tree) for tree in (CHECKOUT, other))
                print(f"{name:44} {now:16,} instructions {now / before:6.2f} x {options.against}", flush=True)
                if now > MOST * before:
                    slower.append(name)
        finally:
            subprocess.run([*git, "remove", "--force", str(other)], check=True)
    if slower:
        sys.exit(f"more than {MOST} times the instructions of {options.against}: {'; '.join(slower)}")


if __name__ == "__main__":
    main()

"""Gambit as an oracle: it answers in a process of its own, for it can hang or crash the interpreter."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from typing import Any

WORKER = """
import io, json, sys, time
import pygambit
from pygambit import nash, qre

def numbers(part):
    if isinstance(part, tuple):
        part = part[1]
    try:
        float(part)
    except TypeError:
        return [numbers(item) for item in part]
    return str(part)

def answer(request):
    call, arguments = request["call"], request.get("arguments", {})
    if call == "catalogue":
        return list(pygambit.catalog.games()["Game"])
    if call == "text":
        game = pygambit.catalog.load(arguments["name"])
        return [game.to_efg(), "efg"] if isinstance(game, pygambit.ExtensiveGame) else [game.to_nfg(), "nfg"]
    read = pygambit.read_efg if request["form"] == "efg" else pygambit.read_nfg
    game = read(io.BytesIO(request["text"].encode()))
    begin, busy = time.perf_counter(), time.process_time()
    if call == "logit_solve_lambda":
        found = [point.profile for point in qre.logit_solve_lambda(game, **arguments)]
    else:
        result = getattr(nash, call)(game, **arguments)
        found = result.equilibria if hasattr(result, "equilibria") else [result.equilibrium]
    request["seconds"], request["cpu"] = time.perf_counter() - begin, time.process_time() - busy
    return [numbers(profile) for profile in found]

for line in sys.stdin:
    try:
        request = json.loads(line)
        found = answer(request)
        print(json.dumps({"answer": found, "seconds": request.get("seconds", 0), "cpu": request.get("cpu", 0)}))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
    sys.stdout.flush()
"""


class Gambit:
    """Answers one question after the other; one that takes too long costs the process and no more."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.seconds = seconds
        self.process: subprocess.Popen[str] | None = None
        self.error = ""
        self.took = float("nan")  # seconds for the last solve alone, reading left out
        self.cpu = float("nan")  # ... of processor time, which a busy machine does not lengthen

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def ask(self, call: str, text: str = "", form: str = "efg", **arguments: Any) -> Any:
        """Return what Gambit answers, or None (and ``error``) if it fails or takes too long."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"call": call, "text": text, "form": form, "arguments": arguments}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], self.seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.error = "no answer in time" if not ready else "the process died"
            self.stop()
            return None
        answer = json.loads(line)
        self.error = answer.get("error", "")
        self.took = answer.get("seconds", float("nan"))
        self.cpu = answer.get("cpu", float("nan"))
        return answer.get("answer")

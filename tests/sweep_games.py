"""Games and helpers that the tests of sweeps share; new processes import them, too."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np

import deterrence as dt
from deterrence.games.answers import BlockAnswer, Status
from deterrence.games.errors import ParameterError


def posture_game() -> dt.SignalingGame:
    """Return a two-type posture game: attack pays against the irresolute, whom posture costs 0.3 more than c."""
    p, c = dt.symbols("p c")
    return dt.SignalingGame(
        types=("resolute", "irresolute"),
        messages=("tripwire", "none"),
        responses=("attack", "refrain"),
        prior=[p, 1 - p],
        sender_payoffs=[[[-0.5 - c, 1 - c], [-0.5, 1]], [[-1.3 - c, 1 - c], [-1, 1]]],
        receiver_payoffs=[[[-1, 0], [-1, 0]], [[1, 0], [1, 0]]],
    )


def grid(points: int = 24) -> dict[str, np.ndarray]:
    return {"p": np.linspace(0.013, 0.991, points), "c": np.linspace(0.0071, 1.93, points)}


class Formula:
    """A target with a closed form: the probability of attack is a formula of the swept values.

    Points where ``bad`` is among the values fail; the number of calls and the sizes asked for are kept.
    """

    sweep_names = ("a", "b", "x")
    events = ("attack",)

    def __init__(self, formula="product", bad=None, error=ValueError):
        self.formula, self.bad, self.error = formula, bad, error

    def answer(self, values, *, at=None, events=("attack",), concept=None):
        unknown = [name for name in values if name not in self.sweep_names]
        if unknown:
            raise ParameterError(f"no parameter {unknown[0]!r}")
        arrays = {name: np.asarray(v, dtype=float) for name, v in values.items()}
        if self.bad is not None and any((v == self.bad).any() for v in arrays.values()):
            raise self.error(f"cannot solve at {self.bad}")
        chance = np.prod(list(arrays.values()), axis=0)
        if self.formula == "step":
            chance = (arrays["x"] > 0.3).astype(float)
        n = chance.size
        kinds = {"high": chance > 0.25}
        return BlockAnswer(
            {"attack": chance}, {"attack": chance}, np.ones(n, dtype=np.int64), kinds, np.zeros(n, dtype=np.uint8)
        )

    def spec(self):
        return {"formula": self.formula, "bad": self.bad}


class Deadly(Formula):
    """Kills the worker that solves it: the first to find the file, or every one if there is no file."""

    def __init__(self, file: Path | None = None):
        super().__init__()
        self.file, self.home = file, os.getpid()

    def answer(self, values, **options):
        if os.getpid() != self.home:
            try:
                if self.file is not None:
                    self.file.unlink()
            except FileNotFoundError:
                return super().answer(values, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().answer(values, **options)


class Noise(Formula):
    """Gives numbers that no codec can make smaller from the second half of the points on, and zeros before."""

    def answer(self, values, **options):
        a = values["a"]
        seeds = (a.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(0xD1B54A32D192ED03)
        noise = np.where(a < 15_000, 0.0, (seeds * (seeds >> np.uint64(7))).astype(np.float64) / 2.0**64)
        zero = np.zeros(a.size, dtype=np.uint8)
        return BlockAnswer({"attack": noise}, {"attack": noise}, np.ones(a.size, dtype=np.int64), {}, zero)


class Unconverged(Formula):
    """Says of itself that some points did not converge."""

    def answer(self, values, **options):
        found = super().answer(values, **options)
        lost = values["x"] > 0.8
        found.status[lost] = Status.NOT_CONVERGED
        return BlockAnswer(
            found.low, found.high, found.count, found.kinds, found.status, {int(np.argmax(lost)): "no limit"}
        )


def same(one, other) -> bool:
    """Whether two results hold the same bits."""
    return (
        list(one.data_vars) == list(other.data_vars)
        and all(
            one[n].dtype == other[n].dtype and one[n].values.tobytes() == other[n].values.tobytes()
            for n in one.variables
        )
        and one.attrs["fingerprint"] == other.attrs["fingerprint"]
    )

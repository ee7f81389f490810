"""Phase maps and curves as data for a screen: bytes, and the kinds of equilibrium as phases."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.explorer.subjects import Row
from deterrence.games.answers import BlockAnswer, Status
from deterrence.plotting.style import AREAS, ink_on, probability_colours

NOTHING = 255  # the byte of a point without an answer
STEPS = 254  # bytes 0 to 254 span the scale
_ROUNDING = 1e-9  # by which sums may leave [0, 1]
MOST_PHASES = 8  # that can be told apart; the rarest share the last

Bytes = NDArray[np.uint8]


def in_bytes(values: NDArray[np.float64], scale: tuple[float, float]) -> str:
    """Return numbers as base64 of bytes: 0 to 254 over the scale, 255 for no number.

    Examples
    --------
    >>> in_bytes(np.array([0.0, 0.5, 1.0, np.nan]), (0.0, 1.0)) == base64.b64encode(bytes([0, 127, 254, 255])).decode()
    True
    """
    low, high = scale
    share = (values - low) / (high - low)
    with np.errstate(invalid="ignore"):
        codes = np.where(np.isnan(share), NOTHING, np.rint(np.clip(share, 0, 1) * STEPS)).astype(np.uint8)
    return base64_text(codes)


def base64_text(codes: Bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(np.ascontiguousarray(codes).tobytes()).decode("ascii")


def scale_of(low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[float, float]:
    """Return what an axis has to span: [0, 1] for probabilities, what occurs for other quantities."""
    found = np.concatenate([low, high])
    found = found[np.isfinite(found)]
    if not found.size or (found.min() >= -_ROUNDING and found.max() <= 1 + _ROUNDING):
        return 0.0, 1.0
    least, most = float(found.min()), float(found.max())
    return (least, most) if most > least else (least - 0.5, least + 0.5)


def phases_of(answer: BlockAnswer) -> tuple[Bytes, list[str]]:
    """Return the phase of each point, by number (255: no answer), and each phase in words, the commonest first.

    A phase is the set of kinds of equilibrium that exist; without kinds, the number of equilibria.
    """
    there = answer.status == Status.OK
    names = [kind for kind, flags in answer.kinds.items() if (flags & there).any()]
    if names:
        told = [answer.kinds[name] for name in names]
        weights = [1 << k for k in range(min(len(names), 62))]
        keys = np.sum([w * flags for w, flags in zip(weights, told, strict=False)], axis=0, dtype=np.int64)
    else:
        keys = np.asarray(answer.count, dtype=np.int64)
    keys = np.where(there, keys, -1)
    distinct, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    order = [int(i) for i in np.argsort(-counts, kind="stable") if distinct[i] >= 0]
    place = np.full(len(distinct), NOTHING, dtype=np.uint8)
    place[order] = np.minimum(np.arange(len(order)), MOST_PHASES - 1)
    words = [_words(int(distinct[i]), names) for i in order]
    if len(words) > MOST_PHASES:
        words = [*words[: MOST_PHASES - 1], f"{len(words) - MOST_PHASES + 1} rarer phases"]
    return place[codes.ravel()], words


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Return an array as a list for JSON, with None for what is no number."""
    return [x if np.isfinite(x) else None for x in values.tolist()]


def _words(key: int, names: Sequence[str]) -> str:
    if names:
        return " + ".join(name for k, name in enumerate(names[:62]) if key >> k & 1) or "none of these kinds"
    return f"{key} equilibri{'um' if key == 1 else 'a'}"


def plain(value: Any) -> float | None:
    """Return a number for JSON: None where it is none."""
    return float(value) if value is not None and np.isfinite(value) else None


def wider(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    """Return the scale that holds two."""
    return min(a[0], b[0]), max(a[1], b[1])


def point_view(found: BlockAnswer, event: str) -> dict[str, Any]:
    """Return the answer at one point as the front end reads it."""
    status = Status(int(found.status[0]))
    fine = status == Status.OK
    return {
        "low": plain(found.low[event][0]) if fine else None,
        "high": plain(found.high[event][0]) if fine else None,
        "status": status.name,
        "reason": "" if fine else str(found.reasons.get(0, "")),
    }


def row_view(row: Row) -> dict[str, Any]:
    """Return an equilibrium as the front end reads it."""
    return {**asdict(row), "low": plain(row.low), "high": plain(row.high), "survives": dict(row.survives)}


def palette() -> dict[str, Any]:
    """Return the colours of probabilities (256 x 3 bytes, base64) and of phases, with the ink to write on each."""
    shades = np.asarray(probability_colours()(np.arange(256), bytes=True))[:, :3]
    return {
        "probability": base64.b64encode(np.ascontiguousarray(shades).tobytes()).decode("ascii"),
        "areas": list(AREAS),
        "inks": [ink_on(colour) for colour in AREAS],
        "nothing": "#9a9a9a",
    }

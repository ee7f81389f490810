"""Colours of the explorer's maps: safe for colour-blind readers, and ordered by lightness for print in grey."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from deterrence.plotting.style import AREAS, ink_on, probability_colours


def palette() -> dict[str, Any]:
    """Return the colours of probabilities (256 x 3 bytes, base64) and of phases, with the ink to write on each."""
    shades = np.asarray(probability_colours()(np.arange(256), bytes=True))[:, :3]
    return {
        "probability": base64.b64encode(np.ascontiguousarray(shades).tobytes()).decode("ascii"),
        "areas": list(AREAS),
        "inks": [ink_on(colour) for colour in AREAS],
        "nothing": "#9a9a9a",
    }

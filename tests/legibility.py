"""Pictures that can be read: the texts of an SVG, where they stand, and that none lies on another."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree as ET

from deterrence.plotting.scene import width_of

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert("x")</script> & \x00\x1b "quotes" \'apostrophes\''


def parsed(svg):
    return ET.fromstring(svg)


def texts(svg):
    return ["".join(t.text or "") for t in parsed(svg).iter(f"{SVG}text")]


def boxes(svg):
    """Return the text and the box (left, top, right, bottom) of each text that is drawn."""
    root = parsed(svg)
    size = float(root.get("font-size"))
    for t in root.iter(f"{SVG}text"):
        if not t.text:
            continue
        wide = width_of(t.text, size, 1000, bold=t.get("font-weight") == "bold")
        x, y = float(t.get("x")), float(t.get("y"))
        left = {"start": x, "end": x - wide, "middle": x - wide / 2}[t.get("text-anchor")]
        yield t.text, (left, y - 0.75 * size, left + wide, y + 0.2 * size)


def assert_legible(svg):
    """No text overlaps another, and all are inside the picture."""
    root = parsed(svg)
    wide, high = float(root.get("width")), float(root.get("height"))
    found = list(boxes(svg))
    for content, (left, top, right, bottom) in found:
        assert min(left, top) >= -1, content
        assert right <= wide + 1, content
        assert bottom <= high + 1, content
    for (one, a), (two, b) in combinations(found, 2):
        apart = a[2] <= b[0] + 0.5 or b[2] <= a[0] + 0.5 or a[3] <= b[1] + 0.5 or b[3] <= a[1] + 0.5
        assert apart, f"{one!r} at {a} overlaps {two!r} at {b}"

"""A scenario whose names are markup."""

from __future__ import annotations

from deterrence.alliances.scenarios.scenario import Scenario

EVIL = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"


def markup_scenario(folder):
    """Write the textbook scenario with a member and a title that are markup; return its path."""
    text = Scenario.load("textbook").text
    changed = text.replace('"Ally"', f'"{EVIL}"')
    assert changed != text
    path = folder / "evil.toml"
    path.write_text(changed, "utf-8")
    return path

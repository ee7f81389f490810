"""The numbers that the package ships: what they were when they were saved, and what they are now.

``tests/data/shipped_numbers.json`` holds them in four sections:

- ``answers``: the likelihood of each event of every scenario;
- ``assessments``: all numbers of the assessment, and of play under misperception, of every scenario and variant;
- ``models``: both routes of every model, at its defaults and at every published check line;
- ``notebooks``: what the last printing cell of each prints.

Everything is asked by public names, and keys that were renamed since are found by ``RENAMED``, so that a change of
layout or of words changes nothing here.

A number that is meant to change is named in ``CHANGED``, with the reason; then ``python -m tests.shipped_numbers``
saves the new value, and refuses if any other number differs. Given patterns, such as ``'*/baltic-*'``, it asks for the
cases of these only, and keeps the others as they are.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from nbclient import NotebookClient

import deterrence as dt
from tests.model_comparison import CHECKS

FILE = Path(__file__).parent / "data" / "shipped_numbers.json"
NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"

RELATIVE = 1e-12
FLOOR = 1e-12  # probabilities and payoffs below it are zero
# A slope or an elasticity is a difference quotient, and a tipping point is searched for: each magnifies the rounding of
# likelihoods, by at most the reciprocal of the step.
SEARCHED = 1e-9
SEARCHED_KEYS = ("*/dials/*/slope", "*/dials/*/elasticity", "*/tipping_points/*", "*/last_deterring_equilibrium/*")

# Number that is meant to change (a path, with * and ? as in file names) -> why
CHANGED: Mapping[str, str] = {
    # a common shock took five nodes whatever its correlation: 0.4891 for 0.5066 in one-mood, below 1e-5 in the others
    "answers/bilateral-guarantee*": "nodes of the quadrature that its correlation asks for",
    "assessments/bilateral-guarantee*": "nodes of the quadrature that its correlation asks for",
    "notebooks/01-how-likely-is-an-attack*": "leads with the median and the interval of draws",
    "notebooks/11-do-alliances-deter*": "drawn from a published fit, and no longer from coefficients of its own",
    # was 0.0947, all regretted attacks; those that are resisted are the wars, as dt.subjective has it
    "assessments/bilateral-guarantee:doubting-protege/unwanted_war": "regretted attacks that are resisted",
    # resolve is added to every member's cost of fighting: each number stands once, and a unit drives nothing
    "assessments/*/dials/resolve": "listed once, as the aggressor sees it",
    "assessments/*/dials/+members.[*].cost.location": "listed once, as resolve",
    "assessments/*/dials/brigade": "a conversion of units",
}

# Key, or part of a dotted one, as it is called now -> as it was when the numbers were saved
RENAMED: Mapping[str, str] = {
    "likelihood_correct_beliefs": "likelihood_if_seen_rightly",
    "parameters": "dials",
    "existence_thresholds": "last_deterring_equilibrium",
    "cheap_talk": "talk",
    "stake_share": "at_stake",
    "obligation_met": "discharges",
    "threshold_noise": "blur",
}

SETTINGS = ("name", "label", "value", "range")  # what a record of an assessment is about


# -- the numbers as they are now -------------------------------------------------------------------------------------


def cases() -> list[str]:
    """Return every scenario and every variant, as ``Scenario.load`` takes them."""
    return [case for name in dt.Scenario.names() for case in (name, *(f"{name}:{v}" for v in loaded(name).variants))]


@cache
def loaded(name: str) -> dt.Scenario:
    return dt.Scenario.load(name)


def answer(name: str) -> dict[str, Any]:
    """Return the lowest and highest likelihood of each event of a scenario."""
    scenario = loaded(name)
    found = scenario.answer({}, events=scenario.events)
    return {event: [found.low[event][0], found.high[event][0]] for event in scenario.events}


def assessment(case: str) -> dict[str, Any]:
    """Return the numbers of the assessment of a scenario or variant, and those of play under misperception."""
    scenario = dt.Scenario.load(case)
    found = {
        key: value
        for key, value in scenario.assess(uncertainty=False).to_dict().items()
        if key not in ("scenario", "title", "in_words")
    }
    return {**found, "subjective": mistaken_play(scenario)}


def mistaken_play(scenario: dt.Scenario) -> dict[str, Any]:
    """Return the numbers of what happens if each plays the game that it believes in."""
    played = dt.subjective(scenario)
    quantities = ("miscalculation", "missed_deterrence", "called_bluff", "unwanted_war", "regret")
    return {"attack": played.probability("attack"), **{key: getattr(played, key) for key in quantities}}


def model_numbers(call: str) -> Any:
    """Return what a model gives; a call is ``ID ROUTE`` (at the defaults) or ``CHECK-LINE ROUTE``."""
    id, route = call.split()
    check = {check["id"]: check["params"] for check in CHECKS}.get(id, {})
    return getattr(dt.models.get(id), route)(**check)


def model_calls() -> list[str]:
    """Return all calls of ``model_numbers``."""
    calls = []
    for id in dt.models.catalogue().ids:
        model = dt.models.get(id)
        lines = [check["id"] for check in CHECKS if _id_of(check) == id]
        calls += [f"{line} {route}" for line in (id, *lines) for route in model.routes]
    return calls


@cache
def _id_of_prefix(prefix: str) -> str:
    try:
        return dt.models.get(prefix).id
    except dt.ParameterError:
        return ""


def _id_of(check: Mapping[str, Any]) -> str:
    return _id_of_prefix(check["id"].rpartition("-")[0])


def printed_numbers(notebook: Any) -> list[float]:
    """Return the numbers in what the last printing cell of a notebook that has been run prints."""
    texts = [
        "".join(output.text for output in cell.outputs if output.output_type == "stream")
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    last = [text for text in texts if text][-1]
    return [float(x) for x in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?", last.replace("−", "-"))]


def run(name: str) -> list[float]:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    return printed_numbers(notebook)


SECTIONS: Mapping[str, tuple[Callable[[], list[str]], Callable[[str], Any]]] = {
    "answers": (lambda: list(dt.Scenario.names()), answer),
    "assessments": (cases, assessment),
    "models": (model_calls, model_numbers),
    "notebooks": (lambda: sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")), run),
}


# -- comparison ------------------------------------------------------------------------------------------------------


@cache
def saved() -> dict[str, dict[str, Any]]:
    """Return the saved table: by section, by case, nested numbers."""
    return json.loads(FILE.read_text("utf-8"))


def plain(value: Any) -> Any:
    """Return nested numbers and words as JSON holds them: tables by name instead of lists of them, old keys, no text.

    Truth values stay as they are; what is not finite becomes a word; a pair of equal ends becomes one number; what
    a record is about is left out. Numbers keep 14 digits.
    """
    if isinstance(value, Mapping):
        given = SETTINGS if "name" in value else ()
        return {_old(str(k)): plain(v) for k, v in value.items() if str(k) not in given}
    if isinstance(value, list | tuple | np.ndarray):
        if len(value) and all(isinstance(x, Mapping) and "name" in x for x in value):
            return {_old(x["name"]): plain(x) for x in value}
        entries = [plain(x) for x in value]
        equal_ends = len(entries) == 2 and type(entries[0]) in (int, float) and entries[0] == entries[1]
        return entries[0] if equal_ends else entries
    if value is None or isinstance(value, str | bool | np.bool_):
        return bool(value) if isinstance(value, np.bool_) else value
    number = float(value)
    if not math.isfinite(number):
        return str(number)
    return int(number) if number == int(number) and abs(number) < 1e15 else float(f"{number:.14g}")


def _old(key: str) -> str:
    return ".".join(RENAMED.get(part, part) for part in key.split("."))


def differences(now: Any, before: Any, where: str) -> Iterator[str]:
    """Yield every place where a number is not what was saved; further keys are no difference."""
    if isinstance(before, dict):
        if not isinstance(now, dict):
            yield f"{where}: expected {sorted(before)}, got {now!r}"
            return
        for key, value in before.items():
            if key in now:
                yield from differences(now[key], value, f"{where}/{key}")
            else:
                yield f"{where}/{key}: missing; there are {sorted(now)}"
    elif isinstance(before, list) or (isinstance(now, list) and len(now) == 2):
        if not isinstance(before, list):
            before = [before, before]
        if isinstance(now, int | float):
            now = [now, now]
        if not isinstance(now, list) or len(now) != len(before):
            yield f"{where}: expected {before}, got {now!r}"
            return
        for i, (n, b) in enumerate(zip(now, before, strict=True)):
            yield from differences(n, b, f"{where}/{i}")
    elif not _same(now, before, where):
        yield f"{where}: expected {before!r}, got {now!r}"


def _same(now: Any, before: Any, where: str) -> bool:
    if isinstance(before, str) or before is None or isinstance(now, str) or now is None:
        return bool(now == before)
    floor = SEARCHED if any(fnmatchcase(where, key) for key in SEARCHED_KEYS) else FLOOR
    return abs(float(now) - float(before)) <= max(floor, RELATIVE * abs(before))


def unintended(section: str, case: str, now: Any) -> list[str]:
    """Return the differences of one case from what was saved, but for those that ``CHANGED`` names."""
    found = differences(plain(now), saved()[section][case], f"{section}/{case}")
    return [line for line in found if not _intended(line)]


def _intended(line: str) -> bool:
    path = line.rpartition(": expected")[0] or line.rpartition(": missing")[0]
    return any(fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*") for pattern in CHANGED)


# -- saving ----------------------------------------------------------------------------------------------------------


def save(patterns: Sequence[str]) -> None:
    """Write the numbers as they are now; new cases are added, and a change that ``CHANGED`` does not name is refused.

    Raises
    ------
    SystemExit
        If there is one.
    """
    old = saved() if FILE.exists() else {}
    wrong: list[str] = []
    table: dict[str, dict[str, Any]] = {}
    for section, (names, ask) in SECTIONS.items():
        table[section] = {}
        for case in names():
            known = old.get(section, {})
            if case in known and not any(fnmatchcase(f"{section}/{case}", pattern) for pattern in patterns):
                table[section][case] = known[case]
                continue
            now = plain(ask(case))
            if case in known:
                wrong += unintended(section, case, now)
            table[section][case] = now
    if wrong:
        sys.exit("these numbers are not to change (CHANGED names those that are, and why):\n" + "\n".join(wrong))
    FILE.write_text(_lines(table), "utf-8")


def _lines(table: Mapping[str, Mapping[str, Any]]) -> str:
    """Return JSON with one case a line."""
    sections = [
        f"{json.dumps(section)}: {{\n"
        + ",\n".join(f"{json.dumps(case)}: {json.dumps(now, separators=(',', ':'))}" for case, now in cases.items())
        + "\n}"
        for section, cases in table.items()
    ]
    return "{\n" + ",\n".join(sections) + "\n}\n"


if __name__ == "__main__":
    save(sys.argv[1:] or ["*"])

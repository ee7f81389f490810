"""The reference pages that the code itself knows best, made with the site: command line, keys of scenario files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import typer

from deterrence.alliances.scenarios.schema import json_schema
from deterrence.cli import app

WRITTEN = "<!-- Made by docs/generate_reference.py; change the code, not this page. -->"

SCENARIO_FILES_HEAD = """\
A scenario is a TOML file. `deterrence schema` prints the JSON schema, from the same source as this page and as the
checks when a file is loaded. A number may be written bare, as a table with its source or its range, as in
`{ value = 0.2, source = "..." }` and `{ value = 0.2, illustrative = true, range = [0.1, 0.4] }`, or as arithmetic on
the names of `[parameters]`.

## How uncertain a number is

One of these beside the value; an illustrative number has one. `value` may be left out where quantiles, experts or a fit
say what the number is: then it is their median.

| key | value | meaning |
|---|---|---|
| `range` | `[low, high]` | with `shape` (PERT with its mode at the value by default) |
| `shape` | text | `pert`, `triangular`, `uniform`: all lies in the range; others, below: 90 % does |
| `parameters` | table | shape parameters of a SciPy distribution: `shape = "gamma", parameters = { a = 2 }` |
| `quantiles` | table | two at least: `{ 0.05 = 1, 0.5 = 2, 0.95 = 4 }`; the metalog distribution that meets them |
| `experts` | list of tables | `name`, `weight`, and a `range` or `quantiles` each: their mixture by weight |
| `standard_error` | number > 0 | beside a `source`: normal around the value |
| `fit`, `parameter` | text | an estimate by name from the JSON file of `deterrence fit MODEL --out FILE.json`; normal |

Other shapes are `normal`, `lognormal` and every continuous distribution of SciPy, by its name.

A distribution that reaches beyond what the number may be is cut there. `[uncertainty] correlate` makes numbers high or
low together.
"""


def files() -> dict[str, Callable[[], str]]:
    """Return how to make both pages, by their path in ``docs/``."""
    return {"reference/command-line.md": command_line, "reference/scenario-files.md": scenario_files}


# ---------------------------------------------------------------- the command line


def command_line() -> str:
    """Return the page of commands: what each is for, its arguments and options."""
    group: Any = typer.main.get_command(app)
    lines = ["# Command line", "", WRITTEN, "", "`deterrence COMMAND --help` says the same in the terminal.", ""]
    for name, command in group.commands.items():
        lines += [f"## deterrence {name}", "", _plain(command.help), ""]
        lines += [
            "```text",
            _usage(name, command),
            "```",
            "",
        ]
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            lines += ["| | | default |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _usage(name: str, command: Any) -> str:
    arguments = [p.metavar or p.name.upper() for p in command.params if p.param_type_name == "argument"]
    return " ".join(["deterrence", name, *arguments, "[OPTIONS]"])


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        names = ", ".join(f"`{flag}`" for flag in [*parameter.opts, *parameter.secondary_opts])
        default = (
            "" if parameter.default in (None, False, ()) or callable(parameter.default) else f"`{parameter.default}`"
        )
    else:
        names, default = f"`{parameter.metavar or parameter.name.upper()}`", ""
    return f"| {names} | {_plain(getattr(parameter, 'help', ''))} | {default} |"


def _plain(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").replace("|", "\\|").strip()


# ---------------------------------------------------------------- scenario files


def scenario_files() -> str:
    """Return the page of keys: every table of a scenario file, with type, bounds, default and meaning of each key."""
    schema = json_schema()
    lines = ["# Scenario files", "", WRITTEN, ""]
    lines += [SCENARIO_FILES_HEAD]
    lines += _table("The file", schema)
    for name, definition in sorted(schema["$defs"].items()):
        lines += _table(_heading(name), definition)
    return "\n".join(lines)


def _heading(definition: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r" \1", definition.removesuffix("Table")).capitalize()


def _table(heading: str, definition: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {heading}", "")
    if definition.get("description"):
        yield from (_plain(definition["description"]), "")
    if definition.get("properties"):
        yield from ("| key | value | default | meaning |", "|---|---|---|---|")
        required = set(definition.get("required", ()))
        for key, entry in definition["properties"].items():
            default = "required" if key in required else _default(entry)
            meaning = _plain(entry.get("description", ""))
            yield f"| `{key}` | {_plain(_kind(entry))} | {default} | {meaning} |"
        yield ""


def _default(entry: Mapping[str, Any]) -> str:
    value = entry.get("default")
    return "" if value in (None, "", [], {}) else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(entry: Mapping[str, Any]) -> str:
    """Return what a key may hold, in words."""
    if "$ref" in entry:
        heading = _heading(entry["$ref"].rpartition("/")[2])
        return f"[{heading.lower()}](#{heading.lower().replace(' ', '-')})"
    if "enum" in entry or "const" in entry:
        return " or ".join(f"`{value}`" for value in entry.get("enum", [entry.get("const")]))
    if "anyOf" in entry or "oneOf" in entry:
        parts = [part for part in entry.get("anyOf", entry.get("oneOf")) if not _is_annotation(part)]
        return " or ".join(dict.fromkeys(_kind(part) for part in parts if part.get("type") != "null"))
    if entry.get("type") == "array":
        return f"list of: {_kind(entry['items'])}" if entry.get("items") else "list"
    if entry.get("type") == "object":
        values = entry.get("additionalProperties")
        return f"table of: {_kind(values)}" if isinstance(values, Mapping) else "table"
    return " ".join(
        [
            {"string": "text", "boolean": "true or false"}.get(entry.get("type", ""), entry.get("type", "anything")),
            *_bounds(entry),
        ]
    )


def _is_annotation(part: Mapping[str, Any]) -> bool:
    """Return whether this is one of the other ways to write a number that the head of the page explains."""
    return part.get("description") == "arithmetic on parameter names" or "illustrative" in part.get("properties", {})


def _bounds(entry: Mapping[str, Any]) -> Iterator[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    yield from (f"{sign} {entry[bound]:g}" for bound, sign in signs.items() if bound in entry)

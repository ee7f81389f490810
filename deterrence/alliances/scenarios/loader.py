"""From a scenario file to validated tables: every mistake at once, each with file, line, key and what was expected."""

from __future__ import annotations

import importlib.resources
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from deterrence.alliances.scenarios.entry import Entry, is_entry
from deterrence.alliances.scenarios.line_numbers import line_of
from deterrence.alliances.scenarios.options import option_problems
from deterrence.alliances.scenarios.schema import ScenarioTable, present_names
from deterrence.games.errors import GameError, ParameterError, ScenarioError, did_you_mean

LARGEST = 1_000_000  # bytes

Location = tuple[str | int, ...]

_TOO_LARGE = "expected a number of at most 1e308 in size, got a whole number beyond the range of floats"
_LONG_INTEGER = re.compile(r"[\d_]{4000,}")


def names() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the package, sorted."""
    folder = importlib.resources.files("deterrence.alliances.scenarios") / "library"
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def read_source(name_or_path: str | Path) -> tuple[str, str]:
    """Return (where, text) of a shipped scenario by name, or of a file by path.

    Raises
    ------
    ScenarioError
        If there is no such scenario or file, or it is no text, empty, or larger than ``LARGEST`` bytes.
    """
    known = names()
    if str(name_or_path) in known:
        item = importlib.resources.files("deterrence.alliances.scenarios") / "library" / f"{name_or_path}.toml"
        return f"{name_or_path}.toml", item.read_text("utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        hint = did_you_mean(name_or_path, known)
        raise ScenarioError(
            f"{name_or_path}: no such scenario or file; the scenarios are {', '.join(known)}, "
            f"or give the path of a .toml file{hint}"
        )
    size = path.stat().st_size
    if size > LARGEST:
        raise ScenarioError(f"{path}: a scenario file may have at most {LARGEST:,} bytes, this one has {size:,}")
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(
            f"{path}: expected a text file in UTF-8, but byte {error.start} is not; is it a binary file?"
        ) from None
    if "\0" in text:
        raise ScenarioError(f"{path}: expected a text file, but it holds zero bytes; is it a binary file?")
    return str(path), text


def parse(text: str, where: str) -> ScenarioTable:
    """Return the validated tables of a scenario file.

    Raises
    ------
    ScenarioError
        With every mistake in ``problems``, a line each.
    """
    if not text.strip():
        raise ScenarioError(
            f"{where}: the file is empty; a scenario needs at least schema_version, name, title, "
            "[defence], [aggressor], [[attacks]] and [[members]]"
        )
    data = read_toml(text, where)
    try:
        data = present_names(data)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from None
    data, unread = with_fits(data, Path(where).parent)
    at_fits = [place for place, _ in unread]
    problems = [item for item in _schema_problems(data) if not any(item[0][: len(at)] == at for at in at_fits)]
    problems += [*unread, *_cross_problems(data)]
    if problems:
        raise _report(where, text, problems)
    return ScenarioTable.model_validate(data)


def with_fits(data: Any, folder: Path) -> tuple[Any, list[tuple[Location, str]]]:
    """Return plain data in which every number that names a fit holds the estimate and its error, and what is amiss.

    A fit is the JSON file of ``deterrence fit --out FILE.json``, sought beside the scenario file.
    """
    problems: list[tuple[Location, str]] = []
    read: dict[str, Any] = {}

    def walk(item: Any, place: Location, depth: int) -> Any:
        if depth > 50:
            return item
        if isinstance(item, list):
            return [walk(one, (*place, i), depth + 1) for i, one in enumerate(item)]
        if not isinstance(item, dict):
            return item
        if isinstance(item.get("fit"), str) and isinstance(item.get("parameter"), str):
            try:
                return _estimate(item, folder, read)
            except ValueError as error:
                problems.append((place, str(error)))
                return item
        return {key: walk(one, (*place, str(key)), depth + 1) for key, one in item.items()}

    return walk(data, (), 0), problems


def _estimate(item: Mapping[str, Any], folder: Path, read: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with the estimate of its fit."""
    name, parameter = item["fit"], item["parameter"]
    if name not in read:
        path = folder / name
        if not path.is_file():
            raise ValueError(f"no file of a fit {str(path)!r}; write it with `deterrence fit MODEL --out {name}`")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"the file of a fit may have at most {LARGEST:,} bytes, {str(path)!r} has more")
        try:
            read[name] = json.loads(path.read_bytes())["parameters"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ValueError(f"{str(path)!r} is not what `deterrence fit MODEL --out {name}` writes") from None
    known = read[name]
    if not isinstance(known, dict) or parameter not in known:
        hint = did_you_mean(parameter, known)
        raise ValueError(f"the fit {name!r} has no parameter {parameter!r}; it has {', '.join(known)}{hint}")
    found = known[parameter]
    value, error = (found.get(key) if isinstance(found, dict) else None for key in ("estimate", "error"))
    if not (isinstance(value, int | float) and isinstance(error, int | float) and error > 0):
        raise ValueError(f"the fit {name!r} has no estimate of {parameter!r} with an error: see its status")
    return {"value": float(value), "standard_error": float(error), **item}


def unstated_uncertainty(table: ScenarioTable) -> list[tuple[Location, str]]:
    """Return where an illustrative number does not say how uncertain it is."""
    return [
        (place, "an illustrative number says how uncertain it is: add range = [low, high], quantiles or experts")
        for place, entry in entries(table)
        if entry.illustrative and not entry.uncertain
    ]


def read_toml(text: str, where: str) -> dict[str, Any]:
    """Return the tables of a TOML file whose numbers floats can hold.

    Raises
    ------
    ScenarioError
        If it is no TOML, is nested too deeply, or holds a whole number beyond the range of floats.
    """
    try:
        data = tomllib.loads(text)
        problems = [(place, _TOO_LARGE) for place in _beyond_floats(data)]
    except RecursionError:
        raise ScenarioError(
            f"{where}: tables or arrays are nested too deeply to be a scenario or a study; expected at most 5 levels"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: not valid TOML: {error}") from None
    except ValueError:  # Python reads whole numbers of up to 4,300 digits
        lines = [n for n, line in enumerate(text.splitlines(), 1) if _LONG_INTEGER.search(line)]
        raise ScenarioError(f"{where}:{lines[0] if lines else 1}: {_TOO_LARGE}") from None
    if problems:
        raise report(where, text, problems)
    return data


def _beyond_floats(value: Any, place: Location = ()) -> Iterator[Location]:
    """Yield where whole numbers stand that are too large for a float."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _beyond_floats(inner, (*place, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _beyond_floats(inner, (*place, i))
    elif isinstance(value, int) and not -(10**308) <= value <= 10**308:
        yield place


def entry_problems(table: ScenarioTable) -> list[tuple[Location, str]]:
    """Return where a scenario's numbers lack a source or an illustrative range.

    Numbers of the posture stage that are computed have what the parameters have of which they are computed.
    """
    return [
        (location, "expected a source, or illustrative = true with a range")
        for location, entry in entries(table)
        if not entry.annotated and not (location[0] == "posture" and isinstance(entry.value, str))
    ]


def entries(record: Any, location: Location = ()) -> Iterator[tuple[Location, Entry]]:
    """Yield (location, entry) of every number that a file gives (defaults left out)."""
    if isinstance(record, Entry):
        yield location, record
    elif isinstance(record, BaseModel):
        for key in type(record).model_fields:
            if key in record.model_fields_set:
                yield from entries(getattr(record, key), (*location, key))
    elif isinstance(record, Mapping):
        for key, value in record.items():
            yield from entries(value, (*location, str(key)))
    elif isinstance(record, list | tuple):
        for i, value in enumerate(record):
            yield from entries(value, (*location, i))


def _schema_problems(data: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    try:
        ScenarioTable.model_validate(data)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=True):
            location = tuple(part for part in item["loc"] if part not in _UNION_TAGS)
            yield location, _expected(item, location)
    except RecursionError:
        yield (), "tables are nested too deeply to be a scenario"


_UNION_TAGS = {"RuleTable", "literal['unanimity','majority']", "float", "str"}


def _expected(item: Any, location: Location) -> str:
    kind, message = item["type"], item["msg"]
    if kind == "missing":
        return "missing; expected a value"
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1])
        hint = did_you_mean(location[-1], known)
        return f"unknown key; expected one of {', '.join(known)}{hint}"
    if kind == "value_error":
        return str(message).removeprefix("Value error, ")
    given = item.get("input")
    shown = f", got {given!r}" if isinstance(given, str | int | float | bool) else ""
    return f"{message[:1].lower()}{message[1:]}{shown}"


def _known_keys(location: Location) -> list[str]:
    """Return the keys that a table of the schema may hold."""
    kind: Any = ScenarioTable
    named = False  # whether the next part is a name given in the file, as in support.NAME
    for part in location:
        if isinstance(part, int) or named:
            named = False
            continue
        fields = getattr(kind, "model_fields", {})
        annotation = fields[part].annotation if part in fields else None
        named = get_origin(annotation) is dict
        kind = _table_in(annotation)
    return list(getattr(kind, "model_fields", {}))


def _table_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _table_in(inner)
        if found is not None:
            return found
    return None


def _cross_problems(data: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    """Yield mistakes that involve several places: names given twice, rules that do not fit, unlisted sources."""
    members = _names(data, ("members",))
    attacks = _names(data, ("attacks",))
    yield from _repeated(members, ("members",), "member")
    yield from _repeated(attacks, ("attacks",), "attack")
    posture = data.get("posture")
    if isinstance(posture, dict):
        yield from _repeated(_names(posture, ("types",)), ("posture", "types"), "type")
        yield from _repeated(_names(posture, ("postures",)), ("posture", "postures"), "posture")
    yield from _rule_problems(data, members)
    known = data.get("sources") if isinstance(data.get("sources"), dict) else {}
    yield from _source_problems(data, known or {}, ())
    yield from option_problems(data)


def _names(data: Mapping[str, Any], path: tuple[str]) -> list[str]:
    items = data.get(path[0])
    return [str(item.get("name")) for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _repeated(found: list[str], location: Location, what: str) -> Iterator[tuple[Location, str]]:
    for i, name in enumerate(found):
        if name in found[:i]:
            yield (*location, i, "name"), f"{what} {name!r} is named twice; expected distinct names"


def _rule_problems(data: Mapping[str, Any], members: list[str]) -> Iterator[tuple[Location, str]]:
    treaty = data.get("treaty")
    rule = treaty.get("rule") if isinstance(treaty, dict) else None
    if not isinstance(rule, dict):
        return
    place = ("treaty", "rule")
    forms = [{"threshold"}, {"lead"}, {"votes", "quota"}]
    if set(rule) not in forms:
        yield (
            place,
            f"expected 'unanimity', 'majority', or one of threshold, lead, votes with quota, got {sorted(rule)}",
        )
    k = rule.get("threshold")
    if isinstance(k, int) and not isinstance(k, bool) and k > len(members):
        yield (*place, "threshold"), f"expected at most the number of members, {len(members)}, got {k}"
    named = [rule["lead"]] if isinstance(rule.get("lead"), str) else list(rule.get("votes") or ())
    for name in named:
        if name not in members:
            hint = did_you_mean(name, members)
            yield place, f"{name!r} is no member; expected one of {', '.join(members)}{hint}"


def _source_problems(value: Any, known: Mapping[str, Any], location: Location) -> Iterator[tuple[Location, str]]:
    stack: list[tuple[Any, Location]] = [(value, location)]
    while stack:
        item, place = stack.pop()
        if isinstance(item, dict):
            source = item.get("source")
            if isinstance(source, str) and is_entry(item) and source not in known:
                hint = did_you_mean(source, known)
                yield (*place, "source"), f"{source!r} is not in [sources]{hint}"
            stack.extend((inner, (*place, str(key))) for key, inner in item.items())
        elif isinstance(item, list):
            stack.extend((inner, (*place, i)) for i, inner in enumerate(item))


def report(where: str, text: str, problems: list[tuple[Location, str]]) -> ScenarioError:
    """Return a ScenarioError that lists problems by their place in the file."""
    return _report(where, text, problems)


def _report(where: str, text: str, problems: list[tuple[Location, str]]) -> ScenarioError:
    unique = problem_lines(where, text, problems)
    return ScenarioError("\n".join(unique), unique)


def problem_lines(where: str, text: str, problems: list[tuple[Location, str]]) -> tuple[str, ...]:
    """Return problems as lines with file, line and key, in the order of the file."""
    lines: list[tuple[int, str]] = []
    for location, message in problems:
        line = line_of(text, location) or 0
        at = f"{where}:{line}" if line else where
        lines.append((line, f"{at}: {location_text(location)}: {message}" if location else f"{at}: {message}"))
    return tuple(dict.fromkeys(message for _, message in sorted(lines, key=lambda pair: pair[0])))


def location_text(location: Location) -> str:
    """Return a location as it is read aloud: ``members[2].cost.scale``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


__all__ = [
    "GameError",
    "ParameterError",
    "entries",
    "entry_problems",
    "location_text",
    "names",
    "parse",
    "read_source",
    "report",
]

"""Variants of a scenario: a file's own tables with a few things different, so that one mechanism stands alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.alliances.scenarios.entry import INFINITY, entry_reader, is_entry
from deterrence.games.errors import ParameterError, ScenarioError, did_you_mean
from deterrence.games.paths import apply_change


def variant_data(data: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """Return the plain data of a variant.

    Its ``tables`` are laid over the scenario's: table by table, and lists of named tables (members, attacks) name by
    name. Then come its ``changes``: of a parameter, that entry is written anew, as an illustration; all others go to
    the scenario's own ``changes``. Last, an overlay of a player takes the place of the scenario's.

    Parameters
    ----------
    data : mapping
        A scenario file as plain data.
    name : str
        Of the variant.
    where : str
        File name, for messages.

    Raises
    ------
    ScenarioError
        If there is no such variant, or a change is none.
    """
    known = data.get("variants", {})
    if name not in known:
        hint = did_you_mean(name, known)
        raise ScenarioError(f"{where}: no variant {name!r}; known are {', '.join(known) or 'none'}{hint}")
    variant = known[name]
    plain = {key: value for key, value in data.items() if key != "variants"}
    if "options" in plain:
        plain["options"] = {key: _spelled_out(one, known) for key, one in plain["options"].items()}
    fresh = change_file_data(
        laid_over(plain, variant.get("tables", {})), variant.get("changes", {}), f"{where}: variants.{name}.changes"
    )
    return {
        **fresh,
        "name": f"{data.get('name')}.{name}",
        "title": f"{data.get('title')}: {name.replace('-', ' ')}",
        "shows": variant.get("isolates", ""),
        "perception": {**fresh.get("perception", {}), **variant.get("perception", {})},
    }


def _spelled_out(option: Mapping[str, Any], variants: Mapping[str, Any]) -> dict[str, Any]:
    """Return an option that takes a variant's changes, with these themselves."""
    if not isinstance(option.get("changes"), str):
        return dict(option)
    variant = variants.get(option["changes"], {})
    return {**option, **{key: variant.get(key, {}) for key in ("changes", "perception", "tables")}}


def change_file_data(data: Mapping[str, Any], changes: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the plain data of a scenario file after changes: of its parameters by name, of other numbers by path.

    Parameters
    ----------
    data : mapping
    changes : mapping of str to change
        See ``deterrence.games.paths``. A parameter's entry is written anew, as an illustration.
    where : str
        For messages.

    Raises
    ------
    ScenarioError
        If the change of a parameter is none.
    """
    parameters, paths = dict(data.get("parameters", {})), dict(data.get("changes", {}))
    for path, change in changes.items():
        if path in parameters:
            parameters[path] = _entry(parameters[path], change, path, where)
        else:
            paths[path] = change
    return {**data, **({"parameters": parameters} if parameters else {}), "changes": paths}


def _entry(old: Any, change: Any, name: str, where: str) -> dict[str, Any]:
    """Return a parameter's entry with another value: an illustration, whatever the source of the old one."""
    entry = dict(old) if isinstance(old, Mapping) else {"value": old}
    if "value" not in entry:  # of a number that is stated by quantiles alone, the median
        read = entry_reader(-INFINITY, INFINITY, False)(entry)
        entry |= {"value": read.value, "range": read.span(read.value)}
    value = entry["value"]
    try:
        new = apply_change(change, 0.0 if isinstance(value, str) else float(value), name)
    except ParameterError as error:
        raise ScenarioError(f"{where}: {error}") from None
    if isinstance(value, str) and not isinstance(change, int | float):
        raise ScenarioError(f"{where}: {name!r} is computed from other parameters; give it a number, not {change!r}")
    span = [float(x) for x in entry.get("range", [new] if isinstance(value, str) else [value])]
    kept = {key: entry[key] for key in ("note",) if key in entry}
    return {"value": new, "illustrative": True, "range": [min(*span, new), max(*span, new)], **kept}


def laid_over(below: Any, above: Any) -> Any:
    """Return tables with others laid over them: table by table, and lists of named tables name by name."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        if is_entry(above):
            return dict(above)
        return {**below, **{key: laid_over(below[key], one) if key in below else one for key, one in above.items()}}
    if _named(below) and _named(above):
        named = {item["name"]: item for item in above}
        kept = [laid_over(item, named.pop(item["name"], {})) for item in below]
        return [*kept, *named.values()]
    return above


def _named(items: Any) -> bool:
    return isinstance(items, list) and bool(items) and all(isinstance(i, Mapping) and "name" in i for i in items)

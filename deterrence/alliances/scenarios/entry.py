r"""A number of a scenario file as written: its value, where it comes from, and how uncertain it is.

===================================================  ==================================================================
written                                              meaning
===================================================  ==================================================================
``3.5``, ``"0.5 * stake"``                           the number itself, or arithmetic on others
``value = 4, source = "MB2017"``                     a public figure, taken as it is
``..., source = "MB2017", standard_error = 0.5``     the same with its error: normal, cut at the number's bounds
``value = 4, range = [2, 14]``                       PERT with its mode at the value, unless ``shape`` says otherwise
``..., shape = "gamma", parameters = { a = 2 }``     any shape of ``marginals``, with its numbers
``quantiles = { 0.05 = 1, 0.5 = 2, 0.95 = 4 }``      what somebody stated; the metalog that meets it
``experts = [{ name = "A", quantiles = ... }, ...]``  several, each with a range or quantiles, pooled linearly by
                                                     ``weight``
``fit = "war.json", parameter = "u1_war:balanc"``    an estimate and its error, from the file that ``deterrence fit
                                                     --out war.json`` wrote; normal
===================================================  ==================================================================

An entry that has a distribution need not have a ``value``: then the median stands for it.

TOML reads the bare key ``0.05`` as ``05`` within ``0``: both that and ``"0.05"`` are understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deterrence.alliances.scenarios.marginals import (
    SHAPES,
    Marginal,
    bounded,
    linear_pool,
    marginal_of_error,
    marginal_of_quantiles,
    marginal_of_range,
    round_to_whole,
)
from deterrence.games.errors import ParameterError, did_you_mean
from deterrence.games.expressions import ExpressionError, names_in
from deterrence.games.values import Value

INFINITY = float("inf")
DISTRIBUTED = ("range", "quantiles", "experts", "standard_error", "fit")  # keys of which one says how uncertain it is

_SWITCHES = ("illustrative", "conversion")
_TEXTS = ("source", "note", "shape", "fit", "parameter")
_KNOWN = ("value", "source", "note", "illustrative", "conversion", *DISTRIBUTED, "shape", "parameters", "parameter")
_OF_EXPERT = ("name", "weight", "value", "range", "shape", "parameters", "quantiles")


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one source says of a number: a range with a shape, or quantiles.

    Attributes
    ----------
    value : float or None
        The mode of the shapes that have one; None for the middle of the range.
    range : pair of float or None
    shape : str
        See ``marginals``; empty for PERT.
    parameters : mapping of str to float
        Of a SciPy family.
    quantiles : tuple of (float, float)
        Probability and value.
    name : str
        Of the expert.
    weight : float
        In a pool.
    """

    value: float | None = None
    range: tuple[float, float] | None = None
    shape: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    quantiles: tuple[tuple[float, float], ...] = ()
    name: str = ""
    weight: float = 1.0

    def marginal(self, low: float, high: float) -> Marginal:
        """Return its distribution, of a number between two bounds.

        Raises
        ------
        ParameterError
            If what is said is no distribution.
        """
        if self.quantiles:
            return marginal_of_quantiles(dict(self.quantiles), low, high)
        if self.range is None:
            raise ParameterError("expected range = [low, high] or quantiles = { ... }")
        value = sum(self.range) / 2 if self.value is None else self.value
        return marginal_of_range(*self.range, value, self.shape or "pert", self.parameters)


@dataclass(frozen=True, slots=True, eq=False)
class Entry(Value):
    """A number of a scenario file as written.

    Attributes
    ----------
    value : float or str
        The number, or an expression.
    low, high, strict
        Where it must lie; ``strict`` excludes ``low``.
    whole : bool
        Whether it is a whole number: draws of it are rounded.
    source, note : str
        Key into the table of sources; a remark.
    illustrative : bool
        No public figure exists.
    conversion : bool
        It turns one unit into another: it is drawn, but drives nothing.
    range : tuple of float or None
        Of plausible values.
    shape, parameters, quantiles
        As in ``Opinion``.
    experts : tuple of Opinion
    standard_error : float or None
    """

    value: float | str
    low: float = -INFINITY
    high: float = INFINITY
    strict: bool = False
    whole: bool = False
    source: str = ""
    note: str = ""
    illustrative: bool = False
    conversion: bool = False
    range: tuple[float, float] | None = None
    shape: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    quantiles: tuple[tuple[float, float], ...] = ()
    experts: tuple[Opinion, ...] = ()
    standard_error: float | None = None

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with an evaluated value (a number or an array), or None."""
        array = np.asarray(value)
        outside = (array < self.low) | (array > self.high) | (array <= self.low if self.strict else False)
        if not np.any(outside):
            return None
        return f"expected a number {_interval(self.low, self.high, self.strict)}, got {array[outside].ravel()[0]:g}"

    @property
    def annotated(self) -> bool:
        """Whether it says where it comes from."""
        return bool(self.source) or (self.illustrative and self.uncertain)

    @property
    def uncertain(self) -> bool:
        """Whether it says how uncertain it is."""
        return bool(self.range or self.quantiles or self.experts or self.standard_error is not None)

    def marginal(self, value: float) -> Marginal | None:
        """Return its distribution within its bounds, at what its value comes to; None if it says of none.

        Raises
        ------
        ParameterError
            If what is said is no distribution.
        """
        law = self._law(value) if self.uncertain else None
        return round_to_whole(law) if law is not None and self.whole else law

    def _law(self, value: float) -> Marginal:
        low, high = self.low, self.high
        if self.experts:
            opinions = {one.name or f"expert {i}": one for i, one in enumerate(self.experts, 1)}
            law = linear_pool(
                {name: one.marginal(low, high) for name, one in opinions.items()},
                {name: one.weight for name, one in opinions.items()},
            )
        elif self.standard_error is not None:
            law = marginal_of_error(value, self.standard_error)
        else:
            law = Opinion(value, self.range, self.shape, self.parameters, self.quantiles).marginal(low, high)
            inside = self.range is not None and low <= self.range[0] and self.range[1] <= high
            if self.quantiles or (inside and self.shape in ("", "pert", "triangular", "uniform")):
                return law
        return bounded(law, float(np.nextafter(low, np.inf)) if self.strict else low, high)

    def span(self, value: float) -> tuple[float, float] | None:
        """Return its range, or else the central 90 % of its distribution; None if it is certain."""
        law = None if self.range else self.marginal(value)
        return self.range if law is None else law.interval()


def entry_reader(low: float, high: float, strict: bool, whole: bool = False) -> Any:
    """Return what makes an entry, with given bounds, of a value of a scenario file; it raises ValueError."""

    def parse(raw: object) -> Entry:
        if isinstance(raw, Entry):
            return raw
        said: dict[str, Any] = {}
        if isinstance(raw, dict):
            said = _said(raw)
            raw = said.pop("value", None)
            if raw is None and not {"quantiles", "experts"} & set(said):
                raise ValueError("expected a key 'value' in the table")
        if raw is not None:
            raw = _value(raw)
        try:
            entry = Entry(0.0 if raw is None else raw, low, high, strict, whole, **said)
            middle = raw if isinstance(raw, float) else 0.0 if entry.range is None else sum(entry.range) / 2
            if set(said) & {"shape", "quantiles", "experts", "standard_error"}:
                law = entry.marginal(middle)  # an error of the distribution is one of the file
                if raw is None and law is not None:
                    entry = Entry(float(law.quantile(np.array([0.5]))[0]), low, high, strict, whole, **said)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        return _checked(entry)

    return parse


def _checked(entry: Entry) -> Entry:
    value = entry.value
    if isinstance(value, float):
        wrong = entry.problem(value) if abs(value) < INFINITY else f"expected a finite number, got {value}"
        if wrong:
            raise ValueError(wrong)
        if entry.range is not None and not entry.range[0] <= value <= entry.range[1]:
            raise ValueError(f"expected a value within its own range {list(entry.range)}, got {value:g}")
    return entry


def _value(raw: object) -> float | str:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(f"expected a number, an expression or a table with 'value', got {type(raw).__name__}")
    if not isinstance(raw, str):
        return float(raw) if raw != raw or abs(raw) < 1e300 else INFINITY
    try:
        names_in(raw)
    except ExpressionError as error:
        raise ValueError(f"expected a number or arithmetic: {error}") from None
    return raw


def _said(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table says of a number, by attribute of ``Entry``."""
    said = dict(raw)
    unknown = sorted(set(said) - set(_KNOWN))
    if unknown:
        hint = did_you_mean(unknown[0], _KNOWN)
        raise ValueError(f"unknown key {unknown[0]!r} beside the value; expected one of {', '.join(_KNOWN)}{hint}")
    for key in (*_TEXTS, *_SWITCHES):
        kind = bool if key in _SWITCHES else str
        if key in said and not isinstance(said[key], kind):
            raise ValueError(f"expected {key} to be {'true or false' if kind is bool else 'text'}, got {said[key]!r}")
    ways = [key for key in DISTRIBUTED if key in said]
    if len(ways) > 1 and set(ways) != {"fit", "standard_error"}:
        raise ValueError(f"expected one of {', '.join(ways)}: each alone says how uncertain the number is")
    if "fit" in said:  # what it comes to is read beside the file, before tables are validated
        if "parameter" not in said:
            raise ValueError("expected parameter = 'NAME' beside fit: which of its estimates")
        if "standard_error" not in said:
            raise ValueError(f"the fit {said['fit']!r} was not read: name it in a scenario file, beside its own")
    elif "parameter" in said:
        raise ValueError("expected fit = 'FILE.json' beside parameter")
    said.pop("fit", None)
    said.pop("parameter", None)
    said.update(_opinion(said))
    if "standard_error" in said:
        error = said["standard_error"]
        if not is_number(error) or not 0 < error < INFINITY:
            raise ValueError(f"expected a standard_error above 0, got {error!r}")
        said["standard_error"] = float(error)
    if "experts" in said:
        said["experts"] = _experts(said["experts"])
    return said


def _opinion(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return range, shape, parameters and quantiles as an entry holds them."""
    found: dict[str, Any] = {}
    if (bounds := said.get("range")) is not None:
        if not (isinstance(bounds, list | tuple) and len(bounds) == 2 and all(is_number(b) for b in bounds)):
            raise ValueError(f"expected range = [low, high], got {bounds!r}")
        found["range"] = (float(bounds[0]), float(bounds[1]))
        if not (found["range"][0] <= found["range"][1] and all(abs(b) < INFINITY for b in found["range"])):
            raise ValueError(f"expected range = [low, high] with low <= high, got {list(bounds)!r}")
    elif "shape" in said:
        raise ValueError(f"the shape {said['shape']!r} has no numbers: expected range = [low, high] beside it")
    if "parameters" in said:
        numbers = said["parameters"]
        if not isinstance(numbers, dict) or not all(is_number(x) for x in numbers.values()):
            raise ValueError(f"expected parameters = {{ NAME = number }} of the shape, got {numbers!r}")
        if said.get("shape", "") in ("", *SHAPES):
            raise ValueError("expected parameters of a SciPy shape only; other shapes need the range alone")
        found["parameters"] = {key: float(x) for key, x in numbers.items()}
    if "quantiles" in said:
        found["quantiles"] = _quantiles(said["quantiles"])
    return found


def _quantiles(raw: object) -> tuple[tuple[float, float], ...]:
    """Return stated quantiles in the order of the file."""
    if not isinstance(raw, dict) or not raw:
        raise ValueError(f"expected quantiles = {{ 0.05 = low, 0.5 = median, 0.95 = high }}, got {raw!r}")
    flat: dict[str, Any] = {}
    for key, value in raw.items():
        inner = value if isinstance(value, dict) else None
        flat |= {key: value} if inner is None else {f"{key}.{end}": x for end, x in inner.items()}
    found = []
    for key, value in flat.items():
        try:
            level = float(key)
        except ValueError:
            raise ValueError(f"quantiles stand at probabilities between 0 and 1, got {key!r}") from None
        if not is_number(value):
            raise ValueError(f"expected a number at quantile {key}, got {value!r}")
        found.append((level, float(value)))
    return tuple(found)


def _experts(raw: object) -> tuple[Opinion, ...]:
    if not isinstance(raw, list) or not raw:
        raise ValueError(f"expected experts = [{{ name = 'A', range = [low, high] }}, ...], got {raw!r}")
    found: list[Opinion] = []
    for i, one in enumerate(raw, 1):
        if not isinstance(one, dict):
            raise ValueError(f"expected a table for expert {i}, got {one!r}")
        name = one.get("name", "")
        what = repr(name) if name else str(i)
        unknown = sorted(set(one) - set(_OF_EXPERT))
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r} of expert {what}; expected one of {', '.join(_OF_EXPERT)}")
        if not isinstance(name, str) or (name and name in [other.name for other in found]):
            raise ValueError(f"expected distinct names of experts, got {name!r}")
        for key in ("value", "weight"):
            if key in one and not is_number(one[key]):
                raise ValueError(f"expected a number for {key} of expert {what}, got {one[key]!r}")
        try:
            said = {key: x for key, x in one.items() if key != "name"} | _opinion(one)
            opinion = Opinion(**{**said, "name": name, "weight": float(one.get("weight", 1.0))})
            opinion.marginal(-INFINITY, INFINITY)
        except ValueError as error:
            raise ValueError(f"of expert {what}: {error}") from None
        found.append(opinion)
    return tuple(found)


def entry_schema(low: float, high: float, strict: bool) -> dict[str, Any]:
    """Return the JSON schema of an entry."""
    number: dict[str, Any] = {"type": "number"}
    if low > -INFINITY:
        number["exclusiveMinimum" if strict else "minimum"] = low
    if high < INFINITY:
        number["maximum"] = high
    text = {"type": "string", "description": "arithmetic on parameter names"}
    bounds = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    opinion = {
        "range": bounds,
        "shape": {"type": "string"},
        "parameters": {"type": "object", "additionalProperties": {"type": "number"}},
        "quantiles": {"type": "object"},
    }
    expert = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "weight": {"type": "number", "exclusiveMinimum": 0},
            "value": {"type": "number"},
            **opinion,
        },
        "additionalProperties": False,
    }
    table = {
        "type": "object",
        "properties": {
            "value": {"anyOf": [number, text]},
            "source": {"type": "string"},
            "note": {"type": "string"},
            "illustrative": {"type": "boolean"},
            "conversion": {"type": "boolean"},
            **opinion,
            "experts": {"type": "array", "items": expert, "minItems": 1},
            "standard_error": {"type": "number", "exclusiveMinimum": 0},
            "fit": {"type": "string"},
            "parameter": {"type": "string"},
        },
        "anyOf": [{"required": [key]} for key in ("value", "quantiles", "experts", "fit")],
        "additionalProperties": False,
    }
    return {"anyOf": [number, text, table]}


def is_entry(raw: Mapping[str, Any]) -> bool:
    """Return whether a table of a file is a number, and not a table of numbers by name."""
    return bool({"value", "quantiles", "experts", "fit"} & set(raw))


def is_number(x: object) -> bool:
    """Return whether this is a number, and no truth value."""
    return isinstance(x, int | float) and not isinstance(x, bool)


def _interval(low: float, high: float, strict: bool) -> str:
    if low == -INFINITY and high == INFINITY:
        return "that is finite"
    if high == INFINITY:
        return f"above {low:g}" if strict else f"of at least {low:g}"
    return f"in {'(' if strict else '['}{low:g}, {high:g}]"

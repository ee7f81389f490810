"""What a scenario file may hold: one description for validation and for the JSON schema that editors use.

Every number may be written as itself (``3.5``), as arithmetic on other parameters (``"0.5 * stake"``), or with where it
comes from: ``{ value = 3.5, source = "IISS2017" }`` or ``{ value = 0.6, illustrative = true, range = [0.2, 1.2] }``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from deterrence.scenarios.expressions import ExpressionError, names_in

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Entry:
    """A number of a scenario file as written.

    Attributes
    ----------
    value : float or str
        The number, or an expression.
    low, high, strict
        Where it must lie; ``strict`` excludes ``low``.
    source, note : str
        Key into the table of sources; a remark.
    illustrative : bool
        No public figure exists; the value is one of a plausible ``range``.
    range : tuple of float or None
    """

    value: float | str
    low: float = -INFINITY
    high: float = INFINITY
    strict: bool = False
    source: str = ""
    note: str = ""
    illustrative: bool = False
    range: tuple[float, float] | None = None

    def problem(self, value: Any) -> str | None:
        """Return what is wrong with an evaluated value (a number or an array), or None."""
        import numpy as np

        array = np.asarray(value)
        outside = (array < self.low) | (array > self.high) | (array <= self.low if self.strict else False)
        if not np.any(outside):
            return None
        return f"expected a number {_interval(self.low, self.high, self.strict)}, got {array[outside].ravel()[0]:g}"

    @property
    def annotated(self) -> bool:
        """Whether it says where it comes from."""
        return bool(self.source) or (self.illustrative and self.range is not None)


def _interval(low: float, high: float, strict: bool) -> str:
    if low == -INFINITY and high == INFINITY:
        return "that is finite"
    if high == INFINITY:
        return f"above {low:g}" if strict else f"of at least {low:g}"
    return f"in {'(' if strict else '['}{low:g}, {high:g}]"


def _entry(low: float, high: float, strict: bool) -> Any:
    def parse(raw: object) -> Entry:
        if isinstance(raw, Entry):
            return raw
        extra: dict[str, Any] = {}
        if isinstance(raw, dict):
            extra = dict(raw)
            known = {"value", "source", "note", "illustrative", "range"}
            unknown = sorted(set(extra) - known)
            if unknown:
                raise ValueError(
                    f"unknown key {unknown[0]!r} beside the value; expected one of {', '.join(sorted(known))}"
                )
            if "value" not in extra:
                raise ValueError("expected a key 'value' in the table")
            raw = extra.pop("value")
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise ValueError(f"expected a number, an expression or a table with 'value', got {type(raw).__name__}")
        if isinstance(raw, str):
            try:
                names_in(raw)
            except ExpressionError as error:
                raise ValueError(f"expected a number or arithmetic: {error}") from None
        else:
            raw = float(raw) if raw != raw or abs(raw) < 1e300 else INFINITY
        bounds = extra.get("range")
        if bounds is not None:
            if not (isinstance(bounds, list | tuple) and len(bounds) == 2 and all(_plain(b) for b in bounds)):
                raise ValueError(f"expected range = [low, high], got {bounds!r}")
            extra["range"] = (float(bounds[0]), float(bounds[1]))
        for key, kind in (("source", str), ("note", str), ("illustrative", bool)):
            if key in extra and not isinstance(extra[key], kind):
                raise ValueError(
                    f"expected {key} to be {'text' if kind is str else 'true or false'}, got {extra[key]!r}"
                )
        entry = Entry(raw, low, high, strict, **extra)
        if isinstance(raw, float):
            wrong = entry.problem(raw) if raw == raw and abs(raw) < INFINITY else f"expected a finite number, got {raw}"
            if wrong:
                raise ValueError(wrong)
            if entry.range is not None and not entry.range[0] <= raw <= entry.range[1]:
                raise ValueError(f"expected a value within its own range {list(entry.range)}, got {raw:g}")
        return entry

    return parse


def _plain(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _json(low: float, high: float, strict: bool) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "number"}
    if low > -INFINITY:
        number["exclusiveMinimum" if strict else "minimum"] = low
    if high < INFINITY:
        number["maximum"] = high
    text = {"type": "string", "description": "arithmetic on parameter names"}
    table = {
        "type": "object",
        "properties": {
            "value": {"anyOf": [number, text]},
            "source": {"type": "string"},
            "note": {"type": "string"},
            "illustrative": {"type": "boolean"},
            "range": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        },
        "required": ["value"],
        "additionalProperties": False,
    }
    return {"anyOf": [number, text, table]}


def _number(low: float = -INFINITY, high: float = INFINITY, *, strict: bool = False) -> Any:
    return Annotated[Any, BeforeValidator(_entry(low, high, strict)), WithJsonSchema(_json(low, high, strict))]


if TYPE_CHECKING:
    Real: TypeAlias = Entry
    NonNegative: TypeAlias = Entry
    Positive: TypeAlias = Entry
    Probability: TypeAlias = Entry
else:
    Real = _number()
    NonNegative = _number(0.0)
    Positive = _number(0.0, strict=True)
    Probability = _number(0.0, 1.0)


def _recognition(raw: object) -> Entry | dict[str, Entry]:
    parse = _entry(0.0, 1.0, False)
    if isinstance(raw, dict) and raw and "value" not in raw:
        found: dict[str, Entry] = {}
        for attack, value in raw.items():
            try:
                found[attack] = parse(value)
            except ValueError as error:
                raise ValueError(f"of {attack!r}: {error}") from None
        return found
    result: Entry = parse(raw)
    return result


Recognition = Annotated[
    Any,
    BeforeValidator(_recognition),
    WithJsonSchema(
        {"anyOf": [_json(0.0, 1.0, False), {"type": "object", "additionalProperties": _json(0.0, 1.0, False)}]}
    ),
]


def _fixed(value: float, low: float = -INFINITY, high: float = INFINITY, *, strict: bool = False) -> Any:
    return Field(default_factory=lambda: Entry(value, low, high, strict))


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class DistributionTable(_Table):
    """A distribution of a private value."""

    family: str = Field(description="normal, logistic, lognormal, uniform, two-point, degenerate, or a SciPy name")
    location: Real
    scale: NonNegative = _fixed(1.0)
    shape: dict[str, Real] = Field(default_factory=dict)


class SupportTable(_Table):
    """A kind of help that members may give."""

    strength: Probability = _fixed(1.0, 0.0, 1.0)
    cost: Positive = _fixed(1.0)
    discharges: Probability = _fixed(1.0, 0.0, 1.0)


class MemberTable(_Table):
    """A member of the alliance."""

    name: str = Field(min_length=1)
    capability: NonNegative
    delay: NonNegative
    stake: NonNegative
    cost: DistributionTable
    obligation: NonNegative = _fixed(0.0)
    bilateral: NonNegative = _fixed(0.0)
    forward: NonNegative = _fixed(0.0)
    recognition: Recognition = Field(default_factory=lambda: Entry(1.0, 0.0, 1.0))
    days_per_unit: NonNegative = _fixed(0.0)
    support: str = Field(default="military", description="military, or a key of the table support")
    opt_out: Probability = _fixed(0.0)
    audience: NonNegative = _fixed(0.0)
    opposition: NonNegative = _fixed(0.0)
    false_alarm: Probability = _fixed(0.0)


class AttackTable(_Table):
    """A kind of attack."""

    name: str = Field(min_length=1)
    strength: Positive
    window: Positive
    share: Probability
    cost: NonNegative
    attribution: Probability = _fixed(1.0)


class RuleTable(_Table):
    """Who invokes the treaty; exactly one of threshold, lead, or votes with a quota."""

    threshold: int | None = Field(default=None, ge=1, strict=True)
    lead: str | None = None
    votes: dict[str, float] | None = None
    quota: float | None = None


class TreatyTable(_Table):
    """What the members have agreed."""

    rule: Literal["unanimity", "majority"] | RuleTable = "unanimity"
    shared_intelligence: Probability = _fixed(0.0)
    integration: NonNegative = _fixed(0.0)
    consultation: NonNegative = _fixed(0.0)
    deliberation: NonNegative = _fixed(0.0)
    automaticity: NonNegative = _fixed(0.0)
    incidents: Probability = _fixed(0.0)


class TargetTable(_Table):
    """The target, if it may yield."""

    name: str = Field(default="Target", min_length=1)
    stake: NonNegative = _fixed(1.0)
    cost: DistributionTable


class AggressorTable(_Table):
    """The state that may attack."""

    name: str = Field(default="Aggressor", min_length=1)
    punishment: NonNegative = _fixed(0.0)
    prize: DistributionTable


class DefenceTable(_Table):
    """The target and the contest."""

    base: NonNegative
    decisiveness: Positive = _fixed(1.0)
    decay: Positive = _fixed(7.0)
    tripwire: NonNegative = _fixed(0.0)


Change = float | str


class StateTable(_Table):
    """One state of a common shock."""

    name: str = Field(min_length=1)
    probability: Probability
    changes: dict[str, Change] = Field(default_factory=dict)


class ShockTable(_Table):
    """What moves the members' costs together: a correlation, or states."""

    correlation: Probability = _fixed(0.0)
    nodes: int = Field(default=15, ge=1, le=64)
    states: list[StateTable] = Field(default_factory=list)


class TypeTable(_Table):
    """A private type of the alliance."""

    name: str = Field(min_length=1)
    probability: Probability
    changes: dict[str, Change] = Field(default_factory=dict)


class PostureTable(_Table):
    """A posture that the alliance may take."""

    name: str = Field(min_length=1)
    cost: NonNegative = _fixed(0.0)
    forward: dict[str, NonNegative] = Field(default_factory=dict)
    obligation: NonNegative = _fixed(0.0)
    tied: list[str] = Field(default_factory=list)
    changes: dict[str, Change] = Field(default_factory=dict)


class StageTable(_Table):
    """The signaling stage."""

    sender: str = ""
    quantiles: int = Field(default=8, ge=1, le=200)
    types: list[TypeTable] = Field(min_length=1)
    postures: list[PostureTable] = Field(min_length=1)


class ScenarioTable(_Table):
    """A scenario file."""

    schema_version: Literal[1]
    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str
    description: str = ""
    shows: str = ""
    does_not_show: str = ""
    sources: dict[str, str] = Field(default_factory=dict)
    parameters: dict[str, Real] = Field(default_factory=dict)
    defence: DefenceTable
    treaty: TreatyTable = Field(default_factory=TreatyTable)
    aggressor: AggressorTable
    attacks: list[AttackTable] = Field(min_length=1)
    members: list[MemberTable] = Field(min_length=1)
    support: dict[str, SupportTable] = Field(default_factory=dict)
    shock: ShockTable | None = None
    target: TargetTable | None = None
    posture: StageTable | None = None
    perception: dict[str, dict[str, Change]] = Field(default_factory=dict)
    changes: dict[str, Change] = Field(default_factory=dict)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files, for editors."""
    schema = ScenarioTable.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

"""What a scenario file may hold: one description for validation and for the JSON schema that editors use.

Every number may be written as itself (``3.5``), as arithmetic on other parameters (``"0.5 * stake"``), or with where it
comes from: ``{ value = 3.5, source = "IISS2017" }`` or ``{ value = 0.6, illustrative = true, range = [0.2, 1.2] }``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from deterrence.alliances.scenarios.expressions import ExpressionError, names_in

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
    Steps: TypeAlias = Entry
else:
    Real = _number()
    NonNegative = _number(0.0)
    Positive = _number(0.0, strict=True)
    Probability = _number(0.0, 1.0)
    Steps = _number(1.0, 100.0)


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


def _fixed(value: float, about: str = "", low: float = -INFINITY, high: float = INFINITY) -> Any:
    return Field(
        default_factory=lambda: Entry(value, low, high),
        description=about or None,
        json_schema_extra={"default": value},
    )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class DistributionTable(_Table):
    """A distribution of a private value."""

    family: str = Field(description="normal, logistic, lognormal, uniform, two-point, degenerate, or a SciPy name")
    location: Real = Field(description="mean, or low end; of the logarithm for lognormal")
    scale: NonNegative = _fixed(1.0, "standard deviation, or width")
    shape: dict[str, Real] = Field(default_factory=dict, description="further parameters, by name")


class SupportTable(_Table):
    """A kind of help that members may give."""

    strength: Probability = _fixed(1.0, "share of the member's capability that it adds", 0.0, 1.0)
    cost: Positive = _fixed(1.0, "share of the member's private cost of fighting that it costs")
    discharges: Probability = _fixed(1.0, "share of the obligation that is met by giving it", 0.0, 1.0)


class MemberTable(_Table):
    """A member of the alliance."""

    name: str = Field(min_length=1)
    capability: NonNegative = Field(description="what it can bring, in units of strength")
    delay: NonNegative = Field(description="days until it can be there")
    stake: NonNegative = Field(description="what it thinks it loses if the target falls: its threat perception")
    cost: DistributionTable
    obligation: NonNegative = _fixed(0.0, "cost of staying out once the treaty is invoked")
    bilateral: NonNegative = _fixed(0.0, "cost of staying out under a bilateral guarantee, invoked or not")
    forward: NonNegative = _fixed(0.0, "strength stationed with the target")
    recognition: Recognition = Field(
        default_factory=lambda: Entry(1.0, 0.0, 1.0),
        json_schema_extra={"default": 1.0},
        description="probability that it sees an attack as one; a number, or a table by kind of attack",
    )
    days_per_unit: NonNegative = _fixed(0.0, "days that lift needs for each unit of strength")
    support: str = Field(default="military", description="military, or a key of the table support")
    opt_out: Probability = _fixed(0.0, "share of the treaty's obligation from which it has reserved itself")
    audience: NonNegative = _fixed(0.0, "cost of staying out before its own public, once the treaty is invoked")
    opposition: NonNegative = _fixed(0.0, "cost of assisting that its domestic opposition exacts")
    false_alarm: Recognition = Field(
        default_factory=lambda: Entry(0.0, 0.0, 1.0),
        json_schema_extra={"default": 0.0},
        description="probability that it takes an incident for an attack; a number, or a table by kind of attack",
    )
    rapid: NonNegative = _fixed(0.0, "part of its capability at high readiness, in units of strength")
    rapid_delay: NonNegative = _fixed(0.0, "days until the part at high readiness is there")
    bias: Probability = _fixed(0.0, "how strong an answer it wants beyond what the case warrants; for talk", 0.0, 1.0)


class AttackTable(_Table):
    """A kind of attack."""

    name: str = Field(min_length=1)
    strength: Positive = Field(description="the attacker's strength")
    window: Positive = Field(description="days until the attack is decided")
    share: Probability = Field(description="share of the prize that it can take")
    cost: NonNegative = Field(description="what it costs the aggressor, in units of the prize")
    attribution: Probability = _fixed(1.0, "probability that the attacker can be named")
    at_stake: Probability = _fixed(1.0, "share of each member's stake that it puts at risk", 0.0, 1.0)
    steps: Steps = _fixed(1.0, "number of equal steps into which it may be cut: salami tactics")
    threshold: NonNegative = _fixed(0.0, "size of a step, as a share of the whole, from which it is answered")
    blur: NonNegative = _fixed(0.0, "how doubtful the threshold is, in the same unit; 0 for a sharp one")
    memory: Probability = _fixed(0.0, "how far a step is judged with all that was taken before it", 0.0, 1.0)
    step_cost: NonNegative = _fixed(0.0, "what a step that is not answered costs the aggressor")
    incidents: Probability = _fixed(0.0, "probability of an incident that looks like this kind of attack", 0.0, 1.0)


class RuleTable(_Table):
    """Who invokes the treaty; exactly one of threshold, lead, or votes with a quota."""

    threshold: int | None = Field(default=None, ge=1, strict=True)
    lead: str | None = None
    votes: dict[str, float] | None = None
    quota: float | None = None


class TreatyTable(_Table):
    """What the members have agreed."""

    rule: Literal["unanimity", "majority"] | RuleTable = "unanimity"
    shared_intelligence: Probability = _fixed(0.0, "probability that all members share one assessment")
    integration: NonNegative = _fixed(0.0, "interoperability: assisting strength is multiplied by 1 + this if invoked")
    consultation: NonNegative = _fixed(0.0, "days that consultation adds to every delay")
    deliberation: NonNegative = _fixed(0.0, "mean days that each member needs to agree")
    automaticity: NonNegative = _fixed(0.0, "obligation that the treaty itself lays on every member")
    incidents: Probability = _fixed(0.0, "probability of an incident that looks like the first kind of attack")
    talk: Probability = _fixed(0.0, "probability that a member is heard in cheap talk before the vote", 0.0, 1.0)
    integrated_command: Probability = _fixed(0.0, "share of consultation and deliberation that it saves", 0.0, 1.0)


class AutomationTable(_Table):
    """Warning and decision by machines: faster, and weaker in judgment."""

    attack: str = Field(default="", description="the kind of attack that is judged by machine; empty: the first")
    level: Probability = _fixed(0.0, "from 0, none, to 1, full", 0.0, 1.0)
    speed: Probability = _fixed(0.8, "share by which full automation shortens consultation", 0.0, 1.0)
    mobilisation: Probability = _fixed(0.0, "share of each member's delay that full automation saves", 0.0, 1.0)
    sensitivity: Positive = _fixed(2.0, "d' of signal detection without automation, in standard deviations")
    loss: Probability = _fixed(0.4, "share of d' that full automation costs", 0.0, 1.0)
    spoofing: Probability = _fixed(0.0, "share of attacks that the attacker hides from full automation", 0.0, 1.0)
    prior: Probability = _fixed(0.2, "probability of attack for which the warning is set", 0.0, 1.0)
    cost_miss: Positive = _fixed(5.0, "cost of missing an attack")
    cost_false: Positive = _fixed(1.0, "cost of responding to none")


class TargetTable(_Table):
    """The target, if it may yield."""

    name: str = Field(default="Target", min_length=1)
    stake: NonNegative = _fixed(1.0, "what it saves if the defence holds")
    cost: DistributionTable


class AggressorTable(_Table):
    """The state that may attack."""

    name: str = Field(default="Aggressor", min_length=1)
    punishment: NonNegative = _fixed(0.0, "what each unit of assisting strength costs it, in units of the prize")
    prize: DistributionTable


class DefenceTable(_Table):
    """The target and the contest."""

    base: NonNegative = Field(description="strength that the target has by itself")
    decisiveness: Positive = _fixed(1.0, "how decisive superiority is; 1: the odds are the ratio of strengths")
    decay: Positive = _fixed(7.0, "days over which what arrives late loses its worth by a factor e")
    tripwire: NonNegative = _fixed(0.0, "cost of staying out per unit of own forward strength")


Change = float | str


def _overlay(raw: object) -> dict[str, Any]:
    """Return a player's overlay: changes by path, and under ``believes`` what it thinks that others see."""
    if not isinstance(raw, dict):
        raise ValueError(f"expected a table of changes by path, got {raw!r}")
    found: dict[str, Any] = {}
    for path, change in raw.items():
        if path == "believes":
            if not isinstance(change, dict):
                raise ValueError(f"expected 'believes' to be a table of overlays by player, got {change!r}")
            found[path] = {player: _overlay(one) for player, one in change.items()}
        elif isinstance(change, str) or _plain(change):
            found[path] = change
        else:
            raise ValueError(f"expected a number or a change such as '+0.5' for {path!r}, got {change!r}")
    return found


_CHANGE = {"anyOf": [{"type": "number"}, {"type": "string"}]}
Overlay = Annotated[
    dict[str, Any],
    BeforeValidator(_overlay),
    WithJsonSchema({"type": "object", "properties": {"believes": {"type": "object"}}, "additionalProperties": _CHANGE}),
]


class StateTable(_Table):
    """One state of a common shock."""

    name: str = Field(min_length=1)
    probability: Probability
    changes: dict[str, Change] = Field(default_factory=dict)


class ShockTable(_Table):
    """What moves the members' costs together: a correlation, or states."""

    correlation: Probability = _fixed(0.0, "of members' costs, one factor; for normal or lognormal costs")
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


class VariantTable(_Table):
    """What is different in a variant of the scenario, which isolates one mechanism."""

    mechanism: str = Field(min_length=1, description="the mechanism that it isolates")
    isolates: str = Field(min_length=1, description="one sentence: what is different, and what that shows")
    changes: dict[str, Change] = Field(
        default_factory=dict, description="other numbers, by path or name of a parameter; '+x', '-x', '*x' are relative"
    )
    perception: dict[str, Overlay] = Field(
        default_factory=dict, description="overlays by player that take the place of the scenario's"
    )
    tables: dict[str, Any] = Field(
        default_factory=dict, description="tables of a scenario file, laid over the scenario's own"
    )


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
    automation: AutomationTable | None = None
    posture: StageTable | None = None
    perception: dict[str, Overlay] = Field(
        default_factory=dict,
        description="by player: what it sees, by path or name of a parameter; under `believes`, again by player and to "
        "any depth, what it thinks that others see",
    )
    changes: dict[str, Change] = Field(default_factory=dict)
    variants: dict[str, VariantTable] = Field(default_factory=dict)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files, for editors."""
    schema = ScenarioTable.model_json_schema()
    overlay = {"$ref": "#/properties/perception/additionalProperties"}  # an overlay holds overlays
    for table in (schema, schema["$defs"]["VariantTable"]):
        nested = table["properties"]["perception"]["additionalProperties"]["properties"]["believes"]
        nested["additionalProperties"] = overlay
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

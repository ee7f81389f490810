"""What a scenario file may hold: one description for validation and for the JSON schema that editors use.

The numbers of a table are those that its record declares (``alliances.declarations``): look there for a key.

Every number may be written as itself (``3.5``), as arithmetic on other parameters (``"0.5 * stake"``), or with where it
comes from: ``{ value = 3.5, source = "IISS2017" }`` or ``{ value = 0.6, illustrative = true, range = [0.2, 1.2] }``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

from deterrence.alliances.aggressor import Aggressor
from deterrence.alliances.attacks import AttackOption
from deterrence.alliances.collective_defence import CollectiveDefence
from deterrence.alliances.declarations import numbers_declared
from deterrence.alliances.members import Member, Support
from deterrence.alliances.posture import AllianceType, Posture
from deterrence.alliances.scenarios.entry import INFINITY, Entry, entry_reader, entry_schema, is_entry, is_number
from deterrence.alliances.shocks import CommonShock, ShockState
from deterrence.alliances.target import Target
from deterrence.alliances.treaty import Treaty
from deterrence.alliances.warning import Automation
from deterrence.games.renaming import present_keys


def _number(low: float = -INFINITY, high: float = INFINITY, *, strict: bool = False, whole: bool = False) -> Any:
    reader, schema = entry_reader(low, high, strict, whole), entry_schema(low, high, strict)
    return Annotated[Any, BeforeValidator(reader), WithJsonSchema(schema)]


if TYPE_CHECKING:
    Real: TypeAlias = Entry
    NonNegative: TypeAlias = Entry
    Positive: TypeAlias = Entry
else:
    Real = _number()
    NonNegative = _number(0.0)
    Positive = _number(0.0, strict=True)


def _by_attack(low: float, high: float) -> Any:
    """Return the type of a number that may be given for each kind of attack."""
    parse = entry_reader(low, high, False)

    def read(raw: object) -> Entry | dict[str, Entry]:
        if isinstance(raw, dict) and raw and not is_entry(raw):
            by_kind: dict[str, Entry] = {}
            for attack, value in raw.items():
                try:
                    by_kind[attack] = parse(value)
                except ValueError as error:
                    raise ValueError(f"of {attack!r}: {error}") from None
            return by_kind
        result: Entry = parse(raw)
        return result

    plain = entry_schema(low, high, False)
    return Annotated[
        Any,
        BeforeValidator(read),
        WithJsonSchema({"anyOf": [plain, {"type": "object", "additionalProperties": plain}]}),
    ]


def _fixed(value: float, about: str = "", low: float = -INFINITY, high: float = INFINITY) -> Any:
    return Field(
        default_factory=lambda: Entry(value, low, high),
        description=about or None,
        json_schema_extra={"default": value},
    )


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


Table = TypeVar("Table", bound=type[BaseModel])


def _numbers_of(record: type) -> Callable[[Table], Table]:
    """Add to a table the numbers that a record declares, and read them by the names of an earlier release, too."""

    def add(table: Table) -> Table:
        kind: Any = table
        numbers: dict[str, Any] = {}
        for key, said in numbers_declared(record).items():
            annotation = (
                _by_attack(said.low, said.high)
                if said.by_attack
                else _number(said.low, said.high, strict=said.strict, whole=said.whole)
            )
            if said.required or said.default is None:
                numbers[key] = (annotation, Field(description=said.meaning))
            else:
                numbers[key] = (annotation, _fixed(said.default, said.meaning, said.low, said.high))
        made: Any = create_model(kind.__name__, __base__=kind, __module__=kind.__module__, **numbers)
        made.__doc__ = kind.__doc__
        return made  # type: ignore[no-any-return]

    return add


class DistributionTable(_Table):
    """A distribution of a private value."""

    family: str = Field(description="normal, logistic, lognormal, uniform, two-point, degenerate, or a SciPy name")
    location: Real = Field(description="mean, or low end; of the logarithm for lognormal")
    scale: NonNegative = _fixed(1.0, "standard deviation, or width")
    shape: dict[str, Real] = Field(default_factory=dict, description="further parameters, by name")


@_numbers_of(Support)
class SupportTable(_Table):
    """A kind of help that members may give."""


@_numbers_of(Member)
class MemberTable(_Table):
    """A member of the alliance."""

    name: str = Field(min_length=1)
    cost: DistributionTable
    support: str = Field(default="military", description="military, or a key of the table support")


@_numbers_of(AttackOption)
class AttackTable(_Table):
    """A kind of attack."""

    name: str = Field(min_length=1)


class RuleTable(_Table):
    """Who invokes the treaty; exactly one of threshold, lead, or votes with a quota."""

    threshold: int | None = Field(default=None, ge=1, strict=True)
    lead: str | None = None
    votes: dict[str, float] | None = None
    quota: float | None = None


@_numbers_of(Treaty)
class TreatyTable(_Table):
    """What the members have agreed."""

    rule: Literal["unanimity", "majority"] | RuleTable = "unanimity"


@_numbers_of(Automation)
class AutomationTable(_Table):
    """Warning and decision by machines: faster, and weaker in judgment."""

    attack: str = Field(default="", description="the kind of attack that is judged by machine; empty: the first")


@_numbers_of(Target)
class TargetTable(_Table):
    """The target, if it may yield."""

    name: str = Field(default="Target", min_length=1)
    cost: DistributionTable


@_numbers_of(Aggressor)
class AggressorTable(_Table):
    """The state that may attack."""

    name: str = Field(default="Aggressor", min_length=1)
    prize: DistributionTable


@_numbers_of(CollectiveDefence)
class DefenceTable(_Table):
    """The target and the contest."""


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
        elif isinstance(change, str) or is_number(change):
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


@_numbers_of(ShockState)
class StateTable(_Table):
    """One state of a common shock."""

    name: str = Field(min_length=1)
    changes: dict[str, Change] = Field(default_factory=dict)


@_numbers_of(CommonShock)
class ShockTable(_Table):
    """What moves the members' costs together: a correlation, or states."""

    nodes: int | None = Field(default=None, ge=2, le=64)
    states: list[StateTable] = Field(default_factory=list)


@_numbers_of(AllianceType)
class TypeTable(_Table):
    """A private type of the alliance."""

    name: str = Field(min_length=1)
    changes: dict[str, Change] = Field(default_factory=dict)


@_numbers_of(Posture)
class PostureTable(_Table):
    """A posture that the alliance may take."""

    name: str = Field(min_length=1)
    forward: dict[str, NonNegative] = Field(default_factory=dict)
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


def _changes(raw: object) -> dict[str, Any] | str:
    """Return what an option changes: by path, or the name of a variant."""
    if isinstance(raw, str):
        return raw
    if not isinstance(raw, dict):
        raise ValueError(f"expected a table of changes by path, or the name of a variant, got {raw!r}")
    for path, change in raw.items():
        if isinstance(change, bool) or not isinstance(change, int | float | str):
            raise ValueError(f"expected a number or a change such as '+0.5' for {path!r}, got {change!r}")
    return raw


_CHANGES = {"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": _CHANGE}]}


class OptionTable(_Table):
    """Something that the alliance could do, with what it changes and what it costs."""

    title: str = Field(default="", description="one line; the name by default")
    changes: Annotated[dict[str, Any] | str, BeforeValidator(_changes), WithJsonSchema(_CHANGES)] = Field(
        default_factory=dict, description="numbers by path or name of a parameter, as in a variant; or a variant's name"
    )
    perception: dict[str, Overlay] = Field(
        default_factory=dict, description="overlays by player that take the place of the scenario's"
    )
    tables: dict[str, Any] = Field(
        default_factory=dict, description="tables of a scenario file, laid over the scenario's own"
    )
    cost: NonNegative | None = Field(default=None, description="in the unit of the option")
    unit: str = Field(default="", description="of the cost; by default that of the budget")
    lead_time: NonNegative | None = Field(default=None, description="years from the decision until it works")
    when: str = Field(default="", description="the option is taken only where this holds of what would be without it")
    requires: list[str] = Field(default_factory=list, description="options that must be taken with it")
    excludes: list[str] = Field(default_factory=list, description="options that cannot be taken with it")
    source: str = Field(default="", description="key into the table of sources: where the option is described")
    note: str = ""


class BudgetTable(_Table):
    """What options may cost together."""

    amount: NonNegative = Field(description="in the unit of the budget")
    unit: str = Field(min_length=1)
    confidence: float = Field(
        default=0.5, gt=0, le=1, description="share of draws in which the options must cost no more than the amount"
    )


class CorrelationTable(_Table):
    """Numbers that are high or low together: a Gaussian copula, given by one correlation or by a matrix."""

    numbers: list[str] = Field(
        min_length=1,
        description="keys of uncertain numbers; a step `*` stands for all: `members.*.stake`",
    )
    rho: float | None = Field(default=None, description="correlation of the normal scores of any two of them")
    matrix: list[list[float]] | None = Field(
        default=None, description="correlations of their normal scores, in the order of `numbers`"
    )


class UncertaintyTable(_Table):
    """How uncertain numbers hang together."""

    correlate: list[CorrelationTable] = Field(default_factory=list)


class EvidenceTable(_Table):
    """What has been observed or said of the situation: a record, counts, a judgment, or an ordering."""

    title: str = Field(default="", description="one line")
    event: str | list[str] | None = Field(default=None, description="an event, `no EVENT`, or a list of either")
    years: float | None = Field(default=None, gt=0, description="length of the record, or of the period judged")
    opportunities: NonNegative | None = Field(
        default=None, description="occasions on which the aggressor weighs an attack: a year, or in all without years"
    )
    count: int | None = Field(default=None, ge=0, description="cases in which the event happened")
    of: int | None = Field(default=None, ge=1, description="cases in all")
    reference_class: str | None = Field(default=None, min_length=1, description="what the cases are, and who counted")
    concentration: Positive | None = Field(
        default=None, description="how alike its cases are to this one: it is worth fewer than concentration + 1 of it"
    )
    probability: float | None = Field(default=None, ge=0, le=1, description="that somebody stated")
    error: float | None = Field(default=None, gt=0, description="its standard error")
    expert: str | None = Field(default=None, description="who stated it")
    likelier: str | None = Field(default=None, description="the event that was judged likelier")
    than: str | None = Field(default=None, description="than this event")
    confidence: float | None = Field(default=None, ge=0.5, le=1, description="probability that the ordering is right")
    source: str = Field(default="", description="key into the table of sources")
    note: str = ""


class HorizonTable(_Table):
    """A period over which opportunities recur, each alike and independent of the others."""

    years: float = Field(gt=0, description="length of the period")
    opportunities: NonNegative = Field(description="a year: occasions on which the aggressor weighs an attack")


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
    uncertainty: UncertaintyTable = Field(default_factory=UncertaintyTable)
    evidence: list[EvidenceTable] = Field(default_factory=list)
    horizon: HorizonTable | None = None
    variants: dict[str, VariantTable] = Field(default_factory=dict)
    options: dict[str, OptionTable] = Field(default_factory=dict)
    budget: BudgetTable | None = None


NOT_OF_THE_GAME = ("variants", "options", "budget", "evidence", "horizon")  # tables whose numbers are none of the game


_RECORDS: dict[str, type] = {  # of the tables that hold numbers of a record
    "treaty": Treaty,
    "aggressor": Aggressor,
    "target": Target,
    "automation": Automation,
    "shock": CommonShock,
    "attacks": AttackOption,
    "members": Member,
    "support": Support,
}


def present_names(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain data of a scenario file with keys of an earlier release replaced by their present names.

    Raises
    ------
    ValueError
        If a table holds a key by both names.
    """
    present = dict(data)
    for key, record in _RECORDS.items():
        names: Mapping[str, str] = getattr(record, "RENAMED", {})
        table = present.get(key)
        if not names or not table:
            continue
        if isinstance(table, list):
            present[key] = [_renamed(one, names, key) for one in table]
        elif key == "support" and isinstance(table, Mapping):
            present[key] = {name: _renamed(one, names, key) for name, one in table.items()}
        else:
            present[key] = _renamed(table, names, key)
    variants = present.get("variants")
    if isinstance(variants, Mapping):
        present["variants"] = {
            name: {**one, "tables": present_names(one["tables"])}
            if isinstance(one, Mapping) and isinstance(one.get("tables"), Mapping)
            else one
            for name, one in variants.items()
        }
    return present


def _renamed(table: Any, names: Mapping[str, str], what: str) -> Any:
    return present_keys(table, names, f"[{what}]") if isinstance(table, Mapping) else table


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of scenario files, for editors."""
    schema = ScenarioTable.model_json_schema()
    overlay = {"$ref": "#/properties/perception/additionalProperties"}  # an overlay holds overlays
    for table in (schema, schema["$defs"]["VariantTable"]):
        nested = table["properties"]["perception"]["additionalProperties"]["properties"]["believes"]
        nested["additionalProperties"] = overlay
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

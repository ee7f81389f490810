"""What a study file may hold, as pydantic models."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AxisTable(_Table):
    """Values of one parameter: a list, or ends and a number of points."""

    values: tuple[_Finite, ...] | None = None
    low: _Finite | None = None
    high: _Finite | None = None
    points: Annotated[int, Field(ge=2, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> AxisTable:
        ends = self.low is not None and self.high is not None
        if self.values is not None:
            if not self.values or self.low is not None or self.high is not None or self.points is not None:
                raise ValueError("expected values = [...] alone, with at least one number, or low and high")
        elif not ends:
            raise ValueError("expected values = [...], or low and high")
        elif not (self.low or 0.0) < (self.high or 0.0):
            raise ValueError(f"expected low < high, got {self.low} and {self.high}")
        return self


class SampleTable(_Table):
    """A sample to be drawn from ranges."""

    points: Annotated[int, Field(ge=1)]
    method: Literal["sobol", "halton", "latin hypercube"] = "sobol"
    seed: Annotated[int, Field(ge=0)] = 0


class SensitivityTable(_Table):
    """What to ask of Sobol' indices."""

    samples: Annotated[int, Field(ge=2)] = 512
    seed: Annotated[int, Field(ge=0)] = 0
    variable: str | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95


class StudyTable(_Table):
    """A whole study."""

    schema_version: Literal[1]
    target: Annotated[str, Field(min_length=1)]
    events: Annotated[tuple[str, ...], Field(min_length=1)] = ("attack",)
    concept: str | None = None
    store: str | None = None
    block: Annotated[int, Field(ge=1)] | None = None
    memory: str = "1 GiB"
    vary: Annotated[dict[str, AxisTable], Field(min_length=1)]
    at: dict[str, Any] = Field(default_factory=dict)
    sample: SampleTable | None = None
    sensitivity: SensitivityTable = SensitivityTable()

    @model_validator(mode="after")
    def _grid_has_points(self) -> StudyTable:
        for name, axis in self.vary.items():
            if self.sample is None and axis.values is None and axis.points is None:
                raise ValueError(f"{name!r} needs points = N for a grid, or the study a [sample]")
        for name, value in self.at.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"{name!r} must be fixed at a finite value, got {value}")
        return self


def known_keys(place: tuple[Any, ...]) -> list[str]:
    """Return the keys that the table at a place of the file may hold."""
    kinds: dict[str, type[BaseModel]] = {"vary": AxisTable, "sample": SampleTable, "sensitivity": SensitivityTable}
    return list(kinds.get(str(place[0]) if place else "", StudyTable).model_fields)

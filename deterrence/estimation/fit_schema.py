"""What a fit file may hold, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Symbol = Annotated[str, Field(pattern=r"^\s*(-?\s*[A-Za-z_][A-Za-z_0-9]*|-?[0-9./]+)\s*$")]
_Formula = str | _Finite
_Name = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeTable(_Table):
    """A node: an end with payoffs, a move with actions, or a chance move with branches."""

    end: _Name | None = None
    payoffs: dict[str, _Symbol | int | _Finite] = Field(default_factory=dict)
    player: _Name | None = None
    actions: dict[str, NodeTable] = Field(default_factory=dict)
    chance: dict[str, BranchTable] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_kind(self) -> NodeTable:
        kinds = [self.end is not None, self.player is not None, bool(self.chance)]
        if sum(kinds) != 1:
            raise ValueError("expected one of: end and payoffs, player and actions, chance")
        if self.player is not None and not self.actions:
            raise ValueError("expected at least one action of the player")
        if self.end is not None and not self.payoffs:
            raise ValueError("expected payoffs of the end, one for each player")
        return self


class BranchTable(_Table):
    """A branch of a chance move."""

    probability: Annotated[float, Field(ge=0, le=1)] | Annotated[str, Field(pattern=r"^[0-9./]+$")]
    to: NodeTable


class FitTable(_Table):
    """A whole fit file."""

    schema_version: Literal[1]
    title: str = ""
    players: Annotated[tuple[_Name, ...], Field(min_length=1)]
    tree: NodeTable
    outcome: _Name | tuple[_Name, ...] | dict[str, _Name]
    utilities: dict[str, _Formula]
    errors: Literal["agent", "private"] = "agent"
    link: Literal["probit", "logit"] = "probit"
    scale: _Formula | dict[str, _Formula] = 1.0
    correlation: str | Annotated[float, Field(gt=-1, lt=1)] | None = None
    weights: _Name | None = None
    cluster: _Name | None = None
    covariance: Literal["hessian", "robust", "clustered", "opg"] | None = None
    penalty: Literal["jeffreys", "firth", "cauchy", "log-F"] | None = None
    starts: Annotated[int, Field(ge=1)] = 3
    seed: Annotated[int, Field(ge=0)] = 0
    missing: Literal["drop", "raise"] = "drop"
    bootstrap: Annotated[int, Field(ge=2)] | None = None
    effects: tuple[_Name, ...] = ()


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of fit files, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **FitTable.model_json_schema()}

"""Studies: sweeps written down in a TOML file, run, resumed and read from the command line.

A study file::

    schema_version = 1
    target = "baltic-2017"            # a scenario by name or path, or a model as "model:ALSIG"
    events = ["attack"]
    store = "baltic.zarr"             # optional: the sweep can then be resumed; relative to the file

    [vary]                            # a grid; with [sample], ranges to draw from
    resolve = { low = -1, high = 1, points = 101 }
    "treaty.consultation" = { values = [0, 2, 5] }

    [at]                              # optional: fixed values
    brigade = 3000

    [sample]                          # optional: a sample instead of a grid
    points = 1024
    method = "sobol"                  # or "halton", "latin hypercube"
    seed = 1

    [sensitivity]                     # optional: what `sensitivity` asks
    samples = 512
    seed = 1
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deterrence.alliances.scenarios.loader import read_toml, report
from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.games.errors import ParameterError, ScenarioError, did_you_mean
from deterrence.games.values import Value
from deterrence.models.library import get
from deterrence.sweeps.designs import Grid, Sample
from deterrence.sweeps.errors import StoreError
from deterrence.sweeps.extension import extended_axes, stored_design
from deterrence.sweeps.progress import Told
from deterrence.sweeps.question import UNSOLVED
from deterrence.sweeps.sensitivity import sobol_indices
from deterrence.sweeps.store import extension_of, is_plain_result, is_remote, locate, open_group
from deterrence.sweeps.sweep import failures, load, sweep

if TYPE_CHECKING:
    import xarray as xr

_LARGEST = 1_000_000  # bytes of a study file
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


@dataclass(frozen=True, eq=False)
class Study(Value):
    """A sweep as a file says it.

    Attributes
    ----------
    table : StudyTable
        The validated content.
    folder : Path
        What paths in the file are relative to.
    """

    table: StudyTable = field(repr=False)
    folder: Path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Study:
        """Return the study of a TOML file.

        Raises
        ------
        ScenarioError
            If the file is wrong; ``problems`` lists every mistake, each with file, line and key.
        """
        place = Path(path)
        return cls(_parsed(_read(place), place.name), place.resolve().parent)

    @property
    def target(self) -> Any:
        """The scenario or model."""
        name = self.table.target
        if name.startswith("model:"):
            return get(name.removeprefix("model:"))
        beside = self.folder / name
        return Scenario.load(beside if beside.is_file() else name)

    @property
    def over(self) -> dict[str, Any]:
        """Values of each parameter, or ranges if the study draws a sample."""
        ranges = self.table.sample is not None
        return {name: _ends(axis) if ranges else _values(axis) for name, axis in self.table.vary.items()}

    @property
    def store(self) -> str | None:
        """Where the result is stored, if anywhere."""
        given = self.table.store
        return given if given is None or "://" in given else str(self.folder / given)

    def run(
        self, *, executor: Any = None, progress: bool | Told = True, repair: bool = False, extend: bool = False
    ) -> xr.Dataset:
        """Run the sweep, or resume it where it is stored; with ``extend``, let the store grow to what the file says.

        Raises
        ------
        ParameterError, GameError
            If the target does not know a name or an event.
        StoreError
            If the store cannot be used.
        """
        table, options = self.table, self._question()
        if table.sample is not None:
            options |= {"samples": table.sample.points, "method": table.sample.method, "seed": table.sample.seed}
        options |= {"store": self.store, "block": table.block, "memory": table.memory}
        options |= {"repair": repair, "extend": extend}
        return sweep(self.target, self.over, executor=executor, progress=progress, **options)

    def sensitivity(self, *, executor: Any = None, progress: bool | Told = True) -> xr.Dataset:
        """Return Sobol' indices of the first event over the ranges of the study.

        Raises
        ------
        ParameterError
            If the answer does not vary, or a range is a single value.
        """
        asked = self.table.sensitivity
        ranges = {name: _ends(axis) for name, axis in self.table.vary.items()}
        options = {**self._question(), **asked.model_dump()}
        return sobol_indices(self.target, ranges, executor=executor, progress=progress, **options)

    def _question(self) -> dict[str, Any]:
        return {"at": dict(self.table.at), "event": list(self.table.events), "concept": self.table.concept}


def resume(
    store: str | os.PathLike[str],
    *,
    add: Mapping[str, Any] | None = None,
    samples: int | None = None,
    executor: Any = None,
    progress: bool | Told = True,
    repair: bool = False,
) -> xr.Dataset:
    """Finish, or extend, the stored sweep of a scenario or a library model, from what the store itself says.

    Parameters
    ----------
    store : path or URL
    add : mapping of str to array_like, optional
        Further values of names that a stored grid is swept over.
    samples : int, optional
        Number of points that a stored Sobol' or Halton sample shall have; not with ``add``.
    executor, progress, repair
        As in ``sweep``.

    Raises
    ------
    StoreError
        If there is no sweep, it cannot be extended so, or its target can only be had from the script that made it: run
        that again.
    ParameterError
        If a name or a number is wrong.
    """
    group = open_group(str(store))
    if is_plain_result(group):
        raise StoreError(f"{store} is the written result of a sweep, whole as it is: there is nothing to resume")
    spec = json.loads(str(group.attrs["specification"]))
    question, asked = spec["question"], stored_design(group, spec["design"], store)
    settle = question["ties"]
    options = {} if samples is None else _more_samples(asked, samples, add)
    over: Any = asked
    if samples is not None:
        ranges = asked.description()["ranges"]
        over = {name: ranges[name] for name in asked.names}
    elif add:
        over = extended_axes(asked, add)
    return sweep(
        _target_again(question["target"], store),
        over,
        at=question["at"],
        event=question["events"],
        concept=None if question["concept"] is None else question["concept"]["name"],
        ties=None if not settle else "settle" if settle.startswith("settled") else "leave",
        store=store,
        executor=executor,
        progress=progress,
        repair=repair,
        extend=samples is not None or bool(add),
        **options,
    )


def _more_samples(asked: Grid | Sample, samples: int, add: Mapping[str, Any] | None) -> dict[str, Any]:
    told = asked.description()
    if add:
        raise ParameterError("a stored sweep is extended by more values of a grid or by more samples, not by both")
    if isinstance(asked, Grid) or "ranges" not in told:
        raise ParameterError("the stored sweep is no sample of ranges; more values of a grid are added name by name")
    if "correlation" in told or not all(isinstance(ends, list) for ends in told["ranges"].values()):
        raise ParameterError(
            "the ranges of the stored sample are distributions or correlated, which only the script that made it has: "
            "repeat its call with more samples and extend=True"
        )
    return {"samples": samples, "method": told["kind"], "seed": told["seed"]}


def show(store: str | os.PathLike[str], *, verify: bool = False) -> str:
    """Return in words what a store holds: the question, how far it is, the ranges of its answers, and what failed.

    Parameters
    ----------
    store : path or URL
        A store, or the result of a sweep that was written to a folder ``.zarr``.
    verify : bool
        Whether every block is read and compared with its checksum; that all files are there is checked in any case.

    Raises
    ------
    StoreError
        If there is no sweep, or it is damaged; what is damaged is named.
    """
    found = load(store, partial=True, verify=verify)
    spec = json.loads(str(found.attrs["specification"]))
    done = int((found["status"] != UNSOLVED).sum())
    total = int(found.attrs["points"])
    target = spec["question"]["target"]
    name = next((f"{key} {target[key]}" for key in ("scenario", "model", "game") if key in target), "target")
    lines = [f"{name}, {total:,} points, {done:,} done ({done / total:.0%})", f"started {found.attrs['started']}"]
    begun = "" if is_remote(locate(str(store))) else _extension_begun(locate(str(store)))
    if begun:
        lines.append(begun)
    if is_plain_result(open_group(str(store))):
        lines[0] += "; the written result of a sweep, no store to be resumed"
    for parameter, told in spec["design"]["points"].items():
        lines.append(f"  {parameter}: {told['count']} values from {told['low']:g} to {told['high']:g}")
    for variable in json.loads(str(found.attrs["probabilities"])):
        values = found[variable].values
        known = values[np.isfinite(values)]
        if known.size:
            lines.append(f"  {variable}: {known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}")
    kinds = [n for n in found.data_vars if "kind" in found[n].attrs]
    lines += [f"  {found[n].attrs['kind']}: at {float(found[n].mean()):.1%} of the points" for n in kinds]
    if found.attrs.get("failed"):
        lines.append(f"{found.attrs['failed']:,} points have no answer, such as")
        for failure in failures(found)[:5]:
            where = ", ".join(f"{key}={value:g}" for key, value in failure.items() if isinstance(value, float))
            lines.append(f"  {where}: {failure['reason']}")
    return "\n".join(lines)


def _extension_begun(url: str) -> str:
    """Say that an extension of a store was begun and not finished, if so."""
    place = extension_of(url)
    if not place.is_dir():
        return ""
    try:
        found = load(place, partial=True)
    except StoreError:
        return "an extension of it was begun; the call that began it goes on with it"
    done, total = int((found["status"] != UNSOLVED).sum()), int(found.attrs["points"])
    return f"an extension to {total:,} points was begun, {done:,} done; the call that began it goes on with it"


def _target_again(told: Mapping[str, Any], store: Any) -> Any:
    if "scenario" in told:
        return Scenario.loads(str(told["text"]), f"{told['scenario']} in {store}")
    if "model" in told:
        return get(str(told["model"]))
    raise StoreError(
        f"{store} holds a sweep of a game, which only the script that made it has: run that again to resume"
    )


def _ends(axis: AxisTable) -> tuple[float, float]:
    if axis.values is not None:
        return min(axis.values), max(axis.values)
    assert axis.low is not None
    assert axis.high is not None
    return axis.low, axis.high


def _values(axis: AxisTable) -> Any:
    if axis.values is not None:
        return list(axis.values)
    assert axis.low is not None
    assert axis.high is not None
    assert axis.points is not None
    return np.linspace(axis.low, axis.high, axis.points)


def _read(path: Path) -> str:
    if not path.is_file():
        raise ScenarioError(f"{path}: no such file; expected a study in TOML")
    if path.stat().st_size > _LARGEST:
        raise ScenarioError(f"{path}: a study file may have at most {_LARGEST:,} bytes")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: expected a text file in UTF-8, but byte {error.start} is not") from None


def _parsed(text: str, where: str) -> StudyTable:
    try:
        data = read_toml(text, where)
        if "members" in data and "attacks" in data:
            raise ScenarioError(
                f"{where}: this is a scenario; a study is a file of its own that names it as its target"
            )
        return StudyTable.model_validate(data)
    except RecursionError:
        raise ScenarioError(f"{where}: tables are nested too deeply to be a study") from None
    except ValidationError as error:
        raise report(where, text, list(_problems(error))) from None


def _problems(error: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for item in error.errors(include_url=False):
        place = tuple(item["loc"])
        if item["type"] == "missing":
            yield place, "missing; expected a value"
        elif item["type"] == "extra_forbidden":
            known = _known_keys(place[:-1])
            hint = did_you_mean(place[-1], known)
            yield place, f"unknown key; expected one of {', '.join(known)}{hint}"
        else:
            yield place, str(item["msg"]).removeprefix("Value error, ")


def _known_keys(place: tuple[Any, ...]) -> list[str]:
    """Return the keys that the table at a place of the file may hold."""
    kinds: dict[str, type[BaseModel]] = {"vary": AxisTable, "sample": SampleTable, "sensitivity": SensitivityTable}
    return list(kinds.get(str(place[0]) if place else "", StudyTable).model_fields)

"""The list of published models, and the way to one by its id."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import overload

from deterrence.games.errors import ParameterError
from deterrence.games.values import Value
from deterrence.models.model import Model
from deterrence.models.parameter_table import Choice, Entry
from deterrence.models.registry import ALIASES, REGISTRY, library_model


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the catalogue.

    Attributes
    ----------
    id, title, source, mechanism, concept : str
    parameters : tuple of str
        Name, range and unit of each parameter.
    modes : tuple of str
        Forms beside the plain one.
    routes : tuple of str
        ``"closed_form"`` and ``"solved"``, as far as the model has them.
    one_route : str
        Why one route only, where that is so.
    confidence : str
        A: as published; B: special case or normalisation of a published model; C: made here for a mechanism.
    """

    id: str
    title: str
    source: str
    mechanism: str
    parameters: tuple[str, ...]
    concept: str
    modes: tuple[str, ...]
    routes: tuple[str, ...]
    one_route: str
    confidence: str


@dataclass(frozen=True, eq=False)
class Catalogue(Sequence[Record], Value):
    """The records of all models, in order; shows itself as a table."""

    records: tuple[Record, ...]

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self.records[index]

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in order."""
        return tuple(record.id for record in self.records)

    def __str__(self) -> str:
        width = max(len(record.id) for record in self.records)
        return "\n".join(f"{r.id:<{width}}  [{r.confidence}]  {r.title}  ({r.source})" for r in self.records)

    def _repr_html_(self) -> str:
        names = ("id", "title", "source", "mechanism", "parameters", "concept", "routes", "confidence")
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(getattr(record, name)))}</td>" for name in names) + "</tr>"
            for record in self.records
        )
        return f'<table aria-label="models"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def catalogue() -> Catalogue:
    """Return the list of all models of the library.

    Examples
    --------
    >>> import deterrence as dt
    >>> "ALSIG" in dt.models.catalogue().ids
    True
    """
    return Catalogue(tuple(_record(get(id)) for id in REGISTRY))


def get(id: str) -> Model:
    """Return the model with an id; upper and lower case are one.

    Raises
    ------
    ParameterError
        If there is none; the message names the nearest ids.

    Examples
    --------
    >>> import deterrence as dt
    >>> dt.models.get("cid").title
    'Direct deterrence, complete information'
    """
    known = {name.upper(): name for name in (*REGISTRY, *ALIASES)}
    asked = str(id).strip().upper()
    found = known.get(asked) or known.get(re.sub(r"-\d+$", "", asked))  # the id of a check means its model
    if found is None:
        near = difflib.get_close_matches(asked, list(known), n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(known[n] for n in near)}?" if near else ""
        raise ParameterError(f"no model has the id {id!r}{hint} (dt.models.catalogue() lists all {len(REGISTRY)})")
    model: Model = library_model(ALIASES.get(found, found))
    return model


def _record(model: Model) -> Record:
    return Record(
        id=model.id,
        title=model.title,
        source=model.source,
        mechanism=model.mechanism,
        parameters=tuple(_range(entry) for entry in model.parameters),
        concept=model.concept or "cutpoints",
        modes=model.modes,
        routes=model.routes,
        one_route=model.one_route,
        confidence=model.confidence,
    )


def _range(entry: Entry) -> str:
    if isinstance(entry, Choice):
        return f"{entry.name} ({' | '.join(entry.options)})"
    unit = f" {entry.unit}" if entry.unit else ""
    return f"{entry.name} [{entry.low:g}, {entry.high:g}]{unit}"


def _cell(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)

r"""What has been observed or said of a situation, and how probable it is under a model's numbers.

A file states evidence in ``[[evidence]]``, in one of four forms. In all of them p is the probability of an event *on
one opportunity*: one occasion on which the aggressor weighs whether to attack, in the situation of the file.

===============  =======================================================  ==============================================
form             keys                                                     probability of the evidence
===============  =======================================================  ==============================================
a record         ``event``; ``years`` and ``opportunities`` a year        :math:`1 - (1 - p)^n` that it happened at
                 (or those of ``[horizon]``), or ``opportunities``        least once in n opportunities, or
                 alone (one by default)                                   :math:`(1 - p)^n` of ``"no EVENT"``
counts           ``event``, ``count``, ``of``                             binomial
a class of       the same with ``reference_class`` and                    beta-binomial: the class has a rate of its
cases            ``concentration``                                        own, beta with mean p and that concentration
a judgment       ``event``, ``probability``, ``error``; with              normal: the stated probability is the true
                 ``years`` and ``opportunities`` over that period         one with an error
an ordering      ``likelier``, ``than``, ``confidence``                   the confidence where it holds, one less it
                                                                          where it does not, one half at a tie
===============  =======================================================  ==============================================

Opportunities are alike and independent: that is the link from a game played once to a record of years. A reference
class of n cases with concentration :math:`\phi` is worth fewer than :math:`\phi + 1` cases of this very situation,
however large n is: :math:`\phi` says how alike its cases are to it.

Several events, as ``event = ["no limited", "no full"]``, are one: that none of them, or that some one of them, happens.
Where the game has several equilibria p is the middle of its range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.schema import EvidenceTable, HorizonTable, ScenarioTable
from deterrence.games.errors import did_you_mean
from deterrence.games.values import Value

Floats = NDArray[np.float64]
Location = tuple[str | int, ...]

RECORD, COUNTS, JUDGMENT, ORDERING = "record", "counts", "judgment", "ordering"
NOT = "no "

_ANY = ("title", "source", "note")
_KEYS = {  # of each form: keys that it must have, and those that it may have
    RECORD: (("event",), ("years", "opportunities")),
    COUNTS: (("event", "count", "of"), ("reference_class", "concentration")),
    JUDGMENT: (("event", "probability", "error"), ("years", "opportunities", "expert")),
    ORDERING: (("likelier", "than", "confidence"), ("expert",)),
}


@dataclass(frozen=True, eq=False)
class Evidence(Value):
    """One piece of evidence.

    Attributes
    ----------
    table : EvidenceTable
    index : int
        Which of the file's, from 0.
    horizon : HorizonTable or None
        Of the file: its opportunities a year are those of evidence over years that states none.
    """

    table: EvidenceTable = field(repr=False)
    index: int
    horizon: HorizonTable | None = field(default=None, repr=False)

    @property
    def form(self) -> str:
        """``"record"``, ``"counts"``, ``"judgment"`` or ``"ordering"``."""
        return form_of(self.table.model_fields_set)

    @property
    def events(self) -> tuple[str, ...]:
        """The events whose probability it is of."""
        table = self.table
        if self.form == ORDERING:
            return (str(table.likelier), str(table.than))
        return tuple(one.removeprefix(NOT) for one in _listed(table.event))

    @property
    def denied(self) -> bool:
        """Whether it says that the events did not happen."""
        return all(one.startswith(NOT) for one in _listed(self.table.event))

    @property
    def numbers(self) -> dict[Location, Entry]:
        """Numbers of the evidence itself, by place in the file, which may be uncertain."""
        stated: dict[Location, Entry | None] = {("evidence", self.index, "concentration"): self.table.concentration}
        stated[self._opportunities] = (
            self.horizon.opportunities
            if self.horizon is not None and self._opportunities[0] == "horizon"
            else self.table.opportunities
        )
        return {place: entry for place, entry in stated.items() if entry is not None}

    @property
    def _opportunities(self) -> Location:
        """Where the opportunities of the period stand."""
        if self.table.years is not None and self.table.opportunities is None:
            return ("horizon", "opportunities")
        return ("evidence", self.index, "opportunities")

    @property
    def words(self) -> str:
        """What it says, in a line."""
        table, form = self.table, self.form
        if table.title:
            return table.title
        what = " or ".join(self.events)
        if form == ORDERING:
            return f"{table.likelier} judged likelier than {table.than}"
        if form == JUDGMENT:
            return f"{what}: {100 * float(table.probability or 0):g} % by {table.expert or 'judgment'}"
        if form == COUNTS:
            return f"{what} in {table.count} of {table.of} cases" + (
                f" ({table.reference_class})" if table.reference_class else ""
            )
        period = f" in {table.years:g} years" if table.years is not None else ""
        return f"{'no ' if self.denied else ''}{what}{period}"

    def log_likelihood(self, probabilities: Mapping[str, Floats], numbers: Mapping[Location, Floats]) -> Floats:
        """Return the logarithm of its probability at n draws.

        Parameters
        ----------
        probabilities : mapping of str to ndarray, shape (n,)
            Of each of ``events``, on one opportunity.
        numbers : mapping of location to ndarray, shape (n,)
            The draws of ``numbers``.

        Returns
        -------
        ndarray, shape (n,)
            Minus infinity where it is impossible.
        """
        table = self.table
        if self.form == ORDERING:
            first, second = (probabilities[name] for name in self.events)
            sure = float(table.confidence or 0)
            with np.errstate(divide="ignore"):
                return np.log(np.where(first == second, 0.5, np.where(first > second, sure, 1 - sure)))
        p = np.clip(sum(probabilities[name] for name in dict.fromkeys(self.events)), 0.0, 1.0)
        if self.form == COUNTS:
            concentration = numbers.get(("evidence", self.index, "concentration"))
            return counts_log_likelihood(p, int(table.count or 0), int(table.of or 0), concentration)
        n = numbers.get(self._opportunities, np.ones(1))
        n = n * (1.0 if table.years is None else table.years)
        if self.form == JUDGMENT:
            return judgment_log_likelihood(over_period(p, n), float(table.probability or 0), float(table.error or 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.denied:
                return np.where(n > 0, n * np.log1p(-p), 0.0)
            return np.log(over_period(p, n))


def over_period(p: Any, n: Any) -> Floats:
    """Return the probability that something happens at least once in n opportunities, each alike and independent.

    Examples
    --------
    >>> round(float(over_period(0.1, 10)), 6)
    0.651322
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        survived = np.where(np.asarray(n) > 0, np.asarray(n) * np.log1p(-np.asarray(p, dtype=np.float64)), 0.0)
    return np.asarray(-np.expm1(survived))


def counts_log_likelihood(p: Floats, count: int, of: int, concentration: Floats | None = None) -> Floats:
    r"""Return the log-probability of k of n cases: binomial, or beta-binomial with a concentration.

    With concentration :math:`\phi` the rate of the cases is beta with parameters :math:`\phi p` and :math:`\phi (1 -
    p)`, so that k has the probability :math:`\binom n k B(k + \phi p, n - k + \phi (1 - p)) / B(\phi p, \phi (1 - p))`.

    Parameters
    ----------
    p : ndarray, shape (...)
    count, of : int
    concentration : ndarray, shape (...), optional
        Above 0.
    """
    from scipy.special import betaln, gammaln, xlog1py, xlogy

    choices = gammaln(of + 1) - gammaln(count + 1) - gammaln(of - count + 1)
    if concentration is None:
        return np.asarray(choices + xlogy(count, p) + xlog1py(of - count, -p))
    inside = (p > 0) & (p < 1)
    a, b = (np.where(inside, concentration * one, 1.0) for one in (p, 1 - p))
    value = choices + betaln(count + a, of - count + b) - betaln(a, b)
    sure = np.where((p <= 0) & (count == 0) | (p >= 1) & (count == of), 0.0, -np.inf)
    return np.asarray(np.where(inside, value, sure))


def judgment_log_likelihood(p: Floats, stated: float, error: float) -> Floats:
    """Return the log-density of a stated probability that is p with a normal error."""
    return np.asarray(-0.5 * ((stated - p) / error) ** 2 - np.log(error * np.sqrt(2 * np.pi)))


def evidence_of(table: ScenarioTable) -> tuple[Evidence, ...]:
    """Return the evidence of a scenario file."""
    return tuple(Evidence(one, i, table.horizon) for i, one in enumerate(table.evidence))


def form_of(keys: Iterable[str]) -> str:
    """Return the form of evidence that has these keys."""
    for form, key in ((ORDERING, "likelier"), (ORDERING, "than"), (JUDGMENT, "probability"), (COUNTS, "count")):
        if key in keys:
            return form
    return RECORD


def evidence_problems(table: ScenarioTable, events: Sequence[str]) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong with the evidence of a file, given the events of its game."""
    for i, one in enumerate(table.evidence):
        place: Location = ("evidence", i)
        keys = one.model_fields_set
        form = form_of(keys)
        must, may = _KEYS[form]
        yield from (
            (place, f"missing key {key!r}: evidence of the form {form!r} has it") for key in must if key not in keys
        )
        for key in sorted(keys - {*must, *may, *_ANY}):
            yield (
                (*place, key),
                f"evidence of the form {form!r} has no {key!r}; its keys are {', '.join((*must, *may))}",
            )
        if one.source and one.source not in table.sources:
            yield (*place, "source"), f"{one.source!r} is not in [sources]{did_you_mean(one.source, table.sources)}"
        if not {*must} <= keys:
            continue
        stated = _listed(one.event) if form != ORDERING else [str(one.likelier), str(one.than)]
        denied = [name.startswith(NOT) for name in stated]
        if not stated or (any(denied) and not (all(denied) and form == RECORD)):
            yield (*place, "event"), f"expected events, or in a record 'no EVENT' of all of them, got {one.event!r}"
        for name in stated:
            plain = name.removeprefix(NOT)
            if plain not in events:
                known = ", ".join(map(repr, events))
                yield place, f"no event {plain!r}; the scenario has {known}{did_you_mean(plain, events)}"
        if form == ORDERING and one.likelier == one.than:
            yield place, f"expected two events, got {one.likelier!r} twice"
        if form == COUNTS and one.count is not None and one.of is not None and one.count > one.of:
            yield (*place, "count"), f"expected a count of at most {one.of}, got {one.count}"
        if form == COUNTS and ("reference_class" in keys) != ("concentration" in keys):
            yield place, "expected reference_class and concentration together: how alike its cases are to this one"
        if one.years is not None and one.opportunities is None and table.horizon is None:
            yield (
                place,
                "expected opportunities = N a year beside years, or in [horizon]: occasions to attack",
            )


def _listed(event: str | Sequence[str] | None) -> list[str]:
    return [] if event is None else [event] if isinstance(event, str) else list(event)

"""The back-test page, ``explanation/back-test.md``: what shipped cases say before and after they happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import deterrence as dt
from deterrence.alliances.scenarios.evidence import RECORD

MARK = "<!-- Made by docs/generate_back_test.py from the scenarios' files; change these, not this page. -->"
CLASS_HEAD = "| class | what is a case, and what is counted | count | source | checked |\n|---|---|---|---|---|"
CASES = ("baltic-2014", "baltic-2017", "crimea-2014", "ukraine-2022", "article5-2001")
DRAWS = 1000

HEAD = """Each case below happened. Its file states numbers with ranges, so that it gives what happened a probability
*before* anybody looks at the outcome: the mean over {draws:,} draws. *After* is the same once the draws are weighed by
all evidence of the file, the outcome itself among it.

Two scores tell how good a probability p of what happened was: Brier's [1], $(1 - p)^2$, and the logarithmic one [2],
$-\\ln p$. Lower is better; saying one half scores 0.25 and 0.69."""

FREEDOM = """**How free the fit is.** The column *after* is no test: a case is scored on the outcome that weighed
its draws. Each case has one outcome, or one record of years, and {low} to {high} uncertain numbers; with ranges
this wide nearly any outcome can be fitted, and no number is shared between cases, so that none can be held out to
test the others. What can be judged is the column *before*. There are {count} cases, chosen because they are known,
three of them because an attack came: they are no sample, and the scores are no estimate of how good the next one
would be."""

CLASSES = """Published counts that a file may cite as a `reference_class`. A class is evidence on this situation
only as far as its cases are like it: `concentration` says how far. The counts are as the literature reports them
and were **not checked against the tables** of the works named, except where the last column says so."""

COUNTED = (  # class; what is a case, and what is counted; count; source; what was checked
    (
        "extended immediate deterrence, 1885 to 1984",
        "a state threatens a protege with force, a defender threatens to resist; failure: force is used, or it yields",
        "24 failures of 58",
        "Huth, *APSR* 82 (1988), 423-443",
        "the 58 cases, by the abstract; not the split",
    ),
    (
        "extended deterrence, 1900 to 1980",
        "as above, another list",
        "23 failures of 54",
        "Huth and Russett, *World Politics* 36 (1984), 496-526",
        "no",
    ),
    (
        "allies when war came, 1816 to 1944",
        "a war in which the obligation of an alliance applies; counted: it was met",
        "74.5 % met",
        "Leeds, Long and Mitchell, *J. Conflict Resolution* 44 (2000), 686-699",
        "no",
    ),
    (
        "allies when war came, 1816 to 1965",
        "a member of an alliance is at war; counted: the partner fought beside it",
        "27 %",
        "Sabrosky, in Singer (ed.), *The Correlates of War II* (1980), 161-198",
        "no",
    ),
    (
        "allies when war came, 1945 to 2003",
        "as in Leeds, Long and Mitchell",
        "22 % met",
        "Berkemeier and Fuhrmann, *Research & Politics* 5 (2018)",
        "no",
    ),
)

LIMITS = """The figures of Leeds, Long and Mitchell and of Sabrosky differ because their definitions do: only the
first ask whether an alliance promised help *in that war*. None of these classes counts how often nothing was tried
at all: a threat that was never made is in no list, so that they say little of general deterrence [3]."""

REFERENCES = """[1] G. W. Brier, "Verification of Forecasts Expressed in Terms of Probability", *Mon. Weather Rev.* 78
(1950), 1-3. [2] I. J. Good, "Rational Decisions", *J. R. Stat. Soc. B* 14 (1952), 107-114. [3] J. D. Fearon, "Selection
Effects and Deterrence", *Int. Interactions* 28 (2002), 5-29."""


@dataclass(frozen=True)
class Case:
    """A case that happened.

    Attributes
    ----------
    name, outcome : str
    numbers : int
        How many of its numbers are uncertain.
    before, after : float
        Probability of what happened.
    """

    name: str
    outcome: str
    numbers: int
    before: float
    after: float


def files() -> dict[str, Callable[[], str]]:
    """Return how to make the page, by its path in ``docs/``."""
    return {"explanation/back-test.md": page}


def page() -> str:
    """Return the page."""
    return page_of([back_test(name) for name in CASES], DRAWS)


def back_test(name: str, draws: int = DRAWS) -> Case:
    """Return the probability that a shipped case gives to its record, before and after its evidence."""
    found = dt.Scenario.load(name).condition(draws=draws, seed=0, method="importance")
    index = next(i for i, one in enumerate(found.evidence) if one.form == RECORD)
    chance = np.exp(found.likelihoods[index])
    weights = found.posterior.weights
    after = float(chance.mean() if weights is None else weights @ chance)
    return Case(name, found.evidence[index].words, found.problem.dimension, float(chance.mean()), after)


def page_of(cases: Sequence[Case], draws: int) -> str:
    """Return the page on cases."""
    rows = [
        f"| [{one.name}](../scenarios/{one.name}.md) | {one.outcome} | {one.before:.2f} | {(1 - one.before) ** 2:.2f} "
        f"| {-np.log(one.before):.2f} | {one.after:.2f} | {(1 - one.after) ** 2:.2f} | {-np.log(one.after):.2f} |"
        for one in cases
    ]
    means = [
        f"{np.mean([score(getattr(one, when)) for one in cases]):.2f}"
        for when in ("before", "after")
        for score in (lambda p: (1 - p) ** 2, lambda p: -np.log(p))
    ]
    mean = f"| mean | | | {means[0]} | {means[1]} | | {means[2]} | {means[3]} |"
    head = (
        "| case | what happened | before | Brier | log | after | Brier | log |\n|---|---|---:|---:|---:|---:|---:|---:|"
    )
    counts = [one.numbers for one in cases]
    return (
        "\n\n".join(
            [
                "# Back-test: cases that happened",
                MARK,
                HEAD.format(draws=draws),
                "\n".join([head, *rows, mean]),
                FREEDOM.format(low=min(counts), high=max(counts), count=len(cases)),
                "## Reference classes",
                CLASSES,
                "\n".join([CLASS_HEAD, *("| " + " | ".join(row) + " |" for row in COUNTED)]),
                LIMITS,
                "## References",
                REFERENCES,
            ]
        )
        + "\n"
    )

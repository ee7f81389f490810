"""A page on every shipped scenario, ``scenarios/NAME.md``, its figure, and the list of them, made with the site."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import matplotlib as mpl

import deterrence as dt
from deterrence.alliances.scenarios.assessment import Assessment, posture_views
from deterrence.alliances.scenarios.assessment_text import posture_table, posture_words, report
from deterrence.alliances.scenarios.entry import Entry
from deterrence.alliances.scenarios.loader import entries, location_text
from deterrence.alliances.scenarios.rendering import Table
from deterrence.alliances.scenarios.schema import NOT_OF_THE_GAME

MARK = "<!-- Made by docs/generate_scenarios.py from the scenario's file; change the file, not this page. -->"
INTRODUCTION = """Each comes with the package: `dt.Scenario.load(NAME)`, or `deterrence assess NAME`. Numbers are public
figures with a source, or marked as illustrations with a range. None is an estimate of any state's intentions, and no
likelihood here is a forecast: what counts is how it moves."""
VARIED = """A variant changes as little as it can, so that one mechanism stands alone:
`dt.Scenario.load("baltic-2017").variant("no-tripwire")`, or `deterrence assess baltic-2017:no-tripwire`."""
NO_EVENT = ("regretted attack", "unwanted war", "defence holds")

Location = tuple[str | int, ...]


def files() -> dict[str, Callable[[], str]]:
    """Return how to make each file that the site needs on scenarios, by its path in ``docs/``."""
    found: dict[str, Callable[[], str]] = {"scenarios/index.md": index}
    for name in dt.Scenario.names():
        scenario = dt.Scenario.load(name)
        found[f"scenarios/{name}.md"] = partial(page, scenario)
        found[f"figures/scenarios/{name}.svg"] = partial(figure, scenario)
    return found


def index() -> str:
    """Return the list of scenarios, and which variant isolates which mechanism."""
    every = [dt.Scenario.load(name) for name in dt.Scenario.names()]
    rows = "\n".join(f"| [{one.name}]({one.name}.md) | {_cell(one.title)} | {likelihood(one):.1%} |" for one in every)
    mechanisms: dict[str, list[str]] = {}
    for one in every:
        for name, variant in one.table.variants.items():
            mechanisms.setdefault(variant.mechanism, []).append(f"[{one.name}:{name}]({one.name}.md#variants)")
    isolated = "\n".join(f"| {_cell(what)} | {', '.join(found)} |" for what, found in sorted(mechanisms.items()))
    parts = [
        "# The scenarios",
        MARK,
        INTRODUCTION,
        f"| scenario | what it is | likelihood of attack at the file's own numbers |\n|---|---|---:|\n{rows}",
        "## Mechanisms",
        VARIED,
        f"| mechanism | variants that isolate it |\n|---|---|\n{isolated}",
        "```{toctree}\n:maxdepth: 1\n:hidden:\n\n" + "\n".join(one.name for one in every) + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def page(scenario: dt.Scenario) -> str:
    """Return the page on one scenario."""
    return (
        "\n\n".join(
            [head(scenario), assessed(scenario.assess()), variants(scenario), *signals(scenario), numbers(scenario)]
        )
        + "\n"
    )


def head(scenario: dt.Scenario) -> str:
    """Return what the file itself says: its question, what it shows and what it does not."""
    table = scenario.table
    return "\n\n".join(
        [
            f"# {table.title}",
            MARK,
            " ".join(table.description.split()),
            f"*What it shows.* {table.shows}",
            f"*What it does not show.* {table.does_not_show}",
        ]
    )


def assessed(found: Assessment) -> str:
    """Return the assessment: in words, its figure and its tables."""
    said = report(found)
    name = found.scenario.name
    alt = "Likelihood of attack against resolve as the aggressor perceives it, with true and perceived resolve marked"
    tables = [f"### {table.title}\n\n{table.markdown()}" for table in said.tables]
    return "\n\n".join(
        [
            "## Assessment",
            f"`deterrence assess {name}` says:",
            said.words,
            f"![{alt}](../figures/scenarios/{name}.svg)",
            *tables,
            said.footnote,
        ]
    )


def variants(scenario: dt.Scenario) -> str:
    """Return the variants, each with the likelihood of attack beside that of the scenario."""
    rows = [("the scenario itself", "", "", *kinds(scenario))]
    for name, one in scenario.table.variants.items():
        rows.append((f"`{name}`", one.mechanism, one.isolates, *kinds(scenario.variant(name))))
    head = ("variant", "mechanism", "what is different", "attack", *(a.name for a in scenario.table.attacks))
    lines = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in (head, *rows)]
    rule = "|---|---|---|" + "---:|" * (len(head) - 3)
    return "\n\n".join(
        [
            "## Variants",
            f'Likelihood of attack, and of each kind; `dt.Scenario.load("{scenario.name}").variant(NAME)`.',
            "\n".join([lines[0], rule, *lines[1:]]),
        ]
    )


def signals(scenario: dt.Scenario) -> list[str]:
    """Return what the posture stage of each variant that has one tells the aggressor, if there is any."""
    parts = []
    for name in scenario.variants:
        game = scenario.variant(name).game()
        if game.posture is None:
            continue
        views = posture_views(game)
        attack = max(game.attacks, key=lambda a: float(game.attack_probabilities().by_kind[a.name][1])).name
        parts += [
            f"## What a signal tells: `{name}`",
            " ".join(posture_words(views, game, attack)),
            posture_table(views, attack).markdown(),
        ]
    return parts


def numbers(scenario: dt.Scenario) -> str:
    """Return every number of the file with where it comes from."""
    others = [
        (where, entry) for where, entry in entries(scenario.table) if where[0] not in ("members", *NOT_OF_THE_GAME)
    ]
    rows = tuple(
        (f"`{_place(scenario, where)}`", _value(entry), _bounds(entry), _origin(entry), entry.note)
        for where, entry in others
    )
    parts = [
        "## Numbers",
        "An expression is computed from `parameters`.",
        _left(Table("", ("number", "value", "range", "source", "note"), rows)),
        "Members; a number without a source is an illustration, with its range in the file:",
        _left(_member_table(scenario)),
    ]
    if scenario.table.sources:
        parts += ["## Sources", "\n".join(f"- **{key}**: {text}" for key, text in scenario.table.sources.items())]
    return "\n\n".join(parts)


def kinds(scenario: dt.Scenario) -> list[str]:
    """Return the likelihood of attack and of each kind, as written."""
    events = [event for event in scenario.events if event not in ("refrain", *NO_EVENT)]
    answer = scenario.answer({}, events=events)
    return [_range(float(answer.low[event][0]), float(answer.high[event][0])) for event in events]


def likelihood(scenario: dt.Scenario) -> float:
    """Return the middle of the likelihood of attack over equilibria."""
    answer = scenario.answer({})
    return float(answer.low["attack"][0] + answer.high["attack"][0]) / 2


def figure(scenario: dt.Scenario) -> str:
    """Return the figure as SVG; text stays text, so that files are small and can be searched."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": scenario.name, "path.simplify_threshold": 0.2}):
        file = io.StringIO()
        dt.attack_curve(scenario).figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _member_table(scenario: dt.Scenario) -> Table:
    """Return the members' numbers, one row for each."""
    found: dict[int, dict[str, Entry]] = {}
    for where, entry in entries(scenario.table):
        if where[0] == "members" and isinstance(where[1], int):
            found.setdefault(where[1], {})[location_text(where[2:])] = entry
    columns = list(dict.fromkeys(key for row in found.values() for key in row))
    support = any(member.support != "military" for member in scenario.table.members)
    rows = tuple(
        (
            member.name,
            *([member.support] if support else []),
            *(_sourced(found[i][key]) if key in found[i] else "" for key in columns),
        )
        for i, member in enumerate(scenario.table.members)
    )
    return Table("", ("member", *(["support"] if support else []), *(f"`{key}`" for key in columns)), rows)


def _place(scenario: dt.Scenario, where: Location) -> str:
    """Return where a number stands, attacks by their name."""
    if where[0] == "attacks" and isinstance(where[1], int):
        where = ("attacks", scenario.table.attacks[where[1]].name, *where[2:])
    return location_text(where)


def _value(entry: Entry) -> str:
    return f"`{entry.value}`" if isinstance(entry.value, str) else f"{entry.value:g}"


def _bounds(entry: Entry) -> str:
    return f"{entry.range[0]:g} to {entry.range[1]:g}" if entry.range else ""


def _origin(entry: Entry) -> str:
    return entry.source or "illustration"


def _sourced(entry: Entry) -> str:
    return f"{_value(entry)} [{entry.source}]" if entry.source else _value(entry)


def _range(low: float, high: float) -> str:
    return f"{low:.1%}" if high - low < 5e-4 else f"{low:.1%} to {high:.1%}"


def _left(table: Table) -> str:
    """Return a table as Markdown with all columns to the left: they hold words."""
    first, _, *rest = table.markdown().splitlines()
    return "\n".join([first, "|" + "---|" * len(table.head), *rest])


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")

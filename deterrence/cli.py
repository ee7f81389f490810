"""The command line: assess a scenario, sweep it, explore it, solve a game file, list what there is.

Exit status: 0 all well, 2 bad input, 1 anything else.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from deterrence.games.display import printable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads would only get in each other's way


class _CommandLine(typer.Typer):
    """Commands that end without a traceback where standard output takes no more."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().__call__(*arguments, **options)
        except OSError as error:
            sys.stderr.write(f"error: {error}\n")
            raise SystemExit(1) from None
        finally:
            try:
                sys.stdout.flush()
            except OSError:  # what is left to print cannot be: a full disk, a pipe that was closed
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = _CommandLine(
    name="deterrence",
    rich_markup_mode=None,  # plain help: loading rich takes as long as all the rest
    help="Deterrence as game theory: how likely is an attack, and how does that change with perceived resolve?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

GAME_FILES = (".efg", ".nfg")
MOST_POINTS = 100_000_000  # of a sweep from the command line
MOST_INFORMATION_SETS = 10  # beyond this, a tree is solved for Nash equilibria only

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="Name of a shipped scenario, or path of a .toml file.")
]
FILES = "File to write: .csv, .nc or .json; .zarr with zarr installed, .parquet with pyarrow."
Repair = Annotated[
    bool, typer.Option("--repair", help="Write damaged parts of the store anew, and compute what is lost.")
]
Extend = Annotated[
    bool, typer.Option("--extend", help="Let the store grow: only points that it has not are solved, the others stay.")
]
Draws = Annotated[int, typer.Option("--draws", help="Draws of the uncertain numbers.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the draws; the same seed gives the same draws.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", "-f", help="Replace a file that exists.")]


def _print(text: str, err: bool = False) -> None:
    """Print text without control characters, which a label of a file may hold."""
    typer.echo(printable(text), err=err)


def _version(wanted: bool) -> None:
    if wanted:
        from deterrence import __version__

        _print(f"deterrence {__version__}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Deterrence as game theory."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _interrupted)  # it ends a command as Ctrl-C does
    warnings.showwarning = _warn


def _interrupted(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    _print(f"warning: {message}", err=True)


@app.command()
def assess(
    scenario: ScenarioName,
    figure: Annotated[
        str | None,
        typer.Option(
            "--figure",
            metavar="STEM",
            help="Write STEM.png and STEM.svg, in a folder that exists: likelihood of attack by perceived resolve.",
        ),
    ] = None,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
    draws: Draws = 1000,
    seed: Seed = 0,
    point: Annotated[bool, typer.Option("--point", help="Take the file's own numbers alone, without draws.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Assess a scenario: likelihood of attack, who would come, and which assumption drives the answer."""
    with _bad_input():
        from deterrence.alliances.scenarios.assessment import figure_paths
        from deterrence.alliances.scenarios.scenario import Scenario
        from deterrence.alliances.scenarios.uncertainty import uncertain_numbers
        from deterrence.games.errors import ScenarioError

        if as_json and markdown:
            raise ScenarioError("--json and --markdown exclude each other; give one of them")
        if figure:
            figure_paths(figure, overwrite=overwrite)
        loaded = Scenario.load(scenario)
        _say(f"assessing {loaded.name} ...")
        drawn = draws if uncertain_numbers(loaded) else None
        found = loaded.assess(draws=drawn, seed=seed, uncertainty=not point)
        paths = found.figure(figure, overwrite=overwrite) if figure else ()
    _print(json.dumps(found.to_dict(), indent=2) if as_json else found.to_markdown() if markdown else str(found))
    for path in paths:
        _print(f"figure: {path}", err=as_json or markdown)


@app.command()
def condition(
    scenario: ScenarioName,
    draws: Draws = 1000,
    seed: Seed = 0,
    method: Annotated[
        str, typer.Option("--method", help="auto, importance, or sequential (Monte Carlo; slower).")
    ] = "auto",
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
) -> None:
    """Weigh a scenario's draws by its evidence: the likelihood of attack before and after, and what it moved."""
    with _bad_input():
        from deterrence.alliances.scenarios.conditioning import condition as conditioned
        from deterrence.alliances.scenarios.scenario import Scenario
        from deterrence.games.errors import ScenarioError

        if as_json and markdown:
            raise ScenarioError("--json and --markdown exclude each other; give one of them")
        loaded = Scenario.load(scenario)
        _say(f"conditioning {loaded.name} ...")
        found = conditioned(loaded, draws=draws, seed=seed, method=method)  # type: ignore[arg-type]
    _print(json.dumps(found.to_dict(), indent=2) if as_json else found.report().markdown() if markdown else str(found))


@app.command()
def compare(
    before: ScenarioName,
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another scenario, or a variant: NAME:VARIANT.")],
    draws: Draws = 1000,
    seed: Seed = 0,
    event: Annotated[str, typer.Option("--event", help="What the change is of: an event that both have.")] = "attack",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say over the draws, too, what adds to the change; it takes longer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two scenarios: in how many draws the likelihood is higher, by how much, and what adds to the change."""
    with _bad_input():
        from deterrence.alliances.scenarios.comparison import compare_scenarios

        comparison = compare_scenarios(before, after, draws=draws, seed=seed, event=event, explain=explain)
    typer.echo(json.dumps(comparison.to_dict(), indent=2) if as_json else str(comparison))


@app.command()
def decide(
    scenario: ScenarioName,
    draws: Draws = 1000,
    seed: Seed = 0,
    event: Annotated[str, typer.Option("--event", help="What is to be made unlikely.")] = "attack",
    level: Annotated[float, typer.Option("--level", help="A policy satisfices where the event is less likely.")] = 0.2,
    within: Annotated[
        float | None, typer.Option("--within", help="Years: options that take longer are paid for and do nothing.")
    ] = None,
    harm: Annotated[
        float | None, typer.Option("--harm", help="Worth of the event in the unit of costs, to weigh them against it.")
    ] = None,
    most: Annotated[
        int, typer.Option("--most", help="Policies that are all solved, before a surrogate is used.")
    ] = 1024,
    figure: Annotated[
        str | None,
        typer.Option(
            "--figure", metavar="STEM", help="Write STEM.png and STEM.svg: cost against likelihood of attack."
        ),
    ] = None,
    as_json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown instead of tables.")] = False,
    overwrite: Overwrite = False,
) -> None:
    """Decide among a scenario's options: what each set of them does, for what it costs, over all that is uncertain."""
    with _bad_input():
        from deterrence.alliances.scenarios.assessment import figure_paths
        from deterrence.alliances.scenarios.scenario import Scenario
        from deterrence.files import whole_file
        from deterrence.games.errors import ParameterError

        if as_json and markdown:
            raise ParameterError("--json and --markdown exclude each other; give one of them")
        paths = figure_paths(figure, overwrite=overwrite) if figure else ()
        loaded = Scenario.load(scenario)
        _say(f"deciding among {len(loaded.table.options)} options of {loaded.name} ...")
        found = loaded.decide(draws=draws, seed=seed, event=event, level=level, within=within, harm=harm, most=most)
        text = json.dumps(found.to_dict(), indent=2) if as_json else found.to_markdown() if markdown else str(found)
        drawn: Any = found.plot("front").figure if paths else None
        for path in paths:
            with whole_file(path, overwrite=overwrite) as unfinished:
                drawn.savefig(unfinished, dpi=160, format=path.suffix[1:])
    _print(text)
    for path in paths:
        _print(f"figure: {path}", err=as_json or markdown)


@app.command()
def sweep(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A scenario by name or path, or a model by its id.")
    ],
    vary: Annotated[list[str], typer.Option("--vary", help="NAME=LOW:HIGH:POINTS; give it again for each dimension.")],
    out: Annotated[Path | None, typer.Option("--out", help=FILES)] = None,
    event: Annotated[str, typer.Option("--event", help="What the likelihood is asked of.")] = "attack",
    store: Annotated[
        str | None, typer.Option("--store", help="Store that the result grows in; the same command resumes it.")
    ] = None,
    extend: Extend = False,
    overwrite: Overwrite = False,
) -> None:
    """Sweep a scenario or a model over a grid and write the result."""
    with _bad_input():
        from deterrence.games.errors import ParameterError
        from deterrence.sweeps.files import check_destination, write_dataset

        axes = _axes(vary)
        if out is None and store is None:
            raise ParameterError("give --out FILE, --store STORE or both: the result has to go somewhere")
        if out is not None:
            check_destination(out, overwrite=overwrite, store=store)
        target = _target(scenario)
        from deterrence.sweeps.sweep import sweep as run

        result = run(target, axes, event=event, store=store, extend=extend, progress=sys.stderr.isatty())
        if out is not None:
            write_dataset(result, out, overwrite=overwrite)
    found, missing = _in_words(result, event)
    _print(f"{found}; written to {' and '.join(str(place) for place in (out, store) if place is not None)}")
    if missing:
        _print(missing, err=True)
    _end_if_all_failed(result)


@app.command()
def study(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A study file (TOML): what to sweep, where to store it.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help=FILES)] = None,
    overwrite: Overwrite = False,
    repair: Repair = False,
    extend: Extend = False,
) -> None:
    """Run a sweep that is written down in a study file."""
    with _bad_input():
        from deterrence.sweeps.files import check_destination, write_dataset
        from deterrence.sweeps.study import Study

        loaded = Study.load(file)
        if out is not None:
            check_destination(out, overwrite=overwrite, store=loaded.store)
        result = loaded.run(progress=sys.stderr.isatty(), repair=repair, extend=extend)
        if out is not None:
            write_dataset(result, out, overwrite=overwrite)
    _print(str(result))
    _end_if_all_failed(result)


@app.command()
def resume(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store of a sweep that did not end.")],
    repair: Repair = False,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add", help="Extend a grid by values: NAME=LOW:HIGH:POINTS, or NAME=VALUE,VALUE,...; repeatable."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=1, help="Extend a Sobol' or Halton sample to so many points.")
    ] = None,
) -> None:
    """Go on with a stored sweep that was interrupted, or extend one; stored values stay as they are."""
    with _bad_input():
        from deterrence.sweeps.study import resume as go_on

        more = dict(map(_added, add or []))
        result = go_on(store, add=more, samples=samples, progress=sys.stderr.isatty(), repair=repair)
    _print(str(result))
    _end_if_all_failed(result)


@app.command()
def show(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store of a sweep, or a result in .zarr.")],
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Compare every block with its checksum; it reads the whole.")
    ] = True,
) -> None:
    """Say what a stored sweep holds and how far it got."""
    with _bad_input():
        from deterrence.sweeps.study import show as describe

        text = describe(store, verify=verify)
    _print(text)


@app.command()
def sensitivity(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A study file that holds a table named sensitivity.")],
) -> None:
    """Say which parameter of a study drives the answer: Sobol' indices with confidence intervals."""
    with _bad_input():
        from deterrence.sweeps.study import Study

        result = Study.load(file).sensitivity(progress=sys.stderr.isatty())
    _print(result.to_dataframe().to_string())


@app.command()
def fit(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A fit file (TOML): the game and its formulas.")],
    data: Annotated[Path, typer.Option("--data", help="The data: a CSV file.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the table to this file: .txt, .html, .tex or .json.")
    ] = None,
    figure: Annotated[
        str | None,
        typer.Option("--figure", metavar="STEM", help="Write STEM.png and STEM.svg: coefficients with intervals."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: Json = False,
) -> None:
    """Fit the payoffs of a game to data and print the table; exit status 1 if the search did not converge."""
    with _bad_input():
        from deterrence.estimation.fit_file import FitFile
        from deterrence.files import whole_file, write_whole
        from deterrence.games.errors import ParameterError

        forms = (".txt", ".html", ".tex", ".json")
        if out is not None and out.suffix not in forms:
            raise ParameterError(f"--out takes a file that ends in {', '.join(forms)}, got {out}")
        loaded = FitFile.load(model)
        _say(f"fitting {loaded.name} ...")
        fitted = loaded.fit(data)
        effects = {name: fitted.effects(name) for name in loaded.table.effects} if fitted.optimum.converged else {}
        table = fitted.summary()
        told = _fit_in_json(fitted, effects)
        if out is not None:
            texts = {".txt": table.as_text, ".html": table.as_html, ".tex": table.as_latex}
            text = texts[out.suffix]() if out.suffix in texts else told
            write_whole(out, text + chr(10), overwrite=overwrite)
        if figure is not None:
            axes = fitted.plot()
            for suffix in (".png", ".svg"):
                with whole_file(f"{figure}{suffix}", overwrite=overwrite) as place:
                    axes.figure.savefig(place, dpi=200, format=suffix[1:])
    typer.echo(told if as_json else table.as_text())
    if not as_json:
        for name, effect in effects.items():
            typer.echo(f"\naverage effect of {name} on the probability of each outcome\n{effect.round(4).to_string()}")
    if not fitted.converged:
        raise typer.Exit(1)


def _fit_in_json(fitted: Any, effects: dict[str, Any]) -> str:
    told = fitted.to_dict() | {"effects": {name: table["effect"].to_dict() for name, table in effects.items()}}
    return json.dumps(told, indent=2)


@app.command()
def solve(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A game file (.efg, .nfg), or a scenario by name or path.")
    ],
    exact: Annotated[bool, typer.Option("--exact", help="Rational arithmetic.")] = False,
) -> None:
    """Solve a game file or a scenario and print its equilibria."""
    with _bad_input():
        _print(str(_solved(file, exact)))


@app.command()
def explore(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A scenario by name or path, or a model by its id.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of 127.0.0.1; 0 takes a free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address; open no browser.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page that works from disk, computed in advance, and end.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Open the explorer in a browser: sliders, likelihood of attack, a map, the equilibria."""
    with _bad_input():
        from deterrence.explorer.explorer import explore as explorer_of

        explorer = explorer_of(_target(target))
        if html is not None:
            from deterrence.explorer.page import write_page

            _say("computing the page in advance ...")
            written = write_page(explorer, html, overwrite=overwrite)
            _print(f"page: {written} ({written.stat().st_size / 1e6:.1f} MB)")
            return
        from deterrence.explorer.server import serve

        serve(explorer, port=port, open_browser=not no_browser, announce=_announce)


def _announce(address: str) -> None:
    _print(address)
    _print("open it in a browser of this machine; Ctrl-C ends it", err=True)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the scenarios that come with the package."""
    with _bad_input():
        from deterrence.alliances.scenarios.scenario import Scenario

        rows = [(name, Scenario.load(name).title) for name in Scenario.names()]
    if as_json:
        _print(json.dumps([{"name": name, "title": title} for name, title in rows], indent=2))
        return
    width = max(len(name) for name, _ in rows)
    for name, title in rows:
        _print(f"{name.ljust(width)}  {title}")


@app.command()
def models(as_json: Json = False) -> None:
    """List the published models that come with the package."""
    with _bad_input():
        from deterrence.models import catalogue

        rows = [(record.id, record.title, record.source) for record in catalogue()]
    if as_json:
        _print(json.dumps([{"id": i, "title": title, "source": source} for i, title, source in rows], indent=2))
        return
    width = max(len(i) for i, _, _ in rows)
    for i, title, source in rows:
        _print(f"{i.ljust(width)}  {title} [{source}]")


@app.command()
def schema(
    of: Annotated[str, typer.Option("--of", help="Of which files: scenario or fit.")] = "scenario",
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file instead.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Print the JSON schema of scenario files, or of fit files, for editors."""
    with _bad_input():
        from deterrence.files import write_whole
        from deterrence.games.errors import ParameterError

        if of not in ("scenario", "fit"):
            raise ParameterError(f"--of takes scenario or fit, got {of!r}")
        if of == "fit":
            from deterrence.estimation.fit_schema import json_schema
        else:
            from deterrence.alliances.scenarios.schema import json_schema

        text = json.dumps(json_schema(), indent=2)
        if out is not None:
            _print(f"schema: {write_whole(out, text + chr(10), overwrite=overwrite)}")
            return
    _print(text)


def _in_words(result: Any, event: str) -> tuple[str, str]:
    """Say how many points a sweep has and what the likelihood came to; then how many gave none, and why the first."""
    from deterrence.sweeps.sweep import failures

    points, failed = math.prod(result.sizes.values()), int(result.attrs["failed"])
    found = f"{points:,} point{'' if points == 1 else 's'}"
    if failed < points:
        low, high = float(result[f"{event}_low"].min()), float(result[f"{event}_high"].max())
        found += f"; likelihood of {event} from {low:.1%} to {high:.1%}"
    if not 0 < failed < points:
        return found, ""
    first = failures(result)[0]
    reason = first["reason"].partition("Error: ")[2] or first["reason"] or first["status"]
    return found, f"{failed:,} of {points:,} have no answer; the first: {reason}"


def _end_if_all_failed(result: Any) -> None:
    """End with exit status 1, and say why, if no point of a sweep has an answer."""
    points = math.prod(result.sizes.values())
    if int(result.attrs["failed"]) < points:
        return
    from deterrence.sweeps.sweep import failures

    first = failures(result)[0]
    _print(f"error: no point has an answer; the first: {first['reason'] or first['status']}", err=True)
    raise typer.Exit(1)


def _target(name: str) -> Any:
    """Return a scenario by name or path, or a published model by id."""
    from deterrence.alliances.scenarios.scenario import Scenario
    from deterrence.games.errors import ParameterError, ScenarioError

    if Path(name).suffix in GAME_FILES:
        raise ParameterError(
            f"{name}: a game file holds numbers and no parameters to move; solve it with deterrence solve {name}"
        )
    try:
        return Scenario.load(name)
    except ScenarioError as no_scenario:
        if Path(name).is_file():
            raise
        from deterrence.models import get

        try:
            return get(name)
        except ParameterError as error:
            raise ParameterError(f"{no_scenario}; nor is it a model: {error}") from None


def _axes(vary: list[str]) -> dict[str, Any]:
    """Return the axes of a grid by name."""
    from deterrence.games.errors import ParameterError

    axes: dict[str, Any] = {}
    points = 1
    for name, values in map(_axis, vary):
        if name in axes:
            raise ParameterError(f"--vary names {name!r} twice; each dimension is given once")
        axes[name] = values
        points *= len(values)
    if points > MOST_POINTS:
        raise ParameterError(
            f"the grid has {points:,} points; the command takes at most {MOST_POINTS:,} (use a study with a store)"
        )
    return axes


def _axis(text: str, option: str = "--vary") -> tuple[str, Any]:
    import numpy as np

    from deterrence.games.errors import ParameterError

    name, equals, span = text.partition("=")
    parts = span.split(":")
    try:
        low, high, points = float(parts[0]), float(parts[1]), int(parts[2])
        if not equals or not name or len(parts) != 3 or points < 1 or not np.isfinite([low, high]).all():
            raise ValueError
        if points > MOST_POINTS:
            raise ParameterError(
                f"{option} takes at most {MOST_POINTS:,} points a dimension, got {points:,} for {name}"
            )
    except ParameterError:
        raise
    except (ValueError, IndexError):
        raise ParameterError(f"{option} takes NAME=LOW:HIGH:POINTS, such as resolve=-1:1:41, got {text!r}") from None
    return name, np.linspace(low, high, points)


def _added(text: str) -> tuple[str, Any]:
    """Return a name and values that are added to its axis: evenly spaced ones, or a list."""
    from deterrence.games.errors import ParameterError

    name, equals, span = text.partition("=")
    if ":" in span:
        return _axis(text, "--add")
    try:
        values = [float(value) for value in span.split(",")]
        if not equals or not name or not all(map(math.isfinite, values)):
            raise ValueError
    except ValueError:
        raise ParameterError(f"--add takes NAME=LOW:HIGH:POINTS or NAME=VALUE,VALUE,..., got {text!r}") from None
    return name, values


def _solved(file: str, exact: bool) -> Any:
    suffix = Path(file).suffix
    if suffix not in GAME_FILES:
        return _solved_scenario(file)
    from deterrence.games.errors import GameError

    if not Path(file).is_file():
        raise GameError(f"{file}: no such file")
    from deterrence.games.gambit.efg import read_efg
    from deterrence.games.gambit.nfg import read_nfg
    from deterrence.solvers.nash import nash

    try:
        game = read_nfg(file) if suffix == ".nfg" else read_efg(file)
    except GameError as error:
        raise GameError(f"{file}: {error}") from None
    return nash(game, exact=exact) if suffix == ".nfg" else _solved_tree(game, exact)


def _solved_scenario(name: str) -> Any:
    from deterrence.alliances.scenarios.scenario import Scenario
    from deterrence.games.errors import ScenarioError
    from deterrence.models import catalogue

    try:
        return Scenario.load(name).solve()
    except ScenarioError:
        if name not in {record.id for record in catalogue()}:
            raise
        raise ScenarioError(
            f"{name} is a published model: open it with deterrence explore {name}, "
            f"or in Python solve dt.models.get({name!r}).game()"
        ) from None


def _solved_tree(game: Any, exact: bool) -> Any:
    """Solve a tree by the strongest concept that it admits: subgame perfect, sequential, else Nash."""
    if game.perfect_information:
        from deterrence.solvers.spe import spe

        return spe(game, exact=exact)
    if game.perfect_recall and len(game.infosets) <= MOST_INFORMATION_SETS:
        from deterrence.solvers.sequential import sequential

        return sequential(game, exact=exact)
    from deterrence.solvers.nash import nash

    return nash(game, exact=exact)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        _print(text, err=True)


@contextmanager
def _bad_input() -> Iterator[None]:
    """Turn errors of the user's input into one clear message and exit status 2."""
    from deterrence.games.errors import GameError, ParameterError, ScenarioError

    try:
        yield
    except (GameError, ParameterError, ScenarioError, FileExistsError, IsADirectoryError) as error:
        _print(f"error: {error}" if "\n" not in str(error) else str(error), err=True)
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        _print("interrupted; what is in a store is kept, and the same call (or deterrence resume) goes on", err=True)
        raise typer.Exit(1) from None
    except (OSError, RuntimeError) as error:
        _print(f"error: {error}", err=True)
        raise typer.Exit(1) from None

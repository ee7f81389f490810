"""The page of models, ``models.md``, and its figures, made from the catalogue of the library when the site is built."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from model_figures import FIGURES, WITHOUT_FIGURE, Curve, Panel

import deterrence as dt
from deterrence.models.parameter_table import Choice, Entry
from deterrence.models.registry import REGISTRY
from deterrence.plotting.signaling import signaling_svg
from deterrence.plotting.style import DASHES, LINES, dress, new_axes
from deterrence.plotting.trees import tree_svg

FIGURE_FOLDER = "figures/models"
POINTS = 241
LARGEST_TREE = 40  # nodes, or cells of a strategic form
CONFIDENCE = {
    "A": "A: as published",
    "B": "B: published, with a special case or a normalisation chosen here",
    "C": "C: made here to express a mechanism",
}
HEAD = """# The models

<!-- Made by docs/generate_models.py from the catalogue; change the models, not this page. -->

Every model has a table of parameters, a game, and its quantities by two routes that know nothing of each other: by
formula (`closed_form`) and from the solvers of the package (`solved`). `dt.models.get("ALSIG")` returns one;
`dt.models.catalogue()` lists all {count}. Confidence: A, as published; B, published, with a special case or a
normalisation chosen here; C, made here to express a mechanism. Trees are drawn at the default values; figures leave all
parameters but those named at their defaults.
"""


def files() -> dict[str, Callable[[], str]]:
    """Return how to make each file that the site needs on models, by its path in ``docs/``."""
    return {"models.md": page} | {
        f"{FIGURE_FOLDER}/{name}": draw for model in models() for name, draw in figures(model).items()
    }


def models() -> Iterator[dt.Model]:
    """Yield every model of the catalogue."""
    for id in dt.models.catalogue().ids:
        yield dt.models.get(id)


def page() -> str:
    """Return the page as Markdown."""
    records = dt.models.catalogue()
    rows = "\n".join(f"| [{r.id}](#{_anchor(r.id)}) | {_cell(r.title)} | {_cell(r.source)} |" for r in records)
    listed = f"| id | model | source |\n|---|---|---|\n{rows}\n"
    return "\n".join([HEAD.format(count=len(records)), listed, *(section(model) for model in models())])


def section(model: dt.Model) -> str:
    """Return what the page says about one model."""
    parts = [
        f'<a id="{_anchor(model.id)}"></a>\n\n## {model.id}: {model.title}',
        f"*Source:* {model.source}. *Confidence* {CONFIDENCE[model.confidence]}.",
        f"*Mechanism:* {model.mechanism}.",
        parameter_table(model),
        *_forms(model),
        "### Who moves when",
        timeline(model),
        *_games(model),
        "### Result",
        *(f"{what}:\n\n$$\n{latex}\n$$" for what, latex in model.formulas.items()),
        _at_defaults(model),
        _figure(model),
        f"*Normalised, or different from the source:* {model.differs or 'nothing'}.",
        f"*Routes:* {_routes(model)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def parameter_table(model: dt.Model) -> str:
    """Return the table of parameters."""
    rows = "\n".join(f"| {' | '.join(_cell(cell) for cell in _parameter(entry))} |" for entry in model.parameters)
    orderings = f"\n\nRequired: {', '.join(f'`{r}`' for r in model.requires)}." if model.requires else ""
    return f"| parameter | default | range | unit | meaning |\n|---|---|---|---|---|\n{rows}{orderings}"


def timeline(model: dt.Model) -> str:
    """Return the order of moves in words: the opening of the file that the model is made in, without its references."""
    module = sys.modules[f"deterrence.models.{REGISTRY[model.id][0]}"]
    text = re.split(r"\nReferences\n-+\n", (module.__doc__ or "").strip())[0]
    title, _, rest = text.partition("\n\n")
    words = f"{title}\n\n{rest}".strip()
    return re.sub(r"``(.+?)``", r"`\1`", words)


def figures(model: dt.Model) -> dict[str, Callable[[], str]]:
    """Return how to draw the pictures of a model, as SVG, by file name: its trees, and its figure."""
    trees = {f"{_anchor(model.id)}-tree{i}.svg": partial(_tree, game) for i, (_, game) in enumerate(_trees(model))}
    if model.id not in FIGURES:
        return trees
    return {**trees, f"{_anchor(model.id)}.svg": partial(_drawn, model, FIGURES[model.id])}


# -- text ----------------------------------------------------------------------------------------------------------


def _anchor(id: str) -> str:
    return id.lower()


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def _parameter(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry, Choice):
        return f"`{entry.name}`", entry.default, " or ".join(f"`{o}`" for o in entry.options), "", entry.meaning
    default = _number(entry.default) if isinstance(entry.default, int | float) else str(_plain(entry.default))
    return f"`{entry.name}`", default, f"[{entry.low:g}, {entry.high:g}]", entry.unit, entry.meaning


def _forms(model: dt.Model) -> list[str]:
    if not model.modes:
        return []
    return ["Further forms (`mode`): " + "; ".join(f"`{mode}`" for mode in model.modes) + "."]


def _games(model: dt.Model) -> list[str]:
    """Return the trees as references to their pictures, or the strategic form as a table."""
    parts = [
        f"![{model.title}: game tree{f', {name}' if name else ''}]({FIGURE_FOLDER}/{_anchor(model.id)}-tree{i}.svg)"
        for i, (name, _) in enumerate(_trees(model))
    ]
    game = model.game()
    if isinstance(game, dt.StrategicGame) and np.prod(game.shape) <= LARGEST_TREE:
        parts.append(game._repr_html_())
    if isinstance(game, Mapping) and len(game) > len(_trees(model)) > 0:
        parts.append(f"One tree of {len(game)}; the others differ in payoffs alone.")
    return parts


def _trees(model: dt.Model) -> list[tuple[str, dt.ExtensiveGame | dt.SignalingGame]]:
    """Return the finite games of a model that are small enough to draw, by name; of many alike, the first."""
    game = model.game()
    games = dict(game) if isinstance(game, Mapping) else {"": game}
    if len(games) > 2:
        games = dict(list(games.items())[:1])
    return [(name, one) for name, one in games.items() if _drawable(one)]


def _drawable(game: object) -> bool:
    if isinstance(game, dt.ExtensiveGame):
        return game.topology.size <= LARGEST_TREE
    return isinstance(game, dt.SignalingGame) and game.shape[2] == 2


def _tree(game: dt.ExtensiveGame | dt.SignalingGame) -> str:
    return tree_svg(game, themed=False) if isinstance(game, dt.ExtensiveGame) else signaling_svg(game, themed=False)


def _at_defaults(model: dt.Model) -> str:
    quantities = model.closed_form() if "closed_form" in model.routes else model.solved()
    listed = "; ".join(f"`{name}` {escape(value)}" for name, value in _leaves(quantities))
    return f"At the defaults: {listed}."


def _leaves(found: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        name = f"{where}.{key}" if where else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, name)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return _number(float(value))
    if isinstance(value, tuple | list):
        return f"[{', '.join(_text(v) for v in value)}]"
    return "none" if value is None or value == {} else str(value)


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else float(f"{value:.4g}")


def _number(value: float) -> str:
    return f"{round(value, 4) + 0.0:g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.3g}"


def _figure(model: dt.Model) -> str:
    if model.id in WITHOUT_FIGURE:
        return WITHOUT_FIGURE[model.id]
    panel = FIGURES[model.id]
    alt = f"{model.title}: {panel.y} against {panel.axis or panel.x}"
    others = ", ".join(f"`{name}` = {value}" for name, value in panel.at.items())
    caption = f"\n\nDrawn at {others}." if others else ""
    return f"![{alt}]({FIGURE_FOLDER}/{_anchor(model.id)}.svg){caption}"


def _routes(model: dt.Model) -> str:
    if len(model.routes) == 2:
        return "closed form and solvers."
    only = {"closed_form": "closed form", "solved": "solvers"}
    return f"{' and '.join(only[r] for r in model.routes) or 'not all forms have either'} alone: {model.one_route}."


# -- figures -------------------------------------------------------------------------------------------------------


def _drawn(model: dt.Model, panel: Panel) -> str:
    """Return the figure as SVG; text stays text, so that files are small and can be searched."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": model.id, "path.simplify_threshold": 0.2}):
        axes = new_axes(5.2, 3.1)
        target = dt.models.get(panel.model) if panel.model else model
        count = 0
        for curve in panel.curves:
            for label, values in _series(target, panel, curve).items():
                _plot(axes, values, label, count, whole=panel.whole)
                count += 1
        dress(axes, x=panel.axis or _axis(target, panel.x), y=panel.y)
        _settle(axes)
        file = io.StringIO()
        axes.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _series(model: dt.Model, panel: Panel, curve: Curve) -> dict[str, list[tuple[float, Any]]]:
    """Return the values of a quantity along x, by label; one series for each class of equilibria."""
    if panel.whole:
        xs: list[Any] = list(range(int(panel.low), int(panel.high) + 1))
    else:
        xs = [float(x) for x in np.linspace(panel.low, panel.high, POINTS)]
    found: dict[str, list[tuple[float, Any]]] = {}
    for x in xs:
        moved = panel.of(x) if panel.of else {panel.x: x}
        try:
            quantities = model.closed_form(**{**panel.at, **curve.at, **moved})
        except dt.ParameterError:  # a gap, as where a correlation cannot be that high
            continue
        for name, value in _read(quantities, curve.quantity.split("."), ""):
            found.setdefault(name.replace("_", " ") or curve.label, []).append((x, value))
    if not found:
        raise KeyError(f"{model.id} has no quantity {curve.quantity!r}")
    step = xs[1] - xs[0]
    return {label: _broken(series, step) for label, series in found.items()}


def _read(found: Any, path: list[str], name: str) -> Iterator[tuple[str, Any]]:
    """Yield what a path leads to, with the name that a star stood for; nothing where it leads nowhere."""
    if not path:
        yield name, found
        return
    key, *rest = path
    if key == "*":
        for inner, value in (found or {}).items():
            yield from _read(value, rest, inner)
    elif isinstance(found, list):
        yield from _read(found[int(key)], rest, name)
    elif isinstance(found, Mapping) and key in found:
        yield from _read(found[key], rest, name)


def _broken(series: list[tuple[float, Any]], step: float) -> list[tuple[float, Any]]:
    """Return a series with a gap wherever the class is missing."""
    whole: list[tuple[float, Any]] = []
    for x, value in series:
        if whole and x - whole[-1][0] > 1.5 * step:
            whole.append((whole[-1][0] + step, None))
        whole.append((x, value))
    return whole


def _plot(axes: Axes, series: list[tuple[float, Any]], label: str, i: int, *, whole: bool) -> None:
    look: dict[str, Any] = {"color": LINES[i % len(LINES)], "label": label}
    marker = {"marker": "osD^v"[i % 5], "markersize": 3.5} if whole else {}
    if any(isinstance(value, list) for _, value in series):
        dots = [(x, y) for x, values in series for y in (values if isinstance(values, list) else ())]
        axes.plot(*zip(*dots, strict=True), linestyle="none", marker="o", markersize=1.6, **look)
        return
    xs = [x for x, _ in series]
    low, high = (np.array([_end(value, end) for _, value in series], dtype=np.float64) for end in (0, 1))
    axes.plot(xs, low, linestyle=DASHES[i % len(DASHES)], linewidth=1.8, **look, **marker)
    if np.nanmax(high - low) > 1e-9:
        axes.plot(xs, high, linestyle=DASHES[i % len(DASHES)], linewidth=1.8, color=look["color"])
        axes.fill_between(xs, low, high, color=look["color"], alpha=0.2, linewidth=0)


def _end(value: Any, end: int) -> float:
    chosen = value[end] if isinstance(value, tuple) else value
    return float("nan") if chosen is None else float(chosen)


def _axis(model: dt.Model, name: str) -> str:
    entry = next(e for e in model.parameters if e.name == name)
    unit = f" [{entry.unit}]" if entry.unit and entry.unit != "count" else ""
    return f"{name}: {entry.meaning}{unit}"


def _settle(axes: Axes) -> None:
    """Set the limits of the vertical axis, and put the legend above the curves."""
    low, high = axes.get_ylim()
    if low >= -0.06 and high <= 1.06 and high > 0.3:
        axes.set_ylim(-0.03, 1.03)
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, borderaxespad=0.1)

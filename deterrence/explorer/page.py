"""The explorer as one file: a page that works from disk, with answers computed in advance and no Python behind it.

Everything is inside: program, style, data. The page may run that program alone (its content security policy names
the program's hash) and may load nothing, from the network or from disk.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from deterrence.explorer.precomputed.grid_of_answers import PrecomputedGrid, precompute
from deterrence.explorer.views import Views
from deterrence.files import require_free, write_whole
from deterrence.games.errors import ParameterError

MOST_BYTES = 5_000_000  # of a page
SECONDS = 60.0  # that computing one may take

_SPARE = 200_000  # bytes left for what is no data: program, style, parameters
_IMPORT = re.compile(r'^import (\w+) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export default\s", re.MULTILINE)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="deterrence {version}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main id="explorer"></main>
<p id="host-message" role="status" hidden></p>
<noscript><p>The explorer needs JavaScript.</p></noscript>
<script type="application/json" id="head">{head}</script>
<script type="text/plain" id="numbers">{numbers}</script>
<script type="text/plain" id="pictures">{pictures}</script>
<script type="module">{program}</script>
</body>
</html>
"""


def write_page(
    explorer: Views,
    path: str | os.PathLike[str],
    *,
    over: Sequence[str] | None = None,
    seconds: float | None = None,
    most_bytes: int = MOST_BYTES,
    overwrite: bool = False,
) -> Path:
    """Write a page that shows the explorer without Python, from answers computed in advance.

    Parameters
    ----------
    explorer : Views
    path : path
        Of the file to write, ``.html``.
    over : sequence of str, optional
        Up to four parameters that the page can move; by default those of the axes, and the one that changes the
        likelihood most. The others are fixed at their starting values, and the page says so.
    seconds : float, optional
        About how long computing may take, by default a minute. A finer grid and more pictures take longer.
    most_bytes : int
        Of the file, about; at least 500,000.
    overwrite : bool
        Whether a file that exists is replaced.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ParameterError
        If an option is wrong.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If the file cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".html", ".htm"):
        raise ParameterError(f"the page is a file that ends in .html, got {os.fspath(path)!r}")
    if not target.parent.is_dir():
        raise ParameterError(f"{target.parent}: the folder does not exist")
    require_free(target, overwrite=overwrite)
    seconds = SECONDS if seconds is None else seconds
    if not seconds > 0:
        raise ParameterError(f"seconds must be above 0, got {seconds!r}")
    if most_bytes < 500_000:
        raise ParameterError(f"most_bytes must be at least 500,000, got {most_bytes!r}")
    grid = precompute(explorer, over=over, seconds=seconds, most_bytes=most_bytes - _SPARE)
    return write_whole(target, page(explorer, grid), overwrite=overwrite)


def page(explorer: Views, grid: PrecomputedGrid) -> str:
    """Return the page of an explorer, as HTML."""
    from deterrence import __version__

    spec = _spec(explorer, grid)
    x, y = (*spec["axes"], None)[:2]
    state = {**explorer.initial_state, "x": x, "y": y}
    program = bundle("host_precomputed")
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    return _PAGE.format(
        policy=policy,
        version=__version__,
        title=escape(str(spec["title"])),
        style="\n".join(_static(name).replace("</", "<\\/") for name in ("explorer.css", "host.css")),
        head=inside_script({"spec": spec, "state": state, "head": grid.head}),
        numbers=grid.numbers,
        pictures=grid.pictures,
        program=program,
    )


def inside_script(value: Any) -> str:
    r"""Return a value as JSON that ends no ``<script>`` and opens no comment, whatever the texts in it.

    Examples
    --------
    >>> inside_script({"name": "</script><!--"})
    '{"name":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))  # ASCII: other characters are escaped already
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def bundle(entry: str) -> str:
    """Return a module of ``static/`` and those that it imports as one program that needs no other file.

    Modules import defaults of each other, each import on a line of its own, and export a default.
    """
    order: list[str] = []
    _visit(entry, order)
    parts = []
    for name in order:
        source = _IMPORT.sub(lambda match: f"const {match[1]} = module_{match[2]};", _static(f"{name}.js"))
        if name == entry:
            parts.append(source)
        else:
            source = _EXPORT.sub("exported.default = ", source)
            parts.append(f"const module_{name} = ((exported) => {{\n{source}\nreturn exported.default;\n}})({{}});")
    program = "\n" + "\n".join(parts)
    return re.sub(r"<(?=/script|!--)", r"\\x3c", program, flags=re.IGNORECASE)  # in texts, where alone they can be


def _visit(name: str, order: list[str]) -> None:
    for _, needed in _IMPORT.findall(_static(f"{name}.js")):
        if needed not in order:
            _visit(needed, order)
    order.append(name)


def _static(name: str) -> str:
    return (files("deterrence.explorer") / "static" / name).read_text("utf-8")


def _axes(explorer: Views, grid: PrecomputedGrid) -> list[str]:
    """Return the parameters that the page starts with along its axes: those of the explorer if they move here."""
    usual = [name for name in explorer.subject.axes if name in grid.axes]
    return [*usual, *(name for name in grid.axes if name not in usual)][:2]


def _spec(explorer: Views, grid: PrecomputedGrid) -> dict[str, Any]:
    """Return what the front end is told: only the parameters of the grid move, in steps of its grid."""
    spec = explorer.spec
    parameters = []
    for parameter in spec["parameters"]:
        values = grid.axes.get(parameter["name"])
        if values is None:
            parameters.append({**parameter, "fixed": f"fixed at {parameter['value']:g} in this page"})
        else:
            low, high = float(values[0]), float(values[-1])
            step = float(f"{values[1] - values[0]:.12g}")
            whole = [parameter["low"], parameter["high"]]  # what code that is copied runs over
            parameters.append({**parameter, "low": low, "high": high, "step": step, "range": whole})
    sizes = " × ".join(str(len(values)) for values in grid.axes.values())
    told = (
        f"This page was computed in advance. Likelihoods: at {sizes} values of {', '.join(grid.axes)}; what is shown "
        f"is the nearest of these points. Equilibria and pictures: at {grid.drawn:,} of them. "
        "Other parameters are fixed at their starting values."
    )
    note = f"{spec['note'].rstrip('. ')}. " if spec["note"] else ""
    return {
        **spec,
        "parameters": parameters,
        "axes": _axes(explorer, grid),
        "concepts": [explorer.initial_state["concept"]],
        "perceived": None,  # nothing is computed of these in advance
        "note": note + told,
    }

r"""Scenes as TikZ, for papers: plain ``tikzpicture`` environments that pdfLaTeX reads.

One unit is a pixel of 1/96 inch. Letters outside of Latin and Greek need XeLaTeX or LuaLaTeX.
"""

from __future__ import annotations

from deterrence.games.formulas import escape_latex
from deterrence.plotting.figures import POINTS
from deterrence.plotting.scene import INK, Area, Dot, Label, Line, Part, Scene, readable

_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}


def tikz_text(scene: Scene, *, scale: float = 1.0, document: bool = False) -> str:
    r"""Return a scene as LaTeX.

    Parameters
    ----------
    scene : Scene
    scale : float
        1 for the natural size, in which text of 12 pixels has 9 points.
    document : bool
        Whether to return a document, its page as large as the picture, instead of one ``tikzpicture``.
    """
    unit = POINTS * scale
    size = scene.font_size * unit
    used = sorted({_explicit(p, c) for p in scene.parts for c in _colors(p)})
    names = {color: f"dt{k}" for k, color in enumerate(used)}
    font = f"\\sffamily\\fontsize{{{size:g}bp}}{{{1.2 * size:g}bp}}\\selectfont"
    style = f"x={unit:g}bp, y=-{unit:g}bp, every node/.style={{inner sep=0pt, outer sep=0pt, font={{{font}}}}}"
    lines = [
        f"% {_line_of(scene.name)}",
        r"% needs \usepackage{tikz}",
        r"\begingroup",
        *(f"\\definecolor{{{name}}}{{HTML}}{{{color[1:].upper()}}}%" for color, name in names.items()),
        f"\\begin{{tikzpicture}}[{style}]",
        f"\\useasboundingbox (0,0) rectangle ({scene.width:.1f},{scene.height:.1f});",
        *(_part(p, names, unit) for p in scene.parts),
        r"\end{tikzpicture}\endgroup",
    ]
    picture = "\n".join(lines) + "\n"
    if not document:
        return picture
    wide, high = scene.width * unit, scene.height * unit
    return "\n".join(
        [
            r"\documentclass{article}",
            f"\\usepackage[paperwidth={wide:.2f}bp, paperheight={high:.2f}bp, margin=0bp]{{geometry}}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage{lmodern}",
            r"\usepackage{tikz}",
            r"\pagestyle{empty}",
            r"\setlength{\parindent}{0pt}\setlength{\topskip}{0pt}\setlength{\maxdepth}{0pt}",
            r"\begin{document}\noindent%",
            picture + r"\end{document}",
            "",
        ]
    )


def _part(part: Part, names: dict[str, str], unit: float) -> str:
    if isinstance(part, Label):
        words = escape_latex(part.shown)
        words = f"\\bfseries {words}" if part.bold else words
        color = names[readable(part.color)]
        return f"\\node[anchor={_ANCHORS[part.anchor]}, text={color}] at ({part.x:.1f},{part.y:.1f}) {{{words}}};"
    if isinstance(part, Dot):
        color = names[_explicit(part, part.color)]
        return f"\\fill[{color}] ({part.x:.1f},{part.y:.1f}) circle[radius={part.radius * unit:.2f}bp];"
    options = [f"line width={part.width * unit:.2f}bp"]
    if part.dashed:
        options.append(f"dash pattern=on {4 * unit:.1f}bp off {3 * unit:.1f}bp")
    if isinstance(part, Line):
        options.append(f"draw={names[_explicit(part, part.color)]}")
        if part.opacity < 1:
            options.append(f"draw opacity={part.opacity:.2f}")
        return f"\\path[{', '.join(options)}] {_way(part)};"
    if part.edge is not None:
        options.append(f"draw={names[_explicit(part, part.edge)]}")
    if part.fill is not None:
        options += [f"fill={names[_explicit(part, part.fill)]}", f"fill opacity={part.opacity:.2f}"]
    corners = " -- ".join(f"({x:.1f},{y:.1f})" for x, y in part.corners)
    return f"\\path[{', '.join(options)}] {corners} -- cycle;"


def _way(line: Line) -> str:
    x, y = line.start
    words = [f"({x:.1f},{y:.1f})"]
    for step in line.steps:
        if len(step) == 4:  # a parabola as a cubic
            bx, by, ex, ey = step
            first = f"({x + 2 * (bx - x) / 3:.1f},{y + 2 * (by - y) / 3:.1f})"
            second = f"({ex + 2 * (bx - ex) / 3:.1f},{ey + 2 * (by - ey) / 3:.1f})"
            words.append(f".. controls {first} and {second} .. ({ex:.1f},{ey:.1f})")
        else:
            words.append(f"-- ({step[0]:.1f},{step[1]:.1f})")
        x, y = step[-2:]
    return " ".join(words)


def _colors(part: Part) -> list[str]:
    return [c for c in (part.fill, part.edge) if c is not None] if isinstance(part, Area) else [part.color]


def _explicit(part: Part, color: str) -> str:
    """Return the colour that a part has on white."""
    return readable(color) if isinstance(part, Label) or color == INK else color


def _line_of(name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())

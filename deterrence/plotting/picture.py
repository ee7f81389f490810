"""Pictures of games: drawn by ``draw``, shown in a notebook, saved as SVG, PNG, PDF or TikZ."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deterrence.files import whole_file
from deterrence.games.display import Display
from deterrence.games.errors import GameError
from deterrence.games.extensive import ExtensiveGame
from deterrence.games.signaling import SignalingGame
from deterrence.games.values import Value
from deterrence.plotting.figures import POINTS, figure_of
from deterrence.plotting.scene import Scene
from deterrence.plotting.signaling import signaling_scene
from deterrence.plotting.svg import svg_text
from deterrence.plotting.tikz import tikz_text
from deterrence.plotting.trees import tree_scene

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALLEST = 8.0  # points of text that can be read in print


@dataclass(frozen=True, eq=False)
class Picture(Display, Value):
    """A drawing that shows itself in a notebook and can be saved.

    Attributes
    ----------
    scene : Scene
        Lines, areas and texts.
    """

    scene: Scene = field(repr=False)

    @property
    def width(self) -> float:
        """Natural width in inches; text of 12 pixels then has 9 points."""
        return self.scene.width / 96

    @property
    def height(self) -> float:
        """Natural height in inches."""
        return self.scene.height / 96

    def text_points(self, width: float | None = None) -> float:
        """Return the size of text in points if the picture is printed at a width in inches (its own by default)."""
        return self.scene.font_size * POINTS * (1.0 if width is None else width / self.width)

    def svg(self, *, themed: bool = False) -> str:
        """Return SVG text, in explicit colours on white, or (``themed``) in those of the page that it stands in."""
        return svg_text(self.scene, themed=themed)

    def tikz(self, *, width: float | None = None, document: bool = False) -> str:
        """Return TikZ for papers: a ``tikzpicture``, or a whole document; ``width`` in inches."""
        return tikz_text(self.scene, scale=1.0 if width is None else width / self.width, document=document)

    def figure(self, *, width: float | None = None) -> Figure:
        """Return a Matplotlib figure; ``width`` in inches."""
        return figure_of(self.scene, 1.0 if width is None else width / self.width)

    def save(
        self,
        path: str | Path,
        *,
        width: float | None = None,
        dpi: float = 200,
        document: bool = False,
        overwrite: bool = False,
    ) -> Path:
        """Write the picture to a file; the suffix says how: ``.svg``, ``.png``, ``.pdf`` or ``.tex``.

        Parameters
        ----------
        path : str or Path
        width : float, optional
            Width in inches; the natural one by default. A warning tells if text becomes smaller than 8 points.
        dpi : float
            Pixels per inch of a PNG.
        document : bool
            Whether a ``.tex`` file is a whole document rather than one ``tikzpicture``.
        overwrite : bool
            Whether a file that exists is replaced.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        GameError
            If the suffix is not known, or the width is not positive.
        FileExistsError
            If the file exists and ``overwrite`` is false.
        """
        path = Path(path)
        if path.suffix.lower() not in _WRITERS:
            raise GameError(
                f"no picture can be saved as {path.name!r}: its suffix must be one of {', '.join(_WRITERS)}"
            )
        if width is not None and not width > 0:
            raise GameError(f"width must be above 0 inches, got {width!r}")
        if self.text_points(width) < SMALLEST - 1e-9:
            warnings.warn(
                f"text of {path.name} has {self.text_points(width):.1f} points at a width of {width or self.width:g} "
                f"inches, below the {SMALLEST:g} that can be read in print; draw it with a larger font_size, or a part",
                stacklevel=2,
            )
        with whole_file(path, overwrite=overwrite) as unfinished:
            _WRITERS[path.suffix.lower()](self, unfinished, width, dpi, document)
        return path

    def _repr_html_(self) -> str:
        return scrolling_frame(self.svg(themed=True))

    def _repr_svg_(self) -> str:
        return self.svg()

    def __str__(self) -> str:
        return self.scene.name


def draw(thing: Any, equilibrium: Any = None, **options: Any) -> Picture:
    """Draw a game, on its own or with an equilibrium: what is played, how likely, and what is believed.

    Parameters
    ----------
    thing : ExtensiveGame, SignalingGame, Equilibrium or Picture
        A tree, a signaling game (two-sided with two messages, else as a tree), or an equilibrium of either.
    equilibrium : Equilibrium or profile, optional
        What to draw on the game.
    **options
        ``colors`` (one for each player, as ``"#0072B2"``), ``font_size`` (pixels, 12 by default) and, for trees,
        ``most_ends`` (150 by default; of a larger tree only the first moves are drawn).

    Raises
    ------
    GameError
        If the thing has no drawing, or the equilibrium is none of a game of this shape.

    Examples
    --------
    >>> import deterrence as dt
    >>> game = dt.ExtensiveGame(("A",), dt.move("A", {"stay": dt.end(A=0), "go": dt.end(A=1)}), "choice")
    >>> print(dt.draw(game, dt.spe(game)[0]))
    choice: game tree of A, 3 nodes, with an equilibrium
    """
    if isinstance(thing, Picture):
        return thing
    if equilibrium is None and hasattr(thing, "profile") and hasattr(thing, "game"):
        thing, equilibrium = thing.game, thing
    if isinstance(thing, ExtensiveGame):
        return Picture(tree_scene(thing, equilibrium, **options))
    if isinstance(thing, SignalingGame):
        return Picture(signaling_scene(thing, equilibrium, **options))
    hint = "beliefs are drawn by dt.belief_simplex"
    if callable(getattr(thing, "assess", None)):
        hint = "the figure of a scenario is .assess().figure('stem')"
    elif callable(getattr(thing, "game", None)):
        hint = "its .game() can be drawn"
    raise GameError(
        f"draw takes an ExtensiveGame, a SignalingGame or an equilibrium of one, got {type(thing).__name__}; {hint}"
    )


def save_picture(thing: Any, path: str | Path, equilibrium: Any = None, **options: Any) -> Path:
    """Draw a thing (see ``draw``) and save it (see ``Picture.save``) as the suffix says.

    Parameters
    ----------
    thing : ExtensiveGame, SignalingGame, Equilibrium or Picture
    path : str or Path
        Ends in ``.svg``, ``.png``, ``.pdf`` or ``.tex``.
    equilibrium : Equilibrium or profile, optional
    **options
        ``width``, ``dpi``, ``document`` and ``overwrite`` for the file; the rest for the drawing.

    Raises
    ------
    GameError
        If the suffix is not known, or there is no drawing.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    ours = {name: options.pop(name) for name in ("width", "dpi", "document", "overwrite") if name in options}
    return draw(thing, equilibrium, **options).save(path, **ours)


def scrolling_frame(svg: str) -> str:
    """Return a picture as HTML that scrolls where the page is narrower."""
    return f'<div style="overflow-x:auto">{svg}</div>'


def _svg_file(picture: Picture, path: Path, width: float | None, *_: object) -> None:
    text = picture.svg()
    if width is not None:
        scene = picture.scene
        old = f'width="{scene.width:.0f}" height="{scene.height:.0f}"'
        new = f'width="{width:g}in" height="{width * scene.height / scene.width:g}in"'
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def _png_file(picture: Picture, path: Path, width: float | None, dpi: float, _: object) -> None:
    picture.figure(width=width).savefig(path, dpi=dpi, metadata={"Title": picture.scene.name})


def _pdf_file(picture: Picture, path: Path, width: float | None, *_: object) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"pdf.fonttype": 42}):  # letters stay letters: text can be searched and copied
        metadata = {"Title": picture.scene.name, "CreationDate": None}
        page = io.BytesIO()  # on a full disk the backend of matplotlib raises an error of zlib
        picture.figure(width=width).savefig(page, format="pdf", metadata=metadata)
    path.write_bytes(page.getvalue())


def _tex_file(picture: Picture, path: Path, width: float | None, _: float, document: bool) -> None:
    path.write_text(picture.tikz(width=width, document=document), encoding="utf-8")


_WRITERS: Mapping[str, Callable[[Picture, Path, float | None, float, bool], None]] = {
    ".svg": _svg_file,
    ".png": _png_file,
    ".pdf": _pdf_file,
    ".tex": _tex_file,
}

"""``Explorer``: a subject with its views, shown in a notebook, in a browser, or as a page from disk."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from deterrence.explorer.page import write_page
from deterrence.explorer.server import serve
from deterrence.explorer.views import Views
from deterrence.explorer.widget import widget_of


class Explorer(Views):
    """A model, scenario or game to look at: sliders, curve, phase map, equilibria, picture, comparison, code.

    Made by ``dt.explore``. In Jupyter it shows itself as a widget.

    Parameters
    ----------
    subject : Subject
        What is explored.
    grid : int, optional
        Points along each side of the map; by default what takes a fraction of a second, then a finer one.
    points : int, optional
        Of the curve.

    Examples
    --------
    >>> import deterrence as dt
    >>> explorer = dt.explore(dt.models.get("ALSIG"))
    >>> view = explorer.answer({**explorer.initial_state, "values": {"rho": 0.7}, "parts": ["curve"]})
    >>> view["point"]["low"], round(view["point"]["high"], 12)
    (0.0, 0.12)
    """

    @cached_property
    def widget(self) -> Any:
        """The explorer as an anywidget, for Jupyter, VS Code, Colab and marimo.

        Raises
        ------
        ImportError
            If anywidget is not installed; the message says how to.
        """
        return widget_of(self)

    def to_html(self, path: str | Path, **options: Any) -> Path:
        """Write a page that works from disk, without Python behind it; see ``deterrence.explorer.page.write_page``."""
        return write_page(self, path, **options)

    def serve(self, *, port: int = 0, **options: Any) -> None:
        """Show the explorer in a browser on this machine, until Ctrl-C; see ``deterrence.explorer.server.serve``."""
        serve(self, port=port, **options)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), "text/plain": repr(self)}, metadata

    def _display_(self) -> Any:  # marimo asks for this
        return self.widget

    def __repr__(self) -> str:
        return f"Explorer({self.subject.title!r}, {len(self._sliders)} parameters)"

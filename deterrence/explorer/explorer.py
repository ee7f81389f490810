"""``Explorer``: a subject with its views, shown in a notebook, in a browser, or as a page from disk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.explorer.games import FORMS, game_subject
from deterrence.explorer.models import model_subject
from deterrence.explorer.page import write_page
from deterrence.explorer.scenarios import scenario_subject
from deterrence.explorer.server import serve
from deterrence.explorer.subjects import Subject
from deterrence.explorer.views import Views
from deterrence.explorer.widget import widget_of
from deterrence.games.errors import ParameterError
from deterrence.models.model import Model


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


def explore(
    thing: Any,
    *,
    ranges: Mapping[str, Any] | None = None,
    at: Mapping[str, Any] | None = None,
    grid: int | None = None,
    points: int | None = None,
) -> Explorer:
    """Return an explorer: sliders, likelihood curve, phase map, equilibria, picture, comparison, code.

    Parameters
    ----------
    thing : Model, Scenario, SignalingGame, ExtensiveGame, StrategicGame or str
        What is explored; a string is the name of a shipped scenario or the id of a model.
    ranges : mapping of str to pair of float, optional
        Ranges of sliders by parameter. A game with symbols needs them; models and scenarios have their own.
    at : mapping, optional
        Where sliders start; of a game, also values of symbols that do not move.
    grid : int, optional
        Points along each side of the map; by default as many as take a quarter of a second, then a finer map.
    points : int, optional
        Of the curve.

    Returns
    -------
    Explorer
        It shows itself in Jupyter (with ``pip install "deterrence[explore]"``); ``.to_html(path)`` writes a page that
        needs no Python, ``.serve()`` opens it in a browser.

    Raises
    ------
    GameError, ParameterError
        If there is nothing to move, or a name or range is wrong.

    Examples
    --------
    >>> import deterrence as dt
    >>> explorer = dt.explore(dt.models.get("BQ"))
    >>> explorer.answer({"values": {"P_strong": 0.95}, "parts": []})["point"]["high"]
    0.0
    """
    subject = _subject_of(thing, dict(ranges or {}), dict(at or {}))
    return Explorer(subject, grid=grid, points=points)


def _subject_of(thing: Any, ranges: Mapping[str, Any], at: Mapping[str, Any]) -> Subject:
    if isinstance(thing, str):
        thing = _named(thing)
    if isinstance(thing, Model):
        return model_subject(thing, ranges, at)
    if isinstance(thing, Scenario):
        return scenario_subject(thing, ranges, at)
    if isinstance(thing, FORMS):
        return game_subject(thing, ranges, at)
    raise ParameterError(f"explore takes a model, a scenario or a game with symbols, got {type(thing).__name__}")


def _named(name: str) -> Any:
    from deterrence.models.library import get

    if name in Scenario.names() or name.endswith(".toml"):
        return Scenario.load(name)
    return get(name)

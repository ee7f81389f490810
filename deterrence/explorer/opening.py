"""``dt.explore``: from a model, a scenario or a game to an explorer of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deterrence.alliances.scenarios.scenario import Scenario
from deterrence.explorer.explorer import Explorer
from deterrence.explorer.games import FORMS, game_subject
from deterrence.explorer.models import model_subject
from deterrence.explorer.scenarios import scenario_subject
from deterrence.explorer.subjects import Subject
from deterrence.games.errors import ParameterError
from deterrence.models.model import Model


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

"""The views of the explorer, as a pure function of its state.

The front end (``static/explorer.js``) and Python exchange three JSON objects by name. It does not matter what carries
them: a Jupyter widget, a local server, or a page that holds answers made in advance.

``spec`` -- written once, by Python
    ``protocol`` : int
        Version of this exchange.
    ``title``, ``note``, ``kind`` : str
        What is explored; kind is ``"model"``, ``"scenario"`` or ``"game"``.
    ``parameters`` : list of ``{name, label, low, high, step, value, unit, meaning, group, whole, neutral, tied}``
        One slider each; sliders of one group stand together, groups in order of appearance.
        ``fixed`` : str, if it is there, says why a parameter cannot be moved (pages from disk): its slider is disabled
        and shows the reason, and it is offered for no axis.
    ``events``, ``concepts``, ``refinements`` : list of str
        What the probability of is asked; solution concepts; refinements that equilibria are judged by (may be empty).
    ``axes`` : list of str
        Parameters that the axes start with, x first; one only where there is no map.
    ``grids`` : list of int
        Numbers of points along each side of the first map over ``axes``, and of a finer one if there is.
    ``points`` : int
        Number of points of the curve.
    ``palette`` : ``{probability, areas, inks, nothing}``
        Colours of the map: 256 x 3 bytes (RGB) in base64, from the low to the high end of the scale; of the phases;
        of what is written on these; of points without an answer.
    ``code`` : str
        Template of "copy as code" with nobody wrong: ``@values@`` (a JSON object of the values of those parameters
        whose ``neutral`` is null or another value, or whose ``tied`` names one that is, or x, or y), ``@x@``, ``@y@``,
        ``@event@``, ``@concept@`` (JSON strings), ``@x_range@``, ``@y_range@`` (``low, high``), ``@points@`` and
        ``@grid@`` (whole numbers) are replaced. ``@concept_raw@`` is the concept without quotes.
    ``perceived`` : ``{players, believer, parameter, parameters, prefix, events, measures}`` or null
        What one player may be wrong about, if that is offered: ``players`` one of whom (``believer`` at first) sees
        other values of some of ``parameters`` (``parameter`` is offered first). ``prefix`` + a parameter's name is the
        name of its perceived value as an axis; ``events`` are those that have an answer then, and ``measures`` further
        ones.

``state`` -- written by the front end at every change; ``Explorer.initial_state`` is the first
    ``values`` : ``{name: number}``
        Where the reader stands; a name left out stands at its start.
    ``x``, ``y`` : str
        Parameters along the axes, or perceived values (see ``spec.perceived.prefix``) of those in ``perceived``; the
        curve runs along x. ``y`` is null where there is one parameter only.
    ``believer`` : str or null
    ``perceived`` : ``{name: number}``
        What the believer takes for true; it is right about the rest, and about all if this is empty. With perceived
        values, point, curve and map are those of play by players one of whom is wrong (``dt.subjective``);
        equilibria and picture remain those of the true game.
    ``event``, ``concept`` : str
    ``equilibrium`` : int
        Index of the one that is drawn.
    ``detail`` : int
        How fine the map is: 0 for the first, then up by one while ``view.map.more``.
    ``pinned`` : list of ``{values, event, concept, low, high}``
        Points kept for comparison. Python reads nothing in them.
    ``serial`` : int
        Grows by one at every change; an answer to an older state than the last is dropped.
    ``settle`` : bool, optional
        False: ties along the curve are left to the array solver, which is quicker; true by default.
    ``parts`` : list of str, optional
        What to answer, of ``"curve"``, ``"map"``, ``"equilibria"``, ``"tree"``, ``"comparison"``; all by default.

``view`` -- written by Python in answer. The keys of parts that were not asked for are missing.
    ``serial``, ``state``
        Of the state that is answered.
    ``error`` : str
        Present if the state has no answer at all; then nothing else but ``serial`` is.
    ``point`` : ``{low, high, status, reason}``
        Range of the event's probability over the equilibria here; null if ``status`` is not ``"OK"``.
    ``curve`` : ``{x, values, low, high, scale, ties}``
        Lists of one length; null where there is no answer. Where somebody misperceives also ``true_low`` and
        ``true_high``: the same if everybody perceived what is true. ``scale`` is what the vertical axis has to span:
        ``[0, 1]`` for probabilities. ``ties`` counts points within the tolerance of a tie that were not solved again.
    ``map`` : ``{x, y, nx, ny, x_range, y_range, low, high, scale, kinds, phases, detail, more, ties}`` or null
        ``low``, ``high``, ``kinds`` are base64 of ``ny * nx`` bytes, row by row, y upward and x rightward from the low
        ends of ``x_range`` and ``y_range``, ends included. A byte b of ``low`` and ``high`` below 255 means
        ``scale[0] + b / 254 * (scale[1] - scale[0])``; 255 means no answer. A byte of ``kinds`` is an index into
        ``phases`` (sets of kinds of equilibrium, in words), 255: no answer. ``more`` says that a finer map
        (``detail + 1``) may be asked for; ``ties`` counts points within the tolerance of a tie.
    ``equilibria`` : list of ``{label, kind, low, high, survives, payoffs, html}``
        ``survives`` is ``{refinement: "whole" | "part" | "nothing" | null}``; ``html`` is a table made by Python, every
        label in it escaped.
    ``statement`` : str
        How the equilibria were found and whether all are known.
    ``tree_svg`` : str
        Picture of the game with the chosen equilibrium, or ``""``; made by Python, every label escaped.
    ``comparison`` : ``{head, rows, words}`` or null
        Perceived beside true values: a table of text, and what the misperception does, in words.
    ``code`` : str
        The template of ``spec`` filled in; with perceived values, code of its own.
    ``seconds`` : ``{solve, total}``
        Of this answer; ``solve`` is the share of solvers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np

from deterrence.explorer.cache import Cache
from deterrence.explorer.maps import (
    base64_text,
    in_bytes,
    numbers,
    palette,
    phases_of,
    point_view,
    row_view,
    scale_of,
    wider,
)
from deterrence.explorer.misperception import comparison, mistaken, offer_of, sizes_of_mistaken
from deterrence.explorer.resolution import points_of_curve, seconds_of_a_point, sizes_of_map
from deterrence.explorer.snippets import code_at
from deterrence.explorer.state import PARTS, PREFIX, State, parts_of, start_of, state_at
from deterrence.explorer.subjects import Found, Slider, Subject
from deterrence.games.answers import BlockAnswer
from deterrence.games.errors import GameError, ParameterError, SolverError

PROTOCOL = 1


class Views:
    """The views of a subject: likelihoods, maps, equilibria and pictures at a state of the explorer.

    Parameters
    ----------
    subject : Subject
        What is explored.
    grid : int, optional
        Points along each side of the map; by default what takes a fraction of a second, then a finer one.
    points : int, optional
        Of the curve.
    """

    def __init__(self, subject: Subject, *, grid: int | None = None, points: int | None = None) -> None:
        for name, value, least in (("grid", grid, 2), ("points", points, 2)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ParameterError(f"{name} must be a whole number of at least {least}, got {value!r}")
        self.subject = subject
        self._sliders = {slider.name: slider for slider in subject.sliders}
        self._cache = Cache()
        self._grid, self._points = grid, points
        self._each: dict[tuple[str, ...], float] = {}
        self._sizes: dict[tuple[str | None, ...], tuple[tuple[int, ...], int]] = {}
        self.points = points or points_of_curve(self._seconds(subject.axes))

    # -- the exchange ------------------------------------------------------------------------------------------------

    @cached_property
    def spec(self) -> dict[str, Any]:
        """What the front end is told once; see the module."""
        subject = self.subject
        return {
            "protocol": PROTOCOL,
            "title": subject.title,
            "note": subject.note,
            "kind": subject.kind,
            "parameters": [asdict(slider) for slider in subject.sliders],
            "events": list(subject.events),
            "concepts": list(subject.concepts),
            "refinements": list(subject.refinements),
            "axes": list(subject.axes),
            "grids": list(self.grids(*subject.axes)),
            "points": self.points,
            "palette": palette(),
            "code": subject.code,
            "perceived": offer_of(subject),
        }

    @property
    def initial_state(self) -> dict[str, Any]:
        """Where the reader starts; see the module."""
        return start_of(self.subject)

    def grids(self, *axes: str) -> tuple[int, ...]:
        """Return the numbers of points along each side of a map over two parameters: the first map, then a finer one.

        They depend on how long points take, which is measured once for each pair of parameters.
        """
        return (self._grid,) if self._grid is not None else sizes_of_map(self._seconds(axes))

    def answer(self, state: Mapping[str, Any], parts: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the view at a state; see the module.

        The same state gives the same view, times of the clock apart.

        Parameters
        ----------
        state : mapping
        parts : iterable of str, optional
            Of ``"curve"``, ``"map"``, ``"equilibria"``, ``"tree"``, ``"comparison"``; by default what the state asks.

        Raises
        ------
        ParameterError
            If the state is malformed: an unknown name, a value out of its slider's range, no number.
        """
        started = time.perf_counter()
        self._cache.seconds = 0.0
        current = state_at(self.subject, state)
        asked = parts_of(state.get("parts", PARTS) if parts is None else parts)
        point = self._point(current)
        grids, points = self._sizes_at(current)
        view: dict[str, Any] = {
            "serial": current.serial,
            "state": dict(state),
            "point": point_view(point, current.event),
            "code": code_at(self.subject, current, points, grids[-1]),
        }
        if "curve" in asked:
            view["curve"] = self._curve_view(current)
        if "map" in asked:
            view["map"] = self._map_view(current)
        if {"equilibria", "tree"} & asked:
            found = self._found(current)
            if "equilibria" in asked:
                view["equilibria"] = [row_view(row) for row in found.rows]
                view["statement"] = found.statement
            if "tree" in asked:
                view["tree_svg"] = found.picture(current.equilibrium)
        if "comparison" in asked:
            view["comparison"] = self._comparison_view(current)
        total = time.perf_counter() - started
        view["seconds"] = {"solve": min(self._cache.seconds, total), "total": total}
        return view

    # -- the parts of a view -----------------------------------------------------------------------------------------

    def _point(self, current: State) -> BlockAnswer:
        return self._likelihood("point", current, {}, settle=True)

    def _curve_view(self, current: State) -> dict[str, Any]:
        values = self._axis(current.x).points(self._sizes_at(current)[1])
        found = self._likelihood("curve", current, {current.x: values}, settle=current.settle)
        low, high = found.low[current.event], found.high[current.event]
        view = {"x": current.x, "values": values.tolist(), "low": numbers(low), "high": numbers(high)}
        scale = scale_of(low, high)
        right = self._informed(current, values)
        if right is not None:
            true_low, true_high = (np.broadcast_to(end[current.event], low.shape) for end in (right.low, right.high))
            view |= {"true_low": numbers(true_low), "true_high": numbers(true_high)}
            scale = wider(scale, scale_of(true_low, true_high))
        return {**view, "scale": list(scale), "ties": int(found.degenerate.sum())}

    def _informed(self, current: State, values: Any) -> BlockAnswer | None:
        """Return the curve if everybody perceived what is true; None where nobody is wrong."""
        if not current.perceived:
            return self._cache.remember(
                ("right", current.event, current.x, current.others(current.x)),
                lambda: self.subject.under_correct_beliefs(
                    {**current.values, current.x: values}, len(values), current.event
                ),
            )
        if current.event not in self.subject.events:  # a mistake, which nobody makes then
            return None
        swept = {} if current.x.startswith(PREFIX) else {current.x: values}
        return self._likelihood("right", current.truth, swept, settle=current.settle)

    def _map_view(self, current: State) -> dict[str, Any] | None:
        if current.y is None:
            return None
        grids, _ = self._sizes_at(current)
        detail = min(current.detail, len(grids) - 1)
        xs, ys = (self._axis(name).points(grids[detail]) for name in (current.x, current.y))
        found = self._likelihood("map", current, {current.x: xs[None, :], current.y: ys[:, None]}, settle=False)
        low, high = found.low[current.event], found.high[current.event]
        scale = scale_of(low, high)
        phases, words = phases_of(found)
        return {
            "x": current.x,
            "y": current.y,
            "nx": len(xs),
            "ny": len(ys),
            "x_range": [float(xs[0]), float(xs[-1])],
            "y_range": [float(ys[0]), float(ys[-1])],
            "low": in_bytes(low, scale),
            "high": in_bytes(high, scale),
            "scale": list(scale),
            "kinds": base64_text(phases),
            "phases": words,
            "detail": detail,
            "more": detail + 1 < len(grids),
            "ties": int(found.degenerate.sum()),
        }

    def _found(self, current: State) -> Found:
        def search() -> Found:
            try:
                return self.subject.equilibria(current.values, current.event, current.concept)
            except (GameError, ParameterError, SolverError) as error:
                return Found((), f"no equilibrium is shown here: {error}")

        return self._cache.remember(("found", current.event, current.concept, current.truth.others()), search)

    def _comparison_view(self, current: State) -> dict[str, Any] | None:
        def compare() -> dict[str, Any] | None:
            try:
                found = (
                    comparison(self.subject, current)
                    if current.perceived
                    else self.subject.comparison(current.values, current.event)
                )
            except (GameError, ParameterError, SolverError) as error:
                return {"head": [], "rows": [], "words": f"no comparison here: {error}"}
            return None if found is None else asdict(found)

        return self._cache.remember(("comparison", current.event, current.concept, current.others()), compare)

    def _likelihood(self, kind: str, current: State, swept: Mapping[str, Any], *, settle: bool) -> BlockAnswer:
        """Return the answer at the points of arrays that broadcast against each other, row by row."""
        shape = np.broadcast_shapes(*(np.shape(values) for values in swept.values())) or (1,)

        def solve() -> BlockAnswer:
            if current.perceived:
                return mistaken(self.subject, current, swept)
            flat = {name: np.broadcast_to(values, shape).ravel() for name, values in swept.items()}
            size = int(np.prod(shape))
            return self.subject.likelihood(
                {**current.values, **flat}, size, current.event, current.concept, settle=settle
            )

        key = (kind, settle, current.event, current.concept, shape, tuple(swept), current.others(*swept))
        return self._cache.remember(key, solve)

    def _axis(self, name: str) -> Slider:
        return self._sliders[name.removeprefix(PREFIX)]

    def _sizes_at(self, current: State) -> tuple[tuple[int, ...], int]:
        """Return the numbers of points along each side of the maps at a current, and of the curve."""
        if not current.perceived:
            return (self.grids(current.x, current.y) if current.y else (self.points,)), self.points
        axes = (current.x, current.y, current.believer, *current.perceived)
        if axes not in self._sizes and (self._grid is None or self._points is None):
            self._sizes[axes] = sizes_of_mistaken(self.subject, current)
        grids, points = self._sizes.get(axes, ((), 0))
        return (grids if self._grid is None else (self._grid,)), self._points or points

    # -- time --------------------------------------------------------------------------------------------------------

    def _seconds(self, axes: tuple[str, ...]) -> float:
        if axes not in self._each:
            self._each[axes] = seconds_of_a_point(self.subject, axes)
        return self._each[axes]

"""Views whose values are arrays: what points they hold, and whether these form a mesh of few values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deterrence.games.errors import ParameterError
from deterrence.games.quantities import Array
from deterrence.perception.views import View

_WORTH_SORTING = 10_000  # entries of an array from which on it is looked through for repetitions


def shape_of(view: View) -> tuple[int, ...]:
    """Return the shape that the arrays of a view, nested ones among them, broadcast to."""
    return broadcast_shape([*map(np.shape, view.values.values()), *map(shape_of, view.others.values())])


def broadcast_shape(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape that arrays of some shapes broadcast to.

    Raises
    ------
    ParameterError
        If they do not.
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ParameterError(f"arrays of values must broadcast against each other, got shapes {shapes}") from None


def point_of(view: View, shape: tuple[int, ...], index: tuple[int, ...]) -> View:
    """Return a view at one point of its arrays."""

    def pick(value: Any) -> Any:
        return float(np.broadcast_to(value, shape)[index]) if np.ndim(value) else value

    others = {player: point_of(inner, shape, index) for player, inner in view.others.items()}
    return View({name: pick(value) for name, value in view.values.items()}, others)


def same_game(one: View, other: View, shape: tuple[int, ...]) -> Array:
    """Return where two players see the same game, shape of the grid."""
    if one.others or other.others or set(one.values) != set(other.values):
        return np.zeros(shape, dtype=bool)
    equal = np.ones(shape, dtype=bool)
    for name, value in one.values.items():
        equal &= np.equal(value, other.values[name])
    return equal


def open_mesh(
    truth: Mapping[str, Any], views: Mapping[str, View]
) -> tuple[dict[str, Any], dict[str, View], tuple[Array, ...]] | None:
    """Return large arrays that repeat few values as one axis for each array, and where the points stand in that mesh.

    None where there is nothing to gain: arrays are small, or all their combinations are more than twice the points.
    """
    found: dict[int, Array] = {}
    for view in (View(truth), *views.values()):
        found.update((id(value), value) for value in _values_below(view) if np.ndim(value))
    points = int(np.prod(broadcast_shape([np.shape(value) for value in found.values()]), dtype=np.float64))
    if not found or max(np.size(value) for value in found.values()) < _WORTH_SORTING:
        return None
    distinct = {key: np.unique(value, return_inverse=True) for key, value in found.items()}
    if np.prod([float(len(values)) for values, _ in distinct.values()]) > 2 * points:
        return None
    axes = {
        key: values.reshape(tuple(-1 if j == i else 1 for j in range(len(distinct))))
        for i, (key, (values, _)) in enumerate(distinct.items())
    }
    places = tuple(np.reshape(place, np.shape(found[key])) for key, (_, place) in distinct.items())

    def meshed(view: View) -> View:
        values = {name: axes.get(id(value), value) for name, value in view.values.items()}
        return View(values, {player: meshed(inner) for player, inner in view.others.items()})

    return dict(meshed(View(truth)).values), {player: meshed(view) for player, view in views.items()}, places


def _values_below(view: View) -> list[Any]:
    return [*view.values.values(), *(value for inner in view.others.values() for value in _values_below(inner))]

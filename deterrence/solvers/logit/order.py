"""The order in which the logit play of information sets follows from that of a few kept ones.

The play of a set depends on that of the sets below it, and on that of sets above it where this bears on beliefs:
actions that lead to every node of the set do not. Sets are kept until what is left can be computed in layers, each from
the kept sets and the layers before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from deterrence.games.quantities import Array
from deterrence.solvers.logit.system import Layout


@dataclass(frozen=True, eq=False)
class Layer:
    """Some information sets of two or more actions, computed together: H sets with V unknowns in all.

    Attributes
    ----------
    rows : slice
        Their unknowns among all, in the order of the plan.
    first, free : ndarray of int, shapes (H,), (V,)
        First action of each set, and the other actions.
    home : ndarray of int, shape (V,)
        Set of each unknown within the layer.
    binary : bool
        Whether all have two actions, so that unknowns and sets agree.
    sums : ndarray, shape (H, V)
        Which unknowns belong to each set.
    end, owner : ndarray of int, shape (E,)
        End, and player, of each pair of an action and an end after it.
    others : ndarray of int, shape (D, E)
        The other actions on the way to that end that matter; A where they are fewer.
    signs : ndarray, shape (V, E)
        1 where the pair's action is the unknown's, -1 where it is the first action of the unknown's set.
    node : ndarray of int, shape (Y,)
        The sets' nodes among the X nodes of the layout.
    above : ndarray of int, shape (D', Y)
        Actions on the way to each that matter.
    nodes : ndarray, shape (H, Y)
        Which nodes belong to each set.
    """

    rows: slice
    first: Array
    free: Array
    home: Array
    binary: bool
    sums: Array
    end: Array
    owner: Array
    others: Array
    signs: Array
    node: Array
    above: Array
    nodes: Array


@dataclass(frozen=True, eq=False)
class Plan:
    """Layers of one layout; the kept sets are the last layer.

    Attributes
    ----------
    count, depth : int
        Number of actions, and most of them on one path.
    layers : tuple of Layer
    kept : ndarray of int
        The kept unknowns, as numbered in the layout.
    sets : ndarray of int, shape (U,)
        Information set of each unknown, in the order of the plan: the kept ones, then layer by layer.
    back : ndarray of int, shape (U,)
        Where each unknown of the layout stands in that order.
    sure : ndarray of int
        Actions of sets with no other, and A, which stands for no action.
    """

    count: int
    depth: int
    layers: tuple[Layer, ...]
    kept: Array
    sets: Array
    back: Array
    sure: Array

    def astype(self, dtype: Any) -> Plan:
        """Return the plan with its tables in another precision."""
        layers = (
            replace(x, sums=x.sums.astype(dtype), signs=x.signs.astype(dtype), nodes=x.nodes.astype(dtype))
            for x in self.layers
        )
        return replace(self, layers=tuple(layers))


@lru_cache(maxsize=32)
def plan_of(layout: Layout) -> Plan:
    """Return the order of computation of a layout."""
    common = _common(layout)
    kept, groups = _order(layout, common)
    order = np.concatenate([_unknowns(layout, sets) for sets in (kept, *groups)]).astype(np.int64)
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    start, layers = len(_unknowns(layout, kept)), []
    for sets in groups:
        layers.append(_layer(layout, sets, start, common))
        start = layers[-1].rows.stop
    layers.append(_layer(layout, kept, 0, common))
    return Plan(
        count=layout.count,
        depth=len(layout.end_slots),
        layers=tuple(layers),
        kept=_unknowns(layout, kept),
        sets=layout.free_set[order],
        back=back,
        sure=np.append(layout.first[~np.isin(np.arange(len(layout.first)), layout.free_set)], layout.count),
    )


def _unknowns(layout: Layout, sets: Array) -> Array:
    return np.flatnonzero(np.isin(layout.free_set, sets))


def _common(layout: Layout) -> Array:
    """Whether an action lies on the way to every node of a set, shape (I, A + 1); not so of the last column."""
    met = np.zeros((len(layout.first), layout.count + 1))
    for line in layout.node_slots:
        np.add.at(met, (layout.node_set_of, line), 1)
    result: Array = met == np.bincount(layout.node_set_of, minlength=len(layout.first))[:, None]
    result[:, -1] = False
    return result


def _order(layout: Layout, common: Array) -> tuple[Array, list[Array]]:
    """Return the sets to keep, and the others in layers."""
    slot, end, _ = layout.pairs
    home = layout.set_of[slot]
    sets = np.append(layout.set_of, len(layout.first))
    depends = np.zeros((len(layout.first), len(layout.first) + 1), dtype=bool)
    for line in layout.end_slots:
        other = line[end]
        counts = ~common[home, other] & (other != slot)
        depends[home[counts], sets[other[counts]]] = True
    depends = depends[:, :-1]
    choosing = np.isin(np.arange(len(layout.first)), layout.free_set)
    depends &= choosing & choosing[:, None]
    size = np.bincount(layout.free_set, minlength=len(layout.first))
    left, kept = choosing.copy(), []
    while left.any():
        inner = depends & left & left[:, None]
        needs, needed = inner.sum(axis=1), inner.sum(axis=0)
        easy = left & ((needs == 0) | (needed == 0))
        if easy.any():
            left &= ~easy
            continue
        worst = int(np.argmax(np.where(left, needs * needed / np.maximum(size, 1), -1.0)))
        kept.append(worst)
        left[worst] = False
    if not kept:  # all follow from one another: the last layer stands for the kept
        kept = [int(np.flatnonzero(choosing)[0])]
    rest, groups = choosing.copy(), []
    rest[kept] = False
    while rest.any():
        ready = rest & ~(depends & rest).any(axis=1)
        groups.append(np.flatnonzero(ready))
        rest &= ~ready
    return np.sort(np.array(kept, dtype=np.int64)), groups


def _layer(layout: Layout, sets: Array, start: int, common: Array) -> Layer:
    unknown = _unknowns(layout, sets)
    free, first = layout.free[unknown], layout.first[sets]
    home = np.searchsorted(sets, layout.free_set[unknown])
    slot, end, _ = layout.pairs
    mine = np.isin(layout.set_of[slot], sets)
    slot, end = slot[mine], end[mine]
    node = np.flatnonzero(np.isin(layout.node_set_of, sets))
    return Layer(
        rows=slice(start, start + len(unknown)),
        first=first,
        free=free,
        home=home,
        binary=len(sets) == len(unknown),
        sums=(home == np.arange(len(sets))[:, None]).astype(float),
        end=end,
        owner=layout.player[layout.set_of[slot]],
        others=_mattering(layout.end_slots[:, end], layout.set_of[slot], slot, common),
        signs=(slot == free[:, None]).astype(float) - (slot == first[home][:, None]),
        node=node,
        above=_mattering(layout.node_slots[:, node], layout.node_set_of[node], np.full(len(node), -1), common),
        nodes=(layout.node_set_of[node] == sets[:, None]).astype(float),
    )


def _mattering(slots: Array, sets: Array, own: Array, common: Array) -> Array:
    """Actions on paths less a path's own and those common to a set's nodes, moved up; lines that hold none dropped."""
    none = common.shape[1] - 1
    slots = np.where((slots == own) | common[sets, slots], none, slots)
    slots = np.sort(slots, axis=0)
    return np.ascontiguousarray(slots[(slots < none).any(axis=1)])

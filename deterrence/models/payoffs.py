"""Payoff tables from nested lists whose entries may be numbers, arrays over many parameter points, or symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from deterrence.games.quantities import Array


def table(rows: Any) -> Array:
    """Return a nested list as an array; entries that are arrays of shape (n,) become a leading batch dimension.

    Examples
    --------
    >>> import numpy as np
    >>> table([[1, 2], [np.array([3.0, 4.0, 5.0]), 0]]).shape
    (3, 2, 2)
    """
    leaves, shape = _leaves(rows)
    if any(isinstance(x, np.ndarray) and x.ndim for x in leaves):
        stacked = np.stack(np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in leaves)), axis=-1)
        return stacked.reshape(*stacked.shape[:-1], *shape)
    array = np.array(leaves, dtype=object).reshape(shape)
    symbolic = any(hasattr(x, "free_symbols") for x in leaves)
    return array if symbolic else array.astype(np.float64)


def _leaves(rows: Any) -> tuple[list[Any], tuple[int, ...]]:
    if not isinstance(rows, list | tuple):
        return [rows], ()
    parts = [_leaves(row) for row in rows]
    return [x for leaves, _ in parts for x in leaves], (len(rows), *parts[0][1])

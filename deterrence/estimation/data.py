"""Tables of observations: any table becomes a pandas frame, and rows with missing values are dropped with a count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from deterrence.estimation.likelihood import Floats
from deterrence.games.errors import ParameterError
from deterrence.games.quantities import check_names

if TYPE_CHECKING:
    import pandas as pd

Missing: TypeAlias = Literal["drop", "raise"]


def frame_of(data: Any) -> pd.DataFrame:
    """Return a table as a pandas frame.

    Parameters
    ----------
    data : DataFrame, mapping of str to array_like, or any table that narwhals knows
        Polars, PyArrow, DuckDB and others are taken through narwhals.

    Raises
    ------
    ParameterError
        If it is no table, or has no rows.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        frame = data
    elif isinstance(data, Mapping):
        try:
            frame = pd.DataFrame(data)
        except ValueError as error:
            raise ParameterError(f"data must have columns of one length: {error}") from None
    else:
        frame = _by_narwhals(data)
    if not len(frame):
        raise ParameterError("data must have at least one row, got none")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ParameterError(f"the columns of data must have distinct names, got {twice[0]!r} twice")
    return frame


def _by_narwhals(data: Any) -> pd.DataFrame:
    import narwhals as nw

    try:
        native: Any = nw.from_native(data)
        if isinstance(native, nw.LazyFrame):
            native = native.collect()
        frame: pd.DataFrame = native.to_pandas()
    except (TypeError, AttributeError):
        raise ParameterError(
            f"data must be a table (pandas, Polars, PyArrow, a mapping of columns), got {type(data).__name__}"
        ) from None
    return frame


def check_columns(frame: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Raise ParameterError, with the nearest name, unless all columns exist."""
    known = [str(c) for c in frame.columns]
    for column in columns:
        if not isinstance(column, str) or column not in known:
            try:
                check_names([str(column)], known, "data", complete=False)
            except ParameterError as error:
                text = str(error).replace("has no parameter", f"has no column ({what})")
                raise ParameterError(text) from None


def complete_rows(
    frame: pd.DataFrame, columns: Sequence[str], missing: Missing = "drop"
) -> tuple[pd.DataFrame, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return the rows in which none of some columns is missing, and which they are.

    Raises
    ------
    ParameterError
        If ``missing="raise"`` and values are missing, or if no row is complete; the message counts them by column.
    """
    if missing not in ("drop", "raise"):
        raise ParameterError(f"missing must be 'drop' or 'raise', got {missing!r}")
    used = list(dict.fromkeys(columns))
    gaps = frame[used].isna()
    kept = ~gaps.any(axis=1).to_numpy(dtype=bool)
    if kept.all():
        return frame, kept
    counts = {column: int(count) for column, count in gaps.sum().items() if count}
    told = ", ".join(f"{column!r} ({count})" for column, count in counts.items())
    if missing == "raise":
        raise ParameterError(f"data lack values in {told}; drop these rows, or pass missing='drop'")
    if not kept.any():
        raise ParameterError(f"no row of data is complete: values are missing in {told}")
    return frame.loc[kept], kept


def row_name(index: Any, row: Any) -> str:
    """Return the label of a row as a user wrote it, for messages."""
    label = index[int(row)]
    return repr(label.item() if isinstance(label, np.generic) else label)


def numbers_of(frame: pd.DataFrame, column: str, what: str, *, low: float = -np.inf) -> Floats:
    """Return a column as finite float64 numbers.

    Raises
    ------
    ParameterError
        If a value is no finite number, or below ``low``.
    """
    check_columns(frame, [column], what)
    try:
        values = frame[column].to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"column {column!r} ({what}) must hold numbers, got {frame[column].dtype}") from None
    bad = np.flatnonzero(~np.isfinite(values) | (values < low))
    if len(bad):
        rule = "finite" if low == -np.inf else f"finite and at least {low:g}"
        raise ParameterError(
            f"column {column!r} ({what}) must be {rule}, got {values[bad[0]]} in row {row_name(frame.index, bad[0])}"
        )
    return values

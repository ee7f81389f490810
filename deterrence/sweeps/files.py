"""Results of sweeps as files: comma-separated text, NetCDF, Parquet, JSON or Zarr."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deterrence.games.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SUFFIXES = (".csv", ".nc", ".parquet", ".json", ".zarr")
_PACKAGES = {  # ending -> the package that writes it, and how to get it
    ".parquet": ("pyarrow", "pip install pyarrow"),
    ".zarr": ("zarr", "pip install 'deterrence[store]'"),
}
_ROWS = 500_000  # of a table that are in memory at once


def check_destination(path: str | os.PathLike[str]) -> None:
    """Raise ParameterError unless a result can be written to such a path: ending, folder, package."""
    place = Path(path)
    if place.suffix not in SUFFIXES:
        raise ParameterError(f"the file must end in one of {', '.join(SUFFIXES)}, got {str(path)!r}")
    if not place.resolve().parent.is_dir():
        raise ParameterError(f"the folder does not exist: {str(place.parent)!r}")
    package, remedy = _PACKAGES.get(place.suffix, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        raise ParameterError(f"a {place.suffix} file needs {package}: {remedy}; .csv, .json and .nc do without")


def write_dataset(result: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a result in the format that the path's ending names.

    Raises
    ------
    ParameterError
        If the ending is unknown, the folder does not exist, or the format lacks a package.
    """
    check_destination(path)
    writers: dict[str, Callable[[xr.Dataset, Path], None]] = {
        ".csv": to_csv,
        ".nc": to_netcdf,
        ".parquet": to_parquet,
        ".json": _to_json,
        ".zarr": _to_zarr,
    }
    place = Path(path)
    writers[place.suffix](result, place)


def to_csv(result: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a row per point: the parameters, then every variable."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        for number, frame in enumerate(_frames(result)):
            frame.to_csv(file, index=False, header=number == 0)


def to_parquet(result: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a row per point to a Parquet file.

    Raises
    ------
    ParameterError
        If pyarrow is missing.
    """
    try:
        import importlib

        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise ParameterError("Parquet needs pyarrow: pip install pyarrow; .csv, .nc and .zarr do without") from None
    writer: Any = None
    try:
        for frame in _frames(result):
            part = arrow.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                told = {str(key): str(value) for key, value in result.attrs.items()}
                writer = parquet.ParquetWriter(path, part.schema.with_metadata(told))
            writer.write_table(part.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def to_netcdf(result: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a NetCDF file of version 3, which every reader knows: flags and codes as small integers."""
    plain = _unencoded(result)
    for name, variable in result.variables.items():
        if variable.dtype == np.uint8:
            plain[name] = variable.astype(np.int16)
        elif variable.dtype == np.bool_:
            plain[name] = variable.astype(np.int8)
        plain[name].attrs = {key: _attribute(value) for key, value in variable.attrs.items()}
    plain.attrs = {key: _attribute(value) for key, value in result.attrs.items()}
    plain.to_netcdf(path, engine="scipy")


def _frames(result: xr.Dataset) -> Iterator[pd.DataFrame]:
    """Yield the result as tables of at most ``_ROWS`` rows, in C order."""
    import pandas as pd

    shape = tuple(result.sizes.values())
    names = [str(name) for name in (*result.coords, *result.data_vars)]
    total = math.prod(shape)
    for start in range(0, total, _ROWS):
        index = np.unravel_index(np.arange(start, min(total, start + _ROWS)), shape)
        place = dict(zip(result.sizes, index, strict=True))
        yield pd.DataFrame({name: _rows(result[name], place) for name in names})


def _rows(variable: xr.DataArray, place: dict[Any, Any]) -> Any:
    """Return a variable at the points whose places along each dimension are given."""
    first, *others = (place[dim] for dim in variable.dims)
    begin = int(first.min())
    slab = variable.isel({variable.dims[0]: slice(begin, int(first.max()) + 1)}).values
    return slab[(first - begin, *others)]


def _to_zarr(result: xr.Dataset, path: Path) -> None:
    _unencoded(result).to_zarr(path, mode="w", consolidated=False)


def _to_json(result: xr.Dataset, path: Path) -> None:
    path.write_text(json.dumps(_plain(result.to_dict()), indent=1), "utf-8")


def _unencoded(result: xr.Dataset) -> xr.Dataset:
    """Return a result without what a store said about chunks and codecs."""
    plain = result.copy()
    for variable in plain.variables.values():
        variable.encoding = {}
    return plain


def _attribute(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list) and all(isinstance(v, int) for v in value):
        return np.array(value, dtype=np.int16)
    return value if isinstance(value, str | int | float) else str(value)


def _plain(value: Any) -> Any:
    """Return nested data fit for JSON: not-a-number becomes null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)

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

from deterrence.files import require_free, whole_file, whole_folder, write_whole
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


def check_destination(
    path: str | os.PathLike[str], *, overwrite: bool = False, store: str | os.PathLike[str] | None = None
) -> None:
    """Raise unless a result can be written to a path: ending, folder, package, and nothing there that would be lost.

    Parameters
    ----------
    path : path
    overwrite : bool
        Whether a result that is there may be replaced.
    store : path, optional
        Where the same result is stored while it grows: it cannot be written over itself.

    Raises
    ------
    ParameterError
        If the ending is unknown, the folder does not exist, the format lacks a package, or a folder is there that is
        no result of a sweep, or a store that can be resumed.
    FileExistsError
        If a result is there and ``overwrite`` is false.
    """
    place = Path(path)
    if place.suffix not in SUFFIXES:
        raise ParameterError(f"the file must end in one of {', '.join(SUFFIXES)}, got {str(path)!r}")
    if not place.resolve().parent.is_dir():
        raise ParameterError(f"the folder does not exist: {str(place.parent)!r}")
    package, remedy = _PACKAGES.get(place.suffix, ("", ""))
    if package and importlib.util.find_spec(package) is None:
        raise ParameterError(f"a {place.suffix} file needs {package}: {remedy}; .csv, .json and .nc do without")
    if store is not None and _nested(place.resolve(), Path(store).resolve()):
        raise ParameterError(f"{place} is where the sweep is stored ({store}); write the result to another place")
    if place.suffix == ".zarr" and not place.is_file():
        _require_replaceable(place, overwrite=overwrite)
    else:
        require_free(place, overwrite=overwrite)


def write_dataset(result: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a result in the format that the path's ending names, whole or not at all.

    Parameters
    ----------
    result : Dataset
    path : path
        Ends in ``.csv``, ``.nc``, ``.parquet``, ``.json`` or ``.zarr`` (a folder).
    overwrite : bool
        Whether a result that is there is replaced.

    Raises
    ------
    ParameterError
        If the ending is unknown, the folder does not exist, the format lacks a package, or a folder is there that is
        no result of a sweep, or a store that can be resumed.
    FileExistsError
        If a result is there and ``overwrite`` is false.
    """
    check_destination(path, overwrite=overwrite)
    writers: dict[str, Callable[..., None]] = {
        ".csv": to_csv,
        ".nc": to_netcdf,
        ".parquet": to_parquet,
        ".json": _to_json,
        ".zarr": _to_zarr,
    }
    place = Path(path)
    writers[place.suffix](result, place, overwrite=overwrite)


def to_csv(result: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a row per point: the parameters, then every variable.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    with whole_file(path, overwrite=overwrite) as place, place.open("w", newline="", encoding="utf-8") as file:
        for number, frame in enumerate(_frames(result)):
            frame.to_csv(file, index=False, header=number == 0)


def to_parquet(result: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a row per point to a Parquet file.

    Raises
    ------
    ParameterError
        If pyarrow is missing.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    try:
        import importlib

        arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    except ImportError:
        raise ParameterError("Parquet needs pyarrow: pip install pyarrow; .csv, .nc and .zarr do without") from None
    with whole_file(path, overwrite=overwrite) as place:
        writer: Any = None
        try:
            for frame in _frames(result):
                part = arrow.Table.from_pandas(frame, preserve_index=False)
                if writer is None:
                    told = {str(key): str(value) for key, value in result.attrs.items()}
                    writer = parquet.ParquetWriter(place, part.schema.with_metadata(told))
                writer.write_table(part.cast(writer.schema))
        finally:
            if writer is not None:
                writer.close()


def to_netcdf(result: xr.Dataset, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a NetCDF file of version 3, which every reader knows: flags and codes as small integers.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    plain = _unencoded(result)
    for name, variable in result.variables.items():
        if variable.dtype == np.uint8:
            plain[name] = variable.astype(np.int16)
        elif variable.dtype == np.bool_:
            plain[name] = variable.astype(np.int8)
        plain[name].attrs = {key: _attribute(value) for key, value in variable.attrs.items()}
    plain.attrs = {key: _attribute(value) for key, value in result.attrs.items()}
    with whole_file(path, overwrite=overwrite) as place:
        plain.to_netcdf(place, engine="scipy")


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


def _to_zarr(result: xr.Dataset, path: Path, *, overwrite: bool = False) -> None:
    with whole_folder(path, overwrite=overwrite) as place:
        _unencoded(result).to_zarr(place, mode="w-", consolidated=False)


def _to_json(result: xr.Dataset, path: Path, *, overwrite: bool = False) -> None:
    write_whole(path, json.dumps(_plain(result.to_dict()), indent=1), overwrite=overwrite)


def _require_replaceable(folder: Path, *, overwrite: bool) -> None:
    """Raise unless a folder is free, or holds the plain result of a sweep and may be replaced."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if (folder / "progress").is_dir():
        raise ParameterError(f"{folder} is the store of a sweep that can be resumed; remove it, or name another place")
    try:
        attributes = json.loads((folder / "zarr.json").read_text("utf-8"))["attributes"]
        ours = "specification" in attributes and "fingerprint" in attributes
    except (OSError, ValueError, LookupError, TypeError):
        ours = False
    if not ours:
        raise ParameterError(f"{folder} is a folder that no sweep wrote; remove it, or name another place")
    if not overwrite:
        raise FileExistsError(f"{folder} exists; overwrite=True (on the command line --overwrite) replaces it")


def _nested(one: Path, other: Path) -> bool:
    """Return whether two paths are the same, or one lies in the other."""
    return one == other or one in other.parents or other in one.parents


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

"""Files that are whole or not there: written beside their place, and moved to it when they are complete.

Whatever ends the writing (a full disk, an error, an interrupt), the file that was there before stays as it was, and no
part of a new one stands under its name. A file that exists is replaced only where the caller says ``overwrite=True``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path

_STEM = 40  # characters of a file's name that its unfinished version carries


def require_free(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Raise unless a file may be written to a path.

    Raises
    ------
    FileExistsError
        If a file is there and ``overwrite`` is false.
    IsADirectoryError
        If a folder is there.
    FileNotFoundError
        If the folder that it would stand in does not exist.
    """
    place = Path(path)
    if place.is_dir():
        raise IsADirectoryError(f"{place} is a folder; name a file")
    if _is_special(place):
        return
    if place.exists() and not overwrite:
        raise FileExistsError(f"{place} exists; overwrite=True (on the command line --overwrite) replaces it")
    if not place.resolve().parent.is_dir():
        raise FileNotFoundError(f"the folder does not exist: {str(place.parent)!r}")


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a path to write to, with the same ending; when the block ends, the file is moved to ``path``.

    Parameters
    ----------
    path : path
        Of the file. A link is followed. What is no regular file, such as ``/dev/stdout``, is written to as it is.
    overwrite : bool
        Whether a file that exists is replaced.

    Raises
    ------
    FileExistsError
        If a file is there and ``overwrite`` is false, even one that another process wrote meanwhile.
    OSError
        If the file cannot be written; what was there before is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "answer.txt"
    ...     with whole_file(target) as unfinished:
    ...         _ = unfinished.write_text("0.25")
    ...     print(target.read_text(), len(list(Path(folder).iterdir())))
    0.25 1
    """
    require_free(path, overwrite=overwrite)
    place = Path(path)
    if _is_special(place):
        yield place
        return
    place = place.resolve()
    unfinished = _beside(place)
    try:
        yield unfinished
        _to_disk(unfinished)
        if overwrite:
            with contextlib.suppress(FileNotFoundError):
                shutil.copymode(place, unfinished)
            os.replace(unfinished, place)
        else:
            _move_to_free_place(unfinished, place)
    except OSError as error:
        if error.errno is None or isinstance(error, FileExistsError):
            raise
        reason = os.strerror(error.errno)
        raise type(error)(
            error.errno, f"{place} could not be written ({reason}); what was there before is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write_whole(path: str | os.PathLike[str], text: str, *, overwrite: bool = False) -> Path:
    """Write text in UTF-8, lines ending in a line feed, and return the path; see ``whole_file``."""
    return write_whole_bytes(path, text.encode("utf-8"), overwrite=overwrite)


def write_whole_bytes(path: str | os.PathLike[str], content: bytes, *, overwrite: bool = False) -> Path:
    """Write bytes to a file, and return the path; see ``whole_file``."""
    with whole_file(path, overwrite=overwrite) as unfinished:
        unfinished.write_bytes(content)
    return Path(path)


@contextlib.contextmanager
def whole_folder(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield the path of a folder to make and fill; when the block ends, it is moved to ``path``.

    What a folder holds that may be replaced is for the caller to judge; with ``overwrite`` the whole of it goes, after
    the new one is complete.

    Raises
    ------
    FileExistsError
        If something is there and ``overwrite`` is false; an empty folder makes way.
    """
    place = Path(path).resolve()
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
    if place.exists() and not overwrite:
        raise FileExistsError(f"{path} exists; overwrite=True (on the command line --overwrite) replaces it")
    unfinished, replaced = _beside(place), _beside(place)
    try:
        yield unfinished
        if place.exists():
            os.rename(place, replaced)
        try:
            os.rename(unfinished, place)
        except OSError:
            if replaced.exists():
                os.rename(replaced, place)
            raise
    finally:
        for left in (unfinished, replaced):
            shutil.rmtree(left, ignore_errors=True)


def _is_special(place: Path) -> bool:
    """Return whether a path leads to something that is neither a file nor a folder: a device, a pipe."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _beside(place: Path) -> Path:
    """Return a path in the same folder that is free, hidden, and has the same ending."""
    return place.with_name(f".{place.stem[:_STEM]}.{uuid.uuid4().hex[:12]}.partial{place.suffix}")


def _to_disk(file: Path) -> None:
    """Have the operating system write what it still holds of a file."""
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _move_to_free_place(unfinished: Path, place: Path) -> None:
    """Move a file to a path where none is, at once; raise FileExistsError if another came first."""
    try:
        os.link(unfinished, place)
    except FileExistsError:
        raise FileExistsError(f"{place} exists: another process wrote it meanwhile") from None
    except OSError:  # a file system without links
        if place.exists():
            raise FileExistsError(f"{place} exists: another process wrote it meanwhile") from None
        os.rename(unfinished, place)

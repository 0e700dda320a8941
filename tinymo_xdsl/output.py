"""Files that are written whole or not at all."""

import os
from os import PathLike
from pathlib import Path

from tinymo_xdsl.errors import TinymoError


def write_atomically(path: str | PathLike[str], data: bytes) -> None:
    """
    Put `data` into the file at `path`, replacing what was there.

    Readers see the old file or the new one, never a part. On failure nothing is left behind and `TinymoError` says
    why. What is not a regular file, as a pipe or `/dev/null`, is written in place.
    """
    target = Path(path)
    try:
        # A link stays a link: the file it names is replaced.
        target = target.resolve()
        if target.exists() and not target.is_file():
            target.write_bytes(data)
        else:
            _replace(target, data)
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TinymoError(f"{path}: cannot write the file: {reason}") from error


def _replace(target: Path, data: bytes) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

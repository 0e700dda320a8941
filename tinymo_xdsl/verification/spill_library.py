"""
The library that lets the engines run spilled models, built when a model needs it.

It is compiled once, into the user's folder for caches; where that cannot be written, for each use.
"""

import hashlib
import os
import platform
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tinymo_xdsl.backend.c.host import compile_c, find_compiler
from tinymo_xdsl.errors import MissingToolError, TinymoError
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.spills import RELOAD_OPERATOR, SPILL_OPERATOR

MICRO_REGISTERER: Final = "tinymo_register_spills"
"""The function that adds the operators to a resolver of TFLite Micro."""

_SOURCE: Final = Path(__file__).with_name("spill_kernels.c")
_OPTIONS: Final = ("-std=c11", "-O2", "-shared", "-fPIC")


def needs_library(model: Model) -> bool:
    """Whether `model` spills tensors."""
    operators = (operator for graph in model.subgraphs for operator in graph.operators)
    return any(operator.custom and operator.name in (SPILL_OPERATOR, RELOAD_OPERATOR) for operator in operators)


@contextmanager
def spill_library() -> Generator[Path, None, None]:
    """The library's file, to be loaded inside the context. `MissingToolError` where it cannot be built."""
    folder = _cache()
    if folder is None:
        with tempfile.TemporaryDirectory() as scratch:
            yield _build(Path(scratch, "spills.so"))
    else:
        content = hashlib.sha256(_SOURCE.read_bytes() + platform.machine().encode()).hexdigest()
        library = folder / f"spills-{content[:16]}.so"
        yield library if library.is_file() else _build(library)


def _cache() -> Path | None:
    """The folder for what can be made again, if it can be written to."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tinymo-xdsl")
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def _build(library: Path) -> Path:
    """The file appears complete or not at all: others may be building it, too."""
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        built = Path(scratch, library.name)
        try:
            compile_c([*find_compiler(), *_OPTIONS, "-o", str(built), str(_SOURCE), "-ldl"])
        except MissingToolError:
            raise
        except TinymoError as error:
            raise MissingToolError(f"spilled tensors cannot be run on this machine: {error}") from error
        os.replace(built, library)
    return library

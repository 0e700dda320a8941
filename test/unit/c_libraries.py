"""Generated C libraries, compiled with every warning as an error and loaded into the test's process."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinymo_xdsl.analysis.kernels import functions
from tinymo_xdsl.backend.c.codegen import compile_model
from tinymo_xdsl.backend.c.emit import source_file
from tinymo_xdsl.backend.c.header import header_file
from tinymo_xdsl.backend.c.library import Library
from tinymo_xdsl.errors import TinymoError
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.frontend import import_model
from tinymo_xdsl.interpreter.executor import Executor

Array = npt.NDArray[Any]

FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-ffp-contract=off")


def compiler() -> str:
    """A C compiler; the test is skipped where there is none."""
    found = os.environ.get("CC") or next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is None:
        pytest.skip("no C compiler: cc, gcc or clang")
    return found


@dataclass(frozen=True, eq=False)
class Loaded:
    """One library of a shared object."""

    library: Library
    prefix: str
    code: ctypes.CDLL

    def initialize(self) -> None:
        """Forgets all runs."""
        assert getattr(self.code, f"{self.prefix}_init")() == 0

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs of one run."""
        for index, values in enumerate(inputs):
            ctypes.memmove(self._address("input", index), np.ascontiguousarray(values).tobytes(), values.nbytes)
        assert getattr(self.code, f"{self.prefix}_invoke")() == 0
        return [
            np.frombuffer(ctypes.string_at(self._address("output", index), tensor.bytes), tensor.dtype).reshape(
                tensor.shape
            )
            for index, tensor in enumerate(self.library.outputs)
        ]

    def _address(self, kind: str, index: int) -> int:
        function = getattr(self.code, f"{self.prefix}_{kind}")
        function.restype = ctypes.c_void_p
        address = function(index)
        assert address is not None
        return address


def load(models: Mapping[str, Model], folder: Path) -> dict[str, Loaded]:
    """The libraries of models by prefix, all linked into one image and initialised."""
    return load_libraries({prefix: compile_model(model) for prefix, model in models.items()}, folder)


def load_libraries(libraries: Mapping[str, Library], folder: Path) -> dict[str, Loaded]:
    """As `load`, of what is compiled already."""
    for prefix, library in libraries.items():
        (folder / f"{prefix}.h").write_text(header_file(library, prefix, "", ""))
        (folder / f"{prefix}.c").write_text(source_file(library, prefix, ""))
    image = folder / "libraries.so"
    sources = [str(folder / f"{prefix}.c") for prefix in libraries]
    subprocess.run([compiler(), *FLAGS, "-shared", "-fPIC", *sources, "-o", str(image)], check=True)
    code = ctypes.CDLL(str(image))
    loaded = {prefix: Loaded(library, prefix, code) for prefix, library in libraries.items()}
    for library in loaded.values():
        library.initialize()
    return loaded


def library_or_none(model: Model) -> Library | None:
    """The library of a model; `None` where there is no C for it, or no IR, but an error for people."""
    try:
        return compile_model(model)
    except TinymoError:
        return None


def with_all_outputs(model: Model) -> Model:
    """The model with every tensor that an operator writes as an output: saturated ends hide what goes wrong before."""
    (graph,) = model.subgraphs
    written = tuple(dict.fromkeys(index for operator in graph.operators for index in operator.outputs))
    return replace(model, subgraphs=(replace(graph, outputs=written),), signatures=())


def executor(model: Model) -> "Expected":
    """The model in the interpreter, as it was imported."""
    module = import_model(model)
    return Expected(Executor(module), next(iter(functions(module))).sym_name.data)


@dataclass(frozen=True, eq=False)
class Expected:
    """A model in the interpreter."""

    executor: Executor
    entry: str

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """The outputs of one run."""
        return self.executor.run(inputs, self.entry)


def random_inputs(library: Library, seed: int) -> list[Array]:
    """Values over the whole range of each type, over less of it, or a few that are often equal, as the seed goes on."""
    rng = np.random.default_rng(seed)
    return [_random(rng, tensor.dtype, tensor.shape, seed % 4) for tensor in library.inputs]


def _random(rng: np.random.Generator, dtype: str, shape: tuple[int, ...], narrow: int) -> Array:
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(np.bool_)
    if dtype == "float32":
        values = rng.integers(-2, 3, shape) / 2 if narrow == 3 else rng.uniform(-1, 1, shape)
        return values.astype(np.float32)
    limits = np.iinfo(dtype)
    spread = 3 if narrow == 3 else (int(limits.max) - int(limits.min)) >> 2 * narrow
    low = 0 if narrow == 3 else int(rng.integers(int(limits.min), int(limits.max) - spread + 1))
    return rng.integers(low, low + spread + 1, shape).astype(dtype)


def assert_same(found: Sequence[Array], wanted: Sequence[Array], library: Library) -> None:
    """Every byte of every output, but for the sign of zero: the interpreter and TFLite Micro clamp it differently."""
    assert len(found) == len(wanted)
    for mine, theirs, tensor in zip(found, wanted, library.outputs, strict=True):
        is_float = tensor.dtype == "float32"
        same = np.array_equal(mine, theirs, equal_nan=True) if is_float else mine.tobytes() == theirs.tobytes()
        assert same, f"'{tensor.name}' differs"

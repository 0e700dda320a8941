"""The engines that can run a `.tflite` file, behind one interface."""

import ctypes
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from tinymo_xdsl.errors import BadModelError, MissingToolError
from tinymo_xdsl.flatbuffer.bounds import check_identifier
from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.offline_plan import OFFLINE_PLAN
from tinymo_xdsl.flatbuffer.reader import read_model
from tinymo_xdsl.flatbuffer.schema import DATA_TYPES
from tinymo_xdsl.verification.isolation import EngineError
from tinymo_xdsl.verification.spill_library import MICRO_REGISTERER, needs_library, spill_library

# They are heavy and optional, so they are loaded with the first model.
if TYPE_CHECKING:
    from ai_edge_litert import interpreter as litert
    from tflite_micro.python.tflite_micro import runtime as micro

Array: TypeAlias = npt.NDArray[Any]
EngineName: TypeAlias = Literal["tflite-micro", "litert"]

_IDENTIFIER_END = 8


def value_dtype(dtype: str) -> np.dtype[Any] | None:
    """The numpy type of a tensor type whose values are real numbers, by its name in the schema; else `None`."""
    numpy = DATA_TYPES[dtype].numpy
    # The handle of a variable is a number to the format, but reading it crashes the engines.
    return numpy if numpy is not None and numpy.kind in "biuf" and dtype != "RESOURCE" else None


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A `.tflite` file: its bytes as they stand, and what they say."""

    name: str
    """What messages call it."""
    data: bytes
    model: Model

    @staticmethod
    def read(name: str, data: bytes) -> "ModelFile":
        return ModelFile(name, data, read_model(data, name))

    @staticmethod
    def open(path: str) -> "ModelFile":
        """The file at `path`. Raises `BadModelError` for anything but a `.tflite` file, with what to do about it."""
        if path.endswith(".mlir"):
            raise BadModelError(
                f"{path}: this is MLIR text, not a .tflite file;"
                f" try: tinymo-translate --mlir-to-tflite {path} -o FILE.tflite"
            )
        try:
            with Path(path).open("rb") as file:
                start = file.read(_IDENTIFIER_END)
                check_identifier(start, path)
                data = start + file.read()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise BadModelError(f"{path}: cannot read the file: {reason}") from error
        return ModelFile.read(path, data)

    @property
    def has_plan(self) -> bool:
        return any(entry.name == OFFLINE_PLAN for entry in self.model.metadata)

    def without_plan(self) -> bytes:
        """The same bytes but for the plan's name, misspelt so that no engine finds the plan."""
        return self.data.replace(OFFLINE_PLAN.encode(), OFFLINE_PLAN.swapcase().encode())


class Session(Protocol):
    """A model in an engine, with the state of its variables."""

    def invoke(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """One inference. `EngineError` when the engine refuses."""
        ...

    def tensor(self, index: int) -> Array:
        """A tensor of the first subgraph after an inference, in a session that keeps tensors."""
        ...


class Engine(Protocol):
    """Native code that runs `.tflite` files."""

    @property
    def name(self) -> EngineName: ...

    @property
    def distribution(self) -> str:
        """The name of the Python package that brings it."""
        ...

    @property
    def module(self) -> str: ...

    @property
    def follows_plans(self) -> bool:
        """Whether tensors lie where the file's memory plan puts them."""
        ...

    def load(self, file: ModelFile, keep_tensors: bool = False, arena: int | None = None) -> Session:
        """
        A fresh session. `keep_tensors` gives every tensor its own memory, and does not follow the file's plan.

        `arena` limits the memory, in bytes, where the engine has such a limit. `EngineError` when it refuses, and
        `MissingToolError` for a model that spills tensors where the library for that cannot be built.
        """
        ...


def is_installed(engine: Engine) -> bool:
    """Whether the engine's package is there. It is not imported."""
    return importlib.util.find_spec(engine.module) is not None


def version(engine: Engine) -> str:
    """The version of the engine's package."""
    return importlib.metadata.version(engine.distribution)


def installed_engines(name: EngineName | Literal["auto"] = "auto") -> tuple[Engine, ...]:
    """The engines to try, golden first, or the one that is asked for. `MissingToolError` when there is none."""
    wanted = tuple(engine for engine in ENGINES if name in ("auto", engine.name))
    found = tuple(engine for engine in wanted if is_installed(engine))
    if not found:
        packages = " or ".join(engine.distribution for engine in wanted)
        raise MissingToolError(
            f"no engine to run models with: {packages} is not installed; try: pip install 'tinymo-xdsl[verify]'"
        )
    return found


@dataclass(frozen=True, eq=False)
class MicroSession:
    """A session in TFLite Micro."""

    interpreter: "micro.Interpreter"
    outputs: int

    def invoke(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        try:
            for index, values in enumerate(inputs):
                self.interpreter.set_input(values, index)
            self.interpreter.invoke()
            return tuple(np.array(self.interpreter.get_output(index)) for index in range(self.outputs))
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"could not run it: {error}") from error

    def tensor(self, index: int) -> Array:
        return np.array(self.interpreter.GetTensor(index, 0)["tensor_data"])

    def print_allocations(self) -> None:
        """The use of the arena, on the process's standard error."""
        self.interpreter.print_allocations()


@dataclass(frozen=True)
class TfliteMicro:
    """TFLite Micro with its reference kernels: the golden numerics."""

    name: EngineName = "tflite-micro"
    distribution: str = "tflite-micro"
    module: str = "tflite_micro"
    follows_plans: bool = True

    def load(self, file: ModelFile, keep_tensors: bool = False, arena: int | None = None) -> MicroSession:
        from tflite_micro.python.tflite_micro.runtime import Interpreter, InterpreterConfig

        registerers = _micro_registerers(file.model)
        try:
            interpreter = Interpreter.from_bytes(
                # The planner that keeps tensors apart fails on any planned offset.
                file.without_plan() if keep_tensors else file.data,
                custom_op_registerers=registerers,
                arena_size=arena if arena is not None else _roomy_arena(file.model),
                intrepreter_config=(
                    InterpreterConfig.kPreserveAllTensors if keep_tensors else InterpreterConfig.kAllocationRecording
                ),
            )
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"could not load it: {error}") from error
        return MicroSession(interpreter, len(file.model.subgraphs[0].outputs))


def _micro_registerers(model: Model) -> list[str]:
    """What adds custom operators: TFLite Micro looks the function up among all that the process has loaded."""
    if not needs_library(model):
        return []
    with spill_library() as library:
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    return [MICRO_REGISTERER]


def _roomy_arena(model: Model) -> int:
    """Bytes that hold every tensor at once and the runtime's own structures, even where the plan is poor."""
    tensors = [tensor for subgraph in model.subgraphs for tensor in subgraph.tensors]
    operators = sum(len(subgraph.operators) for subgraph in model.subgraphs)
    # Elements of less than a byte are unpacked in the arena.
    sizes = sum(16 + prod(tensor.shape) * max(1, (DATA_TYPES[tensor.dtype].bits or 64) // 8) for tensor in tensors)
    # A multiple of 16: the tail is aligned from the end, and what it takes should not depend on this guess.
    return (2 * sizes + 1024 * (operators + len(tensors)) + (1 << 20)) // 16 * 16


@dataclass(frozen=True, eq=False)
class LitertSession:
    """A session in LiteRT."""

    interpreter: "litert.Interpreter"
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def invoke(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        try:
            for index, values in zip(self.inputs, inputs, strict=True):
                self.interpreter.set_tensor(index, values)
            self.interpreter.invoke()
            return tuple(self.interpreter.get_tensor(index) for index in self.outputs)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"could not run it: {error}") from error

    def tensor(self, index: int) -> Array:
        return self.interpreter.get_tensor(index)


@dataclass(frozen=True)
class Litert:
    """LiteRT with its reference kernels, whose FULLY_CONNECTED requantises in float."""

    name: EngineName = "litert"
    distribution: str = "ai-edge-litert"
    module: str = "ai_edge_litert"
    follows_plans: bool = False

    def load(self, file: ModelFile, keep_tensors: bool = False, arena: int | None = None) -> LitertSession:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        delegates = _litert_delegates(file.model)
        try:
            interpreter = Interpreter(
                model_content=file.data,
                experimental_delegates=delegates,
                experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                experimental_preserve_all_tensors=keep_tensors,
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"could not load it: {error}") from error
        main = file.model.subgraphs[0]
        return LitertSession(interpreter, main.inputs, main.outputs)


def _litert_delegates(model: Model) -> "list[litert.Delegate]":
    """What runs custom operators."""
    if not needs_library(model):
        return []
    from ai_edge_litert.interpreter import load_delegate

    with spill_library() as library:
        return [load_delegate(str(library))]


TFLITE_MICRO = TfliteMicro()
LITERT = Litert()
ENGINES: tuple[Engine, ...] = (TFLITE_MICRO, LITERT)
"""In the order of preference."""


def by_name(name: EngineName) -> Engine:
    """The engine of this name."""
    return next(engine for engine in ENGINES if engine.name == name)

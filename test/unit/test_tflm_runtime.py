"""
The sources that applications of TFLite Micro link (`runtime/tflm`): they compile, and run inside the Python package.

The headers of TFLite Micro are not part of its package, so what the sources use of them is declared in `test/native`.
"""

import ctypes
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from flatbuffer_models import PROJECT
from test_spill_files import nested_hourglasses, spilled, with_places_at, with_token_in_the_way

from tinymo_xdsl.flatbuffer.model import Model
from tinymo_xdsl.flatbuffer.spills import copied_bytes, storage_bytes
from tinymo_xdsl.flatbuffer.writer import write_model
from tinymo_xdsl.verification import EngineError, isolation

SOURCES = (PROJECT / "runtime/tflm/tinymo_spill.cc", PROJECT / "test/native/tflm/application.cc")
INCLUDES = [f"-I{PROJECT / folder}" for folder in ("runtime/tflm", "test/native/tflm")]
OPTIONS = ["-std=c++17", "-O1", "-fPIC", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
COMPILERS = [name for name in ("g++", "clang++") if shutil.which(name)]
COUNTING = {"STORAGE": 1024, "COPY_WORKS": 1, "USE_MEMCPY": 0, "WEARS_OUT": 0}

needs_compiler = pytest.mark.skipif(not COMPILERS, reason="no C++ compiler: install g++ or clang++")
needs_micro = pytest.mark.skipif(importlib.util.find_spec("tflite_micro") is None, reason="no TFLite Micro")


def compile_with(compiler: str, *arguments: str, **values: int) -> str:
    """What the compiler says, and an error if it is not content."""
    defines = [f"-D{name}={value}" for name, value in (COUNTING | values).items()]
    process = subprocess.run(
        [compiler, *OPTIONS, *defines, *INCLUDES, *arguments], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stderr


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("version", [[], ["-DTFLM_OF_2023"]], ids=["of today", "of 2023"])
def test_sources_compile_without_warnings(compiler: str, source: Path, version: list[str]) -> None:
    assert compile_with(compiler, *WARNINGS, *version, "-fsyntax-only", str(source)) == ""


@needs_compiler
def test_the_runtime_allocates_nothing(tmp_path: Path) -> None:
    compiled = tmp_path / "spill.o"
    compile_with(COMPILERS[0], "-c", "-o", str(compiled), str(SOURCES[0]))
    # Every function that is called and not defined here.
    symbols = subprocess.run(["nm", "--undefined-only", str(compiled)], capture_output=True, text=True, check=True)
    names = {line.split()[-1] for line in symbols.stdout.splitlines()} - {"_GLOBAL_OFFSET_TABLE_"}
    own = {name for name in names if "tflite" not in name and "MicroPrintf" not in name}
    assert own == {"memcpy", "memcmp", "strlen"}


# In TFLite Micro.


def run_application(library: str, data: bytes, runs: int) -> tuple[list[bytes], int]:
    """The outputs of some runs of a model in an application, and the bytes that this has copied."""
    from tflite_micro.python.tflite_micro import _runtime
    from tflite_micro.python.tflite_micro.runtime import Interpreter

    # The application calls functions of TFLite Micro, which Python has loaded for itself alone.
    ctypes.CDLL(_runtime.__file__, mode=ctypes.RTLD_GLOBAL)
    application = ctypes.CDLL(library, mode=ctypes.RTLD_GLOBAL)
    application.application_copied_bytes.restype = ctypes.c_size_t
    try:
        interpreter = Interpreter.from_bytes(data, ["application_register"], arena_size=1 << 20)
        outputs: list[bytes] = []
        for seed in range(runs):
            shape = interpreter.get_input_details(0)["shape"]
            interpreter.set_input(np.random.default_rng(seed).integers(-128, 128, shape, np.int8), 0)
            interpreter.invoke()
            outputs.append(interpreter.get_output(0).tobytes())
    except RuntimeError as error:
        raise EngineError(str(error)) from error
    return outputs, application.application_copied_bytes()


@dataclass(frozen=True)
class Application:
    """The application's source, to be linked with the runtime in one way or another."""

    folder: Path
    runtime: Path

    def run(self, model: Model, runs: int = 3, **values: int) -> tuple[list[bytes], int]:
        library = self.folder / f"{'_'.join(f'{name}{value}' for name, value in values.items())}.so"
        if not library.exists():
            source = str(SOURCES[1])
            compile_with(COMPILERS[0], "-shared", "-o", str(library), source, str(self.runtime), **values)
        result, _ = isolation.call(60.0, run_application, str(library), write_model(model), runs)
        return result


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    folder = tmp_path_factory.mktemp("application")
    compile_with(COMPILERS[0], "-c", "-o", str(folder / "runtime.o"), str(SOURCES[0]))
    return Application(folder, folder / "runtime.o")


@needs_compiler
@needs_micro
def test_an_application_computes_what_the_original_computes(application: Application) -> None:
    """Through its own copy function, which sees every byte; and not any more if two tensors wait in one place."""
    original, model = nested_hourglasses(), spilled(nested_hourglasses())
    expected, nothing = application.run(original)
    assert len(set(expected)) == 3
    assert nothing == 0
    assert application.run(model) == (expected, 3 * copied_bytes(model))
    assert application.run(model, USE_MEMCPY=1) == (expected, 0)
    wrong, _ = application.run(with_places_at(model, 0))
    assert wrong != expected


@needs_compiler
@needs_micro
@pytest.mark.parametrize(
    ("memory", "values", "message"),
    [
        ("psram", {"STORAGE": 1023}, "TINYMO_SPILL: the memory 'psram' has 1023 bytes, the model needs 1024"),
        ("hyperram", {}, "TINYMO_SPILL: the application states no memory 'hyperram'"),
        ("unused", {}, "TINYMO_SPILL: the memory 'unused' has 0 bytes, the model needs 1024"),
        ("psram", {"USE_MEMCPY": 1, "WEARS_OUT": 1}, "the memory 'psram' needs a copy function of its own"),
        ("psram", {"COPY_WORKS": 0}, "TINYMO_SPILL: the copy failed"),
    ],
)
def test_what_is_wrong_is_told(application: Application, memory: str, values: dict[str, int], message: str) -> None:
    model = spilled(nested_hourglasses(), memory)
    assert set(storage_bytes(model).values()) == {1024}
    with pytest.raises(EngineError) as raised:
        application.run(model, **values)
    assert message in str(raised.value)


@needs_compiler
@needs_micro
def test_a_memory_that_wears_out_is_used_if_the_application_says_so(application: Application) -> None:
    model = spilled(nested_hourglasses())
    assert application.run(model, 1, WEARS_OUT=1)[1] == copied_bytes(model)


@needs_compiler
@needs_micro
def test_a_token_that_is_overwritten_ends_the_run(application: Application) -> None:
    with pytest.raises(EngineError, match="TINYMO_RELOAD: its token was overwritten"):
        application.run(with_token_in_the_way(spilled(nested_hourglasses())))
